/* SPDX-License-Identifier: MIT
 *
 * random.h - randomness, and what secrets need: wiping, constant-time
 * comparison.  Any thread may call these; nothing blocks.
 */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fill n bytes from the kernel (getrandom(2)).  Never fails: a kernel without
 * randomness aborts the program, since nothing safe can be done then. */
void random_bytes(void *p, size_t n);
/* Uniform in [0, 2^32). */
uint32_t random_u32(void);
/* Equal, in a time that depends on n alone. */
bool secret_eq(const void *a, const void *b, size_t n);
/* Overwrite so that the compiler cannot leave it out. */
void secret_wipe(void *p, size_t n);
/* Keep the process's memory out of core dumps and debuggers (RLIMIT_CORE 0,
 * PR_SET_DUMPABLE 0), and out of swap where RLIMIT_MEMLOCK is unlimited.  Call
 * once, after root has been given up: setuid(2) sets PR_SET_DUMPABLE again. */
void secret_process(void);
/* Give back what libcrypto keeps for the calling thread (error queue, random
 * generators): worth kilobytes a thread once a handshake is over.  It comes
 * back by itself when the thread next needs it. */
void crypto_thread_idle(void);

#endif
