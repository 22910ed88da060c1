/* SPDX-License-Identifier: MIT
 *
 * log.h - one line an event, to standard error or a file:
 *
 *   2026-11-21T09:34:05.123+01:00 info login conn=7 proto=relay addr=... user=alice
 *
 * Local time with zone, level, event, then key=value pairs.  Values from peers
 * are made visible (base/text.h) and quoted where they hold spaces.  Passwords,
 * tokens, keys and message text never go into a log.  Any thread; a line is one
 * write(2).
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include "base/err.h"
#include "server/session.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Open (or open again) the target; file "" is standard error.  A file above
 * max_size (0: no cap) is renamed to FILE.1 and begun anew.  On failure the old
 * target stays. */
enum qerr
log_open(const char *file, enum log_level level, int64_t max_size, struct why *why);
/* Open the same file again, as log rotation wants (SIGHUP). */
enum qerr log_reopen(struct why *why);
void log_close(void);

/* Write "event" and the pairs.  s (may be NULL) adds conn, proto, addr and user;
 * only its worker, or whoever knows that its login is over, may pass it.
 * fmt makes the rest of the line: "key=%s key=%d"; the log puts a %s into quotes
 * where it needs them (see log_line.h for what fmt may hold). */
void log_event(enum log_level level, const struct session *s, const char *event,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same at most once a minute for each event and source address; the next
 * line that passes says how many were left out. */
void log_limited(enum log_level level, const struct address *source,
		 const struct session *s, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* The same for a sentence that has no source: "event text=...", at most once a minute for
 * each event and sentence.  Another sentence is never left out for it. */
void log_sentence(enum log_level level, const char *event, const char *text);

#endif
