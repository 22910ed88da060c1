/* SPDX-License-Identifier: MIT
 *
 * requests.c - packets of a connection that is logged in.
 */
#include "server/rooms/requests.h"

#include "server/moderation.h"

enum rooms_sig
rooms_sig_of(enum room_answer a)
{
	switch (a) {
	case ROOM_OK:
	case ROOM_REPEATED: return ROOMS_SENT;
	case ROOM_UNKNOWN: return ROOMS_ROOM_DNE;
	case ROOM_NOT_IN: return ROOMS_NOT_IN_ROOM;
	case ROOM_NOT_ALLOWED: return ROOMS_NOT_ALLOWED;
	case ROOM_NO_MESSAGE: return ROOMS_MSG_DNE;
	case ROOM_NOT_YOURS: return ROOMS_MSG_NOT_YOURS;
	case ROOM_NOT_TEXT: return ROOMS_UNSUPPORTED_MSG_FORMAT;
	case ROOM_TOO_MANY: return ROOMS_MKROOM_TOO_MANY;
	case ROOM_NOTHING: return ROOMS_MKROOM_INSUFFICIENT_PARTICIPANTS;
	case ROOM_FAILED: break;
	}
	return ROOMS_SERVER_ERROR;
}

void
rooms_refuse(struct rooms_session *rs, const struct rooms_packet *p, enum room_answer a,
	     enum qerr e, const struct uuid *room, const struct uuid *msg)
{
	if (a == ROOM_FAILED)
		(void)rooms_answer_failed(rs, rooms_type_text(p->type), e, room, p->ref);
	else
		(void)rooms_answer_status(rs, rooms_sig_of(a), room, msg, p->ref);
}

bool
rooms_enter_room(struct rooms_session *rs, const struct rooms_packet *p,
		 const struct uuid *id, const struct room_info **info)
{
	enum room_answer a = rooms_get(rs->session->server->rooms, id, rs->user, info);

	if (a != ROOM_OK)
		rooms_refuse(rs, p, a, Q_OK, id, NULL);
	return a == ROOM_OK;
}

bool
rooms_may(struct rooms_session *rs, const struct rooms_packet *p, enum limit what,
	  size_t many)
{
	char text[MODERATION_TEXT_SIZE];
	int seconds;

	if (limits_take(rs->session, what, many > 0 ? (int64_t)many : 1, &seconds))
		return true;
	if (seconds == LIMITS_MUTED) {
		moderation_text(rs->session->server->moderation, rs->user,
				RESTRICTION_MUTE, text);
		(void)rooms_answer_barred(rs, ROOMS_MUTED, text, p->ref);
		return false;
	}
	(void)rooms_answer_later(rs, limits_setting(what), seconds, p->ref);
	return false;
}

void
rooms_request(struct rooms_session *rs, const struct rooms_packet *p)
{
	switch (p->type) {
	case ROOMS_T_CREATE_ROOM: rooms_create_room(rs, p); break;
	case ROOMS_T_ALTER_ROOM: rooms_alter_room(rs, p); break;
	case ROOMS_T_CHAT_ACTION: rooms_chat_action(rs, p); break;
	case ROOMS_T_SYNC_ROOM_REQ: rooms_sync(rs, p); break;
	case ROOMS_T_FETCH: rooms_fetch_file(rs, p); break;
	case ROOMS_T_SEEN: rooms_seen_to(rs, p); break;
	case ROOMS_T_LIST_ROOMS: rooms_list_rooms(rs, p); break;
	case ROOMS_T_READ_RECEIPT: rooms_read_receipt(rs, p); break;
	default: (void)rooms_answer_status(rs, ROOMS_INVALID_PACKET, NULL, NULL, p->ref);
	}
}
