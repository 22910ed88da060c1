/* SPDX-License-Identifier: MIT
 *
 * Nothing of the user leaves before the server has shown a certificate that the pinned
 * CA issued, and a signature over its half of the key exchange that proves it its own:
 * inside TLS as without it, so that whoever stands between (a proxy that ends TLS, say)
 * reads neither passwords nor tokens.
 */
#include "client/rooms_channel.h"

#include <string.h>

#include "base/text.h"
#include "client/chain.h"
#include "client/link_ws.h"
#include "crypto/random.h"
#include "protocol/rooms_envelope.h"

#define PACKET_MAX ((size_t)48 * 1024 * 1024)

void
rooms_channel_init(struct rooms_channel *ch, const struct client_env *env)
{
	*ch = (struct rooms_channel){.env = env, .text = BUF_INIT(PACKET_MAX)};
}

void
rooms_channel_fini(struct rooms_channel *ch)
{
	kex_free(ch->kex);
	lane_fini(&ch->in);
	lane_fini(&ch->out);
	buf_wipe(&ch->text);
	ch->kex = NULL;
}

/* ---- sending ---- */

static enum qerr
put_plain(struct rooms_channel *ch, const struct rooms_packet *p)
{
	enum qerr e;

	ch->text.len = 0;
	if ((e = rooms_put(&ch->text, p)) != Q_OK)
		return e;
	return link_message_put(ch->env->out, buf_span(&ch->text));
}

/* What is in ch->text, as an envelope right where it goes out. */
static enum qerr
put_sealed(struct rooms_channel *ch)
{
	struct buf *out = ch->env->out;
	size_t len = ch->text.len, size = ROOMS_ENVELOPE_SIZE(len);
	uint8_t iv[AEAD_IV_LEN], *place, *ct;
	enum qerr e;

	if ((e = buf_reserve(out, LINK_MESSAGE_HEADER + size)) != Q_OK)
		return e == Q_LIMIT ? Q_FULL : e;
	place = out->p + out->len + LINK_MESSAGE_HEADER;
	ct = rooms_envelope_inside(place, len);
	if ((e = lane_seal(&ch->out, ch->text.p, len, ct, ct + len, iv)) != Q_OK)
		return e;
	rooms_envelope_wrap(place, len, iv);
	le32_put(out->p + out->len, (uint32_t)size);
	out->len += LINK_MESSAGE_HEADER + size;
	return Q_OK;
}

enum qerr
rooms_channel_put(struct rooms_channel *ch, const struct rooms_packet *p)
{
	enum qerr e;

	ch->text.len = 0;
	if ((e = rooms_put(&ch->text, p)) == Q_OK)
		e = put_sealed(ch);
	else if (e == Q_LIMIT)
		e = Q_FULL;
	/* It may have held a password; but not each message is worth a new block. */
	if (ch->text.cap > 65536)
		buf_wipe(&ch->text);
	else if (ch->text.len > 0)
		secret_wipe(ch->text.p, ch->text.len);
	ch->text.len = 0;
	return e;
}

/* ---- the handshake ---- */

enum qerr
rooms_channel_begin(struct rooms_channel *ch)
{
	struct rooms_packet p = {.type = ROOMS_T_CONN_INIT};
	uint8_t random[16];

	random_bytes(random, sizeof(random));
	p.u.conn_init.uuid = ch->uuid = uuid_v4(random);
	ch->phase = CHANNEL_OFFERED;
	return put_plain(ch, &p);
}

/* Is it the server that the user knows? */
static enum qerr
check_server(const struct rooms_channel *ch, const struct rooms_conn_encrypt_s *hello,
	     struct why *why)
{
	struct span parts[ROOMS_KEX_PARTS];
	uint8_t sig[KEY_SIGN_MAX + 3];
	struct cert *cert = NULL;
	struct key *key = NULL;
	size_t len = 0;
	enum qerr e;

	if (hello->certificate.p == NULL || hello->signature.p == NULL ||
	    ch->env->login->ca == NULL)
		return why_set(
		    why, Q_DENIED,
		    "the server shows no certificate, so it cannot be trusted");
	e = chain_check(ch->env->server, hello->certificate, ch->env->login->ca, why);
	if (e == Q_OK && ((e = cert_parse(hello->certificate, &cert)) != Q_OK ||
			  (e = cert_key(cert, &key)) != Q_OK))
		why_set(why, e, "the server's certificate has no key that can be used");
	if (e == Q_OK) {
		rooms_kex_parts(hello->server_epbkey, &ch->uuid, parts);
		e = Q_DENIED;
		if (hello->signature.len <= BASE64_LEN(KEY_SIGN_MAX) &&
		    base64_decode(hello->signature, sig, &len) == Q_OK)
			e = key_verify(key, parts, ROOMS_KEX_PARTS, span_of(sig, len));
		if (e != Q_OK)
			why_set(why, e,
				"the server shows a certificate that is not its own");
	}
	key_free(key);
	cert_free(cert);
	return e == Q_OK ? Q_OK : Q_DENIED;
}

static enum qerr
make_lanes(struct rooms_channel *ch, struct span server_pem)
{
	struct span salt = span_of(ch->uuid.b, sizeof(ch->uuid.b)), secret;
	uint8_t shared[KEX_SECRET_LEN];
	enum qerr e = kex_derive(ch->kex, server_pem, shared);

	secret = span_of(shared, sizeof(shared));
	if (e == Q_OK)
		e = lane_init(&ch->out, AEAD_SEAL, secret, salt, ROOMS_KEX_C2S);
	if (e == Q_OK)
		e = lane_init(&ch->in, AEAD_OPEN, secret, salt, ROOMS_KEX_S2C);
	secret_wipe(shared, sizeof(shared));
	return e;
}

/* CONN_ENCRYPT_S: CONN_ENCRYPT_C, and keys. */
static enum qerr
on_hello(struct rooms_channel *ch, const struct rooms_conn_encrypt_s *hello,
	 struct why *why)
{
	struct rooms_packet p = {.type = ROOMS_T_CONN_ENCRYPT_C};
	enum qerr e = check_server(ch, hello, why);

	if (e != Q_OK)
		return e;
	if ((ch->kex = kex_new()) == NULL)
		return why_set(why, Q_NOMEM, "there is no memory left");
	p.u.pem = kex_pem(ch->kex);
	if ((e = put_plain(ch, &p)) == Q_OK)
		e = make_lanes(ch, hello->server_epbkey);
	kex_free(ch->kex);
	ch->kex = NULL;
	ch->phase = CHANNEL_KEYED;
	if (e == Q_OK)
		return Q_OK;
	return why_set(why, e,
		       e == Q_NOMEM ? "there is no memory left"
				    : "the server's key is none");
}

/* ---- receiving ---- */

static enum qerr
broken(const struct rooms_channel *ch, struct why *why)
{
	if (ch->phase == CHANNEL_OFFERED)
		return why_set(why, Q_FORMAT, "what answers there does not speak rooms");
	return why_set(why, Q_FORMAT, "the server broke the protocol");
}

static enum qerr
parse(const struct rooms_channel *ch, struct span text, struct rooms_packet *out,
      struct why *why)
{
	struct rooms_fault fault;
	enum qerr e = rooms_parse(text, PACKET_MAX, ROOMS_SERVER, out, &fault);

	if (e == Q_NOMEM)
		return why_set(why, e, "there is no memory left");
	return e == Q_OK ? Q_OK : broken(ch, why);
}

/* A packet of the handshake, in the open. */
static enum qerr
take_open(struct rooms_channel *ch, struct span text, struct why *why)
{
	struct rooms_packet p;
	enum qerr e = parse(ch, text, &p, why);

	if (e != Q_OK)
		return e;
	if (p.type == ROOMS_T_CONN_ENCRYPT_S)
		e = on_hello(ch, &p.u.conn_encrypt_s, why);
	else if (p.type == ROOMS_T_STATUS)
		e = why_set(why, Q_DENIED, "the server takes no connection: %s",
			    p.u.status.sig != ROOMS_SIG_OTHER
				? rooms_sig_sentence(p.u.status.sig)
				: "it does not say why");
	else
		e = broken(ch, why);
	rooms_packet_free(&p);
	return e;
}

static enum qerr
take_sealed(struct rooms_channel *ch, uint8_t *text, size_t len, struct rooms_coming *out,
	    struct why *why)
{
	uint8_t iv[ROOMS_IV_LEN];
	size_t ct;
	enum qerr e;

	if (rooms_envelope_unwrap(text, len, iv, &ct) != Q_OK ||
	    lane_open(&ch->in, iv, text, ct - ROOMS_TAG_LEN, text,
		      text + ct - ROOMS_TAG_LEN) != Q_OK)
		return why_set(why, Q_DENIED,
			       "what comes from the server is not sealed as agreed: "
			       "somebody is in between, or it is broken");
	out->plain = span_of(text, ct - ROOMS_TAG_LEN);
	if ((e = parse(ch, out->plain, &out->packet, why)) != Q_OK)
		return e;
	if (ch->phase == CHANNEL_UP)
		return Q_OK;
	if (out->packet.type == ROOMS_T_STATUS &&
	    out->packet.u.status.sig == ROOMS_CONN_OK) {
		ch->phase = CHANNEL_UP;
		return Q_OK;
	}
	rooms_packet_free(&out->packet);
	return broken(ch, why);
}

enum qerr
rooms_channel_next(struct rooms_channel *ch, struct buf *in, struct rooms_coming *out,
		   struct why *why)
{
	struct span message;
	enum qerr e;

	while (link_message_next(in, &message) == Q_OK) {
		*out = (struct rooms_coming){.used = LINK_MESSAGE_HEADER + message.len};
		if (ch->phase > CHANNEL_OFFERED)
			return take_sealed(ch, in->p + LINK_MESSAGE_HEADER, message.len,
					   out, why);
		e = take_open(ch, message, why);
		if (e != Q_OK)
			return e;
		buf_consume(in, out->used);
	}
	return Q_SHORT;
}

void
rooms_channel_done(struct rooms_coming *c, struct buf *in)
{
	rooms_packet_free(&c->packet);
	if (c->plain.len > 0)
		secret_wipe(in->p + LINK_MESSAGE_HEADER, c->used - LINK_MESSAGE_HEADER);
	buf_consume(in, c->used);
}
