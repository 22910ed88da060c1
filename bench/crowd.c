/* SPDX-License-Identifier: MIT
 *
 * crowd.c - many connections at once: what an idle one costs in memory, and
 * whether thousands can log in, list, chat in pairs and leave.
 *
 * Prints a line of JSON when all are logged in.  With --hold it then waits for
 * the end of its standard input, so that other loads can run beside the crowd.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/keyring.h"
#include "bench/link.h"
#include "bench/util.h"

struct options {
	unsigned port, count, first, settle_ms;
	pid_t pid;
	const char *keys;
	bool hold, chat;
};

struct memory {
	long rss, pss, anon; /* of the server */
	long kernel;         /* of the whole machine: stacks, tables, slab */
};

static struct memory
memory_now(pid_t pid)
{
	struct memory m;

	m.rss = proc_kib("status", pid, "VmRSS");
	m.pss = proc_kib("smaps_rollup", pid, "Pss");
	m.anon = proc_kib("smaps_rollup", pid, "Anonymous");
	m.kernel = proc_kib("meminfo", 0, "KernelStack") +
		   proc_kib("meminfo", 0, "PageTables") + proc_kib("meminfo", 0, "Slab");
	return m;
}

static void
log_in(const struct options *o, struct link *links, uint8_t *buf)
{
	struct key **keys = keyring_read(o->keys, o->first + o->count);
	char name[NAME_SIZE];

	for (unsigned i = 0; i < o->count; i++) {
		user_name(o->first + i, name);
		link_connect(&links[i], o->port, i);
		link_login(&links[i], name, keys[o->first + i]);
	}
	link_online(&links[o->count - 1], buf);
	keyring_free(keys, o->first + o->count);
}

/* Every pair has a chat at the same time; each side says one thing. */
static void
chat_in_pairs(const struct options *o, struct link *links, uint8_t *buf)
{
	uint8_t body[LINK_BODY_LEN(256)];
	struct span data = span_of(body, sizeof(body));
	char name[NAME_SIZE];

	link_body(body, 256);
	for (unsigned i = 0; i + 1 < o->count; i += 2) {
		user_name(o->first + i + 1, name);
		link_chat(&links[i], &links[i + 1], name, buf);
	}
	for (unsigned i = 0; i + 1 < o->count; i++)
		link_send(&links[i], RELAY_PEER_MESSAGE, data);
	for (unsigned i = 0; i + 1 < o->count; i++)
		link_expect(&links[i ^ 1], RELAY_PEER_MESSAGE, buf);
	for (unsigned i = 0; i + 1 < o->count; i += 2)
		link_send(&links[i], RELAY_END_CHAT, span_of(NULL, 0));
	for (unsigned i = 0; i + 1 < o->count; i += 2)
		link_expect(&links[i + 1], RELAY_CLOSED_CHAT, buf);
}

static double
seconds_since(uint64_t start)
{
	return (double)(now_ns() - start) / 1e9;
}

static void
live(const struct options *o, struct link *links, uint8_t *buf)
{
	uint64_t start = now_ns();

	for (unsigned i = 0; i < o->count; i++)
		link_online(&links[i], buf);
	printf(", \"list_s\": %.2f", seconds_since(start));
	start = now_ns();
	chat_in_pairs(o, links, buf);
	printf(", \"chat_s\": %.2f", seconds_since(start));
	start = now_ns();
	for (unsigned i = 0; i < o->count; i++)
		link_send(&links[i], RELAY_LOGOUT, span_of(NULL, 0));
	for (unsigned i = 0; i < o->count; i++)
		link_wait_end(&links[i]);
	printf(", \"leave_s\": %.2f", seconds_since(start));
}

int
main(int argc, char **argv)
{
	static const struct option names[] = {
	    {"port", 1, NULL, 'p'},  {"pid", 1, NULL, 'i'},   {"keys", 1, NULL, 'k'},
	    {"first", 1, NULL, 'f'}, {"count", 1, NULL, 'n'}, {"settle-ms", 1, NULL, 's'},
	    {"hold", 0, NULL, 'h'},  {"chat", 0, NULL, 'c'},  {NULL, 0, NULL, 0}};
	struct options o = {.settle_ms = 1500};
	uint8_t *buf = must_alloc(1, LINK_FRAME_MAX);
	struct memory before, after;
	struct link *links;
	uint64_t start;
	double n;
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		unsigned v = optarg == NULL ? 0 : (unsigned)strtoul(optarg, NULL, 10);

		switch (c) {
		case 'p': o.port = v; break;
		case 'i': o.pid = (pid_t)v; break;
		case 'k': o.keys = optarg; break;
		case 'f': o.first = v; break;
		case 'n': o.count = v; break;
		case 's': o.settle_ms = v; break;
		case 'h': o.hold = true; break;
		case 'c': o.chat = true; break;
		default: exit(100);
		}
	}
	if (o.port == 0 || o.pid == 0 || o.keys == NULL || o.count == 0)
		errx(100,
		     "usage: crowd --port N --pid N --keys FILE --count N [--first N] "
		     "[--settle-ms N] [--chat] [--hold]");
	links = must_alloc(o.count, sizeof(*links));
	n = o.count;
	before = memory_now(o.pid);
	start = now_ns();
	log_in(&o, links, buf);
	printf("{\"count\": %u, \"login_s\": %.2f", o.count, seconds_since(start));
	sleep_ms(o.settle_ms);
	after = memory_now(o.pid);
	printf(", \"rss_kib\": %.3f, \"pss_kib\": %.3f, \"anon_kib\": %.3f, "
	       "\"kernel_kib\": %.3f",
	       (double)(after.rss - before.rss) / n, (double)(after.pss - before.pss) / n,
	       (double)(after.anon - before.anon) / n,
	       (double)(after.kernel - before.kernel) / n);
	if (o.chat)
		live(&o, links, buf);
	printf("}\n");
	fflush(stdout);
	if (o.hold)
		while (read(STDIN_FILENO, buf, 1) > 0)
			continue;
	for (unsigned i = 0; i < o.count; i++)
		link_close(&links[i]);
	free(links);
	free(buf);
	return 0;
}
