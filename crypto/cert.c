/* SPDX-License-Identifier: MIT */
#include "crypto/cert.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/pem.h>

#include "crypto/cert_inner.h"
#include "crypto/evp.h"

enum qerr
cert_of_x509(X509 *x509, struct cert **out)
{
	struct cert *c;

	if (ASN1_TIME_check(X509_get0_notBefore(x509)) != 1 ||
	    ASN1_TIME_check(X509_get0_notAfter(x509)) != 1) {
		X509_free(x509);
		return evp_failed(Q_FORMAT);
	}
	if ((c = malloc(sizeof(*c))) == NULL) {
		X509_free(x509);
		return Q_NOMEM;
	}
	c->x509 = x509;
	*out = c;
	return Q_OK;
}

enum qerr
cert_parse(struct span pem, struct cert **out)
{
	BIO *in;
	X509 *x509;

	if (pem.len > CERT_PEM_MAX)
		return Q_LIMIT;
	if (pem.len == 0)
		return Q_FORMAT;
	if ((in = BIO_new_mem_buf(pem.p, (int)pem.len)) == NULL)
		return evp_failed(Q_NOMEM);
	x509 = PEM_read_bio_X509(in, NULL, NULL, NULL);
	BIO_free(in);
	if (x509 == NULL)
		return evp_failed(Q_FORMAT);
	return cert_of_x509(x509, out);
}

void
cert_free(struct cert *c)
{
	if (c == NULL)
		return;
	X509_free(c->x509);
	free(c);
}

enum qerr
cert_pem(const struct cert *c, struct buf *out)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *p;
	long len;
	enum qerr e = Q_CRYPTO;

	if (text != NULL && PEM_write_bio_X509(text, c->x509) == 1 &&
	    (len = BIO_get_mem_data(text, &p)) > 0)
		e = buf_put(out, p, (size_t)len);
	BIO_free(text);
	return e == Q_OK ? Q_OK : evp_failed(e);
}

enum qerr
cert_common_name(const struct cert *c, char out[CERT_NAME_MAX + 1])
{
	X509_NAME *subject = X509_get_subject_name(c->x509);
	int at = -1, last = -1, len;
	unsigned char *text;
	enum qerr e = Q_FORMAT;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
		last = at;
	if (last < 0)
		return Q_MISSING;
	len = ASN1_STRING_to_UTF8(
	    &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
	if (len < 0)
		return evp_failed(Q_FORMAT);
	if (len <= CERT_NAME_MAX && memchr(text, '\0', (size_t)len) == NULL) {
		memcpy(out, text, (size_t)len);
		out[len] = '\0';
		e = Q_OK;
	}
	OPENSSL_free(text);
	return e;
}

enum qerr
cert_key(const struct cert *c, struct key **out)
{
	EVP_PKEY *pkey = X509_get0_pubkey(c->x509);

	return pkey == NULL ? evp_failed(Q_DENIED) : key_of_evp(pkey, false, out);
}

/* ---- checking ---- */

static bool
in_time(const X509 *x509)
{
	return X509_cmp_current_time(X509_get0_notBefore(x509)) < 0 &&
	       X509_cmp_current_time(X509_get0_notAfter(x509)) > 0;
}

/* Dates are left out here and compared afterwards: libcrypto would stop at the
 * first thing that it finds, and "too old" must not hide "not ours". */
static bool
issued_by(X509 *x509, X509 *ca)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	bool ok = store != NULL && ctx != NULL && X509_STORE_add_cert(store, ca) == 1 &&
		  X509_STORE_CTX_init(ctx, store, x509, NULL) == 1 &&
		  X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER) == 1;

	if (ok) {
		param = X509_STORE_CTX_get0_param(ctx);
		X509_VERIFY_PARAM_set_auth_level(param, 2); /* 112 bits, no SHA-1 */
		ok = X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME) == 1 &&
		     X509_verify_cert(ctx) == 1;
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return ok;
}

enum qerr
cert_check(const struct cert *c, const struct cert *ca)
{
	if (!issued_by(c->x509, ca->x509))
		return evp_failed(Q_DENIED);
	return in_time(c->x509) && in_time(ca->x509) ? Q_OK : Q_TIMEOUT;
}

int
cert_days_left(const struct cert *c)
{
	int days = 0, seconds = 0;

	/* From now; the dates were found to be well-formed when c was made. */
	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(c->x509)) != 1) {
		(void)evp_failed(Q_CRYPTO);
		return -1;
	}
	return seconds < 0 ? days - 1 : days;
}

enum qerr
cert_fingerprint(const struct cert *c, uint8_t out[SHA256_LEN])
{
	EVP_MD *md = evp_sha256();

	return md != NULL && X509_digest(c->x509, md, out, NULL) == 1
		   ? Q_OK
		   : evp_failed(Q_CRYPTO);
}

void
fingerprint_text(const uint8_t sum[SHA256_LEN], char out[FINGERPRINT_SIZE])
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < SHA256_LEN; i++) {
		out[3 * i] = digits[sum[i] >> 4];
		out[3 * i + 1] = digits[sum[i] & 15];
		out[3 * i + 2] = i + 1 < SHA256_LEN ? ':' : '\0';
	}
}

/* ---- subject alternative names ---- */

/* Letters, digits, "-", "_" and "." (and "*" for wildcards): nothing that a
 * reader of certificates could take for something else. */
static bool
host_name_valid(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && len <= 253 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
			 "_.*") == len;
}

/* Consumes value. */
static GENERAL_NAME *
san_new(int type, ASN1_STRING *value)
{
	GENERAL_NAME *name = value == NULL ? NULL : GENERAL_NAME_new();

	if (name == NULL) {
		ASN1_STRING_free(value);
		return NULL;
	}
	GENERAL_NAME_set0_value(name, type, value);
	return name;
}

GENERAL_NAME *
cert_san_dns(const char *text)
{
	ASN1_STRING *value;

	if (!host_name_valid(text) || (value = ASN1_IA5STRING_new()) == NULL)
		return NULL;
	if (ASN1_STRING_set(value, text, -1) != 1) {
		ASN1_STRING_free(value);
		return NULL;
	}
	return san_new(GEN_DNS, value);
}

GENERAL_NAME *
cert_san_ip(const char *text)
{
	return san_new(GEN_IPADD, a2i_IPADDRESS(text));
}

static bool
same_san(const GENERAL_NAME *a, const GENERAL_NAME *b)
{
	int type_a, type_b;
	const ASN1_STRING *va = GENERAL_NAME_get0_value(a, &type_a);
	const ASN1_STRING *vb = GENERAL_NAME_get0_value(b, &type_b);
	const unsigned char *pa, *pb;
	size_t len;

	if (type_a != type_b || (type_a != GEN_DNS && type_a != GEN_IPADD))
		return false;
	len = (size_t)ASN1_STRING_length(va);
	if (len != (size_t)ASN1_STRING_length(vb))
		return false;
	pa = ASN1_STRING_get0_data(va);
	pb = ASN1_STRING_get0_data(vb);
	if (type_a == GEN_IPADD)
		return memcmp(pa, pb, len) == 0;
	/* It stops at a NUL, but a valid host name has none. */
	return strncasecmp((const char *)pa, (const char *)pb, len) == 0;
}

/* Consumes wanted; NULL is in no list. */
static bool
listed(const GENERAL_NAMES *sans, GENERAL_NAME *wanted)
{
	bool found = false;

	for (int i = 0; wanted != NULL && !found && i < sk_GENERAL_NAME_num(sans); i++)
		found = same_san(sk_GENERAL_NAME_value(sans, i), wanted);
	GENERAL_NAME_free(wanted);
	return found;
}

bool
cert_covers(const struct cert *c, const struct cert_names *names)
{
	GENERAL_NAMES *sans = X509_get_ext_d2i(c->x509, NID_subject_alt_name, NULL, NULL);
	bool all = true;

	for (size_t i = 0; all && i < names->dns_count; i++)
		all = listed(sans, cert_san_dns(names->dns[i]));
	for (size_t i = 0; all && i < names->ip_count; i++)
		all = listed(sans, cert_san_ip(names->ip[i]));
	GENERAL_NAMES_free(sans);
	(void)evp_failed(Q_OK); /* an address that is none leaves an error */
	return all;
}
