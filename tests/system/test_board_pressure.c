/* SPDX-License-Identifier: MIT
 *
 * board: who asks for pictures and fetches none finds an end, and so does whoever sends
 * more of them; all else goes on, and once they are fetched, pictures do, too.
 */
#include <string.h>

#include "tests/system/board_pictures.h"
#include "tests/system/board_play.h"

static struct board_play *s;

/* alice, who is not in the room, says @big. */
static bool
is_taken(void)
{
	static const char no[] = "2[\"chat-response\",-1,";
	struct board_peer *alice = board_peer_of(s, "alice");
	struct span got;

	BOARD(s, "alice> chat-img $a,$c,'a','b',@big");
	ck_assert(board_next(alice, &got));
	if (got.len > strlen(no) && memcmp(got.p, no, strlen(no)) == 0)
		return false;
	(void)board_next_blob(alice);
	BOARD(s, "alice< chat-response 1,'OK'");
	return true;
}

START_TEST(pictures_that_wait)
{
	enum { SIZE = 700000, FIT = 3, ASKED = 5 }; /* into twice board.max_inflight */
	uint8_t *big = calloc(1, SIZE);

	ck_assert_ptr_nonnull(big);
	memcpy(big, picture_of(0)->bytes.p, picture_of(0)->bytes.len);
	s = board_start("alice bob", "board.max_inflight=1MiB", NULL);
	board_about(s, true);
	board_blob(s, "big", span_of(big, SIZE));
	ck_assert(is_taken());
	for (int i = 0; i < ASKED; i++)
		BOARD(s, "bob> get-image 1");
	/* None is given out, and none taken, from a terminal neither; words are. */
	BOARD(s, "alice> get-image 1", "alice< image -1,*");
	ck_assert(!is_taken());
	BOARD(s, "~alice: login",
	      "~alice> 115 $c data:image/png;base64,iVBORw0KGgo=", "~alice< 219 413",
	      "alice> chat-msg $a,$c,'words'", "alice< chat-msg ...",
	      "alice< chat-response 1,'OK'");
	BOARD(s, "bob< new-img-notification ...");
	for (int i = 0; i < FIT; i++)
		BOARD(s, "bob< image 1,'a','image/png',@big");
	for (int i = FIT; i < ASKED; i++)
		BOARD(s, "bob< image -1,*");
	BOARD(s, "bob< new-msg-notification ...");
	HARNESS_UNTIL(is_taken());
	free(big);
	board_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_pressure");
	TCase *tc = harness_case(suite, "board_pressure");

	tcase_add_test(tc, pictures_that_wait);
	return harness_main(suite);
}
