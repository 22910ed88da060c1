/* SPDX-License-Identifier: MIT
 *
 * keep.h - a client that comes back: client.h, with the same calls, around one
 * connection after another.
 *
 *	CONNECTING --login--> UP --lost--> WAITING --time--> CONNECTING ...
 *	     |                 |                                  |
 *	     | failed          | logged out, refused, ended       | refused, /quit
 *	     v                 v                                  v
 *	    OVER              OVER                               OVER
 *
 * It comes back only after it has been logged in once: who mistypes an address learns
 * so at once.  Then whatever looks like an accident is tried again (backoff.h): a
 * connection that broke or timed out, a server that stops, a host that is not found, a
 * login that is still taken by the connection that was lost.  A server that hangs up
 * instead of an answer to the login (relay) may have died at that moment: a few times in
 * a row.  What was decided is not tried again: a refused login, another CA, a session that an administrator or another login of the
 * same user has ended.
 *
 * What happens meanwhile is told with events: CLIENT_CHAT_CLOSED for the chat that broke
 * off, CLIENT_UNSENT for each message that may not have arrived, CLIENT_AWAY with the
 * reason and when the next attempt is; then CLIENT_CONNECTED and CLIENT_LOGGED_IN again,
 * and CLIENT_BACK, which names the partner of the chat that had broken off.  Where a chat
 * outlives the connection (contacts) it is opened again; where it takes two (relay) the
 * partner is not asked again unless the person wants so.  No message is sent a second
 * time by itself: nobody knows whether the first one has arrived.
 *
 * One thread.  keep_step may block while a host name is looked up.
 */
#ifndef CLIENT_KEEP_H
#define CLIENT_KEEP_H

#include "client/client.h"

enum keep_mode {
	KEEP_ONCE, /* as a client alone: the first loss is the end */
	KEEP_COMING_BACK
};

enum keep_state { KEEP_CONNECTING, KEEP_UP, KEEP_WAITING, KEEP_OVER };

struct keep;

/* As client_new; target and login are borrowed until keep_free. */
enum qerr
keep_new(const struct target *target, const struct client_protocol *protocol,
	 const struct client_login *login, enum keep_mode mode, client_event_fn *event,
	 void *event_arg, struct keep **out, struct why *why);
void keep_free(struct keep *k); /* NULL is fine */

enum keep_state keep_state(const struct keep *k);
/* KEEP_WAITING: when the next attempt begins, on the monotonic clock; else 0. */
int64_t keep_until(const struct keep *k);
/* KEEP_WAITING: begin it now. */
void keep_hurry(struct keep *k);

/* As those of client.h; keep_fd is -1 while there is no connection, which poll(2)
 * ignores. */
int keep_fd(const struct keep *k);
short keep_poll_events(const struct keep *k);
int64_t keep_deadline(const struct keep *k);
void keep_step(struct keep *k, short revents);
bool keep_over(const struct keep *k);
/* After CLIENT_DO_LOGOUT: do not wait for the server's answer any longer. */
void keep_give_up(struct keep *k);
/* While there is no login: Q_CLOSED, and nothing was done; a front keeps the line. */
enum qerr
keep_do(struct keep *k, enum client_verb verb, struct span arg, struct why *why);
/* While there is no login its phase is CLIENT_PHASE_CONNECTING. */
const struct client_view *keep_view(const struct keep *k);
size_t keep_waiting(const struct keep *k);

#endif
