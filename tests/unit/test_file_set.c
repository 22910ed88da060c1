/* SPDX-License-Identifier: MIT
 *
 * Which files of a folder are served, under which paths, types and tags; and that no path
 * leads out of it.
 */
#include "tests/unit/unit.h"

#include <libdeflate.h>

#include "server/http/file_set.h"
#include "tests/unit/tempdir.h"

static struct file_set *set;

static void
make_folder(const char *name)
{
	ck_assert_int_eq(mkdir(at(name), 0755), 0);
}

/* A folder web with a page, beside a secret. */
static void
make_web(void)
{
	tempdir_make();
	make_folder("web");
	spill("web/index.html", span_str("<!doctype html><p>aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
					 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	spill("secret.txt", span_str("secret"));
	set = NULL;
}

static void
drop_web(void)
{
	file_set_free(set);
	tempdir_remove();
}

static void
load(void)
{
	struct why why = {""};
	enum qerr e = file_set_load(at("web"), &set, &why);

	ck_assert_msg(e == Q_OK, "%s", why.text);
}

static void
refuses(const char *folder, enum qerr want, const char *reason)
{
	struct why why = {""};
	struct file_set *out = NULL;

	ck_assert_int_eq(file_set_load(at(folder), &out, &why), want);
	ck_assert_ptr_null(out);
	ck_assert_msg(strstr(why.text, reason) != NULL, "%s", why.text);
}

static const struct file *
find(const char *path)
{
	return file_set_find(set, span_str(path));
}

/* ---- what is found ---- */

START_TEST(paths)
{
	make_folder("web/a");
	make_folder("web/a/b");
	spill("web/style.css", span_str("p{}"));
	spill("web/a/app.js", span_str("1"));
	spill("web/a/b/x_y-z.png", span_str("png"));
	spill("web/none", span_str("what"));
	load();
	ck_assert_uint_eq(file_set_count(set), 5);
	ck_assert_ptr_eq(find("/"), find("/index.html"));
	ck_assert_str_eq(find("/")->type, "text/html; charset=UTF-8");
	ck_assert_str_eq(find("/style.css")->type, "text/css; charset=UTF-8");
	ck_assert_str_eq(find("/a/app.js")->type, "text/javascript; charset=UTF-8");
	ck_assert_str_eq(find("/a/b/x_y-z.png")->type, "image/png");
	ck_assert_str_eq(find("/none")->type, "application/octet-stream");
	ck_assert(span_eq(find("/a/app.js")->plain.bytes, span_str("1")));
}
END_TEST

static const char *const nowhere[] = {
    "",
    "index.html",
    "//",
    "/index",
    "/index.html/",
    "/index.htmlx",
    "/INDEX.HTML",
    "/a",
    "/a/",
    "/./index.html",
    "/a/../index.html",
    "/../secret.txt",
    "/a/../../secret.txt",
    "/..",
    "/%2e%2e/secret.txt",
    "/%2E%2E%2Fsecret.txt",
    "/..%2fsecret.txt",
    "/%252e%252e/secret.txt",
    "/..\\secret.txt",
    "/%5c..%5csecret.txt",
    "/\xc0\xae\xc0\xae/secret.txt",
    "/index.html%00",
    "/index%2ehtml",
    "/.hidden",
    "/.git/config",
    "/with space.txt",
    "/with%20space.txt",
    "/pipe",
};

START_TEST(no_way_out)
{
	make_folder("web/a");
	make_folder("web/.git");
	spill("web/.git/config", span_str("x"));
	spill("web/.hidden", span_str("x"));
	spill("web/with space.txt", span_str("x"));
	ck_assert_int_eq(mkfifo(at("web/pipe"), 0600), 0);
	load();
	ck_assert_uint_eq(file_set_count(set), 1);
	ck_assert_msg(find(nowhere[_i]) == NULL, "%s", nowhere[_i]);
}
END_TEST

START_TEST(nul_in_path)
{
	load();
	ck_assert_ptr_null(file_set_find(set, span_of("/index.html\0", 12)));
	ck_assert_ptr_null(file_set_find(set, span_of("/\0", 2)));
}
END_TEST

/* Hundreds of names are found each, whatever their order in the folder. */
START_TEST(many)
{
	for (int i = 0; i < FILE_SET_MAX - 1; i++) {
		char name[32];

		snprintf(name, sizeof(name), "web/f%d", (i * 37) % 255);
		spill(name, span_str(name + 5));
	}
	load();
	for (int i = 0; i < FILE_SET_MAX - 1; i++) {
		char name[32];

		snprintf(name, sizeof(name), "/f%d", i);
		ck_assert_ptr_nonnull(find(name));
		ck_assert(span_eq(find(name)->plain.bytes, span_str(name + 2)));
	}
	spill("web/one-more", span_str("x"));
	refuses("web", Q_LIMIT, "more than 256 files");
}
END_TEST

/* ---- its forms ---- */

START_TEST(forms)
{
	static char back[1 << 16], dull[1 << 15], sharp[4096];
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	uint32_t x = 1;
	size_t n;

	memset(dull, 'a', sizeof(dull));
	for (size_t i = 0; i < sizeof(sharp); i++)
		sharp[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
	spill("web/dull.txt", span_of(dull, sizeof(dull)));
	spill("web/sharp.png", span_of(sharp, sizeof(sharp)));
	spill("web/empty.txt", span_str(""));
	load();
	ck_assert_uint_eq(find("/dull.txt")->plain.bytes.len, sizeof(dull));
	ck_assert_uint_lt(find("/dull.txt")->gzip.bytes.len, 200);
	ck_assert_int_eq(libdeflate_gzip_decompress(d, find("/dull.txt")->gzip.bytes.p,
						    find("/dull.txt")->gzip.bytes.len,
						    back, sizeof(back), &n),
			 LIBDEFLATE_SUCCESS);
	ck_assert(span_eq(span_of(back, n), span_of(dull, sizeof(dull))));
	ck_assert_ptr_null(find("/sharp.png")->gzip.bytes.p);
	ck_assert_ptr_null(find("/empty.txt")->gzip.bytes.p);
	ck_assert_uint_eq(find("/empty.txt")->plain.bytes.len, 0);
	ck_assert_uint_gt(file_set_bytes(set), sizeof(dull) + sizeof(sharp));
	libdeflate_free_decompressor(d);
}
END_TEST

START_TEST(tags)
{
	char before[FILE_TAG_SIZE];

	spill("web/a.txt", span_str("same"));
	spill("web/b.txt", span_str("same"));
	spill("web/c.txt", span_str("other"));
	load();
	ck_assert_str_eq(find("/a.txt")->plain.tag, find("/b.txt")->plain.tag);
	ck_assert_str_ne(find("/a.txt")->plain.tag, find("/c.txt")->plain.tag);
	ck_assert_str_ne(find("/a.txt")->plain.tag, find("/a.txt")->gzip.tag);
	ck_assert_int_eq(find("/a.txt")->plain.tag[0], '"');
	strcpy(before, find("/a.txt")->plain.tag);
	file_set_free(set);
	spill("web/a.txt", span_str("new"));
	load();
	ck_assert_str_ne(find("/a.txt")->plain.tag, before);
}
END_TEST

static const struct {
	const char *header;
	bool listed;
} listed[] = {
    {"\"a\"", true},
    {"W/\"a\"", true},
    {"\"b\", \"a\"", true},
    {"\"b\" ,\t W/\"a\" ", true},
    {"\"b\",\"a\"", true},
    {"*", true},
    {"", false},
    {"a", false},
    {"\"A\"", false},
    {"\"ab\"", false},
    {"\"a", false},
    {"\"b\"", false},
    {"W/", false},
    {",,,", false},
    {"\"b\"; \"a\"", false},
};

START_TEST(tag_lists)
{
	ck_assert_msg(file_tag_listed(span_str(listed[_i].header), "\"a\"") ==
			  listed[_i].listed,
		      "%s", listed[_i].header);
	ck_assert(!file_tag_listed((struct span){NULL, 0}, "\"a\""));
}
END_TEST

/* ---- what is refused ---- */

START_TEST(bad_folders)
{
	refuses("nowhere", Q_MISSING, "nowhere");
	refuses("secret.txt", Q_MISSING, "secret.txt");
	make_folder("empty");
	refuses("empty", Q_MISSING, "no index.html");
}
END_TEST

START_TEST(too_large)
{
	ck_assert_int_eq(truncate(at("web/index.html"), FILE_SET_BYTES), 0);
	load();
	spill("web/one-byte", span_str("x"));
	refuses("web", Q_LIMIT, "16 MiB");
}
END_TEST

START_TEST(too_deep)
{
	char path[256] = "web";

	for (int i = 0; i < FILE_SET_DEPTH + 1; i++) {
		strcat(path, "/d");
		make_folder(path);
		strcat(path, "/f");
		spill(path, span_str("x"));
		path[strlen(path) - 2] = '\0';
	}
	load();
	ck_assert_ptr_nonnull(find("/d/d/d/f"));
	ck_assert_ptr_null(find("/d/d/d/d/f"));
}
END_TEST

/* A folder that leads back to itself is read as deep as any, and no deeper. */
START_TEST(loops)
{
	ck_assert_int_eq(symlink(".", at("web/loop")), 0);
	load();
	ck_assert_ptr_nonnull(find("/loop/loop/loop/index.html"));
	ck_assert_uint_eq(file_set_count(set), FILE_SET_DEPTH);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("file_set");
	TCase *tc = tcase_create("file_set");

	tcase_add_checked_fixture(tc, make_web, drop_web);
	tcase_add_test(tc, paths);
	tcase_add_loop_test(tc, no_way_out, 0, sizeof(nowhere) / sizeof(nowhere[0]));
	tcase_add_test(tc, nul_in_path);
	tcase_add_test(tc, many);
	tcase_add_test(tc, forms);
	tcase_add_test(tc, tags);
	tcase_add_loop_test(tc, tag_lists, 0, sizeof(listed) / sizeof(listed[0]));
	tcase_add_test(tc, bad_folders);
	tcase_add_test(tc, too_large);
	tcase_add_test(tc, too_deep);
	tcase_add_test(tc, loops);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
