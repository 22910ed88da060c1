/* SPDX-License-Identifier: MIT
 *
 * config.c - the table of settings, and how a struct config is made from it.
 *
 * A new setting is a field in struct config and a row here; its parsing, its
 * checking, its place in the example and its part in a reload follow.  A row says
 * where it stands and its default, then by name what else there is to say: a reload
 * applies it at once (SETTING_LIVE) unless it says otherwise.
 *
 * The file's syntax is left to inih.  It calls back without a line number, so
 * the reader that hands it the lines counts them.  The first mistake is kept
 * and the rest of the file ignored: one clear sentence is worth more than ten.
 */
#include "server/config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "server/setting.h"

#define FILE_MAX     (256 * 1024) /* bytes of a configuration file */
#define LINE_MAX_LEN 8448         /* bytes of a line in it, with newline and NUL */

#define SECOND (INT64_C(1000))
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define KIB    (INT64_C(1) << 10)
#define MIB    (INT64_C(1) << 20)
#define GIB    (INT64_C(1) << 30)

#define F(field) offsetof(struct config, field)

/* clang-format off */
static const struct setting settings[] = {
{ "server", "listen", SETTING_LISTEN, F(listen), "9034", .when = SETTING_RESTART,
  .doc = "where to listen: PORT (all addresses), ADDRESS:PORT, [IPV6]:PORT; several with commas" },
{ "server", "key", SETTING_TEXT, F(key_file), "",
  .doc = "the server's private key (PEM); empty: key.pem in the data directory's server folder" },
{ "server", "cert", SETTING_TEXT, F(cert_file), "",
  .doc = "its certificate (PEM); empty: cert.pem there" },
{ "server", "ca", SETTING_TEXT, F(ca_file), "",
  .doc = "the certificate (PEM) of the CA that issued it; empty: ca.pem there" },
{ "server", "drain", SETTING_DURATION, F(drain_ms), "5s", .min = 0, .max = 10 * MINUTE,
  .doc = "how long a stop waits for what is still to be sent" },

{ "log", "level", SETTING_WORD, F(log_level), "info", .words = "error|warn|info|debug",
  .doc = "how much is logged" },
{ "log", "file", SETTING_TEXT, F(log_file), "",
  .doc = "where to; empty: standard error" },
{ "log", "max_size", SETTING_SIZE, F(log_max_size), "64MiB", .min = 0, .max = 1024 * GIB,
  .doc = "a larger log file is renamed to FILE.1 and begun anew; 0: never" },

{ "limits", "max_connections", SETTING_NUMBER, F(max_connections), "20000", .min = 1, .max = 1000000,
  .doc = "connections at once" },
{ "limits", "per_address", SETTING_NUMBER, F(per_address), "1000", .min = 1, .max = 1000000,
  .doc = "of these, from one address" },
{ "limits", "per_address_before_login", SETTING_NUMBER, F(per_address_before_login), "200", .min = 1, .max = 1000000,
  .doc = "of these, not yet logged in" },
{ "limits", "handshake_timeout", SETTING_DURATION, F(handshake_timeout_ms), "10s", .min = 100, .max = 10 * MINUTE,
  .doc = "how long a new connection may take to log in" },
{ "limits", "outbox", SETTING_SIZE, F(outbox), "256KiB", .min = 4 * KIB, .max = GIB,
  .doc = "how much may wait to be sent to one connection" },
{ "limits", "sender_wait", SETTING_DURATION, F(sender_wait_ms), "30s", .min = 0, .max = HOUR,
  .doc = "how long a sender waits for a partner that does not read, and in contacts and rooms how long somebody may take nothing" },
{ "limits", "login_failures", SETTING_NUMBER, F(login_failures), "5", .min = 0, .max = 1000000,
  .doc = "failed logins per user and address that cost no waiting" },
{ "limits", "login_failures_window", SETTING_DURATION, F(login_failures_window_ms), "10m", .min = SECOND, .max = DAY,
  .doc = "within this time" },
{ "limits", "enrolments", SETTING_NUMBER, F(enrolments), "60", .min = 1, .max = 1000000,
  .doc = "enrolments with a wrong code per address and hour" },
{ "limits", "accounts", SETTING_NUMBER, F(accounts), "100", .min = 1, .max = 1000000,
  .doc = "accounts that people make for themselves per address and hour" },
{ "limits", "messages", SETTING_NUMBER, F(messages), "2000", .min = 1, .max = 1000000,
  .doc = "messages that a user may send at once" },
{ "limits", "messages_rate", SETTING_NUMBER, F(messages_rate), "3000", .min = 0, .max = 1000000000,
  .doc = "and from then on each minute; 0: no limit" },
{ "limits", "joins", SETTING_NUMBER, F(joins), "2000", .min = 1, .max = 1000000,
  .doc = "chats, rooms and calls that a user may open at once, counting each person added or asked" },
{ "limits", "joins_rate", SETTING_NUMBER, F(joins_rate), "600", .min = 0, .max = 1000000000,
  .doc = "and from then on each minute; 0: no limit" },
{ "limits", "searches", SETTING_NUMBER, F(searches), "300", .min = 1, .max = 1000000,
  .doc = "looks among all users, announcements or nodes that a user may take at once" },
{ "limits", "searches_rate", SETTING_NUMBER, F(searches_rate), "300", .min = 0, .max = 1000000000,
  .doc = "and from then on each minute; 0: no limit" },
{ "limits", "trust", SETTING_PREFIXES, F(trust), "",
  .doc = "addresses and networks that no limit counts, like 10.0.0.7, 192.168.0.0/16" },

{ "store", "durability", SETTING_WORD, F(durability), "interval", .words = "always|interval|never",
  .doc = "when messages are forced to the disk: before each is passed on, every sync_interval, never" },
{ "store", "sync_interval", SETTING_DURATION, F(sync_interval_ms), "1s", .min = 1, .max = MINUTE,
  .doc = "the interval" },
{ "store", "max_open_logs", SETTING_NUMBER, F(max_open_logs), "256", .min = 1, .max = 100000, .when = SETTING_RESTART,
  .doc = "message files kept open at once" },

{ "relay", "enabled", SETTING_SWITCH, F(relay_enabled), "yes",
  .doc = "serve the relay protocol" },
{ "relay", "codes", SETTING_WORD, F(relay_codes), "document", .words = "document|distinct",
  .doc = "distinct: tell the two shared opcodes apart, for older clients" },
{ "relay", "archive", SETTING_SWITCH, F(relay_archive), "yes",
  .doc = "store each relayed message (sealed as it is) before it is passed on" },
{ "relay", "enrol", SETTING_SWITCH, F(relay_enrol), "yes",
  .doc = "let people who know the enrolment code make their user" },
{ "relay", "max_frame", SETTING_SIZE, F(relay_max_frame), "64KiB", .min = KIB, .max = 16 * MIB,
  .doc = "the largest frame accepted" },
{ "relay", "request_timeout", SETTING_DURATION, F(relay_request_timeout_ms), "60s", .min = 100, .max = DAY,
  .doc = "how long a chat request waits for an answer" },

{ "contacts", "enabled", SETTING_SWITCH, F(contacts_enabled), "yes",
  .doc = "serve the contacts protocol" },
{ "contacts", "cleartext", SETTING_WORD, F(contacts_cleartext), "yes", .words = "yes|loopback|no",
  .doc = "serve it without TLS, where passwords can be read on the way: to all, on this machine, to none" },
{ "contacts", "register", SETTING_SWITCH, F(contacts_register), "yes",
  .doc = "let people make their account" },
{ "contacts", "directory", SETTING_SWITCH, F(contacts_directory), "yes",
  .doc = "let people list all users" },
{ "contacts", "max_errors", SETTING_NUMBER, F(contacts_max_errors), "100", .min = 1, .max = 1000000,
  .doc = "mistakes in a row that end a connection" },
{ "contacts", "backlog", SETTING_NUMBER, F(contacts_backlog), "10000", .min = 0, .max = 1000000000,
  .doc = "waiting messages of a chat that a login brings, the newest ones" },
{ "contacts", "login_timeout", SETTING_DURATION, F(contacts_login_timeout_ms), "0", .min = 0, .max = DAY,
  .doc = "how long a connection may stay without a login; 0: any time" },

{ "http", "enabled", SETTING_SWITCH, F(http_enabled), "yes",
  .doc = "serve HTTP and WebSocket" },
{ "http", "keepalive", SETTING_DURATION, F(http_keepalive_ms), "10s", .min = 5 * SECOND, .max = HOUR,
  .doc = "how long a connection may stay idle between two requests" },
{ "http", "request_timeout", SETTING_DURATION, F(http_request_timeout_ms), "15s", .min = 100, .max = HOUR,
  .doc = "how long a request, or the rest of a message, may take to come" },
{ "http", "min_rate", SETTING_SIZE, F(http_min_rate), "1KiB", .min = 1, .max = GIB,
  .doc = "bytes a second that lengthen this time for large messages and uploads of those who are logged in" },
{ "http", "hosts", SETTING_TEXT, F(http_hosts), "",
  .doc = "the names, with or without a port, by which requests may call this server; empty: any" },
{ "http", "origins", SETTING_TEXT, F(http_origins), "",
  .doc = "the origins (https://HOST:PORT) whose pages may talk to this server besides its own" },
{ "http", "metrics_from", SETTING_PREFIXES, F(http_metrics_from), "127.0.0.0/8, ::1",
  .doc = "addresses and networks that may read /metrics" },
{ "http", "web", SETTING_TEXT, F(http_web), "", .when = SETTING_RESTART,
  .doc = "the folder of the web page; empty: web, or share/quintet/web, beside the folder of this program" },
{ "http", "test_echo", SETTING_SWITCH, F(http_test_echo), "no", .when = SETTING_RESTART,
  .doc = "for testing WebSocket: echo messages at /echo; needs a file test-mode in the data directory's server folder" },

{ "nodes", "enabled", SETTING_SWITCH, F(nodes_enabled), "yes",
  .doc = "serve the nodes protocol" },
{ "nodes", "call_timeout", SETTING_DURATION, F(nodes_call_timeout_ms), "60s", .min = 100, .max = DAY,
  .doc = "how long a call waits for an answer" },
{ "nodes", "data_timeout", SETTING_DURATION, F(nodes_data_timeout_ms), "30s", .min = 100, .max = HOUR,
  .doc = "how long an answered call waits for each of the two data connections" },
{ "nodes", "search_timeout", SETTING_DURATION, F(nodes_search_timeout_ms), "2s", .min = 50, .max = MINUTE,
  .doc = "how long other nodes may take to say whether somebody is there" },
{ "nodes", "ping_interval", SETTING_DURATION, F(nodes_ping_interval_ms), "30s", .min = 50, .max = HOUR,
  .doc = "how often control connections and links are pinged" },
{ "nodes", "ping_timeout", SETTING_DURATION, F(nodes_ping_timeout_ms), "90s", .min = 100, .max = DAY,
  .doc = "they are closed when nothing was heard for so long" },
{ "nodes", "peers", SETTING_PEERS, F(nodes_peers), "",
  .doc = "other servers, FINGERPRINT[@HOST:PORT] (server node id prints it); with an address they are dialled and kept linked, without one admitted" },
{ "nodes", "peer_ca", SETTING_TEXT, F(nodes_peer_ca), "",
  .doc = "a CA's certificate (PEM): servers whose certificate it issued are admitted, too" },
{ "nodes", "advertise", SETTING_NUMBER, F(nodes_advertise), "0", .min = 0, .max = 65535,
  .doc = "the port at which other servers are told to find this one; 0: the first one of server.listen" },
{ "nodes", "data_port", SETTING_NUMBER, F(nodes_data_port), "0", .min = 0, .max = 65535, .when = SETTING_RESTART,
  .doc = "one more port, for clients that insist on one for data connections; 0: none" },
{ "nodes", "redial_min", SETTING_DURATION, F(nodes_redial_min_ms), "500ms", .min = 10, .max = HOUR,
  .doc = "how long to wait before a lost link is dialled again, at first" },
{ "nodes", "redial_max", SETTING_DURATION, F(nodes_redial_max_ms), "60s", .min = 10, .max = DAY,
  .doc = "and at most, as it doubles each time" },
{ "nodes", "follow", SETTING_WORD, F(nodes_follow), "known", .words = "known|any|no",
  .doc = "whether a server that another one names as having a user is dialled: when its address is in peers or it has announced itself, always, never" },
{ "nodes", "max_known", SETTING_NUMBER, F(nodes_max_known), "1024", .min = 1, .max = 65536,
  .doc = "addresses of other servers that are remembered" },
{ "nodes", "max_links", SETTING_NUMBER, F(nodes_max_links), "64", .min = 1, .max = 64,
  .doc = "links at once" },
{ "nodes", "max_searches", SETTING_NUMBER, F(nodes_max_searches), "32", .min = 1, .max = 64,
  .doc = "searches at once of one client for users of other servers" },

{ "rooms", "enabled", SETTING_SWITCH, F(rooms_enabled), "yes",
  .doc = "serve the rooms protocol at /rooms" },
{ "rooms", "captcha", SETTING_WORD, F(rooms_captcha), "on", .words = "on|test|off", .when = SETTING_RESTART,
  .doc = "ask people who sign up, or fail to log in, for the digits in a picture; test: and write them into it, off: never; both need a file test-mode in the data directory's server folder" },
{ "rooms", "captcha_life", SETTING_DURATION, F(rooms_captcha_life_ms), "5m", .min = 100, .max = DAY,
  .doc = "how long a picture may be solved" },
{ "rooms", "login_failures", SETTING_NUMBER, F(rooms_login_failures), "3", .min = 0, .max = 1000000,
  .doc = "failed logins of an account before a login is asked for a captcha" },
{ "rooms", "login_failures_address", SETTING_NUMBER, F(rooms_login_failures_address), "30", .min = 0, .max = 1000000,
  .doc = "the same for an address" },
{ "rooms", "login_failures_window", SETTING_DURATION, F(rooms_login_failures_window_ms), "15m", .min = SECOND, .max = DAY,
  .doc = "within this time" },
{ "rooms", "signups_per_address", SETTING_NUMBER, F(rooms_signups_per_address), "100", .min = 1, .max = 1000000,
  .doc = "accounts made per address and hour" },
{ "rooms", "token_life", SETTING_DURATION, F(rooms_token_life_ms), "1d", .min = SECOND, .max = 3650 * DAY,
  .doc = "how long a token is good" },
{ "rooms", "token_life_save", SETTING_DURATION, F(rooms_token_life_save_ms), "30d", .min = SECOND, .max = 3650 * DAY,
  .doc = "the same for a login that asks to be saved" },
{ "rooms", "connect_timeout", SETTING_DURATION, F(rooms_connect_timeout_ms), "10s", .min = 100, .max = 10 * MINUTE,
  .doc = "how long a connection may take to be encrypted" },
{ "rooms", "login_timeout", SETTING_DURATION, F(rooms_login_timeout_ms), "10m", .min = 100, .max = DAY,
  .doc = "how long it may take from there to a login" },
{ "rooms", "ping_interval", SETTING_DURATION, F(rooms_ping_interval_ms), "30s", .min = 50, .max = HOUR,
  .doc = "how often connections are pinged" },
{ "rooms", "ping_timeout", SETTING_DURATION, F(rooms_ping_timeout_ms), "90s", .min = 100, .max = DAY,
  .doc = "they are closed when nothing was heard for so long" },
{ "rooms", "max_message", SETTING_SIZE, F(rooms_max_message), "48MiB", .min = 64 * KIB, .max = GIB,
  .doc = "the largest WebSocket message of those who are logged in" },
{ "rooms", "large_memory", SETTING_SIZE, F(rooms_large_memory), "256MiB", .min = MIB, .max = 1024 * GIB, .when = SETTING_RESTART,
  .doc = "what messages above 1 MiB may hold together; others wait unread" },
{ "rooms", "max_members", SETTING_NUMBER, F(rooms_max_members), "1000", .min = 2, .max = 100000,
  .doc = "members of a room" },
{ "rooms", "max_file", SETTING_SIZE, F(rooms_max_file), "32MiB", .min = 0, .max = 512 * MIB,
  .doc = "the largest file sent into a room; 0: none" },

{ "board", "enabled", SETTING_SWITCH, F(board_enabled), "yes",
  .doc = "serve the board protocol at /socket.io/" },
{ "board", "register", SETTING_SWITCH, F(board_register), "yes",
  .doc = "let people make their account" },
{ "board", "guests", SETTING_SWITCH, F(board_guests), "no",
  .doc = "let people in by a name alone that has neither password nor key; who is not there is made" },
{ "board", "max_guests", SETTING_NUMBER, F(board_max_guests), "1000", .min = 0, .max = 1000000,
  .doc = "users of that kind" },
{ "board", "token_life", SETTING_DURATION, F(board_token_life_ms), "30d", .min = SECOND, .max = 3650 * DAY,
  .doc = "how long the token that a login gives is good" },
{ "board", "ping_interval", SETTING_DURATION, F(board_ping_interval_ms), "25s", .min = 50, .max = HOUR,
  .doc = "how often browsers are pinged, and how long an empty poll waits" },
{ "board", "ping_timeout", SETTING_DURATION, F(board_ping_timeout_ms), "20s", .min = 50, .max = HOUR,
  .doc = "how long they may take to answer" },
{ "board", "connect_timeout", SETTING_DURATION, F(board_connect_timeout_ms), "45s", .min = 50, .max = HOUR,
  .doc = "how long a new session may take to connect to its namespace" },
{ "board", "max_payload", SETTING_SIZE, F(board_max_payload), "16MiB", .min = 64 * KIB, .max = 64 * MIB,
  .doc = "the largest message of those who are logged in, and what one poll carries" },
{ "board", "max_backlog", SETTING_SIZE, F(board_max_backlog), "4MiB", .min = 4 * KIB, .max = GIB,
  .doc = "what may wait for one session (a picture counts as a reference); beyond, it is ended" },
{ "board", "max_inflight", SETTING_SIZE, F(board_max_inflight), "256MiB", .min = MIB, .max = 1024 * GIB,
  .doc = "what large messages may hold together while they come in; others wait unread" },

{ "security", "user", SETTING_TEXT, F(run_as), "", .when = SETTING_RESTART,
  .doc = "whom to become when started as root; empty: the owner of the data directory" },
{ "security", "sandbox", SETTING_SWITCH, F(sandbox), "yes", .when = SETTING_RESTART,
  .doc = "give up system calls that a chat server never needs" },
};
/* clang-format on */
#define SETTING_COUNT (sizeof(settings) / sizeof(settings[0]))

static const struct setting *
find_setting(const char *section, const char *key)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (strcmp(settings[i].section, section) == 0 &&
		    strcmp(settings[i].key, key) == 0)
			return &settings[i];
	return NULL;
}

static bool
section_exists(const char *section)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (strcmp(settings[i].section, section) == 0)
			return true;
	return false;
}

/* where: what stands before the sentence, "server.conf:3" or "--set". */
static enum qerr
assign(struct config *c, const char *where, const char *section, const char *key,
       const char *value, struct why *why)
{
	const struct setting *row = find_setting(section, key);
	struct why phrase;
	enum qerr e;

	if (row == NULL && *section == '\0')
		return why_set(why, Q_FORMAT,
			       "%s: \"%s\" stands before the first [section]", where,
			       key);
	if (row == NULL && !section_exists(section))
		return why_set(why, Q_FORMAT, "%s: there is no section [%s]", where,
			       section);
	if (row == NULL)
		return why_set(why, Q_FORMAT, "%s: there is no setting \"%s\" in [%s]",
			       where, key, section);
	if ((e = setting_parse(row, value, c, &phrase)) != Q_OK)
		return why_set(why, e, "%s: %s.%s %.300s, not \"%.100s\"", where, section,
			       key, phrase.text, value);
	return Q_OK;
}

/* ---- the file ---- */

struct parse {
	struct span left; /* of the text */
	int line;         /* the one that inih has now, from 1 */
	const char *name;
	struct config *config;
	enum qerr error; /* the first one */
	struct why *why;
};

/* ini_reader: the next line, as fgets would give it. */
static char *
next_line(char *out, int size, void *arg)
{
	struct parse *p = arg;
	const uint8_t *nl;
	size_t n;

	if (p->left.len == 0 || p->error != Q_OK)
		return NULL;
	nl = memchr(p->left.p, '\n', p->left.len);
	n = nl == NULL ? p->left.len : (size_t)(nl - p->left.p) + 1;
	p->line++;
	if (n >= (size_t)size || memchr(p->left.p, '\0', n) != NULL) {
		p->error =
		    why_set(p->why, Q_FORMAT, "%s:%d: the line is too long or no text",
			    p->name, p->line);
		return NULL;
	}
	memcpy(out, p->left.p, n);
	out[n] = '\0';
	p->left.p += n;
	p->left.len -= n;
	return out;
}

/* ini_handler: one key of the file. */
static int
on_key(void *arg, const char *section, const char *key, const char *value)
{
	struct parse *p = arg;
	char where[256];

	if (p->error != Q_OK)
		return 0;
	snprintf(where, sizeof(where), "%s:%d", p->name, p->line);
	p->error = assign(p->config, where, section, key, value, p->why);
	return p->error == Q_OK;
}

/* inih's run-time options are global variables, set once before any use.  A
 * line gets a heap buffer of LINE_MAX_LEN instead of 200 bytes, and an indented
 * line is a line of its own and does not continue the one before. */
static void
set_ini_options(void)
{
	ini_use_stack = false;
	ini_allow_realloc = false;
	ini_initial_alloc = LINE_MAX_LEN;
	ini_allow_multiline = false;
}

static enum qerr
parse_file(struct span text, const char *name, struct config *c, struct why *why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct parse p = {text, 0, name, c, Q_OK, why};
	int bad;

	pthread_once(&once, set_ini_options);
	bad = ini_parse_stream(next_line, &p, on_key, &p);
	if (p.error == Q_OK && bad == -2)
		return why_set(why, Q_NOMEM, "%s: there is no memory to read it", name);
	if (p.error == Q_OK && bad != 0)
		return why_set(why, Q_FORMAT,
			       "%s:%d: neither a [section] nor a line \"key = value\"",
			       name, bad);
	return p.error;
}

static enum qerr
read_file(const char *name, bool optional, struct buf *out, struct why *why)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), saved;
	enum qerr e;
	ssize_t n;

	if (fd == -1) {
		if (optional && errno == ENOENT)
			return Q_OK;
		return why_set(why, qerr_errno(errno),
			       "cannot read the configuration %s: %s", name,
			       strerror(errno));
	}
	do {
		if ((e = buf_reserve(out, 4096)) != Q_OK) {
			close(fd);
			return why_set(why, e, "the configuration %s: %s", name,
				       e == Q_LIMIT ? "it is too large" : qerr_str(e));
		}
		if ((n = read(fd, out->p + out->len, 4096)) > 0)
			out->len += (size_t)n;
	} while (n > 0 || (n == -1 && errno == EINTR));
	saved = errno;
	close(fd);
	if (n == -1)
		return why_set(why, qerr_errno(saved),
			       "cannot read the configuration %s: %s", name,
			       strerror(saved));
	return Q_OK;
}

/* ---- one override of the command line: section.key=value ---- */
static enum qerr
parse_override(const char *text, struct config *c, struct why *why)
{
	const char *equals = strchr(text, '=');
	char name[64], *dot;

	if (equals == NULL || (size_t)(equals - text) >= sizeof(name))
		return why_set(why, Q_FORMAT, "--set wants section.key=value, not \"%s\"",
			       text);
	memcpy(name, text, (size_t)(equals - text));
	name[equals - text] = '\0';
	if ((dot = strchr(name, '.')) == NULL)
		return why_set(why, Q_FORMAT, "--set wants section.key=value, not \"%s\"",
			       text);
	*dot = '\0';
	return assign(c, "command line", name, dot + 1, equals + 1, why);
}

static struct config *
new_with_defaults(void)
{
	struct config *c = calloc(1, sizeof(*c));

	for (size_t i = 0; c != NULL && i < SETTING_COUNT; i++)
		if (setting_parse(&settings[i], settings[i].preset, c, NULL) != Q_OK)
			abort(); /* a mistake in the table */
	return c;
}

enum qerr
config_parse(struct span text, const char *name, struct config **out, struct why *why)
{
	struct config *c = new_with_defaults();
	enum qerr e;

	if (c == NULL)
		return why_set(why, Q_NOMEM, "there is no memory for the configuration");
	if ((e = parse_file(text, name, c, why)) != Q_OK) {
		config_free(c);
		return e;
	}
	*out = c;
	return Q_OK;
}

enum qerr
config_load(const struct config_source *src, struct config **out, struct why *why)
{
	struct buf text = BUF_INIT(FILE_MAX);
	struct config *c = NULL;
	enum qerr e = Q_OK;

	if (src->file != NULL)
		e = read_file(src->file, src->file_optional, &text, why);
	if (e == Q_OK)
		e = config_parse(buf_span(&text), src->file == NULL ? "" : src->file, &c,
				 why);
	for (size_t i = 0; e == Q_OK && i < src->override_count; i++)
		e = parse_override(src->overrides[i], c, why);
	buf_free(&text);
	if (e != Q_OK) {
		config_free(c);
		return e;
	}
	*out = c;
	return Q_OK;
}

void
config_free(struct config *c)
{
	free(c);
}

void
config_print_example(FILE *out)
{
	const char *section = "";

	fputs("# Quintet's configuration.  Every setting is shown with its default; take "
	      "the\n"
	      "# '#' away and change what you like, then run: server ctl reload\n",
	      out);
	for (const struct setting *s = settings; s < settings + SETTING_COUNT; s++) {
		if (strcmp(s->section, section) != 0)
			fprintf(out, "\n[%s]\n", s->section);
		section = s->section;
		fprintf(out, "\n# %s\n# (", s->doc);
		setting_print_range(s, out);
		fprintf(out, "%s)\n#%s =%s%s\n",
			s->when == SETTING_RESTART ? "; a change needs a restart" : "",
			s->key, *s->preset == '\0' ? "" : " ", s->preset);
	}
}

enum qerr
config_prepare(const struct config_source *src, struct config **out, struct why *why)
{
	const struct config *now = config_now();
	char names[256] = "";
	struct config *c;
	size_t used = 0;
	enum qerr e;

	if ((e = config_load(src, &c, why)) != Q_OK)
		return e;
	for (const struct setting *s = settings; s < settings + SETTING_COUNT; s++) {
		if (s->when != SETTING_RESTART || setting_same(s, now, c))
			continue;
		setting_copy(s, now, c);
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s.%s",
					 used > 0 ? ", " : "", s->section, s->key);
	}
	why->text[0] = '\0';
	if (used > 0)
		why_set(why, Q_OK, "changed, but only a restart applies it: %s", names);
	*out = c;
	return Q_OK;
}
