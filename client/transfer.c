/* SPDX-License-Identifier: MIT
 *
 * What both directions have in common; transfer_out.c sends, transfer_in.c receives.
 */
#include "client/transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "client/transfer_sides.h"
#include "crypto/random.h"

/* ---- what the files of this module share ---- */

uint64_t
transfer_limit(const struct transfer *t)
{
	uint64_t limit = t->env->login->file_max;

	return limit != 0 ? limit : TRANSFER_LIMIT;
}

void
transfer_too_large(uint64_t size, uint64_t limit, char out[TRANSFER_PHRASE])
{
	snprintf(out, TRANSFER_PHRASE,
		 "%" PRIu64 " bytes are too many, %" PRIu64 " at most", size, limit);
}

static void
tell(struct transfer *t, const struct transfer_side *s, enum client_event_kind kind,
     struct client_transfer *about)
{
	struct client_event e = {.kind = kind,
				 .name = t->partner,
				 .text = span_of(s->called, s->called_len),
				 .id = s->id,
				 .count = s->size,
				 .transfer = about};

	about->outgoing = s->outgoing;
	about->size = s->size;
	about->done = s->done;
	about->rate = s->meter.rate;
	about->left_ms = transfer_meter_left_ms(&s->meter, s->size - s->done);
	t->env->event(t->env->event_arg, &e);
}

void
transfer_tell(struct transfer *t, const struct transfer_side *s,
	      enum client_event_kind kind)
{
	struct client_transfer about = {.path = NULL};

	tell(t, s, kind, &about);
}

void
transfer_tell_done(struct transfer *t, const struct transfer_side *s, const char *path)
{
	struct client_transfer about = {.path = path};

	tell(t, s, CLIENT_FILE_DONE, &about);
}

void
transfer_stage(struct transfer *t, struct transfer_side *s,
	       enum client_transfer_stage stage)
{
	s->stage = stage;
	if (s->outgoing)
		t->env->view->sending = stage;
	else
		t->env->view->receiving = stage;
}

void
transfer_reset(struct transfer *t, struct transfer_side *s)
{
	sha256_drop(s->run);
	s->run = NULL;
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
	download_drop(&s->download);
	transfer_stage(t, s, CLIENT_TRANSFER_NONE);
}

void
transfer_fail(struct transfer *t, struct transfer_side *s, struct span reason, bool by_us)
{
	struct client_transfer about = {.reason = reason, .by_us = by_us};

	transfer_reset(t, s);
	tell(t, s, CLIENT_FILE_FAILED, &about);
}

void
transfer_say(struct transfer *t, uint32_t id, enum relay_file_says says,
	     const char *reason)
{
	struct relay_file_word w = {.id = id, .says = says, .reason = span_str(reason)};

	if (w.reason.len > RELAY_FILE_REASON_MAX)
		w.reason.len = RELAY_FILE_REASON_MAX;
	t->message.len = 0;
	if (relay_file_word_put(&t->message, &w) == Q_OK)
		(void)t->send(t->send_arg, RELAY_FILE_WORD, buf_span(&t->message));
}

void
transfer_look(struct transfer *t, struct transfer_side *s, int64_t now_ms)
{
	if (s->stage == CLIENT_TRANSFER_RUNNING &&
	    transfer_meter_look(&s->meter, s->done, now_ms))
		transfer_tell(t, s, CLIENT_FILE_PROGRESS);
}

/* ---- life ---- */

struct transfer *
transfer_new(const struct client_env *env, transfer_send_fn *send, void *send_arg)
{
	struct transfer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->env = env;
	t->send = send;
	t->send_arg = send_arg;
	t->out.outgoing = true;
	t->out.fd = t->in.fd = -1;
	t->out.download = t->in.download = (struct download)DOWNLOAD_INIT;
	t->message = (struct buf)BUF_INIT(2 * RELAY_FILE_CHUNK);
	return t;
}

void
transfer_free(struct transfer *t)
{
	if (t == NULL)
		return;
	transfer_reset(t, &t->out);
	transfer_reset(t, &t->in);
	buf_wipe(&t->message);
	secret_wipe(t->piece, sizeof(t->piece));
	free(t);
}

void
transfer_begin(struct transfer *t, const char *partner)
{
	strlcpy(t->partner, partner, sizeof(t->partner));
}

void
transfer_end(struct transfer *t, const char *reason)
{
	if (t->out.stage != CLIENT_TRANSFER_NONE)
		transfer_fail(t, &t->out, span_str(reason), false);
	if (t->in.stage != CLIENT_TRANSFER_NONE)
		transfer_fail(t, &t->in, span_str(reason), false);
	t->partner[0] = '\0';
}

/* ---- what the partner says ---- */

static bool
on_word(struct transfer *t, struct span data, int64_t now_ms)
{
	struct relay_file_word w;

	if (relay_file_word_parse(data, &w) != Q_OK)
		return false;
	if (w.says != RELAY_FILE_WITHDRAW)
		transfer_out_word(t, &w, now_ms);
	else if (t->in.stage != CLIENT_TRANSFER_NONE && w.id == t->in.id)
		transfer_fail(t, &t->in, w.reason, false);
	return true;
}

bool
transfer_input(struct transfer *t, int32_t opcode, struct span data, int64_t now_ms)
{
	struct relay_file_first first;
	struct relay_file_part part;

	switch (opcode) {
	case RELAY_FILE_WORD: return on_word(t, data, now_ms);
	case RELAY_FILE_FIRST:
		if (relay_file_first_parse(data, &first) != Q_OK)
			return false;
		transfer_in_first(t, &first);
		return true;
	case RELAY_FILE_MIDDLE:
	case RELAY_FILE_LAST:
		if (relay_file_part_parse(data, &part) != Q_OK)
			return false;
		transfer_in_part(t, &part, opcode == RELAY_FILE_LAST);
		transfer_look(t, &t->in, now_ms);
		return true;
	default: return false;
	}
}

/* ---- time ---- */

int64_t
transfer_deadline(const struct transfer *t)
{
	int64_t due = 0;

	if (transfer_out_busy(t))
		return 1;
	if (t->out.stage == CLIENT_TRANSFER_RUNNING)
		due = transfer_meter_due(&t->out.meter);
	if (t->in.stage == CLIENT_TRANSFER_RUNNING &&
	    (due == 0 || transfer_meter_due(&t->in.meter) < due))
		due = transfer_meter_due(&t->in.meter);
	return due;
}

void
transfer_tick(struct transfer *t, int64_t now_ms)
{
	if (transfer_out_busy(t))
		transfer_out_tick(t, now_ms);
	transfer_look(t, &t->out, now_ms);
	transfer_look(t, &t->in, now_ms);
}

/* ---- what a person asks for ---- */

static enum qerr
refuse(struct transfer *t, struct why *why)
{
	if (t->in.stage != CLIENT_TRANSFER_ASKED)
		return why_set(why, Q_DENIED, "no file is offered");
	transfer_say(t, t->in.id, RELAY_FILE_REFUSE, "refused");
	transfer_fail(t, &t->in, span_str("refused"), true);
	return Q_OK;
}

static enum qerr
cancel(struct transfer *t, struct span which, struct why *why)
{
	bool out = t->out.stage != CLIENT_TRANSFER_NONE;
	bool in = t->in.stage != CLIENT_TRANSFER_NONE;

	if (which.len == 0 && out && in)
		return why_set(why, Q_DENIED,
			       "a file each way is under way: /cancel send, or get?");
	if (span_eq(which, span_str("send")))
		in = false;
	else if (span_eq(which, span_str("get")))
		out = false;
	if (out) {
		if (t->out.stage != CLIENT_TRANSFER_PREPARING)
			transfer_say(t, t->out.id, RELAY_FILE_WITHDRAW, "cancelled");
		transfer_fail(t, &t->out, span_str("cancelled"), true);
		return Q_OK;
	}
	if (!in)
		return why_set(why, Q_DENIED, "there is no such file to cancel");
	if (t->in.stage == CLIENT_TRANSFER_ASKED)
		return refuse(t, why);
	transfer_say(t, t->in.id, RELAY_FILE_STOP, "cancelled");
	transfer_fail(t, &t->in, span_str("cancelled"), true);
	return Q_OK;
}

enum qerr
transfer_do(struct transfer *t, enum client_verb verb, struct span arg, int64_t now_ms,
	    struct why *why)
{
	if (t->partner[0] == '\0')
		return why_set(why, Q_DENIED,
			       "you are in no chat; files travel in a chat");
	switch (verb) {
	case CLIENT_DO_SEND_FILE: return transfer_out_begin(t, arg, now_ms, why);
	case CLIENT_DO_GET: return transfer_in_get(t, now_ms, why);
	case CLIENT_DO_REFUSE: return refuse(t, why);
	default: return cancel(t, arg, why);
	}
}
