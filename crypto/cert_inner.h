/* SPDX-License-Identifier: MIT
 *
 * cert_inner.h - what cert.c and cert_issue.c share.
 */
#ifndef CRYPTO_CERT_INNER_H
#define CRYPTO_CERT_INNER_H

#include <openssl/x509v3.h>

#include "crypto/cert.h"

struct cert {
	X509 *x509;
};

/* Wrap x509, taking it over whatever happens. */
enum qerr cert_of_x509(X509 *x509, struct cert **out);
/* One entry for a list of SANs; NULL when text is no host name or address (or
 * there is no memory). */
GENERAL_NAME *cert_san_dns(const char *text);
GENERAL_NAME *cert_san_ip(const char *text);

#endif
