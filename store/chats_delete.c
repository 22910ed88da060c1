/* SPDX-License-Identifier: MIT
 *
 * Deleting goes in steps: the event, forced to the disk; then the files; then
 * "cleared".  The order matters: were the files gone and the event lost, the chat
 * would be back with a log that begins at 1, and positions (positions.h) would hide
 * its new messages.  After a kill a chat that is deleted but not cleared is finished
 * when the chats are opened next.
 */
#include <inttypes.h>
#include <stdio.h>

#include "store/chats_priv.h"
#include "store/media.h"
#include "store/tally.h"

static enum qerr
remove_files(struct chats *c, uint64_t id)
{
	char log[32];
	enum qerr e, media, tally;

	chats_log_name(id, log);
	e = msglog_remove(c->store, log);
	media = media_remove_chat(c->store, id);
	tally = tally_remove(c->store, id);
	if (e == Q_OK)
		e = media;
	return e == Q_OK ? tally : e;
}

void
chat_clear(struct chats *c, struct chat *chat)
{
	char data[24];
	enum qerr e;

	(void)journal_sync(c->journal); /* when it fails it is reported */
	e = remove_files(c, chat->id);
	snprintf(data, sizeof(data), "%" PRIu64, chat->id);
	if (e == Q_OK)
		e = chat_event(c, CHAT_CLEARED, chat, data, NULL);
	if (e != Q_OK) {
		store_report(c->store,
			     "chat %s is deleted, but its files are not all removed: %s; "
			     "the next start tries again",
			     data, qerr_str(e));
		return;
	}
	lock_take(&c->lock);
	chat_forget(c, chat);
	lock_drop(&c->lock);
}

/* The chat, once nobody else changes it; NULL: there is none. */
static struct chat *
chat_take(struct chats *c, uint64_t id)
{
	struct chat *chat;

	lock_take(&c->lock);
	while ((chat = chat_find(c, id)) != NULL && !chat->deleted && chat->pair.busy)
		(void)lock_wait(&c->lock, &c->changed, 0);
	if (chat != NULL && chat->deleted)
		chat = NULL;
	if (chat != NULL)
		chat->pair.busy = true;
	lock_drop(&c->lock);
	return chat;
}

enum qerr
chats_delete(struct chats *c, uint64_t id)
{
	struct chat *chat = chat_take(c, id);
	char data[24];
	enum qerr e;

	if (chat == NULL)
		return Q_MISSING;
	snprintf(data, sizeof(data), "%" PRIu64, id);
	e = chat_event(c, CHAT_DELETE, chat, data, NULL);
	lock_take(&c->lock);
	chat->pair.busy = false;
	if (e == Q_OK)
		chat_unpublish(c, chat);
	pthread_cond_broadcast(&c->changed);
	lock_drop(&c->lock);
	if (e == Q_OK)
		chat_clear(c, chat);
	return e;
}

/* ---- opening ---- */

/* Finish what a kill interrupted.  Nobody else knows c yet. */
static void
clear_deleted(struct chats *c)
{
	struct index_node *node = index_walk(&c->ids, NULL), *next;

	for (; node != NULL; node = next) {
		struct chat *chat = INDEX_OBJECT(node, struct chat, by_id);

		next = index_walk(&c->ids, node);
		if (chat->deleted && !chat->unclear)
			chat_clear(c, chat);
	}
}

enum qerr
chats_open(struct store *s, struct chats **out)
{
	struct chats *c;
	enum qerr e = chats_load(s, &c);

	if (e != Q_OK)
		return e;
	if (c->odd > 0)
		store_report(s,
			     "chats/" CHATS_JOURNAL ".log: %zu events do not fit to "
			     "what is before them",
			     c->odd);
	clear_deleted(c);
	*out = c;
	return Q_OK;
}
