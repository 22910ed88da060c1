/* SPDX-License-Identifier: MIT
 *
 * relay: enrolment, right and wrong (docs/protocols/relay.md, "Enrolment").
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "crypto/hash.h"
#include "tests/system/relay_peer.h"

static struct harness *h;
static struct key *key;
static struct buf pem = BUF_INIT(KEY_PEM_MAX);
static char code[20];

static void
begin(const char *setting)
{
	h = harness_start(setting, NULL);
	harness_enrol_code(h, code);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &key), Q_OK);
	ck_assert_int_eq(key_public_pem(key, &pem), Q_OK);
}

static void
end(void)
{
	key_free(key);
	buf_free(&pem);
	harness_free(h);
}

/* HMAC-SHA256(code without dashes; label || name || pem) */
static void
proof(const char *with_code, const char *label, struct span name, struct span of,
      uint8_t out[SHA256_LEN])
{
	struct span parts[] = {span_str(label), name, of};
	char plain[20];
	size_t n = 0;

	for (const char *c = with_code; *c != '\0'; c++)
		if (*c != '-')
			plain[n++] = *c;
	ck_assert_uint_eq(n, 16);
	ck_assert_int_eq(hmac_sha256(span_of(plain, n), parts, 3, out), Q_OK);
}

static void
ask(struct peer *p, struct span name, struct span of, const char *with_code)
{
	struct buf out = BUF_INIT(RELAY_CLEAR_MAX);
	uint8_t sum[SHA256_LEN];
	struct relay_enrol m = {name, of, {sum, sizeof(sum)}};

	proof(with_code, "enroll", name, of, sum);
	ck_assert_int_eq(relay_enrol_put(&out, &m), Q_OK);
	peer_send_raw(p, buf_span(&out));
	buf_free(&out);
}

/* The answer's status.  A success must bring the CA, with the server's own
 * proof; a refusal must bring neither. */
static int
answer(struct peer *p, struct span name, const char *with_code)
{
	struct buf ca = BUF_INIT(65536);
	uint8_t sum[SHA256_LEN] = {0};
	struct relay_enrolled m;

	ck_assert_int_eq(relay_enrolled_parse(peer_expect_clear(p, RELAY_ENROLLED), &m),
			 Q_OK);
	if (m.status == RELAY_ENROL_DONE) {
		ck_assert(harness_read(h, "server/ca.pem", &ca));
		proof(with_code, "enrolled", name, m.ca, sum);
	}
	ck_assert(span_eq(m.ca, buf_span(&ca)));
	ck_assert(span_eq(m.proof, span_of(sum, sizeof(sum))));
	buf_free(&ca);
	return m.status;
}

static int
enrol_as(struct span name, struct span of, const char *with_code)
{
	struct peer *p = peer_connect(h);
	int status;

	ask(p, name, of, with_code);
	status = answer(p, name, with_code);
	peer_free(p);
	return status;
}

static int
enrol(const char *name)
{
	return enrol_as(span_str(name), buf_span(&pem), code);
}

/* The user can log in with the key. */
static void
can_log_in(const char *name)
{
	struct peer *p = peer_connect(h);

	peer_hello(p, name);
	peer_prove(p, key);
	peer_expect_list(p, "");
	peer_send_bare(p, RELAY_LOGOUT);
	peer_expect_end(p);
	peer_free(p);
}

START_TEST(enrolled_and_logged_in)
{
	begin(NULL);
	ck_assert_int_eq(enrol("alice"), RELAY_ENROL_DONE);
	can_log_in("alice");
	ck_assert_int_eq(enrol("Bob-2.x"), RELAY_ENROL_DONE);
	can_log_in("bob-2.X");
	/* What was acknowledged survives the worst. */
	harness_kill(h);
	harness_restart(h);
	can_log_in("alice");
	end();
}
END_TEST

START_TEST(with_an_rsa_key)
{
	begin(NULL);
	key_free(key);
	pem.len = 0;
	ck_assert_int_eq(key_generate(KEY_RSA, KEY_RSA_MIN_BITS, &key), Q_OK);
	ck_assert_int_eq(key_public_pem(key, &pem), Q_OK);
	ck_assert_int_eq(enrol("alice"), RELAY_ENROL_DONE);
	can_log_in("alice");
	end();
}
END_TEST

START_TEST(name_taken)
{
	begin(NULL);
	ck_assert_int_eq(enrol("alice"), RELAY_ENROL_DONE);
	ck_assert_int_eq(enrol("alice"), RELAY_ENROL_NAME_TAKEN);
	ck_assert_int_eq(enrol("ALICE"), RELAY_ENROL_NAME_TAKEN);
	harness_add_users(h, "Carol", NULL); /* a PEM alone makes a user */
	ck_assert_int_eq(enrol("carol"), RELAY_ENROL_NAME_TAKEN);
	can_log_in("alice");
	end();
}
END_TEST

START_TEST(wrong_proof)
{
	begin(NULL);
	ck_assert_int_eq(
	    enrol_as(span_str("alice"), buf_span(&pem), "AAAA-BBBB-CCCC-DDDD"),
	    RELAY_ENROL_WRONG_PROOF);
	/* Who does not know the code does not learn which names exist. */
	ck_assert_int_eq(enrol("alice"), RELAY_ENROL_DONE);
	ck_assert_int_eq(
	    enrol_as(span_str("alice"), buf_span(&pem), "AAAA-BBBB-CCCC-DDDD"),
	    RELAY_ENROL_WRONG_PROOF);
	end();
}
END_TEST

START_TEST(closed)
{
	begin("relay.enrol=no");
	ck_assert_int_eq(enrol("alice"), RELAY_ENROL_CLOSED);
	ck_assert_int_eq(
	    enrol_as(span_str("alice"), buf_span(&pem), "AAAA-BBBB-CCCC-DDDD"),
	    RELAY_ENROL_CLOSED);
	end();
}
END_TEST

static const char *const bad_names[] = {"",
					"../alice",
					".hidden",
					"a b",
					"-x",
					"al\u00edce",
					"a-name-that-is-longer-than-any-name-may-be"};

START_TEST(bad_name)
{
	begin(NULL);
	ck_assert_int_eq(enrol(bad_names[_i]), RELAY_ENROL_BAD);
	ck_assert_int_eq(enrol("alice"), RELAY_ENROL_DONE);
	end();
}
END_TEST

/* Public keys that relay does not take: too short, or of another curve. */
static void
weak_pem(EVP_PKEY *weak, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	ck_assert(weak != NULL && bio != NULL && PEM_write_bio_PUBKEY(bio, weak) == 1);
	n = BIO_get_mem_data(bio, &p);
	ck_assert_int_eq(buf_put(out, p, (size_t)n), Q_OK);
	BIO_free(bio);
	EVP_PKEY_free(weak);
}

START_TEST(bad_key)
{
	struct buf bad = BUF_INIT(KEY_PEM_MAX);

	begin(NULL);
	switch (_i) {
	case 0: break;
	case 1: ck_assert_int_eq(buf_put_str(&bad, "no key"), Q_OK); break;
	case 2: weak_pem(EVP_RSA_gen(1024), &bad); break;
	case 3: weak_pem(EVP_EC_gen("P-384"), &bad); break;
	case 4: /* a private key is not to be sent, and not taken */
		ck_assert_int_eq(key_private_pem(key, NULL, &bad), Q_OK);
		break;
	default: break;
	}
	ck_assert_int_eq(enrol_as(span_str("alice"), buf_span(&bad), code),
			 RELAY_ENROL_BAD);
	ck_assert_int_eq(enrol("alice"), RELAY_ENROL_DONE);
	buf_free(&bad);
	end();
}
END_TEST

START_TEST(wrong_proofs_are_limited)
{
	int status = RELAY_ENROL_WRONG_PROOF, tries = 0;

	begin("limits.enrolments=3");
	while (status == RELAY_ENROL_WRONG_PROOF && tries++ < 10)
		status =
		    enrol_as(span_str("alice"), buf_span(&pem), "AAAA-BBBB-CCCC-DDDD");
	ck_assert_int_eq(status, RELAY_ENROL_LATER);
	ck_assert_int_eq(tries, 4);
	/* Who knows the code is not locked out by others' typing. */
	ck_assert_int_eq(enrol("alice"), RELAY_ENROL_DONE);
	end();
}
END_TEST

/* Those who know the code make no more accounts from an address than others. */
START_TEST(accounts_are_limited)
{
	begin("limits.accounts=2");
	ck_assert_int_eq(enrol("alice"), RELAY_ENROL_DONE);
	ck_assert_int_eq(enrol("Bob-2.x"), RELAY_ENROL_DONE);
	ck_assert_int_eq(enrol("carol"), RELAY_ENROL_LATER);
	end();
}
END_TEST

START_TEST(rotated_code)
{
	char old[20];

	begin(NULL);
	memcpy(old, code, sizeof(old));
	harness_admin(h, "enroll-code", "--rotate", NULL);
	harness_enrol_code(h, code);
	ck_assert_str_ne(old, code);
	ck_assert_int_eq(enrol_as(span_str("alice"), buf_span(&pem), old),
			 RELAY_ENROL_WRONG_PROOF);
	ck_assert_int_eq(enrol("alice"), RELAY_ENROL_DONE);
	end();
}
END_TEST

START_TEST(code_is_printed_at_the_first_start)
{
	begin(NULL);
	ck_assert(memmem(h->out.p, h->out.len, code, 19) != NULL);
	for (int i = 0; i < 19; i++)
		ck_assert(i % 5 == 4 ? code[i] == '-'
				     : strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
					      code[i]) != NULL);
	end();
}
END_TEST

/* 280, then 290, on one connection: enrolled and logged in at one go. */
START_TEST(logs_in_on_the_same_connection)
{
	struct peer *p;

	begin(NULL);
	p = peer_connect(h);
	ask(p, span_str("alice"), buf_span(&pem), code);
	ck_assert_int_eq(answer(p, span_str("alice"), code), RELAY_ENROL_DONE);
	peer_hello(p, "alice");
	peer_prove(p, key);
	peer_expect_list(p, "");
	peer_free(p);
	end();
}
END_TEST

/* Only once, and only in its place. */
START_TEST(only_in_its_place)
{
	struct peer *p;

	begin(NULL);
	p = peer_connect(h);
	ask(p, span_str("bob"), buf_span(&pem), "AAAA-BBBB-CCCC-DDDD");
	ck_assert_int_eq(answer(p, span_str("bob"), code), RELAY_ENROL_WRONG_PROOF);
	ask(p, span_str("bob"), buf_span(&pem), code);
	peer_expect_end(p);
	peer_free(p);
	p = peer_connect(h);
	peer_hello(p, "bob");
	ask(p, span_str("bob"), buf_span(&pem), code);
	peer_expect_end(p);
	peer_free(p);
	ck_assert_int_eq(enrol("bob"), RELAY_ENROL_DONE);
	end();
}
END_TEST

#define LOOP(tc, fn, rows) \
	tcase_add_loop_test(tc, fn, 0, (int)(sizeof(rows) / sizeof((rows)[0])))

int
main(void)
{
	Suite *s = suite_create("relay enrol");
	TCase *tc = harness_case(s, "enrol");

	tcase_add_test(tc, enrolled_and_logged_in);
	tcase_add_test(tc, with_an_rsa_key);
	tcase_add_test(tc, name_taken);
	tcase_add_test(tc, wrong_proof);
	tcase_add_test(tc, closed);
	LOOP(tc, bad_name, bad_names);
	tcase_add_loop_test(tc, bad_key, 0, 5);
	tcase_add_test(tc, wrong_proofs_are_limited);
	tcase_add_test(tc, accounts_are_limited);
	tcase_add_test(tc, rotated_code);
	tcase_add_test(tc, code_is_printed_at_the_first_start);
	tcase_add_test(tc, logs_in_on_the_same_connection);
	tcase_add_test(tc, only_in_its_place);
	return harness_main(s);
}
