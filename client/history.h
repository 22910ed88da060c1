/* SPDX-License-Identifier: MIT
 *
 * history.h - what was said, on our own disk and for our own eyes: a file a partner,
 * below the profile's folder, sealed under a key that only the user's long-term key
 * opens.  Off unless asked for (settings.h).
 *
 *	history/CA/alice/bob	(as in pins.h; mode 0600)
 *
 *	file	= "QHIST1\r\n" | u32 len | len bytes: the content key, wrapped
 *		  (crypto/wrap.h, labelled with CA and both names) | records
 *	record	= u32 len | 12 bytes iv | len bytes sealed | 16 bytes tag
 *		  AES-256-GCM under the content key; iv random; associated data:
 *		  where in the file the record begins, u64
 *	sealed	: i64 time, ms since 1970 | u8 0 theirs, 1 ours | text
 *
 * Integers are little-endian.  A record that was moved, or comes from another file,
 * does not open.  A torn one at the end, after a crash, is not there, and the next
 * message is written over it.  Several clients may append at once (flock(2)).
 *
 * Functions may block on the disk; one thread at a time.
 */
#ifndef CLIENT_HISTORY_H
#define CLIENT_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "client/profile.h"
#include "crypto/cert.h"
#include "crypto/key.h"

#define HISTORY_TEXT_MAX (1024 * 1024) /* bytes of one message */
#define HISTORY_SHOW     20            /* messages that /history shows by itself */
#define HISTORY_SHOW_MAX 100000

struct history;

struct history_entry {
	int64_t time_ms;
	bool ours;
	struct span text; /* as it came; a front shows it through text_visible */
};

/* The history of user, whose key is borrowed, at the server with this CA. */
enum qerr history_open(const struct profile *p, const struct cert *ca, const char *user,
		       struct key *key, struct history **out, struct why *why);
void history_close(struct history *h); /* wipes; NULL is fine */

/* Append.  When why is a sentence, nothing was.  Q_LIMIT: the text is too long, Q_DENIED:
 * the file is another key's, Q_FORMAT: it is damaged beyond one torn record. */
enum qerr history_add(struct history *h, const char *partner,
		      const struct history_entry *entry, struct why *why);
/* The last n (not 0) messages with partner, oldest first.  *damaged counts records among them
 * that do not open, and were left out.  Q_MISSING: nothing is kept. */
enum qerr history_each(struct history *h, const char *partner, size_t n,
		       void (*each)(void *arg, const struct history_entry *entry),
		       void *arg, size_t *damaged, struct why *why);
/* Remove it all.  Q_MISSING: nothing is kept. */
enum qerr history_clear(struct history *h, const char *partner, struct why *why);

#endif
