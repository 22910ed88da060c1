/* SPDX-License-Identifier: MIT
 *
 * What may stand in the packets of rooms: names, contents, keys, and the fields of an
 * account (docs/protocols/rooms.md).
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "protocol/rooms_account.h"
#include "tests/unit/rooms_samples.h"

static struct span
repeat(char c, size_t n)
{
	static char text[ROOMS_TEXT_MAX + 2];

	memset(text, c, n);
	return span_of(text, n);
}

START_TEST(rooms_to_make)
{
	struct rooms_create c = {.kind = 1, .name = span_str("Lab")};

	ck_assert_int_eq(rooms_create_check(&c), ROOMS_SIG_OTHER);
	c.kind = 3;
	ck_assert_int_eq(rooms_create_check(&c), ROOMS_MKROOM_INVALID_TYPE);
	c.kind = -1;
	ck_assert_int_eq(rooms_create_check(&c), ROOMS_MKROOM_INVALID_TYPE);
	c.kind = 2;
	c.name = span_str("");
	ck_assert_int_eq(rooms_create_check(&c), ROOMS_MKROOM_NAME_INVALID);
	c.name = span_of(NULL, 0);
	ck_assert_int_eq(rooms_create_check(&c), ROOMS_MKROOM_NAME_INVALID);
	c.name = span_str("a\tb");
	ck_assert_int_eq(rooms_create_check(&c), ROOMS_MKROOM_NAME_INVALID);
	c.name = span_str("a\xc2\x85");
	ck_assert_int_eq(rooms_create_check(&c), ROOMS_MKROOM_NAME_INVALID);
	c.name = repeat('n', ROOMS_NAME_MAX);
	ck_assert_int_eq(rooms_create_check(&c), ROOMS_SIG_OTHER);
	c.name = repeat('n', ROOMS_NAME_MAX + 1);
	ck_assert_int_eq(rooms_create_check(&c), ROOMS_MKROOM_NAME_ABOVE_LIMIT);
	c.kind = 0; /* a direct room may have a name, and needs none */
	ck_assert_int_eq(rooms_create_check(&c), ROOMS_MKROOM_NAME_ABOVE_LIMIT);
	c.name = span_of(NULL, 0);
	ck_assert_int_eq(rooms_create_check(&c), ROOMS_SIG_OTHER);
}
END_TEST

START_TEST(contents)
{
	struct rooms_chat_action a = {.act = ROOMS_SEND, .format = ROOMS_FORMAT_TEXT};

	a.content = repeat('x', ROOMS_TEXT_MAX);
	ck_assert_int_eq(rooms_content_check(&a, 0), ROOMS_SIG_OTHER);
	a.content = repeat('x', ROOMS_TEXT_MAX + 1);
	ck_assert_int_eq(rooms_content_check(&a, ROOMS_FILE_MAX),
			 ROOMS_CONTENT_ABOVE_LIMIT);
	a.act = ROOMS_EDIT;
	ck_assert_int_eq(rooms_content_check(&a, ROOMS_FILE_MAX),
			 ROOMS_CONTENT_ABOVE_LIMIT);
	a.act = ROOMS_SEND;
	a.format = ROOMS_FORMAT_SMALLFILE;
	ck_assert_int_eq(rooms_content_check(&a, ROOMS_FILE_MAX), ROOMS_SIG_OTHER);
	ck_assert_int_eq(rooms_content_check(&a, ROOMS_TEXT_MAX),
			 ROOMS_CONTENT_ABOVE_LIMIT);
	ck_assert_int_eq(rooms_content_check(&a, 0), ROOMS_UNSUPPORTED_MSG_FORMAT);
	a = (struct rooms_chat_action){.act = ROOMS_ERASE};
	ck_assert_int_eq(rooms_content_check(&a, 0), ROOMS_SIG_OTHER);
	a.content = repeat('x', ROOMS_REASON_MAX);
	ck_assert_int_eq(rooms_content_check(&a, 0), ROOMS_SIG_OTHER);
	a.content = repeat('x', ROOMS_REASON_MAX + 1);
	ck_assert_int_eq(rooms_content_check(&a, 0), ROOMS_CONTENT_ABOVE_LIMIT);
}
END_TEST

#define BEGIN "-----BEGIN PUBLIC KEY-----\n"
#define END   "-----END PUBLIC KEY-----"

START_TEST(pem_shapes)
{
	static const struct {
		const char *pem;
		bool fits;
	} rows[] = {
	    {BEGIN "AAAA\n" END, true},
	    {"\r\n " BEGIN "AAAA\r\n" END "\r\n", true},
	    {BEGIN END, true},
	    {"", false},
	    {"-----BEGIN PUBLIC KEY-----END PUBLIC KEY-----", false},
	    {BEGIN "AAAA\n", false},
	    {"x" BEGIN "AAAA\n" END, false},
	    {BEGIN "AAAA\n" END "x", false},
	    {BEGIN "AAAA\n" END "\n" BEGIN "AAAA\n" END, false},
	    {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", false},
	    {"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n" BEGIN
	     "AAAA\n" END,
	     false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(rooms_pem_shape(span_str(rows[i].pem)) == rows[i].fits,
			      "%s", rows[i].pem);
	ck_assert(!rooms_pem_shape(repeat(' ', ROOMS_KEY_PEM_MAX + 1)));
}
END_TEST

/* ---- SIGNUP ---- */

#define NOW INT64_C(1700000000000) /* 2023-11-14 */

static const struct {
	const char *user, *email, *fullname, *dob, *password;
	enum rooms_sig want;
} signups[] = {
    {"anna", "a@b", "Anna \xc3\x84", "01/02/2000", "12345678", ROOMS_SIG_OTHER},
    {"", "a@b", "A", "01/02/2000", "12345678", ROOMS_SIGNUP_MISSING_CREDS},
    {"a", "", "A", "01/02/2000", "12345678", ROOMS_SIGNUP_MISSING_CREDS},
    {"a", "a@b", "", "01/02/2000", "12345678", ROOMS_SIGNUP_MISSING_CREDS},
    {"a", "a@b", "A", "", "12345678", ROOMS_SIGNUP_MISSING_CREDS},
    {"a", "a@b", "A", "01/02/2000", "", ROOMS_SIGNUP_MISSING_CREDS},
    {"an na", "a@b", "A", "01/02/2000", "12345678", ROOMS_SIGNUP_USERNAME_INVALID},
    {".anna", "x", "A", "x", "1", ROOMS_SIGNUP_USERNAME_INVALID},
    {"\xc3\x84nna", "a@b", "A", "01/02/2000", "12345678", ROOMS_SIGNUP_USERNAME_INVALID},
    {"a2345678901234567890123456789012", "a@b", "A", "01/02/2000", "12345678",
     ROOMS_SIG_OTHER},
    {"a23456789012345678901234567890123", "x", "A", "x", "1",
     ROOMS_SIGNUP_USERNAME_ABOVE_LIMIT},
    {"a2345678901234567890123456789012/", "a@b", "A", "01/02/2000", "12345678",
     ROOMS_SIGNUP_USERNAME_INVALID},
    {"anna", "ab", "A", "x", "1", ROOMS_SIGNUP_EMAIL_INVALID},
    {"anna", "@b", "A", "x", "1", ROOMS_SIGNUP_EMAIL_INVALID},
    {"anna", "a@", "A", "x", "1", ROOMS_SIGNUP_EMAIL_INVALID},
    {"anna", "a@b@c", "A", "x", "1", ROOMS_SIGNUP_EMAIL_INVALID},
    {"anna", "a b@c", "A", "x", "1", ROOMS_SIGNUP_EMAIL_INVALID},
    {"anna", "a\x01@c", "A", "x", "1", ROOMS_SIGNUP_EMAIL_INVALID},
    {"anna", "a@b", "A\x7f", "x", "1", ROOMS_SIGNUP_NAME_INVALID},
    {"anna", "a@b", "A\xc2\x9b", "x", "1", ROOMS_SIGNUP_NAME_INVALID},
    {"anna", "a@b", "A", "yesterday", "1", ROOMS_SIGNUP_DOB_INVALID},
    {"anna", "a@b", "A", "01/02/2000", "1234567", ROOMS_SIGNUP_PASSWORD_BELOW_LIMIT},
    {"anna", "a@b", "A", "01/02/2000", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
     ROOMS_SIG_OTHER},
};

START_TEST(signup_in_order)
{
	struct rooms_signup s = {span_str(signups[_i].user), span_str(signups[_i].email),
				 span_str(signups[_i].fullname),
				 span_str(signups[_i].dob),
				 span_str(signups[_i].password)};

	ck_assert_str_eq(rooms_sig_text(rooms_signup_check(&s, NOW)),
			 rooms_sig_text(signups[_i].want));
}
END_TEST

START_TEST(signup_lengths)
{
	char email[ROOMS_EMAIL_MAX + 2], name[ROOMS_FULLNAME_MAX + 2],
	    password[ROOMS_PASSWORD_MAX + 2];
	struct rooms_signup s = {.user = span_str("anna"), .dob = span_str("01/02/2000")};

	memset(email, 'e', sizeof(email));
	email[1] = '@';
	memset(name, 'n', sizeof(name));
	memset(password, 'p', sizeof(password));
	s.email = span_of(email, ROOMS_EMAIL_MAX);
	s.fullname = span_of(name, ROOMS_FULLNAME_MAX);
	s.password = span_of(password, ROOMS_PASSWORD_MAX);
	ck_assert_int_eq(rooms_signup_check(&s, NOW), ROOMS_SIG_OTHER);
	s.password.len++;
	ck_assert_int_eq(rooms_signup_check(&s, NOW), ROOMS_SIGNUP_PASSWORD_ABOVE_LIMIT);
	s.fullname.len++;
	ck_assert_int_eq(rooms_signup_check(&s, NOW), ROOMS_SIGNUP_NAME_ABOVE_LIMIT);
	s.email.len++;
	ck_assert_int_eq(rooms_signup_check(&s, NOW), ROOMS_SIGNUP_EMAIL_ABOVE_LIMIT);
}
END_TEST

static const struct {
	const char *dob, *want; /* NULL: refused */
} dates[] = {
    {"05/11/1999", "1999-11-05"},
    {"05-11-1999", "1999-11-05"},
    {"1999-11-05", "1999-11-05"},
    {"1999/11/05", "1999-11-05"},
    {"29/02/2000", "2000-02-29"},
    {"13/11/2023", "2023-11-13"},
    {"0001-01-01", "0001-01-01"},
    {"14/11/2023", NULL},
    {"15/11/2023", NULL},
    {"29/02/1900", NULL},
    {"29/02/2001", NULL},
    {"31/04/2000", NULL},
    {"00/01/2000", NULL},
    {"01/00/2000", NULL},
    {"01/13/2000", NULL},
    {"0000-01-01", NULL},
    {"5/11/1999", NULL},
    {"05/11-1999", NULL},
    {"05.11.1999", NULL},
    {"1999-11-05 ", NULL},
    {"1999-11", NULL},
    {"05/11/99", NULL},
    {"+5/11/1999", NULL},
    {"9999-12-31", NULL},
    {"199-11-051", NULL},
};

START_TEST(dates_of_birth)
{
	char got[ROOMS_DATE_SIZE] = "";

	if (dates[_i].want == NULL) {
		ck_assert_msg(rooms_dob_parse(span_str(dates[_i].dob), NOW, got) ==
				  Q_FORMAT,
			      "%s", dates[_i].dob);
		return;
	}
	ck_assert_int_eq(rooms_dob_parse(span_str(dates[_i].dob), NOW, got), Q_OK);
	ck_assert_str_eq(got, dates[_i].want);
}
END_TEST

START_TEST(kex_text)
{
	struct uuid u;
	struct span parts[ROOMS_KEX_PARTS];

	ck_assert_int_eq(uuid_parse(span_of(&ROOM[1], UUID_LEN), &u), Q_OK);
	rooms_kex_parts(span_str("PEM"), &u, parts);
	ck_assert(span_eq(parts[0], span_of("rooms-kex\0", 10)));
	ck_assert(span_eq(parts[1], span_str("PEM")));
	ck_assert(parts[2].len == 16 && parts[2].p[0] == 0x0b && parts[2].p[15] == 0x11);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rooms: checks");
	TCase *c = tcase_create("checks");

	tcase_add_test(c, rooms_to_make);
	tcase_add_test(c, contents);
	tcase_add_test(c, pem_shapes);
	tcase_add_loop_test(c, signup_in_order, 0, sizeof(signups) / sizeof(signups[0]));
	tcase_add_test(c, signup_lengths);
	tcase_add_loop_test(c, dates_of_birth, 0, sizeof(dates) / sizeof(dates[0]));
	tcase_add_test(c, kex_text);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
