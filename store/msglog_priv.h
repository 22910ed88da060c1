/* SPDX-License-Identifier: MIT
 *
 * msglog_priv.h - what the files of a message log share.
 *
 *   msglog.c         open, close, names
 *   msglog_table.c   the table of logs; which of them hold a descriptor
 *   msglog_file.c    opening the file, finding and mending its end
 *   msglog_append.c  appending
 *   msglog_blank.c   blank lines behind the end, to be written over
 *   msglog_group.c   appending and forcing to the disk, many callers at once
 *   msglog_read.c    finding a page and reading it
 *   syncer.c         forcing what was appended to the disk
 *
 * A struct msglog lives as long as somebody has it open, it holds a descriptor,
 * or it has something to sync; so a chat that is opened and closed for each
 * message costs a look-up, not a look at its file.
 */
#ifndef STORE_MSGLOG_PRIV_H
#define STORE_MSGLOG_PRIV_H

#include "store/gate.h"
#include "store/msglog.h"
#include "store/store_priv.h"

#define MSGLOG_SUFFIX    ".log"
#define MSGLOG_FILE_SIZE (MSGLOG_CHAT_MAX + sizeof(MSGLOG_SUFFIX))

/* A descriptor that readers and syncs go on using after the log has given it
 * up (for another log's sake, or because the file was rewritten). */
struct logfile {
	int fd;
	unsigned refs; /* [the log's lock] */
};

enum tail {
	TAIL_CLEAN,   /* behind `end` are blank lines at most */
	TAIL_SURPLUS, /* behind it are bytes of an append that failed */
	TAIL_TORN     /* behind it are bytes that were found at opening */
};

/* What one caller has to append, on its stack; n may be 0 for one who only waits
 * for the disk. */
struct batch {
	struct batch *next;
	struct record *r;
	size_t n;
	int64_t now_ms; /* for records without a time: */
	bool rising;    /* each gets a later one than the record before it has */
	enum qerr e;    /* how it went, and errno with it */
	int err;
};

/* Callers who want their records on the disk; see msglog_group.c.  Its lock is a
 * leaf, and held for moments only. */
struct group {
	struct lock lock;
	struct batch *first, **last; /* [lock] those who gather for the next turn */
	unsigned number;             /* [lock] of turns so far */
	bool busy;                   /* [lock] a leader is at work */
	pthread_cond_t idle;         /* the leader of the next turn, with lock */
	struct gate done[2];         /* opens at the end of even turns, of odd ones */
};

struct msglog {
	RB_ENTRY(msglog) by_name;     /* [logs] */
	TAILQ_ENTRY(msglog) in_open;  /* [logs] */
	TAILQ_ENTRY(msglog) in_dirty; /* [logs] */
	unsigned refs;                /* [logs] opens, and those who hold it briefly */
	bool is_open, is_dirty;       /* [logs] it is in that list */
	atomic_bool used;             /* since it was last looked at for closing */
	struct store *store;
	enum store_folder folder;

	struct lock lock;
	struct logfile *file; /* [lock] NULL: not open now */
	bool known;           /* [lock] what follows has been found */
	enum tail tail;       /* [lock] */
	uint64_t last_id;     /* [lock] */
	int64_t last_ms;      /* [lock] the time of the newest record */
	int64_t end;          /* [lock] offset behind the last good record */
	int64_t blank_end; /* [lock] blank lines lie from end to here (msglog_blank.c) */
	int64_t begun;     /* [lock] `end` when the file was opened */
	bool dirty;        /* [lock] it is in, or on its way to, logs.dirty */
	bool newborn;      /* [lock] its name in the folder is not yet synced */
	bool removed;      /* [lock] for good: nothing can be done with it */
	int64_t synced;    /* [lock] bytes before this need no sync */
	unsigned epoch;    /* [lock] counts the times that `end` moved back */
	struct group group;
	char name[]; /* the chat's name, or a journal's */
};

/* ---- msglog_table.c ---- */
/* Find or make the object of folder/name.log and count a reference. */
enum qerr table_get(struct store *s, enum store_folder folder, const char *name,
		    struct msglog **out);
/* Drop a reference; frees the object when nothing needs it. */
void table_put(struct msglog *l);
/* Reserve the right to one more descriptor, closing others where necessary. */
void table_reserve(struct store *s);
void table_unreserve(struct store *s);
/* Close the longest unused.  False: there is none. */
bool table_close_one(struct store *s);
/* l has been given a descriptor, for which there was a reservation. */
void table_opened(struct msglog *l) REQUIRES(l->lock);
/* The file is gone: close the descriptor, unless another thread is about to. */
void table_close(struct msglog *l) REQUIRES(l->lock);
/* l has something to sync. */
void table_dirty(struct msglog *l) REQUIRES(l->lock);
/* Take one off the dirty list, with a reference; NULL: none. */
struct msglog *table_next_dirty(struct store *s);

/* ---- msglog.c ---- */
/* As msglog_open, for a log in any folder (journal.h). */
enum qerr msglog_open_in(struct store *s, enum store_folder folder, const char *name,
			 struct msglog **out);

/* ---- msglog_file.c ---- */
/* Take l->lock with l->file open and its end known.  create: make the file when
 * it is missing.  *note is what was mended; msglog_leave tells it.  Without Q_OK
 * the lock is not held (which clang's check cannot follow: callers that go on to
 * what REQUIRES it are UNCHECKED_LOCK).  Q_MISSING, Q_CLOSED (removed), Q_DENIED,
 * Q_NOMEM, Q_SYS. */
enum qerr msglog_take(struct msglog *l, bool create, struct why *note);
void msglog_leave(struct msglog *l, const struct why *note);
/* Open the file and nothing else.  The caller closes it. */
enum qerr msglog_open_file(struct msglog *l, bool create, int *fd, bool *created);
/* Let the file end where the log does.  Not between pause_change and pause_changed. */
enum qerr msglog_cut(struct msglog *l) REQUIRES(l->lock);
/* The same, if anything but blank lines is behind it, setting aside what was found. */
enum qerr msglog_mend(struct msglog *l, struct why *note) REQUIRES(l->lock);
/* Where do the records end, in a file of this size?  *last tells the id and the time of
 * the last good one, 0 when there is none. */
enum qerr msglog_find_end(struct store *s, int fd, int64_t size, struct record_line *last,
			  int64_t *end);
/* Up to n bytes from offset `from` on, fewer at the file's end. */
enum qerr msglog_read_at(int fd, int64_t from, size_t n, struct buf *out);
struct logfile *logfile_new(int fd); /* one reference; NULL: no memory */
void logfile_put(struct msglog *l, struct logfile *f) REQUIRES(l->lock);

/* ---- msglog_append.c ---- */
/* Append a list of batches in order, with as few writes as possible.  Each gets its
 * own result, and one that cannot be appended spoils no other. */
void
append_locked(struct msglog *l, struct batch *list, struct why *note) REQUIRES(l->lock);

/* ---- msglog_blank.c ---- */
/* Behind a write, with STORE_ALWAYS: have room for the next ones. */
void blank_add(struct msglog *l) REQUIRES(l->lock);
/* The file is about to be closed: let it end where the log does. */
void blank_cut(struct msglog *l) REQUIRES(l->lock);
/* Is there nothing but blank lines from offset `from` to size?  Q_FORMAT: there is. */
enum qerr blank_check(struct store *s, int fd, int64_t from, int64_t size);

/* ---- msglog_group.c ---- */
void group_init(struct group *g);
void group_fini(struct group *g);
/* Append b together with those of others who come at the same time, and wait until
 * it is on the disk.  The result is in b. */
void group_append(struct msglog *l, struct batch *b);

/* ---- syncer.c ---- */
/* Force what l holds now, up to record *upto, to the disk.  The lock is held before
 * and after, not meanwhile.  Returns 0 or an errno; then the records are in doubt,
 * which the caller reports with msglog_doubt when it holds no lock. */
int msglog_force(struct msglog *l, uint64_t *upto) REQUIRES(l->lock);
void msglog_doubt(struct msglog *l, uint64_t upto, int err);

#endif
