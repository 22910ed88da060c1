/* SPDX-License-Identifier: MIT
 *
 * The reader holds DIR with flock(2) on the directory itself, for which no file has to be
 * made.  Where a file system knows no such lock everybody counts as the holder: two
 * backups at once then spoil each other, and say so.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/decimal.h"
#include "store/file.h"
#include "store/snapshot_priv.h"

#define LIST_MAX (256 * 1024 * 1024)

struct snapshot {
	int dir;         /* DIR, locked */
	int top;         /* DIR/snapshot; -1: not yet opened */
	int fd;          /* of the file that was told last; -1: none */
	struct buf list; /* each entry ends with a NUL */
	size_t at;       /* of the next one */
};

/* ---- removing ---- */

static void
remove_files(int folder)
{
	struct dirent *entry;
	DIR *d = fdopendir(folder); /* takes the descriptor */

	if (d == NULL) {
		close(folder);
		return;
	}
	while ((entry = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
}

void
snapshot_remove(int dir)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, folder;
	int top = openat(dir, SNAPSHOT_FOLDER, flags);

	if (top == -1)
		return;
	/* First: without a list it is none. */
	(void)unlinkat(top, SNAPSHOT_LIST, 0);
	for (int i = 0; i < FOLDER_COUNT; i++) {
		if ((folder = openat(top, store_folder_names[i], flags)) == -1)
			continue;
		remove_files(folder);
		(void)unlinkat(top, store_folder_names[i], AT_REMOVEDIR);
	}
	close(top);
	(void)unlinkat(dir, SNAPSHOT_FOLDER, AT_REMOVEDIR);
}

static bool
held_by_another(int dir)
{
	return flock(dir, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

void
snapshot_clear(struct store *s)
{
	int dir = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir == -1)
		return;
	if (faccessat(dir, SNAPSHOT_FOLDER, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !held_by_another(dir))
		snapshot_remove(dir);
	close(dir);
}

/* ---- reading ---- */

enum qerr
snapshot_hold(const char *dir, struct snapshot **out, struct why *why)
{
	struct snapshot *sn = calloc(1, sizeof(*sn));
	int err;

	if (sn == NULL)
		return why_set(why, Q_NOMEM, "there is no memory");
	sn->top = sn->fd = -1;
	sn->list.max = LIST_MAX;
	if ((sn->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		err = errno;
		free(sn);
		return why_set(why, qerr_errno(err), "no data directory %s: %s", dir,
			       strerror(err));
	}
	if (held_by_another(sn->dir)) {
		close(sn->dir);
		free(sn);
		return why_set(why, Q_EXISTS, "another backup of %s is being made", dir);
	}
	*out = sn;
	return Q_OK;
}

void
snapshot_drop(struct snapshot *sn)
{
	if (sn == NULL)
		return;
	if (sn->fd != -1)
		close(sn->fd);
	if (sn->top != -1)
		close(sn->top);
	snapshot_remove(sn->dir);
	close(sn->dir);
	buf_free(&sn->list);
	free(sn);
}

static enum qerr
cannot_read(const char *name, struct why *why)
{
	int err = errno;

	if (err == ENOENT)
		return why_set(why, Q_CLOSED,
			       "the snapshot is gone: a server was started; try again");
	return why_set(why, qerr_errno(err), "cannot read %s: %s", name, strerror(err));
}

static enum qerr
read_list(struct snapshot *sn, struct why *why)
{
	enum qerr e;

	sn->top = openat(sn->dir, SNAPSHOT_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sn->top == -1)
		return cannot_read(SNAPSHOT_FOLDER, why);
	if ((e = file_read(sn->top, SNAPSHOT_LIST, &sn->list)) != Q_OK)
		return cannot_read(SNAPSHOT_LIST, why);
	if (sn->list.len == 0 || sn->list.p[sn->list.len - 1] != '\0')
		return why_set(why, Q_FORMAT, "the snapshot's list is damaged");
	return Q_OK;
}

/* Nothing in the list leads out of the snapshot. */
static enum qerr
parse_entry(const char *entry, struct snapshot_file *out)
{
	const char *name = strchr(entry, ' '), *slash;
	uint64_t size;

	if (name == NULL ||
	    decimal_read(span_of(entry, (size_t)(name - entry)), INT64_MAX, &size) !=
		Q_OK ||
	    name[1] == '/' || name[1] == '.' || (slash = strchr(name, '/')) == NULL ||
	    slash != strrchr(name, '/') || strcmp(slash, "/..") == 0)
		return Q_FORMAT;
	*out = (struct snapshot_file){name + 1, -1, (int64_t)size};
	return Q_OK;
}

enum qerr
snapshot_next(struct snapshot *sn, struct snapshot_file *out, struct why *why)
{
	struct snapshot_file next;
	enum qerr e;

	if (sn->fd != -1)
		close(sn->fd);
	sn->fd = -1;
	if (sn->top == -1 && (e = read_list(sn, why)) != Q_OK)
		return e;
	if (sn->at == sn->list.len)
		return Q_MISSING;
	if (parse_entry((const char *)sn->list.p + sn->at, &next) != Q_OK)
		return why_set(why, Q_FORMAT, "the snapshot's list is damaged");
	sn->fd = openat(sn->top, next.name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (sn->fd == -1)
		return cannot_read(next.name, why);
	sn->at += strlen((const char *)sn->list.p + sn->at) + 1;
	next.fd = sn->fd;
	*out = next;
	return Q_OK;
}
