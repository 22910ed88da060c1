/* SPDX-License-Identifier: MIT */
#include "store/chatkeys.h"

#include <inttypes.h>
#include <string.h>

#include "store/decimal.h"
#include "store/examine.h"
#include "store/fields.h"
#include "store/file.h"
#include "store/personal.h"

#define VERSION_LINE "quintet-chatkeys: 1\n"
#define FILE_MAX     16384

static bool
id_valid(struct span s)
{
	if (s.len != CHATKEY_ID_SIZE - 1)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') &&
		    !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	return true;
}

static bool
pem_valid(struct span s)
{
	if (s.len == 0 || s.p[s.len - 1] != '\n')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] != '\n' && (s.p[i] < ' ' || s.p[i] > '~'))
			return false;
	return true;
}

/* ---- to bytes and back ---- */

static enum qerr
encode(const struct chatkeys *keys, struct buf *out)
{
	enum qerr e = buf_put_str(out, VERSION_LINE);

	for (size_t i = 0; e == Q_OK && i < keys->n; i++)
		e = buf_printf(out, "key: %s %zu\n%s", keys->key[i].id,
			       strlen(keys->key[i].pem), keys->key[i].pem);
	return e == Q_OK ? fields_put_check(out, 0) : e;
}

static enum qerr
take_key(struct reader *in, struct chatkey *out)
{
	const size_t id_len = CHATKEY_ID_SIZE - 1;
	struct span line, id, pem;
	uint64_t len;

	if (fields_take(in, "key", &line) != Q_OK || line.len < id_len + 2 ||
	    line.p[id_len] != ' ')
		return Q_FORMAT;
	id = span_of(line.p, id_len);
	if (!id_valid(id) ||
	    decimal_read(span_of(line.p + id_len + 1, line.len - id_len - 1),
			 CHATKEY_PEM_MAX, &len) != Q_OK ||
	    reader_take(in, (size_t)len, &pem) != Q_OK || !pem_valid(pem))
		return Q_FORMAT;
	memcpy(out->id, id.p, id.len);
	out->id[id.len] = '\0';
	memcpy(out->pem, pem.p, pem.len);
	out->pem[pem.len] = '\0';
	return Q_OK;
}

static enum qerr
decode(void *arg, struct span text)
{
	struct chatkeys *out = arg, keys = {.n = 0};
	struct reader in;
	struct span version;

	if (fields_open(text, &in) != Q_OK ||
	    reader_take(&in, sizeof(VERSION_LINE) - 1, &version) != Q_OK ||
	    !span_eq(version, span_str(VERSION_LINE)))
		return Q_FORMAT;
	while (in.left > 0)
		if (keys.n == CHATKEYS_MAX || take_key(&in, &keys.key[keys.n++]) != Q_OK)
			return Q_FORMAT;
	*out = keys;
	return Q_OK;
}

/* ---- files ---- */

static enum qerr
load(struct store *s, const char *folded, struct chatkeys *out, struct why *note)
{
	enum qerr e =
	    personal_load(s, FOLDER_CHATKEYS, folded, FILE_MAX, decode, out, note);

	if (e == Q_MISSING)
		out->n = 0;
	return e == Q_MISSING ? Q_OK : e;
}

enum qerr
chatkeys_load(struct store *s, const char *user, struct chatkeys *out)
{
	char folded[NAME_SIZE];
	struct why note = {""};
	struct lock *lock;
	enum qerr e = personal_name(user, folded);

	if (e != Q_OK)
		return e;
	/* Mostly it is whole, and that needs no lock: files are replaced. */
	e = personal_read(s, FOLDER_CHATKEYS, folded, FILE_MAX, decode, out);
	if (e == Q_MISSING) {
		out->n = 0;
		e = Q_OK;
	}
	if (e != Q_FORMAT)
		return e;
	lock = personal_lock(s, folded);
	lock_take(lock);
	e = load(s, folded, out, &note);
	lock_drop(lock);
	store_tell(s, &note);
	return e;
}

/* Q_EXISTS; else it is the last one. */
static enum qerr
add(struct chatkeys *keys, const char *id, struct span pem, char gone[CHATKEY_ID_SIZE])
{
	struct chatkey *k;

	gone[0] = '\0';
	for (size_t i = 0; i < keys->n; i++)
		if (strcmp(keys->key[i].id, id) == 0)
			return Q_EXISTS;
	if (keys->n == CHATKEYS_MAX) {
		memcpy(gone, keys->key[0].id, CHATKEY_ID_SIZE);
		keys->n--;
		memmove(&keys->key[0], &keys->key[1], keys->n * sizeof(keys->key[0]));
	}
	k = &keys->key[keys->n++];
	memcpy(k->id, id, CHATKEY_ID_SIZE);
	memcpy(k->pem, pem.p, pem.len);
	k->pem[pem.len] = '\0';
	return Q_OK;
}

enum qerr
chatkeys_add(struct store *s, const char *user, const char *id, struct span pem,
	     char dropped[CHATKEY_ID_SIZE])
{
	char folded[NAME_SIZE], gone[CHATKEY_ID_SIZE];
	struct chatkeys keys;
	struct buf b = BUF_INIT(FILE_MAX);
	struct why note = {""};
	struct lock *lock;
	enum qerr e = personal_name(user, folded);

	if (e != Q_OK)
		return e;
	if (pem.len > CHATKEY_PEM_MAX)
		return Q_LIMIT;
	if (!id_valid(span_str(id)) || !pem_valid(pem))
		return Q_FORMAT;
	lock = personal_lock(s, folded);
	lock_take(lock);
	if ((e = load(s, folded, &keys, &note)) == Q_OK &&
	    (e = add(&keys, id, pem, gone)) == Q_OK && (e = encode(&keys, &b)) == Q_OK)
		e = file_replace(s->fd[FOLDER_CHATKEYS], folded, buf_span(&b), 0600);
	lock_drop(lock);
	store_tell(s, &note);
	buf_free(&b);
	if (e == Q_OK && dropped != NULL)
		memcpy(dropped, gone, sizeof(gone));
	return e;
}

enum qerr
chatkeys_remove(struct store *s, const char *user)
{
	return personal_remove(s, FOLDER_CHATKEYS, user);
}

/* ---- "server check" ---- */

enum qerr
chatkeys_examine(struct store *s, const char *file)
{
	struct chatkeys keys;

	return personal_read(s, FOLDER_CHATKEYS, file, FILE_MAX, decode, &keys);
}
