/* SPDX-License-Identifier: MIT
 *
 * The client's contacts machine against a fake server: login, people, answers.
 */
#include "tests/unit/contacts_fake.h"

#include "base/clock.h"

/* ---- login ---- */

START_TEST(refusals)
{
	static const struct {
		const char *line, *event;
	} cases[] = {
	    {"212 406 alice\n", "refused the name or the password is wrong;"},
	    {"212 405 alice\n", "refused you are logged in elsewhere already;"},
	    {"212 413 alice\n", "refused the server cannot do that now;"},
	    {"211\n", "refused the server did not understand 110;"},
	    {"210\n", "refused the server did not understand 110;"},
	    {"213 400\n", "lost the server broke the protocol;"},
	    {"HTTP/1.1 400 Bad Request\n", "lost what answers there does not speak "
					   "contacts;"},
	    {"212 400 \"../x y\"\n", "lost the server broke the protocol;"},
	};
	struct fake *f = fake_new();

	client_contacts.begin(f->machine, f->now);
	say(f, cases[_i].line);
	EVENTS(f, cases[_i].event);
	/* Nothing after the final one. */
	say(f, "212 400 alice\n220 1 1 x\n");
	EVENTS(f, "");
	fake_free(f);
}
END_TEST

START_TEST(in_the_clear)
{
	struct fake *f = fake_new();

	f->login.clear = true;
	client_contacts.begin(f->machine, f->now);
	say(f, "211\n");
	EVENTS(f, "refused the server wants TLS: leave --clear out;");
	fake_free(f);
}
END_TEST

START_TEST(password_not_text)
{
	struct fake *f = fake_new();

	f->login.password = "geheim\xff";
	client_contacts.begin(f->machine, f->now);
	EVENTS(f, "refused the password is not UTF-8 text;");
	SENT(f, "");
	fake_free(f);
}
END_TEST

START_TEST(registering)
{
	struct fake *f = fake_new();

	f->login.new_user = true;
	client_contacts.begin(f->machine, f->now);
	SENT(f, "117 alice \"geheim 123\" \"\" \"\"\n");
	if (_i == 0) {
		say(f, "222 403\n");
		EVENTS(f, "refused that name is taken: if it is yours, log in without "
			  "--register;");
	} else {
		say(f, "222 400\n");
		EVENTS(f, "done registered alice;");
		SENT(f, "110 alice \"geheim 123\"\n122 1 1\n");
		say(f, "212 400 alice\n");
		EVENTS(f, "logged-in alice;");
	}
	fake_free(f);
}
END_TEST

START_TEST(logging_out)
{
	struct fake *f = chatting();

	ASK_OK(f, CLIENT_DO_SAY, "bye");
	ASK_OK(f, CLIENT_DO_LOGOUT, "");
	SENT(f, "115 7 \"bye\"\n111\n");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_LEAVING);
	ck_assert_int_eq(ASK(f, CLIENT_DO_SAY, "more"), Q_CLOSED);
	say(f, "219 400\n213 400\n");
	EVENTS(f, "logged-out logged out;");
	fake_free(f);
}
END_TEST

/* What was not acknowledged is named. */
START_TEST(connection_lost)
{
	struct fake *f = chatting();

	if (_i == 1) {
		ASK_OK(f, CLIENT_DO_SAY, "one");
		ASK_OK(f, CLIENT_DO_SAY, "two");
		ASK_OK(f, CLIENT_DO_LOGOUT, "");
		say(f, "219 400\n");
	}
	client_contacts.lost(f->machine, Q_CLOSED, "x closed the connection");
	EVENTS(f, _i == 0 ? "lost x closed the connection;"
			  : "unsent bob two;lost x closed the connection; messages that "
			    "may not have "
			    "arrived: 1;");
	fake_free(f);
}
END_TEST

START_TEST(not_the_server)
{
	struct fake *f = fake_new();

	client_contacts.lost(f->machine, Q_DENIED, "NOT THE SERVER");
	EVENTS(f, "refused NOT THE SERVER;");
	fake_free(f);
}
END_TEST

START_TEST(no_answer)
{
	struct fake *f = chatting();

	ck_assert_int_eq(client_contacts.deadline(f->machine), f->now + 10000);
	ASK_OK(f, CLIENT_DO_SAY, "hello");
	ck_assert_int_eq(client_contacts.deadline(f->machine), f->now + 60000);
	/* As long as it takes something there is hope. */
	f->now += 60000;
	buf_consume(&f->out, 1);
	client_contacts.tick(f->machine, f->now);
	EVENTS(f, "");
	ck_assert_int_eq(client_contacts.deadline(f->machine), f->now + 60000);
	f->now += 60000;
	client_contacts.tick(f->machine, f->now);
	EVENTS(f, "lost the server does not answer in time;");
	fake_free(f);
}
END_TEST

/* Nobody says anything, and so it is asked whether anybody is there. */
START_TEST(quiet_server)
{
	struct fake *f = chatting();

	f->now += 9999;
	client_contacts.tick(f->machine, f->now);
	client_contacts.input(f->machine, &f->in, f->now); /* nothing has come */
	SENT(f, "");
	f->now += 1;
	client_contacts.tick(f->machine, f->now);
	SENT(f, "112\n");
	ck_assert_int_eq(client_contacts.deadline(f->machine), f->now + 8000);
	say(f, "214 2\n215 7 Alice bob\n215 9 carol ALICE\n216\n");
	EVENTS(f, "");
	ck_assert_int_eq(client_contacts.deadline(f->machine), f->now + 10000);
	f->now += 10000;
	client_contacts.tick(f->machine, f->now);
	SENT(f, "112\n");
	if (_i == 1) { /* the answer to this may take longer */
		f->now += 7000;
		ASK_OK(f, CLIENT_DO_SAY, "hello");
		SENT(f, "115 7 \"hello\"\n");
		ck_assert_int_eq(client_contacts.deadline(f->machine), f->now + 60000);
	} else {
		f->now += 8000;
		client_contacts.tick(f->machine, f->now);
		EVENTS(f, "lost the server does not answer in time;");
	}
	fake_free(f);
}
END_TEST

/* ---- people ---- */

START_TEST(lists)
{
	struct fake *f = logged_in();

	say(f, "220 9 5 hello\n");
	EVENTS(f, "unread carol 1;");
	ASK_OK(f, CLIENT_DO_CONTACTS, "");
	ck_assert(f->view.busy);
	ck_assert_int_eq(ASK(f, CLIENT_DO_LIST, ""), Q_FULL);
	SENT(f, "118\n");
	say(f, "223 400\n224 2\n225 bob 5000\n");
	/* Events do not wait for the end of a list in our machine. */
	say(f, "225 Carol 6000\n226\n");
	EVENTS(f, "contact bob;contact Carol 1;contacts-end 2;");
	ck_assert(!f->view.busy);
	ASK_OK(f, CLIENT_DO_LIST, "");
	SENT(f, "120\n");
	say(f, "228 400\n229 1\n230 bob\n231\n");
	EVENTS(f, "list-name bob;list-end;");
	ASK_OK(f, CLIENT_DO_CHATS, "");
	SENT(f, "112\n");
	say(f, "214 1\n215 9 carol alice\n216\n");
	EVENTS(f, "chat carol 1;chats-end 1;");
	ASK_OK(f, CLIENT_DO_CONTACTS, "");
	say(f, "223 413\n");
	EVENTS(f, "failed the server cannot do that now;");
	fake_free(f);
}
END_TEST

START_TEST(adding)
{
	struct fake *f = logged_in();

	ASK_OK(f, CLIENT_DO_ADD, "dora");
	SENT(f, "121 dora\n");
	say(f, "232 400\n");
	EVENTS(f, "");
	SENT(f, "118\n");
	ck_assert(f->view.busy);
	say(f, "223 400\n224 1\n225 bob 5000\n226\n");
	EVENTS(f, "done asked dora, who has not agreed yet;");
	ck_assert(!f->view.busy);
	/* She agrees. */
	say(f, "233 dora\n");
	EVENTS(f, "");
	SENT(f, "118\n");
	say(f, "223 400\n224 1\n225 dora 5000\n226\n");
	EVENTS(f, "now dora;");
	/* Somebody asks, and another one while we look who it is. */
	say(f, "233 emil\n");
	SENT(f, "118\n");
	say(f, "233 frida\n223 400\n224 0\n226\n");
	EVENTS(f, "asks emil;");
	SENT(f, "118\n");
	say(f, "223 413\n");
	EVENTS(f, "asks frida;");
	ASK_OK(f, CLIENT_DO_CONFIRM, "emil");
	SENT(f, "121 emil\n");
	say(f, "232 400\n");
	SENT(f, "118\n");
	say(f, "223 400\n224 1\n225 Emil 9\n226\n");
	EVENTS(f, "now emil;");
	ASK_OK(f, CLIENT_DO_REMOVE, "emil");
	SENT(f, "123 emil\n");
	say(f, "234 400\n");
	EVENTS(f, "done removed emil;");
	fake_free(f);
}
END_TEST

START_TEST(adding_in_vain)
{
	struct fake *f = logged_in();

	ck_assert_int_eq(ASK(f, CLIENT_DO_ADD, "ALICE"), Q_DENIED);
	ck_assert_int_eq(ASK(f, CLIENT_DO_ADD, "../x"), Q_FORMAT);
	ck_assert_int_eq(ASK(f, CLIENT_DO_ACCEPT, ""), Q_DENIED);
	ASK_OK(f, CLIENT_DO_ADD, "nobody");
	SENT(f, "121 nobody\n");
	say(f, "232 410\n");
	EVENTS(f, "failed there is no other user nobody;");
	/* A server that does not know ours. */
	ASK_OK(f, CLIENT_DO_REMOVE, "bob");
	say(f, "210\n");
	EVENTS(f, "failed the server did not understand 123;");
	ck_assert(!f->view.busy);
	fake_free(f);
}
END_TEST

/* More 233s than can be looked up at a time. */
START_TEST(crowd)
{
	struct fake *f = logged_in();
	char line[64];
	int asks = 0;

	for (int i = 0; i < 300; i++) {
		snprintf(line, sizeof(line), "233 u%d\n", i);
		ck_assert_int_eq(buf_put_str(&f->in, line), Q_OK);
	}
	say(f, "");
	SENT(f, "118\n");
	say(f, "223 400\n224 1\n225 u0 1\n226\n");
	events(f);
	ck_assert_ptr_nonnull(strstr(f->taken, "now u0;"));
	for (const char *p = f->taken; (p = strstr(p, "asks u")) != NULL; p++)
		asks++;
	ck_assert_int_eq(asks, 299);
	fake_free(f);
}
END_TEST

/* ---- what no honest server says ---- */

static const char *const broken[] = {
    "219 400\n", /* an answer to nothing */
    "216\n",     "211\n", "214 1\n",   "233 a/b\n",        "220 7 x hello\n",
    "22\n",      "999\n", "\x1b[2J\n", "220 7 5 \"open\n", "227 400 nonsense\n",
};

START_TEST(breaks)
{
	struct fake *f = logged_in();

	say(f, broken[_i]);
	EVENTS(f, "lost the server broke the protocol;");
	fake_free(f);
}
END_TEST

static const char *const wrong_answers[] = {
    "217 400\n",
    "214 1\n",
    "223 400\n225 bob 1\n",
    "223 400\n224 1\n217 400\n",
    "223 400\n224 1\n225 \"\x1b[2J\" 1\n",
};

START_TEST(answers_out_of_step)
{
	struct fake *f = logged_in();

	ASK_OK(f, CLIENT_DO_CONTACTS, "");
	say(f, wrong_answers[_i]);
	EVENTS(f, "lost the server broke the protocol;");
	fake_free(f);
}
END_TEST

/* Lines come in whatever pieces, with CR LF, and empty ones between them. */
START_TEST(pieces)
{
	static const char lines[] = "\n\r\n220 7 5 one\r\n\n220 7 6 \"two\\n\"\n";
	struct fake *f = chatting();
	char piece[2] = "";

	for (size_t i = 0; i < sizeof(lines) - 1; i++) {
		piece[0] = lines[i];
		say(f, piece);
	}
	EVENTS(f, "message bob one;message bob two\\x0a;");
	SENT(f, "122 7 5\n122 7 6\n");
	fake_free(f);
}
END_TEST

START_TEST(ended_by_server)
{
	struct fake *f = logged_in();

	say(f, "213 400\n");
	EVENTS(f, "forced;");
	fake_free(f);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client contacts");
	TCase *t = tcase_create("machine");

	tcase_add_loop_test(t, refusals, 0, 8);
	tcase_add_test(t, in_the_clear);
	tcase_add_test(t, password_not_text);
	tcase_add_loop_test(t, registering, 0, 2);
	tcase_add_test(t, logging_out);
	tcase_add_loop_test(t, connection_lost, 0, 2);
	tcase_add_test(t, not_the_server);
	tcase_add_test(t, no_answer);
	tcase_add_loop_test(t, quiet_server, 0, 2);
	tcase_add_test(t, lists);
	tcase_add_test(t, adding);
	tcase_add_test(t, adding_in_vain);
	tcase_add_test(t, crowd);
	tcase_add_loop_test(t, breaks, 0, (int)(sizeof(broken) / sizeof(broken[0])));
	tcase_add_loop_test(t, answers_out_of_step, 0,
			    (int)(sizeof(wrong_answers) / sizeof(wrong_answers[0])));
	tcase_add_test(t, pieces);
	tcase_add_test(t, ended_by_server);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
