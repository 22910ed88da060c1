/* SPDX-License-Identifier: MIT
 *
 * Snapshots and the archives made of them: what is in one, what is left out, nothing is
 * changed while one is taken; an archive is whole or not there.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/backup.h"
#include "store/chats.h"
#include "store/check.h"
#include "store/file.h"
#include "store/media.h"
#include "store/msglog.h"
#include "store/snapshot.h"
#include "store/users.h"
#include "tests/unit/tempdir.h"

static struct store *s;
static struct why why;

static void
open_store(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;

	ck_assert_int_eq(store_open(at("d"), &opt, &s, &why), Q_OK);
}

static void
setup(void)
{
	tempdir_make();
	open_store();
}

static void
teardown(void)
{
	store_close(s);
	tempdir_remove();
}

static void
put(const char *path, const char *text)
{
	FILE *f = fopen(at(path), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, strlen(text), f), strlen(text));
	fclose(f);
}

static bool
there(const char *path)
{
	return access(at(path), F_OK) == 0;
}

/* Of the snapshot: every file "NAME SIZE CONTENT\n" in listing. */
static struct buf listing = BUF_INIT(1 << 20);

static enum qerr
read_all(struct snapshot *sn)
{
	struct snapshot_file f;
	char content[256];
	enum qerr e;

	listing.len = 0;
	while ((e = snapshot_next(sn, &f, &why)) == Q_OK) {
		if (f.name[strlen(f.name) - 1] == '/')
			continue;
		ck_assert_int_lt(f.size, (int64_t)sizeof(content));
		ck_assert_int_eq(pread(f.fd, content, (size_t)f.size, 0), f.size);
		ck_assert_int_eq(buf_printf(&listing, "%s %lld %.*s|\n", f.name,
					    (long long)f.size, (int)f.size, content),
				 Q_OK);
	}
	ck_assert_int_eq(buf_put_u8(&listing, '\0'), Q_OK);
	return e;
}

static bool
listed(const char *text)
{
	return strstr((const char *)listing.p, text) != NULL;
}

/* Two records as a log has them, what follows them behind. */
static const char *
two_records(const char *behind)
{
	static char text[512];
	struct record r = {.id = 1, .kind = "msg", .from = "alice", .text = true};
	struct buf b = BUF_INIT(256);

	r.data = span_str("one");
	ck_assert_int_eq(record_put(&b, &r), Q_OK);
	r.id = 2;
	r.data = span_str("two");
	ck_assert_int_eq(record_put(&b, &r), Q_OK);
	snprintf(text, sizeof(text), "%.*s%s", (int)b.len, (const char *)b.p, behind);
	buf_free(&b);
	return text;
}

/* Is this log in the listing, with these two and nothing behind them? */
static bool
listed_two(const char *name)
{
	const char *records = two_records("");
	char entry[600];

	snprintf(entry, sizeof(entry), "%s %zu %s|", name, strlen(records), records);
	return listed(entry);
}

static struct snapshot *
hold(void)
{
	struct snapshot *sn = NULL;

	ck_assert_int_eq(snapshot_hold(at("d"), &sn, &why), Q_OK);
	return sn;
}

static void
take(void)
{
	struct snapshot_taken taken;

	ck_assert_int_eq(snapshot_take(s, &taken, &why), Q_OK);
	ck_assert_int_ge(taken.paused_ms, 0);
}

START_TEST(what_is_in_it)
{
	struct snapshot *sn = hold();

	put("d/queue/alice", "quintet");
	put("d/messages/alice+bob.log", two_records("=0000")); /* as after a kill */
	put("d/messages/empty.log", "");
	put("d/messages/torn.log", "nothing whole");
	put("d/messages/blank.log", two_records("\n\n\n"));
	put("d/messages/over.log", two_records("=0000\n\n\n"));
	put("d/media/1", "bytes");
	put("d/media/1.info", "info");
	put("d/media/2", "not yet");
	put("d/rooms/x.state", "made anew");
	put("d/users/.tmp-1-1", "half");
	put("d/files/.new-x", "on its way");
	put("elsewhere", "-----BEGIN");
	ck_assert_int_eq(symlink(at("elsewhere"), at("d/pems/a b.pem")), 0);
	ck_assert_int_eq(symlink("/nonexistent", at("d/pems/gone.pem")), 0);
	ck_assert_int_eq(mkfifo(at("d/server/control.sock"), 0600), 0);
	take();
	ck_assert_int_eq(read_all(sn), Q_MISSING);
	ck_assert(listed("queue/alice 7 quintet|"));
	ck_assert(listed_two("messages/alice+bob.log"));
	ck_assert(listed("messages/empty.log 0 |"));
	ck_assert(listed("messages/torn.log 0 |"));
	ck_assert(listed_two("messages/blank.log"));
	ck_assert(listed_two("messages/over.log"));
	ck_assert(listed("media/1 5 bytes|"));
	ck_assert(listed("media/1.info 4 info|"));
	ck_assert(listed("files/.new-x 10 on its way|"));
	ck_assert(listed("pems/a b.pem 10 -----BEGIN|"));
	ck_assert(!listed("media/2 ") && !listed("state") && !listed(".tmp-"));
	ck_assert(!listed("gone.pem") && !listed("control.sock") && !listed("lock"));
	snapshot_drop(sn);
	ck_assert(!there("d/snapshot"));
	ck_assert(there("d/messages/alice+bob.log"));
}
END_TEST

/* They are found far before the end. */
START_TEST(long_end)
{
	struct snapshot *sn = hold();
	char behind[10001], text[sizeof(behind) + 512];

	memset(behind, _i == 0 ? 'x' : '\n', sizeof(behind) - 1);
	behind[sizeof(behind) - 1] = '\0';
	snprintf(text, sizeof(text), "%s%s", two_records(""), behind);
	put("d/messages/a.log", text);
	take();
	ck_assert_int_eq(read_all(sn), Q_MISSING);
	ck_assert(listed_two("messages/a.log"));
	snapshot_drop(sn);
}
END_TEST

/* What a kill left at the end of a log is cut off when somebody opens it, be it while the
 * snapshot is read. */
START_TEST(mended_meanwhile)
{
	struct snapshot *sn = hold();
	struct record r = {.kind = "msg", .from = "bob", .text = true};
	struct msglog *l;

	put("d/messages/a.log", two_records("=000050 torn over blank lines\n\n\n"));
	take();
	ck_assert_int_eq(msglog_open(s, "a", &l), Q_OK);
	if (_i == 1)
		ck_assert_int_eq(msglog_append(l, &r, 1), Q_OK);
	msglog_close(l);
	ck_assert_int_eq(read_all(sn), Q_MISSING);
	ck_assert(listed_two("messages/a.log"));
	snapshot_drop(sn);
}
END_TEST

/* What happens afterwards does not show. */
START_TEST(it_stays_as_it_was)
{
	struct snapshot *sn = hold();
	struct record r = {.kind = "msg", .from = "alice", .to = "bob", .text = true};
	struct msglog *l;

	r.data = span_str("first");
	put("d/queue/alice", "old");
	put("d/queue/bob", "bob's");
	ck_assert_int_eq(msglog_open(s, "chat-1", &l), Q_OK);
	ck_assert_int_eq(msglog_append(l, &r, 1), Q_OK);
	take();
	put("d/queue/new", "new");
	ck_assert_int_eq(unlink(at("d/queue/bob")), 0);
	put("d/beside", "fresh");
	ck_assert_int_eq(rename(at("d/beside"), at("d/queue/alice")), 0);
	r.data = span_str("second");
	ck_assert_int_eq(msglog_append(l, &r, 1), Q_OK);
	msglog_close(l);
	ck_assert_int_eq(read_all(sn), Q_MISSING);
	ck_assert(listed("queue/alice 3 old|"));
	ck_assert(listed("queue/bob 5 bob's|"));
	ck_assert(listed("first\n|") && !listed("second") && !listed("queue/new"));
	/* The next one shows it. */
	snapshot_drop(sn);
	sn = hold();
	take();
	ck_assert_int_eq(read_all(sn), Q_MISSING);
	ck_assert(listed("queue/alice 5 fresh|") && listed("second\n|"));
	ck_assert(!listed("queue/bob"));
	snapshot_drop(sn);
}
END_TEST

/* One reader at a time; a start removes what nobody reads. */
START_TEST(whose_it_is)
{
	struct snapshot *sn = hold(), *other = NULL;

	ck_assert_int_eq(snapshot_hold(at("d"), &other, &why), Q_EXISTS);
	ck_assert_ptr_nonnull(strstr(why.text, "another backup"));
	ck_assert_int_eq(snapshot_hold(at("nowhere"), &other, &why), Q_MISSING);
	take();
	store_close(s);
	open_store();
	ck_assert(there("d/snapshot/list")); /* it is being read */
	ck_assert_int_eq(read_all(sn), Q_MISSING);
	snapshot_drop(sn);
	take(); /* as by a reader that was killed */
	store_close(s);
	open_store();
	ck_assert(!there("d/snapshot"));
	sn = hold();
	ck_assert_int_eq(read_all(sn), Q_CLOSED);
	ck_assert_ptr_nonnull(strstr(why.text, "try again"));
	snapshot_drop(sn);
}
END_TEST

START_TEST(a_list_that_lies)
{
	static const char *const lists[] = {
	    "0 ../d",     "0 /etc/passwd", "1 users",    "x users/a",
	    "-1 users/a", "1 a/b/c",       "1 users/..", "1",
	};
	struct snapshot *sn = hold();
	/* The last one lacks its NUL. */
	struct span text = span_of(lists[_i], strlen(lists[_i]) + (_i < 7 ? 1 : 0));
	FILE *f;

	take();
	ck_assert_int_eq(unlink(at("d/snapshot/list")), 0);
	ck_assert_ptr_nonnull(f = fopen(at("d/snapshot/list"), "w"));
	ck_assert_uint_eq(fwrite(text.p, 1, text.len, f), text.len);
	fclose(f);
	ck_assert_int_eq(read_all(sn), Q_FORMAT);
	snapshot_drop(sn);
}
END_TEST

/* Neither second names nor copies can be had. */
START_TEST(it_cannot_be_taken)
{
	struct snapshot *sn = hold();
	struct snapshot_taken taken;

	put("d/snapshot", "a file in the way");
	ck_assert_int_eq(snapshot_take(s, &taken, &why), Q_EXISTS);
	ck_assert_ptr_nonnull(strstr(why.text, "/snapshot: "));
	ck_assert_int_eq(unlink(at("d/snapshot")), 0);
	snapshot_drop(sn);
}
END_TEST

/* ---- the pause ---- */

#define ROUNDS 12

static atomic_bool done;

/* Rename one file to and fro: at each instant it has exactly one of two names. */
static void *
change(void *arg)
{
	int dir = open(at("d/queue"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)arg;
	while (!atomic_load(&done)) {
		ck_assert_int_eq(file_rename(dir, "a", dir, "b"), 0);
		ck_assert_int_eq(file_rename(dir, "b", dir, "a"), 0);
	}
	close(dir);
	return NULL;
}

START_TEST(nothing_changes_meanwhile)
{
	pthread_t thread;
	struct snapshot *sn;

	put("d/queue/a", "here");
	atomic_store(&done, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, change, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		sn = hold();
		take();
		ck_assert_int_eq(read_all(sn), Q_MISSING);
		ck_assert_int_eq(listed("queue/a 4 here|") + listed("queue/b 4 here|"),
				 1);
		snapshot_drop(sn);
	}
	atomic_store(&done, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

/* A busy store: users sign up and go, chats are made, filled and deleted. */
static void *
live(void *arg)
{
	struct chats *chats = arg;

	for (int i = 0; !atomic_load(&done); i++) {
		struct record r = {.kind = "msg", .from = "bob", .text = true};
		struct user u = {.uin = 0};
		struct media_info m = {.name = "cat.png"};
		enum user_taken taken;
		struct chat_info chat;
		struct msglog *l;

		snprintf(u.name, sizeof(u.name), "user%d", i);
		snprintf(u.email, sizeof(u.email), "user%d@example.org", i);
		r.data = span_str("hello");
		ck_assert_int_eq(users_signup(s, &u, &taken), Q_OK);
		ck_assert_int_eq(chats_create(chats, u.name, "bob", 0, &chat), Q_OK);
		ck_assert_int_eq(chats_open_log(chats, chat.id, &l), Q_OK);
		ck_assert_int_eq(msglog_append(l, &r, 1), Q_OK);
		msglog_close(l);
		m.chat = chat.id;
		ck_assert_int_eq(media_add(s, &m, span_str("bytes")), Q_OK);
		if (i % 2 == 0)
			continue;
		ck_assert_int_eq(chats_delete(chats, chat.id), Q_OK);
		ck_assert_int_eq(users_remove(s, u.name), Q_OK);
	}
	return NULL;
}

/* Make the data directory tempdir/copy of what the snapshot has. */
static void
unpack(struct snapshot *sn)
{
	struct snapshot_file f;
	char path[600], content[65536];
	FILE *out;

	ck_assert_int_eq(mkdir(at("copy"), 0700), 0);
	while (snapshot_next(sn, &f, &why) == Q_OK) {
		snprintf(path, sizeof(path), "copy/%s", f.name);
		if (path[strlen(path) - 1] == '/') {
			ck_assert_int_eq(mkdir(at(path), 0700), 0);
			continue;
		}
		ck_assert_int_le(f.size, (int64_t)sizeof(content));
		ck_assert_int_eq(pread(f.fd, content, (size_t)f.size, 0), f.size);
		ck_assert_ptr_nonnull(out = fopen(at(path), "w"));
		ck_assert_uint_eq(fwrite(content, 1, (size_t)f.size, out),
				  (size_t)f.size);
		fclose(out);
	}
}

static void
complain(void *arg, const char *sentence)
{
	(void)arg;
	ck_abort_msg("%s", sentence);
}

START_TEST(sound_at_each_instant)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct check_result result;
	struct chats *chats;
	struct store *copied;
	struct snapshot *sn;
	pthread_t thread;

	ck_assert_int_eq(chats_open(s, &chats), Q_OK);
	atomic_store(&done, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, live, chats), 0);
	opt.report = complain;
	for (int i = 0; i < ROUNDS; i++) {
		sn = hold();
		take();
		unpack(sn);
		snapshot_drop(sn);
		ck_assert_int_eq(store_open(at("copy"), &opt, &copied, &why), Q_OK);
		ck_assert_int_eq(store_check(copied, false, complain, NULL, &result),
				 Q_OK);
		store_close(copied);
		(void)nftw(at("copy"), tempdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	atomic_store(&done, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_gt(result.users, 0);
	chats_close(chats);
}
END_TEST

static atomic_int looks; /* at busy.log */
static pthread_t other;

/* Another log takes the descriptor of busy.log, whose blank lines go. */
static void *
take_descriptor(void *arg)
{
	struct msglog *l;

	(void)arg;
	ck_assert_int_eq(msglog_open(s, "other", &l), Q_OK);
	msglog_close(l);
	return NULL;
}

/* This stands before the C library's.  The second look is that of the pause. */
int
fstatat(int dir, const char *restrict name, struct stat *restrict st, int flags)
{
	int result = (int)syscall(SYS_newfstatat, dir, name, st, flags);

	if (strcmp(name, "busy.log") == 0 && atomic_fetch_add(&looks, 1) == 1) {
		ck_assert_int_eq(pthread_create(&other, NULL, take_descriptor, NULL), 0);
		usleep(100000);
	}
	return result;
}

/* Nor does a log get shorter whose descriptor is wanted. */
START_TEST(no_log_is_cut_meanwhile)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct record r = {.kind = "msg", .from = "bob", .text = true};
	struct snapshot *sn = hold();
	struct stat before, after;
	struct msglog *l;

	store_close(s);
	opt.durability = STORE_ALWAYS;
	opt.max_open_logs = 1;
	put("d/messages/other.log", "");
	ck_assert_int_eq(store_open(at("d"), &opt, &s, &why), Q_OK);
	ck_assert_int_eq(msglog_open(s, "busy", &l), Q_OK);
	r.data = span_str("hello");
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(msglog_append(l, &r, 1), Q_OK);
	msglog_close(l);
	ck_assert_int_eq(stat(at("d/messages/busy.log"), &before), 0);
	atomic_store(&looks, 0);
	take();
	ck_assert_int_eq(pthread_join(other, NULL), 0);
	ck_assert_int_eq(stat(at("d/messages/busy.log"), &after), 0);
	ck_assert_int_lt(after.st_size, before.st_size);
	snapshot_drop(sn);
}
END_TEST

/* ---- archives ---- */

static struct buf said = BUF_INIT(4096);

static enum qerr
archive(const char *file, rlim_t limit)
{
	struct rlimit old, full;
	struct backup *b;
	enum qerr e;

	said.len = 0;
	if ((e = backup_open(at("d"), file, &b, &why)) != Q_OK)
		return e;
	take();
	getrlimit(RLIMIT_FSIZE, &old);
	full = (struct rlimit){limit, old.rlim_max};
	if (limit > 0)
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &full), 0);
	e = backup_write(b, &said, &why);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	backup_close(b);
	return e;
}

/* Nothing but what is expected to be there. */
static int
files_in(const char *folder)
{
	char command[600];
	FILE *f;
	int n = 0;

	snprintf(command, sizeof(command), "ls -A '%s'", folder);
	ck_assert_ptr_nonnull(f = popen(command, "r"));
	for (int c; (c = fgetc(f)) != EOF;)
		n += c == '\n';
	pclose(f);
	return n;
}

START_TEST(whole_or_not_there)
{
	char out[512], file[600];
	struct stat st;

	snprintf(out, sizeof(out), "%s", at("out"));
	ck_assert_int_eq(mkdir(out, 0700), 0);
	snprintf(file, sizeof(file), "%s/x.tar", out);
	put("d/queue/alice", "quintet");
	/* A full disk, with the first block and in the middle. */
	ck_assert_int_eq(archive(file, 1), Q_FULL);
	ck_assert_int_eq(archive(file, 10500), Q_FULL);
	ck_assert_ptr_nonnull(strstr(why.text, "x.tar: "));
	ck_assert_int_eq(files_in(out), 0);
	ck_assert(!there("d/snapshot"));
	ck_assert_int_eq(archive(file, 0), Q_OK);
	ck_assert_int_eq(files_in(out), 1);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_gt(st.st_size, 1024);
	ck_assert_int_eq(archive(file, 0), Q_EXISTS);
	ck_assert_ptr_nonnull(strstr(why.text, "is there already"));
	ck_assert_int_eq(files_in(out), 1);
}
END_TEST

START_TEST(no_place_for_it)
{
	ck_assert_int_eq(archive("/proc/nonexistent/x.tar", 0), Q_MISSING);
	ck_assert_int_eq(archive("/tmp/", 0), Q_FORMAT);
	ck_assert_int_eq(archive("", 0), Q_FORMAT);
	ck_assert_int_eq(archive("/proc/x.tar", 0), Q_MISSING);
	ck_assert(!there("d/snapshot"));
}
END_TEST

/* Somebody else makes a file of that name while ours is written. */
START_TEST(somebody_is_faster)
{
	char file[600];
	struct backup *b;
	struct stat st;

	snprintf(file, sizeof(file), "%s", at("x.tar"));
	ck_assert_int_eq(backup_open(at("d"), file, &b, &why), Q_OK);
	take();
	put("x.tar", "theirs");
	ck_assert_int_eq(backup_write(b, &said, &why), Q_EXISTS);
	backup_close(b);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_eq(st.st_size, 6);
}
END_TEST

/* Ctrl-C. */
START_TEST(interrupted)
{
	char file[600];
	struct backup *b;

	snprintf(file, sizeof(file), "%s", at("x.tar"));
	put("d/queue/alice", "quintet");
	ck_assert_int_eq(backup_open(at("d"), file, &b, &why), Q_OK);
	take();
	raise(SIGINT);
	ck_assert_int_eq(backup_write(b, &said, &why), Q_CLOSED);
	ck_assert_ptr_nonnull(strstr(why.text, "interrupted"));
	backup_close(b);
	ck_assert(!there("x.tar") && !there("d/snapshot"));
}
END_TEST

/* A file that a person has made shorter in the meantime: not padded with zeros. */
START_TEST(cut_short)
{
	struct backup *b;
	char file[600];

	snprintf(file, sizeof(file), "%s", at("x.tar"));
	put("d/server/server.conf", "[log]\nlevel = info\n");
	ck_assert_int_eq(backup_open(at("d"), file, &b, &why), Q_OK);
	take();
	ck_assert_int_eq(truncate(at("d/server/server.conf"), 3), 0);
	ck_assert_int_eq(backup_write(b, &said, &why), Q_FORMAT);
	ck_assert_ptr_nonnull(strstr(why.text, "server/server.conf was changed"));
	backup_close(b);
	ck_assert(!there("x.tar"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("snapshot");
	TCase *tc = tcase_create("snapshot");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, what_is_in_it);
	tcase_add_loop_test(tc, long_end, 0, 2);
	tcase_add_loop_test(tc, mended_meanwhile, 0, 2);
	tcase_add_test(tc, it_stays_as_it_was);
	tcase_add_test(tc, whose_it_is);
	tcase_add_loop_test(tc, a_list_that_lies, 0, 8);
	tcase_add_test(tc, it_cannot_be_taken);
	tcase_add_test(tc, nothing_changes_meanwhile);
	tcase_add_test(tc, sound_at_each_instant);
	tcase_add_test(tc, no_log_is_cut_meanwhile);
	tcase_add_test(tc, whole_or_not_there);
	tcase_add_test(tc, no_place_for_it);
	tcase_add_test(tc, somebody_is_faster);
	tcase_add_test(tc, interrupted);
	tcase_add_test(tc, cut_short);
	suite_add_tcase(suite, tc);
	return unit_main(suite);
}
