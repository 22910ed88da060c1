/* SPDX-License-Identifier: MIT
 *
 * The client's nodes machine against a fake server and fake correspondents: bytes in,
 * bytes and events out.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "client/link_mutual.h"
#include "client/nodes.h"
#include "protocol/nodes.h"

#define ME    100
#define BOB   200
#define CAROL 300

struct fake {
	struct client_login login;
	struct client_view view;
	struct client_env env;
	struct client_sides sides;
	void *machine;
	struct buf out, side_out[8]; /* side 1 is [0] */
	struct link_mutual how[8];
	bool finished[8];
	unsigned opened;
	bool refuse_open;
	char said[4096]; /* events, as words */
};

static void
event(void *arg, const struct client_event *e)
{
	static const struct {
		enum client_event_kind kind;
		const char *word;
	} words[] = {
	    {CLIENT_LOGGED_IN, "logged-in"},
	    {CLIENT_REQUEST_FROM, "request"},
	    {CLIENT_REQUEST_WITHDRAWN, "withdrawn"},
	    {CLIENT_REQUEST_DENIED, "denied"},
	    {CLIENT_CHAT_READY, "ready"},
	    {CLIENT_MESSAGE, "message"},
	    {CLIENT_CHAT_CLOSED, "closed"},
	    {CLIENT_UNREAD, "unread"},
	    {CLIENT_DELIVERED, "delivered"},
	    {CLIENT_UNSENT, "unsent"},
	    {CLIENT_PINGED, "pinged"},
	    {CLIENT_NODE, "node"},
	    {CLIENT_NODES_END, "nodes"},
	    {CLIENT_CHAT_KEPT, "call"},
	    {CLIENT_CHATS_END, "calls"},
	    {CLIENT_DONE, "done"},
	    {CLIENT_FAILED, "failed"},
	    {CLIENT_FORCED_LOGOUT, "forced"},
	    {CLIENT_LOGGED_OUT, "out"},
	    {CLIENT_LOST, "lost"},
	    {CLIENT_REFUSED, "refused"},
	};
	struct fake *f = arg;
	size_t at = strlen(f->said);
	const char *word = "?";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].kind == e->kind)
			word = words[i].word;
	snprintf(f->said + at, sizeof(f->said) - at, "%s%s%s%s%.*s;", word,
		 e->name != NULL ? " " : "", e->name != NULL ? e->name : "",
		 e->text.len > 0 ? " " : "", (int)e->text.len, (const char *)e->text.p);
}

static enum qerr
open_side(void *arg, const struct link_mutual *how, unsigned *id, struct why *why)
{
	struct fake *f = arg;

	if (f->refuse_open)
		return why_set(why, Q_SYS, "no more descriptors");
	f->how[f->opened] = *how;
	*id = ++f->opened;
	return Q_OK;
}

static struct buf *
side_out(void *arg, unsigned id)
{
	struct fake *f = arg;

	return &f->side_out[id - 1];
}

static void
finish_side(void *arg, unsigned id)
{
	struct fake *f = arg;

	f->finished[id - 1] = true;
}

static void
expect_events(struct fake *f, const char *want)
{
	ck_assert_str_eq(f->said, want);
	f->said[0] = '\0';
}
#define EVENTS(f, want) expect_events(f, want)

/* The next message that is in b, taken out. */
static struct nodes_message
taken(struct buf *b, enum nodes_speaker speaker)
{
	struct nodes_message m;

	ck_assert_int_eq(nodes_next(buf_span(b), speaker, &m), Q_OK);
	buf_consume(b, m.total);
	return m;
}

static void
sent(struct fake *f, enum nodes_type type, uint32_t uin)
{
	struct nodes_message m = taken(&f->out, NODES_CLIENT);

	ck_assert_int_eq(m.type, type);
	ck_assert_uint_eq(m.uin, uin);
}

/* The server says m, in two pieces. */
static void
hear(struct fake *f, const struct nodes_message *m)
{
	struct buf whole = BUF_INIT(NODES_MESSAGE_MAX), in = BUF_INIT(NODES_MESSAGE_MAX);

	ck_assert_int_eq(nodes_put(&whole, m), Q_OK);
	ck_assert_int_eq(buf_put(&in, whole.p, whole.len - 1), Q_OK);
	client_nodes.input(f->machine, &in, 1000);
	ck_assert_uint_eq(in.len, whole.len - 1);
	ck_assert_int_eq(buf_put(&in, whole.p + whole.len - 1, 1), Q_OK);
	client_nodes.input(f->machine, &in, 1000);
	ck_assert_uint_eq(in.len, 0);
	buf_free(&whole);
	buf_free(&in);
}

static void
hear_uin(struct fake *f, enum nodes_type type, uint32_t uin)
{
	hear(f, &(struct nodes_message){.type = type, .uin = uin});
}

static void
hear_who(struct fake *f, uint32_t uin, const char *name)
{
	hear(f, &(struct nodes_message){
		    .type = NODES_WHO_IS, .uin = uin, .bytes = span_str(name)});
}

/* The correspondent on that side says m. */
static void
hear_side(struct fake *f, unsigned id, const struct nodes_message *m, int64_t now_ms)
{
	struct buf in = BUF_INIT(NODES_MESSAGE_MAX);

	ck_assert_int_eq(nodes_put(&in, m), Q_OK);
	client_nodes.side_ops->input(f->machine, id, &in, now_ms);
	ck_assert_uint_eq(in.len, 0);
	buf_free(&in);
}

static void
hear_text(struct fake *f, unsigned id, const char *text)
{
	hear_side(f, id,
		  &(struct nodes_message){.type = NODES_TEXT, .bytes = span_str(text)},
		  0);
}

static enum qerr
ask(struct fake *f, enum client_verb verb, const char *arg)
{
	return client_nodes.command(f->machine, verb, span_str(arg), 5000, NULL);
}

static struct fake *
fake_new(void)
{
	struct fake *f = calloc(1, sizeof(*f));

	ck_assert_ptr_nonnull(f);
	snprintf(f->login.user, sizeof(f->login.user), "alice");
	f->out = (struct buf)BUF_INIT(1 << 20);
	for (int i = 0; i < 8; i++)
		f->side_out[i] = (struct buf)BUF_INIT(1 << 20);
	f->sides = (struct client_sides){f, open_side, side_out, finish_side};
	f->env = (struct client_env){.login = &f->login,
				     .server = "lab:9034",
				     .out = &f->out,
				     .view = &f->view,
				     .event = event,
				     .event_arg = f,
				     .sides = &f->sides};
	f->machine = client_nodes.make(&f->env);
	ck_assert_ptr_nonnull(f->machine);
	return f;
}

static struct fake *
logged_in(void)
{
	struct fake *f = fake_new();
	struct nodes_message m;

	client_nodes.begin(f->machine, 0);
	m = taken(&f->out, NODES_CLIENT);
	ck_assert_int_eq(m.type, NODES_WHO_NAME);
	ck_assert_uint_eq(m.bytes.len, 0);
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_CONNECTING);
	hear_who(f, ME, "alice");
	EVENTS(f, "logged-in alice;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_FREE);
	ck_assert_str_eq(f->view.own_as, "100");
	return f;
}

static void
fake_free(struct fake *f)
{
	ck_assert_uint_eq(f->out.len, 0);
	client_nodes.drop(f->machine);
	buf_free(&f->out);
	for (int i = 0; i < 8; i++)
		buf_free(&f->side_out[i]);
	free(f);
}

static const uint8_t key[SHA256_LEN] = {1, 2, 3};

/* We call bob; side 1 is up. */
static struct fake *
calling_bob(void)
{
	struct fake *f = logged_in();

	ck_assert_int_eq(ask(f, CLIENT_DO_CHAT, "bob"), Q_OK);
	ck_assert(f->view.busy);
	ck_assert_int_eq(taken(&f->out, NODES_CLIENT).type, NODES_WHO_NAME);
	hear_who(f, BOB, "Bob");
	ck_assert(!f->view.busy);
	sent(f, NODES_CALL, BOB);
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_ASKING);
	ck_assert_str_eq(f->view.partner, "Bob");
	hear_uin(f, NODES_READY, BOB);
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_KEYING);
	ck_assert_uint_eq(f->opened, 1);
	ck_assert(!f->how[0].tls_server);
	ck_assert(!f->how[0].answered);
	ck_assert_mem_eq(f->how[0].hello, "\x20\x20\x64\0\0\0\xC8\0\0\0", 10);
	client_nodes.side_ops->up(f->machine, 1, key, 0);
	EVENTS(f, "ready Bob;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_CHATTING);
	ck_assert_str_eq(f->view.partner_as, "200");
	return f;
}

/* carol calls us, and we accept: side id. */
static void
accept_carol(struct fake *f, unsigned id)
{
	hear_uin(f, NODES_CALLED, CAROL);
	sent(f, NODES_WHO_UIN, CAROL);
	hear_who(f, CAROL, "carol");
	EVENTS(f, "request carol;");
	ck_assert_int_eq(ask(f, CLIENT_DO_ACCEPT, ""), Q_OK);
	sent(f, NODES_ALLOW, CAROL);
	ck_assert_uint_eq(f->opened, id);
	ck_assert(f->how[id - 1].tls_server);
	ck_assert_mem_eq(f->how[id - 1].hello, "\x20\x20\x2C\x01\0\0\x64\0\0\0", 10);
	client_nodes.side_ops->up(f->machine, id, key, 0);
	EVENTS(f, "ready carol;");
}

START_TEST(how_it_begins)
{
	struct client_login login = {.user = "alice"};
	struct link_mutual how;

	client_nodes.opening(&login, &how);
	ck_assert_uint_eq(how.hello_len, 4);
	ck_assert_mem_eq(how.hello, "\xCA\xCA\x01\x00", 4);
	ck_assert(how.answered && how.tls_server);
}
END_TEST

START_TEST(texts_and_reports)
{
	struct fake *f = calling_bob();
	struct nodes_message got = {.type = NODES_DELIVERED};

	ck_assert_int_eq(ask(f, CLIENT_DO_SAY, "one"), Q_OK);
	ck_assert_int_eq(ask(f, CLIENT_DO_SAY, "two"), Q_OK);
	ck_assert_uint_eq(f->side_out[0].len, 14);
	ck_assert_mem_eq(f->side_out[0].p, "\x30\x30\x03\0one\x30\x30\x03\0two", 14);
	f->side_out[0].len = 0;
	ck_assert_uint_eq(f->view.on_the_way, 2);
	hear_side(f, 1, &got, 0);
	EVENTS(f, "delivered Bob one;");
	ck_assert_uint_eq(f->view.on_the_way, 1);
	hear_text(f, 1, "hello");
	EVENTS(f, "message Bob hello;");
	ck_assert_int_eq(taken(&f->side_out[0], NODES_CORRESPONDENT).type,
			 NODES_DELIVERED);
	hear_side(f, 1, &got, 0);
	EVENTS(f, "delivered Bob two;");
	/* One too many means nothing. */
	hear_side(f, 1, &got, 0);
	EVENTS(f, "");
	ck_assert_int_eq(ask(f, CLIENT_DO_SAY, "\xff"), Q_FORMAT);
	/* What is not known to have arrived is told. */
	ck_assert_int_eq(ask(f, CLIENT_DO_SAY, "three"), Q_OK);
	client_nodes.side_ops->lost(f->machine, 1, Q_CLOSED, "closed");
	EVENTS(f, "unsent Bob three;closed Bob by the other side;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_FREE);
	ck_assert_int_eq(ask(f, CLIENT_DO_SAY, "four"), Q_DENIED);
	fake_free(f);
}
END_TEST

START_TEST(pings)
{
	struct fake *f = calling_bob();
	struct nodes_message m;

	ck_assert_int_eq(ask(f, CLIENT_DO_PING, ""), Q_OK);
	m = taken(&f->side_out[0], NODES_CORRESPONDENT);
	ck_assert_int_eq(m.type, NODES_PING);
	m.type = NODES_PONG;
	m.two[0] ^= 1; /* another one's */
	hear_side(f, 1, &m, 5040);
	EVENTS(f, "");
	m.two[0] ^= 1;
	hear_side(f, 1, &m, 5040);
	EVENTS(f, "pinged Bob;");
	m.type = NODES_PING;
	hear_side(f, 1, &m, 0);
	ck_assert_int_eq(taken(&f->side_out[0], NODES_CORRESPONDENT).type, NODES_PONG);
	hear(f, &m);
	ck_assert_int_eq(taken(&f->out, NODES_CLIENT).type, NODES_PONG);
	ck_assert_int_eq(ask(f, CLIENT_DO_END, ""), Q_OK);
	EVENTS(f, "closed Bob by you;");
	ck_assert(f->finished[0]);
	ck_assert_int_eq(ask(f, CLIENT_DO_PING, ""), Q_OK);
	m = taken(&f->out, NODES_CLIENT);
	m.type = NODES_PONG;
	hear(f, &m);
	EVENTS(f, "pinged;");
	fake_free(f);
}
END_TEST

START_TEST(nobody_to_call)
{
	struct fake *f = logged_in();

	ck_assert_int_eq(ask(f, CLIENT_DO_CHAT, "dave"), Q_OK);
	(void)taken(&f->out, NODES_CLIENT);
	hear_who(f, 0, "");
	EVENTS(f, "failed there is no user dave here; people elsewhere are called by "
		  "their numbers;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_FREE);
	/* A number of elsewhere. */
	ck_assert_int_eq(ask(f, CLIENT_DO_CHAT, "4294967295"), Q_OK);
	(void)taken(&f->out, NODES_CLIENT);
	hear_who(f, 0, "");
	sent(f, NODES_CALL, 4294967295u);
	hear_uin(f, NODES_NOT_FOUND, 4294967295u);
	EVENTS(f, "denied 4294967295;");
	/* Ourselves, by name and by number. */
	ck_assert_int_eq(ask(f, CLIENT_DO_CHAT, "Alice"), Q_DENIED);
	ck_assert_int_eq(ask(f, CLIENT_DO_CHAT, "100"), Q_OK);
	(void)taken(&f->out, NODES_CLIENT);
	hear_who(f, 0, "");
	EVENTS(f, "failed 100 is you;");
	/* Given up before it is answered. */
	ck_assert_int_eq(ask(f, CLIENT_DO_CHAT, "bob"), Q_OK);
	(void)taken(&f->out, NODES_CLIENT);
	hear_who(f, BOB, "bob");
	sent(f, NODES_CALL, BOB);
	ck_assert_int_eq(ask(f, CLIENT_DO_END, ""), Q_OK);
	EVENTS(f, "withdrawn bob;");
	hear_uin(f, NODES_READY, BOB);
	EVENTS(f, "");
	ck_assert_uint_eq(f->opened, 0);
	fake_free(f);
}
END_TEST

START_TEST(called)
{
	struct fake *f = logged_in();

	accept_carol(f, 1);
	client_nodes.side_ops->lost(f->machine, 1, Q_SYS, "reset");
	EVENTS(f, "closed carol reset;");
	/* Refused; and withdrawn.  Elsewhere people have no names. */
	hear_uin(f, NODES_CALLED, BOB);
	sent(f, NODES_WHO_UIN, BOB);
	EVENTS(f, "");
	hear_who(f, 0, "");
	EVENTS(f, "request 200;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_ASKED);
	ck_assert_int_eq(ask(f, CLIENT_DO_REFUSE, ""), Q_OK);
	sent(f, NODES_REFUSE, BOB);
	EVENTS(f, "done refused 200;");
	hear_uin(f, NODES_CALLED, BOB);
	sent(f, NODES_WHO_UIN, BOB);
	hear_who(f, 0, "");
	hear_uin(f, NODES_NOT_FOUND, BOB);
	EVENTS(f, "request 200;withdrawn 200;");
	/* Gone before we knew the name. */
	hear_uin(f, NODES_CALLED, BOB);
	sent(f, NODES_WHO_UIN, BOB);
	hear_uin(f, NODES_NOT_FOUND, BOB);
	hear_who(f, BOB, "bob");
	EVENTS(f, "");
	ck_assert_int_eq(ask(f, CLIENT_DO_ACCEPT, ""), Q_DENIED);
	/* No connection to be had. */
	f->refuse_open = true;
	hear_uin(f, NODES_CALLED, BOB);
	sent(f, NODES_WHO_UIN, BOB);
	hear_who(f, BOB, "bob");
	ck_assert_int_eq(ask(f, CLIENT_DO_ACCEPT, ""), Q_OK);
	sent(f, NODES_ALLOW, BOB);
	EVENTS(f, "request bob;closed bob no more descriptors;");
	fake_free(f);
}
END_TEST

START_TEST(several)
{
	struct fake *f = calling_bob();
	char number[NAME_SIZE];

	accept_carol(f, 2);
	hear_text(f, 1, "first");
	hear_text(f, 1, "second");
	hear_text(f, 2, "from carol");
	EVENTS(f, "unread Bob;unread Bob;message carol from carol;");
	ck_assert_uint_eq(f->view.unread, 2);
	ck_assert_int_eq(ask(f, CLIENT_DO_CHATS, ""), Q_OK);
	EVENTS(f, "call Bob;call carol;calls;");
	ck_assert_int_eq(ask(f, CLIENT_DO_CHAT, "bob"), Q_OK);
	EVENTS(f, "ready Bob;message Bob first;message Bob second;");
	ck_assert_uint_eq(f->view.unread, 0);
	/* By number, too. */
	ck_assert_int_eq(ask(f, CLIENT_DO_CHAT, "300"), Q_OK);
	EVENTS(f, "ready carol;");
	hear_text(f, 1, "third");
	client_nodes.side_ops->lost(f->machine, 1, Q_CLOSED, "");
	EVENTS(f, "unread Bob;closed Bob by the other side;");
	ck_assert_uint_eq(f->view.unread, 0);
	ck_assert_str_eq(f->view.partner, "carol");
	ck_assert(client_nodes.alias(f->machine, span_str("BOB"), number));
	ck_assert_str_eq(number, "200");
	ck_assert(client_nodes.alias(f->machine, span_str("12"), number));
	ck_assert(!client_nodes.alias(f->machine, span_str("dave"), number));
	fake_free(f);
}
END_TEST

START_TEST(wrong_bytes)
{
	struct fake *f = calling_bob();
	struct buf in = BUF_INIT(64);

	ck_assert_int_eq(buf_put(&in, "\x30\x31", 2), Q_OK);
	client_nodes.side_ops->input(f->machine, 1, &in, 0);
	EVENTS(f, "closed Bob what came from there is no message;");
	ck_assert(f->finished[0]);
	in.len = 0;
	ck_assert_int_eq(buf_put(&in, "\x03\x03", 2), Q_OK);
	client_nodes.input(f->machine, &in, 0);
	EVENTS(f, "lost the server broke the protocol;");
	buf_free(&in);
	fake_free(f);
}
END_TEST

START_TEST(list_of_nodes)
{
	struct fake *f = logged_in();
	struct buf list = BUF_INIT(1024);
	struct nodes_address ip4 = {.kind = NODES_IP4, .ip = {10, 0, 0, 1}, .port = 9034};
	struct nodes_address host = {
	    .kind = NODES_HOST, .host = span_str("lab2"), .port = 1};
	struct nodes_message m = {.type = NODES_LIST, .count = 2};

	ck_assert_int_eq(nodes_address_put(&list, &ip4), Q_OK);
	ck_assert_int_eq(nodes_address_put(&list, &host), Q_OK);
	m.bytes = buf_span(&list);
	hear(f, &m);
	EVENTS(f, "");
	ck_assert_int_eq(ask(f, CLIENT_DO_NODES, ""), Q_OK);
	ck_assert_int_eq(taken(&f->out, NODES_CLIENT).type, NODES_ASK_NODES);
	hear(f, &m);
	EVENTS(f, "node 10.0.0.1:9034;node lab2:1;nodes;");
	buf_free(&list);
	fake_free(f);
}
END_TEST

START_TEST(ends)
{
	struct fake *f = calling_bob();

	switch (_i) {
	case 0:
		hear_uin(f, NODES_NOT_FOUND, ME);
		EVENTS(f, "forced you have logged in elsewhere, or an administrator "
			  "wants it so;");
		break;
	case 1:
		accept_carol(f, 2);
		ck_assert_int_eq(ask(f, CLIENT_DO_SAY, "hm"), Q_OK);
		client_nodes.lost(f->machine, Q_CLOSED, "gone");
		EVENTS(f, "closed Bob the connection is lost;unsent carol hm;lost gone;");
		break;
	case 2:
		ck_assert_int_eq(ask(f, CLIENT_DO_LOGOUT, ""), Q_OK);
		ck_assert(f->finished[0]);
		ck_assert_int_eq(f->view.phase, CLIENT_PHASE_LEAVING);
		client_nodes.lost(f->machine, Q_CLOSED, "gone");
		EVENTS(f, "out logged out;");
		break;
	default:
		ck_assert_int_eq(ask(f, CLIENT_DO_LOGOUT, ""), Q_OK);
		client_nodes.tick(f->machine, client_nodes.deadline(f->machine));
		EVENTS(f, "out logged out;");
	}
	/* Nothing after the final one. */
	client_nodes.side_ops->lost(f->machine, 1, Q_CLOSED, "");
	client_nodes.lost(f->machine, Q_CLOSED, "");
	EVENTS(f, "");
	f->out.len = 0;
	fake_free(f);
}
END_TEST

/* The calls' connections end only when all has gone out; what does not is in doubt. */
START_TEST(left_in_doubt)
{
	struct fake *f = logged_in();

	accept_carol(f, 1);
	ck_assert_int_eq(ask(f, CLIENT_DO_SAY, "hm"), Q_OK);
	ck_assert_int_eq(ask(f, CLIENT_DO_LOGOUT, ""), Q_OK);
	f->said[0] = '\0';
	if (_i == 0) {
		client_nodes.tick(f->machine, client_nodes.deadline(f->machine));
		EVENTS(f, "unsent carol hm;lost what was said last has not gone out;");
	} else {
		client_nodes.lost(f->machine, Q_CLOSED, "gone");
		EVENTS(f, "out logged out;");
	}
	f->out.len = 0;
	fake_free(f);
}
END_TEST

/* Nobody says anything, and so it is asked whether anybody is there. */
START_TEST(quiet_server)
{
	struct fake *f = logged_in(); /* at 1000 */
	struct buf in = BUF_INIT(NODES_MESSAGE_MAX);
	struct nodes_message m;

	ck_assert_int_eq(client_nodes.deadline(f->machine), 11000);
	client_nodes.tick(f->machine, 10999);
	ck_assert_uint_eq(f->out.len, 0);
	client_nodes.tick(f->machine, 11000);
	m = taken(&f->out, NODES_CLIENT);
	ck_assert_int_eq(m.type, NODES_PING);
	m.type = NODES_PONG;
	hear(f, &m); /* says nothing to a person */
	EVENTS(f, "");
	ck_assert_int_eq(client_nodes.deadline(f->machine), 11000);
	client_nodes.tick(f->machine, 11000);
	ck_assert_int_eq(taken(&f->out, NODES_CLIENT).type, NODES_PING);
	client_nodes.input(f->machine, &in, 18999); /* nothing has come */
	ck_assert_int_eq(client_nodes.deadline(f->machine), 19000);
	client_nodes.tick(f->machine, 19000);
	EVENTS(f, "lost the server does not answer any longer;");
	fake_free(f);
}
END_TEST

START_TEST(not_logged_in)
{
	struct fake *f = fake_new();

	client_nodes.begin(f->machine, 0);
	f->out.len = 0;
	if (_i == 0) {
		client_nodes.lost(f->machine, Q_DENIED, "no");
		EVENTS(f, "refused no;");
	} else if (_i == 1) {
		client_nodes.lost(f->machine, Q_SYS, "no");
		EVENTS(f, "lost no;");
	} else if (_i == 2) {
		hear_who(f, 0, "");
		EVENTS(f, "lost the server does not say who we are;");
	} else {
		client_nodes.tick(f->machine, client_nodes.deadline(f->machine));
		EVENTS(f, "lost the server does not answer in time;");
	}
	fake_free(f);
}
END_TEST

START_TEST(clear_answers)
{
	struct why why;

	ck_assert_int_eq(link_mutual_answer("x", (const uint8_t *)"\x01\x01OK", &why),
			 Q_OK);
	ck_assert_int_eq(
	    link_mutual_answer("x", (const uint8_t *)"\x02\x02\x02\x01", &why), Q_DENIED);
	ck_assert_str_eq(why.text, "x speaks version 2.1 of nodes, and we speak 1.0");
	ck_assert_int_eq(link_mutual_answer("x", (const uint8_t *)"HTTP", &why),
			 Q_DENIED);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client-nodes");
	TCase *tc = tcase_create("machine");

	tcase_add_test(tc, how_it_begins);
	tcase_add_test(tc, texts_and_reports);
	tcase_add_test(tc, pings);
	tcase_add_test(tc, nobody_to_call);
	tcase_add_test(tc, called);
	tcase_add_test(tc, several);
	tcase_add_test(tc, wrong_bytes);
	tcase_add_test(tc, list_of_nodes);
	tcase_add_loop_test(tc, ends, 0, 4);
	tcase_add_loop_test(tc, not_logged_in, 0, 4);
	tcase_add_loop_test(tc, left_in_doubt, 0, 2);
	tcase_add_test(tc, quiet_server);
	tcase_add_test(tc, clear_answers);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
