/* SPDX-License-Identifier: MIT
 *
 * Sending a file: it is read twice, once for its hash, which has to be announced before
 * the first byte leaves, and once for its contents.  Both happen a little at a time, so
 * that a large file keeps neither the person nor the partner's messages waiting.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/transfer_sides.h"

/* Pieces between two looks at the network and the keyboard: some milliseconds. */
#define PIECES_HASHED 32
#define PIECES_SENT   4

/* The part of path behind the last '/'. */
static struct span
last_part(struct span path)
{
	const uint8_t *slash = memrchr(path.p, '/', path.len);

	if (slash == NULL)
		return path;
	return span_of(slash + 1, path.len - (size_t)(slash + 1 - path.p));
}

/* Open what can be sent, and nothing that would make us wait. */
static enum qerr
open_file(struct span path, int *out, struct stat *st, struct why *why)
{
	char name[DOWNLOAD_PATH];
	int fd, failure = 0;

	if (path.len == 0 || path.len >= sizeof(name) ||
	    memchr(path.p, '\0', path.len) != NULL)
		return why_set(why, Q_FORMAT, "no file has such a name");
	memcpy(name, path.p, path.len);
	name[path.len] = '\0';
	fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, st) == -1)
		failure = errno;
	if (failure == 0 && S_ISREG(st->st_mode)) {
		*out = fd;
		return Q_OK;
	}
	if (fd != -1)
		close(fd);
	if (failure != 0)
		return why_set(why, qerr_errno(failure), "cannot read %.200s: %s", name,
			       strerror(failure));
	return why_set(why, Q_FORMAT, "%.200s is no file that can be sent", name);
}

enum qerr
transfer_out_begin(struct transfer *t, struct span path, int64_t now_ms, struct why *why)
{
	struct transfer_side *s = &t->out;
	struct span called = last_part(path);
	char phrase[TRANSFER_PHRASE];
	struct stat st;
	enum qerr e;
	int fd;

	if (s->stage != CLIENT_TRANSFER_NONE)
		return why_set(why, Q_DENIED,
			       "not sent: one file at a time, and one is on its way; "
			       "/cancel send stops it");
	if ((e = open_file(path, &fd, &st, why)) != Q_OK)
		return e;
	transfer_too_large((uint64_t)st.st_size, transfer_limit(t), phrase);
	if ((uint64_t)st.st_size > transfer_limit(t))
		e = why_set(why, Q_LIMIT, "not sent: %s", phrase);
	else if (called.len > RELAY_FILE_NAME_MAX)
		e = why_set(why, Q_LIMIT, "not sent: the file's name is too long");
	else if ((s->run = sha256_begin()) == NULL)
		e = why_set(why, Q_NOMEM, "not sent: there is no memory left");
	if (e != Q_OK) {
		close(fd);
		return e;
	}
	s->fd = fd;
	s->id++;
	s->size = (uint64_t)st.st_size;
	s->done = 0;
	memcpy(s->called, called.p, called.len);
	s->called_len = called.len;
	transfer_meter_begin(&s->meter, now_ms);
	transfer_stage(t, s, CLIENT_TRANSFER_PREPARING);
	return Q_OK;
}

static void
give_up(struct transfer *t, const char *reason)
{
	/* A message that cannot be sent may have been the end of the chat. */
	if (t->out.stage == CLIENT_TRANSFER_NONE)
		return;
	if (t->out.stage != CLIENT_TRANSFER_PREPARING)
		transfer_say(t, t->out.id, RELAY_FILE_WITHDRAW, reason);
	transfer_fail(t, &t->out, span_str(reason), false);
}

/* The next piece of the file into t->piece; false: it has failed, which was told. */
static bool
read_piece(struct transfer *t, size_t *len)
{
	struct transfer_side *s = &t->out;
	uint64_t left = s->size - s->done;
	size_t want = left < RELAY_FILE_CHUNK ? (size_t)left : RELAY_FILE_CHUNK, got = 0;

	while (got < want) {
		ssize_t n =
		    pread(s->fd, t->piece + got, want - got, (off_t)(s->done + got));

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			give_up(t, "the file cannot be read any longer");
			return false;
		}
		if (n == 0) {
			give_up(t, "the file has become shorter meanwhile");
			return false;
		}
		got += (size_t)n;
	}
	*len = want;
	return true;
}

/* ---- PREPARING ---- */

static void
offer(struct transfer *t)
{
	struct transfer_side *s = &t->out;
	struct relay_file_first m = {
	    .id = s->id, .size = s->size, .name = span_of(s->called, s->called_len)};
	struct sha256_run *run = s->run;

	s->run = NULL;
	s->done = 0;
	if (sha256_end(run, m.hash) != Q_OK) {
		give_up(t, "the file cannot be read any longer");
		return;
	}
	t->message.len = 0;
	if (relay_file_first_put(&t->message, &m) != Q_OK ||
	    t->send(t->send_arg, RELAY_FILE_FIRST, buf_span(&t->message)) != Q_OK) {
		give_up(t, "too much is waiting to be sent");
		return;
	}
	transfer_stage(t, s, CLIENT_TRANSFER_ASKED);
	transfer_tell(t, s, CLIENT_FILE_OFFERED);
}

static void
hash_on(struct transfer *t)
{
	struct transfer_side *s = &t->out;
	size_t len;

	for (int i = 0; i < PIECES_HASHED && s->done < s->size; i++) {
		if (!read_piece(t, &len))
			return;
		if (sha256_more(s->run, span_of(t->piece, len)) != Q_OK) {
			give_up(t, "there is no memory left");
			return;
		}
		s->done += len;
	}
	if (s->done == s->size)
		offer(t);
}

/* ---- RUNNING ---- */

/* The last message has gone when this is closed. */
static bool
all_sent(const struct transfer_side *s)
{
	return s->fd == -1;
}

static void
send_on(struct transfer *t)
{
	struct transfer_side *s = &t->out;
	struct relay_file_part m = {.id = s->id};
	bool last;
	size_t len;

	for (int i = 0; i < PIECES_SENT && !all_sent(s); i++) {
		if (!read_piece(t, &len))
			return;
		m.bytes = span_of(t->piece, len);
		last = s->done + len == s->size;
		t->message.len = 0;
		if (relay_file_part_put(&t->message, &m) != Q_OK ||
		    t->send(t->send_arg, last ? RELAY_FILE_LAST : RELAY_FILE_MIDDLE,
			    buf_span(&t->message)) != Q_OK)
			return; /* no room now, or the connection is over */
		s->done += len;
		if (last) {
			close(s->fd);
			s->fd = -1;
		}
	}
}

bool
transfer_out_busy(const struct transfer *t)
{
	const struct transfer_side *s = &t->out;

	return (s->stage == CLIENT_TRANSFER_PREPARING ||
		(s->stage == CLIENT_TRANSFER_RUNNING && !all_sent(s))) &&
	       t->env->out->len < TRANSFER_WAITING;
}

void
transfer_out_tick(struct transfer *t, int64_t now_ms)
{
	(void)now_ms;
	if (t->out.stage == CLIENT_TRANSFER_PREPARING)
		hash_on(t);
	else
		send_on(t);
}

/* ---- what the receiver says ---- */

void
transfer_out_word(struct transfer *t, const struct relay_file_word *w, int64_t now_ms)
{
	struct transfer_side *s = &t->out;

	/* What belongs to a file that is over may still have been on its way. */
	if (w->id != s->id ||
	    (s->stage != CLIENT_TRANSFER_ASKED && s->stage != CLIENT_TRANSFER_RUNNING))
		return;
	switch (w->says) {
	case RELAY_FILE_ACCEPT:
		if (s->stage != CLIENT_TRANSFER_ASKED)
			break;
		transfer_meter_begin(&s->meter, now_ms);
		transfer_stage(t, s, CLIENT_TRANSFER_RUNNING);
		transfer_tell(t, s, CLIENT_FILE_BEGUN);
		break;
	case RELAY_FILE_STORED:
		if (s->stage != CLIENT_TRANSFER_RUNNING || !all_sent(s))
			break;
		transfer_reset(t, s);
		transfer_tell_done(t, s, NULL);
		break;
	default: transfer_fail(t, s, w->reason, false); break;
	}
}
