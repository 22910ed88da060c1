/* SPDX-License-Identifier: MIT
 *
 * 290, 291, 292 (docs/protocols/relay.md, "Handshake").  Nothing of the user but
 * the name leaves before the server has shown a certificate that the pinned CA
 * issued, and a signature that proves it its own.
 */
#include "client/relay_machine.h"

#include "client/chain.h"
#include "crypto/kex.h"
#include "crypto/random.h"

void
login_begin(struct relay_machine *m, int64_t now_ms)
{
	struct relay_hello hello = {.user = span_str(m->env->login->user)};

	m->nonce = hello.nonce = (int32_t)random_u32();
	m->deadline_ms = now_ms + LOGIN_MS;
	if (relay_hello_put(m->env->out, &hello) != Q_OK)
		relay_finish(m, CLIENT_LOST, "there is no memory left");
}

/* Is it the server that the user enrolled with? */
static enum qerr
check_server(const struct relay_machine *m, const struct relay_server_hello *hello,
	     struct why *why)
{
	uint8_t nonce[4] = {0};
	struct span parts[2] = {hello->pem, span_of(nonce, sizeof(nonce))};
	struct cert *cert = NULL;
	struct key *key = NULL;
	enum qerr e;

	if (hello->cert.len == 0)
		return why_set(
		    why, Q_DENIED,
		    "the server shows no certificate, so it cannot be trusted");
	e = chain_check(m->env->server, hello->cert, m->env->login->ca, why);
	if (e == Q_OK && ((e = cert_parse(hello->cert, &cert)) != Q_OK ||
			  (e = cert_key(cert, &key)) != Q_OK))
		why_set(why, e, "the server's certificate has no key that can be used");
	if (e == Q_OK) {
		relay_nonce_bytes(m->nonce, nonce);
		if ((e = key_verify(key, parts, 2, hello->signature)) != Q_OK)
			why_set(why, e,
				"the server shows a certificate that is not its own");
	}
	key_free(key);
	cert_free(cert);
	return e;
}

/* 292, and the session key. */
static enum qerr
answer(struct relay_machine *m, const struct relay_server_hello *hello)
{
	uint8_t nonce[4], sign[KEY_SIGN_MAX], secret[KEX_SECRET_LEN];
	struct kex *kex = kex_new();
	struct relay_proof proof;
	struct span parts[2];
	size_t len;
	enum qerr e;

	if (kex == NULL)
		return Q_NOMEM;
	relay_nonce_bytes(hello->nonce, nonce);
	proof.pem = kex_pem(kex);
	parts[0] = proof.pem;
	parts[1] = span_of(nonce, sizeof(nonce));
	if ((e = key_sign(m->env->login->key, parts, 2, sign, &len)) == Q_OK) {
		proof.signature = span_of(sign, len);
		e = relay_proof_put(m->env->out, &proof);
	}
	if (e == Q_OK && (e = kex_derive(kex, hello->pem, secret)) == Q_OK)
		e = channel_new(secret, &m->channel);
	secret_wipe(secret, sizeof(secret));
	kex_free(kex);
	return e;
}

void
login_on_hello(struct relay_machine *m, struct span body, int64_t now_ms)
{
	struct relay_server_hello hello;
	struct why why;
	enum qerr e;

	if (relay_server_hello_parse(body, &hello) != Q_OK) {
		relay_finish(m, CLIENT_LOST, "the server's greeting is broken");
		return;
	}
	if (check_server(m, &hello, &why) != Q_OK) {
		relay_finish(m, CLIENT_REFUSED, why.text);
		return;
	}
	if ((e = answer(m, &hello)) != Q_OK) {
		relay_finish(m, CLIENT_LOST,
			     e == Q_NOMEM ? "there is no memory left"
					  : "the server's key is none");
		return;
	}
	m->deadline_ms = now_ms + LOGIN_MS;
	relay_become(m, RELAY_WAIT_LOGIN, "");
	/* Ours, additive: notices of the administrator.  The certificate above
	 * has shown that this is a Quintet server, which knows 376. */
	relay_send(m, RELAY_NOTICE, span_of(NULL, 0));
	relay_send_list(m, false);
}
