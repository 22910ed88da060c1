/* SPDX-License-Identifier: MIT */
#include "client/command.h"

#include <stdbool.h>
#include <string.h>

const char *const command_help[] = {
    "/list           who is here and free; in contacts, as /people: everybody",
    "/chat NAME      ask for a chat; in contacts: open the chat with a contact",
    "/accept, /deny  answer somebody who asks",
    "TEXT            say it in the chat (//TEXT says a text that begins with /)",
    "/end            end the chat, or withdraw the request",
    "/verify [yes|no]  the safety number of the chat; remember that it is right",
    "/trust NAME     accept the changed key of somebody",
    "/history [N] [NAME]  what was said before, if it is kept (setting: history)",
    "/clear [NAME]   forget what is kept and shown of a chat",
    "/quit           leave; so does the end of the input",
    "/logout         the same; in rooms the password is wanted again the next time",
    "/wait EVENT [SECONDS]  for scripts: request, chat, closed, message, list, notice, "
    "contact, unread, file, transfer, sent, room, delivered, gone",
    "/send FILE      offer a file to your partner, end to end",
    "/get, /refuse   take the file that is offered, or do not",
    "/cancel [send|get]  stop the file that is on its way",
    "/search [TEXT]  in the full screen: find it in what was said",
    "/bell on|off    in the full screen: ring when something comes while you are off",
    "/view [NAME]    in the full screen: the view of NAME, or what is nobody's",
    "/help           this",
    "in contacts also:",
    "/contacts, /chats             your contacts, your chats, and what is unread",
    "/add NAME, /confirm NAME      ask somebody to be a contact; agree to it",
    "/remove NAME                  be no contact any longer; take the request back",
    "/send FILE                    at most 9 MB, into the open chat",
    "/save ID [FILE]               keep a file that has come",
    "/delete                       the open chat and its files, for both of you",
    "in rooms also (N is the number before a message; without it, the last one):",
    "/rooms                        your rooms, and what is unread",
    "/room NAME                    open a room, or one with a person alone",
    "/create NAME PEOPLE...        a new room; /channel: where only some may speak",
    "/invite PEOPLE..., /remove NAME    into the room, out of it",
    "/promote NAME, /demote NAME   may invite, remove, and speak in a channel",
    "/rename NAME, /leave, /drop   the room; /drop deletes it for all",
    "/edit [N] TEXT, /delete [N] [WHY]    what you have said",
    "/pin [N]                      pin a message, or take the pin off",
    "/sync [N]                     what was said before, N messages",
    "/send FILE, /get [N]          to all in the room; take a file that has come",
    "/verify NAME [yes|no]         the safety number with somebody",
    "in nodes also:",
    "/call NAME|NUMBER             call somebody; of several calls, go to that one",
    "/switch NAME, /calls          the same; your calls, and what is unread",
    "/accept, /refuse, /hangup     answer who calls; end the call",
    "/ping, /nodes                 how long it takes there and back; other servers",
    NULL,
};

enum operand { NONE, NAME, WORDS, PATH, ID_AND_PATH, EVENT, WAY };

static const struct {
	const char *word;
	enum command_verb verb;
	enum operand operand;
} words[] = {
    {"/list", COMMAND_LIST, NONE},         {"/chat", COMMAND_CHAT, NAME},
    {"/accept", COMMAND_ACCEPT, NONE},     {"/deny", COMMAND_DENY, NONE},
    {"/end", COMMAND_END, NONE},           {"/wait", COMMAND_WAIT, EVENT},
    {"/help", COMMAND_HELP, NONE},         {"/logout", COMMAND_LOGOUT, NONE},
    {"/quit", COMMAND_QUIT, NONE},         {"/people", COMMAND_LIST, NONE},
    {"/contacts", COMMAND_CONTACTS, NONE}, {"/chats", COMMAND_CHATS, NONE},
    {"/add", COMMAND_ADD, NAME},           {"/confirm", COMMAND_CONFIRM, NAME},
    {"/remove", COMMAND_REMOVE, NAME},     {"/delete", COMMAND_DELETE, WORDS},
    {"/get", COMMAND_GET, WORDS},          {"/refuse", COMMAND_REFUSE, NONE},
    {"/cancel", COMMAND_CANCEL, WAY},      {"/send", COMMAND_SEND, PATH},
    {"/save", COMMAND_SAVE, ID_AND_PATH},  {"/trust", COMMAND_TRUST, NAME},
    {"/verify", COMMAND_VERIFY, WORDS},    {"/search", COMMAND_SEARCH, WORDS},
    {"/bell", COMMAND_BELL, WORDS},        {"/view", COMMAND_VIEW, WORDS},
    {"/history", COMMAND_HISTORY, WORDS},  {"/clear", COMMAND_CLEAR, WORDS},
    {"/rooms", COMMAND_CHATS, NONE},       {"/room", COMMAND_ROOM, NAME},
    {"/create", COMMAND_CREATE, WORDS},    {"/channel", COMMAND_CHANNEL, WORDS},
    {"/invite", COMMAND_INVITE, WORDS},    {"/promote", COMMAND_PROMOTE, NAME},
    {"/demote", COMMAND_DEMOTE, NAME},     {"/rename", COMMAND_RENAME, WORDS},
    {"/leave", COMMAND_LEAVE, NONE},       {"/drop", COMMAND_DROP, NONE},
    {"/edit", COMMAND_EDIT, WORDS},        {"/pin", COMMAND_PIN, WORDS},
    {"/sync", COMMAND_SYNC, WORDS},        {"/call", COMMAND_CHAT, NAME},
    {"/switch", COMMAND_CHAT, NAME},       {"/hangup", COMMAND_END, NONE},
    {"/calls", COMMAND_CHATS, NONE},       {"/ping", COMMAND_PING, NONE},
    {"/nodes", COMMAND_NODES, NONE},
};

static const char *const wait_words[] = {
    [WAIT_NOTHING] = "nothing",     [WAIT_REQUEST] = "request",
    [WAIT_CHAT] = "chat",           [WAIT_CLOSED] = "closed",
    [WAIT_MESSAGE] = "message",     [WAIT_LIST] = "list",
    [WAIT_NOTICE] = "notice",       [WAIT_CONTACT] = "contact",
    [WAIT_UNREAD] = "unread",       [WAIT_FILE] = "file",
    [WAIT_TRANSFER] = "transfer",   [WAIT_SENT] = "sent",
    [WAIT_ROOM] = "room",           [WAIT_GONE] = "gone",
    [WAIT_DELIVERED] = "delivered",
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *
command_word(size_t i)
{
	return i < COUNT(words) ? words[i].word : NULL;
}

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
			       "list, notice, contact, unread, file, transfer, sent, "
			       "room, delivered or gone");
	c->wait = (enum command_wait)i;
	return Q_OK;
}

/* Which of two files: may be left out. */
static bool
is_way(struct span s)
{
	return s.len == 0 || span_eq(s, span_str("send")) || span_eq(s, span_str("get"));
}

/* All of rest but the blanks around it: names of files may hold some. */
static struct span
whole(struct span rest)
{
	while (rest.len > 0 && blank(rest.p[0]))
		rest = span_of(rest.p + 1, rest.len - 1);
	while (rest.len > 0 && blank(rest.p[rest.len - 1]))
		rest.len--;
	return rest;
}

static enum qerr
parse_operand(size_t i, struct span rest, struct command *c, struct why *why)
{
	static const char *const wanted[] = {
	    [NONE] = "nothing behind it",
	    [NAME] = "one name",
	    [PATH] = "the name of a file",
	    [ID_AND_PATH] = "the number of a file and perhaps where to keep it",
	    [WAY] = "send, get, or nothing behind it",
	};
	bool good;

	switch (words[i].operand) {
	case EVENT: return parse_wait(rest, c, why);
	case WORDS: c->text = whole(rest); return Q_OK;
	case PATH:
		c->text = whole(rest);
		good = c->text.len > 0;
		break;
	case WAY:
		c->text = next_word(&rest);
		good = is_way(c->text) && next_word(&rest).len == 0;
		break;
	case ID_AND_PATH:
		c->text = next_word(&rest);
		c->file = whole(rest);
		good = c->text.len > 0;
		break;
	default:
		c->text = next_word(&rest);
		good = (c->text.len > 0) == (words[i].operand == NAME) &&
		       next_word(&rest).len == 0;
	}
	if (good)
		return Q_OK;
	return why_set(why, Q_FORMAT, "%s takes %s", words[i].word,
		       wanted[words[i].operand]);
}

enum qerr
command_parse(struct span line, struct command *out, struct why *why)
{
	struct command c = {.verb = COMMAND_TEXT, .text = line};
	struct span rest = line, word;
	size_t i = 0;
	enum qerr e;

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
	if ((e = parse_operand(i, rest, &c, why)) == Q_OK)
		*out = c;
	return e;
}
