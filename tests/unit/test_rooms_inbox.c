/* SPDX-License-Identifier: MIT
 *
 * What one connection of rooms was told, was sent, and has had.
 */
#include <string.h>

#include "server/rooms/rooms_inbox.h"
#include "tests/unit/unit.h"

static struct uuid
id(uint8_t n)
{
	struct uuid u = {{n}};

	u.b[15] = n;
	return u;
}

START_TEST(rooms_by_id)
{
	struct rooms_inbox in = {.n = 0};
	static const uint8_t order[] = {5, 1, 9, 3, 7, 2, 8};

	for (size_t i = 0; i < sizeof(order); i++) {
		struct uuid u = id(order[i]);

		ck_assert_ptr_null(rooms_inbox_find(&in, &u));
		ck_assert_uint_eq(rooms_inbox_enter(&in, &u, order[i])->sent, order[i]);
		/* Again: it stays as it is. */
		ck_assert_uint_eq(rooms_inbox_enter(&in, &u, 100)->sent, order[i]);
	}
	ck_assert_uint_eq(in.n, sizeof(order));
	for (size_t i = 1; i < in.n; i++)
		ck_assert_int_lt(uuid_cmp(&in.rooms[i - 1].id, &in.rooms[i].id), 0);
	for (size_t i = 0; i < sizeof(order); i++) {
		struct uuid u = id(order[i]);

		ck_assert_uint_eq(rooms_inbox_find(&in, &u)->told, order[i]);
		rooms_inbox_forget(&in, &u);
		ck_assert_ptr_null(rooms_inbox_find(&in, &u));
		rooms_inbox_forget(&in, &u);
	}
	ck_assert_uint_eq(in.n, 0);
	rooms_inbox_fini(&in);
}
END_TEST

/* Rooms that owe something take turns, and those of the login come first. */
START_TEST(owing)
{
	struct rooms_inbox in = {.n = 0};
	struct uuid a = id(1), b = id(2), c = id(3);
	struct rooms_inbox_room *room;

	ck_assert_ptr_null(rooms_inbox_owing(&in, false));
	(void)rooms_inbox_enter(&in, &a, 5);
	room = rooms_inbox_enter(&in, &b, 5);
	room->told = 9;
	room->waited = 7;
	rooms_inbox_enter(&in, &c, 0)->told = 3;
	room = rooms_inbox_owing(&in, false);
	ck_assert_ptr_ne(room, rooms_inbox_owing(&in, false));
	ck_assert_ptr_eq(room, rooms_inbox_owing(&in, false));
	room = rooms_inbox_owing(&in, true);
	ck_assert(uuid_eq(&room->id, &b));
	rooms_inbox_sent(room, 7, 100);
	ck_assert_ptr_null(rooms_inbox_owing(&in, true));
	rooms_inbox_sent(room, 9, 200);
	rooms_inbox_sent(rooms_inbox_find(&in, &c), 3, 300);
	ck_assert_ptr_null(rooms_inbox_owing(&in, false));
	rooms_inbox_fini(&in);
}
END_TEST

/* What has arrived is known at marks: never too much, and all of it in the end. */
START_TEST(arriving)
{
	struct rooms_inbox in = {.n = 0};
	struct uuid a = id(1);
	struct rooms_inbox_room *room = rooms_inbox_enter(&in, &a, 10);

	ck_assert(!rooms_inbox_unsettled(&in));
	ck_assert_uint_eq(rooms_inbox_acked(room, 0), 0);
	rooms_inbox_sent(room, 11, 100);
	rooms_inbox_sent(room, 12, 200);
	rooms_inbox_sent(room, 13, 300);
	ck_assert(rooms_inbox_unsettled(&in));
	ck_assert_uint_eq(rooms_inbox_acked(room, 99), 0);
	/* 12 has arrived as well, but only 11 is marked. */
	ck_assert_uint_eq(rooms_inbox_acked(room, 250), 11);
	ck_assert_uint_eq(rooms_inbox_acked(room, 250), 0);
	rooms_inbox_sent(room, 14, 400);
	ck_assert_uint_eq(rooms_inbox_acked(room, 300), 13);
	ck_assert_uint_eq(rooms_inbox_acked(room, 399), 0);
	ck_assert_uint_eq(rooms_inbox_acked(room, 400), 14);
	ck_assert(!rooms_inbox_unsettled(&in));
	/* Where the file could not be read the position stays; so it does by hand. */
	room->frozen = true;
	rooms_inbox_sent(room, 20, 500);
	ck_assert_uint_eq(rooms_inbox_acked(room, 500), 0);
	ck_assert(!rooms_inbox_unsettled(&in));
	room->frozen = false;
	ck_assert(rooms_inbox_unsettled(&in));
	in.by_hand = true;
	ck_assert(!rooms_inbox_unsettled(&in));
	rooms_inbox_fini(&in);
}
END_TEST

/* However the acknowledgements fall: what counts as had was acknowledged. */
START_TEST(never_too_much)
{
	for (uint64_t step = 1; step < 60; step++) {
		struct rooms_inbox in = {.n = 0};
		struct uuid a = id(1);
		struct rooms_inbox_room *room = rooms_inbox_enter(&in, &a, 0);
		uint64_t had = 0, upto;

		for (uint64_t seq = 1; seq <= 100; seq++) {
			rooms_inbox_sent(room, seq, seq * 10);
			if (seq % 7 != 0)
				continue;
			upto = rooms_inbox_acked(room, seq * step / 6);
			ck_assert(upto == 0 || upto > had);
			had = upto > had ? upto : had;
			ck_assert_uint_le(had * 10, seq * step / 6);
		}
		upto = rooms_inbox_acked(room, 1000);
		ck_assert_uint_eq(upto > had ? upto : had, 100);
		rooms_inbox_fini(&in);
	}
}
END_TEST

START_TEST(own_events)
{
	struct rooms_inbox in = {.n = 0};
	struct uuid a = id(1), b = id(2);

	for (uint64_t seq = 1; seq <= 20; seq++) {
		ck_assert_int_eq(rooms_inbox_own(&in, &a, 2 * seq), Q_OK);
		ck_assert_int_eq(rooms_inbox_own(&in, &b, seq), Q_OK);
	}
	ck_assert(rooms_inbox_is_own(&in, &a, 40));
	ck_assert(!rooms_inbox_is_own(&in, &a, 39));
	ck_assert(!rooms_inbox_is_own(&in, &b, 40));
	rooms_inbox_passed(&in, &a, 20);
	ck_assert(!rooms_inbox_is_own(&in, &a, 20));
	ck_assert(rooms_inbox_is_own(&in, &a, 22));
	ck_assert(rooms_inbox_is_own(&in, &b, 1));
	rooms_inbox_passed(&in, &a, UINT64_MAX);
	rooms_inbox_passed(&in, &b, UINT64_MAX);
	ck_assert_uint_eq(in.n_own, 0);
	ck_assert_ptr_null(in.own);
	rooms_inbox_fini(&in);
}
END_TEST

START_TEST(farewells)
{
	struct rooms_inbox in = {.n = 0};
	struct uuid a = id(1);

	ck_assert(!rooms_inbox_bade(&in, &a, 4));
	for (uint64_t seq = 4; seq < 30; seq++)
		ck_assert_int_eq(rooms_inbox_farewell(&in, &a, seq, seq), Q_OK);
	ck_assert_int_eq(rooms_inbox_farewell(&in, &a, 4, 7), Q_EXISTS);
	ck_assert(rooms_inbox_bade(&in, &a, 4));
	ck_assert(rooms_inbox_unsettled(&in));
	for (size_t i = 0; i < in.n_farewells; i++)
		in.farewells[i].had = true;
	ck_assert(!rooms_inbox_unsettled(&in));
	rooms_inbox_fini(&in);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rooms inbox");
	TCase *tc = tcase_create("inbox");

	tcase_add_test(tc, rooms_by_id);
	tcase_add_test(tc, owing);
	tcase_add_test(tc, arriving);
	tcase_add_test(tc, never_too_much);
	tcase_add_test(tc, own_events);
	tcase_add_test(tc, farewells);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
