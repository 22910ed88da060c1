/* SPDX-License-Identifier: MIT
 *
 * nodes_labs.h - several servers that are to know each other, each with a user: alice at
 * lab 0, bob at lab 1, carol at lab 2.  Their keys and ports are there before they start,
 * so that each can name the others in its settings.
 */
#ifndef TESTS_SYSTEM_NODES_LABS_H
#define TESTS_SYSTEM_NODES_LABS_H

#include "crypto/hash.h"
#include "tests/system/nodes_peer.h"

#define LABS_MAX             3
#define LAB_FINGERPRINT_SIZE (2 * SHA256_LEN + 1)

struct lab {
	struct harness *h;
	struct key *key;
	char fingerprint[LAB_FINGERPRINT_SIZE];
	char place[64]; /* where other labs reach it; "": at its port on this machine */
};
extern struct lab lab[LABS_MAX];
extern const char *const lab_users[LABS_MAX];

void lab_fingerprint(const struct key *key, char out[LAB_FINGERPRINT_SIZE]);
/* n labs, nothing running. */
void labs_make(int n);
/* Start lab i: it dials the labs in the string dials ("12") and admits those in admits,
 * and the key stranger (may be NULL).  Redials come quickly.  More settings, then NULL. */
void lab_boot(int i, const char *dials, const char *admits, const struct key *stranger,
	      ...) __attribute__((sentinel));
/* Links that lab i has now; spares do not count. */
int lab_links(int i);
/* Wait until it has n. */
#define LAB_LINKED(i, n) HARNESS_UNTIL(lab_links(i) == (n))
/* What `ctl nodes` says contains text. */
bool lab_says(int i, const char *text);
/* Stop and remove all. */
void labs_free(void);

#endif
