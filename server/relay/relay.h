/* SPDX-License-Identifier: MIT
 *
 * relay.h - the server's side of the relay protocol (docs/protocols/relay.md):
 * sealed one-to-one chat through a server that cannot read it.
 *
 *   relay.c        the row below, the serve loop, the table of opcodes
 *   handshake.c    290, 291, 292: from the first bytes to a login
 *   enrol.c        280, 281: a new user brings a key
 *   seal.c         sealed frames: counters, IVs, reflection guard
 *   switchboard.c  who is online, asked, or in a chat; pure
 *   calls.c        what clients ask of the switchboard, and what it tells them
 *   chat.c         one chat, shared by its two sides
 *   forward.c      key negotiation and messages, in batches, archived
 */
#ifndef SERVER_RELAY_RELAY_H
#define SERVER_RELAY_RELAY_H

#include "server/protocol.h"

extern const struct protocol relay_protocol;

#endif
