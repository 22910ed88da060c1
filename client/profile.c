/* SPDX-License-Identifier: MIT */
#include "client/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/private.h"
#include "crypto/key.h"

struct profile {
	int root, keys, servers; /* folders; -1: not open */
};

/* $XDG_CONFIG_HOME counts only when it is absolute (XDG Base Directory
 * Specification). */
static enum qerr
find_root(char *out, size_t size, struct why *why)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	if (config != NULL && config[0] == '/')
		n = snprintf(out, size, "%s/quintet", config);
	else if (home != NULL && home[0] == '/')
		n = snprintf(out, size, "%s/.config/quintet", home);
	else
		return why_set(
		    why, Q_MISSING,
		    "no place for keys: neither XDG_CONFIG_HOME nor HOME is set");
	if ((size_t)n >= size)
		return why_set(why, Q_LIMIT,
			       "the path of the folder for keys is too long");
	return Q_OK;
}

enum qerr
profile_open(struct profile **out, struct why *why)
{
	struct profile *p = malloc(sizeof(*p));
	char root[4096];
	enum qerr e;

	if (p == NULL)
		return why_set(why, Q_NOMEM, "there is no memory left");
	p->root = p->keys = p->servers = -1;
	if ((e = find_root(root, sizeof(root), why)) == Q_OK &&
	    (e = private_open(root, &p->root, why)) == Q_OK &&
	    (e = private_open_in(p->root, "keys", &p->keys, why)) == Q_OK)
		e = private_open_in(p->root, "servers", &p->servers, why);
	if (e == Q_OK)
		*out = p;
	else
		profile_close(p);
	return e;
}

void
profile_close(struct profile *p)
{
	if (p == NULL)
		return;
	if (p->root != -1)
		close(p->root);
	if (p->keys != -1)
		close(p->keys);
	if (p->servers != -1)
		close(p->servers);
	free(p);
}

/* ---- keys ---- */

#define KEY_FILE_SIZE (NAME_SIZE + sizeof(".pem"))

static void
key_file(const char *user, char out[KEY_FILE_SIZE])
{
	char folded[NAME_SIZE];

	name_fold(user, folded);
	snprintf(out, KEY_FILE_SIZE, "%s.pem", folded);
}

bool
profile_has_key(const struct profile *p, const char *user)
{
	char file[KEY_FILE_SIZE];

	key_file(user, file);
	return private_has(p->keys, file);
}

enum qerr
profile_read_key(const struct profile *p, const char *user, struct buf *pem,
		 struct why *why)
{
	char file[KEY_FILE_SIZE];

	key_file(user, file);
	return private_read(p->keys, file, PRIVATE_SECRET, pem, why);
}

enum qerr
profile_add_key(const struct profile *p, const char *user, struct span pem,
		struct why *why)
{
	char file[KEY_FILE_SIZE];

	key_file(user, file);
	return private_create(p->keys, file, pem, why);
}

/* ---- servers ---- */

#define SERVER_FILE_SIZE (TARGET_TEXT_SIZE + sizeof(".pem"))

static void
server_file(const struct target *server, char out[SERVER_FILE_SIZE])
{
	char text[TARGET_TEXT_SIZE];

	target_text(server, text);
	snprintf(out, SERVER_FILE_SIZE, "%s.pem", text);
}

enum qerr
profile_ca(const struct profile *p, const struct target *server, struct cert **out,
	   struct why *why)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	char file[SERVER_FILE_SIZE];
	enum qerr e;

	server_file(server, file);
	e = private_read(p->servers, file, PRIVATE_PUBLIC, &pem, why);
	if (e == Q_OK && (e = cert_parse(buf_span(&pem), out)) != Q_OK)
		why_set(why, e, "the pinned CA in servers/%s is damaged: enrol again",
			file);
	buf_free(&pem);
	return e;
}

enum qerr
profile_pin_ca(const struct profile *p, const struct target *server, struct span pem,
	       struct why *why)
{
	char file[SERVER_FILE_SIZE];

	server_file(server, file);
	return private_replace(p->servers, file, pem, why);
}

/* ---- who was it last? ---- */

enum qerr
profile_last_user(const struct profile *p, char out[NAME_SIZE])
{
	struct buf text = BUF_INIT(2048);
	struct span name;
	enum qerr e;

	e = private_read(p->root, "last-user", PRIVATE_PUBLIC, &text, NULL);
	name = buf_span(&text);
	if (name.len > 0 && name.p[name.len - 1] == '\n')
		name.len--;
	if (e == Q_OK && name_copy(name, out) != Q_OK)
		e = Q_MISSING;
	buf_free(&text);
	return e;
}

enum qerr
profile_set_last_user(const struct profile *p, const char *user, struct why *why)
{
	char line[NAME_SIZE + 1];

	snprintf(line, sizeof(line), "%s\n", user);
	return private_replace(p->root, "last-user", span_str(line), why);
}
