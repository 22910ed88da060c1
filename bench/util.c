/* SPDX-License-Identifier: MIT */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/util.h"

uint64_t
clock_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) != 0)
		err(1, "clock_gettime");
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t
now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t
thread_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

clockid_t
process_clock(pid_t pid)
{
	clockid_t clock;
	int e;

	if ((e = clock_getcpuclockid(pid, &clock)) != 0)
		errx(1, "no CPU clock of process %d: %s", (int)pid, strerror(e));
	return clock;
}

long
proc_kib(const char *file, pid_t pid, const char *name)
{
	char path[64], line[256];
	size_t len = strlen(name);
	long kib = -1;
	FILE *f;

	if (pid > 0)
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	else
		snprintf(path, sizeof(path), "/proc/%s", file);
	if ((f = fopen(path, "r")) == NULL) {
		if (errno == EACCES)
			return -1;
		err(1, "%s", path);
	}
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			kib = strtol(line + len + 1, NULL, 10);
	fclose(f);
	if (kib < 0)
		errx(1, "%s: no line %s", path, name);
	return kib;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t
quantile(uint64_t *v, size_t n, double q)
{
	if (n == 0)
		errx(1, "no samples");
	qsort(v, n, sizeof(*v), compare);
	return v[(size_t)(q * (double)(n - 1) + 0.5)];
}

void
must(enum qerr e, const char *what)
{
	if (e == Q_SYS)
		err(1, "%s", what);
	if (e != Q_OK)
		errx(1, "%s: %s", what, qerr_str(e));
}

void *
must_alloc(size_t count, size_t size)
{
	void *p;

	if ((p = calloc(count, size)) == NULL)
		err(1, "no memory");
	return p;
}

void
sleep_ms(unsigned ms)
{
	struct timespec ts = {ms / 1000, (long)(ms % 1000) * 1000000};

	nanosleep(&ts, NULL);
}
