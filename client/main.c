/* SPDX-License-Identifier: MIT
 *
 * client - the companion client.  Who, where, which key, which CA; then a front
 * takes over.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <bsd/string.h>

#include "base/text.h"
#include "client/ask.h"
#include "client/join.h"
#include "client/options.h"
#include "client/plain.h"
#include "client/profile.h"
#include "client/show.h"
#include "client/trust.h"
#include "crypto/random.h"

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

/* Who is it, when the command line does not say? */
static enum qerr
find_user(struct options *o, const struct profile *profile, struct why *why)
{
	const char *login = getenv("USER");

	if (o->user[0] != '\0')
		return Q_OK;
	if (profile_last_user(profile, o->user) == Q_OK) {
		show_status("user %s, as the last time (--user NAME for another)",
			    o->user);
		return Q_OK;
	}
	if (login == NULL || name_copy(span_str(login), o->user) != Q_OK)
		return why_set(why, Q_MISSING, "who are you? --user NAME says it");
	show_status("user %s, as on this machine (--user NAME for another)", o->user);
	return Q_OK;
}

static enum qerr
find_ca(const struct options *o, const struct profile *profile, struct cert **out,
	struct why *why)
{
	char where[TARGET_TEXT_SIZE];
	enum qerr e;

	if (o->ca_file != NULL)
		return join_load_ca(o->ca_file, out, why);
	if ((e = profile_ca(profile, &o->target, out, why)) == Q_MISSING) {
		target_text(&o->target, where);
		why_set(why, e,
			"the server %s is not known here: enrol first with %s --enroll "
			"%s --user %s, "
			"or name its CA with --ca FILE",
			where, program_invocation_name, where, o->user);
	}
	return e;
}

static enum qerr
log_in(const struct options *o, const struct profile *profile,
       const struct ask_source *source, struct why *why)
{
	struct client_login login = {.key = NULL};
	struct cert *ca = NULL;
	enum qerr e;

	strlcpy(login.user, o->user, sizeof(login.user));
	if ((e = find_ca(o, profile, &ca, why)) != Q_OK)
		goto out;
	login.ca = ca;
	if ((e = join_load_key(o, profile, source, &login.key, why)) != Q_OK) {
		if (e == Q_MISSING)
			why_set(why, e, "%s has no key here: enrol first with --enroll",
				o->user);
		goto out;
	}
	if ((e = profile_set_last_user(profile, o->user, why)) != Q_OK)
		goto out;
	e = plain_run(&o->target, o->protocol, &login, why);
out:
	key_free(login.key);
	cert_free(ca);
	return e;
}

/* With a password instead of a key.  The server is looked at first: nobody is asked
 * for a password that it will not get. */
static enum qerr
log_in_with_password(const struct options *o, const struct profile *profile,
		     const struct ask_source *source, struct why *why)
{
	struct client_login login = {.new_user = o->new_user, .clear = o->clear};
	char password[ASK_PASSWORD_SIZE] = "";
	struct cert *ca = NULL;
	enum qerr e;

	strlcpy(login.user, o->user, sizeof(login.user));
	login.password = password;
	if (o->clear)
		show_status("in the clear: others on the way can read all of it");
	else if ((e = trust_find(o, profile, &ca, why)) != Q_OK)
		return e;
	login.ca = ca;
	if ((e = ask_password(source, o->user,
			      o->new_user ? ASK_NEW_PASSWORD : ASK_PASSWORD, password,
			      why)) == Q_OK &&
	    (e = profile_set_last_user(profile, o->user, why)) == Q_OK)
		e = plain_run(&o->target, o->protocol, &login, why);
	secret_wipe(password, sizeof(password));
	cert_free(ca);
	return e;
}

static enum qerr
run(struct options *o, struct why *why)
{
	bool password = o->protocol->password;
	struct profile *profile = NULL;
	struct ask_source source;
	enum qerr e;

	e = ask_source_init(&source, password ? "QUINTET_PASSWORD" : "QUINTET_PASSPHRASE",
			    password ? o->password_file : o->passphrase_file, why);
	if (e == Q_OK && (e = profile_open(&profile, why)) == Q_OK &&
	    (e = find_user(o, profile, why)) == Q_OK) {
		if (o->task == OPTIONS_ENROL)
			e = join_run(o, profile, &source, program_invocation_name, why);
		else if (password)
			e = log_in_with_password(o, profile, &source, why);
		else
			e = log_in(o, profile, &source, why);
	}
	profile_close(profile);
	ask_source_fini(&source);
	return e;
}

int
main(int argc, char **argv)
{
	struct why why = {""};
	struct options o;

	secret_process();
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (options_parse(argc, argv, &o, &why) != Q_OK)
		return complain(&why, EXIT_USAGE);
	if (o.task == OPTIONS_HELP)
		fputs(options_usage, stdout);
	else if (o.task == OPTIONS_VERSION)
		puts("quintet-client " QUINTET_VERSION);
	else if (run(&o, &why) != Q_OK)
		return why.text[0] == '\0' ? EXIT_FAILURE : complain(&why, EXIT_FAILURE);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
