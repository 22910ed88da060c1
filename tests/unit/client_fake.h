/* SPDX-License-Identifier: MIT
 *
 * client_fake.h - a relay server of a few lines for the client's machines, one
 * that can also do what no honest server does.  The machines have no socket:
 * bytes go in, bytes come out, and events are written down.
 */
#ifndef TESTS_UNIT_CLIENT_FAKE_H
#define TESTS_UNIT_CLIENT_FAKE_H

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "base/text.h"
#include "client/channel.h"
#include "client/e2e.h"
#include "client/relay.h"
#include "crypto/kex.h"

#define NONE span_of(NULL, 0)

static struct key *ca_key, *server_key, *alice, *bob, *carol;
static struct cert *ca, *other_ca, *cert, *other_cert;

struct fake {
	struct client_login login;
	struct client_env env;
	struct client_view view;
	void *machine;
	struct buf out;     /* from the machine */
	struct buf in;      /* to it */
	struct buf plain;   /* of the frame that came last */
	struct channel *ks; /* once logged in */
	struct relay_hello hello;
	int32_t nonce;    /* of 291 */
	struct e2e *peer; /* the partner's end */
	struct buf reply;
	char events[4096];
	char taken[4096];
	int64_t now;
};

static inline void
make_keys(void)
{
	struct cert_names names = {0};
	struct key *other;

	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &ca_key), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &other), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &server_key), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &alice), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &bob), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &carol), Q_OK);
	ck_assert_int_eq(cert_make_ca(ca_key, "ca", 10, &ca), Q_OK);
	ck_assert_int_eq(cert_make_ca(other, "ca", 10, &other_ca), Q_OK);
	ck_assert_int_eq(cert_issue(ca, ca_key, server_key, "s", &names, 10, &cert),
			 Q_OK);
	ck_assert_int_eq(cert_issue(ca, ca_key, carol, "s", &names, 10, &other_cert),
			 Q_OK);
	key_free(other);
}

static inline void
drop_keys(void)
{
	struct key *keys[] = {ca_key, server_key, alice, bob, carol};
	struct cert *certs[] = {ca, other_ca, cert, other_cert};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		key_free(keys[i]);
	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
		cert_free(certs[i]);
}

/* ---- the fake server ---- */

static inline void
on_event(void *arg, const struct client_event *e)
{
	static const char *const words[] = {
	    [CLIENT_CONNECTED] = "connected",
	    [CLIENT_LOGGED_IN] = "logged-in",
	    [CLIENT_ENROLLED] = "enrolled",
	    [CLIENT_LIST_NAME] = "list-name",
	    [CLIENT_LIST_END] = "list-end",
	    [CLIENT_REQUEST_FROM] = "request",
	    [CLIENT_REQUEST_WITHDRAWN] = "withdrawn",
	    [CLIENT_REQUEST_DENIED] = "denied",
	    [CLIENT_CHAT_READY] = "ready",
	    [CLIENT_MESSAGE] = "message",
	    [CLIENT_CHAT_CLOSED] = "closed",
	    [CLIENT_NOTICE] = "notice",
	    [CLIENT_UNKNOWN] = "unknown",
	    [CLIENT_UNSENT] = "unsent",
	    [CLIENT_LOGGED_OUT] = "logged-out",
	    [CLIENT_REFUSED] = "refused",
	    [CLIENT_FORCED_LOGOUT] = "forced",
	    [CLIENT_LOST] = "lost",
	};
	struct fake *f = arg;
	char text[512], line[600];

	text_visible(e->text, text, sizeof(text));
	snprintf(line, sizeof(line), "%s%s%s%s%s;", words[e->kind],
		 e->name != NULL ? " " : "", e->name != NULL ? e->name : "",
		 text[0] != '\0' ? " " : "", text);
	ck_assert_uint_lt(strlcat(f->events, line, sizeof(f->events)), sizeof(f->events));
}

/* What has happened since the last look. */
static inline const char *
events(struct fake *f)
{
	strlcpy(f->taken, f->events, sizeof(f->taken));
	f->events[0] = '\0';
	return f->taken;
}
#define EVENTS(f, want) ck_assert_str_eq(events(f), want)
/* The first one begins so. */
#define EVENT_BEGINS(f, want) \
	ck_assert_msg(strncmp(events(f), want, strlen(want)) == 0, "%s", (f)->taken)

static inline void
feed(struct fake *f)
{
	client_relay.input(f->machine, &f->in, f->now);
}

/* A machine that has sent its 290, parsed into f->hello. */
static inline struct fake *
fake_new(void)
{
	struct fake *f = calloc(1, sizeof(*f));
	struct relay_frame frame;
	struct reader r;
	int32_t opcode;

	ck_assert_ptr_nonnull(f);
	f->now = 1000;
	f->out = (struct buf)BUF_INIT(1 << 20);
	f->in = f->plain = f->reply = f->out;
	strlcpy(f->login.user, "alice", sizeof(f->login.user));
	f->login.key = alice;
	f->login.ca = ca;
	f->env = (struct client_env){.login = &f->login,
				     .server = "127.0.0.1:9034",
				     .out = &f->out,
				     .view = &f->view,
				     .event = on_event,
				     .event_arg = f};
	f->machine = client_relay.make(&f->env);
	ck_assert_ptr_nonnull(f->machine);
	client_relay.begin(f->machine, f->now);
	ck_assert_int_eq(relay_frame_next(buf_span(&f->out), 8192, 65536, &frame), Q_OK);
	ck_assert(frame.clear);
	r = reader_of(frame.body);
	ck_assert_int_eq(reader_i32(&r, &opcode), Q_OK);
	ck_assert_int_eq(opcode, RELAY_HELLO);
	ck_assert_int_eq(relay_hello_parse(reader_rest(&r), &f->hello), Q_OK);
	ck_assert(span_eq(f->hello.user, span_str("alice")));
	buf_consume(&f->out, frame.total);
	ck_assert_uint_eq(f->out.len, 0);
	return f;
}

static inline void
fake_free(struct fake *f)
{
	client_relay.drop(f->machine);
	channel_free(f->ks);
	e2e_free(f->peer);
	buf_free(&f->out);
	buf_free(&f->in);
	buf_free(&f->plain);
	buf_free(&f->reply);
	free(f);
}

/* 291, signed by signer over the nonce and signed_nonce's difference from it,
 * with the certificate shown (or none). */
static inline struct kex *
send_hello(struct fake *f, const struct key *signer, int32_t nonce_off,
	   const struct cert *shown)
{
	struct kex *kex = kex_new();
	struct buf pem = BUF_INIT(65536);
	uint8_t sign[KEY_SIGN_MAX], nonce[4];
	struct relay_server_hello h = {.nonce = f->nonce = 4711};
	struct span parts[2];
	size_t len;

	ck_assert_ptr_nonnull(kex);
	relay_nonce_bytes(f->hello.nonce + nonce_off, nonce);
	parts[0] = h.pem = kex_pem(kex);
	parts[1] = span_of(nonce, 4);
	ck_assert_int_eq(key_sign(signer, parts, 2, sign, &len), Q_OK);
	h.signature = span_of(sign, len);
	if (shown != NULL)
		ck_assert_int_eq(cert_pem(shown, &pem), Q_OK);
	h.cert = buf_span(&pem);
	ck_assert_int_eq(relay_server_hello_put(&f->in, &h), Q_OK);
	buf_free(&pem);
	feed(f);
	return kex;
}

/* Check 292 as a server would, and have the session key. */
static inline void
take_proof(struct fake *f, struct kex *kex)
{
	uint8_t nonce[4] = {0}, secret[KEX_SECRET_LEN];
	struct relay_frame frame;
	struct relay_proof proof;
	struct span parts[2];
	struct reader r;
	int32_t opcode;

	ck_assert_int_eq(relay_frame_next(buf_span(&f->out), 8192, 65536, &frame), Q_OK);
	r = reader_of(frame.body);
	ck_assert_int_eq(reader_i32(&r, &opcode), Q_OK);
	ck_assert_int_eq(opcode, RELAY_PROOF);
	ck_assert_int_eq(relay_proof_parse(reader_rest(&r), &proof), Q_OK);
	relay_nonce_bytes(f->nonce, nonce);
	parts[0] = proof.pem;
	parts[1] = span_of(nonce, 4);
	ck_assert_int_eq(key_verify(f->login.key, parts, 2, proof.signature), Q_OK);
	ck_assert_int_eq(kex_derive(kex, proof.pem, secret), Q_OK);
	ck_assert_int_eq(channel_new(secret, &f->ks), Q_OK);
	buf_consume(&f->out, frame.total);
}

/* The next sealed frame from the machine must be this; its data. */
static inline struct span
expect(struct fake *f, int32_t opcode)
{
	struct relay_frame frame;
	struct relay_sealed sealed;
	struct relay_inner in;
	struct why why;

	ck_assert_int_eq(relay_frame_next(buf_span(&f->out), 8192, 65536, &frame), Q_OK);
	ck_assert(!frame.clear);
	sealed = relay_sealed_parts(frame.body);
	ck_assert_int_eq(channel_open(f->ks, &sealed, &f->plain, &in, &why), Q_OK);
	ck_assert_int_eq(in.opcode, opcode);
	buf_consume(&f->out, frame.total);
	return in.data;
}
#define QUIET(f) ck_assert_uint_eq((f)->out.len, 0)

static inline void
say(struct fake *f, int32_t opcode, struct span data)
{
	ck_assert_int_eq(channel_seal(f->ks, &f->in, opcode, data), Q_OK);
	feed(f);
}

static inline enum qerr
ask(struct fake *f, enum client_verb verb, const char *arg)
{
	struct why why;

	return client_relay.command(f->machine, verb, span_str(arg), f->now, &why);
}

static inline void
ask_ok(struct fake *f, enum client_verb verb, const char *arg)
{
	ck_assert_int_eq(ask(f, verb, arg), Q_OK);
}

static inline struct fake *
logged_in(void)
{
	struct fake *f = fake_new();
	struct kex *kex = send_hello(f, server_key, 0, cert);

	take_proof(f, kex);
	kex_free(kex);
	expect(f, RELAY_NOTICE);
	expect(f, RELAY_LIST);
	QUIET(f);
	EVENTS(f, "");
	say(f, RELAY_LIST, NONE);
	EVENTS(f, "logged-in alice;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_FREE);
	return f;
}

#endif
