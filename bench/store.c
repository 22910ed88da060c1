/* SPDX-License-Identifier: MIT
 *
 * store.c - the store alone, without server or network.
 *
 *   append  one record an append, against bare write(2) of the same lines
 *   always  64 writers whose every record is on the disk when its append
 *           returns, against one write(2) and one fdatasync(2) a record
 *   page    50 records read at any place of a long log and of a short one
 *
 * Prints one line of JSON with the rounds' figures; the runner takes medians.
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/keyring.h"
#include "bench/link.h"
#include "bench/util.h"
#include "crypto/random.h"
#include "store/msglog.h"

enum {
	TEXT = 256,
	ROUNDS = 5,
	APPENDS = 100000,
	SYNC_ROUNDS = 9, /* a disk's speed changes from second to second */
	WRITERS = 64,
	WRITER_APPENDS = 600,
	SINGLE_SYNCS = 1000,
	PAGE = 50,
	PAGES = 2000,
	SHORT_LOG = 1000,
	LONG_LOG = 1000000
};

static uint8_t body[LINK_BODY_LEN(TEXT)];

static void
fill(struct record *r)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->kind, sizeof(r->kind), "350");
	user_name(0, r->from);
	user_name(1, r->to);
	r->data = span_of(body, sizeof(body));
}

static struct msglog *
open_log(struct store *s, const char *name)
{
	struct msglog *l;

	must(msglog_open(s, name, &l), "open a log");
	return l;
}

/* What an append writes. */
static void
make_line(struct buf *line)
{
	struct record r;

	fill(&r);
	r.id = 500000;
	r.time_ms = 1700000000000;
	must(record_put(line, &r), "record");
}

/* Append r as a new record: its names stand there, as those of a chat do. */
static void
append_one(struct msglog *l, struct record *r)
{
	r->time_ms = 0;
	must(msglog_append(l, r, 1), "append");
}

/* ---- appends against writes ---- */

struct cost {
	double per_second, cpu_ns; /* one record: the calling thread's CPU */
};

static struct cost
cost_of(uint64_t start, uint64_t cpu, unsigned n)
{
	return (struct cost){n * 1e9 / (double)(now_ns() - start),
			     (double)(thread_cpu_ns() - cpu) / n};
}

static struct cost
bare_writes(int fd, struct span line)
{
	uint64_t start = now_ns(), cpu = thread_cpu_ns();

	for (unsigned i = 0; i < APPENDS; i++)
		if (write(fd, line.p, line.len) != (ssize_t)line.len)
			err(1, "write");
	return cost_of(start, cpu, APPENDS);
}

static struct cost
appends(struct msglog *l)
{
	uint64_t start, cpu;
	struct record r;

	fill(&r);
	start = now_ns();
	cpu = thread_cpu_ns();
	for (unsigned i = 0; i < APPENDS; i++)
		append_one(l, &r);
	return cost_of(start, cpu, APPENDS);
}

static void
append_rounds(struct store *s, int fd, struct span line)
{
	struct msglog *l = open_log(s, "append");

	printf("\"append\": [");
	for (int i = 0; i < ROUNDS; i++) {
		struct cost bare = bare_writes(fd, line), ours = appends(l);

		printf("%s{\"write_per_second\": %.0f, \"append_per_second\": %.0f, "
		       "\"write_cpu_ns\": %.1f, \"append_cpu_ns\": %.1f}",
		       i > 0 ? ", " : "", bare.per_second, ours.per_second, bare.cpu_ns,
		       ours.cpu_ns);
	}
	printf("], ");
	msglog_close(l);
}

/* ---- 64 writers, everything on the disk ---- */

struct writer {
	struct msglog *log;
	pthread_t thread;
};

static void *
writer_thread(void *arg)
{
	struct writer *w = arg;
	struct record r;

	fill(&r);
	for (unsigned i = 0; i < WRITER_APPENDS; i++)
		append_one(w->log, &r);
	return NULL;
}

/* Records a second of 64 writers to `logs` logs. */
static double
group(struct store *s, unsigned logs)
{
	struct writer w[WRITERS];
	uint64_t start;
	char name[32];

	for (unsigned i = 0; i < WRITERS; i++) {
		snprintf(name, sizeof(name), "always-%u", i % logs);
		w[i].log = open_log(s, name);
	}
	start = now_ns();
	for (unsigned i = 0; i < WRITERS; i++)
		if (pthread_create(&w[i].thread, NULL, writer_thread, &w[i]) != 0)
			errx(1, "no thread");
	for (unsigned i = 0; i < WRITERS; i++) {
		pthread_join(w[i].thread, NULL);
		msglog_close(w[i].log);
	}
	return WRITERS * WRITER_APPENDS * 1e9 / (double)(now_ns() - start);
}

static double
single(int fd, struct span line)
{
	uint64_t start = now_ns();

	for (unsigned i = 0; i < SINGLE_SYNCS; i++)
		if (write(fd, line.p, line.len) != (ssize_t)line.len ||
		    fdatasync(fd) != 0)
			err(1, "write");
	return SINGLE_SYNCS * 1e9 / (double)(now_ns() - start);
}

static void
always_rounds(struct store *s, int fd, struct span line)
{
	store_set_durability(s, STORE_ALWAYS, 1000);
	sync(); /* what the appends have left for the disk */
	printf("\"always\": [");
	for (int i = 0; i < SYNC_ROUNDS; i++) {
		double one = single(fd, line), one_log = group(s, 1);

		printf("%s{\"single_per_second\": %.0f, \"one_log_per_second\": %.0f}",
		       i > 0 ? ", " : "", one, one_log);
	}
	printf("], \"always_many\": [");
	for (int i = 0; i < ROUNDS; i++) {
		double one = single(fd, line), many = group(s, WRITERS);

		printf("%s{\"single_per_second\": %.0f, \"many_logs_per_second\": %.0f}",
		       i > 0 ? ", " : "", one, many);
	}
	printf("], ");
	store_set_durability(s, STORE_NEVER, 1000);
}

/* ---- pages ---- */

static bool
count_record(void *arg, const struct record *r)
{
	(void)r;
	++*(unsigned *)arg;
	return true;
}

/* CPU microseconds to read a page at a random place. */
static double
pages(struct msglog *l, unsigned records)
{
	uint64_t cpu = thread_cpu_ns();
	unsigned got = 0;

	for (unsigned i = 0; i < PAGES; i++)
		must(msglog_read(l, random_u32() % (records - PAGE), PAGE, count_record,
				 &got, NULL),
		     "read");
	if (got != PAGE * PAGES)
		errx(1, "%u records instead of %u", got, PAGE * PAGES);
	return (double)(thread_cpu_ns() - cpu) / 1e3 / PAGES;
}

static struct msglog *
make_log(struct store *s, const char *name, unsigned records)
{
	struct msglog *l = open_log(s, name);
	struct record r[100];

	for (unsigned i = 0; i < records; i += 100) {
		for (unsigned j = 0; j < 100; j++)
			fill(&r[j]);
		must(msglog_append(l, r, 100), "append");
	}
	return l;
}

static void
page_rounds(struct store *s)
{
	struct msglog *brief = make_log(s, "short", SHORT_LOG);
	struct msglog *lengthy = make_log(s, "long", LONG_LOG);

	printf("\"page\": [");
	for (int i = 0; i < ROUNDS; i++)
		printf("%s{\"short_us\": %.2f, \"long_us\": %.2f}", i > 0 ? ", " : "",
		       pages(brief, SHORT_LOG), pages(lengthy, LONG_LOG));
	printf("]");
	msglog_close(brief);
	msglog_close(lengthy);
}

int
main(int argc, char **argv)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct buf line = BUF_INIT(4096);
	char path[4096];
	struct store *s;
	struct why why;
	int fd;

	if (argc != 2)
		errx(100, "usage: store DIR");
	link_body(body, TEXT);
	make_line(&line);
	if (store_open(argv[1], &opt, &s, &why) != Q_OK)
		errx(1, "%s", why.text);
	snprintf(path, sizeof(path), "%s/bare", argv[1]);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
		err(1, "%s", path);
	printf("{");
	append_rounds(s, fd, buf_span(&line));
	always_rounds(s, fd, buf_span(&line));
	page_rounds(s);
	printf("}\n");
	close(fd);
	buf_free(&line);
	store_close(s);
	return 0;
}
