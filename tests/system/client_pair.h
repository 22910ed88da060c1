/* SPDX-License-Identifier: MIT
 *
 * client_pair.h - two people with the real client at one real server, and the files that
 * they send each other.
 */
#ifndef TESTS_SYSTEM_CLIENT_PAIR_H
#define TESTS_SYSTEM_CLIENT_PAIR_H

#include "tests/system/client_run.h"

struct pair {
	struct harness *h;
	struct run *alice, *bob;
};

/* relay: alice asks bob for a chat, who accepts; both are in it. */
void pair_chat(struct pair *p);
/* Both end with these statuses, and the server ends. */
void pair_quit(struct pair *p, int alice, int bob);

/* A file in the test's folder: head, and size bytes that differ. */
void
pair_make_file(const struct harness *h, const char *name, const char *head, size_t size);
/* Two of them are the same, to the byte. */
void pair_same_files(const struct harness *h, const char *one, const char *two);

#ifndef CLIENT_PAIR_INSIDE
#	define pair_chat(...)       HARNESS_AT(pair_chat(__VA_ARGS__))
#	define pair_quit(...)       HARNESS_AT(pair_quit(__VA_ARGS__))
#	define pair_same_files(...) HARNESS_AT(pair_same_files(__VA_ARGS__))
#endif

#endif
