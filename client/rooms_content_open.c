/* SPDX-License-Identifier: MIT
 *
 * The signature is checked before anything is opened, so that what is opened has been
 * made by a key that we know the author by.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/rooms_content_inner.h"
#include "crypto/random.h"
#include "protocol/json.h"

#define CONTENT_DEPTH 2

struct opening {
	struct buf json, ct; /* decoded */
	json_t *doc;
	struct content_parts parts;
	uint8_t sig[KEY_SIGN_MAX];
	size_t sig_len;
	struct rooms_opened opened;
	struct content_header header;
};

/* ---- from text to parts ---- */

/* Base64 of exactly len bytes. */
static bool
take_bytes(const json_t *o, const char *name, uint8_t *out, size_t len)
{
	struct span text;
	size_t n;

	return json_get_text(o, name, &text) == JSON_IS_THERE &&
	       text.len == BASE64_LEN(len) && base64_check(text, &n) == Q_OK &&
	       n == len && base64_decode(text, out, &n) == Q_OK;
}

static enum qerr
take_base64(struct span text, struct buf *out)
{
	size_t n;
	enum qerr e;

	if (base64_check(text, &n) != Q_OK)
		return Q_FORMAT;
	if ((e = buf_reserve(out, text.len / 4 * 3)) != Q_OK)
		return e;
	(void)base64_decode(text, out->p, &n);
	out->len = n;
	return Q_OK;
}

static bool
is_keyid(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') &&
		    !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	return s.len == ROOMS_KEYID_LEN;
}

static enum qerr
take_wraps(struct opening *o)
{
	json_t *keys = json_object_get(o->doc, "keys");
	struct content_parts *c = &o->parts;
	size_t n = json_object_size(keys);

	if (n == 0 || n > CONTENT_KEYS_MAX)
		return Q_FORMAT;
	if ((c->wraps = calloc(n, sizeof(*c->wraps))) == NULL)
		return Q_NOMEM;
	for (void *i = json_object_iter(keys); i != NULL;
	     i = json_object_iter_next(keys, i)) {
		struct content_wrap *w = &c->wraps[c->wrap_count++];
		const char *keyid = json_object_iter_key(i);

		if (!is_keyid(span_of(keyid, json_object_iter_key_len(i))) ||
		    !take_bytes(keys, keyid, w->value, sizeof(w->value)))
			return Q_FORMAT;
		memcpy(w->keyid, keyid, ROOMS_KEYID_LEN);
	}
	qsort(c->wraps, c->wrap_count, sizeof(*c->wraps), content_wrap_cmp);
	return Q_OK;
}

static enum qerr
take_parts(struct opening *o)
{
	struct content_parts *c = &o->parts;
	struct span ct, by, sig;
	int64_t v, ctr;
	enum qerr e;

	if (json_get_int(o->doc, "v", &v) != JSON_IS_THERE || v != CONTENT_VERSION ||
	    !take_bytes(o->doc, "n", c->n, sizeof(c->n)) ||
	    !take_bytes(o->doc, "epk", c->epk, sizeof(c->epk)) ||
	    !take_bytes(o->doc, "kc", c->kc, sizeof(c->kc)) ||
	    json_get_int(o->doc, "ctr", &ctr) != JSON_IS_THERE || ctr <= 0 ||
	    (uint64_t)ctr > ROOMS_CTR_MAX ||
	    json_get_text(o->doc, "by", &by) != JSON_IS_THERE || !is_keyid(by) ||
	    json_get_text(o->doc, "sig", &sig) != JSON_IS_THERE ||
	    sig.len > BASE64_LEN(sizeof(o->sig) - 2) ||
	    base64_decode(sig, o->sig, &o->sig_len) != Q_OK ||
	    json_get_text(o->doc, "ct", &ct) != JSON_IS_THERE)
		return Q_FORMAT;
	o->opened.ctr = (uint64_t)ctr;
	memcpy(o->opened.by, by.p, by.len);
	if ((e = take_base64(ct, &o->ct)) != Q_OK)
		return e;
	c->ct = buf_span(&o->ct);
	return c->ct.len < AEAD_TAG_LEN ? Q_FORMAT : take_wraps(o);
}

static enum qerr
take_apart(struct opening *o, struct span content)
{
	const struct json_limits limits = {SIZE_MAX, CONTENT_DEPTH,
					   CONTENT_KEYS_MAX + 32};
	enum qerr e;

	if ((e = take_base64(content, &o->json)) != Q_OK)
		return e;
	e = json_parse(buf_span(&o->json), &limits, JSON_TOP_OBJECT, &o->doc, NULL);
	if (e != Q_OK)
		return e == Q_NOMEM ? e : Q_FORMAT;
	return take_parts(o);
}

/* ---- checking and opening ---- */

/* The author's key that `by` names. */
static enum qerr
find_signer(const struct opening *o, struct key *const *authors, size_t n,
	    const struct key **out)
{
	char keyid[ROOMS_KEYID_SIZE];
	enum qerr e;

	for (size_t i = 0; i < n; i++) {
		if ((e = content_keyid(authors[i], keyid)) != Q_OK)
			return e;
		if (key_kind(authors[i]) == KEY_EC_P256 &&
		    strcmp(keyid, o->opened.by) == 0) {
			*out = authors[i];
			return Q_OK;
		}
	}
	return Q_MISSING;
}

static enum qerr
check_signature(struct opening *o, const struct rooms_place *place,
		struct key *const *authors, size_t n, struct why *why)
{
	uint8_t digest[SHA256_LEN];
	const struct key *signer = NULL;
	enum qerr e;

	if ((e = content_header(place, o->opened.ctr, o->opened.by, &o->header)) != Q_OK)
		return why_set(why, e, "the author has no name");
	if ((e = content_digest(&o->parts, digest)) != Q_OK)
		return why_set(why, e, "there is no memory");
	if ((e = find_signer(o, authors, n, &signer)) != Q_OK)
		return why_set(why, e, "signed with a key that is not known");
	o->opened.signer_known = true;
	const struct span parts[] = {span_of(o->header.p, o->header.len),
				     span_of(digest, sizeof(digest))};
	if (key_verify(signer, parts, 2, span_of(o->sig, o->sig_len)) != Q_OK)
		return why_set(why, Q_DENIED,
			       "the signature is not the author's, or not "
			       "for this place");
	return Q_OK;
}

static enum qerr
unwrap(const struct opening *o, const struct key *own, uint8_t key[AEAD_KEY_LEN],
       struct why *why)
{
	static const uint8_t zeros[AEAD_IV_LEN];
	const struct content_parts *c = &o->parts;
	const struct content_wrap *w;
	struct content_wrap want = {.keyid = ""};
	uint8_t shared[AGREE_SECRET_LEN];
	struct key *epk = NULL;
	struct aead *a = NULL;
	enum qerr e;

	if ((e = content_keyid(own, want.keyid)) != Q_OK)
		return why_set(why, e, "there is no memory");
	w = bsearch(&want, c->wraps, c->wrap_count, sizeof(*w), content_wrap_cmp);
	if (w == NULL)
		return why_set(why, Q_MISSING, "not sealed for this device's key");
	if ((e = agree_key_of_point(span_of(c->epk, sizeof(c->epk)), &epk)) == Q_OK &&
	    (e = agree(own, epk, shared)) == Q_OK &&
	    (e = content_wrapper(AEAD_OPEN, shared, c->n, w->keyid, &a)) == Q_OK)
		e = aead_open(a, zeros, span_of(NULL, 0), w->value, AEAD_KEY_LEN, key,
			      w->value + AEAD_KEY_LEN);
	secret_wipe(shared, sizeof(shared));
	aead_free(a);
	key_free(epk);
	return e == Q_OK ? Q_OK : why_set(why, e, "the content key cannot be had");
}

static enum qerr
open_text(const struct opening *o, const uint8_t key[AEAD_KEY_LEN], struct buf *plain,
	  struct why *why)
{
	const struct content_parts *c = &o->parts;
	size_t len = c->ct.len - AEAD_TAG_LEN;
	uint8_t kc[SHA256_LEN];
	struct aead *a;
	enum qerr e;

	if ((e = content_commit(c->n, key, kc)) != Q_OK)
		return why_set(why, e, "there is no memory");
	if (memcmp(kc, c->kc, sizeof(kc)) != 0)
		return why_set(why, Q_DENIED, "not the key that all readers got");
	if ((e = buf_reserve(plain, len)) != Q_OK)
		return why_set(why, e, "the content is too large");
	if ((a = aead_new(AEAD_OPEN, key)) == NULL)
		return why_set(why, Q_NOMEM, "there is no memory");
	e = aead_open(a, c->n, span_of(o->header.p, o->header.len), c->ct.p, len,
		      plain->p, c->ct.p + len);
	aead_free(a);
	if (e != Q_OK)
		return why_set(why, e, "the content was changed");
	plain->len = len;
	return Q_OK;
}

enum qerr
rooms_content_open(const struct rooms_place *place, const struct key *own,
		   struct key *const *authors, size_t n, struct span content,
		   struct buf *plain, struct rooms_opened *opened, struct why *why)
{
	struct opening o = {.json = BUF_INIT(SIZE_MAX / 2), .ct = BUF_INIT(SIZE_MAX / 2)};
	uint8_t key[AEAD_KEY_LEN] = {0};
	enum qerr e;

	plain->len = 0;
	if ((e = take_apart(&o, content)) != Q_OK)
		(void)why_set(why, e,
			      e == Q_FORMAT ? "not in a form that is known"
					    : "there is no memory");
	if (e == Q_OK)
		e = check_signature(&o, place, authors, n, why);
	if (e == Q_OK)
		e = unwrap(&o, own, key, why);
	if (e == Q_OK)
		e = open_text(&o, key, plain, why);
	if (e == Q_OK || e == Q_MISSING)
		*opened = o.opened;
	secret_wipe(key, sizeof(key));
	free(o.parts.wraps);
	json_decref(o.doc);
	buf_free(&o.json);
	buf_free(&o.ct);
	return e;
}
