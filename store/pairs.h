/* SPDX-License-Identifier: MIT
 *
 * pairs.h - an index of what exists between two people: by pair and by person.  It
 * carries the chats of chats.c and the relations of relations.c, which embed a
 * struct pair as their first field.  Takes no lock: its owner has one.
 *
 *   person Alice ---- end[0] pair(Alice, Bob) end[1] ---- person Bob
 *               \---- end[1] pair(Carol, Alice) ...
 *
 * Names are compared without regard to case.  A person is spelled as when a pair
 * of that person was first added; one without pairs is forgotten.  Who has parted keeps
 * the pairs, but cannot be found, nor can they by name: somebody else may have it now.
 */
#ifndef STORE_PAIRS_H
#define STORE_PAIRS_H

#include <stdbool.h>

#include <bsd/sys/queue.h>

#include "base/name.h"
#include "store/index.h"

struct pair_end {
	SLIST_ENTRY(pair_end) link; /* of the person */
	struct person *person;
	struct pair *pair;
};

struct pair {
	struct index_node node;
	uint64_t topic;         /* two people have one pair about each topic */
	struct pair_end end[2]; /* in the order in which pairs_add got them */
	bool busy;              /* the owner's: a change of it is being written */
};

struct person {
	struct index_node node;
	char name[NAME_SIZE]; /* beside what is compared before it */
	/* Newest first.  Linked once only: adding does not touch the one before, which
	 * is half of what reading a hundred thousand of them costs; removing searches. */
	SLIST_HEAD(pair_ends, pair_end) ends;
	size_t n; /* of ends */
	bool parted;
};

#define PAIRS_KEYS (NAME_MAX_LEN / 4 + 1)

struct pairs {
	struct index people, parted, all;
	uint64_t keys[PAIRS_KEYS]; /* of the hash */
};

enum qerr pairs_init(struct pairs *p); /* Q_NOMEM */
/* Forget everything.  gone is called for each pair that is still there and may free
 * it; NULL: the owner has done so, or will. */
void pairs_fini(struct pairs *p, void (*gone)(struct pair *pair));
/* Add pair, whose memory is the caller's.  a and b are names and differ.  Q_EXISTS:
 * there is one; Q_NOMEM. */
enum qerr pairs_add(struct pairs *p, struct pair *pair, const char *a, const char *b,
		    uint64_t topic);
void pairs_remove(struct pairs *p, struct pair *pair);
/* From here on whoever has the person's name is somebody else, without pairs. */
void pairs_part(struct pairs *p, struct person *person);
/* NULL: there is none. */
struct pair *
pairs_find(const struct pairs *p, const char *a, const char *b, uint64_t topic);
struct person *pairs_person(const struct pairs *p, const char *name);
/* Which end is name's, who is one of the two? */
int pair_side(const struct pair *pair, const char *name);

#endif
