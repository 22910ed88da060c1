/* SPDX-License-Identifier: MIT */
#include "server/test_mode.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "store/store.h"

enum qerr
test_mode_require(const struct store *store, const char *setting, struct why *why)
{
	char path[PATH_MAX];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/server/test-mode", store_dir(store));

	/* A link may point anywhere: it is no mark. */
	if (n > 0 && (size_t)n < sizeof(path) && lstat(path, &st) == 0 &&
	    S_ISREG(st.st_mode))
		return Q_OK;
	return why_set(why, Q_DENIED,
		       "%s is for tests only: it needs a file test-mode in the data "
		       "directory's folder server",
		       setting);
}
