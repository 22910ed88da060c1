/* SPDX-License-Identifier: MIT */
#include "store/pause.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>

/* Of the kind that lets a waiting pause in before further changes: with the usual kind a
 * busy server might never come to rest. */
static pthread_rwlock_t changes = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

/* It fails for deadlocks alone, and beyond 2^29 readers. */
static void
must(int err, int saved)
{
	assert(err == 0);
	(void)err;
	errno = saved;
}

void
pause_change(void)
{
	int saved = errno;

	must(pthread_rwlock_rdlock(&changes), saved);
}

void
pause_changed(void)
{
	int saved = errno;

	must(pthread_rwlock_unlock(&changes), saved);
}

void
pause_begin(void)
{
	int saved = errno;

	must(pthread_rwlock_wrlock(&changes), saved);
}

void
pause_end(void)
{
	pause_changed();
}
