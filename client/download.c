/* SPDX-License-Identifier: MIT */
#include "client/download.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/text.h"
#include "client/file.h"
#include "crypto/random.h"

#define PART_PATTERN ".quintet-????????????????.part"
#define NAMES_MAX    10000
/* The disk begins to write behind every so many bytes, so that forcing the whole file
 * out in the end does not keep the person waiting. */
#define FLUSH_BYTES (8 * 1024 * 1024)

/* ---- which folder? ---- */

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* XDG_DOWNLOAD_DIR="$HOME/..." or "/..." (xdg-user-dirs; the file is one that a shell
 * can read, but its format allows only this). */
static bool
from_line(const char *line, const char *home, char out[DOWNLOAD_PATH])
{
	const char *value = line + strlen("XDG_DOWNLOAD_DIR=\""), *end;
	int n;

	if (strncmp(line, "XDG_DOWNLOAD_DIR=\"", strlen("XDG_DOWNLOAD_DIR=\"")) != 0 ||
	    (end = strrchr(value, '"')) == NULL)
		return false;
	if (strncmp(value, "$HOME/", 6) == 0)
		n = snprintf(out, DOWNLOAD_PATH, "%s/%.*s", home, (int)(end - value - 6),
			     value + 6);
	else if (value[0] == '/')
		n = snprintf(out, DOWNLOAD_PATH, "%.*s", (int)(end - value), value);
	else
		return false;
	return n > 0 && n < DOWNLOAD_PATH && is_folder(out);
}

static bool
from_desktop(const char *home, char out[DOWNLOAD_PATH])
{
	const char *config = getenv("XDG_CONFIG_HOME");
	char path[DOWNLOAD_PATH], line[DOWNLOAD_PATH];
	bool found = false;
	FILE *f;
	int n;

	if (config != NULL && config[0] == '/')
		n = snprintf(path, sizeof(path), "%s/user-dirs.dirs", config);
	else
		n = snprintf(path, sizeof(path), "%s/.config/user-dirs.dirs", home);
	if (n >= DOWNLOAD_PATH || (f = fopen(path, "re")) == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = from_line(line, home, out);
	fclose(f);
	return found;
}

void
download_folder(char out[DOWNLOAD_PATH])
{
	const char *home = getenv("HOME");

	if (home != NULL && home[0] == '/') {
		if (from_desktop(home, out))
			return;
		if (snprintf(out, DOWNLOAD_PATH, "%s/Downloads", home) < DOWNLOAD_PATH &&
		    is_folder(out))
			return;
	}
	strlcpy(out, ".", DOWNLOAD_PATH);
}

/* ---- partial files ---- */

/* What a client that was killed has left: nobody holds its lock. */
static void
sweep(int folder)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	DIR *dir = copy == -1 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (dir == NULL) {
		if (copy != -1)
			close(copy);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (fnmatch(PART_PATTERN, entry->d_name, FNM_PERIOD) != 0)
			continue;
		fd = openat(folder, entry->d_name,
			    O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd == -1)
			continue;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			(void)unlinkat(folder, entry->d_name, 0);
		close(fd);
	}
	closedir(dir);
}

/* A new one with our lock on it.  Another client may have swept it away before it was
 * locked: then it has no name any more. */
static int
make_part(struct download *d)
{
	uint8_t random[8];
	char hex[HEX_LEN(sizeof(random)) + 1];
	struct stat st;

	for (int i = 0; i < 3; i++) {
		random_bytes(random, sizeof(random));
		hex_encode(span_of(random, sizeof(random)), hex);
		snprintf(d->part, sizeof(d->part), ".quintet-%s.part", hex);
		d->fd =
		    openat(d->folder, d->part,
			   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (d->fd == -1)
			return -1;
		if (flock(d->fd, LOCK_EX | LOCK_NB) == 0 && fstat(d->fd, &st) == 0 &&
		    st.st_nlink == 1)
			return 0;
		close(d->fd);
		d->fd = -1;
		errno = EBUSY;
	}
	return -1;
}

/* Room for all of it, if the file system knows such a thing. */
static int
reserve(int fd, uint64_t size)
{
	int failed;

	if (size == 0)
		return 0;
	if (size > INT64_MAX) {
		errno = EFBIG;
		return -1;
	}
	do
		failed = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size);
	while (failed == -1 && errno == EINTR);
	return failed == -1 && errno != EOPNOTSUPP && errno != ENOSYS ? -1 : 0;
}

static enum qerr
failed(const struct download *d, const char *what, int failure, struct why *why)
{
	return why_set(why, qerr_errno(failure), "%s %.200s: %s", what, d->folder_path,
		       strerror(failure));
}

enum qerr
download_open(struct download *d, const char *folder, uint64_t size, struct why *why)
{
	enum qerr e = Q_OK;

	*d = (struct download)DOWNLOAD_INIT;
	if (strlcpy(d->folder_path, folder, sizeof(d->folder_path)) >=
	    sizeof(d->folder_path))
		return why_set(why, Q_LIMIT, "the folder's path is too long");
	d->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->folder == -1)
		return failed(d, "cannot open the folder", errno, why);
	sweep(d->folder);
	if (make_part(d) == -1)
		e = failed(d, "cannot make a file in", errno, why);
	else if (reserve(d->fd, size) == -1)
		e = failed(d, "no room for the file in", errno, why);
	if (e != Q_OK)
		download_drop(d);
	return e;
}

enum qerr
download_write(struct download *d, struct span bytes, struct why *why)
{
	while (bytes.len > 0) {
		ssize_t n = write(d->fd, bytes.p, bytes.len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return failed(d, "cannot write to", errno, why);
		bytes = span_of(bytes.p + n, bytes.len - (size_t)n);
		d->written += (uint64_t)n;
	}
	if (d->written - d->flushed >= FLUSH_BYTES) {
		(void)sync_file_range(d->fd, (off_t)d->flushed,
				      (off_t)(d->written - d->flushed),
				      SYNC_FILE_RANGE_WRITE);
		d->flushed = d->written;
	}
	return Q_OK;
}

/* ---- into place ---- */

/* name, or name-N before its ending. */
static void
numbered(const char *name, int n, char *out, size_t size)
{
	const char *dot = strrchr(name, '.');
	int stem = dot != NULL && dot != name ? (int)(dot - name) : (int)strlen(name);

	if (n == 0)
		strlcpy(out, name, size);
	else
		snprintf(out, size, "%.*s-%d%s", stem, name, n, name + stem);
}

/* Not every file system can rename without replacing; all that people keep files on
 * have links then. */
static int
place(const struct download *d, const char *name)
{
	if (renameat2(d->folder, d->part, d->folder, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(d->folder, d->part, d->folder, name, 0) == -1)
		return -1;
	(void)unlinkat(d->folder, d->part, 0);
	return 0;
}

/* Under the first name that is free; out has room for it. */
static int
place_somewhere(const struct download *d, const char *name, char *out, size_t size)
{
	for (int n = 0; n < NAMES_MAX; n++) {
		numbered(name, n, out, size);
		if (place(d, out) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return -1;
}

static enum qerr
finish(struct download *d, struct span called, uint64_t id, char path[DOWNLOAD_PATH],
       struct why *why)
{
	char name[FILE_NAME_SIZE], full[FILE_NAME_SIZE + 8];
	int failure;

	/* Room that was reserved and is not used is given back. */
	if (ftruncate(d->fd, (off_t)d->written) == -1 || fsync(d->fd) == -1)
		return failed(d, "cannot force to the disk a file in", errno, why);
	file_name(called, id, "", name);
	if (place_somewhere(d, name, full, sizeof(full)) == -1)
		return failed(d, "cannot name the file in", errno, why);
	if (fsync(d->folder) == -1) {
		failure = errno;
		(void)unlinkat(d->folder, full, 0);
		return failed(d, "cannot force to the disk the folder", failure, why);
	}
	if (strcmp(d->folder_path, ".") == 0 ||
	    snprintf(path, DOWNLOAD_PATH, "%s/%s", d->folder_path, full) >= DOWNLOAD_PATH)
		strlcpy(path, full, DOWNLOAD_PATH);
	d->part[0] = '\0';
	return Q_OK;
}

enum qerr
download_keep(struct download *d, struct span called, uint64_t id,
	      char path[DOWNLOAD_PATH], struct why *why)
{
	enum qerr e = finish(d, called, id, path, why);

	download_drop(d);
	return e;
}

void
download_drop(struct download *d)
{
	if (d->fd != -1) {
		if (d->part[0] != '\0')
			(void)unlinkat(d->folder, d->part, 0);
		close(d->fd);
	}
	if (d->folder != -1)
		close(d->folder);
	d->fd = d->folder = -1;
}
