/* SPDX-License-Identifier: MIT
 *
 * rooms_talk.h - what tests of rooms say and expect again and again, on top of
 * rooms_peer.h.  Each fails the test when something else comes.
 */
#ifndef TESTS_SYSTEM_ROOMS_TALK_H
#define TESTS_SYSTEM_ROOMS_TALK_H

#include "tests/system/rooms_peer.h"

#define RT_DIRECT  0
#define RT_GROUP   1
#define RT_CHANNEL 2

struct rt_id {
	char text[37];
};

/* CREATE_ROOM with these people (names between single blanks), and ROOM_INFO. */
struct rt_id
rt_create(struct rooms_peer *p, int type, const char *name, const char *people);
/* The same, and JOIN_ROOM at each of the others, NULL at the end. */
struct rt_id rt_room(struct rooms_peer *p, int type, const char *people, ...)
    __attribute__((sentinel));
/* A JSON array of names between single blanks, in a static buffer. */
const char *rt_names(const char *people);

/* CHAT_ACTION send, and SENT: the message. */
struct rt_id rt_send(struct rooms_peer *p, struct rt_id room, const char *content);
/* The same for any action with data in rp_say's quotes; no answer is heard. */
void rt_action(struct rooms_peer *p, struct rt_id room, const char *action,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void rt_alter(struct rooms_peer *p, struct rt_id room, const char *action,
	      const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* CHAT_ACTION_S of that room and action: its data. */
json_t *rt_hear(struct rooms_peer *p, struct rt_id room, const char *action);
/* recv with that content; returns its seq. */
json_int_t
rt_recv(struct rooms_peer *p, struct rt_id room, const char *from, const char *content);
/* ROOM_ALTERED of that room and action by that user: its data. */
json_t *
rt_altered(struct rooms_peer *p, struct rt_id room, const char *action, const char *by);
/* STATUS sig; room and msg in it are those, or not there when NULL. */
void rt_status(struct rooms_peer *p, const char *sig, const char *room, const char *msg);
/* SENT: the message. */
struct rt_id rt_sent(struct rooms_peer *p);
/* An array of texts has exactly these, in order. */
void rt_list_is(const json_t *array, const char *names);
/* The names of info's members, in order. */
void rt_members_are(const json_t *info, const char *names);
/* Is a member of object null? */
bool rt_null(const json_t *object, const char *key);

/* n times 'x', malloc'ed. */
char *rt_long_text(size_t n);

/* One more connection of the same user: what waited was heard by check, or is none. */
struct rooms_peer *rt_again(const struct rooms_peer *p);

#ifndef ROOMS_TALK_INSIDE
#	define rt_create(...)  HARNESS_AT(rt_create(__VA_ARGS__))
#	define rt_room(...)    HARNESS_AT(rt_room(__VA_ARGS__))
#	define rt_send(...)    HARNESS_AT(rt_send(__VA_ARGS__))
#	define rt_hear(...)    HARNESS_AT(rt_hear(__VA_ARGS__))
#	define rt_recv(...)    HARNESS_AT(rt_recv(__VA_ARGS__))
#	define rt_altered(...) HARNESS_AT(rt_altered(__VA_ARGS__))
#	define rt_status(...)  HARNESS_AT(rt_status(__VA_ARGS__))
#	define rt_sent(...)    HARNESS_AT(rt_sent(__VA_ARGS__))
#	define rt_again(...)   HARNESS_AT(rt_again(__VA_ARGS__))
#endif

#endif
