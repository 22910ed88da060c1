/* SPDX-License-Identifier: MIT
 *
 * relay_peer.h - a relay client for tests: knows the protocol page and nothing
 * of our own client.  It can say everything, also what is wrong.
 *
 *	struct peer *alice = peer_login(h, "alice"), *bob = peer_login(h, "bob");
 *
 *	peer_request(alice, "bob");
 *	peer_expect_name(bob, RELAY_CHAT_REQUEST, "alice");
 *
 * Every function fails the running test when it cannot do what it says; the
 * message names the test's line.  What is received is checked on the way: tag,
 * counter, and that the server's IVs share a prefix and rise.
 */
#ifndef TESTS_SYSTEM_RELAY_PEER_H
#define TESTS_SYSTEM_RELAY_PEER_H

#include "crypto/aead.h"
#include "crypto/cert.h"
#include "crypto/kex.h"
#include "protocol/relay.h"
#include "tests/system/harness.h"

/* One direction under one key. */
struct peer_way {
	struct aead *aead;
	int32_t counter;         /* of the next frame */
	uint8_t iv[AEAD_IV_LEN]; /* of the last one; its first 4 bytes are the prefix */
	bool begun;
};

struct peer {
	struct harness *h;
	char name[NAME_SIZE];
	const struct key *key;  /* borrowed from h */
	struct key *server_key; /* that signed 291 */
	int fd;
	bool distinct;    /* relay.codes = distinct is what it expects */
	bool drips;       /* send each byte in a segment of its own */
	struct buf *held; /* not NULL: what is sent goes in here instead */
	/* receiving */
	struct buf in;
	size_t in_used;
	struct buf plain; /* the last sealed frame, opened */
	/* the session */
	struct kex *kex;    /* our ephemeral key, of the handshake, then of the chat */
	int32_t nonce;      /* ours */
	int32_t nonce_from; /* the other side's */
	struct peer_way to_server, from_server;
	/* the chat */
	struct key *partner; /* the long-term key that 303 or 307 brought */
	uint8_t chat_key[AEAD_KEY_LEN];
	struct peer_way to_partner, from_partner;
	struct buf last; /* the body of the last 350 sent or received */
};

/* ---- connection and handshake ---- */
struct peer *peer_connect(struct harness *h);
/* With a receive buffer of that many bytes in the kernel: a reader that is slow
 * as soon as it stops reading. */
struct peer *peer_connect_narrow(struct harness *h, int bytes);
/* Close without a word; free.  NULL is fine. */
void peer_free(struct peer *p);
/* End the connection with a reset instead; free. */
void peer_reset(struct peer *p);

/* 290, then 291: its signature and certificate are checked against the server's
 * CA in the data directory. */
void peer_hello(struct peer *p, const char *name);
/* Just 290; and just 291 from what comes. */
void peer_hello_send(struct peer *p, const char *name);
void peer_hello_send_span(struct peer *p, struct span name);
void peer_hello_receive(struct peer *p);
/* 292, signed with key.  From here on frames are sealed. */
void peer_prove(struct peer *p, const struct key *key);
/* connect, hello, proof with the user's key, and a first answer, so that the
 * user is visible on return. */
struct peer *peer_login(struct harness *h, const char *name);
struct peer *peer_login_distinct(struct harness *h, const char *name);

/* ---- sending ---- */
enum peer_flaw {
	PEER_BAD_TAG,
	PEER_BAD_IV,        /* one bit of it changed on the way */
	PEER_BAD_CT,        /* one bit of the ciphertext */
	PEER_COUNTER_AHEAD, /* one too many */
	PEER_COUNTER_BEHIND,
	PEER_COUNTER_NEGATIVE,
	PEER_REFLECTED_IV, /* sealed well, under an IV with the server's prefix */
	PEER_TOO_SHORT     /* ciphertext of 7 bytes: no room for opcode and counter */
};
void peer_send(struct peer *p, int32_t opcode, struct span data);
void peer_send_text(struct peer *p, int32_t opcode, const char *data);
/* Opcode alone. */
void peer_send_bare(struct peer *p, int32_t opcode);
void peer_send_flawed(struct peer *p, int32_t opcode, enum peer_flaw flaw);
/* Append the sealed frame to out instead of sending it. */
void peer_seal(struct peer *p, struct buf *out, int32_t opcode, struct span data);
/* These bytes, as they are. */
void peer_send_raw(struct peer *p, struct span bytes);
/* As many of them as go without waiting; how many went, 0 when none or when the
 * connection is gone. */
size_t peer_try_raw(struct peer *p, struct span bytes);
/* A clear frame. */
void peer_send_clear(struct peer *p, int32_t opcode, struct span body);

/* ---- receiving ---- */
/* The next frame, whatever it is; its opcode and data (until the next call).
 * False when the connection ended instead. */
bool peer_next(struct peer *p, int32_t *opcode, struct span *data);
/* The next frame must be this; its data. */
struct span peer_expect(struct peer *p, int32_t opcode);
/* And its data must be empty. */
void peer_expect_bare(struct peer *p, int32_t opcode);
/* And its data must be this name, in the spelling of the codes in use. */
void peer_expect_name(struct peer *p, int32_t opcode, const char *name);
/* The next thing must be the end of the connection, perhaps after 281 and
 * the like have been read: no frame any more. */
void peer_expect_end(struct peer *p);
/* 373, then the end. */
void peer_expect_forced_logout(struct peer *p);
/* The list must hold these names, separated by blanks. */
void peer_expect_list(struct peer *p, const char *names);
/* Nothing was waiting, and the session works: a list comes at once. */
void peer_expect_nothing(struct peer *p);
/* A clear frame; its body without opcode. */
struct span peer_expect_clear(struct peer *p, int32_t opcode);
/* The rest of what the server sends until it closes is thrown away. */
void peer_drain(struct peer *p);
/* Wait for what comes next: is it the end? */
bool peer_ends(struct peer *p);
/* Append what has come, unread, to out. */
void peer_take_raw(struct peer *p, struct buf *out);
/* Is there anything to read, or the end, right now? */
bool peer_readable(const struct peer *p);

/* ---- chats ---- */
void peer_request(struct peer *p, const char *name);
/* p asks q: 301 both ways. */
void peer_ask(struct peer *p, struct peer *q);
/* q accepts what p asked: 303, 307 and 303 with the right keys. */
void peer_accept(struct peer *q, struct peer *p);
/* The steps of the key negotiation, each sent by one and received and checked
 * by the other. */
void peer_nonce(struct peer *c1, struct peer *c2);      /* 305 */
void peer_first_key(struct peer *c2, struct peer *c1);  /* 308 */
void peer_second_key(struct peer *c1, struct peer *c2); /* 306 */
/* All of it: afterwards both can talk. */
void peer_chat(struct peer *p, struct peer *q);
/* 350 under the chat's key; p->last keeps the body. */
void peer_say(struct peer *p, struct span message);
void peer_say_text(struct peer *p, const char *text);
/* Append a 350 for the server, sealed twice, to out. */
void peer_say_into(struct peer *p, struct buf *out, struct span message);
void peer_hear(struct peer *p, struct span message);
void peer_hear_text(struct peer *p, const char *text);
/* A word in each direction. */
void peer_talk(struct peer *p, struct peer *q);
/* 370 from p, 371 to q. */
void peer_end_chat(struct peer *p, struct peer *q);

/* Failures name the line of the test that called. */
#ifndef RELAY_PEER_INSIDE
#	define peer_hello(...)          HARNESS_AT(peer_hello(__VA_ARGS__))
#	define peer_hello_receive(...)  HARNESS_AT(peer_hello_receive(__VA_ARGS__))
#	define peer_prove(...)          HARNESS_AT(peer_prove(__VA_ARGS__))
#	define peer_login(...)          HARNESS_AT(peer_login(__VA_ARGS__))
#	define peer_login_distinct(...) HARNESS_AT(peer_login_distinct(__VA_ARGS__))
#	define peer_send(...)           HARNESS_AT(peer_send(__VA_ARGS__))
#	define peer_send_raw(...)       HARNESS_AT(peer_send_raw(__VA_ARGS__))
#	define peer_next(...)           HARNESS_AT(peer_next(__VA_ARGS__))
#	define peer_expect(...)         HARNESS_AT(peer_expect(__VA_ARGS__))
#	define peer_expect_bare(...)    HARNESS_AT(peer_expect_bare(__VA_ARGS__))
#	define peer_expect_name(...)    HARNESS_AT(peer_expect_name(__VA_ARGS__))
#	define peer_expect_end(...)     HARNESS_AT(peer_expect_end(__VA_ARGS__))
#	define peer_expect_forced_logout(...) \
		HARNESS_AT(peer_expect_forced_logout(__VA_ARGS__))
#	define peer_expect_list(...)    HARNESS_AT(peer_expect_list(__VA_ARGS__))
#	define peer_expect_nothing(...) HARNESS_AT(peer_expect_nothing(__VA_ARGS__))
#	define peer_expect_clear(...)   HARNESS_AT(peer_expect_clear(__VA_ARGS__))
#	define peer_drain(...)          HARNESS_AT(peer_drain(__VA_ARGS__))
#	define peer_ask(...)            HARNESS_AT(peer_ask(__VA_ARGS__))
#	define peer_accept(...)         HARNESS_AT(peer_accept(__VA_ARGS__))
#	define peer_nonce(...)          HARNESS_AT(peer_nonce(__VA_ARGS__))
#	define peer_first_key(...)      HARNESS_AT(peer_first_key(__VA_ARGS__))
#	define peer_second_key(...)     HARNESS_AT(peer_second_key(__VA_ARGS__))
#	define peer_chat(...)           HARNESS_AT(peer_chat(__VA_ARGS__))
#	define peer_say(...)            HARNESS_AT(peer_say(__VA_ARGS__))
#	define peer_say_text(...)       HARNESS_AT(peer_say_text(__VA_ARGS__))
#	define peer_hear(...)           HARNESS_AT(peer_hear(__VA_ARGS__))
#	define peer_hear_text(...)      HARNESS_AT(peer_hear_text(__VA_ARGS__))
#	define peer_talk(...)           HARNESS_AT(peer_talk(__VA_ARGS__))
#	define peer_end_chat(...)       HARNESS_AT(peer_end_chat(__VA_ARGS__))
#endif

#endif
