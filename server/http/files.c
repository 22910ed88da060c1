/* SPDX-License-Identifier: MIT
 *
 * Browsers are told to ask each time (no-cache) and are answered 304 while a file is the
 * one that they have: so a new version of the page is there at once, and costs an old one
 * nothing but a question.
 *
 * The policy (CSP) is the page's second wall.  The first is that the page writes what
 * people say as text only; should that fail once, there is still no script, style or form
 * that could come from anywhere but these files, and nobody else to send anything to.
 */
#include "server/http/files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/http/file_set.h"
#include "server/http/http.h"
#include "server/log.h"
#include "server/server.h"

#define PATH_SIZE 4096

static const char page_headers[] =
    "Cache-Control: no-cache\r\n"
    "Vary: Accept-Encoding\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: same-origin\r\n";

/* ---- the folder ---- */

/* Beside this program's folder, as in the sources, or where `make install` puts it.
 * False: there is neither. */
static bool
find_folder(char out[PATH_SIZE])
{
	static const char *const places[] = {"web", "share/quintet/web"};
	char self[PATH_SIZE], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return false;
	self[n] = '\0';
	for (int up = 0; up < 2; up++)
		if ((slash = strrchr(self, '/')) != NULL)
			*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		n = snprintf(out, PATH_SIZE, "%s/%s/index.html", self, places[i]);
		if (n >= PATH_SIZE || access(out, R_OK) != 0)
			continue;
		*strrchr(out, '/') = '\0';
		return true;
	}
	return false;
}

void
files_start(struct server *server)
{
	const char *folder = config_now()->http_web;
	char found[PATH_SIZE];
	struct why why;

	if (*folder == '\0') {
		if (!find_folder(found)) {
			log_event(LOG_WARN, NULL, "no-web-page", "text=%s",
				  "there is no folder web beside this program's; set "
				  "http.web");
			return;
		}
		folder = found;
	}
	if (file_set_load(folder, &server->files, &why) != Q_OK) {
		log_event(LOG_WARN, NULL, "no-web-page", "text=%s", why.text);
		return;
	}
	log_event(LOG_INFO, NULL, "web-page", "folder=%s files=%zu bytes=%zu", folder,
		  file_set_count(server->files), file_set_bytes(server->files));
	if (file_set_find(server->files, span_str(socketio_js_route.path)) == NULL)
		log_event(LOG_WARN, NULL, "web-page-incomplete", "text=%s",
			  "socket.io/socket.io.js is missing: make deps fetches it");
}

void
files_stop(struct server *server)
{
	file_set_free(server->files);
	server->files = NULL;
}

/* ---- a request ---- */

static void
answer_missing(struct http *h, const struct http_request *r)
{
	struct span path = r->path;

	if (http_session(h)->server->files == NULL && span_eq(path, span_str("/")))
		http_error(h, 404, "the web page is not installed (http.web)");
	else
		http_error(h, 404, NULL);
}

static void
answer_405(struct http *h)
{
	static const char text[] = "405 Method Not Allowed\n";

	(void)http_reply(h, &(struct http_reply){.status = 405,
						 .type = "text/plain; charset=UTF-8",
						 .body = span_str(text),
						 .more = "Allow: GET, HEAD\r\n"});
}

static void
answer_file(struct http *h, const struct http_request *r, const struct file *f)
{
	bool packed =
	    f->gzip.bytes.p != NULL && http_field_has(r, "Accept-Encoding", "gzip");
	const struct file_form *form = packed ? &f->gzip : &f->plain;
	struct http_reply reply = {.status = 200, .type = f->type, .body = form->bytes};
	char more[sizeof(page_headers) + FILE_TAG_SIZE + 64];

	if (file_tag_listed(http_field(r, "If-None-Match"), form->tag))
		reply = (struct http_reply){.status = 304};
	snprintf(more, sizeof(more), "ETag: %s\r\n%s%s", form->tag,
		 packed && reply.status == 200 ? "Content-Encoding: gzip\r\n" : "",
		 page_headers);
	reply.more = more;
	(void)http_reply(h, &reply);
}

/* Everything is known once the head is there, and no body is wanted.  Which methods may
 * be used depends on whether there is such a file, so it is judged here and not by the
 * row. */
static void
head(struct http *h, struct http_request *r)
{
	const struct file_set *set = http_session(h)->server->files;
	const struct file *f = set == NULL ? NULL : file_set_find(set, r->path);

	if (f == NULL)
		answer_missing(h, r);
	else if (r->method != ROUTE_GET && r->method != ROUTE_HEAD)
		answer_405(h);
	else
		answer_file(h, r, f);
}

#define ANY_METHOD (~0u)

const struct http_route files_route = {
    .path = "/",
    .prefix = true,
    .methods = ANY_METHOD,
    .head = head, /* answers, always: so there is no serve */
};

const struct http_route socketio_js_route = {
    .path = "/socket.io/socket.io.js",
    .methods = ANY_METHOD,
    .head = head,
};
