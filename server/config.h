/* SPDX-License-Identifier: MIT
 *
 * config.h - the settings: one table (config.c) names each one's section, key,
 * type, default, range, unit, what it is for, and whether a reload applies it.
 * The table drives the parser, --check-config, the commented example and the
 * manual, so they cannot drift apart.
 *
 * A struct config is immutable.  A reload makes a new one and swaps the
 * pointer; old ones stay until the server ends (some ten kilobytes each), so that
 * any thread may read any setting without a lock.  A session that wants one
 * answer for its whole life keeps the pointer.
 *
 * Durations are in milliseconds and take the suffixes ms, s, m, h, d; sizes are
 * in bytes and take KiB, MiB, GiB (K, M, G); switches are yes or no.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"

#define CONFIG_TEXT_SIZE  256
#define CONFIG_LISTEN_MAX 16
#define CONFIG_PEERS_SIZE 8192

enum relay_codes { RELAY_CODES_DOCUMENT, RELAY_CODES_DISTINCT };
/* Which node that another one names is dialled. */
enum nodes_follow { NODES_FOLLOW_KNOWN, NODES_FOLLOW_ANY, NODES_FOLLOW_NO };
/* Where contacts may be spoken without TLS. */
enum contacts_cleartext {
	CONTACTS_CLEARTEXT_YES,
	CONTACTS_CLEARTEXT_LOOPBACK,
	CONTACTS_CLEARTEXT_NO
};

enum rooms_captcha { ROOMS_CAPTCHA_ON, ROOMS_CAPTCHA_TEST, ROOMS_CAPTCHA_OFF };

struct config {
	/* [server] */
	char listen[CONFIG_LISTEN_MAX][CONFIG_TEXT_SIZE];
	size_t listen_count;
	char key_file[CONFIG_TEXT_SIZE];  /* "": data/server/key.pem */
	char cert_file[CONFIG_TEXT_SIZE]; /* "": data/server/cert.pem */
	char ca_file[CONFIG_TEXT_SIZE];   /* "": data/server/ca.pem */
	int64_t drain_ms;
	/* [log] */
	int log_level;                   /* enum log_level */
	char log_file[CONFIG_TEXT_SIZE]; /* "": standard error */
	int64_t log_max_size;
	/* [limits] */
	int64_t max_connections;
	int64_t per_address;
	int64_t per_address_before_login;
	int64_t handshake_timeout_ms;
	int64_t outbox;         /* bytes, the soft limit */
	int64_t sender_wait_ms; /* how long a sender waits for a slow partner */
	int64_t login_failures; /* free ones per user and address */
	int64_t login_failures_window_ms;
	int64_t enrolments;              /* wrong proofs per address and hour */
	int64_t accounts;                /* new ones per address and hour */
	int64_t messages, messages_rate; /* of a user: at once, and then a minute */
	int64_t joins, joins_rate;
	int64_t searches, searches_rate;
	char trust[CONFIG_TEXT_SIZE]; /* addresses without limits, comma-separated */
	/* [store] */
	int durability; /* enum store_durability */
	int64_t sync_interval_ms;
	int64_t max_open_logs;
	/* [relay] */
	bool relay_enabled;
	int relay_codes; /* enum relay_codes */
	bool relay_archive;
	bool relay_enrol;
	int64_t relay_max_frame;
	int64_t relay_request_timeout_ms;
	/* [contacts] */
	bool contacts_enabled;
	int contacts_cleartext; /* enum contacts_cleartext */
	bool contacts_register;
	bool contacts_directory;
	int64_t contacts_max_errors;
	int64_t contacts_backlog;
	int64_t contacts_login_timeout_ms; /* 0: none */
	/* [http] */
	bool http_enabled;
	int64_t http_keepalive_ms;
	int64_t http_request_timeout_ms;
	int64_t http_min_rate;               /* bytes a second */
	char http_hosts[CONFIG_TEXT_SIZE];   /* "": any */
	char http_origins[CONFIG_TEXT_SIZE]; /* besides our own */
	char http_metrics_from[CONFIG_TEXT_SIZE];
	char http_web[CONFIG_TEXT_SIZE]; /* "": beside the program */
	bool http_test_echo;
	/* [nodes] */
	bool nodes_enabled;
	int64_t nodes_call_timeout_ms;
	int64_t nodes_data_timeout_ms;
	int64_t nodes_search_timeout_ms;
	int64_t nodes_ping_interval_ms;
	int64_t nodes_ping_timeout_ms;
	char nodes_peers[CONFIG_PEERS_SIZE];  /* nodes/peers.h reads it */
	char nodes_peer_ca[CONFIG_TEXT_SIZE]; /* a file; "": none */
	int64_t nodes_advertise;              /* a port; 0: the first listener's */
	int64_t nodes_data_port;              /* 0: none */
	int64_t nodes_redial_min_ms;
	int64_t nodes_redial_max_ms;
	int nodes_follow; /* enum nodes_follow */
	int64_t nodes_max_known;
	int64_t nodes_max_links;
	int64_t nodes_max_searches;
	/* [rooms] */
	bool rooms_enabled;
	int rooms_captcha; /* enum rooms_captcha */
	int64_t rooms_captcha_life_ms;
	int64_t rooms_login_failures;         /* of an account, before a captcha */
	int64_t rooms_login_failures_address; /* of an address */
	int64_t rooms_login_failures_window_ms;
	int64_t rooms_signups_per_address; /* an hour */
	int64_t rooms_token_life_ms;
	int64_t rooms_token_life_save_ms;
	int64_t rooms_connect_timeout_ms; /* to CONN_OK */
	int64_t rooms_login_timeout_ms;   /* from there to LOGIN_OK */
	int64_t rooms_ping_interval_ms;
	int64_t rooms_ping_timeout_ms;
	int64_t rooms_max_message;  /* bytes of a WebSocket message after login */
	int64_t rooms_large_memory; /* bytes of all large ones together */
	int64_t rooms_max_members;
	int64_t rooms_max_file; /* bytes of a smallfile's content; 0: none are taken */
	/* [board] */
	bool board_enabled;
	bool board_register;
	bool board_guests;
	int64_t board_max_guests;
	int64_t board_token_life_ms;
	int64_t board_ping_interval_ms;
	int64_t board_ping_timeout_ms;
	int64_t board_connect_timeout_ms;
	int64_t board_max_payload;
	int64_t board_max_backlog;
	int64_t board_max_inflight;
	/* [security] */
	char run_as[CONFIG_TEXT_SIZE];
	bool sandbox;

	struct config *older; /* config_now.c: published before this one */
};

/* Where settings come from, the later ones winning: the defaults, the file
 * (NULL: none; missing is an error unless file_optional), then the overrides
 * "section.key=value" of the command line. */
struct config_source {
	const char *file;
	bool file_optional;
	const char *const *overrides;
	size_t override_count;
};

/* Read and check everything.  Q_FORMAT and one sentence with file, line and key
 * for the first mistake: an unknown key is one. */
enum qerr
config_load(const struct config_source *src, struct config **out, struct why *why);
/* The same for the text of a file; name stands for it in errors. */
enum qerr
config_parse(struct span text, const char *name, struct config **out, struct why *why);
void config_free(struct config *c); /* NULL is fine */

/* Make c the current configuration (consumes it). */
void config_publish(struct config *c);
/* The current one; never NULL once something was published. */
const struct config *config_now(void);
/* Free all that were published; no other thread may use them any more. */
void config_fini(void);
/* Read src anew for a reload.  What changed although it needs a restart keeps
 * its current value in *out and is named in *why while Q_OK is returned
 * (why->text is "" when there is nothing to say).  The caller publishes *out
 * once everything else that it reloads is fine too.  why must not be NULL. */
enum qerr
config_prepare(const struct config_source *src, struct config **out, struct why *why);

/* The commented example, with every setting at its default. */
void config_print_example(FILE *out);

#endif
