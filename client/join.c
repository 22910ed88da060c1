/* SPDX-License-Identifier: MIT */
#include "client/join.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "base/text.h"
#include "client/chain.h"
#include "client/enrol.h"
#include "client/private.h"
#include "client/show.h"
#include "client/trust.h"
#include "crypto/random.h"

#define TRIES 3 /* of somebody who types a code */

struct joining {
	struct buf ca;   /* PEM, once the server has proven it */
	bool wrong_code; /* was all that was wrong */
	enum qerr end;
	struct why *why;
};

/* ---- keys and certificates ---- */

enum qerr
join_load_key(const struct options *o, const struct profile *profile,
	      const struct ask_source *source, struct key **out, struct why *why)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	enum qerr e;

	if (o->key_file != NULL)
		e = private_read(AT_FDCWD, o->key_file, PRIVATE_SECRET, &pem, why);
	else
		e = profile_read_key(profile, o->user, &pem, why);
	if (e == Q_OK)
		e = ask_unlock(source, o->user, buf_span(&pem), out, why);
	else if (e == Q_MISSING && o->key_file != NULL)
		e = Q_DENIED; /* named, so never to be made */
	buf_wipe(&pem);
	return e;
}

enum qerr
join_load_ca(const char *path, struct cert **out, struct why *why)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	enum qerr e = private_read(AT_FDCWD, path, PRIVATE_PUBLIC, &pem, why);

	if (e == Q_OK && (e = cert_parse(buf_span(&pem), out)) != Q_OK)
		why_set(why, e, "%s holds no certificate in PEM", path);
	buf_free(&pem);
	return e;
}

static enum qerr
make_key(const struct options *o, const struct profile *profile,
	 const struct ask_source *source, struct key **out, struct why *why)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	char passphrase[ASK_PASSPHRASE_SIZE] = "";
	struct key *key = NULL;
	enum qerr e;

	if ((e = ask_new_passphrase(source, passphrase, why)) != Q_OK)
		goto out;
	if ((e = key_generate(KEY_EC_P256, 0, &key)) != Q_OK ||
	    (e = key_private_pem(key, passphrase, &pem)) != Q_OK) {
		why_set(why, e, "a key could not be made: %s", qerr_str(e));
		goto out;
	}
	/* Kept before the server hears of it: a name with a lost key would be
	 * lost too. */
	if ((e = profile_add_key(profile, o->user, buf_span(&pem), why)) != Q_OK)
		goto out;
	show_status("made a key for %s, %s", o->user,
		    passphrase[0] != '\0' ? "with a passphrase" : "without a passphrase");
	*out = key;
	key = NULL;
out:
	key_free(key);
	secret_wipe(passphrase, sizeof(passphrase));
	buf_wipe(&pem);
	return e;
}

static enum qerr
find_key(const struct options *o, const struct profile *profile,
	 const struct ask_source *source, struct key **out, struct why *why)
{
	enum qerr e = join_load_key(o, profile, source, out, why);

	if (e == Q_MISSING)
		return make_key(o, profile, source, out, why);
	if (e == Q_OK)
		show_status("using the key that %s has already", o->user);
	return e;
}

static enum qerr
find_code_once(const struct options *o, char out[ENROLMENT_CODE_SIZE], struct why *why)
{
	char typed[ASK_CODE_SIZE];
	enum qerr e = Q_OK;

	if (o->code != NULL)
		strlcpy(typed, o->code, sizeof(typed));
	else
		e = ask_code(typed, why);
	if (e == Q_OK && (e = enrolment_code_parse(span_str(typed), out)) != Q_OK)
		why_set(why, e, "an enrolment code looks like XXXX-XXXX-XXXX-XXXX");
	secret_wipe(typed, sizeof(typed));
	return e;
}

/* A person may mistype it, a script or --code is right or wrong. */
static int
tries(const struct options *o)
{
	return o->code == NULL && isatty(STDIN_FILENO) ? TRIES : 1;
}

static enum qerr
find_code(const struct options *o, char out[ENROLMENT_CODE_SIZE], struct why *why)
{
	enum qerr e = find_code_once(o, out, why);

	for (int i = 1; i < tries(o) && e == Q_FORMAT; i++) {
		show_text("! ", span_str(why->text));
		e = find_code_once(o, out, why);
	}
	return e;
}

/* ---- the server ---- */

static void
on_event(void *arg, const struct client_event *e)
{
	struct joining *j = arg;
	char text[256];

	switch (e->kind) {
	case CLIENT_ENROLLED:
		if (buf_put_span(&j->ca, e->text) != Q_OK)
			j->end = why_set(j->why, Q_NOMEM, "there is no memory left");
		break;
	case CLIENT_REFUSED:
	case CLIENT_FORCED_LOGOUT:
	case CLIENT_LOST:
		text_visible(e->text, text, sizeof(text));
		j->end = why_set(j->why, Q_DENIED, "%s", text);
		j->wrong_code = e->kind == CLIENT_REFUSED && e->again;
		break;
	default: break;
	}
}

static enum qerr
talk(const struct options *o, const struct client_login *login, struct joining *j)
{
	struct client *c;
	enum qerr e;

	e = client_new(&o->target, &client_enrolment, login, on_event, j, &c, j->why);
	if (e != Q_OK)
		return e;
	while (!client_over(c)) {
		struct pollfd p = {.fd = client_fd(c), .events = client_poll_events(c)};

		if (poll(&p, 1, clock_left_ms(client_deadline(c))) == -1)
			p.revents = 0;
		client_step(c, p.revents);
	}
	client_free(c);
	return j->end;
}

/* The code is asked for again when it was another one's. */
static enum qerr
talk_until_right(const struct options *o, const struct client_login *login,
		 char code[ENROLMENT_CODE_SIZE], struct joining *j)
{
	enum qerr e = talk(o, login, j);

	for (int i = 1; i < tries(o) && e != Q_OK && j->wrong_code; i++) {
		show_text("! ", span_str(j->why->text));
		j->end = Q_OK;
		j->wrong_code = false;
		if ((e = find_code(o, code, j->why)) == Q_OK)
			e = talk(o, login, j);
	}
	return e;
}

/* Pin the CA.  A pin that is there already and differs is replaced, since the
 * code has proven the new one; but that is said. */
static enum qerr
pin(const struct options *o, const struct profile *profile, struct span ca,
    struct why *why)
{
	char new_print[FINGERPRINT_SIZE], old_print[FINGERPRINT_SIZE],
	    where[TARGET_TEXT_SIZE];
	struct cert *cert = NULL, *old = NULL;
	enum qerr e;

	target_text(&o->target, where);
	if ((e = cert_parse(ca, &cert)) != Q_OK) {
		why_set(why, e, "the server's CA certificate is none");
		goto out;
	}
	if ((e = trust_compare(o, cert, why)) != Q_OK ||
	    (e = chain_fingerprint(cert, new_print, why)) != Q_OK)
		goto out;
	if (profile_ca(profile, &o->target, &old, NULL) == Q_OK &&
	    chain_fingerprint(old, old_print, NULL) == Q_OK &&
	    strcmp(old_print, new_print) != 0)
		show_status("the CA of %s is a new one; it was %s", where, old_print);
	if ((e = profile_pin_ca(profile, &o->target, ca, why)) != Q_OK)
		goto out;
	show_status("enrolled as %s at %s", o->user, where);
	show_status("CA fingerprint %s", new_print);
out:
	cert_free(cert);
	cert_free(old);
	return e;
}

enum qerr
join_run(const struct options *o, const struct profile *profile,
	 const struct ask_source *source, const char *program, struct why *why)
{
	struct joining j = {.ca = BUF_INIT(CERT_PEM_MAX), .why = why};
	struct client_login login = {.key = NULL};
	char code[ENROLMENT_CODE_SIZE], where[TARGET_TEXT_SIZE];
	enum qerr e;

	strlcpy(login.user, o->user, sizeof(login.user));
	login.code = code;
	if ((e = find_code(o, code, why)) != Q_OK ||
	    (e = find_key(o, profile, source, &login.key, why)) != Q_OK ||
	    (e = talk_until_right(o, &login, code, &j)) != Q_OK ||
	    (e = pin(o, profile, buf_span(&j.ca), why)) != Q_OK ||
	    (e = profile_set_last_user(profile, o->user, why)) != Q_OK)
		goto out;
	target_text(&o->target, where);
	show_status("now type: %s %s --user %s", program, where, o->user);
out:
	secret_wipe(code, sizeof(code));
	key_free(login.key);
	buf_free(&j.ca);
	return e;
}
