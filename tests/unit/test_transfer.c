/* SPDX-License-Identifier: MIT
 *
 * Files between two ends that are honest: whole, refused, given up; and the meter.
 */
#include "tests/unit/transfer_ends.h"

/* ---- as it should be ---- */

static const size_t sizes[] = {0, 1, 2, 32767, 32768, 32769, 65536, 200000, 5000000};

START_TEST(whole)
{
	const char *path = make_file("report.pdf", sizes[_i]);
	char want[512];

	ASK(alice, CLIENT_DO_SEND_FILE, path);
	ck_assert_int_eq(alice.view.sending, CLIENT_TRANSFER_PREPARING);
	settle();
	ck_assert_int_eq(alice.view.sending, CLIENT_TRANSFER_ASKED);
	ck_assert_int_eq(bob.view.receiving, CLIENT_TRANSFER_ASKED);
	snprintf(want, sizeof(want), "* offered to bob, %zu bytes: report.pdf\n",
		 sizes[_i]);
	TOLD(alice, want);
	snprintf(want, sizeof(want),
		 "* file offered by alice, /get or /refuse, %zu bytes: report.pdf\n",
		 sizes[_i]);
	TOLD(bob, want);
	ASK(bob, CLIENT_DO_GET, "");
	ck_assert_int_eq(bob.view.receiving, CLIENT_TRANSFER_RUNNING);
	settle();
	snprintf(want, sizeof(want),
		 "* sending to bob, %zu bytes: report.pdf\n"
		 "* delivered to bob, %zu bytes: report.pdf\n",
		 sizes[_i], sizes[_i]);
	TOLD(alice, want);
	snprintf(want, sizeof(want),
		 "* receiving from alice, %zu bytes: report.pdf\n"
		 "* stored from alice, %zu bytes: report.pdf\n",
		 sizes[_i], sizes[_i]);
	TOLD(bob, want);
	same_files("sent/report.pdf", "report.pdf");
	ck_assert_int_eq(alice.view.sending, CLIENT_TRANSFER_NONE);
	ck_assert_int_eq(bob.view.receiving, CLIENT_TRANSFER_NONE);
	ck_assert_int_eq(transfer_deadline(alice.t), 0);
	ck_assert_int_eq(transfer_deadline(bob.t), 0);
}
END_TEST

/* One each way at the same time, and then once more. */
START_TEST(both_ways)
{
	for (int i = 0; i < 2; i++) {
		ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 100000));
		ASK(bob, CLIENT_DO_SEND_FILE, make_file("b", 70000));
		settle();
		ASK(alice, CLIENT_DO_GET, "");
		ASK(bob, CLIENT_DO_GET, "");
		settle();
		ck_assert_ptr_nonnull(strstr(told(&alice), "* delivered to bob, 100000"));
		ck_assert_ptr_nonnull(strstr(alice.taken, "* stored from bob, 70000"));
		ck_assert_ptr_nonnull(strstr(told(&bob), "* delivered to alice, 70000"));
	}
	ck_assert_str_eq(strrchr(bob.path, '/'), "/a-1");
}
END_TEST

/* Nothing is read or sent while too much waits. */
START_TEST(waits_its_turn)
{
	size_t before;

	ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 1000000));
	settle();
	ASK(bob, CLIENT_DO_GET, "");
	ck_assert(deliver(&alice));
	ck_assert_int_eq(transfer_deadline(alice.t), 1);
	ck_assert_int_eq(buf_reserve(&alice.out, TRANSFER_WAITING), Q_OK);
	alice.out.len = TRANSFER_WAITING;
	before = bob.queue.len;
	ck_assert_int_gt(transfer_deadline(alice.t), 1);
	transfer_tick(alice.t, now);
	ck_assert_uint_eq(bob.queue.len, before);
	/* And not all at once when there is room: others want to be heard too. */
	alice.out.len = TRANSFER_WAITING - 1;
	transfer_tick(alice.t, now);
	ck_assert_uint_gt(bob.queue.len, before);
	ck_assert_uint_le(bob.queue.len, before + TRANSFER_WAITING + 1024);
	alice.out.len = 0;
	settle();
	ck_assert_ptr_nonnull(strstr(told(&alice), "* delivered to bob"));
}
END_TEST

START_TEST(progress)
{
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 1000000));
	settle();
	ASK(bob, CLIENT_DO_GET, "");
	ck_assert(deliver(&alice));
	told(&alice);
	told(&bob);
	for (int i = 0; i < 4; i++)
		ck_assert(tick(&alice));
	now += 500;
	transfer_tick(alice.t, now);
	TOLD(alice,
	     "* sent 65%, 655360 of 1000000 bytes, 1310720 bytes/s, 1 s left: a\n");
	while (deliver(&bob))
		;
	TOLD(bob, "* received 3%, 32768 of 1000000 bytes, 65536 bytes/s, 15 s left: a\n");
	/* Nothing moves: the rate sinks, and that is said too. */
	now += 500;
	transfer_tick(bob.t, now);
	ck_assert_ptr_nonnull(strstr(told(&bob), "* received 65%, 655360 of 1000000"));
	ASK(alice, CLIENT_DO_CANCEL, "");
}
END_TEST

/* ---- refused ---- */

START_TEST(too_large)
{
	const char *path = make_file("a", 2001);

	alice.login.file_max = 2000;
	ck_assert_int_eq(ask(&alice, CLIENT_DO_SEND_FILE, path,
			     "not sent: 2001 bytes are too many, 2000 at most"),
			 Q_LIMIT);
	settle();
	ck_assert_int_eq(alice.last, 0);
	alice.login.file_max = 2001;
	bob.login.file_max = 1999;
	ASK(alice, CLIENT_DO_SEND_FILE, path);
	settle();
	TOLD(alice, "* offered to bob, 2001 bytes: a\n"
		    "! file to bob not sent, a: 2001 bytes are too many, 1999 at most\n");
	TOLD(bob, "! file from alice not received, a: 2001 bytes are too many, 1999 at "
		  "most\n");
	ck_assert_int_eq(ask(&bob, CLIENT_DO_GET, "", "no file is offered"), Q_DENIED);
	/* Nothing of it has left. */
	ck_assert_int_eq(alice.last, RELAY_FILE_FIRST);
}
END_TEST

START_TEST(refused)
{
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 5));
	settle();
	ASK(bob, CLIENT_DO_REFUSE, "");
	settle();
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), "! file to bob not sent, a: refused\n"));
	ck_assert_ptr_nonnull(
	    strstr(told(&bob), "* file from alice not received, a: refused\n"));
	ck_assert_int_eq(alice.last, RELAY_FILE_FIRST);
}
END_TEST

START_TEST(no_such_commands)
{
	static const char chat[] = "you are in no chat; files travel in a chat";

	ck_assert_int_eq(ask(&bob, CLIENT_DO_GET, "", "no file is offered"), Q_DENIED);
	ck_assert_int_eq(ask(&bob, CLIENT_DO_REFUSE, "", "no file is offered"), Q_DENIED);
	ck_assert_int_eq(
	    ask(&bob, CLIENT_DO_CANCEL, "", "there is no such file to cancel"), Q_DENIED);
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 5));
	ck_assert_int_eq(
	    ask(&alice, CLIENT_DO_CANCEL, "get", "there is no such file to cancel"),
	    Q_DENIED);
	ck_assert_int_eq(ask(&alice, CLIENT_DO_SEND_FILE, make_file("b", 5),
			     "not sent: one file at a time, and one is on its way; "
			     "/cancel send stops it"),
			 Q_DENIED);
	transfer_end(bob.t, "over");
	ck_assert_int_eq(ask(&bob, CLIENT_DO_SEND_FILE, "x", chat), Q_DENIED);
	ck_assert_int_eq(ask(&bob, CLIENT_DO_GET, "", chat), Q_DENIED);
}
END_TEST

START_TEST(no_files)
{
	char want[600];

	ck_assert_int_eq(ask(&alice, CLIENT_DO_SEND_FILE, "", "no file has such a name"),
			 Q_FORMAT);
	snprintf(want, sizeof(want), "%s is no file that can be sent", tempdir);
	ck_assert_int_eq(ask(&alice, CLIENT_DO_SEND_FILE, tempdir, want), Q_FORMAT);
	ck_assert_int_eq(mkfifo(at("fifo"), 0600), 0);
	ck_assert_int_eq(ask(&alice, CLIENT_DO_SEND_FILE, at("fifo"), NULL), Q_FORMAT);
	ck_assert_int_eq(ask(&alice, CLIENT_DO_SEND_FILE, at("missing"), NULL),
			 Q_MISSING);
	ck_assert_int_eq(alice.view.sending, CLIENT_TRANSFER_NONE);
}
END_TEST

/* ---- given up: by whom, at which stage ---- */

START_TEST(sender_cancels)
{
	go_to((enum stage)_i);
	if (_i == ALL_SENT) /* but the last part has not arrived */
		ck_assert_int_eq(alice.last, RELAY_FILE_LAST);
	ASK(alice, CLIENT_DO_CANCEL, "");
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), "* file to bob not sent, a: cancelled\n"));
	if (_i == ALL_SENT)
		return; /* what is on its way arrives before the word */
	settle();
	if (_i == PREPARING)
		TOLD(bob, "");
	else
		ck_assert_ptr_nonnull(
		    strstr(told(&bob), "! file from alice not received, a: cancelled\n"));
	ck_assert_int_eq(bob.view.receiving, CLIENT_TRANSFER_NONE);
	no_partials();
	/* The next one works. */
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("b", 10));
	settle();
	ASK(bob, CLIENT_DO_GET, "");
	settle();
	ck_assert_ptr_nonnull(strstr(told(&bob), "* stored from alice, 10 bytes: b\n"));
}
END_TEST

START_TEST(receiver_cancels)
{
	go_to((enum stage)_i);
	ASK(bob, CLIENT_DO_CANCEL, _i == ASKED ? "" : "get");
	ck_assert_ptr_nonnull(strstr(told(&bob), "* file from alice not received, a: "));
	no_partials();
	settle();
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), _i == ASKED ? "! file to bob not sent, a: refused\n"
					     : "! file to bob not sent, a: cancelled\n"));
	TOLD(bob, "");
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("b", 10));
	settle();
	ASK(bob, CLIENT_DO_GET, "");
	settle();
	ck_assert_ptr_nonnull(strstr(told(&bob), "* stored from alice, 10 bytes: b\n"));
}
END_TEST

START_TEST(chat_ends)
{
	go_to((enum stage)_i);
	transfer_end(alice.t, "the chat has ended");
	transfer_end(bob.t, "the chat has ended");
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), "! file to bob not sent, a: the chat has ended\n"));
	if (_i != PREPARING)
		ck_assert_ptr_nonnull(
		    strstr(told(&bob),
			   "! file from alice not received, a: the chat has ended\n"));
	no_partials();
	ck_assert_int_eq(transfer_deadline(alice.t), 0);
}
END_TEST

/* Both at the same moment: each has cancelled, neither waits for anything. */
START_TEST(crossing)
{
	go_to(RUNNING);
	ASK(alice, CLIENT_DO_CANCEL, "");
	ASK(bob, CLIENT_DO_CANCEL, "");
	settle();
	TOLD(alice, "* file to bob not sent, a: cancelled\n");
	TOLD(bob, "* file from alice not received, a: cancelled\n");
}
END_TEST

START_TEST(which_one)
{
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 100));
	ASK(bob, CLIENT_DO_SEND_FILE, make_file("b", 100));
	settle();
	ck_assert_int_eq(ask(&alice, CLIENT_DO_CANCEL, "",
			     "a file each way is under way: /cancel send, or get?"),
			 Q_DENIED);
	ASK(alice, CLIENT_DO_CANCEL, "get");
	ck_assert_int_eq(alice.view.sending, CLIENT_TRANSFER_ASKED);
	ck_assert_int_eq(alice.view.receiving, CLIENT_TRANSFER_NONE);
	ASK(alice, CLIENT_DO_CANCEL, "");
}
END_TEST

/* ---- the meter ---- */

START_TEST(meter)
{
	struct transfer_meter m;

	transfer_meter_begin(&m, 1000);
	ck_assert_int_eq(transfer_meter_left_ms(&m, 5), -1);
	ck_assert(!transfer_meter_look(&m, 500, 1499));
	ck_assert(transfer_meter_look(&m, 500, 1500));
	ck_assert_uint_eq(m.rate, 1000);
	ck_assert_int_eq(transfer_meter_left_ms(&m, 2500), 2500);
	ck_assert_int_eq(transfer_meter_left_ms(&m, 0), 0);
	ck_assert_int_eq(transfer_meter_due(&m), 2000);
	/* Slower: a third of the way. */
	ck_assert(transfer_meter_look(&m, 500, 2500));
	ck_assert_uint_eq(m.rate, 666);
	/* Standing still for long: nobody knows. */
	for (int i = 0; i < 40; i++)
		transfer_meter_look(&m, 500, 3500 + 1000 * i);
	ck_assert_uint_eq(m.rate, 0);
	ck_assert_int_eq(transfer_meter_left_ms(&m, 1), -1);
	/* The largest there can be. */
	m.rate = 1;
	ck_assert_int_eq(transfer_meter_left_ms(&m, INT64_MAX), -1);
	m.rate = UINT64_MAX / 2000;
	ck_assert_int_gt(transfer_meter_left_ms(&m, INT64_MAX), 0);
}
END_TEST

#define LOOP(t, test, table) \
	tcase_add_loop_test(t, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

static Suite *
suite(void)
{
	Suite *s = suite_create("transfer");
	TCase *t = tcase_create("transfer");

	tcase_add_checked_fixture(t, setup, teardown);
	LOOP(t, whole, sizes);
	tcase_add_test(t, both_ways);
	tcase_add_test(t, waits_its_turn);
	tcase_add_test(t, progress);
	tcase_add_test(t, too_large);
	tcase_add_test(t, refused);
	tcase_add_test(t, no_such_commands);
	tcase_add_test(t, no_files);
	tcase_add_loop_test(t, sender_cancels, PREPARING, STAGES);
	tcase_add_loop_test(t, receiver_cancels, ASKED, RUNNING + 1);
	tcase_add_loop_test(t, chat_ends, PREPARING, STAGES);
	tcase_add_test(t, crossing);
	tcase_add_test(t, which_one);
	tcase_add_test(t, meter);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
