/* SPDX-License-Identifier: MIT
 *
 * Message logs that are torn or damaged, and kills.
 */
#include "tests/unit/msglog_store.h"

#include <sys/wait.h>

/* ---- damage ---- */

START_TEST(torn_at_every_byte)
{
	struct buf whole, torn;
	size_t start;

	open_all();
	fill(l, 3);
	close_all();
	torn = slurp(LOG);
	start = torn.len;
	buf_free(&torn);
	open_all();
	ck_assert_int_eq(say(l, "the last one\nhas two lines"), Q_OK);
	close_all();
	whole = slurp(LOG);
	for (size_t cut = start; cut < whole.len; cut++) {
		spill(LOG, span_of(whole.p, cut));
		reports = 0;
		open_all();
		ck_assert_uint_eq(page(0, 10, NULL).n, 3);
		ck_assert_int_eq(reports, cut > start ? 1 : 0);
		ck_assert_int_eq(say(l, "after"), Q_OK);
		ck_assert_uint_eq(page(0, 10, NULL).ids[3], 4);
		close_all();
	}
	/* Nothing is thrown away. */
	ck_assert_int_eq(count_names("d/bad", "messages-a+b"),
			 (int)(whole.len - start - 1));
	torn = slurp(find_name("d/bad", "messages-a+b"));
	ck_assert_uint_eq(torn.p[0], '=');
	buf_free(&torn);
	buf_free(&whole);
}
END_TEST

START_TEST(a_flipped_bit_in_the_middle)
{
	struct buf whole;
	size_t damaged;
	struct seen seen;

	open_all();
	fill(l, 1000);
	close_all();
	whole = slurp(LOG);
	for (size_t at_byte = whole.len / 2; at_byte < whole.len / 2 + 120;
	     at_byte += 7) {
		whole.p[at_byte] ^= 4;
		spill(LOG, buf_span(&whole));
		whole.p[at_byte] ^= 4;
		open_all();
		seen = page(0, 2000, &damaged);
		ck_assert_uint_ge(damaged, 1);
		/* One record, or two when it was the newline between them. */
		ck_assert_uint_ge(seen.n, 998);
		ck_assert_uint_le(seen.n, 999);
		ck_assert_uint_eq(seen.ids[seen.n - 1], 1000);
		/* A page elsewhere does not count it. */
		(void)page(10, 5, &damaged);
		ck_assert_uint_eq(damaged, 0);
		ck_assert_int_eq(say(l, "after"), Q_OK);
		close_all();
	}
	ck_assert_int_eq(reports, 0);
	ck_assert_int_eq(count_names("d/bad", ""), 0);
	buf_free(&whole);
}
END_TEST

START_TEST(zeros_in_the_middle_of_a_long_log)
{
	struct buf whole;
	size_t damaged;

	open_all();
	fill(l, 5000);
	close_all();
	whole = slurp(LOG);
	memset(whole.p + whole.len / 4, 0, whole.len / 2);
	spill(LOG, buf_span(&whole));
	open_all();
	for (uint64_t after = 0; after < 5000; after += 111) {
		struct seen seen = page(after, 1, &damaged);

		ck_assert_uint_eq(seen.n, 1);
		ck_assert_uint_gt(seen.ids[0], after);
		if (after < 1000 || after > 4000)
			ck_assert_uint_eq(seen.ids[0], after + 1);
	}
	buf_free(&whole);
}
END_TEST

START_TEST(zeros_at_the_end)
{
	static uint8_t zeros[300000];
	struct buf whole;

	open_all();
	fill(l, 10);
	close_all();
	whole = slurp(LOG);
	ck_assert_int_eq(buf_put(&whole, zeros, sizeof(zeros)), Q_OK);
	spill(LOG, buf_span(&whole));
	open_all();
	ck_assert_uint_eq(page(0, 20, NULL).n, 10);
	ck_assert_int_eq(reports, 1);
	ck_assert_int_eq(say(l, "after"), Q_OK);
	ck_assert_uint_eq(page(0, 20, NULL).n, 11);
	buf_free(&whole);
}
END_TEST

START_TEST(nothing_good_at_all)
{
	open_all();
	fill(l, 1);
	close_all();
	spill(LOG, span_str("=no\n=thing\nhere ="));
	open_all();
	ck_assert_uint_eq(page(0, 20, NULL).n, 0);
	ck_assert_int_eq(say(l, "first"), Q_OK);
	ck_assert_uint_eq(page(0, 20, NULL).ids[0], 1);
	ck_assert_int_eq(count_names("d/bad", ""), 1);
}
END_TEST

/* A message that looks like a record with a high id stays a message, also when
 * what stands before it has gone. */
START_TEST(no_record_inside_a_message)
{
	char forged[200];
	struct record r = message("pay me");
	struct buf b = BUF_INIT(1000), whole;
	uint64_t id;

	r.id = 999;
	ck_assert_int_eq(record_put(&b, &r), Q_OK);
	snprintf(forged, sizeof(forged), "%.*s", (int)b.len - 1, (const char *)b.p);
	open_all();
	ck_assert_int_eq(say(l, "first"), Q_OK);
	ck_assert_int_eq(say(l, forged), Q_OK);
	close_all();
	open_all();
	ck_assert_int_eq(msglog_last_id(l, &id), Q_OK);
	ck_assert_uint_eq(id, 2);
	close_all();
	whole = slurp(LOG);
	whole.p[whole.len - b.len - 5] ^= 1; /* damage what is around it */
	spill(LOG, buf_span(&whole));
	open_all();
	ck_assert_int_eq(msglog_last_id(l, &id), Q_OK);
	ck_assert_uint_eq(id, 1);
	buf_free(&b);
	buf_free(&whole);
}
END_TEST

START_TEST(a_shortened_file_does_not_give_ids_twice)
{
	struct msglog *other;

	opt.max_open_logs = 1;
	open_all();
	fill(l, 10);
	ck_assert_int_eq(msglog_open(s, "other", &other), Q_OK);
	ck_assert_int_eq(say(other, "takes the descriptor"), Q_OK);
	ck_assert_int_eq(truncate(at(LOG), 0), 0);
	ck_assert_int_eq(say(l, "after"), Q_OK);
	ck_assert_uint_eq(page(0, 20, NULL).ids[0], 11);
	msglog_close(other);
}
END_TEST

/* ---- kills ---- */

/* Append for ever; after each append tell its id and a check of the text. */
static void
appender(int out)
{
	open_all();
	for (unsigned i = 0;; i++) {
		struct record r[3];
		size_t n = 1 + i % 3;

		for (size_t k = 0; k < n; k++)
			r[k] = message("a message of some length, so that a kill finds "
				       "it on the way");
		if (msglog_append(l, r, n) != Q_OK)
			_exit(1);
		if (write(out, &r[n - 1].id, sizeof(r[0].id)) != sizeof(r[0].id))
			_exit(1);
	}
}

START_TEST(kill_at_any_moment)
{
	static const enum store_durability modes[] = {STORE_ALWAYS, STORE_INTERVAL};

	opt.durability = modes[_i];
	for (int round = 0; round < 12; round++) {
		uint64_t acknowledged = 0, id, last;
		int pipe_fds[2], status;
		pid_t pid;

		ck_assert_int_eq(pipe(pipe_fds), 0);
		if ((pid = fork()) == 0)
			appender(pipe_fds[1]);
		close(pipe_fds[1]);
		ck_assert_int_eq(read(pipe_fds[0], &id, sizeof(id)), sizeof(id));
		usleep((useconds_t)(rand() % 20000));
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		do
			acknowledged = id;
		while (read(pipe_fds[0], &id, sizeof(id)) == sizeof(id));
		close(pipe_fds[0]);
		open_all();
		ck_assert_int_eq(msglog_last_id(l, &last), Q_OK);
		ck_assert_uint_ge(last, acknowledged);
		for (uint64_t after = last > 1500 ? last - 1500 : 0;
		     after < acknowledged;) {
			size_t damaged;
			struct seen seen = page(after, 1000, &damaged);

			ck_assert_uint_eq(damaged, 0);
			ck_assert_uint_gt(seen.n, 0);
			ck_assert_uint_eq(seen.ids[seen.n - 1], after + seen.n);
			after += seen.n;
		}
		ck_assert_int_eq(say(l, "after the kill"), Q_OK);
		close_all();
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("msglog_damage");
	TCase *t = tcase_create("logs");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, torn_at_every_byte);
	tcase_add_test(t, a_flipped_bit_in_the_middle);
	tcase_add_test(t, zeros_in_the_middle_of_a_long_log);
	tcase_add_test(t, zeros_at_the_end);
	tcase_add_test(t, nothing_good_at_all);
	tcase_add_test(t, no_record_inside_a_message);
	tcase_add_test(t, a_shortened_file_does_not_give_ids_twice);
	tcase_add_loop_test(t, kill_at_any_moment, 0, 2);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
