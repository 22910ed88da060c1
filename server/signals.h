/* SPDX-License-Identifier: MIT
 *
 * signals.h - signals as the main thread waits for them; no handlers run
 * anywhere, but for the one that ends a stop which takes too long.
 */
#ifndef SERVER_SIGNALS_H
#define SERVER_SIGNALS_H

enum signal_wish { SIGNAL_STOP, SIGNAL_RELOAD };

/* Before the first thread: block what is waited for, ignore what would kill a
 * server that writes to sockets and full disks (SIGPIPE, SIGXFSZ). */
void signals_block(void);
/* Wait for TERM or INT (stop) or HUP (reload). */
enum signal_wish signals_wait(void);
/* From now on a further TERM or INT ends the process at once, with status 1. */
void signals_impatient(void);

#endif
