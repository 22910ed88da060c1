/* SPDX-License-Identifier: MIT
 *
 * shared_room.h - what happens in the room of a shared chat, and what is known of it then.
 */
#ifndef TESTS_UNIT_SHARED_ROOM_H
#define TESTS_UNIT_SHARED_ROOM_H

#include "tests/unit/shared_store.h"

#include "store/msglog.h"
#include "store/positions.h"
#include "store/tally.h"

/* Close all and open it again. */
static inline void
again(void)
{
	close_store();
	open_store();
	ck_assert_int_eq(shared_chat_get(core.shared, chat_id, &chat), Q_OK);
}

static inline void
say(const char *who, int n)
{
	for (int i = 0; i < n; i++) {
		struct shared_post p = {.text = span_str("x")};

		ck_assert_int_eq(shared_post(core.shared, chat, who, NULL, &p, 1), Q_OK);
	}
}

static inline void
assert_counts(const char *who, uint64_t all, uint64_t fresh)
{
	struct shared_count n;

	ck_assert_int_eq(shared_counts(chat, who, &n), Q_OK);
	ck_assert_uint_eq(n.all, all);
	ck_assert_uint_eq(n.fresh, fresh);
}

/* One more connection comes; was it the first? */
static inline bool
enter(const char *user)
{
	bool first;

	shared_room_begin(chat);
	first = shared_enter(chat, user);
	shared_room_end(chat);
	return first;
}

/* One goes, which was told everything. */
static inline bool
leave(const char *user)
{
	bool last;

	shared_room_begin(chat);
	last = shared_leave(chat, user, UINT64_MAX);
	shared_room_end(chat);
	return last;
}

/* What user had of all its chats, "1-3 5-6". */
static inline const char *
had_by(const char *user)
{
	static char text[1024];
	struct had *h;
	size_t n;

	ck_assert_int_eq(positions_load_had(core.store, user, &h, &n), Q_OK);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d-%d",
			 i == 0 ? "" : " ", (int)h[i].from, (int)h[i].to);
	free(h);
	return text;
}

#endif
