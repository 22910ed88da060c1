/* SPDX-License-Identifier: MIT
 *
 * The commands about what is stored: backup and restore, transcripts, announcements;
 * each with a running server and without.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/system/archive.h"
#include "tests/system/contacts_play.h"
#include "tests/system/relay_peer.h"
#include "tests/system/rooms_talk.h"
#include "tests/system/run_command.h"

/* RUN; it must say what. */
#define RUN_OK(...)                                                                 \
	do {                                                                        \
		int status_ = RUN(__VA_ARGS__);                                     \
		ck_assert_msg(status_ == 0, "status %d: %s", status_, said_text()); \
	} while (0)

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
shell(const char *fmt, ...)
{
	char command[4 * HARNESS_PATH];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	ck_assert_msg(system(command) == 0, "failed: %s", command);
}

/* ---- backup ---- */

static void
archive_path(const struct harness *h, char path[HARNESS_PATH + 32])
{
	snprintf(path, HARNESS_PATH + 32, "%s/backup.tar", h->dir);
}

/* In place of the data directory, which is lost. */
static void
restore(struct harness *h)
{
	char file[HARNESS_PATH + 32];

	archive_path(h, file);
	shell("rm -rf '%s' && tar -xpf '%s' -C '%s'", h->data, file, h->dir);
}

/* The lines of chat 1 are alice's numbers 0, 1, ...; how many. */
static int
numbers_exported(struct harness *h)
{
	char expected[32], *at, *end;
	int n = 0;

	RUN_OK("export", "1");
	(void)said_text();
	for (at = (char *)out.p; *at != '\0'; at = end + 1, n++) {
		ck_assert_ptr_nonnull(end = strchr(at, '\n'));
		*end = '\0';
		snprintf(expected, sizeof(expected), "  alice  %d", n);
		ck_assert_msg(strlen(at) > 19 && strcmp(at + 19, expected) == 0,
			      "line %d: %s", n, at);
	}
	return n;
}

#define BACKUPS 3

/* Send numbers from first on all at once; so the server is busy with them while the
 * first has been answered. */
static void
begin_to_send(struct line_peer *alice, int first, int count)
{
	struct buf many = BUF_INIT(1 << 20);

	for (int i = first; i < first + count; i++)
		ck_assert_int_eq(buf_printf(&many, "115 1 %d\n", i), Q_OK);
	line_send(alice, buf_span(&many));
	buf_free(&many);
	line_hear(alice, "219 400");
}

/* Everything that was acknowledged before a backup began is in it, and it is sound,
 * whatever was being written. */
START_TEST(backup_under_load)
{
	struct play *s =
	    play_start("alice bob", _i == 0 ? NULL : "store.durability=always", NULL);
	struct harness *h = play_harness(s);
	const int count = _i == 0 ? 10000 : 1000;
	char file[HARNESS_PATH + 32];
	int before[BACKUPS];

	archive_path(h, file);
	play_befriend(s, "alice", "bob");
	PLAY(s, "alice: logout", "bob: logout", "alice: login");
	for (int i = 0; i < BACKUPS; i++) {
		begin_to_send(play_peer(s, "alice"), i * count, count);
		before[i] = i * count + 1;
		RUN_OK("backup", file);
		ck_assert(said("backup.tar: ") && said(" files, "));
		shell("mv '%s' '%s.%d'", file, file, i);
		for (int n = 1; n < count; n++)
			line_hear(play_peer(s, "alice"), "219 400");
	}
	PLAY(s, "alice: close");
	harness_stop(h);
	for (int i = 0; i < BACKUPS; i++) {
		shell("mv '%s.%d' '%s'", file, i, file);
		restore(h);
		RUN_OK("check");
		ck_assert_int_ge(numbers_exported(h), before[i]);
		harness_restart(h);
		RUN_OK("check");
		ck_assert_int_ge(numbers_exported(h), before[i]);
		harness_stop(h);
		shell("test -z \"$(ls -A '%s/bad')\"", h->data);
		shell("test ! -e '%s/snapshot'", h->data);
	}
	play_end(s);
}
END_TEST

/* A bit of everything, restored: users log in with their keys, the server is the same
 * one, rooms go on. */
START_TEST(backup_of_everything)
{
	struct harness *h = rp_start("rooms.captcha=off", "relay.archive=yes", NULL);
	char file[HARNESS_PATH + 32], *large = calloc(1, 200001);
	struct rooms_peer *carol = rp_enter(h, "carol"), *dave = rp_enter(h, "dave");
	struct peer *alice, *bob;
	struct rt_id room;

	archive_path(h, file);
	harness_add_users(h, "alice", "bob", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_chat(alice, bob);
	peer_talk(alice, bob);
	room = rt_room(carol, RT_GROUP, "dave", dave, NULL);
	rt_send(carol, room, "small");
	memset(large, 'x', 200000);
	rt_action(carol, room, "send", "'format': 'msg-smallfile', 'content': '%s'",
		  large);
	rt_sent(carol);
	free(large);
	RUN_OK("anons", "add", "--author", "alice", "--title", "Fahrrad");
	if (_i == 0) {
		peer_free(alice), peer_free(bob);
		rp_free(carol), rp_free(dave);
		harness_stop(h);
	}
	RUN_OK("backup", file);
	if (_i == 1) {
		peer_free(alice), peer_free(bob);
		rp_free(carol), rp_free(dave);
		harness_stop(h);
	}
	shell("tar -tf '%s' | grep -q '^data/server/key.pem$'", file);
	shell("! tar -tf '%s' | grep -Eq 'lock|sock|\\.tmp-|\\.state|snapshot'", file);
	shell("test $(stat -c %%a '%s') = 600", file);
	ck_assert_int_eq(RUN("backup", file), 1);
	ck_assert(said("is there already; nothing is overwritten\n"));
	restore(h);
	shell("test $(stat -c %%a '%s') = 700", h->data);
	RUN_OK("check");
	harness_restart(h);
	RUN_OK("check");
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_chat(alice, bob);
	peer_talk(alice, bob);
	peer_free(alice), peer_free(bob);
	ck_assert_uint_eq(archive_count(h, "alice+bob"), 4);
	RUN_OK("export", room.text);
	ck_assert(said("carol  [message, sealed, 5 bytes]\n"));
	ck_assert(said("carol  [file, sealed, 200000 bytes]\n"));
	RUN_OK("anons", "list");
	ck_assert(said("alice") && said("Fahrrad"));
	shell("test -z \"$(ls -A '%s/bad')\"", h->data);
	harness_free(h);
}
END_TEST

START_TEST(backup_refused)
{
	struct harness *h = harness_new();
	char file[HARNESS_PATH + 32];

	archive_path(h, file);
	ck_assert_int_eq(RUN("backup"), 2);
	ck_assert(said("usage: server backup FILE.tar\n"));
	shell("rmdir '%s'", h->data);
	ck_assert_int_eq(RUN("backup", file), 1);
	ck_assert(said("no data directory "));
	shell("mkdir '%s' && test ! -e '%s'", h->data, file);
	harness_boot(h, NULL);
	ck_assert_int_eq(RUN("backup", "/proc/nonexistent/x.tar"), 1);
	ck_assert(
	    said("cannot write /proc/nonexistent/x.tar: No such file or directory\n"));
	ck_assert_uint_eq(lines_said(), 1);
	harness_free(h);
}
END_TEST

/* A full disk, from the command line: one line, nothing left. */
START_TEST(backup_on_a_full_disk)
{
	struct harness *h = harness_start(NULL);
	struct rlimit old, full;
	char file[HARNESS_PATH + 32];

	archive_path(h, file);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	full = (struct rlimit){12000, old.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &full), 0); /* for the command too */
	ck_assert_int_eq(RUN("backup", file), 1);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	ck_assert(said("backup.tar: File too large\n"));
	shell("test \"$(ls -A '%s')\" = \"$(ls '%s')\" && test ! -e '%s'", h->dir, h->dir,
	      file);
	shell("test ! -e '%s/snapshot'", h->data);
	RUN_OK("backup", file);
	harness_free(h);
}
END_TEST

/* ---- transcripts ---- */

/* What people type to make trouble. */
#define HOSTILE                                \
	"\x1b[2J\x1b]0;owned\x07 \xe2\x80\xae" \
	"evil\x7f\xc2\x9b \\x41 \xc3\xbc"
#define SHOWN "\\x1b[2J\\x1b]0;owned\\x07 \\u{202e}evil\\x7f"

START_TEST(transcript)
{
	struct play *s = play_start("Alice bob", NULL);
	struct harness *h = play_harness(s);
	const char *line;
	json_t *o;

	play_befriend(s, "Alice", "bob");
	PLAY(s, "Alice: logout", "bob: logout", "Alice: login");
	line_say(play_peer(s, "Alice"), "115 1 %s", HOSTILE);
	line_hear(play_peer(s, "Alice"), "219 400");
	line_say(play_peer(s, "Alice"), "115 1 plain");
	line_hear(play_peer(s, "Alice"), "219 400");
	if (_i == 0) {
		PLAY(s, "Alice: close");
		harness_stop(h);
	}
	RUN_OK("export");
	ck_assert(said("1 ") && said("  chat  Alice and bob\n"));
	RUN_OK("export", "1");
	ck_assert_uint_eq(lines_said(), 2);
	ck_assert_msg(said("  Alice  " SHOWN), "%s", said_text());
	ck_assert(said("\xc3\xbc\n") && said("  Alice  plain\n"));
	for (size_t i = 0; i < out.len; i++)
		ck_assert(out.p[i] == '\n' || (out.p[i] >= ' ' && out.p[i] != 0x7f));
	RUN_OK("export", "1", "--json");
	ck_assert_uint_eq(lines_said(), 2);
	line = said_text();
	for (size_t i = 0; i < out.len; i++)
		ck_assert(out.p[i] == '\n' || (out.p[i] >= ' ' && out.p[i] < 0x80));
	ck_assert_ptr_nonnull(o = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL));
	ck_assert_str_eq(json_string_value(json_object_get(o, "text")), HOSTILE);
	ck_assert_str_eq(json_string_value(json_object_get(o, "from")), "Alice");
	ck_assert_str_eq(json_string_value(json_object_get(o, "kind")), "text");
	ck_assert_int_eq(json_integer_value(json_object_get(o, "id")), 1);
	json_decref(o);
	RUN_OK("export", "1", "--after", "1");
	ck_assert(lines_said() == 1 && said("plain"));
	RUN_OK("export", "1", "--json", "--after", "2");
	ck_assert_uint_eq(out.len, 0);
	play_end(s);
}
END_TEST

/* An answer of the control socket holds a part of it; all come, none twice. */
START_TEST(long_transcript)
{
	struct play *s = play_start("alice bob", NULL);
	struct harness *h = play_harness(s);
	struct line_peer *alice;
	struct buf many = BUF_INIT(8 << 20);
	char expected[32], *at, filler[2001];
	int n = 0;

	memset(filler, 'x', sizeof(filler) - 1);
	filler[sizeof(filler) - 1] = '\0';
	play_befriend(s, "alice", "bob");
	PLAY(s, "alice: logout", "bob: logout", "alice: login");
	alice = play_peer(s, "alice");
	for (int i = 0; i < 1200; i++)
		ck_assert_int_eq(buf_printf(&many, "115 1 %d %s\n", i, filler), Q_OK);
	line_send(alice, buf_span(&many));
	buf_free(&many);
	for (int i = 0; i < 1200; i++)
		line_hear(alice, "219 400");
	RUN_OK("export", "1");
	ck_assert_uint_gt(out.len, 2 << 20);
	for (at = strstr(said_text(), "  alice  "); at != NULL;
	     at = strstr(at + 1, "  alice  "), n++) {
		snprintf(expected, sizeof(expected), "  alice  %d x", n);
		ck_assert_int_eq(strncmp(at, expected, strlen(expected)), 0);
	}
	ck_assert_int_eq(n, 1200);
	RUN_OK("export", "1", "--after", "600", "--json");
	ck_assert_uint_eq(lines_said(), 600);
	ck_assert(said("{\"id\":601,") && said("{\"id\":1200,"));
	play_end(s);
}
END_TEST

/* What the server cannot read. */
START_TEST(sealed)
{
	struct harness *h = rp_start("rooms.captcha=off", "relay.archive=yes", NULL);
	struct rooms_peer *carol = rp_enter(h, "carol"), *dave = rp_enter(h, "dave");
	struct peer *alice, *bob;
	struct rt_id room;

	harness_add_users(h, "alice", "bob", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	peer_chat(alice, bob);
	peer_talk(alice, bob);
	peer_free(alice);
	peer_free(bob);
	room = rt_room(carol, RT_GROUP, "dave", dave, NULL);
	rt_send(carol, room, "0123456789");
	if (_i == 0) {
		rp_free(carol);
		rp_free(dave);
		harness_stop(h);
	}
	RUN_OK("export");
	ck_assert(said("alice+bob ") && said("  pair  "));
	ck_assert(said(room.text) && said("  room  group ") &&
		  said("of carol, 2 members"));
	RUN_OK("export", "BOB+alice");
	ck_assert(lines_said() == 2 && said("  alice  [message, sealed, ") &&
		  said("  bob  [message, sealed, "));
	RUN_OK("export", "alice+bob", "--json");
	ck_assert(said("\"kind\":\"message\",\"to\":\"bob\",\"sealed\":true,\"size\":"));
	RUN_OK("export", room.text);
	ck_assert(lines_said() == 2 && said("  carol  [made the room ") &&
		  said("  carol  [message, sealed, 10 bytes]\n"));
	RUN_OK("export", room.text, "--json");
	ck_assert(said("\"change\":\"made the room\"") &&
		  said("\"people\":[\"carol\",\"dave\"]"));
	ck_assert(said("\"sealed\":true,\"size\":10}"));
	if (_i == 1) {
		rp_free(carol);
		rp_free(dave);
	}
	harness_free(h);
}
END_TEST

START_TEST(no_such_chat)
{
	struct harness *h = harness_new();

	if (_i == 1)
		harness_boot(h, NULL);
	RUN_OK("export");
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(RUN("export", "7"), 1);
	ck_assert(said("server: there is no chat 7\n"));
	ck_assert_int_eq(RUN("export", "alice+bob"), 1);
	ck_assert(said("there is no chat alice+bob\n"));
	ck_assert_int_eq(RUN("export", "0b3c19f2-0000-4000-8000-000000000000"), 1);
	ck_assert(said("there is no chat 0b3c19f2-"));
	ck_assert_int_eq(RUN("export", "../users/alice"), 1);
	ck_assert(said("is no chat: give a number, NAME+NAME or a room's UUID"));
	ck_assert_int_eq(RUN("export", "7", "--after", "x"), 1);
	ck_assert(said("--after wants a message's number\n"));
	ck_assert_int_eq(RUN("export", "7", "--after"), 2);
	ck_assert_int_eq(RUN("export", "7", "--xml"), 2);
	ck_assert(said("usage: server export "));
	harness_free(h);
}
END_TEST

/* ---- announcements ---- */

START_TEST(announcements)
{
	struct harness *h = harness_new();
	char title[140];

	RUN_OK("user", "add", "Alice");
	RUN_OK("user", "add", "bob");
	if (_i == 1)
		harness_boot(h, NULL);
	RUN_OK("anons", "list");
	ck_assert_uint_eq(out.len, 0);
	RUN_OK("anons", "add", "--author", "alice", "--title",
	       "Fahrrad, f\xc3\xbcnf Euro");
	ck_assert_str_eq(said_text(), "id: 1\n");
	RUN_OK("anons", "add", "--title", "Suche Heft", "--author", "bob");
	RUN_OK("anons", "list");
	ck_assert(lines_said() == 2 && said("       2  ") && said("  bob  "));
	ck_assert(said("  Alice  ") && said("f\xc3\xbcnf Euro\n"));
	ck_assert_int_eq(RUN("anons", "add", "--author", "carol", "--title", "x"), 1);
	ck_assert(said("there is no user carol\n"));
	ck_assert_int_eq(RUN("anons", "add", "--author", "bob", "--title", "a\x1b[2J"),
			 1);
	ck_assert(said("without control characters\n"));
	memset(title, 'x', sizeof(title) - 1);
	title[sizeof(title) - 1] = '\0';
	ck_assert_int_eq(RUN("anons", "add", "--author", "bob", "--title", title), 1);
	ck_assert(said("the title has at most 128 bytes\n"));
	ck_assert_int_eq(RUN("anons", "add", "--author", "bob", "--title", ""), 1);
	ck_assert_int_eq(RUN("anons", "add", "--author", "bob"), 2);
	ck_assert_int_eq(RUN("anons", "add", "--author", "bob", "--author", "bob"), 2);
	ck_assert(said("usage: server anons add --author NAME --title"));
	ck_assert_int_eq(RUN("anons", "remove", "3"), 1);
	ck_assert(said("there is no announcement 3\n"));
	ck_assert_int_eq(RUN("anons", "remove", "x"), 1);
	RUN_OK("anons", "remove", "2");
	ck_assert_int_eq(RUN("anons", "remove", "2"), 1);
	RUN_OK("user", "remove", "ALICE");
	RUN_OK("anons", "list");
	ck_assert_uint_eq(out.len, 0);
	RUN_OK("check");
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("admin_data");
	TCase *tc = harness_case(suite, "admin_data");

	tcase_add_loop_test(tc, backup_under_load, 0, 2);
	tcase_add_loop_test(tc, backup_of_everything, 0, 2);
	tcase_add_test(tc, backup_refused);
	tcase_add_test(tc, backup_on_a_full_disk);
	tcase_add_loop_test(tc, transcript, 0, 2);
	tcase_add_test(tc, long_transcript);
	tcase_add_loop_test(tc, sealed, 0, 2);
	tcase_add_loop_test(tc, no_such_chat, 0, 2);
	tcase_add_loop_test(tc, announcements, 0, 2);
	return harness_main(suite);
}
