/* SPDX-License-Identifier: MIT */
#include "client/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "client/ask.h"
#include "client/private.h"
#include "client/show.h"

#define FIRST_PROFILE "default"
#define TRIES         3

/* ---- files ---- */

/* client.conf, or the file of --config, which must be there. */
static enum qerr
read_defaults(struct setup *s, const struct options *o, const struct profile *profile,
	      struct why *why)
{
	const char *name = o->config_file != NULL ? o->config_file : "client.conf";
	struct buf text = BUF_INIT(SETTINGS_FILE_MAX);
	enum qerr e;

	if (o->config_file != NULL)
		e = private_read(AT_FDCWD, name, PRIVATE_PUBLIC, &text, why);
	else
		e = profile_defaults(profile, &text, why);
	if (e == Q_OK)
		e = settings_read(&s->settings, name, buf_span(&text), why);
	else if (e == Q_MISSING && o->config_file == NULL)
		e = Q_OK;
	buf_free(&text);
	return e;
}

static enum qerr
read_profile(const struct profile *profile, const char *name, struct settings *s,
	     struct why *why)
{
	struct buf text = BUF_INIT(SETTINGS_FILE_MAX);
	char file[NAME_SIZE + 32];
	enum qerr e = profile_read(profile, name, &text, why);

	snprintf(file, sizeof(file), "profiles/%s.conf", name);
	if (e == Q_OK)
		e = settings_read(s, file, buf_span(&text), why);
	buf_free(&text);
	return e;
}

/* Which profile is it?  A server on the command line is not the default's one, and its
 * user and protocol would be wrong there. */
static enum qerr
choose_profile(struct setup *s, const struct options *o, const struct profile *profile,
	       struct why *why)
{
	bool named = true;
	enum qerr e;

	if (o->profile != NULL) {
		strlcpy(s->profile, o->profile, sizeof(s->profile));
	} else if (s->settings.profile[0] != '\0' && o->server == NULL) {
		if (name_copy(span_str(s->settings.profile), s->profile) != Q_OK)
			return why_set(why, Q_FORMAT, "\"%.64s\" is no name of a profile",
				       s->settings.profile);
	} else {
		named = false;
		if (o->server != NULL || profile_default(profile, s->profile) != Q_OK)
			return Q_OK;
	}
	e = read_profile(profile, s->profile, &s->settings, why);
	if (e != Q_MISSING)
		return e;
	s->remember = o->profile != NULL;
	if (s->remember)
		return Q_OK;
	return why_set(why, Q_FORMAT, "there is no profile %s%s", s->profile,
		       named ? "" : ", although it is the default: --profile NAME");
}

/* ---- the first time ---- */

static enum qerr
ask_target(struct setup *s, struct why *why)
{
	struct target target;
	enum qerr e = Q_FORMAT;

	for (int i = 0; i < TRIES && e != Q_OK; i++) {
		e = ask_line("Server (HOST or HOST:PORT)", "localhost",
			     s->settings.server, sizeof(s->settings.server), why);
		if (e != Q_OK)
			return e;
		if ((e = target_parse(s->settings.server, &target, why)) != Q_OK)
			show_text("! ", span_str(why->text));
	}
	return e;
}

static enum qerr
ask_protocol(struct setup *s, struct options *o, struct why *why)
{
	for (int i = 0; i < TRIES && o->protocol == NULL; i++) {
		enum qerr e =
		    ask_line("Protocol (relay, contacts, rooms or nodes)", "relay",
			     s->settings.protocol, sizeof(s->settings.protocol), why);

		if (e != Q_OK)
			return e;
		o->protocol = client_protocol_find(s->settings.protocol);
	}
	return o->protocol != NULL
		   ? Q_OK
		   : why_set(why, Q_FORMAT, "this client does not speak that protocol");
}

static enum qerr
ask_user(struct setup *s, const struct profile *profile, struct why *why)
{
	char instead[NAME_SIZE] = "", typed[SETTINGS_TEXT_SIZE], name[NAME_SIZE];
	const char *login = getenv("USER");

	if (profile_last_user(profile, instead) != Q_OK && login != NULL)
		(void)name_copy(span_str(login), instead);
	for (int i = 0; i < TRIES; i++) {
		enum qerr e =
		    ask_line("Your name there", instead, typed, sizeof(typed), why);

		if (e != Q_OK)
			return e;
		if (name_copy(span_str(typed), name) == Q_OK) {
			strlcpy(s->settings.user, name, sizeof(s->settings.user));
			return Q_OK;
		}
		puts("! a name has 1 to 32 of A-Z a-z 0-9 . _ -, the first one a letter "
		     "or digit");
		fflush(stdout);
	}
	return why_set(why, Q_FORMAT, "who are you? --user NAME says it");
}

/* Is the user to be made? */
static enum qerr
ask_new(struct setup *s, struct options *o, const struct profile *profile,
	struct why *why)
{
	struct target target;
	enum qerr e;
	struct cert *ca = NULL;
	bool known = target_parse(s->settings.server[0] != '\0' ? s->settings.server
				  : o->server != NULL           ? o->server
								: "localhost",
				  &target, NULL) == Q_OK &&
		     profile_ca(profile, &target, &ca, NULL) == Q_OK;

	cert_free(ca);
	if (!o->protocol->password) {
		s->enrol = !known || !profile_has_key(profile, s->settings.user);
		return Q_OK;
	}
	if (o->new_user)
		return Q_OK;
	e = ask_yes("Are you new there, and is an account to be made? (yes/no) ");
	if (e == Q_CLOSED)
		return why_set(why, e, "nobody answers");
	o->new_user = e == Q_OK;
	return Q_OK;
}

static enum qerr
ask_all(struct setup *s, struct options *o, const struct profile *profile,
	struct why *why)
{
	enum qerr e = Q_OK;

	puts("This is what is needed to log in; it is asked once and remembered.");
	fflush(stdout);
	if (o->server == NULL && s->settings.server[0] == '\0')
		e = ask_target(s, why);
	if (e == Q_OK && o->protocol == NULL && s->settings.protocol[0] != '\0')
		o->protocol = client_protocol_find(s->settings.protocol);
	if (e == Q_OK && o->protocol == NULL)
		e = ask_protocol(s, o, why);
	if (e == Q_OK && o->user[0] != '\0')
		strlcpy(s->settings.user, o->user, sizeof(s->settings.user));
	else if (e == Q_OK && s->settings.user[0] == '\0')
		e = ask_user(s, profile, why);
	if (e == Q_OK && o->task == OPTIONS_LOGIN)
		e = ask_new(s, o, profile, why);
	return e;
}

/* Is anything known of whom to log in as, and where? */
static bool
must_ask(const struct setup *s, const struct options *o)
{
	bool server = o->server != NULL || s->settings.server[0] != '\0';
	bool user = o->user[0] != '\0' || s->settings.user[0] != '\0';

	if (s->remember)
		return !server || !user;
	return !server && !user && o->task == OPTIONS_LOGIN && o->protocol == NULL;
}

enum qerr
setup_run(struct setup *s, struct options *o, const struct profile *profile,
	  struct why *why)
{
	char other[NAME_SIZE];
	enum qerr e;

	*s = (struct setup){.remember = false};
	settings_default(&s->settings);
	if ((e = read_defaults(s, o, profile, why)) != Q_OK ||
	    (e = choose_profile(s, o, profile, why)) != Q_OK)
		return e;
	if (must_ask(s, o)) {
		if (!isatty(STDIN_FILENO))
			return why_set(
			    why, Q_FORMAT,
			    "where, and as whom? HOST --user NAME says it; in a "
			    "terminal it is asked and remembered");
		if (!s->remember)
			strlcpy(s->profile, FIRST_PROFILE, sizeof(s->profile));
		s->remember = true;
		if ((e = ask_all(s, o, profile, why)) != Q_OK)
			return e;
	} else if (o->task == OPTIONS_ENROL && !s->remember) {
		/* Whoever enrols once need not say it again. */
		s->remember = profile_default(profile, other) != Q_OK;
		strlcpy(s->profile, FIRST_PROFILE, sizeof(s->profile));
	}
	return options_complete(o, &s->settings, why);
}

/* ---- remembering ---- */

enum qerr
setup_remember(struct setup *s, const struct options *o, const struct profile *profile,
	       struct why *why)
{
	struct buf text = BUF_INIT(SETTINGS_FILE_MAX);
	char where[TARGET_TEXT_SIZE], other[NAME_SIZE];
	struct settings kept;
	enum qerr e;

	if (!s->remember)
		return Q_OK;
	/* Only what a profile is: the rest stays where it was said. */
	settings_default(&kept);
	target_text(&o->target, where);
	strlcpy(kept.server, where, sizeof(kept.server));
	strlcpy(kept.user, o->user, sizeof(kept.user));
	strlcpy(kept.protocol, o->protocol->name, sizeof(kept.protocol));
	if ((e = settings_write(&kept, &text)) != Q_OK)
		why_set(why, e, "there is no memory left");
	else
		e = profile_write(profile, s->profile, buf_span(&text), why);
	if (e == Q_OK && profile_default(profile, other) != Q_OK)
		e = profile_set_default(profile, s->profile, why);
	if (e == Q_OK) {
		s->remember = false;
		show_status("remembered as the profile %s", s->profile);
	}
	buf_free(&text);
	return e;
}

static void
list_one(const struct profile *profile, const char *name, bool chosen)
{
	struct settings s;
	struct why why;

	settings_default(&s);
	if (read_profile(profile, name, &s, &why) == Q_OK)
		why_set(&why, Q_OK, "%s: %s at %s, %s%s", name,
			s.user[0] != '\0' ? s.user : "(as the last time)",
			s.server[0] != '\0' ? s.server : "localhost",
			s.protocol[0] != '\0' ? s.protocol : "relay",
			chosen ? ", the default" : "");
	show_text("", span_str(why.text));
}

enum qerr
setup_list(const struct profile *profile, struct why *why)
{
	struct buf names = BUF_INIT(1024 * 1024);
	char chosen[NAME_SIZE] = "";
	enum qerr e = profile_names(profile, &names, why);
	char *name, *rest;

	(void)profile_default(profile, chosen);
	if (e == Q_OK && (e = buf_put_u8(&names, '\0')) != Q_OK)
		why_set(why, e, "there is no memory left");
	rest = (char *)names.p;
	while (e == Q_OK && (name = strsep(&rest, "\n")) != NULL)
		if (name[0] != '\0')
			list_one(profile, name, strcmp(name, chosen) == 0);
	buf_free(&names);
	return e;
}
