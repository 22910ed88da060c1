/* SPDX-License-Identifier: MIT */
#include "store/positions.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/decimal.h"
#include "store/fields.h"
#include "store/file.h"
#include "store/positions_priv.h"

#define VERSION_LINE "quintet-positions: 1\n"
#define FILE_MAX     (16 * 1024 * 1024) /* bytes: some 400,000 chats */

/* By chat, rising; room for more. */
struct list {
	struct position *p;
	size_t n;
};

/* ---- to bytes and back ---- */

static enum qerr
encode(const struct list *l, struct buf *out)
{
	enum qerr e = buf_put_str(out, VERSION_LINE);

	for (size_t i = 0; e == Q_OK && i < l->n; i++)
		e = buf_printf(out, "%" PRIu64 " %" PRIu64 "\n", l->p[i].chat,
			       l->p[i].id);
	return e == Q_OK ? fields_put_check(out, 0) : e;
}

/* A number that ends with the byte stop. */
static enum qerr
take_number(struct reader *in, char stop, uint64_t *out)
{
	const uint8_t *end = in->left == 0 ? NULL : memchr(in->p, stop, in->left);
	struct span s;

	if (end == NULL)
		return Q_FORMAT;
	(void)reader_take(in, (size_t)(end - in->p) + 1, &s);
	if (decimal_read(span_of(s.p, s.len - 1), INT64_MAX, out) != Q_OK || *out == 0)
		return Q_FORMAT;
	return Q_OK;
}

static size_t
count_lines(struct reader in)
{
	size_t n = 0;

	for (size_t i = 0; i < in.left; i++)
		n += in.p[i] == '\n';
	return n;
}

/* l->p has room for `more` than it holds. */
static enum qerr
decode(struct span text, size_t more, struct list *out)
{
	struct reader in;
	struct span version;
	struct list l = {NULL, 0};
	uint64_t last = 0;

	if (fields_open(text, &in) != Q_OK ||
	    reader_take(&in, sizeof(VERSION_LINE) - 1, &version) != Q_OK ||
	    !span_eq(version, span_str(VERSION_LINE)))
		return Q_FORMAT;
	if ((l.p = calloc(count_lines(in) + more + 1, sizeof(*l.p))) == NULL)
		return Q_NOMEM;
	for (; in.left > 0; l.n++) {
		struct position *p = &l.p[l.n];

		if (take_number(&in, ' ', &p->chat) != Q_OK ||
		    take_number(&in, '\n', &p->id) != Q_OK || p->chat <= last) {
			free(l.p);
			return Q_FORMAT;
		}
		last = p->chat;
	}
	*out = l;
	return Q_OK;
}

/* ---- files ---- */

/* The lock that orders changes of this user's file. */
static struct lock *
lock_of(struct store *s, const char *folded)
{
	uint32_t h = 0;

	for (; *folded != '\0'; folded++)
		h = h * 31 + (uint8_t)*folded;
	return &s->positions[h % POSITIONS_LOCKS];
}

/* No file, or a damaged one, is an empty list. */
static enum qerr
load(struct store *s, const char *folded, size_t more, struct list *out, struct why *note)
{
	struct buf b = BUF_INIT(FILE_MAX);
	enum qerr e = file_read(s->fd[FOLDER_QUEUE], folded, &b);

	if (e == Q_OK)
		e = decode(buf_span(&b), more, out);
	else if (e == Q_LIMIT)
		e = Q_FORMAT;
	buf_free(&b);
	if (e == Q_FORMAT)
		e = store_set_aside(s, FOLDER_QUEUE, folded, "damaged", note);
	else if (e != Q_MISSING)
		return e;
	if (e != Q_OK && e != Q_MISSING)
		return e;
	out->n = 0;
	out->p = calloc(more + 1, sizeof(*out->p));
	return out->p == NULL ? Q_NOMEM : Q_OK;
}

static enum qerr
replace(struct store *s, const char *folded, const struct list *l)
{
	struct buf b = BUF_INIT(FILE_MAX);
	int dir = s->fd[FOLDER_QUEUE], fd = -1, err;
	char temp[FILE_TEMP_SIZE];
	enum qerr e = encode(l, &b);

	if (e == Q_OK && (e = file_temp_open(dir, temp, &fd)) == Q_OK) {
		e = file_write_all(fd, b.p, b.len);
		if (e == Q_OK && file_rename(dir, temp, dir, folded) != 0)
			e = qerr_errno(errno);
		err = errno;
		close(fd);
		if (e != Q_OK)
			(void)file_unlink(dir, temp);
		errno = err;
	}
	buf_free(&b);
	return e;
}

/* Where chat is in l, or would be. */
static size_t
place_of(const struct list *l, uint64_t chat)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->p[mid].chat < chat)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Did it move anything?  There is room for one more. */
static bool
advance(struct list *l, const struct position *p)
{
	size_t i = place_of(l, p->chat);

	if (p->id == 0)
		return false;
	if (i < l->n && l->p[i].chat == p->chat) {
		if (l->p[i].id >= p->id)
			return false;
		l->p[i].id = p->id;
		return true;
	}
	memmove(&l->p[i + 1], &l->p[i], (l->n - i) * sizeof(*l->p));
	l->p[i] = *p;
	l->n++;
	return true;
}

/* ---- what others call ---- */

static enum qerr
fold(const char *user, char out[NAME_SIZE])
{
	if (!name_valid(span_str(user)))
		return Q_FORMAT;
	name_fold(user, out);
	return Q_OK;
}

enum qerr
positions_load(struct store *s, const char *user, struct position **out, size_t *count)
{
	char folded[NAME_SIZE];
	struct why note = {""};
	struct lock *lock;
	struct list l;
	enum qerr e;

	if ((e = fold(user, folded)) != Q_OK)
		return e;
	lock = lock_of(s, folded);
	lock_take(lock);
	e = load(s, folded, 0, &l, &note);
	lock_drop(lock);
	store_tell(s, &note);
	if (e != Q_OK)
		return e;
	if (l.n == 0) {
		free(l.p);
		l.p = NULL;
	}
	*out = l.p;
	*count = l.n;
	return Q_OK;
}

enum qerr
positions_save(struct store *s, const char *user, const struct position *p, size_t count)
{
	char folded[NAME_SIZE];
	struct why note = {""};
	struct lock *lock;
	struct list l;
	bool moved = false;
	enum qerr e;

	if ((e = fold(user, folded)) != Q_OK)
		return e;
	lock = lock_of(s, folded);
	lock_take(lock);
	if ((e = load(s, folded, count, &l, &note)) == Q_OK) {
		for (size_t i = 0; i < count; i++) {
			assert(p[i].chat != 0);
			moved |= advance(&l, &p[i]);
		}
		if (moved)
			e = replace(s, folded, &l);
		free(l.p);
	}
	lock_drop(lock);
	store_tell(s, &note);
	return e;
}

enum qerr
positions_drop(struct store *s, const char *user, uint64_t chat)
{
	char folded[NAME_SIZE];
	struct why note = {""};
	struct lock *lock;
	struct list l;
	enum qerr e;

	if ((e = fold(user, folded)) != Q_OK)
		return e;
	lock = lock_of(s, folded);
	lock_take(lock);
	if ((e = load(s, folded, 0, &l, &note)) == Q_OK) {
		size_t i = place_of(&l, chat);

		if (i < l.n && l.p[i].chat == chat) {
			l.n--;
			memmove(&l.p[i], &l.p[i + 1], (l.n - i) * sizeof(*l.p));
			e = replace(s, folded, &l);
		}
		free(l.p);
	}
	lock_drop(lock);
	store_tell(s, &note);
	return e;
}

enum qerr
positions_remove(struct store *s, const char *user)
{
	char folded[NAME_SIZE];
	struct lock *lock;
	enum qerr e;

	if ((e = fold(user, folded)) != Q_OK)
		return e;
	lock = lock_of(s, folded);
	lock_take(lock);
	if (file_unlink(s->fd[FOLDER_QUEUE], folded) != 0)
		e = qerr_errno(errno);
	lock_drop(lock);
	return e == Q_MISSING ? Q_OK : e;
}

/* ---- "server check" ---- */

enum qerr
positions_examine(struct store *s, const char *file)
{
	struct buf b = BUF_INIT(FILE_MAX);
	struct list l = {NULL, 0};
	enum qerr e = file_read(s->fd[FOLDER_QUEUE], file, &b);

	if (e == Q_OK)
		e = decode(buf_span(&b), 0, &l);
	free(l.p);
	buf_free(&b);
	return e == Q_LIMIT ? Q_FORMAT : e;
}
