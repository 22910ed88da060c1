/* SPDX-License-Identifier: MIT
 *
 * Who is banned or muted, as the server knows it: kept in memory, asked at each login and
 * message, over by itself.
 */
#include "tests/unit/core.h"

#include "server/limits.h"
#include "server/log.h"
#include "server/moderation.h"
#include "tests/unit/tempdir.h"

static void
setup(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	static const char *const set[] = {"limits.trust=127.0.0.1"};

	tempdir_make();
	log_open("", LOG_ERROR, 0, NULL);
	core_start_with(set, 1);
	ck_assert_ptr_nonnull(core.limits = limits_new());
	ck_assert_int_eq(store_open(at("d"), &opt, &core.store, NULL), Q_OK);
	ck_assert_int_eq(moderation_open(core.store, &core.moderation), Q_OK);
	sessions_guard(core.sessions, moderation_admits, core.moderation);
}

static void
teardown(void)
{
	moderation_close(core.moderation);
	core.moderation = NULL;
	store_close(core.store);
	limits_free(core.limits);
	core.limits = NULL;
	core_stop();
	log_close();
	tempdir_remove();
}

static void
put(const char *user, enum restriction_kind kind, int64_t for_ms, const char *reason)
{
	struct restriction r = {.set = true, .since_ms = clock_wall_ms()};

	r.until_ms = for_ms == 0 ? 0 : r.since_ms + for_ms;
	strcpy(r.reason, reason);
	ck_assert_int_eq(restrictions_change(core.store, user, kind, &r), Q_OK);
}

static void
lift(const char *user, enum restriction_kind kind)
{
	ck_assert_int_eq(restrictions_change(core.store, user, kind, NULL), Q_OK);
}

static struct session *
newcomer(void)
{
	struct session *s;
	int peer;

	s = core_session(&peer);
	close(peer);
	ck_assert_int_eq(
	    sessions_add(core.sessions, s, &(const struct sessions_limits){0}), Q_OK);
	return s;
}

static void
leave(struct session *s)
{
	sessions_remove(core.sessions, s);
	session_unref(s);
}

static bool
banned(const char *user)
{
	return moderation_holds(core.moderation, user, RESTRICTION_BAN);
}

START_TEST(files_and_memory)
{
	put("Bob", RESTRICTION_BAN, 0, "");
	ck_assert(!banned("bob"));
	ck_assert_int_eq(moderation_refresh(core.moderation, "BOB"), Q_OK);
	ck_assert(banned("bob") && banned("Bob") && !banned("bobby"));
	ck_assert(!moderation_holds(core.moderation, "bob", RESTRICTION_MUTE));
	lift("bob", RESTRICTION_BAN);
	put("carol", RESTRICTION_MUTE, 0, "");
	put("dave", RESTRICTION_BAN, 0, "");
	ck_assert(banned("bob"));
	ck_assert_int_eq(moderation_reload(core.moderation), Q_OK);
	ck_assert(!banned("bob") && !banned("carol") && banned("dave"));
	ck_assert(moderation_holds(core.moderation, "carol", RESTRICTION_MUTE));
	ck_assert(!moderation_holds(NULL, "carol", RESTRICTION_MUTE));
	/* As after a restart. */
	moderation_close(core.moderation);
	ck_assert_int_eq(moderation_open(core.store, &core.moderation), Q_OK);
	ck_assert(banned("dave") && !banned("bob"));
}
END_TEST

/* A file that nobody can read keeps its user out until a person decides. */
START_TEST(damage_fails_closed)
{
	char text[MODERATION_TEXT_SIZE];

	spill("d/restrictions/bob", span_str("quintet-restrictions: 1\nban"));
	ck_assert_int_eq(moderation_reload(core.moderation), Q_OK);
	ck_assert(banned("bob"));
	moderation_text(core.moderation, "bob", RESTRICTION_BAN, text);
	ck_assert_ptr_nonnull(strstr(text, "ask the administrator"));
	lift("bob", RESTRICTION_BAN);
	ck_assert_int_eq(moderation_refresh(core.moderation, "bob"), Q_OK);
	ck_assert(!banned("bob"));
}
END_TEST

START_TEST(words)
{
	char text[MODERATION_TEXT_SIZE], reason[RESTRICTION_REASON_MAX + 1];

	put("bob", RESTRICTION_BAN, 0, "pushed the plug");
	put("bob", RESTRICTION_MUTE, 60000, "");
	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	put("carol", RESTRICTION_MUTE, 60000, reason);
	ck_assert_int_eq(moderation_reload(core.moderation), Q_OK);
	moderation_text(core.moderation, "bob", RESTRICTION_BAN, text);
	ck_assert_str_eq(text, "You are banned: pushed the plug");
	moderation_text(core.moderation, "bob", RESTRICTION_MUTE, text);
	ck_assert_int_eq(strncmp(text, "You are muted until 20", 22), 0);
	moderation_text(core.moderation, "carol", RESTRICTION_MUTE, text);
	ck_assert_ptr_nonnull(strstr(text, reason));
	moderation_text(core.moderation, "dave", RESTRICTION_MUTE, text);
	ck_assert_str_eq(text, "You were muted until now, try again");
}
END_TEST

/* Whichever the protocol and its rule, who is banned gets no place in the table. */
START_TEST(ban_at_the_table)
{
	struct session *s = newcomer(), *older;

	put("bob", RESTRICTION_BAN, 0, "");
	ck_assert_int_eq(moderation_refresh(core.moderation, "bob"), Q_OK);
	for (int rule = LOGIN_REPLACE; rule <= LOGIN_ADD; rule++)
		ck_assert_int_eq(sessions_login(core.sessions, s, "Bob",
						(enum login_rule)rule, &older),
				 Q_DENIED);
	ck_assert(!sessions_online(core.sessions, "bob"));
	lift("bob", RESTRICTION_BAN);
	ck_assert_int_eq(moderation_refresh(core.moderation, "bob"), Q_OK);
	ck_assert_int_eq(sessions_login(core.sessions, s, "Bob", LOGIN_ADD, NULL), Q_OK);
	leave(s);
}
END_TEST

/* From a trusted address too; what only reads is granted. */
START_TEST(mute_at_the_limits)
{
	struct session *s = newcomer();
	int seconds = 7;

	ck_assert_int_eq(sessions_login(core.sessions, s, "Bob", LOGIN_ADD, NULL), Q_OK);
	ck_assert(limits_take(s, LIMIT_MESSAGE, 1, &seconds));
	put("bob", RESTRICTION_MUTE, 0, "");
	ck_assert_int_eq(moderation_refresh(core.moderation, "bob"), Q_OK);
	ck_assert(!limits_take(s, LIMIT_MESSAGE, 1, &seconds));
	ck_assert_int_eq(seconds, LIMITS_MUTED);
	ck_assert(!limits_take(s, LIMIT_JOIN, 3, NULL));
	ck_assert(limits_take(s, LIMIT_KEY, 1, &seconds));
	ck_assert(limits_take(s, LIMIT_ENTER, 1, &seconds));
	ck_assert(limits_take(s, LIMIT_SEARCH, 1, &seconds));
	lift("bob", RESTRICTION_MUTE);
	ck_assert_int_eq(moderation_refresh(core.moderation, "bob"), Q_OK);
	ck_assert(limits_take(s, LIMIT_MESSAGE, 1, &seconds));
	leave(s);
}
END_TEST

/* By the clock alone. */
START_TEST(ends_by_itself)
{
	int64_t until_ms = clock_mono_ms() + 60000;

	put("bob", RESTRICTION_BAN, 300, "");
	put("carol", RESTRICTION_BAN, 600000, "");
	ck_assert_int_eq(moderation_reload(core.moderation), Q_OK);
	ck_assert(banned("carol"));
	while (banned("bob") && clock_mono_ms() < until_ms)
		(void)poll(NULL, 0, 20);
	ck_assert(!banned("bob") && banned("carol"));
}
END_TEST

static void *
refresh_often(void *arg)
{
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(moderation_refresh(core.moderation, arg), Q_OK);
	return NULL;
}

/* What was changed last is what stays, however many read meanwhile. */
START_TEST(many_at_once)
{
	pthread_t t[3];
	static char bob[] = "bob";

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, refresh_often, bob), 0);
	for (int i = 0; i < 40; i++) {
		if (i % 2 == 0)
			put("bob", RESTRICTION_BAN, 0, "");
		else
			lift("bob", RESTRICTION_BAN);
		ck_assert_int_eq(moderation_refresh(core.moderation, "bob"), Q_OK);
		ck_assert_int_eq(banned("bob"), i % 2 == 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	ck_assert(!banned("bob"));
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("moderation");
	TCase *tc = tcase_create("moderation");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, files_and_memory);
	tcase_add_test(tc, damage_fails_closed);
	tcase_add_test(tc, words);
	tcase_add_test(tc, ban_at_the_table);
	tcase_add_test(tc, mute_at_the_limits);
	tcase_add_test(tc, ends_by_itself);
	tcase_add_test(tc, many_at_once);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return unit_main(make_suite());
}
