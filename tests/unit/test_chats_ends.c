/* SPDX-License-Identifier: MIT
 *
 * The ends of chats: users that are removed, chats that are deleted while others write,
 * and full disks.
 */
#include "tests/unit/chats_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "store/journal.h"
#include "store/media.h"

/* ---- users that are removed ---- */

/* Alice's chats 1 (with the bob that is gone) and 4 (with the bob of today), carol's 2
 * with the old one, alice's 3 about an announcement. */
static void
expect_two_bobs(void)
{
	struct chat_info info, *list;
	size_t n;

	ck_assert_int_eq(chats_of(c, "alice", &list, &n), Q_OK);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(list[0].id, 1);
	ck_assert_str_eq(list[0].maker, "Alice");
	ck_assert_str_eq(list[0].other, "Bob");
	ck_assert(!list[0].maker_gone && list[0].other_gone);
	ck_assert(chat_info_member(&list[0], "aLICE"));
	ck_assert(!chat_info_member(&list[0], "bob"));
	ck_assert(!chat_info_member(&list[0], "carol"));
	ck_assert_uint_eq(list[1].id, 3);
	ck_assert_str_eq(list[1].maker, "Bob");
	ck_assert(list[1].maker_gone && !list[1].other_gone);
	ck_assert(chat_info_member(&list[1], "alice"));
	ck_assert(!chat_info_member(&list[1], "BOB"));
	ck_assert_uint_eq(list[2].id, 4);
	ck_assert_str_eq(list[2].maker, "bob"); /* as the new one spells it */
	ck_assert(!list[2].maker_gone && !list[2].other_gone);
	ck_assert(chat_info_member(&list[2], "BOB"));
	free(list);
	ck_assert_int_eq(chats_of(c, "BOB", &list, &n), Q_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(list[0].id, 4);
	free(list);
	ck_assert_int_eq(chats_find(c, "bob", "alice", 0, &info), Q_OK);
	ck_assert_uint_eq(info.id, 4);
	ck_assert_int_eq(chats_find(c, "alice", "bob", 7, &info), Q_MISSING);
	ck_assert_int_eq(chats_find(c, "carol", "bob", 0, &info), Q_MISSING);
	ck_assert_int_eq(chats_get(c, 1, &info), Q_OK);
	ck_assert(!info.maker_gone && info.other_gone);
	ck_assert_int_eq(chats_create(c, "alice", "bob", 0, &info), Q_EXISTS);
	ck_assert_uint_eq(info.id, 4);
	ck_assert_uint_eq(count_of("carol"), 1);
}

START_TEST(a_new_user_of_an_old_name)
{
	struct chat_info info, *list;
	size_t n;

	create("Alice", "Bob");
	write_log(1);
	create("carol", "bob");
	ck_assert_int_eq(chats_create(c, "bob", "alice", 7, &info), Q_OK);
	ck_assert_int_eq(chats_forget(c, "nobody"), Q_OK);
	ck_assert_int_eq(chats_forget(c, "not a name"), Q_OK);
	ck_assert_int_eq(chats_forget(c, "bOB"), Q_OK);
	ck_assert_int_eq(chats_of(c, "bob", &list, &n), Q_OK);
	ck_assert_ptr_null(list);
	ck_assert_int_eq(chats_find(c, "bob", "alice", 0, &info), Q_MISSING);
	ck_assert_uint_eq(create("bob", "alice"), 4);
	expect_two_bobs();
	reopen();
	ck_assert_str_eq(told, "");
	expect_two_bobs();
	/* The old one can still be read and deleted. */
	write_log(1);
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	ck_assert_int_eq(chats_delete(c, 3), Q_OK);
	ck_assert_uint_eq(count_of("alice"), 1);
	ck_assert_uint_eq(count_of("bob"), 1);
	/* The next bob, and who knew one of them: nobody is left to read what they said. */
	ck_assert_int_eq(chats_forget(c, "bob"), Q_OK);
	ck_assert_int_eq(chats_get(c, 4, &info), Q_OK);
	ck_assert(info.maker_gone && !info.other_gone);
	ck_assert_int_eq(chats_forget(c, "alice"), Q_OK);
	ck_assert_int_eq(chats_forget(c, "carol"), Q_OK);
	ck_assert_int_eq(chats_get(c, 4, &info), Q_MISSING);
	ck_assert_int_eq(chats_get(c, 2, &info), Q_MISSING);
	ck_assert_int_eq(chats_delete(c, 4), Q_MISSING);
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_int_eq(chats_get(c, 4, &info), Q_MISSING);
	ck_assert_uint_eq(create("alice", "bob"), 5);
}
END_TEST

/* The files go with the last member, also after a kill behind the event. */
START_TEST(nobody_is_left)
{
	struct chat_info info;
	struct media_info picture = {.chat = create("alice", "bob"), .type = "image/png"};

	write_log(1);
	ck_assert_int_eq(media_add(s, &picture, span_str("picture")), Q_OK);
	write_log(create("alice", "carol"));
	write_log(create("bob", "carol"));
	ck_assert_int_eq(chats_forget(c, "alice"), Q_OK);
	ck_assert(exists("d/messages/chat-1.log"));
	ck_assert_int_eq(media_info(s, picture.id, &picture), Q_OK);
	ck_assert_int_eq(chats_forget(c, "bob"), Q_OK);
	ck_assert(!exists("d/messages/chat-1.log"));
	ck_assert_int_eq(media_info(s, picture.id, &picture), Q_MISSING);
	ck_assert_uint_eq(count_of("carol"), 2);
	ck_assert_int_eq(chats_forget(c, "carol"), Q_OK);
	ck_assert_int_eq(count_names("d/messages", ""), 0);
	close_all();
	drop_last_line(); /* "cleared", of both */
	drop_last_line();
	spill("d/messages/chat-2.log", span_str("what a kill has left"));
	spill("d/messages/chat-3.log", span_str("what a kill has left"));
	open_all();
	ck_assert_str_eq(told, "");
	ck_assert_int_eq(count_names("d/messages", ""), 0);
	ck_assert_int_eq(chats_get(c, 2, &info), Q_MISSING);
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_uint_eq(create("alice", "bob"), 4);
}
END_TEST

/* Both are removed while one of their chats is being deleted. */
static void *
make_and_delete(void *arg)
{
	struct chat_info info;

	(void)arg;
	for (int i = 0; i < 200; i++) {
		enum qerr e = chats_create(c, "alice", "bob", 0, &info);

		ck_assert(e == Q_OK || e == Q_EXISTS);
		e = chats_delete(c, info.id);
		ck_assert(e == Q_OK || e == Q_MISSING);
	}
	return NULL;
}

START_TEST(all_removed_while_chats_are_deleted)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, make_and_delete, NULL), 0);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(chats_forget(c, i % 2 == 0 ? "alice" : "bob"), Q_OK);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(count_of("alice") + count_of("bob"), 0);
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_uint_eq(count_of("alice") + count_of("bob"), 0);
}
END_TEST

static atomic_bool over;

static void *
make_chats(void *arg)
{
	struct chat_info info;

	do {
		enum qerr e = chats_create(c, arg, "bob", 0, &info);

		ck_assert(e == Q_OK || e == Q_EXISTS);
	} while (!over);
	return NULL;
}

/* What memory says is what the file says, whichever was first. */
START_TEST(forgotten_while_others_make)
{
	static char *const maker[] = {"alice", "carol", "dora"};
	struct chat_info *before, *after;
	size_t n_before, n_after;
	pthread_t thread[3];

	over = false;
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, make_chats, maker[i]),
				 0);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(chats_forget(c, "bob"), Q_OK);
	over = true;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 4; i++) {
		const char *who = i < 3 ? maker[i] : "bob";

		ck_assert_int_eq(chats_of(c, who, &before, &n_before), Q_OK);
		reopen();
		ck_assert_str_eq(told, "");
		ck_assert_int_eq(chats_of(c, who, &after, &n_after), Q_OK);
		ck_assert(n_before > 0 || i == 3); /* the last bob may be gone */
		ck_assert_uint_eq(n_before, n_after);
		if (n_before > 0)
			ck_assert_mem_eq(before, after, n_before * sizeof(*before));
		free(before);
		free(after);
	}
}
END_TEST

/* ---- deleting ---- */

static bool
no_record(void *arg, const struct record *r)
{
	(void)arg;
	(void)r;
	ck_abort_msg("a record of a log that was removed");
	return false;
}

START_TEST(an_open_log_is_closed)
{
	uint64_t id = create("alice", "bob"), last;
	struct msglog *l, *again;

	ck_assert_int_eq(chats_open_log(c, id, &l), Q_OK);
	ck_assert_int_eq(say_in(l, "hello"), Q_OK);
	ck_assert(exists("d/messages/chat-1.log"));
	ck_assert_int_eq(chats_delete(c, id), Q_OK);
	ck_assert(!exists("d/messages/chat-1.log"));
	ck_assert_int_eq(say_in(l, "hello"), Q_CLOSED);
	ck_assert_int_eq(msglog_read(l, 0, 10, no_record, NULL, NULL), Q_CLOSED);
	ck_assert_int_eq(msglog_last_id(l, &last), Q_CLOSED);
	ck_assert_int_eq(msglog_sync(l), Q_CLOSED);
	ck_assert_int_eq(msglog_open(s, "chat-1", &again), Q_CLOSED);
	ck_assert_int_eq(chats_open_log(c, id, &again), Q_MISSING);
	msglog_close(l);
	ck_assert(!exists("d/messages/chat-1.log"));
	ck_assert_int_eq(msglog_remove(s, "Not A Chat"), Q_FORMAT);
	ck_assert_int_eq(msglog_remove(s, "chat-77"), Q_OK);
}
END_TEST

START_TEST(media_go_with_the_chat)
{
	uint64_t id = create("alice", "bob"), kept = create("alice", "carol");
	struct media_info info = {.chat = id, .type = "image/png"},
			  other = {.chat = kept};

	ck_assert_int_eq(media_add(s, &info, span_str("picture")), Q_OK);
	ck_assert_int_eq(media_add(s, &other, span_str("picture")), Q_OK);
	ck_assert_int_eq(chats_delete(c, id), Q_OK);
	ck_assert_int_eq(media_info(s, info.id, &info), Q_MISSING);
	ck_assert_int_eq(media_info(s, other.id, &other), Q_OK);
}
END_TEST

START_TEST(deleting_is_finished)
{
	struct chat_info info;

	write_log(create("alice", "bob"));
	write_log(create("alice", "carol"));
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	close_all();
	drop_last_line(); /* "cleared" */
	spill("d/messages/chat-1.log", span_str("what a kill has left"));
	open_all();
	ck_assert(!exists("d/messages/chat-1.log"));
	ck_assert(exists("d/messages/chat-2.log"));
	ck_assert_int_eq(chats_get(c, 1, &info), Q_MISSING);
	/* Once it is cleared the file is somebody else's affair. */
	close_all();
	spill("d/messages/chat-1.log", span_str("from elsewhere"));
	open_all();
	ck_assert(exists("d/messages/chat-1.log"));
}
END_TEST

START_TEST(files_that_stay)
{
	struct chat_info info;

	create("alice", "bob");
	ck_assert_int_eq(mkdir(at("d/messages/chat-1.log"), 0700), 0);
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	ASSERT_TOLD("chat 1 is deleted, but its files are not all removed");
	ck_assert_int_eq(chats_get(c, 1, &info), Q_MISSING);
	ck_assert_int_eq(chats_delete(c, 1), Q_MISSING);
	reopen();
	ASSERT_TOLD("chat 1 is deleted, but its files are not all removed");
	ck_assert_int_eq(rmdir(at("d/messages/chat-1.log")), 0);
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_uint_eq(create("alice", "bob"), 2);
}
END_TEST

/* ---- full disk ---- */

START_TEST(full_disk)
{
	struct chat_info info;
	struct buf before, after;
	uint64_t id = create("alice", "bob");

	write_log(id);
	before = slurp(JOURNAL);
	limit_files(before.len + 10);
	ck_assert_int_eq(chats_create(c, "alice", "carol", 0, &info), Q_FULL);
	ck_assert_int_eq(chats_delete(c, id), Q_FULL);
	ck_assert_int_eq(chats_forget(c, "alice"), Q_FULL);
	ck_assert_uint_eq(count_of("alice"), 1);
	limit_files(RLIM_INFINITY);
	after = slurp(JOURNAL);
	ck_assert(span_eq(buf_span(&before), buf_span(&after)));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(chats_get(c, id, &info), Q_OK);
		ck_assert_int_eq(chats_find(c, "alice", "carol", 0, &info), Q_MISSING);
		ck_assert_uint_eq(count_of("alice"), 1);
		ck_assert_uint_eq(count_of("carol"), 0);
		ck_assert(exists("d/messages/chat-1.log"));
		reopen();
		ck_assert_str_eq(told, "");
	}
	/* There is room again. */
	create("alice", "carol");
	ck_assert_int_eq(chats_delete(c, id), Q_OK);
	reopen();
	ck_assert_uint_eq(count_of("alice"), 1);
	buf_free(&before);
	buf_free(&after);
}
END_TEST

START_TEST(full_disk_in_the_middle)
{
	struct chat_info info;
	struct buf b;

	write_log(create("alice", "bob"));
	b = slurp(JOURNAL);
	limit_files(b.len + 64); /* room for "delete", not for "cleared" */
	buf_free(&b);
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	limit_files(RLIM_INFINITY);
	ASSERT_TOLD("chat 1 is deleted, but");
	ck_assert_int_eq(chats_get(c, 1, &info), Q_MISSING);
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_int_eq(chats_get(c, 1, &info), Q_MISSING);
	ck_assert_uint_eq(create("alice", "bob"), 2);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("chats_ends");
	TCase *t = tcase_create("chats_ends");

	suite_add_tcase(su, t);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_new_user_of_an_old_name);
	tcase_add_test(t, nobody_is_left);
	tcase_add_test(t, all_removed_while_chats_are_deleted);
	tcase_add_test(t, forgotten_while_others_make);
	tcase_add_test(t, an_open_log_is_closed);
	tcase_add_test(t, media_go_with_the_chat);
	tcase_add_test(t, deleting_is_finished);
	tcase_add_test(t, files_that_stay);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, full_disk_in_the_middle);
	return unit_main(su);
}
