/* SPDX-License-Identifier: MIT
 *
 * server.h - what the parts of one running server share, and its life.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <stdatomic.h>

#include "base/err.h"
#include "server/config.h"

struct accounts;
struct anons;
struct chats;
struct file_set;
struct flusher;
struct identity;
struct limits;
struct moderation;
struct passwords;
struct pool;
struct relations;
struct rooms;
struct sessions;
struct shared;
struct sio_server;
struct store;
struct throttle;
struct server_options;
struct timers;

/* Everything here but stopping is set before the first thread starts and stays until the
 * last one has ended; each object does its own locking. */
struct server {
	struct store *store;
	struct chats *chats;
	struct relations *relations;
	struct rooms *rooms; /* of the rooms protocol */
	struct anons *anons; /* announcements */
	struct identity *identity;
	struct accounts *accounts;
	struct passwords *passwords;
	struct pool *crypto; /* for handshakes: crypto in, result out (pool.h) */
	struct throttle *throttle;
	struct limits *limits;
	struct moderation *moderation; /* who is banned or muted */
	struct sessions *sessions;
	struct timers *timers;
	struct flusher *flusher;
	struct shared *shared;
	struct sio_server *board; /* its connections */
	struct file_set *files;   /* the web page's; NULL: not there */
	const struct server_options *options;
	int64_t started_ms; /* wall clock */
	uint16_t port;      /* of the first listener */
	/* Nobody comes in any more, and all sessions that are in the table will be ended:
	 * what makes sessions last looks at it. */
	atomic_bool stopping;
};

/* What the command line asked for. */
struct server_options {
	const char *data_dir;
	struct config_source source; /* for the start and for every reload */
};

/* Start everything and serve until a signal or `ctl stop`; returns the exit
 * status.  Ready when "listening on ADDR:PORT" is on standard output, one line a
 * listener. */
int server_run(const struct server_options *opt);
/* Read configuration, certificates and log file again, all or nothing; why says
 * what was wrong, or what needs a restart.  Any thread. */
enum qerr server_reload(struct server *server, struct why *why);
/* Ask for the orderly end (as SIGTERM does).  Any thread; does not wait. */
void server_stop(struct server *server);

#endif
