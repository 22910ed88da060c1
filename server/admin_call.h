/* SPDX-License-Identifier: MIT
 *
 * admin_call.h - what the files of the administration share: one running
 * command, and the functions that the table in admin.c names.
 */
#ifndef SERVER_ADMIN_CALL_H
#define SERVER_ADMIN_CALL_H

#include "server/admin.h"

struct admin_call {
	struct server *server;
	int argc; /* words behind the command's name */
	const char *const *argv;
	struct span password; /* of a command that wants one */
	struct span input;
	struct buf *out;
	bool cut; /* out was full */
	struct why *why;
};

/* Append to the answer. */
void admin_say(struct admin_call *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Is text fit to be shown to people?  Q_FORMAT with a sentence about what. */
enum qerr admin_check_text(struct admin_call *c, const char *what, const char *text);
/* The value of an option among a command's words ("" for one without), or NULL. */
const char *admin_option(int argc, const char *const *argv, const char *name);
/* Local time, "2026-11-21 09:34:05". */
#define ADMIN_TIME_SIZE 24
void admin_time(int64_t wall_ms, char out[ADMIN_TIME_SIZE]);

/* admin_user.c */
enum qerr admin_user_add(struct admin_call *c);
enum qerr admin_user_list(struct admin_call *c);
enum qerr admin_user_show(struct admin_call *c);
enum qerr admin_user_passwd(struct admin_call *c);
enum qerr admin_user_key(struct admin_call *c);
enum qerr admin_user_remove(struct admin_call *c);
/* admin_ban.c */
enum qerr admin_user_ban(struct admin_call *c);
enum qerr admin_user_unban(struct admin_call *c);
enum qerr admin_user_mute(struct admin_call *c);
enum qerr admin_user_unmute(struct admin_call *c);
/* For each restriction that holds for the user: before, "banned", separator, "until ...",
 * the reason, and after. */
void admin_restrictions(struct admin_call *c, const char *user, const char *before,
			const char *separator, const char *after);
/* admin_data.c */
enum qerr admin_enroll_code(struct admin_call *c);
enum qerr admin_check(struct admin_call *c);
enum qerr admin_backup(struct admin_call *c);
/* admin_export.c */
enum qerr admin_export(struct admin_call *c);
/* admin_anons.c */
enum qerr admin_anons_add(struct admin_call *c);
enum qerr admin_anons_list(struct admin_call *c);
enum qerr admin_anons_remove(struct admin_call *c);
/* admin_ctl.c; server->sessions is there */
enum qerr admin_ctl_sessions(struct admin_call *c);
enum qerr admin_ctl_kick(struct admin_call *c);
enum qerr admin_ctl_say(struct admin_call *c);
enum qerr admin_ctl_stats(struct admin_call *c);
enum qerr admin_ctl_reload(struct admin_call *c);
enum qerr admin_ctl_stop(struct admin_call *c);
/* nodes/nodes_admin.c */
enum qerr admin_node_id(struct admin_call *c);
enum qerr admin_ctl_nodes(struct admin_call *c);

#endif
