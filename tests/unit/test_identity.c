/* SPDX-License-Identifier: MIT
 *
 * Who the server is: what the first start makes, what later ones keep, what is
 * refused, what is issued anew, the enrolment code and its proofs.
 */
#include "tests/unit/unit.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "server/addresses.h"
#include "server/identity.h"
#include "server/log.h"
#include "tests/unit/pem.h"

static char dir[64];
static struct store *store;
static struct identity *id;

static void
use(const char *set)
{
	struct config_source src = {NULL, false, &set, set != NULL};
	struct config *c;

	ck_assert_int_eq(config_load(&src, &c, NULL), Q_OK);
	config_publish(c);
}

static void
setup(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;

	strcpy(dir, "/tmp/quintet-identity-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(store_open(dir, &opt, &store, NULL), Q_OK);
	log_open("", LOG_ERROR, 0, NULL);
	use(NULL);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void
teardown(void)
{
	identity_free(id);
	id = NULL;
	store_close(store);
	config_fini();
	log_close();
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
open_good(void)
{
	struct why why = {""};

	identity_free(id);
	id = NULL;
	ck_assert_msg(identity_open(store, config_now(), &id, &why) == Q_OK, "%s",
		      why.text);
}

static const char *
path(const char *name)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s/server/%s", dir, name);
	return text;
}

/* A file of the server's folder, in memory that the fourth next call reuses. */
static struct span
file(const char *name)
{
	static struct buf kept[4];
	static int next;
	struct buf *b = &kept[next++ % 4];

	b->max = 1 << 20;
	b->len = 0;
	ck_assert_int_eq(store_server_read(store, name, b), Q_OK);
	return buf_span(b);
}

static void
put(const char *name, struct span content)
{
	ck_assert_int_eq(store_server_write(store, name, content, 0600), Q_OK);
}

static struct cert *
cert_in(const char *name)
{
	struct cert *c = NULL;

	ck_assert_int_eq(cert_parse(file(name), &c), Q_OK);
	return c;
}

static void
assert_mode(const char *name, unsigned mode)
{
	struct stat st;

	ck_assert_int_eq(stat(path(name), &st), 0);
	ck_assert_msg((st.st_mode & 0777) == mode, "%s has mode %o", name,
		      st.st_mode & 0777);
}

START_TEST(first_start)
{
	struct host_addresses a;
	const char *dns[] = {"localhost"}, *ip[64];
	struct cert_names names = {dns, 1, ip, 0};
	struct cert *cert, *ca;
	struct key *key, *in_cert;
	struct buf served = BUF_INIT(CERT_PEM_MAX);
	char shown[FINGERPRINT_SIZE], computed[FINGERPRINT_SIZE];
	uint8_t sum[SHA256_LEN];

	open_good();
	assert_mode("key.pem", 0600);
	assert_mode("ca-key.pem", 0600);
	assert_mode("enroll-code", 0600);
	cert = cert_in("cert.pem");
	ca = cert_in("ca.pem");
	ck_assert_int_eq(cert_check(cert, ca), Q_OK);
	ck_assert_int_ge(cert_days_left(cert), 3640);
	ck_assert_int_ge(cert_days_left(ca), 3640);
	ck_assert_int_eq(addresses_of_host(true, &a), Q_OK);
	for (size_t i = 0; i < a.count && i < 64; i++)
		ip[names.ip_count++] = a.text[i];
	ck_assert(cert_covers(cert, &names));
	key = identity_key(id);
	ck_assert(key_has_private(key));
	ck_assert_int_eq(key_kind(key), KEY_EC_P256);
	ck_assert_int_eq(cert_key(cert, &in_cert), Q_OK);
	ck_assert(key_same(key, in_cert));
	ck_assert_int_eq(identity_cert_pem(id, &served), Q_OK);
	ck_assert(span_eq(buf_span(&served), file("cert.pem")));
	served.len = 0;
	ck_assert_int_eq(identity_ca_pem(id, &served), Q_OK);
	ck_assert(span_eq(buf_span(&served), file("ca.pem")));
	ck_assert_int_eq(cert_fingerprint(ca, sum), Q_OK);
	fingerprint_text(sum, computed);
	identity_ca_fingerprint(id, shown);
	ck_assert_str_eq(shown, computed);
	key_free(key);
	key_free(in_cert);
	cert_free(cert);
	cert_free(ca);
	addresses_free(&a);
	buf_free(&served);
}
END_TEST

START_TEST(next_start_changes_nothing)
{
	static const char *const names[] = {"key.pem", "ca-key.pem", "ca.pem", "cert.pem",
					    "enroll-code"};
	struct stat before[5], after;

	open_good();
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(stat(path(names[i]), &before[i]), 0);
	open_good();
	ck_assert_int_eq(identity_reload(id, store, config_now(), NULL), Q_OK);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(stat(path(names[i]), &after), 0);
		ck_assert_uint_eq(after.st_ino, before[i].st_ino);
	}
}
END_TEST

/* Killed after each of the files that a first start makes, it goes on. */
START_TEST(half_a_first_start)
{
	static const char *const made[] = {"key.pem", "ca-key.pem", "ca.pem", "cert.pem",
					   "enroll-code"};

	open_good();
	for (int i = _i; i < 5; i++)
		ck_assert_int_eq(unlink(path(made[i])), 0);
	open_good();
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(access(path(made[i]), R_OK), 0);
}
END_TEST

START_TEST(rsa_key_of_ones_own)
{
	struct key *key;

	put("key.pem", pem_load("rsa2048"));
	open_good();
	key = identity_key(id);
	ck_assert_int_eq(key_kind(key), KEY_RSA);
	key_free(key);
	open_good();
}
END_TEST

/* ---- what is refused: the file, what is put there, what is said ---- */

static const struct {
	const char *name, *content, *says;
} broken[] = {
    {"key.pem", "", "key.pem holds no private key in PEM"},
    {"key.pem", "garbage", "key.pem holds no private key in PEM"},
    {"key.pem", "@ec-pub", "key.pem holds no private key in PEM"},
    {"key.pem", "@ec-encrypted", "key.pem is protected by a passphrase"},
    {"key.pem", "@rsa1024", "key.pem is neither an RSA key of 2048 to 8192 bits nor EC"},
    {"key.pem", "@p384", "key.pem is neither"},
    {"key.pem", "@rsa2048", "cert.pem does not belong to the server's key"},
    {"ca-key.pem", "garbage", "ca-key.pem holds no private key"},
    {"ca-key.pem", "@rsa2048", "ca.pem does not belong to ca-key.pem"},
    {"ca.pem", "garbage", "ca.pem holds no certificate in PEM"},
    {"ca.pem", NULL, "ca.pem is missing"},
    {"cert.pem", "garbage", "cert.pem holds no certificate in PEM"},
    {"cert.pem", "", "cert.pem holds no certificate in PEM"},
};

START_TEST(refused)
{
	const char *name = broken[_i].name, *content = broken[_i].content;
	struct why why = {""};
	struct identity *second = NULL;
	struct buf before = BUF_INIT(CERT_PEM_MAX), after = BUF_INIT(CERT_PEM_MAX);
	struct stat was, is;

	open_good();
	ck_assert_int_eq(identity_cert_pem(id, &before), Q_OK);
	if (content == NULL)
		ck_assert_int_eq(unlink(path(name)), 0);
	else
		put(name, *content == '@' ? pem_load(content + 1) : span_str(content));
	if (content != NULL)
		ck_assert_int_eq(stat(path(name), &was), 0);
	ck_assert_int_ne(identity_open(store, config_now(), &second, &why), Q_OK);
	ck_assert_ptr_null(second);
	ck_assert_msg(strstr(why.text, broken[_i].says) != NULL, "says: %s", why.text);
	ck_assert_ptr_nonnull(strstr(why.text, dir)); /* names the file in full */
	/* A reload is refused too, and what is served stays. */
	ck_assert_int_ne(identity_reload(id, store, config_now(), NULL), Q_OK);
	ck_assert_int_eq(identity_cert_pem(id, &after), Q_OK);
	ck_assert(span_eq(buf_span(&before), buf_span(&after)));
	/* What was there is still there. */
	if (content != NULL) {
		ck_assert_int_eq(stat(path(name), &is), 0);
		ck_assert_uint_eq(was.st_ino, is.st_ino);
	}
	buf_free(&before);
	buf_free(&after);
}
END_TEST

/* ---- certificates made here ---- */

struct authority {
	struct key *key, *ca_key;
	struct cert *ca;
};

static struct authority
authority(void)
{
	struct authority a = {NULL, NULL, NULL};
	struct buf pem = BUF_INIT(CERT_PEM_MAX);

	ck_assert_int_eq(key_parse_private(file("key.pem"), NULL, &a.key), Q_OK);
	ck_assert_int_eq(key_parse_private(file("ca-key.pem"), NULL, &a.ca_key), Q_OK);
	a.ca = cert_in("ca.pem");
	buf_free(&pem);
	return a;
}

static void
authority_free(struct authority *a)
{
	key_free(a->key);
	key_free(a->ca_key);
	cert_free(a->ca);
}

/* Put a certificate for the server's key into name. */
static void
put_cert(const struct authority *a, const char *name, int days, bool all_addresses)
{
	struct host_addresses own = {NULL, 0};
	char host[256];
	const char *dns[] = {"localhost", host}, *ip[64];
	struct cert_names names = {dns, 2, ip, 0};
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	struct cert *c;

	gethostname(host, sizeof(host));
	if (all_addresses)
		ck_assert_int_eq(addresses_of_host(true, &own), Q_OK);
	for (size_t i = 0; i < own.count && i < 64; i++)
		ip[names.ip_count++] = own.text[i];
	ck_assert_int_eq(cert_issue(a->ca, a->ca_key, a->key, "x", &names, days, &c),
			 Q_OK);
	ck_assert_int_eq(cert_pem(c, &pem), Q_OK);
	put(name, buf_span(&pem));
	cert_free(c);
	buf_free(&pem);
	addresses_free(&own);
}

static void
assert_reissued(const struct cert *ca)
{
	struct cert *c = cert_in("cert.pem");

	ck_assert_int_ge(cert_days_left(c), 3640);
	ck_assert_int_eq(cert_check(c, ca), Q_OK);
	cert_free(c);
}

START_TEST(reissue)
{
	struct authority a;

	open_good();
	a = authority();
	put_cert(&a, "cert.pem", 20, true); /* ends soon */
	open_good();
	assert_reissued(a.ca);
	put_cert(&a, "cert.pem", 3650, false); /* an address is not in it */
	open_good();
	assert_reissued(a.ca);
	put_cert(&a, "cert.pem", 0, true); /* has expired: valid until now */
	open_good();
	assert_reissued(a.ca);
	put_cert(&a, "cert.pem", 100, true); /* long enough: it stays */
	open_good();
	{
		struct cert *c = cert_in("cert.pem");

		ck_assert_int_le(cert_days_left(c), 100);
		cert_free(c);
	}
	authority_free(&a);
}
END_TEST

START_TEST(somebody_elses_ca)
{
	struct authority a;
	struct why why = {""};
	struct identity *second = NULL;

	open_good();
	a = authority();
	/* Without the CA's key nothing is issued: what is there is used... */
	put_cert(&a, "cert.pem", 20, false);
	ck_assert_int_eq(unlink(path("ca-key.pem")), 0);
	open_good();
	/* ... and when it has expired, that is said. */
	put_cert(&a, "cert.pem", 0, true);
	ck_assert_int_eq(identity_open(store, config_now(), &second, &why), Q_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(why.text, "cert.pem has expired"));
	ck_assert_int_eq(unlink(path("cert.pem")), 0);
	ck_assert_int_eq(identity_open(store, config_now(), &second, &why), Q_MISSING);
	ck_assert_ptr_nonnull(strstr(why.text, "the CA's key ca-key.pem is not there"));
	authority_free(&a);
}
END_TEST

START_TEST(certificate_of_another_ca)
{
	struct authority a;
	struct why why = {""};
	struct identity *second = NULL;

	open_good();
	a = authority();
	cert_free(a.ca);
	key_free(a.ca_key);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &a.ca_key), Q_OK);
	ck_assert_int_eq(cert_make_ca(a.ca_key, "Another", 10, &a.ca), Q_OK);
	put_cert(&a, "cert.pem", 3650, true);
	ck_assert_int_eq(identity_open(store, config_now(), &second, &why), Q_DENIED);
	ck_assert_ptr_nonnull(
	    strstr(why.text, "cert.pem was not issued by the CA in ca.pem"));
	authority_free(&a);
}
END_TEST

START_TEST(configured_files)
{
	char set[128];
	struct why why = {""};
	struct identity *second = NULL;
	struct stat st;

	snprintf(set, sizeof(set), "server.key=%s/mine.pem", dir);
	use(set);
	ck_assert_int_eq(identity_open(store, config_now(), &second, &why), Q_MISSING);
	ck_assert_ptr_nonnull(strstr(why.text, "/mine.pem cannot be read"));
	ck_assert_int_eq(stat(path("key.pem"), &st), -1); /* nothing in its place */
	snprintf(set, sizeof(set), "server.key=%s/server/mine.pem", dir);
	put("mine.pem", pem_load("rsa2048"));
	use(set);
	open_good();
	ck_assert_int_eq(stat(path("key.pem"), &st), -1);
	snprintf(set, sizeof(set), "server.cert=%s/mine.pem", dir);
	use(set);
	ck_assert_int_ne(identity_open(store, config_now(), &second, &why), Q_OK);
	ck_assert_ptr_nonnull(strstr(why.text, "/mine.pem cannot be read"));
}
END_TEST

START_TEST(full_disk)
{
	struct rlimit none = {0, RLIM_INFINITY}, all = {RLIM_INFINITY, RLIM_INFINITY};
	struct why why = {""};

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_ne(identity_open(store, config_now(), &id, &why), Q_OK);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
	ck_assert_ptr_nonnull(strstr(why.text, "cannot make"));
	open_good();
}
END_TEST

/* ---- the enrolment code ---- */

/* A reload makes a new TLS context; who has the old one keeps it. */
START_TEST(tls_contexts)
{
	struct tls_context *first, *again, *other;

	open_good();
	first = identity_tls(id);
	again = identity_tls(id);
	ck_assert_ptr_eq(first, again);
	ck_assert_int_eq(identity_reload(id, store, config_now(), NULL), Q_OK);
	other = identity_tls(id);
	ck_assert_ptr_ne(first, other);
	identity_free(id);
	id = NULL;
	for (int i = 0; i < 3; i++) {
		struct tls_context *c = i == 0 ? first : i == 1 ? again : other;
		struct tls *t = tls_new(c, -1, (struct span){NULL, 0});

		ck_assert_ptr_nonnull(t);
		tls_free(t);
		tls_context_free(c);
	}
}
END_TEST

START_TEST(code)
{
	char first[ENROL_CODE_SIZE], again[ENROL_CODE_SIZE], rotated[ENROL_CODE_SIZE];

	open_good();
	identity_enrol_code(id, first);
	ck_assert_uint_eq(strlen(first), 19);
	for (size_t i = 0; i < 19; i++)
		ck_assert_ptr_nonnull(strchr(
		    i % 5 == 4 ? "-" : "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", first[i]));
	ck_assert_uint_eq(file("enroll-code").len, 20);
	ck_assert_mem_eq(file("enroll-code").p, first, 19);
	open_good();
	identity_enrol_code(id, again);
	ck_assert_str_eq(first, again);
	ck_assert_int_eq(identity_rotate_enrol_code(id, store, rotated, NULL), Q_OK);
	ck_assert_str_ne(first, rotated);
	identity_enrol_code(id, again);
	ck_assert_str_eq(rotated, again);
	ck_assert_mem_eq(file("enroll-code").p, rotated, 19);
	/* By hand, the way people write. */
	put("enroll-code", span_str("  abcd efgh-2345ijkl\r\n"));
	ck_assert_int_eq(identity_reload(id, store, config_now(), NULL), Q_OK);
	identity_enrol_code(id, again);
	ck_assert_str_eq(again, "ABCD-EFGH-2345-IJKL");
}
END_TEST

/* A reload refuses it; a start puts it aside and goes on with a new one. */
START_TEST(broken_code)
{
	char first[ENROL_CODE_SIZE], again[ENROL_CODE_SIZE];
	struct why why = {""};

	open_good();
	identity_enrol_code(id, first);
	put("enroll-code", span_str(_i == 0 ? "1234" : ""));
	ck_assert_int_ne(identity_reload(id, store, config_now(), &why), Q_OK);
	ck_assert_ptr_nonnull(strstr(why.text, "enroll-code holds no enrolment code"));
	ck_assert_uint_eq(file("enroll-code").len, _i == 0 ? 4 : 0);
	identity_enrol_code(id, again);
	ck_assert_str_eq(first, again);
	open_good();
	identity_enrol_code(id, again);
	ck_assert_str_ne(first, again);
	ck_assert_mem_eq(file("enroll-code").p, again, 19);
}
END_TEST

static const char *const no_codes[] = {"",
				       "ABCD-EFGH-2345-IJK",
				       "ABCD-EFGH-2345-IJKLM",
				       "ABCD-EFGH-2345-IJK0",
				       "ABCD-EFGH-2345-IJK1",
				       "ABCD_EFGH_2345_IJKL",
				       "----"};

START_TEST(no_code)
{
	char out[ENROL_CODE_SIZE] = "untouched";

	ck_assert_int_eq(enrol_code_parse(span_str(no_codes[_i]), out), Q_FORMAT);
	ck_assert_int_eq(enrol_code_parse(span_of("ABCD-EFGH-2345-IJK\0", 19), out),
			 Q_FORMAT);
	ck_assert_str_eq(out, "untouched");
}
END_TEST

/* Computed by hand with openssl dgst -sha256 -hmac ABCDEFGH2345IJKL over
 * "enrollalicePEM" and "enrolledalicePEM". */
START_TEST(proofs)
{
	uint8_t proof[SHA256_LEN];
	char hex[HEX_LEN(SHA256_LEN) + 1];

	open_good();
	put("enroll-code", span_str("ABCD-EFGH-2345-IJKL\n"));
	ck_assert_int_eq(identity_reload(id, store, config_now(), NULL), Q_OK);
	ck_assert_int_eq(
	    identity_enrol_proof(id, "enroll", span_str("alice"), span_str("PEM"), proof),
	    Q_OK);
	hex_encode(span_of(proof, sizeof(proof)), hex);
	ck_assert_str_eq(
	    hex, "acf1717bc1277e9862e9f6fd87126c1662bdc53d81fd4cbe3f4b707881cb4141");
	ck_assert_int_eq(identity_enrol_proof(id, "enrolled", span_str("alice"),
					      span_str("PEM"), proof),
			 Q_OK);
	hex_encode(span_of(proof, sizeof(proof)), hex);
	ck_assert_str_eq(
	    hex, "cdc87025e22ae91affed434b3b77ef0cfe7a0bb5cee60fff02477f177ba64f4f");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("identity");
	TCase *c = tcase_create("identity");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, first_start);
	tcase_add_test(c, next_start_changes_nothing);
	tcase_add_loop_test(c, half_a_first_start, 0, 5);
	tcase_add_test(c, rsa_key_of_ones_own);
	tcase_add_loop_test(c, refused, 0, sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(c, reissue);
	tcase_add_test(c, somebody_elses_ca);
	tcase_add_test(c, certificate_of_another_ca);
	tcase_add_test(c, configured_files);
	tcase_add_test(c, full_disk);
	tcase_add_test(c, tls_contexts);
	tcase_add_test(c, code);
	tcase_add_loop_test(c, broken_code, 0, 2);
	tcase_add_loop_test(c, no_code, 0, sizeof(no_codes) / sizeof(no_codes[0]));
	tcase_add_test(c, proofs);
	suite_add_tcase(s, c);
	return unit_main(s);
}
