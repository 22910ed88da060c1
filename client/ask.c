/* SPDX-License-Identifier: MIT */
#include "client/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <bsd/string.h>

#include "client/lines.h"
#include "client/private.h"
#include "client/show.h"
#include "client/tty.h"
#include "crypto/random.h"

#define TRIES 3

enum qerr
ask_source_init(struct ask_source *s, const char *variable, const char *file,
		struct why *why)
{
	char *value = getenv(variable);
	size_t len;

	*s = (struct ask_source){.file = file};
	if (value == NULL)
		return Q_OK;
	s->given = true;
	len = strlcpy(s->text, value, sizeof(s->text));
	secret_wipe(value, len);
	unsetenv(variable);
	if (len >= sizeof(s->text))
		return why_set(why, Q_LIMIT, "%s is too long", variable);
	return Q_OK;
}

void
ask_source_fini(struct ask_source *s)
{
	secret_wipe(s->text, sizeof(s->text));
}

/* The first line of the file. */
static enum qerr
read_passphrase_file(const char *path, char out[ASK_PASSPHRASE_SIZE], struct why *why)
{
	struct buf text = BUF_INIT(4096);
	enum qerr e = private_read(AT_FDCWD, path, PRIVATE_SECRET, &text, why);
	const uint8_t *newline;
	size_t len;

	if (e != Q_OK)
		return e;
	newline = text.len > 0 ? memchr(text.p, '\n', text.len) : NULL;
	len = newline != NULL ? (size_t)(newline - text.p) : text.len;
	if (len > KEY_PASSPHRASE_MAX || (len > 0 && memchr(text.p, '\0', len) != NULL)) {
		e = why_set(why, Q_LIMIT, "the secret in %s is too long, or none", path);
	} else {
		if (len > 0)
			memcpy(out, text.p, len);
		out[len] = '\0';
	}
	buf_wipe(&text);
	return e;
}

/* From the file or the environment.  Q_MISSING: neither. */
static enum qerr
from_source(const struct ask_source *s, char out[ASK_PASSPHRASE_SIZE], struct why *why)
{
	if (s->file != NULL)
		return read_passphrase_file(s->file, out, why);
	if (!s->given)
		return Q_MISSING;
	memcpy(out, s->text, sizeof(s->text));
	return Q_OK;
}

/* What tty_ask found, in words. */
static enum qerr
explain(enum qerr e, const char *nobody, struct why *why)
{
	if (e == Q_LIMIT)
		return why_set(why, e, "that is too long");
	return e == Q_OK ? Q_OK : why_set(why, e, "%s", nobody);
}

/* Something secret, from the terminal, wherever standard input comes from. */
static enum qerr
ask_secret(const char *prompt, const char *nobody, char out[ASK_PASSPHRASE_SIZE],
	   struct why *why)
{
	return explain(tty_ask(prompt, TTY_SECRET, out, ASK_PASSPHRASE_SIZE), nobody,
		       why);
}

/* A new secret, until it was given twice the same; "" once is enough. */
static enum qerr
ask_twice(const char *prompt, const char *what, const char *nobody,
	  char out[ASK_PASSPHRASE_SIZE], struct why *why)
{
	char again[ASK_PASSPHRASE_SIZE];
	bool same = false;
	enum qerr e = Q_OK;

	for (int i = 0; i < TRIES && e == Q_OK && !same; i++) {
		if (i > 0)
			show_text("! ", span_str(why->text));
		if ((e = ask_secret(prompt, nobody, out, why)) != Q_OK || out[0] == '\0')
			return e;
		e = ask_secret("The same again: ", nobody, again, why);
		same = e == Q_OK && strcmp(out, again) == 0;
		if (e == Q_OK && !same)
			why_set(why, Q_DENIED, "these were two different %s", what);
		secret_wipe(again, sizeof(again));
	}
	if (e == Q_OK && !same)
		e = Q_DENIED;
	if (e != Q_OK)
		secret_wipe(out, ASK_PASSPHRASE_SIZE);
	return e;
}

static enum qerr
ask_passphrase(const char *prompt, char out[ASK_PASSPHRASE_SIZE], struct why *why)
{
	enum qerr e = ask_secret(prompt, "no passphrase was given", out, why);

	if (e == Q_MISSING)
		return why_set(why, Q_DENIED,
			       "the key has a passphrase and there is no terminal to ask "
			       "for it: use --passphrase-file or QUINTET_PASSPHRASE");
	return e;
}

enum qerr
ask_unlock(const struct ask_source *s, const char *name, struct span pem,
	   struct key **out, struct why *why)
{
	char passphrase[ASK_PASSPHRASE_SIZE], prompt[128];
	enum qerr e = key_parse_private(pem, NULL, out);

	if (e == Q_MISSING) {
		snprintf(prompt, sizeof(prompt),
			 "Passphrase for the key of %.64s: ", name);
		if ((e = from_source(s, passphrase, why)) == Q_MISSING)
			e = ask_passphrase(prompt, passphrase, why);
		if (e != Q_OK)
			return e;
		e = key_parse_private(pem, passphrase, out);
		secret_wipe(passphrase, sizeof(passphrase));
		if (e == Q_DENIED)
			return why_set(why, e,
				       "the passphrase for the key of %s is wrong", name);
	}
	if (e != Q_OK)
		return why_set(why, e,
			       "the key of %s cannot be used: a private key in PEM is "
			       "wanted, EC P-256 or "
			       "RSA of 2048 bits or more",
			       name);
	return Q_OK;
}

enum qerr
ask_new_passphrase(const struct ask_source *s, char out[ASK_PASSPHRASE_SIZE],
		   struct why *why)
{
	enum qerr e = from_source(s, out, why);

	if (e != Q_MISSING)
		return e;
	out[0] = '\0';
	if (!isatty(STDIN_FILENO))
		return Q_OK;
	return ask_twice("Passphrase for your new key (empty for none): ", "passphrases",
			 "no passphrase was given", out, why);
}

/* A byte at a time: what follows the line belongs to whoever reads next. */
enum qerr
ask_input_line(char *out, size_t size, struct why *why)
{
	size_t n = 0;
	ssize_t got = 0;
	char c = '\0';

	while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
		if (n == size - 1 || c == '\0')
			return why_set(why, Q_LIMIT,
				       "a line of standard input is too long, or no "
				       "text");
		out[n++] = c;
	}
	if (n > 0 && out[n - 1] == '\r')
		n--;
	out[n] = '\0';
	if (got != 1 && n == 0)
		return why_set(why, Q_CLOSED, "nobody answers");
	return Q_OK;
}

static enum qerr
from_input(char out[ASK_PASSWORD_SIZE], struct why *why)
{
	enum qerr e = ask_input_line(out, ASK_PASSWORD_SIZE, why);

	if (e == Q_LIMIT)
		return why_set(why, e,
			       "the password on standard input is too long, or none");
	if (e == Q_CLOSED)
		return why_set(why, e,
			       "no password was given: it is the first line of standard "
			       "input, or in --password-file or QUINTET_PASSWORD");
	return e;
}

enum qerr
ask_password(const struct ask_source *s, const char *user, enum ask_password which,
	     char out[ASK_PASSWORD_SIZE], struct why *why)
{
	static const char nobody[] = "no password was given";
	char prompt[96];
	enum qerr e = from_source(s, out, why);

	if (e != Q_MISSING)
		return e;
	if (!isatty(STDIN_FILENO))
		return from_input(out, why);
	snprintf(prompt, sizeof(prompt),
		 "%s for %s: ", which == ASK_NEW_PASSWORD ? "New password" : "Password",
		 user);
	if (which == ASK_NEW_PASSWORD)
		return ask_twice(prompt, "passwords", nobody, out, why);
	return ask_secret(prompt, nobody, out, why);
}

enum qerr
ask_line(const char *question, const char *instead, char *out, size_t size,
	 struct why *why)
{
	char prompt[512];
	enum qerr e;

	snprintf(prompt, sizeof(prompt), "%s%s%s%s: ", question,
		 instead[0] != '\0' ? " [" : "", instead, instead[0] != '\0' ? "]" : "");
	e = explain(tty_ask(prompt, TTY_ECHO, out, size), "nobody answers", why);
	if (e == Q_OK && out[0] == '\0')
		strlcpy(out, instead, size);
	return e == Q_MISSING ? Q_CLOSED : e;
}

enum qerr
ask_answer(const char *question, char *out, size_t size, struct why *why)
{
	if (isatty(STDIN_FILENO))
		return ask_line(question, "", out, size, why);
	if (ask_input_line(out, size, why) != Q_OK)
		return why_set(why, Q_CLOSED, "nobody answers \"%s\"", question);
	return Q_OK;
}

enum qerr
ask_yes(const char *question)
{
	char answer[16];
	enum qerr e;

	if (!isatty(STDIN_FILENO))
		return Q_DENIED;
	for (int i = 0; i < TRIES; i++) {
		e = tty_ask(question, TTY_ECHO, answer, sizeof(answer));
		if (e != Q_OK && e != Q_LIMIT)
			return Q_CLOSED;
		if (e == Q_OK && strcasecmp(answer, "yes") == 0)
			return Q_OK;
		if (e == Q_OK && strcasecmp(answer, "no") == 0)
			return Q_DENIED;
		show_text("! ", span_str("yes or no?"));
	}
	return Q_DENIED;
}

enum qerr
ask_code(char out[ASK_CODE_SIZE], struct why *why)
{
	struct lines in;
	struct span line = {NULL, 0};
	enum qerr e;

	if (isatty(STDIN_FILENO))
		return explain(tty_ask("Enrolment code: ", TTY_ECHO, out, ASK_CODE_SIZE),
			       "no enrolment code was given", why);
	lines_init(&in, STDIN_FILENO, ASK_CODE_SIZE - 1);
	while ((e = lines_next(&in, &line)) == Q_SHORT)
		if ((e = lines_read(&in)) != Q_OK && e != Q_CLOSED)
			break;
	if (e == Q_OK) {
		memcpy(out, line.p, line.len);
		out[line.len] = '\0';
	} else {
		why_set(why, e, "no enrolment code came on standard input");
	}
	lines_fini(&in);
	return e;
}
