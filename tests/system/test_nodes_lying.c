/* SPDX-License-Identifier: MIT
 *
 * One server and a node that is not one: what a link may touch, what is asked and answered
 * on it, and that nothing it says harms anybody.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/cert.h"
#include "tests/system/nodes_labs.h"

#define FAR  4711 /* a user of the other node */
#define FAR2 4712

static struct key *stranger;
static struct nodes_peer *node, *alice;

/* The two messages with which a server introduces itself. */
static void
hear_introduction(struct nodes_peer *p, uint16_t port)
{
	struct nodes_message m = nodes_hear(p);

	ck_assert_int_eq(m.type, NODES_PORT);
	ck_assert_uint_eq(m.port, port);
	ck_assert_int_eq(nodes_hear(p).type, NODES_ASK_NODES);
}

static struct nodes_peer *
link_up(void)
{
	struct nodes_peer *p = nodes_node_open(lab[0].h, stranger);

	ck_assert_ptr_nonnull(p);
	hear_introduction(p, lab[0].h->port);
	return p;
}

static void
start(const char *setting)
{
	labs_make(1);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &stranger), Q_OK);
	lab_boot(0, "", "", stranger, "nodes.search_timeout=2s", setting, NULL);
	alice = nodes_login(lab[0].h, "alice");
	node = link_up();
}

static void
finish(void)
{
	nodes_expect_nothing(alice); /* she is served as ever */
	nodes_close(alice);
	nodes_close(node);
	labs_free();
	key_free(stranger);
}

/* ---- a call, word by word ---- */

/* alice calls FAR, who allows: ready for data. */
static void
call_out(void)
{
	nodes_say(alice, NODES_CALL, FAR);
	nodes_expect(node, NODES_SEARCH, FAR);
	nodes_say(node, NODES_HERE, FAR);
	nodes_expect2(node, NODES_ASK_CALL, alice->uin, FAR);
	nodes_say2(node, NODES_CALL_ALLOWED, alice->uin, FAR);
	nodes_expect(alice, NODES_READY, FAR);
}

static void
expect_data(struct nodes_peer *p, uint32_t from, uint32_t to, const char *text)
{
	struct nodes_message m = nodes_hear(p);

	ck_assert_int_eq(m.type, NODES_DATA);
	ck_assert_uint_eq(m.uin, from);
	ck_assert_uint_eq(m.uin2, to);
	ck_assert(span_eq(m.bytes, span_str(text)));
}

START_TEST(out)
{
	struct nodes_peer *d;

	start(NULL);
	call_out();
	/* Said before her data connection is in. */
	nodes_say_data(node, FAR, alice->uin, span_str("ear"));
	nodes_say_data(node, FAR, alice->uin, span_of(NULL, 0));
	nodes_say_data(node, FAR, alice->uin, span_str("ly"));
	nodes_expect_nothing(node);
	d = nodes_data_open(lab[0].h, NULL, alice->uin, FAR);
	nodes_expect_bytes(d, span_str("early"));
	nodes_send_bytes(d, span_str("hello"));
	expect_data(node, alice->uin, FAR, "hello");
	nodes_say_data(node, FAR, alice->uin, span_str("last"));
	nodes_say2(node, NODES_CALL_OVER, FAR, alice->uin); /* in the other order */
	nodes_expect_bytes(d, span_str("last"));
	nodes_expect_end(d);
	nodes_close(d);
	nodes_expect_nothing(node);
	finish();
}
END_TEST

START_TEST(in)
{
	struct nodes_peer *d;

	start(NULL);
	nodes_say(node, NODES_SEARCH, alice->uin);
	nodes_expect(node, NODES_HERE, alice->uin);
	nodes_say2(node, NODES_ASK_CALL, FAR, alice->uin);
	nodes_expect(alice, NODES_CALLED, FAR);
	nodes_say2(node, NODES_ASK_CALL, FAR, alice->uin); /* again: nothing */
	nodes_expect_nothing(node);
	nodes_expect_nothing(alice);
	nodes_say(alice, NODES_ALLOW, FAR);
	d = nodes_data_open(lab[0].h, NULL, FAR, alice->uin);
	nodes_expect2(node, NODES_CALL_ALLOWED, FAR, alice->uin);
	nodes_say_data(node, FAR, alice->uin, span_str("hello"));
	nodes_expect_bytes(d, span_str("hello"));
	nodes_send_bytes(d, span_str("bye"));
	nodes_close(d);
	expect_data(node, alice->uin, FAR, "bye");
	nodes_expect2(node, NODES_CALL_OVER, FAR, alice->uin);
	nodes_expect_nothing(node);
	finish();
}
END_TEST

/* ---- searches ---- */

/* Two who look for one number ask once; what was found is remembered until a B8. */
START_TEST(found_and_forgotten)
{
	struct nodes_peer *bob;
	uint32_t uin;

	start(NULL);
	harness_add_users(lab[0].h, "bob", NULL);
	bob = nodes_login(lab[0].h, "bob");
	nodes_say(alice, NODES_CALL, FAR);
	nodes_expect(node, NODES_SEARCH, FAR);
	nodes_say(bob, NODES_CALL, FAR);
	nodes_expect_nothing(bob);
	nodes_expect_nothing(node);
	nodes_say(node, NODES_HERE, FAR);
	nodes_expect2(node, NODES_ASK_CALL, alice->uin, FAR);
	nodes_expect2(node, NODES_ASK_CALL, bob->uin, FAR);
	uin = bob->uin;
	nodes_close(bob);
	nodes_expect2(node, NODES_CALL_OVER, uin, FAR);
	bob = nodes_login(lab[0].h, "bob");
	nodes_say(bob, NODES_CALL, FAR);
	nodes_expect2(node, NODES_ASK_CALL, bob->uin, FAR); /* no A5 */
	nodes_say2(node, NODES_CALL_OVER, bob->uin, FAR);
	nodes_expect(bob, NODES_NOT_FOUND, FAR);
	nodes_say(bob, NODES_CALL, FAR);
	nodes_expect(node, NODES_SEARCH, FAR);
	nodes_close(bob);
	finish();
}
END_TEST

START_TEST(unasked_answers)
{
	struct nodes_message there = {.type = NODES_THERE, .uin = FAR};

	start("nodes.follow=any");
	there.address = (struct nodes_address){
	    .kind = NODES_IP4, .ip = {127, 0, 0, 1}, .port = lab[0].h->port};
	nodes_say(node, NODES_HERE, FAR);
	nodes_send(node, &there);
	nodes_expect_nothing(node);
	nodes_say(alice, NODES_CALL, FAR);
	nodes_expect(node, NODES_SEARCH, FAR);
	nodes_say(node, NODES_HERE, FAR2);
	nodes_say(node, NODES_HERE, alice->uin);
	nodes_send(node, &there); /* asked, and it is ourselves: comes to nothing */
	nodes_expect(alice, NODES_NOT_FOUND, FAR);
	nodes_say(node, NODES_HERE, FAR); /* too late */
	nodes_expect_nothing(node);
	ck_assert(lab_says(0, "linked in"));
	finish();
}
END_TEST

/* A socket that somebody may be sent to. */
static int
trap(uint16_t *port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

static bool
sprung(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, clock_left_ms(harness_deadline(ms))) == 1;
}

/* Where does an A9 lead?  By default only to those who are in the settings, or have
 * announced themselves. */
START_TEST(led_astray)
{
	static const struct {
		const char *setting;
		bool announce, goes;
	} cases[] = {{"nodes.follow=known", false, false},
		     {"nodes.follow=no", true, false},
		     {"nodes.follow=any", false, true},
		     {"nodes.follow=known", true, true}};
	struct nodes_message there = {.type = NODES_THERE, .uin = FAR};
	struct nodes_message port = {.type = NODES_PORT};
	uint16_t number;
	int fd = trap(&number);

	start(cases[_i].setting);
	if (cases[_i].announce) {
		/* This very node does, and goes; another link says where it is. */
		port.port = number;
		nodes_send(node, &port);
		nodes_expect_nothing(node);
		nodes_close(node);
		HARNESS_UNTIL(lab_links(0) == 0);
		node = link_up();
	}
	there.address = (struct nodes_address){
	    .kind = NODES_IP4, .ip = {127, 0, 0, 1}, .port = number};
	nodes_say(alice, NODES_CALL, FAR);
	nodes_expect(node, NODES_SEARCH, FAR);
	nodes_send(node, &there);
	ck_assert(sprung(fd, cases[_i].goes ? HARNESS_WAIT : 500) == cases[_i].goes);
	close(fd);
	nodes_expect(alice, NODES_NOT_FOUND, FAR);
	finish();
}
END_TEST

/* ---- what a link may not touch ---- */

START_TEST(calls_of_others)
{
	struct nodes_peer *bob, *d[2];

	start(NULL);
	harness_add_users(lab[0].h, "bob", NULL);
	bob = nodes_login(lab[0].h, "bob");
	/* As if it came from one of ours, or went to nobody. */
	nodes_say2(node, NODES_ASK_CALL, bob->uin, alice->uin);
	nodes_expect2(node, NODES_CALL_OVER, bob->uin, alice->uin);
	nodes_say2(node, NODES_ASK_CALL, FAR, FAR2);
	nodes_expect2(node, NODES_CALL_OVER, FAR, FAR2);
	nodes_say2(node, NODES_ASK_CALL, alice->uin, alice->uin);
	nodes_expect2(node, NODES_CALL_OVER, alice->uin, alice->uin);
	nodes_say(alice, NODES_CALL, bob->uin);
	nodes_expect(bob, NODES_CALLED, alice->uin);
	/* Into a call within the house, pending and up. */
	for (int i = 0; i < 2; i++) {
		nodes_say2(node, NODES_CALL_OVER, alice->uin, bob->uin);
		nodes_say2(node, NODES_CALL_ALLOWED, alice->uin, bob->uin);
		nodes_say_data(node, alice->uin, bob->uin, span_str("forged"));
		nodes_expect2(node, NODES_CALL_OVER, alice->uin, bob->uin);
		nodes_expect_nothing(node);
		if (i == 1)
			break;
		nodes_say(bob, NODES_ALLOW, alice->uin);
		d[1] = nodes_data_open(lab[0].h, NULL, alice->uin, bob->uin);
		nodes_expect(alice, NODES_READY, bob->uin);
		d[0] = nodes_data_open(lab[0].h, NULL, alice->uin, bob->uin);
		nodes_send_bytes(d[0], span_str("a"));
		nodes_expect_bytes(d[1], span_str("a"));
	}
	nodes_send_bytes(d[0], span_str("real"));
	nodes_expect_bytes(d[1], span_str("real"));
	nodes_expect_nothing(bob);
	nodes_close(d[0]);
	nodes_close(d[1]);
	nodes_close(bob);
	finish();
}
END_TEST

/* A second node cannot touch the first one's call. */
START_TEST(calls_of_another_link)
{
	char path[] = "nodes/second.pem";
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	struct nodes_peer *second, *d;
	struct cert *cert;
	struct key *key;

	start(NULL);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &key), Q_OK);
	ck_assert_ptr_null(nodes_node_open(lab[0].h, key));
	ck_assert_int_eq(cert_make_self(key, "second", 30, &cert), Q_OK);
	ck_assert_int_eq(cert_pem(cert, &pem), Q_OK);
	harness_write(lab[0].h, path, buf_span(&pem)); /* and at once: */
	ck_assert_ptr_nonnull(second = nodes_node_open(lab[0].h, key));
	hear_introduction(second, lab[0].h->port);
	call_out();
	nodes_expect(second, NODES_SEARCH, FAR);
	d = nodes_data_open(lab[0].h, NULL, alice->uin, FAR);
	nodes_send_bytes(d, span_str("x"));
	expect_data(node, alice->uin, FAR, "x");
	nodes_say2(second, NODES_CALL_OVER, alice->uin, FAR);
	nodes_say2(second, NODES_CALL_ALLOWED, alice->uin, FAR);
	nodes_say_data(second, FAR, alice->uin, span_str("forged"));
	nodes_expect2(second, NODES_CALL_OVER, FAR, alice->uin);
	nodes_say2(second, NODES_ASK_CALL, FAR, alice->uin);
	nodes_expect2(second, NODES_CALL_OVER, FAR, alice->uin);
	nodes_expect_nothing(second);
	nodes_say_data(node, FAR, alice->uin, span_str("real"));
	nodes_expect_bytes(d, span_str("real"));
	/* Its end touches nothing either; that of the call's own link ends the call. */
	nodes_close(second);
	HARNESS_UNTIL(lab_links(0) == 1);
	nodes_send_bytes(d, span_str("y"));
	expect_data(node, alice->uin, FAR, "y");
	nodes_close(node);
	node = NULL;
	nodes_expect_end(d);
	nodes_close(d);
	cert_free(cert);
	key_free(key);
	buf_free(&pem);
	finish();
}
END_TEST

/* ---- framing ---- */

static const struct {
	const char *bytes;
	size_t len;
} wrong[] = {
    {"\xa5\xa8", 2},                 /* unequal */
    {"\x77\x77", 2},                 /* unknown */
    {"\x03\x03\x01\x00\x00\x00", 6}, /* a client's */
    {"\x05\x05\x01\x00\x00\x00", 6}, /* a server's, to a client */
    {"\xca\xca\x01\x00", 4},         /* twice at the door */
    {"\xd0\xd0\x07\x00", 4},         /* no room for two UINs */
    {"\xd0\xd0\xfd\xff", 4},         /* too long */
    {"\xa4\xa4\x01\x10", 4},         /* 4,097 */
    {"\xa4\xa4\x01\x00\xa3", 5},     /* an address of no kind */
    {"\xa9\xa9\x0c\x00\x01\x00\x00\x00\xa0\1\2\3\4\5\6\7", 16}, /* 12 */
    {"\xa9\xa9\x08\x01", 4},                                    /* too long */
};

START_TEST(wrong_framing)
{
	start(NULL);
	nodes_send_bytes(node, span_of(wrong[_i].bytes, wrong[_i].len));
	nodes_expect_end(node);
	finish();
}
END_TEST

/* ---- floods ---- */

static void
flood(enum nodes_type type, int n)
{
	struct buf b = BUF_INIT(1 << 20);
	struct nodes_message m = {.type = type, .uin2 = alice->uin};

	for (int i = 0; i < n; i++) {
		m.uin = type == NODES_SEARCH ? alice->uin : 100000U + (uint32_t)i;
		ck_assert_int_eq(nodes_put(&b, &m), Q_OK);
	}
	nodes_send_bytes(node, buf_span(&b));
	buf_free(&b);
}

/* 200 a second are answered. */
START_TEST(flood_of_searches)
{
	static const struct nodes_message ping = {.type = NODES_PING};
	struct nodes_message m;
	int n = 0;

	start(NULL);
	flood(NODES_SEARCH, 5000);
	nodes_send(node, &ping);
	while ((m = nodes_hear(node)).type != NODES_PONG) {
		ck_assert_int_eq(m.type, NODES_HERE);
		n++;
	}
	ck_assert_int_ge(n, 200);
	ck_assert_int_lt(n, 2000);
	finish();
}
END_TEST

/* 64 may wait for her answer; the others are refused without her hearing of them. */
START_TEST(flood_of_calls)
{
	start(NULL);
	flood(NODES_ASK_CALL, 1000);
	for (uint32_t i = 64; i < 1000; i++)
		nodes_expect2(node, NODES_CALL_OVER, 100000 + i, alice->uin);
	nodes_expect_nothing(node);
	for (uint32_t i = 0; i < 64; i++)
		nodes_expect(alice, NODES_CALLED, 100000 + i);
	nodes_expect_nothing(alice);
	nodes_close(node);
	node = NULL;
	for (int i = 0; i < 64; i++)
		ck_assert_int_eq(nodes_hear(alice).type, NODES_NOT_FOUND);
	finish();
}
END_TEST

/* A node that asks and does not listen is cut off. */
START_TEST(deaf)
{
	struct nodes_message m = {.type = NODES_DATA, .uin = 1, .uin2 = 2};
	struct buf b = BUF_INIT(1 << 20);
	int64_t until = harness_deadline(60000);

	start(NULL);
	m.bytes = span_str("x");
	while (b.len < 65000)
		ck_assert_int_eq(nodes_put(&b, &m), Q_OK);
	while (nodes_try_send(node, buf_span(&b), 3000))
		if (clock_left_ms(until) == 0)
			harness_fail("its answers are kept for ever");
	LAB_LINKED(0, 0);
	buf_free(&b);
	finish();
}
END_TEST

START_TEST(silent)
{
	labs_make(1);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &stranger), Q_OK);
	lab_boot(0, "", "", stranger, "nodes.ping_interval=100ms",
		 "nodes.ping_timeout=2s", NULL);
	alice = nodes_login(lab[0].h, "alice");
	node = link_up();
	nodes_expect_nothing(node);
	/* Pings are heard here and not answered, as nobody looks. */
	while (recv(node->fd, (char[64]){0}, 64, 0) > 0)
		continue;
	nodes_close(alice); /* who was as silent */
	alice = nodes_login(lab[0].h, "alice");
	finish();
}
END_TEST

/* ---- addresses ---- */

/* What one node says of others is handed on; each has its share. */
START_TEST(lists)
{
	struct buf b = BUF_INIT(NODES_MESSAGE_MAX);
	struct nodes_message list = {.type = NODES_LIST, .count = 4096}, m;
	struct nodes_message ask = {.type = NODES_ASK_NODES, .two = {1, 2}};
	struct nodes_address a = {.kind = NODES_IP4, .ip = {192, 0, 2, 0}};

	start(NULL);
	for (int i = 0; i < 4096; i++) {
		a.port = (uint16_t)(i + 1000);
		ck_assert_int_eq(nodes_address_put(&b, &a), Q_OK);
	}
	list.bytes = buf_span(&b);
	nodes_send(node, &list);
	nodes_expect_nothing(node);
	nodes_send(alice, &ask);
	m = nodes_hear(alice);
	ck_assert_int_eq(m.type, NODES_LIST);
	ck_assert_uint_eq(m.count, 64);
	ck_assert_uint_eq(m.bytes.len, 64 * 7);
	/* Announced: the asking node itself is not in what it is told. */
	m = (struct nodes_message){.type = NODES_PORT, .port = 999};
	nodes_send(node, &m);
	nodes_expect_nothing(node);
	nodes_send(node, &ask);
	m = nodes_hear(node);
	ck_assert_int_eq(m.type, NODES_LIST);
	ck_assert_uint_eq(m.count, 64);
	nodes_send(alice, &ask);
	m = nodes_hear(alice);
	ck_assert_uint_eq(m.count, 65);
	a = (struct nodes_address){.kind = NODES_IP4, .ip = {127, 0, 0, 1}, .port = 999};
	list.bytes = span_of(m.bytes.p, 7);
	b.len = 0;
	ck_assert_int_eq(nodes_address_put(&b, &a), Q_OK);
	ck_assert(span_eq(list.bytes, buf_span(&b)));
	buf_free(&b);
	finish();
}
END_TEST

/* ---- who is let in ---- */

START_TEST(not_let_in)
{
	struct key *other;
	int fd;

	labs_make(2);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &stranger), Q_OK);
	ck_assert_int_eq(key_generate(KEY_RSA, 2048, &other), Q_OK);
	lab_boot(0, "", "", NULL, NULL);
	lab_boot(1, "", "1", stranger, NULL);
	/* With no peers nobody is. */
	ck_assert_ptr_null(nodes_node_open(lab[0].h, stranger));
	/* Ourselves: although our own key stands among the peers. */
	ck_assert_ptr_null(nodes_node_open(lab[1].h, lab[1].key));
	HARNESS_UNTIL(harness_logged(lab[1].h, "this is our own key"));
	ck_assert_ptr_null(nodes_node_open(lab[1].h, other));
	/* Users are no nodes. */
	ck_assert_ptr_null(nodes_node_open(lab[0].h, harness_key(lab[0].h, "alice")));
	ck_assert_ptr_nonnull(node = nodes_node_open(lab[1].h, stranger));
	nodes_close(node);
	fd = nodes_dial(lab[1].h, NULL);
	ck_assert_int_eq(nodes_greet(fd, NODES_NODE_HELLO, 2, 0), NODES_OTHER_VERSION);
	close(fd);
	fd = nodes_dial(lab[1].h, NULL);
	ck_assert_int_eq(nodes_greet(fd, NODES_NODE_HELLO, 1, 7), NODES_OK);
	close(fd);
	labs_free();
	key_free(stranger);
	key_free(other);
}
END_TEST

static void
admit_nobody(struct harness *h)
{
	harness_write(h, "server/server.conf", span_str("[nodes]\npeers =\n"));
	harness_admin(h, "ctl", "reload", NULL);
}

/* A node whose entry is taken out while it shakes hands, for as long as it likes. */
START_TEST(no_more_let_in)
{
	char conf[LAB_FINGERPRINT_SIZE + 32], fp[LAB_FINGERPRINT_SIZE];

	labs_make(1);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &stranger), Q_OK);
	lab_fingerprint(stranger, fp);
	harness_boot(lab[0].h, NULL);
	snprintf(conf, sizeof(conf), "[nodes]\npeers = %s\n", fp);
	harness_write(lab[0].h, "server/server.conf", span_str(conf));
	harness_admin(lab[0].h, "ctl", "reload", NULL);
	alice = nodes_login(lab[0].h, "alice");
	node = nodes_open_late(lab[0].h, NODES_NODE_HELLO, stranger, "another node",
			       admit_nobody);
	/* On a machine that is slow enough its certificate was refused. */
	if (node != NULL) {
		nodes_expect_end(node);
		HARNESS_UNTIL(harness_logged(lab[0].h, "it is admitted no more"));
	}
	finish();
}
END_TEST

/* A newer link of the same node takes the older one's place. */
START_TEST(twice)
{
	struct nodes_peer *newer;

	start(NULL);
	newer = link_up();
	nodes_expect_end(node);
	nodes_close(node);
	node = newer;
	call_out();
	finish();
}
END_TEST

START_TEST(too_many_links)
{
	struct nodes_peer *second;
	struct key *key;
	char setting[2 * LAB_FINGERPRINT_SIZE + 32], fp[2][LAB_FINGERPRINT_SIZE];

	labs_make(1);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &stranger), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &key), Q_OK);
	lab_fingerprint(stranger, fp[0]);
	lab_fingerprint(key, fp[1]);
	snprintf(setting, sizeof(setting), "nodes.peers=%s,%s", fp[0], fp[1]);
	harness_boot(lab[0].h, setting, "nodes.max_links=1", NULL);
	alice = nodes_login(lab[0].h, "alice");
	node = link_up();
	ck_assert_ptr_nonnull(second = nodes_node_open(lab[0].h, key));
	nodes_expect_end(second);
	nodes_close(second);
	call_out();
	key_free(key);
	finish();
}
END_TEST

/* ---- a node that we dial ---- */

/* What answers is another node than the one that was named, or none at all: it is tried
 * again, later each time, and the server lives. */
START_TEST(wrong_answers)
{
	char setting[LAB_FINGERPRINT_SIZE + 64], fp[LAB_FINGERPRINT_SIZE];
	uint16_t number;
	int fd = trap(&number), to;
	struct key *key;

	labs_make(1);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &stranger), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &key), Q_OK);
	lab_fingerprint(stranger, fp);
	snprintf(setting, sizeof(setting), "nodes.peers=%s@127.0.0.1:%u", fp, number);
	harness_boot(lab[0].h, setting, "nodes.redial_min=20ms", "nodes.redial_max=50ms",
		     NULL);
	alice = nodes_login(lab[0].h, "alice");
	for (int i = 0; i < 4; i++) {
		ck_assert(sprung(fd, HARNESS_WAIT));
		ck_assert_int_ne(to = accept(fd, NULL, NULL), -1);
		if (i == 0) {
			ck_assert_int_eq(send(to, "HTTP", 4, MSG_NOSIGNAL), 4);
			close(to);
		} else if (i == 1) {
			ck_assert_int_eq(send(to, "\2\2\2\0", 4, MSG_NOSIGNAL), 4);
			close(to);
		} else if (i == 2) {
			/* TLS's client sees its refusal when it reads. */
			node = nodes_node_accept(lab[0].h, to, key);
			if (node != NULL)
				nodes_expect_end(node);
			nodes_close(node);
		} else {
			node = nodes_node_accept(lab[0].h, to, stranger);
			ck_assert_ptr_nonnull(node);
		}
	}
	close(fd);
	hear_introduction(node, lab[0].h->port);
	LAB_LINKED(0, 1);
	call_out();
	key_free(key);
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("nodes_lying");
	TCase *tc = harness_case(suite, "nodes_words");

	tcase_add_test(tc, out);
	tcase_add_test(tc, in);
	tcase_add_test(tc, found_and_forgotten);
	tcase_add_test(tc, unasked_answers);
	tcase_add_loop_test(tc, led_astray, 0, 4);
	tc = harness_case(suite, "nodes_lies");
	tcase_add_test(tc, calls_of_others);
	tcase_add_test(tc, calls_of_another_link);
	tcase_add_loop_test(tc, wrong_framing, 0,
			    (int)(sizeof(wrong) / sizeof(wrong[0])));
	tc = harness_case(suite, "nodes_floods");
	tcase_add_test(tc, flood_of_searches);
	tcase_add_test(tc, flood_of_calls);
	tcase_add_test(tc, deaf);
	tcase_add_test(tc, silent);
	tcase_add_test(tc, lists);
	tc = harness_case(suite, "nodes_door");
	tcase_add_test(tc, not_let_in);
	tcase_add_test(tc, no_more_let_in);
	tcase_add_test(tc, twice);
	tcase_add_test(tc, too_many_links);
	tcase_add_test(tc, wrong_answers);
	return harness_main(suite);
}
