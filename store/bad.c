/* SPDX-License-Identifier: MIT
 *
 * What is found damaged goes to DIR/bad/ as DATE-TIME-FOLDER-NAME, in UTC; with
 * ".2", ".3", ... behind it when that is taken.  Nothing in there is ever read
 * again, overwritten or deleted by the server: it is for a person to look at.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/file.h"
#include "store/store_priv.h"

#define TRIES 1000

static void
bad_name(enum store_folder folder, const char *name, int n, char *out, size_t size)
{
	char date[32];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y%m%d-%H%M%S", &tm);
	if (n == 1)
		snprintf(out, size, "%s-%s-%.180s", date, store_folder_names[folder],
			 name);
	else
		snprintf(out, size, "%s-%s-%.180s.%d", date, store_folder_names[folder],
			 name, n);
}

enum qerr
store_set_aside(struct store *s, enum store_folder folder, const char *name,
		const char *reason, struct why *note)
{
	char as[BAD_NAME_SIZE];
	struct stat st;
	enum qerr e = Q_SYS;

	lock_take(&s->bad); /* so that nobody takes the name that was found free */
	for (int n = 1; n <= TRIES; n++) {
		bad_name(folder, name, n, as, sizeof(as));
		if (fstatat(s->fd[FOLDER_BAD], as, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (file_rename(s->fd[folder], name, s->fd[FOLDER_BAD], as) != 0)
			e = qerr_errno(errno);
		else
			e = Q_OK;
		break;
	}
	lock_drop(&s->bad);
	if (e != Q_OK)
		return e;
	(void)fsync(s->fd[FOLDER_BAD]);
	(void)fsync(s->fd[folder]);
	(void)why_set(note, Q_OK, "%s/%s: %s; moved to bad/%s",
		      store_folder_names[folder], name, reason, as);
	return Q_OK;
}

enum qerr
store_bad_open(struct store *s, enum store_folder folder, const char *name,
	       char as[BAD_NAME_SIZE], int *fd)
{
	for (int n = 1; n <= TRIES; n++) {
		bad_name(folder, name, n, as, BAD_NAME_SIZE);
		*fd = openat(s->fd[FOLDER_BAD], as,
			     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (*fd >= 0)
			return Q_OK;
		if (errno != EEXIST)
			return qerr_errno(errno);
	}
	return Q_SYS;
}
