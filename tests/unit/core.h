/* SPDX-License-Identifier: MIT
 *
 * core.h - a server without listeners, store and protocols, for the tests of its
 * core: sessions on socket pairs, the test holding the other end.
 */
#ifndef TESTS_UNIT_CORE_H
#define TESTS_UNIT_CORE_H

#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/config.h"
#include "server/protocol.h"
#include "server/server.h"
#include "server/session.h"

static struct server core;

/* A protocol that says "bye WHY" and counts how often it was released. */
static atomic_int core_released;

static void
core_goodbye(struct session *s, enum goodbye why, const char *text)
{
	char line[128];

	snprintf(line, sizeof(line), "bye %d %s\n", (int)why, text == NULL ? "-" : text);
	(void)outbox_put(s, OUTBOX_CONTROL, span_str(line));
}

static void
core_deliver(struct session *s, const struct event *event)
{
	(void)outbox_put(s, OUTBOX_CONTROL, event->text);
}

static void
core_release(struct session *s)
{
	(void)s;
	atomic_fetch_add(&core_released, 1);
}

static const struct protocol core_protocol = {
    .name = "core",
    .notices = true,
    .deliver = core_deliver,
    .goodbye = core_goodbye,
    .release = core_release,
};

/* Settings are the defaults but for overrides ("section.key=value"). */
static inline void
core_start_with(const char *const *overrides, size_t n)
{
	const struct config_source src = {.overrides = overrides, .override_count = n};
	struct config *c;
	struct why why;

	ck_assert_msg(config_load(&src, &c, &why) == Q_OK, "%s", why.text);
	config_publish(c);
	ck_assert_int_eq(sessions_new(&core.sessions), Q_OK);
	ck_assert_int_eq(timers_new(&core.timers), Q_OK);
	ck_assert_int_eq(flusher_new(&core.flusher), Q_OK);
	atomic_store(&core_released, 0);
}

static inline void
core_start(void)
{
	core_start_with(NULL, 0);
}

/* Checks on the way that nothing is left in any of them. */
static inline void
core_stop(void)
{
	flusher_free(core.flusher);
	timers_free(core.timers);
	sessions_free(core.sessions);
	config_fini();
}

/* A session on st, speaking core_protocol, one reference. */
static inline struct session *
core_session_on(struct stream *st)
{
	static const struct address nowhere;
	struct session *s = session_new(&core, st, &nowhere);

	ck_assert_ptr_nonnull(s);
	atomic_store(&s->protocol, &core_protocol);
	return s;
}

/* The same on a socket pair with small buffers; *peer is the other end. */
static inline struct session *
core_session(int *peer)
{
	const int small = 4096;
	struct stream *st;
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	st = stream_plain(fd[0]);
	ck_assert_ptr_nonnull(st);
	*peer = fd[1];
	return core_session_on(st);
}

/* Read exactly n bytes from the peer's end, or fail. */
static inline void
core_read(int peer, void *p, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t r = read(peer, (char *)p + have, n - have);

		ck_assert_msg(r > 0, "peer's end after %zu of %zu bytes", have, n);
		have += (size_t)r;
	}
}

static inline void
core_expect(int peer, const char *text)
{
	char got[256] = "";

	ck_assert_uint_lt(strlen(text), sizeof(got));
	core_read(peer, got, strlen(text));
	ck_assert_str_eq(got, text);
}

static inline void
core_expect_end(int peer)
{
	char c;

	ck_assert_int_eq(read(peer, &c, 1), 0);
}

/* Is there nothing to read from the peer's end, now? */
static inline bool
core_silent(int peer)
{
	struct pollfd p = {.fd = peer, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

/* Wait, up to 50 s, for what another thread will bring about. */
#define CORE_AWAIT(condition)                                                            \
	do {                                                                             \
		int64_t until_ms = clock_mono_ms() + 50000;                              \
		while (!(condition)) {                                                   \
			ck_assert_msg(clock_mono_ms() < until_ms, "not within 50 s: %s", \
				      #condition);                                       \
			usleep(2000);                                                    \
		}                                                                        \
	} while (0)

#endif
