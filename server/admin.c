/* SPDX-License-Identifier: MIT
 *
 * admin.c - the table of the administrator's commands, and running one.
 */
#include "server/admin.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "crypto/password.h"
#include "server/admin_call.h"

#define TEXT_MAX 512 /* bytes of a reason or notice */

struct command {
	const char *word, *second; /* second may be NULL */
	int min, max;              /* words that follow */
	enum qerr (*run)(struct admin_call *c);
	const char *usage;
};

static const struct command commands[] = {
    {"user", "add", 1, 6, admin_user_add,
     "user add NAME [--key FILE] [--email E] [--password-stdin]"},
    {"user", "list", 0, 0, admin_user_list, "user list"},
    {"user", "show", 1, 1, admin_user_show, "user show NAME"},
    {"user", "passwd", 1, 1, admin_user_passwd, "user passwd NAME"},
    {"user", "key", 2, 2, admin_user_key, "user key NAME FILE"},
    {"user", "remove", 1, 1, admin_user_remove, "user remove NAME"},
    {"user", "ban", 1, 5, admin_user_ban,
     "user ban NAME [--for DURATION] [--reason TEXT]"},
    {"user", "unban", 1, 1, admin_user_unban, "user unban NAME"},
    {"user", "mute", 1, 5, admin_user_mute,
     "user mute NAME [--for DURATION] [--reason TEXT]"},
    {"user", "unmute", 1, 1, admin_user_unmute, "user unmute NAME"},
    {"enroll-code", NULL, 0, 1, admin_enroll_code, "enroll-code [--rotate]"},
    {"check", NULL, 0, 1, admin_check, "check [--repair]"},
    {"backup", NULL, 1, 1, admin_backup, "backup FILE.tar"},
    {"export", NULL, 0, 4, admin_export, "export [CHAT [--json] [--after MESSAGE]]"},
    {"anons", "add", 4, 5, admin_anons_add,
     "anons add --author NAME --title T [--text-stdin]"},
    {"anons", "list", 0, 0, admin_anons_list, "anons list"},
    {"anons", "remove", 1, 1, admin_anons_remove, "anons remove ID"},
    {"node", "id", 0, 0, admin_node_id, "node id"},
    {"ctl", "sessions", 0, 0, admin_ctl_sessions, "ctl sessions"},
    {"ctl", "kick", 1, 2, admin_ctl_kick, "ctl kick NAME [REASON]"},
    {"ctl", "say", 1, 1, admin_ctl_say, "ctl say TEXT"},
    {"ctl", "stats", 0, 0, admin_ctl_stats, "ctl stats"},
    {"ctl", "nodes", 0, 0, admin_ctl_nodes, "ctl nodes"},
    {"ctl", "reload", 0, 0, admin_ctl_reload, "ctl reload"},
    {"ctl", "stop", 0, 0, admin_ctl_stop, "ctl stop"},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* The words of a command's name. */
static int
name_words(const struct command *cmd)
{
	return cmd->second == NULL ? 1 : 2;
}

static const struct command *
find(const struct admin_request *req)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command *c = &commands[i];

		if (req->argc >= name_words(c) && strcmp(c->word, req->argv[0]) == 0 &&
		    (c->second == NULL || strcmp(c->second, req->argv[1]) == 0))
			return c;
	}
	return NULL;
}

/* "there is no command ...", with what there is under the same first word. */
static enum qerr
unknown(const struct admin_request *req, struct why *why)
{
	char list[256] = "";
	size_t n = 0;

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (commands[i].second != NULL && req->argc > 0 &&
		    strcmp(commands[i].word, req->argv[0]) == 0)
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s",
					      n > 0 ? ", " : "", commands[i].second);
	if (n > 0)
		return why_set(why, Q_FORMAT, "%s wants one of: %s", req->argv[0], list);
	return why_set(why, Q_FORMAT, "there is no command \"%.100s\" (see --help)",
		       req->argc > 0 ? req->argv[0] : "");
}

/* Which words of which command are options. */
static const struct option {
	enum qerr (*run)(struct admin_call *c);
	const char *word;
	int words; /* with its value */
} options[] = {
    {admin_user_add, "--key", 2},
    {admin_user_add, "--email", 2},
    {admin_user_add, "--password-stdin", 1},
    {admin_user_ban, "--for", 2},
    {admin_user_ban, "--reason", 2},
    {admin_user_mute, "--for", 2},
    {admin_user_mute, "--reason", 2},
    {admin_enroll_code, "--rotate", 1},
    {admin_check, "--repair", 1},
    {admin_export, "--json", 1},
    {admin_export, "--after", 2},
    {admin_anons_add, "--author", 2},
    {admin_anons_add, "--title", 2},
    {admin_anons_add, "--text-stdin", 1},
};
#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))

/* How many words that is with its value; 0: it is no option.  run NULL: of any command,
 * as none has another's with another number of words. */
static int
option_words(enum qerr (*run)(struct admin_call *c), const char *word)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if ((run == NULL || options[i].run == run) &&
		    strcmp(options[i].word, word) == 0)
			return options[i].words;
	return 0;
}

const char *
admin_option(int argc, const char *const *argv, const char *name)
{
	for (int n, i = 0; i<argc; i += n> 0 ? n : 1) {
		n = option_words(NULL, argv[i]);
		if (n > 0 && n <= argc - i && strcmp(argv[i], name) == 0)
			return n == 2 ? argv[i + 1] : "";
	}
	return NULL;
}

/* How many words stand before the options. */
static int
plain_words(const struct command *cmd)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (options[i].run == cmd->run)
			return cmd->run != admin_enroll_code && cmd->run != admin_check &&
			       cmd->run != admin_anons_add;
	return cmd->max;
}

static bool
options_fit(const struct command *cmd, int argc, const char *const *argv)
{
	for (int n, i = plain_words(cmd); i < argc; i += n)
		if ((n = option_words(cmd->run, argv[i])) == 0 || n > argc - i ||
		    admin_option(i, argv, argv[i]) != NULL)
			return false; /* none, half of one, or said twice */
	return true;
}

enum qerr
admin_understand(const struct admin_request *req, struct why *why)
{
	const struct command *cmd = find(req);
	int n;

	if (cmd == NULL)
		return unknown(req, why);
	n = req->argc - name_words(cmd);
	if (n < cmd->min || n > cmd->max ||
	    !options_fit(cmd, n, req->argv + name_words(cmd)))
		return why_set(why, Q_FORMAT, "usage: server %s", cmd->usage);
	return Q_OK;
}

const char *
admin_input_file(const struct admin_request *req)
{
	const struct command *cmd = find(req);

	if (cmd == NULL || admin_understand(req, NULL) != Q_OK)
		return NULL;
	if (cmd->run == admin_user_key)
		return req->argv[3];
	if (cmd->run == admin_user_add)
		return admin_option(req->argc - 2, req->argv + 2, "--key");
	if (cmd->run == admin_anons_add &&
	    admin_option(req->argc - 2, req->argv + 2, "--text-stdin") != NULL)
		return "-";
	return NULL;
}

bool
admin_wants_password(const struct admin_request *req)
{
	const struct command *cmd = find(req);

	if (cmd == NULL || admin_understand(req, NULL) != Q_OK)
		return false;
	return cmd->run == admin_user_passwd ||
	       (cmd->run == admin_user_add &&
		admin_option(req->argc - 2, req->argv + 2, "--password-stdin") != NULL);
}

const char *
admin_backup_file(const struct admin_request *req)
{
	const struct command *cmd = find(req);

	if (cmd == NULL || cmd->run != admin_backup ||
	    admin_understand(req, NULL) != Q_OK)
		return NULL;
	return req->argv[1];
}

bool
admin_in_parts(const struct admin_request *req)
{
	const struct command *cmd = find(req);

	return cmd != NULL && cmd->run == admin_export;
}

bool
admin_needs_server(const struct admin_request *req)
{
	return req->argc > 0 && strcmp(req->argv[0], "ctl") == 0;
}

/* Take the password off the front of the input. */
static enum qerr
take_password(struct admin_call *c)
{
	const uint8_t *end =
	    c->input.len > 0 ? memchr(c->input.p, '\n', c->input.len) : NULL;

	if (end == NULL)
		return why_set(c->why, Q_FORMAT, "no password was given");
	c->password = span_of(c->input.p, (size_t)(end - c->input.p));
	c->input = span_of(end + 1, c->input.len - c->password.len - 1);
	if (!password_valid(c->password))
		return why_set(c->why, Q_FORMAT, "a password has %d to %d bytes",
			       PASSWORD_MIN, PASSWORD_MAX);
	return Q_OK;
}

enum qerr
admin_run(struct server *server, const struct admin_request *req, struct buf *out,
	  struct why *why)
{
	struct admin_call c = {
	    .server = server, .out = out, .input = req->input, .why = why};
	const struct command *cmd = find(req);
	enum qerr e;

	if ((e = admin_understand(req, why)) != Q_OK)
		return e;
	if (admin_needs_server(req) && server->sessions == NULL)
		return why_set(why, Q_MISSING, "no server is running");
	c.argc = req->argc - name_words(cmd);
	c.argv = req->argv + name_words(cmd);
	if (admin_wants_password(req) && (e = take_password(&c)) != Q_OK)
		return e;
	e = cmd->run(&c);
	if (e == Q_OK && c.cut)
		return why_set(why, Q_LIMIT, "the answer is too long to show in full");
	return e;
}

/* ---- for the commands ---- */

void
admin_say(struct admin_call *c, const char *fmt, ...)
{
	char line[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line) || c->cut ||
	    buf_put(c->out, line, (size_t)n) != Q_OK)
		c->cut = true;
}

enum qerr
admin_check_text(struct admin_call *c, const char *what, const char *text)
{
	char shown[TEXT_MAX + 1];
	size_t n = strlen(text);

	if (n == 0 || n > TEXT_MAX)
		return why_set(c->why, Q_FORMAT, "the %s must have 1 to %d bytes", what,
			       TEXT_MAX);
	text_visible(span_str(text), shown, sizeof(shown));
	if (strcmp(shown, text) != 0)
		return why_set(c->why, Q_FORMAT,
			       "the %s must be UTF-8 text without control characters",
			       what);
	return Q_OK;
}

void
admin_time(int64_t wall_ms, char out[ADMIN_TIME_SIZE])
{
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;

	localtime_r(&t, &tm);
	if (strftime(out, ADMIN_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		out[0] = '\0';
}
