/* SPDX-License-Identifier: MIT
 *
 * The table of docs/protocols/README.md, "One port": first bytes and whose they
 * are.  NULL: nobody's.  "more": cannot be told yet.
 */
#include "server/protocol.h"

#include "tests/unit/unit.h"

#include <string.h>

#define BYTES(literal)                                          \
	{                                                       \
		(const uint8_t *)(literal), sizeof(literal) - 1 \
	}

static const struct {
	struct span first;
	const char *name;
} cases[] = {
    /* relay: a little-endian int32 from -8192 to -1 */
    {BYTES("\xff\xff\xff\xff"), "relay"},
    {BYTES("\x00\xe0\xff\xff"), "relay"},
    {BYTES("\xff\xdf\xff\xff"), NULL},
    {BYTES("\xf0\xff\xff\xff\x22\x01\x00\x00"), "relay"},
    {BYTES("\xf0\xff\xff\x00"), NULL},
    {BYTES("\xf0\xff\x00\xff"), NULL},
    {BYTES("\xf0\xff\xff"), "more"},
    {BYTES("\xf0\xff"), "more"},
    {BYTES("\xf0"), "more"},
    {BYTES("\x00"), "more"},
    /* a sealed frame is no beginning */
    {BYTES("\x40\x00\x00\x00"), NULL},
    {BYTES("\x40\x00"), NULL},
    /* a TLS record with a handshake message */
    {BYTES("\x16\x03\x01\x02\x00\x01"), "tls"},
    {BYTES("\x16\x03"), "tls"},
    {BYTES("\x16"), "more"},
    {BYTES("\x16\x02\x00"), NULL},
    {BYTES("\x15\x03\x01"), NULL},
    /* a method of HTTP */
    {BYTES("GET / HTTP/1.1\r\n"), "http"},
    {BYTES("ZZ"), "http"},
    {BYTES("G"), "more"},
    {BYTES("@@"), NULL},
    {BYTES("[["), NULL},
    {BYTES("get / HTTP/1.1\r\n"), NULL},
    /* nobody's */
    {BYTES("\r\n"), NULL},
    {BYTES("hello, world"), NULL},
    {BYTES("\x00\x00\x00\x00"), NULL},
};

static void
check(struct span first, const char *want)
{
	const struct protocol *p = NULL;
	enum qerr e = protocol_recognise(first, &p);

	if (want == NULL)
		ck_assert_int_eq(e, Q_FORMAT);
	else if (strcmp(want, "more") == 0)
		ck_assert_int_eq(e, Q_SHORT);
	else {
		ck_assert_int_eq(e, Q_OK);
		ck_assert_str_eq(p->name, want);
	}
	if (e != Q_OK)
		ck_assert_ptr_null(p);
}

START_TEST(table)
{
	check(cases[_i].first, cases[_i].name);
}
END_TEST

/* However the bytes are cut into segments, the answer is the same: each prefix of
 * somebody's first bytes is theirs or needs more, and once it is told it stays. */
START_TEST(prefixes)
{
	struct span whole = cases[_i].first;
	const struct protocol *p, *told = NULL;

	for (size_t n = 1; n <= whole.len; n++) {
		enum qerr e = protocol_recognise(span_of(whole.p, n), &p);

		if (told != NULL)
			ck_assert(e == Q_OK && p == told);
		if (e == Q_OK)
			told = p;
		if (e == Q_FORMAT)
			ck_assert_ptr_null(cases[_i].name);
	}
}
END_TEST

/* A row that recognises nothing is reached through another one, and serves from there. */
static bool
recognises_nothing(const struct protocol *p)
{
	for (unsigned b = 0; b < 256; b++) {
		uint8_t first = (uint8_t)b;

		if (p->recognise(span_of(&first, 1)) != Q_FORMAT)
			return false;
	}
	return true;
}

START_TEST(rows_are_complete)
{
	for (const struct protocol *const *p = protocols; *p != NULL; p++) {
		ck_assert_ptr_nonnull((*p)->name);
		ck_assert_ptr_nonnull((*p)->recognise);
		ck_assert_int_eq((*p)->serve == NULL, recognises_nothing(*p));
		ck_assert((*p)->deliver != NULL && (*p)->goodbye != NULL);
		ck_assert((*p)->release != NULL);
		for (const struct protocol *const *q = protocols; q != p; q++)
			ck_assert_str_ne((*q)->name, (*p)->name);
	}
}
END_TEST

int
main(void)
{
	const int n = (int)(sizeof(cases) / sizeof(cases[0]));
	Suite *s = suite_create("recognise");
	TCase *c = tcase_create("first bytes");

	tcase_add_loop_test(c, table, 0, n);
	tcase_add_loop_test(c, prefixes, 0, n);
	tcase_add_test(c, rows_are_complete);
	suite_add_tcase(s, c);
	return unit_main(s);
}
