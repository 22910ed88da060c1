/* SPDX-License-Identifier: MIT
 *
 * The path that every archived message takes: encode under the log's lock
 * (the checksum covers the id), one pwrite at the known end, done.  No seek, no
 * stat, no allocation: the buffer comes from the store's few spare ones.
 *
 * With STORE_ALWAYS one thread does this for all who wait (msglog_group.c), so
 * what is appended is a list of their batches, which mostly has one member.
 *
 * pwrite at `end` instead of O_APPEND: what an append that failed half-way has
 * left there, and could not be cut off, is never taken for a part of the log.
 */
#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/msglog_priv.h"
#include "store/pause.h"

#define RUN_BYTES (128 * 1024) /* of several callers' records, in one write */

/* The newest record: of the file, or of what is about to be written to it. */
struct newest {
	uint64_t id;
	int64_t ms;
};

static int64_t
time_of(const struct batch *b, int64_t first_ms, size_t i)
{
	return b->r[i].time_ms != 0 ? b->r[i].time_ms
				    : first_ms + (b->rising ? (int64_t)i : 0);
}

/* Append b's lines to out, or nothing.  at moves on behind them. */
static enum qerr
encode(struct batch *b, struct newest *at, struct buf *out)
{
	size_t before = out->len;
	int64_t ms = b->now_ms;
	enum qerr e = Q_OK;

	if (b->rising && ms <= at->ms) { /* the clock stood, or went back */
		if (at->ms >= INT64_MAX - (int64_t)b->n)
			return Q_LIMIT;
		ms = at->ms + 1;
	}
	for (size_t i = 0; e == Q_OK && i < b->n; i++) {
		struct record one = b->r[i];

		one.id = at->id + 1 + i;
		one.time_ms = time_of(b, ms, i);
		e = record_put(out, &one);
	}
	if (e != Q_OK) {
		out->len = before;
		return e;
	}
	b->now_ms = ms;
	at->id += b->n;
	if (b->n > 0)
		at->ms = time_of(b, ms, b->n - 1);
	return Q_OK;
}

static bool
is_always(const struct msglog *l)
{
	return atomic_load_explicit(&l->store->logs.durability, memory_order_relaxed) ==
	       STORE_ALWAYS;
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
	l->blank_end = l->end;
	if (ftruncate(l->file->fd, l->end) != 0)
		l->tail = TAIL_SURPLUS;
	errno = err;
	return qerr_errno(err);
}

/* Tell the callers from first to before end what their records have become. */
static void
settle(struct msglog *l, struct batch *first, const struct batch *end)
{
	for (struct batch *b = first; b != end; b = b->next)
		for (size_t i = 0; i < b->n; i++) {
			b->r[i].time_ms = l->last_ms = time_of(b, b->now_ms, i);
			b->r[i].id = ++l->last_id;
		}
}

static enum qerr
append_run(struct msglog *l, struct batch *first, size_t max, struct buf *out,
	   struct why *note, struct batch **end) REQUIRES(l->lock);

/* Append up to max batches with one write, or none of them; *end is the first that
 * was not tried.  One that cannot be encoded ends the run before it. */
static enum qerr
append_run(struct msglog *l, struct batch *first, size_t max, struct buf *out,
	   struct why *note, struct batch **end)
{
	struct newest at = {l->last_id, l->last_ms};
	struct batch *b = first;
	enum qerr e;

	out->len = 0;
	do {
		e = encode(b, &at, out);
	} while (e == Q_OK && (b = b->next) != NULL && --max > 0 && out->len < RUN_BYTES);
	*end = b == first ? b->next : b;
	if (b == first)
		return e;
	if (out->len == 0) /* they only wait for the disk */
		return Q_OK;
	if ((e = msglog_mend(l, note)) != Q_OK)
		return e;
	pause_change();
	if ((e = write_end(l, out)) == Q_OK) {
		settle(l, first, *end);
		l->end += (int64_t)out->len;
		if (is_always(l))
			blank_add(l);
	}
	pause_changed();
	return e;
}

void
append_locked(struct msglog *l, struct batch *list, struct why *note)
{
	struct buf *out = scratch_take(l->store);
	struct batch *end;
	size_t max = SIZE_MAX;

	LOCK_ASSERT_HELD(&l->lock);
	while (list != NULL) {
		enum qerr e = Q_NOMEM;
		int err;

		end = list->next;
		if (out != NULL)
			e = append_run(l, list, max, out, note, &end);
		err = errno;
		if (e != Q_OK && end != list->next) {
			max = 1; /* who is too much for the disk?  Each by itself. */
			continue;
		}
		for (; list != end; list = list->next) {
			list->e = e;
			list->err = err;
		}
	}
	scratch_give(l->store, out);
}

static enum qerr UNCHECKED_LOCK
append(struct msglog *l, struct batch *b)
{
	struct why note;
	enum qerr e;

	if (b->n == 0)
		return Q_OK;
	if (is_always(l)) {
		group_append(l, b);
	} else {
		if ((e = msglog_take(l, true, &note)) != Q_OK)
			return e;
		append_locked(l, b, &note);
		if (b->e == Q_OK)
			table_dirty(l);
		msglog_leave(l, &note);
	}
	if (b->e != Q_OK)
		errno = b->err;
	return b->e;
}

enum qerr
msglog_append(struct msglog *l, struct record *r, size_t n)
{
	return append(l, &(struct batch){.r = r, .n = n, .now_ms = clock_wall_ms()});
}

enum qerr
msglog_append_rising(struct msglog *l, struct record *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert(r[i].time_ms == 0);
	return append(l, &(struct batch){
			     .r = r, .n = n, .now_ms = clock_wall_ms(), .rising = true});
}
