/* SPDX-License-Identifier: MIT
 *
 * board.c - what board's events cost a server of Socket.IO: ours, or Node's with handlers
 * of the same events (board_node.mjs).
 *
 *   board --port P --pid PID --tokens FILE --pairs N --readers R [--batch B] [--polling]
 *         N chats; one user of each writes, the other one has R connections in it
 *   board --port P --pid PID --tokens FILE --round-trip [--polling]
 *         two users answer each other, one message in flight
 *   board --port P --pid PID --tokens FILE --idle COUNT
 *         connections that have logged in, each as another user
 *
 * Everybody logs in with a token, which bench/mkdata has made.  A message counts when all its readers have it and the sender has its chat-response.
 * Answers with one line of JSON.
 */
#include <err.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "bench/keyring.h"
#include "bench/siolink.h"
#include "bench/util.h"

#define PAIRS_MAX   64
#define TEXT_MAX    4096
#define SAMPLES_MAX 1000000

struct options {
	unsigned port, pairs, readers, batch, window, text, run_ms, warm_ms, idle,
	    settle_ms;
	bool polling, round_trip;
	pid_t pid;
	const char *tokens;
};

/* ---- users and chats ---- */

/* One word of JSON behind before: a number, or what stands in quotes. */
static void
take_word(struct span packet, const char *before, char *out, size_t size)
{
	const uint8_t *at = memmem(packet.p, packet.len, before, strlen(before));
	size_t n = 0;

	if (at == NULL)
		errx(1, "no %s in %.*s", before, (int)packet.len, (const char *)packet.p);
	at += strlen(before);
	while (at + n < packet.p + packet.len && strchr("\",]}", at[n]) == NULL)
		n++;
	snprintf(out, size, "%.*s", (int)n, (const char *)at);
}

static struct user_token *tokens;

static void
enter(struct siolink *l, const struct options *o, unsigned source, unsigned user)
{
	char auth[TOKEN_SIZE + 16];

	snprintf(auth, sizeof(auth), "{\"token\":\"%s\"}", tokens[user].text);
	siolink_open(l, o->port, source, o->polling, auth);
	siolink_expect(l, "42[\"auth-response\",1,", "");
}

struct pair {
	struct siolink from, *to; /* to: one for each connection of the other user */
	char from_name[NAME_SIZE], to_name[NAME_SIZE];
	char anons[24], chat[24];
	char packet[TEXT_MAX + 128]; /* a message, as it is sent */
	const struct options *o;
	atomic_bool *stop;
	_Atomic uint64_t sent, heard, answered; /* heard: by all readers together */
	pthread_mutex_t lock;
	pthread_cond_t room;
	bool waiting; /* [lock] for less than half of the window to be on its way */
	pthread_t sender;
};

static void
join(struct siolink *l, const struct pair *p)
{
	siolink_say(l, "42[\"join-chat\",%s,%s]", p->anons, p->chat);
	siolink_expect(l, "42[\"join-chat-response\",", "OK");
}

/* From new-chat-response. */
static void
take_ids(struct span packet, struct pair *p)
{
	char text[128];

	snprintf(text, sizeof(text), "%.*s", (int)packet.len, (const char *)packet.p);
	if (sscanf(text, "42[\"new-chat-response\",%23[0-9],%23[0-9],", p->anons,
		   p->chat) != 2)
		errx(1, "no chat: %s", text);
}

static void
make_packet(struct pair *p)
{
	char text[TEXT_MAX];

	memset(text, 'm', p->o->text);
	text[p->o->text] = '\0';
	snprintf(p->packet, sizeof(p->packet), "42[\"chat-msg\",%s,%s,\"%s\"]", p->anons,
		 p->chat, text);
}

/* Two users, an announcement of the first one, a chat about it, everybody in it. */
static void
meet(struct pair *p, const struct options *o, unsigned number)
{
	struct span answer;

	p->o = o;
	p->to = must_alloc(o->readers, sizeof(*p->to));
	user_name(2 * number, p->from_name);
	user_name(2 * number + 1, p->to_name);
	enter(&p->from, o, number, 2 * number);
	siolink_say(&p->from, "42[\"new-anons\",\"bench\",\"\"]");
	answer = siolink_expect(&p->from, "42[\"new-anons-response\",", "");
	take_word(answer, "response\",", p->anons, sizeof(p->anons));
	enter(&p->to[0], o, number, 2 * number + 1);
	siolink_say(&p->to[0], "42[\"new-chat\",%s]", p->anons);
	answer = siolink_expect(&p->to[0], "42[\"new-chat-response\",", "OK");
	take_ids(answer, p);
	join(&p->from, p);
	join(&p->to[0], p);
	for (unsigned i = 1; i < o->readers; i++) {
		enter(&p->to[i], o, number + i, 2 * number + 1);
		join(&p->to[i], p);
	}
	make_packet(p);
}

/* Messages that everybody has who is to have them. */
static uint64_t
done(const struct pair *p)
{
	uint64_t heard = atomic_load(&p->heard) / p->o->readers;
	uint64_t answered = atomic_load(&p->answered);

	return heard < answered ? heard : answered;
}

static bool
has_room(const struct pair *p)
{
	return atomic_load(&p->sent) - done(p) <= p->o->window / 2;
}

/* ---- who hears ---- */

/* A connection, and whose. */
struct ear {
	struct siolink *link;
	struct pair *pair;
	bool sender;
};

struct ears {
	struct ear *all;
	unsigned n;
	atomic_bool stop;
	pthread_t thread;
};

static bool
begins(struct span packet, const char *with)
{
	return packet.len >= strlen(with) && memcmp(packet.p, with, strlen(with)) == 0;
}

static void
listen_to(struct ear *e)
{
	struct span packet;

	while (siolink_look(e->link, &packet)) {
		if (begins(packet, "42[\"chat-msg\",") && !e->sender)
			atomic_fetch_add(&e->pair->heard, 1);
		else if (begins(packet, "42[\"chat-response\",1,"))
			atomic_fetch_add(&e->pair->answered, 1);
		else if (begins(packet, "42[\"chat-response\",") || packet.len == 1)
			errx(1, "heard %.*s", (int)packet.len, (const char *)packet.p);
	}
	pthread_mutex_lock(&e->pair->lock);
	if (e->pair->waiting && has_room(e->pair))
		pthread_cond_signal(&e->pair->room);
	pthread_mutex_unlock(&e->pair->lock);
}

static void *
ears_thread(void *arg)
{
	struct ears *ears = arg;
	int epoll = epoll_create1(EPOLL_CLOEXEC), n;
	struct epoll_event ready[64];

	for (unsigned i = 0; i < ears->n; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = &ears->all[i]};

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, ears->all[i].link->in.fd, &e) != 0)
			err(1, "epoll");
		listen_to(&ears->all[i]);
	}
	while (!atomic_load(&ears->stop)) {
		n = epoll_wait(epoll, ready, 64, 50);
		for (int i = 0; i < n; i++)
			listen_to(ready[i].data.ptr);
	}
	return NULL;
}

static void
ears_begin(struct ears *ears, struct pair *pairs, const struct options *o)
{
	memset(ears, 0, sizeof(*ears));
	ears->all = must_alloc((size_t)o->pairs * (o->readers + 1), sizeof(*ears->all));
	for (unsigned i = 0; i < o->pairs; i++) {
		ears->all[ears->n++] = (struct ear){&pairs[i].from, &pairs[i], true};
		for (unsigned r = 0; r < o->readers; r++)
			ears->all[ears->n++] =
			    (struct ear){&pairs[i].to[r], &pairs[i], false};
	}
	if (pthread_create(&ears->thread, NULL, ears_thread, ears) != 0)
		errx(1, "no thread");
}

/* ---- who writes ---- */

static void
wait_for_room(struct pair *p)
{
	if (atomic_load(&p->sent) + p->o->batch - done(p) <= p->o->window)
		return;
	pthread_mutex_lock(&p->lock);
	p->waiting = true;
	while (!has_room(p))
		pthread_cond_wait(&p->room, &p->lock);
	p->waiting = false;
	pthread_mutex_unlock(&p->lock);
}

static void *
send_thread(void *arg)
{
	struct pair *p = arg;
	struct span packet = span_str(p->packet);

	while (!atomic_load(p->stop)) {
		wait_for_room(p);
		atomic_fetch_add(&p->sent, p->o->batch);
		siolink_send(&p->from, packet, p->o->batch);
	}
	return NULL;
}

static void
drain(struct pair *p)
{
	pthread_join(p->sender, NULL);
	for (int waited = 0; done(p) < atomic_load(&p->sent); waited++) {
		if (waited == 30000)
			errx(1, "%llu of %llu messages never came",
			     (unsigned long long)(atomic_load(&p->sent) - done(p)),
			     (unsigned long long)atomic_load(&p->sent));
		sleep_ms(1);
	}
}

/* ---- what is measured ---- */

struct snapshot {
	uint64_t messages, cpu_ns, time_ns;
};

static struct snapshot
snapshot(const struct pair *pairs, const struct options *o, clockid_t clock)
{
	struct snapshot s = {0, clock_ns(clock), now_ns()};

	for (unsigned i = 0; i < o->pairs; i++)
		s.messages += done(&pairs[i]);
	return s;
}

static void
report_stream(struct snapshot a, struct snapshot b, const struct options *o)
{
	double n = (double)(b.messages - a.messages);

	if (n < 1)
		errx(1, "nothing arrived");
	printf("{\"messages\": %.0f, \"per_second\": %.1f, \"cpu_us\": %.4f, "
	       "\"delivery_us\": %.4f}\n",
	       n, n * 1e9 / (double)(b.time_ns - a.time_ns),
	       (double)(b.cpu_ns - a.cpu_ns) / 1e3 / n,
	       (double)(b.cpu_ns - a.cpu_ns) / 1e3 / n / o->readers);
}

static void
stream(const struct options *o)
{
	struct pair *pairs = must_alloc(o->pairs, sizeof(*pairs));
	clockid_t clock = process_clock(o->pid);
	struct snapshot first, last;
	atomic_bool stop = false;
	struct ears ears;

	for (unsigned i = 0; i < o->pairs; i++) {
		meet(&pairs[i], o, i);
		pairs[i].stop = &stop;
		pthread_mutex_init(&pairs[i].lock, NULL);
		pthread_cond_init(&pairs[i].room, NULL);
	}
	ears_begin(&ears, pairs, o);
	for (unsigned i = 0; i < o->pairs; i++)
		if (pthread_create(&pairs[i].sender, NULL, send_thread, &pairs[i]) != 0)
			errx(1, "no thread");
	sleep_ms(o->warm_ms);
	first = snapshot(pairs, o, clock);
	sleep_ms(o->run_ms);
	last = snapshot(pairs, o, clock);
	atomic_store(&stop, true);
	for (unsigned i = 0; i < o->pairs; i++)
		drain(&pairs[i]);
	atomic_store(&ears.stop, true);
	pthread_join(ears.thread, NULL);
	report_stream(first, last, o);
}

/* a says something, b has it, and has polled for the next. */
static void
pass(struct siolink *a, struct siolink *b, const struct pair *p, const char *name)
{
	siolink_send(a, span_str(p->packet), 1);
	siolink_expect(b, "42[\"chat-msg\",", name);
}

static void
round_trip(const struct options *o)
{
	uint64_t *took = must_alloc(SAMPLES_MAX, sizeof(*took)), start, end;
	char from[40], to[40];
	struct pair p = {.o = o};
	size_t n = 0;

	meet(&p, o, 0);
	snprintf(from, sizeof(from), "\"%s\"", p.from_name);
	snprintf(to, sizeof(to), "\"%s\"", p.to_name);
	end = now_ns() + (uint64_t)o->warm_ms * 1000000;
	while (now_ns() < end) {
		pass(&p.from, &p.to[0], &p, from);
		pass(&p.to[0], &p.from, &p, to);
	}
	end = now_ns() + (uint64_t)o->run_ms * 1000000;
	do {
		start = now_ns();
		pass(&p.from, &p.to[0], &p, from);
		pass(&p.to[0], &p.from, &p, to);
		took[n++] = now_ns() - start;
	} while (n < SAMPLES_MAX && start < end);
	printf("{\"p50_us\": %.2f, \"p99_us\": %.2f, \"trips\": %zu}\n",
	       (double)quantile(took, n, 0.5) / 1e3,
	       (double)quantile(took, n, 0.99) / 1e3, n);
	free(took);
}

static void
idle(const struct options *o)
{
	struct siolink *links = must_alloc(o->idle, sizeof(*links));
	long before, after;

	before = proc_kib("status", o->pid, "VmRSS");
	for (unsigned i = 0; i < o->idle; i++)
		enter(&links[i], o, i, i);
	sleep_ms(o->settle_ms);
	after = proc_kib("status", o->pid, "VmRSS");
	printf("{\"count\": %u, \"rss_kib\": %.2f}\n", o->idle,
	       (double)(after - before) / o->idle);
}

int
main(int argc, char **argv)
{
	static const struct option names[] = {
	    {"port", 1, NULL, 'p'},    {"pid", 1, NULL, 'i'},
	    {"tokens", 1, NULL, 'T'},  {"pairs", 1, NULL, 'n'},
	    {"readers", 1, NULL, 'r'}, {"batch", 1, NULL, 'b'},
	    {"window", 1, NULL, 'w'},  {"text", 1, NULL, 'x'},
	    {"run-ms", 1, NULL, 'm'},  {"warm-ms", 1, NULL, 'W'},
	    {"idle", 1, NULL, 'd'},    {"settle-ms", 1, NULL, 's'},
	    {"polling", 0, NULL, 'P'}, {"round-trip", 0, NULL, 'R'},
	    {"keys", 1, NULL, 'k'},    {NULL, 0, NULL, 0}};
	struct options o = {.pairs = 1,
			    .readers = 1,
			    .batch = 1,
			    .window = 512,
			    .text = 256,
			    .run_ms = 1000,
			    .warm_ms = 700,
			    .settle_ms = 1500};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		unsigned v = (unsigned)strtoul(optarg != NULL ? optarg : "0", NULL, 10);

		switch (c) {
		case 'p': o.port = v; break;
		case 'i': o.pid = (pid_t)v; break;
		case 'T': o.tokens = optarg; break;
		case 'n': o.pairs = v; break;
		case 'r': o.readers = v; break;
		case 'b': o.batch = v; break;
		case 'w': o.window = v; break;
		case 'x': o.text = v; break;
		case 'm': o.run_ms = v; break;
		case 'W': o.warm_ms = v; break;
		case 'd': o.idle = v; break;
		case 's': o.settle_ms = v; break;
		case 'P': o.polling = true; break;
		case 'R': o.round_trip = true; break;
		case 'k': break; /* every load program is given it */
		default: exit(100);
		}
	}
	if (o.port == 0 || o.pid == 0 || o.tokens == NULL || o.pairs == 0 ||
	    o.pairs > PAIRS_MAX || o.readers == 0 || o.text >= TEXT_MAX ||
	    o.batch > o.window / 2)
		errx(100, "see the head of bench/board.c");
	tokens = tokens_read(o.tokens, o.idle > 2 * o.pairs ? o.idle : 2 * o.pairs);
	if (o.round_trip)
		round_trip(&o);
	else if (o.idle > 0)
		idle(&o);
	else
		stream(&o);
	return 0;
}
