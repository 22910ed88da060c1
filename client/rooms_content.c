/* SPDX-License-Identifier: MIT
 *
 * Why the parts are as they are (docs/protocols/rooms.md has the layout):
 *
 * - The header (room, author, use, target, counter, signing key) is signed, so that a
 *   server cannot show a text in another room, as somebody else's, or an edit as the
 *   edit of another message.  It is also the additional data of the encryption: else
 *   somebody who cannot read a text could cut the signature off, sign the cipher text
 *   as his own, and have readers see the text as his.
 * - AES-GCM does not commit to its key: an author could make one cipher text that two
 *   readers, given two keys, read differently.  kc holds him to one key.
 * - The counter belongs to the signing key, not to the author, since two devices of one
 *   author cannot agree on a counter.
 */
#include "client/rooms_content.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/text.h"
#include "client/rooms_content_inner.h"
#include "crypto/random.h"

static const char *const uses[] = {
    [ROOMS_USE_TEXT] = "msg-text",
    [ROOMS_USE_SMALLFILE] = "msg-smallfile",
    [ROOMS_USE_EDIT] = "edit",
    [ROOMS_USE_REASON] = "reason",
};

/* ---- keys ---- */

enum qerr
content_keyid(const struct key *k, char keyid[ROOMS_KEYID_SIZE])
{
	uint8_t sum[SHA256_LEN];
	enum qerr e = key_fingerprint(k, sum);

	if (e == Q_OK)
		hex_encode(span_of(sum, ROOMS_KEYID_LEN / 2), keyid);
	return e;
}

enum qerr
rooms_chat_key(struct span pem, struct key **out, char keyid[ROOMS_KEYID_SIZE])
{
	struct key *k;
	enum qerr e;

	if (!rooms_pem_shape(pem))
		return Q_FORMAT;
	if ((e = key_parse_public(pem, &k)) != Q_OK)
		return e;
	if (key_kind(k) != KEY_EC_P256)
		e = Q_DENIED;
	if (e == Q_OK && keyid != NULL)
		e = content_keyid(k, keyid);
	if (e == Q_OK)
		*out = k;
	else
		key_free(k);
	return e;
}

/* ---- what is bound, signed and wrapped ---- */

/* A text and its NUL. */
static enum qerr
put_z(struct buf *b, const char *text)
{
	return buf_put(b, text, strlen(text) + 1);
}

enum qerr
content_header(const struct rooms_place *place, uint64_t ctr, const char *by,
	       struct content_header *out)
{
	static const char label[] = "quintet rooms msg";
	struct buf b = BUF_INIT(sizeof(out->p));
	char name[NAME_SIZE], folded[NAME_SIZE], room[UUID_SIZE], target[UUID_SIZE] = "";
	uint64_t counter = htobe64(ctr);
	enum qerr e;

	if ((e = name_copy(place->from, name)) != Q_OK)
		return e;
	name_fold(name, folded);
	uuid_text(&place->room, room);
	if (place->use == ROOMS_USE_EDIT || place->use == ROOMS_USE_REASON)
		uuid_text(&place->target, target);
	if ((e = put_z(&b, label)) == Q_OK && (e = put_z(&b, room)) == Q_OK &&
	    (e = put_z(&b, folded)) == Q_OK &&
	    (e = put_z(&b, uses[place->use])) == Q_OK &&
	    (e = put_z(&b, target)) == Q_OK &&
	    (e = buf_put(&b, &counter, sizeof(counter))) == Q_OK &&
	    (e = buf_put(&b, by, ROOMS_KEYID_LEN)) == Q_OK) {
		memcpy(out->p, b.p, b.len);
		out->len = b.len;
	}
	buf_free(&b);
	return e;
}

enum qerr
content_commit(const uint8_t n[AEAD_IV_LEN], const uint8_t key[AEAD_KEY_LEN],
	       uint8_t out[SHA256_LEN])
{
	static const char label[] = "quintet rooms commit"; /* with its NUL */
	const struct span parts[] = {span_of(label, sizeof(label)),
				     span_of(n, AEAD_IV_LEN), span_of(key, AEAD_KEY_LEN)};

	return sha256(parts, 3, out);
}

enum qerr
content_digest(const struct content_parts *c, uint8_t out[SHA256_LEN])
{
	size_t n = 4 + 2 * c->wrap_count;
	struct span *parts = calloc(n, sizeof(*parts)), *p = parts;
	enum qerr e;

	if (parts == NULL)
		return Q_NOMEM;
	*p++ = span_of(c->n, sizeof(c->n));
	*p++ = c->ct;
	*p++ = span_of(c->epk, sizeof(c->epk));
	*p++ = span_of(c->kc, sizeof(c->kc));
	for (size_t i = 0; i < c->wrap_count; i++) {
		*p++ = span_of(c->wraps[i].keyid, ROOMS_KEYID_LEN);
		*p++ = span_of(c->wraps[i].value, CONTENT_WRAP_LEN);
	}
	e = sha256(parts, n, out);
	free(parts);
	return e;
}

enum qerr
content_wrapper(enum aead_dir dir, const uint8_t shared[AGREE_SECRET_LEN],
		const uint8_t n[AEAD_IV_LEN], const char *keyid, struct aead **out)
{
	static const char label[] = "quintet rooms wrap";
	uint8_t info[sizeof(label) + ROOMS_KEYID_LEN], key[AEAD_KEY_LEN];
	enum qerr e;

	memcpy(info, label, sizeof(label)); /* with its NUL */
	memcpy(info + sizeof(label), keyid, ROOMS_KEYID_LEN);
	e = hkdf_sha256(span_of(shared, AGREE_SECRET_LEN), span_of(n, AEAD_IV_LEN),
			span_of(info, sizeof(info)), key, sizeof(key));
	if (e == Q_OK && (*out = aead_new(dir, key)) == NULL)
		e = Q_NOMEM;
	secret_wipe(key, sizeof(key));
	return e;
}

int
content_wrap_cmp(const void *a, const void *b)
{
	const struct content_wrap *x = a, *y = b;

	return memcmp(x->keyid, y->keyid, ROOMS_KEYID_LEN);
}

/* ---- a file as plain text ---- */

static bool
take_z(struct reader *in, struct span *out)
{
	const uint8_t *end = in->left > 0 ? memchr(in->p, 0, in->left) : NULL;
	struct span nul;

	return end != NULL && reader_take(in, (size_t)(end - in->p), out) == Q_OK &&
	       reader_take(in, 1, &nul) == Q_OK;
}

enum qerr
rooms_smallfile_parse(struct span plain, struct rooms_smallfile *out)
{
	struct reader in = reader_of(plain);
	struct rooms_smallfile f;

	if (!take_z(&in, &f.name) || !take_z(&in, &f.type) || !utf8_valid(f.name) ||
	    !utf8_valid(f.type))
		return Q_FORMAT;
	f.bytes = reader_rest(&in);
	*out = f;
	return Q_OK;
}

enum qerr
rooms_smallfile_put(struct buf *out, const struct rooms_smallfile *f)
{
	size_t before = out->len;
	enum qerr e;

	if ((f->name.len > 0 && memchr(f->name.p, 0, f->name.len) != NULL) ||
	    (f->type.len > 0 && memchr(f->type.p, 0, f->type.len) != NULL))
		return Q_FORMAT;
	if ((e = buf_put_span(out, f->name)) != Q_OK ||
	    (e = buf_put_u8(out, 0)) != Q_OK ||
	    (e = buf_put_span(out, f->type)) != Q_OK ||
	    (e = buf_put_u8(out, 0)) != Q_OK || (e = buf_put_span(out, f->bytes)) != Q_OK)
		out->len = before;
	return e;
}
