/* SPDX-License-Identifier: MIT */
#include "server/relay/chat.h"

#include <assert.h>
#include <stdlib.h>

struct relay_chat *
relay_chat_new(void)
{
	struct relay_chat *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	atomic_init(&c->refs, 1);
	atomic_init(&c->log, NULL);
	return c;
}

struct relay_chat *
relay_chat_ref(struct relay_chat *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void
relay_chat_unref(struct relay_chat *c)
{
	if (c == NULL ||
	    atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	msglog_close(atomic_load_explicit(&c->log, memory_order_relaxed));
	session_unref(c->who[0]);
	session_unref(c->who[1]);
	free(c);
}

void
relay_chat_join(struct relay_chat *c, struct session *a, struct session *b)
{
	assert(c->who[0] == NULL && a != b);
	c->who[0] = session_ref(a);
	c->who[1] = session_ref(b);
}

struct session *
relay_chat_partner(const struct relay_chat *c, const struct session *me)
{
	assert(c->who[0] == me || c->who[1] == me);
	return c->who[c->who[0] == me ? 1 : 0];
}

/* Both sides may come here at once: msglog_open gives both the same object, and
 * the one that is later gives its reference back. */
enum qerr
relay_chat_log(struct relay_chat *c, struct store *store, struct msglog **out)
{
	struct msglog *log = atomic_load_explicit(&c->log, memory_order_acquire);
	struct msglog *none = NULL;
	char name[MSGLOG_CHAT_MAX + 1];
	enum qerr e;

	if (log == NULL) {
		msglog_pair_name(c->who[0]->user, c->who[1]->user, name);
		if ((e = msglog_open(store, name, &log)) != Q_OK)
			return e;
		if (!atomic_compare_exchange_strong(&c->log, &none, log)) {
			msglog_close(log);
			log = none;
		}
	}
	*out = log;
	return Q_OK;
}
