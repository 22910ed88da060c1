/* SPDX-License-Identifier: MIT
 *
 * The example client of the documents (docs/examples/rooms_client.py), which shares no
 * line with anything here, and our own client in one room.
 */
#include "tests/system/client_rooms.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char root[HARNESS_PATH]; /* of the source */

/* Start it as user in the test's folder; arguments as a shell takes them. */
static FILE *
example(struct harness *h, const char *scheme, const char *user, const char *arguments)
{
	char command[4 * HARNESS_PATH];
	FILE *f;

	snprintf(command, sizeof(command),
		 "QUINTET_PASSWORD='" CR_PASSWORD "' exec timeout 60 /usr/bin/python3 "
		 "%s/docs/examples/rooms_client.py %s://127.0.0.1:%u/rooms --ca "
		 "%s/server/ca.pem --user %s --key %s.pem %s 2>&1",
		 root, scheme, h->port, h->data, user, user, arguments);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	return f;
}

static void
expect(FILE *f, const char *want)
{
	char line[4096] = "";

	ck_assert_msg(fgets(line, sizeof(line), f) != NULL, "no \"%s\"", want);
	line[strcspn(line, "\n")] = '\0';
	ck_assert_str_eq(line, want);
}

static void
over(FILE *f)
{
	char rest[4096];
	size_t n = fread(rest, 1, sizeof(rest) - 1, f);

	rest[n] = '\0';
	ck_assert_str_eq(rest, "");
	ck_assert_int_eq(pclose(f), 0);
}

START_TEST(talk)
{
	struct harness *h = cr_start();
	struct run *bob = cr_enter(h, "bob");
	FILE *anna = example(h, "wss", "anna",
			     "--register --email anna@example.org --room 'Math club' "
			     "--invite bob --say 'Hallo, Bob!' --say '\xc3\xa4\xc3\xb6' "
			     "--hear 2");

	expect(anna, "registered anna");
	expect(anna, "logged in as anna");
	expect(anna, "said: 'Hallo, Bob!'");
	expect(anna, "said: '\\xe4\\xf6'");
	run_until(bob, "* unread from #Math-club: ");
	run_say(bob, "/room math-club\n");
	run_until(bob, "<anna> [1] Hallo, Bob!\n<anna> [2] \xc3\xa4\xc3\xb6\n");
	run_say(bob, "Hello, Anna!\n\x1b[2J\n");
	expect(anna, "<bob> 'Hello, Anna!'");
	expect(anna, "<bob> '\\x1b[2J'");
	over(anna);

	/* What waited, and a room that is there; without TLS. */
	run_say(bob, "Still there?\n");
	run_until(bob, "* sent 5\n");
	anna = example(h, "ws", "anna", "--room 'Math club' --say Yes --hear 1");
	expect(anna, "logged in as anna");
	expect(anna, "said: 'Yes'");
	expect(anna, "<bob> 'Still there?'");
	over(anna);
	run_until(bob, "<anna> [6] Yes\n");
	ck_assert(!run_said(bob, "not shown"));
	run_quit(bob, 0);
	harness_free(h);
}
END_TEST

/* It checks whom it talks to. */
START_TEST(other_ca)
{
	struct harness *h = cr_start(), *other = harness_start(NULL, NULL);
	char line[4096], theirs[HARNESS_PATH];
	bool refused = false;
	FILE *anna;

	snprintf(theirs, sizeof(theirs), "--register --ca %.400s/server/ca.pem",
		 other->data);
	anna = example(h, "ws", "anna", theirs);
	while (fgets(line, sizeof(line), anna) != NULL) {
		refused = refused || strstr(line, "InvalidSignature") != NULL;
		ck_assert_ptr_null(strstr(line, "registered"));
	}
	ck_assert(refused);
	ck_assert_int_ne(pclose(anna), 0);
	harness_free(other);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rooms example");
	TCase *c = harness_case(s, "example");

	if (getcwd(root, sizeof(root)) == NULL)
		return 1;
	tcase_add_test(c, talk);
	tcase_add_test(c, other_ca);
	return harness_main(s);
}
