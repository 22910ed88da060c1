/* SPDX-License-Identifier: MIT
 *
 * rooms_keys.h - whose chat keys are which: what the server says, and which of that is
 * believed.
 *
 * A person has up to eight chat keys, one a device, and the server tells which.  Those
 * that it names when a person is first met are trusted and written down (people/NAME
 * below rooms_state.h's folder); one that comes later is not until /trust says so, which
 * is told (CLIENT_KEY_CHANGED): nothing is sealed for it, and what it has signed is not
 * shown.  Keys that were trusted once stay good for checking what they have signed; for
 * those that the server no longer names nothing is sealed.
 *
 *	key MFkwEwYHKoZIzj0C...		SubjectPublicKeyInfo in DER, base64
 *	verified 0011aabb...		the set's fingerprint when two people compared it
 *
 * The fingerprint of a set, for the safety number: SHA-256 over the SHA-256 of each key
 * (SubjectPublicKeyInfo in DER) that is named and trusted, in ascending order.
 *
 * One thread; blocks on the disk.
 */
#ifndef CLIENT_ROOMS_KEYS_H
#define CLIENT_ROOMS_KEYS_H

#include "client/protocol.h"
#include "client/rooms_state.h"

struct rooms_keys;

/* NULL: no memory. */
struct rooms_keys *
rooms_keys_new(const struct client_env *env, const struct rooms_state *state);
/* Writes what is new.  NULL is fine. */
void rooms_keys_free(struct rooms_keys *k);

/* The server names all chat keys of name.  Q_NOMEM. */
enum qerr
rooms_keys_told(struct rooms_keys *k, const char *name, const struct rooms_names *pems);
/* The server says that name has one more; dropped: the KEYID of one that went, p NULL:
 * none. */
enum qerr rooms_keys_added(struct rooms_keys *k, const char *name, struct span pem,
			   struct span dropped);

/* The keys that a text for these people is sealed for, ours among them: an array to be
 * freed, of borrowed keys.  Q_NOMEM. */
enum qerr rooms_keys_readers(struct rooms_keys *k, const char (*names)[NAME_SIZE],
			     size_t n, struct key ***out, size_t *count);
/* The keys that name signs with, at most max. */
size_t
rooms_keys_authors(struct rooms_keys *k, const char *name, struct key **out, size_t max);
#define ROOMS_AUTHORS_MAX 64

/* /trust and /verify about name.  Q_OK: done and told; else why is a sentence. */
enum qerr rooms_keys_trust(struct rooms_keys *k, const char *name, struct why *why);
enum qerr rooms_keys_verify(struct rooms_keys *k, const char *name, struct span word,
			    struct why *why);

/* Write a bounded part of what is new.  True: there is more. */
bool rooms_keys_flush(struct rooms_keys *k);

#endif
