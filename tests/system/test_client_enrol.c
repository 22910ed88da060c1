/* SPDX-License-Identifier: MIT
 *
 * Becoming a user, keys and their passphrases, and which servers are trusted:
 * the real client with the real server.
 */
#include "tests/system/client_run.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <netinet/in.h>
#include <unistd.h>

static void
code_line(struct harness *h, char out[24])
{
	harness_enrol_code(h, out);
	out[19] = '\n';
	out[20] = '\0';
}

/* The pinned CA is the server's, to the byte. */
static void
pinned_exactly(struct harness *h, const char *home)
{
	struct buf pinned = BUF_INIT(65536), theirs = BUF_INIT(65536);
	char file[64], path[HARNESS_PATH];
	FILE *f;
	int c;

	snprintf(file, sizeof(file), "servers/127.0.0.1:%u.pem", h->port);
	run_path(h, home, file, path);
	f = fopen(path, "rb");
	ck_assert_ptr_nonnull(f);
	while ((c = getc(f)) != EOF)
		ck_assert_int_eq(buf_put_u8(&pinned, (uint8_t)c), Q_OK);
	fclose(f);
	ck_assert(harness_read(h, "server/ca.pem", &theirs));
	ck_assert(span_eq(buf_span(&pinned), buf_span(&theirs)));
	buf_free(&pinned);
	buf_free(&theirs);
}

START_TEST(enrol)
{
	struct harness *h = harness_start(NULL, NULL);
	char code[24], lower[24];
	struct run *r;

	code_line(h, code);
	for (size_t i = 0; i < sizeof(code); i++)
		lower[i] =
		    code[i] >= 'A' && code[i] <= 'Z' ? (char)(code[i] + 32) : code[i];
	r = run_script(h, 0, lower, "alice", "SERVER", "--user", "Alice", "--enroll",
		       NULL);
	ck_assert(run_said(r, "* made a key for Alice, without a passphrase\n"
			      "* enrolled as Alice at 127.0.0.1:"));
	ck_assert(run_said(r, "* CA fingerprint "));
	ck_assert(run_said(r, "* now type: "));
	run_free(r);
	ck_assert_uint_eq(run_mode(h, "alice", "."), 0700);
	ck_assert_uint_eq(run_mode(h, "alice", "keys"), 0700);
	ck_assert_uint_eq(run_mode(h, "alice", "keys/alice.pem"), 0600);
	ck_assert_uint_eq(run_mode(h, "alice", "last-user"), 0600);
	pinned_exactly(h, "alice");
	r = run_script(h, 0, "/list\n", "alice", "SERVER", NULL);
	ck_assert(run_said(r, "* user Alice, as the last time"));
	ck_assert(run_said(r, "* logged in as Alice\n"));
	run_free(r);
	harness_free(h);
}
END_TEST

START_TEST(enrol_refused)
{
	struct harness *h = harness_start(NULL, NULL);
	char code[24];

	harness_enrol_code(h, code);
	run_refused(h, 1, "the enrolment code is wrong", "alice", "--enroll", "SERVER",
		    "--user", "alice", "--code", "AAAA-BBBB-CCCC-DDDD", NULL);
	run_refused(h, 1, "an enrolment code looks like XXXX-XXXX-XXXX-XXXX", "alice",
		    "--enroll", "SERVER", "--user", "alice", "--code",
		    "AAAA-BBBB-CCCC-0000", NULL);
	run_refused(h, 1, "no enrolment code came on standard input", "alice", "--enroll",
		    "SERVER", "--user", "alice", NULL);
	/* The key made before the code was found wrong is used, not made anew. */
	run_enrol(h, "alice");
	run_refused(h, 1, "that name is taken", "other", "--enroll", "SERVER", "--user",
		    "alice", "--code", code, NULL);
	run_refused(h, 1, "that name is taken", "alice", "--enroll", "SERVER", "--user",
		    "ALICE", "--code", code, NULL);
	harness_free(h);
}
END_TEST

START_TEST(one_key_two_servers)
{
	struct harness *h = harness_start(NULL, NULL), *h2 = harness_start(NULL, NULL);
	char code[24], at[32];
	struct run *r;

	run_enrol(h, "alice");
	code_line(h2, code);
	snprintf(at, sizeof(at), "127.0.0.1:%u", h2->port);
	r = run_script(h, 0, code, "alice", "--enroll", at, "--user", "alice", NULL);
	ck_assert(
	    run_said(r, "* using the key that alice has already\n* enrolled as alice"));
	run_free(r);
	run_free(run_script(h, 0, "", "alice", at, NULL));
	run_free(run_script(h, 0, "", "alice", "SERVER", NULL));
	harness_free(h2);
	harness_free(h);
}
END_TEST

START_TEST(unknown_server)
{
	struct harness *h = harness_start(NULL, NULL);
	char ca[HARNESS_PATH + 32];

	run_refused(h, 1, "is not known here: enrol first with ", "alice", "SERVER",
		    "--user", "alice", NULL);
	run_enrol(h, "alice");
	run_refused(h, 1, "the server localhost:", "alice", "localhost", "--user",
		    "alice", NULL);
	run_refused(h, 1, "bob has no key here: enrol first with --enroll", "alice",
		    "SERVER", "--user", "bob", NULL);
	/* With the CA named, a pin is not needed. */
	harness_add_users(h, "bob", NULL);
	snprintf(ca, sizeof(ca), "%s/server/ca.pem", h->data);
	run_free(
	    run_script(h, 0, "", "alice", "SERVER", "--ca", ca, "--user", "alice", NULL));
	run_refused(h, 1, "cannot read /nowhere/ca.pem: No such file", "alice", "SERVER",
		    "--ca", "/nowhere/ca.pem", "--user", "alice", NULL);
	harness_free(h);
}
END_TEST

/* Another server answers where the known one did: refused before anything but
 * the name has left, until the user enrols with its code. */
START_TEST(changed_ca)
{
	struct harness *h = harness_start(NULL, NULL), *h2 = harness_new();
	struct run *r;
	char code[24];

	run_enrol(h, "alice");
	h2->port = h->port;
	harness_stop(h);
	harness_boot(h2, NULL);
	run_refused(h2, 1, "client: the server 127.0.0.1:", "alice", "SERVER", "--user",
		    "alice", NULL);
	run_refused(h, 1,
		    "NOT THE SERVER THAT YOU KNOW, or somebody is in between: the CA of ",
		    "alice", "SERVER", "--user", "alice", NULL);
	code_line(h2, code);
	r = run_script(h, 0, code, "alice", "--enroll", "SERVER", "--user", "alice",
		       NULL);
	ck_assert(run_said(r, " is a new one; it was "));
	run_free(r);
	run_free(run_script(h, 0, "", "alice", "SERVER", NULL));
	harness_free(h2);
	harness_free(h);
}
END_TEST

START_TEST(not_our_key)
{
	struct harness *h = harness_start(NULL, NULL);
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct key *key;

	run_enrol(h, "alice");
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &key), Q_OK);
	ck_assert_int_eq(key_public_pem(key, &pem), Q_OK);
	harness_write(h, "pems/alice.pem", buf_span(&pem));
	run_refused(h, 1,
		    "the server refused alice: not enrolled there, or with another key",
		    "alice", "SERVER", "--user", "alice", NULL);
	key_free(key);
	buf_free(&pem);
	harness_free(h);
}
END_TEST

START_TEST(key_files)
{
	struct harness *h = harness_start(NULL, NULL);
	char path[HARNESS_PATH], no_key[HARNESS_PATH + 32];

	run_enrol(h, "alice");
	run_path(h, "alice", "keys/alice.pem", path);
	ck_assert_int_eq(chmod(path, 0640), 0);
	run_refused(h, 1,
		    "alice.pem is secret, but others may read it: chmod 600 it first",
		    "alice", "SERVER", "--user", "alice", NULL);
	ck_assert_int_eq(chmod(path, 0600), 0);
	snprintf(no_key, sizeof(no_key), "%s/server/enroll-code", h->data);
	run_refused(h, 1, "the key of alice cannot be used", "alice", "SERVER", "--user",
		    "alice", "--key", no_key, NULL);
	run_refused(h, 1, "cannot read /nowhere/key.pem", "alice", "SERVER", "--user",
		    "alice", "--key", "/nowhere/key.pem", NULL);
	/* Her key under the name of a file, for a user who has none here. */
	run_free(run_script(h, 0, "", "alice", "SERVER", "--user", "alice", "--key", path,
			    NULL));
	harness_free(h);
}
END_TEST

START_TEST(passphrase_from_script)
{
	struct harness *h = harness_start(NULL, NULL);
	char code[24], file[HARNESS_PATH];
	struct run *r;
	FILE *f;

	code_line(h, code);
	run_environment("QUINTET_PASSPHRASE=open sesame");
	r = run_script(h, 0, code, "alice", "--enroll", "SERVER", "--user", "alice",
		       NULL);
	ck_assert(run_said(r, "* made a key for alice, with a passphrase\n"));
	run_free(r);
	run_free(run_script(h, 0, "", "alice", "SERVER", NULL));
	run_environment("QUINTET_PASSPHRASE=open barley");
	run_refused(h, 1, "the passphrase for the key of alice is wrong", "alice",
		    "SERVER", NULL);
	run_environment(NULL);
	run_refused(h, 1, "there is no terminal to ask for it: use --passphrase-file",
		    "alice", "SERVER", NULL);
	run_path(h, "alice", "word", file);
	f = fopen(file, "w");
	ck_assert_ptr_nonnull(f);
	fputs("open sesame\nthis is not read\n", f);
	fclose(f);
	ck_assert_int_eq(chmod(file, 0600), 0);
	run_free(
	    run_script(h, 0, "", "alice", "SERVER", "--passphrase-file", file, NULL));
	harness_free(h);
}
END_TEST

START_TEST(passphrase_from_terminal)
{
	struct harness *h = harness_start(NULL, NULL);
	struct run *r;
	char code[24];

	code_line(h, code);
	r = run_in_terminal(h, "alice", "--enroll", "SERVER", "--user", "alice", NULL);
	run_until(r, "Enrolment code: ");
	run_say(r, code);
	run_until(r, "Passphrase for your new key (empty for none): ");
	run_say(r, "open sesame\n");
	run_until(r, "The same again: ");
	run_say(r, "open sesam\n");
	for (int i = 0; i < 2; i++) { /* once more, and once more */
		run_until(r, "! these were two different passphrases\r\n");
		run_until(r, "(empty for none): ");
		run_say(r, "open sesame\n");
		run_until(r, "The same again: ");
		run_say(r, "sesame open\n");
	}
	run_until(r, "client: these were two different passphrases\r\n");
	ck_assert_int_eq(run_end(r), 1);
	ck_assert(!run_said(r, "sesam")); /* not echoed */
	run_free(r);

	r = run_in_terminal(h, "alice", "--enroll", "SERVER", "--user", "alice", NULL);
	run_until(r, "Enrolment code: ");
	run_say(r, code);
	run_until(r, "(empty for none): ");
	run_say(r, "open sesame\n");
	run_until(r, "again: ");
	run_say(r, "open sesame\n");
	run_until(r, "* enrolled as alice");
	run_quit(r, 0);

	r = run_in_terminal(h, "alice", "--plain", "SERVER", NULL);
	run_until(r, "Passphrase for the key of alice: ");
	run_say(r, "open sesame\n");
	run_until(r, "* logged in as alice");
	run_say(r, "/quit\n");
	run_until(r, "* logged out\r\n");
	run_quit(r, 0);
	harness_free(h);
}
END_TEST

START_TEST(usage)
{
	struct harness *h = harness_start(NULL, NULL);
	struct run *r;

	run_refused(h, 2, "--colour is no option of this program", "alice", "--colour",
		    NULL);
	run_refused(h, 2, "--user needs a value", "alice", "SERVER", "--user", NULL);
	run_refused(h, 2, "\"../alice\" is no name", "alice", "SERVER", "--user",
		    "../alice", NULL);
	run_refused(h, 2, "\"a/b\" is no host", "alice", "a/b", NULL);
	run_refused(h, 2, "\"99999\" is no port", "alice", "localhost:99999", NULL);
	run_refused(h, 2, "one server at a time", "alice", "one", "two", NULL);
	run_refused(h, 2, "this client does not speak smtp", "alice", "--protocol",
		    "smtp", NULL);
	run_refused(h, 2, "--code belongs to --enroll", "alice", "SERVER", "--code", "x",
		    NULL);
	r = run_script(h, 0, "", "alice", "--help", NULL);
	ck_assert(run_said(r, "client --enroll [HOST[:PORT]] --user NAME"));
	run_free(r);
	r = run_script(h, 0, "", "alice", "--version", NULL);
	ck_assert(run_said(r, "quintet-client "));
	run_free(r);
	harness_free(h);
}
END_TEST

/* Where nobody listens, and where somebody else does. */
START_TEST(no_server)
{
	struct harness *h = harness_start(NULL, NULL);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(h->port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, peer;
	struct run *r;

	run_enrol(h, "alice");
	harness_stop(h);
	run_refused(h, 1, ": Connection refused", "alice", "SERVER", "--user", "alice",
		    NULL);
	run_refused(h, 1, "cannot find the host fe80::1%nosuch", "alice",
		    "[fe80::1%nosuch]", "--enroll", "--user", "alice", "--code",
		    "AAAA-BBBB-CCCC-DDDD", NULL);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	r = run_start(h, "alice", "SERVER", "--user", "alice", NULL);
	ck_assert_int_ne(peer = accept(fd, NULL, NULL), -1);
	ck_assert_int_eq(write(peer, "220 mail ready\r\n", 16), 16);
	ck_assert_int_eq(run_ended(r), 1);
	ck_assert(run_complained(r, "client: what answers there does not speak relay\n"));
	run_free(r);
	close(peer);
	r = run_start(h, "alice", "SERVER", "--user", "alice", NULL);
	ck_assert_int_ne(peer = accept(fd, NULL, NULL), -1);
	ck_assert_int_eq(shutdown(peer, SHUT_RDWR), 0);
	ck_assert_int_eq(run_ended(r), 1);
	ck_assert(run_complained(r, " closed the connection\n"));
	run_free(r);
	close(peer);
	close(fd);
	harness_free(h);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client enrolment");
	TCase *t = tcase_create("enrol");

	tcase_add_test(t, enrol);
	tcase_add_test(t, enrol_refused);
	tcase_add_test(t, one_key_two_servers);
	tcase_add_test(t, unknown_server);
	tcase_add_test(t, changed_ca);
	tcase_add_test(t, not_our_key);
	tcase_add_test(t, key_files);
	tcase_add_test(t, passphrase_from_script);
	tcase_add_test(t, passphrase_from_terminal);
	tcase_add_test(t, usage);
	tcase_add_test(t, no_server);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return harness_main(suite());
}
