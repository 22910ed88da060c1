/* SPDX-License-Identifier: MIT
 *
 * One row a type: who may send it, how it is read, how it is written.  The rows' own
 * files (rooms_*_codec.c) hold the fields; this one has what all packets share, and the
 * checks that the page asks for beyond the types of JSON.
 */
#include "protocol/rooms.h"

#include <assert.h>
#include <string.h>

#include "protocol/rooms_account.h"
#include "protocol/rooms_priv.h"

/* ---- words of the wire ---- */

static const struct {
	const char *text;
	bool from[2]; /* by enum rooms_side */
} types[ROOMS_T_COUNT] = {[ROOMS_T_UNKNOWN] = {"packet", {false, false}},
#define ROW(name, client, server) [ROOMS_T_##name] = {#name, {client, server}},
			  ROOMS_TYPES(ROW)
#undef ROW
};

static const struct {
	rooms_parser *parse;
	rooms_putter *put;
} codecs[ROOMS_T_COUNT] = {
#define ROW(NAME, name) [ROOMS_T_##NAME] = {rooms_parse_##name, rooms_put_##name}
    ROW(CONN_INIT, conn_init),
    ROW(CONN_ENCRYPT_S, conn_encrypt_s),
    ROW(CONN_ENCRYPT_C, conn_encrypt_c),
    [ROOMS_T_STATUS] = {rooms_parse_status, rooms_put_status_data},
    ROW(SIGNUP, signup),
    ROW(CAPTCHA, captcha),
    ROW(S_CAPTCHA, s_captcha),
    ROW(LOGIN, login),
    ROW(CHAT_ENCRYPT_C, chat_encrypt_c),
    ROW(GEN_TOKEN, gen_token),
    ROW(AUTH_TOKEN, auth_token),
    ROW(QUEUE_END, empty),
    ROW(LOGOUT, empty),
    ROW(CREATE_ROOM, create_room),
    ROW(ROOM_INFO, info),
    ROW(JOIN_ROOM, info),
    ROW(ALTER_ROOM, alter_room),
    ROW(ROOM_ALTERED, room_altered),
    ROW(CHAT_ACTION, chat_action),
    ROW(CHAT_ACTION_S, chat_action_s),
    ROW(SYNC_ROOM_REQ, sync_room_req),
    ROW(SYNC_ROOM_DATA, sync_room_data),
    ROW(FETCH, fetch),
    ROW(FILE, file),
    ROW(SEEN, seen),
    ROW(LIST_ROOMS, list_rooms),
    ROW(ROOMS, rooms),
    ROW(READ_RECEIPT, read_receipt),
#undef ROW
};

const char *
rooms_type_text(enum rooms_type type)
{
	assert(type < ROOMS_T_COUNT);
	return types[type].text;
}

static enum rooms_type
find_type(struct span text, enum rooms_side sender)
{
	for (int i = ROOMS_T_UNKNOWN + 1; i < ROOMS_T_COUNT; i++)
		if (types[i].from[sender] && span_eq(text, span_str(types[i].text)))
			return (enum rooms_type)i;
	return ROOMS_T_UNKNOWN;
}

static const char *const formats[] = {
    [ROOMS_FORMAT_OTHER] = "",
    [ROOMS_FORMAT_TEXT] = "msg-text",
    [ROOMS_FORMAT_SMALLFILE] = "msg-smallfile",
};

const char *
rooms_format_text(enum rooms_format f)
{
	assert(f <= ROOMS_FORMAT_SMALLFILE);
	return formats[f];
}

enum rooms_format
rooms_format_find(struct span text)
{
	for (int i = ROOMS_FORMAT_TEXT; i <= ROOMS_FORMAT_SMALLFILE; i++)
		if (span_eq(text, span_str(formats[i])))
			return (enum rooms_format)i;
	return ROOMS_FORMAT_OTHER;
}

/* ---- parsing ---- */

/* The reference first, so that every later fault carries it. */
static bool
read_ref(struct rooms_reading *r)
{
	struct span ref = {NULL, 0};

	if (!rooms_may_text(r, r->data, "ref", &ref))
		return false;
	if (ref.len > ROOMS_REF_MAX)
		return rooms_bad(r, "ref", "is longer than 64 bytes");
	if (ref.p == NULL)
		return true;
	r->p->ref = ref;
	memcpy(r->fault->ref, ref.p, ref.len);
	r->fault->ref[ref.len] = '\0';
	r->fault->has_ref = true;
	return true;
}

static bool
read_packet(struct rooms_reading *r)
{
	struct span type;
	enum json_is is;

	if (!rooms_need_text(r, r->p->doc, "type", &type))
		return false;
	r->fault->type = r->p->type = find_type(type, r->sender);
	if (r->p->type == ROOMS_T_UNKNOWN)
		return rooms_bad(r, "type", "is none that exists");
	is = json_get_object(r->p->doc, "data", &r->data);
	if (is == JSON_IS_NULL || is == JSON_IS_OTHER)
		return rooms_bad(r, "data", "must be an object");
	/* Without data r->data is NULL, in which jansson finds nothing. */
	return read_ref(r) && codecs[r->p->type].parse(r);
}

enum qerr
rooms_parse(struct span text, size_t max, enum rooms_side sender,
	    struct rooms_packet *out, struct rooms_fault *fault)
{
	const struct json_limits limits = {max, ROOMS_DEPTH_MAX, ROOMS_VALUES_MAX};
	struct rooms_packet p = {.type = ROOMS_T_UNKNOWN};
	struct rooms_reading r = {
	    .sender = sender, .p = &p, .fault = fault, .e = Q_FORMAT};
	enum qerr e;

	*fault = (struct rooms_fault){.sig = ROOMS_INVALID_PACKET};
	e = json_parse(text, &limits, JSON_TOP_OBJECT, &p.doc, &fault->desc);
	if (e != Q_OK) {
		if (e == Q_NOMEM)
			fault->sig = ROOMS_SERVER_ERROR;
		return e;
	}
	if (!read_packet(&r)) {
		rooms_packet_free(&p);
		return r.e;
	}
	*out = p;
	return Q_OK;
}

/* ---- checks for the server ---- */

enum rooms_sig
rooms_name_check(struct span name)
{
	if (name.len == 0 || rooms_has_controls(name))
		return ROOMS_MKROOM_NAME_INVALID;
	return name.len > ROOMS_NAME_MAX ? ROOMS_MKROOM_NAME_ABOVE_LIMIT
					 : ROOMS_SIG_OTHER;
}

enum rooms_sig
rooms_create_check(const struct rooms_create *c)
{
	if (c->kind < ROOMS_DIRECT || c->kind > ROOMS_CHANNEL)
		return ROOMS_MKROOM_INVALID_TYPE;
	if (c->kind == ROOMS_DIRECT && c->name.len == 0)
		return ROOMS_SIG_OTHER;
	return rooms_name_check(c->name);
}

enum rooms_sig
rooms_content_check(const struct rooms_chat_action *a, size_t max_file)
{
	size_t max = ROOMS_TEXT_MAX;

	if (a->act == ROOMS_ERASE)
		max = ROOMS_REASON_MAX;
	else if (a->act == ROOMS_SEND && a->format == ROOMS_FORMAT_SMALLFILE)
		max = max_file;
	if (a->act == ROOMS_SEND && (a->format == ROOMS_FORMAT_OTHER || max == 0))
		return ROOMS_UNSUPPORTED_MSG_FORMAT;
	return a->content.len > max ? ROOMS_CONTENT_ABOVE_LIMIT : ROOMS_SIG_OTHER;
}

#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----"
#define PEM_END   "-----END PUBLIC KEY-----"

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
rooms_pem_shape(struct span pem)
{
	struct span begin = span_str(PEM_BEGIN), end = span_str(PEM_END);

	if (pem.len > ROOMS_KEY_PEM_MAX)
		return false;
	while (pem.len > 0 && is_space(pem.p[pem.len - 1]))
		pem.len--;
	while (pem.len > 0 && is_space(pem.p[0]))
		pem.p++, pem.len--;
	if (pem.len < begin.len + end.len || memcmp(pem.p, begin.p, begin.len) != 0)
		return false;
	pem.p += begin.len;
	pem.len -= begin.len + end.len;
	/* No further dashes: nothing is hidden between the two lines. */
	return memcmp(pem.p + pem.len, end.p, end.len) == 0 &&
	       memchr(pem.p, '-', pem.len) == NULL;
}

/* ---- writing ---- */

enum qerr
rooms_put(struct buf *out, const struct rooms_packet *p)
{
	struct rooms_writing w = {out, Q_OK};
	size_t before = out->len;

	assert(p->type > ROOMS_T_UNKNOWN && p->type < ROOMS_T_COUNT);
	rooms_w_raw(&w, "{\"type\":\"");
	rooms_w_raw(&w, types[p->type].text);
	rooms_w_raw(&w, "\",\"data\":{");
	codecs[p->type].put(&w, p);
	if (p->ref.p != NULL)
		rooms_w_text(&w, "ref", p->ref);
	rooms_w_raw(&w, "}}");
	if (w.e != Q_OK)
		out->len = before;
	return w.e;
}

enum qerr
rooms_put_status(struct buf *out, enum rooms_sig sig, const struct uuid *room,
		 const struct uuid *msg, struct span ref)
{
	struct rooms_packet p = {.type = ROOMS_T_STATUS, .ref = ref};

	p.u.status.sig = sig;
	if (room != NULL)
		p.u.status.room = *room;
	if (msg != NULL)
		p.u.status.msg = *msg;
	return rooms_put(out, &p);
}

enum qerr
rooms_put_fault(struct buf *out, const struct rooms_fault *fault)
{
	struct rooms_packet p = {.type = ROOMS_T_STATUS};

	p.u.status.sig = fault->sig;
	p.u.status.room = fault->room;
	p.u.status.desc = span_str(fault->desc.text);
	if (fault->has_ref)
		p.ref = span_str(fault->ref);
	return rooms_put(out, &p);
}

/* ---- the key exchange ---- */

void
rooms_kex_parts(struct span server_epbkey, const struct uuid *uuid,
		struct span parts[ROOMS_KEX_PARTS])
{
	static const char label[] = "rooms-kex"; /* its NUL is signed too */

	parts[0] = span_of(label, sizeof(label));
	parts[1] = server_epbkey;
	parts[2] = span_of(uuid->b, sizeof(uuid->b));
}
