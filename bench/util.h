/* SPDX-License-Identifier: MIT
 *
 * util.h - clocks, memory figures and order statistics for the benchmarks.
 *
 * A benchmark that meets anything unexpected says so and exits (err(3)): a
 * figure from a run that went wrong is worth less than none.
 */
#ifndef BENCH_UTIL_H
#define BENCH_UTIL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"

/* Monotonic, and the CPU time of the calling thread, in nanoseconds. */
uint64_t now_ns(void);
uint64_t thread_cpu_ns(void);

/* The CPU clock of another process (all its threads, living and ended), and
 * its reading.  Nanoseconds, not the 10 ms ticks of /proc/PID/stat. */
clockid_t process_clock(pid_t pid);
uint64_t clock_ns(clockid_t clock);

/* The line "name:  123 kB" of /proc/PID/file, or of /proc/file when pid is 0.
 * -1 when we may not read that file (smaps of a process that is not dumpable
 * are root's alone). */
long proc_kib(const char *file, pid_t pid, const char *name);

/* Sorts v and returns its q-quantile, 0 <= q <= 1. */
uint64_t quantile(uint64_t *v, size_t n, double q);

/* Exit with what when e is not Q_OK. */
void must(enum qerr e, const char *what);
void *must_alloc(size_t count, size_t size);

void sleep_ms(unsigned ms);

#endif
