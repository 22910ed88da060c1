/* SPDX-License-Identifier: MIT
 *
 * keyring.h - the users of a benchmark: u00000, u00001, ... and their private
 * keys, in one PEM file that bench/mkdata writes beside the data directory.
 */
#ifndef BENCH_KEYRING_H
#define BENCH_KEYRING_H

#include "base/name.h"
#include "crypto/key.h"

void user_name(unsigned i, char out[NAME_SIZE]);
/* The first count keys of the file; exits when there are fewer. */
struct key **keyring_read(const char *file, unsigned count);
void keyring_free(struct key **keys, unsigned count);

#endif
