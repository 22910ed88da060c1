/* SPDX-License-Identifier: MIT
 *
 * nodes.c - calls: bytes from caller to callee through the server, and how long a call
 * takes to be set up.
 *
 *   nodes --port P --pid PID --keys FILE --calls N --run-ms T
 *   nodes --port P --pid PID --floor --calls N --run-ms T      bench/splice
 *   nodes --port P --pid PID --keys FILE --other-port P --other-pid PID ...
 *         callees at another node
 *   nodes --port P --pid PID --keys FILE --set-up N
 *   nodes --tls --keys FILE --run-ms T      the same bytes through one TLS connection,
 *         between two threads of ours
 *   nodes --tunnel --keys FILE --run-ms T   the same, and a plain connection before and
 *         behind it, as a call across two nodes has
 *
 * Answers with one line of JSON.  Inside a call the clients would speak TLS with each
 * other, which is nothing to the server: here bare bytes are sent, so that the clients
 * leave it the processor.
 */
#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/keyring.h"
#include "bench/util.h"
#include "crypto/cert.h"
#include "crypto/tls.h"
#include "protocol/nodes.h"

#define BLOCK   (64 * 1024)
#define SCRAP   (1024 * 1024)
#define WARM_MS 200

struct options {
	unsigned port, other_port, calls, run_ms, set_up;
	pid_t pid, other_pid;
	const char *keys;
	bool floor, tls, tunnel;
};

/* ---- connections ---- */

static int
dial(unsigned port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		err(1, "connect");
	return fd;
}

static void
write_all(int fd, const void *p, size_t n)
{
	if (send(fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
		err(1, "send");
}

/* ---- control connections ---- */

struct control {
	struct tls *tls;
	int fd;
	uint32_t uin;
	unsigned port;
};

static bool
anybody(void *arg, const struct cert *peer)
{
	(void)arg, (void)peer;
	return true;
}

static void
wait_until(int fd, enum qerr e)
{
	struct pollfd p = {.fd = fd, .events = e == Q_FULL ? POLLOUT : POLLIN};

	if (e != Q_SHORT && e != Q_FULL)
		errx(1, "TLS: %s", qerr_str(e));
	(void)poll(&p, 1, -1);
}

static void
say(struct control *c, const struct nodes_message *m)
{
	struct buf b = BUF_INIT(512);
	size_t put;

	must(nodes_put(&b, m), "a message");
	must(tls_write(c->tls, b.p, b.len, &put), "tls_write");
	buf_free(&b);
}

/* The next message that is no ping; it must be of this type. */
static uint32_t
hear(struct control *c, enum nodes_type type)
{
	uint8_t p[64];
	size_t have = 0, got;
	struct nodes_message m;
	enum qerr e;

	while ((e = nodes_next(span_of(p, have), NODES_SERVER, &m)) != Q_OK ||
	       m.type == NODES_PING) {
		if (e == Q_OK)
			have = 0;
		/* One byte at a time: what comes behind stays in TLS. */
		while ((e = tls_read(c->tls, p + have, 1, &got)) != Q_OK)
			wait_until(c->fd, e);
		have += got;
	}
	if (m.type != type)
		errx(1, "heard %02x, not %02x", m.type, type);
	return m.uin;
}

static void
log_in(struct control *c, unsigned port, const struct key *key, unsigned user)
{
	static const uint8_t hello[4] = {NODES_CLIENT_HELLO, NODES_CLIENT_HELLO,
					 NODES_MAJOR, NODES_MINOR};
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	struct tls_context *context;
	char name[NAME_SIZE];
	struct cert *cert;
	uint8_t ok[4];
	enum qerr e;

	user_name(user, name);
	must(cert_make_self(key, name, 1, &cert), "certificate");
	must(cert_pem(cert, &pem), "certificate");
	must(tls_mutual_context(true, key, buf_span(&pem), &context), "TLS context");
	c->port = port;
	c->fd = dial(port);
	write_all(c->fd, hello, sizeof(hello));
	if (recv(c->fd, ok, sizeof(ok), MSG_WAITALL) != sizeof(ok) || ok[0] != NODES_OK)
		errx(1, "the server does not say OK");
	c->tls = tls_new(context, c->fd, (struct span){NULL, 0});
	tls_judge(c->tls, anybody, NULL);
	while ((e = tls_handshake(c->tls)) != Q_OK)
		wait_until(c->fd, e);
	say(c, &(struct nodes_message){.type = NODES_WHO_NAME});
	c->uin = hear(c, NODES_WHO_IS);
	tls_context_free(context);
	cert_free(cert);
	buf_free(&pem);
}

static void
log_out(struct control *c)
{
	tls_free(c->tls);
	close(c->fd);
}

/* ---- calls ---- */

struct call {
	int caller, callee; /* data connections */
	pthread_t writer, reader;
	_Atomic uint64_t received;
};

static int
open_data(unsigned port, uint32_t caller, uint32_t callee)
{
	struct nodes_message m = {
	    .type = NODES_DATA_HELLO, .uin = caller, .uin2 = callee};
	struct buf b = BUF_INIT(16);
	int fd = dial(port);

	must(nodes_put(&b, &m), "20");
	write_all(fd, b.p, b.len);
	buf_free(&b);
	return fd;
}

static void
set_up(struct call *call, struct control *a, struct control *b)
{
	say(a, &(struct nodes_message){.type = NODES_CALL, .uin = b->uin});
	if (hear(b, NODES_CALLED) != a->uin)
		errx(1, "called by somebody else");
	say(b, &(struct nodes_message){.type = NODES_ALLOW, .uin = a->uin});
	call->callee = open_data(b->port, a->uin, b->uin);
	(void)hear(a, NODES_READY);
	call->caller = open_data(a->port, a->uin, b->uin);
}

static void
set_up_floor(struct call *call, unsigned port, uint32_t pair)
{
	call->callee = dial(port);
	write_all(call->callee, &pair, sizeof(pair));
	call->caller = dial(port);
	write_all(call->caller, &pair, sizeof(pair));
}

static void
hang_up(struct call *call)
{
	close(call->caller);
	close(call->callee);
}

/* ---- load ---- */

static void *
writer(void *arg)
{
	static const uint8_t block[BLOCK];
	struct call *call = arg;

	while (send(call->caller, block, sizeof(block), MSG_NOSIGNAL) > 0)
		continue;
	return NULL;
}

/* The bytes are counted, not copied. */
static void *
reader(void *arg)
{
	struct call *call = arg;
	ssize_t n;

	while ((n = recv(call->callee, NULL, SCRAP, MSG_TRUNC)) > 0)
		atomic_fetch_add_explicit(&call->received, (uint64_t)n,
					  memory_order_relaxed);
	return NULL;
}

static uint64_t
sum(struct call *calls, unsigned n)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++)
		bytes += atomic_load_explicit(&calls[i].received, memory_order_relaxed);
	return bytes;
}

static uint64_t
cpu_of(const struct options *o)
{
	uint64_t ns = clock_ns(process_clock(o->pid));

	return o->other_pid == 0 ? ns : ns + clock_ns(process_clock(o->other_pid));
}

static void
run(const struct options *o, struct call *calls)
{
	uint64_t bytes, cpu, begin, ns;

	for (unsigned i = 0; i < o->calls; i++)
		if (pthread_create(&calls[i].reader, NULL, reader, &calls[i]) != 0 ||
		    pthread_create(&calls[i].writer, NULL, writer, &calls[i]) != 0)
			errx(1, "no thread");
	sleep_ms(WARM_MS);
	begin = now_ns();
	bytes = sum(calls, o->calls);
	cpu = cpu_of(o);
	sleep_ms(o->run_ms);
	bytes = sum(calls, o->calls) - bytes;
	cpu = cpu_of(o) - cpu;
	ns = now_ns() - begin;
	for (unsigned i = 0; i < o->calls; i++) {
		shutdown(calls[i].caller, SHUT_RDWR);
		shutdown(calls[i].callee, SHUT_RDWR);
		pthread_join(calls[i].writer, NULL);
		pthread_join(calls[i].reader, NULL);
	}
	if (bytes == 0)
		errx(1, "no bytes came through");
	printf("{\"calls\": %u, \"mb_per_s\": %.1f, \"cpu_ns_per_kib\": %.2f}\n",
	       o->calls, (double)bytes * 1e3 / (double)ns,
	       (double)cpu * 1024 / (double)bytes);
}

/* The time from 03 until the first byte is there, one call after the other. */
static void
measure_set_up(const struct options *o, struct control *a, struct control *b)
{
	uint64_t *ns = must_alloc(o->set_up, sizeof(*ns));
	struct call call;
	char byte = 'x';

	for (unsigned i = 0; i < o->set_up; i++) {
		uint64_t begin = now_ns();

		set_up(&call, a, b);
		write_all(call.caller, &byte, 1);
		if (recv(call.callee, &byte, 1, MSG_WAITALL) != 1)
			errx(1, "the call is dead");
		ns[i] = now_ns() - begin;
		hang_up(&call);
		/* The pair is free again when the server has seen the end. */
		sleep_ms(2);
	}
	printf("{\"set_up_us\": %.1f, \"p99_us\": %.1f}\n",
	       (double)quantile(ns, o->set_up, 0.5) / 1e3,
	       (double)quantile(ns, o->set_up, 0.99) / 1e3);
	free(ns);
}

static void
with_server(const struct options *o)
{
	unsigned pairs = o->set_up > 0 ? 1 : o->calls;
	struct key **keys = keyring_read(o->keys, 2 * pairs);
	struct control *c = must_alloc((size_t)2 * pairs, sizeof(*c));
	struct call *calls = must_alloc(pairs, sizeof(*calls));

	for (unsigned i = 0; i < 2 * pairs; i++)
		log_in(&c[i], i % 2 == 1 && o->other_port != 0 ? o->other_port : o->port,
		       keys[i], i);
	if (o->set_up > 0) {
		measure_set_up(o, &c[0], &c[1]);
	} else {
		for (unsigned i = 0; i < pairs; i++)
			set_up(&calls[i], &c[2 * i], &c[2 * i + 1]);
		run(o, calls);
		for (unsigned i = 0; i < pairs; i++)
			hang_up(&calls[i]);
	}
	for (unsigned i = 0; i < 2 * pairs; i++)
		log_out(&c[i]);
	free(calls);
	free(c);
	keyring_free(keys, 2 * pairs);
}

static void
with_floor(const struct options *o)
{
	struct call *calls = must_alloc(o->calls, sizeof(*calls));

	for (unsigned i = 0; i < o->calls; i++)
		set_up_floor(&calls[i], o->port, i);
	run(o, calls);
	for (unsigned i = 0; i < o->calls; i++)
		hang_up(&calls[i]);
	free(calls);
}

/* ---- the floors of a link ----
 *
 * One TLS connection between two threads; or the tunnel, which has a plain connection
 * before and behind it, and seals and opens in bulk as the server does. */

struct tube {
	struct tls *tls; /* one end of the connection */
	int fd;          /* its socket */
	int plain;       /* tunnel: where the bytes come from or go to; else -1 */
	_Atomic uint64_t received;
	atomic_bool stop;
	pthread_t thread;
};

/* Both ends of a connection. */
static void
connect_pair(int ends[2])
{
	const int one = 1;
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int s = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(at);

	if (s < 0 || bind(s, (struct sockaddr *)&at, len) != 0 || listen(s, 1) != 0 ||
	    getsockname(s, (struct sockaddr *)&at, &len) != 0)
		err(1, "listen");
	ends[0] = dial(ntohs(at.sin_port));
	if ((ends[1] = accept(s, NULL, NULL)) < 0)
		err(1, "accept");
	/* As the server has it. */
	for (int i = 0; i < 2; i++)
		setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	close(s);
}

static struct tls *
end_of_tube(int fd, bool server, const struct key *key)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	struct tls_context *context;
	struct cert *cert;
	struct tls *t;

	must(cert_make_self(key, "end", 1, &cert), "certificate");
	must(cert_pem(cert, &pem), "certificate");
	must(tls_mutual_context(server, key, buf_span(&pem), &context), "TLS context");
	t = tls_new(context, fd, (struct span){NULL, 0});
	tls_judge(t, anybody, NULL);
	tls_context_free(context);
	cert_free(cert);
	buf_free(&pem);
	return t;
}

static void
seal_all(struct tube *t, const uint8_t *p, size_t n)
{
	size_t at = 0, put;
	enum qerr e;

	while (at < n && !atomic_load(&t->stop))
		if ((e = tls_write(t->tls, p + at, n - at, &put)) == Q_OK)
			at += put;
		else
			wait_until(t->fd, e);
}

static void *
tube_writer(void *arg)
{
	static uint8_t block[BLOCK];
	struct tube *t = arg;
	ssize_t n = BLOCK;

	while (n > 0 && !atomic_load(&t->stop)) {
		if (t->plain != -1)
			n = recv(t->plain, block, sizeof(block), 0);
		if (n > 0)
			seal_all(t, block, (size_t)n);
	}
	shutdown(t->fd, SHUT_WR);
	return NULL;
}

static void *
tube_reader(void *arg)
{
	static uint8_t block[BLOCK];
	struct tube *t = arg;
	size_t got;
	enum qerr e;

	while ((e = tls_read(t->tls, block, sizeof(block), &got)) != Q_CLOSED) {
		if (e != Q_OK)
			wait_until(t->fd, e);
		else if (t->plain != -1)
			write_all(t->plain, block, got);
		else
			atomic_fetch_add(&t->received, got);
	}
	if (t->plain != -1)
		shutdown(t->plain, SHUT_WR);
	return NULL;
}

static void
start(pthread_t *thread, void *(*work)(void *), void *arg)
{
	if (pthread_create(thread, NULL, work, arg) != 0)
		errx(1, "no thread");
}

static void
measure_tube(const struct options *o, _Atomic uint64_t *received)
{
	uint64_t bytes, begin, cpu;

	sleep_ms(WARM_MS);
	begin = now_ns();
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	bytes = atomic_load(received);
	sleep_ms(o->run_ms);
	bytes = atomic_load(received) - bytes;
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("{\"mb_per_s\": %.1f, \"cpu_ns_per_kib\": %.2f}\n",
	       (double)bytes * 1e3 / (double)(now_ns() - begin),
	       (double)cpu * 1024 / (double)bytes);
}

static void
with_tls(const struct options *o)
{
	struct key **keys = keyring_read(o->keys, 2);
	struct tube w = {.plain = -1}, r = {.plain = -1};
	int tls[2], in[2] = {-1, -1}, out[2] = {-1, -1};
	enum qerr a = Q_SHORT, b = Q_SHORT;
	struct call call = {.caller = -1};

	connect_pair(tls);
	w.fd = tls[0];
	r.fd = tls[1];
	w.tls = end_of_tube(w.fd, false, keys[0]);
	r.tls = end_of_tube(r.fd, true, keys[1]);
	while (a != Q_OK || b != Q_OK) {
		a = a == Q_OK ? a : tls_handshake(w.tls);
		b = b == Q_OK ? b : tls_handshake(r.tls);
	}
	if (o->tunnel) {
		must(tls_bulk(w.tls), "buffers");
		must(tls_bulk(r.tls), "buffers");
		connect_pair(in);
		connect_pair(out);
		call.caller = in[0];
		w.plain = in[1];
		r.plain = out[0];
		call.callee = out[1];
		start(&call.reader, reader, &call);
		start(&call.writer, writer, &call);
	}
	start(&r.thread, tube_reader, &r);
	start(&w.thread, tube_writer, &w);
	measure_tube(o, o->tunnel ? &call.received : &r.received);
	atomic_store(&w.stop, true);
	if (o->tunnel) {
		shutdown(call.caller, SHUT_RDWR);
		pthread_join(call.writer, NULL);
	}
	pthread_join(w.thread, NULL);
	pthread_join(r.thread, NULL);
	if (o->tunnel)
		pthread_join(call.reader, NULL);
	tls_free(w.tls);
	tls_free(r.tls);
	keyring_free(keys, 2);
}

static unsigned
number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n > 1000000000)
		errx(2, "not a number: %s", text);
	return (unsigned)n;
}

int
main(int argc, char **argv)
{
	static const struct option words[] = {
	    {"port", required_argument, NULL, 'p'},
	    {"pid", required_argument, NULL, 'i'},
	    {"other-port", required_argument, NULL, 'P'},
	    {"other-pid", required_argument, NULL, 'I'},
	    {"keys", required_argument, NULL, 'k'},
	    {"calls", required_argument, NULL, 'c'},
	    {"run-ms", required_argument, NULL, 'r'},
	    {"set-up", required_argument, NULL, 's'},
	    {"floor", no_argument, NULL, 'f'},
	    {"tls", no_argument, NULL, 't'},
	    {"tunnel", no_argument, NULL, 'T'},
	    {NULL, 0, NULL, 0}};
	struct options o = {.calls = 1, .run_ms = 1000};
	int c;

	while ((c = getopt_long(argc, argv, "", words, NULL)) != -1)
		switch (c) {
		case 'p': o.port = number(optarg); break;
		case 'i': o.pid = (pid_t)number(optarg); break;
		case 'P': o.other_port = number(optarg); break;
		case 'I': o.other_pid = (pid_t)number(optarg); break;
		case 'k': o.keys = optarg; break;
		case 'c': o.calls = number(optarg); break;
		case 'r': o.run_ms = number(optarg); break;
		case 's': o.set_up = number(optarg); break;
		case 'f': o.floor = true; break;
		case 't': o.tls = true; break;
		case 'T': o.tls = o.tunnel = true; break;
		default: return 2;
		}
	if (o.tls ? o.keys == NULL
		  : o.port == 0 || o.pid == 0 || o.calls == 0 ||
			(!o.floor && o.keys == NULL))
		errx(2, "see the head of bench/nodes.c");
	if (o.tls)
		with_tls(&o);
	else if (o.floor)
		with_floor(&o);
	else
		with_server(&o);
	return 0;
}
