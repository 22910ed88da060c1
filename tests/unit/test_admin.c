/* SPDX-License-Identifier: MIT
 *
 * The administrator's commands: their words, what they do to a store without a
 * server, the bytes of the control socket.  (With a server: tests/system.)
 */
#include "tests/unit/unit.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/name.h"
#include "server/accounts.h"
#include "server/admin.h"
#include "server/control.h"
#include "server/enrol_code.h"
#include "server/log.h"
#include "server/passwords.h"
#include "store/relations.h"
#include "tests/unit/pem.h"

static char dir[64];
static struct server server;
static struct buf out = BUF_INIT(ADMIN_REPLY_MAX);
static struct why why;
static struct span input;

static void
setup(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;

	strcpy(dir, "/tmp/quintet-admin-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	log_open("", LOG_ERROR, 0, NULL);
	ck_assert_int_eq(store_open(dir, &opt, &server.store, NULL), Q_OK);
	ck_assert_int_eq(accounts_new(server.store, &server.accounts), Q_OK);
	ck_assert_int_eq(passwords_open(server.store, server.accounts, &server.passwords),
			 Q_OK);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void
teardown(void)
{
	passwords_close(server.passwords);
	accounts_free(server.accounts);
	store_close(server.store);
	buf_free(&out);
	log_close();
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Run the words (NULL at the end); the answer is in out, a refusal in why. */
static enum qerr __attribute__((sentinel)) run(const char *word, ...)
{
	const char *argv[ADMIN_WORDS_MAX];
	struct admin_request req = {0, argv, input};
	va_list ap;

	va_start(ap, word);
	for (; word != NULL; word = va_arg(ap, const char *))
		argv[req.argc++] = word;
	va_end(ap);
	out.len = 0;
	why.text[0] = '\0';
	return admin_run(&server, &req, &out, &why);
}

static bool
answered(const char *text)
{
	ck_assert_int_eq(buf_put_u8(&out, '\0'), Q_OK);
	out.len--;
	return strstr((const char *)out.p, text) != NULL;
}

static unsigned long
uin_in_answer(void)
{
	ck_assert(answered("uin: "));
	return strtoul(strstr((const char *)out.p, "uin: ") + 5, NULL, 10);
}

START_TEST(life_of_a_user)
{
	unsigned long uin;

	input = pem_load("ec-pub");
	ck_assert_int_eq(
	    run("user", "add", "Alice", "--key", "x", "--email", "a@b.example", NULL),
	    Q_OK);
	uin = uin_in_answer();
	ck_assert_uint_ne(uin, 0);
	ck_assert_int_eq(run("user", "show", "alice", NULL), Q_OK);
	ck_assert_uint_eq(uin_in_answer(), uin);
	ck_assert(answered("name: Alice\n"));
	ck_assert(answered("key: EC P-256\nfingerprint: "));
	ck_assert(answered("email: a@b.example\n"));
	ck_assert(!answered("online")); /* nobody can say */
	ck_assert_int_eq(run("user", "add", "aLICE", NULL), Q_EXISTS);
	ck_assert_str_eq(why.text, "there is a user aLICE already");
	input = pem_load("rsa2048-pub");
	ck_assert_int_eq(run("user", "key", "alice", "x", NULL), Q_OK);
	ck_assert_int_eq(run("user", "show", "alice", NULL), Q_OK);
	ck_assert_uint_eq(uin_in_answer(), uin);
	ck_assert(answered("key: RSA\n"));
	ck_assert_int_eq(run("user", "add", "bob", NULL), Q_OK);
	ck_assert_int_eq(run("user", "list", NULL), Q_OK);
	ck_assert(answered("Alice  "));
	ck_assert(answered("  RSA  "));
	ck_assert(answered("\nbob  "));
	ck_assert(answered("  no key  "));
	ck_assert_int_eq(run("user", "remove", "ALICE", NULL), Q_OK);
	ck_assert_int_eq(run("user", "show", "alice", NULL), Q_MISSING);
	ck_assert_str_eq(why.text, "there is no user alice");
	ck_assert_int_eq(run("user", "remove", "alice", NULL), Q_MISSING);
	ck_assert_int_eq(run("user", "key", "alice", "x", NULL), Q_MISSING);
	ck_assert_int_eq(run("user", "list", NULL), Q_OK);
	ck_assert(!answered("Alice"));
}
END_TEST

static const struct {
	const char *name, *pem, *email, *says;
} refusals[] = {
    {"-x", NULL, NULL, "a name has 1 to 32"},
    {"", NULL, NULL, "a name has 1 to 32"},
    {"a/b", NULL, NULL, "a name has 1 to 32"},
    {"alice", "", NULL, "the file holds no public key in PEM"},
    {"alice", "ec", NULL, "the file holds no public key in PEM"},
    {"alice", "rsa1024-pub", NULL, "the key is neither RSA of 2048"},
    {"alice", "p384-pub", NULL, "the key is neither RSA"},
    {"alice", "ec-pub-off-curve", NULL, "the key is neither RSA"},
    {"alice", NULL, "a\nb", "without control characters"},
    {"alice", NULL, "", "must have 1 to"},
    {"alice", NULL, "\xff", "must be UTF-8"},
};

START_TEST(refusal)
{
	const char *pem = refusals[_i].pem, *email = refusals[_i].email,
		   *name = refusals[_i].name;
	enum qerr e;

	input = pem != NULL && *pem != '\0' ? pem_load(pem) : span_of(NULL, 0);
	if (pem != NULL)
		e = run("user", "add", name, "--key", "x", NULL);
	else if (email != NULL)
		e = run("user", "add", name, "--email", email, NULL);
	else
		e = run("user", "add", name, NULL);
	ck_assert_int_ne(e, Q_OK);
	ck_assert_msg(strstr(why.text, refusals[_i].says) != NULL, "says: %s", why.text);
	ck_assert_int_eq(run("user", "list", NULL), Q_OK);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

static enum qerr
check_password(const char *name, const char *password)
{
	return passwords_check(server.passwords, name, span_str(password));
}

START_TEST(passwords)
{
	struct buf both = BUF_INIT(KEY_PEM_MAX);

	input = span_str("first password\n");
	ck_assert_int_eq(run("user", "add", "Alice", "--password-stdin", NULL), Q_OK);
	ck_assert_int_eq(check_password("alice", "first password"), Q_OK);
	ck_assert_int_eq(run("user", "show", "alice", NULL), Q_OK);
	ck_assert(answered("password: set\n"));
	input = span_str("second password\n");
	ck_assert_int_eq(run("user", "passwd", "aLICE", NULL), Q_OK);
	ck_assert(answered("Alice has a new password\n"));
	ck_assert_int_eq(check_password("alice", "first password"), Q_DENIED);
	ck_assert_int_eq(check_password("alice", "second password"), Q_OK);
	ck_assert_int_eq(run("user", "passwd", "bob", NULL), Q_MISSING);
	/* The key stands behind the password. */
	ck_assert_int_eq(buf_put_str(&both, "bob's password\n"), Q_OK);
	ck_assert_int_eq(buf_put_span(&both, pem_load("ec-pub")), Q_OK);
	input = buf_span(&both);
	ck_assert_int_eq(
	    run("user", "add", "bob", "--key", "-", "--password-stdin", NULL), Q_OK);
	ck_assert_int_eq(check_password("bob", "bob's password"), Q_OK);
	ck_assert_int_eq(run("user", "show", "bob", NULL), Q_OK);
	ck_assert(answered("key: EC P-256\n"));
	buf_free(&both);
}
END_TEST

static const struct {
	const char *input, *says;
} bad_passwords[] = {
    {"", "no password was given"},
    {"without an end", "no password was given"},
    {"\n", "a password has 8 to 384 bytes"},
    {"seven77\n", "a password has 8 to 384 bytes"},
};

START_TEST(passwords_refused)
{
	input = span_str("the old one\n");
	ck_assert_int_eq(run("user", "add", "alice", "--password-stdin", NULL), Q_OK);
	input = span_str(bad_passwords[_i].input);
	ck_assert_int_eq(run("user", "passwd", "alice", NULL), Q_FORMAT);
	ck_assert_str_eq(why.text, bad_passwords[_i].says);
	ck_assert_int_eq(check_password("alice", "the old one"), Q_OK);
	ck_assert_int_eq(run("user", "add", "bob", "--password-stdin", NULL), Q_FORMAT);
	ck_assert_int_eq(run("user", "show", "bob", NULL), Q_MISSING);
}
END_TEST

/* Who is gone is nobody's contact any more, not even under the same name again. */
START_TEST(removing_forgets)
{
	struct relations *r;
	enum wish_result w;

	ck_assert_int_eq(run("user", "add", "alice", NULL), Q_OK);
	ck_assert_int_eq(relations_open(server.store, &r), Q_OK);
	ck_assert_int_eq(relations_wish(r, "alice", "bob", &w), Q_OK);
	ck_assert_int_eq(relations_wish(r, "bob", "alice", &w), Q_OK);
	relations_close(r);
	ck_assert_int_eq(run("user", "remove", "alice", NULL), Q_OK);
	ck_assert_int_eq(relations_open(server.store, &r), Q_OK);
	ck_assert_int_eq(relations_get(r, "bob", "alice"), RELATION_NONE);
	relations_close(r);
}
END_TEST

START_TEST(enrolment_code)
{
	char first[64], stored[ENROL_CODE_SIZE];

	ck_assert_int_eq(run("enroll-code", NULL), Q_MISSING);
	ck_assert_ptr_nonnull(strstr(why.text, "there is no enrolment code yet"));
	ck_assert_int_eq(run("enroll-code", "--rotate", NULL), Q_OK);
	ck_assert_uint_eq(out.len, ENROL_CODE_SIZE);
	memcpy(first, out.p, out.len);
	ck_assert_int_eq(run("enroll-code", NULL), Q_OK);
	ck_assert_mem_eq(out.p, first, ENROL_CODE_SIZE);
	ck_assert_int_eq(enrol_code_read(server.store, stored, NULL), Q_OK);
	ck_assert_mem_eq(stored, first, ENROL_CODE_SIZE - 1);
	ck_assert_int_eq(run("enroll-code", "--rotate", NULL), Q_OK);
	ck_assert_mem_ne(out.p, first, ENROL_CODE_SIZE);
}
END_TEST

START_TEST(check_and_repair)
{
	char path[128];
	FILE *f;

	ck_assert_int_eq(run("user", "add", "alice", NULL), Q_OK);
	ck_assert_int_eq(run("check", NULL), Q_OK);
	ck_assert(
	    answered("1 users, 0 keys, 0 message files with 0 messages are good\n"));
	ck_assert_int_eq(run("user", "add", "bob", NULL), Q_OK);
	snprintf(path, sizeof(path), "%s/users/bob", dir);
	ck_assert_ptr_nonnull(f = fopen(path, "a"));
	fputs("rubbish\n", f);
	fclose(f);
	ck_assert_int_ne(run("check", NULL), Q_OK);
	ck_assert_ptr_nonnull(
	    strstr(why.text, "found (check --repair sets damaged parts aside)"));
	ck_assert(answered("bob"));
	ck_assert_int_eq(run("check", "--repair", NULL), Q_OK);
	ck_assert(answered("problems repaired\n"));
	ck_assert_int_eq(run("check", NULL), Q_OK);
	ck_assert(answered("1 users"));
}
END_TEST

START_TEST(needs_a_server)
{
	ck_assert_int_eq(run("ctl", "stop", NULL), Q_MISSING);
	ck_assert_str_eq(why.text, "no server is running");
	ck_assert_int_eq(run("ctl", "kick", "alice", NULL), Q_MISSING);
}
END_TEST

/* ---- words ---- */

static const struct {
	const char *line; /* words, separated by blanks */
	bool good;
	const char *says; /* of a bad one */
	const char *file; /* of a good one */
} lines[] = {
    {"user list", true, NULL, NULL},
    {"user add a", true, NULL, NULL},
    {"user add a --key f", true, NULL, "f"},
    {"user add a --email e --key -", true, NULL, "-"},
    {"user add a --password-stdin", true, NULL, NULL},
    {"user add a --password-stdin --key f --email e", true, NULL, "f"},
    {"user add a --key --password-stdin", true, NULL, "--password-stdin"},
    {"user passwd a", true, NULL, NULL},
    {"user key a f", true, NULL, "f"},
    {"enroll-code", true, NULL, NULL},
    {"enroll-code --rotate", true, NULL, NULL},
    {"check --repair", true, NULL, NULL},
    {"ctl kick a b", true, NULL, NULL},
    {"", false, "there is no command", NULL},
    {"serve", false, "there is no command \"serve\"", NULL},
    {"user", false, "user wants one of: add, list, show, passwd, key, remove", NULL},
    {"user rename a b", false, "user wants one of", NULL},
    {"user add", false, "usage: server user add NAME", NULL},
    {"user add a --key", false, "usage", NULL},
    {"user add a --kee f", false, "usage", NULL},
    {"user add a b", false, "usage", NULL},
    {"user passwd", false, "usage: server user passwd NAME", NULL},
    {"user passwd a b", false, "usage: server user passwd NAME", NULL},
    {"user list a", false, "usage: server user list", NULL},
    {"user key a", false, "usage: server user key NAME FILE", NULL},
    {"enroll-code --rot", false, "usage: server enroll-code [--rotate]", NULL},
    {"check --repair --repair", false, "usage", NULL},
    {"check now", false, "usage", NULL},
    {"ctl", false, "ctl wants one of: sessions, kick, say, stats, nodes, reload, stop",
     NULL},
    {"ctl kick", false, "usage: server ctl kick NAME [REASON]", NULL},
    {"ctl say two words", false, "usage: server ctl say TEXT", NULL},
};

START_TEST(words)
{
	char copy[128], *rest = copy, *word;
	const char *argv[ADMIN_WORDS_MAX], *file;
	struct admin_request req = {0, argv, {NULL, 0}};

	strcpy(copy, lines[_i].line);
	while ((word = strsep(&rest, " ")) != NULL)
		if (*word != '\0')
			argv[req.argc++] = word;
	ck_assert_int_eq(admin_understand(&req, &why), lines[_i].good ? Q_OK : Q_FORMAT);
	if (!lines[_i].good)
		ck_assert_msg(strstr(why.text, lines[_i].says) != NULL, "says: %s",
			      why.text);
	file = admin_input_file(&req);
	if (lines[_i].file == NULL)
		ck_assert_ptr_null(file);
	else
		ck_assert_str_eq(file, lines[_i].file);
}
END_TEST

/* ---- the control socket's bytes ---- */

START_TEST(wire_round_trip)
{
	const char *argv[] = {"user", "", "a\xff", "--key"}, *got[ADMIN_WORDS_MAX];
	struct admin_request req = {4, argv, span_str("content")}, back;
	struct buf m = BUF_INIT(CONTROL_COMMAND_MAX),
		   kept = BUF_INIT(CONTROL_COMMAND_MAX);
	struct why sentence;
	struct span text, body;
	enum qerr result;

	ck_assert_int_eq(control_put_command(&m, &req), Q_OK);
	ck_assert_uint_eq(le32_get(m.p), m.len - CONTROL_HEAD_LEN);
	body = span_of(m.p + CONTROL_HEAD_LEN, m.len - CONTROL_HEAD_LEN);
	ck_assert_int_eq(control_parse_command(body, &kept, got, &back), Q_OK);
	ck_assert_int_eq(back.argc, 4);
	for (int i = 0; i < 4; i++)
		ck_assert_str_eq(back.argv[i], argv[i]);
	ck_assert(span_eq(back.input, req.input));
	/* Cut anywhere within the words, it is none. */
	for (size_t n = 0; n < body.len - req.input.len; n++)
		ck_assert_int_eq(
		    control_parse_command(span_of(body.p, n), &kept, got, &back),
		    Q_FORMAT);
	m.len = 0;
	ck_assert_int_eq(control_put_answer(&m, Q_EXISTS, span_str("text\n"), "why"),
			 Q_OK);
	body = span_of(m.p + CONTROL_HEAD_LEN, m.len - CONTROL_HEAD_LEN);
	ck_assert_int_eq(control_parse_answer(body, &result, &text, &sentence), Q_OK);
	ck_assert_int_eq(result, Q_EXISTS);
	ck_assert(span_eq(text, span_str("text\n")));
	ck_assert_str_eq(sentence.text, "why");
	for (size_t n = 0; n < 1 + 4 + 5; n++)
		ck_assert_int_eq(
		    control_parse_answer(span_of(body.p, n), &result, &text, &sentence),
		    Q_FORMAT);
	m.p[CONTROL_HEAD_LEN] = 200; /* no such result */
	ck_assert_int_eq(control_parse_answer(body, &result, &text, &sentence), Q_FORMAT);
	buf_free(&m);
	buf_free(&kept);
}
END_TEST

START_TEST(wire_refuses)
{
	const char *argv[ADMIN_WORDS_MAX + 1], *got[ADMIN_WORDS_MAX];
	static char large[ADMIN_INPUT_MAX + 1];
	struct admin_request req = {ADMIN_WORDS_MAX + 1, argv, {NULL, 0}}, back;
	struct buf m = BUF_INIT(CONTROL_COMMAND_MAX),
		   kept = BUF_INIT(CONTROL_COMMAND_MAX);
	struct buf small = BUF_INIT(30);

	for (int i = 0; i <= ADMIN_WORDS_MAX; i++)
		argv[i] = "w";
	ck_assert_int_eq(control_put_command(&m, &req), Q_OK);
	ck_assert_int_eq(
	    control_parse_command(span_of(m.p + 4, m.len - 4), &kept, got, &back),
	    Q_FORMAT);
	m.len = 0;
	req.argc = 0;
	ck_assert_int_eq(control_put_command(&m, &req), Q_OK);
	ck_assert_int_eq(
	    control_parse_command(span_of(m.p + 4, m.len - 4), &kept, got, &back),
	    Q_FORMAT);
	m.len = 0;
	req.argc = 1;
	req.input = span_of(large, sizeof(large));
	ck_assert_int_eq(control_put_command(&m, &req), Q_OK);
	ck_assert_int_eq(
	    control_parse_command(span_of(m.p + 4, m.len - 4), &kept, got, &back),
	    Q_LIMIT);
	/* A NUL within a word. */
	m.len = 0;
	ck_assert_int_eq(buf_put(&m, "\1\0\0\0\3\0\0\0a\0b", 11), Q_OK);
	ck_assert_int_eq(control_parse_command(buf_span(&m), &kept, got, &back),
			 Q_FORMAT);
	/* A buffer that is too small is left as it was. */
	ck_assert_int_eq(buf_put_str(&small, "before"), Q_OK);
	ck_assert_int_eq(control_put_command(&small, &req), Q_LIMIT);
	ck_assert_int_eq(control_put_answer(&small, Q_OK, req.input, ""), Q_LIMIT);
	ck_assert(span_eq(buf_span(&small), span_str("before")));
	buf_free(&small);
	buf_free(&m);
	buf_free(&kept);
}
END_TEST

START_TEST(nobody_there)
{
	const char *argv[] = {"ctl", "stop"};
	struct admin_request req = {2, argv, {NULL, 0}};

	ck_assert_int_eq(control_call("/nonexistent", &req, &out, &why), Q_MISSING);
	ck_assert_int_eq(control_call(dir, &req, &out, &why), Q_MISSING);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("admin");
	TCase *c = tcase_create("admin");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, life_of_a_user);
	tcase_add_loop_test(c, refusal, 0, sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(c, passwords);
	tcase_add_loop_test(c, passwords_refused, 0,
			    sizeof(bad_passwords) / sizeof(bad_passwords[0]));
	tcase_add_test(c, removing_forgets);
	tcase_add_test(c, enrolment_code);
	tcase_add_test(c, check_and_repair);
	tcase_add_test(c, needs_a_server);
	tcase_add_loop_test(c, words, 0, sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(c, wire_round_trip);
	tcase_add_test(c, wire_refuses);
	tcase_add_test(c, nobody_there);
	suite_add_tcase(s, c);
	return unit_main(s);
}
