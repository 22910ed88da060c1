/* SPDX-License-Identifier: MIT
 *
 * nodes.h - bytes of the nodes protocol to structs and back
 * (docs/protocols/nodes.md).  Pure: no sockets, threads, files, clock, log.
 * Spans in parsed structs are borrowed from the bytes that were parsed.
 *
 *   message   type | type | tail
 *
 * The tail has a fixed length, or begins with its length (1 or 2 bytes).  Ports and
 * IP addresses are in network order, everything else is little-endian.
 */
#ifndef PROTOCOL_NODES_H
#define PROTOCOL_NODES_H

#include "base/bytes.h"

#define NODES_MAJOR 1
#define NODES_MINOR 0

/* A message's type is its header byte. */
enum nodes_type {
	NODES_OK = 0x01,            /* go on with TLS, roles swapped */
	NODES_OTHER_VERSION = 0x02, /* two: the version that is spoken here */
	NODES_CALL = 0x03,          /* C -> S; uin: whom */
	NODES_CALLED = 0x04,        /* S -> C; uin: by whom */
	NODES_NOT_FOUND = 0x05,     /* S -> C; uin: who is not to be had */
	NODES_ALLOW = 0x06,         /* C -> S; uin: the caller */
	NODES_READY = 0x07,         /* S -> C; uin: the callee */
	NODES_REFUSE = 0x08,        /* C -> S; uin: the caller */
	NODES_DATA_HELLO = 0x20,    /* C -> S, clear; uin: the caller, uin2: the callee */
	NODES_TEXT = 0x30,          /* C -> C; bytes: UTF-8, unchecked */
	NODES_DELIVERED = 0x40,     /* C -> C; two: random */
	NODES_WHO_NAME = 0x60,      /* C -> S; bytes: a name, perhaps empty */
	NODES_WHO_IS = 0x61,        /* S -> C; uin (0: nobody) and bytes: the name */
	NODES_WHO_UIN = 0x62,       /* C -> S; uin */
	NODES_PING = 0x68,          /* two */
	NODES_PONG = 0x69,          /* two: as they came */
	NODES_ASK_NODES = 0x90,     /* two: random */
	NODES_PORT = 0xA2,          /* N -> N; port */
	NODES_LIST = 0xA4,          /* count; bytes: the entries (nodes_address_next) */
	NODES_SEARCH = 0xA5,        /* N -> N; uin */
	NODES_HERE = 0xA8,          /* N -> N; uin */
	NODES_THERE = 0xA9,         /* N -> N; uin; address */
	NODES_ASK_CALL = 0xAA,      /* N -> N; uin: the caller, uin2: the callee */
	NODES_CALL_ALLOWED = 0xAB,  /* N -> N; the same */
	NODES_CALL_OVER = 0xB8,     /* N -> N; two UINs in either order */
	NODES_CLIENT_HELLO = 0xCA,  /* clear; two: the version */
	NODES_NODE_HELLO = 0xCB,    /* clear; two: the version */
	NODES_DATA = 0xD0           /* N -> N; uin: from, uin2: to; bytes */
};

/* Whose mouth the bytes come from; each may say only some of the messages. */
enum nodes_speaker {
	NODES_OPENER,       /* who connected, in the clear: CA, CB, 20 */
	NODES_ACCEPTOR,     /* who answers in the clear: 01, 02 */
	NODES_CLIENT,       /* on a control connection */
	NODES_SERVER,       /* on a control connection */
	NODES_NODE,         /* on a link between nodes, both ends */
	NODES_CORRESPONDENT /* the two clients of a call, to each other */
};

#define NODES_HEAD_LEN       2
#define NODES_TEXT_MAX       65535       /* bytes of a 30 */
#define NODES_NAME_MAX       255         /* bytes of a 60, 61; names are shorter */
#define NODES_LIST_MAX       4096        /* entries of an A4 that are accepted */
#define NODES_LIST_SEND_MAX  256         /* entries of an A4 that we make */
#define NODES_HOST_MAX       253         /* bytes of the name in an address */
#define NODES_DATA_MAX       (65532 - 8) /* bytes in one D0 */
#define NODES_DATA_HEAD_LEN  (NODES_HEAD_LEN + 2 + 8) /* of a D0, before its bytes */
#define NODES_DATA_HELLO_LEN 10
#define NODES_ADDRESS_MAX    (1 + 1 + NODES_HOST_MAX + 2)
/* The longest message there is: a reader has to be able to hold that much. */
#define NODES_MESSAGE_MAX (NODES_HEAD_LEN + 2 + NODES_LIST_MAX * NODES_ADDRESS_MAX)

enum nodes_address_kind { NODES_IP4 = 0xA0, NODES_IP6 = 0xA1, NODES_HOST = 0xA2 };
struct nodes_address {
	enum nodes_address_kind kind;
	uint8_t ip[16];   /* IP4: the first four; network order */
	struct span host; /* HOST: 1 to NODES_HOST_MAX bytes, unchecked */
	uint16_t port;    /* host order */
};

struct nodes_message {
	enum nodes_type type;
	size_t total; /* parsed: bytes of the whole message */
	uint32_t uin, uin2;
	uint8_t two[2];
	uint16_t port; /* host order */
	uint16_t count;
	struct span bytes;
	struct nodes_address address;
};

/* "first bytes" row of docs/protocols/README.md: Q_OK it is nodes, Q_FORMAT it is
 * not, Q_SHORT too few bytes to tell. */
enum qerr nodes_recognise(struct span first);

/* Cut the next message off in.  Q_SHORT: not all there yet.  Q_FORMAT: unequal header,
 * a type that this speaker may not use, a length or an address that is not allowed;
 * there is no way to be in step again.  Both are told as early as the bytes allow. */
enum qerr
nodes_next(struct span in, enum nodes_speaker speaker, struct nodes_message *out);

/* Append m.  Q_FORMAT: m cannot be said (a length out of bounds; LIST whose bytes are
 * not count addresses); Q_LIMIT, Q_NOMEM; nothing is appended then. */
enum qerr nodes_put(struct buf *out, const struct nodes_message *m);
/* What stands before the n <= NODES_DATA_MAX bytes of a D0. */
void
nodes_data_head(uint8_t out[NODES_DATA_HEAD_LEN], uint32_t from, uint32_t to, size_t n);

/* ---- addresses ---- */
/* Step over one address.  Q_SHORT: the bytes end within it; Q_FORMAT: an unknown kind,
 * a host of a wrong length.  r is unchanged then. */
enum qerr nodes_address_next(struct reader *r, struct nodes_address *out);
/* Append.  Q_FORMAT: a host of a wrong length; Q_LIMIT, Q_NOMEM. */
enum qerr nodes_address_put(struct buf *out, const struct nodes_address *a);
/* From the 16 bytes of an IPv6 address; an IPv4-mapped one (RFC 4291, 2.5.5.2) becomes
 * IP4, as the page says. */
struct nodes_address nodes_address_ip(const uint8_t ip[16], uint16_t port);
bool nodes_address_eq(const struct nodes_address *a, const struct nodes_address *b);

#endif
