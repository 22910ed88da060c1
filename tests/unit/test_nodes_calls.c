/* SPDX-License-Identifier: MIT
 *
 * The table of calls: everything that the page says of who is told what, as a script of
 * steps and the words that come of them.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "server/nodes/calls.h"

/* One thread; the lock is held from setup to teardown. */
#if defined(__clang__)
#	pragma clang diagnostic ignored "-Wthread-safety-analysis"
#endif

#define ALICE 10
#define BOB   20
#define CAROL 30
#define DAVE  40 /* is not here */

static struct calls calls;
static struct party alice, bob, carol;
static struct wire north, south;
static char told[2048];
static char data_of[8]; /* addresses of data connections */
static int64_t now;

static const char *
party_name(const struct party *p)
{
	return p == &alice ? "alice" : p == &bob ? "bob" : p == &carol ? "carol" : "?";
}

static void
tell(void *arg, const struct calls_told *t)
{
	static const char *const words[] = {"04", "05", "07",   "search", "AA",
					    "AB", "B8", "wait", "up",     "close"};
	char *out = told + strlen(told);
	size_t room = sizeof(told) - strlen(told);

	ck_assert_ptr_eq(arg, &calls);
	if (t->party != NULL)
		snprintf(out, room, " %s:%s(%u)", party_name(t->party), words[t->what],
			 t->uin);
	else if (t->wire != NULL)
		snprintf(out, room, " %s:%s(%u,%u)",
			 t->wire == &north ? "north" : "south", words[t->what], t->uin,
			 t->uin2);
	else if (t->what == TOLD_SEARCH)
		snprintf(out, room, " search(%u)", t->uin);
	else if (t->what == TOLD_CLOSE)
		snprintf(out, room, " close(%d)", (int)((char *)t->data - data_of));
	else if (t->what == TOLD_UP)
		snprintf(out, room, " up");
}

#define ASSERT_TOLD(text)                     \
	do {                                  \
		ck_assert_str_eq(told, text); \
		told[0] = '\0';               \
	} while (0)

static struct address
address(uint8_t last)
{
	struct address a = {.port = (uint16_t)(1000 + last)};

	a.ip.s6_addr[15] = last;
	return a;
}

static void
enter(struct party *p, uint32_t uin, uint8_t host)
{
	memset(p, 0, sizeof(*p));
	p->uin = uin;
	p->address = address(host);
	calls_enter(&calls, p);
}

static void
setup(void)
{
	static const struct calls_limits limits = {.call_timeout = 60000,
						   .remote_extra = 5000,
						   .data_timeout = 30000,
						   .search_timeout = 5000,
						   .max_pending = 3,
						   .max_searches = 2,
						   .max_asked = 2};

	told[0] = '\0';
	now = 1000;
	memset(&north, 0, sizeof(north));
	memset(&south, 0, sizeof(south));
	calls_init(&calls, &limits, tell);
	lock_take(&calls.lock);
	enter(&alice, ALICE, 1);
	enter(&bob, BOB, 2);
	enter(&carol, CAROL, 3);
}

/* All counts come back to nothing, whatever has happened. */
static void
teardown(void)
{
	struct party *all[] = {&alice, &bob, &carol};

	for (size_t i = 0; i < 3; i++)
		calls_leave(&calls, all[i], &calls);
	calls_wire_lost(&calls, &north, &calls);
	calls_wire_lost(&calls, &south, &calls);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(all[i]->pending, 0);
		ck_assert_uint_eq(all[i]->searching, 0);
	}
	ck_assert_uint_eq(north.asked, 0);
	ck_assert_uint_eq(south.asked, 0);
	ck_assert_int_eq(calls_next(&calls), 0);
	lock_drop(&calls.lock);
	calls_fini(&calls);
}

static void
place(struct party *p, uint32_t whom)
{
	ck_assert_int_eq(calls_place(&calls, p, whom, now, &calls), Q_OK);
}

struct joined {
	struct call *call;
	enum call_side side;
};

/* Data connection number n comes from a host. */
static enum qerr
join(uint32_t caller, uint32_t callee, uint8_t host, int n, struct joined *j)
{
	struct address a = address(host);

	a.port = 7; /* another connection's port */
	return calls_join(&calls, caller, callee, &a, &data_of[n], now, &j->call,
			  &j->side, &calls);
}

static void
hang_up(struct joined *j)
{
	calls_hang_up(&calls, j->call, j->side, &calls);
	calls_unref(&calls, j->call);
}

/* alice and bob are talking: data connections 1 (alice's) and 2. */
static void
talk(struct joined *a, struct joined *b)
{
	place(&alice, BOB);
	calls_allow(&calls, &bob, ALICE, now, &calls);
	ck_assert_int_eq(join(ALICE, BOB, 2, 2, b), Q_OK);
	ck_assert_int_eq(join(ALICE, BOB, 1, 1, a), Q_OK);
	told[0] = '\0';
}

/* ---- calls within the server ---- */

START_TEST(a_whole_call)
{
	struct joined a, b;

	place(&alice, BOB);
	ASSERT_TOLD(" bob:04(10)");
	ck_assert_int_eq(join(ALICE, BOB, 2, 2, &b), Q_MISSING); /* before the 06 */
	calls_allow(&calls, &bob, ALICE, now, &calls);
	ck_assert_int_eq(join(ALICE, BOB, 1, 1, &a), Q_MISSING); /* not yet its turn */
	ck_assert_int_eq(join(BOB, ALICE, 2, 2, &b), Q_MISSING); /* the wrong way round */
	ck_assert_int_eq(join(ALICE, BOB, 3, 3, &b), Q_MISSING); /* a stranger */
	told[0] = '\0';
	ck_assert_int_eq(join(ALICE, BOB, 2, 2, &b), Q_OK);
	ck_assert_int_eq(b.side, CALLEE);
	ASSERT_TOLD(" alice:07(20)");
	ck_assert_int_eq(join(ALICE, BOB, 2, 3, &a), Q_MISSING); /* its slot is taken */
	ck_assert_int_eq(join(ALICE, BOB, 1, 1, &a), Q_OK);
	ck_assert_int_eq(a.side, CALLER);
	ck_assert_ptr_eq(a.call, b.call);
	ASSERT_TOLD(" up");
	ck_assert_int_eq(calls_next(&calls), 0); /* it may last for ever */
	ck_assert_int_eq(join(ALICE, BOB, 1, 4, &(struct joined){0}), Q_MISSING);
	calls_hang_up(&calls, a.call, a.side, &calls);
	ASSERT_TOLD(" close(2)");
	calls_hang_up(&calls, b.call, b.side, &calls);
	ASSERT_TOLD("");
	calls_unref(&calls, a.call);
	calls_unref(&calls, b.call);
	place(&bob, ALICE); /* and again, the other way */
	ASSERT_TOLD(" alice:04(20)");
}
END_TEST

/* Both behind one address: who comes first after the 06 is the callee. */
START_TEST(one_address_for_two)
{
	struct joined first, second;

	carol.address = alice.address;
	place(&alice, CAROL);
	calls_allow(&calls, &carol, ALICE, now, &calls);
	ck_assert_int_eq(join(ALICE, CAROL, 1, 1, &first), Q_OK);
	ck_assert_int_eq(join(ALICE, CAROL, 1, 2, &second), Q_OK);
	ck_assert_int_eq(first.side, CALLEE);
	ck_assert_int_eq(second.side, CALLER);
	hang_up(&first);
	hang_up(&second);
}
END_TEST

START_TEST(refused)
{
	place(&alice, BOB);
	told[0] = '\0';
	calls_refuse(&calls, &carol, ALICE, &calls); /* was not asked */
	calls_refuse(&calls, &bob, CAROL, &calls);
	calls_refuse(&calls, &alice, BOB, &calls); /* the caller */
	ASSERT_TOLD("");
	calls_refuse(&calls, &bob, ALICE, &calls);
	ASSERT_TOLD(" alice:05(20)");
	calls_refuse(&calls, &bob, ALICE, &calls);
	ASSERT_TOLD("");
	calls_allow(&calls, &bob, ALICE, now, &calls);
	ASSERT_TOLD(" bob:05(10)");
}
END_TEST

START_TEST(placed_in_vain)
{
	struct joined a, b;

	place(&alice, ALICE);
	ASSERT_TOLD(" alice:05(10)");
	place(&alice, BOB);
	ASSERT_TOLD(" bob:04(10)");
	place(&alice, BOB); /* still pending: nothing */
	ASSERT_TOLD("");
	place(&bob, ALICE); /* the other one's call is */
	ASSERT_TOLD(" bob:05(10)");
	calls_refuse(&calls, &bob, ALICE, &calls);
	talk(&a, &b);
	place(&alice, BOB);
	ASSERT_TOLD(" alice:05(20)");
	place(&bob, ALICE);
	ASSERT_TOLD(" bob:05(10)");
	calls_allow(&calls, &bob, ALICE, now, &calls); /* up is not pending */
	ASSERT_TOLD(" bob:05(10)");
	hang_up(&a);
	hang_up(&b);
}
END_TEST

START_TEST(lapses)
{
	struct joined a, b;

	place(&alice, BOB);
	told[0] = '\0';
	ck_assert_int_eq(calls_next(&calls), 61000);
	ck_assert_int_eq(calls_lapse(&calls, 60999, &calls), 61000);
	ASSERT_TOLD("");
	ck_assert_int_eq(calls_lapse(&calls, 61000, &calls), 0);
	ASSERT_TOLD(" alice:05(20) bob:05(10)");

	place(&alice, BOB); /* the callee's data */
	now = 5000;
	calls_allow(&calls, &bob, ALICE, now, &calls);
	told[0] = '\0';
	ck_assert_int_eq(calls_lapse(&calls, 34999, &calls), 35000);
	(void)calls_lapse(&calls, 35000, &calls);
	ASSERT_TOLD(" alice:05(20) bob:05(10)");

	place(&alice, BOB); /* the caller's data */
	calls_allow(&calls, &bob, ALICE, now, &calls);
	now = 6000;
	ck_assert_int_eq(join(ALICE, BOB, 2, 2, &b), Q_OK);
	told[0] = '\0';
	(void)calls_lapse(&calls, 35999, &calls);
	ASSERT_TOLD("");
	(void)calls_lapse(&calls, 36000, &calls);
	ASSERT_TOLD(" close(2)");
	ck_assert_int_eq(join(ALICE, BOB, 1, 1, &a), Q_MISSING);
	hang_up(&b);
	ASSERT_TOLD("");
}
END_TEST

START_TEST(somebody_leaves)
{
	struct joined a, b;

	place(&alice, BOB);
	place(&carol, ALICE);
	told[0] = '\0';
	calls_leave(&calls, &alice, &calls); /* caller of one, callee of the other */
	ck_assert(strstr(told, "bob:05(10)") != NULL &&
		  strstr(told, "carol:05(10)") != NULL);
	told[0] = '\0';
	calls_leave(&calls, &alice, &calls);
	ASSERT_TOLD("");
	enter(&alice, ALICE, 1);
	talk(&a, &b);
	calls_leave(&calls, &alice, &calls); /* what is up goes on */
	calls_leave(&calls, &bob, &calls);
	ASSERT_TOLD("");
	enter(&alice, ALICE, 1);
	enter(&bob, BOB, 2);
	place(&alice, BOB);
	ASSERT_TOLD(" alice:05(20)");
	calls_break(&calls, a.call, &calls);
	ASSERT_TOLD(" close(1) close(2)");
	hang_up(&a);
	hang_up(&b);
	ASSERT_TOLD("");
}
END_TEST

/* The callee's connection breaks before the caller's has come. */
/* One who has been replaced is still read for a moment: what it says then counts for nothing,
 * since its calls would outlive it. */
START_TEST(replaced_and_still_speaking)
{
	struct party again;

	calls_leave(&calls, &alice, &calls);
	enter(&again, ALICE, 1);
	ck_assert_int_eq(calls_place(&calls, &alice, BOB, now, &calls), Q_OK);
	ck_assert_int_eq(calls_place(&calls, &alice, DAVE, now, &calls), Q_OK);
	calls_allow(&calls, &alice, BOB, now, &calls);
	calls_refuse(&calls, &alice, BOB, &calls);
	ASSERT_TOLD("");
	ck_assert_uint_eq(calls.count, 0);
	/* And the one in its place is heard. */
	ck_assert_int_eq(calls_place(&calls, &again, BOB, now, &calls), Q_OK);
	ASSERT_TOLD(" bob:04(10)");
	calls_leave(&calls, &again, &calls);
	ASSERT_TOLD(" bob:05(10)");
}
END_TEST

START_TEST(callee_hangs_up_early)
{
	struct joined b;

	place(&alice, BOB);
	calls_allow(&calls, &bob, ALICE, now, &calls);
	ck_assert_int_eq(join(ALICE, BOB, 2, 2, &b), Q_OK);
	told[0] = '\0';
	hang_up(&b);
	ASSERT_TOLD(" alice:05(20)");
}
END_TEST

START_TEST(not_too_many)
{
	struct party more[2];

	enter(&more[0], 50, 5);
	enter(&more[1], 60, 6);
	place(&alice, BOB);
	place(&alice, CAROL);
	place(&alice, 50);
	told[0] = '\0';
	place(&alice, 60);
	ASSERT_TOLD(" alice:05(60)");
	calls_refuse(&calls, &bob, ALICE, &calls);
	told[0] = '\0';
	place(&alice, 60);
	ck_assert_ptr_nonnull(strstr(told, "?:04(10)"));
	calls_leave(&calls, &more[0], &calls);
	calls_leave(&calls, &more[1], &calls);
}
END_TEST

/* ---- calls to elsewhere ---- */

START_TEST(calls_to_elsewhere)
{
	struct joined a;

	place(&alice, DAVE);
	ASSERT_TOLD(" search(40)");
	place(&alice, DAVE);
	ASSERT_TOLD("");
	calls_searched(&calls, DAVE, &north, now, &calls);
	ASSERT_TOLD(" north:AA(10,40)");
	ck_assert_int_eq(calls_next(&calls), now + 65000);
	calls_wire_ready(&calls, &south, ALICE, DAVE, now, &calls); /* another link */
	calls_wire_ready(&calls, &north, DAVE, ALICE, now, &calls); /* another call */
	ASSERT_TOLD("");
	ck_assert_ptr_null(calls_wire_data(&calls, &north, DAVE, ALICE));
	calls_wire_ready(&calls, &north, ALICE, DAVE, now, &calls);
	ASSERT_TOLD(" alice:07(40)");
	/* Bytes that hurry ahead are held. */
	ck_assert_ptr_nonnull(calls_wire_data(&calls, &north, DAVE, ALICE));
	ck_assert_ptr_null(calls_wire_data(&calls, &south, DAVE, ALICE));
	ck_assert_int_eq(join(ALICE, DAVE, 1, 1, &a), Q_OK);
	ck_assert_int_eq(a.side, CALLER);
	ASSERT_TOLD(" up");
	ck_assert_ptr_eq(calls_wire_data(&calls, &north, DAVE, ALICE), a.call);
	hang_up(&a);
	ASSERT_TOLD(" north:B8(10,40)");
	ck_assert_ptr_null(calls_wire_data(&calls, &north, DAVE, ALICE));
}
END_TEST

START_TEST(searches_end)
{
	place(&alice, DAVE);
	place(&bob, DAVE);
	place(&alice, 41);
	told[0] = '\0';
	place(&alice, 42); /* one search too many */
	ASSERT_TOLD(" alice:05(42)");
	calls_searched(&calls, DAVE, NULL, now, &calls);
	ASSERT_TOLD(" alice:05(40) bob:05(40)");
	calls_searched(&calls, DAVE, &north, now, &calls); /* too late */
	ASSERT_TOLD("");
	(void)calls_lapse(&calls, now + 5000, &calls);
	ASSERT_TOLD(" alice:05(41)");
	place(&alice, DAVE);
	told[0] = '\0';
	calls_leave(&calls, &alice, &calls);
	ASSERT_TOLD("");
	calls_searched(&calls, DAVE, &north, now, &calls);
	ASSERT_TOLD("");
}
END_TEST

START_TEST(elsewhere_says_no)
{
	struct joined a;

	place(&alice, DAVE);
	calls_searched(&calls, DAVE, &north, now, &calls);
	told[0] = '\0';
	calls_wire_over(&calls, &south, ALICE, DAVE, &calls);
	ASSERT_TOLD("");
	calls_wire_over(&calls, &north, DAVE, ALICE, &calls); /* in either order */
	ASSERT_TOLD(" alice:05(40)");
	place(&alice, DAVE); /* 65 s without an answer */
	calls_searched(&calls, DAVE, &north, now, &calls);
	told[0] = '\0';
	(void)calls_lapse(&calls, now + 65000, &calls);
	ASSERT_TOLD(" alice:05(40) north:B8(10,40)");
	place(&alice, DAVE); /* the caller does not come */
	calls_searched(&calls, DAVE, &north, now, &calls);
	calls_wire_ready(&calls, &north, ALICE, DAVE, now, &calls);
	told[0] = '\0';
	(void)calls_lapse(&calls, now + 30000, &calls);
	ASSERT_TOLD(" north:B8(10,40)");
	place(&alice, DAVE); /* over in the middle */
	calls_searched(&calls, DAVE, &north, now, &calls);
	calls_wire_ready(&calls, &north, ALICE, DAVE, now, &calls);
	ck_assert_int_eq(join(ALICE, DAVE, 1, 1, &a), Q_OK);
	told[0] = '\0';
	calls_wire_over(&calls, &north, ALICE, DAVE, &calls);
	ASSERT_TOLD(" close(1)");
	hang_up(&a);
	ASSERT_TOLD("");
}
END_TEST

/* ---- calls from elsewhere ---- */

START_TEST(calls_from_elsewhere)
{
	struct joined b;

	calls_wire_ask(&calls, &north, DAVE, BOB, now, &calls);
	ASSERT_TOLD(" bob:04(40)");
	calls_wire_ask(&calls, &north, DAVE, BOB, now, &calls); /* again: nothing */
	ASSERT_TOLD("");
	calls_allow(&calls, &bob, DAVE, now, &calls);
	told[0] = '\0';
	ck_assert_int_eq(join(DAVE, BOB, 2, 2, &b), Q_OK);
	ASSERT_TOLD(" north:AB(40,20) up");
	ck_assert_uint_eq(north.asked, 0);
	calls_wire_ask(&calls, &north, DAVE, BOB, now, &calls); /* up: nothing */
	ASSERT_TOLD("");
	ck_assert_ptr_eq(calls_wire_data(&calls, &north, DAVE, BOB), b.call);
	ck_assert_ptr_null(calls_wire_data(&calls, &south, DAVE, BOB));
	calls_wire_lost(&calls, &south, &calls);
	ASSERT_TOLD("");
	calls_wire_lost(&calls, &north, &calls);
	ASSERT_TOLD(" close(2)");
	hang_up(&b);
	ASSERT_TOLD("");
}
END_TEST

START_TEST(refused_to_elsewhere)
{
	calls_wire_ask(&calls, &north, DAVE, 99, now, &calls); /* nobody of ours */
	ASSERT_TOLD(" north:B8(40,99)");
	calls_wire_ask(&calls, &north, ALICE, BOB, now, &calls); /* a caller of ours */
	ASSERT_TOLD(" north:B8(10,20)");
	calls_wire_ask(&calls, &north, BOB, BOB, now, &calls);
	ASSERT_TOLD(" north:B8(20,20)");
	calls_wire_ask(&calls, &north, DAVE, BOB, now, &calls);
	told[0] = '\0';
	calls_wire_ask(&calls, &south, DAVE, BOB, now, &calls); /* another's call */
	ASSERT_TOLD(" south:B8(40,20)");
	place(&bob, DAVE); /* whose call is pending here */
	ASSERT_TOLD(" bob:05(40)");
	calls_refuse(&calls, &bob, DAVE, &calls);
	ASSERT_TOLD(" north:B8(40,20)");
	calls_wire_ask(&calls, &north, 41, BOB, now, &calls);
	calls_wire_ask(&calls, &north, 42, BOB, now, &calls);
	told[0] = '\0';
	calls_wire_ask(&calls, &north, 43, BOB, now, &calls); /* two are pending */
	ASSERT_TOLD(" north:B8(43,20)");
	calls_leave(&calls, &bob, &calls);
	ASSERT_TOLD(" north:B8(41,20) north:B8(42,20)");
	enter(&bob, BOB, 2);
	calls_wire_ask(&calls, &north, DAVE, BOB, now, &calls);
	told[0] = '\0';
	(void)calls_lapse(&calls, now + 60000, &calls);
	ASSERT_TOLD(" bob:05(40) north:B8(40,20)");
	calls_wire_ask(&calls, &north, DAVE, BOB, now, &calls);
	told[0] = '\0';
	calls_wire_lost(&calls, &north, &calls);
	ASSERT_TOLD(" bob:05(40)");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nodes_calls");
	TCase *t = tcase_create("calls");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_whole_call);
	tcase_add_test(t, one_address_for_two);
	tcase_add_test(t, refused);
	tcase_add_test(t, placed_in_vain);
	tcase_add_test(t, lapses);
	tcase_add_test(t, somebody_leaves);
	tcase_add_test(t, replaced_and_still_speaking);
	tcase_add_test(t, callee_hangs_up_early);
	tcase_add_test(t, not_too_many);
	tcase_add_test(t, calls_to_elsewhere);
	tcase_add_test(t, searches_end);
	tcase_add_test(t, elsewhere_says_no);
	tcase_add_test(t, calls_from_elsewhere);
	tcase_add_test(t, refused_to_elsewhere);
	suite_add_tcase(s, t);
	return unit_main(s);
}
