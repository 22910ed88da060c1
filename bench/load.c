/* SPDX-License-Identifier: MIT
 *
 * A pair has two threads.  The sender seals and writes while fewer than
 * `window` messages are on their way, and sleeps until half of them have come
 * otherwise.  The receiver counts frames by their size fields and opens the
 * first one of each read, so that a relay which sealed wrongly or lost count
 * could not pass for a fast one.
 *
 * The figures are differences between two snapshots in the middle of the load;
 * what is on its way then is less than the window and does not matter.
 */
#include <err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bench/load.h"
#include "bench/util.h"

enum { READ_SIZE = 262144, DRAIN_MS = 30000 };

struct pair {
	struct link *from, *to;
	const struct load *plan;
	atomic_bool *stop;
	_Atomic(uint64_t) sent, received;
	pthread_mutex_t lock;
	pthread_cond_t room;
	bool waiting; /* [lock] */
	pthread_t sender, receiver;
};

static void
wait_for_room(struct pair *p)
{
	unsigned window = p->plan->window;

	if (p->sent + p->plan->batch - p->received <= window)
		return;
	pthread_mutex_lock(&p->lock);
	while (p->sent - p->received > window / 2) {
		p->waiting = true;
		pthread_cond_wait(&p->room, &p->lock);
	}
	p->waiting = false;
	pthread_mutex_unlock(&p->lock);
}

static void *
send_thread(void *arg)
{
	struct pair *p = arg;
	const struct load *plan = p->plan;
	size_t body_len = LINK_BODY_LEN(plan->text), len;
	uint8_t *body = must_alloc(1, body_len);
	uint8_t *out = must_alloc(plan->batch, LINK_FRAME_LEN(body_len));

	link_body(body, plan->text);
	while (!*p->stop) {
		wait_for_room(p);
		len = 0;
		for (unsigned i = 0; i < plan->batch; i++)
			len += link_seal(p->from, RELAY_PEER_MESSAGE,
					 span_of(body, body_len), out + len);
		p->sent += plan->batch;
		link_write(p->from, out, len);
	}
	free(body);
	free(out);
	return NULL;
}

static void
count(struct pair *p, uint64_t n)
{
	p->received += n;
	pthread_mutex_lock(&p->lock);
	if (p->waiting && p->sent - p->received <= p->plan->window / 2)
		pthread_cond_signal(&p->room);
	pthread_mutex_unlock(&p->lock);
}

static void *
receive_thread(void *arg)
{
	struct pair *p = arg;
	size_t frame_len = LINK_FRAME_LEN(LINK_BODY_LEN(p->plan->text)), have = 0, used;
	uint8_t *in = must_alloc(1, READ_SIZE + frame_len);
	ssize_t n;

	while ((n = recv(p->to->fd, in + have, READ_SIZE, 0)) > 0) {
		have += (size_t)n;
		for (used = 0; have - used >= frame_len; used += frame_len) {
			if (le32_get(in + used) != frame_len - RELAY_SIZE_LEN)
				errx(1, "a frame of an unexpected size");
			if (used == 0)
				link_open(p->to, in, frame_len, p->to->received);
			p->to->received++;
		}
		have -= used;
		memmove(in, in + used, have);
		if (used > 0)
			count(p, used / frame_len);
	}
	if (n < 0)
		err(1, "recv");
	free(in);
	return NULL;
}

struct snapshot {
	uint64_t messages, cpu_ns, time_ns;
};

static struct snapshot
snapshot(const struct pair *pairs, const struct load *plan)
{
	struct snapshot s = {0, clock_ns(plan->clock), now_ns()};

	for (unsigned i = 0; i < plan->pairs; i++)
		s.messages += pairs[i].received;
	return s;
}

static void
evaluate(struct snapshot a, struct snapshot b, struct load_result *out)
{
	out->messages = (double)(b.messages - a.messages);
	if (out->messages < 1)
		errx(1, "nothing arrived");
	out->per_second = out->messages * 1e9 / (double)(b.time_ns - a.time_ns);
	out->cpu_us = (double)(b.cpu_ns - a.cpu_ns) / 1e3 / out->messages;
}

/* What was sent must come, all of it. */
static void
drain(struct pair *p)
{
	pthread_join(p->sender, NULL);
	for (int waited = 0; p->received < p->sent; waited++) {
		if (waited == DRAIN_MS)
			errx(1, "%llu of %llu messages never came",
			     (unsigned long long)(p->sent - p->received),
			     (unsigned long long)p->sent);
		sleep_ms(1);
	}
	shutdown(p->to->fd, SHUT_RD);
	pthread_join(p->receiver, NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->room);
}

void
load_stream(struct link *from, struct link *to, const struct load *plan,
	    struct load_result *out)
{
	struct pair *pairs = must_alloc(plan->pairs, sizeof(*pairs));
	struct snapshot first, last;
	atomic_bool stop = false;

	for (unsigned i = 0; i < plan->pairs; i++) {
		struct pair *p = &pairs[i];

		p->from = &from[i];
		p->to = &to[i];
		p->plan = plan;
		p->stop = &stop;
		pthread_mutex_init(&p->lock, NULL);
		pthread_cond_init(&p->room, NULL);
		if (pthread_create(&p->receiver, NULL, receive_thread, p) != 0 ||
		    pthread_create(&p->sender, NULL, send_thread, p) != 0)
			errx(1, "no thread");
	}
	sleep_ms(plan->warm_ms);
	first = snapshot(pairs, plan);
	sleep_ms(plan->run_ms);
	last = snapshot(pairs, plan);
	stop = true;
	for (unsigned i = 0; i < plan->pairs; i++)
		drain(&pairs[i]);
	evaluate(first, last, out);
	free(pairs);
}

/* ---- one in flight ---- */

/* a says something to b; it comes with one read or more. */
static void
pass(struct link *a, struct link *b, struct span body, uint8_t *buf)
{
	size_t len = link_seal(a, RELAY_PEER_MESSAGE, body, buf), have = 0;
	ssize_t n;

	link_write(a, buf, len);
	for (; have < len; have += (size_t)n)
		if ((n = recv(b->fd, buf + have, len - have, 0)) <= 0)
			err(1, "recv");
	link_open(b, buf, len, b->received++);
}

void
load_pingpong(struct link *a, struct link *b, const struct load *plan,
	      struct load_result *out)
{
	size_t body_len = LINK_BODY_LEN(plan->text), n = 0, max = 1000000;
	uint64_t *took = must_alloc(max, sizeof(*took)), start, end;
	uint8_t *body = must_alloc(1, body_len),
		*buf = must_alloc(1, LINK_FRAME_LEN(body_len));
	struct snapshot first = {0, 0, 0}, last;

	link_body(body, plan->text);
	end = now_ns() + (uint64_t)plan->warm_ms * 1000000;
	while (now_ns() < end)
		pass(a, b, span_of(body, body_len), buf);
	first.cpu_ns = clock_ns(plan->clock);
	first.time_ns = now_ns();
	end = first.time_ns + (uint64_t)plan->run_ms * 1000000;
	do {
		start = now_ns();
		pass(a, b, span_of(body, body_len), buf);
		pass(b, a, span_of(body, body_len), buf);
		took[n++] = now_ns() - start;
	} while (n < max && start < end);
	last = (struct snapshot){2 * n, clock_ns(plan->clock), now_ns()};
	evaluate(first, last, out);
	out->p50_us = (double)quantile(took, n, 0.5) / 1e3;
	out->p99_us = (double)quantile(took, n, 0.99) / 1e3;
	free(took);
	free(body);
	free(buf);
}
