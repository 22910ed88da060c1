/* SPDX-License-Identifier: MIT
 *
 * What a person types is done in order, and only when the command before has been
 * answered (as in plain.c); what cannot be done now waits in a queue, and what needs a
 * login stays in the line that is being typed, so that nothing typed is lost.
 *
 * The list of people is asked for by the screen itself: at login, and while there is no
 * chat every few seconds.  Those answers are not shown as lines.
 */
#include "client/screen.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "base/text.h"
#include "client/keep.h"
#include "client/screen_inner.h"
#include "client/show.h"
#include "client/terminal.h"

#define WAITING_MAX (1024 * 1024)
#define PARTING_MAX (4 * 1024 * 1024)
#define LIST_MS     15000
#define AWAY_MS     60000 /* nobody typed: nobody looks, where focus is not told */

void
screen_hint(struct screen *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->hint, sizeof(s->hint), fmt, ap);
	va_end(ap);
	s->hint_until_ms = clock_mono_ms() + SCREEN_HINT_MS;
}

/* ---- what happens ---- */

static bool
somebody_looks(const struct screen *s)
{
	if (s->focus_known)
		return s->focused;
	return clock_mono_ms() - s->typed_ms < AWAY_MS;
}

/* Worth a glance from somebody who does something else. */
static bool
calls(enum client_event_kind kind)
{
	switch (kind) {
	case CLIENT_MESSAGE:
	case CLIENT_REQUEST_FROM:
	case CLIENT_CONTACT_ASKS:
	case CLIENT_UNREAD:
	case CLIENT_FILE_OFFERED:
	case CLIENT_NOTICE: return true;
	default: return false;
	}
}

/* Is e part of the answer to our own question?  Then it is no line. */
static bool
own_answer(struct screen *s, enum client_event_kind kind)
{
	enum client_event_kind item, end;

	switch (s->asked) {
	case CLIENT_DO_CONTACTS:
		item = CLIENT_CONTACT;
		end = CLIENT_CONTACTS_END;
		break;
	case CLIENT_DO_CHATS:
		item = CLIENT_CHAT_KEPT;
		end = CLIENT_CHATS_END;
		break;
	default: item = CLIENT_LIST_NAME; end = CLIENT_LIST_END;
	}
	if (!s->asking || (kind != item && kind != end))
		return false;
	s->asking = kind != end;
	return true;
}

static void
ask_later(struct screen *s, enum client_verb verb)
{
	s->to_ask |= 1u << verb;
}

static void
ask_at_login(struct screen *s)
{
	s->asking = false;
	ask_later(s, CLIENT_DO_LIST);
	if (s->front.protocol->contacts)
		ask_later(s, CLIENT_DO_CONTACTS);
	if (s->front.protocol->chats_last)
		ask_later(s, CLIENT_DO_CHATS);
}

static void
file_heard(struct screen *s, const struct client_event *e)
{
	struct screen_file *f;

	if (e->transfer == NULL)
		return;
	f = &s->files[e->transfer->outgoing];
	f->shown = e->kind == CLIENT_FILE_BEGUN || e->kind == CLIENT_FILE_PROGRESS;
	f->state = *e->transfer;
	strlcpy(f->name, e->name, sizeof(f->name));
	text_visible(e->text, f->called, sizeof(f->called));
}

static void
heard(void *arg, const struct client_event *e)
{
	struct screen *s = arg;
	bool back = screen_views_heard(s, e);

	people_heard(&s->people, e);
	file_heard(s, e);
	/* Attempt after attempt is told in the row above, a file has a bar, and a line of
	 * ours is marked until it was delivered. */
	s->mute = back || own_answer(s, e->kind) ||
		  (e->kind == CLIENT_AWAY && e->count > 1) ||
		  e->kind == CLIENT_FILE_PROGRESS || e->kind == CLIENT_SENT ||
		  e->kind == CLIENT_DELIVERED;
	if (calls(e->kind) && s->bell && !somebody_looks(s))
		s->ring = true;
	switch (e->kind) {
	case CLIENT_LOGGED_IN:
		s->was_in = true;
		ask_at_login(s);
		break;
	case CLIENT_AWAY: s->asking = false; break;
	case CLIENT_CHAT_CLOSED: ask_later(s, CLIENT_DO_LIST); break;
	case CLIENT_ROOM: ask_later(s, CLIENT_DO_CHATS); /* fallthrough */
	case CLIENT_CHAT_READY:
		/* Who is in it? */
		if (s->front.protocol->numbers)
			ask_later(s, CLIENT_DO_LIST);
		break;
	case CLIENT_CONTACT_NOW: ask_later(s, CLIENT_DO_CONTACTS); break;
	case CLIENT_CLEARED: views_clear(&s->views, e->name); break;
	default: break;
	}
}

static void
place(void *arg, const struct words *w)
{
	struct screen *s = arg;

	if (s->mute)
		return;
	screen_part(s, w);
	if (w->kind == WORDS_OWN) {
		people_spoke(&s->people, w->name);
		scrollback_unmark(screen_lines(s));
		views_add(&s->views, w->name, w, s->user, clock_wall_ms());
		return;
	}
	if (!somebody_looks(s))
		scrollback_look_away(screen_lines(s));
	/* What the front says itself is about nobody. */
	views_add(&s->views, w->name != NULL ? s->chat : "", w, s->user, clock_wall_ms());
}

/* ---- what was typed ---- */

/* Has it to wait for a login? */
static bool
needs_login(enum command_verb verb)
{
	return !screen_leaves(verb) && verb != COMMAND_HELP && verb != COMMAND_SEARCH &&
	       verb != COMMAND_BELL && verb != COMMAND_VIEW;
}

static void
do_bell(struct screen *s, struct span word)
{
	if (span_eq(word, span_str("on")) || span_eq(word, span_str("off")))
		s->bell = word.len == 2;
	else if (word.len > 0) {
		front_say(&s->front, WORDS_TROUBLE, "/bell takes on or off");
		return;
	}
	front_say(&s->front, WORDS_STATUS, "the bell is %s", s->bell ? "on" : "off");
}

static void
do_command(struct screen *s, const struct command *c)
{
	s->mute = false;
	switch (c->verb) {
	case COMMAND_HELP:
		s->mode = SCREEN_HELPING;
		s->help_at = 0;
		break;
	case COMMAND_SEARCH: screen_search(s, c->text); break;
	case COMMAND_BELL: do_bell(s, c->text); break;
	case COMMAND_VIEW: screen_views_named(s, c->text); break;
	case COMMAND_WAIT:
		front_say(&s->front, WORDS_TROUBLE, "/wait is for scripts");
		break;
	case COMMAND_LOGOUT:
	case COMMAND_QUIT: screen_leave(s, c->verb == COMMAND_LOGOUT); break;
	default: front_do(&s->front, c);
	}
	if (c->verb == COMMAND_REMOVE)
		ask_later(s, CLIENT_DO_CONTACTS);
}

/* Lines of a paste are one text, whatever they begin with. */
enum qerr
screen_parse(struct span line, struct command *c, struct why *why)
{
	if (memchr(line.p, '\n', line.len) == NULL)
		return command_parse(line, c, why);
	*c = (struct command){.verb = COMMAND_TEXT, .text = line};
	return Q_OK;
}

static bool
busy(const struct screen *s)
{
	return front_view(&s->front)->busy || s->waiting.len > 0 ||
	       front_waiting(&s->front) >= CLIENT_WAITING_HIGH;
}

bool
screen_line(struct screen *s, struct span line)
{
	bool logged_in = front_view(&s->front)->phase != CLIENT_PHASE_CONNECTING &&
			 !front_over(&s->front);
	struct command c;
	struct why why;

	if (line.len == 0) {
		keep_hurry(s->front.keep);
		return true;
	}
	if (screen_parse(line, &c, &why) != Q_OK) {
		front_say(&s->front, WORDS_TROUBLE, "%s", why.text);
		return true;
	}
	if (needs_login(c.verb) && !logged_in) {
		screen_hint(s, "not connected: your line is kept");
		return false;
	}
	if ((c.verb == COMMAND_TEXT || c.verb == COMMAND_SEND) &&
	    !screen_views_heeded(s)) {
		screen_hint(s,
			    "%s does not hear what is said here; Alt-N, Alt-P go there",
			    front_view(&s->front)->partner);
		return false;
	}
	scrollback_bottom(screen_lines(s));
	if (screen_leaves(c.verb) && logged_in && s->waiting.len > 0 && !s->quits)
		s->quits = true; /* behind what waits; the second time at once */
	else if (!needs_login(c.verb) || !busy(s)) {
		do_command(s, &c);
		return c.verb != COMMAND_TEXT || !s->front.refused;
	}
	if (buf_reserve(&s->waiting, line.len + 4) != Q_OK) {
		screen_hint(s, "too much waits to be sent: your line is kept");
		return false;
	}
	(void)buf_put_u32(&s->waiting, (uint32_t)line.len);
	(void)buf_put_span(&s->waiting, line);
	return true;
}

/* The lines that wait, as far as that is possible now. */
static void
work_off(struct screen *s)
{
	while (s->waiting.len > 0 && !front_over(&s->front) &&
	       !front_view(&s->front)->busy &&
	       front_view(&s->front)->phase != CLIENT_PHASE_CONNECTING &&
	       front_waiting(&s->front) < CLIENT_WAITING_HIGH) {
		size_t len = le32_get(s->waiting.p);
		struct command c;
		struct why why;

		if (screen_parse(span_of(s->waiting.p + 4, len), &c, &why) == Q_OK)
			do_command(s, &c);
		if (s->waiting.len > 0) /* else they were all given up */
			buf_consume(&s->waiting, len + 4);
	}
}

/* ---- our own questions ---- */

static void
ask(struct screen *s)
{
	static const enum client_verb verbs[] = {CLIENT_DO_CHATS, CLIENT_DO_CONTACTS,
						 CLIENT_DO_LIST};
	enum client_phase phase = front_view(&s->front)->phase;
	bool free = phase == CLIENT_PHASE_FREE || phase == CLIENT_PHASE_ASKED;

	if (front_over(&s->front) || s->asking || busy(s))
		return;
	if (s->ask_ms != 0 && clock_left_ms(s->ask_ms) == 0) {
		s->ask_ms = 0;
		ask_later(s, CLIENT_DO_LIST);
	}
	if (!free && !s->front.protocol->chats_last)
		return; /* relay: nobody can be asked during a chat */
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		unsigned bit = 1u << verbs[i];

		if ((s->to_ask & bit) == 0)
			continue;
		/* The answer may come at once. */
		s->asking = true;
		s->asked = verbs[i];
		if (front_ask(&s->front, verbs[i], span_of(NULL, 0)) != Q_OK) {
			s->asking = false;
			return; /* later */
		}
		s->to_ask &= ~bit;
		if (verbs[i] == CLIENT_DO_LIST)
			s->ask_ms = clock_mono_ms() + LIST_MS;
		return;
	}
}

/* ---- signals ---- */

static void
resize(struct screen *s)
{
	int rows, columns;

	terminal_size(&rows, &columns);
	/* Without memory the old size must do. */
	(void)canvas_resize(&s->canvas, rows, columns);
	terminal_forget();
}

static void
take_signals(struct screen *s)
{
	int n;

	while ((n = terminal_signal()) != 0)
		switch (n) {
		case SIGWINCH:
		case SIGCONT: resize(s); break;
		case SIGTSTP:
			terminal_suspend();
			resize(s);
			break;
		default: /* SIGTERM, SIGINT; SIGHUP: nobody is there any longer */
			s->gone = s->gone || n == SIGHUP;
			screen_leave(s, false);
			s->over = true;
		}
}

/* ---- the loop ---- */

static void
take_strokes(struct screen *s, short revents)
{
	uint8_t bytes[4096];
	struct stroke k;
	ssize_t n;

	if (revents != 0) {
		n = read(STDIN_FILENO, bytes, sizeof(bytes));
		if (n == 0 || (n == -1 && (revents & (POLLERR | POLLNVAL)) != 0)) {
			s->gone = s->over = true;
			return;
		}
		if (n > 0) {
			s->typed_ms = clock_mono_ms();
			(void)strokes_read(&s->strokes, span_of(bytes, (size_t)n));
		}
	}
	while (!s->over && strokes_next(&s->strokes, revents == 0, &k) == Q_OK)
		screen_stroke(s, &k);
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* When to look again although nothing comes. */
static int64_t
deadline(const struct screen *s)
{
	int64_t d = front_over(&s->front) ? 0 : front_deadline(&s->front);

	if (strokes_pending(&s->strokes))
		d = sooner(d, clock_mono_ms() + STROKES_WAIT_MS);
	if (s->hint[0] != '\0')
		d = sooner(d, s->hint_until_ms);
	if (!front_over(&s->front))
		d = sooner(d, s->ask_ms);
	if (keep_state(s->front.keep) == KEEP_WAITING)
		d = sooner(d, clock_mono_ms() + 1000); /* the seconds are shown */
	return d;
}

static void
turn(struct screen *s)
{
	bool over = front_over(&s->front);
	struct pollfd fds[3] = {
	    {.fd = STDIN_FILENO, .events = POLLIN},
	    {.fd = terminal_signal_fd(), .events = POLLIN},
	    {.fd = over ? -1 : front_fd(&s->front),
	     .events = over ? 0 : front_poll_events(&s->front)},
	};

	if (s->ring)
		terminal_bell();
	s->ring = false;
	screen_views_settle(s);
	screen_draw(s);
	if (terminal_paint(&s->canvas) == Q_SYS)
		s->gone = s->over = true;
	if (s->over)
		return;
	if (poll(fds, 3, clock_left_ms(deadline(s))) == -1)
		fds[0].revents = fds[1].revents = fds[2].revents = 0; /* EINTR */
	if (s->hint[0] != '\0' && clock_left_ms(s->hint_until_ms) == 0)
		s->hint[0] = '\0';
	take_signals(s);
	take_strokes(s, fds[0].revents);
	if (!over)
		front_step(&s->front, fds[2].revents);
	s->mute = false;
	work_off(s);
	ask(s);
}

/* A login that fails is no reason for a screen; and who wants to leave does. */
static bool
leaves(const struct screen *s)
{
	return s->over || (front_over(&s->front) && (s->front.leaving || !s->was_in));
}

static enum qerr
begin(struct screen *s, const struct client_login *login, struct why *why)
{
	int rows, columns;

	s->user = login->user;
	s->front.place = place;
	s->front.heard = heard;
	s->front.arg = s;
	s->focused = true;
	s->typed_ms = clock_mono_ms();
	s->pasted = (struct buf)BUF_INIT(STROKES_PASTE_MAX);
	s->waiting = (struct buf)BUF_INIT(WAITING_MAX);
	s->parting = (struct buf)BUF_INIT(PARTING_MAX);
	strokes_init(&s->strokes);
	editor_init(&s->editor, s->front.protocol->text_max + 1);
	editor_init(&s->search, SCROLLBACK_NEEDLE - 1);
	terminal_size(&rows, &columns);
	if (views_init(&s->views, s->front.protocol->side_ops != NULL) != Q_OK ||
	    canvas_resize(&s->canvas, rows, columns) != Q_OK)
		return why_set(why, Q_NOMEM, "there is no memory for a screen");
	return Q_OK;
}

static void
end(struct screen *s)
{
	front_close(&s->front);
	completion_reset(&s->tab);
	strokes_fini(&s->strokes);
	editor_fini(&s->editor);
	editor_fini(&s->search);
	views_fini(&s->views);
	people_fini(&s->people);
	canvas_free(&s->canvas);
	buf_wipe(&s->pasted);
	buf_wipe(&s->waiting);
	buf_wipe(&s->parting);
}

enum qerr
screen_able(struct why *why)
{
	return terminal_able(why);
}

enum qerr
screen_run(const struct target *target, const struct client_protocol *protocol,
	   const struct client_login *login, bool bell, struct why *why)
{
	struct screen s = {.bell = bell, .front.protocol = protocol};
	enum qerr e;

	target_text(target, s.server);
	if ((e = begin(&s, login, why)) == Q_OK &&
	    (e = front_open(&s.front, target, protocol, login, why)) == Q_OK &&
	    (e = terminal_open(&s.strokes, why)) == Q_OK) {
		while (!leaves(&s))
			turn(&s);
		terminal_close();
		screen_farewell(&s);
		if (s.front.end == Q_OK)
			show_status("logged out");
		else
			*why = s.front.why;
		e = s.front.end;
	}
	end(&s);
	return e;
}
