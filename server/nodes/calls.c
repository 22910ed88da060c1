/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  A call is in the table by its unordered pair of UINs, so there is at most one
 * between two users, whoever has called.  Every way in which a call can end goes through
 * calls_end(), which knows from the call's state who has to hear of it; the callers only say
 * who knows already.
 */
#include "server/nodes/calls_inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int
party_cmp(const struct party *a, const struct party *b)
{
	return (a->uin > b->uin) - (a->uin < b->uin);
}
/* RB_GENERATE_STATIC, but for a word that <sys/cdefs.h> does not always have. */
RB_GENERATE_INTERNAL(party_tree, party, link, party_cmp, static __attribute__((unused)))

static uint32_t
low(const struct call *c)
{
	return c->uin[0] < c->uin[1] ? c->uin[0] : c->uin[1];
}

static uint32_t
high(const struct call *c)
{
	return c->uin[0] < c->uin[1] ? c->uin[1] : c->uin[0];
}

static int
pair_cmp(const struct call *a, const struct call *b)
{
	if (low(a) != low(b))
		return low(a) < low(b) ? -1 : 1;
	return (high(a) > high(b)) - (high(a) < high(b));
}
RB_GENERATE(call_pairs, call, by_pair, pair_cmp)

static int
time_cmp(const struct call *a, const struct call *b)
{
	if (a->lapses_ms != b->lapses_ms)
		return a->lapses_ms < b->lapses_ms ? -1 : 1;
	return pair_cmp(a, b);
}
RB_GENERATE_INTERNAL(call_times, call, by_time, time_cmp, static __attribute__((unused)))

void
calls_init(struct calls *c, const struct calls_limits *limits, calls_tell_fn *tell)
{
	lock_init(&c->lock);
	RB_INIT(&c->parties);
	RB_INIT(&c->pairs);
	RB_INIT(&c->times);
	TAILQ_INIT(&c->searching);
	c->count = 0;
	c->limits = *limits;
	c->tell = tell;
}

void
calls_fini(struct calls *c)
{
	assert(RB_EMPTY(&c->parties) && RB_EMPTY(&c->pairs) && c->count == 0);
	lock_fini(&c->lock);
}

/* ---- telling ---- */

void
calls_tell_party(struct calls *c, enum told what, struct party *p, uint32_t uin,
		 void *arg)
{
	struct calls_told t = {.what = what, .party = p, .uin = uin};

	if (p != NULL)
		c->tell(arg, &t);
}

void
calls_tell_wire(struct calls *c, enum told what, const struct call *call, void *arg)
{
	struct calls_told t = {.what = what,
			       .wire = call->wire,
			       .uin = call->uin[CALLER],
			       .uin2 = call->uin[CALLEE]};

	if (call->wire != NULL)
		c->tell(arg, &t);
}

void
calls_tell_simply(struct calls *c, enum told what, struct call *call, void *data,
		  void *arg)
{
	struct calls_told t = {.what = what, .call = call, .data = data};

	c->tell(arg, &t);
}

/* ---- the table ---- */

struct call *
calls_find(struct calls *c, uint32_t a, uint32_t b)
{
	struct call key = {.uin = {a, b}};

	return RB_FIND(call_pairs, &c->pairs, &key);
}

void
calls_set_time(struct calls *c, struct call *call, int64_t now_ms, int64_t timeout)
{
	if (call->lapses_ms != 0)
		RB_REMOVE(call_times, &c->times, call);
	call->lapses_ms = timeout == 0 ? 0 : now_ms + timeout;
	if (call->lapses_ms != 0)
		RB_INSERT(call_times, &c->times, call);
}

static bool
pending(const struct call *call)
{
	return call->state < CALL_UP;
}

void
calls_set_state(struct calls *c, struct call *call, enum call_state state)
{
	struct party *caller = call->party[CALLER];
	bool was_searching = call->state == CALL_SEARCHING;
	bool was_pending = pending(call);

	call->state = state;
	if (was_searching && state != CALL_SEARCHING) {
		TAILQ_REMOVE(&c->searching, call, searching);
		if (caller != NULL)
			caller->searching--;
	}
	if (was_pending && !pending(call)) {
		if (caller != NULL)
			caller->pending--;
		else if (call->wire != NULL)
			call->wire->asked--;
	}
}

struct call *
calls_add(struct calls *c, uint32_t caller, uint32_t callee, struct party *caller_party,
	  struct party *callee_party, struct wire *wire)
{
	struct call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		return NULL;
	call->uin[CALLER] = caller;
	call->uin[CALLEE] = callee;
	call->party[CALLER] = caller_party;
	call->party[CALLEE] = callee_party;
	if ((call->wire = wire) != NULL)
		wire->calls++;
	call->early = (struct buf)BUF_INIT(CALLS_EARLY_MAX);
	call->refs = 1;
	call->state = CALL_ASKED;
	if (caller_party != NULL)
		caller_party->pending++;
	else
		wire->asked++;
	RB_INSERT(call_pairs, &c->pairs, call);
	c->count++;
	return call;
}

void
calls_unref(struct calls *c, struct call *call)
{
	if (--call->refs > 0)
		return;
	assert(call->state == CALL_OVER);
	buf_free(&call->early);
	free(call);
	c->count--;
}

void
calls_end(struct calls *c, struct call *call, unsigned knows, void *arg) REQUIRES(c->lock)
{
	bool up = call->state == CALL_UP;
	/* The callee has heard of it, and has not been given it. */
	bool asked = call->state == CALL_ASKED || call->state == CALL_ALLOWED;

	calls_set_time(c, call, 0, 0);
	RB_REMOVE(call_pairs, &c->pairs, call);
	calls_set_state(c, call, CALL_OVER);
	if (!up && !(knows & KNOWS_CALLER))
		calls_tell_party(c, TOLD_NOT_FOUND, call->party[CALLER],
				 call->uin[CALLEE], arg);
	if (asked && !(knows & KNOWS_CALLEE))
		calls_tell_party(c, TOLD_NOT_FOUND, call->party[CALLEE],
				 call->uin[CALLER], arg);
	if (!(knows & KNOWS_WIRE))
		calls_tell_wire(c, TOLD_WIRE_OVER, call, arg);
	for (int side = CALLER; side <= CALLEE; side++)
		if (call->data[side] != NULL)
			calls_tell_simply(c, TOLD_CLOSE, call, call->data[side], arg);
	call->party[CALLER] = call->party[CALLEE] = NULL;
	if (call->wire != NULL)
		call->wire->calls--;
	call->wire = NULL;
	calls_unref(c, call);
}

/* ---- control sessions ---- */

void
calls_enter(struct calls *c, struct party *p)
{
	struct party *other;

	LOCK_ASSERT_HELD(&c->lock);
	p->pending = p->searching = 0;
	other = RB_INSERT(party_tree, &c->parties, p);
	assert(other == NULL);
	(void)other;
	p->present = true;
}

struct party *
calls_party(struct calls *c, uint32_t uin)
{
	struct party key = {.uin = uin};

	LOCK_ASSERT_HELD(&c->lock);
	return RB_FIND(party_tree, &c->parties, &key);
}

void
calls_leave(struct calls *c, struct party *p, void *arg)
{
	struct call *call, *next;

	LOCK_ASSERT_HELD(&c->lock);
	if (!p->present)
		return;
	RB_REMOVE(party_tree, &c->parties, p);
	p->present = false;
	RB_FOREACH_SAFE (call, call_pairs, &c->pairs, next) {
		enum call_side side = call->party[CALLER] == p ? CALLER : CALLEE;

		if (call->party[side] != p)
			continue;
		if (pending(call))
			calls_end(c, call, side == CALLER ? KNOWS_CALLER : KNOWS_CALLEE,
				  arg);
		else
			call->party[side] = NULL;
	}
}

/* Somebody who is not here: ask the other nodes. */
static enum qerr
search(struct calls *c, struct party *p, uint32_t callee, int64_t now_ms, void *arg)
    REQUIRES(c->lock)
{
	struct calls_told told = {.what = TOLD_SEARCH, .uin = callee};
	struct call *call;

	if (p->searching >= c->limits.max_searches) {
		calls_tell_party(c, TOLD_NOT_FOUND, p, callee, arg);
		return Q_OK;
	}
	if ((call = calls_add(c, p->uin, callee, p, NULL, NULL)) == NULL) {
		calls_tell_party(c, TOLD_NOT_FOUND, p, callee, arg);
		return Q_NOMEM;
	}
	call->state = CALL_SEARCHING;
	p->searching++;
	TAILQ_INSERT_TAIL(&c->searching, call, searching);
	calls_set_time(c, call, now_ms, c->limits.search_timeout);
	c->tell(arg, &told);
	return Q_OK;
}

bool
calls_speak(struct calls *c, const struct party *p, uint32_t uin)
{
	const struct call *call = calls_find(c, p->uin, uin);

	LOCK_ASSERT_HELD(&c->lock);
	return call != NULL && call->state == CALL_UP;
}

enum qerr
calls_place(struct calls *c, struct party *p, uint32_t callee, int64_t now_ms, void *arg)
{
	struct party *other = calls_party(c, callee);
	struct call *call = calls_find(c, p->uin, callee);

	LOCK_ASSERT_HELD(&c->lock);
	/* Who has been replaced may still be speaking: nobody would end its calls. */
	if (!p->present)
		return Q_OK;
	if (call != NULL && pending(call) && call->party[CALLER] == p)
		return Q_OK;
	if (call != NULL || callee == p->uin || p->pending >= c->limits.max_pending) {
		calls_tell_party(c, TOLD_NOT_FOUND, p, callee, arg);
		return Q_OK;
	}
	if (other == NULL)
		return search(c, p, callee, now_ms, arg);
	if ((call = calls_add(c, p->uin, callee, p, other, NULL)) == NULL) {
		calls_tell_party(c, TOLD_NOT_FOUND, p, callee, arg);
		return Q_NOMEM;
	}
	calls_set_time(c, call, now_ms, c->limits.call_timeout);
	calls_tell_party(c, TOLD_CALLED, other, p->uin, arg);
	return Q_OK;
}

/* The pending call from caller that p has been asked about, or NULL. */
static struct call *
asked_of(struct calls *c, const struct party *p, uint32_t caller) REQUIRES(c->lock)
{
	struct call *call = calls_find(c, p->uin, caller);

	return call != NULL && call->party[CALLEE] == p && pending(call) ? call : NULL;
}

void
calls_allow(struct calls *c, struct party *p, uint32_t caller, int64_t now_ms, void *arg)
{
	struct call *call = asked_of(c, p, caller);

	LOCK_ASSERT_HELD(&c->lock);
	if (!p->present)
		return;
	if (call == NULL) {
		calls_tell_party(c, TOLD_NOT_FOUND, p, caller, arg);
		return;
	}
	if (call->state != CALL_ASKED)
		return;
	calls_set_state(c, call, CALL_ALLOWED);
	calls_set_time(c, call, now_ms, c->limits.data_timeout);
	calls_tell_simply(c, TOLD_WAITING, call, NULL, arg);
}

void
calls_refuse(struct calls *c, struct party *p, uint32_t caller, void *arg)
{
	struct call *call = asked_of(c, p, caller);

	LOCK_ASSERT_HELD(&c->lock);
	if (call != NULL)
		calls_end(c, call, KNOWS_CALLEE, arg);
}

/* ---- data connections ---- */

/* Which data connection is the call waiting for?  False: none. */
static bool
awaits(const struct call *call, enum call_side *side)
{
	if (call->state != CALL_ALLOWED && call->state != CALL_READY)
		return false;
	*side = call->state == CALL_ALLOWED ? CALLEE : CALLER;
	return true;
}

static void
joined(struct calls *c, struct call *call, enum call_side side, int64_t now_ms, void *arg)
    REQUIRES(c->lock)
{
	if (side == CALLEE && call->wire == NULL) {
		calls_set_state(c, call, CALL_READY);
		calls_set_time(c, call, now_ms, c->limits.data_timeout);
		calls_tell_party(c, TOLD_READY, call->party[CALLER], call->uin[CALLEE],
				 arg);
		calls_tell_simply(c, TOLD_WAITING, call, NULL, arg);
		return;
	}
	calls_set_state(c, call, CALL_UP);
	calls_set_time(c, call, now_ms, 0);
	if (side == CALLEE)
		calls_tell_wire(c, TOLD_WIRE_READY, call, arg);
	calls_tell_simply(c, TOLD_UP, call, NULL, arg);
}

enum qerr
calls_join(struct calls *c, uint32_t caller, uint32_t callee, const struct address *from,
	   void *data, int64_t now_ms, struct call **out, enum call_side *side, void *arg)
{
	struct call *call = calls_find(c, caller, callee);
	enum call_side which;

	LOCK_ASSERT_HELD(&c->lock);
	if (call == NULL || call->uin[CALLER] != caller || !awaits(call, &which) ||
	    call->party[which] == NULL ||
	    address_cmp(&call->party[which]->address, from) != 0)
		return Q_MISSING;
	call->data[which] = data;
	call->refs++;
	*out = call;
	*side = which;
	joined(c, call, which, now_ms, arg);
	return Q_OK;
}

void
calls_hang_up(struct calls *c, struct call *call, enum call_side side, void *arg)
{
	LOCK_ASSERT_HELD(&c->lock);
	call->data[side] = NULL;
	if (call->state != CALL_OVER)
		calls_end(c, call, KNOWS_NOBODY, arg);
}

void
calls_break(struct calls *c, struct call *call, void *arg)
{
	LOCK_ASSERT_HELD(&c->lock);
	if (call->state != CALL_OVER)
		calls_end(c, call, KNOWS_NOBODY, arg);
}

/* ---- time ---- */

int64_t
calls_next(struct calls *c)
{
	struct call *first = RB_MIN(call_times, &c->times);

	LOCK_ASSERT_HELD(&c->lock);
	return first == NULL ? 0 : first->lapses_ms;
}

int64_t
calls_lapse(struct calls *c, int64_t now_ms, void *arg)
{
	struct call *call;

	LOCK_ASSERT_HELD(&c->lock);
	while ((call = RB_MIN(call_times, &c->times)) != NULL &&
	       call->lapses_ms <= now_ms)
		/* A caller who was told that the callee is ready, and did not come,
		 * needs no word. */
		calls_end(c, call,
			  call->state == CALL_READY ? KNOWS_CALLER : KNOWS_NOBODY, arg);
	return calls_next(c);
}
