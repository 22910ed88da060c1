/* SPDX-License-Identifier: MIT
 *
 * Tokens that have expired stay until their place is needed, or a month has passed, so
 * that their owners can be told the difference.  A token has 256 random bits, so its
 * bare SHA-256 is as good as a salted slow hash is for a password.
 */
#include "store/tokens.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/random.h"
#include "store/decimal.h"
#include "store/fields.h"
#include "store/file.h"
#include "store/personal.h"
#include "store/examine.h"

#define VERSION_LINE "quintet-tokens: 1\n"
#define FILE_MAX     16384
#define KINDS        2
#define KEEP_MS      (INT64_C(30) * 24 * 60 * 60 * 1000) /* of one that has expired */

static const char *const kinds[KINDS] = {"rooms", "board"};

struct token {
	struct token_id id;
	enum token_kind kind;
	int64_t made_ms, expires_ms;
};

struct tokens {
	struct token t[KINDS * TOKENS_A_USER]; /* oldest first */
	size_t n;
};

/* ---- to bytes and back ---- */

static enum qerr
encode(const struct tokens *list, struct buf *out)
{
	enum qerr e = buf_put_str(out, VERSION_LINE);

	for (size_t i = 0; e == Q_OK && i < list->n; i++) {
		const struct token *t = &list->t[i];
		char hex[HEX_LEN(SHA256_LEN) + 1];

		hex_encode(span_of(t->id.hash, SHA256_LEN), hex);
		e = buf_printf(out, "%s %s %" PRId64 " %" PRId64 "\n", hex,
			       kinds[t->kind], t->made_ms, t->expires_ms);
	}
	return e == Q_OK ? fields_put_check(out, 0) : e;
}

static enum qerr
take_time(struct reader *in, char stop, int64_t *out)
{
	struct span s;
	uint64_t ms;

	if (reader_take_until(in, stop, &s) != Q_OK ||
	    decimal_read(s, INT64_MAX, &ms) != Q_OK)
		return Q_FORMAT;
	*out = (int64_t)ms;
	return Q_OK;
}

static enum qerr
take_token(struct reader *in, struct token *out)
{
	struct span hash, kind;
	int k = 0;

	if (reader_take_until(in, ' ', &hash) != Q_OK ||
	    hex_decode(hash, out->id.hash, SHA256_LEN) != Q_OK ||
	    reader_take_until(in, ' ', &kind) != Q_OK)
		return Q_FORMAT;
	while (k < KINDS && !span_eq(kind, span_str(kinds[k])))
		k++;
	if (k == KINDS)
		return Q_FORMAT;
	out->kind = (enum token_kind)k;
	if (take_time(in, ' ', &out->made_ms) != Q_OK)
		return Q_FORMAT;
	return take_time(in, '\n', &out->expires_ms);
}

static enum qerr
decode(void *arg, struct span text)
{
	struct tokens *out = arg, list = {.n = 0};
	struct reader in;
	struct span version;

	if (fields_open(text, &in) != Q_OK ||
	    reader_take(&in, sizeof(VERSION_LINE) - 1, &version) != Q_OK ||
	    !span_eq(version, span_str(VERSION_LINE)))
		return Q_FORMAT;
	while (in.left > 0)
		if (list.n == KINDS * TOKENS_A_USER ||
		    take_token(&in, &list.t[list.n++]) != Q_OK)
			return Q_FORMAT;
	*out = list;
	return Q_OK;
}

/* ---- files ---- */

static enum qerr
load(struct store *s, const char *folded, struct tokens *out, struct why *note)
{
	enum qerr e =
	    personal_load(s, FOLDER_TOKENS, folded, FILE_MAX, decode, out, note);

	if (e == Q_MISSING)
		out->n = 0;
	return e == Q_MISSING ? Q_OK : e;
}

static enum qerr
save(struct store *s, const char *folded, const struct tokens *list)
{
	struct buf b = BUF_INIT(FILE_MAX);
	enum qerr e;

	if (list->n == 0) {
		e = file_remove(s->fd[FOLDER_TOKENS], folded);
		return e == Q_MISSING ? Q_OK : e;
	}
	if ((e = encode(list, &b)) == Q_OK)
		e = file_replace(s->fd[FOLDER_TOKENS], folded, buf_span(&b), 0600);
	buf_free(&b);
	return e;
}

static void
take_out(struct tokens *list, size_t i)
{
	list->n--;
	memmove(&list->t[i], &list->t[i + 1], (list->n - i) * sizeof(list->t[0]));
}

/* Room for one more of that kind. */
static void
make_room(struct tokens *list, enum token_kind kind, int64_t now_ms)
{
	size_t same = 0, oldest = 0;

	for (size_t i = list->n; i-- > 0;)
		if (list->t[i].expires_ms < now_ms - KEEP_MS)
			take_out(list, i);
	for (size_t i = list->n; i-- > 0;)
		if (list->t[i].kind == kind) {
			same++;
			oldest = i;
		}
	if (same >= TOKENS_A_USER)
		take_out(list, oldest);
}

/* ---- tokens ---- */

static void
token_make(char out[TOKEN_SIZE])
{
	uint8_t random[32];
	char text[BASE64_LEN(sizeof(random))];

	random_bytes(random, sizeof(random));
	base64_encode(span_of(random, sizeof(random)), text);
	for (size_t i = 0; i < TOKEN_LEN; i++)
		out[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	out[TOKEN_LEN] = '\0';
	secret_wipe(random, sizeof(random));
	secret_wipe(text, sizeof(text));
}

enum qerr
tokens_issue(struct store *s, const char *user, enum token_kind kind, int64_t expires_ms,
	     char out[TOKEN_SIZE], struct token_id *id)
{
	char folded[NAME_SIZE], text[TOKEN_SIZE];
	int64_t now_ms = clock_wall_ms();
	struct tokens list;
	struct token t = {.kind = kind, .made_ms = now_ms, .expires_ms = expires_ms};
	struct why note = {""};
	struct lock *lock;
	struct span part;
	enum qerr e;

	if ((e = personal_name(user, folded)) != Q_OK)
		return e;
	token_make(text);
	part = span_str(text);
	if ((e = sha256(&part, 1, t.id.hash)) != Q_OK)
		return e;
	lock = personal_lock(s, folded);
	lock_take(lock);
	if ((e = load(s, folded, &list, &note)) == Q_OK) {
		make_room(&list, kind, now_ms);
		list.t[list.n++] = t;
		e = save(s, folded, &list);
	}
	lock_drop(lock);
	store_tell(s, &note);
	if (e == Q_OK) {
		memcpy(out, text, sizeof(text));
		if (id != NULL)
			*id = t.id;
	}
	secret_wipe(text, sizeof(text));
	return e;
}

enum qerr
token_id_of(struct span token, struct token_id *id)
{
	struct token_id out = {{0}};
	enum qerr e = sha256(&token, 1, out.hash);

	if (e == Q_OK)
		*id = out;
	return e;
}

enum qerr
tokens_find(struct store *s, const char *user, enum token_kind kind, struct span token,
	    int64_t now_ms, struct token_id *id, int64_t *expires_ms)
{
	char folded[NAME_SIZE];
	int64_t until_ms = 0;
	struct tokens list;
	struct token_id mine;
	struct why note = {""};
	struct lock *lock;
	enum qerr e, result = Q_MISSING;

	if (personal_name(user, folded) != Q_OK)
		return Q_MISSING;
	if ((e = token_id_of(token, &mine)) != Q_OK)
		return e;
	lock = personal_lock(s, folded);
	lock_take(lock);
	e = load(s, folded, &list, &note);
	lock_drop(lock);
	store_tell(s, &note);
	if (e != Q_OK)
		return e;
	for (size_t i = 0; i < list.n; i++)
		if (secret_eq(mine.hash, list.t[i].id.hash, SHA256_LEN) &&
		    list.t[i].kind == kind) {
			until_ms = list.t[i].expires_ms;
			result = now_ms < until_ms ? Q_OK : Q_TIMEOUT;
		}
	if (result == Q_OK) {
		*id = mine;
		*expires_ms = until_ms;
	}
	return result;
}

enum qerr
tokens_check(struct store *s, const char *user, enum token_kind kind, struct span token,
	     int64_t now_ms, struct token_id *id)
{
	struct token_id mine;
	int64_t expires_ms;
	enum qerr e = tokens_find(s, user, kind, token, now_ms, &mine, &expires_ms);

	if (e == Q_OK && id != NULL)
		*id = mine;
	return e;
}

enum qerr
tokens_revoke(struct store *s, const char *user, const struct token_id *id)
{
	char folded[NAME_SIZE];
	struct tokens list;
	struct why note = {""};
	struct lock *lock;
	size_t before;
	enum qerr e;

	if (personal_name(user, folded) != Q_OK)
		return Q_OK;
	lock = personal_lock(s, folded);
	lock_take(lock);
	if ((e = load(s, folded, &list, &note)) == Q_OK) {
		before = list.n;
		for (size_t i = list.n; i-- > 0;)
			if (secret_eq(id->hash, list.t[i].id.hash, SHA256_LEN))
				take_out(&list, i);
		if (list.n != before)
			e = save(s, folded, &list);
	}
	lock_drop(lock);
	store_tell(s, &note);
	return e;
}

enum qerr
tokens_revoke_all(struct store *s, const char *user)
{
	enum qerr e = personal_remove(s, FOLDER_TOKENS, user);

	return e == Q_FORMAT ? Q_OK : e;
}

/* ---- all of them ---- */

struct walk {
	struct store *s;
	enum token_kind kind;
	bool (*each)(void *arg, const char *user, const struct token_id *id);
	void *arg;
};

static bool
walk_file(void *arg, const char *name)
{
	struct walk *w = arg;
	struct tokens list;

	if (!name_valid(span_str(name)) ||
	    personal_read(w->s, FOLDER_TOKENS, name, FILE_MAX, decode, &list) != Q_OK)
		return true;
	for (size_t i = 0; i < list.n; i++)
		if (list.t[i].kind == w->kind && !w->each(w->arg, name, &list.t[i].id))
			return false;
	return true;
}

enum qerr
tokens_each(struct store *s, enum token_kind kind,
	    bool (*each)(void *arg, const char *user, const struct token_id *id),
	    void *arg)
{
	struct walk w = {s, kind, each, arg};

	return folder_each(s, FOLDER_TOKENS, walk_file, &w);
}

/* ---- "server check" ---- */

enum qerr
tokens_examine(struct store *s, const char *file)
{
	struct tokens list;

	return personal_read(s, FOLDER_TOKENS, file, FILE_MAX, decode, &list);
}
