/* SPDX-License-Identifier: MIT
 *
 * settings.h - defaults in files: one table (settings.c) names each setting's key,
 * type, default and meaning, and drives the parser, what the program writes, and
 * --list-settings.
 *
 * From the least to the most: the defaults, client.conf (or --config FILE), the
 * profile's file (profiles/NAME.conf), the command line.  Files are made of lines
 * "key = value", with comments that begin with ';' or '#'.
 */
#ifndef CLIENT_SETTINGS_H
#define CLIENT_SETTINGS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/bytes.h"

#define SETTINGS_TEXT_SIZE 512
#define SETTINGS_FILE_MAX  65536

struct settings {
	char server[SETTINGS_TEXT_SIZE]; /* these: "" when nothing was said */
	char user[SETTINGS_TEXT_SIZE];
	char protocol[SETTINGS_TEXT_SIZE];
	char profile[SETTINGS_TEXT_SIZE]; /* the one to use; not in a profile's file */
	char ca[SETTINGS_TEXT_SIZE];
	char key[SETTINGS_TEXT_SIZE];
	char passphrase_file[SETTINGS_TEXT_SIZE];
	char password_file[SETTINGS_TEXT_SIZE];
	char downloads[SETTINGS_TEXT_SIZE];
	char max_file[SETTINGS_TEXT_SIZE];  /* a size, as with --max-file */
	char reconnect[SETTINGS_TEXT_SIZE]; /* yes, no, auto */
	bool history;                       /* keep what is said */
	bool plain;                         /* lines, also in a terminal */
	bool bell; /* ring when something comes while nobody looks */
};

/* What holds when nobody says anything. */
void settings_default(struct settings *s);
/* Take over what text, the file called name, says.  Q_FORMAT: why names the line. */
enum qerr
settings_read(struct settings *s, const char *name, struct span text, struct why *why);
/* Append the lines that say what differs from the defaults. */
enum qerr settings_write(const struct settings *s, struct buf *out);
/* All of them, commented, at their defaults. */
void settings_print_example(FILE *out);

#endif
