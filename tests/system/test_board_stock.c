/* SPDX-License-Identifier: MIT
 *
 * board by the stock client of Socket.IO (socket.io-client from npm, under Node), with
 * default options and over each transport alone; over TLS, and standing still.
 */
#include <stdio.h>

#include "tests/system/board_pictures.h"
#include "tests/system/node_play.h"

/* What the client does, over TLS or not.  A hasty server soon takes it for gone. */
static void
play(const char *acts, bool over_tls, bool hasty)
{
	char picture[HARNESS_PATH + 16], ca[HARNESS_PATH + 16];
	struct harness *h;

	if (!node_has("socket.io-client"))
		return;
	h = hasty ? harness_start("board.ping_interval=1s", "board.ping_timeout=3s", NULL)
		  : harness_start(NULL);
	harness_write(h, "../picture.png", picture_of(0)->bytes);
	snprintf(picture, sizeof(picture), "%s/picture.png", h->dir);
	snprintf(ca, sizeof(ca), "%s/server/ca.pem", h->data);
	node_play(h, "tests/system/board_stock.mjs", picture, acts, over_tls ? ca : NULL,
		  NULL);
	harness_free(h);
}

START_TEST(stock_client)
{
	play("talks,restarts,crashes,kicks", false, false);
}
END_TEST

START_TEST(stock_client_tls)
{
	play("talks,restarts", true, false);
}
END_TEST

/* Past both of the times that a client has to answer. */
START_TEST(stock_client_frozen)
{
	play("freezes", false, true);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_stock");
	TCase *tc = harness_case(suite, "board_stock");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, stock_client);
	tcase_add_test(tc, stock_client_tls);
	tcase_add_test(tc, stock_client_frozen);
	return harness_main(suite);
}
