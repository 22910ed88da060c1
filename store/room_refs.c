/* SPDX-License-Identifier: MIT
 *
 * Refs of the last day, found by a hash of author and ref that stands in the messages'
 * lines.  The table is made of the newest lines when it is first asked for, and anew
 * when it is full, which leaves out what has become too old.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "store/rooms_priv.h"

#define READ_LINES 1024
#define SLOTS_MIN  512

struct room_ref_slot {
	uint64_t hash; /* 0: free */
	uint64_t number;
};

uint64_t
ref_hash(const char *by, struct span ref)
{
	char folded[NAME_SIZE];
	uint8_t sum[SHA256_LEN];
	struct span parts[3];
	uint64_t h = 0;

	name_fold(by, folded);
	parts[0] = span_str(folded);
	parts[1] = span_of("", 1); /* its NUL: no name has one */
	parts[2] = ref;
	if (sha256(parts, 3, sum) != Q_OK)
		return 0;
	for (size_t i = 0; i < 7; i++)
		h = h << 8 | sum[i];
	return h != 0 ? h : 1;
}

static void
put(struct room_refs *refs, uint64_t hash, uint64_t number)
{
	size_t i = (size_t)hash & (refs->size - 1);

	while (refs->slot[i].hash != 0)
		i = (i + 1) & (refs->size - 1);
	refs->slot[i] = (struct room_ref_slot){hash, number};
	refs->n++;
}

void
refs_fini(struct room_refs *refs)
{
	free(refs->slot);
	*refs = (struct room_refs){NULL, 0, 0};
}

void
refs_add(struct room_state *st, uint64_t hash, uint64_t number)
{
	if (st->refs.slot == NULL || hash == 0)
		return;
	put(&st->refs, hash, number);
	if (st->refs.n >= st->refs.size / 2) /* the next look makes a new one */
		refs_fini(&st->refs);
}

/* The number of the first message to be looked at, and how many have a ref. */
static enum qerr
count_refs(struct rooms *r, struct room_state *st, int64_t since_ms, uint64_t *first,
	   size_t *refs)
{
	struct room_line *lines = calloc(READ_LINES, sizeof(*lines));
	uint64_t end = state_count(st), n = end;
	uint64_t least = end > ROOM_REFS ? end - ROOM_REFS : 0;
	bool old = false;
	size_t got;
	enum qerr e = lines == NULL ? Q_NOMEM : Q_OK;

	*refs = 0;
	while (e == Q_OK && !old && n > least) {
		size_t step = n - least < READ_LINES ? (size_t)(n - least) : READ_LINES;

		if ((e = state_lines(r, st, n - step, step, lines, &got)) != Q_OK)
			break;
		n -= step;
		for (size_t i = 0; i < got; i++)
			*refs += lines[i].ref != 0;
		old = got > 0 && lines[0].ms < since_ms;
	}
	free(lines);
	*first = n;
	return e;
}

static enum qerr
refs_load(struct rooms *r, struct room_state *st, int64_t since_ms)
{
	struct room_line *lines;
	uint64_t first;
	size_t n, size = SLOTS_MIN, got = 1;
	enum qerr e = count_refs(r, st, since_ms, &first, &n);

	if (e != Q_OK)
		return e;
	while (size < n * 4)
		size *= 2;
	lines = calloc(READ_LINES, sizeof(*lines));
	st->refs = (struct room_refs){calloc(size, sizeof(*st->refs.slot)), 0, size};
	if (lines == NULL || st->refs.slot == NULL)
		e = Q_NOMEM;
	for (uint64_t at = first; e == Q_OK && got > 0; at += got) {
		e = state_lines(r, st, at, READ_LINES, lines, &got);
		for (size_t i = 0; e == Q_OK && i < got; i++)
			if (lines[i].ref != 0)
				put(&st->refs, lines[i].ref, lines[i].number);
	}
	free(lines);
	if (e != Q_OK)
		refs_fini(&st->refs);
	return e;
}

struct compare {
	const char *by;
	struct span ref;
	bool same;
};

static bool
compare(void *arg, const struct record *rec)
{
	struct compare *c = arg;
	struct change_text change = {.people = NULL};
	struct event_text t;

	if (event_take(rec, &t, &change) == Q_OK)
		c->same = t.ev.kind == ROOM_SEND && name_cmp(t.ev.from, c->by) == 0 &&
			  span_eq(t.ref, c->ref);
	change_free(&change);
	return false;
}

enum qerr
refs_find(struct rooms *r, struct room_state *st, const char *by, struct span ref,
	  int64_t now_ms, struct room_line *out)
{
	uint64_t hash = ref_hash(by, ref);
	struct compare c = {by, ref, false};
	struct room_line line;
	size_t i, got;
	enum qerr e;

	if (hash == 0)
		return Q_CRYPTO;
	if (st->refs.slot == NULL && (e = refs_load(r, st, now_ms - ROOM_REF_MS)) != Q_OK)
		return e;
	i = (size_t)hash & (st->refs.size - 1);
	for (; st->refs.slot[i].hash != 0; i = (i + 1) & (st->refs.size - 1)) {
		if (st->refs.slot[i].hash != hash)
			continue;
		e = state_lines(r, st, st->refs.slot[i].number, 1, &line, &got);
		if (e != Q_OK)
			return e;
		if (got == 0 || line.seq == 0 || line.ms < now_ms - ROOM_REF_MS)
			continue;
		e = msglog_read(st->log, line.seq - 1, 1, compare, &c, NULL);
		if (e != Q_OK)
			return e;
		if (c.same) {
			*out = line;
			return Q_OK;
		}
	}
	return Q_MISSING;
}
