/* SPDX-License-Identifier: MIT */
#include "crypto/lane.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/random.h"

#define ZEROS (AEAD_IV_LEN - sizeof(uint64_t))

enum qerr
lane_init(struct lane *l, enum aead_dir dir, struct span secret, struct span salt,
	  const char *info)
{
	struct lane new = {.dir = dir, .made = true};
	enum qerr e;

	e = hkdf_sha256(secret, salt, span_str(info), new.key, sizeof(new.key));
	if (e == Q_OK && (new.aead = aead_new(dir, new.key)) == NULL)
		e = Q_NOMEM;
	if (e == Q_OK)
		*l = new;
	secret_wipe(new.key, sizeof(new.key));
	return e;
}

void
lane_fini(struct lane *l)
{
	aead_free(l->aead);
	secret_wipe(l, sizeof(*l));
}

void
lane_rest(struct lane *l)
{
	aead_free(l->aead);
	l->aead = NULL;
}

/* The context, made anew after a rest. */
static bool
awake(struct lane *l)
{
	assert(l->made);
	if (l->aead == NULL)
		l->aead = aead_new(l->dir, l->key);
	return l->aead != NULL;
}

static void
put_iv(uint8_t iv[AEAD_IV_LEN], uint64_t counter)
{
	counter = htobe64(counter);
	memset(iv, 0, ZEROS);
	memcpy(iv + ZEROS, &counter, sizeof(counter));
}

enum qerr
lane_seal(struct lane *l, const uint8_t *in, size_t len, uint8_t *out,
	  uint8_t tag[AEAD_TAG_LEN], uint8_t iv[AEAD_IV_LEN])
{
	enum qerr e;

	if (l->next == UINT64_MAX)
		return Q_LIMIT;
	if (!awake(l))
		return Q_NOMEM;
	put_iv(iv, l->next);
	e = aead_seal(l->aead, iv, (struct span){NULL, 0}, in, len, out, tag);
	if (e == Q_OK)
		l->next++;
	return e;
}

enum qerr
lane_open(struct lane *l, const uint8_t iv[AEAD_IV_LEN], const uint8_t *in, size_t len,
	  uint8_t *out, const uint8_t tag[AEAD_TAG_LEN])
{
	uint8_t want[AEAD_IV_LEN];
	enum qerr e;

	put_iv(want, l->next);
	if (l->next == UINT64_MAX || memcmp(iv, want, sizeof(want)) != 0)
		return Q_DENIED;
	if (!awake(l))
		return Q_NOMEM;
	e = aead_open(l->aead, iv, (struct span){NULL, 0}, in, len, out, tag);
	if (e == Q_OK)
		l->next++;
	return e;
}
