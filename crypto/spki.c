/* SPDX-License-Identifier: MIT
 *
 * A login parses two public keys and writes one.  libcrypto's own way there
 * (PEM_read_bio_PUBKEY, d2i_PUBKEY) tries its chain of decoders, which costs
 * 100 to 250 us, more than the whole handshake.  The two encodings that
 * everybody writes are therefore recognised by their fixed first bytes:
 *
 *   P-256   30 59 | 30 13 06 07 ecPublicKey 06 08 prime256v1 | 03 42 00 | 04 X Y
 *   RSA     30 .. | 30 0d 06 09 rsaEncryption 05 00 | 03 .. 00 | RSAPublicKey
 *
 * and only what is left, RSA key or point, goes to libcrypto.  Everything else
 * (compressed points, spelt-out curve parameters, ...) takes the general path.
 */
#include "crypto/spki.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/text.h"
#include "crypto/evp.h"

#define POINT_LEN    65 /* 04, X, Y */
#define PEM_LINE     48 /* bytes a line: 64 characters */
#define SPKI_DER_MAX 4096

static const uint8_t p256_prefix[26] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
static const uint8_t rsa_algorithm[15] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
					  0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

/* ---- reading ---- */

/* libcrypto checks that the coordinates are below p and on the curve; P-256's
 * cofactor is 1, so that is all there is to check (SP 800-56A, 5.6.2.3.4). */
static enum qerr
point_parse(const uint8_t point[POINT_LEN], EVP_PKEY **out)
{
	EVP_PKEY *params = evp_p256(), *pkey;

	if (params == NULL || (pkey = EVP_PKEY_dup(params)) == NULL)
		return evp_failed(Q_CRYPTO);
	if (EVP_PKEY_set1_encoded_public_key(pkey, point, POINT_LEN) != 1) {
		EVP_PKEY_free(pkey);
		return evp_failed(Q_DENIED);
	}
	*out = pkey;
	return Q_OK;
}

/* The uncompressed point of an EC key, whatever form the key came in. */
static bool
point_of(const EVP_PKEY *pkey, uint8_t point[POINT_LEN])
{
	BIGNUM *x = NULL, *y = NULL;
	size_t len = 0;
	bool ok;

	if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point,
					    POINT_LEN, &len) == 1 &&
	    len == POINT_LEN && point[0] == 0x04)
		return true;
	ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
	     EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
	     BN_bn2binpad(x, point + 1, 32) == 32 &&
	     BN_bn2binpad(y, point + 33, 32) == 32;
	point[0] = 0x04;
	BN_free(x);
	BN_free(y);
	return ok;
}

/* One DER element of the given tag at the front of r. */
static bool
der_take(struct reader *r, int want, struct span *body)
{
	const unsigned char *p = r->p;
	long len;
	int tag, class, rc;
	struct span head;

	if (r->left == 0)
		return false;
	rc = ASN1_get_object(&p, &len, &tag, &class, (long)r->left);
	if ((rc & 0x81) != 0 || tag != want || class != V_ASN1_UNIVERSAL || len < 0)
		return false; /* 0x80: error, 0x01: indefinite length */
	return reader_take(r, (size_t)(p - r->p), &head) == Q_OK &&
	       reader_take(r, (size_t)len, body) == Q_OK;
}

/* NULL when der is not the usual form of an RSA key: then the general path
 * decides. */
static EVP_PKEY *
rsa_parse(struct span der)
{
	struct reader all = reader_of(der), in;
	struct span info, algorithm, bits;
	const unsigned char *p;
	EVP_PKEY *pkey;

	if (!der_take(&all, V_ASN1_SEQUENCE, &info) || all.left != 0)
		return NULL;
	in = reader_of(info);
	if (reader_take(&in, sizeof(rsa_algorithm), &algorithm) != Q_OK ||
	    memcmp(algorithm.p, rsa_algorithm, sizeof(rsa_algorithm)) != 0 ||
	    !der_take(&in, V_ASN1_BIT_STRING, &bits) || in.left != 0 || bits.len < 1 ||
	    bits.p[0] != 0)
		return NULL;
	p = bits.p + 1;
	pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)bits.len - 1);
	if (pkey != NULL && p != bits.p + bits.len) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return pkey;
}

/* Anything that libcrypto can read.  d2i_X509_PUBKEY takes keys of unknown
 * algorithms too, which tells "malformed" from "not allowed". */
static enum qerr
general_parse(struct span der, EVP_PKEY **out)
{
	const unsigned char *p = der.p;
	X509_PUBKEY *info = d2i_X509_PUBKEY(NULL, &p, (long)der.len);
	EVP_PKEY *pkey;
	uint8_t point[POINT_LEN];
	char group[32];
	enum qerr e = Q_DENIED;

	if (info == NULL || p != der.p + der.len) {
		X509_PUBKEY_free(info);
		return evp_failed(Q_FORMAT);
	}
	pkey = X509_PUBKEY_get0(info);
	if (pkey != NULL && EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_up_ref(pkey) == 1) {
		*out = pkey;
		e = Q_OK;
	} else if (pkey != NULL && EVP_PKEY_is_a(pkey, "EC") &&
		   EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
		   strcmp(group, SN_X9_62_prime256v1) == 0 && point_of(pkey, point)) {
		e = point_parse(point, out);
	}
	X509_PUBKEY_free(info);
	return e == Q_OK ? Q_OK : evp_failed(e);
}

static enum qerr
der_parse(struct span der, EVP_PKEY **out)
{
	EVP_PKEY *pkey;

	if (der.len == sizeof(p256_prefix) + POINT_LEN &&
	    der.p[sizeof(p256_prefix)] == 0x04 &&
	    memcmp(der.p, p256_prefix, sizeof(p256_prefix)) == 0)
		return point_parse(der.p + sizeof(p256_prefix), out);
	if ((pkey = rsa_parse(der)) != NULL) {
		*out = pkey;
		return Q_OK;
	}
	return general_parse(der, out);
}

enum qerr
spki_parse(struct span pem, EVP_PKEY **out)
{
	BIO *in;
	enum qerr e = Q_FORMAT;
	bool found = false;

	if (pem.len == 0)
		return Q_FORMAT;
	if ((in = BIO_new_mem_buf(pem.p, (int)pem.len)) == NULL)
		return evp_failed(Q_NOMEM);
	while (!found) {
		char *name = NULL, *header = NULL;
		unsigned char *der = NULL;
		long len = 0;

		if (PEM_read_bio(in, &name, &header, &der, &len) != 1)
			break;
		found = strcmp(name, PEM_STRING_PUBLIC) == 0;
		if (found && header[0] == '\0')
			e = der_parse(span_of(der, (size_t)len), out);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)len); /* it may be a private key */
	}
	BIO_free(in);
	return e == Q_OK ? Q_OK : evp_failed(e);
}

/* ---- writing ---- */

enum qerr
spki_der(const EVP_PKEY *pkey, struct buf *out)
{
	uint8_t ec[sizeof(p256_prefix) + POINT_LEN];
	unsigned char *der = NULL;
	int len;
	enum qerr e;

	if (EVP_PKEY_is_a(pkey, "EC")) {
		memcpy(ec, p256_prefix, sizeof(p256_prefix));
		if (!point_of(pkey, ec + sizeof(p256_prefix)))
			return evp_failed(Q_CRYPTO);
		return buf_put(out, ec, sizeof(ec));
	}
	if ((len = i2d_PUBKEY(pkey, &der)) <= 0)
		return evp_failed(Q_CRYPTO);
	e = buf_put(out, der, (size_t)len);
	OPENSSL_free(der);
	return e;
}

enum qerr
spki_pem(const EVP_PKEY *pkey, struct buf *out)
{
	struct buf der = BUF_INIT(SPKI_DER_MAX);
	struct buf text = BUF_INIT(2 * SPKI_DER_MAX);
	enum qerr e = spki_der(pkey, &der);
	struct reader in = reader_of(buf_span(&der));

	if (e == Q_OK)
		e = buf_put_str(&text, "-----BEGIN PUBLIC KEY-----\n");
	while (e == Q_OK && in.left > 0) {
		char line[BASE64_LEN(PEM_LINE) + 1];
		struct span part;
		size_t n;

		(void)reader_take(&in, in.left < PEM_LINE ? in.left : PEM_LINE, &part);
		n = base64_encode(part, line);
		line[n++] = '\n';
		e = buf_put(&text, line, n);
	}
	if (e == Q_OK)
		e = buf_put_str(&text, "-----END PUBLIC KEY-----\n");
	if (e == Q_OK)
		e = buf_put_span(out, buf_span(&text));
	buf_free(&der);
	buf_free(&text);
	return e;
}
