/* SPDX-License-Identifier: MIT
 *
 * Media: what came goes out again, ids never come back, damage and half-written files
 * are seen, and "server check" sorts them out.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store/chats.h"
#include "store/check.h"
#include "store/media.h"
#include "tests/unit/said.h"
#include "tests/unit/tempdir.h"

static struct store *s;
static struct chats *chats;

static void
open_all(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct why why;

	opt.report = say;
	ck_assert_int_eq(store_open(at("d"), &opt, &s, &why), Q_OK);
	ck_assert_int_eq(chats_open(s, &chats), Q_OK);
}

static void
close_all(void)
{
	chats_close(chats);
	store_close(s);
}

/* Chats 1 (alice, bob) and 2 (alice, carol). */
static void
setup(void)
{
	struct chat_info info;

	tempdir_make();
	open_all();
	ck_assert_int_eq(chats_create(chats, "alice", "bob", 0, &info), Q_OK);
	ck_assert_int_eq(chats_create(chats, "alice", "carol", 0, &info), Q_OK);
	ck_assert_uint_eq(info.id, 2);
	said[0] = '\0';
}

static void
teardown(void)
{
	close_all();
	tempdir_remove();
}

static enum qerr
add_to(uint64_t chat, const char *content, uint64_t *id)
{
	struct media_info info = {.chat = chat, .type = "text/plain"};
	enum qerr e = media_add(s, &info, span_str(content));

	if (e == Q_OK)
		*id = info.id;
	return e;
}

static uint64_t
add(const char *content)
{
	uint64_t id = 0;

	ck_assert_int_eq(add_to(1, content, &id), Q_OK);
	return id;
}

static enum qerr
read_back(uint64_t id)
{
	struct buf b = BUF_INIT(1000);
	enum qerr e = media_read(s, id, &b);

	buf_free(&b);
	return e;
}

static void
flip(const char *file, size_t byte)
{
	struct buf b = slurp(file);

	b.p[byte] ^= 1;
	spill(file, buf_span(&b));
	buf_free(&b);
}

/* ---- the ordinary day ---- */

START_TEST(what_came_goes_out_again)
{
	static const struct {
		const char *type, *name;
	} cases[] = {{"image/png", "cat.png"},
		     {"", ""},
		     {"text/plain;charset=US-ASCII", "../../etc/passwd"},
		     {"x\ny", "\xc3\xa4\x01\\\r\n quite \"odd\""}};
	uint8_t content[700];

	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct media_info info = {.chat = 2}, back;
		struct buf b = BUF_INIT(1000);

		strcpy(info.type, cases[i].type);
		strcpy(info.name, cases[i].name);
		strcpy(info.kind, i % 2 == 0 ? "" : "image/png");
		ck_assert_int_eq(buf_put_str(&b, "before"), Q_OK);
		ck_assert_int_eq(media_add(s, &info, span_of(content, sizeof(content))),
				 Q_OK);
		ck_assert_uint_eq(info.id, i + 1);
		ck_assert_uint_eq(info.size, sizeof(content));
		ck_assert_int_eq(media_info(s, info.id, &back), Q_OK);
		ck_assert_uint_eq(back.id, info.id);
		ck_assert_uint_eq(back.chat, 2);
		ck_assert_uint_eq(back.size, sizeof(content));
		ck_assert_str_eq(back.type, cases[i].type);
		ck_assert_str_eq(back.name, cases[i].name);
		ck_assert_str_eq(back.kind, i % 2 == 0 ? "" : "image/png");
		ck_assert_int_eq(media_read(s, info.id, &b), Q_OK);
		ck_assert_uint_eq(b.len, 6 + sizeof(content));
		ck_assert_mem_eq(b.p + 6, content, sizeof(content));
		buf_free(&b);
	}
	ck_assert_int_eq(count_names("d/media", ""), 8);
	ck_assert(exists("d/media/1") && exists("d/media/1.info"));
}
END_TEST

START_TEST(limits)
{
	static uint8_t much[MEDIA_SIZE_MAX + 1];
	struct media_info info = {.chat = 1};
	struct buf small = BUF_INIT(4), large = BUF_INIT(MEDIA_SIZE_MAX);

	ck_assert_int_eq(media_add(s, &info, span_of(much, 0)), Q_LIMIT);
	ck_assert_int_eq(media_add(s, &info, span_of(much, sizeof(much))), Q_LIMIT);
	strcpy(info.name, "\xff");
	ck_assert_int_eq(media_add(s, &info, span_of(much, 1)), Q_FORMAT);
	info = (struct media_info){.chat = 0};
	ck_assert_int_eq(media_add(s, &info, span_of(much, 1)), Q_FORMAT);
	ck_assert_uint_eq(info.id, 0);
	ck_assert_int_eq(count_names("d/media", ""), 0);
	/* Every byte a name may have, written as four. */
	info.chat = 1;
	memset(info.name, 1, MEDIA_NAME_MAX);
	memset(info.type, 1, MEDIA_TYPE_MAX);
	ck_assert_int_eq(media_add(s, &info, span_of(much, MEDIA_SIZE_MAX)), Q_OK);
	ck_assert_int_eq(media_read(s, info.id, &large), Q_OK);
	ck_assert_uint_eq(large.len, MEDIA_SIZE_MAX);
	ck_assert_int_eq(media_read(s, info.id, &small), Q_LIMIT);
	ck_assert_uint_eq(small.len, 0);
	ck_assert_int_eq(media_read(s, 4711, &small), Q_MISSING);
	ck_assert_int_eq(media_info(s, 4711, &info), Q_MISSING);
	buf_free(&large);
	buf_free(&small);
}
END_TEST

START_TEST(removing)
{
	uint64_t a = add("one"), b = add("two"), c;

	ck_assert_int_eq(add_to(2, "three", &c), Q_OK);
	ck_assert_int_eq(media_remove(s, a), Q_OK);
	ck_assert_int_eq(media_remove(s, a), Q_MISSING);
	ck_assert_int_eq(read_back(a), Q_MISSING);
	spill("d/media/99.info",
	      span_str("rubbish")); /* does not keep it from the rest */
	ck_assert_int_eq(media_remove_chat(s, 1), Q_OK);
	ck_assert_int_eq(media_remove_chat(s, 1), Q_OK);
	ck_assert_int_eq(read_back(b), Q_MISSING);
	ck_assert_int_eq(read_back(c), Q_OK);
	ck_assert_int_eq(count_names("d/media", ""), 3);
}
END_TEST

START_TEST(a_chat_takes_its_media_with_it)
{
	uint64_t a = add("one"), b;

	ck_assert_int_eq(add_to(2, "two", &b), Q_OK);
	ck_assert_int_eq(chats_delete(chats, 1), Q_OK);
	ck_assert_int_eq(read_back(a), Q_MISSING);
	ck_assert_int_eq(read_back(b), Q_OK);
}
END_TEST

/* ---- ids ---- */

START_TEST(ids_never_come_back)
{
	uint64_t last = 0, id;

	for (int run = 0; run < 3; run++) {
		for (int i = 0; i < 60; i++) {
			id = add("x");
			ck_assert_uint_gt(id, last);
			last = id;
			ck_assert_int_eq(media_remove(s, id), Q_OK);
		}
		close_all();
		open_all();
	}
}
END_TEST

/* The number of the last one that the child had, before it was killed. */
static uint64_t
add_until_killed(void)
{
	uint64_t last = 0, id;
	int fd[2];
	pid_t child;

	close_all();
	ck_assert_int_eq(pipe(fd), 0);
	if ((child = fork()) == 0) {
		open_all();
		for (;;) {
			id = add("x");
			(void)media_remove(s, id);
			(void)!write(fd[1], &id, sizeof(id));
		}
	}
	close(fd[1]);
	for (int i = 0; i < 150; i++)
		ck_assert_int_eq(read(fd[0], &last, sizeof(last)), sizeof(last));
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	while (read(fd[0], &id, sizeof(id)) == sizeof(id))
		last = id;
	close(fd[0]);
	open_all();
	return last;
}

START_TEST(ids_after_a_kill)
{
	uint64_t last = add_until_killed(), id = add("next");

	ck_assert_uint_gt(id, last);
	ck_assert_uint_gt(add_until_killed(), id);
	ck_assert_uint_le(id, last + 101); /* a block is lost, no more */
}
END_TEST

START_TEST(ids_when_the_number_is_lost)
{
	static const char *const numbers[] = {"",
					      "x\n",
					      "7",
					      "-1\n",
					      "007\n",
					      "99999999999999999999\n",
					      "12345678901234567890123456789012\n"};
	uint64_t last = add("x");

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		close_all();
		said[0] = '\0';
		spill("d/server/media-ids", span_str(numbers[i]));
		open_all();
		ck_assert_uint_gt(add("y"), last + 900); /* the last ones may be gone */
		ASSERT_SAID("server/media-ids: damaged; moved to bad/");
	}
	last = add("z");
	close_all();
	spill("d/server/media-ids", span_str("2\n")); /* an old backup's */
	open_all();
	ck_assert_uint_gt(add("y"), last);
	close_all();
	ck_assert_int_eq(unlink(at("d/server/media-ids")), 0);
	open_all();
	ck_assert_uint_gt(add("y"), last + 900);
	close_all();
	spill("d/server/media-ids", span_str("9223372036854775800\n"));
	open_all();
	ck_assert_int_eq(add_to(1, "y", &last), Q_LIMIT);
}
END_TEST

/* Files that somebody put where the next ones would go are not written over. */
START_TEST(ids_that_are_taken)
{
	uint64_t id = add("x");

	spill("d/media/2", span_str("bytes alone"));
	spill("d/media/3.info", span_str("info alone"));
	id = add("y");
	ck_assert_uint_eq(id, 4);
	ck_assert_int_eq(read_back(id), Q_OK);
	ck_assert(!exists("d/media/2.info") && !exists("d/media/3"));
}
END_TEST

static void *
add_some(void *arg)
{
	uint64_t *ids = arg;

	for (int i = 0; i < 60; i++)
		ids[i] = add("from many");
	return NULL;
}

START_TEST(many_at_once)
{
	static uint64_t ids[4][60];
	bool seen[300] = {false};
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, add_some, ids[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 240; i++) {
		uint64_t id = ids[i / 60][i % 60];

		ck_assert_uint_lt(id, 300);
		ck_assert(!seen[id]);
		seen[id] = true;
		ck_assert_int_eq(read_back(id), Q_OK);
	}
}
END_TEST

/* ---- trouble ---- */

START_TEST(full_disk)
{
	static const char text[] = "longer than the bytes, and shorter than the info";
	/* Full at the bytes, at the .info, and at the number. */
	static const rlim_t sizes[] = {10, 60, 2};
	uint64_t id = 0, first = add("x");

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i] == 2) {
			close_all();
			open_all();
		}
		limit_files(sizes[i]);
		ck_assert_int_ne(add_to(1, text, &id), Q_OK);
		ck_assert_uint_eq(id, 0);
		limit_files(RLIM_INFINITY);
		ck_assert_int_eq(count_names("d/media", ""), 2);
	}
	ck_assert_uint_gt(add(text), first);
}
END_TEST

START_TEST(damage_is_seen)
{
	uint64_t id = add("some bytes");
	struct buf info;
	struct media_info m;

	flip("d/media/1", 3);
	ck_assert_int_eq(read_back(id), Q_FORMAT);
	ASSERT_SAID("media/1: damaged");
	ck_assert_int_eq(media_info(s, id, &m), Q_OK);
	spill("d/media/1", span_str("some byte"));
	ck_assert_int_eq(read_back(id), Q_FORMAT);
	spill("d/media/1", span_str("some bytes!"));
	ck_assert_int_eq(read_back(id), Q_FORMAT);
	spill("d/media/1", span_str("some bytes"));
	ck_assert_int_eq(read_back(id), Q_OK);
	info = slurp("d/media/1.info");
	for (size_t i = 0; i < info.len; i++) {
		flip("d/media/1.info", i);
		ck_assert_int_eq(media_info(s, id, &m), Q_FORMAT);
		spill("d/media/1.info", buf_span(&info));
		said[0] = '\0';
	}
	for (size_t len = 0; len < info.len; len++) {
		spill("d/media/1.info", span_of(info.p, len));
		ck_assert_int_eq(read_back(id), Q_FORMAT);
		ASSERT_SAID("media/1.info: damaged");
		said[0] = '\0';
	}
	buf_free(&info);
	ck_assert_int_eq(unlink(at("d/media/1")), 0);
	ck_assert_int_eq(unlink(at("d/media/1.info")), 0);
	ck_assert_int_eq(read_back(id), Q_MISSING);
}
END_TEST

/* ---- server check ---- */

static struct check_result
check(bool repair)
{
	struct check_result r;

	said[0] = '\0';
	ck_assert_int_eq(store_check(s, repair, say, NULL, &r), Q_OK);
	return r;
}

START_TEST(check_finds_nothing)
{
	struct check_result r;

	add("one");
	add("two");
	r = check(true);
	ck_assert_uint_eq(r.problems, 0);
	ck_assert_uint_eq(r.media, 2);
}
END_TEST

START_TEST(check_and_repair)
{
	uint64_t gone = 0;
	struct check_result r;

	for (int i = 0; i < 4; i++)
		add("content");
	ck_assert_int_eq(add_to(77, "no such chat", &gone), Q_OK);
	close_all();
	open_all();
	flip("d/media/1", 0);
	flip("d/media/2.info", 30);
	ck_assert_int_eq(unlink(at("d/media/3")), 0);
	spill("d/media/6", span_str("interrupted"));
	spill("d/media/007", span_str("not ours"));
	spill("d/media/8.info2", span_str("not ours"));
	r = check(false);
	ck_assert_uint_eq(r.problems, 7);
	ck_assert_uint_eq(r.repaired, 0);
	ck_assert_uint_eq(r.media, 1);
	ASSERT_SAID("media/1: damaged");
	ASSERT_SAID("media/2.info: damaged");
	ASSERT_SAID("media/3.info: has no bytes beside it");
	ASSERT_SAID("media/5.info: belongs to no chat");
	ASSERT_SAID("media/6: was never finished: it has no .info");
	ASSERT_SAID("media/007: is not named as media");
	ASSERT_SAID("media/8.info2: is not named as media");
	r = check(true);
	ck_assert_uint_eq(r.problems, 10); /* three of them with what is beside them */
	ck_assert_uint_eq(r.repaired, 10);
	ck_assert_int_eq(count_names("d/media", ""), 2);
	ck_assert_int_eq(count_names("d/bad", "media"), 10);
	r = check(false);
	ck_assert_uint_eq(r.problems, 0);
	ck_assert_uint_eq(r.media, 1);
}
END_TEST

/* While a server runs, bytes without an .info may be an add that is under way. */
START_TEST(check_leaves_an_add_alone)
{
	add("x");
	add("y");
	ck_assert_int_eq(unlink(at("d/media/2.info")), 0);
	ck_assert_uint_eq(check(true).problems, 0);
	close_all();
	open_all();
	ck_assert_uint_eq(check(true).problems, 1);
}
END_TEST

/* ---- small pictures ---- */

START_TEST(small_pictures)
{
	static uint8_t large[MEDIA_THUMB_MAX + 1];
	struct buf b = BUF_INIT(MEDIA_THUMB_MAX);
	struct check_result r;
	uint64_t id = add("cat"), other;

	ck_assert_int_eq(media_thumb_read(s, id, &b), Q_MISSING);
	ck_assert_int_eq(media_thumb_add(s, id, span_of(large, sizeof(large))), Q_LIMIT);
	ck_assert_int_eq(media_thumb_add(s, id, span_str("small cat")), Q_OK);
	ck_assert_int_eq(media_thumb_add(s, id, span_str("other cat")), Q_EXISTS);
	ck_assert_int_eq(media_thumb_read(s, id, &b), Q_OK);
	ck_assert(span_eq(buf_span(&b), span_str("small cat")));
	ck_assert_int_eq(store_check(s, false, say, NULL, &r), Q_OK);
	ck_assert_msg(r.problems == 0, "%s", said);
	ck_assert_int_eq(media_remove(s, id), Q_OK);
	ck_assert_int_eq(count_names("d/media", ""), 0);
	/* Media that are gone get none. */
	ck_assert_int_eq(media_thumb_add(s, id, span_str("late")), Q_MISSING);
	ck_assert_int_eq(count_names("d/media", ""), 0);
	/* An empty one says that none can be made, and a chat takes them along. */
	id = add("text");
	ck_assert_int_eq(media_thumb_add(s, id, span_str("")), Q_OK);
	b.len = 0;
	ck_assert_int_eq(media_thumb_read(s, id, &b), Q_OK);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_int_eq(add_to(2, "dog", &other), Q_OK);
	ck_assert_int_eq(media_thumb_add(s, other, span_str("small dog")), Q_OK);
	ck_assert_int_eq(media_remove_chat(s, 1), Q_OK);
	ck_assert_int_eq(count_names("d/media", ""), 3);
	spill("d/media/77.thumb", span_str("x"));
	ck_assert_int_eq(store_check(s, true, say, NULL, &r), Q_OK);
	ck_assert_uint_eq(r.repaired, 1);
	ASSERT_SAID("media/77.thumb: belongs to no media");
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("media");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, what_came_goes_out_again);
	tcase_add_test(t, limits);
	tcase_add_test(t, removing);
	tcase_add_test(t, a_chat_takes_its_media_with_it);
	tcase_add_test(t, ids_never_come_back);
	tcase_add_test(t, ids_after_a_kill);
	tcase_add_test(t, ids_when_the_number_is_lost);
	tcase_add_test(t, ids_that_are_taken);
	tcase_add_test(t, many_at_once);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, damage_is_seen);
	tcase_add_test(t, check_finds_nothing);
	tcase_add_test(t, check_and_repair);
	tcase_add_test(t, check_leaves_an_add_alone);
	tcase_add_test(t, small_pictures);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
