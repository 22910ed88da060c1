/* SPDX-License-Identifier: MIT
 *
 * Characters are compared one by one in lower case; nothing is normalised, so that what
 * is found has a place in the text as it stands.
 */
#include <string.h>

#include <utf8proc.h>

#include "client/scrollback_inner.h"

/* The character at s in lower case, and its bytes; a bad byte is itself. */
static utf8proc_int32_t
lower(struct span s, size_t *n)
{
	utf8proc_int32_t cp;
	utf8proc_ssize_t len = utf8proc_iterate(s.p, (utf8proc_ssize_t)s.len, &cp);

	*n = len > 0 ? (size_t)len : 1;
	return len > 0 ? utf8proc_tolower(cp) : -1 - s.p[0];
}

/* Does s begin with the needle?  Bytes of s that it takes; 0: no. */
static size_t
begins(const char *needle, struct span s)
{
	struct span want = span_str(needle);
	size_t used = 0, a, b;

	while (want.len > 0) {
		if (used == s.len ||
		    lower(span_of(s.p + used, s.len - used), &a) != lower(want, &b))
			return 0;
		used += a;
		want = span_of(want.p + b, want.len - b);
	}
	return used;
}

bool
scrollback_match(const char *needle, struct span text, size_t from, size_t *start,
		 size_t *end)
{
	size_t n;

	if (needle[0] == '\0')
		return false;
	while (from < text.len) {
		struct span rest = span_of(text.p + from, text.len - from);

		if ((n = begins(needle, rest)) > 0) {
			*start = from;
			*end = from + n;
			return true;
		}
		(void)lower(rest, &n);
		from += n;
	}
	return false;
}

bool
scrollback_search(struct scrollback *s, struct span text)
{
	if (text.len >= sizeof(s->needle))
		text.len = sizeof(s->needle) - 1;
	if (text.len > 0)
		memcpy(s->needle, text.p, text.len);
	s->needle[text.len] = '\0';
	s->found = 0;
	return scrollback_again(s, -1);
}

size_t
scrollback_matches(const struct scrollback *s)
{
	size_t n = 0, start, end;

	for (size_t i = 0; i < s->count; i++) {
		const struct scrollback_line *l = scrollback_at(s, i);

		if (scrollback_match(s->needle, span_of(l->text, l->len), 0, &start,
				     &end) ||
		    scrollback_match(s->needle, span_str(l->name), 0, &start, &end))
			n++;
	}
	return n;
}
