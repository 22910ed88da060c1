/* SPDX-License-Identifier: MIT
 *
 * The gate.  A thread that finds it full puts an entry of its own stack into a
 * queue; whoever leaves hands the place to the first of the queue instead of
 * opening it to all, so nobody overtakes and nobody is woken for nothing.
 */
#include "server/passwords.h"

#include <assert.h>
#include <bsd/string.h>
#include <bsd/sys/queue.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "crypto/random.h"

#define HASHING_MIN 2
#define HASHING_MAX 4 /* at 16 MiB each */

_Static_assert(PASSWORD_HASH_SIZE <= USER_PASSWORD_MAX + 1, "a hash fits a record");

struct waiter {
	TAILQ_ENTRY(waiter) link; /* [gate] */
	pthread_cond_t turn;
	bool admitted; /* [gate] */
};

struct passwords {
	struct store *store;
	struct accounts *accounts;
	struct lock gate;
	TAILQ_HEAD(waiters, waiter) queue; /* [gate] who came first is first */
	size_t waiting;                    /* [gate] in the queue */
	size_t hashing;                    /* [gate] */
	size_t hashing_max;
};

/* ---- the gate ---- */

static enum qerr
wait_locked(struct passwords *p) REQUIRES(p->gate)
{
	int64_t deadline_ms = clock_mono_ms() + PASSWORDS_WAIT_MS;
	struct waiter w = {.admitted = false};
	bool in_time = true;

	lock_cond_init(&w.turn);
	TAILQ_INSERT_TAIL(&p->queue, &w, link);
	p->waiting++;
	while (!w.admitted && in_time)
		in_time = lock_wait(&p->gate, &w.turn, deadline_ms);
	if (!w.admitted) {
		TAILQ_REMOVE(&p->queue, &w, link);
		p->waiting--;
	}
	pthread_cond_destroy(&w.turn);
	return w.admitted ? Q_OK : Q_TIMEOUT;
}

static enum qerr
enter(struct passwords *p)
{
	enum qerr e = Q_OK;

	lock_take(&p->gate);
	if (p->hashing < p->hashing_max)
		p->hashing++;
	else if (p->waiting >= PASSWORDS_WAITING)
		e = Q_FULL;
	else
		e = wait_locked(p);
	lock_drop(&p->gate);
	return e;
}

static void
leave(struct passwords *p)
{
	struct waiter *first;

	lock_take(&p->gate);
	if ((first = TAILQ_FIRST(&p->queue)) != NULL) {
		TAILQ_REMOVE(&p->queue, first, link);
		p->waiting--;
		first->admitted = true;
		pthread_cond_signal(&first->turn);
	} else {
		p->hashing--;
	}
	lock_drop(&p->gate);
}

/* ---- what is done behind it ---- */

enum qerr
passwords_check(struct passwords *p, const char *user, struct span password)
{
	struct user u;
	enum qerr e = accounts_get(p->accounts, user, &u);

	/* A user whose file is damaged counts as none. */
	if (e == Q_MISSING || e == Q_FORMAT)
		u.password[0] = '\0';
	else if (e != Q_OK)
		return e;
	if ((e = enter(p)) == Q_OK) {
		e = password_check(password, u.password);
		leave(p);
	}
	secret_wipe(u.password, sizeof(u.password));
	return e;
}

enum qerr
passwords_hash(struct passwords *p, struct span password, char out[PASSWORD_HASH_SIZE])
{
	enum qerr e;

	if (!password_valid(password))
		return Q_FORMAT;
	if ((e = enter(p)) != Q_OK)
		return e;
	e = password_hash(password, out);
	leave(p);
	return e;
}

enum qerr
passwords_set(struct passwords *p, const char *user, struct span password)
{
	char hash[PASSWORD_HASH_SIZE];
	struct user u;
	enum qerr e;

	if ((e = passwords_hash(p, password, hash)) != Q_OK)
		return e;
	/* Read after the wait, so that what changed meanwhile is kept. */
	if ((e = accounts_get(p->accounts, user, &u)) == Q_OK) {
		strlcpy(u.password, hash, sizeof(u.password));
		e = users_update(p->store, &u);
		secret_wipe(u.password, sizeof(u.password));
	}
	secret_wipe(hash, sizeof(hash));
	return e;
}

/* ---- its life ---- */

enum qerr
passwords_open(struct store *store, struct accounts *accounts, struct passwords **out)
{
	struct passwords *p = calloc(1, sizeof(*p));
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (p == NULL)
		return Q_NOMEM;
	p->store = store;
	p->accounts = accounts;
	p->hashing_max = HASHING_MIN;
	if (processors > HASHING_MIN)
		p->hashing_max =
		    processors < HASHING_MAX ? (size_t)processors : HASHING_MAX;
	TAILQ_INIT(&p->queue);
	lock_init(&p->gate);
	*out = p;
	return Q_OK;
}

void
passwords_close(struct passwords *p)
{
	if (p == NULL)
		return;
	assert(p->hashing == 0 && p->waiting == 0);
	lock_fini(&p->gate);
	free(p);
}
