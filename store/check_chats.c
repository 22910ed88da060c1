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
#include "store/file.h"
#include "store/tally_priv.h"

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

bool
check_tally_file(void *arg, const char *file)
{
	struct check *c = arg;
	uint64_t id;
	enum qerr e;

	if (file_is_temporary(file))
		return true;
	if (tally_file_parse(file, &id) != Q_OK)
		check_bad_file(c, FOLDER_TALLIES, file, "is not named as a chat's tally");
	else if ((e = tally_examine(c->store, file)) == Q_FORMAT)
		check_bad_file(c, FOLDER_TALLIES, file, "damaged");
	else if (e != Q_OK && e != Q_MISSING)
		check_say(c, false, "tallies/%s: cannot be read: %s", file, qerr_str(e));
	else if (e == Q_OK && !check_chat_known(c, id) &&
		 check_still_there(c, FOLDER_TALLIES, file))
		check_bad_file(c, FOLDER_TALLIES, file, "belongs to no chat");
	return true;
}

void
check_chats_fini(struct check *c)
{
	chats_close(c->chats);
	c->chats = NULL;
}
