/* SPDX-License-Identifier: MIT
 *
 * relay.h - bytes of the relay protocol to structs and back
 * (docs/protocols/relay.md).  Pure: no sockets, threads, files, clock, log.
 * Spans in parsed structs are borrowed from the bytes that were parsed.
 *
 *   clear frame    int32 -n | int32 opcode | body            n = 4 + len(body)
 *   sealed frame   int32  n | ct | tag 16 | iv 12            n = len(ct) + 28
 *   ct             AES-256-GCM of  int32 opcode | int32 counter | data
 *
 * Parsers return Q_FORMAT for anything that is not exactly one well-formed
 * message: missing bytes, lengths that lie, bytes left over.
 */
#ifndef PROTOCOL_RELAY_H
#define PROTOCOL_RELAY_H

#include "base/bytes.h"
#include "base/name.h"

enum relay_opcode {
	RELAY_ENROL = 280,        /* C -> S, clear */
	RELAY_ENROLLED = 281,     /* S -> C, clear */
	RELAY_HELLO = 290,        /* C -> S, clear: first_auth_msg */
	RELAY_SERVER_HELLO = 291, /* S -> C, clear: second_auth_msg */
	RELAY_PROOF = 292,        /* C -> S, clear: final_auth_msg */
	RELAY_CHAT_REQUEST = 301, /* C -> S; S -> C chat_request_received */
	RELAY_CHAT_REQUEST_RECEIVED_DISTINCT = 302, /* S -> C, relay.codes = distinct */
	RELAY_CHAT_ACCEPT = 303,                    /* both */
	RELAY_CHAT_DENIED = 304,                    /* both */
	RELAY_NONCE = 305,                          /* C1 -> S -> C2 */
	RELAY_SECOND_KEY = 306,      /* C1 -> S -> C2: second_key_negotiation */
	RELAY_PEER_PUBLIC_KEY = 307, /* S -> C who accepted */
	RELAY_FIRST_KEY = 308,       /* C2 -> S -> C1: first_key_negotiation */
	RELAY_PEER_MESSAGE = 350,    /* C -> S -> C */
	RELAY_END_CHAT = 370,        /* C -> S */
	RELAY_CLOSED_CHAT = 371,     /* S -> C */
	RELAY_LOGOUT = 372,          /* C -> S */
	RELAY_FORCED_LOGOUT = 373,   /* S -> C, optional UTF-8 reason */
	RELAY_LIST = 374,            /* C -> S list_request; S -> C list */
	RELAY_LIST_DISTINCT = 375,   /* S -> C, relay.codes = distinct */
	RELAY_NOTICE = 376 /* ours: C -> S "send me notices"; S -> C UTF-8 text */
};

#define RELAY_SIZE_LEN    4 /* the size field itself */
#define RELAY_HEAD_LEN    8 /* opcode and counter inside a sealed frame */
#define RELAY_TAG_LEN     16
#define RELAY_IV_LEN      12
#define RELAY_SEAL_LEN    (RELAY_TAG_LEN + RELAY_IV_LEN)
#define RELAY_SEALED_MIN  (RELAY_HEAD_LEN + RELAY_SEAL_LEN) /* smallest size_tot */
#define RELAY_CLEAR_MAX   8192  /* largest size before authentication */
#define RELAY_SEALED_MAX  65536 /* largest size_tot by default */
#define RELAY_PROOF_LEN   32    /* HMAC-SHA256 in 280 and 281 */
#define RELAY_COUNTER_MAX INT32_MAX

/* The reason of a 373 after which it makes sense to come back (docs/protocols/relay.md,
 * "Forced logout"). */
#define RELAY_REASON_STOPPING "the server is stopping"

/* "first bytes" row of docs/protocols/README.md: Q_OK it is relay, Q_FORMAT it
 * is not, Q_SHORT too few bytes to tell. */
enum qerr relay_recognise(struct span first);

/* ---- frames ---- */
struct relay_frame {
	bool clear;
	size_t total;     /* bytes of the whole frame, size field included */
	struct span body; /* after the size field; clear: opcode onwards */
};

/* Cut the next frame off in.  clear_max and sealed_max bound the size field's
 * magnitude.  Q_SHORT: not all there yet (decided from the size field alone
 * when that is too large or too small).  Q_LIMIT: larger than the limit.
 * Q_FORMAT: a size of 0, a clear frame without opcode, or a sealed one
 * shorter than RELAY_SEALED_MIN. */
enum qerr relay_frame_next(struct span in, uint32_t clear_max, uint32_t sealed_max,
			   struct relay_frame *out);

/* The parts of a sealed frame's body (at least RELAY_SEALED_MIN bytes). */
struct relay_sealed {
	struct span ct;
	const uint8_t *tag; /* RELAY_TAG_LEN bytes */
	const uint8_t *iv;  /* RELAY_IV_LEN bytes */
};
struct relay_sealed relay_sealed_parts(struct span body);

/* The opened inside of a sealed frame.  Q_FORMAT below RELAY_HEAD_LEN. */
struct relay_inner {
	int32_t opcode;
	int32_t counter;
	struct span data;
};
enum qerr relay_inner_parse(struct span plain, struct relay_inner *out);
/* The 8 bytes before data. */
void relay_head_put(uint8_t out[RELAY_HEAD_LEN], int32_t opcode, int32_t counter);

/* ---- names ---- */
/* The name that stands before a trailing NUL, or all of s (Decision: both are
 * accepted).  Q_FORMAT when it is no valid name. */
enum qerr relay_name_parse(struct span s, char out[NAME_SIZE]);

/* ---- clear messages; the span given to a parser is what follows opcode ---- */
struct relay_hello { /* 290 */
	int32_t nonce;
	struct span user; /* raw, perhaps with a trailing NUL; see relay_name_parse */
};
enum qerr relay_hello_parse(struct span body, struct relay_hello *out);

struct relay_server_hello { /* 291 */
	int32_t nonce;
	struct span pem;       /* the server's ephemeral public key */
	struct span signature; /* over pem || nonceC (4 bytes, little-endian) */
	struct span cert;      /* the server's certificate in PEM; may be empty */
};
enum qerr relay_server_hello_parse(struct span body, struct relay_server_hello *out);

struct relay_proof { /* 292 */
	struct span pem;
	struct span signature; /* over pem || nonceS */
};
enum qerr relay_proof_parse(struct span body, struct relay_proof *out);

struct relay_enrol { /* 280 */
	struct span name;
	struct span pem;
	struct span proof; /* RELAY_PROOF_LEN bytes */
};
enum qerr relay_enrol_parse(struct span body, struct relay_enrol *out);

enum relay_enrol_status {
	RELAY_ENROL_DONE = 0,
	RELAY_ENROL_NAME_TAKEN = 1,
	RELAY_ENROL_WRONG_PROOF = 2,
	RELAY_ENROL_CLOSED = 3,
	RELAY_ENROL_BAD = 4,
	RELAY_ENROL_LATER = 5
};
struct relay_enrolled { /* 281 */
	int32_t status;
	struct span ca;    /* PEM; empty unless status is 0 */
	struct span proof; /* RELAY_PROOF_LEN bytes */
};
enum qerr relay_enrolled_parse(struct span body, struct relay_enrolled *out);

/* Append a whole clear frame to out.  Q_LIMIT, Q_NOMEM: nothing appended. */
enum qerr relay_hello_put(struct buf *out, const struct relay_hello *m);
enum qerr relay_server_hello_put(struct buf *out, const struct relay_server_hello *m);
enum qerr relay_proof_put(struct buf *out, const struct relay_proof *m);
enum qerr relay_enrol_put(struct buf *out, const struct relay_enrol *m);
enum qerr relay_enrolled_put(struct buf *out, const struct relay_enrolled *m);

/* ---- data of sealed messages (what follows opcode and counter) ---- */
/* 303 and 307 from the server: int64 pem_size | pem. */
enum qerr relay_pem_parse(struct span data, struct span *pem);
enum qerr relay_pem_put(struct buf *out, struct span pem);
/* 305: int32 nonce. */
enum qerr relay_nonce_parse(struct span data, int32_t *nonce);
enum qerr relay_nonce_put(struct buf *out, int32_t nonce);
/* 308 (with nonce) and 306 (without). */
struct relay_key_message {
	int32_t nonce; /* 308 alone */
	struct span pem;
	struct span signature; /* over pem || the other side's nonce */
};
enum qerr relay_first_key_parse(struct span data, struct relay_key_message *out);
enum qerr relay_first_key_put(struct buf *out, const struct relay_key_message *m);
enum qerr relay_second_key_parse(struct span data, struct relay_key_message *out);
enum qerr relay_second_key_put(struct buf *out, const struct relay_key_message *m);
/* 374 from the server: repeated int32 size | name.  Take one entry off *rest.
 * Q_MISSING at the end of the list, Q_FORMAT for a broken one. */
enum qerr relay_list_next(struct reader *rest, char name[NAME_SIZE]);
/* Append an entry; with_nul: size counts a terminating NUL (distinct codes). */
enum qerr relay_list_put(struct buf *out, const char *name, bool with_nul);

/* 350: int32 size_tot | ct2 | tag | iv.  Q_FORMAT unless data is exactly one
 * peer message of at least RELAY_SEALED_MIN. */
enum qerr relay_peer_parse(struct span data, struct relay_sealed *out);

/* The 4 little-endian bytes of a nonce, as signatures cover it. */
void relay_nonce_bytes(int32_t nonce, uint8_t out[4]);

#endif
