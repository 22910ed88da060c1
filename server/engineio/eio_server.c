/* SPDX-License-Identifier: MIT
 *
 * The sessions of one server by their ids, and a thread that calls `closed` for those
 * that ended while nobody was in a handler, and ends those that were too slow: both may
 * block, and whoever noticed may not.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/random.h"
#include "server/address.h"
#include "server/config.h"
#include "server/engineio/eio_priv.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/server.h"
#include "server/throttle.h"

static int
cmp_sid(const struct eio *a, const struct eio *b)
{
	return memcmp(a->sid, b->sid, EIO_SID_LEN);
}

RB_GENERATE_INTERNAL(eio_tree, eio, by_sid, cmp_sid, static __attribute__((unused)))

/* ---- the thread ---- */

void
eio_end_later(struct eio *e, bool slow)
{
	struct eio_server *server = e->server;

	lock_take(&server->lock);
	e->slow = e->slow || slow;
	if (!e->ends) {
		e->ends = true;
		(void)session_ref(e->seat);
		TAILQ_INSERT_TAIL(&server->ends, e, in_end);
		pthread_cond_signal(&server->wanted);
	}
	lock_drop(&server->lock);
}

/* NULL: it is over. */
static struct eio *
next_end(struct eio_server *server, bool *slow)
{
	struct eio *e;

	lock_take(&server->lock);
	while ((e = TAILQ_FIRST(&server->ends)) == NULL && !server->stopping)
		(void)lock_wait(&server->lock, &server->wanted, 0);
	if (e != NULL) {
		TAILQ_REMOVE(&server->ends, e, in_end);
		*slow = e->slow;
		e->ends = e->slow = false;
	}
	lock_drop(&server->lock);
	return e;
}

static void *
see_to_ends(void *arg)
{
	struct eio_server *server = arg;
	struct eio *e;
	bool slow;

	while ((e = next_end(server, &slow)) != NULL) {
		if (slow)
			session_end(e->seat, GOODBYE_SLOW, NULL);
		(void)eio_turn_take(e);
		eio_turn_give(e);
		outbox_flush_touched();
		eio_unref(e);
	}
	return NULL;
}

/* ---- life ---- */

enum qerr
eio_server_new(struct server *core, const struct eio_handler *handler,
	       const struct eio_options *options, struct eio_server **out)
{
	static const struct span nothing = {NULL, 0};
	struct eio_server *server = calloc(1, sizeof(*server));

	if (server == NULL)
		return Q_NOMEM;
	server->core = core;
	server->handler = handler;
	server->options = *options;
	lock_init(&server->lock);
	lock_cond_init(&server->wanted);
	RB_INIT(&server->sessions);
	TAILQ_INIT(&server->ends);
	if ((server->ping = bundle_new(EIO_PING, nothing, NULL, 0)) == NULL ||
	    (server->close = bundle_new(EIO_CLOSE, nothing, NULL, 0)) == NULL ||
	    budget_new(options->max_inflight, &server->budget) != Q_OK ||
	    pthread_create(&server->thread, NULL, see_to_ends, server) != 0)
		goto out;
	*out = server;
	return Q_OK;
out:
	budget_free(server->budget);
	bundle_unref(server->close);
	bundle_unref(server->ping);
	pthread_cond_destroy(&server->wanted);
	lock_fini(&server->lock);
	free(server);
	return Q_NOMEM;
}

void
eio_server_set(struct eio_server *server, const struct eio_options *options)
{
	lock_take(&server->lock);
	server->options = *options;
	lock_drop(&server->lock);
	budget_resize(server->budget, options->max_inflight);
}

static struct eio *
any_session(struct eio_server *server)
{
	struct eio *e;

	lock_take(&server->lock);
	if ((e = RB_MIN(eio_tree, &server->sessions)) != NULL)
		(void)session_ref(e->seat);
	lock_drop(&server->lock);
	return e;
}

/* No connection is left: nobody begins one. */
static void
end_all(struct eio_server *server)
{
	struct eio *e;

	while ((e = any_session(server)) != NULL) {
		bool leaving;

		eio_end(e, EIO_BY_PEER, WS_CODE_GOING_AWAY, NULL);
		lock_take(&e->lock);
		if ((leaving = e->phase == EIO_LEAVING))
			e->phase = EIO_OVER;
		lock_drop(&e->lock);
		if (leaving)
			eio_left(e);
		eio_unref(e);
	}
}

void
eio_server_free(struct eio_server *server)
{
	if (server == NULL)
		return;
	end_all(server);
	lock_take(&server->lock);
	server->stopping = true;
	pthread_cond_signal(&server->wanted);
	lock_drop(&server->lock);
	pthread_join(server->thread, NULL);
	assert(server->count == 0 && TAILQ_EMPTY(&server->ends));
	budget_free(server->budget);
	bundle_unref(server->close);
	bundle_unref(server->ping);
	pthread_cond_destroy(&server->wanted);
	lock_fini(&server->lock);
	free(server);
}

size_t
eio_server_count(struct eio_server *server)
{
	size_t n;

	lock_take(&server->lock);
	n = server->count;
	lock_drop(&server->lock);
	return n;
}

/* ---- the table ---- */

void
eio_sid_make(char sid[EIO_SID_LEN + 1])
{
	uint8_t random[EIO_SID_LEN / 4 * 3];

	random_bytes(random, sizeof(random));
	base64_encode(span_of(random, sizeof(random)), sid);
	for (size_t i = 0; i < EIO_SID_LEN; i++)
		sid[i] = sid[i] == '+' ? '-' : sid[i] == '/' ? '_' : sid[i];
	sid[EIO_SID_LEN] = '\0';
}

/* Its reference is the caller's. */
static void
insert(struct eio *e)
{
	struct eio_server *server = e->server;

	(void)session_ref(e->seat);
	lock_take(&server->lock);
	do
		eio_sid_make(e->sid);
	while (RB_INSERT(eio_tree, &server->sessions, e) != NULL);
	e->listed = true;
	server->count++;
	lock_drop(&server->lock);
}

void
eio_forget(struct eio *e)
{
	struct eio_server *server = e->server;
	bool was;

	lock_take(&server->lock);
	if ((was = e->listed)) {
		RB_REMOVE(eio_tree, &server->sessions, e);
		e->listed = false;
		server->count--;
	}
	lock_drop(&server->lock);
	if (was)
		eio_unref(e);
}

struct eio *
eio_find(struct eio_server *server, struct span sid)
{
	struct eio key, *e = NULL;

	if (sid.len != EIO_SID_LEN)
		return NULL;
	memcpy(key.sid, sid.p, EIO_SID_LEN);
	lock_take(&server->lock);
	if ((e = RB_FIND(eio_tree, &server->sessions, &key)) != NULL)
		(void)session_ref(e->seat);
	lock_drop(&server->lock);
	if (e == NULL || !eio_expire(e))
		return e;
	eio_unref(e);
	return NULL;
}

/* ---- beginning ---- */

/* Into the session table, within the same limits as connections. */
static enum qerr
take_seat(struct eio *e)
{
	const struct config *c = config_now();
	struct session *s = e->seat;
	bool trusted = address_trusted(&s->peer);
	const char *limit = "";
	const struct sessions_limits limits = {
	    .total = (size_t)c->max_connections,
	    .per_address = trusted ? 0 : (size_t)c->per_address,
	    .per_address_before_login = trusted ? 0 : (size_t)c->per_address_before_login,
	    .reached = &limit,
	};
	enum qerr err = sessions_add(s->server->sessions, s, &limits);

	if (err == Q_LIMIT) {
		metric_add(METRIC_connections_refused, 1);
		log_limited(LOG_WARN, &s->peer, NULL, "refused", "addr=%s limit=%s",
			    s->peer_text, limit);
	}
	return err;
}

static enum qerr
put_handshake(struct eio *e, bool may_upgrade)
{
	struct buf data = BUF_INIT(512);
	const struct eio_options *o = &e->options;
	struct bundle *b = NULL;
	enum qerr err = eio_handshake_put(
	    &data, &(struct eio_handshake){
		       .sid = e->sid,
		       .may_upgrade = may_upgrade,
		       .ping_interval_ms = (unsigned)o->ping_interval_ms,
		       .ping_timeout_ms = (unsigned)o->ping_timeout_ms,
		       .max_payload = o->max_payload,
		   });

	if (err == Q_OK && (b = bundle_new(EIO_OPEN, buf_span(&data), NULL, 0)) == NULL)
		err = Q_NOMEM;
	if (err == Q_OK) {
		lock_take(&e->lock);
		err = eio_put_locked(e, b);
		lock_drop(&e->lock);
	}
	bundle_unref(b);
	buf_free(&data);
	return err;
}

enum qerr
eio_begin(struct eio_server *server, struct session *http, enum eio_way way,
	  struct session *ws, struct eio **out)
{
	struct eio *e;
	enum qerr err = eio_make(server, http, &e);

	if (err != Q_OK)
		return err;
	insert(e);
	if ((err = put_handshake(e, way == EIO_POLLING)) == Q_OK &&
	    !server->handler->open(e))
		err = Q_NOMEM;
	if (err == Q_OK)
		err = take_seat(e);
	if (err != Q_OK) {
		/* Nobody knows it: there is nobody to be told. */
		lock_take(&e->lock);
		e->phase = EIO_OVER;
		e->told = true;
		lock_drop(&e->lock);
		eio_left(e);
		eio_unref(e);
		return err;
	}
	lock_take(&e->lock);
	e->way = way;
	e->ws = ws == NULL ? NULL : session_ref(ws);
	eio_unlock(e);
	eio_run(e);
	/* Of those that were in the table before, the end is taken care of. */
	if (atomic_load(&server->core->stopping))
		session_end(e->seat, GOODBYE_SHUTDOWN, NULL);
	*out = e;
	return Q_OK;
}
