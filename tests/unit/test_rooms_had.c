/* SPDX-License-Identifier: MIT
 *
 * What each member of a room has had and read, and who is to be told that it was removed.
 */
#include "tests/unit/rooms_fake.h"

#include "store/file.h"

static uint64_t
position(const struct uuid *id, const char *user)
{
	uint64_t seq = 999;

	ck_assert_int_eq(rooms_position(r, id, user, &seq), ROOM_OK);
	return seq;
}

START_TEST(test_positions)
{
	struct uuid id;
	uint64_t seq;

	make(ROOM_GROUP, "alice", "bob", &id);
	say(&id, "alice", "1", NULL, NULL);
	say(&id, "alice", "2", NULL, NULL);
	ck_assert_uint_eq(position(&id, "bob"), 0);
	ck_assert_int_eq(rooms_seen(r, &id, "BOB", 2), ROOM_OK);
	ck_assert_int_eq(rooms_seen(r, &id, "bob", 1), ROOM_OK);
	ck_assert_uint_eq(position(&id, "Bob"), 2);
	rooms_save(r);
	ck_assert(exists("d/seen/bob"));
	reopen();
	ck_assert_uint_eq(position(&id, "bob"), 2);
	ck_assert_int_eq(rooms_seen(r, &id, "bob", 1000), ROOM_OK);
	ck_assert_uint_eq(position(&id, "bob"), 3);
	reopen(); /* closing saves */
	ck_assert_uint_eq(position(&id, "bob"), 3);
	ck_assert_int_eq(change(&id, ROOM_ADD, "alice", "carol"), ROOM_OK);
	ck_assert_uint_eq(position(&id, "carol"), 3);
	ck_assert_int_eq(rooms_position(r, &id, "eve", &seq), ROOM_NOT_IN);
	ck_assert_int_eq(rooms_seen(r, &id, "eve", 1), ROOM_NOT_IN);
	ck_assert_int_eq(change(&id, ROOM_REMOVE, "alice", "bob"), ROOM_OK);
	ck_assert_int_eq(rooms_seen(r, &id, "bob", 5), ROOM_NOT_IN);
	ck_assert_int_eq(change(&id, ROOM_ADD, "alice", "bob"), ROOM_OK);
	ck_assert_uint_eq(position(&id, "bob"), 5);
	spill("d/seen/carol", span_str("rubbish"));
	reopen();
	ck_assert_uint_eq(position(&id, "carol"), 3);
	ck_assert_ptr_nonnull(strstr(reported, "seen"));
}
END_TEST

static ino_t
inode(const char *file)
{
	struct stat st;

	ck_assert_int_eq(stat(at(file), &st), 0);
	return st.st_ino;
}

/* A file that stays as long is written over, but not one that a snapshot has. */
START_TEST(test_positions_in_place)
{
	struct uuid id;
	struct buf kept;
	ino_t first;

	make(ROOM_GROUP, "alice", "bob", &id);
	for (int i = 0; i < 12; i++)
		say(&id, "alice", "x", NULL, NULL);
	rooms_seen(r, &id, "bob", 2);
	rooms_save(r);
	first = inode("d/seen/bob");
	rooms_seen(r, &id, "bob", 3);
	rooms_save(r);
	ck_assert_uint_eq(inode("d/seen/bob"), first);
	reopen();
	ck_assert_uint_eq(position(&id, "bob"), 3);
	ck_assert_int_eq(link(at("d/seen/bob"), at("d/kept")), 0);
	rooms_seen(r, &id, "bob", 4);
	rooms_save(r);
	ck_assert_uint_ne(inode("d/seen/bob"), first);
	kept = slurp("d/kept");
	ck_assert_ptr_nonnull(memmem(kept.p, kept.len, "3 0000000000\n", 13));
	buf_free(&kept);
	first = inode("d/seen/bob");
	rooms_seen(r, &id, "bob", 11); /* a digit more */
	rooms_save(r);
	ck_assert_uint_eq(inode("d/seen/bob"), first);
	reopen();
	ck_assert_uint_eq(position(&id, "bob"), 11);
}
END_TEST

/* A room whose log has lost all but its first event in a power cut, behind which bob's
 * position and what he has read are. */
static void
lose_end(struct uuid *id)
{
	struct uuid msg;
	struct buf log;
	const char *file;
	char name[600];

	make(ROOM_GROUP, "alice", "bob", id);
	for (int i = 0; i < 5; i++)
		say(id, "alice", "x", NULL, &msg);
	rooms_seen(r, id, "bob", 6);
	ck_assert_int_eq(rooms_receipt(r, id, "bob", &msg), ROOM_OK);
	close_rooms();
	file = find_name("d/messages", "room-");
	snprintf(name, sizeof(name), "%s", file);
	log = slurp(name);
	log.len = (size_t)((const uint8_t *)memmem(log.p, log.len, "\n=", 2) - log.p) + 1;
	spill(name, buf_span(&log));
	buf_free(&log);
	open_rooms();
}

START_TEST(test_position_ahead)
{
	struct uuid id;

	lose_end(&id);
	say(&id, "alice", "new", NULL, NULL);
	ck_assert_uint_eq(position(&id, "bob"), 1);
	ck_assert_str_eq(waiting(&id, "bob", position(&id, "bob")), "2:send:alice");
	ck_assert_str_eq(page(&id, NULL, 9), "alice:new");
}
END_TEST

/* Bob comes only after another start, when the log has got longer by messages or by
 * changes, and he may have looked in between. */
START_TEST(test_position_ahead_and_caught_up_with)
{
	const struct room_info *info;
	struct room_ask ask = {.action = ROOM_RENAME, .by = "alice", .name = "new"};
	struct room_receipt *list;
	struct uuid id, msg;
	uint64_t seq;
	enum qerr e;
	size_t n;

	lose_end(&id);
	if (_i == 1)
		ck_assert_uint_eq(position(&id, "bob"), 1);
	if (_i == 2) {
		ck_assert_int_eq(rooms_change(r, &id, &ask, &info, &seq, &e), ROOM_OK);
		room_info_put(info);
	}
	for (int i = 0; i < 8; i++)
		say(&id, "alice", "new", NULL, i == 0 ? &msg : NULL);
	reopen();
	ck_assert_uint_eq(position(&id, "bob"), 1);
	ck_assert_int_eq(rooms_receipts(r, &id, &list, &n), Q_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(rooms_receipt(r, &id, "bob", &msg), ROOM_OK);
}
END_TEST

START_TEST(test_receipts)
{
	struct room_receipt *list;
	struct uuid id, a, b;
	size_t n;

	make(ROOM_GROUP, "alice", "bob carol", &id);
	say(&id, "alice", "1", NULL, &a);
	say(&id, "alice", "2", NULL, &b);
	ck_assert_int_eq(rooms_receipts(r, &id, &list, &n), Q_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(rooms_receipt(r, &id, "bob", &b), ROOM_OK);
	ck_assert_int_eq(rooms_receipt(r, &id, "bob", &a), ROOM_REPEATED);
	ck_assert_int_eq(rooms_receipt(r, &id, "carol", &a), ROOM_OK);
	ck_assert_int_eq(rooms_receipt(r, &id, "eve", &a), ROOM_NOT_IN);
	ck_assert_int_eq(rooms_receipt(r, &id, "bob", &id), ROOM_NO_MESSAGE);
	for (int round = 0; round < 2; round++, reopen()) {
		ck_assert_int_eq(rooms_receipts(r, &id, &list, &n), Q_OK);
		ck_assert_uint_eq(n, 2);
		ck_assert_str_eq(list[0].user, "bob");
		ck_assert(uuid_eq(&list[0].msg, &b) && uuid_eq(&list[1].msg, &a));
		free(list);
	}
}
END_TEST

static char farewell_line[512];

static bool
take_farewell(void *arg, const struct room_info *info, const struct room_event *ev)
{
	size_t n = strlen(farewell_line);

	(void)arg;
	snprintf(farewell_line + n, sizeof(farewell_line) - n, "%d:%s:%s:%zu ",
		 (int)ev->seq, ev->change->action == ROOM_DROP ? "drop" : "remove",
		 ev->from, info->n_members);
	return true;
}

static const char *
farewells(const char *user)
{
	farewell_line[0] = '\0';
	ck_assert_int_eq(rooms_farewells(r, user, take_farewell, NULL), Q_OK);
	return farewell_line;
}

START_TEST(test_farewells)
{
	const char *const both[] = {"carol", "nobody", "bob"};
	struct uuid id;

	make(ROOM_GROUP, "alice", "bob carol dave", &id);
	say(&id, "alice", "1", NULL, NULL);
	ck_assert_int_eq(change(&id, ROOM_REMOVE, "alice", "bob"), ROOM_OK);
	ck_assert_str_eq(farewells("BOB"), "3:remove:alice:3 ");
	ck_assert_int_eq(change(&id, ROOM_LEAVE, "dave", ""), ROOM_OK);
	ck_assert_str_eq(farewells("dave"), "");
	ck_assert_int_eq(change(&id, ROOM_DROP, "alice", ""), ROOM_OK);
	for (int round = 0; round < 2; round++, reopen()) {
		ck_assert_str_eq(farewells("bob"), "3:remove:alice:3 ");
		ck_assert_str_eq(farewells("carol"), "5:drop:alice:2 ");
		ck_assert_str_eq(farewells("alice"), "");
	}
	ck_assert_int_eq(rooms_farewell_told(r, &id, 5, both, 3), Q_OK);
	for (int round = 0; round < 2; round++, reopen()) {
		ck_assert_str_eq(farewells("carol"), "");
		ck_assert_str_eq(farewells("bob"), "3:remove:alice:3 ");
	}
	ck_assert_int_eq(rooms_forget(r, "Bob"), Q_OK);
	reopen();
	ck_assert_str_eq(farewells("bob"), "");
	ck_assert_int_eq(count_names("d/messages", "room-"), 0);
	ck_assert_int_eq(count_names("d/rooms", ".state"), 0);
}
END_TEST

START_TEST(test_forget)
{
	struct uuid group, direct, again, last;

	make(ROOM_GROUP, "alice", "bob carol", &group);
	make(ROOM_DIRECT, "bob", "alice", &direct);
	make(ROOM_DIRECT, "alice", "carol", &last);
	say(&direct, "bob", "secret", NULL, NULL);
	rooms_seen(r, &direct, "alice", 1);
	rooms_save(r);
	ck_assert_int_eq(rooms_forget(r, "ALICE"), Q_OK);
	ck_assert(!exists("d/seen/alice"));
	for (int round = 0; round < 2; round++, reopen()) {
		ck_assert_str_eq(members(&group), "bob//bob carol");
		ck_assert_str_eq(members(&direct), "bob//bob");
		ck_assert_str_eq(page(&direct, NULL, 5), "bob:secret");
	}
	/* A later user of that name begins anew. */
	ck_assert_int_eq(make(ROOM_DIRECT, "bob", "alice", &again), ROOM_OK);
	ck_assert(!uuid_eq(&direct, &again));
	ck_assert_int_eq(rooms_forget(r, "carol"), Q_OK);
	ck_assert_str_eq(members(&last), "none");
	ck_assert_int_eq(rooms_forget(r, "nobody"), Q_OK);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rooms, positions");
	TCase *tc = tcase_create("rooms");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_positions);
	tcase_add_test(tc, test_positions_in_place);
	tcase_add_test(tc, test_position_ahead);
	tcase_add_loop_test(tc, test_position_ahead_and_caught_up_with, 0, 3);
	tcase_add_test(tc, test_receipts);
	tcase_add_test(tc, test_farewells);
	tcase_add_test(tc, test_forget);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return unit_main(make_suite());
}
