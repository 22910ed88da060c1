/* SPDX-License-Identifier: MIT
 *
 * The room of a shared chat: who comes and goes, what counts as new, what was shown, over
 * restarts, damage and many threads.
 */
#include "tests/unit/shared_room.h"

/* ---- counts ---- */

START_TEST(what_is_new)
{
	assert_counts("alice", 0, 0);
	say("Alice", 3);
	say("bob", 2);
	assert_counts("ALICE", 5, 2); /* never there: all of the other's */
	assert_counts("bob", 5, 3);
	(void)enter("bob");
	assert_counts("bob", 5, 0);
	say("Alice", 4);
	assert_counts("bob", 9, 0);
	(void)leave("bob");
	assert_counts("bob", 9, 0);
	say("bob", 1); /* one's own are not new */
	say("Alice", 2);
	assert_counts("bob", 12, 2);
	assert_counts("alice", 12, 3);
	again();
	assert_counts("bob", 12, 2);
	assert_counts("alice", 12, 3);
	say("Alice", 1);
	assert_counts("bob", 13, 3);
}
END_TEST

/* Somebody leaves while messages are being told: they are new to one who was not told of
 * them in the room. */
struct leaver {
	struct session *session;
	int peer;
	uint64_t shown;
};

static void
leave_when_told(struct session *s, const struct event *event)
{
	const struct leaver *l = s->state;

	if (event->kind != EVENT_MESSAGES)
		return;
	shared_room_begin(chat);
	ck_assert(shared_leave(chat, "bob", l->shown));
	shared_room_end(chat);
}

static const struct protocol leaving = {
    .name = "leaving",
    .deliver = leave_when_told,
    .goodbye = core_goodbye,
    .release = core_release,
};

START_TEST(left_while_told)
{
	static const struct sessions_limits none;
	struct leaver l;

	say("Alice", 3);
	say("bob", 1);
	assert_counts("bob", 4, 3);
	(void)enter("bob");
	l.session = core_session(&l.peer);
	atomic_store(&l.session->protocol, &leaving);
	l.session->state = &l;
	l.shown = _i == 0 ? 0 : 5;
	ck_assert_int_eq(sessions_add(core.sessions, l.session, &none), Q_OK);
	ck_assert_int_eq(sessions_login(core.sessions, l.session, "bob", LOGIN_ADD, NULL),
			 Q_OK);
	say("Alice", 1);
	assert_counts("bob", 5, _i == 0 ? 1 : 0);
	sessions_remove(core.sessions, l.session);
	session_unref(l.session);
	close(l.peer);
}
END_TEST

/* Who is there when the server is killed leaves then: what was saved says so. */
START_TEST(killed_in_the_room)
{
	struct tally t;

	(void)enter("bob");
	say("Alice", 6);
	ck_assert_int_eq(shared_save(chat), Q_OK);
	ck_assert_int_eq(tally_load(core.store, chat_id, &t), Q_OK);
	ck_assert_uint_eq(t.seen[TALLY_OTHER], 6);
	(void)leave("bob");
}
END_TEST

/* ---- coming and going ---- */

START_TEST(first_and_last)
{
	ck_assert(enter("bob"));
	ck_assert(!enter("Bob"));
	ck_assert(enter("alice"));
	ck_assert(!leave("bob"));
	ck_assert(leave("bob"));
	ck_assert(leave("ALICE"));
}
END_TEST

static atomic_int inside;

static void *
visit(void *arg)
{
	const char *who = arg;

	for (int i = 0; i < 200; i++) {
		struct shared_count n;

		shared_room_begin(chat);
		if (shared_enter(chat, who))
			ck_assert_int_eq(atomic_fetch_add(&inside, 1), 0);
		shared_room_end(chat);
		say("Alice", 1);
		ck_assert_int_eq(shared_counts(chat, who, &n), Q_OK);
		ck_assert_uint_eq(n.fresh, 0);
		shared_room_begin(chat);
		if (shared_leave(chat, who, UINT64_MAX))
			ck_assert_int_eq(atomic_fetch_sub(&inside, 1), 1);
		shared_room_end(chat);
	}
	return NULL;
}

/* What is told alternates, however many threads come and go. */
START_TEST(many_visitors)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(
		    pthread_create(&t[i], NULL, visit, (void *)(uintptr_t) "bob"), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	ck_assert_int_eq(inside, 0);
	assert_counts("bob", 800, 0);
	again();
	assert_counts("bob", 800, 0);
}
END_TEST

/* ---- what was shown ---- */

START_TEST(shown_is_written_down)
{
	static const struct {
		uint64_t from, to;
		const char *then;
	} steps[] = {
	    {5, 5, "5-5"},         {6, 6, "5-6"},
	    {2, 3, "2-3 5-6"},     {9, 9, "2-3 5-6 9-9"},
	    {4, 4, "2-6 9-9"},     {7, 8, "2-9"},
	    {1, 1, "1-9"},         {3, 4, "1-9"},
	    {20, 30, "1-9 20-30"}, {11, 18, "1-9 11-18 20-30"},
	    {10, 19, "1-30"},
	};

	/* All at once, and one by one. */
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		shared_shown(chat, "bob", steps[i].from, steps[i].to);
		if (_i == 0)
			continue;
		shared_settle(core.shared, chat_id);
		ck_assert_str_eq(had_by("bob"), steps[i].then);
	}
	shared_settle(core.shared, chat_id);
	ck_assert_str_eq(had_by("bob"), "1-30");
	ck_assert_str_eq(had_by("alice"), "");
}
END_TEST

/* More stretches than are kept in memory: the newest are. */
START_TEST(too_many_stretches)
{
	for (uint64_t i = 1; i <= 12; i++)
		shared_shown(chat, "bob", 10 * i, 10 * i);
	shared_shown(chat, "bob", 3, 3); /* older than all, and no room */
	shared_shown(chat, "bob", 75, 75);
	shared_settle(core.shared, chat_id);
	ck_assert_str_eq(had_by("bob"), "60-60 70-70 75-75 80-80 90-90 100-100 110-110 "
					"120-120");
}
END_TEST

START_TEST(a_full_disk_forgets_nothing)
{
	say("Alice", 3);
	limit_files(1);
	(void)enter("bob");
	shared_shown(chat, "bob", 1, 2);
	(void)leave("bob");
	shared_settle(core.shared, chat_id);
	limit_files(RLIM_INFINITY);
	ck_assert_str_eq(had_by("bob"), "");
	shared_shown(chat, "bob", 3, 3);
	shared_settle(core.shared, chat_id);
	ck_assert_str_eq(had_by("bob"), "1-3");
	again();
	assert_counts("bob", 3, 0);
}
END_TEST

/* Nothing of it is written after a chat was deleted, nor for who was removed. */
/* The log has lost its end in a power cut.  What gets these ids next was had by nobody. */
START_TEST(lost_in_a_power_cut)
{
	const struct had had[] = {{chat_id, 1, 6}, {chat_id, 8, 9}};
	struct tally t = {9, {9, 0}, {0, 6}};

	say("Alice", 4);
	close_store();
	open_store();
	ck_assert_int_eq(positions_add(core.store, "bob", had, 2), Q_OK);
	ck_assert_int_eq(positions_add(core.store, "alice", had, 1), Q_OK);
	ck_assert_int_eq(tally_save(core.store, chat_id, &t), Q_OK);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	say("bob", 6);
	ck_assert_str_eq(had_by("bob"), "1-4");
	ck_assert_str_eq(had_by("alice"), "1-4");
	shared_chat_unref(chat);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	assert_counts("bob", 10, 0);
	assert_counts("alice", 10, 6);
	/* That was once: what is had now stays. */
	ck_assert_int_eq(positions_add(core.store, "bob", had, 2), Q_OK);
	say("alice", 1);
	again();
	say("alice", 1);
	ck_assert_str_eq(had_by("bob"), "1-6 8-9");
}
END_TEST

START_TEST(gone)
{
	shared_shown(chat, "alice", 1, 2);
	shared_shown(chat, "bob", 1, 2);
	ck_assert_int_eq(shared_forget(core.shared, "bob"), Q_OK);
	shared_settle(core.shared, chat_id);
	ck_assert_str_eq(had_by("bob"), "");
	ck_assert_str_eq(had_by("alice"), "1-2");
	(void)enter("alice");
	shared_shown(chat, "alice", 3, 3);
	ck_assert_int_eq(shared_delete(core.shared, chat, NULL), Q_OK);
	ck_assert_str_eq(had_by("alice"), "");
	shared_shown(chat, "alice", 4, 4);
	(void)leave("alice");
	shared_settle(core.shared, chat_id);
	ck_assert_str_eq(had_by("alice"), "");
	ck_assert_int_eq(count_names("d/tallies", ""), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("shared_room");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, make_chat, drop_chat);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_is_new);
	tcase_add_loop_test(t, left_while_told, 0, 2);
	tcase_add_test(t, killed_in_the_room);
	tcase_add_test(t, first_and_last);
	tcase_add_test(t, many_visitors);
	tcase_add_loop_test(t, shown_is_written_down, 0, 2);
	tcase_add_test(t, too_many_stretches);
	tcase_add_test(t, a_full_disk_forgets_nothing);
	tcase_add_test(t, lost_in_a_power_cut);
	tcase_add_test(t, gone);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
