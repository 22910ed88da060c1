/* SPDX-License-Identifier: MIT
 *
 * action.c - CHAT_ACTION.  What is said is stored, and told to the others, before SENT is
 * answered; with SENT the sender knows the message's id.
 */
#include <string.h>

#include "server/metrics.h"
#include "server/rooms/requests.h"

static enum room_kind
kind_of(enum rooms_act act)
{
	switch (act) {
	case ROOMS_EDIT: return ROOM_EDIT;
	case ROOMS_ERASE: return ROOM_DELETE;
	case ROOMS_PIN: return ROOM_PIN;
	default: return ROOM_SEND;
	}
}

static void
post(struct rooms_session *rs, const struct rooms_packet *p)
{
	const struct rooms_chat_action *m = &p->u.action;
	struct rooms_origin origin = {.session = rs->session};
	char ref[ROOMS_REF_MAX + 1] = "";
	struct room_post post = {
	    .kind = kind_of(m->act),
	    .by = rs->user,
	    .msg = m->msg,
	    .format = m->format == ROOMS_FORMAT_SMALLFILE ? ROOM_SMALLFILE : ROOM_TEXT,
	    .content = m->content,
	    .origin = &origin};

	if (m->act == ROOMS_SEND && p->ref.len > 0) {
		memcpy(ref, p->ref.p, p->ref.len);
		post.ref = ref;
	}
	rooms_post(rs->session->server->rooms, &m->room, &post, 1);
	if (post.answer != ROOM_OK && post.answer != ROOM_REPEATED) {
		rooms_refuse(rs, p, post.answer, post.error, &m->room,
			     m->act == ROOMS_SEND ? NULL : &m->msg);
		return;
	}
	if (post.answer == ROOM_OK && m->act == ROOMS_SEND) {
		metric_add(METRIC_messages_total, 1);
		metric_add(METRIC_message_bytes_total, m->content.len);
	}
	(void)rooms_answer_status(rs, ROOMS_SENT, &m->room, &post.msg, p->ref);
}

static void
save_key(struct rooms_session *rs, const struct rooms_packet *p)
{
	struct rooms_origin origin = {.session = rs->session};
	enum rooms_sig sig = rooms_key_add(rs->session->server, rs->user,
					   p->u.action.chat_pubkey, &origin);

	(void)rooms_answer_status(rs, sig, &p->u.action.room, NULL, p->ref);
}

void
rooms_chat_action(struct rooms_session *rs, const struct rooms_packet *p)
{
	const struct rooms_chat_action *m = &p->u.action;
	const struct room_info *info;
	enum rooms_sig wrong = ROOMS_SIG_OTHER;

	if (!rooms_enter_room(rs, p, &m->room, &info))
		return;
	if (m->act == ROOMS_SEND && !room_info_may_send(info, rs->user))
		wrong = ROOMS_NOT_ALLOWED;
	else if (m->act != ROOMS_SAVE_PUBKEY && m->act != ROOMS_PIN)
		wrong = rooms_content_check(m, (size_t)rs->config->rooms_max_file);
	room_info_put(info);
	if (wrong != ROOMS_SIG_OTHER)
		(void)rooms_answer_status(rs, wrong, &m->room, NULL, p->ref);
	else if (!rooms_may(rs, p,
			    m->act == ROOMS_SAVE_PUBKEY ? LIMIT_KEY : LIMIT_MESSAGE, 1))
		return;
	else if (m->act == ROOMS_SAVE_PUBKEY)
		save_key(rs, p);
	else
		post(rs, p);
}

/* A room that is joined while this runs tells the key with its members. */
void
rooms_announce_key(struct server *server, const char *user, struct span pem,
		   const char *dropped, struct rooms_origin *origin)
{
	const struct room_info **list;
	struct uuid after = {{0}};
	bool more = true;
	size_t n;

	while (more &&
	       rooms_of(server->rooms, user, &after, 256, &list, &n, &more) == Q_OK) {
		for (size_t i = 0; i < n; i++) {
			struct room_post post = {.kind = ROOM_PUBKEY,
						 .by = user,
						 .content = pem,
						 .dropped =
						     dropped[0] != '\0' ? dropped : NULL,
						 .origin = origin};

			rooms_post(server->rooms, &list[i]->id, &post, 1);
		}
		more = more && n > 0;
		if (n > 0)
			after = list[n - 1]->id;
		rooms_of_free(list, n);
	}
}
