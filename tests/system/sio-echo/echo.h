/* SPDX-License-Identifier: MIT
 *
 * echo.h - what sio-echo answers (main.c says what).
 */
#ifndef TESTS_SYSTEM_SIO_ECHO_ECHO_H
#define TESTS_SYSTEM_SIO_ECHO_ECHO_H

#include "server/engineio/sio.h"

extern const struct http_route echo_engineio_route; /* /engine.io/ */
extern const struct http_route echo_socketio_route; /* /socket.io/ */

struct echo_options {
	struct sio_options sio;
	int64_t auth_after_ms; /* from CONNECT's answer to `auth` */
};

enum qerr echo_start(struct server *core, const struct echo_options *o);
void echo_stop(void);

#endif
