/* SPDX-License-Identifier: MIT
 *
 * board.h - the server's side of the board protocol (docs/protocols/board.md): events of
 * Socket.IO about announcements, and the chats that belong to them.
 */
#ifndef SERVER_BOARD_BOARD_H
#define SERVER_BOARD_BOARD_H

#include "server/http/route.h"
#include "server/protocol.h"

extern const struct protocol board_protocol;
extern const struct http_route board_route;

#endif
