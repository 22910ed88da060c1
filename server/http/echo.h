/* SPDX-License-Identifier: MIT
 *
 * echo.h - /echo: every WebSocket message comes back, so that any outside checker can
 * drive the frame code.  There only with http.test_echo.
 */
#ifndef SERVER_HTTP_ECHO_H
#define SERVER_HTTP_ECHO_H

#include "server/http/route.h"

extern const struct http_route echo_route;

#endif
