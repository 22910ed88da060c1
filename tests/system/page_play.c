/* SPDX-License-Identifier: MIT */
#include "tests/system/page_play.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/board_pictures.h"

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

void
page_play(const char *script)
{
	char picture[HARNESS_PATH + 16], shots[HARNESS_PATH], chromium[256];
	struct harness *h;

	if (!node_has("playwright-core") || !find_chromium(chromium))
		return;
	h = harness_start(NULL);
	harness_write(h, "../picture.png", picture_of(0)->bytes);
	snprintf(picture, sizeof(picture), "%s/picture.png", h->dir);
	snprintf(shots, sizeof(shots), "%s/screenshots", getenv("QUINTET_BUILD"));
	node_play(h, script, shots, picture, chromium, NULL);
	harness_admin(h, "check", NULL);
	harness_free(h);
}
