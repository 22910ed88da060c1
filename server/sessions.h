/* SPDX-License-Identifier: MIT
 *
 * sessions.h - the table of all sessions: by number, by user, by address.
 *
 * Any thread; one mutex, held for a few lines.  The table holds a reference to
 * each session in it.
 */
#ifndef SERVER_SESSIONS_H
#define SERVER_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/name.h"

struct protocol;
struct session;
struct sessions;

enum qerr sessions_new(struct sessions **out);
void sessions_free(struct sessions *t); /* it must be empty; NULL is fine */
/* From here on call fn(arg, user, online) whenever the first session of a user logs in or
 * the last one is logged in no more, in that order, with the table's lock held: fn takes
 * leaves alone.  NULL: call nothing any more. */
void sessions_watch(struct sessions *t,
		    void (*fn)(void *arg, const char *user, bool online), void *arg);

/* Ask may(arg, user) at every login, with the table's lock held: it takes leaves alone.
 * Set before there are sessions. */
void
sessions_guard(struct sessions *t, bool (*may)(void *arg, const char *user), void *arg);

/* How many there may be; 0: any number. */
struct sessions_limits {
	size_t total;
	size_t per_address;
	size_t per_address_before_login; /* of these, not logged in */
	const char **reached; /* NULL, or where Q_LIMIT puts the setting's name */
};
/* Number s and enter it (the table takes a reference).  Q_LIMIT: it would be one
 * too many; Q_NOMEM. */
enum qerr
sessions_add(struct sessions *t, struct session *s, const struct sessions_limits *limits);
/* How one that nobody is logged in to counts for its address; it begins as a stranger.
 * What is in no table any more counts as nothing. */
enum session_counting {
	COUNT_STRANGER, /* among per_address_before_login */
	COUNT_VISITOR,  /* not there: it has shown what it wants, and has no login */
	COUNT_PART      /* nor in per_address: it is part of one that is counted */
};
void sessions_count_as(struct sessions *t, struct session *s, enum session_counting how);
/* How many of the address of s count in per_address. */
size_t sessions_of_address(struct sessions *t, struct session *s);
/* Take s out, logged in or not.  Again: nothing. */
void sessions_remove(struct sessions *t, struct session *s);

enum login_rule {
	LOGIN_REPLACE, /* the older session of that user and protocol must go */
	LOGIN_REFUSE,  /* Q_EXISTS when there is one that has not ended */
	LOGIN_ADD      /* any number */
};
/* s, which is in the table, now belongs to user (as registered).  With
 * LOGIN_REPLACE *older is a session (a reference) that the caller ends, or NULL;
 * it has lost its place in the table in the same moment, so that of two logins at
 * once exactly one stays.  Q_EXISTS; Q_DENIED: the guard refuses the user, whatever the
 * rule.  Who makes it refuse does so first and then ends the user's sessions: nobody
 * slips in between. */
enum qerr sessions_login(struct sessions *t, struct session *s, const char *user,
			 enum login_rule rule, struct session **older);
/* It no longer does (the connection may go on).  Not logged in: nothing. */
void sessions_logout(struct sessions *t, struct session *s);

/* A reference to the session with that id, or NULL. */
struct session *sessions_find(struct sessions *t, uint64_t id);
/* A reference to the session behind s by number (s NULL: the first one), of user (NULL:
 * of all sessions, logged in or not), or NULL.  Consumes the reference to s, so that this
 * is a walk, without memory and with no lock held over what is done with each:
 *	for (s = sessions_next(t, user, NULL); s != NULL; s = sessions_next(t, user, s))
 * A session that comes meanwhile is met too, because its number is higher. */
struct session *sessions_next(struct sessions *t, const char *user, struct session *s);
/* A NULL-terminated array of references: the logged-in sessions of user in
 * protocol (NULL: any); with user NULL all sessions of protocol (NULL: all).
 * Free with sessions_list_free.  NULL: no memory. */
struct session **sessions_list(struct sessions *t, const char *user,
			       const struct protocol *protocol, size_t *count);
void sessions_list_free(struct session **list); /* NULL is fine */
/* The same for many users at once, a few dozen sessions a call, with one hold of the
 * lock.  *w begins as {0} and remembers where to go on; 0: that was all. */
struct sessions_walk {
	size_t user;    /* index */
	uint64_t after; /* sessions of that user up to here were had */
};
struct sessions_found {
	struct session *session; /* a reference */
	size_t user;             /* index in users */
};
size_t sessions_of(struct sessions *t, const char (*users)[NAME_SIZE], size_t n,
		   const struct protocol *protocol, struct sessions_walk *w,
		   struct sessions_found *out, size_t max);
size_t sessions_count(struct sessions *t);
/* Is user logged in anywhere? */
bool sessions_online(struct sessions *t, const char *user);
/* s's user, "" when it is not logged in; for threads that did not find s by its
 * user and are not its worker. */
void sessions_user(struct sessions *t, struct session *s, char out[NAME_SIZE]);

#endif
