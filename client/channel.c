/* SPDX-License-Identifier: MIT
 *
 * IVs are a random prefix of 4 bytes and a counter of 8.  Both ends of a channel
 * seal under the same key, so the prefix is what keeps their IVs apart, and what
 * shows that a frame is one of ours that somebody sent back.
 */
#include "client/channel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/random.h"

#define PREFIX_LEN 4

struct channel {
	struct aead *seal, *open;
	uint8_t prefix[PREFIX_LEN];
	uint32_t sent;     /* the counter that goes out next */
	uint32_t received; /* the counter that must come next */
};

enum qerr
channel_new(const uint8_t secret[KEX_SECRET_LEN], struct channel **out)
{
	struct channel *c = calloc(1, sizeof(*c));
	struct span part = span_of(secret, KEX_SECRET_LEN);
	uint8_t key[SHA256_LEN];
	enum qerr e;

	if (c == NULL)
		return Q_NOMEM;
	if ((e = sha256(&part, 1, key)) != Q_OK)
		goto out;
	c->seal = aead_new(AEAD_SEAL, key);
	c->open = aead_new(AEAD_OPEN, key);
	if (c->seal == NULL || c->open == NULL)
		e = Q_NOMEM;
	random_bytes(c->prefix, sizeof(c->prefix));
out:
	secret_wipe(key, sizeof(key));
	if (e == Q_OK)
		*out = c;
	else
		channel_free(c);
	return e;
}

void
channel_free(struct channel *c)
{
	if (c == NULL)
		return;
	aead_free(c->seal);
	aead_free(c->open);
	free(c);
}

enum qerr
channel_seal(struct channel *c, struct buf *out, int32_t opcode, struct span data)
{
	size_t len = RELAY_HEAD_LEN + data.len;
	uint8_t *frame, *plain, *tag, *iv;
	enum qerr e;

	if (c->sent > RELAY_COUNTER_MAX || data.len > INT32_MAX - CHANNEL_OVERHEAD)
		return Q_LIMIT;
	if ((e = buf_reserve(out, CHANNEL_OVERHEAD + data.len)) != Q_OK)
		return e;
	frame = out->p + out->len;
	plain = frame + RELAY_SIZE_LEN;
	tag = plain + len;
	iv = tag + RELAY_TAG_LEN;
	le32_put(frame, (uint32_t)(len + RELAY_SEAL_LEN));
	relay_head_put(plain, opcode, (int32_t)c->sent);
	if (data.len > 0)
		memcpy(plain + RELAY_HEAD_LEN, data.p, data.len);
	memcpy(iv, c->prefix, PREFIX_LEN);
	le64_put(iv + PREFIX_LEN, c->sent);
	if ((e = aead_seal(c->seal, iv, span_of(NULL, 0), plain, len, plain, tag)) !=
	    Q_OK)
		return e;
	c->sent++;
	out->len += CHANNEL_OVERHEAD + data.len;
	return Q_OK;
}

enum qerr
channel_open(struct channel *c, const struct relay_sealed *frame, struct buf *plain,
	     struct relay_inner *out, struct why *why)
{
	struct relay_inner inner;
	enum qerr e;

	if (c->received > RELAY_COUNTER_MAX)
		return why_set(why, Q_LIMIT, "the counter is used up");
	if (memcmp(frame->iv, c->prefix, PREFIX_LEN) == 0)
		return why_set(why, Q_DENIED, "a message of ours came back");
	plain->len = 0;
	if ((e = buf_reserve(plain, frame->ct.len)) != Q_OK)
		return why_set(why, e, "a message is too large");
	e = aead_open(c->open, frame->iv, span_of(NULL, 0), frame->ct.p, frame->ct.len,
		      plain->p, frame->tag);
	if (e != Q_OK)
		return why_set(why, e,
			       e == Q_DENIED ? "a message was changed on its way"
					     : "a message could not be opened");
	plain->len = frame->ct.len;
	if (relay_inner_parse(buf_span(plain), &inner) != Q_OK ||
	    (uint32_t)inner.counter != c->received)
		return why_set(why, Q_DENIED, "a message is missing, or came twice");
	c->received++;
	*out = inner;
	return Q_OK;
}
