/* SPDX-License-Identifier: MIT */
#include "client/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define READ_PIECE 16384

void
lines_init(struct lines *l, int fd, size_t max)
{
	*l = (struct lines){.fd = fd, .max = max};
	l->buf = (struct buf)BUF_INIT(max + 1 + READ_PIECE);
}

void
lines_fini(struct lines *l)
{
	buf_wipe(&l->buf);
}

static void
drop_used(struct lines *l)
{
	buf_consume(&l->buf, l->used);
	l->seen -= l->used;
	l->used = 0;
}

enum qerr
lines_read(struct lines *l)
{
	enum qerr e;
	ssize_t n;

	if (l->end)
		return Q_CLOSED;
	drop_used(l);
	/* lines_next leaves at most one unfinished line of max bytes. */
	if ((e = buf_reserve(&l->buf, READ_PIECE)) != Q_OK)
		return e;
	n = read(l->fd, l->buf.p + l->buf.len, READ_PIECE);
	if (n == -1)
		return errno == EINTR || errno == EAGAIN ? Q_OK : Q_SYS;
	if (n == 0) {
		l->end = true;
		return Q_CLOSED;
	}
	l->buf.len += (size_t)n;
	return Q_OK;
}

/* What is left at the end of the input is a line too. */
static enum qerr
take_last(struct lines *l, struct span *line)
{
	bool skipped = l->skipping;

	if (!skipped && l->used == l->buf.len)
		return Q_CLOSED;
	if (!skipped)
		*line = span_of(l->buf.p + l->used, l->buf.len - l->used);
	l->skipping = false;
	l->used = l->seen = l->buf.len;
	return skipped ? Q_LIMIT : Q_OK;
}

enum qerr
lines_next(struct lines *l, struct span *line)
{
	uint8_t *start, *newline = NULL;
	size_t len;
	bool skipped = l->skipping;

	if (l->buf.len > l->seen)
		newline = memchr(l->buf.p + l->seen, '\n', l->buf.len - l->seen);
	if (newline == NULL) {
		l->seen = l->buf.len;
		if (l->skipping || l->buf.len - l->used > l->max) {
			l->skipping = true;
			l->used = l->buf.len;
		}
		return l->end ? take_last(l, line) : Q_SHORT;
	}
	start = l->buf.p + l->used;
	len = (size_t)(newline - start);
	l->used = l->seen = (size_t)(newline + 1 - l->buf.p);
	l->skipping = false;
	if (skipped || len > l->max)
		return Q_LIMIT;
	*line = span_of(start, len);
	return Q_OK;
}
