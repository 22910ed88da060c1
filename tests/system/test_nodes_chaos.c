/* SPDX-License-Identifier: MIT
 *
 * Two linked servers, whose users do what they like at any time, and a node that says
 * anything: calls crossing, hang-ups in every state, logins that replace each other, a
 * server that is killed.  Nobody waits for anybody.  What counts is what is left: nothing,
 * and two servers that serve.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/system/nodes_labs.h"

#define USERS  6 /* of each lab */
#define DATA   40
#define STEPS  3000
#define LABS   2
#define ROUNDS 2 /* lab 1 is killed between them */

static struct nodes_peer *user[LABS][USERS], *node, *data[DATA];
static uint32_t uin[LABS][USERS];
static struct key *stranger;
static unsigned seed;

static unsigned
any(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

static uint32_t
any_uin(void)
{
	return any(20) == 0 ? any(1000) : uin[any(LABS)][any(USERS)];
}

/* Without a question, whose answer might come behind calls. */
static struct nodes_peer *
log_in(int i, int k)
{
	char name[32];
	struct nodes_peer *p;

	snprintf(name, sizeof(name), "lab%d-%d", i, k);
	p = nodes_control_open(lab[i].h, NULL, harness_key(lab[i].h, name), name);
	ck_assert_ptr_nonnull(p);
	p->uin = uin[i][k];
	return p;
}

/* Whatever has come is read, so that nobody is taken for slow.  False: it has ended. */
static bool
swallow(struct nodes_peer *p)
{
	char scrap[65536];
	ssize_t n;

	while ((n = recv(p->fd, scrap, sizeof(scrap), MSG_DONTWAIT)) > 0)
		continue;
	return n != 0;
}

static void
say(struct nodes_peer *p, enum nodes_type type, uint32_t a, uint32_t b)
{
	struct nodes_message m = {.type = type, .uin = a, .uin2 = b, .count = 0};
	struct buf bytes = BUF_INIT(1 << 17);

	if (type == NODES_DATA)
		m.bytes = span_of(uin, 1 + any(sizeof(uin)));
	if (type == NODES_THERE)
		m.address = (struct nodes_address){
		    .kind = NODES_IP4, .ip = {127, 0, 0, 1}, .port = lab[1].h->port};
	ck_assert_int_eq(nodes_put(&bytes, &m), Q_OK);
	(void)nodes_try_send(p, buf_span(&bytes), 100);
	buf_free(&bytes);
}

/* ---- what can happen ---- */

static void
user_acts(void)
{
	static const enum nodes_type words[] = {NODES_CALL,    NODES_CALL,  NODES_ALLOW,
						NODES_ALLOW,   NODES_ALLOW, NODES_REFUSE,
						NODES_WHO_UIN, NODES_PING};

	say(user[any(LABS)][any(USERS)], words[any(8)], any_uin(), 0);
}

static void
node_acts(void)
{
	static const enum nodes_type words[] = {
	    NODES_SEARCH,       NODES_HERE,      NODES_THERE, NODES_ASK_CALL,
	    NODES_CALL_ALLOWED, NODES_CALL_OVER, NODES_DATA,  NODES_ASK_NODES,
	    NODES_PORT,         NODES_LIST,      NODES_PING,  NODES_DATA};

	say(node, words[any(12)], any_uin(), any_uin());
}

/* Two who call each other as they should, but for what others do meanwhile. */
static void
call(void)
{
	int a = (int)any(LABS), b = (int)any(LABS);
	unsigned x = any(USERS), y = any(USERS), at = any(DATA - 1);

	say(user[a][x], NODES_CALL, uin[b][y], 0);
	if (any(2) == 0)
		usleep(any(3000));
	say(user[b][y], NODES_ALLOW, uin[a][x], 0);
	for (unsigned i = 0; i < 2; i++) {
		nodes_close(data[at + i]);
		data[at + i] =
		    nodes_data_open(lab[i == 0 ? b : a].h, NULL, uin[a][x], uin[b][y]);
	}
}

static void
data_acts(void)
{
	static const uint8_t bytes[100000];
	struct nodes_peer **p = &data[any(DATA)];

	if (*p == NULL)
		return;
	switch (any(6)) {
	case 0: (void)shutdown((*p)->fd, SHUT_WR); return;
	case 1: nodes_reset(*p); break;
	case 2: nodes_close(*p); break;
	case 3: (void)swallow(*p); return;
	default: (void)nodes_try_send(*p, span_of(bytes, any(sizeof(bytes))), 1); return;
	}
	*p = NULL;
}

static void
step(void)
{
	switch (any(20)) {
	case 0: {
		unsigned i = any(LABS), k = any(USERS);
		struct nodes_peer *before = user[i][k];

		user[i][k] = log_in((int)i, (int)k);
		nodes_close(before);
		break;
	}
	case 1:
	case 2:
	case 3:
	case 4: call(); break;
	case 5:
	case 6:
	case 7:
	case 8: node_acts(); break;
	case 9:
	case 10:
	case 11: user_acts(); break;
	default: data_acts();
	}
	for (int i = 0; i < LABS; i++)
		for (int k = 0; k < USERS; k++)
			(void)swallow(user[i][k]);
	if (!swallow(node)) {
		nodes_close(node);
		ck_assert_ptr_nonnull(node = nodes_node_open(lab[0].h, stranger));
	}
}

/* ---- the whole ---- */

static void
begin(void)
{
	struct rlimit files = {20000, 20000};
	char name[32];

	(void)setrlimit(RLIMIT_NOFILE, &files);
	labs_make(LABS);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &stranger), Q_OK);
	for (int i = LABS - 1; i >= 0; i--) {
		lab[i].h->files = 20000;
		lab_boot(i, i == 0 ? "1" : "", i == 0 ? "" : "0",
			 i == 0 ? stranger : NULL, "limits.per_address=10000",
			 "limits.per_address_before_login=4000", "limits.accounts=100",
			 NULL);
		for (int k = 0; k < USERS; k++) {
			snprintf(name, sizeof(name), "lab%d-%d", i, k);
			harness_add_user(lab[i].h, name, KEY_EC_P256);
			user[i][k] = nodes_login(lab[i].h, name);
			uin[i][k] = user[i][k]->uin;
		}
	}
	LAB_LINKED(0, 1);
	ck_assert_ptr_nonnull(node = nodes_node_open(lab[0].h, stranger));
	for (int i = 0; i < LABS; i++)
		harness_reload(lab[i].h, "nodes.data_timeout=1s", "nodes.call_timeout=1s",
			       "nodes.search_timeout=300ms", NULL);
}

static void
all_log_in(int i)
{
	for (int k = 0; k < USERS; k++) {
		nodes_close(user[i][k]);
		user[i][k] = log_in(i, k);
	}
}

static void
all_hang_up(void)
{
	for (int i = 0; i < DATA; i++) {
		nodes_close(data[i]);
		data[i] = NULL;
	}
}

/* a calls b.  A search from before, when b was not there, may still be open: then b is not
 * found, and after it is. */
static void
call_until_found(int from, int to, int k)
{
	struct nodes_peer *a = user[from][k], *b = user[to][k];
	struct pollfd p[2] = {{.fd = a->fd, .events = POLLIN},
			      {.fd = b->fd, .events = POLLIN}};
	int tries = 0;

	do {
		if (p[0].revents != 0)
			nodes_expect(a, NODES_NOT_FOUND, b->uin);
		ck_assert_int_lt(tries++, 3);
		nodes_say(a, NODES_CALL, b->uin);
		ck_assert_int_ge(poll(p, 2, HARNESS_WAIT), 1);
	} while (p[1].revents == 0);
	nodes_expect(b, NODES_CALLED, a->uin);
}

static void
talk(int from, int to, int k)
{
	uint32_t a = uin[from][k], b = uin[to][k];
	struct nodes_peer *d[2];

	call_until_found(from, to, k);
	nodes_say(user[to][k], NODES_ALLOW, a);
	d[1] = nodes_data_open(lab[to].h, NULL, a, b);
	nodes_expect(user[from][k], NODES_READY, b);
	d[0] = nodes_data_open(lab[from].h, NULL, a, b);
	nodes_send_bytes(d[0], span_str("still there?"));
	nodes_expect_bytes(d[1], span_str("still there?"));
	nodes_close(d[0]);
	nodes_expect_end(d[1]);
	nodes_close(d[1]);
	HARNESS_UNTIL(lab_says(from, ", 0 calls"));
}

/* Everybody can call somebody at the other lab, both ways. */
static void
all_is_well(void)
{
	all_hang_up();
	nodes_close(node);
	LAB_LINKED(0, 1);
	for (int i = 0; i < LABS; i++)
		HARNESS_UNTIL(lab_says(i, ", 0 calls"));
	/* Now somebody waits. */
	for (int i = 0; i < LABS; i++)
		harness_reload(lab[i].h, "nodes.search_timeout=20s", NULL);
	all_log_in(0);
	all_log_in(1);
	for (int k = 0; k < USERS; k++)
		for (int from = 0; from < LABS; from++)
			talk(from, 1 - from, k);
}

START_TEST(chaos)
{
	seed = (unsigned)_i + 1;
	begin();
	for (int round = 0; round < ROUNDS; round++) {
		if (round > 0) {
			harness_kill(lab[1].h);
			harness_boot(lab[1].h, NULL);
			all_log_in(1);
			LAB_LINKED(0, 2);
		}
		for (int i = 0; i < STEPS / ROUNDS; i++)
			step();
	}
	all_is_well();
	for (int i = 0; i < LABS; i++)
		for (int k = 0; k < USERS; k++) {
			nodes_close(user[i][k]);
			user[i][k] = NULL;
		}
	labs_free();
	key_free(stranger);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nodes_chaos");
	TCase *c = harness_case(s, "chaos");

	tcase_add_loop_test(c, chaos, 0, 2);
	return harness_main(s);
}
