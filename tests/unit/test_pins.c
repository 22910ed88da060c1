/* SPDX-License-Identifier: MIT
 *
 * Pinned keys of people: first use, the same, another, accepted, verified, damaged.
 */
#include "tests/unit/trust_aid.h"

#include <signal.h>
#include <sys/resource.h>

#include "client/pins.h"

#define A                                                  \
	"86:3F:1B:F9:55:F8:0D:37:AD:3A:A4:40:40:67:4E:A8:" \
	"85:CC:C6:52:4A:19:3E:03:39:D6:58:F0:FD:C6:95:1C"
#define B                                                  \
	"00:3F:1B:F9:55:F8:0D:37:AD:3A:A4:40:40:67:4E:A8:" \
	"85:CC:C6:52:4A:19:3E:03:39:D6:58:F0:FD:C6:95:1C"

static struct pins *
open_pins(const char *user)
{
	struct pins *p;
	struct why why;

	ck_assert_msg(pins_open(profile, ca, user, &p, &why) == Q_OK, "%s", why.text);
	return p;
}

START_TEST(first_use_and_change)
{
	struct pins *p = open_pins("Alice");
	struct pin pin;
	struct why why;

	ck_assert_int_eq(pins_get(p, "bob", &pin, &why), Q_MISSING);
	ck_assert_int_eq(pins_check(p, "bob", A, &pin, &why), Q_MISSING);
	/* Looking is not pinning. */
	ck_assert_int_eq(pins_check(p, "bob", B, &pin, &why), Q_MISSING);
	ck_assert_int_eq(pins_set(p, "Bob", A, &why), Q_OK);
	ck_assert_int_eq(pins_check(p, "bOB", A, &pin, &why), Q_OK);
	ck_assert_str_eq(pin.key, A);
	ck_assert_str_eq(pin.refused, "");
	ck_assert(!pin.verified);
	ck_assert_int_eq(pins_check(p, "bob", B, &pin, &why), Q_DENIED);
	ck_assert_str_eq(pin.key, A);
	ck_assert_str_eq(pin.refused, B);
	/* Refused again, as often as it is shown; also by the next run. */
	pins_close(p);
	p = open_pins("ALICE");
	ck_assert_int_eq(pins_check(p, "bob", B, &pin, &why), Q_DENIED);
	ck_assert_int_eq(pins_check(p, "bob", A, &pin, &why), Q_OK);
	ck_assert_str_eq(pin.refused, B);
	pins_close(p);
}
END_TEST

START_TEST(accepting)
{
	struct pins *p = open_pins("alice");
	struct pin pin = {.verified = false};
	struct why why;

	ck_assert_int_eq(pins_accept(p, "bob", &pin, &why), Q_MISSING);
	ck_assert_int_eq(pins_set(p, "bob", A, &why), Q_OK);
	ck_assert_int_eq(pins_accept(p, "bob", &pin, &why), Q_MISSING);
	ck_assert_str_eq(why.text, "the key of bob has not changed");
	ck_assert_int_eq(pins_verify(p, "bob", A, true, &why), Q_OK);
	ck_assert_int_eq(pins_check(p, "bob", B, &pin, &why), Q_DENIED);
	ck_assert_int_eq(pins_accept(p, "BOB", &pin, &why), Q_OK);
	ck_assert_str_eq(pin.key, A);
	ck_assert_str_eq(pin.refused, B);
	/* What was verified was the old one. */
	ck_assert_int_eq(pins_check(p, "bob", B, &pin, &why), Q_OK);
	ck_assert(!pin.verified);
	ck_assert_str_eq(pin.refused, "");
	ck_assert_int_eq(pins_check(p, "bob", A, &pin, &why), Q_DENIED);
	pins_close(p);
}
END_TEST

START_TEST(verifying)
{
	struct pins *p = open_pins("alice");
	struct pin pin;
	struct why why;

	ck_assert_int_eq(pins_verify(p, "bob", A, true, &why), Q_MISSING);
	ck_assert_int_eq(pins_set(p, "bob", A, &why), Q_OK);
	ck_assert_int_eq(pins_verify(p, "bob", B, true, &why), Q_MISSING);
	ck_assert_int_eq(pins_verify(p, "bob", A, true, &why), Q_OK);
	pins_close(p);
	p = open_pins("alice");
	ck_assert_int_eq(pins_check(p, "bob", A, &pin, &why), Q_OK);
	ck_assert(pin.verified);
	ck_assert_int_eq(pins_verify(p, "bob", A, false, &why), Q_OK);
	ck_assert_int_eq(pins_get(p, "bob", &pin, &why), Q_OK);
	ck_assert(!pin.verified);
	pins_close(p);
}
END_TEST

/* What alice knows is not what carol knows, nor what holds at another server. */
START_TEST(apart)
{
	struct pins *p = open_pins("alice"), *q = open_pins("carol"), *r;
	struct cert *other = aid_ca();
	struct pin pin;

	ck_assert_int_eq(pins_set(p, "bob", A, NULL), Q_OK);
	ck_assert_int_eq(pins_get(q, "bob", &pin, NULL), Q_MISSING);
	ck_assert_int_eq(pins_open(profile, other, "alice", &r, NULL), Q_OK);
	ck_assert_int_eq(pins_get(r, "bob", &pin, NULL), Q_MISSING);
	pins_close(p);
	pins_close(q);
	pins_close(r);
	cert_free(other);
}
END_TEST

START_TEST(modes)
{
	struct pins *p = open_pins("alice");
	struct stat st;

	ck_assert_int_eq(pins_set(p, "bob", A, NULL), Q_OK);
	ck_assert_int_eq(stat(at(aid_file("pins", "alice", "bob")), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(at(aid_file("pins", "alice", "")), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	pins_close(p);
}
END_TEST

static const char *const damages[] = {
    "",
    "key\n",
    "key " A,
    "key " A "\nverified no\n",
    "key " A "\nsomething else\n",
    "verified yes\n",
    "key x" A "\n",
    "key 8g:3F:1B:F9:55:F8:0D:37:AD:3A:A4:40:40:67:4E:A8:"
    "85:CC:C6:52:4A:19:3E:03:39:D6:58:F0:FD:C6:95:1C\n",
    "key " A "\nkey " A "\nkey " A "\nkey " A "\nkey " A "\n",
};
#define DAMAGES ((int)(sizeof(damages) / sizeof(damages[0])))

/* A damaged pin is no reason to trust a key at first use again. */
START_TEST(damaged)
{
	struct pins *p = open_pins("alice");
	struct pin pin;
	struct why why = {""};

	ck_assert_int_eq(pins_set(p, "bob", A, NULL), Q_OK);
	spill(aid_file("pins", "alice", "bob"), span_str(damages[_i]));
	ck_assert_int_eq(pins_check(p, "bob", A, &pin, &why), Q_FORMAT);
	ck_assert_ptr_nonnull(strstr(why.text, "bob is damaged"));
	ck_assert_int_eq(pins_accept(p, "bob", &pin, &why), Q_FORMAT);
	pins_close(p);
}
END_TEST

/* Even when nothing can be written the changed key is refused. */
START_TEST(no_room)
{
	struct pins *p = open_pins("alice");
	struct rlimit none = {0, 0};
	struct pin pin;
	struct why why;

	ck_assert_int_eq(pins_set(p, "bob", A, NULL), Q_OK);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_eq(pins_check(p, "bob", B, &pin, &why), Q_DENIED);
	ck_assert_int_ne(pins_set(p, "dave", A, &why), Q_OK);
	ck_assert_int_ne(pins_verify(p, "bob", A, true, &why), Q_OK);
	ck_assert_int_eq(pins_get(p, "bob", &pin, &why), Q_OK);
	ck_assert_str_eq(pin.key, A);
	ck_assert(!pin.verified);
	pins_close(p);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("pins");
	TCase *t = tcase_create("pins");

	tcase_add_checked_fixture(t, aid_setup, aid_teardown);
	tcase_add_test(t, first_use_and_change);
	tcase_add_test(t, accepting);
	tcase_add_test(t, verifying);
	tcase_add_test(t, apart);
	tcase_add_test(t, modes);
	tcase_add_loop_test(t, damaged, 0, DAMAGES);
	tcase_add_test(t, no_room);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
