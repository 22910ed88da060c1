/* SPDX-License-Identifier: MIT
 *
 * nodes.h - the client's side of the nodes protocol (docs/protocols/nodes.md): one control
 * connection, and for each call a connection of its own (sides.h).
 *
 *	we call:   LOOKING --61--> CALLING --07--> JOINING --TLS--> UP
 *	they call: NAMING  --61--> RINGING --06--> JOINING --TLS--> UP
 *
 * People are known by number.  The server says what name a number of its own has, and is
 * believed for showing it; numbers of elsewhere are shown as they are.  Keys are pinned by
 * number, and the safety number is about both numbers.
 *
 * Several calls may be up at once.  One is current: what is said goes there, and what comes
 * from there is shown; what comes from others is kept and counted.  A call that comes up
 * becomes the current one; CLIENT_DO_CHAT with somebody in a call makes that one current.
 * Each text is acknowledged by the partner's client, in order.
 */
#ifndef CLIENT_NODES_H
#define CLIENT_NODES_H

#include "client/protocol.h"

extern const struct client_protocol client_nodes;

#endif
