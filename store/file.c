/* SPDX-License-Identifier: MIT
 *
 * A file is never changed in place.  New content goes to a temporary name in
 * the same directory, is forced to the disk, and only then takes the name; so
 * whoever reads, and whoever starts after a kill, sees the old file or the new
 * one.  The directory is forced too: without that a power cut could undo a
 * rename that was already acknowledged.
 */
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/pause.h"

#define TEMP_PREFIX ".tmp-" /* no name of ours begins with a dot */
#define TEMP_TRIES  1000    /* leftovers of a killed process with our pid */
#define READ_STEP   4096

/* close(2) for paths that have an errno to keep. */
static void
close_quietly(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

static void
unlink_quietly(int dirfd, const char *name)
{
	int saved = errno;

	(void)unlinkat(dirfd, name, 0);
	errno = saved;
}

/* ---- reading ---- */

static enum qerr
read_some(int fd, struct buf *out, bool *end)
{
	uint8_t beyond;
	bool full = out->len == out->max;
	enum qerr e;
	ssize_t n;

	if (!full) {
		size_t room = out->max - out->len;

		e = buf_reserve(out, room < READ_STEP ? room : READ_STEP);
		if (e != Q_OK)
			return e;
	}
	do
		n = full ? read(fd, &beyond, 1)
			 : read(fd, out->p + out->len, out->cap - out->len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return qerr_errno(errno);
	if (full && n > 0)
		return Q_LIMIT;
	out->len += (size_t)n;
	*end = n == 0;
	return Q_OK;
}

static enum qerr
read_open(int fd, size_t limit, struct buf *out, struct stat *st)
{
	size_t before = out->len;
	bool end = false;
	enum qerr e = Q_OK;

	if (fstat(fd, st) != 0)
		return qerr_errno(errno);
	if (!S_ISREG(st->st_mode)) {
		errno = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
		return Q_SYS;
	}
	/* A file that grows while it is read is caught below. */
	if (st->st_size > 0 && (uintmax_t)st->st_size > limit)
		return Q_LIMIT;
	if (st->st_size > 0 && (e = buf_reserve(out, (size_t)st->st_size)) != Q_OK)
		return e;
	while (e == Q_OK && !end)
		if ((e = read_some(fd, out, &end)) == Q_OK && out->len - before > limit)
			e = Q_LIMIT;
	if (e != Q_OK)
		out->len = before;
	return e;
}

enum qerr
file_read_limit(int dirfd, const char *name, size_t limit, struct buf *out,
		struct stat *st)
{
	/* O_NONBLOCK: a FIFO of that name must not hold us up. */
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum qerr e;

	if (fd < 0)
		return qerr_errno(errno);
	e = read_open(fd, limit, out, st);
	close_quietly(fd);
	return e;
}

enum qerr
file_read(int dirfd, const char *name, struct buf *out)
{
	struct stat st;

	return file_read_limit(dirfd, name, SIZE_MAX, out, &st);
}

/* ---- names ---- */

int
file_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	int result;

	pause_change();
	result = renameat(from_dir, from, to_dir, to);
	pause_changed();
	return result;
}

int
file_unlink(int dirfd, const char *name)
{
	int result;

	pause_change();
	result = unlinkat(dirfd, name, 0);
	pause_changed();
	return result;
}

/* A second name; the first one is a temporary. */
static int
give_name(int dirfd, const char *temp, const char *name)
{
	int result;

	pause_change();
	result = linkat(dirfd, temp, dirfd, name, 0);
	pause_changed();
	return result;
}

/* ---- writing ---- */

enum qerr
file_write_all(int fd, const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n > 0) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return qerr_errno(errno);
		at += w;
		n -= (size_t)w;
	}
	return Q_OK;
}

bool
file_is_temporary(const char *name)
{
	return strncmp(name, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0;
}

enum qerr
file_temp_open(int dirfd, char name[FILE_TEMP_SIZE], int *out)
{
	static _Atomic unsigned counter;

	for (int i = 0; i < TEMP_TRIES; i++) {
		int fd;

		snprintf(name, FILE_TEMP_SIZE, TEMP_PREFIX "%ld-%u", (long)getpid(),
			 atomic_fetch_add(&counter, 1));
		fd = openat(dirfd, name,
			    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return qerr_errno(errno);
		if (fchmod(fd, 0600) != 0) { /* the umask may have taken even these */
			unlink_quietly(dirfd, name);
			close_quietly(fd);
			return qerr_errno(errno);
		}
		*out = fd;
		return Q_OK;
	}
	return Q_SYS; /* errno is EEXIST */
}

/* A temporary file with this content, on the disk. */
static enum qerr
temp_write(int dirfd, char name[FILE_TEMP_SIZE], struct span content, unsigned mode)
{
	int fd;
	enum qerr e = file_temp_open(dirfd, name, &fd);

	if (e != Q_OK)
		return e;
	e = file_write_all(fd, content.p, content.len);
	if (e == Q_OK && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
		e = qerr_errno(errno);
	if (e != Q_OK)
		unlink_quietly(dirfd, name);
	close_quietly(fd);
	return e;
}

enum qerr
file_replace(int dirfd, const char *name, struct span content, unsigned mode)
{
	char temp[FILE_TEMP_SIZE];
	enum qerr e = temp_write(dirfd, temp, content, mode);

	if (e != Q_OK)
		return e;
	if (file_rename(dirfd, temp, dirfd, name) != 0) {
		unlink_quietly(dirfd, temp);
		return qerr_errno(errno);
	}
	return fsync(dirfd) != 0 ? Q_SYS : Q_OK;
}

enum qerr
file_swap(int dirfd, const char *name, struct span content)
{
	char temp[FILE_TEMP_SIZE];
	int fd, err;
	enum qerr e = file_temp_open(dirfd, temp, &fd);

	if (e != Q_OK)
		return e;
	e = file_write_all(fd, content.p, content.len);
	if (e == Q_OK && file_rename(dirfd, temp, dirfd, name) != 0)
		e = qerr_errno(errno);
	err = errno;
	close(fd);
	if (e != Q_OK)
		(void)file_unlink(dirfd, temp);
	errno = err;
	return e;
}

enum qerr
file_create(int dirfd, const char *name, struct span content, unsigned mode)
{
	char temp[FILE_TEMP_SIZE];
	enum qerr e = temp_write(dirfd, temp, content, mode);

	if (e != Q_OK)
		return e;
	if (give_name(dirfd, temp, name) != 0)
		e = qerr_errno(errno);
	unlink_quietly(dirfd, temp);
	if (e == Q_OK && fsync(dirfd) != 0)
		e = Q_SYS;
	return e;
}

enum qerr
file_remove(int dirfd, const char *name)
{
	if (file_unlink(dirfd, name) != 0)
		return qerr_errno(errno);
	return fsync(dirfd) != 0 ? Q_SYS : Q_OK;
}
