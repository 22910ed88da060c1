/* SPDX-License-Identifier: MIT
 *
 * msglog_store.h - a store with a message log for one test, on a disk that fails when told to.
 */
#ifndef TESTS_UNIT_MSGLOG_STORE_H
#define TESTS_UNIT_MSGLOG_STORE_H

#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "store/msglog.h"
#include "tests/unit/tempdir.h"

#define LOG "d/messages/a+b.log"

/* A disk that fails: these two stand before the C library's. */
static atomic_bool disk_fails, disk_waits;
static _Atomic unsigned syncs;
static atomic_int between; /* writers that are about to call */

int
fdatasync(int fd)
{
	syncs++;
	while (disk_waits)
		usleep(1000);
	for (int i = 0; between > 0 && i < 2000; i++) /* slow enough for all to come */
		usleep(1000);
	if (!disk_fails)
		return (int)syscall(SYS_fdatasync, fd);
	errno = EIO;
	return -1;
}

int
ftruncate(int fd, off_t len)
{
	if (!disk_fails)
		return (int)syscall(SYS_ftruncate, fd, len);
	errno = EIO;
	return -1;
}

static struct store *s;
static struct msglog *l;
static struct store_options opt;
static _Atomic int reports;

static inline void
report(void *arg, const char *sentence)
{
	(void)arg;
	ck_assert_ptr_nonnull(sentence);
	reports++;
}

static inline void
open_store(void)
{
	struct why why;

	if (store_open(at("d"), &opt, &s, &why) != Q_OK)
		ck_abort_msg("%s", why.text);
}

static inline void
open_all(void)
{
	open_store();
	ck_assert_int_eq(msglog_open(s, "a+b", &l), Q_OK);
}

static inline void
close_all(void)
{
	msglog_close(l);
	store_close(s);
	l = NULL;
	s = NULL;
}

static inline void
setup(void)
{
	tempdir_make();
	opt = (struct store_options)STORE_OPTIONS_DEFAULT;
	opt.report = report;
	reports = 0;
	disk_fails = false;
}

static inline void
teardown(void)
{
	close_all();
	tempdir_remove();
}

static inline struct record
message(const char *text)
{
	struct record r = {.kind = "text",
			   .from = "alice",
			   .to = "bob",
			   .text = true,
			   .data = span_str(text)};

	return r;
}

static inline enum qerr
say(struct msglog *to, const char *text)
{
	struct record r = message(text);

	return msglog_append(to, &r, 1);
}

/* n records whose text is their number, in batches. */
static inline void
fill(struct msglog *to, unsigned n)
{
	enum { BATCH = 100 };
	char text[BATCH][16];
	struct record r[BATCH];
	uint64_t last;

	ck_assert_int_eq(msglog_last_id(to, &last), Q_OK);
	while (n > 0) {
		unsigned k = n < BATCH ? n : BATCH;

		for (unsigned i = 0; i < k; i++) {
			snprintf(text[i], sizeof(text[i]), "%llu",
				 (unsigned long long)(last + i + 1));
			r[i] = message(text[i]);
		}
		ck_assert_int_eq(msglog_append(to, r, k), Q_OK);
		last += k;
		n -= k;
	}
}

struct seen {
	uint64_t ids[2000];
	size_t n, stop_after;
	char last_text[64];
};

static inline bool
note(void *arg, const struct record *r)
{
	struct seen *seen = arg;

	ck_assert_uint_lt(seen->n, 2000);
	if (seen->n > 0)
		ck_assert_uint_gt(r->id, seen->ids[seen->n - 1]);
	seen->ids[seen->n++] = r->id;
	snprintf(seen->last_text, sizeof(seen->last_text), "%.*s", (int)r->data.len,
		 (const char *)r->data.p);
	return seen->n != seen->stop_after;
}

static inline struct seen
page(uint64_t after, size_t max, size_t *damaged)
{
	static struct seen seen;

	memset(&seen, 0, sizeof(seen));
	ck_assert_int_eq(msglog_read(l, after, max, note, &seen, damaged), Q_OK);
	return seen;
}

#endif
