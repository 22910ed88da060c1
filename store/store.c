/* SPDX-License-Identifier: MIT
 *
 * Opening the data directory costs the same for ten users and for ten thousand:
 * folders are opened, names are listed for what a kill left behind, and nothing
 * is read.  Everything else is looked at when it is first asked for.
 *
 * The lock is an "open file description" lock of fcntl(2).  The classic kind is
 * dropped when *any* descriptor of the file is closed in the process, and does
 * not keep two stores in one process apart; flock(2) is as good locally but is
 * emulated, or missing, on network file systems.  A kill drops it, so a stale
 * lock cannot exist; the pid in the file is only for the sentence that a second
 * server prints.
 */
#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/file.h"
#include "store/snapshot_priv.h"
#include "store/store_priv.h"

/* ---- telling ---- */

void
store_tell(struct store *s, const struct why *note)
{
	if (s->report != NULL && note->text[0] != '\0')
		s->report(s->report_arg, note->text);
}

void
store_report(struct store *s, const char *fmt, ...)
{
	struct why note;
	va_list ap;
	char text[sizeof(note.text)];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)why_set(&note, Q_OK, "%s", text);
	store_tell(s, &note);
}

/* ---- one writer ---- */

static enum qerr
lock_refused(struct store *s, int err, struct why *why)
{
	char pid[24];
	ssize_t n;

	if (err != EAGAIN && err != EACCES)
		return why_set(why, qerr_errno(err),
			       "cannot lock %s/server/" STORE_LOCK ": %s", s->dir,
			       strerror(err));
	n = pread(s->lock_fd, pid, sizeof(pid) - 1, 0);
	pid[n > 0 ? (size_t)n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	if (pid[0] == '\0')
		return why_set(why, Q_EXISTS, "%s is in use by another process", s->dir);
	return why_set(why, Q_EXISTS, "%s is in use by process %s", s->dir, pid);
}

static enum qerr
take_directory(struct store *s, struct why *why)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char pid[24];
	int n;

	s->lock_fd = openat(s->fd[FOLDER_SERVER], STORE_LOCK,
			    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return why_set(why, qerr_errno(errno),
			       "cannot open %s/server/" STORE_LOCK ": %s", s->dir,
			       strerror(errno));
	if (fcntl(s->lock_fd, F_OFD_SETLK, &whole) != 0)
		return lock_refused(s, errno, why);
	/* A full disk keeps nobody from serving: without a pid the sentence is
	 * shorter, that is all. */
	(void)fchmod(s->lock_fd, 0600);
	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(s->lock_fd, 0) == 0)
		(void)!pwrite(s->lock_fd, pid, (size_t)n, 0);
	return Q_OK;
}

/* ---- leftovers of a kill ---- */

struct leftovers {
	struct store *s;
	enum store_folder folder;
};

static bool
put_leftover_aside(void *arg, const char *name)
{
	struct leftovers *l = arg;
	int dir = l->s->fd[l->folder];
	struct why note = {""};
	struct stat st;

	if (!file_is_temporary(name) || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return true;
	/* Empty, the second name of a file that has got its own, or content that only
	 * those can read to whom it never came. */
	if (S_ISREG(st.st_mode) &&
	    (st.st_size == 0 || st.st_nlink > 1 || l->folder == FOLDER_FILES))
		(void)unlinkat(dir, name, 0);
	else if (store_set_aside(l->s, l->folder, name,
				 "left by an interrupted replacement", &note) == Q_OK)
		store_tell(l->s, &note);
	return true;
}

static void
clear_leftovers(struct store *s)
{
	for (int i = 0; i < FOLDER_COUNT; i++) {
		struct leftovers l = {s, (enum store_folder)i};
		enum qerr e = folder_each(s, l.folder, put_leftover_aside, &l);

		if (e != Q_OK)
			store_report(s, "%s: cannot be listed: %s", store_folder_names[i],
				     qerr_str(e));
	}
}

/* ---- open and close ---- */

static struct store *
store_new(const char *dir, const struct store_options *opt)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	if ((s->dir = strdup(dir)) == NULL || logs_init(&s->logs, opt) != Q_OK) {
		free(s->dir);
		free(s);
		return NULL;
	}
	for (int i = 0; i < FOLDER_COUNT; i++)
		s->fd[i] = -1;
	s->lock_fd = -1;
	s->report = opt->report;
	s->report_arg = opt->report_arg;
	lock_init(&s->users);
	lock_init(&s->bad);
	lock_init(&s->media.lock);
	for (size_t i = 0; i < POSITIONS_LOCKS; i++)
		lock_init(&s->positions[i]);
	for (size_t i = 0; i < PERSONAL_LOCKS; i++)
		lock_init(&s->personal[i]);
	pem_index_init(&s->pems);
	return s;
}

enum qerr
store_open(const char *dir, const struct store_options *opt, struct store **out,
	   struct why *why)
{
	struct store *s = store_new(dir, opt);
	enum qerr e;

	if (s == NULL)
		return why_set(why, Q_NOMEM, "cannot open %s: no memory", dir);
	if ((e = folders_open(s, why)) != Q_OK || (e = take_directory(s, why)) != Q_OK)
		goto out;
	users_recover(s);
	clear_leftovers(s);
	snapshot_clear(s);
	if ((e = logs_start(s)) != Q_OK) {
		(void)why_set(why, e, "cannot open %s: no thread", dir);
		goto out;
	}
	*out = s;
	return Q_OK;
out:
	store_close(s);
	return e;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	logs_fini(s);
	pem_index_fini(&s->pems);
	scratch_fini(s);
	folders_close(s);
	if (s->lock_fd >= 0)
		close(s->lock_fd); /* last: what is above belongs to us till here */
	lock_fini(&s->users);
	lock_fini(&s->bad);
	lock_fini(&s->media.lock);
	for (size_t i = 0; i < POSITIONS_LOCKS; i++)
		lock_fini(&s->positions[i]);
	for (size_t i = 0; i < PERSONAL_LOCKS; i++)
		lock_fini(&s->personal[i]);
	free(s->dir);
	free(s);
}

const char *
store_dir(const struct store *s)
{
	return s->dir;
}

/* ---- small files ---- */

enum qerr
store_server_read(struct store *s, const char *name, struct buf *out)
{
	return file_read(s->fd[FOLDER_SERVER], name, out);
}

enum qerr
store_server_write(struct store *s, const char *name, struct span content, unsigned mode)
{
	assert(strchr(name, '/') == NULL && strcmp(name, STORE_LOCK) != 0);
	return file_replace(s->fd[FOLDER_SERVER], name, content, mode);
}

enum qerr
store_server_set_aside(struct store *s, const char *name, const char *reason)
{
	struct why note = {""};
	enum qerr e = store_set_aside(s, FOLDER_SERVER, name, reason, &note);

	store_tell(s, &note);
	return e;
}
