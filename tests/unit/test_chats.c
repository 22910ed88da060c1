/* SPDX-License-Identifier: MIT
 *
 * The chats that protocols share, and the journal below them: what is found after
 * a restart, races for one pair, deleting while others write, damage, full disks.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "store/chats.h"
#include "store/check.h"
#include "store/journal.h"
#include "store/media.h"
#include "tests/unit/tempdir.h"

#define JOURNAL "d/chats/pairs.log"

static struct store *s;
static struct chats *c;
static char told[8192];
static struct lock telling = LOCK_INIT;

static void
report(void *arg, const char *sentence)
{
	(void)arg;
	lock_take(&telling);
	strncat(told, sentence, sizeof(told) - strlen(told) - 2);
	strcat(told, "\n");
	lock_drop(&telling);
}

static void
open_store(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct why why;

	opt.report = report;
	if (store_open(at("d"), &opt, &s, &why) != Q_OK)
		ck_abort_msg("%s", why.text);
}

static void
open_all(void)
{
	open_store();
	ck_assert_int_eq(chats_open(s, &c), Q_OK);
}

static void
close_all(void)
{
	chats_close(c);
	store_close(s);
}

static void
reopen(void)
{
	close_all();
	told[0] = '\0';
	open_all();
}

static void
setup(void)
{
	signal(SIGXFSZ, SIG_IGN);
	told[0] = '\0';
	tempdir_make();
	open_all();
}

static void
teardown(void)
{
	close_all();
	tempdir_remove();
}

#define ASSERT_TOLD(text) \
	ck_assert_msg(strstr(told, text) != NULL, "not told: %s\n%s", text, told)

static uint64_t
create(const char *a, const char *b)
{
	struct chat_info info;

	ck_assert_int_eq(chats_create(c, a, b, 0, &info), Q_OK);
	return info.id;
}

static enum qerr
say_in(struct msglog *l, const char *text)
{
	struct record r = {
	    .kind = "msg", .from = "alice", .text = true, .data = span_str(text)};

	return msglog_append(l, &r, 1);
}

static void
write_log(uint64_t id)
{
	struct msglog *l;

	ck_assert_int_eq(chats_open_log(c, id, &l), Q_OK);
	ck_assert_int_eq(say_in(l, "hello"), Q_OK);
	msglog_close(l);
}

static size_t
count_of(const char *user)
{
	struct chat_info *list;
	size_t n;

	ck_assert_int_eq(chats_of(c, user, &list, &n), Q_OK);
	free(list);
	return n;
}

/* ---- one after another ---- */

START_TEST(make_and_find)
{
	struct chat_info made, got, *list;
	size_t n;

	ck_assert_int_eq(chats_create(c, "Alice", "bob", 0, &made), Q_OK);
	ck_assert_uint_eq(made.id, 1);
	ck_assert_str_eq(made.maker, "Alice");
	ck_assert_str_eq(made.other, "bob");
	ck_assert_uint_eq(made.anons_id, 0);
	ck_assert_int_gt(made.created_ms, 0);
	/* The pair has it, whoever asks and however spelled. */
	ck_assert_int_eq(chats_create(c, "BOB", "alice", 0, &got), Q_EXISTS);
	ck_assert_mem_eq(&got, &made, sizeof(got));
	ck_assert_int_eq(chats_find(c, "bob", "ALICE", 0, &got), Q_OK);
	ck_assert_uint_eq(got.id, 1);
	/* About an announcement it is another one. */
	ck_assert_int_eq(chats_find(c, "Alice", "bob", 7, &got), Q_MISSING);
	ck_assert_int_eq(chats_create(c, "BOB", "alice", 7, &got), Q_OK);
	ck_assert_uint_eq(got.id, 2);
	ck_assert_uint_eq(got.anons_id, 7);
	ck_assert_str_eq(got.maker, "bob"); /* as it was spelled first */
	ck_assert_str_eq(got.other, "Alice");
	create("alice", "Carol");
	ck_assert_int_eq(chats_of(c, "aLiCe", &list, &n), Q_OK);
	ck_assert_uint_eq(n, 3);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(list[i].id, i + 1);
	free(list);
	ck_assert_uint_eq(count_of("carol"), 1);
	ck_assert_int_eq(chats_of(c, "nobody", &list, &n), Q_OK);
	ck_assert_ptr_null(list);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(chats_get(c, 4, &got), Q_MISSING);
	ck_assert_int_eq(chats_get(c, 0, &got), Q_MISSING);
	ck_assert_int_eq(chats_find(c, "bob", "carol", 0, &got), Q_MISSING);
}
END_TEST

START_TEST(names_that_are_none)
{
	struct chat_info info;
	static const char *const pairs[][2] = {
	    {"alice", "Alice"}, {"", "bob"},
	    {"alice", ""},      {"a b", "bob"},
	    {"bob", "-x"},      {"alice", "123456789012345678901234567890123"}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		ck_assert_int_eq(chats_create(c, pairs[i][0], pairs[i][1], 0, &info),
				 Q_FORMAT);
		ck_assert_int_eq(chats_find(c, pairs[i][0], pairs[i][1], 0, &info),
				 Q_MISSING);
		ck_assert_uint_eq(count_of(pairs[i][0]), 0);
	}
	ck_assert_int_eq(chats_create(c, "alice", "bob", UINT64_MAX, &info), Q_FORMAT);
	ck_assert(!exists(JOURNAL));
}
END_TEST

START_TEST(ids_are_used_once)
{
	struct chat_info info;

	ck_assert_uint_eq(create("alice", "bob"), 1);
	ck_assert_uint_eq(create("alice", "carol"), 2);
	ck_assert_int_eq(chats_delete(c, 2), Q_OK);
	ck_assert_int_eq(chats_delete(c, 2), Q_MISSING);
	ck_assert_int_eq(chats_get(c, 2, &info), Q_MISSING);
	ck_assert_int_eq(chats_find(c, "alice", "carol", 0, &info), Q_MISSING);
	ck_assert_uint_eq(count_of("carol"), 0);
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_int_eq(chats_get(c, 2, &info), Q_MISSING);
	ck_assert_int_eq(chats_delete(c, 2), Q_MISSING);
	ck_assert_uint_eq(create("alice", "carol"), 3);
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	ck_assert_int_eq(chats_delete(c, 3), Q_OK);
	reopen();
	ck_assert_uint_eq(count_of("alice"), 0);
	ck_assert_uint_eq(create("alice", "bob"), 4);
}
END_TEST

/* ---- users that are removed ---- */

/* Alice's chats 1 (with the bob that is gone) and 4 (with the bob of today), carol's 2
 * with the old one, alice's 3 about an announcement. */
static void
expect_two_bobs(void)
{
	struct chat_info info, *list;
	size_t n;

	ck_assert_int_eq(chats_of(c, "alice", &list, &n), Q_OK);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(list[0].id, 1);
	ck_assert_str_eq(list[0].maker, "Alice");
	ck_assert_str_eq(list[0].other, "Bob");
	ck_assert(!list[0].maker_gone && list[0].other_gone);
	ck_assert(chat_info_member(&list[0], "aLICE"));
	ck_assert(!chat_info_member(&list[0], "bob"));
	ck_assert(!chat_info_member(&list[0], "carol"));
	ck_assert_uint_eq(list[1].id, 3);
	ck_assert_str_eq(list[1].maker, "Bob");
	ck_assert(list[1].maker_gone && !list[1].other_gone);
	ck_assert(chat_info_member(&list[1], "alice"));
	ck_assert(!chat_info_member(&list[1], "BOB"));
	ck_assert_uint_eq(list[2].id, 4);
	ck_assert_str_eq(list[2].maker, "bob"); /* as the new one spells it */
	ck_assert(!list[2].maker_gone && !list[2].other_gone);
	ck_assert(chat_info_member(&list[2], "BOB"));
	free(list);
	ck_assert_int_eq(chats_of(c, "BOB", &list, &n), Q_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(list[0].id, 4);
	free(list);
	ck_assert_int_eq(chats_find(c, "bob", "alice", 0, &info), Q_OK);
	ck_assert_uint_eq(info.id, 4);
	ck_assert_int_eq(chats_find(c, "alice", "bob", 7, &info), Q_MISSING);
	ck_assert_int_eq(chats_find(c, "carol", "bob", 0, &info), Q_MISSING);
	ck_assert_int_eq(chats_get(c, 1, &info), Q_OK);
	ck_assert(!info.maker_gone && info.other_gone);
	ck_assert_int_eq(chats_create(c, "alice", "bob", 0, &info), Q_EXISTS);
	ck_assert_uint_eq(info.id, 4);
	ck_assert_uint_eq(count_of("carol"), 1);
}

START_TEST(a_new_user_of_an_old_name)
{
	struct chat_info info, *list;
	size_t n;

	create("Alice", "Bob");
	write_log(1);
	create("carol", "bob");
	ck_assert_int_eq(chats_create(c, "bob", "alice", 7, &info), Q_OK);
	ck_assert_int_eq(chats_forget(c, "nobody"), Q_OK);
	ck_assert_int_eq(chats_forget(c, "not a name"), Q_OK);
	ck_assert_int_eq(chats_forget(c, "bOB"), Q_OK);
	ck_assert_int_eq(chats_of(c, "bob", &list, &n), Q_OK);
	ck_assert_ptr_null(list);
	ck_assert_int_eq(chats_find(c, "bob", "alice", 0, &info), Q_MISSING);
	ck_assert_uint_eq(create("bob", "alice"), 4);
	expect_two_bobs();
	reopen();
	ck_assert_str_eq(told, "");
	expect_two_bobs();
	/* The old one can still be read and deleted. */
	write_log(1);
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	ck_assert_int_eq(chats_delete(c, 3), Q_OK);
	ck_assert_uint_eq(count_of("alice"), 1);
	ck_assert_uint_eq(count_of("bob"), 1);
	/* The next bob, and nobody who knew any of them. */
	ck_assert_int_eq(chats_forget(c, "bob"), Q_OK);
	ck_assert_int_eq(chats_forget(c, "alice"), Q_OK);
	ck_assert_int_eq(chats_forget(c, "carol"), Q_OK);
	ck_assert_int_eq(chats_get(c, 4, &info), Q_OK);
	ck_assert(info.maker_gone && info.other_gone);
	ck_assert_int_eq(chats_delete(c, 4), Q_OK);
	ck_assert_int_eq(chats_delete(c, 2), Q_OK);
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_int_eq(chats_get(c, 4, &info), Q_MISSING);
	ck_assert_uint_eq(create("alice", "bob"), 5);
}
END_TEST

static atomic_bool over;

static void *
make_chats(void *arg)
{
	struct chat_info info;

	do {
		enum qerr e = chats_create(c, arg, "bob", 0, &info);

		ck_assert(e == Q_OK || e == Q_EXISTS);
	} while (!over);
	return NULL;
}

/* What memory says is what the file says, whichever was first. */
START_TEST(forgotten_while_others_make)
{
	static char *const maker[] = {"alice", "carol", "dora"};
	struct chat_info *before, *after;
	size_t n_before, n_after;
	pthread_t thread[3];

	over = false;
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, make_chats, maker[i]),
				 0);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(chats_forget(c, "bob"), Q_OK);
	over = true;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 4; i++) {
		const char *who = i < 3 ? maker[i] : "bob";

		ck_assert_int_eq(chats_of(c, who, &before, &n_before), Q_OK);
		reopen();
		ck_assert_str_eq(told, "");
		ck_assert_int_eq(chats_of(c, who, &after, &n_after), Q_OK);
		ck_assert(n_before > 0 || i == 3); /* the last bob may be gone */
		ck_assert_uint_eq(n_before, n_after);
		if (n_before > 0)
			ck_assert_mem_eq(before, after, n_before * sizeof(*before));
		free(before);
		free(after);
	}
}
END_TEST

/* ---- against a model ---- */

#define PEOPLE 6
#define TOPICS 2

static const char *const people[PEOPLE] = {"ann", "Ben", "cleo", "Dan.2", "eve-x", "f_"};

static struct {
	uint64_t id; /* 0: there is none */
	int maker;
	int64_t created_ms;
} model[PEOPLE][PEOPLE][TOPICS]; /* [lower][higher] */

static void
compare_with_model(void)
{
	struct chat_info info, *list;

	for (int a = 0; a < PEOPLE; a++) {
		size_t expected = 0, n;

		for (int b = 0; b < PEOPLE; b++)
			for (int t = 0; t < TOPICS; t++) {
				int lo = a < b ? a : b, hi = a < b ? b : a;
				uint64_t id = model[lo][hi][t].id;
				enum qerr e;

				if (a == b)
					continue;
				expected += id != 0;
				e = chats_find(c, people[a], people[b], (uint64_t)t,
					       &info);
				ck_assert_int_eq(e, id != 0 ? Q_OK : Q_MISSING);
				if (id == 0)
					continue;
				ck_assert_uint_eq(info.id, id);
				ck_assert_int_eq(info.created_ms,
						 model[lo][hi][t].created_ms);
				ck_assert_str_eq(info.maker,
						 people[model[lo][hi][t].maker]);
				ck_assert_int_eq(chats_get(c, id, &info), Q_OK);
				ck_assert_uint_eq(info.anons_id, (uint64_t)t);
			}
		ck_assert_int_eq(chats_of(c, people[a], &list, &n), Q_OK);
		ck_assert_uint_eq(n, expected);
		for (size_t i = 1; i < n; i++)
			ck_assert_uint_gt(list[i].id, list[i - 1].id);
		free(list);
	}
}

START_TEST(replay_gives_the_same)
{
	uint64_t newest = 0;

	memset(model, 0, sizeof(model));
	srandom(4711);
	for (int step = 0; step < 3000; step++) {
		int a = (int)(random() % PEOPLE), b = (int)(random() % PEOPLE);
		int t = (int)(random() % TOPICS), lo = a < b ? a : b, hi = a < b ? b : a;
		struct chat_info info;

		if (a == b)
			continue;
		if (random() % 2 == 0) {
			enum qerr e =
			    chats_create(c, people[a], people[b], (uint64_t)t, &info);

			ck_assert_int_eq(e, model[lo][hi][t].id == 0 ? Q_OK : Q_EXISTS);
			if (e == Q_OK) {
				ck_assert_uint_gt(info.id, newest);
				newest = info.id;
				model[lo][hi][t].id = info.id;
				model[lo][hi][t].maker = a;
				model[lo][hi][t].created_ms = info.created_ms;
			}
		} else if (model[lo][hi][t].id != 0) {
			ck_assert_int_eq(chats_delete(c, model[lo][hi][t].id), Q_OK);
			model[lo][hi][t].id = 0;
		}
		if (step % 250 == 0) {
			compare_with_model();
			reopen();
			ck_assert_str_eq(told, "");
			compare_with_model();
		}
	}
}
END_TEST

/* ---- at the same time ---- */

#define THREADS 6
#define ROUNDS  150

static _Atomic int made, turn;
static uint64_t ids[THREADS][ROUNDS];

static void *
create_same(void *arg)
{
	int me = *(int *)arg;
	struct chat_info info;
	char name[NAME_SIZE];

	for (int i = 0; i < ROUNDS; i++) {
		enum qerr e;

		snprintf(name, sizeof(name), "user%d", i);
		if (me % 2 == 0)
			e = chats_create(c, "alice", name, 0, &info);
		else
			e = chats_create(c, name, "Alice", 0, &info);
		ck_assert(e == Q_OK || e == Q_EXISTS);
		made += e == Q_OK;
		ids[me][i] = info.id;
	}
	return NULL;
}

START_TEST(exactly_one_makes_it)
{
	pthread_t threads[THREADS];
	int me[THREADS];

	store_set_durability(s, _i == 0 ? STORE_ALWAYS : STORE_INTERVAL, 1000);
	for (int i = 0; i < THREADS; i++) {
		me[i] = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, create_same, &me[i]),
				 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(made, ROUNDS);
	for (int i = 1; i < THREADS; i++)
		ck_assert_mem_eq(ids[i], ids[0], sizeof(ids[0]));
	reopen();
	ck_assert_uint_eq(count_of("alice"), ROUNDS);
	ck_assert_str_eq(told, "");
}
END_TEST

static void *
write_until_closed(void *arg)
{
	uint64_t id = *(uint64_t *)arg;
	struct msglog *l;
	enum qerr e;

	for (;;) {
		if ((e = chats_open_log(c, id, &l)) != Q_OK) {
			ck_assert_int_eq(e, Q_MISSING);
			return NULL;
		}
		e = say_in(l, "once more");
		msglog_close(l);
		turn++;
		ck_assert(e == Q_OK || e == Q_CLOSED);
	}
}

START_TEST(nobody_revives_a_log)
{
	for (int round = 0; round < 40; round++) {
		uint64_t id = create("alice", "bob");
		pthread_t threads[3];

		turn = 0;
		store_set_durability(s, round % 2 == 0 ? STORE_ALWAYS : STORE_INTERVAL,
				     10);
		for (int i = 0; i < 3; i++)
			ck_assert_int_eq(
			    pthread_create(&threads[i], NULL, write_until_closed, &id),
			    0);
		while (turn < 20)
			usleep(100);
		ck_assert_int_eq(chats_delete(c, id), Q_OK);
		for (int i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
		ck_assert_int_eq(count_names("d/messages", ""), 0);
	}
	store_sync(s);
	ck_assert_str_eq(told, "");
}
END_TEST

/* ---- deleting ---- */

static bool
no_record(void *arg, const struct record *r)
{
	(void)arg;
	(void)r;
	ck_abort_msg("a record of a log that was removed");
	return false;
}

START_TEST(an_open_log_is_closed)
{
	uint64_t id = create("alice", "bob"), last;
	struct msglog *l, *again;

	ck_assert_int_eq(chats_open_log(c, id, &l), Q_OK);
	ck_assert_int_eq(say_in(l, "hello"), Q_OK);
	ck_assert(exists("d/messages/chat-1.log"));
	ck_assert_int_eq(chats_delete(c, id), Q_OK);
	ck_assert(!exists("d/messages/chat-1.log"));
	ck_assert_int_eq(say_in(l, "hello"), Q_CLOSED);
	ck_assert_int_eq(msglog_read(l, 0, 10, no_record, NULL, NULL), Q_CLOSED);
	ck_assert_int_eq(msglog_last_id(l, &last), Q_CLOSED);
	ck_assert_int_eq(msglog_sync(l), Q_CLOSED);
	ck_assert_int_eq(msglog_open(s, "chat-1", &again), Q_CLOSED);
	ck_assert_int_eq(chats_open_log(c, id, &again), Q_MISSING);
	msglog_close(l);
	ck_assert(!exists("d/messages/chat-1.log"));
	ck_assert_int_eq(msglog_remove(s, "Not A Chat"), Q_FORMAT);
	ck_assert_int_eq(msglog_remove(s, "chat-77"), Q_OK);
}
END_TEST

START_TEST(media_go_with_the_chat)
{
	uint64_t id = create("alice", "bob"), kept = create("alice", "carol");
	struct media_info info = {.chat = id, .type = "image/png"},
			  other = {.chat = kept};

	ck_assert_int_eq(media_add(s, &info, span_str("picture")), Q_OK);
	ck_assert_int_eq(media_add(s, &other, span_str("picture")), Q_OK);
	ck_assert_int_eq(chats_delete(c, id), Q_OK);
	ck_assert_int_eq(media_info(s, info.id, &info), Q_MISSING);
	ck_assert_int_eq(media_info(s, other.id, &other), Q_OK);
}
END_TEST

static void
drop_last_line(void)
{
	struct buf b = slurp(JOURNAL);

	do
		b.len--;
	while (b.len > 0 && b.p[b.len - 1] != '\n');
	spill(JOURNAL, buf_span(&b));
	buf_free(&b);
}

START_TEST(deleting_is_finished)
{
	struct chat_info info;

	write_log(create("alice", "bob"));
	write_log(create("alice", "carol"));
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	close_all();
	drop_last_line(); /* "cleared" */
	spill("d/messages/chat-1.log", span_str("what a kill has left"));
	open_all();
	ck_assert(!exists("d/messages/chat-1.log"));
	ck_assert(exists("d/messages/chat-2.log"));
	ck_assert_int_eq(chats_get(c, 1, &info), Q_MISSING);
	/* Once it is cleared the file is somebody else's affair. */
	close_all();
	spill("d/messages/chat-1.log", span_str("from elsewhere"));
	open_all();
	ck_assert(exists("d/messages/chat-1.log"));
}
END_TEST

START_TEST(files_that_stay)
{
	struct chat_info info;

	create("alice", "bob");
	ck_assert_int_eq(mkdir(at("d/messages/chat-1.log"), 0700), 0);
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	ASSERT_TOLD("chat 1 is deleted, but its files are not all removed");
	ck_assert_int_eq(chats_get(c, 1, &info), Q_MISSING);
	ck_assert_int_eq(chats_delete(c, 1), Q_MISSING);
	reopen();
	ASSERT_TOLD("chat 1 is deleted, but its files are not all removed");
	ck_assert_int_eq(rmdir(at("d/messages/chat-1.log")), 0);
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_uint_eq(create("alice", "bob"), 2);
}
END_TEST

/* ---- damage ---- */

/* Flip a byte in the nth line of the journal, from 0. */
static void
damage_line(int line)
{
	struct buf b = slurp(JOURNAL);
	size_t i = 0;

	while (line > 0)
		line -= b.p[i++] == '\n';
	b.p[i + 30] ^= 1;
	spill(JOURNAL, buf_span(&b));
	buf_free(&b);
}

START_TEST(torn_end)
{
	struct buf b;
	uint64_t kept = create("alice", "bob");
	struct chat_info info;

	create("alice", "carol");
	close_all();
	b = slurp(JOURNAL);
	b.len -= 3;
	spill(JOURNAL, buf_span(&b));
	buf_free(&b);
	told[0] = '\0';
	open_all();
	ASSERT_TOLD("chats/pairs.log: a torn end");
	ck_assert_int_eq(chats_get(c, kept, &info), Q_OK);
	ck_assert_uint_eq(count_of("alice"), 1);
	ck_assert_int_eq(count_names("d/bad", "chats-pairs"), 1);
	create("alice", "carol");
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_uint_eq(count_of("alice"), 2);
}
END_TEST

START_TEST(lost_ids_are_not_given_again)
{
	create("alice", "bob");
	write_log(create("alice", "carol"));
	write_log(create("alice", "dora"));
	close_all();
	drop_last_line();
	drop_last_line();
	open_all();
	ck_assert_uint_eq(create("eve", "fred"), 4);
}
END_TEST

START_TEST(flipped_byte)
{
	struct chat_info info;

	create("alice", "bob");
	create("alice", "carol");
	create("alice", "dora");
	damage_line(1);
	reopen();
	ASSERT_TOLD("chats/pairs.log: 1 damaged line was passed over");
	ck_assert_uint_eq(count_of("alice"), 2);
	ck_assert_int_eq(chats_get(c, 2, &info), Q_MISSING);
	ck_assert_uint_eq(create("alice", "carol"), 4);
}
END_TEST

/* create 1, delete 1, cleared 1, create 2 of the same pair: each line damaged. */
START_TEST(what_other_lines_prove)
{
	struct chat_info info;

	write_log(create("alice", "bob"));
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	create("alice", "bob");
	damage_line(_i);
	reopen();
	ASSERT_TOLD(_i == 3 ? "a torn end" : "damaged line");
	ck_assert_int_eq(chats_get(c, 1, &info), Q_MISSING);
	ck_assert_int_eq(chats_find(c, "alice", "bob", 0, &info),
			 _i == 3 ? Q_MISSING : Q_OK);
	ck_assert_uint_eq(count_of("bob"), _i == 3 ? 0 : 1);
	reopen();
	ck_assert_uint_eq(count_of("bob"), _i == 3 ? 0 : 1);
}
END_TEST

static const struct {
	const char *kind, *from, *to, *data;
} odd_events[] = {
    {"create", "alice", "bob", "1"},
    {"create", "alice", "bob", "1 0 0"},
    {"create", "alice", "bob", "0 0"},
    {"create", "alice", "bob", "x 0"},
    {"create", "alice", "ALICE", "1 0"},
    {"create", "", "bob", "1 0"},
    {"create", "alice", "", "1 0"},
    {"create", "alice", "bob", ""},
    {"delete", "alice", "bob", "9"},
    {"delete", "alice", "bob", ""},
    {"cleared", "alice", "bob", "9"},
    {"gone", "", "alice", ""},
    {"renamed", "alice", "bob", "1 0"},
    {"create", "alice", "bob", "1 99999999999999999999"},
};

static enum qerr
nothing_there(void *arg, const struct record *r)
{
	(void)arg;
	(void)r;
	return Q_SYS;
}

START_TEST(events_that_do_not_fit)
{
	struct record r = {.text = true, .data = span_str(odd_events[_i].data)};
	struct journal *j;

	close_all();
	open_store();
	strcpy(r.kind, odd_events[_i].kind);
	strcpy(r.from, odd_events[_i].from);
	strcpy(r.to, odd_events[_i].to);
	ck_assert_int_eq(journal_open(s, FOLDER_CHATS, "pairs", nothing_there, NULL, &j),
			 Q_OK);
	ck_assert_int_eq(journal_append(j, &r), Q_OK);
	journal_close(j);
	ck_assert_int_eq(chats_open(s, &c), Q_OK);
	ASSERT_TOLD("chats/pairs.log: 1 events do not fit");
	ck_assert_uint_eq(count_of("alice") + count_of("bob"), 0);
	ck_assert_uint_ge(create("alice", "bob"), 1);
}
END_TEST

/* ---- the journal itself ---- */

static enum qerr
stop_at_third(void *arg, const struct record *r)
{
	int *n = arg;

	ck_assert_uint_eq(r->id, (uint64_t)++ * n);
	return *n == 3 ? Q_NOMEM : Q_OK;
}

START_TEST(journal_alone)
{
	struct record r = {.kind = "x", .from = "alice", .text = true};
	struct journal *j;
	uint64_t last;
	int n = 0;

	ck_assert_int_eq(
	    journal_open(s, FOLDER_CONTACTS, "contacts", stop_at_third, &n, &j), Q_OK);
	ck_assert_int_eq(journal_last_id(j, &last), Q_OK);
	ck_assert_uint_eq(last, 0);
	ck_assert_int_eq(journal_sync(j), Q_OK);
	for (uint64_t i = 1; i <= 4; i++) {
		r.time_ms = 0;
		ck_assert_int_eq(journal_append(j, &r), Q_OK);
		ck_assert_uint_eq(r.id, i);
		ck_assert_int_gt(r.time_ms, 0);
	}
	ck_assert_int_eq(journal_sync(j), Q_OK);
	strcpy(r.from, "not a name");
	ck_assert_int_eq(journal_append(j, &r), Q_FORMAT);
	journal_close(j);
	ck_assert_int_eq(
	    journal_open(s, FOLDER_CONTACTS, "contacts", stop_at_third, &n, &j), Q_NOMEM);
	ck_assert_int_eq(n, 3);
	ck_assert_int_eq(journal_open(s, FOLDER_CONTACTS, "../x", stop_at_third, &n, &j),
			 Q_FORMAT);
	journal_close(NULL);
	chats_close(NULL);
	/* What is no file cannot be read, and a journal that cannot be read is not
	 * taken for an empty one. */
	chats_close(c);
	c = NULL;
	ck_assert_int_eq(mkdir(at("d/chats/pairs.log"), 0700), 0);
	ck_assert_int_eq(chats_open(s, &c), Q_SYS);
	ck_assert_int_eq(rmdir(at("d/chats/pairs.log")), 0);
	ck_assert_int_eq(chats_open(s, &c), Q_OK);
}
END_TEST

/* ---- full disk ---- */

static void
limit_files(rlim_t size)
{
	static struct rlimit before;
	struct rlimit now;

	if (size != RLIM_INFINITY)
		ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	now = before;
	if (size != RLIM_INFINITY)
		now.rlim_cur = size;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &now), 0);
}

START_TEST(full_disk)
{
	struct chat_info info;
	struct buf before, after;
	uint64_t id = create("alice", "bob");

	write_log(id);
	before = slurp(JOURNAL);
	limit_files(before.len + 10);
	ck_assert_int_eq(chats_create(c, "alice", "carol", 0, &info), Q_FULL);
	ck_assert_int_eq(chats_delete(c, id), Q_FULL);
	ck_assert_int_eq(chats_forget(c, "alice"), Q_FULL);
	ck_assert_uint_eq(count_of("alice"), 1);
	limit_files(RLIM_INFINITY);
	after = slurp(JOURNAL);
	ck_assert(span_eq(buf_span(&before), buf_span(&after)));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(chats_get(c, id, &info), Q_OK);
		ck_assert_int_eq(chats_find(c, "alice", "carol", 0, &info), Q_MISSING);
		ck_assert_uint_eq(count_of("alice"), 1);
		ck_assert_uint_eq(count_of("carol"), 0);
		ck_assert(exists("d/messages/chat-1.log"));
		reopen();
		ck_assert_str_eq(told, "");
	}
	/* There is room again. */
	create("alice", "carol");
	ck_assert_int_eq(chats_delete(c, id), Q_OK);
	reopen();
	ck_assert_uint_eq(count_of("alice"), 1);
	buf_free(&before);
	buf_free(&after);
}
END_TEST

START_TEST(full_disk_in_the_middle)
{
	struct chat_info info;
	struct buf b;

	write_log(create("alice", "bob"));
	b = slurp(JOURNAL);
	limit_files(b.len + 64); /* room for "delete", not for "cleared" */
	buf_free(&b);
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	limit_files(RLIM_INFINITY);
	ASSERT_TOLD("chat 1 is deleted, but");
	ck_assert_int_eq(chats_get(c, 1, &info), Q_MISSING);
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_int_eq(chats_get(c, 1, &info), Q_MISSING);
	ck_assert_uint_eq(create("alice", "bob"), 2);
}
END_TEST

/* ---- server check ---- */

static char said[8192];

static void
say(void *arg, const char *sentence)
{
	(void)arg;
	strncat(said, sentence, sizeof(said) - strlen(said) - 2);
	strcat(said, "\n");
}

static struct check_result
check(bool repair)
{
	struct check_result r;

	said[0] = '\0';
	ck_assert_int_eq(store_check(s, repair, say, NULL, &r), Q_OK);
	return r;
}

#define ASSERT_SAID(text) \
	ck_assert_msg(strstr(said, text) != NULL, "not said: %s\n%s", text, said)

START_TEST(check_all_is_well)
{
	struct check_result r;

	write_log(create("alice", "bob"));
	create("alice", "carol"); /* nobody has said anything */
	write_log(create("alice", "dora"));
	ck_assert_int_eq(chats_delete(c, 3), Q_OK);
	r = check(true);
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(r.problems, 0);
	ck_assert_uint_eq(r.logs, 2);
	ck_assert_uint_eq(r.records, 5 + 1); /* events and messages */
}
END_TEST

START_TEST(check_orphans)
{
	struct check_result r;

	write_log(create("alice", "bob"));
	write_log(create("alice", "carol"));
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	spill("d/messages/chat-1.log", span_str("x")); /* deleted */
	spill("d/messages/chat-9.log", span_str("y")); /* never made */
	r = check(false);
	ASSERT_SAID("messages/chat-1.log: belongs to no chat");
	ASSERT_SAID("messages/chat-9.log: belongs to no chat");
	ck_assert_uint_eq(r.problems, 2);
	ck_assert_uint_eq(r.repaired, 0);
	r = check(true);
	ck_assert_uint_eq(r.repaired, 2);
	ck_assert_int_eq(count_names("d/bad", "messages-chat-"), 2);
	ck_assert_int_eq(count_names("d/messages", ""), 1);
	r = check(true);
	ck_assert_str_eq(said, "");
}
END_TEST

/* Deleted, and a kill came before its files were removed: the next start's work. */
START_TEST(check_leaves_what_is_being_deleted)
{
	create("alice", "bob");
	ck_assert_int_eq(mkdir(at("d/messages/chat-1.log"), 0700), 0);
	ck_assert_int_eq(chats_delete(c, 1), Q_OK);
	ck_assert_int_eq(rmdir(at("d/messages/chat-1.log")), 0);
	spill("d/messages/chat-1.log", span_str(""));
	(void)check(true);
	ck_assert_str_eq(said, "");
	ck_assert(exists("d/messages/chat-1.log"));
	reopen();
	ck_assert(!exists("d/messages/chat-1.log"));
}
END_TEST

START_TEST(check_damage)
{
	struct check_result r;

	create("alice", "bob");
	create("alice", "carol");
	create("alice", "dora");
	damage_line(1);
	spill("d/chats/other.log", span_str("x"));
	spill("d/contacts/pairs.log", span_str("x"));
	r = check(false);
	ASSERT_SAID("chats/pairs.log: 1 damaged line, the first at byte ");
	ASSERT_SAID("chats/other.log: does not belong here");
	ASSERT_SAID("contacts/pairs.log: does not belong here");
	ck_assert_uint_eq(r.problems, 3);
	r = check(true);
	ck_assert_uint_eq(r.repaired, 3);
	ck_assert_int_eq(count_names("d/bad", "chats-pairs"), 1);
	/* The open journal goes on in the new file. */
	create("alice", "eve");
	r = check(true);
	ck_assert_str_eq(said, "");
	reopen();
	ck_assert_str_eq(told, "");
	ck_assert_uint_eq(count_of("alice"), 3);
}
END_TEST

static atomic_bool stop;

static void *
make_and_delete(void *arg)
{
	char name[NAME_SIZE];

	(void)arg;
	for (int i = 0; !stop; i++) {
		struct chat_info info;

		snprintf(name, sizeof(name), "user%d", i);
		ck_assert_int_eq(chats_create(c, "alice", name, 0, &info), Q_OK);
		write_log(info.id);
		if (i % 2 == 0)
			ck_assert_int_eq(chats_delete(c, info.id), Q_OK);
	}
	return NULL;
}

START_TEST(check_while_others_go_on)
{
	pthread_t thread;

	stop = false;
	ck_assert_int_eq(pthread_create(&thread, NULL, make_and_delete, NULL), 0);
	for (int i = 0; i < 50; i++) {
		(void)check(true);
		ck_assert_str_eq(said, "");
	}
	stop = true;
	pthread_join(thread, NULL);
	ck_assert_int_eq(count_names("d/bad", ""), 0);
	ck_assert_str_eq(told, "");
}
END_TEST

static Suite *
suite(void)
{
	static const int n_odd = sizeof(odd_events) / sizeof(odd_events[0]);
	Suite *su = suite_create("chats");
	TCase *t = tcase_create("chats");

	suite_add_tcase(su, t);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, make_and_find);
	tcase_add_test(t, names_that_are_none);
	tcase_add_test(t, ids_are_used_once);
	tcase_add_test(t, a_new_user_of_an_old_name);
	tcase_add_test(t, forgotten_while_others_make);
	tcase_add_test(t, replay_gives_the_same);
	tcase_add_loop_test(t, exactly_one_makes_it, 0, 2);
	tcase_add_test(t, nobody_revives_a_log);
	tcase_add_test(t, an_open_log_is_closed);
	tcase_add_test(t, media_go_with_the_chat);
	tcase_add_test(t, deleting_is_finished);
	tcase_add_test(t, files_that_stay);
	tcase_add_test(t, torn_end);
	tcase_add_test(t, lost_ids_are_not_given_again);
	tcase_add_test(t, flipped_byte);
	tcase_add_loop_test(t, what_other_lines_prove, 0, 4);
	tcase_add_loop_test(t, events_that_do_not_fit, 0, n_odd);
	tcase_add_test(t, journal_alone);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, full_disk_in_the_middle);
	tcase_add_test(t, check_all_is_well);
	tcase_add_test(t, check_orphans);
	tcase_add_test(t, check_leaves_what_is_being_deleted);
	tcase_add_test(t, check_damage);
	tcase_add_test(t, check_while_others_go_on);
	return su;
}

int
main(void)
{
	return unit_main(suite());
}
