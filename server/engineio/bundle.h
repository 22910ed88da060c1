/* SPDX-License-Identifier: MIT
 *
 * bundle.h - what goes to clients of Engine.IO, made once and shared by all who get it.
 *
 * A blob is bytes that are counted by reference: an image on its way in, into the store
 * and out to many is one copy.  A bundle is one text packet and the binary packets that
 * belong behind it (the attachments of an event); it is what a session's queue holds,
 * and is never split over two polls.
 *
 * Both are immutable once they are shared.  Any thread; no lock is taken.
 */
#ifndef SERVER_ENGINEIO_BUNDLE_H
#define SERVER_ENGINEIO_BUNDLE_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "protocol/engineio.h"

struct blob {
	atomic_uint refs;
	size_t len;
	uint8_t p[]; /* write it before it is shared */
};

/* len bytes, one reference for the caller.  NULL: no memory. */
struct blob *blob_new(size_t len);
/* The same with a copy of s. */
struct blob *blob_of(struct span s);
struct blob *blob_ref(struct blob *b);
void blob_unref(struct blob *b); /* NULL is fine */
struct span blob_span(const struct blob *b);
/* Bytes in all the blobs that there are: what is coming in, and what waits for clients
 * that do not fetch it. */
size_t blobs_held(void);

#define BUNDLE_BLOBS_MAX 16

struct bundle {
	atomic_uint refs;
	bool binary;    /* the packet itself is bytes; then there are no blobs */
	size_t len;     /* of the packet */
	unsigned count; /* of blobs */
	struct blob *blobs[BUNDLE_BLOBS_MAX];
	uint8_t packet[]; /* a text one begins with its type (enum eio_type) */
};

/* A text packet with data behind its type, and count blobs (each gets a reference).  One
 * reference for the caller.  NULL: no memory. */
struct bundle *bundle_new(enum eio_type type, struct span data, struct blob *const *blobs,
			  unsigned count);
/* A binary message. */
struct bundle *bundle_binary(struct span data);
struct bundle *bundle_ref(struct bundle *b);
void bundle_unref(struct bundle *b); /* NULL is fine */

/* Bytes that it takes in a polling body, without a separator before it. */
size_t bundle_body_len(const struct bundle *b);
/* What it counts in a backlog: its text, and a blob as a reference. */
size_t bundle_weight(const struct bundle *b);
/* Append it to a polling body; first: nothing stands before it.  Q_LIMIT, Q_NOMEM. */
enum qerr bundle_body_put(const struct bundle *b, struct buf *body, bool first);

#endif
