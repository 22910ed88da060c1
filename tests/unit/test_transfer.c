/* SPDX-License-Identifier: MIT
 *
 * Two ends of a chat with nothing but two queues between them, and ends that lie.
 */
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

static void
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

static enum qerr
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

static void
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

static void
setup(void)
{
	tempdir_make();
	ck_assert_int_eq(mkdir(at("sent"), 0700), 0);
	now = 1000000;
	end_init(&alice, &bob, "bob");
	end_init(&bob, &alice, "alice");
}

static void
end_fini(struct end *x)
{
	transfer_free(x->t);
	buf_free(&x->out);
	buf_free(&x->queue);
}

/* Partial files never outlive a transfer. */
static void
no_partials(void)
{
	DIR *dir = opendir(tempdir);
	const struct dirent *e;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir)) != NULL)
		ck_assert_msg(fnmatch("*.part", e->d_name, 0) != 0, "%s", e->d_name);
	closedir(dir);
}

static void
teardown(void)
{
	end_fini(&alice);
	end_fini(&bob);
	no_partials();
	tempdir_remove();
}

/* Deliver one message to x, unless they are held back. */
static bool
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

static bool
tick(struct end *x)
{
	if (transfer_deadline(x->t) != 1)
		return false;
	transfer_tick(x->t, now);
	return true;
}

/* Until nobody has anything to do; no time passes. */
static void
settle(void)
{
	while (deliver(&alice) || deliver(&bob) || tick(&alice) || tick(&bob))
		;
}

static const char *
told(struct end *x)
{
	strlcpy(x->taken, x->events, sizeof(x->taken));
	x->events[0] = '\0';
	return x->taken;
}
#define TOLD(x, want) ck_assert_str_eq(told(&(x)), want)

static enum qerr
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
static const char *
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
static void
same_files(const char *a, const char *b)
{
	struct buf x = slurp(a), y = slurp(b);

	ck_assert(span_eq(buf_span(&x), buf_span(&y)));
	buf_free(&x);
	buf_free(&y);
}

/* ---- as it should be ---- */

static const size_t sizes[] = {0, 1, 2, 32767, 32768, 32769, 65536, 200000, 5000000};

START_TEST(whole)
{
	const char *path = make_file("report.pdf", sizes[_i]);
	char want[512];

	ASK(alice, CLIENT_DO_SEND_FILE, path);
	ck_assert_int_eq(alice.view.sending, CLIENT_TRANSFER_PREPARING);
	settle();
	ck_assert_int_eq(alice.view.sending, CLIENT_TRANSFER_ASKED);
	ck_assert_int_eq(bob.view.receiving, CLIENT_TRANSFER_ASKED);
	snprintf(want, sizeof(want), "* offered to bob, %zu bytes: report.pdf\n",
		 sizes[_i]);
	TOLD(alice, want);
	snprintf(want, sizeof(want),
		 "* file offered by alice, /get or /refuse, %zu bytes: report.pdf\n",
		 sizes[_i]);
	TOLD(bob, want);
	ASK(bob, CLIENT_DO_GET, "");
	ck_assert_int_eq(bob.view.receiving, CLIENT_TRANSFER_RUNNING);
	settle();
	snprintf(want, sizeof(want),
		 "* sending to bob, %zu bytes: report.pdf\n"
		 "* delivered to bob, %zu bytes: report.pdf\n",
		 sizes[_i], sizes[_i]);
	TOLD(alice, want);
	snprintf(want, sizeof(want),
		 "* receiving from alice, %zu bytes: report.pdf\n"
		 "* stored from alice, %zu bytes: report.pdf\n",
		 sizes[_i], sizes[_i]);
	TOLD(bob, want);
	same_files("sent/report.pdf", "report.pdf");
	ck_assert_int_eq(alice.view.sending, CLIENT_TRANSFER_NONE);
	ck_assert_int_eq(bob.view.receiving, CLIENT_TRANSFER_NONE);
	ck_assert_int_eq(transfer_deadline(alice.t), 0);
	ck_assert_int_eq(transfer_deadline(bob.t), 0);
}
END_TEST

/* One each way at the same time, and then once more. */
START_TEST(both_ways)
{
	for (int i = 0; i < 2; i++) {
		ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 100000));
		ASK(bob, CLIENT_DO_SEND_FILE, make_file("b", 70000));
		settle();
		ASK(alice, CLIENT_DO_GET, "");
		ASK(bob, CLIENT_DO_GET, "");
		settle();
		ck_assert_ptr_nonnull(strstr(told(&alice), "* delivered to bob, 100000"));
		ck_assert_ptr_nonnull(strstr(alice.taken, "* stored from bob, 70000"));
		ck_assert_ptr_nonnull(strstr(told(&bob), "* delivered to alice, 70000"));
	}
	ck_assert_str_eq(strrchr(bob.path, '/'), "/a-1");
}
END_TEST

/* Nothing is read or sent while too much waits. */
START_TEST(waits_its_turn)
{
	size_t before;

	ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 1000000));
	settle();
	ASK(bob, CLIENT_DO_GET, "");
	ck_assert(deliver(&alice));
	ck_assert_int_eq(transfer_deadline(alice.t), 1);
	ck_assert_int_eq(buf_reserve(&alice.out, TRANSFER_WAITING), Q_OK);
	alice.out.len = TRANSFER_WAITING;
	before = bob.queue.len;
	ck_assert_int_gt(transfer_deadline(alice.t), 1);
	transfer_tick(alice.t, now);
	ck_assert_uint_eq(bob.queue.len, before);
	/* And not all at once when there is room: others want to be heard too. */
	alice.out.len = TRANSFER_WAITING - 1;
	transfer_tick(alice.t, now);
	ck_assert_uint_gt(bob.queue.len, before);
	ck_assert_uint_le(bob.queue.len, before + TRANSFER_WAITING + 1024);
	alice.out.len = 0;
	settle();
	ck_assert_ptr_nonnull(strstr(told(&alice), "* delivered to bob"));
}
END_TEST

START_TEST(progress)
{
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 1000000));
	settle();
	ASK(bob, CLIENT_DO_GET, "");
	ck_assert(deliver(&alice));
	told(&alice);
	told(&bob);
	for (int i = 0; i < 4; i++)
		ck_assert(tick(&alice));
	now += 500;
	transfer_tick(alice.t, now);
	TOLD(alice,
	     "* sent 65%, 655360 of 1000000 bytes, 1310720 bytes/s, 1 s left: a\n");
	while (deliver(&bob))
		;
	TOLD(bob, "* received 3%, 32768 of 1000000 bytes, 65536 bytes/s, 15 s left: a\n");
	/* Nothing moves: the rate sinks, and that is said too. */
	now += 500;
	transfer_tick(bob.t, now);
	ck_assert_ptr_nonnull(strstr(told(&bob), "* received 65%, 655360 of 1000000"));
	ASK(alice, CLIENT_DO_CANCEL, "");
}
END_TEST

/* ---- refused ---- */

START_TEST(too_large)
{
	const char *path = make_file("a", 2001);

	alice.login.file_max = 2000;
	ck_assert_int_eq(ask(&alice, CLIENT_DO_SEND_FILE, path,
			     "not sent: 2001 bytes are too many, 2000 at most"),
			 Q_LIMIT);
	settle();
	ck_assert_int_eq(alice.last, 0);
	alice.login.file_max = 2001;
	bob.login.file_max = 1999;
	ASK(alice, CLIENT_DO_SEND_FILE, path);
	settle();
	TOLD(alice, "* offered to bob, 2001 bytes: a\n"
		    "! file to bob not sent, a: 2001 bytes are too many, 1999 at most\n");
	TOLD(bob, "! file from alice not received, a: 2001 bytes are too many, 1999 at "
		  "most\n");
	ck_assert_int_eq(ask(&bob, CLIENT_DO_GET, "", "no file is offered"), Q_DENIED);
	/* Nothing of it has left. */
	ck_assert_int_eq(alice.last, RELAY_FILE_FIRST);
}
END_TEST

START_TEST(refused)
{
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 5));
	settle();
	ASK(bob, CLIENT_DO_REFUSE, "");
	settle();
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), "! file to bob not sent, a: refused\n"));
	ck_assert_ptr_nonnull(
	    strstr(told(&bob), "* file from alice not received, a: refused\n"));
	ck_assert_int_eq(alice.last, RELAY_FILE_FIRST);
}
END_TEST

START_TEST(no_such_commands)
{
	static const char chat[] = "you are in no chat; files travel in a chat";

	ck_assert_int_eq(ask(&bob, CLIENT_DO_GET, "", "no file is offered"), Q_DENIED);
	ck_assert_int_eq(ask(&bob, CLIENT_DO_REFUSE, "", "no file is offered"), Q_DENIED);
	ck_assert_int_eq(
	    ask(&bob, CLIENT_DO_CANCEL, "", "there is no such file to cancel"), Q_DENIED);
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 5));
	ck_assert_int_eq(
	    ask(&alice, CLIENT_DO_CANCEL, "get", "there is no such file to cancel"),
	    Q_DENIED);
	ck_assert_int_eq(ask(&alice, CLIENT_DO_SEND_FILE, make_file("b", 5),
			     "not sent: one file at a time, and one is on its way; "
			     "/cancel send stops it"),
			 Q_DENIED);
	transfer_end(bob.t, "over");
	ck_assert_int_eq(ask(&bob, CLIENT_DO_SEND_FILE, "x", chat), Q_DENIED);
	ck_assert_int_eq(ask(&bob, CLIENT_DO_GET, "", chat), Q_DENIED);
}
END_TEST

START_TEST(no_files)
{
	char want[600];

	ck_assert_int_eq(ask(&alice, CLIENT_DO_SEND_FILE, "", "no file has such a name"),
			 Q_FORMAT);
	snprintf(want, sizeof(want), "%s is no file that can be sent", tempdir);
	ck_assert_int_eq(ask(&alice, CLIENT_DO_SEND_FILE, tempdir, want), Q_FORMAT);
	ck_assert_int_eq(mkfifo(at("fifo"), 0600), 0);
	ck_assert_int_eq(ask(&alice, CLIENT_DO_SEND_FILE, at("fifo"), NULL), Q_FORMAT);
	ck_assert_int_eq(ask(&alice, CLIENT_DO_SEND_FILE, at("missing"), NULL),
			 Q_MISSING);
	ck_assert_int_eq(alice.view.sending, CLIENT_TRANSFER_NONE);
}
END_TEST

/* ---- given up: by whom, at which stage ---- */

enum stage { PREPARING, ASKED, RUNNING, ALL_SENT, STAGES };

static void
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

START_TEST(sender_cancels)
{
	go_to((enum stage)_i);
	if (_i == ALL_SENT) /* but the last part has not arrived */
		ck_assert_int_eq(alice.last, RELAY_FILE_LAST);
	ASK(alice, CLIENT_DO_CANCEL, "");
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), "* file to bob not sent, a: cancelled\n"));
	if (_i == ALL_SENT)
		return; /* what is on its way arrives before the word */
	settle();
	if (_i == PREPARING)
		TOLD(bob, "");
	else
		ck_assert_ptr_nonnull(
		    strstr(told(&bob), "! file from alice not received, a: cancelled\n"));
	ck_assert_int_eq(bob.view.receiving, CLIENT_TRANSFER_NONE);
	no_partials();
	/* The next one works. */
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("b", 10));
	settle();
	ASK(bob, CLIENT_DO_GET, "");
	settle();
	ck_assert_ptr_nonnull(strstr(told(&bob), "* stored from alice, 10 bytes: b\n"));
}
END_TEST

START_TEST(receiver_cancels)
{
	go_to((enum stage)_i);
	ASK(bob, CLIENT_DO_CANCEL, _i == ASKED ? "" : "get");
	ck_assert_ptr_nonnull(strstr(told(&bob), "* file from alice not received, a: "));
	no_partials();
	settle();
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), _i == ASKED ? "! file to bob not sent, a: refused\n"
					     : "! file to bob not sent, a: cancelled\n"));
	TOLD(bob, "");
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("b", 10));
	settle();
	ASK(bob, CLIENT_DO_GET, "");
	settle();
	ck_assert_ptr_nonnull(strstr(told(&bob), "* stored from alice, 10 bytes: b\n"));
}
END_TEST

START_TEST(chat_ends)
{
	go_to((enum stage)_i);
	transfer_end(alice.t, "the chat has ended");
	transfer_end(bob.t, "the chat has ended");
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), "! file to bob not sent, a: the chat has ended\n"));
	if (_i != PREPARING)
		ck_assert_ptr_nonnull(
		    strstr(told(&bob),
			   "! file from alice not received, a: the chat has ended\n"));
	no_partials();
	ck_assert_int_eq(transfer_deadline(alice.t), 0);
}
END_TEST

/* Both at the same moment: each has cancelled, neither waits for anything. */
START_TEST(crossing)
{
	go_to(RUNNING);
	ASK(alice, CLIENT_DO_CANCEL, "");
	ASK(bob, CLIENT_DO_CANCEL, "");
	settle();
	TOLD(alice, "* file to bob not sent, a: cancelled\n");
	TOLD(bob, "* file from alice not received, a: cancelled\n");
}
END_TEST

START_TEST(which_one)
{
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 100));
	ASK(bob, CLIENT_DO_SEND_FILE, make_file("b", 100));
	settle();
	ck_assert_int_eq(ask(&alice, CLIENT_DO_CANCEL, "",
			     "a file each way is under way: /cancel send, or get?"),
			 Q_DENIED);
	ASK(alice, CLIENT_DO_CANCEL, "get");
	ck_assert_int_eq(alice.view.sending, CLIENT_TRANSFER_ASKED);
	ck_assert_int_eq(alice.view.receiving, CLIENT_TRANSFER_NONE);
	ASK(alice, CLIENT_DO_CANCEL, "");
}
END_TEST

/* ---- files that change ---- */

START_TEST(shrinks)
{
	const char *path = make_file("a", 100000);

	ASK(alice, CLIENT_DO_SEND_FILE, path);
	settle();
	ck_assert_int_eq(truncate(path, 50000), 0);
	ASK(bob, CLIENT_DO_GET, "");
	settle();
	ck_assert_ptr_nonnull(strstr(told(&alice),
				     "! file to bob not sent, a: the file has become "
				     "shorter meanwhile\n"));
	ck_assert_ptr_nonnull(strstr(told(&bob), "! file from alice not received, a: the "
						 "file has become shorter meanwhile\n"));
}
END_TEST

START_TEST(changes)
{
	const char *path = make_file("a", 100000);
	FILE *f;

	ASK(alice, CLIENT_DO_SEND_FILE, path);
	settle();
	ck_assert_ptr_nonnull(f = fopen(path, "r+e"));
	fputs("something else", f);
	fclose(f);
	ASK(bob, CLIENT_DO_GET, "");
	settle();
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), "! file to bob not sent, a: the hash is wrong"));
	ck_assert_ptr_nonnull(
	    strstr(told(&bob), "! file from alice not received, a: the hash is wrong"));
	no_partials();
}
END_TEST

/* ---- a sender that lies ---- */

static void
lie(int32_t opcode, struct buf *data)
{
	ck_assert(transfer_input(bob.t, opcode, buf_span(data), now));
	buf_free(data);
}

static void
lie_first(uint32_t id, uint64_t size, struct span name, struct span hashed)
{
	struct relay_file_first m = {.id = id, .size = size, .name = name};
	struct buf data = BUF_INIT(65536);

	ck_assert_int_eq(sha256(&hashed, 1, m.hash), Q_OK);
	ck_assert_int_eq(relay_file_first_put(&data, &m), Q_OK);
	lie(RELAY_FILE_FIRST, &data);
}

static void
lie_part(int32_t opcode, uint32_t id, struct span bytes)
{
	struct relay_file_part m = {.id = id, .bytes = bytes};
	struct buf data = BUF_INIT(65536);

	ck_assert_int_eq(relay_file_part_put(&data, &m), Q_OK);
	lie(opcode, &data);
}

static const struct {
	const char *first, *last, *hashed; /* parts; first may be NULL */
	const char *reason;
} lies[] = {
    {"12345", "67890", "1234567890", NULL}, /* no lie */
    {"12345", "67890", "1234567891",
     "the hash is wrong: the file has changed while it "
     "was read, or somebody lies"},
    {"12345", "678", "12345678", "less came than was announced"},
    {NULL, "", "", "less came than was announced"},
    {"12345", "678901", "12345678901", "more came than was announced"},
    {"12345678901", "", "12345678901", "more came than was announced"},
};

START_TEST(liar)
{
	char want[256];

	lie_first(7, 10, span_str("a"), span_str(lies[_i].hashed));
	ASK(bob, CLIENT_DO_GET, "");
	told(&bob);
	/* Of another one, and of one that is over. */
	lie_part(RELAY_FILE_MIDDLE, 8, span_str("xxxxxxxxxxxxxxxx"));
	lie_part(RELAY_FILE_LAST, 6, span_str("xxxxxxxxxxxxxxxx"));
	TOLD(bob, "");
	if (lies[_i].first != NULL)
		lie_part(RELAY_FILE_MIDDLE, 7, span_str(lies[_i].first));
	lie_part(RELAY_FILE_LAST, 7, span_str(lies[_i].last));
	if (lies[_i].reason == NULL)
		snprintf(want, sizeof(want), "* stored from alice, 10 bytes: a\n");
	else
		snprintf(want, sizeof(want), "! file from alice not received, a: %s\n",
			 lies[_i].reason);
	TOLD(bob, want);
	no_partials();
	ck_assert_int_eq(access(at("a"), F_OK), lies[_i].reason == NULL ? 0 : -1);
	ck_assert_int_eq(bob.last, RELAY_FILE_WORD);
}
END_TEST

/* Parts of what was not accepted do nothing; a second offer is turned down. */
START_TEST(eager)
{
	lie_part(RELAY_FILE_MIDDLE, 1, span_str("xxx"));
	lie_first(1, 3, span_str("a"), span_str("xxx"));
	told(&bob);
	lie_part(RELAY_FILE_LAST, 1, span_str("xxx"));
	TOLD(bob, "");
	lie_first(2, 3, span_str("b"), span_str("xxx"));
	TOLD(bob, "");
	ASK(bob, CLIENT_DO_GET, "");
	TOLD(bob, "* receiving from alice, 3 bytes: a\n");
	lie_part(RELAY_FILE_LAST, 2, span_str("xxx"));
	TOLD(bob, "");
	lie_part(RELAY_FILE_LAST, 1, span_str("xxx"));
	TOLD(bob, "* stored from alice, 3 bytes: a\n");
}
END_TEST

/* Words about nothing, in every stage. */
START_TEST(words_out_of_turn)
{
	static const enum relay_file_says all[] = {RELAY_FILE_ACCEPT, RELAY_FILE_STORED,
						   RELAY_FILE_STOP, RELAY_FILE_REFUSE,
						   RELAY_FILE_WITHDRAW};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct relay_file_word w = {.id = 99, .says = all[i]};
		struct buf data = BUF_INIT(64);

		ck_assert_int_eq(relay_file_word_put(&data, &w), Q_OK);
		lie(RELAY_FILE_WORD, &data);
	}
	TOLD(bob, "");
	/* Stored, before it has all been sent: not believed. */
	go_to(ASKED);
	alice.queue.len = 0;
	{
		struct relay_file_word w = {.id = 1, .says = RELAY_FILE_STORED};
		struct buf data = BUF_INIT(64);

		told(&alice);
		ck_assert_int_eq(relay_file_word_put(&data, &w), Q_OK);
		ck_assert(transfer_input(alice.t, RELAY_FILE_WORD, buf_span(&data), now));
		buf_free(&data);
	}
	TOLD(alice, "");
	ck_assert_int_eq(alice.view.sending, CLIENT_TRANSFER_ASKED);
}
END_TEST

#define HASH32 "0123456789abcdef0123456789abcdef"
static const struct {
	int32_t opcode;
	size_t len;
	const char *data;
} broken[] = {
    {RELAY_FILE_FIRST, 0, ""},
    {RELAY_FILE_FIRST, 43, "\1\0\0\0\5\0\0\0\0\0\0\0" HASH32},
    {RELAY_FILE_FIRST, 44, "\1\0\0\0\5\0\0\0\0\0\0\x80" HASH32}, /* negative */
    {RELAY_FILE_MIDDLE, 3, "\1\0\0"},
    {RELAY_FILE_LAST, 0, ""},
    {RELAY_FILE_WORD, 4, "\1\0\0\0"},
    {RELAY_FILE_WORD, 5, "\1\0\0\0\0"},
    {RELAY_FILE_WORD, 5, "\1\0\0\0\6"},
    {349, 5, "\1\0\0\0\1"},
    {355, 5, "\1\0\0\0\1"},
};

START_TEST(broken_messages)
{
	ck_assert(!transfer_input(bob.t, broken[_i].opcode,
				  span_of(broken[_i].data, broken[_i].len), now));
	TOLD(bob, "");
}
END_TEST

/* Longer than there can be. */
START_TEST(long_messages)
{
	struct buf data = BUF_INIT(1 << 20);

	ck_assert_int_eq(buf_reserve(&data, 100000), Q_OK);
	memset(data.p, 1, 100000);
	le64_put(data.p + 4, 5);
	data.len = 44 + RELAY_FILE_NAME_MAX + 1;
	ck_assert(!transfer_input(bob.t, RELAY_FILE_FIRST, buf_span(&data), now));
	data.len = 4 + RELAY_FILE_CHUNK + 1;
	ck_assert(!transfer_input(bob.t, RELAY_FILE_MIDDLE, buf_span(&data), now));
	data.len = 5 + RELAY_FILE_REASON_MAX + 1;
	ck_assert(!transfer_input(bob.t, RELAY_FILE_WORD, buf_span(&data), now));
	buf_free(&data);
}
END_TEST

/* ---- names ---- */

static const struct {
	const char *called, *stored;
} names[] = {
    {"plain.txt", "plain.txt"},
    {"../../etc/passwd", "passwd"},
    {"/etc/passwd", "passwd"},
    {"..", "file-7"},
    {".", "file-7"},
    {"", "file-7"},
    {"/", "file-7"},
    {".bashrc", "bashrc"},
    {"-rf", "rf"},
    {"a b;c$(d)`e`.sh", "a_b_c__d__e_.sh"},
    {"a\nb\x1b[31m\r.txt", "a_b__31m_.txt"},
    {"\xe2\x80\xaegpj.exe", "_gpj.exe"},
    {"\xff\xfe", "__"},
    {"Z\xc3\xbcrich.pdf", "Z_rich.pdf"},
    {"a\\b:c*d?.txt", "a_b_c_d_.txt"},
    {".quintet-0123456789abcdef.part", "quintet-0123456789abcdef.part"},
};

START_TEST(hostile_names)
{
	lie_first(7, 1, span_str(names[_i].called), span_str("x"));
	ASK(bob, CLIENT_DO_GET, "");
	told(&bob);
	lie_part(RELAY_FILE_LAST, 7, span_str("x"));
	ck_assert_str_eq(strrchr(bob.path, '/') + 1, names[_i].stored);
	ck_assert_int_eq(unlink(at(names[_i].stored)), 0);
}
END_TEST

START_TEST(long_name)
{
	char called[RELAY_FILE_NAME_MAX];

	memset(called, 'x', sizeof(called));
	lie_first(7, 1, span_of(called, sizeof(called)), span_str("x"));
	ASK(bob, CLIENT_DO_GET, "");
	lie_part(RELAY_FILE_LAST, 7, span_str("x"));
	ck_assert_uint_eq(strlen(strrchr(bob.path, '/') + 1), 100);
}
END_TEST

/* Nothing is overwritten, links and folders neither. */
START_TEST(taken_names)
{
	static const char *const want[] = {"a.tar.gz", "a.tar-1.gz", "a.tar-4.gz",
					   "a.tar-5.gz"};

	ck_assert_int_eq(symlink("nowhere", at("a.tar-2.gz")), 0);
	ck_assert_int_eq(mkdir(at("a.tar-3.gz"), 0700), 0);
	for (uint32_t i = 0; i < 4; i++) {
		char text[2] = {(char)('0' + i), '\0'};
		struct buf content;

		lie_first(i, 1, span_str("a.tar.gz"), span_str(text));
		ASK(bob, CLIENT_DO_GET, "");
		lie_part(RELAY_FILE_LAST, i, span_str(text));
		ck_assert_str_eq(strrchr(bob.path, '/') + 1, want[i]);
		content = slurp(want[i]);
		ck_assert(span_eq(buf_span(&content), span_str(text)));
		buf_free(&content);
	}
	ck_assert_int_eq(access(at("nowhere"), F_OK), -1);
}
END_TEST

/* ---- the disk ---- */

/* More than there is room for, if the limit allows it: known before the first byte. */
START_TEST(disk_full)
{
	bob.login.file_max = UINT64_MAX;
	lie_first(1, (uint64_t)1 << 55, span_str("a"), span_str(""));
	told(&bob);
	ASK(bob, CLIENT_DO_GET, "");
	ck_assert_ptr_nonnull(strstr(told(&bob), "! file from alice not received, a: no "
						 "room for the file in "));
	ck_assert_int_eq(bob.view.receiving, CLIENT_TRANSFER_NONE);
	ck_assert_int_eq(bob.last, RELAY_FILE_WORD);
	no_partials();
}
END_TEST

/* It fills up in the middle, where nothing could be reserved. */
START_TEST(disk_fills)
{
	struct rlimit before, small;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	go_to(ASKED);
	ASK(bob, CLIENT_DO_GET, "");
	bob.held = 3;
	settle();
	bob.held = SIZE_MAX;
	small = before;
	small.rlim_cur = 200000;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	settle();
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), "! file to bob not sent, a: it cannot be stored\n"));
	ck_assert_ptr_nonnull(
	    strstr(told(&bob), "! file from alice not received, a: cannot write to "));
	no_partials();
}
END_TEST

START_TEST(no_folder)
{
	bob.login.downloads = "/nonexistent/folder";
	ASK(alice, CLIENT_DO_SEND_FILE, make_file("a", 10));
	settle();
	ASK(bob, CLIENT_DO_GET, "");
	settle();
	ck_assert_ptr_nonnull(
	    strstr(told(&alice), "! file to bob not sent, a: it cannot be stored\n"));
	ck_assert_ptr_nonnull(
	    strstr(told(&bob), "cannot open the folder /nonexistent/folder: No such "
			       "file or directory\n"));
}
END_TEST

/* What a killed client left is swept away; what another one writes is not. */
START_TEST(sweeps)
{
	const char *left = at(".quintet-0000000000000000.part");
	const char *used = at(".quintet-1111111111111111.part");
	const char *other = at(".quintet-notes.part");
	int fd = open(used, O_WRONLY | O_CREAT, 0600);
	struct download d;
	struct why why;

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	close(open(left, O_WRONLY | O_CREAT, 0600));
	close(open(other, O_WRONLY | O_CREAT, 0600));
	ck_assert_int_eq(download_open(&d, tempdir, 10, &why), Q_OK);
	ck_assert_int_eq(access(left, F_OK), -1);
	ck_assert_int_eq(access(used, F_OK), 0);
	ck_assert_int_eq(access(other, F_OK), 0);
	ck_assert_int_eq(access(at(d.part), F_OK), 0);
	download_drop(&d);
	ck_assert_int_eq(access(at(d.part), F_OK), -1);
	download_drop(&d);
	close(fd);
	unlink(used);
	unlink(other);
}
END_TEST

START_TEST(folders)
{
	char out[DOWNLOAD_PATH];
	FILE *f;

	setenv("HOME", tempdir, 1);
	unsetenv("XDG_CONFIG_HOME");
	download_folder(out);
	ck_assert_str_eq(out, ".");
	ck_assert_int_eq(mkdir(at("Downloads"), 0700), 0);
	download_folder(out);
	ck_assert_str_eq(out, at("Downloads"));
	ck_assert_int_eq(mkdir(at(".config"), 0700), 0);
	ck_assert_int_eq(mkdir(at("Herunter geladen"), 0700), 0);
	ck_assert_ptr_nonnull(f = fopen(at(".config/user-dirs.dirs"), "we"));
	fputs("# a comment\nXDG_DESKTOP_DIR=\"$HOME/Desktop\"\n"
	      "XDG_DOWNLOAD_DIR=\"$HOME/Herunter geladen\"\n",
	      f);
	fclose(f);
	download_folder(out);
	ck_assert_str_eq(out, at("Herunter geladen"));
	ck_assert_int_eq(rmdir(at("Herunter geladen")), 0);
	download_folder(out);
	ck_assert_str_eq(out, at("Downloads"));
	unsetenv("HOME");
	download_folder(out);
	ck_assert_str_eq(out, ".");
}
END_TEST

/* ---- the meter ---- */

START_TEST(meter)
{
	struct transfer_meter m;

	transfer_meter_begin(&m, 1000);
	ck_assert_int_eq(transfer_meter_left_ms(&m, 5), -1);
	ck_assert(!transfer_meter_look(&m, 500, 1499));
	ck_assert(transfer_meter_look(&m, 500, 1500));
	ck_assert_uint_eq(m.rate, 1000);
	ck_assert_int_eq(transfer_meter_left_ms(&m, 2500), 2500);
	ck_assert_int_eq(transfer_meter_left_ms(&m, 0), 0);
	ck_assert_int_eq(transfer_meter_due(&m), 2000);
	/* Slower: a third of the way. */
	ck_assert(transfer_meter_look(&m, 500, 2500));
	ck_assert_uint_eq(m.rate, 666);
	/* Standing still for long: nobody knows. */
	for (int i = 0; i < 40; i++)
		transfer_meter_look(&m, 500, 3500 + 1000 * i);
	ck_assert_uint_eq(m.rate, 0);
	ck_assert_int_eq(transfer_meter_left_ms(&m, 1), -1);
	/* The largest there can be. */
	m.rate = 1;
	ck_assert_int_eq(transfer_meter_left_ms(&m, INT64_MAX), -1);
	m.rate = UINT64_MAX / 2000;
	ck_assert_int_gt(transfer_meter_left_ms(&m, INT64_MAX), 0);
}
END_TEST

#define LOOP(t, test, table) \
	tcase_add_loop_test(t, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

static Suite *
suite(void)
{
	Suite *s = suite_create("transfer");
	TCase *t = tcase_create("transfer");

	tcase_add_checked_fixture(t, setup, teardown);
	LOOP(t, whole, sizes);
	tcase_add_test(t, both_ways);
	tcase_add_test(t, waits_its_turn);
	tcase_add_test(t, progress);
	tcase_add_test(t, too_large);
	tcase_add_test(t, refused);
	tcase_add_test(t, no_such_commands);
	tcase_add_test(t, no_files);
	tcase_add_loop_test(t, sender_cancels, PREPARING, STAGES);
	tcase_add_loop_test(t, receiver_cancels, ASKED, RUNNING + 1);
	tcase_add_loop_test(t, chat_ends, PREPARING, STAGES);
	tcase_add_test(t, crossing);
	tcase_add_test(t, which_one);
	tcase_add_test(t, shrinks);
	tcase_add_test(t, changes);
	LOOP(t, liar, lies);
	tcase_add_test(t, eager);
	tcase_add_test(t, words_out_of_turn);
	LOOP(t, broken_messages, broken);
	tcase_add_test(t, long_messages);
	LOOP(t, hostile_names, names);
	tcase_add_test(t, long_name);
	tcase_add_test(t, taken_names);
	tcase_add_test(t, disk_full);
	tcase_add_test(t, disk_fills);
	tcase_add_test(t, no_folder);
	tcase_add_test(t, sweeps);
	tcase_add_test(t, folders);
	tcase_add_test(t, meter);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
