/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "client/backoff.h"
#include "client/link_watch.h"

/* The delays of attempts in vain, with the least and the most that chance can do. */
START_TEST(grows)
{
	static const int64_t whole[] = {1000,  2000,  4000,  8000, 16000,
					32000, 60000, 60000, 60000};
	struct backoff low = {0}, high = {0};

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		ck_assert_int_eq(backoff_lost(&low, 5000, 0), whole[i] / 2);
		ck_assert_int_eq(backoff_lost(&high, 5000, (uint32_t)(whole[i] / 2)),
				 whole[i]);
		ck_assert_uint_eq(low.attempts, i + 1);
	}
}
END_TEST

/* Whatever the randomness, never outside. */
START_TEST(bounds)
{
	struct backoff b = {0};
	uint32_t random = 12345;

	for (int i = 0; i < 10000; i++) {
		int64_t ms = backoff_lost(&b, i, random = random * 1664525 + 1013904223);

		ck_assert_int_ge(ms, BACKOFF_FIRST_MS / 2);
		ck_assert_int_le(ms, BACKOFF_CAP_MS);
	}
}
END_TEST

/* Only a connection that held begins the count anew. */
START_TEST(steady)
{
	struct backoff b = {0};

	backoff_lost(&b, 0, 0);
	backoff_lost(&b, 1000, 0);
	backoff_up(&b, 5000);
	ck_assert_int_eq(backoff_lost(&b, 5000 + BACKOFF_STEADY_MS - 1, 0), 2000);
	backoff_up(&b, 100000);
	ck_assert_int_eq(backoff_lost(&b, 100000 + BACKOFF_STEADY_MS, 0), 500);
	ck_assert_uint_eq(b.attempts, 1);
	/* And counts once only. */
	ck_assert_int_eq(backoff_lost(&b, 300000, 0), 1000);
}
END_TEST

START_TEST(many)
{
	struct backoff b = {.attempts = UINT32_MAX};

	ck_assert_int_eq(backoff_lost(&b, 0, 0), BACKOFF_CAP_MS / 2);
	ck_assert_uint_eq(b.attempts, UINT32_MAX);
}
END_TEST

/* ---- link_watch.h ---- */

START_TEST(watch)
{
	static const struct {
		int64_t now_ms;
		uint32_t unacked, last_ack_ms;
		bool dead;
	} looks[] = {
	    /* idle for an hour, then something is sent: nothing is wrong yet */
	    {3600000, 0, 3600000, false},
	    {3601000, 2, 3601000, false},
	    {3608999, 2, 3608999, false},
	    /* an acknowledgement, of not all of it */
	    {3609000, 1, 100, false},
	    {3616000, 1, 7100, false},
	    {3616899, 3, 7999, false},
	    {3616900, 3, 8000, true},
	    /* it has come after all */
	    {3617000, 0, 50, false},
	    {3699000, 1, 82000, false},
	    {3706999, 1, 90000, false},
	    {3707000, 1, 90000, true},
	};
	struct link_watch w = {0};

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		ck_assert_msg(link_watch_look(&w, looks[i].now_ms, looks[i].unacked,
					      looks[i].last_ack_ms) == looks[i].dead,
			      "look %zu", i);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("backoff");
	TCase *t = tcase_create("pure");

	tcase_add_test(t, grows);
	tcase_add_test(t, bounds);
	tcase_add_test(t, steady);
	tcase_add_test(t, many);
	tcase_add_test(t, watch);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
