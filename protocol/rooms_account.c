/* SPDX-License-Identifier: MIT */
#include "protocol/rooms_account.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <utf8proc.h>

#include "base/name.h"

bool
rooms_has_controls(struct span text)
{
	while (text.len > 0) {
		utf8proc_int32_t cp;
		utf8proc_ssize_t n =
		    utf8proc_iterate(text.p, (utf8proc_ssize_t)text.len, &cp);

		if (n <= 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			return true;
		text.p += n;
		text.len -= (size_t)n;
	}
	return false;
}

bool
rooms_email_valid(struct span email)
{
	const uint8_t *at;

	if (email.len == 0 || rooms_has_controls(email) ||
	    memchr(email.p, ' ', email.len) != NULL ||
	    (at = memchr(email.p, '@', email.len)) == NULL)
		return false;
	return at > email.p && at < email.p + email.len - 1 &&
	       memchr(at + 1, '@', (size_t)(email.p + email.len - at - 1)) == NULL;
}

/* ---- the date of birth ---- */

/* Exactly n digits at the front of in. */
static bool
take_digits(struct reader *in, size_t n, int *out)
{
	struct span s;
	int v = 0;

	if (reader_take(in, n, &s) != Q_OK)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = 10 * v + (s.p[i] - '0');
	}
	*out = v;
	return true;
}

/* a?b?c with the given numbers of digits and one separator, '/' or '-', twice. */
static bool
take_date(struct span s, const size_t digits[3], int out[3])
{
	struct reader in = reader_of(s);
	uint8_t first = 0, second = 0;

	return take_digits(&in, digits[0], &out[0]) && reader_u8(&in, &first) == Q_OK &&
	       take_digits(&in, digits[1], &out[1]) && reader_u8(&in, &second) == Q_OK &&
	       take_digits(&in, digits[2], &out[2]) && in.left == 0 && first == second &&
	       (first == '/' || first == '-');
}

static bool
day_exists(int year, int month, int day)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return year >= 1 && month >= 1 && month <= 12 && day >= 1 &&
	       day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

enum qerr
rooms_dob_parse(struct span dob, int64_t now_ms, char out[ROOMS_DATE_SIZE])
{
	static const size_t day_first[3] = {2, 2, 4}, year_first[3] = {4, 2, 2};
	char date[ROOMS_DATE_SIZE + 16], today[sizeof(date)];
	time_t now = (time_t)(now_ms / 1000);
	int d[3], year, day;
	struct tm tm;

	if (take_date(dob, year_first, d))
		year = d[0], day = d[2];
	else if (take_date(dob, day_first, d))
		year = d[2], day = d[0];
	else
		return Q_FORMAT;
	if (!day_exists(year, d[1], day) || gmtime_r(&now, &tm) == NULL)
		return Q_FORMAT;
	snprintf(date, sizeof(date), "%04d-%02d-%02d", year, d[1], day);
	snprintf(today, sizeof(today), "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday);
	if (strcmp(date, today) >= 0)
		return Q_FORMAT;
	memcpy(out, date, ROOMS_DATE_SIZE);
	return Q_OK;
}

/* ---- all of it, in the page's order ---- */

enum rooms_sig
rooms_signup_check(const struct rooms_signup *s, int64_t now_ms)
{
	char date[ROOMS_DATE_SIZE];

	if (s->user.len == 0 || s->email.len == 0 || s->fullname.len == 0 ||
	    s->dob.len == 0 || s->password.len == 0)
		return ROOMS_SIGNUP_MISSING_CREDS;
	if (!name_characters(s->user))
		return ROOMS_SIGNUP_USERNAME_INVALID;
	if (s->user.len > NAME_MAX_LEN)
		return ROOMS_SIGNUP_USERNAME_ABOVE_LIMIT;
	if (s->email.len > ROOMS_EMAIL_MAX)
		return ROOMS_SIGNUP_EMAIL_ABOVE_LIMIT;
	if (!rooms_email_valid(s->email))
		return ROOMS_SIGNUP_EMAIL_INVALID;
	if (s->fullname.len > ROOMS_FULLNAME_MAX)
		return ROOMS_SIGNUP_NAME_ABOVE_LIMIT;
	if (rooms_has_controls(s->fullname))
		return ROOMS_SIGNUP_NAME_INVALID;
	if (rooms_dob_parse(s->dob, now_ms, date) != Q_OK)
		return ROOMS_SIGNUP_DOB_INVALID;
	if (s->password.len > ROOMS_PASSWORD_MAX)
		return ROOMS_SIGNUP_PASSWORD_ABOVE_LIMIT;
	if (s->password.len < ROOMS_PASSWORD_MIN)
		return ROOMS_SIGNUP_PASSWORD_BELOW_LIMIT;
	return ROOMS_SIG_OTHER;
}
