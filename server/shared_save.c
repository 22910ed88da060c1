/* SPDX-License-Identifier: MIT
 *
 * A thread that writes down, at most once a second, how far everybody is in the rooms, so
 * that neither who speaks nor who listens waits for the disk.  While nothing happens it
 * sleeps.  A chat on the list holds a reference, so what is to be saved outlives the last
 * one who was in the room.
 */
#include "base/clock.h"
#include "server/log.h"
#include "server/shared_priv.h"

#define EVERY_MS 1000

/* The next one, to be saved by the caller; NULL: there is none. */
static struct shared_chat *
take_one(struct shared *sh)
{
	struct shared_chat *c;

	lock_take(&sh->saver);
	if ((c = TAILQ_FIRST(&sh->to_save)) != NULL) {
		TAILQ_REMOVE(&sh->to_save, c, saving);
		sh->busy++;
	}
	lock_drop(&sh->saver);
	return c;
}

static void
put_back(struct shared *sh)
{
	lock_take(&sh->saver);
	if (--sh->busy == 0)
		pthread_cond_broadcast(&sh->idle);
	lock_drop(&sh->saver);
}

/* Save what is on the list now.  What could not be written is tried again when the next
 * thing happens in its chat. */
static void
save_all(struct shared *sh)
{
	struct shared_chat *c;
	enum qerr e;

	while ((c = take_one(sh)) != NULL) {
		atomic_store(&c->to_save, false);
		if ((e = shared_save_chat(c)) != Q_OK)
			log_limited(LOG_ERROR, NULL, NULL, "room-unsaved",
				    "chat=%llu error=%s", (unsigned long long)c->info.id,
				    qerr_str(e));
		put_back(sh);
		shared_chat_unref(c);
	}
}

void
shared_settle(struct shared *sh)
{
	save_all(sh);
	lock_take(&sh->saver);
	while (sh->busy > 0)
		(void)lock_wait(&sh->saver, &sh->idle, 0);
	lock_drop(&sh->saver);
}

void
shared_save_soon(struct shared_chat *c)
{
	struct shared *sh = c->shared;

	if (atomic_exchange(&c->to_save, true))
		return;
	shared_chat_ref(c);
	lock_take(&sh->saver);
	if (TAILQ_EMPTY(&sh->to_save))
		pthread_cond_signal(&sh->stirred);
	TAILQ_INSERT_TAIL(&sh->to_save, c, saving);
	lock_drop(&sh->saver);
}

/* False: it is time to stop. */
static bool
wait_for_work(struct shared *sh)
{
	int64_t at_ms;
	bool stop;

	lock_take(&sh->saver);
	while (!sh->stop && TAILQ_EMPTY(&sh->to_save))
		(void)lock_wait(&sh->saver, &sh->stirred, 0);
	at_ms = clock_mono_ms() + EVERY_MS;
	while (!sh->stop && lock_wait(&sh->saver, &sh->stirred, at_ms))
		continue;
	stop = sh->stop;
	lock_drop(&sh->saver);
	return !stop;
}

static void *
run(void *arg)
{
	struct shared *sh = arg;

	while (wait_for_work(sh))
		save_all(sh);
	return NULL;
}

enum qerr
shared_saver_start(struct shared *sh)
{
	lock_init(&sh->saver);
	lock_cond_init(&sh->stirred);
	lock_cond_init(&sh->idle);
	TAILQ_INIT(&sh->to_save);
	if (pthread_create(&sh->thread, NULL, run, sh) == 0)
		return Q_OK;
	pthread_cond_destroy(&sh->idle);
	pthread_cond_destroy(&sh->stirred);
	lock_fini(&sh->saver);
	return Q_NOMEM;
}

void
shared_saver_stop(struct shared *sh)
{
	lock_take(&sh->saver);
	sh->stop = true;
	pthread_cond_signal(&sh->stirred);
	lock_drop(&sh->saver);
	pthread_join(sh->thread, NULL);
	save_all(sh);
	pthread_cond_destroy(&sh->idle);
	pthread_cond_destroy(&sh->stirred);
	lock_fini(&sh->saver);
}
