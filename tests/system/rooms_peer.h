/* SPDX-License-Identifier: MIT
 *
 * rooms_peer.h - a client of the rooms protocol for tests.  WebSocket is ws_peer.h's, JSON
 * jansson's, and the cryptography libcrypto's own calls, so nothing here trusts the code
 * that it tests.
 *
 *	struct harness *h = rp_start("rooms.token_life=2s", NULL);
 *	struct rooms_peer *a = rp_enter(h, "alice");	(signed up, logged in, QUEUE_END)
 *	rp_say(a, "{'type': 'LIST_ROOMS', 'data': {'after': null, 'count': 10}}");
 *	json_t *data = rp_hear(a, "ROOMS");
 *	rp_free(a);
 *
 * Texts of packets may use ' for ", and are printf formats.  Pings are answered on the
 * way.  Everything waits with a deadline and fails the test.
 */
#ifndef TESTS_SYSTEM_ROOMS_PEER_H
#define TESTS_SYSTEM_ROOMS_PEER_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/name.h"
#include "tests/system/harness.h"
#include "tests/system/ws_peer.h"

#define RP_PASSWORD "correct horse" /* of everybody that rp_sign_up makes */

struct rooms_peer {
	struct harness *h;
	struct http_peer *ws;
	uint8_t uuid[16];
	char uuid_text[37];
	EVP_PKEY *own; /* ephemeral */
	char *offered; /* server_epbkey, as it came */
	bool sealed;
	uint8_t key_out[32], key_in[32];
	uint64_t sent, heard; /* counters of the next packet */
	json_t *last;         /* the packet that was heard last */
	char name[NAME_SIZE]; /* once logged in, or signed up */
	char token[64];       /* of the last GEN_TOKEN */
	char *chat_pem;       /* the chat key that rp_log_in made; NULL: it needed none */
	int asked;            /* numbers rp_hear_nothing's requests */
};

/* ---- the server ---- */
/* One marked for tests, with rooms.captcha=test unless a setting says something else; the
 * last argument is NULL. */
struct harness *rp_start(const char *setting, ...);

/* ---- connections ---- */
/* Upgraded at /rooms, nothing sent, with a uuid of its own. */
struct rooms_peer *rp_open(struct harness *h, bool tls);
/* CONN_INIT (token NULL: none), and CONN_ENCRYPT_S, whose signature is checked. */
void rp_init(struct rooms_peer *p, const char *token);
/* CONN_ENCRYPT_C; what follows is sealed. */
void rp_agree(struct rooms_peer *p);
/* All of that, and CONN_OK. */
struct rooms_peer *rp_connect(struct harness *h);
/* Close the socket; NULL is fine. */
void rp_free(struct rooms_peer *p);
/* The same with RST, as when a machine is switched off. */
void rp_reset(struct rooms_peer *p);

/* ---- sending ---- */
/* A packet, sealed once the channel is. */
void
rp_say(struct rooms_peer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same with text as it is. */
void rp_send(struct rooms_peer *p, struct span json);
/* A WebSocket text message as it is, never sealed. */
void rp_send_raw(struct rooms_peer *p, struct span text);
/* The envelope (malloc'ed, with a NUL) of json with that counter; the peer's own stays. */
char *rp_seal(struct rooms_peer *p, struct span json, uint64_t counter);

/* ---- hearing ---- */
/* The next packet has this type: its data, borrowed until the next one. */
json_t *rp_hear(struct rooms_peer *p, const char *type);
/* A STATUS with this sig. */
json_t *rp_hear_status(struct rooms_peer *p, const char *sig);
/* The next packet, whatever it is: data, and its type in *type. */
json_t *rp_next(struct rooms_peer *p, const char **type);
/* Nothing waits before the answer to another request. */
void rp_hear_nothing(struct rooms_peer *p);
/* A close frame with that code, then the end. */
void rp_hear_close(struct rooms_peer *p, unsigned code);
/* Members of an object: fail when they are missing or of another type. */
const char *rp_text(const json_t *object, const char *key);
json_int_t rp_int(const json_t *object, const char *key);
bool rp_bool(const json_t *object, const char *key);

/* ---- accounts ---- */
/* The digits that the CAPTCHA heard last tells (rooms.captcha = test); "" when its
 * picture has no text. */
void rp_digits(struct rooms_peer *p, char out[16]);
/* SIGNUP, CAPTCHA (unless they are off), NEW_ACC_OK. */
void rp_sign_up(struct rooms_peer *p, const char *name);
/* LOGIN with RP_PASSWORD, a chat key when one is asked for, GEN_TOKEN. */
void rp_log_in(struct rooms_peer *p, const char *name);
/* LOGIN (ref "login") and AUTH_TOKEN (ref "t") as they are; no answer is heard. */
void rp_try_password(struct rooms_peer *p, const char *id, const char *password);
void rp_try_token(struct rooms_peer *p, const char *user, const char *token);
/* A password that is not the right one. */
void rp_fail_login(struct rooms_peer *p, const char *id);
/* AUTH_TOKEN with p->token, LOGIN_OK.  What waits comes next. */
void rp_auth(struct rooms_peer *p);
/* A connection of somebody new: all of it, up to QUEUE_END. */
struct rooms_peer *rp_enter(struct harness *h, const char *name);
/* One more connection of the same user, with the same token, up to LOGIN_OK. */
struct rooms_peer *rp_again(const struct rooms_peer *p);
/* A P-256 public key in PEM, malloc'ed. */
char *rp_make_pem(void);
/* Text as it stands inside a JSON string, malloc'ed. */
char *rp_escape(const char *text);

#ifndef ROOMS_PEER_INSIDE
#	define rp_start(...)        HARNESS_AT(rp_start(__VA_ARGS__))
#	define rp_open(...)         HARNESS_AT(rp_open(__VA_ARGS__))
#	define rp_init(...)         HARNESS_AT(rp_init(__VA_ARGS__))
#	define rp_agree(...)        HARNESS_AT(rp_agree(__VA_ARGS__))
#	define rp_connect(...)      HARNESS_AT(rp_connect(__VA_ARGS__))
#	define rp_say(...)          HARNESS_AT(rp_say(__VA_ARGS__))
#	define rp_hear(...)         HARNESS_AT(rp_hear(__VA_ARGS__))
#	define rp_hear_status(...)  HARNESS_AT(rp_hear_status(__VA_ARGS__))
#	define rp_next(...)         HARNESS_AT(rp_next(__VA_ARGS__))
#	define rp_hear_nothing(...) HARNESS_AT(rp_hear_nothing(__VA_ARGS__))
#	define rp_hear_close(...)   HARNESS_AT(rp_hear_close(__VA_ARGS__))
#	define rp_text(...)         HARNESS_AT(rp_text(__VA_ARGS__))
#	define rp_int(...)          HARNESS_AT(rp_int(__VA_ARGS__))
#	define rp_bool(...)         HARNESS_AT(rp_bool(__VA_ARGS__))
#	define rp_sign_up(...)      HARNESS_AT(rp_sign_up(__VA_ARGS__))
#	define rp_log_in(...)       HARNESS_AT(rp_log_in(__VA_ARGS__))
#	define rp_fail_login(...)   HARNESS_AT(rp_fail_login(__VA_ARGS__))
#	define rp_auth(...)         HARNESS_AT(rp_auth(__VA_ARGS__))
#	define rp_enter(...)        HARNESS_AT(rp_enter(__VA_ARGS__))
#	define rp_again(...)        HARNESS_AT(rp_again(__VA_ARGS__))
#endif

#endif
