/* SPDX-License-Identifier: MIT */
#define CLIENT_RUN_INSIDE
#include "tests/system/client_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/cert.h"
#include "tests/system/harness_run.h"

#define SAID_MAX (64 << 20)
#define ARGS_MAX 16

static const char *environment;

void
run_environment(const char *setting)
{
	environment = setting;
}

void
run_path(struct harness *h, const char *home, const char *file, char out[HARNESS_PATH])
{
	int n = snprintf(out, HARNESS_PATH, "%.300s/%s/quintet/%s", h->dir, home, file);

	ck_assert_int_lt(n, HARNESS_PATH);
}

unsigned
run_mode(struct harness *h, const char *home, const char *file)
{
	char path[HARNESS_PATH];
	struct stat st;

	run_path(h, home, file, path);
	if (stat(path, &st) != 0)
		harness_fail("there is no %s", path);
	return st.st_mode & 0777;
}

/* After fork, in the child. */
static _Noreturn void
become(struct harness *h, pid_t parent, const char *home, const char **argv)
{
	static char config[HARNESS_PATH + 64], setting[512];

	harness_tie(parent);
	signal(SIGPIPE, SIG_DFL);
	snprintf(config, sizeof(config), "XDG_CONFIG_HOME=%s/%s", h->dir, home);
	putenv(config);
	unsetenv("QUINTET_PASSPHRASE");
	if (environment != NULL) {
		snprintf(setting, sizeof(setting), "%s", environment);
		putenv(setting);
	}
	execv(argv[0], (char *const *)(uintptr_t)argv);
	perror(argv[0]);
	_exit(127);
}

/* What the client is started with. */
struct words {
	const char *argv[ARGS_MAX + 1];
	size_t n;
	char server[32];
};

static void
add_word(struct words *w, const char *word)
{
	ck_assert_uint_lt(w->n, ARGS_MAX);
	w->argv[w->n++] = strcmp(word, "SERVER") == 0 ? w->server : word;
}

static void
first_words(struct words *w, struct harness *h)
{
	const char *client = getenv("QUINTET_CLIENT");

	ck_assert_msg(client != NULL, "QUINTET_CLIENT does not say which client to test");
	*w = (struct words){.n = 0};
	snprintf(w->server, sizeof(w->server), "127.0.0.1:%u", h->port);
	add_word(w, client);
}

static void
add_words(struct words *w, va_list ap)
{
	const char *word;

	while ((word = va_arg(ap, const char *)) != NULL)
		add_word(w, word);
}

static struct run *
new_run(void)
{
	struct run *r = calloc(1, sizeof(*r));

	ck_assert_ptr_nonnull(r);
	r->said = r->complaint = (struct buf)BUF_INIT(SAID_MAX);
	ck_assert_int_eq(buf_put_u8(&r->said, 0), Q_OK);
	ck_assert_int_eq(buf_put_u8(&r->complaint, 0), Q_OK);
	r->said.len = r->complaint.len = 0;
	r->in = r->out = r->err = -1;
	return r;
}

static struct run *
start(struct harness *h, const char *home, struct words *w)
{
	struct run *r = new_run();
	int in[2], out[2], err[2];
	pid_t parent = getpid();

	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	fflush(stdout);
	r->pid = fork();
	ck_assert_int_ne(r->pid, -1);
	if (r->pid == 0) {
		/* Without the terminal of whoever runs the tests: a prompt must
		 * not wait there. */
		setsid();
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		become(h, parent, home, w->argv);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	r->in = in[1];
	r->out = out[0];
	r->err = err[0];
	return r;
}

struct run *
run_start(struct harness *h, const char *home, ...)
{
	struct words w;
	va_list ap;

	first_words(&w, h);
	va_start(ap, home);
	add_words(&w, ap);
	va_end(ap);
	return start(h, home, &w);
}

struct run *
run_in_terminal(struct harness *h, const char *home, ...)
{
	struct run *r = new_run();
	pid_t parent = getpid();
	struct words w;
	va_list ap;

	first_words(&w, h);
	va_start(ap, home);
	add_words(&w, ap);
	va_end(ap);
	fflush(stdout);
	r->pid = forkpty(&r->out, NULL, NULL, NULL);
	ck_assert_int_ne(r->pid, -1);
	if (r->pid == 0)
		become(h, parent, home, w.argv);
	r->in = dup(r->out);
	ck_assert_int_ne(r->in, -1);
	return r;
}

/* Read from *fd; closes it at its end, which of a terminal is EIO. */
static void
read_some(int *fd, struct buf *into)
{
	ssize_t n;

	ck_assert_int_eq(buf_reserve(into, 65537), Q_OK);
	n = read(*fd, into->p + into->len, 65536);
	if (n <= 0) {
		ck_assert(n == 0 || errno == EIO);
		close(*fd);
		*fd = -1;
		n = 0;
	}
	into->len += (size_t)n;
	into->p[into->len] = '\0';
}

/* Read whatever comes first.  False: the deadline passed. */
static bool
listen_to(struct run *r, int64_t deadline)
{
	struct pollfd p[2] = {{.fd = r->out, .events = POLLIN},
			      {.fd = r->err, .events = POLLIN}};

	if (poll(p, 2, clock_left_ms(deadline)) <= 0)
		return false;
	if (p[0].revents != 0)
		read_some(&r->out, &r->said);
	if (p[1].revents != 0)
		read_some(&r->err, &r->complaint);
	return true;
}

void
run_say(struct run *r, const char *text)
{
	int64_t deadline = harness_deadline(HARNESS_WAIT);
	size_t left = strlen(text);

	ck_assert_int_eq(fcntl(r->in, F_SETFL, O_NONBLOCK), 0);
	while (left > 0) {
		ssize_t n = write(r->in, text, left);

		if (n > 0) {
			text += n;
			left -= (size_t)n;
		} else if (!listen_to(r, clock_mono_ms() + 5) &&
			   clock_left_ms(deadline) == 0) {
			harness_fail("the client takes no input");
		}
	}
}

void
run_until(struct run *r, const char *text)
{
	run_until_within(r, text, HARNESS_WAIT);
}

/* The end of what came behind from: what a test waits for would be there. */
static const char *
last_of(const struct buf *b, size_t from, size_t max)
{
	return (const char *)b->p + (b->len - from > max ? b->len - max : from);
}

void
run_until_within(struct run *r, const char *text, int ms)
{
	int64_t deadline = harness_deadline(ms);
	const char *found;

	while ((found = strstr((const char *)r->said.p + r->seen, text)) == NULL)
		if ((r->out == -1 && r->err == -1) || !listen_to(r, deadline))
			harness_fail(
			    "waited in vain for \"%s\"; it said \"%s\" and \"%s\"", text,
			    last_of(&r->said, r->seen, 300),
			    last_of(&r->complaint, 0, 200));
	r->seen = (size_t)(found - (const char *)r->said.p) + strlen(text);
}

int
run_ended(struct run *r)
{
	int64_t deadline = harness_deadline(3 * HARNESS_WAIT);
	int status;

	while (r->out != -1 || r->err != -1)
		if (!listen_to(r, deadline))
			harness_fail("the client does not end; it said \"%.300s\"",
				     (const char *)r->said.p + r->seen);
	status = harness_reap(r->pid, deadline);
	r->pid = 0;
	if (r->in != -1)
		close(r->in);
	r->in = -1;
	if (!WIFEXITED(status))
		harness_fail("the client died of signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

int
run_end(struct run *r)
{
	if (r->in != -1)
		close(r->in);
	r->in = -1;
	return run_ended(r);
}

void
run_free(struct run *r)
{
	if (r->pid != 0)
		(void)run_end(r);
	buf_free(&r->said);
	buf_free(&r->complaint);
	free(r);
}

void
run_quit(struct run *r, int status)
{
	int ended = run_end(r);

	if (ended != status)
		harness_fail("status %d, not %d: \"%s\" and \"%s\"", ended, status,
			     last_of(&r->said, 0, 300), last_of(&r->complaint, 0, 200));
	run_free(r);
}

bool
run_said(const struct run *r, const char *text)
{
	return strstr((const char *)r->said.p, text) != NULL;
}

bool
run_complained(const struct run *r, const char *text)
{
	return strstr((const char *)r->complaint.p, text) != NULL;
}

const char *
run_ca_fingerprint(const struct harness *h)
{
	static char prints[2][FINGERPRINT_SIZE];
	static unsigned turn;
	char *print = prints[turn++ % 2];
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	uint8_t sum[SHA256_LEN];
	struct cert *ca;

	ck_assert(harness_read(h, "server/ca.pem", &pem));
	ck_assert_int_eq(cert_parse(buf_span(&pem), &ca), Q_OK);
	ck_assert_int_eq(cert_fingerprint(ca, sum), Q_OK);
	fingerprint_text(sum, print);
	cert_free(ca);
	buf_free(&pem);
	return print;
}

/* ---- whole commands ---- */

/* To its end, which must be with this status. */
static struct run *
whole(struct harness *h, int status, const char *input, const char *home, struct words *w)
{
	struct run *r = start(h, home, w);
	int ended;

	run_say(r, input);
	if ((ended = run_end(r)) != status)
		harness_fail("status %d, not %d: \"%s\" and \"%s\"", ended, status,
			     last_of(&r->said, 0, 300), last_of(&r->complaint, 0, 200));
	return r;
}

struct run *
run_script(struct harness *h, int status, const char *input, const char *home, ...)
{
	struct words w;
	va_list ap;

	first_words(&w, h);
	va_start(ap, home);
	add_words(&w, ap);
	va_end(ap);
	return whole(h, status, input, home, &w);
}

/* One sentence, ours. */
static bool
one_line(const char *text)
{
	const char *newline = strchr(text, '\n');

	return strncmp(text, "client: ", 8) == 0 && newline != NULL && newline[1] == '\0';
}

void
run_refused(struct harness *h, int status, const char *sentence, const char *home, ...)
{
	struct words w;
	struct run *r;
	va_list ap;

	first_words(&w, h);
	va_start(ap, home);
	add_words(&w, ap);
	va_end(ap);
	r = whole(h, status, "", home, &w);
	if (!run_complained(r, sentence) || !one_line((const char *)r->complaint.p))
		harness_fail("it said \"%.400s\"", (const char *)r->complaint.p);
	run_free(r);
}

void
run_enrol(struct harness *h, const char *name)
{
	char code[20], line[24];

	harness_enrol_code(h, code);
	snprintf(line, sizeof(line), "%s\n", code);
	run_free(
	    run_script(h, 0, line, name, "--enroll", "SERVER", "--user", name, NULL));
}

/* "SERVER", who, and ap's; until it has worked. */
static struct run *
log_in(struct harness *h, const char *name, va_list ap)
{
	struct words w;
	char line[64];
	struct run *r;

	first_words(&w, h);
	add_word(&w, "SERVER");
	add_word(&w, "--user");
	add_word(&w, name);
	add_words(&w, ap);
	r = start(h, name, &w);
	snprintf(line, sizeof(line), "* logged in as %s\n", name);
	run_until(r, line);
	return r;
}

struct run *
run_log_in(struct harness *h, const char *name, ...)
{
	struct run *r;
	va_list ap;

	va_start(ap, name);
	r = log_in(h, name, ap);
	va_end(ap);
	return r;
}

struct run *
run_enter(struct harness *h, const char *name, ...)
{
	struct run *r;
	va_list ap;

	run_enrol(h, name);
	va_start(ap, name);
	r = log_in(h, name, ap);
	va_end(ap);
	return r;
}
