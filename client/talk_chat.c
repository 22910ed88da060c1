/* SPDX-License-Identifier: MIT
 *
 * Chats, and what is unread in them.  A person has few of them: an array will do.
 *
 * Kept messages stand behind each other in a buffer of their chat:
 *
 *	time i64 | file id i64 | length u32 | text
 *
 * When that is full the rest is counted and not kept, and nothing of that chat is
 * shown or confirmed any more behind the gap: the server sends it at the next login.
 */
#include "client/talk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

/* ---- the array ---- */

void
talk_chats_free(struct talk *m)
{
	for (size_t i = 0; i < m->chat_count; i++)
		buf_free(&m->chats[i].kept);
	free(m->chats);
	m->chats = NULL;
	m->chat_count = m->chat_room = 0;
}

struct talk_chat *
talk_chat_find(struct talk *m, uint64_t id)
{
	for (size_t i = 0; i < m->chat_count; i++)
		if (m->chats[i].id == id)
			return &m->chats[i];
	return NULL;
}

struct talk_chat *
talk_chat_with(struct talk *m, const char *name)
{
	for (size_t i = 0; i < m->chat_count; i++)
		if (m->chats[i].partner[0] != '\0' &&
		    name_cmp(m->chats[i].partner, name) == 0)
			return &m->chats[i];
	return NULL;
}

struct talk_chat *
talk_chat_add(struct talk *m, uint64_t id)
{
	struct talk_chat *c = talk_chat_find(m, id), *more;
	size_t room = m->chat_room > 0 ? 2 * m->chat_room : 16;

	if (c != NULL)
		return c;
	if (m->chat_count == m->chat_room) {
		more = reallocarray(m->chats, room, sizeof(*more));
		if (more == NULL) {
			talk_finish(m, CLIENT_LOST, "there is no memory left");
			return NULL;
		}
		m->chats = more;
		m->chat_room = room;
	}
	c = &m->chats[m->chat_count++];
	*c = (struct talk_chat){.id = id, .kept = BUF_INIT(UNREAD_BYTES)};
	return c;
}

void
talk_chat_drop(struct talk *m, struct talk_chat *c)
{
	if (c->id == m->open)
		talk_chat_close(m, "it has been deleted");
	m->env->view->unread -= c->told;
	buf_free(&c->kept);
	*c = m->chats[--m->chat_count];
}

/* ---- messages ---- */

static void
show(struct talk *m, struct talk_chat *c, bool old, int64_t time_ms, uint64_t file,
     struct span text)
{
	struct client_event e = {.kind = CLIENT_MESSAGE,
				 .name = c->partner,
				 .text = text,
				 .time_ms = time_ms,
				 .old = old};

	c->shown_ms = time_ms;
	m->env->event(m->env->event_arg, &e);
	if (file != 0)
		talk_file_mentioned(m, file, c->partner, text);
}

static void
keep(struct talk_chat *c, int64_t time_ms, uint64_t file, struct span text)
{
	size_t before = c->kept.len;

	c->full = c->full || buf_put_i64(&c->kept, time_ms) != Q_OK ||
		  buf_put_i64(&c->kept, (int64_t)file) != Q_OK ||
		  buf_put_u32(&c->kept, (uint32_t)text.len) != Q_OK ||
		  buf_put_span(&c->kept, text) != Q_OK;
	if (c->full)
		c->kept.len = before;
	c->unread++;
}

void
talk_on_message(struct talk *m, const struct contacts_reply *r)
{
	struct talk_chat *c = talk_chat_add(m, r->id);

	/* The server repeats what it is not sure to have delivered. */
	if (c == NULL || r->time_ms <= c->newest_ms)
		return;
	c->newest_ms = r->time_ms;
	if (c->id == m->open && !c->full)
		show(m, c, false, r->time_ms, r->media_id, r->arg[0]);
	else
		keep(c, r->time_ms, r->media_id, r->arg[0]);
}

/* ---- open and closed ---- */

static void
show_kept(struct talk *m, struct talk_chat *c)
{
	struct reader r = reader_of(buf_span(&c->kept));
	struct span text;
	int64_t time_ms, file;
	uint32_t len;

	m->env->view->unread -= c->told;
	c->told = 0;
	while (reader_i64(&r, &time_ms) == Q_OK && reader_i64(&r, &file) == Q_OK &&
	       reader_u32(&r, &len) == Q_OK && reader_take(&r, len, &text) == Q_OK) {
		show(m, c, true, time_ms, (uint64_t)file, text);
		c->unread--;
	}
	buf_free(&c->kept);
	if (c->full)
		talk_refuse(
		    m,
		    "more has come than can be kept here: %zu messages of %s come "
		    "again at your next login",
		    c->unread, c->partner);
}

void
talk_chat_open(struct talk *m, struct talk_chat *c)
{
	struct client_view *view = m->env->view;

	m->open = c->id;
	view->phase = CLIENT_PHASE_CHATTING;
	strlcpy(view->partner, c->partner, sizeof(view->partner));
	client_tell(m->env, CLIENT_CHAT_READY, c->partner, span_of(NULL, 0));
	show_kept(m, c);
}

void
talk_chat_close(struct talk *m, const char *reason)
{
	struct client_view *view = m->env->view;
	char partner[NAME_SIZE];

	if (m->open == 0)
		return;
	m->open = 0;
	strlcpy(partner, view->partner, sizeof(partner));
	view->phase = CLIENT_PHASE_FREE;
	view->partner[0] = '\0';
	if (reason != NULL)
		client_tell(m->env, CLIENT_CHAT_CLOSED, partner, span_str(reason));
}

/* ---- after each turn ---- */

static void
mark(struct talk *m, struct talk_chat *c)
{
	struct client_event e = {
	    .kind = CLIENT_UNREAD, .name = c->partner, .count = c->unread};

	m->env->view->unread += c->unread - c->told;
	c->told = c->unread;
	m->env->event(m->env->event_arg, &e);
}

static void
confirm(struct talk *m, struct talk_chat *c)
{
	struct contacts_request r = {
	    .code = CONTACTS_SEEN, .id = c->id, .time_ms = c->shown_ms};

	if (talk_ask(m, &r, false) == Q_OK)
		c->seen_ms = c->shown_ms;
}

void
talk_chats_settle(struct talk *m)
{
	bool unknown = false;

	for (size_t i = 0; i < m->chat_count; i++) {
		struct talk_chat *c = &m->chats[i];

		if (c->shown_ms > c->seen_ms && !m->no_seen)
			confirm(m, c);
		if (c->partner[0] == '\0')
			unknown = true;
		else if (c->unread > c->told)
			mark(m, c);
	}
	if (unknown && !m->chats_asked) {
		m->chats_asked = true;
		talk_ask_bare(m, CONTACTS_CHAT_LIST);
	}
}

/* ---- the list ---- */

void
talk_on_chats(struct talk *m)
{
	for (size_t i = 0; i < m->chat_count; i++)
		m->chats[i].listed = false;
}

void
talk_on_chat(struct talk *m, const struct contacts_reply *r)
{
	struct talk_chat *c = talk_chat_add(m, r->id);
	char names[2][NAME_SIZE];

	if (c == NULL)
		return;
	if (name_copy(r->arg[0], names[0]) != Q_OK ||
	    name_copy(r->arg[1], names[1]) != Q_OK) {
		talk_broken(m);
		return;
	}
	c->listed = true;
	strlcpy(c->partner, names[name_cmp(names[0], m->name) == 0 ? 1 : 0],
		sizeof(c->partner));
}

/* What is not in the list is gone; but a chat whose first message came while the list
 * was under way may be younger than the list. */
void
talk_on_chats_end(struct talk *m)
{
	size_t i = 0;

	m->chats_asked = false;
	m->started = true;
	while (i < m->chat_count) {
		struct talk_chat *c = &m->chats[i];

		if (!c->listed && (c->partner[0] != '\0' || ++c->lists > 2))
			talk_chat_drop(m, c);
		else
			i++;
	}
}
