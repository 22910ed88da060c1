/* SPDX-License-Identifier: MIT
 *
 * The table, and what it drives.  A new setting is a field in struct settings and a row
 * here.  The file's syntax is left to inih, which stops at the first mistake and says
 * in which line it was.
 */
#include "client/settings.h"

#include <ini.h>
#include <string.h>

#include <bsd/string.h>

#define LINE_SIZE 1024 /* bytes of a line, with newline and NUL */

enum type { TEXT, SWITCH };

#define F(field) offsetof(struct settings, field)

static const struct setting {
	const char *key;
	enum type type;
	size_t offset;
	const char *initial;
	const char *help;
} settings[] = {
    {"server", TEXT, F(server), "",
     "where to log in: HOST, HOST:PORT or [V6]:PORT; empty: localhost"},
    {"user", TEXT, F(user), "", "your name there; empty: the one of the last time"},
    {"protocol", TEXT, F(protocol), "", "relay, contacts, rooms or nodes; empty: relay"},
    {"profile", TEXT, F(profile), "",
     "the profile to use; empty: the one made first.  Not in a profile's own file"},
    {"ca", TEXT, F(ca), "",
     "the file of the server's CA, instead of the one that was kept"},
    {"key", TEXT, F(key), "", "the file of your private key, instead of the one here"},
    {"passphrase_file", TEXT, F(passphrase_file), "", "a file with its passphrase"},
    {"password_file", TEXT, F(password_file), "",
     "a file with your password, for protocols that have one"},
    {"downloads", TEXT, F(downloads), "",
     "where files that come are stored; empty: the desktop's folder for downloads"},
    {"max_file", TEXT, F(max_file), "1G",
     "bytes of a file, either way; K, M and G count"},
    {"reconnect", TEXT, F(reconnect), "auto",
     "make a lost connection again: yes, no, or auto: in the full screen"},
    {"history", SWITCH, F(history), "no",
     "keep what is said, on this machine, sealed with your key"},
    {"plain", SWITCH, F(plain), "no", "lines in and lines out, also in a terminal"},
    {"bell", SWITCH, F(bell), "yes",
     "ring when a message comes and the terminal is not looked at"},
};
#define COUNT (sizeof(settings) / sizeof(settings[0]))

static bool
parse_switch(const char *value, bool *out)
{
	static const char *const words[] = {"no", "yes", "off", "on", "false", "true"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(value, words[i]) == 0) {
			*out = i % 2 == 1;
			return true;
		}
	return false;
}

/* Q_LIMIT, Q_FORMAT. */
static enum qerr
assign(const struct setting *row, const char *value, struct settings *s)
{
	char *field = (char *)s + row->offset;
	bool on;

	if (row->type == TEXT)
		return strlcpy(field, value, SETTINGS_TEXT_SIZE) < SETTINGS_TEXT_SIZE
			   ? Q_OK
			   : Q_LIMIT;
	if (!parse_switch(value, &on))
		return Q_FORMAT;
	memcpy(field, &on, sizeof(on));
	return Q_OK;
}

void
settings_default(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < COUNT; i++)
		(void)assign(&settings[i], settings[i].initial, s);
}

/* ---- reading ---- */

struct reading {
	struct settings s;
	struct span left;
	int line;
	enum qerr error;
	struct why why;
};

/* ini_reader: the next line, as fgets would give it. */
static char *
next_line(char *out, int size, void *arg)
{
	struct reading *r = arg;
	const uint8_t *newline;
	size_t n = r->left.len;

	if (n == 0 || r->error != Q_OK)
		return NULL;
	r->line++;
	if ((newline = memchr(r->left.p, '\n', n)) != NULL)
		n = (size_t)(newline - r->left.p) + 1;
	if (n >= (size_t)size || memchr(r->left.p, '\0', n) != NULL) {
		r->error = why_set(&r->why, Q_FORMAT, "the line is too long, or no text");
		return NULL;
	}
	memcpy(out, r->left.p, n);
	out[n] = '\0';
	r->left = span_of(r->left.p + n, r->left.len - n);
	return out;
}

/* ini_handler: one setting of the file. */
static int
on_setting(void *arg, const char *section, const char *key, const char *value)
{
	struct reading *r = arg;
	size_t i = 0;

	if (r->error != Q_OK)
		return 0;
	while (i < COUNT && strcmp(settings[i].key, key) != 0)
		i++;
	if (section[0] != '\0')
		r->error = why_set(&r->why, Q_FORMAT,
				   "there are no sections here, as [%.64s] is", section);
	else if (i == COUNT)
		r->error = why_set(&r->why, Q_FORMAT,
				   "there is no setting %.64s (--list-settings)", key);
	else if ((r->error = assign(&settings[i], value, &r->s)) == Q_LIMIT)
		why_set(&r->why, Q_FORMAT, "the value of %s is too long", key);
	else if (r->error != Q_OK)
		why_set(&r->why, Q_FORMAT, "%s is yes or no", key);
	return r->error == Q_OK;
}

enum qerr
settings_read(struct settings *s, const char *name, struct span text, struct why *why)
{
	struct reading r = {.s = *s, .left = text, .error = Q_OK};
	int bad;

	/* inih's options are global: lines of our length, and an indented line does not
	 * continue the one before. */
	ini_use_stack = false;
	ini_allow_realloc = false;
	ini_initial_alloc = LINE_SIZE;
	ini_allow_multiline = false;
	bad = ini_parse_stream(next_line, &r, on_setting, &r);
	if (bad < 0)
		return why_set(why, Q_NOMEM, "there is no memory left");
	if (bad > 0 && r.error == Q_OK) {
		r.line = bad;
		why_set(&r.why, Q_FORMAT, "this is no line KEY = VALUE");
		r.error = Q_FORMAT;
	}
	if (r.error != Q_OK)
		return why_set(why, Q_FORMAT, "%.200s, line %d: %.200s", name, r.line,
			       r.why.text);
	*s = r.s;
	return Q_OK;
}

/* ---- writing ---- */

enum qerr
settings_write(const struct settings *s, struct buf *out)
{
	size_t before = out->len;
	struct settings initial;
	enum qerr e = Q_OK;

	settings_default(&initial);
	for (size_t i = 0; i < COUNT && e == Q_OK; i++) {
		const char *now = (const char *)s + settings[i].offset;
		const char *then = (const char *)&initial + settings[i].offset;
		bool on;

		if (settings[i].type == TEXT && strcmp(now, then) != 0)
			e = buf_printf(out, "%s = %s\n", settings[i].key, now);
		if (settings[i].type == SWITCH && memcmp(now, then, sizeof(bool)) != 0) {
			memcpy(&on, now, sizeof(on));
			e = buf_printf(out, "%s = %s\n", settings[i].key,
				       on ? "yes" : "no");
		}
	}
	if (e != Q_OK)
		out->len = before;
	return e;
}

void
settings_print_example(FILE *out)
{
	for (size_t i = 0; i < COUNT; i++)
		fprintf(out, "%s# %s\n# %s =%s%s\n", i > 0 ? "\n" : "", settings[i].help,
			settings[i].key, settings[i].initial[0] != '\0' ? " " : "",
			settings[i].initial);
}
