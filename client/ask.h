/* SPDX-License-Identifier: MIT
 *
 * ask.h - what only a person, or a script in a person's place, can tell: the
 * passphrase of a key and the enrolment code.  Blocks on the terminal.  Ctrl-D is never an
 * answer: Q_CLOSED, as when nobody is there.
 */
#ifndef CLIENT_ASK_H
#define CLIENT_ASK_H

#include <stdbool.h>

#include "crypto/key.h"

#define ASK_PASSPHRASE_SIZE (KEY_PASSPHRASE_MAX + 1)

/* Where passphrases, or passwords, come from when not from a terminal. */
struct ask_source {
	const char *file;               /* --passphrase-file, or NULL */
	bool given;                     /* the variable was set */
	char text[ASK_PASSPHRASE_SIZE]; /* its value */
};

/* Take the variable (QUINTET_PASSPHRASE, QUINTET_PASSWORD) out of the environment,
 * where child processes and /proc would have it.  Q_LIMIT: too long. */
enum qerr ask_source_init(struct ask_source *s, const char *variable, const char *file,
			  struct why *why);
void ask_source_fini(struct ask_source *s); /* wipes */

/* The private key in pem, which is called name for people; asks for its
 * passphrase when it has one.  Q_DENIED: wrong, or nobody can be asked. */
enum qerr ask_unlock(const struct ask_source *s, const char *name, struct span pem,
		     struct key **out, struct why *why);
/* A passphrase for a new key, asked for twice, again when the two differ; "" for none,
 * which is also what a script gets that gives none.  The caller wipes out. */
enum qerr ask_new_passphrase(const struct ask_source *s, char out[ASK_PASSPHRASE_SIZE],
			     struct why *why);
enum ask_password { ASK_PASSWORD, ASK_NEW_PASSWORD };

/* The password of user; a new one is asked for twice.  Without a source and a
 * terminal: standard input's first line, and not a byte more, since the rest is the
 * script.  The caller wipes out. */
#define ASK_PASSWORD_SIZE ASK_PASSPHRASE_SIZE
enum qerr
ask_password(const struct ask_source *s, const char *user, enum ask_password which,
	     char out[ASK_PASSWORD_SIZE], struct why *why);
/* One line, from the terminal; an empty one is instead, which may be "".  Q_CLOSED:
 * nobody answers. */
enum qerr ask_line(const char *question, const char *instead, char *out, size_t size,
		   struct why *why);
/* One line, from the terminal, or without one the next line of standard input, and not a
 * byte more. */
enum qerr ask_answer(const char *question, char *out, size_t size, struct why *why);
/* The next line of standard input.  Q_CLOSED: there is none; Q_LIMIT. */
enum qerr ask_input_line(char *out, size_t size, struct why *why);
/* Yes or no, from the terminal.  Q_DENIED: no, or nobody can be asked. */
enum qerr ask_yes(const char *question);
/* One line: the enrolment code, from the terminal or from standard input's
 * first line.  The caller wipes out. */
#define ASK_CODE_SIZE 128
enum qerr ask_code(char out[ASK_CODE_SIZE], struct why *why);

#endif
