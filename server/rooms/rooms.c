/* SPDX-License-Identifier: MIT
 *
 * rooms.c - a connection of the rooms protocol, from /rooms to its end.
 *
 * DESIGN.  A worker reads a message, opens it, parses it, asks whether a packet of that
 * type may come now, and acts; the answer is in the outbox before the next message is
 * looked at, so requests are answered in order.  Events of rooms are put into the outbox
 * by the threads of those who cause them; what a receiver has not had is sent by its own
 * worker, which is woken for it.
 *
 * Which types may come is decided by the phase alone and before what the packet holds is
 * looked at: a stranger learns nothing from what is wrong with a packet.
 */
#include "server/rooms/rooms.h"

#include <stdlib.h>

#include "base/clock.h"
#include "crypto/kex.h"
#include "crypto/random.h"
#include "server/log.h"
#include "server/rooms/account.h"
#include "server/test_mode.h"
#include "server/token_owners.h"
#include "store/rooms.h"

#define LARGE (1024 * 1024) /* messages above it are counted in `large` */

static struct budget *large; /* rooms.large_memory; from start to stop */

/* ---- packets ---- */

/* May a packet of that type come now?  ROOMS_SIG_OTHER: yes. */
static enum rooms_sig
objection(const struct rooms_session *rs, enum rooms_type type)
{
	bool in = rs->phase == ROOMS_IN;

	if (rs->phase == ROOMS_SILENT)
		return type == ROOMS_T_CONN_INIT ? ROOMS_SIG_OTHER : ROOMS_INVALID_PACKET;
	if (rs->phase == ROOMS_OFFERED)
		return type == ROOMS_T_CONN_ENCRYPT_C ? ROOMS_SIG_OTHER
						      : ROOMS_INVALID_PACKET;
	switch (type) {
	case ROOMS_T_UNKNOWN:
	case ROOMS_T_CONN_INIT:
	case ROOMS_T_CONN_ENCRYPT_C: return ROOMS_INVALID_PACKET;
	case ROOMS_T_SIGNUP:
	case ROOMS_T_LOGIN:
	case ROOMS_T_AUTH_TOKEN: return in ? ROOMS_ALREADY_LOGGED_IN : ROOMS_SIG_OTHER;
	case ROOMS_T_S_CAPTCHA: return ROOMS_SIG_OTHER;
	case ROOMS_T_CHAT_ENCRYPT_C:
		if (rs->pending != NULL && rs->pending->what == WAITING_KEY)
			return ROOMS_SIG_OTHER;
		break;
	default: break;
	}
	return in ? ROOMS_SIG_OTHER : ROOMS_NOT_LOGGED_IN;
}

static void
act(struct rooms_session *rs, const struct rooms_packet *p)
{
	switch (p->type) {
	case ROOMS_T_CONN_INIT: rooms_conn_init(rs, p); break;
	case ROOMS_T_CONN_ENCRYPT_C: rooms_conn_encrypt(rs, p); break;
	case ROOMS_T_SIGNUP: rooms_signup(rs, p); break;
	case ROOMS_T_S_CAPTCHA: rooms_captcha_solved(rs, p); break;
	case ROOMS_T_LOGIN: rooms_login(rs, p); break;
	case ROOMS_T_CHAT_ENCRYPT_C: rooms_take_chat_key(rs, p); break;
	case ROOMS_T_AUTH_TOKEN: rooms_auth_token(rs, p); break;
	case ROOMS_T_LOGOUT: rooms_logout(rs, p); break;
	default: rooms_request(rs, p); break;
	}
}

static void
take_packet(struct rooms_session *rs, struct span text)
{
	struct rooms_packet p = {.type = ROOMS_T_UNKNOWN};
	struct rooms_fault fault = {.sig = ROOMS_SIG_OTHER};
	enum qerr e =
	    rooms_parse(text, rs->ws.options.max_message, ROOMS_CLIENT, &p, &fault);
	enum rooms_sig no = objection(rs, e == Q_OK ? p.type : fault.type);
	struct span fault_ref =
	    fault.has_ref ? span_str(fault.ref) : (struct span){NULL, 0};

	if (e != Q_OK && (no == ROOMS_SIG_OTHER || no == ROOMS_INVALID_PACKET))
		(void)rooms_answer_fault(rs, &fault);
	else if (no != ROOMS_SIG_OTHER)
		(void)rooms_answer_status(rs, no, NULL, NULL,
					  e == Q_OK ? p.ref : fault_ref);
	else
		act(rs, &p);
	rooms_packet_free(&p);
}

/* Not inlined, so that an idle session's stack does not have room for all this. */
static __attribute__((noinline)) void
take_message(struct rooms_session *rs, const struct ws_message *m)
{
	struct span text = m->payload;
	bool in = rs->phase == ROOMS_IN;
	enum qerr e;

	if (rs->phase >= ROOMS_SEALED && (e = rooms_open_message(rs, &text)) != Q_OK) {
		rooms_broken(rs, e == Q_DENIED ? "bad tag or counter" : "no envelope");
		return;
	}
	take_packet(rs, text);
	if (!in) /* passwords and tokens; what comes later is sealed by the peers */
		rooms_wipe_message(text);
}

/* ---- the life of a connection ---- */

static void
finish(struct rooms_session *rs)
{
	struct session *s = rs->session;

	if (rs->phase == ROOMS_IN) {
		rooms_leave(rs);
		log_event(LOG_INFO, s, "logout", "how=%s", "disconnected");
	}
	session_end(s, GOODBYE_SELF, NULL);
	ws_fini(&rs->ws);
	rooms_pending_drop(rs);
	uuids_give(&rs->uuid);
}

/* Give back what the last step has left behind. */
static void
settle(struct rooms_session *rs, void (*then)(struct session *s))
{
	struct session *s = rs->session;

	rs->settle = false;
	if (rs->phase != ROOMS_IN) {
		session_continue(s, then);
		return;
	}
	ws_done(&rs->ws);
	lane_rest(&rs->in);
	lock_take(&s->out.lock);
	lane_rest(&rs->out);
	lock_drop(&s->out.lock);
	session_rest(s, then);
}

static void
serve_messages(struct session *s)
{
	struct rooms_session *rs = s->state;
	struct ws_message m;
	enum qerr e;

	while ((e = ws_read(&rs->ws, &m)) == Q_OK || e == Q_SHORT) {
		if (e == Q_OK)
			take_message(rs, &m);
		else if (rs->phase == ROOMS_IN)
			rooms_woken(rs);
		if (rs->settle) {
			settle(rs, serve_messages);
			return;
		}
	}
	finish(rs);
}

static void
begin(struct session *s)
{
	struct rooms_session *rs = s->state;
	const struct config *c = rs->config;
	const struct ws_options options = {.max_message = ROOMS_EARLY_MAX,
					   .ping_ms = c->rooms_ping_interval_ms,
					   .silence_ms = c->rooms_ping_timeout_ms,
					   .budget = large,
					   .budget_above = LARGE};

	ws_init(&rs->ws, s, &options);
	ws_deadline(&rs->ws, clock_mono_ms() + c->rooms_connect_timeout_ms);
	serve_messages(s);
}

/* ---- the route ---- */

static void
serve(struct http *h, struct http_request *r)
{
	struct rooms_session *rs = calloc(1, sizeof(*rs));

	if (rs == NULL) {
		http_error(h, 503, NULL);
		return;
	}
	rs->session = http_session(h);
	rs->config = config_now();
	if (ws_accept(h, r) == Q_OK)
		http_become(h, &rooms_protocol, rs, begin);
	else
		free(rs);
}

static bool
exists(void)
{
	return config_now()->rooms_enabled;
}

const struct http_route rooms_route = {
    .path = "/rooms",
    .methods = ROUTE_GET,
    .same_origin = true,
    .exists = exists,
    .serve = serve,
};

/* ---- the row ---- */

/* Reached through HTTP, never by first bytes. */
static enum qerr
recognise(struct span first)
{
	(void)first;
	return Q_FORMAT;
}

static void
stop(struct server *server)
{
	rooms_saver_stop();
	rooms_close(server->rooms);
	server->rooms = NULL;
	token_owners_clear();
	budget_free(large);
	large = NULL;
}

/* Also when rooms are switched off: users who are removed leave theirs all the same. */
static enum qerr
start(struct server *server, struct why *why)
{
	const struct config *c = config_now();
	enum qerr e;

	if (c->rooms_captcha != ROOMS_CAPTCHA_ON &&
	    (e = test_mode_require(server->store, "rooms.captcha", why)) != Q_OK)
		return e;
	if ((e = rooms_open(server->store, rooms_told_cb, server, &server->rooms)) !=
	    Q_OK)
		return why_set(why, e, "cannot read the rooms: %s", qerr_str(e));
	if ((e = budget_new((size_t)c->rooms_large_memory, &large)) == Q_OK)
		e = rooms_saver_start(server);
	if (e == Q_OK)
		return Q_OK;
	stop(server);
	return why_set(why, e, "cannot start rooms: %s", qerr_str(e));
}

/* Nothing of what the hub tells has a word here. */
static void
deliver(struct session *s, const struct event *event)
{
	(void)s, (void)event;
}

static void
release(struct session *s)
{
	struct rooms_session *rs = s->state;

	if (rs == NULL)
		return;
	rooms_inbox_free(rs);
	rooms_pending_drop(rs);
	uuids_give(&rs->uuid);
	kex_free(rs->kex);
	free(rs->early_token);
	free(rs->bad);
	lane_fini(&rs->in);
	lane_fini(&rs->out);
	free(rs);
	s->state = NULL;
}

const struct protocol rooms_protocol = {
    .name = "rooms",
    .recognise = recognise,
    .start = start,
    .stop = stop,
    .deliver = deliver,
    .goodbye = ws_goodbye,
    .release = release,
};
