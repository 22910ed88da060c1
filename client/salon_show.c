/* SPDX-License-Identifier: MIT
 *
 * What is said in rooms, opened and shown; or, when anything about it is wrong, named and
 * not shown (docs/protocols/rooms.md, "End-to-end content").
 */
#include "client/salon.h"

#include <string.h>

#include <bsd/string.h>

#include "base/text.h"

/* ---- opening contents ---- */

static void
not_shown(struct salon *m, const char *from, const char *reason)
{
	struct client_event e = {
	    .kind = CLIENT_UNKNOWN, .name = from, .text = span_str(reason)};

	salon_tell(m, &e);
}

/* Into m->plain.  why is a phrase. */
static enum qerr
open_content(struct salon *m, const struct rooms_place *place, const char *from,
	     struct span content, struct rooms_opened *opened, struct why *why)
{
	struct key *authors[ROOMS_AUTHORS_MAX];
	size_t n = rooms_keys_authors(m->keys, from, authors, ROOMS_AUTHORS_MAX);
	enum qerr e;

	*opened = (struct rooms_opened){.ctr = 0};
	e = rooms_content_open(place, m->state->key, authors, n, content, &m->plain,
			       opened, why);
	if (e == Q_MISSING && !opened->signer_known)
		return why_set(why, e,
			       "signed with a key of %s that is not trusted here: see "
			       "/verify %s and /trust %s",
			       from, from, from);
	return e;
}

/* A content that has just been sent, whose counter must rise. */
static enum qerr
open_live(struct salon *m, const struct rooms_place *place, const char *from,
	  struct span content, struct rooms_opened *opened, struct why *why)
{
	enum qerr e = open_content(m, place, from, content, opened, why);

	if (e != Q_OK)
		return e;
	e = rooms_state_rise(m->state, &place->room, opened->by, opened->ctr);
	if (e == Q_OK)
		return Q_OK;
	return why_set(why, e,
		       "it is older than it should be: somebody may have sent it "
		       "again");
}

/* ---- messages ---- */

/* What is said of a message: by whom, which one, when. */
struct message {
	struct uuid msg;
	const char *from;
	int64_t time_ms;
	enum rooms_format format;
	struct span content; /* p NULL: a large file */
	int64_t size;
	bool old, edited;
};

static void
note_shown(struct salon *m, struct salon_room *r, const struct message *d)
{
	if (uuid_is_nil(&r->oldest) || uuid_cmp(&d->msg, &r->oldest) < 0)
		r->oldest = d->msg;
	if (name_cmp(d->from, m->name) != 0 && uuid_cmp(&d->msg, &r->newest) > 0)
		r->newest = d->msg;
}

/* NULL: no memory, which is the end. */
static struct rooms_shown *
number_of(struct salon *m, const struct salon_room *r, const struct uuid *msg,
	  const char *from)
{
	struct rooms_shown *s = rooms_shown_add(m->memory, &r->id, msg, from);

	if (s == NULL)
		salon_finish(m, CLIENT_LOST, "there is no memory left");
	else
		s->own = name_cmp(s->from, m->name) == 0;
	return s;
}

static void
tell_text(struct salon *m, const struct message *d, uint64_t number, struct span text)
{
	struct client_event e = {.kind = CLIENT_MESSAGE,
				 .name = d->from,
				 .text = text,
				 .id = number,
				 .time_ms = d->time_ms,
				 .old = d->old};

	salon_tell(m, &e);
}

/* A text too long for so many keys goes as a file without a name. */
static bool
is_text(const struct rooms_smallfile *f)
{
	return f->name.len == 0 && span_eq(f->type, span_str("text/plain")) &&
	       utf8_valid(f->bytes);
}

/* m->plain holds what it said. */
static void
tell_message(struct salon *m, const struct message *d, struct rooms_shown *s)
{
	struct rooms_smallfile f;

	if (d->format != ROOMS_FORMAT_SMALLFILE) {
		tell_text(m, d, s->number, buf_span(&m->plain));
	} else if (rooms_smallfile_parse(buf_span(&m->plain), &f) != Q_OK) {
		not_shown(m, d->from, "a file that is none");
	} else if (is_text(&f)) {
		tell_text(m, d, s->number, f.bytes);
	} else {
		s->file = true;
		salon_tell_file(m, s, &f, d->size);
	}
}

/* The same counter in two messages of one key: one of them is a copy. */
static bool
is_copy(struct salon *m, const struct rooms_shown *s, const struct rooms_opened *o)
{
	for (uint64_t n = m->memory->numbers, i = 0; n > 0 && i < ROOMS_SHOWN_MAX;
	     n--, i++) {
		const struct rooms_shown *other = rooms_shown_of(m->memory, n);

		if (other != NULL && other != s && other->ctr == o->ctr &&
		    uuid_eq(&other->room, &s->room) && strcmp(other->by, o->by) == 0)
			return true;
	}
	return false;
}

static void
show_message(struct salon *m, struct salon_room *r, const struct message *d)
{
	struct rooms_place place = {.room = r->id,
				    .from = span_str(d->from),
				    .use = d->edited ? ROOMS_USE_EDIT
					   : d->format == ROOMS_FORMAT_SMALLFILE
					       ? ROOMS_USE_SMALLFILE
					       : ROOMS_USE_TEXT,
				    .target = d->msg};
	struct rooms_shown *s = number_of(m, r, &d->msg, d->from);
	struct rooms_opened opened;
	struct why why;
	enum qerr e;

	if (s == NULL)
		return;
	note_shown(m, r, d);
	if (d->format == ROOMS_FORMAT_OTHER) {
		not_shown(m, d->from,
			  "a message of a kind that this client does not know");
		return;
	}
	if (d->content.p == NULL) {
		s->file = true;
		s->size = d->size;
		salon_tell_file(m, s, NULL, d->size);
		return;
	}
	if (d->old)
		e = open_content(m, &place, d->from, d->content, &opened, &why);
	else
		e = open_live(m, &place, d->from, d->content, &opened, &why);
	if (e == Q_OK && is_copy(m, s, &opened))
		e = why_set(&why, Q_DENIED, "it is a copy of another message");
	if (e == Q_OK) {
		strlcpy(s->by, opened.by, sizeof(s->by));
		s->ctr = opened.ctr;
		tell_message(m, d, s);
	} else {
		not_shown(m, d->from, why.text);
	}
	buf_wipe(&m->plain);
}

/* ---- events about messages ---- */

static void
show_recv(struct salon *m, struct salon_room *r, const struct rooms_event *d,
	  const char *from)
{
	struct message message = {.msg = d->msg,
				  .from = from,
				  .time_ms = d->time_ms,
				  .format = d->format,
				  .content = d->content,
				  .size = d->size};

	show_message(m, r, &message);
}

static void
show_edited(struct salon *m, const struct salon_room *r, const struct rooms_event *d,
	    const char *from)
{
	struct rooms_place place = {.room = r->id,
				    .from = span_str(from),
				    .use = ROOMS_USE_EDIT,
				    .target = d->msg};
	struct client_event e = {
	    .kind = CLIENT_EDITED, .name = from, .time_ms = d->time_ms};
	struct rooms_shown *s = number_of(m, r, &d->msg, from);
	struct rooms_opened opened;
	struct why why;

	if (s == NULL)
		return;
	if (name_cmp(s->from, from) != 0) {
		not_shown(m, from, "a change of what somebody else has said");
	} else if (open_live(m, &place, from, d->content, &opened, &why) != Q_OK) {
		not_shown(m, from, why.text);
	} else {
		strlcpy(s->by, opened.by, sizeof(s->by));
		s->ctr = opened.ctr;
		e.id = s->number;
		e.text = buf_span(&m->plain);
		salon_tell(m, &e);
	}
	buf_wipe(&m->plain);
}

/* The reason, if there is one that can be read. */
static void
show_erased(struct salon *m, const struct salon_room *r, const struct rooms_event *d,
	    const char *from)
{
	struct rooms_place place = {.room = r->id,
				    .from = span_str(from),
				    .use = ROOMS_USE_REASON,
				    .target = d->msg};
	struct client_event e = {
	    .kind = CLIENT_ERASED, .name = from, .time_ms = d->time_ms};
	struct rooms_shown *s = number_of(m, r, &d->msg, "");
	struct rooms_opened opened;
	struct why why;

	if (s == NULL)
		return;
	e.id = s->number;
	if (d->content.p != NULL &&
	    open_live(m, &place, from, d->content, &opened, &why) == Q_OK)
		e.text = buf_span(&m->plain);
	salon_tell(m, &e);
	buf_wipe(&m->plain);
}

static void
show_pinned(struct salon *m, const struct salon_room *r, const struct rooms_event *d,
	    const char *from)
{
	struct client_event e = {.kind = CLIENT_PINNED,
				 .name = from,
				 .count = d->pinned,
				 .time_ms = d->time_ms};
	struct rooms_shown *s = number_of(m, r, &d->msg, "");

	if (s == NULL)
		return;
	e.id = s->number;
	salon_tell(m, &e);
}

void
salon_show_event(struct salon *m, struct salon_room *r, const struct rooms_event *d)
{
	char from[NAME_SIZE];

	if (name_copy(d->from, from) != Q_OK) {
		salon_finish(m, CLIENT_LOST, "the server broke the protocol");
		return;
	}
	switch (d->act) {
	case ROOMS_SEND: show_recv(m, r, d, from); break;
	case ROOMS_EDIT: show_edited(m, r, d, from); break;
	case ROOMS_ERASE: show_erased(m, r, d, from); break;
	case ROOMS_PIN: show_pinned(m, r, d, from); break;
	default: break;
	}
}

/* ---- from the log ---- */

void
salon_show_logged(struct salon *m, struct salon_room *r, const struct rooms_message *d)
{
	struct client_event gone = {.kind = CLIENT_UNKNOWN};
	struct message message = {.msg = d->msg,
				  .time_ms = d->time_ms,
				  .format = d->format,
				  .content = d->content,
				  .size = d->size,
				  .old = true,
				  .edited = d->edited};
	char from[NAME_SIZE];

	if (name_copy(d->from, from) != Q_OK) {
		salon_finish(m, CLIENT_LOST, "the server broke the protocol");
		return;
	}
	message.from = from;
	if (!d->deleted) {
		show_message(m, r, &message);
		return;
	}
	note_shown(m, r, &message);
	gone.name = from;
	gone.text = span_str("deleted since");
	salon_tell(m, &gone);
}
