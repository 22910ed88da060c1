/* SPDX-License-Identifier: MIT
 *
 * nodes: control connections. Who may log in, what a login replaces, and what is said
 * besides calls.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/system/nodes_peer.h"
#include "tests/system/tls_peer.h"

/* Nothing but an end comes from fd within the usual time; closes it. */
static void
expect_closed(int fd)
{
	struct timeval tv = {clock_left_ms(harness_deadline(HARNESS_WAIT)) / 1000, 0};
	uint8_t byte;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	n = recv(fd, &byte, 1, 0);
	if (n > 0 || (n < 0 && errno == EAGAIN))
		harness_fail(n > 0 ? "%02X came, and the end was expected"
				   : "it is not closed (%02X)",
			     n > 0 ? byte : 0);
	close(fd);
}

/* ---- the greeting ---- */

START_TEST(other_version)
{
	struct harness *h = harness_start(NULL);
	uint8_t answer[4];
	int fd = nodes_dial(h, NULL);

	ck_assert_int_eq(send(fd, "\xCA\xCA\x02\x00", 4, 0), 4);
	ck_assert_int_eq(recv(fd, answer, 4, MSG_WAITALL), 4);
	ck_assert_mem_eq(answer, "\x02\x02\x01\x00", 4);
	expect_closed(fd);
	/* The major number decides. */
	fd = nodes_dial(h, NULL);
	ck_assert_int_eq(nodes_greet(fd, NODES_CLIENT_HELLO, 1, 7), NODES_OK);
	close(fd);
	harness_free(h);
}
END_TEST

START_TEST(half_a_handshake)
{
	struct harness *h = harness_start(NULL);
	struct nodes_peer *alice;
	uint8_t hello[16];
	int fd;

	harness_add_users(h, "alice", NULL);
	harness_reload(h, "limits.handshake_timeout=2s", NULL);
	fd = nodes_dial(h, NULL);
	ck_assert_int_eq(send(fd, "\xCA\xCA\x01", 3, 0), 3);
	HARNESS_AT(expect_closed(fd));
	/* Half of the ten bytes of a data connection. */
	fd = nodes_dial(h, NULL);
	ck_assert_int_eq(send(fd, "\x20\x20\x01\x00\x00", 5, 0), 5);
	HARNESS_AT(expect_closed(fd));
	/* In the middle of TLS: the server has said hello, and waits. */
	fd = nodes_dial(h, NULL);
	ck_assert_int_eq(nodes_greet(fd, NODES_CLIENT_HELLO, 1, 0), NODES_OK);
	ck_assert_int_eq(recv(fd, hello, 1, 0), 1);
	ck_assert_uint_eq(hello[0], 0x16);
	ck_assert_int_eq(send(fd, "\x16\x03\x03\x00\x7a\x02", 6, 0), 6);
	while (recv(fd, hello, sizeof(hello), 0) > 0)
		;
	close(fd);
	/* Rubbish instead of it. */
	fd = nodes_dial(h, NULL);
	ck_assert_int_eq(nodes_greet(fd, NODES_CLIENT_HELLO, 1, 0), NODES_OK);
	ck_assert_int_eq(send(fd, "\x03\x03\x01\x02\x03\x04\x05\x06", 8, 0), 8);
	while (recv(fd, hello, sizeof(hello), 0) > 0)
		;
	close(fd);
	harness_reload(h, NULL);
	alice = nodes_login(h, "alice");
	nodes_close(alice);
	harness_free(h);
}
END_TEST

START_TEST(never_inside_tls)
{
	struct harness *h = harness_start(NULL);
	int fd = tls_peer_wrap(h, tls_peer_connect(h));

	ck_assert_int_eq(send(fd, "\xCA\xCA\x01\x00", 4, 0), 4);
	HARNESS_AT(expect_closed(fd));
	harness_free(h);
}
END_TEST

START_TEST(not_served)
{
	struct harness *h = harness_start("nodes.enabled=no", NULL);
	int fd = nodes_dial(h, NULL);

	ck_assert_int_eq(nodes_greet(fd, NODES_CLIENT_HELLO, 1, 0), 0);
	close(fd);
	harness_free(h);
}
END_TEST

/* ---- who may be whom ---- */

/* Drop the public half of the key in as that of another user. */
static void
share_key(struct harness *h, const struct key *key, const char *name)
{
	struct buf pem = BUF_INIT(16384);
	char path[64];

	snprintf(path, sizeof(path), "pems/%s.pem", name);
	ck_assert_int_eq(key_public_pem(key, &pem), Q_OK);
	harness_write(h, path, buf_span(&pem));
	buf_free(&pem);
}

/* The UIN that key and cn log in as; 0: refused. */
static uint32_t
log_in_as(struct harness *h, const struct key *key, const char *cn)
{
	struct nodes_message who = {.type = NODES_WHO_NAME};
	struct nodes_peer *p = nodes_control_open(h, NULL, key, cn);

	if (p == NULL)
		return 0;
	nodes_send(p, &who);
	who = nodes_hear(p);
	ck_assert_int_eq(who.type, NODES_WHO_IS);
	nodes_close(p);
	return who.uin;
}

START_TEST(certificates)
{
	struct harness *h = harness_start("limits.login_failures=0", NULL);
	const struct key *alice, *bob;
	uint32_t alice_uin, bob_uin;
	struct key *unknown;
	char number[16];

	harness_add_user(h, "alice", KEY_EC_P256);
	harness_add_user(h, "bob", KEY_RSA);
	alice = harness_key(h, "alice");
	bob = harness_key(h, "bob");
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &unknown), Q_OK);
	alice_uin = log_in_as(h, alice, "alice");
	bob_uin = log_in_as(h, bob, "bob");
	ck_assert_uint_ne(alice_uin, 0);
	ck_assert_uint_ne(bob_uin, 0);
	ck_assert_uint_ne(alice_uin, bob_uin);
	ck_assert_uint_eq(log_in_as(h, alice, "ALICE"), alice_uin);
	snprintf(number, sizeof(number), "%u", alice_uin);
	ck_assert_uint_eq(log_in_as(h, alice, number), alice_uin);
	/* Somebody else's name or number, nobody's, or the right name without the key. */
	ck_assert_uint_eq(log_in_as(h, bob, number), 0);
	ck_assert_uint_eq(log_in_as(h, alice, "bob"), 0);
	ck_assert_uint_eq(log_in_as(h, alice, "carol"), 0);
	ck_assert_uint_eq(log_in_as(h, alice, "4294967296"), 0);
	ck_assert_uint_eq(log_in_as(h, alice, "../pems/alice"), 0);
	ck_assert_uint_eq(log_in_as(h, unknown, "alice"), 0);
	HARNESS_UNTIL(harness_logged(h, "login-failed"));
	ck_assert_uint_eq(log_in_as(h, alice, "alice"), alice_uin);
	key_free(unknown);
	harness_free(h);
}
END_TEST

START_TEST(two_users_of_one_key)
{
	struct harness *h = harness_start(NULL);
	const struct key *key;
	uint32_t alice, twin;

	harness_add_user(h, "alice", KEY_EC_P256);
	key = harness_key(h, "alice");
	share_key(h, key, "twin");
	alice = log_in_as(h, key, "alice");
	twin = log_in_as(h, key, "twin");
	ck_assert_uint_ne(alice, 0);
	ck_assert_uint_ne(twin, 0);
	ck_assert_uint_ne(alice, twin);
	harness_free(h);
}
END_TEST

START_TEST(a_number_stays)
{
	struct harness *h = harness_start(NULL);
	uint32_t uin;

	harness_add_user(h, "alice", KEY_EC_P256);
	uin = log_in_as(h, harness_key(h, "alice"), "alice");
	harness_kill(h);
	harness_restart(h);
	ck_assert_uint_eq(log_in_as(h, harness_key(h, "alice"), "alice"), uin);
	harness_free(h);
}
END_TEST

/* ---- one login of a user ---- */

START_TEST(second_login)
{
	struct harness *h = harness_start(NULL);
	struct nodes_peer *first, *second, *bob, *carol, *dave, *data[2];
	uint32_t alice;

	harness_add_users(h, "alice", "bob", "carol", "dave", NULL);
	first = nodes_login(h, "alice");
	bob = nodes_login(h, "bob");
	carol = nodes_login(h, "carol");
	dave = nodes_login(h, "dave");
	alice = first->uin;
	nodes_call(h, first, h, bob, data);
	nodes_say(first, NODES_CALL, carol->uin);
	nodes_expect(carol, NODES_CALLED, alice);
	nodes_say(dave, NODES_CALL, alice);
	nodes_expect(first, NODES_CALLED, dave->uin);

	second = nodes_login(h, "alice");
	nodes_expect(first, NODES_NOT_FOUND, alice);
	nodes_expect_end(first);
	/* What was pending has ended, */
	nodes_expect(carol, NODES_NOT_FOUND, alice);
	nodes_expect(dave, NODES_NOT_FOUND, alice);
	/* what was up goes on, and only there: a call to bob is one too many. */
	nodes_send_bytes(data[0], span_str("still here"));
	nodes_expect_bytes(data[1], span_str("still here"));
	nodes_send_bytes(data[1], span_str("me too"));
	nodes_expect_bytes(data[0], span_str("me too"));
	nodes_say(second, NODES_CALL, bob->uin);
	nodes_expect(second, NODES_NOT_FOUND, bob->uin);
	/* The new one is called. */
	nodes_say(dave, NODES_CALL, alice);
	nodes_expect(second, NODES_CALLED, dave->uin);
	nodes_expect_nothing(bob);

	nodes_close(data[0]);
	nodes_expect_end(data[1]);
	nodes_close(data[1]);
	nodes_close(first);
	nodes_close(second);
	nodes_close(bob);
	nodes_close(carol);
	nodes_close(dave);
	harness_free(h);
}
END_TEST

static void
remove_alice(struct harness *h)
{
	harness_admin(h, "user", "remove", "alice", NULL);
}

/* How long a handshake takes is for the client to say: it must not outlast its user. */
START_TEST(removed_meanwhile)
{
	struct harness *h = harness_start(NULL);
	struct nodes_peer *alice = NULL, *bob;
	uint32_t uin;

	harness_add_users(h, "alice", "bob", NULL);
	bob = nodes_login(h, "bob");
	uin = log_in_as(h, harness_key(h, "alice"), "alice");
	alice = nodes_open_late(h, NODES_CLIENT_HELLO, harness_key(h, "alice"), "alice",
				remove_alice);
	/* On a machine that is slow enough the certificate was judged behind that. */
	if (alice != NULL) {
		nodes_expect(alice, NODES_NOT_FOUND, uin);
		nodes_expect_end(alice);
	}
	nodes_say(bob, NODES_CALL, uin);
	nodes_expect(bob, NODES_NOT_FOUND, uin);
	nodes_close(alice);
	nodes_close(bob);
	harness_free(h);
}
END_TEST

START_TEST(kicked)
{
	struct harness *h = harness_start(NULL);
	struct nodes_peer *alice, *bob, *carol, *data[2];

	harness_add_users(h, "alice", "bob", "carol", NULL);
	alice = nodes_login(h, "alice");
	bob = nodes_login(h, "bob");
	carol = nodes_login(h, "carol");
	nodes_call(h, alice, h, bob, data);
	nodes_say(alice, NODES_CALL, carol->uin);
	nodes_expect(carol, NODES_CALLED, alice->uin);
	harness_admin(h, "ctl", "kick", "alice", NULL);
	/* She is told not to come back by herself. */
	nodes_expect(alice, NODES_NOT_FOUND, alice->uin);
	nodes_expect_end(alice);
	nodes_expect_end(data[0]);
	nodes_expect_end(data[1]);
	nodes_expect(carol, NODES_NOT_FOUND, alice->uin);
	nodes_expect_nothing(bob);
	for (int i = 0; i < 2; i++)
		nodes_close(data[i]);
	nodes_close(alice);
	nodes_close(bob);
	nodes_close(carol);
	harness_free(h);
}
END_TEST

START_TEST(server_stops)
{
	struct harness *h = harness_start(NULL);
	struct nodes_peer *alice, *bob, *data[2];

	harness_add_users(h, "alice", "bob", NULL);
	alice = nodes_login(h, "alice");
	bob = nodes_login(h, "bob");
	nodes_call(h, alice, h, bob, data);
	harness_stop(h);
	nodes_expect_end(data[0]);
	nodes_expect_end(data[1]);
	nodes_close(alice);
	nodes_close(bob);
	nodes_close(data[0]);
	nodes_close(data[1]);
	harness_free(h);
}
END_TEST

/* ---- besides calls ---- */

static void
expect_who(struct nodes_peer *p, const struct nodes_message *ask, uint32_t uin,
	   const char *name)
{
	struct nodes_message m;

	nodes_send(p, ask);
	m = nodes_hear(p);
	ck_assert_int_eq(m.type, NODES_WHO_IS);
	ck_assert_uint_eq(m.uin, uin);
	ck_assert(span_eq(m.bytes, span_str(name)));
}

#define BY_NAME(n) (&(struct nodes_message){.type = NODES_WHO_NAME, .bytes = span_str(n)})
#define BY_UIN(u)  (&(struct nodes_message){.type = NODES_WHO_UIN, .uin = (u)})

START_TEST(who_is_who)
{
	struct harness *h = harness_start(NULL);
	struct nodes_peer *alice, *bob;
	uint32_t bob_uin;

	harness_add_users(h, "alice", "Bob", NULL);
	alice = nodes_login(h, "alice");
	bob = nodes_login(h, "Bob");
	bob_uin = bob->uin;
	expect_who(alice, BY_NAME("bob"), bob_uin, "Bob");
	expect_who(alice, BY_UIN(bob_uin), bob_uin, "Bob");
	expect_who(alice, BY_NAME(""), alice->uin, "alice");
	/* Presence is not told. */
	nodes_close(bob);
	expect_who(alice, BY_NAME("bob"), bob_uin, "Bob");
	expect_who(alice, BY_NAME("nobody"), 0, "");
	expect_who(alice, BY_NAME("../pems/Bob"), 0, "");
	expect_who(
	    alice,
	    &(struct nodes_message){.type = NODES_WHO_NAME, .bytes = span_of("bob\0", 4)},
	    0, "");
	nodes_close(alice);
	harness_free(h);
}
END_TEST

START_TEST(asking_too_often)
{
	struct harness *h = harness_start(NULL);
	int64_t began = clock_mono_ms(), deadline;
	struct nodes_peer *alice;
	struct nodes_message m;
	int known = 0, unknown = 0;

	harness_add_users(h, "alice", NULL);
	alice = nodes_login(h, "alice");
	for (int i = 0; i < 60; i++)
		nodes_send(alice, BY_NAME("alice"));
	for (int i = 0; i < 60; i++) {
		m = nodes_hear(alice);
		ck_assert_int_eq(m.type, NODES_WHO_IS);
		*(m.uin == alice->uin ? &known : &unknown) += 1;
	}
	/* On a machine that is slow enough, another second has begun. */
	ck_assert_int_ge(known, 19);
	ck_assert_int_le(known, 20 * (2 + (int)((clock_mono_ms() - began) / 1000)));
	ck_assert_int_gt(unknown, 0);
	deadline = harness_deadline(HARNESS_WAIT);
	do {
		harness_nap(deadline, "the next second");
		nodes_send(alice, BY_NAME("alice"));
		m = nodes_hear(alice);
	} while (m.uin != alice->uin);
	nodes_close(alice);
	harness_free(h);
}
END_TEST

/* Look a moment whether the connection of one who hears and says nothing has ended. */
static bool
ended(struct nodes_peer *p)
{
	struct pollfd wait = {.fd = p->fd, .events = POLLIN};
	uint8_t b[256];

	return poll(&wait, 1, 20) == 1 && recv(p->fd, b, sizeof(b), 0) <= 0;
}

START_TEST(pings)
{
	struct harness *h =
	    harness_start("nodes.ping_interval=100ms", "nodes.ping_timeout=3s", NULL);
	struct nodes_message ping = {.type = NODES_PING, .two = {0xde, 0xad}}, m;
	struct nodes_peer *alice, *silent;
	int64_t deadline;

	harness_add_users(h, "alice", "silent", NULL);
	alice = nodes_login(h, "alice");
	silent = nodes_login(h, "silent");
	nodes_send(alice, &ping);
	m = nodes_hear(alice);
	ck_assert_int_eq(m.type, NODES_PONG);
	ck_assert_mem_eq(m.two, ping.two, 2);
	/* One that nobody has asked for means nothing. */
	m.two[0] = 1;
	nodes_send(alice, &m);
	nodes_expect_nothing(alice);
	/* Who answers stays, who is silent does not. */
	deadline = harness_deadline(HARNESS_WAIT);
	while (alice->pings < 15) {
		harness_nap(deadline, "the server has pinged often");
		nodes_expect_nothing(alice);
	}
	while (!ended(silent))
		nodes_expect_nothing(alice);
	nodes_close(alice);
	nodes_close(silent);
	harness_free(h);
}
END_TEST

START_TEST(no_nodes_known)
{
	struct harness *h = harness_start(NULL);
	struct nodes_message ask = {.type = NODES_ASK_NODES}, m;
	struct nodes_peer *alice;

	harness_add_users(h, "alice", NULL);
	alice = nodes_login(h, "alice");
	nodes_send(alice, &ask);
	m = nodes_hear(alice);
	ck_assert_int_eq(m.type, NODES_LIST);
	ck_assert_uint_eq(m.count, 0);
	nodes_close(alice);
	harness_free(h);
}
END_TEST

/* The list is as long for who asks often: the rest is not answered. */
START_TEST(lists_too_often)
{
	struct harness *h = harness_start(NULL);
	struct nodes_message ask = {.type = NODES_ASK_NODES}, m;
	int64_t began = clock_mono_ms();
	struct nodes_peer *alice;
	int lists = 0;

	harness_add_users(h, "alice", NULL);
	alice = nodes_login(h, "alice");
	for (int i = 0; i < 100; i++)
		nodes_send(alice, &ask);
	nodes_send(alice, BY_NAME("alice"));
	for (m = nodes_hear(alice); m.type == NODES_LIST; m = nodes_hear(alice))
		lists++;
	ck_assert_int_eq(m.type, NODES_WHO_IS);
	ck_assert_int_ge(lists, 5);
	ck_assert_int_le(lists, 5 * (2 + (int)((clock_mono_ms() - began) / 1000)));
	nodes_close(alice);
	harness_free(h);
}
END_TEST

START_TEST(wrong_framing)
{
	static const struct {
		const char *bytes;
		size_t len;
	} wrong[] = {
	    {"\x03\x04\x01\x00\x00\x00", 6}, /* unequal header */
	    {"\x99\x99", 2},                 /* unknown */
	    {"\x04\x04\x01\x00\x00\x00", 6}, /* a server's word */
	    {"\xA5\xA5\x01\x00\x00\x00", 6}, /* a node's */
	    {"\x30\x30\x01\x00x", 5},        /* a correspondent's */
	    {"\xCA\xCA\x01\x00", 4},         /* the opener's, too late */
	    {"\x68\x68\x01\x02\x20\x20", 6}, /* behind a good one */
	};
	struct harness *h = harness_start(NULL);
	struct nodes_peer *alice;

	harness_add_users(h, "alice", NULL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct nodes_message m;

		alice = nodes_login(h, "alice");
		nodes_send_bytes(alice, span_of(wrong[i].bytes, wrong[i].len));
		if (wrong[i].bytes[0] == NODES_PING) {
			m = nodes_hear(alice);
			ck_assert_int_eq(m.type, NODES_PONG);
		}
		HARNESS_AT(nodes_expect_end(alice));
		nodes_close(alice);
	}
	HARNESS_UNTIL(harness_logged(h, "protocol-error"));
	alice = nodes_login(h, "alice");
	nodes_close(alice);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("nodes-login");
	TCase *tc = harness_case(suite, "greeting");

	tcase_add_test(tc, other_version);
	tcase_add_test(tc, half_a_handshake);
	tcase_add_test(tc, never_inside_tls);
	tcase_add_test(tc, not_served);
	tc = harness_case(suite, "who");
	tcase_add_test(tc, certificates);
	tcase_add_test(tc, two_users_of_one_key);
	tcase_add_test(tc, a_number_stays);
	tc = harness_case(suite, "one");
	tcase_add_test(tc, second_login);
	tcase_add_test(tc, removed_meanwhile);
	tcase_add_test(tc, kicked);
	tcase_add_test(tc, server_stops);
	tc = harness_case(suite, "besides");
	tcase_add_test(tc, who_is_who);
	tcase_add_test(tc, asking_too_often);
	tcase_add_test(tc, pings);
	tcase_add_test(tc, no_nodes_known);
	tcase_add_test(tc, lists_too_often);
	tcase_add_test(tc, wrong_framing);
	return harness_main(suite);
}
