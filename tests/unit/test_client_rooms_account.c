/* SPDX-License-Identifier: MIT
 *
 * The machine that signs up and proves a password, against a fake server; what is kept
 * on the disk; captchas as text.
 */
#include "tests/unit/salon_fake.h"

#include "client/captcha_text.h"
#include "client/rooms_keys.h"
#include "server/captcha.h"

/* ---- signing up and logging in ---- */

static struct rooms_wish wish = {.email = "a@b",
				 .fullname = "Alice Example",
				 .birth = "2001-02-03",
				 .password = "geheim 123",
				 .save = true};

static struct fake *
account(bool sign_up)
{
	struct fake *f = fake_of(&client_rooms_account);

	wish.sign_up = sign_up;
	f->login.wish = &wish;
	greet(f, HONEST);
	return f;
}

START_TEST(sign_up)
{
	struct fake *f = account(true);

	HEAR(SIGNUP);
	ck_assert(span_eq(f->packet.u.signup.email, span_str("a@b")));
	ck_assert_int_eq(ASK(CLIENT_DO_ANSWER, "123456"), Q_DENIED);
	say(f, "{'type':'CAPTCHA','data':{'challenge':'aGFsbG8='}}");
	EVENT(CLIENT_CAPTCHA, "");
	ck_assert_int_eq(f->row->deadline(f->machine), 0);
	ASK_OK(CLIENT_DO_ANSWER, "000012");
	HEAR(S_CAPTCHA);
	ck_assert_str_eq(f->packet.u.s_captcha.solved, "000012");
	say(f, "{'type':'STATUS','data':{'sig':'CAPTCHA_WRONG','desc':''}}");
	EVENT(CLIENT_FAILED, " those were not the digits: here are others");
	HEAR(SIGNUP);
	say(f, "{'type':'CAPTCHA','data':{'challenge':'aGFsbG8='}}");
	EVENT(CLIENT_CAPTCHA, "");
	ASK_OK(CLIENT_DO_ANSWER, "123456");
	HEAR(S_CAPTCHA);
	say(f, "{'type':'STATUS','data':{'sig':'NEW_ACC_OK','desc':''}}");
	EVENT(CLIENT_DONE, " registered alice");
	HEAR(LOGIN);
	ck_assert(f->packet.u.login.save);
	say(f, "{'type':'STATUS','data':{'sig':'CHAT_PUBKEY_MISSING','desc':''}}");
	HEAR(CHAT_ENCRYPT_C);
	say(f, "{'type':'STATUS','data':{'sig':'CHAT_PUBKEY_OK','desc':''}}");
	say(f, "{'type':'GEN_TOKEN','data':{'token':'abc-DEF'}}");
	EVENT(CLIENT_LOGGED_OUT, " there is a token");
	ck_assert_str_eq(f->state->token, "abc-DEF");
	fake_free(f);
	f = fake_of(&client_rooms_account);
	ck_assert_str_eq(f->state->token, "abc-DEF");
	fake_free(f);
}
END_TEST

START_TEST(log_in_captcha)
{
	struct fake *f = account(false);

	for (int i = 0; i < ROOMS_CAPTCHA_TRIES; i++) {
		HEAR(LOGIN);
		say(f, "{'type':'CAPTCHA','data':{'challenge':'aGFsbG8='}}");
		EVENT(CLIENT_CAPTCHA, "");
		ASK_OK(CLIENT_DO_ANSWER, "1");
		HEAR(S_CAPTCHA);
		say(f, "{'type':'STATUS','data':{'sig':'CAPTCHA_WRONG','desc':''}}");
		if (i + 1 < ROOMS_CAPTCHA_TRIES)
			EVENT(CLIENT_FAILED,
			      " those were not the digits: here are others");
	}
	EVENT(CLIENT_REFUSED, " the digits were wrong too often");
	fake_free(f);
}
END_TEST

static const struct {
	const char *packet, *event;
	enum client_event_kind kind;
} refusals[] = {
    {"{'type':'STATUS','data':{'sig':'LOGIN_INCORRECT','desc':''}}",
     " the name or the password is wrong", CLIENT_REFUSED},
    {"{'type':'STATUS','data':{'sig':'SIGNUP_USERNAME_ALREADY_EXISTS','desc':''}}",
     " that name is taken: if it is yours, log in without --register", CLIENT_REFUSED},
    {"{'type':'STATUS','data':{'sig':'TRY_LATER','desc':'','seconds':9}}",
     " the server asks to try again later, in 9 s", CLIENT_REFUSED},
    {"{'type':'STATUS','data':{'sig':'NEW_ONE','desc':'with a reason'}}",
     " the server refuses: with a reason", CLIENT_REFUSED},
    {"{'type':'GEN_TOKEN','data':{'token':''}}", " the server broke the protocol",
     CLIENT_LOST},
    {"{'type':'CAPTCHA','data':{'challenge':'?'}}", " the server broke the protocol",
     CLIENT_LOST},
    {"{'type':'QUEUE_END','data':{}}", " the server broke the protocol", CLIENT_LOST},
};

START_TEST(refused)
{
	struct fake *f = account(false);

	HEAR(LOGIN);
	say(f, "%s", refusals[_i].packet);
	EVENT(refusals[_i].kind, refusals[_i].event);
	ck_assert_str_eq(f->state->token, "");
	say(f, "{'type':'GEN_TOKEN','data':{'token':'late'}}");
	NO_EVENT();
	ck_assert_str_eq(f->state->token, "");
	fake_free(f);
}
END_TEST

/* ---- what is kept ---- */

static struct rooms_state *
open_state(bool remember)
{
	struct rooms_state *s;
	struct why why;

	ck_assert_msg(rooms_state_open(profile, ca, "Alice", remember, &s, &why) == Q_OK,
		      "%s", why.text);
	return s;
}

START_TEST(kept_token)
{
	struct rooms_state *s = open_state(false);
	char keyid[ROOMS_KEYID_SIZE];

	strlcpy(keyid, s->keyid, sizeof(keyid));
	ck_assert_int_eq(rooms_state_set_token(s, "one", NULL), Q_OK);
	rooms_state_close(s);
	s = open_state(true);
	ck_assert_str_eq(s->keyid, keyid);
	ck_assert_str_eq(s->token, "");
	ck_assert_int_eq(rooms_state_set_token(s, "two", NULL), Q_OK);
	rooms_state_close(s);
	s = open_state(true);
	ck_assert_str_eq(s->token, "two");
	ck_assert_int_eq(rooms_state_set_token(s, "", NULL), Q_OK);
	rooms_state_close(s);
	s = open_state(true);
	ck_assert_str_eq(s->token, "");
	rooms_state_close(s);
}
END_TEST

/* Two clients with one key at once, one after the other, and a clock that is behind. */
START_TEST(counters)
{
	struct rooms_state *s = open_state(true), *other = open_state(true);
	uint64_t a = 0, b;

	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(rooms_state_next_ctr(i % 3 != 0 ? s : other, &b, NULL),
				 Q_OK);
		ck_assert_uint_lt(a, b);
		a = b;
	}
	s->ctr = ROOMS_CTR_MAX - 1;
	ck_assert_int_eq(rooms_state_next_ctr(s, &a, NULL), Q_OK);
	ck_assert_int_eq(rooms_state_next_ctr(s, &a, NULL), Q_LIMIT);
	ck_assert_int_eq(rooms_state_next_ctr(other, &a, NULL), Q_LIMIT);
	rooms_state_close(s);
	rooms_state_close(other);
	s = open_state(true);
	ck_assert_int_eq(rooms_state_next_ctr(s, &a, NULL), Q_LIMIT);
	rooms_state_close(s);
}
END_TEST

START_TEST(positions)
{
	struct rooms_state *s = open_state(true), *other;
	struct uuid room;

	ck_assert_int_eq(uuid_parse(span_str(CLUB), &room), Q_OK);
	ck_assert_int_eq(rooms_state_seq(s, &room), 0);
	rooms_state_set_seq(s, &room, 7);
	rooms_state_set_seq(s, &room, 5);
	ck_assert_int_eq(rooms_state_rise(s, &room, "00112233445566aa", 3), Q_OK);
	ck_assert_int_eq(rooms_state_rise(s, &room, "00112233445566aa", 3), Q_DENIED);
	ck_assert_int_eq(rooms_state_rise(s, &room, "00112233445566bb", 3), Q_OK);
	ck_assert(rooms_state_dirty(s));
	ck_assert_int_eq(rooms_state_flush(s, NULL), Q_OK);
	ck_assert(!rooms_state_dirty(s));
	/* Another client has seen less of one thing and more of another. */
	other = open_state(true);
	rooms_state_set_seq(other, &room, 9);
	rooms_state_set_seq(s, &room, 8);
	ck_assert_int_eq(rooms_state_rise(s, &room, "00112233445566aa", 8), Q_OK);
	rooms_state_close(other);
	rooms_state_close(s);
	s = open_state(true);
	ck_assert_int_eq(rooms_state_seq(s, &room), 9);
	ck_assert_int_eq(rooms_state_rise(s, &room, "00112233445566aa", 8), Q_DENIED);
	ck_assert_int_eq(rooms_state_rise(s, &room, "00112233445566aa", 9), Q_OK);
	rooms_state_close(s);
}
END_TEST

/* ---- what rooms are called ---- */

START_TEST(labels)
{
	static const struct {
		const char *name, *label;
	} cases[] = {
	    {"Math club", "#Math-club"},
	    {"math CLUB", "#math-CLUB.0001"},
	    {"\xe2\x80\xae\xc3\xa4\xc3\xb6", "#room"},
	    {"a/../b  c!", "#a-..-b-c"},
	    {"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd",
	     "#aaaaaaaaaabbbbbbbbbbccccccccccd"},
	    {"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd",
	     "#aaaaaaaaaabbbbbbbbbbcccccc.0005"},
	};
	struct rooms_memory m;
	struct uuid id = {{0}};

	rooms_memory_init(&m);
	for (uint8_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		id.b[15] = i;
		ck_assert_str_eq(
		    rooms_label_of(&m, &id, ROOMS_GROUP, span_str(cases[i].name), ""),
		    cases[i].label);
		ck_assert_uint_lt(strlen(cases[i].label), ROOMS_LABEL_SIZE);
	}
	id.b[0] = 1;
	ck_assert_str_eq(rooms_label_of(&m, &id, ROOMS_DIRECT, NONE, "bob"), "bob");
	/* It stays, whatever the room is called later. */
	ck_assert_str_eq(rooms_label_of(&m, &id, ROOMS_DIRECT, NONE, ""), "bob");
	rooms_memory_fini(&m);
}
END_TEST

START_TEST(numbers)
{
	struct uuid room = {{1}}, msg = {{2}}, none = {{0}};
	struct rooms_memory m;

	rooms_memory_init(&m);
	ck_assert_ptr_null(rooms_shown_of(&m, 1));
	ck_assert_uint_eq(rooms_shown_add(&m, &room, &msg, "bob")->number, 1);
	ck_assert_uint_eq(rooms_shown_add(&m, &room, &msg, "bob")->number, 1);
	ck_assert_uint_eq(rooms_shown_add(&m, &room, &none, "bob")->number, 2);
	ck_assert_uint_eq(rooms_shown_add(&m, &room, &none, "bob")->number, 3);
	/* The oldest ones are forgotten. */
	for (int i = 0; i < ROOMS_SHOWN_MAX; i++)
		ck_assert_ptr_nonnull(rooms_shown_add(&m, &room, &none, "bob"));
	ck_assert_ptr_null(rooms_shown_of(&m, 1));
	ck_assert_ptr_null(rooms_shown_find(&m, &room, &msg));
	ck_assert_ptr_nonnull(rooms_shown_of(&m, 4));
	rooms_memory_fini(&m);
}
END_TEST

/* ---- captchas ---- */

START_TEST(captcha)
{
	struct buf png = BUF_INIT(CAPTCHA_PNG_MAX), text = BUF_INIT(65536);
	size_t lines = 0, blocks = 0, columns = 0;

	ck_assert_int_eq(captcha_draw("304859", CAPTCHA_SECRET, &png), Q_OK);
	ck_assert_int_eq(captcha_text(buf_span(&png), &text), Q_OK);
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '\n') {
			ck_assert_uint_le(columns, CAPTCHA_TEXT_COLUMNS);
			columns = 0;
			lines++;
		} else if ((text.p[i] & 0xc0) != 0x80) {
			columns++;
			blocks += text.p[i] != ' ';
		}
	}
	ck_assert_uint_ge(lines, 10);
	/* Six digits of strokes, not a black or a white picture. */
	ck_assert_uint_gt(blocks, 60);
	ck_assert_uint_lt(blocks, lines * CAPTCHA_TEXT_COLUMNS / 2);
	/* No PNG; a PNG that says that it is huge; half a PNG. */
	ck_assert_int_eq(captcha_text(span_str("no png"), &text), Q_FORMAT);
	ck_assert_int_eq(captcha_text(span_of(png.p, png.len / 3), &text), Q_FORMAT);
	png.p[16] = 0x7f;
	ck_assert_int_eq(captcha_text(buf_span(&png), &text), Q_FORMAT);
	buf_free(&png);
	buf_free(&text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client rooms account");
	TCase *c = tcase_create("account");

	tcase_add_checked_fixture(c, salon_setup, salon_teardown);
	tcase_add_test(c, sign_up);
	tcase_add_test(c, log_in_captcha);
	tcase_add_loop_test(c, refused, 0, sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(c, kept_token);
	tcase_add_test(c, counters);
	tcase_add_test(c, positions);
	tcase_add_test(c, labels);
	tcase_add_test(c, numbers);
	tcase_add_test(c, captcha);
	suite_add_tcase(s, c);
	return unit_main(s);
}
