/* SPDX-License-Identifier: MIT
 *
 * The path that every archived message takes: encode under the log's lock
 * (the checksum covers the id), one pwrite at the known end, done.  No seek, no
 * stat, no allocation: the buffer comes from the store's few spare ones.
 *
 * pwrite at `end` instead of O_APPEND: what an append that failed half-way has
 * left there, and could not be cut off, is never taken for a part of the log.
 */
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/msglog_priv.h"

static enum qerr
encode(const struct msglog *l, const struct record *r, size_t n, int64_t now,
       struct buf *out)
{
	enum qerr e = Q_OK;

	for (size_t i = 0; e == Q_OK && i < n; i++) {
		struct record one = r[i];

		one.id = l->last_id + 1 + i;
		if (one.time_ms == 0)
			one.time_ms = now;
		e = record_put(out, &one);
	}
	return e;
}

/* All of b at the end of the file, or nothing. */
static enum qerr
write_end(struct msglog *l, const struct buf *b)
{
	size_t done = 0;
	int err;

	while (done < b->len) {
		ssize_t w = pwrite(l->file->fd, b->p + done, b->len - done,
				   l->end + (int64_t)done);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			break;
		done += (size_t)w;
	}
	if (done == b->len)
		return Q_OK;
	err = errno;
	if (ftruncate(l->file->fd, l->end) != 0)
		l->tail = TAIL_SURPLUS;
	errno = err;
	return qerr_errno(err);
}

static enum qerr append_locked(struct msglog *l, const struct record *r, size_t n,
			       int64_t now, struct why *note) REQUIRES(l->lock);

static enum qerr
append_locked(struct msglog *l, const struct record *r, size_t n, int64_t now,
	      struct why *note)
{
	struct buf *b;
	enum qerr e = msglog_mend(l, note);

	if (e != Q_OK)
		return e;
	if ((b = scratch_take(l->store)) == NULL)
		return Q_NOMEM;
	if ((e = encode(l, r, n, now, b)) == Q_OK && (e = write_end(l, b)) == Q_OK) {
		l->last_id += n;
		l->end += (int64_t)b->len;
	}
	scratch_give(l->store, b);
	return e;
}

enum qerr UNCHECKED_LOCK
msglog_append(struct msglog *l, struct record *r, size_t n)
{
	bool wait = atomic_load_explicit(&l->store->logs.durability,
					 memory_order_relaxed) == STORE_ALWAYS;
	int64_t now = clock_wall_ms();
	struct why note;
	uint64_t last;
	enum qerr e;

	if (n == 0)
		return Q_OK;
	if ((e = msglog_take(l, true, &note)) != Q_OK)
		return e;
	if ((e = append_locked(l, r, n, now, &note)) != Q_OK) {
		int err = errno;

		msglog_leave(l, &note);
		errno = err;
		return e;
	}
	last = l->last_id;
	for (size_t i = 0; i < n; i++) {
		r[i].id = last - n + 1 + i;
		if (r[i].time_ms == 0)
			r[i].time_ms = now;
	}
	if (!wait) {
		table_dirty(l);
		msglog_leave(l, &note);
		return Q_OK;
	}
	e = msglog_sync_group(l);
	store_tell(l->store, &note);
	return e;
}
