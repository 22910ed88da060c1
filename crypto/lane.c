/* SPDX-License-Identifier: MIT */
#include "crypto/lane.h"

#include <endian.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/random.h"

#define ZEROS (AEAD_IV_LEN - sizeof(uint64_t))

enum qerr
lane_init(struct lane *l, enum aead_dir dir, struct span secret, struct span salt,
	  const char *info)
{
	uint8_t key[AEAD_KEY_LEN];
	struct aead *aead;
	enum qerr e;

	e = hkdf_sha256(secret, salt, span_str(info), key, sizeof(key));
	if (e != Q_OK)
		return e;
	aead = aead_new(dir, key);
	secret_wipe(key, sizeof(key));
	if (aead == NULL)
		return Q_NOMEM;
	*l = (struct lane){.aead = aead, .next = 0};
	return Q_OK;
}

void
lane_fini(struct lane *l)
{
	aead_free(l->aead);
	memset(l, 0, sizeof(*l));
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
	e = aead_open(l->aead, iv, (struct span){NULL, 0}, in, len, out, tag);
	if (e == Q_OK)
		l->next++;
	return e;
}
