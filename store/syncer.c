/* SPDX-License-Identifier: MIT
 *
 * Forcing records to the disk.  With STORE_ALWAYS those do it who append
 * (msglog_group.c).
 *
 * STORE_INTERVAL: appended logs are in a list, and the syncer goes through it
 * once per interval.  It sleeps without a time-out when the list is empty.
 *
 * fdatasync that fails: Linux tells of an error once and then counts the pages
 * as clean.  So the records concerned stay "in doubt": those who wait are told,
 * a sentence is reported, and no later success is taken for theirs.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/msglog_priv.h"

#define SYNCER_STACK (128 * 1024)
#define CLOSE_TRIES  64 /* of other logs, when descriptors run short */

/* ---- one log ---- */

static int
sync_file(struct msglog *l, const struct logfile *f, bool newborn)
{
	bool created;
	int fd = f != NULL ? f->fd : -1, err = 0;

	/* Its descriptor has gone to another log meanwhile.  Errors are kept with
	 * the file, so a new one still tells of them. */
	for (int i = 0; fd < 0 && err == 0; i++)
		if (msglog_open_file(l, false, &fd, &created) != Q_OK) {
			err = errno;
			if ((err == EMFILE || err == ENFILE) && i < CLOSE_TRIES &&
			    table_close_one(l->store))
				err = 0;
		}
	if (err == 0 && fdatasync(fd) != 0)
		err = errno;
	/* A new file is only there after a power cut when its folder says so. */
	if (err == 0 && newborn && fsync(l->store->fd[l->folder]) != 0)
		err = errno;
	if (f == NULL && fd >= 0)
		close(fd);
	return err;
}

int
msglog_force(struct msglog *l, uint64_t *upto)
{
	struct logfile *f = l->file;
	int64_t target = l->end;
	unsigned epoch = l->epoch;
	bool newborn = l->newborn;
	int err;

	LOCK_ASSERT_HELD(&l->lock);
	*upto = l->last_id;
	if (l->removed) /* with all its records: there is nothing to force */
		return 0;
	if (f != NULL)
		f->refs++;
	lock_drop(&l->lock);
	err = sync_file(l, f, newborn);
	lock_take(&l->lock);
	if (f != NULL)
		logfile_put(l, f);
	/* After an error, too: trying again would prove nothing. */
	if (l->epoch == epoch && l->synced < target)
		l->synced = target;
	if (err == 0 && newborn)
		l->newborn = false;
	return err;
}

void
msglog_doubt(struct msglog *l, uint64_t upto, int err)
{
	store_report(l->store,
		     "%s/%s" MSGLOG_SUFFIX ": could not be forced to the disk: %s; the "
		     "latest records up to %llu may be lost in a power cut",
		     store_folder_names[l->folder], l->name, strerror(err),
		     (unsigned long long)upto);
}

/* ---- rounds ---- */

/* Sync every log that is dirty now.  The round lock makes store_sync wait for
 * a round of the syncer, whose logs are no longer in the list. */
static void
sync_round(struct store *s)
{
	struct msglog *l;
	size_t n;

	lock_take(&s->logs.round);
	lock_take(&s->logs.lock);
	n = s->logs.n_dirty; /* those that become dirty meanwhile wait */
	lock_drop(&s->logs.lock);
	while (n-- > 0 && (l = table_next_dirty(s)) != NULL) {
		uint64_t upto = 0;
		int err = 0;

		lock_take(&l->lock);
		l->dirty = false;
		if (l->synced < l->end || l->newborn)
			err = msglog_force(l, &upto);
		lock_drop(&l->lock);
		if (err != 0)
			msglog_doubt(l, upto, err);
		table_put(l);
	}
	lock_drop(&s->logs.round);
}

/* Wait until there is something to sync, and then for the interval.  False:
 * the store is closing. */
static bool
wait_for_round(struct logs *t)
{
	int64_t since;
	bool go_on;

	lock_take(&t->lock);
	while (!t->stop &&
	       (t->n_dirty == 0 || atomic_load(&t->durability) == STORE_NEVER))
		(void)lock_wait(&t->lock, &t->wake, 0);
	since = clock_mono_ms();
	while (!t->stop && clock_mono_ms() - since < t->interval_ms)
		(void)lock_wait(&t->lock, &t->wake, since + t->interval_ms);
	go_on = !t->stop;
	lock_drop(&t->lock);
	return go_on;
}

static void *
syncer(void *arg)
{
	struct store *s = arg;

	while (wait_for_round(&s->logs))
		if (atomic_load(&s->logs.durability) != STORE_NEVER)
			sync_round(s);
	return NULL;
}

void
store_sync(struct store *s)
{
	sync_round(s);
}

void
store_set_durability(struct store *s, enum store_durability d, int interval_ms)
{
	lock_take(&s->logs.lock);
	atomic_store(&s->logs.durability, d);
	s->logs.interval_ms = interval_ms;
	pthread_cond_signal(&s->logs.wake);
	lock_drop(&s->logs.lock);
}

/* ---- beginning and end ---- */

enum qerr
logs_init(struct logs *t, const struct store_options *opt)
{
	assert(opt->interval_ms > 0 && opt->max_open_logs > 0);
	lock_init(&t->lock);
	lock_init(&t->round);
	lock_cond_init(&t->wake);
	RB_INIT(&t->by_name);
	TAILQ_INIT(&t->open);
	TAILQ_INIT(&t->dirty);
	atomic_init(&t->durability, opt->durability);
	t->interval_ms = opt->interval_ms;
	t->max_open = opt->max_open_logs;
	t->stop = true; /* no syncer yet */
	return Q_OK;
}

enum qerr
logs_start(struct store *s)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int rc;

	s->logs.stop = false;
	if (pthread_attr_init(&attr) != 0)
		return Q_NOMEM;
	pthread_attr_setstacksize(&attr, SYNCER_STACK);
	/* Signals are for the program's other threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&s->logs.syncer, &attr, syncer, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (rc != 0)
		s->logs.stop = true; /* no thread runs: nobody else reads it */
	return rc == 0 ? Q_OK : Q_NOMEM;
}

void
logs_fini(struct store *s)
{
	struct logs *t = &s->logs;
	bool running;

	lock_take(&t->lock);
	running = !t->stop;
	t->stop = true;
	pthread_cond_signal(&t->wake);
	lock_drop(&t->lock);
	if (running)
		pthread_join(t->syncer, NULL);
	sync_round(s);
	while (table_close_one(s))
		continue;
	assert(RB_EMPTY(&t->by_name)); /* a log is still open */
	lock_fini(&t->lock);
	lock_fini(&t->round);
	pthread_cond_destroy(&t->wake);
}
