/* SPDX-License-Identifier: MIT
 *
 * Who is read in gulps, and who never is: the decision alone, with times made up.
 */
#include "tests/unit/unit.h"

#include "server/pace.h"

#define US 1000

/* What a worker does once: look if that is worth it, wait if nothing was there, and note
 * when bytes came.  waiting: how much was there when the last answer had been written. */
static int64_t
once(struct pace *p, int64_t now_ns, size_t waiting)
{
	int64_t nap = pace_looks(p) ? pace_looked(p, waiting) : 0;

	pace_came(p, now_ns);
	return nap;
}

/* Somebody who asks and waits for the answer, however quick, has nothing on the way when
 * it is written. */
START_TEST(one_in_flight_never_waits)
{
	static const int64_t round_trips[] = {2 * US, 10 * US, 19 * US, 30 * US,
					      5000 * US};

	for (size_t k = 0; k < sizeof(round_trips) / sizeof(round_trips[0]); k++) {
		struct pace p = {0};

		for (int64_t i = 1; i < 1000; i++)
			ck_assert_int_eq(once(&p, i * round_trips[k], 0), 0);
	}
}
END_TEST

/* At an ordinary pace there is not even a system call more. */
START_TEST(slow_ones_are_not_looked_at)
{
	struct pace p = {0};

	ck_assert(!pace_looks(&p));
	for (int64_t i = 1; i < 100; i++) {
		pace_came(&p, i * PACE_FAST_NS);
		ck_assert(!pace_looks(&p));
	}
}
END_TEST

START_TEST(a_stream_is_seen_soon_and_forgotten_soon)
{
	struct pace p = {0};
	int64_t now = 1000 * US;
	int naps = 0, looks;

	for (int i = 0; i < 2 + PACE_SURE / PACE_FOUND; i++)
		naps += once(&p, now += 4 * US, 100) > 0;
	ck_assert_int_eq(naps, 1);
	/* The naps themselves make the gaps long: that does not end it. */
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(once(&p, now += 120 * US, 1500), PACE_NAP_NS);
	/* The stream has ended, or its sender waits for us now. */
	for (looks = 0; pace_looks(&p); looks++)
		ck_assert_int_eq(once(&p, now += 120 * US, 0), 0);
	ck_assert_int_le(looks, PACE_MAX);
}
END_TEST

static const struct {
	int each; /* of so many looks one finds something */
	bool stream;
} shares[] = {{1, true}, {2, true}, {3, false}, {4, false}, {10, false}};

START_TEST(how_often)
{
	struct pace p = {0};
	int naps = 0;

	for (int64_t i = 1; i < 1000; i++)
		naps += once(&p, i * 4 * US, i % shares[_i].each == 0 ? 100 : 0) > 0;
	if (shares[_i].stream)
		ck_assert_int_gt(naps, 900 / shares[_i].each);
	else
		ck_assert_int_eq(naps, 0);
}
END_TEST

/* Whoever sends many messages a write needs no pause to be read in gulps. */
START_TEST(large_reads_do_not_wait)
{
	struct pace p = {0};

	for (int64_t i = 1; i < 100; i++)
		ck_assert_int_eq(once(&p, i * 4 * US, PACE_ENOUGH), 0);
	ck_assert_int_eq(once(&p, 400L * US, PACE_ENOUGH - 1), PACE_NAP_NS);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pace");
	TCase *c = tcase_create("pace");

	tcase_add_test(c, one_in_flight_never_waits);
	tcase_add_test(c, slow_ones_are_not_looked_at);
	tcase_add_test(c, a_stream_is_seen_soon_and_forgotten_soon);
	tcase_add_loop_test(c, how_often, 0, sizeof(shares) / sizeof(shares[0]));
	tcase_add_test(c, large_reads_do_not_wait);
	suite_add_tcase(s, c);
	return unit_main(s);
}
