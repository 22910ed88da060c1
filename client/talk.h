/* SPDX-License-Identifier: MIT
 *
 * talk.h - what contacts.c and its talk_*.c share: the machine, and what they offer
 * each other.
 */
#ifndef CLIENT_TALK_H
#define CLIENT_TALK_H

#include "client/protocol.h"
#include "client/unsent.h"
#include "protocol/contacts.h"

#define ANSWER_MS 60000 /* passwords are hashed a few at a time */
#define ASKS_MAX  4096  /* requests under way */
/* 115, a ChatID and quotes around it must fit a line too. */
#define TALK_TEXT_MAX (CONTACTS_LINE_MAX - 64)
#define FILES_MAX     64                /* files to be looked at */
#define NEWS_MAX      256               /* 233s to be looked at */
#define FILE_CALLED   256               /* bytes kept of what a file is called */
#define UNREAD_BYTES  (8 * 1024 * 1024) /* kept of one chat */

/* A request under way. */
struct talk_ask {
	int code;
	bool shown;    /* the one that a person waits for */
	uint64_t chat; /* 114, 115 */
	size_t times;  /* 122: so many in a row */
};

struct talk_chat {
	uint64_t id;
	char partner[NAME_SIZE]; /* "": not known yet */
	bool listed;             /* in the list that is coming in */
	unsigned lists;          /* that were asked for to learn its partner */
	int64_t newest_ms;       /* of what has come */
	int64_t shown_ms;
	int64_t seen_ms; /* what the server was told of shown_ms */
	size_t unread;
	size_t told;     /* of unread, the person knows of so many */
	bool full;       /* some are counted, but not kept */
	struct buf kept; /* of unread: time, file id, length, text */
};

/* A file that was mentioned in a message. */
struct talk_file {
	uint64_t id;
	char from[NAME_SIZE];
	uint8_t called[FILE_CALLED];
	size_t called_len;
};

/* A name that 233, or our own 121, was about. */
struct talk_news {
	char name[NAME_SIZE];
	bool own;
};

struct talk {
	const struct client_env *env;
	bool logged_in;
	bool started; /* and the first list of chats is there */
	bool leaving, over;
	bool no_seen; /* this server does not know 122 */
	char name[NAME_SIZE];
	int64_t now_ms, deadline_ms;
	int64_t quiet_ms; /* when the server will have said nothing for too long */
	bool only_asked;  /* whether it is there; nothing else is under way */
	size_t out_left;  /* bytes to be sent when last looked at */
	size_t searched;  /* of the line that is coming in */
	struct buf scratch;

	struct talk_ask asks[ASKS_MAX]; /* a ring */
	size_t asks_first, asks_count;
	struct unsent unsent; /* for each 115 among them */
	struct buf answered;  /* what the 115 said that has just been answered, or "" */
	int list_step;        /* of the list that answers the first one */
	uint64_t list_count;

	/* what a person waits for */
	bool doing;
	enum client_verb verb;
	char doing_name[NAME_SIZE];
	struct talk_file doing_file;

	struct talk_chat *chats;
	size_t chat_count, chat_room;
	uint64_t open; /* 0: none */
	bool chats_asked;

	/* looked at, and to be looked at: the first *_asked are under way */
	struct talk_news news[NEWS_MAX];
	size_t news_count, news_asked;
	struct talk_file files[FILES_MAX];
	size_t files_count;
	bool file_asked;                   /* the first one */
	struct talk_file known[FILES_MAX]; /* files that were mentioned, a ring */
	size_t known_next;
};

/* ---- contacts.c ---- */
/* Send r and remember that it is to be answered.  Q_FULL: not now. */
enum qerr talk_ask(struct talk *m, const struct contacts_request *r, bool shown);
/* The same for one that has no arguments and nobody waits for; a failure is the end. */
void talk_ask_bare(struct talk *m, int code);
void talk_finish(struct talk *m, enum client_event_kind kind, const char *text);
void talk_log_in(struct talk *m);
/* What the person waited for is over. */
void
talk_done(struct talk *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void
talk_failed(struct talk *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Something went wrong that nobody waits for. */
void
talk_refuse(struct talk *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* status as an answer to code about name: a sentence, or its end. */
void talk_reason(int code, int status, const char *name, char *out, size_t size);

/* The server said what it must not: the end. */
void talk_broken(struct talk *m);

/* ---- talk_do.c ---- */
enum qerr
talk_do(struct talk *m, enum client_verb verb, struct span arg, struct why *why);

/* ---- talk_people.c ---- */
/* One of our contacts; the list is complete.  shown: a person asked for it. */
void talk_on_contact(struct talk *m, bool shown, const struct contacts_reply *r);
void talk_on_contacts_end(struct talk *m);
/* 233. */
void talk_on_confirm_add(struct talk *m, const struct contacts_reply *r);
/* There is something about name; own: because we asked. */
void talk_news_add(struct talk *m, const char *name, bool own);
/* Look it up. */
void talk_news_settle(struct talk *m);

/* ---- talk_answer.c ---- */
void talk_on_line(struct talk *m, struct span line);

/* ---- talk_chat.c ---- */
void talk_chats_free(struct talk *m);
struct talk_chat *talk_chat_find(struct talk *m, uint64_t id);
struct talk_chat *talk_chat_with(struct talk *m, const char *name);
/* Make it known; NULL: no memory, which is the end. */
struct talk_chat *talk_chat_add(struct talk *m, uint64_t id);
void talk_chat_drop(struct talk *m, struct talk_chat *c);
/* Show what waits in it and all that comes from now on. */
void talk_chat_open(struct talk *m, struct talk_chat *c);
void talk_chat_close(struct talk *m, const char *reason);
void talk_on_message(struct talk *m, const struct contacts_reply *r);
/* Tell the person of unread messages, and the server of those that were shown. */
void talk_chats_settle(struct talk *m);
/* The list of chats begins, names one, is complete. */
void talk_on_chats(struct talk *m);
void talk_on_chat(struct talk *m, const struct contacts_reply *r);
void talk_on_chats_end(struct talk *m);

/* ---- talk_file.c ---- */
/* A message of from mentions the file; describe it as soon as it can be looked at. */
void
talk_file_mentioned(struct talk *m, uint64_t id, const char *from, struct span called);
/* Look at the next one. */
void talk_files_settle(struct talk *m);
void talk_on_file(struct talk *m, bool shown, const struct contacts_reply *r);
/* 219 for a file. */
void talk_file_sent(struct talk *m);
/* arg: an id. */
enum qerr talk_do_save(struct talk *m, struct span arg, struct why *why);
/* arg: see CLIENT_DO_SEND. */
enum qerr talk_do_send(struct talk *m, struct span arg, struct why *why);

#endif
