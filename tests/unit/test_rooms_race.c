/* SPDX-License-Identifier: MIT
 *
 * Rooms with many threads at once.
 */
#include "tests/unit/rooms_fake.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"

#define SENDERS 4
#define EACH    250

static struct uuid shared[3];
static _Atomic uint64_t last_told[3];
static atomic_bool out_of_order, done;

static void
see_order(const struct room_info *info, const struct room_event *ev)
{
	for (int i = 0; i < 3; i++)
		if (uuid_eq(&info->id, &shared[i]) &&
		    atomic_exchange(&last_told[i], ev->seq) + 1 != ev->seq)
			atomic_store(&out_of_order, true);
	if (ev->kind == ROOM_SEND)
		(void)rooms_seen(r, &info->id, "bob", ev->seq);
}

static void *
send_many(void *arg)
{
	const char *name = arg;
	struct uuid msg;
	char ref[32];

	for (int i = 0; i < EACH; i++) {
		struct uuid *id = &shared[i % 3];

		snprintf(ref, sizeof(ref), "%d", i);
		MUST(say(id, name, ref, ref, &msg) == ROOM_OK);
		if (i % 5 == 0)
			MUST(act(id, ROOM_EDIT, name, &msg, "edited") == ROOM_OK);
		if (i % 7 == 0)
			MUST(act(id, ROOM_DELETE, name, &msg, "x") == ROOM_OK);
		if (i % 11 == 0)
			MUST(say(id, name, ref, ref, NULL) == ROOM_REPEATED);
	}
	return NULL;
}

static void *
read_many(void *arg)
{
	(void)arg;
	while (!atomic_load(&done)) {
		const struct room_info **list;
		struct room_page *p;
		uint64_t seq;
		size_t n;
		bool more;
		enum qerr e;

		for (int i = 0; i < 3; i++) {
			MUST(rooms_page(r, &shared[i], NULL, -50, &p, &e) == ROOM_OK);
			room_page_free(p);
			MUST(rooms_last(r, &shared[i], &seq) == Q_OK);
			(void)waiting(&shared[i], "bob", seq > 20 ? seq - 20 : 0);
		}
		MUST(rooms_of(r, "bob", NULL, 10, &list, &n, &more) == Q_OK);
		rooms_of_free(list, n);
		rooms_save(r);
	}
	return NULL;
}

static void *
change_many(void *arg)
{
	(void)arg;
	for (int i = 0; !atomic_load(&done); i++) {
		(void)change(&shared[i % 3], ROOM_ADD, "alice", "zoe");
		(void)change(&shared[i % 3], ROOM_PROMOTE, "alice", "zoe");
		(void)change(&shared[i % 3], ROOM_REMOVE, "alice", "zoe");
		if (i % 10 == 0)
			MUST(rooms_forget(r, "zoe") == Q_OK);
	}
	return NULL;
}

static void *
drop_many(void *arg)
{
	struct uuid id;

	(void)arg;
	for (int i = 0; i < 20; i++) {
		MUST(make(ROOM_GROUP, "alice", "bob carol", &id) == ROOM_OK);
		(void)say(&id, "bob", "x", NULL, NULL);
		MUST(change(&id, ROOM_DROP, "alice", "") == ROOM_OK);
	}
	return NULL;
}

static void
run_crowd(void)
{
	static char names[SENDERS][8] = {"alice", "bob", "carol", "dave"};
	pthread_t senders[SENDERS], reader, changer, dropper;
	struct counting c;
	size_t sent = 0;

	told_more = see_order;
	atomic_store(&done, false);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(make(ROOM_GROUP, "alice", "bob carol dave", &shared[i]),
				 ROOM_OK);
	for (int i = 0; i < 3; i++)
		atomic_store(&last_told[i], 1);
	pthread_create(&reader, NULL, read_many, NULL);
	pthread_create(&changer, NULL, change_many, NULL);
	pthread_create(&dropper, NULL, drop_many, NULL);
	for (int i = 0; i < SENDERS; i++)
		pthread_create(&senders[i], NULL, send_many, names[i]);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(senders[i], NULL);
	atomic_store(&done, true);
	pthread_join(reader, NULL);
	pthread_join(changer, NULL);
	pthread_join(dropper, NULL);
	ck_assert(!atomic_load(&out_of_order));
	for (int round = 0; round < 2; round++, reopen()) {
		sent = 0;
		for (int i = 0; i < 3; i++) {
			c = (struct counting){0, 0};
			ck_assert_int_eq(rooms_events(r, &shared[i], NULL, 0, SIZE_MAX,
						      count_event, &c, NULL),
					 Q_OK);
			ck_assert_uint_eq(c.seq, atomic_load(&last_told[i]));
			sent += c.sent;
		}
		ck_assert_uint_eq(sent, SENDERS * EACH);
	}
	check_clean();
}

START_TEST(test_crowd)
{
	run_crowd();
}
END_TEST

START_TEST(test_crowd_always)
{
	options.durability = STORE_ALWAYS;
	reopen();
	run_crowd();
}
END_TEST

struct pairing {
	struct uuid id;
	const char *by, *other;
	enum room_answer answer;
};

static void *
pair_up(void *arg)
{
	struct pairing *p = arg;

	p->answer = make(ROOM_DIRECT, p->by, p->other, &p->id);
	return NULL;
}

/* Of many who ask for the same direct room at once one makes it. */
START_TEST(test_same_instant)
{
	char names[2][16];
	pthread_t threads[8];
	struct pairing p[8];

	for (int round = 0; round < 50; round++) {
		int made = 0;

		snprintf(names[0], sizeof(names[0]), "a%d", round);
		snprintf(names[1], sizeof(names[1]), "B%d", round);
		for (int i = 0; i < 8; i++) {
			p[i].by = names[i % 2];
			p[i].other = names[1 - i % 2];
			pthread_create(&threads[i], NULL, pair_up, &p[i]);
		}
		for (int i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
		for (int i = 0; i < 8; i++) {
			made += p[i].answer == ROOM_OK;
			ck_assert(p[i].answer == ROOM_OK || p[i].answer == ROOM_REPEATED);
			ck_assert(uuid_eq(&p[i].id, &p[0].id));
		}
		ck_assert_int_eq(made, 1);
	}
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rooms, many at once");
	TCase *tc = tcase_create("rooms");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_crowd);
	tcase_add_test(tc, test_crowd_always);
	tcase_add_test(tc, test_same_instant);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return unit_main(make_suite());
}
