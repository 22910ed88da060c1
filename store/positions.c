/* SPDX-License-Identifier: MIT */
#include "store/positions.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/decimal.h"
#include "store/fields.h"
#include "store/file.h"
#include "store/positions_priv.h"

#define VERSION_LINE "quintet-positions: 1\n"
#define FILE_MAX     (16 * 1024 * 1024) /* bytes: some 400,000 chats */
#define STRETCHES    64                 /* of one chat; see add */

/* By chat, rising; of a chat disjoint, rising, with something missing in between.  A
 * position is the stretch that begins at 1.  There is room for more than n. */
struct list {
	struct had *p;
	size_t n;
};

/* ---- to bytes and back ---- */

/* The first stretch of a chat begins its line. */
static bool
begins_line(const struct list *l, size_t i)
{
	return i == 0 || l->p[i - 1].chat != l->p[i].chat;
}

static enum qerr
encode_one(const struct list *l, size_t i, struct buf *out)
{
	const struct had *h = &l->p[i];
	enum qerr e = Q_OK;

	if (begins_line(l, i))
		e = buf_printf(out, "%" PRIu64 " %" PRIu64, h->chat,
			       h->from == 1 ? h->to : 0);
	if (e == Q_OK && h->from != 1)
		e = buf_printf(out, " %" PRIu64 "-%" PRIu64, h->from, h->to);
	if (e == Q_OK && (i + 1 == l->n || begins_line(l, i + 1)))
		e = buf_put_u8(out, '\n');
	return e;
}

static enum qerr
encode(const struct list *l, struct buf *out)
{
	enum qerr e = buf_put_str(out, VERSION_LINE);

	for (size_t i = 0; e == Q_OK && i < l->n; i++)
		e = encode_one(l, i, out);
	return e == Q_OK ? fields_put_check(out, 0) : e;
}

/* The number before the first byte that is no digit. */
static enum qerr
take_number(struct reader *in, uint64_t *out)
{
	struct span s;
	size_t n = 0;

	while (n < in->left && in->p[n] >= '0' && in->p[n] <= '9')
		n++;
	(void)reader_take(in, n, &s);
	return decimal_read(s, INT64_MAX, out);
}

static bool
take_byte(struct reader *in, char byte)
{
	struct span s;

	return in->left > 0 && in->p[0] == (uint8_t)byte &&
	       reader_take(in, 1, &s) == Q_OK;
}

/* One line, in the one way in which it is written. */
static enum qerr
decode_line(struct reader *in, uint64_t behind_chat, struct list *l)
{
	struct had h = {0, 1, 0};
	uint64_t end;

	if (take_number(in, &h.chat) != Q_OK || h.chat <= behind_chat ||
	    !take_byte(in, ' ') || take_number(in, &h.to) != Q_OK)
		return Q_FORMAT;
	if (h.to > 0)
		l->p[l->n++] = h;
	else if (in->left == 0 || in->p[0] != ' ')
		return Q_FORMAT;
	for (end = h.to; take_byte(in, ' '); end = h.to) {
		if (take_number(in, &h.from) != Q_OK || h.from < end + 2 ||
		    !take_byte(in, '-') || take_number(in, &h.to) != Q_OK ||
		    h.to < h.from)
			return Q_FORMAT;
		l->p[l->n++] = h;
	}
	return take_byte(in, '\n') ? Q_OK : Q_FORMAT;
}

/* At least as many as there are stretches: each has a blank before it. */
static size_t
count_blanks(struct reader in)
{
	size_t n = 0;

	for (size_t i = 0; i < in.left; i++)
		n += in.p[i] == ' ';
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
	if ((l.p = calloc(count_blanks(in) + more + 1, sizeof(*l.p))) == NULL)
		return Q_NOMEM;
	while (in.left > 0) {
		if (decode_line(&in, last, &l) != Q_OK) {
			free(l.p);
			return Q_FORMAT;
		}
		last = l.p[l.n - 1].chat;
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
	enum qerr e = encode(l, &b);

	if (e == Q_OK)
		e = file_swap(s->fd[FOLDER_QUEUE], folded, buf_span(&b));
	buf_free(&b);
	return e;
}

/* The first stretch that ends at message id of chat or behind it, or belongs to a later
 * chat. */
static size_t
place_of(const struct list *l, uint64_t chat, uint64_t id)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->p[mid].chat < chat ||
		    (l->p[mid].chat == chat && l->p[mid].to < id))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Put h into the place of n stretches at i. */
static void
put_at(struct list *l, size_t i, size_t n, const struct had *h)
{
	memmove(&l->p[i + 1], &l->p[i + n], (l->n - i - n) * sizeof(*l->p));
	l->p[i] = *h;
	l->n = l->n + 1 - n;
}

/* Somebody who looks at a page here and a page there in a long history could go on for
 * ever.  Above a bound the oldest stretch is forgotten: those messages are sent again. */
static void
bound(struct list *l, uint64_t chat)
{
	size_t first = place_of(l, chat, 0), end = place_of(l, chat + 1, 0);

	if (end - first <= STRETCHES)
		return;
	first += l->p[first].from == 1;
	memmove(&l->p[first], &l->p[first + 1], (l->n - first - 1) * sizeof(*l->p));
	l->n--;
}

/* Is anything of it new?  There is room for one more. */
static bool
add(struct list *l, const struct had *new)
{
	struct had h = *new;
	size_t i, n;

	if (h.to < h.from || h.to == 0)
		return false;
	if (h.from <= 1)
		h.from = 1;
	/* What touches it becomes one with it. */
	i = place_of(l, h.chat, h.from - 1);
	for (n = 0;
	     i + n < l->n && l->p[i + n].chat == h.chat && l->p[i + n].from <= h.to + 1;
	     n++) {
		if (l->p[i + n].from < h.from)
			h.from = l->p[i + n].from;
		if (l->p[i + n].to > h.to)
			h.to = l->p[i + n].to;
	}
	if (n == 1 && l->p[i].from == h.from && l->p[i].to == h.to)
		return false;
	put_at(l, i, n, &h);
	bound(l, h.chat);
	return true;
}

static enum qerr
fold(const char *user, char out[NAME_SIZE])
{
	if (!name_valid(span_str(user)))
		return Q_FORMAT;
	name_fold(user, out);
	return Q_OK;
}

static enum qerr
load_all(struct store *s, const char *user, struct list *out)
{
	char folded[NAME_SIZE];
	struct why note = {""};
	struct lock *lock;
	enum qerr e;

	if ((e = fold(user, folded)) != Q_OK)
		return e;
	lock = lock_of(s, folded);
	lock_take(lock);
	e = load(s, folded, 0, out, &note);
	lock_drop(lock);
	store_tell(s, &note);
	return e;
}

enum qerr
positions_load_had(struct store *s, const char *user, struct had **out, size_t *count)
{
	struct list l;
	enum qerr e = load_all(s, user, &l);

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
positions_load(struct store *s, const char *user, struct position **out, size_t *count)
{
	struct position *p = NULL;
	struct list l;
	size_t n = 0;
	enum qerr e = load_all(s, user, &l);

	if (e != Q_OK)
		return e;
	for (size_t i = 0; i < l.n; i++)
		n += l.p[i].from == 1;
	if (n > 0 && (p = calloc(n, sizeof(*p))) == NULL) {
		free(l.p);
		return Q_NOMEM;
	}
	n = 0;
	for (size_t i = 0; i < l.n; i++)
		if (l.p[i].from == 1)
			p[n++] = (struct position){l.p[i].chat, l.p[i].to};
	free(l.p);
	*out = p;
	*count = n;
	return Q_OK;
}

enum qerr
positions_add(struct store *s, const char *user, const struct had *h, size_t count)
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
			assert(h[i].chat != 0);
			moved |= add(&l, &h[i]);
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
positions_save(struct store *s, const char *user, const struct position *p, size_t count)
{
	struct had *h = calloc(count + 1, sizeof(*h));
	enum qerr e;

	if (h == NULL)
		return Q_NOMEM;
	for (size_t i = 0; i < count; i++)
		h[i] = (struct had){p[i].chat, 1, p[i].id};
	e = positions_add(s, user, h, count);
	free(h);
	return e;
}

/* Was there anything of the chat behind message `last`? */
static bool
cut(struct list *l, uint64_t chat, uint64_t last)
{
	size_t i = place_of(l, chat, last + 1), end = place_of(l, chat + 1, 0);

	if (i == end)
		return false;
	if (l->p[i].from <= last) {
		l->p[i].to = last;
		i++;
	}
	memmove(&l->p[i], &l->p[end], (l->n - end) * sizeof(*l->p));
	l->n -= end - i;
	return true;
}

enum qerr
positions_cut(struct store *s, const char *user, uint64_t chat, uint64_t last)
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
		if (cut(&l, chat, last))
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
	return positions_cut(s, user, chat, 0);
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
