/* SPDX-License-Identifier: MIT
 *
 * setting.h - one setting: a row of the table in config.c, and what its type
 * means as text.  Pure: no files, locks or log.
 */
#ifndef SERVER_SETTING_H
#define SERVER_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"

enum setting_type {
	SETTING_SWITCH,   /* bool: yes or no */
	SETTING_NUMBER,   /* int64_t */
	SETTING_DURATION, /* int64_t, milliseconds; suffix ms s m h d */
	SETTING_SIZE,     /* int64_t, bytes; suffix KiB MiB GiB, or K M G */
	SETTING_WORD,     /* int: the place of the word in words */
	SETTING_TEXT,     /* char[CONFIG_TEXT_SIZE] */
	SETTING_PREFIXES, /* char[CONFIG_TEXT_SIZE]: addresses and networks */
	SETTING_PEERS,    /* char[CONFIG_PEERS_SIZE]: other nodes (nodes/peers.h) */
	SETTING_LISTEN    /* struct config's listen and listen_count */
};

enum setting_when { SETTING_LIVE, SETTING_RESTART }; /* when a reload applies it */

struct setting {
	const char *section;
	const char *key;
	enum setting_type type;
	size_t offset;      /* in struct config */
	const char *preset; /* the default, as it would be written in the file */
	int64_t min, max;   /* of numbers, durations and sizes */
	const char *words;  /* of SETTING_WORD: "one|two|three" */
	enum setting_when when;
	const char *doc; /* one line */
};

struct config;

/* Parse value and store it in c.  Q_FORMAT, Q_LIMIT: *why is a phrase that goes
 * after the setting's name ("must be yes or no") and c is unchanged. */
enum qerr setting_parse(const struct setting *row, const char *value, struct config *c,
			struct why *why);
/* "30m", "2h", "7d" as milliseconds.  Q_LIMIT: *why is such a phrase. */
enum qerr setting_duration(const char *value, int64_t min_ms, int64_t max_ms,
			   int64_t *out, struct why *why);
/* Do both hold the same value? */
bool
setting_same(const struct setting *row, const struct config *a, const struct config *b);
/* Copy the value. */
void
setting_copy(const struct setting *row, const struct config *from, struct config *to);
/* What values are allowed, as a phrase: "1 s to 10 m", "yes or no". */
void setting_print_range(const struct setting *row, FILE *out);

#endif
