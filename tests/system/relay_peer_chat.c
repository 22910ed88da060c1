/* SPDX-License-Identifier: MIT
 *
 * relay_peer_chat.c - what two peers do with each other through the server.
 */
#define RELAY_PEER_INSIDE
#include <string.h>

#include "crypto/random.h"
#include "tests/system/relay_peer.h"
#include "tests/system/relay_peer_way.h"

#define DATA_MAX (17 << 20)

/* ---- request and answer ---- */

void
peer_request(struct peer *p, const char *name)
{
	peer_send(p, RELAY_CHAT_REQUEST, span_of(name, strlen(name) + p->distinct));
}

void
peer_ask(struct peer *p, struct peer *q)
{
	peer_request(p, q->name);
	peer_expect_name(
	    q, q->distinct ? RELAY_CHAT_REQUEST_RECEIVED_DISTINCT : RELAY_CHAT_REQUEST,
	    p->name);
}

/* p learns its partner's long-term key, which must be q's. */
static void
learn_key(struct peer *p, int32_t opcode, const struct peer *q)
{
	struct span data = peer_expect(p, opcode), pem;

	if (relay_pem_parse(data, &pem) != Q_OK)
		harness_fail("%s received a broken %d", p->name, opcode);
	key_free(p->partner);
	p->partner = NULL;
	if (key_parse_public(pem, &p->partner) != Q_OK || !key_same(p->partner, q->key))
		harness_fail("%s: %d does not bring %s's key", p->name, opcode, q->name);
}

void
peer_accept(struct peer *q, struct peer *p)
{
	peer_send_bare(q, RELAY_CHAT_ACCEPT);
	learn_key(q, RELAY_PEER_PUBLIC_KEY, p);
	learn_key(p, RELAY_CHAT_ACCEPT, q);
}

/* ---- key negotiation ---- */

static void
fresh_key(struct peer *p)
{
	kex_free(p->kex);
	p->kex = kex_new();
	ck_assert_ptr_nonnull(p->kex);
}

/* Sign our ephemeral key and the other side's nonce. */
static void
sign_key(const struct peer *p, struct relay_key_message *m, uint8_t sign[KEY_SIGN_MAX])
{
	uint8_t nonce[4];

	relay_nonce_bytes(p->nonce_from, nonce);
	m->nonce = p->nonce;
	m->pem = kex_pem(p->kex);
	m->signature.p = sign;
	ck_assert_int_eq(key_sign(p->key, (struct span[]){m->pem, span_of(nonce, 4)}, 2,
				  sign, &m->signature.len),
			 Q_OK);
}

static void
verify_key(const struct peer *p, const struct relay_key_message *m)
{
	uint8_t nonce[4];

	relay_nonce_bytes(p->nonce, nonce);
	if (key_verify(p->partner, (struct span[]){m->pem, span_of(nonce, 4)}, 2,
		       m->signature) != Q_OK)
		harness_fail("%s: the partner's signature is wrong", p->name);
}

static void
begin_chat(struct peer *p, struct span pem)
{
	way_derive(p->kex, pem, &p->to_partner, &p->from_partner, p->chat_key);
}

void
peer_nonce(struct peer *c1, struct peer *c2)
{
	struct buf out = BUF_INIT(DATA_MAX);

	c1->nonce = (int32_t)random_u32();
	ck_assert_int_eq(relay_nonce_put(&out, c1->nonce), Q_OK);
	peer_send(c1, RELAY_NONCE, buf_span(&out));
	buf_free(&out);
	if (relay_nonce_parse(peer_expect(c2, RELAY_NONCE), &c2->nonce_from) != Q_OK ||
	    c2->nonce_from != c1->nonce)
		harness_fail("%s: 305 does not bring the nonce", c2->name);
}

void
peer_first_key(struct peer *c2, struct peer *c1)
{
	struct buf out = BUF_INIT(DATA_MAX);
	uint8_t sign[KEY_SIGN_MAX];
	struct relay_key_message m;

	fresh_key(c2);
	c2->nonce = (int32_t)random_u32();
	sign_key(c2, &m, sign);
	ck_assert_int_eq(relay_first_key_put(&out, &m), Q_OK);
	peer_send(c2, RELAY_FIRST_KEY, buf_span(&out));
	buf_free(&out);
	if (relay_first_key_parse(peer_expect(c1, RELAY_FIRST_KEY), &m) != Q_OK)
		harness_fail("%s received a broken 308", c1->name);
	verify_key(c1, &m);
	c1->nonce_from = m.nonce;
	fresh_key(c1);
	begin_chat(c1, m.pem);
}

void
peer_second_key(struct peer *c1, struct peer *c2)
{
	struct buf out = BUF_INIT(DATA_MAX);
	uint8_t sign[KEY_SIGN_MAX];
	struct relay_key_message m;

	sign_key(c1, &m, sign);
	ck_assert_int_eq(relay_second_key_put(&out, &m), Q_OK);
	peer_send(c1, RELAY_SECOND_KEY, buf_span(&out));
	buf_free(&out);
	if (relay_second_key_parse(peer_expect(c2, RELAY_SECOND_KEY), &m) != Q_OK)
		harness_fail("%s received a broken 306", c2->name);
	verify_key(c2, &m);
	begin_chat(c2, m.pem);
	if (!secret_eq(c1->chat_key, c2->chat_key, AEAD_KEY_LEN))
		harness_fail("%s and %s have different keys", c1->name, c2->name);
}

void
peer_chat(struct peer *p, struct peer *q)
{
	peer_ask(p, q);
	peer_accept(q, p);
	peer_nonce(p, q);
	peer_first_key(q, p);
	peer_second_key(p, q);
}

/* ---- messages ---- */

void
peer_say_into(struct peer *p, struct buf *out, struct span message)
{
	p->last.len = 0;
	way_seal(&p->to_partner, &p->last, RELAY_PEER_MESSAGE, message);
	peer_seal(p, out, RELAY_PEER_MESSAGE, buf_span(&p->last));
}

void
peer_say(struct peer *p, struct span message)
{
	struct buf out = BUF_INIT(DATA_MAX);

	peer_say_into(p, &out, message);
	peer_send_raw(p, buf_span(&out));
	buf_free(&out);
}

void
peer_say_text(struct peer *p, const char *text)
{
	peer_say(p, span_str(text));
}

void
peer_hear(struct peer *p, struct span message)
{
	struct span data = peer_expect(p, RELAY_PEER_MESSAGE);
	struct buf plain = BUF_INIT(DATA_MAX);
	struct relay_sealed sealed;
	struct relay_inner m;

	if (relay_peer_parse(data, &sealed) != Q_OK)
		harness_fail("%s received a broken 350", p->name);
	p->last.len = 0;
	ck_assert_int_eq(buf_put_span(&p->last, data), Q_OK);
	way_open(&p->from_partner, span_of(data.p + 4, data.len - 4), &plain, p->name,
		 "the partner");
	ck_assert_int_eq(relay_inner_parse(buf_span(&plain), &m), Q_OK);
	if (m.opcode != RELAY_PEER_MESSAGE || !span_eq(m.data, message))
		harness_fail("%s received another message than was sent", p->name);
	buf_free(&plain);
}

void
peer_hear_text(struct peer *p, const char *text)
{
	peer_hear(p, span_str(text));
}

void
peer_talk(struct peer *p, struct peer *q)
{
	peer_say_text(p, "a word from one");
	peer_hear_text(q, "a word from one");
	peer_say_text(q, "a word from the other");
	peer_hear_text(p, "a word from the other");
}

void
peer_end_chat(struct peer *p, struct peer *q)
{
	peer_send_bare(p, RELAY_END_CHAT);
	peer_expect_bare(q, RELAY_CLOSED_CHAT);
}
