/* SPDX-License-Identifier: MIT
 *
 * index.h - a hash table of objects that carry their own link, for state that is
 * kept in memory whole (chats, contacts).  Adding never fails: when there is no
 * memory for a larger table the chains get longer, that is all.  Takes no lock.
 *
 * Where people choose the keys the hash has to be one that they cannot predict;
 * that is the caller's business (pairs.c).
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct index_node {
	struct index_node *next;
	uint32_t hash;
};

struct index {
	struct index_node **slots;
	size_t n_slots; /* a power of two */
	size_t n;
};

/* The object around a node. */
#define INDEX_OBJECT(node, type, field) \
	((type *)(void *)((char *)(node)-offsetof(type, field)))

enum qerr index_init(struct index *ix); /* Q_NOMEM */
/* The objects are the caller's. */
void index_fini(struct index *ix);
void index_add(struct index *ix, struct index_node *node, uint32_t hash);
void index_remove(struct index *ix, struct index_node *node);
/* The first node with that hash, and the next one with the hash of node; NULL: no
 * more.  What it is the caller compares. */
struct index_node *index_first(const struct index *ix, uint32_t hash);
struct index_node *index_next(const struct index_node *node);
/* All nodes in no order, from NULL on; NULL after the last.  To remove a node while
 * walking, ask for the one behind it first. */
struct index_node *index_walk(const struct index *ix, const struct index_node *node);

#endif
