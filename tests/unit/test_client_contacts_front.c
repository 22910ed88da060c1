/* SPDX-License-Identifier: MIT
 *
 * What contacts adds to the client's front: commands, options, files, passwords, and
 * whose certificate it must be.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.h"
#include "client/ask.h"
#include "client/chain.h"
#include "client/command.h"
#include "client/file.h"
#include "client/options.h"
#include "tests/unit/tempdir.h"

/* ---- commands ---- */

static const struct {
	const char *line;
	enum qerr e;
	enum command_verb verb;
	const char *text, *file;
} commands[] = {
    {"/people", Q_OK, COMMAND_LIST, "", ""},
    {"/contacts", Q_OK, COMMAND_CONTACTS, "", ""},
    {"/chats", Q_OK, COMMAND_CHATS, "", ""},
    {"/add bob", Q_OK, COMMAND_ADD, "bob", ""},
    {"/confirm bob", Q_OK, COMMAND_CONFIRM, "bob", ""},
    {"/remove bob", Q_OK, COMMAND_REMOVE, "bob", ""},
    {"/delete", Q_OK, COMMAND_DELETE, "", ""},
    {"/send  a file.png ", Q_OK, COMMAND_SEND, "a file.png", ""},
    {"/save 7", Q_OK, COMMAND_SAVE, "7", ""},
    {"/save 7  my file ", Q_OK, COMMAND_SAVE, "7", "my file"},
    {"/send", Q_FORMAT, 0, NULL, NULL},
    {"/save", Q_FORMAT, 0, NULL, NULL},
    {"/add", Q_FORMAT, 0, NULL, NULL},
    {"/delete 3 a slip", Q_OK, COMMAND_DELETE, "3 a slip", ""},
    {"/rooms", Q_OK, COMMAND_CHATS, "", ""},
    {"/room maths", Q_OK, COMMAND_ROOM, "maths", ""},
    {"/create \"a b\" bob", Q_OK, COMMAND_CREATE, "\"a b\" bob", ""},
    {"/edit 3 what", Q_OK, COMMAND_EDIT, "3 what", ""},
    {"/get 3", Q_OK, COMMAND_GET, "3", ""},
    {"/room", Q_FORMAT, 0, NULL, NULL},
    {"/leave it", Q_FORMAT, 0, NULL, NULL},
};

START_TEST(command)
{
	struct command c;
	struct why why = {""};

	ck_assert_int_eq(command_parse(span_str(commands[_i].line), &c, &why),
			 commands[_i].e);
	ck_assert((why.text[0] == '\0') == (commands[_i].e == Q_OK));
	if (commands[_i].e != Q_OK)
		return;
	ck_assert_int_eq(c.verb, commands[_i].verb);
	ck_assert(span_eq(c.text, span_str(commands[_i].text)));
	ck_assert(span_eq(c.file, span_str(commands[_i].file)));
}
END_TEST

START_TEST(waits)
{
	static const struct {
		const char *line;
		enum command_wait wait;
	} cases[] = {{"/wait contact", WAIT_CONTACT},
		     {"/wait unread 1", WAIT_UNREAD},
		     {"/wait file", WAIT_FILE}};
	struct command c;

	ck_assert_int_eq(command_parse(span_str(cases[_i].line), &c, NULL), Q_OK);
	ck_assert_int_eq(c.wait, cases[_i].wait);
}
END_TEST

/* ---- options ---- */

#define PRINT                                              \
	"86:3f:1B:F9:55:F8:0D:37:AD:3A:A4:40:40:67:4E:A8:" \
	"85:CC:C6:52:4A:19:3E:03:39:D6:58:F0:FD:C6:95:1C"

static const struct {
	const char *argv[8];
	enum qerr e;
} options[] = {
    {{"--protocol", "contacts"}, Q_OK},
    {{"--protocol", "contacts", "--register", "--clear"}, Q_OK},
    {{"--protocol", "contacts", "--password-file", "x", "--ca", "y"}, Q_OK},
    {{"--protocol", "contacts", "--fingerprint", PRINT}, Q_OK},
    {{"--protocol", "contacts", "--fingerprint", "86:3f"}, Q_FORMAT},
    {{"--protocol", "contacts", "--fingerprint", PRINT "x"}, Q_FORMAT},
    {{"--protocol", "contacts", "--fingerprint", PRINT, "--clear"}, Q_FORMAT},
    {{"--protocol", "contacts", "--fingerprint", PRINT, "--ca", "y"}, Q_FORMAT},
    {{"--protocol", "contacts", "--enroll"}, Q_FORMAT},
    {{"--protocol", "contacts", "--key", "x"}, Q_FORMAT},
    {{"--protocol", "contacts", "--passphrase-file", "x"}, Q_FORMAT},
    {{"--register"}, Q_FORMAT},
    {{"--password-file", "x"}, Q_FORMAT},
    {{"--clear"}, Q_FORMAT},
    {{"--protocol", "relay", "--clear"}, Q_FORMAT},
};

START_TEST(option)
{
	char *argv[10] = {(char *)(uintptr_t) "client"};
	struct options o;
	struct why why = {""};
	struct settings settings;
	int argc = 1;
	enum qerr e;

	for (; options[_i].argv[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)options[_i].argv[argc - 1];
	settings_default(&settings);
	if ((e = options_parse(argc, argv, &o, &why)) == Q_OK)
		e = options_complete(&o, &settings, &why);
	ck_assert_int_eq(e, options[_i].e);
	ck_assert((why.text[0] == '\0') == (options[_i].e == Q_OK));
	if (options[_i].e == Q_OK)
		ck_assert_str_eq(o.protocol->name, "contacts");
}
END_TEST

/* ---- files ---- */

static const struct {
	const char *called, *type, *want;
} names[] = {
    {"cat.png", "image/png", "cat.png"},
    {"../../etc/passwd", "", "passwd"},
    {"/", "image/png", "file-7.png"},
    {"", "text/plain;charset=UTF-8", "file-7.txt"},
    {"", "x/y", "file-7"},
    {".bashrc", "", "bashrc"},
    {"..", "image/jpeg", "file-7.jpg"},
    {"-rf", "", "rf"},
    {"a b;$(c)\x1b[2J\n", "", "a_b___c___2J_"},
    {"Za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87", "", "Za____"},
    {"..\\..\\x.exe", "", "_.._x.exe"},
};

START_TEST(name)
{
	char out[FILE_NAME_SIZE];

	file_name(span_str(names[_i].called), 7, names[_i].type, out);
	ck_assert_str_eq(out, names[_i].want);
}
END_TEST

START_TEST(long_name)
{
	char called[500], out[FILE_NAME_SIZE];

	memset(called, 'x', sizeof(called));
	file_name(span_of(called, sizeof(called)), 7, "", out);
	ck_assert_uint_eq(strlen(out), FILE_NAME_SIZE - 1);
}
END_TEST

static const struct {
	const char *content;
	size_t len;
	const char *url;
} kinds[] = {
    {"\x89PNG\r\n\x1a\n", 8, "data:image/png;base64,iVBORw0KGgo="},
    {"\xff\xd8\xff", 3, "data:image/jpeg;base64,/9j/"},
    {"GIF8", 4, "data:image/gif;base64,R0lGOA=="},
    {"RIFFxxxxWEBP", 12, "data:image/webp;base64,UklGRnh4eHhXRUJQ"},
    {"%PDF-", 5, "data:application/pdf;base64,JVBERi0="},
    {"abc", 3, "data:text/plain;charset=UTF-8;base64,YWJj"},
    {"a\0c", 3, "data:application/octet-stream;base64,YQBj"},
    {"\xff\xff\xff", 3, "data:application/octet-stream;base64,////"},
};

START_TEST(load)
{
	struct buf out = BUF_INIT(1 << 20), small = BUF_INIT(10);
	struct why why = {""};

	tempdir_make();
	spill("a b", span_of(kinds[_i].content, kinds[_i].len));
	ck_assert_int_eq(file_load(span_str(at("a b")), &out, &why), Q_OK);
	ck_assert_str_eq((const char *)out.p, "a b");
	ck_assert(span_eq(span_of(out.p + 4, out.len - 4), span_str(kinds[_i].url)));
	ck_assert_int_eq(file_load(span_str(at("none")), &out, &why), Q_MISSING);
	ck_assert_int_eq(file_load(span_str(tempdir), &out, &why), Q_FORMAT);
	ck_assert_int_eq(file_load(span_str(at("a b")), &small, &why), Q_LIMIT);
	ck_assert_uint_eq(small.len, 0);
	buf_free(&out);
	buf_free(&small);
	tempdir_remove();
}
END_TEST

START_TEST(save)
{
	struct why why = {""};
	struct buf b;

	tempdir_make();
	spill("old", span_str("old"));
	ck_assert_int_eq(symlink("target", at("link")), 0);
	ck_assert_int_eq(file_save(at("old"), span_str("new"), &why), Q_EXISTS);
	ck_assert_int_eq(file_save(at("link"), span_str("new"), &why), Q_EXISTS);
	ck_assert_int_eq(file_save(at("no/such"), span_str("new"), &why), Q_MISSING);
	ck_assert_int_eq(file_save(at("new"), span_of("n\0w", 3), &why), Q_OK);
	ck_assert(!exists("target"));
	b = slurp("old");
	ck_assert(span_eq(buf_span(&b), span_str("old")));
	buf_free(&b);
	b = slurp("new");
	ck_assert(span_eq(buf_span(&b), span_of("n\0w", 3)));
	buf_free(&b);
	ck_assert_int_eq(file_save("/dev/full/x", span_str("x"), &why), Q_SYS);
	tempdir_remove();
}
END_TEST

/* What does not fit leaves nothing behind.  Check writes to a file too: it has to wait
 * until there is room again. */
START_TEST(save_on_full_disk)
{
	struct rlimit two = {.rlim_cur = 2, .rlim_max = RLIM_INFINITY};
	struct rlimit any = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	struct why why = {""};
	bool limited, left;
	enum qerr e;

	tempdir_make();
	signal(SIGXFSZ, SIG_IGN);
	limited = setrlimit(RLIMIT_FSIZE, &two) == 0;
	e = file_save(at("new"), span_str("new"), &why);
	left = exists("new");
	setrlimit(RLIMIT_FSIZE, &any);
	ck_assert(limited && !left);
	ck_assert_int_eq(e, Q_FULL);
	ck_assert_str_ne(why.text, "");
	tempdir_remove();
}
END_TEST

/* ---- passwords ---- */

/* The first line and not a byte more. */
START_TEST(password_from_input)
{
	static const struct {
		const char *input, *password, *rest;
	} cases[] = {
	    {"geheim 1\n/people\n", "geheim 1", "/people\n"},
	    {"geheim\r\nx", "geheim", "x"},
	    {"geheim", "geheim", ""},
	    {"\nx", "", "x"},
	    {"", NULL, ""},
	};
	struct ask_source none = {.file = NULL};
	char password[ASK_PASSWORD_SIZE], rest[64] = "";
	struct why why = {""};
	int p[2];
	enum qerr e;

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(write(p[1], cases[_i].input, strlen(cases[_i].input)),
			 (ssize_t)strlen(cases[_i].input));
	close(p[1]);
	ck_assert_int_eq(dup2(p[0], STDIN_FILENO), STDIN_FILENO);
	e = ask_password(&none, "alice", ASK_NEW_PASSWORD, password, &why);
	ck_assert_int_eq(e, cases[_i].password != NULL ? Q_OK : Q_CLOSED);
	if (e == Q_OK)
		ck_assert_str_eq(password, cases[_i].password);
	ck_assert_int_eq(read(STDIN_FILENO, rest, sizeof(rest)),
			 (ssize_t)strlen(cases[_i].rest));
	ck_assert_str_eq(rest, cases[_i].rest);
	close(p[0]);
}
END_TEST

START_TEST(password_from_environment)
{
	struct ask_source s;
	char password[ASK_PASSWORD_SIZE];
	struct why why = {""};

	setenv("QUINTET_PASSWORD", "geheim", 1);
	ck_assert_int_eq(ask_source_init(&s, "QUINTET_PASSWORD", NULL, &why), Q_OK);
	ck_assert_ptr_null(getenv("QUINTET_PASSWORD"));
	ck_assert_int_eq(ask_password(&s, "alice", ASK_PASSWORD, password, &why), Q_OK);
	ck_assert_str_eq(password, "geheim");
	ask_source_fini(&s);
}
END_TEST

/* ---- whose certificate it is ---- */

static struct cert *
make_ca(struct key **key)
{
	struct cert *ca;

	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, key), Q_OK);
	ck_assert_int_eq(cert_make_ca(*key, "ca", 10, &ca), Q_OK);
	return ca;
}

START_TEST(trusted)
{
	struct key *ca_key, *other_key, *server_key;
	struct cert *ca = make_ca(&ca_key), *other = make_ca(&other_key), *cert;
	struct cert_names sans = {0};
	struct buf chain = BUF_INIT(CERT_PEM_MAX);
	char print[2][FINGERPRINT_SIZE];
	uint8_t sum[SHA256_LEN];
	struct why why = {""};

	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &server_key), Q_OK);
	ck_assert_int_eq(cert_issue(ca, ca_key, server_key, "s", &sans, 10, &cert), Q_OK);
	ck_assert_int_eq(cert_pem(cert, &chain), Q_OK);
	ck_assert_int_eq(chain_check("h:1", buf_span(&chain), ca, &why), Q_OK);
	ck_assert_int_eq(chain_check("h:1", buf_span(&chain), other, &why), Q_DENIED);
	ck_assert_ptr_nonnull(strstr(why.text, "the CA of h:1 was "));
	ck_assert_ptr_nonnull(strstr(why.text, "from another one"));
	/* With the CA behind it both fingerprints can be named. */
	ck_assert_int_eq(cert_pem(ca, &chain), Q_OK);
	ck_assert_int_eq(chain_check("h:1", buf_span(&chain), ca, &why), Q_OK);
	ck_assert_int_eq(chain_check("h:1", buf_span(&chain), other, &why), Q_DENIED);
	ck_assert_int_eq(cert_fingerprint(ca, sum), Q_OK);
	fingerprint_text(sum, print[0]);
	ck_assert_int_eq(cert_fingerprint(other, sum), Q_OK);
	fingerprint_text(sum, print[1]);
	ck_assert_ptr_nonnull(strstr(why.text, print[0]));
	ck_assert_ptr_nonnull(strstr(why.text, print[1]));
	ck_assert_ptr_nonnull(strstr(why.text, "--fingerprint"));
	ck_assert_uint_lt(strlen(why.text), sizeof(why.text) - 1);
	ck_assert_int_eq(chain_check("h:1", span_str("no pem"), ca, &why), Q_FORMAT);
	buf_free(&chain);
	cert_free(cert);
	cert_free(ca);
	cert_free(other);
	key_free(ca_key);
	key_free(other_key);
	key_free(server_key);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static Suite *
suite(void)
{
	Suite *s = suite_create("client contacts front");
	TCase *t = tcase_create("front");

	tcase_add_loop_test(t, command, 0, COUNT(commands));
	tcase_add_loop_test(t, waits, 0, 3);
	tcase_add_loop_test(t, option, 0, COUNT(options));
	tcase_add_loop_test(t, name, 0, COUNT(names));
	tcase_add_test(t, long_name);
	tcase_add_loop_test(t, load, 0, COUNT(kinds));
	tcase_add_test(t, save);
	tcase_add_test(t, save_on_full_disk);
	tcase_add_loop_test(t, password_from_input, 0, 5);
	tcase_add_test(t, password_from_environment);
	tcase_add_test(t, trusted);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
