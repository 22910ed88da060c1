/* SPDX-License-Identifier: MIT
 *
 * The web page in headless Chromium over TLS, with the certificate that the server made
 * for itself (page/secure.mjs).
 */
#include "tests/system/page_play.h"

START_TEST(over_tls)
{
	page_play("tests/system/page/secure.mjs");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("page_tls");
	TCase *tc = harness_case(suite, "page_tls");

	tcase_set_timeout(tc, 280);
	tcase_add_test(tc, over_tls);
	return harness_main(suite);
}
