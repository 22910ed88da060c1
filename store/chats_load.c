/* SPDX-License-Identifier: MIT
 *
 * The journal is read once, at start, and everything is in memory from then on.
 * An event that does not fit to what was read before (because a line before it was
 * damaged) is taken for what it proves.  A chat whose files are gone had been deleted.
 * One that is made anew while there is one of the same pair proves that the old one had
 * ended, but not how: it was deleted, or one of the two was removed and the other one
 * kept it.  So nobody finds it any more and its files stay, for "server check" to tell of.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/chats_priv.h"
#include "store/decimal.h"

/* n numbers with one blank between them, the first one an id. */
static bool
read_numbers(struct span s, uint64_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *blank = s.len > 0 ? memchr(s.p, ' ', s.len) : NULL;
		size_t len = blank != NULL ? (size_t)(blank - s.p) : s.len;

		if ((blank == NULL) != (i + 1 == n) ||
		    decimal_read(span_of(s.p, len), INT64_MAX, &out[i]) != Q_OK)
			return false;
		if (blank != NULL)
			s = span_of(blank + 1, s.len - len - 1);
	}
	return out[0] != 0;
}

static enum qerr
replay_create(struct chats *c, const struct record *r, const uint64_t n[2])
{
	struct chat *chat;
	enum qerr e;

	if ((n[0] < c->next_id && chat_find(c, n[0]) != NULL) || r->from[0] == '\0' ||
	    r->to[0] == '\0' || name_cmp(r->from, r->to) == 0) {
		c->odd++;
		return Q_OK;
	}
	if ((e = chat_new(c, r->from, r->to, n[1], &chat)) == Q_EXISTS) {
		chat = chat_of(pairs_find(&c->pairs, r->from, r->to, n[1]));
		chat_unpublish(c, chat);
		chat->unclear = true;
		c->odd++;
		e = chat_new(c, r->from, r->to, n[1], &chat);
	}
	if (e == Q_OK)
		chat_publish(c, chat, n[0], r->time_ms);
	return e;
}

static void
replay_end(struct chats *c, const struct record *r, uint64_t id)
{
	bool cleared = strcmp(r->kind, CHAT_CLEARED) == 0;
	struct chat *chat = chat_find(c, id);

	/* What both removed may have been being deleted just then. */
	if (chat == NULL || (cleared && !chat->deleted))
		c->odd++;
	if (chat == NULL)
		return;
	if (!chat->deleted)
		chat_unpublish(c, chat);
	chat->unclear = false;
	if (cleared)
		chat_forget(c, chat);
}

static enum qerr
replay(void *arg, const struct record *r)
{
	struct chats *c = arg;
	uint64_t n[2];
	enum qerr e = Q_OK;

	c->last_event = r->id;
	if (strcmp(r->kind, CHAT_GONE) == 0 && r->from[0] != '\0') {
		/* Whose chats were all deleted since has none here: that is in order. */
		(void)chat_user_gone(c, r->from); /* cleared when they are opened */
		return Q_OK;
	}
	if (strcmp(r->kind, CHAT_CREATE) == 0 && read_numbers(r->data, n, 2)) {
		e = replay_create(c, r, n);
	} else if ((strcmp(r->kind, CHAT_DELETE) == 0 ||
		    strcmp(r->kind, CHAT_CLEARED) == 0) &&
		   read_numbers(r->data, n, 1)) {
		replay_end(c, r, n[0]);
	} else {
		c->odd++;
		return Q_OK;
	}
	if (n[0] >= c->next_id)
		c->next_id = n[0] + 1;
	return e;
}

enum qerr
chats_load(struct store *s, struct chats **out)
{
	struct chats *c = calloc(1, sizeof(*c));
	enum qerr e = Q_NOMEM;

	if (c == NULL)
		return Q_NOMEM;
	c->store = s;
	c->next_id = 1;
	if (pairs_init(&c->pairs) != Q_OK)
		goto no_pairs;
	if (index_init(&c->ids) != Q_OK)
		goto no_ids;
	lock_init(&c->lock);
	lock_cond_init(&c->changed);
	e = journal_open(s, FOLDER_CHATS, CHATS_JOURNAL, replay, c, &c->journal);
	if (e != Q_OK) {
		int err = errno;

		chats_close(c);
		errno = err;
		return e;
	}
	*out = c;
	return Q_OK;
no_ids:
	pairs_fini(&c->pairs, NULL);
no_pairs:
	free(c);
	return e;
}

void
chats_close(struct chats *c)
{
	struct index_node *node;

	if (c == NULL)
		return;
	for (node = index_walk(&c->ids, NULL); node != NULL;) {
		struct chat *chat = INDEX_OBJECT(node, struct chat, by_id);

		node = index_walk(&c->ids, node);
		free(chat);
	}
	journal_close(c->journal);
	index_fini(&c->ids);
	pairs_fini(&c->pairs, NULL);
	lock_fini(&c->lock);
	pthread_cond_destroy(&c->changed);
	free(c);
}

bool
chats_stale(const struct chats *c)
{
	uint64_t last;

	return journal_last_id(c->journal, &last) != Q_OK || last != c->last_event;
}

bool
chats_known(struct chats *c, uint64_t id)
{
	struct chat *chat;
	bool known;

	lock_take(&c->lock);
	chat = chat_find(c, id);
	known = chat != NULL && !chat->unclear;
	lock_drop(&c->lock);
	return known;
}
