/* SPDX-License-Identifier: MIT
 *
 * Reading never waits for those who write: the log is read up to what was told, and how
 * messages stand is copied under a leaf lock.  A page asks for the lines of its messages,
 * which lie side by side, and then for the records that these name: neighbours in one go,
 * others one by one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/rooms_priv.h"

#define CHUNK      64 /* messages read at a time, if their contents are small */
#define CHUNK_SURE 16 /* so many may be of any size: a MiB at most */
#define GAP        4  /* records between two of a page that are read and passed over */
#define EVENTS_MAX 256

/* ---- a room in use ---- */

struct visit {
	struct room *room;
	struct room_state *st;
	uint64_t told;
};

/* Q_MISSING: no such room. */
static enum qerr
visit_begin(struct rooms *r, const struct uuid *id, struct visit *v)
{
	enum qerr e = Q_MISSING;

	if ((v->room = room_get(r, id)) == NULL)
		return Q_MISSING;
	if ((e = state_get(r, v->room, &v->st, false)) != Q_OK) {
		lock_take(&r->lock);
		room_unref(v->room);
		lock_drop(&r->lock);
		return e;
	}
	lock_take(&r->lock);
	v->told = v->room->told;
	lock_drop(&r->lock);
	return Q_OK;
}

static void
visit_end(struct rooms *r, struct visit *v)
{
	state_put(r, v->st);
	lock_take(&r->lock);
	room_unref(v->room);
	lock_drop(&r->lock);
}

/* A room that goes while it is read closes its log. */
static enum qerr
gone(enum qerr e)
{
	return e == Q_CLOSED ? Q_MISSING : e;
}

static enum room_answer
answer_of(enum qerr e, enum qerr *out)
{
	*out = e;
	return e == Q_OK ? ROOM_OK : e == Q_MISSING ? ROOM_UNKNOWN : ROOM_FAILED;
}

/* ID.state was found damaged: make it anew, as the one who is busy. */
static enum qerr
rebuild(struct rooms *r, struct visit *v)
{
	bool there;
	enum qerr e;

	lock_take(&r->lock);
	there = room_take(r, v->room);
	lock_drop(&r->lock);
	if (!there)
		return Q_MISSING;
	e = state_rebuild(r, v->st);
	lock_take(&r->lock);
	room_leave(v->room);
	lock_drop(&r->lock);
	return e;
}

static enum qerr
lines(struct rooms *r, struct visit *v, uint64_t number, size_t n, struct room_line *out,
      size_t *got)
{
	enum qerr e = state_lines(r, v->st, number, n, out, got);

	if (e == Q_FORMAT && (e = rebuild(r, v)) == Q_OK)
		e = state_lines(r, v->st, number, n, out, got);
	return e;
}

static enum qerr
line(struct rooms *r, struct visit *v, const struct uuid *msg, struct room_line *out)
{
	enum qerr e = state_line(r, v->st, msg, out);

	if (e == Q_FORMAT && (e = rebuild(r, v)) == Q_OK)
		e = state_line(r, v->st, msg, out);
	return e;
}

/* ---- events ---- */

enum qerr
rooms_last(struct rooms *r, const struct uuid *room, uint64_t *seq)
{
	struct room *known;
	struct visit v;
	bool used;
	enum qerr e;

	lock_take(&r->lock);
	known = room_find(r, room);
	used = known != NULL && !known->dropped && known->base != ROOM_NO_BASE;
	if (used)
		*seq = known->told;
	lock_drop(&r->lock);
	if (used)
		return Q_OK;
	if ((e = visit_begin(r, room, &v)) != Q_OK)
		return e;
	*seq = v.told;
	visit_end(r, &v);
	return Q_OK;
}

struct events {
	const char *user;
	uint64_t told, last;
	size_t left;
	bool (*each)(void *arg, const struct room_event *ev);
	void *arg;
	bool stopped;
	enum qerr e;
};

static bool
show_event(void *arg, const struct record *rec)
{
	struct events *p = arg;
	struct change_text change = {.people = NULL};
	struct event_text t;

	if (rec->id > p->told) {
		p->stopped = true;
		return false;
	}
	p->e = event_take(rec, &t, &change);
	if (p->e == Q_FORMAT) /* one that says nothing */
		p->e = Q_OK;
	else if (p->e == Q_OK && (p->user == NULL || name_cmp(p->user, t.ev.from) != 0)) {
		p->left--;
		p->stopped = !p->each(p->arg, &t.ev);
	}
	change_free(&change);
	if (p->e == Q_OK)
		p->last = rec->id;
	return p->e == Q_OK && !p->stopped && p->left > 0;
}

enum qerr
rooms_events(struct rooms *r, const struct uuid *room, const char *user, uint64_t after,
	     size_t max, bool (*each)(void *arg, const struct room_event *ev), void *arg,
	     uint64_t *read)
{
	struct events p = {
	    .user = user, .last = after, .left = max, .each = each, .arg = arg};
	struct visit v;
	enum qerr e = visit_begin(r, room, &v);

	if (e != Q_OK)
		return e;
	p.told = v.told;
	if (max > 0 && after < v.told) {
		e = gone(msglog_read(v.st->log, after, SIZE_MAX, show_event, &p, NULL));
		if (e == Q_OK)
			e = p.e;
	}
	visit_end(r, &v);
	if (e == Q_OK && read != NULL)
		*read = p.last;
	return e;
}

/* ---- pages ---- */

/* Messages as they stand, in a few reads. */
struct chunk {
	const struct uuid *room;
	struct room_line line[CHUNK];
	struct room_message m[CHUNK];
	bool have[CHUNK];
	size_t at[CHUNK]; /* of the content in text */
	size_t n, next, stop;
	struct buf text;
	enum qerr e;
};

static enum qerr
take_message(struct chunk *c, size_t i, const struct record *rec)
{
	struct change_text change = {.people = NULL};
	const struct room_line *l = &c->line[i];
	struct room_message *m = &c->m[i];
	struct event_text t;
	enum qerr e = event_take(rec, &t, &change);

	if (e == Q_OK && t.author[0] != '\0') {
		*m = (struct room_message){.msg = message_id(c->room, l->ms, l->number),
					   .time_ms = l->ms,
					   .format = t.ev.format,
					   .size = t.ev.size,
					   .in_file = l->in_file,
					   .edited = l->edited,
					   .deleted = l->deleted,
					   .pinned = l->pinned};
		memcpy(m->from, t.author, NAME_SIZE);
		c->at[i] = c->text.len;
		m->content.len = t.ev.content.len;
		e = buf_put_span(&c->text, t.ev.content);
		c->have[i] = e == Q_OK;
	}
	change_free(&change);
	return e == Q_FORMAT ? Q_OK : e;
}

static bool
read_message(void *arg, const struct record *rec)
{
	struct chunk *c = arg;

	if (rec->id == c->line[c->next].last)
		c->e = take_message(c, c->next++, rec);
	else if (rec->id > c->line[c->next].last)
		c->next++; /* its record is lost */
	return c->e == Q_OK && c->next < c->stop;
}

/* The records of a chunk whose lines are there. */
static enum qerr
read_chunk(struct room_state *st, struct chunk *c)
{
	const struct room_line *l = c->line;
	enum qerr e = Q_OK;

	for (size_t i = 0; e == Q_OK && i < c->n; i = c->stop) {
		c->next = i;
		for (c->stop = i + 1; c->stop < c->n; c->stop++)
			if (l[c->stop].last <= l[c->stop - 1].last ||
			    l[c->stop].last - l[c->stop - 1].last > GAP)
				break;
		if (l[i].last == 0) /* lost */
			continue;
		e = msglog_read(st->log, l[i].last - 1,
				(size_t)(l[c->stop - 1].last - l[i].last) + 1,
				read_message, c, NULL);
		if (e == Q_OK)
			e = c->e;
	}
	return e;
}

/* The page is gathered forwards, or backwards and then turned round. */
struct paging {
	struct room_page *page;
	size_t at[ROOM_PAGE_MAX];
	size_t max, bytes;
	size_t chunk;
	bool full;
};

static enum qerr
add_message(struct paging *p, const struct chunk *c, size_t i)
{
	const struct room_message *m = &c->m[i];
	enum qerr e;

	if (p->page->n > 0 && m->content.len > ROOM_PAGE_BYTES - p->bytes) {
		p->full = true;
		return Q_OK;
	}
	p->at[p->page->n] = p->page->text.len;
	e = buf_put(&p->page->text, c->text.p + c->at[i], m->content.len);
	if (e != Q_OK)
		return e;
	p->bytes += m->content.len;
	p->page->m[p->page->n++] = *m;
	return Q_OK;
}

/* Messages from first on, as many as the page still takes; then those before it.
 * Q_LIMIT: so many are too large to be held at a time. */
static enum qerr
page_chunk(struct rooms *r, struct visit *v, struct paging *p, uint64_t first, size_t n,
	   bool forwards, uint64_t *next)
{
	struct chunk *c = calloc(1, sizeof(*c));
	enum qerr e = Q_NOMEM;

	if (c == NULL)
		return Q_NOMEM;
	c->room = &v->room->id;
	c->text = (struct buf)BUF_INIT(CHUNK_SURE * (ROOM_INLINE_MAX + ROOM_REASON_MAX));
	if ((e = lines(r, v, first, n, c->line, &c->n)) == Q_OK)
		e = gone(read_chunk(v->st, c));
	for (size_t k = 0; e == Q_OK && k < c->n && p->page->n < p->max; k++) {
		size_t i = forwards ? k : c->n - 1 - k;

		if (c->have[i] && (e = add_message(p, c, i)) != Q_OK)
			break;
		if (p->full)
			break;
		*next = forwards ? c->line[i].number + 1 : c->line[i].number;
	}
	buf_free(&c->text);
	free(c);
	return e;
}

/* How many of those left to read next, and again when these turn out to be too large. */
static size_t
chunk_of(const struct paging *p, uint64_t left)
{
	size_t want = p->max - p->page->n;

	want = want < p->chunk ? want : p->chunk;
	return want < left ? want : (size_t)left;
}

static void
try_smaller(struct paging *p, enum qerr *e)
{
	if (*e == Q_LIMIT && p->chunk > CHUNK_SURE) {
		p->chunk = CHUNK_SURE;
		*e = Q_OK;
	}
}

static enum qerr
page_forwards(struct rooms *r, struct visit *v, struct paging *p, uint64_t at,
	      uint64_t end)
{
	enum qerr e = Q_OK;

	while (e == Q_OK && !p->full && at < end && p->page->n < p->max) {
		e = page_chunk(r, v, p, at, chunk_of(p, end - at), true, &at);
		try_smaller(p, &e);
	}
	p->page->more = at < end;
	return e;
}

static enum qerr
page_backwards(struct rooms *r, struct visit *v, struct paging *p, uint64_t end)
{
	struct room_page *page = p->page;
	enum qerr e = Q_OK;

	while (e == Q_OK && !p->full && end > 0 && page->n < p->max) {
		size_t want = chunk_of(p, end);

		e = page_chunk(r, v, p, end - want, want, false, &end);
		try_smaller(p, &e);
	}
	page->more = end > 0;
	for (size_t i = 0; i < page->n / 2; i++) {
		struct room_message m = page->m[i];
		size_t at = p->at[i], j = page->n - 1 - i;

		page->m[i] = page->m[j];
		page->m[j] = m;
		p->at[i] = p->at[j];
		p->at[j] = at;
	}
	return e;
}

static enum qerr
read_page(struct rooms *r, struct visit *v, const struct room_line *from, int count,
	  struct paging *p)
{
	uint64_t end = state_count(v->st);
	enum qerr e;

	p->max = (size_t)(count < 0 ? -(int64_t)count : count);
	if (p->max > ROOM_PAGE_MAX)
		p->max = ROOM_PAGE_MAX;
	if (count > 0)
		e = page_forwards(r, v, p, from != NULL ? from->number + 1 : 0, end);
	else
		e = page_backwards(r, v, p, from != NULL ? from->number : end);
	/* Only now the text stays where it is. */
	for (size_t i = 0; i < p->page->n; i++)
		p->page->m[i].content.p = p->page->text.p + p->at[i];
	return e;
}

enum room_answer
rooms_page(struct rooms *r, const struct uuid *room, const struct uuid *from, int count,
	   struct room_page **out, enum qerr *e)
{
	struct paging p = {.chunk = CHUNK};
	struct room_line line_from;
	struct visit v;

	if ((*e = visit_begin(r, room, &v)) != Q_OK)
		return answer_of(*e, e);
	if (from != NULL && (*e = line(r, &v, from, &line_from)) != Q_OK) {
		visit_end(r, &v);
		return *e == Q_MISSING ? ROOM_NO_MESSAGE : ROOM_FAILED;
	}
	if ((p.page = calloc(1, sizeof(*p.page))) == NULL) {
		*e = Q_NOMEM;
	} else {
		p.page->text =
		    (struct buf)BUF_INIT(ROOM_PAGE_BYTES + ROOM_INLINE_MAX + 1);
		*e = read_page(r, &v, from != NULL ? &line_from : NULL, count, &p);
	}
	visit_end(r, &v);
	if (*e != Q_OK)
		room_page_free(p.page);
	else
		*out = p.page;
	return answer_of(*e, e);
}

void
room_page_free(struct room_page *p)
{
	if (p != NULL)
		buf_free(&p->text);
	free(p);
}

/* ---- one content ---- */

struct fetching {
	struct rooms *r;
	const struct uuid *room, *msg;
	struct buf *out;
	enum qerr e;
};

static bool
fetch_one(void *arg, const struct record *rec)
{
	struct fetching *f = arg;
	struct change_text change = {.people = NULL};
	struct event_text t;

	f->e = event_take(rec, &t, &change);
	if (f->e == Q_OK)
		f->e = t.ev.in_file ? room_file_read(f->r->store, f->room, f->msg,
						     t.ev.size, t.crc, f->out)
				    : buf_put_span(f->out, t.ev.content);
	change_free(&change);
	return false;
}

enum room_answer
rooms_fetch(struct rooms *r, const struct uuid *room, const struct uuid *msg,
	    struct buf *out, enum qerr *e)
{
	struct fetching f = {r, room, msg, out, Q_FORMAT};
	struct room_line l;
	struct visit v;

	if ((*e = visit_begin(r, room, &v)) != Q_OK)
		return answer_of(*e, e);
	*e = line(r, &v, msg, &l);
	if (*e == Q_OK && l.deleted)
		*e = Q_MISSING;
	if (*e != Q_OK) {
		visit_end(r, &v);
		return *e == Q_MISSING ? ROOM_NO_MESSAGE : ROOM_FAILED;
	}
	*e = gone(msglog_read(v.st->log, l.last - 1, 1, fetch_one, &f, NULL));
	visit_end(r, &v);
	if (*e != Q_OK)
		return answer_of(*e, e);
	*e = f.e;
	/* Deleted in this moment. */
	return f.e == Q_MISSING ? ROOM_NO_MESSAGE : f.e == Q_OK ? ROOM_OK : ROOM_FAILED;
}
