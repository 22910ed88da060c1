/* SPDX-License-Identifier: MIT
 *
 * create.c - CREATE_ROOM.  Its answer, ROOM_INFO, is the room's first event to the
 * creator; so it is put into the outbox where events are (deliver.c), and comes before
 * what others say there.
 */
#include <string.h>

#include "server/rooms/requests.h"

/* The direct room that the two have already. */
static void
answer_there(struct rooms_session *rs, const struct rooms_packet *p,
	     const struct room_info *info, uint64_t seq,
	     const struct rooms_people *people)
{
	struct buf json = BUF_INIT(SIZE_MAX / 2);
	enum qerr e = rooms_render_info(rs->session->server, info, seq, people->dne,
					people->n_dne, p->ref, &json);

	if (e == Q_OK)
		(void)rooms_send_wait(rs, buf_span(&json));
	else
		rooms_refuse(rs, p, ROOM_FAILED, e, &info->id, NULL);
	buf_free(&json);
}

static void
create(struct rooms_session *rs, const struct rooms_packet *p, size_t max_members,
       const struct rooms_people *people)
{
	struct rooms_origin origin = {
	    .session = rs->session, .ref = p->ref, .answers = true};
	char name[ROOM_NAME_MAX + 1] = "";
	const struct room_ask ask = {.action = ROOM_CREATE,
				     .type = (enum room_type)p->u.create.kind,
				     .by = rs->user,
				     .name = name,
				     .people = people->names,
				     .n_people = people->n_found,
				     .dne = people->dne,
				     .n_dne = people->n_dne,
				     .max_members = max_members,
				     .origin = &origin};
	const struct room_info *info = NULL;
	enum room_answer a;
	uint64_t seq;
	enum qerr e;

	if (p->u.create.name.len > 0)
		memcpy(name, p->u.create.name.p, p->u.create.name.len);
	a = rooms_create(rs->session->server->rooms, &ask, &info, &seq, &e);
	if (a == ROOM_OK)
		rooms_await_answer(rs, &origin);
	else if (a == ROOM_REPEATED)
		answer_there(rs, p, info, seq, people);
	else
		rooms_refuse(rs, p, a, e, NULL, NULL);
	room_info_put(info);
}

void
rooms_create_room(struct rooms_session *rs, const struct rooms_packet *p)
{
	enum rooms_sig wrong = rooms_create_check(&p->u.create);
	size_t max = (size_t)rs->config->rooms_max_members;
	struct rooms_people people;
	enum qerr e;

	if (wrong != ROOMS_SIG_OTHER) {
		(void)rooms_answer_status(rs, wrong, NULL, NULL, p->ref);
		return;
	}
	if (!rooms_may(rs, p, LIMIT_JOIN, p->u.create.people.n))
		return;
	e = rooms_find_people(rs->session->server, &p->u.create.people, max, NULL,
			      &people);
	if (e != Q_OK) {
		rooms_refuse(rs, p, e == Q_LIMIT ? ROOM_TOO_MANY : ROOM_FAILED, e, NULL,
			     NULL);
		return;
	}
	create(rs, p, max, &people);
	rooms_people_free(&people);
}
