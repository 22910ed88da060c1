/* SPDX-License-Identifier: MIT */
#include "tests/system/archive.h"

#include <stdio.h>
#include <string.h>

#define LOG_MAX (256 << 20)

bool
archive_open(struct archive *a, const struct harness *h, const char *log)
{
	char path[128];

	*a = (struct archive){.file = BUF_INIT(LOG_MAX),
			      .data = BUF_INIT(RECORD_LINE_MAX)};
	snprintf(path, sizeof(path), "messages/%s.log", log);
	if (!harness_read(h, path, &a->file))
		return false;
	a->left = buf_span(&a->file);
	return true;
}

/* Nothing, or blank lines: behind the end of a log that was written over
 * (store/msglog_blank.c). */
static bool
blank(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] != '\n')
			return false;
	return true;
}

bool
archive_next(struct archive *a, struct record *r)
{
	size_t used;
	enum qerr e;

	if (blank(a->left))
		return false;
	e = record_next(a->left, r, &a->data, &used);
	if (e == Q_SHORT || (e == Q_FORMAT && used < a->left.len &&
			     blank(span_of(a->left.p + used, a->left.len - used)))) {
		a->torn = true;
		return false;
	}
	if (e != Q_OK)
		harness_fail("the message file is damaged: %s", qerr_str(e));
	if (r->id <= a->last_id)
		harness_fail("ids do not rise in the message file");
	a->last_id = r->id;
	a->left = span_of(a->left.p + used, a->left.len - used);
	return true;
}

void
archive_expect(struct archive *a, const char *from, const char *to, struct span data)
{
	struct record r;

	if (!archive_next(a, &r))
		harness_fail("the message file ends too early");
	ck_assert_str_eq(r.from, from);
	ck_assert_str_eq(r.to, to);
	ck_assert_int_gt(r.time_ms, 0);
	if (!span_eq(r.data, data))
		harness_fail("the message file holds something else than was sent");
}

void
archive_close(struct archive *a)
{
	buf_free(&a->file);
	buf_free(&a->data);
}

size_t
archive_count(const struct harness *h, const char *log)
{
	struct archive a;
	struct record r;
	size_t n = 0;

	if (archive_open(&a, h, log))
		while (archive_next(&a, &r))
			n++;
	if (a.torn)
		harness_fail("the last line of the message file is torn");
	archive_close(&a);
	return n;
}
