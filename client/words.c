/* SPDX-License-Identifier: MIT
 *
 * Scripts rely on these (docs/man/quintet-client.1, "OUTPUT").
 */
#include "client/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "client/words_transfer.h"

static void vset(struct words *w, enum words_kind kind, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void
vset(struct words *w, enum words_kind kind, const char *fmt, va_list ap)
{
	*w = (struct words){.kind = kind, .theirs = span_of(NULL, 0)};
	vsnprintf(w->ours, sizeof(w->ours), fmt, ap);
}

void
words_set(struct words *w, enum words_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vset(w, kind, fmt, ap);
	va_end(ap);
}

static bool status(struct words *w, const struct client_event *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool
status(struct words *w, const struct client_event *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vset(w, WORDS_STATUS, fmt, ap);
	va_end(ap);
	w->name = e->name;
	return true;
}

/* With the event's text behind what has been set. */
static bool
with_text(struct words *w, const struct client_event *e)
{
	w->theirs = e->text;
	return true;
}

#define UNREAD_TEXT 40

/* ", 3 unread", or nothing. */
static const char *
unread(const struct client_event *e, char out[UNREAD_TEXT])
{
	out[0] = '\0';
	if (e->count > 0)
		snprintf(out, UNREAD_TEXT, ", %" PRIu64 " unread", e->count);
	return out;
}

static bool
of_contact(struct words *w, const struct client_event *e)
{
	time_t since = (time_t)(e->time_ms / 1000);
	char date[32] = "?", text[UNREAD_TEXT];
	struct tm tm;

	if (localtime_r(&since, &tm) != NULL)
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	return status(w, e, "contact %s since %s%s", e->name, date, unread(e, text));
}

/* Its type is theirs as well. */
static bool
of_file(struct words *w, const struct client_event *e)
{
	char type[160];

	if (e->type == NULL)
		status(w, e, "file %" PRIu64 " from %s: ", e->id, e->name);
	else {
		text_visible(span_str(e->type), type, sizeof(type));
		status(w, e, "file %" PRIu64 " from %s: %s, %" PRIu64 " bytes, ", e->id,
		       e->name, type, e->count);
	}
	return with_text(w, e);
}

static void
put_number(struct words *w, uint64_t number)
{
	if (number != 0)
		snprintf(w->ours, sizeof(w->ours), "[%" PRIu64 "] ", number);
}

void
words_own(struct words *w, const struct client_view *view, struct span text)
{
	words_set(w, WORDS_OWN, "%s", "");
	put_number(w, view->said);
	w->name = view->partner;
	w->theirs = text;
}

static bool
of_text(struct words *w, const struct client_event *e, enum words_kind kind)
{
	words_set(w, kind, "%s", "");
	put_number(w, e->id);
	w->name = e->name;
	w->theirs = e->text;
	w->time_ms = e->time_ms;
	w->old = e->old;
	return true;
}

static bool
of_changed_key(struct words *w, const struct client_event *e)
{
	words_set(w, WORDS_TROUBLE,
		  "THE KEY OF %s HAS CHANGED, or somebody is in between: it was %.*s and "
		  "is now %s; when %s has told you that one in person, /trust %s accepts "
		  "it",
		  e->name, (int)e->text.len, (const char *)e->text.p, e->fingerprint,
		  e->name, e->name);
	w->name = e->name;
	return true;
}

static bool
of_history(struct words *w, const struct client_event *e)
{
	time_t said = (time_t)(e->time_ms / 1000);
	char when[32] = "?";
	struct tm tm;

	if (localtime_r(&said, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	status(w, e, "history %s <%s> ", when, e->name);
	w->time_ms = e->time_ms;
	w->old = true;
	return with_text(w, e);
}

/* People's keys, and what was kept. */
static bool
of_trust(struct words *w, const struct client_event *e)
{
	switch (e->kind) {
	case CLIENT_KEY_NEW:
		return status(w, e, "the key of %s is new here: /verify compares it",
			      e->name);
	case CLIENT_KEY_CHANGED: return of_changed_key(w, e);
	case CLIENT_KEY_TRUSTED:
		return status(w, e, "trusting the key of %s: %s; it was %.*s", e->name,
			      e->fingerprint, (int)e->text.len, (const char *)e->text.p);
	case CLIENT_SAFETY:
		return status(w, e, "safety number with %s: %.*s%s", e->name,
			      (int)e->text.len, (const char *)e->text.p,
			      e->count > 0 ? ", verified" : "");
	case CLIENT_VERIFIED:
		return status(w, e, "the key of %s is %s", e->name,
			      e->count > 0 ? "verified" : "not verified any longer");
	case CLIENT_HISTORY: return of_history(w, e);
	case CLIENT_HISTORY_END:
		return status(w, e, "history with %s: %" PRIu64, e->name, e->count);
	case CLIENT_CLEARED:
		return status(w, e, "cleared%s%s", e->name != NULL ? " all of " : "",
			      e->name != NULL ? e->name : "");
	default: return words_of_transfer(e, w);
	}
}

/* What nodes has. */
static bool
of_calls(struct words *w, const struct client_event *e)
{
	switch (e->kind) {
	case CLIENT_DELIVERED:
		status(w, e, "delivered to %s: ", e->name);
		return with_text(w, e);
	case CLIENT_PINGED:
		return status(w, e, "%s answers in %.*f ms",
			      e->name != NULL ? e->name : "the server",
			      e->count < 100000 ? 2 : 0, (double)e->count / 1000);
	case CLIENT_NODE: status(w, e, "node "); return with_text(w, e);
	case CLIENT_NODES_END: return status(w, e, "nodes: %" PRIu64, e->count);
	default: return of_trust(w, e);
	}
}

/* A room, and its own name behind it. */
static bool
of_room_kept(struct words *w, const struct client_event *e)
{
	char text[UNREAD_TEXT];

	status(w, e, "room %s, %s%s%s", e->name, e->type, unread(e, text),
	       e->text.len > 0 ? ": " : "");
	return with_text(w, e);
}

static bool
of_rooms(struct words *w, const struct client_event *e)
{
	switch (e->kind) {
	case CLIENT_ROOM: status(w, e, "in %s: ", e->name); return with_text(w, e);
	case CLIENT_SENT: return status(w, e, "sent %" PRIu64, e->id);
	case CLIENT_EDITED:
		status(w, e, "%s has changed %" PRIu64 ": ", e->name, e->id);
		return with_text(w, e);
	case CLIENT_ERASED:
		status(w, e, "%s has deleted %" PRIu64 "%s", e->name, e->id,
		       e->text.len > 0 ? ": " : "");
		return with_text(w, e);
	case CLIENT_PINNED:
		return status(w, e, "%s has %s %" PRIu64, e->name,
			      e->count > 0 ? "pinned" : "unpinned", e->id);
	case CLIENT_READ: return status(w, e, "%s has read %" PRIu64, e->name, e->id);
	case CLIENT_REPLAY_END:
		status(w, e, "before that in %s: %" PRIu64 "%s", e->name, e->count,
		       e->text.len > 0 ? ", " : "");
		return with_text(w, e);
	default: return of_calls(w, e);
	}
}

/* The lists that contacts has. */
static bool
of_people(struct words *w, const struct client_event *e)
{
	char text[UNREAD_TEXT];

	switch (e->kind) {
	case CLIENT_CONTACT: return of_contact(w, e);
	case CLIENT_CONTACTS_END: return status(w, e, "contacts: %" PRIu64, e->count);
	case CLIENT_CONTACT_ASKS:
		return status(w, e, "%s asks to be a contact: /confirm %s", e->name,
			      e->name);
	case CLIENT_CONTACT_NOW: return status(w, e, "%s is a contact now", e->name);
	case CLIENT_CHAT_KEPT:
		if (e->type != NULL)
			return of_room_kept(w, e);
		return status(w, e, "chat %s%s", e->name, unread(e, text));
	case CLIENT_CHATS_END:
		return status(w, e, "%s: %" PRIu64, e->type != NULL ? e->type : "chats",
			      e->count);
	case CLIENT_UNREAD:
		return status(w, e, "unread from %s: %" PRIu64, e->name, e->count);
	case CLIENT_FILE: return of_file(w, e);
	default: return of_rooms(w, e);
	}
}

bool
words_of(const struct client_event *e, struct words *w)
{
	switch (e->kind) {
	case CLIENT_CONNECTED: status(w, e, "connected to "); return with_text(w, e);
	case CLIENT_LOGGED_IN: return status(w, e, "logged in as %s", e->name);
	case CLIENT_REQUEST_FROM:
		return status(w, e, "request from %s: /accept or /deny", e->name);
	case CLIENT_REQUEST_WITHDRAWN: return status(w, e, "request over: %s", e->name);
	case CLIENT_REQUEST_DENIED:
		return status(w, e, "no chat with %s: refused, busy or not here",
			      e->name);
	case CLIENT_CHAT_READY:
		return status(w, e, "chat with %s%s%s%s", e->name,
			      e->fingerprint[0] != '\0' ? ", key " : "", e->fingerprint,
			      e->count > 0 ? ", verified" : "");
	case CLIENT_MESSAGE: return of_text(w, e, WORDS_MESSAGE);
	case CLIENT_CHAT_CLOSED:
		status(w, e, "chat with %s ended: ", e->name);
		return with_text(w, e);
	case CLIENT_NOTICE: status(w, e, "notice: "); return with_text(w, e);
	case CLIENT_UNKNOWN:
		status(w, e, "not shown, from %s: ", e->name);
		return with_text(w, e);
	case CLIENT_DONE: status(w, e, "%s", ""); return with_text(w, e);
	case CLIENT_FAILED: return of_text(w, e, WORDS_TROUBLE);
	case CLIENT_LOGGED_OUT: return status(w, e, "logged out");
	default: return of_people(w, e);
	}
}
