/* SPDX-License-Identifier: MIT
 *
 * contacts: a class at once.
 *
 * Registering and logging in cost the server a hash each.  QUINTET_CROWD says how many
 * there are; 500 take some ten seconds of a processor.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/system/contacts_play.h"

#define CROWD     100
#define CROWD_MAX 1000
#define ROUNDS    5

static struct play *s;

static int
crowd_size(void)
{
	const char *said = getenv("QUINTET_CROWD");
	int n = said != NULL ? atoi(said) : CROWD;

	ck_assert_int_ge(n, 2);
	ck_assert_int_le(n, CROWD_MAX);
	return n & ~1;
}

static struct line_peer *crowd[CROWD_MAX];
static int n; /* of them */

/* i must hear this line, which ends in a number. */
static void
expect(int i, const char *begin, int number)
{
	char text[64];

	snprintf(text, sizeof(text), "%s%d", begin, number);
	line_hear(crowd[i], text);
}

static void
say_register(int i)
{
	line_say(crowd[i], "117 u%d password-%d u%d@example.org x", i, i, i);
}

static void
say_login(int i)
{
	line_say(crowd[i], "110 u%d password-%d", i, i);
}

static bool
begins(struct span line, const char *text)
{
	size_t len = strlen(text);

	return line.len >= len && memcmp(line.p, text, len) == 0;
}

/* Everybody says it and hears want, or busy: hashing for all of them may take a slow
 * machine longer than the server lets anybody wait. */
static void
everybody(void (*say)(int i), const char *want, const char *busy)
{
	for (int i = 0; i < n; i++)
		say(i);
	for (int i = 0; i < n; i++) {
		struct span line;

		while (begins(line = line_expect(crowd[i]), busy))
			say(i);
		ck_assert_msg(begins(line, want), "%.*s", (int)line.len,
			      (const char *)line.p);
	}
}

static void
everybody_registers(void)
{
	everybody(say_register, "222 400", "222 413");
	everybody(say_login, "212 400 u", "212 413");
}

/* In pairs: the even one wishes, the odd one confirms. */
static void
everybody_has_a_contact(void)
{
	for (int odd = 0; odd < 2; odd++) {
		for (int i = odd; i < n; i += 2)
			line_say(crowd[i], "121 u%d", i ^ 1);
		for (int i = odd; i < n; i += 2) {
			line_hear(crowd[i], "232 400");
			expect(i ^ 1, "233 u", i);
		}
	}
}

/* Both make the chat at the same time: there is one. */
static void
everybody_has_one_chat(unsigned long long chat[])
{
	char text[64];

	for (int i = 0; i < n; i++)
		line_say(crowd[i], "113 u%d\n112", i ^ 1);
	for (int i = 0; i < n; i++) {
		struct span line;

		line_hear(crowd[i], "217 400");
		line_hear(crowd[i], "214 1");
		line = line_expect(crowd[i]);
		snprintf(text, sizeof(text), "%.*s", (int)line.len, (const char *)line.p);
		ck_assert_int_eq(sscanf(text, "215 %llu ", &chat[i]), 1);
		line_hear(crowd[i], "216");
	}
	for (int i = 0; i < n; i += 2)
		ck_assert_uint_eq(chat[i], chat[i + 1]);
}

/* ROUNDS answers and as many messages from the other one, in order. */
static void
hear_all_rounds(int i)
{
	int answers = 0, heard = 0;
	char text[64];

	while (answers < ROUNDS || heard < ROUNDS) {
		struct span line = line_expect(crowd[i]);
		struct line_message m;

		if (line_message_parse(line, &m) != Q_OK) {
			ck_assert(span_eq(line, span_str("219 400")));
			answers++;
			continue;
		}
		snprintf(text, sizeof(text), "round %d from %d", heard++, i ^ 1);
		ck_assert(span_eq(m.text, span_str(text)));
	}
}

START_TEST(everybody_at_once)
{
	static unsigned long long chat[CROWD_MAX];
	char name[16];

	n = crowd_size();
	s = play_start("", "limits.accounts=1000", "limits.per_address_before_login=1000",
		       "limits.handshake_timeout=10m", "contacts.login_timeout=10m",
		       NULL);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		crowd[i] = line_connect(play_harness(s), name);
	}
	everybody_registers();
	everybody_has_a_contact();
	everybody_has_one_chat(chat);
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < n; i++)
			line_say(crowd[i], "115 %llu round %d from %d", chat[i], round,
				 i);
	for (int i = 0; i < n; i++)
		hear_all_rounds(i);
	for (int i = 0; i < n; i++) {
		line_hear_nothing(crowd[i]);
		line_free(crowd[i]);
	}
	harness_admin(play_harness(s), "check", NULL);
	play_end(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("contacts crowd");
	TCase *tc = harness_case(suite, "crowd");

	tcase_add_test(tc, everybody_at_once);
	return harness_main(suite);
}
