/* SPDX-License-Identifier: MIT
 *
 * contacts.c - chat messages through contacts, an IRC server or an MQTT broker, by the
 * same generator: what does a message cost the server?  Prints one line of JSON.
 */
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/dialect.h"
#include "bench/util.h"

#define PAIRS_MAX 64
#define BATCH_MAX 64
#define READ_SIZE 65536
#define LIFE_S    60

struct options {
	const struct dialect *dialect;
	const char *mode; /* stream, waiting, sync */
	const char *file; /* sync: the file that is written */
	unsigned port, pairs, batch, window, run_ms, warm_ms;
	unsigned before, count; /* waiting: delivered before, and waiting, messages */
	size_t text;
	bool tls;
	pid_t pid;
	clockid_t clock;
};

struct pair {
	const struct options *o;
	struct talk from, to;
	struct message m;
	pthread_t sender, receiver;
	uint64_t limit;           /* messages to send; 0: until stop */
	_Atomic uint64_t arrived; /* at to */
	_Atomic uint64_t total;   /* once it is known */
	uint64_t sent, answered;
	bool receiving;      /* somebody counts what arrives */
	uint64_t answer_sum; /* of the bytes: every answer has to be the good one */
};

static atomic_bool stop;

static size_t
newlines(const uint8_t *p, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += p[i] == '\n';
	return k;
}

/* ---- the sender ---- */

static void
read_answers(struct pair *p)
{
	uint8_t buf[8192];
	size_t n = talk_read(&p->from, buf, sizeof(buf));

	p->answered += newlines(buf, n);
	for (size_t i = 0; i < n; i++)
		p->answer_sum += buf[i];
}

/* No more than a window of messages on their way, when there is a window. */
static void
wait_window(struct pair *p)
{
	const struct options *o = p->o;
	static const struct timespec moment = {0, 50000};

	if (o->dialect->answer != NULL) {
		if (talk_ready(&p->from))
			read_answers(p);
		while (o->window > 0 && p->sent - p->answered >= o->window)
			read_answers(p);
	}
	while (p->receiving && o->window > 1 &&
	       p->sent - atomic_load(&p->arrived) >= o->window)
		nanosleep(&moment, NULL);
}

static void
check_answers(const struct pair *p)
{
	uint64_t one = 0;

	for (const char *a = p->o->dialect->answer; *a != '\0'; a++)
		one += (uint8_t)*a;
	if (p->answer_sum != one * p->sent)
		errx(1, "a message was refused");
}

/* The receiver must not wait for a message that never comes: so the last one leaves
 * when it is known that it is the last. */
static void *
sender(void *arg)
{
	struct pair *p = arg;
	const unsigned batch = p->o->batch;
	uint8_t bytes[BATCH_MAX * MESSAGE_MAX];

	for (unsigned i = 0; i < batch; i++)
		memcpy(bytes + i * p->m.len, p->m.bytes, p->m.len);
	while (!atomic_load(&stop) && (p->limit == 0 || p->sent + batch < p->limit)) {
		talk_send(&p->from, bytes, batch * p->m.len);
		p->sent += batch;
		if (p->sent % 32 == 0 || batch > 1 || p->o->window < 32)
			wait_window(p);
	}
	p->sent++;
	atomic_store(&p->total, p->sent);
	talk_send(&p->from, p->m.bytes, p->m.len);
	if (p->o->dialect->answer != NULL) {
		while (p->answered < p->sent)
			read_answers(p);
		check_answers(p);
	}
	return NULL;
}

static void *
receiver(void *arg)
{
	struct pair *p = arg;
	uint8_t *buf = must_alloc(1, READ_SIZE);
	uint64_t n = 0;

	while (n < atomic_load(&p->total)) {
		n += newlines(buf, talk_read(&p->to, buf, READ_SIZE));
		atomic_store(&p->arrived, n);
	}
	if (n != atomic_load(&p->total))
		errx(1, "%llu messages arrived of %llu", (unsigned long long)n,
		     (unsigned long long)p->total);
	free(buf);
	return NULL;
}

/* ---- a load ---- */

static void
begin(struct pair *p, bool receive)
{
	int e = 0;

	p->sent = p->answered = p->answer_sum = 0;
	p->receiving = receive;
	atomic_store(&p->arrived, 0);
	atomic_store(&p->total, UINT64_MAX);
	if (receive)
		e = pthread_create(&p->receiver, NULL, receiver, p);
	if (e == 0)
		e = pthread_create(&p->sender, NULL, sender, p);
	if (e != 0)
		errx(1, "no thread: %s", strerror(e));
}

static uint64_t
arrived(struct pair *pairs, unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += atomic_load(&pairs[i].arrived);
	return sum;
}

static void
meet(struct pair *p, const struct options *o, unsigned number)
{
	p->o = o;
	talk_open(&p->from, o->port, 2 * number, o->tls);
	talk_open(&p->to, o->port, 2 * number + 1, o->tls);
	o->dialect->meet(&p->from, &p->to, number, o->text, &p->m);
}

static void
stream(const struct options *o)
{
	struct pair *pairs = must_alloc(o->pairs, sizeof(*pairs));
	uint64_t n, cpu, ns;

	for (unsigned i = 0; i < o->pairs; i++)
		meet(&pairs[i], o, i);
	for (unsigned i = 0; i < o->pairs; i++)
		begin(&pairs[i], true);
	sleep_ms(o->warm_ms);
	n = arrived(pairs, o->pairs);
	cpu = clock_ns(o->clock);
	ns = now_ns();
	sleep_ms(o->run_ms);
	n = arrived(pairs, o->pairs) - n;
	cpu = clock_ns(o->clock) - cpu;
	ns = now_ns() - ns;
	atomic_store(&stop, true);
	for (unsigned i = 0; i < o->pairs; i++) {
		pthread_join(pairs[i].sender, NULL);
		pthread_join(pairs[i].receiver, NULL);
		talk_close(&pairs[i].from);
		talk_close(&pairs[i].to);
	}
	if (n == 0)
		errx(1, "nothing arrived");
	printf("{\"messages\": %llu, \"per_second\": %.1f, \"cpu_us\": %.4f}\n",
	       (unsigned long long)n, (double)n * 1e9 / (double)ns,
	       (double)cpu / 1e3 / (double)n);
	free(pairs);
}

/* ---- what waited ---- */

/* A login that brings n messages: from the request to the last of them. */
static void
login(struct pair *p, uint64_t n, double *ms, double *cpu_ms)
{
	uint8_t *buf = must_alloc(1, READ_SIZE);
	uint64_t cpu, ns, got = 0;

	talk_open(&p->to, p->o->port, 1, p->o->tls);
	cpu = clock_ns(p->o->clock);
	ns = now_ns();
	contacts_enter(&p->to, 0, true);
	while (got < n)
		got += newlines(buf, talk_read(&p->to, buf, READ_SIZE));
	*ms = (double)(now_ns() - ns) / 1e6;
	*cpu_ms = (double)(clock_ns(p->o->clock) - cpu) / 1e6;
	if (got != n)
		errx(1, "too many messages");
	free(buf);
}

/* What was delivered is noted by the second. */
static void
leave(struct pair *p)
{
	char line[64];

	talk_say(&p->to, "111\n");
	talk_expect(&p->to, "213 400", line, sizeof(line));
	talk_close(&p->to);
}

static void
waiting(const struct options *o)
{
	struct pair *p = must_alloc(1, sizeof(*p));
	double ms, cpu_ms, bare_ms, bare_cpu_ms;

	meet(p, o, 0);
	if (o->before > 0) {
		p->limit = o->before;
		begin(p, true);
		pthread_join(p->sender, NULL);
		pthread_join(p->receiver, NULL);
	}
	leave(p);
	login(p, 0, &bare_ms, &bare_cpu_ms);
	leave(p);
	p->limit = o->count;
	begin(p, false);
	pthread_join(p->sender, NULL);
	login(p, p->sent, &ms, &cpu_ms);
	leave(p);
	talk_close(&p->from);
	printf("{\"messages\": %llu, \"login_ms\": %.3f, \"login_cpu_ms\": %.3f, "
	       "\"wait_ms\": %.3f, \"cpu_us\": %.4f}\n",
	       (unsigned long long)p->sent, bare_ms, bare_cpu_ms, ms - bare_ms,
	       (cpu_ms - bare_cpu_ms) * 1e3 / (double)p->sent);
	free(p);
}

/* ---- the disk alone ---- */

/* One write and one fdatasync a message, for as long as a load takes. */
static void
sync_alone(const struct options *o)
{
	char record[340];
	uint64_t begin_ns, n = 0;
	int fd = open(o->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		err(1, "%s", o->file);
	memset(record, 'x', sizeof(record));
	begin_ns = now_ns();
	for (; now_ns() - begin_ns < o->run_ms * (uint64_t)1000000; n++)
		if (write(fd, record, sizeof(record)) != (ssize_t)sizeof(record) ||
		    fdatasync(fd) != 0)
			err(1, "%s", o->file);
	printf("{\"per_second\": %.1f}\n",
	       (double)n * 1e9 / (double)(now_ns() - begin_ns));
	close(fd);
	unlink(o->file);
}

/* ---- options ---- */

static void
read_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
	    {"dialect", 1, NULL, 'd'}, {"mode", 1, NULL, 'M'},
	    {"file", 1, NULL, 'F'},    {"port", 1, NULL, 'p'},
	    {"pid", 1, NULL, 'i'},     {"pairs", 1, NULL, 'n'},
	    {"batch", 1, NULL, 'b'},   {"text", 1, NULL, 't'},
	    {"window", 1, NULL, 'w'},  {"run-ms", 1, NULL, 'r'},
	    {"warm-ms", 1, NULL, 'm'}, {"before", 1, NULL, 'B'},
	    {"count", 1, NULL, 'c'},   {"tls", 0, NULL, 'T'},
	    {NULL, 0, NULL, 0}};
	int c;

	*o = (struct options){.dialect = dialect_named("contacts"),
			      .mode = "stream",
			      .pairs = 1,
			      .batch = 1,
			      .window = 1000,
			      .run_ms = 1000,
			      .warm_ms = 300,
			      .count = 10000,
			      .text = 256};
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		unsigned n = optarg == NULL ? 0 : (unsigned)strtoul(optarg, NULL, 10);

		switch (c) {
		case 'd': o->dialect = dialect_named(optarg); break;
		case 'M': o->mode = optarg; break;
		case 'F': o->file = optarg; break;
		case 'p': o->port = n; break;
		case 'i': o->pid = (pid_t)n; break;
		case 'n': o->pairs = n; break;
		case 'b': o->batch = n; break;
		case 't': o->text = n; break;
		case 'w': o->window = n; break;
		case 'r': o->run_ms = n; break;
		case 'm': o->warm_ms = n; break;
		case 'B': o->before = n; break;
		case 'c': o->count = n; break;
		case 'T': o->tls = true; break;
		default: exit(100);
		}
	}
	if (o->dialect == NULL || o->pairs == 0 || o->pairs > PAIRS_MAX ||
	    o->batch == 0 || o->batch > BATCH_MAX)
		errx(100, "see the options at the end of bench/contacts.c");
}

int
main(int argc, char **argv)
{
	struct options o;

	read_options(argc, argv, &o);
	alarm(LIFE_S); /* a server that stands still must not hold up the rest */
	if (strcmp(o.mode, "sync") == 0 && o.file != NULL) {
		sync_alone(&o);
		return 0;
	}
	if (o.port == 0 || o.pid == 0)
		errx(100, "--port and --pid say what is measured");
	o.clock = process_clock(o.pid);
	if (strcmp(o.mode, "waiting") == 0)
		waiting(&o);
	else
		stream(&o);
	return 0;
}
