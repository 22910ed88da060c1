/* SPDX-License-Identifier: MIT */
#include "client/views.h"

#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

static struct view *
make(const char *name)
{
	struct view *view = calloc(1, sizeof(*view));

	if (view == NULL)
		return NULL;
	strlcpy(view->name, name, sizeof(view->name));
	if (scrollback_init(&view->lines) == Q_OK)
		return view;
	free(view);
	return NULL;
}

static void
drop(struct views *v, size_t i)
{
	scrollback_fini(&v->all[i]->lines);
	free(v->all[i]);
	v->count--;
	memmove(&v->all[i], &v->all[i + 1], (v->count - i) * sizeof(v->all[0]));
}

enum qerr
views_init(struct views *v, bool apart)
{
	*v = (struct views){.apart = apart};
	if ((v->all[0] = v->now = make("")) == NULL)
		return Q_NOMEM;
	v->count = 1;
	return Q_OK;
}

void
views_fini(struct views *v)
{
	while (v->count > 0)
		drop(v, v->count - 1);
	v->now = NULL;
}

/* ---- one of them ---- */

struct view *
views_find(const struct views *v, const char *name)
{
	for (size_t i = 0; i < v->count; i++)
		if (name_cmp(v->all[i]->name, name) == 0)
			return v->all[i];
	return NULL;
}

/* Of those with a chat only when all have one. */
static void
make_room(struct views *v)
{
	size_t oldest = 0;

	for (size_t i = 1; i < v->count; i++) {
		const struct view *a = v->all[i], *b = v->all[oldest];

		if (a != v->now &&
		    (oldest == 0 || (a->open != b->open ? b->open : a->shown < b->shown)))
			oldest = i;
	}
	drop(v, oldest);
}

struct view *
views_of(struct views *v, const char *name)
{
	struct view *view = views_find(v, name);

	if (view != NULL)
		return view;
	if (v->count == VIEWS_MAX)
		make_room(v);
	if ((view = make(name)) == NULL)
		return v->all[0];
	v->all[v->count++] = view;
	return view;
}

void
views_show(struct views *v, struct view *view)
{
	if (view == v->now)
		return;
	scrollback_look_away(&v->now->lines);
	scrollback_look_back(&view->lines);
	view->unseen = 0;
	view->shown = ++v->clock;
	v->now = view;
}

struct view *
views_beside(const struct views *v, int step)
{
	size_t i = 0;

	while (v->all[i] != v->now)
		i++;
	return v->all[(i + (step > 0 ? 1 : v->count - 1)) % v->count];
}

struct view *
views_unseen(const struct views *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->all[i]->unseen > 0)
			return v->all[i];
	return NULL;
}

void
views_clear(struct views *v, const char *name)
{
	for (size_t i = 0; i < v->count; i++)
		if (name == NULL || name_cmp(v->all[i]->name, name) == 0) {
			scrollback_clear(&v->all[i]->lines);
			v->all[i]->unseen = 0;
		}
}

/* ---- lines ---- */

void
views_add(struct views *v, const char *name, const struct words *w, const char *own_name,
	  int64_t now_ms)
{
	struct view *view = views_of(v, name);
	bool message = w->kind == WORDS_MESSAGE || w->kind == WORDS_OWN;

	/* Where all is counted together, lines of ours are numbered through. */
	if (!v->apart)
		view->lines.said = v->said;
	scrollback_add(&view->lines, w, own_name, now_ms);
	if (!v->apart)
		v->said = view->lines.said;
	if (view == v->now)
		return;
	if (!message)
		scrollback_add(&v->now->lines, w, own_name, now_ms);
	else if (w->kind == WORDS_MESSAGE)
		view->unseen++;
}

void
views_unanswered(struct views *v, const char *partner, size_t n)
{
	for (size_t i = 0; i < v->count; i++) {
		struct scrollback *lines = &v->all[i]->lines;

		if (v->apart && name_cmp(v->all[i]->name, partner) != 0)
			continue;
		if (!v->apart)
			lines->said = v->said;
		scrollback_unanswered(lines, n);
	}
}

void
views_arrived(struct views *v, const char *name)
{
	struct view *view = views_find(v, name);

	if (v->apart && view != NULL && view->lines.unanswered > 0)
		scrollback_unanswered(&view->lines, view->lines.unanswered - 1);
}

void
views_doubt(struct views *v, const char *name)
{
	for (size_t i = 0; i < v->count; i++)
		if (!v->apart || name_cmp(v->all[i]->name, name) == 0)
			scrollback_doubt(&v->all[i]->lines);
}
