/* SPDX-License-Identifier: MIT
 *
 * control.h - the control socket of a running server, DIR/server/control.sock:
 * how the administrator's commands get into it and their answers out.
 *
 *   command   u32 length of the rest | u32 words | { u32 length | bytes }... | input
 *   answer    u32 length of the rest | u8 enum qerr | u32 length | text | sentence
 *
 * Little-endian.  One connection carries one command.  Who may connect is said
 * by the socket's mode, 0600.
 */
#ifndef SERVER_CONTROL_H
#define SERVER_CONTROL_H

#include "server/admin.h"

struct control;

/* Start serving, on one thread, one command after another.  A socket that a
 * killed server left behind is replaced: the caller holds the directory's lock. */
enum qerr control_start(struct server *server, struct control **out, struct why *why);
/* Finish the command at hand, stop and remove the socket.  NULL is fine. */
void control_stop(struct control *c);

/* Have the server of data_dir run req.  Q_MISSING, with out and why unchanged:
 * no server answers there.  Otherwise what admin_run returned, or what went
 * wrong on the way. */
enum qerr control_call(const char *data_dir, const struct admin_request *req,
		       struct buf *out, struct why *why);

/* ---- the bytes; pure ---- */

#define CONTROL_COMMAND_MAX (1024 * 1024) /* bytes behind the first length */
#define CONTROL_HEAD_LEN    4

/* Append the whole message. */
enum qerr control_put_command(struct buf *out, const struct admin_request *req);
enum qerr control_put_answer(struct buf *out, enum qerr result, struct span text,
			     const char *sentence);
/* Words become C strings in argv, borrowed from words (emptied first); input is
 * borrowed from body.  body is what stands behind the first length. */
enum qerr
control_parse_command(struct span body, struct buf *words,
		      const char *argv[ADMIN_WORDS_MAX], struct admin_request *req);
enum qerr control_parse_answer(struct span body, enum qerr *result, struct span *text,
			       struct why *sentence);

#endif
