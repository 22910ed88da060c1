/* SPDX-License-Identifier: MIT
 *
 * saver.c - settles and saves positions once a second: a thread of its own, because the disk may take
 * its time, and the timers' thread must not.
 */
#include <pthread.h>

#include "base/clock.h"
#include "base/lock.h"
#include "server/rooms/account.h"
#include "store/rooms.h"

#define EVERY_MS 1000

static struct {
	struct lock lock; /* a leaf */
	pthread_cond_t changed;
	bool stop; /* [lock] */
	bool runs; /* start's and stop's */
	pthread_t thread;
} saver;

static void *
save(void *arg)
{
	struct server *server = arg;
	int64_t at_ms = clock_mono_ms();

	lock_take(&saver.lock);
	while (!saver.stop) {
		at_ms += EVERY_MS;
		while (!saver.stop && lock_wait(&saver.lock, &saver.changed, at_ms))
			continue;
		lock_drop(&saver.lock);
		rooms_settle_all(server);
		rooms_save(server->rooms);
		lock_take(&saver.lock);
	}
	lock_drop(&saver.lock);
	return NULL;
}

enum qerr
rooms_saver_start(struct server *server)
{
	lock_init(&saver.lock);
	lock_cond_init(&saver.changed);
	saver.stop = false;
	saver.runs = pthread_create(&saver.thread, NULL, save, server) == 0;
	if (saver.runs)
		return Q_OK;
	pthread_cond_destroy(&saver.changed);
	lock_fini(&saver.lock);
	return Q_NOMEM;
}

void
rooms_saver_stop(void)
{
	if (!saver.runs)
		return;
	lock_take(&saver.lock);
	saver.stop = true;
	pthread_cond_signal(&saver.changed);
	lock_drop(&saver.lock);
	pthread_join(saver.thread, NULL);
	pthread_cond_destroy(&saver.changed);
	lock_fini(&saver.lock);
	saver.runs = false;
}
