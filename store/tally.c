/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "store/decimal.h"
#include "store/fields.h"
#include "store/file.h"
#include "store/tally_priv.h"

#define FILE_MAX  256
#define NAME_ROOM 24 /* 19 digits and a NUL */

static void
file_of(uint64_t chat, char out[NAME_ROOM])
{
	snprintf(out, NAME_ROOM, "%" PRIu64, chat);
}

/* Do the numbers fit each other? */
static bool
plausible(const struct tally *t)
{
	return t->by[TALLY_MAKER] <= t->upto && t->by[TALLY_OTHER] <= t->upto &&
	       t->seen[TALLY_MAKER] <= t->by[TALLY_OTHER] &&
	       t->seen[TALLY_OTHER] <= t->by[TALLY_MAKER];
}

static enum qerr
encode(const struct tally *t, struct buf *out)
{
	enum qerr e = buf_printf(out,
				 "quintet-tally: 1\nupto: %" PRIu64 "\nmaker: %" PRIu64
				 "\nother: %" PRIu64 "\nmaker-seen: %" PRIu64
				 "\nother-seen: %" PRIu64 "\n",
				 t->upto, t->by[TALLY_MAKER], t->by[TALLY_OTHER],
				 t->seen[TALLY_MAKER], t->seen[TALLY_OTHER]);

	return e == Q_OK ? fields_put_check(out, 0) : e;
}

static enum qerr
decode(struct span text, struct tally *out)
{
	struct tally t;
	struct reader in;
	uint64_t version;

	if (fields_open(text, &in) != Q_OK ||
	    fields_take_number(&in, "quintet-tally", 1, &version) != Q_OK ||
	    version != 1 || fields_take_number(&in, "upto", INT64_MAX, &t.upto) != Q_OK ||
	    fields_take_number(&in, "maker", INT64_MAX, &t.by[TALLY_MAKER]) != Q_OK ||
	    fields_take_number(&in, "other", INT64_MAX, &t.by[TALLY_OTHER]) != Q_OK ||
	    fields_take_number(&in, "maker-seen", INT64_MAX, &t.seen[TALLY_MAKER]) !=
		Q_OK ||
	    fields_take_number(&in, "other-seen", INT64_MAX, &t.seen[TALLY_OTHER]) !=
		Q_OK ||
	    in.left > 0 || !plausible(&t))
		return Q_FORMAT;
	*out = t;
	return Q_OK;
}

static enum qerr
read_file(struct store *s, const char *file, struct tally *out)
{
	struct buf b = BUF_INIT(FILE_MAX);
	enum qerr e = file_read(s->fd[FOLDER_TALLIES], file, &b);

	if (e == Q_LIMIT)
		e = Q_FORMAT;
	if (e == Q_OK)
		e = decode(buf_span(&b), out);
	buf_free(&b);
	return e;
}

enum qerr
tally_load(struct store *s, uint64_t chat, struct tally *out)
{
	struct why note = {""};
	char file[NAME_ROOM];
	enum qerr e;

	file_of(chat, file);
	if ((e = read_file(s, file, out)) != Q_FORMAT)
		return e;
	e = store_set_aside(s, FOLDER_TALLIES, file, "damaged", &note);
	store_tell(s, &note);
	return e == Q_OK ? Q_MISSING : e;
}

enum qerr
tally_save(struct store *s, uint64_t chat, const struct tally *t)
{
	struct buf b = BUF_INIT(FILE_MAX);
	char file[NAME_ROOM];
	enum qerr e = encode(t, &b);

	file_of(chat, file);
	if (e == Q_OK)
		e = file_swap(s->fd[FOLDER_TALLIES], file, buf_span(&b));
	buf_free(&b);
	return e;
}

enum qerr
tally_remove(struct store *s, uint64_t chat)
{
	char file[NAME_ROOM];

	file_of(chat, file);
	if (file_unlink(s->fd[FOLDER_TALLIES], file) == 0 || errno == ENOENT)
		return Q_OK;
	return qerr_errno(errno);
}

/* ---- "server check" ---- */

enum qerr
tally_file_parse(const char *file, uint64_t *chat)
{
	uint64_t id;

	if (decimal_read(span_str(file), INT64_MAX, &id) != Q_OK || id == 0)
		return Q_FORMAT;
	*chat = id;
	return Q_OK;
}

enum qerr
tally_examine(struct store *s, const char *file)
{
	struct tally t;

	return read_file(s, file, &t);
}
