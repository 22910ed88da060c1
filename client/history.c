/* SPDX-License-Identifier: MIT
 *
 * One file is open at a time, the one of the chat that goes on.  Whole records are
 * found by their lengths; what is behind the last one is the torn record of a crash
 * when it could be one, and is written over.  Appending looks at what others have
 * appended since, under an exclusive lock; records that are there never change, so
 * showing them needs the lock only while it looks where they are.
 *
 * Not synced to the disk: what a power failure may cost is a moment of a convenience.
 */
#include "client/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/text.h"
#include "client/private.h"
#include "crypto/aead.h"
#include "crypto/random.h"
#include "crypto/wrap.h"

static const char magic[8] = {'Q', 'H', 'I', 'S', 'T', '1', '\r', '\n'};

#define LEN_SIZE   4
#define PLAIN_HEAD 9 /* time, whose */
#define PLAIN_MAX  (PLAIN_HEAD + HISTORY_TEXT_MAX)
#define OVERHEAD   (LEN_SIZE + AEAD_IV_LEN + AEAD_TAG_LEN)
#define LABEL_SIZE (32 + HEX_LEN(SHA256_LEN) + 2 * NAME_SIZE)
#define HEAD_MAX   (sizeof(magic) + LEN_SIZE + WRAP_MAX)

struct history {
	int folder;
	char server[HEX_LEN(SHA256_LEN) + 1];
	char user[NAME_SIZE]; /* folded */
	struct key *key;
	/* the file that is open */
	char partner[NAME_SIZE]; /* folded; "": none is */
	int file;
	off_t begin, end; /* of the records: the first, behind the last whole one */
	struct aead *seal, *open;
	struct buf record, plain;
};

/* ---- life ---- */

enum qerr
history_open(const struct profile *p, const struct cert *ca, const char *user,
	     struct key *key, struct history **out, struct why *why)
{
	struct history *h = calloc(1, sizeof(*h));
	uint8_t sum[SHA256_LEN];
	enum qerr e;

	if (h == NULL)
		return why_set(why, Q_NOMEM, "there is no memory left");
	e = cert_fingerprint(ca, sum);
	if (e != Q_OK)
		why_set(why, e, "a fingerprint cannot be computed");
	else
		e = profile_folder(p, "history", ca, user, &h->folder, why);
	if (e != Q_OK) {
		free(h);
		return e;
	}
	hex_encode(span_of(sum, sizeof(sum)), h->server);
	name_fold(user, h->user);
	h->key = key_ref(key);
	h->file = -1;
	h->record = (struct buf)BUF_INIT(OVERHEAD + PLAIN_MAX);
	h->plain = (struct buf)BUF_INIT(PLAIN_MAX);
	*out = h;
	return Q_OK;
}

static void
shut(struct history *h)
{
	if (h->file != -1)
		close(h->file);
	h->file = -1;
	h->partner[0] = '\0';
	aead_free(h->seal);
	aead_free(h->open);
	h->seal = h->open = NULL;
}

void
history_close(struct history *h)
{
	if (h == NULL)
		return;
	shut(h);
	close(h->folder);
	key_free(h->key);
	buf_free(&h->record);
	buf_wipe(&h->plain);
	free(h);
}

/* ---- the head of a file ---- */

static enum qerr
failed(struct why *why, const char *what, const char *partner)
{
	return why_set(why, qerr_errno(errno), "cannot %s the history with %s: %s", what,
		       partner, strerror(errno));
}

static enum qerr
damaged_file(struct why *why, const char *partner)
{
	return why_set(why, Q_FORMAT,
		       "the history with %s is damaged: /clear %s begins anew", partner,
		       partner);
}

/* A content key belongs to one file: moved to another place, it does not open. */
static struct span
label_of(const struct history *h, const char *partner, char out[LABEL_SIZE])
{
	snprintf(out, LABEL_SIZE, "quintet history\n%s\n%s\n%s", h->server, h->user,
		 partner);
	return span_str(out);
}

/* Make the file with a content key of its own, whole or not at all. */
static enum qerr
make_file(const struct history *h, const char *partner, struct why *why)
{
	struct buf head = BUF_INIT(HEAD_MAX), wrapped = BUF_INIT(WRAP_MAX);
	uint8_t key[AEAD_KEY_LEN];
	char label[LABEL_SIZE];
	enum qerr e;

	random_bytes(key, sizeof(key));
	e = wrap_seal(h->key, label_of(h, partner, label), span_of(key, sizeof(key)),
		      &wrapped);
	secret_wipe(key, sizeof(key));
	if (e != Q_OK || (e = buf_put(&head, magic, sizeof(magic))) != Q_OK ||
	    (e = buf_put_u32(&head, (uint32_t)wrapped.len)) != Q_OK ||
	    (e = buf_put_span(&head, buf_span(&wrapped))) != Q_OK)
		why_set(why, e, "a key for the history cannot be made: %s", qerr_str(e));
	else if ((e = private_create(h->folder, partner, buf_span(&head), why)) ==
		 Q_EXISTS)
		e = Q_OK; /* another client was faster */
	buf_free(&head);
	buf_free(&wrapped);
	return e;
}

static enum qerr
set_key(struct history *h, const char *partner, struct span wrapped, struct why *why)
{
	struct buf key = BUF_INIT(WRAP_SECRET_MAX);
	char label[LABEL_SIZE];
	enum qerr e = wrap_open(h->key, label_of(h, partner, label), wrapped, &key);

	if (e == Q_OK && key.len == AEAD_KEY_LEN) {
		h->seal = aead_new(AEAD_SEAL, key.p);
		h->open = aead_new(AEAD_OPEN, key.p);
		if (h->seal == NULL || h->open == NULL)
			e = why_set(why, Q_NOMEM, "there is no memory left");
	} else {
		e = why_set(why, Q_DENIED,
			    "the history with %s was kept under another key: /clear %s "
			    "begins anew",
			    partner, partner);
	}
	buf_wipe(&key);
	return e;
}

static enum qerr
read_head(struct history *h, const char *partner, struct why *why)
{
	uint8_t head[HEAD_MAX];
	ssize_t n = pread(h->file, head, sizeof(head), 0);
	struct reader r;
	struct span begin, wrapped;
	uint32_t len;

	if (n == -1)
		return failed(why, "read", partner);
	r = reader_of(span_of(head, (size_t)n));
	if (reader_take(&r, sizeof(magic), &begin) != Q_OK ||
	    memcmp(begin.p, magic, sizeof(magic)) != 0 || reader_u32(&r, &len) != Q_OK ||
	    reader_take(&r, len, &wrapped) != Q_OK)
		return damaged_file(why, partner);
	h->begin = h->end = (off_t)(sizeof(magic) + LEN_SIZE + len);
	return set_key(h, partner, wrapped, why);
}

/* Q_MISSING: there is no file. */
static enum qerr
open_file(struct history *h, const char *partner, struct why *why)
{
	struct stat st;
	enum qerr e;

	/* Not blocking: a pipe by that name must not hang us. */
	h->file =
	    openat(h->folder, partner, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (h->file == -1 && errno == ENOENT)
		return Q_MISSING;
	if (h->file == -1 || fstat(h->file, &st) == -1)
		e = failed(why, "open", partner);
	else if (!S_ISREG(st.st_mode))
		e = damaged_file(why, partner);
	else if ((st.st_mode & 077) != 0)
		e = why_set(why, Q_DENIED,
			    "the history with %s is secret, but others may read it: "
			    "chmod 600 it first",
			    partner);
	else
		e = read_head(h, partner, why);
	if (e == Q_OK)
		strlcpy(h->partner, partner, sizeof(h->partner));
	else
		shut(h);
	return e;
}

/* Have the partner's file open.  Q_MISSING: there is none. */
static enum qerr
find_file(struct history *h, const char *partner, struct why *why)
{
	struct stat st;

	/* Another client may have removed it meanwhile. */
	if (h->file != -1 && strcmp(h->partner, partner) == 0 &&
	    fstat(h->file, &st) == 0 && st.st_nlink > 0)
		return Q_OK;
	shut(h);
	return open_file(h, partner, why);
}

/* ---- records ---- */

/* The bytes of the record at *at, and step behind it.  Q_MISSING: there is no whole
 * one, but perhaps a torn one; Q_FORMAT: what is there is none. */
static enum qerr
next_record(const struct history *h, off_t size, off_t *at)
{
	uint8_t field[LEN_SIZE];
	off_t left = size - *at;
	uint32_t len;

	if (left < LEN_SIZE)
		return Q_MISSING;
	if (pread(h->file, field, sizeof(field), *at) != (ssize_t)sizeof(field))
		return Q_SYS;
	len = le32_get(field);
	/* Zeros are what some file systems leave of a record after a crash. */
	if (len == 0 && left <= OVERHEAD + PLAIN_MAX)
		return Q_MISSING;
	if (len < PLAIN_HEAD || len > PLAIN_MAX)
		return Q_FORMAT;
	if (left < (off_t)(OVERHEAD + len))
		return Q_MISSING;
	*at += (off_t)(OVERHEAD + len);
	return Q_OK;
}

static enum qerr
size_of(const struct history *h, off_t *size, struct why *why)
{
	struct stat st;

	if (fstat(h->file, &st) == -1)
		return failed(why, "read", h->partner);
	*size = st.st_size;
	return Q_OK;
}

/* Let end be behind the last whole record, also those of others. */
static enum qerr
find_end(struct history *h, struct why *why)
{
	off_t size = 0;
	enum qerr e = size_of(h, &size, why);

	while (e == Q_OK)
		e = next_record(h, size, &h->end);
	if (e == Q_MISSING)
		return Q_OK;
	return e == Q_FORMAT ? damaged_file(why, h->partner)
			     : failed(why, "read", h->partner);
}

static enum qerr
seal_record(struct history *h, const struct history_entry *entry)
{
	size_t len = PLAIN_HEAD + entry->text.len;
	uint8_t where[8], iv[AEAD_IV_LEN], *sealed;
	enum qerr e;

	le64_put(where, (uint64_t)h->end);
	random_bytes(iv, sizeof(iv));
	h->record.len = h->plain.len = 0;
	if ((e = buf_put_i64(&h->plain, entry->time_ms)) != Q_OK ||
	    (e = buf_put_u8(&h->plain, entry->ours)) != Q_OK ||
	    (e = buf_put_span(&h->plain, entry->text)) != Q_OK ||
	    (e = buf_reserve(&h->record, OVERHEAD + len)) != Q_OK ||
	    (e = buf_put_u32(&h->record, (uint32_t)len)) != Q_OK ||
	    (e = buf_put(&h->record, iv, sizeof(iv))) != Q_OK)
		return e;
	sealed = h->record.p + h->record.len;
	e = aead_seal(h->seal, iv, span_of(where, sizeof(where)), h->plain.p, len, sealed,
		      sealed + len);
	if (e == Q_OK)
		h->record.len = OVERHEAD + len;
	return e;
}

/* Write the sealed record at the end; errno on -1, and then nothing is there. */
static int
write_record(struct history *h)
{
	struct span left = buf_span(&h->record);
	off_t at = h->end;
	int failure;

	if (ftruncate(h->file, h->end) == -1)
		return -1;
	while (left.len > 0) {
		ssize_t n = pwrite(h->file, left.p, left.len, at);

		if (n == -1 && errno != EINTR) {
			failure = errno;
			(void)!ftruncate(h->file, h->end);
			errno = failure;
			return -1;
		}
		if (n > 0) {
			left = span_of(left.p + n, left.len - (size_t)n);
			at += n;
		}
	}
	h->end = at;
	return 0;
}

enum qerr
history_add(struct history *h, const char *partner, const struct history_entry *entry,
	    struct why *why)
{
	char file[NAME_SIZE];
	enum qerr e;

	if (entry->text.len > HISTORY_TEXT_MAX)
		return why_set(why, Q_LIMIT, "the message is too long for the history");
	name_fold(partner, file);
	if ((e = find_file(h, file, why)) == Q_MISSING &&
	    (e = make_file(h, file, why)) == Q_OK)
		e = find_file(h, file, why);
	if (e != Q_OK)
		return e;
	if (flock(h->file, LOCK_EX) == -1)
		return failed(why, "lock", partner);
	if ((e = find_end(h, why)) == Q_OK) {
		if ((e = seal_record(h, entry)) != Q_OK)
			why_set(why, e, "the history cannot be sealed: %s", qerr_str(e));
		else if (write_record(h) == -1)
			e = failed(why, "write", partner);
	}
	(void)flock(h->file, LOCK_UN);
	return e;
}

/* ---- showing ---- */

/* Where the last n records are, in a ring; *seen of them were there. */
static enum qerr
find_last(struct history *h, off_t *ring, size_t n, size_t *seen, size_t *damaged,
	  struct why *why)
{
	off_t at = h->begin, here, size = 0;
	enum qerr e;

	if (flock(h->file, LOCK_SH) == -1)
		return failed(why, "lock", h->partner);
	e = size_of(h, &size, why);
	while (e == Q_OK) {
		here = at;
		if ((e = next_record(h, size, &at)) == Q_OK)
			ring[(*seen)++ % n] = here;
	}
	(void)flock(h->file, LOCK_UN);
	if (e == Q_SYS)
		return failed(why, "read", h->partner);
	/* What is before a damaged place can still be shown. */
	*damaged += e == Q_FORMAT;
	return Q_OK;
}

static enum qerr
show_record(struct history *h, off_t at,
	    void (*each)(void *arg, const struct history_entry *entry), void *arg)
{
	uint8_t field[LEN_SIZE + AEAD_IV_LEN], where[8];
	struct history_entry entry;
	size_t len, sealed;
	struct reader r;
	uint8_t ours;

	if (pread(h->file, field, sizeof(field), at) != (ssize_t)sizeof(field))
		return Q_SYS;
	len = le32_get(field);
	sealed = len + AEAD_TAG_LEN;
	h->record.len = h->plain.len = 0;
	if (len < PLAIN_HEAD || len > PLAIN_MAX ||
	    buf_reserve(&h->record, sealed) != Q_OK ||
	    buf_reserve(&h->plain, len) != Q_OK)
		return Q_NOMEM;
	if (pread(h->file, h->record.p, sealed, at + (off_t)sizeof(field)) !=
	    (ssize_t)sealed)
		return Q_SYS;
	le64_put(where, (uint64_t)at);
	if (aead_open(h->open, field + LEN_SIZE, span_of(where, sizeof(where)),
		      h->record.p, len, h->plain.p, h->record.p + len) != Q_OK)
		return Q_DENIED;
	r = reader_of(span_of(h->plain.p, len));
	if (reader_i64(&r, &entry.time_ms) != Q_OK || reader_u8(&r, &ours) != Q_OK)
		return Q_FORMAT;
	entry.ours = ours != 0;
	entry.text = reader_rest(&r);
	each(arg, &entry);
	return Q_OK;
}

enum qerr
history_each(struct history *h, const char *partner, size_t n,
	     void (*each)(void *arg, const struct history_entry *entry), void *arg,
	     size_t *damaged, struct why *why)
{
	size_t seen = 0, bad = 0;
	char file[NAME_SIZE];
	off_t *ring;
	enum qerr e;

	name_fold(partner, file);
	if ((e = find_file(h, file, why)) != Q_OK)
		return e == Q_MISSING
			   ? why_set(why, e, "nothing was kept with %s", partner)
			   : e;
	if ((ring = calloc(n, sizeof(*ring))) == NULL)
		return why_set(why, Q_NOMEM, "there is no memory left");
	if ((e = find_last(h, ring, n, &seen, &bad, why)) == Q_OK) {
		for (size_t i = seen > n ? seen - n : 0; i < seen; i++)
			bad += show_record(h, ring[i % n], each, arg) != Q_OK;
		*damaged = bad;
	}
	free(ring);
	return e;
}

enum qerr
history_clear(struct history *h, const char *partner, struct why *why)
{
	char file[NAME_SIZE];

	name_fold(partner, file);
	if (strcmp(h->partner, file) == 0)
		shut(h);
	if (unlinkat(h->folder, file, 0) == -1)
		return failed(why, "remove", partner);
	return Q_OK;
}
