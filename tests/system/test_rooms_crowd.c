/* SPDX-License-Identifier: MIT
 *
 * A room of a thousand members, of whom some are there.  QUINTET_CROWD says how many, up
 * to all: that costs 28 s of a processor, most of it for the thousand keys that each of a
 * thousand has to hear of, and all tests together have three minutes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "tests/system/contacts_play.h"
#include "tests/system/rooms_talk.h"

#define MEMBERS   1000
#define MESSAGES  20
#define CROWD     200
#define CROWD_MAX MEMBERS

static struct rooms_peer *crowd[CROWD_MAX];

/* One of the users whose hash is cheap. */
static struct rooms_peer *
come_in(struct harness *h, const char *name)
{
	struct rooms_peer *p = rp_connect(h);
	char *pem = rp_make_pem(), *text = rp_escape(pem);

	rp_say(p,
	       "{'type':'LOGIN','data':{'id':'%s','password':'" PLAY_PASSWORD
	       "','save':false}}",
	       name);
	rp_hear_status(p, "CHAT_PUBKEY_MISSING");
	rp_say(p, "{'type':'CHAT_ENCRYPT_C','data':{'chat_pubkey':'%s'}}", text);
	rp_hear_status(p, "CHAT_PUBKEY_OK");
	free(text);
	free(pem);
	strlcpy(p->token, rp_text(rp_hear(p, "GEN_TOKEN"), "token"), sizeof(p->token));
	strlcpy(p->name, name, sizeof(p->name));
	rp_auth(p);
	(void)rp_hear(p, "QUEUE_END");
	return p;
}

static int
crowd_size(void)
{
	const char *said = getenv("QUINTET_CROWD");
	int n = said != NULL ? atoi(said) : CROWD;

	ck_assert_int_ge(n, 2);
	return n < CROWD_MAX ? n : CROWD_MAX;
}

/* Every message, or SENT in its place, in the room's order. */
static void
hear_all(struct rooms_peer *p)
{
	json_int_t last = 1;
	const char *type;

	for (int k = 0; k < MESSAGES; k++) {
		json_t *data = rp_next(p, &type);

		if (strcmp(type, "STATUS") == 0) {
			ck_assert_str_eq(rp_text(data, "sig"), "SENT");
			continue;
		}
		ck_assert_str_eq(rp_text(data, "action"), "recv");
		ck_assert_int_gt(rp_int(data, "seq"), last);
		last = rp_int(data, "seq");
	}
}

START_TEST(thousand_members)
{
	struct harness *h = rp_start("limits.per_address=2000", NULL);
	char *people = calloc(1, MEMBERS * 16), name[16];
	int n = crowd_size();
	struct rt_id room;
	json_t *data;

	for (int i = 0; i < MEMBERS; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		play_add_users(h, name);
		if (i < n)
			crowd[i] = come_in(h, name);
		if (i > 1)
			strcat(people, " ");
		if (i > 0)
			strcat(people, name);
	}
	room = rt_create(crowd[0], RT_GROUP, "Everybody", people);
	for (int i = 1; i < n; i++) {
		data = rp_hear(crowd[i], "JOIN_ROOM");
		ck_assert_uint_eq(json_array_size(json_object_get(data, "members")),
				  MEMBERS);
	}
	/* One more would be too many. */
	play_add_users(h, "late");
	rt_alter(crowd[0], room, "add", "'people': ['late']");
	rt_status(crowd[0], "MKROOM_TOO_MANY", room.text, NULL);
	for (int k = 0; k < MESSAGES; k++)
		rt_action(crowd[k % n], room, "send",
			  "'format': 'msg-text', 'content': '%d'", k);
	for (int i = 0; i < n; i++)
		hear_all(crowd[i]);
	rt_alter(crowd[0], room, "rename", "'name': 'All'");
	for (int i = 0; i < n; i++)
		(void)rt_altered(crowd[i], room, "rename", "u0");
	rt_alter(crowd[0], room, "delete", "%s", "");
	for (int i = 0; i < n; i++) {
		(void)rt_altered(crowd[i], room, "delete", "u0");
		rp_free(crowd[i]);
	}
	free(people);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rooms: a crowd");
	TCase *tc = harness_case(suite, "crowd");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, thousand_members);
	return harness_main(suite);
}
