/* SPDX-License-Identifier: MIT */
#include "store/msglog.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/file.h"
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
	return msglog_open_in(s, FOLDER_MESSAGES, chat, out);
}

enum qerr
msglog_open_in(struct store *s, enum store_folder folder, const char *name,
	       struct msglog **out)
{
	struct why note;
	struct msglog *l;
	enum qerr e;

	if (!msglog_chat_valid(name))
		return Q_FORMAT;
	if ((e = table_get(s, folder, name, &l)) != Q_OK)
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

struct visit {
	bool (*each)(void *arg, const char *chat);
	void *arg;
};

static bool
visit_file(void *arg, const char *file)
{
	const struct visit *v = arg;
	size_t len = strlen(file), suffix = sizeof(MSGLOG_SUFFIX) - 1;
	char chat[MSGLOG_CHAT_MAX + 1];

	if (len <= suffix || len - suffix >= sizeof(chat) ||
	    strcmp(file + len - suffix, MSGLOG_SUFFIX) != 0)
		return true;
	memcpy(chat, file, len - suffix);
	chat[len - suffix] = '\0';
	return !msglog_chat_valid(chat) || v->each(v->arg, chat);
}

enum qerr
msglog_each(struct store *s, bool (*each)(void *arg, const char *chat), void *arg)
{
	return folder_each(s, FOLDER_MESSAGES, visit_file, &(struct visit){each, arg});
}

enum qerr
msglog_sync(struct msglog *l)
{
	struct batch none = {.n = 0};
	struct why note;
	enum qerr e = msglog_take(l, false, &note);

	if (e != Q_OK)
		return e == Q_MISSING ? Q_OK : e; /* nothing was appended */
	msglog_leave(l, &note);
	group_append(l, &none);
	errno = none.err;
	return none.e;
}

enum qerr
msglog_remove(struct store *s, const char *chat)
{
	char file[MSGLOG_FILE_SIZE];
	struct msglog *l;
	int err = 0;
	enum qerr e;

	if (!msglog_chat_valid(chat))
		return Q_FORMAT;
	if ((e = table_get(s, FOLDER_MESSAGES, chat, &l)) != Q_OK)
		return e;
	snprintf(file, sizeof(file), "%s" MSGLOG_SUFFIX, chat);
	lock_take(&l->lock);
	l->removed = true;
	table_close(l);
	if (file_unlink(s->fd[FOLDER_MESSAGES], file) != 0 && errno != ENOENT)
		err = errno;
	lock_drop(&l->lock);
	table_put(l);
	errno = err;
	return err == 0 ? Q_OK : qerr_errno(err);
}
