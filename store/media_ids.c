/* SPDX-License-Identifier: MIT
 *
 * server/media-ids holds one number: every id below it may have been used.  It is
 * moved forward by a block and forced to the disk before the first id of the block is
 * given out, so a kill wastes at most a block of ids and never brings one back; and
 * only one add in a hundred waits for it.
 *
 * Messages name media by their ids, so an id that came back would show one person's
 * picture in another's chat.  Hence, should the number be lost or old (a damaged file, a
 * backup), ids also go on behind the media that are there, and then with a gap, because
 * those with the highest ids may be gone.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/decimal.h"
#include "store/media_priv.h"

#define BLOCK 100
#define GAP   1000

struct greatest {
	uint64_t id;
};

static bool
note_greatest(void *arg, const char *name)
{
	struct greatest *g = arg;
	uint64_t id;
	enum media_part part;

	if (media_file_parse(name, &id, &part) == Q_OK && id > g->id)
		g->id = id;
	return true;
}

/* The number in the file.  Q_MISSING; Q_FORMAT: it is none. */
static enum qerr
read_number(struct store *s, uint64_t *out)
{
	struct buf b = BUF_INIT(32);
	enum qerr e = store_server_read(s, MEDIA_IDS_FILE, &b);

	if (e == Q_LIMIT || (e == Q_OK && (b.len == 0 || b.p[b.len - 1] != '\n')))
		e = Q_FORMAT;
	if (e == Q_OK)
		e = decimal_read(span_of(b.p, b.len - 1), INT64_MAX, out);
	buf_free(&b);
	return e;
}

/* Where ids go on after the store was opened. */
static enum qerr
first_number(struct store *s, uint64_t *out, struct why *note)
{
	struct greatest g = {0};
	uint64_t n = 0;
	enum qerr e, known = read_number(s, &n);

	if (known == Q_FORMAT && (e = store_set_aside(s, FOLDER_SERVER, MEDIA_IDS_FILE,
						      "damaged", note)) != Q_OK)
		return e;
	if (known != Q_OK && known != Q_FORMAT && known != Q_MISSING)
		return known;
	if ((e = folder_each(s, FOLDER_MEDIA, note_greatest, &g)) != Q_OK)
		return e;
	if (known == Q_OK && n > g.id)
		*out = n;
	else if (known == Q_MISSING && g.id == 0)
		*out = 1;
	else
		*out = g.id + GAP;
	return Q_OK;
}

static enum qerr
take_block_locked(struct store *s, struct why *note) REQUIRES(s->media.lock);

static enum qerr
take_block_locked(struct store *s, struct why *note)
{
	struct media_ids *ids = &s->media;
	uint64_t from = ids->end;
	char text[24];
	int len;
	enum qerr e;

	LOCK_ASSERT_HELD(&ids->lock);
	if (from == 0 && (e = first_number(s, &from, note)) != Q_OK)
		return e;
	if (from > INT64_MAX - BLOCK)
		return Q_LIMIT;
	len = snprintf(text, sizeof(text), "%" PRIu64 "\n", from + BLOCK);
	e = store_server_write(s, MEDIA_IDS_FILE, span_of(text, (size_t)len), 0600);
	if (e != Q_OK)
		return e;
	ids->next = from;
	ids->end = from + BLOCK;
	if (ids->first == 0)
		ids->first = from;
	return Q_OK;
}

enum qerr
media_id_take(struct store *s, uint64_t *id)
{
	struct why note = {""};
	enum qerr e = Q_OK;

	lock_take(&s->media.lock);
	if (s->media.next == s->media.end)
		e = take_block_locked(s, &note);
	if (e == Q_OK)
		*id = s->media.next++;
	lock_drop(&s->media.lock);
	store_tell(s, &note);
	return e;
}

bool
media_id_recent(struct store *s, uint64_t id)
{
	struct media_ids *ids = &s->media;
	bool recent;

	lock_take(&ids->lock);
	recent = ids->first != 0 && id >= ids->first && id < ids->next;
	lock_drop(&ids->lock);
	return recent;
}
