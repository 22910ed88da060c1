/* SPDX-License-Identifier: MIT
 *
 * client_run.h - the real client in a process of its own, driven through pipes
 * or through a terminal.
 *
 *	struct run *r = run_enter(h, "alice", NULL);
 *	run_say(r, "/list\n");
 *	run_until(r, "* list: (nobody)\n");
 *	run_quit(r, 0);
 *
 * Each user has a home below the harness's folder.  Everything that goes wrong,
 * and every wait that is in vain, fails the test; the message names its line.  The
 * environment's QUINTET_CLIENT names the program.
 */
#ifndef TESTS_SYSTEM_CLIENT_RUN_H
#define TESTS_SYSTEM_CLIENT_RUN_H

#include "tests/system/harness.h"

struct run {
	pid_t pid;
	int in;               /* -1: closed */
	int out, err;         /* of a terminal: one, and -1 */
	struct buf said;      /* standard output so far, NUL behind it */
	struct buf complaint; /* standard error */
	size_t seen;          /* of said: run_until has passed it */
};

/* Start it as home's owner with these arguments, NULL at the end.  "SERVER"
 * among them stands for the harness's address. */
struct run *run_start(struct harness *h, const char *home, ...) __attribute__((sentinel));
/* The same in a terminal of its own. */
struct run *
run_in_terminal(struct harness *h, const char *home, ...) __attribute__((sentinel));
/* "NAME=value" for clients started from now on; NULL: none. */
void run_environment(const char *setting);
/* Put text into its standard input. */
void run_say(struct run *r, const char *text);
/* Wait until text appears in its output behind what was waited for before. */
void run_until(struct run *r, const char *text);
/* The same for what takes longer: ms, before SLOW. */
void run_until_within(struct run *r, const char *text, int ms);
/* Close its input, wait for its end, read what it has still said.  The exit
 * status; the output stays in r until run_free. */
int run_end(struct run *r);
/* The same of one that ends by itself: its input stays open till then. */
int run_ended(struct run *r);
void run_free(struct run *r);
/* Both; it must end with this status. */
void run_quit(struct run *r, int status);
bool run_said(const struct run *r, const char *text);
bool run_complained(const struct run *r, const char *text);

/* The fingerprint of the server's CA, as the client shows it; good until the next call but
 * one. */
const char *run_ca_fingerprint(const struct harness *h);

/* ---- whole commands ---- */
/* Start, give it input, wait for its end, which must be with this status. */
struct run *run_script(struct harness *h, int status, const char *input, const char *home,
		       ...) __attribute__((sentinel));
/* The same without input, where nothing but one sentence on standard error, with this in
 * it, is wanted. */
void run_refused(struct harness *h, int status, const char *sentence, const char *home,
		 ...) __attribute__((sentinel));
/* Enrol home's owner (of the same name) without a passphrase; must work. */
void run_enrol(struct harness *h, const char *name);
/* Log home's owner in, with more arguments, NULL at the end. */
struct run *
run_log_in(struct harness *h, const char *name, ...) __attribute__((sentinel));
/* Both. */
struct run *run_enter(struct harness *h, const char *name, ...) __attribute__((sentinel));
/* The path of a file below home's quintet folder. */
void
run_path(struct harness *h, const char *home, const char *file, char out[HARNESS_PATH]);
/* Its permissions; it must be there. */
unsigned run_mode(struct harness *h, const char *home, const char *file);

/* Failures name the line of the test that called. */
#ifndef CLIENT_RUN_INSIDE
#	define run_say(...)          HARNESS_AT(run_say(__VA_ARGS__))
#	define run_until(...)        HARNESS_AT(run_until(__VA_ARGS__))
#	define run_until_within(...) HARNESS_AT(run_until_within(__VA_ARGS__))
#	define run_end(...)          HARNESS_AT(run_end(__VA_ARGS__))
#	define run_ended(...)        HARNESS_AT(run_ended(__VA_ARGS__))
#	define run_quit(...)         HARNESS_AT(run_quit(__VA_ARGS__))
#	define run_script(...)       HARNESS_AT(run_script(__VA_ARGS__))
#	define run_refused(...)      HARNESS_AT(run_refused(__VA_ARGS__))
#	define run_enrol(...)        HARNESS_AT(run_enrol(__VA_ARGS__))
#	define run_log_in(...)       HARNESS_AT(run_log_in(__VA_ARGS__))
#	define run_enter(...)        HARNESS_AT(run_enter(__VA_ARGS__))
#	define run_mode(...)         HARNESS_AT(run_mode(__VA_ARGS__))
#endif

#endif
