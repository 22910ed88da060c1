/* SPDX-License-Identifier: MIT */
#include "tests/system/node_play.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/harness_run.h"

#define PACKAGES "build/npm"
#define WAIT     80000
#define ARGS_MAX 12

bool
node_has(const char *package)
{
	char path[256];

	snprintf(path, sizeof(path), PACKAGES "/node_modules/%s", package);
	if (access(path, R_OK) == 0 && system("command -v node >/dev/null") == 0)
		return true;
	printf("skipped: no %s in " PACKAGES " (make deps)\n", package);
	return false;
}

static void
freeze(struct harness *h, pid_t script, const char *name)
{
	ck_assert(harness_has_session(h, name));
	ck_assert_int_eq(kill(script, SIGSTOP), 0);
	HARNESS_UNTIL(!harness_has_session(h, name));
	ck_assert_int_eq(kill(script, SIGCONT), 0);
}

static void
do_it(struct harness *h, pid_t script, const char *words)
{
	char name[NAME_SIZE];

	if (strcmp(words, "stop") == 0) {
		harness_stop(h);
	} else if (strcmp(words, "start") == 0) {
		harness_restart(h);
	} else if (strcmp(words, "restart") == 0) {
		harness_stop(h);
		harness_restart(h);
	} else if (strcmp(words, "crash") == 0) {
		harness_kill(h);
		harness_restart(h);
	} else if (sscanf(words, "kick %32s", name) == 1) {
		harness_admin(h, "ctl", "kick", name, NULL);
	} else if (sscanf(words, "freeze %32s", name) == 1) {
		freeze(h, script, name);
	} else if (strncmp(words, "say ", 4) == 0) {
		harness_admin(h, "ctl", "say", words + 4, NULL);
	} else {
		harness_fail("do what? %s", words);
	}
}

/* Until the script ends; what it says is appended to out. */
static void
follow(struct harness *h, pid_t script, int fd, int input, struct buf *out)
{
	size_t looked = 0;
	char line[256];

	while (harness_read_some(fd, out, harness_deadline(WAIT)) > 0) {
		const uint8_t *end;

		while ((end = memchr(out->p + looked, '\n', out->len - looked)) != NULL) {
			snprintf(line, sizeof(line), "%.*s",
				 (int)(end - out->p - (ptrdiff_t)looked),
				 (const char *)out->p + looked);
			looked = (size_t)(end - out->p) + 1;
			if (strncmp(line, "do: ", 4) != 0)
				continue;
			do_it(h, script, line + 4);
			/* It need not listen. */
			(void)send(input, "done\n", 5, MSG_NOSIGNAL);
		}
	}
}

void
node_play(struct harness *h, const char *script, const char *arg, ...)
{
	const char *argv[ARGS_MAX] = {"/usr/bin/env", "node", script, PACKAGES};
	struct buf out = BUF_INIT(1 << 20);
	int status, input[2], output[2];
	char port[8];
	size_t n = 5;
	va_list ap;
	pid_t pid;

	snprintf(port, sizeof(port), "%u", h->port);
	argv[4] = port;
	va_start(ap, arg);
	for (; arg != NULL && n < ARGS_MAX - 1; arg = va_arg(ap, const char *))
		argv[n++] = arg;
	va_end(ap);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input), 0);
	ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
	ck_assert_int_ge(pid = fork(), 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(input[1], STDIN_FILENO);
		dup2(output[1], STDOUT_FILENO);
		dup2(output[1], STDERR_FILENO);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(input[1]);
	close(output[1]);
	follow(h, pid, output[0], input[0], &out);
	status = harness_reap(pid, harness_deadline(HARNESS_WAIT));
	close(input[0]);
	close(output[0]);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%.*s", (int)out.len,
		      (const char *)out.p);
	buf_free(&out);
}
