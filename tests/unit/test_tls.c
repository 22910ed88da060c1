/* SPDX-License-Identifier: MIT
 *
 * TLS between two ends of a socket pair, both moved on by the test: who waits for
 * what, how ends and mistakes look, and that certificates are checked.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/cert.h"
#include "crypto/tls.h"

static struct key *ca_key, *key;
static struct buf ca_pem = BUF_INIT(CERT_PEM_MAX), chain = BUF_INIT(2 * CERT_PEM_MAX);
static struct tls_context *server_side, *client_side;
static int fd[2]; /* the server's, the client's */
static struct tls *server, *client;
static bool server_bulk, client_bulk; /* once the handshake is done */

static void
make_certs(void)
{
	static const char *const dns[] = {"localhost"};
	const struct cert_names names = {dns, 1, NULL, 0};
	struct cert *ca, *cert;

	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &ca_key), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &key), Q_OK);
	ck_assert_int_eq(cert_make_ca(ca_key, "CA", 10, &ca), Q_OK);
	ck_assert_int_eq(cert_issue(ca, ca_key, key, "server", &names, 5, &cert), Q_OK);
	ck_assert_int_eq(cert_pem(ca, &ca_pem), Q_OK);
	ck_assert_int_eq(cert_pem(cert, &chain), Q_OK);
	ck_assert_int_eq(cert_pem(ca, &chain), Q_OK);
	cert_free(cert);
	cert_free(ca);
}

static void
setup(void)
{
	make_certs();
	ck_assert_int_eq(tls_server_context(key, buf_span(&chain), &server_side), Q_OK);
	ck_assert_int_eq(tls_client_context(buf_span(&ca_pem), &client_side), Q_OK);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	server = tls_new(server_side, fd[0], (struct span){NULL, 0});
	client = tls_new(client_side, fd[1], (struct span){NULL, 0});
	ck_assert_ptr_nonnull(server);
	ck_assert_ptr_nonnull(client);
}

static void
teardown(void)
{
	tls_free(server);
	tls_free(client);
	tls_context_free(server_side);
	tls_context_free(client_side);
	for (int i = 0; i < 2; i++)
		if (fd[i] != -1)
			close(fd[i]);
	key_free(key);
	key_free(ca_key);
	buf_free(&ca_pem);
	buf_free(&chain);
}

/* Move both on until both are done or one has failed. */
static void
shake(enum qerr *s, enum qerr *c)
{
	*s = *c = Q_SHORT;
	for (int i = 0; i < 20 && (*s == Q_SHORT || *c == Q_SHORT); i++) {
		if (*c == Q_SHORT)
			*c = tls_handshake(client);
		if (*s == Q_SHORT)
			*s = tls_handshake(server);
	}
}

static void
shake_hands(void)
{
	enum qerr s, c;

	shake(&s, &c);
	ck_assert_int_eq(s, Q_OK);
	ck_assert_int_eq(c, Q_OK);
	if (server_bulk)
		ck_assert_int_eq(tls_bulk(server), Q_OK);
	if (client_bulk)
		ck_assert_int_eq(tls_bulk(client), Q_OK);
}

static void
say(struct tls *t, const char *text)
{
	size_t put;

	ck_assert_int_eq(tls_write(t, text, strlen(text), &put), Q_OK);
	ck_assert_uint_eq(put, strlen(text));
}

static void
hear(struct tls *t, const char *text)
{
	char got[256];
	size_t n;

	ck_assert_int_eq(tls_read(t, got, sizeof(got), &n), Q_OK);
	ck_assert(span_eq(span_of(got, n), span_str(text)));
}

/* ---- when all is well ---- */

START_TEST(both_ways)
{
	char c;
	size_t n = 77;

	shake_hands();
	ck_assert_str_eq(tls_version(server), "TLSv1.3");
	ck_assert_int_eq(tls_read(server, &c, 1, &n), Q_SHORT);
	ck_assert_uint_eq(n, 77);
	say(client, "hello");
	hear(server, "hello");
	say(server, "and back");
	hear(client, "and back");
	ck_assert_str_eq(tls_reason(server), "");
}
END_TEST

/* Small records come many at a time, and nothing is left inside unseen. */
START_TEST(many_records_at_once)
{
	char got[100];
	size_t n;

	shake_hands();
	for (int i = 0; i < 10; i++)
		say(client, "0123456789");
	ck_assert_int_eq(tls_read(server, got, 25, &n), Q_OK);
	ck_assert_uint_eq(n, 25);
	ck_assert(tls_pending(server));
	ck_assert_int_eq(tls_read(server, got, sizeof(got), &n), Q_OK);
	ck_assert_uint_eq(n, 75);
	ck_assert_mem_eq(got, "5678901234", 10);
	ck_assert(!tls_pending(server));
	ck_assert_int_eq(tls_read(server, got, 1, &n), Q_SHORT);
}
END_TEST

/* What was read before TLS began, in every way of cutting it. */
START_TEST(first_bytes_are_used)
{
	uint8_t hello[4096];
	ssize_t n, cut;
	enum qerr s, c;

	ck_assert_int_eq(tls_handshake(client), Q_SHORT);
	n = recv(fd[0], hello, sizeof(hello), 0);
	ck_assert_int_gt(n, 100);
	cut = _i == 0 ? 2 : _i == 1 ? n / 2 : n;
	tls_free(server);
	server = tls_new(server_side, fd[0], span_of(hello, (size_t)cut));
	ck_assert_ptr_nonnull(server);
	ck_assert(tls_pending(server));
	if (cut < n) {
		ck_assert_int_eq(tls_handshake(server), Q_SHORT);
		/* The rest comes by the socket. */
		ck_assert_int_eq(send(fd[1], hello + cut, (size_t)(n - cut), 0), n - cut);
	}
	shake(&s, &c);
	ck_assert_int_eq(s, Q_OK);
	ck_assert_int_eq(c, Q_OK);
	say(client, "x");
	hear(server, "x");
}
END_TEST

/* A socket that is full: the write goes on where it stopped, from another place. */
START_TEST(full_socket)
{
	static uint8_t block[300000], moved[300000], got[300000];
	size_t sent = 0, have = 0, n;
	bool was_full = false;
	enum qerr e;

	shake_hands();
	for (size_t i = 0; i < sizeof(block); i++)
		moved[i] = block[i] = (uint8_t)(i * 7 + i / 251);
	while (have < sizeof(got)) {
		e = Q_OK;
		while (sent < sizeof(block) && e == Q_OK) {
			const uint8_t *from = was_full ? moved : block;

			e = tls_write(client, from + sent, sizeof(block) - sent, &n);
			if (e == Q_OK)
				sent += n;
		}
		if (sent < sizeof(block)) {
			ck_assert_int_eq(e, Q_FULL);
			was_full = true;
		}
		while ((e = tls_read(server, got + have, sizeof(got) - have, &n)) == Q_OK)
			if ((have += n) == sizeof(got))
				break;
	}
	ck_assert(was_full);
	ck_assert_mem_eq(got, block, sizeof(got));
}
END_TEST

/* In bulk: many records go with one send and come with one recv, and one byte stays with
 * the writer until the socket has taken the others. */
START_TEST(records_go_together)
{
	static uint8_t block[100000], got[100000];
	const int small = 4096;
	size_t n, sent, have = 0;
	enum qerr e;

	shake_hands();
	setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	memset(block, 'x', sizeof(block));
	ck_assert_int_eq(tls_write(client, block, sizeof(block), &n), Q_OK);
	ck_assert_uint_eq(n, sizeof(block) - 1);
	sent = n;
	ck_assert_int_eq(tls_write(client, block + n, 1, &n), Q_FULL);
	while (have < sizeof(got)) {
		e = tls_read(server, got + have, sizeof(got) - have, &n);
		if (e == Q_OK)
			have += n;
		else if (sent < sizeof(block) &&
			 tls_write(client, block + sent, 1, &n) == Q_OK)
			sent += n;
	}
	ck_assert_uint_eq(sent, sizeof(block));
	ck_assert_mem_eq(got, block, sizeof(got));
	/* Small ones are not held back. */
	say(client, "a");
	hear(server, "a");
}
END_TEST

/* ---- ends ---- */

START_TEST(orderly_end)
{
	char c;
	size_t n;

	shake_hands();
	say(client, "last");
	tls_close(client);
	hear(server, "last");
	ck_assert_int_eq(tls_read(server, &c, 1, &n), Q_CLOSED);
	ck_assert_int_eq(tls_read(server, &c, 1, &n), Q_CLOSED);
	/* Its other half is open. */
	say(server, "goodbye");
	hear(client, "goodbye");
}
END_TEST

/* A peer that shuts its side without close_notify still hears us. */
START_TEST(bare_end)
{
	char c;
	size_t n;

	shake_hands();
	say(client, "last");
	shutdown(fd[1], SHUT_WR);
	hear(server, "last");
	ck_assert_int_eq(tls_read(server, &c, 1, &n), Q_CLOSED);
	say(server, "goodbye");
	tls_close(server);
	hear(client, "goodbye");
	ck_assert_int_eq(tls_read(client, &c, 1, &n), Q_CLOSED);
}
END_TEST

START_TEST(gone)
{
	size_t n;
	char c;

	shake_hands();
	close(fd[1]);
	fd[1] = -1;
	ck_assert_int_eq(tls_write(server, "x", 1, &n), Q_CLOSED);
	ck_assert_int_eq(tls_read(server, &c, 1, &n), Q_CLOSED);
	tls_close(server); /* harmless */
}
END_TEST

START_TEST(end_in_the_handshake)
{
	ck_assert_int_eq(tls_handshake(client), Q_SHORT);
	ck_assert_int_eq(tls_handshake(server), Q_SHORT);
	close(fd[1]);
	fd[1] = -1;
	ck_assert_int_eq(tls_handshake(server), Q_CLOSED);
	tls_close(server);
}
END_TEST

/* ---- mistakes ---- */

START_TEST(garbage)
{
	static const char record[] =
	    "\x17\x03\x03\x00\x20 this was never encrypted at all";
	char c;
	size_t n;

	shake_hands();
	ck_assert_int_eq(send(fd[1], record, sizeof(record) - 1, 0),
			 (ssize_t)sizeof(record) - 1);
	ck_assert_int_eq(tls_read(server, &c, 1, &n), Q_DENIED);
	ck_assert_str_ne(tls_reason(server), "");
	/* It stays so. */
	ck_assert_int_eq(tls_read(server, &c, 1, &n), Q_DENIED);
	ck_assert_int_eq(tls_write(server, "x", 1, &n), Q_DENIED);
}
END_TEST

START_TEST(garbage_after_something_good)
{
	static const char record[] =
	    "\x17\x03\x03\x00\x20 this was never encrypted at all";
	char got[64];
	size_t n;

	shake_hands();
	say(client, "good");
	ck_assert_int_eq(send(fd[1], record, sizeof(record) - 1, 0),
			 (ssize_t)sizeof(record) - 1);
	ck_assert_int_eq(tls_read(server, got, sizeof(got), &n), Q_OK);
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(tls_read(server, got, sizeof(got), &n), Q_DENIED);
	ck_assert_str_ne(tls_reason(server), "");
}
END_TEST

START_TEST(another_ca)
{
	struct buf other = BUF_INIT(CERT_PEM_MAX);
	struct tls_context *distrusting;
	struct cert *ca;
	enum qerr s, c;

	ck_assert_int_eq(cert_make_ca(ca_key, "Other CA", 10, &ca), Q_OK);
	ck_assert_int_eq(cert_pem(ca, &other), Q_OK);
	ck_assert_int_eq(tls_client_context(buf_span(&other), &distrusting), Q_OK);
	tls_free(client);
	client = tls_new(distrusting, fd[1], (struct span){NULL, 0});
	shake(&s, &c);
	ck_assert_int_eq(c, Q_DENIED);
	ck_assert_ptr_nonnull(strstr(tls_reason(client), "certificate"));
	ck_assert_int_eq(tls_handshake(server), Q_DENIED); /* told by an alert */
	tls_context_free(distrusting);
	cert_free(ca);
	buf_free(&other);
}
END_TEST

/* Without a CA everything is accepted, and can be looked at. */
START_TEST(chain_shown)
{
	struct buf shown = BUF_INIT(2 * CERT_PEM_MAX);
	struct tls_context *trusting;

	ck_assert_int_eq(tls_client_context((struct span){NULL, 0}, &trusting), Q_OK);
	tls_free(client);
	client = tls_new(trusting, fd[1], (struct span){NULL, 0});
	shake_hands();
	ck_assert_int_eq(tls_peer_pem(client, &shown), Q_OK);
	ck_assert(span_eq(buf_span(&shown), buf_span(&chain)));
	tls_context_free(trusting);
	buf_free(&shown);
}
END_TEST

START_TEST(contexts_refused)
{
	struct tls_context *c = NULL;
	struct buf half = BUF_INIT(CERT_PEM_MAX);

	ck_assert_int_eq(tls_server_context(ca_key, buf_span(&chain), &c), Q_DENIED);
	ck_assert_int_eq(tls_server_context(key, (struct span){NULL, 0}, &c), Q_FORMAT);
	ck_assert_int_eq(tls_server_context(key, span_str("no PEM"), &c), Q_FORMAT);
	ck_assert_int_eq(tls_client_context(span_str("no PEM"), &c), Q_FORMAT);
	/* One that is whole and one that is not. */
	ck_assert_int_eq(buf_put(&half, chain.p, chain.len - 100), Q_OK);
	ck_assert_int_eq(tls_server_context(key, buf_span(&half), &c), Q_FORMAT);
	ck_assert_ptr_null(c);
	buf_free(&half);
}
END_TEST

/* Connections keep the context that they began with. */
START_TEST(context_outlives_its_owner)
{
	tls_context_free(server_side);
	tls_context_free(client_side);
	shake_hands();
	say(server, "still here");
	hear(client, "still here");
	server_side = client_side = NULL;
}
END_TEST

/* What carries much has to behave like any other. */
static void
setup_bulk(void)
{
	server_bulk = client_bulk = true;
	setup();
}

static void
setup_bulk_reader(void)
{
	server_bulk = true;
	setup();
}

static void
setup_bulk_writer(void)
{
	client_bulk = true;
	setup();
}

static void
teardown_bulk(void)
{
	server_bulk = client_bulk = false;
	teardown();
}

static void
add_bulk(Suite *s, const char *name, void (*begin)(void))
{
	TCase *c = tcase_create(name);

	tcase_add_checked_fixture(c, begin, teardown_bulk);
	tcase_add_test(c, both_ways);
	tcase_add_test(c, many_records_at_once);
	tcase_add_loop_test(c, first_bytes_are_used, 0, 3);
	tcase_add_test(c, full_socket);
	tcase_add_test(c, orderly_end);
	tcase_add_test(c, bare_end);
	tcase_add_test(c, gone);
	tcase_add_test(c, garbage_after_something_good);
	if (begin != setup_bulk_reader)
		tcase_add_test(c, records_go_together);
	suite_add_tcase(s, c);
}

int
main(void)
{
	Suite *s = suite_create("tls");
	TCase *c = tcase_create("tls");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, both_ways);
	tcase_add_test(c, many_records_at_once);
	tcase_add_loop_test(c, first_bytes_are_used, 0, 3);
	tcase_add_test(c, full_socket);
	tcase_add_test(c, orderly_end);
	tcase_add_test(c, bare_end);
	tcase_add_test(c, gone);
	tcase_add_test(c, end_in_the_handshake);
	tcase_add_test(c, garbage);
	tcase_add_test(c, garbage_after_something_good);
	tcase_add_test(c, another_ca);
	tcase_add_test(c, chain_shown);
	tcase_add_test(c, contexts_refused);
	tcase_add_test(c, context_outlives_its_owner);
	suite_add_tcase(s, c);
	add_bulk(s, "in bulk", setup_bulk);
	add_bulk(s, "reading in bulk", setup_bulk_reader);
	add_bulk(s, "writing in bulk", setup_bulk_writer);
	return unit_main(s);
}
