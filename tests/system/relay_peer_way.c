/* SPDX-License-Identifier: MIT */
#define RELAY_PEER_INSIDE
#include "tests/system/relay_peer_way.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/random.h"

#define PREFIX_LEN 4

void
way_derive(struct kex *x, struct span pem, struct peer_way *to, struct peer_way *from,
	   uint8_t key[AEAD_KEY_LEN])
{
	uint8_t secret[KEX_SECRET_LEN] = {0}, k[SHA256_LEN];
	struct span part = span_of(secret, sizeof(secret));

	ck_assert_int_eq(kex_derive(x, pem, secret), Q_OK);
	ck_assert_int_eq(sha256(&part, 1, k), Q_OK);
	if (key != NULL)
		memcpy(key, k, AEAD_KEY_LEN);
	way_close(to);
	way_close(from);
	to->aead = aead_new(AEAD_SEAL, k);
	from->aead = aead_new(AEAD_OPEN, k);
	ck_assert_ptr_nonnull(to->aead);
	ck_assert_ptr_nonnull(from->aead);
	random_bytes(to->iv, PREFIX_LEN);
}

void
way_close(struct peer_way *w)
{
	aead_free(w->aead);
	*w = (struct peer_way){0};
}

/* plain is what the ciphertext will hold. */
static void
seal(struct peer_way *w, struct buf *out, const uint8_t *plain, size_t len)
{
	uint64_t n = le64_get(w->iv + PREFIX_LEN) + 1;
	uint8_t *at;

	le64_put(w->iv + PREFIX_LEN, n);
	ck_assert_int_eq(buf_put_i32(out, (int32_t)(len + RELAY_SEAL_LEN)), Q_OK);
	ck_assert_int_eq(buf_reserve(out, len + RELAY_SEAL_LEN), Q_OK);
	at = out->p + out->len;
	ck_assert_int_eq(
	    aead_seal(w->aead, w->iv, span_str(""), plain, len, at, at + len), Q_OK);
	memcpy(at + len + RELAY_TAG_LEN, w->iv, RELAY_IV_LEN);
	out->len += len + RELAY_SEAL_LEN;
	w->counter++;
}

void
way_seal(struct peer_way *w, struct buf *out, int32_t opcode, struct span data)
{
	struct buf plain = BUF_INIT(SIZE_MAX / 2);
	uint8_t head[RELAY_HEAD_LEN];

	relay_head_put(head, opcode, w->counter);
	ck_assert_int_eq(buf_put(&plain, head, sizeof(head)), Q_OK);
	ck_assert_int_eq(buf_put_span(&plain, data), Q_OK);
	seal(w, out, plain.p, plain.len);
	buf_free(&plain);
}

void
way_seal_head(struct peer_way *w, struct buf *out, int32_t opcode, size_t len)
{
	uint8_t head[RELAY_HEAD_LEN];

	relay_head_put(head, opcode, w->counter);
	seal(w, out, head, len);
}

/* relay.md, "reflection": one random prefix a session, and a counter behind it. */
static void
check_iv(struct peer_way *w, const uint8_t *iv, const char *who, const char *from)
{
	if (w->begun && memcmp(w->iv, iv, PREFIX_LEN) != 0)
		harness_fail("%s: %s changed its IV prefix", who, from);
	if (w->begun && memcmp(w->iv, iv, AEAD_IV_LEN) == 0)
		harness_fail("%s: %s used an IV twice", who, from);
	memcpy(w->iv, iv, AEAD_IV_LEN);
	w->begun = true;
}

void
way_open(struct peer_way *w, struct span body, struct buf *plain, const char *who,
	 const char *from)
{
	struct relay_sealed s = relay_sealed_parts(body);
	int32_t counter;

	if (w->aead == NULL)
		harness_fail("%s received a sealed frame from %s without a key", who,
			     from);
	check_iv(w, s.iv, who, from);
	plain->len = 0;
	ck_assert_int_eq(buf_reserve(plain, s.ct.len), Q_OK);
	if (aead_open(w->aead, s.iv, span_str(""), s.ct.p, s.ct.len, plain->p, s.tag) !=
	    Q_OK)
		harness_fail("%s received a wrong tag from %s", who, from);
	plain->len = s.ct.len;
	counter = (int32_t)le32_get(plain->p + 4);
	if (counter != w->counter)
		harness_fail("%s: %s's counter should be %d, is %d", who, from,
			     w->counter, counter);
	w->counter++;
}
