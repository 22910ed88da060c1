/* SPDX-License-Identifier: MIT */
#include "bench/talk.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static SSL_CTX *context;
static pthread_once_t context_once = PTHREAD_ONCE_INIT;

static void
context_make(void)
{
	if ((context = SSL_CTX_new(TLS_client_method())) == NULL ||
	    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1)
		errx(1, "no TLS");
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
}

void
talk_open(struct talk *t, unsigned port, unsigned source, bool tls)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
	const int yes = 1;

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source % 200);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)port);
	t->ssl = NULL;
	if ((t->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0 ||
	    bind(t->fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
	    connect(t->fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
	    setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0)
		err(1, "connection to port %u", port);
	if (!tls)
		return;
	pthread_once(&context_once, context_make);
	if ((t->ssl = SSL_new(context)) == NULL || SSL_set_fd(t->ssl, t->fd) != 1 ||
	    SSL_connect(t->ssl) != 1)
		errx(1, "TLS handshake");
}

void
talk_close(struct talk *t)
{
	if (t->ssl != NULL)
		(void)SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	close(t->fd);
}

void
talk_send(struct talk *t, const void *p, size_t n)
{
	const uint8_t *at = p;
	size_t put;

	for (; n > 0; at += put, n -= put) {
		if (t->ssl != NULL) {
			if (SSL_write_ex(t->ssl, at, n, &put) != 1)
				errx(1, "TLS write");
		} else {
			ssize_t w = send(t->fd, at, n, MSG_NOSIGNAL);

			if (w < 0)
				err(1, "send");
			put = (size_t)w;
		}
	}
}

void
talk_say(struct talk *t, const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text))
		errx(1, "line too long");
	talk_send(t, text, (size_t)n);
}

size_t
talk_read(struct talk *t, void *p, size_t n)
{
	size_t got;
	ssize_t r;

	if (t->ssl != NULL) {
		if (SSL_read_ex(t->ssl, p, n, &got) != 1)
			errx(1, "the server has ended the connection");
		return got;
	}
	if ((r = recv(t->fd, p, n, 0)) < 0)
		err(1, "recv");
	if (r == 0)
		errx(1, "the server has ended the connection");
	return (size_t)r;
}

bool
talk_ready(struct talk *t)
{
	struct pollfd p = {.fd = t->fd, .events = POLLIN};

	return (t->ssl != NULL && SSL_pending(t->ssl) > 0) || poll(&p, 1, 0) > 0;
}

void
talk_expect(struct talk *t, const char *what, char *line, size_t size)
{
	size_t n = 0;
	char c;

	for (;;) {
		talk_read(t, &c, 1);
		if (c != '\n') {
			if (n < size - 1)
				line[n++] = c;
			continue;
		}
		line[n] = '\0';
		n = 0;
		if (strstr(line, what) != NULL)
			return;
	}
}
