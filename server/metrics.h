/* SPDX-License-Identifier: MIT
 *
 * metrics.h - counters since the start, for `ctl stats` (and /metrics later).
 * Adding to one is a relaxed atomic add; any thread.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

/* name, what it counts */
#define METRICS(X)                                                              \
	X(connections_total, "connections accepted")                            \
	X(connections_refused, "connections refused at a limit")                \
	X(limited_total, "messages and requests refused at a limit for now")    \
	X(unrecognised_total, "connections whose first bytes fit no protocol")  \
	X(tls_handshakes_total, "TLS handshakes")                               \
	X(tls_failures_total, "TLS handshakes and connections that failed")     \
	X(http_requests_total, "HTTP requests")                                 \
	X(http_refused_total,                                                   \
	  "HTTP requests refused as malformed, too large, too slow or foreign") \
	X(websockets_total, "WebSocket connections opened")                     \
	X(logins_total, "logins")                                               \
	X(login_failures_total, "logins that failed")                           \
	X(enrolments_total, "users enrolled")                                   \
	X(enrolment_failures_total, "enrolments that failed")                   \
	X(chats_total, "chats begun")                                           \
	X(messages_total, "messages relayed")                                   \
	X(message_bytes_total, "bytes of these")                                \
	X(protocol_errors_total, "sessions ended for a protocol error")         \
	X(slow_receivers_total, "sessions ended because they did not read")     \
	X(archive_failures_total, "messages that could not be stored")

enum metric {
#define X(name, doc) METRIC_##name,
	METRICS(X)
#undef X
	    METRIC_COUNT
};

void metric_add(enum metric m, uint64_t n);
uint64_t metric_get(enum metric m);
const char *metric_name(enum metric m);
const char *metric_doc(enum metric m);

#endif
