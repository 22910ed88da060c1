/* SPDX-License-Identifier: MIT
 *
 * What happens between CONN_OK and the first command: token, chat key, list of rooms. And
 * STATUS, which answers most of what is asked for.
 */
#include "client/salon.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

/* SEEN before anything was shown: see salon_log_in. */
#define REF_SEEN "seen"
#define REF_KEY  "key"
/* What the server wants later than that, in seconds, a person would rather say again. */
#define LATER_MAX 120

/* ---- logging in ---- */

/* A SEEN right behind AUTH_TOKEN, though it names no room: from it on, what is written to
 * us does not count as shown.  It is answered with ROOM_DNE, which nobody needs. */
void
salon_log_in(struct salon *m)
{
	struct rooms_packet in = {.type = ROOMS_T_AUTH_TOKEN};
	struct rooms_packet seen = {.type = ROOMS_T_SEEN, .ref = span_str(REF_SEEN)};

	in.u.auth_token.user = span_str(m->env->login->user);
	in.u.auth_token.token = span_str(m->state->token);
	m->answer_ms = m->now_ms + SALON_ANSWER_MS;
	if (salon_put(m, &in) == Q_OK)
		(void)salon_put(m, &seen);
}

/* Whatever the server knows already is not announced again. */
static void
send_key(struct salon *m)
{
	struct rooms_packet p = {.type = ROOMS_T_CHAT_ENCRYPT_C,
				 .ref = span_str(REF_KEY)};
	struct buf pem = BUF_INIT(KEY_PEM_MAX);

	if (key_public_pem(m->state->key, &pem) == Q_OK) {
		p.u.pem = buf_span(&pem);
		(void)salon_put(m, &p);
	} else {
		salon_finish(m, CLIENT_LOST, "there is no memory left");
	}
	buf_free(&pem);
}

static void
on_login(struct salon *m)
{
	m->logged_in = true;
	m->answer_ms = 0;
	m->env->view->phase = CLIENT_PHASE_FREE;
	client_tell(m->env, CLIENT_LOGGED_IN, m->name, span_of(NULL, 0));
	send_key(m);
	salon_ask_list(m, NULL);
}

static void
on_bad_token(struct salon *m, enum rooms_sig sig)
{
	(void)rooms_state_set_token(m->state, "", NULL);
	m->state->refused = true;
	salon_finish(m, CLIENT_REFUSED,
		     sig == ROOMS_TOKEN_EXPIRED
			 ? "it is too long ago that you gave your password"
			 : "the server wants your password again");
}

/* ---- STATUS ---- */

/* A sentence for a refusal, of the server's own words where we know none, or where only
 * they say until when and why. */
static void
reason_of(const struct rooms_status *s, char *out, size_t size)
{
	if (s->sig == ROOMS_TRY_LATER && s->seconds > 0)
		snprintf(out, size, "%s: %" PRId64 " s", rooms_sig_sentence(s->sig),
			 s->seconds);
	else if (s->sig != ROOMS_SIG_OTHER && s->sig != ROOMS_BANNED &&
		 s->sig != ROOMS_MUTED)
		strlcpy(out, rooms_sig_sentence(s->sig), size);
	else
		snprintf(out, size, "%.*s",
			 (int)(s->desc.len < size ? s->desc.len : size - 1),
			 s->desc.p != NULL ? (const char *)s->desc.p : "");
}

/* What was asked for, for "cannot ...". */
static const char *
word_of(enum client_verb verb)
{
	switch (verb) {
	case CLIENT_DO_CHAT:
	case CLIENT_DO_CREATE:
	case CLIENT_DO_CHANNEL: return "make the room";
	case CLIENT_DO_INVITE: return "invite";
	case CLIENT_DO_REMOVE: return "remove";
	case CLIENT_DO_PROMOTE: return "promote";
	case CLIENT_DO_DEMOTE: return "demote";
	case CLIENT_DO_RENAME: return "rename";
	case CLIENT_DO_LEAVE: return "leave";
	case CLIENT_DO_DROP: return "drop the room";
	case CLIENT_DO_EDIT: return "edit";
	case CLIENT_DO_DELETE: return "delete";
	case CLIENT_DO_PIN: return "pin";
	case CLIENT_DO_SYNC: return "sync";
	default: return "get the file";
	}
}

static void
on_doing_status(struct salon *m, const struct rooms_status *s)
{
	struct client_view *view = m->env->view;
	char reason[256];

	if (s->sig == ROOMS_SENT) {
		if (m->doing.verb == CLIENT_DO_EDIT)
			salon_done(m, "edited %" PRIu64, m->doing.number);
		else if (m->doing.verb == CLIENT_DO_DELETE)
			salon_done(m, "deleted %" PRIu64, m->doing.number);
		else
			salon_done(m, "changed the pin of %" PRIu64, m->doing.number);
		return;
	}
	reason_of(s, reason, sizeof(reason));
	if (view->phase == CLIENT_PHASE_ASKING) {
		view->phase = CLIENT_PHASE_FREE;
		view->partner[0] = '\0';
	}
	view->receiving = CLIENT_TRANSFER_NONE;
	salon_failed(m, "cannot %s: %s", word_of(m->doing.verb), reason);
}

void
salon_on_status(struct salon *m, const struct rooms_packet *p)
{
	const struct rooms_status *s = &p->u.status;
	struct rooms_going *g =
	    p->ref.p != NULL ? rooms_going_find(m->memory, p->ref) : NULL;
	char reason[256];

	if (g != NULL && s->sig == ROOMS_SENT) {
		salon_on_sent(m, g, &s->msg);
		salon_settle_receipts(m, &s->room);
	} else if (g != NULL && s->sig == ROOMS_TRY_LATER && s->seconds > 0 &&
		   s->seconds <= LATER_MAX) {
		salon_send_later(m, g, s->seconds);
	} else if (g != NULL) {
		reason_of(s, reason, sizeof(reason));
		salon_not_sent(m, g, reason);
	} else if (salon_is_doing(m, p->ref)) {
		on_doing_status(m, s);
	} else if (s->sig == ROOMS_LOGIN_OK && !m->logged_in) {
		on_login(m);
	} else if (s->sig == ROOMS_TOKEN_INVALID || s->sig == ROOMS_TOKEN_EXPIRED) {
		on_bad_token(m, s->sig);
	} else if (s->sig == ROOMS_LOGGED_OUT) {
		salon_finish(m, CLIENT_LOGGED_OUT, "logged out");
	} else if (!m->logged_in) {
		reason_of(s, reason, sizeof(reason));
		salon_finish(m, CLIENT_REFUSED, reason);
	} else if (p->ref.p == NULL && s->sig != ROOMS_CHAT_PUBKEY_OK) {
		reason_of(s, reason, sizeof(reason));
		salon_refuse(m, "the server says: %s", reason);
	}
}
