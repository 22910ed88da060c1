/* SPDX-License-Identifier: MIT
 *
 * rooms.h - the rooms protocol (docs/protocols/rooms.md) as server/protocols.c and
 * server/http/routes.c know it.
 */
#ifndef SERVER_ROOMS_ROOMS_H
#define SERVER_ROOMS_ROOMS_H

#include "server/http/route.h"
#include "server/protocol.h"

extern const struct protocol rooms_protocol;
extern const struct http_route rooms_route; /* /rooms */

#endif
