/* SPDX-License-Identifier: MIT
 *
 * The web page in headless Chromium (page/drive.mjs): people register, post, chat, send
 * pictures, go and come back, by mouse and by keyboard alone, on a phone and in the dark,
 * with a server that restarts and with somebody at a terminal.  Pictures of what they saw
 * stay in BUILD/screenshots.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/board_pictures.h"
#include "tests/system/node_play.h"

/* Where it is; false, after saying so: nowhere. */
static bool
find_chromium(char out[256])
{
	FILE *found = popen("command -v chromium || command -v chromium-browser", "r");
	bool there;

	ck_assert_ptr_nonnull(found);
	there = fgets(out, 256, found) != NULL;
	pclose(found);
	out[there ? strcspn(out, "\n") : 0] = '\0';
	if (!there)
		printf("skipped: no chromium (make deps)\n");
	return there;
}

START_TEST(in_a_browser)
{
	char picture[HARNESS_PATH + 16], shots[HARNESS_PATH], chromium[256];
	struct harness *h;

	if (!node_has("playwright-core") || !find_chromium(chromium))
		return;
	h = harness_start(NULL);
	harness_write(h, "../picture.png", picture_of(0)->bytes);
	snprintf(picture, sizeof(picture), "%s/picture.png", h->dir);
	snprintf(shots, sizeof(shots), "%s/screenshots", getenv("QUINTET_BUILD"));
	node_play(h, "tests/system/page/drive.mjs", shots, picture, chromium, NULL);
	harness_admin(h, "check", NULL);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("page");
	TCase *tc = harness_case(suite, "page");

	tcase_set_timeout(tc, 170);
	tcase_add_test(tc, in_a_browser);
	return harness_main(suite);
}
