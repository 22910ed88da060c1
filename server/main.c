/* SPDX-License-Identifier: MIT
 *
 * main.c - the command line of the server.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "crypto/random.h"
#include "protocol/json.h"
#include "server/admin.h"
#include "server/server.h"

#define EXIT_USAGE    2
#define OVERRIDES_MAX 64
#define PATH_SIZE     4096
#define LISTEN_SIZE   4096

static const char help[] =
    "Quintet is a chat server: one port, five protocols, plain files.\n"
    "\n"
    "usage: server [OPTION]...              serve until a signal or \"ctl stop\"\n"
    "       server [--data DIR] COMMAND...  administer, whether or not a server runs\n"
    "\n"
    "Options:\n"
    "  --data DIR              where everything is kept; default: data/ beside the\n"
    "                          folder of this program\n"
    "  --listen [ADDR:]PORT    listen there instead of on 9034 of all addresses; may be\n"
    "                          given several times\n"
    "  --config FILE           read this instead of DIR/server/server.conf\n"
    "  --set SECTION.KEY=VALUE change one setting; may be given several times\n"
    "  --check-config          read the configuration, say whether it is fine, and end\n"
    "  --example-config        print every setting with its default and meaning\n"
    "  --version, --help\n"
    "\n"
    "Commands:\n"
    "  user add NAME [--key FILE] [--email E] [--password-stdin]\n"
    "                          FILE: a public key in PEM; -: from input\n"
    "  user passwd NAME        ask for a new password, or read a line of input\n"
    "  user list | user show NAME | user key NAME FILE | user remove NAME\n"
    "  user ban NAME [--for 2h] [--reason TEXT] | user unban NAME\n"
    "                          keep somebody out, for a while or until it is lifted\n"
    "  user mute NAME [--for 2h] [--reason TEXT] | user unmute NAME\n"
    "                          let somebody read, but say nothing\n"
    "  enroll-code [--rotate]  show the code that lets people enrol, or make a new one\n"
    "  check [--repair]        read every file and say what is damaged; set it aside\n"
    "  backup FILE.tar         copy everything, also of a running server, to one "
    "archive\n"
    "  export [CHAT [--json] [--after MESSAGE]]\n"
    "                          list the chats, or print one: a line a message\n"
    "  anons add --author NAME --title T [--text-stdin] | anons list | anons remove ID\n"
    "                          announcements\n"
    "  node id                 show this server's fingerprint, for nodes.peers of "
    "others\n"
    "  ctl sessions | ctl kick NAME [REASON] | ctl say TEXT | ctl stats | ctl nodes |\n"
    "  ctl reload | ctl stop   talk to the running server\n"
    "\n"
    "The exit status is 0, 1 when something went wrong (one line on standard error says\n"
    "what), 2 for a command line that makes no sense.\n";

enum option_code {
	OPT_DATA = 256,
	OPT_LISTEN,
	OPT_CONFIG,
	OPT_SET,
	OPT_CHECK_CONFIG,
	OPT_EXAMPLE_CONFIG,
	OPT_VERSION,
	OPT_HELP
};

static const struct option options[] = {
    {"data", required_argument, NULL, OPT_DATA},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"set", required_argument, NULL, OPT_SET},
    {"check-config", no_argument, NULL, OPT_CHECK_CONFIG},
    {"example-config", no_argument, NULL, OPT_EXAMPLE_CONFIG},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0}};

enum task { TASK_SERVE, TASK_CHECK_CONFIG, TASK_EXAMPLE, TASK_VERSION, TASK_HELP };

struct command_line {
	enum task task;
	char data[PATH_SIZE];
	const char *config;
	char listen[LISTEN_SIZE]; /* "server.listen=A,B", or "" */
	const char *overrides[OVERRIDES_MAX + 1];
	size_t override_count;
	const char **words; /* the command's, behind the options */
	int word_count;
};

static bool
usage(const char *problem, const char *what)
{
	fprintf(stderr, "server: %s%s (see --help)\n", problem, what);
	return false;
}

static bool
set_data(struct command_line *c, const char *dir)
{
	if (*dir == '\0' || strlcpy(c->data, dir, sizeof(c->data)) >= sizeof(c->data))
		return usage("--data wants a folder", "");
	return true;
}

static bool
add_listen(struct command_line *c, const char *spec)
{
	strlcat(c->listen, *c->listen == '\0' ? "server.listen=" : ",",
		sizeof(c->listen));
	if (strlcat(c->listen, spec, sizeof(c->listen)) >= sizeof(c->listen))
		return usage("too many addresses to listen on", "");
	return true;
}

static bool
add_override(struct command_line *c, const char *text)
{
	if (c->override_count == OVERRIDES_MAX)
		return usage("too many --set", "");
	c->overrides[c->override_count++] = text;
	return true;
}

/* Of several letters behind one dash getopt names the letter; it has not come to the
 * next word yet. */
static bool
unknown_option(const char *word)
{
	const char letter[] = {'-', (char)optopt, '\0'};

	return usage("there is no option ",
		     optopt > 0 && optopt < OPT_DATA ? letter : word);
}

static bool
take_option(struct command_line *c, int code, char **argv)
{
	switch (code) {
	case OPT_DATA: return set_data(c, optarg);
	case OPT_LISTEN: return add_listen(c, optarg);
	case OPT_CONFIG: c->config = optarg; return true;
	case OPT_SET: return add_override(c, optarg);
	case OPT_CHECK_CONFIG: c->task = TASK_CHECK_CONFIG; return true;
	case OPT_EXAMPLE_CONFIG: c->task = TASK_EXAMPLE; return true;
	case OPT_VERSION: c->task = TASK_VERSION; return true;
	case OPT_HELP: c->task = TASK_HELP; return true;
	case ':': return usage("this option wants a value: ", argv[optind - 1]);
	default: return unknown_option(argv[optind - 1]);
	}
}

/* The words of a command, with --data taken out wherever it stands. */
static bool
take_words(struct command_line *c, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--data") == 0) {
			if (!set_data(c, ++i < argc ? argv[i] : ""))
				return false;
		} else if (strncmp(argv[i], "--data=", 7) == 0) {
			if (!set_data(c, argv[i] + 7))
				return false;
		} else if (strcmp(argv[i], "--help") == 0) {
			c->task = TASK_HELP;
		} else {
			c->words[c->word_count++] = argv[i];
		}
	}
	return true;
}

/* ../data beside the folder of this program, so that a build or installation can
 * be moved as a whole. */
static bool
default_data(struct command_line *c)
{
	char self[PATH_SIZE], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return usage("cannot find out where this program is: use --data DIR", "");
	self[n] = '\0';
	for (int up = 0; up < 2; up++)
		if ((slash = strrchr(self, '/')) != NULL)
			*slash = '\0';
	if ((size_t)snprintf(c->data, sizeof(c->data), "%s/data", self) >=
	    sizeof(c->data))
		return usage("the path of this program is too long: use --data DIR", "");
	return true;
}

static bool
read_command_line(struct command_line *c, int argc, char **argv)
{
	int code;

	opterr = 0;
	while ((code = getopt_long(argc, argv, "+:", options, NULL)) != -1)
		if (!take_option(c, code, argv))
			return false;
	if (!take_words(c, argc - optind, argv + optind))
		return false;
	if (*c->listen != '\0')
		c->overrides[c->override_count++] = c->listen;
	return *c->data != '\0' || default_data(c);
}

static int
check_config(const struct config_source *src)
{
	struct config *cfg;
	struct why why;

	if (config_load(src, &cfg, &why) != Q_OK) {
		fprintf(stderr, "server: %s\n", why.text);
		return EXIT_FAILURE;
	}
	config_free(cfg);
	puts("configuration is fine");
	return EXIT_SUCCESS;
}

static int
serve(struct command_line *c)
{
	char file[PATH_SIZE + 32];
	struct server_options opt = {
	    .data_dir = c->data,
	    .source = {.file = c->config,
		       .overrides = c->overrides,
		       .override_count = c->override_count},
	};

	if (c->config == NULL) {
		snprintf(file, sizeof(file), "%s/server/server.conf", c->data);
		opt.source.file = file;
		opt.source.file_optional = true;
	}
	return c->task == TASK_CHECK_CONFIG ? check_config(&opt.source)
					    : server_run(&opt);
}

static int
run(struct command_line *c)
{
	switch (c->task) {
	case TASK_HELP: fputs(help, stdout); break;
	case TASK_VERSION: puts("quintet " QUINTET_VERSION); break;
	case TASK_EXAMPLE: config_print_example(stdout); break;
	case TASK_CHECK_CONFIG:
	case TASK_SERVE:
		if (c->word_count > 0)
			return admin_main(c->data, c->word_count, c->words);
		return serve(c);
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	static struct command_line c; /* large, and there is one */
	int status = EXIT_USAGE;

	json_start(random_u32());
	if ((c.words = calloc((size_t)argc + 1, sizeof(*c.words))) == NULL) {
		fputs("server: out of memory\n", stderr);
		return EXIT_FAILURE;
	}
	if (read_command_line(&c, argc, argv))
		status = run(&c);
	free(c.words);
	return status;
}
