/* SPDX-License-Identifier: MIT
 *
 * page_play.h - a play on the web page in headless Chromium (page/stage.mjs).
 */
#ifndef TESTS_SYSTEM_PAGE_PLAY_H
#define TESTS_SYSTEM_PAGE_PLAY_H

#include "tests/system/node_play.h"

/* Play SCRIPT against a server of its own, whose store is looked at afterwards.  Pictures stay
 * in BUILD/screenshots.  Skipped, after saying so, without Node, playwright or Chromium. */
void page_play(const char *script);

#endif
