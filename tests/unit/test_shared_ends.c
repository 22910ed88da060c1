/* SPDX-License-Identifier: MIT
 *
 * Shared chats whose members are removed, and that are deleted, also while all talk.
 */
#include "tests/unit/shared_listener.h"

#include "store/positions.h"
#include "store/tally.h"

/* ---- users that are removed ---- */

START_TEST(a_new_user_of_an_old_name)
{
	struct shared_post p = {.text = span_str("hello")};
	struct shared_chat *old;
	struct listener alice;
	struct chat_info info;

	join(&alice, "Alice");
	ck_assert_int_eq(say("one"), Q_OK);
	ck_assert_int_eq(shared_forget(core.shared, "BOB"), Q_OK);
	ck_assert(shared_chat_member(chat, "alice"));
	ck_assert(!shared_chat_member(chat, "bob"));
	ck_assert_str_eq(shared_chat_partner(chat, "alice"), "bob");
	/* The session of that name hears nothing of it any more, and Alice does. */
	ck_assert_int_eq(say("two"), Q_OK);
	ck_assert_uint_eq(bob.messages, 1);
	ck_assert_uint_eq(alice.messages, 2);
	/* Nor when nobody had the chat open meanwhile. */
	shared_chat_unref(chat);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	ck_assert(!shared_chat_member(chat, "bob"));
	ck_assert_int_eq(say("three"), Q_OK);
	ck_assert_uint_eq(bob.messages, 1);
	/* It hears what is said in its own chat. */
	old = chat;
	ck_assert_int_eq(chats_create(core.chats, "bob", "alice", 0, &info), Q_OK);
	ck_assert_uint_ne(info.id, chat_id);
	ck_assert_int_eq(shared_chat_get(core.shared, info.id, &chat), Q_OK);
	ck_assert(shared_chat_member(chat, "bob"));
	bob.last_id = 0;
	ck_assert_int_eq(shared_post(core.shared, chat, "Alice", NULL, &p, 1), Q_OK);
	ck_assert_str_eq(bob.text, "hello");
	shared_chat_unref(chat);
	chat = old;
	ck_assert_int_eq(shared_delete(core.shared, chat, NULL), Q_OK);
	ck_assert(alice.deleted && !bob.deleted);
	leave(&alice);
}
END_TEST

static void *
open_and_close(void *arg)
{
	const atomic_bool *stop = arg;
	struct shared_chat *c;

	while (!*stop) {
		ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &c), Q_OK);
		shared_chat_unref(c);
	}
	return NULL;
}

START_TEST(forgotten_while_it_is_opened)
{
	pthread_t thread[2];
	atomic_bool stop = false;
	struct chat_info info;

	shared_chat_unref(chat);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, open_and_close, &stop),
				 0);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(shared_forget(core.shared, "bob"), Q_OK);
		ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
		ck_assert(!shared_chat_member(chat, "bob"));
		shared_chat_unref(chat);
		ck_assert_int_eq(chats_create(core.chats, "bob", "alice", 0, &info),
				 Q_OK);
		chat_id = info.id;
	}
	stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
}
END_TEST

/* The chat goes with its second member, and what its room still had to write down with it. */
START_TEST(nobody_is_left)
{
	struct tally t;
	struct had *had;
	size_t n;

	ck_assert_int_eq(say("one"), Q_OK);
	shared_room_begin(chat);
	(void)shared_enter(chat, "bob");
	shared_shown(chat, "bob", 1, 1);
	ck_assert_int_eq(shared_forget(core.shared, "alice"), Q_OK);
	ck_assert_int_eq(shared_forget(core.shared, "bob"), Q_OK);
	ck_assert_int_eq(positions_remove(core.store, "bob"), Q_OK);
	ck_assert(!shared_chat_member(chat, "alice"));
	ck_assert(!shared_chat_member(chat, "bob"));
	(void)shared_leave(chat, "bob", 1);
	shared_room_end(chat);
	ck_assert_int_eq(shared_save(chat), Q_OK);
	ck_assert_int_eq(tally_load(core.store, chat_id, &t), Q_MISSING);
	ck_assert_int_eq(positions_load_had(core.store, "bob", &had, &n), Q_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(say("late"), Q_CLOSED);
}
END_TEST

/* ---- deleting ---- */

static bool
none(void *arg, const struct shared_message *m)
{
	(void)arg, (void)m;
	ck_abort_msg("there is nothing to read");
}

START_TEST(deleted_for_both)
{
	struct shared_post p = {.text = span_str("late")};
	struct shared_chat *gone = NULL;
	struct listener alice;
	uint64_t id;

	join(&alice, "Alice");
	ck_assert_int_eq(say("one"), Q_OK);
	ck_assert(exists("d/messages/chat-1.log"));
	ck_assert_int_eq(shared_delete(core.shared, chat, alice.session), Q_OK);
	ck_assert(!exists("d/messages/chat-1.log"));
	ck_assert(bob.deleted && !alice.deleted);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &gone), Q_MISSING);
	/* What is still held is of no use any more. */
	ck_assert_int_eq(shared_post(core.shared, chat, "bob", NULL, &p, 1), Q_CLOSED);
	ck_assert_int_eq(shared_read(chat, 0, 1, none, NULL), Q_CLOSED);
	ck_assert_int_eq(shared_last(chat, &id), Q_CLOSED);
	ck_assert_int_eq(shared_id_at(chat, INT64_MAX, &id), Q_CLOSED);
	ck_assert_int_eq(shared_delete(core.shared, chat, NULL), Q_MISSING);
	ck_assert_uint_eq(bob.events, 2);
	leave(&alice);
}
END_TEST

static void *
post_until_closed(void *arg)
{
	struct poster *who = arg;

	for (;;) {
		struct shared_post p = {.text = span_str("hello")};

		who->last = shared_post(core.shared, who->chat, who->user, NULL, &p, 1);
		if (who->last != Q_OK)
			break;
		who->said++;
	}
	shared_chat_unref(who->chat);
	return NULL;
}

START_TEST(deleted_while_all_talk)
{
	struct poster who[POSTERS];
	size_t said = 0;

	for (int i = 0; i < POSTERS; i++) {
		who[i] = (struct poster){.user = i % 2 ? "bob" : "Alice",
					 .chat = shared_chat_ref(chat)};
		ck_assert_int_eq(
		    pthread_create(&who[i].thread, NULL, post_until_closed, &who[i]), 0);
	}
	usleep(1000 * (useconds_t)(1 + _i));
	ck_assert_int_eq(shared_delete(core.shared, chat, NULL), Q_OK);
	ck_assert(bob.deleted);
	for (int i = 0; i < POSTERS; i++) {
		pthread_join(who[i].thread, NULL);
		ck_assert_int_eq(who[i].last, Q_CLOSED);
		said += who[i].said;
	}
	/* All of what was said, and then the end. */
	ck_assert(!bob.disorder);
	ck_assert_uint_eq(bob.messages, said);
	ck_assert(!exists("d/messages/chat-1.log"));
}
END_TEST

static void *
delete_it(void *arg)
{
	struct poster *who = arg;

	who->last = shared_delete(core.shared, chat, NULL);
	return NULL;
}

START_TEST(deleted_by_both_at_once)
{
	struct poster who[2];

	ck_assert_int_eq(say("one"), Q_OK);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&who[i].thread, NULL, delete_it, &who[i]),
				 0);
	for (int i = 0; i < 2; i++)
		pthread_join(who[i].thread, NULL);
	ck_assert(who[0].last != who[1].last);
	ck_assert(who[0].last == Q_OK || who[1].last == Q_OK);
	ck_assert(who[0].last == Q_MISSING || who[1].last == Q_MISSING);
	ck_assert_uint_eq(bob.events, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("shared: ends");
	TCase *t = tcase_create("ends");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_new_user_of_an_old_name);
	tcase_add_test(t, forgotten_while_it_is_opened);
	tcase_add_test(t, nobody_is_left);
	tcase_add_test(t, deleted_for_both);
	tcase_add_loop_test(t, deleted_while_all_talk, 0, 10);
	tcase_add_test(t, deleted_by_both_at_once);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
