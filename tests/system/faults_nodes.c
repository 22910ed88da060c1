/* SPDX-License-Identifier: MIT
 *
 * Three servers in networks of their own (netns.sh), which are cut off and come back.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/nodes_labs.h"

#define PORT 9034 /* at each lab's own address */

static struct nodes_peer *user[LABS_MAX];

/* From here on this thread's sockets are made in that lab's network. */
static void
go_to(int i)
{
	char path[128], number[2] = {(char)('0' + i), '\0'};
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s-%d", getenv("QUINTET_NETNS"), i);
	ck_assert_int_ne(fd = open(path, O_RDONLY | O_CLOEXEC), -1);
	ck_assert_int_eq(setns(fd, CLONE_NEWNET), 0);
	close(fd);
	setenv("LAB", number, 1); /* for the servers */
}

static void
cable(int i, const char *state)
{
	char command[192];

	snprintf(command, sizeof(command), "ip -n %s-hub link set port%d %s",
		 getenv("QUINTET_NETNS"), i, state);
	ck_assert_int_eq(system(command), 0);
}

/* Users who only wait say so now and then, or they would be taken for lost. */
static bool
keep_alive(void)
{
	static const struct nodes_message pong = {.type = NODES_PONG};

	for (int i = 0; i < LABS_MAX; i++)
		if (user[i] != NULL)
			nodes_send(user[i], &pong);
	return true;
}
#define LINKED(i, n) HARNESS_UNTIL(keep_alive() && lab_links(i) == (n))

static void
await_end(struct nodes_peer *p)
{
	struct pollfd fd = {.fd = p->fd, .events = POLLIN};

	HARNESS_UNTIL(keep_alive() && poll(&fd, 1, 100) == 1);
	nodes_expect_end(p);
}

static void
start(const char *dials[LABS_MAX], const char *admits[LABS_MAX])
{
	labs_make(LABS_MAX);
	for (int i = 0; i < LABS_MAX; i++) {
		snprintf(lab[i].place, sizeof(lab[i].place), "10.77.0.%d:%d", i + 1,
			 PORT);
		cable(i, "up");
	}
	for (int i = LABS_MAX - 1; i >= 0; i--) {
		char port[32];

		/* Announced is the first listener, which only this lab can reach. */
		snprintf(port, sizeof(port), "nodes.advertise=%d", PORT);
		go_to(i);
		lab_boot(i, dials[i], admits[i], NULL, port, "nodes.follow=any",
			 "nodes.ping_interval=200ms", "nodes.ping_timeout=3s",
			 "nodes.search_timeout=500ms", NULL);
		user[i] = nodes_login(lab[i].h, lab_users[i]);
	}
}

static void
finish(void)
{
	for (int i = 0; i < LABS_MAX; i++)
		nodes_close(user[i]);
	labs_free();
}

/* a calls b, and they talk. */
static void
call(int a, int b, struct nodes_peer *data[2])
{
	nodes_say(user[a], NODES_CALL, user[b]->uin);
	nodes_expect(user[b], NODES_CALLED, user[a]->uin);
	nodes_say(user[b], NODES_ALLOW, user[a]->uin);
	go_to(b);
	data[1] = nodes_data_open(lab[b].h, NULL, user[a]->uin, user[b]->uin);
	nodes_expect(user[a], NODES_READY, user[b]->uin);
	go_to(a);
	data[0] = nodes_data_open(lab[a].h, NULL, user[a]->uin, user[b]->uin);
	nodes_send_bytes(data[0], span_str("hello"));
	nodes_expect_bytes(data[1], span_str("hello"));
}

static void
hang_up(struct nodes_peer *data[2])
{
	nodes_close(data[0]);
	nodes_expect_end(data[1]);
	nodes_close(data[1]);
}

/* Nothing comes and nothing goes, and nobody says so: both sides find out, calls end, and
 * when the cable is back so are the links and calls.  Others notice nothing. */
START_TEST(cut_and_healed)
{
	const char *dials[] = {"12", "2", ""}, *admits[] = {"", "0", "01"};
	struct nodes_peer *cut[2], *other[2];
	int64_t began;

	start(dials, admits);
	for (int i = 0; i < LABS_MAX; i++)
		LINKED(i, 2);
	call(0, 1, cut);
	call(0, 2, other);
	began = clock_mono_ms();
	cable(1, "down");
	await_end(cut[0]);
	await_end(cut[1]);
	ck_assert_int_lt(clock_mono_ms() - began, harness_deadline(8000) - began);
	LINKED(0, 1);
	LINKED(1, 0);
	nodes_say(user[0], NODES_CALL, user[1]->uin);
	nodes_expect(user[0], NODES_NOT_FOUND, user[1]->uin);
	nodes_send_bytes(other[0], span_str("still here"));
	nodes_expect_bytes(other[1], span_str("still here"));
	cable(1, "up");
	LINKED(0, 2);
	LINKED(1, 2);
	nodes_close(cut[0]);
	nodes_close(cut[1]);
	call(1, 0, cut);
	hang_up(cut);
	hang_up(other);
	finish();
}
END_TEST

/* A finds C through B, which has found her before. */
START_TEST(found_through_another)
{
	const char *dials[] = {"1", "2", ""}, *admits[] = {"2", "0", "01"};
	struct nodes_peer *data[2];
	uint32_t gone;

	start(dials, admits);
	LINKED(0, 1);
	LINKED(1, 2);
	call(1, 2, data);
	hang_up(data);
	nodes_say(user[1], NODES_CALL, user[2]->uin);
	nodes_expect(user[2], NODES_CALLED, user[1]->uin);
	call(0, 2, data);
	LINKED(0, 2);
	/* And what they have is theirs: B may go. */
	gone = user[1]->uin;
	harness_kill(lab[1].h);
	nodes_close(user[1]);
	user[1] = NULL;
	nodes_expect(user[2], NODES_NOT_FOUND, gone);
	nodes_send_bytes(data[1], span_str("still here"));
	nodes_expect_bytes(data[0], span_str("still here"));
	hang_up(data);
	finish();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("faults_nodes");
	TCase *tc = harness_case(suite, "faults_nodes");

	if (getenv("QUINTET_NETNS") == NULL) {
		fprintf(stderr, "run tests/system/netns.sh (make test-faults)\n");
		return EXIT_FAILURE;
	}
	tcase_add_test(tc, cut_and_healed);
	tcase_add_test(tc, found_through_another);
	return harness_main(suite);
}
