/* SPDX-License-Identifier: MIT */
#include "store/restrictions.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/decimal.h"
#include "store/examine.h"
#include "store/fields.h"
#include "store/file.h"
#include "store/personal.h"

#define VERSION_LINE "quintet-restrictions: 1\n"
#define FILE_MAX     4096

static const struct {
	const char *since, *until, *reason;
} keys[RESTRICTION_KINDS] = {
    [RESTRICTION_BAN] = {"ban-since", "ban-until", "ban-reason"},
    [RESTRICTION_MUTE] = {"mute-since", "mute-until", "mute-reason"},
};

bool
restriction_holds(const struct restriction *r, int64_t now_ms)
{
	return r->set && (r->until_ms == 0 || now_ms < r->until_ms);
}

/* ---- to bytes and back ---- */

static enum qerr
encode(const struct restrictions *r, struct buf *out)
{
	enum qerr e = buf_put_str(out, VERSION_LINE);

	for (int k = 0; e == Q_OK && k < RESTRICTION_KINDS; k++) {
		const struct restriction *one = &r->of[k];

		if (!one->set)
			continue;
		e = buf_printf(out, "%s: %" PRId64 "\n", keys[k].since, one->since_ms);
		if (e == Q_OK && one->until_ms > 0)
			e = buf_printf(out, "%s: %" PRId64 "\n", keys[k].until,
				       one->until_ms);
		if (e == Q_OK)
			e = fields_put(out, keys[k].reason, span_str(one->reason));
	}
	return e == Q_OK ? fields_put_check(out, 0) : e;
}

/* A time that may be absent: 0. */
static enum qerr
take_time(struct reader *in, const char *key, int64_t *out)
{
	struct span s;
	uint64_t n = 0;
	enum qerr e = fields_take(in, key, &s);

	if (e == Q_OK && (decimal_read(s, INT64_MAX, &n) != Q_OK || n == 0))
		e = Q_FORMAT;
	*out = (int64_t)n;
	return e == Q_MISSING ? Q_OK : e;
}

static enum qerr
take_one(struct reader *in, int kind, struct restriction *out)
{
	enum qerr e = take_time(in, keys[kind].since, &out->since_ms);

	if (e != Q_OK || out->since_ms == 0)
		return e;
	out->set = true;
	if ((e = take_time(in, keys[kind].until, &out->until_ms)) != Q_OK)
		return e;
	return fields_take_text(in, keys[kind].reason, out->reason,
				RESTRICTION_REASON_MAX);
}

static enum qerr
decode(void *arg, struct span text)
{
	struct restrictions *out = arg, r = {0};
	struct span version;
	struct reader in;
	enum qerr e = Q_OK;

	if (fields_open(text, &in) != Q_OK ||
	    reader_take(&in, sizeof(VERSION_LINE) - 1, &version) != Q_OK ||
	    !span_eq(version, span_str(VERSION_LINE)))
		return Q_FORMAT;
	for (int k = 0; e == Q_OK && k < RESTRICTION_KINDS; k++)
		e = take_one(&in, k, &r.of[k]);
	if (e == Q_OK && in.left > 0)
		e = Q_FORMAT;
	if (e == Q_OK)
		*out = r;
	return e;
}

/* ---- files ---- */

static enum qerr
read_file(struct store *s, const char *folded, struct restrictions *out)
{
	enum qerr e =
	    personal_read(s, FOLDER_RESTRICTIONS, folded, FILE_MAX, decode, out);

	if (e == Q_MISSING)
		memset(out, 0, sizeof(*out));
	return e == Q_MISSING ? Q_OK : e;
}

enum qerr
restrictions_load(struct store *s, const char *user, struct restrictions *out)
{
	char folded[NAME_SIZE];
	enum qerr e = personal_name(user, folded);

	return e == Q_OK ? read_file(s, folded, out) : e;
}

/* Put it in place, without what has lapsed. */
static enum qerr
write_file(struct store *s, const char *folded, struct restrictions *r)
{
	struct buf b = BUF_INIT(FILE_MAX);
	int64_t now_ms = clock_wall_ms();
	bool any = false;
	enum qerr e;

	for (int k = 0; k < RESTRICTION_KINDS; k++) {
		r->of[k].set = restriction_holds(&r->of[k], now_ms);
		any = any || r->of[k].set;
	}
	if (!any) {
		e = file_remove(s->fd[FOLDER_RESTRICTIONS], folded);
		return e == Q_MISSING ? Q_OK : e;
	}
	if ((e = encode(r, &b)) == Q_OK)
		e = file_replace(s->fd[FOLDER_RESTRICTIONS], folded, buf_span(&b), 0600);
	buf_free(&b);
	return e;
}

static enum qerr
change_locked(struct store *s, const char *folded, enum restriction_kind kind,
	      const struct restriction *r, struct why *note)
{
	struct restrictions all;
	enum qerr e = read_file(s, folded, &all);

	if (e != Q_OK && e != Q_NOMEM) {
		if (kind != RESTRICTION_BAN)
			return Q_FORMAT;
		memset(&all, 0, sizeof(all));
		e = store_set_aside(s, FOLDER_RESTRICTIONS, folded,
				    e == Q_FORMAT ? "damaged" : "unreadable", note);
	}
	if (e != Q_OK)
		return e;
	all.of[kind] = r != NULL ? *r : (struct restriction){.set = false};
	return write_file(s, folded, &all);
}

enum qerr
restrictions_change(struct store *s, const char *user, enum restriction_kind kind,
		    const struct restriction *r)
{
	char folded[NAME_SIZE];
	struct why note = {""};
	struct lock *lock;
	enum qerr e = personal_name(user, folded);

	if (e != Q_OK)
		return e;
	lock = personal_lock(s, folded);
	lock_take(lock);
	e = change_locked(s, folded, kind, r, &note);
	lock_drop(lock);
	store_tell(s, &note);
	return e;
}

enum qerr
restrictions_remove(struct store *s, const char *user)
{
	return personal_remove(s, FOLDER_RESTRICTIONS, user);
}

struct walk {
	bool (*each)(void *arg, const char *user);
	void *arg;
};

static bool
walk_file(void *arg, const char *file)
{
	struct walk *w = arg;
	char folded[NAME_SIZE];

	if (file_is_temporary(file) || personal_name(file, folded) != Q_OK ||
	    strcmp(file, folded) != 0)
		return true;
	return w->each(w->arg, folded);
}

enum qerr
restrictions_each(struct store *s, bool (*each)(void *arg, const char *user), void *arg)
{
	struct walk w = {each, arg};

	return folder_each(s, FOLDER_RESTRICTIONS, walk_file, &w);
}

/* ---- "server check" ---- */

enum qerr
restrictions_examine(struct store *s, const char *file)
{
	struct restrictions r;

	return personal_read(s, FOLDER_RESTRICTIONS, file, FILE_MAX, decode, &r);
}
