/* SPDX-License-Identifier: MIT
 *
 * Where does the page behind id N begin?  Ids only rise, so it is searched for:
 * look at the first good record behind some place, and go on before or behind
 * it.  Where to look is guessed from the ids at both ends of what is left, a
 * little before and a little behind in turn, so that the place is soon between
 * the two; every third look is at the middle, so that odd logs (one huge record
 * among small ones) take no more than bisecting would.  When a few dozen
 * kilobytes are left they are read through.
 *
 * Times that rise are searched in the same way, but for the first guesses: ids
 * begin at 1, and when a log began is known only once a record was seen.
 */
#include <unistd.h>

#include "store/msglog_priv.h"
#include "store/scan.h"

#define NEAR  (16 * 1024) /* a stretch that is read rather than searched */
#define PROBE 1024        /* bytes at a look: mostly holds a whole line */
#define CHUNK (32 * 1024) /* bytes at a time when reading through */

/* What is searched by, its "key": the id or the time. */
enum key { BY_ID, BY_TIME };

struct range {
	enum key by;
	int64_t lo, hi;          /* the record wanted begins in here, if anywhere */
	uint64_t lo_key, hi_key; /* keys are above lo_key, hi_key or more from hi on */
	uint64_t lo_id;          /* of the last record before lo that was seen */
};

static uint64_t
key_of(enum key by, const struct record_line *line)
{
	return by == BY_ID ? line->id : (uint64_t)line->time_ms;
}

static int64_t
where_to_look(const struct range *g, uint64_t after, int round)
{
	int64_t width = g->hi - g->lo, at;
	double share;

	if (round % 3 == 2 || g->hi_key <= g->lo_key || after < g->lo_key ||
	    (g->by == BY_TIME && g->lo_key == 0))
		return g->lo + width / 2;
	share = (double)(after - g->lo_key) / (double)(g->hi_key - g->lo_key);
	at = g->lo + (int64_t)((double)width * (share < 1 ? share : 1));
	at += round % 3 == 0 ? -NEAR / 3 : NEAR / 3;
	if (at <= g->lo) /* so that what is left gets smaller in any case */
		at = g->lo + 1;
	return at < g->hi ? at : g->hi - 1;
}

/* The first good record that begins behind offset at (0 < at) and ends before
 * end. */
static enum qerr
first_behind(int fd, int64_t at, int64_t end, struct buf *win, struct scan *sc,
	     struct record_line *line)
{
	enum qerr e;

	scan_start(sc, fd, at - 1, end, win, PROBE);
	if ((e = scan_skip_line(sc)) != Q_OK)
		return e;
	do
		e = scan_next(sc, line);
	while (e == Q_FORMAT);
	return e;
}

/* Narrow g, until no record with a key above after lies before g->lo and little is
 * left to be read. */
static enum qerr
narrow(int fd, uint64_t after, struct buf *win, struct range *g)
{
	for (int round = 0; g->hi - g->lo > NEAR; round++) {
		int64_t at = where_to_look(g, after, round);
		struct record_line line;
		struct scan sc;
		enum qerr e = first_behind(fd, at, g->hi, win, &sc, &line);

		if (e != Q_OK && e != Q_MISSING)
			return e;
		if (e == Q_MISSING) {
			g->hi = at; /* nothing good in [at, hi) */
		} else if (key_of(g->by, &line) <= after) {
			g->lo = sc.pos + (int64_t)sc.len;
			g->lo_key = key_of(g->by, &line);
			g->lo_id = line.id;
		} else {
			g->hi = at;
			g->hi_key = key_of(g->by, &line);
		}
	}
	return Q_OK;
}

/* ---- a page ---- */

struct page {
	uint64_t after;
	size_t max;
	bool (*each)(void *arg, const struct record *r);
	void *arg;
	size_t damaged;
};

/* Read on from where sc stands.  Damaged lines that a record before the page
 * follows are not in the page, so counting begins again with each of those. */
static enum qerr
read_page(struct scan *sc, struct page *p, struct buf *data)
{
	struct record_line line;
	struct record r;
	enum qerr e;

	while (p->max > 0) {
		e = scan_next(sc, &line);
		if (e == Q_MISSING)
			break;
		if (e == Q_OK && line.id <= p->after) {
			p->damaged = 0;
			continue;
		}
		if (e == Q_OK)
			e = record_decode(&line, &r, data);
		if (e == Q_FORMAT) {
			p->damaged++;
			continue;
		}
		if (e != Q_OK)
			return e;
		p->max--;
		p->after = r.id; /* only rising ids are passed on */
		if (!p->each(p->arg, &r))
			break;
	}
	return Q_OK;
}

/* ---- the file as it is now, read without the lock ---- */

struct view {
	struct logfile *file;
	int64_t end;
	uint64_t last_id;
	int64_t last_ms;
};

/* Q_MISSING: there is no file. */
static enum qerr
view_open(struct msglog *l, struct view *v)
{
	struct why note;
	enum qerr e = msglog_take(l, false, &note);

	if (e != Q_OK)
		return e;
	*v = (struct view){l->file, l->end, l->last_id, l->last_ms};
	l->file->refs++;
	msglog_leave(l, &note);
	return Q_OK;
}

static void
view_close(struct msglog *l, struct view *v)
{
	lock_take(&l->lock);
	logfile_put(l, v->file);
	lock_drop(&l->lock);
}

static enum qerr
find_and_read(struct store *s, const struct view *v, struct page *p)
{
	struct range g = {BY_ID, 0, v->end, 0, v->last_id, 0};
	struct buf *win = scratch_take(s), *data = scratch_take(s);
	struct scan sc;
	enum qerr e = win == NULL || data == NULL ? Q_NOMEM : Q_OK;

	if (e == Q_OK)
		e = narrow(v->file->fd, p->after, win, &g);
	if (e == Q_OK) {
		scan_start(&sc, v->file->fd, g.lo, v->end, win, CHUNK);
		e = read_page(&sc, p, data);
	}
	scratch_give(s, win);
	scratch_give(s, data);
	return e;
}

enum qerr
msglog_read(struct msglog *l, uint64_t after, size_t max,
	    bool (*each)(void *arg, const struct record *r), void *arg, size_t *damaged)
{
	struct page p = {after, max, each, arg, 0};
	struct view v;
	enum qerr e = view_open(l, &v);

	if (e == Q_OK) {
		if (after < v.last_id)
			e = find_and_read(l->store, &v, &p);
		view_close(l, &v);
	}
	if (e != Q_OK && e != Q_MISSING)
		return e;
	if (damaged != NULL)
		*damaged = p.damaged;
	return Q_OK;
}

/* ---- by time ---- */

static enum qerr
find_time(struct store *s, const struct view *v, uint64_t time_ms, uint64_t *id)
{
	struct range g = {BY_TIME, 0, v->end, 0, (uint64_t)v->last_ms, 0};
	struct buf *win = scratch_take(s);
	struct record_line line;
	struct scan sc;
	enum qerr e = win == NULL ? Q_NOMEM : Q_OK;

	if (e == Q_OK)
		e = narrow(v->file->fd, time_ms, win, &g);
	if (e == Q_OK)
		scan_start(&sc, v->file->fd, g.lo, v->end, win, CHUNK);
	while (e == Q_OK || e == Q_FORMAT) {
		e = scan_next(&sc, &line);
		if (e == Q_OK && (uint64_t)line.time_ms > time_ms)
			break;
		if (e == Q_OK)
			g.lo_id = line.id;
	}
	scratch_give(s, win);
	if (e != Q_OK && e != Q_MISSING)
		return e;
	*id = g.lo_id;
	return Q_OK;
}

enum qerr
msglog_find_time(struct msglog *l, int64_t time_ms, uint64_t *id)
{
	struct view v;
	uint64_t found = 0;
	enum qerr e = view_open(l, &v);

	if (e == Q_OK) {
		if (time_ms >= v.last_ms)
			found = v.last_id;
		else if (time_ms > 0)
			e = find_time(l->store, &v, (uint64_t)time_ms, &found);
		view_close(l, &v);
	}
	if (e != Q_OK && e != Q_MISSING)
		return e;
	*id = found;
	return Q_OK;
}
