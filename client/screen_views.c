/* SPDX-License-Identifier: MIT
 *
 * Whose lines are shown.  The library has one chat open at a time (client_view.partner):
 * what comes in the others waits there, counted.  So to go to the view of another chat is
 * to open that one, and only where there is none any more a view is just looked at.
 *
 * Nothing is said to somebody whose view is not shown.
 */
#include "client/screen_inner.h"

#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

static void
show(struct screen *s, struct view *view)
{
	/* A search goes on in what is shown now. */
	(void)scrollback_search(screen_lines(s), span_of(NULL, 0));
	views_show(&s->views, view);
	if (s->mode == SCREEN_SEARCHING)
		(void)scrollback_search(screen_lines(s), buf_span(&s->search.text));
}

/* ---- what happens ---- */

/* The view that e belongs to; "": none. */
static const char *
chat_of(const struct screen *s, const struct client_event *e)
{
	const struct client_view *v = front_view(&s->front);

	switch (e->kind) {
	case CLIENT_MESSAGE:
	case CLIENT_UNKNOWN:
	case CLIENT_FILE:
	case CLIENT_EDITED:
	case CLIENT_ERASED:
	case CLIENT_PINNED:
	case CLIENT_READ: /* name has done it, the partner is where */
		return v->phase == CLIENT_PHASE_CHATTING ? v->partner : e->name;
	case CLIENT_KEY_NEW:
	case CLIENT_KEY_CHANGED:
	case CLIENT_KEY_TRUSTED:
	case CLIENT_SAFETY:
	case CLIENT_VERIFIED: /* there it is a member's */
		return s->front.protocol->keeps_keys ? "" : e->name;
	case CLIENT_HISTORY:
	case CLIENT_HISTORY_END: return s->views.now->name;
	case CLIENT_ROOM: return views_find(&s->views, e->name) != NULL ? e->name : "";
	case CLIENT_CHAT_READY:
	case CLIENT_CHAT_CLOSED:
	case CLIENT_FILE_OFFERED:
	case CLIENT_FILE_BEGUN:
	case CLIENT_FILE_DONE:
	case CLIENT_FILE_FAILED:
	case CLIENT_UNSENT:
	case CLIENT_PINGED: return e->name != NULL ? e->name : "";
	default: return "";
	}
}

static void
close_all(struct screen *s)
{
	for (size_t i = 0; i < s->views.count; i++)
		s->views.all[i]->open = false;
}

bool
screen_views_heard(struct screen *s, const struct client_event *e)
{
	const struct client_view *v = front_view(&s->front);
	struct view *view;
	bool back = false;

	strlcpy(s->chat, chat_of(s, e), sizeof(s->chat));
	switch (e->kind) {
	case CLIENT_LOGGED_IN:
		if (!s->front.protocol->chats_last)
			close_all(s);
		break;
	case CLIENT_CHAT_READY:
		view = views_of(&s->views, e->name);
		back = view->open;
		view->open = true;
		show(s, view);
		break;
	case CLIENT_CHAT_CLOSED:
		if ((view = views_find(&s->views, e->name)) != NULL)
			view->open = false;
		break;
	case CLIENT_DELIVERED:
		if (name_cmp(e->name, v->partner) != 0)
			views_arrived(&s->views, e->name);
		break;
	case CLIENT_UNSENT:
		views_unanswered(&s->views, v->partner, v->on_the_way);
		views_doubt(&s->views, e->name);
		break;
	default: break;
	}
	return back;
}

void
screen_views_settle(struct screen *s)
{
	const struct client_view *v = front_view(&s->front);

	views_unanswered(&s->views, v->partner, v->on_the_way);
	for (size_t i = 1; i < s->views.count; i++)
		people_unseen(&s->people, s->views.all[i]->name, s->views.all[i]->unseen);
}

/* ---- what a person wants ---- */

static bool
is_partner(const struct screen *s, const struct view *view)
{
	const struct client_view *v = front_view(&s->front);

	return v->phase == CLIENT_PHASE_CHATTING && name_cmp(v->partner, view->name) == 0;
}

bool
screen_views_heeded(const struct screen *s)
{
	return front_view(&s->front)->phase != CLIENT_PHASE_CHATTING ||
	       is_partner(s, s->views.now);
}

static void
open_chat(struct screen *s, const char *name)
{
	char line[NAME_SIZE + 8];
	int n = snprintf(line, sizeof(line), "/chat %s", name);

	(void)screen_line(s, span_of(line, (size_t)n));
}

void
screen_views_go(struct screen *s, struct view *view)
{
	show(s, view);
	if (view->open && !is_partner(s, view))
		open_chat(s, view->name);
}

void
screen_views_unread(struct screen *s)
{
	struct view *view = views_unseen(&s->views);
	const char *name = people_unread(&s->people);
	char copy[NAME_SIZE];

	if (view != NULL) {
		screen_views_go(s, view);
	} else if (name == NULL) {
		screen_hint(s, "nothing is unread");
	} else {
		strlcpy(copy, name, sizeof(copy)); /* what is asked may change the list */
		open_chat(s, copy);
	}
}

void
screen_views_named(struct screen *s, struct span name)
{
	char wanted[NAME_SIZE] = "";
	struct view *view = NULL;

	if (name.len < sizeof(wanted)) {
		if (name.len > 0)
			memcpy(wanted, name.p, name.len);
		wanted[name.len] = '\0';
		view = views_find(&s->views, wanted);
	}
	if (view != NULL)
		screen_views_go(s, view);
	else
		front_say(&s->front, WORDS_TROUBLE,
			  "there is nothing to be seen of that name: /chat begins one");
}
