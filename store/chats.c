/* SPDX-License-Identifier: MIT
 *
 * Events, one record each, FROM and TO being the two members:
 *
 *   create   "ID ANNOUNCEMENT"   FROM made the chat; announcement 0: none
 *   delete   "ID"                from here on it is gone
 *   cleared  "ID"                and so are its messages and media (FROM, TO: "-")
 *   gone     ""                  FROM was removed (TO: "-"); see chats_forget.c
 *
 * An event is written without the mutex.  Meanwhile its chat is busy: whoever wants
 * to change the same one, or make another one for the same pair, waits.  So the events
 * of one pair stand in the file in the order in which they took effect, those of
 * different pairs do not wait for each other, and with STORE_ALWAYS they share an
 * fdatasync.
 *
 * An id whose event was lost (a torn or damaged line) could be given out again while
 * messages of its chat are still there.  So an id for which there is a log is skipped;
 * "server check" tells of such logs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/chats_priv.h"

/* ---- one chat in memory ---- */

struct chat *
chat_of(struct pair *pair)
{
	return INDEX_OBJECT(pair, struct chat, pair);
}

/* Ids come one after another and so do their slots: better than any hash. */
static uint32_t
hash_id(uint64_t id)
{
	return (uint32_t)id;
}

struct chat *
chat_find(const struct chats *c, uint64_t id)
{
	struct index_node *node = index_first(&c->ids, hash_id(id));

	for (; node != NULL; node = index_next(node)) {
		struct chat *chat = INDEX_OBJECT(node, struct chat, by_id);

		if (chat->id == id)
			return chat;
	}
	return NULL;
}

enum qerr
chat_new(struct chats *c, const char *maker, const char *other, uint64_t anons_id,
	 struct chat **out)
{
	struct chat *chat = calloc(1, sizeof(*chat));
	enum qerr e;

	if (chat == NULL)
		return Q_NOMEM;
	if ((e = pairs_add(&c->pairs, &chat->pair, maker, other, anons_id)) != Q_OK) {
		free(chat);
		return e;
	}
	*out = chat;
	return Q_OK;
}

void
chat_publish(struct chats *c, struct chat *chat, uint64_t id, int64_t created_ms)
{
	chat->id = id;
	chat->created_ms = created_ms;
	index_add(&c->ids, &chat->by_id, hash_id(id));
}

void
chat_unpublish(struct chats *c, struct chat *chat)
{
	pairs_remove(&c->pairs, &chat->pair);
	chat->deleted = true;
}

void
chat_forget(struct chats *c, struct chat *chat)
{
	index_remove(&c->ids, &chat->by_id);
	free(chat);
}

static void
fill_info(const struct chat *chat, struct chat_info *out)
{
	memset(out, 0, sizeof(*out));
	out->id = chat->id;
	strcpy(out->maker, chat->pair.end[0].person->name);
	strcpy(out->other, chat->pair.end[1].person->name);
	out->maker_gone = chat->pair.end[0].person->parted;
	out->other_gone = chat->pair.end[1].person->parted;
	out->anons_id = chat->pair.topic;
	out->created_ms = chat->created_ms;
}

void
chats_log_name(uint64_t id, char out[32])
{
	snprintf(out, 32, "chat-%" PRIu64, id);
}

bool
chat_info_member(const struct chat_info *info, const char *user)
{
	return (!info->maker_gone && name_cmp(user, info->maker) == 0) ||
	       (!info->other_gone && name_cmp(user, info->other) == 0);
}

/* ---- finding ---- */

enum qerr
chats_get(struct chats *c, uint64_t id, struct chat_info *out)
{
	struct chat *chat;
	bool found;

	lock_take(&c->lock);
	chat = chat_find(c, id);
	if ((found = chat != NULL && !chat->deleted))
		fill_info(chat, out);
	lock_drop(&c->lock);
	return found ? Q_OK : Q_MISSING;
}

enum qerr
chats_find(struct chats *c, const char *a, const char *b, uint64_t anons_id,
	   struct chat_info *out)
{
	struct pair *pair;
	bool found;

	lock_take(&c->lock);
	pair = pairs_find(&c->pairs, a, b, anons_id);
	if ((found = pair != NULL && chat_of(pair)->id != 0))
		fill_info(chat_of(pair), out);
	lock_drop(&c->lock);
	return found ? Q_OK : Q_MISSING;
}

static int
by_id(const void *a, const void *b)
{
	const struct chat_info *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

enum qerr
chats_of(struct chats *c, const char *user, struct chat_info **out, size_t *count)
{
	struct chat_info *list = NULL;
	struct person *person;
	struct pair_end *end;
	enum qerr e = Q_OK;
	size_t n = 0;

	lock_take(&c->lock);
	if ((person = pairs_person(&c->pairs, user)) != NULL) {
		if ((list = calloc(person->n, sizeof(*list))) == NULL)
			e = Q_NOMEM;
		else
			SLIST_FOREACH (end, &person->ends, link)
				if (chat_of(end->pair)->id != 0)
					fill_info(chat_of(end->pair), &list[n++]);
	}
	lock_drop(&c->lock);
	if (e != Q_OK)
		return e;
	if (n == 0) {
		free(list);
		list = NULL;
	} else {
		qsort(list, n, sizeof(*list), by_id);
	}
	*out = list;
	*count = n;
	return Q_OK;
}

/* The log first, the look at the chat second: a chats_delete that comes between or
 * later finds this log open, and closes it. */
enum qerr
chats_open_log(struct chats *c, uint64_t id, struct msglog **out)
{
	char name[32];
	struct chat_info info;
	struct msglog *l;
	enum qerr e;

	if (chats_get(c, id, &info) != Q_OK)
		return Q_MISSING;
	chats_log_name(id, name);
	if ((e = msglog_open(c->store, name, &l)) != Q_OK)
		return e == Q_CLOSED ? Q_MISSING : e;
	if (chats_get(c, id, &info) != Q_OK) {
		msglog_close(l);
		return Q_MISSING;
	}
	*out = l;
	return Q_OK;
}

bool
chats_first_use(struct chats *c, uint64_t id)
{
	struct chat *chat;
	bool first;

	lock_take(&c->lock);
	chat = chat_find(c, id);
	if ((first = chat != NULL && !chat->used))
		chat->used = true;
	lock_drop(&c->lock);
	return first;
}

/* ---- changing ---- */

/* Its members stay as they are while it is busy. */
enum qerr
chat_event(struct chats *c, const char *kind, const struct chat *chat, const char *data,
	   int64_t *time_ms)
{
	struct record r = {.text = true, .data = span_str(data)};
	enum qerr e;

	strcpy(r.kind, kind);
	if (!chat->deleted) {
		strcpy(r.from, chat->pair.end[0].person->name);
		strcpy(r.to, chat->pair.end[1].person->name);
	}
	if ((e = journal_append(c->journal, &r)) == Q_OK && time_ms != NULL)
		*time_ms = r.time_ms;
	return e;
}

/* An id for which there is no log.  Ids that are skipped, or whose event could not be
 * written, are not used again either. */
static uint64_t
next_id(struct chats *c)
{
	char log[32], file[40];
	uint64_t id;

	do {
		lock_take(&c->lock);
		id = c->next_id++;
		lock_drop(&c->lock);
		chats_log_name(id, log);
		snprintf(file, sizeof(file), "%s.log", log);
	} while (faccessat(c->store->fd[FOLDER_MESSAGES], file, F_OK, 0) == 0);
	return id;
}

/* Write the chat that this thread has put into the index, busy. */
static enum qerr
make(struct chats *c, struct chat *chat, struct chat_info *out)
{
	uint64_t id = next_id(c);
	char data[48];
	int64_t created_ms;
	enum qerr e;

	snprintf(data, sizeof(data), "%" PRIu64 " %" PRIu64, id, chat->pair.topic);
	e = chat_event(c, CHAT_CREATE, chat, data, &created_ms);
	lock_take(&c->lock);
	chat->pair.busy = false;
	c->making--;
	if (e == Q_OK) {
		chat_publish(c, chat, id, created_ms);
		fill_info(chat, out);
	} else {
		pairs_remove(&c->pairs, &chat->pair);
		free(chat);
	}
	pthread_cond_broadcast(&c->changed);
	lock_drop(&c->lock);
	return e;
}

enum qerr
chats_create(struct chats *c, const char *maker, const char *other, uint64_t anons_id,
	     struct chat_info *out)
{
	struct chat *chat;
	struct pair *pair;
	enum qerr e = Q_EXISTS;

	if (!name_valid(span_str(maker)) || !name_valid(span_str(other)) ||
	    name_cmp(maker, other) == 0 || anons_id > INT64_MAX)
		return Q_FORMAT;
	lock_take(&c->lock);
	while (c->forgetting ||
	       ((pair = pairs_find(&c->pairs, maker, other, anons_id)) != NULL &&
		pair->busy))
		(void)lock_wait(&c->lock, &c->changed, 0);
	if (pair != NULL)
		fill_info(chat_of(pair), out);
	else if ((e = chat_new(c, maker, other, anons_id, &chat)) == Q_OK) {
		chat->pair.busy = true;
		c->making++;
	}
	lock_drop(&c->lock);
	if (e != Q_OK)
		return e;
	return make(c, chat, out);
}
