/* SPDX-License-Identifier: MIT
 *
 * May somebody post this, and what is to be written? Judged by the thread that is busy
 * with the room, against what is in the log; so a post that depends on another one of the
 * same batch (an edit behind a deletion) has to wait until that is written.
 */
#include <string.h>

#include "store/rooms_priv.h"

static bool
is_member(struct rooms *r, const struct room *room, const char *user)
{
	bool member;

	lock_take(&r->lock);
	member = rooms_stay(r, room, user) != NULL;
	lock_drop(&r->lock);
	return member;
}

static enum room_answer
failed(struct room_post *post, enum qerr e)
{
	post->error = e;
	return ROOM_FAILED;
}

/* ---- sending ---- */

static bool
ref_in_batch(const struct room_batch *b, const struct room_post *post, struct span ref)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct event_text *t = &b->draft[i].text;

		if (t->ev.kind == ROOM_SEND && t->ref.len > 0 && span_eq(t->ref, ref) &&
		    name_cmp(t->ev.from, post->by) == 0)
			return true;
	}
	return false;
}

/* Was it sent before? */
static enum room_answer
judge_ref(struct rooms *r, struct room_batch *b, struct room_post *post, struct span ref,
	  bool *again)
{
	struct room_line line;
	enum qerr e;

	if (ref_in_batch(b, post, ref)) {
		*again = true;
		return ROOM_OK;
	}
	e = refs_find(r, b->st, post->by, ref, b->ms, &line);
	if (e == Q_FORMAT && (e = state_rebuild(r, b->st)) == Q_OK)
		e = refs_find(r, b->st, post->by, ref, b->ms, &line);
	if (e == Q_MISSING)
		return ROOM_OK;
	if (e != Q_OK)
		return failed(post, e);
	post->msg = message_id(&b->room->id, line.ms, line.number);
	post->seq = line.seq;
	post->time_ms = line.ms;
	return ROOM_REPEATED;
}

static enum room_answer
judge_send(struct rooms *r, struct room_batch *b, struct room_post *post,
	   struct room_draft *d, bool *again)
{
	struct span ref = span_str(post->ref != NULL ? post->ref : "");
	enum room_answer answer = ROOM_OK;

	if (!room_info_may_send(b->info, post->by))
		return ROOM_NOT_ALLOWED;
	if (post->content.len > ROOM_INLINE_MAX && d->content->temp[0] == '\0')
		return ROOM_FAILED; /* its file could not be written */
	if (ref.len > 0)
		answer = judge_ref(r, b, post, ref, again);
	if (answer != ROOM_OK || *again)
		return answer;
	d->line = (struct room_line){.number = b->next_number, .ms = b->ms};
	d->line.in_file = d->text.ev.in_file = d->content->temp[0] != '\0';
	if (ref.len > 0)
		d->line.ref = ref_hash(post->by, ref);
	d->text.ev.msg = message_id(&b->room->id, b->ms, b->next_number);
	d->text.ev.format = post->format;
	d->text.ev.size = post->content.len;
	if (!d->line.in_file)
		d->text.ev.content = post->content;
	d->text.crc = d->content->crc;
	d->text.ref = ref;
	b->next_number++;
	return ROOM_OK;
}

/* ---- about a message ---- */

struct written {
	char author[NAME_SIZE];
	enum room_format format;
};

static bool
take_written(void *arg, const struct record *rec)
{
	struct written *w = arg;
	struct change_text change = {.people = NULL};
	struct event_text t;

	if (event_take(rec, &t, &change) == Q_OK) {
		memcpy(w->author, t.author, NAME_SIZE);
		w->format = t.ev.format;
	}
	change_free(&change);
	return false;
}

static bool
line_in_batch(const struct room_batch *b, uint64_t number)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->draft[i].text.ev.kind != ROOM_PUBKEY &&
		    b->draft[i].line.number == number)
			return true;
	return false;
}

static bool
may_delete(const struct room_info *info, const char *by, const char *author)
{
	return name_cmp(by, author) == 0 ||
	       (info->type != ROOM_DIRECT &&
		(name_cmp(by, info->owner) == 0 || room_info_is_admin(info, by)));
}

/* An edit or a deletion, by whom and of what. */
static enum room_answer
judge_author(struct room_batch *b, struct room_post *post, struct room_draft *d)
{
	struct written w = {.author = ""};
	enum qerr e =
	    msglog_read(b->st->log, d->line.last - 1, 1, take_written, &w, NULL);

	if (e != Q_OK)
		return failed(post, e);
	if (w.author[0] == '\0') /* its record is damaged */
		return ROOM_NO_MESSAGE;
	if (post->kind == ROOM_EDIT) {
		if (name_cmp(post->by, w.author) != 0)
			return ROOM_NOT_YOURS;
		if (w.format != ROOM_TEXT)
			return ROOM_NOT_TEXT;
		memcpy(d->text.ev.from, w.author, NAME_SIZE);
	} else if (!may_delete(b->info, post->by, w.author)) {
		return ROOM_NOT_YOURS;
	}
	memcpy(d->text.author, w.author, NAME_SIZE);
	d->text.ev.format = w.format;
	d->text.ev.content = post->content;
	d->text.ev.size = post->content.len;
	d->unfile = post->kind == ROOM_DELETE && d->line.in_file;
	return ROOM_OK;
}

static enum room_answer
judge_about(struct rooms *r, struct room_batch *b, struct room_post *post,
	    struct room_draft *d, bool *again)
{
	enum qerr e = state_line(r, b->st, &post->msg, &d->line);

	if (e == Q_FORMAT && (e = state_rebuild(r, b->st)) == Q_OK)
		e = state_line(r, b->st, &post->msg, &d->line);
	if (e == Q_MISSING)
		return ROOM_NO_MESSAGE;
	if (e != Q_OK)
		return failed(post, e);
	if (line_in_batch(b, d->line.number)) {
		*again = true;
		return ROOM_OK;
	}
	if (d->line.deleted)
		return ROOM_NO_MESSAGE;
	d->text.ev.msg = post->msg;
	if (post->kind != ROOM_PIN)
		return judge_author(b, post, d);
	if (!room_info_may_send(b->info, post->by))
		return ROOM_NOT_ALLOWED;
	d->text.ev.pinned = !d->line.pinned;
	return ROOM_OK;
}

enum room_answer
post_judge(struct rooms *r, struct room_batch *b, struct room_post *post,
	   struct room_draft *d, bool *again)
{
	*again = false;
	d->post = post;
	d->text.ev.kind = post->kind;
	d->text.ev.time_ms = b->ms;
	d->text.ev.origin = post->origin;
	memcpy(d->text.ev.from, post->by, strnlen(post->by, NAME_MAX_LEN));
	if (!is_member(r, b->room, post->by))
		return ROOM_NOT_IN;
	if (post->kind == ROOM_SEND)
		return judge_send(r, b, post, d, again);
	if (post->kind != ROOM_PUBKEY)
		return judge_about(r, b, post, d, again);
	d->text.ev.content = post->content;
	if (post->dropped != NULL)
		memcpy(d->text.ev.dropped, post->dropped,
		       strnlen(post->dropped, CHATKEY_ID_SIZE - 1));
	return ROOM_OK;
}
