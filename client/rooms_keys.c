/* SPDX-License-Identifier: MIT */
#include "client/rooms_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>
#include <bsd/sys/tree.h>

#include "base/text.h"
#include "client/private.h"
#include "client/verify.h"

#define KEYS_MAX  ROOMS_AUTHORS_MAX /* of a person, old ones included */
#define FILE_MAX  65536
#define FLUSH_MAX 32 /* files at a time */
#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----\n"
#define PEM_END   "-----END PUBLIC KEY-----\n"

struct chat_key {
	struct key *key;
	char keyid[ROOMS_KEYID_SIZE];
	uint8_t sum[SHA256_LEN];
	bool trusted, named;
};

struct person {
	RB_ENTRY(person) by_name;
	char name[NAME_SIZE];
	bool met;   /* its keys have been told once, now or in an earlier run */
	bool dirty; /* the file is older than this */
	bool verified;
	uint8_t verified_set[SHA256_LEN];
	struct chat_key *keys;
	size_t count;
};

RB_HEAD(persons, person);

struct rooms_keys {
	const struct client_env *env;
	const struct rooms_state *state;
	struct persons persons;
};

static int
person_cmp(const struct person *a, const struct person *b)
{
	return name_cmp(a->name, b->name);
}

/* RB_GENERATE_STATIC, but for a word that <sys/cdefs.h> does not always have. */
RB_GENERATE_INTERNAL(persons, person, by_name, person_cmp, static __attribute__((unused)))

/* ---- the keys of a person ---- */

/* NULL: there is none like it. */
static struct chat_key *
key_of(struct person *who, const uint8_t sum[SHA256_LEN])
{
	for (size_t i = 0; i < who->count; i++)
		if (memcmp(who->keys[i].sum, sum, SHA256_LEN) == 0)
			return &who->keys[i];
	return NULL;
}

/* Consumes key.  NULL: no memory. */
static struct chat_key *
put_key(struct person *who, struct key *key, const char *keyid,
	const uint8_t sum[SHA256_LEN])
{
	struct chat_key *more = NULL, *c;

	if (who->count < KEYS_MAX)
		more = reallocarray(who->keys, who->count + 1, sizeof(*more));
	if (more == NULL) {
		key_free(key);
		return NULL;
	}
	who->keys = more;
	c = &more[who->count++];
	*c = (struct chat_key){.key = key};
	strlcpy(c->keyid, keyid, sizeof(c->keyid));
	memcpy(c->sum, sum, SHA256_LEN);
	return c;
}

/* The one that pem holds, made known, not trusted.  Q_FORMAT: it holds none that can be
 * used, which is the server's or its owner's trouble. */
static enum qerr
learn(struct person *who, struct span pem, struct chat_key **out, bool *new)
{
	char keyid[ROOMS_KEYID_SIZE];
	uint8_t sum[SHA256_LEN];
	struct key *key;
	enum qerr e;

	*new = false;
	if ((e = rooms_chat_key(pem, &key, keyid)) != Q_OK)
		return e == Q_NOMEM ? e : Q_FORMAT;
	if ((e = key_fingerprint(key, sum)) != Q_OK) {
		key_free(key);
		return e;
	}
	if ((*out = key_of(who, sum)) != NULL) {
		key_free(key);
		return Q_OK;
	}
	*new = true;
	*out = put_key(who, key, keyid, sum);
	return *out != NULL ? Q_OK : Q_NOMEM;
}

/* ---- files ---- */

static void
take_key(struct person *who, const char *base64)
{
	struct chat_key *c;
	char pem[1024];
	bool new;
	int n;

	n = snprintf(pem, sizeof(pem), PEM_BEGIN "%.64s\n%s%s" PEM_END, base64,
		     strlen(base64) > 64 ? base64 + 64 : "",
		     strlen(base64) > 64 ? "\n" : "");
	if (n > 0 && (size_t)n < sizeof(pem) &&
	    learn(who, span_str(pem), &c, &new) == Q_OK)
		c->trusted = true;
}

static void
read_person(const struct rooms_keys *k, struct person *who)
{
	struct buf text = BUF_INIT(FILE_MAX + 1);
	char file[NAME_SIZE], *line, *rest;

	name_fold(who->name, file);
	if (private_read(k->state->people, file, PRIVATE_PUBLIC, &text, NULL) == Q_OK &&
	    buf_put_u8(&text, '\0') == Q_OK) {
		who->met = true;
		rest = (char *)text.p;
		while ((line = strsep(&rest, "\n")) != NULL)
			if (strncmp(line, "key ", 4) == 0)
				take_key(who, line + 4);
			else if (strncmp(line, "verified ", 9) == 0)
				who->verified =
				    hex_decode(span_str(line + 9), who->verified_set,
					       SHA256_LEN) == Q_OK;
	}
	buf_free(&text);
}

static enum qerr
put_key_line(struct buf *out, const struct chat_key *c)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	enum qerr e = key_public_pem(c->key, &pem);
	char *line, *rest;

	if (e == Q_OK && (e = buf_put_u8(&pem, '\0')) == Q_OK)
		e = buf_put_str(out, "key ");
	rest = (char *)pem.p;
	while (e == Q_OK && (line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '-')
			e = buf_put_str(out, line);
	buf_free(&pem);
	return e == Q_OK ? buf_put_u8(out, '\n') : e;
}

static enum qerr
write_person(const struct rooms_keys *k, struct person *who, struct why *why)
{
	struct buf text = BUF_INIT(FILE_MAX);
	char file[NAME_SIZE], hex[HEX_LEN(SHA256_LEN) + 1];
	enum qerr e = Q_OK;

	for (size_t i = 0; i < who->count && e == Q_OK; i++)
		if (who->keys[i].trusted)
			e = put_key_line(&text, &who->keys[i]);
	if (e == Q_OK && who->verified) {
		hex_encode(span_of(who->verified_set, SHA256_LEN), hex);
		e = buf_printf(&text, "verified %s\n", hex);
	}
	name_fold(who->name, file);
	if (e == Q_OK)
		e = private_replace(k->state->people, file, buf_span(&text), why);
	else
		why_set(why, e, "there is no memory left");
	who->dirty = false; /* whatever: trying again each second helps nobody */
	buf_free(&text);
	return e;
}

bool
rooms_keys_flush(struct rooms_keys *k)
{
	struct person *who;
	int n = 0;

	RB_FOREACH (who, persons, &k->persons) {
		if (!who->dirty)
			continue;
		if (n++ == FLUSH_MAX)
			return true;
		(void)write_person(k, who, NULL);
	}
	return false;
}

/* ---- people ---- */

/* NULL: no memory. */
static struct person *
person_of(struct rooms_keys *k, const char *name)
{
	struct person find, *who;

	strlcpy(find.name, name, sizeof(find.name));
	if ((who = RB_FIND(persons, &k->persons, &find)) != NULL)
		return who;
	if ((who = calloc(1, sizeof(*who))) == NULL)
		return NULL;
	strlcpy(who->name, name, sizeof(who->name));
	RB_INSERT(persons, &k->persons, who);
	read_person(k, who);
	return who;
}

static void
tell_changed(const struct rooms_keys *k, const struct person *who,
	     const struct chat_key *c)
{
	char now[FINGERPRINT_SIZE], was[FINGERPRINT_SIZE] = "none";
	struct client_event e = {.kind = CLIENT_KEY_CHANGED, .name = who->name};

	for (size_t i = 0; i < who->count; i++)
		if (who->keys[i].trusted) {
			fingerprint_text(who->keys[i].sum, was);
			break;
		}
	fingerprint_text(c->sum, now);
	e.fingerprint = now;
	e.text = span_str(was);
	k->env->event(k->env->event_arg, &e);
}

/* One that the server names. */
static enum qerr
take_named(struct rooms_keys *k, struct person *who, struct span pem, bool first)
{
	struct chat_key *c;
	bool new;
	enum qerr e = learn(who, pem, &c, &new);

	if (e != Q_OK)
		return e == Q_FORMAT ? Q_OK : e;
	c->named = true;
	if (first && !c->trusted)
		c->trusted = who->dirty = true;
	else if (new)
		tell_changed(k, who, c);
	return Q_OK;
}

enum qerr
rooms_keys_told(struct rooms_keys *k, const char *name, const struct rooms_names *pems)
{
	struct person *who = person_of(k, name);
	enum qerr e = Q_OK;
	bool first;

	if (who == NULL)
		return Q_NOMEM;
	first = !who->met && pems->n > 0;
	for (size_t i = 0; i < who->count; i++)
		who->keys[i].named = who->keys[i].key == k->state->key;
	for (size_t i = 0; i < pems->n && i < ROOMS_KEYS_MAX && e == Q_OK; i++)
		e = take_named(k, who, pems->p[i], first);
	who->met = who->met || first;
	who->dirty = who->dirty || first;
	return e;
}

enum qerr
rooms_keys_added(struct rooms_keys *k, const char *name, struct span pem,
		 struct span dropped)
{
	struct person *who = person_of(k, name);
	bool first;
	enum qerr e;

	if (who == NULL)
		return Q_NOMEM;
	first = !who->met;
	if ((e = take_named(k, who, pem, first)) != Q_OK)
		return e;
	who->met = true;
	who->dirty = who->dirty || first;
	for (size_t i = 0; i < who->count; i++)
		if (dropped.p != NULL && span_eq(span_str(who->keys[i].keyid), dropped))
			who->keys[i].named = false;
	return Q_OK;
}

/* ---- what they are for ---- */

enum qerr
rooms_keys_readers(struct rooms_keys *k, const char (*names)[NAME_SIZE], size_t n,
		   struct key ***out, size_t *count)
{
	struct key **keys = NULL, **more;
	size_t used = 0, room = 0;

	for (size_t i = 0; i < n; i++) {
		struct person *who = person_of(k, names[i]);

		if (who != NULL && used + who->count > room) {
			room = 2 * room + who->count;
			more = reallocarray(keys, room, sizeof(*more));
			if (more != NULL)
				keys = more;
			else
				who = NULL;
		}
		if (who == NULL) {
			free(keys);
			return Q_NOMEM;
		}
		for (size_t j = 0; j < who->count; j++)
			if (who->keys[j].trusted && who->keys[j].named)
				keys[used++] = who->keys[j].key;
	}
	*out = keys;
	*count = used;
	return Q_OK;
}

size_t
rooms_keys_authors(struct rooms_keys *k, const char *name, struct key **out, size_t max)
{
	struct person *who = person_of(k, name);
	size_t n = 0;

	for (size_t i = 0; who != NULL && i < who->count && n < max; i++)
		if (who->keys[i].trusted)
			out[n++] = who->keys[i].key;
	return n;
}

/* ---- trust ---- */

enum qerr
rooms_keys_trust(struct rooms_keys *k, const char *name, struct why *why)
{
	struct client_event event = {.kind = CLIENT_KEY_TRUSTED};
	char now[FINGERPRINT_SIZE] = "", was[FINGERPRINT_SIZE] = "none";
	struct person *who = person_of(k, name);
	enum qerr e;

	if (who == NULL)
		return why_set(why, Q_NOMEM, "there is no memory left");
	for (size_t i = 0; i < who->count; i++)
		if (!who->keys[i].trusted && who->keys[i].named)
			fingerprint_text(who->keys[i].sum, now);
		else if (who->keys[i].trusted && strcmp(was, "none") == 0)
			fingerprint_text(who->keys[i].sum, was);
	if (now[0] == '\0')
		return why_set(why, Q_MISSING, "the key of %s has not changed", name);
	for (size_t i = 0; i < who->count; i++)
		who->keys[i].trusted = who->keys[i].trusted || who->keys[i].named;
	who->verified = false;
	if ((e = write_person(k, who, why)) != Q_OK)
		return e;
	event.name = who->name;
	event.fingerprint = now;
	event.text = span_str(was);
	k->env->event(k->env->event_arg, &event);
	return Q_OK;
}

static int
sum_cmp(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_LEN);
}

/* Q_MISSING: no keys. */
static enum qerr
set_sum(const struct person *who, uint8_t out[SHA256_LEN])
{
	uint8_t sums[KEYS_MAX][SHA256_LEN];
	struct span all;
	size_t n = 0;

	for (size_t i = 0; i < who->count; i++)
		if (who->keys[i].trusted && who->keys[i].named)
			memcpy(sums[n++], who->keys[i].sum, SHA256_LEN);
	if (n == 0)
		return Q_MISSING;
	qsort(sums, n, SHA256_LEN, sum_cmp);
	all = span_of(sums, n * SHA256_LEN);
	return sha256(&all, 1, out);
}

static enum qerr
show_number(struct rooms_keys *k, const struct person *who, const uint8_t sum[SHA256_LEN],
	    bool verified, struct why *why)
{
	struct person *we = person_of(k, k->env->login->user);
	struct client_event event = {.kind = CLIENT_SAFETY, .count = verified};
	char number[VERIFY_NUMBER_SIZE];
	uint8_t ours[SHA256_LEN];
	struct verify_side a = {k->env->login->user, ours}, b = {who->name, sum};

	if (we == NULL || set_sum(we, ours) != Q_OK ||
	    verify_number(&a, &b, number) != Q_OK)
		return why_set(why, Q_CRYPTO, "the safety number cannot be computed");
	event.name = who->name;
	event.text = span_str(number);
	k->env->event(k->env->event_arg, &event);
	return Q_OK;
}

enum qerr
rooms_keys_verify(struct rooms_keys *k, const char *name, struct span word,
		  struct why *why)
{
	struct client_event event = {.kind = CLIENT_VERIFIED};
	struct person *who = person_of(k, name);
	bool yes = span_eq(word, span_str("yes"));
	uint8_t sum[SHA256_LEN];
	enum qerr e;

	if (who == NULL || set_sum(who, sum) != Q_OK)
		return why_set(why, Q_MISSING, "no chat key of %s is known", name);
	if (word.len == 0)
		return show_number(k, who, sum,
				   who->verified &&
				       memcmp(sum, who->verified_set, SHA256_LEN) == 0,
				   why);
	who->verified = yes;
	memcpy(who->verified_set, sum, SHA256_LEN);
	if ((e = write_person(k, who, why)) != Q_OK)
		return e;
	event.name = who->name;
	event.count = yes;
	k->env->event(k->env->event_arg, &event);
	return Q_OK;
}

/* ---- life ---- */

/* Ours is there before the server says so. */
static enum qerr
put_own(struct rooms_keys *k)
{
	struct person *we = person_of(k, k->env->login->user);
	uint8_t sum[SHA256_LEN];
	struct chat_key *c;

	if (we == NULL || key_fingerprint(k->state->key, sum) != Q_OK)
		return Q_NOMEM;
	if ((c = key_of(we, sum)) == NULL) {
		c = put_key(we, key_ref(k->state->key), k->state->keyid, sum);
	} else {
		key_free(c->key);
		c->key = key_ref(k->state->key);
	}
	if (c == NULL)
		return Q_NOMEM;
	c->trusted = c->named = true;
	return Q_OK;
}

struct rooms_keys *
rooms_keys_new(const struct client_env *env, const struct rooms_state *state)
{
	struct rooms_keys *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->env = env;
	k->state = state;
	RB_INIT(&k->persons);
	if (put_own(k) == Q_OK)
		return k;
	rooms_keys_free(k);
	return NULL;
}

void
rooms_keys_free(struct rooms_keys *k)
{
	struct person *who, *next;

	if (k == NULL)
		return;
	while (rooms_keys_flush(k))
		continue;
	RB_FOREACH_SAFE (who, persons, &k->persons, next) {
		RB_REMOVE(persons, &k->persons, who);
		for (size_t i = 0; i < who->count; i++)
			key_free(who->keys[i].key);
		free(who->keys);
		free(who);
	}
	free(k);
}
