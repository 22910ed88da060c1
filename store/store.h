/* SPDX-License-Identifier: MIT
 *
 * store.h - the data directory: opening it, its one writer, its durability.
 *
 *   DIR/server/    key.pem ca-key.pem cert.pem ca.pem enroll-code server.conf
 *                  lock control.sock
 *   DIR/users/     name            "key: value" lines            (users.h)
 *   DIR/uins/      N               the name that has UIN N       (users.h)
 *   DIR/pems/      NAME.pem        public keys                   (users.h)
 *   DIR/messages/  CHAT.log        append-only records           (msglog.h)
 *   DIR/chats/     pairs.log       who shares which chat         (chats.h)
 *   DIR/contacts/  contacts.log    who is whose contact          (relations.h)
 *   DIR/media/     ID ID.info      pictures and files            (media.h)
 *   DIR/queue/     NAME            how far a user has read       (positions.h)
 *   DIR/anons/     ID              announcements                 (anons.h)
 *   DIR/tokens/    NAME            what stands for passwords     (tokens.h)
 *   DIR/chatkeys/  NAME            keys of a user's devices      (chatkeys.h)
 *   DIR/restrictions/ NAME        who is banned or muted         (restrictions.h)
 *   DIR/emails/    HASH            who has this e-mail address   (users.h)
 *   DIR/rooms/     rooms.log ...   rooms of many                 (rooms.h)
 *   DIR/files/     ROOM.MSG        large contents in rooms       (rooms.h)
 *   DIR/seen/      NAME            how far a user is in rooms    (rooms.h)
 *   DIR/tallies/   ID              unread counts of shared chats (tally.h)
 *   DIR/nodes/     NAME.pem        other servers that are admitted (node_certs.h)
 *   DIR/bad/       what was found damaged, set aside with the date in its name
 *   DIR/snapshot/  while a backup is made                        (snapshot.h)
 *
 * One process writes: it holds a lock (fcntl) on DIR/server/lock as long as
 * the store is open.  A file that is replaced is written under a temporary
 * name, fsynced, renamed, and its directory fsynced.  A kill at any instant
 * leaves the old file or the new one.  A temporary file that a kill left behind
 * was never acknowledged: opening the store moves it to DIR/bad.
 *
 * A struct store may be used by any number of threads.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/bytes.h"

enum store_durability {
	STORE_ALWAYS,   /* acknowledge after a group fdatasync */
	STORE_INTERVAL, /* fdatasync every interval_ms, acknowledge before */
	STORE_NEVER     /* leave it to the kernel */
};

struct store_options {
	enum store_durability durability;
	int interval_ms;   /* for STORE_INTERVAL, 1..60000 */
	int max_open_logs; /* descriptors that message logs may hold at once, 1.. */
	/* Called, from any thread and without a lock of the store held, with one
	 * sentence for each thing that was repaired, set aside or could not be
	 * written (NULL: nobody is told).  It must not call back into the store. */
	void (*report)(void *arg, const char *sentence);
	void *report_arg;
};
#define STORE_OPTIONS_DEFAULT                         \
	{                                             \
		STORE_INTERVAL, 1000, 256, NULL, NULL \
	}

struct store;

/* Open dir, making it and its folders (mode 0700) when they are missing, and
 * take its lock.  Q_EXISTS: another process has it open (why names its pid when
 * known); Q_DENIED, Q_FULL, Q_NOMEM, Q_MISSING (dir's parent), Q_SYS.  why is
 * one sentence. */
enum qerr store_open(const char *dir, const struct store_options *opt, struct store **out,
		     struct why *why);
/* Sync what is not yet synced, stop the syncer, drop the lock.  All logs must
 * have been closed.  NULL is fine. */
void store_close(struct store *s);
/* The directory's path, as given to store_open. */
const char *store_dir(const struct store *s);
/* New durability for what follows (a configuration reload). */
void store_set_durability(struct store *s, enum store_durability d, int interval_ms);
/* fdatasync everything that was appended so far, whatever the durability.
 * Blocks.  What cannot be forced to the disk is reported. */
void store_sync(struct store *s);

/* ---- small files under DIR/server ---- */
/* Read DIR/server/name whole into out (append).  Q_MISSING, Q_LIMIT (out's
 * max), Q_DENIED, Q_NOMEM, Q_SYS. */
enum qerr store_server_read(struct store *s, const char *name, struct buf *out);
/* Replace it atomically.  mode is 0600 for secrets, 0644 otherwise. */
enum qerr
store_server_write(struct store *s, const char *name, struct span content, unsigned mode);
/* Move it to DIR/bad, for a person to look at, and report that with the reason. */
enum qerr store_server_set_aside(struct store *s, const char *name, const char *reason);

#endif
