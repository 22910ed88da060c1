/* SPDX-License-Identifier: MIT
 *
 * One folder after the other, one file after the other.  A file of a user is
 * judged, and moved, under the users lock, so that a registration on its way is
 * never taken for damage; what there is to say is said afterwards.
 */
#include "store/check.h"

#include <unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/chats_priv.h"
#include "crypto/key.h"
#include "store/check_priv.h"
#include "store/decimal.h"
#include "store/file.h"
#include "store/msglog.h"
#include "store/relations.h"
#include "store/users_priv.h"

#define SERVER_FILE_MAX (1024 * 1024)
#define LOG_SUFFIX      ".log"

void
check_say(struct check *c, bool repaired, const char *fmt, ...)
{
	struct why sentence;
	char text[sizeof(sentence.text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)why_set(&sentence, Q_OK, "%s", text);
	c->result->problems++;
	if (repaired)
		c->result->repaired++;
	c->say(c->arg, sentence.text);
}

void
check_bad_file(struct check *c, enum store_folder folder, const char *name,
	       const char *reason)
{
	struct why note = {""};

	if (c->repair && store_set_aside(c->store, folder, name, reason, &note) == Q_OK)
		check_say(c, true, "%s", note.text);
	else
		check_say(c, false, "%s/%s: %s", store_folder_names[folder], name,
			  reason);
}

void
check_unreadable(struct check *c, enum store_folder folder, const char *name, enum qerr e)
{
	check_say(c, false, "%s/%s: cannot be read: %s", store_folder_names[folder], name,
		  qerr_str(e));
}

/* ---- users ---- */

/* What is wrong with the UIN of u?  Empty: nothing.  The users lock is held. */
static bool
check_uin_of(struct check *c, const struct user *u, struct why *problem)
{
	struct store *s = c->store;
	char owner[NAME_SIZE];
	enum qerr e = uin_read(s, u->uin, owner);

	if (e == Q_OK && name_cmp(owner, u->name) == 0)
		return false;
	if (e == Q_OK && !uin_is_stale(s, u->uin, owner)) {
		(void)why_set(problem, Q_OK,
			      "users/%s: has UIN %" PRIu32 ", which belongs to %s",
			      u->name, u->uin, owner);
		return false;
	}
	(void)why_set(problem, Q_OK, "users/%s: uins/%" PRIu32 " does not name this user",
		      u->name, u->uin);
	return c->repair && uin_write(s, u->uin, u->name) == Q_OK;
}

static bool
check_user(void *arg, const char *name)
{
	struct check *c = arg;
	struct store *s = c->store;
	char folded[NAME_SIZE] = "";
	struct why problem = {""};
	struct user u;
	bool repaired = false;
	enum qerr e;

	if (file_is_temporary(name))
		return true;
	if (name_valid(span_str(name)))
		name_fold(name, folded);
	if (strcmp(name, folded) != 0) {
		check_bad_file(c, FOLDER_USERS, name, "is not named as a user's file");
		return true;
	}
	lock_take(&s->users);
	e = user_load(s, folded, &u);
	if (e == Q_FORMAT && c->repair)
		repaired =
		    store_set_aside(s, FOLDER_USERS, name, "damaged", &problem) == Q_OK;
	if (e == Q_OK)
		repaired = check_uin_of(c, &u, &problem);
	lock_drop(&s->users);
	if (e == Q_FORMAT && !repaired)
		(void)why_set(&problem, Q_OK, "users/%s: damaged", name);
	if (problem.text[0] != '\0')
		check_say(c, repaired, "%s", problem.text);
	else if (e == Q_OK)
		c->result->users++;
	else if (e != Q_MISSING) /* removed meanwhile */
		check_unreadable(c, FOLDER_USERS, name, e);
	return true;
}

static bool
check_uin(void *arg, const char *name)
{
	struct check *c = arg;
	struct store *s = c->store;
	char owner[NAME_SIZE];
	uint64_t uin;
	bool stale;
	enum qerr e;

	if (file_is_temporary(name))
		return true;
	if (decimal_read(span_str(name), UINT32_MAX, &uin) != Q_OK || uin == 0) {
		check_bad_file(c, FOLDER_UINS, name, "is not named as a UIN");
		return true;
	}
	lock_take(&s->users);
	e = uin_read(s, (uint32_t)uin, owner);
	stale = e == Q_OK && uin_is_stale(s, (uint32_t)uin, owner);
	lock_drop(&s->users);
	if (stale)
		check_bad_file(c, FOLDER_UINS, name, "names nobody who has this UIN");
	else if (e == Q_FORMAT)
		check_bad_file(c, FOLDER_UINS, name, "damaged");
	else if (e != Q_OK && e != Q_MISSING)
		check_unreadable(c, FOLDER_UINS, name, e);
	return true;
}

/* ---- keys ---- */

/* Q_DENIED: it is no key that anybody can log in with.  Others: not to be told now. */
static enum qerr
judge_key(struct span pem)
{
	struct key *k;
	enum qerr e = key_parse_public(pem, &k);

	if (e == Q_OK)
		key_free(k);
	return e == Q_FORMAT || e == Q_LIMIT ? Q_DENIED : e;
}

static bool
check_pem(void *arg, const char *file)
{
	struct check *c = arg;
	struct buf b = BUF_INIT(PEM_MAX);
	char name[NAME_SIZE], folded[NAME_SIZE], used[NAME_SIZE];
	struct stat st;
	bool unusable;
	enum qerr e;

	if (file[0] == '.') /* ours, on its way to its name */
		return true;
	if (pem_file_user(file, name) != Q_OK) {
		check_bad_file(c, FOLDER_PEMS, file, "is not named as a user's key");
		return true;
	}
	e = file_read_limit(c->store->fd[FOLDER_PEMS], file, PEM_MAX, &b, &st);
	name_fold(name, folded);
	/* A file that may not be read is no bad key: that is said by the last branch. */
	unusable = e == Q_LIMIT;
	if (e == Q_OK) {
		e = judge_key(buf_span(&b));
		unusable = e == Q_DENIED;
	}
	if (unusable)
		check_bad_file(
		    c, FOLDER_PEMS, file,
		    "is no public key in PEM, RSA of 2048 bits or more or EC P-256");
	else if (e == Q_OK && pem_spelling(c->store, folded, used) == Q_OK &&
		 strcmp(used, name) != 0)
		check_say(c, false,
			  "pems/%s: is not used, because pems/%s" PEM_SUFFIX " is there",
			  file, used);
	else if (e == Q_OK)
		c->result->keys++;
	else if (e != Q_MISSING)
		check_unreadable(c, FOLDER_PEMS, file, e);
	buf_free(&b);
	return true;
}

/* ---- the rest ---- */

bool
check_still_there(struct check *c, enum store_folder folder, const char *file)
{
	return faccessat(c->store->fd[folder], file, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       errno != ENOENT;
}

static bool
check_message_file(void *arg, const char *file)
{
	struct check *c = arg;
	char chat[MSGLOG_CHAT_MAX + 1];
	size_t len = strlen(file), suffix = sizeof(LOG_SUFFIX) - 1;

	if (file_is_temporary(file))
		return true;
	if (len > suffix && len - suffix < sizeof(chat) &&
	    strcmp(file + len - suffix, LOG_SUFFIX) == 0) {
		memcpy(chat, file, len - suffix);
		chat[len - suffix] = '\0';
		if (msglog_chat_valid(chat)) {
			if (!check_chat_orphan(c, chat) && !check_room_orphan(c, chat)) {
				check_log(c, FOLDER_MESSAGES, chat);
				check_room_log(c, chat);
			} else if (check_still_there(c, FOLDER_MESSAGES, file))
				check_bad_file(c, FOLDER_MESSAGES, file,
					       "belongs to no chat");
			return true;
		}
	}
	check_bad_file(c, FOLDER_MESSAGES, file, "is not named as a message log");
	return true;
}

/* A folder that holds one journal and nothing else. */
static void
check_journal_file(struct check *c, enum store_folder folder, const char *name,
		   const char *file)
{
	size_t len = strlen(name);

	if (file_is_temporary(file))
		return;
	if (strncmp(file, name, len) == 0 && strcmp(file + len, LOG_SUFFIX) == 0)
		check_log(c, folder, name);
	else
		check_bad_file(c, folder, file, "does not belong here");
}

static bool
check_chats_file(void *arg, const char *file)
{
	check_journal_file(arg, FOLDER_CHATS, CHATS_JOURNAL, file);
	return true;
}

static bool
check_contacts_file(void *arg, const char *file)
{
	check_journal_file(arg, FOLDER_CONTACTS, RELATIONS_JOURNAL, file);
	return true;
}

static bool
check_server_file(void *arg, const char *file)
{
	struct check *c = arg;
	int dir = c->store->fd[FOLDER_SERVER];
	struct buf b = BUF_INIT(SERVER_FILE_MAX);
	struct stat st;
	enum qerr e;

	if (fstatat(dir, file, &st, 0) == 0 && S_ISREG(st.st_mode)) {
		e = file_read(dir, file, &b);
		if (e != Q_OK && e != Q_MISSING && e != Q_LIMIT)
			check_unreadable(c, FOLDER_SERVER, file, e);
	}
	buf_wipe(&b);
	return true;
}

/* One step: a folder, and what looks at each of its files. */
struct step {
	enum store_folder folder;
	bool (*each)(void *arg, const char *name);
	struct check *check;
};

/* Nothing of ours is anything but a plain file, and only a key or a certificate may be a
 * link to one; in the server's folder there is the control socket too. */
static bool
check_entry(void *arg, const char *name)
{
	const struct step *step = arg;
	bool may_be_link = step->folder == FOLDER_PEMS || step->folder == FOLDER_NODES;
	int flags = may_be_link ? 0 : AT_SYMLINK_NOFOLLOW;
	struct stat st;

	if (step->folder != FOLDER_SERVER &&
	    fstatat(step->check->store->fd[step->folder], name, &st, flags) == 0 &&
	    !S_ISREG(st.st_mode)) {
		check_bad_file(step->check, step->folder, name, "is no plain file");
		return true;
	}
	return step->each(step->check, name);
}

enum qerr
store_check(struct store *s, bool repair, void (*say)(void *arg, const char *sentence),
	    void *arg, struct check_result *out)
{
	struct check c = {
	    .store = s, .repair = repair, .say = say, .arg = arg, .result = out};
	struct step steps[] = {
	    {FOLDER_SERVER, check_server_file, &c},
	    {FOLDER_USERS, check_user, &c},
	    {FOLDER_UINS, check_uin, &c},
	    {FOLDER_PEMS, check_pem, &c},
	    {FOLDER_NODES, check_nodes_file, &c},
	    {FOLDER_CHATS, check_chats_file, &c},
	    {FOLDER_CONTACTS, check_contacts_file, &c},
	    {FOLDER_MESSAGES, check_message_file, &c},
	    {FOLDER_MEDIA, check_media_file, &c},
	    {FOLDER_QUEUE, check_queue_file, &c},
	    {FOLDER_TALLIES, check_tally_file, &c},
	    {FOLDER_ANONS, check_anons_file, &c},
	    {FOLDER_ROOMS, check_rooms_file, &c},
	    {FOLDER_FILES, check_files_file, &c},
	    {FOLDER_SEEN, check_seen_file, &c},
	    {FOLDER_TOKENS, check_tokens_file, &c},
	    {FOLDER_CHATKEYS, check_chatkeys_file, &c},
	    {FOLDER_EMAILS, check_email_file, &c},
	    {FOLDER_RESTRICTIONS, check_restrictions_file, &c},
	};
	enum qerr e = Q_OK;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; e == Q_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		e = folder_each(s, steps[i].folder, check_entry, &steps[i]);
	check_nodes_count(&c);
	check_chats_fini(&c);
	check_rooms_fini(&c);
	return e;
}
