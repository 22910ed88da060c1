/* SPDX-License-Identifier: MIT
 *
 * relay: bytes arrive as they please, or not at all.
 */
#include <string.h>

#include "tests/system/relay_peer.h"

static struct harness *h;
static struct peer *alice, *bob;

static void
begin(const char *setting)
{
	h = harness_start(setting, NULL);
	harness_add_users(h, "alice", "bob", NULL);
}

static void
end(void)
{
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}

/* ---- pieces ---- */

START_TEST(one_byte_at_a_time)
{
	struct buf out = BUF_INIT(65536);

	begin(NULL);
	bob = peer_login(h, "bob");
	alice = peer_connect(h);
	alice->drips = true; /* the handshake too */
	peer_hello(alice, "alice");
	peer_prove(alice, harness_key(h, "alice"));
	peer_expect_list(alice, "bob");
	peer_chat(alice, bob);
	peer_say_into(alice, &out, span_str("drop by drop"));
	peer_say_into(alice, &out, span_str("and again"));
	peer_send_raw(alice, buf_span(&out));
	peer_hear_text(bob, "drop by drop");
	peer_hear_text(bob, "and again");
	buf_free(&out);
	end();
}
END_TEST

START_TEST(many_frames_in_one_segment)
{
	struct buf out = BUF_INIT(1 << 20);

	begin(NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_chat(alice, bob);
	for (int i = 0; i < 500; i++)
		peer_say_into(alice, &out, span_str("one of many"));
	peer_seal(alice, &out, RELAY_END_CHAT, span_str(""));
	peer_seal(alice, &out, RELAY_LIST, span_str(""));
	peer_send_raw(alice, buf_span(&out));
	for (int i = 0; i < 500; i++)
		peer_hear_text(bob, "one of many");
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	peer_expect(alice, RELAY_LIST);
	buf_free(&out);
	end();
}
END_TEST

/* The proof and what follows it need not wait for each other. */
START_TEST(frames_right_behind_the_proof)
{
	struct buf out = BUF_INIT(65536);

	begin(NULL);
	bob = peer_login(h, "bob");
	alice = peer_connect(h);
	peer_hello(alice, "alice");
	alice->held = &out;
	peer_prove(alice, harness_key(h, "alice"));
	peer_request(alice, "bob");
	alice->held = NULL;
	peer_send_raw(alice, buf_span(&out));
	peer_expect_name(bob, RELAY_CHAT_REQUEST, "alice");
	buf_free(&out);
	end();
}
END_TEST

/* Cut at every place: the server goes on where the bytes go on. */
START_TEST(two_pieces_at_every_cut)
{
	begin(NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_chat(alice, bob);
	for (size_t cut = 1;; cut++) {
		struct buf out = BUF_INIT(4096);

		peer_say_into(alice, &out, span_str("in two"));
		if (cut >= out.len) {
			buf_free(&out);
			break;
		}
		peer_send_raw(alice, span_of(out.p, cut));
		peer_say_text(bob, "go on");
		peer_hear_text(alice, "go on");
		peer_send_raw(alice, span_of(out.p + cut, out.len - cut));
		peer_hear_text(bob, "in two");
		buf_free(&out);
	}
	end();
}
END_TEST

/* ---- who stalls, stalls alone ---- */

START_TEST(half_a_frame_stalls_nobody)
{
	struct peer *carol, *dave, *lazy[3];

	begin(NULL);
	harness_add_users(h, "carol", "dave", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	carol = peer_login(h, "carol");
	dave = peer_login(h, "dave");
	/* Half a size field, half a hello, half a proof, half a sealed frame. */
	for (int i = 0; i < 3; i++)
		lazy[i] = peer_connect(h);
	peer_send_raw(lazy[0], span_of("\xf5\xff", 2));
	peer_send_raw(lazy[1], span_of("\xf5\xff\xff\xff\x22\x01", 6));
	peer_hello(lazy[2], "alice");
	peer_send_raw(lazy[2], span_of("\x00\xff\xff\xff\x24\x01\x00\x00half", 12));
	peer_chat(alice, bob);
	peer_send_raw(alice, span_of("\x30\x00\x00\x00half", 8));

	peer_chat(carol, dave);
	for (int i = 0; i < 50; i++)
		peer_talk(carol, dave);
	/* Not even the partner: what it says arrives. */
	peer_say_text(bob, "can you hear me?");
	peer_hear_text(alice, "can you hear me?");
	for (int i = 0; i < 3; i++)
		peer_free(lazy[i]);
	peer_free(carol);
	peer_free(dave);
	end();
}
END_TEST

/* ---- silence ---- */

static void
closed_for_silence(struct peer *p, int64_t since)
{
	peer_drain(p);
	ck_assert_int_ge(clock_mono_ms() - since, 450);
}

START_TEST(silence_before_the_login)
{
	struct peer *p[4];
	int64_t since;

	begin(NULL);
	harness_reload(h, "limits.handshake_timeout=500ms", NULL);
	since = clock_mono_ms();
	for (int i = 0; i < 4; i++)
		p[i] = peer_connect(h);
	peer_send_raw(p[1], span_of("\xf5\xff\xff", 3));
	peer_send_raw(p[2], span_of("\xf5\xff\xff\xff\x22\x01\x00\x00", 8));
	peer_hello(p[3], "alice");
	for (int i = 0; i < 4; i++) {
		closed_for_silence(p[i], since);
		peer_free(p[i]);
	}
	harness_reload(h, NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	end();
}
END_TEST

/* A deadline, not a time-out: who trickles does not start it again. */
START_TEST(trickle_before_the_login)
{
	int64_t since, until;
	struct peer *p;
	uint8_t hello[300] = {0xd8, 0xfe, 0xff, 0xff, 0x22, 0x01};

	begin("limits.handshake_timeout=500ms");
	since = clock_mono_ms();
	p = peer_connect(h);
	until = harness_deadline(HARNESS_WAIT);
	/* As many as there is time for; the last one, which would complete it, never. */
	for (size_t i = 0; !peer_readable(p); i++) {
		if (i < sizeof(hello) - 1 && peer_try_raw(p, span_of(hello + i, 1)) == 0)
			break;
		harness_nap(until, "the server closes");
		harness_nap(until, "the server closes");
	}
	closed_for_silence(p, since);
	peer_free(p);
	end();
}
END_TEST

/* After the login there is none: a chat may be quiet. */
START_TEST(silence_after_the_login)
{
	struct peer *p;

	begin("limits.handshake_timeout=2s");
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_chat(alice, bob);
	p = peer_connect(h);
	peer_drain(p); /* the deadline has passed for one that began later */
	peer_free(p);
	peer_talk(alice, bob);
	end();
}
END_TEST

/* ---- garbage instead of a first frame ---- */

static const struct {
	const char *bytes;
	size_t len;
} first[] = {
#define BYTES(s)                 \
	{                        \
		s, sizeof(s) - 1 \
	}
    BYTES("\x00\x00\x00\x00"),
    BYTES("\x40\x00\x00\x00 a sealed frame before the handshake"),
    BYTES("\xff\xdf\xff\xff"),             /* -8193: larger than a handshake may be */
    BYTES("\xff\xff\xff\xff"),             /* -1 */
    BYTES("\xfd\xff\xff\xff\x22\x01\x00"), /* -3: no opcode */
    BYTES("\x7f"
	  "ELF\x02\x01\x01"),
    BYTES("\xfc\xff\xff\xff\x23\x01\x00\x00"), /* 291, 281: the server's */
    BYTES("\xfc\xff\xff\xff\x19\x01\x00\x00"),
    BYTES("\xfc\xff\xff\xff\x24\x01\x00\x00"), /* 292 first */
    BYTES("\xfc\xff\xff\xff\x76\x01\x00\x00"), /* 374 in the clear */
    BYTES("\xfc\xff\xff\xff\x22\x01\x00\x00"), /* 290 without a nonce */
    BYTES("\xfc\xff\xff\xff\x18\x01\x00\x00"), /* 280 without anything */
    BYTES("\xf8\xff\xff\xff\x18\x01\x00\x00\xff\xff\xff\xff"),
};

START_TEST(garbage_first)
{
	struct peer *p;

	begin(NULL);
	alice = peer_login(h, "alice");
	p = peer_connect(h);
	peer_send_raw(p, span_of(first[_i].bytes, first[_i].len));
	peer_expect_end(p);
	peer_free(p);
	peer_expect_list(alice, "");
	end();
}
END_TEST

#define LOOP(tc, fn, rows) \
	tcase_add_loop_test(tc, fn, 0, (int)(sizeof(rows) / sizeof((rows)[0])))

int
main(void)
{
	Suite *s = suite_create("relay framing");
	TCase *tc = harness_case(s, "framing");

	tcase_add_test(tc, one_byte_at_a_time);
	tcase_add_test(tc, many_frames_in_one_segment);
	tcase_add_test(tc, frames_right_behind_the_proof);
	tcase_add_test(tc, two_pieces_at_every_cut);
	tcase_add_test(tc, half_a_frame_stalls_nobody);
	tcase_add_test(tc, silence_before_the_login);
	tcase_add_test(tc, trickle_before_the_login);
	tcase_add_test(tc, silence_after_the_login);
	LOOP(tc, garbage_first, first);
	return harness_main(s);
}
