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
#include "client/front.h"
#include "client/lines.h"
#include "client/show.h"

/* The kernel drops what is typed beyond this in one line of a terminal, without
 * a word; so a line of this length is not to be trusted. */
#define TERMINAL_LINE_MAX 4095

struct plain {
	struct front front;
	struct lines lines;
	bool terminal; /* standard input is one */
	bool refused;  /* a script's command */
	enum command_wait wait;
	int64_t wait_deadline_ms;
	bool chat_came;  /* a chat has become ready since it was last asked for */
	size_t messages; /* come, and not yet waited for */
	size_t lists;
	size_t notices;
	size_t contacts;
	size_t files;
	size_t rooms;
	size_t delivered;
};

/* ---- what happens ---- */

/* Say that it was refused; a script remembers. */
static void
refuse(struct plain *p, const char *sentence)
{
	front_say(&p->front, WORDS_TROUBLE, "%s", sentence);
}

static void
place(void *arg, const struct words *w)
{
	struct plain *p = arg;

	switch (w->kind) {
	case WORDS_STATUS: printf("* %s", w->ours); break;
	case WORDS_TROUBLE:
		printf("! %s", w->ours);
		p->refused = p->refused || !p->terminal;
		break;
	case WORDS_MESSAGE: printf("<%s> %s", w->name, w->ours); break;
	case WORDS_OWN: return; /* whoever typed it has seen it */
	}
	show_text("", w->theirs);
}

/* Count what can be waited for. */
static void
heard(void *arg, const struct client_event *e)
{
	struct plain *p = arg;

	switch (e->kind) {
	case CLIENT_NODES_END:
	case CLIENT_LIST_END: p->lists++; break;
	case CLIENT_DELIVERED: p->delivered++; break;
	case CLIENT_CHAT_READY: p->chat_came = true; break;
	case CLIENT_MESSAGE: p->messages++; break;
	case CLIENT_NOTICE: p->notices++; break;
	case CLIENT_CONTACT_ASKS:
	case CLIENT_CONTACT_NOW: p->contacts++; break;
	case CLIENT_FILE: p->files++; break;
	case CLIENT_ROOM: p->rooms++; break;
	case CLIENT_FILE_OFFERED: p->files += !e->transfer->outgoing; break;
	default: break;
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
	const struct client_view *view = front_view(&p->front);
	enum client_phase phase = view->phase;
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
	case WAIT_UNREAD: return front_view(&p->front)->unread > 0 ? DONE : NOT_YET;
	case WAIT_FILE: return counted(&p->files, true);
	case WAIT_SENT:
		return view->on_the_way == 0 && view->sending == CLIENT_TRANSFER_NONE
			   ? DONE
			   : NOT_YET;
	case WAIT_ROOM: return counted(&p->rooms, true);
	case WAIT_TRANSFER:
		return view->sending == CLIENT_TRANSFER_NONE &&
			       view->receiving != CLIENT_TRANSFER_RUNNING
			   ? DONE
			   : NOT_YET;
	case WAIT_DELIVERED: return counted(&p->delivered, !quiet);
	case WAIT_GONE: return NOT_YET; /* the loop ends by itself */
	case WAIT_NOTHING: break;
	}
	return DONE;
}

static void
leave(struct plain *p)
{
	p->wait = WAIT_NOTHING;
	front_leave(&p->front);
}

/* A script whose wait was in vain does not go on as if nothing had happened. */
static void
check_wait(struct plain *p)
{
	enum verdict v =
	    p->wait == WAIT_NOTHING || front_over(&p->front) ? DONE : look(p);
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
do_text(struct plain *p, const struct command *c)
{
	bool chatting = front_view(&p->front)->phase == CLIENT_PHASE_CHATTING;

	/* An empty line is a message for a script that passes a text on, and a
	 * slip of the finger for a person. */
	if (c->text.len == 0 && (p->terminal || !chatting))
		return;
	if (p->terminal && c->text.len >= TERMINAL_LINE_MAX)
		refuse(p, "not sent: terminals cut lines as long as this one; send it "
			  "through a pipe");
	else
		front_do(&p->front, c);
}

static void
do_line(struct plain *p, struct span line)
{
	struct command c;
	struct why why;

	if (command_parse(line, &c, &why) != Q_OK) {
		refuse(p, why.text);
		return;
	}
	switch (c.verb) {
	case COMMAND_TEXT: do_text(p, &c); break;
	case COMMAND_HELP:
		for (size_t i = 0; command_help[i] != NULL; i++)
			show_status("%s", command_help[i]);
		break;
	case COMMAND_SEARCH:
	case COMMAND_BELL:
	case COMMAND_VIEW:
		refuse(p, "/search, /bell and /view are for the full screen");
		break;
	case COMMAND_WAIT:
		p->wait = c.wait;
		p->wait_deadline_ms = clock_mono_ms() + c.wait_ms;
		check_wait(p);
		break;
	case COMMAND_CHAT:
	case COMMAND_ROOM:
	case COMMAND_CREATE:
	case COMMAND_CHANNEL:
	case COMMAND_ACCEPT:
		p->chat_came = false;
		front_do(&p->front, &c);
		break;
	default: front_do(&p->front, &c); break;
	}
}

/* ---- the loop ---- */

static bool
takes_lines(const struct plain *p)
{
	/* A script's lines wait for the connection; a person is told that there is none,
	 * and can leave. */
	bool away = p->terminal && keep_state(p->front.keep) == KEEP_WAITING;

	return (p->front.logged_in || away) && !p->front.leaving &&
	       p->wait == WAIT_NOTHING && !front_over(&p->front) &&
	       !front_view(&p->front)->busy &&
	       front_waiting(&p->front) < CLIENT_WAITING_HIGH;
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
				p->front.protocol->text_max);
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
	    {.fd = front_fd(&p->front), .events = front_poll_events(&p->front)},
	    {.fd = read_on ? p->lines.fd : -1, .events = POLLIN},
	};
	int64_t deadline = front_deadline(&p->front);

	if (front_over(&p->front))
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
	front_step(&p->front, fds[0].revents);
	check_wait(p);
}

enum qerr
plain_run(const struct target *target, const struct client_protocol *protocol,
	  const struct client_login *login, struct why *why)
{
	struct plain p = {.terminal = isatty(STDIN_FILENO) == 1};
	enum qerr e;

	p.front.place = place;
	p.front.heard = heard;
	p.front.arg = &p;
	if (p.terminal)
		show_status("/help lists the commands, /quit leaves");
	if ((e = front_open(&p.front, target, protocol, login, why)) != Q_OK) {
		front_close(&p.front);
		return e;
	}
	/* One more for the '/' before a text that begins with one. */
	lines_init(&p.lines, STDIN_FILENO, protocol->text_max + 1);
	while (!front_over(&p.front) && !ferror(stdout))
		turn(&p);
	e = p.front.end;
	if (fflush(stdout) != 0 || ferror(stdout))
		e = why_set(&p.front.why, Q_SYS, "cannot write the output: %s",
			    strerror(errno));
	else if (e == Q_OK && p.refused)
		e = Q_DENIED;
	if (why != NULL)
		*why = p.front.why;
	lines_fini(&p.lines);
	front_close(&p.front);
	return e;
}
