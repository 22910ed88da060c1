/* SPDX-License-Identifier: MIT
 *
 * roomlink.h - one rooms connection as a load generator wants it: blocking, with the
 * project's own codecs, and the check of the server's signature left out.  Every error
 * ends the program.
 */
#ifndef BENCH_ROOMLINK_H
#define BENCH_ROOMLINK_H

#include "crypto/lane.h"
#include "crypto/tls.h"
#include "protocol/rooms.h"

struct roomlink {
	int fd;
	struct tls *tls; /* NULL: in the clear */
	struct lane out, in;
	struct buf data; /* what came and was not looked at yet */
	size_t used;
};

/* Connect to 127.0.0.1:port from one of 200 sources, inside TLS unless tls is NULL;
 * upgrade, agree on keys, CONN_OK. */
void roomlink_open(struct roomlink *l, unsigned port, unsigned source,
		   struct tls_context *tls);
/* AUTH_TOKEN, up to QUEUE_END. */
void roomlink_enter(struct roomlink *l, const char *user, const char *token);
void roomlink_send(struct roomlink *l, const struct rooms_packet *p);
/* The next packet; rooms_packet_free it. */
void roomlink_hear(struct roomlink *l, struct rooms_packet *out);
/* The next packet that is of this type. */
void roomlink_expect(struct roomlink *l, enum rooms_type type, struct rooms_packet *out);
/* Read what there is, waiting for nothing, and count the messages without opening them;
 * *len (may be NULL) is the length of the last one's payload.  Nothing can be heard
 * afterwards. */
size_t roomlink_count(struct roomlink *l, size_t *len);
void roomlink_close(struct roomlink *l);

#endif
