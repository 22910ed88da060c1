/* SPDX-License-Identifier: MIT
 *
 * Writing down how far everybody is in the rooms: by a thread, at most once a second, so
 * that neither who speaks nor who listens waits for the disk; and at once for those who
 * cannot wait (shared_settle, shared_save), on their own thread.
 *
 * A pass of the thread takes the list as it finds it.  A chat in which something happens
 * meanwhile is on the list again right after its turn, and there it stays until the next
 * pass, a second later.  While nothing happens the thread sleeps.  A chat on the list
 * holds a reference, so what is to be saved outlives the last one who was in the room.
 *
 * What is to be written is taken out of the chat and written without its lock.  Who does
 * so keeps others from it until it is done, so that nothing older comes to lie over
 * something newer, and who finds nothing to take out knows that it is in the store.
 *
 * None of it is forced to the disk, and the log not at once.  So after a power cut it may
 * be ahead of a log that has lost its end, and would hide what gets these ids next.
 * Before that happens, with the first post since the start, it is moved back.
 */
#include "base/clock.h"
#include "server/log.h"
#include "server/shared_priv.h"
#include "store/positions.h"

#define EVERY_MS 1000

/* ---- one chat ---- */

/* What is to be written, taken out in one hold of the lock; what is in the store, or does
 * not belong there, is taken from it again. */
struct to_write {
	struct shared_member member[TALLY_MEMBERS];
	struct tally tally;
	bool tally_changed;
};

/* False: the chat was deleted.  Else give_back has to follow. */
static bool
take_out(struct shared_chat *c, bool counts, struct to_write *w)
{
	bool deleted;

	lock_take(&c->lock);
	while (c->writing)
		shared_wait_locked(c);
	deleted = c->deleted;
	c->writing = !deleted;
	for (int m = 0; m < TALLY_MEMBERS; m++) {
		/* Who is in the room when the server is killed leaves it then. */
		if (c->member[m].in_room > 0)
			shared_see_locked(
			    c, (enum tally_member)m,
			    c->tally.by[shared_other((enum tally_member)m)]);
		w->member[m] = c->member[m];
		c->member[m].shown_n = 0;
	}
	w->tally = c->tally;
	if ((w->tally_changed = counts && c->counted && c->tally_changed))
		c->tally_changed = false;
	lock_drop(&c->lock);
	return !deleted;
}

/* What is left in w could not be written. */
static void
give_back(struct shared_chat *c, const struct to_write *w)
{
	bool again = w->tally_changed;

	lock_take(&c->lock);
	for (int m = 0; m < TALLY_MEMBERS; m++) {
		const struct shared_member *wm = &w->member[m];

		again |= wm->shown_n > 0;
		for (size_t i = 0; i < wm->shown_n; i++)
			shared_add_shown_locked(c, (enum tally_member)m,
						wm->shown[i].from, wm->shown[i].to);
	}
	c->tally_changed |= w->tally_changed;
	c->writing = false;
	shared_wake_locked(c);
	lock_drop(&c->lock);
	if (again)
		shared_save_soon(c);
}

static enum qerr
write_shown(struct shared_chat *c, enum tally_member m, struct shared_member *w)
{
	const bool maker = m == TALLY_MAKER;
	struct had had[SHOWN_MAX];
	enum qerr e = Q_OK;

	for (size_t i = 0; i < w->shown_n; i++)
		had[i] = (struct had){c->info.id, w->shown[i].from, w->shown[i].to};
	if (w->shown_n > 0 && !atomic_load(maker ? &c->maker_gone : &c->other_gone))
		e = positions_add(c->shared->server->store,
				  maker ? c->info.maker : c->info.other, had, w->shown_n);
	if (e == Q_OK)
		w->shown_n = 0;
	return e;
}

static enum qerr
write_tally(struct shared_chat *c, struct to_write *w)
{
	enum qerr e = Q_OK;

	if (w->tally_changed)
		e = tally_save(c->shared->server->store, c->info.id, &w->tally);
	if (e == Q_OK)
		w->tally_changed = false;
	return e;
}

/* What was shown, and with counts also the tally. */
static enum qerr
save(struct shared_chat *c, bool counts)
{
	struct to_write w;
	enum qerr e, first;

	if (!take_out(c, counts, &w))
		return Q_OK;
	first = write_tally(c, &w);
	for (int m = 0; m < TALLY_MEMBERS; m++)
		if ((e = write_shown(c, (enum tally_member)m, &w.member[m])) != Q_OK)
			first = e;
	give_back(c, &w);
	return first;
}

enum qerr
shared_save(struct shared_chat *c)
{
	enum qerr counted = shared_count(c), saved;

	if (counted == Q_CLOSED)
		return Q_OK;
	saved = save(c, true);
	return saved != Q_OK ? saved : counted;
}

void
shared_writing_end(struct shared_chat *c)
{
	lock_take(&c->lock);
	while (c->writing)
		shared_wait_locked(c);
	lock_drop(&c->lock);
}

static void
report(const struct shared_chat *c, enum qerr e)
{
	if (e != Q_OK)
		log_limited(LOG_ERROR, NULL, NULL, "room-unsaved", "chat=%llu error=%s",
			    (unsigned long long)c->info.id, qerr_str(e));
}

void
shared_settle(struct shared *sh, uint64_t chat)
{
	struct shared_chat *c = shared_find(sh, chat);

	/* One that is not in use has nothing to be saved. */
	if (c != NULL)
		report(c, save(c, false));
	shared_chat_unref(c);
}

/* ---- after a power cut ---- */

void
shared_look_back(struct shared_chat *c)
{
	struct store *store = c->shared->server->store;
	struct tally t;
	uint64_t last;
	enum qerr e = shared_last(c, &last), other;

	if (e != Q_OK) /* nor can anything be appended */
		return;
	if (!atomic_load(&c->maker_gone))
		e = positions_cut(store, c->info.maker, c->info.id, last);
	if (!atomic_load(&c->other_gone) &&
	    (other = positions_cut(store, c->info.other, c->info.id, last)) != Q_OK)
		e = other;
	if (tally_load(store, c->info.id, &t) == Q_OK && t.upto > last) {
		(void)shared_count(c); /* anew, but for what was seen */
		shared_save_soon(c);
	}
	report(c, e);
}

/* ---- all of them, in a thread ---- */

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

static void
take_list(struct shared *sh, struct chat_list *out)
{
	TAILQ_INIT(out);
	lock_take(&sh->saver);
	TAILQ_CONCAT(out, &sh->to_save, saving);
	lock_drop(&sh->saver);
}

static void
pass(struct shared *sh)
{
	struct chat_list list;
	struct shared_chat *c;

	take_list(sh, &list);
	while ((c = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, c, saving);
		/* From here on it goes to the next pass. */
		atomic_store(&c->to_save, false);
		report(c, shared_save(c));
		shared_chat_unref(c);
	}
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
		pass(sh);
	return NULL;
}

enum qerr
shared_saver_start(struct shared *sh)
{
	lock_init(&sh->saver);
	lock_cond_init(&sh->stirred);
	TAILQ_INIT(&sh->to_save);
	if (pthread_create(&sh->thread, NULL, run, sh) == 0)
		return Q_OK;
	pthread_cond_destroy(&sh->stirred);
	lock_fini(&sh->saver);
	return Q_NOMEM;
}

void
shared_saver_stop(struct shared *sh)
{
	struct chat_list list;
	struct shared_chat *c;

	lock_take(&sh->saver);
	sh->stop = true;
	pthread_cond_signal(&sh->stirred);
	lock_drop(&sh->saver);
	pthread_join(sh->thread, NULL);
	pass(sh);
	take_list(sh, &list); /* what could not be written even now is lost */
	while ((c = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, c, saving);
		shared_chat_unref(c);
	}
	pthread_cond_destroy(&sh->stirred);
	lock_fini(&sh->saver);
}
