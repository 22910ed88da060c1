/* SPDX-License-Identifier: MIT
 *
 * Where does the page behind id N begin?  Ids only rise, so it is searched for:
 * look at the first good record behind some place, and go on before or behind
 * it.  Where to look is guessed from the ids at both ends of what is left, a
 * little before and a little behind in turn, so that the place is soon between
 * the two; every third look is at the middle, so that odd logs (one huge record
 * among small ones) take no more than bisecting would.  When a few dozen
 * kilobytes are left they are read through.
 */
#include <unistd.h>

#include "store/msglog_priv.h"
#include "store/scan.h"

#define NEAR  (16 * 1024) /* a stretch that is read rather than searched */
#define PROBE 1024        /* bytes at a look: mostly holds a whole line */
#define CHUNK (32 * 1024) /* bytes at a time when reading through */

struct range {
	int64_t lo, hi;        /* the record wanted begins in here, if anywhere */
	uint64_t lo_id, hi_id; /* ids are above lo_id, and hi_id or more from hi on */
};

static int64_t
where_to_look(const struct range *g, uint64_t after, int round)
{
	int64_t width = g->hi - g->lo, at;
	double share;

	if (round % 3 == 2 || g->hi_id <= g->lo_id || after < g->lo_id)
		return g->lo + width / 2;
	share = (double)(after - g->lo_id) / (double)(g->hi_id - g->lo_id);
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

/* *from is a place from which no record with id > after is missed. */
static enum qerr
find_page(int fd, int64_t end, uint64_t last_id, uint64_t after, struct buf *win,
	  int64_t *from)
{
	struct range g = {0, end, 0, last_id};

	for (int round = 0; g.hi - g.lo > NEAR; round++) {
		int64_t at = where_to_look(&g, after, round);
		struct record_line line;
		struct scan sc;
		enum qerr e = first_behind(fd, at, g.hi, win, &sc, &line);

		if (e != Q_OK && e != Q_MISSING)
			return e;
		if (e == Q_MISSING) {
			g.hi = at; /* nothing good in [at, hi) */
		} else if (line.id <= after) {
			g.lo = sc.pos + (int64_t)sc.len;
			g.lo_id = line.id;
		} else {
			g.hi = at;
			g.hi_id = line.id;
		}
	}
	*from = g.lo;
	return Q_OK;
}

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

static enum qerr
find_and_read(struct store *s, int fd, int64_t end, uint64_t last_id, struct page *p)
{
	struct buf *win = scratch_take(s), *data = scratch_take(s);
	struct scan sc;
	int64_t from;
	enum qerr e = win == NULL || data == NULL ? Q_NOMEM : Q_OK;

	if (e == Q_OK)
		e = find_page(fd, end, last_id, p->after, win, &from);
	if (e == Q_OK) {
		scan_start(&sc, fd, from, end, win, CHUNK);
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
	struct logfile *f;
	struct why note;
	uint64_t last_id;
	int64_t end;
	enum qerr e = msglog_take(l, false, &note);

	if (e != Q_OK && e != Q_MISSING)
		return e;
	if (e == Q_OK) {
		last_id = l->last_id;
		end = l->end;
		f = l->file;
		f->refs++;
		msglog_leave(l, &note);
		e = after >= last_id ? Q_OK
				     : find_and_read(l->store, f->fd, end, last_id, &p);
		lock_take(&l->lock);
		logfile_put(l, f);
		lock_drop(&l->lock);
		if (e != Q_OK)
			return e;
	}
	if (damaged != NULL)
		*damaged = p.damaged;
	return Q_OK;
}
