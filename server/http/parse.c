/* SPDX-License-Identifier: MIT
 *
 * The head is copied into one block as it comes, and parsed there: so the spans that the
 * callbacks hand out stay, and the parts of a name that came in two pieces are beside
 * each other.  libhttp-parser is stopped (paused) behind the head and behind the body;
 * it leaves the head's last newline for the next call.
 *
 * The library is lenient where senders were sloppy once.  What lets two readers of the
 * same bytes disagree about where a request ends is refused here: folded headers, spaces
 * in names, a length beside an encoding, two lengths.
 */
#include "server/http/parse.h"

#include <string.h>
#include <strings.h>

static enum qerr
refuse(struct http_parse *p, int status, const char *reason)
{
	p->status = status;
	p->reason = reason;
	return Q_FORMAT;
}

/* The same from a callback: what is not 0 stops the parser. */
static int
stop(struct http_parse *p, int status, const char *reason)
{
	(void)refuse(p, status, reason);
	return 1;
}

/* ---- callbacks ---- */

/* Append a piece.  False: it does not stand right behind what there is. */
static bool
extend(struct span *s, const char *at, size_t n)
{
	const uint8_t *p = (const uint8_t *)at;

	if (s->len == 0)
		s->p = p;
	else if (s->p + s->len != p)
		return false;
	s->len += n;
	return true;
}

/* Does a byte up to last, or DEL, stand there, but for the one allowed? */
static bool
has_control(const char *at, size_t n, char last, char allowed)
{
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)at[i] <= (unsigned char)last && at[i] != allowed) ||
		    at[i] == 127)
			return true;
	return false;
}

static int
on_url(http_parser *parser, const char *at, size_t n)
{
	struct http_parse *p = parser->data;

	/* Without exception: the space itself ends the target. */
	if (has_control(at, n, ' ', 127) || !extend(&p->url, at, n))
		return stop(p, 400, "target");
	return 0;
}

/* RFC 9110 section 5.6.2. */
static bool
is_token(const char *at, size_t n)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < n; i++) {
		char c = at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && (c == '\0' || strchr(marks, c) == NULL))
			return false;
	}
	return true;
}

static int
on_field(http_parser *parser, const char *at, size_t n)
{
	struct http_parse *p = parser->data;
	struct http_request *r = p->request;

	if (p->head_done)
		return 0; /* a trailer: of no use to anybody here */
	if (!is_token(at, n))
		return stop(p, 400, "header name");
	if (r->field_count == 0 || p->in_value) {
		if (r->field_count == HTTP_HEADERS_MAX)
			return stop(p, 431, "too many headers");
		r->fields[r->field_count++] = (struct http_field){{NULL, 0}, {NULL, 0}};
		p->in_value = false;
	}
	return extend(&r->fields[r->field_count - 1].name, at, n)
		   ? 0
		   : stop(p, 400, "header name");
}

static int
on_value(http_parser *parser, const char *at, size_t n)
{
	struct http_parse *p = parser->data;
	struct http_request *r = p->request;

	if (p->head_done)
		return 0;
	p->in_value = true;
	if (has_control(at, n, ' ' - 1, '\t'))
		return stop(p, 400, "header value");
	/* A value that goes on in the next line is not in one piece. */
	return extend(&r->fields[r->field_count - 1].value, at, n)
		   ? 0
		   : stop(p, 400, "folded header");
}

static int
on_head(http_parser *parser)
{
	struct http_parse *p = parser->data;

	p->head_done = true;
	http_parser_pause(parser, 1);
	return 0;
}

static int
on_body(http_parser *parser, const char *at, size_t n)
{
	struct http_parse *p = parser->data;

	switch (buf_put(&p->body, at, n)) {
	case Q_OK: return 0;
	case Q_LIMIT: return stop(p, 413, "body too large");
	default: return stop(p, 503, "no memory");
	}
}

static int
on_complete(http_parser *parser)
{
	struct http_parse *p = parser->data;

	p->done = true;
	http_parser_pause(parser, 1);
	return 0;
}

static const http_parser_settings callbacks = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

void
http_parse_init(struct http_parse *p, struct http_request *r)
{
	http_parser_init(&p->parser, HTTP_REQUEST);
	p->parser.data = p;
	p->request = r;
	p->head_len = 0;
	p->url = (struct span){NULL, 0};
	p->in_value = p->head_done = p->done = false;
	p->keep_alive = p->expects = p->chunked = false;
	p->length = 0;
	p->body = (struct buf)BUF_INIT(0);
	p->status = 0;
	p->reason = "";
	memset(r, 0, offsetof(struct http_request, fields));
	r->field_count = 0;
	r->body = (struct span){NULL, 0};
	r->max_body = 0;
	r->patient = false;
	r->budget = NULL;
	r->over = NULL;
}

void
http_parse_fini(struct http_parse *p)
{
	buf_wipe(&p->body);
}

/* ---- what the head says ---- */

static enum route_method
method_of(unsigned method)
{
	switch (method) {
	case HTTP_GET: return ROUTE_GET;
	case HTTP_HEAD: return ROUTE_HEAD;
	case HTTP_POST: return ROUTE_POST;
	case HTTP_PUT: return ROUTE_PUT;
	case HTTP_DELETE: return ROUTE_DELETE;
	case HTTP_PATCH: return ROUTE_PATCH;
	case HTTP_OPTIONS: return ROUTE_OPTIONS;
	default: return ROUTE_OTHER;
	}
}

static struct span
part(struct span s, size_t from, size_t to)
{
	return (struct span){s.p + from, to - from};
}

/* "/path?query" */
static void
split_path(struct http_request *r, struct span s)
{
	const uint8_t *mark = s.len == 0 ? NULL : memchr(s.p, '?', s.len);
	size_t n = mark == NULL ? s.len : (size_t)(mark - s.p);

	r->path = part(s, 0, n);
	if (mark != NULL)
		r->query = part(s, n + 1, s.len);
}

/* "http://host:port/path?query" (RFC 9112 section 3.2.2): its host counts, whatever the
 * header says. */
static enum qerr
split_absolute(struct http_parse *p)
{
	static const char schemes[2][9] = {"http://", "https://"};
	struct http_request *r = p->request;
	struct span s = p->url;
	size_t from = 0, to;

	for (size_t i = 0; i < 2 && from == 0; i++) {
		size_t n = strlen(schemes[i]);

		if (s.len > n && strncasecmp((const char *)s.p, schemes[i], n) == 0)
			from = n;
	}
	if (from == 0)
		return refuse(p, 400, "target");
	for (to = from; to < s.len && s.p[to] != '/' && s.p[to] != '?';)
		to++;
	if (to == from)
		return refuse(p, 400, "target");
	r->host = part(s, from, to);
	split_path(r, part(s, to, s.len));
	if (r->path.len == 0)
		r->path = span_str("/");
	return Q_OK;
}

static enum qerr
take_target(struct http_parse *p)
{
	struct http_request *r = p->request;

	if (p->url.len == 0 || memchr(p->url.p, '#', p->url.len) != NULL)
		return refuse(p, 400, "target");
	if (p->url.p[0] == '/')
		split_path(r, p->url);
	else if (span_eq(p->url, span_str("*")) && r->method == ROUTE_OPTIONS)
		r->path = p->url;
	else
		return split_absolute(p);
	return Q_OK;
}

/* A name or address and a port: nothing that could end a line, begin a path or name a
 * user. */
static bool
is_host(struct span s)
{
	if (s.len == 0 || s.len > 255 + 6)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 127 ||
		    strchr("/\\@?#\"<>,;", s.p[i]) != NULL)
			return false;
	return true;
}

static enum qerr
take_host(struct http_parse *p)
{
	struct http_request *r = p->request;
	size_t n = http_field_count(r, "Host");

	if (n > 1 || (n == 0 && !r->old))
		return refuse(p, 400, "Host");
	if (r->host.p == NULL && n == 1)
		r->host = http_field(r, "Host");
	/* An empty one is allowed where nobody is asked for by name. */
	if (r->host.len > 0 && !is_host(r->host))
		return refuse(p, 400, "Host");
	return Q_OK;
}

static bool
equals(struct span s, const char *word)
{
	return s.len == strlen(word) && strncasecmp((const char *)s.p, word, s.len) == 0;
}

/* How long the body is (RFC 9112 section 6): the library has refused two lengths, and a
 * length beside an encoding. */
static enum qerr
take_length(struct http_parse *p)
{
	const struct http_request *r = p->request;
	size_t encodings = http_field_count(r, "Transfer-Encoding");

	if (encodings > 0) {
		if (r->old || http_field_count(r, "Content-Length") > 0)
			return refuse(p, 400, "Transfer-Encoding");
		if (encodings > 1 ||
		    !equals(http_field(r, "Transfer-Encoding"), "chunked"))
			return refuse(p, 501, "Transfer-Encoding");
		p->chunked = true;
	} else if (http_field_count(r, "Content-Length") > 0) {
		p->length = p->parser.content_length;
	}
	return Q_OK;
}

static enum qerr
take_expect(struct http_parse *p)
{
	size_t n = http_field_count(p->request, "Expect");

	if (n == 0)
		return Q_OK;
	if (n > 1 || !equals(http_field(p->request, "Expect"), "100-continue"))
		return refuse(p, 417, "Expect");
	p->expects = !p->request->old && http_parse_wants_body(p);
	return Q_OK;
}

static enum qerr
take_head(struct http_parse *p)
{
	struct http_request *r = p->request;

	if (p->parser.http_major != 1)
		return refuse(p, 505, "version");
	r->old = p->parser.http_minor == 0;
	r->method = method_of(p->parser.method);
	if (p->parser.method == HTTP_CONNECT)
		return refuse(p, 501, "CONNECT");
	if (take_target(p) != Q_OK || take_host(p) != Q_OK || take_length(p) != Q_OK ||
	    take_expect(p) != Q_OK)
		return Q_FORMAT;
	if (http_field_count(r, "Origin") > 0)
		r->origin = http_field_count(r, "Origin") == 1 ? http_field(r, "Origin")
							       : span_str("several");
	p->keep_alive = http_should_keep_alive(&p->parser) != 0;
	return Q_OK;
}

/* ---- feeding ---- */

static enum qerr
broken(struct http_parse *p)
{
	enum http_errno e = HTTP_PARSER_ERRNO(&p->parser);

	if (p->status != 0) /* a callback has said what it is */
		return Q_FORMAT;
	switch (e) {
	case HPE_INVALID_METHOD: return refuse(p, 501, "method");
	case HPE_INVALID_VERSION: return refuse(p, 505, "version");
	case HPE_HEADER_OVERFLOW: return refuse(p, 431, "too long");
	default: return refuse(p, 400, http_errno_description(e));
	}
}

enum qerr
http_parse_head(struct http_parse *p, struct span in, size_t *used)
{
	size_t room = sizeof(p->head) - p->head_len, n = in.len < room ? in.len : room;
	char *at = p->head + p->head_len;

	*used = 0;
	if (n == 0)
		return room == 0 ? refuse(p, 431, "head too long") : Q_SHORT;
	memcpy(at, in.p, n);
	n = http_parser_execute(&p->parser, &callbacks, at, n);
	p->head_len += n;
	*used = n;
	if (p->head_done && p->status == 0)
		return take_head(p);
	if (HTTP_PARSER_ERRNO(&p->parser) != HPE_OK)
		return broken(p);
	return p->head_len == sizeof(p->head) ? refuse(p, 431, "head too long") : Q_SHORT;
}

bool
http_parse_wants_body(const struct http_parse *p)
{
	return p->chunked || p->length > 0;
}

enum qerr
http_parse_body(struct http_parse *p, struct span in, size_t *used)
{
	*used = 0;
	if (p->length > p->body.max)
		return refuse(p, 413, "body too large");
	if (in.len == 0)
		return Q_SHORT;
	http_parser_pause(&p->parser, 0);
	*used = http_parser_execute(&p->parser, &callbacks, (const char *)in.p, in.len);
	if (p->done && p->status == 0) {
		p->request->body = buf_span(&p->body);
		return Q_OK;
	}
	return HTTP_PARSER_ERRNO(&p->parser) != HPE_OK ? broken(p) : Q_SHORT;
}
