/* SPDX-License-Identifier: MIT
 *
 * chats_store.h - a store with chats for one test, and what the tests of chats do to both.
 */
#ifndef TESTS_UNIT_CHATS_STORE_H
#define TESTS_UNIT_CHATS_STORE_H

#include "tests/unit/unit.h"

#include <signal.h>

#include "base/lock.h"
#include "store/chats.h"
#include "store/check.h"
#include "tests/unit/tempdir.h"

#define JOURNAL "d/chats/pairs.log"

static struct store *s;
static struct chats *c;
static char told[8192];
static struct lock telling = LOCK_INIT;

static inline void
report(void *arg, const char *sentence)
{
	(void)arg;
	lock_take(&telling);
	strncat(told, sentence, sizeof(told) - strlen(told) - 2);
	strcat(told, "\n");
	lock_drop(&telling);
}

static inline void
open_store(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct why why;

	opt.report = report;
	if (store_open(at("d"), &opt, &s, &why) != Q_OK)
		ck_abort_msg("%s", why.text);
}

static inline void
open_all(void)
{
	open_store();
	ck_assert_int_eq(chats_open(s, &c), Q_OK);
}

static inline void
close_all(void)
{
	chats_close(c);
	store_close(s);
}

static inline void
reopen(void)
{
	close_all();
	told[0] = '\0';
	open_all();
}

static inline void
setup(void)
{
	signal(SIGXFSZ, SIG_IGN);
	told[0] = '\0';
	tempdir_make();
	open_all();
}

static inline void
teardown(void)
{
	close_all();
	tempdir_remove();
}

#define ASSERT_TOLD(text) \
	ck_assert_msg(strstr(told, text) != NULL, "not told: %s\n%s", text, told)

static inline uint64_t
create(const char *a, const char *b)
{
	struct chat_info info;

	ck_assert_int_eq(chats_create(c, a, b, 0, &info), Q_OK);
	return info.id;
}

static inline enum qerr
say_in(struct msglog *l, const char *text)
{
	struct record r = {
	    .kind = "msg", .from = "alice", .text = true, .data = span_str(text)};

	return msglog_append(l, &r, 1);
}

static inline void
write_log(uint64_t id)
{
	struct msglog *l;

	ck_assert_int_eq(chats_open_log(c, id, &l), Q_OK);
	ck_assert_int_eq(say_in(l, "hello"), Q_OK);
	msglog_close(l);
}

static inline size_t
count_of(const char *user)
{
	struct chat_info *list;
	size_t n;

	ck_assert_int_eq(chats_of(c, user, &list, &n), Q_OK);
	free(list);
	return n;
}

static inline void
drop_last_line(void)
{
	struct buf b = slurp(JOURNAL);

	do
		b.len--;
	while (b.len > 0 && b.p[b.len - 1] != '\n');
	spill(JOURNAL, buf_span(&b));
	buf_free(&b);
}

/* Flip a byte in the nth line of the journal, from 0. */
static inline void
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

/* ---- "server check" ---- */

static char said[8192];

static inline void
say(void *arg, const char *sentence)
{
	(void)arg;
	strncat(said, sentence, sizeof(said) - strlen(said) - 2);
	strcat(said, "\n");
}

static inline struct check_result
check(bool repair)
{
	struct check_result r;

	said[0] = '\0';
	ck_assert_int_eq(store_check(s, repair, say, NULL, &r), Q_OK);
	return r;
}

#define ASSERT_SAID(text) \
	ck_assert_msg(strstr(said, text) != NULL, "not said: %s\n%s", text, said)

#endif
