/* SPDX-License-Identifier: MIT
 *
 * SYNC_ROOM_REQ and SYNC_ROOM_DATA: pages of a room's log.
 */
#include "protocol/rooms_priv.h"

bool
rooms_parse_sync_room_req(struct rooms_reading *r)
{
	struct rooms_sync_req *m = &r->p->u.sync_req;
	const int64_t max = ROOMS_SYNC_COUNT_MAX;

	if (!rooms_need_room(r, r->data, &m->room) ||
	    !rooms_need_int(r, r->data, "count", &m->count) ||
	    !rooms_may_id(r, r->data, "from", &m->from, &m->has_from))
		return false;
	if (m->count == 0)
		return rooms_bad(r, "count", "must not be 0");
	if (m->count > max)
		m->count = max;
	if (m->count < -max)
		m->count = -max;
	return true;
}

void
rooms_put_sync_room_req(struct rooms_writing *w, const struct rooms_packet *p)
{
	const struct rooms_sync_req *m = &p->u.sync_req;

	rooms_w_id(w, "room", &m->room);
	rooms_w_int(w, "count", m->count);
	rooms_w_id(w, "from", m->has_from ? &m->from : NULL);
}

/* ---- SYNC_ROOM_DATA ---- */

static bool
read_message(struct rooms_reading *r, const json_t *o, struct rooms_message *m)
{
	struct span format;

	if (!rooms_need_id(r, o, "msg", &m->msg) ||
	    !rooms_need_text(r, o, "from", &m->from) ||
	    !rooms_need_int(r, o, "time", &m->time_ms) ||
	    !rooms_need_text(r, o, "format", &format) ||
	    !rooms_may_text(r, o, "content", &m->content) ||
	    !rooms_may_int(r, o, "size", &m->size) ||
	    !rooms_may_text(r, o, "reason", &m->reason) ||
	    !rooms_need_bool(r, o, "edited", &m->edited) ||
	    !rooms_need_bool(r, o, "deleted", &m->deleted) ||
	    !rooms_need_bool(r, o, "pinned", &m->pinned))
		return false;
	m->format = rooms_format_find(format);
	return true;
}

static bool
read_messages(struct rooms_reading *r, struct rooms_sync_data *m)
{
	const json_t *list, *item;
	struct rooms_message *messages;
	void *place;
	size_t i;

	if (!rooms_need_array(r, r->data, "messages", &list))
		return false;
	if (json_array_size(list) == 0)
		return true;
	if (!rooms_take(r, json_array_size(list), sizeof(*messages), &place))
		return false;
	messages = place;
	json_array_foreach(list, i, item)
	{
		if (!json_is_object(item))
			return rooms_bad(r, "messages", "must be an array of objects");
		if (!read_message(r, item, &messages[i]))
			return false;
	}
	m->messages = messages;
	m->message_count = json_array_size(list);
	return true;
}

/* The members of an object, not of an array: user names to message ids. */
static bool
read_read(struct rooms_reading *r, struct rooms_sync_data *m)
{
	const json_t *o;
	struct rooms_read *read;
	void *place, *i;
	size_t n = 0;

	if (!rooms_need_object(r, r->data, "read", &o))
		return false;
	if (json_object_size(o) == 0)
		return true;
	if (!rooms_take(r, json_object_size(o), sizeof(*read), &place))
		return false;
	read = place;
	/* jansson's iterators take no const object, but do not change it. */
	for (i = json_object_iter(json_object_get(r->data, "read")); i != NULL;
	     i = json_object_iter_next(json_object_get(r->data, "read"), i), n++) {
		const char *key = json_object_iter_key(i);

		read[n].user = span_of(key, json_object_iter_key_len(i));
		if (!rooms_need_id(r, o, key, &read[n].msg))
			return false;
	}
	m->read = read;
	m->read_count = n;
	return true;
}

bool
rooms_parse_sync_room_data(struct rooms_reading *r)
{
	struct rooms_sync_data *m = &r->p->u.sync_data;

	return rooms_need_room(r, r->data, &m->room) && read_messages(r, m) &&
	       rooms_need_bool(r, r->data, "more", &m->more) && read_read(r, m);
}

static void
write_message(struct rooms_writing *w, const struct rooms_message *m)
{
	rooms_w_open(w, NULL, '{');
	rooms_w_id(w, "msg", &m->msg);
	rooms_w_text(w, "from", m->from);
	rooms_w_int(w, "time", m->time_ms);
	rooms_w_str(w, "format", rooms_format_text(m->format));
	rooms_w_text(w, "content", m->content);
	if (m->size != 0)
		rooms_w_int(w, "size", m->size);
	if (m->deleted)
		rooms_w_text(w, "reason", m->reason);
	rooms_w_bool(w, "edited", m->edited);
	rooms_w_bool(w, "deleted", m->deleted);
	rooms_w_bool(w, "pinned", m->pinned);
	rooms_w_close(w, '{');
}

void
rooms_put_sync_room_data(struct rooms_writing *w, const struct rooms_packet *p)
{
	const struct rooms_sync_data *m = &p->u.sync_data;

	rooms_w_id(w, "room", &m->room);
	rooms_w_open(w, "messages", '[');
	for (size_t i = 0; i < m->message_count; i++)
		write_message(w, &m->messages[i]);
	rooms_w_close(w, '[');
	rooms_w_bool(w, "more", m->more);
	rooms_w_open(w, "read", '{');
	for (size_t i = 0; i < m->read_count; i++) {
		char id[UUID_SIZE];

		uuid_text(&m->read[i].msg, id);
		rooms_w_text(w, NULL, m->read[i].user); /* as a key */
		rooms_w_raw(w, ":\"");
		rooms_w_raw(w, id);
		rooms_w_raw(w, "\"");
	}
	rooms_w_close(w, '{');
}
