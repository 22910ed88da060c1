/* SPDX-License-Identifier: MIT
 *
 * What a session was told of, was sent, and has had.
 */
#include "tests/unit/unit.h"

#include "server/contacts/inbox.h"

static struct inbox in;

static void
setup(void)
{
	in = (struct inbox){.phase = INBOX_HERE};
}

static void
teardown(void)
{
	inbox_clear(&in);
}

static void
sent(uint64_t chat, uint64_t id, uint64_t end)
{
	struct inbox_chat *c;

	ck_assert_int_eq(inbox_reserve(&in, 1), Q_OK);
	ck_assert_ptr_nonnull(c = inbox_enter(&in, chat, id - 1));
	c->sent = c->told = id;
	inbox_sent(&in, chat, id, end);
}

static uint64_t
had(uint64_t chat)
{
	return inbox_find(&in, chat)->had;
}

START_TEST(chats_are_kept_by_number)
{
	/* 7 and 100 have no common factor: every number once, out of order. */
	for (uint64_t i = 0; i < 100; i++)
		ck_assert_ptr_nonnull(inbox_enter(&in, i * 7 % 100 + 1, i));
	ck_assert_uint_eq(in.n, 100);
	for (size_t i = 0; i < 100; i++)
		ck_assert_uint_eq(in.chats[i].chat, i + 1);
	/* Entering again changes nothing. */
	ck_assert_uint_eq(inbox_enter(&in, 8, 77)->sent, 1);
	ck_assert_ptr_null(inbox_find(&in, 101));
	ck_assert_ptr_null(inbox_find(&in, 0));
	inbox_forget(&in, 50);
	inbox_forget(&in, 50);
	ck_assert_ptr_null(inbox_find(&in, 50));
	ck_assert_uint_eq(in.n, 99);
	ck_assert_uint_eq(inbox_find(&in, 51)->chat, 51);
	inbox_forget(&in, 100);
	ck_assert_ptr_null(inbox_find(&in, 100));
}
END_TEST

START_TEST(owing_is_told_and_not_sent)
{
	struct inbox_chat *c = inbox_enter(&in, 3, 10);

	ck_assert(!inbox_owing(&in));
	c->told = 11;
	ck_assert(inbox_owing(&in));
	c->sent = 11;
	ck_assert(!inbox_owing(&in));
}
END_TEST

START_TEST(had_follows_the_last_byte)
{
	sent(1, 5, 100);
	sent(2, 1, 150);
	sent(1, 6, 200);
	inbox_acked(&in, 99);
	ck_assert_uint_eq(had(1), 4);
	ck_assert(!inbox_unsaved(&in));
	inbox_acked(&in, 100);
	ck_assert_uint_eq(had(1), 5);
	ck_assert_uint_eq(had(2), 0);
	ck_assert(inbox_unsaved(&in));
	inbox_acked(&in, 199);
	ck_assert_uint_eq(had(1), 5);
	ck_assert_uint_eq(had(2), 1);
	inbox_acked(&in, 5000);
	ck_assert_uint_eq(had(1), 6);
	/* An idle session has no ring. */
	ck_assert_ptr_null(in.ring);
}
END_TEST

START_TEST(the_ring_grows_around_its_end)
{
	uint64_t acked = 0, end = 0;

	for (uint64_t id = 1; id <= 5000; id++) {
		sent(1, id, end += 10);
		/* Two of three stay, so that it grows while it is wrapped. */
		if (id % 3 == 0)
			inbox_acked(&in, acked += 10);
		ck_assert_uint_eq(had(1), acked / 10);
	}
	ck_assert_uint_eq(in.ring_n, 5000 - acked / 10);
	inbox_acked(&in, end);
	ck_assert_uint_eq(had(1), 5000);
}
END_TEST

START_TEST(messages_without_bytes_share_an_entry)
{
	sent(1, 1, 40);
	for (uint64_t id = 2; id < 1000; id++)
		sent(1, id, 40);
	ck_assert_uint_eq(in.ring_n, 1);
	sent(2, 1, 40);
	ck_assert_uint_eq(in.ring_n, 2);
	inbox_acked(&in, 40);
	ck_assert_uint_eq(had(1), 999);
	ck_assert_uint_eq(had(2), 1);
}
END_TEST

START_TEST(deleted_and_frozen_chats_do_not_move)
{
	sent(1, 1, 10);
	sent(2, 1, 20);
	sent(3, 1, 30);
	inbox_forget(&in, 1);
	inbox_find(&in, 2)->frozen = true;
	inbox_acked(&in, 30);
	ck_assert_ptr_null(inbox_find(&in, 1));
	ck_assert_uint_eq(had(2), 0);
	ck_assert_uint_eq(had(3), 1);
}
END_TEST

START_TEST(by_hand_only_seen_counts)
{
	sent(1, 1, 10);
	sent(1, 2, 20);
	inbox_acked(&in, 10);
	inbox_by_hand(&in);
	sent(1, 3, 30);
	inbox_acked(&in, 1000);
	ck_assert_uint_eq(had(1), 1); /* what was had before stays */
	ck_assert_int_eq(inbox_seen(&in, 1, 3), Q_OK);
	ck_assert_uint_eq(had(1), 3);
	ck_assert_int_eq(inbox_seen(&in, 1, 2), Q_OK);
	ck_assert_uint_eq(had(1), 3); /* never back */
	ck_assert_int_eq(inbox_seen(&in, 9, 4), Q_OK);
	ck_assert_uint_eq(had(9), 4);
	ck_assert(!inbox_owing(&in));
	inbox_clear(&in);
	ck_assert(!in.by_hand);
	ck_assert_int_eq(in.phase, INBOX_AWAY);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts_inbox");
	TCase *tc = tcase_create("inbox");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, chats_are_kept_by_number);
	tcase_add_test(tc, owing_is_told_and_not_sent);
	tcase_add_test(tc, had_follows_the_last_byte);
	tcase_add_test(tc, the_ring_grows_around_its_end);
	tcase_add_test(tc, messages_without_bytes_share_an_entry);
	tcase_add_test(tc, deleted_and_frozen_chats_do_not_move);
	tcase_add_test(tc, by_hand_only_seen_counts);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
