/* SPDX-License-Identifier: MIT
 *
 * Servers that are linked in other ways than two: both dial, rings, chains, a number that
 * is there twice; and what of the settings about links can be changed while they stand.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "tests/system/nodes_labs.h"

static struct nodes_peer *alice, *bob, *data[2];

static void
leave(void)
{
	nodes_close(alice);
	nodes_close(bob);
	labs_free();
}

/* ---- which link ---- */

/* Both dial: one link is left, dialled by the one with the smaller fingerprint. */
START_TEST(both_dial)
{
	int smaller;

	labs_make(2);
	smaller = strcmp(lab[0].fingerprint, lab[1].fingerprint) < 0 ? 0 : 1;
	lab_boot(0, "1", "", NULL, NULL);
	lab_boot(1, "0", "", NULL, NULL);
	for (int i = 0; i < 2; i++) {
		LAB_LINKED(i, 1);
		HARNESS_UNTIL(!lab_says(i, "spare"));
	}
	/* Unless one of them came first, and the other one had no reason to dial. */
	if (lab_says(smaller, "linked out"))
		ck_assert(lab_says(1 - smaller, "linked in"));
	else
		ck_assert(lab_says(1 - smaller, "linked out"));
	alice = nodes_login(lab[0].h, "alice");
	bob = nodes_login(lab[1].h, "bob");
	nodes_call(lab[0].h, alice, lab[1].h, bob, data);
	nodes_close(data[0]);
	nodes_close(data[1]);
	leave();
}
END_TEST

/* A call in a ring of three, and a number that nobody has. */
START_TEST(ring)
{
	struct nodes_peer *carol;

	labs_make(3);
	lab_boot(0, "1", "2", NULL, "nodes.search_timeout=300ms", NULL);
	lab_boot(1, "2", "0", NULL, NULL);
	lab_boot(2, "0", "1", NULL, NULL);
	for (int i = 0; i < 3; i++)
		LAB_LINKED(i, 2);
	alice = nodes_login(lab[0].h, "alice");
	bob = nodes_login(lab[1].h, "bob");
	carol = nodes_login(lab[2].h, "carol");
	nodes_say(alice, NODES_CALL, 4711);
	nodes_call(lab[1].h, bob, lab[2].h, carol, data);
	nodes_send_bytes(data[0], span_str("hello"));
	nodes_expect_bytes(data[1], span_str("hello"));
	nodes_expect(alice, NODES_NOT_FOUND, 4711);
	nodes_expect_nothing(alice);
	nodes_expect_nothing(carol);
	nodes_close(data[0]);
	nodes_close(data[1]);
	nodes_close(carol);
	leave();
}
END_TEST

/* A knows B, B knows C; what B has found, A finds through it. */
START_TEST(chain)
{
	struct nodes_peer *carol;

	labs_make(3);
	lab_boot(2, "", "01", NULL, NULL);
	lab_boot(1, "2", "0", NULL, NULL);
	lab_boot(0, "1", "2", NULL, "nodes.follow=any", NULL);
	LAB_LINKED(0, 1);
	LAB_LINKED(1, 2);
	alice = nodes_login(lab[0].h, "alice");
	bob = nodes_login(lab[1].h, "bob");
	carol = nodes_login(lab[2].h, "carol");
	harness_reload(lab[0].h, "nodes.search_timeout=500ms", NULL);
	nodes_say(alice, NODES_CALL, carol->uin); /* one hop does not reach her */
	nodes_expect(alice, NODES_NOT_FOUND, carol->uin);
	harness_reload(lab[0].h, "nodes.search_timeout=20s", NULL);
	nodes_say(bob, NODES_CALL, carol->uin);
	nodes_expect(carol, NODES_CALLED, bob->uin);
	nodes_call(lab[0].h, alice, lab[2].h, carol, data);
	nodes_send_bytes(data[1], span_str("hello"));
	nodes_expect_bytes(data[0], span_str("hello"));
	LAB_LINKED(0, 2);
	nodes_close(data[0]);
	nodes_close(data[1]);
	nodes_close(carol);
	leave();
}
END_TEST

/* Users of two labs with one key, and so with one number: one of them is called. */
START_TEST(duplicate_number)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct nodes_peer *other;
	struct pollfd p[2];

	labs_make(3);
	lab_boot(1, "", "0", NULL, NULL);
	lab_boot(2, "", "0", NULL, NULL);
	lab_boot(0, "12", "", NULL, NULL);
	LAB_LINKED(0, 2);
	ck_assert_int_eq(key_public_pem(harness_key(lab[1].h, "bob"), &pem), Q_OK);
	harness_write(lab[2].h, "pems/bob.pem", buf_span(&pem));
	buf_free(&pem);
	alice = nodes_login(lab[0].h, "alice");
	bob = nodes_login(lab[1].h, "bob");
	other = nodes_control_open(lab[2].h, NULL, harness_key(lab[1].h, "bob"), "bob");
	ck_assert_ptr_nonnull(other);
	nodes_expect_nothing(other);
	nodes_say(alice, NODES_CALL, bob->uin);
	p[0] = (struct pollfd){.fd = bob->fd, .events = POLLIN};
	p[1] = (struct pollfd){.fd = other->fd, .events = POLLIN};
	ck_assert_int_eq(poll(p, 2, clock_left_ms(harness_deadline(HARNESS_WAIT))), 1);
	if (p[1].revents != 0) {
		struct nodes_peer *swap = bob;

		bob = other;
		other = swap;
		bob->uin = other->uin;
	}
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_expect_nothing(other);
	nodes_say(bob, NODES_REFUSE, alice->uin);
	nodes_expect(alice, NODES_NOT_FOUND, bob->uin);
	nodes_close(other);
	leave();
}
END_TEST

/* ---- settings ---- */

START_TEST(reload)
{
	struct buf conf = BUF_INIT(1024);

	labs_make(2);
	harness_boot(lab[1].h, NULL);
	ck_assert_int_eq(buf_printf(&conf, "[nodes]\npeers = %s\n", lab[0].fingerprint),
			 Q_OK);
	harness_write(lab[1].h, "server/server.conf", buf_span(&conf));
	harness_boot(lab[0].h, NULL);
	conf.len = 0;
	ck_assert_int_eq(buf_printf(&conf, "[nodes]\npeers = %s@localhost:%u\n",
				    lab[1].fingerprint, lab[1].h->port),
			 Q_OK);
	harness_write(lab[0].h, "server/server.conf", buf_span(&conf));
	for (int i = 1; i >= 0; i--)
		harness_admin(lab[i].h, "ctl", "reload", NULL);
	LAB_LINKED(0, 1);
	LAB_LINKED(1, 1);
	/* An entry that is taken out ends the link. */
	harness_write(lab[1].h, "server/server.conf", span_str("[nodes]\npeers =\n"));
	harness_admin(lab[1].h, "ctl", "reload", NULL);
	LAB_LINKED(1, 0);
	LAB_LINKED(0, 0);
	buf_free(&conf);
	labs_free();
}
END_TEST

/* The other lab's CA is trusted, and its certificate is of that CA. */
START_TEST(peer_ca)
{
	char setting[HARNESS_PATH + 64];

	labs_make(2);
	harness_boot(lab[0].h, NULL); /* makes its certificate */
	harness_stop(lab[0].h);
	snprintf(setting, sizeof(setting), "nodes.peer_ca=%s/server/ca.pem",
		 lab[0].h->data);
	lab_boot(1, "", "", NULL, setting, NULL);
	lab_boot(0, "1", "", NULL, NULL);
	LAB_LINKED(0, 1);
	LAB_LINKED(1, 1);
	labs_free();
}
END_TEST

START_TEST(node_id)
{
	struct buf out = BUF_INIT(4096);
	char want[LAB_FINGERPRINT_SIZE + 1];

	labs_make(1);
	snprintf(want, sizeof(want), "%s\n", lab[0].fingerprint);
	ck_assert_int_eq(harness_command(lab[0].h, &out, "node", "id", NULL), 0);
	ck_assert(span_eq(buf_span(&out), span_str(want)));
	harness_boot(lab[0].h, NULL);
	out.len = 0;
	ck_assert_int_eq(harness_command(lab[0].h, &out, "node", "id", NULL), 0);
	ck_assert(span_eq(buf_span(&out), span_str(want)));
	ck_assert(lab_says(0, "no links"));
	buf_free(&out);
	labs_free();
}
END_TEST

START_TEST(data_port)
{
	char setting[64];
	uint16_t port;

	labs_make(2); /* for a port that is free */
	port = lab[1].h->port;
	snprintf(setting, sizeof(setting), "nodes.data_port=%u", port);
	harness_add_users(lab[0].h, "bob", NULL);
	lab_boot(0, "", "", NULL, setting, NULL);
	alice = nodes_login(lab[0].h, "alice");
	bob = nodes_login(lab[0].h, "bob");
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	nodes_say(bob, NODES_ALLOW, alice->uin);
	data[1] = nodes_data_open(lab[1].h, NULL, alice->uin, bob->uin);
	nodes_expect(alice, NODES_READY, bob->uin);
	data[0] = nodes_data_open(lab[1].h, NULL, alice->uin, bob->uin);
	nodes_send_bytes(data[0], span_str("hello"));
	nodes_expect_bytes(data[1], span_str("hello"));
	nodes_close(data[0]);
	nodes_close(data[1]);
	leave();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("nodes: topology");
	TCase *tc = harness_case(suite, "which");

	tcase_add_test(tc, both_dial);
	tcase_add_test(tc, ring);
	tcase_add_test(tc, chain);
	tcase_add_test(tc, duplicate_number);
	tc = harness_case(suite, "settings");
	tcase_add_test(tc, reload);
	tcase_add_test(tc, peer_ca);
	tcase_add_test(tc, node_id);
	tcase_add_test(tc, data_port);
	return harness_main(suite);
}
