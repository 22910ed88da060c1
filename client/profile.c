/* SPDX-License-Identifier: MIT */
#include "client/profile.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "client/private.h"
#include "crypto/key.h"

struct profile {
	int root, keys, servers, profiles; /* folders; -1: not open */
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
	p->root = p->keys = p->servers = p->profiles = -1;
	if ((e = find_root(root, sizeof(root), why)) == Q_OK &&
	    (e = private_open(root, &p->root, why)) == Q_OK &&
	    (e = private_open_in(p->root, "keys", &p->keys, why)) == Q_OK)
		e = private_open_in(p->root, "servers", &p->servers, why);
	if (e == Q_OK)
		e = private_open_in(p->root, "profiles", &p->profiles, why);
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
	if (p->profiles != -1)
		close(p->profiles);
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

/* ---- people and what was said ---- */

enum qerr
profile_folder(const struct profile *p, const char *kind, const struct cert *ca,
	       const char *user, int *fd, struct why *why)
{
	char folded[NAME_SIZE], server[HEX_LEN(SHA256_LEN) + 1];
	int outer = -1, inner = -1;
	uint8_t sum[SHA256_LEN];
	enum qerr e;

	name_fold(user, folded);
	if (cert_fingerprint(ca, sum) != Q_OK)
		return why_set(why, Q_CRYPTO, "a fingerprint cannot be computed");
	hex_encode(span_of(sum, sizeof(sum)), server);
	if ((e = private_open_in(p->root, kind, &outer, why)) == Q_OK &&
	    (e = private_open_in(outer, server, &inner, why)) == Q_OK)
		e = private_open_in(inner, folded, fd, why);
	if (outer != -1)
		close(outer);
	if (inner != -1)
		close(inner);
	return e;
}

/* ---- settings ---- */

#define PROFILE_FILE_SIZE (NAME_SIZE + sizeof(".conf"))

static void
profile_file(const char *name, char out[PROFILE_FILE_SIZE])
{
	char folded[NAME_SIZE];

	name_fold(name, folded);
	snprintf(out, PROFILE_FILE_SIZE, "%s.conf", folded);
}

enum qerr
profile_defaults(const struct profile *p, struct buf *out, struct why *why)
{
	return private_read(p->root, "client.conf", PRIVATE_PUBLIC, out, why);
}

enum qerr
profile_read(const struct profile *p, const char *name, struct buf *out, struct why *why)
{
	char file[PROFILE_FILE_SIZE];

	profile_file(name, file);
	return private_read(p->profiles, file, PRIVATE_PUBLIC, out, why);
}

enum qerr
profile_write(const struct profile *p, const char *name, struct span content,
	      struct why *why)
{
	char file[PROFILE_FILE_SIZE];

	profile_file(name, file);
	return private_replace(p->profiles, file, content, why);
}

/* NAME.conf, and NAME a name. */
static int
is_profile(const struct dirent *d)
{
	size_t len = strlen(d->d_name), end = strlen(".conf");

	return len > end && strcmp(d->d_name + len - end, ".conf") == 0 &&
	       name_valid(span_of(d->d_name, len - end));
}

enum qerr
profile_names(const struct profile *p, struct buf *out, struct why *why)
{
	struct dirent **found;
	int n = scandirat(p->profiles, ".", &found, is_profile, alphasort);
	enum qerr e = Q_OK;

	if (n == -1)
		return why_set(why, qerr_errno(errno), "cannot list the profiles: %s",
			       strerror(errno));
	for (int i = 0; i < n; i++) {
		size_t len = strlen(found[i]->d_name) - strlen(".conf");

		if (e == Q_OK && (e = buf_put(out, found[i]->d_name, len)) == Q_OK)
			e = buf_put_u8(out, '\n');
		free(found[i]);
	}
	free(found);
	return e == Q_OK ? Q_OK : why_set(why, e, "there is no memory left");
}

/* ---- names that are remembered ---- */

static enum qerr
read_name(const struct profile *p, const char *file, char out[NAME_SIZE])
{
	struct buf text = BUF_INIT(2048);
	struct span name;
	enum qerr e;

	e = private_read(p->root, file, PRIVATE_PUBLIC, &text, NULL);
	name = buf_span(&text);
	if (name.len > 0 && name.p[name.len - 1] == '\n')
		name.len--;
	if (e == Q_OK && name_copy(name, out) != Q_OK)
		e = Q_MISSING;
	buf_free(&text);
	return e;
}

static enum qerr
write_name(const struct profile *p, const char *file, const char *name, struct why *why)
{
	char line[NAME_SIZE + 1];

	snprintf(line, sizeof(line), "%s\n", name);
	return private_replace(p->root, file, span_str(line), why);
}

enum qerr
profile_last_user(const struct profile *p, char out[NAME_SIZE])
{
	return read_name(p, "last-user", out);
}

enum qerr
profile_set_last_user(const struct profile *p, const char *user, struct why *why)
{
	return write_name(p, "last-user", user, why);
}

enum qerr
profile_default(const struct profile *p, char out[NAME_SIZE])
{
	return read_name(p, "default-profile", out);
}

enum qerr
profile_set_default(const struct profile *p, const char *name, struct why *why)
{
	return write_name(p, "default-profile", name, why);
}
