/* SPDX-License-Identifier: MIT
 *
 * Packets of the connection and of accounts.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "protocol/rooms_priv.h"

/* ---- CONN_INIT, CONN_ENCRYPT_S, CONN_ENCRYPT_C ---- */

bool
rooms_parse_conn_init(struct rooms_reading *r)
{
	struct rooms_conn_init *m = &r->p->u.conn_init;

	if (!rooms_need_id(r, r->data, "uuid", &m->uuid) ||
	    !rooms_may_text(r, r->data, "token", &m->token))
		return false;
	return uuid_version(&m->uuid) == 4 ||
	       rooms_bad(r, "uuid", "must be a UUID of version 4");
}

void
rooms_put_conn_init(struct rooms_writing *w, const struct rooms_packet *p)
{
	rooms_w_id(w, "uuid", &p->u.conn_init.uuid);
	rooms_w_text(w, "token", p->u.conn_init.token);
}

bool
rooms_parse_conn_encrypt_s(struct rooms_reading *r)
{
	struct rooms_conn_encrypt_s *m = &r->p->u.conn_encrypt_s;

	return rooms_need_text(r, r->data, "server_epbkey", &m->server_epbkey) &&
	       rooms_may_text(r, r->data, "certificate", &m->certificate) &&
	       rooms_may_text(r, r->data, "signature", &m->signature);
}

void
rooms_put_conn_encrypt_s(struct rooms_writing *w, const struct rooms_packet *p)
{
	const struct rooms_conn_encrypt_s *m = &p->u.conn_encrypt_s;

	rooms_w_text(w, "server_epbkey", m->server_epbkey);
	if (m->certificate.p != NULL)
		rooms_w_text(w, "certificate", m->certificate);
	if (m->signature.p != NULL)
		rooms_w_text(w, "signature", m->signature);
}

bool
rooms_parse_conn_encrypt_c(struct rooms_reading *r)
{
	return rooms_need_text(r, r->data, "client_epbkey", &r->p->u.pem) &&
	       (rooms_pem_shape(r->p->u.pem) ||
		rooms_bad(r, "client_epbkey", "must be a public key in PEM"));
}

void
rooms_put_conn_encrypt_c(struct rooms_writing *w, const struct rooms_packet *p)
{
	rooms_w_text(w, "client_epbkey", p->u.pem);
}

/* ---- STATUS ---- */

bool
rooms_parse_status(struct rooms_reading *r)
{
	struct rooms_status *m = &r->p->u.status;

	if (!rooms_need_text(r, r->data, "sig", &m->sig_text) ||
	    !rooms_may_text(r, r->data, "desc", &m->desc) ||
	    !rooms_may_id(r, r->data, "room", &m->room, NULL) ||
	    !rooms_may_id(r, r->data, "msg", &m->msg, NULL) ||
	    !rooms_may_int(r, r->data, "seconds", &m->seconds))
		return false;
	m->sig = rooms_sig_find(m->sig_text);
	return true;
}

void
rooms_put_status_data(struct rooms_writing *w, const struct rooms_packet *p)
{
	const struct rooms_status *m = &p->u.status;

	if (m->sig == ROOMS_SIG_OTHER)
		rooms_w_text(w, "sig", m->sig_text);
	else
		rooms_w_str(w, "sig", rooms_sig_text(m->sig));
	if (m->desc.p != NULL)
		rooms_w_text(w, "desc", m->desc);
	else
		rooms_w_str(w, "desc", rooms_sig_sentence(m->sig));
	if (!uuid_is_nil(&m->room))
		rooms_w_id(w, "room", &m->room);
	if (!uuid_is_nil(&m->msg))
		rooms_w_id(w, "msg", &m->msg);
	if (m->seconds != 0)
		rooms_w_int(w, "seconds", m->seconds);
}

/* ---- SIGNUP, CAPTCHA, S_CAPTCHA ---- */

/* What is missing is as good as empty: SIGNUP_MISSING_CREDS. */
bool
rooms_parse_signup(struct rooms_reading *r)
{
	struct rooms_signup *m = &r->p->u.signup;

	return rooms_may_text(r, r->data, "user", &m->user) &&
	       rooms_may_text(r, r->data, "email", &m->email) &&
	       rooms_may_text(r, r->data, "fullname", &m->fullname) &&
	       rooms_may_text(r, r->data, "dob", &m->dob) &&
	       rooms_may_text(r, r->data, "password", &m->password);
}

void
rooms_put_signup(struct rooms_writing *w, const struct rooms_packet *p)
{
	const struct rooms_signup *m = &p->u.signup;

	rooms_w_text(w, "user", m->user);
	rooms_w_text(w, "email", m->email);
	rooms_w_text(w, "fullname", m->fullname);
	rooms_w_text(w, "dob", m->dob);
	rooms_w_text(w, "password", m->password);
}

bool
rooms_parse_captcha(struct rooms_reading *r)
{
	return rooms_need_text(r, r->data, "challenge", &r->p->u.challenge);
}

void
rooms_put_captcha(struct rooms_writing *w, const struct rooms_packet *p)
{
	rooms_w_text(w, "challenge", p->u.challenge);
}

bool
rooms_parse_s_captcha(struct rooms_reading *r)
{
	char *solved = r->p->u.s_captcha.solved;
	size_t size = sizeof(r->p->u.s_captcha.solved);
	struct span text;
	int64_t n;

	if (json_get_int(r->data, "solved", &n) == JSON_IS_THERE) {
		snprintf(solved, size, "%06lld", (long long)n);
		return true;
	}
	if (json_get_text(r->data, "solved", &text) != JSON_IS_THERE)
		return rooms_bad(r, "solved", "must be a string or an integer");
	if (text.len >= size)
		text.len = size - 1;
	memcpy(solved, text.p, text.len);
	solved[text.len] = '\0';
	/* Cut inside a character it would be no text any more; it is wrong anyway. */
	if (!utf8_valid(span_str(solved)))
		solved[0] = '\0';
	return true;
}

void
rooms_put_s_captcha(struct rooms_writing *w, const struct rooms_packet *p)
{
	rooms_w_str(w, "solved", p->u.s_captcha.solved);
}

/* ---- LOGIN, CHAT_ENCRYPT_C, GEN_TOKEN, AUTH_TOKEN ---- */

bool
rooms_parse_login(struct rooms_reading *r)
{
	struct rooms_login *m = &r->p->u.login;

	return rooms_may_text(r, r->data, "id", &m->id) &&
	       rooms_may_text(r, r->data, "password", &m->password) &&
	       rooms_may_bool(r, r->data, "save", &m->save);
}

void
rooms_put_login(struct rooms_writing *w, const struct rooms_packet *p)
{
	rooms_w_text(w, "id", p->u.login.id);
	rooms_w_text(w, "password", p->u.login.password);
	rooms_w_bool(w, "save", p->u.login.save);
}

bool
rooms_parse_chat_encrypt_c(struct rooms_reading *r)
{
	return rooms_need_text(r, r->data, "chat_pubkey", &r->p->u.pem);
}

void
rooms_put_chat_encrypt_c(struct rooms_writing *w, const struct rooms_packet *p)
{
	rooms_w_text(w, "chat_pubkey", p->u.pem);
}

bool
rooms_parse_gen_token(struct rooms_reading *r)
{
	return rooms_need_text(r, r->data, "token", &r->p->u.token);
}

void
rooms_put_gen_token(struct rooms_writing *w, const struct rooms_packet *p)
{
	rooms_w_text(w, "token", p->u.token);
}

bool
rooms_parse_auth_token(struct rooms_reading *r)
{
	return rooms_need_text(r, r->data, "user", &r->p->u.auth_token.user) &&
	       rooms_need_text(r, r->data, "token", &r->p->u.auth_token.token);
}

void
rooms_put_auth_token(struct rooms_writing *w, const struct rooms_packet *p)
{
	rooms_w_text(w, "user", p->u.auth_token.user);
	rooms_w_text(w, "token", p->u.auth_token.token);
}

/* ---- QUEUE_END, LOGOUT ---- */

bool
rooms_parse_empty(struct rooms_reading *r)
{
	(void)r;
	return true;
}

void
rooms_put_empty(struct rooms_writing *w, const struct rooms_packet *p)
{
	(void)w;
	(void)p;
}
