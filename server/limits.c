/* SPDX-License-Identifier: MIT
 *
 * limits.c - buckets of tokens, kept as points in time.
 *
 * A bucket is one number (the "generic cell rate algorithm"): the time at which it will
 * be full again.  A token costs the time in which it grows back, so taking some moves
 * that time on, and nothing has to be filled by anybody:
 *
 *	   now              full_at           now + burst
 *	----|==== missing ====|---- there ---------|---->
 *
 * Hence a message costs a look at the clock and one atomic exchange, no lock.
 *
 * Who is refused one token is told a number of whole seconds, and is refused until they
 * have passed, though a token may be there before.  Otherwise, of a hundred lines that
 * were sent in one go, some in the middle would get through, and what is sent again for
 * the others comes behind them.
 *
 * The buckets of a user, or of an address, are a purse.  A tree finds it; each session
 * that has used one holds it, so that the tree is asked once a login.  A purse that
 * nobody holds is dropped as soon as all of its buckets are full, which is when it says
 * nothing any more; of those that are not, IDLE_MAX are kept, and then the one that was
 * let go first is forgotten.  So nobody can make the tree grow.
 */
#include "server/limits.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>
#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "base/clock.h"
#include "base/lock.h"
#include "server/config.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/moderation.h"
#include "server/server.h"
#include "server/session.h"
#include "server/throttle.h"

#define IDLE_MAX 8192

#define SECOND_NS INT64_C(1000000000)
#define MINUTE_NS (60 * SECOND_NS)
#define HOUR_NS   (60 * MINUTE_NS)
#define PICTURES  10 /* an address may ask for, for each account that it may make */

#define F(field) offsetof(struct config, field)

static const struct kind {
	const char *setting;
	size_t burst, rate; /* offsets of int64_t in struct config */
	int64_t times;      /* what both are multiplied by */
	int64_t per_ns;
	bool of_address;
	bool speaks; /* not for those who are muted */
} kinds[LIMIT_COUNT] = {
    [LIMIT_MESSAGE] = {"limits.messages", F(messages), F(messages_rate), 1, MINUTE_NS,
		       false, true},
    [LIMIT_JOIN] = {"limits.joins", F(joins), F(joins_rate), 1, MINUTE_NS, false, true},
    [LIMIT_KEY] = {"limits.messages", F(messages), F(messages_rate), 1, MINUTE_NS, false,
		   false},
    [LIMIT_ENTER] = {"limits.joins", F(joins), F(joins_rate), 1, MINUTE_NS, false, false},
    [LIMIT_SEARCH] = {"limits.searches", F(searches), F(searches_rate), 1, MINUTE_NS,
		      false, false},
    [LIMIT_ACCOUNT] = {"limits.accounts", F(accounts), F(accounts), 1, HOUR_NS, true,
		       false},
    [LIMIT_SIGNUP] = {"rooms.signups_per_address", F(rooms_signups_per_address),
		      F(rooms_signups_per_address), 1, HOUR_NS, true, false},
    [LIMIT_PICTURE] = {"rooms.signups_per_address", F(rooms_signups_per_address),
		       F(rooms_signups_per_address), PICTURES, HOUR_NS, true, false},
    [LIMIT_ENROL] = {"limits.enrolments", F(enrolments), F(enrolments), 1, HOUR_NS, true,
		     false},
};

struct purse {
	RB_ENTRY(purse) by_key;
	TAILQ_ENTRY(purse) idle; /* while refs is 0; the first let go first */
	unsigned refs;           /* [lock] */
	char user[NAME_SIZE];    /* as the first session wrote it; "": an address's */
	struct in6_addr ip;      /* zero: a user's; IPv6 cut to its /64 */
	_Atomic int64_t full_at[LIMIT_COUNT]; /* monotonic, ns */
	_Atomic int64_t shut_until[LIMIT_COUNT];
};

RB_HEAD(purse_tree, purse);
TAILQ_HEAD(purse_list, purse);

struct limits {
	struct lock lock;
	struct purse_tree tree; /* [lock] */
	struct purse_list idle; /* [lock] */
	size_t idle_count;      /* [lock] */
};

static int
purse_cmp(const struct purse *a, const struct purse *b)
{
	int c = name_cmp(a->user, b->user);

	return c != 0 ? c : memcmp(&a->ip, &b->ip, sizeof(a->ip));
}

RB_GENERATE_INTERNAL(purse_tree, purse, by_key, purse_cmp, static __attribute__((unused)))

struct limits *
limits_new(void)
{
	struct limits *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	lock_init(&l->lock);
	RB_INIT(&l->tree);
	TAILQ_INIT(&l->idle);
	return l;
}

void
limits_free(struct limits *l)
{
	struct purse *p;

	if (l == NULL)
		return;
	while ((p = RB_MIN(purse_tree, &l->tree)) != NULL) {
		RB_REMOVE(purse_tree, &l->tree, p);
		free(p);
	}
	lock_fini(&l->lock);
	free(l);
}

const char *
limits_setting(enum limit what)
{
	return kinds[what].setting;
}

/* ---- a bucket ---- */

static int64_t
setting_value(const struct config *cfg, size_t offset)
{
	int64_t value;

	memcpy(&value, (const char *)cfg + offset, sizeof(value));
	return value;
}

/* Take many at now_ns.  0, or for how many nanoseconds to wait. */
static int64_t
bucket_take(_Atomic int64_t *full_at, const struct kind *kind, int64_t many,
	    int64_t now_ns)
{
	const struct config *cfg = config_now();
	int64_t rate = setting_value(cfg, kind->rate) * kind->times;
	int64_t burst = setting_value(cfg, kind->burst) * kind->times;
	int64_t was = atomic_load_explicit(full_at, memory_order_relaxed);
	int64_t each, missing, wait;

	if (rate <= 0)
		return 0;
	each = kind->per_ns / rate;
	do {
		missing = was > now_ns ? was - now_ns : 0;
		wait = missing + (many < burst ? many : burst) * each - burst * each;
		if (wait > 0)
			return wait;
	} while (!atomic_compare_exchange_weak_explicit(
	    full_at, &was, now_ns + missing + many * each, memory_order_relaxed,
	    memory_order_relaxed));
	return 0;
}

/* The same for somebody who is told how long to wait: whole seconds. */
static int64_t
take_or_refuse(struct purse *p, enum limit what, int64_t many)
{
	int64_t now_ns = clock_mono_ns(), wait;
	int64_t shut = atomic_load_explicit(&p->shut_until[what], memory_order_relaxed);

	if (many == 1 && shut > now_ns)
		return shut - now_ns;
	wait = bucket_take(&p->full_at[what], &kinds[what], many, now_ns);
	if (wait == 0)
		return 0;
	wait = (wait + SECOND_NS - 1) / SECOND_NS * SECOND_NS;
	if (many == 1)
		atomic_store_explicit(&p->shut_until[what], now_ns + wait,
				      memory_order_relaxed);
	return wait;
}

static bool
full(const struct purse *p, int64_t now_ns)
{
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		if (atomic_load_explicit(&p->full_at[i], memory_order_relaxed) > now_ns)
			return false;
	return true;
}

/* ---- purses ---- */

static void
forget_locked(struct limits *l, struct purse *p) REQUIRES(l->lock)
{
	TAILQ_REMOVE(&l->idle, p, idle);
	l->idle_count--;
	RB_REMOVE(purse_tree, &l->tree, p);
	free(p);
}

/* The first in the list goes when it is full or one too many, and then the next one:
 * more are looked at than come, so that the list cannot stay long. */
static void
tidy_locked(struct limits *l, int64_t now_ns) REQUIRES(l->lock)
{
	for (int i = 0; i < 2; i++) {
		struct purse *p = TAILQ_FIRST(&l->idle);

		if (p == NULL || (l->idle_count <= IDLE_MAX && !full(p, now_ns)))
			return;
		forget_locked(l, p);
	}
}

static struct purse *
purse_get(struct limits *l, const char *user, const struct address *a)
{
	struct purse key = {0}, *p;

	if (user != NULL && *user != '\0') {
		strlcpy(key.user, user, sizeof(key.user));
	} else {
		key.ip = a->ip;
		if (!IN6_IS_ADDR_V4MAPPED(&a->ip))
			memset(&key.ip.s6_addr[8], 0, 8);
	}
	lock_take(&l->lock);
	if ((p = RB_FIND(purse_tree, &l->tree, &key)) != NULL) {
		if (p->refs++ == 0) {
			TAILQ_REMOVE(&l->idle, p, idle);
			l->idle_count--;
		}
	} else if ((p = calloc(1, sizeof(*p))) != NULL) {
		memcpy(p->user, key.user, sizeof(p->user));
		p->ip = key.ip;
		p->refs = 1;
		RB_INSERT(purse_tree, &l->tree, p);
	}
	lock_drop(&l->lock);
	return p;
}

static void
purse_put(struct limits *l, struct purse *p)
{
	int64_t now_ns = clock_mono_ns();

	lock_take(&l->lock);
	if (--p->refs == 0) {
		TAILQ_INSERT_TAIL(&l->idle, p, idle);
		l->idle_count++;
		if (full(p, now_ns))
			forget_locked(l, p);
	}
	tidy_locked(l, now_ns);
	lock_drop(&l->lock);
}

/* ---- taking ---- */

/* The purse that pays for s: its user's, or its address's, which is to be put back. */
static struct purse *
purse_of(struct session *s, enum limit what, bool *put_back)
{
	struct limits *l = s->server->limits;
	struct purse *p = s->grip.purse;

	*put_back = kinds[what].of_address || s->user[0] == '\0';
	if (*put_back)
		return purse_get(l, NULL, &s->peer);
	if (p == NULL || strcmp(p->user, s->user) != 0) {
		limits_let_go(s); /* it has become somebody else */
		p = s->grip.purse = purse_get(l, s->user, &s->peer);
	}
	return p;
}

/* 0, or for how many nanoseconds to wait. */
static int64_t
take(struct session *s, enum limit what, int64_t many)
{
	bool put_back, twice = atomic_exchange(&s->grip.in_use, true);
	struct purse *p;
	int64_t wait = 0;

	assert(!twice);
	if ((p = purse_of(s, what, &put_back)) != NULL) {
		wait = take_or_refuse(p, what, many);
		if (put_back)
			purse_put(s->server->limits, p);
	}
	atomic_store(&s->grip.in_use, false);
	return wait;
}

/* Trusted addresses or not. */
static bool
is_muted(struct session *s, enum limit what)
{
	if (!kinds[what].speaks ||
	    !moderation_holds(s->server->moderation, s->user, RESTRICTION_MUTE))
		return false;
	metric_add(METRIC_limited_total, 1);
	log_limited(LOG_INFO, &s->peer, s, "muted", "setting=%s", kinds[what].setting);
	return true;
}

bool
limits_take(struct session *s, enum limit what, int64_t many, int *seconds)
{
	int64_t wait;
	int wait_s;

	if (is_muted(s, what)) {
		if (seconds != NULL)
			*seconds = LIMITS_MUTED;
		return false;
	}
	if (address_trusted(&s->peer) || (wait = take(s, what, many)) == 0)
		return true;
	wait_s = (int)((wait + SECOND_NS - 1) / SECOND_NS);
	metric_add(METRIC_limited_total, 1);
	log_limited(LOG_WARN, &s->peer, s, "limited", "setting=%s seconds=%d",
		    kinds[what].setting, wait_s);
	if (seconds != NULL)
		*seconds = wait_s;
	return false;
}

void
limits_let_go(struct session *s)
{
	if (s->grip.purse != NULL)
		purse_put(s->server->limits, s->grip.purse);
	s->grip.purse = NULL;
}
