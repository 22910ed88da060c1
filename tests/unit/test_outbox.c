/* SPDX-License-Identifier: MIT */
#include "tests/unit/outbox_aid.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "server/metrics.h"

/* ---- filling and flushing ---- */

START_TEST(batch_goes_with_the_flush)
{
	int peer;
	struct session *s = core_session(&peer);

	ck_assert_int_eq(put(s, OUTBOX_DATA, "one ", 4), Q_OK);
	ck_assert_int_eq(put(s, OUTBOX_CONTROL, "two ", 4), Q_OK);
	ck_assert_int_eq(put(s, OUTBOX_DATA, "", 0), Q_OK);
	ck_assert(core_silent(peer));
	ck_assert_uint_eq(atomic_load(&s->refs), 2); /* touched twice, listed once */
	outbox_flush_touched();
	core_expect(peer, "one two ");
	ck_assert_uint_eq(atomic_load(&s->refs), 1);
	ck_assert_ptr_null(s->out.data.p); /* empty: no memory */
	outbox_flush_touched();            /* nothing touched: nothing */
	ck_assert(core_silent(peer));
	drop(s, peer);
}
END_TEST

/* Control bytes up to most, to the byte; one more ends the session. */
static void
control_up_to(struct session *s, size_t most)
{
	static const uint8_t some[SOFT];
	uint64_t slow = metric_get(METRIC_slow_receivers_total);

	while (waiting(s) + sizeof(some) <= most)
		ck_assert_int_eq(put(s, OUTBOX_CONTROL, some, sizeof(some)), Q_OK);
	ck_assert_int_eq(put(s, OUTBOX_CONTROL, some, most - waiting(s)), Q_OK);
	ck_assert_uint_eq(waiting(s), most);
	ck_assert(!session_ended(s));
	ck_assert_int_eq(put(s, OUTBOX_CONTROL, some, 1), Q_LIMIT);
	ck_assert_int_eq(atomic_load(&s->ending), GOODBYE_SLOW);
	ck_assert_uint_eq(metric_get(METRIC_slow_receivers_total), slow + 1);
	ck_assert_int_eq(put(s, OUTBOX_CONTROL, some, 1), Q_CLOSED);
}

START_TEST(limits)
{
	static const uint8_t big[SOFT];
	int peer;
	struct session *s = core_session(&peer);

	ck_assert_int_eq(put(s, OUTBOX_DATA, big, SOFT), Q_OK);
	ck_assert_int_eq(put(s, OUTBOX_DATA, big, 1), Q_FULL);
	control_up_to(s, s->out.hard);
	drop(s, peer);
}
END_TEST

/* Up to one byte below soft, then one message of any size: what may stand behind it is as
 * much as ever. */
START_TEST(large_message)
{
	int peer;
	struct session *s = core_session(&peer);
	size_t large = 2 * s->out.hard;
	uint8_t *big = pattern(large);

	ck_assert_int_eq(put(s, OUTBOX_DATA, big, SOFT - 1), Q_OK);
	ck_assert_int_eq(put(s, OUTBOX_DATA, big, large), Q_OK);
	ck_assert_int_eq(put(s, OUTBOX_DATA, big, 1), Q_FULL);
	ck_assert_uint_eq(waiting(s), SOFT - 1 + large);
	control_up_to(s, s->out.hard + large - 1);
	free(big);
	drop(s, peer);
}
END_TEST

static size_t
beyond(struct session *s)
{
	size_t n;

	lock_take(&s->out.lock);
	n = s->out.beyond;
	lock_drop(&s->out.lock);
	return n;
}

/* As it goes, what may stand behind it becomes less, down to what it always is. */
START_TEST(large_message_goes)
{
	int peer;
	struct session *s = core_session(&peer);
	size_t large = 2 * s->out.hard;
	uint8_t *sent = pattern(large), *got = malloc(large);

	ck_assert_ptr_nonnull(got);
	ck_assert_int_eq(put(s, OUTBOX_DATA, sent, large), Q_OK);
	ck_assert_uint_eq(beyond(s), large - SOFT);
	outbox_flush_touched();
	ck_assert_uint_gt(waiting(s), s->out.hard);
	ck_assert_uint_eq(beyond(s), waiting(s) - SOFT);
	ck_assert_int_eq(put(s, OUTBOX_CONTROL, "ping", 4), Q_OK);
	core_read(peer, got, large);
	ck_assert_mem_eq(got, sent, large);
	core_expect(peer, "ping");
	CORE_AWAIT(waiting(s) == 0);
	ck_assert_uint_eq(beyond(s), 0);
	ck_assert(!session_ended(s));
	free(sent);
	free(got);
	drop(s, peer);
}
END_TEST

START_TEST(reserve_in_place)
{
	int peer;
	struct session *s = core_session(&peer);
	uint8_t *at;

	lock_take(&s->out.lock);
	ck_assert_int_eq(outbox_reserve_locked(&s->out, OUTBOX_DATA, 100, &at), Q_OK);
	memcpy(at, "abc", 3);
	outbox_commit_locked(&s->out, 3); /* less than reserved */
	ck_assert_int_eq(outbox_reserve_locked(&s->out, OUTBOX_DATA, 5000, &at), Q_OK);
	memcpy(at, "def", 3);
	outbox_commit_locked(&s->out, 3);
	outbox_close_locked(&s->out);
	ck_assert_int_eq(outbox_reserve_locked(&s->out, OUTBOX_CONTROL, 1, &at),
			 Q_CLOSED);
	lock_drop(&s->out.lock);
	outbox_flush(s); /* what is in still goes */
	core_expect(peer, "abcdef");
	drop(s, peer);
}
END_TEST

#define MANY 150 /* more than a thread's list holds */

START_TEST(many_touched)
{
	static struct session *s[MANY];
	static int peer[MANY];
	struct rlimit files;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max; /* whatever the shell allows */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	for (int i = 0; i < MANY; i++)
		s[i] = core_session(&peer[i]);
	for (int turn = 0; turn < 2; turn++)
		for (int i = 0; i < MANY; i++)
			ck_assert_int_eq(put(s[i], OUTBOX_DATA, "x", 1), Q_OK);
	outbox_flush_touched();
	for (int i = 0; i < MANY; i++) {
		core_expect(peer[i], "xx");
		ck_assert_uint_eq(atomic_load(&s[i]->refs), 1);
		drop(s[i], peer[i]);
	}
}
END_TEST

/* ---- many writers ---- */

#define WRITERS 4
#define LINES   400

static struct session *shared;

static void *
writer(void *arg)
{
	int who = *(int *)arg;
	char line[32];

	for (int i = 0; i < LINES; i++) {
		size_t n = (size_t)snprintf(line, sizeof(line), "%d %d\n", who, i);
		enum qerr e;

		while ((e = put(shared, OUTBOX_DATA, line, n)) == Q_FULL) {
			outbox_flush_touched();
			ck_assert_int_eq(
			    outbox_wait_room(shared, clock_mono_ms() + 20000), Q_OK);
		}
		ck_assert_int_eq(e, Q_OK);
		if (i % 5 == who)
			outbox_flush_touched();
	}
	outbox_flush_touched();
	return NULL;
}

START_TEST(each_writers_order_is_kept)
{
	int who[WRITERS] = {0, 1, 2, 3}, next[WRITERS] = {0}, peer, w, i;
	pthread_t t[WRITERS];
	char line[32];
	FILE *f;

	shared = core_session(&peer);
	for (w = 0; w < WRITERS; w++)
		ck_assert_int_eq(pthread_create(&t[w], NULL, writer, &who[w]), 0);
	f = fdopen(peer, "r");
	ck_assert_ptr_nonnull(f);
	for (int n = 0; n < WRITERS * LINES; n++) {
		ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
		ck_assert_int_eq(sscanf(line, "%d %d\n", &w, &i), 2);
		ck_assert(w >= 0 && w < WRITERS);
		ck_assert_int_eq(i, next[w]++);
	}
	for (w = 0; w < WRITERS; w++)
		pthread_join(t[w], NULL);
	fclose(f);
	drop(shared, -1);
}
END_TEST

/* ---- the flusher ---- */

START_TEST(flusher_writes_the_rest)
{
	const size_t n = 120000;
	uint8_t *sent = pattern(n), *got = malloc(n);
	int peer;
	struct session *s = core_session(&peer);

	ck_assert_int_eq(put(s, OUTBOX_CONTROL, sent, n), Q_OK);
	outbox_flush_touched();
	ck_assert_uint_gt(waiting(s), 0);
	/* Behind the flusher's back nothing overtakes. */
	ck_assert_int_eq(put(s, OUTBOX_CONTROL, "end", 3), Q_OK);
	outbox_flush_touched();
	core_read(peer, got, n);
	ck_assert_mem_eq(got, sent, n);
	core_expect(peer, "end");
	CORE_AWAIT(atomic_load(&s->refs) == 1);
	ck_assert(!s->out.in_flusher && s->out.data.p == NULL);
	/* And again: it can come back. */
	ck_assert_int_eq(put(s, OUTBOX_CONTROL, sent, n), Q_OK);
	outbox_flush_touched();
	core_read(peer, got, n);
	ck_assert_mem_eq(got, sent, n);
	CORE_AWAIT(atomic_load(&s->refs) == 1);
	free(sent);
	free(got);
	drop(s, peer);
}
END_TEST

START_TEST(slow_receiver_is_ended)
{
	static const uint8_t big[100000];
	int peer;
	struct session *s = core_session(&peer);

	ck_assert_int_eq(put(s, OUTBOX_CONTROL, big, sizeof(big)), Q_OK);
	outbox_flush_touched();
	usleep(50000);
	ck_assert(!session_ended(s));
	lock_take(&s->out.lock); /* as if it had taken nothing for so long */
	s->out.progress_ms -= FLUSHER_PATIENCE_MS;
	lock_drop(&s->out.lock);
	CORE_AWAIT(atomic_load(&s->ending) == GOODBYE_SLOW);
	/* Its worker gives up at once, and so does the flusher. */
	ck_assert_int_eq(outbox_drain(s, clock_mono_ms()), Q_TIMEOUT);
	CORE_AWAIT(atomic_load(&s->refs) == 1);
	drop(s, peer);
}
END_TEST

START_TEST(peer_gone)
{
	int peer;
	struct session *s = core_session(&peer);

	close(peer);
	ck_assert_int_eq(put(s, OUTBOX_DATA, "x", 1), Q_OK);
	outbox_flush_touched();
	ck_assert_int_eq(atomic_load(&s->ending), GOODBYE_SELF);
	ck_assert_int_eq(put(s, OUTBOX_DATA, "x", 1), Q_CLOSED);
	ck_assert_int_eq(outbox_wait_room(s, 0), Q_CLOSED);
	ck_assert_int_eq(outbox_drain(s, clock_mono_ms() + 5000), Q_CLOSED);
	drop(s, -1);
}
END_TEST

START_TEST(peer_goes_while_the_flusher_waits)
{
	static const uint8_t big[100000];
	int peer;
	struct session *s = core_session(&peer);

	ck_assert_int_eq(put(s, OUTBOX_CONTROL, big, sizeof(big)), Q_OK);
	outbox_flush_touched();
	close(peer);
	CORE_AWAIT(session_ended(s));
	CORE_AWAIT(atomic_load(&s->refs) == 1);
	drop(s, -1);
}
END_TEST

START_TEST(stopping_forgets_what_waits)
{
	static const uint8_t big[100000];
	int peer;
	struct session *s = core_session(&peer);

	ck_assert_int_eq(put(s, OUTBOX_CONTROL, big, sizeof(big)), Q_OK);
	outbox_flush_touched();
	flusher_free(core.flusher);
	core.flusher = NULL;
	ck_assert_uint_eq(atomic_load(&s->refs), 1);
	drop(s, peer);
}
END_TEST

/* ---- a socket that epoll refuses ---- */

static struct {
	struct lock lock;
	size_t room, got; /* [lock] */
} sink = {.lock = LOCK_INIT};

static enum qerr
sink_write(struct stream *st, const void *p, size_t n, size_t *put_n)
{
	enum qerr e = Q_FULL;

	(void)st;
	(void)p;
	lock_take(&sink.lock);
	if (sink.room > 0) {
		*put_n = n < sink.room ? n : sink.room;
		sink.room -= *put_n;
		sink.got += *put_n;
		e = Q_OK;
	}
	lock_drop(&sink.lock);
	return e;
}

static void
sink_nothing(struct stream *st)
{
	(void)st;
}

static void
sink_free(struct stream *st)
{
	close(st->fd);
	free(st);
}

static const struct stream_ops sink_ops = {
    .name = "sink",
    .write = sink_write,
    .end_reading = sink_nothing,
    .free = sink_free,
};

static void
sink_room(size_t n)
{
	lock_take(&sink.lock);
	sink.room = n;
	lock_drop(&sink.lock);
}

START_TEST(without_epoll)
{
	struct stream *st = malloc(sizeof(*st));
	struct session *s;

	/* epoll_ctl refuses /dev/null with EPERM. */
	*st = (struct stream){.ops = &sink_ops, .fd = open("/dev/null", O_RDWR)};
	s = core_session_on(st);
	ck_assert_int_eq(put(s, OUTBOX_DATA, "0123456789", 10), Q_OK);
	outbox_flush_touched();
	ck_assert_uint_eq(atomic_load(&s->refs), 2);
	sink_room(4);
	CORE_AWAIT(waiting(s) == 6);
	sink_room(100);
	CORE_AWAIT(atomic_load(&s->refs) == 1);
	ck_assert_uint_eq(sink.got, 10);
	drop(s, -1);
}
END_TEST

/* ---- sending in place ---- */

static enum qerr
send_in_place(struct session *s, const void *p, size_t n)
{
	enum qerr e, flushed;

	lock_take(&s->out.lock);
	e = outbox_send_locked(s, span_of(p, n), &flushed);
	lock_drop(&s->out.lock);
	outbox_flushed(s, flushed);
	return e;
}

/* What the socket takes is never in the outbox; what waited goes first. */
START_TEST(sends_in_place)
{
	int peer;
	struct session *s = core_session(&peer);

	ck_assert_int_eq(send_in_place(s, "now", 3), Q_OK);
	ck_assert_ptr_null(s->out.data.p);
	ck_assert_uint_eq(s->out.written, 3);
	core_expect(peer, "now");
	ck_assert_int_eq(put(s, OUTBOX_CONTROL, "first ", 6), Q_OK);
	ck_assert_int_eq(send_in_place(s, "then", 4), Q_OK);
	core_expect(peer, "first then");
	ck_assert_uint_eq(waiting(s), 0);
	drop(s, peer);
}
END_TEST

/* The rest waits, up to soft, and the flusher writes it. */
START_TEST(sends_the_rest_later)
{
	const size_t n = 120000;
	uint8_t *sent = pattern(n), *got = malloc(n);
	int peer;
	struct session *s = core_session(&peer);

	ck_assert_int_eq(send_in_place(s, sent, n), Q_OK);
	ck_assert_uint_gt(waiting(s), SOFT);
	ck_assert_uint_lt(waiting(s), n);
	ck_assert_int_eq(send_in_place(s, "x", 1), Q_FULL);
	core_read(peer, got, n);
	ck_assert_mem_eq(got, sent, n);
	CORE_AWAIT(atomic_load(&s->refs) == 1);
	ck_assert_uint_eq(s->out.written, n);
	free(sent);
	free(got);
	drop(s, peer);
}
END_TEST

START_TEST(sends_to_nobody)
{
	int peer;
	struct session *s = core_session(&peer);

	close(peer);
	ck_assert_int_eq(send_in_place(s, "x", 1), Q_OK);
	ck_assert_int_eq(atomic_load(&s->ending), GOODBYE_SELF);
	ck_assert_int_eq(send_in_place(s, "x", 1), Q_CLOSED);
	drop(s, -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("outbox");
	TCase *c = tcase_create("filling");

	tcase_add_checked_fixture(c, setup, core_stop);
	tcase_add_test(c, batch_goes_with_the_flush);
	tcase_add_test(c, limits);
	tcase_add_test(c, large_message);
	tcase_add_test(c, large_message_goes);
	tcase_add_test(c, reserve_in_place);
	tcase_add_test(c, many_touched);
	tcase_add_test(c, each_writers_order_is_kept);
	suite_add_tcase(s, c);
	c = tcase_create("flusher");
	tcase_add_checked_fixture(c, setup, core_stop);
	tcase_add_test(c, flusher_writes_the_rest);
	tcase_add_test(c, slow_receiver_is_ended);
	tcase_add_test(c, peer_gone);
	tcase_add_test(c, peer_goes_while_the_flusher_waits);
	tcase_add_test(c, stopping_forgets_what_waits);
	tcase_add_test(c, without_epoll);
	tcase_add_test(c, sends_in_place);
	tcase_add_test(c, sends_the_rest_later);
	tcase_add_test(c, sends_to_nobody);
	suite_add_tcase(s, c);
	return unit_main(s);
}
