/* SPDX-License-Identifier: MIT
 *
 * cert.h - X.509 certificates (RFC 5280): the server's own CA, the certificate
 * that it issues to the server, and what a client checks.  Immutable once
 * made; a const struct cert may be used by several threads at once.
 */
#ifndef CRYPTO_CERT_H
#define CRYPTO_CERT_H

#include "base/bytes.h"
#include "crypto/key.h"

#define CERT_PEM_MAX 65536

struct cert;

/* Subject alternative names for a server's certificate. */
struct cert_names {
	const char *const *dns; /* host names */
	size_t dns_count;
	const char *const *ip; /* addresses as text, IPv4 or IPv6 */
	size_t ip_count;
};

/* Subjects' common names are 1 to CERT_NAME_MAX bytes of UTF-8 (X.520's limit):
 * Q_FORMAT, Q_LIMIT. */
#define CERT_NAME_MAX 64

/* A self-signed CA (basicConstraints CA, pathlen 0; keyCertSign, cRLSign),
 * valid from one hour before now until days after now.  Q_DENIED: key has no
 * private half. */
enum qerr
cert_make_ca(const struct key *key, const char *common_name, int days, struct cert **out);
/* A certificate for subject's public half, issued by ca (EKU serverAuth and
 * clientAuth; a random 128-bit serial number; SANs from names), valid as
 * above.  Q_DENIED: ca is no CA, or ca_key is not its key; Q_FORMAT: one of
 * names is no host name or no address (a zone as in fe80::1%eth0 is none). */
enum qerr cert_issue(const struct cert *ca, const struct key *ca_key,
		     const struct key *subject, const char *common_name,
		     const struct cert_names *names, int days, struct cert **out);
/* A certificate for key's own public half, issued by itself: for peers who are known by
 * their keys alone (EKU serverAuth and clientAuth).  Errors as for cert_make_ca. */
enum qerr cert_make_self(const struct key *key, const char *common_name, int days,
			 struct cert **out);
/* The first certificate in pem.  Q_FORMAT, Q_LIMIT, Q_NOMEM. */
enum qerr cert_parse(struct span pem, struct cert **out);
void cert_free(struct cert *c); /* NULL is fine */

enum qerr cert_pem(const struct cert *c, struct buf *out);
/* The subject's common name as UTF-8, the last one if there are several.  Q_MISSING:
 * none; Q_FORMAT: it holds a NUL, or is longer than CERT_NAME_MAX bytes. */
enum qerr cert_common_name(const struct cert *c, char out[CERT_NAME_MAX + 1]);
/* The certificate's public key, a new reference.  Q_DENIED as for
 * key_parse_public. */
enum qerr cert_key(const struct cert *c, struct key **out);
/* Is c valid now and issued by ca?  Q_OK; Q_TIMEOUT: outside its dates;
 * Q_DENIED: not issued by ca, or not fit for a server (which is said first).
 * No host name is checked: clients pin the CA. */
enum qerr cert_check(const struct cert *c, const struct cert *ca);
/* SHA-256 over the DER form. */
enum qerr cert_fingerprint(const struct cert *c, uint8_t out[SHA256_LEN]);
/* Does c name every one of names among its SANs?  Without regard to case. */
bool cert_covers(const struct cert *c, const struct cert_names *names);
/* Whole days until c expires, negative when it has. */
int cert_days_left(const struct cert *c);
/* SHA-256 as people read it: "AB:CD:..:EF", 95 characters and a NUL. */
#define FINGERPRINT_SIZE 96
void fingerprint_text(const uint8_t sum[SHA256_LEN], char out[FINGERPRINT_SIZE]);

#endif
