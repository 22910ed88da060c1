/* SPDX-License-Identifier: MIT
 *
 * fault.h - what a test and the shim in the server (shim_fault.c) share: a file,
 * mapped by both, whose words switch faults on and off while the server runs.
 */
#ifndef TESTS_SYSTEM_FAULT_H
#define TESTS_SYSTEM_FAULT_H

#include <stdatomic.h>

#define FAULT_ENV "QUINTET_FAULT" /* the file's path, in the server's environment */

struct fault {
	atomic_uint no_threads;   /* not 0: pthread_create fails with EAGAIN */
	atomic_uint malloc_every; /* N > 0: every Nth allocation of a thread fails */
	atomic_uint slow_names; /* not 0: looking up a name in .test takes until it is 0,
				   * and then there is none */
	atomic_uint names;      /* how many do so now */
	atomic_uint failed;     /* how many calls have been made to fail */
};

#endif
