/* SPDX-License-Identifier: MIT
 *
 * Rooms in the store: rules of membership, messages, pages; and that all of it is there
 * after a restart.
 */
#include "tests/unit/rooms_fake.h"

#include "store/file.h"

/* ---- rooms and members ---- */

START_TEST(test_group)
{
	const struct room_info *info;
	struct uuid id;

	ck_assert_int_eq(make(ROOM_GROUP, "Alice", "bob carol ALICE Bob", &id), ROOM_OK);
	for (int round = 0; round < 2; round++, reopen()) {
		ck_assert_str_eq(members(&id), "Alice//Alice bob carol");
		ck_assert_int_eq(rooms_get(r, &id, "BOB", &info), ROOM_OK);
		ck_assert_str_eq(info->name, "a room");
		ck_assert_int_eq(info->type, ROOM_GROUP);
		ck_assert_uint_eq(info->changed, 1);
		ck_assert_int_eq(uuid_version(&info->id), 4);
		room_info_put(info);
		ck_assert_int_eq(rooms_get(r, &id, "dave", &info), ROOM_NOT_IN);
		ck_assert_str_eq(waiting(&id, "bob", 0), "1:changed:Alice");
		ck_assert_str_eq(waiting(&id, "alice", 0), "");
	}
	ck_assert_uint_eq(n_told, 1);
}
END_TEST

START_TEST(test_create_refused)
{
	struct uuid id;

	ck_assert_int_eq(make(ROOM_GROUP, "alice", "ALICE", &id), ROOM_NOTHING);
	ck_assert_int_eq(make(ROOM_CHANNEL, "alice", "", &id), ROOM_NOTHING);
	ck_assert_int_eq(make(ROOM_DIRECT, "alice", "bob carol", &id), ROOM_NOTHING);
	ck_assert_int_eq(make(ROOM_GROUP, "a", "b c d e f g h i j k", &id),
			 ROOM_TOO_MANY);
	ck_assert_int_eq(make(ROOM_GROUP, "a", "b c d e f g h i j", &id), ROOM_OK);
	ck_assert_int_eq(count_names("d/messages", "room-"), 1);
}
END_TEST

START_TEST(test_direct)
{
	struct uuid id, again;

	ck_assert_int_eq(make(ROOM_DIRECT, "alice", "bob", &id), ROOM_OK);
	ck_assert_int_eq(make(ROOM_DIRECT, "BOB", "Alice", &again), ROOM_REPEATED);
	ck_assert(uuid_eq(&id, &again));
	reopen();
	ck_assert_int_eq(make(ROOM_DIRECT, "bob", "alice", &again), ROOM_REPEATED);
	ck_assert(uuid_eq(&id, &again));
	ck_assert_uint_eq(n_told, 1);
	for (int a = ROOM_RENAME; a <= ROOM_DROP; a++)
		ck_assert_int_eq(change(&id, (enum room_action)a, "alice", "bob"),
				 ROOM_NOT_ALLOWED);
	ck_assert_int_eq(change(&id, ROOM_LEAVE, "carol", ""), ROOM_NOT_IN);
}
END_TEST

START_TEST(test_rules)
{
	static const struct {
		enum room_action action;
		const char *by, *names;
		enum room_answer answer;
		const char *members;
	} steps[] = {
	    {ROOM_ADD, "bob", "dave", ROOM_NOT_ALLOWED, NULL},
	    {ROOM_ADD, "dave", "dave", ROOM_NOT_IN, NULL},
	    {ROOM_PROMOTE, "bob", "bob", ROOM_NOT_ALLOWED, NULL},
	    {ROOM_PROMOTE, "alice", "dave", ROOM_NOT_IN, NULL},
	    {ROOM_PROMOTE, "alice", "alice", ROOM_NOTHING, NULL},
	    {ROOM_PROMOTE, "alice", "carol", ROOM_OK, "alice/carol/alice bob carol"},
	    {ROOM_PROMOTE, "alice", "carol", ROOM_NOTHING, NULL},
	    {ROOM_PROMOTE, "alice", "bob", ROOM_OK, "alice/carol bob/alice bob carol"},
	    {ROOM_PROMOTE, "bob", "carol", ROOM_NOT_ALLOWED, NULL},
	    {ROOM_REMOVE, "bob", "carol", ROOM_NOT_ALLOWED, NULL},
	    {ROOM_REMOVE, "bob", "alice", ROOM_NOT_ALLOWED, NULL},
	    {ROOM_REMOVE, "bob", "zoe", ROOM_NOT_IN, NULL},
	    {ROOM_REMOVE, "alice", "alice", ROOM_NOT_ALLOWED, NULL},
	    {ROOM_ADD, "bob", "carol alice", ROOM_NOTHING, NULL},
	    {ROOM_ADD, "bob", "dave eve fred", ROOM_TOO_MANY, NULL},
	    {ROOM_ADD, "bob", "dave carol DAVE eve", ROOM_OK,
	     "alice/carol bob/alice bob carol dave eve"},
	    {ROOM_REMOVE, "carol", "eve bob nobody", ROOM_OK,
	     "alice/carol bob/alice bob carol dave"},
	    {ROOM_DEMOTE, "carol", "bob", ROOM_NOT_ALLOWED, NULL},
	    {ROOM_DEMOTE, "alice", "dave", ROOM_NOTHING, NULL},
	    {ROOM_DEMOTE, "alice", "eve", ROOM_NOT_IN, NULL},
	    {ROOM_DEMOTE, "alice", "carol", ROOM_OK, "alice/bob/alice bob carol dave"},
	    {ROOM_RENAME, "carol", "x", ROOM_NOT_ALLOWED, NULL},
	    {ROOM_RENAME, "bob", "x", ROOM_OK, NULL},
	    {ROOM_DROP, "bob", "", ROOM_NOT_ALLOWED, NULL},
	    {ROOM_LEAVE, "alice", "", ROOM_OK, "bob//bob carol dave"},
	    {ROOM_LEAVE, "bob", "", ROOM_OK, "carol//carol dave"},
	    {ROOM_REMOVE, "carol", "dave", ROOM_OK, "carol//carol"},
	    {ROOM_LEAVE, "carol", "", ROOM_OK, "none"},
	    {ROOM_LEAVE, "carol", "", ROOM_UNKNOWN, "none"},
	};
	struct uuid id;
	char now[256] = "alice//alice bob carol";

	ck_assert_int_eq(make(ROOM_GROUP, "alice", "bob carol", &id), ROOM_OK);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		ck_assert_msg(change(&id, steps[i].action, steps[i].by, steps[i].names) ==
				  steps[i].answer,
			      "step %zu", i);
		if (steps[i].members != NULL)
			snprintf(now, sizeof(now), "%s", steps[i].members);
		ck_assert_str_eq(members(&id), now);
		reopen();
		ck_assert_str_eq(members(&id), now);
	}
	ck_assert_int_eq(count_names("d/messages", "room-"), 0);
	ck_assert_str_eq(reported, "");
}
END_TEST

static char dne[256];

static void
see_dne(const struct room_info *info, const struct room_event *ev)
{
	(void)info;
	dne[0] = '\0';
	for (size_t i = 0; ev->change != NULL && i < ev->change->n_dne; i++) {
		strncat(dne, (const char *)ev->change->dne[i].p, ev->change->dne[i].len);
		strcat(dne, "|");
	}
}

static bool
see_one(void *arg, const struct room_event *ev)
{
	(void)arg;
	see_dne(NULL, ev);
	return true;
}

START_TEST(test_dne)
{
	const struct span strange[] = {span_str("no such\nman"), span_str("")};
	const char *const people[] = {"dave", "bob"};
	struct room_ask ask = {.action = ROOM_ADD,
			       .by = "alice",
			       .people = people,
			       .n_people = 2,
			       .dne = strange,
			       .n_dne = 2,
			       .max_members = 10};
	struct uuid id;
	uint64_t seq;
	enum qerr e;

	ck_assert_int_eq(make(ROOM_GROUP, "alice", "bob carol", &id), ROOM_OK);
	told_more = see_dne;
	ck_assert_int_eq(rooms_change(r, &id, &ask, NULL, &seq, &e), ROOM_OK);
	ck_assert_uint_eq(seq, 2);
	ck_assert_str_eq(dne, "no such\nman||bob|");
	reopen();
	dne[0] = '\0';
	ck_assert_int_eq(rooms_events(r, &id, "bob", 1, 1, see_one, NULL, &seq), Q_OK);
	ck_assert_str_eq(dne, "no such\nman||bob|");
	ck_assert_uint_eq(seq, 2);
}
END_TEST

START_TEST(test_list)
{
	const struct room_info **list;
	struct uuid id, after;
	size_t n, seen = 0;
	bool more = true;

	for (int i = 0; i < 25; i++)
		ck_assert_int_eq(make(ROOM_GROUP, "alice", "bob", &id), ROOM_OK);
	ck_assert_int_eq(make(ROOM_GROUP, "carol", "bob", &id), ROOM_OK);
	while (more) {
		ck_assert_int_eq(
		    rooms_of(r, "Alice", seen > 0 ? &after : NULL, 10, &list, &n, &more),
		    Q_OK);
		for (size_t i = 0; i < n; i++) {
			ck_assert(seen == 0 || uuid_cmp(&after, &list[i]->id) < 0);
			after = list[i]->id;
			seen++;
		}
		rooms_of_free(list, n);
	}
	ck_assert_uint_eq(seen, 25);
	ck_assert_int_eq(rooms_of(r, "nobody", NULL, 10, &list, &n, &more), Q_OK);
	ck_assert_uint_eq(n, 0);
	rooms_of_free(list, n);
}
END_TEST

/* ---- messages ---- */

START_TEST(test_messages)
{
	struct uuid id, a, b, c, other, none;

	make(ROOM_GROUP, "alice", "bob carol", &id);
	make(ROOM_GROUP, "alice", "bob", &other);
	ck_assert_int_eq(say(&id, "alice", "one", NULL, &a), ROOM_OK);
	ck_assert_int_eq(say(&id, "Bob", "two", NULL, &b), ROOM_OK);
	ck_assert_int_eq(say(&id, "carol", "three", NULL, &c), ROOM_OK);
	ck_assert_int_eq(say(&id, "dave", "no", NULL, NULL), ROOM_NOT_IN);
	ck_assert_int_eq(uuid_version(&a), 7);
	ck_assert(uuid_cmp(&a, &b) < 0 && uuid_cmp(&b, &c) < 0);
	none = c;
	none.b[0] ^= 1;

	ck_assert_int_eq(act(&id, ROOM_EDIT, "alice", &b, "x"), ROOM_NOT_YOURS);
	ck_assert_int_eq(act(&other, ROOM_EDIT, "alice", &a, "x"), ROOM_NO_MESSAGE);
	ck_assert_int_eq(act(&id, ROOM_EDIT, "alice", &none, "x"), ROOM_NO_MESSAGE);
	ck_assert_int_eq(act(&id, ROOM_EDIT, "ALICE", &a, "uno"), ROOM_OK);
	ck_assert_int_eq(act(&id, ROOM_DELETE, "bob", &c, "x"), ROOM_NOT_YOURS);
	ck_assert_int_eq(act(&id, ROOM_DELETE, "alice", &c, "rude"), ROOM_OK);
	ck_assert_int_eq(act(&id, ROOM_DELETE, "carol", &c, "x"), ROOM_NO_MESSAGE);
	ck_assert_int_eq(act(&id, ROOM_EDIT, "carol", &c, "x"), ROOM_NO_MESSAGE);
	ck_assert_int_eq(act(&id, ROOM_PIN, "carol", &c, ""), ROOM_NO_MESSAGE);
	ck_assert_int_eq(act(&id, ROOM_PIN, "carol", &b, ""), ROOM_OK);
	ck_assert_int_eq(act(&id, ROOM_PIN, "carol", &a, ""), ROOM_OK);
	ck_assert_int_eq(act(&id, ROOM_PIN, "bob", &a, ""), ROOM_OK);
	for (int round = 0; round < 2; round++, reopen()) {
		const char *all = "alice:uno/e Bob:two/p carol:rude/d";

		ck_assert_str_eq(page(&id, NULL, 10), all);
		ck_assert_str_eq(page(&id, NULL, -10), all);
		ck_assert_str_eq(page(&id, NULL, 2), ">alice:uno/e Bob:two/p");
		ck_assert_str_eq(page(&id, NULL, -2), ">Bob:two/p carol:rude/d");
		ck_assert_str_eq(page(&id, &a, 1), ">Bob:two/p");
		ck_assert_str_eq(page(&id, &c, -1), ">Bob:two/p");
		ck_assert_str_eq(page(&id, &c, 5), "");
		ck_assert_str_eq(page(&id, &b, -5), "alice:uno/e");
		ck_assert_str_eq(page(&id, &none, -5), "none");
		ck_assert_str_eq(page(&other, NULL, 5), "");
		ck_assert_str_eq(waiting(&id, "bob", 1),
				 "2:send:alice 4:send:carol 5:edit:alice "
				 "6:delete:alice 7:pin:carol 8:pin:carol");
	}
}
END_TEST

START_TEST(test_direct_delete)
{
	struct uuid id, msg;

	make(ROOM_DIRECT, "alice", "bob", &id);
	say(&id, "bob", "mine", NULL, &msg);
	ck_assert_int_eq(act(&id, ROOM_DELETE, "alice", &msg, ""), ROOM_NOT_YOURS);
	ck_assert_int_eq(act(&id, ROOM_DELETE, "bob", &msg, ""), ROOM_OK);
}
END_TEST

START_TEST(test_channel)
{
	struct uuid id, msg;

	make(ROOM_CHANNEL, "alice", "bob carol", &id);
	ck_assert_int_eq(say(&id, "bob", "x", NULL, NULL), ROOM_NOT_ALLOWED);
	ck_assert_int_eq(change(&id, ROOM_PROMOTE, "alice", "bob"), ROOM_OK);
	ck_assert_int_eq(say(&id, "bob", "x", NULL, &msg), ROOM_OK);
	ck_assert_int_eq(act(&id, ROOM_PIN, "carol", &msg, ""), ROOM_NOT_ALLOWED);
	ck_assert_int_eq(change(&id, ROOM_DEMOTE, "alice", "bob"), ROOM_OK);
	ck_assert_int_eq(say(&id, "bob", "y", NULL, NULL), ROOM_NOT_ALLOWED);
	ck_assert_int_eq(act(&id, ROOM_PIN, "bob", &msg, ""), ROOM_NOT_ALLOWED);
	ck_assert_int_eq(act(&id, ROOM_EDIT, "bob", &msg, "z"), ROOM_OK);
	ck_assert_int_eq(act(&id, ROOM_DELETE, "bob", &msg, ""), ROOM_OK);
}
END_TEST

START_TEST(test_refs)
{
	struct uuid id, first, again, other;

	make(ROOM_GROUP, "alice", "bob", &id);
	ck_assert_int_eq(say(&id, "alice", "one", "ref 1", &first), ROOM_OK);
	for (int round = 0; round < 2; round++, reopen()) {
		ck_assert_int_eq(say(&id, "ALICE", "two", "ref 1", &again),
				 ROOM_REPEATED);
		ck_assert(uuid_eq(&first, &again));
	}
	ck_assert_int_eq(say(&id, "bob", "two", "ref 1", &other), ROOM_OK);
	ck_assert_int_eq(say(&id, "alice", "three", "ref 2", NULL), ROOM_OK);
	ck_assert_int_eq(act(&id, ROOM_DELETE, "alice", &first, ""), ROOM_OK);
	ck_assert_int_eq(say(&id, "alice", "two", "ref 1", &again), ROOM_REPEATED);
	ck_assert(uuid_eq(&first, &again));
	ck_assert_str_eq(page(&id, NULL, 9), "alice:/d bob:two alice:three");
}
END_TEST

START_TEST(test_many_refs)
{
	struct uuid id, msg[300], again;
	char ref[16];

	make(ROOM_GROUP, "alice", "bob", &id);
	for (int i = 0; i < 300; i++) {
		snprintf(ref, sizeof(ref), "r%d", i);
		ck_assert_int_eq(say(&id, "alice", "x", ref, &msg[i]), ROOM_OK);
	}
	for (int i = 0; i < 300; i++) {
		snprintf(ref, sizeof(ref), "r%d", i);
		ck_assert_int_eq(say(&id, "alice", "x", ref, &again), ROOM_REPEATED);
		ck_assert(uuid_eq(&msg[i], &again));
	}
}
END_TEST

/* Posts of one call that depend on each other. */
START_TEST(test_batch)
{
	struct room_post p[8] = {
	    {.kind = ROOM_SEND, .by = "alice", .content = span_str("a"), .ref = "r"},
	    {.kind = ROOM_SEND, .by = "alice", .content = span_str("b"), .ref = "r"},
	    {.kind = ROOM_PIN, .by = "bob"},
	    {.kind = ROOM_PIN, .by = "bob"},
	    {.kind = ROOM_DELETE, .by = "alice"},
	    {.kind = ROOM_EDIT, .by = "alice", .content = span_str("x")},
	    {.kind = ROOM_PUBKEY,
	     .by = "bob",
	     .content = span_str("PEM"),
	     .dropped = "0123456789abcdef"},
	    {.kind = ROOM_SEND, .by = "eve", .content = span_str("x")},
	};
	static const enum room_answer want[8] = {ROOM_OK, ROOM_REPEATED, ROOM_OK,
						 ROOM_OK, ROOM_OK,       ROOM_NO_MESSAGE,
						 ROOM_OK, ROOM_NOT_IN};
	struct uuid id, msg;

	make(ROOM_GROUP, "alice", "bob", &id);
	say(&id, "alice", "first", NULL, &msg);
	for (int i = 2; i < 6; i++)
		p[i].msg = msg;
	rooms_post(r, &id, p, 8);
	for (int i = 0; i < 8; i++)
		ck_assert_msg(p[i].answer == want[i], "post %d: %d", i, p[i].answer);
	ck_assert(uuid_eq(&p[0].msg, &p[1].msg));
	ck_assert_str_eq(page(&id, NULL, 9), "alice:/d alice:a");
	ck_assert_str_eq(waiting(&id, NULL, 2),
			 "3:send:alice 4:pin:bob 5:pin:bob 6:delete:alice 7:pubkey:bob");
	ck_assert_uint_eq(told_seq, 7);
	rooms_post(r, &id, p, 0);
}
END_TEST

/* Pages of messages whose edits are far away; a state that is lost, or damaged. */
START_TEST(test_long_room)
{
	struct uuid id, msg[60];
	char text[32], want[8192], file[64], name[UUID_SIZE];
	size_t n = 0;

	make(ROOM_GROUP, "alice", "bob", &id);
	for (int i = 0; i < 60; i++) {
		snprintf(text, sizeof(text), "m%d", i);
		say(&id, "alice", text, NULL, &msg[i]);
	}
	for (int round = 0; round < 40; round++)
		for (int i = 0; i < 60; i += 1 + i % 3) {
			snprintf(text, sizeof(text), "e%d.%d", i, round);
			ck_assert_int_eq(act(&id, ROOM_EDIT, "alice", &msg[i], text),
					 ROOM_OK);
		}
	for (int i = 0, edited = 0; i < 60; i++) {
		n += (size_t)snprintf(want + n, sizeof(want) - n, "%s", i > 0 ? " " : "");
		if (i == edited) {
			n += (size_t)snprintf(want + n, sizeof(want) - n,
					      "alice:e%d.39/e", i);
			edited += 1 + i % 3;
		} else {
			n += (size_t)snprintf(want + n, sizeof(want) - n, "alice:m%d", i);
		}
	}
	ck_assert_str_eq(page(&id, NULL, 200), want);
	ck_assert_str_eq(page(&id, NULL, -200), want);
	reopen();
	ck_assert_str_eq(page(&id, NULL, 200), want);
	uuid_text(&id, name);
	snprintf(file, sizeof(file), "d/rooms/%s.state", name);
	ck_assert(exists(file));
	for (int damage = 0; damage < 4; damage++) {
		struct buf b = slurp(file);

		close_rooms();
		if (damage == 0)
			ck_assert_int_eq(unlink(at(file)), 0);
		else if (damage == 1)
			b.p[3] ^= 1; /* the head */
		else if (damage == 2)
			b.p[64 * 7 + 30] ^= 1;
		else
			b.len = 64 * 20;
		if (damage > 0)
			spill(file, buf_span(&b));
		buf_free(&b);
		open_rooms();
		ck_assert_str_eq(page(&id, NULL, -200), want);
		ck_assert_int_eq(act(&id, ROOM_EDIT, "bob", &msg[8], "x"),
				 ROOM_NOT_YOURS);
	}
}
END_TEST

/* A page ends before a MiB, with the newest when it goes backwards. */
START_TEST(test_page_bytes)
{
	struct uuid id;
	struct room_page *p;
	struct buf big = BUF_INIT(ROOM_INLINE_MAX);
	enum qerr e;

	ck_assert_int_eq(buf_reserve(&big, ROOM_INLINE_MAX), Q_OK);
	memset(big.p, 'x', ROOM_INLINE_MAX);
	big.len = ROOM_INLINE_MAX;
	make(ROOM_GROUP, "alice", "bob", &id);
	for (int i = 0; i < 20; i++) {
		struct room_post one = {
		    .kind = ROOM_SEND, .by = "alice", .content = buf_span(&big)};

		big.p[0] = (uint8_t)('a' + i);
		ck_assert_int_eq(post(&id, &one), ROOM_OK);
	}
	ck_assert_int_eq(rooms_page(r, &id, NULL, 100, &p, &e), ROOM_OK);
	ck_assert_uint_eq(p->n, 16);
	ck_assert(p->more && p->m[0].content.p[0] == 'a');
	room_page_free(p);
	ck_assert_int_eq(rooms_page(r, &id, NULL, -100, &p, &e), ROOM_OK);
	ck_assert_uint_eq(p->n, 16);
	ck_assert(p->more && p->m[0].content.p[0] == 'e' && p->m[15].content.p[0] == 't');
	room_page_free(p);
	buf_free(&big);
}
END_TEST

/* ---- large contents ---- */

static struct buf
large(size_t n, uint8_t seed)
{
	struct buf b = BUF_INIT(64 * 1024 * 1024);

	ck_assert_int_eq(buf_reserve(&b, n), Q_OK);
	for (size_t i = 0; i < n; i++)
		b.p[i] = (uint8_t)('A' + (i * 7 + seed) % 26);
	b.len = n;
	return b;
}

START_TEST(test_files)
{
	struct buf big = large(300000, 1), got = BUF_INIT(1 << 20),
		   little = BUF_INIT(1000);
	struct room_post p = {.kind = ROOM_SEND,
			      .by = "alice",
			      .format = ROOM_SMALLFILE,
			      .content = buf_span(&big)};
	struct uuid id, msg, text;
	enum qerr e;

	make(ROOM_GROUP, "alice", "bob", &id);
	ck_assert_int_eq(post(&id, &p), ROOM_OK);
	msg = p.msg;
	say(&id, "alice", "small", NULL, &text);
	for (int round = 0; round < 2; round++, reopen()) {
		ck_assert_int_eq(count_names("d/files", ""), 1);
		ck_assert_str_eq(page(&id, NULL, 5), "alice:/f alice:small");
		got.len = 0;
		ck_assert_int_eq(rooms_fetch(r, &id, &msg, &got, &e), ROOM_OK);
		ck_assert(span_eq(buf_span(&got), buf_span(&big)));
		got.len = 0;
		ck_assert_int_eq(rooms_fetch(r, &id, &text, &got, &e), ROOM_OK);
		ck_assert(span_eq(buf_span(&got), span_str("small")));
		ck_assert_int_eq(rooms_fetch(r, &id, &msg, &little, &e), ROOM_FAILED);
		ck_assert_int_eq(e, Q_LIMIT);
	}
	ck_assert_int_eq(act(&id, ROOM_EDIT, "alice", &msg, "x"), ROOM_NOT_TEXT);
	ck_assert_int_eq(act(&id, ROOM_DELETE, "alice", &msg, "gone"), ROOM_OK);
	ck_assert_int_eq(count_names("d/files", ""), 0);
	ck_assert_int_eq(rooms_fetch(r, &id, &msg, &got, &e), ROOM_NO_MESSAGE);
	ck_assert_str_eq(page(&id, NULL, 5), "alice:gone/d alice:small");
	ck_assert_int_eq(post(&id, &p), ROOM_OK);
	ck_assert_int_eq(change(&id, ROOM_DROP, "alice", ""), ROOM_OK);
	ck_assert_int_eq(count_names("d/files", ""), 0);
	ck_assert_int_eq(rooms_fetch(r, &id, &p.msg, &got, &e), ROOM_UNKNOWN);
	/* Nobody's room, and nobody's member. */
	ck_assert_int_eq(post(&id, &p), ROOM_UNKNOWN);
	make(ROOM_GROUP, "alice", "bob", &id);
	p.by = "eve";
	ck_assert_int_eq(post(&id, &p), ROOM_NOT_IN);
	ck_assert_int_eq(count_names("d/files", ""), 0);
	buf_free(&big);
	buf_free(&got);
	buf_free(&little);
}
END_TEST

START_TEST(test_file_damaged)
{
	struct buf big = large(100000, 1), got = BUF_INIT(1 << 20);
	struct room_post p = {.kind = ROOM_SEND,
			      .by = "alice",
			      .format = ROOM_SMALLFILE,
			      .content = buf_span(&big)};
	struct uuid id;
	enum qerr e;

	make(ROOM_GROUP, "alice", "bob", &id);
	ck_assert_int_eq(post(&id, &p), ROOM_OK);
	big.p[5000] ^= 1;
	spill(find_name("d/files", "."), buf_span(&big));
	ck_assert_int_eq(rooms_fetch(r, &id, &p.msg, &got, &e), ROOM_FAILED);
	ck_assert_int_eq(e, Q_FORMAT);
	ck_assert_uint_eq(got.len, 0);
	ck_assert_ptr_nonnull(strstr(reported, "damaged"));
	buf_free(&big);
	buf_free(&got);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rooms in the store");
	TCase *tc = tcase_create("rooms");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_group);
	tcase_add_test(tc, test_create_refused);
	tcase_add_test(tc, test_direct);
	tcase_add_test(tc, test_rules);
	tcase_add_test(tc, test_dne);
	tcase_add_test(tc, test_list);
	tcase_add_test(tc, test_messages);
	tcase_add_test(tc, test_direct_delete);
	tcase_add_test(tc, test_channel);
	tcase_add_test(tc, test_refs);
	tcase_add_test(tc, test_many_refs);
	tcase_add_test(tc, test_batch);
	tcase_add_test(tc, test_long_room);
	tcase_add_test(tc, test_page_bytes);
	tcase_add_test(tc, test_files);
	tcase_add_test(tc, test_file_damaged);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return unit_main(make_suite());
}
