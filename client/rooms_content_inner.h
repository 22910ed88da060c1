/* SPDX-License-Identifier: MIT
 *
 * rooms_content_inner.h - what sealing and opening a content share: the bytes that are
 * bound and signed, and the key that wraps the content key.
 */
#ifndef CLIENT_ROOMS_CONTENT_INNER_H
#define CLIENT_ROOMS_CONTENT_INNER_H

#include "client/rooms_content.h"
#include "crypto/aead.h"
#include "crypto/agree.h"
#include "crypto/hash.h"

#define CONTENT_VERSION  1
#define CONTENT_WRAP_LEN (AEAD_KEY_LEN + AEAD_TAG_LEN)
#define CONTENT_KEYS_MAX 16384

/* One of `keys`: sorted, signed, written. */
struct content_wrap {
	char keyid[ROOMS_KEYID_SIZE];
	uint8_t value[CONTENT_WRAP_LEN];
};

/* All of a content but the text itself. */
struct content_parts {
	uint8_t n[AEAD_IV_LEN];
	struct span ct; /* and tag */
	uint8_t epk[AGREE_POINT_LEN];
	uint8_t kc[SHA256_LEN];
	struct content_wrap *wraps; /* sorted by keyid */
	size_t wrap_count;
};

#define CONTENT_HEADER_MAX 256
struct content_header {
	uint8_t p[CONTENT_HEADER_MAX];
	size_t len;
};

/* What the text is bound to: additional data of its encryption, and what the signature
 * begins with.  Q_FORMAT: no user name. */
enum qerr content_header(const struct rooms_place *place, uint64_t ctr, const char *by,
			 struct content_header *out);
/* The commitment to key. */
enum qerr content_commit(const uint8_t n[AEAD_IV_LEN], const uint8_t key[AEAD_KEY_LEN],
			 uint8_t out[SHA256_LEN]);
/* The hash that ends what is signed. */
enum qerr content_digest(const struct content_parts *c, uint8_t out[SHA256_LEN]);
/* The context that wraps or unwraps the content key for keyid. */
enum qerr
content_wrapper(enum aead_dir dir, const uint8_t shared[AGREE_SECRET_LEN],
		const uint8_t n[AEAD_IV_LEN], const char *keyid, struct aead **out);
enum qerr content_keyid(const struct key *k, char keyid[ROOMS_KEYID_SIZE]);
int content_wrap_cmp(const void *a, const void *b);

#endif
