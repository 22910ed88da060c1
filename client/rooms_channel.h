/* SPDX-License-Identifier: MIT
 *
 * rooms_channel.h - rooms' packets on their way: the handshake (CONN_INIT to CONN_OK),
 * the check that the other end is the server that is pinned, and the sealed envelope
 * afterwards (docs/protocols/rooms.md, "Connection").  For machines: bytes in, bytes out.
 *
 *	rooms_channel_begin(ch);
 *	while (rooms_channel_next(ch, in, &e) == Q_OK)		packets, from CONN_OK on
 *		act on e.packet; rooms_channel_done(&e, in);
 *	rooms_channel_put(ch, &packet);
 */
#ifndef CLIENT_ROOMS_CHANNEL_H
#define CLIENT_ROOMS_CHANNEL_H

#include "client/protocol.h"
#include "crypto/kex.h"
#include "crypto/lane.h"
#include "protocol/rooms.h"

enum rooms_channel_phase {
	CHANNEL_NEW,
	CHANNEL_OFFERED, /* CONN_INIT was sent */
	CHANNEL_KEYED,   /* CONN_ENCRYPT_C was sent: CONN_OK must come, sealed */
	CHANNEL_UP
};

struct rooms_channel {
	const struct client_env *env;
	enum rooms_channel_phase phase;
	struct uuid uuid;
	struct kex *kex;
	struct lane in, out;
	struct buf text; /* packets that are being written */
};

/* A packet that has come. */
struct rooms_coming {
	struct rooms_packet packet;
	struct span plain; /* its JSON; both are good until rooms_channel_done */
	size_t used;       /* of the buffer that it stands in */
};

void rooms_channel_init(struct rooms_channel *ch, const struct client_env *env);
void rooms_channel_fini(struct rooms_channel *ch); /* wipes; a zeroed one is fine */

/* The transport is up: CONN_INIT.  Q_NOMEM, Q_CRYPTO. */
enum qerr rooms_channel_begin(struct rooms_channel *ch);
/* The packet at the front of in, which is opened where it lies; the handshake's are
 * dealt with here, and the first that is given is CONN_OK.  Q_SHORT: there is none;
 * Q_DENIED: it is not the server that is pinned, or it broke the seal; Q_FORMAT: it broke
 * the protocol; Q_NOMEM, Q_CRYPTO.  why is a sentence. */
enum qerr rooms_channel_next(struct rooms_channel *ch, struct buf *in,
			     struct rooms_coming *out, struct why *why);
void rooms_channel_done(struct rooms_coming *c, struct buf *in);
/* Seal the packet and send it.  Q_FULL: too much waits to be sent; Q_NOMEM, Q_CRYPTO. */
enum qerr rooms_channel_put(struct rooms_channel *ch, const struct rooms_packet *p);

#endif
