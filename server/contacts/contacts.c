/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  A session is a worker in a loop: read what has come, take line by line,
 * collect 115s into runs (send.c), act on the rest, put the answers into the outbox,
 * and read again, which first writes every outbox that was touched.
 *
 * Events come two ways.  220s are put into the outbox by the sender's thread as long as
 * it takes them (deliver.c).  Everything that may take longer - 233s, what waited, what
 * did not fit, saving positions - is done by the worker, which is woken for it.
 */
#include "server/contacts/contacts.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "server/contacts/contacts_session.h"
#include "server/log.h"
#include "server/metrics.h"

#define USER_TIMEOUT_MS   60000
#define PATIENCE_LEAST_MS 1000
/* Above this, answers go into the outbox before the input is used up. */
#define REPLY_PORTION 65536
#define REPLY_MAX     ((size_t)1 << 30)
/* A line and its CR LF. */
#define INPUT_MAX       (CONTACTS_LINE_MAX + 2)
#define MEDIA_INPUT_MAX (CONTACTS_MEDIA_LINE_MAX + 2)

/* ---- operations ---- */

/* What stands for a code where there is none. */
enum { NO_LOGIN_NEEDED = 0, NO_ANSWER = -1 };

static const struct {
	int code;
	contacts_operation *act;
	int refusal; /* the code that says 407 */
} operations[] = {
    {CONTACTS_LOGIN, contacts_login, NO_LOGIN_NEEDED},
    {CONTACTS_REGISTER, contacts_register, NO_LOGIN_NEEDED},
    {CONTACTS_LOGOUT, contacts_logout, CONTACTS_LOGOUT_RESPONSE},
    /* 214 has no place for a status; 122 has no answer at all. */
    {CONTACTS_CHAT_LIST, contacts_chat_list, CONTACTS_INVALID},
    {CONTACTS_SEEN, contacts_seen, NO_ANSWER},
    {CONTACTS_CHAT_CREATE, contacts_chat_create, CONTACTS_CHAT_CREATE_RESPONSE},
    {CONTACTS_CHAT_DELETE, contacts_chat_delete, CONTACTS_CHAT_DELETE_RESPONSE},
    {CONTACTS_OWN_LIST, contacts_own_list, CONTACTS_OWN_LIST_RESPONSE},
    {CONTACTS_MEDIA, contacts_media, CONTACTS_MEDIA_RESPONSE},
    {CONTACTS_LIST, contacts_list, CONTACTS_LIST_RESPONSE},
    {CONTACTS_CONFIRM, contacts_confirm, CONTACTS_CONFIRM_RESPONSE},
    {CONTACTS_REMOVE, contacts_remove, CONTACTS_REMOVE_RESPONSE},
};

static void
act(struct contacts_session *cs, const struct contacts_request *r)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (operations[i].code != r->code)
			continue;
		if (operations[i].refusal == NO_LOGIN_NEEDED || contacts_logged_in(cs)) {
			operations[i].act(cs, r);
		} else if (operations[i].refusal == CONTACTS_INVALID) {
			contacts_answer_mistake(cs, CONTACTS_INVALID,
						CONTACTS_CLIENT_NOT_LOGGED_IN);
			return;
		} else if (operations[i].refusal != NO_ANSWER) {
			contacts_answer(cs, operations[i].refusal,
					CONTACTS_CLIENT_NOT_LOGGED_IN);
		}
		break;
	}
	cs->errors = 0;
}

/* ---- where passwords may travel in the clear ---- */

static bool
is_loopback(const struct address *a)
{
	return IN6_IS_ADDR_LOOPBACK(&a->ip) ||
	       (IN6_IS_ADDR_V4MAPPED(&a->ip) && a->ip.s6_addr[12] == 127);
}

static bool
may_speak(const struct contacts_session *cs)
{
	const struct session *s = cs->session;

	if (atomic_load(&s->stream)->ops->sealed)
		return true;
	switch ((enum contacts_cleartext)cs->config->contacts_cleartext) {
	case CONTACTS_CLEARTEXT_YES: return true;
	case CONTACTS_CLEARTEXT_LOOPBACK: return is_loopback(&s->peer);
	case CONTACTS_CLEARTEXT_NO: break;
	}
	return false;
}

/* ---- lines ---- */

/* The first line is there in time; the login has a time limit of its own. */
static void
begin(struct contacts_session *cs)
{
	int64_t limit = cs->config->contacts_login_timeout_ms;

	cs->begun = true;
	cs->login_by_ms = limit > 0 ? clock_mono_ms() + limit : 0;
	session_deadline(cs->session, cs->login_by_ms);
	if (may_speak(cs))
		return;
	contacts_answer_invalid(cs);
	log_limited(LOG_WARN, &cs->session->peer, cs->session, "cleartext-refused",
		    "setting=%s", "contacts.cleartext");
	cs->over = true;
}

static void
take_line(struct contacts_session *cs, struct contacts_run *run, struct span line)
{
	struct contacts_request r;
	enum qerr e;

	if (line.len == 0)
		return;
	if (!cs->begun)
		begin(cs);
	if (cs->over)
		return;
	e = contacts_request_parse(line, &cs->scratch, &r);
	if (e == Q_OK && r.code == CONTACTS_SEND && contacts_logged_in(cs)) {
		cs->errors = 0;
		contacts_send(cs, run, &r);
		return;
	}
	contacts_run_post(cs, run);
	if (e == Q_MISSING)
		contacts_answer_mistake(cs, CONTACTS_UNKNOWN, 0);
	else if (e == Q_FORMAT)
		contacts_answer_invalid(cs);
	else if (e != Q_OK)
		contacts_answered(cs, e);
	else if (r.code == CONTACTS_SEND)
		contacts_answer(cs, CONTACTS_SEND_RESPONSE,
				CONTACTS_CLIENT_NOT_LOGGED_IN);
	else
		act(cs, &r);
	/* A password may stand there. */
	if (r.code == CONTACTS_LOGIN || r.code == CONTACTS_REGISTER)
		buf_wipe(&cs->scratch);
}

static void
too_long(struct contacts_session *cs)
{
	contacts_answer_invalid(cs);
	log_limited(LOG_WARN, &cs->session->peer, cs->session, "protocol-error",
		    "reason=%s", "line too long");
	metric_add(METRIC_protocol_errors_total, 1);
	cs->over = true;
}

/* Every whole line in the input.  Not inlined, so that an idle session's stack does
 * not have room for a run in it. */
static __attribute__((noinline)) void
serve_input(struct contacts_session *cs)
{
	struct span in = session_input(cs->session), line;
	struct contacts_run run;
	size_t used = 0, n;
	enum qerr e = Q_OK;

	contacts_run_clear(&run);
	while (!cs->over && !cs->settle && used < in.len) {
		struct span rest = {in.p + used, in.len - used};

		e = contacts_line_next(&cs->framer, rest, contacts_logged_in(cs), &line,
				       &n);
		if (e != Q_OK)
			break;
		take_line(cs, &run, line);
		used += n;
		if (cs->reply.len >= REPLY_PORTION)
			contacts_answers_out(cs);
	}
	contacts_run_post(cs, &run);
	if (e == Q_LIMIT)
		too_long(cs);
	session_consume(cs->session, used);
	contacts_answers_out(cs);
	buf_free(&cs->scratch);
}

/* ---- the life of a session ---- */

/* It was set before a logout. */
static void
forget_timer(struct contacts_session *cs)
{
	if (!atomic_exchange(&cs->save_due, false))
		return;
	lock_take(&cs->session->out.lock);
	cs->timing = false;
	lock_drop(&cs->session->out.lock);
}

/* What other threads have left for the worker to do. */
static void
look_around(struct contacts_session *cs)
{
	struct session *s = cs->session;
	bool news, owing;

	if (!contacts_logged_in(cs)) {
		forget_timer(cs);
		return;
	}
	lock_take(&s->out.lock);
	news = cs->news;
	owing = cs->inbox.phase == INBOX_ARRIVING || inbox_owing(&cs->inbox);
	lock_drop(&s->out.lock);
	if (news)
		contacts_tell_news(cs);
	if (owing && !cs->over)
		contacts_catch_up(cs);
	if (atomic_exchange(&cs->save_due, false))
		contacts_save(cs);
}

static void
serve_lines(struct session *s)
{
	struct contacts_session *cs = s->state;
	enum qerr e;

	for (;;) {
		if (session_input(s).len > 0)
			serve_input(cs);
		if (cs->over || session_ended(s))
			break;
		if (cs->settle) {
			cs->settle = false;
			session_continue(s, serve_lines);
			return;
		}
		if (cs->arriving) {
			cs->arriving = false;
			look_around(cs);
			if (cs->over)
				break;
		}
		e = session_fill(s, contacts_logged_in(cs) ? MEDIA_INPUT_MAX : INPUT_MAX);
		if (e == Q_SHORT)
			look_around(cs);
		else if (e != Q_OK)
			break;
	}
	/* Before another login of this user finds the session ended. */
	if (contacts_logged_in(cs)) {
		contacts_save(cs);
		log_event(LOG_INFO, s, "logout", "how=%s", "disconnected");
	}
	session_end(s, GOODBYE_SELF, NULL);
}

static void
serve(struct session *s)
{
	struct contacts_session *cs;
	const int timeout_ms = USER_TIMEOUT_MS;

	if (!config_now()->contacts_enabled) {
		log_limited(LOG_INFO, &s->peer, s, "switched-off", "setting=%s",
			    "contacts.enabled");
		return;
	}
	if ((cs = calloc(1, sizeof(*cs))) == NULL)
		return;
	cs->session = s;
	cs->config = config_now();
	cs->scratch = (struct buf)BUF_INIT(MEDIA_INPUT_MAX);
	cs->reply = (struct buf)BUF_INIT(REPLY_MAX);
	/* No TCP, no such option: never mind. */
	(void)setsockopt(s->stream->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
			 sizeof(timeout_ms));
	lock_take(&s->out.lock);
	s->out.patience_ms = cs->config->sender_wait_ms > PATIENCE_LEAST_MS
				 ? cs->config->sender_wait_ms
				 : PATIENCE_LEAST_MS;
	s->state = cs;
	lock_drop(&s->out.lock);
	serve_lines(s);
}

/* ---- the row ---- */

/* There is no farewell in contacts: the connection just closes. */
static void
goodbye(struct session *s, enum goodbye why, const char *text)
{
	(void)s;
	(void)why;
	(void)text;
}

/* What the peer acknowledged in the end, while the socket can still say it. */
static void
release(struct session *s)
{
	struct contacts_session *cs = s->state;

	if (cs == NULL)
		return;
	timer_cancel(s->server->timers, &cs->save_timer);
	if (contacts_logged_in(cs))
		contacts_save(cs);
	timer_cancel(s->server->timers, &cs->save_timer);
	contacts_drop_chat(cs);
	inbox_clear(&cs->inbox);
	buf_wipe(&cs->scratch);
	buf_free(&cs->reply);
	contacts_had_clear(cs);
	free(cs->heard);
	free(cs);
	s->state = NULL;
}

static enum qerr
start(struct server *server, struct why *why)
{
	const struct config *c = config_now();

	(void)server;
	(void)why;
	if (c->contacts_enabled && c->contacts_cleartext == CONTACTS_CLEARTEXT_YES)
		log_event(
		    LOG_WARN, NULL, "contacts-cleartext", "advice=%s",
		    "passwords can be read on the way unless clients use TLS; "
		    "contacts.cleartext = loopback or no refuses those that do not");
	return Q_OK;
}

const struct protocol contacts_protocol = {
    .name = "contacts",
    .recognise = contacts_recognise,
    .start = start,
    .serve = serve,
    .deliver = contacts_deliver,
    .goodbye = goodbye,
    .release = release,
};
