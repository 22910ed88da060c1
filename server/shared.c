/* SPDX-License-Identifier: MIT
 *
 * THE TABLE.  One object a chat that is in use, so that all who post in it meet in one
 * queue (shared_post.c).  The last reference drops it: making it anew costs two look-ups
 * in memory and none in the file, because the log's own object stays as long as its
 * descriptor is open.
 *
 * DELETING.  chats_delete closes the log for good: appends that come later fail by
 * themselves.  Those that came before are waited for, so that EVENT_CHAT_DELETED is the
 * last that is told of a chat.
 *
 * GONE.  An object asks the store who is gone when it is in the table, and all in the
 * table are asked to when somebody goes: so none misses it.  With the second member the
 * store deletes the chat, and its object ends as with any chat that is deleted.
 */
#include "server/shared.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/hub.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/shared_priv.h"
#include "store/decimal.h"
#include "store/msglog.h"
#include "store/positions.h"

static int
cmp_chat(const struct shared_chat *a, const struct shared_chat *b)
{
	return (a->info.id > b->info.id) - (a->info.id < b->info.id);
}

RB_GENERATE_INTERNAL(chat_tree, shared_chat, link, cmp_chat,
		     static __attribute__((unused)))

/* ---- the table ---- */

enum qerr
shared_open(struct server *server, struct shared **out, struct why *why)
{
	struct shared *sh = calloc(1, sizeof(*sh));

	if (sh == NULL)
		return why_set(why, Q_NOMEM, "cannot open the chats: no memory");
	sh->server = server;
	lock_init(&sh->table);
	RB_INIT(&sh->chats);
	if (shared_saver_start(sh) != Q_OK) {
		lock_fini(&sh->table);
		free(sh);
		return why_set(why, Q_NOMEM, "cannot open the chats: no memory");
	}
	*out = sh;
	return Q_OK;
}

void
shared_close(struct shared *sh)
{
	if (sh == NULL)
		return;
	shared_saver_stop(sh);
	assert(RB_EMPTY(&sh->chats));
	lock_fini(&sh->table);
	free(sh);
}

static void
chat_free(struct shared_chat *c)
{
	assert(TAILQ_EMPTY(&c->flights));
	msglog_close(c->log);
	pthread_cond_destroy(&c->moved);
	lock_fini(&c->lock);
	free(c);
}

static enum qerr
chat_new(struct shared *sh, uint64_t id, struct shared_chat **out)
{
	struct shared_chat *c = calloc(1, sizeof(*c));
	enum qerr e;

	if (c == NULL)
		return Q_NOMEM;
	if ((e = chats_get(sh->server->chats, id, &c->info)) != Q_OK ||
	    (e = chats_open_log(sh->server->chats, id, &c->log)) != Q_OK) {
		free(c);
		return e;
	}
	c->shared = sh;
	c->refs = 1;
	lock_init(&c->lock);
	lock_cond_init(&c->moved);
	TAILQ_INIT(&c->flights);
	*out = c;
	return Q_OK;
}

struct shared_chat *
shared_find(struct shared *sh, uint64_t id)
{
	struct shared_chat key, *c;

	key.info.id = id;
	lock_take(&sh->table);
	if ((c = RB_FIND(chat_tree, &sh->chats, &key)) != NULL)
		c->refs++;
	lock_drop(&sh->table);
	return c;
}

/* Learn who is gone. */
static void
look_who_is_gone(struct shared_chat *c)
{
	struct chat_info now;

	if (chats_get(c->shared->server->chats, c->info.id, &now) != Q_OK)
		return; /* deleted: nobody is told anything */
	if (now.maker_gone)
		atomic_store(&c->maker_gone, true);
	if (now.other_gone)
		atomic_store(&c->other_gone, true);
}

enum qerr
shared_chat_get(struct shared *sh, uint64_t id, struct shared_chat **out)
{
	struct shared_chat *c = shared_find(sh, id), *other;
	enum qerr e;

	if (c == NULL) {
		if ((e = chat_new(sh, id, &c)) != Q_OK)
			return e;
		lock_take(&sh->table);
		if ((other = RB_INSERT(chat_tree, &sh->chats, c)) != NULL) {
			other->refs++; /* another thread was quicker */
		} else {
			c->in_table = true;
			look_who_is_gone(c);
		}
		lock_drop(&sh->table);
		if (other != NULL) {
			chat_free(c);
			c = other;
		}
	}
	*out = c;
	return Q_OK;
}

enum qerr
shared_chat_make(struct session *s, const char *maker, const char *other,
		 uint64_t anons_id, struct chat_info *out)
{
	enum qerr e = chats_create(s->server->chats, maker, other, anons_id, out);

	if (e == Q_OK) {
		metric_add(METRIC_chats_total, 1);
		log_event(LOG_INFO, s, "chat-made", "chat=%" PRIu64 " with=%s", out->id,
			  other);
	}
	return e;
}

struct shared_chat *
shared_chat_ref(struct shared_chat *c)
{
	lock_take(&c->shared->table);
	c->refs++;
	lock_drop(&c->shared->table);
	return c;
}

/* Off the table, so that it is not found any more. */
static void
leave_table_locked(struct shared *sh, struct shared_chat *c) REQUIRES(sh->table)
{
	LOCK_ASSERT_HELD(&sh->table);
	if (c->in_table)
		RB_REMOVE(chat_tree, &sh->chats, c);
	c->in_table = false;
}

void
shared_chat_unref(struct shared_chat *c)
{
	struct shared *sh;
	bool last;

	if (c == NULL)
		return;
	sh = c->shared;
	lock_take(&sh->table);
	assert(c->refs > 0);
	if ((last = --c->refs == 0))
		leave_table_locked(sh, c);
	lock_drop(&sh->table);
	if (last)
		chat_free(c);
}

const struct chat_info *
shared_chat_info(const struct shared_chat *c)
{
	return &c->info;
}

bool
shared_chat_member(const struct shared_chat *c, const char *user)
{
	if (name_cmp(user, c->info.maker) == 0)
		return !atomic_load(&c->maker_gone);
	return name_cmp(user, c->info.other) == 0 && !atomic_load(&c->other_gone);
}

const char *
shared_chat_partner(const struct shared_chat *c, const char *user)
{
	if (name_cmp(user, c->info.maker) == 0)
		return c->info.other;
	assert(name_cmp(user, c->info.other) == 0);
	return c->info.maker;
}

void
shared_wait_locked(struct shared_chat *c)
{
	LOCK_ASSERT_HELD(&c->lock);
	c->waiting++;
	(void)lock_wait(&c->lock, &c->moved, 0);
	c->waiting--;
}

void
shared_wake_locked(struct shared_chat *c)
{
	LOCK_ASSERT_HELD(&c->lock);
	if (c->waiting > 0)
		pthread_cond_broadcast(&c->moved);
}

/* ---- telling ---- */

void
shared_tell(struct shared_chat *c, const struct session *origin,
	    const struct event *event)
{
	struct server *server = c->shared->server;

	if (!atomic_load(&c->maker_gone))
		hub_tell(server, c->info.maker, event, origin);
	if (!atomic_load(&c->other_gone))
		hub_tell(server, c->info.other, event, origin);
}

/* ---- reading ---- */

enum qerr
shared_message_parse(const struct record *r, struct shared_message *out)
{
	struct shared_message m = {
	    .id = r->id,
	    .time_ms = r->time_ms,
	    .text = r->data,
	    .image = strcmp(r->kind, KIND_IMAGE) == 0,
	};
	const uint8_t *blank;
	size_t len;

	if (!r->text || r->from[0] == '\0')
		return Q_FORMAT;
	if (m.image || strcmp(r->kind, KIND_MEDIA) == 0) {
		blank = r->data.len == 0 ? NULL : memchr(r->data.p, ' ', r->data.len);
		if (blank == NULL)
			return Q_FORMAT;
		len = (size_t)(blank - r->data.p);
		if (decimal_read(span_of(r->data.p, len), INT64_MAX, &m.media_id) !=
			Q_OK ||
		    m.media_id == 0)
			return Q_FORMAT;
		m.text = span_of(blank + 1, r->data.len - len - 1);
	} else if (strcmp(r->kind, KIND_TEXT) != 0) {
		return Q_FORMAT;
	}
	memcpy(m.from, r->from, sizeof(m.from));
	*out = m;
	return Q_OK;
}

struct reading {
	size_t left;
	bool (*each)(void *arg, const struct shared_message *m);
	void *arg;
};

static bool
read_one(void *arg, const struct record *r)
{
	struct reading *rd = arg;
	struct shared_message m;

	if (shared_message_parse(r, &m) != Q_OK)
		return true; /* whoever put it there: it is nothing that was said */
	rd->left--;
	return rd->each(rd->arg, &m) && rd->left > 0;
}

enum qerr
shared_read(struct shared_chat *c, uint64_t after, size_t max,
	    bool (*each)(void *arg, const struct shared_message *m), void *arg)
{
	struct reading rd = {max, each, arg};

	if (max == 0)
		return Q_OK;
	/* read_one counts: records that are no messages must not shorten the page. */
	return msglog_read(c->log, after, SIZE_MAX, read_one, &rd, NULL);
}

enum qerr
shared_last(struct shared_chat *c, uint64_t *id)
{
	return msglog_last_id(c->log, id);
}

enum qerr
shared_id_at(struct shared_chat *c, int64_t time_ms, uint64_t *id)
{
	return msglog_find_time(c->log, time_ms, id);
}

/* ---- deleting ---- */

/* Nothing of it waits for anybody.  What stays because of an error harms nobody, as ids of
 * chats are never used again. */
static void
forget(struct shared_chat *c)
{
	struct store *store = c->shared->server->store;

	shared_writing_end(c);
	(void)tally_remove(store, c->info.id);
	(void)positions_drop(store, c->info.maker, c->info.id);
	(void)positions_drop(store, c->info.other, c->info.id);
}

/* After it was deleted in the store: nothing more is told, and nothing stays of it. */
static void
end(struct shared *sh, struct shared_chat *c)
{
	lock_take(&sh->table);
	leave_table_locked(sh, c);
	lock_drop(&sh->table);
	shared_flights_end(c);
	forget(c);
}

enum qerr
shared_delete(struct shared *sh, struct shared_chat *c, struct session *origin)
{
	const struct event event = {.kind = EVENT_CHAT_DELETED, .chat = c};
	enum qerr e;

	assert(c->shared == sh);
	if ((e = chats_delete(sh->server->chats, c->info.id)) != Q_OK)
		return e;
	end(sh, c);
	shared_tell(c, origin, &event);
	return Q_OK;
}

/* ---- users that are removed ---- */

/* The next of user's chats in the table, a reference; NULL: there is none. */
static struct shared_chat *
next_of(struct shared *sh, const char *user, uint64_t behind)
{
	struct shared_chat key, *c;

	key.info.id = behind + 1;
	lock_take(&sh->table);
	c = RB_NFIND(chat_tree, &sh->chats, &key);
	while (c != NULL && name_cmp(user, c->info.maker) != 0 &&
	       name_cmp(user, c->info.other) != 0)
		c = RB_NEXT(chat_tree, &sh->chats, c);
	if (c != NULL)
		c->refs++;
	lock_drop(&sh->table);
	return c;
}

/* The store knows by now that user is gone. */
static void
part(struct shared *sh, struct shared_chat *c, const char *user)
{
	bool maker = name_cmp(user, c->info.maker) == 0;
	struct chat_info now;

	if (chats_get(sh->server->chats, c->info.id, &now) != Q_OK) {
		/* With the second of the two the chat goes as well. */
		atomic_store(maker ? &c->maker_gone : &c->other_gone, true);
		end(sh, c);
		return;
	}
	look_who_is_gone(c);
	shared_writing_end(c); /* that of who had looked before */
}

enum qerr
shared_forget(struct shared *sh, const char *user)
{
	struct shared_chat *c;
	uint64_t id = 0;
	enum qerr e = chats_forget(sh->server->chats, user);

	if (e != Q_OK)
		return e;
	while ((c = next_of(sh, user, id)) != NULL) {
		id = c->info.id;
		part(sh, c, user);
		shared_chat_unref(c);
	}
	return Q_OK;
}
