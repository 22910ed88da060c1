/* SPDX-License-Identifier: MIT
 *
 * command.h - a line as a person types it, to a command.  Pure; all fronts have
 * the same commands.
 */
#ifndef CLIENT_COMMAND_H
#define CLIENT_COMMAND_H

#include <stdint.h>

#include "base/bytes.h"

enum command_verb {
	COMMAND_TEXT, /* text: to be said */
	COMMAND_LIST,
	COMMAND_CHAT, /* text: the name */
	COMMAND_CHATS,
	COMMAND_CONTACTS,
	COMMAND_ADD,     /* text: the name */
	COMMAND_CONFIRM, /* text: the name */
	COMMAND_REMOVE,  /* text: the name */
	COMMAND_DELETE,  /* text: nothing, or a number and why */
	COMMAND_ROOM,    /* text: the room */
	COMMAND_CREATE,  /* text: all behind it, here and below; see protocol.h */
	COMMAND_CHANNEL,
	COMMAND_INVITE,
	COMMAND_PROMOTE,
	COMMAND_DEMOTE,
	COMMAND_RENAME,
	COMMAND_LEAVE,
	COMMAND_DROP,
	COMMAND_EDIT,
	COMMAND_PIN,
	COMMAND_SYNC,
	COMMAND_SEND, /* text: the file */
	COMMAND_SAVE, /* text: the id; file: where to, or empty */
	COMMAND_GET,  /* text: nothing, or a number */
	COMMAND_REFUSE,
	COMMAND_CANCEL, /* text: nothing, send or get */
	COMMAND_ACCEPT,
	COMMAND_DENY,
	COMMAND_END,
	COMMAND_TRUST,   /* text: the name */
	COMMAND_VERIFY,  /* text: nothing, yes or no */
	COMMAND_HISTORY, /* text: nothing, how many, a name, or both */
	COMMAND_CLEAR,   /* text: nothing, or a name */
	COMMAND_SEARCH,  /* text: perhaps nothing; this one and the next: of the screen */
	COMMAND_BELL,    /* text: nothing, on or off */
	COMMAND_VIEW,    /* text: nothing, or a name; of the screen too */
	COMMAND_PING,
	COMMAND_NODES,
	COMMAND_WAIT, /* wait, wait_ms */
	COMMAND_HELP,
	COMMAND_LOGOUT,
	COMMAND_QUIT
};

/* What a script can wait for. */
enum command_wait {
	WAIT_NOTHING,
	WAIT_REQUEST,   /* somebody asks */
	WAIT_CHAT,      /* the chat is ready */
	WAIT_CLOSED,    /* there is no chat, and none is being arranged */
	WAIT_MESSAGE,   /* one more message than was waited for so far */
	WAIT_LIST,      /* one more list than was waited for so far */
	WAIT_NOTICE,    /* one more notice than was waited for so far */
	WAIT_CONTACT,   /* one more has asked to be a contact, or become one */
	WAIT_UNREAD,    /* there are messages that were not shown yet */
	WAIT_FILE,      /* one more file has come */
	WAIT_SENT,      /* all that was said is stored (rooms) */
	WAIT_ROOM,      /* something more has happened to a room */
	WAIT_TRANSFER,  /* no file is on its way, and none of ours is to be answered */
	WAIT_DELIVERED, /* one more of our messages has been delivered */
	WAIT_GONE       /* the connection is over */
};

#define COMMAND_WAIT_MS     60000 /* unless the command says otherwise */
#define COMMAND_WAIT_MAX_MS (24 * 3600 * 1000)

struct command {
	enum command_verb verb;
	struct span text; /* borrowed from the line, as is file */
	struct span file;
	enum command_wait wait;
	int64_t wait_ms;
};

/* line is without its newline.  Q_FORMAT: it begins with '/' and is no command;
 * why is a sentence. */
enum qerr command_parse(struct span line, struct command *out, struct why *why);
/* The word after /wait. */
const char *command_wait_word(enum command_wait wait);
/* The word that the i-th command begins with; NULL behind the last one. */
const char *command_word(size_t i);
/* The commands and what they do, one a line, NULL at the end. */
extern const char *const command_help[];

#endif
