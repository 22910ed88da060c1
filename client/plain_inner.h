/* SPDX-License-Identifier: MIT
 *
 * plain_inner.h - what plain.c, the loop and the commands, and plain_event.c, what is
 * shown, have in common.
 */
#ifndef CLIENT_PLAIN_INNER_H
#define CLIENT_PLAIN_INNER_H

#include "client/client.h"
#include "client/command.h"
#include "client/lines.h"

struct plain {
	struct client *client;
	const struct client_protocol *protocol;
	struct lines lines;
	bool terminal; /* standard input is one */
	bool logged_in;
	bool leaving; /* /quit, or the end of the input */
	bool refused; /* a script's command */
	enum command_wait wait;
	int64_t wait_deadline_ms;
	bool chat_came;  /* a chat has become ready since it was last asked for */
	size_t messages; /* come, and not yet waited for */
	size_t lists;
	size_t notices;
	size_t contacts;
	size_t files;
	char save_as[4096]; /* of /save; "": as its sender calls it */
	struct buf list;    /* names of the list that is coming in */
	enum qerr end;      /* how it ended */
	struct why why;
};

/* Say that it was refused; a script remembers. */
void plain_refuse(struct plain *p, const char *sentence);
/* The client's events, on standard output; arg: the struct plain. */
void plain_event(void *arg, const struct client_event *e);

#endif
