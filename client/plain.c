/* SPDX-License-Identifier: MIT
 *
 * Commands are read one after the other, and only when the one before has had
 * its effect here: not before the login, not during /wait, not while an answer to it is
 * to come or too much waits to be sent.  So a script means the same whatever the timing.
 */
#include "client/plain.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "client/file.h"
#include "client/plain_inner.h"
#include "client/show.h"

/* The kernel drops what is typed beyond this in one line of a terminal, without
 * a word; so a line of this length is not to be trusted. */
#define TERMINAL_LINE_MAX 4095

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
	case WAIT_CONTACT: return counted(&p->contacts, true);
	case WAIT_UNREAD: return client_view(p->client)->unread > 0 ? DONE : NOT_YET;
	case WAIT_FILE: return counted(&p->files, true);
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
		plain_refuse(p, why.text);
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
		plain_refuse(p, why.text);
		return;
	}
	if (verb == CLIENT_DO_CHAT &&
	    client_view(p->client)->phase == CLIENT_PHASE_ASKING)
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
		plain_refuse(p,
			     "not sent: terminals cut lines as long as this one; send it "
			     "through a pipe");
	else
		do_verb(p, CLIENT_DO_SAY, text);
}

static void
do_send(struct plain *p, struct span path)
{
	struct buf file = BUF_INIT(2 * FILE_SEND_MAX);
	struct why why;

	if (file_load(path, &file, &why) == Q_OK)
		do_verb(p, CLIENT_DO_SEND, buf_span(&file));
	else
		plain_refuse(p, why.text);
	buf_free(&file);
}

static void
do_save(struct plain *p, const struct command *c)
{
	if (c->file.len >= sizeof(p->save_as) ||
	    (c->file.len > 0 && memchr(c->file.p, '\0', c->file.len) != NULL)) {
		plain_refuse(p, "no file can have such a name");
		return;
	}
	if (c->file.len > 0)
		memcpy(p->save_as, c->file.p, c->file.len);
	p->save_as[c->file.len] = '\0';
	do_verb(p, CLIENT_DO_SAVE, c->text);
}

static void
do_line(struct plain *p, struct span line)
{
	static const enum client_verb verbs[] = {
	    [COMMAND_LIST] = CLIENT_DO_LIST,     [COMMAND_CHAT] = CLIENT_DO_CHAT,
	    [COMMAND_ACCEPT] = CLIENT_DO_ACCEPT, [COMMAND_DENY] = CLIENT_DO_DENY,
	    [COMMAND_END] = CLIENT_DO_END,       [COMMAND_CHATS] = CLIENT_DO_CHATS,
	    [COMMAND_ADD] = CLIENT_DO_ADD,       [COMMAND_CONFIRM] = CLIENT_DO_CONFIRM,
	    [COMMAND_REMOVE] = CLIENT_DO_REMOVE, [COMMAND_CONTACTS] = CLIENT_DO_CONTACTS,
	    [COMMAND_DELETE] = CLIENT_DO_DELETE,
	};
	struct command c;
	struct why why;

	if (command_parse(line, &c, &why) != Q_OK) {
		plain_refuse(p, why.text);
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
	case COMMAND_SEND: do_send(p, c.text); break;
	case COMMAND_SAVE: do_save(p, &c); break;
	default: do_verb(p, verbs[c.verb], c.text); break;
	}
}

/* ---- the loop ---- */

static bool
takes_lines(const struct plain *p)
{
	return p->logged_in && !p->leaving && p->wait == WAIT_NOTHING &&
	       !client_over(p->client) && !client_view(p->client)->busy &&
	       client_waiting(p->client) < CLIENT_WAITING_HIGH;
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
			plain_refuse(p, why.text);
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

	e = client_new(target, protocol, login, plain_event, &p, &p.client, why);
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
