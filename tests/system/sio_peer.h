/* SPDX-License-Identifier: MIT
 *
 * sio_peer.h - sio-echo for one test, and a client that speaks Engine.IO to it over
 * http_peer and ws_peer, byte by byte.
 *
 *	struct harness *h = sio_start("ping_interval=5000", NULL);
 *	char sid[SID_SIZE];
 *	struct http_peer *p = eio_client(h, ENGINE, sid);
 *
 *	eio_post(p, ENGINE, sid, "4hello", 200, "ok");
 *	eio_poll(p, ENGINE, sid, 200, "4hello");
 */
#ifndef TESTS_SYSTEM_SIO_PEER_H
#define TESTS_SYSTEM_SIO_PEER_H

#include "tests/system/ws_peer.h"

#define ENGINE   "/engine.io/"
#define SOCKET   "/socket.io/"
#define SID_SIZE 64

#define EIO_RS     "\x1e"                /* between the packets of a body */
#define EIO_CALM   "ping_interval=60000" /* an option: no pings meanwhile */
#define EIO_TEXT   (WS_FIN | 1)          /* frames */
#define EIO_BINARY (WS_FIN | 2)

/* What is wrong with a request, as bodies of 400. */
#define EIO_SAYS_TRANSPORT   "{\"code\":0,\"message\":\"Transport unknown\"}"
#define EIO_SAYS_UNKNOWN     "{\"code\":1,\"message\":\"Session ID unknown\"}"
#define EIO_SAYS_METHOD      "{\"code\":2,\"message\":\"Bad handshake method\"}"
#define EIO_SAYS_BAD         "{\"code\":3,\"message\":\"Bad request\"}"
#define EIO_SAYS_UNSUPPORTED "{\"code\":5,\"message\":\"Unsupported protocol version\"}"

/* As harness_start; options are sio-echo's, NULL behind the last. */
struct harness *sio_start(const char *option, ...);

/* A handshake over polling. */
void eio_open(struct http_peer *p, const char *path, char sid[SID_SIZE]);
/* The same on a connection of its own. */
struct http_peer *eio_client(struct harness *h, const char *path, char sid[SID_SIZE]);
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
/* A WebSocket for a session that is there; nothing, or the probe and its answer, went
 * over it. */
struct http_peer *eio_ws_for(struct harness *h, const char *path, const char *sid);
struct http_peer *eio_probed(struct harness *h, const char *path, const char *sid);
void eio_say(struct http_peer *p, const char *text); /* a text frame */
/* The next packet that is no ping, or a ping.  Pings before it are answered: on a busy
 * machine one may come between any two steps. */
void eio_hear(struct http_peer *p, const char *text);
/* An object with an id of ours and nothing else, behind before. */
void eio_hear_sid(struct http_peer *p, const char *before);

/* `40` and its answer, and the auth event behind it. */
void sio_connect(struct http_peer *p);
/* The same over polling. */
void sio_connect_poll(struct http_peer *p, const char *sid);
/* A client that is connected to the namespace / so far, over a WebSocket and by polling. */
struct http_peer *sio_client(struct harness *h);
struct http_peer *sio_client_poll(struct harness *h, char sid[SID_SIZE]);

#ifndef SIO_PEER_INSIDE
#	define sio_start(...)        HARNESS_AT(sio_start(__VA_ARGS__))
#	define eio_open(...)         HARNESS_AT(eio_open(__VA_ARGS__))
#	define eio_poll(...)         HARNESS_AT(eio_poll(__VA_ARGS__))
#	define eio_post(...)         HARNESS_AT(eio_post(__VA_ARGS__))
#	define eio_client(...)       HARNESS_AT(eio_client(__VA_ARGS__))
#	define eio_ws(...)           HARNESS_AT(eio_ws(__VA_ARGS__))
#	define eio_ws_for(...)       HARNESS_AT(eio_ws_for(__VA_ARGS__))
#	define eio_probed(...)       HARNESS_AT(eio_probed(__VA_ARGS__))
#	define eio_hear(...)         HARNESS_AT(eio_hear(__VA_ARGS__))
#	define eio_hear_sid(...)     HARNESS_AT(eio_hear_sid(__VA_ARGS__))
#	define sio_connect(...)      HARNESS_AT(sio_connect(__VA_ARGS__))
#	define sio_connect_poll(...) HARNESS_AT(sio_connect_poll(__VA_ARGS__))
#	define sio_client(...)       HARNESS_AT(sio_client(__VA_ARGS__))
#	define sio_client_poll(...)  HARNESS_AT(sio_client_poll(__VA_ARGS__))
#endif

#endif
