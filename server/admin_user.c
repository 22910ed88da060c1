/* SPDX-License-Identifier: MIT
 *
 * admin_user.c - the commands "user add, list, show, passwd, key,
 * remove".
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "crypto/cert.h"
#include "crypto/random.h"
#include "server/accounts.h"
#include "server/admin_call.h"
#include "server/hub.h"
#include "server/log.h"
#include "server/passwords.h"
#include "server/protocol.h"
#include "server/removal.h"

static const char *
kind_text(const struct key *k)
{
	return key_kind(k) == KEY_RSA ? "RSA" : "EC P-256";
}

/* The sessions of a user who is not who they were. */
static void
end_sessions(struct admin_call *c, const char *name, const char *text)
{
	if (c->server->sessions != NULL)
		hub_kick(c->server, name, GOODBYE_REMOVED, text);
}

static enum qerr
fail(struct admin_call *c, enum qerr e, const char *name)
{
	switch (e) {
	case Q_MISSING: return why_set(c->why, e, "there is no user %.64s", name);
	case Q_EXISTS: return why_set(c->why, e, "there is a user %.64s already", name);
	case Q_FULL: return why_set(c->why, e, "there is no room on the disk");
	default: return why_set(c->why, e, "user %.64s: %s", name, qerr_str(e));
	}
}

/* The public key in the call's input. */
static enum qerr
parse_key(struct admin_call *c, struct key **out)
{
	enum qerr e = key_parse_public(c->input, out);

	if (e == Q_DENIED)
		return why_set(c->why, e,
			       "the key is neither RSA of %d to %d bits nor EC P-256",
			       KEY_RSA_MIN_BITS, KEY_RSA_MAX_BITS);
	if (e != Q_OK)
		return why_set(c->why, e, "the file holds no public key in PEM");
	return Q_OK;
}

/* The fields of a user to be made, but for the key. */
static enum qerr
fill_user(struct admin_call *c, struct user *u)
{
	const char *email = admin_option(c->argc, c->argv, "--email");
	enum qerr e;

	if (name_copy(span_str(c->argv[0]), u->name) != Q_OK)
		return why_set(c->why, Q_FORMAT,
			       "a name has 1 to %d letters, digits, dots, underscores or "
			       "dashes and begins "
			       "with a letter or digit",
			       NAME_MAX_LEN);
	if (email != NULL && (e = admin_check_text(c, "e-mail address", email)) != Q_OK)
		return e;
	if (email != NULL &&
	    strlcpy(u->email, email, sizeof(u->email)) >= sizeof(u->email))
		return why_set(c->why, Q_LIMIT, "the e-mail address is too long");
	if (c->password.len > 0 &&
	    (e = passwords_hash(c->server->passwords, c->password, u->password)) != Q_OK)
		return fail(c, e, u->name);
	return Q_OK;
}

enum qerr
admin_user_add(struct admin_call *c)
{
	bool with_key = admin_option(c->argc, c->argv, "--key") != NULL;
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct user u = {.uin = 0};
	struct key *key = NULL;
	enum qerr e;

	if ((e = fill_user(c, &u)) != Q_OK)
		return e;
	/* What is stored is our own writing of the key, without the text around. */
	if (with_key && (e = parse_key(c, &key)) != Q_OK)
		goto out;
	if (with_key)
		e = key_public_pem(key, &pem);
	if (e == Q_OK)
		e = accounts_add(c->server->accounts, &u, buf_span(&pem), key);
	if (e == Q_OK) {
		log_event(LOG_INFO, NULL, "user-add", "name=%s uin=%" PRIu32, u.name,
			  u.uin);
		admin_say(c, "uin: %" PRIu32 "\n", u.uin);
	} else {
		fail(c, e, c->argv[0]);
	}
out:
	key_free(key);
	buf_free(&pem);
	secret_wipe(u.password, sizeof(u.password));
	return e;
}

/* ---- list and show ---- */

static bool
list_one(void *arg, const char *name)
{
	struct admin_call *c = arg;
	char registered[NAME_SIZE];
	struct key *key = NULL;
	struct user u;
	enum qerr e = accounts_key(c->server->accounts, name, registered, &key);

	if (accounts_get(c->server->accounts, name, &u) != Q_OK)
		admin_say(c, "%-32s  unreadable", name);
	else
		admin_say(c, "%-32s  %-10s  %10" PRIu32, u.name,
			  e == Q_OK       ? kind_text(key)
			  : e == Q_FORMAT ? "bad key"
					  : "no key",
			  u.uin);
	admin_restrictions(c, name, "  ", " ", "");
	admin_say(c, "\n");
	key_free(key);
	return !c->cut;
}

enum qerr
admin_user_list(struct admin_call *c)
{
	enum qerr e = users_each(c->server->store, list_one, c);

	if (e != Q_OK)
		return why_set(c->why, e, "cannot read the users: %s", qerr_str(e));
	return Q_OK;
}

static void
show_field(struct admin_call *c, const char *label, const char *value)
{
	if (*value != '\0')
		admin_say(c, "%s: %s\n", label, value);
}

/* One line each. */
static void
show_restrictions(struct admin_call *c, const char *name)
{
	admin_restrictions(c, name, "", ": ", "\n");
}

static void
show_key(struct admin_call *c, const char *name)
{
	char registered[NAME_SIZE], text[FINGERPRINT_SIZE];
	uint8_t sum[SHA256_LEN];
	struct key *key = NULL;
	enum qerr e = accounts_key(c->server->accounts, name, registered, &key);

	if (e == Q_OK && key_fingerprint(key, sum) == Q_OK) {
		fingerprint_text(sum, text);
		admin_say(c, "key: %s\nfingerprint: %s\n", kind_text(key), text);
	} else {
		admin_say(c, "key: %s\n", e == Q_MISSING ? "none" : "not usable");
	}
	key_free(key);
}

enum qerr
admin_user_show(struct admin_call *c)
{
	const char *name = c->argv[0];
	char created[ADMIN_TIME_SIZE];
	struct user u;
	enum qerr e;

	if ((e = accounts_get(c->server->accounts, name, &u)) != Q_OK)
		return fail(c, e, name);
	admin_time(u.created_ms, created);
	admin_say(c, "name: %s\nuin: %" PRIu32 "\ncreated: %s\n", u.name, u.uin, created);
	show_key(c, u.name);
	admin_say(c, "password: %s\n", *u.password != '\0' ? "set" : "none");
	show_field(c, "email", u.email);
	show_field(c, "fullname", u.fullname);
	show_field(c, "dob", u.dob);
	show_field(c, "gender", u.gender);
	show_restrictions(c, u.name);
	if (c->server->sessions != NULL)
		admin_say(c, "online: %s\n",
			  hub_online(c->server, u.name) ? "yes" : "no");
	return Q_OK;
}

/* ---- password, key and remove ---- */

enum qerr
admin_user_passwd(struct admin_call *c)
{
	struct user u;
	enum qerr e = accounts_get(c->server->accounts, c->argv[0], &u);

	if (e == Q_OK)
		e = passwords_set(c->server->passwords, u.name, c->password);
	if (e != Q_OK)
		return fail(c, e, c->argv[0]);
	secret_wipe(u.password, sizeof(u.password));
	log_event(LOG_INFO, NULL, "user-passwd", "name=%s", u.name);
	end_sessions(c, u.name, "your password was changed");
	admin_say(c, "%s has a new password\n", u.name);
	return Q_OK;
}

enum qerr
admin_user_key(struct admin_call *c)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct key *key = NULL;
	struct user u;
	enum qerr e;

	if ((e = accounts_get(c->server->accounts, c->argv[0], &u)) != Q_OK)
		return fail(c, e, c->argv[0]);
	if ((e = parse_key(c, &key)) != Q_OK)
		return e;
	if ((e = key_public_pem(key, &pem)) != Q_OK ||
	    (e = users_put_pem(c->server->store, u.name, buf_span(&pem))) != Q_OK) {
		fail(c, e, u.name);
	} else {
		log_event(LOG_INFO, NULL, "user-key", "name=%s", u.name);
		end_sessions(c, u.name, "your key was replaced");
		admin_say(c, "%s has a new key\n", u.name);
	}
	key_free(key);
	buf_free(&pem);
	return e;
}

static void
last_words(struct admin_call *c, const char *name)
{
	for (size_t i = 0; c->server->sessions != NULL && protocols[i] != NULL; i++)
		if (protocols[i]->removing != NULL)
			protocols[i]->removing(c->server, name);
}

enum qerr
admin_user_remove(struct admin_call *c)
{
	const char *name = c->argv[0];
	struct file_stamp stamp;
	struct user u;
	enum qerr e;

	if (!name_valid(span_str(name)))
		return fail(c, Q_MISSING, name);
	/* A damaged record or an unusable key can be removed too. */
	e = users_get(c->server->store, name, &u);
	secret_wipe(&u, sizeof(u));
	if (e == Q_MISSING &&
	    users_stamp_pem(c->server->store, name, &stamp) == Q_MISSING)
		return fail(c, Q_MISSING, name);
	end_sessions(c, name, "your user was removed");
	last_words(c, name);
	if ((e = removal_forget(c->server, name)) != Q_OK ||
	    (e = users_remove(c->server->store, name)) != Q_OK)
		return fail(c, e, name);
	/* Whoever came in meanwhile, and what they did. */
	end_sessions(c, name, "your user was removed");
	if ((e = removal_forget_late(c->server, name)) != Q_OK)
		return fail(c, e, name);
	log_event(LOG_INFO, NULL, "user-remove", "name=%s", name);
	admin_say(c, "removed %s\n", name);
	return Q_OK;
}
