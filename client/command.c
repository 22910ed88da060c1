/* SPDX-License-Identifier: MIT */
#include "client/command.h"

#include <stdbool.h>
#include <string.h>

const char *const command_help[] = {
    "/list           who is here and free",
    "/chat NAME      ask somebody for a chat",
    "/accept, /deny  answer somebody who asks",
    "TEXT            say it in the chat (//TEXT says a text that begins with /)",
    "/end            end the chat, or withdraw the request",
    "/logout, /quit  log out and leave; so does the end of the input",
    "/wait EVENT [SECONDS]  for scripts: request, chat, closed, message, list, notice, "
    "gone",
    "/help           this",
    NULL,
};

static const struct {
	const char *word;
	enum command_verb verb;
	bool has_arg;
} words[] = {
    {"/list", COMMAND_LIST, false},     {"/chat", COMMAND_CHAT, true},
    {"/accept", COMMAND_ACCEPT, false}, {"/deny", COMMAND_DENY, false},
    {"/end", COMMAND_END, false},       {"/wait", COMMAND_WAIT, true},
    {"/help", COMMAND_HELP, false},     {"/logout", COMMAND_LOGOUT, false},
    {"/quit", COMMAND_LOGOUT, false},
};

static const char *const wait_words[] = {
    [WAIT_NOTHING] = "nothing", [WAIT_REQUEST] = "request", [WAIT_CHAT] = "chat",
    [WAIT_CLOSED] = "closed",   [WAIT_MESSAGE] = "message", [WAIT_LIST] = "list",
    [WAIT_NOTICE] = "notice",   [WAIT_GONE] = "gone",
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *
command_wait_word(enum command_wait wait)
{
	return wait_words[wait];
}

static bool
blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Cut the next word off *rest; empty when there is none. */
static struct span
next_word(struct span *rest)
{
	struct span word;

	while (rest->len > 0 && blank(rest->p[0])) {
		rest->p++;
		rest->len--;
	}
	word = span_of(rest->p, 0);
	while (rest->len > 0 && !blank(rest->p[0])) {
		word.len++;
		rest->p++;
		rest->len--;
	}
	return word;
}

/* Seconds, perhaps with a decimal part, to milliseconds. */
static enum qerr
parse_seconds(struct span s, int64_t *ms)
{
	int64_t v = 0, unit = 1000;
	bool point = false;

	if (s.len == 0 || s.p[0] == '.')
		return Q_FORMAT;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9')
			return Q_FORMAT;
		if (point)
			v += (s.p[i] - '0') * (unit /= 10);
		else
			v = v * 10 + (s.p[i] - '0') * 1000;
		if (v > COMMAND_WAIT_MAX_MS)
			return Q_LIMIT;
	}
	*ms = v;
	return Q_OK;
}

static enum qerr
parse_wait(struct span rest, struct command *c, struct why *why)
{
	struct span word = next_word(&rest), seconds = next_word(&rest);
	size_t i = WAIT_NOTHING + 1;

	while (i < COUNT(wait_words) && !span_eq(word, span_str(wait_words[i])))
		i++;
	c->wait_ms = COMMAND_WAIT_MS;
	if (i == COUNT(wait_words) || next_word(&rest).len > 0 ||
	    (seconds.len > 0 && parse_seconds(seconds, &c->wait_ms) != Q_OK))
		return why_set(why, Q_FORMAT,
			       "/wait EVENT [SECONDS]: request, chat, closed, message, "
			       "list, notice or gone");
	c->wait = (enum command_wait)i;
	return Q_OK;
}

enum qerr
command_parse(struct span line, struct command *out, struct why *why)
{
	struct command c = {.verb = COMMAND_TEXT, .text = line};
	struct span rest = line, word;
	size_t i = 0;
	enum qerr e = Q_OK;

	if (line.len == 0 || line.p[0] != '/') {
		*out = c;
		return Q_OK;
	}
	if (line.len > 1 && line.p[1] == '/') {
		c.text = span_of(line.p + 1, line.len - 1);
		*out = c;
		return Q_OK;
	}
	word = next_word(&rest);
	while (i < COUNT(words) && !span_eq(word, span_str(words[i].word)))
		i++;
	if (i == COUNT(words))
		return why_set(why, Q_FORMAT,
			       "%.*s is no command: /help lists them; // begins a text "
			       "that begins with /",
			       (int)(word.len < 32 ? word.len : 32),
			       (const char *)word.p);
	c.verb = words[i].verb;
	if (c.verb == COMMAND_WAIT) {
		e = parse_wait(rest, &c, why);
	} else {
		c.text = next_word(&rest);
		if ((c.text.len > 0) != words[i].has_arg || next_word(&rest).len > 0)
			e = why_set(why, Q_FORMAT, "%s takes %s", words[i].word,
				    words[i].has_arg ? "one name" : "nothing behind it");
	}
	if (e == Q_OK)
		*out = c;
	return e;
}
