/* SPDX-License-Identifier: MIT
 *
 * Fields of a packet, each with the sentence that a person who writes a client wants
 * to read when it is wrong.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/rooms_priv.h"

bool
rooms_bad(struct rooms_reading *r, const char *key, const char *what)
{
	r->fault->sig = ROOMS_INVALID_PACKET;
	r->e = why_set(&r->fault->desc, Q_FORMAT, "%s: \"%s\" %s",
		       rooms_type_text(r->p->type), key, what);
	return false;
}

/* Is it there?  Otherwise says so, and names the type that it should have. */
static bool
there(struct rooms_reading *r, const char *key, enum json_is is, const char *type)
{
	char what[48] = "must be ";

	switch (is) {
	case JSON_IS_THERE: return true;
	case JSON_IS_ABSENT: return rooms_bad(r, key, "is missing");
	case JSON_IS_NULL:
	case JSON_IS_OTHER: break;
	}
	strncat(what, type, sizeof(what) - strlen(what) - 1);
	return rooms_bad(r, key, what);
}

static bool
there_or_none(struct rooms_reading *r, const char *key, enum json_is is, const char *type)
{
	return is == JSON_IS_ABSENT || is == JSON_IS_NULL || there(r, key, is, type);
}

bool
rooms_need_text(struct rooms_reading *r, const json_t *o, const char *key,
		struct span *out)
{
	return there(r, key, json_get_text(o, key, out), "a string");
}

bool
rooms_need_int(struct rooms_reading *r, const json_t *o, const char *key, int64_t *out)
{
	return there(r, key, json_get_int(o, key, out), "an integer");
}

bool
rooms_need_bool(struct rooms_reading *r, const json_t *o, const char *key, bool *out)
{
	return there(r, key, json_get_bool(o, key, out), "true or false");
}

bool
rooms_need_object(struct rooms_reading *r, const json_t *o, const char *key,
		  const json_t **out)
{
	return there(r, key, json_get_object(o, key, out), "an object");
}

bool
rooms_need_array(struct rooms_reading *r, const json_t *o, const char *key,
		 const json_t **out)
{
	return there(r, key, json_get_array(o, key, out), "an array");
}

bool
rooms_may_text(struct rooms_reading *r, const json_t *o, const char *key,
	       struct span *out)
{
	return there_or_none(r, key, json_get_text(o, key, out), "a string");
}

bool
rooms_may_int(struct rooms_reading *r, const json_t *o, const char *key, int64_t *out)
{
	return there_or_none(r, key, json_get_int(o, key, out), "an integer");
}

bool
rooms_may_bool(struct rooms_reading *r, const json_t *o, const char *key, bool *out)
{
	return there_or_none(r, key, json_get_bool(o, key, out), "true or false");
}

bool
rooms_may_id(struct rooms_reading *r, const json_t *o, const char *key, struct uuid *out,
	     bool *has)
{
	struct span text = {NULL, 0};
	struct uuid u = {{0}};

	if (!rooms_may_text(r, o, key, &text))
		return false;
	if (text.p != NULL)
		(void)uuid_parse(text, &u); /* no UUID names nothing, as nil does */
	if (has != NULL)
		*has = text.p != NULL;
	*out = u;
	return true;
}

bool
rooms_need_id(struct rooms_reading *r, const json_t *o, const char *key, struct uuid *out)
{
	bool has;

	if (!rooms_may_id(r, o, key, out, &has))
		return false;
	return has || rooms_bad(r, key, "is missing");
}

bool
rooms_need_room(struct rooms_reading *r, const json_t *o, struct uuid *out)
{
	if (!rooms_need_id(r, o, "room", out))
		return false;
	r->fault->room = *out;
	return true;
}

bool
rooms_need_word(struct rooms_reading *r, const json_t *o, const char *key,
		const char *const *words, int n, int *out)
{
	struct span text;

	if (!rooms_need_text(r, o, key, &text))
		return false;
	for (int i = 0; i < n; i++)
		if (span_eq(text, span_str(words[i]))) {
			*out = i;
			return true;
		}
	return rooms_bad(r, key, "is none that exists");
}

bool
rooms_may_names(struct rooms_reading *r, const json_t *o, const char *key,
		struct rooms_names *out)
{
	enum json_is is;
	const json_t *list, *item;
	void *place;
	struct span *names;
	size_t n, i;

	is = json_get_array(o, key, &list);
	if (!there_or_none(r, key, is, "an array of strings"))
		return false;
	*out = (struct rooms_names){NULL, 0};
	n = is == JSON_IS_THERE ? json_array_size(list) : 0;
	if (n == 0)
		return true;
	if (!rooms_take(r, n, sizeof(*names), &place))
		return false;
	names = place;
	json_array_foreach(list, i, item)
	{
		if (!json_is_string(item))
			return rooms_bad(r, key, "must be an array of strings");
		names[i] = json_text(item);
	}
	*out = (struct rooms_names){names, n};
	return true;
}

/* ---- memory that lives as long as the packet ---- */

struct rooms_block {
	struct rooms_block *next;
	max_align_t items[];
};

bool
rooms_take(struct rooms_reading *r, size_t n, size_t size, void **out)
{
	struct rooms_block *b;

	assert(n <= ROOMS_VALUES_MAX);
	if ((b = calloc(1, sizeof(*b) + n * size)) == NULL) {
		r->fault->sig = ROOMS_SERVER_ERROR;
		r->e = why_set(&r->fault->desc, Q_NOMEM, "there is no memory");
		return false;
	}
	b->next = r->p->blocks;
	r->p->blocks = b;
	*out = b->items;
	return true;
}

void
rooms_packet_free(struct rooms_packet *p)
{
	struct rooms_block *next;

	for (struct rooms_block *b = p->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	json_decref(p->doc);
	memset(p, 0, sizeof(*p));
}
