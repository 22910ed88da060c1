/* SPDX-License-Identifier: MIT
 *
 * pending.c - a SIGNUP or LOGIN that waits for the peer's next word; at most one a
 * connection, and memory only while there is one.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"
#include "server/rooms/account.h"

struct rooms_pending *
rooms_pending_new(struct rooms_session *rs, enum rooms_waiting what, struct span ref)
{
	struct rooms_pending *w;

	rooms_pending_drop(rs);
	if ((w = calloc(1, sizeof(*w))) == NULL) {
		(void)rooms_answer_failed(rs, "account", Q_NOMEM, NULL, ref);
		return NULL;
	}
	w->what = what;
	if ((w->has_ref = ref.p != NULL))
		memcpy(w->ref, ref.p, ref.len); /* the parser has bounded it */
	rs->pending = w;
	return w;
}

void
rooms_pending_drop(struct rooms_session *rs)
{
	if (rs->pending == NULL)
		return;
	secret_wipe(rs->pending, sizeof(*rs->pending));
	free(rs->pending);
	rs->pending = NULL;
}

struct span
rooms_pending_ref(const struct rooms_pending *w)
{
	return w->has_ref ? span_str(w->ref) : (struct span){NULL, 0};
}
