/* SPDX-License-Identifier: MIT
 *
 * pages.c - SYNC_ROOM_REQ and LIST_ROOMS: what there is, a page at a time.
 */
#include <stdlib.h>

#include "server/rooms/requests.h"

/* ---- SYNC_ROOM_REQ ---- */

static void
show_message(const struct room_message *m, struct rooms_message *out)
{
	*out = (struct rooms_message){
	    .msg = m->msg,
	    .from = span_str(m->from),
	    .time_ms = m->time_ms,
	    .format = m->format == ROOM_TEXT ? ROOMS_FORMAT_TEXT : ROOMS_FORMAT_SMALLFILE,
	    .edited = m->edited,
	    .deleted = m->deleted,
	    .pinned = m->pinned,
	};
	if (m->deleted) {
		if (m->content.len > 0)
			out->reason = m->content;
	} else if (m->in_file) {
		out->size = (int64_t)m->size;
	} else {
		out->content = m->content;
	}
}

static enum qerr
answer_page(struct rooms_session *rs, const struct rooms_packet *p,
	    const struct room_page *page, const struct room_receipt *receipts, size_t n)
{
	struct rooms_packet out = {.type = ROOMS_T_SYNC_ROOM_DATA, .ref = p->ref};
	struct rooms_message *messages = calloc(page->n + 1, sizeof(*messages));
	struct rooms_read *read = calloc(n + 1, sizeof(*read));
	enum qerr e = Q_NOMEM;

	if (messages != NULL && read != NULL) {
		for (size_t i = 0; i < page->n; i++)
			show_message(&page->m[i], &messages[i]);
		for (size_t i = 0; i < n; i++)
			read[i] = (struct rooms_read){span_str(receipts[i].user),
						      receipts[i].msg};
		out.u.sync_data = (struct rooms_sync_data){.room = p->u.sync_req.room,
							   .messages = messages,
							   .message_count = page->n,
							   .more = page->more,
							   .read = read,
							   .read_count = n};
		e = Q_OK;
		(void)rooms_answer(rs, &out);
	}
	free(messages);
	free(read);
	return e;
}

void
rooms_sync(struct rooms_session *rs, const struct rooms_packet *p)
{
	const struct rooms_sync_req *m = &p->u.sync_req;
	struct rooms *rooms = rs->session->server->rooms;
	struct room_receipt *receipts = NULL;
	struct room_page *page = NULL;
	const struct room_info *info;
	enum room_answer a;
	size_t n = 0;
	enum qerr e;

	if (!rooms_enter_room(rs, p, &m->room, &info))
		return;
	room_info_put(info);
	a = rooms_page(rooms, &m->room, m->has_from ? &m->from : NULL, (int)m->count,
		       &page, &e);
	if (a == ROOM_OK && (e = rooms_receipts(rooms, &m->room, &receipts, &n)) != Q_OK)
		a = e == Q_MISSING ? ROOM_UNKNOWN : ROOM_FAILED;
	if (a == ROOM_OK && (e = answer_page(rs, p, page, receipts, n)) != Q_OK)
		a = ROOM_FAILED;
	if (a != ROOM_OK)
		rooms_refuse(rs, p, a, e, &m->room, m->has_from ? &m->from : NULL);
	room_page_free(page);
	free(receipts);
}

/* ---- LIST_ROOMS ---- */

struct list {
	struct rooms_shown shown[ROOMS_LIST_COUNT_MAX];
	struct rooms_info info[ROOMS_LIST_COUNT_MAX];
	size_t n;
	size_t bytes;
};

/* How long is it in the answer? */
static enum qerr
measure(const struct rooms_info *info, size_t *bytes)
{
	struct rooms_packet p = {.type = ROOMS_T_ROOM_INFO, .u.info = *info};
	struct buf json = BUF_INIT(SIZE_MAX / 2);
	enum qerr e = rooms_put(&json, &p);

	*bytes = json.len;
	buf_free(&json);
	return e;
}

/* Q_FULL: it does not fit any more. */
static enum qerr
add_room(struct rooms_session *rs, const struct room_info *info, struct list *l)
{
	struct rooms_shown *shown = &l->shown[l->n];
	size_t bytes;
	enum qerr e =
	    rooms_show(rs->session->server, info, ROOMS_KEYS_ALL, NULL, 0, shown);

	if (e != Q_OK)
		return e;
	if ((e = measure(&shown->info, &bytes)) == Q_OK && l->n > 0 &&
	    bytes > ROOMS_LIST_BYTES_MAX - l->bytes)
		e = Q_FULL;
	if (e != Q_OK) {
		rooms_shown_free(shown);
		return e;
	}
	l->bytes = bytes < ROOMS_LIST_BYTES_MAX - l->bytes ? l->bytes + bytes
							   : ROOMS_LIST_BYTES_MAX;
	l->info[l->n++] = shown->info;
	return Q_OK;
}

static enum qerr
list_rooms(struct rooms_session *rs, const struct rooms_packet *p,
	   const struct room_info **rooms, size_t n, bool more)
{
	struct rooms_packet out = {.type = ROOMS_T_ROOMS, .ref = p->ref};
	struct list *l = calloc(1, sizeof(*l));
	enum qerr e = l == NULL ? Q_NOMEM : Q_OK;

	for (size_t i = 0; e == Q_OK && i < n; i++)
		e = add_room(rs, rooms[i], l);
	if (e == Q_OK || e == Q_FULL) {
		out.u.rooms =
		    (struct rooms_list_data){l->info, l->n, more || e == Q_FULL};
		e = Q_OK;
		(void)rooms_answer(rs, &out);
	}
	for (size_t i = 0; l != NULL && i < l->n; i++)
		rooms_shown_free(&l->shown[i]);
	free(l);
	return e;
}

void
rooms_list_rooms(struct rooms_session *rs, const struct rooms_packet *p)
{
	const struct rooms_list *m = &p->u.list;
	const struct room_info **rooms;
	bool more;
	size_t n;
	enum qerr e;

	e = rooms_of(rs->session->server->rooms, rs->user,
		     m->has_after ? &m->after : NULL, (size_t)m->count, &rooms, &n,
		     &more);
	if (e == Q_OK) {
		e = list_rooms(rs, p, rooms, n, more);
		rooms_of_free(rooms, n);
	}
	if (e != Q_OK)
		rooms_refuse(rs, p, ROOM_FAILED, e, NULL, NULL);
}
