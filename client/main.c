/* SPDX-License-Identifier: MIT
 *
 * client - the companion client.  setup.c finds out what is wanted, start.c does it
 * with a front.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/text.h"
#include "client/start.h"
#include "crypto/random.h"
#include "protocol/json.h"

#define EXIT_USAGE 2

static int
complain(const struct why *why, int status)
{
	char text[2 * sizeof(why->text)];

	fflush(stdout);
	text_visible(span_str(why->text), text, sizeof(text));
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, text);
	return status;
}

/* *usage: what is wrong is a mistake of whoever started the program. */
static enum qerr
run(struct options *o, bool *usage, struct why *why)
{
	struct profile *profile = NULL;
	struct setup setup;
	enum qerr e = profile_open(&profile, why);

	if (e == Q_OK && o->task == OPTIONS_PROFILES) {
		e = setup_list(profile, why);
	} else if (e == Q_OK) {
		e = setup_run(&setup, o, profile, why);
		*usage = e == Q_FORMAT;
		if (e == Q_OK)
			e = start_run(&setup, o, profile, why);
	}
	profile_close(profile);
	return e;
}

int
main(int argc, char **argv)
{
	struct why why = {""};
	bool usage = false;
	struct options o;

	secret_process();
	json_start(random_u32());
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (options_parse(argc, argv, &o, &why) != Q_OK)
		return complain(&why, EXIT_USAGE);
	if (o.task == OPTIONS_HELP)
		fputs(options_usage, stdout);
	else if (o.task == OPTIONS_VERSION)
		puts("quintet-client " QUINTET_VERSION);
	else if (o.task == OPTIONS_SETTINGS)
		settings_print_example(stdout);
	else if (run(&o, &usage, &why) != Q_OK)
		return why.text[0] == '\0'
			   ? EXIT_FAILURE
			   : complain(&why, usage ? EXIT_USAGE : EXIT_FAILURE);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
