/* SPDX-License-Identifier: MIT
 *
 * store_priv.h - what the files of store/ share among themselves.
 *
 * Order of the store's locks (a thread holding one takes only later ones):
 *   1. round      turns of syncer and store_sync; held while the disk works
 *   2. users      orders changes of users/, uins/ and pems/
 *      media      gives out ids; held while a block of them is written down
 *      positions  orders changes of the files in queue/; one of a few, by user
 *   personal      the same for tokens/, chatkeys/ and restrictions/; taken below users
 *   3. msglog     one a log; never two at once
 *   4. logs (the table of logs, its lists), pems (the index), bad
 *   5. the pause of all changes (pause.h)
 */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "base/lock.h"
#include "base/name.h"
#include "store/store.h"

struct msglog;
RB_HEAD(msglog_tree, msglog);
TAILQ_HEAD(msglog_list, msglog);

/* The message logs of a store: msglog.c, msglog_table.c, syncer.c. */
struct logs {
	struct lock lock;
	struct msglog_tree by_name; /* [lock] */
	struct msglog_list open;    /* [lock] those with a descriptor */
	int n_open;                 /* [lock] these, and those being opened */
	int max_open;
	struct msglog_list dirty; /* [lock] appended to since the last sync */
	size_t n_dirty;           /* [lock] */
	_Atomic int durability;   /* enum store_durability */
	int interval_ms;          /* [lock] */
	bool stop;                /* [lock] */
	pthread_cond_t wake;      /* the syncer, with lock */
	pthread_t syncer;
	struct lock round;
};

/* Names in pems/ that are not spelled as they fold: pems.c. */
struct pem_index {
	struct lock lock;
	char (*spelled)[NAME_SIZE]; /* [lock] sorted by folded name, then bytes */
	size_t n;                   /* [lock] */
	struct timespec mtime;      /* [lock] of the directory, when it was read */
	bool sure;                  /* [lock] no later change can have that mtime */
};

/* Ids for media: media_ids.c. */
struct media_ids {
	struct lock lock;
	uint64_t next;  /* [lock] the next one to be given out */
	uint64_t end;   /* [lock] up to here they are ours; 0: none yet */
	uint64_t first; /* [lock] the first that was ours; 0: none yet */
};

#define POSITIONS_LOCKS 8
#define PERSONAL_LOCKS  8

enum store_folder {
	FOLDER_SERVER,
	FOLDER_USERS,
	FOLDER_UINS,
	FOLDER_PEMS,
	FOLDER_MESSAGES,
	FOLDER_CHATS,
	FOLDER_CONTACTS,
	FOLDER_MEDIA,
	FOLDER_QUEUE,
	FOLDER_ANONS,
	FOLDER_TOKENS,
	FOLDER_CHATKEYS,
	FOLDER_EMAILS,
	FOLDER_ROOMS,
	FOLDER_FILES,
	FOLDER_SEEN,
	FOLDER_NODES,
	FOLDER_TALLIES,
	FOLDER_RESTRICTIONS,
	FOLDER_BAD,
	FOLDER_COUNT
};

#define SCRATCH_SLOTS 8

struct store {
	char *dir;
	int fd[FOLDER_COUNT]; /* directories, as long as the store is open */
	int lock_fd;
	void (*report)(void *arg, const char *sentence);
	void *report_arg;
	struct lock users;
	struct lock bad;
	struct lock positions[POSITIONS_LOCKS];
	struct lock personal[PERSONAL_LOCKS];
	struct pem_index pems;
	struct media_ids media;
	struct logs logs;
	_Atomic(struct buf *) scratch[SCRATCH_SLOTS];
};

/* In DIR/server: held by the one who writes. */
#define STORE_LOCK "lock"

extern const char *const store_folder_names[FOLDER_COUNT];

/* ---- telling (store.c) ----
 * report() may not be called with a lock held, so whoever holds one notes what
 * happened in a struct why (empty: nothing) and tells it afterwards. */
void
store_report(struct store *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void store_tell(struct store *s, const struct why *note);

/* ---- setting aside (bad.c) ---- */
#define BAD_NAME_SIZE 256
/* Move folder/name to bad/DATE-folder-name.  *note is what to tell.  Q_MISSING,
 * Q_SYS, ...: it stays where it is. */
enum qerr store_set_aside(struct store *s, enum store_folder folder, const char *name,
			  const char *reason, struct why *note);
/* Open a new file bad/DATE-folder-name for bytes that are to be cut from the
 * original; its name goes to as.  The caller writes, fsyncs, closes. */
enum qerr store_bad_open(struct store *s, enum store_folder folder, const char *name,
			 char as[BAD_NAME_SIZE], int *fd);

/* ---- buffers for lines (scratch.c) ----
 * An append or a read needs one for a moment; a few are kept for the next, so
 * that it need not ask malloc, and an idle log holds none. */
/* An empty buf, or NULL: no memory. */
struct buf *scratch_take(struct store *s);
void scratch_give(struct store *s, struct buf *b); /* NULL is fine */
void scratch_fini(struct store *s);

/* ---- parts of a store with a life of their own ---- */
enum qerr logs_init(struct logs *l, const struct store_options *opt);
enum qerr logs_start(struct store *s); /* starts the syncer */
void logs_fini(struct store *s);       /* syncs, stops the syncer if started */
void pem_index_init(struct pem_index *p);
void pem_index_fini(struct pem_index *p);
/* Finish or undo what a kill interrupted.  Never fails: it reports. */
void users_recover(struct store *s);

/* Make DIR and its folders where they are missing, and open them. */
enum qerr folders_open(struct store *s, struct why *why);
void folders_close(struct store *s);
/* Call each(arg, name) for the names in a folder but "." and ".."; false stops.
 * The folder is read to the end first, so each may change it. */
enum qerr folder_each(struct store *s, enum store_folder folder,
		      bool (*each)(void *arg, const char *name), void *arg);

#endif
