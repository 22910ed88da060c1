/* SPDX-License-Identifier: MIT
 *
 * Public keys.  Whoever drops a key into pems/ may spell the file as the user
 * spells the name, so a look-up tries the folded name first, which costs one
 * openat(2), and then an index of the files that are spelled otherwise.  The
 * index is made again when the folder's mtime has changed.  A change within the
 * clock's grain of the last one may leave the mtime as it was; an index made so
 * soon after a change is not trusted the next time.
 *
 * Two files for one name: the folded spelling wins (it is the one that we write,
 * so a key that somebody drops in never displaces one that is in use), among
 * others the first in byte order.  `check` says so.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/file.h"
#include "store/users_priv.h"

#define NEW_PREFIX      ".new-" /* a key that is not shown yet */
#define GRAIN_NS        20000000LL
#define COARSE_GRAIN_NS 2000000000LL /* file systems that count whole seconds */

static void
pem_file(const char *prefix, const char *name, char out[PEM_FILE_SIZE])
{
	snprintf(out, PEM_FILE_SIZE, "%s%.*s" PEM_SUFFIX, prefix, NAME_MAX_LEN, name);
}

enum qerr
pem_file_user(const char *file, char name[NAME_SIZE])
{
	size_t len = strlen(file), suffix = sizeof(PEM_SUFFIX) - 1;

	if (len <= suffix || strcmp(file + len - suffix, PEM_SUFFIX) != 0)
		return Q_FORMAT;
	return name_copy(span_of(file, len - suffix), name);
}

/* ---- the index ---- */

void
pem_index_init(struct pem_index *p)
{
	lock_init(&p->lock);
	p->spelled = NULL;
	p->n = 0;
	p->sure = false;
}

void
pem_index_fini(struct pem_index *p)
{
	free(p->spelled);
	lock_fini(&p->lock);
}

static int
spelling_cmp(const void *a, const void *b)
{
	int c = name_cmp(a, b);

	return c != 0 ? c : strcmp(a, b);
}

struct gathering {
	char (*spelled)[NAME_SIZE];
	size_t n, room;
	bool no_memory;
};

static bool
gather(void *arg, const char *file)
{
	struct gathering *g = arg;
	char name[NAME_SIZE], folded[NAME_SIZE];

	if (pem_file_user(file, name) != Q_OK)
		return true;
	name_fold(name, folded);
	if (strcmp(name, folded) == 0)
		return true;
	if (g->n == g->room) {
		size_t room = g->room == 0 ? 16 : g->room * 2;
		void *p = reallocarray(g->spelled, room, sizeof(*g->spelled));

		if (p == NULL) {
			g->no_memory = true;
			return false;
		}
		g->spelled = p;
		g->room = room;
	}
	memcpy(g->spelled[g->n++], name, NAME_SIZE);
	return true;
}

static int64_t
nanoseconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)(now.tv_sec - then->tv_sec) * 1000000000 + now.tv_nsec -
	       then->tv_nsec;
}

/* The lock is held while the folder is read: those who wait want its result. */
static enum qerr
index_refresh(struct store *s)
{
	struct pem_index *p = &s->pems;
	struct gathering g = {NULL, 0, 0, false};
	struct stat st;
	int64_t age;
	enum qerr e;

	LOCK_ASSERT_HELD(&p->lock);
	if (fstat(s->fd[FOLDER_PEMS], &st) != 0)
		return qerr_errno(errno);
	if (p->sure && st.st_mtim.tv_sec == p->mtime.tv_sec &&
	    st.st_mtim.tv_nsec == p->mtime.tv_nsec)
		return Q_OK;
	age = nanoseconds_since(&st.st_mtim);
	e = folder_each(s, FOLDER_PEMS, gather, &g);
	if (e == Q_OK && g.no_memory)
		e = Q_NOMEM;
	if (e != Q_OK) {
		free(g.spelled);
		return e;
	}
	if (g.n > 1)
		qsort(g.spelled, g.n, sizeof(*g.spelled), spelling_cmp);
	free(p->spelled);
	p->spelled = g.spelled;
	p->n = g.n;
	p->mtime = st.st_mtim;
	p->sure = age > (st.st_mtim.tv_nsec == 0 ? COARSE_GRAIN_NS : GRAIN_NS);
	return Q_OK;
}

/* The first spelling of a folded name other than the folded one. */
static enum qerr
index_find(struct store *s, const char *folded, char spelled[NAME_SIZE])
{
	struct pem_index *p = &s->pems;
	size_t lo = 0, hi;
	enum qerr e;

	lock_take(&p->lock);
	if ((e = index_refresh(s)) != Q_OK)
		goto out;
	hi = p->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (name_cmp(p->spelled[mid], folded) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < p->n && name_cmp(p->spelled[lo], folded) == 0)
		memcpy(spelled, p->spelled[lo], NAME_SIZE);
	else
		e = Q_MISSING;
out:
	lock_drop(&p->lock);
	return e;
}

/* ---- looking ---- */

enum qerr
pem_spelling(struct store *s, const char *folded, char spelled[NAME_SIZE])
{
	char file[PEM_FILE_SIZE];
	struct stat st;

	pem_file("", folded, file);
	if (fstatat(s->fd[FOLDER_PEMS], file, &st, 0) == 0) {
		memcpy(spelled, folded, NAME_SIZE);
		return Q_OK;
	}
	return errno == ENOENT ? index_find(s, folded, spelled) : qerr_errno(errno);
}

static struct file_stamp
stamp_of(const struct stat *st)
{
	return (struct file_stamp){st->st_ino, st->st_size,
				   (int64_t)st->st_mtim.tv_sec * 1000000000 +
				       st->st_mtim.tv_nsec};
}

enum qerr
users_find_pem(struct store *s, const char *name, struct buf *pem,
	       struct file_stamp *stamp, char spelled[NAME_SIZE])
{
	char at[NAME_SIZE], file[PEM_FILE_SIZE];
	struct stat st;
	enum qerr e;

	if (!name_valid(span_str(name)))
		return Q_MISSING;
	name_fold(name, at);
	pem_file("", at, file);
	e = file_read_limit(s->fd[FOLDER_PEMS], file, PEM_MAX, pem, &st);
	if (e == Q_MISSING && (e = index_find(s, at, at)) == Q_OK) {
		pem_file("", at, file);
		e = file_read_limit(s->fd[FOLDER_PEMS], file, PEM_MAX, pem, &st);
	}
	if (e != Q_OK)
		return e;
	*stamp = stamp_of(&st);
	if (spelled != NULL)
		memcpy(spelled, at, NAME_SIZE);
	return Q_OK;
}

enum qerr
users_stamp_pem(struct store *s, const char *name, struct file_stamp *stamp)
{
	char at[NAME_SIZE], file[PEM_FILE_SIZE];
	struct stat st;
	enum qerr e;

	if (!name_valid(span_str(name)))
		return Q_MISSING;
	name_fold(name, at);
	pem_file("", at, file);
	if (fstatat(s->fd[FOLDER_PEMS], file, &st, 0) != 0) {
		if (errno != ENOENT)
			return qerr_errno(errno);
		if ((e = index_find(s, at, at)) != Q_OK)
			return e;
		pem_file("", at, file);
		if (fstatat(s->fd[FOLDER_PEMS], file, &st, 0) != 0)
			return qerr_errno(errno);
	}
	*stamp = stamp_of(&st);
	return Q_OK;
}

/* ---- changing; the users lock is held ---- */

enum qerr
pem_prepare(struct store *s, const char *folded, struct span pem)
{
	char file[PEM_FILE_SIZE];

	pem_file(NEW_PREFIX, folded, file);
	return file_replace(s->fd[FOLDER_PEMS], file, pem, 0644);
}

enum qerr
pem_show(struct store *s, const char *folded)
{
	int dir = s->fd[FOLDER_PEMS];
	char hidden[PEM_FILE_SIZE], file[PEM_FILE_SIZE];

	pem_file(NEW_PREFIX, folded, hidden);
	pem_file("", folded, file);
	if (file_rename(dir, hidden, dir, file) != 0 || fsync(dir) != 0)
		return qerr_errno(errno);
	return Q_OK;
}

void
pem_withdraw(struct store *s, const char *folded)
{
	char file[PEM_FILE_SIZE];
	int saved = errno;

	pem_file(NEW_PREFIX, folded, file);
	(void)file_unlink(s->fd[FOLDER_PEMS], file);
	errno = saved;
}

enum qerr
pem_remove(struct store *s, const char *folded, bool keep_folded)
{
	char at[NAME_SIZE], file[PEM_FILE_SIZE];
	bool found = false;
	enum qerr e = Q_MISSING;

	if (!keep_folded) {
		pem_file("", folded, file);
		e = file_remove(s->fd[FOLDER_PEMS], file);
		found = e == Q_OK;
	}
	while ((e == Q_OK || e == Q_MISSING) && (e = index_find(s, folded, at)) == Q_OK) {
		pem_file("", at, file);
		e = file_remove(s->fd[FOLDER_PEMS], file);
		if (e == Q_MISSING) /* somebody was quicker; the index will see */
			break;
		found = true;
	}
	return e == Q_MISSING && found ? Q_OK : e;
}

static bool
recover_one(void *arg, const char *file)
{
	struct store *s = arg;
	char name[NAME_SIZE], folded[NAME_SIZE], shown[PEM_FILE_SIZE];
	struct why note = {""};
	struct stat st;

	if (strncmp(file, NEW_PREFIX, sizeof(NEW_PREFIX) - 1) != 0 ||
	    pem_file_user(file + sizeof(NEW_PREFIX) - 1, name) != Q_OK)
		return true;
	name_fold(name, folded);
	pem_file("", folded, shown);
	if (fstatat(s->fd[FOLDER_USERS], folded, &st, 0) == 0 &&
	    fstatat(s->fd[FOLDER_PEMS], shown, &st, 0) != 0 && errno == ENOENT) {
		if (pem_show(s, folded) != Q_OK)
			store_report(s, "pems/%s: cannot be renamed: %s", file,
				     strerror(errno));
	} else if (store_set_aside(s, FOLDER_PEMS, file,
				   "left by an interrupted registration",
				   &note) == Q_OK) {
		store_tell(s, &note);
	}
	return true;
}

void
pem_recover(struct store *s)
{
	enum qerr e = folder_each(s, FOLDER_PEMS, recover_one, s);

	if (e != Q_OK)
		store_report(s, "pems: cannot be listed: %s", qerr_str(e));
}
