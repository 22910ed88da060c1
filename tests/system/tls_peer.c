/* SPDX-License-Identifier: MIT */
#include "tests/system/tls_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "crypto/random.h"

/* ---- the handshake ---- */

int
tls_peer_connect(struct harness *h)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(h->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ne(fd, -1);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		harness_fail("cannot connect: %s", strerror(errno));
	return fd;
}

static void
set_timeouts(int fd, int ms)
{
	int64_t left = clock_left_ms(harness_deadline(ms));
	struct timeval tv = {left / 1000, left % 1000 * 1000};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

bool
tls_peer_shake(SSL *ssl, int (*step)(SSL *))
{
	int r;

	do
		r = step(ssl);
	while (r != 1 && SSL_get_error(ssl, r) == SSL_ERROR_WANT_READ && errno == EINTR);
	return r == 1;
}

SSL *
tls_peer_handshake(struct harness *h, int fd, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char ca[HARNESS_PATH + 32];
	SSL *ssl;

	ck_assert_ptr_nonnull(ctx);
	snprintf(ca, sizeof(ca), "%s/server/ca.pem", h->data);
	ck_assert_int_eq(SSL_CTX_load_verify_file(ctx, ca), 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (version != 0) {
		SSL_CTX_set_min_proto_version(ctx, version);
		SSL_CTX_set_max_proto_version(ctx, version);
	}
	ssl = SSL_new(ctx);
	ck_assert_ptr_nonnull(ssl);
	ck_assert_int_eq(SSL_set_fd(ssl, fd), 1);
	SSL_CTX_free(ctx);
	set_timeouts(fd, HARNESS_WAIT);
	if (!tls_peer_shake(ssl, SSL_connect))
		harness_fail("TLS handshake: %s",
			     ERR_reason_error_string(ERR_peek_error()));
	return ssl;
}

/* ---- the bytes ---- */

struct pump {
	SSL *ssl;
	int net, inner;
	char in[16384], out[16384]; /* from the server, to it */
	size_t in_len, out_len;
	bool in_ended, out_ended;
};

static atomic_int pumps; /* threads that run pump_run */

/* From the server to the test.  False: nothing more can come. */
static bool
pump_in(struct pump *p)
{
	size_t n;

	while (!p->in_ended || p->in_len > 0) {
		ssize_t put;

		if (p->in_len == 0) {
			if (SSL_read_ex(p->ssl, p->in, sizeof(p->in), &n) != 1) {
				int why = SSL_get_error(p->ssl, 0);

				if (why == SSL_ERROR_WANT_READ ||
				    why == SSL_ERROR_WANT_WRITE)
					return true;
				ERR_clear_error();
				p->in_ended = true;
				shutdown(p->inner, SHUT_WR);
				return true;
			}
			p->in_len = n;
		}
		put = send(p->inner, p->in, p->in_len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (put == -1)
			return errno == EAGAIN;
		p->in_len -= (size_t)put;
		memmove(p->in, p->in + put, p->in_len);
	}
	return true;
}

/* From the test to the server.  False: the server takes no more. */
static bool
pump_out(struct pump *p)
{
	size_t n;

	while (!p->out_ended || p->out_len > 0) {
		if (p->out_len == 0) {
			ssize_t got =
			    recv(p->inner, p->out, sizeof(p->out), MSG_DONTWAIT);

			if (got == -1)
				return errno == EAGAIN;
			if (got == 0) {
				p->out_ended = true;
				SSL_shutdown(p->ssl);
				shutdown(p->net, SHUT_WR);
				return true;
			}
			p->out_len = (size_t)got;
		}
		if (SSL_write_ex(p->ssl, p->out, p->out_len, &n) != 1) {
			int why = SSL_get_error(p->ssl, 0);

			ERR_clear_error();
			return why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ;
		}
		p->out_len -= n;
		memmove(p->out, p->out + n, p->out_len);
	}
	return true;
}

static void *
pump_run(void *arg)
{
	struct pump *p = arg;

	while (pump_in(p) && pump_out(p) && !(p->in_ended && p->out_ended)) {
		struct pollfd wait[2] = {{.fd = p->net}, {.fd = p->inner}};

		if (!p->in_ended && p->in_len == 0)
			wait[0].events |= POLLIN;
		if (p->out_len > 0)
			wait[0].events |= POLLOUT;
		if (!p->out_ended && p->out_len == 0)
			wait[1].events |= POLLIN;
		if (p->in_len > 0)
			wait[1].events |= POLLOUT;
		/* What nobody waits for must not wake us either. */
		for (int i = 0; i < 2; i++)
			if (wait[i].events == 0)
				wait[i].fd = -1;
		poll(wait, 2, -1);
	}
	close(p->inner);
	close(p->net);
	SSL_free(p->ssl);
	free(p);
	crypto_thread_idle();
	atomic_fetch_sub(&pumps, 1);
	return NULL;
}

/* A pump outlives the test's end of its pipe by a moment; libcrypto's state of a thread
 * that still runs when libcrypto cleans up would count as leaked. */
static void
pumps_wait(void)
{
	int64_t deadline = clock_mono_ms() + 1000;
	struct timespec ms = {0, 1000000};

	while (atomic_load(&pumps) > 0 && clock_left_ms(deadline) > 0)
		nanosleep(&ms, NULL);
}

int
tls_peer_pump(SSL *ssl)
{
	struct pump *p = calloc(1, sizeof(*p));
	pthread_attr_t attr;
	pthread_t thread;
	int fd[2];

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	p->ssl = ssl;
	p->net = SSL_get_fd(ssl);
	p->inner = fd[1];
	fcntl(p->net, F_SETFL, fcntl(p->net, F_GETFL) | O_NONBLOCK);
	SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
			      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			      SSL_MODE_RELEASE_BUFFERS);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	if (atomic_fetch_add(&pumps, 1) == 0)
		atexit(pumps_wait);
	ck_assert_int_eq(pthread_create(&thread, &attr, pump_run, p), 0);
	pthread_attr_destroy(&attr);
	return fd[0];
}

int
tls_peer_wrap(struct harness *h, int fd)
{
	return tls_peer_pump(tls_peer_handshake(h, fd, 0));
}
