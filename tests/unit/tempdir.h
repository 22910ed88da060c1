/* SPDX-License-Identifier: MIT
 *
 * tempdir.h - a folder for one test, gone afterwards; and what the tests of the
 * store do to files behind its back.
 */
#ifndef TESTS_TEMPDIR_H
#define TESTS_TEMPDIR_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

static char tempdir[256];

static inline void
tempdir_make(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(tempdir, sizeof(tempdir), "%s/quintet-unit-XXXXXX",
		 base != NULL ? base : "/tmp");
	if (mkdtemp(tempdir) == NULL)
		abort();
}

static inline int
tempdir_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void
tempdir_remove(void)
{
	(void)nftw(tempdir, tempdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* tempdir/name; good until the next call but three. */
static inline const char *
at(const char *name)
{
	static char paths[4][1024];
	static unsigned turn;
	char *p = paths[turn++ % 4];

	snprintf(p, sizeof(paths[0]), "%s/%s", tempdir, name);
	return p;
}

/* The file's bytes; abort when it cannot be read. */
static inline struct buf
slurp(const char *name)
{
	struct buf b = BUF_INIT(1 << 28);
	uint8_t part[4096];
	FILE *f = fopen(at(name), "rb");
	size_t n;

	if (f == NULL)
		abort();
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		if (buf_put(&b, part, n) != Q_OK)
			abort();
	fclose(f);
	return b;
}

static inline void
spill(const char *name, struct span s)
{
	FILE *f = fopen(at(name), "wb");

	if (f == NULL || (s.len > 0 && fwrite(s.p, 1, s.len, f) != s.len) ||
	    fclose(f) != 0)
		abort();
}

static inline bool
exists(const char *name)
{
	return access(at(name), F_OK) == 0;
}

/* How many names in a folder have this in them ("": all). */
static inline int
count_names(const char *folder, const char *part)
{
	DIR *d = opendir(at(folder));
	struct dirent *e;
	int n = 0;

	if (d == NULL)
		abort();
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    strstr(e->d_name, part) != NULL)
			n++;
	closedir(d);
	return n;
}

/* The first such name. */
static inline const char *
find_name(const char *folder, const char *part)
{
	static char name[600];
	DIR *d = opendir(at(folder));
	struct dirent *e;

	if (d == NULL)
		abort();
	while ((e = readdir(d)) != NULL &&
	       (e->d_name[0] == '.' || strstr(e->d_name, part) == NULL))
		continue;
	if (e == NULL)
		abort();
	snprintf(name, sizeof(name), "%s/%s", folder, e->d_name);
	closedir(d);
	return name;
}

/* As on a full disk: no file grows beyond so many bytes, until RLIM_INFINITY brings the
 * limit back that was there before.  Check writes what it counts into a file: between the
 * two it can tell no more than fits. */
static inline void
limit_files(rlim_t bytes)
{
	static struct rlimit before;
	static bool limited;
	struct rlimit now;

	signal(SIGXFSZ, SIG_IGN);
	if (!limited && getrlimit(RLIMIT_FSIZE, &before) != 0)
		abort();
	limited = bytes != RLIM_INFINITY;
	now = before;
	if (limited)
		now.rlim_cur = bytes;
	if (setrlimit(RLIMIT_FSIZE, &now) != 0)
		abort();
}

#endif
