/* SPDX-License-Identifier: MIT
 *
 * step.c - the calls' lock, clock and mouth.
 *
 * DESIGN.  Whatever changes a call does so between nodes_begin and nodes_finish; the
 * table (calls.c) says what everybody has to be told, and tell() puts that into
 * outboxes, under the lock, so that the order in which a client hears of things is the
 * order in which they happened.  Nothing there waits: an outbox that is full ends its
 * session, and what was put is written when the lock is dropped.
 */
#include "base/clock.h"
#include "server/metrics.h"
#include "server/nodes/links.h"
#include "server/nodes/nodes_session.h"

/* A callee elsewhere is asked by its own node, which counts first. */
#define REMOTE_EXTRA_MS 5000
/* Searches are ended by those who search (search.h); this is longer. */
#define SEARCH_EXTRA_MS 5000
#define MAX_PENDING     64
#define MAX_ASKED       64

struct calls nodes_calls;
pthread_cond_t nodes_changed;
static struct timer lapse_timer;
static int64_t lapse_at_ms; /* [calls] when it comes, 0: nobody needs it */

static void
tell(void *arg, const struct calls_told *t)
{
	(void)arg;
	switch (t->what) {
	case TOLD_CALLED: control_tell(control_of(t->party), NODES_CALLED, t->uin); break;
	case TOLD_NOT_FOUND:
		control_tell(control_of(t->party), NODES_NOT_FOUND, t->uin);
		break;
	case TOLD_READY: control_tell(control_of(t->party), NODES_READY, t->uin); break;
	case TOLD_WAITING: pthread_cond_broadcast(&nodes_changed); break;
	case TOLD_UP:
		metric_add(METRIC_chats_total, 1);
		for (int side = CALLER; side <= CALLEE; side++)
			if (t->call->data[side] != NULL)
				leg_up(t->call->data[side]);
		break;
	case TOLD_CLOSE: leg_close(t->data); break;
	case TOLD_SEARCH:
	case TOLD_WIRE_ASK:
	case TOLD_WIRE_READY:
	case TOLD_WIRE_OVER: links_tell(t); break;
	}
}

static struct calls_limits
limits_now(void)
{
	const struct config *c = config_now();

	return (struct calls_limits){
	    .call_timeout = c->nodes_call_timeout_ms,
	    .remote_extra = REMOTE_EXTRA_MS,
	    .data_timeout = c->nodes_data_timeout_ms,
	    .search_timeout = c->nodes_search_timeout_ms + SEARCH_EXTRA_MS,
	    .max_pending = MAX_PENDING,
	    .max_searches = links_searches(),
	    .max_asked = MAX_ASKED,
	};
}

enum qerr
nodes_start(struct server *server)
{
	struct calls_limits limits = limits_now();

	calls_init(&nodes_calls, &limits, tell);
	lock_cond_init(&nodes_changed);
	lapse_timer = (struct timer){0};
	return links_start(server);
}

void
nodes_stop(struct server *server)
{
	links_stop();
	timer_cancel(server->timers, &lapse_timer);
	pthread_cond_destroy(&nodes_changed);
	calls_fini(&nodes_calls);
}

void
nodes_begin(void)
{
	lock_take(&nodes_calls.lock);
	nodes_calls.limits = limits_now();
}

static void
lapse(void *arg)
{
	nodes_begin();
	lapse_at_ms = 0;
	(void)calls_lapse(&nodes_calls, clock_mono_ms(), NODES_ARG);
	nodes_finish(arg);
}

/* Set under the lock, so that the timer never comes later than the first call lapses. */
void
nodes_finish(struct server *server)
{
	int64_t next;

	links_settle();
	next = calls_next(&nodes_calls);
	if (next != 0 && next != lapse_at_ms)
		timer_set(server->timers, &lapse_timer, next, lapse, server);
	lapse_at_ms = next;
	lock_drop(&nodes_calls.lock);
	outbox_flush_touched();
}
