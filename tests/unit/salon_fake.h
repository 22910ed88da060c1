/* SPDX-License-Identifier: MIT
 *
 * salon_fake.h - a rooms server of a few lines for the client's machines, one that can
 * also say what no honest server does.  The machines have no socket: messages go in,
 * messages come out, and events are written down.
 */
#ifndef TESTS_UNIT_SALON_FAKE_H
#define TESTS_UNIT_SALON_FAKE_H

#include "tests/unit/trust_aid.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "base/text.h"
#include "client/link_ws.h"
#include "client/rooms.h"
#include "client/rooms_account.h"
#include "client/rooms_content.h"
#include "client/rooms_state.h"
#include "crypto/kex.h"
#include "crypto/lane.h"
#include "protocol/rooms_envelope.h"

#define NONE span_of(NULL, 0)

#define CLUB   "0b4aa5e4-4f0b-4a1e-9f6e-0d1f5f7b0c11"
#define DIRECT "1b4aa5e4-4f0b-4a1e-9f6e-0d1f5f7b0c22"

/* Ids of messages, which rise. */
#define MSG(n) "018f2a3c-5d00-7abc-8def-0000000000" n

static struct key *server_key, *bob, *mallory;
static struct cert *server_cert;
static char bob_pem[512], mallory_pem[512];

struct fake {
	const struct client_protocol *row;
	struct client_login login;
	struct client_env env;
	struct client_view view;
	struct rooms_state *state;
	void *machine;
	struct buf out; /* from the machine */
	struct buf in;  /* to it */
	struct uuid uuid;
	struct lane to, from;
	bool sealed;
	struct buf text; /* the packet that came last */
	struct rooms_packet packet;
	char events[1 << 16], taken[1 << 16];
	int64_t now;
};

static inline void
pem_of(struct key *k, char out[512])
{
	struct buf pem = BUF_INIT(511);

	ck_assert_int_eq(key_public_pem(k, &pem), Q_OK);
	memcpy(out, pem.p, pem.len);
	out[pem.len] = '\0';
	buf_free(&pem);
}

static inline void
salon_setup(void)
{
	struct cert_names names = {0};
	struct key *ca_key;

	tempdir_make();
	setenv("XDG_CONFIG_HOME", tempdir, 1);
	ck_assert_int_eq(profile_open(&profile, NULL), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &ca_key), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &server_key), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &bob), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &mallory), Q_OK);
	ck_assert_int_eq(cert_make_ca(ca_key, "ca", 10, &ca), Q_OK);
	ck_assert_int_eq(
	    cert_issue(ca, ca_key, server_key, "s", &names, 10, &server_cert), Q_OK);
	key_free(ca_key);
	pem_of(bob, bob_pem);
	pem_of(mallory, mallory_pem);
}

static inline void
salon_teardown(void)
{
	profile_close(profile);
	cert_free(ca);
	cert_free(server_cert);
	key_free(server_key);
	key_free(bob);
	key_free(mallory);
	tempdir_remove();
}

/* ---- events ---- */

static inline void
on_event(void *arg, const struct client_event *e)
{
	struct fake *f = arg;
	size_t n = strlen(f->events);
	char text[1024];

	text_visible(e->text, text, sizeof(text));
	if (e->kind == CLIENT_KEY_CHANGED || e->kind == CLIENT_KEY_TRUSTED)
		text[0] = '\0';
	n += (size_t)snprintf(f->events + n, sizeof(f->events) - n, "%d", e->kind);
	if (e->name != NULL)
		n += (size_t)snprintf(f->events + n, sizeof(f->events) - n, " %s",
				      e->name);
	if (e->id != 0)
		n += (size_t)snprintf(f->events + n, sizeof(f->events) - n, " #%" PRIu64,
				      e->id);
	if (e->count != 0)
		n += (size_t)snprintf(f->events + n, sizeof(f->events) - n, " %" PRIu64,
				      e->count);
	snprintf(f->events + n, sizeof(f->events) - n, "%s%s\n",
		 text[0] != '\0' ? " " : "", text);
}

/* The next event is of this kind, and what follows its number is rest. */
#define EVENT(kind, rest)                                             \
	do {                                                          \
		char want_[2048];                                     \
		snprintf(want_, sizeof(want_), "%d%s\n", kind, rest); \
		take_event(f);                                        \
		ck_assert_str_eq(f->taken, want_);                    \
	} while (0)
#define NO_EVENT()                              \
	do {                                    \
		take_event(f);                  \
		ck_assert_str_eq(f->taken, ""); \
	} while (0)

static inline void
take_event(struct fake *f)
{
	char *end = strchr(f->events, '\n');
	size_t n = end != NULL ? (size_t)(end - f->events) + 1 : 0;

	memcpy(f->taken, f->events, n);
	f->taken[n] = '\0';
	memmove(f->events, f->events + n, strlen(f->events + n) + 1);
}

/* ---- packets ---- */

/* The next packet that the machine has sent, into f->packet; its type. */
static inline enum rooms_type
hear(struct fake *f)
{
	struct rooms_fault fault;
	uint8_t iv[ROOMS_IV_LEN];
	struct span message;
	size_t len;

	rooms_packet_free(&f->packet);
	if (link_message_next(&f->out, &message) != Q_OK)
		return ROOMS_T_UNKNOWN;
	f->text.len = 0;
	ck_assert_int_eq(buf_put_span(&f->text, message), Q_OK);
	buf_consume(&f->out, LINK_MESSAGE_HEADER + message.len);
	if (f->sealed) {
		ck_assert_int_eq(rooms_envelope_unwrap(f->text.p, f->text.len, iv, &len),
				 Q_OK);
		len -= ROOMS_TAG_LEN;
		ck_assert_int_eq(
		    lane_open(&f->from, iv, f->text.p, len, f->text.p, f->text.p + len),
		    Q_OK);
		f->text.len = len;
	}
	ck_assert_msg(rooms_parse(buf_span(&f->text), SIZE_MAX, ROOMS_CLIENT, &f->packet,
				  &fault) == Q_OK,
		      "%s", fault.desc.text);
	return f->packet.type;
}
#define HEAR(type_) ck_assert_str_eq(rooms_type_text(hear(f)), #type_)
#define SILENCE()   ck_assert_int_eq(hear(f), ROOMS_T_UNKNOWN)

static inline void
feed(struct fake *f, struct span message)
{
	ck_assert_int_eq(link_message_put(&f->in, message), Q_OK);
	f->row->input(f->machine, &f->in, f->now);
}

/* The server says this JSON, sealed. */
static inline void
say_json(struct fake *f, struct span json)
{
	size_t size = ROOMS_ENVELOPE_SIZE(json.len);
	uint8_t iv[AEAD_IV_LEN], *place = malloc(size), *ct;

	ck_assert_ptr_nonnull(place);
	ct = rooms_envelope_inside(place, json.len);
	ck_assert_int_eq(lane_seal(&f->to, json.p, json.len, ct, ct + json.len, iv),
			 Q_OK);
	rooms_envelope_wrap(place, json.len, iv);
	feed(f, span_of(place, size));
	free(place);
}

static inline void
say(struct fake *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same, a printf format in which ' stands for ". */
static inline void
say(struct fake *f, const char *fmt, ...)
{
	struct buf json = BUF_INIT(1 << 20);
	va_list ap;
	char *text;

	va_start(ap, fmt);
	ck_assert_int_ne(vasprintf(&text, fmt, ap), -1);
	va_end(ap);
	for (char *p = text; *p != '\0'; p++) {
		if (*p == '\'')
			*p = '"';
		if (*p == '\n')
			ck_assert_int_eq(buf_put_str(&json, "\\n"), Q_OK);
		else
			ck_assert_int_eq(buf_put_u8(&json, (uint8_t)*p), Q_OK);
	}
	free(text);
	say_json(f, buf_span(&json));
	buf_free(&json);
}

/* ---- the handshake ---- */

enum lie { HONEST, NO_CERTIFICATE, WRONG_SIGNATURE, OTHER_UUID, NO_POINT };

static inline void
greet(struct fake *f, enum lie lie)
{
	struct rooms_packet p = {.type = ROOMS_T_CONN_ENCRYPT_S};
	struct buf pem = BUF_INIT(CERT_PEM_MAX), json = BUF_INIT(CERT_PEM_MAX);
	uint8_t sig[KEY_SIGN_MAX], secret[KEX_SECRET_LEN];
	char sig64[BASE64_LEN(KEY_SIGN_MAX)];
	struct span parts[ROOMS_KEX_PARTS], salt = span_of(f->uuid.b, 16);
	struct kex *kex = kex_new();
	struct uuid uuid;
	size_t len;

	f->row->begin(f->machine, f->now);
	HEAR(CONN_INIT);
	uuid = f->uuid = f->packet.u.conn_init.uuid;
	ck_assert_uint_eq(uuid_version(&uuid), 4);
	ck_assert_ptr_null(f->packet.u.conn_init.token.p);
	if (lie == OTHER_UUID)
		uuid.b[3] ^= 1;
	p.u.conn_encrypt_s.server_epbkey = kex_pem(kex);
	if (lie == NO_POINT)
		p.u.conn_encrypt_s.server_epbkey = span_str(
		    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
	rooms_kex_parts(p.u.conn_encrypt_s.server_epbkey, &uuid, parts);
	ck_assert_int_eq(key_sign(lie == WRONG_SIGNATURE ? mallory : server_key, parts,
				  ROOMS_KEX_PARTS, sig, &len),
			 Q_OK);
	len = base64_encode(span_of(sig, len), sig64);
	ck_assert_int_eq(cert_pem(server_cert, &pem), Q_OK);
	if (lie != NO_CERTIFICATE) {
		p.u.conn_encrypt_s.certificate = buf_span(&pem);
		p.u.conn_encrypt_s.signature = span_of(sig64, len);
	}
	ck_assert_int_eq(rooms_put(&json, &p), Q_OK);
	feed(f, buf_span(&json));
	if (lie == HONEST) {
		HEAR(CONN_ENCRYPT_C);
		ck_assert_int_eq(kex_derive(kex, f->packet.u.pem, secret), Q_OK);
		ck_assert_int_eq(lane_init(&f->from, AEAD_OPEN, span_of(secret, 32), salt,
					   ROOMS_KEX_C2S),
				 Q_OK);
		ck_assert_int_eq(lane_init(&f->to, AEAD_SEAL, span_of(secret, 32), salt,
					   ROOMS_KEX_S2C),
				 Q_OK);
		f->sealed = true;
		say(f, "{'type':'STATUS','data':{'sig':'CONN_OK','desc':''}}");
	}
	buf_free(&pem);
	buf_free(&json);
	kex_free(kex);
}

static inline struct fake *
fake_of(const struct client_protocol *row)
{
	struct fake *f = calloc(1, sizeof(*f));
	struct why why = {""};

	ck_assert_ptr_nonnull(f);
	f->row = row;
	f->now = 1000;
	f->out = f->in = f->text = (struct buf)BUF_INIT(64 << 20);
	strlcpy(f->login.user, "alice", sizeof(f->login.user));
	f->login.ca = ca;
	ck_assert_msg(rooms_state_open(profile, ca, "alice", true, &f->state, &why) ==
			  Q_OK,
		      "%s", why.text);
	f->login.rooms = f->state;
	f->env = (struct client_env){.login = &f->login,
				     .server = "127.0.0.1:9034",
				     .out = &f->out,
				     .view = &f->view,
				     .event = on_event,
				     .event_arg = f};
	f->machine = row->make(&f->env);
	ck_assert_ptr_nonnull(f->machine);
	return f;
}

/* The connection is lost; another one. */
static inline void
again(struct fake *f)
{
	f->row->drop(f->machine);
	lane_fini(&f->to);
	lane_fini(&f->from);
	f->out.len = f->in.len = 0;
	f->sealed = false;
	f->view = (struct client_view){.phase = CLIENT_PHASE_CONNECTING};
	f->machine = f->row->make(&f->env);
	ck_assert_ptr_nonnull(f->machine);
}

static inline void
fake_free(struct fake *f)
{
	f->row->drop(f->machine);
	rooms_packet_free(&f->packet);
	rooms_state_close(f->state);
	lane_fini(&f->to);
	lane_fini(&f->from);
	buf_free(&f->out);
	buf_free(&f->in);
	buf_free(&f->text);
	free(f);
}

static inline enum qerr
ask_span(struct fake *f, enum client_verb verb, struct span arg)
{
	struct why why = {""};
	enum qerr e = f->row->command(f->machine, verb, arg, f->now, &why);

	ck_assert((e == Q_OK) == (why.text[0] == '\0'));
	return e;
}
#define ASK(verb, arg)    ask_span(f, verb, span_str(arg))
#define ASK_OK(verb, arg) ck_assert_int_eq(ASK(verb, arg), Q_OK)

/* ---- rooms ---- */

#define OK_STATUS "{'type':'STATUS','data':{'sig':'LOGIN_OK','desc':''}}"

/* ROOMS: the club of alice and bob, and their direct room. */
static inline void
say_rooms(struct fake *f)
{
	char own[512];

	pem_of(f->state->key, own);
	say(f,
	    "{'type':'ROOMS','data':{'more':false,'rooms':["
	    "{'room':'" CLUB "','room-type':1,'room-name':'Math club','owner':'bob',"
	    "'admins':[],'members':[{'user':'bob','chat_pubkey':'%s','chat_pubkeys':["
	    "'%s']},{'user':'Alice','chat_pubkey':'%s','chat_pubkeys':['%s']}],'dne':[]},"
	    "{'room':'" DIRECT "','room-type':0,'room-name':'','owner':'bob',"
	    "'admins':[],'members':[{'user':'bob','chat_pubkey':'%s','chat_pubkeys':["
	    "'%s']},{'user':'Alice','chat_pubkey':'%s','chat_pubkeys':['%s']}],"
	    "'dne':[]}]}}",
	    bob_pem, bob_pem, own, own, bob_pem, bob_pem, own, own);
}

static inline void
log_in(struct fake *f)
{
	ck_assert_int_eq(rooms_state_set_token(f->state, "token", NULL), Q_OK);
	greet(f, HONEST);
	HEAR(AUTH_TOKEN);
	ck_assert(span_eq(f->packet.u.auth_token.token, span_str("token")));
	HEAR(SEEN);
	say(f, OK_STATUS);
	EVENT(CLIENT_LOGGED_IN, " alice");
	HEAR(CHAT_ENCRYPT_C);
	HEAR(LIST_ROOMS);
	ck_assert(f->view.busy);
	say_rooms(f);
	say(f, "{'type':'QUEUE_END','data':{}}");
	ck_assert(!f->view.busy);
}

/* Logged in, the club open. */
static inline struct fake *
in_club(void)
{
	struct fake *f = fake_of(&client_rooms);

	log_in(f);
	ASK_OK(CLIENT_DO_CHAT, "math-club");
	EVENT(CLIENT_CHAT_READY, " #Math-club");
	SILENCE();
	return f;
}

/* What bob says, sealed by him for alice. */
struct said {
	const char *room, *msg, *text;
	int64_t seq;
	uint64_t ctr;
	enum rooms_use use;
	struct key *by;   /* NULL: bob */
	const char *from; /* NULL: bob; whom the content names */
};

static inline void
seal_said(struct fake *f, const struct said *s, struct buf *content)
{
	struct rooms_place place = {.from = span_str(s->from != NULL ? s->from : "bob"),
				    .use = s->use};
	struct key *readers[2] = {f->state->key, bob};

	ck_assert_int_eq(uuid_parse(span_str(s->room), &place.room), Q_OK);
	ck_assert_int_eq(uuid_parse(span_str(s->msg), &place.target), Q_OK);
	*content = (struct buf)BUF_INIT(1 << 20);
	ck_assert_int_eq(rooms_content_seal(&place, s->ctr, s->by != NULL ? s->by : bob,
					    readers, 2, span_str(s->text), content),
			 Q_OK);
	ck_assert_int_eq(buf_put_u8(content, 0), Q_OK);
}

/* As an event; action: "recv" with its format, "edited", "deleted". */
static inline void
bob_says(struct fake *f, struct said s)
{
	struct buf content;

	seal_said(f, &s, &content);
	say(f,
	    "{'type':'CHAT_ACTION_S','data':{'room':'%s','seq':%" PRId64 ",'msg':'%s',"
	    "'from':'bob','time':1714567890176,'action':'%s','actiondata':{%s%s%s'%s':"
	    "'%s'}}}",
	    s.room, s.seq, s.msg,
	    s.use == ROOMS_USE_EDIT     ? "edited"
	    : s.use == ROOMS_USE_REASON ? "deleted"
					: "recv",
	    s.use == ROOMS_USE_TEXT || s.use == ROOMS_USE_SMALLFILE ? "'format':'"
								    : "'msg':'",
	    s.use == ROOMS_USE_TEXT        ? "msg-text"
	    : s.use == ROOMS_USE_SMALLFILE ? "msg-smallfile"
					   : s.msg,
	    "',", s.use == ROOMS_USE_REASON ? "reason" : "content",
	    (const char *)content.p);
	buf_free(&content);
}

#endif
