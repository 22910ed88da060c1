/* SPDX-License-Identifier: MIT */
#include "store/index.h"

#include <assert.h>
#include <stdlib.h>

#define SLOTS_FIRST 64
#define GROWTH      4 /* every object is touched, which is what costs: seldom */

enum qerr
index_init(struct index *ix)
{
	struct index_node **slots = calloc(SLOTS_FIRST, sizeof(struct index_node *));

	if (slots == NULL)
		return Q_NOMEM;
	ix->slots = slots;
	ix->n_slots = SLOTS_FIRST;
	ix->n = 0;
	return Q_OK;
}

void
index_fini(struct index *ix)
{
	free(ix->slots);
	*ix = (struct index){NULL, 0, 0};
}

static struct index_node **
slot_of(struct index_node **slots, size_t n_slots, uint32_t hash)
{
	return &slots[hash & (n_slots - 1)];
}

static void
grow(struct index *ix)
{
	size_t n_slots = ix->n_slots * GROWTH;
	struct index_node **slots, *node;

	if ((slots = calloc(n_slots, sizeof(struct index_node *))) == NULL)
		return;
	for (size_t i = 0; i < ix->n_slots; i++)
		while ((node = ix->slots[i]) != NULL) {
			struct index_node **to = slot_of(slots, n_slots, node->hash);

			ix->slots[i] = node->next;
			node->next = *to;
			*to = node;
		}
	free(ix->slots);
	ix->slots = slots;
	ix->n_slots = n_slots;
}

void
index_add(struct index *ix, struct index_node *node, uint32_t hash)
{
	struct index_node **to;

	if (ix->n >= ix->n_slots)
		grow(ix);
	to = slot_of(ix->slots, ix->n_slots, hash);
	node->hash = hash;
	node->next = *to;
	*to = node;
	ix->n++;
}

void
index_remove(struct index *ix, struct index_node *node)
{
	struct index_node **at = slot_of(ix->slots, ix->n_slots, node->hash);

	while (*at != node) {
		assert(*at != NULL);
		at = &(*at)->next;
	}
	*at = node->next;
	ix->n--;
}

static struct index_node *
same_hash(struct index_node *node, uint32_t hash)
{
	while (node != NULL && node->hash != hash)
		node = node->next;
	return node;
}

struct index_node *
index_first(const struct index *ix, uint32_t hash)
{
	return same_hash(*slot_of(ix->slots, ix->n_slots, hash), hash);
}

struct index_node *
index_next(const struct index_node *node)
{
	return same_hash(node->next, node->hash);
}

struct index_node *
index_walk(const struct index *ix, const struct index_node *node)
{
	size_t i = 0;

	if (node != NULL) {
		if (node->next != NULL)
			return node->next;
		i = (node->hash & (ix->n_slots - 1)) + 1;
	}
	while (i < ix->n_slots && ix->slots[i] == NULL)
		i++;
	return i < ix->n_slots ? ix->slots[i] : NULL;
}
