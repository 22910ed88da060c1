/* SPDX-License-Identifier: MIT
 *
 * nodes: the bytes of a call. All of them arrive, whoever hangs up and however fast
 * somebody reads; nothing is held but what the kernel's buffers hold.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/system/nodes_peer.h"

#define BIG (12 * 1024 * 1024)
/* More than sockets and pipes on the way hold. */
#define LOTS (128UL * 1024 * 1024)

static struct harness *h;
static struct nodes_peer *alice, *bob;

static void
log_in(void)
{
	harness_add_users(h, "alice", "bob", NULL);
	alice = nodes_login(h, "alice");
	bob = nodes_login(h, "bob");
}

static void
setup(void)
{
	h = harness_start(NULL);
	log_in();
}

static void
end_all(void)
{
	nodes_close(alice);
	nodes_close(bob);
	harness_free(h);
}

/* ---- a stream that knows itself ---- */

/* The byte at that place of what side says. */
static uint8_t
byte_at(int side, size_t at)
{
	return (uint8_t)(at * 167 + (at >> 8) + (at >> 16) * 31 + (size_t)side * 101);
}

struct stream {
	int fd, side;
	size_t sent, to_send;
	size_t got;
	bool finishes; /* FIN behind the last byte */
	bool ended;    /* the other end has */
};

static void
send_some(struct stream *s)
{
	uint8_t b[65536];
	size_t n = s->to_send - s->sent < sizeof(b) ? s->to_send - s->sent : sizeof(b);
	ssize_t put;

	for (size_t i = 0; i < n; i++)
		b[i] = byte_at(s->side, s->sent + i);
	put = send(s->fd, b, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (put > 0)
		s->sent += (size_t)put;
	else if (put < 0 && errno != EAGAIN)
		s->to_send = s->sent; /* it was hung up: enough said */
	if (s->sent == s->to_send && s->finishes)
		ck_assert_int_eq(shutdown(s->fd, SHUT_WR), 0);
}

static void
take_some(struct stream *s)
{
	uint8_t b[65536];
	ssize_t n = recv(s->fd, b, sizeof(b), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		s->ended = true;
	for (ssize_t i = 0; i < n; i++)
		if (b[i] != byte_at(1 - s->side, s->got + (size_t)i))
			harness_fail("byte %zu of side %d is another one",
				     s->got + (size_t)i, 1 - s->side);
	if (n > 0)
		s->got += (size_t)n;
}

/* Send and take until it is done. */
static void
run(struct stream s[2], bool (*done)(const struct stream s[2]))
{
	int64_t deadline = harness_deadline(HARNESS_WAIT);

	while (!done(s)) {
		struct pollfd p[2];

		for (int i = 0; i < 2; i++) {
			p[i] = (struct pollfd){.fd = s[i].ended ? -1 : s[i].fd,
					       .events = POLLIN};
			if (s[i].sent < s[i].to_send)
				p[i].events |= POLLOUT;
		}
		if (poll(p, 2, clock_left_ms(deadline)) < 1)
			harness_fail("bytes do not come: %zu and %zu", s[0].got,
				     s[1].got);
		for (int i = 0; i < 2; i++) {
			if (p[i].revents & (POLLIN | POLLHUP | POLLERR))
				take_some(&s[i]);
			if ((p[i].revents & POLLOUT) && s[i].sent < s[i].to_send)
				send_some(&s[i]);
		}
	}
}

static void
streams(struct stream s[2], struct nodes_peer *const data[2], size_t a, size_t b)
{
	for (int i = 0; i < 2; i++)
		s[i] = (struct stream){
		    .fd = data[i]->fd, .side = i, .to_send = i == 0 ? a : b};
}

static bool
all_there(const struct stream s[2])
{
	return s[0].got == s[1].to_send && s[1].got == s[0].to_send;
}

static bool
ended(const struct stream s[2])
{
	return (s[0].ended || s[0].finishes) && (s[1].ended || s[1].finishes);
}

static void
close_both(struct nodes_peer *data[2])
{
	nodes_close(data[0]);
	nodes_close(data[1]);
}

/* ---- hanging up ---- */

START_TEST(big_both_ways)
{
	struct nodes_peer *data[2];
	struct stream s[2];

	setup();
	nodes_call(h, alice, h, bob, data);
	streams(s, data, BIG, BIG);
	run(s, all_there);
	/* _i hangs up: the other one hears it, and nothing more. */
	nodes_finish_sending(data[_i]);
	nodes_expect_end(data[1 - _i]);
	nodes_expect_end(data[_i]);
	close_both(data);
	end_all();
}
END_TEST

/* Who hangs up right behind the last byte has said it all, although the other one is
 * still reading, and, in the second half of the cases, still talking. */
START_TEST(hung_up_behind_the_last_byte)
{
	int who = _i % 2;
	size_t other = _i < 2 ? 0 : LOTS;
	struct nodes_peer *data[2];
	struct stream s[2];

	setup();
	nodes_call(h, alice, h, bob, data);
	streams(s, data, who == 0 ? BIG : other, who == 0 ? other : BIG);
	s[who].finishes = true;
	run(s, ended);
	ck_assert_uint_eq(s[who].sent, BIG);
	ck_assert_uint_eq(s[1 - who].got, BIG);
	close_both(data);
	end_all();
}
END_TEST

/* The reader is in no hurry: all the rest is in kernels when the writer hangs up. */
START_TEST(hung_up_before_it_was_read)
{
	struct nodes_peer *data[2];
	struct stream s[2];
	struct pollfd p;
	int64_t until, deadline;

	setup();
	nodes_call(h, alice, h, bob, data);
	streams(s, data, LOTS, 0);
	p = (struct pollfd){.fd = data[0]->fd, .events = POLLOUT};
	while (poll(&p, 1, 300) == 1 && s[0].sent < s[0].to_send)
		send_some(&s[0]);
	ck_assert_uint_lt(s[0].sent, LOTS);
	s[0].to_send = s[0].sent;
	nodes_finish_sending(data[0]);
	s[0].finishes = true;
	/* Longer than the server lingers at any other end. */
	until = clock_mono_ms() + 1500;
	deadline = harness_deadline(HARNESS_WAIT);
	while (clock_left_ms(until) > 0)
		harness_nap(deadline, "the reader comes back");
	run(s, ended);
	ck_assert_uint_eq(s[1].got, s[0].sent);
	close_both(data);
	end_all();
}
END_TEST

START_TEST(reset_in_the_middle)
{
	struct nodes_peer *data[2];
	struct stream s[2];
	uint8_t b[4096];

	setup();
	nodes_call(h, alice, h, bob, data);
	streams(s, data, BIG / 8, BIG / 8);
	run(s, all_there);
	nodes_send_bytes(data[_i], span_str("and then"));
	nodes_reset(data[_i]);
	while (recv(data[1 - _i]->fd, b, sizeof(b), 0) > 0)
		;
	nodes_close(data[1 - _i]);
	/* The pair can talk again at once. */
	nodes_call(h, alice, h, bob, data);
	streams(s, data, 100000, 100000);
	run(s, all_there);
	close_both(data);
	end_all();
}
END_TEST

/* ---- slow readers ---- */

/* Resident memory of the server in KiB. */
static long
memory_kib(void)
{
	char path[64], line[256];
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)h->pid);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

START_TEST(slow_reader)
{
	struct nodes_peer *data[2], *other[2], *carol;
	struct pollfd p;
	struct stream s[2], t[2];
	long before;

	setup();
	harness_add_users(h, "carol", NULL);
	carol = nodes_login(h, "carol");
	nodes_call(h, alice, h, bob, data);
	nodes_call(h, alice, h, carol, other);
	before = memory_kib();
	streams(s, data, LOTS, 0);
	p = (struct pollfd){.fd = data[0]->fd, .events = POLLOUT};
	while (poll(&p, 1, 300) == 1 && s[0].sent < s[0].to_send)
		send_some(&s[0]);
	/* The writer was stopped, by kernels' buffers and not by ours. */
	ck_assert_uint_lt(s[0].sent, s[0].to_send);
	ck_assert_int_lt(memory_kib() - before, 4096);
	/* That is a matter of this call alone. */
	streams(t, other, BIG / 4, BIG / 4);
	run(t, all_there);
	nodes_expect_nothing(alice);
	/* When it reads, it goes on. */
	run(s, all_there);
	nodes_close(carol);
	close_both(other);
	close_both(data);
	end_all();
}
END_TEST

/* A writer that is stuck in a call does not keep the call, or the server, from its end. */
START_TEST(stuck_and_ended)
{
	struct nodes_peer *data[2];
	struct pollfd p;
	struct stream s[2];
	uint8_t b[65536];

	h = harness_start("server.drain=500ms", NULL);
	log_in();
	nodes_call(h, alice, h, bob, data);
	streams(s, data, LOTS, 0);
	p = (struct pollfd){.fd = data[0]->fd, .events = POLLOUT};
	while (poll(&p, 1, 300) == 1 && s[0].sent < s[0].to_send)
		send_some(&s[0]);
	if (_i == 0)
		harness_admin(h, "ctl", "kick", "alice", NULL);
	else if (_i == 1)
		harness_admin(h, "ctl", "kick", "bob", NULL);
	else if (_i == 2)
		harness_stop(h);
	else
		nodes_reset(data[1]);
	while (recv(data[0]->fd, b, sizeof(b), 0) > 0)
		;
	nodes_close(data[0]);
	if (_i != 3)
		nodes_close(data[1]);
	end_all();
}
END_TEST

/* ---- before the call is up ---- */

START_TEST(early_bytes)
{
	struct nodes_peer *data[2];
	struct stream s[2];
	struct pollfd p;
	long before;

	setup();
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_say(bob, NODES_ALLOW, alice->uin);
	data[1] = nodes_data_open(h, NULL, alice->uin, bob->uin);
	nodes_expect(alice, NODES_READY, bob->uin);
	before = memory_kib();
	data[0] = data[1];
	streams(s, data, 0, LOTS / 2);
	p = (struct pollfd){.fd = data[1]->fd, .events = POLLOUT};
	while (poll(&p, 1, 300) == 1 && s[1].sent < s[1].to_send)
		send_some(&s[1]);
	ck_assert_uint_lt(s[1].sent, s[1].to_send);
	ck_assert_int_lt(memory_kib() - before, 4096);
	data[0] = nodes_data_open(h, NULL, alice->uin, bob->uin);
	s[0].fd = data[0]->fd;
	run(s, all_there);
	close_both(data);
	end_all();
}
END_TEST

/* ---- many ---- */

#define USERS 46 /* of whom each pair can have a call: 1,035 */
#define CROWD 100

static struct nodes_peer *user[USERS];

static int
crowd_size(void)
{
	const char *said = getenv("QUINTET_CROWD");
	int n = said != NULL ? atoi(said) : CROWD;

	if (getenv("QUINTET_SANITIZER") != NULL && n > CROWD)
		n = CROWD;
	ck_assert_int_ge(n, 1);
	return n > USERS * (USERS - 1) / 2 ? USERS * (USERS - 1) / 2 : n;
}

START_TEST(many_calls_at_once)
{
	static struct nodes_peer *data[USERS * USERS / 2][2];
	struct rlimit files = {20000, 20000};
	int n = crowd_size(), made = 0;
	char name[32];

	(void)setrlimit(RLIMIT_NOFILE, &files);
	h = harness_new();
	h->files = 20000;
	harness_boot(h, "limits.per_address=10000",
		     "limits.per_address_before_login=4000", "limits.accounts=100", NULL);
	for (int i = 0; i < USERS; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		harness_add_user(h, name, KEY_EC_P256);
		user[i] = nodes_login(h, name);
	}
	for (int a = 0; a < USERS; a++)
		for (int b = a + 1; b < USERS && made < n; b++)
			nodes_call(h, user[a], h, user[b], data[made++]);
	/* All at once, and each to the right ear. */
	for (int i = 0; i < n; i++)
		for (int side = 0; side < 2; side++) {
			snprintf(name, sizeof(name), "call %d side %d", i, side);
			nodes_send_bytes(data[i][side], span_str(name));
		}
	for (int i = 0; i < n; i++)
		for (int side = 0; side < 2; side++) {
			snprintf(name, sizeof(name), "call %d side %d", i, 1 - side);
			nodes_expect_bytes(data[i][side], span_str(name));
		}
	for (int i = 0; i < n; i++)
		nodes_close(data[i][i % 2]);
	for (int i = 0; i < n; i++) {
		nodes_expect_end(data[i][1 - i % 2]);
		nodes_close(data[i][1 - i % 2]);
	}
	for (int i = 0; i < USERS; i++) {
		nodes_expect_nothing(user[i]);
		nodes_close(user[i]);
	}
	harness_free(h);
}
END_TEST

/* One who calls everybody has so many calls pending, and no more. */
START_TEST(too_many_pending)
{
	struct nodes_peer *many[70];
	char name[32];
	int told = 0;

	setup();
	harness_reload(h, "nodes.call_timeout=1h", NULL);
	for (int i = 0; i < 70; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		harness_add_user(h, name, KEY_EC_P256);
		many[i] = nodes_login(h, name);
		nodes_say(alice, NODES_CALL, many[i]->uin);
		if (i < 64) {
			nodes_expect(many[i], NODES_CALLED, alice->uin);
			continue;
		}
		nodes_expect(alice, NODES_NOT_FOUND, many[i]->uin);
		nodes_expect_nothing(many[i]);
		told++;
	}
	ck_assert_int_eq(told, 6);
	/* One has answered: there is room for one more. */
	nodes_say(many[0], NODES_REFUSE, alice->uin);
	nodes_expect(alice, NODES_NOT_FOUND, many[0]->uin);
	nodes_say(alice, NODES_CALL, many[69]->uin);
	nodes_expect(many[69], NODES_CALLED, alice->uin);
	for (int i = 0; i < 70; i++)
		nodes_close(many[i]);
	end_all();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("nodes-data");
	TCase *tc = harness_case(suite, "hang-up");

	tcase_add_loop_test(tc, big_both_ways, 0, 2);
	tcase_add_loop_test(tc, hung_up_behind_the_last_byte, 0, 4);
	tcase_add_test(tc, hung_up_before_it_was_read);
	tcase_add_loop_test(tc, reset_in_the_middle, 0, 2);
	tc = harness_case(suite, "slow");
	tcase_add_test(tc, slow_reader);
	tcase_add_loop_test(tc, stuck_and_ended, 0, 4);
	tcase_add_test(tc, early_bytes);
	tc = harness_case(suite, "many");
	tcase_add_test(tc, many_calls_at_once);
	tcase_add_test(tc, too_many_pending);
	return harness_main(suite);
}
