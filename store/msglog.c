/* SPDX-License-Identifier: MIT */
#include "store/msglog.h"

#include <stdio.h>
#include <string.h>

#include "store/msglog_priv.h"

void
msglog_pair_name(const char *a, const char *b, char out[MSGLOG_CHAT_MAX + 1])
{
	char x[NAME_SIZE], y[NAME_SIZE];
	bool swap;

	name_fold(a, x);
	name_fold(b, y);
	swap = strcmp(x, y) > 0;
	snprintf(out, MSGLOG_CHAT_MAX + 1, "%s+%s", swap ? y : x, swap ? x : y);
}

bool
msglog_chat_valid(const char *chat)
{
	size_t len = strnlen(chat, MSGLOG_CHAT_MAX + 1);

	if (len == 0 || len > MSGLOG_CHAT_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = chat[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    (i == 0 || strchr("._-+", c) == NULL))
			return false;
	}
	return true;
}

enum qerr
msglog_open(struct store *s, const char *chat, struct msglog **out)
{
	struct why note;
	struct msglog *l;
	enum qerr e;

	if (!msglog_chat_valid(chat))
		return Q_FORMAT;
	if ((e = table_get(s, chat, &l)) != Q_OK)
		return e;
	/* Look at the file now: trouble with it is told before anybody has sent
	 * anything. */
	if ((e = msglog_take(l, false, &note)) == Q_OK)
		msglog_leave(l, &note);
	else if (e != Q_MISSING) {
		table_put(l);
		return e;
	}
	*out = l;
	return Q_OK;
}

void
msglog_close(struct msglog *l)
{
	if (l != NULL)
		table_put(l);
}

enum qerr
msglog_last_id(struct msglog *l, uint64_t *id)
{
	struct why note;
	enum qerr e = msglog_take(l, false, &note);

	if (e == Q_MISSING) { /* the file is made at the first append */
		*id = 0;
		return Q_OK;
	}
	if (e != Q_OK)
		return e;
	*id = l->last_id;
	msglog_leave(l, &note);
	return Q_OK;
}
