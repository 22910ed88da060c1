/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  Both directions run under one key, so two things keep GCM safe: the
 * server's IVs are prefix || frame counter and can never repeat within a
 * session, and a frame that carries our prefix was made by us and is refused
 * before it is opened (reflection).  The prefix costs a peer with random IVs
 * one session in 2^32 frames; that is the page's decision.
 *
 * The last counter, 2^31-1, is kept for the 373 that says why the session ends.
 */
#include "server/relay/seal.h"

#include <string.h>

#include "crypto/random.h"

enum qerr
sealing_init(struct sealing *g, const uint8_t ks[AEAD_KEY_LEN])
{
	struct sealing made = {0};

	made.open = aead_new(AEAD_OPEN, ks);
	made.seal = aead_new(AEAD_SEAL, ks);
	if (made.open == NULL || made.seal == NULL) {
		sealing_fini(&made);
		return Q_NOMEM;
	}
	random_bytes(made.prefix, sizeof(made.prefix));
	*g = made;
	return Q_OK;
}

void
sealing_fini(struct sealing *g)
{
	aead_free(g->open);
	aead_free(g->seal);
	memset(g, 0, sizeof(*g));
}

static enum qerr
refuse(const char **reason, enum qerr e, const char *text)
{
	*reason = text;
	return e;
}

enum qerr
sealing_open(struct sealing *g, uint8_t *body, size_t len, struct relay_inner *out,
	     const char **reason)
{
	struct relay_sealed f = relay_sealed_parts(span_of(body, len));
	struct relay_inner m;
	enum qerr e;

	if (g->in_next > RELAY_COUNTER_MAX)
		return refuse(reason, Q_LIMIT, "frame counter used up");
	if (memcmp(f.iv, g->prefix, sizeof(g->prefix)) == 0)
		return refuse(reason, Q_DENIED, "frame of the server sent back");
	e = aead_open(g->open, f.iv, (struct span){NULL, 0}, f.ct.p, f.ct.len, body,
		      f.tag);
	if (e == Q_DENIED)
		return refuse(reason, e, "wrong tag");
	if (e != Q_OK)
		return refuse(reason, e, "the server could not open a frame");
	if (relay_inner_parse(span_of(body, f.ct.len), &m) != Q_OK)
		return refuse(reason, Q_DENIED, "short frame");
	if (m.counter < 0 || (uint32_t)m.counter != g->in_next)
		return refuse(reason, Q_DENIED, "wrong counter");
	g->in_next++;
	*out = m;
	return Q_OK;
}

enum qerr
sealing_seal(struct sealing *g, enum sealing_last last, uint8_t *plain, size_t len,
	     uint8_t *out)
{
	uint8_t *tag = out + RELAY_SIZE_LEN + len;
	uint8_t *iv = tag + RELAY_TAG_LEN;
	enum qerr e;

	if (g->out_next > RELAY_COUNTER_MAX ||
	    (g->out_next == RELAY_COUNTER_MAX && last == SEALING_MORE))
		return Q_LIMIT;
	le32_put(plain + 4, g->out_next);
	le32_put(out, (uint32_t)(len + RELAY_SEAL_LEN));
	memcpy(iv, g->prefix, sizeof(g->prefix));
	le64_put(iv + sizeof(g->prefix), g->out_next);
	e = aead_seal(g->seal, iv, (struct span){NULL, 0}, plain, len,
		      out + RELAY_SIZE_LEN, tag);
	if (e != Q_OK)
		return e;
	g->out_next++;
	return Q_OK;
}
