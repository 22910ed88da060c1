/* SPDX-License-Identifier: MIT
 *
 * /history and /clear: what is asked for, what is told, and trouble that is told once.
 */
#include "tests/unit/trust_aid.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "client/history.h"
#include "client/recall.h"

static struct client_login login;
static struct client_view view;
static struct history *kept;
static char said[4096]; /* all events */

static void
on_event(void *arg, const struct client_event *e)
{
	size_t n = strlen(said);

	(void)arg;
	snprintf(said + n, sizeof(said) - n, "%s %s %.*s %u|",
		 e->kind == CLIENT_HISTORY       ? "message"
		 : e->kind == CLIENT_HISTORY_END ? "end"
		 : e->kind == CLIENT_CLEARED     ? "cleared"
		 : e->kind == CLIENT_FAILED      ? "failed"
						 : "?",
		 e->name != NULL ? e->name : "-", (int)e->text.len,
		 (const char *)e->text.p, (unsigned)e->count);
}

static const struct client_env env = {
    .login = &login,
    .server = "h:1",
    .view = &view,
    .event = on_event,
};

static void
setup(void)
{
	aid_setup();
	strcpy(login.user, "alice");
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &login.key), Q_OK);
	ck_assert_int_eq(history_open(profile, ca, "alice", login.key, &kept, NULL),
			 Q_OK);
	login.history = kept;
	view.phase = CLIENT_PHASE_CHATTING;
	strcpy(view.partner, "Bob");
}

static void
teardown(void)
{
	history_close(kept);
	key_free(login.key);
	aid_teardown();
}

static enum qerr
ask(enum client_verb verb, const char *arg, struct why *why)
{
	said[0] = '\0';
	return recall_do(&env, verb, span_str(arg), why);
}

static void
keep(const char *partner, bool ours, const char *text)
{
	bool told = false;

	recall_keep(&env, partner, ours, span_str(text), &told);
	ck_assert(!told);
}

static const struct {
	const char *arg, *says;
} asked[] = {
    {"", "message Bob one 0|message alice two 0|message Bob three 0|end Bob  3|"},
    {"2", "message alice two 0|message Bob three 0|end Bob  2|"},
    {"1", "message Bob three 0|end Bob  1|"},
    {"99999999999999999999999", "message Bob one 0|message alice two 0|"
				"message Bob three 0|end Bob  3|"},
    {"bob", "message bob one 0|message alice two 0|message bob three 0|end bob  3|"},
    {"1 bob", "message bob three 0|end bob  1|"},
    {"5 007", "message 007 digits 0|end 007  1|"},
    {"carol", "end carol  0|"},
    {"0", "end 0  0|"}, /* a name, if a strange one */
};
#define ASKED ((int)(sizeof(asked) / sizeof(asked[0])))

START_TEST(history)
{
	keep("Bob", false, "one");
	keep("bob", true, "two");
	keep("Bob", false, "three");
	keep("007", false, "digits");
	ck_assert_int_eq(ask(CLIENT_DO_HISTORY, asked[_i].arg, NULL), Q_OK);
	ck_assert_str_eq(said, asked[_i].says);
}
END_TEST

START_TEST(refused)
{
	static const char *const cases[] = {"1 bob carol", "../bob", "1 .x"};
	struct why why = {""};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_ne(ask(CLIENT_DO_HISTORY, cases[i], &why), Q_OK);
		ck_assert_str_ne(why.text, "");
	}
	ck_assert_int_eq(ask(CLIENT_DO_CLEAR, "bob carol", &why), Q_FORMAT);
	ck_assert_int_eq(ask(CLIENT_DO_CLEAR, "../bob", &why), Q_FORMAT);
	view.phase = CLIENT_PHASE_FREE;
	ck_assert_int_eq(ask(CLIENT_DO_HISTORY, "5", &why), Q_DENIED);
	login.history = NULL;
	ck_assert_int_eq(ask(CLIENT_DO_HISTORY, "bob", &why), Q_DENIED);
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(cleared)
{
	keep("Bob", false, "one");
	keep("carol", false, "two");
	ck_assert_int_eq(ask(CLIENT_DO_CLEAR, "", NULL), Q_OK);
	ck_assert_str_eq(said, "cleared Bob  0|");
	ck_assert_int_eq(ask(CLIENT_DO_HISTORY, "", NULL), Q_OK);
	ck_assert_str_eq(said, "end Bob  0|");
	/* Outside of a chat: the screen alone. */
	view.phase = CLIENT_PHASE_FREE;
	ck_assert_int_eq(ask(CLIENT_DO_CLEAR, "", NULL), Q_OK);
	ck_assert_str_eq(said, "cleared -  0|");
	ck_assert_int_eq(ask(CLIENT_DO_HISTORY, "carol", NULL), Q_OK);
	ck_assert_str_eq(said, "message carol two 0|end carol  1|");
	ck_assert_int_eq(ask(CLIENT_DO_CLEAR, "carol", NULL), Q_OK);
	ck_assert_str_eq(said, "cleared carol  0|");
}
END_TEST

START_TEST(trouble_once)
{
	struct rlimit none = {0, 0};
	bool told = false;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	recall_keep(&env, "bob", true, span_str("x"), &told);
	ck_assert(told);
	ck_assert_ptr_nonnull(strstr(said, "failed - what is said is not kept: "));
	said[0] = '\0';
	recall_keep(&env, "bob", true, span_str("y"), &told);
	ck_assert_str_eq(said, "");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("recall");
	TCase *t = tcase_create("recall");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, history, 0, ASKED);
	tcase_add_test(t, refused);
	tcase_add_test(t, cleared);
	tcase_add_test(t, trouble_once);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
