/* SPDX-License-Identifier: MIT
 *
 * sandbox.h - what the process may do: whose rights it has, its resource
 * limits, the system calls that it gives up.
 *
 * Started as root, the server works with the rights of another user from the
 * start, so that the files it makes belong to that user; it takes root's rights
 * back for one thing, binding its ports, and then gives them up for good.
 * All of it is called by one thread; the rights of all threads change together.
 */
#ifndef SERVER_SANDBOX_H
#define SERVER_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Whom the server becomes; filled in by sandbox_find_user. */
struct sandbox_user {
	bool change; /* false: started without root's rights, or root is to stay */
	uid_t uid;
	gid_t gid;
	char name[64]; /* "" when the number has no name */
};

/* As many descriptors as may be; secrets kept out of core dumps and swap. */
void sandbox_limits(void);
/* The user named run_as, or with "" the owner of data_dir (of the nearest folder
 * above that exists).  Q_MISSING: no such user. */
enum qerr sandbox_find_user(const char *run_as, const char *data_dir,
			    struct sandbox_user *out, struct why *why);
/* Work with the user's rights, or for a while with root's again. */
enum qerr sandbox_enter(const struct sandbox_user *u, struct why *why);
enum qerr sandbox_leave(const struct sandbox_user *u, struct why *why);
/* Be the user for good. */
enum qerr sandbox_drop(const struct sandbox_user *u, struct why *why);
/* No new privileges, and EPERM for the system calls that a chat server never
 * needs; for all threads, and those to come. */
enum qerr sandbox_filter(struct why *why);

#endif
