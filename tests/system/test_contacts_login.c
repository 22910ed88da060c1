/* SPDX-License-Identifier: MIT
 *
 * contacts: who gets in, once, and what somebody outside may do.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "server/addresses.h"
#include "tests/system/contacts_play.h"
#include "tests/system/harness_run.h"
#include "tests/system/relay_peer.h"
#include "tests/system/tls_peer.h"

static struct play *s;

/* ---- in and out ---- */

START_TEST(log_in_and_out)
{
	s = play_start("Alice bob", NULL);
	PLAY(s, "> 110 alice wrong", "< 212 406 alice", "> 110 nobody geheim-123",
	     "< 212 406 nobody", "> 110 ../alice geheim-123", "< 212 406 ../alice",
	     /* the source's own example says 100 */
	     "> 100 ALICE geheim-123", "< 212 400 Alice",
	     /* 404 comes before 406 */
	     "> 110 bob geheim-123", "< 212 404 bob", "> 110 alice wrong",
	     "< 212 404 alice", "> 112", "< 214 0", "< 216", "> 111", "< 213 400",
	     "> 111", "< 213 407", "> 112", "< 211 407",
	     /* again on the same connection, as somebody else */
	     "> 110 bob geheim-123", "< 212 400 bob", "> 111", "< 213 400",
	     "> 110 alice geheim-123", "< 212 400 Alice", ": nothing");
	play_end(s);
}
END_TEST

START_TEST(not_logged_in)
{
	s = play_start("alice bob", NULL);
	PLAY(s, "> 111", "< 213 407", "> 112", "< 211 407", "> 113 bob", "< 217 407",
	     "> 114 1", "< 218 407", "> 115 1 hello", "< 219 407",
	     "> 115 1 data:image/png;base64,AAAA", "< 219 407", "> 118", "< 223 407",
	     "> 119 1", "< 227 407", "> 120", "< 228 407", "> 121 bob", "< 232 407",
	     "> 122 1 1447934844123", /* has no answer at all */
	     "> 123 bob", "< 234 407", "> 121 nobody", "< 232 407");
	play_end(s);
}
END_TEST

START_TEST(no_event_after_logout)
{
	s = play_start("alice bob", NULL);
	play_befriend(s, "alice", "bob");
	PLAY(s, "bob>   111", "bob<   213 400", "alice> 115 1 one", "alice< 219 400",
	     "alice> 123 bob", "alice< 234 400", "alice> 121 bob", "alice< 232 400",
	     "bob:   nothing", "bob>   110 bob geheim-123", "bob<   212 400 bob",
	     "bob<   233 alice", "bob<   220 1 1447934844001 one", "bob:   nothing");
	play_end(s);
}
END_TEST

/* ---- one login per user ---- */

START_TEST(second_login_is_405)
{
	s = play_start("Alice", NULL);
	PLAY(s, "> 110 alice geheim-123", "< 212 400 Alice",
	     /* 406 comes before 405, which tells a stranger nothing */
	     "x> 110 alice wrong", "x< 212 406 alice", "x> 110 aLICE geheim-123",
	     "x< 212 405 aLICE", ": nothing", "x> 112", "x< 211 407", "> 111",
	     "< 213 400", "x> 110 alice geheim-123", "x< 212 400 Alice");
	play_end(s);
}
END_TEST

/* A connection that has ended makes room, however it did. */
START_TEST(new_login_after_the_old_connections_end)
{
	s = play_start("alice", NULL);
	for (int i = 0; i < 20; i++)
		PLAY(s, "alice: login", "alice: reset", "alice: login", "alice: close",
		     "alice: login", "alice: close");
	play_end(s);
}
END_TEST

START_TEST(new_login_after_half_a_close)
{
	s = play_start("alice", NULL);
	PLAY(s, "alice: login", "alice> 112", "alice< 214 0", "alice< 216");
	shutdown(play_peer(s, "alice")->fd, SHUT_WR);
	PLAY(s, "x> 110 alice geheim-123", "x< 212 400 alice", "alice: end");
	play_end(s);
}
END_TEST

/* The old connection ends while the new one already waits: at most 2 s. */
START_TEST(the_old_connection_ends_meanwhile)
{
	struct line_peer *x;

	s = play_start("alice", NULL);
	PLAY(s, "alice: login");
	x = play_peer(s, "x");
	line_say(x, "110 alice %s", PLAY_PASSWORD);
	ck_assert(!line_readable(x));
	PLAY(s, "alice: reset", "x< 212 400 alice", "x: nothing");
	play_end(s);
}
END_TEST

/* While one waits, what it has shown stops being right. */
START_TEST(the_user_goes_meanwhile)
{
	struct line_peer *x;
	struct span line;

	s = play_start("alice", NULL);
	PLAY(s, "alice: login");
	x = play_peer(s, "x");
	line_say(x, "110 alice %s", PLAY_PASSWORD);
	ck_assert(!line_readable(x));
	harness_admin(play_harness(s), "user", "remove", "alice", NULL);
	PLAY(s, "alice: end");
	line = line_expect(x);
	if (span_eq(line, span_str("212 400 alice"))) {
		/* In before the user was gone, and out again with them. */
		while (line_next(x, &line))
			continue;
		PLAY(s, "x: close");
	} else {
		/* 405 where the command took longer than anybody waits. */
		ck_assert(span_eq(line, span_str("212 406 alice")) ||
			  span_eq(line, span_str("212 405 alice")));
		PLAY(s, "x> 112", "x< 211 407");
	}
	play_end(s);
}
END_TEST

START_TEST(many_logins_at_once)
{
	struct line_peer *p[20];
	int in = 0;

	s = play_start("alice", NULL);
	for (int i = 0; i < 20; i++) {
		p[i] = line_connect(play_harness(s), "somebody");
		line_say(p[i], "110 alice %s", PLAY_PASSWORD);
	}
	for (int i = 0; i < 20; i++) {
		struct span answer = line_expect(p[i]);

		in += span_eq(answer, span_str("212 400 alice"));
		ck_assert_uint_eq(answer.len, strlen("212 400 alice"));
	}
	ck_assert_int_eq(in, 1);
	for (int i = 0; i < 20; i++)
		line_free(p[i]);
	PLAY(s, "alice: login");
	play_end(s);
}
END_TEST

/* ---- wrong passwords ---- */

START_TEST(fifth_wrong_password_closes)
{
	int64_t before;

	s = play_start("alice", NULL);
	/* Four do not, and a right one makes them forgotten. */
	for (int i = 0; i < 3; i++)
		PLAY(s, "> 110 alice wrong", "< 212 406 alice", "> 110 nobody wrong",
		     "< 212 406 nobody", "> 110 alice geheim-123", "< 212 400 alice",
		     "> 111", "< 213 400");
	for (int i = 0; i < 5; i++)
		PLAY(s, "> 110 alice wrong", "< 212 406 alice");
	PLAY(s, ": end");
	/* The next failure of that user from here waits half a second. */
	before = clock_mono_ms();
	PLAY(s, "> 110 alice wrong", "< 212 406 alice");
	ck_assert_int_ge(clock_mono_ms() - before, 450);
	/* The right password does not, and clears the count. */
	PLAY(s, "x> 110 alice geheim-123", "x< 212 400 alice", "x> 111", "x< 213 400");
	before = harness_deadline(12000); /* would be 15 s */
	for (int i = 0; i < 4; i++)
		PLAY(s, "x> 110 alice wrong", "x< 212 406 alice");
	ck_assert_int_lt(clock_mono_ms(), before);
	PLAY(s, "x> 110 alice geheim-123", "x< 212 400 alice");
	play_end(s);
}
END_TEST

/* While one waits for the answer to a wrong password, nobody else does. */
START_TEST(waiting_hurts_nobody_else)
{
	s = play_start("alice bob", NULL);
	for (int i = 0; i < 5; i++)
		PLAY(s, "> 110 alice wrong", "< 212 406 alice");
	PLAY(s, ": end");
	for (int i = 0; i < 3; i++) /* 0.5 s, 1 s, 2 s */
		PLAY(s, "> 110 alice wrong", "< 212 406 alice");
	PLAY(s, "> 110 alice wrong", "bob: login", "bob: logout");
	ck_assert(!line_readable(play_peer(s, ""))); /* it has 4 s */
	PLAY(s, "< 212 406 alice");
	play_end(s);
}
END_TEST

/* What could not be anybody's name is a stranger of its own. */
START_TEST(no_name_is_not_slowed_by_others)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f",
					    "g", "h", "i", "j", "k", "l"};
	struct line_peer *p;
	int64_t before;

	s = play_start("alice", NULL);
	for (int i = 0; i < 12; i++) {
		p = line_connect(play_harness(s), names[i]);
		line_say(p, "110 %s wrong", names[i]);
		ck_assert_uint_eq(line_expect(p).len, strlen("212 406 x"));
		line_free(p);
	}
	before = harness_deadline(7000); /* would be 8 s */
	PLAY(s, "> 110 ../alice wrong", "< 212 406 ../alice");
	ck_assert_int_lt(clock_mono_ms(), before);
	play_end(s);
}
END_TEST

/* ---- the administrator ---- */

/* server user passwd NAME, with the new password on standard input. */
static void
set_password(const char *name, const char *password)
{
	char command[3 * HARNESS_PATH];
	const char *argv[] = {"/bin/sh", "-c", command, NULL};
	struct harness_child child = {.argv = argv};
	struct buf said = BUF_INIT(1 << 16);
	int64_t deadline = harness_deadline(HARNESS_WAIT);
	pid_t pid;
	int fd;

	snprintf(command, sizeof(command),
		 "echo '%s' | '%s' user passwd '%s' --data '%s'", password,
		 getenv("QUINTET_SERVER"), name, play_harness(s)->data);
	pid = harness_spawn(&child, &fd);
	while (harness_read_some(fd, &said, deadline) > 0)
		;
	if (harness_reap(pid, deadline) != 0)
		harness_fail("user passwd: %s", (const char *)said.p);
	buf_free(&said);
}

START_TEST(password_by_the_administrator)
{
	s = play_start("alice bob", NULL);
	PLAY(s, "bob: login", "> 110 alice geheim-123", "< 212 400 alice");
	set_password("ALICE", "ganz neu hier");
	/* Whoever knew the old one is out. */
	PLAY(s, ": end", "> 110 alice geheim-123", "< 212 406 alice",
	     "> 110 alice \"ganz neu hier\"", "< 212 400 alice", "bob: nothing");
	play_end(s);
}
END_TEST

START_TEST(kicked)
{
	s = play_start("alice bob", NULL);
	PLAY(s, "alice: login", "bob: login");
	harness_admin(play_harness(s), "ctl", "kick", "alice", NULL);
	PLAY(s, "alice: end", "bob: nothing", "alice: login");
	play_end(s);
}
END_TEST

/* ---- one identity ---- */

/* Somebody with a key exists, cannot be registered, and has no password. */
START_TEST(relay_user_is_taken)
{
	struct peer *relay;

	s = play_start("alice", NULL);
	harness_add_user(play_harness(s), "Petra", KEY_EC_P256);
	PLAY(s, "> 117 petra geheim-123 \"\" \"\"", "< 222 403",
	     "> 117 PETRA geheim-123 \"\" \"\"", "< 222 403", "> 110 petra geheim-123",
	     "< 212 406 petra", "alice: login", "alice> 120", "alice< 228 400",
	     "alice< 229 1", "alice< 230 Petra", "alice< 231", "alice> 121 petra",
	     "alice< 232 400");
	set_password("petra", "petras-eins");
	PLAY(s, "> 110 petra petras-eins", "< 212 400 Petra", "< 233 alice");
	/* 405 is for a second one in contacts; relay is another door. */
	relay = peer_login(play_harness(s), "petra");
	peer_expect_nothing(relay);
	PLAY(s, ": nothing", "x> 110 petra petras-eins", "x< 212 405 petra");
	PLAY(s, "> 111", "< 213 400", "> 110 petra petras-eins", "< 212 400 Petra",
	     "< 233 alice");
	peer_expect_nothing(relay);
	peer_free(relay);
	play_end(s);
}
END_TEST

/* ---- in the clear ---- */

START_TEST(cleartext_forbidden)
{
	s = play_start("alice", "contacts.cleartext=no", NULL);
	PLAY(s, "> 110 alice geheim-123", "< 211", ": end", "> 999", "< 211", ": end",
	     "alice: tls", "alice: login", "alice: nothing");
	play_end(s);
}
END_TEST

START_TEST(cleartext_on_this_machine)
{
	s = play_start("alice bob", "contacts.cleartext=loopback", NULL);
	PLAY(s, "alice: login", "bob: tls", "bob: login");
	ck_assert(!harness_logged(play_harness(s), "contacts.cleartext"));
	play_end(s);
}
END_TEST

/* The machine's own address on some network: what connects to it comes from it. */
START_TEST(cleartext_from_elsewhere)
{
	struct host_addresses own = {NULL, 0};
	struct harness *h = harness_new();
	struct line_peer *p;

	ck_assert_int_eq(addresses_of_host(false, &own), Q_OK);
	h->address = "0.0.0.0";
	harness_boot(h, "contacts.cleartext=loopback", NULL);
	play_add_users(h, "alice bob");
	s = play_with(h);
	PLAY(s, "alice: login");
	if (own.count == 0 || strchr(own.text[0], ':') != NULL) {
		printf("skipped: this machine has no IPv4 address but loopback\n");
		fflush(stdout);
	} else {
		p = line_connect_at(h, "bob", own.text[0]);
		line_say(p, "110 bob %s", PLAY_PASSWORD);
		line_hear(p, "211");
		line_hear_end(p);
		line_free(p);
		p = line_connect_at(h, "bob", own.text[0]);
		p->fd = tls_peer_wrap(h, p->fd);
		line_say(p, "110 bob %s", PLAY_PASSWORD);
		line_hear(p, "212 400 bob");
		line_free(p);
		HARNESS_UNTIL(harness_logged(h, "cleartext-refused"));
	}
	PLAY(s, "alice: nothing");
	addresses_free(&own);
	play_end(s);
}
END_TEST

START_TEST(cleartext_is_warned_of)
{
	s = play_start("", NULL);
	HARNESS_UNTIL(harness_logged(play_harness(s), "contacts.cleartext"));
	play_end(s);
}
END_TEST

START_TEST(contacts_switched_off)
{
	s = play_start("alice", "contacts.enabled=no", NULL);
	line_send_some(play_peer(s, ""), span_str("110 alice geheim-123\n"));
	PLAY(s, ": end");
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts login");
	TCase *tc = harness_case(suite, "login");

	tcase_add_test(tc, log_in_and_out);
	tcase_add_test(tc, not_logged_in);
	tcase_add_test(tc, no_event_after_logout);
	tcase_add_test(tc, second_login_is_405);
	tcase_add_test(tc, new_login_after_the_old_connections_end);
	tcase_add_test(tc, new_login_after_half_a_close);
	tcase_add_test(tc, the_old_connection_ends_meanwhile);
	tcase_add_test(tc, the_user_goes_meanwhile);
	tcase_add_test(tc, many_logins_at_once);
	tcase_add_test(tc, fifth_wrong_password_closes);
	tcase_add_test(tc, waiting_hurts_nobody_else);
	tcase_add_test(tc, no_name_is_not_slowed_by_others);
	tcase_add_test(tc, password_by_the_administrator);
	tcase_add_test(tc, kicked);
	tcase_add_test(tc, relay_user_is_taken);
	tcase_add_test(tc, cleartext_forbidden);
	tcase_add_test(tc, cleartext_on_this_machine);
	tcase_add_test(tc, cleartext_from_elsewhere);
	tcase_add_test(tc, cleartext_is_warned_of);
	tcase_add_test(tc, contacts_switched_off);
	return harness_main(suite);
}
