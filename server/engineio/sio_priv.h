/* SPDX-License-Identifier: MIT
 *
 * sio_priv.h - what sio.c (packets from the client) and sio_send.c (to it) share.
 */
#ifndef SERVER_ENGINEIO_SIO_PRIV_H
#define SERVER_ENGINEIO_SIO_PRIV_H

#include "server/engineio/sio.h"

struct sio_server {
	struct eio_server *transport;
	struct eio_handler below; /* what the transport calls */
	const struct sio_handler *handler;
	_Atomic int64_t connect_timeout_ms;
};

struct sio {
	struct eio *e;
	struct sio_server *server;
	void *user;
	atomic_uint connected; /* a bit for each namespace */

	/* In a turn: an event whose attachments come one by one behind it. */
	bool assembling;
	struct buf text; /* of its packet */
	struct sio_packet packet;
	struct blob *blobs[BUNDLE_BLOBS_MAX];
	unsigned blob_count;
};

/* Send a packet.  Errors as eio_send, and Q_NOMEM. */
enum qerr sio_send_packet(struct sio *s, const struct sio_packet *p,
			  struct blob *const *blobs, unsigned count);
/* The bit of a namespace in connected. */
unsigned sio_bit(unsigned space);

#endif
