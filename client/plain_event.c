/* SPDX-License-Identifier: MIT
 *
 * What happens, as lines (docs/man/quintet-client.1, "OUTPUT").
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "client/file.h"
#include "client/plain_inner.h"
#include "client/show.h"

void
plain_refuse(struct plain *p, const char *sentence)
{
	show_text("! ", span_str(sentence));
	if (!p->terminal)
		p->refused = true;
}

static void
show_list(struct plain *p)
{
	if (p->list.len == 0)
		show_status("list: (nobody)");
	else
		show_status("list:%.*s", (int)p->list.len, (const char *)p->list.p);
	p->list.len = 0;
	p->lists++;
}

static void
show_message(struct plain *p, const struct client_event *e)
{
	char before[NAME_SIZE + 4];

	snprintf(before, sizeof(before), "<%s> ", e->name);
	show_text(before, e->text);
	p->messages++;
}

/* ---- contacts and files ---- */

static void
on_failed(struct plain *p, const struct client_event *e)
{
	show_text("! ", e->text);
	if (!p->terminal)
		p->refused = true;
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

static void
show_contact(const struct client_event *e)
{
	time_t since = (time_t)(e->time_ms / 1000);
	char date[32] = "?", text[UNREAD_TEXT];
	struct tm tm;

	if (localtime_r(&since, &tm) != NULL)
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	show_status("contact %s since %s%s", e->name, date, unread(e, text));
}

/* Its type is theirs as well. */
static void
show_file(struct plain *p, const struct client_event *e)
{
	char type[512];

	p->files++;
	printf("* file %" PRIu64 " from %s: ", e->id, e->name);
	if (e->type != NULL) {
		text_visible(span_str(e->type), type, sizeof(type));
		printf("%s, %" PRIu64 " bytes, ", type, e->count);
	}
	show_text("", e->text);
}

static void
save_file(struct plain *p, const struct client_event *e)
{
	char name[FILE_NAME_SIZE];
	const char *path = p->save_as;
	struct why why;

	if (path[0] == '\0') {
		file_name(e->text, e->id, e->type, name);
		path = name;
	}
	if (file_save(path, e->content, &why) != Q_OK) {
		plain_refuse(p, why.text);
		return;
	}
	printf("* saved file %" PRIu64 ", %" PRIu64 " bytes, as ", e->id, e->count);
	show_text("", span_str(path));
}

static void
on_final(struct plain *p, const struct client_event *e)
{
	char text[sizeof(p->why.text)];

	text_visible(e->text, text, sizeof(text));
	if (e->kind == CLIENT_LOGGED_OUT) {
		show_status("logged out");
		p->end = Q_OK;
		return;
	}
	if (p->logged_in)
		show_status("disconnected");
	if (e->kind != CLIENT_FORCED_LOGOUT)
		p->end = why_set(&p->why, Q_CLOSED, "%s", text);
	else if (text[0] != '\0')
		p->end =
		    why_set(&p->why, Q_CLOSED, "the server ended the session: %s", text);
	else
		p->end = why_set(&p->why, Q_CLOSED, "the server ended the session");
}

void
plain_event(void *arg, const struct client_event *e)
{
	char unread_text[UNREAD_TEXT];
	struct plain *p = arg;

	switch (e->kind) {
	case CLIENT_CONNECTED: show_text("* connected to ", e->text); break;
	case CLIENT_LOGGED_IN:
		p->logged_in = true;
		show_status("logged in as %s%s", e->name,
			    p->terminal ? " (/help lists the commands)" : "");
		break;
	case CLIENT_LIST_NAME:
		/* Without memory to collect them in: one by one. */
		if (buf_printf(&p->list, " %s", e->name) != Q_OK)
			show_status("list: %s", e->name);
		break;
	case CLIENT_LIST_END: show_list(p); break;
	case CLIENT_REQUEST_FROM:
		show_status("request from %s: /accept or /deny", e->name);
		break;
	case CLIENT_REQUEST_WITHDRAWN: show_status("request over: %s", e->name); break;
	case CLIENT_REQUEST_DENIED:
		show_status("no chat with %s: refused, busy or not here", e->name);
		break;
	case CLIENT_CHAT_READY:
		p->chat_came = true;
		show_status("chat with %s%s%s", e->name,
			    e->fingerprint[0] != '\0' ? ", key " : "", e->fingerprint);
		break;
	case CLIENT_MESSAGE: show_message(p, e); break;
	case CLIENT_CHAT_CLOSED:
		printf("* chat with %s ended: ", e->name);
		show_text("", e->text);
		break;
	case CLIENT_NOTICE:
		show_text("* notice: ", e->text);
		p->notices++;
		break;
	case CLIENT_UNKNOWN:
		printf("* not shown, from %s: ", e->name);
		show_text("", e->text);
		break;
	case CLIENT_DONE: show_text("* ", e->text); break;
	case CLIENT_FAILED: on_failed(p, e); break;
	case CLIENT_CONTACT: show_contact(e); break;
	case CLIENT_CONTACTS_END: show_status("contacts: %" PRIu64, e->count); break;
	case CLIENT_CONTACT_ASKS:
		show_status("%s asks to be a contact: /confirm %s", e->name, e->name);
		p->contacts++;
		break;
	case CLIENT_CONTACT_NOW:
		show_status("%s is a contact now", e->name);
		p->contacts++;
		break;
	case CLIENT_CHAT_KEPT:
		show_status("chat %s%s", e->name, unread(e, unread_text));
		break;
	case CLIENT_CHATS_END: show_status("chats: %" PRIu64, e->count); break;
	case CLIENT_UNREAD:
		show_status("unread from %s: %" PRIu64, e->name, e->count);
		break;
	case CLIENT_FILE: show_file(p, e); break;
	case CLIENT_FILE_CONTENTS: save_file(p, e); break;
	case CLIENT_ENROLLED: break; /* not while logging in */
	case CLIENT_LOGGED_OUT:
	case CLIENT_REFUSED:
	case CLIENT_FORCED_LOGOUT:
	case CLIENT_LOST: on_final(p, e); break;
	}
}
