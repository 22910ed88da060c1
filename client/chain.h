/* SPDX-License-Identifier: MIT
 *
 * chain.h - the certificates that a server shows in TLS: its own, then who issued it,
 * in PEM.  Pure.
 */
#ifndef CLIENT_CHAIN_H
#define CLIENT_CHAIN_H

#include "base/bytes.h"
#include "crypto/cert.h"

/* Did ca issue the first certificate of chain, and is that valid today?  Q_OK;
 * Q_DENIED, Q_TIMEOUT, Q_FORMAT: why is a sentence, with both CAs' fingerprints when
 * chain holds another CA. */
enum qerr
chain_check(const char *host, struct span chain, const struct cert *ca, struct why *why);
/* The CA that issued chain's first certificate.  Q_MISSING: it is not in chain. */
enum qerr chain_ca(struct span chain, struct cert **out);
/* A certificate's fingerprint, for people. */
enum qerr
chain_fingerprint(const struct cert *cert, char out[FINGERPRINT_SIZE], struct why *why);

#endif
