/* SPDX-License-Identifier: MIT
 *
 * admin_export.c - the command "export": a chat as a transcript.
 *
 * Three kinds of chats have three kinds of names: shared chats a number, pairs of relay
 * "NAME+NAME", rooms a UUID.  Of the last two the server has only what was sealed for
 * others; who said how much when is all there is to tell.
 *
 * An answer is a part: as soon as it is large enough, what to ask for next is left in
 * why, so a year's transcript needs no more memory than a page.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/text.h"
#include "base/uuid.h"
#include "server/admin_call.h"
#include "server/shared.h"
#include "store/decimal.h"
#include "store/rooms.h"

#define PART_BYTES (1024 * 1024) /* an answer ends behind the message that reaches it */
#define NOTE_SIZE  512

/* One message, or whatever else has happened. */
struct line {
	uint64_t id;
	int64_t time_ms;
	const char *from;
	const char *kind;
	const char *note; /* in brackets before the text; NULL: none */
	struct span text; /* p NULL: none */
	json_t *fields;   /* what else JSON has; may be NULL; consumed */
};

struct part {
	struct admin_call *call;
	bool json;
	uint64_t after; /* what was put last */
	bool more;
	enum qerr e;
};

/* ---- a line ---- */

static enum qerr
put_visible(struct buf *out, struct span s)
{
	size_t size = s.len * 4 + 64; /* \xNN for a byte is the most */
	char *shown = malloc(size);
	enum qerr e;

	if (shown == NULL)
		return Q_NOMEM;
	e = buf_put(out, shown, text_visible(s, shown, size));
	free(shown);
	return e;
}

static enum qerr
put_text(struct buf *out, const struct line *l)
{
	char when[ADMIN_TIME_SIZE];
	enum qerr e;

	admin_time(l->time_ms, when);
	e = buf_printf(out, "%s  %s  ", when, l->from);
	if (e == Q_OK && l->note != NULL)
		e = buf_printf(out, "[%s]%s", l->note, l->text.len > 0 ? " " : "");
	if (e == Q_OK && l->text.p != NULL)
		e = put_visible(out, l->text);
	return e;
}

/* RFC 3339, local time. */
static void
json_time(int64_t wall_ms, char out[64])
{
	time_t t = (time_t)(wall_ms / 1000);
	char date[32], zone[8];
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(out, 64, "%s.%03d%.3s:%.2s", date, (int)(wall_ms % 1000), zone,
		 zone + 3);
}

/* A NULL among the values makes the object fail, and so says that memory is short. */
static json_t *
line_object(const struct line *l)
{
	json_t *o = json_object();
	char when[64];
	int bad = 0;

	json_time(l->time_ms, when);
	bad |= json_object_set_new(o, "id", json_integer((json_int_t)l->id));
	bad |= json_object_set_new(o, "time", json_string(when));
	bad |= json_object_set_new(o, "from", json_string(l->from));
	bad |= json_object_set_new(o, "kind", json_string(l->kind));
	if (l->text.p != NULL)
		bad |= json_object_set_new(
		    o, "text", json_stringn((const char *)l->text.p, l->text.len));
	if (l->fields != NULL)
		bad |= json_object_update(o, l->fields);
	if (bad == 0)
		return o;
	json_decref(o);
	return NULL;
}

static int
put_piece(const char *p, size_t n, void *arg)
{
	return buf_put(arg, p, n) == Q_OK ? 0 : -1;
}

static enum qerr
put_json(struct buf *out, const struct line *l)
{
	json_t *o = line_object(l);
	int bad = o == NULL ? -1
			    : json_dump_callback(o, put_piece, out,
						 JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(o);
	return bad != 0 ? Q_NOMEM : Q_OK;
}

/* True: another one, please. */
static bool
put_line(struct part *p, const struct line *l)
{
	struct buf *out = p->call->out;
	size_t before = out->len;
	enum qerr e = p->json ? put_json(out, l) : put_text(out, l);

	json_decref(l->fields);
	if (e == Q_OK)
		e = buf_put_u8(out, '\n');
	if (e != Q_OK) {
		out->len = before;
		p->e = why_set(p->call->why, e, "message %" PRIu64 ": %s", l->id,
			       qerr_str(e));
		return false;
	}
	p->after = l->id;
	p->more = out->len >= PART_BYTES;
	return !p->more;
}

/* Of what the server cannot read. */
static bool
put_sealed(struct part *p, struct line *l, const char *what, uint64_t size,
	   json_t *fields)
{
	char note[NOTE_SIZE];

	snprintf(note, sizeof(note), "%s, sealed, %" PRIu64 " bytes", what, size);
	l->note = note;
	l->fields = fields;
	if (fields != NULL) {
		json_object_set_new(fields, "sealed", json_true());
		json_object_set_new(fields, "size", json_integer((json_int_t)size));
	}
	return put_line(p, l);
}

/* ---- shared chats ---- */

static bool
put_media(struct part *p, struct line *l, uint64_t id)
{
	char note[NOTE_SIZE], name[NOTE_SIZE / 2];
	struct media_info m;

	if (media_info(p->call->server->store, id, &m) != Q_OK)
		memset(&m, 0, sizeof(m));
	text_visible(span_str(m.name), name, sizeof(name));
	snprintf(note, sizeof(note), "file %" PRIu64 "%s%s, %" PRIu64 " bytes", id,
		 *name != '\0' ? " " : "", name, m.size);
	l->kind = "file";
	l->note = note;
	l->fields = json_pack("{s:I,s:s,s:s,s:I}", "file", (json_int_t)id, "name", m.name,
			      "type", m.type, "size", (json_int_t)m.size);
	return put_line(p, l);
}

static bool
shared_line(void *arg, const struct record *r)
{
	struct part *p = arg;
	struct shared_message m;
	struct line l = {
	    .id = r->id, .time_ms = r->time_ms, .from = r->from, .kind = "text"};

	if (shared_message_parse(r, &m) != Q_OK) /* "server check" speaks of it */
		return true;
	l.text = m.text.p == NULL ? span_str("") : m.text;
	return m.media_id == 0 ? put_line(p, &l) : put_media(p, &l, m.media_id);
}

/* With a server running its chats are the truth; else they are read. */
static enum qerr
take_chats(struct admin_call *c, struct chats **own, struct chats **chats)
{
	enum qerr e = Q_OK;

	if ((*chats = c->server->chats) == NULL &&
	    (e = chats_open(c->server->store, own)) == Q_OK)
		*chats = *own;
	return e;
}

static enum qerr
export_shared(struct part *p, uint64_t id)
{
	struct chats *own = NULL, *chats;
	struct msglog *log = NULL;
	enum qerr e;

	if ((e = take_chats(p->call, &own, &chats)) == Q_OK &&
	    (e = chats_open_log(chats, id, &log)) == Q_OK)
		e = msglog_read(log, p->after, SIZE_MAX, shared_line, p, NULL);
	msglog_close(log);
	chats_close(own);
	return e;
}

/* ---- pairs ---- */

static bool
pair_line(void *arg, const struct record *r)
{
	struct line l = {
	    .id = r->id, .time_ms = r->time_ms, .from = r->from, .kind = "message"};

	return put_sealed(arg, &l, "message", r->data.len,
			  json_pack("{s:s}", "to", r->to));
}

static enum qerr
export_pair(struct part *p, const char *first, const char *second)
{
	char name[MSGLOG_CHAT_MAX + 1];
	struct msglog *log;
	uint64_t last;
	enum qerr e;

	msglog_pair_name(first, second, name);
	if ((e = msglog_open(p->call->server->store, name, &log)) != Q_OK)
		return e;
	if ((e = msglog_last_id(log, &last)) == Q_OK)
		e = last == 0 ? Q_MISSING
			      : msglog_read(log, p->after, SIZE_MAX, pair_line, p, NULL);
	msglog_close(log);
	return e;
}

/* ---- rooms ---- */

static json_t *
names_array(const char (*names)[NAME_SIZE], size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(names[i]));
	return list;
}

static bool
put_change(struct part *p, struct line *l, const struct room_change *ch)
{
	static const char *const words[] = {[ROOM_CREATE] = "made the room",
					    [ROOM_RENAME] = "renamed the room",
					    [ROOM_ADD] = "added",
					    [ROOM_REMOVE] = "removed",
					    [ROOM_PROMOTE] = "promoted",
					    [ROOM_DEMOTE] = "demoted",
					    [ROOM_LEAVE] = "left",
					    [ROOM_DROP] = "dropped the room"};
	struct buf note = BUF_INIT(1024 * 1024);
	char name[4 * ROOM_NAME_MAX + 64];
	enum qerr e = buf_put_str(&note, words[ch->action]);
	bool more;

	text_visible(span_str(ch->name), name, sizeof(name));
	if (e == Q_OK && *name != '\0')
		e = buf_printf(&note, " \"%s\"", name);
	for (size_t i = 0; e == Q_OK && i < ch->n_people; i++)
		e = buf_printf(&note, "%s %s", i > 0 ? "," : "", ch->people[i]);
	if (e == Q_OK)
		e = buf_put_u8(&note, '\0');
	l->kind = "change";
	l->note = e == Q_OK ? (const char *)note.p : words[ch->action];
	l->fields = json_pack("{s:s,s:s,s:o}", "change", words[ch->action], "name",
			      ch->name, "people", names_array(ch->people, ch->n_people));
	more = put_line(p, l);
	buf_free(&note);
	return more;
}

static json_t *
message_field(const struct uuid *msg)
{
	char text[UUID_SIZE];

	uuid_text(msg, text);
	return json_pack("{s:s}", "message", text);
}

static bool
room_line(void *arg, const struct room_event *ev)
{
	struct part *p = arg;
	struct line l = {.id = ev->seq, .time_ms = ev->time_ms, .from = ev->from};

	switch (ev->kind) {
	case ROOM_CHANGED: return put_change(p, &l, ev->change);
	case ROOM_SEND:
		l.kind = ev->format == ROOM_TEXT ? "message" : "file";
		return put_sealed(p, &l, l.kind, ev->size, message_field(&ev->msg));
	case ROOM_EDIT:
		l.kind = "edit";
		return put_sealed(p, &l, "edited a message", ev->content.len,
				  message_field(&ev->msg));
	case ROOM_DELETE:
		l.kind = "delete";
		return put_sealed(p, &l, "deleted a message; the reason", ev->content.len,
				  message_field(&ev->msg));
	case ROOM_PIN:
		l.kind = ev->pinned ? "pin" : "unpin";
		l.note = ev->pinned ? "pinned a message" : "unpinned a message";
		l.fields = message_field(&ev->msg);
		return put_line(p, &l);
	case ROOM_PUBKEY:
		l.kind = "key";
		l.note = "has a new key";
		return put_line(p, &l);
	}
	return true;
}

static enum qerr
take_rooms(struct admin_call *c, struct rooms **own, struct rooms **rooms)
{
	enum qerr e = Q_OK;

	if ((*rooms = c->server->rooms) == NULL &&
	    (e = rooms_open(c->server->store, NULL, NULL, own)) == Q_OK)
		*rooms = *own;
	return e;
}

static enum qerr
export_room(struct part *p, const struct uuid *id)
{
	struct rooms *own = NULL, *rooms;
	enum qerr e;

	if ((e = take_rooms(p->call, &own, &rooms)) == Q_OK)
		e = rooms_events(rooms, id, NULL, p->after, SIZE_MAX, room_line, p, NULL);
	rooms_close(own);
	return e;
}

/* ---- which there are ---- */

struct listing {
	struct admin_call *call;
	struct chats *chats;
	struct rooms *rooms;
};

static void
list_room(struct listing *l, const struct uuid *id)
{
	static const char *const types[] = {"direct", "group", "channel"};
	const struct room_info *info;
	char text[UUID_SIZE], name[4 * ROOM_NAME_MAX + 64];

	if (rooms_get(l->rooms, id, NULL, &info) != ROOM_OK)
		return;
	uuid_text(id, text);
	text_visible(span_str(info->name), name, sizeof(name));
	admin_say(l->call, "%-36s  room  %s \"%s\" of %s, %zu members\n", text,
		  types[info->type], name, info->owner, info->n_members);
	room_info_put(info);
}

static bool
list_one(void *arg, const char *log)
{
	struct listing *l = arg;
	struct chat_info chat;
	struct uuid room;
	uint64_t id;

	if (strncmp(log, "chat-", 5) == 0 &&
	    decimal_read(span_str(log + 5), INT64_MAX, &id) == Q_OK) {
		if (chats_get(l->chats, id, &chat) == Q_OK)
			admin_say(l->call, "%-36" PRIu64 "  chat  %s and %s\n", id,
				  chat.maker, chat.other);
	} else if (strncmp(log, "room-", 5) == 0 &&
		   uuid_parse(span_str(log + 5), &room) == Q_OK) {
		list_room(l, &room);
	} else if (strchr(log, '+') != NULL) {
		admin_say(l->call, "%-36s  pair  sealed, of relay\n", log);
	}
	return !l->call->cut;
}

static enum qerr
list_chats(struct admin_call *c)
{
	struct chats *own_chats = NULL;
	struct rooms *own_rooms = NULL;
	struct listing l = {.call = c};
	enum qerr e;

	if ((e = take_chats(c, &own_chats, &l.chats)) == Q_OK &&
	    (e = take_rooms(c, &own_rooms, &l.rooms)) == Q_OK)
		e = msglog_each(c->server->store, list_one, &l);
	rooms_close(own_rooms);
	chats_close(own_chats);
	return e == Q_OK ? e
			 : why_set(c->why, e, "cannot read the chats: %s", qerr_str(e));
}

/* ---- the command ---- */

/* Q_FORMAT: it is no chat's name. */
static enum qerr
export_chat(struct part *p, const char *chat)
{
	char first[NAME_SIZE], second[NAME_SIZE];
	const char *plus = strchr(chat, '+');
	struct uuid room;
	uint64_t id;

	if (decimal_read(span_str(chat), INT64_MAX, &id) == Q_OK)
		return export_shared(p, id);
	if (uuid_parse(span_str(chat), &room) == Q_OK)
		return export_room(p, &room);
	if (plus == NULL ||
	    name_copy(span_of(chat, (size_t)(plus - chat)), first) != Q_OK ||
	    name_copy(span_str(plus + 1), second) != Q_OK)
		return Q_FORMAT;
	return export_pair(p, first, second);
}

enum qerr
admin_export(struct admin_call *c)
{
	struct part p = {.call = c};
	const char *after = admin_option(c->argc, c->argv, "--after"), *chat;
	enum qerr e;

	if (c->argc == 0)
		return list_chats(c);
	chat = c->argv[0];
	p.json = admin_option(c->argc, c->argv, "--json") != NULL;
	if (after != NULL && decimal_read(span_str(after), INT64_MAX, &p.after) != Q_OK)
		return why_set(c->why, Q_FORMAT, "--after wants a message's number");
	e = export_chat(&p, chat);
	if (p.e != Q_OK)
		return p.e;
	if (e == Q_FORMAT)
		return why_set(c->why, e,
			       "\"%.100s\" is no chat: give a number, NAME+NAME or a "
			       "room's UUID (server export lists them)",
			       chat);
	if (e == Q_MISSING || e == Q_CLOSED)
		return why_set(c->why, Q_MISSING, "there is no chat %.100s", chat);
	if (e != Q_OK)
		return why_set(c->why, e, "chat %.100s: %s", chat, qerr_str(e));
	if (p.more)
		why_set(c->why, Q_OK, "%" PRIu64, p.after);
	return Q_OK;
}
