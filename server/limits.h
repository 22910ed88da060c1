/* SPDX-License-Identifier: MIT
 *
 * limits.h - how often something may be done, the same for all protocols
 * (docs/protocols/README.md, "Fair limits").
 *
 * Each kind of thing has a bucket of tokens a user, or an address where there is no
 * user yet: so many at once, then so many a minute or an hour (limits.*).  A user's
 * bucket is one whichever protocols and however many connections it comes by, and it
 * survives a new login.  It always fills again: who is refused is told after how many
 * seconds the same thing will be granted, and being refused costs nothing.  Until then
 * one token is refused all the same, so that what a client has sent in one go stays in
 * its order when it sends the refused rest again.  limits.trust exempts addresses.
 * Failed logins are throttle.h's.
 *
 * What goes between two people who have agreed to it, in relay's chats and nodes' calls,
 * is not counted: the receiver slows it down, and can end it.
 *
 * A protocol asks right before it does the thing, when all else that could refuse it was
 * checked, and answers a refusal in its own words.
 */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct limits;
struct purse;
struct session;

enum limit {
	/* a user's */
	LIMIT_MESSAGE, /* a message: said, edited, deleted, pinned; not for the muted */
	LIMIT_JOIN,    /* a chat, room or call opened; each person added, or asked; not
			* for the muted */
	LIMIT_KEY,     /* a chat key: as messages, but for everybody */
	LIMIT_ENTER,   /* a room entered, to read: as joins, but for everybody */
	LIMIT_SEARCH,  /* a look among all users, announcements or nodes */
	/* an address's */
	LIMIT_ACCOUNT, /* an account that somebody makes, whichever way */
	LIMIT_SIGNUP,  /* of these, by rooms' SIGNUP */
	LIMIT_PICTURE, /* a captcha drawn */
	LIMIT_ENROL,   /* an enrolment with a wrong proof */
	LIMIT_COUNT
};

/* What a session keeps at hand so that a message costs no look-up; zero is right. */
struct limits_grip {
	struct purse *purse;
	atomic_bool in_use; /* a thread is in limits_take */
};

struct limits *limits_new(void);    /* NULL: no memory */
void limits_free(struct limits *l); /* no session is left; NULL is fine */

#define LIMITS_MUTED 0 /* for seconds */

/* Take many (1 or more) of what, for s's user, or for its address when it has not logged
 * in or what is an address's.  By one thread at a time (asserted), which is the one that
 * logs s in and out: its worker, or for a seat of Engine.IO the one whose turn it is
 * (engineio/sio.h).  True: granted.  False: nothing was taken; *seconds (1 or more; may
 * be NULL) is how long to wait, or LIMITS_MUTED: the user is muted (moderation.h, which
 * has the words); counted, and logged once per address and minute.  More
 * than there may be at once are granted when nothing is missing, and are paid for
 * afterwards.  Without memory it grants. */
bool limits_take(struct session *s, enum limit what, int64_t many, int *seconds);

/* The setting that says how many at once, "limits.messages": for logs and refusals. */
const char *limits_setting(enum limit what);
/* s is being freed. */
void limits_let_go(struct session *s);

#endif
