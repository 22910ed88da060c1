/* SPDX-License-Identifier: MIT
 *
 * handshake.c - from the first bytes to a session key.
 *
 *   FRESH --280--> ENROLLED --290--> GREETED --292--> done
 *     '-------------290----------------^
 *
 * A clear frame that is not in the table below for the present stage closes the
 * connection.  What a login costs is one ephemeral key, one signature, one
 * verification and one derivation; the rest is copying.  These are done in two jobs
 * by the threads that are kept for it (server->crypto), while the worker waits: its
 * own stack, libcrypto state and malloc cache stay as small as an idle session's
 * should be.  It waits for what the client says next, not for the job, because to wake
 * it costs as much as a signature.
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

#include "base/clock.h"
#include "crypto/cert.h"
#include "crypto/kex.h"
#include "crypto/random.h"
#include "server/accounts.h"
#include "server/identity.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/pool.h"
#include "server/throttle.h"

enum stage { STAGE_FRESH, STAGE_ENROLLED, STAGE_GREETED, STAGE_PROVED };

struct handshake {
	struct session *session;
	const struct config *config;
	enum stage stage;
	char name[NAME_SIZE]; /* "" when it was no valid one */
	uint8_t nonce[4];     /* ours, as the user signs it */
	int32_t nonce_c;      /* the client's */
	bool working;         /* job was started and not yet waited for */
	struct pool_job job;
	struct kex *kex;    /* its result, NULL when it failed */
	struct buf said;    /* 292, as the input goes on */
	const char *reason; /* why it is no proof */
	enum qerr result;   /* of 292; Q_OK: the user is logged in */
	struct relay_session *made;
};

/* Something that is not the peer's fault; whatever is has been told elsewhere. */
static void
handshake_failed(const struct handshake *h, enum qerr e)
{
	if (e == Q_NOMEM || e == Q_CRYPTO)
		log_event(LOG_ERROR, h->session, "handshake-failed", "error=%s",
			  qerr_str(e));
}

/* ---- jobs, one at a time ---- */

static void
job_start(struct handshake *h, void (*run)(void *arg))
{
	h->job = (struct pool_job){.run = run, .arg = h};
	h->working = true;
	pool_start(h->session->server->crypto, &h->job);
}

static void
job_wait(struct handshake *h)
{
	if (h->working)
		pool_wait(&h->job);
	h->working = false;
}

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
make_hello(struct handshake *h, struct buf *frame)
{
	struct identity *id = h->session->server->identity;
	struct buf cert = BUF_INIT(CERT_PEM_MAX);
	struct relay_server_hello m = {.nonce = (int32_t)le32_get(h->nonce)};
	struct key *key = identity_key(id);
	uint8_t signature[KEY_SIGN_MAX], nonce[4];
	size_t len;
	enum qerr e = Q_NOMEM;

	if ((h->kex = kex_new()) == NULL)
		goto out;
	m.pem = kex_pem(h->kex);
	relay_nonce_bytes(h->nonce_c, nonce);
	e = key_sign(key, (struct span[]){m.pem, span_of(nonce, sizeof(nonce))}, 2,
		     signature, &len);
	if (e == Q_OK)
		e = identity_chain_pem(id, &cert);
	if (e == Q_OK) {
		m.signature = span_of(signature, len);
		m.cert = buf_span(&cert);
		e = relay_server_hello_put(frame, &m);
	}
out:
	key_free(key);
	buf_free(&cert);
	return e;
}

/* The pool's: make 291 and send it.  The worker waits for 292 meanwhile, and
 * need not wake before that comes. */
static void
hello_job(void *arg)
{
	struct handshake *h = arg;
	struct buf frame = BUF_INIT(CERT_PEM_MAX + KEY_SIGN_MAX + KEX_PEM_MAX + 64);
	enum qerr e = make_hello(h, &frame);

	/* One frame, one call: see "Distinct codes". */
	if (e == Q_OK)
		e = outbox_put(h->session, OUTBOX_CONTROL, buf_span(&frame));
	if (e != Q_OK) {
		handshake_failed(h, e);
		session_end(h->session, GOODBYE_ERROR, NULL);
	}
	outbox_flush_touched();
	buf_free(&frame);
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
	h->nonce_c = m.nonce;
	h->stage = STAGE_GREETED;
	job_start(h, hello_job);
	return Q_OK;
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

/* Q_OK: m was signed by the user that was named.  The caller frees *key in any case. */
static enum qerr
check_proof(struct handshake *h, const struct relay_proof *m, char registered[NAME_SIZE],
	    struct key **key)
{
	struct span parts[2] = {m->pem, span_of(h->nonce, sizeof(h->nonce))};
	struct server *server = h->session->server;
	enum qerr e, known = Q_MISSING;

	if (h->name[0] != '\0')
		known = accounts_key(server->accounts, h->name, registered, key);
	if (known != Q_OK)
		*key = identity_key(server->identity);
	e = key_verify(*key, parts, 2, m->signature);
	if (known == Q_OK && e == Q_OK)
		return Q_OK;
	if (known == Q_NOMEM || known == Q_SYS) {
		log_event(LOG_ERROR, h->session, "key-unreadable", "name=%s error=%s",
			  h->name, qerr_str(known));
		return known;
	}
	h->reason = known == Q_OK ? "wrong signature" : "no such user or key";
	return Q_DENIED;
}

static enum qerr
derive_key(struct handshake *h, struct span pem, uint8_t ks[AEAD_KEY_LEN])
{
	uint8_t secret[KEX_SECRET_LEN];
	struct span whole = span_of(secret, sizeof(secret));
	enum qerr e;

	if (kex_derive(h->kex, pem, secret) != Q_OK) {
		h->reason = "bad ephemeral key";
		return Q_DENIED;
	}
	e = sha256(&whole, 1, ks);
	secret_wipe(secret, sizeof(secret));
	return e;
}

/* Is it that user still?  Who replaces a key, or removes a user, does so first and then
 * looks for sessions, so one of the two notices. */
static void
look_again(struct handshake *h, const char *name, const struct key *key)
{
	char registered[NAME_SIZE];
	struct key *now = NULL;
	enum qerr e = accounts_key(h->session->server->accounts, name, registered, &now);

	if (e == Q_NOMEM || e == Q_SYS)
		session_end(h->session, GOODBYE_ERROR, "the server cannot read your key");
	else if (e != Q_OK || !key_same(now, key))
		session_end(h->session, GOODBYE_REMOVED, NULL);
	key_free(now);
}

static enum qerr
log_in(struct handshake *h)
{
	struct session *s = h->session;
	char registered[NAME_SIZE];
	uint8_t ks[AEAD_KEY_LEN];
	struct relay_proof m;
	struct key *key = NULL;
	enum qerr e = relay_proof_parse(buf_span(&h->said), &m);

	if (e == Q_OK && (e = check_proof(h, &m, registered, &key)) == Q_OK &&
	    (e = derive_key(h, m.pem, ks)) == Q_OK) {
		e = make_session(h, ks, registered, key);
		secret_wipe(ks, sizeof(ks));
	}
	if (e != Q_OK) {
		key_free(key);
		return e;
	}
	if (!relay_login(h->made))
		return Q_CLOSED;
	look_again(h, registered, key);
	throttle_login_ok(s->server->throttle, registered, &s->peer);
	return Q_OK;
}

/* The pool's: from 292 to the line in the log.  The login itself needs no help, but
 * it reaches deeper into the stack than all that the worker will do while idle. */
static void
proof_job(void *arg)
{
	struct handshake *h = arg;

	h->result = log_in(h);
	/* The user may take all the time; of anybody else nothing more is read, which
	 * brings the worker out. */
	session_deadline(h->session, h->result == Q_OK ? 0 : clock_mono_ms());
	kex_free(h->kex);
	h->kex = NULL;
	buf_free(&h->said);
	outbox_flush_touched();
}

static enum qerr
on_proof(struct handshake *h, struct span body)
{
	enum qerr e;

	if (h->kex == NULL)
		return Q_CLOSED;
	h->said = (struct buf)BUF_INIT(RELAY_CLEAR_MAX);
	if ((e = buf_put(&h->said, body.p, body.len)) != Q_OK)
		return e;
	h->stage = STAGE_PROVED;
	job_start(h, proof_job);
	return Q_OK;
}

/* After 292: wait for the next bytes, and see what has become of it. */
static enum qerr
await_proof(struct handshake *h, size_t max)
{
	struct session *s = h->session;
	enum qerr e = session_input(s).len > 0 ? Q_OK : session_fill(s, max);

	job_wait(h);
	if (h->result == Q_DENIED)
		return login_failed(h, h->reason);
	/* What had come is lost: not to be taken for the client's mistake. */
	if (h->result == Q_OK && e == Q_NOMEM)
		session_end(s, GOODBYE_ERROR, "the server is out of memory");
	return h->result;
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
	if (e == Q_SHORT)
		return e;
	/* Whatever it is, it gets its answer, or the connection its end, behind 291. */
	job_wait(h);
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
	const size_t max = RELAY_SIZE_LEN + RELAY_CLEAR_MAX;
	struct handshake h = {.session = s, .config = config_now()};
	enum qerr e = Q_OK;

	while (h.stage != STAGE_PROVED && (e == Q_OK || e == Q_SHORT)) {
		e = next_frame(&h);
		if (e == Q_SHORT)
			e = session_fill(s, max);
	}
	if (h.stage == STAGE_PROVED)
		e = await_proof(&h, max);
	if (e == Q_FORMAT)
		relay_broken(s, "bad handshake frame");
	else if (e == Q_LIMIT)
		relay_broken(s, "handshake frame too large, or sealed");
	else
		handshake_failed(&h, e);
	job_wait(&h);
	kex_free(h.kex);
	secret_wipe(h.nonce, sizeof(h.nonce));
	return h.stage == STAGE_PROVED && e == Q_OK ? h.made : NULL;
}
