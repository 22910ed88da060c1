/* SPDX-License-Identifier: MIT
 *
 * Whom the client trusts and what it keeps: keys of people, CAs of servers, safety
 * numbers, the history; with the real server.
 */
#include "tests/system/client_pair.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/cert.h"

/* alice asks bob for a chat, who accepts. */
static void
begin_chat(struct pair *p)
{
	run_say(p->alice, "/chat bob\n");
	run_until(p->bob, "* request from alice");
	run_say(p->bob, "/accept\n");
}

static struct pair
chatting(const char *option)
{
	struct pair p = {.h = harness_start(NULL, NULL)};

	run_enrol(p.h, "alice");
	run_enrol(p.h, "bob");
	p.alice = run_log_in(p.h, "alice", option, NULL);
	p.bob = run_log_in(p.h, "bob", NULL);
	begin_chat(&p);
	run_until(p.alice, "* chat with bob, key ");
	run_until(p.bob, "* chat with alice, key ");
	return p;
}

static void
end_chat(struct pair *p)
{
	run_say(p->alice, "/end\n");
	run_until(p->alice, "* chat with bob ended");
	run_until(p->bob, "* chat with alice ended");
}

static void
print_of_key(const struct key *key, char out[FINGERPRINT_SIZE])
{
	uint8_t sum[SHA256_LEN];

	ck_assert_int_eq(key_fingerprint(key, sum), Q_OK);
	fingerprint_text(sum, out);
}

/* The private key of home's owner. */
static struct key *
key_of(struct harness *h, const char *name)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	char file[64], path[HARNESS_PATH];
	struct key *key;
	FILE *f;
	int c;

	snprintf(file, sizeof(file), "keys/%s.pem", name);
	run_path(h, name, file, path);
	f = fopen(path, "rb");
	ck_assert_ptr_nonnull(f);
	while ((c = getc(f)) != EOF)
		ck_assert_int_eq(buf_put_u8(&pem, (uint8_t)c), Q_OK);
	fclose(f);
	ck_assert_int_eq(key_parse_private(buf_span(&pem), NULL, &key), Q_OK);
	buf_wipe(&pem);
	return key;
}

static void
write_file(const char *path, struct span content)
{
	FILE *f = fopen(path, "wb");

	ck_assert_msg(f != NULL, "%s", path);
	ck_assert_uint_eq(fwrite(content.p, 1, content.len, f), content.len);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
}

/* The server and home's owner have another key from now on. */
static struct key *
new_key(struct harness *h, const char *name)
{
	struct buf secret = BUF_INIT(KEY_PEM_MAX), pem = BUF_INIT(KEY_PEM_MAX);
	char file[64], path[HARNESS_PATH];
	struct key *key;

	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &key), Q_OK);
	ck_assert_int_eq(key_private_pem(key, NULL, &secret), Q_OK);
	ck_assert_int_eq(key_public_pem(key, &pem), Q_OK);
	snprintf(file, sizeof(file), "keys/%s.pem", name);
	run_path(h, name, file, path);
	write_file(path, buf_span(&secret));
	snprintf(file, sizeof(file), "pems/%s.pem", name);
	harness_write(h, file, buf_span(&pem));
	buf_wipe(&secret);
	buf_free(&pem);
	return key;
}

/* ---- keys of people ---- */

START_TEST(first_use)
{
	struct pair p = chatting(NULL);

	run_until(p.alice, "* the key of bob is new here: /verify compares it\n");
	run_until(p.bob, "* the key of alice is new here: /verify compares it\n");
	end_chat(&p);
	begin_chat(&p);
	run_until(p.alice, "* chat with bob, key ");
	run_say(p.alice, "hello\n");
	run_until(p.bob, "<alice> hello\n");
	/* Said once. */
	ck_assert_ptr_null(strstr(strstr((const char *)p.bob->said.p, "is new here") + 1,
				  "is new here"));
	pair_quit(&p, 0, 0);
}
END_TEST

START_TEST(changed_key)
{
	struct pair p = chatting(NULL);
	char was[FINGERPRINT_SIZE], now[FINGERPRINT_SIZE], line[1024];
	struct key *old = key_of(p.h, "bob"), *fresh;

	end_chat(&p);
	run_quit(p.bob, 0);
	fresh = new_key(p.h, "bob");
	print_of_key(old, was);
	print_of_key(fresh, now);
	p.bob = run_log_in(p.h, "bob", NULL);
	begin_chat(&p);
	snprintf(line, sizeof(line),
		 "! THE KEY OF bob HAS CHANGED, or somebody is in between: it was %s and "
		 "is now %s; when bob has told you that one in person, /trust bob "
		 "accepts it\n* chat with bob ended: the key of bob has changed\n",
		 was, now);
	run_until(p.alice, line);
	run_until(p.bob, "* chat with alice ended: by the other side\n");
	/* As often as it is tried; also when bob asks. */
	run_say(p.bob, "/chat alice\n");
	run_until(p.alice, "* request from bob");
	run_say(p.alice, "/accept\n");
	run_until(p.alice, line);
	run_until(p.bob, "* chat with alice ended");
	run_say(p.alice, "/trust carol\n");
	run_until(p.alice, "! no key of carol is known\n");
	run_say(p.alice, "/trust bob\n");
	snprintf(line, sizeof(line), "* trusting the key of bob: %s; it was %s\n", now,
		 was);
	run_until(p.alice, line);
	begin_chat(&p);
	snprintf(line, sizeof(line), "* chat with bob, key %s\n", now);
	run_until(p.alice, line);
	run_until(p.bob, "* chat with alice, key ");
	run_say(p.bob, "it is me\n");
	run_until(p.alice, "<bob> it is me\n");
	key_free(old);
	key_free(fresh);
	pair_quit(&p, 1, 0); /* a script was refused something */
}
END_TEST

/* "12345 12345 12345 12345 12345 12345" behind the line's beginning. */
static void
safety_number(struct run *r, const char *partner, char out[36])
{
	char line[128];
	size_t at;

	run_say(r, "/verify\n");
	snprintf(line, sizeof(line), "* safety number with %s: ", partner);
	run_until(r, line);
	at = r->seen;
	run_until(r, "\n");
	ck_assert_uint_ge(r->seen - at, 36);
	memcpy(out, r->said.p + at, 35);
	out[35] = '\0';
	for (int i = 0; i < 35; i++)
		ck_assert_msg(i % 6 == 5 ? out[i] == ' ' : out[i] >= '0' && out[i] <= '9',
			      "%s", out);
}

START_TEST(verify)
{
	struct pair p = chatting(NULL);
	char hers[36], his[36];

	safety_number(p.alice, "bob", hers);
	safety_number(p.bob, "alice", his);
	ck_assert_str_eq(hers, his);
	run_say(p.alice, "/verify yes\n/verify\n");
	run_until(p.alice, "* the key of bob is verified\n* safety number with bob: ");
	run_until(p.alice, ", verified\n");
	end_chat(&p);
	run_say(p.alice, "/verify\n");
	run_until(p.alice, "! you are in no chat: /verify is about its two keys\n");
	/* Remembered, also by the next run. */
	run_quit(p.alice, 1);
	p.alice = run_log_in(p.h, "alice", NULL);
	begin_chat(&p);
	run_until(p.alice, "* chat with bob, key ");
	run_until(p.alice, ", verified\n");
	run_say(p.alice, "/verify no\n");
	run_until(p.alice, "* the key of bob is not verified any longer\n");
	pair_quit(&p, 0, 0);
}
END_TEST

/* ---- servers ---- */

/* Make alice, with the key that she has in her home, a user of h. */
static void
add_alice(struct harness *h, struct harness *home)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct key *key = key_of(home, "alice");

	ck_assert_int_eq(key_public_pem(key, &pem), Q_OK);
	harness_write(h, "pems/alice.pem", buf_span(&pem));
	key_free(key);
	buf_free(&pem);
}

START_TEST(changed_ca)
{
	struct harness *h = harness_start(NULL, NULL), *h2 = harness_new();
	const char *was, *now;
	char line[512];
	struct run *r;

	run_enrol(h, "alice");
	was = run_ca_fingerprint(h);
	h2->port = h->port;
	harness_stop(h);
	harness_boot(h2, NULL);
	add_alice(h2, h);
	now = run_ca_fingerprint(h2);
	/* Both fingerprints, and what accepts the new one. */
	r = run_script(h, 1, "", "alice", "SERVER", "--user", "alice", NULL);
	snprintf(line, sizeof(line),
		 "was %s and is now %s; if its owner tells you the second one, accept it "
		 "with --fingerprint",
		 was, now);
	ck_assert_msg(run_complained(r, line), "%s", (const char *)r->complaint.p);
	run_free(r);
	/* The old one is not there any longer. */
	r = run_script(h, 1, "", "alice", "SERVER", "--user", "alice", "--fingerprint",
		       was, NULL);
	ck_assert(run_complained(r, "was ") ||
		  run_complained(r, "fingerprint of the CA"));
	run_free(r);
	r = run_script(h, 0, "", "alice", "SERVER", "--user", "alice", "--fingerprint",
		       now, NULL);
	snprintf(line, sizeof(line), " is a new one: %s; it was %s\n", now, was);
	ck_assert(run_said(r, line));
	ck_assert(run_said(r, "* logged in as alice\n"));
	run_free(r);
	/* From now on it is known. */
	run_free(run_script(h, 0, "", "alice", "SERVER", "--user", "alice", NULL));
	harness_free(h2);
	harness_free(h);
}
END_TEST

/* A user whom the teacher has added, with the paper that the teacher has printed. */
START_TEST(fingerprint)
{
	static const char wrong[] = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
				    "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";
	struct harness *h = harness_start(NULL, NULL), *h2 = harness_start(NULL, NULL);
	char code[20], key[HARNESS_PATH];
	struct run *r;

	/* At enrolment it must be right as well. */
	harness_enrol_code(h, code);
	r = run_script(h, 1, "", "alice", "SERVER", "--enroll", "--user", "alice",
		       "--code", code, "--fingerprint", wrong, NULL);
	ck_assert(run_complained(r, "NOT THE SERVER THAT YOU WANT"));
	ck_assert(run_complained(r, run_ca_fingerprint(h)));
	run_free(r);
	add_alice(h2, h);
	r = run_script(h2, 1, "", "alice", "SERVER", "--user", "alice", NULL);
	ck_assert(run_complained(r, "is not known here"));
	run_free(r);
	run_path(h, "alice", "keys/alice.pem", key);
	r = run_script(h2, 1, "", "alice", "SERVER", "--user", "alice", "--key", key,
		       "--fingerprint", wrong, NULL);
	ck_assert(run_complained(r, "NOT THE SERVER THAT YOU WANT"));
	run_free(r);
	run_free(run_script(h2, 0, "", "alice", "SERVER", "--user", "alice", "--key", key,
			    "--fingerprint", run_ca_fingerprint(h2), NULL));
	harness_free(h);
	harness_free(h2);
}
END_TEST

/* ---- the history ---- */

static bool
has_history(struct harness *h, const char *home)
{
	char path[HARNESS_PATH];

	run_path(h, home, "history", path);
	return access(path, F_OK) == 0;
}

/* The one file of what alice has kept with bob. */
static void
history_file(struct harness *h, char out[HARNESS_PATH])
{
	char folder[HARNESS_PATH];
	struct dirent *e;
	DIR *d;
	int n = 0;

	run_path(h, "alice", "history", folder);
	d = opendir(folder);
	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			n = snprintf(out, HARNESS_PATH, "%.300s/%.64s/alice/bob", folder,
				     e->d_name);
	closedir(d);
	ck_assert_int_gt(n, 0);
}

START_TEST(history)
{
	struct pair p = chatting("--history");
	char path[HARNESS_PATH], text[65536];
	struct stat st;
	size_t n;
	FILE *f;

	run_say(p.bob, "the treasure\x1b[2J is here\n");
	run_until(p.alice, "<bob> the treasure\\x1b[2J is here\n");
	run_say(p.alice, "below the oak\n");
	run_until(p.bob, "<alice> below the oak\n");
	/* Off by default. */
	run_say(p.bob, "/history\n");
	run_until(p.bob, "! nothing is kept here: ");
	ck_assert(!has_history(p.h, "bob"));
	/* Replayed as it was live: shown, not obeyed. */
	run_say(p.alice, "/history\n");
	run_until(p.alice, "* history 2");
	run_until(p.alice, " <bob> the treasure\\x1b[2J is here\n* history ");
	run_until(p.alice, " <alice> below the oak\n* history with bob: 2\n");
	run_say(p.alice, "/history 1\n");
	run_until(p.alice, "* history with bob: 1\n");
	history_file(p.h, path);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	f = fopen(path, "rb");
	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	ck_assert_ptr_null(memmem(text, n, "treasure", 8));
	ck_assert_ptr_null(memmem(text, n, "oak", 3));
	run_quit(p.alice, 0);
	/* By the next run too, and without a chat by name. */
	p.alice = run_log_in(p.h, "alice", "--history", NULL);
	run_say(p.alice, "/history\n");
	run_until(p.alice, "! history with whom?");
	run_say(p.alice, "/history 5 bob\n");
	run_until(p.alice, " <alice> below the oak\n* history with bob: 2\n");
	run_say(p.alice, "/clear bob\n/history bob\n");
	run_until(p.alice, "* cleared all of bob\n* history with bob: 0\n");
	ck_assert_int_eq(access(path, F_OK), -1);
	pair_quit(&p, 1, 1);
}
END_TEST

START_TEST(history_setting)
{
	struct harness *h = harness_start(NULL, NULL);
	char path[HARNESS_PATH];
	struct run *r;

	run_enrol(h, "alice");
	run_path(h, "alice", "client.conf", path);
	write_file(path, span_str("# ours\nhistory = on\n"));
	r = run_script(h, 0, "/history bob\n/clear\n", "alice", "SERVER", NULL);
	ck_assert(run_said(r, "* history with bob: 0\n* cleared\n"));
	run_free(r);
	write_file(path, span_str("history = on\nhistori = on\n"));
	r = run_script(h, 2, "", "alice", "SERVER", NULL);
	ck_assert(run_complained(r, "client: client.conf, line 2: there is no setting "
				    "histori"));
	run_free(r);
	harness_free(h);
}
END_TEST

/* ---- suite ---- */

int
main(void)
{
	Suite *s = suite_create("client trust");
	TCase *t = harness_case(s, "trust");

	tcase_add_test(t, first_use);
	tcase_add_test(t, changed_key);
	tcase_add_test(t, verify);
	tcase_add_test(t, changed_ca);
	tcase_add_test(t, fingerprint);
	tcase_add_test(t, history);
	tcase_add_test(t, history_setting);
	return harness_main(s);
}
