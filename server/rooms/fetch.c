/* SPDX-License-Identifier: MIT
 *
 * fetch.c - FETCH: the content of a large message.
 *
 * On its way out a file is in memory as it was stored, as JSON, and sealed.  So it counts
 * in rooms.large_memory like one on its way in, until the client has taken most of it:
 * how many clients fetch at a time is bounded, and so is how long each may take.
 */
#include "base/clock.h"
#include "server/http/budget.h"
#include "server/rooms/requests.h"

#define BYTES_A_SECOND 32768 /* who is slower has to be cut off */

/* How large it is turns out by trying. */
static const size_t sizes[] = {256 * 1024, 4 * 1024 * 1024, ROOMS_FILE_MAX};
#define SMALL sizes[0] /* not counted */
/* What a content of that size takes on its way out, about. */
#define MEMORY(size) (3 * (size))

static void
answer_file(struct rooms_session *rs, const struct rooms_packet *p,
	    const struct buf *content)
{
	const struct rooms_packet out = {
	    .type = ROOMS_T_FILE,
	    .ref = p->ref,
	    .u.file = {p->u.fetch.room, p->u.fetch.msg, buf_span(content)},
	};

	(void)rooms_answer(rs, &out);
}

/* Until there is room for other answers. */
static void
wait_taken(struct rooms_session *rs, size_t size)
{
	int64_t until_ms = clock_mono_ms() + config_now()->sender_wait_ms +
			   (int64_t)(size / BYTES_A_SECOND) * 1000;

	outbox_flush_touched();
	if (outbox_wait_room(rs->session, until_ms) == Q_TIMEOUT)
		session_end(rs->session, GOODBYE_SLOW, NULL);
}

/* Q_LIMIT: it is larger than max. */
static enum qerr
fetch(struct rooms_session *rs, const struct rooms_packet *p, size_t max)
{
	const struct rooms_fetch *m = &p->u.fetch;
	struct buf content = BUF_INIT(max);
	enum qerr e = Q_OK;
	enum room_answer a =
	    rooms_fetch(rs->session->server->rooms, &m->room, &m->msg, &content, &e);

	if (a == ROOM_FAILED && e == Q_LIMIT && max < ROOMS_FILE_MAX) {
		buf_free(&content);
		return Q_LIMIT;
	}
	if (a == ROOM_OK)
		answer_file(rs, p, &content);
	else
		rooms_refuse(rs, p, a, e, &m->room, &m->msg);
	buf_free(&content);
	return Q_OK;
}

/* The same as one of those who share the memory for large messages. */
static enum qerr
fetch_large(struct rooms_session *rs, const struct rooms_packet *p, size_t max)
{
	struct budget *budget = rs->ws.options.budget;
	enum qerr e;

	outbox_flush_touched();
	if (budget_take(budget, rs->session, MEMORY(max), 0) != Q_OK)
		return Q_OK; /* it has ended */
	if ((e = fetch(rs, p, max)) == Q_OK)
		wait_taken(rs, max);
	budget_give(budget, MEMORY(max));
	return e;
}

void
rooms_fetch_file(struct rooms_session *rs, const struct rooms_packet *p)
{
	const struct room_info *info;
	enum qerr e;

	if (!rooms_enter_room(rs, p, &p->u.fetch.room, &info))
		return;
	room_info_put(info);
	/* Nobody may wait for a share who has one: a FETCH of a MiB is none. */
	if (rs->ws.taken > 0) {
		(void)rooms_answer_status(rs, ROOMS_INVALID_PACKET, NULL, NULL, p->ref);
		return;
	}
	atomic_store(&rs->ws.unread, true);
	e = fetch(rs, p, SMALL);
	for (size_t i = 1; e == Q_LIMIT; i++)
		e = fetch_large(rs, p, sizes[i]);
	atomic_store(&rs->ws.heard_ms, clock_mono_ms());
	atomic_store(&rs->ws.unread, false);
}
