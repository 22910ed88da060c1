/* SPDX-License-Identifier: MIT
 *
 * When what happens in the room of a shared chat is written down: about once a second
 * while people talk, at once for who asks, and again after an error.
 */
#include "tests/unit/shared_room.h"

#include <sys/syscall.h>

/* Every file that is replaced is renamed, on a disk that may be slow: this stands before
 * the C library's. */
static atomic_uint renames;
static atomic_bool slow, stands_still;

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	atomic_fetch_add(&renames, 1);
	while (stands_still)
		usleep(1000);
	if (slow)
		usleep(2000);
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

/* However fast they talk, each second costs one tally and the positions of who is there. */
START_TEST(once_a_second)
{
	int64_t begin_ms = clock_mono_ms(), end_ms;
	unsigned before, n;
	uint64_t id = 0;

	(void)enter("bob");
	ck_assert_int_eq(shared_save(chat), Q_OK);
	before = renames;
	while (clock_mono_ms() < begin_ms + 2500 || renames == before) {
		say("Alice", 1);
		shared_shown(chat, "bob", id + 1, id + 1);
		id++;
		usleep(500); /* nobody types faster */
	}
	n = renames - before;
	end_ms = clock_mono_ms();
	ck_assert_uint_gt(id, 0);
	ck_assert_msg(n <= 2 * (unsigned)((end_ms - begin_ms) / 1000 + 1),
		      "%u files in %d ms", n, (int)(end_ms - begin_ms));
	(void)leave("bob");
}
END_TEST

static bool
had_message(uint64_t id)
{
	struct had *h;
	bool found = false;
	size_t n;

	ck_assert_int_eq(positions_load_had(core.store, "bob", &h, &n), Q_OK);
	for (size_t i = 0; i < n; i++)
		found |= h[i].from <= id && id <= h[i].to;
	free(h);
	return found;
}

static void *
show_and_settle(void *arg)
{
	uint64_t id = (uint64_t)(uintptr_t)arg;

	for (int i = 0; i < 60; i++, id++) {
		say("Alice", 1);
		shared_shown(chat, "bob", id, id);
		if (i % 2 == 0)
			shared_settle(core.shared, chat_id);
		else
			ck_assert_int_eq(shared_save(chat), Q_OK);
		ck_assert_msg(had_message(id), "message %d was not written down",
			      (int)id);
	}
	return NULL;
}

/* What was shown before is in the store, whoever else is about to write it. */
START_TEST(settled_beside_others)
{
	pthread_t t[4];

	slow = true;
	for (uintptr_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, show_and_settle,
						(void *)(1000 * (i + 1))),
				 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}
END_TEST

static void *
save_it(void *arg)
{
	(void)arg;
	ck_assert_int_eq(shared_save(chat), Q_OK);
	return NULL;
}

static atomic_bool settled;

static void *
settle_it(void *arg)
{
	(void)arg;
	shared_settle(core.shared, chat_id);
	ck_assert(had_message(7));
	settled = true;
	return NULL;
}

/* Who has taken it out has not yet written it. */
START_TEST(settled_by_another)
{
	pthread_t saver, settler;

	say("Alice", 1);
	shared_shown(chat, "bob", 7, 7);
	stands_still = true;
	ck_assert_int_eq(pthread_create(&saver, NULL, save_it, NULL), 0);
	CORE_AWAIT(renames > 0);
	ck_assert_int_eq(pthread_create(&settler, NULL, settle_it, NULL), 0);
	for (int i = 0; i < 50 && !settled; i++)
		usleep(1000);
	stands_still = false;
	pthread_join(saver, NULL);
	pthread_join(settler, NULL);
}
END_TEST

/* Nothing is left to be written of a chat that nobody has open. */
START_TEST(settled_when_not_in_use)
{
	shared_shown(chat, "bob", 1, 3);
	shared_chat_unref(chat);
	chat = NULL;
	shared_settle(core.shared, chat_id);
	ck_assert_str_eq(had_by("bob"), "1-3");
	CORE_AWAIT((shared_settle(core.shared, chat_id), renames == 1));
	shared_settle(core.shared, chat_id + 1);
	ck_assert_str_eq(had_by("bob"), "1-3");
}
END_TEST

/* When there is room again it is written, although nothing more happens in the chat. */
START_TEST(written_when_there_is_room)
{
	struct tally t = {.upto = 0};
	enum qerr e;

	say("Alice", 3);
	(void)enter("bob");
	shared_shown(chat, "bob", 1, 2);
	(void)leave("bob");
	limit_files(1);
	shared_settle(core.shared, chat_id);
	e = shared_save(chat);
	shared_chat_unref(chat);
	chat = NULL;
	limit_files(RLIM_INFINITY);
	ck_assert_int_ne(e, Q_OK);
	CORE_AWAIT(strcmp(had_by("bob"), "1-2") == 0 &&
		   tally_load(core.store, chat_id, &t) == Q_OK);
	ck_assert_uint_eq(t.seen[TALLY_OTHER], 3);
}
END_TEST

/* The end comes all the same, and comes to an end. */
START_TEST(the_end_without_room)
{
	say("Alice", 1);
	shared_shown(chat, "bob", 1, 1);
	limit_files(1);
	shared_chat_unref(chat);
	chat = NULL;
	shared_close(core.shared);
	core.shared = NULL;
	limit_files(RLIM_INFINITY);
	ck_assert_str_eq(had_by("bob"), "");
}
END_TEST

static atomic_bool over;

static void *
show_and_save(void *arg)
{
	struct shared_chat *c = arg;

	for (uint64_t id = 1; !over; id++) {
		shared_shown(c, "bob", id, id);
		ck_assert_int_eq(shared_save(c), Q_OK);
	}
	return NULL;
}

/* Nothing of a chat is written once it was deleted, whoever is about to. */
START_TEST(deleted_while_saved)
{
	struct shared_chat *old = chat;
	pthread_t t[2];

	over = false;
	say("Alice", 3);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, show_and_save, chat), 0);
	while (had_by("bob")[0] == '\0')
		usleep(1000);
	ck_assert_int_eq(shared_delete(core.shared, chat, NULL), Q_OK);
	ck_assert_str_eq(had_by("bob"), "");
	ck_assert_int_eq(count_names("d/tallies", ""), 0);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(shared_save(old), Q_OK);
	over = true;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	ck_assert_str_eq(had_by("bob"), "");
	ck_assert_int_eq(count_names("d/tallies", ""), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("shared_save");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, make_chat, drop_chat);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, once_a_second);
	tcase_add_test(t, settled_beside_others);
	tcase_add_test(t, settled_by_another);
	tcase_add_test(t, settled_when_not_in_use);
	tcase_add_test(t, written_when_there_is_room);
	tcase_add_test(t, the_end_without_room);
	tcase_add_loop_test(t, deleted_while_saved, 0, 5);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
