/* SPDX-License-Identifier: MIT
 *
 * People with the real client, who call each other through the real server.
 */
#include <stdio.h>
#include <string.h>

#include "tests/system/client_run.h"
#include "tests/system/harness_run.h"

static struct harness *h;
static struct run *alice, *bob;

static struct run *
log_in(const char *name)
{
	return run_log_in(h, name, "--protocol", "nodes", "--plain", NULL);
}

static void
start(void)
{
	h = harness_start(NULL, NULL);
	run_enrol(h, "alice");
	run_enrol(h, "bob");
	alice = log_in("alice");
	bob = log_in("bob");
}

static void
finish(int alice_status, int bob_status)
{
	run_quit(alice, alice_status);
	run_quit(bob, bob_status);
	harness_free(h);
}

static void
call(void)
{
	run_say(alice, "/call bob\n/wait chat 900\n");
	run_until(alice, "* asking bob\n");
	run_until(bob, "* request from alice: /accept or /deny\n");
	run_say(bob, "/accept\n/wait chat 900\n");
	run_until(alice, "* chat with bob, key ");
	run_until(bob, "* chat with alice, key ");
}

START_TEST(talk)
{
	start();
	call();
	run_until(alice, "* the key of bob is new here: /verify compares it\n");
	run_until(bob, "* the key of alice is new here: /verify compares it\n");
	run_say(alice, "hello\nand again\n");
	run_until(bob, "<alice> hello\n<alice> and again\n");
	run_until(alice, "* delivered to bob: hello\n* delivered to bob: and again\n");
	run_say(bob, "//is text\n\n\xc5\xbc\xc3\xb3\xc5\x82w\n");
	run_until(alice, "<bob> /is text\n<bob> \n<bob> \xc5\xbc\xc3\xb3\xc5\x82w\n");
	run_until(bob, "* delivered to alice: \xc5\xbc\xc3\xb3\xc5\x82w\n");
	run_say(alice, "/ping\n");
	run_until(alice, "* bob answers in ");
	run_say(alice, "/hangup\n");
	run_until(alice, "* chat with bob ended: by you\n");
	run_until(bob, "* chat with alice ended: by the other side\n");
	/* And the other way round, with a known key now. */
	run_say(bob, "/call ALICE\n/wait chat 900\n");
	run_until(alice, "* request from bob");
	run_say(alice, "/accept\n");
	run_until(bob, "* chat with alice, key ");
	run_say(bob, "once more\n/wait delivered 900\n/hangup\n");
	run_until(alice, "<bob> once more\n* chat with bob ended: by the other side\n");
	run_say(alice, "/ping\n/nodes\n/wait list 900\n");
	run_until(alice, "* the server answers in ");
	run_until(alice, "* nodes: 0\n");
	finish(0, 0);
}
END_TEST

/* The number of "* safety number with NAME: N" */
static void
safety(struct run *r, const char *name, char out[64])
{
	char before[64];
	const char *at;

	run_say(r, "/verify\n");
	snprintf(before, sizeof(before), "* safety number with %s: ", name);
	run_until(r, before);
	at = (const char *)r->said.p + r->seen;
	run_until(r, "\n");
	snprintf(out, 64, "%.*s", 35, at);
}

START_TEST(verify)
{
	char a[64], b[64];

	start();
	call();
	safety(alice, "bob", a);
	safety(bob, "alice", b);
	ck_assert_str_eq(a, b);
	run_say(alice, "/verify yes\n");
	run_until(alice, "* the key of bob is verified\n");
	/* The server has to have seen the end, too, or the two are still talking. */
	run_say(alice, "/hangup\n");
	run_until(bob, "* chat with alice ended");
	run_say(alice, "/call bob\n");
	run_until(bob, "* request from alice");
	run_say(bob, "/accept\n");
	run_until(alice, ", verified\n");
	finish(0, 0);
}
END_TEST

START_TEST(no_call)
{
	start();
	run_say(alice, "/call bob\n");
	run_until(bob, "* request from alice: /accept or /deny\n");
	run_say(bob, "/refuse\n");
	run_until(bob, "* refused alice\n");
	run_until(alice, "* no chat with bob: refused, busy or not here\n");
	ck_assert_int_eq(run_end(bob), 0);
	run_say(alice, "/call bob\n/wait chat 900\n");
	run_until(alice, "* no chat with bob: refused, busy or not here\n"
			 "! waited for chat in vain\n");
	run_quit(alice, 1);
	alice = log_in("alice");
	run_say(alice, "/call nobody\n/call alice\n/call ../x\n/call 17\nhello\n/hangup\n"
		       "/accept\n/list\n/trust carol\n");
	run_until(alice, "! there is no user nobody here; people elsewhere are called by "
			 "their numbers\n! alice is you\n! \"../x\" is no name and no "
			 "number\n* asking 17\n");
	run_until(alice, "! nobody is calling you\n! nodes has no word for this\n"
			 "! nobody is known by that name here: /call first\n");
	run_quit(alice, 1);
	run_free(bob);
	harness_free(h);
}
END_TEST

/* Two calls at once: what comes from the other one waits, marked. */
START_TEST(two_calls)
{
	struct run *carol;

	start();
	run_enrol(h, "carol");
	carol = log_in("carol");
	call();
	run_say(carol, "/call alice\n");
	run_until(alice, "* request from carol");
	run_say(alice, "/accept\n/wait chat 900\n");
	run_until(alice, "* chat with carol, key ");
	run_until(carol, "* chat with alice, key ");
	run_say(bob, "are you there?\nhello?\n");
	run_until(bob, "* delivered to alice: hello?\n");
	run_until(alice, "* unread from bob: 1\n* unread from bob: 2\n");
	run_say(alice, "/calls\nhi carol\n/switch bob\nyes\n");
	run_until(alice, "* chats: 2\n");
	run_until(carol, "<alice> hi carol\n");
	run_until(alice, "<bob> are you there?\n<bob> hello?\n");
	run_until(bob, "<alice> yes\n");
	run_say(carol, "/hangup\n");
	run_until(alice, "* chat with carol ended: by the other side\n");
	run_say(alice, "still with bob\n");
	run_until(bob, "<alice> still with bob\n");
	/* She calls somebody who does not want to: back to bob by itself. */
	run_say(alice, "/call carol\n");
	run_until(carol, "* request from alice");
	run_say(carol, "/refuse\n");
	run_until(alice, "* no chat with carol: refused, busy or not here\n"
			 "* chat with bob, key ");
	run_say(alice, "so it is you and me\n");
	run_until(bob, "<alice> so it is you and me\n");
	run_quit(carol, 0);
	finish(0, 0);
}
END_TEST

/* What was said last arrives although the speaker leaves at once. */
START_TEST(last_words)
{
	struct buf text = BUF_INIT(1 << 20);

	start();
	call();
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(buf_printf(&text, "line %d of a long story\n", i), Q_OK);
	ck_assert_int_eq(buf_printf(&text, "the end\n/quit\n"), Q_OK);
	ck_assert_int_eq(buf_put_u8(&text, 0), Q_OK);
	run_say(alice, (const char *)text.p);
	run_until(bob, "<alice> line 1999 of a long story\n<alice> the end\n"
		       "* chat with alice ended: by the other side\n");
	buf_free(&text);
	finish(0, 0);
}
END_TEST

START_TEST(logged_in_elsewhere)
{
	struct run *again;

	start();
	again = log_in("alice");
	run_until(alice, "* disconnected\n");
	ck_assert_int_eq(run_end(alice), 1);
	ck_assert(run_complained(alice, "you have logged in elsewhere"));
	run_free(alice);
	alice = again;
	harness_admin(h, "ctl", "kick", "bob", NULL);
	run_until(bob, "* disconnected\n");
	finish(0, 1);
}
END_TEST

/* A known name with another key: refused by the server; and a server that says that another
 * key is his is not believed. */
START_TEST(changed_key)
{
	struct buf pem = BUF_INIT(16384);
	char path[HARNESS_PATH];
	struct key *key;

	start();
	call();
	run_say(alice, "/hangup\n");
	run_until(bob, "* chat with alice ended");
	run_quit(bob, 0);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &key), Q_OK);
	ck_assert_int_eq(key_private_pem(key, NULL, &pem), Q_OK);
	run_path(h, "bob", "keys/bob.pem", path);
	{
		FILE *f = fopen(path, "w");

		ck_assert_ptr_nonnull(f);
		ck_assert_uint_eq(fwrite(pem.p, 1, pem.len, f), pem.len);
		ck_assert_int_eq(fclose(f), 0);
	}
	bob = run_start(h, "bob", "SERVER", "--protocol", "nodes", "--user", "bob",
			"--plain", NULL);
	ck_assert_int_eq(run_ended(bob), 1);
	ck_assert(run_complained(bob, "refused us"));
	run_free(bob);
	pem.len = 0;
	ck_assert_int_eq(key_public_pem(key, &pem), Q_OK);
	harness_write(h, "pems/bob.pem", buf_span(&pem));
	bob = log_in("bob");
	run_say(alice, "/call bob\n");
	run_until(bob, "* request from alice");
	run_say(bob, "/accept\n");
	run_until(alice, "! THE KEY OF bob HAS CHANGED, or somebody is in between");
	run_until(alice, "* chat with bob ended: their key is another one\n");
	run_until(bob, "* chat with alice ended: ");
	run_say(alice, "/trust bob\n/call bob\n");
	run_until(alice, "* trusting the key of ");
	run_until(bob, "* request from alice");
	run_say(bob, "/accept\n");
	run_until(alice, "* chat with bob, key ");
	key_free(key);
	buf_free(&pem);
	finish(1, 0);
}
END_TEST

START_TEST(server_dies_and_comes_back)
{
	h = harness_start(NULL, NULL);
	run_enrol(h, "alice");
	run_enrol(h, "bob");
	alice = run_start(h, "alice", "SERVER", "--protocol", "nodes", "--plain",
			  "--user", "alice", "--reconnect", NULL);
	bob = run_start(h, "bob", "SERVER", "--protocol", "nodes", "--plain", "--user",
			"bob", "--reconnect", NULL);
	run_until(alice, "* logged in as alice\n");
	run_until(bob, "* logged in as bob\n");
	call();
	harness_kill(h);
	run_until(alice, "* chat with bob ended: ");
	run_until(bob, "* chat with alice ended: ");
	harness_restart(h);
	run_until(alice, "* logged in as alice\n");
	run_until(bob, "* logged in as bob\n");
	call();
	run_say(alice, "back again\n");
	run_until(bob, "<alice> back again\n");
	finish(0, 0);
}
END_TEST

/* What others say does not drive the terminal. */
START_TEST(hostile_text)
{
	start();
	call();
	run_say(alice, "\x1b]0;owned\x07\x1b[2J\xe2\x80\xae\n");
	run_until(bob, "<alice> ");
	run_until(bob, "\n");
	ck_assert(!run_said(bob, "\x1b"));
	ck_assert(!run_said(bob, "\xe2\x80\xae"));
	run_until(alice, "* delivered to bob: ");
	run_until(alice, "\n");
	ck_assert(!run_said(alice, "\x1b"));
	finish(0, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client-nodes");
	TCase *tc = harness_case(suite, "calls");

	tcase_add_test(tc, talk);
	tcase_add_test(tc, no_call);
	tcase_add_test(tc, two_calls);
	tcase_add_test(tc, last_words);
	tc = harness_case(suite, "trust");
	tcase_add_test(tc, verify);
	tcase_add_test(tc, changed_key);
	tcase_add_test(tc, hostile_text);
	tc = harness_case(suite, "ends");
	tcase_add_test(tc, logged_in_elsewhere);
	tcase_add_test(tc, server_dies_and_comes_back);
	return harness_main(suite);
}
