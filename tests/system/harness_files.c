/* SPDX-License-Identifier: MIT
 *
 * harness_files.c - the harness's commands, and what it reads and writes in the
 * data directory.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/harness.h"
#include "tests/system/harness_run.h"

#define OUT_MAX (8 * 1024 * 1024) /* of a command: a long transcript */
#define LOG_MAX (64 << 20)

/* ---- commands ---- */

static int
command(struct harness *h, struct buf *said, const char *word, va_list ap)
{
	const char *argv[32] = {getenv("QUINTET_SERVER")};
	struct harness_child child = {.argv = argv};
	int64_t deadline = harness_deadline(2 * HARNESS_WAIT);
	size_t n = 1;
	ssize_t got;
	pid_t pid;
	int fd, status;

	for (; word != NULL; word = va_arg(ap, const char *)) {
		ck_assert_uint_lt(n, 28);
		argv[n++] = word;
	}
	argv[n++] = "--data";
	argv[n++] = h->data;
	pid = harness_spawn(&child, &fd);
	while ((got = harness_read_some(fd, said, deadline)) > 0)
		;
	if (got < 0)
		harness_fail("the command does not end");
	close(fd);
	status = harness_reap(pid, deadline);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
harness_command(struct harness *h, struct buf *out, const char *word, ...)
{
	struct buf said = BUF_INIT(OUT_MAX);
	va_list ap;
	int status;

	va_start(ap, word);
	status = command(h, &said, word, ap);
	va_end(ap);
	if (out != NULL)
		ck_assert_int_eq(buf_put_span(out, buf_span(&said)), Q_OK);
	buf_free(&said);
	return status;
}

void
harness_admin(struct harness *h, const char *word, ...)
{
	struct buf said = BUF_INIT(OUT_MAX);
	va_list ap;
	int status;

	va_start(ap, word);
	status = command(h, &said, word, ap);
	va_end(ap);
	if (status != 0)
		harness_fail("server %s ended with status %d: %s", word, status,
			     (const char *)said.p);
	buf_free(&said);
}

bool
harness_has_session(struct harness *h, const char *user)
{
	struct buf out = BUF_INIT(OUT_MAX);
	char word[NAME_SIZE + 2];
	bool there;

	snprintf(word, sizeof(word), " %s ", user);
	ck_assert_int_eq(harness_command(h, &out, "ctl", "sessions", NULL), 0);
	there = memmem(out.p, out.len, word, strlen(word)) != NULL;
	buf_free(&out);
	return there;
}

void
harness_reload(struct harness *h, ...)
{
	struct buf text = BUF_INIT(4096);
	const char *setting;
	va_list ap;

	va_start(ap, h);
	while ((setting = va_arg(ap, const char *)) != NULL) {
		int section = (int)strcspn(setting, ".");

		ck_assert_int_eq(buf_printf(&text, "[%.*s]\n%s\n", section, setting,
					    setting + section + 1),
				 Q_OK);
	}
	va_end(ap);
	harness_write(h, "server/server.conf", buf_span(&text));
	harness_admin(h, "ctl", "reload", NULL);
	buf_free(&text);
}

/* ---- files ---- */

bool
harness_read(const struct harness *h, const char *path, struct buf *out)
{
	char full[2 * HARNESS_PATH];
	uint8_t some[4096];
	size_t n;
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", h->data, path);
	if ((f = fopen(full, "rb")) == NULL)
		return false;
	while ((n = fread(some, 1, sizeof(some), f)) > 0)
		ck_assert_int_eq(buf_put(out, some, n), Q_OK);
	fclose(f);
	return true;
}

void
harness_make_folder(const struct harness *h, const char *path)
{
	char full[2 * HARNESS_PATH];

	snprintf(full, sizeof(full), "%s/%s", h->data, path);
	ck_assert_msg(mkdir(full, 0700) == 0, "%s: %s", full, strerror(errno));
}

void
harness_write(const struct harness *h, const char *path, struct span content)
{
	char full[2 * HARNESS_PATH], beside[HARNESS_PATH + 16];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", h->data, path);
	snprintf(beside, sizeof(beside), "%s/beside", h->dir);
	f = fopen(beside, "wb");
	ck_assert_ptr_nonnull(f);
	if (content.len > 0)
		ck_assert_uint_eq(fwrite(content.p, 1, content.len, f), content.len);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_msg(rename(beside, full) == 0, "%s: %s", full, strerror(errno));
}

bool
harness_logged(const struct harness *h, const char *text)
{
	struct buf log = BUF_INIT(LOG_MAX);
	bool found;

	ck_assert(harness_read(h, "../stderr", &log));
	found = log.len > 0 && memmem(log.p, log.len, text, strlen(text)) != NULL;
	buf_free(&log);
	return found;
}

void
harness_enrol_code(const struct harness *h, char out[20])
{
	struct buf file = BUF_INIT(256);

	ck_assert(harness_read(h, "server/enroll-code", &file));
	ck_assert_uint_ge(file.len, 19);
	memcpy(out, file.p, 19);
	out[19] = '\0';
	buf_free(&file);
}

/* ---- users ---- */

void
harness_add_user(struct harness *h, const char *name, enum key_kind kind)
{
	struct harness_user *more =
	    realloc(h->users, (h->user_count + 1) * sizeof(h->users[0]));
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct harness_user *u;
	char path[64];

	ck_assert_ptr_nonnull(more);
	h->users = more;
	u = &h->users[h->user_count];
	ck_assert_int_eq(name_copy(span_str(name), u->name), Q_OK);
	ck_assert_int_eq(key_generate(kind, KEY_RSA_MIN_BITS, &u->key), Q_OK);
	h->user_count++;
	ck_assert_int_eq(key_public_pem(u->key, &pem), Q_OK);
	snprintf(path, sizeof(path), "pems/%s.pem", name);
	harness_write(h, path, buf_span(&pem));
	buf_free(&pem);
}

void
harness_add_users(struct harness *h, ...)
{
	const char *name;
	va_list ap;

	va_start(ap, h);
	while ((name = va_arg(ap, const char *)) != NULL)
		harness_add_user(h, name, KEY_EC_P256);
	va_end(ap);
}

const struct key *
harness_key(const struct harness *h, const char *name)
{
	for (size_t i = 0; i < h->user_count; i++)
		if (name_cmp(h->users[i].name, name) == 0)
			return h->users[i].key;
	harness_fail("the test has no user %s", name);
}
