/* SPDX-License-Identifier: MIT
 *
 * catchup.c - 220, from the files: what waited for a login, and what did not fit while
 * the client was slow.
 *
 * DESIGN.  A round looks which chats are owed anything, reads some messages of each,
 * and merges them by time into portions for the outbox.  When the outbox is full the
 * round ends; the worker is woken once half of it is free, and begins a new round from
 * what was sent.  Nothing is kept in between: what was read and did not fit is read
 * again.  Rounds follow each other until nothing is owed, which is decided under the
 * outbox lock, in the same hold that lets events put messages there themselves.
 */
#include <stdlib.h>
#include <string.h>

#include "server/contacts/contacts_session.h"
#include "server/log.h"
#include "store/positions.h"

#define PORTION_BYTES   65536
#define PORTION_ENTRIES 1024
#define READ_MAX        128       /* messages of a chat at a time */
#define READ_BYTES      (1 << 20) /* of all chats together, about */
/* Somebody may be writing as fast as we read: look at requests in between. */
#define ROUNDS_MAX 8

struct waiting {
	uint64_t id;
	int64_t time_ms;
	size_t at, len; /* of its text in the source's */
	uint64_t media_id;
	bool silent; /* the user's own, or one that it was shown elsewhere */
};

/* A chat that is owed. */
struct source {
	uint64_t id;
	uint64_t after, told; /* read from here; known to be told, before we read */
	struct shared_chat *chat;
	enum qerr e;
	bool dry; /* there is no more in the file */
	struct waiting m[READ_MAX];
	size_t n, next;
	struct buf text;
};

struct round {
	struct contacts_session *cs;
	struct source *sources;
	size_t n;
	size_t share; /* bytes of text that one source may hold */
	struct buf lines;
	struct inbox_entry entry[PORTION_ENTRIES]; /* end: in lines */
	size_t entries;
};

/* ---- reading ---- */

/* Was it shown to the user elsewhere (in a browser, in the chat's room)? */
static bool
was_had(const struct contacts_session *cs, uint64_t chat, uint64_t id)
{
	size_t lo = 0, hi = cs->n_had;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct had *h = &cs->had[mid];

		if (h->chat < chat || (h->chat == chat && h->to < id))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < cs->n_had && cs->had[lo].chat == chat && cs->had[lo].from <= id;
}

static bool
keep(void *arg, const struct shared_message *m)
{
	struct round *r = ((void **)arg)[0];
	struct source *src = ((void **)arg)[1];

	src->after = m->id;
	src->m[src->n++] = (struct waiting){
	    .id = m->id,
	    .time_ms = m->time_ms,
	    .at = src->text.len,
	    .len = m->text.len,
	    .media_id = m->media_id,
	    .silent =
		name_cmp(m->from, r->cs->user) == 0 || was_had(r->cs, src->id, m->id),
	};
	if (!src->m[src->n - 1].silent)
		src->e = buf_put_span(&src->text, m->text);
	return src->e == Q_OK && src->n < READ_MAX && src->text.len < r->share;
}

static void
refill(struct round *r, struct source *src)
{
	struct shared *shared = r->cs->session->server->shared;
	void *arg[2] = {r, src};
	enum qerr e = Q_OK;

	src->n = src->next = 0;
	src->text.len = 0;
	if (src->chat == NULL)
		e = shared_chat_get(shared, src->id, &src->chat);
	if (e == Q_OK)
		e = shared_read(src->chat, src->after, READ_MAX, keep, arg);
	if (e != Q_OK)
		src->e = e;
	if (src->e != Q_OK)
		src->n = 0;
	src->dry = src->e != Q_OK || (src->n < READ_MAX && src->text.len < r->share);
}

/* The source with the oldest message, NULL: there is none any more. */
static struct source *
oldest(struct round *r)
{
	struct source *best = NULL;

	for (size_t i = 0; i < r->n; i++) {
		struct source *src = &r->sources[i];

		if (src->next == src->n && !src->dry)
			refill(r, src);
		if (src->next < src->n &&
		    (best == NULL ||
		     src->m[src->next].time_ms < best->m[best->next].time_ms))
			best = src;
	}
	return best;
}

/* ---- portions ---- */

/* Line by line, since an event may have put some there meanwhile. */
static void
copy_locked(struct session *s, struct round *r, uint8_t *to) REQUIRES(s->out.lock)
{
	struct inbox *in = &r->cs->inbox;
	uint64_t start = s->out.written + outbox_waiting_locked(&s->out);
	size_t from = 0, n = 0;

	for (size_t i = 0; i < r->entries; i++) {
		const struct inbox_entry *m = &r->entry[i];
		struct inbox_chat *c = inbox_find(in, m->chat);
		size_t len = m->end - from;

		/* A chat that was deleted is not there. */
		if (c != NULL && m->id > c->sent) {
			if (len > 0)
				memcpy(to + n, r->lines.p + from, len);
			n += len;
			c->sent = m->id;
			inbox_sent(in, m->chat, m->id, start + n);
		}
		from = m->end;
	}
	if (n > 0)
		outbox_commit_locked(&s->out, n);
	contacts_save_soon_locked(s);
}

static enum qerr
try_portion(struct round *r, bool last_try)
{
	struct session *s = r->cs->session;
	uint8_t *at = NULL;
	enum qerr e;

	lock_take(&s->out.lock);
	if ((e = contacts_ring_room_locked(s, r->entries)) == Q_OK && r->lines.len > 0)
		e = outbox_reserve_locked(&s->out, OUTBOX_DATA, r->lines.len, &at);
	if (e == Q_OK)
		copy_locked(s, r, at);
	else if (e == Q_FULL && last_try)
		outbox_want_room_locked(s);
	lock_drop(&s->out.lock);
	return e;
}

static enum qerr
portion_out(struct round *r)
{
	enum qerr e = try_portion(r, false);

	if (e == Q_FULL) {
		outbox_flush(r->cs->session);
		e = try_portion(r, true);
	}
	outbox_touch(r->cs->session);
	r->lines.len = r->entries = 0;
	return e;
}

static enum qerr
add(struct round *r, struct source *src)
{
	const struct waiting *m = &src->m[src->next++];
	enum qerr e = Q_OK;

	if (!m->silent)
		e = contacts_put_message(&r->lines, src->id, m->time_ms,
					 span_of(src->text.p + m->at, m->len),
					 m->media_id);
	if (e != Q_OK)
		return e;
	r->entry[r->entries++] = (struct inbox_entry){r->lines.len, src->id, m->id};
	if (r->entries == PORTION_ENTRIES || r->lines.len >= PORTION_BYTES)
		e = portion_out(r);
	return e;
}

/* ---- rounds ---- */

/* Which chats are owed?  When none is, what happens from now on goes out at once. */
static enum qerr
collect(struct round *r)
{
	struct contacts_session *cs = r->cs;
	struct outbox *o = &cs->session->out;
	size_t n = 0;
	enum qerr e = Q_OK;

	lock_take(&o->lock);
	for (size_t i = 0; i < cs->inbox.n; i++)
		n += cs->inbox.chats[i].sent < cs->inbox.chats[i].told;
	if (n > 0 && (r->sources = calloc(n, sizeof(*r->sources))) == NULL)
		e = Q_NOMEM;
	for (size_t i = 0; i < cs->inbox.n && r->n < n && e == Q_OK; i++) {
		const struct inbox_chat *c = &cs->inbox.chats[i];

		if (c->sent < c->told)
			r->sources[r->n++] = (struct source){
			    .id = c->chat,
			    .after = c->sent,
			    .told = c->told,
			    .text = BUF_INIT(SIZE_MAX / 2),
			};
	}
	if (n == 0)
		cs->inbox.phase = INBOX_HERE;
	lock_drop(&o->lock);
	r->share = r->n > 0 ? READ_BYTES / r->n : 0;
	return e;
}

/* What was told and is not in the file (a record that is damaged, or a chat whose file
 * cannot be read) must not be asked for again and again. */
static void
settle(struct round *r)
{
	struct session *s = r->cs->session;

	for (size_t i = 0; i < r->n; i++) {
		const struct source *src = &r->sources[i];
		struct inbox_chat *c;

		if (!src->dry)
			continue;
		lock_take(&s->out.lock);
		if (src->e == Q_MISSING || src->e == Q_CLOSED)
			inbox_forget(&r->cs->inbox, src->id);
		else if ((c = inbox_find(&r->cs->inbox, src->id)) != NULL) {
			c->frozen |= src->e != Q_OK;
			if (c->sent < src->told)
				c->sent = src->told;
		}
		lock_drop(&s->out.lock);
		if (src->e != Q_OK && src->e != Q_MISSING && src->e != Q_CLOSED)
			log_limited(LOG_ERROR, &s->peer, s, "chat-unreadable",
				    "chat=%llu error=%s", (unsigned long long)src->id,
				    qerr_str(src->e));
	}
}

static void
round_free(struct round *r)
{
	for (size_t i = 0; i < r->n; i++) {
		shared_chat_unref(r->sources[i].chat);
		buf_free(&r->sources[i].text);
	}
	free(r->sources);
	buf_free(&r->lines);
	free(r);
}

/* Q_OK: there may be more; Q_CLOSED: nothing is owed; Q_FULL: not now. */
static enum qerr
run_round(struct contacts_session *cs)
{
	struct round *r = calloc(1, sizeof(*r));
	struct source *src;
	enum qerr e;

	if (r == NULL)
		return Q_NOMEM;
	r->cs = cs;
	r->lines = (struct buf)BUF_INIT(SIZE_MAX / 2);
	if ((e = collect(r)) == Q_OK && r->n == 0)
		e = Q_CLOSED;
	while (e == Q_OK && (src = oldest(r)) != NULL)
		e = add(r, src);
	if (e == Q_OK && r->entries > 0)
		e = portion_out(r);
	if (e == Q_OK)
		settle(r);
	round_free(r);
	return e;
}

void
contacts_catch_up(struct contacts_session *cs)
{
	enum qerr e = Q_OK;

	for (int i = 0; i < ROUNDS_MAX && e == Q_OK; i++)
		e = run_round(cs);
	if (e == Q_CLOSED) /* what waited for the login has been sent */
		contacts_had_clear(cs);
	if (e == Q_OK)
		session_wake(cs->session);
	else if (e != Q_CLOSED && e != Q_FULL)
		contacts_answered(cs, e);
}

/* ---- login ---- */

static uint64_t
position_of(const struct contacts_session *cs, uint64_t chat)
{
	for (size_t i = 0; i < cs->n_had; i++)
		if (cs->had[i].chat == chat)
			return cs->had[i].from == 1 ? cs->had[i].to : 0;
	return 0;
}

void
contacts_had_clear(struct contacts_session *cs)
{
	free(cs->had);
	cs->had = NULL;
	cs->n_had = 0;
}

/* A file that was put back from a copy, or has lost its end in a power cut, may be behind
 * what was had.  When it gets longer that is moved back in the store, too. */
static void
had_up_to(struct contacts_session *cs, uint64_t chat, uint64_t last)
{
	for (size_t i = 0; i < cs->n_had; i++)
		if (cs->had[i].chat == chat && cs->had[i].to > last)
			cs->had[i].to = last;
}

/* Only the newest contacts.backlog records of a chat wait for a login. */
static enum qerr
arrive_at(struct contacts_session *cs, uint64_t id)
{
	struct session *s = cs->session;
	uint64_t backlog = (uint64_t)cs->config->contacts_backlog, last = 0, had;
	struct shared_chat *chat = NULL;
	struct inbox_chat *c;
	enum qerr e;

	if ((e = shared_chat_get(s->server->shared, id, &chat)) == Q_OK)
		e = shared_last(chat, &last);
	shared_chat_unref(chat);
	if (e == Q_MISSING || e == Q_CLOSED)
		return Q_OK; /* deleted just now */
	if (e == Q_NOMEM)
		return e;
	if (e != Q_OK)
		log_limited(LOG_ERROR, &s->peer, s, "chat-unreadable",
			    "chat=%llu error=%s", (unsigned long long)id, qerr_str(e));
	if (e == Q_OK)
		had_up_to(cs, id, last);
	had = position_of(cs, id);
	lock_take(&s->out.lock);
	if ((c = inbox_enter(&cs->inbox, id, 0)) != NULL) {
		c->had = c->saved = c->sent = had;
		if (last > backlog && last - backlog > had)
			c->sent = last - backlog;
		if (last > c->told)
			c->told = last;
		c->frozen = e != Q_OK;
	}
	lock_drop(&s->out.lock);
	return c != NULL ? Q_OK : Q_NOMEM;
}

enum qerr
contacts_arrive(struct contacts_session *cs)
{
	struct server *server = cs->session->server;
	struct chat_info *chats = NULL;
	size_t n_chats = 0;
	enum qerr e;

	contacts_had_clear(cs);
	if ((e = chats_of(server->chats, cs->user, &chats, &n_chats)) != Q_OK)
		return e;
	for (size_t i = 0; i < n_chats; i++) /* what a browser was shown a moment ago */
		shared_settle(server->shared, chats[i].id);
	e = positions_load_had(server->store, cs->user, &cs->had, &cs->n_had);
	for (size_t i = 0; i < n_chats && e == Q_OK; i++)
		e = arrive_at(cs, chats[i].id);
	free(chats);
	return e;
}
