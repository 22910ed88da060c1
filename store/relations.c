/* SPDX-License-Identifier: MIT
 *
 * Events, one record each, without data:
 *
 *   wish     FROM would like TO as a contact
 *   confirm  FROM, whom TO had asked, agrees: contacts, both
 *   told     FROM has heard that TO had confirmed
 *   remove   FROM takes back the wish, or ends the contact for both
 *   forget   FROM (TO is "-") is no more: everything about FROM
 *
 * What an event does to memory is in apply and apply_forget, for those that are read at start and
 * those that happen; so the state after a restart is the state before.
 *
 * An event is written without the mutex.  Meanwhile its bond is busy and whoever wants
 * to change the same one waits, so the file has one pair's events in the order in which
 * they took effect.  "forget" is about many pairs: it waits until nothing is being
 * written, and others wait for it.
 */
#include "store/relations.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/journal.h"
#include "store/pairs.h"

#define KIND_FORGET "forget"

enum event { WISH, CONFIRM, TOLD, REMOVE, N_EVENTS };

static const char *const kinds[N_EVENTS] = {
    [WISH] = "wish", [CONFIRM] = "confirm", [TOLD] = "told", [REMOVE] = "remove"};

/* What there is between two; side i is that of pair.end[i]. */
struct bond {
	struct pair pair;
	bool contact;
	int64_t since_ms; /* contact: both agreed then */
	bool wished[2];   /* side i asked; not when they are contacts */
	int64_t wished_ms[2];
	uint64_t since_event, wished_event[2]; /* the journal's ids of the same */
	bool news[2]; /* side i has not heard yet of the confirmation */
};

struct relations {
	struct journal *journal;
	struct lock lock;
	pthread_cond_t changed; /* something is no longer busy */
	struct pairs pairs;     /* [lock] */
	unsigned writing;       /* [lock] events of bonds that are being written */
	bool forgetting;        /* [lock] */
};

static struct bond *
bond_of(struct pair *pair)
{
	return pair == NULL ? NULL : INDEX_OBJECT(pair, struct bond, pair);
}

static struct bond *
bond_find(const struct relations *r, const char *a, const char *b)
{
	return bond_of(pairs_find(&r->pairs, a, b, 0));
}

static struct bond *
bond_new(struct relations *r, const char *a, const char *b)
{
	struct bond *bond = calloc(1, sizeof(*bond));

	if (bond != NULL && pairs_add(&r->pairs, &bond->pair, a, b, 0) != Q_OK) {
		free(bond);
		bond = NULL;
	}
	return bond;
}

static void
bond_free(struct pair *pair)
{
	free(bond_of(pair));
}

/* Free it when it says nothing. */
static void
bond_drop(struct relations *r, struct bond *bond)
{
	if (bond->contact || bond->wished[0] || bond->wished[1])
		return;
	pairs_remove(&r->pairs, &bond->pair);
	free(bond);
}

static enum relation
relation_of(const struct bond *bond, int side)
{
	if (bond->contact)
		return RELATION_CONTACT;
	if (bond->wished[side])
		return RELATION_WISHED;
	return bond->wished[1 - side] ? RELATION_ASKED : RELATION_NONE;
}

/* ---- events ---- */

static void
apply(struct bond *bond, enum event event, int side, const struct record *rec)
{
	switch (event) {
	case WISH: /* of contacts: that it had ended was on a damaged line */
		bond->contact = bond->news[0] = bond->news[1] = false;
		bond->wished[side] = true;
		bond->wished_ms[side] = rec->time_ms;
		bond->wished_event[side] = rec->id;
		break;
	case CONFIRM:
		bond->contact = true;
		bond->since_ms = rec->time_ms;
		bond->since_event = rec->id;
		bond->wished[0] = bond->wished[1] = false;
		bond->news[1 - side] = true;
		break;
	case TOLD: bond->news[side] = false; break;
	case REMOVE:
		bond->wished[side] = false;
		bond->contact = bond->news[0] = bond->news[1] = false;
		break;
	case N_EVENTS: break;
	}
}

static void
apply_forget(struct relations *r, const char *user)
{
	struct person *person;

	/* The person goes with the last pair. */
	while ((person = pairs_person(&r->pairs, user)) != NULL) {
		struct pair *pair = SLIST_FIRST(&person->ends)->pair;

		pairs_remove(&r->pairs, pair);
		bond_free(pair);
	}
}

/* What does not fit, because a line before it was damaged, is taken at its word. */
static enum qerr
replay(void *arg, const struct record *rec)
{
	struct relations *r = arg;
	struct bond *bond;
	int event = 0;

	if (strcmp(rec->kind, KIND_FORGET) == 0 && rec->from[0] != '\0') {
		apply_forget(r, rec->from);
		return Q_OK;
	}
	while (event < N_EVENTS && strcmp(rec->kind, kinds[event]) != 0)
		event++;
	if (event == N_EVENTS || rec->from[0] == '\0' || rec->to[0] == '\0' ||
	    name_cmp(rec->from, rec->to) == 0)
		return Q_OK;
	if ((bond = bond_find(r, rec->from, rec->to)) == NULL &&
	    (bond = bond_new(r, rec->from, rec->to)) == NULL)
		return Q_NOMEM;
	apply(bond, (enum event)event, pair_side(&bond->pair, rec->from), rec);
	bond_drop(r, bond);
	return Q_OK;
}

/* ---- opening and closing ---- */

enum qerr
relations_open(struct store *s, struct relations **out)
{
	struct relations *r = calloc(1, sizeof(*r));
	enum qerr e;

	if (r == NULL)
		return Q_NOMEM;
	if (pairs_init(&r->pairs) != Q_OK) {
		free(r);
		return Q_NOMEM;
	}
	lock_init(&r->lock);
	lock_cond_init(&r->changed);
	e = journal_open(s, FOLDER_CONTACTS, RELATIONS_JOURNAL, replay, r, &r->journal);
	if (e != Q_OK) {
		int err = errno;

		relations_close(r);
		errno = err;
		return e;
	}
	*out = r;
	return Q_OK;
}

void
relations_close(struct relations *r)
{
	if (r == NULL)
		return;
	journal_close(r->journal);
	pairs_fini(&r->pairs, bond_free);
	lock_fini(&r->lock);
	pthread_cond_destroy(&r->changed);
	free(r);
}

/* ---- changing ---- */

static struct bond *
bond_await(struct relations *r, const char *a, const char *b) REQUIRES(r->lock);

/* The bond, or NULL, when nobody is changing it. */
static struct bond *
bond_await(struct relations *r, const char *a, const char *b)
{
	struct bond *bond;

	LOCK_ASSERT_HELD(&r->lock);
	while ((bond = bond_find(r, a, b)),
	       r->forgetting || (bond != NULL && bond->pair.busy))
		(void)lock_wait(&r->lock, &r->changed, 0);
	return bond;
}

static enum qerr happen(struct relations *r, struct bond *bond, enum event event,
			int side) REQUIRES(r->lock);

/* Write what side does and apply it.  The lock is held before and after, not
 * meanwhile; bond may be gone afterwards. */
static enum qerr
happen(struct relations *r, struct bond *bond, enum event event, int side)
{
	struct record rec = {.text = true};
	enum qerr e;

	LOCK_ASSERT_HELD(&r->lock);
	strcpy(rec.kind, kinds[event]);
	strcpy(rec.from, bond->pair.end[side].person->name);
	strcpy(rec.to, bond->pair.end[1 - side].person->name);
	bond->pair.busy = true;
	r->writing++;
	lock_drop(&r->lock);
	e = journal_append(r->journal, &rec);
	lock_take(&r->lock);
	r->writing--;
	bond->pair.busy = false;
	if (e == Q_OK)
		apply(bond, event, side, &rec);
	bond_drop(r, bond);
	pthread_cond_broadcast(&r->changed);
	return e;
}

static bool
names_valid(const char *a, const char *b)
{
	return name_valid(span_str(a)) && name_valid(span_str(b)) && name_cmp(a, b) != 0;
}

enum qerr
relations_wish(struct relations *r, const char *from, const char *to,
	       enum wish_result *out)
{
	enum wish_result result = WISH_OLD;
	struct bond *bond;
	int side = 0;
	enum qerr e = Q_OK;

	if (!names_valid(from, to))
		return Q_FORMAT;
	lock_take(&r->lock);
	if ((bond = bond_await(r, from, to)) == NULL) {
		result = WISH_NEW;
		if ((bond = bond_new(r, from, to)) == NULL)
			e = Q_NOMEM;
	} else {
		side = pair_side(&bond->pair, from);
		if (relation_of(bond, side) == RELATION_ASKED)
			result = WISH_CONFIRMED;
	}
	if (e == Q_OK && result != WISH_OLD)
		e = happen(r, bond, result == WISH_NEW ? WISH : CONFIRM, side);
	lock_drop(&r->lock);
	if (e == Q_OK)
		*out = result;
	return e;
}

enum qerr
relations_remove(struct relations *r, const char *from, const char *to)
{
	struct bond *bond;
	enum relation relation = RELATION_NONE;
	int side = 0;
	enum qerr e = Q_MISSING;

	lock_take(&r->lock);
	if ((bond = bond_await(r, from, to)) != NULL) {
		side = pair_side(&bond->pair, from);
		relation = relation_of(bond, side);
	}
	if (relation == RELATION_WISHED || relation == RELATION_CONTACT)
		e = happen(r, bond, REMOVE, side);
	lock_drop(&r->lock);
	return e;
}

enum qerr
relations_told(struct relations *r, const char *user, const char *other)
{
	struct bond *bond;
	enum qerr e = Q_OK;

	lock_take(&r->lock);
	if ((bond = bond_await(r, user, other)) != NULL) {
		int side = pair_side(&bond->pair, user);

		if (bond->news[side])
			e = happen(r, bond, TOLD, side);
	}
	lock_drop(&r->lock);
	return e;
}

enum qerr
relations_forget(struct relations *r, const char *user)
{
	struct record rec = {.kind = KIND_FORGET, .text = true};
	struct person *person;
	enum qerr e = Q_OK;

	lock_take(&r->lock);
	while (r->forgetting)
		(void)lock_wait(&r->lock, &r->changed, 0);
	r->forgetting = true;
	while (r->writing > 0)
		(void)lock_wait(&r->lock, &r->changed, 0);
	if ((person = pairs_person(&r->pairs, user)) != NULL) {
		strcpy(rec.from, person->name);
		lock_drop(&r->lock);
		e = journal_append(r->journal, &rec);
		lock_take(&r->lock);
		if (e == Q_OK)
			apply_forget(r, user);
	}
	r->forgetting = false;
	pthread_cond_broadcast(&r->changed);
	lock_drop(&r->lock);
	return e;
}

/* ---- looking ---- */

enum relation
relations_get(struct relations *r, const char *a, const char *b)
{
	enum relation relation = RELATION_NONE;
	struct bond *bond;

	lock_take(&r->lock);
	if ((bond = bond_find(r, a, b)) != NULL)
		relation = relation_of(bond, pair_side(&bond->pair, a));
	lock_drop(&r->lock);
	return relation;
}

static int
by_name(const void *a, const void *b)
{
	const struct relation_info *x = a, *y = b;

	return name_cmp(x->name, y->name);
}

static void
fill_info(const struct bond *bond, int side, struct relation_info *out)
{
	int asker = bond->wished[side] ? side : 1 - side;

	strcpy(out->name, bond->pair.end[1 - side].person->name);
	out->relation = relation_of(bond, side);
	out->since_ms = bond->contact ? bond->since_ms : bond->wished_ms[asker];
	out->event = bond->contact ? bond->since_event : bond->wished_event[asker];
	out->news = bond->news[side];
}

enum qerr
relations_of(struct relations *r, const char *user, struct relation_info **out,
	     size_t *count)
{
	struct relation_info *list = NULL;
	struct person *person;
	struct pair_end *end;
	enum qerr e = Q_OK;
	size_t n = 0;

	lock_take(&r->lock);
	if ((person = pairs_person(&r->pairs, user)) != NULL) {
		if ((list = calloc(person->n, sizeof(*list))) == NULL)
			e = Q_NOMEM;
		else
			/* cppcheck-suppress uninitvar - the macro sets it */
			SLIST_FOREACH (end, &person->ends, link) {
				int side = end == &end->pair->end[0] ? 0 : 1;

				fill_info(bond_of(end->pair), side, &list[n]);
				if (list[n].relation != RELATION_NONE)
					n++;
			}
	}
	lock_drop(&r->lock);
	if (e != Q_OK)
		return e;
	if (n == 0) { /* the only one is just being made */
		free(list);
		list = NULL;
	} else {
		qsort(list, n, sizeof(*list), by_name);
	}
	*out = list;
	*count = n;
	return Q_OK;
}
