/* SPDX-License-Identifier: MIT
 *
 * Every walk here needs no memory (sessions_next), so that stopping and kicking work when
 * there is none.
 */
#include "server/hub.h"

#include "server/moderation.h"
#include "server/protocol.h"

bool
hub_online(struct server *server, const char *user)
{
	return sessions_online(server->sessions, user);
}

size_t
hub_kick(struct server *server, const char *user, enum goodbye why, const char *text)
{
	struct sessions *t = server->sessions;
	size_t n = 0;

	for (struct session *s = sessions_next(t, user, NULL); s != NULL;
	     s = sessions_next(t, user, s)) {
		session_end(s, why, text);
		n++;
	}
	return n;
}

/* A session of somebody who is muted, in a protocol that passes bytes on unread. */
static bool
is_opaque(struct session *s)
{
	const struct protocol *p = atomic_load(&s->protocol);

	return p != NULL && p->opaque;
}

size_t
hub_hush(struct server *server, const char *user, const char *text)
{
	struct sessions *t = server->sessions;
	size_t n = 0;

	for (struct session *s = sessions_next(t, user, NULL); s != NULL;
	     s = sessions_next(t, user, s)) {
		if (!is_opaque(s))
			continue;
		session_end(s, GOODBYE_KICKED, text);
		n++;
	}
	return n;
}

void
hub_enforce(struct server *server)
{
	struct moderation *m = server->moderation;
	struct sessions *t = server->sessions;
	char user[NAME_SIZE], text[MODERATION_TEXT_SIZE];

	for (struct session *s = sessions_next(t, NULL, NULL); s != NULL;
	     s = sessions_next(t, NULL, s)) {
		bool banned;

		sessions_user(t, s, user);
		if (user[0] == '\0')
			continue;
		banned = moderation_holds(m, user, RESTRICTION_BAN);
		if (!banned &&
		    !(is_opaque(s) && moderation_holds(m, user, RESTRICTION_MUTE)))
			continue;
		moderation_text(m, user, banned ? RESTRICTION_BAN : RESTRICTION_MUTE,
				text);
		session_end(s, GOODBYE_KICKED, text);
	}
}

void
hub_tell(struct server *server, const char *user, const struct event *event,
	 const struct session *but)
{
	struct sessions *t = server->sessions;

	for (struct session *s = sessions_next(t, user, NULL); s != NULL;
	     s = sessions_next(t, user, s)) {
		const struct protocol *p = atomic_load(&s->protocol);

		if (s != but && p != NULL && !session_ended(s))
			p->deliver(s, event);
	}
}

size_t
hub_say(struct server *server, const char *text)
{
	const struct event event = {.kind = EVENT_NOTICE, .text = span_str(text)};
	struct sessions *t = server->sessions;
	char user[NAME_SIZE];
	size_t n = 0;

	for (struct session *s = sessions_next(t, NULL, NULL); s != NULL;
	     s = sessions_next(t, NULL, s)) {
		const struct protocol *p = atomic_load(&s->protocol);

		sessions_user(t, s, user);
		if (user[0] == '\0' || p == NULL || !p->notices || session_ended(s))
			continue;
		p->deliver(s, &event);
		n++;
	}
	outbox_flush_touched();
	return n;
}

void
hub_goodbye_all(struct server *server)
{
	struct sessions *t = server->sessions;

	for (struct session *s = sessions_next(t, NULL, NULL); s != NULL;
	     s = sessions_next(t, NULL, s))
		session_end(s, GOODBYE_SHUTDOWN, NULL);
}
