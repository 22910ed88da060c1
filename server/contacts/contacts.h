/* SPDX-License-Identifier: MIT
 *
 * contacts.h - the server's side of the contacts protocol (docs/protocols/contacts.md):
 * numbered lines between confirmed contacts, through chats that the server keeps.
 *
 *   contacts.c   the row below, the serve loop, the table of operations
 *   answer.c     answers, on their way to the outbox
 *   login.c      110, 111, 117: coming, going, making an account
 *   people.c     118, 120, 121, 123, and 233: who knows whom
 *   chats.c      112, 113, 114
 *   send.c       115, in runs
 *   media.c      119, and the pictures of 115
 *   deliver.c    220: what happens now
 *   catchup.c    220: what waited, and what was too much at once
 *   inbox.c      what a session was sent and what it has had; pure
 *   positions.c  122, and what TCP acknowledged, into the store
 */
#ifndef SERVER_CONTACTS_CONTACTS_H
#define SERVER_CONTACTS_CONTACTS_H

#include "server/protocol.h"

extern const struct protocol contacts_protocol;

#endif
