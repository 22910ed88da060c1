/* SPDX-License-Identifier: MIT
 *
 * rooms_fake.h - a store with rooms in it, for the tests of store/rooms.h: short words
 * for what they do all the time.
 */
#ifndef TESTS_ROOMS_FAKE_H
#define TESTS_ROOMS_FAKE_H

#include <signal.h>
#include <string.h>

#include "base/lock.h"
#include "store/check.h"
#include "store/rooms.h"
#include "tests/unit/tempdir.h"
#include "tests/unit/unit.h"

/* For threads and children: Check counts in the main thread alone. */
#define MUST(x)                  \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

static struct store *s;
static struct rooms *r;
static struct store_options options = STORE_OPTIONS_DEFAULT;
static char reported[8192];
static struct lock reporting = LOCK_INIT;

/* What was told last. */
static size_t n_told;
static uint64_t told_seq;
static void (*told_more)(const struct room_info *info, const struct room_event *ev);

static inline void
note_report(void *arg, const char *sentence)
{
	(void)arg;
	lock_take(&reporting);
	if (strlen(reported) + strlen(sentence) + 2 < sizeof(reported)) {
		strcat(reported, sentence);
		strcat(reported, "\n");
	}
	lock_drop(&reporting);
}

static inline void
note_told(void *arg, const struct room_info *info, const struct room_event *ev, size_t n)
{
	(void)arg;
	for (size_t i = 0; i < n; i++) {
		lock_take(&reporting);
		n_told++;
		told_seq = ev[i].seq;
		lock_drop(&reporting);
		if (told_more != NULL)
			told_more(info, &ev[i]);
	}
}

static inline void
open_rooms(void)
{
	struct why why;

	options.report = note_report;
	if (store_open(at("d"), &options, &s, &why) != Q_OK)
		ck_abort_msg("%s", why.text);
	ck_assert_int_eq(rooms_open(s, note_told, NULL, &r), Q_OK);
}

static inline void
close_rooms(void)
{
	rooms_close(r);
	store_close(s);
}

static inline void
reopen(void)
{
	close_rooms();
	open_rooms();
}

static inline void
setup(void)
{
	signal(SIGXFSZ, SIG_IGN);
	reported[0] = '\0';
	n_told = 0;
	told_seq = 0;
	told_more = NULL;
	options = (struct store_options)STORE_OPTIONS_DEFAULT;
	tempdir_make();
	open_rooms();
}

static inline void
teardown(void)
{
	close_rooms();
	tempdir_remove();
}

#define MAX_PEOPLE 16

/* Blank-separated names. */
static inline size_t
split(const char *names, char copy[512], const char *out[MAX_PEOPLE])
{
	size_t n = 0;

	snprintf(copy, 512, "%s", names);
	for (char *save, *w = strtok_r(copy, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		out[n++] = w;
	return n;
}

static inline enum room_answer
make(enum room_type type, const char *by, const char *names, struct uuid *id)
{
	const struct room_info *info;
	const char *people[MAX_PEOPLE];
	char copy[512];
	struct room_ask ask = {.action = ROOM_CREATE,
			       .type = type,
			       .by = by,
			       .name = "a room",
			       .people = people,
			       .max_members = 10};
	enum room_answer a;
	uint64_t seq;
	enum qerr e;

	ask.n_people = split(names, copy, people);
	a = rooms_create(r, &ask, &info, &seq, &e);
	if (a == ROOM_OK || a == ROOM_REPEATED) {
		*id = info->id;
		room_info_put(info);
	}
	return a;
}

static inline enum room_answer
change(const struct uuid *id, enum room_action action, const char *by, const char *names)
{
	const char *people[MAX_PEOPLE];
	char copy[512];
	struct room_ask ask = {.action = action,
			       .by = by,
			       .name = names,
			       .people = people,
			       .max_members = 5};
	uint64_t seq;
	enum qerr e;

	ask.n_people = split(names, copy, people);
	return rooms_change(r, id, &ask, NULL, &seq, &e);
}

static inline enum room_answer
post(const struct uuid *id, struct room_post *p)
{
	rooms_post(r, id, p, 1);
	return p->answer;
}

/* Say something; the message's id goes to msg (may be NULL). */
static inline enum room_answer
say(const struct uuid *id, const char *by, const char *text, const char *ref,
    struct uuid *msg)
{
	struct room_post p = {
	    .kind = ROOM_SEND, .by = by, .content = span_str(text), .ref = ref};
	enum room_answer a = post(id, &p);

	if (msg != NULL)
		*msg = p.msg;
	return a;
}

static inline enum room_answer
act(const struct uuid *id, enum room_kind kind, const char *by, const struct uuid *msg,
    const char *text)
{
	struct room_post p = {
	    .kind = kind, .by = by, .msg = *msg, .content = span_str(text)};

	return post(id, &p);
}

/* A page as one line: "[>]author:content[e][d][p][f] ..."; '>' first: there is more. */
static inline const char *
page(const struct uuid *id, const struct uuid *from, int count)
{
	static char line[65536];
	struct room_page *p;
	size_t n = 0;
	enum qerr e;

	line[0] = '\0';
	if (rooms_page(r, id, from, count, &p, &e) != ROOM_OK)
		return "none";
	if (p->more)
		line[n++] = '>';
	for (size_t i = 0; i < p->n; i++)
		n += (size_t)snprintf(
		    line + n, sizeof(line) - n, "%s%s:%.*s%s%s%s%s", i > 0 ? " " : "",
		    p->m[i].from, (int)p->m[i].content.len,
		    (const char *)p->m[i].content.p, p->m[i].edited ? "/e" : "",
		    p->m[i].deleted ? "/d" : "", p->m[i].pinned ? "/p" : "",
		    p->m[i].in_file ? "/f" : "");
	line[n] = '\0';
	room_page_free(p);
	return line;
}

/* Members of a room as one line: "owner/admins/members". */
static inline const char *
members(const struct uuid *id)
{
	static char line[4096];
	const struct room_info *info;
	size_t n;

	if (rooms_get(r, id, NULL, &info) != ROOM_OK)
		return "none";
	n = (size_t)snprintf(line, sizeof(line), "%s/", info->owner);
	for (size_t i = 0; i < info->n_admins; i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%s%s",
				      i > 0 ? " " : "", info->admins[i]);
	line[n++] = '/';
	line[n] = '\0';
	for (size_t i = 0; i < info->n_members; i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%s%s",
				      i > 0 ? " " : "", info->members[i]);
	room_info_put(info);
	return line;
}

struct lister {
	char *line;
	size_t n;
};

static inline bool
list_event(void *arg, const struct room_event *ev)
{
	static const char *const kinds[] = {"send", "edit",   "delete",
					    "pin",  "pubkey", "changed"};
	struct lister *l = arg;

	l->n += (size_t)snprintf(l->line + l->n, 4096 - l->n, "%s%d:%s:%s",
				 l->n > 0 ? " " : "", (int)ev->seq, kinds[ev->kind],
				 ev->from);
	return true;
}

/* What waits for somebody behind a seq: "seq:kind:from ...". */
static inline const char *
waiting(const struct uuid *id, const char *user, uint64_t after)
{
	static char line[4096];
	struct lister l = {line, 0};

	line[0] = '\0';
	if (rooms_events(r, id, user, after, 100, list_event, &l, NULL) != Q_OK)
		return "none";
	return line;
}

/* For rooms_events: they come one after another; how many of them are messages. */
struct counting {
	uint64_t seq;
	size_t sent;
};

static inline bool
count_event(void *arg, const struct room_event *ev)
{
	struct counting *c = arg;

	ck_assert_uint_eq(ev->seq, ++c->seq);
	c->sent += ev->kind == ROOM_SEND;
	return true;
}

static inline void
complain(void *arg, const char *sentence)
{
	(void)arg;
	note_report(NULL, sentence);
}

/* "server check" finds nothing. */
static inline void
check_clean(void)
{
	struct check_result result;

	reported[0] = '\0';
	ck_assert_int_eq(store_check(s, false, complain, NULL, &result), Q_OK);
	ck_assert_msg(result.problems == 0, "%s", reported);
}

#endif
