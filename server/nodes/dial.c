/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  One thread goes through the targets: those that are due are looked up
 * (lookup.h) and connected to without blocking, any number side by side, and what is
 * connected becomes a session with a worker of its own, which does the rest.  When that
 * session is over its target is due again, later each time.
 *
 * A node with which there is a link, whoever has dialled, is left alone.
 */
#include "server/nodes/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <bsd/sys/queue.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/text.h"
#include "crypto/random.h"
#include "server/log.h"
#include "server/nodes/node_link.h"
#include "server/nodes/links.h"
#include "server/nodes/lookup.h"
#include "server/worker.h"

#define LOOK_MS    1000 /* settings may have changed, or a link may be gone */
#define LOOKUP_MS  30000
#define CONNECT_MS 10000
#define FOLLOW_MAX 16

enum target_state { WAITING, LOOKING, CONNECTING, BUSY, DONE };

/* Only the thread frees targets, and it reads without the lock what nobody else
 * writes. */
struct target {
	struct dial_call call;   /* set at birth */
	enum target_state state; /* [lock] */
	int64_t due_ms;          /* [lock] WAITING: not before; else no longer */
	int64_t delay_ms;        /* [lock] the last one */
	bool linked;             /* [lock] when we last looked */
	bool stale;              /* thread: nodes.peers has it no more */
	struct lookup *lookup;   /* thread: LOOKING, else NULL */
	int fd;                  /* thread: CONNECTING, else -1 */
	struct sockaddr_storage to[LOOKUP_MAX];
	size_t to_count, to_next;
	TAILQ_ENTRY(target) link;
};
TAILQ_HEAD(target_list, target);

static struct {
	struct server *server;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	int wake;                    /* an eventfd */
	struct lock lock;            /* a leaf */
	struct target_list targets;  /* [lock] the list, and what report and over read */
	size_t follows;              /* [lock] of these, made by dial_follow */
	uint32_t next_number;        /* [lock] */
	const struct config *config; /* the thread: whose peers the targets are */
} dialer = {.wake = -1, .lock = LOCK_INIT};

/* ---- targets ---- */

static void
jitter(struct target *t, int64_t now_ms)
{
	int64_t half = t->delay_ms / 2;

	t->due_ms = now_ms + half + random_u32() % (uint32_t)(half + 1);
}

/* Wait for twice as long as the last time, up to the most. */
static void
back_off_locked(struct target *t) REQUIRES(dialer.lock)
{
	const struct config *c = config_now();

	t->delay_ms = t->delay_ms == 0 ? c->nodes_redial_min_ms : 2 * t->delay_ms;
	if (t->delay_ms > c->nodes_redial_max_ms)
		t->delay_ms = c->nodes_redial_max_ms;
	t->state = WAITING;
	jitter(t, clock_mono_ms());
}

static struct target *
add_locked(void) REQUIRES(dialer.lock)
{
	struct target *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	if (++dialer.next_number == DIAL_NOBODY)
		++dialer.next_number;
	t->call.number = dialer.next_number;
	t->fd = -1;
	TAILQ_INSERT_TAIL(&dialer.targets, t, link);
	return t;
}

static void
drop_locked(struct target *t) REQUIRES(dialer.lock)
{
	TAILQ_REMOVE(&dialer.targets, t, link);
	dialer.follows -= t->call.any;
	lookup_drop(t->lookup);
	if (t->fd != -1)
		close(t->fd);
	free(t);
}

static void
set(struct target *t, enum target_state state, int64_t due_ms)
{
	lock_take(&dialer.lock);
	t->state = state;
	t->due_ms = due_ms;
	lock_drop(&dialer.lock);
}

static struct target *
of_peer_locked(const struct peer *p, const struct place *place) REQUIRES(dialer.lock)
{
	struct target *t;

	TAILQ_FOREACH (t, &dialer.targets, link)
		if (!t->call.any &&
		    memcmp(t->call.fingerprint, p->fingerprint, SHA256_LEN) == 0 &&
		    place_eq(&t->call.place, place))
			return t;
	return NULL;
}

/* The targets are what nodes.peers says now. */
static void
refresh(const struct config *cfg)
{
	const char *list = cfg->nodes_enabled ? cfg->nodes_peers : "";
	struct target *t, *next;
	struct peer p;

	lock_take(&dialer.lock);
	TAILQ_FOREACH (t, &dialer.targets, link)
		t->stale = !t->call.any;
	while (peers_next(&list, &p, NULL) == Q_OK) {
		struct place place;

		if (p.port == 0)
			continue;
		place_of_peer(&p, &place);
		if ((t = of_peer_locked(&p, &place)) == NULL && (t = add_locked())) {
			memcpy(t->call.fingerprint, p.fingerprint, SHA256_LEN);
			t->call.place = place;
		}
		if (t != NULL)
			t->stale = false;
	}
	TAILQ_FOREACH_SAFE (t, &dialer.targets, link, next)
		if (t->stale)
			drop_locked(t);
	lock_drop(&dialer.lock);
	dialer.config = cfg;
	links_review();
}

/* ---- connecting ---- */

/* Is that this machine's address and our port?  Whoever may bind to it has it. */
static bool
is_ourselves(const struct sockaddr_storage *to)
{
	struct sockaddr_storage at = *to;
	struct address a;
	int fd;
	bool own;

	address_from(to, &a);
	if (a.port != dialer.server->port)
		return false;
	if (at.ss_family == AF_INET)
		((struct sockaddr_in *)&at)->sin_port = 0;
	else
		((struct sockaddr_in6 *)&at)->sin6_port = 0;
	if ((fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return false;
	own = bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
	close(fd);
	return own;
}

static bool
may_connect(const struct sockaddr_storage *to)
{
	struct address a;
	struct place p;

	address_from(to, &a);
	place_of_address(&a, a.port, &p);
	return place_may_be_dialled(&p) && !is_ourselves(to);
}

/* The target has come to nothing this time.  One that a search named is forgotten. */
static void
failed(struct target *t, const char *reason)
{
	struct address a = {.port = 0};
	char text[PLACE_TEXT_SIZE];

	place_text(&t->call.place, text);
	log_limited(LOG_INFO, &a, NULL, "node-unreachable", "addr=%s reason=%s", text,
		    reason);
	lookup_drop(t->lookup);
	t->lookup = NULL;
	lock_take(&dialer.lock);
	if (t->fd != -1)
		close(t->fd);
	t->fd = -1;
	if (t->call.any)
		t->state = DONE;
	else
		back_off_locked(t);
	lock_drop(&dialer.lock);
}

/* Begin with the next address.  NULL, or why not. */
static const char *
connect_next(struct target *t)
{
	const char *reason = "no address";

	while (t->to_next < t->to_count) {
		const struct sockaddr_storage *to = &t->to[t->to_next++];
		int fd =
		    socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd != -1 &&
		    (connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0 ||
		     errno == EINPROGRESS)) {
			t->fd = fd;
			set(t, CONNECTING, clock_mono_ms() + CONNECT_MS);
			return NULL;
		}
		reason = strerror(errno);
		if (fd != -1)
			close(fd);
	}
	return reason;
}

/* ---- a session of what is connected ---- */

static enum qerr
hand_over(struct target *t)
{
	struct server *server = dialer.server;
	const struct sessions_limits limits = {.total = 0};
	struct address peer;
	struct stream *stream;
	struct session *s;
	enum qerr e;

	address_from(&t->to[t->to_next - 1], &peer);
	(void)fcntl(t->fd, F_SETFL, fcntl(t->fd, F_GETFL) & ~O_NONBLOCK);
	if ((stream = stream_plain(t->fd)) == NULL)
		return Q_NOMEM;
	t->fd = -1;
	if ((s = session_new(server, stream, &peer)) == NULL)
		return Q_NOMEM;
	if ((e = node_link_prepare(s, &t->call)) == Q_OK &&
	    (e = sessions_add(server->sessions, s, &limits)) == Q_OK) {
		session_ref(s);
		if ((e = worker_start(s)) != Q_OK) {
			sessions_remove(server->sessions, s);
			session_unref(s);
		}
	}
	session_unref(s);
	return e;
}

static void
connected(struct target *t)
{
	enum qerr e;

	/* Before there is a worker that says that it is over. */
	set(t, BUSY, 0);
	if ((e = hand_over(t)) != Q_OK)
		failed(t, qerr_str(e));
}

/* ---- the thread ---- */

/* A target as it was under the lock. */
struct view {
	struct target *target;
	enum target_state state;
	int64_t due_ms;
};
#define VIEWS_MAX (PEERS_MAX + FOLLOW_MAX)

/* Look at all; those that are done go. */
static size_t
view_all(struct view v[VIEWS_MAX])
{
	struct target *t, *next;
	size_t n = 0;

	lock_take(&dialer.lock);
	TAILQ_FOREACH_SAFE (t, &dialer.targets, link, next)
		if (t->state == DONE)
			drop_locked(t);
		else if (n < VIEWS_MAX)
			v[n++] = (struct view){t, t->state, t->due_ms};
	lock_drop(&dialer.lock);
	return n;
}

/* Is there a link?  When there was one the waiting begins anew. */
static bool
is_linked(struct view *v)
{
	struct target *t = v->target;
	bool linked = !t->call.any && links_linked(t->call.fingerprint);

	lock_take(&dialer.lock);
	if (t->linked && !linked && t->state == WAITING) {
		t->delay_ms = 0;
		back_off_locked(t);
		v->due_ms = t->due_ms;
	}
	t->linked = linked;
	lock_drop(&dialer.lock);
	return linked;
}

static void
begin(struct target *t)
{
	set(t, LOOKING, clock_mono_ms() + LOOKUP_MS);
	if ((t->lookup = lookup_start(&t->call.place, dial_look)) == NULL)
		failed(t, qerr_str(Q_NOMEM));
}

/* Its addresses may be there. */
static void
look_up(const struct view *v)
{
	struct target *t = v->target;
	struct lookup_found found;
	const char *reason;

	if (t->lookup == NULL)
		return;
	if (!lookup_done(t->lookup, &found)) {
		if (v->due_ms <= clock_mono_ms())
			failed(t, "its name is not found out");
		return;
	}
	lookup_drop(t->lookup);
	t->lookup = NULL;
	t->to_count = t->to_next = 0;
	for (size_t i = 0; i < found.count; i++)
		if (may_connect(&found.to[i]))
			t->to[t->to_count++] = found.to[i];
	reason = found.problem;
	if (reason == NULL && t->to_count == 0)
		reason = "that is ourselves, or nobody";
	if (reason != NULL || (reason = connect_next(t)) != NULL)
		failed(t, reason);
}

/* Begin with those whose time has come; returns when to come again. */
static int64_t
start_what_is_due(void)
{
	int64_t now = clock_mono_ms(), next = now + LOOK_MS;
	struct view v[VIEWS_MAX];
	size_t n = view_all(v);

	for (size_t i = 0; i < n; i++) {
		if (v[i].state == LOOKING)
			look_up(&v[i]);
		if (v[i].state != WAITING || is_linked(&v[i]))
			continue;
		if (v[i].due_ms <= now)
			begin(v[i].target);
		else if (v[i].due_ms < next)
			next = v[i].due_ms;
	}
	return next;
}

/* What poll(2) has said about a connection that was begun. */
static void
look_at(const struct view *v, short events)
{
	struct target *t = v->target;
	const char *reason = "no answer";
	socklen_t len = sizeof(int);
	int error = 0;

	if (events == 0 && v->due_ms > clock_mono_ms())
		return;
	if (events != 0) {
		(void)getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error == 0) {
			connected(t);
			return;
		}
		reason = strerror(error);
	}
	close(t->fd);
	t->fd = -1;
	if (t->to_next == t->to_count || connect_next(t) != NULL)
		failed(t, reason);
}

static void
wait_and_look(int64_t until_ms)
{
	struct pollfd p[1 + VIEWS_MAX];
	struct view v[VIEWS_MAX];
	size_t n = view_all(v);
	uint64_t rung;

	p[0] = (struct pollfd){.fd = dialer.wake, .events = POLLIN};
	for (size_t i = 0; i < n; i++) {
		bool wait = v[i].state == CONNECTING;

		p[1 + i] =
		    (struct pollfd){.fd = wait ? v[i].target->fd : -1, .events = POLLOUT};
		if (wait && v[i].due_ms < until_ms)
			until_ms = v[i].due_ms;
	}
	if (poll(p, (nfds_t)(1 + n), clock_left_ms(until_ms)) < 0)
		return;
	if (p[0].revents != 0)
		(void)!read(dialer.wake, &rung, sizeof(rung));
	for (size_t i = 0; i < n; i++)
		if (p[1 + i].fd != -1)
			look_at(&v[i], p[1 + i].revents);
}

static void *
dial_thread(void *arg)
{
	(void)arg;
	while (!atomic_load(&dialer.stop)) {
		if (dialer.config != config_now())
			refresh(config_now());
		wait_and_look(start_what_is_due());
	}
	return NULL;
}

/* ---- for others ---- */

enum qerr
dial_start(struct server *server)
{
	dialer.server = server;
	dialer.config = NULL;
	dialer.follows = 0;
	TAILQ_INIT(&dialer.targets);
	atomic_store(&dialer.stop, false);
	if ((dialer.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) == -1)
		return Q_NOMEM;
	if (pthread_create(&dialer.thread, NULL, dial_thread, NULL) != 0) {
		close(dialer.wake);
		dialer.wake = -1;
		return Q_NOMEM;
	}
	dialer.started = true;
	return Q_OK;
}

void
dial_quiet(void)
{
	if (!dialer.started)
		return;
	atomic_store(&dialer.stop, true);
	dial_look();
	pthread_join(dialer.thread, NULL);
	dialer.started = false;
}

void
dial_stop(void)
{
	dial_quiet();
	lock_take(&dialer.lock);
	while (!TAILQ_EMPTY(&dialer.targets))
		drop_locked(TAILQ_FIRST(&dialer.targets));
	lock_drop(&dialer.lock);
	close(dialer.wake);
	dialer.wake = -1;
}

void
dial_look(void)
{
	const uint64_t one = 1;

	(void)!write(dialer.wake, &one, sizeof(one));
}

void
dial_over(const struct dial_call *call)
{
	struct target *t;

	lock_take(&dialer.lock);
	TAILQ_FOREACH (t, &dialer.targets, link)
		if (t->call.number == call->number && t->state == BUSY)
			break;
	if (t != NULL && t->call.any)
		t->state = DONE;
	else if (t != NULL)
		back_off_locked(t);
	lock_drop(&dialer.lock);
	dial_look();
}

bool
dial_follow(const struct place *p, uint32_t uin)
{
	struct target *t = NULL;

	lock_take(&dialer.lock);
	if (dialer.follows < FOLLOW_MAX && (t = add_locked()) != NULL) {
		t->call.any = true;
		t->call.uin = uin;
		t->call.place = *p;
		dialer.follows++;
	}
	lock_drop(&dialer.lock);
	dial_look();
	return t != NULL;
}

void
dial_report(struct buf *out)
{
	char hex[HEX_LEN(SHA256_LEN) + 1], text[PLACE_TEXT_SIZE];
	int64_t now = clock_mono_ms();
	struct target *t;

	lock_take(&dialer.lock);
	TAILQ_FOREACH (t, &dialer.targets, link) {
		int64_t left = t->due_ms > now ? t->due_ms - now : 0;

		if (t->call.any || t->linked || t->state == BUSY)
			continue;
		hex_encode(span_of(t->call.fingerprint, SHA256_LEN), hex);
		place_text(&t->call.place, text);
		(void)buf_printf(
		    out, "not linked  %.16s  %s, %s %lld.%01lld s\n", hex, text,
		    t->state == LOOKING      ? "looked up for at most"
		    : t->state == CONNECTING ? "connecting for at most"
					     : "tried again in",
		    (long long)(left / 1000), (long long)(left % 1000 / 100));
	}
	lock_drop(&dialer.lock);
}
