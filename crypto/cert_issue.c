/* SPDX-License-Identifier: MIT
 *
 * Making certificates (RFC 5280 section 4): the CA's own and those it issues.
 * Constant extensions are written as libcrypto's configuration text.  Host
 * names and addresses never are: a comma in one would add another name.
 */
#include <time.h>

#include <openssl/bn.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "crypto/cert.h"
#include "crypto/cert_inner.h"
#include "crypto/evp.h"
#include "crypto/random.h"

#define BACKDATE_SECONDS 3600 /* clients' clocks are not all right */
#define SERIAL_LEN       16

static bool
set_serial(X509 *x509)
{
	uint8_t raw[SERIAL_LEN];
	BIGNUM *number;
	bool ok;

	random_bytes(raw, sizeof(raw));
	number = BN_bin2bn(raw, sizeof(raw), NULL);
	ok = number != NULL &&
	     BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
	BN_free(number);
	return ok;
}

/* libcrypto chooses UTCTime or, from 2050 on, GeneralizedTime by itself. */
static bool
set_dates(X509 *x509, int days)
{
	time_t now = time(NULL);

	return X509_time_adj_ex(X509_getm_notBefore(x509), 0, -BACKDATE_SECONDS, &now) !=
		   NULL &&
	       X509_time_adj_ex(X509_getm_notAfter(x509), days, 0, &now) != NULL;
}

static bool
set_subject(X509 *x509, struct span name)
{
	X509_NAME *subject = X509_get_subject_name(x509);

	return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, name.p,
					  (int)name.len, -1, 0) == 1;
}

/* issuer is x509 itself for a CA. */
static bool
add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;
	bool ok;

	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&ctx);
	if ((extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value)) == NULL)
		return false;
	ok = X509_add_ext(x509, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

/* Append name to list; consumes name.  NULL is bad input, unless libcrypto has
 * said that it was memory. */
static enum qerr
push(GENERAL_NAMES *list, GENERAL_NAME *name)
{
	if (name == NULL)
		return evp_failed(Q_FORMAT);
	if (sk_GENERAL_NAME_push(list, name) > 0)
		return Q_OK;
	GENERAL_NAME_free(name);
	return evp_failed(Q_NOMEM);
}

static enum qerr
add_names(X509 *x509, const struct cert_names *names)
{
	GENERAL_NAMES *list;
	enum qerr e = Q_OK;

	if (names->dns_count + names->ip_count == 0)
		return Q_OK;
	if ((list = GENERAL_NAMES_new()) == NULL)
		return evp_failed(Q_NOMEM);
	for (size_t i = 0; e == Q_OK && i < names->dns_count; i++)
		e = push(list, cert_san_dns(names->dns[i]));
	for (size_t i = 0; e == Q_OK && i < names->ip_count; i++)
		e = push(list, cert_san_ip(names->ip[i]));
	if (e == Q_OK && X509_add1_ext_i2d(x509, NID_subject_alt_name, list, 0, 0) != 1)
		e = evp_failed(Q_CRYPTO);
	GENERAL_NAMES_free(list);
	return e;
}

/* What both kinds begin with; *out is to be freed with X509_free. */
static enum qerr
begin(const char *common_name, const struct key *subject, int days, X509 **out)
{
	struct span name = span_str(common_name);
	X509 *x509;

	if (name.len == 0 || !utf8_valid(name))
		return Q_FORMAT;
	if (name.len > CERT_NAME_MAX)
		return Q_LIMIT;
	if ((x509 = X509_new()) == NULL)
		return evp_failed(Q_NOMEM);
	if (X509_set_version(x509, X509_VERSION_3) != 1 || !set_serial(x509) ||
	    !set_dates(x509, days) || !set_subject(x509, name) ||
	    X509_set_pubkey(x509, key_evp(subject)) != 1) {
		X509_free(x509);
		return evp_failed(Q_CRYPTO);
	}
	*out = x509;
	return Q_OK;
}

/* Sign and wrap; consumes x509. */
static enum qerr
finish(X509 *x509, const struct key *issuer_key, struct cert **out)
{
	EVP_MD *md = evp_sha256();

	if (md == NULL || X509_sign(x509, key_evp(issuer_key), md) <= 0) {
		X509_free(x509);
		return evp_failed(Q_CRYPTO);
	}
	return cert_of_x509(x509, out);
}

enum qerr
cert_make_ca(const struct key *key, const char *common_name, int days, struct cert **out)
{
	X509 *x509;
	enum qerr e;

	if (!key_has_private(key))
		return Q_DENIED;
	if ((e = begin(common_name, key, days, &x509)) != Q_OK)
		return e;
	if (X509_set_issuer_name(x509, X509_get_subject_name(x509)) != 1 ||
	    !add_extension(x509, x509, NID_basic_constraints,
			   "critical,CA:TRUE,pathlen:0") ||
	    !add_extension(x509, x509, NID_key_usage, "critical,keyCertSign,cRLSign") ||
	    !add_extension(x509, x509, NID_subject_key_identifier, "hash") ||
	    !add_extension(x509, x509, NID_authority_key_identifier, "keyid:always")) {
		X509_free(x509);
		return evp_failed(Q_CRYPTO);
	}
	return finish(x509, key, out);
}

/* What the two kinds have that are no CA. */
static bool
add_leaf_extensions(X509 *x509, X509 *issuer, const struct key *subject)
{
	const char *usage = key_kind(subject) == KEY_RSA
				? "critical,digitalSignature,keyEncipherment"
				: "critical,digitalSignature";

	return add_extension(x509, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(x509, issuer, NID_key_usage, usage) &&
	       add_extension(x509, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
	       add_extension(x509, issuer, NID_subject_key_identifier, "hash") &&
	       add_extension(x509, issuer, NID_authority_key_identifier, "keyid:always");
}

enum qerr
cert_make_self(const struct key *key, const char *common_name, int days,
	       struct cert **out)
{
	X509 *x509;
	enum qerr e;

	if (!key_has_private(key))
		return Q_DENIED;
	if ((e = begin(common_name, key, days, &x509)) != Q_OK)
		return e;
	if (X509_set_issuer_name(x509, X509_get_subject_name(x509)) != 1 ||
	    !add_leaf_extensions(x509, x509, key)) {
		X509_free(x509);
		return evp_failed(Q_CRYPTO);
	}
	return finish(x509, key, out);
}

enum qerr
cert_issue(const struct cert *ca, const struct key *ca_key, const struct key *subject,
	   const char *common_name, const struct cert_names *names, int days,
	   struct cert **out)
{
	X509 *x509, *issuer = ca->x509;
	enum qerr e;

	if (!key_has_private(ca_key) || X509_check_ca(issuer) != 1 ||
	    X509_check_private_key(issuer, key_evp(ca_key)) != 1)
		return evp_failed(Q_DENIED);
	if ((e = begin(common_name, subject, days, &x509)) != Q_OK)
		return e;
	if (X509_set_issuer_name(x509, X509_get_subject_name(issuer)) != 1 ||
	    !add_leaf_extensions(x509, issuer, subject))
		e = evp_failed(Q_CRYPTO);
	else
		e = add_names(x509, names);
	if (e != Q_OK) {
		X509_free(x509);
		return e;
	}
	return finish(x509, ca_key, out);
}
