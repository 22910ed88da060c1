/* SPDX-License-Identifier: MIT */
#define HTTP_PEER_INSIDE
#include "tests/system/http_peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/system/tls_peer.h"

#define IN_MAX (64 << 20)
#define SOME   65536

struct http_peer *
http_connect(struct harness *h)
{
	struct http_peer *p = calloc(1, sizeof(*p));
	int one = 1;

	ck_assert_ptr_nonnull(p);
	p->h = h;
	p->in = (struct buf)BUF_INIT(IN_MAX);
	p->fd = tls_peer_connect(h);
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return p;
}

struct http_peer *
http_connect_tls(struct harness *h)
{
	struct http_peer *p = http_connect(h);

	p->fd = tls_peer_wrap(h, p->fd);
	return p;
}

void
http_free(struct http_peer *p)
{
	if (p == NULL)
		return;
	close(p->fd);
	buf_free(&p->in);
	free(p);
}

/* ---- sending ---- */

/* False: the server has closed. */
static bool
send_part(struct http_peer *p, struct span bytes)
{
	int64_t deadline = harness_deadline(HARNESS_WAIT);

	while (bytes.len > 0) {
		struct pollfd w = {.fd = p->fd, .events = POLLOUT};
		ssize_t n = send(p->fd, bytes.p, p->drips ? 1 : bytes.len,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n == -1 && errno != EAGAIN)
			return false;
		if (n == -1 && poll(&w, 1, clock_left_ms(deadline)) == 0)
			harness_fail("the server does not read");
		if (n > 0) {
			bytes.p += n;
			bytes.len -= (size_t)n;
		}
	}
	return true;
}

void
http_send(struct http_peer *p, struct span bytes)
{
	if (!send_part(p, bytes))
		harness_fail("cannot send: %s", strerror(errno));
}

void
http_send_some(struct http_peer *p, struct span bytes)
{
	(void)send_part(p, bytes);
}

void
http_say(struct http_peer *p, const char *text)
{
	http_send(p, span_str(text));
}

/* ---- receiving ---- */

bool
http_await(struct http_peer *p, size_t n)
{
	int64_t deadline = harness_deadline(HARNESS_WAIT);

	while (p->in.len - p->used < n) {
		struct pollfd w = {.fd = p->fd, .events = POLLIN};
		ssize_t got;

		if (poll(&w, 1, clock_left_ms(deadline)) == 0)
			harness_fail("nothing comes; have %.*s",
				     (int)(p->in.len - p->used),
				     (const char *)p->in.p + p->used);
		ck_assert_int_eq(buf_reserve(&p->in, SOME), Q_OK);
		got = recv(p->fd, p->in.p + p->in.len, SOME, 0);
		if (got <= 0)
			return false;
		p->in.len += (size_t)got;
	}
	return true;
}

static void
read_head(struct http_peer *p)
{
	size_t n = 0;
	const uint8_t *at;

	do {
		if (!http_await(p, n + 1))
			harness_fail("the server closed instead of an answer");
		at = p->in.p + p->used;
		n++;
		if (n >= sizeof(p->head))
			harness_fail("an endless head");
	} while (n < 4 || memcmp(at + n - 4, "\r\n\r\n", 4) != 0);
	memcpy(p->head, at, n);
	p->head[n] = '\0';
	p->used += n;
	if (sscanf(p->head, "HTTP/1.1 %3d ", &p->status) != 1)
		harness_fail("no answer: %s", p->head);
}

const char *
http_header(const struct http_peer *p, const char *name)
{
	static char value[1024];
	size_t n = strlen(name);

	for (const char *line = strstr(p->head, "\r\n"); line != NULL;
	     line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, n) != 0 || strncmp(line + n, ": ", 2) != 0)
			continue;
		line += n + 2;
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(line, "\r"), line);
		return value;
	}
	return NULL;
}

void
http_read(struct http_peer *p, bool of_head)
{
	const char *length;
	size_t n = 0;

	read_head(p);
	length = http_header(p, "Content-Length");
	if (p->status == 204 || p->status == 304 || p->status < 200) {
		ck_assert_ptr_null(length);
	} else {
		ck_assert_ptr_nonnull(length);
		n = of_head ? 0 : strtoul(length, NULL, 10);
	}
	if (!http_await(p, n))
		harness_fail("the answer's body is cut");
	p->body = span_of(p->in.p + p->used, n);
	p->used += n;
}

void
http_hear(struct http_peer *p, int status, const char *body)
{
	http_read(p, false);
	if (p->status != status)
		harness_fail("want %d, got %s", status, p->head);
	if (body != NULL && !span_eq(p->body, span_str(body)))
		harness_fail("want body %s, got %.*s", body, (int)p->body.len,
			     (const char *)p->body.p);
}

void
http_hear_end(struct http_peer *p)
{
	if (http_await(p, 1))
		harness_fail("want the end, got %.*s", (int)(p->in.len - p->used),
			     (const char *)p->in.p + p->used);
}

int
http_status_of(struct harness *h, const char *request)
{
	struct http_peer *p = http_connect(h);
	int status;

	http_send_some(p, span_str(request));
	http_read(p, false);
	status = p->status;
	http_free(p);
	return status;
}
