/* SPDX-License-Identifier: MIT */
#include "client/verify.h"

#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "base/text.h"
#include "client/pins.h"

#define ROUNDS 5200
#define GROUPS 6

/* ---- the safety number ---- */

#define SIDE_MAX (SHA256_LEN + 1 + NAME_MAX_LEN)

static struct span
put_side(const struct verify_side *side, uint8_t out[SIDE_MAX])
{
	char folded[NAME_SIZE];
	size_t len;

	name_fold(side->name, folded);
	len = strlen(folded);
	memcpy(out, side->fingerprint, SHA256_LEN);
	out[SHA256_LEN] = (uint8_t)len;
	memcpy(out + SHA256_LEN + 1, folded, len);
	return span_of(out, SHA256_LEN + 1 + len);
}

static bool
less(struct span a, struct span b)
{
	int d = memcmp(a.p, b.p, a.len < b.len ? a.len : b.len);

	return d < 0 || (d == 0 && a.len < b.len);
}

enum qerr
verify_number(const struct verify_side *a, const struct verify_side *b,
	      char out[VERIFY_NUMBER_SIZE])
{
	uint8_t first[SIDE_MAX], second[SIDE_MAX], sum[SHA256_LEN];
	struct span x = put_side(a, first), y = put_side(b, second);
	struct span parts[3] = {span_str("Quintet safety number 1"), x, y};
	enum qerr e;

	if (less(y, x)) {
		parts[1] = y;
		parts[2] = x;
	}
	e = sha256(parts, 3, sum);
	parts[0] = span_of(sum, sizeof(sum));
	for (int i = 0; i < ROUNDS && e == Q_OK; i++)
		e = sha256(parts, 3, sum);
	if (e != Q_OK)
		return e;
	for (size_t i = 0; i < GROUPS; i++) {
		const uint8_t *p = sum + 5 * i;
		uint64_t n = (uint64_t)p[0] << 32 | (uint64_t)p[1] << 24 |
			     (uint64_t)p[2] << 16 | (uint64_t)p[3] << 8 | p[4];

		snprintf(out + 6 * i, 7, "%05u%s", (unsigned)(n % 100000),
			 i + 1 < GROUPS ? " " : "");
	}
	return Q_OK;
}

/* ---- for machines ---- */

static void
tell_changed(const struct client_env *env, const char *name, const char *key,
	     const struct pin *pin)
{
	struct client_event e = {
	    .kind = CLIENT_KEY_CHANGED,
	    .name = name,
	    .fingerprint = key,
	    .text = span_str(pin->key),
	};

	env->event(env->event_arg, &e);
}

enum qerr
verify_key(const struct client_env *env, const char *name, const char *as,
	   const char key[FINGERPRINT_SIZE], bool *verified, struct why *why)
{
	struct pin pin = {.verified = false};
	enum qerr e = Q_MISSING;

	if (env->login->pins != NULL)
		e = pins_check(env->login->pins, as, key, &pin, why);
	if (e == Q_DENIED)
		tell_changed(env, name, key, &pin);
	if (e != Q_OK && e != Q_MISSING)
		return e;
	*verified = pin.verified;
	return Q_OK;
}

enum qerr
verify_partner(const struct client_env *env, const char *name,
	       const char key[FINGERPRINT_SIZE], struct why *why)
{
	bool verified;
	enum qerr e = verify_key(env, name, name, key, &verified, why);

	if (e != Q_OK)
		return e;
	strlcpy(env->view->fingerprint, key, sizeof(env->view->fingerprint));
	env->view->verified = verified;
	return Q_OK;
}

/* What pins and the safety number call the partner. */
static const char *
pinned_as(const struct client_view *view, const char *name)
{
	return view->partner_as[0] != '\0' ? view->partner_as : name;
}

void
verify_proven(const struct client_env *env, const char *name)
{
	struct pins *pins = env->login->pins;
	struct why why, said;
	struct pin pin;

	if (pins == NULL ||
	    pins_get(pins, pinned_as(env->view, name), &pin, NULL) != Q_MISSING)
		return;
	if (pins_set(pins, pinned_as(env->view, name), env->view->fingerprint, &why) ==
	    Q_OK) {
		client_tell(env, CLIENT_KEY_NEW, name, span_of(NULL, 0));
		return;
	}
	why_set(&said, Q_SYS, "the key of %s is not remembered: %.300s", name, why.text);
	client_tell(env, CLIENT_FAILED, NULL, span_str(said.text));
}

/* ---- what a person can ask for ---- */

static enum qerr
do_trust(const struct client_env *env, struct span arg, struct why *why)
{
	struct client_event event = {.kind = CLIENT_KEY_TRUSTED};
	char name[NAME_SIZE];
	struct pin was;
	enum qerr e;

	if (name_copy(arg, name) != Q_OK)
		return why_set(why, Q_FORMAT, "/trust takes one name");
	if ((e = pins_accept(env->login->pins, name, &was, why)) != Q_OK)
		return e;
	event.name = name;
	event.fingerprint = was.refused;
	event.text = span_str(was.key);
	env->event(env->event_arg, &event);
	return Q_OK;
}

/* The other way round than fingerprint_text. */
static enum qerr
print_bytes(const char *text, uint8_t out[SHA256_LEN])
{
	char digits[2 * SHA256_LEN + 1];
	size_t n = 0;

	for (; *text != '\0' && n < sizeof(digits) - 1; text++)
		if (*text != ':')
			digits[n++] = *text;
	return hex_decode(span_of(digits, n), out, SHA256_LEN);
}

static enum qerr
show_number(const struct client_env *env, struct why *why)
{
	const struct client_view *view = env->view;
	uint8_t ours[SHA256_LEN], theirs[SHA256_LEN];
	struct verify_side us = {
	    view->own_as[0] != '\0' ? view->own_as : env->login->user, ours};
	struct verify_side them = {pinned_as(view, view->partner), theirs};
	struct client_event event = {.kind = CLIENT_SAFETY, .count = view->verified};
	char number[VERIFY_NUMBER_SIZE];

	if (key_fingerprint(env->login->key, ours) != Q_OK ||
	    print_bytes(view->fingerprint, theirs) != Q_OK ||
	    verify_number(&us, &them, number) != Q_OK)
		return why_set(why, Q_CRYPTO, "the safety number cannot be computed");
	event.name = view->partner;
	event.fingerprint = view->fingerprint;
	event.text = span_str(number);
	env->event(env->event_arg, &event);
	return Q_OK;
}

static enum qerr
remember(const struct client_env *env, bool verified, struct why *why)
{
	struct client_view *view = env->view;
	struct client_event event = {.kind = CLIENT_VERIFIED, .count = verified};
	enum qerr e;

	e = pins_verify(env->login->pins, pinned_as(view, view->partner),
			view->fingerprint, verified, why);
	if (e != Q_OK)
		return e;
	view->verified = verified;
	event.name = view->partner;
	event.fingerprint = view->fingerprint;
	env->event(env->event_arg, &event);
	return Q_OK;
}

enum qerr
verify_do(const struct client_env *env, enum client_verb verb, struct span arg,
	  struct why *why)
{
	const struct client_view *view = env->view;

	if (env->login->pins == NULL)
		return why_set(why, Q_DENIED,
			       "people have no keys in this protocol: the server says "
			       "who they are");
	if (verb == CLIENT_DO_TRUST)
		return do_trust(env, arg, why);
	if (view->phase != CLIENT_PHASE_CHATTING || view->fingerprint[0] == '\0')
		return why_set(why, Q_DENIED,
			       "you are in no chat: /verify is about its two keys");
	if (arg.len == 0)
		return show_number(env, why);
	if (span_eq(arg, span_str("yes")))
		return remember(env, true, why);
	if (span_eq(arg, span_str("no")))
		return remember(env, false, why);
	return why_set(why, Q_FORMAT,
		       "/verify shows the safety number; /verify yes says that the other "
		       "one has the same, /verify no takes that back");
}
