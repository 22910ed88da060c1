/* SPDX-License-Identifier: MIT
 *
 * admin.h - the administrator's commands: user, enroll-code, check, ctl.
 *
 * One implementation, two ways in: with no server running, the command opens
 * the store itself; with one running (it holds the directory's lock), the
 * command is sent through DIR/server/control.sock and runs inside the server.
 */
#ifndef SERVER_ADMIN_H
#define SERVER_ADMIN_H

#include "base/bytes.h"
#include "server/server.h"

/* A command's words, and the content of the file or standard input that it
 * names, read by the command line before anything is sent. */
struct admin_request {
	int argc;
	const char *const *argv; /* "user", "add", "alice", ... */
	struct span input;
};

/* Run it on server (its sessions, timers and flusher are NULL when none is
 * running).  Answers go to out as text; a refusal is one sentence in why.
 * Returns Q_OK or what went wrong. */
enum qerr admin_run(struct server *server, const struct admin_request *req, struct buf *out,
    struct why *why);

/* `server WORD ...` from the command line: finds out whether a server runs on
 * data_dir, runs the command there or here, prints.  Returns the exit status. */
int admin_main(const char *data_dir, int argc, const char *const *argv);

/* ---- the control socket of a running server ---- */
struct control;
enum qerr control_start(struct server *server, struct control **out, struct why *why);
void control_stop(struct control *c); /* NULL is fine */

#endif
