/* SPDX-License-Identifier: MIT */
#include "tests/unit/core.h"

#include "server/hub.h"

static const struct protocol other_protocol = {
    .name = "other",
    .deliver = core_deliver,
    .goodbye = core_goodbye,
    .release = core_release,
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const struct sessions_limits unlimited;

/* A session from the address 192.0.2.LAST; its peer's end is closed at once. */
static struct session *
make(uint8_t last)
{
	struct sockaddr_storage ss = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;
	struct session *s;
	int peer;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(0xc0000200u | last);
	s = core_session(&peer);
	close(peer);
	address_from(&ss, &s->peer);
	return s;
}

static struct session *
enter(uint8_t last)
{
	struct session *s = make(last);

	ck_assert_int_eq(sessions_add(core.sessions, s, &unlimited), Q_OK);
	return s;
}

static void
leave(struct session *s)
{
	sessions_remove(core.sessions, s);
	session_unref(s);
}

START_TEST(numbers_rise_and_are_found)
{
	struct session *a = enter(1), *b = enter(1), *found;

	ck_assert_uint_eq(a->id, 1);
	ck_assert_uint_eq(b->id, 2);
	ck_assert_uint_eq(sessions_count(core.sessions), 2);
	found = sessions_find(core.sessions, 2);
	ck_assert_ptr_eq(found, b);
	session_unref(found);
	ck_assert_ptr_null(sessions_find(core.sessions, 3));
	leave(b);
	ck_assert_ptr_null(sessions_find(core.sessions, 2));
	b = enter(1);
	ck_assert_uint_eq(b->id, 3); /* never used again */
	sessions_remove(core.sessions, b);
	sessions_remove(core.sessions, b); /* again: nothing */
	session_unref(b);
	leave(a);
	ck_assert_uint_eq(sessions_count(core.sessions), 0);
	ck_assert_int_eq(atomic_load(&core_released), 3);
}
END_TEST

START_TEST(limits)
{
	const char *which = "";
	const struct sessions_limits l = {.total = 5,
					  .per_address = 3,
					  .per_address_before_login = 2,
					  .reached = &which};
	struct session *in[5], *s, *older;

	in[0] = make(1);
	in[1] = make(1);
	ck_assert_int_eq(sessions_add(core.sessions, in[0], &l), Q_OK);
	ck_assert_int_eq(sessions_add(core.sessions, in[1], &l), Q_OK);
	s = make(1);
	ck_assert_int_eq(sessions_add(core.sessions, s, &l), Q_LIMIT);
	ck_assert_str_eq(which, "limits.per_address_before_login");
	ck_assert_int_eq(sessions_login(core.sessions, in[0], "a", LOGIN_ADD, &older),
			 Q_OK);
	ck_assert_int_eq(sessions_add(core.sessions, s, &l), Q_OK);
	in[2] = s;
	ck_assert_int_eq(sessions_login(core.sessions, in[1], "b", LOGIN_ADD, &older),
			 Q_OK);
	s = make(1);
	ck_assert_int_eq(sessions_add(core.sessions, s, &l), Q_LIMIT);
	ck_assert_str_eq(which, "limits.per_address");
	session_unref(s);
	in[3] = make(2);
	in[4] = make(3);
	ck_assert_int_eq(sessions_add(core.sessions, in[3], &l), Q_OK);
	ck_assert_int_eq(sessions_add(core.sessions, in[4], &l), Q_OK);
	s = make(4);
	ck_assert_int_eq(sessions_add(core.sessions, s, &l), Q_LIMIT);
	ck_assert_str_eq(which, "limits.max_connections");
	ck_assert_int_eq(sessions_add(core.sessions, s, &unlimited), Q_OK);
	leave(s);
	/* A logout makes a session anonymous again. */
	leave(in[4]);
	sessions_logout(core.sessions, in[0]);
	leave(in[1]);
	s = make(1);
	ck_assert_int_eq(sessions_add(core.sessions, s, &l), Q_LIMIT);
	leave(in[2]);
	ck_assert_int_eq(sessions_add(core.sessions, s, &l), Q_OK);
	leave(s);
	leave(in[0]);
	leave(in[3]);
}
END_TEST

/* Those that have no login, and those that are part of others, leave room for others. */
START_TEST(how_they_are_counted)
{
	const char *which = "";
	const struct sessions_limits l = {
	    .per_address = 3, .per_address_before_login = 2, .reached = &which};
	struct session *a = enter(1), *b = enter(1), *c = make(1), *d = make(1);

	ck_assert_int_eq(sessions_add(core.sessions, c, &l), Q_LIMIT);
	ck_assert_str_eq(which, "limits.per_address_before_login");
	sessions_count_as(core.sessions, c, COUNT_PART); /* not in: nothing */
	sessions_count_as(core.sessions, a, COUNT_VISITOR);
	sessions_count_as(core.sessions, a, COUNT_VISITOR);
	ck_assert_int_eq(sessions_add(core.sessions, c, &l), Q_OK);
	ck_assert_int_eq(sessions_add(core.sessions, d, &l), Q_LIMIT);
	ck_assert_str_eq(which, "limits.per_address");
	ck_assert_uint_eq(sessions_of_address(core.sessions, a), 3);
	sessions_count_as(core.sessions, b, COUNT_PART);
	ck_assert_uint_eq(sessions_of_address(core.sessions, a), 2);
	ck_assert_int_eq(sessions_add(core.sessions, d, &l), Q_OK);
	leave(d);
	/* A stranger again, and with a login, which is counted either way. */
	sessions_count_as(core.sessions, a, COUNT_STRANGER);
	ck_assert_int_eq(sessions_login(core.sessions, c, "alice", LOGIN_ADD, NULL),
			 Q_OK);
	sessions_count_as(core.sessions, c, COUNT_VISITOR);
	sessions_logout(core.sessions, c);
	d = make(1);
	ck_assert_int_eq(sessions_add(core.sessions, d, &l), Q_OK);
	sessions_count_as(core.sessions, c, COUNT_STRANGER);
	leave(b);
	leave(a);
	leave(c);
	leave(d);
	/* All is as it was. */
	a = enter(1);
	b = enter(1);
	c = make(1);
	ck_assert_int_eq(sessions_add(core.sessions, c, &l), Q_LIMIT);
	ck_assert_uint_eq(sessions_of_address(core.sessions, c), 0);
	session_unref(c);
	leave(a);
	leave(b);
}
END_TEST

START_TEST(login_add_and_logout)
{
	struct session *a = enter(1), *b = enter(2), *older = NULL;
	char user[NAME_SIZE];

	ck_assert(!sessions_online(core.sessions, "alice"));
	ck_assert_int_eq(sessions_login(core.sessions, a, "Alice", LOGIN_ADD, &older),
			 Q_OK);
	ck_assert_int_eq(sessions_login(core.sessions, b, "alice", LOGIN_ADD, &older),
			 Q_OK);
	ck_assert_ptr_null(older);
	ck_assert(hub_online(&core, "ALICE"));
	ck_assert(!sessions_online(core.sessions, "alic"));
	ck_assert(!sessions_online(core.sessions,
				   "a-name-that-is-longer-than-any-user-can-have"));
	sessions_user(core.sessions, a, user);
	ck_assert_str_eq(user, "Alice");
	sessions_logout(core.sessions, a);
	sessions_logout(core.sessions, a); /* again: nothing */
	sessions_user(core.sessions, a, user);
	ck_assert_str_eq(user, "");
	ck_assert(sessions_online(core.sessions, "alice"));
	ck_assert_int_eq(sessions_login(core.sessions, a, "bob", LOGIN_ADD, NULL), Q_OK);
	leave(b);
	ck_assert(!sessions_online(core.sessions, "alice"));
	ck_assert(sessions_online(core.sessions, "bob"));
	leave(a);
	ck_assert(!sessions_online(core.sessions, "bob"));
}
END_TEST

/* What the watcher was told, one word after the other. */
static char watched[256];

static void
watch(void *arg, const char *user, bool online)
{
	size_t n = strlen(watched);

	ck_assert_ptr_eq(arg, &watched);
	snprintf(watched + n, sizeof(watched) - n, "%s%s ", online ? "+" : "-", user);
}

START_TEST(first_and_last_are_watched)
{
	struct session *a = enter(1), *b = enter(2), *c = enter(3), *older = NULL;

	watched[0] = '\0';
	sessions_watch(core.sessions, watch, &watched);
	(void)sessions_login(core.sessions, a, "Alice", LOGIN_ADD, NULL);
	(void)sessions_login(core.sessions, b, "alice", LOGIN_ADD, NULL);
	ck_assert_int_eq(sessions_login(core.sessions, c, "alice", LOGIN_REFUSE, NULL),
			 Q_EXISTS);
	sessions_logout(core.sessions, a);
	sessions_logout(core.sessions, a);
	ck_assert_str_eq(watched, "+Alice ");
	sessions_remove(core.sessions, b);
	ck_assert_str_eq(watched, "+Alice -alice ");
	/* One that takes another's place is neither the first nor the last. */
	(void)sessions_login(core.sessions, a, "Alice", LOGIN_ADD, NULL);
	(void)sessions_login(core.sessions, c, "Alice", LOGIN_REPLACE, &older);
	ck_assert_ptr_eq(older, a);
	session_unref(older);
	sessions_logout(core.sessions, a);
	ck_assert_str_eq(watched, "+Alice -alice +Alice ");
	sessions_watch(core.sessions, NULL, NULL);
	leave(c);
	ck_assert_str_eq(watched, "+Alice -alice +Alice ");
	leave(a);
	session_unref(b);
}
END_TEST

START_TEST(login_refuse)
{
	struct session *a = enter(1), *b = enter(2), *o = enter(3);

	ck_assert_int_eq(sessions_login(core.sessions, a, "alice", LOGIN_REFUSE, NULL),
			 Q_OK);
	ck_assert_int_eq(sessions_login(core.sessions, b, "ALICE", LOGIN_REFUSE, NULL),
			 Q_EXISTS);
	ck_assert_str_eq(b->user, "");
	/* Another protocol is another matter. */
	atomic_store(&o->protocol, &other_protocol);
	ck_assert_int_eq(sessions_login(core.sessions, o, "alice", LOGIN_REFUSE, NULL),
			 Q_OK);
	/* One that has ended and is only not yet gone does not count. */
	session_end(a, GOODBYE_SELF, NULL);
	ck_assert_int_eq(sessions_login(core.sessions, b, "alice", LOGIN_REFUSE, NULL),
			 Q_OK);
	leave(a);
	leave(b);
	leave(o);
}
END_TEST

START_TEST(login_replace)
{
	struct session *a = enter(1), *b = enter(2), *o = enter(3), *older;

	atomic_store(&o->protocol, &other_protocol);
	ck_assert_int_eq(sessions_login(core.sessions, a, "alice", LOGIN_REPLACE, &older),
			 Q_OK);
	ck_assert_ptr_null(older);
	ck_assert_int_eq(sessions_login(core.sessions, o, "alice", LOGIN_REPLACE, &older),
			 Q_OK);
	ck_assert_ptr_null(older);
	ck_assert_int_eq(sessions_login(core.sessions, b, "Alice", LOGIN_REPLACE, &older),
			 Q_OK);
	ck_assert_ptr_eq(older, a);
	ck_assert(!a->logged_in);
	ck_assert_str_eq(a->user, "alice"); /* its own worker may still want it */
	session_unref(older);
	leave(a);
	leave(b);
	leave(o);
}
END_TEST

#define RACERS 8

static atomic_int winners, losers;

static void *
racer(void *arg)
{
	struct session *s = arg, *older = NULL;

	if (sessions_login(core.sessions, s, "alice", LOGIN_REPLACE, &older) == Q_OK)
		atomic_fetch_add(&winners, 1);
	if (older != NULL) {
		session_end(older, GOODBYE_REPLACED, NULL);
		session_unref(older);
		atomic_fetch_add(&losers, 1);
	}
	return NULL;
}

START_TEST(replace_race_leaves_one)
{
	struct session *s[RACERS], **list;
	pthread_t t[RACERS];
	size_t n;

	for (int i = 0; i < RACERS; i++)
		s[i] = enter(1);
	for (int i = 0; i < RACERS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, racer, s[i]), 0);
	for (int i = 0; i < RACERS; i++)
		pthread_join(t[i], NULL);
	ck_assert_int_eq(atomic_load(&winners), RACERS);
	ck_assert_int_eq(atomic_load(&losers), RACERS - 1);
	list = sessions_list(core.sessions, "alice", &core_protocol, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert(!session_ended(list[0]));
	sessions_list_free(list);
	for (int i = 0; i < RACERS; i++)
		leave(s[i]);
}
END_TEST

START_TEST(lists)
{
	struct session *a = enter(1), *b = enter(2), *c = enter(3), **list, *s;
	size_t n;

	atomic_store(&b->protocol, &other_protocol);
	ck_assert_int_eq(sessions_login(core.sessions, b, "bob", LOGIN_ADD, NULL), Q_OK);
	ck_assert_int_eq(sessions_login(core.sessions, c, "Bob", LOGIN_ADD, NULL), Q_OK);
	list = sessions_list(core.sessions, NULL, NULL, &n);
	ck_assert_uint_eq(n, 3);
	ck_assert(list[0] == a && list[1] == b && list[2] == c && list[3] == NULL);
	sessions_list_free(list);
	list = sessions_list(core.sessions, "bob", NULL, &n);
	ck_assert_uint_eq(n, 2);
	sessions_list_free(list);
	list = sessions_list(core.sessions, "bob", &other_protocol, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_ptr_eq(list[0], b);
	sessions_list_free(list);
	list = sessions_list(core.sessions, "nobody", NULL, &n);
	ck_assert_uint_eq(n, 0);
	ck_assert_ptr_null(list[0]);
	sessions_list_free(list);
	sessions_list_free(NULL);
	s = sessions_next(core.sessions, "BOB", session_ref(b));
	ck_assert_ptr_eq(s, c);
	ck_assert_ptr_null(sessions_next(core.sessions, "bob", s));
	ck_assert_ptr_null(sessions_next(core.sessions, NULL, session_ref(c)));
	leave(a);
	leave(b);
	leave(c);
}
END_TEST

/* All sessions of all users, each once, in whatever portions. */
START_TEST(sessions_of_many)
{
	static const char users[][NAME_SIZE] = {"Ann", "nobody", "bob", "carl"};
	static const char *const logins[] = {"ann", "ANN", "aNN", "Bob", "dora"};
	const size_t expected[] = {0, 0, 0, 2};
	struct session *s[N(logins)], *o = enter(9);
	struct sessions_found found[8];

	for (size_t i = 0; i < N(logins); i++) {
		s[i] = enter(1);
		ck_assert_int_eq(
		    sessions_login(core.sessions, s[i], logins[i], LOGIN_ADD, NULL),
		    Q_OK);
	}
	atomic_store(&o->protocol, &other_protocol);
	ck_assert_int_eq(sessions_login(core.sessions, o, "ann", LOGIN_ADD, NULL), Q_OK);
	for (size_t max = 1; max <= N(found); max++) {
		struct sessions_walk walk = {0, 0};
		size_t total = 0, n;

		while ((n = sessions_of(core.sessions, users, N(users),
					atomic_load(&s[0]->protocol), &walk, found,
					max)) > 0) {
			ck_assert_uint_le(n, max);
			for (size_t i = 0; i < n; i++, total++) {
				ck_assert_uint_lt(total, N(expected));
				ck_assert_ptr_eq(found[i].session, s[total]);
				ck_assert_uint_eq(found[i].user, expected[total]);
				session_unref(found[i].session);
			}
		}
		ck_assert_uint_eq(total, N(expected));
	}
	for (size_t i = 0; i < N(logins); i++)
		leave(s[i]);
	leave(o);
}
END_TEST

START_TEST(hub_says_and_kicks)
{
	struct session *s[3], *older;
	int peer[3];

	for (int i = 0; i < 3; i++) {
		s[i] = core_session(&peer[i]);
		ck_assert_int_eq(sessions_add(core.sessions, s[i], &unlimited), Q_OK);
	}
	ck_assert_int_eq(sessions_login(core.sessions, s[0], "ann", LOGIN_ADD, &older),
			 Q_OK);
	ck_assert_int_eq(sessions_login(core.sessions, s[1], "ann", LOGIN_ADD, &older),
			 Q_OK);
	ck_assert_uint_eq(hub_say(&core, "tea\n"), 2); /* s[2] is not logged in */
	core_expect(peer[0], "tea\n");
	core_expect(peer[1], "tea\n");
	ck_assert(core_silent(peer[2]));
	ck_assert_uint_eq(hub_kick(&core, "bob", GOODBYE_KICKED, "x"), 0);
	ck_assert_uint_eq(hub_kick(&core, "Ann", GOODBYE_KICKED, "noise"), 2);
	core_expect(peer[0], "bye 3 noise\n");
	core_expect(peer[1], "bye 3 noise\n");
	ck_assert_uint_eq(hub_say(&core, "more\n"), 0); /* they have ended */
	hub_goodbye_all(&core);
	core_expect(peer[2], "bye 4 -\n");
	for (int i = 0; i < 3; i++) {
		ck_assert(core_silent(peer[i]));
		leave(s[i]);
		close(peer[i]);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sessions");
	TCase *c = tcase_create("table");

	tcase_add_checked_fixture(c, core_start, core_stop);
	tcase_add_test(c, numbers_rise_and_are_found);
	tcase_add_test(c, limits);
	tcase_add_test(c, how_they_are_counted);
	tcase_add_test(c, login_add_and_logout);
	tcase_add_test(c, first_and_last_are_watched);
	tcase_add_test(c, login_refuse);
	tcase_add_test(c, login_replace);
	tcase_add_test(c, replace_race_leaves_one);
	tcase_add_test(c, lists);
	tcase_add_test(c, sessions_of_many);
	tcase_add_test(c, hub_says_and_kicks);
	suite_add_tcase(s, c);
	return unit_main(s);
}
