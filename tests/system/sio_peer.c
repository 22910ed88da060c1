/* SPDX-License-Identifier: MIT */
#define HTTP_PEER_INSIDE
#define WS_PEER_INSIDE
#define SIO_PEER_INSIDE
#include "tests/system/sio_peer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "protocol/engineio.h"
#include "tests/system/harness_run.h"

/* ---- the server ---- */

static void
launch(struct harness *h, const char *const *argv)
{
	const struct harness_child c = {.argv = argv};
	int64_t deadline = harness_deadline(HARNESS_WAIT);
	unsigned port;

	h->pid = harness_spawn(&c, &h->out_fd);
	while (h->out.len == 0 || strchr((char *)h->out.p, '\n') == NULL)
		if (harness_read_some(h->out_fd, &h->out, deadline) <= 0)
			harness_fail("sio-echo does not start");
	if (sscanf((char *)h->out.p, "listening on 127.0.0.1:%u\n", &port) != 1)
		harness_fail("sio-echo says %s", (char *)h->out.p);
	h->port = (uint16_t)port;
}

struct harness *
sio_start(const char *option, ...)
{
	static char program[HARNESS_PATH];
	/* No wait before `auth`: this client reads what there is. */
	const char *argv[20] = {program, "listen=127.0.0.1:0", "auth_after=1"};
	struct harness *h = harness_new();
	size_t n = 3;
	va_list ap;

	snprintf(program, sizeof(program), "%s/tests/system/sio-echo",
		 getenv("QUINTET_BUILD"));
	va_start(ap, option);
	for (; option != NULL && n < 19; option = va_arg(ap, const char *))
		argv[n++] = option;
	va_end(ap);
	launch(h, argv);
	return h;
}

/* ---- polling ---- */

/* "...sid":"..." */
static void
take_sid(struct span open, char sid[SID_SIZE])
{
	const char *at = (const char *)open.p;

	if (open.len < 10 || memcmp(at, "0{\"sid\":\"", 9) != 0)
		harness_fail("no handshake: %.*s", (int)open.len, at);
	snprintf(sid, SID_SIZE, "%.*s", (int)strcspn(at + 9, "\""), at + 9);
}

void
eio_open(struct http_peer *p, const char *path, char sid[SID_SIZE])
{
	char request[512];

	snprintf(request, sizeof(request),
		 "GET %s?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n", path);
	http_say(p, request);
	http_hear(p, 200, NULL);
	take_sid(p->body, sid);
}

struct http_peer *
eio_client(struct harness *h, const char *path, char sid[SID_SIZE])
{
	struct http_peer *p = http_connect(h);

	eio_open(p, path, sid);
	return p;
}

void
eio_ask_poll(struct http_peer *p, const char *path, const char *sid)
{
	char request[512];

	snprintf(request, sizeof(request),
		 "GET %s?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n\r\n",
		 path, sid);
	http_say(p, request);
}

void
eio_ask_post(struct http_peer *p, const char *path, const char *sid, const char *body)
{
	char request[512];

	snprintf(request, sizeof(request),
		 "POST %s?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n"
		 "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
		 path, sid, strlen(body));
	http_say(p, request);
	http_send_some(p, span_str(body));
}

void
eio_poll(struct http_peer *p, const char *path, const char *sid, int status,
	 const char *body)
{
	eio_ask_poll(p, path, sid);
	http_hear(p, status, body);
}

void
eio_post(struct http_peer *p, const char *path, const char *sid, const char *body,
	 int status, const char *answer)
{
	eio_ask_post(p, path, sid, body);
	http_hear(p, status, answer);
}

/* ---- WebSocket ---- */

struct http_peer *
eio_ws(struct harness *h, const char *path, char sid[SID_SIZE])
{
	char target[256];
	struct http_peer *p;
	struct span open;

	snprintf(target, sizeof(target), "%s?EIO=4&transport=websocket", path);
	p = ws_connect(h, target, false);
	if (ws_next(p, &open) != EIO_TEXT)
		harness_fail("no text frame");
	take_sid(open, sid);
	return p;
}

struct http_peer *
eio_ws_for(struct harness *h, const char *path, const char *sid)
{
	char target[256];

	snprintf(target, sizeof(target), "%s?EIO=4&transport=websocket&sid=%s", path,
		 sid);
	return ws_connect(h, target, false);
}

struct http_peer *
eio_probed(struct harness *h, const char *path, const char *sid)
{
	struct http_peer *p = eio_ws_for(h, path, sid);

	eio_say(p, "2probe");
	eio_hear(p, "3probe");
	return p;
}

void
eio_say(struct http_peer *p, const char *text)
{
	ws_put(p, EIO_TEXT, text, strlen(text));
}

/* The next frame but for pings, which are answered. */
static uint8_t
next_but_pings(struct http_peer *p, struct span *got)
{
	uint8_t first;

	while ((first = ws_next(p, got)) == EIO_TEXT && span_eq(*got, span_str("2")))
		eio_say(p, "3");
	return first;
}

void
eio_hear(struct http_peer *p, const char *text)
{
	struct span got;
	uint8_t first =
	    strcmp(text, "2") == 0 ? ws_next(p, &got) : next_but_pings(p, &got);

	if (first != EIO_TEXT || !span_eq(got, span_str(text)))
		harness_fail("want %s, got frame %#x %.*s", text, first,
			     (int)(got.len < 100 ? got.len : 100), (const char *)got.p);
}

/* ---- Socket.IO ---- */

static void
check_sid(struct span got, const char *before)
{
	size_t n = strlen(before);
	char text[128];
	int end = 0;

	snprintf(text, sizeof(text), "%.*s", (int)got.len, (const char *)got.p);
	if (strncmp(text, before, n) != 0 ||
	    sscanf(text + n, "{\"sid\":\"%*20[0-9A-Za-z_-]\"}%n", &end) != 0 ||
	    n + (size_t)end != got.len)
		harness_fail("want %s and a sid, got %s", before, text);
}

void
eio_hear_sid(struct http_peer *p, const char *before)
{
	struct span got;

	ck_assert_int_eq(next_but_pings(p, &got), EIO_TEXT);
	check_sid(got, before);
}

void
sio_connect(struct http_peer *p)
{
	eio_say(p, "40");
	eio_hear_sid(p, "40");
	eio_hear(p, "42[\"auth\",{}]");
}

/* The event comes in the same poll when the first one is late. */
void
sio_connect_poll(struct http_peer *p, const char *sid)
{
	static const char auth[] = "42[\"auth\",{}]";
	const uint8_t *end;

	eio_post(p, SOCKET, sid, "40", 200, "ok");
	eio_poll(p, SOCKET, sid, 200, NULL);
	end = memchr(p->body.p, EIO_SEPARATOR, p->body.len);
	if (end == NULL) {
		check_sid(p->body, "40");
		eio_poll(p, SOCKET, sid, 200, auth);
	} else {
		size_t n = (size_t)(end - p->body.p);

		check_sid(span_of(p->body.p, n), "40");
		ck_assert(span_eq(span_of(end + 1, p->body.len - n - 1), span_str(auth)));
	}
}

struct http_peer *
sio_client(struct harness *h)
{
	char sid[SID_SIZE];
	struct http_peer *p = eio_ws(h, SOCKET, sid);

	sio_connect(p);
	return p;
}

struct http_peer *
sio_client_poll(struct harness *h, char sid[SID_SIZE])
{
	struct http_peer *p = eio_client(h, SOCKET, sid);

	sio_connect_poll(p, sid);
	return p;
}
