/* SPDX-License-Identifier: MIT
 *
 * `server user remove`, killed before each of its steps on the disk, and in the middle of
 * each write: it can be said again, and whoever has the name later finds nothing of the old
 * one's.
 */
#include "tests/unit/unit.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/accounts.h"
#include "server/admin.h"
#include "server/log.h"
#include "store/anons.h"
#include "store/chatkeys.h"
#include "store/chats.h"
#include "store/check.h"
#include "store/positions.h"
#include "store/relations.h"
#include "store/rooms.h"
#include "store/tokens.h"
#include "store/users.h"
#include "tests/unit/tempdir.h"

#define EMAIL  "alice@example.org"
#define KEY_ID "0123456789abcdef"
#define PEM    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"

/* ---- a disk on which the process dies at a given step ---- */

#define DEAD 9 /* exit status */

static atomic_int steps_left; /* 0: as many as it likes */
static bool in_the_middle;    /* of a write, rather than before it */

static bool
is_the_last(void)
{
	return atomic_load(&steps_left) > 0 && atomic_fetch_sub(&steps_left, 1) == 1;
}

static void
step(void)
{
	if (is_the_last())
		_exit(DEAD);
}

/* These stand before the C library's. */

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (is_the_last()) {
		if (in_the_middle)
			(void)syscall(SYS_pwrite64, fd, p, n / 2, at);
		_exit(DEAD);
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	if (is_the_last()) {
		if (in_the_middle)
			(void)syscall(SYS_write, fd, p, n / 2);
		_exit(DEAD);
	}
	return syscall(SYS_write, fd, p, n);
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	step();
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

int
unlinkat(int fd, const char *name, int flags)
{
	step();
	return (int)syscall(SYS_unlinkat, fd, name, flags);
}

int
ftruncate(int fd, off_t len)
{
	step();
	return (int)syscall(SYS_ftruncate, fd, len);
}

/* A kill, unlike a power cut, leaves what was written: no need to wait for the disk. */
int
fsync(int fd)
{
	(void)fd;
	return 0;
}

int
fdatasync(int fd)
{
	(void)fd;
	return 0;
}

/* ---- what there is ---- */

static struct server server; /* with store and accounts, as without a running one */
static struct relations *relations;
static struct chats *chats;
static struct rooms *rooms;
static struct anons *anons;
static char reported[8192];

static void
report(void *arg, const char *sentence)
{
	(void)arg;
	strncat(reported, sentence, sizeof(reported) - strlen(reported) - 2);
	strcat(reported, "\n");
}

static void
open_store(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct why why;

	opt.durability = STORE_NEVER;
	opt.report = report;
	ck_assert_msg(store_open(at("d"), &opt, &server.store, &why) == Q_OK, "%s",
		      why.text);
	ck_assert_int_eq(accounts_new(server.store, &server.accounts), Q_OK);
}

static void
close_store(void)
{
	accounts_free(server.accounts);
	store_close(server.store);
}

static void
open_parts(void)
{
	ck_assert_int_eq(relations_open(server.store, &relations), Q_OK);
	ck_assert_int_eq(chats_open(server.store, &chats), Q_OK);
	ck_assert_int_eq(rooms_open(server.store, NULL, NULL, &rooms), Q_OK);
	ck_assert_int_eq(anons_open(server.store, &anons), Q_OK);
}

static void
close_parts(void)
{
	anons_close(anons);
	rooms_close(rooms);
	chats_close(chats);
	relations_close(relations);
}

static uint32_t
add_user(const char *name, const char *email)
{
	struct user u = {.uin = 0};

	strcpy(u.name, name);
	strcpy(u.email, email);
	ck_assert_int_eq(users_add(server.store, &u, span_of(NULL, 0), NULL), Q_OK);
	return u.uin;
}

static void
wish(const char *from, const char *to)
{
	enum wish_result result;

	ck_assert_int_eq(relations_wish(relations, from, to, &result), Q_OK);
}

static void
say_in_chat(const char *a, const char *b)
{
	struct record r = {.kind = "msg", .text = true, .data = span_str("a secret")};
	struct chat_info info;
	struct msglog *l;

	ck_assert_int_eq(chats_create(chats, a, b, 0, &info), Q_OK);
	strcpy(r.from, a);
	ck_assert_int_eq(chats_open_log(chats, info.id, &l), Q_OK);
	ck_assert_int_eq(msglog_append(l, &r, 1), Q_OK);
	msglog_close(l);
}

static void
make_room(enum room_type type, const char *const *people, size_t n)
{
	const struct room_info *info;
	struct room_ask ask = {.action = ROOM_CREATE,
			       .type = type,
			       .by = "alice",
			       .name = "a room",
			       .people = people,
			       .n_people = n,
			       .max_members = 10};
	uint64_t seq;
	enum qerr e;

	ck_assert_int_eq(rooms_create(rooms, &ask, &info, &seq, &e), ROOM_OK);
	room_info_put(info);
}

static uint32_t uin; /* the first alice's */
static char token[TOKEN_SIZE];

static void
make_world(void)
{
	static const char *const people[] = {"bob", "carol"};
	struct anon a = {.author = "alice", .title = "a bicycle", .text = "nearly new"};
	const struct position had = {1, 1};

	tempdir_make();
	reported[0] = '\0';
	open_store();
	open_parts();
	uin = add_user("alice", EMAIL);
	(void)add_user("bob", "");
	(void)add_user("carol", "");
	wish("alice", "bob");
	wish("bob", "alice");
	wish("carol", "alice");
	say_in_chat("alice", "bob");
	say_in_chat("carol", "alice");
	say_in_chat("bob", "carol");
	make_room(ROOM_GROUP, people, 2);
	make_room(ROOM_DIRECT, people, 1);
	ck_assert_int_eq(anons_add(anons, &a), Q_OK);
	ck_assert_int_eq(positions_save(server.store, "alice", &had, 1), Q_OK);
	ck_assert_int_eq(
	    tokens_issue(server.store, "alice", TOKEN_ROOMS, INT64_MAX, token, NULL),
	    Q_OK);
	ck_assert_int_eq(chatkeys_add(server.store, "alice", KEY_ID, span_str(PEM), NULL),
			 Q_OK);
	close_parts();
}

static void
end_world(void)
{
	close_store();
	tempdir_remove();
}

static enum qerr
remove_user(const char *name)
{
	const char *words[] = {"user", "remove", name};
	const struct admin_request req = {.argc = 3, .argv = words};
	struct buf out = BUF_INIT(ADMIN_REPLY_MAX);
	struct why why;
	enum qerr e = admin_run(&server, &req, &out, &why);

	buf_free(&out);
	return e;
}

/* ---- what must hold afterwards ---- */

static bool
not_by_alice(void *arg, const struct anon *a)
{
	(void)arg;
	ck_assert_int_ne(name_cmp(a->author, "alice"), 0);
	return true;
}

/* The new alice has nothing of the old one's. */
static void
expect_a_stranger(void)
{
	const struct room_info **list;
	struct relation_info *known;
	struct position *position;
	struct chatkeys keys;
	struct chat_info *of;
	size_t n;
	bool more;

	ck_assert_int_eq(relations_of(relations, "alice", &known, &n), Q_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(chats_of(chats, "alice", &of, &n), Q_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(rooms_of(rooms, "alice", NULL, 9, &list, &n, &more), Q_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(anons_list(anons, 0, 9, not_by_alice, NULL), Q_OK);
	ck_assert_int_eq(positions_load(server.store, "alice", &position, &n), Q_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(
	    tokens_check(server.store, "alice", TOKEN_ROOMS, span_str(token), 0, NULL),
	    Q_MISSING);
	ck_assert_int_eq(chatkeys_load(server.store, "alice", &keys), Q_OK);
	ck_assert_uint_eq(keys.n, 0);
}

/* What bob has of her, and with carol, is there. */
static void
expect_bobs_side(void)
{
	const struct room_info **list;
	struct chat_info *of;
	size_t n;
	bool more;

	ck_assert_int_eq(chats_of(chats, "bob", &of, &n), Q_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert(of[0].id == 1 && of[0].maker_gone && !of[0].other_gone);
	ck_assert(of[1].id == 3 && !of[1].maker_gone && !of[1].other_gone);
	free(of);
	ck_assert(exists("d/messages/chat-1.log") && exists("d/messages/chat-3.log"));
	ck_assert_int_eq(rooms_of(rooms, "bob", NULL, 9, &list, &n, &more), Q_OK);
	ck_assert_uint_eq(n, 2);
	rooms_of_free(list, n);
}

/* Nothing but what a kill leaves anyhow, which check takes away, is wrong. */
static void
expect_clean(void)
{
	struct check_result r;

	ck_assert_int_eq(store_check(server.store, true, report, NULL, &r), Q_OK);
	reported[0] = '\0';
	ck_assert_int_eq(store_check(server.store, false, report, NULL, &r), Q_OK);
	ck_assert_msg(r.problems == 0, "%s", reported);
}

/* Remove name in a process that dies at its nth step.  False: it did not take so many. */
static bool
remove_until(const char *name, int n)
{
	int status;
	pid_t pid;

	close_store();
	if ((pid = fork()) == 0) {
		open_store();
		atomic_store(&steps_left, n);
		_exit(remove_user(name) == Q_OK ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert(WEXITSTATUS(status) == DEAD || WEXITSTATUS(status) == 0);
	open_store();
	return WEXITSTATUS(status) == DEAD;
}

/* As an administrator would who has seen the command end like that. */
static void
remove_again(const char *name)
{
	enum qerr e = remove_user(name);
	struct user u;

	ck_assert_msg(e == Q_OK || e == Q_MISSING, "%s", qerr_str(e));
	ck_assert_int_eq(users_get(server.store, name, &u), Q_MISSING);
}

START_TEST(killed)
{
	bool dies = true;
	int n;

	in_the_middle = _i == 1;
	for (n = 1; dies; n++) {
		char name[NAME_SIZE];

		make_world();
		dies = remove_until("alice", n);
		remove_again("alice");
		if (add_user("alice", EMAIL) != uin)
			ck_assert_int_eq(users_by_uin(server.store, uin, name),
					 Q_MISSING);
		open_parts();
		expect_a_stranger();
		expect_bobs_side();
		expect_clean();
		close_parts();
		end_world();
	}
	ck_assert_int_gt(n, 15);
}
END_TEST

/* With the second member of a chat goes what was said in it. */
START_TEST(killed_at_the_last_member)
{
	bool dies = true;

	in_the_middle = _i == 1;
	for (int n = 1; dies; n++) {
		struct chat_info info;

		make_world();
		remove_again("alice");
		dies = remove_until("bob", n);
		remove_again("bob");
		(void)add_user("alice", EMAIL);
		(void)add_user("bob", "");
		open_parts();
		expect_a_stranger();
		ck_assert_int_eq(chats_get(chats, 1, &info), Q_MISSING);
		ck_assert(!exists("d/messages/chat-1.log"));
		ck_assert(exists("d/messages/chat-2.log"));
		expect_clean();
		close_parts();
		end_world();
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("removal");
	TCase *t = tcase_create("removal");

	log_open("", LOG_ERROR, 0, NULL);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, killed, 0, 2);
	tcase_add_loop_test(t, killed_at_the_last_member, 0, 2);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
