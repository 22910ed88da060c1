/* SPDX-License-Identifier: MIT
 *
 * relay.codes = distinct: the clients that tell 301 and 302, 374 and 375 apart,
 * count a NUL behind every name, and take one recv for one frame.
 */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/system/relay_peer.h"

static struct harness *h;
static struct peer *alice, *bob;

static void
begin(void)
{
	h = harness_start("relay.codes=distinct", NULL);
	harness_add_users(h, "alice", "bob", NULL);
	alice = peer_login_distinct(h, "alice");
	bob = peer_login_distinct(h, "bob");
}

static void
end(void)
{
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}

START_TEST(a_whole_chat)
{
	begin();
	peer_expect_list(alice, "bob");
	peer_chat(alice, bob); /* 302 with the NUL is checked on the way */
	peer_talk(alice, bob);
	peer_end_chat(bob, alice);
	/* Some of them just close. */
	peer_chat(bob, alice);
	peer_free(bob);
	peer_expect_bare(alice, RELAY_CLOSED_CHAT);
	bob = peer_login_distinct(h, "bob");
	end();
}
END_TEST

START_TEST(list_entries_count_the_nul)
{
	begin();
	peer_send_bare(alice, RELAY_LIST);
	ck_assert(
	    span_eq(peer_expect(alice, RELAY_LIST_DISTINCT), span_of("\x04\x00\x00\x00"
								     "bob\0",
								     8)));
	end();
}
END_TEST

START_TEST(names_without_nul_are_taken_too)
{
	begin();
	peer_send_text(alice, RELAY_CHAT_REQUEST, "bob");
	peer_expect_name(bob, RELAY_CHAT_REQUEST_RECEIVED_DISTINCT, "alice");
	peer_accept(bob, alice);
	end();
}
END_TEST

/* And with it where the document's codes are served. */
START_TEST(names_with_nul_are_taken_by_the_document)
{
	h = harness_start(NULL);
	harness_add_users(h, "alice", "bob", NULL);
	bob = peer_login(h, "bob");
	alice = peer_connect(h);
	peer_hello_send_span(alice, span_of("alice", 6));
	peer_hello_receive(alice);
	peer_prove(alice, harness_key(h, "alice"));
	peer_expect_list(alice, "bob");
	peer_send(alice, RELAY_CHAT_REQUEST, span_of("bob", 4));
	peer_expect_name(bob, RELAY_CHAT_REQUEST, "alice");
	peer_accept(bob, alice);
	end();
}
END_TEST

START_TEST(hello_with_nul)
{
	begin();
	peer_free(alice);
	alice = peer_connect(h);
	alice->distinct = true;
	peer_hello_send_span(alice, span_of("alice", 6));
	peer_hello_receive(alice);
	peer_prove(alice, harness_key(h, "alice"));
	peer_expect_list(alice, "bob");
	end();
}
END_TEST

/* One recv, one frame: the first read of what has come is the whole frame. */
static void
one_read_one_frame(struct peer *p)
{
	struct buf got = BUF_INIT(1 << 20);
	struct relay_frame f;

	HARNESS_UNTIL(peer_readable(p));
	peer_take_raw(p, &got);
	ck_assert_int_eq(
	    relay_frame_next(buf_span(&got), RELAY_CLEAR_MAX, RELAY_SEALED_MAX, &f),
	    Q_OK);
	ck_assert_uint_eq(f.total, got.len);
	buf_free(&got);
}

START_TEST(frames_are_written_whole)
{
	struct peer *p;

	begin();
	p = peer_connect(h);
	peer_hello_send(p, "alice");
	one_read_one_frame(p); /* 291, certificate and all */
	peer_free(p);
	for (int i = 0; i < 10; i++) {
		peer_request(alice, "bob");
		one_read_one_frame(bob);
		peer_expect_name(bob, RELAY_CHAT_REQUEST_RECEIVED_DISTINCT, "alice");
		peer_send_bare(bob, RELAY_CHAT_ACCEPT);
		one_read_one_frame(bob);
		peer_expect(bob, RELAY_PEER_PUBLIC_KEY);
		one_read_one_frame(alice);
		peer_expect(alice, RELAY_CHAT_ACCEPT);
		peer_end_chat(alice, bob);
	}
	end();
}
END_TEST

/* Segments with data that p's socket has received: each write of the server is
 * at least one. */
static unsigned
segments(const struct peer *p)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	ck_assert_int_eq(getsockopt(p->fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_data_segs_in;
}

/* Also when there are several to write at once; no more than TCP lets go at once
 * (10 segments to begin with), or it would join them itself. */
START_TEST(frames_are_written_one_by_one)
{
	struct buf out = BUF_INIT(1 << 20);
	unsigned before;

	begin();
	peer_chat(alice, bob);
	before = segments(bob);
	for (int i = 0; i < 5; i++)
		peer_say_into(alice, &out, span_str("one of five"));
	peer_seal(alice, &out, RELAY_END_CHAT, span_str(""));
	peer_send_raw(alice, buf_span(&out));
	for (int i = 0; i < 5; i++)
		peer_hear_text(bob, "one of five");
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	ck_assert_uint_ge(segments(bob) - before, 6);
	/* Asked and withdrawn in one go. */
	out.len = 0;
	before = segments(bob);
	peer_seal(alice, &out, RELAY_CHAT_REQUEST, span_str("bob"));
	peer_seal(alice, &out, RELAY_END_CHAT, span_str(""));
	peer_send_raw(alice, buf_span(&out));
	peer_expect_name(bob, RELAY_CHAT_REQUEST_RECEIVED_DISTINCT, "alice");
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	ck_assert_uint_ge(segments(bob) - before, 2);
	buf_free(&out);
	end();
}
END_TEST

/* 302 and 375 are the server's, here as there. */
START_TEST(distinct_codes_are_the_servers)
{
	begin();
	peer_send_bare(alice, _i == 0 ? RELAY_LIST_DISTINCT
				      : RELAY_CHAT_REQUEST_RECEIVED_DISTINCT);
	peer_expect_forced_logout(alice);
	peer_expect_list(bob, "");
	end();
}
END_TEST

/* The older clients know no reason; one that asks for notices is none of them. */
START_TEST(reasons_for_those_who_know_them)
{
	begin();
	peer_send_bare(alice, RELAY_NOTICE);
	peer_expect_list(alice, "bob");
	harness_admin(h, "ctl", "kick", "alice", "enough", NULL);
	harness_admin(h, "ctl", "kick", "bob", "enough", NULL);
	ck_assert(span_eq(peer_expect(alice, RELAY_FORCED_LOGOUT), span_str("enough")));
	ck_assert_uint_eq(peer_expect(bob, RELAY_FORCED_LOGOUT).len, 0);
	end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay distinct");
	TCase *tc = harness_case(s, "distinct");

	tcase_add_test(tc, a_whole_chat);
	tcase_add_test(tc, list_entries_count_the_nul);
	tcase_add_test(tc, names_without_nul_are_taken_too);
	tcase_add_test(tc, names_with_nul_are_taken_by_the_document);
	tcase_add_test(tc, hello_with_nul);
	tcase_add_test(tc, frames_are_written_whole);
	tcase_add_test(tc, frames_are_written_one_by_one);
	tcase_add_loop_test(tc, distinct_codes_are_the_servers, 0, 2);
	tcase_add_test(tc, reasons_for_those_who_know_them);
	return harness_main(s);
}
