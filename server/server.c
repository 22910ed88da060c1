/* SPDX-License-Identifier: MIT
 *
 * server.c - the life of a server: start, serve, reload, stop.
 *
 * The order of the start is what can fail for a person's reason first: the
 * configuration, the data directory, the identity, the ports.  Threads that
 * serve come last, when nothing can fail any more but for want of memory.  The
 * stop is the start backwards, in one function that also undoes a start which
 * failed half-way.
 *
 * The main thread waits for signals; a reload runs on it, or on the control
 * socket's thread.
 */
#include "server/server.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lock.h"
#include "server/accounts.h"
#include "server/banner.h"
#include "server/control.h"
#include "server/flusher.h"
#include "server/hub.h"
#include "server/identity.h"
#include "server/limits.h"
#include "server/listener.h"
#include "server/log.h"
#include "server/moderation.h"
#include "server/passwords.h"
#include "server/pool.h"
#include "server/shared.h"
#include "server/protocol.h"
#include "server/sandbox.h"
#include "server/sessions.h"
#include "server/signals.h"
#include "server/throttle.h"
#include "server/timer.h"
#include "server/worker.h"
#include "store/anons.h"
#include "store/chats.h"
#include "store/relations.h"

#define ARENAS_MAX 4    /* malloc's; thousands of threads would make dozens */
#define CRYPTO_MAX 16   /* threads for handshakes, on a machine with so many processors */
#define GRACE_MS   1000 /* for workers to end once their outbox is drained */

/* A running server and what only its life needs. */
struct life {
	struct server server;
	struct sandbox_user user;
	struct listener *listeners[CONFIG_LISTEN_MAX + 1]; /* and nodes.data_port */
	size_t listener_count;
	size_t protocols_started;
	struct control *control;
};

/* ---- start ---- */

/* A file that is damaged may be asked for again and again. */
static void
report(void *arg, const char *sentence)
{
	(void)arg;
	log_sentence(LOG_WARN, "store", sentence);
}

/* Configuration and log, with the rights that the server is to have. */
static enum qerr
start_settings(struct life *l, const struct server_options *opt, struct why *why)
{
	struct config *cfg;
	enum qerr e;

	if ((e = config_load(&opt->source, &cfg, why)) != Q_OK)
		return e;
	config_publish(cfg);
	if ((e = sandbox_find_user(cfg->run_as, opt->data_dir, &l->user, why)) != Q_OK ||
	    (e = sandbox_enter(&l->user, why)) != Q_OK)
		return e;
	return log_open(cfg->log_file, (enum log_level)cfg->log_level, cfg->log_max_size,
			why);
}

/* At the first start, put the commented example where a teacher finds it. */
static void
write_example(struct store *store)
{
	struct buf old = BUF_INIT(1);
	char *text = NULL;
	size_t len = 0;
	FILE *f;

	if (store_server_read(store, "server.conf", &old) == Q_MISSING &&
	    (f = open_memstream(&text, &len)) != NULL) {
		config_print_example(f);
		if (fclose(f) != 0 ||
		    store_server_write(store, "server.conf", span_of(text, len), 0600) !=
			Q_OK)
			log_event(LOG_WARN, NULL, "no-example", "file=%s", "server.conf");
		free(text);
	}
	buf_free(&old);
}

static enum qerr
start_store(struct life *l, const struct server_options *opt, struct why *why)
{
	const struct config *cfg = config_now();
	struct store_options store_opt = STORE_OPTIONS_DEFAULT;
	enum qerr e;

	store_opt.durability = (enum store_durability)cfg->durability;
	store_opt.interval_ms = (int)cfg->sync_interval_ms;
	store_opt.max_open_logs = (int)cfg->max_open_logs;
	store_opt.report = report;
	if ((e = store_open(opt->data_dir, &store_opt, &l->server.store, why)) != Q_OK)
		return e;
	if (opt->source.file_optional)
		write_example(l->server.store);
	if ((e = chats_open(l->server.store, &l->server.chats)) != Q_OK)
		return why_set(why, e, "cannot read the chats: %s", qerr_str(e));
	if ((e = relations_open(l->server.store, &l->server.relations)) != Q_OK)
		return why_set(why, e, "cannot read the contacts: %s", qerr_str(e));
	if ((e = anons_open(l->server.store, &l->server.anons)) != Q_OK)
		return why_set(why, e, "cannot read the announcements: %s", qerr_str(e));
	if ((e = moderation_open(l->server.store, &l->server.moderation)) != Q_OK)
		return why_set(why, e, "cannot read the restrictions: %s", qerr_str(e));
	return identity_open(l->server.store, cfg, &l->server.identity, why);
}

static enum qerr
listen_on(struct life *l, const char *spec, struct why *why)
{
	struct why busy;
	enum qerr e = listener_bind(spec, &l->listeners[l->listener_count], &busy);

	if (e != Q_OK)
		return why_set(why, e, "%.400s%s", busy.text,
			       e == Q_EXISTS ? "; choose another with --listen PORT"
					     : "");
	l->listener_count++;
	return Q_OK;
}

/* nodes.data_port: one port more, at the address of the first one. */
static enum qerr
listen_for_data(struct life *l, const struct config *cfg, struct why *why)
{
	const char *first = cfg->listen[0], *colon = strrchr(first, ':');
	char spec[CONFIG_TEXT_SIZE + 8];

	if (cfg->nodes_data_port == 0)
		return Q_OK;
	snprintf(spec, sizeof(spec), "%.*s%lld",
		 colon == NULL ? 0 : (int)(colon - first) + 1, first,
		 (long long)cfg->nodes_data_port);
	return listen_on(l, spec, why);
}

/* Ports below 1024 need root's rights; they are given up right behind. */
static enum qerr
start_ports(struct life *l, struct why *why)
{
	const struct config *cfg = config_now();
	struct why filter;
	enum qerr e;

	if ((e = sandbox_leave(&l->user, why)) != Q_OK)
		return e;
	for (size_t i = 0; i < cfg->listen_count; i++)
		if ((e = listen_on(l, cfg->listen[i], why)) != Q_OK)
			return e;
	l->server.port = (uint16_t)listener_port(l->listeners[0]);
	if ((e = listen_for_data(l, cfg, why)) != Q_OK)
		return e;
	if ((e = sandbox_enter(&l->user, why)) != Q_OK ||
	    (e = sandbox_drop(&l->user, why)) != Q_OK)
		return e;
	if (cfg->sandbox && sandbox_filter(&filter) != Q_OK)
		log_event(LOG_WARN, NULL, "no-sandbox", "text=%s", filter.text);
	return Q_OK;
}

static enum qerr
start_objects(struct life *l, struct why *why)
{
	struct server *s = &l->server;
	enum qerr e;

	if ((e = accounts_new(s->store, &s->accounts)) != Q_OK ||
	    (e = passwords_open(s->store, s->accounts, &s->passwords)) != Q_OK ||
	    (e = pool_open(pool_processors(1, CRYPTO_MAX), &s->crypto)) != Q_OK ||
	    (e = throttle_new(&s->throttle)) != Q_OK ||
	    (e = (s->limits = limits_new()) == NULL ? Q_NOMEM : Q_OK) != Q_OK ||
	    (e = sessions_new(&s->sessions)) != Q_OK ||
	    (e = timers_new(&s->timers)) != Q_OK ||
	    (e = flusher_new(&s->flusher)) != Q_OK)
		return why_set(why, e, "cannot start: %s", qerr_str(e));
	sessions_guard(s->sessions, moderation_admits, s->moderation);
	if ((e = shared_open(s, &s->shared, why)) != Q_OK)
		return e;
	for (size_t i = 0; protocols[i] != NULL; i++) {
		if (protocols[i]->start != NULL &&
		    (e = protocols[i]->start(s, why)) != Q_OK)
			return e;
		l->protocols_started++;
	}
	return control_start(s, &l->control, why);
}

static enum qerr
start(struct life *l, const struct server_options *opt, struct why *why)
{
	enum qerr e;

	if ((e = start_settings(l, opt, why)) != Q_OK ||
	    (e = start_store(l, opt, why)) != Q_OK || (e = start_ports(l, why)) != Q_OK ||
	    (e = start_objects(l, why)) != Q_OK)
		return e;
	for (size_t i = 0; i < l->listener_count; i++)
		if ((e = listener_start(l->listeners[i], &l->server)) != Q_OK)
			return why_set(why, e, "cannot start to listen: %s", qerr_str(e));
	return Q_OK;
}

/* ---- stop ---- */

/* Nobody comes in any more; tell everybody, and wait while they are told. */
static void
say_goodbye(struct life *l)
{
	int64_t drain_ms;

	atomic_store(&l->server.stopping, true);
	for (size_t i = 0; i < l->listener_count; i++)
		listener_free(l->listeners[i]);
	l->listener_count = 0;
	control_stop(l->control);
	l->control = NULL;
	if (l->server.sessions == NULL)
		return;
	for (size_t i = 0; i < l->protocols_started; i++)
		if (protocols[i]->quiet != NULL)
			protocols[i]->quiet(&l->server);
	drain_ms = config_now()->drain_ms;
	hub_goodbye_all(&l->server);
	if (workers_wait(clock_mono_ms() + drain_ms + GRACE_MS))
		return;
	/* Threads that are still in there use everything that would be freed:
	 * leave it to the kernel.  What was acknowledged is put on the disk. */
	log_event(LOG_WARN, NULL, "stop-incomplete", "workers=%zu", workers_count());
	store_sync(l->server.store);
	_exit(EXIT_SUCCESS);
}

/* Undo what start did, as far as it came. */
static void
undo(struct life *l)
{
	struct server *s = &l->server;

	say_goodbye(l);
	/* It may have the last reference to a session, whose protocol releases it. */
	flusher_free(s->flusher);
	s->flusher = NULL;
	for (size_t i = l->protocols_started; i-- > 0;)
		if (protocols[i]->stop != NULL)
			protocols[i]->stop(s);
	timers_free(s->timers);
	sessions_free(s->sessions);
	limits_free(s->limits);
	throttle_free(s->throttle);
	shared_close(s->shared);
	pool_close(s->crypto);
	passwords_close(s->passwords);
	accounts_free(s->accounts);
	identity_free(s->identity);
	moderation_close(s->moderation);
	anons_close(s->anons);
	relations_close(s->relations);
	chats_close(s->chats);
	store_close(s->store);
}

static void
say_hello(const struct server_options *opt)
{
	log_event(LOG_INFO, NULL, "start", "version=%s data=%s", QUINTET_VERSION,
		  opt->data_dir);
	if (geteuid() == 0)
		log_event(
		    LOG_WARN, NULL, "running-as-root", "advice=%s",
		    "give the data directory to another user, or set security.user");
}

int
server_run(const struct server_options *opt)
{
	struct life l = {.server = {.options = opt, .started_ms = clock_wall_ms()}};
	struct why why = {""};
	int status = EXIT_SUCCESS;

	mallopt(M_ARENA_MAX, ARENAS_MAX);
	signals_block();
	sandbox_limits();
	if (start(&l, opt, &why) == Q_OK) {
		say_hello(opt);
		banner_print(&l.server, l.listeners, l.listener_count, stdout);
		while (signals_wait() == SIGNAL_RELOAD) {
			/* The log follows its rotation even when the rest is refused. */
			log_reopen(NULL);
			server_reload(&l.server, &why);
		}
		signals_impatient();
		log_event(LOG_INFO, NULL, "stop", "sessions=%zu",
			  sessions_count(l.server.sessions));
	} else {
		fprintf(stderr, "server: %s\n", why.text);
		status = EXIT_FAILURE;
	}
	undo(&l);
	if (status == EXIT_SUCCESS)
		log_event(LOG_INFO, NULL, "stopped", "uptime_ms=%lld",
			  (long long)(clock_wall_ms() - l.server.started_ms));
	log_close();
	config_fini();
	return status;
}

void
server_stop(struct server *server)
{
	(void)server;
	kill(getpid(), SIGTERM);
}

/* ---- reload ---- */

static bool
log_changed(const struct config *a, const struct config *b)
{
	return strcmp(a->log_file, b->log_file) != 0 || a->log_level != b->log_level ||
	       a->log_max_size != b->log_max_size;
}

static enum qerr
use_log(const struct config *c, struct why *why)
{
	return log_open(c->log_file, (enum log_level)c->log_level, c->log_max_size, why);
}

/* What a person has put into restrictions/, or taken out. */
static void
moderate(struct server *server)
{
	enum qerr e = moderation_reload(server->moderation);

	if (e != Q_OK)
		log_event(LOG_ERROR, NULL, "restrictions-unread", "error=%s",
			  qerr_str(e));
	hub_enforce(server);
}

/* Every step but the last can fail and leaves, or puts back, what was. */
static enum qerr
reload(struct server *server, struct why *why)
{
	const struct config *old = config_now();
	struct config *fresh;
	struct why note;
	bool other_log;
	enum qerr e;

	if ((e = config_prepare(&server->options->source, &fresh, &note)) != Q_OK)
		return why_set(why, e, "%s", note.text);
	other_log = log_changed(old, fresh);
	if (other_log && (e = use_log(fresh, why)) != Q_OK) {
		config_free(fresh);
		return e;
	}
	if ((e = identity_reload(server->identity, server->store, fresh, why)) != Q_OK) {
		if (other_log)
			use_log(old, NULL);
		config_free(fresh);
		return e;
	}
	store_set_durability(server->store, (enum store_durability)fresh->durability,
			     (int)fresh->sync_interval_ms);
	config_publish(fresh);
	moderate(server);
	for (size_t i = 0; protocols[i] != NULL; i++)
		if (protocols[i]->reload != NULL)
			protocols[i]->reload(server);
	*why = note;
	return Q_OK;
}

enum qerr
server_reload(struct server *server, struct why *why)
{
	/* One reload at a time.  It reads files meanwhile, but nobody waits for
	 * this lock except another reload. */
	static struct lock one = LOCK_INIT;
	enum qerr e;

	lock_take(&one);
	e = reload(server, why);
	lock_drop(&one);
	if (e == Q_OK)
		log_event(LOG_INFO, NULL, "reload", "note=%s", why->text);
	else
		log_event(LOG_ERROR, NULL, "reload-refused", "text=%s", why->text);
	return e;
}
