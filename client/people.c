/* SPDX-License-Identifier: MIT */
#include "client/people.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bsd/string.h>

#include "client/scrollback.h"

void
people_fini(struct people *p)
{
	free(p->all);
	*p = (struct people){.all = NULL};
}

/* The one of that name, made known.  NULL: no memory, and the list lacks one. */
static struct person *
person(struct people *p, const char *name)
{
	size_t i = 0, room = p->room > 0 ? 2 * p->room : 32;
	struct person *all;
	int cmp = 1;

	while (i < p->count && (cmp = name_cmp(p->all[i].name, name)) < 0)
		i++;
	if (i < p->count && cmp == 0)
		return &p->all[i];
	if (p->count == p->room) {
		if ((all = reallocarray(p->all, room, sizeof(*all))) == NULL)
			return NULL;
		p->all = all;
		p->room = room;
	}
	memmove(&p->all[i + 1], &p->all[i], (p->count - i) * sizeof(p->all[0]));
	p->count++;
	p->all[i] = (struct person){.here = false};
	strlcpy(p->all[i].name, name, sizeof(p->all[i].name));
	return &p->all[i];
}

static void
list_end(struct people *p)
{
	for (size_t i = 0; i < p->count; i++) {
		p->all[i].here = p->all[i].listed;
		p->all[i].listed = false;
	}
}

static void
contacts_end(struct people *p)
{
	for (size_t i = 0; i < p->count; i++) {
		p->all[i].contact = p->all[i].contact_listed;
		p->all[i].contact_listed = false;
	}
}

void
people_spoke(struct people *p, const char *name)
{
	struct person *who = person(p, name);

	if (who != NULL)
		who->spoke = ++p->clock;
}

void
people_unseen(struct people *p, const char *name, uint64_t n)
{
	struct person *who;

	/* Whom nobody knows need not be made known to say nothing of them. */
	if (n == 0)
		for (size_t i = 0; i < p->count; i++)
			if (name_cmp(p->all[i].name, name) == 0)
				p->all[i].unseen = 0;
	if (n > 0 && (who = person(p, name)) != NULL)
		who->unseen = n;
}

const char *
people_unread(const struct people *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->all[i].unread + p->all[i].unseen > 0)
			return p->all[i].name;
	return NULL;
}

static void
set(struct people *p, const struct client_event *e)
{
	struct person *who = person(p, e->name);

	if (who == NULL)
		return;
	switch (e->kind) {
	case CLIENT_LIST_NAME: who->listed = who->here = true; break;
	case CLIENT_CONTACT: who->contact_listed = true; /* fallthrough */
	case CLIENT_CONTACT_NOW: who->contact = true;    /* fallthrough */
	case CLIENT_REQUEST_WITHDRAWN: who->asks = false; break;
	case CLIENT_REQUEST_FROM: who->here = true; /* fallthrough */
	case CLIENT_CONTACT_ASKS: who->asks = true; break;
	case CLIENT_UNREAD: who->unread = e->count; break;
	case CLIENT_CHAT_KEPT:
		who->chat = true;
		who->unread = e->count;
		break;
	case CLIENT_CHAT_READY:
		who->here = true;
		who->asks = false;
		who->unread = 0;
		break;
	default: break;
	}
}

void
people_heard(struct people *p, const struct client_event *e)
{
	switch (e->kind) {
	case CLIENT_LIST_END: list_end(p); break;
	case CLIENT_CONTACTS_END: contacts_end(p); break;
	case CLIENT_MESSAGE: people_spoke(p, e->name); break;
	case CLIENT_LIST_NAME:
	case CLIENT_REQUEST_FROM:
	case CLIENT_REQUEST_WITHDRAWN:
	case CLIENT_CONTACT:
	case CLIENT_CONTACT_ASKS:
	case CLIENT_CONTACT_NOW:
	case CLIENT_CHAT_KEPT:
	case CLIENT_CHAT_READY:
	case CLIENT_UNREAD: set(p, e); break;
	default: break;
	}
}

/* ---- the list ---- */

/* Who comes first: who asks, contacts, who is here; then by name. */
static int
rank(const struct person *who, const char *partner)
{
	if (partner[0] != '\0' && name_cmp(who->name, partner) == 0)
		return 0;
	return who->asks                       ? 1
	       : who->unread + who->unseen > 0 ? 2
	       : who->contact || who->chat     ? 3
	       : who->here                     ? 4
					       : 5;
}

static void
draw_person(struct canvas *c, int row, int left, int right, const struct person *who,
	    int r)
{
	static const char marks[] = {'>', '?', '+', ' ', ' '};
	char mark[2] = {marks[r], '\0'}, count[24] = "";
	int column, end = right;
	unsigned style = scrollback_colour(who->name);
	uint64_t unread = who->unread + who->unseen;

	if (unread > 0) {
		snprintf(count, sizeof(count), " %" PRIu64,
			 unread > 9999 ? 9999 : unread);
		end = right - (int)strlen(count);
	}
	column = canvas_str(c, row, left, end, r < 3 ? STYLE_BOLD : 0, mark);
	column =
	    canvas_str(c, row, column, end, style | (r < 3 ? STYLE_BOLD : 0), who->name);
	if (end < right)
		canvas_str(c, row, end, right, STYLE_BOLD | 3, count);
}

void
people_draw(const struct people *p, struct canvas *c, int top, int bottom, int left,
	    int right, const char *partner)
{
	int row = top, more = 0;
	char text[32];

	if (bottom <= top)
		return;
	for (int r = 0; r < 5; r++)
		for (size_t i = 0; i < p->count; i++) {
			if (rank(&p->all[i], partner) != r)
				continue;
			if (row < bottom)
				draw_person(c, row++, left, right, &p->all[i], r);
			else
				more++;
		}
	if (row == top)
		canvas_str(c, row, left, right, STYLE_DIM, " nobody yet");
	if (more == 0)
		return;
	snprintf(text, sizeof(text), " and %d more", more + 1);
	canvas_fill(c, bottom - 1, left, right, 0);
	canvas_str(c, bottom - 1, left, right, STYLE_DIM, text);
}

/* ---- names ---- */

static int
later_first(const void *a, const void *b)
{
	const struct person *const *x = a, *const *y = b;

	if ((*x)->spoke != (*y)->spoke)
		return (*x)->spoke > (*y)->spoke ? -1 : 1;
	return name_cmp((*x)->name, (*y)->name);
}

static bool
begins_with(const char *name, struct span prefix)
{
	return prefix.len == 0 ||
	       (prefix.len < NAME_SIZE &&
		strncasecmp(name, (const char *)prefix.p, prefix.len) == 0);
}

size_t
people_complete(const struct people *p, struct span prefix, const char **out, size_t max)
{
	const struct person **some = calloc(p->count + 1, sizeof(*some));
	size_t n = 0;

	if (some == NULL)
		return 0;
	for (size_t i = 0; i < p->count; i++) {
		const struct person *who = &p->all[i];

		if ((who->here || who->asks || who->contact || who->chat ||
		     who->spoke > 0) &&
		    begins_with(who->name, prefix))
			some[n++] = who;
	}
	qsort(some, n, sizeof(*some), later_first);
	n = n < max ? n : max;
	for (size_t i = 0; i < n; i++)
		out[i] = some[i]->name;
	free(some);
	return n;
}
