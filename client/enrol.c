/* SPDX-License-Identifier: MIT */
#include "client/enrol.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "protocol/relay.h"

#define ANSWER_MS  30000 /* a server that slows failures down takes 8 s */
#define ANSWER_MAX (CERT_PEM_MAX + 1024)

struct enrolment {
	const struct client_env *env;
	bool over;
	int64_t deadline_ms;
};

enum qerr
enrolment_code_parse(struct span typed, char out[ENROLMENT_CODE_SIZE])
{
	char code[ENROLMENT_CODE_SIZE] = "";
	size_t n = 0;
	enum qerr e = Q_OK;

	for (size_t i = 0; i < typed.len && e == Q_OK; i++) {
		char c = (char)typed.p[i];

		if (c == '-' || c == ' ' || c == '\t' || c == '\r')
			continue;
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (n == ENROLMENT_CODE_SIZE - 1 ||
		    !((c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7')))
			e = Q_FORMAT;
		else
			code[n++] = c;
	}
	if (n != ENROLMENT_CODE_SIZE - 1)
		e = Q_FORMAT;
	for (size_t i = 0; i < ENROLMENT_CODE_SIZE && e == Q_OK; i++)
		out[i] = code[i];
	secret_wipe(code, sizeof(code));
	return e;
}

static enum qerr
prove(const struct client_login *login, const char *label, struct span pem,
      uint8_t out[SHA256_LEN])
{
	struct span parts[] = {span_str(label), span_str(login->user), pem};

	return hmac_sha256(span_str(login->code), parts, 3, out);
}

static void
finish(struct enrolment *m, enum client_event_kind kind, const char *text)
{
	m->over = true;
	m->deadline_ms = 0;
	client_tell(m->env, kind, m->env->login->user, span_str(text));
}

static void *
make(const struct client_env *env)
{
	struct enrolment *m = calloc(1, sizeof(*m));

	if (m != NULL)
		m->env = env;
	return m;
}

static void
drop(void *machine)
{
	free(machine);
}

static void
begin(void *machine, int64_t now_ms)
{
	struct enrolment *m = machine;
	const struct client_login *login = m->env->login;
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	uint8_t proof[SHA256_LEN];
	struct relay_enrol ask = {.name = span_str(login->user)};
	bool good = key_public_pem(login->key, &pem) == Q_OK;

	ask.pem = buf_span(&pem);
	ask.proof = span_of(proof, sizeof(proof));
	good = good && prove(login, "enroll", ask.pem, proof) == Q_OK &&
	       relay_enrol_put(m->env->out, &ask) == Q_OK;
	buf_free(&pem);
	m->deadline_ms = now_ms + ANSWER_MS;
	if (!good)
		finish(m, CLIENT_LOST, "the enrolment could not be put together");
}

static const char *
refusal(int32_t status)
{
	switch (status) {
	case RELAY_ENROL_NAME_TAKEN:
		return "that name is taken: if it is yours, log in without --enroll; "
		       "else choose "
		       "another";
	case RELAY_ENROL_WRONG_PROOF: return "the enrolment code is wrong";
	case RELAY_ENROL_CLOSED:
		return "this server takes no enrolments; ask its administrator";
	case RELAY_ENROL_BAD: return "the server does not accept this name or this key";
	case RELAY_ENROL_LATER:
		return "the server cannot enrol anybody now: try again later";
	default: return "the server refused, and its reason is not known here";
	}
}

/* Another code may do. */
static void
refuse(struct enrolment *m, int32_t status)
{
	struct client_event e = {.kind = CLIENT_REFUSED,
				 .name = m->env->login->user,
				 .fingerprint = "",
				 .text = span_str(refusal(status)),
				 .again = status == RELAY_ENROL_WRONG_PROOF};

	m->over = true;
	m->deadline_ms = 0;
	m->env->event(m->env->event_arg, &e);
}

static void
on_answer(struct enrolment *m, struct span body)
{
	struct relay_enrolled answer;
	struct cert *ca = NULL;
	uint8_t proof[SHA256_LEN];

	if (relay_enrolled_parse(body, &answer) != Q_OK) {
		finish(m, CLIENT_LOST, "the server's answer is broken");
	} else if (answer.status != RELAY_ENROL_DONE) {
		refuse(m, answer.status);
	} else if (prove(m->env->login, "enrolled", answer.ca, proof) != Q_OK ||
		   !secret_eq(proof, answer.proof.p, sizeof(proof))) {
		finish(m, CLIENT_REFUSED,
		       "the server does not know the enrolment code: it is not the one "
		       "that you "
		       "were told about");
	} else if (cert_parse(answer.ca, &ca) != Q_OK) {
		finish(m, CLIENT_LOST, "the server's CA certificate is none");
	} else {
		cert_free(ca);
		client_tell(m->env, CLIENT_ENROLLED, m->env->login->user, answer.ca);
		finish(m, CLIENT_LOGGED_OUT, "enrolled");
	}
}

static void
input(void *machine, struct buf *in, int64_t now_ms)
{
	struct enrolment *m = machine;
	struct relay_frame frame;
	struct reader r;
	int32_t opcode;
	enum qerr e;

	(void)now_ms;
	e = relay_frame_next(buf_span(in), ANSWER_MAX, 0, &frame);
	if (m->over || e == Q_SHORT)
		return;
	if (e == Q_OK)
		r = reader_of(frame.body);
	if (e == Q_OK && reader_i32(&r, &opcode) == Q_OK && opcode == RELAY_ENROLLED)
		on_answer(m, reader_rest(&r));
	else
		finish(m, CLIENT_LOST, "what answers there does not speak relay");
}

static void
lost(void *machine, enum qerr e, const char *reason)
{
	(void)e;
	finish(machine, CLIENT_LOST, reason);
}

static int64_t
deadline(const void *machine)
{
	const struct enrolment *m = machine;

	return m->deadline_ms;
}

static void
tick(void *machine, int64_t now_ms)
{
	(void)now_ms;
	finish(machine, CLIENT_LOST, "the server does not answer in time");
}

static enum qerr
command(void *machine, enum client_verb verb, struct span arg, int64_t now_ms,
	struct why *why)
{
	(void)machine, (void)verb, (void)arg, (void)now_ms;
	return why_set(why, Q_DENIED, "not while enrolling");
}

const struct client_protocol client_enrolment = {
    .name = "enrolment",
    .make = make,
    .drop = drop,
    .begin = begin,
    .input = input,
    .lost = lost,
    .deadline = deadline,
    .tick = tick,
    .command = command,
};
