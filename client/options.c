/* SPDX-License-Identifier: MIT */
#include "client/options.h"

#include <getopt.h>

const char options_usage[] =
    "client [HOST[:PORT]] [--user NAME]           log in (localhost:9034)\n"
    "client --enroll [HOST[:PORT]] --user NAME    become a user there\n"
    "\n"
    "  --user NAME             who you are there; else who you were the last time\n"
    "  --enroll                make a key, enrol with the teacher's code, pin the CA\n"
    "  --code CODE             the enrolment code, instead of being asked\n"
    "  --protocol NAME         relay, which is the only one so far\n"
    "  --plain                 lines in, lines out (so far always)\n"
    "  --ca FILE               trust this CA instead of the pinned one\n"
    "  --key FILE              this private key instead of your own\n"
    "  --passphrase-file FILE  its passphrase; so does QUINTET_PASSPHRASE\n"
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
    {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

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
			    "this client does not speak %.32s; it speaks relay", optarg);
		return Q_OK;
	case 'p': return Q_OK;
	case 'a': o->ca_file = optarg; return Q_OK;
	case 'k': o->key_file = optarg; return Q_OK;
	case 'f': o->passphrase_file = optarg; return Q_OK;
	default: return Q_FORMAT;
	}
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
	if (o.code != NULL && o.task != OPTIONS_ENROL)
		return why_set(why, Q_FORMAT, "--code belongs to --enroll");
	if (o.ca_file != NULL && o.task == OPTIONS_ENROL)
		return why_set(why, Q_FORMAT,
			       "--ca is for logging in: --enroll gets the CA itself");
	*out = o;
	return Q_OK;
}
