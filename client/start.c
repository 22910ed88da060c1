/* SPDX-License-Identifier: MIT */
#include "client/start.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bsd/string.h>

#include "client/ask.h"
#include "client/download.h"
#include "client/front_run.h"
#include "client/history.h"
#include "client/join.h"
#include "client/pins.h"
#include "client/rooms_join.h"
#include "client/show.h"
#include "client/trust.h"
#include "crypto/random.h"

struct start {
	struct setup *setup;
	struct options *o;
	const struct profile *profile;
	struct ask_source source;
};

/* Who is it, when nobody says? */
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

/* The server that we enrolled with; or one that took our key another way, which only a
 * fingerprint can tell. */
static enum qerr
find_ca(const struct start *s, struct cert **out, struct why *why)
{
	const struct options *o = s->o;
	char where[TARGET_TEXT_SIZE];
	enum qerr e;

	if (o->ca_file != NULL || o->fingerprint != NULL ||
	    (isatty(STDIN_FILENO) && profile_has_key(s->profile, o->user)))
		return trust_find(o, s->profile, out, why);
	if ((e = profile_ca(s->profile, &o->target, out, why)) == Q_MISSING) {
		target_text(&o->target, where);
		why_set(why, e,
			"the server %s is not known here: enrol first with %s --enroll "
			"%s --user %s, "
			"or name its CA with --ca FILE or --fingerprint SHA256",
			where, program_invocation_name, where, o->user);
	}
	return e;
}

/* A script wants to know how its connection ended; a person wants it back. */
static bool
comes_back(const struct options *o)
{
	if (o->reconnect != OPTIONS_AUTO)
		return o->reconnect == OPTIONS_YES;
	return !o->plain && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

static enum qerr
run_front(const struct start *s, const struct client_login *login, struct why *why)
{
	struct front_wish wish = {.plain = s->o->plain, .bell = s->o->bell};
	struct client_login with = *login;
	char folder[DOWNLOAD_PATH];
	bool was_in = false;
	struct why trouble;
	enum qerr e;

	with.was_in = &was_in;
	with.downloads = s->o->downloads;
	with.file_max = s->o->file_max;
	with.comes_back = comes_back(s->o);
	if (with.downloads == NULL) {
		download_folder(folder);
		with.downloads = folder;
	}

	/* Comfort for the next time: a full disk must not keep anybody out. */
	if (profile_set_last_user(s->profile, s->o->user, &trouble) != Q_OK)
		show_text("! ", span_str(trouble.text));
	e = front_run(&s->o->target, s->o->protocol, &with, &wish, why);
	/* A wrong name or password is not to be used from now on. */
	if (was_in && setup_remember(s->setup, s->o, s->profile, &trouble) != Q_OK)
		show_text("! ", span_str(trouble.text));
	return e;
}

/* With a key, which also says what is known of other people's keys. */
static enum qerr
log_in(const struct start *s, struct why *why)
{
	const struct options *o = s->o;
	struct client_login login = {.key = NULL};
	struct cert *ca = NULL;
	enum qerr e;

	strlcpy(login.user, o->user, sizeof(login.user));
	if ((e = find_ca(s, &ca, why)) != Q_OK)
		goto out;
	login.ca = ca;
	if ((e = join_load_key(o, s->profile, &s->source, &login.key, why)) != Q_OK) {
		if (e == Q_MISSING)
			why_set(why, e, "%s has no key here: enrol first with --enroll",
				o->user);
		goto out;
	}
	if ((e = pins_open(s->profile, ca, o->user, &login.pins, why)) == Q_OK &&
	    o->history)
		e = history_open(s->profile, ca, o->user, login.key, &login.history, why);
	if (e == Q_OK)
		e = run_front(s, &login, why);
out:
	history_close(login.history);
	pins_close(login.pins);
	key_free(login.key);
	cert_free(ca);
	return e;
}

/* With a password instead of a key.  The server is looked at first: nobody is asked
 * for a password that it will not get. */
static enum qerr
log_in_with_password(const struct start *s, struct why *why)
{
	const struct options *o = s->o;
	struct client_login login = {.new_user = o->new_user, .clear = o->clear};
	char password[ASK_PASSWORD_SIZE] = "";
	struct cert *ca = NULL;
	enum qerr e;

	strlcpy(login.user, o->user, sizeof(login.user));
	login.password = password;
	if (o->clear)
		show_status("in the clear: others on the way can read all of it");
	else if ((e = trust_find(o, s->profile, &ca, why)) != Q_OK)
		return e;
	login.ca = ca;
	if ((e = ask_password(&s->source, o->user,
			      o->new_user ? ASK_NEW_PASSWORD : ASK_PASSWORD, password,
			      why)) == Q_OK)
		e = run_front(s, &login, why);
	secret_wipe(password, sizeof(password));
	cert_free(ca);
	return e;
}

/* The front, with a token; when the server does not take it any longer a person is asked
 * for the password, once. */
static enum qerr
run_with_token(const struct start *s, struct client_login *login, struct why *why)
{
	bool sign_up = s->o->new_user, asked = false;
	enum qerr e = Q_OK;

	while (e == Q_OK) {
		if (sign_up || login->rooms->token[0] == '\0') {
			e = rooms_join_run(s->o, login, &s->source, sign_up, why);
			if (e != Q_OK)
				break;
			asked = true;
		}
		sign_up = false;
		e = run_front(s, login, why);
		if (!login->rooms->refused || asked || e == Q_OK)
			break;
		show_text("* ", span_str(why->text));
		e = Q_OK;
	}
	if (login->rooms->memory.going_count > 0)
		show_status("messages that may not have arrived: %zu",
			    login->rooms->memory.going_count);
	return e;
}

/* With a password that is given once: what is kept is a token.  The server proves itself
 * in the protocol too, so its CA is wanted also in the clear. */
static enum qerr
log_in_with_token(const struct start *s, struct why *why)
{
	const struct options *o = s->o;
	struct client_login login = {.clear = o->clear};
	struct cert *ca = NULL;
	enum qerr e;

	strlcpy(login.user, o->user, sizeof(login.user));
	if ((e = trust_find(o, s->profile, &ca, why)) != Q_OK)
		return e;
	login.ca = ca;
	e = rooms_state_open(s->profile, ca, o->user, o->remember, &login.rooms, why);
	if (e == Q_OK)
		e = run_with_token(s, &login, why);
	rooms_state_close(login.rooms);
	cert_free(ca);
	return e;
}

static enum qerr
enrol(const struct start *s, struct why *why)
{
	enum qerr e =
	    join_run(s->o, s->profile, &s->source, program_invocation_name, why);

	if (e == Q_OK)
		e = setup_remember(s->setup, s->o, s->profile, why);
	return e;
}

enum qerr
start_run(struct setup *setup, struct options *o, const struct profile *profile,
	  struct why *why)
{
	struct start s = {.setup = setup, .o = o, .profile = profile};
	bool password = o->protocol->password;
	enum qerr e;

	e = ask_source_init(&s.source,
			    password ? "QUINTET_PASSWORD" : "QUINTET_PASSPHRASE",
			    password ? o->password_file : o->passphrase_file, why);
	if (e == Q_OK && (e = find_user(o, profile, why)) == Q_OK) {
		if (o->task == OPTIONS_ENROL || setup->enrol)
			e = enrol(&s, why);
		if (e == Q_OK && o->task == OPTIONS_LOGIN)
			e = o->protocol->tokens ? log_in_with_token(&s, why)
			    : password          ? log_in_with_password(&s, why)
						: log_in(&s, why);
	}
	ask_source_fini(&s.source);
	return e;
}
