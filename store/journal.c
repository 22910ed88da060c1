/* SPDX-License-Identifier: MIT */
#include "store/journal.h"

#include <stdlib.h>

#include "store/msglog_priv.h"

struct journal {
	struct store *store;
	struct msglog *log;
};

struct replay {
	enum qerr (*replay)(void *arg, const struct record *r);
	void *arg;
	enum qerr result;
};

static bool
replay_one(void *arg, const struct record *r)
{
	struct replay *p = arg;

	p->result = p->replay(p->arg, r);
	return p->result == Q_OK;
}

enum qerr
journal_open(struct store *s, enum store_folder folder, const char *name,
	     enum qerr (*replay)(void *arg, const struct record *r), void *arg,
	     struct journal **out)
{
	struct replay p = {replay, arg, Q_OK};
	struct journal *j = malloc(sizeof(*j));
	size_t damaged = 0;
	enum qerr e;

	if (j == NULL)
		return Q_NOMEM;
	j->store = s;
	if ((e = msglog_open_in(s, folder, name, &j->log)) != Q_OK) {
		free(j);
		return e;
	}
	e = msglog_read(j->log, 0, SIZE_MAX, replay_one, &p, &damaged);
	if (e == Q_OK)
		e = p.result;
	if (e != Q_OK) {
		journal_close(j);
		return e;
	}
	if (damaged > 0)
		store_report(s,
			     "%s/%s" MSGLOG_SUFFIX ": %zu damaged line%s passed over; "
			     "\"server check\" tells more",
			     store_folder_names[folder], name, damaged,
			     damaged == 1 ? " was" : "s were");
	*out = j;
	return Q_OK;
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	msglog_close(j->log);
	free(j);
}

enum qerr
journal_append(struct journal *j, struct record *r)
{
	enum qerr e;

	r->id = 0;
	e = msglog_append(j->log, r, 1);
	return r->id != 0 ? Q_OK : e;
}

enum qerr
journal_sync(struct journal *j)
{
	return msglog_sync(j->log);
}

enum qerr
journal_last_id(struct journal *j, uint64_t *id)
{
	return msglog_last_id(j->log, id);
}
