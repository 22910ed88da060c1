/* SPDX-License-Identifier: MIT
 *
 * admin_data.c - the commands "enroll-code", "check" and "backup".
 */
#include "server/admin_call.h"
#include "server/identity.h"
#include "server/log.h"
#include "store/check.h"
#include "store/snapshot.h"

enum qerr
admin_enroll_code(struct admin_call *c)
{
	struct server *server = c->server;
	char code[ENROL_CODE_SIZE];
	bool rotate = c->argc > 0;
	enum qerr e = Q_OK;

	if (server->identity == NULL)
		e = rotate ? enrol_code_make(server->store, code, c->why)
			   : enrol_code_read(server->store, code, c->why);
	else if (rotate)
		e = identity_rotate_enrol_code(server->identity, server->store, code,
					       c->why);
	else
		identity_enrol_code(server->identity, code);
	if (e != Q_OK)
		return e;
	if (rotate)
		log_event(LOG_INFO, NULL, "enrol-code-rotate", "running=%s",
			  server->identity == NULL ? "no" : "yes");
	admin_say(c, "%s\n", code);
	return Q_OK;
}

static void
say_problem(void *arg, const char *sentence)
{
	admin_say(arg, "%s\n", sentence);
}

enum qerr
admin_check(struct admin_call *c)
{
	bool repair = c->argc > 0;
	struct check_result r;
	enum qerr e;

	/* Setting lines aside rewrites logs that sessions are appending to. */
	if (repair && c->server->sessions != NULL)
		return why_set(
		    c->why, Q_DENIED,
		    "a server is running; stop it first (server ctl stop), then repair");
	if ((e = store_check(c->server->store, repair, say_problem, c, &r)) != Q_OK)
		return why_set(c->why, e, "cannot check everything: %s", qerr_str(e));
	admin_say(c,
		  "%zu users, %zu keys, %zu message files with %zu messages are good\n",
		  r.users, r.keys, r.logs, r.records);
	if (repair && r.problems > 0)
		admin_say(c, "%zu of %zu problems repaired\n", r.repaired, r.problems);
	if (r.problems > r.repaired)
		return why_set(
		    c->why, Q_FORMAT, "%zu problem%s%s", r.problems - r.repaired,
		    r.problems - r.repaired == 1 ? "" : "s",
		    repair ? " left"
			   : " found (check --repair sets damaged parts aside)");
	return Q_OK;
}

/* The archive is the command line's business (backup.h). */
enum qerr
admin_backup(struct admin_call *c)
{
	struct snapshot_taken taken;
	enum qerr e = snapshot_take(c->server->store, &taken, c->why);

	if (e == Q_OK)
		log_event(LOG_INFO, NULL, "backup", "files=%zu paused_ms=%lld",
			  taken.files, (long long)taken.paused_ms);
	return e;
}
