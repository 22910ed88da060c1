/* SPDX-License-Identifier: MIT
 *
 * sio-echo - a server for checkers of Engine.IO and Socket.IO: nothing but the module that
 * board stands on, at /engine.io/ (each message comes back) and at /socket.io/.
 *
 *	sio-echo [KEY=VALUE ...]
 *
 * Keys are listen (127.0.0.1:3000), ping_interval (300), ping_timeout (200),
 * connect_timeout (2000), auth_after (100) in milliseconds, max_payload (1000000),
 * max_message (the same; what a client may send before it sends `raise`), max_backlog,
 * max_inflight in bytes; and those of the server's settings, with their section
 * (http.origins=...).
 *
 * Namespaces are / and /custom.  Both emit `auth` with the payload of CONNECT, auth_after
 * behind its answer: a checker that gets both in one read may miss the second, and on a
 * busy machine it does not read at once.  Nor does it get through three heartbeats without
 * CONNECT in a second there, hence connect_timeout.  In / there are the events
 *	message            comes back as message-back with the same arguments
 *	message-with-ack   is acknowledged with them
 *	everybody          comes back as to-everybody to all clients
 *	gather             is counted; once nothing else has come, gathered says how many
 *	raise, leave       the larger limit; the server leaves the namespace
 *	end, end-for-good  the server ends the transport, without and with `41`
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "protocol/json.h"
#include "server/engineio/sio.h"
#include "server/flusher.h"
#include "server/hub.h"
#include "server/listener.h"
#include "server/log.h"
#include "server/server.h"
#include "server/signals.h"
#include "server/timer.h"
#include "tests/system/sio-echo/echo.h"

#define STOP_MS       2000
#define OVERRIDES_MAX 16

static struct server core;

/* ---- the tables of the core, with what there is here ---- */

const struct protocol *const protocols[] = {&http_protocol, NULL};
const struct http_route *const http_routes[] = {&echo_engineio_route,
						&echo_socketio_route, NULL};

enum qerr
protocol_recognise(struct span first, const struct protocol **out)
{
	enum qerr e = http_protocol.recognise(first);

	if (e == Q_OK)
		*out = &http_protocol;
	return e;
}

/* ---- the command line ---- */

struct options {
	const char *listen;
	struct echo_options echo;
	const char *overrides[OVERRIDES_MAX];
	size_t override_count;
};

static _Noreturn void
usage(const char *what)
{
	fprintf(stderr, "sio-echo: %s\nusage: sio-echo [KEY=VALUE ...]\n", what);
	exit(2);
}

static long long
number(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || n <= 0 || n > INT_MAX)
		usage(text);
	return n;
}

static void
take_option(struct options *o, const char *key, size_t len, const char *value)
{
	struct eio_options *t = &o->echo.sio.transport;
	const struct {
		const char *name;
		int64_t *ms;
		size_t *bytes;
	} rows[] = {
	    {"ping_interval", &t->ping_interval_ms, NULL},
	    {"ping_timeout", &t->ping_timeout_ms, NULL},
	    {"connect_timeout", &o->echo.sio.connect_timeout_ms, NULL},
	    {"auth_after", &o->echo.auth_after_ms, NULL},
	    {"max_payload", NULL, &t->max_payload},
	    {"max_message", NULL, &t->max_message},
	    {"max_backlog", NULL, &t->max_backlog},
	    {"max_inflight", NULL, &t->max_inflight},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strlen(rows[i].name) != len || memcmp(rows[i].name, key, len) != 0)
			continue;
		if (rows[i].ms != NULL)
			*rows[i].ms = number(value);
		else
			*rows[i].bytes = (size_t)number(value);
		return;
	}
	usage(key);
}

static struct options
parse(int argc, char **argv)
{
	struct options o = {
	    .listen = "127.0.0.1:3000",
	    .echo = {.sio = {.transport = {.ping_interval_ms = 300,
					   .ping_timeout_ms = 200,
					   .max_payload = 1000000,
					   .max_message = 0,
					   .max_backlog = 4 << 20,
					   .max_inflight = 64 << 20},
			     .connect_timeout_ms = 2000},
		     .auth_after_ms = 100},
	};

	for (int i = 1; i < argc; i++) {
		const char *value = strchr(argv[i], '=');
		size_t len = value == NULL ? 0 : (size_t)(value - argv[i]);

		if (value == NULL)
			usage(argv[i]);
		if (memchr(argv[i], '.', len) != NULL && o.override_count < OVERRIDES_MAX)
			o.overrides[o.override_count++] = argv[i];
		else if (len == 6 && memcmp(argv[i], "listen", len) == 0)
			o.listen = value + 1;
		else
			take_option(&o, argv[i], len, value + 1);
	}
	if (o.echo.sio.transport.max_message == 0)
		o.echo.sio.transport.max_message = o.echo.sio.transport.max_payload;
	return o;
}

/* ---- life ---- */

static void
must(enum qerr e, const char *what)
{
	if (e == Q_OK)
		return;
	fprintf(stderr, "sio-echo: %s: %s\n", what, qerr_str(e));
	exit(1);
}

static struct listener *
start(const struct options *o)
{
	const struct config_source source = {.overrides = o->overrides,
					     .override_count = o->override_count};
	struct listener *l;
	struct config *c;
	struct why why = {""};

	must(config_load(&source, &c, &why), why.text);
	config_publish(c);
	json_start(random_u32());
	must(sessions_new(&core.sessions), "sessions");
	must(timers_new(&core.timers), "timers");
	must(flusher_new(&core.flusher), "flusher");
	must(echo_start(&core, &o->echo), "echo");
	must(listener_bind(o->listen, &l, &why), why.text);
	must(listener_start(l, &core), "listener");
	return l;
}

static void
stop(struct listener *l)
{
	atomic_store(&core.stopping, true);
	listener_free(l);
	hub_goodbye_all(&core);
	if (!workers_wait(clock_mono_ms() + STOP_MS)) {
		fprintf(stderr, "sio-echo: connections are left\n");
		_Exit(1);
	}
	flusher_free(core.flusher);
	echo_stop();
	timers_free(core.timers);
	sessions_free(core.sessions);
	config_fini();
}

int
main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	struct listener *l;

	signals_block();
	l = start(&o);
	printf("listening on %s\n", listener_address(l));
	fflush(stdout);
	while (signals_wait() == SIGNAL_RELOAD)
		continue;
	stop(l);
	return 0;
}
