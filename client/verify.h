/* SPDX-License-Identifier: MIT
 *
 * verify.h - are the two ends' keys those that the two people have?  The safety
 * number, and what /trust and /verify do, whichever protocol it is.
 *
 * The safety number is the same on both screens:
 *
 *	side = fingerprint || len(name) || name
 *		fingerprint: 32 bytes, SHA-256 over SubjectPublicKeyInfo in DER
 *		len: one byte; name: folded to lower case
 *	both = the two sides, the one with the smaller bytes first
 *	h(0) = SHA-256("Quintet safety number 1" || both)
 *	h(i) = SHA-256(h(i-1) || both), up to i = 5200
 *	a group = the next 5 bytes of h(5200) as a big-endian number, modulo 100,000,
 *		with leading zeros; six of them
 *
 * 99.6 bits, and each guess of somebody who searches for a key costs 5200 hashes.
 */
#ifndef CLIENT_VERIFY_H
#define CLIENT_VERIFY_H

#include "client/protocol.h"

#define VERIFY_NUMBER_SIZE 36 /* "12345 12345 12345 12345 12345 12345" and a NUL */

struct verify_side {
	const char *name;
	const uint8_t *fingerprint; /* SHA256_LEN bytes */
};

/* Q_NOMEM, Q_CRYPTO. */
enum qerr verify_number(const struct verify_side *a, const struct verify_side *b,
			char out[VERIFY_NUMBER_SIZE]);

/* ---- for machines ---- */
/* The partner shows this key: may the chat go on?  Sets the view's fingerprint and
 * verified.  Q_DENIED: another one is pinned, which has been told
 * (CLIENT_KEY_CHANGED); else nothing is known, why is a phrase. */
enum qerr verify_partner(const struct client_env *env, const char *name,
			 const char key[FINGERPRINT_SIZE], struct why *why);
/* The same for one that pins know by another name (as), who is perhaps not the partner now:
 * the view stays as it is. */
enum qerr verify_key(const struct client_env *env, const char *name, const char *as,
		     const char key[FINGERPRINT_SIZE], bool *verified, struct why *why);
/* The partner has proven that the key is its own: pin it if it is new, which is told
 * (CLIENT_KEY_NEW). */
void verify_proven(const struct client_env *env, const char *name);

/* ---- for client.c ---- */
/* CLIENT_DO_TRUST and CLIENT_DO_VERIFY.  Q_OK: done and told; else why is a sentence. */
enum qerr verify_do(const struct client_env *env, enum client_verb verb, struct span arg,
		    struct why *why);

#endif
