/* SPDX-License-Identifier: MIT */
#include "store/personal.h"

#include <assert.h>

#include "store/file.h"

enum qerr
personal_name(const char *user, char out[NAME_SIZE])
{
	if (!name_valid(span_str(user)))
		return Q_FORMAT;
	name_fold(user, out);
	return Q_OK;
}

struct lock *
personal_lock(struct store *s, const char *folded)
{
	uint32_t h = 0;

	for (; *folded != '\0'; folded++)
		h = h * 31 + (uint8_t)*folded;
	return &s->personal[h % PERSONAL_LOCKS];
}

enum qerr
personal_read(struct store *s, enum store_folder folder, const char *folded, size_t max,
	      enum qerr (*decode)(void *out, struct span text), void *out)
{
	struct buf b = BUF_INIT(max);
	enum qerr e = file_read(s->fd[folder], folded, &b);

	if (e == Q_OK)
		e = decode(out, buf_span(&b));
	else if (e == Q_LIMIT)
		e = Q_FORMAT;
	buf_wipe(&b);
	return e;
}

enum qerr
personal_load(struct store *s, enum store_folder folder, const char *folded, size_t max,
	      enum qerr (*decode)(void *out, struct span text), void *out,
	      struct why *note)
{
	enum qerr e = personal_read(s, folder, folded, max, decode, out);

	LOCK_ASSERT_HELD(personal_lock(s, folded));
	if (e == Q_FORMAT &&
	    (e = store_set_aside(s, folder, folded, "damaged", note)) == Q_OK)
		e = Q_MISSING;
	return e;
}

enum qerr
personal_remove(struct store *s, enum store_folder folder, const char *user)
{
	char folded[NAME_SIZE];
	struct lock *lock;
	enum qerr e = personal_name(user, folded);

	if (e != Q_OK)
		return e;
	lock = personal_lock(s, folded);
	lock_take(lock);
	e = file_remove(s->fd[folder], folded);
	lock_drop(lock);
	return e == Q_MISSING ? Q_OK : e;
}
