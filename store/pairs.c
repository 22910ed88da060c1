/* SPDX-License-Identifier: MIT
 *
 * People choose their names, so a hash that can be computed elsewhere would let a
 * few of them make all of this as slow as a list.  This one is "multilinear" with
 * random keys (Lemire and Kaser, "Strongly universal string hashing is fast"): two
 * given names fall together with a chance of 1 in 2^32, whichever they are.
 */
#include "store/pairs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"

enum qerr
pairs_init(struct pairs *p)
{
	if (index_init(&p->people) != Q_OK)
		return Q_NOMEM;
	if (index_init(&p->parted) != Q_OK)
		goto no_parted;
	if (index_init(&p->all) != Q_OK)
		goto no_all;
	random_bytes(p->keys, sizeof(p->keys));
	return Q_OK;
no_all:
	index_fini(&p->parted);
no_parted:
	index_fini(&p->people);
	return Q_NOMEM;
}

static void
free_people(struct index *people)
{
	struct index_node *node, *next;

	for (node = index_walk(people, NULL); node != NULL; node = next) {
		next = index_walk(people, node);
		free(INDEX_OBJECT(node, struct person, node));
	}
	index_fini(people);
}

void
pairs_fini(struct pairs *p, void (*gone)(struct pair *pair))
{
	struct index_node *node, *next;

	node = gone != NULL ? index_walk(&p->all, NULL) : NULL;
	for (; node != NULL; node = next) {
		next = index_walk(&p->all, node);
		gone(INDEX_OBJECT(node, struct pair, node));
	}
	free_people(&p->people);
	free_people(&p->parted);
	index_fini(&p->all);
}

static uint32_t
hash_words(const struct pairs *p, const uint32_t *words, size_t n)
{
	uint64_t sum = p->keys[0];

	for (size_t i = 0; i < n; i++)
		sum += p->keys[i + 1] * words[i];
	return (uint32_t)(sum >> 32);
}

static uint32_t
hash_name(const struct pairs *p, const char *name)
{
	uint32_t words[NAME_MAX_LEN / 4] = {0};
	char folded[NAME_SIZE];

	name_fold(name, folded);
	memcpy(words, folded, strlen(folded));
	return hash_words(p, words, NAME_MAX_LEN / 4);
}

static uint32_t
hash_pair(const struct pairs *p, const struct person *a, const struct person *b,
	  uint64_t topic)
{
	uint32_t x = a->node.hash, y = b->node.hash;
	uint32_t words[] = {x < y ? x : y, x < y ? y : x, (uint32_t)topic,
			    (uint32_t)(topic >> 32)};

	return hash_words(p, words, sizeof(words) / sizeof(words[0]));
}

/* ---- people ---- */

static struct person *
find_person(const struct pairs *p, const char *name, uint32_t hash)
{
	struct index_node *node = index_first(&p->people, hash);

	for (; node != NULL; node = index_next(node)) {
		struct person *person = INDEX_OBJECT(node, struct person, node);

		if (name_cmp(person->name, name) == 0)
			return person;
	}
	return NULL;
}

struct person *
pairs_person(const struct pairs *p, const char *name)
{
	if (!name_valid(span_str(name))) /* whatever somebody has asked for */
		return NULL;
	return find_person(p, name, hash_name(p, name));
}

static struct person *
person_get(struct pairs *p, const char *name)
{
	uint32_t hash = hash_name(p, name);
	struct person *person = find_person(p, name, hash);

	if (person != NULL || (person = calloc(1, sizeof(*person))) == NULL)
		return person;
	SLIST_INIT(&person->ends);
	memcpy(person->name, name, strlen(name));
	index_add(&p->people, &person->node, hash);
	return person;
}

static void
person_put(struct pairs *p, struct person *person)
{
	if (person->n > 0)
		return;
	index_remove(person->parted ? &p->parted : &p->people, &person->node);
	free(person);
}

void
pairs_part(struct pairs *p, struct person *person)
{
	uint32_t hash = person->node.hash;

	assert(!person->parted);
	index_remove(&p->people, &person->node);
	index_add(&p->parted, &person->node, hash);
	person->parted = true;
}

/* ---- pairs ---- */

static struct pair *
find_pair(const struct pairs *p, const struct person *x, const struct person *y,
	  uint64_t topic, uint32_t hash)
{
	struct index_node *node = index_first(&p->all, hash);

	for (; node != NULL; node = index_next(node)) {
		struct pair *pair = INDEX_OBJECT(node, struct pair, node);
		struct person *one = pair->end[0].person, *two = pair->end[1].person;

		if (pair->topic == topic &&
		    ((one == x && two == y) || (one == y && two == x)))
			return pair;
	}
	return NULL;
}

struct pair *
pairs_find(const struct pairs *p, const char *a, const char *b, uint64_t topic)
{
	struct person *x = pairs_person(p, a), *y = pairs_person(p, b);

	if (x == NULL || y == NULL)
		return NULL;
	return find_pair(p, x, y, topic, hash_pair(p, x, y, topic));
}

enum qerr
pairs_add(struct pairs *p, struct pair *pair, const char *a, const char *b,
	  uint64_t topic)
{
	struct person *who[2];
	uint32_t hash;
	enum qerr e = Q_NOMEM;

	assert(name_cmp(a, b) != 0);
	if ((who[0] = person_get(p, a)) == NULL)
		return Q_NOMEM;
	if ((who[1] = person_get(p, b)) == NULL)
		goto no_second;
	hash = hash_pair(p, who[0], who[1], topic);
	if (find_pair(p, who[0], who[1], topic, hash) != NULL) {
		e = Q_EXISTS;
		goto exists;
	}
	for (int i = 0; i < 2; i++) {
		pair->end[i].person = who[i];
		pair->end[i].pair = pair;
		SLIST_INSERT_HEAD(&who[i]->ends, &pair->end[i], link);
		who[i]->n++;
	}
	pair->topic = topic;
	pair->busy = false;
	index_add(&p->all, &pair->node, hash);
	return Q_OK;
exists:
	person_put(p, who[1]);
no_second:
	person_put(p, who[0]);
	return e;
}

void
pairs_remove(struct pairs *p, struct pair *pair)
{
	index_remove(&p->all, &pair->node);
	for (int i = 0; i < 2; i++) {
		struct person *who = pair->end[i].person;

		SLIST_REMOVE(&who->ends, &pair->end[i], pair_end, link);
		who->n--;
		person_put(p, who);
	}
}

int
pair_side(const struct pair *pair, const char *name)
{
	return name_cmp(pair->end[0].person->name, name) == 0 ? 0 : 1;
}
