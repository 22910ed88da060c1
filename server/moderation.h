/* SPDX-License-Identifier: MIT
 *
 * moderation.h - who is banned or muted, the same for all protocols.
 *
 * A ban is enforced in one place, the session table: sessions_login asks the guard that
 * server.c puts there.  So there is no way in that could be forgotten: passwords, keys,
 * certificates, tokens, resumptions.  A mute is enforced where limits are, in limits_take,
 * and in relay and nodes, whose contents are not counted there.  Protocols find the words.
 *
 * What holds is in memory, so that neither a message nor a login costs a look at a file.
 * It is read from restrictions/ (store/restrictions.h) at the start, when an
 * administrator's command has changed it, and at a reload.  A file that is damaged or
 * cannot be read bans its user.  Times end by themselves, with the wall clock.
 *
 * Any thread; the lock is a leaf.  m may be NULL: nothing holds.
 */
#ifndef SERVER_MODERATION_H
#define SERVER_MODERATION_H

#include "store/restrictions.h"

struct moderation;
struct session;

/* "You are banned until 2026-11-21 14:30:05: " and the reason. */
#define MODERATION_TEXT_SIZE (RESTRICTION_REASON_MAX + 64)

enum qerr moderation_open(struct store *store, struct moderation **out);
void moderation_close(struct moderation *m); /* NULL is fine */
/* Look at the file of this user, or at all files, again.  Q_NOMEM, Q_SYS: what was known
 * before may still be in force. */
enum qerr moderation_refresh(struct moderation *m, const char *user);
enum qerr moderation_reload(struct moderation *m);

/* Is user (any case) restricted now? Without a lock as long as nobody is. */
bool moderation_holds(struct moderation *m, const char *user, enum restriction_kind kind);
/* The sentence for the user, without a full stop, also when it has just lapsed. */
void moderation_text(struct moderation *m, const char *user, enum restriction_kind kind,
		     char out[MODERATION_TEXT_SIZE]);
/* The same for a ban that has just kept somebody out who has shown who they are: it is
 * logged, once per address and minute. */
void moderation_turned_away(struct session *s, const char *user,
			    char out[MODERATION_TEXT_SIZE]);
/* For sessions_guard; arg is the struct moderation. */
bool moderation_admits(void *arg, const char *user);

#endif
