/* SPDX-License-Identifier: MIT
 *
 * ws_priv.h - what ws.c needs of ws_send.c.
 */
#ifndef SERVER_HTTP_WS_PRIV_H
#define SERVER_HTTP_WS_PRIV_H

#include "server/http/ws.h"

/* ws_end with a reason that is a span. */
void ws_close_with(struct session *s, enum ws_code code, struct span reason);

#endif
