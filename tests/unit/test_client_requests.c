/* SPDX-License-Identifier: MIT
 *
 * Who asks whom, as the client's relay machine sees it: against a fake server.
 */
#include "tests/unit/client_fake.h"

START_TEST(nothing_to_do)
{
	struct fake *f = logged_in();

	ck_assert_int_eq(ask(f, CLIENT_DO_ACCEPT, ""), Q_DENIED);
	ck_assert_int_eq(ask(f, CLIENT_DO_DENY, ""), Q_DENIED);
	ck_assert_int_eq(ask(f, CLIENT_DO_END, ""), Q_DENIED);
	ck_assert_int_eq(ask(f, CLIENT_DO_SAY, "hello"), Q_DENIED);
	ck_assert_int_eq(ask(f, CLIENT_DO_CHAT, "Alice"), Q_DENIED);
	ck_assert_int_eq(ask(f, CLIENT_DO_CHAT, "../bob"), Q_FORMAT);
	/* What belongs to something that is over. */
	for (int32_t op = RELAY_CHAT_DENIED; op <= RELAY_FIRST_KEY; op++)
		if (op != RELAY_PEER_PUBLIC_KEY)
			say(f, op, span_str("x"));
	say(f, RELAY_PEER_MESSAGE, span_str("x"));
	say(f, RELAY_CLOSED_CHAT, NONE);
	EVENTS(f, "");
	QUIET(f);
	fake_free(f);
}
END_TEST

START_TEST(denied)
{
	static const int32_t answers[] = {RELAY_CHAT_DENIED, RELAY_CLOSED_CHAT};
	struct fake *f = logged_in();

	ask_ok(f, CLIENT_DO_CHAT, "bob");
	ck_assert(span_eq(expect(f, RELAY_CHAT_REQUEST), span_str("bob")));
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_ASKING);
	ck_assert_int_eq(ask(f, CLIENT_DO_CHAT, "carol"), Q_DENIED);
	ck_assert_int_eq(ask(f, CLIENT_DO_SAY, "hello"), Q_DENIED);
	say(f, answers[_i], NONE);
	EVENTS(f, "denied bob;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_FREE);
	ck_assert_str_eq(f->view.partner, "");
	QUIET(f);
	fake_free(f);
}
END_TEST

START_TEST(asked_and_withdrawn)
{
	static const int32_t opcodes[] = {RELAY_CHAT_REQUEST,
					  RELAY_CHAT_REQUEST_RECEIVED_DISTINCT};
	struct fake *f = logged_in();

	say(f, opcodes[_i], _i == 0 ? span_str("bob") : span_of("bob", 4));
	EVENTS(f, "request bob;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_ASKED);
	ck_assert_int_eq(ask(f, CLIENT_DO_CHAT, "carol"), Q_DENIED);
	ck_assert_int_eq(ask(f, CLIENT_DO_END, ""), Q_DENIED);
	say(f, RELAY_CLOSED_CHAT, NONE);
	EVENTS(f, "withdrawn bob;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_FREE);
	say(f, opcodes[_i], span_str("bob\x1b[2J"));
	EVENTS(f, "lost the server broke the protocol;");
	fake_free(f);
}
END_TEST

/* Answers to what is over come late; the next request must not take them. */
START_TEST(settling)
{
	struct fake *f = logged_in();

	ask_ok(f, CLIENT_DO_CHAT, "bob");
	expect(f, RELAY_CHAT_REQUEST);
	ask_ok(f, CLIENT_DO_END, "");
	EVENTS(f, "withdrawn bob by you;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_FREE);
	ask_ok(f, CLIENT_DO_CHAT, "carol");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_ASKING);
	expect(f, RELAY_END_CHAT);
	expect(f, RELAY_LIST);
	QUIET(f); /* not before the list has come */
	say(f, RELAY_CHAT_DENIED, NONE);
	say(f, RELAY_CLOSED_CHAT, NONE);
	EVENTS(f, "");
	say(f, RELAY_LIST, NONE);
	EVENTS(f, "");
	ck_assert(span_eq(expect(f, RELAY_CHAT_REQUEST), span_str("carol")));
	say(f, RELAY_CHAT_DENIED, NONE);
	EVENTS(f, "denied carol;");
	QUIET(f);
	fake_free(f);
}
END_TEST

START_TEST(asked_while_settling)
{
	struct fake *f = logged_in();

	ask_ok(f, CLIENT_DO_CHAT, "bob");
	ask_ok(f, CLIENT_DO_END, "");
	ask_ok(f, CLIENT_DO_CHAT, "carol");
	EVENTS(f, "withdrawn bob by you;");
	ask_ok(f, CLIENT_DO_END, "");
	EVENTS(f, "withdrawn carol by you;");
	ask_ok(f, CLIENT_DO_CHAT, "carol");
	say(f, RELAY_CHAT_REQUEST, span_str("dora"));
	EVENTS(f, "denied carol;request dora;");
	say(f, RELAY_LIST, NONE);
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_ASKED);
	expect(f, RELAY_CHAT_REQUEST);
	expect(f, RELAY_END_CHAT);
	expect(f, RELAY_LIST);
	ask_ok(f, CLIENT_DO_DENY, "");
	expect(f, RELAY_CHAT_DENIED);
	expect(f, RELAY_LIST);
	QUIET(f);
	fake_free(f);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client requests");
	TCase *t = tcase_create("relay");

	tcase_add_unchecked_fixture(t, make_keys, drop_keys);
	tcase_add_test(t, nothing_to_do);
	tcase_add_loop_test(t, denied, 0, 2);
	tcase_add_loop_test(t, asked_and_withdrawn, 0, 2);
	tcase_add_test(t, settling);
	tcase_add_test(t, asked_while_settling);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
