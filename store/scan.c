/* SPDX-License-Identifier: MIT */
#include "store/scan.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define STEP_MAX (128 * 1024)

void
scan_start(struct scan *sc, int fd, int64_t from, int64_t end, struct buf *win,
	   size_t step)
{
	win->len = 0;
	*sc = (struct scan){
	    .fd = fd, .end = end, .pos = from, .win = win, .base = from, .step = step};
}

/* Read on behind what the window holds; what lies before `at` is given up. */
static enum qerr
fill(struct scan *sc)
{
	struct buf *w = sc->win;
	int64_t next, left;
	size_t want;
	ssize_t n;
	enum qerr e;

	buf_consume(w, sc->at);
	sc->base += (int64_t)sc->at;
	sc->at = 0;
	next = sc->base + (int64_t)w->len;
	left = sc->end - next;
	if (left <= 0)
		return Q_MISSING;
	want = sc->step;
	if (sc->step < STEP_MAX) /* a long way to go: fewer, larger reads */
		sc->step *= 2;
	if ((uint64_t)left < want)
		want = (size_t)left;
	if ((e = buf_reserve(w, want)) != Q_OK)
		return e;
	do
		n = pread(sc->fd, w->p + w->len, want, next);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return Q_SYS;
	if (n == 0)
		sc->end = next; /* somebody else has cut the file */
	w->len += (size_t)n;
	return n == 0 ? Q_MISSING : Q_OK;
}

static struct span
ahead(const struct scan *sc)
{
	struct span s = buf_span(sc->win);

	return sc->at == 0 ? s : span_of(s.p + sc->at, s.len - sc->at);
}

enum qerr
scan_skip_line(struct scan *sc)
{
	for (;;) {
		struct span s = ahead(sc);
		const uint8_t *newline = s.len == 0 ? NULL : memchr(s.p, '\n', s.len);
		enum qerr e;

		if (newline != NULL) {
			sc->at += (size_t)(newline - s.p) + 1;
			return Q_OK;
		}
		sc->at += s.len;
		if ((e = fill(sc)) != Q_OK)
			return e;
	}
}

enum qerr
scan_next(struct scan *sc, struct record_line *out)
{
	enum qerr e, more;

	for (;;) {
		e = record_check(ahead(sc), out, &sc->len);
		if (e != Q_SHORT)
			break;
		more = fill(sc);
		if (more == Q_OK)
			continue;
		if (more != Q_MISSING || sc->win->len == 0)
			return more;
		sc->len = sc->win->len; /* no newline before the end */
		e = Q_FORMAT;
		break;
	}
	sc->pos = sc->base + (int64_t)sc->at;
	sc->at += sc->len;
	return e;
}

struct span
scan_line(const struct scan *sc)
{
	return span_of(sc->win->p + (sc->at - sc->len), sc->len);
}
