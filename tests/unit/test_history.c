/* SPDX-License-Identifier: MIT
 *
 * What was said, kept and shown again: order, secrecy, torn and changed files, other
 * keys, two clients at once, a full disk.
 */
#include "tests/unit/trust_aid.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "client/history.h"

static struct key *key;
static struct history *h;

static struct history *
open_history(struct key *k)
{
	struct history *opened;
	struct why why;

	ck_assert_msg(history_open(profile, ca, "Alice", k, &opened, &why) == Q_OK, "%s",
		      why.text);
	return opened;
}

static void
setup(void)
{
	aid_setup();
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &key), Q_OK);
	h = open_history(key);
}

static void
teardown(void)
{
	history_close(h);
	key_free(key);
	aid_teardown();
}

static enum qerr
add(struct history *to, const char *partner, const char *text, struct why *why)
{
	struct history_entry e = {1000, false, span_str(text)};

	return history_add(to, partner, &e, why);
}

static char shown[4096];

static void
show(void *arg, const struct history_entry *e)
{
	size_t n = strlen(shown);

	(void)arg;
	snprintf(shown + n, sizeof(shown) - n, "%lld%s%.*s|", (long long)e->time_ms,
		 e->ours ? ">" : "<", (int)e->text.len, (const char *)e->text.p);
}

static size_t damaged;

/* What is shown of the last n. */
static const char *
last(struct history *from, const char *partner, size_t n)
{
	struct why why;
	enum qerr e;

	shown[0] = '\0';
	damaged = 0;
	e = history_each(from, partner, n, show, NULL, &damaged, &why);
	if (e != Q_OK)
		snprintf(shown, sizeof(shown), "error %d", (int)e);
	return shown;
}

static const char *
file_of(const char *partner)
{
	return aid_file("history", "alice", partner);
}

START_TEST(kept)
{
	struct history_entry ours = {-5, true, span_str("yes\nno\x1b[2J")},
			     none = {.time_ms = 7};
	char text[16];

	ck_assert_str_eq(last(h, "bob", 5), "error 8"); /* Q_MISSING */
	ck_assert_int_eq(Q_MISSING, 8);
	ck_assert_int_eq(add(h, "bob", "hello", NULL), Q_OK);
	ck_assert_int_eq(history_add(h, "BOB", &ours, NULL), Q_OK);
	ck_assert_int_eq(history_add(h, "bob", &none, NULL), Q_OK);
	ck_assert_str_eq(last(h, "Bob", 5), "1000<hello|-5>yes\nno\x1b[2J|7<|");
	ck_assert_str_eq(last(h, "bob", 1), "7<|");
	ck_assert_int_eq(add(h, "carol", "other", NULL), Q_OK);
	ck_assert_str_eq(last(h, "carol", 5), "1000<other|");
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "%d", i);
		ck_assert_int_eq(add(h, "bob", text, NULL), Q_OK);
	}
	ck_assert_str_eq(last(h, "bob", 3), "1000<97|1000<98|1000<99|");
	ck_assert_uint_eq(damaged, 0);
	history_close(h);
	h = open_history(key);
	ck_assert_str_eq(last(h, "bob", 2), "1000<98|1000<99|");
	ck_assert_int_eq(add(h, "bob", "again", NULL), Q_OK);
	ck_assert_str_eq(last(h, "bob", 2), "1000<99|1000<again|");
}
END_TEST

START_TEST(secret)
{
	struct buf file;
	struct stat st;

	ck_assert_int_eq(add(h, "bob", "the treasure is below the oak", NULL), Q_OK);
	file = slurp(file_of("bob"));
	ck_assert_ptr_null(memmem(file.p, file.len, "treasure", 8));
	ck_assert_int_eq(memcmp(file.p, "QHIST1\r\n", 8), 0);
	buf_free(&file);
	ck_assert_int_eq(stat(at(file_of("bob")), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(at(file_of("")), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	/* Once others may read it, that is said. */
	history_close(h);
	ck_assert_int_eq(chmod(at(file_of("bob")), 0644), 0);
	h = open_history(key);
	ck_assert_int_eq(add(h, "bob", "x", NULL), Q_DENIED);
}
END_TEST

START_TEST(cleared)
{
	struct history *second = open_history(key);

	ck_assert_int_eq(history_clear(h, "bob", NULL), Q_MISSING);
	ck_assert_int_eq(add(h, "bob", "one", NULL), Q_OK);
	ck_assert_int_eq(add(second, "bob", "two", NULL), Q_OK);
	ck_assert_int_eq(history_clear(h, "Bob", NULL), Q_OK);
	ck_assert(!exists(file_of("bob")));
	ck_assert_str_eq(last(h, "bob", 5), "error 8");
	/* Another client that had it open does not write into the void. */
	ck_assert_int_eq(add(second, "bob", "three", NULL), Q_OK);
	ck_assert_str_eq(last(h, "bob", 5), "1000<three|");
	history_close(second);
}
END_TEST

START_TEST(two_clients)
{
	struct history *second = open_history(key);

	ck_assert_int_eq(add(h, "bob", "1", NULL), Q_OK);
	ck_assert_int_eq(add(second, "bob", "2", NULL), Q_OK);
	ck_assert_int_eq(add(h, "bob", "3", NULL), Q_OK);
	ck_assert_int_eq(add(second, "bob", "4", NULL), Q_OK);
	ck_assert_str_eq(last(h, "bob", 9), "1000<1|1000<2|1000<3|1000<4|");
	ck_assert_str_eq(last(second, "bob", 9), "1000<1|1000<2|1000<3|1000<4|");
	history_close(second);
}
END_TEST

/* A crash at any byte of the last record costs that record alone. */
START_TEST(torn)
{
	struct buf whole, before;

	ck_assert_int_eq(add(h, "bob", "first", NULL), Q_OK);
	before = slurp(file_of("bob"));
	ck_assert_int_eq(add(h, "bob", "second", NULL), Q_OK);
	whole = slurp(file_of("bob"));
	for (size_t n = before.len; n < whole.len; n++) {
		history_close(h);
		spill(file_of("bob"), span_of(whole.p, n));
		h = open_history(key);
		ck_assert_str_eq(last(h, "bob", 5), "1000<first|");
		ck_assert_uint_eq(damaged, 0);
		ck_assert_int_eq(add(h, "bob", "third", NULL), Q_OK);
		ck_assert_str_eq(last(h, "bob", 5), "1000<first|1000<third|");
	}
	/* So do the zeros that some file systems leave. */
	history_close(h);
	memset(whole.p + before.len, 0, whole.len - before.len);
	spill(file_of("bob"), buf_span(&whole));
	h = open_history(key);
	ck_assert_int_eq(add(h, "bob", "fourth", NULL), Q_OK);
	ck_assert_str_eq(last(h, "bob", 5), "1000<first|1000<fourth|");
	buf_free(&whole);
	buf_free(&before);
}
END_TEST

/* Whatever byte of a record is changed, that record is not shown, or nothing from there
 * on; never anything else. */
START_TEST(changed)
{
	struct buf head, file;
	struct why why = {""};

	ck_assert_int_eq(add(h, "bob", "a", NULL), Q_OK);
	head = slurp(file_of("bob"));
	ck_assert_int_eq(add(h, "bob", "b", NULL), Q_OK);
	ck_assert_int_eq(add(h, "bob", "c", NULL), Q_OK);
	file = slurp(file_of("bob"));
	for (size_t i = head.len; i < file.len; i++) {
		file.p[i] ^= 0x40;
		spill(file_of("bob"), buf_span(&file));
		last(h, "bob", 9);
		ck_assert_msg(strcmp(shown, "1000<a|1000<c|") == 0 ||
				  strcmp(shown, "1000<a|1000<b|") == 0 ||
				  strcmp(shown, "1000<a|") == 0,
			      "byte %zu: %s", i, shown);
		file.p[i] ^= 0x40;
	}
	/* A length that cannot be: nothing is written over what may be behind. */
	history_close(h);
	memset(file.p + head.len, 0xff, 4);
	spill(file_of("bob"), buf_span(&file));
	h = open_history(key);
	ck_assert_str_eq(last(h, "bob", 9), "1000<a|");
	ck_assert_uint_eq(damaged, 1);
	ck_assert_int_eq(add(h, "bob", "d", &why), Q_FORMAT);
	ck_assert_str_eq(why.text,
			 "the history with bob is damaged: /clear bob begins anew");
	buf_free(&head);
	buf_free(&file);
}
END_TEST

/* Records and files belong where they are. */
START_TEST(moved)
{
	struct buf one, two;
	size_t size;

	ck_assert_int_eq(add(h, "bob", "a", NULL), Q_OK);
	one = slurp(file_of("bob"));
	ck_assert_int_eq(add(h, "bob", "b", NULL), Q_OK);
	two = slurp(file_of("bob"));
	size = two.len - one.len;
	/* The second record twice, and no first one. */
	memcpy(two.p + one.len - size, two.p + one.len, size);
	spill(file_of("bob"), buf_span(&two));
	ck_assert_str_eq(last(h, "bob", 9), "1000<b|");
	ck_assert_uint_eq(damaged, 1);
	ck_assert_int_eq(add(h, "carol", "c", NULL), Q_OK);
	history_close(h);
	spill(file_of("carol"), buf_span(&one));
	h = open_history(key);
	ck_assert_str_eq(last(h, "carol", 9), "error 6"); /* Q_DENIED */
	ck_assert_int_eq(Q_DENIED, 6);
	buf_free(&one);
	buf_free(&two);
}
END_TEST

START_TEST(other_key)
{
	struct key *other;
	struct why why = {""};

	ck_assert_int_eq(key_generate(KEY_RSA, 2048, &other), Q_OK);
	ck_assert_int_eq(add(h, "bob", "a", NULL), Q_OK);
	history_close(h);
	h = open_history(other);
	ck_assert_int_eq(add(h, "bob", "b", &why), Q_DENIED);
	ck_assert_str_eq(why.text, "the history with bob was kept under another key: "
				   "/clear bob begins anew");
	ck_assert_int_eq(history_clear(h, "bob", NULL), Q_OK);
	ck_assert_int_eq(add(h, "bob", "b", NULL), Q_OK);
	ck_assert_str_eq(last(h, "bob", 9), "1000<b|");
	key_free(other);
}
END_TEST

static const char *const heads[] = {"", "QHIST1\r\n", "QHIST2\r\n....",
				    "QHIST1\r\n\xff\xff\xff\xff"};

START_TEST(no_history)
{
	ck_assert_int_eq(add(h, "bob", "a", NULL), Q_OK);
	history_close(h);
	spill(file_of("bob"), span_str(heads[_i]));
	h = open_history(key);
	ck_assert_int_eq(add(h, "bob", "b", NULL), Q_FORMAT);
	ck_assert_str_eq(last(h, "bob", 9), "error 2"); /* Q_FORMAT */
	ck_assert_int_eq(Q_FORMAT, 2);
}
END_TEST

START_TEST(limits)
{
	static char text[HISTORY_TEXT_MAX + 1];
	struct history_entry e = {1, true, span_of(text, sizeof(text))};
	struct rlimit limit = {2000, 2000};

	ck_assert_int_eq(history_add(h, "bob", &e, NULL), Q_LIMIT);
	e.text.len--;
	ck_assert_int_eq(history_add(h, "bob", &e, NULL), Q_OK);
	/* On a full disk nothing of the message is left behind. */
	ck_assert_int_eq(add(h, "carol", "a", NULL), Q_OK);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_ne(history_add(h, "carol", &e, NULL), Q_OK);
	ck_assert_int_eq(add(h, "carol", "b", NULL), Q_OK);
	ck_assert_str_eq(last(h, "carol", 9), "1000<a|1000<b|");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("history");
	TCase *t = tcase_create("history");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, kept);
	tcase_add_test(t, secret);
	tcase_add_test(t, cleared);
	tcase_add_test(t, two_clients);
	tcase_add_test(t, torn);
	tcase_add_test(t, changed);
	tcase_add_test(t, moved);
	tcase_add_test(t, other_key);
	tcase_add_loop_test(t, no_history, 0, 4);
	tcase_add_test(t, limits);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
