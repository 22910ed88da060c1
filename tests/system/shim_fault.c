/* SPDX-License-Identifier: MIT
 *
 * shim_fault.c - loaded into the server with LD_PRELOAD: lets a test take
 * threads, memory and name servers away from it, and give them back.  The switches lie in
 * shared memory, so that looking at them costs no system call and works inside
 * the sandbox.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/system/fault.h"

/* glibc's own names for what we stand in front of. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static struct fault off;
static struct fault *fault = &off;
static int (*real_getaddrinfo)(const char *, const char *, const struct addrinfo *,
			       struct addrinfo **);
static int (*real_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

__attribute__((constructor)) static void
map_switches(void)
{
	const char *path = getenv(FAULT_ENV);
	void *p;
	int fd;

	*(void **)&real_getaddrinfo = dlsym(RTLD_NEXT, "getaddrinfo");
	*(void **)&real_create = dlsym(RTLD_NEXT, "pthread_create");
	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		return;
	p = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		fault = p;
	close(fd);
}

int
pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*start)(void *),
	       void *arg)
{
	if (atomic_load(&fault->no_threads) != 0) {
		atomic_fetch_add(&fault->failed, 1);
		return EAGAIN;
	}
	return real_create(t, attr, start, arg);
}

int
getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
	    struct addrinfo **out)
{
	bool ours = name != NULL && strstr(name, ".test") != NULL;

	if (!ours || atomic_load(&fault->slow_names) == 0)
		return real_getaddrinfo(name, port, hints, out);
	atomic_fetch_add(&fault->names, 1);
	while (atomic_load(&fault->slow_names) != 0)
		usleep(1000);
	atomic_fetch_sub(&fault->names, 1);
	return EAI_AGAIN;
}

static int
is_denied(void)
{
	/* In the thread's initial block: touching it allocates nothing. */
	static __thread unsigned count __attribute__((tls_model("initial-exec")));
	unsigned every = atomic_load(&fault->malloc_every);

	if (every == 0 || ++count % every != 0)
		return 0;
	atomic_fetch_add(&fault->failed, 1);
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t n)
{
	return is_denied() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return is_denied() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return is_denied() ? NULL : __libc_realloc(p, n);
}
