/* SPDX-License-Identifier: MIT
 *
 * Packets from clients, in turns (eio.h).  Each is judged before anybody sees it: its
 * form, its JSON, whether it may come now.  One that is wrong ends the session, since
 * after it nothing means what the client thinks.
 *
 * An event with attachments is a text packet and then so many binary ones; nothing else
 * may come between.  Its text waits here, so it is small (TEXT_MAX), and an event with a
 * single attachment, the usual one, is dealt with while that is still in the transport's
 * memory and counted there.
 */
#include "server/engineio/sio.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "protocol/json.h"
#include "server/engineio/sio_priv.h"

#define TEXT_MAX 65536 /* bytes of the text of an event with attachments */

/* ---- which namespace ---- */

/* SIO_SPACES_MAX: none of ours. */
static unsigned
find_space(const struct sio *s, struct span name)
{
	const char *const *spaces = s->server->handler->spaces;

	for (unsigned i = 0; i < SIO_SPACES_MAX && spaces[i] != NULL; i++)
		if (span_eq(name, span_str(spaces[i])))
			return i;
	return SIO_SPACES_MAX;
}

/* ---- CONNECT and DISCONNECT ---- */

static void
refuse_space(struct sio *s, const struct sio_packet *p)
{
	struct sio_packet error = {
	    .type = SIO_CONNECT_ERROR,
	    .space = p->space,
	    .json = span_str("{\"message\":\"Invalid namespace\"}"),
	};

	(void)sio_send_packet(s, &error, NULL, 0);
}

static void
connect_space(struct sio *s, const struct sio_packet *p)
{
	unsigned space = find_space(s, p->space);
	char sid[EIO_SID_LEN + 1], json[64];
	struct sio_packet answer = {.type = SIO_CONNECT, .space = p->space};

	if (space == SIO_SPACES_MAX) {
		refuse_space(s, p);
		return;
	}
	if (sio_connected(s, space))
		return;
	eio_sid_make(sid);
	snprintf(json, sizeof(json), "{\"sid\":\"%s\"}", sid);
	answer.json = span_str(json);
	if (sio_send_packet(s, &answer, NULL, 0) != Q_OK)
		return;
	eio_deadline(s->e, 0);
	/* From here on others may emit: behind the answer. */
	atomic_fetch_or(&s->connected, sio_bit(space));
	if (s->server->handler->connect != NULL)
		s->server->handler->connect(s, space, p->json);
}

static void
call_rest(struct sio *s)
{
	if (s->server->handler->rest != NULL)
		s->server->handler->rest(s);
}

static void
leave_space(struct sio *s, unsigned space)
{
	unsigned bit = sio_bit(space);

	call_rest(s); /* as long as its answers go out */
	if ((atomic_fetch_and(&s->connected, ~bit) & bit) != 0 &&
	    s->server->handler->disconnect != NULL)
		s->server->handler->disconnect(s, space);
}

/* ---- events and acknowledgements ---- */

/* From just behind a value to the closing bracket: what follows the comma. */
static struct span
behind_comma(struct reader r)
{
	struct span s = reader_rest(&r);

	while (s.len > 0 && s.p[s.len - 1] != ']')
		s.len--;
	if (s.len > 0)
		s.len--;
	while (s.len > 0 && memchr(" \t\r\n,", s.p[0], 5) != NULL)
		s.p++, s.len--;
	while (s.len > 0 && memchr(" \t\r\n", s.p[s.len - 1], 4) != NULL)
		s.len--;
	return s;
}

/* The name without quotes.  Escapes are rare: *decoded owns the result then. */
static struct span
name_of(struct span token, json_t **decoded)
{
	static const struct json_limits limits = {TEXT_MAX, 1, 1};

	*decoded = NULL;
	if (memchr(token.p, '\\', token.len) != NULL &&
	    json_parse(token, &limits, JSON_TOP_ANY, decoded, NULL) == Q_OK)
		return json_text(*decoded);
	return span_of(token.p + 1, token.len - 2);
}

static bool
is_event(enum sio_type t)
{
	return t == SIO_EVENT || t == SIO_BINARY_EVENT;
}

static void
call_event(struct sio *s, struct sio_call *call, struct span token)
{
	json_t *decoded;

	call->name = name_of(token, &decoded);
	if (sio_reserved(call->name))
		eio_fail(s->e, "reserved event");
	else
		s->server->handler->event(s, call);
	json_decref(decoded);
}

/* Its JSON was found to be valid. */
static void
call_user(struct sio *s, unsigned space, const struct sio_packet *p)
{
	struct sio_call call = {
	    .space = space,
	    .wants_ack = is_event(p->type) && p->has_id,
	    .ack_id = p->id,
	    .blobs = s->blobs,
	    .blob_count = s->blob_count,
	};
	struct span token = {NULL, 0};
	enum qerr err = sio_args_begin(p->json, &call.each);

	if (err == Q_OK && is_event(p->type)) {
		err = sio_args_next(&call.each, &token);
		if (err == Q_OK && token.p[0] != '"')
			err = Q_FORMAT;
	}
	if (err != Q_OK) {
		eio_fail(s->e, "event");
		return;
	}
	call.args = behind_comma(call.each.rest);
	if (is_event(p->type))
		call_event(s, &call, token);
	else if (s->server->handler->ack != NULL)
		s->server->handler->ack(s, &call);
}

/* ---- packets ---- */

/* A whole packet, with its attachments. */
static void
act(struct sio *s, const struct sio_packet *p)
{
	unsigned space = find_space(s, p->space);

	switch (p->type) {
	case SIO_CONNECT: connect_space(s, p); break;
	case SIO_DISCONNECT: leave_space(s, space); break;
	case SIO_EVENT:
	case SIO_BINARY_EVENT:
	case SIO_ACK:
	case SIO_BINARY_ACK: call_user(s, space, p); break;
	case SIO_CONNECT_ERROR: break; /* may_come */
	}
}

static void
end_assembly(struct sio *s)
{
	for (unsigned i = 0; i < s->blob_count; i++)
		blob_unref(s->blobs[i]);
	s->blob_count = 0;
	s->assembling = false;
	buf_wipe(&s->text);
}

/* The text of a packet whose attachments are to come.  The packet was parsed, so it parses
 * again where it lies now. */
static void
begin_assembly(struct sio *s, struct span text)
{
	if (buf_put_span(&s->text, text) != Q_OK ||
	    sio_parse(buf_span(&s->text), BUNDLE_BLOBS_MAX, &s->packet) != Q_OK)
		eio_fail(s->e, "text beside attachments");
	else
		s->assembling = true;
}

/* May it come now? */
static bool
may_come(struct sio *s, const struct sio_packet *p)
{
	unsigned space = find_space(s, p->space);

	if (p->type == SIO_CONNECT)
		return true;
	return p->type != SIO_CONNECT_ERROR && space != SIO_SPACES_MAX &&
	       sio_connected(s, space);
}

static bool
json_fits(const struct sio_packet *p)
{
	bool binary = p->type == SIO_BINARY_EVENT || p->type == SIO_BINARY_ACK;

	return p->json.len == 0 ||
	       sio_json_check(p->json,
			      binary ? (int)p->attachments : SIO_PLACES_IGNORE) == Q_OK;
}

static void
take_text(struct sio *s, struct span text)
{
	struct sio_packet p;

	if (s->assembling || sio_parse(text, s->server->handler->max_blobs, &p) != Q_OK ||
	    !may_come(s, &p))
		eio_fail(s->e, "packet");
	else if (!json_fits(&p))
		eio_fail(s->e, "JSON");
	else if (p.attachments > 0)
		begin_assembly(s, text);
	else
		act(s, &p);
}

static void
take_blob(struct sio *s, struct span bytes)
{
	struct blob *b;

	if (!s->assembling) {
		eio_fail(s->e, "attachment of nothing");
		return;
	}
	if ((b = blob_of(bytes)) == NULL) {
		sio_end(s, SIO_END_RETURN, "no memory");
		return;
	}
	s->blobs[s->blob_count++] = b;
	if (s->blob_count < s->packet.attachments)
		return;
	if (may_come(s, &s->packet)) /* sio_leave may have been called */
		act(s, &s->packet);
	end_assembly(s);
}

/* ---- as Engine.IO sees it ---- */

static void
message(struct eio *e, const struct eio_packet *packet)
{
	struct sio *s = eio_state(e);

	if (packet->binary)
		take_blob(s, packet->data);
	else
		take_text(s, packet->data);
}

static void
rest(struct eio *e)
{
	call_rest(eio_state(e));
}

static bool
open(struct eio *e)
{
	struct sio_server *server = eio_arg(e);
	struct sio *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return false;
	s->e = e;
	s->server = server;
	s->text = (struct buf)BUF_INIT(TEXT_MAX);
	eio_set_state(e, s);
	eio_deadline(e, clock_mono_ms() + atomic_load(&server->connect_timeout_ms));
	return server->handler->open == NULL || server->handler->open(s);
}

static void
closed(struct eio *e)
{
	struct sio *s = eio_state(e);

	for (unsigned i = 0; i < SIO_SPACES_MAX; i++)
		leave_space(s, i);
	end_assembly(s);
	if (s->server->handler->closed != NULL)
		s->server->handler->closed(s);
}

static void
release(void *state)
{
	struct sio *s = state;

	end_assembly(s);
	if (s->user != NULL && s->server->handler->free != NULL)
		s->server->handler->free(s->user);
	free(s);
}

enum qerr
sio_server_new(struct server *core, const struct sio_handler *handler,
	       const struct sio_options *options, struct sio_server **out)
{
	struct sio_server *server = calloc(1, sizeof(*server));
	enum qerr e;

	assert(handler->max_blobs <= BUNDLE_BLOBS_MAX);
	if (server == NULL)
		return Q_NOMEM;
	server->handler = handler;
	server->below = (struct eio_handler){
	    .row = handler->row,
	    .arg = server,
	    .open = open,
	    .message = message,
	    .rest = rest,
	    .closed = closed,
	    .free = release,
	};
	atomic_init(&server->connect_timeout_ms, options->connect_timeout_ms);
	e = eio_server_new(core, &server->below, &options->transport, &server->transport);
	if (e != Q_OK) {
		free(server);
		return e;
	}
	*out = server;
	return Q_OK;
}

void
sio_server_set(struct sio_server *server, const struct sio_options *options)
{
	atomic_store(&server->connect_timeout_ms, options->connect_timeout_ms);
	eio_server_set(server->transport, &options->transport);
}

void
sio_server_free(struct sio_server *server)
{
	if (server == NULL)
		return;
	eio_server_free(server->transport);
	free(server);
}

struct eio_server *
sio_transport(struct sio_server *server)
{
	return server->transport;
}
