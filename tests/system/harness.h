/* SPDX-License-Identifier: MIT
 *
 * harness.h - a real server for one test: its own data directory, its own port.
 *
 *	struct harness *h = harness_start("relay.request_timeout=300ms", NULL);
 *	... talk to 127.0.0.1:h->port ...
 *	harness_free(h);	(SIGTERM; the exit status must be 0)
 *
 * Everything that goes wrong fails the running Check test.  Nothing waits
 * without a deadline; the environment's SLOW multiplies all of them.  A test
 * that fails leaves its folder behind; harness_main then prints what the server
 * said and removes it.  Servers die with the test's process.
 *
 * Environment: QUINTET_SERVER, the program; QUINTET_BUILD, where the shims are;
 * QUINTET_SANITIZER, set when the server is built with one.
 */
#ifndef TESTS_SYSTEM_HARNESS_H
#define TESTS_SYSTEM_HARNESS_H

#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/name.h"
#include "crypto/key.h"
#include "tests/system/fault.h"

#define HARNESS_PATH 512
/* For what should happen at once: ms, before SLOW.  It guards against waiting for ever, and
 * says nothing about speed: a busy machine takes seconds for anything. */
#define HARNESS_WAIT 30000

struct harness_user {
	char name[NAME_SIZE];
	struct key *key;
};

struct harness {
	char dir[HARNESS_PATH];  /* the test's folder */
	char data[HARNESS_PATH]; /* DIR/data: the server's */
	pid_t pid;               /* 0: not running */
	const char *address;     /* where it listens; 127.0.0.1 unless changed before */
	uint16_t port;           /* kept by harness_restart */
	int port_fd;             /* keeps it from others; -1: not yet */
	int out_fd;              /* the server's standard output */
	struct buf out;          /* what it printed there until it was ready */
	char *settings[16];      /* "section.key=value" */
	size_t setting_count;
	rlim_t files;        /* RLIMIT_NOFILE for the server; 0: ours */
	struct fault *fault; /* switches of shim_fault.so; NULL: not loaded */
	struct harness_user *users;
	size_t user_count;
};

/* A test case of the suite; its name becomes part of folder names. */
TCase *harness_case(Suite *suite, const char *name);
/* Run the suite; main's exit status. */
int harness_main(Suite *suite);

/* The monotonic time ms * SLOW from now. */
int64_t harness_deadline(int ms);
/* Fail the test.  The message names the line that HARNESS_AT marked last. */
_Noreturn void harness_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* For aids that want failures to name the test's line, not their own. */
void harness_at(const char *file, int line);
#define HARNESS_AT(call) (harness_at(__FILE__, __LINE__), (call))
/* Let a little time pass between two looks at a condition; fails the test after
 * deadline_ms, naming what. */
void harness_nap(int64_t deadline_ms, const char *what);
/* Wait until cond holds. */
#define HARNESS_UNTIL(cond)                                      \
	do {                                                     \
		int64_t until_ = harness_deadline(HARNESS_WAIT); \
		harness_at(__FILE__, __LINE__);                  \
		while (!(cond))                                  \
			harness_nap(until_, #cond);              \
	} while (0)
/* True, after saying so, when the server is built with a sanitizer, whose own
 * allocator and thread functions a shim cannot stand in front of. */
bool harness_skips_faults(void);

/* ---- the server's life ---- */
/* A folder with an empty data directory, nothing running yet. */
struct harness *harness_new(void);
/* Choose its port now, before the first start. */
void harness_choose_port(struct harness *h);
/* Start the server; the settings ("section.key=value") are kept for restarts.
 * The last argument is NULL. */
void harness_boot(struct harness *h, ...) __attribute__((sentinel));
/* Both; harness_start(NULL) is a server with the defaults. */
struct harness *harness_start(const char *setting, ...);
/* Load shim_fault.so into servers started from now on. */
void harness_load_faults(struct harness *h);
/* SIGTERM; the server must end with status 0 within the deadline. */
void harness_stop(struct harness *h);
/* The server was told to end: it must, with status 0. */
void harness_expect_end(struct harness *h);
/* kill -9. */
void harness_kill(struct harness *h);
/* SIGSTOP; returns once the server stands still, all its threads. */
void harness_freeze(struct harness *h);
/* Start again on the same directory and port. */
void harness_restart(struct harness *h);
bool harness_alive(struct harness *h);
/* Stop it if it runs, remove the folder. */
void harness_free(struct harness *h);

/* `server WORD ... --data DIR`: the exit status; standard output and error are
 * appended to out (may be NULL).  The last argument is NULL. */
int harness_command(struct harness *h, struct buf *out, const char *word, ...)
    __attribute__((sentinel));
/* The same; it must exit with 0. */
void harness_admin(struct harness *h, const char *word, ...) __attribute__((sentinel));
/* Whether user has a session, in whichever protocol: `server ctl sessions`. */
bool harness_has_session(struct harness *h, const char *user);
/* From now on these settings ("section.key=value", NULL at the end) stand in its file, in
 * place of those given here before, and it has read them.  So a time limit can be short for
 * the one connection that shall reach it, and for nobody who logs in before or after. */
void harness_reload(struct harness *h, ...) __attribute__((sentinel));

/* ---- its files ---- */
/* Append the file at path below the data directory; false when it is missing. */
bool harness_read(const struct harness *h, const char *path, struct buf *out);
/* Make a folder there before the first start. */
void harness_make_folder(const struct harness *h, const char *path);
/* Put a file there in one step (write beside, rename). */
void harness_write(const struct harness *h, const char *path, struct span content);
/* What the server has written to standard error so far contains text. */
bool harness_logged(const struct harness *h, const char *text);
/* The enrolment code, "XXXX-XXXX-XXXX-XXXX". */
void harness_enrol_code(const struct harness *h, char out[20]);

/* ---- users ---- */
/* Make a key and drop its public half into pems/: the user exists. */
void harness_add_user(struct harness *h, const char *name, enum key_kind kind);
/* EC users, NULL at the end. */
void harness_add_users(struct harness *h, ...) __attribute__((sentinel));
/* Their key, borrowed. */
const struct key *harness_key(const struct harness *h, const char *name);

#endif
