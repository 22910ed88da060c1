/* SPDX-License-Identifier: MIT
 *
 * The paths that this server answers: one line each, the first that fits.
 */
#include "server/http/route.h"

#include "server/board/board.h"
#include "server/http/echo.h"
#include "server/http/files.h"
#include "server/http/status.h"
#include "server/rooms/rooms.h"

const struct http_route *const http_routes[] = {
    &healthz_route, &metrics_route,     &rooms_route, &board_route,
    &echo_route,    &socketio_js_route, &files_route, NULL,
};
