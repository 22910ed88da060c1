/* SPDX-License-Identifier: MIT
 *
 * admin_ban.c - the commands "user ban, unban, mute, unmute".
 *
 * First the file, then what the running server knows of it, then the user's sessions: who
 * logs in meanwhile is either refused, or found among the sessions.
 */
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "server/accounts.h"
#include "server/admin_call.h"
#include "server/hub.h"
#include "server/log.h"
#include "server/moderation.h"
#include "server/setting.h"

#define FOR_MIN_MS INT64_C(1000)
#define FOR_MAX_MS (INT64_C(3650) * 24 * 3600 * 1000)

#define UNTIL_SIZE (ADMIN_TIME_SIZE + 16)

static const struct {
	const char *done, *undone; /* what the user is then */
	const char *event, *undo_event;
	const char *undo; /* the command */
} words[RESTRICTION_KINDS] = {
    [RESTRICTION_BAN] = {"banned", "not banned", "user-ban", "user-unban", "user unban"},
    [RESTRICTION_MUTE] = {"muted", "not muted", "user-mute", "user-unmute",
			  "user unmute"},
};

/* "until ..." */
static void
until_text(const struct restriction *r, enum restriction_kind kind, char out[UNTIL_SIZE])
{
	char time[ADMIN_TIME_SIZE];

	admin_time(r->until_ms, time);
	snprintf(out, UNTIL_SIZE, "until %s", r->until_ms == 0 ? words[kind].undo : time);
}

void
admin_restrictions(struct admin_call *c, const char *user, const char *before,
		   const char *separator, const char *after)
{
	struct restrictions all;
	enum qerr e = restrictions_load(c->server->store, user, &all);
	char until[UNTIL_SIZE];

	if (e != Q_OK) {
		admin_say(c,
			  "%sbanned%suntil user unban: the entry cannot be read (%s)%s",
			  before, separator, qerr_str(e), after);
		return;
	}
	for (int k = 0; k < RESTRICTION_KINDS; k++) {
		const struct restriction *r = &all.of[k];

		if (!restriction_holds(r, clock_wall_ms()))
			continue;
		until_text(r, (enum restriction_kind)k, until);
		admin_say(c, "%s%s%s%s%s%s%s", before, words[k].done, separator, until,
			  r->reason[0] != '\0' ? ": " : "", r->reason, after);
	}
}

/* The user as registered. */
static enum qerr
find_user(struct admin_call *c, char name[NAME_SIZE])
{
	struct user u;
	enum qerr e = accounts_get(c->server->accounts, c->argv[0], &u);

	if (e == Q_MISSING)
		return why_set(c->why, e, "there is no user %.64s", c->argv[0]);
	if (e != Q_OK)
		return why_set(c->why, e, "user %.64s: %s", c->argv[0], qerr_str(e));
	strlcpy(name, u.name, NAME_SIZE);
	secret_wipe(u.password, sizeof(u.password));
	return Q_OK;
}

/* Write it down and put it in force; r NULL lifts it. */
static enum qerr
change(struct admin_call *c, const char *name, enum restriction_kind kind,
       const struct restriction *r)
{
	enum qerr e = restrictions_change(c->server->store, name, kind, r);

	if (e == Q_FORMAT)
		return why_set(c->why, e,
			       "restrictions/%s cannot be read, which bans the user: "
			       "\"user ban\" or \"user unban\" first",
			       name);
	if (e == Q_FULL)
		return why_set(c->why, e, "there is no room on the disk");
	if (e != Q_OK)
		return why_set(c->why, e, "user %s: %s", name, qerr_str(e));
	if (c->server->moderation != NULL &&
	    (e = moderation_refresh(c->server->moderation, name)) != Q_OK)
		return why_set(c->why, e,
			       "it is written down, but the server does not know it "
			       "yet (%s): say it again",
			       qerr_str(e));
	return Q_OK;
}

static enum qerr
fill(struct admin_call *c, struct restriction *r)
{
	const char *length = admin_option(c->argc, c->argv, "--for");
	const char *reason = admin_option(c->argc, c->argv, "--reason");
	struct why phrase;
	int64_t ms = 0;
	enum qerr e;

	*r = (struct restriction){.set = true, .since_ms = clock_wall_ms()};
	if (length != NULL &&
	    (e = setting_duration(length, FOR_MIN_MS, FOR_MAX_MS, &ms, &phrase)) != Q_OK)
		return why_set(c->why, e, "--for %.400s", phrase.text);
	if (length != NULL)
		r->until_ms = r->since_ms + ms;
	if (reason == NULL)
		return Q_OK;
	if (strlcpy(r->reason, reason, sizeof(r->reason)) >= sizeof(r->reason) ||
	    reason[0] == '\0')
		return why_set(c->why, Q_LIMIT, "the reason must have 1 to %d bytes",
			       RESTRICTION_REASON_MAX);
	return admin_check_text(c, "reason", reason);
}

/* It holds from now on, for who is here too. */
static size_t
enforce(struct admin_call *c, const char *name, enum restriction_kind kind)
{
	char text[MODERATION_TEXT_SIZE];

	if (c->server->sessions == NULL)
		return 0;
	moderation_text(c->server->moderation, name, kind, text);
	return kind == RESTRICTION_BAN ? hub_kick(c->server, name, GOODBYE_KICKED, text)
				       : hub_hush(c->server, name, text);
}

static enum qerr
set(struct admin_call *c, enum restriction_kind kind)
{
	char name[NAME_SIZE], until[UNTIL_SIZE];
	struct restriction r;
	enum qerr e;
	size_t n;

	if ((e = find_user(c, name)) != Q_OK || (e = fill(c, &r)) != Q_OK ||
	    (e = change(c, name, kind, &r)) != Q_OK)
		return e;
	if ((e = find_user(c, name)) == Q_MISSING) {
		/* Removed meanwhile: the next one of that name shall not inherit it. */
		(void)change(c, name, kind, NULL);
		return e;
	}
	until_text(&r, kind, until);
	log_event(LOG_INFO, NULL, words[kind].event, "name=%s until=%s reason=%s", name,
		  until + strlen("until "), r.reason[0] != '\0' ? r.reason : "-");
	n = enforce(c, name, kind);
	admin_say(c, "%s is %s %s", name, words[kind].done, until);
	if (n > 0)
		admin_say(c, "; ended %zu session%s", n, n == 1 ? "" : "s");
	admin_say(c, "\n");
	return Q_OK;
}

/* By the file, or by what the server knows of one that a person has removed. */
static bool
is_set(struct admin_call *c, const char *name, enum restriction_kind kind)
{
	struct restrictions all;
	enum qerr e = restrictions_load(c->server->store, name, &all);

	return e != Q_OK || restriction_holds(&all.of[kind], clock_wall_ms()) ||
	       moderation_holds(c->server->moderation, name, kind);
}

static enum qerr
lift(struct admin_call *c, enum restriction_kind kind)
{
	char name[NAME_SIZE];
	enum qerr e = find_user(c, name);

	/* A file may be there for nobody, from a copy of the folder. */
	if (e == Q_MISSING && name_valid(span_str(c->argv[0])) &&
	    is_set(c, c->argv[0], kind)) {
		strlcpy(name, c->argv[0], NAME_SIZE);
		e = Q_OK;
	}
	if (e != Q_OK)
		return e;
	if (!is_set(c, name, kind))
		return why_set(c->why, Q_MISSING, "%s is %s", name, words[kind].undone);
	if ((e = change(c, name, kind, NULL)) != Q_OK)
		return e;
	log_event(LOG_INFO, NULL, words[kind].undo_event, "name=%s", name);
	admin_say(c, "%s is %s any more\n", name, words[kind].undone);
	return Q_OK;
}

enum qerr
admin_user_ban(struct admin_call *c)
{
	return set(c, RESTRICTION_BAN);
}

enum qerr
admin_user_unban(struct admin_call *c)
{
	return lift(c, RESTRICTION_BAN);
}

enum qerr
admin_user_mute(struct admin_call *c)
{
	return set(c, RESTRICTION_MUTE);
}

enum qerr
admin_user_unmute(struct admin_call *c)
{
	return lift(c, RESTRICTION_MUTE);
}
