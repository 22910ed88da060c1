/* SPDX-License-Identifier: MIT
 *
 * contacts: 117, and who is a user already.  Each account that is really made costs the
 * server a hash of some 10 ms, so few are.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/contacts_play.h"

static struct play *s;

#define TEN "0123456789"

START_TEST(register_then_log_in)
{
	s = play_start("", NULL);
	PLAY(s, "> 117 Hans meinPasswort123 hans@example.org m", "< 222 400",
	     /* which does not log in */
	     "> 112", "< 211 407", "> 110 hans wrong-one", "< 212 406 hans",
	     "> 110 hans meinPasswort123", "< 212 400 Hans",
	     /* allowed while logged in, and in any case of letters one user */
	     "> 117 hANS meinPasswort123 \"\" \"\"", "< 222 403",
	     "> 117 andi \"ein Passwort\" \"\" \"\"", "< 222 400", "> 112", "< 214 0",
	     "< 216", "x> 110 ANDI \"ein Passwort\"", "x< 212 400 andi", "x> 120",
	     "x< 228 400", "x< 229 1", "x< 230 Hans", "x< 231");
	play_end(s);
}
END_TEST

/* What an account is made of is there for the administrator. */
START_TEST(account_is_stored)
{
	struct buf said = BUF_INIT(1 << 16);

	s = play_start("", NULL);
	PLAY(s, "> 117 eva \"vier und mehr\" eva@example.org \"w / d\"", "< 222 400");
	ck_assert_int_eq(
	    harness_command(play_harness(s), &said, "user", "show", "eva", NULL), 0);
	ck_assert_ptr_nonnull(memmem(said.p, said.len, "eva@example.org", 15));
	ck_assert_ptr_nonnull(memmem(said.p, said.len, "w / d", 5));
	ck_assert_ptr_null(memmem(said.p, said.len, "vier und mehr", 13));
	ck_assert(!harness_logged(play_harness(s), "vier und mehr"));
	buf_free(&said);
	harness_admin(play_harness(s), "check", NULL);
	play_end(s);
}
END_TEST

START_TEST(names_that_are_none)
{
	s = play_start("alice", NULL);
	PLAY(s, "> 117 \"\" geheim-123 \"\" \"\"", "< 222 401",
	     "> 117 .hans geheim-123 \"\" \"\"", "< 222 401",
	     "> 117 -hans geheim-123 \"\" \"\"", "< 222 401",
	     "> 117 ../hans geheim-123 \"\" \"\"", "< 222 401",
	     "> 117 \"ha ns\" geheim-123 \"\" \"\"", "< 222 401",
	     "> 117 j\xc3\xb6rg geheim-123 \"\" \"\"", "< 222 401",
	     "> 117 " TEN TEN TEN "abc geheim-123 \"\" \"\"", "< 222 401",
	     /* 401 before 402 before 403 */
	     "> 117 .hans short \"\" \"\"", "< 222 401", "> 117 alice short \"\" \"\"",
	     "< 222 402", "> 117 alice geheim-123 \"\" \"\"", "< 222 403",
	     "> 117 ALICE geheim-123 \"\" \"\"", "< 222 403",
	     "> 117 " TEN TEN TEN "ab geheim-123 \"\" \"\"", "< 222 400");
	play_end(s);
}
END_TEST

START_TEST(passwords_of_every_length)
{
	char p384[385], step[512];

	s = play_start("", NULL);
	memset(p384, 'p', 384);
	p384[384] = '\0';
	PLAY(s, "> 117 a \"\" \"\" \"\"", "< 222 402", "> 117 a 1234567 \"\" \"\"",
	     "< 222 402", "> 117 a 12345678 \"\" \"\"", "< 222 400", "> 110 a 12345678",
	     "< 212 400 a");
	snprintf(step, sizeof(step), "> 117 b %sp \"\" \"\"", p384);
	PLAY(s, step, "< 222 402");
	snprintf(step, sizeof(step), "> 117 b %s \"\" \"\"", p384);
	PLAY(s, step, "< 222 400");
	snprintf(step, sizeof(step), "b> 110 b %s", p384);
	PLAY(s, step, "b< 212 400 b");
	play_end(s);
}
END_TEST

/* "" or as long as they may be. */
START_TEST(email_and_gender)
{
	char email[255], step[512];

	s = play_start("", NULL);
	memset(email, 'e', 254);
	email[254] = '\0';
	snprintf(step, sizeof(step), "> 117 a 12345678 %s " TEN TEN TEN "ab", email);
	PLAY(s, step, "< 222 400");
	snprintf(step, sizeof(step), "> 117 b 12345678 %se m", email);
	PLAY(s, step, "< 211", "> 117 b 12345678 \"\" " TEN TEN TEN "abc", "< 211");
	play_end(s);
}
END_TEST

START_TEST(registering_switched_off)
{
	s = play_start("alice", "contacts.register=no", NULL);
	PLAY(s, "> 117 hans geheim-123 \"\" \"\"", "< 222 413", "> 117 hans", "< 211",
	     "> 110 hans geheim-123", "< 212 406 hans", "alice: login", "alice> 121 hans",
	     "alice< 232 410");
	play_end(s);
}
END_TEST

START_TEST(accounts_per_hour)
{
	s = play_start("", "limits.accounts=2", NULL);
	PLAY(s, "> 117 a geheim-123 \"\" \"\"", "< 222 400",
	     /* what is no account does not count */
	     "> 117 a geheim-123 \"\" \"\"", "< 222 403", "> 117 .x geheim-123 \"\" \"\"",
	     "< 222 401", "x> 117 b geheim-123 \"\" \"\"", "x< 222 400",
	     "> 117 c geheim-123 \"\" \"\"", "< 222 413", "x> 117 d geheim-123 \"\" \"\"",
	     "x< 222 413", "> 110 a geheim-123", "< 212 400 a", "> 121 c", "< 232 410");
	play_end(s);
}
END_TEST

START_TEST(trusted_addresses_are_not_counted)
{
	s = play_start("", "limits.accounts=1", "limits.trust=127.0.0.0/8", NULL);
	PLAY(s, "> 117 a geheim-123 \"\" \"\"", "< 222 400",
	     "> 117 b geheim-123 \"\" \"\"", "< 222 400");
	play_end(s);
}
END_TEST

/* Many who want the same name at once: one gets it. */
START_TEST(one_name_for_one)
{
	struct line_peer *p[10];
	int made = 0;

	s = play_start("", "limits.login_failures=100", NULL);
	for (int i = 0; i < 10; i++) {
		p[i] = line_connect(play_harness(s), "somebody");
		line_say(p[i], "117 hans password-%d \"\" \"\"", i);
	}
	for (int i = 0; i < 10; i++) {
		struct span answer = line_expect(p[i]);
		bool mine = span_eq(answer, span_str("222 400"));

		ck_assert(mine || span_eq(answer, span_str("222 403")));
		made += mine;
		line_say(p[i], "110 hans password-%d", i);
		line_hear(p[i], mine ? "212 400 hans" : "212 406 hans");
		line_free(p[i]);
	}
	ck_assert_int_eq(made, 1);
	harness_admin(play_harness(s), "check", NULL);
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts register");
	TCase *tc = harness_case(suite, "register");

	tcase_add_test(tc, register_then_log_in);
	tcase_add_test(tc, account_is_stored);
	tcase_add_test(tc, names_that_are_none);
	tcase_add_test(tc, passwords_of_every_length);
	tcase_add_test(tc, email_and_gender);
	tcase_add_test(tc, registering_switched_off);
	tcase_add_test(tc, accounts_per_hour);
	tcase_add_test(tc, trusted_addresses_are_not_counted);
	tcase_add_test(tc, one_name_for_one);
	return harness_main(suite);
}
