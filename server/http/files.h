/* SPDX-License-Identifier: MIT
 *
 * files.h - the web page: the files of one folder (http.web), at "/" and below.
 *
 * They are read when the server starts (file_set.h); a folder that is missing stops
 * nothing: the log says so, and so does "/".
 */
#ifndef SERVER_HTTP_FILES_H
#define SERVER_HTTP_FILES_H

#include "server/http/route.h"

struct server;

/* Every path that nobody else answers; the last row. */
extern const struct http_route files_route;
/* /socket.io/socket.io.js, a file among paths that are board's: stands above those. */
extern const struct http_route socketio_js_route;

/* Read the folder.  What is wrong with it is logged. */
void files_start(struct server *server);
void files_stop(struct server *server);

#endif
