/* SPDX-License-Identifier: MIT
 *
 * Shared chats: who is told what, in which order, whatever the clock, the disk and
 * other threads do.
 */
#include "tests/unit/shared_listener.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "store/msglog.h"

#define T0 1763000000000

/* A clock that shows what the test says, and a disk that fails: these stand before the
 * C library's. */
static _Atomic int64_t wall_ms;
static atomic_bool disk_fails;

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != CLOCK_REALTIME || wall_ms == 0)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = (time_t)(wall_ms / 1000);
	ts->tv_nsec = (long)(wall_ms % 1000 * 1000000);
	return 0;
}

int
fdatasync(int fd)
{
	if (!disk_fails)
		return (int)syscall(SYS_fdatasync, fd);
	errno = EIO;
	return -1;
}

static void
end(void)
{
	teardown();
	wall_ms = 0;
	disk_fails = false;
}

struct page {
	size_t n, stop_after;
	struct shared_message m[8]; /* texts are not kept */
	char text[8][32];
};

static bool
turn(void *arg, const struct shared_message *m)
{
	struct page *p = arg;

	ck_assert_uint_lt(p->n, 8);
	p->m[p->n] = *m;
	snprintf(p->text[p->n], sizeof(p->text[0]), "%.*s", (int)m->text.len,
		 (const char *)m->text.p);
	return ++p->n != p->stop_after;
}

static struct page
read_page(uint64_t after, size_t max, size_t stop_after)
{
	struct page p = {.stop_after = stop_after};

	ck_assert_int_eq(shared_read(chat, after, max, turn, &p), Q_OK);
	return p;
}

/* ---- the ordinary day ---- */

START_TEST(the_chat_and_its_members)
{
	struct shared_chat *same, *none = NULL;

	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &same), Q_OK);
	ck_assert_ptr_eq(same, chat);
	ck_assert_ptr_eq(shared_chat_ref(same), chat);
	shared_chat_unref(same);
	shared_chat_unref(same);
	shared_chat_unref(NULL);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id + 1, &none), Q_MISSING);
	ck_assert_ptr_null(none);
	ck_assert_uint_eq(shared_chat_info(chat)->id, chat_id);
	ck_assert(shared_chat_member(chat, "alice"));
	ck_assert(shared_chat_member(chat, "BOB"));
	ck_assert(!shared_chat_member(chat, "carol"));
	ck_assert_str_eq(shared_chat_partner(chat, "ALICE"), "bob");
	ck_assert_str_eq(shared_chat_partner(chat, "bob"), "Alice");
}
END_TEST

START_TEST(both_members_hear_it_and_the_sender_knows_itself)
{
	struct shared_post p[3] = {{.text = span_str("one\ntwo\r\t\\")},
				   {.text = span_str(""), .media_id = 12},
				   {.text = span_str("look here"), .media_id = 77}};
	struct listener here, there, carol;

	join(&here, "Alice");
	join(&there, "Alice");
	join(&carol, "carol");
	ck_assert_int_eq(shared_post(core.shared, chat, "Alice", here.session, p, 0),
			 Q_OK);
	ck_assert_int_eq(shared_post(core.shared, chat, "Alice", here.session, p, 3),
			 Q_OK);
	ck_assert_uint_eq(p[0].id, 1);
	ck_assert_uint_eq(p[2].id, 3);
	ck_assert_int_gt(p[0].time_ms, T0);
	ck_assert_uint_eq(here.events + carol.events + carol.own, 0);
	ck_assert_uint_eq(here.own, 1);
	ck_assert_uint_eq(there.own + bob.own, 0);
	ck_assert_uint_eq(there.events, 1); /* the batch is one event */
	ck_assert_uint_eq(there.messages, 3);
	ck_assert_uint_eq(bob.messages, 3);
	ck_assert_uint_eq(bob.last_id, 3);
	ck_assert_int_eq(bob.last_ms, p[2].time_ms);
	ck_assert_uint_eq(bob.media_id, 77);
	ck_assert_str_eq(bob.from, "Alice");
	ck_assert_str_eq(bob.text, "look here");
	session_end(there.session, GOODBYE_SELF, NULL);
	ck_assert_int_eq(say("four"), Q_OK);
	ck_assert_uint_eq(there.messages, 3); /* it has ended */
	ck_assert_uint_eq(here.messages, 1);
	leave(&here);
	leave(&there);
	leave(&carol);
}
END_TEST

START_TEST(what_was_said_is_read_back)
{
	struct shared_post p[3] = {{.text = span_str("one\ntwo\r\t\\")},
				   {.text = span_str(""), .media_id = 12},
				   {.text = span_str("look here"), .media_id = 77}};
	uint64_t id;
	struct page page;

	ck_assert_int_eq(shared_last(chat, &id), Q_OK);
	ck_assert_uint_eq(id, 0);
	ck_assert_int_eq(shared_post(core.shared, chat, "bob", NULL, p, 3), Q_OK);
	page = read_page(0, 8, 0);
	ck_assert_uint_eq(page.n, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(page.m[i].id, p[i].id);
		ck_assert_int_eq(page.m[i].time_ms, p[i].time_ms);
		ck_assert_uint_eq(page.m[i].media_id, p[i].media_id);
		ck_assert_str_eq(page.m[i].from, "bob");
		ck_assert_uint_eq(page.m[i].text.len, p[i].text.len);
	}
	ck_assert_str_eq(page.text[0], "one\ntwo\r\t\\");
	ck_assert_str_eq(page.text[2], "look here");
	ck_assert_uint_eq(read_page(0, 0, 0).n, 0);
	ck_assert_uint_eq(read_page(0, 2, 0).n, 2);
	ck_assert_uint_eq(read_page(0, 8, 1).n, 1);
	ck_assert_uint_eq(read_page(2, 8, 0).m[0].id, 3);
	ck_assert_int_eq(shared_last(chat, &id), Q_OK);
	ck_assert_uint_eq(id, 3);
	ck_assert_int_eq(shared_id_at(chat, p[1].time_ms, &id), Q_OK);
	ck_assert_uint_eq(id, 2);
	ck_assert_int_eq(shared_id_at(chat, p[0].time_ms - 1, &id), Q_OK);
	ck_assert_uint_eq(id, 0);
}
END_TEST

/* What somebody else put into the file is no message, and holds up nobody. */
START_TEST(foreign_records)
{
	struct record r[] = {
	    {.kind = "msg", .from = "bob", .text = false, .data = span_str("x")},
	    {.kind = "msg", .text = true, .data = span_str("from nobody")},
	    {.kind = "media", .from = "bob", .text = true, .data = span_str("12")},
	    {.kind = "media", .from = "bob", .text = true, .data = span_str("0 x")},
	    {.kind = "media", .from = "bob", .text = true, .data = span_str("x y")},
	    {.kind = "media", .from = "bob", .text = true, .data = span_str("")},
	    {.kind = "relay", .from = "bob", .text = true, .data = span_str("x")}};
	const size_t n = sizeof(r) / sizeof(r[0]);
	struct shared_message m;
	struct msglog *log;
	struct page page;

	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(shared_message_parse(&r[i], &m), Q_FORMAT);
	ck_assert_int_eq(say("first"), Q_OK);
	ck_assert_int_eq(chats_open_log(core.chats, chat_id, &log), Q_OK);
	ck_assert_int_eq(msglog_append(log, r, n), Q_OK);
	msglog_close(log);
	bob.last_id = 0; /* ids jump, behind the queue's back */
	ck_assert_int_eq(say("second"), Q_OK);
	ck_assert_str_eq(bob.text, "second");
	page = read_page(0, 2, 0);
	ck_assert_uint_eq(page.n, 2);
	ck_assert_uint_eq(page.m[1].id, 1 + n + 1);
}
END_TEST

START_TEST(a_bad_text_spoils_its_batch_only)
{
	struct shared_post p[2] = {{.text = span_str("good")},
				   {.text = span_str("bad\xff")}};

	ck_assert_int_eq(shared_post(core.shared, chat, "Alice", NULL, p, 2), Q_FORMAT);
	ck_assert_uint_eq(p[0].id, 0);
	ck_assert_uint_eq(bob.events, 0);
	p[1].text = span_of("", (size_t)RECORD_LINE_MAX + 1);
	p[1].media_id = 1;
	ck_assert_int_eq(shared_post(core.shared, chat, "Alice", NULL, p, 2), Q_LIMIT);
	ck_assert_int_eq(say("next"), Q_OK);
	ck_assert_uint_eq(bob.last_id, 1);
}
END_TEST

/* ---- time ---- */

START_TEST(times_rise_whatever_the_clock_does)
{
	uint64_t id;

	wall_ms = T0;
	ck_assert_int_eq(say("one"), Q_OK);
	ck_assert_int_eq(bob.last_ms, T0);
	ck_assert_int_eq(say("it stands"), Q_OK);
	ck_assert_int_eq(bob.last_ms, T0 + 1);
	close_store();
	wall_ms = T0 - 3600000;
	open_store();
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	ck_assert_int_eq(say("an hour back, after a restart"), Q_OK);
	ck_assert_int_eq(bob.last_ms, T0 + 2);
	ck_assert_int_eq(shared_id_at(chat, T0 + 1, &id), Q_OK);
	ck_assert_uint_eq(id, 2);
	ck_assert(!bob.disorder);
}
END_TEST

/* ---- many at once ---- */

static void *
post_rounds(void *arg)
{
	struct poster *who = arg;
	struct shared_chat *c = NULL;

	for (unsigned i = 0; i < who->rounds; i++) {
		struct shared_post p[5];
		size_t n = 1 + i % 5;

		for (size_t k = 0; k < n; k++)
			p[k] = (struct shared_post){.text = span_str("hello")};
		/* The chat comes and goes, as with sessions that do. */
		if (shared_chat_get(core.shared, chat_id, &c) != Q_OK)
			break;
		who->last = shared_post(core.shared, c, who->user, NULL, p, n);
		shared_chat_unref(c);
		if (who->last != Q_OK)
			break;
		who->said += n;
	}
	return NULL;
}

static size_t
post_at_once(unsigned rounds)
{
	struct poster who[POSTERS];
	size_t said = 0;

	shared_chat_unref(chat);
	chat = NULL;
	for (int i = 0; i < POSTERS; i++) {
		who[i] =
		    (struct poster){.user = i % 2 ? "bob" : "Alice", .rounds = rounds};
		ck_assert_int_eq(
		    pthread_create(&who[i].thread, NULL, post_rounds, &who[i]), 0);
	}
	for (int i = 0; i < POSTERS; i++) {
		pthread_join(who[i].thread, NULL);
		ck_assert_int_eq(who[i].last, Q_OK);
		said += who[i].said;
	}
	return said;
}

START_TEST(everybody_is_told_in_the_order_of_the_file)
{
	struct listener alice;
	size_t said;

	options.durability = _i == 0 ? STORE_INTERVAL : STORE_ALWAYS;
	store_set_durability(core.store, options.durability, 1000);
	join(&alice, "Alice");
	said = post_at_once(_i == 0 ? 400 : 40);
	ck_assert(!bob.disorder && !alice.disorder);
	ck_assert_uint_eq(bob.messages, said);
	ck_assert_uint_eq(alice.messages, said);
	ck_assert_uint_eq(bob.last_id, said);
	leave(&alice);
}
END_TEST

/* ---- the disk ---- */

START_TEST(full_disk)
{
	uint64_t id;

	ck_assert_int_eq(say("one"), Q_OK);
	limit_files(100); /* half of a second one would fit */
	ck_assert_int_ne(say("two"), Q_OK);
	ck_assert_int_ne(shared_delete(core.shared, chat, NULL), Q_OK);
	ck_assert_uint_eq(bob.messages, 1);
	ck_assert(!bob.deleted);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(shared_last(chat, &id), Q_OK);
	ck_assert_uint_eq(id, 1);
	ck_assert_int_eq(say("three"), Q_OK);
	ck_assert_uint_eq(bob.last_id, 2);
	ck_assert(!bob.disorder);
}
END_TEST

/* In the file, and nobody knows for how long: told, and the sender warned. */
START_TEST(a_sync_that_fails)
{
	struct shared_post p = {.text = span_str("in doubt")};

	store_set_durability(core.store, STORE_ALWAYS, 1000);
	ck_assert_int_eq(say("one"), Q_OK);
	disk_fails = true;
	ck_assert_int_eq(shared_post(core.shared, chat, "Alice", NULL, &p, 1), Q_SYS);
	ck_assert_uint_eq(p.id, 2);
	ck_assert_str_eq(bob.text, "in doubt");
	disk_fails = false;
	ck_assert_int_eq(say("three"), Q_OK);
	ck_assert_uint_eq(bob.messages, 3);
	ck_assert(!bob.disorder);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("shared");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, end);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, the_chat_and_its_members);
	tcase_add_test(t, both_members_hear_it_and_the_sender_knows_itself);
	tcase_add_test(t, what_was_said_is_read_back);
	tcase_add_test(t, foreign_records);
	tcase_add_test(t, a_bad_text_spoils_its_batch_only);
	tcase_add_test(t, times_rise_whatever_the_clock_does);
	tcase_add_loop_test(t, everybody_is_told_in_the_order_of_the_file, 0, 2);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, a_sync_that_fails);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
