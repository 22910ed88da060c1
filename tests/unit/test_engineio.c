/* SPDX-License-Identifier: MIT
 *
 * Packets of Engine.IO and Socket.IO, byte by byte.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "protocol/engineio.h"
#include "protocol/socketio.h"

static bool
is(struct span s, const char *text)
{
	return span_eq(s, span_str(text));
}

/* ---- Engine.IO ---- */

START_TEST(text_frames)
{
	struct eio_packet p = {.type = EIO_NOOP};

	ck_assert_int_eq(eio_text_parse(span_str("4hello"), &p), Q_OK);
	ck_assert_int_eq(p.type, EIO_MESSAGE);
	ck_assert(is(p.data, "hello") && !p.binary);
	ck_assert_int_eq(eio_text_parse(span_str("2"), &p), Q_OK);
	ck_assert_int_eq(p.type, EIO_PING);
	ck_assert_uint_eq(p.data.len, 0);
	ck_assert_int_eq(eio_text_parse(span_str("abc"), &p), Q_FORMAT);
	ck_assert_int_eq(eio_text_parse(span_str("7"), &p), Q_FORMAT);
	ck_assert_int_eq(eio_text_parse(span_str("/"), &p), Q_FORMAT);
	ck_assert_int_eq(eio_text_parse(span_str(""), &p), Q_FORMAT);
	ck_assert_int_eq(eio_text_parse(span_str("bAQID"), &p), Q_FORMAT);
	ck_assert_int_eq(p.type, EIO_PING);
}
END_TEST

START_TEST(polling_bodies)
{
	char text[] = "4hello\x1e"
		      "2\x1e"
		      "bAQIDBA==\x1e"
		      "4\xe2\x82\xac";
	struct eio_body b = eio_body_of(text, strlen(text));
	struct eio_packet p;

	ck_assert_int_eq(eio_body_next(&b, &p), Q_OK);
	ck_assert(is(p.data, "hello"));
	ck_assert_int_eq(eio_body_next(&b, &p), Q_OK);
	ck_assert_int_eq(p.type, EIO_PING);
	ck_assert_int_eq(eio_body_next(&b, &p), Q_OK);
	ck_assert(p.binary && is(p.data, "\1\2\3\4"));
	ck_assert_int_eq(p.type, EIO_MESSAGE);
	ck_assert_int_eq(eio_body_next(&b, &p), Q_OK);
	ck_assert(is(p.data, "\xe2\x82\xac"));
	ck_assert_int_eq(eio_body_next(&b, &p), Q_MISSING);
}
END_TEST

START_TEST(wrong_bodies)
{
	static const char *const rows[] = {
	    "",
	    "abc",
	    "4a\036",
	    "\036"
	    "4a",
	    "4a\036\036"
	    "4b",
	    "bA",
	    "bAQ",
	    "bAQID!",
	    "b====",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[32];
		struct eio_body b;
		struct eio_packet p;
		enum qerr e;

		strcpy(text, rows[i]);
		b = eio_body_of(text, strlen(text));
		while ((e = eio_body_next(&b, &p)) == Q_OK)
			continue;
		ck_assert_msg(e == Q_FORMAT, "row %zu", i);
	}
}
END_TEST

START_TEST(bodies_are_made)
{
	const struct eio_packet rows[] = {
	    {EIO_MESSAGE, false, span_str("hi")},
	    {EIO_MESSAGE, true, span_str("\1\2\3\4")},
	    {EIO_PING, false, {NULL, 0}},
	};
	const char *want = "4hi\x1e"
			   "bAQIDBA==\x1e"
			   "2";
	struct buf b = BUF_INIT(64);
	size_t len = 2;

	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(eio_body_put(&b, &rows[i], i == 0), Q_OK);
		len += eio_body_len(&rows[i]);
	}
	ck_assert(is(buf_span(&b), want));
	ck_assert_uint_eq(len, strlen(want));
	buf_free(&b);
	b.max = 8;
	ck_assert_int_eq(eio_body_put(&b, &rows[1], true), Q_LIMIT);
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

START_TEST(handshakes)
{
	struct eio_handshake h = {"abc", true, 300, 200, 1000000};
	struct buf b = BUF_INIT(256);

	ck_assert_int_eq(eio_handshake_put(&b, &h), Q_OK);
	ck_assert(is(buf_span(&b), "{\"sid\":\"abc\",\"upgrades\":[\"websocket\"],"
				   "\"pingInterval\":300,\"pingTimeout\":200,"
				   "\"maxPayload\":1000000}"));
	b.len = 0;
	h.may_upgrade = false;
	ck_assert_int_eq(eio_handshake_put(&b, &h), Q_OK);
	ck_assert(is(buf_span(&b),
		     "{\"sid\":\"abc\",\"upgrades\":[],\"pingInterval\":300,"
		     "\"pingTimeout\":200,\"maxPayload\":1000000}"));
	buf_free(&b);
}
END_TEST

/* ---- Socket.IO ---- */

static const struct {
	const char *text;
	enum sio_type type;
	unsigned attachments;
	const char *space;
	int64_t id; /* -1: none */
	const char *json;
	const char *again; /* how we write it; NULL: the same */
} packets[] = {
    {"0", SIO_CONNECT, 0, "/", -1, "", NULL},
    {"0{\"token\":\"x\"}", SIO_CONNECT, 0, "/", -1, "{\"token\":\"x\"}", NULL},
    {"0/custom", SIO_CONNECT, 0, "/custom", -1, "", NULL},
    {"0/custom,", SIO_CONNECT, 0, "/custom", -1, "", "0/custom"},
    {"0/custom,{\"a\":1}", SIO_CONNECT, 0, "/custom", -1, "{\"a\":1}", NULL},
    {"0/,{}", SIO_CONNECT, 0, "/", -1, "{}", "0{}"},
    {"1", SIO_DISCONNECT, 0, "/", -1, "", NULL},
    {"1/admin,", SIO_DISCONNECT, 0, "/admin", -1, "", "1/admin"},
    {"2[\"m\",1,\"2\"]", SIO_EVENT, 0, "/", -1, "[\"m\",1,\"2\"]", NULL},
    {"2/admin,456[\"m\"]", SIO_EVENT, 0, "/admin", 456, "[\"m\"]", NULL},
    {"20[\"m\"]", SIO_EVENT, 0, "/", 0, "[\"m\"]", NULL},
    {"29007199254740991[]", SIO_EVENT, 0, "/", 9007199254740991, "[]", NULL},
    {"3456[1]", SIO_ACK, 0, "/", 456, "[1]", NULL},
    {"4{\"message\":\"no\"}", SIO_CONNECT_ERROR, 0, "/", -1, "{\"message\":\"no\"}",
     NULL},
    {"52-[\"b\"]", SIO_BINARY_EVENT, 2, "/", -1, "[\"b\"]", NULL},
    {"51-/admin,7[\"b\"]", SIO_BINARY_EVENT, 1, "/admin", 7, "[\"b\"]", NULL},
    {"62-789[1]", SIO_BINARY_ACK, 2, "/", 789, "[1]", NULL},
};
#define PACKETS ((int)(sizeof(packets) / sizeof(packets[0])))

START_TEST(packets_both_ways)
{
	struct buf out = BUF_INIT(64), small = BUF_INIT(0);
	struct sio_packet p;

	ck_assert_int_eq(sio_parse(span_str(packets[_i].text), 2, &p), Q_OK);
	ck_assert_int_eq(p.type, packets[_i].type);
	ck_assert_uint_eq(p.attachments, packets[_i].attachments);
	ck_assert(is(p.space, packets[_i].space));
	ck_assert_int_eq(p.has_id, packets[_i].id >= 0);
	if (p.has_id)
		ck_assert_uint_eq(p.id, (uint64_t)packets[_i].id);
	ck_assert(is(p.json, packets[_i].json));
	ck_assert_int_eq(sio_put(&out, &p), Q_OK);
	ck_assert(is(buf_span(&out),
		     packets[_i].again != NULL ? packets[_i].again : packets[_i].text));
	small.max = out.len - 1;
	ck_assert_int_eq(sio_put(&small, &p), Q_LIMIT);
	ck_assert_uint_eq(small.len, 0);
	buf_free(&small);
	buf_free(&out);
}
END_TEST

START_TEST(wrong_packets)
{
	static const char *const rows[] = {
	    "",
	    "a",
	    "7",
	    "bc",
	    "1{}",
	    "2",
	    "2/admin,",
	    "212",
	    "3[1]",
	    "31",
	    "4",
	    "5[\"x\"]",
	    "51[]",
	    "5-[\"x\"]",
	    "51",
	    "012{}",
	    "29007199254740992[]",
	    "299999999999999999999[]",
	    "5/a,1-[]",
	    "61-[1]",
	};
	struct sio_packet p;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(sio_parse(span_str(rows[i]), 2, &p) == Q_FORMAT, "%s",
			      rows[i]);
	ck_assert_int_eq(sio_parse(span_str("53-[\"b\"]"), 2, &p), Q_LIMIT);
}
END_TEST

START_TEST(arguments)
{
	static const struct {
		const char *json;
		const char *args[6];
		enum qerr end;
	} rows[] = {
	    {"[]", {NULL}, Q_MISSING},
	    {"[1]", {"1"}, Q_MISSING},
	    {" [ 1 , \"a,]\\\"[\" , {\"3\":[true,\"}\"]} ] ",
	     {"1", "\"a,]\\\"[\"", "{\"3\":[true,\"}\"]}"},
	     Q_MISSING},
	    {"[[1,[2]],1.50,null,-0]", {"[1,[2]]", "1.50", "null", "-0"}, Q_MISSING},
	    {"[1,]", {"1"}, Q_FORMAT},
	    {"[,1]", {NULL}, Q_FORMAT},
	    {"[1", {NULL}, Q_FORMAT},
	    {"[\"a", {NULL}, Q_FORMAT},
	    {"[\"a\\\"", {NULL}, Q_FORMAT},
	    {"[1}", {NULL}, Q_FORMAT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sio_args a;
		struct span s;
		enum qerr e;
		size_t n = 0;

		ck_assert_int_eq(sio_args_begin(span_str(rows[i].json), &a), Q_OK);
		while ((e = sio_args_next(&a, &s)) == Q_OK) {
			ck_assert_ptr_nonnull(rows[i].args[n]);
			ck_assert_msg(is(s, rows[i].args[n]), "row %zu", i);
			n++;
		}
		ck_assert_msg(e == rows[i].end, "row %zu", i);
		ck_assert_ptr_null(rows[i].args[n]);
	}
	ck_assert_int_eq(sio_args_begin(span_str("{}"), &(struct sio_args){0}), Q_FORMAT);
	ck_assert_int_eq(sio_args_begin(span_str(""), &(struct sio_args){0}), Q_FORMAT);
}
END_TEST

START_TEST(reserved_names)
{
	ck_assert(sio_reserved(span_str("connect")));
	ck_assert(sio_reserved(span_str("disconnecting")));
	ck_assert(!sio_reserved(span_str("connected")));
	ck_assert(!sio_reserved(span_str("")));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("engineio");
	TCase *t = tcase_create("Engine.IO"), *u = tcase_create("Socket.IO");

	tcase_add_test(t, text_frames);
	tcase_add_test(t, polling_bodies);
	tcase_add_test(t, wrong_bodies);
	tcase_add_test(t, bodies_are_made);
	tcase_add_test(t, handshakes);
	suite_add_tcase(s, t);
	tcase_add_loop_test(u, packets_both_ways, 0, PACKETS);
	tcase_add_test(u, wrong_packets);
	tcase_add_test(u, arguments);
	tcase_add_test(u, reserved_names);
	suite_add_tcase(s, u);
	return unit_main(s);
}
