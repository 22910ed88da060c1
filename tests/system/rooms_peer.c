/* SPDX-License-Identifier: MIT
 *
 * rooms_peer.c - the channel: handshake, sealing, packets.  Accounts are
 * rooms_peer_account.c's.
 */
#define HTTP_PEER_INSIDE
#define WS_PEER_INSIDE
#define ROOMS_PEER_INSIDE
#include "tests/system/rooms_peer.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define IV_LEN  12
#define TAG_LEN 16
#define TEXT    (WS_FIN | 1)
#define PING    (WS_FIN | 9)
#define PONG    (WS_FIN | 10)

/* Of libcrypto: nothing here may fail. */
#define MUST(cond)                                         \
	do {                                               \
		if (!(cond))                               \
			harness_fail("libcrypto: " #cond); \
	} while (0)

/* ---- the server ---- */

struct harness *
rp_start(const char *setting, ...)
{
	struct harness *h = harness_new();
	const char *s[8] = {NULL};
	va_list ap;

	va_start(ap, setting);
	for (size_t i = 0; i < 8 && setting != NULL; i++) {
		s[i] = setting;
		setting = va_arg(ap, const char *);
	}
	va_end(ap);
	ck_assert_ptr_null(setting);
	harness_make_folder(h, "server");
	harness_write(h, "server/test-mode", span_str(""));
	harness_boot(h, "rooms.captcha=test", s[0], s[1], s[2], s[3], s[4], s[5], s[6],
		     s[7], NULL);
	return h;
}

/* ---- base64, by libcrypto ---- */

static char *
to_base64(const uint8_t *p, size_t n)
{
	char *out = malloc(n / 3 * 4 + 5);

	ck_assert_ptr_nonnull(out);
	EVP_EncodeBlock((uint8_t *)out, p, (int)n);
	return out;
}

static uint8_t *
from_base64(const char *text, size_t *n)
{
	size_t len = strlen(text), pad = 0;
	uint8_t *out = malloc(len + 1);
	int got;

	ck_assert_ptr_nonnull(out);
	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	got = EVP_DecodeBlock(out, (const uint8_t *)text, (int)len);
	if (got < 0)
		harness_fail("no base64: %.80s", text);
	*n = (size_t)got - pad;
	return out;
}

/* ---- keys ---- */

static char *
pem_of(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *out;
	long n;

	MUST(bio != NULL && PEM_write_bio_PUBKEY(bio, key) == 1);
	n = BIO_get_mem_data(bio, &data);
	out = strndup(data, (size_t)n);
	ck_assert_ptr_nonnull(out);
	BIO_free(bio);
	return out;
}

char *
rp_make_pem(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char *pem;

	MUST(key != NULL);
	pem = pem_of(key);
	EVP_PKEY_free(key);
	return pem;
}

static void
hkdf(const struct rooms_peer *p, uint8_t *secret, size_t n, const char *info,
     uint8_t out[32])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	char digest[] = "SHA256", text[32];
	uint8_t salt[16];
	OSSL_PARAM params[5];

	memcpy(salt, p->uuid, sizeof(salt));
	strcpy(text, info);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret, n);
	params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt, 16);
	params[3] =
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, text, strlen(text));
	params[4] = OSSL_PARAM_construct_end();
	MUST(EVP_KDF_derive(ctx, out, 32, params) == 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

static void
derive_keys(struct rooms_peer *p)
{
	BIO *bio = BIO_new_mem_buf(p->offered, -1);
	EVP_PKEY *peer = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(p->own, NULL);
	uint8_t secret[64];
	size_t n = sizeof(secret);

	MUST(peer != NULL && ctx != NULL);
	MUST(EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1);
	MUST(EVP_PKEY_derive(ctx, secret, &n) == 1);
	hkdf(p, secret, n, "rooms c2s", p->key_out);
	hkdf(p, secret, n, "rooms s2c", p->key_in);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	BIO_free(bio);
}

/* "rooms-kex" 00 || server_epbkey || uuid, by the key of the certificate. */
static void
check_signature(const struct rooms_peer *p, const char *cert_pem, const char *signature)
{
	BIO *bio = BIO_new_mem_buf(cert_pem, -1);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t n;
	uint8_t *sig = from_base64(signature, &n);

	MUST(cert != NULL && md != NULL);
	MUST(EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, X509_get0_pubkey(cert)) ==
	     1);
	MUST(EVP_DigestVerifyUpdate(md, "rooms-kex", 10) == 1);
	MUST(EVP_DigestVerifyUpdate(md, p->offered, strlen(p->offered)) == 1);
	MUST(EVP_DigestVerifyUpdate(md, p->uuid, sizeof(p->uuid)) == 1);
	if (EVP_DigestVerifyFinal(md, sig, n) != 1)
		harness_fail("the signature of server_epbkey is wrong");
	free(sig);
	EVP_MD_CTX_free(md);
	X509_free(cert);
	BIO_free(bio);
}

/* ---- sealing ---- */

static void
put_iv(uint8_t iv[IV_LEN], uint64_t counter)
{
	memset(iv, 0, IV_LEN);
	for (int i = 0; i < 8; i++)
		iv[IV_LEN - 1 - i] = (uint8_t)(counter >> (8 * i));
}

char *
rp_seal(struct rooms_peer *p, struct span json, uint64_t counter)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t iv[IV_LEN], *ct = malloc(json.len + TAG_LEN);
	char *iv_text, *ct_text, *out;
	int n, more;

	ck_assert_ptr_nonnull(ct);
	put_iv(iv, counter);
	MUST(EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, p->key_out, iv) == 1);
	MUST(EVP_EncryptUpdate(c, ct, &n, json.p, (int)json.len) == 1);
	MUST(EVP_EncryptFinal_ex(c, ct + n, &more) == 1);
	MUST(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_LEN, ct + json.len) == 1);
	EVP_CIPHER_CTX_free(c);
	iv_text = to_base64(iv, IV_LEN);
	ct_text = to_base64(ct, json.len + TAG_LEN);
	ck_assert_int_gt(
	    asprintf(&out, "{\"iv\": \"%s\", \"ciphertext\": \"%s\"}", iv_text, ct_text),
	    0);
	free(iv_text);
	free(ct_text);
	free(ct);
	return out;
}

/* The packet in an envelope, with a NUL behind it. */
static char *
unseal(struct rooms_peer *p, json_t *envelope)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	size_t iv_len, len;
	uint8_t *iv = from_base64(rp_text(envelope, "iv"), &iv_len);
	uint8_t *ct = from_base64(rp_text(envelope, "ciphertext"), &len), want[IV_LEN];
	char *out = calloc(1, len + 1);
	int n, more;

	put_iv(want, p->heard++);
	if (iv_len != IV_LEN || memcmp(iv, want, IV_LEN) != 0)
		harness_fail("the server's counter is not %llu",
			     (unsigned long long)p->heard - 1);
	ck_assert(out != NULL && len >= TAG_LEN);
	MUST(EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, p->key_in, iv) == 1);
	MUST(EVP_DecryptUpdate(c, (uint8_t *)out, &n, ct, (int)(len - TAG_LEN)) == 1);
	MUST(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_LEN, ct + len - TAG_LEN) ==
	     1);
	if (EVP_DecryptFinal_ex(c, (uint8_t *)out + n, &more) != 1)
		harness_fail("the server's tag is wrong");
	EVP_CIPHER_CTX_free(c);
	free(iv);
	free(ct);
	return out;
}

/* ---- sending ---- */

void
rp_send_raw(struct rooms_peer *p, struct span text)
{
	ws_put(p->ws, TEXT, text.p, text.len);
}

void
rp_send(struct rooms_peer *p, struct span json)
{
	char *envelope;

	if (!p->sealed) {
		rp_send_raw(p, json);
		return;
	}
	envelope = rp_seal(p, json, p->sent++);
	rp_send_raw(p, span_str(envelope));
	free(envelope);
}

void
rp_say(struct rooms_peer *p, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	ck_assert_int_ge(vasprintf(&text, fmt, ap), 0);
	va_end(ap);
	for (char *c = text; *c != '\0'; c++)
		if (*c == '\'')
			*c = '"';
	rp_send(p, span_str(text));
	free(text);
}

char *
rp_escape(const char *text)
{
	json_t *s = json_string(text);
	char *quoted = json_dumps(s, JSON_ENCODE_ANY), *out;

	ck_assert_ptr_nonnull(quoted);
	out = strndup(quoted + 1, strlen(quoted) - 2);
	ck_assert_ptr_nonnull(out);
	free(quoted);
	json_decref(s);
	return out;
}

/* ---- hearing ---- */

/* The next message that is no ping. */
static struct span
next_message(struct rooms_peer *p)
{
	struct span got;
	uint8_t first;

	while ((first = ws_next(p->ws, &got)) == PING)
		ws_put(p->ws, PONG, got.p, got.len);
	if (first == (WS_FIN | 8))
		harness_fail("the server closed with %u %.*s",
			     got.len < 2 ? 0 : (unsigned)got.p[0] << 8 | got.p[1],
			     got.len < 2 ? 0 : (int)got.len - 2, (const char *)got.p + 2);
	if (first != TEXT)
		harness_fail("frame %#x", first);
	return got;
}

static json_t *
load(const char *text, size_t n)
{
	json_error_t error;
	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);

	if (j == NULL)
		harness_fail("%s: %.200s", error.text, text);
	return j;
}

json_t *
rp_next(struct rooms_peer *p, const char **type)
{
	struct span got = next_message(p);
	json_t *j = load((const char *)got.p, got.len), *data;
	char *text;

	if (p->sealed) {
		text = unseal(p, j);
		json_decref(j);
		j = load(text, strlen(text));
		free(text);
	}
	json_decref(p->last);
	p->last = j;
	*type = rp_text(j, "type");
	data = json_object_get(j, "data");
	ck_assert(json_is_object(data));
	return data;
}

static void
unexpected(struct rooms_peer *p, const char *want)
{
	char *text = json_dumps(p->last, JSON_COMPACT);

	harness_fail("%s: want %s, got %.300s", p->name, want, text);
}

json_t *
rp_hear(struct rooms_peer *p, const char *type)
{
	const char *got;
	json_t *data = rp_next(p, &got);

	if (strcmp(got, type) != 0)
		unexpected(p, type);
	return data;
}

json_t *
rp_hear_status(struct rooms_peer *p, const char *sig)
{
	const char *got;
	json_t *data = rp_next(p, &got);

	if (strcmp(got, "STATUS") != 0 || strcmp(rp_text(data, "sig"), sig) != 0 ||
	    *rp_text(data, "desc") == '\0')
		unexpected(p, sig);
	return data;
}

void
rp_hear_nothing(struct rooms_peer *p)
{
	char ref[32];
	json_t *data;

	snprintf(ref, sizeof(ref), "nothing-%d", ++p->asked);
	rp_say(p, "{'type':'FETCH','data':{'room':'','msg':'','ref':'%s'}}", ref);
	data = rp_hear(p, "STATUS");
	if (json_object_get(data, "ref") == NULL ||
	    strcmp(rp_text(data, "ref"), ref) != 0)
		unexpected(p, "nothing");
}

void
rp_hear_close(struct rooms_peer *p, unsigned code)
{
	struct span got;
	uint8_t first;
	unsigned have;

	while ((first = ws_next(p->ws, &got)) == PING)
		continue;
	have = got.len < 2 ? 0 : (unsigned)got.p[0] << 8 | got.p[1];
	if (first != (WS_FIN | 8) || have != code)
		harness_fail("%s: want close %u, got frame %#x %u %.*s", p->name, code,
			     first, have, got.len < 2 ? 0 : (int)got.len - 2,
			     (const char *)got.p + 2);
	http_hear_end(p->ws);
}

const char *
rp_text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	if (s == NULL)
		harness_fail("no text \"%s\" in %.200s", key,
			     json_dumps(object, JSON_COMPACT));
	return s;
}

json_int_t
rp_int(const json_t *object, const char *key)
{
	const json_t *n = json_object_get(object, key);

	if (!json_is_integer(n))
		harness_fail("no integer \"%s\" in %.200s", key,
			     json_dumps(object, JSON_COMPACT));
	return json_integer_value(n);
}

bool
rp_bool(const json_t *object, const char *key)
{
	const json_t *b = json_object_get(object, key);

	if (!json_is_boolean(b))
		harness_fail("no boolean \"%s\" in %.200s", key,
			     json_dumps(object, JSON_COMPACT));
	return json_is_true(b);
}

/* ---- connections ---- */

struct rooms_peer *
rp_open(struct harness *h, bool tls)
{
	struct rooms_peer *p = calloc(1, sizeof(*p));
	const uint8_t *u;

	ck_assert_ptr_nonnull(p);
	p->h = h;
	MUST(RAND_bytes(p->uuid, sizeof(p->uuid)) == 1);
	p->uuid[6] = (uint8_t)(0x40 | (p->uuid[6] & 0x0f));
	p->uuid[8] = (uint8_t)(0x80 | (p->uuid[8] & 0x3f));
	u = p->uuid;
	snprintf(p->uuid_text, sizeof(p->uuid_text),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11],
		 u[12], u[13], u[14], u[15]);
	p->ws = ws_connect(h, "/rooms", tls);
	return p;
}

void
rp_init(struct rooms_peer *p, const char *token)
{
	json_t *data;

	if (token == NULL)
		rp_say(p, "{'type':'CONN_INIT','data':{'uuid':'%s','token':null}}",
		       p->uuid_text);
	else
		rp_say(p, "{'type':'CONN_INIT','data':{'uuid':'%s','token':'%s'}}",
		       p->uuid_text, token);
	data = rp_hear(p, "CONN_ENCRYPT_S");
	p->offered = strdup(rp_text(data, "server_epbkey"));
	check_signature(p, rp_text(data, "certificate"), rp_text(data, "signature"));
}

void
rp_agree(struct rooms_peer *p)
{
	char *pem, *text;

	MUST((p->own = EVP_EC_gen("P-256")) != NULL);
	pem = pem_of(p->own);
	text = rp_escape(pem);
	rp_say(p, "{'type':'CONN_ENCRYPT_C','data':{'client_epbkey':'%s'}}", text);
	derive_keys(p);
	p->sealed = true;
	free(text);
	free(pem);
}

struct rooms_peer *
rp_connect(struct harness *h)
{
	struct rooms_peer *p = rp_open(h, false);

	rp_init(p, NULL);
	rp_agree(p);
	rp_hear_status(p, "CONN_OK");
	return p;
}

void
rp_free(struct rooms_peer *p)
{
	if (p == NULL)
		return;
	http_free(p->ws);
	EVP_PKEY_free(p->own);
	json_decref(p->last);
	free(p->offered);
	free(p->chat_pem);
	free(p);
}

void
rp_reset(struct rooms_peer *p)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	setsockopt(p->ws->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	rp_free(p);
}
