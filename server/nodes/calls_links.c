/* SPDX-License-Identifier: MIT
 *
 * Calls whose other half is at another node: what is asked and told over a link.
 */
#include "server/nodes/calls_inner.h"

#include <assert.h>

void
calls_searched(struct calls *c, uint32_t callee, struct wire *wire, int64_t now_ms,
	       void *arg)
{
	struct call *call = NULL, *next;

	LOCK_ASSERT_HELD(&c->lock);
	TAILQ_FOREACH_SAFE (call, &c->searching, searching, next) {
		if (call->uin[CALLEE] != callee)
			continue;
		if (wire == NULL) {
			calls_end(c, call, KNOWS_NOBODY, arg);
			continue;
		}
		call->wire = wire;
		wire->calls++;
		calls_set_state(c, call, CALL_ASKED);
		calls_set_time(c, call, now_ms,
			       c->limits.call_timeout + c->limits.remote_extra);
		calls_tell_wire(c, TOLD_WIRE_ASK, call, arg);
	}
}

/* Say B8 about a call that is not ours. */
static void
no_such_call(struct calls *c, struct wire *w, uint32_t a, uint32_t b, void *arg)
{
	struct calls_told t = {.what = TOLD_WIRE_OVER, .wire = w, .uin = a, .uin2 = b};

	c->tell(arg, &t);
}

void
calls_wire_ask(struct calls *c, struct wire *w, uint32_t caller, uint32_t callee,
	       int64_t now_ms, void *arg)
{
	struct party *p = calls_party(c, callee);
	struct call *call = calls_find(c, caller, callee);

	LOCK_ASSERT_HELD(&c->lock);
	if (call != NULL && call->wire == w && call->uin[CALLER] == caller &&
	    call->party[CALLER] == NULL)
		return;
	if (call != NULL || p == NULL || caller == callee ||
	    calls_party(c, caller) != NULL || w->asked >= c->limits.max_asked ||
	    (call = calls_add(c, caller, callee, NULL, p, w)) == NULL) {
		no_such_call(c, w, caller, callee, arg);
		return;
	}
	calls_set_time(c, call, now_ms, c->limits.call_timeout);
	calls_tell_party(c, TOLD_CALLED, p, caller, arg);
}

void
calls_wire_ready(struct calls *c, struct wire *w, uint32_t caller, uint32_t callee,
		 int64_t now_ms, void *arg)
{
	struct call *call = calls_find(c, caller, callee);

	LOCK_ASSERT_HELD(&c->lock);
	if (call == NULL || call->wire != w || call->uin[CALLER] != caller ||
	    call->party[CALLER] == NULL || call->state != CALL_ASKED)
		return;
	calls_set_state(c, call, CALL_READY);
	calls_set_time(c, call, now_ms, c->limits.data_timeout);
	calls_tell_party(c, TOLD_READY, call->party[CALLER], callee, arg);
	calls_tell_simply(c, TOLD_WAITING, call, NULL, arg);
}

void
calls_wire_over(struct calls *c, struct wire *w, uint32_t a, uint32_t b, void *arg)
{
	struct call *call = calls_find(c, a, b);

	LOCK_ASSERT_HELD(&c->lock);
	if (call != NULL && call->wire == w)
		calls_end(c, call, KNOWS_WIRE, arg);
}

struct call *
calls_wire_data(struct calls *c, struct wire *w, uint32_t from, uint32_t to)
{
	struct call *call = calls_find(c, from, to);
	enum call_side here;

	LOCK_ASSERT_HELD(&c->lock);
	if (call == NULL || call->wire != w)
		return NULL;
	here = call->uin[CALLER] == to ? CALLER : CALLEE;
	if (call->state == CALL_UP && call->data[here] != NULL)
		return call;
	return call->state == CALL_READY && here == CALLER ? call : NULL;
}

void
calls_wire_lost(struct calls *c, struct wire *w, void *arg)
{
	struct call *call, *next;

	LOCK_ASSERT_HELD(&c->lock);
	RB_FOREACH_SAFE (call, call_pairs, &c->pairs, next)
		if (call->wire == w)
			calls_end(c, call, KNOWS_WIRE, arg);
}
