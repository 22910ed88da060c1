/* SPDX-License-Identifier: MIT
 *
 * The client's relay handshake and its sealed frames, against a fake server.
 */
#include "tests/unit/client_fake.h"

/* ---- the handshake ---- */

START_TEST(login)
{
	fake_free(logged_in());
}
END_TEST

START_TEST(login_rsa)
{
	struct key *rsa, *ec = alice;

	ck_assert_int_eq(key_generate(KEY_RSA, 2048, &rsa), Q_OK);
	alice = rsa;
	fake_free(logged_in());
	alice = ec;
	key_free(rsa);
}
END_TEST

START_TEST(server_not_trusted)
{
	static const struct {
		int what;
		const char *event;
	} cases[] = {
	    {0, "refused NOT THE SERVER THAT YOU KNOW"},
	    {1, "refused the server shows no certificate"},
	    {2, "refused the server shows a certificate that is not its own"},
	    {3, "refused the server shows a certificate that is not its own"},
	};
	struct fake *f = fake_new();
	int what = cases[_i].what;

	if (what == 0)
		f->login.ca = other_ca;
	kex_free(send_hello(f, server_key, what == 3 ? 1 : 0,
			    what == 1   ? NULL
			    : what == 2 ? other_cert
					: cert));
	EVENT_BEGINS(f, cases[_i].event);
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_OVER);
	QUIET(f); /* no proof for a stranger */
	fake_free(f);
}
END_TEST

START_TEST(hello_broken)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *event;
	} cases[] = {
	    {"SSH-2.0-OpenSSH_9\r\n", 19,
	     "lost what answers there does not speak relay;"},
	    {"\0\0\0\0", 4, "lost what answers there does not speak relay;"},
	    {"\xf8\xff\xff\xff\x23\x01\0\0\1\2\3\4", 12,
	     "lost the server's greeting is broken;"},
	    {"\xfc\xff\xff\xff\x77\x01\0\0", 8, "lost the server broke the protocol;"},
	    {"\x24\0\0\0____________________________________", 40,
	     "lost the server broke the protocol;"},
	};
	struct fake *f = fake_new();

	/* One byte at a time: half of anything is no reason to act. */
	for (size_t i = 0; i < cases[_i].len; i++) {
		ck_assert_int_eq(buf_put(&f->in, cases[_i].bytes + i, 1), Q_OK);
		feed(f);
	}
	EVENTS(f, cases[_i].event);
	fake_free(f);
}
END_TEST

START_TEST(hung_up)
{
	struct fake *f = fake_new();

	client_relay.lost(f->machine, Q_CLOSED, "gone");
	EVENTS(f, "lost gone;");
	fake_free(f);
	f = fake_new();
	kex_free(send_hello(f, server_key, 0, cert));
	client_relay.lost(f->machine, Q_CLOSED, "gone");
	EVENT_BEGINS(f, "refused the server refused alice: not enrolled");
	fake_free(f);
	f = fake_new();
	kex_free(send_hello(f, server_key, 0, cert));
	client_relay.lost(f->machine, Q_SYS, "broke");
	EVENTS(f, "lost broke;");
	fake_free(f);
}
END_TEST

START_TEST(silent_server)
{
	struct fake *f = fake_new();

	f->now = client_relay.deadline(f->machine);
	ck_assert_int_gt(f->now, 1000);
	client_relay.tick(f->machine, f->now);
	EVENTS(f, "lost the server does not answer in time;");
	ck_assert_int_eq(client_relay.deadline(f->machine), 0);
	fake_free(f);
}
END_TEST

/* ---- sealed frames ---- */

static void
put_again(struct buf *b)
{
	size_t n = b->len;

	ck_assert_int_eq(buf_reserve(b, n), Q_OK);
	memcpy(b->p + n, b->p, n);
	b->len += n;
}

START_TEST(frames_refused)
{
	static const char *const events_wanted[] = {
	    "lost what the server sends cannot be trusted: a message was changed on its "
	    "way;",
	    "lost what the server sends cannot be trusted: a message is missing, or came "
	    "twice;",
	    "lost what the server sends cannot be trusted: a message is missing, or came "
	    "twice;",
	    "lost what the server sends cannot be trusted: a message of ours came back;",
	    "lost the server broke the protocol;",
	};
	struct fake *f = logged_in();

	if (_i == 3) { /* ours, as it went out */
		ask_ok(f, CLIENT_DO_LIST, "");
		ck_assert_int_eq(buf_put_span(&f->in, buf_span(&f->out)), Q_OK);
	} else if (_i == 4) { /* a clear frame after the handshake */
		ck_assert_int_eq(buf_put(&f->in, "\xfc\xff\xff\xff\x23\x01\0\0", 8),
				 Q_OK);
	} else {
		ck_assert_int_eq(channel_seal(f->ks, &f->in, RELAY_NOTICE, span_str("x")),
				 Q_OK);
		if (_i == 0)
			f->in.p[4] ^= 1;
		else if (_i == 1) /* twice */
			put_again(&f->in);
		else { /* one is missing */
			f->in.len = 0;
			ck_assert_int_eq(
			    channel_seal(f->ks, &f->in, RELAY_NOTICE, span_str("x")),
			    Q_OK);
		}
	}
	feed(f);
	EVENTS(f, _i == 1 ? "notice x;lost what the server sends cannot be trusted: a "
			    "message is missing, or came twice;"
			  : events_wanted[_i]);
	fake_free(f);
}
END_TEST

START_TEST(notice_and_forced_logout)
{
	struct fake *f = logged_in();

	say(f, RELAY_NOTICE, span_str("five\x1b[2J more"));
	EVENTS(f, "notice five\\x1b[2J more;");
	say(f, 399, span_str("of a newer server"));
	EVENTS(f, "");
	say(f, RELAY_FORCED_LOGOUT, span_str("kicked"));
	EVENTS(f, "forced kicked;");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_OVER);
	fake_free(f);
}
END_TEST

START_TEST(lists)
{
	struct buf data = BUF_INIT(1024);
	struct fake *f = logged_in();

	ask_ok(f, CLIENT_DO_LIST, "");
	expect(f, RELAY_LIST);
	ck_assert_int_eq(relay_list_put(&data, "bob", false), Q_OK);
	ck_assert_int_eq(relay_list_put(&data, "carol", true), Q_OK);
	say(f, RELAY_LIST, buf_span(&data));
	EVENTS(f, "list-name bob;list-name carol;list-end;");
	ask_ok(f, CLIENT_DO_LIST, "");
	say(f, RELAY_LIST_DISTINCT, NONE);
	EVENTS(f, "list-end;");
	for (int i = 0; i < 64; i++)
		ask_ok(f, CLIENT_DO_LIST, "");
	ck_assert_int_eq(ask(f, CLIENT_DO_LIST, ""), Q_FULL);
	data.p[0]++;
	say(f, RELAY_LIST, buf_span(&data));
	EVENTS(f, "lost the server broke the protocol;");
	buf_free(&data);
	fake_free(f);
	f = logged_in();
	say(f, RELAY_LIST, NONE); /* nobody asked */
	EVENTS(f, "lost the server broke the protocol;");
	fake_free(f);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client login");
	TCase *t = tcase_create("relay");

	tcase_add_unchecked_fixture(t, make_keys, drop_keys);
	tcase_add_test(t, login);
	tcase_add_test(t, login_rsa);
	tcase_add_loop_test(t, server_not_trusted, 0, 4);
	tcase_add_loop_test(t, hello_broken, 0, 5);
	tcase_add_test(t, hung_up);
	tcase_add_test(t, silent_server);
	tcase_add_loop_test(t, frames_refused, 0, 5);
	tcase_add_test(t, notice_and_forced_logout);
	tcase_add_test(t, lists);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
