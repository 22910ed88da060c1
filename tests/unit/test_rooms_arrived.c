/* SPDX-License-Identifier: MIT
 *
 * What counts as had when a connection of rooms ends: what has arrived, unless a first SEEN
 * may have died with it.
 */
#include "tests/unit/core.h"
#include "tests/unit/rooms_fake.h"

#include "server/rooms/deliver.h"
#include "server/rooms/rooms.h"

static struct uuid room;

static uint64_t
position(void)
{
	uint64_t seq = 999;

	ck_assert_int_eq(rooms_position(r, &room, "bob", &seq), ROOM_OK);
	return seq;
}

/* bob has just logged in; this thread is his worker. */
static struct rooms_session *
come(int *peer)
{
	struct rooms_session *rs = calloc(1, sizeof(*rs));
	struct session *bob = core_session(peer);

	ck_assert_ptr_nonnull(rs);
	rs->session = bob;
	rs->config = config_now();
	strcpy(rs->user, "bob");
	rs->phase = ROOMS_IN;
	bob->state = rs;
	atomic_store(&bob->protocol, &rooms_protocol);
	session_adopt(bob);
	ck_assert_int_eq(rooms_arrive(rs), Q_OK);
	return rs;
}

/* The room's events up to seq are sent to him as a byte, and arrive. */
static void
send_upto(struct rooms_session *rs, int peer, uint64_t seq)
{
	struct session *bob = rs->session;
	struct rooms_inbox_room *in;
	char byte;

	ck_assert_int_eq(outbox_put(bob, OUTBOX_DATA, span_str("x")), Q_OK);
	lock_take(&bob->out.lock);
	in = rooms_inbox_enter(rs->inbox, &room, 0);
	ck_assert_ptr_nonnull(in);
	rooms_inbox_sent(in, seq, rooms_end_locked(bob));
	lock_drop(&bob->out.lock);
	outbox_flush_touched();
	core_read(peer, &byte, 1);
}

/* He goes, and his worker sees it in what it reads, ... */
static void
goes(struct session *bob, int peer)
{
	close(peer);
	session_end(bob, GOODBYE_SELF, NULL);
}

/* ... or in what it writes, before it has read all that he said, ... */
static void
cannot_be_written_to(struct session *bob, int peer)
{
	close(peer);
	ck_assert_int_eq(outbox_put(bob, OUTBOX_DATA, span_str("y")), Q_OK);
	outbox_flush_touched();
	ck_assert(session_ended(bob));
}

/* ... or another thread ends him. */
static void
is_ended(struct session *bob, int peer)
{
	session_adopt(NULL);
	session_end(bob, GOODBYE_SELF, NULL);
	session_adopt(bob);
	close(peer);
}

START_TEST(at_the_end)
{
	static const struct {
		void (*end)(struct session *bob, int peer);
		bool by_hand;
		uint64_t had;
	} cases[] = {
	    {goes, false, 3}, {cannot_be_written_to, false, 0}, {is_ended, false, 0},
	    {goes, true, 0},  {cannot_be_written_to, true, 0},
	};
	struct rooms_session *rs;
	struct session *bob;
	int peer;

	signal(SIGPIPE, SIG_IGN);
	make(ROOM_GROUP, "alice", "bob", &room);
	say(&room, "alice", "1", NULL, NULL);
	say(&room, "alice", "2", NULL, NULL);
	rs = come(&peer);
	bob = rs->session;
	send_upto(rs, peer, 3);
	if (cases[_i].by_hand)
		rooms_by_hand(rs);
	cases[_i].end(bob, peer);
	rooms_leave(rs);
	ck_assert_uint_eq(position(), cases[_i].had);
	session_adopt(NULL);
	session_unref(bob);
}
END_TEST

static void
start(void)
{
	setup();
	core_start();
	core.rooms = r;
}

static void
stop(void)
{
	core_stop();
	teardown();
}

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rooms, what has arrived");
	TCase *tc = tcase_create("arrived");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, at_the_end, 0, 5);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return unit_main(make_suite());
}
