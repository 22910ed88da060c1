/* SPDX-License-Identifier: MIT
 *
 * Chats, unread messages and files in the client's contacts machine.
 */
#include "tests/unit/contacts_fake.h"

START_TEST(talking)
{
	struct fake *f = chatting();

	ASK_OK(f, CLIENT_DO_SAY, "hello \"bob\"\t\\ \xc5\xbc");
	SENT(f, "115 7 \"hello \\\"bob\\\"\\t\\\\ \xc5\xbc\"\n");
	ck_assert_uint_eq(f->view.on_the_way, 1);
	say(f, "220 7 10 hi\n219 400\n");
	ck_assert_uint_eq(f->view.on_the_way, 0);
	EVENTS(f, "message bob hi;");
	SENT(f, "122 7 10\n");
	/* The server is not sure that we have it. */
	say(f, "220 7 10 hi\n220 7 9 older\n220 7 11 there\n");
	EVENTS(f, "message bob there;");
	SENT(f, "122 7 11\n");
	ck_assert_int_eq(ASK(f, CLIENT_DO_SAY, ""), Q_FORMAT);
	ck_assert_int_eq(ASK(f, CLIENT_DO_SAY, "\xff"), Q_FORMAT);
	ck_assert_int_eq(ask_span(f, CLIENT_DO_SAY, span_of("a\0b", 3)), Q_FORMAT);
	ASK_OK(f, CLIENT_DO_END, "");
	EVENTS(f, "closed bob closed;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_FREE);
	ck_assert_int_eq(ASK(f, CLIENT_DO_SAY, "x"), Q_DENIED);
	ck_assert_int_eq(ASK(f, CLIENT_DO_END, ""), Q_DENIED);
	ck_assert_int_eq(ASK(f, CLIENT_DO_DELETE, ""), Q_DENIED);
	SENT(f, "");
	fake_free(f);
}
END_TEST

/* Quoting doubles some characters. */
START_TEST(longest)
{
	struct fake *f = chatting();
	char *text = malloc(CONTACTS_LINE_MAX + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, _i == 0 ? 'x' : '"', CONTACTS_LINE_MAX);
	text[client_contacts.text_max] = '\0';
	ck_assert_int_eq(ASK(f, CLIENT_DO_SAY, text), _i == 0 ? Q_OK : Q_LIMIT);
	if (_i == 0)
		ck_assert_uint_le(f->out.len - 1, CONTACTS_LINE_MAX);
	else
		SENT(f, "");
	/* And the queue is in step. */
	f->out.len = 0;
	ASK_OK(f, CLIENT_DO_SAY, "next");
	say(f, _i == 0 ? "219 400\n219 400\n" : "219 400\n");
	EVENTS(f, "");
	free(text);
	fake_free(f);
}
END_TEST

START_TEST(refused_messages)
{
	struct fake *f = chatting();

	ASK_OK(f, CLIENT_DO_SAY, "one");
	ASK_OK(f, CLIENT_DO_SAY, "two");
	ASK_OK(f, CLIENT_DO_SAY, "three");
	say(f, "219 411\n219 413\n219 408\n");
	EVENTS(f, "failed not sent to bob: bob is no contact of yours: /add bob asks; it "
		  "was: one;"
		  "failed not sent to bob: the server cannot do that now; it was: two;"
		  "failed not sent to bob: that chat has been deleted; it was: three;"
		  "closed bob it has been deleted;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_FREE);
	fake_free(f);
}
END_TEST

START_TEST(new_chat)
{
	struct fake *f = chatting();

	ASK_OK(f, CLIENT_DO_CHAT, "dora");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_ASKING);
	ck_assert(f->view.busy);
	ck_assert_int_eq(ASK(f, CLIENT_DO_SAY, "too early"), Q_DENIED);
	SENT(f, "113 dora\n");
	say(f, "217 400\n");
	SENT(f, "112\n");
	say(f, "214 3\n215 7 alice bob\n215 9 carol alice\n215 12 alice Dora\n216\n");
	EVENTS(f, "ready Dora;");
	ck_assert_str_eq(f->view.partner, "Dora");
	ck_assert(!f->view.busy);
	ASK_OK(f, CLIENT_DO_SAY, "hello");
	SENT(f, "115 12 \"hello\"\n");
	say(f, "219 400\n");
	/* No contact, no user, gone again. */
	ASK_OK(f, CLIENT_DO_CHAT, "emil");
	say(f, "217 411\n");
	EVENTS(f, "failed emil is no contact of yours: /add emil asks;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_FREE);
	ck_assert_str_eq(f->view.partner, "");
	ASK_OK(f, CLIENT_DO_CHAT, "emil");
	say(f, "217 400\n214 1\n215 7 alice bob\n216\n");
	EVENTS(f, "failed the chat with emil has been deleted again;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_FREE);
	fake_free(f);
}
END_TEST

START_TEST(deleting)
{
	struct fake *f = chatting();

	ASK_OK(f, CLIENT_DO_DELETE, "");
	SENT(f, "114 7\n");
	if (_i == 0) {
		say(f, "218 400\n");
		EVENTS(f,
		       "closed bob it has been deleted;done deleted the chat with bob;");
	} else {
		say(f, "218 413\n");
		EVENTS(f, "failed the server cannot do that now;");
		ck_assert_int_eq(f->view.phase, CLIENT_PHASE_CHATTING);
	}
	ck_assert(!f->view.busy);
	fake_free(f);
}
END_TEST

/* ---- unread ---- */

START_TEST(unread)
{
	struct fake *f = chatting();

	say(f, "220 9 5 one\n220 7 6 from bob\n220 9 7 \"two\" 3\n");
	EVENTS(f, "message bob from bob;unread carol 2;");
	ck_assert_uint_eq(f->view.unread, 2);
	SENT(f, "122 7 6\n"); /* and nothing of chat 9 */
	say(f, "220 9 8 three\n");
	EVENTS(f, "unread carol 3;");
	ASK_OK(f, CLIENT_DO_CHAT, "carol");
	EVENTS(f, "ready carol;message carol one;message carol two;message carol three;");
	ck_assert_uint_eq(f->view.unread, 0);
	SENT(f, "122 9 8\n119 3\n");
	say(f, "220 7 9 bob again\n");
	EVENTS(f, "unread bob 1;");
	SENT(f, "");
	fake_free(f);
}
END_TEST

/* What comes before the list of chats, and from chats that are not in it. */
START_TEST(unknown_chat)
{
	struct fake *f = fake_new();

	client_contacts.begin(f->machine, f->now);
	say(f, "212 400 alice\n220 7 5 early\n");
	EVENTS(f, "logged-in alice;");
	ck_assert_uint_eq(f->view.unread, 0);
	say(f, "214 1\n215 7 bob alice\n216\n");
	EVENTS(f, "unread bob 1;");
	ck_assert_uint_eq(f->view.unread, 1);
	sent(f);
	say(f, "220 8 6 who is it\n");
	SENT(f, "112\n");
	/* A list that is older than the chat, then one that has it. */
	say(f, "214 1\n215 7 bob alice\n216\n");
	SENT(f, "112\n");
	say(f, "214 2\n215 7 bob alice\n215 8 carol alice\n216\n");
	EVENTS(f, "unread carol 1;");
	/* One that is never told is let go. */
	say(f, "220 10 6 lost\n");
	for (int i = 0; i < 3; i++) {
		SENT(f, "112\n");
		say(f, "214 2\n215 7 bob alice\n215 8 carol alice\n216\n");
	}
	SENT(f, "");
	EVENTS(f, "");
	fake_free(f);
}
END_TEST

/* More than is kept is counted, and neither shown nor confirmed behind the gap. */
START_TEST(too_much_unread)
{
	enum { LONG = 60000, MANY = 150 };
	struct fake *f = logged_in();
	char *line = malloc(LONG + 64), last[64];
	size_t shown = 0;

	ck_assert_ptr_nonnull(line);
	for (int i = 1; i <= MANY; i++) {
		int n = snprintf(line, 64, "220 9 %d ", i);

		memset(line + n, 'x', LONG);
		strlcpy(line + n + LONG, "\n", 2);
		ck_assert_int_eq(buf_put_str(&f->in, line), Q_OK);
	}
	say(f, "");
	EVENTS(f, "unread carol 150;");
	SENT(f, "");
	ASK_OK(f, CLIENT_DO_CHAT, "carol");
	events(f);
	ck_assert_ptr_nonnull(strstr(f->taken, "failed more has come than can be kept "
					       "here: "));
	sent(f);
	ck_assert_int_eq(sscanf(f->taken, "122 9 %zu\n", &shown), 1);
	ck_assert_uint_gt(shown, 100);
	ck_assert_uint_lt(shown, MANY);
	snprintf(last, sizeof(last), "unread carol %zu;", MANY - shown + 1);
	say(f, "220 9 151 one more\n");
	EVENTS(f, last);
	SENT(f, "");
	free(line);
	fake_free(f);
}
END_TEST

/* A server that does not know 122 answers each with 210. */
START_TEST(no_122)
{
	struct fake *f = fake_new();

	client_contacts.begin(f->machine, f->now);
	say(f, "212 400 alice\n210\n214 1\n215 7 bob alice\n216\n");
	ASK_OK(f, CLIENT_DO_CHAT, "bob");
	EVENTS(f, "logged-in alice;ready bob;");
	sent(f);
	say(f, "220 7 5 one\n");
	EVENTS(f, "message bob one;");
	SENT(f, "");
	ASK_OK(f, CLIENT_DO_SAY, "two");
	say(f, "219 413\n");
	EVENTS(f, "failed not sent to bob: the server cannot do that now; it was: two;");
	fake_free(f);
}
END_TEST

/* Several may be under way when the first 210 comes. */
START_TEST(no_122_late)
{
	struct fake *f = chatting();

	say(f, "220 7 5 one\n");
	say(f, "220 7 6 two\n");
	SENT(f, "122 7 5\n122 7 6\n");
	ASK_OK(f, CLIENT_DO_SAY, "three");
	say(f, "210\n210\n219 400\n");
	EVENTS(f, "message bob one;message bob two;");
	ASK_OK(f, CLIENT_DO_LIST, "");
	say(f, "228 400\n229 0\n231\n");
	EVENTS(f, "list-end;");
	fake_free(f);
}
END_TEST

/* The queue of requests is bounded, and says so before it is full. */
START_TEST(many_under_way)
{
	struct fake *f = chatting();
	int n = 0;

	while (!f->view.busy) {
		ASK_OK(f, CLIENT_DO_SAY, "x");
		ck_assert_int_lt(++n, 5000);
	}
	ck_assert_int_gt(n, 1000);
	while (ASK(f, CLIENT_DO_SAY, "x") == Q_OK)
		ck_assert_int_lt(++n, 5000);
	ck_assert_int_eq(ASK(f, CLIENT_DO_SAY, "x"), Q_FULL);
	ck_assert_uint_eq(f->view.on_the_way, (size_t)n);
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(buf_put_str(&f->in, "219 400\n"), Q_OK);
	say(f, "");
	ck_assert_uint_eq(f->view.on_the_way, 0);
	ck_assert(!f->view.busy);
	EVENTS(f, "");
	fake_free(f);
}
END_TEST

/* ---- files ---- */

START_TEST(file_comes)
{
	struct fake *f = chatting();

	say(f, "220 7 5 \"cat.png\" 41\n220 7 6 \"\" 42\n");
	EVENTS(f, "message bob cat.png;message bob;");
	SENT(f, "122 7 6\n119 41\n");
	say(f, "227 400 data:image/png;base64,AAEC\n");
	EVENTS(f, "file bob #41 image/png 3 cat.png;");
	SENT(f, "119 42\n");
	say(f, "227 412\n");
	EVENTS(f, "file bob #42;");
	ASK_OK(f, CLIENT_DO_SAVE, "41");
	SENT(f, "119 41\n");
	ck_assert(f->view.busy);
	say(f, "227 400 data:image/png;base64,AAEC\n");
	EVENTS(f, "contents bob #41 image/png 3 cat.png;");
	ck_assert(span_eq(buf_span(&f->content), span_of("\x00\x01\x02", 3)));
	ASK_OK(f, CLIENT_DO_SAVE, "99");
	say(f, "227 400 data:,a%20b\n");
	EVENTS(f, "contents  #99 text/plain;charset=US-ASCII 3;");
	ck_assert(span_eq(buf_span(&f->content), span_str("a b")));
	ASK_OK(f, CLIENT_DO_SAVE, "5");
	say(f, "227 412\n");
	EVENTS(f, "failed there is no such file;");
	ck_assert_int_eq(ASK(f, CLIENT_DO_SAVE, "0"), Q_FORMAT);
	ck_assert_int_eq(ASK(f, CLIENT_DO_SAVE, "x"), Q_FORMAT);
	ck_assert_int_eq(ASK(f, CLIENT_DO_SAVE, "99999999999999999999"), Q_FORMAT);
	fake_free(f);
}
END_TEST

/* At most so many are looked at; the others are named all the same. */
START_TEST(many_files)
{
	struct fake *f = chatting();
	char line[64];

	for (int i = 1; i <= 70; i++) {
		snprintf(line, sizeof(line), "220 7 %d \"f%d\" %d\n", i, i, i);
		ck_assert_int_eq(buf_put_str(&f->in, line), Q_OK);
	}
	say(f, "");
	SENT(f, "122 7 70\n119 1\n");
	events(f);
	ck_assert_ptr_nonnull(strstr(f->taken, "file bob #65 f65;"));
	ck_assert_ptr_null(strstr(f->taken, "file bob #64"));
	for (int i = 1; i <= 64; i++)
		say(f, "227 400 data:,x\n");
	events(f);
	ck_assert_ptr_nonnull(
	    strstr(f->taken, "file bob #64 text/plain;charset=US-ASCII 1 f64;"));
	fake_free(f);
}
END_TEST

START_TEST(file_goes)
{
	static const char good[] = "a b.png\0data:image/png;base64,AAEC";
	static const char *const bad[] = {"", "x", "x\0text", "\xff\0data:,x",
					  "x\0data:,"};
	static const size_t lens[] = {0, 1, 6, 10, 8};
	struct fake *f = logged_in();
	struct span arg = span_of(good, sizeof(good) - 1);

	ck_assert_int_eq(ask_span(f, CLIENT_DO_SEND, arg), Q_DENIED);
	ASK_OK(f, CLIENT_DO_CHAT, "bob");
	EVENTS(f, "ready bob;");
	for (size_t i = 0; i < 5; i++)
		ck_assert_int_eq(ask_span(f, CLIENT_DO_SEND, span_of(bad[i], lens[i])),
				 Q_FORMAT);
	SENT(f, "");
	ck_assert_int_eq(ask_span(f, CLIENT_DO_SEND, arg), Q_OK);
	SENT(f, "115 7 \"a b.png\" data:image/png;base64,AAEC\n");
	ck_assert(f->view.busy);
	say(f, "219 400\n");
	ck_assert_uint_eq(f->view.on_the_way, 0);
	EVENTS(f, "done sent a b.png, 3 bytes;");
	ck_assert_int_eq(ask_span(f, CLIENT_DO_SEND, arg), Q_OK);
	say(f, "219 413\n");
	EVENTS(f, "failed not sent to bob: the server cannot do that now; it was: "
		  "a b.png;");
	ck_assert(!f->view.busy);
	fake_free(f);
}
END_TEST

/* The largest file makes a line that the server takes; one byte more is refused. */
START_TEST(largest_file)
{
	enum { MOST = (CONTACTS_MEDIA_LINE_MAX - 1024) / 4 * 3 };
	struct fake *f = chatting();
	struct contacts_framer framer = {0};
	struct buf arg = BUF_INIT(24 << 20);
	struct span line;
	size_t used, n = MOST + 3;

	ck_assert_int_eq(buf_put(&arg, "x\0data:;base64,", 15), Q_OK);
	ck_assert_int_eq(buf_reserve(&arg, n / 3 * 4), Q_OK);
	memset(arg.p + arg.len, 'A', n / 3 * 4);
	arg.len += n / 3 * 4;
	ck_assert_int_eq(ask_span(f, CLIENT_DO_SEND, buf_span(&arg)), Q_LIMIT);
	arg.len -= 4;
	ck_assert_int_eq(ask_span(f, CLIENT_DO_SEND, buf_span(&arg)), Q_OK);
	ck_assert_int_eq(
	    contacts_line_next(&framer, buf_span(&f->out), true, &line, &used), Q_OK);
	buf_free(&arg);
	fake_free(f);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client contacts chats");
	TCase *t = tcase_create("chats");

	tcase_add_test(t, talking);
	tcase_add_loop_test(t, longest, 0, 2);
	tcase_add_test(t, refused_messages);
	tcase_add_test(t, new_chat);
	tcase_add_loop_test(t, deleting, 0, 2);
	tcase_add_test(t, unread);
	tcase_add_test(t, unknown_chat);
	tcase_add_test(t, too_much_unread);
	tcase_add_test(t, no_122);
	tcase_add_test(t, no_122_late);
	tcase_add_test(t, many_under_way);
	tcase_add_test(t, file_comes);
	tcase_add_test(t, many_files);
	tcase_add_test(t, file_goes);
	tcase_add_test(t, largest_file);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
