/* SPDX-License-Identifier: MIT
 *
 * Two people with the real client and the real server, over TLS, with passwords:
 * contacts, chats, files, and what waited.
 */
#include "tests/system/client_run.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/cert.h"

#define PASSWORD "geheim 12345"

static struct harness *
start(const char *setting)
{
	struct harness *h = harness_start(setting, NULL);

	/* Files without another place are kept where the client runs. */
	ck_assert_int_eq(chdir(h->dir), 0);
	run_environment("QUINTET_PASSWORD=" PASSWORD);
	return h;
}

static void
become_user(struct harness *h, const char *name)
{
	int status;
	struct run *r = run_script(h, "", &status, name, "SERVER", "--protocol",
				   "contacts", "--register", "--user", name,
				   "--fingerprint", run_ca_fingerprint(h), NULL);

	ck_assert_msg(status == 0, "%s", (const char *)r->complaint.p);
	ck_assert(run_said(r, "* registered "));
	run_free(r);
}

static struct run *
log_in(struct harness *h, const char *name)
{
	struct run *r = run_start(h, name, "SERVER", "--protocol", "contacts", NULL);
	char line[64];

	snprintf(line, sizeof(line), "* logged in as %s\n", name);
	run_until(r, line);
	return r;
}

/* Run these lines as name; the exit status must be that. */
static struct run *
script(struct harness *h, const char *name, const char *lines, int wanted)
{
	int status;
	struct run *r =
	    run_script(h, lines, &status, name, "SERVER", "--protocol", "contacts", NULL);

	ck_assert_msg(status == wanted, "%d: %s%s", status, (const char *)r->said.p,
		      (const char *)r->complaint.p);
	return r;
}

static void
end(struct run *r, int status)
{
	ck_assert_int_eq(run_end(r), status);
	run_free(r);
}

struct pair {
	struct harness *h;
	struct run *alice, *bob;
};

/* Both logged in and contacts of each other. */
static struct pair
contacts(void)
{
	struct pair p = {.h = start(NULL)};

	become_user(p.h, "alice");
	become_user(p.h, "bob");
	p.alice = log_in(p.h, "alice");
	p.bob = log_in(p.h, "bob");
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

static void
finish(struct pair *p, int alice_status, int bob_status)
{
	end(p->alice, alice_status);
	end(p->bob, bob_status);
	harness_free(p->h);
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
	finish(&p, 1, 1);
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
	finish(&p, 0, 0);
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
	finish(&p, 0, 1);
}
END_TEST

/* ---- what waits ---- */

START_TEST(offline)
{
	struct pair p = contacts();
	struct run *r;

	end(p.bob, 0);
	run_say(p.alice, "/chat bob\none\ntwo\nthree\n/quit\n");
	run_until(p.alice, "* logged out\n");
	end(p.alice, 0);
	/* Marked, not read: it comes again. */
	r = script(p.h, "bob", "/wait unread 900\n", 0);
	run_until(r, "* unread from alice: 3\n");
	ck_assert(!run_said(r, "one"));
	run_free(r);
	r = script(p.h, "bob", "/wait unread 900\n/contacts\n/chat alice\n", 0);
	run_until(r, "* unread from alice: 3\n* contact alice since ");
	run_until(r, ", 3 unread\n* contacts: 1\n* chat with alice\n"
		     "<alice> one\n<alice> two\n<alice> three\n* logged out\n");
	run_free(r);
	/* Read: it does not. */
	r = script(p.h, "bob", "/contacts\n/chat alice\n", 0);
	ck_assert(!run_said(r, "unread"));
	ck_assert(!run_said(r, "<alice>"));
	run_free(r);
	harness_free(p.h);
}
END_TEST

/* A request and its confirmation wait as well. */
START_TEST(requests_wait)
{
	struct harness *h = start(NULL);

	become_user(h, "alice");
	become_user(h, "bob");
	run_free(script(h, "alice", "/add bob\n", 0));
	run_free(script(h, "bob", "/wait contact 900\n/confirm alice\n", 0));
	run_free(script(h, "alice", "/wait contact 900\n/chat bob\nhello\n", 0));
	run_free(script(h, "bob", "/wait unread 900\n/chat alice\n/wait message 0\n", 0));
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

	end(p.bob, 0);
	ck_assert_int_eq(buf_put_str(&text, "/chat bob\n"), Q_OK);
	for (int i = 0; i < LINES; i++) {
		ck_assert_int_eq(buf_printf(&text, "line %d of many\n", i), Q_OK);
		ck_assert_int_eq(buf_printf(&want, "<alice> line %d of many\n", i), Q_OK);
	}
	ck_assert_int_eq(buf_put_u8(&text, 0), Q_OK);
	ck_assert_int_eq(buf_put_u8(&want, 0), Q_OK);
	run_say(p.alice, (const char *)text.p);
	end(p.alice, 0);
	/* Twice not looked at, with all of it on its way. */
	for (int i = 0; i < 2; i++)
		run_free(script(p.h, "bob", "/wait unread 900\n", 0));
	r = log_in(p.h, "bob");
	run_say(r, "/chat alice\n");
	run_until(r, "* chat with alice\n");
	run_until(r, "<alice> line 0 of many\n");
	r->seen -= strlen("<alice> line 0 of many\n");
	run_until(r, (const char *)want.p);
	end(r, 0);
	buf_free(&text);
	buf_free(&want);
	harness_free(p.h);
}
END_TEST

/* ---- files ---- */

/* A file with every byte in it. */
static void
make_file(const struct harness *h, const char *name, const char *head, size_t size)
{
	char path[HARNESS_PATH];
	FILE *f;

	snprintf(path, sizeof(path), "%.300s/%s", h->dir, name);
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(head, f), 0);
	for (size_t i = 0; i < size; i++)
		ck_assert_int_ne(fputc((int)((i * 7 + i / 256) & 0xff), f), EOF);
	ck_assert_int_eq(fclose(f), 0);
}

static struct buf
read_file(const char *name)
{
	struct buf b = BUF_INIT(16 << 20);
	uint8_t part[65536];
	FILE *f = fopen(name, "rb");
	size_t n;

	ck_assert_msg(f != NULL, "%s", name);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		ck_assert_int_eq(buf_put(&b, part, n), Q_OK);
	fclose(f);
	return b;
}

static void
same_files(const char *one, const char *two)
{
	struct buf a = read_file(one), b = read_file(two);

	ck_assert(span_eq(buf_span(&a), buf_span(&b)));
	buf_free(&a);
	buf_free(&b);
}

START_TEST(files)
{
	struct pair p = chatting();

	make_file(p.h, "a cat.png", "\x89PNG\r\n\x1a\n", 3000);
	make_file(p.h, "large", "", 5 << 20);
	run_say(p.alice, "/send a cat.png\n");
	run_until(p.alice, "* sent a cat.png, 3008 bytes\n");
	run_until(p.bob, "<alice> a cat.png\n"
			 "* file 1 from alice: image/png, 3008 bytes, a cat.png\n");
	run_say(p.bob, "/save 1\n/save 1\n/save 1 other name\n/save 99\n");
	run_until(p.bob, "* saved file 1, 3008 bytes, as a_cat.png\n"
			 "! a_cat.png is there already: /save ID FILE names another\n"
			 "* saved file 1, 3008 bytes, as other name\n"
			 "! there is no such file\n");
	same_files("a cat.png", "a_cat.png");
	same_files("a cat.png", "other name");
	run_say(p.bob, "/send large\nand that was large\n");
	run_until(p.bob, "* sent large, 5242880 bytes\n");
	run_until(p.alice, "<bob> large\n");
	run_until(p.alice, "* file 2 from bob: application/octet-stream, 5242880 bytes, "
			   "large\n");
	run_say(p.alice, "/save 2 large.2\n/send nowhere\n");
	run_until(p.alice, "* saved file 2, 5242880 bytes, as large.2\n"
			   "! cannot read nowhere: No such file or directory\n");
	same_files("large", "large.2");
	finish(&p, 1, 1);
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
	struct harness *h = start(NULL);
	struct run *r;
	int fd;

	become_user(h, "alice");
	fd = raw_connect(h);
	raw_say(fd, "117 mallory password1 \"\" \"\"\n110 mallory password1\n121 alice\n",
		"232 400\n");
	run_free(script(h, "alice",
			"/wait contact 900\n/confirm mallory\n/chat mallory\n", 0));
	raw_say(fd, nasty, "219 400\n219 400\n219 400\n");
	r = log_in(h, "alice");
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

#define MUST_FAIL(h, sentence, home, ...)                                              \
	do {                                                                           \
		int status_;                                                           \
		struct run *r_ = run_script(h, "", &status_, home, __VA_ARGS__, NULL); \
		ck_assert_msg(run_complained(r_, sentence), "it said \"%s\"",          \
			      (const char *)r_->complaint.p);                          \
		ck_assert_int_eq(status_, 1);                                          \
		run_free(r_);                                                          \
	} while (0)

START_TEST(passwords)
{
	struct harness *h = start(NULL);
	struct run *r;
	int status;

	become_user(h, "alice");
	MUST_FAIL(h, "that name is taken", "alice", "SERVER", "--protocol", "contacts",
		  "--register");
	run_environment("QUINTET_PASSWORD=wrong password");
	MUST_FAIL(h, "the name or the password is wrong", "alice", "SERVER", "--protocol",
		  "contacts");
	MUST_FAIL(h, "the name or the password is wrong", "alice", "SERVER", "--protocol",
		  "contacts", "--user", "nobody");
	run_environment("QUINTET_PASSWORD=short");
	MUST_FAIL(h, "a password has 8 to 384 bytes", "alice", "SERVER", "--protocol",
		  "contacts", "--register", "--user", "bob");
	run_environment(NULL);
	MUST_FAIL(h, "no password was given", "alice", "SERVER", "--protocol",
		  "contacts");
	/* From standard input, with the script behind it. */
	r = run_script(h, PASSWORD "\n/people\n", &status, "alice", "SERVER",
		       "--protocol", "contacts", "--user", "alice", NULL);
	ck_assert_int_eq(status, 0);
	run_until(r, "* list: (nobody)\n* logged out\n");
	run_free(r);
	/* From a file, which nobody else may read. */
	make_file(h, "password", PASSWORD "\n", 0);
	ck_assert_int_eq(chmod("password", 0644), 0);
	MUST_FAIL(h, "others may read it", "alice", "SERVER", "--protocol", "contacts",
		  "--user", "alice", "--password-file", "password");
	ck_assert_int_eq(chmod("password", 0600), 0);
	run_free(run_script(h, "", &status, "alice", "SERVER", "--protocol", "contacts",
			    "--user", "alice", "--password-file", "password", NULL));
	ck_assert_int_eq(status, 0);
	harness_free(h);
}
END_TEST

START_TEST(twice)
{
	struct harness *h = start(NULL);
	struct run *r;

	become_user(h, "alice");
	r = log_in(h, "alice");
	MUST_FAIL(h, "you are logged in elsewhere already", "alice", "SERVER",
		  "--protocol", "contacts");
	run_say(r, "/people\n");
	run_until(r, "* list: (nobody)\n");
	end(r, 0);
	harness_free(h);
}
END_TEST

/* ---- which server ---- */

START_TEST(unknown_server)
{
	struct harness *h = start(NULL);
	char other[FINGERPRINT_SIZE];

	MUST_FAIL(h, "is not known here: trust it with --fingerprint", "alice", "SERVER",
		  "--protocol", "contacts", "--register", "--user", "alice");
	memset(other, '0', 64);
	other[64] = '\0';
	MUST_FAIL(h, run_ca_fingerprint(h), "alice", "SERVER", "--protocol", "contacts",
		  "--register", "--user", "alice", "--fingerprint", other);
	ck_assert(!harness_logged(h, "name=alice"));
	become_user(h, "alice");
	harness_free(h);
}
END_TEST

START_TEST(unknown_server_in_terminal)
{
	struct harness *h = start(NULL);
	struct run *r =
	    run_in_terminal(h, "alice", "--plain", "SERVER", "--protocol", "contacts",
			    "--register", "--user", "alice", NULL);

	run_until(r, "* CA fingerprint ");
	run_until(r, run_ca_fingerprint(h));
	run_until(r, "(yes/no) ");
	run_say(r, "no\n");
	run_until(r, "is not known here");
	end(r, 1);
	run_environment(NULL);
	r = run_in_terminal(h, "alice", "--plain", "SERVER", "--protocol", "contacts",
			    "--register", "--user", "alice", NULL);
	run_until(r, "(yes/no) ");
	run_say(r, "yes\n");
	run_until(r, "New password for alice: ");
	run_say(r, PASSWORD "\n");
	run_until(r, "The same again: ");
	run_say(r, PASSWORD "\n");
	run_until(r, "* logged in as alice");
	run_say(r, "/quit\n");
	run_until(r, "* logged out");
	ck_assert(!run_said(r, PASSWORD));
	end(r, 0);
	/* From now on it is known. */
	r = run_in_terminal(h, "alice", "--plain", "SERVER", "--protocol", "contacts",
			    NULL);
	run_until(r, "Password for alice: ");
	run_say(r, PASSWORD "\n");
	run_until(r, "* logged in as alice");
	run_say(r, "/quit\n");
	end(r, 0);
	harness_free(h);
}
END_TEST

/* The pin is another server's CA. */
START_TEST(changed_ca)
{
	struct harness *h = start(NULL), *other = harness_start(NULL, NULL);
	char pin[HARNESS_PATH], file[64], print[FINGERPRINT_SIZE];
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	FILE *f;
	int status;

	become_user(h, "alice");
	ck_assert(harness_read(other, "server/ca.pem", &pem));
	snprintf(file, sizeof(file), "servers/127.0.0.1:%u.pem", h->port);
	run_path(h, "alice", file, pin);
	f = fopen(pin, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(pem.p, 1, pem.len, f), pem.len);
	fclose(f);
	memcpy(print, run_ca_fingerprint(other), sizeof(print));
	MUST_FAIL(h, "NOT THE SERVER THAT YOU KNOW", "alice", "SERVER", "--protocol",
		  "contacts");
	MUST_FAIL(h, print, "alice", "SERVER", "--protocol", "contacts");
	MUST_FAIL(h, run_ca_fingerprint(h), "alice", "SERVER", "--protocol", "contacts");
	/* Its owner has told the new one. */
	run_free(run_script(h, "", &status, "alice", "SERVER", "--protocol", "contacts",
			    "--fingerprint", run_ca_fingerprint(h), NULL));
	ck_assert_int_eq(status, 0);
	run_free(script(h, "alice", "", 0));
	buf_free(&pem);
	harness_free(other);
	harness_free(h);
}
END_TEST

/* The CA that enrolment has pinned, or a file, will do. */
START_TEST(ca_known_otherwise)
{
	struct harness *h = start(NULL);
	char ca[HARNESS_PATH + 16];
	int status;

	snprintf(ca, sizeof(ca), "%s/server/ca.pem", h->data);
	run_free(run_script(h, "", &status, "alice", "SERVER", "--protocol", "contacts",
			    "--register", "--user", "alice", "--ca", ca, NULL));
	ck_assert_int_eq(status, 0);
	run_environment(NULL);
	run_enrol(h, "bob");
	run_environment("QUINTET_PASSWORD=" PASSWORD);
	run_free(run_script(h, "", &status, "bob", "SERVER", "--protocol", "contacts",
			    "--user", "alice", NULL));
	ck_assert_int_eq(status, 0);
	harness_free(h);
}
END_TEST

START_TEST(clear)
{
	struct harness *h = start(NULL);
	struct run *r;
	int status;

	r = run_script(h, "/people\n", &status, "alice", "SERVER", "--protocol",
		       "contacts", "--register", "--user", "alice", "--clear", NULL);
	ck_assert_int_eq(status, 0);
	run_until(r, "* in the clear: others on the way can read all of it\n");
	run_until(r, "* list: (nobody)\n");
	run_free(r);
	harness_free(h);
}
END_TEST

START_TEST(clear_refused)
{
	struct harness *h = start("contacts.cleartext=no");

	MUST_FAIL(h, "the server wants TLS: leave --clear out", "alice", "SERVER",
		  "--protocol", "contacts", "--register", "--user", "alice", "--clear");
	become_user(h, "alice");
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
	end(p.bob, 1);
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
