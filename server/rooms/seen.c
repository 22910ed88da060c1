/* SPDX-License-Identifier: MIT
 *
 * seen.c - SEEN and READ_RECEIPT, which have no answer when all is well.
 */
#include "server/rooms/requests.h"

void
rooms_seen_to(struct rooms_session *rs, const struct rooms_packet *p)
{
	const struct rooms_seen *m = &p->u.seen;
	enum room_answer a;

	rooms_by_hand(rs);
	a = rooms_seen(rs->session->server->rooms, &m->room, rs->user, (uint64_t)m->seq);
	if (a != ROOM_OK && a != ROOM_REPEATED)
		rooms_refuse(rs, p, a, Q_SYS, &m->room, NULL);
}

struct passing {
	const struct session *but;
	struct span plain;
};

static void
pass(void *arg, struct session *s)
{
	const struct passing *m = arg;

	if (s != m->but)
		rooms_deliver_passing(s, m->plain);
}

static void
pass_on(struct rooms_session *rs, const struct rooms_receipt *m,
	const struct room_info *info)
{
	struct rooms_packet out = {.type = ROOMS_T_READ_RECEIPT, .u.receipt = *m};
	struct buf json = BUF_INIT(SIZE_MAX / 2);
	struct passing passing = {.but = rs->session};

	out.u.receipt.user = span_str(rs->user);
	if (rooms_put(&json, &out) == Q_OK) {
		passing.plain = buf_span(&json);
		for (size_t i = 0; i < info->n_members; i++)
			rooms_each_session(rs->session->server, info->members[i], pass,
					   &passing);
	}
	buf_free(&json);
}

/* In channels and large rooms nobody is told who has read what, and nobody can ask. */
void
rooms_read_receipt(struct rooms_session *rs, const struct rooms_packet *p)
{
	const struct rooms_receipt *m = &p->u.receipt;
	const struct room_info *info;
	enum room_answer a = ROOM_REPEATED;

	if (!rooms_enter_room(rs, p, &m->room, &info))
		return;
	if (info->type != ROOM_CHANNEL && info->n_members <= ROOMS_RECEIPT_MEMBERS)
		a = rooms_receipt(rs->session->server->rooms, &m->room, rs->user,
				  &m->msg);
	if (a == ROOM_OK)
		pass_on(rs, m, info);
	else if (a != ROOM_REPEATED)
		rooms_refuse(rs, p, a, Q_SYS, &m->room, &m->msg);
	room_info_put(info);
}
