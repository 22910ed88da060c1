/* SPDX-License-Identifier: MIT
 *
 * rooms.c - what rooms cost the server.
 *
 *   rooms --port P --pid PID --tokens FILE --fan-out N --messages M
 *         one sender, N other members who are online; and beside it, in this process,
 *         what each delivery cannot do without: one seal and one send
 *   rooms --port P --pid PID --tokens FILE --sync LENGTH --beside SHORT
 *         pages of a room that is so long, and by turns of one that is shorter
 *   rooms --port P --pid PID --tokens FILE --log-in COUNT
 *         connections that agree on keys and log in, beside the primitives of that
 *   rooms --port P --pid PID --tokens FILE --sign-up COUNT
 *         accounts made on one connection, beside the hash of a password; the server has
 *         rooms.captcha = off
 *   rooms --port P --pid PID --tokens FILE --idle COUNT [--tls]
 *
 * Answers with one line of JSON.
 */
#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/keyring.h"
#include "bench/roomlink.h"
#include "bench/util.h"
#include "crypto/kex.h"
#include "crypto/key.h"
#include "crypto/password.h"
#include "protocol/rooms_envelope.h"
#include "protocol/websocket.h"

#define PASSWORD    "a long enough Passw0rd!"
#define CONTENT_LEN 256
#define WINDOW      8  /* messages that wait for their SENT */
#define PAGE        50 /* messages in a page */
#define PAGES       400
#define PLACES      8 /* where in a room pages are read */

struct options {
	unsigned port, fan_out, messages, sync, beside, log_in, sign_up, idle, settle_ms;
	pid_t pid;
	const char *tokens;
};

/* ---- members ---- */

static struct user_token *tokens;
static struct tls_context *tls; /* NULL: in the clear */

static void
enter(struct roomlink *l, unsigned port, unsigned user)
{
	char name[NAME_SIZE];

	user_name(user, name);
	roomlink_open(l, port, user, tls);
	roomlink_enter(l, name, tokens[user].text);
}

/* A group of users 0 to n, made by the first, who hears of it. */
static struct uuid
make_room(struct roomlink *maker, unsigned n)
{
	struct rooms_packet p = {.type = ROOMS_T_CREATE_ROOM};
	char(*names)[NAME_SIZE] = must_alloc(n, sizeof(*names));
	struct span *people = must_alloc(n, sizeof(*people));
	struct uuid room;

	for (unsigned i = 0; i < n; i++) {
		user_name(i + 1, names[i]);
		people[i] = span_str(names[i]);
	}
	p.u.create.kind = ROOMS_GROUP;
	p.u.create.name = span_str("bench");
	p.u.create.people = (struct rooms_names){people, n};
	roomlink_send(maker, &p);
	roomlink_expect(maker, ROOMS_T_ROOM_INFO, &p);
	room = p.u.info.room;
	rooms_packet_free(&p);
	free(people);
	free(names);
	return room;
}

static void
send_message(struct roomlink *l, const struct uuid *room)
{
	static char content[CONTENT_LEN];
	struct rooms_packet p = {.type = ROOMS_T_CHAT_ACTION};

	memset(content, 'c', sizeof(content));
	p.u.action.act = ROOMS_SEND;
	p.u.action.room = *room;
	p.u.action.format = ROOMS_FORMAT_TEXT;
	p.u.action.content = span_of(content, sizeof(content));
	roomlink_send(l, &p);
}

static void
wait_sent(struct roomlink *l)
{
	struct rooms_packet p;

	roomlink_hear(l, &p);
	if (p.type != ROOMS_T_STATUS || p.u.status.sig != ROOMS_SENT)
		errx(1, "not SENT but %s %s", rooms_type_text(p.type),
		     p.type == ROOMS_T_STATUS ? rooms_sig_text(p.u.status.sig) : "");
	rooms_packet_free(&p);
}

static void
send_messages(struct roomlink *l, const struct uuid *room, unsigned count)
{
	for (unsigned sent = 0, answered = 0; answered < count; answered++) {
		while (sent < count && sent - answered < WINDOW) {
			send_message(l, room);
			sent++;
		}
		wait_sent(l);
	}
}

/* ---- who reads ---- */

struct readers {
	struct roomlink *links;
	unsigned n;
	_Atomic uint64_t heard; /* messages */
	size_t len;             /* of the last one's frame */
	atomic_bool stop;
	pthread_t thread;
};

static void *
reader_thread(void *arg)
{
	struct readers *r = arg;
	int epoll = epoll_create1(EPOLL_CLOEXEC), n;
	struct epoll_event ready[64];

	for (unsigned i = 0; i < r->n; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = &r->links[i]};

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, r->links[i].fd, &e) != 0)
			err(1, "epoll");
	}
	while (!atomic_load(&r->stop)) {
		n = epoll_wait(epoll, ready, 64, 50);
		for (int i = 0; i < n; i++)
			atomic_fetch_add(&r->heard,
					 roomlink_count(ready[i].data.ptr, &r->len));
	}
	close(epoll);
	return NULL;
}

static void
wait_heard(struct readers *r, uint64_t count)
{
	for (int i = 0; atomic_load(&r->heard) < count; i++) {
		if (i == 30000)
			errx(1, "%llu messages were not delivered",
			     (unsigned long long)(count - atomic_load(&r->heard)));
		sleep_ms(1);
	}
}

/* ---- the floor of a delivery ---- */

struct drain {
	int epoll;
	atomic_bool stop;
};

static void *
drain_thread(void *arg)
{
	struct drain *d = arg;
	struct epoll_event ready[64];
	int n;

	while (!atomic_load(&d->stop)) {
		n = epoll_wait(d->epoll, ready, 64, 50);
		for (int i = 0; i < n; i++)
			(void)recv(ready[i].data.fd, NULL, 1 << 20,
				   MSG_TRUNC | MSG_DONTWAIT);
	}
	return NULL;
}

static int
accept_one(int listener, struct sockaddr_in *at, int *other)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	/* As in the server; without it the kernel gathers several sends in one segment. */
	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
	    connect(fd, (struct sockaddr *)at, sizeof(*at)) != 0 ||
	    (*other = accept(listener, NULL, NULL)) < 0)
		err(1, "a pair of sockets");
	return fd;
}

/* Nanoseconds of a thread that seals `plain` bytes and sends the frame, to n sockets in
 * turn. */
static double
floor_ns(unsigned n, unsigned rounds, size_t frame)
{
	size_t plain =
	    (frame - ROOMS_ENVELOPE_HEAD - ROOMS_ENVELOPE_TAIL) / 4 * 3 - ROOMS_TAG_LEN;
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	uint8_t *text = must_alloc(1, plain), secret[32] = {1}, iv[12];
	uint8_t *out = must_alloc(1, WS_HEADER_MAX + ROOMS_ENVELOPE_SIZE(plain));
	struct lane *lanes = must_alloc(n, sizeof(*lanes));
	struct drain d = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
	int s = socket(AF_INET, SOCK_STREAM, 0), *fds = must_alloc(2 * n, sizeof(*fds));
	socklen_t len = sizeof(at);
	uint64_t cpu;
	pthread_t t;

	if (s < 0 || bind(s, (struct sockaddr *)&at, len) != 0 || listen(s, 64) != 0 ||
	    getsockname(s, (struct sockaddr *)&at, &len) != 0)
		err(1, "listen");
	for (unsigned i = 0; i < n; i++) {
		struct epoll_event e = {.events = EPOLLIN};

		fds[2 * i] = accept_one(s, &at, &fds[2 * i + 1]);
		e.data.fd = fds[2 * i + 1];
		if (epoll_ctl(d.epoll, EPOLL_CTL_ADD, e.data.fd, &e) != 0)
			err(1, "epoll");
		must(lane_init(&lanes[i], AEAD_SEAL, span_of(secret, sizeof(secret)),
			       span_of(secret, 16), ROOMS_KEX_S2C),
		     "lane");
	}
	if (pthread_create(&t, NULL, drain_thread, &d) != 0)
		errx(1, "no thread");
	cpu = thread_cpu_ns();
	for (unsigned r = 0; r < rounds; r++)
		for (unsigned i = 0; i < n; i++) {
			size_t head =
			    ws_header_put(out, WS_TEXT, ROOMS_ENVELOPE_SIZE(plain));
			uint8_t *ct = rooms_envelope_inside(out + head, plain);

			must(lane_seal(&lanes[i], text, plain, ct, ct + plain, iv),
			     "seal");
			rooms_envelope_wrap(out + head, plain, iv);
			if (send(fds[2 * i], out, head + ROOMS_ENVELOPE_SIZE(plain),
				 MSG_NOSIGNAL) < 0)
				err(1, "send");
		}
	cpu = thread_cpu_ns() - cpu;
	atomic_store(&d.stop, true);
	pthread_join(t, NULL);
	for (unsigned i = 0; i < 2 * n; i++)
		close(fds[i]);
	for (unsigned i = 0; i < n; i++)
		lane_fini(&lanes[i]);
	close(s);
	close(d.epoll);
	free(lanes);
	free(fds);
	free(text);
	free(out);
	return (double)cpu / ((double)rounds * n);
}

/* ---- what is measured ---- */

static void
fan_out(const struct options *o)
{
	unsigned n = o->fan_out;
	struct roomlink *links = must_alloc(n + 1, sizeof(*links));
	struct readers r = {.links = links + 1, .n = n};
	clockid_t clock = process_clock(o->pid);
	uint64_t warm = o->messages / 10 + 1, cpu, begin, ns;
	struct uuid room;
	double floor;

	tokens = tokens_read(o->tokens, n + 1);
	for (unsigned i = 0; i <= n; i++)
		enter(&links[i], o->port, i);
	room = make_room(&links[0], n);
	if (pthread_create(&r.thread, NULL, reader_thread, &r) != 0)
		errx(1, "no thread");
	wait_heard(&r, n); /* JOIN_ROOM */
	send_messages(&links[0], &room, (unsigned)warm);
	wait_heard(&r, n * (1 + warm));
	/* Positions in a new room make 256 new files a second, once. */
	sleep_ms(1500 + 4 * n);
	cpu = clock_ns(clock);
	begin = now_ns();
	send_messages(&links[0], &room, o->messages);
	wait_heard(&r, n * (1 + warm + o->messages));
	ns = now_ns() - begin;
	cpu = clock_ns(clock) - cpu;
	atomic_store(&r.stop, true);
	pthread_join(r.thread, NULL);
	floor = floor_ns(n, o->messages, r.len);
	printf("{\"members\": %u, \"cpu_us\": %.4f, \"floor_us\": %.4f, "
	       "\"deliveries_per_s\": %.0f, \"frame\": %zu}\n",
	       n, (double)cpu / 1e3 / o->messages / n, floor / 1e3,
	       (double)o->messages * n * 1e9 / (double)ns, r.len);
	for (unsigned i = 0; i <= n; i++)
		roomlink_close(&links[i]);
	free(links);
}

static void
sync_page(struct roomlink *l, const struct uuid *room, int64_t count,
	  const struct uuid *from, struct uuid *last)
{
	struct rooms_packet p = {.type = ROOMS_T_SYNC_ROOM_REQ};

	p.u.sync_req.room = *room;
	p.u.sync_req.count = count;
	p.u.sync_req.has_from = from != NULL;
	if (from != NULL)
		p.u.sync_req.from = *from;
	roomlink_send(l, &p);
	roomlink_expect(l, ROOMS_T_SYNC_ROOM_DATA, &p);
	if (p.u.sync_data.message_count != PAGE)
		errx(1, "a page of %zu messages", p.u.sync_data.message_count);
	if (last != NULL)
		*last = p.u.sync_data.messages[0].msg;
	rooms_packet_free(&p);
}

/* A room to be read, and where. */
struct book {
	struct uuid room, at[PLACES]; /* pages are those before */
	uint64_t cpu;
};

/* All over the room, so that lines from memory and from the file are among them. */
static void
fill_book(struct roomlink *l, struct book *b, unsigned length)
{
	b->room = make_room(l, 1);
	send_messages(l, &b->room, length);
	sync_page(l, &b->room, -PAGE, NULL, &b->at[0]);
	for (unsigned i = 1, passed = PAGE; i < PLACES; i++) {
		struct uuid at = b->at[i - 1];

		for (; passed < length / PLACES * i; passed += PAGE)
			sync_page(l, &b->room, -PAGE, &at, &at);
		b->at[i] = at;
	}
}

static void
read_book(struct roomlink *l, struct book *b, clockid_t clock)
{
	uint64_t cpu = clock_ns(clock);

	for (unsigned i = 0; i < PLACES; i++)
		sync_page(l, &b->room, -PAGE, &b->at[i], NULL);
	b->cpu += clock_ns(clock) - cpu;
}

static void
pages(const struct options *o)
{
	clockid_t clock = process_clock(o->pid);
	struct book large = {.cpu = 0}, small = {.cpu = 0};
	struct roomlink l;

	tokens = tokens_read(o->tokens, 1);
	enter(&l, o->port, 0);
	fill_book(&l, &large, o->sync);
	fill_book(&l, &small, o->beside);
	for (unsigned i = 0; i < PAGES / PLACES; i++) {
		read_book(&l, &large, clock);
		read_book(&l, &small, clock);
	}
	printf("{\"large_us\": %.2f, \"small_us\": %.2f}\n",
	       (double)large.cpu / 1e3 / PAGES, (double)small.cpu / 1e3 / PAGES);
	roomlink_close(&l);
}

/* A key pair, a secret, a signature: what the server does for each connection. */
static double
primitives_us(unsigned rounds)
{
	struct kex *peer = kex_new();
	uint8_t secret[KEX_SECRET_LEN], sig[KEY_SIGN_MAX];
	struct span pem = kex_pem(peer), part = span_of(secret, sizeof(secret));
	struct key *key;
	uint64_t cpu;
	size_t len;

	must(key_generate(KEY_EC_P256, 0, &key), "key");
	cpu = thread_cpu_ns();
	for (unsigned i = 0; i < rounds; i++) {
		struct kex *kex = kex_new();

		must(kex_derive(kex, pem, secret), "agreement");
		must(key_sign(key, &part, 1, sig, &len), "signature");
		kex_free(kex);
	}
	cpu = thread_cpu_ns() - cpu;
	key_free(key);
	kex_free(peer);
	return (double)cpu / 1e3 / rounds;
}

static void
log_in(const struct options *o)
{
	struct roomlink *links = must_alloc(o->log_in, sizeof(*links));
	clockid_t clock = process_clock(o->pid);
	uint64_t cpu, begin, ns;

	tokens = tokens_read(o->tokens, o->log_in);
	cpu = clock_ns(clock);
	begin = now_ns();
	for (unsigned i = 0; i < o->log_in; i++)
		enter(&links[i], o->port, i);
	ns = now_ns() - begin;
	cpu = clock_ns(clock) - cpu;
	printf("{\"log_in_us\": %.1f, \"primitives_us\": %.1f, \"per_second\": %.0f}\n",
	       (double)cpu / 1e3 / o->log_in, primitives_us(o->log_in),
	       o->log_in * 1e9 / (double)ns);
	for (unsigned i = 0; i < o->log_in; i++)
		roomlink_close(&links[i]);
	free(links);
}

static void
sign_up_one(struct roomlink *l, unsigned i)
{
	struct rooms_packet p = {.type = ROOMS_T_SIGNUP};
	char name[NAME_SIZE], mail[64];

	snprintf(name, sizeof(name), "new%u", i);
	snprintf(mail, sizeof(mail), "new%u@example.org", i);
	p.u.signup = (struct rooms_signup){.user = span_str(name),
					   .email = span_str(mail),
					   .fullname = span_str("Somebody New"),
					   .dob = span_str("2001-02-03"),
					   .password = span_str(PASSWORD)};
	roomlink_send(l, &p);
	roomlink_hear(l, &p);
	if (p.type != ROOMS_T_STATUS || p.u.status.sig != ROOMS_NEW_ACC_OK)
		errx(1, "no account but %s",
		     p.type == ROOMS_T_STATUS ? rooms_sig_text(p.u.status.sig)
					      : rooms_type_text(p.type));
	rooms_packet_free(&p);
}

static void
sign_up(const struct options *o)
{
	clockid_t clock = process_clock(o->pid);
	char hash[PASSWORD_HASH_SIZE];
	struct roomlink l;
	uint64_t cpu = 0, hashing = 0, before, begin = now_ns(), ns = 0;

	roomlink_open(&l, o->port, 0, tls);
	for (unsigned i = 0; i < o->sign_up; i++) {
		before = thread_cpu_ns();
		must(password_hash(span_str(PASSWORD), hash), "hash");
		hashing += thread_cpu_ns() - before;
		before = clock_ns(clock);
		begin = now_ns();
		sign_up_one(&l, i);
		ns += now_ns() - begin;
		cpu += clock_ns(clock) - before;
	}
	printf("{\"sign_up_us\": %.1f, \"hash_us\": %.1f, \"rest_us\": %.1f, "
	       "\"per_second\": %.1f}\n",
	       (double)cpu / 1e3 / o->sign_up, (double)hashing / 1e3 / o->sign_up,
	       ((double)cpu - (double)hashing) / 1e3 / o->sign_up,
	       o->sign_up * 1e9 / (double)ns);
	roomlink_close(&l);
}

static void
idle(const struct options *o)
{
	struct roomlink *links = must_alloc(o->idle, sizeof(*links));
	long before, after;

	tokens = tokens_read(o->tokens, o->idle);
	before = proc_kib("status", o->pid, "VmRSS");
	for (unsigned i = 0; i < o->idle; i++)
		enter(&links[i], o->port, i);
	sleep_ms(o->settle_ms);
	after = proc_kib("status", o->pid, "VmRSS");
	printf("{\"count\": %u, \"rss_kib\": %.2f}\n", o->idle,
	       (double)(after - before) / o->idle);
	for (unsigned i = 0; i < o->idle; i++)
		roomlink_close(&links[i]);
	free(links);
}

int
main(int argc, char **argv)
{
	static const struct option names[] = {
	    {"port", 1, NULL, 'p'},      {"pid", 1, NULL, 'i'},
	    {"tokens", 1, NULL, 'o'},    {"fan-out", 1, NULL, 'f'},
	    {"messages", 1, NULL, 'm'},  {"sync", 1, NULL, 's'},
	    {"log-in", 1, NULL, 'l'},    {"idle", 1, NULL, 'd'},
	    {"settle-ms", 1, NULL, 't'}, {"keys", 1, NULL, 'k'},
	    {"beside", 1, NULL, 'b'},    {"sign-up", 1, NULL, 'u'},
	    {"tls", 0, NULL, 'x'},       {NULL, 0, NULL, 0}};
	struct options o = {.messages = 1000, .settle_ms = 1500};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		unsigned v = (unsigned)strtoul(optarg != NULL ? optarg : "0", NULL, 10);

		switch (c) {
		case 'p': o.port = v; break;
		case 'i': o.pid = (pid_t)v; break;
		case 'o': o.tokens = optarg; break;
		case 'f': o.fan_out = v; break;
		case 'm': o.messages = v; break;
		case 's': o.sync = v; break;
		case 'b': o.beside = v; break;
		case 'l': o.log_in = v; break;
		case 'u': o.sign_up = v; break;
		case 'd': o.idle = v; break;
		case 't': o.settle_ms = v; break;
		case 'x': must(tls_client_context(span_of(NULL, 0), &tls), "TLS"); break;
		case 'k': break; /* every load program is given it */
		default: exit(100);
		}
	}
	if (o.port == 0 || o.pid == 0 || o.tokens == NULL)
		errx(100, "see the head of bench/rooms.c");
	if (o.fan_out > 0)
		fan_out(&o);
	else if (o.sync > 0 && o.beside > 0)
		pages(&o);
	else if (o.sign_up > 0)
		sign_up(&o);
	else if (o.log_in > 0)
		log_in(&o);
	else
		idle(&o);
	tls_context_free(tls);
	return 0;
}
