/* SPDX-License-Identifier: MIT
 *
 * sio_peer.h - sio-echo for one test, and a client that speaks Engine.IO to it over
 * http_peer and ws_peer, byte by byte.
 *
 *	struct harness *h = sio_start("ping_interval=5000", NULL);
 *	struct http_peer *p = http_connect(h);
 *	char sid[SID_SIZE];
 *
 *	eio_open(p, ENGINE, sid);
 *	eio_post(p, ENGINE, sid, "4hello", 200, "ok");
 *	eio_poll(p, ENGINE, sid, 200, "4hello");
 */
#ifndef TESTS_SYSTEM_SIO_PEER_H
#define TESTS_SYSTEM_SIO_PEER_H

#include "tests/system/ws_peer.h"

#define ENGINE   "/engine.io/"
#define SOCKET   "/socket.io/"
#define SID_SIZE 64

/* As harness_start; options are sio-echo's, NULL behind the last. */
struct harness *sio_start(const char *option, ...);

/* A handshake over polling. */
void eio_open(struct http_peer *p, const char *path, char sid[SID_SIZE]);
/* Send a poll or a post and do not wait. */
void eio_ask_poll(struct http_peer *p, const char *path, const char *sid);
void
eio_ask_post(struct http_peer *p, const char *path, const char *sid, const char *body);
/* And its answer (body NULL: any). */
void eio_poll(struct http_peer *p, const char *path, const char *sid, int status,
	      const char *body);
void eio_post(struct http_peer *p, const char *path, const char *sid, const char *body,
	      int status, const char *answer);

/* A handshake over WebSocket, its open packet read. */
struct http_peer *eio_ws(struct harness *h, const char *path, char sid[SID_SIZE]);
/* A WebSocket for a session that is there. */
struct http_peer *eio_ws_for(struct harness *h, const char *path, const char *sid);
void eio_say(struct http_peer *p, const char *text); /* a text frame */
void eio_hear(struct http_peer *p, const char *text);
/* The same, answering and skipping pings. */
void eio_hear_next(struct http_peer *p, const char *text);

/* `40` and its answer, and the auth event behind it. */
void sio_connect(struct http_peer *p);
/* The same over polling. */
void sio_connect_poll(struct http_peer *p, const char *sid);

#ifndef SIO_PEER_INSIDE
#	define sio_start(...)        HARNESS_AT(sio_start(__VA_ARGS__))
#	define eio_open(...)         HARNESS_AT(eio_open(__VA_ARGS__))
#	define eio_poll(...)         HARNESS_AT(eio_poll(__VA_ARGS__))
#	define eio_post(...)         HARNESS_AT(eio_post(__VA_ARGS__))
#	define eio_ws(...)           HARNESS_AT(eio_ws(__VA_ARGS__))
#	define eio_ws_for(...)       HARNESS_AT(eio_ws_for(__VA_ARGS__))
#	define eio_hear(...)         HARNESS_AT(eio_hear(__VA_ARGS__))
#	define eio_hear_next(...)    HARNESS_AT(eio_hear_next(__VA_ARGS__))
#	define sio_connect(...)      HARNESS_AT(sio_connect(__VA_ARGS__))
#	define sio_connect_poll(...) HARNESS_AT(sio_connect_poll(__VA_ARGS__))
#endif

#endif
