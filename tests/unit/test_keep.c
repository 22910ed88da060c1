/* SPDX-License-Identifier: MIT
 *
 * A client that comes back, with a protocol of four words over a real socket: what the
 * server writes makes the machine do things, and what is asked for is written down.
 */
#include "tests/unit/unit.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "client/keep.h"
#include "client/unsent.h"

/* ---- the protocol ---- */

struct machine {
	const struct client_env *env;
};

static int logins;       /* begun */
static char asked[1024]; /* what was asked of machines */

static void *
make(const struct client_env *env)
{
	struct machine *m = calloc(1, sizeof(*m));

	ck_assert_ptr_nonnull(m);
	m->env = env;
	return m;
}

static void
begin(void *machine, int64_t now_ms)
{
	const struct machine *m = machine;

	(void)now_ms;
	logins++;
	ck_assert(logins == 1 || !m->env->login->new_user);
}

static void
act(const struct machine *m, char word)
{
	switch (word) {
	case 'l': /* login */
		m->env->view->phase = CLIENT_PHASE_FREE;
		client_tell(m->env, CLIENT_LOGGED_IN, NULL, span_of(NULL, 0));
		break;
	case 'b': m->env->view->busy = true; break;
	case 'i': m->env->view->busy = false; break;
	case 'c': /* chat */
		m->env->view->phase = CLIENT_PHASE_CHATTING;
		client_tell(m->env, CLIENT_CHAT_READY, "bob", span_of(NULL, 0));
		break;
	case 'e':
		client_tell(m->env, CLIENT_CHAT_CLOSED, "bob", span_str("by bob"));
		break;
	case 'r': client_end(m->env, CLIENT_REFUSED, "no", false); break;
	case 't': client_end(m->env, CLIENT_REFUSED, "taken", true); break;
	case 'h': {
		struct client_event e = {.kind = CLIENT_REFUSED,
					 .text = span_str("hung up"),
					 .again = true,
					 .count = 2};

		m->env->event(m->env->event_arg, &e);
		break;
	}
	case 'k': client_end(m->env, CLIENT_FORCED_LOGOUT, "kicked", false); break;
	case 's': client_end(m->env, CLIENT_FORCED_LOGOUT, "stopping", true); break;
	default: break;
	}
}

static void
input(void *machine, struct buf *in, int64_t now_ms)
{
	(void)now_ms;
	for (size_t i = 0; i < in->len; i++)
		act(machine, (char)in->p[i]);
	buf_consume(in, in->len);
}

static void
lost(void *machine, enum qerr e, const char *reason)
{
	const struct machine *m = machine;

	(void)e;
	client_tell(m->env, CLIENT_LOST, NULL, span_str(reason));
}

static int64_t
deadline(const void *machine)
{
	(void)machine;
	return 0;
}

static void
tick(void *machine, int64_t now_ms)
{
	(void)machine;
	(void)now_ms;
}

static enum qerr
command(void *machine, enum client_verb verb, struct span arg, int64_t now_ms,
	struct why *why)
{
	const struct machine *m = machine;
	char line[64];

	(void)now_ms;
	(void)why;
	if (verb == CLIENT_DO_LOGOUT) {
		client_tell(m->env, CLIENT_LOGGED_OUT, NULL, span_str("logged out"));
		return Q_OK;
	}
	snprintf(line, sizeof(line), "%d %.*s;", (int)verb, (int)arg.len,
		 (const char *)arg.p);
	strlcat(asked, line, sizeof(asked));
	return Q_OK;
}

static struct client_protocol protocol = {
    .name = "four words",
    .text_max = 100,
    .make = make,
    .drop = free,
    .begin = begin,
    .input = input,
    .lost = lost,
    .deadline = deadline,
    .tick = tick,
    .command = command,
};

/* ---- the server ---- */

static int listener, conn;
static int place; /* keeps the port from others while nobody listens */
static struct target target;

/* A socket that is bound to this port, 0: to any.  It may be one that is taken already, as
 * long as nobody listens there. */
static int
bound_to(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				.sin_port = htons(port)};
	socklen_t len = sizeof(a);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ne(fd, -1);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	target.port = ntohs(a.sin_port);
	return fd;
}

static void
listen_again(void)
{
	listener = bound_to(target.port);
	ck_assert_int_eq(listen(listener, 5), 0);
}

static void
hang_up(void)
{
	if (conn != -1)
		close(conn);
	conn = -1;
}

static void
stop_listening(void)
{
	close(listener);
	listener = -1;
}

/* ---- the person ---- */

static struct keep *k;
static struct client_login login;
static char events[2048], taken[2048];
static int64_t delay_ms;

static void
on_event(void *arg, const struct client_event *e)
{
	static const char *const words[] = {
	    [CLIENT_CONNECTED] = "connected", [CLIENT_LOGGED_IN] = "in",
	    [CLIENT_CHAT_READY] = "ready",    [CLIENT_CHAT_CLOSED] = "closed",
	    [CLIENT_UNSENT] = "unsent",       [CLIENT_AWAY] = "away",
	    [CLIENT_BACK] = "back",           [CLIENT_LOGGED_OUT] = "out",
	    [CLIENT_REFUSED] = "refused",     [CLIENT_FORCED_LOGOUT] = "forced",
	    [CLIENT_LOST] = "lost",
	};
	char line[64];

	(void)arg;
	ck_assert_ptr_nonnull(words[e->kind]);
	snprintf(line, sizeof(line), "%s%s%s%s;", words[e->kind],
		 e->name != NULL ? " " : "", e->name != NULL ? e->name : "",
		 e->kind == CLIENT_BACK && e->count > 0 ? " open" : "");
	if (e->kind == CLIENT_AWAY) {
		delay_ms = e->time_ms;
		ck_assert_int_eq(keep_state(k), KEEP_WAITING);
		/* From within: nothing but an answer. */
		ck_assert_int_eq(keep_do(k, CLIENT_DO_SAY, span_str("x"), NULL),
				 Q_CLOSED);
	}
	ck_assert_uint_lt(strlcat(events, line, sizeof(events)), sizeof(events));
}

static const char *
told(void)
{
	strlcpy(taken, events, sizeof(taken));
	events[0] = '\0';
	return taken;
}
#define TOLD(want) ck_assert_str_eq(told(), want)

/* Step until the events so far end with want. */
static void
until(const char *want)
{
	int64_t end = clock_mono_ms() + 50000;
	size_t len = strlen(want);

	while (strlen(events) < len || strcmp(events + strlen(events) - len, want) != 0) {
		struct pollfd p = {.fd = keep_fd(k), .events = keep_poll_events(k)};
		int64_t due = keep_deadline(k);
		int left = clock_left_ms(due != 0 && due < end ? due : end);

		ck_assert_msg(clock_mono_ms() < end, "in vain: %s; got %s", want, events);
		ck_assert_int_ge(poll(&p, 1, left), 0);
		keep_step(k, p.revents);
	}
}

static void
accept_one(void)
{
	hang_up();
	until("connected;");
	conn = accept(listener, NULL, NULL);
	ck_assert_int_ne(conn, -1);
}

static void
write_word(char word)
{
	ck_assert_int_eq(write(conn, &word, 1), 1);
}

static void
begin_with(enum keep_mode mode)
{
	struct why why;

	ck_assert_int_eq(
	    keep_new(&target, &protocol, &login, mode, on_event, NULL, &k, &why), Q_OK);
	ck_assert_int_eq(keep_state(k), KEEP_CONNECTING);
	ck_assert_int_eq(keep_view(k)->phase, CLIENT_PHASE_CONNECTING);
}

static void
log_in(enum keep_mode mode)
{
	begin_with(mode);
	accept_one();
	write_word('l');
	until("in;");
	ck_assert_int_eq(keep_state(k), KEEP_UP);
	TOLD("connected;in;");
}

static void
setup(void)
{
	strlcpy(target.host, "127.0.0.1", sizeof(target.host));
	place = bound_to(0);
	conn = -1;
	logins = 0;
	asked[0] = events[0] = '\0';
	login = (struct client_login){.user = "alice"};
	protocol.chats_last = false;
	listen_again();
}

static void
teardown(void)
{
	keep_free(k);
	k = NULL;
	hang_up();
	if (listener != -1)
		stop_listening();
	close(place);
}

/* ---- it comes back ---- */

START_TEST(comes_back)
{
	login.new_user = true;
	log_in(KEEP_COMING_BACK);
	hang_up();
	until("away;");
	TOLD("away;");
	ck_assert_int_ge(delay_ms, 500);
	ck_assert_int_le(delay_ms, 1000);
	ck_assert_int_eq(keep_fd(k), -1);
	ck_assert_int_eq(keep_deadline(k), keep_until(k));
	ck_assert_int_eq(keep_view(k)->phase, CLIENT_PHASE_CONNECTING);
	ck_assert_uint_eq(keep_waiting(k), 0);
	accept_one();
	ck_assert_int_eq(keep_state(k), KEEP_CONNECTING);
	ck_assert_int_eq(keep_do(k, CLIENT_DO_LIST, span_of(NULL, 0), NULL), Q_CLOSED);
	write_word('l');
	until("back;");
	TOLD("connected;in;back;");
	ck_assert_int_eq(logins, 2);
	ck_assert_int_eq(keep_do(k, CLIENT_DO_LIST, span_of(NULL, 0), NULL), Q_OK);
}
END_TEST

/* The server is away for longer: each time it takes longer. */
START_TEST(keeps_trying)
{
	log_in(KEEP_COMING_BACK);
	stop_listening();
	hang_up();
	until("away;");
	keep_hurry(k);
	until("away;away;");
	ck_assert_int_ge(delay_ms, 1000);
	keep_hurry(k);
	until("away;away;away;");
	ck_assert_int_ge(delay_ms, 2000);
	listen_again();
	keep_hurry(k);
	accept_one();
	write_word('l');
	until("back;");
	TOLD("away;away;away;connected;in;back;");
}
END_TEST

START_TEST(stops)
{
	log_in(KEEP_COMING_BACK);
	write_word('s');
	until("away;");
	keep_hurry(k);
	accept_one();
	/* The old login is still there: that passes. */
	write_word('t');
	until("away;");
	keep_hurry(k);
	accept_one();
	write_word('l');
	until("back;");
	TOLD("away;connected;away;connected;in;back;");
}
END_TEST

/* ---- it does not ---- */

START_TEST(never_up)
{
	begin_with(KEEP_COMING_BACK);
	accept_one();
	hang_up();
	until("lost;");
	TOLD("connected;lost;");
	ck_assert(keep_over(k));
	ck_assert_int_eq(keep_state(k), KEEP_OVER);
	ck_assert_int_eq(keep_do(k, CLIENT_DO_LIST, span_of(NULL, 0), NULL), Q_CLOSED);
}
END_TEST

START_TEST(nobody_there)
{
	stop_listening();
	begin_with(KEEP_COMING_BACK);
	until("lost;");
	TOLD("lost;");
}
END_TEST

START_TEST(once)
{
	log_in(KEEP_ONCE);
	hang_up();
	until("lost;");
	TOLD("lost;");
	ck_assert_int_eq(keep_view(k)->phase, CLIENT_PHASE_OVER);
}
END_TEST

START_TEST(refusals)
{
	log_in(KEEP_COMING_BACK);
	if (_i == 0) {
		write_word('k');
		until("forced;");
		TOLD("forced;");
	} else {
		hang_up();
		until("away;");
		keep_hurry(k);
		accept_one();
		write_word('r');
		until("refused;");
		TOLD("away;connected;refused;");
	}
	ck_assert(keep_over(k));
}
END_TEST

/* What may have been an accident is one at first; a login in between begins anew. */
START_TEST(doubtful_refusals)
{
	log_in(KEEP_COMING_BACK);
	hang_up();
	until("away;");
	for (int i = 0; i < 5; i++) {
		keep_hurry(k);
		accept_one();
		if (i == 2) {
			write_word('l');
			until("back;");
			hang_up();
		} else {
			write_word('h');
		}
		until("away;");
	}
	keep_hurry(k);
	accept_one();
	write_word('h');
	until("refused;");
	ck_assert(keep_over(k));
}
END_TEST

START_TEST(leaves)
{
	log_in(KEEP_COMING_BACK);
	if (_i == 0) {
		ck_assert_int_eq(keep_do(k, CLIENT_DO_LOGOUT, span_of(NULL, 0), NULL),
				 Q_OK);
		TOLD("out;");
	} else {
		hang_up();
		until("away;");
		ck_assert_int_eq(keep_do(k, CLIENT_DO_LOGOUT, span_of(NULL, 0), NULL),
				 Q_OK);
		TOLD("away;out;");
		ck_assert_int_eq(keep_view(k)->phase, CLIENT_PHASE_OVER);
	}
	ck_assert(keep_over(k));
}
END_TEST

/* ---- the chat ---- */

START_TEST(chat_of_two)
{
	log_in(KEEP_COMING_BACK);
	write_word('c');
	until("ready bob;");
	hang_up();
	until("away;");
	TOLD("ready bob;closed bob;away;");
	keep_hurry(k);
	accept_one();
	write_word('l');
	until("back bob;");
	ck_assert_str_eq(asked, "");
}
END_TEST

START_TEST(chat_that_lasts)
{
	char want[32];

	protocol.chats_last = true;
	log_in(KEEP_COMING_BACK);
	write_word('c');
	until("ready bob;");
	hang_up();
	until("away;");
	TOLD("ready bob;away;");
	ck_assert_str_eq(keep_view(k)->partner, "bob");
	keep_hurry(k);
	accept_one();
	/* Opened when what comes at login is there. */
	write_word('b');
	write_word('l');
	until("in;");
	ck_assert_str_eq(asked, "");
	write_word('i');
	until("back bob open;");
	snprintf(want, sizeof(want), "%d bob;", CLIENT_DO_CHAT);
	ck_assert_str_eq(asked, want);
}
END_TEST

START_TEST(chat_that_ended)
{
	protocol.chats_last = true;
	log_in(KEEP_COMING_BACK);
	write_word('c');
	until("ready bob;");
	write_word('e');
	until("closed bob;");
	hang_up();
	until("away;");
	keep_hurry(k);
	accept_one();
	write_word('l');
	until("back;");
	ck_assert_str_eq(asked, "");
}
END_TEST

/* ---- unsent.h ---- */

static char unsent_told[256];

static void
on_unsent(void *arg, const struct client_event *e)
{
	char line[64];

	(void)arg;
	ck_assert_int_eq(e->kind, CLIENT_UNSENT);
	snprintf(line, sizeof(line), "%s:%.*s;", e->name,
		 (int)(e->text.len < 8 ? e->text.len : 8), (const char *)e->text.p);
	strlcat(unsent_told, line, sizeof(unsent_told));
}

START_TEST(unsent)
{
	static const struct client_view view;
	struct client_env env = {.event = on_unsent,
				 .view = (struct client_view *)(uintptr_t)&view};
	struct unsent u = UNSENT_INIT;
	char *large = malloc(UNSENT_MAX);

	ck_assert_ptr_nonnull(large);
	memset(large, 'x', UNSENT_MAX);
	unsent_told[0] = '\0';
	unsent_add(&u, "bob", span_str("one"));
	unsent_add(&u, "carol", span_str(""));
	unsent_add(&u, "bob", span_str("three"));
	unsent_arrived(&u, 1);
	ck_assert_uint_eq(u.count, 2);
	unsent_tell(&u, &env);
	ck_assert_str_eq(unsent_told, "carol:;bob:three;");
	ck_assert_uint_eq(u.count, 0);
	unsent_told[0] = '\0';
	unsent_tell(&u, &env);
	ck_assert_str_eq(unsent_told, "");
	/* The oldest go first; how many there are stays known. */
	unsent_add(&u, "bob", span_str("a"));
	unsent_add(&u, "bob", span_of(large, UNSENT_MAX - 1000));
	unsent_add(&u, "bob", span_of(large, 1000));
	ck_assert_uint_eq(u.count, 3);
	ck_assert_uint_eq(u.forgotten, 2);
	unsent_arrived(&u, 1);
	ck_assert_uint_eq(u.forgotten, 1);
	unsent_add(&u, "bob", span_str("z"));
	unsent_tell(&u, &env);
	ck_assert_str_eq(unsent_told, "bob:xxxxxxxx;bob:z;");
	unsent_add(&u, "bob", span_of(large, UNSENT_MAX));
	unsent_add(&u, "bob", span_str("b"));
	unsent_arrived(&u, 2);
	ck_assert_uint_eq(u.count, 0);
	ck_assert_uint_eq(u.kept.len, 0);
	unsent_fini(&u);
	free(large);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("keep");
	TCase *t = tcase_create("keep"), *u = tcase_create("unsent");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, comes_back);
	tcase_add_test(t, keeps_trying);
	tcase_add_test(t, stops);
	tcase_add_test(t, never_up);
	tcase_add_test(t, nobody_there);
	tcase_add_test(t, once);
	tcase_add_loop_test(t, refusals, 0, 2);
	tcase_add_test(t, doubtful_refusals);
	tcase_add_loop_test(t, leaves, 0, 2);
	tcase_add_test(t, chat_of_two);
	tcase_add_test(t, chat_that_lasts);
	tcase_add_test(t, chat_that_ended);
	suite_add_tcase(s, t);
	tcase_add_test(u, unsent);
	suite_add_tcase(s, u);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
