/* SPDX-License-Identifier: MIT
 *
 * check_priv.h - between check.c, check_log.c, check_chats.c, check_anons.c,
 * check_nodes.c, check_rooms.c and check_media.c.
 */
#ifndef STORE_CHECK_PRIV_H
#define STORE_CHECK_PRIV_H

#include "store/check.h"
#include "store/store_priv.h"

struct check {
	struct store *store;
	bool repair;
	void (*say)(void *arg, const char *sentence);
	void *arg;
	struct check_result *result;
	struct rooms *rooms; /* likewise */
	struct chats *chats; /* as of the last look at the journal; NULL: none yet */
};

/* Tell a problem.  No lock may be held. */
void check_say(struct check *c, bool repaired, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A file that is no good: moved to bad/ when that was asked for, and said. */
void check_bad_file(struct check *c, enum store_folder folder, const char *name,
		    const char *reason);
/* A file that could not be looked at. */
void check_unreadable(struct check *c, enum store_folder folder, const char *name,
		      enum qerr e);
/* The log (of messages, or a journal) in folder/name.log. */
void check_log(struct check *c, enum store_folder folder, const char *name);
/* A chat that is deleted while its folder is listed loses its files before the journal
 * says so: asked after the journal was read, this tells them from what was left behind. */
bool check_still_there(struct check *c, enum store_folder folder, const char *file);

/* ---- check_chats.c ---- */
/* Was the log of this name left without its chat?  c->chats is loaded when it is
 * first needed, and again when the journal has grown. */
bool check_chat_orphan(struct check *c, const char *log);
/* Is there such a chat, or one whose files are still to be removed?  Likewise. */
bool check_chat_known(struct check *c, uint64_t id);
void check_chats_fini(struct check *c);
bool check_tally_file(void *arg, const char *file); /* arg is the struct check */

/* ---- check_anons.c; arg is the struct check ---- */
bool check_anons_file(void *arg, const char *file);

/* ---- check_nodes.c; arg is the struct check ---- */
bool check_nodes_file(void *arg, const char *file);
/* When all were seen: are there more than are looked at? */
void check_nodes_count(struct check *c);

/* ---- check_rooms.c; arg is the struct check ---- */
/* Was the log of this name left without its room? */
bool check_room_orphan(struct check *c, const char *log);
/* What else the messages in a room's log need. */
void check_room_log(struct check *c, const char *log);
bool check_rooms_file(void *arg, const char *file);
bool check_files_file(void *arg, const char *file);
bool check_seen_file(void *arg, const char *file);
bool check_tokens_file(void *arg, const char *file);
bool check_chatkeys_file(void *arg, const char *file);
bool check_restrictions_file(void *arg, const char *file);
bool check_email_file(void *arg, const char *file);
void check_rooms_fini(struct check *c);

/* ---- check_media.c; arg is the struct check ---- */
bool check_media_file(void *arg, const char *file);
bool check_queue_file(void *arg, const char *file);

#endif
