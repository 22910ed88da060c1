/* SPDX-License-Identifier: MIT
 *
 * Two people with the real client and the real server, over TLS, with passwords:
 * contacts, chats, files, and what waited.
 */
#include "tests/system/client_contacts.h"
#include "tests/system/client_pair.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/cert.h"

/* Both logged in and contacts of each other. */
static struct pair
contacts(void)
{
	struct pair p = {.h = cc_start(NULL)};

	cc_sign_up(p.h, "alice");
	cc_sign_up(p.h, "bob");
	p.alice = cc_log_in(p.h, "alice");
	p.bob = cc_log_in(p.h, "bob");
	run_say(p.alice, "/add bob\n");
	run_until(p.alice, "* asked bob, who has not agreed yet\n");
	run_until(p.bob, "* alice asks to be a contact: /confirm alice\n");
	run_say(p.bob, "/confirm alice\n");
	run_until(p.bob, "* alice is a contact now\n");
	run_until(p.alice, "* bob is a contact now\n");
	return p;
}

static struct pair
chatting(void)
{
	struct pair p = contacts();

	run_say(p.alice, "/chat bob\n");
	run_until(p.alice, "* asking bob\n* chat with bob\n");
	run_say(p.bob, "/chat alice\n");
	run_until(p.bob, "* chat with alice\n");
	return p;
}

START_TEST(people)
{
	struct pair p = contacts();

	run_say(p.alice, "/people\n/contacts\n/chats\n/add nobody\n/add alice\n");
	run_until(p.alice, "* list: bob\n* contact bob since ");
	run_until(p.alice, "* contacts: 1\n* chats: 0\n"
			   "! there is no other user nobody\n! alice is you\n");
	run_say(p.bob, "/remove alice\n/chat alice\n");
	run_until(p.bob, "* removed alice\n* asking alice\n"
			 "! alice is no contact of yours: /add alice asks\n");
	pair_quit(&p, 1, 1);
}
END_TEST

START_TEST(chat)
{
	struct pair p = chatting();

	run_say(p.alice, "hello\n");
	run_until(p.bob, "<alice> hello\n");
	run_say(p.bob, "//list is no command\n  two  blanks and a \"quote\" \\n\n"
		       "\tZa\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87\n\"quoted\"\n"
		       "data:image/png;base64,AAEC\n");
	run_until(p.alice, "<bob> /list is no command\n"
			   "<bob>   two  blanks and a \"quote\" \\n\n"
			   "<bob> \tZa\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87\n"
			   "<bob> \"quoted\"\n<bob> data:image/png;base64,AAEC\n");
	run_say(p.alice, "/end\n");
	run_until(p.alice, "* chat with bob ended: closed\n");
	run_say(p.bob, "are you there?\n");
	run_until(p.alice, "* unread from bob: 1\n");
	run_say(p.alice, "/chat bob\n/wait message 900\nyes\n");
	run_until(p.alice, "* chat with bob\n<bob> are you there?\n");
	run_until(p.bob, "<alice> yes\n");
	pair_quit(&p, 0, 0);
}
END_TEST

/* A chat is deleted for both. */
START_TEST(deleted)
{
	struct pair p = chatting();

	run_say(p.alice, "hello\n/delete\n/chats\n");
	run_until(p.alice, "* chat with bob ended: it has been deleted\n"
			   "* deleted the chat with bob\n* chats: 0\n");
	run_say(p.bob, "hello?\n");
	run_until(p.bob,
		  "! not sent to alice: that chat has been deleted; it was: hello?\n"
		  "* chat with alice ended: it has been deleted\n");
	pair_quit(&p, 0, 1);
}
END_TEST

/* ---- what waits ---- */

START_TEST(offline)
{
	struct pair p = contacts();
	struct run *r;

	run_quit(p.bob, 0);
	run_say(p.alice, "/chat bob\none\ntwo\nthree\n/quit\n");
	run_until(p.alice, "* logged out\n");
	run_quit(p.alice, 0);
	/* Marked, not read: it comes again. */
	r = cc_script(p.h, "bob", "/wait unread 900\n", 0);
	run_until(r, "* unread from alice: 3\n");
	ck_assert(!run_said(r, "one"));
	run_free(r);
	r = cc_script(p.h, "bob", "/wait unread 900\n/contacts\n/chat alice\n", 0);
	run_until(r, "* unread from alice: 3\n* contact alice since ");
	run_until(r, ", 3 unread\n* contacts: 1\n* chat with alice\n"
		     "<alice> one\n<alice> two\n<alice> three\n* logged out\n");
	run_free(r);
	/* Read: it does not. */
	r = cc_script(p.h, "bob", "/contacts\n/chat alice\n", 0);
	ck_assert(!run_said(r, "unread"));
	ck_assert(!run_said(r, "<alice>"));
	run_free(r);
	harness_free(p.h);
}
END_TEST

/* A request and its confirmation wait as well. */
START_TEST(requests_wait)
{
	struct harness *h = cc_start(NULL);

	cc_sign_up(h, "alice");
	cc_sign_up(h, "bob");
	run_free(cc_script(h, "alice", "/add bob\n", 0));
	run_free(cc_script(h, "bob", "/wait contact 900\n/confirm alice\n", 0));
	run_free(cc_script(h, "alice", "/wait contact 900\n/chat bob\nhello\n", 0));
	run_free(
	    cc_script(h, "bob", "/wait unread 900\n/chat alice\n/wait message 0\n", 0));
	harness_free(h);
}
END_TEST

/* More than sockets and outboxes hold, most of it unread at first. */
START_TEST(bulk)
{
	enum { LINES = 5000 };
	struct pair p = contacts();
	struct buf text = BUF_INIT(4 << 20), want = BUF_INIT(4 << 20);
	struct run *r;

	run_quit(p.bob, 0);
	ck_assert_int_eq(buf_put_str(&text, "/chat bob\n"), Q_OK);
	for (int i = 0; i < LINES; i++) {
		ck_assert_int_eq(buf_printf(&text, "line %d of many\n", i), Q_OK);
		ck_assert_int_eq(buf_printf(&want, "<alice> line %d of many\n", i), Q_OK);
	}
	ck_assert_int_eq(buf_put_u8(&text, 0), Q_OK);
	ck_assert_int_eq(buf_put_u8(&want, 0), Q_OK);
	run_say(p.alice, (const char *)text.p);
	run_quit(p.alice, 0);
	/* Twice not looked at, with all of it on its way. */
	for (int i = 0; i < 2; i++)
		run_free(cc_script(p.h, "bob", "/wait unread 900\n", 0));
	r = cc_log_in(p.h, "bob");
	run_say(r, "/chat alice\n");
	run_until(r, "* chat with alice\n");
	run_until(r, "<alice> line 0 of many\n");
	r->seen -= strlen("<alice> line 0 of many\n");
	run_until(r, (const char *)want.p);
	run_quit(r, 0);
	buf_free(&text);
	buf_free(&want);
	harness_free(p.h);
}
END_TEST

/* ---- files ---- */

START_TEST(files)
{
	struct pair p = chatting();

	pair_make_file(p.h, "a cat.png", "\x89PNG\r\n\x1a\n", 3000);
	pair_make_file(p.h, "large", "", 5 << 20);
	run_say(p.alice, "/send a cat.png\n");
	run_until(p.alice, "* sent a cat.png, 3008 bytes\n");
	run_until(p.bob, "<alice> a cat.png\n"
			 "* file 1 from alice: image/png, 3008 bytes, a cat.png\n");
	run_say(p.bob, "/save 1\n/save 1\n/save 1 other name\n/save 99\n");
	run_until(p.bob, "* saved file 1, 3008 bytes, as a_cat.png\n"
			 "! a_cat.png is there already: /save ID FILE names another\n"
			 "* saved file 1, 3008 bytes, as other name\n"
			 "! there is no such file\n");
	pair_same_files(p.h, "a cat.png", "a_cat.png");
	pair_same_files(p.h, "a cat.png", "other name");
	run_say(p.bob, "/send large\nand that was large\n");
	run_until(p.bob, "* sent large, 5242880 bytes\n");
	run_until(p.alice, "<bob> large\n");
	run_until(p.alice, "* file 2 from bob: application/octet-stream, 5242880 bytes, "
			   "large\n");
	run_say(p.alice, "/save 2 large.2\n/send nowhere\n");
	run_until(p.alice, "* saved file 2, 5242880 bytes, as large.2\n"
			   "! cannot read nowhere: No such file or directory\n");
	pair_same_files(p.h, "large", "large.2");
	pair_quit(&p, 1, 1);
}
END_TEST

/* ---- hostile ---- */

/* A client of our own making, in the clear. */
static int
raw_connect(const struct harness *h)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(h->port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Say it and read until the answers' last line is there. */
static void
raw_say(int fd, const char *text, const char *until)
{
	struct buf in = BUF_INIT(1 << 20);
	int64_t deadline = harness_deadline(HARNESS_WAIT);
	char part[4096];
	ssize_t n;

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	do {
		ck_assert_int_gt(clock_left_ms(deadline), 0);
		n = read(fd, part, sizeof(part));
		ck_assert_int_gt(n, 0);
		ck_assert_int_eq(buf_put(&in, part, (size_t)n), Q_OK);
		ck_assert_int_eq(buf_put_u8(&in, 0), Q_OK);
		in.len--;
	} while (strstr((const char *)in.p, until) == NULL);
	buf_free(&in);
}

/* Live and waiting, in messages and in names of files: shown, never obeyed. */
START_TEST(hostile)
{
	static const char nasty[] =
	    "115 1 a\x1b[2J\x1b]0;t\a\xe2\x80\xae"
	    "b\xc2\x9b"
	    "1m\n"
	    "115 1 \"two\\nlines\\r* logged out\"\n"
	    "115 1 \"../../\x1b[31mevil;rm\" data:text/html,%3cx%3e\n";
	static const char shown[] = "<mallory> a\\x1b[2J\\x1b]0;t\\x07\\u{202e}b\\x9b1m\n"
				    "<mallory> two\\x0alines\\x0d* logged out\n"
				    "<mallory> ../../\\x1b[31mevil;rm\n";
	struct harness *h = cc_start(NULL);
	struct run *r;
	int fd;

	cc_sign_up(h, "alice");
	fd = raw_connect(h);
	raw_say(fd, "117 mallory password1 \"\" \"\"\n110 mallory password1\n121 alice\n",
		"232 400\n");
	run_free(cc_script(h, "alice",
			   "/wait contact 900\n/confirm mallory\n/chat mallory\n", 0));
	raw_say(fd, nasty, "219 400\n219 400\n219 400\n");
	r = cc_log_in(h, "alice");
	run_say(r, "/wait unread 900\n/chat mallory\n");
	run_until(r, shown);
	run_until(r,
		  "* file 1 from mallory: text/html, 3 bytes, ../../\\x1b[31mevil;rm\n");
	run_say(r, "/save 1\n");
	run_until(r, "* saved file 1, 3 bytes, as __31mevil_rm\n");
	raw_say(fd, nasty, "219 400\n219 400\n219 400\n");
	run_until(r, shown);
	ck_assert_int_eq(run_end(r), 0);
	ck_assert_ptr_null(memchr(r->said.p, 0x1b, r->said.len));
	run_free(r);
	close(fd);
	harness_free(h);
}
END_TEST

/* ---- who is who ---- */

START_TEST(passwords)
{
	struct harness *h = cc_start(NULL);
	struct run *r;

	cc_sign_up(h, "alice");
	run_refused(h, 1, "that name is taken", "alice", "SERVER", "--protocol",
		    "contacts", "--register", NULL);
	run_environment("QUINTET_PASSWORD=wrong password");
	run_refused(h, 1, "the name or the password is wrong", "alice", "SERVER",
		    "--protocol", "contacts", NULL);
	run_refused(h, 1, "the name or the password is wrong", "alice", "SERVER",
		    "--protocol", "contacts", "--user", "nobody", NULL);
	run_environment("QUINTET_PASSWORD=short");
	run_refused(h, 1, "a password has 8 to 384 bytes", "alice", "SERVER",
		    "--protocol", "contacts", "--register", "--user", "bob", NULL);
	run_environment(NULL);
	run_refused(h, 1, "no password was given", "alice", "SERVER", "--protocol",
		    "contacts", NULL);
	/* From standard input, with the script behind it. */
	r = run_script(h, 0, CC_PASSWORD "\n/people\n", "alice", "SERVER", "--protocol",
		       "contacts", "--user", "alice", NULL);
	run_until(r, "* list: (nobody)\n* logged out\n");
	run_free(r);
	/* From a file, which nobody else may read. */
	pair_make_file(h, "password", CC_PASSWORD "\n", 0);
	ck_assert_int_eq(chmod("password", 0644), 0);
	run_refused(h, 1, "others may read it", "alice", "SERVER", "--protocol",
		    "contacts", "--user", "alice", "--password-file", "password", NULL);
	ck_assert_int_eq(chmod("password", 0600), 0);
	run_free(run_script(h, 0, "", "alice", "SERVER", "--protocol", "contacts",
			    "--user", "alice", "--password-file", "password", NULL));
	harness_free(h);
}
END_TEST

START_TEST(twice)
{
	struct harness *h = cc_start(NULL);
	struct run *r;

	cc_sign_up(h, "alice");
	r = cc_log_in(h, "alice");
	run_refused(h, 1, "you are logged in elsewhere already", "alice", "SERVER",
		    "--protocol", "contacts", NULL);
	run_say(r, "/people\n");
	run_until(r, "* list: (nobody)\n");
	run_quit(r, 0);
	harness_free(h);
}
END_TEST

/* ---- which server ---- */

START_TEST(unknown_server)
{
	struct harness *h = cc_start(NULL);
	char other[FINGERPRINT_SIZE];

	run_refused(h, 1, "is not known here: trust it with --fingerprint", "alice",
		    "SERVER", "--protocol", "contacts", "--register", "--user", "alice",
		    NULL);
	memset(other, '0', 64);
	other[64] = '\0';
	run_refused(h, 1, run_ca_fingerprint(h), "alice", "SERVER", "--protocol",
		    "contacts", "--register", "--user", "alice", "--fingerprint", other,
		    NULL);
	ck_assert(!harness_logged(h, "name=alice"));
	cc_sign_up(h, "alice");
	harness_free(h);
}
END_TEST

START_TEST(unknown_server_in_terminal)
{
	struct harness *h = cc_start(NULL);
	struct run *r =
	    run_in_terminal(h, "alice", "--plain", "SERVER", "--protocol", "contacts",
			    "--register", "--user", "alice", NULL);

	run_until(r, "* CA fingerprint ");
	run_until(r, run_ca_fingerprint(h));
	run_until(r, "(yes/no) ");
	run_say(r, "no\n");
	run_until(r, "is not known here");
	run_quit(r, 1);
	run_environment(NULL);
	r = run_in_terminal(h, "alice", "--plain", "SERVER", "--protocol", "contacts",
			    "--register", "--user", "alice", NULL);
	run_until(r, "(yes/no) ");
	run_say(r, "yes\n");
	run_until(r, "New password for alice: ");
	run_say(r, CC_PASSWORD "\n");
	run_until(r, "The same again: ");
	run_say(r, CC_PASSWORD "\n");
	run_until(r, "* logged in as alice");
	run_say(r, "/quit\n");
	run_until(r, "* logged out");
	ck_assert(!run_said(r, CC_PASSWORD));
	run_quit(r, 0);
	/* From now on it is known. */
	r = run_in_terminal(h, "alice", "--plain", "SERVER", "--protocol", "contacts",
			    NULL);
	run_until(r, "Password for alice: ");
	run_say(r, CC_PASSWORD "\n");
	run_until(r, "* logged in as alice");
	run_say(r, "/quit\n");
	run_quit(r, 0);
	harness_free(h);
}
END_TEST

/* The pin is another server's CA. */
START_TEST(changed_ca)
{
	struct harness *h = cc_start(NULL), *other = harness_start(NULL, NULL);
	char pin[HARNESS_PATH], file[64], print[FINGERPRINT_SIZE];
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	FILE *f;

	cc_sign_up(h, "alice");
	ck_assert(harness_read(other, "server/ca.pem", &pem));
	snprintf(file, sizeof(file), "servers/127.0.0.1:%u.pem", h->port);
	run_path(h, "alice", file, pin);
	f = fopen(pin, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(pem.p, 1, pem.len, f), pem.len);
	fclose(f);
	memcpy(print, run_ca_fingerprint(other), sizeof(print));
	run_refused(h, 1, "NOT THE SERVER THAT YOU KNOW", "alice", "SERVER", "--protocol",
		    "contacts", NULL);
	run_refused(h, 1, print, "alice", "SERVER", "--protocol", "contacts", NULL);
	run_refused(h, 1, run_ca_fingerprint(h), "alice", "SERVER", "--protocol",
		    "contacts", NULL);
	/* Its owner has told the new one. */
	run_free(run_script(h, 0, "", "alice", "SERVER", "--protocol", "contacts",
			    "--fingerprint", run_ca_fingerprint(h), NULL));
	run_free(cc_script(h, "alice", "", 0));
	buf_free(&pem);
	harness_free(other);
	harness_free(h);
}
END_TEST

/* The CA that enrolment has pinned, or a file, will do. */
START_TEST(ca_known_otherwise)
{
	struct harness *h = cc_start(NULL);
	char ca[HARNESS_PATH + 16];

	snprintf(ca, sizeof(ca), "%s/server/ca.pem", h->data);
	run_free(run_script(h, 0, "", "alice", "SERVER", "--protocol", "contacts",
			    "--register", "--user", "alice", "--ca", ca, NULL));
	run_environment(NULL);
	run_enrol(h, "bob");
	run_environment("QUINTET_PASSWORD=" CC_PASSWORD);
	run_free(run_script(h, 0, "", "bob", "SERVER", "--protocol", "contacts", "--user",
			    "alice", NULL));
	harness_free(h);
}
END_TEST

START_TEST(clear)
{
	struct harness *h = cc_start(NULL);
	struct run *r;

	r = run_script(h, 0, "/people\n", "alice", "SERVER", "--protocol", "contacts",
		       "--register", "--user", "alice", "--clear", NULL);
	run_until(r, "* in the clear: others on the way can read all of it\n");
	run_until(r, "* list: (nobody)\n");
	run_free(r);
	harness_free(h);
}
END_TEST

START_TEST(clear_refused)
{
	struct harness *h = cc_start("contacts.cleartext=no");

	run_refused(h, 1, "the server wants TLS: leave --clear out", "alice", "SERVER",
		    "--protocol", "contacts", "--register", "--user", "alice", "--clear",
		    NULL);
	cc_sign_up(h, "alice");
	harness_free(h);
}
END_TEST

/* ---- ends ---- */

START_TEST(server_killed)
{
	struct pair p = chatting();

	run_say(p.bob, "/wait gone 900\n");
	harness_kill(p.h);
	run_until(p.alice, "* disconnected\n");
	run_until(p.bob, "* disconnected\n");
	ck_assert_int_eq(run_end(p.alice), 1);
	ck_assert(run_complained(p.alice, "client: "));
	run_free(p.alice);
	run_quit(p.bob, 1);
	harness_free(p.h);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client contacts");
	TCase *t = harness_case(s, "contacts");

	tcase_add_test(t, people);
	tcase_add_test(t, chat);
	tcase_add_test(t, deleted);
	tcase_add_test(t, offline);
	tcase_add_test(t, requests_wait);
	tcase_add_test(t, bulk);
	tcase_add_test(t, files);
	tcase_add_test(t, hostile);
	tcase_add_test(t, passwords);
	tcase_add_test(t, twice);
	tcase_add_test(t, unknown_server);
	tcase_add_test(t, unknown_server_in_terminal);
	tcase_add_test(t, changed_ca);
	tcase_add_test(t, ca_known_otherwise);
	tcase_add_test(t, clear);
	tcase_add_test(t, clear_refused);
	tcase_add_test(t, server_killed);
	return s;
}

int
main(void)
{
	return harness_main(suite());
}
