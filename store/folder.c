/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_priv.h"

#define NAMES_MAX (256 * 1024 * 1024) /* bytes of names in one folder */

const char *const store_folder_names[FOLDER_COUNT] = {
    [FOLDER_SERVER] = "server",
    [FOLDER_USERS] = "users",
    [FOLDER_UINS] = "uins",
    [FOLDER_PEMS] = "pems",
    [FOLDER_MESSAGES] = "messages",
    [FOLDER_CHATS] = "chats",
    [FOLDER_CONTACTS] = "contacts",
    [FOLDER_MEDIA] = "media",
    [FOLDER_QUEUE] = "queue",
    [FOLDER_ANONS] = "anons",
    [FOLDER_TOKENS] = "tokens",
    [FOLDER_CHATKEYS] = "chatkeys",
    [FOLDER_EMAILS] = "emails",
    [FOLDER_ROOMS] = "rooms",
    [FOLDER_FILES] = "files",
    [FOLDER_SEEN] = "seen",
    [FOLDER_NODES] = "nodes",
    [FOLDER_TALLIES] = "tallies",
    [FOLDER_RESTRICTIONS] = "restrictions",
    [FOLDER_BAD] = "bad",
};

/* Open the folder, made with mode 0700 (whatever the umask) when it is missing. */
static int
folder_open(int parent, const char *name)
{
	bool made = mkdirat(parent, name, 0700) == 0;
	int fd;

	if (!made && errno != EEXIST)
		return -1;
	if (made && fchmodat(parent, name, 0700, 0) != 0)
		return -1;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && made && parent != AT_FDCWD && fsync(parent) != 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

enum qerr
folders_open(struct store *s, struct why *why)
{
	int dir = folder_open(AT_FDCWD, s->dir);
	int err;

	if (dir < 0) {
		err = errno;
		return why_set(why, qerr_errno(err),
			       "cannot open the data directory %s: %s", s->dir,
			       strerror(err));
	}
	for (int i = 0; i < FOLDER_COUNT; i++) {
		s->fd[i] = folder_open(dir, store_folder_names[i]);
		if (s->fd[i] >= 0)
			continue;
		err = errno;
		close(dir);
		return why_set(why, qerr_errno(err), "cannot open %s/%s: %s", s->dir,
			       store_folder_names[i], strerror(err));
	}
	close(dir);
	return Q_OK;
}

void
folders_close(struct store *s)
{
	for (int i = 0; i < FOLDER_COUNT; i++)
		if (s->fd[i] >= 0)
			close(s->fd[i]);
}

static enum qerr
read_names(DIR *d, struct buf *names)
{
	struct dirent *entry;
	enum qerr e = Q_OK;

	while (e == Q_OK) {
		errno = 0;
		if ((entry = readdir(d)) == NULL)
			return errno == 0 ? Q_OK : qerr_errno(errno);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			e = buf_put(names, entry->d_name, strlen(entry->d_name) + 1);
	}
	return e;
}

enum qerr
folder_each(struct store *s, enum store_folder folder,
	    bool (*each)(void *arg, const char *name), void *arg)
{
	struct buf names = BUF_INIT(NAMES_MAX);
	int fd = openat(s->fd[folder], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d;
	enum qerr e;

	if (fd < 0)
		return qerr_errno(errno);
	if ((d = fdopendir(fd)) == NULL) {
		close(fd);
		return Q_NOMEM;
	}
	e = read_names(d, &names);
	closedir(d);
	for (size_t at = 0; e == Q_OK && at < names.len;) {
		const char *name = (const char *)names.p + at;

		if (!each(arg, name))
			break;
		at += strlen(name) + 1;
	}
	buf_free(&names);
	return e;
}
