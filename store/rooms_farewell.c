/* SPDX-License-Identifier: MIT
 *
 * Who was removed from a room, and who was in a room that is dropped, find nothing of it
 * any more but the event that says so. That event is not read from the room's log, which
 * is not theirs any longer, or gone: the journal has it, and at start it is made anew
 * from there, unless a "told" behind it says that it was heard:
 *
 *   told - -  ROOM SEQ\nalice bob
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/decimal.h"
#include "store/rooms_priv.h"

/* Is this member of old to hear of it, behind all the others? */
static bool
concerned(const struct room_change *c, const char *by, const char *name)
{
	if (c->action == ROOM_REMOVE)
		return names_have(c->people, c->n_people, name);
	return c->action == ROOM_DROP && name_cmp(name, by) != 0;
}

enum qerr
farewells_make(const struct room_info *old, const struct room_change *change,
	       const char *by, struct room_farewells *out)
{
	struct room_farewell *f;

	STAILQ_INIT(out);
	for (size_t i = 0; i < old->n_members; i++) {
		if (!concerned(change, by, old->members[i]))
			continue;
		if ((f = calloc(1, sizeof(*f))) == NULL) {
			farewells_free(out);
			return Q_NOMEM;
		}
		STAILQ_INSERT_TAIL(out, f, link);
	}
	return Q_OK;
}

void
farewells_free(struct room_farewells *list)
{
	struct room_farewell *f;

	while ((f = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, link);
		room_info_put(f->info);
		free(f);
	}
}

void
farewells_give(struct rooms *r, struct room_farewells *list, const struct room_info *old,
	       const struct room_change *change, const char *by,
	       const struct room_farewell *last)
{
	struct room_farewell *f;

	for (size_t i = 0; old != NULL && i < old->n_members; i++) {
		if (STAILQ_EMPTY(list) || !concerned(change, by, old->members[i]))
			continue;
		f = STAILQ_FIRST(list);
		STAILQ_REMOVE_HEAD(list, link);
		*f = *last;
		(void)info_ref(f->info);
		STAILQ_INSERT_TAIL(&occupant_find(r, old->members[i])->farewells, f,
				   link);
	}
}

void
farewells_drop(struct rooms *r, const char *user, const struct uuid *room, uint64_t seq)
{
	struct occupant *o = occupant_find(r, user);
	struct room_farewell *f, *next;

	if (o == NULL)
		return;
	STAILQ_FOREACH_SAFE(f, &o->farewells, link, next)
	if (f->seq == seq && uuid_eq(&f->info->id, room)) {
		STAILQ_REMOVE(&o->farewells, f, room_farewell, link);
		room_info_put(f->info);
		free(f);
	}
	occupant_done(r, o);
}

enum qerr
told_replay(struct rooms *r, const struct record *rec)
{
	struct span s = rec->data, names;
	const uint8_t *newline = s.len == 0 ? NULL : memchr(s.p, '\n', s.len);
	char name[NAME_SIZE];
	struct uuid room;
	uint64_t seq;
	size_t head;

	if (newline == NULL || (head = (size_t)(newline - s.p)) < UUID_LEN + 2 ||
	    s.p[UUID_LEN] != ' ' || uuid_parse(span_of(s.p, UUID_LEN), &room) != Q_OK ||
	    decimal_read(span_of(s.p + UUID_LEN + 1, head - UUID_LEN - 1), INT64_MAX,
			 &seq) != Q_OK)
		return Q_FORMAT;
	names = span_of(newline + 1, s.len - head - 1);
	while (names.len > 0) {
		const uint8_t *blank = memchr(names.p, ' ', names.len);
		size_t len = blank != NULL ? (size_t)(blank - names.p) : names.len;

		if (name_copy(span_of(names.p, len), name) != Q_OK)
			return Q_FORMAT;
		farewells_drop(r, name, &room, seq);
		if (blank == NULL)
			break;
		names = span_of(blank + 1, names.len - len - 1);
	}
	return Q_OK;
}

/* ---- what others call ---- */

static bool
waits_for(struct rooms *r, const char *user, const struct uuid *room, uint64_t seq)
{
	struct occupant *o = occupant_find(r, user);
	struct room_farewell *f;

	if (o == NULL)
		return false;
	STAILQ_FOREACH (f, &o->farewells, link)
		if (f->seq == seq && uuid_eq(&f->info->id, room))
			return true;
	return false;
}

enum qerr
rooms_farewell_told(struct rooms *r, const struct uuid *room, uint64_t seq,
		    const char *const *users, size_t n)
{
	struct record rec = {.kind = ROOM_TOLD, .text = true};
	struct buf text = BUF_INIT(RECORD_LINE_MAX);
	char id[UUID_SIZE];
	size_t waiting = 0;
	enum qerr e;

	uuid_text(room, id);
	e = buf_printf(&text, "%s %" PRIu64 "\n", id, seq);
	lock_take(&r->lock);
	for (size_t i = 0; e == Q_OK && i < n; i++)
		if (waits_for(r, users[i], room, seq))
			e = buf_printf(&text, "%s%s", waiting++ > 0 ? " " : "", users[i]);
	lock_drop(&r->lock);
	if (e == Q_OK && waiting > 0) {
		rec.data = buf_span(&text);
		e = journal_append(r->journal, &rec);
	}
	if (e == Q_OK && waiting > 0) {
		lock_take(&r->lock);
		for (size_t i = 0; i < n; i++)
			farewells_drop(r, users[i], room, seq);
		lock_drop(&r->lock);
	}
	buf_free(&text);
	return e;
}

static size_t
count_farewells(const struct occupant *o)
{
	const struct room_farewell *f = STAILQ_FIRST(&o->farewells);
	size_t n = 0;

	for (; f != NULL; f = STAILQ_NEXT(f, link))
		n++;
	return n;
}

/* Copies, with references, as they are now. */
static enum qerr
copy_farewells(struct rooms *r, const char *user, struct room_farewell **out, size_t *n)
{
	struct room_farewell *list = NULL;
	const struct room_farewell *f = NULL;
	struct occupant *o;
	size_t count = 0;
	enum qerr e = Q_OK;

	lock_take(&r->lock);
	if ((o = occupant_find(r, user)) != NULL && (count = count_farewells(o)) > 0) {
		f = STAILQ_FIRST(&o->farewells);
		if ((list = calloc(count, sizeof(*list))) == NULL)
			e = Q_NOMEM;
	}
	count = 0;
	for (; e == Q_OK && f != NULL; f = STAILQ_NEXT(f, link)) {
		list[count] = *f;
		(void)info_ref(list[count++].info);
	}
	lock_drop(&r->lock);
	*out = list;
	*n = count;
	return e;
}

static bool
show(const struct room_farewell *f, const char *user,
     bool (*each)(void *arg, const struct room_info *info, const struct room_event *ev),
     void *arg)
{
	char self[1][NAME_SIZE] = {""};
	struct room_change change = {.action = f->action};
	struct room_event ev = {.seq = f->seq,
				.time_ms = f->time_ms,
				.kind = ROOM_CHANGED,
				.change = &change};

	memcpy(ev.from, f->by, NAME_SIZE);
	if (f->action == ROOM_REMOVE) {
		memcpy(self[0], user, strnlen(user, NAME_MAX_LEN));
		change.people = (const char(*)[NAME_SIZE])self;
		change.n_people = 1;
	}
	return each(arg, f->info, &ev);
}

enum qerr
rooms_farewells(struct rooms *r, const char *user,
		bool (*each)(void *arg, const struct room_info *info,
			     const struct room_event *ev),
		void *arg)
{
	struct room_farewell *list;
	bool go_on = true;
	size_t n;
	enum qerr e = copy_farewells(r, user, &list, &n);

	for (size_t i = 0; i < n; i++) {
		if (go_on)
			go_on = show(&list[i], user, each, arg);
		room_info_put(list[i].info);
	}
	free(list);
	return e;
}
