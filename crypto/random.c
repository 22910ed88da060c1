/* SPDX-License-Identifier: MIT
 *
 * The kernel's generator is asked each time: libcrypto's own keeps kilobytes
 * for every thread that has ever used it, and we have a thread a connection.
 */
#include "crypto/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

void
random_bytes(void *p, size_t n)
{
	uint8_t *at = p;

	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0) {
			if (errno == EINTR)
				continue;
			abort();
		}
		at += got;
		n -= (size_t)got;
	}
}

uint32_t
random_u32(void)
{
	uint32_t v;

	random_bytes(&v, sizeof(v));
	return v;
}

bool
secret_eq(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void
secret_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

void
secret_process(void)
{
	struct rlimit limit = {0, 0};

	/* None of this can be refused for a reason that we could mend. */
	(void)setrlimit(RLIMIT_CORE, &limit);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* With a finite limit a locked process loses mmap, and so threads, as
	 * soon as it grows beyond: worse than a page in swap.  On fault, or
	 * each thread's whole stack would become resident. */
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY)
		(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

void
crypto_thread_idle(void)
{
	OPENSSL_thread_stop();
}
