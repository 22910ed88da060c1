/* SPDX-License-Identifier: MIT
 *
 * keyring.h - the users of a benchmark: u00000, u00001, ..., their private keys, in one
 * PEM file, and their tokens, one a line; bench/mkdata writes both beside the data
 * directory.
 */
#ifndef BENCH_KEYRING_H
#define BENCH_KEYRING_H

#include "base/name.h"
#include "crypto/key.h"
#include "store/tokens.h"

void user_name(unsigned i, char out[NAME_SIZE]);
/* The first count keys of the file; exits when there are fewer. */
struct key **keyring_read(const char *file, unsigned count);
void keyring_free(struct key **keys, unsigned count);

struct user_token {
	char text[TOKEN_SIZE];
};
/* The first count tokens of the file, malloc'ed; exits when there are fewer. */
struct user_token *tokens_read(const char *file, unsigned count);

#endif
