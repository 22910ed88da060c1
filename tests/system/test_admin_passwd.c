/* SPDX-License-Identifier: MIT
 *
 * Passwords that an administrator gives: through a pipe and at a terminal, with and
 * without a running server.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/harness_run.h"
#include "tests/system/tls_peer.h"

/* ---- the command ---- */

static _Noreturn void
become_command(struct harness *h, const char *const *words)
{
	const char *argv[16] = {getenv("QUINTET_SERVER")};
	size_t n = 1;

	for (; *words != NULL; words++)
		argv[n++] = *words;
	argv[n++] = "--data";
	argv[n++] = h->data;
	argv[n] = NULL;
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Read what the command says until its end; its exit status. */
static int
finish(pid_t pid, int fd, struct buf *said)
{
	int64_t deadline = harness_deadline(HARNESS_WAIT);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char piece[512];
	ssize_t n;
	int status;

	while (poll(&p, 1, clock_left_ms(deadline)) > 0 &&
	       (n = read(fd, piece, sizeof(piece))) > 0)
		ck_assert_int_eq(buf_put(said, piece, (size_t)n), Q_OK);
	close(fd);
	status = harness_reap(pid, deadline);
	ck_assert_int_eq(buf_put_u8(said, '\0'), Q_OK);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* With input on a pipe. */
static int
piped(struct harness *h, const char *input, struct buf *said, const char *const *words)
{
	int in[2], out[2];
	pid_t pid;

	said->len = 0;
	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	if ((pid = fork()) == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		close(in[0]), close(in[1]), close(out[0]), close(out[1]);
		become_command(h, words);
	}
	close(in[0]);
	close(out[1]);
	ck_assert_int_eq(write(in[1], input, strlen(input)), (ssize_t)strlen(input));
	close(in[1]);
	return finish(pid, out[0], said);
}

/* At a terminal, where a person answers each prompt. */
static int
typed(struct harness *h, const char *const answers[2], struct buf *said,
      const char *const *words)
{
	int64_t deadline = harness_deadline(HARNESS_WAIT);
	struct pollfd p = {.fd = -1, .events = POLLIN};
	char piece[512];
	pid_t pid;
	ssize_t n;

	said->len = 0;
	pid = forkpty(&p.fd, NULL, NULL, NULL);
	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		become_command(h, words);
	for (int i = 0; i < 2; i++) {
		/* A prompt ends with a colon and a blank. */
		do {
			ck_assert_int_eq(poll(&p, 1, clock_left_ms(deadline)), 1);
			n = read(p.fd, piece, sizeof(piece));
			ck_assert_int_gt(n, 0);
			ck_assert_int_eq(buf_put(said, piece, (size_t)n), Q_OK);
		} while (piece[n - 1] != ' ');
		ck_assert_int_gt(write(p.fd, answers[i], strlen(answers[i])), 0);
	}
	return finish(pid, p.fd, said);
}

static bool
says(const struct buf *said, const char *text)
{
	return strstr((const char *)said->p, text) != NULL;
}

/* ---- does the password count? ---- */

/* The connection after "110 NAME PASSWORD"; the answer's status in *status. */
static int
log_in(struct harness *h, const char *name, const char *password, int *status)
{
	int fd = tls_peer_connect(h);
	char line[512];
	ssize_t n;

	snprintf(line, sizeof(line), "110 %s \"%s\"\n", name, password);
	ck_assert_int_eq(send(fd, line, strlen(line), 0), (ssize_t)strlen(line));
	n = recv(fd, line, sizeof(line) - 1, 0);
	ck_assert_int_gt(n, 0);
	line[n] = '\0';
	ck_assert_int_eq(sscanf(line, "212 %d", status), 1);
	return fd;
}

static int
status_of(struct harness *h, const char *name, const char *password)
{
	int status;

	close(log_in(h, name, password, &status));
	return status;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(through_a_pipe)
{
	struct harness *h = harness_start(NULL);
	struct buf said = BUF_INIT(65536);

	ck_assert_int_eq(piped(h, "first password\n", &said,
			       WORDS("user", "add", "alice", "--password-stdin")),
			 0);
	ck_assert(says(&said, "uin: "));
	ck_assert_int_eq(status_of(h, "alice", "first password"), 400);
	/* CR LF, and no line end at all. */
	ck_assert_int_eq(
	    piped(h, "second password\r\n", &said, WORDS("user", "passwd", "alice")), 0);
	ck_assert(says(&said, "alice has a new password"));
	ck_assert_int_eq(status_of(h, "alice", "first password"), 406);
	ck_assert_int_eq(status_of(h, "alice", "second password"), 400);
	ck_assert_int_eq(
	    piped(h, "third password", &said, WORDS("user", "passwd", "ALICE")), 0);
	ck_assert_int_eq(status_of(h, "alice", "third password"), 400);
	ck_assert_int_eq(piped(h, "", &said, WORDS("user", "passwd", "alice")), 1);
	ck_assert(says(&said, "a password has 8 to 384 bytes"));
	ck_assert_int_eq(
	    piped(h, "long enough\n", &said, WORDS("user", "passwd", "nobody")), 1);
	ck_assert(says(&said, "there is no user nobody"));
	ck_assert_int_eq(status_of(h, "alice", "third password"), 400);
	ck_assert(!harness_logged(h, "third password"));
	buf_free(&said);
	harness_free(h);
}
END_TEST

START_TEST(without_a_server)
{
	struct harness *h = harness_new();
	struct buf said = BUF_INIT(65536);

	ck_assert_int_eq(piped(h, "first password\n", &said,
			       WORDS("user", "add", "alice", "--password-stdin")),
			 0);
	ck_assert_int_eq(
	    piped(h, "second password\n", &said, WORDS("user", "passwd", "alice")), 0);
	harness_boot(h, NULL);
	ck_assert_int_eq(status_of(h, "alice", "second password"), 400);
	buf_free(&said);
	harness_free(h);
}
END_TEST

/* Who has the old password is thrown out. */
START_TEST(ends_sessions)
{
	struct harness *h = harness_start(NULL);
	struct buf said = BUF_INIT(65536);
	char rest[512];
	int fd, status;

	ck_assert_int_eq(piped(h, "first password\n", &said,
			       WORDS("user", "add", "alice", "--password-stdin")),
			 0);
	fd = log_in(h, "alice", "first password", &status);
	ck_assert_int_eq(status, 400);
	ck_assert_int_eq(
	    piped(h, "second password\n", &said, WORDS("user", "passwd", "alice")), 0);
	while (recv(fd, rest, sizeof(rest), 0) > 0)
		;
	close(fd);
	ck_assert_int_eq(status_of(h, "alice", "second password"), 400);
	buf_free(&said);
	harness_free(h);
}
END_TEST

START_TEST(at_a_terminal)
{
	struct harness *h = harness_start(NULL);
	struct buf said = BUF_INIT(65536);

	harness_admin(h, "user", "add", "alice", NULL);
	ck_assert_int_eq(typed(h, WORDS("typed password\n", "typed password\n"), &said,
			       WORDS("user", "passwd", "alice")),
			 0);
	ck_assert(says(&said, "New password: "));
	ck_assert(says(&said, "alice has a new password"));
	ck_assert(!says(&said, "typed")); /* no echo */
	ck_assert_int_eq(status_of(h, "alice", "typed password"), 400);
	ck_assert_int_eq(typed(h, WORDS("another one\n", "another two\n"), &said,
			       WORDS("user", "passwd", "alice")),
			 1);
	ck_assert(says(&said, "the two are not the same"));
	ck_assert_int_eq(status_of(h, "alice", "typed password"), 400);
	buf_free(&said);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("passwd");
	TCase *c = harness_case(s, "passwd");

	tcase_add_test(c, through_a_pipe);
	tcase_add_test(c, without_a_server);
	tcase_add_test(c, ends_sessions);
	tcase_add_test(c, at_a_terminal);
	return harness_main(s);
}
