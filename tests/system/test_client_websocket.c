/* SPDX-License-Identifier: MIT
 *
 * The client's link over WebSocket (wslay) against the server's (our own frames): each
 * checks the other.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "client/link.h"
#include "client/link_ws.h"
#include "tests/system/http_peer.h"

static struct cert *ca;

static struct harness *
start(void)
{
	struct harness *h = harness_new();

	harness_make_folder(h, "server");
	harness_write(h, "server/test-mode", span_str(""));
	harness_boot(h, "http.test_echo=yes", NULL);
	return h;
}

static struct link *
open_link(struct harness *h, enum link_security security, const char *path)
{
	struct target to = {.host = "127.0.0.1", .port = h->port};
	struct buf pem = BUF_INIT(65536);
	struct link *l;
	struct why why;

	ck_assert(harness_read(h, "server/ca.pem", &pem));
	ck_assert_int_eq(cert_parse(buf_span(&pem), &ca), Q_OK);
	buf_free(&pem);
	ck_assert_int_eq(link_open(&to, security, ca, &l, &why), Q_OK);
	link_websocket(l, path);
	return l;
}

static void
close_link(struct link *l)
{
	link_free(l);
	cert_free(ca);
}

/* One step, when there is something to do. */
static enum qerr
step(struct link *l, struct why *why)
{
	struct pollfd p = {.fd = link_fd(l), .events = link_poll_events(l)};

	if (poll(&p, 1, clock_left_ms(harness_deadline(HARNESS_WAIT))) == 0)
		harness_fail("the link waits for ever");
	return link_step(l, p.revents, why);
}

static void
go_up(struct link *l)
{
	struct why why;

	while (!link_up(l))
		if (step(l, &why) != Q_OK)
			harness_fail("%s", why.text);
}

static void
hear(struct link *l, struct span want)
{
	struct span got;
	struct why why;

	while (link_message_next(link_in(l), &got) == Q_SHORT)
		if (step(l, &why) != Q_OK)
			harness_fail("%s", why.text);
	ck_assert(span_eq(got, want));
	buf_consume(link_in(l), LINK_MESSAGE_HEADER + got.len);
}

static enum qerr
run_to_end(struct link *l, struct why *why)
{
	enum qerr e;

	while ((e = step(l, why)) == Q_OK)
		continue;
	return e;
}

START_TEST(talk)
{
	static const size_t sizes[] = {0,    1,     125,   126,   127,     4095,   4096,
				       4097, 16384, 65535, 65536, 1000000, 8000000};
	struct harness *h = start();
	struct link *l = open_link(h, _i == 0 ? LINK_CLEAR : LINK_TLS, "/echo");
	uint8_t *text = malloc(8000000);
	struct why why;

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < 8000000; i++)
		text[i] = (uint8_t)('a' + i % 26);
	go_up(l);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct span m = span_of(text, sizes[i]);

		ck_assert_int_eq(link_message_put(link_out(l), m), Q_OK);
		hear(l, m);
	}
	/* Several at once. */
	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_eq(link_message_put(link_out(l), span_of(text, i)), Q_OK);
	for (size_t i = 0; i < 1000; i++)
		hear(l, span_of(text, i));
	link_finish(l);
	ck_assert_int_eq(run_to_end(l, &why), Q_CLOSED);
	free(text);
	close_link(l);
	harness_free(h);
}
END_TEST

START_TEST(no_websocket_there)
{
	struct harness *h = start();
	struct link *l = open_link(h, LINK_CLEAR, "/healthz");
	struct why why;

	ck_assert_int_eq(run_to_end(l, &why), Q_DENIED);
	ck_assert_ptr_nonnull(strstr(why.text, "does not serve /healthz: 200"));
	close_link(l);
	l = open_link(h, LINK_TLS, "/nothing");
	ck_assert_int_eq(run_to_end(l, &why), Q_DENIED);
	ck_assert_ptr_nonnull(strstr(why.text, "404 Not Found"));
	close_link(l);
	harness_free(h);
}
END_TEST

START_TEST(server_says_goodbye)
{
	struct harness *h = start();
	struct link *l = open_link(h, LINK_CLEAR, "/echo");
	struct why why;

	go_up(l);
	harness_stop(h);
	ck_assert_int_eq(run_to_end(l, &why), Q_CLOSED);
	ck_assert_ptr_nonnull(strstr(why.text, "closed the connection"));
	close_link(l);
	/* Text that is none is refused by the server, with its reason. */
	harness_restart(h);
	l = open_link(h, LINK_CLEAR, "/echo");
	go_up(l);
	ck_assert_int_eq(link_message_put(link_out(l), span_of("\xff", 1)), Q_OK);
	ck_assert_int_eq(run_to_end(l, &why), Q_CLOSED);
	ck_assert_ptr_nonnull(strstr(why.text, "not UTF-8"));
	close_link(l);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client_websocket");
	TCase *c = harness_case(s, "link");

	tcase_add_loop_test(c, talk, 0, 2);
	tcase_add_test(c, no_websocket_there);
	tcase_add_test(c, server_says_goodbye);
	return harness_main(s);
}
