/* SPDX-License-Identifier: MIT */
#include "client/chain.h"

#include <string.h>

/* The last certificate of chain: with our servers the CA. */
static enum qerr
last_cert(struct span chain, struct cert **out)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	const size_t len = sizeof(begin) - 1;
	const uint8_t *p;

	while (chain.len > len &&
	       (p = memmem(chain.p + 1, chain.len - 1, begin, len)) != NULL)
		chain = span_of(p, chain.len - (size_t)(p - chain.p));
	return cert_parse(chain, out);
}

enum qerr
chain_ca(struct span chain, struct cert **out)
{
	struct cert *first = NULL, *last = NULL;
	enum qerr e;

	if ((e = cert_parse(chain, &first)) == Q_OK &&
	    (e = last_cert(chain, &last)) == Q_OK && cert_check(first, last) == Q_DENIED)
		e = Q_MISSING;
	cert_free(first);
	if (e == Q_OK)
		*out = last;
	else
		cert_free(last);
	return e;
}

enum qerr
chain_fingerprint(const struct cert *cert, char out[FINGERPRINT_SIZE], struct why *why)
{
	uint8_t sum[SHA256_LEN];

	if (cert_fingerprint(cert, sum) != Q_OK)
		return why_set(why, Q_CRYPTO, "a fingerprint cannot be computed");
	fingerprint_text(sum, out);
	return Q_OK;
}

/* Both fingerprints, so that a person can compare them with a printed one. */
static enum qerr
not_ours(const char *host, struct span chain, const struct cert *ca, struct why *why)
{
	char known[FINGERPRINT_SIZE] = "?", now[FINGERPRINT_SIZE] = "?";
	struct cert *shown = NULL;

	(void)chain_fingerprint(ca, known, NULL);
	if (chain_ca(chain, &shown) == Q_OK &&
	    chain_fingerprint(shown, now, NULL) == Q_OK)
		why_set(
		    why, Q_DENIED,
		    "NOT THE SERVER THAT YOU KNOW, or somebody is in between: the CA "
		    "of %.64s was %s and is now %s; if its owner tells you the second "
		    "one, accept it with --fingerprint and all of it",
		    host, known, now);
	else
		why_set(why, Q_DENIED,
			"NOT THE SERVER THAT YOU KNOW, or somebody is in between: the CA "
			"of %.64s was %s, and what it shows now is from another one, "
			"which it does not show",
			host, known);
	cert_free(shown);
	return Q_DENIED;
}

enum qerr
chain_check(const char *host, struct span chain, const struct cert *ca, struct why *why)
{
	struct cert *cert;
	enum qerr e;

	if ((e = cert_parse(chain, &cert)) != Q_OK)
		return why_set(why, e, "%s shows no certificate", host);
	e = cert_check(cert, ca);
	cert_free(cert);
	if (e == Q_TIMEOUT)
		return why_set(
		    why, e,
		    "the certificate of %s is not valid today: is the clock right?",
		    host);
	return e == Q_OK ? Q_OK : not_ours(host, chain, ca, why);
}
