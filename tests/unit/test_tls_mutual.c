/* SPDX-License-Identifier: MIT
 *
 * TLS on which both sides show a certificate: whom each lets in is the judge's word
 * alone, and it is said with an alert.
 */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/cert.h"
#include "crypto/tls.h"

/* What a judge was shown, and what it is to say. */
struct bench {
	bool welcome;
	int asked;
	char name[CERT_NAME_MAX + 1];
	struct key *key;
};

struct side {
	struct key *key;
	struct tls_context *context;
	struct tls *tls;
	struct bench bench;
	int fd;
};
static struct side left, right; /* right is TLS's server */

static bool
judge(void *arg, const struct cert *peer)
{
	struct bench *b = arg;

	b->asked++;
	ck_assert_int_eq(cert_common_name(peer, b->name), Q_OK);
	ck_assert_int_eq(cert_key(peer, &b->key), Q_OK);
	return b->welcome;
}

static void
side_open(struct side *s, bool server, const char *name, int fd)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	struct cert *cert;

	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &s->key), Q_OK);
	/* Dates are not looked at: this one has run out. */
	ck_assert_int_eq(cert_make_self(s->key, name, -1, &cert), Q_OK);
	ck_assert_int_eq(cert_pem(cert, &pem), Q_OK);
	ck_assert_int_eq(tls_mutual_context(server, s->key, buf_span(&pem), &s->context),
			 Q_OK);
	s->fd = fd;
	s->tls = tls_new(s->context, fd, (struct span){NULL, 0});
	ck_assert_ptr_nonnull(s->tls);
	s->bench = (struct bench){.welcome = true};
	tls_judge(s->tls, judge, &s->bench);
	cert_free(cert);
	buf_free(&pem);
}

static void
side_close(struct side *s)
{
	tls_free(s->tls);
	tls_context_free(s->context);
	key_free(s->key);
	key_free(s->bench.key);
	close(s->fd);
}

static void
setup(void)
{
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	side_open(&left, false, "left", fd[0]);
	side_open(&right, true, "Réchts", fd[1]);
}

static void
teardown(void)
{
	side_close(&left);
	side_close(&right);
}

static void
shake(enum qerr *l, enum qerr *r)
{
	*l = *r = Q_SHORT;
	for (int i = 0; i < 20 && (*l == Q_SHORT || *r == Q_SHORT); i++) {
		if (*l == Q_SHORT)
			*l = tls_handshake(left.tls);
		if (*r == Q_SHORT)
			*r = tls_handshake(right.tls);
	}
}

START_TEST(both_are_judged_once)
{
	enum qerr l, r;
	char got[8];
	size_t n;

	shake(&l, &r);
	ck_assert_int_eq(l, Q_OK);
	ck_assert_int_eq(r, Q_OK);
	ck_assert_int_eq(left.bench.asked, 1);
	ck_assert_int_eq(right.bench.asked, 1);
	ck_assert_str_eq(left.bench.name, "Réchts");
	ck_assert_str_eq(right.bench.name, "left");
	ck_assert(key_same(left.bench.key, right.key));
	ck_assert(key_same(right.bench.key, left.key));
	ck_assert_int_eq(tls_write(left.tls, "hi", 2, &n), Q_OK);
	ck_assert_int_eq(tls_read(right.tls, got, sizeof(got), &n), Q_OK);
	ck_assert_uint_eq(n, 2);
}
END_TEST

/* TLS's client refuses in the handshake, and the other side is told. */
START_TEST(the_client_refuses)
{
	enum qerr l, r;

	left.bench.welcome = false;
	shake(&l, &r);
	ck_assert_int_eq(l, Q_DENIED);
	ck_assert_int_eq(r, Q_DENIED);
	ck_assert_int_eq(right.bench.asked, 0);
	ck_assert_str_ne(tls_reason(right.tls), "");
}
END_TEST

/* TLS's server refuses when its client has done its part already: the client meets the
 * alert with its first read. */
START_TEST(the_server_refuses)
{
	enum qerr l, r;
	char c;
	size_t n;

	right.bench.welcome = false;
	shake(&l, &r);
	ck_assert_int_eq(r, Q_DENIED);
	ck_assert(l == Q_DENIED || tls_read(left.tls, &c, 1, &n) == Q_DENIED);
}
END_TEST

START_TEST(without_a_judge)
{
	enum qerr l, r;

	tls_judge(left.tls, NULL, NULL);
	shake(&l, &r);
	ck_assert_int_eq(l, Q_DENIED);
}
END_TEST

START_TEST(without_a_certificate)
{
	struct tls_context *bare;
	enum qerr l, r;

	ck_assert_int_eq(tls_client_context((struct span){NULL, 0}, &bare), Q_OK);
	tls_free(left.tls);
	left.tls = tls_new(bare, left.fd, (struct span){NULL, 0});
	shake(&l, &r);
	ck_assert_int_eq(r, Q_DENIED);
	ck_assert_int_eq(right.bench.asked, 0);
	tls_context_free(bare);
}
END_TEST

/* What either side shows can be had afterwards as well. */
START_TEST(shown_afterwards)
{
	struct buf pem = BUF_INIT(2 * CERT_PEM_MAX);
	struct cert *cert;
	struct key *key;
	enum qerr l, r;

	shake(&l, &r);
	ck_assert_int_eq(tls_peer_pem(right.tls, &pem), Q_OK);
	ck_assert_int_eq(cert_parse(buf_span(&pem), &cert), Q_OK);
	ck_assert_int_eq(cert_key(cert, &key), Q_OK);
	ck_assert(key_same(key, left.key));
	key_free(key);
	cert_free(cert);
	buf_free(&pem);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls_mutual");
	TCase *c = tcase_create("mutual");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, both_are_judged_once);
	tcase_add_test(c, the_client_refuses);
	tcase_add_test(c, the_server_refuses);
	tcase_add_test(c, without_a_judge);
	tcase_add_test(c, without_a_certificate);
	tcase_add_test(c, shown_afterwards);
	suite_add_tcase(s, c);
	return unit_main(s);
}
