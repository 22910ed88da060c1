/* SPDX-License-Identifier: MIT */
#include "bench/dialect.h"

#include <err.h>
#include <stdio.h>
#include <string.h>

#define PASSWORD "benchmark-password"

/* head, a text of that many bytes, a newline. */
static void
set_message(struct message *m, const char *head, size_t text)
{
	size_t n = strlen(head);

	if (n + text + 1 > sizeof(m->bytes))
		errx(1, "message too long");
	memcpy(m->bytes, head, n);
	memset(m->bytes + n, 'x', text);
	m->bytes[n + text] = '\n';
	m->len = n + text + 1;
}

/* ---- contacts ---- */

void
contacts_user(unsigned pair, bool second, char name[32])
{
	snprintf(name, 32, "%s%u", second ? "receiver" : "sender", pair);
}

void
contacts_enter(struct talk *t, unsigned pair, bool second)
{
	char name[32], line[256];

	contacts_user(pair, second, name);
	talk_say(t, "110 %s " PASSWORD "\n", name);
	talk_expect(t, "212 ", line, sizeof(line));
	if (strncmp(line, "212 400 ", 8) != 0)
		errx(1, "login of %s: %s", name, line);
}

static void
contacts_meet(struct talk *from, struct talk *to, unsigned pair, size_t text,
	      struct message *m)
{
	char a[32], b[32], line[256];
	unsigned long long id;

	contacts_user(pair, false, a);
	contacts_user(pair, true, b);
	talk_say(from, "117 %s " PASSWORD " \"\" \"\"\n", a);
	talk_say(to, "117 %s " PASSWORD " \"\" \"\"\n", b);
	talk_expect(from, "222 ", line, sizeof(line));
	talk_expect(to, "222 ", line, sizeof(line));
	contacts_enter(from, pair, false);
	contacts_enter(to, pair, true);
	talk_say(from, "121 %s\n", b);
	talk_expect(from, "232 400", line, sizeof(line));
	talk_say(to, "121 %s\n", a);
	talk_expect(to, "232 400", line, sizeof(line));
	talk_say(from, "113 %s\n112\n", b);
	talk_expect(from, "215 ", line, sizeof(line));
	if (sscanf(line, "215 %llu ", &id) != 1)
		errx(1, "no chat: %s", line);
	talk_expect(from, "216", line, sizeof(line));
	/* The news of the confirmation comes in its own time; it must not be counted. */
	snprintf(line, sizeof(line), "115 %llu hello\n", id);
	talk_send(from, line, strlen(line));
	talk_expect(from, "219 400", line, sizeof(line));
	talk_expect(to, "220 ", line, sizeof(line));
	snprintf(line, sizeof(line), "115 %llu ", id);
	set_message(m, line, text);
}

/* ---- IRC ---- */

static void
irc_meet(struct talk *from, struct talk *to, unsigned pair, size_t text,
	 struct message *m)
{
	char line[512];

	talk_say(from, "NICK sender%u\r\nUSER s 0 * :s\r\n", pair);
	talk_say(to, "NICK receiver%u\r\nUSER r 0 * :r\r\n", pair);
	/* The end of the message of the day, which the peer is set up to have. */
	talk_expect(from, " 376 ", line, sizeof(line));
	talk_expect(to, " 376 ", line, sizeof(line));
	snprintf(line, sizeof(line), "PRIVMSG receiver%u :", pair);
	set_message(m, line, text);
}

/* ---- MQTT 3.1.1, QoS 0 ---- */

static void
mqtt_connect(struct talk *t, char role, unsigned pair)
{
	/* clean session, no keep-alive, a client id of four bytes */
	uint8_t packet[] = {0x10, 16, 0, 4, 'M', 'Q', 'T', 'T', 4,
			    2,    0,  0, 0, 4,   0,   0,   0,   0};
	uint8_t answer[4];

	packet[14] = (uint8_t)role;
	for (size_t i = 17; i > 14; i--, pair /= 10)
		packet[i] = (uint8_t)('0' + pair % 10);
	talk_send(t, packet, sizeof(packet));
	for (size_t n = 0; n < sizeof(answer);)
		n += talk_read(t, answer + n, sizeof(answer) - n);
	if (answer[0] != 0x20 || answer[3] != 0)
		errx(1, "CONNECT was refused");
}

static void
mqtt_meet(struct talk *from, struct talk *to, unsigned pair, size_t text,
	  struct message *m)
{
	uint8_t subscribe[] = {0x82, 9, 0, 1, 0, 4, 't', '0', '0', '0', 0}, answer[5];
	uint8_t head[3] = {0x30};
	size_t rest = 2 + 4 + text;

	if (rest < 128 || rest >= 16384 || rest % 128 == 0 || rest / 128 == '\n' ||
	    pair > 999)
		errx(1, "no such text");
	mqtt_connect(from, 's', pair);
	mqtt_connect(to, 'r', pair);
	for (size_t i = 9; i > 6; i--, pair /= 10)
		subscribe[i] = (uint8_t)('0' + pair % 10);
	talk_send(to, subscribe, sizeof(subscribe));
	for (size_t n = 0; n < sizeof(answer);)
		n += talk_read(to, answer + n, sizeof(answer) - n);
	/* PUBLISH: the length in sevens of bits, the topic behind its own length. */
	head[1] = (uint8_t)(rest % 128 | 128);
	head[2] = (uint8_t)(rest / 128);
	/* Topic and newline belong to the body, which is all 'x' otherwise. */
	set_message(m, "", 9 + text - 1);
	memcpy(m->bytes, head, sizeof(head));
	memcpy(m->bytes + sizeof(head), subscribe + 4, 6);
}

static const struct dialect dialects[] = {
    {"contacts", "219 400\n", contacts_meet},
    {"irc", NULL, irc_meet},
    {"mqtt", NULL, mqtt_meet},
};

const struct dialect *
dialect_named(const char *name)
{
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++)
		if (strcmp(dialects[i].name, name) == 0)
			return &dialects[i];
	return NULL;
}
