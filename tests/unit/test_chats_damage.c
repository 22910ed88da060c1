/* SPDX-License-Identifier: MIT
 *
 * The journal of the chats: torn, damaged, with events that make no sense; what "server
 * check" says of it.
 */
#include "tests/unit/chats_store.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "store/journal.h"
#include "store/media.h"
#include "store/tally.h"

/* ---- damage ---- */

START_TEST(torn_end)
{
	struct buf b;
	uint64_t kept = create("alice", "bob");
	struct chat_info info;

	create("alice", "carol");
	close_all();
	b = slurp(JOURNAL);
	b.len -= 3;
	spill(JOURNAL, buf_span(&b));
	buf_free(&b);
	told[0] = '\0';
	open_all();
	ASSERT_TOLD("chats/pairs.log: a torn end");
	ck_assert_int_eq(chats_get(c, kept, &info), Q_OK);
	ck_assert_uint_eq(count_of("alice"), 1);
	ck_assert_int_eq(count_names("d/bad", "chats-pairs"), 1);
	create("alice", "carol");
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_uint_eq(count_of("alice"), 2);
}
END_TEST

START_TEST(lost_ids_are_not_given_again)
{
	create("alice", "bob");
	write_log(create("alice", "carol"));
	write_log(create("alice", "dora"));
	close_all();
	drop_last_line();
	drop_last_line();
	open_all();
	ck_assert_uint_eq(create("eve", "fred"), 4);
}
END_TEST

START_TEST(flipped_byte)
{
	struct chat_info info;

	create("alice", "bob");
	create("alice", "carol");
	create("alice", "dora");
	damage_line(1);
	reopen();
	ASSERT_TOLD("chats/pairs.log: 1 damaged line was passed over");
	ck_assert_uint_eq(count_of("alice"), 2);
	ck_assert_int_eq(chats_get(c, 2, &info), Q_MISSING);
	ck_assert_uint_eq(create("alice", "carol"), 4);
}
END_TEST

/* create 1, delete 1, cleared 1, create 2 of the same pair: each line damaged. */
START_TEST(what_other_lines_prove)
{
	struct chat_info info;

	write_log(create("alice", "bob"));
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	create("alice", "bob");
	damage_line(_i);
	reopen();
	ASSERT_TOLD(_i == 3 ? "a torn end" : "damaged line");
	ck_assert_int_eq(chats_get(c, 1, &info), Q_MISSING);
	ck_assert_int_eq(chats_find(c, "alice", "bob", 0, &info),
			 _i == 3 ? Q_MISSING : Q_OK);
	ck_assert_uint_eq(count_of("bob"), _i == 3 ? 0 : 1);
	reopen();
	ck_assert_uint_eq(count_of("bob"), _i == 3 ? 0 : 1);
}
END_TEST

/* create 1, gone alice, create 2 of another alice: without the second line the first
 * chat has ended somehow.  Nobody finds it, and what was said in it stays. */
START_TEST(not_taken_for_deleted)
{
	struct chat_info info;

	write_log(create("alice", "bob"));
	ck_assert_int_eq(chats_forget(c, "alice"), Q_OK);
	write_log(create("alice", "bob"));
	damage_line(1);
	reopen();
	ASSERT_TOLD("damaged line");
	ASSERT_TOLD("1 events do not fit");
	ck_assert_int_eq(chats_get(c, 1, &info), Q_MISSING);
	ck_assert_int_eq(chats_delete(c, 1), Q_MISSING);
	ck_assert_int_eq(chats_find(c, "alice", "bob", 0, &info), Q_OK);
	ck_assert_uint_eq(info.id, 2);
	ck_assert_uint_eq(count_of("bob"), 1);
	ck_assert(exists("d/messages/chat-1.log"));
	ck_assert_uint_eq(check(false).problems, 2);
	ASSERT_SAID("messages/chat-1.log: belongs to no chat");
	(void)check(true);
	ck_assert_int_eq(count_names("d/bad", "messages-chat-1"), 1);
	ck_assert(exists("d/messages/chat-2.log"));
	ck_assert_uint_eq(check(true).problems, 0);
}
END_TEST

/* The same, and bob has deleted it before. */
START_TEST(but_deleted_later)
{
	struct chat_info info;

	write_log(create("alice", "bob"));
	ck_assert_int_eq(chats_forget(c, "alice"), Q_OK);
	create("alice", "bob");
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	close_all();
	if (_i == 1) {
		drop_last_line(); /* "cleared" */
		spill("d/messages/chat-1.log", span_str("what a kill has left"));
	}
	damage_line(1);
	open_all();
	ck_assert(!exists("d/messages/chat-1.log"));
	ck_assert_int_eq(chats_get(c, 1, &info), Q_MISSING);
	ck_assert_uint_eq(count_of("bob"), 1);
}
END_TEST

static const struct {
	const char *kind, *from, *to, *data;
} odd_events[] = {
    {"create", "alice", "bob", "1"},
    {"create", "alice", "bob", "1 0 0"},
    {"create", "alice", "bob", "0 0"},
    {"create", "alice", "bob", "x 0"},
    {"create", "alice", "ALICE", "1 0"},
    {"create", "", "bob", "1 0"},
    {"create", "alice", "", "1 0"},
    {"create", "alice", "bob", ""},
    {"delete", "alice", "bob", "9"},
    {"delete", "alice", "bob", ""},
    {"cleared", "alice", "bob", "9"},
    {"gone", "", "alice", ""},
    {"renamed", "alice", "bob", "1 0"},
    {"create", "alice", "bob", "1 99999999999999999999"},
};

static enum qerr
nothing_there(void *arg, const struct record *r)
{
	(void)arg;
	(void)r;
	return Q_SYS;
}

START_TEST(events_that_do_not_fit)
{
	struct record r = {.text = true, .data = span_str(odd_events[_i].data)};
	struct journal *j;

	close_all();
	open_store();
	strcpy(r.kind, odd_events[_i].kind);
	strcpy(r.from, odd_events[_i].from);
	strcpy(r.to, odd_events[_i].to);
	ck_assert_int_eq(journal_open(s, FOLDER_CHATS, "pairs", nothing_there, NULL, &j),
			 Q_OK);
	ck_assert_int_eq(journal_append(j, &r), Q_OK);
	journal_close(j);
	ck_assert_int_eq(chats_open(s, &c), Q_OK);
	ASSERT_TOLD("chats/pairs.log: 1 events do not fit");
	ck_assert_uint_eq(count_of("alice") + count_of("bob"), 0);
	ck_assert_uint_ge(create("alice", "bob"), 1);
}
END_TEST

/* ---- the journal itself ---- */

static enum qerr
stop_at_third(void *arg, const struct record *r)
{
	int *n = arg;

	ck_assert_uint_eq(r->id, (uint64_t)++ * n);
	return *n == 3 ? Q_NOMEM : Q_OK;
}

START_TEST(journal_alone)
{
	struct record r = {.kind = "x", .from = "alice", .text = true};
	struct journal *j;
	uint64_t last;
	int n = 0;

	ck_assert_int_eq(
	    journal_open(s, FOLDER_CONTACTS, "contacts", stop_at_third, &n, &j), Q_OK);
	ck_assert_int_eq(journal_last_id(j, &last), Q_OK);
	ck_assert_uint_eq(last, 0);
	ck_assert_int_eq(journal_sync(j), Q_OK);
	for (uint64_t i = 1; i <= 4; i++) {
		r.time_ms = 0;
		ck_assert_int_eq(journal_append(j, &r), Q_OK);
		ck_assert_uint_eq(r.id, i);
		ck_assert_int_gt(r.time_ms, 0);
	}
	ck_assert_int_eq(journal_sync(j), Q_OK);
	strcpy(r.from, "not a name");
	ck_assert_int_eq(journal_append(j, &r), Q_FORMAT);
	journal_close(j);
	ck_assert_int_eq(
	    journal_open(s, FOLDER_CONTACTS, "contacts", stop_at_third, &n, &j), Q_NOMEM);
	ck_assert_int_eq(n, 3);
	ck_assert_int_eq(journal_open(s, FOLDER_CONTACTS, "../x", stop_at_third, &n, &j),
			 Q_FORMAT);
	journal_close(NULL);
	chats_close(NULL);
	/* What is no file cannot be read, and a journal that cannot be read is not
	 * taken for an empty one. */
	chats_close(c);
	c = NULL;
	ck_assert_int_eq(mkdir(at("d/chats/pairs.log"), 0700), 0);
	ck_assert_int_eq(chats_open(s, &c), Q_SYS);
	ck_assert_int_eq(rmdir(at("d/chats/pairs.log")), 0);
	ck_assert_int_eq(chats_open(s, &c), Q_OK);
}
END_TEST

/* ---- server check ---- */

START_TEST(check_all_is_well)
{
	struct check_result r;

	write_log(create("alice", "bob"));
	create("alice", "carol"); /* nobody has said anything */
	write_log(create("alice", "dora"));
	ck_assert_int_eq(chats_delete(c, 3), Q_OK);
	r = check(true);
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(r.problems, 0);
	ck_assert_uint_eq(r.logs, 2);
	ck_assert_uint_eq(r.records, 5 + 1); /* events and messages */
}
END_TEST

START_TEST(check_orphans)
{
	struct check_result r;

	write_log(create("alice", "bob"));
	write_log(create("alice", "carol"));
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	spill("d/messages/chat-1.log", span_str("x")); /* deleted */
	spill("d/messages/chat-9.log", span_str("y")); /* never made */
	r = check(false);
	ASSERT_SAID("messages/chat-1.log: belongs to no chat");
	ASSERT_SAID("messages/chat-9.log: belongs to no chat");
	ck_assert_uint_eq(r.problems, 2);
	ck_assert_uint_eq(r.repaired, 0);
	r = check(true);
	ck_assert_uint_eq(r.repaired, 2);
	ck_assert_int_eq(count_names("d/bad", "messages-chat-"), 2);
	ck_assert_int_eq(count_names("d/messages", ""), 1);
	r = check(true);
	ck_assert_str_eq(said, "");
}
END_TEST

/* Deleted, and a kill came before its files were removed: the next start's work. */
START_TEST(check_leaves_what_is_being_deleted)
{
	create("alice", "bob");
	ck_assert_int_eq(mkdir(at("d/messages/chat-1.log"), 0700), 0);
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	ck_assert_int_eq(rmdir(at("d/messages/chat-1.log")), 0);
	spill("d/messages/chat-1.log", span_str(""));
	(void)check(true);
	ck_assert_str_eq(said, "");
	ck_assert(exists("d/messages/chat-1.log"));
	reopen();
	ck_assert(!exists("d/messages/chat-1.log"));
}
END_TEST

static const char *opened; /* when this is opened chat 1 is deleted; NULL: nothing is */

/* This stands before the C library's. */
int
openat(int dir, const char *file, int flags, ...)
{
	int fd;
	va_list ap;

	va_start(ap, flags);
	fd = (int)syscall(SYS_openat, dir, file, flags,
			  (flags & O_CREAT) != 0 ? va_arg(ap, unsigned) : 0);
	va_end(ap);
	if (opened != NULL && strcmp(file, opened) == 0) {
		opened = NULL;
		ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	}
	return fd;
}

/* A chat that is deleted while a file of it is looked at has none any more. */
START_TEST(check_while_it_is_deleted)
{
	static const char *const files[] = {"1", "1.info"};
	const struct tally tally = {1, {1, 0}, {0, 0}};
	struct media_info m = {.chat = create("alice", "bob")};

	if (_i == 0)
		ck_assert_int_eq(tally_save(s, 1, &tally), Q_OK);
	else
		ck_assert_int_eq(media_add(s, &m, span_str("bytes")), Q_OK);
	opened = files[_i];
	(void)check(true);
	ck_assert_ptr_null(opened);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(count_names("d/bad", ""), 0);
}
END_TEST

START_TEST(check_damage)
{
	struct check_result r;

	create("alice", "bob");
	create("alice", "carol");
	create("alice", "dora");
	damage_line(1);
	spill("d/chats/other.log", span_str("x"));
	spill("d/contacts/pairs.log", span_str("x"));
	r = check(false);
	ASSERT_SAID("chats/pairs.log: 1 damaged line, the first at byte ");
	ASSERT_SAID("chats/other.log: does not belong here");
	ASSERT_SAID("contacts/pairs.log: does not belong here");
	ck_assert_uint_eq(r.problems, 3);
	r = check(true);
	ck_assert_uint_eq(r.repaired, 3);
	ck_assert_int_eq(count_names("d/bad", "chats-pairs"), 1);
	/* The open journal goes on in the new file. */
	create("alice", "eve");
	r = check(true);
	ck_assert_str_eq(said, "");
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_uint_eq(count_of("alice"), 3);
}
END_TEST

static atomic_bool stop;

static void *
make_and_delete(void *arg)
{
	const struct tally tally = {1, {1, 0}, {0, 0}};
	char name[NAME_SIZE];

	(void)arg;
	for (int i = 0; !stop; i++) {
		struct chat_info info;

		snprintf(name, sizeof(name), "user%d", i);
		ck_assert_int_eq(chats_create(c, "alice", name, 0, &info), Q_OK);
		write_log(info.id);
		ck_assert_int_eq(tally_save(s, info.id, &tally), Q_OK);
		if (i % 4 == 0) {
			struct media_info m = {.chat = info.id};

			ck_assert_int_eq(media_add(s, &m, span_str("bytes")), Q_OK);
		}
		if (i % 2 == 0)
			ck_assert_int_eq(chats_delete(c, info.id), Q_OK);
	}
	return NULL;
}

START_TEST(check_while_others_go_on)
{
	pthread_t thread;

	stop = false;
	ck_assert_int_eq(pthread_create(&thread, NULL, make_and_delete, NULL), 0);
	for (int i = 0; i < 50; i++) {
		(void)check(true);
		ck_assert_str_eq(said, "");
	}
	stop = true;
	pthread_join(thread, NULL);
	ck_assert_int_eq(count_names("d/bad", ""), 0);
	ck_assert_str_eq(told, "");
}
END_TEST

int
main(void)
{
	static const int n_odd = sizeof(odd_events) / sizeof(odd_events[0]);
	Suite *su = suite_create("chats_damage");
	TCase *t = tcase_create("chats_damage");

	suite_add_tcase(su, t);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, torn_end);
	tcase_add_test(t, lost_ids_are_not_given_again);
	tcase_add_test(t, flipped_byte);
	tcase_add_loop_test(t, what_other_lines_prove, 0, 4);
	tcase_add_test(t, not_taken_for_deleted);
	tcase_add_loop_test(t, but_deleted_later, 0, 2);
	tcase_add_loop_test(t, events_that_do_not_fit, 0, n_odd);
	tcase_add_test(t, journal_alone);
	tcase_add_test(t, check_all_is_well);
	tcase_add_test(t, check_orphans);
	tcase_add_test(t, check_leaves_what_is_being_deleted);
	tcase_add_loop_test(t, check_while_it_is_deleted, 0, 2);
	tcase_add_test(t, check_damage);
	tcase_add_test(t, check_while_others_go_on);
	return unit_main(su);
}
