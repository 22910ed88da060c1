/* SPDX-License-Identifier: MIT
 *
 * Whoever posts queues up at the room. The first one who finds the room not busy writes
 * for all who wait by then: one write, with durability `always` one fdatasync, one call of
 * told. Those who come meanwhile wait for the next turn, written by one of them. So
 * events get their numbers, are written and are told in one order, and the more there is
 * to do the less each event costs.
 *
 *   1. judge          each post by itself (rooms_judge.c)
 *   2. encode         what is allowed becomes records; large contents are files by now,
 *                     hidden under the names of messages to be (room_files.c)
 *   3. append         all of them or none
 *   4. take in        lines, refs, files; then tell
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/rooms_priv.h"

#define BATCH_POSTS 256
#define BATCH_BYTES (8 * 1024 * 1024)

static void
answer(struct room_post *post, enum room_answer a, enum qerr e)
{
	post->answer = a;
	post->error = a == ROOM_FAILED ? e : Q_OK;
}

/* ---- 2 and 3 ---- */

static enum qerr
hide_files(struct rooms *r, struct room_batch *b, size_t *done)
{
	enum qerr e = Q_OK;

	for (*done = 0; e == Q_OK && *done < b->n; ++*done) {
		struct room_draft *d = &b->draft[*done];

		if (d->text.ev.in_file)
			e = room_file_hide(r->store, d->content->temp, &b->room->id,
					   &d->text.ev.msg);
		else if (d->unfile)
			e = room_file_hide(r->store, NULL, &b->room->id, &d->text.ev.msg);
		if (e == Q_MISSING && d->unfile) /* it is gone already: well */
			e = Q_OK;
		if (e != Q_OK)
			break;
		if (d->text.ev.in_file)
			d->content->temp[0] = '\0';
	}
	return e;
}

/* The first n drafts were written, or not: what is hidden becomes visible, or goes. */
static void
settle_files(struct rooms *r, struct room_batch *b, size_t n, bool written)
{
	for (size_t i = 0; i < n; i++) {
		struct room_draft *d = &b->draft[i];

		if (d->text.ev.in_file)
			room_file_settle(r->store, &b->room->id, &d->text.ev.msg,
					 written);
		else if (d->unfile)
			room_file_settle(r->store, &b->room->id, &d->text.ev.msg,
					 !written);
	}
}

/* *data has where the data of each record begins in text. */
static enum qerr
encode(struct room_batch *b, struct record *rec, struct buf *text)
{
	size_t at = 0;
	enum qerr e = Q_OK;

	for (size_t i = 0; e == Q_OK && i < b->n; i++) {
		size_t before = text->len;

		e = event_put(text, &b->draft[i].text, rec[i].kind);
		rec[i].data.len = text->len - before;
	}
	for (size_t i = 0; e == Q_OK && i < b->n; i++) {
		memcpy(rec[i].from, b->draft[i].text.ev.from, NAME_SIZE);
		rec[i].time_ms = b->ms;
		rec[i].text = true;
		rec[i].data.p = text->p + at;
		at += rec[i].data.len;
	}
	return e;
}

/* ---- 4 ---- */

static void
take_in(struct room_batch *b, const struct record *rec)
{
	struct room_state *st = b->st;

	for (size_t i = 0; i < b->n; i++) {
		struct room_draft *d = &b->draft[i];

		d->text.ev.seq = rec[i].id;
		if (d->text.ev.kind == ROOM_SEND) {
			d->line.seq = d->line.last = rec[i].id;
			refs_add(st, d->line.ref, d->line.number);
		} else {
			line_change(&d->line, &d->text.ev);
		}
		if (d->text.ev.kind != ROOM_PUBKEY)
			state_set(st, &d->line);
	}
	st->last = st->applied = rec[b->n - 1].id;
	st->last_ms = b->ms;
}

static void
answer_all(struct room_batch *b, enum qerr e)
{
	for (size_t i = 0; i < b->n; i++) {
		struct room_post *post = b->draft[i].post;

		post->msg = b->draft[i].text.ev.msg;
		post->seq = b->draft[i].text.ev.seq;
		post->time_ms = b->ms;
		answer(post, e == Q_OK ? ROOM_OK : ROOM_FAILED, e);
	}
}

static void
tell(struct rooms *r, struct room_batch *b, struct room_event *events)
{
	lock_take(&r->lock);
	b->room->told = b->st->last;
	lock_drop(&r->lock);
	if (r->told == NULL)
		return;
	for (size_t i = 0; i < b->n; i++)
		events[i] = b->draft[i].text.ev;
	r->told(r->told_arg, b->info, events, b->n);
}

/* ---- a batch ---- */

static enum qerr
write_batch(struct rooms *r, struct room_batch *b)
{
	struct record *rec = calloc(b->n, sizeof(*rec));
	struct room_event *events = calloc(b->n, sizeof(*events));
	struct buf *text = scratch_take(r->store);
	size_t hidden = 0;
	enum qerr e = Q_NOMEM;

	if (rec == NULL || events == NULL || text == NULL)
		goto out;
	if ((e = state_reserve(b->st, b->n)) != Q_OK ||
	    (e = hide_files(r, b, &hidden)) != Q_OK || (e = encode(b, rec, text)) != Q_OK)
		goto out;
	e = msglog_append(b->st->log, rec, b->n);
	/* With an id they are in the file for everybody to see, and the doubt is only
	 * whether they outlive a power cut: they are told, but not confirmed. */
	if (rec[0].id == 0)
		goto out;
	settle_files(r, b, b->n, true);
	hidden = 0;
	take_in(b, rec);
	tell(r, b, events);
	state_checkpoint(r, b->st);
out:
	settle_files(r, b, hidden, false);
	scratch_give(r->store, text);
	free(rec);
	free(events);
	return e;
}

/* The posts that wait, in order, as long as they fit; returns how many were looked at. */
static size_t
gather(struct rooms *r, struct room_batch *b, struct room_turn *turn)
{
	size_t looked = 0, bytes = 0, at = turn->at;
	struct room_draft *d;
	enum room_answer a;
	bool again;

	while (turn != NULL && b->n < b->max && bytes < BATCH_BYTES) {
		if (at == turn->n) {
			lock_take(&r->lock);
			turn = turn->next;
			lock_drop(&r->lock);
			at = 0;
			continue;
		}
		d = &b->draft[b->n];
		memset(d, 0, sizeof(*d));
		d->content = &turn->contents[at];
		a = post_judge(r, b, &turn->posts[at], d, &again);
		if (again)
			break;
		if (a == ROOM_OK) {
			bytes += d->text.ev.content.len;
			b->n++;
		} else {
			answer(&turn->posts[at], a, turn->posts[at].error);
		}
		at++;
		looked++;
	}
	return looked;
}

/* How many posts wait, up to the size of a batch. */
static size_t
count_waiting(const struct room *room)
{
	size_t n = 0;

	for (const struct room_turn *t = room->first; t != NULL && n < BATCH_POSTS;
	     t = t->next)
		n += t->n - t->at;
	return n < BATCH_POSTS ? n : BATCH_POSTS;
}

/* One batch of those who wait; the room is busy.  Q_OK: *looked posts have got their
 * answers.  Otherwise none has. */
static enum qerr
post_batch(struct rooms *r, struct room_batch *b, struct room_turn *first, size_t *looked)
{
	int64_t now_ms = clock_wall_ms();
	enum qerr e, written = Q_OK;

	if ((e = state_get(r, b->room, &b->st, true)) != Q_OK)
		return e;
	people_hold(r, b->room);
	if ((e = change_catch_up(r, b->room, b->st, false)) == Q_OK) {
		b->ms = now_ms > b->st->last_ms ? now_ms : b->st->last_ms;
		b->next_number = state_count(b->st);
		*looked = gather(r, b, first);
		if (b->n > 0) {
			written = write_batch(r, b);
			answer_all(b, written);
		}
	}
	state_put(r, b->st);
	return e;
}

/* n posts have their answers (or all, when there is something wrong with the room). */
static void
advance(struct room *room, size_t n)
{
	struct room_turn *t;

	while ((t = room->first) != NULL) {
		size_t step = t->n - t->at < n ? t->n - t->at : n;

		t->at += step;
		n -= step;
		if (t->at < t->n)
			break;
		if ((room->first = t->next) == NULL)
			room->end = &room->first;
	}
}

static size_t
refuse_all(struct room *room, enum room_answer a, enum qerr e)
{
	size_t n = 0;

	for (struct room_turn *t = room->first; t != NULL; t = t->next)
		for (size_t i = t->at; i < t->n; i++, n++)
			answer(&t->posts[i], a, e);
	return n;
}

static void lead(struct rooms *r, struct room *room) REQUIRES(r->lock);

/* Write for those who wait; with the lock, which is dropped meanwhile. */
static void
lead(struct rooms *r, struct room *room)
{
	struct room_batch b = {.room = room};
	struct room_turn *first = room->first;
	size_t looked = 0;
	enum qerr e = Q_NOMEM;

	if (room->dropped) {
		advance(room, refuse_all(room, ROOM_UNKNOWN, Q_OK));
		return;
	}
	room->busy = true;
	b.max = count_waiting(room);
	b.info = info_ref(room->info);
	lock_drop(&r->lock);
	if ((b.draft = calloc(b.max, sizeof(*b.draft))) != NULL)
		e = post_batch(r, &b, first, &looked);
	free(b.draft);
	room_info_put(b.info);
	lock_take(&r->lock);
	if (e != Q_OK)
		looked = refuse_all(room, e == Q_MISSING ? ROOM_UNKNOWN : ROOM_FAILED, e);
	advance(room, looked);
	room_leave(room);
}

/* ---- one caller ---- */

/* Contents that are too long for a record. */
static void
write_files(struct rooms *r, struct room_turn *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct room_post *p = &t->posts[i];

		p->error = Q_OK;
		if (p->kind == ROOM_SEND && p->content.len > ROOM_INLINE_MAX)
			p->error =
			    room_file_write(r->store, p->content, t->contents[i].temp,
					    &t->contents[i].crc);
	}
}

static void
discard_files(struct rooms *r, struct room_turn *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->contents[i].temp[0] != '\0')
			room_file_discard(r->store, t->contents[i].temp);
}

static void
post_turn(struct rooms *r, const struct uuid *id, struct room_turn *t)
{
	struct room *room;

	lock_take(&r->lock);
	room = room_find(r, id);
	if (room == NULL || room->dropped) {
		lock_drop(&r->lock);
		for (size_t i = 0; i < t->n; i++)
			answer(&t->posts[i], ROOM_UNKNOWN, Q_OK);
		return;
	}
	room_ref(room);
	*room->end = t;
	room->end = &t->next;
	while (t->at < t->n) {
		if (room->busy)
			(void)lock_wait(&r->lock, &room->changed, 0);
		else
			lead(r, room);
	}
	room_unref(room);
	lock_drop(&r->lock);
}

void
rooms_post(struct rooms *r, const struct uuid *room, struct room_post *posts, size_t n)
{
	struct room_content one = {.temp = ""};
	struct room_turn t = {.posts = posts, .n = n};

	t.contents = n == 1 ? &one : calloc(n, sizeof(*t.contents));
	if (n == 0 || t.contents == NULL) {
		for (size_t i = 0; i < n; i++)
			answer(&posts[i], ROOM_FAILED, Q_NOMEM);
		free(t.contents);
		return;
	}
	write_files(r, &t);
	post_turn(r, room, &t);
	discard_files(r, &t);
	if (t.contents != &one)
		free(t.contents);
}
