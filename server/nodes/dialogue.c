/* SPDX-License-Identifier: MIT */
#include "server/nodes/dialogue.h"

#include "base/clock.h"
#include "server/config.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/server.h"

void
dialogue_tell(struct session *s, const struct nodes_message *m)
{
	struct buf b = BUF_INIT(NODES_MESSAGE_MAX);
	enum qerr e = nodes_put(&b, m);

	if (e == Q_OK)
		e = outbox_put(s, OUTBOX_CONTROL, buf_span(&b));
	/* Whoever misses one message is out of step with all others. */
	if (e != Q_OK && e != Q_CLOSED)
		session_end(s, GOODBYE_ERROR, qerr_str(e));
	buf_free(&b);
}

bool
dialogue_welcome(struct session *s, const struct nodes_message *hello)
{
	struct nodes_message answer = {.type = NODES_OK};

	if (hello->two[0] != NODES_MAJOR) {
		answer.type = NODES_OTHER_VERSION;
		answer.two[0] = NODES_MAJOR;
		answer.two[1] = NODES_MINOR;
	}
	dialogue_tell(s, &answer);
	outbox_flush_touched();
	return answer.type == NODES_OK;
}

bool
rate_exceeded(struct rate *r, unsigned a_second)
{
	int64_t now = clock_mono_ms();

	if (now - r->since_ms >= 1000) {
		r->since_ms = now;
		r->n = 0;
	}
	return ++r->n > a_second;
}

/* The timer: a ping each nodes.ping_interval, the end after nodes.ping_timeout without a
 * byte. */
static void
tick(void *arg)
{
	const struct config *cfg = config_now();
	int64_t now = clock_mono_ms();
	struct dialogue *d = arg;

	if (now - atomic_load(&d->heard_ms) >= cfg->nodes_ping_timeout_ms) {
		session_end(d->session, GOODBYE_SLOW, "nothing was heard of you");
		return;
	}
	dialogue_tell(d->session, &(struct nodes_message){.type = NODES_PING});
	timer_set(d->session->server->timers, &d->timer,
		  now + cfg->nodes_ping_interval_ms, tick, d);
	outbox_flush_touched();
}

static void
broken(const struct dialogue *d)
{
	const char *reason = d->speaker == NODES_NODE
				 ? "no message that a node may send"
				 : "no message that a client may send";

	metric_add(METRIC_protocol_errors_total, 1);
	log_limited(LOG_WARN, &d->session->peer, d->session, "protocol-error",
		    "reason=%s", reason);
	session_end(d->session, GOODBYE_ERROR, reason);
}

/* All whole messages of the input. */
static enum qerr
take_messages(struct dialogue *d)
{
	struct session *s = d->session;
	struct nodes_message m, pong;
	enum qerr e;

	while ((e = nodes_next(session_input(s), d->speaker, &m)) == Q_OK) {
		if (m.type == NODES_PING) {
			pong = m;
			pong.type = NODES_PONG;
			dialogue_tell(s, &pong);
		} else if (m.type != NODES_PONG) {
			d->obey(d->arg, &m);
		}
		session_consume(s, m.total);
		if (session_ended(s))
			return Q_CLOSED;
	}
	return e;
}

void
dialogue_run(struct dialogue *d)
{
	struct session *s = d->session;
	enum qerr e = Q_OK;

	atomic_store(&d->heard_ms, clock_mono_ms());
	timer_set(s->server->timers, &d->timer,
		  clock_mono_ms() + config_now()->nodes_ping_interval_ms, tick, d);
	while ((e == Q_OK || e == Q_SHORT) && !session_ended(s)) {
		if (e == Q_OK)
			atomic_store(&d->heard_ms, clock_mono_ms());
		if (take_messages(d) == Q_FORMAT)
			broken(d);
		else
			e = session_fill(s, d->longest);
	}
	session_end(s, GOODBYE_SELF, NULL);
	timer_cancel(s->server->timers, &d->timer);
}
