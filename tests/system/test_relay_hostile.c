/* SPDX-License-Identifier: MIT
 *
 * relay: a logged-in client that breaks the protocol gets 373 and is
 * disconnected, its partner gets 371, and nobody else notices anything.
 */
#include <string.h>

#include "tests/system/relay_peer.h"

static struct harness *h;
static struct peer *mallory, *bob, *carol, *dave;

static void
begin(const char *setting)
{
	h = harness_start(setting, NULL);
	harness_add_users(h, "mallory", "bob", "carol", "dave", NULL);
	mallory = peer_login(h, "mallory");
	bob = peer_login(h, "bob");
	carol = peer_login(h, "carol");
	dave = peer_login(h, "dave");
	peer_chat(mallory, bob);
	peer_talk(mallory, bob);
	peer_chat(carol, dave);
}

static void
thrown_out(void)
{
	peer_expect_forced_logout(mallory);
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	peer_expect_list(bob, "");
	peer_talk(carol, dave);
	peer_free(mallory);
	/* The door is open for a better mind. */
	mallory = peer_login(h, "mallory");
	peer_chat(bob, mallory);
	peer_talk(bob, mallory);
	peer_free(mallory);
	peer_free(bob);
	peer_free(carol);
	peer_free(dave);
	harness_free(h);
}

/* ---- sealed frames with a flaw ---- */

static const enum peer_flaw flaws[] = {
    PEER_BAD_TAG,        PEER_BAD_IV,           PEER_BAD_CT,       PEER_COUNTER_AHEAD,
    PEER_COUNTER_BEHIND, PEER_COUNTER_NEGATIVE, PEER_REFLECTED_IV, PEER_TOO_SHORT};

START_TEST(flawed_frame)
{
	begin(NULL);
	peer_send_flawed(mallory, RELAY_LIST, flaws[_i]);
	thrown_out();
}
END_TEST

START_TEST(replayed_frame)
{
	struct buf out = BUF_INIT(4096);

	begin(NULL);
	peer_say_into(mallory, &out, span_str("once"));
	peer_send_raw(mallory, buf_span(&out));
	peer_hear_text(bob, "once");
	peer_send_raw(mallory, buf_span(&out));
	buf_free(&out);
	thrown_out();
}
END_TEST

/* The server's own bytes, sent back.  The key is the same in both directions and
 * the counter is made to fit, so only the IV tells. */
START_TEST(reflected_frame)
{
	struct buf back = BUF_INIT(4096);

	begin(NULL);
	while (mallory->to_server.counter < mallory->from_server.counter)
		peer_send_bare(mallory, RELAY_NOTICE); /* gets no answer */
	while (mallory->to_server.counter > mallory->from_server.counter) {
		peer_say_text(bob, "to be counted");
		peer_hear_text(mallory, "to be counted");
	}
	peer_say_text(bob, "to be reflected");
	peer_take_raw(mallory, &back);
	peer_send_raw(mallory, buf_span(&back));
	buf_free(&back);
	peer_hear_text(mallory, "to be reflected");
	thrown_out();
}
END_TEST

/* ---- opcodes that are no client's to send ---- */

static const int32_t opcodes[] = {0,
				  1,
				  -1,
				  280,
				  281,
				  290,
				  291,
				  292,
				  300,
				  RELAY_CHAT_REQUEST_RECEIVED_DISTINCT,
				  RELAY_PEER_PUBLIC_KEY,
				  309,
				  349,
				  351,
				  RELAY_CLOSED_CHAT,
				  RELAY_FORCED_LOGOUT,
				  RELAY_LIST_DISTINCT,
				  377,
				  65536 + RELAY_LIST,
				  INT32_MAX,
				  INT32_MIN};

START_TEST(no_clients_opcode)
{
	begin(NULL);
	peer_send_text(mallory, opcodes[_i], "data");
	thrown_out();
}
END_TEST

/* ---- frames that are none ---- */

static const struct {
	const char *bytes;
	size_t len;
} frames[] = {
#define FRAME(s)                 \
	{                        \
		s, sizeof(s) - 1 \
	}
    FRAME("\x00\x00\x00\x00"),                 /* size 0 */
    FRAME("\x01\x00\x00\x00"),                 /* no room for tag and iv */
    FRAME("\x1c\x00\x00\x00"),                 /* 28: no ciphertext */
    FRAME("\x23\x00\x00\x00"),                 /* 35: no room for opcode and counter */
    FRAME("\x01\x00\x01\x00"),                 /* 65537 */
    FRAME("\xff\xff\xff\x7f"),                 /* INT32_MAX */
    FRAME("\x00\x00\x00\x80"),                 /* INT32_MIN */
    FRAME("\xff\xff\xff\xff"),                 /* -1 */
    FRAME("\xfc\xff\xff\xff\x22\x01\x00\x00"), /* clear frames after the handshake */
    FRAME("\xf5\xff\xff\xff\x22\x01\x00\x00\x07\x00\x00\x00"
	  "bob"),
    FRAME("\xfc\xff\xff\xff\x76\x01\x00\x00"),
    FRAME("\xfc\xff\xff\xff\x18\x01\x00\x00"),
};

START_TEST(no_frame)
{
	begin(NULL);
	peer_send_raw(mallory, span_of(frames[_i].bytes, frames[_i].len));
	thrown_out();
}
END_TEST

START_TEST(garbage_under_the_right_length)
{
	uint8_t raw[4 + 100] = {100};

	begin(NULL);
	memset(raw + 4, 0xa5, 100);
	peer_send_raw(mallory, span_of(raw, sizeof(raw)));
	thrown_out();
}
END_TEST

/* The limit is a setting. */
START_TEST(over_a_small_limit)
{
	uint8_t text[1100] = {0};

	begin("relay.max_frame=1KiB");
	peer_say(mallory, span_of(text, 1024 - 2 * RELAY_SEALED_MIN - RELAY_SIZE_LEN));
	peer_hear(bob, span_of(text, 1024 - 2 * RELAY_SEALED_MIN - RELAY_SIZE_LEN));
	peer_send_raw(mallory, span_of("\x01\x04\x00\x00", 4));
	thrown_out();
}
END_TEST

/* What came before the bad frame in one segment has happened. */
START_TEST(good_frames_before_a_bad_one)
{
	struct buf out = BUF_INIT(4096);

	begin(NULL);
	peer_say_into(mallory, &out, span_str("one"));
	peer_say_into(mallory, &out, span_str("two"));
	ck_assert_int_eq(buf_put_u32(&out, 0), Q_OK);
	peer_send_raw(mallory, buf_span(&out));
	buf_free(&out);
	peer_hear_text(bob, "one");
	peer_hear_text(bob, "two");
	thrown_out();
}
END_TEST

/* A refusal is in the log, with the address and the protocol. */
START_TEST(is_logged)
{
	begin(NULL);
	peer_send_flawed(mallory, RELAY_LIST, PEER_BAD_TAG);
	peer_expect_forced_logout(mallory);
	HARNESS_UNTIL(harness_logged(h, "relay") && harness_logged(h, "127.0.0.1"));
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	peer_free(mallory);
	peer_free(bob);
	peer_free(carol);
	peer_free(dave);
	harness_free(h);
}
END_TEST

#define LOOP(tc, fn, rows) \
	tcase_add_loop_test(tc, fn, 0, (int)(sizeof(rows) / sizeof((rows)[0])))

int
main(void)
{
	Suite *s = suite_create("relay hostile");
	TCase *tc = harness_case(s, "hostile");

	LOOP(tc, flawed_frame, flaws);
	tcase_add_test(tc, replayed_frame);
	tcase_add_test(tc, reflected_frame);
	LOOP(tc, no_clients_opcode, opcodes);
	LOOP(tc, no_frame, frames);
	tcase_add_test(tc, garbage_under_the_right_length);
	tcase_add_test(tc, over_a_small_limit);
	tcase_add_test(tc, good_frames_before_a_bad_one);
	tcase_add_test(tc, is_logged);
	return harness_main(s);
}
