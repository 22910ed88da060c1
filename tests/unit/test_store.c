/* SPDX-License-Identifier: MIT
 *
 * The data directory: made, locked, found in any state.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/wait.h>

#include "store/store.h"
#include "tests/unit/tempdir.h"

static char said[2048]; /* what was reported, line by line */
static struct store *s;
static struct why why;

static void
report(void *arg, const char *sentence)
{
	(void)arg;
	strncat(said, sentence, sizeof(said) - strlen(said) - 2);
	strcat(said, "\n");
}

static enum qerr
open_at(const char *dir, struct store **out)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;

	opt.report = report;
	why.text[0] = '\0';
	return store_open(dir, &opt, out, &why);
}

static void
setup(void)
{
	tempdir_make();
	said[0] = '\0';
	s = NULL;
}

static void
teardown(void)
{
	store_close(s);
	tempdir_remove();
}

START_TEST(an_empty_directory_is_furnished)
{
	static const char *const folders[] = {"d",      "d/server",   "d/users", "d/uins",
					      "d/pems", "d/messages", "d/bad"};
	mode_t before = umask(0777);
	char dir[300];

	snprintf(dir, sizeof(dir), "%s", at("d"));
	ck_assert_int_eq(open_at(dir, &s), Q_OK);
	umask(before);
	ck_assert_str_eq(store_dir(s), dir);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		struct stat st;

		ck_assert_int_eq(stat(at(folders[i]), &st), 0);
		ck_assert_uint_eq(st.st_mode & 07777, 0700);
	}
	store_close(s);
	ck_assert_int_eq(open_at(dir, &s), Q_OK);
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(what_cannot_be_opened)
{
	ck_assert_int_eq(open_at(at("no/such"), &s), Q_MISSING);
	ck_assert_ptr_nonnull(strstr(why.text, "no/such"));
	spill("file", span_str("x"));
	ck_assert_int_eq(open_at(at("file"), &s), Q_SYS);
	ck_assert_int_eq(mkdir(at("d"), 0700), 0);
	spill("d/users", span_str("x"));
	ck_assert_int_eq(open_at(at("d"), &s), Q_SYS);
	ck_assert_ptr_nonnull(strstr(why.text, "d/users"));
	ck_assert_ptr_null(s);
}
END_TEST

/* Permissions do not hold root back, so a child becomes somebody else. */
START_TEST(no_permission)
{
	int status;
	pid_t pid;

	ck_assert_int_eq(mkdir(at("d"), 0500), 0);
	ck_assert_int_eq(chmod(tempdir, 0755), 0);
	if ((pid = fork()) == 0) {
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(2);
		_exit(open_at(at("d"), &s) == Q_DENIED && strstr(why.text, "/d") != NULL
			  ? 0
			  : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(one_process_at_a_time)
{
	char pid_text[32];
	struct store *second = NULL;
	int go[2], status;
	char c;
	pid_t pid;

	ck_assert_int_eq(pipe(go), 0);
	if ((pid = fork()) == 0) {
		if (open_at(at("d"), &s) != Q_OK || write(go[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	ck_assert_int_eq(read(go[0], &c, 1), 1);
	ck_assert_int_eq(open_at(at("d"), &second), Q_EXISTS);
	snprintf(pid_text, sizeof(pid_text), "process %d", (int)pid);
	ck_assert_ptr_nonnull(strstr(why.text, pid_text));
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(open_at(at("d"), &s), Q_OK);          /* a kill leaves no lock */
	ck_assert_int_eq(open_at(at("d"), &second), Q_EXISTS); /* nor do we twice */
	close(go[0]);
	close(go[1]);
}
END_TEST

START_TEST(server_files)
{
	struct buf b = BUF_INIT(10);
	struct stat st;

	ck_assert_int_eq(open_at(at("d"), &s), Q_OK);
	ck_assert_int_eq(store_server_read(s, "key.pem", &b), Q_MISSING);
	ck_assert_int_eq(store_server_write(s, "key.pem", span_str("secret"), 0600),
			 Q_OK);
	ck_assert_int_eq(store_server_read(s, "key.pem", &b), Q_OK);
	ck_assert(span_eq(buf_span(&b), span_str("secret")));
	ck_assert_int_eq(stat(at("d/server/key.pem"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(
	    store_server_write(s, "key.pem", span_str("longer than ten"), 0600), Q_OK);
	b.len = 0;
	ck_assert_int_eq(store_server_read(s, "key.pem", &b), Q_LIMIT);
	buf_free(&b);
}
END_TEST

START_TEST(leftovers_are_set_aside)
{
	ck_assert_int_eq(open_at(at("d"), &s), Q_OK);
	store_close(s);
	s = NULL;
	spill("d/users/.tmp-1-1", span_str("half a us"));
	spill("d/server/.tmp-1-2", span_of(NULL, 0));
	spill("d/users/alice", span_str("x"));
	ck_assert_int_eq(link(at("d/users/alice"), at("d/users/.tmp-1-3")), 0);
	ck_assert_int_eq(open_at(at("d"), &s), Q_OK);
	ck_assert_int_eq(count_names("d/users", ""), 1);
	ck_assert_int_eq(count_names("d/server", ".tmp-"), 0);
	ck_assert_int_eq(count_names("d/bad", "-users-.tmp-1-1"), 1);
	ck_assert_int_eq(count_names("d/bad", ""), 1);
	ck_assert_ptr_nonnull(strstr(said, "users/.tmp-1-1"));
}
END_TEST

START_TEST(without_anybody_to_tell)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;

	ck_assert_int_eq(mkdir(at("d"), 0700), 0);
	ck_assert_int_eq(mkdir(at("d/pems"), 0700), 0);
	spill("d/pems/.tmp-9-9", span_str("x"));
	ck_assert_int_eq(store_open(at("d"), &opt, &s, NULL), Q_OK);
	ck_assert_int_eq(store_open(at("none/such"), &opt, &s, NULL), Q_MISSING);
	ck_assert_int_eq(count_names("d/bad", ""), 1);
	store_close(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store");
	TCase *t = tcase_create("directory");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, an_empty_directory_is_furnished);
	tcase_add_test(t, what_cannot_be_opened);
	tcase_add_test(t, no_permission);
	tcase_add_test(t, one_process_at_a_time);
	tcase_add_test(t, server_files);
	tcase_add_test(t, leftovers_are_set_aside);
	tcase_add_test(t, without_anybody_to_tell);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
