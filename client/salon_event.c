/* SPDX-License-Identifier: MIT
 *
 * What comes from rooms.  Events have a number of their own in each room; one that has
 * been had is dropped, which is what makes coming back safe.
 *
 *	event -> had already? -> JOIN_ROOM, ROOM_ALTERED, pubkey: at once
 *	                      -> messages: shown, if their room is open; else kept
 *
 * Messages are kept as packets, still sealed: whose keys are trusted may have changed
 * until they are looked at.  When there is no more room the rest is counted and not kept,
 * and nothing behind the gap is confirmed: the server sends it at the next login.
 */
#include "client/salon.h"

#include <bsd/string.h>

/* ---- kept until their room is opened ---- */

static enum qerr
put_packet(struct buf *out, struct span plain)
{
	enum qerr e = buf_reserve(out, plain.len + 4);

	if (e == Q_OK) {
		(void)buf_put_u32(out, (uint32_t)plain.len);
		(void)buf_put_span(out, plain);
	}
	return e;
}

static void
keep(struct salon *m, struct salon_room *r, const struct rooms_event *d,
     struct span plain)
{
	char from[NAME_SIZE];

	r->full = r->full || put_packet(&r->kept, plain) != Q_OK;
	if (d->act == ROOMS_SEND && name_copy(d->from, from) == Q_OK &&
	    name_cmp(from, m->name) != 0)
		r->unread++;
}

/* Parsed once, as it came: it parses again. */
static void
show_packet(struct salon *m, struct salon_room *r, struct span plain)
{
	struct rooms_packet p;
	struct rooms_fault fault;

	if (rooms_parse(plain, plain.len, ROOMS_SERVER, &p, &fault) != Q_OK) {
		salon_finish(m, CLIENT_LOST, "there is no memory left");
		return;
	}
	salon_show_event(m, r, &p.u.event);
	r->shown = p.u.event.seq;
	rooms_packet_free(&p);
}

void
salon_show_kept(struct salon *m, struct salon_room *r)
{
	struct reader reader = reader_of(buf_span(&r->kept));
	struct span plain;
	uint32_t len;

	m->env->view->unread -= r->told;
	r->told = 0;
	while (!m->over && reader_u32(&reader, &len) == Q_OK &&
	       reader_take(&reader, len, &plain) == Q_OK)
		show_packet(m, r, plain);
	buf_wipe(&r->kept);
	r->unread = 0;
	if (r->full)
		salon_refuse(m,
			     "more has come than can be kept here: the rest comes again "
			     "at your next login");
	else
		r->shown = r->had;
}

/* ---- events ---- */

static void
on_chat_action(struct salon *m, const struct rooms_event *d, struct span plain)
{
	struct salon_room *r = salon_room_of(m, &d->room);
	char from[NAME_SIZE];

	if (d->act == ROOMS_SAVE_PUBKEY && name_copy(d->from, from) == Q_OK &&
	    rooms_keys_added(m->keys, from, d->chat_pubkey, d->dropped) == Q_NOMEM)
		salon_finish(m, CLIENT_LOST, "there is no memory left");
	if (r == NULL || d->seq <= r->had || m->over)
		return;
	r->had = d->seq;
	if (d->act == ROOMS_SAVE_PUBKEY) {
		if (r->kept.len == 0 && !r->full)
			r->shown = d->seq;
	} else if (m->open == r && !r->full) {
		salon_show_event(m, r, d);
		r->shown = d->seq;
	} else {
		keep(m, r, d, plain);
	}
}

void
salon_on_event(struct salon *m, const struct rooms_packet *p, struct span plain)
{
	if (!m->listed) {
		if (put_packet(&m->early, plain) != Q_OK)
			salon_finish(m, CLIENT_LOST,
				     "more has waited than can be kept here");
		return;
	}
	switch (p->type) {
	case ROOMS_T_JOIN_ROOM: salon_on_join(m, &p->u.info); break;
	case ROOMS_T_ROOM_ALTERED: salon_on_altered(m, p); break;
	default: on_chat_action(m, &p->u.event, plain);
	}
}

void
salon_settle_early(struct salon *m)
{
	struct reader reader = reader_of(buf_span(&m->early));
	struct rooms_packet p;
	struct rooms_fault fault;
	struct span plain;
	uint32_t len;

	while (!m->over && reader_u32(&reader, &len) == Q_OK &&
	       reader_take(&reader, len, &plain) == Q_OK) {
		if (rooms_parse(plain, plain.len, ROOMS_SERVER, &p, &fault) != Q_OK) {
			salon_finish(m, CLIENT_LOST, "there is no memory left");
			break;
		}
		salon_on_event(m, &p, plain);
		rooms_packet_free(&p);
	}
	buf_free(&m->early);
}

/* ---- SYNC_ROOM_DATA ---- */

/* Who has read how far, of those that were shown. */
static void
take_readers(struct salon *m, const struct rooms_sync_data *d)
{
	for (size_t i = 0; i < d->read_count; i++) {
		struct rooms_receipt receipt = {
		    .room = d->room, .msg = d->read[i].msg, .user = d->read[i].user};

		salon_on_receipt(m, &receipt);
	}
}

void
salon_on_sync(struct salon *m, const struct rooms_packet *p)
{
	const struct rooms_sync_data *d = &p->u.sync_data;
	struct salon_room *r = salon_room_of(m, &d->room);
	struct client_event end = {.kind = CLIENT_REPLAY_END, .count = d->message_count};

	if (!salon_is_doing(m, p->ref) || r == NULL)
		return;
	m->doing.on = false;
	for (size_t i = 0; i < d->message_count && !m->over; i++)
		salon_show_logged(m, r, &d->messages[i]);
	end.name = r->label;
	end.text = span_str(d->more ? "there is more" : "");
	salon_tell(m, &end);
	take_readers(m, d);
}

/* ---- who has read what ---- */

/* NULL: there are too many. */
static struct salon_reader *
reader_of_room(struct salon_room *r, const char *name)
{
	for (size_t i = 0; i < SALON_READERS; i++) {
		struct salon_reader *who = &r->readers[i];

		if (who->name[0] == '\0')
			strlcpy(who->name, name, sizeof(who->name));
		if (name_cmp(who->name, name) == 0)
			return who;
	}
	return NULL;
}

static void
tell_read(struct salon *m, struct salon_room *r, struct salon_reader *who)
{
	struct client_event e = {.kind = CLIENT_READ, .name = who->name};
	const struct rooms_shown *s =
	    rooms_shown_last(m->memory, &r->id, true, &who->msg);

	if (s == NULL || s->number == who->number)
		return;
	who->number = s->number;
	e.id = s->number;
	salon_tell(m, &e);
}

void
salon_on_receipt(struct salon *m, const struct rooms_receipt *d)
{
	struct salon_room *r = salon_room_of(m, &d->room);
	struct salon_reader *who;
	char name[NAME_SIZE];

	if (r == NULL || m->open != r || name_copy(d->user, name) != Q_OK ||
	    name_cmp(name, m->name) == 0 || (who = reader_of_room(r, name)) == NULL)
		return;
	who->msg = d->msg;
	tell_read(m, r, who);
}

/* Somebody may be quicker to read than the server to say SENT. */
void
salon_settle_receipts(struct salon *m, const struct uuid *room)
{
	struct salon_room *r = salon_room_of(m, room);

	if (r == NULL || m->open != r)
		return;
	for (size_t i = 0; i < SALON_READERS && r->readers[i].name[0] != '\0'; i++)
		if (!uuid_is_nil(&r->readers[i].msg))
			tell_read(m, r, &r->readers[i]);
}

static bool
takes_receipts(const struct salon_room *r)
{
	return r->kind != ROOMS_CHANNEL && r->member_count <= ROOMS_RECEIPT_MEMBERS;
}

/* ---- after each turn ---- */

static void
mark(struct salon *m, struct salon_room *r)
{
	struct client_event e = {
	    .kind = CLIENT_UNREAD, .name = r->label, .count = r->unread};

	m->env->view->unread += r->unread - r->told;
	r->told = r->unread;
	salon_tell(m, &e);
}

static void
confirm(struct salon *m, struct salon_room *r)
{
	struct rooms_packet p = {.type = ROOMS_T_SEEN, .ref = span_str("seen")};

	p.u.seen = (struct rooms_seen){.room = r->id, .seq = r->shown};
	if (salon_put(m, &p) != Q_OK)
		return;
	r->seen = r->shown;
	rooms_state_set_seq(m->state, &r->id, r->shown);
}

static void
send_receipt(struct salon *m, struct salon_room *r)
{
	struct rooms_packet p = {.type = ROOMS_T_READ_RECEIPT, .ref = span_str("seen")};

	p.u.receipt = (struct rooms_receipt){.room = r->id, .msg = r->newest};
	if (salon_put(m, &p) == Q_OK)
		r->receipt = r->newest;
}

void
salon_settle_seen(struct salon *m)
{
	for (size_t i = 0; i < m->room_count && !m->over; i++) {
		struct salon_room *r = m->rooms[i];

		if (r->shown > r->seen)
			confirm(m, r);
		if (r->unread > r->told)
			mark(m, r);
		if (takes_receipts(r) && uuid_cmp(&r->newest, &r->receipt) > 0)
			send_receipt(m, r);
	}
}
