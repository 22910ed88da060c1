/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  One call of a client is one step: begin takes the switchboard's
 * lock, the switchboard changes and calls relay_tell for each person
 * concerned, relay_tell seals the frame into that person's outbox and changes
 * that person's chat in the same hold of the outbox lock, and finish drops the
 * lock and does what may not be done under it (writing, ending sessions that
 * do not read, letting go of chats).
 *
 * Outboxes are only appended to under the lock; nothing waits.  So what a
 * client sees is always in the order in which things happened: 303 and 307
 * stand before any frame of the chat, because a frame is passed on only to a
 * session that is in the chat (forward.c); 371 stands behind the last one for
 * the same reason.
 */
#include "server/relay/relay_session.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/moderation.h"
#include "server/relay/relay.h"

struct switchboard relay_board = {LOCK_INIT, RB_INITIALIZER(&relay_board.seats),
				  relay_tell};

/* ---- frames out ---- */

enum qerr
relay_seal_locked(struct session *s, enum sealing_last last, int32_t opcode,
		  struct span data)
{
	struct relay_session *rs = s->state;
	size_t len = RELAY_HEAD_LEN + data.len;
	uint8_t *at, *plain;
	enum qerr e;

	LOCK_ASSERT_HELD(&s->out.lock);
	if (rs->farewell)
		return Q_CLOSED;
	if ((e = outbox_reserve_locked(&s->out, OUTBOX_CONTROL, SEALED_SIZE(len), &at)) !=
	    Q_OK)
		return e;
	plain = at + RELAY_SIZE_LEN;
	relay_head_put(plain, opcode, 0);
	if (data.len > 0)
		memcpy(plain + RELAY_HEAD_LEN, data.p, data.len);
	if ((e = sealing_seal(&rs->sealing, last, plain, len, at)) != Q_OK)
		return e == Q_LIMIT ? Q_MISSING : e;
	outbox_commit_locked(&s->out, SEALED_SIZE(len));
	rs->farewell = last == SEALING_LAST;
	return Q_OK;
}

void
relay_settle_put(struct relay_session *rs, enum qerr e)
{
	switch (e) {
	case Q_OK:
		/* Distinct clients take one recv for one frame. */
		if (relay_distinct(rs))
			outbox_flush(rs->session);
		else
			outbox_touch(rs->session);
		break;
	case Q_CLOSED: /* it is ending already, and its worker tells the rest */ break;
	case Q_LIMIT:
		session_end(rs->session, GOODBYE_SLOW,
			    "you do not read what is sent to you");
		break;
	case Q_MISSING: relay_broken(rs->session, "frame counter used up"); break;
	default:
		log_event(LOG_ERROR, rs->session, "answer-failed", "error=%s",
			  qerr_str(e));
		session_end(rs->session, GOODBYE_ERROR, "the server is out of memory");
		break;
	}
}

static void
send_frame(struct relay_session *rs, int32_t opcode, struct span data)
{
	struct session *s = rs->session;
	enum qerr e;

	lock_take(&s->out.lock);
	e = relay_seal_locked(s, SEALING_MORE, opcode, data);
	lock_drop(&s->out.lock);
	relay_settle_put(rs, e);
}

/* ---- one step of the switchboard ---- */

struct step {
	struct relay_chat *chat; /* the one that begins with this step, if it does */
	size_t n;
	struct told {
		struct session *session; /* a reference */
		enum qerr e;             /* of putting the frame */
		struct relay_chat *left; /* a reference to let go */
	} told[SWITCHBOARD_TOLD_MAX];
};

static void
begin(struct step *step, struct relay_chat *chat) ACQUIRES(relay_board.lock)
{
	memset(step, 0, sizeof(*step));
	step->chat = chat;
	lock_take(&relay_board.lock);
}

static void
finish(struct step *step) RELEASES(relay_board.lock)
{
	lock_drop(&relay_board.lock);
	for (size_t i = 0; i < step->n; i++) {
		struct told *t = &step->told[i];

		relay_settle_put(t->session->state, t->e);
		if (t->left != NULL)
			log_event(LOG_DEBUG, t->session, "chat-end", "with=%s",
				  relay_chat_partner(t->left, t->session)->user);
		relay_chat_unref(t->left);
		session_unref(t->session);
	}
}

static struct relay_session *
of_seat(struct seat *seat)
{
	return (struct relay_session *)(void *)((char *)seat -
						offsetof(struct relay_session, seat));
}

static enum qerr
tell_locked(struct session *s, enum tell what, struct seat *about) REQUIRES(s->out.lock)
{
	struct span none = {NULL, 0};
	bool distinct = relay_distinct(s->state);

	switch (what) {
	case TELL_REQUESTED:
		return relay_seal_locked(
		    s, SEALING_MORE,
		    distinct ? RELAY_CHAT_REQUEST_RECEIVED_DISTINCT : RELAY_CHAT_REQUEST,
		    span_of(about->name, strlen(about->name) + (distinct ? 1 : 0)));
	case TELL_PEER_KEY:
		return relay_seal_locked(s, SEALING_MORE, RELAY_PEER_PUBLIC_KEY,
					 buf_span(&of_seat(about)->card));
	case TELL_ACCEPTED:
		return relay_seal_locked(s, SEALING_MORE, RELAY_CHAT_ACCEPT,
					 buf_span(&of_seat(about)->card));
	case TELL_DENIED:
		return relay_seal_locked(s, SEALING_MORE, RELAY_CHAT_DENIED, none);
	case TELL_CLOSED:
		return relay_seal_locked(s, SEALING_MORE, RELAY_CLOSED_CHAT, none);
	case TELL_LEFT: break;
	}
	return Q_OK;
}

void
relay_tell(void *arg, struct seat *to, enum tell what, struct seat *about)
{
	struct step *step = arg;
	struct relay_session *rs = of_seat(to);
	struct session *s = rs->session;
	struct told *t = &step->told[step->n++];

	assert(step->n <= SWITCHBOARD_TOLD_MAX);
	if (what == TELL_PEER_KEY)
		relay_chat_join(step->chat, s, of_seat(about)->session);
	t->session = session_ref(s);
	lock_take(&s->out.lock);
	t->e = tell_locked(s, what, about);
	if (what == TELL_PEER_KEY || what == TELL_ACCEPTED) {
		assert(rs->chat == NULL);
		rs->chat = relay_chat_ref(step->chat);
	} else if (what == TELL_CLOSED || what == TELL_LEFT) {
		t->left = rs->chat;
		rs->chat = NULL;
	}
	lock_drop(&s->out.lock);
}

/* ---- coming and going ---- */

/* Only now is it known who it is. */
static void
turn_away(struct relay_session *rs)
{
	char text[MODERATION_TEXT_SIZE];

	moderation_turned_away(rs->session, rs->seat.name, text);
	session_end(rs->session, GOODBYE_KICKED, text);
}

/* The session table and the switchboard change in one hold of the lock, so that
 * of several logins of one user both agree which came last. */
bool
relay_login(struct relay_session *rs)
{
	struct session *s = rs->session, *older = NULL;
	struct step step;
	enum qerr e;

	begin(&step, NULL);
	e = sessions_login(s->server->sessions, s, rs->seat.name, LOGIN_REPLACE, &older);
	if (e == Q_OK)
		switchboard_enter(&relay_board, &rs->seat, &step);
	finish(&step);
	if (e == Q_DENIED)
		turn_away(rs);
	if (older != NULL) {
		session_end(older, GOODBYE_REPLACED,
			    "you have logged in from another place");
		session_unref(older);
	}
	if (e != Q_OK)
		return false;
	metric_add(METRIC_logins_total, 1);
	log_event(LOG_INFO, s, "login", "codes=%s",
		  relay_distinct(rs) ? "distinct" : "document");
	return true;
}

void
relay_logout(struct relay_session *rs)
{
	struct step step;

	begin(&step, NULL);
	switchboard_leave(&relay_board, &rs->seat, &step);
	finish(&step);
	timer_cancel(rs->session->server->timers, &rs->lapse);
}

void
relay_break_chat(struct relay_session *rs)
{
	struct step step;

	begin(&step, NULL);
	/* The partner may have ended it just now, and somebody else have asked. */
	if (rs->seat.state == SEAT_CHATTING)
		switchboard_break(&relay_board, &rs->seat, &step);
	finish(&step);
}

/* ---- the calls ---- */

/* What the partner is sent about us; false without memory.  Made when first
 * needed: many sessions never chat, and nobody else can be reading it yet. */
static bool
make_card(struct relay_session *rs)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	bool ok;

	if (rs->card.len > 0)
		return true;
	ok = key_public_pem(rs->key, &pem) == Q_OK &&
	     relay_pem_put(&rs->card, buf_span(&pem)) == Q_OK;
	buf_free(&pem);
	if (ok) {
		key_free(rs->key);
		rs->key = NULL;
	} else {
		buf_free(&rs->card);
	}
	return ok;
}

void
relay_muted(struct relay_session *rs)
{
	struct session *s = rs->session;
	char text[MODERATION_TEXT_SIZE];
	struct event event = {.kind = EVENT_NOTICE};

	moderation_text(s->server->moderation, rs->seat.name, RESTRICTION_MUTE, text);
	event.text = span_str(text);
	relay_protocol.deliver(s, &event);
}

/* Timer thread. */
static void
request_lapsed(void *arg)
{
	struct relay_session *rs = arg;
	struct step step;

	begin(&step, NULL);
	switchboard_lapse(&relay_board, &rs->seat, clock_mono_ms(), &step);
	finish(&step);
	outbox_flush_touched();
}

static enum qerr
on_request(struct relay_session *rs, struct span data)
{
	int64_t lapses = clock_mono_ms() + rs->config->relay_request_timeout_ms;
	char name[NAME_SIZE];
	struct step step;
	int seconds = 1;

	if (relay_name_parse(data, name) != Q_OK ||
	    !limits_take(rs->session, LIMIT_JOIN, 1, &seconds) || !make_card(rs)) {
		if (seconds == LIMITS_MUTED)
			relay_muted(rs);
		send_frame(rs, RELAY_CHAT_DENIED, (struct span){NULL, 0});
		return Q_OK;
	}
	begin(&step, NULL);
	if (switchboard_request(&relay_board, &rs->seat, name, lapses, &step))
		timer_set(rs->session->server->timers, &rs->lapse, lapses, request_lapsed,
			  rs);
	finish(&step);
	return Q_OK;
}

static enum qerr
on_accept(struct relay_session *rs, struct span data)
{
	struct relay_chat *chat = relay_chat_new();
	bool ready = make_card(rs) && chat != NULL, begun = false;
	struct step step;

	(void)data;
	begin(&step, chat);
	if (ready)
		begun = switchboard_accept(&relay_board, &rs->seat, &step);
	else if (rs->seat.state == SEAT_ASKED)
		/* Without memory the request comes to nothing for both. */
		switchboard_break(&relay_board, &rs->seat, &step);
	finish(&step);
	if (begun) {
		metric_add(METRIC_chats_total, 1);
		log_event(LOG_DEBUG, rs->session, "chat-begin", "with=%s",
			  relay_chat_partner(chat, rs->session)->user);
	}
	relay_chat_unref(chat);
	return Q_OK;
}

static enum qerr
on_deny(struct relay_session *rs, struct span data)
{
	struct step step;

	(void)data;
	begin(&step, NULL);
	switchboard_deny(&relay_board, &rs->seat, &step);
	finish(&step);
	return Q_OK;
}

static enum qerr
on_end(struct relay_session *rs, struct span data)
{
	struct step step;

	(void)data;
	begin(&step, NULL);
	switchboard_end(&relay_board, &rs->seat, &step);
	finish(&step);
	return Q_OK;
}

static enum qerr
on_logout(struct relay_session *rs, struct span data)
{
	(void)rs;
	(void)data;
	return Q_CLOSED;
}

struct listing {
	struct buf data;
	bool with_nul;
};

static bool
list_add(void *arg, const char *name)
{
	struct listing *l = arg;

	return relay_list_put(&l->data, name, l->with_nul) == Q_OK;
}

static enum qerr
on_list(struct relay_session *rs, struct span data)
{
	bool distinct = relay_distinct(rs);
	struct listing l = {BUF_INIT(relay_max_data(rs)), distinct};

	(void)data;
	lock_take(&relay_board.lock);
	switchboard_list(&relay_board, &rs->seat, list_add, &l);
	lock_drop(&relay_board.lock);
	send_frame(rs, distinct ? RELAY_LIST_DISTINCT : RELAY_LIST, buf_span(&l.data));
	buf_free(&l.data);
	return Q_OK;
}

static enum qerr
on_notice(struct relay_session *rs, struct span data)
{
	(void)data;
	lock_take(&rs->session->out.lock);
	rs->notices = true;
	lock_drop(&rs->session->out.lock);
	return Q_OK;
}

static const struct {
	int32_t opcode;
	enum qerr (*handle)(struct relay_session *rs, struct span data);
} calls[] = {
    {RELAY_CHAT_REQUEST, on_request}, {RELAY_CHAT_ACCEPT, on_accept},
    {RELAY_CHAT_DENIED, on_deny},     {RELAY_END_CHAT, on_end},
    {RELAY_LOGOUT, on_logout},        {RELAY_LIST, on_list},
    {RELAY_NOTICE, on_notice},
};

enum qerr
relay_call(struct relay_session *rs, int32_t opcode, struct span data)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].opcode == opcode)
			return calls[i].handle(rs, data);
	}
	return Q_FORMAT;
}
