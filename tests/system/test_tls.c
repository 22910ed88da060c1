/* SPDX-License-Identifier: MIT
 *
 * TLS on the one port: what is inside is served as it is without; what is broken, old
 * or slow is refused and disturbs nobody.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "tests/system/relay_peer.h"
#include "tests/system/tls_peer.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* peer_login, inside TLS. */
static struct peer *
tls_login(struct harness *h, const char *name, int version)
{
	struct peer *p = peer_connect(h);

	p->fd = tls_peer_pump(tls_peer_handshake(h, p->fd, version));
	peer_hello(p, name);
	peer_prove(p, harness_key(h, name));
	peer_expect_nothing(p);
	return p;
}

/* ---- relay inside ---- */

START_TEST(relay_over_tls)
{
	struct harness *h = harness_start(NULL);
	static uint8_t text[60000];
	struct peer *alice, *bob, *carol;

	harness_add_users(h, "alice", "bob", "carol", NULL);
	alice = tls_login(h, "alice", versions[_i]);
	bob = tls_login(h, "bob", versions[_i]);
	carol = peer_login(h, "carol"); /* in the clear, beside them */
	peer_expect_list(carol, "alice bob");
	peer_chat(alice, bob);
	peer_talk(alice, bob);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 31);
	for (int i = 0; i < 20; i++) {
		peer_say(alice, span_of(text, sizeof(text)));
		peer_hear(bob, span_of(text, sizeof(text)));
		peer_say(bob, span_of(text, (size_t)i));
		peer_hear(alice, span_of(text, (size_t)i));
	}
	peer_end_chat(alice, bob);
	peer_chat(carol, bob); /* one with TLS, one without */
	peer_talk(bob, carol);
	peer_send_bare(alice, RELAY_LOGOUT);
	peer_expect_end(alice);
	peer_free(alice);
	peer_free(bob);
	peer_free(carol);
	harness_free(h);
}
END_TEST

/* The farewell comes through TLS, and so does its end. */
START_TEST(farewell_inside)
{
	struct harness *h = harness_start(NULL);
	struct peer *alice;

	harness_add_users(h, "alice", NULL);
	alice = tls_login(h, "alice", versions[_i]);
	harness_admin(h, "ctl", "kick", "alice", "enough", NULL);
	peer_expect_forced_logout(alice);
	peer_free(alice);
	alice = tls_login(h, "alice", versions[_i]);
	harness_stop(h);
	peer_expect_forced_logout(alice);
	peer_free(alice);
	harness_free(h);
}
END_TEST

/* A reader that stops gets everything once it goes on: more than the sockets and the
 * pump hold together. */
#define PIECES 40

START_TEST(slow_reader_inside)
{
	struct harness *h = harness_start("limits.outbox=4MiB", NULL);
	static uint8_t text[60000];
	struct peer *alice, *bob;

	harness_add_users(h, "alice", "bob", NULL);
	alice = tls_login(h, "alice", versions[_i]);
	bob = tls_login(h, "bob", versions[_i]);
	peer_chat(alice, bob);
	for (int i = 0; i < PIECES; i++) {
		memset(text, 'a' + i % 26, sizeof(text));
		peer_say(alice, span_of(text, sizeof(text)));
	}
	peer_expect_list(alice, ""); /* all of it has been dealt with */
	for (int i = 0; i < PIECES; i++) {
		memset(text, 'a' + i % 26, sizeof(text));
		peer_hear(bob, span_of(text, sizeof(text)));
	}
	peer_talk(bob, alice);
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}
END_TEST

/* Both send without reading until the server makes them wait, then both read: no two
 * workers may wait for each other. */
#define MANY 500 /* some 30 MB: more than the kernel holds */

START_TEST(both_send_before_they_read)
{
	struct harness *h =
	    harness_start("limits.outbox=64KiB", "limits.sender_wait=20s", NULL);
	static uint8_t text[60000];
	struct buf a = BUF_INIT(SIZE_MAX / 2), b = BUF_INIT(SIZE_MAX / 2);
	struct span left[2];
	struct peer *alice, *bob;
	int heard[2] = {0, 0};

	harness_add_users(h, "alice", "bob", NULL);
	alice = tls_login(h, "alice", versions[_i]);
	bob = tls_login(h, "bob", versions[_i]);
	peer_chat(alice, bob);
	for (int i = 0; i < MANY; i++) {
		peer_say_into(alice, &a, span_of(text, sizeof(text)));
		peer_say_into(bob, &b, span_of(text, sizeof(text)));
	}
	left[0] = buf_span(&a);
	left[1] = buf_span(&b);
	/* Fill what can be filled without reading. */
	for (int stuck = 0; stuck < 100;) {
		size_t n = peer_try_raw(alice, left[0]), m = peer_try_raw(bob, left[1]);

		left[0] = span_of(left[0].p + n, left[0].len - n);
		left[1] = span_of(left[1].p + m, left[1].len - m);
		stuck = n + m > 0 ? 0 : stuck + 1;
		usleep(5000);
	}
	ck_assert_uint_gt(left[0].len, 0);
	ck_assert_uint_gt(left[1].len, 0);
	while (heard[0] < MANY || heard[1] < MANY) {
		struct peer *p[2] = {alice, bob};

		for (int i = 0; i < 2; i++) {
			size_t n = peer_try_raw(p[i], left[i]);

			left[i] = span_of(left[i].p + n, left[i].len - n);
			if (heard[i] < MANY && peer_readable(p[i])) {
				peer_hear(p[i], span_of(text, sizeof(text)));
				heard[i]++;
			}
		}
	}
	buf_free(&a);
	buf_free(&b);
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}
END_TEST

/* ---- handshakes that go wrong ---- */

/* Read until the end, within the deadline; how many bytes came. */
static size_t
read_to_end(int fd)
{
	int64_t deadline = harness_deadline(HARNESS_WAIT);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char scrap[4096];
	size_t total = 0;
	ssize_t n;

	for (;;) {
		if (poll(&p, 1, clock_left_ms(deadline)) <= 0)
			harness_fail("the server does not hang up");
		if ((n = recv(fd, scrap, sizeof(scrap), 0)) <= 0)
			return total;
		total += (size_t)n;
	}
}

static void
send_all(int fd, const void *p, size_t n)
{
	ck_assert_int_eq(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* A ClientHello as libssl makes it. */
static struct span
client_hello(struct buf *out)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	BIO *in = BIO_new(BIO_s_mem()), *made = BIO_new(BIO_s_mem());
	char *p;
	long n;

	SSL_set_bio(ssl, in, made);
	ck_assert_int_eq(SSL_connect(ssl), -1);
	n = BIO_get_mem_data(made, &p);
	ck_assert_int_gt(n, 100);
	ck_assert_int_eq(buf_put(out, p, (size_t)n), Q_OK);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return buf_span(out);
}

/* Somebody is served meanwhile, and afterwards. */
static struct peer *bystander;

static struct harness *
with_bystander(const char *setting)
{
	struct harness *h = harness_start(setting, NULL);

	harness_add_users(h, "carol", NULL);
	bystander = tls_login(h, "carol", 0);
	return h;
}

static void
done(struct harness *h)
{
	peer_expect_list(bystander, "");
	peer_free(bystander);
	harness_free(h);
}

static const struct {
	const char *what;
	uint8_t bytes[16];
	size_t len;
	bool answered; /* by an alert */
	const char *logged;
} odd[] = {
    {"a record of nothing", {0x16, 3, 0, 0, 0}, 5, false, "closed during"},
    {"a record that is too long", {0x16, 3, 1, 0xff, 0xff, 1}, 6, true, "tls-failed"},
    {"no ClientHello", {0x16, 3, 1, 0, 4, 2, 0, 0, 0}, 9, true, "tls-failed"},
    {"an empty ClientHello", {0x16, 3, 1, 0, 4, 1, 0, 0, 0}, 9, true, "tls-failed"},
    {"not TLS at all", {0x16, 4, 1, 0, 4}, 5, false, "unrecognised"},
    {"an alert first", {0x15, 3, 1, 0, 2, 2, 40}, 7, false, "unrecognised"},
};

START_TEST(odd_handshakes)
{
	struct harness *h = with_bystander(NULL);
	int fd = tls_peer_connect(h);

	send_all(fd, odd[_i].bytes, odd[_i].len);
	shutdown(fd, SHUT_WR);
	if (odd[_i].answered)
		ck_assert_uint_gt(read_to_end(fd), 0);
	else
		ck_assert_uint_eq(read_to_end(fd), 0);
	close(fd);
	HARNESS_UNTIL(harness_logged(h, odd[_i].logged));
	done(h);
}
END_TEST

/* Every part of a ClientHello, then nothing: the deadline ends it. */
START_TEST(half_a_hello)
{
	struct harness *h = with_bystander(NULL);
	struct buf hello = BUF_INIT(65536);
	struct span all = client_hello(&hello);
	static const size_t parts[] = {1, 2, 3, 5, 6, 50, 0};
	int fd[7];

	harness_reload(h, "limits.handshake_timeout=1s", NULL);
	for (int i = 0; i < 7; i++) {
		size_t n = parts[i] != 0 ? parts[i] : all.len - 1;

		fd[i] = tls_peer_connect(h);
		send_all(fd[i], all.p, n);
	}
	peer_expect_list(bystander, "");
	for (int i = 0; i < 7; i++) {
		(void)read_to_end(fd[i]);
		close(fd[i]);
	}
	HARNESS_UNTIL(harness_logged(h, "not finished in time"));
	buf_free(&hello);
	done(h);
}
END_TEST

/* One byte at a time is fine as long as it comes in time. */
START_TEST(dripping_hello)
{
	struct harness *h = with_bystander(NULL);
	int fd = tls_peer_connect(h), one = 1;
	struct buf hello = BUF_INIT(65536);
	struct span all = client_hello(&hello);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t first;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (size_t i = 0; i < all.len; i++) {
		send_all(fd, all.p + i, 1);
		if (i < 8)
			usleep(20000);
	}
	ck_assert_int_eq(poll(&p, 1, clock_left_ms(harness_deadline(HARNESS_WAIT))), 1);
	ck_assert_int_eq(recv(fd, &first, 1, 0), 1);
	ck_assert_uint_eq(first, 0x16); /* a ServerHello, no alert */
	close(fd);
	buf_free(&hello);
	done(h);
}
END_TEST

/* The handshake is done and nobody says anything inside: the same deadline ends it. */
START_TEST(silence_inside)
{
	struct harness *h = with_bystander(NULL);
	SSL *ssl;
	char c;

	harness_reload(h, "limits.handshake_timeout=2s", NULL);
	ssl = tls_peer_handshake(h, tls_peer_connect(h), 0);
	ck_assert_int_le(SSL_read(ssl, &c, 1), 0);
	ck_assert_int_eq(SSL_get_error(ssl, 0), SSL_ERROR_ZERO_RETURN);
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
	done(h);
}
END_TEST

/* What is inside is looked at again, but not for TLS. */
START_TEST(nonsense_inside)
{
	static const char *const words[] = {"\x16\x03\x01\x02\x00\x01", "\x7f nonsense"};
	struct harness *h = with_bystander(NULL);
	SSL *ssl = tls_peer_handshake(h, tls_peer_connect(h), 0);
	char c;

	ck_assert_int_gt(SSL_write(ssl, words[_i], 4), 0);
	ck_assert_int_le(SSL_read(ssl, &c, 1), 0);
	ck_assert_int_eq(SSL_get_error(ssl, 0), SSL_ERROR_ZERO_RETURN);
	HARNESS_UNTIL(harness_logged(h, "unrecognised"));
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
	done(h);
}
END_TEST

/* A record that was changed on the way ends the connection, and is logged. */
START_TEST(forged_record)
{
	struct harness *h = with_bystander(NULL);
	SSL *ssl = tls_peer_handshake(h, tls_peer_connect(h), versions[_i]);
	uint8_t record[5 + 64] = {0x17, 3, 3, 0, 64};

	send_all(SSL_get_fd(ssl), record, sizeof(record));
	(void)read_to_end(SSL_get_fd(ssl));
	HARNESS_UNTIL(harness_logged(h, "tls-failed"));
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
	done(h);
}
END_TEST

/* ---- what is offered ---- */

static const struct {
	int version;
	const char *ciphers; /* of TLS 1.2; NULL: any */
	const char *suites;  /* of TLS 1.3 */
	bool ok;
} offers[] = {
    {TLS1_VERSION, NULL, NULL, false},
    {TLS1_1_VERSION, NULL, NULL, false},
    {TLS1_2_VERSION, "ECDHE+AESGCM", NULL, true},
    {TLS1_2_VERSION, "ECDHE+CHACHA20", NULL, true},
    {TLS1_2_VERSION,
     "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA256:"
     "ECDHE-ECDSA-AES256-SHA384",
     NULL, false},
    {TLS1_2_VERSION, "DHE:RSA", NULL, false},
    {TLS1_2_VERSION, "aNULL:eNULL", NULL, false},
    {TLS1_3_VERSION, NULL, "TLS_AES_128_GCM_SHA256", true},
    {TLS1_3_VERSION, NULL, "TLS_AES_256_GCM_SHA384", true},
    {TLS1_3_VERSION, NULL, "TLS_CHACHA20_POLY1305_SHA256", true},
    {TLS1_3_VERSION, NULL, "TLS_AES_128_CCM_SHA256", false},
};

START_TEST(offered)
{
	struct harness *h = with_bystander(NULL);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int fd = tls_peer_connect(h);
	SSL *ssl;

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, offers[_i].version);
	SSL_CTX_set_max_proto_version(ctx, offers[_i].version);
	if (offers[_i].ciphers != NULL)
		ck_assert_int_eq(SSL_CTX_set_cipher_list(ctx, offers[_i].ciphers), 1);
	if (offers[_i].suites != NULL)
		ck_assert_int_eq(SSL_CTX_set_ciphersuites(ctx, offers[_i].suites), 1);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	ck_assert_int_eq(SSL_connect(ssl) == 1, offers[_i].ok);
	if (offers[_i].ok) {
		ck_assert_int_eq(SSL_get_secure_renegotiation_support(ssl) ||
				     offers[_i].version == TLS1_3_VERSION,
				 1);
		ck_assert_ptr_null(SSL_get_current_compression(ssl));
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	done(h);
}
END_TEST

/* A client may not start the handshake anew. */
START_TEST(no_renegotiation)
{
	struct harness *h = with_bystander(NULL);
	SSL *ssl = tls_peer_handshake(h, tls_peer_connect(h), TLS1_2_VERSION);
	char c;

	ck_assert_int_eq(SSL_renegotiate(ssl), 1);
	ck_assert_int_ne(SSL_do_handshake(ssl), 1);
	(void)SSL_read(ssl, &c, 1);
	ck_assert(!SSL_is_init_finished(ssl) || SSL_num_renegotiations(ssl) <= 1);
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
	done(h);
}
END_TEST

/* ---- sessions and reloads ---- */

/* A new key in TLS 1.3, asked for by the client, in the middle of a chat. */
START_TEST(key_update)
{
	struct harness *h = with_bystander(NULL);
	struct peer *p = peer_connect(h);
	SSL *ssl = tls_peer_handshake(h, p->fd, TLS1_3_VERSION);

	harness_add_users(h, "alice", NULL);
	ck_assert_int_eq(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
	p->fd = tls_peer_pump(ssl);
	peer_hello(p, "alice");
	peer_prove(p, harness_key(h, "alice"));
	peer_expect_list(p, "carol");
	peer_free(p);
	HARNESS_UNTIL(harness_logged(h, "logout"));
	done(h);
}
END_TEST

/* The certificate that a new connection is shown. */
static void
shown(struct harness *h, uint8_t sum[32])
{
	SSL *ssl = tls_peer_handshake(h, tls_peer_connect(h), 0);
	X509 *cert = SSL_get1_peer_certificate(ssl);
	unsigned n = 32;

	ck_assert_ptr_nonnull(cert);
	ck_assert_int_eq(X509_digest(cert, EVP_sha256(), sum, &n), 1);
	X509_free(cert);
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
}

START_TEST(reload_brings_a_new_certificate)
{
	struct harness *h = with_bystander(NULL);
	char path[HARNESS_PATH + 32];
	uint8_t before[32], same[32], after[32];

	shown(h, before);
	harness_admin(h, "ctl", "reload", NULL);
	shown(h, same);
	ck_assert_mem_eq(before, same, 32);
	/* Without it, the server's CA issues another. */
	snprintf(path, sizeof(path), "%s/server/cert.pem", h->data);
	ck_assert_int_eq(unlink(path), 0);
	harness_admin(h, "ctl", "reload", NULL);
	shown(h, after);
	ck_assert_mem_ne(before, after, 32);
	/* A broken one is refused, and what was stays. */
	harness_write(h, "server/cert.pem", span_str("no certificate"));
	ck_assert_int_ne(harness_command(h, NULL, "ctl", "reload", NULL), 0);
	shown(h, same);
	ck_assert_mem_eq(after, same, 32);
	done(h); /* whose TLS session has lived through all of it */
}
END_TEST

static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	SSL_SESSION **kept = SSL_get_ex_data(ssl, 0);

	SSL_SESSION_free(*kept);
	*kept = session;
	return 1;
}

/* Tickets make the next handshake short, and a reload makes them void. */
START_TEST(tickets)
{
	struct harness *h = with_bystander(NULL);
	SSL_SESSION *kept = NULL;

	for (int round = 0; round < 3; round++) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
		int fd = tls_peer_connect(h);
		SSL *ssl;
		char c;

		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
							SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(ctx, keep_session);
		SSL_CTX_set_min_proto_version(ctx, versions[_i]);
		SSL_CTX_set_max_proto_version(ctx, versions[_i]);
		if (round == 2)
			harness_admin(h, "ctl", "reload", NULL);
		ssl = SSL_new(ctx);
		SSL_set_ex_data(ssl, 0, &kept);
		SSL_set_fd(ssl, fd);
		if (kept != NULL)
			SSL_set_session(ssl, kept);
		ck_assert_int_eq(SSL_connect(ssl), 1);
		ck_assert_int_eq(SSL_session_reused(ssl), round == 1);
		ck_assert_int_gt(SSL_write(ssl, "nonsense", 8), 0);
		ck_assert_int_le(SSL_read(ssl, &c, 1), 0); /* the ticket comes by */
		ck_assert_ptr_nonnull(kept);
		SSL_shutdown(ssl); /* or libssl thinks ill of the ticket */
		ck_assert_uint_le(SSL_SESSION_get_ticket_lifetime_hint(kept), 3600);
		SSL_free(ssl);
		SSL_CTX_free(ctx);
		close(fd);
	}
	SSL_SESSION_free(kept);
	done(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls");
	TCase *c = harness_case(s, "inside");

	tcase_add_loop_test(c, relay_over_tls, 0, 2);
	tcase_add_loop_test(c, farewell_inside, 0, 2);
	tcase_add_loop_test(c, slow_reader_inside, 0, 2);
	tcase_add_loop_test(c, both_send_before_they_read, 0, 2);
	c = harness_case(s, "handshake");
	tcase_add_loop_test(c, odd_handshakes, 0, sizeof(odd) / sizeof(odd[0]));
	tcase_add_test(c, half_a_hello);
	tcase_add_test(c, dripping_hello);
	tcase_add_test(c, silence_inside);
	tcase_add_loop_test(c, nonsense_inside, 0, 2);
	tcase_add_loop_test(c, forged_record, 0, 2);
	c = harness_case(s, "offered");
	tcase_add_loop_test(c, offered, 0, sizeof(offers) / sizeof(offers[0]));
	tcase_add_test(c, no_renegotiation);
	c = harness_case(s, "reload");
	tcase_add_test(c, key_update);
	tcase_add_test(c, reload_brings_a_new_certificate);
	tcase_add_loop_test(c, tickets, 0, 2);
	return harness_main(s);
}
