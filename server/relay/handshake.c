/* SPDX-License-Identifier: MIT
 *
 * handshake.c - from the first bytes to a session key.
 *
 *   FRESH --280--> ENROLLED --290--> GREETED --292--> done
 *     '-------------290----------------^
 *
 * A clear frame that is not in the table below for the present stage closes the
 * connection.  What a login costs is one ephemeral key, one signature, one
 * verification and one derivation; the rest is copying.
 *
 * No user enumeration: the name in 290 is only remembered.  Step 3 looks it up,
 * and a name that is unknown (or none at all) is verified too, with a key that
 * cannot fit, so that it fails after the same work and in the same silence as a
 * wrong signature.
 */
#include "server/relay/relay_session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/cert.h"
#include "crypto/kex.h"
#include "crypto/random.h"
#include "server/accounts.h"
#include "server/identity.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/throttle.h"

enum stage { STAGE_FRESH, STAGE_ENROLLED, STAGE_GREETED, STAGE_DONE };

struct handshake {
	struct session *session;
	const struct config *config;
	enum stage stage;
	char name[NAME_SIZE]; /* "" when it was no valid one */
	uint8_t nonce[4];     /* ours, as the user signs it */
	struct kex *kex;
	struct relay_session *made;
};

/* ---- the result ---- */

void
relay_session_free(struct relay_session *rs)
{
	if (rs == NULL)
		return;
	assert(rs->chat == NULL);
	key_free(rs->key);
	buf_free(&rs->card);
	sealing_fini(&rs->sealing);
	free(rs);
}

/* Consumes key on success. */
static enum qerr
make_session(struct handshake *h, const uint8_t ks[AEAD_KEY_LEN], const char *registered,
	     struct key *key)
{
	struct relay_session *rs = calloc(1, sizeof(*rs));

	if (rs == NULL)
		return Q_NOMEM;
	if (sealing_init(&rs->sealing, ks) != Q_OK) {
		free(rs);
		return Q_NOMEM;
	}
	rs->session = h->session;
	rs->config = h->config;
	rs->key = key;
	rs->card = (struct buf)BUF_INIT(KEY_PEM_MAX + 8);
	seat_init(&rs->seat, registered);
	/* Others may want to say goodbye from now on: see relay.c. */
	lock_take(&h->session->out.lock);
	h->session->state = rs;
	lock_drop(&h->session->out.lock);
	h->made = rs;
	return Q_OK;
}

/* ---- 280 ---- */

static enum qerr
on_enrol(struct handshake *h, struct span body)
{
	enum qerr e = enrol_answer(h->session, h->config, body);

	if (e == Q_OK)
		h->stage = STAGE_ENROLLED;
	return e;
}

/* ---- 290 ---- */

static enum qerr
send_hello(struct handshake *h, int32_t nonce_c)
{
	struct identity *id = h->session->server->identity;
	struct buf cert = BUF_INIT(CERT_PEM_MAX);
	struct buf frame = BUF_INIT(CERT_PEM_MAX + KEY_SIGN_MAX + KEX_PEM_MAX + 64);
	struct key *key = identity_key(id);
	struct relay_server_hello m = {.nonce = (int32_t)le32_get(h->nonce),
				       .pem = kex_pem(h->kex)};
	uint8_t signature[KEY_SIGN_MAX], nonce[4];
	size_t len;
	enum qerr e;

	relay_nonce_bytes(nonce_c, nonce);
	e = key_sign(key, (struct span[]){m.pem, span_of(nonce, sizeof(nonce))}, 2,
		     signature, &len);
	if (e == Q_OK)
		e = identity_chain_pem(id, &cert);
	if (e == Q_OK) {
		m.signature = span_of(signature, len);
		m.cert = buf_span(&cert);
		/* One frame, one call: see "Distinct codes". */
		if ((e = relay_server_hello_put(&frame, &m)) == Q_OK)
			e = outbox_put(h->session, OUTBOX_CONTROL, buf_span(&frame));
	}
	key_free(key);
	buf_free(&cert);
	buf_free(&frame);
	return e;
}

static enum qerr
on_hello(struct handshake *h, struct span body)
{
	struct relay_hello m;
	enum qerr e;

	if ((e = relay_hello_parse(body, &m)) != Q_OK)
		return e;
	if (relay_name_parse(m.user, h->name) != Q_OK)
		h->name[0] = '\0';
	random_bytes(h->nonce, sizeof(h->nonce));
	if ((h->kex = kex_new()) == NULL)
		return Q_NOMEM;
	if ((e = send_hello(h, m.nonce)) == Q_OK)
		h->stage = STAGE_GREETED;
	return e;
}

/* ---- 292 ---- */

/* Not a word to the peer; the delay is the throttle's. */
static enum qerr
login_failed(struct handshake *h, const char *reason)
{
	struct session *s = h->session;
	int ms = throttle_login_failed(s->server->throttle, h->name, &s->peer);

	metric_add(METRIC_login_failures_total, 1);
	log_limited(LOG_WARN, &s->peer, s, "login-failed", "name=%s reason=%s",
		    h->name[0] == '\0' ? "-" : h->name, reason);
	if (ms > 0)
		(void)throttle_wait(s->server->throttle, s, ms);
	return Q_DENIED;
}

/* Q_OK: m was signed by the user that was named; *key is the user's. */
static enum qerr
check_proof(struct handshake *h, const struct relay_proof *m, char registered[NAME_SIZE],
	    struct key **key)
{
	struct span parts[2] = {m->pem, span_of(h->nonce, sizeof(h->nonce))};
	struct server *server = h->session->server;
	struct key *user = NULL;
	enum qerr known = Q_MISSING, e;

	if (h->name[0] != '\0')
		known = accounts_key(server->accounts, h->name, registered, &user);
	if (known != Q_OK)
		user = identity_key(server->identity);
	e = key_verify(user, parts, 2, m->signature);
	if (known == Q_OK && e == Q_OK) {
		*key = user;
		return Q_OK;
	}
	key_free(user);
	if (known == Q_NOMEM || known == Q_SYS) {
		log_event(LOG_ERROR, h->session, "key-unreadable", "name=%s error=%s",
			  h->name, qerr_str(known));
		return known;
	}
	return login_failed(h, known == Q_OK ? "wrong signature" : "no such user or key");
}

static enum qerr
on_proof(struct handshake *h, struct span body)
{
	uint8_t secret[KEX_SECRET_LEN] = {0}, ks[AEAD_KEY_LEN];
	struct span whole = span_of(secret, sizeof(secret));
	char registered[NAME_SIZE];
	struct key *key = NULL;
	struct relay_proof m;
	enum qerr e;

	if ((e = relay_proof_parse(body, &m)) != Q_OK)
		return e;
	if ((e = check_proof(h, &m, registered, &key)) != Q_OK)
		return e;
	if (kex_derive(h->kex, m.pem, secret) != Q_OK) {
		e = login_failed(h, "bad ephemeral key");
	} else if ((e = sha256(&whole, 1, ks)) == Q_OK &&
		   (e = make_session(h, ks, registered, key)) == Q_OK) {
		key = NULL;
		h->stage = STAGE_DONE;
		throttle_login_ok(h->session->server->throttle, registered,
				  &h->session->peer);
	}
	secret_wipe(secret, sizeof(secret));
	secret_wipe(ks, sizeof(ks));
	key_free(key);
	return e;
}

/* ---- the order of things ---- */

static const struct {
	int32_t opcode;
	unsigned stages; /* bits of enum stage in which it is obeyed */
	enum qerr (*handle)(struct handshake *h, struct span body);
} steps[] = {
    {RELAY_ENROL, 1U << STAGE_FRESH, on_enrol},
    {RELAY_HELLO, 1U << STAGE_FRESH | 1U << STAGE_ENROLLED, on_hello},
    {RELAY_PROOF, 1U << STAGE_GREETED, on_proof},
};

/* Act on the next frame of the input.  Q_SHORT: it is not all there. */
static enum qerr
next_frame(struct handshake *h)
{
	struct relay_frame f;
	struct reader r;
	int32_t opcode;
	enum qerr e;

	/* No sealed frame may come here: its size alone is refused. */
	e = relay_frame_next(session_input(h->session), RELAY_CLEAR_MAX, 0, &f);
	if (e != Q_OK)
		return e;
	r = reader_of(f.body);
	if (reader_i32(&r, &opcode) != Q_OK)
		return Q_FORMAT;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i].opcode != opcode || !(steps[i].stages & 1U << h->stage))
			continue;
		e = steps[i].handle(h, reader_rest(&r));
		session_consume(h->session, f.total);
		return e;
	}
	return Q_FORMAT;
}

struct relay_session *
handshake_run(struct session *s)
{
	struct handshake h = {.session = s, .config = config_now()};
	enum qerr e = Q_OK;

	while (h.stage != STAGE_DONE && (e == Q_OK || e == Q_SHORT)) {
		e = next_frame(&h);
		if (e == Q_SHORT)
			e = session_fill(s, RELAY_SIZE_LEN + RELAY_CLEAR_MAX);
	}
	if (e == Q_FORMAT)
		relay_broken(s, "bad handshake frame");
	else if (e == Q_LIMIT)
		relay_broken(s, "handshake frame too large, or sealed");
	else if (e == Q_NOMEM || e == Q_CRYPTO)
		log_event(LOG_ERROR, s, "handshake-failed", "error=%s", qerr_str(e));
	kex_free(h.kex);
	secret_wipe(h.nonce, sizeof(h.nonce));
	return h.made;
}
