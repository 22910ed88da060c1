/* SPDX-License-Identifier: MIT
 *
 * Receiving a file.  Everything about it comes from the partner: the size is a promise
 * that is held against the limit and against what comes, the name is made harmless, and
 * the hash is what decides in the end.
 */
#include <string.h>

#include "client/transfer_sides.h"

void
transfer_in_first(struct transfer *t, const struct relay_file_first *m)
{
	struct transfer_side *s = &t->in;
	char phrase[TRANSFER_PHRASE];

	if (s->stage != CLIENT_TRANSFER_NONE) {
		transfer_say(t, m->id, RELAY_FILE_REFUSE, "one file at a time");
		return;
	}
	s->id = m->id;
	s->size = m->size;
	s->done = 0;
	memcpy(s->hash, m->hash, sizeof(s->hash));
	s->called_len = m->name.len;
	if (m->name.len > 0)
		memcpy(s->called, m->name.p, m->name.len);
	s->meter = (struct transfer_meter){0};
	if (m->size > transfer_limit(t)) {
		transfer_too_large(m->size, transfer_limit(t), phrase);
		transfer_say(t, m->id, RELAY_FILE_REFUSE, phrase);
		transfer_fail(t, s, span_str(phrase), false);
		return;
	}
	transfer_stage(t, s, CLIENT_TRANSFER_ASKED);
	transfer_tell(t, s, CLIENT_FILE_OFFERED);
}

enum qerr
transfer_in_get(struct transfer *t, int64_t now_ms, struct why *why)
{
	struct transfer_side *s = &t->in;
	const char *folder = t->env->login->downloads;
	enum qerr e;

	if (s->stage == CLIENT_TRANSFER_RUNNING)
		return why_set(why, Q_DENIED, "the file is on its way already");
	if (s->stage != CLIENT_TRANSFER_ASKED)
		return why_set(why, Q_DENIED, "no file is offered");
	e = download_open(&s->download, folder != NULL ? folder : ".", s->size, why);
	if (e == Q_OK && (s->run = sha256_begin()) == NULL)
		e = why_set(why, Q_NOMEM, "there is no memory left");
	if (e != Q_OK) {
		/* Where is the person's affair; that it cannot be is the sender's. */
		transfer_say(t, s->id, RELAY_FILE_REFUSE, "it cannot be stored");
		transfer_fail(t, s, span_str(why->text), false);
		return Q_OK;
	}
	transfer_meter_begin(&s->meter, now_ms);
	transfer_stage(t, s, CLIENT_TRANSFER_RUNNING);
	transfer_say(t, s->id, RELAY_FILE_ACCEPT, "");
	transfer_tell(t, s, CLIENT_FILE_BEGUN);
	return Q_OK;
}

/* to_them may say less than to_us. */
static void
stop(struct transfer *t, const char *to_them, const char *to_us)
{
	transfer_say(t, t->in.id, RELAY_FILE_STOP, to_them);
	transfer_fail(t, &t->in, span_str(to_us), false);
}

/* All of it has come. */
static void
finish(struct transfer *t)
{
	static const char wrong[] =
	    "the hash is wrong: the file has changed while it was read, or somebody lies";
	char path[DOWNLOAD_PATH];
	struct transfer_side *s = &t->in;
	struct sha256_run *run = s->run;
	uint8_t hash[SHA256_LEN];
	struct why why;

	s->run = NULL;
	if (sha256_end(run, hash) != Q_OK) {
		stop(t, "it cannot be stored", "there is no memory left");
	} else if (memcmp(hash, s->hash, sizeof(hash)) != 0) {
		stop(t, wrong, wrong);
	} else if (download_keep(&s->download, span_of(s->called, s->called_len), s->id,
				 path, &why) != Q_OK) {
		stop(t, "it cannot be stored", why.text);
	} else {
		transfer_reset(t, s);
		transfer_say(t, s->id, RELAY_FILE_STORED, "");
		transfer_tell_done(t, s, path);
	}
}

void
transfer_in_part(struct transfer *t, const struct relay_file_part *m, bool last)
{
	struct transfer_side *s = &t->in;
	struct why why;

	/* What belongs to a file that is over may still have been on its way. */
	if (s->stage != CLIENT_TRANSFER_RUNNING || m->id != s->id)
		return;
	if (m->bytes.len > s->size - s->done) {
		stop(t, "more came than was announced", "more came than was announced");
	} else if (download_write(&s->download, m->bytes, &why) != Q_OK) {
		stop(t, "it cannot be stored", why.text);
	} else if (sha256_more(s->run, m->bytes) != Q_OK) {
		stop(t, "it cannot be stored", "there is no memory left");
	} else {
		s->done += m->bytes.len;
		if (last && s->done < s->size)
			stop(t, "less came than was announced",
			     "less came than was announced");
		else if (last)
			finish(t);
	}
}
