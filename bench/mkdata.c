/* SPDX-License-Identifier: MIT
 *
 * mkdata.c - a data directory with users and messages in it, made in seconds.
 *
 * The files are what the server itself would have written (the store's own
 * codecs make them), only without an fsync for each: nothing here has to
 * survive a power cut.  The private keys go to a file beside the directory,
 * for the load generators.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/keyring.h"
#include "bench/link.h"
#include "bench/util.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "store/msglog.h"
#include "store/record.h"
#include "store/tokens.h"
#include "store/users.h"

enum { RSA_BITS = 2048, LOG_CHUNK = 1 << 20 };

struct options {
	const char *data, *keys, *tokens;
	unsigned users;
	enum key_kind kind;
	enum token_kind tokens_for;
	char password[PASSWORD_HASH_SIZE]; /* everybody's; "": they have a key alone */
	unsigned logs, records;            /* records in each of the logs */
	size_t text;                       /* bytes of text in a message */
};

/* As if written an hour ago: the server does not trust the time stamp of a file
 * that is only seconds old, and keeps no copy of its content. */
static void
write_file(const char *dir, const char *sub, const char *name, struct span content,
	   mode_t mode)
{
	struct timespec then[2] = {{time(NULL) - 3600, 0}, {time(NULL) - 3600, 0}};
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", dir, sub, name);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)) < 0 ||
	    write(fd, content.p, content.len) != (ssize_t)content.len ||
	    futimens(fd, then) != 0 || close(fd) != 0)
		err(1, "%s", path);
}

static void
make_folders(const char *data)
{
	static const char *const subs[] = {"",     "server", "users",
					   "uins", "pems",   "messages"};
	char path[4096];

	for (size_t i = 0; i < sizeof(subs) / sizeof(subs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", data, subs[i]);
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			err(1, "%s", path);
	}
}

/* An RSA server key; the server makes an EC one by itself. */
static void
make_server_key(const struct options *o)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct key *k;

	must(key_generate(KEY_RSA, RSA_BITS, &k), "key");
	must(key_private_pem(k, NULL, &pem), "pem");
	write_file(o->data, "server", "key.pem", buf_span(&pem), 0600);
	buf_wipe(&pem);
	key_free(k);
}

static void
make_user(const struct options *o, unsigned i, FILE *keys)
{
	struct buf text = BUF_INIT(KEY_PEM_MAX);
	struct user u = {.uin = i + 1, .created_ms = clock_wall_ms()};
	char file[64];
	struct key *k;

	user_name(i, u.name);
	memcpy(u.password, o->password, sizeof(u.password));
	must(key_generate(o->kind, RSA_BITS, &k), "key");
	must(key_private_pem(k, NULL, &text), "pem");
	fwrite(text.p, 1, text.len, keys);
	text.len = 0;
	must(key_public_pem(k, &text), "pem");
	snprintf(file, sizeof(file), "%s.pem", u.name);
	write_file(o->data, "pems", file, buf_span(&text), 0644);
	text.len = 0;
	must(user_encode(&u, &text), "user");
	write_file(o->data, "users", u.name, buf_span(&text), 0600);
	snprintf(file, sizeof(file), "%u", u.uin);
	text.len = 0;
	must(buf_printf(&text, "%s\n", u.name), "uin");
	write_file(o->data, "uins", file, buf_span(&text), 0600);
	buf_wipe(&text);
	key_free(k);
}

/* The log of users 2i and 2i + 1. */
static void
make_log(const struct options *o, unsigned i)
{
	size_t body_len = LINK_BODY_LEN(o->text);
	uint8_t *body = must_alloc(1, body_len);
	struct buf out = BUF_INIT(2 * LOG_CHUNK);
	struct record r = {.kind = "350", .data = span_of(body, body_len)};
	char pair[MSGLOG_CHAT_MAX + 1], path[4096];
	int fd;

	user_name(2 * i, r.from);
	user_name(2 * i + 1, r.to);
	msglog_pair_name(r.from, r.to, pair);
	snprintf(path, sizeof(path), "%s/messages/%s.log", o->data, pair);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
		err(1, "%s", path);
	link_body(body, o->text);
	r.time_ms = clock_wall_ms() - o->records;
	for (r.id = 1; r.id <= o->records; r.id++, r.time_ms++) {
		must(record_put(&out, &r), "record");
		if (out.len < LOG_CHUNK && r.id < o->records)
			continue;
		if (write(fd, out.p, out.len) != (ssize_t)out.len)
			err(1, "%s", path);
		out.len = 0;
	}
	close(fd);
	buf_free(&out);
	free(body);
}

/* A token for rooms (or board) a user, one a line in the order of the users; these files the
 * store writes itself, each forced to the disk. */
static void
make_tokens(const struct options *o)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	char name[NAME_SIZE], token[TOKEN_SIZE];
	struct store *store;
	struct why why;
	FILE *f;

	if (store_open(o->data, &opt, &store, &why) != Q_OK)
		errx(1, "%s", why.text);
	if ((f = fopen(o->tokens, "w")) == NULL)
		err(1, "%s", o->tokens);
	for (unsigned i = 0; i < o->users; i++) {
		user_name(i, name);
		must(tokens_issue(store, name, o->tokens_for,
				  clock_wall_ms() + 24 * 3600 * INT64_C(1000), token,
				  NULL),
		     "token");
		fprintf(f, "%s\n", token);
	}
	if (fclose(f) != 0)
		err(1, "%s", o->tokens);
	store_close(store);
}

int
main(int argc, char **argv)
{
	static const struct option names[] = {
	    {"data", 1, NULL, 'd'}, {"keys", 1, NULL, 'k'},   {"users", 1, NULL, 'u'},
	    {"rsa", 0, NULL, 'r'},  {"logs", 1, NULL, 'l'},   {"records", 1, NULL, 'n'},
	    {"text", 1, NULL, 't'}, {"tokens", 1, NULL, 'o'}, {"board", 0, NULL, 'b'},
	    {NULL, 0, NULL, 0}};
	struct options o = {.kind = KEY_EC_P256, .tokens_for = TOKEN_ROOMS, .text = 256};
	FILE *keys;
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 'd': o.data = optarg; break;
		case 'k': o.keys = optarg; break;
		case 'u': o.users = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'r': o.kind = KEY_RSA; break;
		case 'l': o.logs = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'n': o.records = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'o': o.tokens = optarg; break;
		case 'b':
			o.tokens_for = TOKEN_BOARD;
			must(password_hash(span_str("a long password"), o.password),
			     "hash");
			break;
		case 't': o.text = strtoul(optarg, NULL, 10); break;
		default: exit(100);
		}
	}
	if (o.data == NULL || o.keys == NULL)
		errx(100,
		     "usage: mkdata --data DIR --keys FILE --users N [--rsa] "
		     "[--logs N --records N [--text BYTES]] [--tokens FILE [--board]]");
	make_folders(o.data);
	if (o.kind == KEY_RSA)
		make_server_key(&o);
	if ((keys = fopen(o.keys, "w")) == NULL)
		err(1, "%s", o.keys);
	for (unsigned i = 0; i < o.users; i++)
		make_user(&o, i, keys);
	if (fclose(keys) != 0)
		err(1, "%s", o.keys);
	for (unsigned i = 0; i < o.logs; i++)
		make_log(&o, i);
	if (o.tokens != NULL)
		make_tokens(&o);
	return 0;
}
