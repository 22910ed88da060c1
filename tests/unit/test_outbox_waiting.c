/* SPDX-License-Identifier: MIT
 *
 * Outboxes that are full: who waits for room in them, and how long.
 */
#include "tests/unit/outbox_aid.h"

/* ---- waiting for room ---- */

static struct {
	struct session *s;
	int64_t deadline_ms;
	enum qerr result;
} waiter;

static void *
wait_for_room(void *arg)
{
	(void)arg;
	waiter.result = outbox_wait_room(waiter.s, waiter.deadline_ms);
	return NULL;
}

static unsigned
waiters(struct session *s)
{
	unsigned n;

	lock_take(&s->out.lock);
	n = s->out.waiters;
	lock_drop(&s->out.lock);
	return n;
}

/* A session with a full outbox, and a thread that waits for room in it. */
static struct session *
full_with_waiter(int *peer, pthread_t *t)
{
	static const uint8_t big[100000];
	struct session *s = core_session(peer);

	ck_assert_int_eq(outbox_wait_room(s, 0), Q_OK); /* room: at once */
	ck_assert_int_eq(put(s, OUTBOX_DATA, big, sizeof(big)), Q_OK);
	outbox_flush_touched();
	waiter.s = s;
	waiter.deadline_ms = clock_mono_ms() + 20000;
	ck_assert_int_eq(pthread_create(t, NULL, wait_for_room, NULL), 0);
	CORE_AWAIT(waiters(s) == 1);
	return s;
}

START_TEST(room_comes)
{
	static uint8_t got[100000];
	pthread_t t;
	int peer;
	struct session *s = full_with_waiter(&peer, &t);

	core_read(peer, got, sizeof(got));
	pthread_join(t, NULL);
	ck_assert_int_eq(waiter.result, Q_OK);
	ck_assert_int_eq(put(s, OUTBOX_DATA, "x", 1), Q_OK);
	CORE_AWAIT(atomic_load(&s->refs) == 2); /* this thread's touch */
	drop(s, peer);
}
END_TEST

START_TEST(room_never_comes)
{
	pthread_t t;
	int peer;
	struct session *s = full_with_waiter(&peer, &t);
	int64_t soon = clock_mono_ms() + 50;

	ck_assert_int_eq(outbox_wait_room(s, soon), Q_TIMEOUT);
	ck_assert_int_ge(clock_mono_ms(), soon);
	session_end(s, GOODBYE_KICKED, NULL);
	pthread_join(t, NULL);
	ck_assert_int_eq(waiter.result, Q_CLOSED);
	ck_assert_int_eq(outbox_drain(s, clock_mono_ms() + 1), Q_TIMEOUT);
	CORE_AWAIT(atomic_load(&s->refs) == 1);
	drop(s, peer);
}
END_TEST

static void *
read_slowly(void *arg)
{
	char b[3000];
	int peer = *(int *)arg;
	size_t n = 0;

	while (n < 60000) {
		ssize_t r = read(peer, b, sizeof(b));

		ck_assert_int_gt(r, 0);
		n += (size_t)r;
		usleep(1000);
	}
	return NULL;
}

START_TEST(drain_finishes)
{
	static const uint8_t big[60000];
	pthread_t t;
	int peer;
	struct session *s = core_session(&peer);

	ck_assert_int_eq(put(s, OUTBOX_CONTROL, big, sizeof(big)), Q_OK);
	outbox_flush_touched();
	ck_assert_int_eq(pthread_create(&t, NULL, read_slowly, &peer), 0);
	session_end(s, GOODBYE_SELF, NULL);
	ck_assert_int_eq(outbox_drain(s, clock_mono_ms() + 20000), Q_OK);
	pthread_join(t, NULL);
	CORE_AWAIT(atomic_load(&s->refs) == 1);
	drop(s, peer);
}
END_TEST

/* Somebody ends the session, and takes a while to find the words. */
static void
late_goodbye(struct session *s, enum goodbye why, const char *text)
{
	usleep(50000);
	core_goodbye(s, why, text);
}

static const struct protocol late_protocol = {
    .name = "late",
    .goodbye = late_goodbye,
    .release = core_release,
};

static void *
kick(void *arg)
{
	session_end(arg, GOODBYE_KICKED, "slowly");
	return NULL;
}

START_TEST(drain_waits_for_the_farewell)
{
	pthread_t t;
	int peer;
	struct session *s = core_session(&peer);

	atomic_store(&s->protocol, &late_protocol);
	ck_assert_int_eq(pthread_create(&t, NULL, kick, s), 0);
	CORE_AWAIT(session_ended(s));
	ck_assert_int_eq(outbox_drain(s, clock_mono_ms() + 20000), Q_OK);
	core_expect(peer, "bye 3 slowly\n");
	pthread_join(t, NULL);
	drop(s, peer);
}
END_TEST

/* ---- waking the worker when there is room ---- */

/* Works as a session does that fell behind: 100 lines of 1,000 bytes, as many at a
 * time as the outbox takes. */
static void *
catch_up(void *arg)
{
	struct session *s = arg;
	static uint8_t line[1000];
	int done = 0;
	enum qerr e = Q_SHORT;

	session_adopt(s);
	ck_assert_int_eq(session_wakeable(s), Q_OK);
	while (e == Q_SHORT) {
		uint8_t *at;

		lock_take(&s->out.lock);
		while (done < 100 && outbox_reserve_locked(&s->out, OUTBOX_DATA,
							   sizeof(line), &at) == Q_OK) {
			memset(at, 'a' + done % 26, sizeof(line));
			outbox_commit_locked(&s->out, sizeof(line));
			done++;
		}
		if (done < 100)
			outbox_want_room_locked(s);
		lock_drop(&s->out.lock);
		outbox_touch(s);
		e = session_fill(s, 1000);
	}
	ck_assert_int_eq(e, Q_CLOSED);
	ck_assert_int_eq(done, 100);
	return NULL;
}

START_TEST(room_wakes_the_worker)
{
	static uint8_t line[1000];
	pthread_t t;
	int peer;
	struct session *s = core_session(&peer);

	ck_assert_int_eq(pthread_create(&t, NULL, catch_up, s), 0);
	for (int i = 0; i < 100; i++) {
		core_read(peer, line, sizeof(line));
		ck_assert_int_eq(line[0], 'a' + i % 26);
		ck_assert_int_eq(line[999], 'a' + i % 26);
	}
	shutdown(peer, SHUT_WR);
	pthread_join(t, NULL);
	ck_assert(!s->out.wants_room);
	CORE_AWAIT(atomic_load(&s->refs) == 1);
	drop(s, peer);
}
END_TEST

START_TEST(room_that_is_there_wakes_at_once)
{
	static const uint8_t big[100000];
	int peer;
	struct session *s = core_session(&peer);

	session_adopt(s);
	ck_assert_int_eq(session_wakeable(s), Q_OK);
	lock_take(&s->out.lock);
	outbox_want_room_locked(s);
	outbox_want_room_locked(s);
	lock_drop(&s->out.lock);
	ck_assert_int_eq(session_fill(s, 10), Q_SHORT);
	/* A full one says nothing until it has drained. */
	ck_assert_int_eq(put(s, OUTBOX_DATA, big, sizeof(big)), Q_OK);
	outbox_flush_touched();
	lock_take(&s->out.lock);
	outbox_want_room_locked(s);
	ck_assert(s->out.wants_room);
	lock_drop(&s->out.lock);
	ck_assert_int_eq(write(peer, "x", 1), 1);
	ck_assert_int_eq(session_fill(s, 10), Q_OK);
	session_end(s, GOODBYE_SELF, NULL);
	(void)outbox_drain(s, clock_mono_ms() + 1);
	CORE_AWAIT(atomic_load(&s->refs) == 1);
	drop(s, peer);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("outbox: waiting");
	TCase *c = tcase_create("waiting");

	tcase_add_checked_fixture(c, setup, core_stop);
	tcase_add_test(c, room_comes);
	tcase_add_test(c, room_never_comes);
	tcase_add_test(c, drain_finishes);
	tcase_add_test(c, drain_waits_for_the_farewell);
	tcase_add_test(c, room_wakes_the_worker);
	tcase_add_test(c, room_that_is_there_wakes_at_once);
	suite_add_tcase(s, c);
	return unit_main(s);
}
