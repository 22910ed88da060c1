/* SPDX-License-Identifier: MIT
 *
 * Files that change on the way, ends that lie, names that want to be elsewhere, full disks.
 */
#include "tests/unit/transfer_ends.h"

/* ---- files that change ---- */

START_TEST(shrinks)
{
	const char *path = make_file("a", 100000);

	ASK(alice, CLIENT_DO_SEND_FILE, path);
	settle();
	ck_assert_int_eq(truncate(path, 50000), 0);
	ASK(bob, CLIENT_DO_GET, "");
	settle();
	ck_assert_ptr_nonnull(strstr(told(&alice),
				     "! file to bob not sent, a: the file has become "
				     "shorter meanwhile\n"));
	ck_assert_ptr_nonnull(strstr(told(&bob), "! file from alice not received, a: the "
						 "file has become shorter meanwhile\n"));
}
END_TEST

START_TEST(changes)
{
	const char *path = make_file("a", 100000);
	FILE *f;

	ASK(alice, CLIENT_DO_SEND_FILE, path);
	settle();
	ck_assert_ptr_nonnull(f = fopen(path, "r+e"));
	fputs("something else", f);
	fclose(f);
	ASK(bob, CLIENT_DO_GET, "");
	settle();
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), "! file to bob not sent, a: the hash is wrong"));
	ck_assert_ptr_nonnull(
	    strstr(told(&bob), "! file from alice not received, a: the hash is wrong"));
	no_partials();
}
END_TEST

/* ---- a sender that lies ---- */

static void
lie(int32_t opcode, struct buf *data)
{
	ck_assert(transfer_input(bob.t, opcode, buf_span(data), now));
	buf_free(data);
}

static void
lie_first(uint32_t id, uint64_t size, struct span name, struct span hashed)
{
	struct relay_file_first m = {.id = id, .size = size, .name = name};
	struct buf data = BUF_INIT(65536);

	ck_assert_int_eq(sha256(&hashed, 1, m.hash), Q_OK);
	ck_assert_int_eq(relay_file_first_put(&data, &m), Q_OK);
	lie(RELAY_FILE_FIRST, &data);
}

static void
lie_part(int32_t opcode, uint32_t id, struct span bytes)
{
	struct relay_file_part m = {.id = id, .bytes = bytes};
	struct buf data = BUF_INIT(65536);

	ck_assert_int_eq(relay_file_part_put(&data, &m), Q_OK);
	lie(opcode, &data);
}

static const struct {
	const char *first, *last, *hashed; /* parts; first may be NULL */
	const char *reason;
} lies[] = {
    {"12345", "67890", "1234567890", NULL}, /* no lie */
    {"12345", "67890", "1234567891",
     "the hash is wrong: the file has changed while it "
     "was read, or somebody lies"},
    {"12345", "678", "12345678", "less came than was announced"},
    {NULL, "", "", "less came than was announced"},
    {"12345", "678901", "12345678901", "more came than was announced"},
    {"12345678901", "", "12345678901", "more came than was announced"},
};

START_TEST(liar)
{
	char want[256];

	lie_first(7, 10, span_str("a"), span_str(lies[_i].hashed));
	ASK(bob, CLIENT_DO_GET, "");
	told(&bob);
	/* Of another one, and of one that is over. */
	lie_part(RELAY_FILE_MIDDLE, 8, span_str("xxxxxxxxxxxxxxxx"));
	lie_part(RELAY_FILE_LAST, 6, span_str("xxxxxxxxxxxxxxxx"));
	TOLD(bob, "");
	if (lies[_i].first != NULL)
		lie_part(RELAY_FILE_MIDDLE, 7, span_str(lies[_i].first));
	lie_part(RELAY_FILE_LAST, 7, span_str(lies[_i].last));
	if (lies[_i].reason == NULL)
		snprintf(want, sizeof(want), "* stored from alice, 10 bytes: a\n");
	else
		snprintf(want, sizeof(want), "! file from alice not received, a: %s\n",
			 lies[_i].reason);
	TOLD(bob, want);
	no_partials();
	ck_assert_int_eq(access(at("a"), F_OK), lies[_i].reason == NULL ? 0 : -1);
	ck_assert_int_eq(bob.last, RELAY_FILE_WORD);
}
END_TEST

/* Parts of what was not accepted do nothing; a second offer is turned down. */
START_TEST(eager)
{
	lie_part(RELAY_FILE_MIDDLE, 1, span_str("xxx"));
	lie_first(1, 3, span_str("a"), span_str("xxx"));
	told(&bob);
	lie_part(RELAY_FILE_LAST, 1, span_str("xxx"));
	TOLD(bob, "");
	lie_first(2, 3, span_str("b"), span_str("xxx"));
	TOLD(bob, "");
	ASK(bob, CLIENT_DO_GET, "");
	TOLD(bob, "* receiving from alice, 3 bytes: a\n");
	lie_part(RELAY_FILE_LAST, 2, span_str("xxx"));
	TOLD(bob, "");
	lie_part(RELAY_FILE_LAST, 1, span_str("xxx"));
	TOLD(bob, "* stored from alice, 3 bytes: a\n");
}
END_TEST

/* Words about nothing, in every stage. */
START_TEST(words_out_of_turn)
{
	static const enum relay_file_says all[] = {RELAY_FILE_ACCEPT, RELAY_FILE_STORED,
						   RELAY_FILE_STOP, RELAY_FILE_REFUSE,
						   RELAY_FILE_WITHDRAW};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct relay_file_word w = {.id = 99, .says = all[i]};
		struct buf data = BUF_INIT(64);

		ck_assert_int_eq(relay_file_word_put(&data, &w), Q_OK);
		lie(RELAY_FILE_WORD, &data);
	}
	TOLD(bob, "");
	/* Stored, before it has all been sent: not believed. */
	go_to(ASKED);
	alice.queue.len = 0;
	{
		struct relay_file_word w = {.id = 1, .says = RELAY_FILE_STORED};
		struct buf data = BUF_INIT(64);

		told(&alice);
		ck_assert_int_eq(relay_file_word_put(&data, &w), Q_OK);
		ck_assert(transfer_input(alice.t, RELAY_FILE_WORD, buf_span(&data), now));
		buf_free(&data);
	}
	TOLD(alice, "");
	ck_assert_int_eq(alice.view.sending, CLIENT_TRANSFER_ASKED);
}
END_TEST

#define HASH32 "0123456789abcdef0123456789abcdef"
static const struct {
	int32_t opcode;
	size_t len;
	const char *data;
} broken[] = {
    {RELAY_FILE_FIRST, 0, ""},
    {RELAY_FILE_FIRST, 43, "\1\0\0\0\5\0\0\0\0\0\0\0" HASH32},
    {RELAY_FILE_FIRST, 44, "\1\0\0\0\5\0\0\0\0\0\0\x80" HASH32}, /* negative */
    {RELAY_FILE_MIDDLE, 3, "\1\0\0"},
    {RELAY_FILE_LAST, 0, ""},
    {RELAY_FILE_WORD, 4, "\1\0\0\0"},
    {RELAY_FILE_WORD, 5, "\1\0\0\0\0"},
    {RELAY_FILE_WORD, 5, "\1\0\0\0\6"},
    {349, 5, "\1\0\0\0\1"},
    {355, 5, "\1\0\0\0\1"},
};

START_TEST(broken_messages)
{
	ck_assert(!transfer_input(bob.t, broken[_i].opcode,
				  span_of(broken[_i].data, broken[_i].len), now));
	TOLD(bob, "");
}
END_TEST

/* Longer than there can be. */
START_TEST(long_messages)
{
	struct buf data = BUF_INIT(1 << 20);

	ck_assert_int_eq(buf_reserve(&data, 100000), Q_OK);
	memset(data.p, 1, 100000);
	le64_put(data.p + 4, 5);
	data.len = 44 + RELAY_FILE_NAME_MAX + 1;
	ck_assert(!transfer_input(bob.t, RELAY_FILE_FIRST, buf_span(&data), now));
	data.len = 4 + RELAY_FILE_CHUNK + 1;
	ck_assert(!transfer_input(bob.t, RELAY_FILE_MIDDLE, buf_span(&data), now));
	data.len = 5 + RELAY_FILE_REASON_MAX + 1;
	ck_assert(!transfer_input(bob.t, RELAY_FILE_WORD, buf_span(&data), now));
	buf_free(&data);
}
END_TEST

/* ---- names ---- */

static const struct {
	const char *called, *stored;
} names[] = {
    {"plain.txt", "plain.txt"},
    {"../../etc/passwd", "passwd"},
    {"/etc/passwd", "passwd"},
    {"..", "file-7"},
    {".", "file-7"},
    {"", "file-7"},
    {"/", "file-7"},
    {".bashrc", "bashrc"},
    {"-rf", "rf"},
    {"a b;c$(d)`e`.sh", "a_b_c__d__e_.sh"},
    {"a\nb\x1b[31m\r.txt", "a_b__31m_.txt"},
    {"\xe2\x80\xaegpj.exe", "_gpj.exe"},
    {"\xff\xfe", "__"},
    {"Z\xc3\xbcrich.pdf", "Z_rich.pdf"},
    {"a\\b:c*d?.txt", "a_b_c_d_.txt"},
    {".quintet-0123456789abcdef.part", "quintet-0123456789abcdef.part"},
};

START_TEST(hostile_names)
{
	lie_first(7, 1, span_str(names[_i].called), span_str("x"));
	ASK(bob, CLIENT_DO_GET, "");
	told(&bob);
	lie_part(RELAY_FILE_LAST, 7, span_str("x"));
	ck_assert_str_eq(strrchr(bob.path, '/') + 1, names[_i].stored);
	ck_assert_int_eq(unlink(at(names[_i].stored)), 0);
}
END_TEST

START_TEST(long_name)
{
	char called[RELAY_FILE_NAME_MAX];

	memset(called, 'x', sizeof(called));
	lie_first(7, 1, span_of(called, sizeof(called)), span_str("x"));
	ASK(bob, CLIENT_DO_GET, "");
	lie_part(RELAY_FILE_LAST, 7, span_str("x"));
	ck_assert_uint_eq(strlen(strrchr(bob.path, '/') + 1), 100);
}
END_TEST

/* Nothing is overwritten, links and folders neither. */
START_TEST(taken_names)
{
	static const char *const want[] = {"a.tar.gz", "a.tar-1.gz", "a.tar-4.gz",
					   "a.tar-5.gz"};

	ck_assert_int_eq(symlink("nowhere", at("a.tar-2.gz")), 0);
	ck_assert_int_eq(mkdir(at("a.tar-3.gz"), 0700), 0);
	for (uint32_t i = 0; i < 4; i++) {
		char text[2] = {(char)('0' + i), '\0'};
		struct buf content;

		lie_first(i, 1, span_str("a.tar.gz"), span_str(text));
		ASK(bob, CLIENT_DO_GET, "");
		lie_part(RELAY_FILE_LAST, i, span_str(text));
		ck_assert_str_eq(strrchr(bob.path, '/') + 1, want[i]);
		content = slurp(want[i]);
		ck_assert(span_eq(buf_span(&content), span_str(text)));
		buf_free(&content);
	}
	ck_assert_int_eq(access(at("nowhere"), F_OK), -1);
}
END_TEST

/* ---- the disk ---- */

/* More than there is room for, if the limit allows it: known before the first byte. */
START_TEST(disk_full)
{
	bob.login.file_max = UINT64_MAX;
	lie_first(1, (uint64_t)1 << 55, span_str("a"), span_str(""));
	told(&bob);
	ASK(bob, CLIENT_DO_GET, "");
	ck_assert_ptr_nonnull(strstr(told(&bob), "! file from alice not received, a: no "
						 "room for the file in "));
	ck_assert_int_eq(bob.view.receiving, CLIENT_TRANSFER_NONE);
	ck_assert_int_eq(bob.last, RELAY_FILE_WORD);
	no_partials();
}
END_TEST

/* It fills up in the middle, where nothing could be reserved. */
START_TEST(disk_fills)
{
	struct rlimit before, small;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	go_to(ASKED);
	ASK(bob, CLIENT_DO_GET, "");
	bob.held = 3;
	settle();
	bob.held = SIZE_MAX;
	small = before;
	small.rlim_cur = 200000;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	settle();
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), "! file to bob not sent, a: it cannot be stored\n"));
	ck_assert_ptr_nonnull(
	    strstr(told(&bob), "! file from alice not received, a: cannot write to "));
	no_partials();
}
END_TEST

START_TEST(no_folder)
{
	bob.login.downloads = "/proc/nonexistent/folder";
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 10));
	settle();
	ASK(bob, CLIENT_DO_GET, "");
	settle();
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), "! file to bob not sent, a: it cannot be stored\n"));
	ck_assert_ptr_nonnull(
	    strstr(told(&bob), "cannot open the folder /proc/nonexistent/folder: No such "
			       "file or directory\n"));
}
END_TEST

/* What a killed client left is swept away; what another one writes is not. */
START_TEST(sweeps)
{
	const char *left = at(".quintet-0000000000000000.part");
	const char *used = at(".quintet-1111111111111111.part");
	const char *other = at(".quintet-notes.part");
	int fd = open(used, O_WRONLY | O_CREAT, 0600);
	struct download d;
	struct why why;

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	close(open(left, O_WRONLY | O_CREAT, 0600));
	close(open(other, O_WRONLY | O_CREAT, 0600));
	ck_assert_int_eq(download_open(&d, tempdir, 10, &why), Q_OK);
	ck_assert_int_eq(access(left, F_OK), -1);
	ck_assert_int_eq(access(used, F_OK), 0);
	ck_assert_int_eq(access(other, F_OK), 0);
	ck_assert_int_eq(access(at(d.part), F_OK), 0);
	download_drop(&d);
	ck_assert_int_eq(access(at(d.part), F_OK), -1);
	download_drop(&d);
	close(fd);
	unlink(used);
	unlink(other);
}
END_TEST

START_TEST(folders)
{
	char out[DOWNLOAD_PATH];
	FILE *f;

	setenv("HOME", tempdir, 1);
	unsetenv("XDG_CONFIG_HOME");
	download_folder(out);
	ck_assert_str_eq(out, ".");
	ck_assert_int_eq(mkdir(at("Downloads"), 0700), 0);
	download_folder(out);
	ck_assert_str_eq(out, at("Downloads"));
	ck_assert_int_eq(mkdir(at(".config"), 0700), 0);
	ck_assert_int_eq(mkdir(at("Herunter geladen"), 0700), 0);
	ck_assert_ptr_nonnull(f = fopen(at(".config/user-dirs.dirs"), "we"));
	fputs("# a comment\nXDG_DESKTOP_DIR=\"$HOME/Desktop\"\n"
	      "XDG_DOWNLOAD_DIR=\"$HOME/Herunter geladen\"\n",
	      f);
	fclose(f);
	download_folder(out);
	ck_assert_str_eq(out, at("Herunter geladen"));
	ck_assert_int_eq(rmdir(at("Herunter geladen")), 0);
	download_folder(out);
	ck_assert_str_eq(out, at("Downloads"));
	unsetenv("HOME");
	download_folder(out);
	ck_assert_str_eq(out, ".");
}
END_TEST

#define LOOP(t, test, table) \
	tcase_add_loop_test(t, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

static Suite *
suite(void)
{
	Suite *s = suite_create("transfer_hostile");
	TCase *t = tcase_create("transfer_hostile");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, shrinks);
	tcase_add_test(t, changes);
	LOOP(t, liar, lies);
	tcase_add_test(t, eager);
	tcase_add_test(t, words_out_of_turn);
	LOOP(t, broken_messages, broken);
	tcase_add_test(t, long_messages);
	LOOP(t, hostile_names, names);
	tcase_add_test(t, long_name);
	tcase_add_test(t, taken_names);
	tcase_add_test(t, disk_full);
	tcase_add_test(t, disk_fills);
	tcase_add_test(t, no_folder);
	tcase_add_test(t, sweeps);
	tcase_add_test(t, folders);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
