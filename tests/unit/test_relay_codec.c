/* SPDX-License-Identifier: MIT
 *
 * The relay codec against hand-written bytes of docs/protocols/relay.md, and
 * every parser against messages that are cut short, too long or that lie.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "protocol/relay.h"

#define MAX 65536

static struct buf out = BUF_INIT(MAX);

static void
teardown(void)
{
	buf_free(&out);
	out.max = MAX;
}

/* The bytes of a string literal without its NUL: in a table, in an expression. */
#define ROW(s)                                      \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
#define RAW(s) ((struct span)ROW(s))

#define ASSERT_BYTES(got, want)                                            \
	do {                                                               \
		struct span g_ = (got), w_ = (want);                       \
		ck_assert_uint_eq(g_.len, w_.len);                         \
		ck_assert(g_.len == 0 || memcmp(g_.p, w_.p, w_.len) == 0); \
	} while (0)

static const uint8_t proof_bytes[RELAY_PROOF_LEN] = "0123456789abcdef0123456789abcdef";
#define PROOF     span_of(proof_bytes, RELAY_PROOF_LEN)
#define PROOF_RAW "0123456789abcdef0123456789abcdef"

/* ---- recognition ---- */

static const struct {
	struct span first;
	enum qerr want;
} recognise_rows[] = {
    {ROW(""), Q_SHORT},
    {ROW("\x00"), Q_SHORT},
    {ROW("\xf0"), Q_SHORT},
    {ROW("\x00\xdf"), Q_FORMAT},
    {ROW("\x00\xe0"), Q_SHORT},
    {ROW("\x00\xe0\xff"), Q_SHORT},
    {ROW("\x00\xe0\xfe"), Q_FORMAT},
    {ROW("\x00\xe0\xff\xff"), Q_OK},         /* -8192 */
    {ROW("\xff\xdf\xff\xff"), Q_FORMAT},     /* -8193 */
    {ROW("\xff\xff\xff\xff\x01"), Q_OK},     /* -1 */
    {ROW("\xf3\xff\xff\xff\x22\x01"), Q_OK}, /* -13 */
    {ROW("\x10\x00\x00\x00"), Q_FORMAT},     /* a sealed frame */
    {ROW("GET / HTTP/1.1"), Q_FORMAT},
    {ROW("\x16\x03\x01\x02"), Q_FORMAT},
    {ROW("\xca\xca\x00\x00"), Q_FORMAT},
    {ROW("\x31\xff\xff\x7f"), Q_FORMAT},
};

START_TEST(recognises_first_bytes)
{
	ck_assert_int_eq(relay_recognise(recognise_rows[_i].first),
			 recognise_rows[_i].want);
}
END_TEST

/* ---- frames ---- */

#define CLEAR_13  "\xf3\xff\xff\xff" /* -13 */
#define SEALED_36 "\x24\x00\x00\x00"
#define BYTES_36  "ct-opcodTTTTTTTTTTTTTTTTivivivivIVIV"

static const struct {
	struct span in;
	enum qerr want;
} frame_rows[] = {
    {ROW(""), Q_SHORT},
    {ROW("\xf3\xff\xff"), Q_SHORT},
    {ROW(CLEAR_13), Q_SHORT},
    {ROW(CLEAR_13 "0123456789ab"), Q_SHORT},
    {ROW(CLEAR_13 "0123456789abc"), Q_OK},
    {ROW("\x00\x00\x00\x00"), Q_FORMAT}, /* 0 */
    {ROW("\xfd\xff\xff\xff"), Q_FORMAT}, /* -3: no opcode */
    {ROW("\xfc\xff\xff\xff"), Q_SHORT},  /* -4 */
    {ROW("\x9c\xff\xff\xff"), Q_SHORT},  /* -100, the limit below */
    {ROW("\x9b\xff\xff\xff"), Q_LIMIT},  /* -101 */
    {ROW("\x00\x00\x00\x80"), Q_LIMIT},  /* INT32_MIN */
    {ROW("\xff\xff\xff\x7f"), Q_LIMIT},  /* INT32_MAX */
    {ROW("\xc8\x00\x00\x00"), Q_SHORT},  /* 200, the limit below */
    {ROW("\xc9\x00\x00\x00"), Q_LIMIT},  /* 201 */
    {ROW("\x23\x00\x00\x00"), Q_FORMAT}, /* 35: opcode, counter, tag, iv need 36 */
    {ROW(SEALED_36), Q_SHORT},
    {ROW(SEALED_36 BYTES_36), Q_OK},
};

START_TEST(cuts_frames)
{
	struct relay_frame f = {.total = 77};

	ck_assert_int_eq(relay_frame_next(frame_rows[_i].in, 100, 200, &f),
			 frame_rows[_i].want);
	if (frame_rows[_i].want != Q_OK)
		ck_assert_uint_eq(f.total, 77); /* untouched */
	else
		ck_assert_uint_eq(f.total, frame_rows[_i].in.len);
}
END_TEST

START_TEST(frame_leaves_what_follows)
{
	struct span in = RAW(CLEAR_13 "0123456789abc" SEALED_36 BYTES_36 "x");
	struct relay_frame f;

	ck_assert_int_eq(relay_frame_next(in, 100, 100, &f), Q_OK);
	ck_assert(f.clear);
	ASSERT_BYTES(f.body, RAW("0123456789abc"));
	in.p += f.total;
	in.len -= f.total;
	ck_assert_int_eq(relay_frame_next(in, 100, 100, &f), Q_OK);
	ck_assert(!f.clear);
	ASSERT_BYTES(f.body, RAW(BYTES_36));
	ck_assert_uint_eq(in.len - f.total, 1);
}
END_TEST

START_TEST(sealed_frame_has_three_parts)
{
	struct span body = RAW(BYTES_36);
	struct relay_sealed s = relay_sealed_parts(body);

	ASSERT_BYTES(s.ct, RAW("ct-opcod"));
	ck_assert_ptr_eq(s.tag, body.p + 8);
	ck_assert_ptr_eq(s.iv, body.p + 24);
}
END_TEST

START_TEST(inner_is_opcode_counter_data)
{
	uint8_t head[RELAY_HEAD_LEN];
	struct relay_inner m;

	relay_head_put(head, RELAY_CHAT_REQUEST, 258);
	ASSERT_BYTES(span_of(head, sizeof(head)),
		     RAW("\x2d\x01\x00\x00\x02\x01\x00\x00"));
	ck_assert_int_eq(relay_inner_parse(RAW("\x2d\x01\x00\x00\xff\xff\xff\xff"
					       "bob"),
					   &m),
			 Q_OK);
	ck_assert_int_eq(m.opcode, 301);
	ck_assert_int_eq(m.counter, -1);
	ASSERT_BYTES(m.data, RAW("bob"));
	ck_assert_int_eq(relay_inner_parse(span_of(head, 7), &m), Q_FORMAT);
	ck_assert_int_eq(relay_inner_parse(span_of(head, 8), &m), Q_OK);
	ck_assert_uint_eq(m.data.len, 0);
}
END_TEST

/* ---- names ---- */

static const struct {
	struct span in;
	const char *want; /* NULL: refused */
} name_rows[] = {
    {ROW("alice"), "alice"},
    {ROW("alice\0"), "alice"},
    {ROW("Bob-2.x_y"), "Bob-2.x_y"},
    {ROW("0123456789abcdef0123456789abcdef"), "0123456789abcdef0123456789abcdef"},
    {ROW("0123456789abcdef0123456789abcdef\0"), "0123456789abcdef0123456789abcdef"},
    {ROW("0123456789abcdef0123456789abcdefg"), NULL},
    {ROW(""), NULL},
    {ROW("\0"), NULL},
    {ROW("alice\0\0"), NULL}, /* one NUL, not two */
    {ROW("ali\0ce"), NULL},
    {ROW("../etc"), NULL},
    {ROW("a/b"), NULL},
    {ROW("a b"), NULL},
    {ROW("\xc3\xa4nne"), NULL},
};

START_TEST(names_with_and_without_nul)
{
	char name[NAME_SIZE] = "before";
	enum qerr e = relay_name_parse(name_rows[_i].in, name);

	if (name_rows[_i].want == NULL) {
		ck_assert_int_eq(e, Q_FORMAT);
		ck_assert_str_eq(name, "before");
	} else {
		ck_assert_int_eq(e, Q_OK);
		ck_assert_str_eq(name, name_rows[_i].want);
	}
}
END_TEST

/* ---- clear messages, byte for byte ---- */

#define I32_7 "\x07\x00\x00\x00"
#define PEM3  "\x03\x00\x00\x00\x00\x00\x00\x00pem"
#define SIG2  "\x02\x00\x00\x00sg"
#define NAME3              \
	"\x03\x00\x00\x00" \
	"bob"
#define HELLO    "\x22\x01\x00\x00"
#define SHELLO   "\x23\x01\x00\x00"
#define PROVE    "\x24\x01\x00\x00"
#define ENROL    "\x18\x01\x00\x00"
#define ENROLLED "\x19\x01\x00\x00"

START_TEST(hello_290)
{
	struct relay_hello m = {7, RAW("bob")}, got;

	ck_assert_int_eq(relay_hello_put(&out, &m), Q_OK);
	ASSERT_BYTES(buf_span(&out), RAW("\xf5\xff\xff\xff" HELLO I32_7 "bob"));
	ck_assert_int_eq(relay_hello_parse(RAW(I32_7 "bob"), &got), Q_OK);
	ck_assert_int_eq(got.nonce, 7);
	ASSERT_BYTES(got.user, RAW("bob"));
}
END_TEST

START_TEST(server_hello_291)
{
	struct relay_server_hello m = {7, RAW("pem"), RAW("sg"), RAW("cert")}, got;

	ck_assert_int_eq(relay_server_hello_put(&out, &m), Q_OK);
	ASSERT_BYTES(buf_span(&out),
		     RAW("\xe3\xff\xff\xff" SHELLO I32_7 PEM3 SIG2 "cert"));
	ck_assert_int_eq(relay_server_hello_parse(RAW(I32_7 PEM3 SIG2 "cert"), &got),
			 Q_OK);
	ck_assert_int_eq(got.nonce, 7);
	ASSERT_BYTES(got.pem, RAW("pem"));
	ASSERT_BYTES(got.signature, RAW("sg"));
	ASSERT_BYTES(got.cert, RAW("cert"));
	/* The bare layout of the document has no certificate. */
	ck_assert_int_eq(relay_server_hello_parse(RAW(I32_7 PEM3 SIG2), &got), Q_OK);
	ck_assert_uint_eq(got.cert.len, 0);
}
END_TEST

START_TEST(proof_292)
{
	struct relay_proof m = {RAW("pem"), RAW("sg")}, got;

	ck_assert_int_eq(relay_proof_put(&out, &m), Q_OK);
	ASSERT_BYTES(buf_span(&out), RAW("\xeb\xff\xff\xff" PROVE PEM3 SIG2));
	ck_assert_int_eq(relay_proof_parse(RAW(PEM3 SIG2), &got), Q_OK);
	ASSERT_BYTES(got.pem, RAW("pem"));
	ASSERT_BYTES(got.signature, RAW("sg"));
}
END_TEST

START_TEST(enrol_280)
{
	struct relay_enrol m = {RAW("bob"), RAW("pem"), PROOF}, got;

	ck_assert_int_eq(relay_enrol_put(&out, &m), Q_OK);
	ASSERT_BYTES(buf_span(&out), RAW("\xca\xff\xff\xff" ENROL NAME3 PEM3 PROOF_RAW));
	ck_assert_int_eq(relay_enrol_parse(RAW(NAME3 PEM3 PROOF_RAW), &got), Q_OK);
	ASSERT_BYTES(got.name, RAW("bob"));
	ASSERT_BYTES(got.pem, RAW("pem"));
	ASSERT_BYTES(got.proof, PROOF);
}
END_TEST

START_TEST(enrolled_281)
{
	struct relay_enrolled m = {RELAY_ENROL_LATER, RAW("pem"), PROOF}, got;

	ck_assert_int_eq(relay_enrolled_put(&out, &m), Q_OK);
	ASSERT_BYTES(buf_span(&out),
		     RAW("\xcd\xff\xff\xff" ENROLLED "\x05\0\0\0" PEM3 PROOF_RAW));
	ck_assert_int_eq(relay_enrolled_parse(RAW("\x05\0\0\0" PEM3 PROOF_RAW), &got),
			 Q_OK);
	ck_assert_int_eq(got.status, RELAY_ENROL_LATER);
	ASSERT_BYTES(got.ca, RAW("pem"));
	ASSERT_BYTES(got.proof, PROOF);
}
END_TEST

START_TEST(refused_encoding_appends_nothing)
{
	struct relay_hello hello = {7, RAW("bob")};
	struct relay_server_hello shello = {7, RAW("pem"), RAW("sg"), RAW("cert")};
	struct relay_proof prove = {RAW("pem"), RAW("sg")};
	struct relay_enrol enrol = {RAW("bob"), RAW("pem"), PROOF};
	struct relay_enrolled enrolled = {0, RAW("pem"), PROOF};
	struct relay_key_message key = {7, RAW("pem"), RAW("sg")};

	out.max = 10;
	ck_assert_int_eq(buf_put_str(&out, "before"), Q_OK);
	ck_assert_int_eq(relay_hello_put(&out, &hello), Q_LIMIT);
	ck_assert_int_eq(relay_server_hello_put(&out, &shello), Q_LIMIT);
	ck_assert_int_eq(relay_proof_put(&out, &prove), Q_LIMIT);
	ck_assert_int_eq(relay_enrol_put(&out, &enrol), Q_LIMIT);
	ck_assert_int_eq(relay_enrolled_put(&out, &enrolled), Q_LIMIT);
	ck_assert_int_eq(relay_first_key_put(&out, &key), Q_LIMIT);
	ck_assert_int_eq(relay_second_key_put(&out, &key), Q_LIMIT);
	ck_assert_int_eq(relay_pem_put(&out, RAW("pem")), Q_LIMIT);
	ck_assert_int_eq(relay_list_put(&out, "bob", false), Q_LIMIT);
	ASSERT_BYTES(buf_span(&out), RAW("before"));
}
END_TEST

/* ---- data of sealed messages, byte for byte ---- */

START_TEST(pem_of_303_and_307)
{
	struct span got;

	ck_assert_int_eq(relay_pem_put(&out, RAW("pem")), Q_OK);
	ASSERT_BYTES(buf_span(&out), RAW(PEM3));
	ck_assert_int_eq(relay_pem_parse(RAW(PEM3), &got), Q_OK);
	ASSERT_BYTES(got, RAW("pem"));
}
END_TEST

START_TEST(nonce_305)
{
	uint8_t raw[4];
	int32_t got = 0;

	ck_assert_int_eq(relay_nonce_put(&out, -2), Q_OK);
	ASSERT_BYTES(buf_span(&out), RAW("\xfe\xff\xff\xff"));
	ck_assert_int_eq(relay_nonce_parse(buf_span(&out), &got), Q_OK);
	ck_assert_int_eq(got, -2);
	relay_nonce_bytes(-2, raw);
	ASSERT_BYTES(span_of(raw, 4), RAW("\xfe\xff\xff\xff"));
}
END_TEST

START_TEST(key_messages_308_and_306)
{
	struct relay_key_message m = {7, RAW("pem"), RAW("sg")}, got;

	ck_assert_int_eq(relay_first_key_put(&out, &m), Q_OK);
	ASSERT_BYTES(buf_span(&out), RAW(I32_7 PEM3 SIG2));
	ck_assert_int_eq(relay_first_key_parse(RAW(I32_7 PEM3 SIG2), &got), Q_OK);
	ck_assert_int_eq(got.nonce, 7);
	ASSERT_BYTES(got.pem, RAW("pem"));
	ASSERT_BYTES(got.signature, RAW("sg"));

	buf_free(&out);
	ck_assert_int_eq(relay_second_key_put(&out, &m), Q_OK);
	ASSERT_BYTES(buf_span(&out), RAW(PEM3 SIG2));
	ck_assert_int_eq(relay_second_key_parse(RAW(PEM3 SIG2), &got), Q_OK);
	ck_assert_int_eq(got.nonce, 0);
	ASSERT_BYTES(got.pem, RAW("pem"));
	ASSERT_BYTES(got.signature, RAW("sg"));
}
END_TEST

START_TEST(list_374)
{
	char name[NAME_SIZE] = "";
	struct reader r;

	ck_assert_int_eq(relay_list_put(&out, "bob", false), Q_OK);
	ck_assert_int_eq(relay_list_put(&out, "eve", true), Q_OK);
	ASSERT_BYTES(buf_span(&out), RAW(NAME3 "\x04\x00\x00\x00"
					       "eve\0"));

	r = reader_of(buf_span(&out));
	ck_assert_int_eq(relay_list_next(&r, name), Q_OK);
	ck_assert_str_eq(name, "bob");
	ck_assert_int_eq(relay_list_next(&r, name), Q_OK);
	ck_assert_str_eq(name, "eve");
	ck_assert_int_eq(relay_list_next(&r, name), Q_MISSING);
	ck_assert_str_eq(name, "eve");
}
END_TEST

static const struct span broken_lists[] = {
    ROW("\x03"),
    ROW("\x03\x00\x00\x00"
	"bo"),
    ROW("\x00\x00\x00\x00"),
    ROW("\xff\xff\xff\xff"
	"bob"),
    ROW("\x03\x00\x00\x00"
	"b/b"),
};

START_TEST(broken_list_stops_where_it_breaks)
{
	char name[NAME_SIZE] = "before";
	struct reader r = reader_of(broken_lists[_i]);

	ck_assert_int_eq(relay_list_next(&r, name), Q_FORMAT);
	ck_assert_str_eq(name, "before");
	ck_assert_uint_eq(r.left, broken_lists[_i].len);
}
END_TEST

START_TEST(peer_message_350)
{
	struct relay_sealed s = {.tag = NULL};

	ck_assert_int_eq(relay_peer_parse(RAW(SEALED_36 BYTES_36), &s), Q_OK);
	ASSERT_BYTES(s.ct, RAW("ct-opcod"));
	ASSERT_BYTES(span_of(s.tag, 16), RAW("TTTTTTTTTTTTTTTT"));
	ASSERT_BYTES(span_of(s.iv, 12), RAW("ivivivivIVIV"));
	/* One byte too few, one too many, a size that lies, a negative size. */
	s.tag = NULL;
	ck_assert_int_eq(relay_peer_parse(RAW("\x23\0\0\0"
					      "t-opcodTTTTTTTTTTTTTTTTivivivivIVIV"),
					  &s),
			 Q_FORMAT);
	ck_assert_int_eq(relay_peer_parse(RAW(SEALED_36 BYTES_36 "x"), &s), Q_FORMAT);
	ck_assert_int_eq(relay_peer_parse(RAW("\x25\0\0\0" BYTES_36), &s), Q_FORMAT);
	ck_assert_int_eq(relay_peer_parse(RAW("\xdc\xff\xff\xff" BYTES_36), &s),
			 Q_FORMAT);
	ck_assert_int_eq(relay_peer_parse(RAW(""), &s), Q_FORMAT);
	ck_assert_ptr_null(s.tag);
}
END_TEST

/* ---- every parser: all prefixes, one byte more, sizes that lie ---- */

union any {
	struct relay_hello hello;
	struct relay_server_hello server_hello;
	struct relay_proof proof;
	struct relay_enrol enrol;
	struct relay_enrolled enrolled;
	struct relay_key_message key;
	struct span pem;
	int32_t nonce;
};

#define AS(name, type, field)                                   \
	static enum qerr as_##name(struct span s, union any *a) \
	{                                                       \
		return relay_##name##_parse(s, &a->field);      \
	}
AS(hello, struct relay_hello, hello)
AS(server_hello, struct relay_server_hello, server_hello)
AS(proof, struct relay_proof, proof)
AS(enrol, struct relay_enrol, enrol)
AS(enrolled, struct relay_enrolled, enrolled)
AS(pem, struct span, pem)
AS(nonce, int32_t, nonce)
AS(first_key, struct relay_key_message, key)
AS(second_key, struct relay_key_message, key)

static const struct {
	enum qerr (*parse)(struct span, union any *);
	struct span good; /* the shortest message with these fields */
	bool open_end;    /* the last field takes all that is left */
	int size_at[2];   /* offsets of size fields, -1: none */
} shapes[] = {
    {as_hello, ROW(I32_7), true, {-1, -1}},
    {as_server_hello, ROW(I32_7 PEM3 SIG2), true, {4, 15}},
    {as_proof, ROW(PEM3 SIG2), false, {0, 11}},
    {as_enrol, ROW(NAME3 PEM3 PROOF_RAW), false, {0, 7}},
    {as_enrolled, ROW(I32_7 PEM3 PROOF_RAW), false, {4, -1}},
    {as_pem, ROW(PEM3), false, {0, -1}},
    {as_nonce, ROW(I32_7), false, {-1, -1}},
    {as_first_key, ROW(I32_7 PEM3 SIG2), false, {4, 15}},
    {as_second_key, ROW(PEM3 SIG2), false, {0, 11}},
};

/* Parse an exactly sized heap copy, so that a sanitizer sees one byte too far. */
static enum qerr
parse_copy(int i, const uint8_t *p, size_t len)
{
	union any a, before;
	uint8_t *copy = malloc(len > 0 ? len : 1);
	enum qerr e;

	memset(&a, 0x5a, sizeof(a));
	before = a;
	memcpy(copy, p, len);
	e = shapes[i].parse(span_of(copy, len), &a);
	free(copy);
	if (e != Q_OK)
		ck_assert_int_eq(memcmp(&a, &before, sizeof(a)), 0);
	return e;
}

START_TEST(cut_short_is_refused)
{
	struct span good = shapes[_i].good;

	for (size_t len = 0; len < good.len; len++)
		ck_assert_int_eq(parse_copy(_i, good.p, len), Q_FORMAT);
	ck_assert_int_eq(parse_copy(_i, good.p, good.len), Q_OK);
}
END_TEST

START_TEST(bytes_left_over_are_refused)
{
	struct span good = shapes[_i].good;
	uint8_t longer[128] = {0};

	memcpy(longer, good.p, good.len);
	ck_assert_int_eq(parse_copy(_i, longer, good.len + 1),
			 shapes[_i].open_end ? Q_OK : Q_FORMAT);
}
END_TEST

START_TEST(lying_sizes_are_refused)
{
	struct span good = shapes[_i].good;
	static const uint32_t lies[] = {0x7f, 0x7fffffff, 0x80000000, 0xffffffff};
	uint8_t raw[128];

	for (size_t f = 0; f < 2; f++) {
		for (size_t l = 0; l < sizeof(lies) / sizeof(lies[0]); l++) {
			if (shapes[_i].size_at[f] < 0)
				continue;
			memcpy(raw, good.p, good.len);
			le32_put(raw + shapes[_i].size_at[f], lies[l]);
			ck_assert_int_eq(parse_copy(_i, raw, good.len), Q_FORMAT);
		}
	}
}
END_TEST

START_TEST(negative_long_is_refused)
{
	uint8_t raw[] = PEM3;
	struct span got;

	/* -2^63 + 3: the low half alone would be right. */
	raw[7] = 0x80;
	ck_assert_int_eq(relay_pem_parse(span_of(raw, sizeof(raw) - 1), &got), Q_FORMAT);
	/* 2^32 + 3: so would a size cut to 32 bits. */
	raw[7] = 0;
	raw[4] = 1;
	ck_assert_int_eq(relay_pem_parse(span_of(raw, sizeof(raw) - 1), &got), Q_FORMAT);
}
END_TEST

#define LOOP(tc, fn, rows) \
	tcase_add_loop_test(tc, fn, 0, (int)(sizeof(rows) / sizeof((rows)[0])))

int
main(void)
{
	Suite *s = suite_create("relay codec");
	TCase *frames = tcase_create("frames"), *messages = tcase_create("messages"),
	      *hostile = tcase_create("hostile");

	LOOP(frames, recognises_first_bytes, recognise_rows);
	LOOP(frames, cuts_frames, frame_rows);
	tcase_add_test(frames, frame_leaves_what_follows);
	tcase_add_test(frames, sealed_frame_has_three_parts);
	tcase_add_test(frames, inner_is_opcode_counter_data);
	LOOP(frames, names_with_and_without_nul, name_rows);
	suite_add_tcase(s, frames);

	tcase_add_checked_fixture(messages, NULL, teardown);
	tcase_add_test(messages, hello_290);
	tcase_add_test(messages, server_hello_291);
	tcase_add_test(messages, proof_292);
	tcase_add_test(messages, enrol_280);
	tcase_add_test(messages, enrolled_281);
	tcase_add_test(messages, refused_encoding_appends_nothing);
	tcase_add_test(messages, pem_of_303_and_307);
	tcase_add_test(messages, nonce_305);
	tcase_add_test(messages, key_messages_308_and_306);
	tcase_add_test(messages, list_374);
	tcase_add_test(messages, peer_message_350);
	suite_add_tcase(s, messages);

	LOOP(hostile, broken_list_stops_where_it_breaks, broken_lists);
	LOOP(hostile, cut_short_is_refused, shapes);
	LOOP(hostile, bytes_left_over_are_refused, shapes);
	LOOP(hostile, lying_sizes_are_refused, shapes);
	tcase_add_test(hostile, negative_long_is_refused);
	suite_add_tcase(s, hostile);
	return unit_main(s);
}
