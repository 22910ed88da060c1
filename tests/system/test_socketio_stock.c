/* SPDX-License-Identifier: MIT
 *
 * The stock client of Socket.IO (socket.io-client from npm, under Node) against sio-echo.
 * `make deps` fetches it where npm's registry can be reached; without it this says so.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/harness_run.h"
#include "tests/system/sio_peer.h"

#define CLIENT "build/npm"
#define WAIT   60000

START_TEST(stock_client)
{
	char port[8];
	const char *argv[] = {"/usr/bin/env", "node", "tests/system/sio_stock.mjs",
			      CLIENT,         port,   NULL};
	const struct harness_child child = {.argv = argv};
	struct buf out = BUF_INIT(1 << 20);
	struct harness *h;
	int fd, status;
	pid_t pid;

	if (access(CLIENT "/node_modules/socket.io-client", R_OK) != 0 ||
	    system("command -v node >/dev/null") != 0) {
		printf("skipped: no socket.io-client in " CLIENT " (make deps)\n");
		return;
	}
	h = sio_start(NULL);
	snprintf(port, sizeof(port), "%u", h->port);
	pid = harness_spawn(&child, &fd);
	while (harness_read_some(fd, &out, harness_deadline(WAIT)) > 0)
		;
	status = harness_reap(pid, harness_deadline(HARNESS_WAIT));
	close(fd);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%.*s", (int)out.len,
		      (const char *)out.p);
	buf_free(&out);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("socketio_stock");
	TCase *tc = harness_case(suite, "socketio_stock");

	tcase_set_timeout(tc, 90);
	tcase_add_test(tc, stock_client);
	return harness_main(suite);
}
