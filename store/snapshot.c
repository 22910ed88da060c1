/* SPDX-License-Identifier: MIT
 *
 * Taking a snapshot: while work goes on, every file gets a second name, which costs the
 * most.  Then nothing changes for a moment: each name is compared with its file, those that
 * were replaced meanwhile get theirs anew, and the lengths go to a list in memory, which
 * is written afterwards.  What only the second look misses is in no list and not read.
 *
 * The users lock is held too: a registration or removal is several changes, of which
 * "server check" would find fault with half.  Other things that take several steps
 * (chats, rooms, media) are complete for it at each of them.
 */
#include "store/snapshot.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/file.h"
#include "store/msglog_priv.h"
#include "store/pause.h"
#include "store/snapshot_priv.h"

#define LIST_MAX (256 * 1024 * 1024)
#define COPY_MAX (1024 * 1024) /* bytes of a file that cannot get a second name */

struct taking {
	struct store *store;
	enum store_folder folder;
	int to[FOLDER_COUNT]; /* DIR/snapshot/FOLDER */
	struct buf list;
	struct snapshot_taken done;
	enum qerr e;
	struct why *why;
};

/* ---- which files, and how much of them ---- */

static bool
has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n > s && strcmp(name + n - s, suffix) == 0;
}

static bool
is_log(enum store_folder folder, const char *name)
{
	return has_suffix(name, ".log") &&
	       (folder == FOLDER_MESSAGES || folder == FOLDER_CHATS ||
		folder == FOLDER_CONTACTS || folder == FOLDER_ROOMS);
}

/* Bytes of media without an .info belong to nobody. */
static bool
is_whole_media(struct store *s, const char *name)
{
	char info[NAME_MAX + 1];

	if (has_suffix(name, ".info"))
		return true;
	return (size_t)snprintf(info, sizeof(info), "%s.info", name) < sizeof(info) &&
	       faccessat(s->fd[FOLDER_MEDIA], info, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
belongs(struct taking *t, const char *name)
{
	if (file_is_temporary(name))
		return false;
	switch (t->folder) {
	case FOLDER_SERVER: return strcmp(name, STORE_LOCK) != 0;
	case FOLDER_MEDIA: return is_whole_media(t->store, name);
	case FOLDER_ROOMS: return !has_suffix(name, ".state");
	default: return true;
	}
}

/* How much of a log its records are.  What is behind them, blank lines (msglog_blank.c) or
 * the end of a write that a kill stopped, was never acknowledged, and is written over or
 * cut off as soon as somebody opens the log, perhaps while the snapshot is read. */
static enum qerr
log_size(struct taking *t, const char *name, int64_t *size)
{
	int fd = openat(t->store->fd[t->folder], name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct record_line last;
	char end[2];
	enum qerr e = Q_OK;

	if (fd == -1)
		return qerr_errno(errno);
	/* Most logs end well. */
	if (*size < 2 || pread(fd, end, 2, *size - 2) != 2 || end[1] != '\n' ||
	    end[0] == '\n')
		e = msglog_find_end(t->store, fd, *size, &last, size);
	close(fd);
	return e;
}

/* ---- one file ---- */

/* A file that somebody else put there (a key, a certificate), perhaps as a link to
 * another place. */
static enum qerr
copy(struct taking *t, const char *name, int64_t *size)
{
	struct buf b = BUF_INIT(COPY_MAX);
	struct stat st;
	int fd = -1;
	enum qerr e = file_read_limit(t->store->fd[t->folder], name, COPY_MAX, &b, &st);

	if (e == Q_OK) {
		fd = openat(t->to[t->folder], name,
			    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		e = fd == -1 ? qerr_errno(errno) : file_write_all(fd, b.p, b.len);
	}
	if (e == Q_OK && fchmod(fd, st.st_mode & 0777) != 0)
		e = qerr_errno(errno);
	*size = (int64_t)b.len;
	if (fd != -1)
		close(fd);
	buf_wipe(&b);
	return e;
}

/* Is the second name there, and does it mean the same file? */
static bool
is_linked(struct taking *t, const char *name, const struct stat *st)
{
	struct stat there;

	return fstatat(t->to[t->folder], name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       there.st_ino == st->st_ino && there.st_dev == st->st_dev;
}

static enum qerr
link_or_copy(struct taking *t, const char *name, const struct stat *st, int64_t *size)
{
	int to = t->to[t->folder];

	if (is_linked(t, name, st))
		return Q_OK;
	(void)unlinkat(to, name, 0); /* it was replaced since */
	if (S_ISREG(st->st_mode) &&
	    linkat(t->store->fd[t->folder], name, to, name, 0) == 0)
		return Q_OK;
	return copy(t, name, size);
}

static enum qerr
note(struct taking *t, const char *name, int64_t size)
{
	enum qerr e = buf_printf(&t->list, "%" PRId64 " %s/%s", size,
				 store_folder_names[t->folder], name);

	t->done.files++;
	return e == Q_OK ? buf_put_u8(&t->list, '\0') : e;
}

static enum qerr
take(struct taking *t, const char *name)
{
	int dir = t->store->fd[t->folder];
	struct stat st, target;
	int64_t size;
	enum qerr e = Q_OK;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? Q_OK : qerr_errno(errno);
	if (S_ISLNK(st.st_mode) &&
	    (fstatat(dir, name, &target, 0) != 0 || !S_ISREG(target.st_mode)))
		return Q_OK; /* nothing that the store could read */
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return Q_OK;
	size = st.st_size;
	if (is_log(t->folder, name))
		e = log_size(t, name, &size);
	if (e == Q_OK)
		e = link_or_copy(t, name, &st, &size);
	return e == Q_OK ? note(t, name, size) : e;
}

/* While changes go on: most of the links, so that the pause need not make them. */
static bool
prepare_one(void *arg, const char *name)
{
	struct taking *t = arg;
	struct stat st;

	if (belongs(t, name) &&
	    fstatat(t->store->fd[t->folder], name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode))
		(void)!linkat(t->store->fd[t->folder], name, t->to[t->folder], name, 0);
	return true;
}

static bool
take_one(void *arg, const char *name)
{
	struct taking *t = arg;

	if (!belongs(t, name))
		return true;
	if ((t->e = take(t, name)) != Q_OK)
		(void)why_set(t->why, t->e, "cannot take %s/%s into the snapshot: %s",
			      store_folder_names[t->folder], name,
			      t->e == Q_SYS ? strerror(errno) : qerr_str(t->e));
	return t->e == Q_OK;
}

/* ---- all of them ---- */

static void
prepare(struct taking *t)
{
	for (int i = 0; i < FOLDER_COUNT; i++) {
		t->folder = (enum store_folder)i;
		(void)folder_each(t->store, t->folder, prepare_one, t);
	}
}

static enum qerr
take_all(struct taking *t)
{
	enum qerr e = Q_OK;

	for (int i = 0; e == Q_OK && i < FOLDER_COUNT; i++) {
		t->folder = (enum store_folder)i;
		e = buf_printf(&t->list, "0 %s/", store_folder_names[i]);
		if (e == Q_OK && (e = buf_put_u8(&t->list, '\0')) == Q_OK)
			e = folder_each(t->store, t->folder, take_one, t);
		if (e == Q_OK)
			e = t->e;
		else
			(void)why_set(t->why, e, "cannot list %s: %s",
				      store_folder_names[i], qerr_str(e));
	}
	return e;
}

static enum qerr
cannot_make(const struct store *s, struct why *why)
{
	int err = errno;

	return why_set(why, qerr_errno(err), "cannot make %s/" SNAPSHOT_FOLDER ": %s",
		       s->dir, strerror(err));
}

static enum qerr
make_folders(struct taking *t, int *top)
{
	struct store *s = t->store;
	int dir = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum qerr e = Q_OK;

	if (dir == -1)
		return cannot_make(s, t->why);
	snapshot_remove(dir);
	if (mkdirat(dir, SNAPSHOT_FOLDER, 0700) != 0 ||
	    (*top = openat(dir, SNAPSHOT_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) ==
		-1)
		e = cannot_make(s, t->why);
	close(dir);
	for (int i = 0; e == Q_OK && i < FOLDER_COUNT; i++) {
		const char *name = store_folder_names[i];

		if (mkdirat(*top, name, 0700) != 0 ||
		    (t->to[i] = openat(*top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) ==
			-1)
			e = cannot_make(s, t->why);
	}
	return e;
}

static enum qerr
write_list(struct taking *t, int top)
{
	int fd =
	    openat(top, SNAPSHOT_LIST, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum qerr e = fd == -1 ? qerr_errno(errno) : Q_OK;

	if (e == Q_OK)
		e = file_write_all(fd, t->list.p, t->list.len);
	if (e != Q_OK)
		e = cannot_make(t->store, t->why);
	if (fd != -1)
		close(fd);
	return e;
}

static enum qerr
take_paused(struct taking *t)
{
	int64_t began;
	enum qerr e;

	prepare(t);
	began = clock_mono_ms();
	lock_take(&t->store->users);
	pause_begin();
	e = take_all(t);
	pause_end();
	lock_drop(&t->store->users);
	t->done.paused_ms = clock_mono_ms() - began;
	return e;
}

enum qerr
snapshot_take(struct store *s, struct snapshot_taken *out, struct why *why)
{
	struct taking t = {.store = s, .list = BUF_INIT(LIST_MAX), .why = why};
	int top = -1, dir;
	enum qerr e;

	for (int i = 0; i < FOLDER_COUNT; i++)
		t.to[i] = -1;
	if ((e = make_folders(&t, &top)) == Q_OK && (e = take_paused(&t)) == Q_OK &&
	    (e = write_list(&t, top)) == Q_OK)
		*out = t.done;
	for (int i = 0; i < FOLDER_COUNT; i++)
		if (t.to[i] != -1)
			close(t.to[i]);
	if (top != -1)
		close(top);
	if (e != Q_OK && (dir = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) != -1) {
		snapshot_remove(dir);
		close(dir);
	}
	buf_free(&t.list);
	return e;
}
