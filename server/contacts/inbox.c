/* SPDX-License-Identifier: MIT */
#include "server/contacts/inbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHATS_FIRST 8
#define RING_FIRST  64

void
inbox_clear(struct inbox *in)
{
	free(in->chats);
	free(in->ring);
	*in = (struct inbox){.phase = INBOX_AWAY};
}

/* ---- chats ---- */

/* The place of chat, or where it would stand. */
static size_t
place_of(const struct inbox *in, uint64_t chat)
{
	size_t low = 0, high = in->n;

	if (in->last < in->n && in->chats[in->last].chat == chat)
		return in->last;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (in->chats[mid].chat < chat)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct inbox_chat *
inbox_find(struct inbox *in, uint64_t chat)
{
	size_t i = place_of(in, chat);

	if (i == in->n || in->chats[i].chat != chat)
		return NULL;
	in->last = i;
	return &in->chats[i];
}

struct inbox_chat *
inbox_enter(struct inbox *in, uint64_t chat, uint64_t id)
{
	size_t i = place_of(in, chat);

	if (i < in->n && in->chats[i].chat == chat)
		return &in->chats[i];
	if (in->n == in->cap) {
		size_t cap = in->cap == 0 ? CHATS_FIRST : 2 * in->cap;
		struct inbox_chat *more =
		    reallocarray(in->chats, cap, sizeof(*in->chats));

		if (more == NULL)
			return NULL;
		in->chats = more;
		in->cap = cap;
	}
	memmove(&in->chats[i + 1], &in->chats[i], (in->n - i) * sizeof(*in->chats));
	in->chats[i] = (struct inbox_chat){chat, id, id, id, id, false};
	in->n++;
	return &in->chats[i];
}

/* Its entries in the ring find no chat when their time comes. */
void
inbox_forget(struct inbox *in, uint64_t chat)
{
	struct inbox_chat *c = inbox_find(in, chat);

	if (c == NULL)
		return;
	in->n--;
	memmove(c, c + 1, (in->n - (size_t)(c - in->chats)) * sizeof(*c));
}

bool
inbox_owing(const struct inbox *in)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->chats[i].sent < in->chats[i].told)
			return true;
	return false;
}

/* ---- the ring ---- */

static struct inbox_entry *
entry(const struct inbox *in, size_t k)
{
	return &in->ring[(in->ring_head + k) & (in->ring_cap - 1)];
}

enum qerr
inbox_reserve(struct inbox *in, size_t n)
{
	size_t cap = in->ring_cap == 0 ? RING_FIRST : in->ring_cap;
	struct inbox_entry *ring;

	if (in->by_hand || n <= in->ring_cap - in->ring_n)
		return Q_OK;
	while (n > cap - in->ring_n) {
		if (cap > SIZE_MAX / 2 / sizeof(*ring))
			return Q_NOMEM;
		cap *= 2;
	}
	if ((ring = malloc(cap * sizeof(*ring))) == NULL)
		return Q_NOMEM;
	for (size_t k = 0; k < in->ring_n; k++)
		ring[k] = *entry(in, k);
	free(in->ring);
	in->ring = ring;
	in->ring_cap = cap;
	in->ring_head = 0;
	return Q_OK;
}

void
inbox_sent(struct inbox *in, uint64_t chat, uint64_t id, uint64_t end)
{
	struct inbox_entry *e;

	if (in->by_hand)
		return;
	/* One's own messages, which are passed over, take no bytes. */
	if (in->ring_n > 0) {
		e = entry(in, in->ring_n - 1);
		assert(end >= e->end);
		if (e->end == end && e->chat == chat) {
			e->id = id;
			return;
		}
	}
	assert(in->ring_n < in->ring_cap);
	*entry(in, in->ring_n++) = (struct inbox_entry){end, chat, id};
}

void
inbox_acked(struct inbox *in, uint64_t acked)
{
	while (in->ring_n > 0 && entry(in, 0)->end <= acked) {
		const struct inbox_entry *e = entry(in, 0);
		struct inbox_chat *c = inbox_find(in, e->chat);

		if (c != NULL && !c->frozen && e->id > c->had)
			c->had = e->id;
		in->ring_head = (in->ring_head + 1) & (in->ring_cap - 1);
		in->ring_n--;
	}
	if (in->ring_n == 0) {
		free(in->ring);
		in->ring = NULL;
		in->ring_cap = in->ring_head = 0;
	}
}

void
inbox_by_hand(struct inbox *in)
{
	in->by_hand = true;
	in->ring_n = 0;
	inbox_acked(in, 0);
}

enum qerr
inbox_seen(struct inbox *in, uint64_t chat, uint64_t id)
{
	/* A chat that nothing was told of has nothing to send either. */
	struct inbox_chat *c = inbox_enter(in, chat, 0);

	if (c == NULL)
		return Q_NOMEM;
	if (id > c->had)
		c->had = id;
	return Q_OK;
}

bool
inbox_unsaved(const struct inbox *in)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->chats[i].saved < in->chats[i].had)
			return true;
	return false;
}
