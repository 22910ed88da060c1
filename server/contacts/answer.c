/* SPDX-License-Identifier: MIT
 *
 * answer.c - from answers to the outbox.
 *
 * Answers gather in cs->reply and reach the outbox in whole answers, so that a 220
 * which another thread puts there never stands inside a list.  They are put as
 * OUTBOX_DATA: a client that asks and does not read is not read from either.  How long
 * that may go on is the flusher's to say, who knows whether anything is taken: a
 * picture may need minutes on a slow line.
 */
#include <string.h>

#include "server/contacts/contacts_session.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/metrics.h"

void
contacts_answered(struct contacts_session *cs, enum qerr e)
{
	if (e == Q_OK || cs->over)
		return;
	log_event(LOG_ERROR, cs->session, "answer-failed", "error=%s", qerr_str(e));
	cs->over = true;
}

void
contacts_answer(struct contacts_session *cs, int code, int status)
{
	contacts_answered(cs, contacts_put_status(&cs->reply, code, status));
}

void
contacts_answer_all(struct contacts_session *cs, int code, int status, size_t n)
{
	uint8_t space[32];
	struct buf line = {space, 0, sizeof(space), sizeof(space)};
	enum qerr e = contacts_put_status(&line, code, status);

	if (e == Q_OK)
		e = buf_reserve(&cs->reply, n * line.len);
	for (; e == Q_OK && n > 0; n--)
		e = buf_put(&cs->reply, line.p, line.len);
	contacts_answered(cs, e);
}

/* So many in a row are no person's typing any more. */
void
contacts_answer_mistake(struct contacts_session *cs, int code, int status)
{
	contacts_answered(cs, status != 0 ? contacts_put_status(&cs->reply, code, status)
					  : contacts_put_code(&cs->reply, code));
	if (++cs->errors < cs->config->contacts_max_errors)
		return;
	metric_add(METRIC_protocol_errors_total, 1);
	log_limited(LOG_WARN, &cs->session->peer, cs->session, "protocol-error",
		    "reason=%s", "too many mistakes in a row");
	cs->over = true;
}

void
contacts_answer_invalid(struct contacts_session *cs)
{
	contacts_answer_mistake(cs, CONTACTS_INVALID, 0);
}

void
contacts_answers_out(struct contacts_session *cs)
{
	struct session *s = cs->session;
	enum qerr e = Q_OK;
	uint8_t *at;

	while (cs->reply.len > 0) {
		lock_take(&s->out.lock);
		e = outbox_reserve_locked(&s->out, OUTBOX_DATA, cs->reply.len, &at);
		if (e == Q_OK) {
			memcpy(at, cs->reply.p, cs->reply.len);
			outbox_commit_locked(&s->out, cs->reply.len);
			cs->reply.len = 0;
		}
		lock_drop(&s->out.lock);
		outbox_touch(s);
		if (e == Q_FULL) {
			outbox_flush_touched();
			e = outbox_wait_room(s, 0);
		}
		if (e != Q_OK)
			break;
	}
	if (e != Q_OK && e != Q_CLOSED)
		contacts_answered(cs, e);
	if (e != Q_OK)
		cs->over = true;
	buf_free(&cs->reply);
}

int
contacts_failed(struct contacts_session *cs, const char *what, enum qerr e)
{
	log_limited(LOG_ERROR, &cs->session->peer, cs->session, "operation-failed",
		    "operation=%s error=%s", what, qerr_str(e));
	return CONTACTS_SERVER_ERROR;
}

int
contacts_may(struct contacts_session *cs, enum limit what)
{
	int seconds;

	if (limits_take(cs->session, what, 1, &seconds))
		return CONTACTS_OK;
	return seconds == LIMITS_MUTED ? CONTACTS_USER_MUTED : CONTACTS_SERVER_ERROR;
}
