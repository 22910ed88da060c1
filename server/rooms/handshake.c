/* SPDX-License-Identifier: MIT
 *
 * handshake.c - CONN_INIT to CONN_OK.  The cryptography is the pool's (server->crypto),
 * so that an idle session's thread keeps nothing of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/kex.h"
#include "crypto/key.h"
#include "crypto/random.h"
#include "server/identity.h"
#include "server/log.h"
#include "server/pool.h"
#include "server/rooms/account.h"

#define CERT_MAX 65536

static void
in_pool(struct rooms_session *rs, void (*run)(void *arg), void *arg)
{
	struct pool_job job = {.run = run, .arg = arg};

	pool_start(rs->session->server->crypto, &job);
	pool_wait(&job);
}

/* ---- CONN_INIT, CONN_ENCRYPT_S ---- */

struct offer {
	struct rooms_session *rs;
	struct buf cert;
	char signature[BASE64_LEN(KEY_SIGN_MAX)];
	size_t signature_len;
	enum qerr e;
};

/* Sign the ephemeral key by the key that clients know. */
static enum qerr
sign(struct offer *o)
{
	struct rooms_session *rs = o->rs;
	struct key *key = identity_key(rs->session->server->identity);
	uint8_t sig[KEY_SIGN_MAX];
	struct span parts[ROOMS_KEX_PARTS];
	size_t n;
	enum qerr e;

	rooms_kex_parts(kex_pem(rs->kex), &rs->uuid.id, parts);
	if ((e = key_sign(key, parts, ROOMS_KEX_PARTS, sig, &n)) == Q_OK)
		o->signature_len = base64_encode(span_of(sig, n), o->signature);
	key_free(key);
	return e;
}

static void
make_offer(void *arg)
{
	struct offer *o = arg;
	struct rooms_session *rs = o->rs;

	if ((rs->kex = kex_new()) == NULL)
		o->e = Q_NOMEM;
	else if ((o->e = identity_chain_pem(rs->session->server->identity, &o->cert)) ==
		 Q_OK)
		o->e = sign(o);
}

static void
send_offer(struct rooms_session *rs, const struct offer *o)
{
	const struct rooms_packet p = {
	    .type = ROOMS_T_CONN_ENCRYPT_S,
	    .u.conn_encrypt_s = {.server_epbkey = kex_pem(rs->kex),
				 .certificate = buf_span(&o->cert),
				 .signature = span_of(o->signature, o->signature_len)}};

	if (rooms_answer(rs, &p) == Q_OK)
		rs->phase = ROOMS_OFFERED;
}

/* Only where nobody on the way can read it. */
static void
keep_token(struct rooms_session *rs, struct span token)
{
	if (token.p != NULL && atomic_load(&rs->session->stream)->ops->sealed)
		rs->early_token = strndup((const char *)token.p, token.len);
}

void
rooms_conn_init(struct rooms_session *rs, const struct rooms_packet *p)
{
	struct offer o = {.rs = rs, .cert = BUF_INIT(CERT_MAX)};

	if (uuids_take(&rs->uuid, &p->u.conn_init.uuid) != Q_OK) {
		log_limited(LOG_INFO, &rs->session->peer, rs->session, "refused",
			    "reason=%s", "uuid in use");
		ws_end(rs->session, WS_CODE_POLICY, "this uuid is in use");
		return;
	}
	keep_token(rs, p->u.conn_init.token);
	in_pool(rs, make_offer, &o);
	if (o.e == Q_OK)
		send_offer(rs, &o);
	else
		ws_end(rs->session, WS_CODE_INTERNAL, qerr_str(o.e));
	buf_free(&o.cert);
}

/* ---- CONN_ENCRYPT_C, CONN_OK ---- */

struct agreement {
	struct rooms_session *rs;
	struct span pem;
	struct lane in, out;
	enum qerr e;
};

static void
agree_on_keys(void *arg)
{
	struct agreement *a = arg;
	struct span salt = span_of(a->rs->uuid.id.b, sizeof(a->rs->uuid.id.b));
	uint8_t secret[KEX_SECRET_LEN];
	struct span s = span_of(secret, sizeof(secret));

	if ((a->e = kex_derive(a->rs->kex, a->pem, secret)) != Q_OK)
		return;
	if ((a->e = lane_init(&a->in, AEAD_OPEN, s, salt, ROOMS_KEX_C2S)) == Q_OK &&
	    (a->e = lane_init(&a->out, AEAD_SEAL, s, salt, ROOMS_KEX_S2C)) != Q_OK)
		lane_fini(&a->in);
	secret_wipe(secret, sizeof(secret));
}

static void
begin_sealed(struct rooms_session *rs, const struct agreement *a)
{
	struct session *s = rs->session;

	rs->in = a->in;
	lock_take(&s->out.lock);
	rs->out = a->out;
	lock_drop(&s->out.lock);
	kex_free(rs->kex);
	rs->kex = NULL;
	rs->phase = ROOMS_SEALED;
	ws_deadline(&rs->ws, clock_mono_ms() + rs->config->rooms_login_timeout_ms);
	rs->settle = true;
	if (rooms_answer_status(rs, ROOMS_CONN_OK, NULL, NULL, (struct span){NULL, 0}) ==
	    Q_OK)
		rooms_token_early(rs);
}

void
rooms_conn_encrypt(struct rooms_session *rs, const struct rooms_packet *p)
{
	struct agreement a = {.rs = rs, .pem = p->u.pem};

	in_pool(rs, agree_on_keys, &a);
	switch (a.e) {
	case Q_OK: begin_sealed(rs, &a); break;
	case Q_FORMAT:
	case Q_DENIED:
	case Q_LIMIT:
		(void)rooms_answer_status(rs, ROOMS_INVALID_PACKET, NULL, NULL, p->ref);
		break;
	default: ws_end(rs->session, WS_CODE_INTERNAL, qerr_str(a.e)); break;
	}
}
