/* SPDX-License-Identifier: MIT
 *
 * nodes: calls within one server, and who is let in on a data connection.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/system/nodes_peer.h"

static struct harness *h;
static struct nodes_peer *alice, *bob, *carol;

static void
log_in_all(void)
{
	harness_add_users(h, "alice", "bob", "carol", NULL);
	alice = nodes_login(h, "alice");
	bob = nodes_login(h, "bob");
	carol = nodes_login(h, "carol");
}

static void
end_all(void)
{
	nodes_expect_nothing(alice);
	nodes_expect_nothing(bob);
	nodes_expect_nothing(carol);
	nodes_close(alice);
	nodes_close(bob);
	nodes_close(carol);
	harness_free(h);
}

static void
setup(void)
{
	h = harness_start(NULL);
	log_in_all();
}

/* alice has called, bob has allowed it, and nobody's data connection is there. */
static void
allow_call(void)
{
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_say(bob, NODES_ALLOW, alice->uin);
}

static void
say_across(struct nodes_peer *data[2])
{
	for (int i = 0; i < 2; i++) {
		nodes_send_bytes(data[i], span_str("hello, other side"));
		nodes_expect_bytes(data[1 - i], span_str("hello, other side"));
	}
}

/* ---- calls that come about ---- */

START_TEST(each_hangs_up_once)
{
	struct nodes_peer *data[2];

	setup();
	for (int first = 0; first < 2; first++) {
		nodes_call(h, alice, h, bob, data);
		say_across(data);
		nodes_close(data[first]);
		nodes_expect_end(data[1 - first]);
		nodes_close(data[1 - first]);
		/* Control connections hear nothing of it. */
		nodes_expect_nothing(alice);
		nodes_expect_nothing(bob);
	}
	end_all();
}
END_TEST

START_TEST(several_calls)
{
	struct nodes_peer *ab[2], *bc[2], *ca[2];

	setup();
	nodes_call(h, alice, h, bob, ab);
	nodes_call(h, bob, h, carol, bc);
	nodes_call(h, carol, h, alice, ca);
	say_across(ca);
	say_across(ab);
	say_across(bc);
	nodes_close(ab[0]);
	nodes_expect_end(ab[1]);
	say_across(bc);
	nodes_close(ab[1]);
	for (int i = 0; i < 2; i++) {
		nodes_close(bc[i]);
		nodes_close(ca[i]);
	}
	end_all();
}
END_TEST

START_TEST(a_pair_has_one_call)
{
	struct nodes_peer *data[2];

	setup();
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	/* Once more changes nothing; the other way round it cannot be. */
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect_nothing(alice);
	nodes_expect_nothing(bob);
	nodes_say(bob, NODES_CALL, alice->uin);
	nodes_expect(bob, NODES_NOT_FOUND, alice->uin);
	nodes_say(bob, NODES_ALLOW, alice->uin);
	data[1] = nodes_data_open(h, NULL, alice->uin, bob->uin);
	nodes_expect(alice, NODES_READY, bob->uin);
	data[0] = nodes_data_open(h, NULL, alice->uin, bob->uin);
	say_across(data);
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(alice, NODES_NOT_FOUND, bob->uin);
	nodes_say(bob, NODES_CALL, alice->uin);
	nodes_expect(bob, NODES_NOT_FOUND, alice->uin);
	say_across(data);
	nodes_close(data[0]);
	nodes_close(data[1]);
	end_all();
}
END_TEST

/* A new call may overtake the end of the last one: it comes by another connection. */
START_TEST(called_back_at_once)
{
	struct nodes_peer *data[2];

	setup();
	for (int first = 0; first < 2; first++) {
		nodes_call(h, alice, h, bob, data);
		say_across(data);
		nodes_say(bob, NODES_CALL, alice->uin);
		nodes_close(data[first]);
		nodes_expect(alice, NODES_CALLED, bob->uin);
		nodes_expect_end(data[1 - first]);
		nodes_close(data[1 - first]);
		nodes_say(alice, NODES_REFUSE, bob->uin);
		nodes_expect(bob, NODES_NOT_FOUND, alice->uin);
	}
	end_all();
}
END_TEST

/* ---- calls that do not ---- */

START_TEST(refused)
{
	setup();
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_say(bob, NODES_REFUSE, alice->uin);
	nodes_expect(alice, NODES_NOT_FOUND, bob->uin);
	/* It is over: a second answer means nothing, or that. */
	nodes_say(bob, NODES_REFUSE, alice->uin);
	nodes_expect_nothing(bob);
	nodes_say(bob, NODES_ALLOW, alice->uin);
	nodes_expect(bob, NODES_NOT_FOUND, alice->uin);
	/* Only the callee answers. */
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_say(alice, NODES_ALLOW, bob->uin);
	nodes_expect(alice, NODES_NOT_FOUND, bob->uin);
	nodes_say(carol, NODES_ALLOW, alice->uin);
	nodes_expect(carol, NODES_NOT_FOUND, alice->uin);
	nodes_say(carol, NODES_REFUSE, alice->uin);
	nodes_expect_nothing(alice);
	nodes_say(bob, NODES_REFUSE, alice->uin);
	nodes_expect(alice, NODES_NOT_FOUND, bob->uin);
	end_all();
}
END_TEST

START_TEST(nobody_there)
{
	struct nodes_peer *dave;
	uint32_t nobody = 1, uin;

	setup();
	harness_add_users(h, "dave", NULL);
	dave = nodes_login(h, "dave");
	uin = dave->uin;
	nodes_close(dave);
	while (nobody == alice->uin || nobody == bob->uin || nobody == carol->uin ||
	       nobody == uin)
		nobody++;
	nodes_say(alice, NODES_CALL, nobody);
	nodes_expect(alice, NODES_NOT_FOUND, nobody);
	nodes_say(alice, NODES_CALL, alice->uin);
	nodes_expect(alice, NODES_NOT_FOUND, alice->uin);
	nodes_say(alice, NODES_ALLOW, nobody);
	nodes_expect(alice, NODES_NOT_FOUND, nobody);
	HARNESS_UNTIL(harness_logged(h, "logout"));
	nodes_say(alice, NODES_CALL, uin);
	nodes_expect(alice, NODES_NOT_FOUND, uin);
	end_all();
}
END_TEST

START_TEST(somebody_leaves)
{
	struct nodes_peer *data;
	uint32_t alice_uin, carol_uin;

	setup();
	alice_uin = alice->uin;
	carol_uin = carol->uin;
	/* The caller; the callee has not answered, */
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_close(alice);
	nodes_expect(bob, NODES_NOT_FOUND, alice_uin);
	/* or has, and is there. */
	alice = nodes_login(h, "alice");
	allow_call();
	data = nodes_data_open(h, NULL, alice->uin, bob->uin);
	nodes_expect(alice, NODES_READY, bob->uin);
	nodes_close(alice);
	nodes_expect_end(data);
	nodes_close(data);
	/* The callee; */
	alice = nodes_login(h, "alice");
	nodes_say(alice, NODES_CALL, carol->uin);
	nodes_expect(carol, NODES_CALLED, alice->uin);
	nodes_close(carol);
	nodes_expect(alice, NODES_NOT_FOUND, carol_uin);
	carol = nodes_login(h, "carol");
	/* its data connection, before the caller's is in. */
	allow_call();
	data = nodes_data_open(h, NULL, alice->uin, bob->uin);
	nodes_expect(alice, NODES_READY, bob->uin);
	nodes_close(data);
	nodes_expect(alice, NODES_NOT_FOUND, bob->uin);
	end_all();
}
END_TEST

START_TEST(nobody_answers)
{
	int64_t began;

	h = harness_start("nodes.call_timeout=400ms", NULL);
	log_in_all();
	began = clock_mono_ms();
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_expect(alice, NODES_NOT_FOUND, bob->uin);
	ck_assert_int_ge(clock_mono_ms() - began, 400);
	nodes_expect(bob, NODES_NOT_FOUND, alice->uin);
	nodes_say(bob, NODES_ALLOW, alice->uin);
	nodes_expect(bob, NODES_NOT_FOUND, alice->uin);
	end_all();
}
END_TEST

START_TEST(data_that_does_not_come)
{
	struct nodes_peer *data;

	h = harness_start(NULL);
	log_in_all();
	harness_reload(h, "nodes.data_timeout=300ms", NULL);
	/* The callee's: both hear that the call is over. */
	allow_call();
	nodes_expect(alice, NODES_NOT_FOUND, bob->uin);
	nodes_expect(bob, NODES_NOT_FOUND, alice->uin);
	/* The caller's: the callee's is closed, and the caller knows. */
	harness_reload(h, "nodes.data_timeout=2s", NULL);
	allow_call();
	data = nodes_data_open(h, NULL, alice->uin, bob->uin);
	nodes_expect(alice, NODES_READY, bob->uin);
	nodes_expect_end(data);
	nodes_close(data);
	/* Who comes in time stays for as long as it likes. */
	allow_call();
	data = nodes_data_open(h, NULL, alice->uin, bob->uin);
	nodes_expect(alice, NODES_READY, bob->uin);
	{
		struct nodes_peer *pair[2] = {
		    nodes_data_open(h, NULL, alice->uin, bob->uin), data};
		int64_t until = clock_mono_ms() + 2500, deadline;

		deadline = harness_deadline(HARNESS_WAIT);
		while (clock_left_ms(until) > 0)
			harness_nap(deadline, "more than the time has passed");
		say_across(pair);
		nodes_close(pair[0]);
		nodes_close(pair[1]);
	}
	end_all();
}
END_TEST

/* ---- who is let in ---- */

/* Both at once, since each is held for two seconds: it might be early. */
START_TEST(strangers)
{
	struct nodes_peer *wrong[6];
	struct nodes_peer *data[2];
	int64_t began;

	setup();
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	began = clock_mono_ms();
	wrong[0] = nodes_data_open(h, "127.0.0.2", alice->uin, bob->uin);
	wrong[1] = nodes_data_open(h, NULL, bob->uin, alice->uin);
	wrong[2] = nodes_data_open(h, NULL, alice->uin, carol->uin);
	wrong[3] = nodes_data_open(h, NULL, carol->uin, bob->uin);
	wrong[4] = nodes_data_open(h, NULL, 0, 0);
	wrong[5] = nodes_data_open(h, NULL, alice->uin, alice->uin);
	nodes_say(bob, NODES_ALLOW, alice->uin);
	data[1] = nodes_data_open(h, NULL, alice->uin, bob->uin);
	nodes_expect(alice, NODES_READY, bob->uin);
	data[0] = nodes_data_open(h, NULL, alice->uin, bob->uin);
	say_across(data);
	for (int i = 0; i < 6; i++) {
		nodes_expect_end(wrong[i]);
		nodes_close(wrong[i]);
	}
	ck_assert_int_ge(clock_mono_ms() - began, 1500);
	/* A third one has no place, and does no harm. */
	wrong[0] = nodes_data_open(h, NULL, alice->uin, bob->uin);
	nodes_send_bytes(wrong[0], span_str("let me say something, too"));
	nodes_expect_end(wrong[0]);
	nodes_close(wrong[0]);
	say_across(data);
	nodes_close(data[0]);
	nodes_close(data[1]);
	end_all();
}
END_TEST

START_TEST(from_another_address)
{
	struct nodes_peer *data[2], *near;

	h = harness_start(NULL);
	harness_add_users(h, "alice", "bob", "carol", NULL);
	alice = nodes_login(h, "alice");
	carol = nodes_login(h, "carol");
	bob = nodes_control_open(h, "127.0.0.2", harness_key(h, "bob"), "bob");
	ck_assert_ptr_nonnull(bob);
	{
		struct nodes_message who = {.type = NODES_WHO_NAME};

		nodes_send(bob, &who);
		bob->uin = nodes_hear(bob).uin;
	}
	allow_call();
	near = nodes_data_open(h, NULL, alice->uin, bob->uin);
	data[1] = nodes_data_open(h, "127.0.0.2", alice->uin, bob->uin);
	nodes_expect(alice, NODES_READY, bob->uin);
	/* The one that came too early for alice is held, and taken for hers. */
	data[0] = near;
	say_across(data);
	nodes_close(data[0]);
	nodes_close(data[1]);
	end_all();
}
END_TEST

START_TEST(data_overtakes_control)
{
	struct nodes_peer *data[2];

	setup();
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	/* Both twenties are there before the six. */
	data[1] = nodes_data_open(h, NULL, alice->uin, bob->uin);
	nodes_send_bytes(data[1], span_str("early words"));
	nodes_expect_nothing(bob);
	nodes_say(bob, NODES_ALLOW, alice->uin);
	nodes_expect(alice, NODES_READY, bob->uin);
	data[0] = nodes_data_open(h, NULL, alice->uin, bob->uin);
	nodes_expect_bytes(data[0], span_str("early words"));
	say_across(data);
	nodes_close(data[0]);
	nodes_close(data[1]);
	end_all();
}
END_TEST

/* Connections that the server knows to speak nodes. */
static int
connections(void)
{
	struct buf said = BUF_INIT(65536);
	const char *at;
	int n = 0;

	ck_assert_int_eq(harness_command(h, &said, "ctl", "sessions", NULL), 0);
	ck_assert_int_eq(buf_put_u8(&said, '\0'), Q_OK);
	for (at = (const char *)said.p; (at = strstr(at, "nodes")) != NULL; at++)
		n++;
	buf_free(&said);
	return n;
}

/* One that came too early and has closed again does not take the place of the next. */
START_TEST(data_that_was_given_up)
{
	struct nodes_peer *data[2], *before;

	setup();
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	before = nodes_data_open(h, NULL, alice->uin, bob->uin);
	HARNESS_UNTIL(connections() == 3);
	nodes_close(before);
	nodes_say(bob, NODES_ALLOW, alice->uin);
	nodes_expect_nothing(bob);
	data[1] = nodes_data_open(h, NULL, alice->uin, bob->uin);
	nodes_expect(alice, NODES_READY, bob->uin);
	data[0] = nodes_data_open(h, NULL, alice->uin, bob->uin);
	say_across(data);
	nodes_close(data[0]);
	nodes_close(data[1]);
	end_all();
}
END_TEST

/* ---- bytes do not care for packets ---- */

/* Send in pieces of random length, often many messages at once. */
static void
send_in_pieces(struct nodes_peer *p, struct span bytes)
{
	while (bytes.len > 0) {
		size_t n = 1 + (size_t)rand() % 40;

		if (n > bytes.len)
			n = bytes.len;
		nodes_send_bytes(p, span_of(bytes.p, n));
		bytes = span_of(bytes.p + n, bytes.len - n);
		if (rand() % 4 == 0)
			usleep((useconds_t)(rand() % 2000));
	}
}

static void
put(struct buf *b, const struct nodes_message *m)
{
	ck_assert_int_eq(nodes_put(b, m), Q_OK);
}

START_TEST(split_and_merged)
{
	struct buf b = BUF_INIT(1 << 20);

	setup();
	srand((unsigned)_i);
	for (int i = 0; i < 20; i++) {
		put(&b, &(struct nodes_message){.type = NODES_PING,
						.two = {(uint8_t)_i, (uint8_t)i}});
		put(&b, &(struct nodes_message){.type = NODES_CALL, .uin = bob->uin});
		if (i % 4 == 0)
			put(&b, &(struct nodes_message){.type = NODES_WHO_NAME,
							.bytes = span_str("bob")});
		put(&b, &(struct nodes_message){.type = NODES_REFUSE, .uin = 7});
		put(&b, &(struct nodes_message){.type = NODES_CALL, .uin = alice->uin});
		if (i % 4 == 1)
			put(&b, &(struct nodes_message){.type = NODES_ASK_NODES});
	}
	send_in_pieces(alice, buf_span(&b));
	for (int i = 0; i < 20; i++) {
		struct nodes_message m = nodes_hear(alice);

		ck_assert_int_eq(m.type, NODES_PONG);
		ck_assert_uint_eq(m.two[0], (uint8_t)_i);
		ck_assert_int_eq(m.two[1], i);
		if (i % 4 == 0)
			nodes_expect(alice, NODES_WHO_IS, bob->uin);
		nodes_expect(alice, NODES_NOT_FOUND, alice->uin);
		if (i % 4 == 1)
			ck_assert_int_eq(nodes_hear(alice).type, NODES_LIST);
	}
	nodes_expect(bob, NODES_CALLED, alice->uin);
	buf_free(&b);
	end_all();
}
END_TEST

/* The clear messages byte by byte, and the data connection's with what follows. */
START_TEST(byte_by_byte)
{
	static const uint8_t hello[4] = {0xCA, 0xCA, 1, 0};
	struct nodes_peer *data[2];
	struct buf b = BUF_INIT(64);
	uint8_t ok[4];
	int fd, one = 1;

	setup();
	fd = nodes_dial(h, NULL);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(send(fd, hello + i, 1, 0), 1);
		usleep(2000);
	}
	ck_assert_int_eq(recv(fd, ok, 4, MSG_WAITALL), 4);
	ck_assert_mem_eq(ok, "\x01\x01OK", 4);
	fd = nodes_tls(h, fd, harness_key(h, "alice"), "alice");
	ck_assert_int_ne(fd, -1);
	nodes_expect(alice, NODES_NOT_FOUND, alice->uin);
	nodes_expect_end(alice);
	close(alice->fd);
	alice->fd = fd;

	allow_call();
	put(&b, &(struct nodes_message){
		    .type = NODES_DATA_HELLO, .uin = alice->uin, .uin2 = bob->uin});
	ck_assert_int_eq(buf_put(&b, "at once", 7), Q_OK);
	for (int i = 1; i >= 0; i--) {
		data[i] = nodes_data_open(h, NULL, 0, 0);
		close(data[i]->fd);
		data[i]->fd = nodes_dial(h, NULL);
		for (size_t at = 0; at < 9; at++) {
			nodes_send_bytes(data[i], span_of(b.p + at, 1));
			usleep(1000);
		}
		nodes_send_bytes(data[i], span_of(b.p + 9, b.len - 9));
		if (i == 1)
			nodes_expect(alice, NODES_READY, bob->uin);
	}
	nodes_expect_bytes(data[0], span_str("at once"));
	nodes_expect_bytes(data[1], span_str("at once"));
	say_across(data);
	nodes_close(data[0]);
	nodes_close(data[1]);
	buf_free(&b);
	end_all();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("nodes-local");
	TCase *tc = harness_case(suite, "calls");

	tcase_add_test(tc, each_hangs_up_once);
	tcase_add_test(tc, several_calls);
	tcase_add_test(tc, a_pair_has_one_call);
	tcase_add_test(tc, called_back_at_once);
	tc = harness_case(suite, "no-calls");
	tcase_add_test(tc, refused);
	tcase_add_test(tc, nobody_there);
	tcase_add_test(tc, somebody_leaves);
	tcase_add_test(tc, nobody_answers);
	tcase_add_test(tc, data_that_does_not_come);
	tc = harness_case(suite, "admission");
	tcase_add_test(tc, strangers);
	tcase_add_test(tc, from_another_address);
	tcase_add_test(tc, data_overtakes_control);
	tcase_add_test(tc, data_that_was_given_up);
	tc = harness_case(suite, "bytes");
	tcase_add_loop_test(tc, split_and_merged, 0, 4);
	tcase_add_test(tc, byte_by_byte);
	return harness_main(suite);
}
