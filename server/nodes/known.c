/* SPDX-License-Identifier: MIT */
#include "server/nodes/known.h"

#include <stdlib.h>
#include <string.h>

void
known_fini(struct known *k)
{
	free(k->list);
	*k = (struct known)KNOWN_INIT;
}

void
known_expire(struct known *k, int64_t now_ms)
{
	for (size_t i = k->count; i-- > 0;)
		if (k->list[i].until_ms <= now_ms)
			k->list[i] = k->list[--k->count];
}

static struct known_place *
find(struct known *k, const struct place *p)
{
	for (size_t i = 0; i < k->count; i++)
		if (place_eq(&k->list[i].place, p))
			return &k->list[i];
	return NULL;
}

static size_t
share(const struct known *k, const uint8_t from[SHA256_LEN])
{
	size_t n = 0;

	for (size_t i = 0; i < k->count; i++)
		n += memcmp(k->list[i].from, from, SHA256_LEN) == 0;
	return n;
}

static enum qerr
make_room(struct known *k, size_t max)
{
	size_t more = k->room == 0 ? 16 : 2 * k->room;
	struct known_place *list;

	if (k->count >= max)
		return Q_LIMIT;
	if (k->count < k->room)
		return Q_OK;
	if ((list = reallocarray(k->list, more, sizeof(*list))) == NULL)
		return Q_NOMEM;
	k->list = list;
	k->room = more;
	return Q_OK;
}

enum qerr
known_add(struct known *k, const struct place *p, bool announced,
	  const uint8_t from[SHA256_LEN], size_t max, int64_t now_ms)
{
	struct known_place *e;
	enum qerr r;

	if (!place_may_be_dialled(p))
		return Q_DENIED;
	known_expire(k, now_ms);
	if ((e = find(k, p)) != NULL && (announced || !e->announced)) {
		e->until_ms = now_ms + KNOWN_MS;
		e->announced = announced;
	}
	if (e != NULL)
		return Q_OK;
	if (share(k, from) >= KNOWN_PER_NODE)
		return Q_LIMIT;
	if ((r = make_room(k, max)) != Q_OK)
		return r;
	e = &k->list[k->count++];
	*e = (struct known_place){
	    .place = *p, .announced = announced, .until_ms = now_ms + KNOWN_MS};
	memcpy(e->from, from, SHA256_LEN);
	return Q_OK;
}

bool
known_announced(struct known *k, const struct place *p, int64_t now_ms)
{
	struct known_place *e = find(k, p);

	return e != NULL && e->announced && e->until_ms > now_ms;
}
