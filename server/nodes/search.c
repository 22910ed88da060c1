/* SPDX-License-Identifier: MIT */
#include "server/nodes/search.h"

#include <assert.h>
#include <stdlib.h>

struct search {
	uint32_t uin;
	uint64_t asked; /* links, as bits */
	int64_t until_ms;
	bool following;
	int found; /* once it has ended */
	RB_ENTRY(search) by_uin;
	TAILQ_ENTRY(search) by_time; /* or its place among the ended ones */
};

struct find {
	uint32_t uin;
	int link;
	int64_t until_ms;
	RB_ENTRY(find) by_uin;
	TAILQ_ENTRY(find) by_time;
};

static int
search_cmp(const struct search *a, const struct search *b)
{
	return (a->uin > b->uin) - (a->uin < b->uin);
}
/* RB_GENERATE_STATIC, but for a word that <sys/cdefs.h> does not always have. */
RB_GENERATE_INTERNAL(search_tree, search, by_uin, search_cmp,
		     static __attribute__((unused)))

static int
find_cmp(const struct find *a, const struct find *b)
{
	return (a->uin > b->uin) - (a->uin < b->uin);
}
RB_GENERATE_INTERNAL(find_tree, find, by_uin, find_cmp, static __attribute__((unused)))

void
searches_init(struct searches *s)
{
	*s = (struct searches){.count = 0};
	RB_INIT(&s->open);
	TAILQ_INIT(&s->by_time);
	TAILQ_INIT(&s->ended);
	RB_INIT(&s->finds);
	TAILQ_INIT(&s->finds_time);
}

/* ---- what was found ---- */

static struct find *
find_of(struct searches *s, uint32_t uin)
{
	struct find key = {.uin = uin};

	return RB_FIND(find_tree, &s->finds, &key);
}

static void
find_drop(struct searches *s, struct find *f)
{
	RB_REMOVE(find_tree, &s->finds, f);
	TAILQ_REMOVE(&s->finds_time, f, by_time);
	s->find_count--;
	free(f);
}

/* Without memory it is looked for again the next time. */
static void
find_keep(struct searches *s, uint32_t uin, int link, int64_t now_ms)
{
	struct find *f = find_of(s, uin);

	if (f != NULL)
		find_drop(s, f);
	while ((f = TAILQ_FIRST(&s->finds_time)) != NULL &&
	       (f->until_ms <= now_ms || s->find_count >= SEARCH_MAX))
		find_drop(s, f);
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return;
	f->uin = uin;
	f->link = link;
	f->until_ms = now_ms + SEARCH_FIND_MS;
	RB_INSERT(find_tree, &s->finds, f);
	TAILQ_INSERT_TAIL(&s->finds_time, f, by_time);
	s->find_count++;
}

int
searches_find(struct searches *s, uint32_t uin, int64_t now_ms)
{
	struct find *f = find_of(s, uin);

	return f != NULL && f->until_ms > now_ms ? f->link : SEARCH_NOWHERE;
}

void
searches_forget(struct searches *s, uint32_t uin, int link)
{
	struct find *f = find_of(s, uin);

	if (f != NULL && f->link == link)
		find_drop(s, f);
}

/* ---- searches ---- */

static struct search *
search_of(struct searches *s, uint32_t uin)
{
	struct search key = {.uin = uin};

	return RB_FIND(search_tree, &s->open, &key);
}

/* Most come with the same time-out, so the place is near the end. */
static void
queue(struct searches *s, struct search *new)
{
	struct search *e;

	TAILQ_FOREACH_REVERSE(e, &s->by_time, search_list, by_time)
	if (e->until_ms <= new->until_ms)
		break;
	if (e != NULL)
		TAILQ_INSERT_AFTER(&s->by_time, e, new, by_time);
	else
		TAILQ_INSERT_HEAD(&s->by_time, new, by_time);
}

static void
end(struct searches *s, struct search *e, int found)
{
	RB_REMOVE(search_tree, &s->open, e);
	TAILQ_REMOVE(&s->by_time, e, by_time);
	e->found = found;
	TAILQ_INSERT_TAIL(&s->ended, e, by_time);
}

bool
searches_begin(struct searches *s, uint32_t uin, uint64_t links, int64_t now_ms,
	       int64_t timeout_ms)
{
	int found = searches_find(s, uin, now_ms);
	struct search *e;

	if (search_of(s, uin) != NULL || (e = calloc(1, sizeof(*e))) == NULL)
		return false;
	e->uin = uin;
	e->asked = links;
	e->until_ms = now_ms + timeout_ms;
	RB_INSERT(search_tree, &s->open, e);
	queue(s, e);
	s->count++;
	if (found == SEARCH_NOWHERE && links != 0)
		return true;
	end(s, e, found);
	return false;
}

bool
searches_wants(struct searches *s, uint32_t uin, int link)
{
	const struct search *e = search_of(s, uin);

	return e != NULL && (e->asked >> link & 1) != 0;
}

void
searches_here(struct searches *s, uint32_t uin, int link, int64_t now_ms)
{
	if (!searches_wants(s, uin, link))
		return;
	find_keep(s, uin, link, now_ms);
	end(s, search_of(s, uin), link);
}

bool
searches_follow(struct searches *s, uint32_t uin)
{
	struct search *e = search_of(s, uin);

	if (e == NULL || e->following)
		return false;
	e->following = true;
	TAILQ_REMOVE(&s->by_time, e, by_time);
	e->until_ms += SEARCH_FOLLOW_MS;
	queue(s, e);
	return true;
}

bool
searches_followed(struct searches *s, uint32_t uin, int link)
{
	struct search *e = search_of(s, uin);

	if (e == NULL || !e->following || (e->asked >> link & 1) != 0)
		return false;
	e->asked |= UINT64_C(1) << link;
	return true;
}

bool
searches_ended(struct searches *s, int64_t now_ms, uint32_t *uin, int *link)
{
	struct search *e = TAILQ_FIRST(&s->by_time);

	if (e != NULL && e->until_ms <= now_ms)
		end(s, e, SEARCH_NOWHERE);
	if ((e = TAILQ_FIRST(&s->ended)) == NULL)
		return false;
	TAILQ_REMOVE(&s->ended, e, by_time);
	s->count--;
	*uin = e->uin;
	*link = e->found;
	free(e);
	return true;
}

int64_t
searches_next(const struct searches *s)
{
	const struct search *e = TAILQ_FIRST(&s->by_time);

	return e == NULL ? 0 : e->until_ms;
}

void
searches_lost(struct searches *s, int link)
{
	struct search *e, *next_search;
	struct find *f, *next_find;

	TAILQ_FOREACH_SAFE (f, &s->finds_time, by_time, next_find)
		if (f->link == link)
			find_drop(s, f);
	/* One that was found there, and not collected yet. */
	TAILQ_FOREACH (e, &s->ended, by_time)
		if (e->found == link)
			e->found = SEARCH_NOWHERE;
	TAILQ_FOREACH_SAFE (e, &s->by_time, by_time, next_search) {
		e->asked &= ~(UINT64_C(1) << link);
		/* A node that an A9 has named may still answer. */
		if (e->asked == 0 && !e->following)
			end(s, e, SEARCH_NOWHERE);
	}
}

void
searches_fini(struct searches *s)
{
	uint32_t uin;
	int link;

	while (searches_ended(s, INT64_MAX, &uin, &link))
		continue;
	while (!TAILQ_EMPTY(&s->finds_time))
		find_drop(s, TAILQ_FIRST(&s->finds_time));
	assert(s->count == 0 && s->find_count == 0);
}
