/* SPDX-License-Identifier: MIT
 *
 * Files: whole ones, each a message.  One goes out at a time, and one comes in.
 */
#include "client/salon.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "base/text.h"
#include "client/download.h"
#include "client/file.h"

/* What a content of ROOMS_FILE_MAX bytes holds when it is sealed for a hundred keys: it
 * is base64 in base64. */
#define FILE_PLAIN_MAX ((uint64_t)ROOMS_FILE_MAX / 16 * 9 - 16384)

/* ---- sending ---- */

static enum qerr
put_smallfile(struct span called, struct span bytes, struct buf *out)
{
	struct rooms_smallfile f = {
	    .name = called, .type = span_str(file_type_of(bytes)), .bytes = bytes};

	return rooms_smallfile_put(out, &f);
}

enum qerr
salon_send_file(struct salon *m, struct span path, struct why *why)
{
	uint64_t limit = m->env->login->file_max;
	struct buf bytes = BUF_INIT(FILE_PLAIN_MAX), plain = BUF_INIT(ROOMS_FILE_MAX);
	const struct uuid none = {{0}};
	struct span called = file_called(path);
	struct rooms_shown *s;
	struct rooms_going *g;
	enum qerr e;

	if (m->open == NULL)
		return why_set(why, Q_DENIED,
			       "not sent: no room is open; /room NAME opens one");
	if (rooms_going_file(m->memory) != NULL)
		return why_set(why, Q_FULL, "not sent: a file is on its way already");
	if (!utf8_valid(called) || called.len >= sizeof(g->called))
		return why_set(why, Q_FORMAT,
			       "not sent: the file's name is too long, or not UTF-8");
	if (limit == 0 || limit > FILE_PLAIN_MAX)
		limit = FILE_PLAIN_MAX;
	if ((e = file_contents(path, limit, &bytes, why)) != Q_OK)
		return e;
	if ((e = put_smallfile(called, buf_span(&bytes), &plain)) == Q_OK)
		e = rooms_going_add(m->memory, &m->open->id, m->open->label,
				    ROOMS_FORMAT_SMALLFILE, &plain, &g);
	if (e == Q_OK) {
		memcpy(g->called, called.p, called.len);
		g->called[called.len] = '\0';
		g->size = bytes.len;
		if ((s = rooms_shown_add(m->memory, &m->open->id, &none, m->name)) !=
		    NULL) {
			s->own = s->file = true;
			g->number = s->number;
		}
		m->env->view->sending = CLIENT_TRANSFER_PREPARING;
	} else {
		why_set(why, e, "not sent: %s",
			e == Q_FULL ? "too much is waiting to be sent"
				    : "there is no memory left");
	}
	buf_wipe(&bytes);
	buf_wipe(&plain);
	return e;
}

static void
tell_going(struct salon *m, enum client_event_kind kind, const struct rooms_going *g,
	   struct client_transfer *t)
{
	struct client_event e = {
	    .kind = kind, .name = g->label, .text = span_str(g->called), .transfer = t};

	t->outgoing = true;
	t->size = g->size;
	salon_tell(m, &e);
}

void
salon_file_begun(struct salon *m, struct rooms_going *g, size_t bytes)
{
	struct client_transfer t = {.left_ms = -1};

	m->file = g;
	m->file_bytes = bytes;
	transfer_meter_begin(&m->file_meter, m->now_ms);
	m->env->view->sending = CLIENT_TRANSFER_RUNNING;
	tell_going(m, CLIENT_FILE_BEGUN, g, &t);
}

void
salon_file_waits(struct salon *m, struct rooms_going *g)
{
	if (m->file == g)
		m->file = NULL;
	m->env->view->sending = CLIENT_TRANSFER_PREPARING;
}

void
salon_file_over(struct salon *m, struct rooms_going *g, const char *reason)
{
	struct client_transfer t = {.left_ms = -1};

	t.done = reason == NULL ? g->size : 0;
	t.reason = reason != NULL ? span_str(reason) : span_of(NULL, 0);
	if (m->file == g)
		m->file = NULL;
	m->env->view->sending = CLIENT_TRANSFER_NONE;
	tell_going(m, reason == NULL ? CLIENT_FILE_DONE : CLIENT_FILE_FAILED, g, &t);
}

/* Each way a file is one message, which is sealed with its place in the connection: once
 * begun it cannot be stopped. */
enum qerr
salon_cancel_file(struct salon *m, struct span which, struct why *why)
{
	struct client_transfer t = {
	    .left_ms = -1, .reason = span_str("cancelled"), .by_us = true};
	bool coming = m->doing.on && m->doing.verb == CLIENT_DO_GET;
	struct rooms_going *g = rooms_going_file(m->memory);

	if (span_eq(which, span_str("send")))
		coming = false;
	else if (span_eq(which, span_str("get")))
		g = NULL;
	if (g == NULL)
		return why_set(why, Q_DENIED,
			       coming ? "too late: the server sends the file already"
				      : "there is no such file to cancel");
	if (g->sent)
		return why_set(why, Q_DENIED,
			       "too late: the file is being sent; once it has arrived, "
			       "/delete %" PRIu64 " takes it back",
			       g->number);
	m->env->view->sending = CLIENT_TRANSFER_NONE;
	tell_going(m, CLIENT_FILE_FAILED, g, &t);
	rooms_going_drop(m->memory, g);
	return Q_OK;
}

/* What of it waits to be sent is at the end of all that waits; the wire's bytes are
 * told as the file's. */
static void
tell_sending(struct salon *m)
{
	size_t left = m->env->waiting < m->file_bytes ? m->env->waiting : m->file_bytes;
	const struct rooms_going *g = m->file;
	struct client_transfer t = {.done = g->size};

	if (m->file_bytes > 0)
		t.done = (uint64_t)((double)g->size * ((double)(m->file_bytes - left) /
						       (double)m->file_bytes));
	if (!transfer_meter_look(&m->file_meter, t.done, m->now_ms))
		return;
	t.rate = m->file_meter.rate;
	t.left_ms = transfer_meter_left_ms(&m->file_meter, g->size - t.done);
	tell_going(m, CLIENT_FILE_PROGRESS, g, &t);
}

/* ---- receiving ---- */

void
salon_tell_file(struct salon *m, const struct rooms_shown *s,
		const struct rooms_smallfile *f, int64_t size)
{
	char text[512], type[64], called[256];
	struct client_event e = {.kind = CLIENT_FILE, .name = s->from, .id = s->number};

	if (f == NULL) {
		/* Sealed it is sixteen ninths as long. */
		snprintf(text, sizeof(text), "about %" PRId64 " bytes, /get %" PRIu64,
			 size / 16 * 9, s->number);
		e.text = span_str(text);
	} else {
		text_visible(f->type, type, sizeof(type));
		text_visible(f->name, called, sizeof(called));
		e.type = type;
		e.count = f->bytes.len;
		snprintf(text, sizeof(text), "%s, /get %" PRIu64, called, s->number);
		e.text = span_str(text);
	}
	salon_tell(m, &e);
}

static struct rooms_shown *
file_of(struct salon *m, struct span arg)
{
	uint64_t number = salon_number(&arg);

	if (number != 0)
		return rooms_shown_of(m->memory, number);
	for (uint64_t n = m->memory->numbers; n > 0; n--) {
		struct rooms_shown *s = rooms_shown_of(m->memory, n);

		if (s == NULL)
			return NULL;
		if (s->file && m->open != NULL && uuid_eq(&s->room, &m->open->id))
			return s;
	}
	return NULL;
}

enum qerr
salon_get_file(struct salon *m, struct span arg, struct why *why)
{
	struct rooms_packet p = {.type = ROOMS_T_FETCH};
	const struct rooms_shown *s = file_of(m, arg);
	const struct salon_room *r;
	enum qerr e;

	if (s == NULL || !s->file || uuid_is_nil(&s->msg))
		return why_set(why, Q_MISSING, "that is no message with a file");
	if ((r = salon_room_of(m, &s->room)) == NULL)
		return why_set(why, Q_DENIED, "you are not in that room any longer");
	p.u.fetch = (struct rooms_fetch){.room = s->room, .msg = s->msg};
	if ((e = salon_ask(m, CLIENT_DO_GET, &p, r, why)) != Q_OK)
		return e;
	m->doing.number = s->number;
	m->env->view->receiving = CLIENT_TRANSFER_RUNNING;
	transfer_meter_begin(&m->get_meter, m->now_ms);
	return Q_OK;
}

static void
tell_stored(struct salon *m, const struct rooms_shown *s, const struct rooms_smallfile *f,
	    const char *path)
{
	struct client_transfer t = {
	    .size = f->bytes.len, .done = f->bytes.len, .left_ms = -1, .path = path};
	struct client_event e = {
	    .kind = CLIENT_FILE_DONE, .name = s->from, .text = f->name, .transfer = &t};

	salon_tell(m, &e);
}

static enum qerr
store(struct salon *m, const struct rooms_shown *s, const struct rooms_smallfile *f,
      struct why *why)
{
	const char *folder = m->env->login->downloads;
	struct download d = DOWNLOAD_INIT;
	char path[DOWNLOAD_PATH];
	enum qerr e;

	e = download_open(&d, folder != NULL ? folder : ".", f->bytes.len, why);
	if (e == Q_OK && (e = download_write(&d, f->bytes, why)) != Q_OK)
		download_drop(&d);
	if (e == Q_OK && (e = download_keep(&d, f->name, s->number, path, why)) == Q_OK)
		tell_stored(m, s, f, path);
	return e;
}

/* Open and store what the message holds. */
static enum qerr
take_file(struct salon *m, const struct rooms_shown *s, struct span content,
	  struct why *why)
{
	struct rooms_place place = {
	    .room = s->room, .from = span_str(s->from), .use = ROOMS_USE_SMALLFILE};
	struct key *authors[ROOMS_AUTHORS_MAX];
	size_t n = rooms_keys_authors(m->keys, s->from, authors, ROOMS_AUTHORS_MAX);
	struct rooms_opened opened;
	struct rooms_smallfile f;
	enum qerr e;

	e = rooms_content_open(&place, m->state->key, authors, n, content, &m->plain,
			       &opened, why);
	if (e == Q_OK && (e = rooms_smallfile_parse(buf_span(&m->plain), &f)) != Q_OK)
		why_set(why, e, "it is no file");
	return e == Q_OK ? store(m, s, &f, why) : e;
}

void
salon_on_file(struct salon *m, const struct rooms_packet *p)
{
	const struct rooms_shown *s = rooms_shown_of(m->memory, m->doing.number);
	struct why why;

	if (!salon_is_doing(m, p->ref) || s == NULL ||
	    !uuid_eq(&s->msg, &p->u.file.msg) || !uuid_eq(&s->room, &p->u.file.room))
		return;
	m->doing.on = false;
	m->env->view->receiving = CLIENT_TRANSFER_NONE;
	if (take_file(m, s, p->u.file.content, &why) != Q_OK)
		salon_failed(m, "file %" PRIu64 " from %s not stored: %s", s->number,
			     s->from, why.text);
	buf_wipe(&m->plain);
}

/* How much of a file comes is not known before it is there, but that it comes is. */
static void
tell_coming(struct salon *m)
{
	const struct rooms_shown *s = rooms_shown_of(m->memory, m->doing.number);
	struct client_transfer t = {.left_ms = -1};
	struct client_event e = {.kind = CLIENT_FILE_PROGRESS, .transfer = &t};
	uint64_t done = m->env->coming / 64 * 27; /* base64 three times over */

	if (s == NULL || s->size == 0 || m->env->coming == 0 ||
	    !transfer_meter_look(&m->get_meter, done, m->now_ms))
		return;
	t.size = (uint64_t)s->size / 16 * 9;
	t.done = done < t.size ? done : t.size;
	t.rate = m->get_meter.rate;
	t.left_ms = transfer_meter_left_ms(&m->get_meter, t.size - t.done);
	e.name = s->from;
	e.text = span_str("a file");
	salon_tell(m, &e);
}

void
salon_settle_files(struct salon *m)
{
	if (m->file != NULL)
		tell_sending(m);
	if (m->doing.on && m->doing.verb == CLIENT_DO_GET)
		tell_coming(m);
}
