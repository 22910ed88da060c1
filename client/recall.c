/* SPDX-License-Identifier: MIT */
#include "client/recall.h"

#include <string.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "client/history.h"

void
recall_keep(const struct client_env *env, const char *partner, bool ours,
	    struct span text, bool *told)
{
	struct history_entry entry = {clock_wall_ms(), ours, text};
	struct why why, said;

	if (env->login->history == NULL ||
	    history_add(env->login->history, partner, &entry, &why) == Q_OK || *told)
		return;
	*told = true;
	why_set(&said, Q_SYS, "what is said is not kept: %.300s", why.text);
	client_tell(env, CLIENT_FAILED, NULL, span_str(said.text));
}

/* ---- what a person can ask for ---- */

static struct span
next_word(struct span *rest)
{
	struct span word;

	while (rest->len > 0 && rest->p[0] == ' ')
		*rest = span_of(rest->p + 1, rest->len - 1);
	word = span_of(rest->p, 0);
	while (rest->len > 0 && rest->p[0] != ' ') {
		word.len++;
		*rest = span_of(rest->p + 1, rest->len - 1);
	}
	return word;
}

/* A number of messages; false: it is none.  Names may be made of digits too: then
 * they stand behind a number. */
static bool
parse_count(struct span word, size_t *count)
{
	size_t n = 0;

	for (size_t i = 0; i < word.len; i++) {
		if (word.p[i] < '0' || word.p[i] > '9')
			return false;
		if ((n = n * 10 + (size_t)(word.p[i] - '0')) > HISTORY_SHOW_MAX)
			n = HISTORY_SHOW_MAX;
	}
	if (n == 0)
		return false;
	*count = n;
	return true;
}

/* Whom is it about?  "": nobody. */
static enum qerr
parse_name(const struct client_env *env, struct span word, char out[NAME_SIZE],
	   struct why *why)
{
	if (word.len > 0 && name_copy(word, out) != Q_OK)
		return why_set(why, Q_FORMAT, "\"%.*s\" is no name",
			       (int)(word.len < 64 ? word.len : 64),
			       (const char *)word.p);
	if (word.len == 0)
		strlcpy(out,
			env->view->phase == CLIENT_PHASE_CHATTING ? env->view->partner
								  : "",
			NAME_SIZE);
	return Q_OK;
}

struct showing {
	const struct client_env *env;
	const char *partner;
	uint64_t count;
};

static void
show_entry(void *arg, const struct history_entry *entry)
{
	struct showing *s = arg;
	struct client_event e = {
	    .kind = CLIENT_HISTORY,
	    .name = entry->ours ? s->env->login->user : s->partner,
	    .fingerprint = "",
	    .text = entry->text,
	    .time_ms = entry->time_ms,
	};

	s->count++;
	s->env->event(s->env->event_arg, &e);
}

static enum qerr
show(const struct client_env *env, const char *partner, size_t n, struct why *why)
{
	struct showing s = {.env = env, .partner = partner};
	struct client_event end = {.kind = CLIENT_HISTORY_END, .fingerprint = ""};
	size_t damaged = 0;
	struct why said;
	enum qerr e;

	e = history_each(env->login->history, partner, n, show_entry, &s, &damaged, why);
	if (e != Q_OK && e != Q_MISSING)
		return e;
	if (damaged > 0) {
		why_set(&said, Q_FORMAT,
			"messages that are damaged and cannot be shown: %zu", damaged);
		client_tell(env, CLIENT_FAILED, NULL, span_str(said.text));
	}
	end.name = partner;
	end.count = s.count;
	env->event(env->event_arg, &end);
	return Q_OK;
}

static enum qerr
do_history(const struct client_env *env, struct span arg, struct why *why)
{
	struct span word = next_word(&arg);
	size_t n = HISTORY_SHOW;
	char partner[NAME_SIZE];
	enum qerr e;

	if (env->login->history == NULL)
		return why_set(why, Q_DENIED,
			       env->login->key == NULL
				   ? "nothing is kept here: in this protocol there is no "
				     "key to keep it under"
				   : "nothing is kept here: --history, or the setting "
				     "history = yes, keeps what is said from then on");
	if (parse_count(word, &n))
		word = next_word(&arg);
	if ((e = parse_name(env, word, partner, why)) != Q_OK)
		return e;
	if (partner[0] == '\0' || next_word(&arg).len > 0)
		return why_set(why, Q_DENIED,
			       "history with whom?  In a chat /history [N], else "
			       "/history [N] NAME");
	return show(env, partner, n, why);
}

static enum qerr
do_clear(const struct client_env *env, struct span arg, struct why *why)
{
	struct span word = next_word(&arg);
	struct client_event event = {.kind = CLIENT_CLEARED, .fingerprint = ""};
	char partner[NAME_SIZE];
	enum qerr e = Q_MISSING;

	if (next_word(&arg).len > 0)
		return why_set(why, Q_FORMAT, "/clear takes one name, or none");
	if ((e = parse_name(env, word, partner, why)) != Q_OK)
		return e;
	e = Q_MISSING;
	if (env->login->history != NULL && partner[0] != '\0')
		e = history_clear(env->login->history, partner, why);
	if (e != Q_OK && e != Q_MISSING)
		return e;
	event.name = e == Q_OK ? partner : NULL;
	env->event(env->event_arg, &event);
	return Q_OK;
}

enum qerr
recall_do(const struct client_env *env, enum client_verb verb, struct span arg,
	  struct why *why)
{
	return verb == CLIENT_DO_HISTORY ? do_history(env, arg, why)
					 : do_clear(env, arg, why);
}
