/* SPDX-License-Identifier: MIT
 *
 * The teacher's controls: who is banned gets in by no protocol and is told why, who is
 * muted may read, and both end by themselves.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

/* Before board_play.h, whose ENGINE is no type of libcrypto's. */
#include "tests/system/rooms_talk.h"

#include "tests/system/board_play.h"
#include "tests/system/client_contacts.h"
#include "tests/system/client_rooms.h"
#include "tests/system/nodes_peer.h"
#include "tests/system/relay_peer.h"
#include "tests/system/run_command.h"

static struct harness *h;

#define BAN(name)         harness_admin(h, "user", "ban", name, "--reason", "the plug", NULL)
#define UNBAN(name)       harness_admin(h, "user", "unban", name, NULL)
#define MUTE(name)        harness_admin(h, "user", "mute", name, "--reason", "hush", NULL)
#define UNMUTE(name)      harness_admin(h, "user", "unmute", name, NULL)
#define BANNED            "You are banned: the plug"
#define MUTED             "You are muted: hush"
#define SHORT             "2s"
#define SHORT_MS          2000
#define BAN_SHORTLY(name) harness_admin(h, "user", "ban", name, "--for", SHORT, NULL)

/* ---- the commands ---- */

/* The same with a server (_i = 1) and without. */
START_TEST(commands)
{
	char longer[5121];

	h = harness_new();
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	if (_i == 1)
		harness_boot(h, NULL);
	ck_assert_int_eq(RUN("user", "add", "Bob"), 0);
	ck_assert_int_eq(RUN("user", "ban", "carol"), 1);
	ck_assert(said("server: there is no user carol\n"));
	ck_assert_int_eq(RUN("user", "ban", "bob", "--for", "30"), 1);
	ck_assert(said("server: --for must be 1s to 3650d\n"));
	ck_assert_int_eq(RUN("user", "ban", "bob", "--for", "soon"), 1);
	ck_assert_int_eq(RUN("user", "ban", "bob", "--reason", "a\033b"), 1);
	ck_assert_int_eq(RUN("user", "ban", "bob", "--reason", longer), 1);
	ck_assert(said("the reason must have 1 to 200 bytes"));
	ck_assert_int_eq(RUN("user", "ban", "bob", "--reason", ""), 1);
	ck_assert(said("the reason must have 1 to 200 bytes"));
	ck_assert_int_eq(RUN("user", "ban", "bob", "--for", "1h", "--for", "2h"), 2);
	ck_assert_int_eq(RUN("user", "unban", ".."), 1);
	ck_assert_int_eq(RUN("user", "ban", "bob", "--because", "x"), 2);
	ck_assert_int_eq(RUN("user", "unban", "bob"), 1);
	ck_assert(said("server: Bob is not banned\n"));
	ck_assert_int_eq(RUN("user", "list"), 0);
	ck_assert(!said("banned") && !said("muted"));
	ck_assert_int_eq(RUN("user", "ban", "BOB", "--for", "2h", "--reason", "the plug"),
			 0);
	ck_assert(said("Bob is banned until 20"));
	ck_assert_int_eq(RUN("user", "mute", "bob"), 0);
	ck_assert(said("Bob is muted until user unmute\n"));
	ck_assert_int_eq(RUN("user", "show", "bob"), 0);
	ck_assert(said("\nbanned: until 20") && said(": the plug\n"));
	ck_assert(said("\nmuted: until user unmute\n"));
	ck_assert_int_eq(RUN("user", "list"), 0);
	ck_assert(said("  banned until 20") && said("  muted until user unmute\n"));
	ck_assert_int_eq(RUN("check"), 0);
	ck_assert_int_eq(RUN("user", "unban", "bob"), 0);
	ck_assert(said("Bob is not banned any more\n"));
	ck_assert_int_eq(RUN("user", "unmute", "bob"), 0);
	ck_assert_int_eq(RUN("user", "show", "bob"), 0);
	ck_assert(!said("banned") && !said("muted"));
	if (_i == 1) {
		ck_assert(harness_logged(h, " user-ban name=Bob until=\"20"));
		ck_assert(harness_logged(h, " reason=\"the plug\""));
		ck_assert(harness_logged(h, " user-mute name=Bob until=\"user unmute\""));
		ck_assert(harness_logged(h, " user-unban name=Bob"));
		ck_assert(harness_logged(h, " user-unmute name=Bob"));
	}
	harness_free(h);
}
END_TEST

/* What a person does to the files counts from the next reload on. */
START_TEST(files_by_hand)
{
	struct play *s = play_start("alice bob", NULL);
	struct buf file = BUF_INIT(4096);
	char path[HARNESS_PATH + 32];

	h = play_harness(s);
	BAN("bob");
	ck_assert(harness_read(h, "restrictions/bob", &file));
	snprintf(path, sizeof(path), "%s/restrictions/bob", h->data);
	PLAY(s, "b> 110 bob " PLAY_PASSWORD, "b< 212 414 bob", "alice: login");
	ck_assert_int_eq(unlink(path), 0);
	harness_admin(h, "ctl", "reload", NULL);
	PLAY(s, "b> 110 bob " PLAY_PASSWORD, "b< 212 400 bob");
	harness_write(h, "restrictions/alice", buf_span(&file));
	harness_write(h, "restrictions/bob", span_str("what is this?"));
	harness_admin(h, "ctl", "reload", NULL);
	PLAY(s, "alice: end", "b: end", "c> 110 bob " PLAY_PASSWORD, "c< 212 414 bob");
	ck_assert(harness_logged(h, " restrictions-unreadable name=bob"));
	ck_assert_int_eq(RUN("user", "show", "bob"), 0);
	ck_assert(said("banned: until user unban: the entry cannot be read"));
	ck_assert_int_eq(RUN("user", "mute", "bob"), 1);
	ck_assert(said("restrictions/bob cannot be read"));
	UNBAN("bob");
	PLAY(s, "c> 110 bob " PLAY_PASSWORD, "c< 212 400 bob");
	/* One that can be neither read nor replaced. */
	ck_assert_int_eq(mkdir(path, 0700), 0);
	harness_admin(h, "ctl", "reload", NULL);
	PLAY(s, "c: end");
	ck_assert_int_eq(RUN("user", "mute", "bob"), 1);
	ck_assert(said("restrictions/bob cannot be read"));
	UNBAN("bob");
	PLAY(s, "d> 110 bob " PLAY_PASSWORD, "d< 212 400 bob");
	/* One that has gone without a reload: what the server knows can be lifted too. */
	BAN("bob");
	ck_assert_int_eq(unlink(path), 0);
	PLAY(s, "d: end", "e> 110 bob " PLAY_PASSWORD, "e< 212 414 bob");
	UNBAN("bob");
	PLAY(s, "e> 110 bob " PLAY_PASSWORD, "e< 212 400 bob");
	/* And one that is nobody's. */
	harness_write(h, "restrictions/nobody", buf_span(&file));
	ck_assert_int_eq(RUN("user", "unmute", "nobody"), 1);
	ck_assert(said("there is no user nobody"));
	UNBAN("nobody");
	ck_assert_int_eq(RUN("user", "unban", "nobody"), 1);
	buf_free(&file);
	play_end(s);
}
END_TEST

/* Whoever gets the name of somebody who was removed inherits nothing. */
START_TEST(removed)
{
	struct play *s = play_start("alice bob", NULL);

	h = play_harness(s);
	BAN("bob");
	MUTE("bob");
	harness_admin(h, "user", "remove", "bob", NULL);
	PLAY(s, "b> 117 bob " PLAY_PASSWORD " bob@example.org x", "b< 222 400",
	     "b> 110 bob " PLAY_PASSWORD, "b< 212 400 bob", "b> 121 alice", "b< 232 400");
	play_end(s);
}
END_TEST

/* ---- contacts ---- */

START_TEST(contacts)
{
	struct play *s = play_start("alice bob carol", NULL);

	h = play_harness(s);
	play_befriend(s, "alice", "bob");
	BAN("Bob");
	PLAY(s, "bob: end",
	     /* Only who knows the password is told. */
	     "b> 110 bob wrong-123", "b< 212 406 bob", "b> 110 BOB " PLAY_PASSWORD,
	     "b< 212 414 BOB", "b> 112", "b< 211 407");
	/* After a restart too. */
	PLAY(s, "alice: close", "b: close");
	harness_stop(h);
	harness_restart(h);
	PLAY(s, "b> 110 bob " PLAY_PASSWORD, "b< 212 414 bob");
	UNBAN("bob");
	PLAY(s, "b> 110 bob " PLAY_PASSWORD, "b< 212 400 bob", "alice: login");
	MUTE("bob");
	PLAY(s, "b> 115 1 hello", "b< 219 415", "b> 115 1 \"\" data:,picture",
	     "b< 219 415", "b> 121 carol", "b< 232 415", "b> 113 alice", "b< 217 415",
	     "b> 115 7 hello", "b< 219 408", "alice> 115 1 quiet now", "alice< 219 400",
	     "b< 220 1 1000000000001 quiet now", "alice: nothing");
	UNMUTE("bob");
	PLAY(s, "b> 115 1 sorry", "b< 219 400", "alice< 220 1 1000000000002 sorry");
	ck_assert(harness_logged(h, " login-banned ") && harness_logged(h, " muted "));
	play_end(s);
}
END_TEST

/* Without a word, and without a restart. */
START_TEST(ends_by_itself)
{
	struct play *s = play_start("alice bob", NULL);
	struct line_peer *b;
	int64_t until = harness_deadline(HARNESS_WAIT), since_ms;

	h = play_harness(s);
	b = play_peer(s, "b");
	since_ms = clock_wall_ms();
	BAN_SHORTLY("bob");
	for (;;) {
		struct span line;

		line_say(b, "110 bob " PLAY_PASSWORD);
		line = line_expect(b);
		if (span_eq(line, span_str("212 400 bob")))
			break;
		ck_assert(span_eq(line, span_str("212 414 bob")));
		harness_nap(until, "the ban ends");
	}
	ck_assert_int_ge(clock_wall_ms() - since_ms, SHORT_MS);
	ck_assert_int_eq(RUN("user", "unban", "bob"), 1);
	play_end(s);
}
END_TEST

/* ---- board ---- */

START_TEST(board)
{
	struct board_play *s = board_start("alice bob", NULL);

	board_about(s, _i);
	h = board_harness(s);
	MUTE("bob");
	BOARD(s, "bob? chat-msg $a,$c,'x'", "bob< chat-response -1,'" MUTED "'",
	      "bob< ack -1,'" MUTED "'", "bob? typing $c", "bob< ack -1,'" MUTED "'",
	      "bob> new-anons 'a','b'", "bob< new-anons-response -1,'" MUTED "'",
	      /* Reading is not speaking. */
	      "bob> join-chat $a,$c", "bob< join-chat-response $a,$c,'OK'",
	      "alice> chat-msg $a,$c,'quiet now'",
	      "alice< chat-msg $m,$a,$c,'alice',#t,'quiet now'",
	      "alice< chat-response 1,'OK'",
	      "bob< chat-msg $m,$a,$c,'alice',#t,'quiet now'");
	UNMUTE("bob");
	BOARD(s, "bob> chat-msg $a,$c,'sorry'", "bob< chat-msg $n,$a,$c,'bob',#u,'sorry'",
	      "bob< chat-response 1,'OK'");
	board_end(s);
}
END_TEST

START_TEST(board_ban)
{
	struct board_play *s = board_start("alice bob", NULL);

	board_polls(s, _i);
	h = board_harness(s);
	BOARD(s, "a: open", "a> auth-request 'bob','geheim-123'",
	      "a< auth-response 1,$uin,{'username':'bob','token':$t,'expires':*}");
	BAN("bob");
	BOARD(s, "a< notice '" BANNED "'", "a: kicked",
	      /* Nor with the token; who knows neither is told nothing. */
	      "b: open {'token':$t}", "b< auth-response -1,'" BANNED "'",
	      "b> auth-request 'bob','wrong-123'", "b< auth-response -1,$why",
	      "b> auth-request 'nobody','wrong-123'", "b< auth-response -1,$why",
	      "b> auth-request 'bob'", "b< auth-response -1,$why",
	      "b? auth-request 'bob','geheim-123'", "b< auth-response -1,'" BANNED "'",
	      "b< ack -1,'" BANNED "'");
	UNBAN("bob");
	BOARD(s, "c: enter $t");
	board_end(s);
}
END_TEST

/* A guest has but the name, and would come back under it. */
START_TEST(board_guest)
{
	struct board_play *s = board_start("", "board.guests=yes", NULL);

	h = board_harness(s);
	BOARD(s, "a: open", "a> auth-request 'visitor'", "a< auth-response 1,...");
	BAN("visitor");
	BOARD(s, "a< notice '" BANNED "'", "a: kicked", "b: open",
	      "b> auth-request 'visitor'", "b< auth-response -1,'" BANNED "'");
	UNBAN("visitor");
	/* One who is muted does not lose that by going. */
	BOARD(s, "b> auth-request 'visitor'", "b< auth-response 1,...");
	MUTE("visitor");
	BOARD(s, "b> logout", "b< logout-response 1,*", "b> auth-request 'visitor'",
	      "b< auth-response 1,...", "b> new-anons 'a','b'",
	      "b< new-anons-response -1,'" MUTED "'");
	UNMUTE("visitor");
	BOARD(s, "b: close");
	HARNESS_UNTIL(harness_logged(h, " guest-gone name=visitor"));
	board_end(s);
}
END_TEST

/* ---- rooms ---- */

static void
expect_reason(struct rooms_peer *p, const char *sig, const char *desc)
{
	ck_assert_str_eq(rp_text(rp_hear_status(p, sig), "desc"), desc);
}

START_TEST(rooms)
{
	struct rooms_peer *a, *b, *again;
	struct rt_id room;
	char *pem, *key;

	h = rp_start("rooms.captcha=off", NULL);
	a = rp_enter(h, "alice");
	b = rp_enter(h, "bob");
	room = rt_room(a, RT_GROUP, "bob", b, NULL);
	MUTE("bob");
	rt_action(b, room, "send", "'format': 'msg-text', 'content': 'x'");
	expect_reason(b, "MUTED", MUTED);
	rp_say(b, "{'type': 'CREATE_ROOM', 'data': {'room-type': 1, 'room-name': 'x', "
		  "'people': ['alice']}}");
	expect_reason(b, "MUTED", MUTED);
	/* A new key says nothing to anybody. */
	pem = rp_make_pem();
	key = rp_escape(pem);
	rp_say(b, "{'type': 'CHAT_ENCRYPT_C', 'data': {'chat_pubkey': '%s'}}", key);
	rp_hear_status(b, "CHAT_PUBKEY_OK");
	rt_hear(a, room, "pubkey");
	free(pem);
	free(key);
	rt_send(a, room, "quiet now");
	rt_recv(b, room, "alice", "quiet now");
	UNMUTE("bob");
	rt_send(b, room, "sorry");
	rt_recv(a, room, "bob", "sorry");
	BAN("bob");
	rp_hear_close(b, 1008);
	again = rp_connect(h);
	rp_try_token(again, "bob", b->token);
	expect_reason(again, "BANNED", BANNED);
	rp_try_password(again, "bob", "wrong horse");
	rp_hear_status(again, "LOGIN_INCORRECT");
	rp_try_password(again, "bob", RP_PASSWORD);
	expect_reason(again, "BANNED", BANNED);
	UNBAN("bob");
	rp_try_token(again, "bob", b->token);
	rp_hear_status(again, "LOGIN_OK");
	rp_free(again), rp_free(a), rp_free(b);
	harness_free(h);
}
END_TEST

/* ---- relay ---- */

static void
expect_text(struct peer *p, int32_t opcode, const char *text)
{
	ck_assert(span_eq(peer_expect(p, opcode), span_str(text)));
}

START_TEST(relay)
{
	struct peer *a, *b;

	h = harness_start(NULL, NULL);
	harness_add_users(h, "alice", "bob", NULL);
	a = peer_login(h, "alice");
	b = peer_login(h, "bob");
	BAN("Bob");
	expect_text(b, RELAY_FORCED_LOGOUT, BANNED);
	peer_expect_end(b);
	peer_free(b);
	b = peer_connect(h);
	peer_hello(b, "bob");
	peer_prove(b, harness_key(h, "alice"));
	peer_expect_end(b);
	peer_free(b);
	b = peer_connect(h);
	peer_hello(b, "bob");
	peer_prove(b, harness_key(h, "bob"));
	expect_text(b, RELAY_FORCED_LOGOUT, BANNED);
	peer_expect_end(b);
	peer_free(b);
	UNBAN("bob");
	b = peer_login(h, "bob");
	peer_send_bare(b, RELAY_NOTICE);
	MUTE("bob");
	peer_request(b, "alice");
	expect_text(b, RELAY_NOTICE, MUTED);
	peer_expect_bare(b, RELAY_CHAT_DENIED);
	peer_expect_nothing(a);
	/* He may be spoken to; when he speaks, the chat is over. */
	peer_chat(a, b);
	peer_say_text(a, "quiet now");
	peer_hear_text(b, "quiet now");
	peer_say_text(b, "but");
	expect_text(b, RELAY_NOTICE, MUTED);
	peer_expect_bare(b, RELAY_CLOSED_CHAT);
	peer_expect_bare(a, RELAY_CLOSED_CHAT);
	UNMUTE("bob");
	peer_chat(b, a);
	peer_talk(b, a);
	peer_free(a);
	peer_free(b);
	harness_free(h);
}
END_TEST

/* ---- nodes ---- */

START_TEST(nodes)
{
	struct nodes_peer *a, *b, *data[2];
	uint32_t bob;

	h = harness_start(NULL, NULL);
	harness_add_users(h, "alice", "bob", NULL);
	a = nodes_login(h, "alice");
	b = nodes_login(h, "bob");
	bob = b->uin;
	nodes_call(h, a, h, b, data);
	MUTE("bob");
	/* What he says in there nobody could refuse. */
	nodes_expect_end(data[0]);
	nodes_expect_end(data[1]);
	nodes_close(data[0]);
	nodes_close(data[1]);
	nodes_say(b, NODES_CALL, a->uin);
	nodes_expect(b, NODES_NOT_FOUND, a->uin);
	nodes_expect_nothing(a);
	nodes_say(a, NODES_CALL, bob);
	nodes_expect(b, NODES_CALLED, a->uin);
	nodes_say(b, NODES_ALLOW, a->uin);
	nodes_expect(a, NODES_NOT_FOUND, bob);
	UNMUTE("bob");
	nodes_call(h, a, h, b, data);
	BAN("bob");
	nodes_expect(b, NODES_NOT_FOUND, bob);
	nodes_expect_end(b);
	nodes_expect_end(data[0]);
	nodes_expect_end(data[1]);
	nodes_close(b);
	b = nodes_control_open(h, NULL, harness_key(h, "bob"), "bob");
	ck_assert_ptr_nonnull(b);
	nodes_expect(b, NODES_NOT_FOUND, bob);
	nodes_expect_end(b);
	nodes_close(b);
	UNBAN("bob");
	b = nodes_login(h, "bob");
	nodes_close(data[0]), nodes_close(data[1]);
	nodes_close(a), nodes_close(b);
	harness_free(h);
}
END_TEST

/* ---- the companion client ---- */

/* It says why, and does not come back however much it likes to. */
START_TEST(client_contacts)
{
	struct run *bob;

	h = cc_start(NULL);
	cc_sign_up(h, "bob");
	bob = run_start(h, "bob", "SERVER", "--protocol", "contacts", "--user", "bob",
			"--reconnect", NULL);
	run_until(bob, "* logged in as bob\n");
	BAN("bob");
	ck_assert_int_ne(run_ended(bob), 0);
	ck_assert(run_complained(bob, "you are banned from this server"));
	run_free(bob);
	harness_free(h);
}
END_TEST

START_TEST(client_rooms)
{
	struct run *bob;

	h = cr_start();
	cr_sign_up(h, "bob");
	bob = cr_log_in(h, "bob", "bob", "--reconnect", NULL);
	BAN("bob");
	ck_assert_int_ne(run_ended(bob), 0);
	ck_assert(run_complained(bob, BANNED));
	run_free(bob);
	/* Nor does it begin. */
	bob = run_start(h, "bob", "SERVER", "--protocol", "rooms", "--user", "bob",
			"--reconnect", NULL);
	ck_assert_int_ne(run_ended(bob), 0);
	ck_assert(run_complained(bob, BANNED));
	run_free(bob);
	harness_free(h);
}
END_TEST

START_TEST(client_relay)
{
	struct run *bob;

	h = harness_start(NULL, NULL);
	bob = run_enter(h, "bob", "--reconnect", NULL);
	MUTE("bob");
	run_enrol(h, "alice");
	run_say(bob, "/chat alice\n");
	run_until(bob, MUTED);
	BAN("bob");
	ck_assert_int_ne(run_ended(bob), 0);
	ck_assert(run_complained(bob, BANNED));
	run_free(bob);
	bob = run_start(h, "bob", "SERVER", "--user", "bob", "--reconnect", NULL);
	ck_assert_int_ne(run_ended(bob), 0);
	ck_assert(run_complained(bob, BANNED));
	run_free(bob);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("moderation");
	TCase *tc = harness_case(suite, "moderation");

	tcase_add_loop_test(tc, commands, 0, 2);
	tcase_add_test(tc, files_by_hand);
	tcase_add_test(tc, removed);
	tcase_add_test(tc, contacts);
	tcase_add_test(tc, ends_by_itself);
	tcase_add_loop_test(tc, board, 0, 2);
	tcase_add_loop_test(tc, board_ban, 0, 2);
	tcase_add_test(tc, board_guest);
	tcase_add_test(tc, rooms);
	tcase_add_test(tc, relay);
	tcase_add_test(tc, nodes);
	tcase_add_test(tc, client_contacts);
	tcase_add_test(tc, client_rooms);
	tcase_add_test(tc, client_relay);
	return harness_main(suite);
}
