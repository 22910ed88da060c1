/* SPDX-License-Identifier: MIT
 *
 * A change is written twice, with the same data: into the journal, which makes it
 * true, and into the room's log, where it is an event among the others.
 *
 *   =... 12 1795260427345 add Alice - t ROOM SEQ TYPE\nNAME\nbob carol\nnobody\x00...
 *                         |   |         |                 |         |
 *                         |   by whom   |                 people    names for which it
 *                         action        seq in the log              could not be done
 *
 * NAME is there when it is made or renamed.  The names at the end come from people and
 * hold anything but NUL.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/decimal.h"
#include "store/rooms_priv.h"

static const char *const kinds[] = {
    [ROOM_CREATE] = "create", [ROOM_RENAME] = "rename",   [ROOM_ADD] = "add",
    [ROOM_REMOVE] = "remove", [ROOM_PROMOTE] = "promote", [ROOM_DEMOTE] = "demote",
    [ROOM_LEAVE] = "leave",   [ROOM_DROP] = "drop",
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *
action_kind(enum room_action action)
{
	return kinds[action];
}

bool
action_find(const char *kind, enum room_action *out)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kind, kinds[i]) == 0) {
			*out = (enum room_action)i;
			return true;
		}
	return false;
}

enum qerr
change_put(struct buf *out, const struct uuid *room, uint64_t seq, enum room_type type,
	   const struct room_change *c)
{
	size_t before = out->len;
	char id[UUID_SIZE];
	enum qerr e;

	uuid_text(room, id);
	e = buf_printf(out, "%s %" PRIu64 " %d\n%s\n", id, seq, (int)type, c->name);
	for (size_t i = 0; e == Q_OK && i < c->n_people; i++)
		e = buf_printf(out, "%s%s", i > 0 ? " " : "", c->people[i]);
	if (e == Q_OK)
		e = buf_put_u8(out, '\n');
	for (size_t i = 0; e == Q_OK && i < c->n_dne; i++)
		if ((e = buf_put_span(out, c->dne[i])) == Q_OK)
			e = buf_put_u8(out, '\0');
	if (e != Q_OK)
		out->len = before;
	return e;
}

/* ---- and back ---- */

static enum qerr
take_until(struct reader *in, char stop, struct span *out)
{
	const uint8_t *end = in->left == 0 ? NULL : memchr(in->p, stop, in->left);

	if (end == NULL)
		return Q_FORMAT;
	(void)reader_take(in, (size_t)(end - in->p) + 1, out);
	out->len--;
	return Q_OK;
}

static size_t
count(struct span s, uint8_t c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.p[i] == c;
	return n;
}

static enum qerr
take_head(struct reader *in, struct change_text *t)
{
	struct span room, seq, type, name;
	uint64_t kind;

	if (take_until(in, ' ', &room) != Q_OK || uuid_parse(room, &t->room) != Q_OK ||
	    take_until(in, ' ', &seq) != Q_OK ||
	    decimal_read(seq, INT64_MAX, &t->seq) != Q_OK || t->seq == 0 ||
	    take_until(in, '\n', &type) != Q_OK ||
	    decimal_read(type, ROOM_CHANNEL, &kind) != Q_OK ||
	    take_until(in, '\n', &name) != Q_OK || name.len > ROOM_NAME_MAX ||
	    (name.len > 0 && memchr(name.p, '\0', name.len) != NULL))
		return Q_FORMAT;
	t->type = (enum room_type)kind;
	if (name.len > 0)
		memcpy(t->change.name, name.p, name.len);
	t->change.name[name.len] = '\0';
	return Q_OK;
}

static enum qerr
take_people(struct span line, struct change_text *t)
{
	size_t n = line.len == 0 ? 0 : count(line, ' ') + 1;

	if (n == 0)
		return Q_OK;
	if ((t->people = calloc(n, sizeof(*t->people))) == NULL)
		return Q_NOMEM;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *blank = memchr(line.p, ' ', line.len);
		size_t len = blank != NULL ? (size_t)(blank - line.p) : line.len;

		if (name_copy(span_of(line.p, len), t->people[i]) != Q_OK)
			return Q_FORMAT;
		if (blank != NULL)
			line = span_of(blank + 1, line.len - len - 1);
	}
	t->change.people = (const char(*)[NAME_SIZE])t->people;
	t->change.n_people = n;
	return Q_OK;
}

static enum qerr
take_dne(struct reader *in, struct change_text *t)
{
	struct span rest = span_of(in->p, in->left);
	size_t n = count(rest, '\0');

	if (n == 0)
		return rest.len == 0 ? Q_OK : Q_FORMAT;
	if ((t->dne = calloc(n, sizeof(*t->dne))) == NULL)
		return Q_NOMEM;
	for (size_t i = 0; i < n; i++)
		if (take_until(in, '\0', &t->dne[i]) != Q_OK)
			return Q_FORMAT;
	t->change.dne = t->dne;
	t->change.n_dne = n;
	return in->left == 0 ? Q_OK : Q_FORMAT;
}

enum qerr
change_take(const struct record *r, struct change_text *out)
{
	struct change_text t = {.people = NULL};
	struct reader in = reader_of(r->data);
	struct span people;
	enum qerr e;

	if (!action_find(r->kind, &t.change.action) || r->from[0] == '\0' ||
	    take_head(&in, &t) != Q_OK || take_until(&in, '\n', &people) != Q_OK)
		return Q_FORMAT;
	if ((e = take_people(people, &t)) == Q_OK)
		e = take_dne(&in, &t);
	if (e != Q_OK)
		change_free(&t);
	else
		*out = t;
	return e;
}

void
change_free(struct change_text *t)
{
	free(t->people);
	free(t->dne);
	t->people = NULL;
	t->dne = NULL;
}
