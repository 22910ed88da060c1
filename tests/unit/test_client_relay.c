/* SPDX-License-Identifier: MIT
 *
 * Chats of the client's relay machine, against a fake server and a partner who is
 * not always honest.
 */
#include "tests/unit/client_fake.h"

/* The data of 303 and 307. */
static void
send_key(struct fake *f, int32_t opcode, const struct key *key)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX), data = BUF_INIT(KEY_PEM_MAX);

	ck_assert_int_eq(key_public_pem(key, &pem), Q_OK);
	ck_assert_int_eq(relay_pem_put(&data, buf_span(&pem)), Q_OK);
	say(f, opcode, buf_span(&data));
	buf_free(&pem);
	buf_free(&data);
}

/* The partner, whose key is own, and who believes to talk to alice. */
static void
make_peer(struct fake *f, enum e2e_role role, struct key *own)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX), data = BUF_INIT(KEY_PEM_MAX);
	struct why why;

	ck_assert_int_eq(key_public_pem(alice, &pem), Q_OK);
	ck_assert_int_eq(relay_pem_put(&data, buf_span(&pem)), Q_OK);
	ck_assert_int_eq(e2e_new(role, own, buf_span(&data), &f->peer, &why), Q_OK);
	buf_free(&pem);
	buf_free(&data);
}

/* Take opcode from the machine to the partner; the answer, if any, is in reply. */
static void
to_peer(struct fake *f, int32_t opcode, int32_t answer)
{
	struct span data = expect(f, opcode);
	int32_t reply;
	struct why why;

	f->reply.len = 0;
	ck_assert_int_eq(e2e_input(f->peer, opcode, data, &reply, &f->reply, &why), Q_OK);
	ck_assert_int_eq(reply, answer);
}

static void
from_peer(struct fake *f, const char *text)
{
	f->reply.len = 0;
	ck_assert_int_eq(e2e_seal(f->peer, span_str(text), &f->reply), Q_OK);
	say(f, RELAY_PEER_MESSAGE, buf_span(&f->reply));
}

/* alice has asked bob, who has agreed; the server says that bob's key is named;
 * bob's 308 is in f->reply. */
static struct fake *
asked_bob(const struct key *named)
{
	struct fake *f = logged_in();

	ask_ok(f, CLIENT_DO_CHAT, "bob");
	expect(f, RELAY_CHAT_REQUEST);
	send_key(f, RELAY_CHAT_ACCEPT, named);
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_KEYING);
	make_peer(f, E2E_ACCEPTER, bob);
	to_peer(f, RELAY_NONCE, RELAY_FIRST_KEY);
	EVENTS(f, "");
	return f;
}

static struct fake *
chatting(void)
{
	struct fake *f = asked_bob(bob);
	uint8_t sum[SHA256_LEN];
	char print[FINGERPRINT_SIZE];

	say(f, RELAY_FIRST_KEY, buf_span(&f->reply));
	EVENTS(f, "ready bob;");
	to_peer(f, RELAY_SECOND_KEY, 0);
	ck_assert(e2e_ready(f->peer));
	ck_assert_int_eq(key_fingerprint(bob, sum), Q_OK);
	fingerprint_text(sum, print);
	ck_assert_str_eq(f->view.fingerprint, print);
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_CHATTING);
	return f;
}

/* The chat is over because of what the partner, or the server, has done. */
static void
must_fail(struct fake *f, const char *reason)
{
	char want[256];

	snprintf(want, sizeof(want), "closed bob %s;", reason);
	EVENTS(f, want);
	expect(f, RELAY_END_CHAT);
	expect(f, RELAY_LIST);
	QUIET(f);
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_FREE);
	say(f, RELAY_LIST, NONE);
	EVENTS(f, "");
	fake_free(f);
}

START_TEST(chat_as_requester)
{
	struct fake *f = chatting();
	struct relay_inner in;
	struct why why;

	for (int i = 0; i < 3; i++) {
		ask_ok(f, CLIENT_DO_SAY, i == 1 ? "" : "hello");
		ck_assert_int_eq(e2e_open(f->peer, expect(f, RELAY_PEER_MESSAGE),
					  &f->reply, &in, &why),
				 Q_OK);
		ck_assert(span_eq(in.data, span_str(i == 1 ? "" : "hello")));
		from_peer(f, "hello back");
		EVENTS(f, "message bob hello back;");
	}
	say(f, RELAY_CLOSED_CHAT, NONE);
	EVENTS(f, "closed bob by the other side;");
	ck_assert_int_eq(ask(f, CLIENT_DO_SAY, "hello"), Q_DENIED);
	fake_free(f);
}
END_TEST

START_TEST(chat_as_accepter)
{
	struct fake *f = logged_in();

	say(f, RELAY_CHAT_REQUEST, span_str("bob"));
	EVENTS(f, "request bob;");
	ask_ok(f, CLIENT_DO_ACCEPT, "");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_KEYING);
	ck_assert_int_eq(ask(f, CLIENT_DO_SAY, "hello"), Q_DENIED);
	expect(f, RELAY_CHAT_ACCEPT);
	send_key(f, RELAY_PEER_PUBLIC_KEY, bob);
	make_peer(f, E2E_REQUESTER, bob);
	ck_assert_int_eq(e2e_begin(f->peer, &f->reply), Q_OK);
	say(f, RELAY_NONCE, buf_span(&f->reply));
	to_peer(f, RELAY_FIRST_KEY, RELAY_SECOND_KEY);
	EVENTS(f, "");
	say(f, RELAY_SECOND_KEY, buf_span(&f->reply));
	EVENTS(f, "ready bob;");
	from_peer(f, "hello");
	EVENTS(f, "message bob hello;");
	ask_ok(f, CLIENT_DO_END, "");
	EVENTS(f, "closed bob by you;");
	from_peer(f, "still under way");
	EVENTS(f, "");
	fake_free(f);
}
END_TEST

/* The server names carol's key as bob's: what bob signs is then not bob's. */
START_TEST(swapped_key_requester)
{
	struct fake *f = asked_bob(carol);

	say(f, RELAY_FIRST_KEY, buf_span(&f->reply));
	must_fail(f, "the partner's signature is wrong");
}
END_TEST

START_TEST(swapped_key_accepter)
{
	struct fake *f = logged_in();

	say(f, RELAY_CHAT_REQUEST, span_str("bob"));
	ask_ok(f, CLIENT_DO_ACCEPT, "");
	expect(f, RELAY_CHAT_ACCEPT);
	EVENTS(f, "request bob;");
	send_key(f, RELAY_PEER_PUBLIC_KEY, carol);
	make_peer(f, E2E_REQUESTER, bob);
	ck_assert_int_eq(e2e_begin(f->peer, &f->reply), Q_OK);
	say(f, RELAY_NONCE, buf_span(&f->reply));
	to_peer(f, RELAY_FIRST_KEY, RELAY_SECOND_KEY);
	say(f, RELAY_SECOND_KEY, buf_span(&f->reply));
	must_fail(f, "the partner's signature is wrong");
}
END_TEST

START_TEST(own_key)
{
	struct fake *f = logged_in();

	ask_ok(f, CLIENT_DO_CHAT, "bob");
	expect(f, RELAY_CHAT_REQUEST);
	send_key(f, RELAY_CHAT_ACCEPT, alice);
	must_fail(f, "the server sent our own key as the partner's");
}
END_TEST

START_TEST(no_key)
{
	struct fake *f = logged_in();

	ask_ok(f, CLIENT_DO_CHAT, "bob");
	expect(f, RELAY_CHAT_REQUEST);
	say(f, RELAY_CHAT_ACCEPT, span_str("nothing like it"));
	must_fail(f, "the server sent no key for the partner");
}
END_TEST

START_TEST(negotiation_broken)
{
	static const struct {
		int32_t opcode;
		const char *data; /* NULL: the right 308, with a bit turned over */
		const char *reason;
	} cases[] = {
	    {RELAY_FIRST_KEY, NULL, "the partner's signature is wrong"},
	    {RELAY_FIRST_KEY, "short", "the partner's key negotiation is broken"},
	    {RELAY_NONCE, "1234", "a message of the key negotiation came out of turn"},
	    {RELAY_SECOND_KEY, "x", "a message of the key negotiation came out of turn"},
	    {RELAY_PEER_MESSAGE, "x", "a message came before the keys were agreed on"},
	};
	struct fake *f = asked_bob(bob);

	f->reply.p[f->reply.len - 1] ^= 1;
	say(f, cases[_i].opcode,
	    cases[_i].data == NULL ? buf_span(&f->reply) : span_str(cases[_i].data));
	must_fail(f, cases[_i].reason);
}
END_TEST

START_TEST(negotiation_stalls)
{
	struct fake *f = asked_bob(bob);

	f->now = client_relay.deadline(f->machine);
	ck_assert_int_ne(f->now, 0);
	client_relay.tick(f->machine, f->now);
	must_fail(f, "no key was agreed on in time");
}
END_TEST

START_TEST(messages_refused)
{
	static const char *const reasons[] = {
	    "a message was changed on its way",
	    "a message is missing, or came twice",
	    "a message of ours came back",
	    "a message is not sealed as it should be",
	    "a message of the key negotiation came out of turn",
	};
	struct fake *f = chatting();
	struct buf twice = BUF_INIT(1024);

	from_peer(f, "one");
	EVENTS(f, "message bob one;");
	ck_assert_int_eq(buf_put_span(&twice, buf_span(&f->reply)), Q_OK);
	switch (_i) {
	case 0:
		f->reply.len = 0;
		ck_assert_int_eq(e2e_seal(f->peer, span_str("two"), &f->reply), Q_OK);
		f->reply.p[5] ^= 1;
		say(f, RELAY_PEER_MESSAGE, buf_span(&f->reply));
		break;
	case 1: say(f, RELAY_PEER_MESSAGE, buf_span(&twice)); break;
	case 2: {
		struct span ours;

		ask_ok(f, CLIENT_DO_SAY, "ours");
		ours = expect(f, RELAY_PEER_MESSAGE);
		say(f, RELAY_PEER_MESSAGE, ours);
		break;
	}
	case 3: say(f, RELAY_PEER_MESSAGE, span_str("too short")); break;
	default: say(f, RELAY_SECOND_KEY, buf_span(&twice)); break;
	}
	buf_free(&twice);
	must_fail(f, reasons[_i]);
}
END_TEST

START_TEST(text_limits)
{
	size_t max = client_relay.text_max;
	struct fake *f = chatting();
	char *text = calloc(1, max + 2);
	struct relay_frame frame;
	struct why why;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', max + 1);
	ck_assert_int_eq(ask(f, CLIENT_DO_SAY, text), Q_LIMIT);
	QUIET(f);
	text[max] = '\0';
	ask_ok(f, CLIENT_DO_SAY, text);
	/* Exactly what fits the largest frame that a server accepts. */
	ck_assert_int_eq(relay_frame_next(buf_span(&f->out), 0, RELAY_SEALED_MAX, &frame),
			 Q_OK);
	ck_assert_uint_eq(frame.total, RELAY_SIZE_LEN + RELAY_SEALED_MAX);
	f->out.len = 0;
	ck_assert_int_eq(ask(f, CLIENT_DO_SAY, "\xff"), Q_FORMAT);
	QUIET(f);
	buf_free(&f->out);
	f->out.max = 100;
	ck_assert_int_eq(
	    client_relay.command(f->machine, CLIENT_DO_SAY, span_str(text), 0, &why),
	    Q_FULL);
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_CHATTING);
	free(text);
	fake_free(f);
}
END_TEST

/* Our 303 for bob crossed bob's withdrawal and was taken for one to carol. */
START_TEST(accept_crosses)
{
	struct fake *f = logged_in();

	say(f, RELAY_CHAT_REQUEST, span_str("bob"));
	ask_ok(f, CLIENT_DO_ACCEPT, "");
	expect(f, RELAY_CHAT_ACCEPT);
	say(f, RELAY_CLOSED_CHAT, NONE);
	EVENTS(f, "request bob;withdrawn bob;");
	say(f, RELAY_CHAT_REQUEST, span_str("carol"));
	send_key(f, RELAY_PEER_PUBLIC_KEY, carol);
	EVENTS(f, "request carol;withdrawn carol;");
	expect(f, RELAY_END_CHAT);
	expect(f, RELAY_LIST);
	QUIET(f);
	fake_free(f);
}
END_TEST

START_TEST(closed_while_keying)
{
	struct fake *f = asked_bob(bob);

	say(f, RELAY_CLOSED_CHAT, NONE);
	EVENTS(f, "closed bob by the other side;");
	say(f, RELAY_FIRST_KEY, buf_span(&f->reply));
	EVENTS(f, "");
	/* Nothing is waited for but a quiet server. */
	ck_assert_int_eq(client_relay.deadline(f->machine), f->now + 10000);
	QUIET(f);
	fake_free(f);
}
END_TEST

START_TEST(logout)
{
	struct fake *f = chatting();

	ask_ok(f, CLIENT_DO_LOGOUT, "");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_LEAVING);
	ck_assert_int_eq(ask(f, CLIENT_DO_SAY, "more"), Q_CLOSED);
	from_peer(f, "last words");
	say(f, RELAY_CLOSED_CHAT, NONE);
	EVENTS(f, "message bob last words;");
	expect(f, RELAY_LOGOUT);
	QUIET(f);
	client_relay.lost(f->machine, Q_CLOSED, "closed");
	EVENTS(f, "logged-out logged out;");
	fake_free(f);
}
END_TEST

START_TEST(logout_unsent)
{
	struct fake *f = chatting();

	ask_ok(f, CLIENT_DO_SAY, "hello");
	ask_ok(f, CLIENT_DO_LOGOUT, "");
	f->out.len--; /* something moves */
	f->now = client_relay.deadline(f->machine);
	client_relay.tick(f->machine, f->now);
	EVENTS(f, "");
	f->now = client_relay.deadline(f->machine);
	ck_assert_int_ne(f->now, 0);
	client_relay.tick(f->machine, f->now);
	EVENTS(f, "unsent bob hello;"
		  "lost the server does not take what was still to be sent;");
	fake_free(f);
}
END_TEST

/* 372 is the last word, however long the server takes, and a connection that breaks
 * behind it is no trouble; one that leaves a message in doubt is. */
START_TEST(logout_slowly)
{
	struct fake *f = chatting();

	if (_i == 0)
		ask_ok(f, CLIENT_DO_SAY, "hello");
	ask_ok(f, CLIENT_DO_LOGOUT, "");
	f->now += 3000;
	client_relay.tick(f->machine, f->now);
	if (_i == 0)
		expect(f, RELAY_PEER_MESSAGE);
	expect(f, RELAY_LOGOUT);
	QUIET(f);
	client_relay.lost(f->machine, Q_SYS, "broke");
	EVENTS(f, _i == 0 ? "unsent bob hello;lost broke;" : "logged-out logged out;");
	fake_free(f);
}
END_TEST

/* It has been taken, but by a server that never hangs up: only its kernel may have it. */
START_TEST(logout_unanswered)
{
	struct fake *f = chatting();

	if (_i == 0)
		ask_ok(f, CLIENT_DO_SAY, "hello");
	ask_ok(f, CLIENT_DO_LOGOUT, "");
	if (_i == 0)
		expect(f, RELAY_PEER_MESSAGE);
	expect(f, RELAY_LOGOUT);
	f->now = client_relay.deadline(f->machine);
	client_relay.tick(f->machine, f->now);
	EVENTS(f, _i == 0
		      ? "unsent bob hello;lost the server has not answered to the end;"
		      : "logged-out logged out;");
	fake_free(f);
}
END_TEST

/* Its kernel takes everything, but nobody is there. */
START_TEST(hung_server)
{
	struct fake *f = chatting();
	int64_t due;

	ask_ok(f, CLIENT_DO_SAY, "hello");
	expect(f, RELAY_PEER_MESSAGE);
	f->now = client_relay.deadline(f->machine);
	client_relay.tick(f->machine, f->now);
	expect(f, RELAY_LIST);
	due = client_relay.deadline(f->machine);
	ck_assert_int_gt(due, f->now);
	/* Whoever speaks is alive. */
	f->now += 1000;
	from_peer(f, "hi");
	ck_assert_int_eq(client_relay.deadline(f->machine), due + 1000);
	ck_assert_uint_eq(f->view.on_the_way, 1);
	f->now = due + 1000;
	client_relay.tick(f->machine, f->now);
	EVENTS(f, "message bob hi;unsent bob hello;"
		  "lost the server does not answer any longer;");
	ck_assert_int_eq(client_relay.deadline(f->machine), 0);
	fake_free(f);
}
END_TEST

/* Nobody says anything, and so it is asked whether anybody is there. */
START_TEST(quiet_server)
{
	struct fake *f = chatting();
	int64_t due;

	for (int i = 0; i < 3; i++) { /* it is */
		due = client_relay.deadline(f->machine);
		ck_assert_int_eq(due, f->now + 10000);
		f->now = due - 1;
		client_relay.input(f->machine, &f->in, f->now); /* nothing has come */
		f->now = due;
		client_relay.tick(f->machine, f->now);
		expect(f, RELAY_LIST);
		QUIET(f);
		f->now += 10;
		say(f, RELAY_LIST, NONE);
	}
	f->now = client_relay.deadline(f->machine);
	client_relay.tick(f->machine, f->now);
	expect(f, RELAY_LIST);
	due = client_relay.deadline(f->machine);
	ck_assert_int_eq(due, f->now + 8000);
	EVENTS(f, "");
	if (_i == 1) { /* what was said meanwhile may take its time */
		f->now += 7000;
		client_relay.tick(f->machine, f->now);
		ask_ok(f, CLIENT_DO_SAY, "hello");
		f->now += 7000;
		client_relay.tick(f->machine, f->now);
		EVENTS(f, "");
		fake_free(f);
		return;
	}
	f->now = due;
	client_relay.tick(f->machine, f->now);
	EVENTS(f, "lost the server does not answer any longer;");
	ck_assert_int_eq(client_relay.deadline(f->machine), 0);
	fake_free(f);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client relay");
	TCase *t = tcase_create("relay");

	tcase_add_unchecked_fixture(t, make_keys, drop_keys);
	tcase_add_test(t, chat_as_requester);
	tcase_add_test(t, chat_as_accepter);
	tcase_add_test(t, swapped_key_requester);
	tcase_add_test(t, swapped_key_accepter);
	tcase_add_test(t, own_key);
	tcase_add_test(t, no_key);
	tcase_add_loop_test(t, negotiation_broken, 0, 5);
	tcase_add_test(t, negotiation_stalls);
	tcase_add_loop_test(t, messages_refused, 0, 5);
	tcase_add_test(t, text_limits);
	tcase_add_test(t, accept_crosses);
	tcase_add_test(t, closed_while_keying);
	tcase_add_test(t, logout);
	tcase_add_test(t, logout_unsent);
	tcase_add_loop_test(t, logout_slowly, 0, 2);
	tcase_add_loop_test(t, logout_unanswered, 0, 2);
	tcase_add_test(t, hung_server);
	tcase_add_loop_test(t, quiet_server, 0, 2);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
