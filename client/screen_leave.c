/* SPDX-License-Identifier: MIT
 *
 * Leaving.  With the screen goes all that it says; so what was not sent, or may not have
 * arrived, is said once more where the shell goes on.
 */
#include "client/screen_inner.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "client/show.h"

#define FAREWELL_MS 2000 /* for a polite end */

/* ---- what is to be said in the end ---- */

static void
part(struct screen *s, const char *ours, struct span theirs)
{
	size_t len = strlen(ours) + theirs.len;

	/* Without memory the number of them, which the library tells, has to do. */
	if (buf_reserve(&s->parting, len + 4) != Q_OK)
		return;
	(void)buf_put_u32(&s->parting, (uint32_t)len);
	(void)buf_put_span(&s->parting, span_str(ours));
	(void)buf_put_span(&s->parting, theirs);
}

void
screen_part(struct screen *s, const struct words *w)
{
	if (s->front.leaving && w->kind == WORDS_TROUBLE)
		part(s, w->ours, w->theirs);
}

static bool
next(struct reader *r, struct span *out)
{
	uint32_t len;

	return reader_u32(r, &len) == Q_OK && reader_take(r, len, out) == Q_OK;
}

/* Lines that were taken and not done: nobody is to think that they were. */
static void
part_with_waiting(struct screen *s)
{
	struct reader r = reader_of(buf_span(&s->waiting));
	struct command c;
	struct span line;

	while (next(&r, &line)) {
		if (screen_parse(line, &c, NULL) != Q_OK || screen_leaves(c.verb))
			continue;
		part(s, c.verb == COMMAND_TEXT ? "not sent: " : "not done: ",
		     c.verb == COMMAND_TEXT ? c.text : line);
	}
	buf_wipe(&s->waiting);
}

/* ---- leaving ---- */

bool
screen_leaves(enum command_verb verb)
{
	return verb == COMMAND_QUIT || verb == COMMAND_LOGOUT;
}

void
screen_leave(struct screen *s, bool forget)
{
	if (s->front.leaving || front_over(&s->front)) {
		s->over = true;
		return;
	}
	part_with_waiting(s);
	if (forget)
		front_forget(&s->front);
	else
		front_leave(&s->front);
}

/* What is on its way may still go. */
static void
wait_politely(struct screen *s)
{
	int64_t until = clock_mono_ms() + FAREWELL_MS;

	while (!front_over(&s->front) && clock_left_ms(until) > 0) {
		struct pollfd p = {.fd = front_fd(&s->front),
				   .events = front_poll_events(&s->front)};

		if (poll(&p, 1, clock_left_ms(until)) == -1)
			p.revents = 0;
		front_step(&s->front, p.revents);
	}
}

void
screen_farewell(struct screen *s)
{
	struct reader r;
	struct span line;

	part_with_waiting(s);
	if (!front_over(&s->front) && !s->front.leaving)
		front_leave(&s->front);
	wait_politely(s);
	if (!front_over(&s->front))
		front_give_up(&s->front);
	r = reader_of(buf_span(&s->parting));
	while (next(&r, &line))
		show_text("! ", line);
	buf_wipe(&s->parting);
}
