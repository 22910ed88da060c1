/* SPDX-License-Identifier: MIT
 *
 * presence.c - who of those that one chats with is online.
 *
 * The session table notices who comes and goes, in whatever protocol, and says so with its
 * lock held; so that is only put down here, in its order, and a thread tells it.  Once in
 * a while the same thread looks whether guests are still guests: somebody who drops a key
 * into a folder tells nobody.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>
#include <bsd/sys/queue.h>

#include "base/clock.h"
#include "server/board/account.h"
#include "server/log.h"
#include "store/chats.h"

#define LOOK_MS   2000
#define SETTLE_MS 1000
#define SLICE_MS  10
#define ARGS_MAX  ((size_t)1 << 16)

struct change {
	STAILQ_ENTRY(change) link;
	char user[NAME_SIZE];
	bool online;
};
STAILQ_HEAD(change_list, change);

static struct {
	struct server *server;
	pthread_t thread;
	struct lock lock; /* a leaf (server/locks.h) */
	pthread_cond_t wanted;
	struct change_list changes; /* [lock] */
	bool telling;               /* [lock] one that is no longer in the list */
	pthread_cond_t idle;        /* the list is empty, and it is not */
	bool lost;                  /* [lock] there was no memory for one */
	bool stopping;              /* [lock] */
} presence;

/* ---- putting down ---- */

/* Whoever comes to board later asks the table, and is told nothing older than that: what
 * is still on its way would be told to them too, and needs what followed it. */
static bool
nobody_to_tell(struct server *server)
{
	bool idle;

	if (eio_server_count(sio_transport(server->board)) > 0)
		return false;
	lock_take(&presence.lock);
	idle = !presence.telling && STAILQ_EMPTY(&presence.changes);
	lock_drop(&presence.lock);
	return idle;
}

/* The session table's lock is held.  With nobody there to be told, no thread wakes. */
static void
note(void *arg, const char *user, bool online)
{
	struct change *c;

	if (nobody_to_tell(arg))
		return;
	c = calloc(1, sizeof(*c));
	lock_take(&presence.lock);
	if (c == NULL) {
		presence.lost = true;
	} else {
		strlcpy(c->user, user, sizeof(c->user));
		c->online = online;
		STAILQ_INSERT_TAIL(&presence.changes, c, link);
		pthread_cond_signal(&presence.wanted);
	}
	lock_drop(&presence.lock);
}

/* ---- telling ---- */

static int
by_name(const void *a, const void *b)
{
	return name_cmp(a, b);
}

/* The others of the chats, each once, in out, which has room for n. */
static size_t
others_of(const char *user, const struct chat_info *chats, size_t n,
	  char (*out)[NAME_SIZE])
{
	size_t found = 0, distinct = 0;

	for (size_t i = 0; i < n; i++) {
		bool made = name_cmp(chats[i].maker, user) == 0;

		if (made ? !chats[i].other_gone : !chats[i].maker_gone)
			memcpy(out[found++], made ? chats[i].other : chats[i].maker,
			       NAME_SIZE);
	}
	qsort(out, found, sizeof(*out), by_name);
	for (size_t i = 0; i < found; i++)
		if (i == 0 || name_cmp(out[i], out[distinct - 1]) != 0)
			memmove(out[distinct++], out[i], NAME_SIZE);
	return distinct;
}

static enum qerr
render(const struct change *c, struct bundle **out)
{
	struct buf args = BUF_INIT(ARGS_MAX);
	enum qerr e = json_put_text(&args, span_str(c->user));

	if (e == Q_OK)
		e = buf_printf(&args, ",%d", c->online ? 1 : 0);
	if (e == Q_OK)
		e = sio_event_new(BOARD_SPACE_NAME, "presence", buf_span(&args), NULL, 0,
				  out);
	buf_free(&args);
	return e;
}

static enum qerr
tell_others(struct server *server, const struct change *c, const struct chat_info *chats,
	    size_t n)
{
	char(*others)[NAME_SIZE] = calloc(n, sizeof(*others));
	struct bundle *b;
	enum qerr e = others == NULL ? Q_NOMEM : render(c, &b);

	if (e == Q_OK) {
		n = others_of(c->user, chats, n, others);
		for (size_t i = 0; i < n; i++)
			board_emit_user(server, others[i], b, NULL);
		bundle_unref(b);
		outbox_flush_touched();
	}
	free(others);
	return e;
}

static void
tell(struct server *server, const struct change *c)
{
	struct chat_info *chats = NULL;
	size_t n = 0;
	enum qerr e = chats_of(server->chats, c->user, &chats, &n);

	if (e == Q_OK && n > 0)
		e = tell_others(server, c, chats, n);
	free(chats);
	if (e != Q_OK)
		log_limited(LOG_ERROR, NULL, NULL, "presence-lost", "error=%s",
			    qerr_str(e));
}

void
board_presence_settle(struct server *server, const char *user)
{
	int64_t until_ms = clock_mono_ms() + SETTLE_MS;

	while (sessions_online(server->sessions, user) && clock_mono_ms() < until_ms)
		(void)poll(NULL, 0, SLICE_MS);
	lock_take(&presence.lock);
	while ((presence.telling || !STAILQ_EMPTY(&presence.changes)) &&
	       lock_wait(&presence.lock, &presence.idle, until_ms))
		continue;
	lock_drop(&presence.lock);
}

/* ---- guests ---- */

static void
look_at_guests(struct server *server)
{
	struct sessions *t = server->sessions;
	struct session *s;

	for (s = sessions_next(t, NULL, NULL); s != NULL; s = sessions_next(t, NULL, s))
		if (atomic_load(&s->protocol) == &board_protocol && !session_ended(s))
			(void)board_guest_still(board_of(s));
	outbox_flush_touched();
}

/* ---- the thread ---- */

/* NULL: nothing for now. */
static struct change *
take(int64_t until_ms, bool *stopping, bool *lost)
{
	struct change *c;

	lock_take(&presence.lock);
	presence.telling = false;
	if (STAILQ_EMPTY(&presence.changes))
		pthread_cond_broadcast(&presence.idle);
	while ((c = STAILQ_FIRST(&presence.changes)) == NULL && !presence.stopping &&
	       lock_wait(&presence.lock, &presence.wanted, until_ms))
		continue;
	if (c != NULL)
		STAILQ_REMOVE_HEAD(&presence.changes, link);
	presence.telling = c != NULL;
	*stopping = presence.stopping;
	*lost = presence.lost;
	presence.lost = false;
	lock_drop(&presence.lock);
	return c;
}

static void *
run(void *arg)
{
	struct server *server = arg;
	int64_t look_ms = clock_mono_ms() + LOOK_MS;
	bool stopping = false, lost;

	while (!stopping) {
		bool guests = atomic_load(&board_guests_here) > 0;
		struct change *c = take(guests ? look_ms : 0, &stopping, &lost);

		if (lost)
			log_limited(LOG_ERROR, NULL, NULL, "presence-lost", "error=%s",
				    qerr_str(Q_NOMEM));
		if (c != NULL)
			tell(server, c);
		free(c);
		if (clock_mono_ms() < look_ms)
			continue;
		if (guests)
			look_at_guests(server);
		look_ms = clock_mono_ms() + LOOK_MS;
	}
	return NULL;
}

enum qerr
board_presence_start(struct server *server)
{
	presence.server = server;
	presence.stopping = false;
	lock_init(&presence.lock);
	lock_cond_init(&presence.wanted);
	lock_cond_init(&presence.idle);
	STAILQ_INIT(&presence.changes);
	if (pthread_create(&presence.thread, NULL, run, server) != 0) {
		presence.server = NULL;
		return Q_NOMEM;
	}
	sessions_watch(server->sessions, note, server);
	return Q_OK;
}

void
board_presence_stop(struct server *server)
{
	struct change *c;

	if (presence.server == NULL)
		return;
	sessions_watch(server->sessions, NULL, NULL);
	lock_take(&presence.lock);
	presence.stopping = true;
	pthread_cond_signal(&presence.wanted);
	lock_drop(&presence.lock);
	pthread_join(presence.thread, NULL);
	while ((c = STAILQ_FIRST(&presence.changes)) != NULL) {
		STAILQ_REMOVE_HEAD(&presence.changes, link);
		free(c);
	}
	pthread_cond_destroy(&presence.idle);
	pthread_cond_destroy(&presence.wanted);
	lock_fini(&presence.lock);
	presence.server = NULL;
}
