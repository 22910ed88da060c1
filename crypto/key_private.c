/* SPDX-License-Identifier: MIT
 *
 * Private keys in PEM.  They come from our own disk and are read once, so
 * libcrypto's general reader, slow but knowing every form that has ever been
 * written, does it.  What we write is PKCS#8 (RFC 5958), under a passphrase
 * with scrypt (RFC 7914): a laptop's guesser should pay for memory as well.
 */
#include "crypto/key.h"

#include <string.h>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "crypto/evp.h"
#include "crypto/random.h"

/* 16 MiB and about a quarter of a second; more memory than that libcrypto does
 * not grant when it reads the key again. */
#define SCRYPT_N    16384
#define SCRYPT_R    8
#define SCRYPT_P    5
#define SCRYPT_SALT 16

struct question {
	const char *passphrase; /* or NULL */
	bool asked;
};

/* libcrypto's pem_password_cb.  Having one also keeps it from prompting on the
 * terminal. */
static int
answer(char *out, int size, int writing, void *arg)
{
	struct question *q = arg;
	size_t len;

	(void)writing;
	q->asked = true;
	if (q->passphrase == NULL || (len = strlen(q->passphrase)) > (size_t)size)
		return -1;
	memcpy(out, q->passphrase, len);
	return (int)len;
}

/* Do the halves belong together, and is there a private one at all?  Signing
 * and verifying finds every mistake that would matter later. */
static enum qerr
prove(const struct key *k)
{
	struct span text = span_str("proof of possession");
	uint8_t sig[KEY_SIGN_MAX];
	size_t len;

	if (key_sign(k, &text, 1, sig, &len) != Q_OK)
		return Q_DENIED;
	return key_verify(k, &text, 1, span_of(sig, len));
}

enum qerr
key_parse_private(struct span pem, const char *passphrase, struct key **out)
{
	struct question q = {passphrase, false};
	EVP_PKEY *pkey;
	struct key *k;
	BIO *in;
	enum qerr e;

	if (pem.len > KEY_PEM_MAX)
		return Q_LIMIT;
	if (pem.len == 0)
		return Q_FORMAT;
	if ((in = BIO_new_mem_buf(pem.p, (int)pem.len)) == NULL)
		return evp_failed(Q_NOMEM);
	pkey = PEM_read_bio_PrivateKey(in, NULL, answer, &q);
	BIO_free(in);
	e = evp_failed(!q.asked ? Q_FORMAT : passphrase == NULL ? Q_MISSING : Q_DENIED);
	if (pkey == NULL)
		return e;
	e = key_of_evp(pkey, true, &k);
	EVP_PKEY_free(pkey);
	if (e != Q_OK)
		return e;
	if ((e = prove(k)) != Q_OK) {
		key_free(k);
		return e;
	}
	*out = k;
	return Q_OK;
}

/* PKCS#8's EncryptedPrivateKeyInfo. */
static X509_SIG *
encrypt(PKCS8_PRIV_KEY_INFO *plain, const char *passphrase)
{
	uint8_t salt[SCRYPT_SALT];
	X509_ALGOR *scheme;
	X509_SIG *sealed;

	random_bytes(salt, sizeof(salt));
	scheme = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof(salt), NULL,
				       SCRYPT_N, SCRYPT_R, SCRYPT_P);
	if (scheme == NULL)
		return NULL;
	/* On success the result owns the scheme. */
	sealed = PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), plain, scheme);
	if (sealed == NULL)
		X509_ALGOR_free(scheme);
	return sealed;
}

enum qerr
key_private_pem(const struct key *k, const char *passphrase, struct buf *out)
{
	PKCS8_PRIV_KEY_INFO *plain = NULL;
	X509_SIG *sealed = NULL;
	BIO *text = NULL;
	char *p;
	long len;
	enum qerr e = Q_CRYPTO;
	bool written;

	if (!key_has_private(k))
		return Q_DENIED;
	if (passphrase != NULL && strlen(passphrase) > KEY_PASSPHRASE_MAX)
		return Q_LIMIT;
	if ((plain = EVP_PKEY2PKCS8(key_evp(k))) == NULL ||
	    (text = BIO_new(BIO_s_secmem())) == NULL) /* wiped when freed */
		goto out;
	if (passphrase == NULL || passphrase[0] == '\0') {
		written = PEM_write_bio_PKCS8_PRIV_KEY_INFO(text, plain) == 1;
	} else {
		sealed = encrypt(plain, passphrase);
		written = sealed != NULL && PEM_write_bio_PKCS8(text, sealed) == 1;
	}
	if (written && (len = BIO_get_mem_data(text, &p)) > 0)
		e = buf_put(out, p, (size_t)len);
out:
	X509_SIG_free(sealed);
	PKCS8_PRIV_KEY_INFO_free(plain); /* wipes */
	BIO_free(text);
	return e == Q_OK ? Q_OK : evp_failed(e);
}
