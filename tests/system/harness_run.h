/* SPDX-License-Identifier: MIT
 *
 * harness_run.h - the harness's dealings with processes: start, read, reap.
 */
#ifndef TESTS_SYSTEM_HARNESS_RUN_H
#define TESTS_SYSTEM_HARNESS_RUN_H

#include <sys/resource.h>
#include <sys/types.h>

#include "base/bytes.h"

struct harness_child {
	const char *const *argv; /* argv[0] is the program */
	const char *error_file;  /* where standard error is appended; NULL: to output */
	const char *fault_dir; /* load shim_fault.so, switches in this folder; or NULL */
	rlim_t files;          /* RLIMIT_NOFILE; 0: as here */
};

/* In a child, first of all: it dies with the test, whose process is parent. */
void harness_tie(pid_t parent);
/* Start it with its standard output in *out_fd.  Fails the test. */
pid_t harness_spawn(const struct harness_child *c, int *out_fd);
/* Append what comes next from fd and a NUL that len does not count.  How many
 * bytes, 0 at the end, -1 when the deadline passed. */
ssize_t harness_read_some(int fd, struct buf *out, int64_t deadline_ms);
/* Wait for pid's end; its wait status.  Kills it and fails the test after the
 * deadline. */
int harness_reap(pid_t pid, int64_t deadline_ms);

#endif
