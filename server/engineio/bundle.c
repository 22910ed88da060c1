/* SPDX-License-Identifier: MIT */
#include "server/engineio/bundle.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* What a reference costs: a place in a queue, and some share of what it refers to. */
#define REFERENCE_WEIGHT 64

/* ---- blobs ---- */

static atomic_size_t held;

size_t
blobs_held(void)
{
	return atomic_load_explicit(&held, memory_order_relaxed);
}

struct blob *
blob_new(size_t len)
{
	struct blob *b;

	if (len > SIZE_MAX - sizeof(*b) || (b = malloc(sizeof(*b) + len)) == NULL)
		return NULL;
	atomic_init(&b->refs, 1);
	b->len = len;
	atomic_fetch_add_explicit(&held, len, memory_order_relaxed);
	return b;
}

struct blob *
blob_of(struct span s)
{
	struct blob *b = blob_new(s.len);

	if (b != NULL && s.len > 0)
		memcpy(b->p, s.p, s.len);
	return b;
}

struct blob *
blob_ref(struct blob *b)
{
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

void
blob_unref(struct blob *b)
{
	if (b == NULL ||
	    atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
		return;
	atomic_fetch_sub_explicit(&held, b->len, memory_order_relaxed);
	free(b);
}

struct span
blob_span(const struct blob *b)
{
	return span_of(b->p, b->len);
}

/* ---- bundles ---- */

static struct bundle *
bundle_alloc(size_t len, bool binary)
{
	struct bundle *b;

	if (len > SIZE_MAX - sizeof(*b) || (b = malloc(sizeof(*b) + len)) == NULL)
		return NULL;
	atomic_init(&b->refs, 1);
	b->binary = binary;
	b->len = len;
	b->count = 0;
	return b;
}

struct bundle *
bundle_new(enum eio_type type, struct span data, struct blob *const *blobs,
	   unsigned count)
{
	struct bundle *b = bundle_alloc(data.len + 1, false);

	assert(count <= BUNDLE_BLOBS_MAX);
	if (b == NULL)
		return NULL;
	b->packet[0] = (uint8_t)type;
	if (data.len > 0)
		memcpy(b->packet + 1, data.p, data.len);
	for (unsigned i = 0; i < count; i++)
		b->blobs[i] = blob_ref(blobs[i]);
	b->count = count;
	return b;
}

struct bundle *
bundle_binary(struct span data)
{
	struct bundle *b = bundle_alloc(data.len, true);

	if (b != NULL && data.len > 0)
		memcpy(b->packet, data.p, data.len);
	return b;
}

struct bundle *
bundle_ref(struct bundle *b)
{
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

void
bundle_unref(struct bundle *b)
{
	if (b == NULL ||
	    atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned i = 0; i < b->count; i++)
		blob_unref(b->blobs[i]);
	free(b);
}

/* ---- as packets ---- */

static struct eio_packet
packet_of(const struct bundle *b)
{
	if (b->binary)
		return (struct eio_packet){.type = EIO_MESSAGE,
					   .binary = true,
					   .data = span_of(b->packet, b->len)};
	return (struct eio_packet){.type = (enum eio_type)b->packet[0],
				   .data = span_of(b->packet + 1, b->len - 1)};
}

static struct eio_packet
packet_of_blob(const struct blob *b)
{
	return (struct eio_packet){
	    .type = EIO_MESSAGE, .binary = true, .data = blob_span(b)};
}

size_t
bundle_body_len(const struct bundle *b)
{
	struct eio_packet p = packet_of(b);
	size_t n = eio_body_len(&p);

	for (unsigned i = 0; i < b->count; i++) {
		p = packet_of_blob(b->blobs[i]);
		n += 1 + eio_body_len(&p);
	}
	return n;
}

size_t
bundle_weight(const struct bundle *b)
{
	return b->len + (size_t)(b->count + 1) * REFERENCE_WEIGHT;
}

enum qerr
bundle_body_put(const struct bundle *b, struct buf *body, bool first)
{
	struct eio_packet p = packet_of(b);
	enum qerr e = eio_body_put(body, &p, first);

	for (unsigned i = 0; i < b->count && e == Q_OK; i++) {
		p = packet_of_blob(b->blobs[i]);
		e = eio_body_put(body, &p, false);
	}
	return e;
}
