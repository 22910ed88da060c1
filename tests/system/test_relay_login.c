/* SPDX-License-Identifier: MIT
 *
 * relay: who gets in and who does not; keys that come as files.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "tests/system/relay_peer.h"

static struct harness *h;
static struct peer *bob;

static void
begin(void)
{
	h = harness_start(NULL);
	harness_add_users(h, "alice", "bob", NULL);
	bob = peer_login(h, "bob");
}

static void
end(void)
{
	peer_expect_list(bob, ""); /* nobody got in, and bob is still there */
	peer_free(bob);
	harness_free(h);
}

/* Log in as name with key; refused without a word. */
static void
refused(const char *name, const struct key *key)
{
	struct peer *p = peer_connect(h);

	peer_hello(p, name);
	peer_prove(p, key);
	peer_expect_end(p);
	peer_free(p);
}

static void
accepted(const char *name, const struct key *key)
{
	struct peer *p = peer_connect(h);

	peer_hello(p, name);
	peer_prove(p, key);
	peer_expect_list(p, "bob");
	peer_send_bare(p, RELAY_LOGOUT);
	peer_expect_end(p);
	peer_free(p);
}

static void
public_pem(const struct key *key, struct buf *out)
{
	ck_assert_int_eq(key_public_pem(key, out), Q_OK);
}

/* ---- step 3 ---- */

START_TEST(wrong_key)
{
	begin();
	refused("alice", harness_key(h, "bob"));
	accepted("alice", harness_key(h, "alice"));
	end();
}
END_TEST

/* A stranger is answered as a user is, and cannot tell the difference. */
START_TEST(unknown_user_fails_at_step_three)
{
	struct peer *known, *unknown;
	struct relay_server_hello m;
	struct span a, b;

	begin();
	known = peer_connect(h);
	unknown = peer_connect(h);
	peer_hello_send(known, "alice");
	peer_hello_send(unknown, "nobody");
	a = peer_expect_clear(known, RELAY_SERVER_HELLO);
	ck_assert_int_eq(relay_server_hello_parse(a, &m), Q_OK);
	b = peer_expect_clear(unknown, RELAY_SERVER_HELLO);
	/* The same but for the DER length of two ECDSA integers. */
	ck_assert_int_le(labs((long)a.len - (long)b.len), 4);
	ck_assert_int_eq(relay_server_hello_parse(b, &m), Q_OK);
	peer_free(known);
	peer_free(unknown);
	refused("nobody", harness_key(h, "alice"));
	end();
}
END_TEST

static const char *const no_names[] = {
    "",    "../alice", "alice/",
    "a b", ".alice",   "a-name-that-is-longer-than-any-name-may-be"};

START_TEST(no_name_at_all)
{
	struct peer *p;

	begin();
	p = peer_connect(h);
	peer_hello_send(p, no_names[_i]);
	/* Refused at once or treated as unknown: it never gets in. */
	HARNESS_UNTIL(peer_readable(p));
	peer_try_raw(p, span_of("\xfc\xff\xff\xff\x24\x01\x00\x00", 8));
	peer_drain(p);
	peer_free(p);
	end();
}
END_TEST

START_TEST(visible_only_after_step_three)
{
	struct peer *alice;

	begin();
	alice = peer_connect(h);
	peer_hello(alice, "alice");
	peer_expect_list(bob, "");
	peer_request(bob, "alice");
	peer_expect_bare(bob, RELAY_CHAT_DENIED);
	peer_prove(alice, harness_key(h, "alice"));
	peer_expect_nothing(alice);
	peer_expect_list(bob, "alice");
	peer_send_bare(alice, RELAY_LOGOUT);
	peer_expect_end(alice);
	peer_free(alice);
	end();
}
END_TEST

/* ---- a 292 that is not right ---- */

enum flaw {
	OTHER_NONCE,
	CHANGED_SIGNATURE,
	CUT_SIGNATURE,
	NO_SIGNATURE,
	RSA_EPHEMERAL,
	P384_EPHEMERAL,
	OFF_CURVE,
	GARBAGE_EPHEMERAL,
	NO_EPHEMERAL,
	SURPLUS_BYTE,
	FLAWS
};

/* The public half of a fresh P-384 key: a good key of the wrong curve. */
static void
p384_pem(struct buf *out)
{
	EVP_PKEY *key = EVP_EC_gen("P-384");
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	ck_assert(key != NULL && bio != NULL && PEM_write_bio_PUBKEY(bio, key) == 1);
	n = BIO_get_mem_data(bio, &p);
	ck_assert_int_eq(buf_put(out, p, (size_t)n), Q_OK);
	BIO_free(bio);
	EVP_PKEY_free(key);
}

static void
ephemeral(enum flaw flaw, struct peer *p, struct buf *pem)
{
	struct key *rsa;

	switch (flaw) {
	case RSA_EPHEMERAL:
		ck_assert_int_eq(key_generate(KEY_RSA, KEY_RSA_MIN_BITS, &rsa), Q_OK);
		public_pem(rsa, pem);
		key_free(rsa);
		break;
	case P384_EPHEMERAL: p384_pem(pem); break;
	case OFF_CURVE:
		/* P-256, uncompressed, x = y = all zero bits: on no curve. */
		ck_assert_int_eq(buf_put_str(pem, "-----BEGIN PUBLIC KEY-----\n"
						  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAA"
						  "AAAAAAAAAAAAAAAAAAAAAAAAAA\n"
						  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
						  "AAAAAAAAAAAAAAAAAAAAAAAA==\n"
						  "-----END PUBLIC KEY-----\n"),
				 Q_OK);
		break;
	case GARBAGE_EPHEMERAL: ck_assert_int_eq(buf_put_str(pem, "no key"), Q_OK); break;
	case NO_EPHEMERAL: break;
	default: ck_assert_int_eq(buf_put_span(pem, kex_pem(p->kex)), Q_OK); break;
	}
}

START_TEST(flawed_proof)
{
	enum flaw flaw = (enum flaw)_i;
	struct buf pem = BUF_INIT(4096), out = BUF_INIT(RELAY_CLEAR_MAX);
	uint8_t nonce[4], sign[KEY_SIGN_MAX];
	struct relay_proof m;
	struct peer *p;
	size_t len;

	begin();
	p = peer_connect(h);
	peer_hello(p, "alice");
	ephemeral(flaw, p, &pem);
	relay_nonce_bytes(p->nonce_from + (flaw == OTHER_NONCE), nonce);
	ck_assert_int_eq(key_sign(harness_key(h, "alice"),
				  (struct span[]){buf_span(&pem), span_of(nonce, 4)}, 2,
				  sign, &len),
			 Q_OK);
	sign[len - 1] ^= flaw == CHANGED_SIGNATURE;
	m = (struct relay_proof){
	    buf_span(&pem),
	    span_of(sign, flaw == NO_SIGNATURE ? 0 : len - (flaw == CUT_SIGNATURE))};
	ck_assert_int_eq(relay_proof_put(&out, &m), Q_OK);
	if (flaw == SURPLUS_BYTE) {
		ck_assert_int_eq(buf_put_u8(&out, 0), Q_OK);
		le32_put(out.p, le32_get(out.p) - 1);
	}
	peer_send_raw(p, buf_span(&out));
	peer_expect_end(p);
	peer_free(p);
	buf_free(&pem);
	buf_free(&out);
	end();
}
END_TEST

/* ---- clear frames out of their place ---- */

static const int32_t instead[] = {
    RELAY_HELLO, RELAY_SERVER_HELLO, RELAY_ENROL, RELAY_ENROLLED,
    RELAY_LIST,  RELAY_CHAT_REQUEST, 0,           -1};

START_TEST(something_else_instead_of_the_proof)
{
	struct peer *p;

	begin();
	p = peer_connect(h);
	peer_hello(p, "alice");
	peer_send_clear(p, instead[_i],
			span_of("\x07\x00\x00\x00"
				"alice",
				9));
	peer_expect_end(p);
	peer_free(p);
	end();
}
END_TEST

START_TEST(sealed_frame_instead_of_the_proof)
{
	struct peer *p;

	begin();
	p = peer_connect(h);
	peer_hello(p, "alice");
	peer_send_bare(p, RELAY_LIST);
	peer_expect_end(p);
	peer_free(p);
	end();
}
END_TEST

/* ---- behind 292 ---- */

/* What a client does while its proof is checked: it waits, says more, or hangs up. */
enum behind { WAITS, SAYS_MORE, HANGS_UP, BEHINDS };

static void
prove_and(struct peer *p, const struct key *key, enum behind what)
{
	struct buf both = BUF_INIT(65536);

	p->held = &both;
	peer_prove(p, key);
	if (what == SAYS_MORE)
		peer_send_bare(p, RELAY_LOGOUT);
	p->held = NULL;
	peer_send_raw(p, buf_span(&both));
	if (what == HANGS_UP)
		ck_assert_int_eq(shutdown(p->fd, SHUT_WR), 0);
	buf_free(&both);
}

/* A failed login costs its delay, and the connection, whatever is said behind it. */
START_TEST(failure_takes_time)
{
	int64_t since_ms;
	struct peer *p;

	h = harness_start("limits.login_failures=0", NULL);
	harness_add_users(h, "alice", "bob", NULL);
	p = peer_connect(h);
	peer_hello(p, "alice");
	since_ms = clock_mono_ms();
	prove_and(p, harness_key(h, "bob"), (enum behind)_i);
	peer_expect_end(p);
	ck_assert_int_ge(clock_mono_ms() - since_ms, 500);
	ck_assert(harness_logged(h, " reason=\"wrong signature\""));
	peer_free(p);
	harness_free(h);
}
END_TEST

/* How many connections are there? */
static size_t
connections(void)
{
	struct buf told = BUF_INIT(65536);
	size_t lines = 0;

	ck_assert_int_eq(harness_command(h, &told, "ctl", "sessions", NULL), 0);
	for (size_t i = 0; i < told.len; i++)
		lines += told.p[i] == '\n';
	buf_free(&told);
	ck_assert_uint_gt(lines, 0);
	return lines - 1; /* there is a heading */
}

/* Whoever goes before the login is done is gone after it, however it went. */
START_TEST(gone_behind_the_proof)
{
	begin();
	for (int i = 0; i < 12; i++) {
		struct peer *p = peer_connect(h);

		peer_hello(p, "alice");
		prove_and(p, harness_key(h, "alice"), (enum behind)(i % BEHINDS));
		if (i % 4 == 1)
			peer_reset(p);
		else
			peer_free(p);
	}
	HARNESS_UNTIL(connections() == 1);
	accepted("alice", harness_key(h, "alice"));
	end();
}
END_TEST

#define MANY 6

/* Many proofs of one user, checked at the same time: one of them stays. */
START_TEST(proofs_at_once)
{
	struct peer *p[MANY];

	begin();
	for (int i = 0; i < MANY; i++) {
		p[i] = peer_connect(h);
		peer_hello(p[i], "alice");
	}
	for (int i = 0; i < MANY; i++)
		peer_prove(p[i], harness_key(h, "alice"));
	HARNESS_UNTIL(connections() == 2);
	peer_expect_list(bob, "alice");
	for (int i = 0; i < MANY; i++)
		peer_free(p[i]);
	HARNESS_UNTIL(connections() == 1);
	end();
}
END_TEST

/* The server stops, or the user goes, while proofs are checked. */
START_TEST(end_behind_the_proof)
{
	struct peer *p[MANY];

	begin();
	for (int i = 0; i < MANY; i++) {
		p[i] = peer_connect(h);
		peer_hello(p[i], i % 2 == 0 ? "alice" : "bob");
	}
	for (int i = 0; i < MANY; i++)
		peer_prove(p[i], harness_key(h, i % 2 == 0 ? "alice" : "bob"));
	if (_i == 0)
		harness_stop(h);
	else
		harness_admin(h, "user", "remove", "alice", NULL);
	for (int i = 0; i < MANY; i += 2) {
		peer_drain(p[i]);
		peer_free(p[i]);
		peer_free(p[i + 1]);
	}
	peer_free(bob);
	harness_free(h);
}
END_TEST

/* ---- keys as files ---- */

START_TEST(pem_dropped_in_while_running)
{
	begin();
	harness_add_user(h, "carol", KEY_RSA);
	accepted("carol", harness_key(h, "carol"));
	harness_add_user(h, "Dave.Miller", KEY_EC_P256);
	accepted("dave.miller", harness_key(h, "dave.miller"));
	accepted("Dave.Miller", harness_key(h, "dave.miller"));
	end();
}
END_TEST

START_TEST(mixed_case_file_is_shown_as_spelled)
{
	struct peer *eve;

	begin();
	harness_add_user(h, "EVE-2", KEY_EC_P256);
	eve = peer_login(h, "eve-2");
	peer_expect_list(bob, "EVE-2");
	peer_send_bare(eve, RELAY_LOGOUT);
	peer_expect_end(eve);
	peer_free(eve);
	end();
}
END_TEST

START_TEST(pem_replaced_while_running)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct key *fresh;

	begin();
	accepted("alice", harness_key(h, "alice"));
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &fresh), Q_OK);
	public_pem(fresh, &pem);
	harness_write(h, "pems/alice.pem", buf_span(&pem));
	refused("alice", harness_key(h, "alice"));
	accepted("alice", fresh);
	key_free(fresh);
	buf_free(&pem);
	end();
}
END_TEST

static const char *const no_pems[] = {
    "", "no key at all\n",
    "-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n"};

START_TEST(pem_that_is_no_key)
{
	begin();
	harness_write(h, "pems/carol.pem", span_str(no_pems[_i]));
	refused("carol", harness_key(h, "alice"));
	/* Mended, it counts. */
	harness_add_user(h, "carol", KEY_EC_P256);
	accepted("carol", harness_key(h, "carol"));
	end();
}
END_TEST

START_TEST(user_added_by_command)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX), said = BUF_INIT(4096);
	char path[HARNESS_PATH + 16];

	begin();
	public_pem(harness_key(h, "alice"), &pem);
	harness_write(h, "../carol.pem", buf_span(&pem));
	snprintf(path, sizeof(path), "%s/carol.pem", h->dir);
	ck_assert_int_eq(
	    harness_command(h, &said, "user", "add", "Carol", "--key", path, NULL), 0);
	ck_assert(memmem(said.p, said.len, "uin: ", 5) != NULL);
	accepted("carol", harness_key(h, "alice"));
	/* Names are taken in any case of letters. */
	ck_assert_int_ne(
	    harness_command(h, NULL, "user", "add", "CAROL", "--key", path, NULL), 0);
	said.len = 0;
	ck_assert_int_eq(harness_command(h, &said, "user", "list", NULL), 0);
	ck_assert(memmem(said.p, said.len, "Carol", 5) != NULL);
	ck_assert(memmem(said.p, said.len, "alice", 5) != NULL);
	buf_free(&pem);
	buf_free(&said);
	end();
}
END_TEST

#define LOOP(tc, fn, rows) \
	tcase_add_loop_test(tc, fn, 0, (int)(sizeof(rows) / sizeof((rows)[0])))

int
main(void)
{
	Suite *s = suite_create("relay login");
	TCase *tc = harness_case(s, "login");

	tcase_add_test(tc, wrong_key);
	tcase_add_test(tc, unknown_user_fails_at_step_three);
	LOOP(tc, no_name_at_all, no_names);
	tcase_add_test(tc, visible_only_after_step_three);
	tcase_add_loop_test(tc, flawed_proof, 0, FLAWS);
	LOOP(tc, something_else_instead_of_the_proof, instead);
	tcase_add_test(tc, sealed_frame_instead_of_the_proof);
	tc = harness_case(s, "behind");
	tcase_add_loop_test(tc, failure_takes_time, WAITS, BEHINDS);
	tcase_add_test(tc, gone_behind_the_proof);
	tcase_add_test(tc, proofs_at_once);
	tcase_add_loop_test(tc, end_behind_the_proof, 0, 2);
	tc = harness_case(s, "keys");
	tcase_add_test(tc, pem_dropped_in_while_running);
	tcase_add_test(tc, mixed_case_file_is_shown_as_spelled);
	tcase_add_test(tc, pem_replaced_while_running);
	LOOP(tc, pem_that_is_no_key, no_pems);
	tcase_add_test(tc, user_added_by_command);
	return harness_main(s);
}
