/* SPDX-License-Identifier: MIT */
#include "client/front.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "client/file.h"

void
front_say(struct front *f, enum words_kind kind, const char *fmt, ...)
{
	char text[sizeof(((struct words *)NULL)->ours)];
	struct words w;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	words_set(&w, kind, "%s", text);
	f->place(f->arg, &w);
}

/* As front_say, with text of any length that need not be safe behind it. */
static void
say_text(struct front *f, enum words_kind kind, const char *ours, struct span theirs)
{
	struct words w;

	words_set(&w, kind, "%s", ours);
	w.theirs = theirs;
	f->place(f->arg, &w);
}

static void
refuse(struct front *f, const struct why *why)
{
	f->refused = true;
	say_text(f, WORDS_TROUBLE, "", span_str(why->text));
}

/* ---- commands ---- */

static void
log_out(struct front *f, struct span arg)
{
	f->leaving = true;
	if (!keep_over(f->keep))
		(void)keep_do(f->keep, CLIENT_DO_LOGOUT, arg, NULL);
}

void
front_leave(struct front *f)
{
	log_out(f, span_of(NULL, 0));
}

void
front_forget(struct front *f)
{
	log_out(f, span_str("forget"));
}

void
front_give_up(struct front *f)
{
	f->leaving = true;
	keep_give_up(f->keep);
}

static void
do_verb(struct front *f, enum client_verb verb, struct span arg)
{
	const struct client_view *view = keep_view(f->keep);
	char partner[NAME_SIZE];
	struct why why;

	memcpy(partner, view->partner, sizeof(partner));
	if (keep_do(f->keep, verb, arg, &why) != Q_OK)
		refuse(f, &why);
	else if (verb == CLIENT_DO_CHAT &&
		 keep_view(f->keep)->phase == CLIENT_PHASE_ASKING)
		front_say(f, WORDS_STATUS, "asking %s", keep_view(f->keep)->partner);
	else if (verb == CLIENT_DO_DENY && f->protocol->side_ops == NULL)
		front_say(f, WORDS_STATUS, "denied %s", partner);
}

static void
do_text(struct front *f, struct span text)
{
	struct words own;
	struct why why;

	if (keep_do(f->keep, CLIENT_DO_SAY, text, &why) != Q_OK) {
		refuse(f, &why);
		return;
	}
	words_own(&own, keep_view(f->keep), text);
	f->place(f->arg, &own);
}

static void
do_send(struct front *f, struct span path)
{
	struct buf file = BUF_INIT(2 * FILE_SEND_MAX);
	struct why why;

	if (f->protocol->streams_files)
		do_verb(f, CLIENT_DO_SEND_FILE, path);
	else if (file_load(path, &file, &why) == Q_OK)
		do_verb(f, CLIENT_DO_SEND, buf_span(&file));
	else
		refuse(f, &why);
	buf_free(&file);
}

static void
do_save(struct front *f, const struct command *c)
{
	if (c->file.len >= sizeof(f->save_as) ||
	    (c->file.len > 0 && memchr(c->file.p, '\0', c->file.len) != NULL)) {
		front_say(f, WORDS_TROUBLE, "no file can have such a name");
		return;
	}
	if (c->file.len > 0)
		memcpy(f->save_as, c->file.p, c->file.len);
	f->save_as[c->file.len] = '\0';
	do_verb(f, CLIENT_DO_SAVE, c->text);
}

void
front_do(struct front *f, const struct command *c)
{
	static const enum client_verb verbs[] = {
	    [COMMAND_LIST] = CLIENT_DO_LIST,
	    [COMMAND_CHAT] = CLIENT_DO_CHAT,
	    [COMMAND_ACCEPT] = CLIENT_DO_ACCEPT,
	    [COMMAND_DENY] = CLIENT_DO_DENY,
	    [COMMAND_END] = CLIENT_DO_END,
	    [COMMAND_CHATS] = CLIENT_DO_CHATS,
	    [COMMAND_ADD] = CLIENT_DO_ADD,
	    [COMMAND_CONFIRM] = CLIENT_DO_CONFIRM,
	    [COMMAND_REMOVE] = CLIENT_DO_REMOVE,
	    [COMMAND_CONTACTS] = CLIENT_DO_CONTACTS,
	    [COMMAND_DELETE] = CLIENT_DO_DELETE,
	    [COMMAND_TRUST] = CLIENT_DO_TRUST,
	    [COMMAND_VERIFY] = CLIENT_DO_VERIFY,
	    [COMMAND_HISTORY] = CLIENT_DO_HISTORY,
	    [COMMAND_CLEAR] = CLIENT_DO_CLEAR,
	    [COMMAND_GET] = CLIENT_DO_GET,
	    [COMMAND_REFUSE] = CLIENT_DO_REFUSE,
	    [COMMAND_CANCEL] = CLIENT_DO_CANCEL,
	    [COMMAND_ROOM] = CLIENT_DO_CHAT,
	    [COMMAND_CREATE] = CLIENT_DO_CREATE,
	    [COMMAND_CHANNEL] = CLIENT_DO_CHANNEL,
	    [COMMAND_INVITE] = CLIENT_DO_INVITE,
	    [COMMAND_PROMOTE] = CLIENT_DO_PROMOTE,
	    [COMMAND_DEMOTE] = CLIENT_DO_DEMOTE,
	    [COMMAND_RENAME] = CLIENT_DO_RENAME,
	    [COMMAND_LEAVE] = CLIENT_DO_LEAVE,
	    [COMMAND_DROP] = CLIENT_DO_DROP,
	    [COMMAND_EDIT] = CLIENT_DO_EDIT,
	    [COMMAND_PIN] = CLIENT_DO_PIN,
	    [COMMAND_SYNC] = CLIENT_DO_SYNC,
	    [COMMAND_PING] = CLIENT_DO_PING,
	    [COMMAND_NODES] = CLIENT_DO_NODES,
	};

	f->refused = false;
	switch (c->verb) {
	case COMMAND_TEXT: do_text(f, c->text); break;
	case COMMAND_LOGOUT: front_forget(f); break;
	case COMMAND_QUIT: front_leave(f); break;
	case COMMAND_SEND: do_send(f, c->text); break;
	case COMMAND_SAVE: do_save(f, c); break;
	default: do_verb(f, verbs[c->verb], c->text); break;
	}
}

/* ---- events ---- */

static void
list_end(struct front *f)
{
	struct span names = f->list.len > 0 ? buf_span(&f->list) : span_str(" (nobody)");

	say_text(f, WORDS_STATUS, "list:", names);
	f->list.len = 0;
}

static void
save_file(struct front *f, const struct client_event *e)
{
	char name[FILE_NAME_SIZE], before[96];
	const char *path = f->save_as;
	struct why why;

	if (path[0] == '\0') {
		file_name(e->text, e->id, e->type, name);
		path = name;
	}
	if (file_save(path, e->content, &why) != Q_OK) {
		refuse(f, &why);
		return;
	}
	snprintf(before, sizeof(before), "saved file %" PRIu64 ", %" PRIu64 " bytes, as ",
		 e->id, e->count);
	say_text(f, WORDS_STATUS, before, span_str(path));
}

static void
on_final(struct front *f, const struct client_event *e)
{
	char text[sizeof(f->why.text)];

	text_visible(e->text, text, sizeof(text));
	if (f->logged_in)
		front_say(f, WORDS_STATUS, "disconnected");
	if (e->kind != CLIENT_FORCED_LOGOUT)
		f->end = why_set(&f->why, Q_CLOSED, "%s", text);
	else if (text[0] != '\0')
		f->end =
		    why_set(&f->why, Q_CLOSED, "the server ended the session: %s", text);
	else
		f->end = why_set(&f->why, Q_CLOSED, "the server ended the session");
}

static void
front_event(void *arg, const struct client_event *e)
{
	struct front *f = arg;
	struct words w;

	if (e->kind == CLIENT_LOGGED_IN || e->kind == CLIENT_AWAY)
		f->logged_in = e->kind == CLIENT_LOGGED_IN;
	if (f->heard != NULL)
		f->heard(f->arg, e);
	switch (e->kind) {
	case CLIENT_LIST_NAME:
		/* Without memory to collect them in: one by one. */
		if (buf_printf(&f->list, " %s", e->name) != Q_OK)
			front_say(f, WORDS_STATUS, "list: %s", e->name);
		break;
	case CLIENT_LIST_END: list_end(f); break;
	case CLIENT_FILE_CONTENTS: save_file(f, e); break;
	case CLIENT_REFUSED:
	case CLIENT_FORCED_LOGOUT:
	case CLIENT_LOST: on_final(f, e); break;
	default:
		if (words_of(e, &w))
			f->place(f->arg, &w);
	}
}

/* ---- the loop ---- */

const struct client_view *
front_view(const struct front *f)
{
	return keep_view(f->keep);
}

bool
front_over(const struct front *f)
{
	return keep_over(f->keep);
}

int
front_fd(const struct front *f)
{
	return keep_fd(f->keep);
}

short
front_poll_events(const struct front *f)
{
	return keep_poll_events(f->keep);
}

int64_t
front_deadline(const struct front *f)
{
	return keep_deadline(f->keep);
}

void
front_step(struct front *f, short revents)
{
	keep_step(f->keep, revents);
}

size_t
front_waiting(const struct front *f)
{
	return keep_waiting(f->keep);
}

enum qerr
front_ask(struct front *f, enum client_verb verb, struct span arg)
{
	return keep_do(f->keep, verb, arg, NULL);
}

/* ---- life ---- */

enum qerr
front_open(struct front *f, const struct target *target,
	   const struct client_protocol *protocol, const struct client_login *login,
	   struct why *why)
{
	f->protocol = protocol;
	f->list = (struct buf)BUF_INIT(65536);
	return keep_new(target, protocol, login,
			login->comes_back ? KEEP_COMING_BACK : KEEP_ONCE, front_event, f,
			&f->keep, why);
}

void
front_close(struct front *f)
{
	buf_free(&f->list);
	keep_free(f->keep);
	f->keep = NULL;
}
