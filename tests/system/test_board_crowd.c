/* SPDX-License-Identifier: MIT
 *
 * board: many connections of two users come and go in one room and write all at once.
 * Whatever happens in between, each connection that is logged in gets each message exactly
 * once, as chat-msg or as new-msg-notification, in the order of ids; as chat-msg what comes
 * from its join-chat-response until it has left, and what it wrote itself.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/board_play.h"

#define EACH   4  /* connections of a user */
#define STEPS  60 /* events that each of them sends */
#define PEOPLE (2 * EACH)

static struct board_play *s;

struct one {
	struct board_peer *p;
	char name[16], user[8];
	unsigned asked;    /* events that were sent, and */
	unsigned answered; /* responses to them */
	unsigned wrote;
	bool joined;
	bool leaving;   /* the room has been left, and the response is on its way */
	long long last; /* the newest message */
	unsigned heard;
};

static struct one all[PEOPLE];

/* The same events each time; their order between connections is the scheduler's. */
static uint32_t
dice(void)
{
	static uint32_t state = 4711;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static void
act(struct one *o)
{
	switch (dice() % 4) {
	case 0: BOARDF(s, "%s> join-chat $a,$c", o->name); break;
	case 1: BOARDF(s, "%s> leave-chat $a,$c", o->name); break;
	default:
		BOARDF(s, "%s> chat-msg $a,$c,'x'", o->name);
		o->wrote++;
		break;
	}
	o->asked++;
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void
hear_message(struct one *o, const char *text, bool live)
{
	long long id;
	char from[16];

	ck_assert_int_eq(
	    sscanf(strchr(text, ',') + 1, "%lld,%*d,%*d,\"%15[a-z]", &id, from), 2);
	/* The ids of a single chat have no gaps. */
	if (o->last != 0)
		ck_assert_int_eq(id, o->last + 1);
	o->last = id;
	o->heard++;
	/* In the room live, up to a moment before leave-chat-response; outside only what
	 * it wrote itself. */
	if (o->joined && !live)
		o->leaving = true;
	else if (o->joined)
		ck_assert(!o->leaving);
	else if (live)
		ck_assert_str_eq(from, o->user);
}

static void
hear(struct one *o)
{
	char text[256];
	struct span got;

	ck_assert(board_next(o->p, &got));
	snprintf(text, sizeof(text), "%.*s", (int)got.len, (const char *)got.p);
	if (begins(text, "2[\"chat-msg\"") ||
	    begins(text, "2[\"new-msg-notification\"")) {
		hear_message(o, text, text[3] == 'c');
	} else if (begins(text, "2[\"join-chat-response\"")) {
		ck_assert(strstr(text, "\"OK\"") != NULL && !o->leaving);
		o->joined = true;
		o->answered++;
	} else if (begins(text, "2[\"leave-chat-response\"")) {
		/* It fails where it was not joined. */
		ck_assert_int_eq(strstr(text, "\"OK\"") != NULL, o->joined);
		o->joined = o->leaving = false;
		o->answered++;
	} else if (begins(text, "2[\"chat-response\"")) {
		ck_assert(begins(text, "2[\"chat-response\",1,"));
		o->answered++;
	} else {
		ck_assert(begins(text, "2[\"user-"));
	}
}

START_TEST(everybody_each_once)
{
	unsigned written = 0;

	s = board_start("alice bob", NULL);
	board_deaf(s, "presence");
	BOARD(s, "alice/0: login", "alice/0> new-anons 'T','t'",
	      "alice/0< new-anons-response $a,'OK'", "alice/0< anons-added ...",
	      "bob/0: login", "bob/0> new-chat $a", "bob/0< new-chat-response $a,$c,'OK'",
	      "alice/0< chat-added ...");
	for (int i = 0; i < PEOPLE; i++) {
		struct one *o = &all[i];

		snprintf(o->user, sizeof(o->user), "%s", i % 2 == 0 ? "alice" : "bob");
		snprintf(o->name, sizeof(o->name), "%s/%d", o->user, i / 2);
		board_polls(s, i / 2 == EACH - 1);
		if (i >= 2)
			BOARDF(s, "%s: login", o->name);
		o->p = board_peer_of(s, o->name);
	}
	BOARD(s, "alice/0: nothing", "bob/0: nothing");
	for (int step = 0; step < STEPS; step++)
		for (int i = 0; i < PEOPLE; i++)
			act(&all[i]);
	for (int i = 0; i < PEOPLE; i++)
		written += all[i].wrote;
	for (int i = 0; i < PEOPLE; i++)
		while (all[i].answered < all[i].asked || all[i].heard < written)
			hear(&all[i]);
	for (int i = 0; i < PEOPLE; i++)
		ck_assert_int_eq(all[i].last, all[0].last);
	BOARD(s, "alice/0> get-user-chats");
	BOARDF(s, "alice/0< user-chats 1,[{'AllMsgs':%u}]", written);
	harness_admin(board_harness(s), "check", NULL);
	board_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_crowd");
	TCase *tc = harness_case(suite, "board_crowd");

	tcase_add_test(tc, everybody_each_once);
	return harness_main(suite);
}
