/* SPDX-License-Identifier: MIT
 *
 * Socket.IO on the raw wire, against sio-echo: namespaces, events, acknowledgements,
 * attachments, what comes together, what is malformed, ends.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/sio_peer.h"

/* The session is over, by a close frame. */
static void
ends(struct http_peer *p)
{
	struct span got;

	while (ws_next(p, &got) != (WS_FIN | 8))
		;
	http_hear_end(p);
	http_free(p);
}

/* ---- namespaces ---- */

START_TEST(connecting)
{
	static const struct {
		const char *frame, *answer, *event;
	} cases[] = {
	    {"40", "40", "42[\"auth\",{}]"},
	    {"40{}", "40", "42[\"auth\",{}]"},
	    {"40{\"token\":\"1 23\",\"n\":[1.50,{}]}", "40",
	     "42[\"auth\",{\"token\":\"1 23\",\"n\":[1.50,{}]}]"},
	    {"40/custom", "40/custom,", "42/custom,[\"auth\",{}]"},
	    {"40/custom,", "40/custom,", "42/custom,[\"auth\",{}]"},
	    {"40/custom,{\"token\":\"abc\"}", "40/custom,",
	     "42/custom,[\"auth\",{\"token\":\"abc\"}]"},
	};
	struct harness *h = sio_start(EIO_CALM, NULL);
	char sid[SID_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_peer *p = eio_ws(h, SOCKET, sid);

		eio_say(p, cases[i].frame);
		eio_hear_sid(p, cases[i].answer);
		eio_hear(p, cases[i].event);
		http_free(p);
	}
	harness_free(h);
}
END_TEST

START_TEST(namespaces)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	char sid[SID_SIZE];
	struct http_peer *p = eio_ws(h, SOCKET, sid);

	eio_say(p, "40/random");
	eio_hear(p, "44/random,{\"message\":\"Invalid namespace\"}");
	eio_say(p, "40/random,{\"a\":1}");
	eio_hear(p, "44/random,{\"message\":\"Invalid namespace\"}");
	sio_connect(p);
	eio_say(p, "40/custom,");
	eio_hear_sid(p, "40/custom,");
	eio_hear(p, "42/custom,[\"auth\",{}]");
	/* Again: ignored. */
	eio_say(p, "40");
	eio_say(p, "42[\"message\",1]");
	eio_hear(p, "42[\"message-back\",1]");
	/* Leaving one leaves the other, and the transport. */
	eio_say(p, "41/custom");
	eio_say(p, "42[\"message\",\"to /\"]");
	eio_hear(p, "42[\"message-back\",\"to /\"]");
	eio_say(p, "40/custom");
	eio_hear_sid(p, "40/custom,");
	eio_hear(p, "42/custom,[\"auth\",{}]");
	eio_say(p, "41");
	eio_say(p, "42/custom,[\"message\",1]");
	eio_say(p, "40");
	eio_hear_sid(p, "40");
	eio_hear(p, "42[\"auth\",{}]");
	http_free(p);
	harness_free(h);
}
END_TEST

/* After `41` the next frame is a ping. */
START_TEST(disconnecting)
{
	struct harness *h = sio_start("ping_timeout=5000", NULL);
	struct http_peer *p = sio_client(h);

	eio_say(p, "41");
	eio_hear(p, "2");
	eio_say(p, "3");
	eio_hear(p, "2");
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(nobody_connects)
{
	struct harness *h = sio_start(EIO_CALM, "connect_timeout=2000", NULL);
	char sid[SID_SIZE];
	struct http_peer *in = sio_client(h), *p = eio_ws(h, SOCKET, sid), *q;

	q = eio_client(h, SOCKET, sid);
	eio_poll(q, SOCKET, sid, 200, "1");
	eio_poll(q, SOCKET, sid, 400, NULL);
	http_free(q);
	ws_hear_close(p, 1000);
	http_free(p);
	/* One that has connected stays, although it is older. */
	eio_say(in, "42[\"message\"]");
	eio_hear(in, "42[\"message-back\"]");
	http_free(in);
	harness_free(h);
}
END_TEST

/* ---- events ---- */

static const struct {
	const char *in, *out;
} events[] = {
    {"42[\"message\",1,\"2\",{\"3\":[true]}]",
     "42[\"message-back\",1,\"2\",{\"3\":[true]}]"},
    {"42456[\"message-with-ack\",1,\"2\",{\"3\":[false]}]",
     "43456[1,\"2\",{\"3\":[false]}]"},
    {"42[\"message\"]", "42[\"message-back\"]"},
    {"420[\"message-with-ack\"]", "430[]"},
    {"429007199254740991[\"message-with-ack\",null]", "439007199254740991[null]"},
    {"42[\"message\",1.0,1e3,-0,12345678901234567890,{\"b\":1,\"a\":2,\"b\":3}]",
     "42[\"message-back\",1.0,1e3,-0,12345678901234567890,"
     "{\"b\":1,\"a\":2,\"b\":3}]"},
    {"42[\"message\",\"\\u00e9\\/\\ud83d\\ude00\\u0000\",\"\xf0\x9f\x98\x80\"]",
     "42[\"message-back\",\"\\u00e9\\/\\ud83d\\ude00\\u0000\",\"\xf0\x9f\x98\x80\"]"},
    {"42[\"mess\\u0061ge\",[[[[[[[[[[[[]]]]]]]]]]]]]",
     "42[\"message-back\",[[[[[[[[[[[[]]]]]]]]]]]]]"},
    {"42[\"message\",{\"_placeholder\":true,\"num\":0}]",
     "42[\"message-back\",{\"_placeholder\":true,\"num\":0}]"},
};
#define EVENTS (sizeof(events) / sizeof(events[0]))

START_TEST(events_websocket)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p = sio_client(h);

	for (size_t i = 0; i < EVENTS; i++) {
		eio_say(p, events[i].in);
		eio_hear(p, events[i].out);
	}
	/* Unknown ones, and acknowledgements that nobody waits for, do not harm. */
	eio_say(p, "427[\"unknown\",1]");
	eio_say(p, "437[]");
	eio_say(p, "42[\"message\",7]");
	eio_hear(p, "42[\"message-back\",7]");
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(events_polling)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p;
	char sid[SID_SIZE];

	p = sio_client_poll(h, sid);
	for (size_t i = 0; i < EVENTS; i++) {
		eio_post(p, SOCKET, sid, events[i].in, 200, "ok");
		eio_poll(p, SOCKET, sid, 200, events[i].out);
	}
	eio_post(p, SOCKET, sid,
		 "42[\"message\",1]" EIO_RS "428[\"message-with-ack\",2,3]" EIO_RS
		 "42[\"message\",4]",
		 200, "ok");
	eio_poll(p, SOCKET, sid, 200,
		 "42[\"message-back\",1]" EIO_RS "438[2,3]" EIO_RS
		 "42[\"message-back\",4]");
	http_free(p);
	harness_free(h);
}
END_TEST

/* What was sent by polling is answered on the WebSocket, in order, nothing twice. */
START_TEST(events_through_upgrade)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p, *ws;
	char sid[SID_SIZE];

	p = sio_client_poll(h, sid);
	ws = eio_probed(h, SOCKET, sid);
	eio_post(p, SOCKET, sid,
		 "42[\"message\",1,\"a\"]" EIO_RS
		 "421[\"message-with-ack\",2,\"b\"]" EIO_RS
		 "451-[\"message\",3,{\"_placeholder\":true,\"num\":0}]" EIO_RS "bAQID",
		 200, "ok");
	eio_say(ws, "5");
	eio_say(ws, "42[\"message\",4,\"d\"]");
	eio_hear(ws, "42[\"message-back\",1,\"a\"]");
	eio_hear(ws, "431[2,\"b\"]");
	eio_hear(ws, "451-[\"message-back\",3,{\"_placeholder\":true,\"num\":0}]");
	ws_hear(ws, EIO_BINARY, "\1\2\3", 3);
	eio_hear(ws, "42[\"message-back\",4,\"d\"]");
	http_free(ws);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(attachments)
{
#define PLACE0 "{\"_placeholder\":true,\"num\":0}"
#define PLACE1 "{\"_placeholder\":true,\"num\":1}"
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p = sio_client(h), *q;
	char sid[SID_SIZE];

	eio_say(p, "452-[\"message\"," PLACE0 "," PLACE1 "]");
	ws_put(p, EIO_BINARY, "\1\2\3", 3);
	ws_put(p, EIO_BINARY, "\4\5\6", 3);
	eio_hear(p, "452-[\"message-back\"," PLACE0 "," PLACE1 "]");
	ws_hear(p, EIO_BINARY, "\1\2\3", 3);
	ws_hear(p, EIO_BINARY, "\4\5\6", 3);
	eio_say(p, "452-789[\"message-with-ack\",{\"a\":[" PLACE1 "]},1," PLACE0 "]");
	ws_put(p, EIO_BINARY, "\1\2\3", 3);
	ws_put(p, EIO_BINARY, "", 0);
	eio_hear(p, "462-789[{\"a\":[" PLACE1 "]},1," PLACE0 "]");
	ws_hear(p, EIO_BINARY, "\1\2\3", 3);
	ws_hear(p, EIO_BINARY, "", 0);
	http_free(p);

	q = sio_client_poll(h, sid);
	eio_post(q, SOCKET, sid, "451-[\"message\"," PLACE0 ",true]" EIO_RS "bAQID", 200,
		 "ok");
	eio_poll(q, SOCKET, sid, 200,
		 "451-[\"message-back\"," PLACE0 ",true]" EIO_RS "bAQID");
	/* In two posts. */
	eio_post(q, SOCKET, sid, "451-5[\"message-with-ack\"," PLACE0 "]", 200, "ok");
	eio_post(q, SOCKET, sid, "bBAUG", 200, "ok");
	eio_poll(q, SOCKET, sid, 200, "461-5[" PLACE0 "]" EIO_RS "bBAUG");
	http_free(q);
	harness_free(h);
}
END_TEST

/* One picture for several, to both kinds of transport. */
START_TEST(to_everybody)
{
	enum { SIZE = 300000, CLIENTS = 4 };
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p[CLIENTS], *q;
	char sid[SID_SIZE];
	uint8_t *big = calloc(1, SIZE);

	ck_assert_ptr_nonnull(big);
	memset(big, 0xa5, SIZE);
	q = sio_client_poll(h, sid);
	for (int i = 0; i < CLIENTS; i++)
		p[i] = sio_client(h);
	eio_say(p[0], "451-[\"everybody\",\"x\"," PLACE0 "]");
	ws_put(p[0], EIO_BINARY, big, SIZE);
	for (int i = 0; i < CLIENTS; i++) {
		size_t n = 0;

		eio_hear(p[i], "451-[\"to-everybody\",\"x\"," PLACE0 "]");
		while (n < SIZE) {
			struct span part;

			(void)ws_next(p[i], &part);
			ck_assert(memcmp(part.p, big + n, part.len) == 0);
			n += part.len;
		}
		ck_assert_uint_eq(n, SIZE);
		http_free(p[i]);
	}
	eio_poll(q, SOCKET, sid, 200, NULL);
	ck_assert_uint_eq(q->body.len, strlen("451-[\"to-everybody\",\"x\"," PLACE0 "]") +
					   2 + SIZE / 3 * 4);
	free(big);
	http_free(q);
	harness_free(h);
}
END_TEST

/* ---- what comes together ---- */

#define GATHER   "42[\"gather\"]"
#define GATHERED "42[\"gathered\",%u]"

/* Text frames in one write, NULL at the end. */
static void
say_at_once(struct http_peer *p, const char *const *frames)
{
	struct buf out = BUF_INIT(65536);

	for (; *frames != NULL; frames++)
		ws_frame(&out, EIO_TEXT, *frames, strlen(*frames));
	http_send(p, buf_span(&out));
	buf_free(&out);
}

static void
hear_gathered(struct http_peer *p, unsigned n)
{
	char want[64];

	snprintf(want, sizeof(want), GATHERED, n);
	eio_hear(p, want);
}

START_TEST(gathered_websocket)
{
	/* How many are heard of, and with which code it ends then (0: it does not). */
	static const struct {
		const char *frames[6];
		unsigned gathered, code;
	} cases[] = {
	    {{GATHER}, 1, 0},
	    {{GATHER, GATHER, GATHER, "3", GATHER}, 4, 0}, /* a pong is none of it */
	    {{GATHER, GATHER, "1"}, 2, 1000},              /* Engine.IO's close */
	    {{GATHER, GATHER, "41"}, 2, 0},
	    {{GATHER, GATHER, "9"}, 2, 1002},     /* no packet of Engine.IO, */
	    {{GATHER, GATHER, "4x"}, 2, 1002},    /* of Socket.IO, */
	    {{GATHER, GATHER, "4\xff"}, 2, 1007}, /* no text */
	    {{GATHER, "42[\"end\"]"}, 0, 1001},   /* too late to say anything */
	};
	struct harness *h = sio_start(EIO_CALM, NULL);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_peer *p = sio_client(h);

		say_at_once(p, cases[i].frames);
		if (cases[i].gathered > 0)
			hear_gathered(p, cases[i].gathered);
		if (cases[i].code != 0)
			ws_hear_close(p, cases[i].code);
		http_free(p);
	}
	harness_free(h);
}
END_TEST

/* What is not one small frame is dealt with on the way, and loses nothing. */
START_TEST(gathered_among_frames)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p = sio_client(h);
	struct buf out = BUF_INIT(65536);
	char large[20000];

	snprintf(large, sizeof(large), "42[\"gather\",\"%0*d\"]", (int)sizeof(large) - 20,
		 0);
	ws_frame(&out, EIO_TEXT, GATHER, strlen(GATHER));
	ws_frame(&out, WS_FIN | 9, "x", 1);
	ws_frame(&out, EIO_TEXT, GATHER, strlen(GATHER));
	ws_frame(&out, 1, GATHER, 4);
	ws_frame(&out, WS_FIN, &GATHER[4], strlen(GATHER) - 4);
	ws_frame(&out, EIO_TEXT, GATHER, strlen(GATHER));
	http_send(p, buf_span(&out));
	/* The ping, and the fragments, are a moment at which nothing else is there. */
	hear_gathered(p, 1);
	ws_hear(p, WS_FIN | 10, "x", 1);
	hear_gathered(p, 1);
	hear_gathered(p, 2);
	eio_say(p, large);
	hear_gathered(p, 1);
	/* The half of a frame holds up nothing that came before it. */
	out.len = 0;
	ws_frame(&out, EIO_TEXT, GATHER, strlen(GATHER));
	ws_frame(&out, EIO_TEXT, GATHER, strlen(GATHER));
	http_send(p, span_of(out.p, out.len - 5));
	hear_gathered(p, 1);
	http_send(p, span_of(out.p + out.len - 5, 5));
	hear_gathered(p, 1);
	buf_free(&out);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(gathered_polling)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	char sid[SID_SIZE];
	struct http_peer *p = sio_client_poll(h, sid), *ws;

	eio_post(p, SOCKET, sid, GATHER, 200, "ok");
	eio_poll(p, SOCKET, sid, 200, "42[\"gathered\",1]");
	eio_post(p, SOCKET, sid, GATHER EIO_RS GATHER EIO_RS GATHER, 200, "ok");
	eio_poll(p, SOCKET, sid, 200, "42[\"gathered\",3]");
	/* Nothing is left over for the connection that is next to carry it. */
	eio_post(p, SOCKET, sid, GATHER EIO_RS GATHER, 200, "ok");
	ws = eio_probed(h, SOCKET, sid);
	say_at_once(ws, (const char *const[]){"5", GATHER, NULL});
	hear_gathered(ws, 2);
	hear_gathered(ws, 1);
	http_free(ws);
	http_free(p);
	harness_free(h);
}
END_TEST

/* ---- what is malformed ---- */

static const char *const malformed[] = {
    "4abc",
    "4",
    "47[\"x\"]",
    "42",
    "42{}",
    "42\"message\"",
    "42[]",
    "42[1]",
    "42[null,\"message\"]",
    "42[\"message\"",
    "42[\"message\",]",
    "42[\"message\",1] ]",
    "42[\"message\"]x",
    "42[\"message\" 1]",
    "42[\"message\",01]",
    "42[\"message\",{a:1}]",
    "42[\"message\",\"\\x\"]",
    "42[\"message\",\"\\ud83d\"]",
    "42[\"message\",\"a\nb\"]",
    "42abc[\"message-with-ack\",1]",
    "4299999999999999999999[\"message-with-ack\"]",
    "42[\"connect\"]",
    "42[\"connect_error\"]",
    "42[\"disconnect\"]",
    "42[\"disconnecting\"]",
    "42[\"newListener\"]",
    "42[\"removeListener\"]",
    "42[\"dis\\u0063onnect\"]",
    "42/custom,[\"message\"]",
    "42/random,[\"message\"]",
    "43[]",
    "431{}",
    "44{\"message\":\"x\"}",
    "45[\"message\"]",
    "45-[\"message\"]",
    "4511-[\"message\"]",
    "451-[\"message\",{\"_placeholder\":true,\"num\":1}]",
    "451-[\"message\",{\"_placeholder\":true,\"num\":-1}]",
    "451-[\"message\",{\"_placeholder\":true}]",
    "451-[\"message\",[{\"x\":{\"num\":\"0\",\"_placeholder\":true}}]]",
    "4111",
    "40[]",
    "40{\"a\":}",
};

START_TEST(malformed_packets)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *q = http_connect(h);
	char sid[SID_SIZE];

	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		struct http_peer *p = sio_client(h);

		eio_say(p, malformed[i]);
		ws_hear_close(p, 1002);
		http_free(p);
	}
	/* By polling: the session is gone. */
	for (size_t i = 0; i < 3; i++) {
		eio_open(q, SOCKET, sid);
		sio_connect_poll(q, sid);
		eio_ask_post(q, SOCKET, sid, malformed[i]);
		http_read(q, false);
		eio_poll(q, SOCKET, sid, 400, NULL);
	}
	http_free(q);
	harness_free(h);
}
END_TEST

START_TEST(wrong_order)
{
	static const char *const before[] = {"4abc", "42[\"message\"]", "41", "431[]",
					     "451-[\"message\"]"};
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p;
	char sid[SID_SIZE];

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		p = eio_ws(h, SOCKET, sid);
		eio_say(p, before[i]);
		ends(p);
	}
	/* A binary frame that nothing announced; text where one is awaited. */
	p = sio_client(h);
	ws_put(p, EIO_BINARY, "\1", 1);
	ends(p);
	p = sio_client(h);
	eio_say(p, "451-[\"message\"," PLACE0 "]");
	eio_say(p, "42[\"message\"]");
	ends(p);
	p = sio_client(h);
	eio_say(p, "451-[\"message\"," PLACE0 "]");
	ws_put(p, EIO_BINARY, "\1", 1);
	eio_hear(p, "451-[\"message-back\"," PLACE0 "]");
	ws_hear(p, EIO_BINARY, "\1", 1);
	ws_put(p, EIO_BINARY, "\1", 1);
	ends(p);
	harness_free(h);
}
END_TEST

/* ---- ends ---- */

START_TEST(server_ends)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p = sio_client(h), *q;
	char sid[SID_SIZE];

	eio_say(p, "42[\"leave\"]");
	eio_hear(p, "41");
	eio_say(p, "40");
	eio_hear_sid(p, "40");
	eio_hear(p, "42[\"auth\",{}]");
	eio_say(p, "42[\"message\",1]");
	eio_say(p, "42[\"end\"]");
	eio_hear(p, "42[\"message-back\",1]");
	ws_hear_close(p, 1001);
	http_free(p);
	p = sio_client(h);
	eio_say(p, "42[\"end-for-good\"]");
	eio_hear(p, "41");
	ws_hear_close(p, 1008);
	http_free(p);

	p = http_connect(h);
	q = sio_client_poll(h, sid);
	eio_ask_poll(q, SOCKET, sid);
	eio_post(p, SOCKET, sid, "42[\"end\"]", 200, "ok");
	http_hear(q, 200, "1");
	eio_poll(q, SOCKET, sid, 400, NULL);
	/* Without a poll that waits, the next ones are told. */
	eio_open(q, SOCKET, sid);
	sio_connect_poll(q, sid);
	eio_post(q, SOCKET, sid, "42[\"message\",1]" EIO_RS "42[\"end-for-good\"]", 200,
		 "ok");
	eio_post(p, SOCKET, sid, "42[\"message\",2]", 200, "ok"); /* in vain */
	eio_poll(q, SOCKET, sid, 200, "42[\"message-back\",1]" EIO_RS "41");
	eio_poll(q, SOCKET, sid, 200, "1");
	eio_poll(q, SOCKET, sid, 400, NULL);
	http_free(q);
	http_free(p);
	harness_free(h);
}
END_TEST

/* A client that is on its way to a WebSocket hears of the end when it has arrived. */
START_TEST(ends_during_upgrade)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p, *ws;
	char sid[SID_SIZE];

	p = sio_client_poll(h, sid);
	ws = eio_probed(h, SOCKET, sid);
	eio_post(p, SOCKET, sid, "42[\"end-for-good\"]", 200, "ok");
	eio_say(ws, "5");
	eio_hear(ws, "41");
	ws_hear_close(ws, 1008);
	http_free(ws);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(comes_back)
{
	struct harness *h = sio_start(EIO_CALM, NULL);

	for (int i = 0; i < 40; i++) {
		struct http_peer *p = sio_client(h);

		eio_say(p, i % 3 == 0 ? "1" : "42[\"message\",1]");
		if (i % 3 == 1)
			eio_hear(p, "42[\"message-back\",1]");
		http_free(p);
	}
	harness_free(h); /* and stops at once, with nothing left */
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("socketio");
	TCase *tc = harness_case(suite, "socketio");

	tcase_add_test(tc, connecting);
	tcase_add_test(tc, namespaces);
	tcase_add_test(tc, disconnecting);
	tcase_add_test(tc, nobody_connects);
	tcase_add_test(tc, events_websocket);
	tcase_add_test(tc, events_polling);
	tcase_add_test(tc, events_through_upgrade);
	tcase_add_test(tc, attachments);
	tcase_add_test(tc, to_everybody);
	tcase_add_test(tc, gathered_websocket);
	tcase_add_test(tc, gathered_among_frames);
	tcase_add_test(tc, gathered_polling);
	tcase_add_test(tc, malformed_packets);
	tcase_add_test(tc, wrong_order);
	tcase_add_test(tc, server_ends);
	tcase_add_test(tc, ends_during_upgrade);
	tcase_add_test(tc, comes_back);
	return harness_main(suite);
}
