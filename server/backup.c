/* SPDX-License-Identifier: MIT
 *
 * The archive is written here and not by a running server: the person's own rights say
 * where, and a server that copies gigabytes would answer no other command meanwhile.
 * The snapshot is read with the rights of the data directory's owner, also by root.
 */
#include "server/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <bsd/string.h>

#include "server/sandbox.h"
#include "store/file.h"
#include "store/snapshot.h"

#define PATH_SIZE 4096
#define STEP      (64 * 1024)
#define TOP       "data/"

struct backup {
	struct snapshot *snapshot;
	struct sandbox_user user; /* who owns the data directory */
	int folder;               /* where the archive goes */
	int fd;
	int err;                   /* why a block could not be written; 0: none */
	char temp[FILE_TEMP_SIZE]; /* ""; it has got its name, or is not there yet */
	const char *file, *name;   /* as it was given, and without its folder */
	const char *data_dir;
	struct archive *archive;
	struct archive_entry *entry;
	size_t files;
	int64_t bytes; /* of these */
};

/* ---- a person who changes their mind ---- */

static volatile sig_atomic_t interrupted;

static void
interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void
catch_signals(void)
{
	struct sigaction stop = {.sa_handler = interrupt},
			 ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	sigaction(SIGXFSZ, &ignore, NULL); /* a limit is a full disk */
}

/* ---- the file ---- */

static enum qerr
cannot_write(const struct backup *b, int err, struct why *why)
{
	return why_set(why, err == EFBIG ? Q_FULL : qerr_errno(err),
		       "cannot write %s: %s", b->file, strerror(err));
}

static enum qerr
taken(const struct backup *b, struct why *why)
{
	return why_set(why, Q_EXISTS, "%s is there already; nothing is overwritten",
		       b->file);
}

static enum qerr
open_folder(struct backup *b, struct why *why)
{
	char folder[PATH_SIZE];
	const char *slash = strrchr(b->file, '/');

	b->name = slash == NULL ? b->file : slash + 1;
	if (*b->name == '\0')
		return why_set(why, Q_FORMAT, "\"%.200s\" is no file's name", b->file);
	if (strlcpy(folder, b->file, sizeof(folder)) >= sizeof(folder))
		return cannot_write(b, ENAMETOOLONG, why);
	folder[b->name - b->file] = '\0';
	b->folder =
	    open(*folder == '\0' ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return b->folder == -1 ? cannot_write(b, errno, why) : Q_OK;
}

static enum qerr
open_file(struct backup *b, struct why *why)
{
	struct stat st;
	enum qerr e;

	if ((e = open_folder(b, why)) != Q_OK)
		return e;
	if (fstatat(b->folder, b->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return taken(b, why);
	if (file_temp_open(b->folder, b->temp, &b->fd) != Q_OK) {
		b->temp[0] = '\0';
		return cannot_write(b, errno, why);
	}
	return Q_OK;
}

/* Not every file system knows the flag, nor every one link(2). */
static int
name_unless_taken(struct backup *b)
{
	if (renameat2(b->folder, b->temp, b->folder, b->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(b->folder, b->temp, b->folder, b->name, 0) != 0)
		return -1;
	return unlinkat(b->folder, b->temp, 0);
}

static enum qerr
give_name(struct backup *b, struct why *why)
{
	if (fsync(b->fd) != 0)
		return cannot_write(b, errno, why);
	if (name_unless_taken(b) != 0)
		return errno == EEXIST ? taken(b, why) : cannot_write(b, errno, why);
	b->temp[0] = '\0';
	return fsync(b->folder) != 0 ? cannot_write(b, errno, why) : Q_OK;
}

/* ---- the archive ---- */

/* A failure is remembered, and not told to libarchive: it would free nothing of its own
 * any more (3.6). */
static la_ssize_t
write_block(struct archive *a, void *arg, const void *p, size_t n)
{
	struct backup *b = arg;

	(void)a;
	if (b->err == 0 && file_write_all(b->fd, p, n) != Q_OK)
		b->err = errno;
	return (la_ssize_t)n;
}

/* How it stands after a call that returned this. */
static enum qerr
written(const struct backup *b, bool fine, struct why *why)
{
	if (b->err != 0)
		return cannot_write(b, b->err, why);
	if (fine)
		return Q_OK;
	return why_set(why, Q_SYS, "cannot write %s: %s", b->file,
		       archive_error_string(b->archive));
}

static enum qerr
put_header(struct backup *b, const struct snapshot_file *f, const struct stat *st,
	   struct why *why)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), TOP "%s", f->name);
	archive_entry_clear(b->entry);
	archive_entry_set_pathname(b->entry, path);
	archive_entry_set_mode(b->entry, st->st_mode);
	archive_entry_set_uid(b->entry, st->st_uid);
	archive_entry_set_gid(b->entry, st->st_gid);
	archive_entry_set_mtime(b->entry, st->st_mtime, 0);
	archive_entry_set_size(b->entry, f->size);
	return written(b, archive_write_header(b->archive, b->entry) == ARCHIVE_OK, why);
}

static enum qerr
put_content(struct backup *b, const struct snapshot_file *f, struct why *why)
{
	char step[STEP];
	int64_t left = f->size;
	enum qerr e;

	while (left > 0) {
		ssize_t n = read(f->fd, step, left < STEP ? (size_t)left : STEP);

		if (interrupted)
			return why_set(why, Q_CLOSED, "interrupted; nothing was kept");
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return why_set(why, qerr_errno(errno), "cannot read %s: %s",
				       f->name, strerror(errno));
		if (n == 0) /* only what a person edits in place */
			return why_set(why, Q_FORMAT,
				       "%s was changed meanwhile; try again", f->name);
		e = written(b, archive_write_data(b->archive, step, (size_t)n) == n, why);
		if (e != Q_OK)
			return e;
		left -= n;
	}
	return Q_OK;
}

static enum qerr
put_file(struct backup *b, const struct snapshot_file *f, struct why *why)
{
	struct stat st;
	enum qerr e;

	if (fstat(f->fd, &st) != 0)
		return why_set(why, qerr_errno(errno), "cannot read %s: %s", f->name,
			       strerror(errno));
	if ((e = put_header(b, f, &st, why)) != Q_OK || S_ISDIR(st.st_mode))
		return e;
	b->files++;
	b->bytes += f->size;
	return put_content(b, f, why);
}

/* The data directory itself: restored with its owner and mode. */
static enum qerr
put_top(struct backup *b, struct why *why)
{
	const struct snapshot_file top = {"", -1, 0};
	struct stat st;

	if (stat(b->data_dir, &st) != 0)
		return why_set(why, qerr_errno(errno), "cannot read %s: %s", b->data_dir,
			       strerror(errno));
	return put_header(b, &top, &st, why);
}

static enum qerr
put_all(struct backup *b, struct why *why)
{
	struct snapshot_file f;
	enum qerr e;

	if ((e = put_top(b, why)) != Q_OK)
		return e;
	while ((e = snapshot_next(b->snapshot, &f, why)) == Q_OK)
		if ((e = put_file(b, &f, why)) != Q_OK)
			return e;
	if (e != Q_MISSING)
		return e;
	return written(b, archive_write_close(b->archive) == ARCHIVE_OK, why);
}

/* ---- what others call ---- */

enum qerr
backup_open(const char *data_dir, const char *file, struct backup **out, struct why *why)
{
	struct backup *b = calloc(1, sizeof(*b));
	enum qerr e;

	if (b == NULL)
		return why_set(why, Q_NOMEM, "there is no memory");
	b->folder = b->fd = -1;
	b->file = file;
	b->data_dir = data_dir;
	catch_signals();
	if ((e = snapshot_hold(data_dir, &b->snapshot, why)) == Q_OK &&
	    (e = sandbox_find_user("", data_dir, &b->user, why)) == Q_OK)
		e = open_file(b, why);
	if (e != Q_OK) {
		backup_close(b);
		return e;
	}
	*out = b;
	return Q_OK;
}

enum qerr
backup_write(struct backup *b, struct buf *said, struct why *why)
{
	enum qerr e, left;

	b->archive = archive_write_new();
	b->entry = archive_entry_new();
	if (b->archive == NULL || b->entry == NULL)
		return why_set(why, Q_NOMEM, "there is no memory");
	if (archive_write_set_format_pax_restricted(b->archive) != ARCHIVE_OK ||
	    archive_write_open(b->archive, b, NULL, write_block, NULL) != ARCHIVE_OK)
		return written(b, false, why);
	if ((e = sandbox_enter(&b->user, why)) != Q_OK)
		return e;
	e = put_all(b, why);
	left = sandbox_leave(&b->user, e == Q_OK ? why : NULL);
	if (e == Q_OK && (e = left) == Q_OK)
		e = give_name(b, why);
	if (e == Q_OK)
		(void)buf_printf(said, "%s: %zu files, %" PRId64 " bytes\n", b->file,
				 b->files, b->bytes);
	return e;
}

void
backup_close(struct backup *b)
{
	if (b == NULL)
		return;
	if (b->archive != NULL)
		archive_write_free(b->archive);
	if (b->entry != NULL)
		archive_entry_free(b->entry);
	if (b->temp[0] != '\0')
		(void)unlinkat(b->folder, b->temp, 0);
	if (b->fd != -1)
		close(b->fd);
	if (b->folder != -1)
		close(b->folder);
	snapshot_drop(b->snapshot);
	free(b);
}
