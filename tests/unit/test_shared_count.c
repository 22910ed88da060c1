/* SPDX-License-Identifier: MIT
 *
 * How many messages a shared chat has and how many are new: the same as if all of the
 * file were read, in whatever order things happen, and at little cost.
 */
#include "tests/unit/shared_room.h"

#include <fcntl.h>

/* What somebody finds out who reads all of it. */
struct all_read {
	uint64_t alice, bob;
};

static bool
read_one(void *arg, const struct shared_message *m)
{
	struct all_read *r = arg;

	if (strcmp(m->from, "bob") == 0)
		r->bob++;
	else
		r->alice++;
	return true;
}

static struct all_read
read_all(void)
{
	struct all_read r = {0, 0};

	ck_assert_int_eq(shared_read(chat, 0, SIZE_MAX, read_one, &r), Q_OK);
	return r;
}

/* Alice is never in the room: all of bob's are new to her. */
static void
assert_as_read(void)
{
	struct all_read r = read_all();

	assert_counts("Alice", r.alice + r.bob, r.bob);
}

/* ---- one after the other ---- */

/* Nobody asks while messages come: it is all there afterwards. */
START_TEST(counted_late)
{
	say("Alice", 2500);
	say("bob", 100);
	again();
	say("bob", 7);
	assert_counts("alice", 2607, 107);
	again();
	assert_counts("bob", 2607, 2500);
}
END_TEST

/* The file is replaced every 1,024 messages, so that little is read after a restart. */
START_TEST(little_is_read)
{
	struct tally t;

	say("Alice", 5000);
	close_store();
	open_store();
	ck_assert_int_eq(tally_load(core.store, chat_id, &t), Q_OK);
	ck_assert_uint_gt(t.upto, 5000 - 1024);
	ck_assert_uint_eq(t.by[TALLY_MAKER], t.upto);
}
END_TEST

/* Make the last record of the log one that nobody can read. */
static void
spoil_the_last(void)
{
	int fd = open(at("d/messages/chat-1.log"), O_RDWR);
	off_t end = lseek(fd, 0, SEEK_END);

	ck_assert_int_gt(end, 10);
	ck_assert_int_eq(pwrite(fd, "????", 4, end - 8), 4);
	close(fd);
}

/* What an object has told itself it never reads, whenever somebody asks; with a tally's
 * file or without, and if it is dropped in between. */
START_TEST(what_was_told_is_not_read)
{
	say("Alice", 4);
	say("bob", 3);
	if (_i != 0)
		ck_assert_int_eq(shared_save(chat), Q_OK);
	shared_chat_unref(chat);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	say("bob", 2);
	spoil_the_last();
	say("Alice", 1);
	assert_counts("alice", 10, 5);
	ck_assert_int_eq(shared_save(chat), Q_OK);
	again();
	assert_counts("alice", 10, 5);
	/* The record is spoilt indeed. */
	close_store();
	ck_assert_int_eq(unlink(at("d/tallies/1")), 0);
	open_store();
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	assert_counts("alice", 9, 4);
}
END_TEST

/* A file that is gone, or ahead of the log, costs reading, and what it alone knew. */
START_TEST(lost_or_ahead)
{
	const struct tally ahead = {900, {500, 400}, {300, 5}};

	say("Alice", 10);
	(void)enter("bob");
	(void)leave("bob");
	say("Alice", 1);
	assert_counts("bob", 11, 1);
	close_store();
	ck_assert_int_eq(unlink(at("d/tallies/1")), 0);
	open_store();
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	assert_counts("bob", 11, 11);
	close_store();
	open_store();
	ck_assert_int_eq(tally_save(core.store, chat_id, &ahead), Q_OK);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	assert_counts("bob", 11, 6); /* five were seen */
	assert_counts("alice", 11, 0);
}
END_TEST

/* It is so even if the log has caught up with it by the time somebody asks. */
START_TEST(ahead_and_caught_up_with)
{
	const struct tally ahead = {13, {13, 0}, {0, 0}};

	say("bob", 10);
	close_store();
	open_store();
	ck_assert_int_eq(tally_save(core.store, chat_id, &ahead), Q_OK);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	say("bob", 10);
	assert_counts("alice", 20, 20);
}
END_TEST

/* A record that the queue knows nothing of: ids jump. */
static void
append_foreign(const char *from)
{
	struct record r = {.kind = "msg", .text = true, .data = span_str("x")};
	struct msglog *log;

	strcpy(r.from, from);
	ck_assert_int_eq(chats_open_log(core.chats, chat_id, &log), Q_OK);
	ck_assert_int_eq(msglog_append_rising(log, &r, 1), Q_OK);
	msglog_close(log);
}

/* Behind our back: what was seen stays seen, although nobody had written it down. */
START_TEST(ids_that_jump)
{
	say("Alice", 3);
	(void)enter("bob");
	(void)leave("bob");
	append_foreign("Alice");
	say("Alice", 1);
	append_foreign("bob");
	append_foreign("");
	say("bob", 1);
	assert_as_read();
	assert_counts("bob", 7, 2);
}
END_TEST

/* ---- any order ---- */

static void
open_again(const char *tally)
{
	const struct tally ahead = {5000, {3000, 2000}, {0, 0}};

	close_store();
	if (strcmp(tally, "lost") == 0)
		(void)unlink(at("d/tallies/1"));
	else if (strcmp(tally, "damaged") == 0 && exists("d/tallies/1"))
		spill("d/tallies/1", span_str("quintet-tally: 1\nupto: 3\n"));
	open_store();
	if (strcmp(tally, "ahead") == 0)
		ck_assert_int_eq(tally_save(core.store, chat_id, &ahead), Q_OK);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
}

static void
step(unsigned n, unsigned what)
{
	switch (what) {
	case 0:
	case 1:
	case 2: say("Alice", (int)n); break;
	case 3:
	case 4:
	case 5: say("bob", (int)n); break;
	case 6:
	case 7: assert_as_read(); break;
	case 8: ck_assert_int_eq(shared_save(chat), Q_OK); break;
	case 9:
		(void)enter("bob");
		say("Alice", (int)n);
		(void)leave("bob");
		break;
	case 10:
		append_foreign("bob");
		say("Alice", 1); /* by which it is noticed */
		break;
	case 11:
		shared_chat_unref(chat);
		ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
		break;
	case 12: open_again("whole"); break;
	case 13: open_again("lost"); break;
	case 14: open_again("damaged"); break;
	default: open_again("ahead"); break;
	}
}

#define WALKS 12

START_TEST(any_order)
{
	unsigned seed = 4711 + (unsigned)_i;

	for (int i = 0; i < 60; i++) {
		seed = seed * 1103515245 + 12345;
		step(1 + (seed >> 8) % 5, (seed >> 16) % 16);
	}
	assert_as_read();
	again();
	assert_as_read();
}
END_TEST

/* ---- many at once ---- */

#define ROUNDS 400

struct poster {
	pthread_t thread;
	const char *user;
	bool drops; /* it gives the chat back after each round */
};

static atomic_bool all_posted;

static void *
post_rounds(void *arg)
{
	const struct poster *who = arg;
	struct shared_chat *c;

	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &c), Q_OK);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct shared_post p[5];
		size_t n = 1 + i % 5;

		for (size_t k = 0; k < n; k++)
			p[k] = (struct shared_post){.text = span_str("hello")};
		ck_assert_int_eq(shared_post(core.shared, c, who->user, NULL, p, n),
				 Q_OK);
		if (!who->drops)
			continue;
		shared_chat_unref(c);
		ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &c), Q_OK);
	}
	shared_chat_unref(c);
	return NULL;
}

static void *
ask_on(void *arg)
{
	struct shared_count n;
	struct shared_chat *c;
	uint64_t before = 0;

	(void)arg;
	while (!all_posted) {
		ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &c), Q_OK);
		ck_assert_int_eq(shared_counts(c, "Alice", &n), Q_OK);
		ck_assert_uint_ge(n.all, before);
		ck_assert_uint_ge(n.all, n.fresh);
		ck_assert_uint_eq(n.all, n.upto);
		before = n.all;
		ck_assert_int_eq(shared_save(c), Q_OK);
		shared_chat_unref(c);
	}
	return NULL;
}

#define POSTERS 4
#define ASKERS  2

/* Each run begins with a chat that nobody has counted. */
START_TEST(counted_while_all_talk)
{
	struct poster poster[POSTERS];
	pthread_t asker[ASKERS];

	say("bob", 2000);
	close_store();
	(void)unlink(at("d/tallies/1"));
	open_store();
	all_posted = false;
	for (int i = 0; i < POSTERS; i++) {
		poster[i] =
		    (struct poster){.user = i % 2 ? "bob" : "Alice", .drops = _i != 0};
		ck_assert_int_eq(
		    pthread_create(&poster[i].thread, NULL, post_rounds, &poster[i]), 0);
	}
	for (int i = 0; i < ASKERS; i++)
		ck_assert_int_eq(pthread_create(&asker[i], NULL, ask_on, NULL), 0);
	for (int i = 0; i < POSTERS; i++)
		pthread_join(poster[i].thread, NULL);
	all_posted = true;
	for (int i = 0; i < ASKERS; i++)
		pthread_join(asker[i], NULL);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	ck_assert_uint_eq(read_all().alice, 2 * 3 * ROUNDS);
	ck_assert_uint_eq(read_all().bob, 2000 + 2 * 3 * ROUNDS);
	assert_as_read();
	again();
	assert_as_read();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("shared_count");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, make_chat, drop_chat);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, counted_late);
	tcase_add_test(t, little_is_read);
	tcase_add_loop_test(t, what_was_told_is_not_read, 0, 2);
	tcase_add_test(t, lost_or_ahead);
	tcase_add_test(t, ahead_and_caught_up_with);
	tcase_add_test(t, ids_that_jump);
	tcase_add_loop_test(t, any_order, 0, WALKS);
	tcase_add_loop_test(t, counted_while_all_talk, 0, 6);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
