/* SPDX-License-Identifier: MIT
 *
 * Every walk here takes one session after another out of the table, by rising
 * number, and holds no lock while it deals with it.  It needs no memory, so that
 * stopping and kicking work when there is none; a session that comes meanwhile is
 * met too, because its number is higher.
 */
#include "server/hub.h"

#include "server/protocol.h"

/* The session after s, which is given back. */
static struct session *
next(struct sessions *t, const char *user, struct session *s)
{
	struct session *n = sessions_next(t, user, s->id);

	session_unref(s);
	return n;
}

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

	for (struct session *s = sessions_next(t, user, 0); s != NULL;
	     s = next(t, user, s)) {
		session_end(s, why, text);
		n++;
	}
	return n;
}

size_t
hub_tell(struct server *server, const char *user, const struct event *event)
{
	struct sessions *t = server->sessions;
	size_t n = 0;

	for (struct session *s = sessions_next(t, user, 0); s != NULL;
	     s = next(t, user, s)) {
		const struct protocol *p = atomic_load(&s->protocol);

		if (p == NULL || session_ended(s))
			continue;
		p->deliver(s, event);
		n++;
	}
	return n;
}

size_t
hub_say(struct server *server, const char *text)
{
	const struct event event = {.kind = EVENT_NOTICE, .text = span_str(text)};
	struct sessions *t = server->sessions;
	char user[NAME_SIZE];
	size_t n = 0;

	for (struct session *s = sessions_next(t, NULL, 0); s != NULL;
	     s = next(t, NULL, s)) {
		const struct protocol *p = atomic_load(&s->protocol);

		sessions_user(t, s, user);
		if (user[0] == '\0' || p == NULL || session_ended(s))
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

	for (struct session *s = sessions_next(t, NULL, 0); s != NULL;
	     s = next(t, NULL, s))
		session_end(s, GOODBYE_SHUTDOWN, NULL);
}
