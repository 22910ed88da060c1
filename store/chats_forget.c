/* SPDX-License-Identifier: MIT
 *
 * One event parts a user from all the chats that are there: those stay with the other
 * member, and a later user of the same name starts with none.  Which chats "are there"
 * is what stands before the event in the file, so no chat is made while it is written;
 * deleting goes on, since it names a chat by its id.
 *
 * A chat whose other member was removed before is deleted by the same event, since nobody
 * could ever read it again.  Its files go as with any chat that is deleted, also after a
 * kill in between.
 */
#include <string.h>

#include "store/chats_priv.h"

struct chat *
chat_user_gone(struct chats *c, const char *user)
{
	struct person *person = pairs_person(&c->pairs, user);
	struct chat *ended = NULL;
	struct pair_end *end, *next;

	if (person == NULL)
		return NULL;
	pairs_part(&c->pairs, person);
	/* The person goes with the last of its chats. */
	for (end = SLIST_FIRST(&person->ends); end != NULL; end = next) {
		struct pair *pair = end->pair;
		struct chat *chat = chat_of(pair);

		next = SLIST_NEXT(end, link);
		/* Somebody is deleting it: that goes on. */
		if (pair->busy || !pair->end[0].person->parted ||
		    !pair->end[1].person->parted)
			continue;
		chat_unpublish(c, chat);
		chat->next = ended;
		ended = chat;
	}
	return ended;
}

enum qerr
chats_forget(struct chats *c, const char *user)
{
	struct record r = {.kind = CHAT_GONE, .text = true};
	struct chat *ended = NULL, *next;
	struct person *person;
	enum qerr e = Q_OK;

	lock_take(&c->lock);
	while (c->forgetting)
		(void)lock_wait(&c->lock, &c->changed, 0);
	c->forgetting = true;
	while (c->making > 0)
		(void)lock_wait(&c->lock, &c->changed, 0);
	if ((person = pairs_person(&c->pairs, user)) != NULL) {
		strcpy(r.from, person->name);
		lock_drop(&c->lock);
		e = journal_append(c->journal, &r);
		/* Were it lost, the next of that name would read what was said here. */
		if (e == Q_OK)
			(void)journal_sync(c->journal); /* when it fails it is reported */
		lock_take(&c->lock);
		if (e == Q_OK)
			ended = chat_user_gone(c, user);
	}
	c->forgetting = false;
	pthread_cond_broadcast(&c->changed);
	lock_drop(&c->lock);
	for (; ended != NULL; ended = next) {
		next = ended->next;
		chat_clear(c, ended);
	}
	return e;
}
