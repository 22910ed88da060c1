/* SPDX-License-Identifier: MIT
 *
 * relay on a server that has no descriptors, threads or memory left: who is
 * there stays, who comes is turned away at once, and when there is more again
 * all goes on.
 */
#include "tests/system/relay_peer.h"

#define MANY 100
/* Nobody is turned away only because a busy machine was slow. */
#define PATIENT "limits.handshake_timeout=10m"

static struct harness *h;
static struct peer *alice, *bob;

static void
begin(void)
{
	harness_add_users(h, "alice", "bob", "carol", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_chat(alice, bob);
	peer_talk(alice, bob); /* their message file is open */
}

static void
end(void)
{
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}

/* Connect and say hello as carol; NULL when the server turns us away. */
static struct peer *
try_hello(void)
{
	struct peer *p = peer_connect(h);
	struct span hello = span_of("\xf3\xff\xff\xff\x22\x01\x00\x00\x07\x00\x00\x00"
				    "carol",
				    17);

	p->nonce = 7;
	(void)peer_try_raw(p, hello);
	if (peer_ends(p)) {
		peer_free(p);
		return NULL;
	}
	return p;
}

/* Carol until 291, as soon as the server has seen that others are gone. */
static struct peer *
let_in_greeted(void)
{
	int64_t until = harness_deadline(HARNESS_WAIT);
	struct peer *p;

	while ((p = try_hello()) == NULL)
		harness_nap(until, "somebody is let in again");
	peer_hello_receive(p);
	return p;
}

static struct peer *
let_in(void)
{
	struct peer *p = let_in_greeted();

	peer_prove(p, harness_key(h, "carol"));
	peer_expect_nothing(p);
	return p;
}

/* When the shortage is over: the same people, and new ones. */
static void
all_is_well(void)
{
	struct peer *p;

	ck_assert(harness_alive(h));
	p = let_in();
	peer_send_bare(p, RELAY_LOGOUT);
	peer_expect_end(p);
	peer_free(p);
}

START_TEST(no_descriptors)
{
	struct peer *p[MANY];
	int n = 0;

	h = harness_new();
	h->files = 64;
	harness_boot(h, PATIENT, NULL);
	begin();
	/* Whoever syncs a file has a descriptor of it for a moment, and then one more gets
	 * in. */
	for (int refused = 0; refused < 20;) {
		ck_assert_int_lt(n, MANY);
		if ((p[n] = try_hello()) != NULL) {
			n++;
			continue;
		}
		refused++;
		peer_talk(alice, bob);
	}
	ck_assert_int_gt(n, 0);
	while (n > 0)
		peer_free(p[--n]);
	all_is_well();
	peer_talk(alice, bob);
	end();
}
END_TEST

START_TEST(no_threads)
{
	struct peer *p[MANY];
	int n = 0;

	if (harness_skips_faults())
		return;
	h = harness_new();
	harness_load_faults(h);
	harness_boot(h, PATIENT, NULL);
	begin();
	atomic_store(&h->fault->no_threads, 1);
	/* Threads that wait since the logins still serve; then there are none. */
	while (n < MANY && (p[n] = try_hello()) != NULL)
		n++;
	ck_assert_int_lt(n, MANY);
	for (int i = 0; i < 20; i++) {
		ck_assert_ptr_null(try_hello());
		peer_talk(alice, bob);
	}
	ck_assert_uint_ge(atomic_load(&h->fault->failed), 20);
	while (n > 0)
		peer_free(p[--n]);
	atomic_store(&h->fault->no_threads, 0);
	all_is_well();
	peer_talk(alice, bob);
	end();
}
END_TEST

/* Who has a thread gets in, though the rest of a session's life may want a
 * thread of its own. */
START_TEST(no_threads_during_a_login)
{
	struct peer *carol;

	if (harness_skips_faults())
		return;
	h = harness_new();
	harness_load_faults(h);
	harness_boot(h, NULL);
	begin();
	carol = peer_connect(h);
	peer_hello(carol, "carol");
	atomic_store(&h->fault->no_threads, 1);
	peer_prove(carol, harness_key(h, "carol"));
	peer_expect_list(carol, "");
	peer_end_chat(alice, bob);
	peer_chat(carol, bob);
	peer_talk(carol, bob);
	atomic_store(&h->fault->no_threads, 0);
	peer_free(carol);
	peer_expect_bare(bob, RELAY_CLOSED_CHAT);
	all_is_well();
	end();
}
END_TEST

/* Every Nth allocation fails, for newcomers and for those who talk.  What
 * becomes of either is open; that the server lives and recovers is not. */
static const unsigned nth[] = {1, 2, 3, 5, 8, 13, 50};

START_TEST(no_memory)
{
	struct peer *carol, *dave;

	if (harness_skips_faults())
		return;
	h = harness_new();
	harness_load_faults(h);
	harness_boot(h, NULL);
	harness_add_users(h, "dave", NULL);
	begin();
	carol = peer_login(h, "carol");
	dave = peer_login(h, "dave");
	atomic_store(&h->fault->malloc_every, nth[_i]);
	for (int i = 0; i < 30; i++) {
		struct buf out = BUF_INIT(65536);
		struct peer *p = peer_connect(h);

		peer_hello_send(p, "alice");
		peer_free(p);
		peer_say_into(alice, &out, span_str("into the void"));
		(void)peer_try_raw(alice, buf_span(&out));
		out.len = 0;
		peer_seal(carol, &out, RELAY_CHAT_REQUEST, span_str("dave"));
		peer_seal(carol, &out, RELAY_LIST, span_str(""));
		peer_seal(carol, &out, RELAY_END_CHAT, span_str(""));
		(void)peer_try_raw(carol, buf_span(&out));
		buf_free(&out);
	}
	HARNESS_UNTIL(atomic_load(&h->fault->failed) > 0);
	atomic_store(&h->fault->malloc_every, 0);
	peer_free(alice);
	peer_free(bob);
	peer_free(carol);
	peer_free(dave);
	all_is_well();
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_chat(alice, bob);
	peer_talk(alice, bob);
	end();
}
END_TEST

/* Connections beyond the limit are turned away; those below it are served. */
START_TEST(too_many_connections)
{
	struct peer *p[MANY];
	int n = 0;

	h = harness_start("limits.max_connections=20", PATIENT, NULL);
	begin();
	while (n < MANY && (p[n] = try_hello()) != NULL)
		n++;
	ck_assert_int_eq(n, 18);
	peer_talk(alice, bob);
	while (n > 0)
		peer_free(p[--n]);
	all_is_well();
	HARNESS_UNTIL(harness_logged(h, "limit=limits.max_connections"));
	end();
}
END_TEST

START_TEST(too_many_before_their_login)
{
	struct peer *p[MANY];
	int n = 0;

	h = harness_start("limits.per_address_before_login=5", PATIENT, NULL);
	begin();
	while (n < MANY && (p[n] = try_hello()) != NULL)
		n++;
	ck_assert_int_eq(n, 5);
	while (n > 0)
		peer_free(p[--n]);
	all_is_well();
	HARNESS_UNTIL(harness_logged(h, "limit=limits.per_address_before_login"));
	/* Those who are logged in do not count. */
	p[0] = let_in();
	peer_talk(alice, bob);
	peer_free(p[0]);
	end();
}
END_TEST

/* In the middle of a login, which two threads share: it is let in or it is over. */
START_TEST(no_memory_behind_the_proof)
{
	if (harness_skips_faults())
		return;
	h = harness_new();
	harness_load_faults(h);
	harness_boot(h, NULL);
	begin();
	for (int i = 0; i < 10; i++) {
		struct peer *p = let_in_greeted();

		atomic_store(&h->fault->malloc_every, nth[_i]);
		peer_prove(p, harness_key(h, "carol"));
		peer_send_bare(p, RELAY_LOGOUT);
		peer_drain(p);
		atomic_store(&h->fault->malloc_every, 0);
		peer_free(p);
	}
	ck_assert_uint_gt(atomic_load(&h->fault->failed), 0);
	all_is_well();
	peer_talk(alice, bob);
	end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay scarce");
	TCase *tc = harness_case(s, "scarce");

	tcase_add_test(tc, no_descriptors);
	tcase_add_test(tc, no_threads);
	tcase_add_test(tc, no_threads_during_a_login);
	tcase_add_loop_test(tc, no_memory, 0, (int)(sizeof(nth) / sizeof(nth[0])));
	tcase_add_loop_test(tc, no_memory_behind_the_proof, 0,
			    (int)(sizeof(nth) / sizeof(nth[0])));
	tcase_add_test(tc, too_many_connections);
	tcase_add_test(tc, too_many_before_their_login);
	return harness_main(s);
}
