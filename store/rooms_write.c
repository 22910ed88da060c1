/* SPDX-License-Identifier: MIT
 *
 * A change is written into the journal, which says which seq its event is to have, and
 * then into the room's log. A kill between the two, or a disk that is full just then,
 * leaves the log behind: whoever uses the room next appends the event first. So no
 * message ever comes between the two.
 *
 * What takes rights away is forced to the disk whatever the durability, since after a
 * power cut it would be given back.
 */
#include <string.h>

#include "store/rooms_change_priv.h"

#define LOOK_BACK 4096 /* records */

enum qerr
write_change(struct rooms *r, struct room *room, enum room_type type, struct changing *c)
{
	struct record rec = {.text = true, .time_ms = c->time_ms};
	struct buf text = BUF_INIT(RECORD_LINE_MAX);
	enum qerr e = change_put(&text, &room->id, c->seq, type, &c->change);

	strcpy(rec.kind, action_kind(c->change.action));
	memcpy(rec.from, c->ask->by, strnlen(c->ask->by, NAME_MAX_LEN));
	rec.data = buf_span(&text);
	if (e == Q_OK && (e = journal_append(r->journal, &rec)) == Q_OK) {
		room->change_id = rec.id;
		room->change_seq = c->seq;
		if (c->info == NULL || c->change.action == ROOM_REMOVE ||
		    c->change.action == ROOM_DEMOTE || c->change.action == ROOM_LEAVE)
			(void)journal_sync(r->journal); /* reported when it fails */
	}
	buf_free(&text);
	return e;
}

struct again {
	struct room_state *st;
	enum qerr e;
};

static bool
append_again(void *arg, const struct record *rec)
{
	struct again *a = arg;
	struct record copy = *rec;

	copy.id = 0;
	if (copy.time_ms < a->st->last_ms)
		copy.time_ms = a->st->last_ms;
	a->e = msglog_append(a->st->log, &copy, 1);
	if (copy.id == 0)
		return false;
	a->e = Q_OK; /* it is there; a doubt about the disk was reported */
	a->st->last = copy.id;
	a->st->last_ms = copy.time_ms;
	return false;
}

struct look {
	const struct record *want;
	bool found;
};

static bool
look_for(void *arg, const struct record *rec)
{
	struct look *l = arg;

	l->found =
	    strcmp(rec->kind, l->want->kind) == 0 && span_eq(rec->data, l->want->data);
	return !l->found;
}

struct check_again {
	struct again again; /* first: append_again knows nothing else */
	bool there;
};

/* After a power cut a log may have lost records before the change's: then the event gets
 * another seq than it was to have, and is not to be appended at each start. */
static bool
append_unless_there(void *arg, const struct record *rec)
{
	struct check_again *c = arg;
	struct room_state *st = c->again.st;
	struct look look = {rec, false};
	uint64_t after = st->last > LOOK_BACK ? st->last - LOOK_BACK : 0;

	c->again.e = msglog_read(st->log, after, SIZE_MAX, look_for, &look, NULL);
	c->there = look.found;
	return c->again.e == Q_OK && !c->there ? append_again(&c->again, rec) : false;
}

enum qerr
change_catch_up(struct rooms *r, struct room *room, struct room_state *st, bool opening)
{
	struct check_again c = {{st, Q_OK}, false};
	enum qerr e;

	if (room->change_seq <= st->last)
		return Q_OK;
	e = msglog_read(r->past, room->change_id - 1, 1,
			opening ? append_unless_there : append_again, &c, NULL);
	if (e == Q_OK)
		e = c.again.e;
	if (e == Q_OK)
		room->change_seq = st->last;
	return e;
}
