/* SPDX-License-Identifier: MIT
 *
 * Packets about messages: what is done to them, and what members are told.
 */
#include "protocol/rooms_priv.h"

/* The same five things as a client asks for them and as members hear of them. */
static const char *const asked[ROOMS_ACT_COUNT] = {
    [ROOMS_SEND] = "send",
    [ROOMS_EDIT] = "edit",
    [ROOMS_ERASE] = "delete",
    [ROOMS_PIN] = "pin",
    [ROOMS_SAVE_PUBKEY] = "save-pubkey",
};
static const char *const told[ROOMS_ACT_COUNT] = {
    [ROOMS_SEND] = "recv",  [ROOMS_EDIT] = "edited",        [ROOMS_ERASE] = "deleted",
    [ROOMS_PIN] = "pinned", [ROOMS_SAVE_PUBKEY] = "pubkey",
};

static bool
need_content(struct rooms_reading *r, const json_t *o, struct span *out)
{
	return rooms_need_text(r, o, "content", out) &&
	       (out->len > 0 || rooms_bad(r, "content", "must not be empty"));
}

static bool
need_format(struct rooms_reading *r, const json_t *o, enum rooms_format *out)
{
	struct span text;

	if (!rooms_need_text(r, o, "format", &text))
		return false;
	*out = rooms_format_find(text);
	return true;
}

/* ---- CHAT_ACTION ---- */

/* The key stands in an object, or, as in the original, is the action's data itself. */
static bool
read_save_pubkey(struct rooms_reading *r, struct span *pem)
{
	const json_t *actiondata;

	if (json_get_text(r->data, "actiondata", pem) == JSON_IS_THERE)
		return true;
	return rooms_need_object(r, r->data, "actiondata", &actiondata) &&
	       rooms_need_text(r, actiondata, "chat_pubkey", pem);
}

bool
rooms_parse_chat_action(struct rooms_reading *r)
{
	struct rooms_chat_action *m = &r->p->u.action;
	const json_t *o;
	int act;

	if (!rooms_need_room(r, r->data, &m->room) ||
	    !rooms_need_word(r, r->data, "action", asked, ROOMS_ACT_COUNT, &act))
		return false;
	m->act = (enum rooms_act)act;
	if (m->act == ROOMS_SAVE_PUBKEY)
		return read_save_pubkey(r, &m->chat_pubkey);
	if (!rooms_need_object(r, r->data, "actiondata", &o))
		return false;
	switch (m->act) {
	case ROOMS_SEND:
		return need_format(r, o, &m->format) && need_content(r, o, &m->content);
	case ROOMS_EDIT:
		return rooms_need_id(r, o, "msg", &m->msg) &&
		       need_content(r, o, &m->content);
	case ROOMS_ERASE:
		return rooms_need_id(r, o, "msg", &m->msg) &&
		       rooms_may_text(r, o, "reason", &m->content);
	default: return rooms_need_id(r, o, "msg", &m->msg);
	}
}

void
rooms_put_chat_action(struct rooms_writing *w, const struct rooms_packet *p)
{
	const struct rooms_chat_action *m = &p->u.action;

	rooms_w_id(w, "room", &m->room);
	rooms_w_str(w, "action", asked[m->act]);
	rooms_w_open(w, "actiondata", '{');
	switch (m->act) {
	case ROOMS_SEND:
		rooms_w_str(w, "format", rooms_format_text(m->format));
		rooms_w_text(w, "content", m->content);
		break;
	case ROOMS_EDIT:
		rooms_w_id(w, "msg", &m->msg);
		rooms_w_text(w, "content", m->content);
		break;
	case ROOMS_ERASE:
		rooms_w_id(w, "msg", &m->msg);
		rooms_w_text(w, "reason", m->content);
		break;
	case ROOMS_SAVE_PUBKEY: rooms_w_text(w, "chat_pubkey", m->chat_pubkey); break;
	default: rooms_w_id(w, "msg", &m->msg);
	}
	rooms_w_close(w, '{');
}

/* ---- CHAT_ACTION_S ---- */

static bool
read_event_data(struct rooms_reading *r, const json_t *o, struct rooms_event *m)
{
	switch (m->act) {
	case ROOMS_SEND:
		return need_format(r, o, &m->format) &&
		       rooms_may_text(r, o, "content", &m->content) &&
		       rooms_may_int(r, o, "size", &m->size);
	case ROOMS_EDIT: return rooms_need_text(r, o, "content", &m->content);
	case ROOMS_ERASE: return rooms_may_text(r, o, "reason", &m->content);
	case ROOMS_PIN: return rooms_need_bool(r, o, "pinned", &m->pinned);
	default:
		return rooms_need_text(r, o, "chat_pubkey", &m->chat_pubkey) &&
		       rooms_may_text(r, o, "dropped", &m->dropped);
	}
}

bool
rooms_parse_chat_action_s(struct rooms_reading *r)
{
	struct rooms_event *m = &r->p->u.event;
	const json_t *o;
	int act;

	if (!rooms_need_room(r, r->data, &m->room) ||
	    !rooms_need_int(r, r->data, "seq", &m->seq) ||
	    !rooms_may_id(r, r->data, "msg", &m->msg, NULL) ||
	    !rooms_need_text(r, r->data, "from", &m->from) ||
	    !rooms_need_int(r, r->data, "time", &m->time_ms) ||
	    !rooms_need_word(r, r->data, "action", told, ROOMS_ACT_COUNT, &act) ||
	    !rooms_need_object(r, r->data, "actiondata", &o))
		return false;
	m->act = (enum rooms_act)act;
	return read_event_data(r, o, m);
}

static void
write_event_data(struct rooms_writing *w, const struct rooms_event *m)
{
	switch (m->act) {
	case ROOMS_SEND:
		rooms_w_str(w, "format", rooms_format_text(m->format));
		rooms_w_text(w, "content", m->content);
		if (m->size != 0)
			rooms_w_int(w, "size", m->size);
		break;
	case ROOMS_EDIT:
		rooms_w_id(w, "msg", &m->msg);
		rooms_w_text(w, "content", m->content);
		break;
	case ROOMS_ERASE:
		rooms_w_id(w, "msg", &m->msg);
		rooms_w_text(w, "reason", m->content);
		break;
	case ROOMS_PIN:
		rooms_w_id(w, "msg", &m->msg);
		rooms_w_bool(w, "pinned", m->pinned);
		break;
	default:
		rooms_w_text(w, "chat_pubkey", m->chat_pubkey);
		if (m->dropped.p != NULL)
			rooms_w_text(w, "dropped", m->dropped);
	}
}

void
rooms_put_chat_action_s(struct rooms_writing *w, const struct rooms_packet *p)
{
	const struct rooms_event *m = &p->u.event;

	rooms_w_id(w, "room", &m->room);
	rooms_w_int(w, "seq", m->seq);
	rooms_w_id(w, "msg", uuid_is_nil(&m->msg) ? NULL : &m->msg);
	rooms_w_text(w, "from", m->from);
	rooms_w_int(w, "time", m->time_ms);
	rooms_w_str(w, "action", told[m->act]);
	rooms_w_open(w, "actiondata", '{');
	write_event_data(w, m);
	rooms_w_close(w, '{');
}

/* ---- which message of which room ---- */

static bool
need_message(struct rooms_reading *r, struct uuid *room, struct uuid *msg)
{
	return rooms_need_room(r, r->data, room) && rooms_need_id(r, r->data, "msg", msg);
}

static void
put_message(struct rooms_writing *w, const struct uuid *room, const struct uuid *msg)
{
	rooms_w_id(w, "room", room);
	rooms_w_id(w, "msg", msg);
}

/* ---- FETCH, FILE ---- */

bool
rooms_parse_fetch(struct rooms_reading *r)
{
	return need_message(r, &r->p->u.fetch.room, &r->p->u.fetch.msg);
}

void
rooms_put_fetch(struct rooms_writing *w, const struct rooms_packet *p)
{
	put_message(w, &p->u.fetch.room, &p->u.fetch.msg);
}

bool
rooms_parse_file(struct rooms_reading *r)
{
	return need_message(r, &r->p->u.file.room, &r->p->u.file.msg) &&
	       rooms_need_text(r, r->data, "content", &r->p->u.file.content);
}

void
rooms_put_file(struct rooms_writing *w, const struct rooms_packet *p)
{
	put_message(w, &p->u.file.room, &p->u.file.msg);
	rooms_w_text(w, "content", p->u.file.content);
}

/* ---- SEEN, READ_RECEIPT ---- */

bool
rooms_parse_seen(struct rooms_reading *r)
{
	struct rooms_seen *m = &r->p->u.seen;

	return rooms_need_room(r, r->data, &m->room) &&
	       rooms_need_int(r, r->data, "seq", &m->seq) &&
	       (m->seq >= 0 || rooms_bad(r, "seq", "must not be negative"));
}

void
rooms_put_seen(struct rooms_writing *w, const struct rooms_packet *p)
{
	rooms_w_id(w, "room", &p->u.seen.room);
	rooms_w_int(w, "seq", p->u.seen.seq);
}

bool
rooms_parse_read_receipt(struct rooms_reading *r)
{
	struct rooms_receipt *m = &r->p->u.receipt;

	return need_message(r, &m->room, &m->msg) &&
	       (r->sender == ROOMS_CLIENT ||
		rooms_need_text(r, r->data, "user", &m->user));
}

void
rooms_put_read_receipt(struct rooms_writing *w, const struct rooms_packet *p)
{
	put_message(w, &p->u.receipt.room, &p->u.receipt.msg);
	if (p->u.receipt.user.p != NULL)
		rooms_w_text(w, "user", p->u.receipt.user);
}
