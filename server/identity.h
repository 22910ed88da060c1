/* SPDX-License-Identifier: MIT
 *
 * identity.h - who the server is: its long-term key, its certificate, the CA
 * that issued it, the enrolment code.  Made at the first start, read at every
 * other one, read again on reload.
 *
 * A configured or existing file that is broken stops the start with one clear
 * sentence; only what is missing altogether is made.  The certificate is issued
 * again by our own CA when it nears its end or no longer names all of the
 * machine's addresses (clients pin the CA, so they notice nothing).
 */
#ifndef SERVER_IDENTITY_H
#define SERVER_IDENTITY_H

#include "base/bytes.h"
#include "crypto/cert.h"
#include "crypto/key.h"
#include "crypto/tls.h"
#include "server/config.h"
#include "server/enrol_code.h"
#include "store/store.h"

struct identity;

enum qerr identity_open(struct store *store, const struct config *cfg,
			struct identity **out, struct why *why);
/* All or nothing; sessions keep what they have. */
enum qerr identity_reload(struct identity *id, struct store *store,
			  const struct config *cfg, struct why *why);
void identity_free(struct identity *id);

/* References and copies of what is current; any thread. */
struct key *identity_key(struct identity *id);
/* What TLS connections begin with: key, certificate and CA, and a key for tickets that
 * is made anew with every reload and every IDENTITY_TICKETS_MS. */
#define IDENTITY_TICKETS_MS (12 * 3600 * INT64_C(1000))
struct tls_context *identity_tls(struct identity *id);
/* The certificate and the CA in PEM, appended to out. */
enum qerr identity_cert_pem(struct identity *id, struct buf *out);
enum qerr identity_ca_pem(struct identity *id, struct buf *out);
/* The certificate, and behind it the CA's. */
enum qerr identity_chain_pem(struct identity *id, struct buf *out);
void identity_ca_fingerprint(struct identity *id, char out[FINGERPRINT_SIZE]);
/* The code as it is shown. */
void identity_enrol_code(struct identity *id, char out[ENROL_CODE_SIZE]);
/* A new code; the old one is void at once. */
enum qerr identity_rotate_enrol_code(struct identity *id, struct store *store,
				     char out[ENROL_CODE_SIZE], struct why *why);
/* HMAC-SHA256(code without dashes in upper case; label || name || pem), the
 * proofs of 280 and 281 (docs/protocols/relay.md, "Enrolment"). */
enum qerr identity_enrol_proof(struct identity *id, const char *label, struct span name,
			       struct span pem, uint8_t out[SHA256_LEN]);

#endif
