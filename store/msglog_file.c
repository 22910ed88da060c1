/* SPDX-License-Identifier: MIT
 *
 * A kill can stop a write in the middle, and a power cut can leave zeros: both
 * at the end of the file, because a log only grows.  So the end is looked for
 * from behind, by the last line that is whole, ends with a newline and has the
 * right checksum; what lies behind that is copied to bad/ and cut, unless it is
 * blank lines that wait to be written over (msglog_blank.c).  Damage before that
 * line stays where it is, and readers step over it.  A kill leaves none; a power
 * cut may leave a gap in an append of several pages that nobody was told of.
 *
 * A line's beginning is '=' behind a newline.  '=' alone would not do: a message
 * may contain something that looks like a record, but never a newline.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/file.h"
#include "store/msglog_priv.h"
#include "store/pause.h"
#include "store/scan.h"

#define BACK_FIRST  4096 /* enough for the last line of nearly every log */
#define BACK_MAX    (256 * 1024)
#define CLOSE_TRIES 64 /* of other logs, when descriptors run short */

struct logfile *
logfile_new(int fd)
{
	struct logfile *f = malloc(sizeof(*f));

	if (f != NULL)
		*f = (struct logfile){fd, 1};
	return f;
}

void
logfile_put(struct msglog *l, struct logfile *f)
{
	LOCK_ASSERT_HELD(&l->lock);
	assert(f->refs > 0);
	if (--f->refs > 0)
		return;
	close(f->fd);
	free(f);
}

/* ---- the end of the file ---- */

/* Is there a good line at offset pos? */
static enum qerr
line_at(int fd, int64_t pos, int64_t size, struct buf *win, struct record_line *line,
	int64_t *end)
{
	struct scan sc;
	enum qerr e;

	scan_start(&sc, fd, pos, size, win, BACK_FIRST);
	e = scan_next(&sc, line);
	*end = pos + (int64_t)sc.len;
	return e;
}

enum qerr
msglog_read_at(int fd, int64_t from, size_t n, struct buf *out)
{
	enum qerr e;

	out->len = 0;
	if ((e = buf_reserve(out, n)) != Q_OK)
		return e;
	while (out->len < n) {
		ssize_t r =
		    pread(fd, out->p + out->len, n - out->len, from + (int64_t)out->len);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return Q_SYS;
		if (r == 0)
			break;
		out->len += (size_t)r;
	}
	return Q_OK;
}

/* The last good line that begins in [lo, hi).  Q_MISSING: none. */
static enum qerr
last_good_between(int fd, int64_t lo, int64_t hi, int64_t size, struct buf *back,
		  struct buf *win, struct record_line *line, int64_t *end)
{
	int64_t from = lo > 0 ? lo - 1 : 0; /* to see the newline before it */
	enum qerr e = msglog_read_at(fd, from, (size_t)(hi - from), back);
	size_t n = back->len;
	const uint8_t *c;

	if (e != Q_OK)
		return e;
	while (n > 0 && (c = memrchr(back->p, '=', n)) != NULL) {
		n = (size_t)(c - back->p);
		if (from + (int64_t)n < lo || (n > 0 && c[-1] != '\n'))
			continue;
		e = line_at(fd, from + (int64_t)n, size, win, line, end);
		if (e != Q_FORMAT && e != Q_MISSING)
			return e;
	}
	return Q_MISSING;
}

enum qerr
msglog_find_end(struct store *s, int fd, int64_t size, struct record_line *last,
		int64_t *end)
{
	struct buf *back = scratch_take(s), *win = scratch_take(s);
	int64_t hi = size, step = BACK_FIRST;
	enum qerr e = back == NULL || win == NULL ? Q_NOMEM : Q_MISSING;

	while (e == Q_MISSING && hi > 0) {
		int64_t lo = hi > step ? hi - step : 0;

		e = last_good_between(fd, lo, hi, size, back, win, last, end);
		hi = lo;
		if (step < BACK_MAX)
			step *= 4;
	}
	if (e == Q_MISSING) { /* not one good line */
		last->id = 0;
		last->time_ms = 0;
		*end = 0;
		e = Q_OK;
	}
	last->body = span_of(NULL, 0); /* it was borrowed from win */
	scratch_give(s, back);
	scratch_give(s, win);
	return e;
}

/* ---- mending ---- */

/* Copy what lies behind the end into bad/. */
static enum qerr
save_tail(struct msglog *l, int64_t size, char as[BAD_NAME_SIZE])
{
	struct store *s = l->store;
	struct buf *b = scratch_take(s);
	int out;
	enum qerr e;

	if (b == NULL)
		return Q_NOMEM;
	if ((e = store_bad_open(s, l->folder, l->name, as, &out)) != Q_OK)
		goto out;
	for (int64_t at = l->end; e == Q_OK && at < size; at += (int64_t)b->len) {
		int64_t left = size - at;

		e = msglog_read_at(l->file->fd, at,
				   left < BACK_MAX ? (size_t)left : BACK_MAX, b);
		if (e == Q_OK && b->len == 0)
			break;
		if (e == Q_OK)
			e = file_write_all(out, b->p, b->len);
	}
	if (e == Q_OK && fsync(out) != 0)
		e = qerr_errno(errno);
	close(out);
	if (e != Q_OK)
		(void)unlinkat(s->fd[FOLDER_BAD], as, 0); /* an incomplete copy */
	else
		(void)fsync(s->fd[FOLDER_BAD]);
out:
	scratch_give(s, b);
	return e;
}

enum qerr
msglog_cut(struct msglog *l)
{
	enum qerr e = Q_OK;

	LOCK_ASSERT_HELD(&l->lock);
	pause_change(); /* a snapshot is about to read what it has seen the length of */
	if (ftruncate(l->file->fd, l->end) == 0)
		l->blank_end = l->end;
	else
		e = qerr_errno(errno);
	pause_changed();
	return e;
}

enum qerr
msglog_mend(struct msglog *l, struct why *note)
{
	char as[BAD_NAME_SIZE];
	struct stat st;
	enum qerr e;

	LOCK_ASSERT_HELD(&l->lock);
	if (l->tail == TAIL_CLEAN)
		return Q_OK;
	if (fstat(l->file->fd, &st) != 0)
		return qerr_errno(errno);
	if (l->tail == TAIL_TORN && (e = save_tail(l, st.st_size, as)) != Q_OK)
		return e;
	if ((e = msglog_cut(l)) != Q_OK)
		return e;
	if (l->tail == TAIL_TORN)
		(void)why_set(note, Q_OK,
			      "%s/%s" MSGLOG_SUFFIX ": a torn end of %lld bytes was cut "
			      "off; it is in bad/%s",
			      store_folder_names[l->folder], l->name,
			      (long long)(st.st_size - l->end), as);
	l->tail = TAIL_CLEAN;
	return Q_OK;
}

/* ---- opening ---- */

enum qerr
msglog_open_file(struct msglog *l, bool create, int *out, bool *created)
{
	int dir = l->store->fd[l->folder], fd;
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	char name[MSGLOG_FILE_SIZE];

	snprintf(name, sizeof(name), "%s" MSGLOG_SUFFIX, l->name);
	*created = false;
	fd = openat(dir, name, flags);
	if (fd < 0 && errno == ENOENT && create) {
		fd = openat(dir, name, flags | O_CREAT | O_EXCL, 0600);
		*created = fd >= 0;
		if (fd >= 0)
			(void)fchmod(fd, 0600); /* the umask may have taken even these */
	}
	if (fd < 0)
		return qerr_errno(errno);
	*out = fd;
	return Q_OK;
}

static enum qerr find_out(struct msglog *l, struct why *note) REQUIRES(l->lock);

/* Make sure that end, last_id and last_ms fit the file that has just been opened. */
static enum qerr
find_out(struct msglog *l, struct why *note)
{
	struct record_line last;
	struct stat st;
	int64_t end = 0;
	enum qerr e;

	if (fstat(l->file->fd, &st) != 0)
		return qerr_errno(errno);
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return Q_SYS;
	}
	l->begun = l->blank_end = l->end;
	if (l->known &&
	    (st.st_size == l->end || (l->tail == TAIL_SURPLUS && st.st_size > l->end)))
		return Q_OK;
	if ((e = msglog_find_end(l->store, l->file->fd, st.st_size, &last, &end)) !=
		Q_OK ||
	    ((e = blank_check(l->store, l->file->fd, end, st.st_size)) != Q_OK &&
	     e != Q_FORMAT))
		return e;
	/* A log that somebody has shortened must not give out its ids again. */
	if (!l->known || last.id > l->last_id) {
		l->last_id = last.id;
		l->last_ms = last.time_ms;
	}
	l->end = l->synced = l->begun = end;
	l->blank_end = st.st_size;
	l->epoch++;
	l->known = true;
	l->tail = e == Q_OK ? TAIL_CLEAN : TAIL_TORN;
	/* Without room for the copy reading works; the next append tries again. */
	if ((e = msglog_mend(l, note)) != Q_OK)
		(void)why_set(note, Q_OK,
			      "%s/%s" MSGLOG_SUFFIX
			      ": the torn end could not be set aside: "
			      "%s",
			      store_folder_names[l->folder], l->name, qerr_str(e));
	return Q_OK;
}

static enum qerr
open_locked(struct msglog *l, bool create, struct why *note) REQUIRES(l->lock);

/* With a reservation for the descriptor, which is used up on Q_OK. */
static enum qerr
open_locked(struct msglog *l, bool create, struct why *note)
{
	struct logfile *f;
	bool created;
	int fd;
	enum qerr e = msglog_open_file(l, create, &fd, &created);

	if (e != Q_OK)
		return e;
	if ((f = logfile_new(fd)) == NULL) {
		close(fd);
		return Q_NOMEM;
	}
	l->file = f;
	if ((e = find_out(l, note)) != Q_OK) {
		int saved = errno;

		l->file = NULL;
		logfile_put(l, f);
		errno = saved;
		return e;
	}
	if (created)
		l->newborn = true;
	table_opened(l);
	return Q_OK;
}

enum qerr UNCHECKED_LOCK
msglog_take(struct msglog *l, bool create, struct why *note)
{
	enum qerr e;

	note->text[0] = '\0';
	lock_take(&l->lock);
	for (int i = 0; l->file == NULL && !l->removed; i++) {
		lock_drop(&l->lock);
		table_reserve(l->store);
		lock_take(&l->lock);
		if (l->file != NULL || l->removed) { /* another thread was quicker */
			table_unreserve(l->store);
			break;
		}
		if ((e = open_locked(l, create, note)) == Q_OK)
			break;
		lock_drop(&l->lock);
		table_unreserve(l->store);
		if (e != Q_NOMEM || i == CLOSE_TRIES || !table_close_one(l->store)) {
			store_tell(l->store, note);
			return e;
		}
		lock_take(&l->lock);
	}
	if (l->removed) {
		lock_drop(&l->lock);
		return Q_CLOSED;
	}
	/* Mostly it is set already; then the line of memory is left alone. */
	if (!atomic_load_explicit(&l->used, memory_order_relaxed))
		atomic_store_explicit(&l->used, true, memory_order_relaxed);
	return Q_OK;
}

void UNCHECKED_LOCK
msglog_leave(struct msglog *l, const struct why *note)
{
	lock_drop(&l->lock);
	store_tell(l->store, note);
}
