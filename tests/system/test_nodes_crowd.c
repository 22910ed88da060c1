/* SPDX-License-Identifier: MIT
 *
 * A thousand calls at once over one link.  QUINTET_CROWD says how many; each costs a few
 * milliseconds of two servers, so fewer are made unless it is asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/system/nodes_labs.h"

#define SIDE  32 /* users of each lab, each of whom calls each of the other: 1,024 */
#define CROWD 400

static struct nodes_peer *user[2][SIDE]; /* by lab */
static struct nodes_peer *data[SIDE * SIDE][2];

static int
crowd_size(void)
{
	const char *said = getenv("QUINTET_CROWD");
	int n = said != NULL ? atoi(said) : CROWD;

	if (getenv("QUINTET_SANITIZER") != NULL && n > SIDE)
		n = SIDE;
	ck_assert_int_ge(n, 1);
	return n > SIDE * SIDE ? SIDE * SIDE : n;
}

static void
log_in(int i)
{
	char name[32];

	for (int k = 0; k < SIDE; k++) {
		snprintf(name, sizeof(name), "lab%d-%d", i, k);
		harness_add_user(lab[i].h, name, KEY_EC_P256);
		user[i][k] = nodes_login(lab[i].h, name);
	}
}

/* Linked, with n calls up; every other one was made by a user of lab 1. */
static void
begin(int n)
{
	struct rlimit files = {20000, 20000};

	(void)setrlimit(RLIMIT_NOFILE, &files);
	labs_make(2);
	for (int i = 1; i >= 0; i--) {
		lab[i].h->files = 20000;
		lab_boot(i, i == 0 ? "1" : "", i == 0 ? "" : "0", NULL,
			 "limits.per_address=10000",
			 "limits.per_address_before_login=4000", "limits.accounts=100",
			 NULL);
	}
	LAB_LINKED(0, 1);
	LAB_LINKED(1, 1);
	log_in(0);
	log_in(1);
	for (int k = 0; k < n; k++) {
		struct nodes_peer *pair[2] = {user[0][k % SIDE], user[1][k / SIDE]};
		int from = k % 2;

		nodes_call(lab[from].h, pair[from], lab[1 - from].h, pair[1 - from],
			   data[k]);
	}
}

static void
end(void)
{
	for (int i = 0; i < 2; i++)
		for (int k = 0; k < SIDE; k++) {
			nodes_expect_nothing(user[i][k]);
			nodes_close(user[i][k]);
		}
	labs_free();
}

static void
say(int k, int side)
{
	char text[64];

	snprintf(text, sizeof(text), "call %d side %d", k, side);
	nodes_send_bytes(data[k][side], span_str(text));
}

static void
hear(int k, int side)
{
	char text[64];

	snprintf(text, sizeof(text), "call %d side %d", k, 1 - side);
	nodes_expect_bytes(data[k][side], span_str(text));
}

/* Each word to the right ear, and each end to the right call. */
START_TEST(thousand_calls)
{
	int n = crowd_size();

	begin(n);
	for (int k = 0; k < n; k++)
		for (int side = 0; side < 2; side++)
			say(k, side);
	for (int k = 0; k < n; k++)
		for (int side = 0; side < 2; side++)
			hear(k, side);
	/* Half of them end, at either side, with last words. */
	for (int k = 0; k < n; k += 2) {
		say(k, k / 2 % 2);
		nodes_close(data[k][k / 2 % 2]);
	}
	for (int k = 0; k < n; k += 2) {
		hear(k, 1 - k / 2 % 2);
		nodes_expect_end(data[k][1 - k / 2 % 2]);
		nodes_close(data[k][1 - k / 2 % 2]);
	}
	for (int k = 1; k < n; k += 2)
		for (int side = 0; side < 2; side++) {
			say(k, side);
			hear(k, 1 - side);
		}
	/* The others hang up at both sides at the same time. */
	for (int k = 1; k < n; k += 2)
		for (int side = 0; side < 2; side++)
			nodes_close(data[k][side]);
	HARNESS_UNTIL(lab_says(0, ", 0 calls") && lab_says(1, ", 0 calls"));
	end();
}
END_TEST

/* The link breaks under all of them. */
START_TEST(thousand_calls_lost)
{
	int n = crowd_size();

	begin(n);
	harness_kill(lab[1].h);
	for (int k = 0; k < n; k++)
		nodes_expect_end(data[k][k % 2]);
	for (int k = 0; k < n; k++)
		for (int side = 0; side < 2; side++)
			nodes_close(data[k][side]);
	for (int k = 0; k < SIDE; k++) {
		nodes_expect_nothing(user[0][k]);
		nodes_close(user[0][k]);
		nodes_close(user[1][k]);
	}
	labs_free();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nodes_crowd");
	TCase *c = harness_case(s, "crowd");

	tcase_add_test(c, thousand_calls);
	tcase_add_test(c, thousand_calls_lost);
	return harness_main(s);
}
