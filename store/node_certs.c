/* SPDX-License-Identifier: MIT
 *
 * The folder is read anew for each question: it is asked once for each link that a
 * stranger wants, and then a certificate that was dropped in, or taken out, counts.
 */
#include "store/node_certs.h"

#include <string.h>

#include "store/file.h"
#include "store/store_priv.h"

#define SUFFIX ".pem"

struct look {
	struct store *store;
	bool (*is)(void *arg, struct span pem);
	void *arg;
	size_t files;
	bool found;
};

bool
node_certs_is_name(const char *file)
{
	size_t n = strlen(file), suffix = sizeof(SUFFIX) - 1;

	return n > suffix && file[0] != '.' && strcmp(file + n - suffix, SUFFIX) == 0;
}

static bool
look_at(void *arg, const char *name)
{
	struct buf pem = BUF_INIT(NODE_CERTS_FILE_MAX);
	struct look *l = arg;

	if (!node_certs_is_name(name))
		return true;
	if (file_read(l->store->fd[FOLDER_NODES], name, &pem) == Q_OK)
		l->found = l->is(l->arg, buf_span(&pem));
	buf_free(&pem);
	return !l->found && ++l->files < NODE_CERTS_MAX;
}

bool
node_certs_any(struct store *s, bool (*is)(void *arg, struct span pem), void *arg)
{
	struct look l = {.store = s, .is = is, .arg = arg};

	return folder_each(s, FOLDER_NODES, look_at, &l) == Q_OK && l.found;
}
