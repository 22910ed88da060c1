/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/rooms_content_inner.h"
#include "crypto/random.h"

/* Characters of the JSON object besides ct and keys, generously. */
#define FRAME_LEN 512
/* "KEYID":"...", */
#define ENTRY_LEN (ROOMS_KEYID_LEN + BASE64_LEN(CONTENT_WRAP_LEN) + 6)

size_t
rooms_content_size(size_t plain_len, size_t n)
{
	return BASE64_LEN(FRAME_LEN + BASE64_LEN(plain_len + AEAD_TAG_LEN) +
			  n * ENTRY_LEN);
}

struct sealing {
	struct content_parts parts;
	uint8_t key[AEAD_KEY_LEN];
	char by[ROOMS_KEYID_SIZE];
	struct content_header header;
	struct buf json;
};

/* ---- the content key for everybody ---- */

static enum qerr
wrap_for(struct sealing *s, const struct key *ephemeral, const struct key *reader,
	 struct content_wrap *w)
{
	static const uint8_t zeros[AEAD_IV_LEN];
	uint8_t shared[AGREE_SECRET_LEN];
	struct aead *a = NULL;
	enum qerr e;

	if ((e = agree(ephemeral, reader, shared)) == Q_OK &&
	    (e = content_wrapper(AEAD_SEAL, shared, s->parts.n, w->keyid, &a)) == Q_OK)
		e = aead_seal(a, zeros, span_of(NULL, 0), s->key, AEAD_KEY_LEN, w->value,
			      w->value + AEAD_KEY_LEN);
	secret_wipe(shared, sizeof(shared));
	aead_free(a);
	return e;
}

static bool
seen_before(const struct content_parts *c, const char *keyid)
{
	for (size_t i = 0; i < c->wrap_count; i++)
		if (strcmp(c->wraps[i].keyid, keyid) == 0)
			return true;
	return false;
}

static enum qerr
wrap_for_all(struct sealing *s, struct key *const *readers, size_t n)
{
	struct content_parts *c = &s->parts;
	struct key *ephemeral = NULL;
	enum qerr e;

	if (n == 0 || n > CONTENT_KEYS_MAX)
		return Q_LIMIT;
	if ((c->wraps = calloc(n, sizeof(*c->wraps))) == NULL)
		return Q_NOMEM;
	if ((e = key_generate(KEY_EC_P256, 0, &ephemeral)) == Q_OK)
		e = agree_point(ephemeral, c->epk);
	for (size_t i = 0; e == Q_OK && i < n; i++) {
		struct content_wrap *w = &c->wraps[c->wrap_count];

		if ((e = content_keyid(readers[i], w->keyid)) != Q_OK ||
		    seen_before(c, w->keyid))
			continue;
		if ((e = wrap_for(s, ephemeral, readers[i], w)) == Q_OK)
			c->wrap_count++;
	}
	if (e == Q_OK)
		qsort(c->wraps, c->wrap_count, sizeof(*c->wraps), content_wrap_cmp);
	key_free(ephemeral);
	return e;
}

/* ---- the object ---- */

static enum qerr
put_base64(struct buf *b, struct span raw)
{
	enum qerr e = buf_reserve(b, BASE64_LEN(raw.len));

	if (e == Q_OK)
		b->len += base64_encode(raw, (char *)b->p + b->len);
	return e;
}

static enum qerr
put_field(struct buf *b, const char *before, const void *p, size_t n)
{
	enum qerr e = buf_put_str(b, before);

	return e == Q_OK ? put_base64(b, span_of(p, n)) : e;
}

static enum qerr
put_keys(struct buf *b, const struct content_parts *c)
{
	enum qerr e = buf_put_str(b, "\",\"keys\":{");

	for (size_t i = 0; e == Q_OK && i < c->wrap_count; i++)
		if ((e = buf_printf(b, "%s\"%s\":\"", i > 0 ? "," : "",
				    c->wraps[i].keyid)) == Q_OK &&
		    (e = put_base64(b, span_of(c->wraps[i].value, CONTENT_WRAP_LEN))) ==
			Q_OK)
			e = buf_put_u8(b, '"');
	return e;
}

/* The cipher text is sealed at the end of its base64's place, which goes forward over
 * it (protocol/rooms_envelope.c says why that is right), so a file is copied once. */
static enum qerr
seal_text(struct sealing *s, struct span plain)
{
	const size_t len = plain.len + AEAD_TAG_LEN;
	struct content_parts *c = &s->parts;
	struct buf *b = &s->json;
	struct aead *a;
	uint8_t *ct;
	enum qerr e;

	if ((e = buf_reserve(b, BASE64_LEN(len))) != Q_OK)
		return e;
	if ((a = aead_new(AEAD_SEAL, s->key)) == NULL)
		return Q_NOMEM;
	ct = b->p + b->len + BASE64_LEN(len) - len;
	e = aead_seal(a, c->n, span_of(s->header.p, s->header.len), plain.p, plain.len,
		      ct, ct + plain.len);
	aead_free(a);
	c->ct = span_of(ct, len);
	return e;
}

static enum qerr
sign(struct sealing *s, const struct key *author, uint8_t sig[KEY_SIGN_MAX], size_t *len)
{
	uint8_t digest[SHA256_LEN];
	const struct span parts[] = {span_of(s->header.p, s->header.len),
				     span_of(digest, sizeof(digest))};
	enum qerr e = content_digest(&s->parts, digest);

	return e == Q_OK ? key_sign(author, parts, 2, sig, len) : e;
}

static enum qerr
write_object(struct sealing *s, const struct key *author, uint64_t ctr, struct span plain)
{
	const struct content_parts *c = &s->parts;
	struct buf *b = &s->json;
	uint8_t sig[KEY_SIGN_MAX];
	size_t sig_len;
	enum qerr e;

	if ((e = buf_printf(b, "{\"v\":%d", CONTENT_VERSION)) == Q_OK &&
	    (e = put_field(b, ",\"n\":\"", c->n, sizeof(c->n))) == Q_OK &&
	    (e = buf_put_str(b, "\",\"ct\":\"")) == Q_OK &&
	    (e = seal_text(s, plain)) == Q_OK &&
	    (e = sign(s, author, sig, &sig_len)) == Q_OK)
		b->len += base64_encode(c->ct, (char *)b->p + b->len);
	if (e == Q_OK &&
	    (e = put_field(b, "\",\"epk\":\"", c->epk, sizeof(c->epk))) == Q_OK &&
	    (e = put_field(b, "\",\"kc\":\"", c->kc, sizeof(c->kc))) == Q_OK &&
	    (e = put_keys(b, c)) == Q_OK &&
	    (e = buf_printf(b, "},\"ctr\":%llu,\"by\":\"%s\"", (unsigned long long)ctr,
			    s->by)) == Q_OK &&
	    (e = put_field(b, ",\"sig\":\"", sig, sig_len)) == Q_OK)
		e = buf_put_str(b, "\"}");
	return e;
}

enum qerr
rooms_content_seal(const struct rooms_place *place, uint64_t ctr,
		   const struct key *author, struct key *const *readers, size_t n,
		   struct span plain, struct buf *out)
{
	struct sealing s = {.json = BUF_INIT(SIZE_MAX / 2)};
	enum qerr e;

	if (ctr == 0 || ctr > ROOMS_CTR_MAX || plain.len > ROOMS_FILE_MAX)
		return Q_LIMIT;
	if (key_kind(author) != KEY_EC_P256)
		return Q_DENIED;
	random_bytes(s.key, sizeof(s.key));
	random_bytes(s.parts.n, sizeof(s.parts.n));
	if ((e = content_keyid(author, s.by)) == Q_OK &&
	    (e = content_header(place, ctr, s.by, &s.header)) == Q_OK &&
	    (e = content_commit(s.parts.n, s.key, s.parts.kc)) == Q_OK &&
	    (e = wrap_for_all(&s, readers, n)) == Q_OK &&
	    (e = buf_reserve(&s.json, rooms_content_size(plain.len, n))) == Q_OK &&
	    (e = write_object(&s, author, ctr, plain)) == Q_OK)
		e = put_base64(out, buf_span(&s.json));
	secret_wipe(s.key, sizeof(s.key));
	free(s.parts.wraps);
	buf_free(&s.json);
	return e;
}
