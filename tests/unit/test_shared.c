/* SPDX-License-Identifier: MIT
 *
 * Shared chats: who is told what, in which order, whatever the clock, the disk and
 * other threads do.
 */
#include "tests/unit/core.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/lock.h"
#include "server/shared.h"
#include "store/msglog.h"
#include "tests/unit/tempdir.h"

#define T0 1763000000000

/* A clock that shows what the test says, and a disk that fails: these stand before the
 * C library's. */
static _Atomic int64_t wall_ms;
static atomic_bool disk_fails;

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != CLOCK_REALTIME || wall_ms == 0)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = (time_t)(wall_ms / 1000);
	ts->tv_nsec = (long)(wall_ms % 1000 * 1000000);
	return 0;
}

int
fdatasync(int fd)
{
	if (!disk_fails)
		return (int)syscall(SYS_fdatasync, fd);
	errno = EIO;
	return -1;
}

/* ---- sessions that remember what they were told ---- */

struct listener {
	struct session *session;
	int peer;
	struct lock lock;
	size_t events, messages; /* [lock] of others */
	size_t own;              /* [lock] events of what it posted itself */
	uint64_t last_id;        /* [lock] */
	int64_t last_ms;         /* [lock] */
	uint64_t media_id;       /* [lock] of the last one */
	char from[NAME_SIZE];    /* [lock] likewise */
	char text[64];           /* [lock] likewise */
	bool disorder, deleted;  /* [lock] */
};

static void
hear(struct listener *l, const struct shared_message *m)
{
	/* Ids rise by 1, and nothing comes when all is over. */
	if (l->deleted || (l->last_id != 0 && m->id != l->last_id + 1) ||
	    m->time_ms <= l->last_ms)
		l->disorder = true;
	l->messages++;
	l->last_id = m->id;
	l->last_ms = m->time_ms;
	l->media_id = m->media_id;
	strcpy(l->from, m->from);
	snprintf(l->text, sizeof(l->text), "%.*s", (int)m->text.len,
		 m->text.len == 0 ? "" : (const char *)m->text.p);
}

static void
hear_event(struct session *s, const struct event *event)
{
	struct listener *l = s->state;

	lock_take(&l->lock);
	if (event->sender == s) {
		l->own++;
		lock_drop(&l->lock);
		return;
	}
	l->events++;
	if (event->kind == EVENT_CHAT_DELETED)
		l->deleted = true;
	for (size_t i = 0; event->kind == EVENT_MESSAGES && i < event->count; i++)
		hear(l, &event->messages[i]);
	lock_drop(&l->lock);
}

static const struct protocol listening = {
    .name = "listening",
    .deliver = hear_event,
    .goodbye = core_goodbye,
    .release = core_release,
};

static void
join(struct listener *l, const char *user)
{
	static const struct sessions_limits none;

	memset(l, 0, sizeof(*l));
	lock_init(&l->lock);
	l->session = core_session(&l->peer);
	atomic_store(&l->session->protocol, &listening);
	l->session->state = l;
	ck_assert_int_eq(sessions_add(core.sessions, l->session, &none), Q_OK);
	ck_assert_int_eq(sessions_login(core.sessions, l->session, user, LOGIN_ADD, NULL),
			 Q_OK);
}

static void
leave(struct listener *l)
{
	sessions_remove(core.sessions, l->session);
	session_unref(l->session);
	close(l->peer);
	lock_fini(&l->lock);
}

/* ---- a server with a store ---- */

static struct store_options options;
static _Atomic uint64_t chat_id;
static struct shared_chat *chat;
static struct listener bob;

static void
open_store(void)
{
	struct why why;

	ck_assert_int_eq(store_open(at("d"), &options, &core.store, &why), Q_OK);
	ck_assert_int_eq(chats_open(core.store, &core.chats), Q_OK);
	ck_assert_int_eq(shared_open(&core, &core.shared, &why), Q_OK);
}

static void
close_store(void)
{
	shared_chat_unref(chat);
	shared_close(core.shared);
	chats_close(core.chats);
	store_close(core.store);
}

static void
setup(void)
{
	struct chat_info info;

	tempdir_make();
	options = (struct store_options)STORE_OPTIONS_DEFAULT;
	core_start();
	open_store();
	ck_assert_int_eq(chats_create(core.chats, "Alice", "bob", 0, &info), Q_OK);
	chat_id = info.id;
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	join(&bob, "bob");
}

static void
teardown(void)
{
	leave(&bob);
	close_store();
	core_stop();
	wall_ms = 0;
	disk_fails = false;
	tempdir_remove();
}

static enum qerr
say(const char *text)
{
	struct shared_post p = {.text = span_str(text)};

	return shared_post(core.shared, chat, "Alice", NULL, &p, 1);
}

struct page {
	size_t n, stop_after;
	struct shared_message m[8]; /* texts are not kept */
	char text[8][32];
};

static bool
turn(void *arg, const struct shared_message *m)
{
	struct page *p = arg;

	ck_assert_uint_lt(p->n, 8);
	p->m[p->n] = *m;
	snprintf(p->text[p->n], sizeof(p->text[0]), "%.*s", (int)m->text.len,
		 (const char *)m->text.p);
	return ++p->n != p->stop_after;
}

static struct page
read_page(uint64_t after, size_t max, size_t stop_after)
{
	struct page p = {.stop_after = stop_after};

	ck_assert_int_eq(shared_read(chat, after, max, turn, &p), Q_OK);
	return p;
}

/* ---- the ordinary day ---- */

START_TEST(the_chat_and_its_members)
{
	struct shared_chat *same, *none = NULL;

	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &same), Q_OK);
	ck_assert_ptr_eq(same, chat);
	ck_assert_ptr_eq(shared_chat_ref(same), chat);
	shared_chat_unref(same);
	shared_chat_unref(same);
	shared_chat_unref(NULL);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id + 1, &none), Q_MISSING);
	ck_assert_ptr_null(none);
	ck_assert_uint_eq(shared_chat_info(chat)->id, chat_id);
	ck_assert(shared_chat_member(chat, "alice"));
	ck_assert(shared_chat_member(chat, "BOB"));
	ck_assert(!shared_chat_member(chat, "carol"));
	ck_assert_str_eq(shared_chat_partner(chat, "ALICE"), "bob");
	ck_assert_str_eq(shared_chat_partner(chat, "bob"), "Alice");
}
END_TEST

START_TEST(both_members_hear_it_and_the_sender_knows_itself)
{
	struct shared_post p[3] = {{.text = span_str("one\ntwo\r\t\\")},
				   {.text = span_str(""), .media_id = 12},
				   {.text = span_str("look here"), .media_id = 77}};
	struct listener here, there, carol;

	join(&here, "Alice");
	join(&there, "Alice");
	join(&carol, "carol");
	ck_assert_int_eq(shared_post(core.shared, chat, "Alice", here.session, p, 0),
			 Q_OK);
	ck_assert_int_eq(shared_post(core.shared, chat, "Alice", here.session, p, 3),
			 Q_OK);
	ck_assert_uint_eq(p[0].id, 1);
	ck_assert_uint_eq(p[2].id, 3);
	ck_assert_int_gt(p[0].time_ms, T0);
	ck_assert_uint_eq(here.events + carol.events + carol.own, 0);
	ck_assert_uint_eq(here.own, 1);
	ck_assert_uint_eq(there.own + bob.own, 0);
	ck_assert_uint_eq(there.events, 1); /* the batch is one event */
	ck_assert_uint_eq(there.messages, 3);
	ck_assert_uint_eq(bob.messages, 3);
	ck_assert_uint_eq(bob.last_id, 3);
	ck_assert_int_eq(bob.last_ms, p[2].time_ms);
	ck_assert_uint_eq(bob.media_id, 77);
	ck_assert_str_eq(bob.from, "Alice");
	ck_assert_str_eq(bob.text, "look here");
	session_end(there.session, GOODBYE_SELF, NULL);
	ck_assert_int_eq(say("four"), Q_OK);
	ck_assert_uint_eq(there.messages, 3); /* it has ended */
	ck_assert_uint_eq(here.messages, 1);
	leave(&here);
	leave(&there);
	leave(&carol);
}
END_TEST

START_TEST(what_was_said_is_read_back)
{
	struct shared_post p[3] = {{.text = span_str("one\ntwo\r\t\\")},
				   {.text = span_str(""), .media_id = 12},
				   {.text = span_str("look here"), .media_id = 77}};
	uint64_t id;
	struct page page;

	ck_assert_int_eq(shared_last(chat, &id), Q_OK);
	ck_assert_uint_eq(id, 0);
	ck_assert_int_eq(shared_post(core.shared, chat, "bob", NULL, p, 3), Q_OK);
	page = read_page(0, 8, 0);
	ck_assert_uint_eq(page.n, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(page.m[i].id, p[i].id);
		ck_assert_int_eq(page.m[i].time_ms, p[i].time_ms);
		ck_assert_uint_eq(page.m[i].media_id, p[i].media_id);
		ck_assert_str_eq(page.m[i].from, "bob");
		ck_assert_uint_eq(page.m[i].text.len, p[i].text.len);
	}
	ck_assert_str_eq(page.text[0], "one\ntwo\r\t\\");
	ck_assert_str_eq(page.text[2], "look here");
	ck_assert_uint_eq(read_page(0, 0, 0).n, 0);
	ck_assert_uint_eq(read_page(0, 2, 0).n, 2);
	ck_assert_uint_eq(read_page(0, 8, 1).n, 1);
	ck_assert_uint_eq(read_page(2, 8, 0).m[0].id, 3);
	ck_assert_int_eq(shared_last(chat, &id), Q_OK);
	ck_assert_uint_eq(id, 3);
	ck_assert_int_eq(shared_id_at(chat, p[1].time_ms, &id), Q_OK);
	ck_assert_uint_eq(id, 2);
	ck_assert_int_eq(shared_id_at(chat, p[0].time_ms - 1, &id), Q_OK);
	ck_assert_uint_eq(id, 0);
}
END_TEST

/* What somebody else put into the file is no message, and holds up nobody. */
START_TEST(foreign_records)
{
	struct record r[] = {
	    {.kind = "msg", .from = "bob", .text = false, .data = span_str("x")},
	    {.kind = "msg", .text = true, .data = span_str("from nobody")},
	    {.kind = "media", .from = "bob", .text = true, .data = span_str("12")},
	    {.kind = "media", .from = "bob", .text = true, .data = span_str("0 x")},
	    {.kind = "media", .from = "bob", .text = true, .data = span_str("x y")},
	    {.kind = "media", .from = "bob", .text = true, .data = span_str("")},
	    {.kind = "relay", .from = "bob", .text = true, .data = span_str("x")}};
	const size_t n = sizeof(r) / sizeof(r[0]);
	struct shared_message m;
	struct msglog *log;
	struct page page;

	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(shared_message_parse(&r[i], &m), Q_FORMAT);
	ck_assert_int_eq(say("first"), Q_OK);
	ck_assert_int_eq(chats_open_log(core.chats, chat_id, &log), Q_OK);
	ck_assert_int_eq(msglog_append(log, r, n), Q_OK);
	msglog_close(log);
	bob.last_id = 0; /* ids jump, behind the queue's back */
	ck_assert_int_eq(say("second"), Q_OK);
	ck_assert_str_eq(bob.text, "second");
	page = read_page(0, 2, 0);
	ck_assert_uint_eq(page.n, 2);
	ck_assert_uint_eq(page.m[1].id, 1 + n + 1);
}
END_TEST

START_TEST(a_bad_text_spoils_its_batch_only)
{
	struct shared_post p[2] = {{.text = span_str("good")},
				   {.text = span_str("bad\xff")}};

	ck_assert_int_eq(shared_post(core.shared, chat, "Alice", NULL, p, 2), Q_FORMAT);
	ck_assert_uint_eq(p[0].id, 0);
	ck_assert_uint_eq(bob.events, 0);
	p[1].text = span_of("", (size_t)RECORD_LINE_MAX + 1);
	p[1].media_id = 1;
	ck_assert_int_eq(shared_post(core.shared, chat, "Alice", NULL, p, 2), Q_LIMIT);
	ck_assert_int_eq(say("next"), Q_OK);
	ck_assert_uint_eq(bob.last_id, 1);
}
END_TEST

/* ---- time ---- */

START_TEST(times_rise_whatever_the_clock_does)
{
	uint64_t id;

	wall_ms = T0;
	ck_assert_int_eq(say("one"), Q_OK);
	ck_assert_int_eq(bob.last_ms, T0);
	ck_assert_int_eq(say("it stands"), Q_OK);
	ck_assert_int_eq(bob.last_ms, T0 + 1);
	close_store();
	wall_ms = T0 - 3600000;
	open_store();
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	ck_assert_int_eq(say("an hour back, after a restart"), Q_OK);
	ck_assert_int_eq(bob.last_ms, T0 + 2);
	ck_assert_int_eq(shared_id_at(chat, T0 + 1, &id), Q_OK);
	ck_assert_uint_eq(id, 2);
	ck_assert(!bob.disorder);
}
END_TEST

/* ---- many at once ---- */

struct poster {
	pthread_t thread;
	const char *user;
	unsigned rounds;
	struct shared_chat *chat;
	size_t said; /* messages stored */
	enum qerr last;
};

static void *
post_rounds(void *arg)
{
	struct poster *who = arg;
	struct shared_chat *c = NULL;

	for (unsigned i = 0; i < who->rounds; i++) {
		struct shared_post p[5];
		size_t n = 1 + i % 5;

		for (size_t k = 0; k < n; k++)
			p[k] = (struct shared_post){.text = span_str("hello")};
		/* The chat comes and goes, as with sessions that do. */
		if (shared_chat_get(core.shared, chat_id, &c) != Q_OK)
			break;
		who->last = shared_post(core.shared, c, who->user, NULL, p, n);
		shared_chat_unref(c);
		if (who->last != Q_OK)
			break;
		who->said += n;
	}
	return NULL;
}

#define POSTERS 4

static size_t
post_at_once(unsigned rounds)
{
	struct poster who[POSTERS];
	size_t said = 0;

	shared_chat_unref(chat);
	chat = NULL;
	for (int i = 0; i < POSTERS; i++) {
		who[i] =
		    (struct poster){.user = i % 2 ? "bob" : "Alice", .rounds = rounds};
		ck_assert_int_eq(
		    pthread_create(&who[i].thread, NULL, post_rounds, &who[i]), 0);
	}
	for (int i = 0; i < POSTERS; i++) {
		pthread_join(who[i].thread, NULL);
		ck_assert_int_eq(who[i].last, Q_OK);
		said += who[i].said;
	}
	return said;
}

START_TEST(everybody_is_told_in_the_order_of_the_file)
{
	struct listener alice;
	size_t said;

	options.durability = _i == 0 ? STORE_INTERVAL : STORE_ALWAYS;
	store_set_durability(core.store, options.durability, 1000);
	join(&alice, "Alice");
	said = post_at_once(_i == 0 ? 400 : 40);
	ck_assert(!bob.disorder && !alice.disorder);
	ck_assert_uint_eq(bob.messages, said);
	ck_assert_uint_eq(alice.messages, said);
	ck_assert_uint_eq(bob.last_id, said);
	leave(&alice);
}
END_TEST

/* ---- users that are removed ---- */

START_TEST(a_new_user_of_an_old_name)
{
	struct shared_post p = {.text = span_str("hello")};
	struct shared_chat *old;
	struct listener alice;
	struct chat_info info;

	join(&alice, "Alice");
	ck_assert_int_eq(say("one"), Q_OK);
	ck_assert_int_eq(shared_forget(core.shared, "BOB"), Q_OK);
	ck_assert(shared_chat_member(chat, "alice"));
	ck_assert(!shared_chat_member(chat, "bob"));
	ck_assert_str_eq(shared_chat_partner(chat, "alice"), "bob");
	/* The session of that name hears nothing of it any more, and Alice does. */
	ck_assert_int_eq(say("two"), Q_OK);
	ck_assert_uint_eq(bob.messages, 1);
	ck_assert_uint_eq(alice.messages, 2);
	/* Nor when nobody had the chat open meanwhile. */
	shared_chat_unref(chat);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
	ck_assert(!shared_chat_member(chat, "bob"));
	ck_assert_int_eq(say("three"), Q_OK);
	ck_assert_uint_eq(bob.messages, 1);
	/* It hears what is said in its own chat. */
	old = chat;
	ck_assert_int_eq(chats_create(core.chats, "bob", "alice", 0, &info), Q_OK);
	ck_assert_uint_ne(info.id, chat_id);
	ck_assert_int_eq(shared_chat_get(core.shared, info.id, &chat), Q_OK);
	ck_assert(shared_chat_member(chat, "bob"));
	bob.last_id = 0;
	ck_assert_int_eq(shared_post(core.shared, chat, "Alice", NULL, &p, 1), Q_OK);
	ck_assert_str_eq(bob.text, "hello");
	shared_chat_unref(chat);
	chat = old;
	ck_assert_int_eq(shared_delete(core.shared, chat, NULL), Q_OK);
	ck_assert(alice.deleted && !bob.deleted);
	leave(&alice);
}
END_TEST

static void *
open_and_close(void *arg)
{
	const atomic_bool *stop = arg;
	struct shared_chat *c;

	while (!*stop) {
		ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &c), Q_OK);
		shared_chat_unref(c);
	}
	return NULL;
}

START_TEST(forgotten_while_it_is_opened)
{
	pthread_t thread[2];
	atomic_bool stop = false;
	struct chat_info info;

	shared_chat_unref(chat);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, open_and_close, &stop),
				 0);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(shared_forget(core.shared, "bob"), Q_OK);
		ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
		ck_assert(!shared_chat_member(chat, "bob"));
		shared_chat_unref(chat);
		ck_assert_int_eq(chats_create(core.chats, "bob", "alice", 0, &info),
				 Q_OK);
		chat_id = info.id;
	}
	stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
}
END_TEST

/* ---- deleting ---- */

START_TEST(deleted_for_both)
{
	struct shared_post p = {.text = span_str("late")};
	struct shared_chat *gone = NULL;
	struct listener alice;
	struct page page;
	uint64_t id;

	join(&alice, "Alice");
	ck_assert_int_eq(say("one"), Q_OK);
	ck_assert(exists("d/messages/chat-1.log"));
	ck_assert_int_eq(shared_delete(core.shared, chat, alice.session), Q_OK);
	ck_assert(!exists("d/messages/chat-1.log"));
	ck_assert(bob.deleted && !alice.deleted);
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &gone), Q_MISSING);
	/* What is still held is of no use any more. */
	ck_assert_int_eq(shared_post(core.shared, chat, "bob", NULL, &p, 1), Q_CLOSED);
	ck_assert_int_eq(shared_read(chat, 0, 1, turn, &page), Q_CLOSED);
	ck_assert_int_eq(shared_last(chat, &id), Q_CLOSED);
	ck_assert_int_eq(shared_id_at(chat, INT64_MAX, &id), Q_CLOSED);
	ck_assert_int_eq(shared_delete(core.shared, chat, NULL), Q_MISSING);
	ck_assert_uint_eq(bob.events, 2);
	leave(&alice);
}
END_TEST

static void *
post_until_closed(void *arg)
{
	struct poster *who = arg;

	for (;;) {
		struct shared_post p = {.text = span_str("hello")};

		who->last = shared_post(core.shared, who->chat, who->user, NULL, &p, 1);
		if (who->last != Q_OK)
			break;
		who->said++;
	}
	shared_chat_unref(who->chat);
	return NULL;
}

START_TEST(deleted_while_all_talk)
{
	struct poster who[POSTERS];
	size_t said = 0;

	for (int i = 0; i < POSTERS; i++) {
		who[i] = (struct poster){.user = i % 2 ? "bob" : "Alice",
					 .chat = shared_chat_ref(chat)};
		ck_assert_int_eq(
		    pthread_create(&who[i].thread, NULL, post_until_closed, &who[i]), 0);
	}
	usleep(1000 * (useconds_t)(1 + _i));
	ck_assert_int_eq(shared_delete(core.shared, chat, NULL), Q_OK);
	ck_assert(bob.deleted);
	for (int i = 0; i < POSTERS; i++) {
		pthread_join(who[i].thread, NULL);
		ck_assert_int_eq(who[i].last, Q_CLOSED);
		said += who[i].said;
	}
	/* All of what was said, and then the end. */
	ck_assert(!bob.disorder);
	ck_assert_uint_eq(bob.messages, said);
	ck_assert(!exists("d/messages/chat-1.log"));
}
END_TEST

static void *
delete_it(void *arg)
{
	struct poster *who = arg;

	who->last = shared_delete(core.shared, chat, NULL);
	return NULL;
}

START_TEST(deleted_by_both_at_once)
{
	struct poster who[2];

	ck_assert_int_eq(say("one"), Q_OK);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&who[i].thread, NULL, delete_it, &who[i]),
				 0);
	for (int i = 0; i < 2; i++)
		pthread_join(who[i].thread, NULL);
	ck_assert(who[0].last != who[1].last);
	ck_assert(who[0].last == Q_OK || who[1].last == Q_OK);
	ck_assert(who[0].last == Q_MISSING || who[1].last == Q_MISSING);
	ck_assert_uint_eq(bob.events, 2);
}
END_TEST

/* ---- the disk ---- */

static void
limit_files(rlim_t size)
{
	struct rlimit lim;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &lim), 0);
	lim.rlim_cur = size;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
}

START_TEST(full_disk)
{
	struct rlimit before;
	uint64_t id;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(say("one"), Q_OK);
	limit_files(100); /* half of a second one would fit */
	ck_assert_int_ne(say("two"), Q_OK);
	ck_assert_int_ne(shared_delete(core.shared, chat, NULL), Q_OK);
	ck_assert_uint_eq(bob.messages, 1);
	ck_assert(!bob.deleted);
	limit_files(before.rlim_cur);
	ck_assert_int_eq(shared_last(chat, &id), Q_OK);
	ck_assert_uint_eq(id, 1);
	ck_assert_int_eq(say("three"), Q_OK);
	ck_assert_uint_eq(bob.last_id, 2);
	ck_assert(!bob.disorder);
}
END_TEST

/* In the file, and nobody knows for how long: told, and the sender warned. */
START_TEST(a_sync_that_fails)
{
	struct shared_post p = {.text = span_str("in doubt")};

	store_set_durability(core.store, STORE_ALWAYS, 1000);
	ck_assert_int_eq(say("one"), Q_OK);
	disk_fails = true;
	ck_assert_int_eq(shared_post(core.shared, chat, "Alice", NULL, &p, 1), Q_SYS);
	ck_assert_uint_eq(p.id, 2);
	ck_assert_str_eq(bob.text, "in doubt");
	disk_fails = false;
	ck_assert_int_eq(say("three"), Q_OK);
	ck_assert_uint_eq(bob.messages, 3);
	ck_assert(!bob.disorder);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("shared");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, the_chat_and_its_members);
	tcase_add_test(t, both_members_hear_it_and_the_sender_knows_itself);
	tcase_add_test(t, what_was_said_is_read_back);
	tcase_add_test(t, foreign_records);
	tcase_add_test(t, a_bad_text_spoils_its_batch_only);
	tcase_add_test(t, times_rise_whatever_the_clock_does);
	tcase_add_loop_test(t, everybody_is_told_in_the_order_of_the_file, 0, 2);
	tcase_add_test(t, a_new_user_of_an_old_name);
	tcase_add_test(t, forgotten_while_it_is_opened);
	tcase_add_test(t, deleted_for_both);
	tcase_add_loop_test(t, deleted_while_all_talk, 0, 10);
	tcase_add_test(t, deleted_by_both_at_once);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, a_sync_that_fails);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
