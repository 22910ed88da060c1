/* SPDX-License-Identifier: MIT */
#include "base/name.h"

#include <assert.h>
#include <string.h>

static bool
is_alnum(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
name_characters(struct span s)
{
	if (s.len == 0 || !is_alnum(s.p[0]))
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '.' && s.p[i] != '_' && s.p[i] != '-')
			return false;
	return true;
}

bool
name_valid(struct span s)
{
	return s.len <= NAME_MAX_LEN && name_characters(s);
}

enum qerr
name_copy(struct span s, char out[NAME_SIZE])
{
	if (!name_valid(s))
		return Q_FORMAT;
	memcpy(out, s.p, s.len);
	out[s.len] = '\0';
	return Q_OK;
}

void
name_fold(const char *name, char out[NAME_SIZE])
{
	size_t i;

	for (i = 0; name[i] != '\0'; i++) {
		assert(i < NAME_MAX_LEN);
		out[i] = fold(name[i]);
	}
	out[i] = '\0';
}

int
name_cmp(const char *a, const char *b)
{
	while (*a != '\0' && fold(*a) == fold(*b)) {
		a++;
		b++;
	}
	return (unsigned char)fold(*a) - (unsigned char)fold(*b);
}
