/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/anons_priv.h"
#include "store/check_priv.h"
#include "store/decimal.h"
#include "store/file.h"

/* Q_OK; Q_FORMAT: not as anon_encode writes it, or under another's name. */
static enum qerr
examine(struct store *s, const char *file, uint64_t id)
{
	struct buf b = BUF_INIT(ANON_FILE_MAX);
	struct anon a;
	enum qerr e = file_read(s->fd[FOLDER_ANONS], file, &b);

	if (e == Q_LIMIT)
		e = Q_FORMAT;
	if (e == Q_OK)
		e = anon_decode(buf_span(&b), &a);
	if (e == Q_OK && a.id != id)
		e = Q_FORMAT;
	buf_free(&b);
	return e;
}

bool
check_anons_file(void *arg, const char *file)
{
	struct check *c = arg;
	uint64_t id;
	enum qerr e;

	if (file_is_temporary(file))
		return true;
	if (decimal_read(span_str(file), INT64_MAX, &id) != Q_OK || id == 0) {
		check_bad_file(c, FOLDER_ANONS, file, "is not named as an announcement");
		return true;
	}
	e = examine(c->store, file, id);
	if (e == Q_FORMAT)
		check_bad_file(c, FOLDER_ANONS, file, "damaged");
	else if (e != Q_OK && e != Q_MISSING)
		check_say(c, false, "anons/%s: cannot be read: %s", file, qerr_str(e));
	return true;
}
