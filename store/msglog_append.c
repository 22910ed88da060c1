/* SPDX-License-Identifier: MIT
 *
 * The path that every archived message takes: encode under the log's lock
 * (the checksum covers the id), one pwrite at the known end, done.  No seek, no
 * stat, no allocation: the buffer comes from the store's few spare ones.
 *
 * pwrite at `end` instead of O_APPEND: what an append that failed half-way has
 * left there, and could not be cut off, is never taken for a part of the log.
 */
#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/msglog_priv.h"

/* What an append gives to records without a time: to all the same one, or each a
 * later one than the record before it has. */
struct stamp {
	int64_t ms;
	int step; /* 0 or 1 */
};

static int64_t
stamp_of(const struct stamp *t, const struct record *r, size_t i)
{
	return r[i].time_ms != 0 ? r[i].time_ms : t->ms + (int64_t)i * t->step;
}

static enum qerr
encode(const struct msglog *l, const struct record *r, size_t n, const struct stamp *t,
       struct buf *out)
{
	enum qerr e = Q_OK;

	for (size_t i = 0; e == Q_OK && i < n; i++) {
		struct record one = r[i];

		one.id = l->last_id + 1 + i;
		one.time_ms = stamp_of(t, r, i);
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

static enum qerr append_locked(struct msglog *l, struct record *r, size_t n,
			       struct stamp *t, struct why *note) REQUIRES(l->lock);

static enum qerr
append_locked(struct msglog *l, struct record *r, size_t n, struct stamp *t,
	      struct why *note)
{
	struct buf *b;
	enum qerr e = msglog_mend(l, note);

	if (e != Q_OK)
		return e;
	if (t->step > 0 && t->ms <= l->last_ms) { /* the clock stood, or went back */
		if (l->last_ms >= INT64_MAX - (int64_t)n)
			return Q_LIMIT;
		t->ms = l->last_ms + 1;
	}
	if ((b = scratch_take(l->store)) == NULL)
		return Q_NOMEM;
	if ((e = encode(l, r, n, t, b)) == Q_OK && (e = write_end(l, b)) == Q_OK) {
		for (size_t i = 0; i < n; i++) {
			r[i].time_ms = stamp_of(t, r, i);
			r[i].id = ++l->last_id;
		}
		l->last_ms = r[n - 1].time_ms;
		l->end += (int64_t)b->len;
	}
	scratch_give(l->store, b);
	return e;
}

static enum qerr UNCHECKED_LOCK
append(struct msglog *l, struct record *r, size_t n, struct stamp t)
{
	bool wait = atomic_load_explicit(&l->store->logs.durability,
					 memory_order_relaxed) == STORE_ALWAYS;
	struct why note;
	enum qerr e;

	if (n == 0)
		return Q_OK;
	if ((e = msglog_take(l, true, &note)) != Q_OK)
		return e;
	if ((e = append_locked(l, r, n, &t, &note)) != Q_OK) {
		int err = errno;

		msglog_leave(l, &note);
		errno = err;
		return e;
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

enum qerr
msglog_append(struct msglog *l, struct record *r, size_t n)
{
	return append(l, r, n, (struct stamp){clock_wall_ms(), 0});
}

enum qerr
msglog_append_rising(struct msglog *l, struct record *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert(r[i].time_ms == 0);
	return append(l, r, n, (struct stamp){clock_wall_ms(), 1});
}
