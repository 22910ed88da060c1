/* SPDX-License-Identifier: MIT
 *
 * The rules of "Chat request", "End of chat" and "List", as scripts.
 *
 * A script is words; the first letter of a word is who acts (four seats with
 * the names ann, Bob, cid, dan):
 *   a+  enters      a?b  asks b     a=  accepts   a!  denies   a.  370
 *   a-  leaves      a~N  its timer fires at time N (requests lapse at 100)
 *   a#  the server cannot go on with what a is in              a*  list
 * The transcript is what was told to whom, in order; "A" is a second seat of
 * ann's, and "no" says that a call reported that nothing happened.
 */
#include "server/relay/switchboard.h"

#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAPSES_MS 100

static struct switchboard board;

struct seats {
	struct seat ann, bob, cid, dan, ann2;
};
static struct seats seats;
static char transcript[1024];

static struct seat *
seat_of(char who)
{
	switch (who) {
	case 'a': return &seats.ann;
	case 'b': return &seats.bob;
	case 'c': return &seats.cid;
	case 'd': return &seats.dan;
	default: return &seats.ann2;
	}
}

static char
letter(const struct seat *s)
{
	return s == &seats.ann   ? 'a'
	       : s == &seats.bob ? 'b'
	       : s == &seats.cid ? 'c'
	       : s == &seats.dan ? 'd'
				 : 'A';
}

static void
note(const char *text)
{
	if (transcript[0] != '\0')
		strncat(transcript, " ", sizeof(transcript) - strlen(transcript) - 1);
	strncat(transcript, text, sizeof(transcript) - strlen(transcript) - 1);
}

static void
record(void *arg, struct seat *to, enum tell what, struct seat *about)
{
	static const char *const words[] = {
	    [TELL_REQUESTED] = "asked",   [TELL_PEER_KEY] = "key",
	    [TELL_ACCEPTED] = "accepted", [TELL_DENIED] = "denied",
	    [TELL_CLOSED] = "closed",     [TELL_LEFT] = "left"};
	char line[64];

	ck_assert_ptr_eq(arg, &board);
	ck_assert(lock_held(&board.lock));
	snprintf(line, sizeof(line), "%c:%s(%c)", letter(to), words[what],
		 about == NULL ? '-' : letter(about));
	note(line);
}

static bool
list_all(void *arg, const char *name)
{
	(void)arg;
	note(name);
	return true;
}

static bool
list_two(void *arg, const char *name)
{
	int *left = arg;

	note(name);
	return --*left > 0;
}

static void
act(const char *word)
{
	static const char *const names[] = {"ann", "bOB", "CID", "dan"};
	struct seat *s = seat_of(word[0]);
	bool happened = true;

	lock_take(&board.lock);
	switch (word[1]) {
	case '+': switchboard_enter(&board, s, &board); break;
	case '-': switchboard_leave(&board, s, &board); break;
	case '?':
		happened = switchboard_request(
		    &board, s, word[2] == 'x' ? "nobody" : names[word[2] - 'a'],
		    LAPSES_MS, &board);
		break;
	case '=': happened = switchboard_accept(&board, s, &board); break;
	case '!': happened = switchboard_deny(&board, s, &board); break;
	case '.': happened = switchboard_end(&board, s, &board); break;
	case '#': happened = switchboard_break(&board, s, &board); break;
	case '~': happened = switchboard_lapse(&board, s, atoi(word + 2), &board); break;
	case '*': switchboard_list(&board, s, list_all, NULL); break;
	default: ck_abort_msg("bad word %s", word);
	}
	lock_drop(&board.lock);
	if (!happened)
		note("no");
}

static void
run_script(const char *script)
{
	char copy[256], *save, *word;

	snprintf(copy, sizeof(copy), "%s", script);
	for (word = strtok_r(copy, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		act(word);
}

static void
setup(void)
{
	switchboard_init(&board, record);
	seat_init(&seats.ann, "ann");
	seat_init(&seats.bob, "Bob");
	seat_init(&seats.cid, "cid");
	seat_init(&seats.dan, "dan");
	seat_init(&seats.ann2, "ANN");
	run_script("a+ b+ c+");
	transcript[0] = '\0';
}

static void
teardown(void)
{
	run_script("a- b- c- d- A-");
	switchboard_fini(&board);
}

static const struct {
	const char *rule, *script, *expected;
} rules[] = {
    {"accepter first, then requester", "a?b b=", "b:asked(a) b:key(a) a:accepted(b)"},
    {"denied", "a?b b! a?c", "b:asked(a) a:denied(b) c:asked(a)"},
    {"unknown", "a?x", "a:denied(-) no"},
    {"offline", "a?d d+ a?d", "a:denied(-) no d:asked(a)"},
    {"self", "a?a", "a:denied(-) no"},
    {"asked is busy", "a?b c?b", "b:asked(a) c:denied(-) no"},
    {"asker is busy", "a?b c?a", "b:asked(a) c:denied(-) no"},
    {"asker asks another", "a?b a?c", "b:asked(a) a:denied(-) no"},
    {"chatting is busy", "a?b b= c?a c?b a?c",
     "b:asked(a) b:key(a) a:accepted(b) c:denied(-) no c:denied(-) no a:denied(-) no"},
    {"crossed requests",
     "a?b b?a b=", "b:asked(a) b:denied(-) no b:key(a) a:accepted(b)"},
    {"self-accept changes nothing",
     "a?b a= a! b=", "b:asked(a) no no b:key(a) a:accepted(b)"},
    {"third party cannot answer",
     "a?b c= c! b=", "b:asked(a) no no b:key(a) a:accepted(b)"},
    {"answers without request", "a= a! b.", "no no no"},
    {"answers inside a chat", "a?b b= b= b! a= a!",
     "b:asked(a) b:key(a) a:accepted(b) no no no no"},
    {"withdrawn with 370", "a?b a. b= b?a", "b:asked(a) b:closed(a) no a:asked(b)"},
    {"370 of the asked one is a late one",
     "a?b b. b=", "b:asked(a) no b:key(a) a:accepted(b)"},
    {"asked leaves", "a?b b- a?c", "b:asked(a) a:denied(b) c:asked(a)"},
    {"asker leaves", "a?b a- c?b", "b:asked(a) b:closed(a) b:asked(c)"},
    {"chat ended by 370", "a?b b= a. a. b. c?b",
     "b:asked(a) b:key(a) a:accepted(b) a:left(b) b:closed(a) no no b:asked(c)"},
    {"chat ended by the accepter", "a?b b= b. c?a",
     "b:asked(a) b:key(a) a:accepted(b) b:left(a) a:closed(b) a:asked(c)"},
    {"chat ended by leaving", "a?b b= b- b- a?c",
     "b:asked(a) b:key(a) a:accepted(b) b:left(a) a:closed(b) c:asked(a)"},
    {"broken chat", "a?b b= b# b# c?b",
     "b:asked(a) b:key(a) a:accepted(b) b:closed(a) a:closed(b) no b:asked(c)"},
    {"broken request, by the asker",
     "a?b a# b=", "b:asked(a) a:denied(b) b:closed(a) no"},
    {"broken request, by the asked", "a?b b# a?b",
     "b:asked(a) b:closed(a) a:denied(b) b:asked(a)"},
    {"lapse", "a?b a~99 a~100 b= a?b",
     "b:asked(a) no a:denied(b) b:closed(a) no b:asked(a)"},
    {"lapse of an answered request", "a?b b= a~100 a?b b! a~100",
     "b:asked(a) b:key(a) a:accepted(b) no a:denied(-) no no no"},
    {"the asked one's timer is not the request's",
     "a?b b~100 b=", "b:asked(a) no b:key(a) a:accepted(b)"},
    {"replaced while free", "A+ b?a", "A:asked(b)"},
    {"replaced in a chat", "a?b b= A+ a. b?a",
     "b:asked(a) b:key(a) a:accepted(b) a:left(b) b:closed(a) no A:asked(b)"},
    {"replaced while asked", "b?a A+ a= A=", "a:asked(b) b:denied(a) no no"},
    {"replaced while asking", "a?b A+ b=", "b:asked(a) b:closed(a) no"},
    {"a replaced seat is nobody", "A+ a?b a= a- b?a", "a:denied(-) no no A:asked(b)"},
    {"list, in name order, without oneself", "d+ a* d* b*",
     "Bob cid dan ann Bob cid ann cid dan"},
    {"list has the free alone", "d+ a?b c* d* b= c* b. c*",
     "b:asked(a) dan cid b:key(a) a:accepted(b) dan b:left(a) a:closed(b) ann Bob dan"},
};

START_TEST(rule)
{
	run_script(rules[_i].script);
	ck_assert_msg(strcmp(transcript, rules[_i].expected) == 0, "%s: %s\n  not: %s",
		      rules[_i].rule, transcript, rules[_i].expected);
}
END_TEST

START_TEST(list_stops)
{
	int left = 2;

	act("d+");
	transcript[0] = '\0';
	lock_take(&board.lock);
	switchboard_list(&board, &seats.dan, list_two, &left);
	lock_drop(&board.lock);
	ck_assert_str_eq(transcript, "ann Bob");
}
END_TEST

/* ---- threads: whatever they do at once, the invariants hold ---- */

#define ACTORS 6
#define ROUNDS 20000

static struct seat crowd[ACTORS];
static long told[TELL_LEFT + 1]; /* [board.lock] */

static void
count(void *arg, struct seat *to, enum tell what, struct seat *about)
{
	(void)arg;
	(void)about;
	ck_assert(lock_held(&board.lock));
	ck_assert(to->present);
	told[what]++;
}

static void
check_crowd(void)
{
	static const enum seat_state faces[] = {[SEAT_ASKING] = SEAT_ASKED,
						[SEAT_ASKED] = SEAT_ASKING,
						[SEAT_CHATTING] = SEAT_CHATTING};

	for (size_t i = 0; i < ACTORS; i++) {
		const struct seat *s = &crowd[i];

		if (s->state == SEAT_FREE) {
			ck_assert_ptr_null(s->other);
			continue;
		}
		ck_assert(s->present);
		ck_assert_ptr_eq(s->other->other, s);
		ck_assert_int_eq(s->other->state, faces[s->state]);
	}
}

static void
act_at_random(struct seat *s, const char *name, unsigned what) REQUIRES(board.lock)
{
	if (!s->present)
		switchboard_enter(&board, s, NULL);
	else if (what < 6)
		switchboard_request(&board, s, name, LAPSES_MS, NULL);
	else if (what < 10)
		switchboard_accept(&board, s, NULL);
	else if (what < 11)
		switchboard_deny(&board, s, NULL);
	else if (what < 12)
		switchboard_lapse(&board, s, LAPSES_MS, NULL);
	else if (what < 13)
		switchboard_break(&board, s, NULL);
	else if (what < 14)
		switchboard_leave(&board, s, NULL);
	else
		switchboard_end(&board, s, NULL);
}

static void *
actor(void *arg)
{
	struct seat *s = arg;
	unsigned seed = (unsigned)(s - crowd) + 1;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned whom = (unsigned)rand_r(&seed) % ACTORS;
		unsigned what = (unsigned)rand_r(&seed) % 16;

		lock_take(&board.lock);
		act_at_random(s, crowd[whom].name, what);
		check_crowd();
		lock_drop(&board.lock);
	}
	return NULL;
}

START_TEST(threads)
{
	static const char *const names[ACTORS] = {"u0", "u1", "u2", "u3", "u4", "u5"};
	pthread_t tid[ACTORS];

	memset(told, 0, sizeof(told));
	switchboard_init(&board, count);
	for (size_t i = 0; i < ACTORS; i++)
		seat_init(&crowd[i], names[i]);
	for (size_t i = 0; i < ACTORS; i++)
		ck_assert_int_eq(pthread_create(&tid[i], NULL, actor, &crowd[i]), 0);
	for (size_t i = 0; i < ACTORS; i++)
		pthread_join(tid[i], NULL);
	lock_take(&board.lock);
	for (size_t i = 0; i < ACTORS; i++)
		switchboard_leave(&board, &crowd[i], NULL);
	lock_drop(&board.lock);
	ck_assert_int_gt(told[TELL_REQUESTED], 0);
	ck_assert_int_gt(told[TELL_ACCEPTED], 0);
	ck_assert_int_eq(told[TELL_ACCEPTED], told[TELL_PEER_KEY]);
	switchboard_fini(&board);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("switchboard");
	TCase *rules_case = tcase_create("rules"), *crowd_case = tcase_create("crowd");

	tcase_add_checked_fixture(rules_case, setup, teardown);
	tcase_add_loop_test(rules_case, rule, 0, (int)(sizeof(rules) / sizeof(rules[0])));
	tcase_add_test(rules_case, list_stops);
	suite_add_tcase(suite, rules_case);
	tcase_add_test(crowd_case, threads);
	suite_add_tcase(suite, crowd_case);
	return unit_main(suite);
}
