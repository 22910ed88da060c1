/* SPDX-License-Identifier: MIT
 *
 * shared.h - the hub's shared chats: what contacts and board have in common.  A message
 * is stored once and told to every session of both members, whichever protocol each
 * speaks; what somebody missed is in the chat's file.
 *
 * Order: everybody is told one chat's messages in the order of the file.  Appends of
 * several senders run side by side (with durability "always" they share an fdatasync);
 * telling is put into the file's order by a queue in the chat, without a lock held over
 * the disk or over a session.
 *
 * The room: protocols that know who looks at a chat right now (board) say so here.  Then
 * there are counts of what is new, and what a user was shown in the room is not delivered
 * again by protocols that deliver (contacts).
 *
 * A struct shared_chat is counted; it holds the open log.  Any thread, no lock held by
 * the caller.
 */
#ifndef SERVER_SHARED_H
#define SERVER_SHARED_H

#include "protocol/image_kind.h"
#include "server/server.h"
#include "server/session.h"
#include "store/chats.h"
#include "store/media.h"
#include "store/record.h"

struct shared;
struct shared_chat;

/* The server has its store, chats and sessions by now.  Q_NOMEM. */
enum qerr shared_open(struct server *server, struct shared **out, struct why *why);
/* Every chat has been given back.  NULL is fine. */
void shared_close(struct shared *sh);

/* chats_create, counted and logged as a deed of s. */
enum qerr shared_chat_make(struct session *s, const char *maker, const char *other,
			   uint64_t anons_id, struct chat_info *out);
/* The chat, a reference.  Q_MISSING; Q_DENIED, Q_NOMEM, Q_SYS. */
enum qerr shared_chat_get(struct shared *sh, uint64_t id, struct shared_chat **out);
struct shared_chat *shared_chat_ref(struct shared_chat *c);
void shared_chat_unref(struct shared_chat *c); /* NULL is fine */
/* Its maker_gone and other_gone may be old: ask shared_chat_member. */
const struct chat_info *shared_chat_info(const struct shared_chat *c);
/* Is user one of the two, and not just of the same name as one who was removed?  And who
 * is the other one (user has to be, or have been, one)? */
bool shared_chat_member(const struct shared_chat *c, const char *user);
const char *shared_chat_partner(const struct shared_chat *c, const char *user);

struct blob; /* server/engineio/bundle.h */

/* A picture or file of a message, for those who are told while its sender still has it at
 * hand.  It is in the store under the message's media_id. */
struct shared_media {
	enum image_kind kind; /* IMAGE_NONE: a file that is no picture */
	struct blob *content; /* borrowed: blob_ref what is to stay */
};

/* Write down in info, for media_add, what the content is, and whether info.name is what
 * its sender calls it (which may be ""). */
void shared_media_note(struct media_info *info, enum image_kind kind, bool named);
/* What it was found to be; of media that nobody has looked at the content is read.  Errors
 * of media_read. */
enum qerr
shared_media_kind(struct shared *sh, const struct media_info *info, enum image_kind *out);
/* Do so many pictures wait for clients that no more should be taken or given out now? */
bool shared_media_full(void);
#define SHARED_MEDIA_NAME_SIZE (MEDIA_NAME_MAX + 1)
/* What a picture is called: as its sender does, else "media-ID.EXTENSION". */
void shared_media_name(const struct media_info *info, enum image_kind kind,
		       char out[SHARED_MEDIA_NAME_SIZE]);

/* What somebody says.  Kinds in the log: "msg" (text), "media" and "image" (data is
 * "MEDIAID text", so that one record is one message).  An image is nothing but a picture,
 * and its text what its sender calls it; media come with a message. */
struct shared_post {
	struct span text;                 /* any UTF-8, line breaks too */
	uint64_t media_id;                /* 0: none */
	const struct shared_media *media; /* borrowed; NULL when media_id is 0 */
	bool image;
	/* filled in: */
	uint64_t id;     /* in the chat's file, rises by 1 */
	int64_t time_ms; /* rises strictly within the chat, from before a restart too */
};
/* Store n posts of from (a member) with one append, then tell: every session of both
 * members gets one EVENT_MESSAGES with all of them through its protocol's deliver, also
 * `origin` (may be NULL), which knows itself by event.sender.  May wait for its turn while
 * others' earlier posts are told; touched sessions are left for the caller's next
 * outbox_flush_touched.
 *
 * Q_OK: all are stored and told.  Q_CLOSED: the chat was deleted.  Q_FORMAT: a text is
 * not UTF-8; Q_LIMIT: longer than a record may be; Q_FULL, Q_DENIED, Q_NOMEM, Q_SYS.
 * Without Q_OK nothing was stored and posts are unchanged, but for what msglog_append
 * says of Q_SYS with durability "always": then they are in the file, whether for good
 * nobody knows; they have ids, and have been told like others, because whoever reads
 * the file meets them. */
enum qerr shared_post(struct shared *sh, struct shared_chat *c, const char *from,
		      struct session *origin, struct shared_post *posts, size_t n);

/* A message as it is read back or told. */
struct shared_message {
	uint64_t id;
	int64_t time_ms;
	char from[NAME_SIZE];
	struct span text;
	uint64_t media_id;
	const struct shared_media *media; /* NULL: look into the store */
	bool image;
};
/* Take a chat's record apart; text stays borrowed from it.  Q_FORMAT: not a message. */
enum qerr shared_message_parse(const struct record *r, struct shared_message *out);
/* Up to max messages with id > after, oldest first (constant cost, msglog.h), each with
 * m valid during the call, no lock held.  Fewer than max mean that there are no more,
 * or that each returned false to stop.  Q_CLOSED: deleted; Q_NOMEM, Q_SYS. */
enum qerr shared_read(struct shared_chat *c, uint64_t after, size_t max,
		      bool (*each)(void *arg, const struct shared_message *m), void *arg);
/* The newest id, 0: none.  Errors as for shared_read. */
enum qerr shared_last(struct shared_chat *c, uint64_t *id);
/* The id of the last message from time_ms or before, 0: none (bisects). */
enum qerr shared_id_at(struct shared_chat *c, int64_t time_ms, uint64_t *id);

/* As chats_forget, for chats that are in use, too: from here on nothing is told to the
 * user's name, nor is it written down what was shown to it.  May wait for posts and
 * writing that have begun. */
enum qerr shared_forget(struct shared *sh, const char *user);

/* Delete chat, messages and media for both; every session of both members but origin
 * gets EVENT_CHAT_DELETED, after the last message that it was told.  Whoever still holds
 * the chat gets Q_CLOSED from it.  Q_MISSING: another was quicker; Q_FULL, Q_NOMEM,
 * Q_SYS: it is still there. */
enum qerr shared_delete(struct shared *sh, struct shared_chat *c, struct session *origin);

/* ---- the room (shared_room.c, shared_count.c, shared_save.c) ---- */
/* Counting reads what the chat's file had before this object first told something, and
 * the tally's file (tally.h) does not say yet: about a thousand records, or what came in
 * the last second before a crash; the whole file only where there is no tally.  Then
 * nothing, as long as the chat is in use. */

/* Who comes and goes does so between these two: one at a time in one chat, so that what is
 * told about it has the order in which it happened.  The first may wait, and count; no
 * lock held.  In between nothing may block. */
void shared_room_begin(struct shared_chat *c);
void shared_room_end(struct shared_chat *c);
/* One more connection of user (a member) enters: true, if it is the user's first. */
bool shared_enter(struct shared_chat *c, const char *user);
/* One leaves, to which messages up to `shown` (0: none) were told in the room: true, if it
 * was the last.  What is told from the next instruction on counts as new.  Also with the
 * lock held that keeps that connection from being told. */
bool shared_leave(struct shared_chat *c, const char *user, uint64_t shown);
/* User was shown messages from..to in the room.  Never blocks. */
void shared_shown(struct shared_chat *c, const char *user, uint64_t from, uint64_t to);
struct shared_count {
	uint64_t all;
	uint64_t fresh; /* of others, stored after the user last left the room; 0 in it */
	uint64_t upto;  /* the last message that is counted here; 0: none */
};

/* How many messages there are.  Counts; errors as for shared_read. */
enum qerr
shared_counts(struct shared_chat *c, const char *user, struct shared_count *out);
/* All of that is written down about once a second, and when the chat is used no more.
 * What should not wait: */
/* What was shown so far in this chat is in the store when this returns, if it can be
 * written: for who asks the store next.  No lock held. */
void shared_settle(struct shared *sh, uint64_t chat);
/* Also how many messages there are and were seen: for who acknowledges next that somebody
 * left.  May count; no lock held.  Q_OK also when there is nothing to be written or the
 * chat was deleted; Q_FULL, Q_DENIED, Q_NOMEM, Q_SYS: it is tried again in a second. */
enum qerr shared_save(struct shared_chat *c);

#endif
