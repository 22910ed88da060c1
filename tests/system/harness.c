/* SPDX-License-Identifier: MIT
 *
 * Check runs each test in a process of its own and kills its whole process
 * group when it fails, so a server that the test started goes too (and is told
 * to by PR_SET_PDEATHSIG in any case).  A failed test cannot clean up after
 * itself: its folder stays below the program's own, and the program, which
 * outlives it, prints and removes what it finds there at the end.
 */
#include "tests/system/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/system/harness_run.h"

#define OUT_MAX (1 << 20)

static char base[HARNESS_PATH - 128]; /* the program's folder */
static const char *at_file = "?";
static int at_line;

/* ---- failing and waiting ---- */

void
harness_at(const char *file, int line)
{
	at_file = file;
	at_line = line;
}

void
harness_fail(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ck_abort_msg("%s:%d: %s", at_file, at_line, text);
	abort();
}

int64_t
harness_deadline(int ms)
{
	const char *slow = getenv("SLOW");
	int times = slow != NULL ? atoi(slow) : 1;

	return clock_mono_ms() + (int64_t)ms * (times > 0 ? times : 1);
}

void
harness_nap(int64_t deadline_ms, const char *what)
{
	struct timespec five_ms = {0, 5000000};

	if (clock_left_ms(deadline_ms) == 0)
		harness_fail("waited in vain until %s", what);
	nanosleep(&five_ms, NULL);
}

bool
harness_skips_faults(void)
{
	const char *name = getenv("QUINTET_SANITIZER");

	if (name == NULL)
		return false;
	printf("skipped: faults cannot be put into a server built with %s\n", name);
	fflush(stdout);
	return true;
}

/* ---- folders ---- */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void
remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The last lines of a file, for a person who looks for the reason. */
static void
print_tail(const char *path)
{
	char text[8192];
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL)
		return;
	if (fseek(f, -(long)sizeof(text), SEEK_END) != 0)
		rewind(f);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	printf("---- %s\n%.*s", path + strlen(base) + 1, (int)n, text);
}

static int
print_log(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	if (type == FTW_F && ftw->level == 2 && strcmp(path + ftw->base, "stderr") == 0)
		print_tail(path);
	return 0;
}

TCase *
harness_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 120);
	suite_add_tcase(suite, tc);
	return tc;
}

int
harness_main(Suite *suite)
{
	const char *tmp = getenv("TMPDIR");
	int status;

	if (getenv("QUINTET_SERVER") == NULL) {
		fprintf(stderr, "QUINTET_SERVER does not say which server to test\n");
		return EXIT_FAILURE;
	}
	snprintf(base, sizeof(base), "%.200s/quintet-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(base) == NULL) {
		perror(base);
		return EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN);
	status = unit_main(suite);
	fflush(stdout);
	nftw(base, print_log, 16, FTW_PHYS);
	remove_tree(base);
	return status;
}

static void
keep_setting(struct harness *h, const char *setting)
{
	ck_assert_uint_lt(h->setting_count, sizeof(h->settings) / sizeof(h->settings[0]));
	h->settings[h->setting_count] = strdup(setting);
	ck_assert_ptr_nonnull(h->settings[h->setting_count++]);
}

struct harness *
harness_new(void)
{
	/* Tests do more in a second than people; those of limits set their own. */
	static const char *const quick[] = {
	    "limits.messages_rate=0", "limits.joins_rate=0", "limits.searches_rate=0"};

	struct harness *h = calloc(1, sizeof(*h));

	ck_assert_ptr_nonnull(h);
	h->address = "127.0.0.1";
	h->out_fd = h->port_fd = -1;
	h->out = (struct buf)BUF_INIT(OUT_MAX);
	snprintf(h->dir, sizeof(h->dir), "%s/%s-XXXXXX", base, tcase_name());
	ck_assert_msg(mkdtemp(h->dir) != NULL, "%s: %s", h->dir, strerror(errno));
	snprintf(h->data, sizeof(h->data), "%.*s/data", HARNESS_PATH - 16, h->dir);
	ck_assert_int_eq(mkdir(h->data, 0700), 0);
	for (size_t i = 0; i < sizeof(quick) / sizeof(quick[0]); i++)
		keep_setting(h, quick[i]);
	return h;
}

void
harness_free(struct harness *h)
{
	if (h->pid != 0)
		harness_stop(h);
	remove_tree(h->dir);
	for (size_t i = 0; i < h->setting_count; i++)
		free(h->settings[i]);
	for (size_t i = 0; i < h->user_count; i++)
		key_free(h->users[i].key);
	free(h->users);
	buf_free(&h->out);
	if (h->fault != NULL)
		munmap(h->fault, sizeof(*h->fault));
	if (h->port_fd != -1)
		close(h->port_fd);
	free(h);
}

/* ---- the server's life ---- */

/* Programs run side by side: a port that was free a moment ago, or that the server has left
 * for a restart, may be somebody else's now.  A socket that is bound to it and does not
 * listen keeps it: the kernel gives it to nobody who asks for any port, refuses who
 * connects, and lets the server, which asks for this one with SO_REUSEADDR, have it. */
void
harness_choose_port(struct harness *h)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(h->port)};
	socklen_t len = sizeof(in);
	int one = 1;

	if (h->port_fd != -1)
		return;
	ck_assert_int_eq(inet_pton(AF_INET, h->address, &in.sin_addr), 1);
	h->port_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(h->port_fd, -1);
	setsockopt(h->port_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(h->port_fd, (struct sockaddr *)&in, sizeof(in)) != 0)
		harness_fail("no port: %s", strerror(errno));
	ck_assert_int_eq(getsockname(h->port_fd, (struct sockaddr *)&in, &len), 0);
	h->port = ntohs(in.sin_port);
}

/* Read its standard output until the line with the port has come. */
static void
wait_until_ready(struct harness *h)
{
	static const char mark[] = "listening on ";
	int64_t deadline = harness_deadline(2 * HARNESS_WAIT);
	const char *line, *colon;

	h->out.len = 0;
	for (;;) {
		ssize_t n = harness_read_some(h->out_fd, &h->out, deadline);

		if (n <= 0)
			harness_fail("the server %s: %.300s",
				     n == 0 ? "ended before it was ready"
					    : "is not ready in time",
				     (const char *)h->out.p);
		line = strstr((const char *)h->out.p, mark);
		if (line != NULL && strchr(line, '\n') != NULL)
			break;
	}
	line += strlen(mark);
	colon = strchr(line, '\n');
	while (colon > line && *colon != ':')
		colon--;
	ck_assert_int_eq(atoi(colon + 1), h->port);
}

static void
launch(struct harness *h)
{
	const char *argv[64] = {getenv("QUINTET_SERVER"), "--data", h->data, "--listen"};
	char listen[64], log[HARNESS_PATH + 16];
	struct harness_child child = {.argv = argv, .files = h->files};
	size_t n = 4;

	harness_choose_port(h);
	snprintf(listen, sizeof(listen), "%s:%u", h->address, h->port);
	argv[n++] = listen;
	/* Builds for sanitizers lie elsewhere than beside it. */
	argv[n++] = "--set";
	argv[n++] = "http.web=web";
	for (size_t i = 0; i < h->setting_count; i++) {
		argv[n++] = "--set";
		argv[n++] = h->settings[i];
	}
	snprintf(log, sizeof(log), "%s/stderr", h->dir);
	child.error_file = log;
	child.fault_dir = h->fault != NULL ? h->dir : NULL;
	h->pid = harness_spawn(&child, &h->out_fd);
	wait_until_ready(h);
}

void
harness_boot(struct harness *h, ...)
{
	const char *setting;
	va_list ap;

	va_start(ap, h);
	while ((setting = va_arg(ap, const char *)) != NULL)
		keep_setting(h, setting);
	va_end(ap);
	launch(h);
}

struct harness *
harness_start(const char *setting, ...)
{
	struct harness *h = harness_new();
	va_list ap;

	va_start(ap, setting);
	for (; setting != NULL; setting = va_arg(ap, const char *))
		keep_setting(h, setting);
	va_end(ap);
	launch(h);
	return h;
}

void
harness_restart(struct harness *h)
{
	ck_assert_int_eq(h->pid, 0);
	launch(h);
}

static int
reap(struct harness *h)
{
	int status = harness_reap(h->pid, harness_deadline(2 * HARNESS_WAIT));

	h->pid = 0;
	close(h->out_fd);
	h->out_fd = -1;
	return status;
}

void
harness_stop(struct harness *h)
{
	ck_assert_int_ne(h->pid, 0);
	ck_assert_int_eq(kill(h->pid, SIGTERM), 0);
	harness_expect_end(h);
}

void
harness_expect_end(struct harness *h)
{
	int status = reap(h);

	if (WIFSIGNALED(status))
		harness_fail("the server died of signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		harness_fail("the server ended with status %d", WEXITSTATUS(status));
}

void
harness_freeze(struct harness *h)
{
	int status;

	ck_assert_int_eq(kill(h->pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(h->pid, &status, WUNTRACED), h->pid);
	ck_assert(WIFSTOPPED(status));
}

void
harness_kill(struct harness *h)
{
	ck_assert_int_ne(h->pid, 0);
	kill(h->pid, SIGKILL);
	reap(h);
}

bool
harness_alive(struct harness *h)
{
	siginfo_t info = {0};

	/* WNOWAIT: the status stays for harness_stop. */
	return waitid(P_PID, (id_t)h->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

void
harness_load_faults(struct harness *h)
{
	char path[HARNESS_PATH + 16];
	void *p;
	int fd;

	snprintf(path, sizeof(path), "%s/fault", h->dir);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(ftruncate(fd, sizeof(struct fault)), 0);
	p = mmap(NULL, sizeof(struct fault), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert(p != MAP_FAILED);
	close(fd);
	h->fault = p;
}
