/* SPDX-License-Identifier: MIT
 *
 * relay, when all is well: two people find each other, agree on a key that the
 * server does not have, talk, and part.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/relay_peer.h"

/* What is left of a frame of the default limit for the message itself. */
#define MESSAGE_MAX \
	(RELAY_SEALED_MAX - RELAY_SEALED_MIN - RELAY_SIZE_LEN - RELAY_SEALED_MIN)

/* ---- the whole way, with each kind of key ---- */

static const struct {
	enum key_kind alice, bob;
} kinds[] = {
    {KEY_EC_P256, KEY_EC_P256},
    {KEY_EC_P256, KEY_RSA},
    {KEY_RSA, KEY_EC_P256},
    {KEY_RSA, KEY_RSA},
};

START_TEST(two_people_chat)
{
	struct harness *h = harness_start(NULL);
	struct peer *alice, *bob;

	harness_add_user(h, "alice", kinds[_i].alice);
	harness_add_user(h, "bob", kinds[_i].bob);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_expect_list(alice, "bob");
	peer_expect_list(bob, "alice");

	peer_chat(alice, bob);
	peer_expect_list(alice, "");
	peer_say_text(alice, "Hello Bob");
	peer_hear_text(bob, "Hello Bob");
	peer_say_text(bob, "Hello Alice \xe2\x9c\x93");
	peer_hear_text(alice, "Hello Alice \xe2\x9c\x93");

	peer_end_chat(alice, bob);
	peer_expect_list(alice, "bob");
	peer_send_bare(bob, RELAY_LOGOUT);
	peer_expect_end(bob);
	peer_expect_list(alice, "");
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}
END_TEST

START_TEST(server_with_rsa_key)
{
	struct harness *h = harness_new();
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct key *key;
	struct peer *alice, *bob;

	ck_assert_int_eq(key_generate(KEY_RSA, KEY_RSA_MIN_BITS, &key), Q_OK);
	ck_assert_int_eq(key_private_pem(key, NULL, &pem), Q_OK);
	harness_make_folder(h, "server");
	harness_write(h, "server/key.pem", buf_span(&pem));
	harness_boot(h, NULL);
	harness_add_users(h, "alice", "bob", NULL);
	alice = peer_login(h, "alice");
	ck_assert(key_same(alice->server_key, key));
	bob = peer_login(h, "bob");
	peer_chat(alice, bob);
	peer_talk(alice, bob);
	peer_free(alice);
	peer_free(bob);
	key_free(key);
	buf_wipe(&pem);
	harness_free(h);
}
END_TEST

START_TEST(chats_follow_each_other)
{
	struct harness *h = harness_start(NULL);
	struct peer *alice, *bob, *carol;

	harness_add_users(h, "alice", "bob", "carol", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	carol = peer_login(h, "carol");
	/* Counters between the two start anew in each chat. */
	peer_chat(alice, bob);
	peer_talk(alice, bob);
	peer_end_chat(bob, alice);
	peer_chat(bob, alice);
	peer_talk(alice, bob);
	peer_end_chat(bob, alice);
	peer_chat(carol, alice);
	peer_talk(carol, alice);
	peer_end_chat(alice, carol);
	peer_expect_list(bob, "alice carol");
	peer_free(alice);
	peer_free(bob);
	peer_free(carol);
	harness_free(h);
}
END_TEST

/* ---- messages of every size ---- */

static const size_t sizes[] = {
    0, 1, 15, 16, 17, 1000, 8192, 32768, MESSAGE_MAX - 1, MESSAGE_MAX};

START_TEST(message_sizes)
{
	struct harness *h = harness_start(NULL);
	static uint8_t text[MESSAGE_MAX + 1];
	struct peer *alice, *bob;

	harness_add_users(h, "alice", "bob", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_chat(alice, bob);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 31);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		peer_say(alice, span_of(text, sizes[i]));
		peer_hear(bob, span_of(text, sizes[i]));
		peer_say(bob, span_of(text, sizes[i]));
		peer_hear(alice, span_of(text, sizes[i]));
	}
	/* One byte more is not a frame any more. */
	peer_say(alice, span_of(text, MESSAGE_MAX + 1));
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	peer_expect_list(bob, "");
	peer_drain(alice);
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}
END_TEST

START_TEST(larger_frames_when_configured)
{
	struct harness *h = harness_start("relay.max_frame=1MiB", NULL);
	static uint8_t text[1000000];
	struct peer *alice, *bob;

	harness_add_users(h, "alice", "bob", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_chat(alice, bob);
	memset(text, 'x', sizeof(text));
	peer_say(alice, span_of(text, sizeof(text)));
	peer_hear(bob, span_of(text, sizeof(text)));
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}
END_TEST

/* ---- what the server passes on, and what not ---- */

START_TEST(passed_on_unread_and_in_order)
{
	static const int32_t opcodes[] = {RELAY_NONCE,      RELAY_FIRST_KEY,
					  RELAY_SECOND_KEY, RELAY_PEER_MESSAGE,
					  RELAY_NONCE,      RELAY_PEER_MESSAGE};
	struct harness *h = harness_start(NULL);
	struct buf out = BUF_INIT(1 << 20);
	struct peer *alice, *bob;

	harness_add_users(h, "alice", "bob", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_ask(alice, bob);
	peer_accept(bob, alice);
	for (uint8_t i = 0; i < 60; i++) {
		uint8_t junk[] = {i, 0xff, 0x00, i};

		peer_seal(alice, &out, opcodes[i % 6], span_of(junk, i % 5));
	}
	peer_send_raw(alice, buf_span(&out));
	for (uint8_t i = 0; i < 60; i++) {
		uint8_t junk[] = {i, 0xff, 0x00, i};

		ck_assert(
		    span_eq(peer_expect(bob, opcodes[i % 6]), span_of(junk, i % 5)));
	}
	buf_free(&out);
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}
END_TEST

START_TEST(dropped_without_a_chat)
{
	static const int32_t opcodes[] = {
	    RELAY_NONCE,       RELAY_FIRST_KEY,   RELAY_SECOND_KEY, RELAY_PEER_MESSAGE,
	    RELAY_CHAT_ACCEPT, RELAY_CHAT_DENIED, RELAY_END_CHAT};
	struct harness *h = harness_start(NULL);
	struct peer *alice, *bob;

	harness_add_users(h, "alice", "bob", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++)
		peer_send_text(alice, opcodes[i], "data");
	peer_expect_list(alice, "bob");
	peer_expect_nothing(bob);
	/* Nor do they disturb a chat that begins afterwards. */
	peer_chat(alice, bob);
	peer_talk(alice, bob);
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}
END_TEST

START_TEST(nothing_but_the_chat_before_it_is_accepted)
{
	struct harness *h = harness_start(NULL);
	struct peer *alice, *bob;

	harness_add_users(h, "alice", "bob", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_ask(alice, bob);
	peer_send_text(alice, RELAY_PEER_MESSAGE, "too early");
	peer_send_text(bob, RELAY_NONCE, "too early");
	peer_expect_nothing(alice);
	peer_expect_nothing(bob);
	peer_accept(bob, alice);
	peer_nonce(alice, bob);
	peer_first_key(bob, alice);
	peer_second_key(alice, bob);
	peer_talk(alice, bob);
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}
END_TEST

/* ---- the list ---- */

START_TEST(list_has_who_is_free_in_order)
{
	struct harness *h = harness_start(NULL);
	struct peer *p[5];
	static const char *const names[] = {"dave", "Bob", "alice", "Eve", "carol"};

	for (int i = 0; i < 5; i++) {
		harness_add_user(h, names[i], KEY_EC_P256);
		p[i] = peer_login(h, names[i]);
	}
	peer_expect_list(p[0], "alice Bob carol Eve");
	peer_expect_list(p[2], "Bob carol dave Eve");
	peer_ask(p[1], p[3]); /* pending: both are busy */
	peer_expect_list(p[0], "alice carol");
	peer_accept(p[3], p[1]);
	peer_expect_list(p[0], "alice carol");
	peer_end_chat(p[1], p[3]);
	peer_expect_list(p[0], "alice Bob carol Eve");
	for (int i = 0; i < 5; i++)
		peer_free(p[i]);
	harness_free(h);
}
END_TEST

START_TEST(list_that_does_not_fit_is_cut_at_an_entry)
{
	struct harness *h = harness_start("relay.max_frame=1KiB", NULL);
	struct peer *p[40];
	struct buf want = BUF_INIT(4096);
	/* size_tot counts what surrounds the data, and an entry is size and name. */
	size_t fit = (1024 - RELAY_SEALED_MIN) / (4 + NAME_MAX_LEN);

	for (int i = 0; i < 40; i++) {
		char name[NAME_SIZE];

		snprintf(name, sizeof(name), "user-%02d-%024d", i, i);
		harness_add_user(h, name, KEY_EC_P256);
		p[i] = peer_login(h, name);
		if (i > 0 && (size_t)i <= fit)
			ck_assert_int_eq(
			    buf_printf(&want, "%s%s", want.len > 0 ? " " : "", name),
			    Q_OK);
	}
	ck_assert_int_eq(buf_put_u8(&want, 0), Q_OK);
	peer_expect_list(p[0], (const char *)want.p);
	for (int i = 0; i < 40; i++)
		peer_free(p[i]);
	buf_free(&want);
	harness_free(h);
}
END_TEST

START_TEST(names_in_any_case)
{
	struct harness *h = harness_start(NULL);
	struct peer *alice, *bob;

	harness_add_users(h, "Alice", "bob", NULL);
	bob = peer_login(h, "bob");
	alice = peer_login(h, "aLICE");
	peer_expect_list(bob, "Alice");
	/* What is shown is what was registered. */
	peer_request(bob, "ALICE");
	peer_expect_name(alice, RELAY_CHAT_REQUEST, "bob");
	peer_accept(alice, bob);
	peer_end_chat(alice, bob);
	peer_request(alice, "BOB");
	peer_expect_name(bob, RELAY_CHAT_REQUEST, "Alice");
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay chat");
	TCase *tc = harness_case(s, "chat");

	tcase_add_loop_test(tc, two_people_chat, 0, 4);
	tcase_add_test(tc, server_with_rsa_key);
	tcase_add_test(tc, chats_follow_each_other);
	tcase_add_test(tc, message_sizes);
	tcase_add_test(tc, larger_frames_when_configured);
	tcase_add_test(tc, passed_on_unread_and_in_order);
	tcase_add_test(tc, dropped_without_a_chat);
	tcase_add_test(tc, nothing_but_the_chat_before_it_is_accepted);
	tc = harness_case(s, "list");
	tcase_add_test(tc, list_has_who_is_free_in_order);
	tcase_add_test(tc, list_that_does_not_fit_is_cut_at_an_entry);
	tcase_add_test(tc, names_in_any_case);
	return harness_main(s);
}
