/* SPDX-License-Identifier: MIT */
#include "client/private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/random.h"

static enum qerr
failed(struct why *why, const char *what, const char *name)
{
	return why_set(why, qerr_errno(errno), "cannot %s %s: %s", what, name,
		       strerror(errno));
}

/* Nobody else has any business in it, whatever made it. */
static enum qerr
tighten(int folder, const char *name, struct why *why)
{
	struct stat st;

	if (fstat(folder, &st) == -1)
		return failed(why, "open the folder", name);
	if (st.st_uid != geteuid())
		return why_set(why, Q_DENIED, "the folder %s is somebody else's", name);
	if ((st.st_mode & 077) != 0 && fchmod(folder, st.st_mode & 0700) == -1)
		return failed(why, "close to others the folder", name);
	return Q_OK;
}

static enum qerr
open_private(int parent, const char *name, int *fd, struct why *why)
{
	int opened = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum qerr e;

	if (opened == -1)
		return failed(why, "open the folder", name);
	if ((e = tighten(opened, name, why)) == Q_OK)
		*fd = opened;
	else
		close(opened);
	return e;
}

enum qerr
private_open(const char *path, int *fd, struct why *why)
{
	char part[4096];

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return why_set(why, Q_LIMIT, "the path of the folder is too long");
	for (char *slash = strchr(part + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0700) == -1 && errno != EEXIST)
			return failed(why, "make the folder", part);
		*slash = '/';
	}
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return failed(why, "make the folder", path);
	return open_private(AT_FDCWD, path, fd, why);
}

enum qerr
private_open_in(int parent, const char *name, int *fd, struct why *why)
{
	if (mkdirat(parent, name, 0700) == -1 && errno != EEXIST)
		return failed(why, "make the folder", name);
	return open_private(parent, name, fd, why);
}

/* The size bytes that the file had when it was looked at. */
static enum qerr
read_all(int file, const char *name, size_t size, struct buf *out, struct why *why)
{
	enum qerr e = buf_reserve(out, size);

	if (e != Q_OK)
		return why_set(why, e, "%s is too large", name);
	while (size > 0) {
		ssize_t n = read(file, out->p + out->len, size);

		if (n == 0)
			break;
		if (n == -1 && errno != EINTR)
			return failed(why, "read", name);
		if (n > 0) {
			out->len += (size_t)n;
			size -= (size_t)n;
		}
	}
	return Q_OK;
}

enum qerr
private_read(int fd, const char *name, enum private_secrecy secret, struct buf *out,
	     struct why *why)
{
	/* Not blocking: a pipe by that name must not hang us. */
	int file = openat(fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t before = out->len;
	struct stat st;
	enum qerr e;

	if (file == -1)
		return failed(why, "read", name);
	if (fstat(file, &st) == -1)
		e = failed(why, "read", name);
	else if (!S_ISREG(st.st_mode))
		e = why_set(why, Q_FORMAT, "%s is no file", name);
	else if (secret == PRIVATE_SECRET && (st.st_mode & 077) != 0)
		e = why_set(why, Q_DENIED,
			    "%s is secret, but others may read it: chmod 600 it first",
			    name);
	else
		e = read_all(file, name, (size_t)st.st_size, out, why);
	if (e != Q_OK) {
		if (out->len > before)
			secret_wipe(out->p + before, out->len - before);
		out->len = before;
	}
	close(file);
	return e;
}

static int
write_all(int file, struct span content)
{
	while (content.len > 0) {
		ssize_t n = write(file, content.p, content.len);

		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0) {
			content.p += n;
			content.len -= (size_t)n;
		}
	}
	return fsync(file);
}

/* A file with a name of its own beside the one that is meant; errno on -1. */
static int
write_beside(int fd, const char *beside, struct span content)
{
	int file = openat(fd, beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int failure;

	if (file == -1)
		return -1;
	if (write_all(file, content) == 0) {
		close(file);
		return 0;
	}
	failure = errno;
	close(file);
	unlinkat(fd, beside, 0);
	errno = failure;
	return -1;
}

static enum qerr
put(int fd, const char *name, struct span content, bool replace, struct why *why)
{
	char beside[64];
	int done;
	enum qerr e = Q_OK;

	assert(strchr(name, '/') == NULL);
	snprintf(beside, sizeof(beside), ".new-%08x%08x", random_u32(), random_u32());
	if (write_beside(fd, beside, content) == -1)
		return failed(why, "write", name);
	if (replace)
		done = renameat(fd, beside, fd, name);
	else
		done = linkat(fd, beside, fd, name, 0);
	if (done == -1)
		e = failed(why, "write", name);
	if (!replace || done == -1)
		unlinkat(fd, beside, 0);
	if (e == Q_OK && fsync(fd) == -1)
		e = failed(why, "write", name);
	return e;
}

enum qerr
private_replace(int fd, const char *name, struct span content, struct why *why)
{
	return put(fd, name, content, true, why);
}

enum qerr
private_create(int fd, const char *name, struct span content, struct why *why)
{
	return put(fd, name, content, false, why);
}

bool
private_has(int fd, const char *name)
{
	return faccessat(fd, name, F_OK, 0) == 0;
}
