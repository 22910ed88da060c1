/* SPDX-License-Identifier: MIT
 *
 * options.h - the command line.  Pure, but for --help and --version, which are
 * the caller's to print.
 */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdbool.h>

#include "base/name.h"
#include "client/client.h"

enum options_task { OPTIONS_LOGIN, OPTIONS_ENROL, OPTIONS_HELP, OPTIONS_VERSION };

struct options {
	enum options_task task;
	struct target target;
	char user[NAME_SIZE]; /* "": not given */
	const struct client_protocol *protocol;
	const char *ca_file; /* these, borrowed from argv, may be NULL */
	const char *key_file;
	const char *code;
	const char *passphrase_file;
	const char *password_file;
	const char *fingerprint; /* of the CA to trust: hex, perhaps with colons */
	bool new_user;           /* --register */
	bool clear;              /* no TLS */
};

/* Q_FORMAT: why says what is wrong.  May reorder argv (getopt_long(3)). */
enum qerr options_parse(int argc, char **argv, struct options *out, struct why *why);
/* What --help prints. */
extern const char options_usage[];

#endif
