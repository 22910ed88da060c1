/* SPDX-License-Identifier: MIT */
#define CONTACTS_PEER_INSIDE
#include "tests/system/contacts_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/system/tls_peer.h"

#define IN_MAX   (64 << 20)
#define SAY_MAX  (1 << 20)
#define SOME     65536   /* bytes of one recv */
#define TIDY_AT  1048576 /* read bytes that are dropped together */
#define SHOW_MAX 200     /* bytes of a line in a message */

/* ---- connection ---- */

static struct line_peer *
connect_to(struct harness *h, const char *name, const char *address, int bytes)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(h->port)};
	struct line_peer *p = calloc(1, sizeof(*p));
	int one = 1;

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(inet_pton(AF_INET, address, &to.sin_addr), 1);
	p->h = h;
	p->in = (struct buf)BUF_INIT(IN_MAX);
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(p->fd, -1);
	if (bytes > 0)
		setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(p->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		harness_fail("%s cannot connect: %s", name, strerror(errno));
	return p;
}

struct line_peer *
line_connect_narrow(struct harness *h, const char *name, int bytes)
{
	return connect_to(h, name, "127.0.0.1", bytes);
}

struct line_peer *
line_connect_at(struct harness *h, const char *name, const char *address)
{
	return connect_to(h, name, address, 0);
}

struct line_peer *
line_connect(struct harness *h, const char *name)
{
	return line_connect_narrow(h, name, 0);
}

struct line_peer *
line_connect_tls(struct harness *h, const char *name)
{
	struct line_peer *p = line_connect(h, name);

	p->fd = tls_peer_wrap(h, p->fd);
	return p;
}

void
line_free(struct line_peer *p)
{
	if (p == NULL)
		return;
	close(p->fd);
	buf_free(&p->in);
	free(p);
}

void
line_reset(struct line_peer *p)
{
	struct linger at_once = {1, 0};

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	line_free(p);
}

/* ---- bytes ---- */

/* Take what has come, without waiting.  1: something; 0: nothing yet; -1: the end. */
static int
fill(struct line_peer *p)
{
	ssize_t n;

	if (p->in_used == p->in.len) {
		p->in.len = p->in_used = 0;
	} else if (p->in_used > TIDY_AT) {
		buf_consume(&p->in, p->in_used);
		p->in_used = 0;
	}
	ck_assert_int_eq(buf_reserve(&p->in, SOME), Q_OK);
	n = recv(p->fd, p->in.p + p->in.len, SOME, MSG_DONTWAIT);
	if (n > 0)
		p->in.len += (size_t)n;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n > 0 ? 1 : -1;
}

/* How many bytes the server took before it closed, or all of them. */
static size_t
send_until_closed(struct line_peer *p, struct span bytes)
{
	int64_t deadline = harness_deadline(2 * HARNESS_WAIT);
	size_t gone = 0;

	while (gone < bytes.len) {
		struct pollfd wait = {.fd = p->fd, .events = POLLOUT | POLLIN};
		ssize_t n = send(p->fd, bytes.p + gone, bytes.len - gone,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			gone += (size_t)n;
			continue;
		}
		if (errno != EAGAIN)
			break;
		if (poll(&wait, 1, clock_left_ms(deadline)) <= 0)
			harness_fail("%s cannot send: the server does not read", p->name);
		if ((wait.revents & POLLIN) != 0 && fill(p) == -1)
			break;
	}
	return gone;
}

void
line_send_some(struct line_peer *p, struct span bytes)
{
	(void)send_until_closed(p, bytes);
}

void
line_send(struct line_peer *p, struct span bytes)
{
	size_t gone = 0, step = p->drips ? 1 : bytes.len;

	for (; gone < bytes.len; gone += step)
		if (send_until_closed(p, span_of(bytes.p + gone, step)) < step)
			harness_fail("%s cannot send: the connection has ended", p->name);
}

void
line_say(struct line_peer *p, const char *fmt, ...)
{
	struct buf out = BUF_INIT(SAY_MAX);
	char *text;
	va_list ap;

	va_start(ap, fmt);
	ck_assert_int_ge(vasprintf(&text, fmt, ap), 0);
	va_end(ap);
	ck_assert_int_eq(buf_printf(&out, "%s\n", text), Q_OK);
	line_send(p, buf_span(&out));
	buf_free(&out);
	free(text);
}

/* ---- lines ---- */

bool
line_readable(const struct line_peer *p)
{
	struct pollfd wait = {.fd = p->fd, .events = POLLIN};

	return p->in_used < p->in.len || poll(&wait, 1, 0) > 0;
}

bool
line_next(struct line_peer *p, struct span *line)
{
	int64_t deadline = harness_deadline(HARNESS_WAIT);
	struct pollfd wait = {.fd = p->fd, .events = POLLIN};
	size_t searched = 0; /* bytes behind in_used that hold no LF */
	const uint8_t *lf;
	int got = 1;

	for (;;) {
		struct span left = span_of(p->in.p + p->in_used, p->in.len - p->in_used);

		lf = left.len > searched
			 ? memchr(left.p + searched, '\n', left.len - searched)
			 : NULL;
		if (lf != NULL) {
			*line = span_of(left.p, (size_t)(lf - left.p));
			p->in_used += line->len + 1;
			return true;
		}
		searched = left.len;
		if (got == -1 && left.len > 0 && !p->torn_ok)
			harness_fail("%s: the connection ends inside a line", p->name);
		if (got == -1)
			return false;
		if ((got = fill(p)) == 0 && poll(&wait, 1, clock_left_ms(deadline)) <= 0)
			harness_fail("%s waits in vain for a line", p->name);
	}
}

struct span
line_expect(struct line_peer *p)
{
	struct span line;

	if (!line_next(p, &line))
		harness_fail("%s expects a line, the connection ended", p->name);
	return line;
}

void
line_hear(struct line_peer *p, const char *expected)
{
	struct span line;
	char shown[SHOW_MAX];

	if (!line_next(p, &line))
		harness_fail("%s expects \"%.100s\", the connection ended", p->name,
			     expected);
	if (span_eq(line, span_str(expected)))
		return;
	text_visible(line, shown, sizeof(shown));
	harness_fail("%s expects \"%.100s\", received \"%s\"", p->name, expected, shown);
}

void
line_hear_nothing(struct line_peer *p)
{
	line_say(p, "999");
	line_hear(p, "210");
}

void
line_hear_end(struct line_peer *p)
{
	char shown[SHOW_MAX];
	struct span line;

	if (!line_next(p, &line))
		return;
	text_visible(line, shown, sizeof(shown));
	harness_fail("%s: the connection should end, received \"%s\"", p->name, shown);
}

/* ---- 220 ---- */

/* A number and the space behind it. */
static bool
take_number(struct span *s, uint64_t *out)
{
	uint64_t v = 0;
	size_t n = 0;

	for (; n < s->len && n < 19 && s->p[n] >= '0' && s->p[n] <= '9'; n++)
		v = v * 10 + (uint64_t)(s->p[n] - '0');
	if (n == 0 || n == s->len || s->p[n] != ' ')
		return false;
	*s = span_of(s->p + n + 1, s->len - n - 1);
	*out = v;
	return true;
}

enum qerr
line_message_parse(struct span line, struct line_message *out)
{
	uint64_t code, chat, time;

	if (!take_number(&line, &code) || code != 220 || !take_number(&line, &chat) ||
	    !take_number(&line, &time))
		return Q_FORMAT;
	*out = (struct line_message){chat, (int64_t)time, line};
	return Q_OK;
}

int
line_message_number(const struct line_message *m)
{
	char text[16] = ""; /* the next line follows, and no NUL */
	size_t n = m->text.len < sizeof(text) ? m->text.len : sizeof(text) - 1;

	memcpy(text, m->text.p, n);
	return atoi(text);
}

struct line_message
line_hear_message(struct line_peer *p)
{
	struct span line = line_expect(p);
	struct line_message m;
	char shown[SHOW_MAX];

	if (line_message_parse(line, &m) == Q_OK)
		return m;
	text_visible(line, shown, sizeof(shown));
	harness_fail("%s expects a 220, received \"%s\"", p->name, shown);
}
