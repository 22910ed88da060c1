/* SPDX-License-Identifier: MIT
 *
 * The journal is read here anew, also when a server has the chats open: check knows
 * the store and nothing else.  A chat is in the journal before its log is made, so a
 * log that is not known to a journal read after the log was seen has none.
 */
#include <string.h>

#include "store/chats_priv.h"
#include "store/check_priv.h"
#include "store/decimal.h"

bool
check_chat_known(struct check *c, uint64_t id)
{
	if (c->chats != NULL && (chats_known(c->chats, id) || !chats_stale(c->chats)))
		return chats_known(c->chats, id);
	chats_close(c->chats);
	c->chats = NULL;
	/* What cannot be read is said when the journal is checked, and proves nothing. */
	return chats_load(c->store, &c->chats) != Q_OK || chats_known(c->chats, id);
}

bool
check_chat_orphan(struct check *c, const char *log)
{
	static const char prefix[] = "chat-";
	size_t len = sizeof(prefix) - 1;
	uint64_t id;

	return strncmp(log, prefix, len) == 0 &&
	       decimal_read(span_str(log + len), INT64_MAX, &id) == Q_OK &&
	       !check_chat_known(c, id);
}

void
check_chats_fini(struct check *c)
{
	chats_close(c->chats);
	c->chats = NULL;
}
