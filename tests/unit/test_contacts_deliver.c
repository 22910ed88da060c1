/* SPDX-License-Identifier: MIT
 *
 * Messages from one session to another without a network protocol in between: the test
 * is both workers, and reads the other ends of their connections.
 */
#include "tests/unit/core.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>

#include "server/accounts.h"
#include "server/contacts/contacts.h"
#include "server/contacts/contacts_session.h"
#include "server/limits.h"
#include "store/positions.h"
#include "tests/unit/tempdir.h"

#define WORD "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct side {
	struct contacts_session *cs;
	int fd;
	struct buf got; /* lines that have come */
};

static struct side ann, bob;
static uint64_t chat_id;

/* ---- a server with two users who know each other ---- */

static void
add_user(const char *name)
{
	struct user u = {0};

	strcpy(u.name, name);
	ck_assert_int_eq(accounts_add(core.accounts, &u, (struct span){NULL, 0}, NULL),
			 Q_OK);
}

static uint64_t
befriend(const char *a, const char *b)
{
	enum wish_result result;
	struct chat_info info;

	ck_assert_int_eq(relations_wish(core.relations, a, b, &result), Q_OK);
	ck_assert_int_eq(relations_wish(core.relations, b, a, &result), Q_OK);
	ck_assert_int_eq(result, WISH_CONFIRMED);
	ck_assert_int_eq(chats_create(core.chats, a, b, 0, &info), Q_OK);
	return info.id;
}

/* A connection with small buffers: delivery is what TCP says. */
static struct session *
connect_side(struct side *p)
{
	const int small = 4096;
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0), fd;
	struct stream *st;

	ck_assert_int_eq(bind(l, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(l, 1), 0);
	ck_assert_int_eq(getsockname(l, (struct sockaddr *)&a, &len), 0);
	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	ck_assert_int_eq(connect(p->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_ge(fd = accept(l, NULL, NULL), 0);
	close(l);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	ck_assert_int_eq(fcntl(p->fd, F_SETFL, O_NONBLOCK), 0);
	ck_assert_ptr_nonnull(st = stream_plain(fd));
	return core_session_on(st);
}

static void
arrive(struct side *p, const char *name)
{
	static const struct sessions_limits none;
	struct contacts_session *cs = calloc(1, sizeof(*cs));
	struct session *s = connect_side(p);

	p->got = (struct buf)BUF_INIT(1 << 26);
	p->cs = cs;
	cs->session = s;
	cs->config = config_now();
	cs->scratch = cs->reply = (struct buf)BUF_INIT(1 << 26);
	strcpy(cs->user, name);
	s->state = cs;
	atomic_store(&s->protocol, &contacts_protocol);
	ck_assert_int_eq(sessions_add(core.sessions, s, &none), Q_OK);
	session_adopt(s);
	ck_assert_int_eq(session_wakeable(s), Q_OK);
	cs->inbox.phase = INBOX_ARRIVING;
	ck_assert_int_eq(sessions_login(core.sessions, s, name, LOGIN_REFUSE, NULL),
			 Q_OK);
	ck_assert_int_eq(contacts_arrive(cs), Q_OK);
	contacts_catch_up(cs);
	outbox_flush_touched();
}

static void
leave(struct side *p)
{
	struct session *s = p->cs->session;

	session_adopt(s);
	/* Its FIN acknowledges what has come. */
	shutdown(p->fd, SHUT_WR);
	contacts_save(p->cs);
	session_end(s, GOODBYE_SELF, NULL);
	close(p->fd);
	(void)outbox_drain(s, clock_mono_ms() + 1000);
	sessions_remove(core.sessions, s);
	session_unref(s);
	session_adopt(NULL);
	buf_free(&p->got);
	p->cs = NULL;
}

static void
start(const char *setting)
{
	const char *settings[] = {"limits.outbox=8KiB", "limits.messages=1000000",
				  setting};
	struct store_options options = STORE_OPTIONS_DEFAULT;
	struct why why;

	tempdir_make();
	core_start_with(settings, setting == NULL ? 2 : 3);
	ck_assert_int_eq(store_open(at("d"), &options, &core.store, &why), Q_OK);
	ck_assert_int_eq(chats_open(core.store, &core.chats), Q_OK);
	ck_assert_int_eq(relations_open(core.store, &core.relations), Q_OK);
	ck_assert_int_eq(accounts_new(core.store, &core.accounts), Q_OK);
	ck_assert_int_eq(shared_open(&core, &core.shared, &why), Q_OK);
	ck_assert_ptr_nonnull(core.limits = limits_new());
	add_user("ann");
	add_user("Bob");
	chat_id = befriend("ann", "Bob");
	arrive(&ann, "ann");
	arrive(&bob, "Bob");
}

static void
setup(void)
{
	start(NULL);
}

static void
setup_backlog(void)
{
	start("contacts.backlog=5");
}

static void
teardown(void)
{
	if (ann.cs != NULL)
		leave(&ann);
	if (bob.cs != NULL)
		leave(&bob);
	shared_close(core.shared);
	limits_free(core.limits);
	accounts_free(core.accounts);
	relations_close(core.relations);
	chats_close(core.chats);
	store_close(core.store);
	core_stop();
	tempdir_remove();
}

/* ---- lines ---- */

/* p sends these 115s in one go. */
static void
say_lines(struct side *p, char (*lines)[128], size_t n)
{
	struct contacts_run run = {0};
	struct contacts_request r;

	session_adopt(p->cs->session);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(
		    contacts_request_parse(span_str(lines[i]), &p->cs->scratch, &r),
		    Q_OK);
		contacts_send(p->cs, &run, &r);
	}
	contacts_run_post(p->cs, &run);
	contacts_answers_out(p->cs);
	outbox_flush_touched();
}

/* n messages from first on, numbered. */
static void
say(struct side *p, uint64_t chat, unsigned first, unsigned n)
{
	char lines[100][128];

	ck_assert_uint_le(n, 100);
	for (unsigned i = 0; i < n; i++)
		snprintf(lines[i], sizeof(lines[i]), "115 %llu " WORD " %u",
			 (unsigned long long)chat, first + i);
	say_lines(p, lines, n);
}

/* Take what is there; when the worker is woken meanwhile it does what it has to. */
static void
listen_to(struct side *p)
{
	struct session *s = p->cs->session;
	uint8_t part[4096];
	ssize_t n;

	session_adopt(s);
	for (;;) {
		bool woken = waker_heard(&s->stream->waker);

		if (woken)
			contacts_catch_up(p->cs);
		outbox_flush(s);
		outbox_flush_touched();
		if ((n = read(p->fd, part, sizeof(part))) > 0)
			ck_assert_int_eq(buf_put(&p->got, part, (size_t)n), Q_OK);
		else if (!woken)
			return;
	}
}

static const uint8_t *
line_end(struct side *p)
{
	listen_to(p);
	return p->got.len == 0 ? NULL : memchr(p->got.p, '\n', p->got.len);
}

/* The next line that came to p, without its end; "" when there is none now. */
static const char *
line(struct side *p)
{
	static char text[256];
	const uint8_t *end = line_end(p);

	if (end == NULL)
		return "";
	snprintf(text, sizeof(text), "%.*s", (int)(end - p->got.p), p->got.p);
	buf_consume(&p->got, (size_t)(end + 1 - p->got.p));
	return text;
}

/* The same, waiting for it. */
static const char *
next(struct side *p)
{
	CORE_AWAIT(line_end(p) != NULL);
	return line(p);
}

/* The next line is a 220 of chat with the number n. */
static void
expect_220(struct side *p, uint64_t chat, unsigned n, int at_line)
{
	unsigned long long c, t;
	unsigned got;
	const char *l = next(p);

	ck_assert_msg(sscanf(l, "220 %llu %llu " WORD " %u", &c, &t, &got) == 3 &&
			  c == chat && got == n,
		      "line %d: 220 with %u expected, not '%s'", at_line, n, l);
}
#define EXPECT_220(p, chat, n) expect_220(p, chat, n, __LINE__)

/* The next line is this one; "": there is none. */
static void
expect(struct side *p, const char *text, int at_line)
{
	const char *l = text[0] != '\0' ? next(p) : line(p);

	ck_assert_msg(strcmp(l, text) == 0, "line %d: '%s' expected, not '%s'", at_line,
		      text, l);
}
#define EXPECT(p, text) expect(p, text, __LINE__)

/* ---- the ordinary day ---- */

START_TEST(a_run_is_answered_and_delivered_in_order)
{
	say(&ann, chat_id, 0, 100);
	for (unsigned i = 0; i < 100; i++) {
		EXPECT(&ann, "219 400");
		EXPECT_220(&bob, chat_id, i);
	}
	EXPECT(&ann, "");
	EXPECT(&bob, "");
}
END_TEST

START_TEST(a_run_ends_where_the_chat_or_the_way_of_writing_changes)
{
	char lines[][128] = {"115 1 one",       "115 1 \"t\\\"wo\\n2\"", "115 9 nowhere",
			     "115 1 \"three\"", "115 1 data:,four",      "115 1 five"};

	ck_assert_uint_eq(chat_id, 1);
	say_lines(&ann, lines, 6);
	EXPECT(&ann, "219 400");
	EXPECT(&ann, "219 400");
	EXPECT(&ann, "219 408");
	EXPECT(&ann, "219 400");
	EXPECT(&ann, "219 400");
	EXPECT(&ann, "219 400");
	ck_assert_str_eq(strrchr(next(&bob), ' '), " one");
	ck_assert_ptr_nonnull(strstr(next(&bob), " \"t\\\"wo\\n2\""));
	ck_assert_str_eq(strrchr(next(&bob), ' '), " three");
	ck_assert_ptr_nonnull(strstr(next(&bob), " \"\" 1"));
	ck_assert_str_eq(strrchr(next(&bob), ' '), " five");
	EXPECT(&bob, "");
}
END_TEST

START_TEST(strangers_and_former_contacts_cannot_write)
{
	struct side cid;

	add_user("cid");
	arrive(&cid, "cid");
	say(&cid, chat_id, 0, 2);
	EXPECT(&cid, "219 409");
	EXPECT(&cid, "219 409");
	say(&ann, chat_id, 0, 1);
	EXPECT(&ann, "219 400");
	EXPECT_220(&bob, chat_id, 0);
	ck_assert_int_eq(relations_remove(core.relations, "Bob", "ann"), Q_OK);
	say(&ann, chat_id, 1, 1);
	EXPECT(&ann, "219 411");
	EXPECT(&bob, "");
	leave(&cid);
}
END_TEST

/* ---- slow receivers ---- */

START_TEST(what_does_not_fit_comes_from_the_file)
{
	unsigned n = 0;

	/* Some 70 KB, for an outbox of 8 KiB. */
	for (; n < 1000; n += 100)
		say(&ann, chat_id, n, 100);
	for (unsigned i = 0; i < n; i++)
		EXPECT(&ann, "219 400");
	ck_assert(inbox_owing(&bob.cs->inbox));
	for (unsigned i = 0; i < n; i++)
		EXPECT_220(&bob, chat_id, i);
	ck_assert(!inbox_owing(&bob.cs->inbox));
	/* And then straight again. */
	say(&ann, chat_id, n, 1);
	EXPECT_220(&bob, chat_id, n);
	EXPECT(&bob, "");
}
END_TEST

#define FLOOD 20000

static void *
flood(void *arg)
{
	(void)arg;
	for (unsigned n = 0; n < FLOOD; n += 50) {
		say(&ann, chat_id, n, 50);
		listen_to(&ann);
		ann.got.len = 0;
	}
	session_adopt(NULL);
	return NULL;
}

/* Events and the file race for each message: each comes once, in order. */
START_TEST(none_twice_and_none_lost_while_somebody_writes)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, flood, NULL), 0);
	for (unsigned i = 0; i < FLOOD; i++) {
		CORE_AWAIT(
		    (listen_to(&bob),
		     bob.got.len > 0 && memchr(bob.got.p, '\n', bob.got.len) != NULL));
		EXPECT_220(&bob, chat_id, i);
	}
	pthread_join(thread, NULL);
	EXPECT(&bob, "");
}
END_TEST

/* ---- what waits ---- */

START_TEST(waiting_messages_come_by_time_over_all_chats)
{
	struct side cid;
	uint64_t other;

	add_user("cid");
	other = befriend("cid", "Bob");
	arrive(&cid, "cid");
	leave(&bob);
	for (unsigned i = 0; i < 300; i += 2) {
		say(&ann, chat_id, i, 1);
		usleep(1500); /* the clock has milliseconds */
		say(&cid, other, i + 1, 1);
		usleep(1500);
	}
	arrive(&bob, "Bob");
	for (unsigned i = 0; i < 300; i += 2) {
		EXPECT_220(&bob, chat_id, i);
		EXPECT_220(&bob, other, i + 1);
	}
	EXPECT(&bob, "");
	leave(&cid);
}
END_TEST

/* How many whole lines the peer's kernel holds, which nobody has read. */
static unsigned
lines_in_kernel(struct side *p)
{
	static char all[1 << 20];
	ssize_t n = recv(p->fd, all, sizeof(all), MSG_PEEK);
	unsigned lines = 0;

	for (ssize_t i = 0; i < n; i++)
		lines += all[i] == '\n';
	return lines;
}

/* How many messages bob has had in the chat, as it is written down. */
static unsigned
written_down(void)
{
	struct position *p;
	unsigned had;
	size_t n;

	ck_assert_int_eq(positions_load(core.store, "bob", &p, &n), Q_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(p[0].chat, chat_id);
	had = (unsigned)p[0].id;
	free(p);
	return had;
}

START_TEST(delivered_is_what_tcp_has_acknowledged)
{
	unsigned n, arrived;

	for (n = 0; n < 1000; n += 100)
		say(&ann, chat_id, n, 100);
	/* Until the peer's window is full. */
	CORE_AWAIT((contacts_save(bob.cs), usleep(100000),
		    (arrived = lines_in_kernel(&bob)) > 0 &&
			inbox_find(&bob.cs->inbox, chat_id)->had == arrived));
	ck_assert_uint_lt(arrived, 900);
	leave(&bob); /* with a reset */
	/* A window that was not quite full may have taken one more meanwhile. */
	ck_assert_uint_ge(written_down(), arrived);
	ck_assert_uint_lt(arrived = written_down(), 900);
	arrive(&bob, "Bob");
	for (unsigned i = arrived; i < n; i++)
		EXPECT_220(&bob, chat_id, i);
	leave(&bob);
	say(&ann, chat_id, n, 2);
	arrive(&bob, "Bob");
	EXPECT_220(&bob, chat_id, n);
	EXPECT_220(&bob, chat_id, n + 1);
	EXPECT(&bob, "");
}
END_TEST

/* What a browser was shown in the chat's room does not wait for the next login; what lies
 * between does. */
START_TEST(shown_in_the_room_is_not_sent_again)
{
	struct shared_chat *chat;

	leave(&bob);
	say(&ann, chat_id, 0, 10);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	shared_shown(chat, "bob", 3, 4);
	shared_shown(chat, "bob", 8, 10);
	arrive(&bob, "Bob");
	for (unsigned i = 0; i < 10; i++)
		if (i + 1 < 3 || (i + 1 > 4 && i + 1 < 8))
			EXPECT_220(&bob, chat_id, i);
	EXPECT(&bob, "");
	/* Live ones come in both. */
	say(&ann, chat_id, 10, 1);
	EXPECT_220(&bob, chat_id, 10);
	leave(&bob);
	/* The position has passed over what was shown. */
	arrive(&bob, "Bob");
	EXPECT(&bob, "");
	shared_chat_unref(chat);
}
END_TEST

/* The log has lost its end, not so what was had of it: before, or while, it gets longer. */
START_TEST(new_messages_under_old_ids)
{
	const struct had had[] = {{chat_id, 1, 3}, {chat_id, 6, 9}};

	leave(&bob);
	ck_assert_int_eq(positions_add(core.store, "bob", had, 2), Q_OK);
	if (_i == 0)
		arrive(&bob, "Bob");
	say(&ann, chat_id, 0, 10);
	if (_i == 1)
		arrive(&bob, "Bob");
	for (unsigned i = 0; i < 10; i++)
		EXPECT_220(&bob, chat_id, i);
	EXPECT(&bob, "");
	leave(&bob);
	arrive(&bob, "Bob");
	EXPECT(&bob, "");
}
END_TEST

START_TEST(only_the_newest_wait_for_a_login)
{
	leave(&bob);
	say(&ann, chat_id, 0, 20);
	arrive(&bob, "Bob");
	for (unsigned i = 15; i < 20; i++)
		EXPECT_220(&bob, chat_id, i);
	EXPECT(&bob, "");
	/* That holds for the login alone. */
	say(&ann, chat_id, 20, 20);
	for (unsigned i = 20; i < 40; i++)
		EXPECT_220(&bob, chat_id, i);
}
END_TEST

START_TEST(seen_is_said_by_122)
{
	struct contacts_request r = {.code = CONTACTS_SEEN, .id = 999};
	struct position *p;
	long long t = 0;
	size_t n;

	contacts_seen(bob.cs, &r); /* no such chat, and yet it counts */
	say(&ann, chat_id, 0, 3);
	EXPECT_220(&bob, chat_id, 0);
	ck_assert_int_eq(sscanf(next(&bob), "220 %*s %lld", &t), 1);
	r.id = chat_id;
	r.time_ms = t;
	contacts_seen(bob.cs, &r);
	EXPECT_220(&bob, chat_id, 2);
	leave(&bob);
	ck_assert_int_eq(positions_load(core.store, "bob", &p, &n), Q_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(p[0].chat, chat_id);
	ck_assert_uint_eq(p[0].id, 2);
	free(p);
	arrive(&bob, "Bob");
	EXPECT_220(&bob, chat_id, 2);
	EXPECT(&bob, "");
}
END_TEST

/* ---- who asks ---- */

static void
tell_bob(void)
{
	session_adopt(bob.cs->session);
	contacts_tell_news(bob.cs);
}

/* Also when all of it is over within a millisecond. */
START_TEST(each_wish_is_told_once)
{
	enum wish_result result;

	ck_assert_int_eq(relations_remove(core.relations, "ann", "Bob"), Q_OK);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(relations_wish(core.relations, "ann", "Bob", &result),
				 Q_OK);
		tell_bob();
		tell_bob();
		EXPECT(&bob, "233 ann");
		EXPECT(&bob, "");
		ck_assert_int_eq(relations_remove(core.relations, "ann", "Bob"), Q_OK);
	}
}
END_TEST

/* ---- ends ---- */

START_TEST(a_deleted_chat_takes_all_with_it)
{
	struct contacts_request r = {.code = CONTACTS_CHAT_DELETE, .id = chat_id};

	say(&ann, chat_id, 0, 1);
	EXPECT(&ann, "219 400");
	EXPECT_220(&bob, chat_id, 0);
	session_adopt(bob.cs->session);
	contacts_chat_delete(bob.cs, &r);
	contacts_answers_out(bob.cs);
	EXPECT(&bob, "218 400");
	ck_assert_ptr_null(inbox_find(&bob.cs->inbox, chat_id));
	ck_assert_ptr_null(inbox_find(&ann.cs->inbox, chat_id));
	say(&ann, chat_id, 1, 1); /* it holds the chat still */
	EXPECT(&ann, "219 408");
	EXPECT(&bob, "");
}
END_TEST

START_TEST(nothing_comes_behind_the_logout)
{
	struct contacts_request r = {.code = CONTACTS_LOGOUT};

	session_adopt(bob.cs->session);
	contacts_logout(bob.cs, &r);
	say(&ann, chat_id, 0, 1);
	EXPECT(&ann, "219 400");
	session_adopt(bob.cs->session);
	contacts_answers_out(bob.cs);
	EXPECT(&bob, "213 400");
	EXPECT(&bob, "");
}
END_TEST

START_TEST(on_a_full_disk_nothing_is_delivered)
{
	struct rlimit full = {64, RLIM_INFINITY}, old;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	full.rlim_max = old.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &full), 0);
	say(&ann, chat_id, 0, 2);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	EXPECT(&ann, "219 413");
	EXPECT(&ann, "219 413");
	EXPECT(&bob, "");
	say(&ann, chat_id, 2, 1);
	EXPECT(&ann, "219 400");
	EXPECT_220(&bob, chat_id, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts_deliver");
	TCase *tc = tcase_create("deliver"), *few = tcase_create("backlog");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_run_is_answered_and_delivered_in_order);
	tcase_add_test(tc, a_run_ends_where_the_chat_or_the_way_of_writing_changes);
	tcase_add_test(tc, strangers_and_former_contacts_cannot_write);
	tcase_add_test(tc, what_does_not_fit_comes_from_the_file);
	tcase_add_test(tc, none_twice_and_none_lost_while_somebody_writes);
	tcase_add_test(tc, waiting_messages_come_by_time_over_all_chats);
	tcase_add_test(tc, delivered_is_what_tcp_has_acknowledged);
	tcase_add_test(tc, shown_in_the_room_is_not_sent_again);
	tcase_add_loop_test(tc, new_messages_under_old_ids, 0, 2);
	tcase_add_test(tc, seen_is_said_by_122);
	tcase_add_test(tc, each_wish_is_told_once);
	tcase_add_test(tc, a_deleted_chat_takes_all_with_it);
	tcase_add_test(tc, nothing_comes_behind_the_logout);
	tcase_add_test(tc, on_a_full_disk_nothing_is_delivered);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(few, setup_backlog, teardown);
	tcase_add_test(few, only_the_newest_wait_for_a_login);
	suite_add_tcase(suite, few);
	return unit_main(suite);
}
