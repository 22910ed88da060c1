/* SPDX-License-Identifier: MIT */
#include "client/options.h"

#include <getopt.h>
#include <string.h>

const char options_usage[] =
    "client [HOST[:PORT]] [--user NAME]           log in (localhost:9034)\n"
    "client --enroll [HOST[:PORT]] --user NAME    become a user there\n"
    "client [HOST[:PORT]] --protocol contacts [--register] [--user NAME]\n"
    "\n"
    "  --user NAME             who you are there; else who you were the last time\n"
    "  --enroll                make a key, enrol with the teacher's code, pin the CA\n"
    "  --code CODE             the enrolment code, instead of being asked\n"
    "  --protocol NAME         relay (the default) or contacts\n"
    "  --plain                 lines in, lines out (so far always)\n"
    "  --ca FILE               trust this CA instead of the pinned one\n"
    "  --key FILE              this private key instead of your own\n"
    "  --passphrase-file FILE  its passphrase; so does QUINTET_PASSPHRASE\n"
    "with --protocol contacts:\n"
    "  --register              become a user with a password of your choice\n"
    "  --password-file FILE    the password; so does QUINTET_PASSWORD; without either,\n"
    "                          a script's is the first line of its input\n"
    "  --fingerprint SHA256    trust the server whose CA has this fingerprint\n"
    "  --clear                 without TLS: others on the way can read everything\n"
    "  --version, --help\n";

static const struct option longs[] = {
    {"user", required_argument, NULL, 'u'},
    {"enroll", no_argument, NULL, 'e'},
    {"code", required_argument, NULL, 'c'},
    {"protocol", required_argument, NULL, 'r'},
    {"plain", no_argument, NULL, 'p'},
    {"ca", required_argument, NULL, 'a'},
    {"key", required_argument, NULL, 'k'},
    {"passphrase-file", required_argument, NULL, 'f'},
    {"register", no_argument, NULL, 'n'},
    {"password-file", required_argument, NULL, 'w'},
    {"fingerprint", required_argument, NULL, 's'},
    {"clear", no_argument, NULL, 'l'},
    {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool
fingerprint_valid(const char *s)
{
	size_t digits = 0;

	for (; *s != '\0'; s++)
		if (strchr("0123456789abcdefABCDEF", *s) != NULL)
			digits++;
		else if (*s != ':')
			return false;
	return digits == 2 * SHA256_LEN;
}

static enum qerr
take_option(int c, struct options *o, struct why *why)
{
	switch (c) {
	case 'u':
		if (name_copy(span_str(optarg), o->user) != Q_OK)
			return why_set(why, Q_FORMAT,
				       "\"%.64s\" is no name: 1 to 32 of A-Z a-z 0-9 . _ "
				       "-, the first one "
				       "a letter or digit",
				       optarg);
		return Q_OK;
	case 'e': o->task = OPTIONS_ENROL; return Q_OK;
	case 'c': o->code = optarg; return Q_OK;
	case 'r':
		if ((o->protocol = client_protocol_find(optarg)) == NULL)
			return why_set(
			    why, Q_FORMAT,
			    "this client does not speak %.32s; it speaks relay and "
			    "contacts",
			    optarg);
		return Q_OK;
	case 'p': return Q_OK;
	case 'a': o->ca_file = optarg; return Q_OK;
	case 'k': o->key_file = optarg; return Q_OK;
	case 'f': o->passphrase_file = optarg; return Q_OK;
	case 'n': o->new_user = true; return Q_OK;
	case 'w': o->password_file = optarg; return Q_OK;
	case 's':
		o->fingerprint = optarg;
		return fingerprint_valid(optarg)
			   ? Q_OK
			   : why_set(
				 why, Q_FORMAT,
				 "\"%.100s\" is no fingerprint: 64 hex digits, perhaps "
				 "with colons",
				 optarg);
	case 'l': o->clear = true; return Q_OK;
	default: return Q_FORMAT;
	}
}

/* What does not go together would otherwise be ignored, or worse, believed. */
static enum qerr
check_together(const struct options *o, struct why *why)
{
	const char *name = o->protocol->name;

	if (o->code != NULL && o->task != OPTIONS_ENROL)
		return why_set(why, Q_FORMAT, "--code belongs to --enroll");
	if (o->ca_file != NULL && o->task == OPTIONS_ENROL)
		return why_set(why, Q_FORMAT,
			       "--ca is for logging in: --enroll gets the CA itself");
	if (o->protocol->password && (o->task == OPTIONS_ENROL || o->key_file != NULL ||
				      o->passphrase_file != NULL))
		return why_set(why, Q_FORMAT,
			       "%s has passwords, no keys: --register makes a user",
			       name);
	if (!o->protocol->password && (o->new_user || o->password_file != NULL))
		return why_set(why, Q_FORMAT,
			       "%s has keys, no passwords: --enroll makes a user", name);
	if (!o->protocol->tls && (o->clear || o->fingerprint != NULL))
		return why_set(
		    why, Q_FORMAT,
		    "--clear and --fingerprint are for TLS, which %s does without", name);
	if (o->fingerprint != NULL && (o->clear || o->ca_file != NULL))
		return why_set(why, Q_FORMAT,
			       "--fingerprint does not go with --ca or --clear");
	return Q_OK;
}

enum qerr
options_parse(int argc, char **argv, struct options *out, struct why *why)
{
	struct options o = {.protocol = client_protocol_find("relay")};
	enum qerr e;
	int c;

	optind = 0; /* GNU: begin anew, whoever has parsed before */
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (c == 'h' || c == 'v') {
			o.task = c == 'h' ? OPTIONS_HELP : OPTIONS_VERSION;
			*out = o;
			return Q_OK;
		}
		if (c == ':')
			return why_set(why, Q_FORMAT, "%s needs a value",
				       argv[optind - 1]);
		if (c == '?' && optopt != 0 && optopt < 'a' + 26 &&
		    argv[optind - 1][1] != '-')
			return why_set(why, Q_FORMAT, "-%c is no option of this program",
				       optopt);
		if (c == '?')
			return why_set(why, Q_FORMAT, "%s is no option of this program",
				       argv[optind - 1]);
		if ((e = take_option(c, &o, why)) != Q_OK)
			return e;
	}
	if (argc - optind > 1)
		return why_set(why, Q_FORMAT, "one server at a time: %s or %s?",
			       argv[optind], argv[optind + 1]);
	e = target_parse(optind < argc ? argv[optind] : "localhost", &o.target, why);
	if (e != Q_OK)
		return e;
	if ((e = check_together(&o, why)) == Q_OK)
		*out = o;
	return e;
}
