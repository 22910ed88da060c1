/* SPDX-License-Identifier: MIT
 *
 * What a route asks a request: headers, the query, text that was percent-encoded.
 */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "server/http/http.h"

static bool
equals(struct span s, const char *word)
{
	return s.len == strlen(word) && strncasecmp((const char *)s.p, word, s.len) == 0;
}

size_t
http_field_count(const struct http_request *r, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < r->field_count; i++)
		if (equals(r->fields[i].name, name))
			n++;
	return n;
}

struct span
http_field(const struct http_request *r, const char *name)
{
	struct span found = {NULL, 0};

	for (size_t i = 0; i < r->field_count; i++) {
		if (!equals(r->fields[i].name, name))
			continue;
		if (found.p != NULL)
			return (struct span){NULL, 0};
		found = r->fields[i].value;
		/* One that is there and empty is not one that is missing. */
		if (found.p == NULL)
			found = span_str("");
		while (found.len > 0 &&
		       (found.p[found.len - 1] == ' ' || found.p[found.len - 1] == '\t'))
			found.len--;
	}
	return found;
}

/* Is word an element of the list "a, b;parameter, c"? */
static bool
list_has(struct span s, const char *word)
{
	size_t from = 0;

	for (size_t i = 0; i <= s.len; i++) {
		struct span item;

		if (i < s.len && s.p[i] != ',')
			continue;
		item = span_of(s.p + from, i - from);
		while (item.len > 0 && (item.p[0] == ' ' || item.p[0] == '\t'))
			item.p++, item.len--;
		while (item.len > 0 &&
		       (item.p[item.len - 1] == ' ' || item.p[item.len - 1] == '\t'))
			item.len--;
		if (equals(item, word))
			return true;
		from = i + 1;
	}
	return false;
}

bool
http_field_has(const struct http_request *r, const char *name, const char *word)
{
	for (size_t i = 0; i < r->field_count; i++)
		if (equals(r->fields[i].name, name) && r->fields[i].value.len > 0 &&
		    list_has(r->fields[i].value, word))
			return true;
	return false;
}

struct span
http_query(const struct http_request *r, const char *key)
{
	struct span q = r->query;
	size_t len = strlen(key), from = 0;

	for (size_t i = 0; i <= q.len; i++) {
		if (i < q.len && q.p[i] != '&')
			continue;
		if (i - from >= len && memcmp(q.p + from, key, len) == 0) {
			if (i - from == len)
				return span_str("");
			if (q.p[from + len] == '=')
				return span_of(q.p + from + len + 1, i - from - len - 1);
		}
		from = i + 1;
	}
	return (struct span){NULL, 0};
}

enum qerr
http_decode(struct span s, char *out, size_t *len)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.p[i];

		if (c == '%') {
			if (s.len - i < 3 ||
			    hex_decode(span_of(s.p + i + 1, 2), &c, 1) != Q_OK)
				return Q_FORMAT;
			i += 2;
		}
		if (c == '\0')
			return Q_FORMAT;
		out[n++] = (char)c;
	}
	*len = n;
	return Q_OK;
}
