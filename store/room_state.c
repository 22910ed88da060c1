/* SPDX-License-Identifier: MIT
 *
 * A page of messages must cost the same in a room of a million, also when those on it
 * were edited, pinned and deleted again and again, far away in the log. So there is a line
 * for each message (room_state_file.c) that says where in the log its newest content
 * stands.
 *
 * The log is the truth, and the file lags behind it: what the last thousand events or so
 * changed is in memory (`late`), so that an event costs one write, into the log. When it
 * is time, log, lines and head are forced to the disk, in this order. Opening reads what
 * the log has behind the head: a thousand events at most, after whatever accident; all
 * of it when the file is lost or damaged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/rooms_priv.h"

#define LATE_MAX   1024 /* events that ID.state need not know */
#define READ_BATCH 512
#define READ_TRIES 3

void
state_log_name(const struct uuid *room, char out[48])
{
	char id[UUID_SIZE];

	uuid_text(room, id);
	snprintf(out, 48, "room-%s", id);
}

/* ---- late lines ---- */

/* Where in late the line of a number is, or would be. */
static size_t
place_of(const struct room_state *st, uint64_t number)
{
	size_t lo = 0, hi = st->n_late;

	if (hi > 0 && st->late[hi - 1].number < number)
		return hi;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (st->late[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

enum qerr
state_reserve(struct room_state *st, size_t n)
{
	struct room_line *late;
	size_t max = st->max_late == 0 ? 16 : st->max_late;

	while (max - st->n_late < n)
		max *= 2;
	if (max == st->max_late)
		return Q_OK;
	lock_take(&st->lock); /* who reads does so with the lock */
	if ((late = reallocarray(st->late, max, sizeof(*late))) != NULL) {
		st->late = late;
		st->max_late = max;
	}
	lock_drop(&st->lock);
	return late == NULL ? Q_NOMEM : Q_OK;
}

static void
set_locked(struct room_state *st, const struct room_line *line)
{
	size_t i = place_of(st, line->number);

	if (i == st->n_late || st->late[i].number != line->number) {
		memmove(&st->late[i + 1], &st->late[i],
			(st->n_late - i) * sizeof(st->late[0]));
		st->n_late++;
	}
	st->late[i] = *line;
	if (line->number >= st->n_messages)
		st->n_messages = line->number + 1;
}

void
state_set(struct room_state *st, const struct room_line *line)
{
	lock_take(&st->lock);
	set_locked(st, line);
	lock_drop(&st->lock);
}

uint64_t
state_count(struct room_state *st)
{
	uint64_t n;

	lock_take(&st->lock);
	n = st->n_messages;
	lock_drop(&st->lock);
	return n;
}

/* ---- lines, from memory or the file ---- */

/* Copy the late ones among [number, number + n) to their places; *have marks them.
 * *in_file: how many of these the file has. */
static size_t
copy_late(struct room_state *st, uint64_t number, size_t n, struct room_line *out,
	  bool *have, size_t *in_file)
{
	size_t got;

	lock_take(&st->lock);
	got = number >= st->n_messages      ? 0
	      : st->n_messages - number < n ? (size_t)(st->n_messages - number)
					    : n;
	*in_file = number >= st->n_file        ? 0
		   : st->n_file - number < got ? (size_t)(st->n_file - number)
					       : got;
	for (size_t i = place_of(st, number);
	     i < st->n_late && st->late[i].number < number + got; i++) {
		out[st->late[i].number - number] = st->late[i];
		have[st->late[i].number - number] = true;
	}
	lock_drop(&st->lock);
	return got;
}

static enum qerr
try_lines(struct rooms *r, struct room_state *st, uint64_t number, size_t n,
	  struct room_line *out, size_t *got)
{
	bool *have = calloc(n, sizeof(*have));
	size_t count, in_file, run;
	enum qerr e = Q_OK;

	if (have == NULL)
		return Q_NOMEM;
	count = copy_late(st, number, n, out, have, &in_file);
	for (size_t i = 0; e == Q_OK && i < count; i += run) {
		for (run = 0; i + run < count && have[i + run]; run++)
			continue;
		if (run > 0)
			continue;
		while (i + run < in_file && !have[i + run])
			run++;
		e = run == 0
			? Q_FORMAT
			: state_file_read(r, &st->room->id, number + i, run, out + i);
	}
	free(have);
	if (e == Q_OK)
		*got = count;
	return e;
}

enum qerr
state_lines(struct rooms *r, struct room_state *st, uint64_t number, size_t n,
	    struct room_line *out, size_t *got)
{
	enum qerr e = Q_FORMAT;

	/* A line that was changed and written just now looks damaged, once. */
	for (int i = 0; e == Q_FORMAT && i < READ_TRIES; i++)
		e = try_lines(r, st, number, n, out, got);
	return e;
}

enum qerr
state_line(struct rooms *r, struct room_state *st, const struct uuid *msg,
	   struct room_line *out)
{
	struct room_line line;
	uint64_t number;
	int64_t ms;
	size_t got;
	enum qerr e = message_number(&st->room->id, msg, &ms, &number);

	if (e == Q_OK)
		e = state_lines(r, st, number, 1, &line, &got);
	if (e == Q_OK && (got == 0 || line.ms != ms || line.seq == 0))
		e = Q_MISSING;
	if (e == Q_OK)
		*out = line;
	return e;
}

/* ---- events of the log ---- */

/* Lines of messages whose records are lost, so that each has one. */
static enum qerr
fill_gap(struct room_state *st, uint64_t upto)
{
	enum qerr e = Q_OK;

	while (e == Q_OK && st->n_messages < upto) {
		struct room_line lost = {.number = st->n_messages, .deleted = true};

		if ((e = state_reserve(st, 1)) == Q_OK)
			state_set(st, &lost);
	}
	return e;
}

/* What an event makes of its message.  Q_MISSING: nothing. */
static enum qerr
apply(struct rooms *r, struct room_state *st, const struct event_text *t)
{
	const struct room_event *ev = &t->ev;
	struct room_line line;
	int64_t ms;
	enum qerr e;

	if (ev->kind == ROOM_PUBKEY || ev->kind == ROOM_CHANGED)
		return Q_MISSING;
	if (ev->kind == ROOM_SEND) {
		memset(&line, 0, sizeof(line));
		if (message_number(&st->room->id, &ev->msg, &ms, &line.number) != Q_OK ||
		    ms != ev->time_ms || line.number >= ev->seq)
			return Q_MISSING;
		if ((e = fill_gap(st, line.number)) != Q_OK)
			return e;
		line.ms = ms;
		line.seq = line.last = ev->seq;
		line.in_file = ev->in_file;
		line.ref = t->ref.len > 0 ? ref_hash(ev->from, t->ref) : 0;
	} else {
		if ((e = state_line(r, st, &ev->msg, &line)) != Q_OK)
			return e;
		line_change(&line, ev);
	}
	if ((e = state_reserve(st, 1)) == Q_OK)
		state_set(st, &line);
	return e;
}

void
line_change(struct room_line *line, const struct room_event *ev)
{
	if (ev->kind == ROOM_PIN) {
		line->pinned = ev->pinned;
		return;
	}
	line->last = ev->seq;
	line->edited |= ev->kind == ROOM_EDIT;
	if (ev->kind == ROOM_DELETE) {
		line->deleted = true;
		line->in_file = false;
	}
}

struct reading {
	struct rooms *r;
	struct room_state *st;
	size_t n;
	enum qerr e;
};

static bool
read_one(void *arg, const struct record *rec)
{
	struct reading *p = arg;
	struct change_text change = {.people = NULL};
	struct event_text t;

	p->n++;
	p->e = event_take(rec, &t, &change);
	if (p->e == Q_OK) {
		p->e = apply(p->r, p->st, &t);
		if (p->e == Q_MISSING) /* about a message whose record is lost */
			p->e = Q_OK;
	} else if (p->e == Q_FORMAT) {
		p->e = Q_OK; /* a record that says nothing */
	}
	change_free(&change);
	if (p->e != Q_OK)
		return false;
	p->st->applied = rec->id;
	return true;
}

/* Take in what stands in the log behind `applied`. */
static enum qerr
read_on(struct rooms *r, struct room_state *st)
{
	struct reading p = {r, st, 1, Q_OK};
	enum qerr e = Q_OK;

	while (e == Q_OK && p.n > 0) {
		p.n = 0;
		e = msglog_read(st->log, st->applied, READ_BATCH, read_one, &p, NULL);
		if (e == Q_OK)
			e = p.e;
		if (e == Q_OK)
			state_checkpoint(r, st);
	}
	return e;
}

void
state_checkpoint(struct rooms *r, struct room_state *st)
{
	enum qerr e;

	if (st->applied < st->due || r->readonly)
		return;
	st->due = st->applied + LATE_MAX;
	if ((e = msglog_sync(st->log)) == Q_OK)
		e = state_file_write(r, &st->room->id, st->late, st->n_late, st->applied,
				     st->n_messages);
	if (e != Q_OK) {
		if (!st->told)
			store_report(r->store,
				     "rooms/: the state of a room cannot be written: %s",
				     qerr_str(e));
		st->told = true; /* once; memory has it, and the log */
		return;
	}
	st->told = false;
	lock_take(&st->lock);
	st->n_late = 0;
	st->n_file = st->n_messages;
	lock_drop(&st->lock);
}

enum qerr
state_rebuild(struct rooms *r, struct room_state *st)
{
	lock_take(&st->lock);
	st->applied = st->n_late = 0;
	st->due = LATE_MAX;
	st->n_messages = st->n_file = 0;
	lock_drop(&st->lock);
	refs_fini(&st->refs);
	return read_on(r, st);
}

/* ---- opening ---- */

static bool
take_time(void *arg, const struct record *rec)
{
	struct room_state *st = arg;

	st->last_ms = rec->time_ms;
	return false;
}

/* Where the log ends, and what the file knows. */
static enum qerr
look_around(struct rooms *r, struct room_state *st)
{
	uint64_t applied, n;
	enum qerr e = msglog_last_id(st->log, &st->last);

	if (e == Q_OK && st->last > 0)
		e = msglog_read(st->log, st->last - 1, 1, take_time, st, NULL);
	if (e != Q_OK)
		return e;
	e = state_file_head(r, &st->room->id, &applied, &n);
	if (e == Q_OK && applied <= st->last) {
		st->applied = applied;
		st->due = applied + LATE_MAX;
		st->n_messages = st->n_file = n;
	} else if (e == Q_OK || e == Q_FORMAT) {
		if (!r->readonly) /* "server check" says it itself */
			store_report(r->store,
				     "rooms/: the state of a room is damaged, or ahead "
				     "of its messages; it is made anew");
		e = Q_OK;
	}
	return e == Q_MISSING ? Q_OK : e;
}

enum qerr
state_open(struct rooms *r, struct room *room, struct room_state **out)
{
	struct room_state *st = calloc(1, sizeof(*st));
	char log[48];
	enum qerr e;

	if (st == NULL)
		return Q_NOMEM;
	st->room = room;
	st->due = LATE_MAX;
	lock_init(&st->lock);
	state_log_name(&room->id, log);
	if ((e = msglog_open(r->store, log, &st->log)) == Q_OK)
		e = look_around(r, st);
	if (e == Q_OK && !r->readonly) /* a full disk keeps nobody from reading */
		(void)change_catch_up(r, room, st, true);
	if (e == Q_OK && (e = read_on(r, st)) == Q_FORMAT)
		e = state_rebuild(r, st);
	if (e != Q_OK) {
		state_free(st);
		return e;
	}
	*out = st;
	return Q_OK;
}

void
state_free(struct room_state *st)
{
	msglog_close(st->log);
	refs_fini(&st->refs);
	free(st->late);
	lock_fini(&st->lock);
	free(st);
}
