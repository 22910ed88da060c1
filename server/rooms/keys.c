/* SPDX-License-Identifier: MIT
 *
 * keys.c - users' chat keys.  What is stored, and given to others, is our own writing of
 * the key, so that one key has one PEM and one KEYID.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/key.h"
#include "server/log.h"
#include "server/rooms/account.h"
#include "store/chatkeys.h"

_Static_assert(ROOMS_KEYID_LEN + 1 == CHATKEY_ID_SIZE && ROOMS_KEYS_MAX == CHATKEYS_MAX,
	       "the page and the store agree");

/* The first 16 digits of SHA-256 over SubjectPublicKeyInfo. */
static enum qerr
key_id(const struct key *k, char out[CHATKEY_ID_SIZE])
{
	uint8_t sum[SHA256_LEN];
	enum qerr e = key_fingerprint(k, sum);

	if (e == Q_OK)
		hex_encode(span_of(sum, ROOMS_KEYID_LEN / 2), out);
	return e;
}

/* Q_DENIED and the like: it is no P-256 public key. */
static enum qerr
read_key(struct span pem, struct buf *out, char id[CHATKEY_ID_SIZE])
{
	struct key *k = NULL;
	enum qerr e = rooms_pem_shape(pem) ? key_parse_public(pem, &k) : Q_FORMAT;

	if (e == Q_OK && key_kind(k) != KEY_EC_P256)
		e = Q_DENIED;
	if (e == Q_OK && (e = key_public_pem(k, out)) == Q_OK)
		e = key_id(k, id);
	key_free(k);
	return e;
}

/* A key that came to a user who was removed at that moment must not be there for the
 * next one of that name. */
static enum qerr
store_key(struct store *store, const char *user, const char *id, struct span pem,
	  char dropped[CHATKEY_ID_SIZE])
{
	enum qerr e = chatkeys_add(store, user, id, pem, dropped), there;
	struct user u;

	if (e != Q_OK)
		return e;
	there = users_get(store, user, &u);
	explicit_bzero(&u, sizeof(u));
	if (there != Q_MISSING)
		return Q_OK;
	(void)chatkeys_remove(store, user);
	return Q_MISSING;
}

enum rooms_sig
rooms_key_add(struct server *server, const char *user, struct span pem,
	      struct rooms_origin *origin)
{
	struct buf own = BUF_INIT(CHATKEY_PEM_MAX);
	char id[CHATKEY_ID_SIZE], dropped[CHATKEY_ID_SIZE] = "";
	enum rooms_sig sig = ROOMS_CHAT_PUBKEY_OK;
	enum qerr e = read_key(pem, &own, id);

	if (e == Q_FORMAT || e == Q_DENIED || e == Q_LIMIT) {
		buf_free(&own);
		return ROOMS_CHAT_PUBKEY_INVALID;
	}
	if (e == Q_OK)
		e = store_key(server->store, user, id, buf_span(&own), dropped);
	if (e == Q_OK) {
		rooms_announce_key(server, user, buf_span(&own), dropped, origin);
	} else if (e != Q_EXISTS) {
		log_event(LOG_ERROR, NULL, "failed", "what=%s name=%s text=%s",
			  "chat-key", user, qerr_str(e));
		sig = ROOMS_SERVER_ERROR;
	}
	buf_free(&own);
	return sig;
}

enum qerr
rooms_key_count(struct server *server, const char *user, size_t *n)
{
	struct chatkeys *keys = malloc(sizeof(*keys));
	enum qerr e = keys == NULL ? Q_NOMEM : chatkeys_load(server->store, user, keys);

	if (e == Q_OK)
		*n = keys->n;
	free(keys);
	return e;
}
