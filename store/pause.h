/* SPDX-License-Identifier: MIT
 *
 * pause.h - an instant at which no file of the store changes, for a snapshot.
 *
 * What a snapshot shows is then what a kill at that instant would have left, and that is
 * what every file of the store is written for.  So each system call that gives or takes a
 * name, appends to a log or shortens it, stands between pause_change and pause_changed;
 * writing a temporary file does not, as nobody takes it for anything.
 *
 * One for the process, because file.h knows folders and no store.  Any thread; a leaf:
 * nothing else is locked, and nothing waited for, between the two.
 */
#ifndef STORE_PAUSE_H
#define STORE_PAUSE_H

/* A change begins; waits while a pause lasts.  errno is kept by all four. */
void pause_change(void);
void pause_changed(void);

/* Wait for the changes that are under way; until pause_end no other one begins. */
void pause_begin(void);
void pause_end(void);

#endif
