/* SPDX-License-Identifier: MIT
 *
 * libcrypto_memory.h - libcrypto's allocations counted, and refused on demand.
 * Call libcrypto_memory_start first thing in main.  Refuse nothing before
 * libcrypto has been used once: it does not recover when its own start fails.
 */
#ifndef TESTS_LIBCRYPTO_MEMORY_H
#define TESTS_LIBCRYPTO_MEMORY_H

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/crypto.h>

static atomic_long libcrypto_allocations;       /* so far */
static atomic_long libcrypto_grants = LONG_MAX; /* after so many more, no memory */

static void *
counted_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	libcrypto_allocations++;
	if (libcrypto_grants-- <= 0)
		return NULL;
	return realloc(p, n);
}

static void *
counted_malloc(size_t n, const char *file, int line)
{
	return counted_realloc(NULL, n, file, line);
}

static void
plain_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static inline void
libcrypto_memory_start(void)
{
	if (CRYPTO_set_mem_functions(counted_malloc, counted_realloc, plain_free) != 1)
		abort();
}

#endif
