/* SPDX-License-Identifier: MIT
 *
 * nodes.h - the row of the nodes protocol: calls between UINs, and links between
 * servers (docs/protocols/nodes.md).
 */
#ifndef SERVER_NODES_NODES_H
#define SERVER_NODES_NODES_H

#include "server/protocol.h"

/* First bytes of all three kinds of connection.  A session goes on as a data
 * connection or a link under a row of its own, so that a login replaces the user's older
 * control connection and nothing else. */
extern const struct protocol nodes_protocol;
extern const struct protocol nodes_data_protocol;
extern const struct protocol nodes_link_protocol;

#endif
