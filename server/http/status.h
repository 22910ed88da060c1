/* SPDX-License-Identifier: MIT
 *
 * status.h - what a supervisor asks: /healthz (does the server take connections?) and
 * /metrics (counters, in Prometheus' text format, for addresses in http.metrics_from).
 */
#ifndef SERVER_HTTP_STATUS_H
#define SERVER_HTTP_STATUS_H

#include "server/http/route.h"

extern const struct http_route healthz_route;
extern const struct http_route metrics_route;

#endif
