/* SPDX-License-Identifier: MIT
 *
 * Packets to clients.  An event is rendered once, as a bundle, and queued by reference for
 * each of its receivers.
 */
#include "protocol/json.h"
#include "server/engineio/sio_priv.h"

#define PACKET_MAX ((size_t)1 << 30)
/* What stands around arguments, mostly: room for it is taken with theirs, at once. */
#define AROUND 64

struct session *
sio_seat(struct sio *s)
{
	return eio_seat(s->e);
}

struct sio *
sio_of(struct session *seat)
{
	return eio_state(eio_of(seat));
}

void
sio_set_user(struct sio *s, void *user)
{
	s->user = user;
}

void *
sio_user(struct sio *s)
{
	return s->user;
}

struct sio *
sio_ref(struct sio *s)
{
	(void)eio_ref(s->e);
	return s;
}

void
sio_unref(struct sio *s)
{
	eio_unref(s->e);
}

unsigned
sio_bit(unsigned space)
{
	return 1u << space;
}

bool
sio_connected(struct sio *s, unsigned space)
{
	return (atomic_load(&s->connected) & sio_bit(space)) != 0;
}

void
sio_raise(struct sio *s, size_t max_message)
{
	eio_raise(s->e, max_message);
}

struct blob *
sio_call_blob(const struct sio_call *call, struct span arg)
{
	uint64_t n;

	if (call->blob_count == 0 || sio_placeholder_get(arg, &n) != Q_OK ||
	    n >= call->blob_count)
		return NULL;
	return call->blobs[n];
}

/* ---- packets ---- */

static enum qerr
render(const struct sio_packet *p, struct blob *const *blobs, unsigned count,
       struct bundle **out)
{
	struct buf text = BUF_INIT(PACKET_MAX);
	enum qerr e =
	    count > BUNDLE_BLOBS_MAX ? Q_LIMIT : buf_reserve(&text, p->json.len + AROUND);

	if (e == Q_OK)
		e = sio_put(&text, p);
	if (e == Q_OK &&
	    (*out = bundle_new(EIO_MESSAGE, buf_span(&text), blobs, count)) == NULL)
		e = Q_NOMEM;
	buf_free(&text);
	return e;
}

enum qerr
sio_send_packet(struct sio *s, const struct sio_packet *p, struct blob *const *blobs,
		unsigned count)
{
	struct bundle *b;
	enum qerr e = render(p, blobs, count, &b);

	if (e != Q_OK)
		return e;
	e = eio_send(s->e, b);
	bundle_unref(b);
	return e;
}

/* ["name",args] or [args] */
static enum qerr
put_array(struct buf *json, const char *name, struct span args)
{
	enum qerr e = buf_reserve(json, args.len + AROUND);

	if (e == Q_OK)
		e = buf_put_u8(json, '[');
	if (e == Q_OK && name != NULL)
		e = json_put_text(json, span_str(name));
	if (e == Q_OK && name != NULL && args.len > 0)
		e = buf_put_u8(json, ',');
	if (e == Q_OK)
		e = buf_put_span(json, args);
	return e == Q_OK ? buf_put_u8(json, ']') : e;
}

enum qerr
sio_event_new(const char *space, const char *name, struct span args,
	      struct blob *const *blobs, unsigned count, struct bundle **out)
{
	struct buf json = BUF_INIT(PACKET_MAX);
	enum qerr e = put_array(&json, name, args);

	if (e == Q_OK)
		e = render(
		    &(struct sio_packet){
			.type = count > 0 ? SIO_BINARY_EVENT : SIO_EVENT,
			.attachments = count,
			.space = span_str(space),
			.json = buf_span(&json),
		    },
		    blobs, count, out);
	buf_free(&json);
	return e;
}

enum qerr
sio_emit(struct sio *s, unsigned space, struct bundle *event)
{
	return sio_connected(s, space) ? eio_send(s->e, event) : Q_CLOSED;
}

enum qerr
sio_emit_all(struct sio *s, unsigned space, struct bundle *const *events, size_t n)
{
	return sio_connected(s, space) ? eio_send_all(s->e, events, n) : Q_CLOSED;
}

enum qerr
sio_emit_args(struct sio *s, unsigned space, const char *name, struct span args)
{
	struct bundle *b;
	enum qerr e =
	    sio_event_new(s->server->handler->spaces[space], name, args, NULL, 0, &b);

	if (e != Q_OK)
		return e;
	e = sio_emit(s, space, b);
	bundle_unref(b);
	return e;
}

enum qerr
sio_ack(struct sio *s, const struct sio_call *call, struct span args,
	struct blob *const *blobs, unsigned count)
{
	struct buf json = BUF_INIT(PACKET_MAX);
	enum qerr e = Q_OK;

	if (!call->wants_ack)
		return Q_OK;
	if (!sio_connected(s, call->space))
		return Q_CLOSED;
	if ((e = put_array(&json, NULL, args)) == Q_OK)
		e = sio_send_packet(
		    s,
		    &(struct sio_packet){
			.type = count > 0 ? SIO_BINARY_ACK : SIO_ACK,
			.attachments = count,
			.space = span_str(s->server->handler->spaces[call->space]),
			.has_id = true,
			.id = call->ack_id,
			.json = buf_span(&json),
		    },
		    blobs, count);
	buf_free(&json);
	return e;
}

/* ---- the end ---- */

static void
say_leave(struct sio *s, unsigned space)
{
	struct sio_packet p = {
	    .type = SIO_DISCONNECT,
	    .space = span_str(s->server->handler->spaces[space]),
	};

	(void)sio_send_packet(s, &p, NULL, 0);
}

void
sio_leave(struct sio *s, unsigned space)
{
	unsigned bit = sio_bit(space);

	if ((atomic_fetch_and(&s->connected, ~bit) & bit) != 0)
		say_leave(s, space);
}

void
sio_end(struct sio *s, enum sio_end how, const char *reason)
{
	for (unsigned i = 0; i < SIO_SPACES_MAX && how == SIO_END_FINAL; i++)
		if (sio_connected(s, i))
			say_leave(s, i);
	eio_close(s->e, how == SIO_END_FINAL ? WS_CODE_POLICY : WS_CODE_GOING_AWAY,
		  reason);
}

void
sio_goodbye(struct session *seat, enum goodbye why, const char *text)
{
	struct sio *s = sio_of(seat);
	bool comes_back = why == GOODBYE_SHUTDOWN || why == GOODBYE_SLOW;

	if (why != GOODBYE_SELF)
		sio_end(s, comes_back ? SIO_END_RETURN : SIO_END_FINAL, text);
}
