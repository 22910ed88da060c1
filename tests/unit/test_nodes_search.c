/* SPDX-License-Identifier: MIT
 *
 * Who is where: searches and what they have found; addresses that are known, and those
 * that may be dialled; turns.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/nodes/known.h"
#include "server/nodes/search.h"
#include "server/nodes/turns.h"

/* ---- searches ---- */

static struct searches s;

#define LINKS(a, b) (UINT64_C(1) << (a) | UINT64_C(1) << (b))

/* The next one that has ended by now is of uin, found at link. */
#define ASSERT_ENDED(now, u, l)                                      \
	do {                                                         \
		uint32_t uin_;                                       \
		int link_;                                           \
		ck_assert(searches_ended(&s, (now), &uin_, &link_)); \
		ck_assert_uint_eq(uin_, (u));                        \
		ck_assert_int_eq(link_, (l));                        \
	} while (0)
#define ASSERT_NONE_ENDED(now)                                        \
	do {                                                          \
		uint32_t uin_;                                        \
		int link_;                                            \
		ck_assert(!searches_ended(&s, (now), &uin_, &link_)); \
	} while (0)

static void
setup(void)
{
	searches_init(&s);
}

static void
teardown(void)
{
	searches_fini(&s);
}

START_TEST(found)
{
	ck_assert(searches_begin(&s, 7, LINKS(0, 63), 1000, 2000));
	ck_assert(!searches_begin(&s, 7, LINKS(0, 63), 1100, 2000)); /* one for all */
	ASSERT_NONE_ENDED(2999);
	ck_assert_int_eq(searches_next(&s), 3000);
	searches_here(&s, 8, 63, 1200); /* another number */
	searches_here(&s, 7, 5, 1200);  /* a link that was not asked */
	ASSERT_NONE_ENDED(2999);
	searches_here(&s, 7, 63, 1200);
	searches_here(&s, 7, 0, 1200); /* the second answer */
	ASSERT_ENDED(1200, 7, 63);
	ASSERT_NONE_ENDED(INT64_MAX);
	ck_assert_int_eq(searches_next(&s), 0);
}
END_TEST

START_TEST(not_found)
{
	ck_assert(searches_begin(&s, 7, 1, 1000, 2000));
	ck_assert(searches_begin(&s, 8, 1, 1000, 500)); /* the settings have changed */
	ck_assert(searches_begin(&s, 9, 1, 1001, 2000));
	ck_assert_int_eq(searches_next(&s), 1500);
	ASSERT_ENDED(3000, 8, SEARCH_NOWHERE);
	ASSERT_ENDED(3000, 7, SEARCH_NOWHERE);
	ASSERT_NONE_ENDED(3000);
	ASSERT_ENDED(3001, 9, SEARCH_NOWHERE);
	/* There is nobody to ask. */
	ck_assert(!searches_begin(&s, 7, 0, 4000, 2000));
	ASSERT_ENDED(4000, 7, SEARCH_NOWHERE);
}
END_TEST

START_TEST(remembered)
{
	ck_assert(searches_begin(&s, 7, 2, 1000, 2000));
	searches_here(&s, 7, 1, 1500);
	ASSERT_ENDED(1500, 7, 1);
	ck_assert_int_eq(searches_find(&s, 7, 1500 + SEARCH_FIND_MS - 1), 1);
	ck_assert_int_eq(searches_find(&s, 7, 1500 + SEARCH_FIND_MS), SEARCH_NOWHERE);
	ck_assert(!searches_begin(&s, 7, 2, 2000, 2000)); /* nobody needs to be asked */
	ASSERT_ENDED(2000, 7, 1);
	searches_forget(&s, 7, 3); /* another link's B8 */
	ck_assert_int_eq(searches_find(&s, 7, 2000), 1);
	searches_forget(&s, 7, 1);
	ck_assert_int_eq(searches_find(&s, 7, 2000), SEARCH_NOWHERE);
	ck_assert(searches_begin(&s, 7, 2, 2000, 2000));
}
END_TEST

START_TEST(followed)
{
	ck_assert(searches_begin(&s, 7, LINKS(0, 1), 1000, 2000));
	ck_assert(!searches_followed(&s, 7, 2)); /* nobody has sent us there */
	ck_assert(searches_follow(&s, 7));
	ck_assert(!searches_follow(&s, 7)); /* once */
	ck_assert(!searches_follow(&s, 8));
	ck_assert_int_eq(searches_next(&s), 3000 + SEARCH_FOLLOW_MS);
	ck_assert(!searches_wants(&s, 7, 2));
	ck_assert(searches_followed(&s, 7, 2));
	ck_assert(!searches_followed(&s, 7, 2));
	ck_assert(searches_wants(&s, 7, 2));
	searches_here(&s, 7, 2, 3500);
	ASSERT_ENDED(3500, 7, 2);
}
END_TEST

START_TEST(links_lost)
{
	ck_assert(searches_begin(&s, 7, LINKS(0, 1), 1000, 2000));
	ck_assert(searches_begin(&s, 8, 1, 1000, 2000));
	ck_assert(searches_begin(&s, 9, 1, 1000, 2000));
	ck_assert(searches_begin(&s, 10, LINKS(0, 1), 1000, 2000));
	ck_assert(searches_follow(&s, 9));
	searches_here(&s, 10, 0, 1100); /* found, and lost before anybody knew */
	searches_lost(&s, 0);
	ASSERT_ENDED(1100, 10, SEARCH_NOWHERE);
	ASSERT_ENDED(1100, 8, SEARCH_NOWHERE);
	ASSERT_NONE_ENDED(1100);
	ck_assert_int_eq(searches_find(&s, 10, 1100), SEARCH_NOWHERE);
	ck_assert(!searches_wants(&s, 7, 0));
	ck_assert(searches_wants(&s, 7, 1));
	ASSERT_ENDED(3000, 7, SEARCH_NOWHERE);
	ASSERT_ENDED(3000 + SEARCH_FOLLOW_MS, 9, SEARCH_NOWHERE);
}
END_TEST

/* However many are found, so many are remembered. */
START_TEST(bounded)
{
	for (uint32_t i = 1; i <= 2 * SEARCH_MAX; i++) {
		ck_assert(searches_begin(&s, i, 1, 1000, 2000));
		searches_here(&s, i, 0, 1000);
		ASSERT_ENDED(1000, i, 0);
	}
	ck_assert_uint_eq(s.find_count, SEARCH_MAX);
	ck_assert_int_eq(searches_find(&s, 1, 1000), SEARCH_NOWHERE);
	ck_assert_int_eq(searches_find(&s, 2 * SEARCH_MAX, 1000), 0);
}
END_TEST

/* ---- places ---- */

static struct place
place(const char *text)
{
	struct peer p = {.port = 0};
	struct place out;

	ck_assert_int_eq(peer_address(text, strlen(text), p.host, &p.port), Q_OK);
	place_of_peer(&p, &out);
	return out;
}

static const struct {
	const char *text;
	enum nodes_address_kind kind;
	bool may;
} places[] = {
    {"192.0.2.7:9034", NODES_IP4, true},
    {"127.0.0.1:1", NODES_IP4, true},
    {"0.0.0.0:9034", NODES_IP4, false},
    {"0.1.2.3:9034", NODES_IP4, false},
    {"224.0.0.1:9034", NODES_IP4, false},
    {"239.255.255.255:9034", NODES_IP4, false},
    {"255.255.255.255:9034", NODES_IP4, false},
    {"223.255.255.255:9034", NODES_IP4, true},
    {"[2001:db8::7]:9034", NODES_IP6, true},
    {"[::1]:9034", NODES_IP6, true},
    {"[::]:9034", NODES_IP6, false},
    {"[ff02::1]:9034", NODES_IP6, false},
    {"[::ffff:192.0.2.7]:9034", NODES_IP4, true},
    {"[::ffff:255.255.255.255]:9034", NODES_IP4, false},
    {"lab-2.example:9034", NODES_HOST, true},
};

START_TEST(dialled_or_not)
{
	struct place p = place(places[_i].text), q;
	struct nodes_address a = place_address(&p);
	char text[PLACE_TEXT_SIZE];

	ck_assert_int_eq(p.kind, places[_i].kind);
	ck_assert(place_may_be_dialled(&p) == places[_i].may);
	ck_assert_int_eq(place_of(&a, &q), Q_OK);
	ck_assert(place_eq(&p, &q));
	place_text(&p, text);
	if (strstr(text, "9034") != NULL && strstr(places[_i].text, "ffff:") == NULL)
		ck_assert_str_eq(text, places[_i].text);
	p.port = 0;
	ck_assert(!place_may_be_dialled(&p));
	ck_assert(!place_eq(&p, &q));
}
END_TEST

START_TEST(places_of_the_wire)
{
	struct nodes_address a = {.kind = NODES_IP6, .port = 7};
	struct place p, v4 = place("192.0.2.7:7");

	/* IPv4-mapped, as nobody should write it: the same place. */
	a.ip[10] = a.ip[11] = 0xff;
	memcpy(a.ip + 12, v4.ip, 4);
	ck_assert_int_eq(place_of(&a, &p), Q_OK);
	ck_assert(place_eq(&p, &v4));
	a = (struct nodes_address){.kind = NODES_HOST, .port = 7};
	a.host = span_str("la\nb");
	ck_assert_int_eq(place_of(&a, &p), Q_FORMAT);
	a.host = span_of("la\0b", 4);
	ck_assert_int_eq(place_of(&a, &p), Q_FORMAT);
	a.host = span_str("[::1]");
	ck_assert_int_eq(place_of(&a, &p), Q_FORMAT);
	a.host = span_str("lab");
	ck_assert_int_eq(place_of(&a, &p), Q_OK);
	ck_assert_str_eq(p.host, "lab");
}
END_TEST

/* ---- known ---- */

static struct place
numbered(unsigned n)
{
	struct place p = place("192.0.2.1:1");

	p.port = (uint16_t)n;
	return p;
}

START_TEST(shares)
{
	static const uint8_t liar[SHA256_LEN] = {1}, other[SHA256_LEN] = {2};
	struct known k = KNOWN_INIT;
	struct place p;

	for (unsigned i = 1; i <= KNOWN_PER_NODE; i++) {
		p = numbered(i);
		ck_assert_int_eq(known_add(&k, &p, false, liar, 100, 1000), Q_OK);
		ck_assert_int_eq(known_add(&k, &p, false, liar, 100, 1000), Q_OK);
	}
	p = numbered(1000);
	ck_assert_int_eq(known_add(&k, &p, false, liar, 100, 1000), Q_LIMIT);
	ck_assert_int_eq(known_add(&k, &p, false, other, 100, 1000), Q_OK);
	for (unsigned i = 2000; i < 2000 + 100 - KNOWN_PER_NODE - 1; i++) {
		p = numbered(i);
		ck_assert_int_eq(known_add(&k, &p, false, other, 100, 1000), Q_OK);
	}
	p = numbered(3000);
	ck_assert_int_eq(known_add(&k, &p, false, other, 100, 1000), Q_LIMIT);
	ck_assert_uint_eq(k.count, 100);
	/* All is forgotten in time. */
	ck_assert_int_eq(known_add(&k, &p, false, other, 100, 1000 + KNOWN_MS), Q_OK);
	ck_assert_uint_eq(k.count, 1);
	p.port = 0;
	ck_assert_int_eq(known_add(&k, &p, false, other, 100, 1000), Q_DENIED);
	known_fini(&k);
}
END_TEST

START_TEST(announced)
{
	static const uint8_t liar[SHA256_LEN] = {1}, itself[SHA256_LEN] = {2};
	struct known k = KNOWN_INIT;
	struct place p = numbered(9034);

	ck_assert(!known_announced(&k, &p, 1000));
	ck_assert_int_eq(known_add(&k, &p, false, liar, 100, 1000), Q_OK);
	ck_assert(!known_announced(&k, &p, 1000));
	ck_assert_int_eq(known_add(&k, &p, true, itself, 100, 1000), Q_OK);
	ck_assert(known_announced(&k, &p, 1000));
	/* What others say keeps it no longer. */
	ck_assert_int_eq(known_add(&k, &p, false, liar, 100, 2000), Q_OK);
	ck_assert(known_announced(&k, &p, 1000 + KNOWN_MS - 1));
	ck_assert(!known_announced(&k, &p, 1000 + KNOWN_MS));
	known_expire(&k, 1000 + KNOWN_MS);
	ck_assert_uint_eq(k.count, 0);
	known_fini(&k);
}
END_TEST

/* ---- turns ---- */

#define TALKERS 4

static struct turns turns;
static int said[2 * TALKERS];
static atomic_int said_count;
static atomic_int inside;

/* Two pieces; whoever has a turn is alone. */
static void *
talk(void *arg)
{
	struct turn turn;

	turn_init(&turn);
	for (int i = 0; i < 2; i++) {
		turns_take(&turns, &turn);
		ck_assert_int_eq(atomic_fetch_add(&inside, 1), 0);
		said[atomic_fetch_add(&said_count, 1)] = *(int *)arg;
		atomic_fetch_sub(&inside, 1);
		turns_pass(&turns, &turn);
	}
	turn_fini(&turn);
	return NULL;
}

static int
waiting(void)
{
	struct turn *t;
	int n = 0;

	lock_take(&turns.lock);
	TAILQ_FOREACH (t, &turns.queue, place)
		n++;
	lock_drop(&turns.lock);
	return n;
}

/* All have their first turn, in the order in which they came, before one has its
 * second. */
START_TEST(one_after_the_other)
{
	struct timespec moment = {0, 1000000};
	pthread_t thread[TALKERS];
	struct turn mine;
	int id[TALKERS];

	turns_init(&turns);
	turn_init(&mine);
	turns_take(&turns, &mine);
	for (int i = 0; i < TALKERS; i++) {
		id[i] = i;
		ck_assert_int_eq(pthread_create(&thread[i], NULL, talk, &id[i]), 0);
		while (waiting() < i + 2)
			nanosleep(&moment, NULL);
	}
	ck_assert_int_eq(said_count, 0);
	turns_pass(&turns, &mine);
	for (int i = 0; i < TALKERS; i++)
		pthread_join(thread[i], NULL);
	ck_assert_int_eq(said_count, 2 * TALKERS);
	for (int i = 0; i < TALKERS; i++)
		ck_assert_int_eq(said[i], i);
	turn_fini(&mine);
	turns_fini(&turns);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("nodes_search");
	TCase *tc = tcase_create("searches");

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, found);
	tcase_add_test(tc, not_found);
	tcase_add_test(tc, remembered);
	tcase_add_test(tc, followed);
	tcase_add_test(tc, links_lost);
	tcase_add_test(tc, bounded);
	tc = tcase_create("places");
	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, dialled_or_not, 0,
			    (int)(sizeof(places) / sizeof(places[0])));
	tcase_add_test(tc, places_of_the_wire);
	tcase_add_test(tc, shares);
	tcase_add_test(tc, announced);
	tc = tcase_create("turns");
	suite_add_tcase(suite, tc);
	tcase_add_test(tc, one_after_the_other);
	return unit_main(suite);
}
