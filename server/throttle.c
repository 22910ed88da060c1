/* SPDX-License-Identifier: MIT
 *
 * throttle.c - who has failed how often.
 *
 * One table of ENTRIES places, allocated once.  A tree finds an entry by what
 * it counts (a login of a user, all logins, "rooms", ...), user and address; a
 * list keeps the entries in the order of their last use, and a new one takes
 * the place of the oldest.  IPv6 addresses count as their /64: a single host
 * can use every address of its network, as an IPv4 host cannot.
 *
 * A class sits behind one address.  So failures count per user and address, and
 * those of an address alone only from a number that no class reaches.
 */
#include "server/throttle.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>
#include <bsd/sys/queue.h>

#include "base/clock.h"
#include "base/lock.h"
#include "server/addresses.h"
#include "server/config.h"

#define ENTRIES  8192
#define WAITERS  64  /* answers that wait at a time */
#define SLICE_MS 100 /* how soon a waiting worker notices that its session ended */

#define DELAY_FIRST_MS 500
#define DELAY_MAX_MS   8000
#define ADDRESS_FREE   100 /* failures of an address alone, within a minute */
#define ADDRESS_MS     60000

#define WHAT_SIZE 16

struct entry {
	RB_ENTRY(entry) by_key;
	TAILQ_ENTRY(entry) by_use; /* the longest unused first */
	bool used;                 /* it is in the tree */
	/* the key */
	char what[WHAT_SIZE]; /* "login", "logins" (of anybody), or what throttle_fail was
			       * told */
	char user[NAME_SIZE]; /* folded; "" for an address alone, and in "login" for
			       * names that are none */
	struct in6_addr ip;   /* IPv6 cut to its /64 */
	/* logins */
	int64_t failures;
	int64_t since_ms; /* when the first of these was; monotonic */
	int64_t last_ms;  /* and the last */
};

RB_HEAD(entry_tree, entry);
TAILQ_HEAD(entry_list, entry);

struct throttle {
	struct lock lock;
	struct entry_tree tree; /* [lock] */
	struct entry_list uses; /* [lock] all ENTRIES of them */
	struct entry *entries;
	int waiting; /* [lock] */
};

static int
entry_cmp(const struct entry *a, const struct entry *b)
{
	int c = memcmp(&a->ip, &b->ip, sizeof(a->ip));

	if (c == 0)
		c = strcmp(a->user, b->user);
	return c != 0 ? c : strcmp(a->what, b->what);
}

RB_GENERATE_INTERNAL(entry_tree, entry, by_key, entry_cmp, static __attribute__((unused)))

enum qerr
throttle_new(struct throttle **out)
{
	struct throttle *t = calloc(1, sizeof(*t));

	if (t == NULL || (t->entries = calloc(ENTRIES, sizeof(*t->entries))) == NULL) {
		free(t);
		return Q_NOMEM;
	}
	lock_init(&t->lock);
	RB_INIT(&t->tree);
	TAILQ_INIT(&t->uses);
	for (size_t i = 0; i < ENTRIES; i++)
		TAILQ_INSERT_TAIL(&t->uses, &t->entries[i], by_use);
	*out = t;
	return Q_OK;
}

void
throttle_free(struct throttle *t)
{
	if (t == NULL)
		return;
	lock_fini(&t->lock);
	free(t->entries);
	free(t);
}

bool
address_trusted(const struct address *a)
{
	const char *list = config_now()->trust;

	return *list != '\0' && prefix_list_holds(list, &a->ip);
}

static void
make_key(struct entry *key, const char *what, const char *user, const struct address *a)
{
	memset(key, 0, sizeof(*key));
	strlcpy(key->what, what, sizeof(key->what));
	name_fold(user, key->user);
	key->ip = a->ip;
	if (!IN6_IS_ADDR_V4MAPPED(&a->ip))
		memset(&key->ip.s6_addr[8], 0, 8);
}

static struct entry *
find_locked(struct throttle *t, struct entry *key) REQUIRES(t->lock)
{
	return RB_FIND(entry_tree, &t->tree, key);
}

/* The entry of key, new (all zero but the key) when there was none. */
static struct entry *
touch_locked(struct throttle *t, struct entry *key) REQUIRES(t->lock)
{
	struct entry *e = find_locked(t, key);

	if (e == NULL) {
		e = TAILQ_FIRST(&t->uses);
		TAILQ_REMOVE(&t->uses, e, by_use);
		if (e->used)
			RB_REMOVE(entry_tree, &t->tree, e);
		*e = *key;
		e->used = true;
		RB_INSERT(entry_tree, &t->tree, e);
	} else {
		TAILQ_REMOVE(&t->uses, e, by_use);
	}
	TAILQ_INSERT_TAIL(&t->uses, e, by_use);
	return e;
}

/* ---- logins ---- */

/* How long the answer to the failure number n (from 1) waits. */
static int
delay_of(int64_t n, int64_t free_ones)
{
	int64_t over = n - free_ones;

	if (over <= 0)
		return 0;
	return over > 5 ? DELAY_MAX_MS : DELAY_FIRST_MS << (over - 1);
}

static int64_t
failures_locked(const struct entry *e, int64_t window_ms, int64_t now)
{
	return e == NULL || now - e->since_ms >= window_ms ? 0 : e->failures;
}

static int64_t
count_failure_locked(struct throttle *t, struct entry *key, int64_t window_ms,
		     int64_t now) REQUIRES(t->lock)
{
	struct entry *e = touch_locked(t, key);

	if (failures_locked(e, window_ms, now) == 0) {
		e->failures = 0;
		e->since_ms = now;
	}
	e->last_ms = now;
	return ++e->failures;
}

static int
larger(int a, int b)
{
	return a > b ? a : b;
}

/* What is left of what the last failure in e cost. */
static int
left_locked(const struct entry *e, int64_t window_ms, int64_t free_ones, int64_t now)
{
	int delay_ms = delay_of(failures_locked(e, window_ms, now), free_ones);

	return delay_ms == 0 || now - e->last_ms >= delay_ms
		   ? 0
		   : (int)(delay_ms - (now - e->last_ms));
}

enum question { COUNT, DELAY, LEFT };

static int
answer_locked(struct throttle *t, enum question q, struct entry *key, int64_t window_ms,
	      int64_t free_ones, int64_t now) REQUIRES(t->lock)
{
	switch (q) {
	case COUNT:
		return delay_of(count_failure_locked(t, key, window_ms, now), free_ones);
	case DELAY:
		return delay_of(failures_locked(find_locked(t, key), window_ms, now),
				free_ones);
	default: return left_locked(find_locked(t, key), window_ms, free_ones, now);
	}
}

/* The failures of this user from a, and all from a, whoever it was: the harder counts. */
static int
ask_login(struct throttle *t, enum question q, const char *user, const struct address *a)
{
	const struct config *cfg = config_now();
	int64_t now = clock_mono_ms();
	struct entry mine, all;
	int ms;

	if (address_trusted(a))
		return 0;
	make_key(&mine, "login", user, a);
	make_key(&all, "logins", "", a);
	lock_take(&t->lock);
	ms = larger(answer_locked(t, q, &mine, cfg->login_failures_window_ms,
				  cfg->login_failures, now),
		    answer_locked(t, q, &all, ADDRESS_MS, ADDRESS_FREE, now));
	lock_drop(&t->lock);
	return ms;
}

int
throttle_login_failed(struct throttle *t, const char *user, const struct address *a)
{
	return ask_login(t, COUNT, user, a);
}

int
throttle_login_delay(struct throttle *t, const char *user, const struct address *a)
{
	return ask_login(t, DELAY, user, a);
}

int
throttle_login_left(struct throttle *t, const char *user, const struct address *a)
{
	return ask_login(t, LEFT, user, a);
}

void
throttle_login_ok(struct throttle *t, const char *user, const struct address *a)
{
	throttle_forgive(t, "login", user, a);
}

/* ---- failures of other kinds ---- */

static void
make_any_key(struct entry *key, const char *what, const char *user,
	     const struct address *a)
{
	static const struct address anywhere;

	make_key(key, what, user == NULL ? "" : user, a == NULL ? &anywhere : a);
}

int64_t
throttle_failures(struct throttle *t, const char *what, const char *user,
		  const struct address *a, int64_t window_ms)
{
	int64_t now = clock_mono_ms(), n;
	struct entry key;

	make_any_key(&key, what, user, a);
	lock_take(&t->lock);
	n = failures_locked(find_locked(t, &key), window_ms, now);
	lock_drop(&t->lock);
	return n;
}

int64_t
throttle_fail(struct throttle *t, const char *what, const char *user,
	      const struct address *a, int64_t window_ms)
{
	int64_t now = clock_mono_ms(), n;
	struct entry key;

	make_any_key(&key, what, user, a);
	lock_take(&t->lock);
	n = count_failure_locked(t, &key, window_ms, now);
	lock_drop(&t->lock);
	return n;
}

void
throttle_forgive(struct throttle *t, const char *what, const char *user,
		 const struct address *a)
{
	struct entry key, *e;

	make_any_key(&key, what, user, a);
	lock_take(&t->lock);
	if ((e = find_locked(t, &key)) != NULL)
		e->failures = 0;
	lock_drop(&t->lock);
}

/* ---- waiting ---- */

bool
throttle_wait(struct throttle *t, struct session *s, int ms)
{
	int64_t until = clock_mono_ms() + ms;
	bool ok;

	if (ms <= 0)
		return true;
	lock_take(&t->lock);
	if ((ok = t->waiting < WAITERS))
		t->waiting++;
	lock_drop(&t->lock);
	while (ok && !session_ended(s) && clock_mono_ms() < until) {
		int left = clock_left_ms(until);

		poll(NULL, 0, left < SLICE_MS ? left : SLICE_MS);
	}
	lock_take(&t->lock);
	t->waiting -= ok;
	lock_drop(&t->lock);
	return ok;
}
