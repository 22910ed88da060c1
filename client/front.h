/* SPDX-License-Identifier: MIT
 *
 * front.h - what the fronts have in common: what a command does, what is said about an
 * event, how the connection ended.  A front reads keys or lines, and places lines:
 *
 *	command_parse -> front_do -> keep_do
 *	event -> front_event: heard(event), then place(its words)
 *
 * plain.c places them on standard output, screen.c in its history.
 */
#ifndef CLIENT_FRONT_H
#define CLIENT_FRONT_H

#include "client/command.h"
#include "client/keep.h"
#include "client/words.h"

struct front {
	/* the front's, before front_open */
	void (*place)(void *arg, const struct words *line);
	void (*heard)(void *arg, const struct client_event *e); /* may be NULL */
	void *arg;
	/* ours */
	struct keep *keep;
	const struct client_protocol *protocol;
	bool logged_in;     /* now */
	bool leaving;       /* /quit, or the end of the input */
	bool refused;       /* what was to be done last */
	char save_as[4096]; /* of /save; "": as its sender calls it */
	struct buf list;    /* names of the list that is coming in */
	enum qerr end;      /* how it ended */
	struct why why;
};

/* Begin to connect; errors as client_new. */
enum qerr front_open(struct front *f, const struct target *target,
		     const struct client_protocol *protocol,
		     const struct client_login *login, struct why *why);
void front_close(struct front *f); /* fine after a front_open that failed */

/* The loop, as with keep.h. */
const struct client_view *front_view(const struct front *f);
bool front_over(const struct front *f);
int front_fd(const struct front *f);
short front_poll_events(const struct front *f);
int64_t front_deadline(const struct front *f);
void front_step(struct front *f, short revents);
size_t front_waiting(const struct front *f);
/* As client_do, without a word. */
enum qerr front_ask(struct front *f, enum client_verb verb, struct span arg);

/* Any command but COMMAND_WAIT, which is a matter of scripts, COMMAND_HELP, which each front
 * places in its own way, and those of the full screen. */
void front_do(struct front *f, const struct command *c);
/* Log out; front_forget: and forget what would log in again without being asked. */
void front_leave(struct front *f);
void front_forget(struct front *f);
/* And do not wait for the server's answer to that any longer. */
void front_give_up(struct front *f);
/* Place a line of our own. */
void front_say(struct front *f, enum words_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
