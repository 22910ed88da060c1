/* SPDX-License-Identifier: MIT
 *
 * Rooms through kills at every byte, and full disks.
 */
#include "tests/unit/rooms_fake.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"

/* ---- kills ---- */

/* The next length to try: all around the ends of lines, and some between. */
static size_t
next_cut(const struct buf *b, size_t n)
{
	size_t step = 1;

	while (step < 7 && n + step + 2 < b->len && b->p[n + step + 1] != '\n')
		step++;
	return n >= 2 && b->p[n - 1] == '\n' ? n + 1 : n + step;
}

static size_t
count_lines(const struct buf *b, size_t n)
{
	size_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += b->p[i] == '\n';
	return lines;
}

static void
log_file(const struct uuid *id, char out[128])
{
	char name[UUID_SIZE];

	uuid_text(id, name);
	snprintf(out, 128, "d/messages/room-%s.log", name);
}

static void
state_file(const struct uuid *id, char out[128])
{
	char name[UUID_SIZE];

	uuid_text(id, name);
	snprintf(out, 128, "d/rooms/%s.state", name);
}

/* A room's log that ends anywhere: what is whole counts, and the room goes on. */
START_TEST(test_torn_log)
{
	static const char *const after[] = {
	    "",
	    "",
	    "alice:one",
	    "alice:one bob:two",
	    "alice:uno/e bob:two",
	    "alice:uno/e bob:two/p",
	    "alice:uno/e bob:rude/d/p",
	};
	struct uuid id, a, b, again;
	char file[128], now[256];
	struct buf log;
	size_t lines;

	make(ROOM_GROUP, "alice", "bob", &id);
	say(&id, "alice", "one", "r1", &a);
	say(&id, "bob", "two", NULL, &b);
	act(&id, ROOM_EDIT, "alice", &a, "uno");
	act(&id, ROOM_PIN, "alice", &b, "");
	act(&id, ROOM_DELETE, "alice", &b, "rude");
	close_rooms();
	log_file(&id, file);
	log = slurp(file);
	for (size_t n = 0; n <= log.len; n = next_cut(&log, n)) {
		lines = count_lines(&log, n);
		spill(file, span_of(log.p, n));
		open_rooms();
		ck_assert_str_eq(page(&id, NULL, 9), after[lines]);
		/* The event of its making is there in any case. */
		ck_assert_int_eq(strncmp(waiting(&id, NULL, 0), "1:changed:alice", 15),
				 0);
		ck_assert_int_eq(say(&id, "alice", "new", "r1", &again),
				 lines >= 2 ? ROOM_REPEATED : ROOM_OK);
		if (lines >= 2)
			ck_assert(uuid_eq(&a, &again));
		snprintf(now, sizeof(now), "%s%s", after[lines],
			 lines < 2 ? "alice:new" : "");
		ck_assert_str_eq(page(&id, NULL, 9), now);
		close_rooms();
	}
	buf_free(&log);
	open_rooms();
	check_clean();
}
END_TEST

/* The journal likewise; where the room's log knows more, the journal is right. */
START_TEST(test_torn_journal)
{
	static const char *const after[] = {
	    "none",
	    "alice//alice bob",
	    "alice//alice bob carol",
	    "alice/bob/alice bob carol",
	    "alice/bob/alice bob",
	    "bob//bob",
	};
	struct uuid id;
	struct buf journal;
	char file[128];
	size_t lines;

	make(ROOM_GROUP, "alice", "bob", &id);
	change(&id, ROOM_ADD, "alice", "carol");
	change(&id, ROOM_PROMOTE, "alice", "bob");
	change(&id, ROOM_REMOVE, "alice", "carol");
	change(&id, ROOM_LEAVE, "alice", "");
	ck_assert_int_eq(change(&id, ROOM_LEAVE, "bob", ""), ROOM_OK);
	ck_assert_str_eq(members(&id), "none");
	close_rooms();
	journal = slurp("d/rooms/rooms.log");
	log_file(&id, file);
	for (size_t n = 0; n <= journal.len; n = next_cut(&journal, n)) {
		lines = count_lines(&journal, n);
		spill("d/rooms/rooms.log", span_of(journal.p, n));
		open_rooms();
		ck_assert_str_eq(members(&id), lines < 6 ? after[lines] : "none");
		if (lines > 0 && lines < 6) {
			ck_assert_int_eq(say(&id, "bob", "hi", NULL, NULL), ROOM_OK);
			ck_assert_str_eq(page(&id, NULL, 9), "bob:hi");
		}
		close_rooms();
		/* Dropped and not cleared: the start has removed what there was. */
		ck_assert_int_eq(exists(file), lines > 0 && lines < 6);
		(void)unlink(at(file));
	}
	buf_free(&journal);
	open_rooms();
}
END_TEST

/* A change whose event did not get into the room's log is appended by the next start,
 * once, before anything else. */
START_TEST(test_change_without_event)
{
	struct uuid id;
	struct buf log;
	char file[128];

	make(ROOM_GROUP, "alice", "bob", &id);
	say(&id, "alice", "one", NULL, NULL);
	close_rooms();
	log_file(&id, file);
	log = slurp(file);
	open_rooms();
	change(&id, ROOM_ADD, "alice", "carol");
	close_rooms();
	spill(file, buf_span(&log));
	for (int round = 0; round < 3; round++) {
		open_rooms();
		ck_assert_str_eq(members(&id), "alice//alice bob carol");
		ck_assert_str_eq(waiting(&id, NULL, 0),
				 "1:changed:alice 2:send:alice 3:changed:alice");
		close_rooms();
	}
	/* A power cut took the message before it as well. */
	log.len = (size_t)((const uint8_t *)memmem(log.p, log.len, "\n=", 2) - log.p) + 1;
	spill(file, buf_span(&log));
	for (int round = 0; round < 3; round++) {
		open_rooms();
		ck_assert_str_eq(waiting(&id, NULL, 0),
				 "1:changed:alice 2:changed:alice");
		close_rooms();
	}
	buf_free(&log);
	open_rooms();
	check_clean();
}
END_TEST

/* ID.state behind by any number of events, or cut at any line. */
START_TEST(test_old_state)
{
	struct uuid id, msg;
	struct buf old;
	char file[128], want[64];

	make(ROOM_GROUP, "alice", "bob", &id);
	say(&id, "alice", "x", NULL, &msg);
	for (int i = 0; i < 1500; i++)
		act(&id, ROOM_EDIT, "alice", &msg, i % 2 ? "odd" : "even");
	state_file(&id, file);
	old = slurp(file);
	for (int i = 0; i < 1500; i++)
		act(&id, ROOM_EDIT, "alice", &msg, i == 1499 ? "last" : "more");
	snprintf(want, sizeof(want), "alice:last/e");
	close_rooms();
	spill(file, buf_span(&old));
	open_rooms();
	ck_assert_str_eq(page(&id, NULL, 9), want);
	check_clean();
	close_rooms();
	for (size_t n = 0; n < old.len; n += 13) {
		spill(file, span_of(old.p, n));
		open_rooms();
		ck_assert_str_eq(page(&id, NULL, 9), want);
		close_rooms();
	}
	buf_free(&old);
	open_rooms();
}
END_TEST

/* The names that a content has on its way. */
START_TEST(test_hidden_files)
{
	static char big[70000];
	char from[1024], to[2048], name[700];
	struct room_post p = {.kind = ROOM_SEND,
			      .by = "alice",
			      .format = ROOM_SMALLFILE,
			      .content = span_of(big, sizeof(big))};
	struct buf got = BUF_INIT(100000);
	struct uuid id;
	enum qerr e;

	memset(big, 'x', sizeof(big));
	make(ROOM_GROUP, "alice", "bob", &id);
	ck_assert_int_eq(post(&id, &p), ROOM_OK);
	snprintf(name, sizeof(name), "%s", find_name("d/files", "."));
	close_rooms();
	/* Killed behind the record; and before that of another message. */
	snprintf(from, sizeof(from), "%s", at(name));
	snprintf(to, sizeof(to), "%s/.new-%s", at("d/files"), name + strlen("d/files/"));
	ck_assert_int_eq(rename(from, to), 0);
	name[strlen(name) - 17] ^= 1; /* of another time */
	snprintf(to, sizeof(to), "%s/.new-%s", at("d/files"), name + strlen("d/files/"));
	spill("d/files/.tmp-1-1", span_of(big, 10));
	spill(to + strlen(tempdir) + 1, span_of(big, 10));
	ck_assert_int_eq(count_names("d/files", ""), 3);
	open_rooms();
	ck_assert_int_eq(count_names("d/files", ""), 1);
	ck_assert_int_eq(rooms_fetch(r, &id, &p.msg, &got, &e), ROOM_OK);
	ck_assert(span_eq(buf_span(&got), p.content));
	check_clean();
	buf_free(&got);
}
END_TEST

/* A content of no room. */
#define ORPHAN                                          \
	"d/files/00000000-0000-4000-8000-000000000000." \
	"00000000-0000-7000-8000-000000000000"

/* What "server check" finds. */
START_TEST(test_check)
{
	static const char *const bad[] = {
	    "d/rooms/rubbish",
	    "d/files/rubbish",
	    "d/seen/rubbish",
	    "d/seen/Alice",
	    "d/tokens/bob",
	    "d/chatkeys/bob",
	    "d/emails/0000000000000000000000000000000000000000000000000000000000000000",
	    "d/rooms/00000000-0000-4000-8000-000000000000.state",
	    "d/messages/room-00000000-0000-4000-8000-000000000000.log",
	    ORPHAN,
	};
	const size_t n = sizeof(bad) / sizeof(bad[0]);
	static char big[70000];
	char file[128];
	struct room_post p = {
	    .kind = ROOM_SEND, .by = "alice", .content = span_of(big, sizeof(big))};
	struct check_result result;
	struct uuid id, msg;

	memset(big, 'x', sizeof(big));
	make(ROOM_GROUP, "alice", "bob", &id);
	ck_assert_int_eq(post(&id, &p), ROOM_OK);
	say(&id, "alice", "x", NULL, &msg);
	for (int i = 0; i < 1100; i++)
		act(&id, ROOM_PIN, "alice", &msg, "");
	rooms_seen(r, &id, "bob", 2);
	reopen();
	check_clean();
	for (size_t i = 0; i < n; i++)
		spill(bad[i], span_str("x\n"));
	state_file(&id, file);
	spill(file, span_str("x\n"));
	ck_assert_int_eq(store_check(s, false, complain, NULL, &result), Q_OK);
	ck_assert_msg(result.problems == n + 1, "%zu: %s", result.problems, reported);
	ck_assert_int_eq(store_check(s, true, complain, NULL, &result), Q_OK);
	ck_assert_uint_eq(result.repaired, n + 1);
	check_clean();
	ck_assert_int_eq(unlink(at(find_name("d/files", "."))), 0);
	reported[0] = '\0';
	ck_assert_int_eq(store_check(s, false, complain, NULL, &result), Q_OK);
	ck_assert_ptr_nonnull(strstr(reported, "missing"));
}
END_TEST

/* ---- kill -9 ---- */

struct talker {
	struct uuid id;
	int number, out;
};

/* What a talker was told of a message. */
struct receipt {
	struct uuid msg;
	char ref[32];
};

static void *
talk(void *arg)
{
	struct talker *t = arg;
	struct receipt said;

	memset(&said, 0, sizeof(said));
	for (int i = 0;; i++) {
		snprintf(said.ref, sizeof(said.ref), "%d.%d", t->number, i);
		if (say(&t->id, "alice", said.ref, said.ref, &said.msg) != ROOM_OK)
			_exit(1);
		if (i % 3 == 0)
			act(&t->id, ROOM_EDIT, "alice", &said.msg, said.ref);
		if (i % 50 == 0 && t->number == 0)
			change(&t->id, i % 100 ? ROOM_ADD : ROOM_REMOVE, "alice", "dave");
		if (write(t->out, &said, sizeof(said)) != sizeof(said))
			_exit(1);
	}
}

static void
child(const struct uuid *id, int out)
{
	struct talker talkers[3];
	pthread_t threads[3];
	struct why why;

	MUST(store_open(at("d"), &options, &s, &why) == Q_OK);
	MUST(rooms_open(s, NULL, NULL, &r) == Q_OK);
	for (int i = 0; i < 3; i++) {
		talkers[i] = (struct talker){*id, i, out};
		if (pthread_create(&threads[i], NULL, talk, &talkers[i]) != 0)
			_exit(1);
	}
	pause();
}

START_TEST(test_kill)
{
	struct uuid id, msg;
	struct room_page *p;
	struct counting c = {0, 0};
	size_t listed = 0;
	enum qerr e;

	make(ROOM_GROUP, "alice", "bob", &id);
	for (int round = 0; round < 6; round++) {
		struct receipt acked[64], got;
		size_t n = 0, total = 0, want = 200 + (size_t)round * 37;
		int fds[2], status;
		pid_t pid;

		close_rooms();
		ck_assert_int_eq(pipe(fds), 0);
		if ((pid = fork()) == 0)
			child(&id, fds[1]);
		close(fds[1]);
		while (total < want && read(fds[0], &got, sizeof(got)) == sizeof(got)) {
			acked[n++ % 64] = got;
			total++;
		}
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		ck_assert_msg(total == want, "round %d: %zu", round, total);
		close(fds[0]);
		open_rooms();
		for (size_t i = 0; i < 64; i++) {
			ck_assert_int_eq(rooms_page(r, &id, &acked[i].msg, 1, &p, &e),
					 ROOM_OK);
			room_page_free(p);
			/* And what was said is known by its ref. */
			ck_assert_int_eq(say(&id, "alice", "x", acked[i].ref, NULL),
					 ROOM_REPEATED);
		}
		check_clean();
		/* Events and pages tell of the same messages. */
		c = (struct counting){0, 0};
		ck_assert_int_eq(
		    rooms_events(r, &id, NULL, 0, SIZE_MAX, count_event, &c, NULL), Q_OK);
		listed = 0;
		for (const struct uuid *from = NULL; from == NULL || listed < c.sent;) {
			ck_assert_int_eq(rooms_page(r, &id, from, 200, &p, &e), ROOM_OK);
			ck_assert_uint_gt(p->n, 0);
			listed += p->n;
			msg = p->m[p->n - 1].msg;
			from = &msg;
			room_page_free(p);
		}
		ck_assert_uint_eq(listed, c.sent);
		make(ROOM_GROUP, "alice", "bob", &id); /* where all refs are new */
	}
}
END_TEST

/* ---- full disks ---- */

START_TEST(test_full)
{
	static char big[200000];
	struct room_post p = {.kind = ROOM_SEND,
			      .by = "alice",
			      .format = ROOM_SMALLFILE,
			      .content = span_of(big, sizeof(big))};
	enum room_answer got[5], added, said;
	struct uuid id, msg, other;
	uint64_t told;

	memset(big, 'x', sizeof(big));
	make(ROOM_GROUP, "alice", "bob", &id);
	say(&id, "alice", "one", NULL, &msg);
	for (int i = 0; i < 40; i++) /* its log is longer than the journal */
		say(&id, "bob", "a line that takes some room on the disk", NULL, NULL);
	told = n_told;

	limit_files(200);
	got[0] = say(&id, "alice", "no", NULL, NULL);
	got[1] = act(&id, ROOM_DELETE, "alice", &msg, "");
	got[2] = change(&id, ROOM_ADD, "alice", "carol");
	got[3] = make(ROOM_DIRECT, "alice", "bob", &other);
	got[4] = post(&id, &p);
	limit_files(RLIM_INFINITY);
	for (int i = 0; i < 5; i++)
		ck_assert_msg(got[i] == ROOM_FAILED, "%d: %d", i, got[i]);
	ck_assert_int_eq(p.error, Q_FULL);
	ck_assert_uint_eq(n_told, told);
	ck_assert_int_eq(count_names("d/files", ""), 0);
	ck_assert_str_eq(members(&id), "alice//alice bob");
	ck_assert_str_eq(page(&id, NULL, 1), ">alice:one");

	/* Room for the journal, not for the log: it has happened, and its event comes
	 * before all that follows. */
	limit_files(1500);
	added = change(&id, ROOM_ADD, "alice", "carol");
	said = say(&id, "carol", "no", NULL, NULL);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(added, ROOM_OK);
	ck_assert_int_eq(said, ROOM_FAILED);
	ck_assert_int_eq(say(&id, "carol", "yes", NULL, NULL), ROOM_OK);
	ck_assert_str_eq(waiting(&id, "bob", 40), "43:changed:alice 44:send:carol");
	ck_assert_int_eq(make(ROOM_DIRECT, "alice", "bob", &other), ROOM_OK);
	ck_assert_int_eq(post(&id, &p), ROOM_OK);

	/* Deleting what has a file, when there is no room to say so. */
	rooms_seen(r, &id, "bob", 40);
	limit_files(20);
	said = act(&id, ROOM_DELETE, "alice", &p.msg, "");
	rooms_save(r);
	limit_files(RLIM_INFINITY);
	ck_assert_int_eq(said, ROOM_FAILED);
	ck_assert_ptr_nonnull(strstr(reported, "seen/bob"));
	ck_assert_int_eq(count_names("d/files", ".new"), 0);
	ck_assert_int_eq(count_names("d/files", ""), 1);
	reopen();
	ck_assert_int_eq(rooms_position(r, &id, "bob", &told), ROOM_OK);
	ck_assert_uint_eq(told, 40);
	check_clean();
}
END_TEST

/* ID.state that cannot be written does not keep anybody from anything. */
START_TEST(test_state_not_written)
{
	struct uuid id, msg;
	char file[128];

	make(ROOM_GROUP, "alice", "bob", &id);
	say(&id, "alice", "one", NULL, &msg);
	state_file(&id, file);
	ck_assert_int_eq(mkdir(at(file), 0700), 0);
	for (int i = 0; i < 2500; i++)
		ck_assert_int_eq(act(&id, ROOM_PIN, "bob", &msg, ""), ROOM_OK);
	ck_assert_ptr_nonnull(strstr(reported, "cannot be written"));
	ck_assert_str_eq(page(&id, NULL, 9), "alice:one");
	ck_assert_int_eq(rmdir(at(file)), 0);
	reopen();
	ck_assert_str_eq(page(&id, NULL, 9), "alice:one");
	ck_assert(exists(file));
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rooms through accidents");
	TCase *tc = tcase_create("rooms");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_torn_log);
	tcase_add_test(tc, test_torn_journal);
	tcase_add_test(tc, test_change_without_event);
	tcase_add_test(tc, test_old_state);
	tcase_add_test(tc, test_hidden_files);
	tcase_add_test(tc, test_check);
	tcase_add_test(tc, test_kill);
	tcase_add_test(tc, test_full);
	tcase_add_test(tc, test_state_not_written);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return unit_main(make_suite());
}
