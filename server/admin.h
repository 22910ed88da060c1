/* SPDX-License-Identifier: MIT
 *
 * admin.h - the administrator's commands: user, enroll-code, check, backup,
 * export, anons, node, ctl.
 *
 * One implementation, two ways in: with no server running, the command opens
 * the store itself; with one running (it holds the directory's lock), the
 * command is sent through DIR/server/control.sock (control.h) and runs inside
 * the server.
 */
#ifndef SERVER_ADMIN_H
#define SERVER_ADMIN_H

#include "base/bytes.h"
#include "server/server.h"

/* A command's words, and what the command line has read before anything is sent: the
 * password, if it wants one, as a line of its own, then the content of the file or
 * standard input that it names. */
struct admin_request {
	int argc;
	const char *const *argv; /* "user", "add", "alice", ... */
	struct span input;
};

/* Do the words make a command?  Q_FORMAT: no; why is the sentence, and how the
 * command is to be written.  Pure; for the command line. */
enum qerr admin_understand(const struct admin_request *req, struct why *why);
/* The word that names the file whose content input has to be, or NULL. */
const char *admin_input_file(const struct admin_request *req);
/* Does it want a password? */
bool admin_wants_password(const struct admin_request *req);
/* Of a backup, the archive that the command line is to write once the command has made
 * the snapshot; else NULL. */
const char *admin_backup_file(const struct admin_request *req);
/* Does it answer in parts?  When why is not empty after Q_OK, the next part is what the
 * same command with "--after" and that text answers. */
bool admin_in_parts(const struct admin_request *req);
/* Is it one that only a running server can answer (ctl)? */
bool admin_needs_server(const struct admin_request *req);
/* Run it on server (its sessions, timers and flusher are NULL when none is
 * running).  Answers go to out as text; a refusal is one sentence in why, and
 * out may hold something nevertheless.  Returns Q_OK or what went wrong. */
enum qerr admin_run(struct server *server, const struct admin_request *req,
		    struct buf *out, struct why *why);

#define ADMIN_WORDS_MAX 16
#define ADMIN_INPUT_MAX 65536              /* bytes of input */
#define ADMIN_REPLY_MAX (16 * 1024 * 1024) /* bytes of an answer */

/* `server WORD ...` from the command line: finds out whether a server runs on
 * data_dir, runs the command there or here, prints.  Returns the exit status: 0,
 * 1 with one line on standard error, 2 for words that make no command. */
int admin_main(const char *data_dir, int argc, const char *const *argv);

#endif
