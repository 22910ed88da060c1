/* SPDX-License-Identifier: MIT
 *
 * Commands are read one after the other, and only when the one before has had
 * its effect here: not before the login, not during /wait, not while too much
 * waits to be sent.  So a script means the same whatever the timing.
 */
#include "client/plain.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "client/command.h"
#include "client/lines.h"
#include "client/show.h"

/* The kernel drops what is typed beyond this in one line of a terminal, without
 * a word; so a line of this length is not to be trusted. */
#define TERMINAL_LINE_MAX 4095

struct plain {
	struct client *client;
	const struct client_protocol *protocol;
	struct lines lines;
	bool terminal; /* standard input is one */
	bool logged_in;
	bool leaving; /* /quit, or the end of the input */
	bool refused; /* a script's command */
	enum command_wait wait;
	int64_t wait_deadline_ms;
	bool chat_came;  /* a chat has become ready since it was last asked for */
	size_t messages; /* come, and not yet waited for */
	size_t lists;
	size_t notices;
	struct buf list; /* names of the list that is coming in */
	enum qerr end;   /* how it ended */
	struct why why;
};

/* ---- what happens ---- */

static void
refuse(struct plain *p, const char *sentence)
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

static void
on_final(struct plain *p, const struct client_event *e)
{
	char text[sizeof(p->why.text) / 2];

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

static void
on_event(void *arg, const struct client_event *e)
{
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
		show_status("chat with %s, key %s", e->name, e->fingerprint);
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
	case CLIENT_ENROLLED: break; /* not while logging in */
	case CLIENT_LOGGED_OUT:
	case CLIENT_REFUSED:
	case CLIENT_FORCED_LOGOUT:
	case CLIENT_LOST: on_final(p, e); break;
	}
}

/* ---- waiting ---- */

enum verdict { NOT_YET, DONE, IN_VAIN };

static enum verdict
counted(size_t *count, bool more_may_come)
{
	if (*count == 0)
		return more_may_come ? NOT_YET : IN_VAIN;
	(*count)--;
	return DONE;
}

static enum verdict
look(struct plain *p)
{
	enum client_phase phase = client_view(p->client)->phase;
	bool quiet = phase == CLIENT_PHASE_FREE || phase == CLIENT_PHASE_ASKED;

	switch (p->wait) {
	case WAIT_REQUEST: return phase == CLIENT_PHASE_ASKED ? DONE : NOT_YET;
	case WAIT_CHAT:
		if (phase == CLIENT_PHASE_CHATTING || p->chat_came)
			return DONE;
		return quiet ? IN_VAIN : NOT_YET;
	case WAIT_CLOSED: return quiet ? DONE : NOT_YET;
	case WAIT_MESSAGE: return counted(&p->messages, !quiet);
	case WAIT_LIST: return counted(&p->lists, true);
	case WAIT_NOTICE: return counted(&p->notices, true);
	case WAIT_GONE: return NOT_YET; /* the loop ends by itself */
	case WAIT_NOTHING: break;
	}
	return DONE;
}

static void
leave(struct plain *p)
{
	p->leaving = true;
	p->wait = WAIT_NOTHING;
	if (!client_over(p->client))
		(void)client_do(p->client, CLIENT_DO_LOGOUT, span_of(NULL, 0), NULL);
}

/* A script whose wait was in vain does not go on as if nothing had happened. */
static void
check_wait(struct plain *p)
{
	enum verdict v =
	    p->wait == WAIT_NOTHING || client_over(p->client) ? DONE : look(p);
	struct why why;

	if (v == NOT_YET && clock_left_ms(p->wait_deadline_ms) == 0)
		v = IN_VAIN;
	if (v == NOT_YET)
		return;
	if (v == IN_VAIN) {
		why_set(&why, Q_TIMEOUT, "waited for %s in vain",
			command_wait_word(p->wait));
		refuse(p, why.text);
		if (!p->terminal)
			leave(p);
	}
	p->wait = WAIT_NOTHING;
}

/* ---- commands ---- */

static void
do_verb(struct plain *p, enum client_verb verb, struct span arg)
{
	char partner[NAME_SIZE];
	struct why why;

	memcpy(partner, client_view(p->client)->partner, sizeof(partner));
	if (verb == CLIENT_DO_CHAT || verb == CLIENT_DO_ACCEPT)
		p->chat_came = false;
	if (client_do(p->client, verb, arg, &why) != Q_OK) {
		refuse(p, why.text);
		return;
	}
	if (verb == CLIENT_DO_CHAT)
		show_status("asking %s", client_view(p->client)->partner);
	else if (verb == CLIENT_DO_DENY)
		show_status("denied %s", partner);
}

static void
do_text(struct plain *p, struct span text)
{
	bool chatting = client_view(p->client)->phase == CLIENT_PHASE_CHATTING;

	/* An empty line is a message for a script that passes a text on, and a
	 * slip of the finger for a person. */
	if (text.len == 0 && (p->terminal || !chatting))
		return;
	if (p->terminal && text.len >= TERMINAL_LINE_MAX)
		refuse(p, "not sent: terminals cut lines as long as this one; send it "
			  "through a pipe");
	else
		do_verb(p, CLIENT_DO_SAY, text);
}

static void
do_line(struct plain *p, struct span line)
{
	static const enum client_verb verbs[] = {
	    [COMMAND_LIST] = CLIENT_DO_LIST,     [COMMAND_CHAT] = CLIENT_DO_CHAT,
	    [COMMAND_ACCEPT] = CLIENT_DO_ACCEPT, [COMMAND_DENY] = CLIENT_DO_DENY,
	    [COMMAND_END] = CLIENT_DO_END,
	};
	struct command c;
	struct why why;

	if (command_parse(line, &c, &why) != Q_OK) {
		refuse(p, why.text);
		return;
	}
	switch (c.verb) {
	case COMMAND_TEXT: do_text(p, c.text); break;
	case COMMAND_HELP:
		for (size_t i = 0; command_help[i] != NULL; i++)
			show_status("%s", command_help[i]);
		break;
	case COMMAND_WAIT:
		p->wait = c.wait;
		p->wait_deadline_ms = clock_mono_ms() + c.wait_ms;
		check_wait(p);
		break;
	case COMMAND_LOGOUT: leave(p); break;
	default: do_verb(p, verbs[c.verb], c.text); break;
	}
}

/* ---- the loop ---- */

static bool
takes_lines(const struct plain *p)
{
	return p->logged_in && !p->leaving && p->wait == WAIT_NOTHING &&
	       !client_over(p->client) && client_waiting(p->client) < CLIENT_WAITING_HIGH;
}

/* Act on the lines that are there.  True: more are wanted from the input. */
static bool
work_off(struct plain *p)
{
	struct why why;
	struct span line;

	while (takes_lines(p)) {
		switch (lines_next(&p->lines, &line)) {
		case Q_OK: do_line(p, line); break;
		case Q_LIMIT:
			why_set(&why, Q_LIMIT,
				"not sent: the line is too long, %zu bytes at most",
				p->protocol->text_max);
			refuse(p, why.text);
			break;
		case Q_SHORT: return true;
		default: leave(p); break;
		}
	}
	return false;
}

static void
turn(struct plain *p)
{
	bool read_on = work_off(p);
	struct pollfd fds[2] = {
	    {.fd = client_fd(p->client), .events = client_poll_events(p->client)},
	    {.fd = read_on ? p->lines.fd : -1, .events = POLLIN},
	};
	int64_t deadline = client_deadline(p->client);

	if (client_over(p->client))
		return;
	if (p->wait != WAIT_NOTHING && (deadline == 0 || p->wait_deadline_ms < deadline))
		deadline = p->wait_deadline_ms;
	if (fflush(stdout) != 0)
		return; /* the loop looks at ferror */
	if (poll(fds, 2, clock_left_ms(deadline)) == -1)
		fds[0].revents = fds[1].revents = 0; /* EINTR: look again */
	/* Trouble with the input is its end. */
	if (fds[1].revents != 0 && lines_read(&p->lines) != Q_OK)
		p->lines.end = true;
	client_step(p->client, fds[0].revents);
	check_wait(p);
}

enum qerr
plain_run(const struct target *target, const struct client_protocol *protocol,
	  const struct client_login *login, struct why *why)
{
	struct plain p = {.protocol = protocol, .terminal = isatty(STDIN_FILENO) == 1};
	enum qerr e;

	e = client_new(target, protocol, login, on_event, &p, &p.client, why);
	if (e != Q_OK)
		return e;
	p.list = (struct buf)BUF_INIT(65536);
	/* One more for the '/' before a text that begins with one. */
	lines_init(&p.lines, STDIN_FILENO, protocol->text_max + 1);
	while (!client_over(p.client) && !ferror(stdout))
		turn(&p);
	e = p.end;
	if (fflush(stdout) != 0 || ferror(stdout))
		e = why_set(&p.why, Q_SYS, "cannot write the output: %s",
			    strerror(errno));
	else if (e == Q_OK && p.refused)
		e = Q_DENIED;
	if (why != NULL)
		*why = p.why;
	lines_fini(&p.lines);
	buf_free(&p.list);
	client_free(p.client);
	return e;
}
