/* SPDX-License-Identifier: MIT
 *
 * A log is read without its lock: what lies before its end does not change.
 * Only to rewrite it without the damaged lines the lock is held, so that nothing
 * is appended to the old file meanwhile.  Whoever is reading the old file goes
 * on with it; the struct msglog goes over to the new one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/check_priv.h"
#include "store/file.h"
#include "store/msglog_priv.h"
#include "store/scan.h"

#define READ_STEP   (64 * 1024)
#define WRITE_AFTER (64 * 1024) /* bytes gathered before they are written */

struct survey {
	size_t records, damaged;
	int64_t first; /* offset of the first damaged line */
	uint64_t last_id;
};

/* The next line, where one whose id does not rise counts as damaged (Q_FORMAT),
 * like one that does not decode. */
static enum qerr
next_line(struct scan *sc, struct survey *v, struct buf *data)
{
	struct record_line line;
	struct record r;
	enum qerr e = scan_next(sc, &line);

	if (e == Q_OK)
		e = line.id <= v->last_id ? Q_FORMAT : record_decode(&line, &r, data);
	if (e == Q_OK) {
		v->last_id = line.id;
		v->records++;
	} else if (e == Q_FORMAT) {
		if (v->damaged++ == 0)
			v->first = sc->pos;
	}
	return e;
}

static enum qerr
survey(struct store *s, int fd, int64_t end, struct survey *v)
{
	struct buf *win = scratch_take(s), *data = scratch_take(s);
	struct scan sc;
	enum qerr e = win == NULL || data == NULL ? Q_NOMEM : Q_OK;

	memset(v, 0, sizeof(*v));
	if (e == Q_OK) {
		scan_start(&sc, fd, 0, end, win, READ_STEP);
		do
			e = next_line(&sc, v, data);
		while (e == Q_OK || e == Q_FORMAT);
	}
	scratch_give(s, win);
	scratch_give(s, data);
	return e == Q_MISSING ? Q_OK : e;
}

/* ---- rewriting ---- */

struct rewrite {
	int good, bad; /* descriptors */
	char temp[FILE_TEMP_SIZE];
	char as[BAD_NAME_SIZE];
	int64_t size; /* of what went to good */
};

static enum qerr
flush(int fd, struct buf *b)
{
	enum qerr e = file_write_all(fd, b->p, b->len);

	b->len = 0;
	return e;
}

/* Sort the lines into the two files. */
static enum qerr
sort_lines(struct msglog *l, struct rewrite *w, struct buf *win, struct buf *data,
	   struct buf *out)
{
	struct survey v = {0, 0, 0, 0};
	struct scan sc;
	enum qerr line, e = Q_OK;

	scan_start(&sc, l->file->fd, 0, l->end, win, READ_STEP);
	while (e == Q_OK) {
		line = next_line(&sc, &v, data);
		if (line == Q_FORMAT) {
			e = file_write_all(w->bad, scan_line(&sc).p, sc.len);
			continue;
		}
		if (line != Q_OK) {
			e = line;
			break;
		}
		e = buf_put_span(out, scan_line(&sc));
		w->size += (int64_t)sc.len;
		if (e == Q_OK && out->len >= WRITE_AFTER)
			e = flush(w->good, out);
	}
	return e == Q_MISSING ? flush(w->good, out) : e;
}

/* Both files on the disk, the new one in its place. */
static enum qerr
put_in_place(struct msglog *l, struct rewrite *w)
{
	struct store *s = l->store;
	int dir = s->fd[l->folder];
	char name[MSGLOG_FILE_SIZE];

	snprintf(name, sizeof(name), "%s" MSGLOG_SUFFIX, l->name);
	if (fsync(w->bad) != 0 || fsync(s->fd[FOLDER_BAD]) != 0 || fsync(w->good) != 0 ||
	    file_rename(dir, w->temp, dir, name) != 0)
		return qerr_errno(errno);
	(void)fsync(dir); /* the rename has happened; a power cut may undo it whole */
	return Q_OK;
}

static enum qerr rewrite_locked(struct msglog *l, struct rewrite *w) REQUIRES(l->lock);

static enum qerr
rewrite_locked(struct msglog *l, struct rewrite *w)
{
	struct store *s = l->store;
	struct buf *win = scratch_take(s), *data = scratch_take(s),
		   *out = scratch_take(s);
	struct logfile *f = logfile_new(w->good);
	enum qerr e = Q_NOMEM;

	if (win != NULL && data != NULL && out != NULL && f != NULL)
		e = sort_lines(l, w, win, data, out);
	if (e == Q_OK)
		e = put_in_place(l, w);
	if (e == Q_OK) {
		logfile_put(l, l->file);
		l->file = f;
		l->end = l->synced = l->begun = l->blank_end = w->size;
		l->epoch++;
	} else {
		free(f);
	}
	scratch_give(s, win);
	scratch_give(s, data);
	scratch_give(s, out);
	return e;
}

/* With the files that rewriting needs, which are gone again when it fails. */
static enum qerr UNCHECKED_LOCK
rewrite(struct msglog *l, struct rewrite *w)
{
	struct store *s = l->store;
	struct why note = {""};
	enum qerr e;

	if ((e = store_bad_open(s, l->folder, l->name, w->as, &w->bad)) != Q_OK)
		return e;
	if ((e = file_temp_open(s->fd[l->folder], w->temp, &w->good)) == Q_OK) {
		if ((e = msglog_take(l, false, &note)) == Q_OK) {
			if ((e = msglog_mend(l, &note)) == Q_OK)
				e = rewrite_locked(l, w);
			msglog_leave(l, &note);
		}
		if (e != Q_OK) {
			close(w->good);
			(void)file_unlink(s->fd[l->folder], w->temp);
		}
	}
	close(w->bad);
	if (e != Q_OK)
		(void)file_unlink(s->fd[FOLDER_BAD], w->as);
	return e;
}

/* ---- one log ---- */

static void
tell_damage(struct check *c, struct msglog *l, const struct survey *v)
{
	struct rewrite w = {.size = 0};
	char done[BAD_NAME_SIZE + 32] = "";
	bool repaired = false;
	enum qerr e;

	if (c->repair) {
		e = rewrite(l, &w);
		repaired = e == Q_OK;
		if (repaired)
			snprintf(done, sizeof(done), "; moved to bad/%s", w.as);
		else
			snprintf(done, sizeof(done), "; cannot be repaired: %s",
				 qerr_str(e));
	}
	check_say(c, repaired,
		  "%s/%s" MSGLOG_SUFFIX ": %zu damaged line%s, the first at byte %lld%s",
		  store_folder_names[l->folder], l->name, v->damaged,
		  v->damaged == 1 ? "" : "s", (long long)v->first, done);
}

void UNCHECKED_LOCK
check_log(struct check *c, enum store_folder folder, const char *name)
{
	struct why note = {""};
	struct logfile *f;
	struct survey v;
	struct msglog *l;
	int64_t end;
	enum qerr e = table_get(c->store, folder, name, &l);

	if (e != Q_OK) {
		check_say(c, false, "%s/%s" MSGLOG_SUFFIX ": %s",
			  store_folder_names[folder], name, qerr_str(e));
		return;
	}
	if ((e = msglog_take(l, false, &note)) == Q_OK) {
		bool mended = l->tail == TAIL_CLEAN;

		end = l->end;
		f = l->file;
		f->refs++;
		lock_drop(&l->lock);
		if (note.text[0] != '\0') /* found at this opening: ours to tell */
			check_say(c, mended, "%s", note.text);
		e = survey(c->store, f->fd, end, &v);
		lock_take(&l->lock);
		logfile_put(l, f);
		lock_drop(&l->lock);
	}
	if (e == Q_OK) {
		c->result->logs++;
		c->result->records += v.records;
		if (v.damaged > 0)
			tell_damage(c, l, &v);
	} else if (e != Q_MISSING && e != Q_CLOSED) { /* removed meanwhile */
		check_say(c, false, "%s/%s" MSGLOG_SUFFIX ": cannot be read: %s",
			  store_folder_names[folder], name, qerr_str(e));
	}
	table_put(l);
}
