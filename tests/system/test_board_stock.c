/* SPDX-License-Identifier: MIT
 *
 * board by the stock client of Socket.IO (socket.io-client from npm, under Node), with
 * default options and over each transport alone.
 */
#include <stdio.h>

#include "tests/system/board_pictures.h"
#include "tests/system/node_play.h"

START_TEST(stock_client)
{
	char picture[HARNESS_PATH + 16];
	struct harness *h;

	if (!node_has("socket.io-client"))
		return;
	h = harness_start(NULL);
	harness_write(h, "../picture.png", picture_of(0)->bytes);
	snprintf(picture, sizeof(picture), "%s/picture.png", h->dir);
	node_play(h, "tests/system/board_stock.mjs", picture, NULL);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_stock");
	TCase *tc = harness_case(suite, "board_stock");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, stock_client);
	return harness_main(suite);
}
