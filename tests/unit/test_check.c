/* SPDX-License-Identifier: MIT
 *
 * "server check": what it says, what it repairs, while others go on.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "crypto/cert.h"
#include "store/check.h"
#include "store/msglog.h"
#include "store/node_certs.h"
#include "store/users.h"
#include "tests/unit/said.h"
#include "tests/unit/tempdir.h"

#define PEM                                                                  \
	"-----BEGIN PUBLIC KEY-----\n"                                       \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEao2aTU4gF44uAU97hb03fcZ+kmm7\n" \
	"clTb3MZs6YbD38gvNsZG0s96OqsRcLa5PprilDbmFj+NFyqRTrXfF7aT9w==\n"     \
	"-----END PUBLIC KEY-----\n"
/* P-384: a key, but none that is allowed */
#define PEM_OTHER                                                            \
	"-----BEGIN PUBLIC KEY-----\n"                                       \
	"MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEENxKMP18uz+ny+0uQu6ziykPwiEA/bOr\n" \
	"qaXm2KpRccnYc2uPMb9ytXKq2THuVufC+PGtC4Mr6DRxLdrFj4cD92E76HTnQK41\n" \
	"CzZcOJbdRV9HX11PxwG4waaAh/Lt0eap\n"                                 \
	"-----END PUBLIC KEY-----\n"
/* What a certificate is taken for that is none. */
#define CERT_OTHER                                                           \
	"-----BEGIN CERTIFICATE-----\n"                                      \
	"MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEENxKMP18uz+ny+0uQu6ziykPwiEA/bOr\n" \
	"-----END CERTIFICATE-----\n"
#define LOG "d/messages/a+b.log"

static struct store *s;

static void
open_store(void)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct why why;

	if (store_open(at("d"), &opt, &s, &why) != Q_OK)
		ck_abort_msg("%s", why.text);
}

static void
setup(void)
{
	tempdir_make();
	open_store();
}

static void
teardown(void)
{
	store_close(s);
	tempdir_remove();
}

static struct check_result
check(bool repair)
{
	struct check_result r;

	said[0] = '\0';
	ck_assert_int_eq(store_check(s, repair, say, NULL, &r), Q_OK);
	return r;
}

static void
add(const char *name, uint32_t uin)
{
	struct user u = {.uin = 0};
	uint8_t fingerprint[32] = {0};

	strcpy(u.name, name);
	le32_put(fingerprint, uin);
	ck_assert_int_eq(users_add(s, &u, span_str(PEM), fingerprint), Q_OK);
	ck_assert_uint_eq(u.uin, uin);
}

static enum qerr
append(struct msglog *l, const char *text)
{
	struct record r = {
	    .kind = "text", .from = "alice", .text = true, .data = span_str(text)};

	return msglog_append(l, &r, 1);
}

static void
fill(int n)
{
	struct msglog *l;

	ck_assert_int_eq(msglog_open(s, "a+b", &l), Q_OK);
	while (n-- > 0)
		ck_assert_int_eq(append(l, "hello"), Q_OK);
	msglog_close(l);
}

START_TEST(all_is_well)
{
	struct check_result r;

	add("Alice", 1);
	add("Bob", 2);
	fill(10);
	ck_assert_int_eq(store_server_write(s, "ca.pem", span_str(PEM), 0644), Q_OK);
	r = check(true);
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(r.users, 2);
	ck_assert_uint_eq(r.keys, 2);
	ck_assert_uint_eq(r.logs, 1);
	ck_assert_uint_eq(r.records, 10);
	ck_assert_uint_eq(r.problems, 0);
	ck_assert_int_eq(count_names("d/bad", ""), 0);
}
END_TEST

static const struct {
	const char *file, *content, *sentence;
	bool repaired;
	size_t more; /* sentences than one: the same seen from the other side */
} bad_files[] = {
    {"d/users/carol", "quintet-user: 1\n", "users/carol: damaged", true, 0},
    {"d/users/Carol", "x", "users/Carol: is not named", true, 0},
    {"d/users/not a name", "x", "users/not a name: is not named", true, 0},
    {"d/uins/9", "carol\n", "uins/9: names nobody", true, 0},
    {"d/uins/9", "carol", "uins/9: damaged", true, 0},
    {"d/uins/2", "alice\n", "uins/2: names nobody", true, 0},
    {"d/uins/09", "alice\n", "uins/09: is not named", true, 0},
    {"d/uins/0", "alice\n", "uins/0: is not named", true, 0},
    {"d/uins/1", "damaged", "users/Alice: uins/1 does not name this user", true, 1},
    {"d/uins/1", "nobody\n", "users/Alice: uins/1 does not name this user", true, 1},
    {"d/pems/carol.pem", "no key", "pems/carol.pem: is no public key", true, 0},
    {"d/pems/carol.pem", PEM_OTHER, "pems/carol.pem: is no public key", true, 0},
    {"d/pems/carol.pem", "", "pems/carol.pem: is no public key", true, 0},
    {"d/pems/carol.key", PEM, "pems/carol.key: is not named", true, 0},
    {"d/pems/ALICE.pem", PEM, "pems/ALICE.pem: is not used, because pems/alice.pem",
     false, 0},
    {"d/nodes/kiel.pem", "", "nodes/kiel.pem: is no certificate", true, 0},
    {"d/nodes/kiel.pem", PEM, "nodes/kiel.pem: is no certificate", true, 0},
    {"d/nodes/kiel.pem", CERT_OTHER, "nodes/kiel.pem: is no certificate", true, 0},
    {"d/nodes/kiel.crt", "x", "nodes/kiel.crt: is not named", true, 0},
    {"d/messages/x", "x", "messages/x: is not named", true, 0},
    {"d/messages/X.log", "x", "messages/X.log: is not named", true, 0},
};

START_TEST(bad_files_are_said_and_moved)
{
	struct check_result r;
	struct user u;

	add("Alice", 1);
	spill(bad_files[_i].file, span_str(bad_files[_i].content));
	r = check(false);
	ASSERT_SAID(bad_files[_i].sentence);
	ck_assert_uint_eq(r.problems, 1 + bad_files[_i].more);
	ck_assert_uint_eq(r.repaired, 0);
	ck_assert_int_eq(count_names("d/bad", ""), 0);
	ck_assert(exists(bad_files[_i].file));
	r = check(true);
	ASSERT_SAID(bad_files[_i].sentence);
	ck_assert_uint_eq(r.repaired, bad_files[_i].repaired ? 1 : 0);
	r = check(true);
	ck_assert_uint_eq(r.problems, bad_files[_i].repaired ? 0 : 1);
	ck_assert_int_eq(users_get(s, "alice", &u), Q_OK);
	ck_assert_uint_eq(r.users, 1);
}
END_TEST

static void
spill_cert(const char *file, enum key_kind kind)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	struct cert *cert;
	struct key *key;

	ck_assert_int_eq(key_generate(kind, 2048, &key), Q_OK);
	ck_assert_int_eq(cert_make_self(key, "kiel", 1, &cert), Q_OK);
	ck_assert_int_eq(cert_pem(cert, &pem), Q_OK);
	spill(file, buf_span(&pem));
	buf_free(&pem);
	cert_free(cert);
	key_free(key);
}

/* Certificates that admit a node; each may be a link, and hidden files are not ours. */
START_TEST(certificates_of_nodes)
{
	struct check_result r;

	spill_cert("d/nodes/kiel.pem", KEY_EC_P256);
	spill_cert("elsewhere", KEY_RSA);
	ck_assert_int_eq(symlink(at("elsewhere"), at("d/nodes/bonn.pem")), 0);
	spill("d/nodes/.kiel.pem.swp", span_str("x"));
	r = check(true);
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(r.nodes, 2);
	for (int i = 2; i <= NODE_CERTS_MAX; i++) {
		char name[64];

		snprintf(name, sizeof(name), "d/nodes/n%d.pem", i);
		ck_assert_int_eq(symlink(at("elsewhere"), at(name)), 0);
	}
	r = check(true);
	ASSERT_SAID("nodes: 1025 certificates, and only 1024 are looked at");
	ck_assert_uint_eq(r.problems, 1);
}
END_TEST

START_TEST(two_users_with_one_uin)
{
	struct user u = {.name = "Bob", .uin = 1, .created_ms = 1};
	struct buf text = BUF_INIT(1000);
	struct check_result r;

	add("Alice", 1);
	ck_assert_int_eq(user_encode(&u, &text), Q_OK);
	spill("d/users/bob", buf_span(&text));
	r = check(true);
	ASSERT_SAID("users/Bob: has UIN 1, which belongs to Alice");
	ck_assert_uint_eq(r.problems, 1);
	ck_assert_uint_eq(r.repaired, 0);
	buf_free(&text);
}
END_TEST

START_TEST(no_plain_files)
{
	struct check_result r;

	ck_assert_int_eq(mkdir(at("d/users/dora"), 0700), 0);
	ck_assert_int_eq(mkfifo(at("d/pems/dora.pem"), 0600), 0);
	ck_assert_int_eq(symlink("/etc/passwd", at("d/messages/c+d.log")), 0);
	r = check(false);
	ASSERT_SAID("users/dora: is no plain file");
	ASSERT_SAID("pems/dora.pem: is no plain file");
	ASSERT_SAID("messages/c+d.log: is no plain file");
	ck_assert_uint_eq(r.problems, 3);
	r = check(true);
	ck_assert_uint_eq(r.repaired, 3);
	r = check(false);
	ck_assert_uint_eq(r.problems, 0);
	ck_assert_int_eq(count_names("d/bad", ""), 3);
}
END_TEST

/* A key may lie elsewhere. */
START_TEST(linked_key)
{
	struct check_result r;

	spill("key.pem", span_str(PEM));
	ck_assert_int_eq(symlink("../../key.pem", at("d/pems/dora.pem")), 0);
	r = check(true);
	ck_assert_uint_eq(r.problems, 0);
	ck_assert_uint_eq(r.keys, 1);
}
END_TEST

static void
damage_line(int line)
{
	struct buf b = slurp(LOG);
	size_t i = 0;

	while (line > 0)
		line -= b.p[i++] == '\n';
	b.p[i + 30] ^= 1;
	spill(LOG, buf_span(&b));
	buf_free(&b);
}

static bool
count_records(void *arg, const struct record *r)
{
	ck_assert(span_eq(r->data, span_str("hello")));
	++*(int *)arg;
	return true;
}

START_TEST(damaged_lines_are_moved)
{
	struct check_result r;
	struct msglog *l;
	struct buf before, after, bad;
	size_t damaged;
	uint64_t id;
	int n = 0;

	fill(100);
	ck_assert_int_eq(msglog_open(s, "a+b", &l), Q_OK);
	damage_line(20);
	damage_line(60);
	before = slurp(LOG);
	r = check(false);
	ASSERT_SAID("messages/a+b.log: 2 damaged lines, the first at byte ");
	ck_assert_uint_eq(r.records, 98);
	ck_assert_uint_eq(r.problems, 1);
	after = slurp(LOG);
	ck_assert(span_eq(buf_span(&before), buf_span(&after)));
	buf_free(&after);
	r = check(true);
	ASSERT_SAID("moved to bad/");
	ck_assert_uint_eq(r.repaired, 1);
	after = slurp(LOG);
	bad = slurp(find_name("d/bad", "messages-a+b"));
	ck_assert_uint_eq(after.len + bad.len, before.len);
	/* The open log goes on in the new file. */
	ck_assert_int_eq(append(l, "hello"), Q_OK);
	ck_assert_int_eq(msglog_read(l, 0, 1000, count_records, &n, &damaged), Q_OK);
	ck_assert_int_eq(n, 99);
	ck_assert_uint_eq(damaged, 0);
	ck_assert_int_eq(msglog_last_id(l, &id), Q_OK);
	ck_assert_uint_eq(id, 101);
	msglog_close(l);
	store_close(s);
	open_store();
	r = check(false);
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(r.records, 99);
	ck_assert_int_eq(count_names("d/messages", ""), 1);
	buf_free(&before);
	buf_free(&after);
	buf_free(&bad);
}
END_TEST

START_TEST(ids_that_do_not_rise)
{
	struct check_result r;
	struct buf b, again;

	fill(10);
	b = slurp(LOG);
	again = slurp(LOG);
	store_close(s);
	ck_assert_int_eq(buf_put_span(&b, buf_span(&again)), Q_OK);
	buf_free(&again);
	spill(LOG, buf_span(&b));
	open_store();
	r = check(true);
	ASSERT_SAID("messages/a+b.log: 10 damaged lines");
	ck_assert_uint_eq(r.repaired, 1);
	r = check(true);
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(r.records, 10);
	buf_free(&b);
}
END_TEST

START_TEST(a_torn_end)
{
	struct check_result r;
	FILE *f;

	fill(10);
	store_close(s);
	f = fopen(at(LOG), "ab");
	ck_assert_ptr_nonnull(f);
	fputs("=00", f);
	fclose(f);
	open_store();
	r = check(false);
	ASSERT_SAID("messages/a+b.log: a torn end of 3 bytes");
	ck_assert_uint_eq(r.problems, 1);
	ck_assert_uint_eq(r.records, 10);
	ck_assert_int_eq(count_names("d/bad", ""), 1);
}
END_TEST

/* ---- while others go on ---- */

static atomic_bool stop;

static void *
busy(void *arg)
{
	struct msglog *l;
	char name[24];

	ck_assert_int_eq(msglog_open(s, "a+b", &l), Q_OK);
	for (uint32_t i = 0; !atomic_load(&stop); i++) {
		int n = 0;
		size_t damaged;

		ck_assert_int_eq(append(l, "hello"), Q_OK);
		ck_assert_int_eq(msglog_read(l, 0, 1000, count_records, &n, &damaged),
				 Q_OK);
		ck_assert_int_ge(n, 90);
		snprintf(name, sizeof(name), "user%u", i % 5);
		if (i % 10 < 5)
			add(name, 100 + i);
		else
			ck_assert_int_eq(users_remove(s, name), Q_OK);
	}
	msglog_close(l);
	return arg;
}

START_TEST(check_beside_traffic)
{
	pthread_t t;
	struct check_result r;

	fill(100);
	damage_line(50);
	ck_assert_int_eq(pthread_create(&t, NULL, busy, NULL), 0);
	r = check(true);
	ck_assert_msg(r.problems == 1 && r.repaired == 1, "%s", said);
	for (int i = 0; i < 30; i++) {
		r = check(true);
		ck_assert_msg(r.problems == 0, "%s", said);
	}
	atomic_store(&stop, true);
	pthread_join(t, NULL);
	ck_assert_int_eq(count_names("d/bad", ""), 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("check");
	TCase *t = tcase_create("check");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, all_is_well);
	tcase_add_loop_test(t, bad_files_are_said_and_moved, 0,
			    sizeof(bad_files) / sizeof(bad_files[0]));
	tcase_add_test(t, two_users_with_one_uin);
	tcase_add_test(t, certificates_of_nodes);
	tcase_add_test(t, no_plain_files);
	tcase_add_test(t, linked_key);
	tcase_add_test(t, damaged_lines_are_moved);
	tcase_add_test(t, ids_that_do_not_rise);
	tcase_add_test(t, a_torn_end);
	tcase_add_test(t, check_beside_traffic);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
