/* SPDX-License-Identifier: MIT
 *
 * words_transfer.h - for words.c: the words about files on their way and about a
 * connection that comes back.  Pure.
 */
#ifndef CLIENT_WORDS_TRANSFER_H
#define CLIENT_WORDS_TRANSFER_H

#include "client/words.h"

/* False: e is about something else, or nothing is said about it. */
bool words_of_transfer(const struct client_event *e, struct words *out);

#endif
