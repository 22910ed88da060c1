/* SPDX-License-Identifier: MIT
 *
 * The index is an array of ids that rise, with holes where something was removed.  Who
 * adds takes the next number and makes the file; whoever finds it there already (it was
 * made behind our back) takes the next.  A number whose file could not be made stays
 * unused.
 */
#include "store/anons.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/anons_priv.h"
#include "store/decimal.h"
#include "store/fields.h"
#include "store/file.h"
#include "store/store_priv.h"

#define VERSION_KEY "quintet-anon"
#define FILE_SIZE   24 /* bytes of a file's name */

struct anons {
	struct store *store;
	struct lock lock;
	uint64_t *ids; /* [lock] rising */
	size_t n;      /* [lock] */
	size_t room;   /* [lock] */
	uint64_t next; /* [lock] */
};

/* ---- to bytes and back ---- */

static enum qerr
put_number(struct buf *out, const char *key, uint64_t n)
{
	return buf_printf(out, "%s: %" PRIu64 "\n", key, n);
}

enum qerr
anon_encode(const struct anon *a, struct buf *out)
{
	size_t before = out->len;
	enum qerr e = put_number(out, VERSION_KEY, 1);

	if (e == Q_OK)
		e = put_number(out, "id", a->id);
	if (e == Q_OK)
		e = fields_put(out, "author", span_str(a->author));
	if (e == Q_OK)
		e = put_number(out, a->author[0] != '\0' ? "created" : "removed",
			       (uint64_t)a->created_ms);
	if (e == Q_OK)
		e = fields_put(out, "title", span_str(a->title));
	if (e == Q_OK)
		e = fields_put(out, "text", span_str(a->text));
	return e == Q_OK ? fields_put_check(out, before) : e;
}

enum qerr
anon_decode(struct span text, struct anon *out)
{
	struct anon a;
	struct reader in;
	uint64_t version, created;
	enum qerr e;

	if ((e = fields_open(text, &in)) != Q_OK ||
	    (e = fields_take_number(&in, VERSION_KEY, 1, &version)) != Q_OK ||
	    (e = fields_take_number(&in, "id", INT64_MAX, &a.id)) != Q_OK ||
	    (e = fields_take_text(&in, "author", a.author, NAME_MAX_LEN)) != Q_OK ||
	    (e = fields_take_number(&in, a.author[0] != '\0' ? "created" : "removed",
				    INT64_MAX, &created)) != Q_OK ||
	    (e = fields_take_text(&in, "title", a.title, ANON_TITLE_MAX)) != Q_OK ||
	    (e = fields_take_text(&in, "text", a.text, ANON_TEXT_MAX)) != Q_OK)
		return e;
	if (version != 1 || a.id == 0 || in.left > 0 ||
	    (a.author[0] == '\0') != (a.title[0] == '\0') ||
	    (a.author[0] != '\0' && !name_valid(span_str(a.author))))
		return Q_FORMAT;
	a.created_ms = (int64_t)created;
	*out = a;
	return Q_OK;
}

/* ---- files ---- */

static void
file_name(uint64_t id, char out[FILE_SIZE])
{
	snprintf(out, FILE_SIZE, "%" PRIu64, id);
}

/* Also one that was removed. */
static enum qerr
load(struct store *s, uint64_t id, struct anon *out)
{
	struct buf b = BUF_INIT(ANON_FILE_MAX);
	char file[FILE_SIZE];
	enum qerr e;

	file_name(id, file);
	if ((e = file_read(s->fd[FOLDER_ANONS], file, &b)) == Q_LIMIT)
		e = Q_FORMAT;
	if (e == Q_OK)
		e = anon_decode(buf_span(&b), out);
	if (e == Q_OK && out->id != id)
		e = Q_FORMAT;
	buf_free(&b);
	if (e == Q_FORMAT)
		store_report(s, "anons/%s: damaged", file);
	return e;
}

typedef enum qerr
write_fn(int dirfd, const char *name, struct span content, unsigned mode);

static enum qerr
save(struct store *s, const struct anon *a, write_fn *write)
{
	struct buf b = BUF_INIT(ANON_FILE_MAX);
	char file[FILE_SIZE];
	enum qerr e = anon_encode(a, &b);

	file_name(a->id, file);
	if (e == Q_OK)
		e = write(s->fd[FOLDER_ANONS], file, buf_span(&b), 0600);
	buf_free(&b);
	return e;
}

/* ---- the index ---- */

/* The first place whose id is at least id. */
static size_t
place_locked(const struct anons *as, uint64_t id) REQUIRES(as->lock)
{
	size_t low = 0, high = as->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (as->ids[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Room for one more, so that what is on the disk can be shown. */
static enum qerr
reserve_locked(struct anons *as) REQUIRES(as->lock)
{
	size_t room = as->room == 0 ? 64 : as->room * 2;
	uint64_t *ids;

	if (as->n < as->room)
		return Q_OK;
	if ((ids = reallocarray(as->ids, room, sizeof(*ids))) == NULL)
		return Q_NOMEM;
	as->ids = ids;
	as->room = room;
	return Q_OK;
}

static enum qerr
publish(struct anons *as, uint64_t id)
{
	enum qerr e;
	size_t at;

	lock_take(&as->lock);
	if ((e = reserve_locked(as)) == Q_OK) {
		at = place_locked(as, id);
		memmove(as->ids + at + 1, as->ids + at, (as->n - at) * sizeof(*as->ids));
		as->ids[at] = id;
		as->n++;
	}
	lock_drop(&as->lock);
	return e;
}

static void
unpublish(struct anons *as, uint64_t id)
{
	size_t at;

	lock_take(&as->lock);
	at = place_locked(as, id);
	if (at < as->n && as->ids[at] == id) {
		as->n--;
		memmove(as->ids + at, as->ids + at + 1, (as->n - at) * sizeof(*as->ids));
	}
	lock_drop(&as->lock);
}

/* The largest id below before (0: of all); 0: there is none. */
static uint64_t
below(struct anons *as, uint64_t before)
{
	uint64_t id = 0;
	size_t at;

	lock_take(&as->lock);
	at = before == 0 ? as->n : place_locked(as, before);
	if (at > 0)
		id = as->ids[at - 1];
	lock_drop(&as->lock);
	return id;
}

/* ---- opening ---- */

struct scan {
	struct anons *as;
	enum qerr e;
};

static bool
scan_file(void *arg, const char *file)
{
	struct scan *scan = arg;
	struct anon a;
	uint64_t id;
	enum qerr e;

	if (decimal_read(span_str(file), INT64_MAX, &id) != Q_OK || id == 0)
		return true;
	if (id >= scan->as->next)
		scan->as->next = id + 1;
	e = load(scan->as->store, id, &a);
	if (e == Q_OK && a.author[0] != '\0')
		e = publish(scan->as, id);
	/* Damage was reported; "server check" deals with it. */
	if (e == Q_NOMEM)
		scan->e = e;
	return scan->e == Q_OK;
}

enum qerr
anons_open(struct store *s, struct anons **out)
{
	struct anons *as = calloc(1, sizeof(*as));
	struct scan scan = {as, Q_OK};
	enum qerr e;

	if (as == NULL)
		return Q_NOMEM;
	as->store = s;
	as->next = 1;
	lock_init(&as->lock);
	e = folder_each(s, FOLDER_ANONS, scan_file, &scan);
	if (e == Q_OK)
		e = scan.e;
	if (e != Q_OK) {
		anons_close(as);
		return e;
	}
	*out = as;
	return Q_OK;
}

void
anons_close(struct anons *as)
{
	if (as == NULL)
		return;
	lock_fini(&as->lock);
	free(as->ids);
	free(as);
}

/* ---- what others call ---- */

static uint64_t
take_id(struct anons *as)
{
	uint64_t id;

	lock_take(&as->lock);
	id = as->next++;
	lock_drop(&as->lock);
	return id;
}

enum qerr
anons_add(struct anons *as, struct anon *a)
{
	struct anon mine = *a;
	enum qerr e;

	if (!name_valid(span_str(a->author)) || !utf8_valid(span_str(a->title)) ||
	    !utf8_valid(span_str(a->text)))
		return Q_FORMAT;
	if (a->title[0] == '\0')
		return Q_LIMIT;
	mine.created_ms = clock_wall_ms();
	do {
		mine.id = take_id(as);
		e = save(as->store, &mine, file_create);
	} while (e == Q_EXISTS);
	if (e == Q_OK && (e = publish(as, mine.id)) != Q_OK) {
		/* Nobody has seen it. */
		strcpy(mine.author, "");
		strcpy(mine.title, "");
		strcpy(mine.text, "");
		(void)save(as->store, &mine, file_replace);
	}
	if (e == Q_OK)
		*a = mine;
	return e;
}

enum qerr
anons_get(struct anons *as, uint64_t id, struct anon *out)
{
	struct anon a;
	enum qerr e;

	if (id == 0 || below(as, id + 1) != id)
		return Q_MISSING;
	if ((e = load(as->store, id, &a)) != Q_OK)
		return e;
	if (a.author[0] == '\0')
		return Q_MISSING;
	*out = a;
	return Q_OK;
}

enum qerr
anons_list(struct anons *as, uint64_t before, size_t max,
	   bool (*each)(void *arg, const struct anon *a), void *arg)
{
	struct anon a;

	while (max > 0 && (before = below(as, before)) != 0) {
		enum qerr e = anons_get(as, before, &a);

		if (e == Q_MISSING || e == Q_FORMAT)
			continue;
		if (e != Q_OK)
			return e;
		if (!each(arg, &a))
			return Q_OK;
		max--;
	}
	return Q_OK;
}

enum qerr
anons_remove(struct anons *as, uint64_t id)
{
	struct anon gone = {.id = id, .created_ms = clock_wall_ms()};
	enum qerr e;

	if (id == 0 || below(as, id + 1) != id)
		return Q_MISSING;
	if ((e = save(as->store, &gone, file_replace)) == Q_OK)
		unpublish(as, id);
	return e;
}

enum qerr
anons_forget(struct anons *as, const char *author)
{
	enum qerr first = Q_OK, e;
	uint64_t id = 0;
	struct anon a;

	while ((id = below(as, id)) != 0) {
		e = anons_get(as, id, &a);
		if (e == Q_OK && name_cmp(a.author, author) == 0)
			e = anons_remove(as, id);
		if (e != Q_OK && e != Q_MISSING && e != Q_FORMAT && first == Q_OK)
			first = e;
	}
	return first;
}
