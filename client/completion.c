/* SPDX-License-Identifier: MIT */
#include "client/completion.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/command.h"

void
completion_reset(struct completion *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->words[i]);
	*c = (struct completion){.active = false};
}

/* Formatted as printf would; without memory it is left out. */
static void
add(struct completion *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
add(struct completion *c, const char *fmt, ...)
{
	va_list ap;

	if (c->count == COMPLETION_MAX)
		return;
	va_start(ap, fmt);
	if (vasprintf(&c->words[c->count], fmt, ap) != -1)
		c->count++;
	va_end(ap);
}

static bool
begins_with(const char *s, struct span prefix)
{
	return prefix.len <= strlen(s) && memcmp(s, prefix.p, prefix.len) == 0;
}

static void
commands(struct completion *c, struct span prefix)
{
	for (size_t i = 0; command_word(i) != NULL; i++)
		if (begins_with(command_word(i), prefix))
			add(c, "%s ", command_word(i));
}

static void
names(struct completion *c, const struct people *people, struct span prefix, bool first)
{
	const char *found[COMPLETION_MAX];
	size_t n = people_complete(people, prefix, found, COMPLETION_MAX);

	/* The first word of a text is whom it is meant for. */
	for (size_t i = 0; i < n; i++)
		add(c, "%s%s", found[i], first ? ": " : " ");
}

/* ---- files ---- */

/* Not one that could not be typed, nor a hidden one unless asked for. */
static bool
offered(const char *name, struct span prefix)
{
	char shown[1024];

	return begins_with(name, prefix) && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && (name[0] != '.' || prefix.len > 0) &&
	       text_visible(span_str(name), shown, sizeof(shown)) == strlen(name) &&
	       strcmp(name, shown) == 0;
}

static int
by_name(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static void
files(struct completion *c, struct span path)
{
	size_t cut = path.len;
	struct dirent *entry;
	struct span prefix;
	char *folder;
	DIR *dir;

	while (cut > 0 && path.p[cut - 1] != '/')
		cut--;
	prefix = span_of(path.p + cut, path.len - cut);
	if (asprintf(&folder, "%.*s", (int)cut, (const char *)path.p) == -1)
		return;
	if ((dir = opendir(cut > 0 ? folder : ".")) != NULL) {
		while ((entry = readdir(dir)) != NULL)
			if (offered(entry->d_name, prefix))
				add(c, "%s%s%s", folder, entry->d_name,
				    entry->d_type == DT_DIR ? "/" : "");
		closedir(dir);
		qsort(c->words, c->count, sizeof(c->words[0]), by_name);
	}
	free(folder);
}

/* ---- Tab ---- */

static bool
behind_send(struct span line, size_t *start)
{
	static const char word[] = "/send ";

	if (line.len < sizeof(word) - 1 || memcmp(line.p, word, sizeof(word) - 1) != 0)
		return false;
	*start = sizeof(word) - 1;
	return true;
}

static void
begin(struct completion *c, const struct editor *e, const struct people *people)
{
	struct span line = span_of(e->text.p, e->cursor), word;
	size_t start = e->cursor;

	completion_reset(c);
	while (start > 0 && line.p[start - 1] != ' ' && line.p[start - 1] != '\n')
		start--;
	c->end = e->cursor;
	if (behind_send(line, &start)) {
		files(c, span_of(line.p + start, line.len - start));
	} else {
		word = start < line.len ? span_of(line.p + start, line.len - start)
					: span_str("");
		if (start == 0 && word.len > 0 && word.p[0] == '/')
			commands(c, word);
		else
			names(c, people, word, start == 0);
	}
	c->start = start;
}

bool
completion_tab(struct completion *c, struct editor *e, const struct people *people,
	       int step)
{
	struct span word;

	if (!c->active || c->count == 0) {
		begin(c, e, people);
		if (c->count == 0)
			return false;
		c->at = step > 0 ? 0 : c->count - 1;
	} else {
		c->at = (c->at + (step > 0 ? 1 : c->count - 1)) % c->count;
	}
	word = span_str(c->words[c->at]);
	if (editor_replace(e, c->start, c->end, word) != Q_OK)
		return false;
	c->end = c->start + word.len;
	/* A single folder is entered by the next Tab. */
	c->active = c->count > 1;
	return true;
}
