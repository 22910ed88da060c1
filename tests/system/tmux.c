/* SPDX-License-Identifier: MIT */
#include "tests/system/tmux.h"

#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/system/harness_run.h"

#define WORDS_MAX 32

struct tmux {
	struct harness *h;
	char socket[HARNESS_PATH];
	pid_t pid;
	struct buf seen;
};

/* tmux with these words; what it says is appended to out.  Its exit status. */
static int
call(struct tmux *t, struct buf *out, const char *const *words)
{
	/* -N: it is there, or that is a failure. */
	const char *argv[WORDS_MAX + 8] = {"/usr/bin/env", "tmux", "-u",
					   "-N",           "-S",   t->socket};
	int64_t deadline = harness_deadline(HARNESS_WAIT);
	struct harness_child child = {.argv = argv};
	size_t n = 6;
	int fd, status;
	pid_t pid;

	while (*words != NULL) {
		ck_assert_uint_lt(n, WORDS_MAX + 7);
		argv[n++] = *words++;
	}
	pid = harness_spawn(&child, &fd);
	while (harness_read_some(fd, out, deadline) > 0)
		;
	close(fd);
	status = harness_reap(pid, deadline);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
must(struct tmux *t, const char *const *words)
{
	struct buf out = BUF_INIT(1 << 20);

	if (call(t, &out, words) != 0)
		harness_fail("tmux %s failed: %.200s", words[0], (const char *)out.p);
	buf_free(&out);
}
#define MUST(t, ...) must(t, (const char *const[]){__VA_ARGS__, NULL})

/* ---- life ---- */

static pid_t
server(const char *socket)
{
	pid_t parent = getpid(), pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid != 0)
		return pid;
	harness_tie(parent);
	setsid();
	execlp("tmux", "tmux", "-u", "-D", "-S", socket, "-f", "/dev/null", (char *)NULL);
	perror("tmux");
	_exit(127);
}

struct tmux *
tmux_start(struct harness *h)
{
	static const char *const probe[] = {"start-server", ";",   "set-option", "-g",
					    "status",       "off", NULL};
	int64_t until = harness_deadline(HARNESS_WAIT);
	struct buf out = BUF_INIT(16 << 20);
	struct tmux *t = calloc(1, sizeof(*t));

	ck_assert_ptr_nonnull(t);
	t->h = h;
	t->seen = (struct buf)BUF_INIT(8 << 20);
	snprintf(t->socket, sizeof(t->socket), "%.400s/tmux", h->dir);
	unsetenv("TMUX");
	t->pid = server(t->socket);
	while (call(t, &out, probe) != 0)
		harness_nap(until, "tmux to be there");
	buf_free(&out);
	MUST(t, "set-option", "-g", "remain-on-exit", "on");
	MUST(t, "set-option", "-s", "escape-time", "0");
	return t;
}

void
tmux_free(struct tmux *t)
{
	MUST(t, "kill-server");
	(void)harness_reap(t->pid, harness_deadline(HARNESS_WAIT));
	buf_free(&t->seen);
	free(t);
}

void
tmux_run(struct tmux *t, const char *who, int columns, int rows, const char *const *words)
{
	char x[16], y[16];
	const char *argv[WORDS_MAX + 1] = {"new-session", "-d", "-s", who,
					   "-x",          x,    "-y", y};
	size_t n = 8;

	snprintf(x, sizeof(x), "%d", columns);
	snprintf(y, sizeof(y), "%d", rows);
	while (*words != NULL) {
		ck_assert_uint_lt(n, WORDS_MAX);
		argv[n++] = *words++;
	}
	must(t, argv);
}

void
tmux_open(struct tmux *t, const char *who, int columns, int rows, const char *setting,
	  ...)
{
	/* Of a program that has ended tmux does not always know the status. */
	static const char keep_status[] =
	    "\"$@\"; echo $? >$STATUS.new; mv $STATUS.new $STATUS";
	char home[HARNESS_PATH + 64], status[HARNESS_PATH + 64], at[32];
	const char *argv[WORDS_MAX + 1] = {"env",       home, status,
					   setting,     "sh", "-c",
					   keep_status, "sh", getenv("QUINTET_CLIENT"),
					   at};
	size_t n = 10;
	va_list ap;
	const char *word;

	snprintf(home, sizeof(home), "XDG_CONFIG_HOME=%.400s/%s", t->h->dir, who);
	snprintf(status, sizeof(status), "STATUS=%.400s/%s.status", t->h->dir, who);
	snprintf(at, sizeof(at), "127.0.0.1:%u", t->h->port);
	va_start(ap, setting);
	while ((word = va_arg(ap, const char *)) != NULL) {
		ck_assert_uint_lt(n, WORDS_MAX);
		argv[n++] = word;
	}
	va_end(ap);
	tmux_run(t, who, columns, rows, argv);
}

void
tmux_close(struct tmux *t, const char *who)
{
	MUST(t, "kill-session", "-t", who);
}

/* ---- hands ---- */

void
tmux_type(struct tmux *t, const char *who, const char *text)
{
	MUST(t, "send-keys", "-t", who, "-l", "--", text);
}

void
tmux_key(struct tmux *t, const char *who, const char *key)
{
	MUST(t, "send-keys", "-t", who, key);
}

void
tmux_line(struct tmux *t, const char *who, const char *text)
{
	tmux_type(t, who, text);
	tmux_key(t, who, "Enter");
}

void
tmux_paste(struct tmux *t, const char *who, const char *text)
{
	MUST(t, "set-buffer", "--", text);
	MUST(t, "paste-buffer", "-p", "-t", who);
}

void
tmux_resize(struct tmux *t, const char *who, int columns, int rows)
{
	char x[16], y[16];

	snprintf(x, sizeof(x), "%d", columns);
	snprintf(y, sizeof(y), "%d", rows);
	MUST(t, "resize-window", "-t", who, "-x", x, "-y", y);
}

/* ---- eyes ---- */

static const char *
capture(struct tmux *t, const char *who, const char *how)
{
	t->seen.len = 0;
	ck_assert_int_eq(buf_put_u8(&t->seen, 0), Q_OK);
	t->seen.len = 0;
	if (call(t, &t->seen,
		 (const char *const[]){"capture-pane", "-p", "-t", who, how, NULL}) != 0)
		harness_fail("%s has no screen", who);
	return (const char *)t->seen.p;
}

const char *
tmux_screen(struct tmux *t, const char *who)
{
	return capture(t, who, NULL);
}

const char *
tmux_colours(struct tmux *t, const char *who)
{
	return capture(t, who, "-e");
}

bool
tmux_shows(struct tmux *t, const char *who, const char *text)
{
	return strstr(tmux_screen(t, who), text) != NULL;
}

static void
wait_for(struct tmux *t, const char *who, const char *text,
	 bool (*is)(struct tmux *t, const char *who, const char *text), bool want)
{
	int64_t until = harness_deadline(HARNESS_WAIT);

	while (is(t, who, text) != want) {
		if (clock_left_ms(until) == 0) {
			printf("---- %s sees\n%s", who, tmux_screen(t, who));
			fflush(stdout);
			harness_fail("waited in vain for \"%s\" to be %s", text,
				     want ? "seen" : "gone");
		}
		harness_nap(until, text);
	}
}

void
tmux_until(struct tmux *t, const char *who, const char *text)
{
	wait_for(t, who, text, tmux_shows, true);
}

void
tmux_until_gone(struct tmux *t, const char *who, const char *text)
{
	wait_for(t, who, text, tmux_shows, false);
}

/* Five characters of a time. */
static bool
is_time(const char *s)
{
	return isdigit((uint8_t)s[0]) && isdigit((uint8_t)s[1]) && s[2] == ':' &&
	       isdigit((uint8_t)s[3]) && isdigit((uint8_t)s[4]);
}

static bool
has_row(struct tmux *t, const char *who, const char *row)
{
	const char *p = tmux_screen(t, who);
	bool timed = strncmp(row, "12:34", 5) == 0;

	while (*p != '\0') {
		size_t len = strcspn(p, "\n"), skip = timed && is_time(p) ? 5 : 0;
		const char *next = p[len] == '\n' ? p + len + 1 : p + len;

		while (len > 0 && p[len - 1] == ' ')
			len--;
		if (len == strlen(row) && len >= skip &&
		    memcmp(p + skip, row + skip, len - skip) == 0)
			return true;
		p = next;
	}
	return false;
}

void
tmux_until_row(struct tmux *t, const char *who, const char *row)
{
	wait_for(t, who, row, has_row, true);
}

void
tmux_picture(struct tmux *t, const char *who, const char *name)
{
	const char *build = getenv("QUINTET_BUILD");
	const char *screen = tmux_screen(t, who);
	char path[HARNESS_PATH];
	FILE *f;

	ck_assert_ptr_nonnull(build);
	snprintf(path, sizeof(path), "%.400s/screens", build);
	(void)mkdir(path, 0755); /* or it is there */
	snprintf(path, sizeof(path), "%.400s/screens/%.60s.txt", build, name);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	ck_assert_int_ge(fputs(screen, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

int
tmux_status(struct tmux *t, const char *who)
{
	int64_t until = harness_deadline(HARNESS_WAIT);
	char path[HARNESS_PATH];
	int status = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%.400s/%s.status", t->h->dir, who);
	while ((f = fopen(path, "r")) == NULL)
		harness_nap(until, "the client to end");
	ck_assert_int_eq(fscanf(f, "%d", &status), 1);
	fclose(f);
	if (status != 0) /* it has said why */
		printf("---- %s sees\n%s", who, tmux_screen(t, who));
	fflush(stdout);
	ck_assert_int_eq(unlink(path), 0);
	return status;
}
