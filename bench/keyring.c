/* SPDX-License-Identifier: MIT */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/keyring.h"
#include "bench/util.h"

void
user_name(unsigned i, char out[NAME_SIZE])
{
	snprintf(out, NAME_SIZE, "u%05u", i);
}

struct key **
keyring_read(const char *file, unsigned count)
{
	struct key **keys = must_alloc(count, sizeof(*keys));
	char line[128], pem[KEY_PEM_MAX];
	size_t len = 0;
	unsigned n = 0;
	FILE *f;

	if ((f = fopen(file, "r")) == NULL)
		err(1, "%s", file);
	while (n < count && fgets(line, sizeof(line), f) != NULL) {
		if (strlen(line) >= sizeof(pem) - len)
			errx(1, "%s: a key too long", file);
		memcpy(pem + len, line, strlen(line));
		len += strlen(line);
		if (strncmp(line, "-----END", 8) != 0)
			continue;
		must(key_parse_private(span_of(pem, len), NULL, &keys[n++]), file);
		len = 0;
	}
	fclose(f);
	if (n < count)
		errx(1, "%s has %u keys, not %u", file, n, count);
	return keys;
}

void
keyring_free(struct key **keys, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		key_free(keys[i]);
	free(keys);
}

struct user_token *
tokens_read(const char *file, unsigned count)
{
	struct user_token *tokens = must_alloc(count, sizeof(*tokens));
	char line[128];
	FILE *f = fopen(file, "r");

	if (f == NULL)
		err(1, "%s", file);
	for (unsigned i = 0; i < count; i++) {
		if (fgets(line, sizeof(line), f) == NULL || strlen(line) < TOKEN_LEN)
			errx(1, "%s has too few tokens", file);
		memcpy(tokens[i].text, line, TOKEN_LEN);
	}
	fclose(f);
	return tokens;
}
