/* SPDX-License-Identifier: MIT
 *
 * recall.h - what client.c does with the history, whichever protocol it is: keep what
 * passes, and show it again.
 */
#ifndef CLIENT_RECALL_H
#define CLIENT_RECALL_H

#include "client/protocol.h"

/* What passes between two people is kept, if the login has a history.  Trouble is told
 * (CLIENT_FAILED) once; *told remembers. */
void recall_keep(const struct client_env *env, const char *partner, bool ours,
		 struct span text, bool *told);
/* CLIENT_DO_HISTORY and CLIENT_DO_CLEAR.  Q_OK: done and told; else why is a sentence. */
enum qerr recall_do(const struct client_env *env, enum client_verb verb, struct span arg,
		    struct why *why);

#endif
