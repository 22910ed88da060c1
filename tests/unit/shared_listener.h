/* SPDX-License-Identifier: MIT
 *
 * shared_listener.h - sessions that remember what they were told of shared chats; bob has
 * one, and Alice says something.
 */
#ifndef TESTS_UNIT_SHARED_LISTENER_H
#define TESTS_UNIT_SHARED_LISTENER_H

#include "tests/unit/shared_store.h"

#include "base/lock.h"

struct listener {
	struct session *session;
	int peer;
	struct lock lock;
	size_t events, messages; /* [lock] of others */
	size_t own;              /* [lock] events of what it posted itself */
	uint64_t last_id;        /* [lock] */
	int64_t last_ms;         /* [lock] */
	uint64_t media_id;       /* [lock] of the last one */
	char from[NAME_SIZE];    /* [lock] likewise */
	char text[64];           /* [lock] likewise */
	bool disorder, deleted;  /* [lock] */
};

static inline void
hear(struct listener *l, const struct shared_message *m)
{
	/* Ids rise by 1, and nothing comes when all is over. */
	if (l->deleted || (l->last_id != 0 && m->id != l->last_id + 1) ||
	    m->time_ms <= l->last_ms)
		l->disorder = true;
	l->messages++;
	l->last_id = m->id;
	l->last_ms = m->time_ms;
	l->media_id = m->media_id;
	strcpy(l->from, m->from);
	snprintf(l->text, sizeof(l->text), "%.*s", (int)m->text.len,
		 m->text.len == 0 ? "" : (const char *)m->text.p);
}

static inline void
hear_event(struct session *s, const struct event *event)
{
	struct listener *l = s->state;

	lock_take(&l->lock);
	if (event->sender == s) {
		l->own++;
		lock_drop(&l->lock);
		return;
	}
	l->events++;
	if (event->kind == EVENT_CHAT_DELETED)
		l->deleted = true;
	for (size_t i = 0; event->kind == EVENT_MESSAGES && i < event->count; i++)
		hear(l, &event->messages[i]);
	lock_drop(&l->lock);
}

static const struct protocol listening = {
    .name = "listening",
    .deliver = hear_event,
    .goodbye = core_goodbye,
    .release = core_release,
};

static inline void
join(struct listener *l, const char *user)
{
	static const struct sessions_limits none;

	memset(l, 0, sizeof(*l));
	lock_init(&l->lock);
	l->session = core_session(&l->peer);
	atomic_store(&l->session->protocol, &listening);
	l->session->state = l;
	ck_assert_int_eq(sessions_add(core.sessions, l->session, &none), Q_OK);
	ck_assert_int_eq(sessions_login(core.sessions, l->session, user, LOGIN_ADD, NULL),
			 Q_OK);
}

static inline void
leave(struct listener *l)
{
	sessions_remove(core.sessions, l->session);
	session_unref(l->session);
	close(l->peer);
	lock_fini(&l->lock);
}

static struct listener bob;

static inline void
setup(void)
{
	make_chat();
	join(&bob, "bob");
}

static inline void
teardown(void)
{
	leave(&bob);
	drop_chat();
}

static inline enum qerr
say(const char *text)
{
	struct shared_post p = {.text = span_str(text)};

	return shared_post(core.shared, chat, "Alice", NULL, &p, 1);
}

/* One of several threads that talk at once. */
#define POSTERS 4

struct poster {
	pthread_t thread;
	const char *user;
	unsigned rounds;
	struct shared_chat *chat;
	size_t said; /* messages stored */
	enum qerr last;
};

#endif
