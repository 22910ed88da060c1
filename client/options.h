/* SPDX-License-Identifier: MIT
 *
 * options.h - what is wanted: the command line, and behind it the settings.  Pure, but
 * for --help, --version and the lists, which are the caller's to print.
 */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdbool.h>

#include "base/name.h"
#include "client/client.h"
#include "client/settings.h"

enum options_task {
	OPTIONS_LOGIN,
	OPTIONS_ENROL,
	OPTIONS_PROFILES, /* list them */
	OPTIONS_SETTINGS, /* print the example */
	OPTIONS_HELP,
	OPTIONS_VERSION
};

enum options_choice { OPTIONS_AUTO, OPTIONS_YES, OPTIONS_NO };

struct options {
	enum options_task task;
	/* these, borrowed from argv or the settings, may be NULL */
	const char *server; /* as it was given */
	const char *config_file;
	const char *profile;
	const char *ca_file;
	const char *key_file;
	const char *code;
	const char *passphrase_file;
	const char *password_file;
	const char *fingerprint; /* of the CA to trust: hex, perhaps with colons */
	const struct client_protocol *protocol;
	char user[NAME_SIZE]; /* "": not given */
	bool new_user;        /* --register */
	bool clear;           /* no TLS */
	bool remember;        /* log in again without a password */
	bool plain;           /* lines, also in a terminal */
	bool history;         /* keep what is said */
	bool history_said;    /* on the command line, one way or the other */
	bool bell;
	const char *downloads; /* as the borrowed ones above */
	uint64_t file_max;     /* bytes; once complete at least 1 */
	enum options_choice reconnect;
	struct target target; /* once complete */
};

/* The command line alone.  Q_FORMAT: why says what is wrong.  May reorder argv
 * (getopt_long(3)). */
enum qerr options_parse(int argc, char **argv, struct options *out, struct why *why);
/* What the command line did not say comes from s, which must stay, or is a default;
 * then all of it must go together.  Q_FORMAT as above. */
enum qerr options_complete(struct options *o, const struct settings *s, struct why *why);
/* What --help prints. */
extern const char options_usage[];

#endif
