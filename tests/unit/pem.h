/* SPDX-License-Identifier: MIT
 *
 * pem.h - keys and certificates in files for the tests of crypto/; they are
 * also the seeds of fuzz_pem.
 */
#ifndef TESTS_PEM_H
#define TESTS_PEM_H

#include <stdio.h>

#include "base/bytes.h"
#include "tests/unit/unit.h"

#define PEM_PASSPHRASE "hush" /* of the encrypted ones */

/* The file of that name, in memory that the next call uses again. */
static inline struct span
pem_load(const char *name)
{
	static char text[32768];
	char path[256];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/pem/%s.pem", name);
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "cannot open %s (run from the project's root)", path);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_lt(n, sizeof(text));
	return span_of(text, n);
}

#endif
