/* SPDX-License-Identifier: MIT
 *
 * What the web page knows, without a browser: web_model.mjs, under Node.
 */
#include "tests/system/node_play.h"

START_TEST(models)
{
	struct harness *h;

	if (!node_has("socket.io-client"))
		return;
	h = harness_new(); /* it plays the server itself */
	node_play(h, "tests/system/web_model.mjs", NULL, NULL);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("web_model");

	tcase_add_test(harness_case(suite, "web_model"), models);
	return harness_main(suite);
}
