/* SPDX-License-Identifier: MIT
 *
 * transfer_ends.h - two ends of a chat with nothing but two queues between them.
 */
#ifndef TESTS_UNIT_TRANSFER_ENDS_H
#define TESTS_UNIT_TRANSFER_ENDS_H

#include "tests/unit/unit.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>

#include <bsd/string.h>

#include "base/text.h"
#include "client/download.h"
#include "client/transfer.h"
#include "client/transfer_meter.h"
#include "client/words.h"
#include "crypto/hash.h"
#include "protocol/relay_file.h"
#include "tests/unit/tempdir.h"

struct end {
	struct client_login login;
	struct client_env env;
	struct client_view view;
	struct buf out; /* what waits for the server */
	struct transfer *t;
	struct end *other;
	struct buf queue;  /* for us: opcode, length, data */
	size_t held;       /* deliver no more than so many messages, then one less */
	int32_t last;      /* opcode that this end sent last */
	char events[8192]; /* what was told, in the words of words.h */
	char taken[8192];
	char path[1024]; /* where the last file was stored */
};

static struct end alice, bob;
static int64_t now;

static inline void
on_event(void *arg, const struct client_event *e)
{
	struct end *x = arg;
	char theirs[1024];
	struct words w;

	ck_assert_ptr_nonnull(e->transfer);
	ck_assert(words_of(e, &w));
	text_visible(w.theirs, theirs, sizeof(theirs));
	if (e->kind == CLIENT_FILE_DONE && !e->transfer->outgoing) {
		ck_assert_ptr_nonnull(e->transfer->path);
		strlcpy(x->path, e->transfer->path, sizeof(x->path));
		/* The folder's name differs each time. */
		snprintf(theirs, sizeof(theirs), "%s", strrchr(x->path, '/') + 1);
	}
	ck_assert_uint_lt(
	    strlcat(x->events, w.kind == WORDS_TROUBLE ? "! " : "* ", sizeof(x->events)),
	    sizeof(x->events));
	strlcat(x->events, w.ours, sizeof(x->events));
	strlcat(x->events, theirs, sizeof(x->events));
	strlcat(x->events, "\n", sizeof(x->events));
}

static inline enum qerr
on_send(void *arg, int32_t opcode, struct span data)
{
	struct end *x = arg;

	ck_assert_uint_le(data.len, RELAY_FILE_CHUNK + 4);
	ck_assert_int_eq(buf_put_i32(&x->other->queue, opcode), Q_OK);
	ck_assert_int_eq(buf_put_u32(&x->other->queue, (uint32_t)data.len), Q_OK);
	ck_assert_int_eq(buf_put_span(&x->other->queue, data), Q_OK);
	x->last = opcode;
	return Q_OK;
}

static inline void
end_init(struct end *x, struct end *other, const char *partner)
{
	*x = (struct end){.other = other, .held = SIZE_MAX};
	x->login.downloads = tempdir;
	x->out = (struct buf)BUF_INIT(1 << 20);
	x->queue = (struct buf)BUF_INIT(64 << 20);
	x->env = (struct client_env){.login = &x->login,
				     .server = "x",
				     .out = &x->out,
				     .view = &x->view,
				     .event = on_event,
				     .event_arg = x};
	x->t = transfer_new(&x->env, on_send, x);
	ck_assert_ptr_nonnull(x->t);
	transfer_begin(x->t, partner);
}

static inline void
setup(void)
{
	tempdir_make();
	ck_assert_int_eq(mkdir(at("sent"), 0700), 0);
	now = 1000000;
	end_init(&alice, &bob, "bob");
	end_init(&bob, &alice, "alice");
}

static inline void
end_fini(struct end *x)
{
	transfer_free(x->t);
	buf_free(&x->out);
	buf_free(&x->queue);
}

/* Partial files never outlive a transfer. */
static inline void
no_partials(void)
{
	DIR *dir = opendir(tempdir);
	const struct dirent *e;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir)) != NULL)
		ck_assert_msg(fnmatch("*.part", e->d_name, 0) != 0, "%s", e->d_name);
	closedir(dir);
}

static inline void
teardown(void)
{
	end_fini(&alice);
	end_fini(&bob);
	no_partials();
	tempdir_remove();
}

/* Deliver one message to x, unless they are held back. */
static inline bool
deliver(struct end *x)
{
	struct reader r = reader_of(buf_span(&x->queue));
	struct span data;
	int32_t opcode;
	uint32_t len;
	uint8_t *copy;

	if (x->queue.len == 0 || x->held == 0)
		return false;
	x->held -= x->held != SIZE_MAX;
	ck_assert_int_eq(reader_i32(&r, &opcode), Q_OK);
	ck_assert_int_eq(reader_u32(&r, &len), Q_OK);
	ck_assert_int_eq(reader_take(&r, len, &data), Q_OK);
	copy = malloc(len + 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, data.p, len);
	buf_consume(&x->queue, 8 + len);
	ck_assert(transfer_input(x->t, opcode, span_of(copy, len), now));
	free(copy);
	return true;
}

static inline bool
tick(struct end *x)
{
	if (transfer_deadline(x->t) != 1)
		return false;
	transfer_tick(x->t, now);
	return true;
}

/* Until nobody has anything to do; no time passes. */
static inline void
settle(void)
{
	while (deliver(&alice) || deliver(&bob) || tick(&alice) || tick(&bob))
		;
}

static inline const char *
told(struct end *x)
{
	strlcpy(x->taken, x->events, sizeof(x->taken));
	x->events[0] = '\0';
	return x->taken;
}
#define TOLD(x, want) ck_assert_str_eq(told(&(x)), want)

static inline enum qerr
ask(struct end *x, enum client_verb verb, const char *arg, const char *want_why)
{
	struct why why = {""};
	enum qerr e = transfer_do(x->t, verb, span_str(arg), now, &why);

	if (want_why != NULL)
		ck_assert_str_eq(why.text, want_why);
	return e;
}
#define ASK(x, verb, arg) ck_assert_int_eq(ask(&(x), verb, arg, NULL), Q_OK)

/* A file to be sent. */
static inline const char *
make_file(const char *name, size_t size)
{
	static char path[1024];
	uint8_t *p = malloc(size + 1);
	FILE *f;

	snprintf(path, sizeof(path), "%s/sent/%s", tempdir, name);
	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < size; i++)
		p[i] = (uint8_t)(i * 31 + i / 251);
	ck_assert_ptr_nonnull(f = fopen(path, "we"));
	ck_assert_uint_eq(fwrite(p, 1, size, f), size);
	fclose(f);
	free(p);
	return path;
}

/* By their names in the folder. */
static inline void
same_files(const char *a, const char *b)
{
	struct buf x = slurp(a), y = slurp(b);

	ck_assert(span_eq(buf_span(&x), buf_span(&y)));
	buf_free(&x);
	buf_free(&y);
}

/* How far a file is. */
enum stage { PREPARING, ASKED, RUNNING, ALL_SENT, STAGES };

static inline void
go_to(enum stage stage)
{
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 1000000));
	if (stage == PREPARING)
		return;
	settle();
	if (stage == ASKED)
		return;
	ASK(bob, CLIENT_DO_GET, "");
	bob.held = 5; /* parts */
	settle();
	if (stage == RUNNING)
		bob.queue.len = 0;
	told(&alice);
	told(&bob);
	bob.held = SIZE_MAX;
}

#endif
