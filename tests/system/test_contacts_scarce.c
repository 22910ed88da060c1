/* SPDX-License-Identifier: MIT
 *
 * contacts on a server that has no memory or descriptors left: who is cut off may come
 * back, and what was answered with 400 has come, once.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/contacts_play.h"

#define MANY 100 /* messages */

static struct play *s;

/* The connection may have ended. */
static void
try_to_say(struct line_peer *p, const char *line)
{
	line_send_some(p, span_str(line));
	line_send_some(p, span_str("\n"));
}

/* Say a number and wait for what becomes of it; true: it was stored.  *p ends with the
 * connection, and another one is made. */
static bool
said(struct line_peer **p, int number)
{
	struct span line = {NULL, 0};
	char text[64];
	bool there;

	snprintf(text, sizeof(text), "115 1 %d", number);
	try_to_say(*p, text);
	(*p)->torn_ok = true;
	while ((there = line_next(*p, &line)) &&
	       (line.len < 3 || memcmp(line.p, "219", 3) != 0))
		continue;
	if (there)
		return span_eq(line, span_str("219 400"));
	line_free(*p);
	*p = line_connect(play_harness(s), "alice");
	try_to_say(*p, "110 alice " PLAY_PASSWORD);
	return false;
}

/* Every 219 400 stands for a 220, in order and once; what had another answer, or none,
 * may have come or not. */
static void
bob_hears(const bool stored[MANY])
{
	int64_t last_ms = 0;
	int next = 0, number;

	for (;;) {
		struct line_message m = line_hear_message(play_peer(s, "bob"));

		ck_assert_int_gt(m.time_ms, last_ms);
		last_ms = m.time_ms;
		if (span_eq(m.text, span_str("end")))
			break;
		number = line_message_number(&m);
		for (; next < number; next++)
			ck_assert_msg(!stored[next], "%d is missing", next);
		ck_assert_int_eq(number, next);
		next++;
	}
	for (; next < MANY; next++)
		ck_assert_msg(!stored[next], "%d is missing", next);
}

static const unsigned nth[] = {2, 3, 8, 50};

START_TEST(no_memory)
{
	struct line_peer *alice;
	bool stored[MANY];
	struct harness *h;

	if (harness_skips_faults())
		return;
	h = harness_new();
	harness_load_faults(h);
	harness_boot(h, NULL);
	play_add_users(h, "alice bob");
	s = play_with(h);
	play_befriend(s, "alice", "bob");
	PLAY(s, "bob: logout", "alice: close");
	alice = line_connect(h, "alice");
	try_to_say(alice, "110 alice " PLAY_PASSWORD);
	atomic_store(&h->fault->malloc_every, nth[_i]);
	for (int i = 0; i < MANY; i++)
		stored[i] = said(&alice, i);
	ck_assert_uint_gt(atomic_load(&h->fault->failed), 0);
	atomic_store(&h->fault->malloc_every, 0);
	line_free(alice);
	ck_assert(harness_alive(h));
	PLAY(s, "alice: login", "alice> 115 1 end", "alice< 219 400", "bob: login");
	bob_hears(stored);
	PLAY(s, "bob: nothing", "alice: nothing");
	harness_admin(h, "check", NULL);
	play_end(s);
}
END_TEST

/* A login wants a descriptor: without one it is refused for now, and those who are there
 * go on. */
START_TEST(no_descriptors)
{
	int64_t until = harness_deadline(HARNESS_WAIT);
	struct line_peer *p[100], *last;
	struct harness *h = harness_new();
	struct span line;
	int n = 0;

	h->files = 64;
	harness_boot(h, "limits.handshake_timeout=10m", NULL);
	play_add_users(h, "alice bob carol");
	s = play_with(h);
	play_befriend(s, "alice", "bob");
	for (;;) {
		do {
			last = p[n++] = line_connect(h, "somebody");
			line_send_some(last, span_str("999\n"));
		} while (n < 100 && line_next(last, &line));
		ck_assert_int_lt(n, 100);
		line_say(p[0], "110 carol %s", PLAY_PASSWORD);
		if (span_eq(line_expect(p[0]), span_str("212 413 carol")))
			break;
		/* One that was in use for a moment, as by who syncs a file, was free again. */
		line_free(p[--n]); /* who was refused */
		line_free(p[0]);
		p[0] = p[--n];
		harness_nap(until, "no descriptor is left");
	}
	PLAY(s, "alice> 115 1 hello", "alice< 219 400", "bob< 220 1 1447934844001 hello");
	while (--n > 0)
		line_free(p[n]);
	/* The server sees some time that they are gone. */
	for (until = harness_deadline(HARNESS_WAIT);;) {
		line_say(p[0], "110 carol %s", PLAY_PASSWORD);
		if (span_eq(line_expect(p[0]), span_str("212 400 carol")))
			break;
		harness_nap(until, "carol gets in");
	}
	line_free(p[0]);
	PLAY(s, "alice: nothing", "bob: nothing");
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts scarce");
	TCase *tc = harness_case(suite, "scarce");

	tcase_add_loop_test(tc, no_memory, 0, sizeof(nth) / sizeof(nth[0]));
	tcase_add_test(tc, no_descriptors);
	return harness_main(suite);
}
