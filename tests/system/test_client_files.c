/* SPDX-License-Identifier: MIT
 *
 * Files between two real clients through the real server, and from a partner that lies.
 */
#include "tests/system/client_pair.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/e2e.h"
#include "crypto/hash.h"
#include "protocol/relay_file.h"
#include "tests/system/relay_peer.h"

#define LARGE 100000000

/* A path below the test's folder; good until the next call but three. */
static const char *
below(const struct pair *p, const char *name)
{
	static char paths[4][HARNESS_PATH];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, HARNESS_PATH, "%.300s/%s", p->h->dir, name);
	return path;
}

static struct run *
start(const struct pair *p, const char *name, const char *max_file)
{
	char folder[32];

	snprintf(folder, sizeof(folder), "%s-files", name);
	(void)mkdir(below(p, folder), 0700);
	return run_enter(p->h, name, "--downloads", below(p, folder), "--max-file",
			 max_file, NULL);
}

static struct pair
chatting_at_most(const char *alice_max, const char *bob_max)
{
	struct pair p = {.h = harness_start(NULL, NULL)};

	p.alice = start(&p, "alice", alice_max);
	p.bob = start(&p, "bob", bob_max);
	pair_chat(&p);
	return p;
}

static struct pair
chatting(void)
{
	return chatting_at_most("1G", "1G");
}

/* So many bytes that differ. */
static void
make_file(const struct pair *p, const char *name, size_t size)
{
	uint64_t x = 88172645463325252u, piece[8192];
	FILE *f = fopen(below(p, name), "we");

	ck_assert_ptr_nonnull(f);
	while (size > 0) {
		size_t n = size < sizeof(piece) ? size : sizeof(piece);

		for (size_t i = 0; i < 8192; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			piece[i] = x ^= x << 17;
		}
		ck_assert_uint_eq(fwrite(piece, 1, n, f), n);
		size -= n;
	}
	ck_assert_int_eq(fclose(f), 0);
}

static void
hash_file(const struct pair *p, const char *name, uint8_t out[SHA256_LEN])
{
	struct sha256_run *run = sha256_begin();
	FILE *f = fopen(below(p, name), "re");
	uint8_t piece[65536];
	size_t n;

	ck_assert_msg(f != NULL, "there is no %s", name);
	ck_assert_ptr_nonnull(run);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		ck_assert_int_eq(sha256_more(run, span_of(piece, n)), Q_OK);
	fclose(f);
	ck_assert_int_eq(sha256_end(run, out), Q_OK);
}

static void
same_files(const struct pair *p, const char *a, const char *b)
{
	uint8_t x[SHA256_LEN], y[SHA256_LEN];

	hash_file(p, a, x);
	hash_file(p, b, y);
	ck_assert_mem_eq(x, y, SHA256_LEN);
}

/* How many files there are in a folder, partial ones too. */
static int
count_files(const struct pair *p, const char *folder)
{
	DIR *dir = opendir(below(p, folder));
	const struct dirent *e;
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir)) != NULL)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(dir);
	return n;
}

/* name's client is told to send the file. */
static void
send_file(const struct pair *p, struct run *r, const char *file)
{
	char line[HARNESS_PATH + 16];

	snprintf(line, sizeof(line), "/send %s\n", below(p, file));
	run_say(r, line);
}

/* ---- as it should be ---- */

static const size_t sizes[] = {0, 1, 65536, LARGE};

START_TEST(arrives)
{
	struct pair p = chatting();
	char line[128];

	make_file(&p, "data.bin", sizes[_i]);
	send_file(&p, p.alice, "data.bin");
	run_say(p.alice, "while it waits\n/wait transfer 900\nafterwards\n");
	run_say(p.bob, "/wait file 900\n/get\nmeanwhile\n/wait transfer 900\n");
	snprintf(line, sizeof(line),
		 "* file offered by alice, /get or /refuse, %zu bytes: data.bin\n",
		 sizes[_i]);
	run_until(p.bob, line);
	snprintf(line, sizeof(line), "* delivered to bob, %zu bytes: data.bin\n",
		 sizes[_i]);
	run_until(p.alice, line);
	snprintf(line, sizeof(line), "* stored from alice, %zu bytes: ", sizes[_i]);
	run_until(p.bob, line);
	run_until(p.bob, "/bob-files/data.bin\n");
	run_until(p.bob, "<alice> afterwards\n");
	ck_assert(run_said(p.bob, "<alice> while it waits\n"));
	ck_assert(run_said(p.alice, "<bob> meanwhile\n"));
	same_files(&p, "data.bin", "bob-files/data.bin");
	ck_assert_int_eq(count_files(&p, "bob-files"), 1);
	if (sizes[_i] == LARGE) {
		/* What was said did not wait for the file. */
		ck_assert_ptr_nonnull(
		    strstr(strstr((const char *)p.alice->said.p, "<bob> meanwhile\n"),
			   "* delivered to bob"));
	}
	pair_quit(&p, 0, 0);
}
END_TEST

/* Each way at once, three times the same name. */
START_TEST(both_ways)
{
	struct pair p = chatting();

	make_file(&p, "a.txt", 300000);
	make_file(&p, "b.txt", 200000);
	for (int i = 0; i < 3; i++) {
		send_file(&p, p.alice, "a.txt");
		send_file(&p, p.bob, "b.txt");
		run_say(p.alice, "/wait file 900\n/get\n/wait transfer 900\n");
		run_say(p.bob, "/wait file 900\n/get\n/wait transfer 900\n");
		run_until(p.alice, "* stored from bob, ");
		run_until(p.bob, "* stored from alice, ");
	}
	same_files(&p, "a.txt", "bob-files/a.txt");
	same_files(&p, "a.txt", "bob-files/a-1.txt");
	same_files(&p, "a.txt", "bob-files/a-2.txt");
	same_files(&p, "b.txt", "alice-files/b-2.txt");
	ck_assert_int_eq(count_files(&p, "bob-files"), 3);
	pair_quit(&p, 0, 0);
}
END_TEST

/* ---- it does not arrive ---- */

START_TEST(too_large)
{
	struct pair p = chatting_at_most("10K", "2000");

	make_file(&p, "a", 10241);
	make_file(&p, "b", 10240);
	send_file(&p, p.alice, "a");
	run_until(p.alice, "! not sent: 10241 bytes are too many, 10240 at most\n");
	send_file(&p, p.alice, "b");
	run_until(p.alice, "! file to bob not sent, b: 10240 bytes are too many, 2000 at "
			   "most\n");
	run_until(p.bob, "! file from alice not received, b: 10240 bytes are too many, "
			 "2000 at most\n");
	ck_assert(!run_said(p.bob, "/get or"));
	ck_assert_int_eq(count_files(&p, "bob-files"), 0);
	pair_quit(&p, 1, 1);
}
END_TEST

START_TEST(refused)
{
	struct pair p = chatting();

	make_file(&p, "a", 10);
	send_file(&p, p.alice, "a");
	run_say(p.bob, "/wait file 900\n/refuse\n");
	run_until(p.alice, "! file to bob not sent, a: refused\n");
	run_until(p.bob, "* file from alice not received, a: refused\n");
	ck_assert_int_eq(count_files(&p, "bob-files"), 0);
	pair_quit(&p, 1, 0);
}
END_TEST

/* By either side, before and after it was accepted; then the next one arrives. */
START_TEST(cancelled)
{
	bool by_alice = _i % 2 == 0, running = _i / 2 == 1;
	struct pair p = chatting();

	make_file(&p, "a", LARGE);
	make_file(&p, "b", 10);
	send_file(&p, p.alice, "a");
	run_until(p.bob, "/get or /refuse");
	if (running) {
		run_say(p.bob, "/get\n");
		run_until(p.alice, "* sending to bob");
		run_until(p.bob, "* receiving from alice");
	}
	run_say(by_alice ? p.alice : p.bob, "/cancel\n");
	run_until(p.alice, by_alice  ? "* file to bob not sent, a: cancelled\n"
			   : running ? "! file to bob not sent, a: cancelled\n"
				     : "! file to bob not sent, a: refused\n");
	run_until(p.bob, by_alice  ? "! file from alice not received, a: cancelled\n"
			 : running ? "* file from alice not received, a: cancelled\n"
				   : "* file from alice not received, a: refused\n");
	ck_assert_int_eq(count_files(&p, "bob-files"), 0);
	send_file(&p, p.alice, "b");
	run_until(p.bob, "/get or /refuse");
	run_say(p.bob, "/get\n");
	run_until(p.alice, "* delivered to bob, 10 bytes: b\n");
	ck_assert_int_eq(count_files(&p, "bob-files"), 1);
	pair_quit(&p, by_alice ? 0 : 1, by_alice ? 1 : 0);
}
END_TEST

/* The partner, or the server, is gone in the middle. */
START_TEST(broken_off)
{
	struct pair p = chatting();

	make_file(&p, "a", LARGE);
	send_file(&p, p.alice, "a");
	run_until(p.bob, "/get or /refuse");
	run_say(p.bob, "/get\n");
	run_until(p.alice, "* sending to bob");
	run_until(p.bob, "* receiving from alice");
	if (_i == 0) {
		kill(p.alice->pid, SIGKILL);
		run_until(p.bob, "! file from alice not received, a: the chat has ended\n"
				 "* chat with alice ended: by the other side\n");
	} else if (_i == 1) {
		run_say(p.alice, "/end\n");
		run_until(p.alice, "! file to bob not sent, a: the chat has ended\n");
		run_until(p.bob,
			  "! file from alice not received, a: the chat has ended\n");
	} else {
		harness_kill(p.h);
		run_until(p.alice, "! file to bob not sent, a: the chat has ended\n");
		run_until(p.bob,
			  "! file from alice not received, a: the chat has ended\n");
	}
	ck_assert_int_eq(count_files(&p, "bob-files"), 0);
	if (_i == 2)
		harness_restart(p.h);
	ck_assert_int_eq(run_end(p.bob), 1);
	if (_i == 0) {
		/* Killed by us: no way to end that run_end would accept. */
		ck_assert_int_eq(waitpid(p.alice->pid, NULL, 0), p.alice->pid);
		p.alice->pid = 0;
	} else {
		ck_assert_int_eq(run_end(p.alice), 1);
	}
	run_free(p.alice);
	run_free(p.bob);
	harness_free(p.h);
}
END_TEST

/* No file of the receiver can grow beyond a limit: a disk that fills up. */
START_TEST(disk_full)
{
	struct pair p = {.h = harness_start(NULL, NULL)};
	struct rlimit before, small;

	p.alice = start(&p, "alice", "1G");
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 1000000;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	p.bob = start(&p, "bob", "1G");
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	run_say(p.alice, "/chat bob\n/wait chat 900\n");
	run_say(p.bob, "/wait request 900\n/accept\n/wait chat 900\n");
	run_until(p.alice, "* chat with bob, key ");
	make_file(&p, "a", 2000000);
	send_file(&p, p.alice, "a");
	run_until(p.bob, "/get or /refuse");
	run_say(p.bob, "/get\n");
	run_until(p.alice, "! file to bob not sent, a: it cannot be stored\n");
	run_until(p.bob, "! file from alice not received, a: ");
	run_until(p.bob, "File too large\n");
	ck_assert_int_eq(count_files(&p, "bob-files"), 0);
	/* The chat goes on. */
	run_say(p.alice, "well\n");
	run_until(p.bob, "<alice> well\n");
	pair_quit(&p, 1, 1);
}
END_TEST

/* ---- a partner that lies: the library's codec, and no conscience ---- */

struct liar {
	struct peer *peer;
	struct e2e *e2e;
	struct buf plain;
};

/* mallory, in a chat with the real client of bob. */
static struct liar
lying(struct pair *p)
{
	struct liar l = {.plain = BUF_INIT(1 << 20)};
	struct buf reply = BUF_INIT(65536);
	struct why why;
	int32_t opcode;

	*p = (struct pair){.h = harness_start(NULL, NULL)};
	harness_add_user(p->h, "mallory", KEY_EC_P256);
	p->bob = start(p, "bob", "1G");
	l.peer = peer_login(p->h, "mallory");
	peer_request(l.peer, "bob");
	run_until(p->bob, "* request from mallory");
	run_say(p->bob, "/accept\n/wait chat 900\n");
	ck_assert_int_eq(e2e_new(E2E_REQUESTER,
				 (struct key *)(uintptr_t)harness_key(p->h, "mallory"),
				 peer_expect(l.peer, RELAY_CHAT_ACCEPT), &l.e2e, &why),
			 Q_OK);
	ck_assert_int_eq(e2e_begin(l.e2e, &reply), Q_OK);
	peer_send(l.peer, RELAY_NONCE, buf_span(&reply));
	reply.len = 0;
	ck_assert_int_eq(e2e_input(l.e2e, RELAY_FIRST_KEY,
				   peer_expect(l.peer, RELAY_FIRST_KEY), &opcode, &reply,
				   &why),
			 Q_OK);
	peer_send(l.peer, opcode, buf_span(&reply));
	buf_free(&reply);
	run_until(p->bob, "* chat with mallory");
	return l;
}

static void
lie(struct liar *l, int32_t opcode, struct buf *data)
{
	struct buf sealed = BUF_INIT(1 << 20);

	ck_assert_int_eq(e2e_seal_kind(l->e2e, opcode, buf_span(data), &sealed), Q_OK);
	peer_send(l->peer, RELAY_PEER_MESSAGE, buf_span(&sealed));
	buf_free(&sealed);
	buf_free(data);
}

static void
lie_first(struct liar *l, uint32_t id, uint64_t size, const char *name,
	  const char *hashed)
{
	struct relay_file_first m = {.id = id, .size = size, .name = span_str(name)};
	struct span part = span_str(hashed);
	struct buf data = BUF_INIT(65536);

	ck_assert_int_eq(sha256(&part, 1, m.hash), Q_OK);
	ck_assert_int_eq(relay_file_first_put(&data, &m), Q_OK);
	lie(l, RELAY_FILE_FIRST, &data);
}

static void
lie_part(struct liar *l, int32_t opcode, uint32_t id, const char *bytes)
{
	struct relay_file_part m = {.id = id, .bytes = span_str(bytes)};
	struct buf data = BUF_INIT(65536);

	ck_assert_int_eq(relay_file_part_put(&data, &m), Q_OK);
	lie(l, opcode, &data);
}

/* The next message must be this word about id. */
static void
expect_word(struct liar *l, uint32_t id, enum relay_file_says says)
{
	struct relay_file_word w;
	struct relay_inner in;
	struct why why;

	ck_assert_int_eq(e2e_open(l->e2e, peer_expect(l->peer, RELAY_PEER_MESSAGE),
				  &l->plain, &in, &why),
			 Q_OK);
	ck_assert_int_eq(in.opcode, RELAY_FILE_WORD);
	ck_assert_int_eq(relay_file_word_parse(in.data, &w), Q_OK);
	ck_assert_uint_eq(w.id, id);
	ck_assert_int_eq(w.says, says);
}

static void
end_lying(struct pair *p, struct liar *l, int status)
{
	peer_free(l->peer);
	e2e_free(l->e2e);
	buf_free(&l->plain);
	run_quit(p->bob, status);
	harness_free(p->h);
}

START_TEST(wrong_hash)
{
	struct pair p;
	struct liar l = lying(&p);

	lie_first(&l, 1, 5, "../../evil", "right");
	run_until(p.bob, "* file offered by mallory, /get or /refuse, 5 bytes: "
			 "../../evil\n");
	/* A second one meanwhile, and bytes that nobody wants. */
	lie_first(&l, 2, 5, "other", "right");
	expect_word(&l, 2, RELAY_FILE_REFUSE);
	lie_part(&l, RELAY_FILE_LAST, 1, "wrong");
	run_say(p.bob, "/get\n");
	expect_word(&l, 1, RELAY_FILE_ACCEPT);
	lie_part(&l, RELAY_FILE_LAST, 1, "wrong");
	expect_word(&l, 1, RELAY_FILE_STOP);
	run_until(p.bob, "! file from mallory not received, ../../evil: the hash is "
			 "wrong");
	ck_assert_int_eq(count_files(&p, "bob-files"), 0);
	end_lying(&p, &l, 1);
}
END_TEST

START_TEST(hostile_names)
{
	static const struct {
		const char *called, *shown, *stored;
	} names[] = {
	    {"../../../etc/passwd", "../../../etc/passwd", "passwd"},
	    {"\x1b]0;owned\a.txt", "\\x1b]0;owned\\x07.txt", "__0_owned_.txt"},
	    {"gpj.\xe2\x80\xae.exe", "gpj.\\u{202e}.exe", "gpj._.exe"},
	    {"a\nb", "a\\x0ab", "a_b"},
	    {"", "", "file-4"},
	};
	struct pair p;
	struct liar l = lying(&p);
	char line[256];

	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		lie_first(&l, i, 5, names[i].called, "right");
		snprintf(line, sizeof(line), "/get or /refuse, 5 bytes: %s\n",
			 names[i].shown);
		run_until(p.bob, line);
		run_say(p.bob, "/get\n");
		expect_word(&l, i, RELAY_FILE_ACCEPT);
		lie_part(&l, RELAY_FILE_MIDDLE, i, "ri");
		lie_part(&l, RELAY_FILE_LAST, i, "ght");
		expect_word(&l, i, RELAY_FILE_STORED);
		snprintf(line, sizeof(line), "/bob-files/%s\n", names[i].stored);
		run_until(p.bob, line);
		ck_assert_int_eq(count_files(&p, "bob-files"), (int)i + 1);
	}
	end_lying(&p, &l, 0);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client files");
	TCase *t = harness_case(s, "arriving"), *u = harness_case(s, "not arriving"),
	      *v = harness_case(s, "lying");

	tcase_add_loop_test(t, arrives, 0, (int)(sizeof(sizes) / sizeof(sizes[0])));
	tcase_add_test(t, both_ways);
	tcase_add_test(u, too_large);
	tcase_add_test(u, refused);
	tcase_add_loop_test(u, cancelled, 0, 4);
	tcase_add_loop_test(u, broken_off, 0, 3);
	tcase_add_test(u, disk_full);
	tcase_add_test(v, wrong_hash);
	tcase_add_test(v, hostile_names);
	return s;
}

int
main(void)
{
	return harness_main(suite());
}
