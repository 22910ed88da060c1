/* SPDX-License-Identifier: MIT */
#include "tests/system/harness_run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/system/harness.h"

void
harness_tie(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it was quicker to die */
		_exit(127);
}

/* After fork, in the child: only what is safe there, then the program. */
static _Noreturn void
become(const struct harness_child *c, pid_t parent, int out, int err, char *const *env)
{
	int null = open("/dev/null", O_RDONLY);

	harness_tie(parent);
	signal(SIGPIPE, SIG_DFL);
	if (c->files != 0) {
		struct rlimit r = {c->files, c->files};

		setrlimit(RLIMIT_NOFILE, &r);
	}
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execve(c->argv[0], (char *const *)(uintptr_t)c->argv, env);
	perror(c->argv[0]);
	_exit(127);
}

/* Our environment, with the shim when it is asked for. */
static char **
make_environment(const struct harness_child *c)
{
	static char preload[HARNESS_PATH], fault[HARNESS_PATH + 32];
	static char *env[512];
	const char *build = getenv("QUINTET_BUILD");
	size_t n = 0;

	for (char **e = environ; *e != NULL && n < 500; e++)
		env[n++] = *e;
	if (c->fault_dir != NULL) {
		ck_assert_ptr_nonnull(build);
		snprintf(preload, sizeof(preload),
			 "LD_PRELOAD=%s/tests/system/shim_fault.so", build);
		snprintf(fault, sizeof(fault), FAULT_ENV "=%s/fault", c->fault_dir);
		env[n++] = preload;
		env[n++] = fault;
	}
	env[n] = NULL;
	return env;
}

pid_t
harness_spawn(const struct harness_child *c, int *out_fd)
{
	char **env = make_environment(c);
	pid_t pid, parent = getpid();
	int out[2], err;

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	err = c->error_file == NULL
		  ? out[1]
		  : open(c->error_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ne(err, -1);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		become(c, parent, out[1], err, env);
	close(out[1]);
	if (c->error_file != NULL)
		close(err);
	*out_fd = out[0];
	return pid;
}

ssize_t
harness_read_some(int fd, struct buf *out, int64_t deadline_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	ck_assert_int_eq(buf_reserve(out, 4097), Q_OK);
	out->p[out->len] = '\0';
	if (poll(&p, 1, clock_left_ms(deadline_ms)) <= 0)
		return -1;
	n = read(fd, out->p + out->len, 4096);
	ck_assert_int_ge(n, 0);
	out->len += (size_t)n;
	out->p[out->len] = '\0';
	return n;
}

int
harness_reap(pid_t pid, int64_t deadline_ms)
{
	struct timespec two_ms = {0, 2000000};
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_left_ms(deadline_ms) == 0) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			harness_fail("the process does not end");
		}
		nanosleep(&two_ms, NULL);
	}
	return status;
}
