/* SPDX-License-Identifier: MIT
 */
#define CONTACTS_PLAY_INSIDE
#define BOARD_PEER_INSIDE
#include "tests/system/board_play.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/system/board_words.h"

#define PEERS_MAX  32
#define PACKET_MAX (8 << 20)

struct board_play {
	struct harness *h;
	struct play *lines; /* NULL: contacts was not used */
	struct board_peer *peers[PEERS_MAX];
	size_t peer_count;
	struct board_words words;
	char deaf[WORD_SIZE];
	bool polls;
};

/* ---- the stage ---- */

struct board_play *
board_start(const char *users, const char *setting, ...)
{
	struct board_play *s = calloc(1, sizeof(*s));
	const char *set[8] = {NULL};
	va_list ap;

	ck_assert_ptr_nonnull(s);
	va_start(ap, setting);
	for (size_t n = 0; setting != NULL; setting = va_arg(ap, const char *)) {
		ck_assert_uint_lt(n, 8);
		set[n++] = setting;
	}
	va_end(ap);
	s->h = harness_new();
	/* However long a transcript takes, connections that poll are used again, and
	 * nobody has to answer pings while it is somebody else's turn, unless a file that is
	 * read later says so. */
	harness_make_folder(s->h, "server");
	harness_write(s->h, "server/server.conf",
		      span_str("[board]\nping_timeout = 1h\n"));
	harness_boot(s->h, "http.keepalive=5m", set[0], set[1], set[2], set[3], set[4],
		     set[5], set[6], set[7], NULL);
	play_add_users(s->h, users);
	return s;
}

void
board_end(struct board_play *s)
{
	for (size_t i = 0; i < s->peer_count; i++)
		board_free(s->peers[i]);
	board_words_free(&s->words);
	if (s->lines != NULL)
		play_end(s->lines);
	else
		harness_free(s->h);
	free(s);
}

struct harness *
board_harness(struct board_play *s)
{
	return s->h;
}

void
board_deaf(struct board_play *s, const char *event)
{
	snprintf(s->deaf, sizeof(s->deaf), "%s", event);
}

void
board_polls(struct board_play *s, bool polls)
{
	s->polls = polls;
}

void
board_about(struct board_play *s, bool polls)
{
	board_deaf(s, "presence");
	board_polls(s, polls);
	board_lines(s, "alice: login", "alice> new-anons 'Bicycle','red'",
		    "alice< new-anons-response $a,'OK'", "alice< anons-added $a,...",
		    "bob: login", "bob> new-chat $a", "bob< new-chat-response $a,$c,'OK'",
		    "alice< chat-added $a,$c,...", NULL);
}

void
board_join_both(struct board_play *s)
{
	board_lines(s, "alice> join-chat $a,$c", "alice< join-chat-response ...",
		    "bob> join-chat $a,$c", "bob< join-chat-response ...",
		    "alice< user-join ...", NULL);
}

void
board_restart(struct board_play *s)
{
	harness_stop(s->h);
	harness_restart(s->h);
}

void
board_blob(struct board_play *s, const char *name, struct span bytes)
{
	board_words_blob(&s->words, name, bytes);
}

const char *
board_value(struct board_play *s, const char *name)
{
	return board_words_value(&s->words, name);
}

void
board_set_password(struct board_play *s, const char *user, const char *password)
{
	char command[2 * HARNESS_PATH];
	FILE *in;

	snprintf(command, sizeof(command),
		 "exec \"$QUINTET_SERVER\" user passwd %s --data '%s' >/dev/null", user,
		 s->h->data);
	ck_assert_ptr_nonnull(in = popen(command, "w"));
	fprintf(in, "%s\n", password);
	ck_assert_int_eq(pclose(in), 0);
}

static struct board_peer **
find(struct board_play *s, const char *name)
{
	for (size_t i = 0; i < s->peer_count; i++)
		if (strcmp(s->peers[i]->name, name) == 0)
			return &s->peers[i];
	return NULL;
}

struct board_peer *
board_peer_of(struct board_play *s, const char *name)
{
	struct board_peer **p = find(s, name);

	if (p == NULL)
		harness_fail("\"%s\": there is no connection %s", s->words.step, name);
	return *p;
}

static void
forget(struct board_play *s, const char *name)
{
	struct board_peer **p = find(s, name);

	board_free(*p);
	*p = s->peers[--s->peer_count];
}

/* ---- sending ---- */

static void
speak(struct board_play *s, struct board_peer *p, const char *event, const char *args,
      bool wants_ack)
{
	json_t *json = board_words_parse(&s->words, args), *sent;
	struct buf packet = BUF_INIT(PACKET_MAX);
	struct span blob = {NULL, 0};
	char *text;

	json_array_insert_new(json, 0, json_string(event));
	sent = board_words_fill(&s->words, json, &blob);
	text = json_dumps(sent, JSON_COMPACT);
	ck_assert_int_eq(buf_put_str(&packet, blob.p != NULL ? "51-" : "2"), Q_OK);
	if (wants_ack)
		ck_assert_int_eq(buf_printf(&packet, "%u", ++p->acks), Q_OK);
	ck_assert_int_eq(buf_put_str(&packet, text), Q_OK);
	if (blob.p != NULL)
		board_say_blob(p, buf_span(&packet), blob);
	else
		board_say_span(p, buf_span(&packet));
	buf_free(&packet);
	free(text);
	json_decref(sent);
	json_decref(json);
}

/* ---- hearing ---- */

/* The next packet but for events that are to be passed over. */
static bool
next_heard(struct board_play *s, struct board_peer *p, struct span *packet)
{
	char deaf[WORD_SIZE + 4];
	size_t n = (size_t)snprintf(deaf, sizeof(deaf), "2[\"%s\"", s->deaf);

	do {
		if (!board_next(p, packet))
			return false;
	} while (s->deaf[0] != '\0' && packet->len >= n &&
		 memcmp(packet->p, deaf, n) == 0);
	return true;
}

/* The packet's kind ("2", "51-", "37" ...) is written to kind. */
static json_t *
hear_json(struct board_play *s, struct board_peer *p, char kind[WORD_SIZE])
{
	struct span packet;
	size_t n = 0;
	json_t *json;

	if (!next_heard(s, p, &packet))
		harness_fail("\"%s\": the session is over", s->words.step);
	for (; n < packet.len && n < WORD_SIZE - 1 && packet.p[n] != '['; n++)
		kind[n] = (char)packet.p[n];
	kind[n] = '\0';
	json = json_loadb((const char *)packet.p + n, packet.len - n, 0, NULL);
	if (json == NULL && kind[0] != '1')
		harness_fail("\"%s\": received \"%.*s\"", s->words.step,
			     (int)(packet.len < 200 ? packet.len : 200),
			     (const char *)packet.p);
	return json;
}

static void
listen_for(struct board_play *s, struct board_peer *p, const char *event,
	   const char *args)
{
	json_t *want = board_words_parse(&s->words, args), *got;
	char kind[WORD_SIZE], expected[WORD_SIZE];

	got = hear_json(s, p, kind);
	if (strcmp(event, "ack") == 0) {
		snprintf(expected, sizeof(expected), "3%u", ++p->acked);
	} else {
		snprintf(expected, sizeof(expected), "%s",
			 strcmp(kind, "51-") == 0 ? kind : "2");
		json_array_insert_new(want, 0, json_string(event));
	}
	if (strcmp(kind, expected) != 0 || !board_words_match(&s->words, want, got, p)) {
		char *text = json_dumps(got, JSON_COMPACT), shown[2 * STEP_SIZE];

		text_visible(span_str(text != NULL ? text : ""), shown, sizeof(shown));
		harness_fail("\"%s\": received %s%s", s->words.step, kind, shown);
	}
	json_decref(want);
	json_decref(got);
}

/* ---- stage directions ---- */

static void
add_peer(struct board_play *s, struct board_peer *p)
{
	ck_assert_uint_lt(s->peer_count, PEERS_MAX);
	s->peers[s->peer_count++] = p;
}

/* rest: "[polling] [{JSON}]" */
static void
open_peer(struct board_play *s, const char *name, const char *rest)
{
	bool polling = strncmp(rest, "polling", 7) == 0;
	struct span blob = {NULL, 0};
	char *auth = NULL;
	json_t *args, *sent;

	rest += polling ? 7 : 0;
	if (find(s, name) != NULL)
		harness_fail("\"%s\": %s is there already", s->words.step, name);
	args = board_words_parse(&s->words, rest);
	sent = board_words_fill(&s->words, args, &blob);
	if (json_array_size(sent) == 1)
		auth = json_dumps(json_array_get(sent, 0), JSON_COMPACT);
	add_peer(s, board_connect(s->h, name,
				  polling || s->polls ? BOARD_POLLING : BOARD_WEBSOCKET,
				  auth != NULL ? auth : ""));
	free(auth);
	json_decref(sent);
	json_decref(args);
}

static void
log_in(struct board_play *s, const char *name, const char *rest)
{
	char args[128], user[NAME_SIZE];

	snprintf(user, sizeof(user), "%.*s", (int)strcspn(name, "/"), name);
	if (find(s, name) == NULL)
		open_peer(s, name, rest);
	snprintf(args, sizeof(args), "'%s','%s'", user, PLAY_PASSWORD);
	speak(s, *find(s, name), "auth-request", args, false);
	snprintf(args, sizeof(args), "1,*,{'username':'%s','token':*,'expires':*}", user);
	listen_for(s, *find(s, name), "auth-response", args);
}

static void
enter(struct board_play *s, const char *name, const char *token)
{
	char payload[64];

	snprintf(payload, sizeof(payload), "{'token':%s}", token);
	open_peer(s, name, payload);
	listen_for(s, *find(s, name), "auth-response", "1,...");
}

static void
hear_end(struct board_play *s, const char *name, bool kicked)
{
	struct board_peer *p = board_peer_of(s, name);
	struct span packet = {NULL, 0};

	if (kicked && (!next_heard(s, p, &packet) || !span_eq(packet, span_str("1"))))
		harness_fail("\"%s\": no 41 but \"%.*s\"", s->words.step, (int)packet.len,
			     (const char *)packet.p);
	if (next_heard(s, p, &packet))
		harness_fail("\"%s\": received %.*s", s->words.step, (int)packet.len,
			     (const char *)packet.p);
	if (p->way == BOARD_WEBSOCKET)
		ck_assert_uint_eq(p->code, kicked ? 1008 : 1001);
	forget(s, name);
}

static bool
is(const char *words, const char *first, const char **rest)
{
	size_t n = strlen(first);

	if (strncmp(words, first, n) != 0 || (words[n] != ' ' && words[n] != '\0'))
		return false;
	*rest = words + n + strspn(words + n, " ");
	return true;
}

static void
direct(struct board_play *s, const char *name, const char *words)
{
	const char *rest;

	if (is(words, "open", &rest)) {
		open_peer(s, name, rest);
	} else if (is(words, "login", &rest)) {
		log_in(s, name, rest);
	} else if (is(words, "enter", &rest)) {
		enter(s, name, rest);
	} else if (is(words, "upgrade", &rest)) {
		board_upgrade(board_peer_of(s, name));
	} else if (is(words, "gather", &rest)) {
		board_gather(board_peer_of(s, name));
	} else if (is(words, "send", &rest)) {
		board_send_gathered(board_peer_of(s, name));
	} else if (is(words, "nothing", &rest)) {
		speak(s, board_peer_of(s, name), "no-such-event", "", true);
		listen_for(s, board_peer_of(s, name), "ack", "-1,'Unknown event'");
	} else if (is(words, "end", &rest)) {
		hear_end(s, name, false);
	} else if (is(words, "kicked", &rest)) {
		hear_end(s, name, true);
	} else if (is(words, "close", &rest)) {
		board_say_close(board_peer_of(s, name));
		forget(s, name);
	} else if (is(words, "reset", &rest)) {
		board_peer_of(s, name);
		forget(s, name);
	} else if (is(words, "leave", &rest)) {
		board_say(board_peer_of(s, name), "1");
	} else {
		harness_fail("\"%s\": there is no such stage direction", s->words.step);
	}
}

/* ---- steps ---- */

/* A line of contacts, with the values that have a name. */
static void
play_contacts(struct board_play *s, const char *line)
{
	struct buf out = BUF_INIT(PACKET_MAX);

	if (s->lines == NULL)
		s->lines = play_with(s->h);
	while (*line != '\0') {
		size_t n = *line == '$' ? board_word_length(line + 1) : 0;
		char name[WORD_SIZE];

		snprintf(name, sizeof(name), "%.*s", (int)n, line + 1);
		if (n > 0)
			ck_assert_int_eq(buf_put_str(&out, board_value(s, name)), Q_OK);
		else
			ck_assert_int_eq(buf_put_u8(&out, (uint8_t)*line), Q_OK);
		line += n + 1;
	}
	play_line(s->lines, buf_span(&out));
	buf_free(&out);
}

static void
board_line(struct board_play *s, const char *line)
{
	size_t n = strcspn(line, "<>?:");
	char name[NAME_SIZE + 8], event[WORD_SIZE];
	const char *rest;

	text_visible(span_str(line), s->words.step, sizeof(s->words.step));
	if (*line == '~') {
		play_contacts(s, line + 1);
		return;
	}
	if (line[n] == '\0' || n >= sizeof(name))
		harness_fail("\"%s\" is no step", s->words.step);
	snprintf(name, sizeof(name), "%.*s", (int)n, line);
	rest = line + n + 1 + strspn(line + n + 1, " ");
	if (line[n] == ':') {
		direct(s, name, rest);
		return;
	}
	snprintf(event, sizeof(event), "%.*s", (int)strcspn(rest, " "), rest);
	rest += strlen(event);
	if (line[n] == '<')
		listen_for(s, board_peer_of(s, name), event, rest);
	else
		speak(s, board_peer_of(s, name), event, rest, line[n] == '?');
}

void
board_lines(struct board_play *s, ...)
{
	const char *line;
	va_list ap;

	va_start(ap, s);
	while ((line = va_arg(ap, const char *)) != NULL)
		board_line(s, line);
	va_end(ap);
}

void
board_linef(struct board_play *s, const char *format, ...)
{
	char *line = NULL;
	va_list ap;

	va_start(ap, format);
	ck_assert_int_gt(vasprintf(&line, format, ap), 0);
	va_end(ap);
	board_line(s, line);
	free(line);
}
