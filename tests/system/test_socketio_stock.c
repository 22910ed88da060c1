/* SPDX-License-Identifier: MIT
 *
 * The stock client of Socket.IO (socket.io-client from npm, under Node) against sio-echo.
 */
#include "tests/system/node_play.h"
#include "tests/system/sio_peer.h"

START_TEST(stock_client)
{
	struct harness *h;

	if (!node_has("socket.io-client"))
		return;
	h = sio_start("ping_timeout=3000", NULL); /* a busy machine is no end */
	node_play(h, "tests/system/sio_stock.mjs", NULL, NULL);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("socketio_stock");
	TCase *tc = harness_case(suite, "socketio_stock");

	tcase_set_timeout(tc, 90);
	tcase_add_test(tc, stock_client);
	return harness_main(suite);
}
