/* SPDX-License-Identifier: MIT
 *
 * What a person can ask for in rooms.  Of what is answered by more than "stored" one is
 * under way at a time; messages, of which there may be many, do not wait.
 */
#include "client/salon.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/text.h"

#define PEOPLE_MAX 1000
#define SYNC_COUNT 20

/* ---- words ---- */

static bool
blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct span
salon_word(struct span *rest)
{
	bool quoted;
	size_t n = 0;
	struct span word;

	while (rest->len > 0 && blank(rest->p[0]))
		*rest = span_of(rest->p + 1, rest->len - 1);
	quoted = rest->len > 0 && rest->p[0] == '"' &&
		 memchr(rest->p + 1, '"', rest->len - 1) != NULL;
	if (quoted)
		*rest = span_of(rest->p + 1, rest->len - 1);
	while (n < rest->len && (quoted ? rest->p[n] != '"' : !blank(rest->p[n])))
		n++;
	word = span_of(rest->p, n);
	n += quoted;
	*rest = span_of(rest->p + n, rest->len - n);
	return word;
}

static struct span
trim(struct span s)
{
	while (s.len > 0 && blank(s.p[0]))
		s = span_of(s.p + 1, s.len - 1);
	while (s.len > 0 && blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

uint64_t
salon_number(struct span *rest)
{
	struct span after = *rest, word = salon_word(&after);
	uint64_t n = 0;

	if (word.len == 0 || word.len > 18)
		return 0;
	for (size_t i = 0; i < word.len; i++) {
		if (word.p[i] < '0' || word.p[i] > '9')
			return 0;
		n = 10 * n + (uint64_t)(word.p[i] - '0');
	}
	if (n > 0)
		*rest = trim(after);
	return n;
}

/* Names, each checked; to be freed. */
static enum qerr
take_people(struct span rest, struct span **out, size_t *count, struct why *why)
{
	struct span *all = calloc(PEOPLE_MAX, sizeof(*all)), word;
	size_t n = 0;

	if (all == NULL)
		return why_set(why, Q_NOMEM, "there is no memory left");
	while ((word = salon_word(&rest)).len > 0) {
		if (n == PEOPLE_MAX || !name_valid(word)) {
			free(all);
			return why_set(why, Q_FORMAT, "\"%.*s\" is no name",
				       (int)(word.len < 64 ? word.len : 64),
				       (const char *)word.p);
		}
		all[n++] = word;
	}
	*out = all;
	*count = n;
	return Q_OK;
}

static enum qerr
need_open(const struct salon *m, struct why *why)
{
	return m->open != NULL
		   ? Q_OK
		   : why_set(why, Q_DENIED, "no room is open: /room NAME first");
}

/* ---- rooms ---- */

static enum qerr
create(struct salon *m, enum client_verb verb, enum rooms_kind kind, struct span name,
       struct span people, struct why *why)
{
	struct rooms_packet p = {.type = ROOMS_T_CREATE_ROOM};
	struct span *names = NULL;
	size_t n = 0;
	enum qerr e;

	if ((e = take_people(people, &names, &n, why)) != Q_OK)
		return e;
	p.u.create = (struct rooms_create){
	    .kind = kind, .name = name, .people = {.p = names, .n = n}};
	e = salon_ask(m, verb, &p, NULL, why);
	free(names);
	return e;
}

static enum qerr
do_create(struct salon *m, enum client_verb verb, struct span arg, struct why *why)
{
	struct span rest = arg, name = salon_word(&rest);

	if (name.len == 0 || trim(rest).len == 0)
		return why_set(why, Q_FORMAT,
			       "a name for the room and somebody to be in it are wanted; "
			       "a name of several words stands in \"quotes\"");
	if (!utf8_valid(name) || rooms_name_check(name) != ROOMS_SIG_OTHER)
		return why_set(why, Q_FORMAT, "that is no name for a room");
	return create(m, verb, verb == CLIENT_DO_CREATE ? ROOMS_GROUP : ROOMS_CHANNEL,
		      name, rest, why);
}

/* A room by its label, or a person: the direct room with them, made if need be. */
static enum qerr
do_chat(struct salon *m, struct span arg, struct why *why)
{
	struct span label = trim(arg);
	struct salon_room *r = salon_room_called(m, label);
	struct client_view *view = m->env->view;
	char name[NAME_SIZE];
	enum qerr e;

	if (r != NULL) {
		salon_open(m, r, NULL);
		return Q_OK;
	}
	if (name_copy(label, name) != Q_OK)
		return why_set(why, Q_MISSING, "you are in no room \"%.*s\": see /rooms",
			       (int)(label.len < 64 ? label.len : 64),
			       (const char *)label.p);
	if (name_cmp(name, m->name) == 0)
		return why_set(why, Q_DENIED, "%s is you", name);
	if ((e = create(m, CLIENT_DO_CHAT, ROOMS_DIRECT, span_of(NULL, 0), label, why)) !=
	    Q_OK)
		return e;
	salon_open(m, NULL, "closed");
	view->phase = CLIENT_PHASE_ASKING;
	strlcpy(view->partner, name, sizeof(view->partner));
	return Q_OK;
}

static enum qerr
alter(struct salon *m, enum client_verb verb, const struct rooms_alteration *what,
      struct why *why)
{
	struct rooms_packet p = {.type = ROOMS_T_ALTER_ROOM, .u.alter = *what};
	enum qerr e = need_open(m, why);

	if (e != Q_OK)
		return e;
	p.u.alter.room = m->open->id;
	return salon_ask(m, verb, &p, m->open, why);
}

static enum qerr
do_people(struct salon *m, enum client_verb verb, enum rooms_alter action,
	  struct span arg, struct why *why)
{
	struct rooms_alteration what = {.action = action};
	struct span *names = NULL;
	size_t n = 0;
	enum qerr e = take_people(arg, &names, &n, why);

	if (e == Q_OK && n == 0)
		e = why_set(why, Q_FORMAT, "whom?");
	if (e == Q_OK) {
		what.people = (struct rooms_names){.p = names, .n = n};
		e = alter(m, verb, &what, why);
	}
	free(names);
	return e;
}

static enum qerr
do_person(struct salon *m, enum client_verb verb, enum rooms_alter action,
	  struct span arg, struct why *why)
{
	struct rooms_alteration what = {.action = action, .user = trim(arg)};

	if (!name_valid(what.user))
		return why_set(why, Q_FORMAT, "one name is wanted");
	return alter(m, verb, &what, why);
}

static enum qerr
do_rename(struct salon *m, struct span arg, struct why *why)
{
	struct rooms_alteration what = {.action = ROOMS_RENAME, .name = trim(arg)};

	if (!utf8_valid(what.name) || rooms_name_check(what.name) != ROOMS_SIG_OTHER)
		return why_set(why, Q_FORMAT, "that is no name for a room");
	return alter(m, CLIENT_DO_RENAME, &what, why);
}

static enum qerr
do_end(struct salon *m, struct why *why)
{
	enum qerr e = need_open(m, why);

	if (e == Q_OK)
		salon_open(m, NULL, "closed");
	return e;
}

/* ---- messages ---- */

/* The message with that number, or (0) the last one of the open room.  own: of ours. */
static enum qerr
find_message(struct salon *m, uint64_t number, bool own, const struct rooms_shown **out,
	     struct why *why)
{
	const struct rooms_shown *s = NULL;
	enum qerr e;

	if (number != 0)
		s = rooms_shown_of(m->memory, number);
	else if ((e = need_open(m, why)) != Q_OK)
		return e;
	else
		s = rooms_shown_last(m->memory, &m->open->id, own, NULL);
	if (s == NULL)
		return why_set(why, Q_MISSING,
			       number != 0 ? "there is no message %" PRIu64 " here"
					   : "there is no such message yet",
			       number);
	if (uuid_is_nil(&s->msg))
		return why_set(why, Q_DENIED, "message %" PRIu64 " is not stored yet",
			       s->number);
	*out = s;
	return Q_OK;
}

static enum qerr
act(struct salon *m, enum client_verb verb, struct rooms_packet *p,
    const struct rooms_shown *s, const struct salon_room *r, struct why *why)
{
	enum qerr e;

	p->type = ROOMS_T_CHAT_ACTION;
	p->u.action.room = s->room;
	p->u.action.msg = s->msg;
	if ((e = salon_ask(m, verb, p, r, why)) == Q_OK)
		m->doing.number = s->number;
	return e;
}

static enum qerr
room_of(struct salon *m, const struct rooms_shown *s, const struct salon_room **out,
	struct why *why)
{
	*out = salon_room_of(m, &s->room);
	return *out != NULL
		   ? Q_OK
		   : why_set(why, Q_DENIED, "you are not in that room any longer");
}

static enum qerr
do_edit(struct salon *m, struct span arg, struct why *why)
{
	struct rooms_packet p = {.u.action.act = ROOMS_EDIT};
	struct buf content = BUF_INIT(0);
	const struct rooms_shown *s;
	const struct salon_room *r;
	struct span text = arg;
	uint64_t number = salon_number(&text);
	enum qerr e;

	text = trim(text);
	if (text.len == 0 || !utf8_valid(text) || memchr(text.p, '\0', text.len) != NULL)
		return why_set(why, Q_FORMAT, "/edit takes perhaps a number, and a text");
	if ((e = find_message(m, number, true, &s, why)) != Q_OK ||
	    (e = room_of(m, s, &r, why)) != Q_OK)
		return e;
	if (!s->own || s->file)
		return why_set(why, Q_DENIED, "message %" PRIu64 " is no text of yours",
			       s->number);
	e = salon_seal(m, r, ROOMS_USE_EDIT, &s->msg, text, ROOMS_TEXT_MAX, &content,
		       why);
	if (e != Q_OK)
		return e;
	p.u.action.content = buf_span(&content);
	e = act(m, CLIENT_DO_EDIT, &p, s, r, why);
	buf_free(&content);
	return e;
}

/* A reason that is too long when it is sealed for many is left out, and that is said. */
static enum qerr
do_delete(struct salon *m, struct span arg, struct why *why)
{
	struct rooms_packet p = {.u.action.act = ROOMS_ERASE};
	struct buf content = BUF_INIT(0);
	const struct rooms_shown *s;
	const struct salon_room *r;
	struct span reason = arg;
	uint64_t number = salon_number(&reason);
	enum qerr e;

	reason = trim(reason);
	if (!utf8_valid(reason))
		return why_set(why, Q_FORMAT, "the reason is not UTF-8 text");
	if ((e = find_message(m, number, true, &s, why)) != Q_OK ||
	    (e = room_of(m, s, &r, why)) != Q_OK)
		return e;
	if (reason.len > 0 && (e = salon_seal(m, r, ROOMS_USE_REASON, &s->msg, reason,
					      ROOMS_REASON_MAX, &content, why)) != Q_OK) {
		if (e != Q_LIMIT)
			return e;
		salon_refuse(m, "the reason is too long for so many people, and left "
				"out");
	}
	if (content.len > 0)
		p.u.action.content = buf_span(&content);
	e = act(m, CLIENT_DO_DELETE, &p, s, r, why);
	buf_free(&content);
	return e;
}

static enum qerr
do_pin(struct salon *m, struct span arg, struct why *why)
{
	struct rooms_packet p = {.u.action.act = ROOMS_PIN};
	const struct rooms_shown *s;
	const struct salon_room *r;
	struct span rest = arg;
	uint64_t number = salon_number(&rest);
	enum qerr e;

	if (trim(rest).len > 0)
		return why_set(why, Q_FORMAT, "/pin takes the number of a message");
	if ((e = find_message(m, number, false, &s, why)) != Q_OK ||
	    (e = room_of(m, s, &r, why)) != Q_OK)
		return e;
	return act(m, CLIENT_DO_PIN, &p, s, r, why);
}

/* What was said before the oldest message that has been shown here. */
static enum qerr
do_sync(struct salon *m, struct span arg, struct why *why)
{
	struct rooms_packet p = {.type = ROOMS_T_SYNC_ROOM_REQ};
	struct span rest = arg;
	uint64_t count = salon_number(&rest);
	enum qerr e = need_open(m, why);

	if (e != Q_OK)
		return e;
	if (trim(rest).len > 0)
		return why_set(why, Q_FORMAT, "/sync takes a number of messages");
	if (count == 0)
		count = SYNC_COUNT;
	if (count > ROOMS_SYNC_COUNT_MAX)
		count = ROOMS_SYNC_COUNT_MAX;
	p.u.sync_req = (struct rooms_sync_req){.room = m->open->id,
					       .count = -(int64_t)count,
					       .has_from = !uuid_is_nil(&m->open->oldest),
					       .from = m->open->oldest};
	return salon_ask(m, CLIENT_DO_SYNC, &p, m->open, why);
}

/* ---- keys ---- */

static enum qerr
do_trust(struct salon *m, struct span arg, struct why *why)
{
	char name[NAME_SIZE];

	if (name_copy(trim(arg), name) != Q_OK)
		return why_set(why, Q_FORMAT, "/trust takes one name");
	return rooms_keys_trust(m->keys, name, why);
}

/* [NAME] [yes|no]; in a direct room the name may be left out. */
static enum qerr
do_verify(struct salon *m, struct span arg, struct why *why)
{
	struct span rest = arg, word = salon_word(&rest), second = salon_word(&rest);
	char name[NAME_SIZE] = "";
	bool answer = span_eq(word, span_str("yes")) || span_eq(word, span_str("no"));

	if (second.len == 0 && (word.len == 0 || answer)) {
		second = word;
		if (m->open != NULL && m->open->kind == ROOMS_DIRECT)
			strlcpy(name, m->open->label, sizeof(name));
	} else {
		(void)name_copy(word, name);
	}
	if (name[0] == '\0' || name[0] == '#' || trim(rest).len > 0 ||
	    (second.len > 0 && !span_eq(second, span_str("yes")) &&
	     !span_eq(second, span_str("no"))))
		return why_set(
		    why, Q_FORMAT,
		    "/verify NAME shows a safety number; /verify NAME yes says "
		    "that the other one has the same, and no takes that back");
	return rooms_keys_verify(m->keys, name, second, why);
}

/* ---- all ---- */

static enum qerr
do_asking(struct salon *m, enum client_verb verb, struct span arg, struct why *why)
{
	static const struct rooms_alteration leave = {.action = ROOMS_LEAVE};
	static const struct rooms_alteration drop = {.action = ROOMS_DELETE};

	switch (verb) {
	case CLIENT_DO_CHAT: return do_chat(m, arg, why);
	case CLIENT_DO_CREATE:
	case CLIENT_DO_CHANNEL: return do_create(m, verb, arg, why);
	case CLIENT_DO_INVITE: return do_people(m, verb, ROOMS_ADD, arg, why);
	case CLIENT_DO_REMOVE: return do_people(m, verb, ROOMS_REMOVE, arg, why);
	case CLIENT_DO_PROMOTE: return do_person(m, verb, ROOMS_PROMOTE, arg, why);
	case CLIENT_DO_DEMOTE: return do_person(m, verb, ROOMS_DEMOTE, arg, why);
	case CLIENT_DO_RENAME: return do_rename(m, arg, why);
	case CLIENT_DO_LEAVE: return alter(m, verb, &leave, why);
	case CLIENT_DO_DROP: return alter(m, verb, &drop, why);
	case CLIENT_DO_EDIT: return do_edit(m, arg, why);
	case CLIENT_DO_DELETE: return do_delete(m, arg, why);
	case CLIENT_DO_PIN: return do_pin(m, arg, why);
	case CLIENT_DO_SYNC: return do_sync(m, arg, why);
	case CLIENT_DO_GET: return salon_get_file(m, arg, why);
	default:
		return why_set(why, Q_DENIED,
			       "rooms has no word for this: /room NAME opens a room");
	}
}

enum qerr
salon_do(struct salon *m, enum client_verb verb, struct span arg, struct why *why)
{
	switch (verb) {
	case CLIENT_DO_SAY: return salon_say(m, arg, why);
	case CLIENT_DO_END: return do_end(m, why);
	case CLIENT_DO_LIST: salon_tell_people(m); return Q_OK;
	case CLIENT_DO_CHATS: salon_tell_rooms(m); return Q_OK;
	case CLIENT_DO_TRUST: return do_trust(m, arg, why);
	case CLIENT_DO_VERIFY: return do_verify(m, arg, why);
	case CLIENT_DO_SEND_FILE: return salon_send_file(m, arg, why);
	case CLIENT_DO_CANCEL: return salon_cancel_file(m, arg, why);
	default: break;
	}
	if (m->doing.on)
		return why_set(why, Q_FULL, "the command before is not answered yet");
	return do_asking(m, verb, arg, why);
}
