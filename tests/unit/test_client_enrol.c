/* SPDX-License-Identifier: MIT
 *
 * 280 and 281 from the client's side: the code, both proofs, every refusal.
 */
#include "tests/unit/client_fake.h"

#include "client/enrol.h"
#include "crypto/hash.h"

#define CODE "K7QF2MZDXA4NR6TB"

START_TEST(codes)
{
	static const struct {
		const char *typed;
		enum qerr e;
	} cases[] = {
	    {"K7QF-2MZD-XA4N-R6TB", Q_OK},      {CODE, Q_OK},
	    {" k7qf-2mzd xa4n\tr6tb \r", Q_OK}, {"", Q_FORMAT},
	    {"K7QF-2MZD-XA4N-R6T", Q_FORMAT},   {"K7QF-2MZD-XA4N-R6TBA", Q_FORMAT},
	    {"K7QF-2MZD-XA4N-R6T1", Q_FORMAT},  {"K7QF-2MZD-XA4N-R6T\xc4", Q_FORMAT},
	};
	char out[ENROLMENT_CODE_SIZE] = "unchanged";

	ck_assert_int_eq(enrolment_code_parse(span_str(cases[_i].typed), out),
			 cases[_i].e);
	ck_assert_str_eq(out, cases[_i].e == Q_OK ? CODE : "unchanged");
}
END_TEST

struct enrolling {
	struct fake f;
	struct buf ca_pem;
};

static void
prove(const char *code, const char *label, const char *name, struct span pem,
      uint8_t out[SHA256_LEN])
{
	struct span parts[] = {span_str(label), span_str(name), pem};

	ck_assert_int_eq(hmac_sha256(span_str(code), parts, 3, out), Q_OK);
}

/* A machine whose 280 has been checked as a server does. */
static struct enrolling *
begin(void)
{
	struct enrolling *x = calloc(1, sizeof(*x));
	struct relay_frame frame;
	struct relay_enrol m;
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	uint8_t right[SHA256_LEN];
	struct reader r;
	int32_t opcode;

	ck_assert_ptr_nonnull(x);
	x->f.out = x->f.in = x->ca_pem = (struct buf)BUF_INIT(1 << 20);
	strlcpy(x->f.login.user, "alice", sizeof(x->f.login.user));
	x->f.login.key = alice;
	x->f.login.code = CODE;
	x->f.env = (struct client_env){.login = &x->f.login,
				       .server = "127.0.0.1:9034",
				       .out = &x->f.out,
				       .view = &x->f.view,
				       .event = on_event,
				       .event_arg = &x->f};
	ck_assert_int_eq(cert_pem(ca, &x->ca_pem), Q_OK);
	x->f.machine = client_enrolment.make(&x->f.env);
	ck_assert_ptr_nonnull(x->f.machine);
	client_enrolment.begin(x->f.machine, 1000);
	ck_assert_int_eq(relay_frame_next(buf_span(&x->f.out), 8192, 0, &frame), Q_OK);
	ck_assert_uint_eq(frame.total, x->f.out.len);
	r = reader_of(frame.body);
	ck_assert_int_eq(reader_i32(&r, &opcode), Q_OK);
	ck_assert_int_eq(opcode, RELAY_ENROL);
	ck_assert_int_eq(relay_enrol_parse(reader_rest(&r), &m), Q_OK);
	ck_assert(span_eq(m.name, span_str("alice")));
	ck_assert_int_eq(key_public_pem(alice, &pem), Q_OK);
	ck_assert(span_eq(m.pem, buf_span(&pem)));
	prove(CODE, "enroll", "alice", m.pem, right);
	ck_assert_mem_eq(m.proof.p, right, sizeof(right));
	buf_free(&pem);
	return x;
}

static void
end(struct enrolling *x)
{
	client_enrolment.drop(x->f.machine);
	buf_free(&x->f.out);
	buf_free(&x->f.in);
	buf_free(&x->ca_pem);
	free(x);
}

/* 281, its proof made with code. */
static void
answer(struct enrolling *x, int32_t status, struct span ca_pem, const char *code)
{
	uint8_t proof[SHA256_LEN];
	struct relay_enrolled m = {.status = status, .ca = ca_pem};

	prove(code, "enrolled", "alice", ca_pem, proof);
	m.proof = span_of(proof, sizeof(proof));
	ck_assert_int_eq(relay_enrolled_put(&x->f.in, &m), Q_OK);
	client_enrolment.input(x->f.machine, &x->f.in, 1000);
}

START_TEST(enrolled)
{
	struct enrolling *x = begin();

	answer(x, RELAY_ENROL_DONE, buf_span(&x->ca_pem), CODE);
	EVENT_BEGINS(&x->f, "enrolled alice -----BEGIN CERTIFICATE-----");
	ck_assert_ptr_nonnull(strstr(x->f.taken, ";logged-out alice enrolled;"));
	ck_assert_int_eq(client_enrolment.deadline(x->f.machine), 0);
	end(x);
}
END_TEST

/* Somebody who does not know the code sends a CA of their own. */
START_TEST(impostor)
{
	struct enrolling *x = begin();

	answer(x, RELAY_ENROL_DONE, buf_span(&x->ca_pem), "AAAABBBBCCCCDDDD");
	EVENT_BEGINS(&x->f, "refused alice the server does not know the enrolment code");
	end(x);
}
END_TEST

START_TEST(refusals)
{
	static const char *const words[] = {
	    [RELAY_ENROL_NAME_TAKEN] = "refused alice that name is taken",
	    [RELAY_ENROL_WRONG_PROOF] = "refused alice the enrolment code is wrong",
	    [RELAY_ENROL_CLOSED] = "refused alice this server takes no enrolments",
	    [RELAY_ENROL_BAD] = "refused alice the server does not accept this name",
	    [RELAY_ENROL_LATER] = "refused alice the server cannot enrol anybody now",
	    [6] = "refused alice the server refused",
	};
	struct enrolling *x = begin();

	answer(x, _i, NONE, CODE);
	EVENT_BEGINS(&x->f, words[_i]);
	end(x);
}
END_TEST

START_TEST(broken)
{
	struct enrolling *x = begin();

	answer(x, RELAY_ENROL_DONE, span_str("no certificate"), CODE);
	EVENTS(&x->f, "lost alice the server's CA certificate is none;");
	end(x);
	x = begin();
	ck_assert_int_eq(buf_put_str(&x->f.in, "HTTP/1.1 400 Bad Request"), Q_OK);
	client_enrolment.input(x->f.machine, &x->f.in, 1000);
	EVENTS(&x->f, "lost alice what answers there does not speak relay;");
	end(x);
	x = begin();
	client_enrolment.lost(x->f.machine, Q_CLOSED, "gone");
	EVENTS(&x->f, "lost alice gone;");
	end(x);
	x = begin();
	client_enrolment.tick(x->f.machine, client_enrolment.deadline(x->f.machine));
	EVENTS(&x->f, "lost alice the server does not answer in time;");
	end(x);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client enrolment");
	TCase *t = tcase_create("enrol");

	tcase_add_unchecked_fixture(t, make_keys, drop_keys);
	tcase_add_loop_test(t, codes, 0, 8);
	tcase_add_test(t, enrolled);
	tcase_add_test(t, impostor);
	tcase_add_loop_test(t, refusals, 1, 7);
	tcase_add_test(t, broken);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
