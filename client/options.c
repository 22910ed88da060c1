/* SPDX-License-Identifier: MIT */
#include "client/options.h"

#include <getopt.h>
#include <string.h>

const char options_usage[] =
    "client                                       where you were the last time; the\n"
    "                                             first time it asks what it needs\n"
    "client [HOST[:PORT]] [--user NAME]           log in (localhost:9034)\n"
    "client --enroll [HOST[:PORT]] --user NAME    become a user there\n"
    "client [HOST[:PORT]] --protocol contacts [--register] [--user NAME]\n"
    "client [HOST[:PORT]] --protocol rooms [--register] [--user NAME]\n"
    "\n"
    "  --user NAME             who you are there; else who you were the last time\n"
    "  --enroll                make a key, enrol with the teacher's code, pin the CA\n"
    "  --code CODE             the enrolment code, instead of being asked\n"
    "  --protocol NAME         relay (the default), contacts, rooms or nodes\n"
    "  --plain                 lines in, lines out, instead of the full screen\n"
    "  --profile NAME          server, user and protocol that are kept by that name;\n"
    "                          a new name: keep these\n"
    "  --list-profiles         what is kept\n"
    "  --config FILE           defaults, instead of ~/.config/quintet/client.conf\n"
    "  --list-settings         what can be in it\n"
    "  --history, --no-history keep what is said here, sealed with your key, or do not\n"
    "  --fingerprint SHA256    the server's CA must have this fingerprint, as on the\n"
    "                          teacher's screen or paper; then it is trusted from now "
    "on\n"
    "  --ca FILE               trust this CA instead of the pinned one\n"
    "  --key FILE              this private key instead of your own\n"
    "  --passphrase-file FILE  its passphrase; so does QUINTET_PASSPHRASE\n"
    "  --downloads FOLDER      where files that come are stored\n"
    "  --max-file SIZE         of a file, either way, as in 500M; 1G unless said\n"
    "  --reconnect, --no-reconnect  make a lost connection again; in the full screen\n"
    "                          that is so unless said\n"
    "with --protocol contacts or rooms:\n"
    "  --register              become a user with a password of your choice\n"
    "  --password-file FILE    the password; so does QUINTET_PASSWORD; without either,\n"
    "                          a script's is the first line of its input\n"
    "  --clear                 without TLS: others on the way can read everything (of\n"
    "                          rooms only who talks when: what is said stays sealed)\n"
    "  --no-remember           rooms: do not keep what logs in without the password\n"
    "  --version, --help\n";

static const struct option longs[] = {
    {"user", required_argument, NULL, 'u'},
    {"enroll", no_argument, NULL, 'e'},
    {"code", required_argument, NULL, 'c'},
    {"protocol", required_argument, NULL, 'r'},
    {"plain", no_argument, NULL, 'p'},
    {"profile", required_argument, NULL, 'o'},
    {"list-profiles", no_argument, NULL, 'P'},
    {"config", required_argument, NULL, 'g'},
    {"list-settings", no_argument, NULL, 'S'},
    {"history", no_argument, NULL, 'y'},
    {"no-history", no_argument, NULL, 'Y'},
    {"downloads", required_argument, NULL, 'd'},
    {"max-file", required_argument, NULL, 'm'},
    {"reconnect", no_argument, NULL, 'b'},
    {"no-reconnect", no_argument, NULL, 'B'},
    {"ca", required_argument, NULL, 'a'},
    {"key", required_argument, NULL, 'k'},
    {"passphrase-file", required_argument, NULL, 'f'},
    {"register", no_argument, NULL, 'n'},
    {"password-file", required_argument, NULL, 'w'},
    {"fingerprint", required_argument, NULL, 's'},
    {"clear", no_argument, NULL, 'l'},
    {"no-remember", no_argument, NULL, 'F'},
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
take_name(const char *text, char out[NAME_SIZE], struct why *why)
{
	if (name_copy(span_str(text), out) != Q_OK)
		return why_set(why, Q_FORMAT,
			       "\"%.64s\" is no name: 1 to 32 of A-Z a-z 0-9 . _ -, the "
			       "first one a letter or digit",
			       text);
	return Q_OK;
}

static enum qerr
take_protocol(const char *text, const struct client_protocol **out, struct why *why)
{
	const struct client_protocol *p = client_protocol_find(text);

	if (p == NULL)
		return why_set(why, Q_FORMAT,
			       "this client does not speak %.32s; it speaks relay, "
			       "contacts, rooms and nodes",
			       text);
	*out = p;
	return Q_OK;
}

/* 1 and more: 1048576, 1024K, 1M, 1MiB. */
static enum qerr
take_size(const char *text, uint64_t *out, struct why *why)
{
	static const char units[] = "KMG";
	const char *p = text, *unit;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9' && v <= UINT32_MAX; p++)
		v = 10 * v + (uint64_t)(*p - '0');
	if (p > text && *p != '\0' && (unit = strchr(units, *p)) != NULL) {
		v <<= 10 * (unit - units + 1);
		p += strcmp(p + 1, "iB") == 0 ? 3 : 1;
	}
	if (v == 0 || *p != '\0')
		return why_set(why, Q_FORMAT,
			       "\"%.32s\" is no size: a number, perhaps with K, M or G",
			       text);
	*out = v;
	return Q_OK;
}

static enum qerr
take_reconnect(const char *text, enum options_choice *out, struct why *why)
{
	if (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0)
		*out = text[0] == 'y' ? OPTIONS_YES : OPTIONS_NO;
	else if (strcmp(text, "auto") != 0)
		return why_set(why, Q_FORMAT, "reconnect is yes, no or auto");
	return Q_OK;
}

static enum qerr
take_option(int c, struct options *o, struct why *why)
{
	char name[NAME_SIZE];

	switch (c) {
	case 'u': return take_name(optarg, o->user, why);
	case 'o': o->profile = optarg; return take_name(optarg, name, why);
	case 'P': o->task = OPTIONS_PROFILES; return Q_OK;
	case 'S': o->task = OPTIONS_SETTINGS; return Q_OK;
	case 'g': o->config_file = optarg; return Q_OK;
	case 'y':
	case 'Y':
		o->history = c == 'y';
		o->history_said = true;
		return Q_OK;
	case 'd': o->downloads = optarg; return Q_OK;
	case 'm': return take_size(optarg, &o->file_max, why);
	case 'b': o->reconnect = OPTIONS_YES; return Q_OK;
	case 'B': o->reconnect = OPTIONS_NO; return Q_OK;
	case 'e': o->task = OPTIONS_ENROL; return Q_OK;
	case 'c': o->code = optarg; return Q_OK;
	case 'r': return take_protocol(optarg, &o->protocol, why);
	case 'p': o->plain = true; return Q_OK;
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
	case 'F': o->remember = false; return Q_OK;
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
	if (o->protocol->password && o->history_said && o->history)
		return why_set(
		    why, Q_FORMAT,
		    "%s has no key to keep a history under: the server keeps it", name);
	if (!o->protocol->password && (o->new_user || o->password_file != NULL))
		return why_set(why, Q_FORMAT,
			       "%s has keys, no passwords: --enroll makes a user", name);
	if (!o->protocol->tokens && !o->remember)
		return why_set(why, Q_FORMAT,
			       "--no-remember is for rooms: %s remembers no login", name);
	if (!o->protocol->tls && o->clear)
		return why_set(why, Q_FORMAT, "--clear is for TLS, which %s does without",
			       name);
	if (o->fingerprint != NULL && (o->clear || o->ca_file != NULL))
		return why_set(why, Q_FORMAT,
			       "--fingerprint does not go with --ca or --clear");
	return Q_OK;
}

enum qerr
options_parse(int argc, char **argv, struct options *out, struct why *why)
{
	struct options o = {.task = OPTIONS_LOGIN, .remember = true};
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
	o.server = argv[optind];
	*out = o;
	return Q_OK;
}

static void
fill(const char **option, const char *setting)
{
	if (*option == NULL && setting[0] != '\0')
		*option = setting;
}

enum qerr
options_complete(struct options *o, const struct settings *s, struct why *why)
{
	enum qerr e = Q_OK;

	fill(&o->server, s->server);
	if (o->user[0] == '\0' && s->user[0] != '\0')
		e = take_name(s->user, o->user, why);
	if (e == Q_OK && o->protocol == NULL)
		e = take_protocol(s->protocol[0] != '\0' ? s->protocol : "relay",
				  &o->protocol, why);
	if (e == Q_OK)
		e = target_parse(o->server != NULL ? o->server : "localhost", &o->target,
				 why);
	if (e == Q_OK)
		e = check_together(o, why);
	if (e != Q_OK)
		return e;
	/* A default that does not fit is no mistake: it is for other times. */
	if (o->protocol->password) {
		fill(&o->password_file, s->password_file);
	} else {
		fill(&o->key_file, s->key);
		fill(&o->passphrase_file, s->passphrase_file);
	}
	if (o->task == OPTIONS_LOGIN && !o->clear && o->fingerprint == NULL)
		fill(&o->ca_file, s->ca);
	if (!o->history_said)
		o->history = s->history;
	o->plain = o->plain || s->plain;
	o->bell = s->bell;
	fill(&o->downloads, s->downloads);
	if (o->file_max == 0)
		e = take_size(s->max_file, &o->file_max, why);
	if (e == Q_OK && o->reconnect == OPTIONS_AUTO)
		e = take_reconnect(s->reconnect, &o->reconnect, why);
	return e;
}
