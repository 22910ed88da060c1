/* SPDX-License-Identifier: MIT
 *
 * Engine.IO on the raw wire, against sio-echo: from polling to a WebSocket.
 */
#include <unistd.h>

#include "tests/system/sio_peer.h"

START_TEST(upgrade)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p, *ws, *second;
	char sid[SID_SIZE];

	p = eio_client(h, ENGINE, sid);
	eio_ask_poll(p, ENGINE, sid);
	ws = eio_probed(h, ENGINE, sid);
	http_hear(p, 200, "6");
	eio_poll(p, ENGINE, sid, 200, "6");
	/* Polling carries what comes meanwhile. */
	eio_post(p, ENGINE, sid, "4before", 200, "ok");
	eio_poll(p, ENGINE, sid, 200, "4before");
	eio_post(p, ENGINE, sid, "4between", 200, "ok");
	eio_say(ws, "5");
	eio_hear(ws, "4between");
	eio_say(ws, "4behind");
	eio_hear(ws, "4behind");
	eio_poll(p, ENGINE, sid, 400, EIO_SAYS_BAD);
	second = eio_ws_for(h, ENGINE, sid);
	ws_hear_close(second, 1000);
	http_free(second);
	eio_say(ws, "4still here");
	eio_hear(ws, "4still here");
	http_free(ws);
	http_free(p);
	harness_free(h);
}
END_TEST

/* Everything at once; what must not happen would, now and then. */
START_TEST(hasty_upgrade)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p = http_connect(h);
	char sid[SID_SIZE];

	for (int i = 0; i < 30; i++) {
		struct http_peer *q = http_connect(h), *ws, *second;

		eio_open(p, ENGINE, sid);
		ws = eio_ws_for(h, ENGINE, sid);
		eio_say(ws, "2probe");
		eio_say(ws, "5");
		if (i % 2 == 0) {
			eio_poll(q, ENGINE, sid, 400, EIO_SAYS_BAD);
		} else {
			second = eio_ws_for(h, ENGINE, sid);
			ws_hear_close(second, 1000);
			http_free(second);
		}
		eio_hear(ws, "3probe");
		eio_say(ws, "4x");
		eio_hear(ws, "4x");
		http_free(ws);
		http_free(q);
	}
	http_free(p);
	harness_free(h);
}
END_TEST

/* A client that has waited for 3probe, and for longer than a poll that was there before
 * would be kept, says `5` and polls: that poll is never too early. */
START_TEST(poll_behind_upgrade)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p = http_connect(h);
	char sid[SID_SIZE];

	for (int i = 0; i < 20; i++) {
		struct http_peer *ws;

		eio_open(p, ENGINE, sid);
		ws = eio_probed(h, ENGINE, sid);
		usleep(25000);
		/* As if the poll had overtaken it. */
		if (i % 2 == 0)
			eio_ask_poll(p, ENGINE, sid);
		eio_say(ws, "5");
		if (i % 2 != 0)
			eio_ask_poll(p, ENGINE, sid);
		http_hear(p, 400, EIO_SAYS_BAD);
		eio_say(ws, "4x");
		eio_hear(ws, "4x");
		http_free(ws);
	}
	http_free(p);
	harness_free(h);
}
END_TEST

/* A WebSocket that does not come to its end leaves polling as it was. */
START_TEST(failed_upgrades)
{
	struct harness *h = sio_start(EIO_CALM, NULL);
	struct http_peer *p, *ws;
	char sid[SID_SIZE];

	p = eio_client(h, ENGINE, sid);
	ws = eio_ws_for(h, ENGINE, sid);
	eio_say(ws, "4not a probe");
	ws_hear_close(ws, 1002);
	http_free(ws);
	ws = eio_probed(h, ENGINE, sid);
	eio_say(ws, "4too early");
	ws_hear_close(ws, 1002);
	http_free(ws);
	ws = eio_probed(h, ENGINE, sid);
	http_free(ws);
	eio_post(p, ENGINE, sid, "4still here", 200, "ok");
	eio_poll(p, ENGINE, sid, 200, "4still here");
	/* And another one succeeds, when it is known that this one is gone. */
	for (int64_t until = harness_deadline(HARNESS_WAIT);;) {
		struct span answer;

		ws = eio_ws_for(h, ENGINE, sid);
		eio_say(ws, "2probe");
		if (ws_next(ws, &answer) == EIO_TEXT)
			break;
		http_free(ws);
		harness_nap(until, "the next upgrade succeeds");
	}
	eio_say(ws, "5");
	eio_say(ws, "4x");
	eio_hear(ws, "4x");
	http_free(ws);
	http_free(p);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("engineio_upgrade");
	TCase *tc = harness_case(suite, "engineio_upgrade");

	tcase_add_test(tc, upgrade);
	tcase_add_test(tc, hasty_upgrade);
	tcase_add_test(tc, poll_behind_upgrade);
	tcase_add_test(tc, failed_upgrades);
	return harness_main(suite);
}
