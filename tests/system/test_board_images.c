/* SPDX-License-Identifier: MIT
 *
 * board: pictures, large and small.  What is one, who gets them, what is refused.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/system/board_pictures.h"
#include "tests/system/board_play.h"

static struct board_play *s;

static void
begin(bool polls)
{
	s = board_start("alice bob carol", NULL);
	board_about(s, polls);
}

static void
begin_joined(bool polls)
{
	begin(polls);
	board_join_both(s);
}

/* By what they are, not by the name or type claimed. */
START_TEST(pictures)
{
	begin_joined(_i);
	BOARD(s, "bob/2: login", "alice/2: login");
	for (size_t k = 0; k < PICTURE_KINDS; k++) {
		const char *n = picture_of(k)->name, *t = picture_of(k)->type;

		board_blob(s, n, picture_of(k)->bytes);
		BOARDF(s, "bob? chat-img $a,$c,'../x <%s>.svg','text/html',@%s", n, n);
		BOARDF(s,
		       "bob< chat-img $i_%s,$a,$c,'bob',#t_%s,'../x "
		       "<%s>.svg','%s',@%s,$m_%s",
		       n, n, n, t, n, n);
		BOARD(s, "bob< chat-response 1,'OK'", "bob< ack 1,'OK'");
		BOARDF(s, "alice< chat-img $i_%s,$a,$c,'bob',#t_%s,*,'%s',@%s,$m_%s", n,
		       n, t, n, n);
		BOARDF(s,
		       "alice/2< new-img-notification $i_%s,$a,$c,'bob',#t_%s,"
		       "'../x <%s>.svg','%s',$m_%s",
		       n, n, n, t, n);
		BOARDF(s, "bob/2< new-img-notification $i_%s,$a,$c,'bob',*,*,'%s',*", n,
		       t);
		BOARDF(s, "alice? get-image $i_%s", n);
		BOARDF(s, "alice< image $i_%s,'../x <%s>.svg','%s',@%s", n, n, t, n);
		BOARD(s, "alice< ack 1,'OK'");
		if (k == 0)
			BOARD(s, "alice> get-chat-messages $a,$c");
		else
			BOARDF(s, "alice> get-chat-messages $a,$c,$m_%s",
			       picture_of(k - 1)->name);
		BOARDF(s,
		       "alice< chat-messages 1,[{'message_id':$m_%s,'anons_id':$a,"
		       "'chat_id':$c,'username':'bob','message_date':#t_%s,"
		       "'message_text':'','image_id':$i_%s,"
		       "'img_name':'../x <%s>.svg','img_type':'%s'}]",
		       n, n, n, n, t);
	}
	/* For members alone. */
	BOARD(s, "carol: login", "carol> get-image $i_png", "carol< image -1,*",
	      "carol> get-image 4711", "carol< image -1,*",
	      "carol> chat-img $a,$c,'x','',@png",
	      "carol< chat-response -1,'No such chat'", "bob> chat-img $a,$c,'','',@png",
	      "bob< chat-img *,$a,$c,'bob',*,'','image/png',@png,*",
	      "bob< chat-response 1,'OK'", "bob> get-user-chats",
	      "bob< user-chats 1,[{'AllMsgs':5}]");
	harness_admin(board_harness(s), "check", NULL);
	board_end(s);
}
END_TEST

static void
refuse(const char *name)
{
	BOARDF(s, "bob? chat-img $a,$c,'a.png','image/png',@%s", name);
	BOARD(s, "bob< chat-response -1,*", "bob< ack -1,*");
}

START_TEST(no_pictures)
{
	static const char svg[] = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
	struct span png = picture_of(0)->bytes;
	uint8_t big[1024];
	char name[8];

	begin_joined(_i);
	board_blob(s, "svg", span_str(svg));
	board_blob(s, "empty", span_of("", 0));
	refuse("svg");
	refuse("empty");
	/* Each is cut somewhere in its header. */
	for (size_t k = 0; k < PICTURE_KINDS; k++)
		for (size_t n = 3; n <= 9; n += 3) {
			snprintf(name, sizeof(name), "c%zu%zu", k, n);
			board_blob(s, name, span_of(picture_of(k)->bytes.p, n));
			refuse(name);
		}
	/* A dimension of 0, and one above 65,535. */
	ck_assert_uint_le(png.len, sizeof(big));
	memcpy(big, png.p, png.len);
	picture_png_claim(big, 0, 16);
	board_blob(s, "flat", span_of(big, png.len));
	refuse("flat");
	picture_png_claim(big, 65536, 16);
	board_blob(s, "wide", span_of(big, png.len));
	refuse("wide");
	/* Others saw nothing of it, and pictures go on. */
	board_blob(s, "png", png);
	BOARD(s, "alice: nothing", "bob> chat-img $a,$c,'a.png','x',@png",
	      "bob< chat-img ...");
	board_next_blob(board_peer_of(s, "bob"));
	BOARD(s, "bob< chat-response 1,'OK'");
	board_end(s);
}
END_TEST

/* 8 MiB are taken; more, up to 12 MB, are refused politely. */
START_TEST(large_pictures)
{
	size_t limit = 8 << 20, n = 12000000;
	uint8_t *big = calloc(1, n);
	char name[257];

	ck_assert_ptr_nonnull(big);
	memcpy(big, picture_of(0)->bytes.p, picture_of(0)->bytes.len);
	begin(_i);
	board_blob(s, "most", span_of(big, limit));
	board_blob(s, "more", span_of(big, limit + 1));
	board_blob(s, "much", span_of(big, n));
	BOARD(s, "bob> chat-img $a,$c,'a','b',@more", "bob< chat-response -1,*",
	      "bob> chat-img $a,$c,'a','b',@much", "bob< chat-response -1,*",
	      "bob> chat-img $a,$c,'a','b',@most",
	      "bob< chat-img $i,$a,$c,'bob',*,'a','image/png',@most,*",
	      "bob< chat-response 1,'OK'",
	      "alice< new-img-notification $i,$a,$c,'bob',*,'a','image/png',*",
	      "alice> get-image $i", "alice< image $i,'a','image/png',@most");
	/* A name of at most 255 bytes. */
	board_blob(s, "png", picture_of(0)->bytes);
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	BOARDF(s, "bob> chat-img $a,$c,'%s','b',@png", name);
	BOARD(s, "bob< chat-response -1,*");
	name[255] = '\0';
	BOARDF(s, "bob> chat-img $a,$c,'%s','b',@png", name);
	BOARDF(s, "bob< chat-img *,$a,$c,'bob',*,'%s','image/png',@png,*", name);
	BOARD(s, "bob< chat-response 1,'OK'", "bob: nothing");
	free(big);
	board_end(s);
}
END_TEST

/* ---- small pictures ---- */

#define THUMB "data:image/webp;base64,"

static size_t
count_of(struct span packet, const char *text)
{
	const uint8_t *p = packet.p, *end = p + packet.len;
	size_t n = 0;

	while ((p = memmem(p, (size_t)(end - p), text, strlen(text))) != NULL) {
		p++;
		n++;
	}
	return n;
}

/* Lists that go out before they are made do without. */
static void
await_thumbs(size_t want)
{
	int64_t deadline = harness_deadline(HARNESS_WAIT);
	struct span got;

	for (;;) {
		BOARD(s, "alice> get-chat-messages $a,$c");
		ck_assert(board_next(board_peer_of(s, "alice"), &got));
		if (count_of(got, "\"thumb\":\"" THUMB) == want)
			return;
		harness_nap(deadline, "there are small pictures");
	}
}

static void
check_thumb(const char *json)
{
	uint8_t webp[65536];
	int width, height;
	size_t n;

	ck_assert(strncmp(json, "\"" THUMB, sizeof(THUMB)) == 0);
	json += sizeof(THUMB);
	ck_assert_uint_lt(strlen(json), sizeof(webp));
	ck_assert_int_eq(base64_decode(span_of(json, strlen(json) - 1), webp, &n), Q_OK);
	ck_assert(picture_webp_size(span_of(webp, n), &width, &height));
	ck_assert_int_eq(width, 160);
	ck_assert_int_eq(height, 100);
}

/* In lists; there is none of what cannot be decoded, and a bomb does not go off. */
START_TEST(small_pictures)
{
	struct span png = picture_large(0)->bytes;
	uint8_t bomb[8192];

	ck_assert_uint_le(png.len, sizeof(bomb));
	begin(_i);
	for (size_t k = 0; k < PICTURE_KINDS; k++)
		board_blob(s, picture_large(k)->name, picture_large(k)->bytes);
	memcpy(bomb, png.p, png.len);
	picture_png_claim(bomb, 65535, 65535);
	board_blob(s, "bomb", span_of(bomb, png.len));
	board_blob(s, "cut", span_of(png.p, 64));
	board_deaf(s, "new-img-notification");
	for (size_t k = 0; k < PICTURE_KINDS; k++) {
		BOARDF(s, "bob> chat-img $a,$c,'p','x',@%s", picture_large(k)->name);
		BOARDF(s, "bob< chat-img $i%zu,$a,$c,'bob',*,'p',*,@%s,*", k,
		       picture_large(k)->name);
		BOARD(s, "bob< chat-response 1,'OK'");
	}
	BOARD(s, "bob> chat-img $a,$c,'bomb','x',@bomb",
	      "bob< chat-img *,$a,$c,'bob',*,'bomb','image/png',@bomb,*",
	      "bob< chat-response 1,'OK'", "bob> chat-img $a,$c,'cut','x',@cut",
	      "bob< chat-img *,$a,$c,'bob',*,'cut','image/png',@cut,*",
	      "bob< chat-response 1,'OK'", "alice: nothing");
	await_thumbs(PICTURE_KINDS);
	/* They are kept, and do not hide the pictures. */
	board_restart(s);
	BOARD(s, "alice: reset", "alice: login");
	await_thumbs(PICTURE_KINDS);
	BOARD(s, "alice> get-chat-messages $a,$c",
	      "alice< chat-messages 6,[{'image_id':$i0,'thumb':$t0},"
	      "{'image_id':$i1,'thumb':$t1},{'image_id':$i2,'thumb':$t2},"
	      "{'image_id':$i3,'thumb':$t3},{'img_name':'bomb'},{'img_name':'cut'}]",
	      "alice> get-image $i0", "alice< image $i0,'p','image/png',@png");
	for (int k = 0; k < PICTURE_KINDS; k++) {
		char name[8];

		snprintf(name, sizeof(name), "t%d", k);
		check_thumb(board_value(s, name));
	}
	harness_admin(board_harness(s), "check", NULL);
	board_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("board_images");
	TCase *tc = harness_case(suite, "board_images");

	tcase_add_loop_test(tc, pictures, 0, 2);
	tcase_add_loop_test(tc, no_pictures, 0, 2);
	tcase_add_loop_test(tc, large_pictures, 0, 2);
	tcase_add_loop_test(tc, small_pictures, 0, 2);
	return harness_main(suite);
}
