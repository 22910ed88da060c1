/* SPDX-License-Identifier: MIT
 *
 * relay.c - the load generator: real logins and chats at a server, or joins at
 * the floor, then one workload; prints one line of JSON.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/keyring.h"
#include "bench/load.h"
#include "bench/util.h"

struct options {
	unsigned port;
	pid_t pid;
	const char *keys; /* NULL: the target is the floor */
	unsigned first;   /* number of the first user */
	bool pingpong;
	struct load load;
};

static void
read_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
	    {"port", 1, NULL, 'p'},     {"pid", 1, NULL, 'i'},
	    {"keys", 1, NULL, 'k'},     {"first", 1, NULL, 'f'},
	    {"pairs", 1, NULL, 'n'},    {"batch", 1, NULL, 'b'},
	    {"text", 1, NULL, 't'},     {"window", 1, NULL, 'w'},
	    {"run-ms", 1, NULL, 'r'},   {"warm-ms", 1, NULL, 'm'},
	    {"pingpong", 0, NULL, 'P'}, {NULL, 0, NULL, 0}};
	int c;

	*o = (struct options){.load = {1, 1, 256, 1000, 1000, 150, 0}};
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		unsigned n = optarg == NULL ? 0 : (unsigned)strtoul(optarg, NULL, 10);

		switch (c) {
		case 'p': o->port = n; break;
		case 'i': o->pid = (pid_t)n; break;
		case 'k': o->keys = optarg; break;
		case 'f': o->first = n; break;
		case 'n': o->load.pairs = n; break;
		case 'b': o->load.batch = n; break;
		case 't': o->load.text = n; break;
		case 'w': o->load.window = n; break;
		case 'r': o->load.run_ms = n; break;
		case 'm': o->load.warm_ms = n; break;
		case 'P': o->pingpong = true; break;
		default: exit(100);
		}
	}
	if (o->port == 0 || o->pid == 0 || o->load.pairs == 0 || o->load.batch == 0)
		errx(
		    100,
		    "usage: relay --port N --pid N [--keys FILE [--first N]] [--pairs N] "
		    "[--batch N] [--text BYTES] [--window N] [--run-ms N] [--warm-ms N] "
		    "[--pingpong]");
	o->load.clock = process_clock(o->pid);
}

static void
join_floor(const struct options *o, struct link *from, struct link *to)
{
	for (unsigned i = 0; i < o->load.pairs; i++) {
		link_connect(&from[i], o->port, i);
		link_connect(&to[i], o->port, i);
		link_join(&from[i], i, 0);
		link_join(&to[i], i, 1);
		link_joined(&from[i]);
		link_joined(&to[i]);
	}
}

static void
log_in(const struct options *o, struct link *from, struct link *to, uint8_t *buf)
{
	unsigned users = o->first + 2 * o->load.pairs;
	struct key **keys = keyring_read(o->keys, users);
	char name[NAME_SIZE];

	for (unsigned i = 0; i < o->load.pairs; i++) {
		unsigned u = o->first + 2 * i;

		link_connect(&from[i], o->port, u);
		link_connect(&to[i], o->port, u + 1);
		user_name(u, name);
		link_login(&from[i], name, keys[u]);
		user_name(u + 1, name);
		link_login(&to[i], name, keys[u + 1]);
		link_online(&to[i], buf);
		link_chat(&from[i], &to[i], name, buf);
	}
	keyring_free(keys, users);
}

int
main(int argc, char **argv)
{
	struct options o;
	struct load_result r = {0};
	struct link *from, *to;
	uint8_t *buf = must_alloc(1, LINK_FRAME_MAX);

	read_options(argc, argv, &o);
	from = must_alloc(o.load.pairs, sizeof(*from));
	to = must_alloc(o.load.pairs, sizeof(*to));
	if (o.keys == NULL)
		join_floor(&o, from, to);
	else
		log_in(&o, from, to, buf);
	if (o.pingpong)
		load_pingpong(&from[0], &to[0], &o.load, &r);
	else
		load_stream(from, to, &o.load, &r);
	for (unsigned i = 0; i < o.load.pairs; i++) {
		link_close(&from[i]);
		link_close(&to[i]);
	}
	printf("{\"messages\": %.0f, \"per_second\": %.1f, \"cpu_us\": %.4f, \"p50_us\": "
	       "%.2f, "
	       "\"p99_us\": %.2f}\n",
	       r.messages, r.per_second, r.cpu_us, r.p50_us, r.p99_us);
	free(buf);
	free(from);
	free(to);
	return 0;
}
