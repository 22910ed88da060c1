/* SPDX-License-Identifier: MIT
 *
 * contacts_fake.h - a contacts server in lines for the client's machine, one that can
 * also say what no honest server does.  The machine has no socket: bytes go in, bytes
 * come out, and events are written down.
 */
#ifndef TESTS_UNIT_CONTACTS_FAKE_H
#define TESTS_UNIT_CONTACTS_FAKE_H

#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "base/text.h"
#include "client/contacts.h"
#include "protocol/contacts.h"

#define NONE span_of(NULL, 0)

struct fake {
	struct client_login login;
	struct client_env env;
	struct client_view view;
	void *machine;
	struct buf out;     /* from the machine */
	struct buf in;      /* to it */
	struct buf content; /* of the file that came last */
	char events[1 << 19];
	char taken[1 << 19];
	int64_t now;
};

static inline void
on_event(void *arg, const struct client_event *e)
{
	static const char *const words[] = {
	    [CLIENT_LOGGED_IN] = "logged-in",
	    [CLIENT_LIST_NAME] = "list-name",
	    [CLIENT_LIST_END] = "list-end",
	    [CLIENT_CHAT_READY] = "ready",
	    [CLIENT_MESSAGE] = "message",
	    [CLIENT_CHAT_CLOSED] = "closed",
	    [CLIENT_DONE] = "done",
	    [CLIENT_FAILED] = "failed",
	    [CLIENT_CONTACT] = "contact",
	    [CLIENT_CONTACTS_END] = "contacts-end",
	    [CLIENT_CONTACT_ASKS] = "asks",
	    [CLIENT_CONTACT_NOW] = "now",
	    [CLIENT_CHAT_KEPT] = "chat",
	    [CLIENT_CHATS_END] = "chats-end",
	    [CLIENT_UNREAD] = "unread",
	    [CLIENT_FILE] = "file",
	    [CLIENT_FILE_CONTENTS] = "contents",
	    [CLIENT_UNSENT] = "unsent",
	    [CLIENT_LOGGED_OUT] = "logged-out",
	    [CLIENT_REFUSED] = "refused",
	    [CLIENT_FORCED_LOGOUT] = "forced",
	    [CLIENT_LOST] = "lost",
	};
	struct fake *f = arg;
	struct buf line = BUF_INIT(65536);
	char text[2048];

	ck_assert_ptr_nonnull(words[e->kind]);
	ck_assert_int_eq(buf_printf(&line, "%s", words[e->kind]), Q_OK);
	if (e->name != NULL)
		ck_assert_int_eq(buf_printf(&line, " %s", e->name), Q_OK);
	if (e->id != 0)
		ck_assert_int_eq(buf_printf(&line, " #%" PRIu64, e->id), Q_OK);
	if (e->type != NULL)
		ck_assert_int_eq(buf_printf(&line, " %s", e->type), Q_OK);
	if (e->count != 0)
		ck_assert_int_eq(buf_printf(&line, " %" PRIu64, e->count), Q_OK);
	text_visible(e->text, text, sizeof(text));
	if (text[0] != '\0')
		ck_assert_int_eq(buf_printf(&line, " %s", text), Q_OK);
	ck_assert_int_eq(buf_put(&line, ";", 2), Q_OK);
	ck_assert_uint_lt(strlcat(f->events, (char *)line.p, sizeof(f->events)),
			  sizeof(f->events));
	buf_free(&line);
	if (e->kind == CLIENT_FILE_CONTENTS) {
		f->content.len = 0;
		ck_assert_int_eq(buf_put_span(&f->content, e->content), Q_OK);
	}
}

/* What has happened since the last look. */
static inline const char *
events(struct fake *f)
{
	strlcpy(f->taken, f->events, sizeof(f->taken));
	f->events[0] = '\0';
	return f->taken;
}
#define EVENTS(f, want) ck_assert_str_eq(events(f), want)

/* What the machine has sent since the last look. */
static inline const char *
sent(struct fake *f)
{
	ck_assert_int_eq(buf_put_u8(&f->out, 0), Q_OK);
	ck_assert_uint_lt(strlcpy(f->taken, (const char *)f->out.p, sizeof(f->taken)),
			  sizeof(f->taken));
	f->out.len = 0;
	return f->taken;
}
#define SENT(f, want) ck_assert_str_eq(sent(f), want)

/* The server sends this. */
static inline void
say(struct fake *f, const char *lines)
{
	ck_assert_int_eq(buf_put_str(&f->in, lines), Q_OK);
	client_contacts.input(f->machine, &f->in, f->now);
}

static inline enum qerr
ask_span(struct fake *f, enum client_verb verb, struct span arg)
{
	struct why why = {""};
	enum qerr e = client_contacts.command(f->machine, verb, arg, f->now, &why);

	ck_assert((e == Q_OK) == (why.text[0] == '\0'));
	return e;
}
#define ASK(f, verb, arg)    ask_span(f, verb, span_str(arg))
#define ASK_OK(f, verb, arg) ck_assert_int_eq(ASK(f, verb, arg), Q_OK)

static inline struct fake *
fake_new(void)
{
	struct fake *f = calloc(1, sizeof(*f));

	ck_assert_ptr_nonnull(f);
	f->now = 1000;
	f->out = (struct buf)BUF_INIT(24 << 20);
	f->in = f->content = f->out;
	strlcpy(f->login.user, "alice", sizeof(f->login.user));
	f->login.password = "geheim 123";
	f->env = (struct client_env){.login = &f->login,
				     .server = "127.0.0.1:9034",
				     .out = &f->out,
				     .view = &f->view,
				     .event = on_event,
				     .event_arg = f};
	f->machine = client_contacts.make(&f->env);
	ck_assert_ptr_nonnull(f->machine);
	return f;
}

static inline void
fake_free(struct fake *f)
{
	client_contacts.drop(f->machine);
	buf_free(&f->out);
	buf_free(&f->in);
	buf_free(&f->content);
	free(f);
}

/* Logged in as Alice, who has a chat, 7, with bob, and one, 9, with carol. */
static inline struct fake *
logged_in(void)
{
	struct fake *f = fake_new();

	client_contacts.begin(f->machine, f->now);
	SENT(f, "110 alice \"geheim 123\"\n122 1 1\n");
	say(f, "212 400 Alice\n");
	EVENTS(f, "logged-in Alice;");
	SENT(f, "112\n");
	ck_assert(f->view.busy);
	say(f, "214 2\n215 7 Alice bob\n215 9 carol ALICE\n216\n");
	ck_assert(!f->view.busy);
	EVENTS(f, "");
	SENT(f, "");
	return f;
}

static inline struct fake *
chatting(void)
{
	struct fake *f = logged_in();

	ASK_OK(f, CLIENT_DO_CHAT, "BOB");
	EVENTS(f, "ready bob;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_CHATTING);
	ck_assert_str_eq(f->view.partner, "bob");
	SENT(f, "");
	return f;
}

#endif
