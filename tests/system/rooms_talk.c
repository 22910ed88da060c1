/* SPDX-License-Identifier: MIT */
#define ROOMS_TALK_INSIDE
#define ROOMS_PEER_INSIDE
#include "tests/system/rooms_talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
rt_names(const char *people)
{
	static char out[256 * 1024];
	size_t n = 0;

	out[n++] = '[';
	for (const char *p = people; *p != '\0';) {
		size_t len = strcspn(p, " ");

		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s'%.*s'",
				      n > 1 ? ", " : "", (int)len, p);
		p += len;
		p += *p == ' ';
	}
	snprintf(out + n, sizeof(out) - n, "]");
	return out;
}

static struct rt_id
id_of(const json_t *data, const char *key)
{
	struct rt_id id;
	const char *text = rp_text(data, key);

	if (strlen(text) != 36)
		harness_fail("%s is no UUID: %s", key, text);
	memcpy(id.text, text, sizeof(id.text));
	return id;
}

static void
must_be(const json_t *data, const char *key, const char *what)
{
	if (strcmp(rp_text(data, key), what) != 0)
		harness_fail("%s is %s, not %s", key, rp_text(data, key), what);
}

struct rt_id
rt_create(struct rooms_peer *p, int type, const char *name, const char *people)
{
	rp_say(p,
	       "{'type': 'CREATE_ROOM', 'data': {'room-type': %d, 'room-name': '%s', "
	       "'people': %s}}",
	       type, name, rt_names(people));
	return id_of(rp_hear(p, "ROOM_INFO"), "room");
}

struct rt_id
rt_room(struct rooms_peer *p, int type, const char *people, ...)
{
	struct rt_id room = rt_create(p, type, "Room", people);
	struct rooms_peer *other;
	va_list ap;

	va_start(ap, people);
	while ((other = va_arg(ap, struct rooms_peer *)) != NULL)
		must_be(rp_hear(other, "JOIN_ROOM"), "room", room.text);
	va_end(ap);
	return room;
}

/* ---- saying ---- */

static __attribute__((format(printf, 5, 0))) void
say_data(struct rooms_peer *p, const char *type, struct rt_id room, const char *action,
	 const char *fmt, va_list ap)
{
	static char data[256 * 1024];

	vsnprintf(data, sizeof(data), fmt, ap);
	if (strcmp(type, "ALTER_ROOM") == 0)
		rp_say(p,
		       "{'type': 'ALTER_ROOM', 'data': {'action': '%s', 'actiondata': "
		       "{'room': '%s'%s%s}}}",
		       action, room.text, data[0] != '\0' ? ", " : "", data);
	else
		rp_say(p,
		       "{'type': 'CHAT_ACTION', 'data': {'room': '%s', 'action': '%s', "
		       "'actiondata': {%s}}}",
		       room.text, action, data);
}

void
rt_action(struct rooms_peer *p, struct rt_id room, const char *action, const char *fmt,
	  ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_data(p, "CHAT_ACTION", room, action, fmt, ap);
	va_end(ap);
}

void
rt_alter(struct rooms_peer *p, struct rt_id room, const char *action, const char *fmt,
	 ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_data(p, "ALTER_ROOM", room, action, fmt, ap);
	va_end(ap);
}

struct rt_id
rt_sent(struct rooms_peer *p)
{
	return id_of(rp_hear_status(p, "SENT"), "msg");
}

struct rt_id
rt_send(struct rooms_peer *p, struct rt_id room, const char *content)
{
	rt_action(p, room, "send", "'format': 'msg-text', 'content': '%s'", content);
	return rt_sent(p);
}

/* ---- hearing ---- */

json_t *
rt_hear(struct rooms_peer *p, struct rt_id room, const char *action)
{
	json_t *data = rp_hear(p, "CHAT_ACTION_S");

	must_be(data, "room", room.text);
	must_be(data, "action", action);
	return data;
}

json_int_t
rt_recv(struct rooms_peer *p, struct rt_id room, const char *from, const char *content)
{
	json_t *data = rt_hear(p, room, "recv");

	must_be(data, "from", from);
	must_be(json_object_get(data, "actiondata"), "content", content);
	return rp_int(data, "seq");
}

json_t *
rt_altered(struct rooms_peer *p, struct rt_id room, const char *action, const char *by)
{
	json_t *data = rp_hear(p, "ROOM_ALTERED");

	must_be(data, "room", room.text);
	must_be(data, "action", action);
	must_be(data, "by", by);
	return data;
}

static void
id_is(const json_t *data, const char *key, const char *id)
{
	if (id != NULL)
		must_be(data, key, id);
	else if (json_object_get(data, key) != NULL)
		harness_fail("%s is there", key);
}

void
rt_status(struct rooms_peer *p, const char *sig, const char *room, const char *msg)
{
	json_t *data = rp_hear_status(p, sig);

	id_is(data, "room", room);
	id_is(data, "msg", msg);
}

void
rt_list_is(const json_t *array, const char *names)
{
	char have[4096] = "";
	const json_t *item;
	size_t i;

	if (!json_is_array(array))
		harness_fail("there is no array where %s should be", names);
	json_array_foreach(array, i, item)
	    snprintf(have + strlen(have), sizeof(have) - strlen(have), "%s%s",
		     i > 0 ? " " : "", json_string_value(item));
	if (strcmp(have, names) != 0)
		harness_fail("the names are \"%s\", not \"%s\"", have, names);
}

void
rt_members_are(const json_t *info, const char *names)
{
	json_t *list = json_array();
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(info, "members"), i, item)
	    json_array_append(list, json_object_get(item, "user"));
	rt_list_is(list, names);
	json_decref(list);
}

bool
rt_null(const json_t *object, const char *key)
{
	return json_is_null(json_object_get(object, key));
}

struct rooms_peer *
rt_again(const struct rooms_peer *p)
{
	struct rooms_peer *q = rp_again(p);

	(void)rp_hear(q, "QUEUE_END");
	return q;
}

char *
rt_long_text(size_t n)
{
	char *text = malloc(n + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', n);
	text[n] = '\0';
	return text;
}
