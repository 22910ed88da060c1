/* SPDX-License-Identifier: MIT
 *
 * spki.h - for the files of crypto/ alone: public keys to and from the form in
 * which they travel, SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7; RFC 5480
 * for EC, RFC 3279 section 2.3.1 for RSA) in DER and PEM.  Any thread.
 */
#ifndef CRYPTO_SPKI_H
#define CRYPTO_SPKI_H

#include <openssl/evp.h>

#include "base/bytes.h"

/* The first "PUBLIC KEY" of pem.  Q_FORMAT: there is none, or it is no
 * SubjectPublicKeyInfo; Q_DENIED: no RSA key and no valid point of P-256;
 * Q_NOMEM, Q_CRYPTO.  The caller frees *out. */
enum qerr spki_parse(struct span pem, EVP_PKEY **out);
/* Append pkey's public half (RSA or P-256, EC points uncompressed). */
enum qerr spki_der(const EVP_PKEY *pkey, struct buf *out);
enum qerr spki_pem(const EVP_PKEY *pkey, struct buf *out);

#endif
