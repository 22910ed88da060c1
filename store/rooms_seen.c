/* SPDX-License-Identifier: MIT
 *
 *   seen/NAME     quintet-seen: 1
 *                 ROOM SEQ MESSAGE    had up to this seq; read up to the message with
 *                 ...                 this number, counted from 1; 0: not yet
 *                 check: CCCCCCCC     CRC-32 of the lines above
 *
 * Read when somebody first asks, kept in memory, written once a second when something
 * moved.  Replaced by rename or, where that comes to the same, written over, but not forced
 * to the disk: what is lost means that events come again.  For the same reason a damaged
 * file is set aside and taken for none.
 *
 * After a power cut a file may be ahead of a log that has lost its end, and would hide
 * what gets these seqs next.  So a position that was read is held against where the log
 * ended when this server first looked at it: when it is asked for, and all of a room's
 * before its log gets longer, because the next server could not tell any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/decimal.h"
#include "store/fields.h"
#include "store/file.h"
#include "store/pause.h"
#include "store/rooms_priv.h"

#define VERSION_LINE "quintet-seen: 1\n"
#define FILE_MAX     (16 * 1024 * 1024)
#define SAVE_MAX     256 /* users a time */
#define ONE_PAGE     4096

/* ---- to bytes and back ---- */

struct seen_line {
	struct uuid room;
	uint64_t seen, read;
};

/* Written with zeros in front, so that the file stays as long; older ones have none. */
static enum qerr
take_number(struct span s, uint64_t *out)
{
	while (s.len > 1 && *s.p == '0')
		s = span_of(s.p + 1, s.len - 1);
	return decimal_read(s, INT64_MAX, out);
}

static enum qerr
take_line(struct reader *in, struct seen_line *out)
{
	struct span room, seen, read;

	if (reader_take_until(in, ' ', &room) != Q_OK ||
	    uuid_parse(room, &out->room) != Q_OK ||
	    reader_take_until(in, ' ', &seen) != Q_OK ||
	    take_number(seen, &out->seen) != Q_OK ||
	    reader_take_until(in, '\n', &read) != Q_OK ||
	    take_number(read, &out->read) != Q_OK)
		return Q_FORMAT;
	return Q_OK;
}

/* Call each for every line; NULL: only look. */
static enum qerr
decode(struct span text, void (*each)(void *arg, const struct seen_line *l), void *arg)
{
	struct reader in;
	struct span version;
	struct seen_line l;

	if (fields_open(text, &in) != Q_OK ||
	    reader_take(&in, sizeof(VERSION_LINE) - 1, &version) != Q_OK ||
	    !span_eq(version, span_str(VERSION_LINE)))
		return Q_FORMAT;
	while (in.left > 0) {
		if (take_line(&in, &l) != Q_OK)
			return Q_FORMAT;
		if (each != NULL)
			each(arg, &l);
	}
	return Q_OK;
}

static enum qerr
encode(const struct occupant *o, struct buf *out)
{
	char id[UUID_SIZE];
	enum qerr e = buf_put_str(out, VERSION_LINE);

	for (size_t i = 0; e == Q_OK && i < o->n; i++) {
		const struct room_stay *s = &o->stay[i];

		if (s->seen < s->joined && s->read == 0)
			continue;
		uuid_text(&s->room->id, id);
		e = buf_printf(out, "%s %010" PRIu64 " %010" PRIu64 "\n", id, s->seen,
			       s->read);
	}
	return e == Q_OK ? fields_put_check(out, 0) : e;
}

enum qerr
seen_examine(struct store *s, const char *file)
{
	struct buf b = BUF_INIT(FILE_MAX);
	enum qerr e = file_read(s->fd[FOLDER_SEEN], file, &b);

	if (e == Q_OK)
		e = decode(buf_span(&b), NULL, NULL);
	buf_free(&b);
	return e == Q_LIMIT ? Q_FORMAT : e;
}

/* ---- reading ---- */

struct loading {
	struct rooms *r;
	struct occupant *o;
};

/* With the lock. */
static void
load_line(void *arg, const struct seen_line *l)
{
	struct loading *p = arg;
	const struct room *room = room_find(p->r, &l->room);
	struct room_stay *stay = room != NULL ? stay_find(p->o, room) : NULL;

	if (stay == NULL)
		return;
	if (l->seen > stay->seen)
		stay->seen = l->seen;
	/* What was read before leaving counts as long as it is not known better. */
	if (l->read > stay->read)
		stay->read = l->read;
}

/* See that the user's file was read. */
static enum qerr
load(struct rooms *r, const char *user)
{
	struct buf b = BUF_INIT(FILE_MAX);
	char folded[NAME_SIZE];
	struct why note = {""};
	struct loading p = {r, NULL};
	bool needed;
	enum qerr e;

	lock_take(&r->lock);
	p.o = occupant_find(r, user);
	needed = p.o != NULL && !p.o->loaded;
	lock_drop(&r->lock);
	if (!needed)
		return Q_OK;
	name_fold(user, folded);
	e = file_read(r->store->fd[FOLDER_SEEN], folded, &b);
	if (e == Q_OK)
		e = decode(buf_span(&b), NULL, NULL);
	if (e == Q_FORMAT || e == Q_LIMIT) {
		b.len = 0;
		e = store_set_aside(r->store, FOLDER_SEEN, folded, "damaged", &note);
	}
	store_tell(r->store, &note);
	if (e == Q_OK || e == Q_MISSING) {
		e = Q_OK;
		lock_take(&r->lock);
		if ((p.o = occupant_find(r, user)) != NULL && !p.o->loaded) {
			if (b.len > 0)
				(void)decode(buf_span(&b), load_line, &p);
			p.o->loaded = true;
		}
		lock_drop(&r->lock);
	}
	buf_free(&b);
	return e;
}

/* ---- positions ---- */

static void
mark_dirty(struct rooms *r, struct occupant *o)
{
	if (!o->dirty)
		TAILQ_INSERT_TAIL(&r->dirty, o, in_dirty);
	o->dirty = true;
}

/* See that it is known where the room's log ended when it was first used. */
static enum qerr
find_base(struct rooms *r, struct room *room)
{
	struct room_state *st;
	bool known;
	enum qerr e;

	lock_take(&r->lock);
	known = room->base != ROOM_NO_BASE;
	lock_drop(&r->lock);
	if (known)
		return Q_OK;
	if ((e = state_get(r, room, &st, false)) == Q_OK)
		state_put(r, st);
	return e;
}

/* See that a stay of o, which is loaded, is not ahead of the room's base.  With the lock. */
static void
hold(struct rooms *r, struct occupant *o, struct room_stay *stay)
{
	const struct room *room = stay->room;
	bool ahead = stay->seen > room->base && stay->seen >= stay->joined;

	if (stay->checked)
		return;
	stay->checked = true;
	if (ahead)
		stay->seen = room->base;
	if (stay->read > room->base_messages) {
		stay->read = room->base_messages;
		ahead = true;
	}
	if (ahead)
		mark_dirty(r, o);
}

void
people_hold(struct rooms *r, struct room *room)
{
	const struct room_info *info;

	if (room->held)
		return;
	room->held = true;
	lock_take(&r->lock);
	info = info_ref(room->info);
	lock_drop(&r->lock);
	for (size_t i = 0; i < info->n_members; i++) {
		struct occupant *o;
		struct room_stay *stay;

		/* What cannot be read stays as it is. */
		if (load(r, info->members[i]) != Q_OK)
			continue;
		lock_take(&r->lock);
		if ((o = occupant_find(r, info->members[i])) != NULL && o->loaded &&
		    (stay = stay_find(o, room)) != NULL)
			hold(r, o, stay);
		lock_drop(&r->lock);
	}
	room_info_put(info);
}

/* The user's stay in the room, ready for use, with the lock held when it is ROOM_OK. */
static enum room_answer UNCHECKED_LOCK
stay_begin(struct rooms *r, const struct uuid *id, const char *user, struct occupant **o,
	   struct room_stay **stay)
{
	struct room *room = room_get(r, id);
	enum room_answer a = ROOM_NOT_IN;
	enum qerr e;

	if (room == NULL)
		return ROOM_UNKNOWN;
	e = find_base(r, room);
	do { /* who has left all rooms and is back must be read anew */
		if (e == Q_OK)
			e = load(r, user);
		lock_take(&r->lock);
		*o = occupant_find(r, user);
		if (e != Q_OK || *o == NULL || (*o)->loaded)
			break;
		lock_drop(&r->lock);
	} while (true);
	*stay = *o != NULL ? stay_find(*o, room) : NULL;
	if (room->dropped)
		a = ROOM_UNKNOWN;
	else if (e != Q_OK)
		a = ROOM_FAILED;
	else if (*stay != NULL)
		a = ROOM_OK;
	if (a == ROOM_OK)
		hold(r, *o, *stay);
	room_unref(room);
	if (a != ROOM_OK)
		lock_drop(&r->lock);
	return a;
}

enum room_answer UNCHECKED_LOCK
rooms_position(struct rooms *r, const struct uuid *room, const char *user, uint64_t *seq)
{
	struct occupant *o;
	struct room_stay *stay;
	enum room_answer a = stay_begin(r, room, user, &o, &stay);

	if (a != ROOM_OK)
		return a;
	*seq = stay->seen;
	lock_drop(&r->lock);
	return ROOM_OK;
}

enum room_answer UNCHECKED_LOCK
rooms_seen(struct rooms *r, const struct uuid *room, const char *user, uint64_t seq)
{
	struct occupant *o;
	struct room_stay *stay;
	enum room_answer a = stay_begin(r, room, user, &o, &stay);

	if (a != ROOM_OK)
		return a;
	if (seq > stay->room->told)
		seq = stay->room->told;
	if (seq > stay->seen) {
		stay->seen = seq;
		mark_dirty(r, o);
	}
	lock_drop(&r->lock);
	return ROOM_OK;
}

/* ---- receipts ---- */

/* Is there such a message?  Q_MISSING. */
static enum qerr
number_of(struct rooms *r, const struct uuid *id, const struct uuid *msg,
	  uint64_t *number)
{
	struct room *room = room_get(r, id);
	struct room_state *st;
	struct room_line line;
	enum qerr e;

	if (room == NULL)
		return Q_CLOSED;
	if ((e = state_get(r, room, &st, false)) == Q_OK) {
		if ((e = state_line(r, st, msg, &line)) == Q_OK)
			*number = line.number;
		state_put(r, st);
	} else if (e == Q_MISSING) {
		e = Q_CLOSED;
	}
	lock_take(&r->lock);
	room_unref(room);
	lock_drop(&r->lock);
	return e;
}

enum room_answer UNCHECKED_LOCK
rooms_receipt(struct rooms *r, const struct uuid *room, const char *user,
	      const struct uuid *msg)
{
	struct occupant *o;
	struct room_stay *stay;
	uint64_t number = 0;
	enum room_answer a;
	enum qerr found = number_of(r, room, msg, &number);

	if ((a = stay_begin(r, room, user, &o, &stay)) != ROOM_OK)
		return a;
	if (found == Q_OK && number + 1 <= stay->read)
		a = ROOM_REPEATED;
	if (found == Q_OK && number + 1 > stay->read) {
		stay->read = number + 1;
		mark_dirty(r, o);
	}
	lock_drop(&r->lock);
	if (found == Q_MISSING)
		return ROOM_NO_MESSAGE;
	return found == Q_OK ? a : found == Q_CLOSED ? ROOM_UNKNOWN : ROOM_FAILED;
}

/* How far each member of info has read: numbers counted from 1. */
static void
take_reads(struct rooms *r, const struct room *room, const struct room_info *info,
	   uint64_t *reads)
{
	lock_take(&r->lock);
	for (size_t i = 0; i < info->n_members; i++) {
		struct room_stay *stay = rooms_stay(r, room, info->members[i]);

		reads[i] = stay != NULL ? stay->read : 0;
	}
	lock_drop(&r->lock);
}

/* Without those who have read nothing, or something that is not there (any more). */
static enum qerr
list_receipts(struct rooms *r, struct room_state *st, const struct room_info *info,
	      const uint64_t *reads, struct room_receipt *out, size_t *n)
{
	struct room_line line;
	size_t got;
	enum qerr e = Q_OK;

	*n = 0;
	for (size_t i = 0; e == Q_OK && i < info->n_members; i++) {
		if (reads[i] == 0)
			continue;
		e = state_lines(r, st, reads[i] - 1, 1, &line, &got);
		if (e != Q_OK || got == 0 || line.seq == 0)
			continue;
		memcpy(out[*n].user, info->members[i], NAME_SIZE);
		out[(*n)++].msg = message_id(&info->id, line.ms, line.number);
	}
	return e;
}

enum qerr
rooms_receipts(struct rooms *r, const struct uuid *id, struct room_receipt **out,
	       size_t *n)
{
	const struct room_info *info = NULL;
	struct room_receipt *list = NULL;
	struct room_state *st;
	uint64_t *reads = NULL;
	struct room *room = room_get(r, id);
	enum qerr e = Q_OK;

	if (room == NULL)
		return Q_MISSING;
	lock_take(&r->lock);
	info = info_ref(room->info);
	lock_drop(&r->lock);
	for (size_t i = 0; e == Q_OK && i < info->n_members; i++)
		e = load(r, info->members[i]);
	if (e == Q_OK && ((reads = calloc(info->n_members, sizeof(*reads))) == NULL ||
			  (list = calloc(info->n_members, sizeof(*list))) == NULL))
		e = Q_NOMEM;
	if (e == Q_OK && (e = state_get(r, room, &st, false)) == Q_OK) {
		take_reads(r, room, info, reads);
		e = list_receipts(r, st, info, reads, list, n);
		state_put(r, st);
	}
	free(reads);
	if (e != Q_OK || *n == 0) {
		free(list);
		list = NULL;
	}
	if (e == Q_OK)
		*out = list;
	lock_take(&r->lock);
	room_unref(room);
	lock_drop(&r->lock);
	room_info_put(info);
	return e;
}

/* ---- writing ---- */

/* Write over what is there, when it is as long, lies in one page, and no snapshot has it.
 * A kill, and but for a torn sector a power cut, leaves the one or the other; and it
 * costs a tenth of making a new file, which many members make dear: file systems look
 * through what was deleted of late before they give an inode away.  False: it did not
 * work that way. */
static bool
overwrite(int dir, const char *folded, struct span text)
{
	int fd = openat(dir, folded, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	bool done;

	if (fd == -1)
		return false;
	pause_change();
	done = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	       st.st_size == (off_t)text.len && text.len <= ONE_PAGE &&
	       pwrite(fd, text.p, text.len, 0) == (ssize_t)text.len;
	pause_changed();
	close(fd);
	return done;
}

static enum qerr
replace(struct rooms *r, const char *folded, struct span text)
{
	int dir = r->store->fd[FOLDER_SEEN], fd;
	char temp[FILE_TEMP_SIZE];
	enum qerr e;

	if (overwrite(dir, folded, text))
		return Q_OK;
	if ((e = file_temp_open(dir, temp, &fd)) != Q_OK)
		return e;
	e = file_write_all(fd, text.p, text.len);
	close(fd);
	if (e == Q_OK && file_rename(dir, temp, dir, folded) != 0)
		e = qerr_errno(errno);
	if (e != Q_OK)
		(void)file_unlink(dir, temp);
	return e;
}

/* The next whose file is to be written.  False: there is none. */
static bool
next_dirty(struct rooms *r, char folded[NAME_SIZE], struct buf *text, enum qerr *e)
{
	struct occupant *o;

	lock_take(&r->lock);
	if ((o = TAILQ_FIRST(&r->dirty)) != NULL) {
		TAILQ_REMOVE(&r->dirty, o, in_dirty);
		o->dirty = false;
		memcpy(folded, o->folded, NAME_SIZE);
		text->len = 0;
		*e = encode(o, text);
		occupant_done(r, o);
	}
	lock_drop(&r->lock);
	return o != NULL;
}

static void
dirty_again(struct rooms *r, const char *folded)
{
	struct occupant *o;

	lock_take(&r->lock);
	if ((o = occupant_find(r, folded)) != NULL)
		mark_dirty(r, o);
	lock_drop(&r->lock);
}

enum qerr
people_save(struct rooms *r, size_t max, bool *left)
{
	struct buf text = BUF_INIT(FILE_MAX);
	char folded[NAME_SIZE];
	enum qerr e = Q_OK;

	*left = false;
	lock_take(&r->lock);
	if (r->saving) {
		lock_drop(&r->lock);
		return Q_OK;
	}
	r->saving = true;
	lock_drop(&r->lock);
	for (size_t i = 0; e == Q_OK && i < max && next_dirty(r, folded, &text, &e);
	     i++) {
		if (e == Q_OK)
			e = replace(r, folded, buf_span(&text));
		if (e != Q_OK) {
			dirty_again(r, folded);
			store_report(r->store, "seen/%s: cannot be written: %s", folded,
				     qerr_str(e));
		}
	}
	lock_take(&r->lock);
	r->saving = false;
	*left = !TAILQ_EMPTY(&r->dirty);
	pthread_cond_broadcast(&r->saved);
	lock_drop(&r->lock);
	buf_free(&text);
	return e;
}

void
rooms_save(struct rooms *r)
{
	bool left;

	(void)people_save(r, SAVE_MAX, &left);
}
