/* SPDX-License-Identifier: MIT
 *
 * The administrator's commands with and without a running server, and reloads.
 */
#include "tests/system/contacts_peer.h"
#include "tests/system/relay_peer.h"
#include "tests/system/run_command.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void
put(struct harness *h, const char *path, const char *text)
{
	harness_write(h, path, span_str(text));
}

/* A public key in DIR/NAME; the private one is returned. */
static struct key *
key_file(struct harness *h, const char *name, enum key_kind kind,
	 char path[HARNESS_PATH + 32])
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct key *k = NULL;
	FILE *f;

	ck_assert_int_eq(key_generate(kind, 2048, &k), Q_OK);
	ck_assert_int_eq(key_public_pem(k, &pem), Q_OK);
	snprintf(path, HARNESS_PATH + 32, "%s/%s", h->dir, name);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	ck_assert_uint_eq(fwrite(pem.p, 1, pem.len, f), pem.len);
	fclose(f);
	buf_free(&pem);
	return k;
}

static struct peer *
login(struct harness *h, const char *name, const struct key *key)
{
	struct peer *p = peer_connect(h);

	peer_hello(p, name);
	peer_prove(p, key);
	peer_expect_nothing(p);
	return p;
}

/* The same with a server (_i = 1) and without. */
START_TEST(users)
{
	struct harness *h = harness_new();
	char first[HARNESS_PATH + 32], second[HARNESS_PATH + 32], uin[32];
	struct key *one = key_file(h, "one.pem", KEY_EC_P256, first);
	struct key *two = key_file(h, "two.pem", KEY_RSA, second);

	if (_i == 1)
		harness_boot(h, NULL);
	ck_assert_int_eq(
	    RUN("user", "add", "Alice", "--key", first, "--email", "a@b.example"), 0);
	ck_assert_int_eq(sscanf((const char *)out.p, "uin: %20[0-9]\n", uin), 1);
	ck_assert_int_eq(RUN("user", "add", "alice"), 1);
	ck_assert(said("server: there is a user alice already\n"));
	ck_assert_int_eq(RUN("user", "add", "bob", "--key", "/nonexistent"), 1);
	ck_assert(said("cannot read /nonexistent: No such file"));
	ck_assert_int_eq(RUN("user", "add", "bob", "--key", "/dev/zero"), 1);
	ck_assert(said("/dev/zero is too large"));
	ck_assert_int_eq(RUN("user", "add", "bob"), 0);
	ck_assert_int_eq(RUN("user", "list"), 0);
	ck_assert(said("Alice  ") && said("EC P-256") && said("bob  ") && said("no key"));
	ck_assert(said(uin));
	ck_assert_int_eq(RUN("user", "show", "ALICE"), 0);
	ck_assert(said("name: Alice\nuin: ") && said(uin) && said("fingerprint: "));
	ck_assert_int_eq(said("online: no"), _i);
	ck_assert_int_eq(RUN("user", "show", "carol"), 1);
	ck_assert(said("server: there is no user carol\n"));
	ck_assert_int_eq(RUN("user", "key", "alice", second), 0);
	ck_assert_int_eq(RUN("user", "show", "alice"), 0);
	ck_assert(said("key: RSA") && said(uin));
	if (_i == 0)
		harness_boot(h, NULL);
	peer_free(login(h, "alice", two));
	ck_assert_int_eq(RUN("user", "remove", "alice"), 0);
	ck_assert_int_eq(RUN("user", "list"), 0);
	ck_assert(!said("Alice"));
	ck_assert_int_eq(RUN("check"), 0);
	key_free(one);
	key_free(two);
	harness_free(h);
}
END_TEST

/* Whoever is no longer who they were is logged out. */
START_TEST(key_and_remove_end_sessions)
{
	struct harness *h = harness_start(NULL);
	char first[HARNESS_PATH + 32], second[HARNESS_PATH + 32];
	struct key *one = key_file(h, "one.pem", KEY_EC_P256, first);
	struct key *two = key_file(h, "two.pem", KEY_EC_P256, second);
	struct peer *alice;

	harness_admin(h, "user", "add", "alice", "--key", first, NULL);
	alice = login(h, "alice", one);
	ck_assert_int_eq(RUN("user", "show", "alice"), 0);
	ck_assert(said("online: yes"));
	harness_admin(h, "user", "key", "Alice", second, NULL);
	peer_expect_forced_logout(alice);
	peer_free(alice);
	alice = peer_connect(h); /* the old key is void */
	peer_hello(alice, "alice");
	peer_prove(alice, one);
	peer_expect_end(alice);
	peer_free(alice);
	alice = login(h, "alice", two);
	harness_admin(h, "user", "remove", "alice", NULL);
	peer_expect_forced_logout(alice);
	peer_free(alice);
	key_free(one);
	key_free(two);
	harness_free(h);
}
END_TEST

START_TEST(enrolment_code)
{
	struct harness *h = harness_new();
	char code[20], again[20];

	ck_assert_int_eq(RUN("enroll-code"), 1);
	ck_assert(said("there is no enrolment code yet"));
	harness_boot(h, NULL);
	harness_enrol_code(h, code);
	ck_assert_int_eq(RUN("enroll-code"), 0);
	ck_assert(said(code));
	ck_assert_int_eq(RUN("enroll-code", "--rotate"), 0);
	ck_assert(!said(code));
	harness_enrol_code(h, again);
	ck_assert(said(again));
	harness_stop(h);
	ck_assert_int_eq(RUN("enroll-code", "--rotate"), 0);
	ck_assert(!said(again));
	harness_free(h);
}
END_TEST

START_TEST(data_directories)
{
	struct harness *h = harness_new();
	char path[HARNESS_PATH];

	/* Not there: a mistake, but for the first user of a new one. */
	snprintf(path, sizeof(path), "%s", h->data);
	snprintf(h->data, sizeof(h->data), "%.*s/fresh", HARNESS_PATH - 16, path);
	ck_assert_int_eq(RUN("user", "list"), 1);
	ck_assert(said("no data directory "));
	ck_assert_int_eq(RUN("check"), 1);
	ck_assert_int_eq(access(h->data, F_OK), -1);
	ck_assert_int_eq(RUN("user", "add", "alice"), 0);
	ck_assert_int_eq(RUN("user", "list"), 0);
	ck_assert(said("alice"));
	/* A path far longer than a Unix socket's address. */
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s", h->data);
		snprintf(h->data, sizeof(h->data), "%.*s/%0100d", HARNESS_PATH - 110,
			 path, i);
		ck_assert_int_eq(mkdir(h->data, 0700), 0);
	}
	harness_boot(h, NULL);
	ck_assert_int_eq(RUN("ctl", "stats"), 0);
	harness_free(h);
}
END_TEST

START_TEST(check)
{
	struct harness *h = harness_start(NULL);

	harness_add_users(h, "alice", NULL);
	harness_admin(h, "user", "add", "bob", NULL);
	ck_assert_int_eq(RUN("check"), 0);
	ck_assert(said("are good\n"));
	ck_assert_int_eq(RUN("check", "--repair"), 1);
	ck_assert(said("server: a server is running; stop it first"));
	harness_stop(h);
	put(h, "users/bob", "rubbish\n");
	ck_assert_int_eq(RUN("check"), 1);
	ck_assert(said("bob") &&
		  said("found (check --repair sets damaged parts aside)\n"));
	ck_assert_int_eq(RUN("check", "--repair"), 0);
	ck_assert_int_eq(RUN("check"), 0);
	out.len = 0;
	ck_assert(!harness_read(h, "users/bob", &out)); /* set aside */
	harness_restart(h);
	harness_free(h);
}
END_TEST

/* ---- ctl ---- */

START_TEST(sessions_kick_say_stats)
{
	struct harness *h = harness_start(NULL);
	struct line_peer *carol;
	struct peer *alice, *bob;

	harness_add_users(h, "alice", "bob", NULL);
	alice = peer_login(h, "alice");
	bob = peer_connect(h);
	HARNESS_UNTIL(RUN("ctl", "sessions") == 0 && said("      2  -"));
	ck_assert(said("relay     plain   alice  ") && said("  127.0.0.1:"));
	/* Notices go to those who asked for them; contacts has no word for any. */
	carol = line_connect(h, "carol");
	line_say(carol, "117 carol geheim123 \"\" \"\"");
	line_hear(carol, "222 400");
	line_say(carol, "110 carol geheim123");
	line_hear(carol, "212 400 carol");
	peer_send_bare(alice, RELAY_NOTICE);
	peer_expect_nothing(alice);
	ck_assert_int_eq(RUN("ctl", "say", "Five more minutes. ¡Adiós!"), 0);
	ck_assert(said("told 1 session\n"));
	line_hear_nothing(carol);
	line_free(carol);
	ck_assert(span_eq(peer_expect(alice, RELAY_NOTICE),
			  span_str("Five more minutes. ¡Adiós!")));
	ck_assert_int_eq(RUN("ctl", "say", "a\033[2Jb"), 1);
	ck_assert(said("the text must be UTF-8 text without control characters"));
	ck_assert_int_eq(RUN("ctl", "say", ""), 1);
	peer_expect_nothing(alice);
	ck_assert_int_eq(RUN("ctl", "stats"), 0);
	ck_assert(said("uptime ") && said("logins_total ") && said("connections_total "));
	ck_assert_int_eq(RUN("ctl", "kick", "bob"), 1);
	ck_assert(said("server: bob is not logged in\n"));
	ck_assert_int_eq(RUN("ctl", "kick", "alice", "line\nbreak"), 1);
	ck_assert(said("without control characters"));
	peer_expect_nothing(alice);
	ck_assert_int_eq(RUN("ctl", "kick", "ALICE", "be nice"), 0);
	ck_assert(said("ended 1 session of ALICE\n"));
	ck_assert(span_eq(peer_expect(alice, RELAY_FORCED_LOGOUT), span_str("be nice")));
	peer_expect_end(alice);
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}
END_TEST

START_TEST(no_server)
{
	struct harness *h = harness_new();

	ck_assert_int_eq(RUN("ctl", "stop"), 1);
	ck_assert(said("server: no server is running on "));
	harness_free(h);
}
END_TEST

/* A client of the control socket that stalls or lies holds nobody up for long. */
START_TEST(control_socket_bad_clients)
{
	static const struct {
		const char *bytes;
		size_t n;
	} lies[] = {{"\xff\xff\xff\x7f", 4},
		    {"\x04\0\0\0\xff\xff\xff\xff", 8},
		    {"\0\0\0\0", 4},
		    {"\x08\0\0\0\x01\0\0\0\xff\xff\xff\xff", 12},
		    {"GET / HTTP/1.0\r\n\r\n", 18}};
	struct sockaddr_un a = {AF_UNIX, "server/control.sock"};
	struct harness *h = harness_start(NULL);
	int fd, stalling;

	ck_assert_int_eq(chdir(h->data), 0); /* its whole path may be too long for a */
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
		ck_assert_int_eq(write(fd, lies[i].bytes, lies[i].n), (ssize_t)lies[i].n);
		close(fd);
	}
	stalling = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(stalling, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(RUN("ctl", "stats"), 0);
	close(stalling);
	harness_free(h);
}
END_TEST

/* ---- reload ---- */

START_TEST(reload)
{
	struct harness *h = harness_start(NULL);
	struct peer *alice;

	harness_add_users(h, "alice", NULL);
	alice = peer_login(h, "alice");
	put(h, "server/server.conf", "[relay]\ncodes = distinct\n");
	ck_assert_int_eq(RUN("ctl", "reload"), 0);
	ck_assert(said("reloaded\n"));
	peer_expect_nothing(alice); /* she keeps what she logged in with */
	peer_send_bare(alice, RELAY_LOGOUT);
	peer_expect_end(alice);
	peer_free(alice);
	alice = peer_login_distinct(h, "alice");
	/* A mistake changes nothing, not even the good lines. */
	put(h, "server/server.conf", "[relay]\ncodes = document\nenrol = perhaps\n");
	ck_assert_int_eq(RUN("ctl", "reload"), 1);
	ck_assert(
	    said("server: nothing was changed: ") &&
	    said("server.conf:3: relay.enrol must be yes or no, not \"perhaps\"\n"));
	peer_expect_nothing(alice);
	peer_free(alice);
	alice = peer_login_distinct(h, "alice");
	peer_free(alice);
	/* What only a restart changes is said. */
	put(h, "server/server.conf",
	    "[relay]\ncodes = distinct\n[store]\nmax_open_logs = 7\n");
	ck_assert_int_eq(RUN("ctl", "reload"), 0);
	ck_assert(said("only a restart applies it: store.max_open_logs\n"));
	harness_free(h);
}
END_TEST

START_TEST(reload_certificates)
{
	struct harness *h = harness_start(NULL);
	struct buf cert = BUF_INIT(1 << 16);
	struct peer *alice;

	harness_add_users(h, "alice", NULL);
	alice = peer_login(h, "alice");
	ck_assert(harness_read(h, "server/cert.pem", &cert));
	put(h, "server/cert.pem", "rubbish");
	put(h, "server/server.conf", "[relay]\ncodes = distinct\n");
	ck_assert_int_eq(RUN("ctl", "reload"), 1);
	ck_assert(said("/server/cert.pem holds no certificate in PEM"));
	peer_expect_nothing(alice);
	peer_free(alice);
	harness_write(h, "server/cert.pem", buf_span(&cert));
	alice = peer_login(h, "alice"); /* the codes have not changed either */
	ck_assert_int_eq(RUN("ctl", "reload"), 0);
	peer_expect_nothing(alice);
	peer_free(alice);
	alice = peer_login_distinct(h, "alice");
	peer_free(alice);
	buf_free(&cert);
	harness_free(h);
}
END_TEST

START_TEST(hangup)
{
	struct harness *h = harness_start(NULL);
	struct peer *alice;

	harness_add_users(h, "alice", NULL);
	alice = peer_login(h, "alice");
	put(h, "server/server.conf", "[relay]\ncodes = distinct\n");
	ck_assert_int_eq(kill(h->pid, SIGHUP), 0);
	HARNESS_UNTIL(harness_logged(h, "info reload note=\"\""));
	put(h, "server/server.conf", "nonsense\n");
	ck_assert_int_eq(kill(h->pid, SIGHUP), 0);
	HARNESS_UNTIL(harness_logged(h, "error reload-refused text="));
	peer_expect_nothing(alice);
	peer_free(alice);
	alice = peer_login_distinct(h, "alice");
	peer_free(alice);
	harness_free(h);
}
END_TEST

/* Log rotation: the file is moved away, HUP, and a new one is there; also when
 * the configuration cannot be read at that moment. */
START_TEST(log_rotation)
{
	struct harness *h = harness_new();
	char set[HARNESS_PATH + 64], log[HARNESS_PATH + 32], moved[HARNESS_PATH + 32];

	snprintf(log, sizeof(log), "%s/q.log", h->dir);
	snprintf(moved, sizeof(moved), "%s/q.log.0", h->dir);
	snprintf(set, sizeof(set), "log.file=%s", log);
	harness_boot(h, set, NULL);
	ck_assert_int_eq(access(log, R_OK), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(rename(log, moved), 0);
		ck_assert_int_eq(kill(h->pid, SIGHUP), 0);
		HARNESS_UNTIL(access(log, R_OK) == 0);
		put(h, "server/server.conf", "nonsense\n");
	}
	ck_assert(!harness_logged(h, " start version=")); /* nothing on standard error */
	harness_free(h);
}
END_TEST

START_TEST(reloads_at_once)
{
	struct harness *h = harness_start(NULL);

	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(kill(h->pid, SIGHUP), 0);
		if (i % 5 == 0)
			ck_assert_int_eq(RUN("ctl", "reload"), 0);
	}
	ck_assert(harness_alive(h));
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("admin");
	TCase *c = harness_case(s, "admin");

	tcase_add_loop_test(c, users, 0, 2);
	tcase_add_test(c, key_and_remove_end_sessions);
	tcase_add_test(c, enrolment_code);
	tcase_add_test(c, data_directories);
	tcase_add_test(c, check);
	tcase_add_test(c, sessions_kick_say_stats);
	tcase_add_test(c, no_server);
	tcase_add_test(c, control_socket_bad_clients);
	tcase_add_test(c, reload);
	tcase_add_test(c, reload_certificates);
	tcase_add_test(c, hangup);
	tcase_add_test(c, log_rotation);
	tcase_add_test(c, reloads_at_once);
	return harness_main(s);
}
