/* SPDX-License-Identifier: MIT
 *
 * Calls and forwarding between sessions that are there without a handshake: the
 * other end of each socket pair is read by the test, frame by frame.
 */
#include "server/limits.h"
#include "server/relay/relay.h"
#include "server/relay/relay_session.h"

#include "tests/unit/unit.h"

#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "server/flusher.h"
#include "server/metrics.h"
#include "server/sessions.h"
#include "server/timer.h"
#include "store/store.h"

#define RECEIVE_MAX (1 << 16)

static struct server server;
static char dir[64];

/* One side: the server's session, and what its client holds. */
struct side {
	struct relay_session *rs;
	int fd;
	struct sealing client;
	uint8_t in[RECEIVE_MAX];
	size_t have, used;
	struct relay_inner m; /* the last frame that came */
};
static struct side ann, bob, cid;

/* ---- set up ---- */

static void
open_side(struct side *p, const char *name, int type)
{
	struct sessions_limits none = {0};
	struct address a = {.port = 1};
	struct relay_session *rs = calloc(1, sizeof(*rs));
	uint8_t ks[AEAD_KEY_LEN];
	struct session *s;
	int fd[2];

	memset(p, 0, sizeof(*p));
	ck_assert_int_eq(socketpair(AF_UNIX, type, 0, fd), 0);
	p->fd = fd[0];
	ck_assert_ptr_nonnull(s = session_new(&server, stream_plain(fd[1]), &a));
	ck_assert_int_eq(sessions_add(server.sessions, s, &none), Q_OK);
	atomic_store(&s->protocol, &relay_protocol);
	random_bytes(ks, sizeof(ks));
	rs->session = s;
	rs->config = config_now();
	rs->card = (struct buf)BUF_INIT(KEY_PEM_MAX);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &rs->key), Q_OK);
	ck_assert_int_eq(sealing_init(&rs->sealing, ks), Q_OK);
	do {
		sealing_fini(&p->client);
		ck_assert_int_eq(sealing_init(&p->client, ks), Q_OK);
	} while (memcmp(p->client.prefix, rs->sealing.prefix, SEALING_PREFIX_LEN) == 0);
	seat_init(&rs->seat, name);
	s->state = rs;
	p->rs = rs;
	ck_assert(relay_login(rs));
}

static void
close_side(struct side *p)
{
	struct session *s = p->rs->session;

	session_end(s, GOODBYE_SELF, NULL);
	relay_logout(p->rs);
	outbox_flush_touched();
	close(p->fd);
	(void)outbox_drain(s, clock_mono_ms() + 1000);
	sessions_remove(server.sessions, s);
	session_unref(s);
	sealing_fini(&p->client);
}

static void
start(const char *setting, int type)
{
	const char *settings[] = {"limits.outbox=8KiB", "limits.sender_wait=200ms",
				  setting};
	struct config_source src = {.overrides = settings,
				    .override_count = setting == NULL ? 2 : 3};
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct config *config;
	struct why why;

	ck_assert_msg(config_load(&src, &config, &why) == Q_OK, "%s", why.text);
	config_publish(config);
	strcpy(dir, "/tmp/quintet-forward-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_msg(store_open(dir, &opt, &server.store, &why) == Q_OK, "%s", why.text);
	ck_assert_int_eq(sessions_new(&server.sessions), Q_OK);
	ck_assert_ptr_nonnull(server.limits = limits_new());
	ck_assert_int_eq(timers_new(&server.timers), Q_OK);
	ck_assert_int_eq(flusher_new(&server.flusher), Q_OK);
	open_side(&ann, "ann", type);
	open_side(&bob, "Bob", type);
	open_side(&cid, "cid", type);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

static void
stop(void)
{
	close_side(&ann);
	close_side(&bob);
	close_side(&cid);
	flusher_free(server.flusher);
	timers_free(server.timers);
	sessions_free(server.sessions);
	limits_free(server.limits);
	store_close(server.store);
	config_fini();
	(void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- talking ---- */

/* What the server's worker would do with this frame of p's client. */
static enum qerr
call(struct side *p, int32_t opcode, const char *data)
{
	enum qerr e = relay_call(p->rs, opcode, span_str(data));

	outbox_flush_touched();
	return e;
}

static void
add(struct run *run, struct buf *b, int32_t opcode, struct span data)
{
	ck_assert_int_eq(buf_reserve(b, RELAY_HEAD_LEN + data.len), Q_OK);
	relay_head_put(b->p + b->len, opcode, 99);
	memcpy(b->p + b->len + RELAY_HEAD_LEN, data.p, data.len);
	run_add(run, b->p + b->len, RELAY_HEAD_LEN + data.len);
	b->len += RELAY_HEAD_LEN + data.len;
}

static void
say(struct side *p, int32_t opcode, const char *text)
{
	struct buf b = BUF_INIT(4096);
	struct run run;

	run_clear(&run);
	add(&run, &b, opcode, span_str(text));
	run_forward(p->rs, &run);
	ck_assert_uint_eq(run.n, 0);
	outbox_flush_touched();
	buf_free(&b);
}

/* The next frame for p's client; false when nothing comes within a moment. */
static bool
next(struct side *p)
{
	struct relay_frame f;
	const char *why = "";
	ssize_t n;

	while (relay_frame_next(span_of(p->in + p->used, p->have - p->used), 0,
				RELAY_SEALED_MAX, &f) != Q_OK) {
		struct pollfd fd = {.fd = p->fd, .events = POLLIN};

		if (p->used == p->have)
			p->used = p->have = 0;
		if (poll(&fd, 1, 20) != 1 ||
		    (n = recv(p->fd, p->in + p->have, sizeof(p->in) - p->have, 0)) <= 0)
			return false;
		p->have += (size_t)n;
	}
	ck_assert_msg(sealing_open(&p->client, p->in + p->used + RELAY_SIZE_LEN,
				   f.body.len, &p->m, &why) == Q_OK,
		      "%s", why);
	p->used += f.total;
	return true;
}

static void
expect(struct side *p, int32_t opcode, const char *data)
{
	ck_assert(next(p));
	ck_assert_int_eq(p->m.opcode, opcode);
	if (data != NULL)
		ck_assert_msg(span_eq(p->m.data, span_str(data)), "%.*s",
			      (int)p->m.data.len, (const char *)p->m.data.p);
}

static void
expect_nothing(struct side *p)
{
	ck_assert_msg(!next(p), "opcode %d", p->m.opcode);
}

static void
chat(struct side *p, struct side *q)
{
	ck_assert_int_eq(call(p, RELAY_CHAT_REQUEST, q->rs->seat.name), Q_OK);
	expect(q, RELAY_CHAT_REQUEST, p->rs->seat.name);
	ck_assert_int_eq(call(q, RELAY_CHAT_ACCEPT, ""), Q_OK);
	expect(q, RELAY_PEER_PUBLIC_KEY, NULL);
	expect(p, RELAY_CHAT_ACCEPT, NULL);
}

/* ---- the tests ---- */

START_TEST(passed_on_in_order)
{
	static const int32_t opcodes[] = {RELAY_NONCE, RELAY_FIRST_KEY, RELAY_SECOND_KEY,
					  RELAY_PEER_MESSAGE, RELAY_PEER_MESSAGE};
	struct buf b = BUF_INIT(4096);
	struct run run;
	char text[2] = "0";

	start("relay.archive=no", SOCK_STREAM);
	chat(&ann, &bob);
	ck_assert_int_eq(buf_reserve(&b, 4096), Q_OK); /* it must not move */
	run_clear(&run);
	for (int i = 0; i < 5; i++, text[0]++) {
		ck_assert(run_wants(opcodes[i]));
		add(&run, &b, opcodes[i], span_str(text));
	}
	run_forward(ann.rs, &run);
	outbox_flush_touched();
	for (int i = 0; i < 5; i++) {
		text[0] = (char)('0' + i);
		expect(&bob, opcodes[i], text);
	}
	say(&bob, RELAY_PEER_MESSAGE, "");
	expect(&ann, RELAY_PEER_MESSAGE, "");
	expect_nothing(&ann);
	expect_nothing(&bob);
	ck_assert_uint_eq(metric_get(METRIC_messages_total), 3);
	ck_assert_uint_eq(metric_get(METRIC_message_bytes_total), 2);
	buf_free(&b);
	stop();
}
END_TEST

START_TEST(dropped_outside_a_chat)
{
	start("relay.archive=no", SOCK_STREAM);
	say(&ann, RELAY_PEER_MESSAGE, "to nobody");
	call(&ann, RELAY_CHAT_REQUEST, "bob");
	expect(&bob, RELAY_CHAT_REQUEST, "ann");
	say(&ann, RELAY_NONCE, "too early");
	say(&bob, RELAY_NONCE, "too early");
	expect_nothing(&ann);
	expect_nothing(&bob);
	stop();
}
END_TEST

/* ann speaks into a chat that bob has left for one with cid. */
START_TEST(never_into_the_next_chat)
{
	start("relay.archive=no", SOCK_STREAM);
	chat(&ann, &bob);
	ck_assert_int_eq(call(&bob, RELAY_END_CHAT, ""), Q_OK);
	chat(&bob, &cid);
	say(&ann, RELAY_PEER_MESSAGE, "too late");
	expect(&ann, RELAY_CLOSED_CHAT, "");
	expect_nothing(&bob);
	expect_nothing(&cid);
	say(&bob, RELAY_PEER_MESSAGE, "hello");
	expect(&cid, RELAY_PEER_MESSAGE, "hello");
	stop();
}
END_TEST

/* Messages of 1 KiB until bob, who does not read, has no room. */
static void
flood(struct side *p, int rounds)
{
	static const char block[1024];

	for (int i = 0; i < rounds && !session_ended(p->rs->session); i++) {
		struct buf b = BUF_INIT(4096);
		struct run run;

		run_clear(&run);
		add(&run, &b, RELAY_PEER_MESSAGE, span_of(block, sizeof(block)));
		run_forward(p->rs, &run);
		outbox_flush_touched();
		buf_free(&b);
	}
}

START_TEST(slow_partner)
{
	start("relay.archive=no", SOCK_STREAM);
	chat(&ann, &bob);
	for (int i = 0; i < 100 && !session_ended(bob.rs->session); i++)
		flood(&ann, 10);
	ck_assert_int_eq(atomic_load(&bob.rs->session->ending), GOODBYE_SLOW);
	ck_assert_uint_eq(metric_get(METRIC_slow_receivers_total), 1);
	ck_assert(!session_ended(ann.rs->session));
	relay_logout(bob.rs); /* as its worker does now */
	outbox_flush_touched();
	expect(&ann, RELAY_CLOSED_CHAT, "");
	stop();
}
END_TEST

static void *
flood_thread(void *arg)
{
	flood(arg, 10000);
	return NULL;
}

static bool
waited_for(struct session *s)
{
	bool waiting;

	lock_take(&s->out.lock);
	waiting = s->out.waiters > 0;
	lock_drop(&s->out.lock);
	return waiting;
}

/* Who waits for a partner stops when the own session ends, or the chat does. */
START_TEST(waiting_ends_early)
{
	pthread_t thread;

	start("limits.sender_wait=1h", SOCK_STREAM);
	chat(&ann, &bob);
	ck_assert_int_eq(pthread_create(&thread, NULL, flood_thread, &ann), 0);
	while (!waited_for(bob.rs->session))
		poll(NULL, 0, 1);
	if (_i == 0)
		session_end(ann.rs->session, GOODBYE_KICKED, "enough");
	else
		call(&bob, RELAY_END_CHAT, "");
	pthread_join(thread, NULL);
	ck_assert(!session_ended(bob.rs->session));
	if (_i == 1)
		expect(&ann, RELAY_CLOSED_CHAT, "");
	stop();
}
END_TEST

START_TEST(counter_used_up)
{
	start("relay.archive=no", SOCK_STREAM);
	chat(&ann, &bob);
	bob.rs->sealing.out_next = bob.client.in_next = RELAY_COUNTER_MAX - 1;
	say(&ann, RELAY_PEER_MESSAGE, "last");
	say(&ann, RELAY_PEER_MESSAGE, "one too many");
	expect(&bob, RELAY_PEER_MESSAGE, "last");
	expect(&bob, RELAY_FORCED_LOGOUT, "frame counter used up");
	ck_assert_int_eq(bob.m.counter, RELAY_COUNTER_MAX);
	ck_assert(session_ended(bob.rs->session));
	ck_assert(!session_ended(ann.rs->session));
	stop();
}
END_TEST

/* A packet socket shows each call that writes. */
START_TEST(distinct_frames_one_by_one)
{
	struct buf b = BUF_INIT(4096);
	struct run run;

	start("relay.codes=distinct", SOCK_SEQPACKET);
	call(&ann, RELAY_CHAT_REQUEST, "bob");
	ck_assert(next(&bob));
	ck_assert_int_eq(bob.m.opcode, RELAY_CHAT_REQUEST_RECEIVED_DISTINCT);
	ck_assert_mem_eq(bob.m.data.p, "ann", 4); /* with its NUL */
	call(&bob, RELAY_CHAT_ACCEPT, "");
	expect(&bob, RELAY_PEER_PUBLIC_KEY, NULL);
	ck_assert_int_eq(buf_reserve(&b, 4096), Q_OK);
	run_clear(&run);
	for (int i = 0; i < 5; i++)
		add(&run, &b, RELAY_PEER_MESSAGE, span_str("x"));
	run_forward(ann.rs, &run);
	for (int i = 0; i < 5; i++) {
		ck_assert_uint_eq(bob.have, bob.used);
		expect(&bob, RELAY_PEER_MESSAGE, "x");
	}
	session_end(bob.rs->session, GOODBYE_KICKED, "no reason is given here");
	expect(&bob, RELAY_FORCED_LOGOUT, "");
	buf_free(&b);
	stop();
}
END_TEST

static bool
count_record(void *arg, const struct record *r)
{
	size_t *n = arg;

	ck_assert_str_eq(r->kind, "relay");
	ck_assert_str_eq(r->from, *n < 2 ? "ann" : "Bob");
	ck_assert_str_eq(r->to, *n < 2 ? "Bob" : "ann");
	ck_assert(span_eq(r->data, span_str(*n == 0   ? "one"
					    : *n == 1 ? "two"
						      : "three")));
	++*n;
	return true;
}

START_TEST(archived_first)
{
	struct msglog *log;
	size_t n = 0;

	start(NULL, SOCK_STREAM);
	chat(&ann, &bob);
	say(&ann, RELAY_NONCE, "no message");
	say(&ann, RELAY_PEER_MESSAGE, "one");
	say(&ann, RELAY_PEER_MESSAGE, "two");
	say(&bob, RELAY_PEER_MESSAGE, "three");
	expect(&bob, RELAY_NONCE, "no message");
	expect(&bob, RELAY_PEER_MESSAGE, "one");
	expect(&bob, RELAY_PEER_MESSAGE, "two");
	expect(&ann, RELAY_PEER_MESSAGE, "three");
	ck_assert_int_eq(msglog_open(server.store, "ann+bob", &log), Q_OK);
	ck_assert_int_eq(msglog_read(log, 0, 10, count_record, &n, NULL), Q_OK);
	ck_assert_uint_eq(n, 3);
	msglog_close(log);
	stop();
}
END_TEST

/* A file-size limit stands for a full disk. */
START_TEST(archive_fails)
{
	struct rlimit full = {0, RLIM_INFINITY}, room = {RLIM_INFINITY, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	start(NULL, SOCK_STREAM);
	chat(&ann, &bob);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &full), 0);
	say(&ann, RELAY_PEER_MESSAGE, "lost");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &room), 0);
	expect(&ann, RELAY_CLOSED_CHAT, "");
	expect(&bob, RELAY_CLOSED_CHAT, "");
	expect_nothing(&bob);
	ck_assert_uint_eq(metric_get(METRIC_archive_failures_total), 1);
	ck_assert_uint_eq(metric_get(METRIC_messages_total), 0);
	chat(&ann, &bob);
	say(&ann, RELAY_PEER_MESSAGE, "there is room again");
	expect(&bob, RELAY_PEER_MESSAGE, "there is room again");
	stop();
}
END_TEST

START_TEST(request_lapses)
{
	start("relay.request_timeout=100ms", SOCK_STREAM);
	call(&ann, RELAY_CHAT_REQUEST, "BOB");
	expect(&bob, RELAY_CHAT_REQUEST, "ann");
	for (int i = 0; i < 500 && !next(&ann); i++)
		;
	ck_assert_int_eq(ann.m.opcode, RELAY_CHAT_DENIED);
	expect(&bob, RELAY_CLOSED_CHAT, "");
	chat(&bob, &ann);
	stop();
}
END_TEST

START_TEST(list_and_notices)
{
	struct event said = {.kind = EVENT_NOTICE, .text = span_str("back at noon")};
	char name[NAME_SIZE];
	struct reader r;

	start(NULL, SOCK_STREAM);
	call(&bob, RELAY_LIST, "");
	expect(&bob, RELAY_LIST, NULL);
	r = reader_of(bob.m.data);
	ck_assert_int_eq(relay_list_next(&r, name), Q_OK);
	ck_assert_str_eq(name, "ann");
	ck_assert_int_eq(relay_list_next(&r, name), Q_OK);
	ck_assert_str_eq(name, "cid");
	ck_assert_int_eq(relay_list_next(&r, name), Q_MISSING);
	call(&ann, RELAY_NOTICE, "");
	relay_protocol.deliver(ann.rs->session, &said);
	relay_protocol.deliver(bob.rs->session, &said);
	outbox_flush_touched();
	expect(&ann, RELAY_NOTICE, "back at noon");
	expect_nothing(&bob);
	stop();
}
END_TEST

START_TEST(opcodes_that_are_no_clients)
{
	static const int32_t wrong[] = {0,   -1,  280, 290, 292, 300, 302,       307,
					349, 351, 371, 373, 375, 377, 0x7fffffff};

	start(NULL, SOCK_STREAM);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert(!run_wants(wrong[i]));
		ck_assert_int_eq(call(&ann, wrong[i], ""), Q_FORMAT);
	}
	ck_assert_int_eq(call(&ann, RELAY_LOGOUT, ""), Q_CLOSED);
	stop();
}
END_TEST

START_TEST(replaced)
{
	struct side again;

	start(NULL, SOCK_STREAM);
	chat(&ann, &bob);
	open_side(&again, "ANN", SOCK_STREAM);
	outbox_flush_touched();
	expect(&bob, RELAY_CLOSED_CHAT, "");
	expect(&ann, RELAY_FORCED_LOGOUT, "you have logged in from another place");
	ck_assert(session_ended(ann.rs->session));
	chat(&bob, &again);
	say(&ann, RELAY_PEER_MESSAGE, "from the grave");
	expect_nothing(&bob);
	close_side(&again);
	outbox_flush_touched();
	expect(&bob, RELAY_CLOSED_CHAT, "");
	stop();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("relay_forward");
	TCase *t = tcase_create("forward");

	tcase_add_test(t, passed_on_in_order);
	tcase_add_test(t, dropped_outside_a_chat);
	tcase_add_test(t, never_into_the_next_chat);
	tcase_add_test(t, slow_partner);
	tcase_add_loop_test(t, waiting_ends_early, 0, 2);
	tcase_add_test(t, counter_used_up);
	tcase_add_test(t, distinct_frames_one_by_one);
	tcase_add_test(t, archived_first);
	tcase_add_test(t, archive_fails);
	tcase_add_test(t, request_lapses);
	tcase_add_test(t, list_and_notices);
	tcase_add_test(t, opcodes_that_are_no_clients);
	tcase_add_test(t, replaced);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
