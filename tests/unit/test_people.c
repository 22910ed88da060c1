/* SPDX-License-Identifier: MIT
 *
 * The list of people, completion, and where things stand.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/completion.h"
#include "client/layout.h"
#include "tests/unit/tempdir.h"

static struct people p;
static struct editor e;
static struct completion tab;

static void
set_up(void)
{
	p = (struct people){.all = NULL};
	tab = (struct completion){.active = false};
	editor_init(&e, 1000);
}

static void
tear_down(void)
{
	completion_reset(&tab);
	editor_fini(&e);
	people_fini(&p);
}

static void
hear(enum client_event_kind kind, const char *name, uint64_t count)
{
	struct client_event event = {.kind = kind, .name = name, .count = count};

	people_heard(&p, &event);
}

static void
list(const char *a, const char *b, const char *third)
{
	const char *names[] = {a, b, third};

	for (int i = 0; i < 3; i++)
		if (names[i] != NULL)
			hear(CLIENT_LIST_NAME, names[i], 0);
	hear(CLIENT_LIST_END, NULL, 0);
}

static void
expect_list_(const char *want, const char *partner, int rows, int line)
{
	struct canvas c = {.cells = NULL};
	struct buf out = BUF_INIT(4096);

	ck_assert_int_eq(canvas_resize(&c, rows, 10), Q_OK);
	people_draw(&p, &c, 0, rows, 0, 10, partner);
	for (int row = 0; row < rows; row++) {
		ck_assert_int_eq(canvas_text(&c, row, &out), Q_OK);
		ck_assert_int_eq(buf_put_u8(&out, '\n'), Q_OK);
	}
	ck_assert_int_eq(buf_put_u8(&out, 0), Q_OK);
	ck_assert_msg(strcmp((const char *)out.p, want) == 0, "line %d:\n%s", line,
		      (const char *)out.p);
	buf_free(&out);
	canvas_free(&c);
}
#define expect_list(want, partner, rows) expect_list_(want, partner, rows, __LINE__)

START_TEST(ranks)
{
	expect_list(" nobody ye\n", "", 1);
	list("dave", "Carol", "bob");
	hear(CLIENT_CONTACT, "erin", 0);
	hear(CLIENT_UNREAD, "frank", 12);
	hear(CLIENT_REQUEST_FROM, "dave", 0);
	expect_list(">bob\n?dave\n+frank  12\n erin\n Carol\n\n", "bob", 6);
	hear(CLIENT_REQUEST_WITHDRAWN, "dave", 0);
	hear(CLIENT_CHAT_READY, "frank", 0);
	expect_list(">frank\n erin\n bob\n Carol\n dave\n", "frank", 5);
	expect_list(">frank\n erin\n and 3 mor\n", "frank", 3);
	list("carol", NULL, NULL); /* the others have left */
	hear(CLIENT_CONTACTS_END, NULL, 0);
	hear(CLIENT_CONTACTS_END, NULL, 0); /* a list without erin */
	expect_list(" Carol\n\n", "", 2);
	people_draw(&p, &(struct canvas){.cells = NULL}, 3, 3, 0, 10, "");
}
END_TEST

static void
press_(int step, const char *want, int line)
{
	ck_assert_msg(completion_tab(&tab, &e, &p, step), "line %d: nothing", line);
	ck_assert_msg(span_eq(buf_span(&e.text), span_str(want)), "line %d: \"%.*s\"",
		      line, (int)e.text.len, (const char *)e.text.p);
}
#define press(step, want) press_(step, want, __LINE__)

static void
type(const char *text)
{
	completion_reset(&tab);
	editor_set(&e, span_str(text));
}

START_TEST(completes_names)
{
	list("carol", "Carlo", "bob");
	type("CA");
	press(1, "Carlo: ");
	press(1, "carol: ");
	press(1, "Carlo: ");
	press(-1, "carol: ");
	hear(CLIENT_MESSAGE, "carol", 0); /* who spoke last comes first */
	type("/chat c");
	press(1, "/chat carol ");
	press(-1, "/chat Carlo ");
	type("hello b");
	press(1, "hello bob ");
	type("hello x");
	ck_assert(!completion_tab(&tab, &e, &p, 1));
	ck_assert(span_eq(buf_span(&e.text), span_str("hello x")));
	type("");
	press(1, "carol: ");
	editor_set(&e, span_str("b and more"));
	completion_reset(&tab);
	e.cursor = 1; /* in the middle */
	press(1, "bob:  and more");
}
END_TEST

START_TEST(completes_commands)
{
	type("/verif");
	press(1, "/verify ");
	type("/qu");
	press(1, "/quit ");
	type("/xyzzy");
	ck_assert(!completion_tab(&tab, &e, &p, 1));
}
END_TEST

START_TEST(completes_files)
{
	char path[512], want[512];
	static const char *const names[] = {"one file.txt", "on\x1b", ".hidden"};

	tempdir_make();
	for (int i = 0; i < 3; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", tempdir, names[i]);
		ck_assert_ptr_nonnull(f = fopen(path, "w"));
		fclose(f);
	}
	snprintf(path, sizeof(path), "%s/only", tempdir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "/send %s/on", tempdir);
	type(path);
	snprintf(want, sizeof(want), "/send %s/one file.txt", tempdir);
	press(1, want);
	snprintf(want, sizeof(want), "/send %s/only/", tempdir);
	press(1, want);
	snprintf(path, sizeof(path), "/send %s/one f", tempdir);
	type(path);
	snprintf(want, sizeof(want), "/send %s/one file.txt", tempdir);
	press(1, want);
	type("/send /nowhere/at/all");
	ck_assert(!completion_tab(&tab, &e, &p, 1));
	tempdir_remove();
}
END_TEST

/* ---- layout ---- */

START_TEST(layouts)
{
	struct layout l = layout_of(24, 80, LAYOUT_PEOPLE_AUTO, 1, 0);

	ck_assert(!l.too_small);
	ck_assert_int_eq(l.top, 1);
	ck_assert_int_eq(l.bottom, 22);
	ck_assert_int_eq(l.hint, 22);
	ck_assert_int_eq(l.input, 23);
	ck_assert_int_gt(l.people, l.right);
	l = layout_of(10, 40, LAYOUT_PEOPLE_AUTO, 1, 0);
	ck_assert_int_eq(l.people, -1);
	ck_assert_int_eq(l.right, 40);
	l = layout_of(10, 40, LAYOUT_PEOPLE_SHOW, 1, 0);
	ck_assert_int_eq(l.people, 0);
	ck_assert_int_eq(l.right, 0);
	l = layout_of(24, 80, LAYOUT_PEOPLE_HIDE, 1, 0);
	ck_assert_int_eq(l.right, 80);
	ck_assert(layout_of(4, 80, LAYOUT_PEOPLE_AUTO, 1, 0).too_small);
	ck_assert(layout_of(24, 19, LAYOUT_PEOPLE_AUTO, 1, 0).too_small);
}
END_TEST

/* At every size the parts follow each other without a gap and none is negative. */
START_TEST(layout_holds)
{
	for (int rows = LAYOUT_ROWS_MIN; rows < 70; rows++)
		for (int input = 0; input < 50; input += 7)
			for (int files = 0; files < 3; files++) {
				struct layout l =
				    layout_of(rows, 80, LAYOUT_PEOPLE_AUTO, input, files);

				ck_assert_int_ge(l.bottom, l.top);
				ck_assert_int_eq(l.files, l.bottom);
				ck_assert_int_eq(l.hint, l.files + l.file_rows);
				ck_assert_int_eq(l.input, l.hint + 1);
				ck_assert_int_ge(l.input_rows, 1);
				ck_assert_int_eq(l.input + l.input_rows, rows);
			}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("people");
	TCase *t = tcase_create("people");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, ranks);
	tcase_add_test(t, completes_names);
	tcase_add_test(t, completes_commands);
	tcase_add_test(t, completes_files);
	tcase_add_test(t, layouts);
	tcase_add_test(t, layout_holds);
	suite_add_tcase(s, t);
	return unit_main(s);
}
