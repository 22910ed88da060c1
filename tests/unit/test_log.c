/* SPDX-License-Identifier: MIT
 *
 * The log: the form of a line, quoting, levels, files, rotation, what is left out
 * and what is lost.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/log.h"
#include "server/log_line.h"
#include "server/protocol.h"

static char dir[64], file[96];

static void
setup(void)
{
	strcpy(dir, "/tmp/quintet-log-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/log", dir);
}

static void
teardown(void)
{
	char old[128];

	log_close();
	snprintf(old, sizeof(old), "%s.1", file);
	unlink(old);
	unlink(file);
	rmdir(dir);
}

static char *
content(const char *path)
{
	static char text[1 << 20];
	FILE *f = fopen(path, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static size_t
lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

static void
assert_match(const char *text, const char *pattern)
{
	regex_t re;

	ck_assert_int_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&re, text, 0, NULL, 0) == 0, "\"%s\" is not \"%s\"", text,
		      pattern);
	regfree(&re);
}

START_TEST(form)
{
	ck_assert_int_eq(log_open(file, LOG_INFO, 0, NULL), Q_OK);
	log_event(LOG_INFO, NULL, "login", "user=%s port=%d", "alice", 9034);
	log_event(LOG_DEBUG, NULL, "detail", "n=%d", 1);
	assert_match(content(file),
		     "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}"
		     "[+-][0-9]{2}:[0-9]{2} info login user=alice port=9034\n$");
}
END_TEST

START_TEST(zone)
{
	struct log_line l;

	setenv("TZ", "XXX-05:30", 1);
	tzset();
	log_line_begin(&l, "warn", 1763718000123);
	log_line_end(&l);
	ck_assert_str_eq(l.text, "2025-11-21T15:10:00.123+05:30 warn \n");
}
END_TEST

static const struct {
	const char *value, *shown;
} values[] = {
    {"plain", "v=plain\n"},
    {"", "v=\"\"\n"},
    {"two words", "v=\"two words\"\n"},
    {"a=b", "v=\"a=b\"\n"},
    {"x\" user=root", "v=\"x\\\" user=root\"\n"},
    {"line\nbreak", "v=line\\x0abreak\n"},
    {"\033[31m", "v=\\x1b[31m\n"},
    {"\xff", "v=\\xff\n"},
    {"zażółć", "v=zażółć\n"},
};

START_TEST(quoting)
{
	struct log_line l = {.len = 0};

	log_line_add(&l, "v=%s", values[_i].value);
	log_line_end(&l);
	ck_assert_str_eq(l.text, values[_i].shown);
}
END_TEST

START_TEST(conversions)
{
	struct log_line l = {.len = 0};

	log_line_add(&l,
		     "%d %u %i %x %c|%ld %lu|%lld %llu|%zu %5d %-3d| %.*s %.2s %% \"%s\"",
		     -1, 2u, 3, 0xafu, 'c', -4L, 5UL, -6LL, 7ULL, (size_t)8, 9, 10, 3,
		     "abcdef", "xyz", "in marks");
	log_line_end(&l);
	ck_assert_str_eq(l.text,
			 "-1 2 3 af c|-4 5|-6 7|8     9 10 | abc xy % \"in marks\"\n");
}
END_TEST

START_TEST(long_lines_are_cut)
{
	static char value[8192];
	struct log_line l = {.len = 0};

	memset(value, 'x', sizeof(value) - 1);
	for (int i = 0; i < 5; i++)
		log_line_add(&l, "v=%s ", value);
	ck_assert_uint_lt(log_line_end(&l), LOG_LINE_MAX);
	ck_assert_int_eq(l.text[l.len - 1], '\n');
}
END_TEST

START_TEST(session_fields)
{
	struct protocol relay = {.name = "relay"};
	struct session s = {.id = 7, .peer_text = "192.0.2.1:4711", .user = "alice"};

	atomic_store(&s.protocol, &relay);
	ck_assert_int_eq(log_open(file, LOG_INFO, 0, NULL), Q_OK);
	log_event(LOG_WARN, &s, "odd", "x=%d", 1);
	ck_assert_ptr_nonnull(strstr(content(file),
				     " warn odd conn=7 proto=relay "
				     "addr=192.0.2.1:4711 user=alice x=1\n"));
}
END_TEST

START_TEST(opening)
{
	struct why why = {""};
	char moved[128];
	struct stat st;

	ck_assert_int_eq(log_open(file, LOG_INFO, 0, &why), Q_OK);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	log_event(LOG_INFO, NULL, "one", "n=%d", 1);
	/* A target that cannot be opened: the old one stays. */
	ck_assert_int_ne(log_open("/proc/nonexistent/log", LOG_DEBUG, 0, &why), Q_OK);
	ck_assert_ptr_nonnull(strstr(why.text, "/proc/nonexistent/log"));
	log_event(LOG_INFO, NULL, "two", "n=%d", 2);
	ck_assert_uint_eq(lines(content(file)), 2);
	/* Somebody moves it away and asks for it to be opened again. */
	snprintf(moved, sizeof(moved), "%s.1", file);
	ck_assert_int_eq(rename(file, moved), 0);
	log_event(LOG_INFO, NULL, "three", "n=%d", 3);
	ck_assert_uint_eq(lines(content(moved)), 3);
	ck_assert_int_eq(log_reopen(&why), Q_OK);
	log_event(LOG_INFO, NULL, "four", "n=%d", 4);
	ck_assert_uint_eq(lines(content(moved)), 3);
	ck_assert_uint_eq(lines(content(file)), 1);
}
END_TEST

START_TEST(grows_no_further)
{
	char old[128];
	struct stat st;

	snprintf(old, sizeof(old), "%s.1", file);
	ck_assert_int_eq(log_open(file, LOG_INFO, 4096, NULL), Q_OK);
	for (int i = 0; i < 200; i++)
		log_event(LOG_INFO, NULL, "line", "n=%d", i);
	ck_assert_int_eq(stat(old, &st), 0);
	ck_assert_int_ge(st.st_size, 4096);
	ck_assert_int_lt(st.st_size, 4096 + LOG_LINE_MAX);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_lt(st.st_size, 4096);
	ck_assert_ptr_nonnull(strstr(content(file), "n=199\n"));
}
END_TEST

/* A log that cannot be written costs nothing but its lines. */
START_TEST(full_disk)
{
	struct rlimit small = {4096, RLIM_INFINITY},
		      large = {RLIM_INFINITY, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(log_open(file, LOG_INFO, 0, NULL), Q_OK);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 200; i++)
		log_event(LOG_INFO, NULL, "line", "n=%d", i);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &large), 0);
	log_event(LOG_INFO, NULL, "again", "n=%d", 1);
	assert_match(content(file),
		     "warn log-lost lines=[0-9]+\n[^\n]*info again n=1\n$");
}
END_TEST

START_TEST(nobody_reads)
{
	int p[2], saved = dup(STDERR_FILENO);
	static char text[1 << 20];
	ssize_t n;

	ck_assert_int_eq(pipe(p), 0);
	dup2(p[1], STDERR_FILENO);
	ck_assert_int_eq(log_open("", LOG_INFO, 0, NULL), Q_OK);
	for (int i = 0; i < 3000; i++) /* more than a pipe takes */
		log_event(LOG_INFO, NULL, "line", "n=%d", i);
	n = read(p[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 1000);
	log_event(LOG_INFO, NULL, "again", "n=%d", 1);
	n = read(p[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	dup2(saved, STDERR_FILENO);
	assert_match(text, "warn log-lost lines=[0-9]+\n[^\n]*info again n=1\n$");
	close(p[0]);
	close(p[1]);
	close(saved);
}
END_TEST

START_TEST(limited)
{
	struct address a = {.port = 1}, b = {.port = 1};
	char *text;

	a.ip.s6_addr[15] = 1;
	b.ip.s6_addr[15] = 2;
	ck_assert_int_eq(log_open(file, LOG_INFO, 0, NULL), Q_OK);
	for (int i = 0; i < 100; i++) {
		a.port = (uint16_t)i; /* another port is not another source */
		log_limited(LOG_WARN, &a, NULL, "refused", "n=%d", i);
		log_limited(LOG_WARN, &b, NULL, "refused", "n=%d", i);
		log_limited(LOG_WARN, &a, NULL, "garbage", "n=%d", i);
		log_limited(LOG_WARN, NULL, NULL, "nowhere", "n=%d", i);
		log_limited(LOG_DEBUG, NULL, NULL, "unseen", "n=%d", i);
	}
	text = content(file);
	ck_assert_uint_eq(lines(text), 4);
	/* A flood of sources must not grow anything, nor silence the log. */
	for (unsigned i = 0; i < 20000; i++) {
		memcpy(a.ip.s6_addr, &i, sizeof(i));
		log_limited(LOG_WARN, &a, NULL, "flood", "n=%u", i);
	}
	ck_assert_uint_gt(lines(content(file)), 10000);
}
END_TEST

/* One sentence a minute, however often; others are not held back by it. */
START_TEST(sentences)
{
	char *text, other[64];

	ck_assert_int_eq(log_open(file, LOG_INFO, 0, NULL), Q_OK);
	for (int i = 0; i < 100; i++)
		log_sentence(LOG_WARN, "store", "media/12: damaged");
	for (int i = 0; i < 100; i++) {
		snprintf(other, sizeof(other), "anons/%d: damaged", i);
		log_sentence(LOG_WARN, "store", other);
		log_sentence(LOG_DEBUG, "store", "unseen");
	}
	text = content(file);
	ck_assert_uint_eq(lines(text), 101);
	ck_assert_ptr_nonnull(strstr(text, " warn store text=\"media/12: damaged\"\n"));
}
END_TEST

static void *
writer(void *arg)
{
	struct session s = {.id = *(uint64_t *)arg, .peer_text = "192.0.2.1:1"};

	for (int i = 0; i < 500; i++) {
		log_event(LOG_INFO, &s, "line", "n=%d text=%s", i,
			  "a value of some length");
		log_limited(LOG_INFO, NULL, NULL, "seldom", "n=%d", i);
	}
	return NULL;
}

/* Lines stay whole while several write and the file is opened again. */
START_TEST(threads)
{
	pthread_t t[4];
	uint64_t id[4] = {1, 2, 3, 4};
	char *text, *rest, *line;

	ck_assert_int_eq(log_open(file, LOG_INFO, 0, NULL), Q_OK);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, writer, &id[i]), 0);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(log_reopen(NULL), Q_OK);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	text = rest = content(file);
	ck_assert_uint_eq(lines(text), 4 * 500 + 1);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0')
		assert_match(line,
			     "^[^ ]+ info (line conn=[1-4] .*length\"|seldom n=[0-9]+)$");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("log");
	TCase *c = tcase_create("log");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, form);
	tcase_add_test(c, zone);
	tcase_add_loop_test(c, quoting, 0, sizeof(values) / sizeof(values[0]));
	tcase_add_test(c, conversions);
	tcase_add_test(c, long_lines_are_cut);
	tcase_add_test(c, session_fields);
	tcase_add_test(c, opening);
	tcase_add_test(c, grows_no_further);
	tcase_add_test(c, full_disk);
	tcase_add_test(c, nobody_reads);
	tcase_add_test(c, limited);
	tcase_add_test(c, sentences);
	tcase_add_test(c, threads);
	suite_add_tcase(s, c);
	return unit_main(s);
}
