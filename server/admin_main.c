/* SPDX-License-Identifier: MIT
 *
 * admin_main.c - a command of the administrator from the command line.
 *
 * Whoever has the directory's lock may write to the store.  So the command tries
 * to take it; when a server has it, the server is asked.  A server that is just
 * starting or stopping holds the lock without answering: then both are tried
 * again for a while.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/readpassphrase.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "server/accounts.h"
#include "server/admin.h"
#include "server/backup.h"
#include "server/control.h"
#include "server/log.h"
#include "server/passwords.h"
#include "server/sandbox.h"
#include "store/store.h"

#define BUSY_MS  5000 /* how long a server that does not answer yet is waited for */
#define RETRY_MS 50

static void
report(void *arg, const char *sentence)
{
	(void)arg;
	printf("%s\n", sentence);
}

/* Read the file that the command names ("-": standard input). */
static enum qerr
read_input(const char *name, struct buf *out, struct why *why)
{
	bool standard = strcmp(name, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum qerr e = Q_OK;
	ssize_t n = -1;

	if (fd == -1)
		return why_set(why, qerr_errno(errno), "cannot read %s: %s", name,
			       strerror(errno));
	while ((e = buf_reserve(out, 1024)) == Q_OK) {
		if ((n = read(fd, out->p + out->len, 1024)) > 0)
			out->len += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	if (e != Q_OK)
		why_set(why, e, "%s is too large", name);
	else if (n == -1)
		e = why_set(why, qerr_errno(errno), "cannot read %s: %s", name,
			    strerror(errno));
	if (!standard)
		close(fd);
	return e;
}

/* ---- passwords ---- */

/* Ask a person at the terminal, twice. */
static enum qerr
ask_password(struct buf *out, struct why *why)
{
	char first[PASSWORD_MAX + 2], again[PASSWORD_MAX + 2];
	enum qerr e = Q_OK;

	if (readpassphrase("New password: ", first, sizeof(first), RPP_REQUIRE_TTY) ==
		NULL ||
	    readpassphrase("The same again: ", again, sizeof(again), RPP_REQUIRE_TTY) ==
		NULL)
		e = why_set(why, Q_SYS, "no password was given");
	else if (strcmp(first, again) != 0)
		e = why_set(why, Q_FORMAT, "the two are not the same");
	else
		e = buf_put_str(out, first);
	secret_wipe(first, sizeof(first));
	secret_wipe(again, sizeof(again));
	return e;
}

/* One line of standard input, and no byte more: a key may follow. */
static enum qerr
read_password(struct buf *out, struct why *why)
{
	ssize_t n;
	char c;

	while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n')
		if (buf_put_u8(out, (uint8_t)c) != Q_OK)
			return why_set(why, Q_LIMIT, "the password is too long");
		else if (out->len > PASSWORD_MAX + 1)
			return why_set(why, Q_LIMIT, "a password has at most %d bytes",
				       PASSWORD_MAX);
	if (n == -1)
		return why_set(why, qerr_errno(errno), "cannot read the password: %s",
			       strerror(errno));
	if (out->len > 0 && out->p[out->len - 1] == '\r')
		out->len--;
	return Q_OK;
}

/* Append the new password as a line. */
static enum qerr
get_password(struct buf *out, struct why *why)
{
	enum qerr e =
	    isatty(STDIN_FILENO) ? ask_password(out, why) : read_password(out, why);

	return e == Q_OK ? buf_put_u8(out, '\n') : e;
}

/* ---- running it ---- */

/* Run it on a store that is ours alone. */
static enum qerr
run_here(struct store *store, const struct admin_request *req, struct buf *out,
	 struct why *why)
{
	struct server server = {.store = store};
	enum qerr e = accounts_new(store, &server.accounts);

	if (e == Q_OK)
		e = passwords_open(store, server.accounts, &server.passwords);
	if (e == Q_OK)
		e = admin_run(&server, req, out, why);
	else
		why_set(why, e, "there is no memory");
	passwords_close(server.passwords);
	accounts_free(server.accounts);
	return e;
}

/* Run it on the store, opened with the rights of the server that uses it: what root
 * makes there must be its user's. */
static enum qerr
run_on(const char *data_dir, const struct admin_request *req, struct buf *out,
       bool *opened, struct why *why)
{
	struct store_options opt = STORE_OPTIONS_DEFAULT;
	struct sandbox_user user;
	struct store *store;
	enum qerr e;

	opt.report = report;
	if ((e = sandbox_find_user("", data_dir, &user, why)) != Q_OK ||
	    (e = sandbox_enter(&user, why)) != Q_OK)
		return e;
	if ((e = store_open(data_dir, &opt, &store, why)) == Q_OK) {
		*opened = true;
		e = run_here(store, req, out, why);
		store_close(store);
	}
	(void)sandbox_leave(&user, NULL);
	return e;
}

/* A directory that is not there is made for "user add" alone: in every other
 * case its name is a mistake. */
static bool
must_exist(const struct admin_request *req)
{
	return req->argc < 2 || strcmp(req->argv[0], "user") != 0 ||
	       strcmp(req->argv[1], "add") != 0;
}

static enum qerr
run_somewhere(const char *data_dir, const struct admin_request *req, struct buf *out,
	      struct why *why)
{
	int64_t until = clock_mono_ms() + BUSY_MS;
	bool opened = false;
	struct stat st;
	enum qerr e;

	if (must_exist(req) && stat(data_dir, &st) == -1)
		return why_set(why, qerr_errno(errno), "no data directory %s: %s",
			       data_dir, strerror(errno));
	for (;;) {
		if ((e = control_call(data_dir, req, out, why)) != Q_MISSING ||
		    why->text[0] != '\0')
			return e;
		if (admin_needs_server(req))
			return why_set(why, Q_MISSING, "no server is running on %s",
				       data_dir);
		e = run_on(data_dir, req, out, &opened, why);
		if (opened || e != Q_EXISTS || clock_mono_ms() >= until)
			return e;
		why->text[0] = '\0';
		poll(NULL, 0, RETRY_MS);
	}
}

/* ---- printing ---- */

static enum qerr
print(struct buf *out, struct why *why)
{
	if ((out->len > 0 && fwrite(out->p, 1, out->len, stdout) < out->len) ||
	    fflush(stdout) != 0)
		return why_set(why, Q_SYS, "cannot write the answer: %s",
			       strerror(errno));
	out->len = 0;
	return Q_OK;
}

/* The same command again, behind what has been answered. */
static void
ask_next(struct admin_request *req, const char *argv[ADMIN_WORDS_MAX], struct why *why,
	 struct why *after)
{
	int i = 0;

	*after = *why;
	why->text[0] = '\0';
	for (; i < req->argc && strcmp(req->argv[i], "--after") != 0; i++)
		argv[i] = req->argv[i];
	if (i == req->argc)
		req->argc += 2;
	else
		for (int j = i + 2; j < req->argc; j++)
			argv[j] = req->argv[j];
	argv[i] = "--after";
	argv[i + 1] = after->text;
	req->argv = argv;
}

static enum qerr
run_and_print(const char *data_dir, struct admin_request *req, struct buf *out,
	      struct why *why)
{
	const char *argv[ADMIN_WORDS_MAX];
	struct why after;
	enum qerr e;

	while ((e = run_somewhere(data_dir, req, out, why)) == Q_OK &&
	       admin_in_parts(req) && why->text[0] != '\0') {
		if ((e = print(out, why)) != Q_OK)
			return e;
		ask_next(req, argv, why, &after);
	}
	return e;
}

static enum qerr
back_up(const char *data_dir, const char *file, const struct admin_request *req,
	struct buf *out, struct why *why)
{
	struct backup *b;
	enum qerr e = backup_open(data_dir, file, &b, why);

	if (e != Q_OK)
		return e;
	if ((e = run_somewhere(data_dir, req, out, why)) == Q_OK)
		e = backup_write(b, out, why);
	backup_close(b);
	return e;
}

int
admin_main(const char *data_dir, int argc, const char *const *argv)
{
	struct buf input = BUF_INIT(ADMIN_INPUT_MAX), out = BUF_INIT(ADMIN_REPLY_MAX);
	struct admin_request req = {argc, argv, {NULL, 0}};
	struct why why = {""};
	const char *file, *archive;
	enum qerr e = Q_OK, left;

	if (argc > ADMIN_WORDS_MAX || admin_understand(&req, &why) != Q_OK) {
		fprintf(stderr, "server: %s\n",
			argc > ADMIN_WORDS_MAX ? "too many words" : why.text);
		return 2;
	}
	log_open("", LOG_ERROR, 0, NULL);
	file = admin_input_file(&req);
	if ((!admin_wants_password(&req) || (e = get_password(&input, &why)) == Q_OK) &&
	    (file == NULL || (e = read_input(file, &input, &why)) == Q_OK)) {
		req.input = buf_span(&input);
		e = (archive = admin_backup_file(&req)) != NULL
			? back_up(data_dir, archive, &req, &out, &why)
			: run_and_print(data_dir, &req, &out, &why);
	}
	left = print(&out, e == Q_OK ? &why : NULL);
	if (e == Q_OK)
		e = left;
	if (e != Q_OK)
		fprintf(stderr, "server: %s\n",
			why.text[0] != '\0' ? why.text : qerr_str(e));
	buf_wipe(&input);
	buf_wipe(&out);
	log_close();
	return e == Q_OK ? 0 : 1;
}
