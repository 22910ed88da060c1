/* SPDX-License-Identifier: MIT
 *
 * A file that grows costs the disk more than one that is written over: with each
 * fdatasync its new length and blocks have to be written down as well (a turn of 40
 * records takes 230 us then, and 120 without).  So with STORE_ALWAYS a log that is busy
 * has blank lines behind its end, and the next records are written over them.
 *
 * There are as many as were appended since the file was opened, up to BLANK_MAX: a chat
 * with a few lines gets none.  They are cut off when the file is closed.  After a kill
 * they are still there, and taken for what they are: opening looks for the last good
 * record from behind.  A record is no blank line, and a record that was torn while it was
 * written over some is damaged and last, so that it is cut off as at any file's end.
 */
#include <assert.h>
#include <string.h>
#include <sys/uio.h>

#include "store/msglog_priv.h"

#define BLANK_STEP 4096
#define BLANK_MAX  (64 * BLANK_STEP)
#define CHECK_STEP (64 * 1024)

void
blank_add(struct msglog *l)
{
	struct iovec parts[BLANK_MAX / BLANK_STEP];
	char lines[BLANK_STEP];
	int n = 0;
	ssize_t w;

	LOCK_ASSERT_HELD(&l->lock);
	if (l->blank_end > l->end)
		return;
	memset(lines, '\n', sizeof(lines));
	for (int64_t want = l->end - l->begun; n < BLANK_MAX / BLANK_STEP; n++) {
		if (want < (n + 1) * BLANK_STEP)
			break;
		parts[n] = (struct iovec){lines, sizeof(lines)};
	}
	if (n == 0)
		return;
	/* Without room on the disk there are fewer, or none. */
	w = pwritev(l->file->fd, parts, n, l->end);
	l->blank_end = l->end + (w > 0 ? w : 0);
}

void
blank_cut(struct msglog *l)
{
	LOCK_ASSERT_HELD(&l->lock);
	if (l->tail == TAIL_CLEAN && l->blank_end > l->end)
		(void)msglog_cut(l);
}

enum qerr
blank_check(struct store *s, int fd, int64_t from, int64_t size)
{
	struct buf *b = scratch_take(s);
	enum qerr e = b == NULL ? Q_NOMEM : Q_OK;

	while (e == Q_OK && from < size) {
		int64_t left = size - from;

		e = msglog_read_at(fd, from,
				   left < CHECK_STEP ? (size_t)left : CHECK_STEP, b);
		if (e == Q_OK && b->len == 0)
			break; /* somebody has shortened it */
		for (size_t i = 0; e == Q_OK && i < b->len; i++)
			if (b->p[i] != '\n')
				e = Q_FORMAT;
		from += (int64_t)b->len;
	}
	scratch_give(s, b);
	return e;
}
