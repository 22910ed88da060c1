/* SPDX-License-Identifier: MIT
 *
 * WebSocket: the codec, sending in place, pings and silence, budgets.  (The rules of
 * RFC 6455 are in tests/system/test_websocket.c.)
 */
#include "server/http/ws.h"

#include "tests/unit/core.h"

#define KEY "\0\0\0\0"

/* ---- codec ---- */

START_TEST(headers_round_trip)
{
	static const uint64_t lengths[] = {0,     1,     125,   126,      127,
					   65535, 65536, 70000, 1u << 31, INT64_MAX};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint8_t at[WS_HEADER_MAX];
		size_t n = ws_header_put(at, WS_BINARY, lengths[i]);
		struct ws_header h;

		ck_assert_uint_eq(n, ws_header_size(lengths[i]));
		for (size_t k = 0; k < n; k++)
			ck_assert_int_eq(ws_header_parse(span_of(at, k), &h), Q_SHORT);
		ck_assert_int_eq(ws_header_parse(span_of(at, n), &h), Q_OK);
		ck_assert(h.fin && h.opcode == WS_BINARY && !h.masked && h.size == n);
		ck_assert_uint_eq(h.length, lengths[i]);
	}
}
END_TEST

START_TEST(masks)
{
	static const uint8_t key[4] = {1, 20, 50, 200};
	uint8_t whole[100], pieces[100];

	for (size_t i = 0; i < 100; i++)
		whole[i] = pieces[i] = (uint8_t)(3 * i);
	ws_mask(whole, 100, key, 0);
	for (size_t i = 0; i < 100; i++)
		ck_assert_uint_eq(whole[i], (uint8_t)(3 * i) ^ key[i % 4]);
	for (size_t at = 0, n = 0; at < 100; at += n, n = n % 13 + 1)
		ws_mask(pieces + at, n < 100 - at ? n : 100 - at, key, at);
	ck_assert_mem_eq(pieces, whole, 100);
}
END_TEST

START_TEST(close_payloads)
{
	uint8_t out[WS_CONTROL_MAX];
	struct span reason;
	char text[200];
	unsigned code;

	ck_assert_uint_eq(ws_close_put(out, WS_CODE_NONE, span_str("x")), 0);
	/* Cut at a whole character: 41 of 3 bytes are the 123 that fit. */
	for (int i = 0; i < 60; i++)
		memcpy(text + 3 * i, "\u20ac", 3);
	ck_assert_uint_eq(ws_close_put(out, WS_CODE_POLICY, span_of(text, 180)), 125);
	ck_assert_int_eq(ws_close_parse(span_of(out, 125), &code, &reason), Q_OK);
	ck_assert_uint_eq(code, 1008);
	text[0] = 'a';
	text[1] = 'b';
	text[2] = 'c';
	text[3] = 'd';
	ck_assert_uint_eq(ws_close_put(out, WS_CODE_POLICY, span_of(text, 3)), 5);
}
END_TEST

/* ---- over a session ---- */

static struct session *s;
static struct ws ws;
static int peer;

static void
setup(void)
{
	core_start();
	s = core_session(&peer);
	session_adopt(s);
}

static void
teardown(void)
{
	session_end(s, GOODBYE_SELF, NULL);
	session_deadline(s, 0);
	outbox_flush_touched();
	session_adopt(NULL);
	session_unref(s);
	close(peer);
	core_stop();
}

static void
say(const void *p, size_t n)
{
	ck_assert_int_eq(write(peer, p, n), (ssize_t)n);
}

static void
expect(const void *p, size_t n)
{
	uint8_t got[512];

	ck_assert_uint_le(n, sizeof(got));
	core_read(peer, got, n);
	ck_assert_mem_eq(got, p, n);
}

START_TEST(rendered_in_place)
{
	struct ws_place place;
	uint8_t big[200];

	/* What became as long as was reserved, and what became shorter. */
	lock_take(&s->out.lock);
	ck_assert_int_eq(ws_reserve_locked(s, OUTBOX_DATA, 5, &place), Q_OK);
	memcpy(place.payload, "hello", 5);
	ws_commit_locked(s, WS_TEXT, &place, 5);
	ck_assert_int_eq(ws_reserve_locked(s, OUTBOX_DATA, 70000, &place), Q_OK);
	memcpy(place.payload, "short", 5);
	ws_commit_locked(s, WS_TEXT, &place, 5);
	ck_assert_int_eq(ws_reserve_locked(s, OUTBOX_DATA, 70000, &place), Q_OK);
	memset(place.payload, 'm', 200);
	ws_commit_locked(s, WS_BINARY, &place, 200);
	/* And what was left again. */
	ck_assert_int_eq(ws_reserve_locked(s, OUTBOX_DATA, 10, &place), Q_OK);
	lock_drop(&s->out.lock);
	ck_assert_int_eq(ws_send(s, OUTBOX_DATA, WS_TEXT, span_str("")), Q_OK);
	outbox_flush_touched();
	expect("\x81\x05hello\x81\x05short\x82\x7e\x00\xc8", 18);
	memset(big, 'm', sizeof(big));
	expect(big, 200);
	expect("\x81\x00", 2);
}
END_TEST

START_TEST(farewells)
{
	static const struct {
		enum goodbye why;
		unsigned code;
	} cases[] = {
	    {GOODBYE_REPLACED, 1008}, {GOODBYE_KICKED, 1008}, {GOODBYE_SHUTDOWN, 1001},
	    {GOODBYE_ERROR, 1002},    {GOODBYE_SLOW, 1001},   {GOODBYE_REMOVED, 1008},
	};
	uint8_t want[6] = {
	    0x88, 4, (uint8_t)(cases[_i].code >> 8), (uint8_t)cases[_i].code, 'h', 'i'};

	ws_goodbye(s, cases[_i].why, "hi");
	/* Nothing comes behind a close. */
	ck_assert_int_eq(ws_send(s, OUTBOX_CONTROL, WS_TEXT, span_str("x")), Q_CLOSED);
	ws_end(s, WS_CODE_NORMAL, NULL);
	expect(want, sizeof(want));
	ck_assert(core_silent(peer));
}
END_TEST

START_TEST(pings_and_silence)
{
	const struct ws_options options = {
	    .max_message = 100, .ping_ms = 30, .silence_ms = 400};
	struct ws_message m;

	ws_init(&ws, s, &options);
	expect("\x89\x00\x89\x00", 4);
	say("\x8a\x80" KEY "\x81\x81" KEY "a", 13);
	ck_assert_int_eq(ws_read(&ws, &m), Q_OK);
	ck_assert(span_eq(m.payload, span_str("a")));
	/* Nothing more comes: 1001, and the worker comes out of its read. */
	ck_assert_int_eq(ws_read(&ws, &m), Q_CLOSED);
	ws_fini(&ws);
	for (uint8_t c[2]; core_read(peer, c, 2), c[0] != 0x88;)
		ck_assert_uint_eq(c[0], 0x89);
	expect("\x03\xe9", 2);
}
END_TEST

START_TEST(deadline_of_the_protocol)
{
	const struct ws_options options = {.max_message = 100};
	struct ws_message m;

	ws_init(&ws, s, &options);
	ws_deadline(&ws, clock_mono_ms() + 50);
	ck_assert_int_eq(ws_read(&ws, &m), Q_TIMEOUT);
	ws_fini(&ws);
	expect("\x88\x0a\x03\xf0too slow", 12);
}
END_TEST

START_TEST(limit_changes)
{
	const struct ws_options options = {.max_message = 2};
	struct ws_message m;

	ws_init(&ws, s, &options);
	say("\x81\x82" KEY "ab", 8);
	ck_assert_int_eq(ws_read(&ws, &m), Q_OK);
	ws_limit(&ws, 5);
	say("\x81\x85" KEY "abcde", 11);
	ck_assert_int_eq(ws_read(&ws, &m), Q_OK);
	say("\x81\x86", 2);
	say(KEY, 4);
	ck_assert_int_eq(ws_read(&ws, &m), Q_LIMIT);
	ws_fini(&ws);
}
END_TEST

/* What has come already is given out without waiting; all else is left for ws_read. */
START_TEST(more_that_is_here)
{
	const struct ws_options options = {.max_message = 5};
	struct ws_message m;

	ws_init(&ws, s, &options);
	ck_assert_int_eq(ws_more(&ws, &m), Q_MISSING);
	say("\x81\x81" KEY "a\x82\x82\1\1\1\1cc\x81\x80" KEY, 21);
	ck_assert_int_eq(ws_read(&ws, &m), Q_OK);
	ck_assert_int_eq(ws_more(&ws, &m), Q_OK);
	ck_assert_int_eq(m.opcode, WS_BINARY);
	ck_assert(span_eq(m.payload, span_str("bb")));
	ck_assert_int_eq(ws_more(&ws, &m), Q_OK);
	ck_assert(m.opcode == WS_TEXT && m.payload.len == 0);
	ck_assert_int_eq(ws_more(&ws, &m), Q_MISSING);

	/* Half a frame; a ping; a fragment: it is whole before ws_more goes on. */
	say("\x81\x81" KEY "a\x81\x82" KEY "b", 14);
	ck_assert_int_eq(ws_read(&ws, &m), Q_OK);
	ck_assert_int_eq(ws_more(&ws, &m), Q_MISSING);
	say("c\x89\x80" KEY "\x01\x81" KEY "d\x80\x81" KEY "e\x81\x81" KEY "f", 28);
	ck_assert_int_eq(ws_read(&ws, &m), Q_OK);
	ck_assert(span_eq(m.payload, span_str("bc")));
	ck_assert_int_eq(ws_more(&ws, &m), Q_MISSING);
	ck_assert_int_eq(ws_read(&ws, &m), Q_OK);
	ck_assert(span_eq(m.payload, span_str("de")));
	outbox_flush_touched();
	expect("\x8a\x00", 2);
	ck_assert_int_eq(ws_more(&ws, &m), Q_OK);
	ck_assert(span_eq(m.payload, span_str("f")));
	ws_fini(&ws);
}
END_TEST

/* It ends nothing: what is wrong is found by ws_read, and said as always. */
START_TEST(more_that_is_wrong)
{
	static const struct {
		const char *frame;
		size_t len;
		enum qerr e;
		unsigned code;
	} cases[] = {
	    {"\x81\x82\1\2\3\4\xfe\xfe", 8, Q_FORMAT, 1007},
	    {"\x81\x01x", 3, Q_FORMAT, 1002},
	    {"\x80\x81" KEY "x", 7, Q_FORMAT, 1002},
	    {"\x83\x81" KEY "x", 7, Q_FORMAT, 1002},
	    {"\x81\x86" KEY "xxxxxx", 12, Q_LIMIT, 1009},
	    {"\x88\x82" KEY "\x03\xe8", 8, Q_CLOSED, 1000},
	};
	const struct ws_options options = {.max_message = 5};
	struct ws_message m;
	uint8_t head[4];

	ws_init(&ws, s, &options);
	say("\x81\x81" KEY "a", 7);
	say(cases[_i].frame, cases[_i].len);
	ck_assert_int_eq(ws_read(&ws, &m), Q_OK);
	ck_assert_int_eq(ws_more(&ws, &m), Q_MISSING);
	ck_assert(!session_ended(s));
	ck_assert_int_eq(ws_read(&ws, &m), cases[_i].e);
	core_read(peer, head, sizeof(head));
	ck_assert_uint_eq(head[0], 0x88);
	ck_assert_uint_eq((unsigned)head[2] << 8 | head[3], cases[_i].code);
	/* Nor does it give out anything once the session is over. */
	ck_assert_int_eq(ws_more(&ws, &m), Q_MISSING);
	ws_fini(&ws);
}
END_TEST

START_TEST(large_messages_count)
{
	struct budget *b;
	struct ws_options options = {.max_message = 1000, .budget_above = 100};
	static uint8_t frame[4 + 4 + 300] = {0x82, 0xfe, 0x01, 0x2c};
	struct ws_message m;

	ck_assert_int_eq(budget_new(1500, &b), Q_OK);
	options.budget = b;
	ws_init(&ws, s, &options);
	say("\x82\x81" KEY "a", 7); /* a small one does not */
	ck_assert_int_eq(ws_read(&ws, &m), Q_OK);
	ck_assert_uint_eq(budget_held(b), 0);
	say(frame, sizeof(frame));
	ck_assert_int_eq(ws_read(&ws, &m), Q_OK);
	ck_assert_uint_eq(m.payload.len, 300);
	ck_assert_uint_eq(budget_held(b), 300); /* for as long as it is looked at */
	/* In fragments: nobody knows how large it becomes, so all at once. */
	frame[0] = 0x02;
	say(frame, sizeof(frame));
	frame[0] = 0x80;
	say(frame, sizeof(frame));
	frame[0] = 0x82;
	ck_assert_int_eq(ws_read(&ws, &m), Q_OK);
	ck_assert_uint_eq(m.payload.len, 600);
	ck_assert_uint_eq(budget_held(b), 1000);
	ws_fini(&ws);
	ck_assert_uint_eq(budget_held(b), 0);
	budget_free(b);
}
END_TEST

/* An idle session keeps no buffer. */
START_TEST(idle_is_small)
{
	const struct ws_options options = {.max_message = 1000};
	static uint8_t frame[4 + 4 + 300] = {0x02, 0xfe, 0x01, 0x2c};
	struct ws_message m;

	ck_assert_uint_le(sizeof(struct ws), 384);
	ws_init(&ws, s, &options);
	say(frame, sizeof(frame));
	frame[0] = 0x80;
	say(frame, sizeof(frame));
	ck_assert_int_eq(ws_read(&ws, &m), Q_OK);
	ck_assert_uint_eq(m.payload.len, 600);
	session_deadline(s, clock_mono_ms() + 50);
	ck_assert_int_eq(ws_read(&ws, &m), Q_TIMEOUT);
	ck_assert_ptr_null(ws.message.p);
	ck_assert_ptr_null(s->in.p);
	ws_fini(&ws);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ws");
	TCase *c = tcase_create("codec");

	tcase_add_test(c, headers_round_trip);
	tcase_add_test(c, masks);
	tcase_add_test(c, close_payloads);
	suite_add_tcase(suite, c);
	c = tcase_create("session");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, rendered_in_place);
	tcase_add_loop_test(c, farewells, 0, 6);
	tcase_add_test(c, pings_and_silence);
	tcase_add_test(c, deadline_of_the_protocol);
	tcase_add_test(c, limit_changes);
	tcase_add_test(c, more_that_is_here);
	tcase_add_loop_test(c, more_that_is_wrong, 0, 6);
	tcase_add_test(c, large_messages_count);
	tcase_add_test(c, idle_is_small);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
