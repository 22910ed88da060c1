/* SPDX-License-Identifier: MIT
 *
 * Each side signs its ephemeral key together with the nonce that the other one
 * has just made, so neither can be answered with something signed earlier.  The
 * long-term keys come from the server, which is why they are pinned at first use and
 * people compare them (verify.h).
 */
#include "client/e2e.h"

#include <stdlib.h>

#include "client/channel.h"
#include "crypto/kex.h"
#include "crypto/random.h"

enum step {
	WAIT_NONCE,      /* accepter: for 305 */
	WAIT_FIRST_KEY,  /* requester: for 308 */
	WAIT_SECOND_KEY, /* accepter: for 306 */
	READY
};

struct e2e {
	enum step step;
	struct key *own, *partner;
	struct kex *kex; /* until the secret is derived */
	int32_t nonce;   /* ours */
	struct channel *channel;
	char fingerprint[FINGERPRINT_SIZE];
};

static enum qerr
take_partner(struct e2e *x, struct span pem, struct why *why)
{
	uint8_t sum[SHA256_LEN];
	enum qerr e;

	if ((e = key_parse_public(pem, &x->partner)) != Q_OK)
		return why_set(why, e, "the partner's key is none that can be used");
	if (key_same(x->own, x->partner))
		return why_set(why, Q_DENIED,
			       "the server sent our own key as the partner's");
	if ((e = key_fingerprint(x->partner, sum)) != Q_OK)
		return why_set(why, e, "there is no memory for a chat");
	fingerprint_text(sum, x->fingerprint);
	return Q_OK;
}

enum qerr
e2e_new(enum e2e_role role, struct key *own, struct span partner_pem, struct e2e **out,
	struct why *why)
{
	struct span pem;
	struct e2e *x;
	enum qerr e;

	if (relay_pem_parse(partner_pem, &pem) != Q_OK)
		return why_set(why, Q_FORMAT, "the server sent no key for the partner");
	if ((x = calloc(1, sizeof(*x))) == NULL)
		return why_set(why, Q_NOMEM, "there is no memory for a chat");
	x->step = role == E2E_REQUESTER ? WAIT_FIRST_KEY : WAIT_NONCE;
	x->nonce = (int32_t)random_u32();
	x->own = key_ref(own);
	e = take_partner(x, pem, why);
	if (e == Q_OK && (x->kex = kex_new()) == NULL)
		e = why_set(why, Q_NOMEM, "there is no memory for a chat");
	if (e == Q_OK)
		*out = x;
	else
		e2e_free(x);
	return e;
}

void
e2e_free(struct e2e *x)
{
	if (x == NULL)
		return;
	key_free(x->own);
	key_free(x->partner);
	kex_free(x->kex);
	channel_free(x->channel);
	free(x);
}

enum qerr
e2e_begin(struct e2e *x, struct buf *reply)
{
	return relay_nonce_put(reply, x->nonce);
}

/* Our ephemeral key, signed with their nonce, as 308 or 306. */
static enum qerr
put_key(struct e2e *x, int32_t opcode, int32_t their_nonce, struct buf *reply)
{
	struct relay_key_message m = {.nonce = x->nonce, .pem = kex_pem(x->kex)};
	uint8_t nonce[4] = {0}, sign[KEY_SIGN_MAX];
	struct span parts[2] = {m.pem, span_of(nonce, sizeof(nonce))};
	size_t len;
	enum qerr e;

	relay_nonce_bytes(their_nonce, nonce);
	if ((e = key_sign(x->own, parts, 2, sign, &len)) != Q_OK)
		return e;
	m.signature = span_of(sign, len);
	return opcode == RELAY_FIRST_KEY ? relay_first_key_put(reply, &m)
					 : relay_second_key_put(reply, &m);
}

/* Their ephemeral key: check the signature, derive the key of the chat. */
static enum qerr
take_key(struct e2e *x, const struct relay_key_message *m, struct why *why)
{
	uint8_t nonce[4] = {0}, secret[KEX_SECRET_LEN];
	struct span parts[2] = {m->pem, span_of(nonce, sizeof(nonce))};
	enum qerr e;

	relay_nonce_bytes(x->nonce, nonce);
	if (key_verify(x->partner, parts, 2, m->signature) != Q_OK)
		return why_set(why, Q_DENIED, "the partner's signature is wrong");
	if ((e = kex_derive(x->kex, m->pem, secret)) != Q_OK)
		return why_set(why, e, "the partner's key of the day is none");
	e = channel_new(secret, &x->channel);
	secret_wipe(secret, sizeof(secret));
	if (e != Q_OK)
		return why_set(why, e, "there is no memory for a chat");
	x->step = READY;
	return Q_OK;
}

static enum qerr
on_nonce(struct e2e *x, struct span data, int32_t *reply_opcode, struct buf *reply)
{
	int32_t their_nonce;
	enum qerr e;

	if ((e = relay_nonce_parse(data, &their_nonce)) != Q_OK ||
	    (e = put_key(x, RELAY_FIRST_KEY, their_nonce, reply)) != Q_OK)
		return e;
	x->step = WAIT_SECOND_KEY;
	*reply_opcode = RELAY_FIRST_KEY;
	return Q_OK;
}

static enum qerr
on_first_key(struct e2e *x, struct span data, int32_t *reply_opcode, struct buf *reply,
	     struct why *why)
{
	struct relay_key_message m;
	enum qerr e;

	if ((e = relay_first_key_parse(data, &m)) != Q_OK)
		return e;
	/* Ours is put first: deriving uses the ephemeral key up. */
	if ((e = put_key(x, RELAY_SECOND_KEY, m.nonce, reply)) != Q_OK ||
	    (e = take_key(x, &m, why)) != Q_OK)
		return e;
	*reply_opcode = RELAY_SECOND_KEY;
	return Q_OK;
}

static enum qerr
on_second_key(struct e2e *x, struct span data, struct why *why)
{
	struct relay_key_message m;

	if (relay_second_key_parse(data, &m) != Q_OK)
		return Q_FORMAT;
	return take_key(x, &m, why);
}

enum qerr
e2e_input(struct e2e *x, int32_t opcode, struct span data, int32_t *reply_opcode,
	  struct buf *reply, struct why *why)
{
	why_set(why, Q_OK, "the partner's key negotiation is broken");
	*reply_opcode = 0;
	if (opcode == RELAY_NONCE && x->step == WAIT_NONCE)
		return on_nonce(x, data, reply_opcode, reply);
	if (opcode == RELAY_FIRST_KEY && x->step == WAIT_FIRST_KEY)
		return on_first_key(x, data, reply_opcode, reply, why);
	if (opcode == RELAY_SECOND_KEY && x->step == WAIT_SECOND_KEY)
		return on_second_key(x, data, why);
	return why_set(why, Q_DENIED,
		       "a message of the key negotiation came out of turn");
}

bool
e2e_ready(const struct e2e *x)
{
	return x->step == READY;
}

const char *
e2e_fingerprint(const struct e2e *x)
{
	return x->fingerprint;
}

enum qerr
e2e_seal(struct e2e *x, struct span text, struct buf *out)
{
	return e2e_seal_kind(x, RELAY_PEER_MESSAGE, text, out);
}

enum qerr
e2e_seal_kind(struct e2e *x, int32_t opcode, struct span data, struct buf *out)
{
	if (x->step != READY)
		return Q_DENIED;
	return channel_seal(x->channel, out, opcode, data);
}

enum qerr
e2e_open(struct e2e *x, struct span data, struct buf *plain, struct relay_inner *out,
	 struct why *why)
{
	struct relay_sealed frame;

	if (x->step != READY)
		return why_set(why, Q_DENIED,
			       "a message came before the keys were agreed on");
	if (relay_peer_parse(data, &frame) != Q_OK)
		return why_set(why, Q_FORMAT, "a message is not sealed as it should be");
	return channel_open(x->channel, &frame, plain, out, why);
}
