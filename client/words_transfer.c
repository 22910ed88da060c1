/* SPDX-License-Identifier: MIT
 *
 * Scripts rely on these (docs/man/quintet-client.1, "OUTPUT").
 */
#include "client/words_transfer.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"

#define FILE_SHOWN 160
#define LEFT_TEXT  80

/* Rate and remaining time, as far as they are known. */
static void
pace(const struct client_transfer *t, char out[LEFT_TEXT])
{
	out[0] = '\0';
	if (t->rate > 0 && t->left_ms >= 0)
		snprintf(out, LEFT_TEXT, ", %" PRIu64 " bytes/s, %" PRId64 " s left",
			 t->rate, (t->left_ms + 999) / 1000);
	else if (t->rate > 0)
		snprintf(out, LEFT_TEXT, ", %" PRIu64 " bytes/s", t->rate);
}

/* Whole percents; 100 only when it is all of it. */
static unsigned
percent(const struct client_transfer *t)
{
	if (t->done >= t->size)
		return 100;
	return (unsigned)(t->size > UINT64_MAX / 100 ? t->done / (t->size / 100)
						     : t->done * 100 / t->size);
}

static void
of_progress(struct words *w, const struct client_event *e)
{
	const struct client_transfer *t = e->transfer;
	char left[LEFT_TEXT];

	pace(t, left);
	words_set(w, WORDS_STATUS, "%s %u%%, %" PRIu64 " of %" PRIu64 " bytes%s: ",
		  t->outgoing ? "sent" : "received", percent(t), t->done, t->size, left);
	w->theirs = e->text;
}

static void
of_failure(struct words *w, const struct client_event *e)
{
	const struct client_transfer *t = e->transfer;
	char file[FILE_SHOWN];

	text_visible(e->text, file, sizeof(file));
	words_set(w, t->by_us ? WORDS_STATUS : WORDS_TROUBLE,
		  "file %s %s not %s, %s: ", t->outgoing ? "to" : "from", e->name,
		  t->outgoing ? "sent" : "received", file);
	w->theirs = t->reason;
}

static void
of_file(struct words *w, const struct client_event *e)
{
	const struct client_transfer *t = e->transfer;

	switch (e->kind) {
	case CLIENT_FILE_OFFERED:
		words_set(w, WORDS_STATUS,
			  t->outgoing ? "offered to %s, %" PRIu64 " bytes: "
				      : "file offered by %s, /get or /refuse, %" PRIu64
					" bytes: ",
			  e->name, t->size);
		w->theirs = e->text;
		break;
	case CLIENT_FILE_BEGUN:
		words_set(w, WORDS_STATUS, "%s %s, %" PRIu64 " bytes: ",
			  t->outgoing ? "sending to" : "receiving from", e->name,
			  t->size);
		w->theirs = e->text;
		break;
	case CLIENT_FILE_DONE:
		words_set(w, WORDS_STATUS,
			  t->outgoing ? "delivered to %s, %" PRIu64 " bytes: "
				      : "stored from %s, %" PRIu64 " bytes: ",
			  e->name, t->size);
		w->theirs = t->path != NULL ? span_str(t->path) : e->text;
		break;
	case CLIENT_FILE_FAILED: of_failure(w, e); break;
	default: of_progress(w, e);
	}
	w->name = e->name;
}

static bool
of_connection(struct words *w, const struct client_event *e)
{
	switch (e->kind) {
	case CLIENT_AWAY:
		words_set(w, WORDS_STATUS,
			  "no connection, attempt %" PRIu64 " in %" PRId64 ".%" PRId64
			  " s: ",
			  e->count, e->time_ms / 1000, e->time_ms % 1000 / 100);
		w->theirs = e->text;
		return true;
	case CLIENT_UNSENT:
		words_set(w, WORDS_TROUBLE, "may not have arrived, to %s: ", e->name);
		w->theirs = e->text;
		w->name = e->name;
		return true;
	case CLIENT_BACK:
		if (e->name == NULL)
			return false;
		words_set(w, WORDS_STATUS,
			  e->count > 0
			      ? "the chat with %s is open again"
			      : "the chat with %s has ended with the connection: "
				"/chat %s asks anew",
			  e->name, e->name);
		w->name = e->name;
		return true;
	default: return false;
	}
}

bool
words_of_transfer(const struct client_event *e, struct words *w)
{
	if (e->transfer == NULL)
		return of_connection(w, e);
	of_file(w, e);
	return true;
}
