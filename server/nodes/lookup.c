/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  getaddrinfo(3) cannot be broken off.  So each name has a detached thread, and
 * the state belongs to two: whoever lets go of it last frees it.  Addresses in figures
 * need neither thread nor waiting.
 */
#include "server/nodes/lookup.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"

#define STACK_SIZE (256 * 1024) /* the resolver's modules want more than a worker */

struct lookup {
	struct place place;
	struct lock lock; /* held while done() runs, so that it is a leaf but for that */
	void (*done)(void);        /* [lock] NULL: dropped */
	bool finished;             /* [lock] */
	unsigned owners;           /* [lock] who asked, and the thread */
	struct lookup_found found; /* the thread's until finished */
};

static void
let_go(struct lookup *l)
{
	bool last;

	lock_take(&l->lock);
	last = --l->owners == 0;
	lock_drop(&l->lock);
	if (last) {
		lock_fini(&l->lock);
		free(l);
	}
}

static void
find(const struct place *p, struct lookup_found *out)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	char text[PLACE_TEXT_SIZE], host[PEER_HOST_SIZE], port[8];
	struct addrinfo *list;
	uint16_t number;
	int rc;

	*out = (struct lookup_found){.problem = "no address to connect to"};
	place_text(p, text);
	if (peer_address(text, strlen(text), host, &number) != Q_OK)
		return;
	snprintf(port, sizeof(port), "%u", number);
	if (p->kind != NODES_HOST)
		hints.ai_flags |= AI_NUMERICHOST;
	if ((rc = getaddrinfo(host, port, &hints, &list)) != 0) {
		out->problem = gai_strerror(rc);
		return;
	}
	for (const struct addrinfo *a = list; a != NULL && out->count < LOOKUP_MAX;
	     a = a->ai_next)
		memcpy(&out->to[out->count++], a->ai_addr, a->ai_addrlen);
	freeaddrinfo(list);
	if (out->count > 0)
		out->problem = NULL;
}

static void *
run(void *arg)
{
	struct lookup *l = arg;

	find(&l->place, &l->found);
	lock_take(&l->lock);
	l->finished = true;
	if (l->done != NULL)
		l->done();
	lock_drop(&l->lock);
	let_go(l);
	return NULL;
}

static bool
start_thread(struct lookup *l)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool ok;

	if (pthread_attr_init(&attr) != 0)
		return false;
	ok = pthread_attr_setstacksize(&attr, STACK_SIZE) == 0 &&
	     pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
	     pthread_create(&thread, &attr, run, l) == 0;
	pthread_attr_destroy(&attr);
	return ok;
}

struct lookup *
lookup_start(const struct place *p, void (*done)(void))
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->place = *p;
	l->done = done;
	l->owners = 2;
	lock_init(&l->lock);
	if (p->kind != NODES_HOST) {
		(void)run(l);
	} else if (!start_thread(l)) {
		l->owners = 1;
		let_go(l);
		return NULL;
	}
	return l;
}

bool
lookup_done(struct lookup *l, struct lookup_found *out)
{
	bool yes;

	lock_take(&l->lock);
	if ((yes = l->finished))
		*out = l->found;
	lock_drop(&l->lock);
	return yes;
}

void
lookup_drop(struct lookup *l)
{
	if (l == NULL)
		return;
	lock_take(&l->lock);
	l->done = NULL;
	lock_drop(&l->lock);
	let_go(l);
}
