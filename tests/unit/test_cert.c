/* SPDX-License-Identifier: MIT */
#include "crypto/cert.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tests/unit/libcrypto_memory.h"
#include "tests/unit/pem.h"

#define TEN_YEARS 3650 /* days */
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

static const char *const dns[] = {"localhost", "Lab-1.school.example"};
static const char *const ip[] = {"127.0.0.1", "::1", "192.168.7.9", "fe80::1:2"};
static const struct cert_names names = {dns, COUNT(dns), ip, COUNT(ip)};
static const struct cert_names no_names = {NULL, 0, NULL, 0};

/* One CA and one server certificate for each test. */
static struct key *ca_key, *server_key;
static struct cert *ca, *server;

static void
set_up(void)
{
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &ca_key), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &server_key), Q_OK);
	ck_assert_int_eq(cert_make_ca(ca_key, "Quintet CA", TEN_YEARS, &ca), Q_OK);
	ck_assert_int_eq(
	    cert_issue(ca, ca_key, server_key, "lab-1", &names, TEN_YEARS, &server),
	    Q_OK);
}

static void
tear_down(void)
{
	cert_free(server);
	cert_free(ca);
	key_free(server_key);
	key_free(ca_key);
}

/* The certificate as libcrypto sees it; X509_free it. */
static X509 *
as_x509(const struct cert *c)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	BIO *in;
	X509 *x;

	ck_assert_int_eq(cert_pem(c, &pem), Q_OK);
	in = BIO_new_mem_buf(pem.p, (int)pem.len);
	x = PEM_read_bio_X509(in, NULL, NULL, NULL);
	ck_assert_ptr_nonnull(x);
	BIO_free(in);
	buf_free(&pem);
	return x;
}

static EVP_PKEY *
as_pkey(const struct key *k)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	BIO *in;
	EVP_PKEY *pkey;

	ck_assert_int_eq(key_private_pem(k, NULL, &pem), Q_OK);
	in = BIO_new_mem_buf(pem.p, (int)pem.len);
	pkey = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	ck_assert_ptr_nonnull(pkey);
	BIO_free(in);
	buf_wipe(&pem);
	return pkey;
}

/* c again, with other dates (seconds from now), signed anew by signer. */
static struct cert *
redated(const struct cert *c, const struct key *signer, long from, long until)
{
	struct cert *out = NULL;
	X509 *x = as_x509(c);
	EVP_PKEY *pkey = as_pkey(signer);
	BIO *text = BIO_new(BIO_s_mem());
	char *p;
	long n;

	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(x), from));
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(x), until));
	ck_assert_int_gt(X509_sign(x, pkey, EVP_sha256()), 0);
	ck_assert_int_eq(PEM_write_bio_X509(text, x), 1);
	n = BIO_get_mem_data(text, &p);
	ck_assert_int_eq(cert_parse(span_of(p, (size_t)n), &out), Q_OK);
	BIO_free(text);
	EVP_PKEY_free(pkey);
	X509_free(x);
	return out;
}

/* ---- issuing ---- */

START_TEST(test_contents)
{
	X509 *c = as_x509(ca), *s = as_x509(server);
	const ASN1_OCTET_STRING *issuer_id = X509_get0_authority_key_id(s);
	const ASN1_OCTET_STRING *ca_id = X509_get0_subject_key_id(c);

	ck_assert_int_eq(X509_get_version(c), X509_VERSION_3);
	ck_assert_int_eq(X509_check_ca(c), 1);
	ck_assert_int_eq(X509_get_pathlen(c), 0);
	ck_assert_uint_eq(X509_get_key_usage(c), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	ck_assert_int_eq(X509_get_version(s), X509_VERSION_3);
	ck_assert_int_eq(X509_check_ca(s), 0);
	ck_assert_uint_eq(X509_get_key_usage(s), KU_DIGITAL_SIGNATURE);
	ck_assert_uint_eq(X509_get_extended_key_usage(s),
			  XKU_SSL_SERVER | XKU_SSL_CLIENT);
	ck_assert(ca_id != NULL && issuer_id != NULL);
	ck_assert_int_eq(ASN1_OCTET_STRING_cmp(ca_id, issuer_id), 0);
	ck_assert_ptr_nonnull(X509_get0_subject_key_id(s));
	ck_assert_int_eq(X509_check_host(s, "lab-1.school.example", 0, 0, NULL), 1);
	ck_assert_int_eq(X509_check_host(s, "lab-2.school.example", 0, 0, NULL), 0);
	ck_assert_int_eq(X509_check_ip_asc(s, "0:0::1", 0), 1);
	ck_assert_int_eq(X509_check_ip_asc(s, "192.168.7.10", 0), 0);
	X509_free(c);
	X509_free(s);
}
END_TEST

START_TEST(test_serials)
{
	struct cert *other;
	X509 *a = as_x509(server), *b;
	const ASN1_INTEGER *serial = X509_get0_serialNumber(a);
	BIGNUM *n = ASN1_INTEGER_to_BN(serial, NULL);

	ck_assert(!BN_is_negative(n) && !BN_is_zero(n));
	ck_assert_int_gt(BN_num_bits(n), 64); /* 2^-64 that this fails */
	ck_assert_int_le(BN_num_bits(n), 128);
	ck_assert_int_eq(cert_issue(ca, ca_key, server_key, "x", &names, 1, &other),
			 Q_OK);
	b = as_x509(other);
	ck_assert_int_ne(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(b)), 0);
	BN_free(n);
	X509_free(a);
	X509_free(b);
	cert_free(other);
}
END_TEST

/* Dates run past 2038 and past 2050, where their encoding changes. */
START_TEST(test_dates)
{
	static const int days[] = {1, TEN_YEARS, 20 * 365, 50 * 365};
	struct cert *c;
	X509 *x;
	int day = 0, second = 0;

	ck_assert_int_eq(cert_issue(ca, ca_key, server_key, "x", &no_names, days[_i], &c),
			 Q_OK);
	ck_assert_int_ge(cert_days_left(c), days[_i] - 1);
	ck_assert_int_le(cert_days_left(c), days[_i]);
	x = as_x509(c);
	ck_assert_int_eq(
	    ASN1_TIME_diff(&day, &second, X509_get0_notBefore(x), X509_get0_notAfter(x)),
	    1);
	ck_assert_int_eq(day, days[_i]);
	ck_assert_int_eq(second, 3600);
	ck_assert_int_eq(X509_get0_notAfter(x)->type,
			 days[_i] > 30 * 365 ? V_ASN1_GENERALIZEDTIME : V_ASN1_UTCTIME);
	ck_assert_int_eq(cert_check(c, ca), Q_OK);
	X509_free(x);
	cert_free(c);
}
END_TEST

START_TEST(test_rsa)
{
	struct key *rsa;
	struct cert *rsa_ca, *c;
	X509 *x;

	ck_assert_int_eq(key_parse_private(pem_load("rsa2048"), NULL, &rsa), Q_OK);
	ck_assert_int_eq(cert_make_ca(rsa, "RSA CA", 10, &rsa_ca), Q_OK);
	ck_assert_int_eq(cert_issue(rsa_ca, rsa, rsa, "rsa", &names, 10, &c), Q_OK);
	ck_assert_int_eq(cert_check(c, rsa_ca), Q_OK);
	ck_assert_int_eq(cert_check(c, ca), Q_DENIED);
	x = as_x509(c);
	ck_assert_uint_eq(X509_get_key_usage(x),
			  KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	X509_free(x);
	cert_free(c);
	cert_free(rsa_ca);
	key_free(rsa);
}
END_TEST

START_TEST(test_issue_refused)
{
	static const char *const bad_dns[] = {"", "a b", "a,DNS:b", "evil\n",
					      "gr\xc3\xbcn"};
	static const char *const bad_ip[] = {"", "1.2.3", "1.2.3.4.5", "fe80::1%eth0",
					     "host"};
	char name[CERT_NAME_MAX + 2];
	struct key *public;
	struct cert *c = NULL;

	for (size_t i = 0; i < COUNT(bad_dns); i++) {
		struct cert_names n = {&bad_dns[i], 1, NULL, 0};

		ck_assert_int_eq(cert_issue(ca, ca_key, server_key, "x", &n, 1, &c),
				 Q_FORMAT);
		ck_assert(!cert_covers(server, &n));
	}
	for (size_t i = 0; i < COUNT(bad_ip); i++) {
		struct cert_names n = {NULL, 0, &bad_ip[i], 1};

		ck_assert_int_eq(cert_issue(ca, ca_key, server_key, "x", &n, 1, &c),
				 Q_FORMAT);
		ck_assert(!cert_covers(server, &n));
	}
	/* not the CA's key; no CA; no private half */
	ck_assert_int_eq(cert_issue(ca, server_key, server_key, "x", &names, 1, &c),
			 Q_DENIED);
	ck_assert_int_eq(cert_issue(server, server_key, server_key, "x", &names, 1, &c),
			 Q_DENIED);
	ck_assert_int_eq(cert_key(ca, &public), Q_OK);
	ck_assert_int_eq(cert_issue(ca, public, server_key, "x", &names, 1, &c),
			 Q_DENIED);
	ck_assert_int_eq(cert_make_ca(public, "x", 1, &c), Q_DENIED);
	key_free(public);
	/* names */
	memset(name, 'n', sizeof(name));
	name[CERT_NAME_MAX + 1] = '\0';
	ck_assert_int_eq(cert_make_ca(ca_key, name, 1, &c), Q_LIMIT);
	ck_assert_int_eq(cert_make_ca(ca_key, "", 1, &c), Q_FORMAT);
	ck_assert_int_eq(cert_make_ca(ca_key, "\xff", 1, &c), Q_FORMAT);
	ck_assert_ptr_null(c);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	name[CERT_NAME_MAX] = '\0';
	ck_assert_int_eq(cert_make_ca(ca_key, name, 1, &c), Q_OK);
	cert_free(c);
}
END_TEST

START_TEST(test_make_self)
{
	struct cert *c = NULL;
	struct key *public;
	char name[CERT_NAME_MAX + 1];
	X509 *x;

	ck_assert_int_eq(cert_make_self(server_key, "ann", TEN_YEARS, &c), Q_OK);
	ck_assert_int_eq(cert_common_name(c, name), Q_OK);
	ck_assert_str_eq(name, "ann");
	x = as_x509(c);
	ck_assert_int_eq(X509_check_ca(x), 0);
	ck_assert_int_eq(X509_verify(x, X509_get0_pubkey(x)), 1);
	ck_assert_int_eq(X509_check_purpose(x, X509_PURPOSE_SSL_CLIENT, 0), 1);
	ck_assert_int_eq(X509_check_purpose(x, X509_PURPOSE_SSL_SERVER, 0), 1);
	X509_free(x);
	cert_free(c);
	c = NULL;
	ck_assert_int_eq(cert_key(ca, &public), Q_OK);
	ck_assert_int_eq(cert_make_self(public, "x", 1, &c), Q_DENIED);
	ck_assert_ptr_null(c);
	key_free(public);
}
END_TEST

/* A name that a C string would cut short, and no name at all. */
START_TEST(test_common_name_refused)
{
	static const struct {
		const char *field;
		int len;
		enum qerr e;
	} rows[] = {{"CN", 3, Q_FORMAT}, {"O", 3, Q_MISSING}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cert *c = NULL;
		X509 *x = as_x509(server);
		X509_NAME *subject = X509_NAME_new();
		EVP_PKEY *pkey = as_pkey(ca_key);
		BIO *text = BIO_new(BIO_s_mem());
		char name[CERT_NAME_MAX + 1] = "kept";
		char *p;
		long n;

		ck_assert_int_eq(X509_NAME_add_entry_by_txt(
				     subject, rows[i].field, MBSTRING_UTF8,
				     (const unsigned char *)"a\0b", rows[i].len, -1, 0),
				 1);
		ck_assert_int_eq(X509_set_subject_name(x, subject), 1);
		ck_assert_int_gt(X509_sign(x, pkey, EVP_sha256()), 0);
		ck_assert_int_eq(PEM_write_bio_X509(text, x), 1);
		n = BIO_get_mem_data(text, &p);
		ck_assert_int_eq(cert_parse(span_of(p, (size_t)n), &c), Q_OK);
		ck_assert_int_eq(cert_common_name(c, name), rows[i].e);
		ck_assert_str_eq(name, "kept");
		cert_free(c);
		BIO_free(text);
		X509_NAME_free(subject);
		EVP_PKEY_free(pkey);
		X509_free(x);
	}
}
END_TEST

/* ---- reading ---- */

START_TEST(test_parse)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	struct cert *again = NULL;
	struct key *k;
	uint8_t a[SHA256_LEN], b[SHA256_LEN];

	ck_assert_int_eq(buf_put_str(&pem, "some text before\n"), Q_OK);
	ck_assert_int_eq(cert_pem(server, &pem), Q_OK);
	ck_assert_int_eq(cert_pem(ca, &pem), Q_OK);
	ck_assert_int_eq(cert_parse(buf_span(&pem), &again), Q_OK);
	ck_assert_int_eq(cert_fingerprint(server, a), Q_OK);
	ck_assert_int_eq(cert_fingerprint(again, b), Q_OK);
	ck_assert_mem_eq(a, b, sizeof(a));
	ck_assert_int_eq(cert_key(again, &k), Q_OK);
	ck_assert(key_same(k, server_key));
	ck_assert(!key_has_private(k));
	key_free(k);
	cert_free(again);
	cert_free(NULL);
	buf_free(&pem);
}
END_TEST

START_TEST(test_parse_refused)
{
	static uint8_t big[CERT_PEM_MAX + 1];
	struct span pem = pem_load("server");
	struct cert *c = NULL;

	memset(big, '\n', sizeof(big));
	ck_assert_int_eq(cert_parse(span_of(big, sizeof(big)), &c), Q_LIMIT);
	ck_assert_int_eq(cert_parse(span_of(NULL, 0), &c), Q_FORMAT);
	for (size_t len = 0; len + 25 < pem.len; len += 7)
		ck_assert_int_eq(cert_parse(span_of(pem.p, len), &c), Q_FORMAT);
	ck_assert_int_eq(cert_parse(pem_load("ec-pub"), &c), Q_FORMAT);
	ck_assert_int_eq(cert_parse(pem_load("ec"), &c), Q_FORMAT);
	ck_assert_ptr_null(c);
	ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

/* As openssl x509 -fingerprint -sha256 prints it. */
START_TEST(test_fingerprint)
{
	struct cert *c;
	uint8_t sum[SHA256_LEN];
	char text[FINGERPRINT_SIZE];

	ck_assert_int_eq(cert_parse(pem_load("server"), &c), Q_OK);
	ck_assert_int_eq(cert_fingerprint(c, sum), Q_OK);
	fingerprint_text(sum, text);
	ck_assert_str_eq(text, "9C:96:81:A1:7C:4C:27:95:45:5B:44:BE:F2:F9:18:54:"
			       "37:6B:C5:48:3A:43:96:FD:5E:D0:37:CD:0C:AA:DF:78");
	cert_free(c);
}
END_TEST

/* ---- checking ---- */

START_TEST(test_check)
{
	struct key *other_key;
	struct cert *other, *impostor, *self;

	ck_assert_int_eq(cert_check(server, ca), Q_OK);
	ck_assert_int_eq(cert_check(server, server), Q_DENIED);
	ck_assert_int_eq(cert_check(ca, ca), Q_DENIED); /* a CA is no server */
	ck_assert_int_eq(cert_check(ca, server), Q_DENIED);
	/* a CA of the same name, but with another key */
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &other_key), Q_OK);
	ck_assert_int_eq(cert_make_ca(other_key, "Quintet CA", 10, &other), Q_OK);
	ck_assert_int_eq(
	    cert_issue(other, other_key, server_key, "lab-1", &names, 10, &impostor),
	    Q_OK);
	ck_assert_int_eq(cert_check(impostor, ca), Q_DENIED);
	ck_assert_int_eq(cert_check(server, other), Q_DENIED);
	ck_assert_int_eq(cert_check(impostor, other), Q_OK);
	/* the right issuer's name and key identifier under a wrong signature */
	self = redated(server, other_key, -3600, 3600);
	ck_assert_int_eq(cert_check(self, ca), Q_DENIED);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	cert_free(self);
	cert_free(impostor);
	cert_free(other);
	key_free(other_key);
}
END_TEST

START_TEST(test_check_dates)
{
	enum { HOUR = 3600, DAY = 24 * HOUR };
	struct key *stranger;
	struct cert *c;

	c = redated(server, ca_key, -2 * DAY, -HOUR);
	ck_assert_int_eq(cert_check(c, ca), Q_TIMEOUT);
	ck_assert_int_eq(cert_days_left(c), -1);
	cert_free(c);
	c = redated(server, ca_key, HOUR, DAY + HOUR);
	ck_assert_int_eq(cert_check(c, ca), Q_TIMEOUT);
	ck_assert_int_eq(cert_days_left(c), 1);
	cert_free(c);
	c = redated(server, ca_key, -DAY, HOUR);
	ck_assert_int_eq(cert_check(c, ca), Q_OK);
	ck_assert_int_eq(cert_days_left(c), 0);
	cert_free(c);
	/* the CA's own dates count, too */
	c = redated(ca, ca_key, -2 * DAY, -HOUR);
	ck_assert_int_eq(cert_check(server, c), Q_TIMEOUT);
	cert_free(c);
	/* "not ours" comes before "too old" */
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &stranger), Q_OK);
	c = redated(server, stranger, -2 * DAY, -HOUR);
	ck_assert_int_eq(cert_check(c, ca), Q_DENIED);
	cert_free(c);
	key_free(stranger);
}
END_TEST

/* Which lists does the certificate with the SANs above cover? */
static const struct {
	const char *dns;
	const char *ip;
	bool want;
} cover_cases[] = {
    {NULL, NULL, true},
    {"localhost", NULL, true},
    {"LOCALHOST", "127.0.0.1", true},
    {"lab-1.SCHOOL.example", "0:0:0:0:0:0:0:1", true},
    {NULL, "fe80::0001:0002", true},
    {"localhos", NULL, false},
    {"localhost.", NULL, false},
    {"lab-1", NULL, false}, /* the common name is no SAN */
    {"127.0.0.1", NULL, false},
    {NULL, "127.0.0.2", false},
    {NULL, "::ffff:127.0.0.1", false},
    {"localhost", "10.0.0.1", false},
};

START_TEST(test_covers)
{
	struct cert_names n = {&cover_cases[_i].dns, cover_cases[_i].dns != NULL,
			       &cover_cases[_i].ip, cover_cases[_i].ip != NULL};

	ck_assert_int_eq(cert_covers(server, &n), cover_cases[_i].want);
	ck_assert_int_eq(cert_covers(ca, &n), _i == 0); /* it has no SANs */
	ck_assert(cert_covers(server, &names));
}
END_TEST

START_TEST(test_no_memory)
{
	struct cert *c = NULL;
	enum qerr e = Q_NOMEM;
	long n;

	for (n = 0; e != Q_OK; n += n < 300 ? 1 : 7) {
		libcrypto_grants = n;
		e = cert_issue(ca, ca_key, server_key, "x", &names, 1, &c);
		libcrypto_grants = LONG_MAX;
		ck_assert(e == Q_OK || (c == NULL && ERR_peek_error() == 0));
		ck_assert_int_lt(n, 20000);
	}
	ck_assert_int_gt(n, 10);
	ck_assert_int_eq(cert_check(c, ca), Q_OK);
	ck_assert(cert_covers(c, &names));
	cert_free(c);
}
END_TEST

static Suite *
cert_suite(void)
{
	Suite *s = suite_create("cert");
	TCase *t = tcase_create("issue");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, test_contents);
	tcase_add_test(t, test_serials);
	tcase_add_loop_test(t, test_dates, 0, 4);
	tcase_add_test(t, test_rsa);
	tcase_add_test(t, test_issue_refused);
	tcase_add_test(t, test_make_self);
	tcase_add_test(t, test_common_name_refused);
	suite_add_tcase(s, t);
	t = tcase_create("read");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, test_parse);
	tcase_add_test(t, test_parse_refused);
	tcase_add_test(t, test_fingerprint);
	suite_add_tcase(s, t);
	t = tcase_create("check");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, test_check);
	tcase_add_test(t, test_check_dates);
	tcase_add_loop_test(t, test_covers, 0, (int)COUNT(cover_cases));
	tcase_add_test(t, test_no_memory);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	libcrypto_memory_start();
	return unit_main(cert_suite());
}
