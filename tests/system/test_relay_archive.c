/* SPDX-License-Identifier: MIT
 *
 * relay: every message is in the pair's file before it is passed on; what a
 * kill -9 or a full disk may do to that, and what not.
 */
#include <stdio.h>
#include <sys/resource.h>

#include "tests/system/archive.h"
#include "tests/system/relay_peer.h"

static struct harness *h;
static struct peer *alice, *bob;

static void
log_in(void)
{
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
}

static void
begin(const char *setting)
{
	h = harness_start(setting, NULL);
	harness_add_users(h, "alice", "bob", "carol", "dave", NULL);
	log_in();
}

static void
end(void)
{
	peer_free(alice);
	peer_free(bob);
	harness_free(h);
}

/* ---- what is stored ---- */

START_TEST(stored_before_it_is_passed_on)
{
	struct archive a;
	struct buf bodies[2] = {BUF_INIT(4096), BUF_INIT(4096)};
	struct record r;

	begin(NULL);
	peer_chat(alice, bob);
	peer_say_text(alice, "there");
	peer_hear_text(bob, "there");
	ck_assert_int_eq(buf_put_span(&bodies[0], buf_span(&bob->last)), Q_OK);
	/* Now, not some time later. */
	ck_assert_uint_eq(archive_count(h, "alice+bob"), 1);
	peer_say_text(bob, "and back");
	peer_hear_text(alice, "and back");
	ck_assert_int_eq(buf_put_span(&bodies[1], buf_span(&alice->last)), Q_OK);

	ck_assert(archive_open(&a, h, "alice+bob"));
	archive_expect(&a, "alice", "bob", buf_span(&bodies[0]));
	archive_expect(&a, "bob", "alice", buf_span(&bodies[1]));
	ck_assert(!archive_next(&a, &r));
	archive_close(&a);
	buf_free(&bodies[0]);
	buf_free(&bodies[1]);
	end();
}
END_TEST

/* One file a pair, whoever asks whom, in whatever chat, before and after a
 * restart; and only what was said in a chat. */
START_TEST(one_file_a_pair)
{
	begin(NULL);
	peer_send_text(alice, RELAY_PEER_MESSAGE, "said to nobody");
	peer_expect_nothing(alice);
	ck_assert_uint_eq(archive_count(h, "alice+bob"), 0);
	peer_chat(bob, alice);
	peer_talk(bob, alice);
	peer_end_chat(bob, alice);
	peer_chat(alice, bob);
	peer_talk(alice, bob);
	peer_free(alice);
	peer_free(bob);
	harness_stop(h);
	harness_restart(h);
	log_in();
	peer_chat(alice, bob);
	peer_talk(bob, alice);
	ck_assert_uint_eq(archive_count(h, "alice+bob"), 6);
	end();
}
END_TEST

START_TEST(nothing_is_stored_when_told_so)
{
	begin("relay.archive=no");
	peer_chat(alice, bob);
	peer_talk(alice, bob);
	ck_assert_uint_eq(archive_count(h, "alice+bob"), 0);
	end();
}
END_TEST

/* ---- kill -9 ---- */

static const char *const durabilities[] = {
    "store.durability=always", "store.durability=interval", "store.durability=never"};

/* Whole lines of the log.  A kill in the middle of a write may leave the
 * beginning of one more: nobody was told of it. */
static size_t
whole_lines(void)
{
	struct archive a;
	struct record r;
	size_t n = 0;

	ck_assert(archive_open(&a, h, "alice+bob"));
	while (archive_next(&a, &r))
		n++;
	archive_close(&a);
	return n;
}

/* Bob reads until the connection breaks; how many messages he got. */
static size_t
read_until_it_breaks(void)
{
	struct span data;
	int32_t opcode;
	size_t n = 0;

	while (peer_next(bob, &opcode, &data)) {
		ck_assert_int_eq(opcode, RELAY_PEER_MESSAGE);
		n++;
	}
	return n;
}

START_TEST(killed_during_traffic)
{
	struct buf out = BUF_INIT(8 << 20);
	size_t heard = 0, stored;

	begin(durabilities[_i]);
	peer_chat(alice, bob);
	for (int i = 0; i < 4000; i++)
		peer_say_into(alice, &out,
			      span_str("said into a server that is about to die"));
	for (size_t sent = 0; heard < 50; heard++) {
		sent += peer_try_raw(alice, span_of(out.p + sent, out.len - sent));
		peer_hear_text(bob, "said into a server that is about to die");
	}
	harness_kill(h);
	heard += read_until_it_breaks();
	peer_free(alice);
	peer_free(bob);

	stored = whole_lines();
	ck_assert_uint_ge(stored, heard);
	/* With the server gone, the command reads the files itself. */
	harness_admin(h, "check", NULL);

	harness_restart(h);
	log_in();
	peer_chat(alice, bob);
	peer_talk(alice, bob);
	ck_assert_uint_eq(archive_count(h, "alice+bob"), stored + 2);
	harness_admin(h, "check", NULL);
	buf_free(&out);
	end();
}
END_TEST

/* ---- a full disk ---- */

/* No file of the server may grow beyond bytes; 0: as large as it likes. */
static void
limit_files(rlim_t bytes)
{
	struct rlimit r = {bytes != 0 ? bytes : RLIM_INFINITY, RLIM_INFINITY};

	ck_assert_int_eq(prlimit(h->pid, RLIMIT_FSIZE, &r, NULL), 0);
}

START_TEST(full_disk_ends_the_chat)
{
	static uint8_t text[8192];
	struct peer *carol, *dave;
	int32_t opcode;
	struct span data;
	size_t heard = 0;

	begin(NULL);
	carol = peer_login(h, "carol");
	dave = peer_login(h, "dave");
	limit_files(64 << 10);
	peer_chat(alice, bob);
	for (;;) {
		peer_say(alice, span_of(text, sizeof(text)));
		ck_assert(peer_next(bob, &opcode, &data));
		if (opcode != RELAY_PEER_MESSAGE)
			break;
		ck_assert_uint_lt(++heard, 16);
	}
	/* Nothing was passed on that is not in the file. */
	ck_assert_int_eq(opcode, RELAY_CLOSED_CHAT);
	peer_expect_bare(alice, RELAY_CLOSED_CHAT);
	ck_assert_uint_gt(heard, 0);
	ck_assert_uint_eq(archive_count(h, "alice+bob"), heard);
	/* Both are free; others have a file with room left. */
	peer_expect_list(alice, "bob carol dave");
	peer_chat(carol, dave);
	peer_talk(carol, dave);
	/* With room again, all goes on. */
	limit_files(0);
	peer_chat(alice, bob);
	peer_say(alice, span_of(text, sizeof(text)));
	peer_hear(bob, span_of(text, sizeof(text)));
	ck_assert_uint_eq(archive_count(h, "alice+bob"), heard + 1);
	harness_admin(h, "check", NULL);
	peer_free(carol);
	peer_free(dave);
	end();
}
END_TEST

/* A user who cannot be stored is not said to be there. */
START_TEST(full_disk_refuses_new_users)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	char path[HARNESS_PATH + 16];

	begin(NULL);
	ck_assert_int_eq(key_public_pem(harness_key(h, "alice"), &pem), Q_OK);
	harness_write(h, "../erin.pem", buf_span(&pem));
	snprintf(path, sizeof(path), "%s/erin.pem", h->dir);
	limit_files(1);
	ck_assert_int_ne(
	    harness_command(h, NULL, "user", "add", "erin", "--key", path, NULL), 0);
	peer_expect_list(alice, "bob");
	limit_files(0);
	harness_admin(h, "user", "add", "erin", "--key", path, NULL);
	buf_free(&pem);
	end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay archive");
	TCase *tc = harness_case(s, "archive");

	tcase_add_test(tc, stored_before_it_is_passed_on);
	tcase_add_test(tc, one_file_a_pair);
	tcase_add_test(tc, nothing_is_stored_when_told_so);
	tcase_add_loop_test(tc, killed_during_traffic, 0, 3);
	tcase_add_test(tc, full_disk_ends_the_chat);
	tcase_add_test(tc, full_disk_refuses_new_users);
	return harness_main(s);
}
