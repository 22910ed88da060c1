/* SPDX-License-Identifier: MIT
 *
 * archive.h - what the server has written into a pair's message file, read with
 * the record codec alone: no server, no store.
 */
#ifndef TESTS_SYSTEM_ARCHIVE_H
#define TESTS_SYSTEM_ARCHIVE_H

#include "store/record.h"
#include "tests/system/harness.h"

struct archive {
	struct buf file;
	struct span left; /* of file */
	struct buf data;  /* of the last record */
	uint64_t last_id;
	bool torn; /* the last line is not whole */
};

/* Read messages/A+B.log whole.  False when there is none. */
bool archive_open(struct archive *a, const struct harness *h, const char *log);
/* The next record; false at the end, or at a torn last line.  Damaged lines and
 * ids that do not rise fail the test. */
bool archive_next(struct archive *a, struct record *r);
/* The next record must be this one. */
void
archive_expect(struct archive *a, const char *from, const char *to, struct span data);
void archive_close(struct archive *a);
/* How many records the log has; all of them are read.  A torn last line fails
 * the test. */
size_t archive_count(const struct harness *h, const char *log);

#endif
