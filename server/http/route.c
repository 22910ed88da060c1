/* SPDX-License-Identifier: MIT */
#include "server/http/route.h"

#include <string.h>

#include <bsd/string.h>

static bool
fits(const struct http_route *row, struct span path)
{
	size_t n = strlen(row->path);

	if (row->prefix ? path.len < n : path.len != n)
		return false;
	return memcmp(path.p, row->path, n) == 0 &&
	       (row->exists == NULL || row->exists());
}

const struct http_route *
route_find(const struct http_route *const *table, struct span path)
{
	for (; *table != NULL; table++)
		if (fits(*table, path))
			return *table;
	return NULL;
}

void
route_allow(unsigned methods, char out[ROUTE_ALLOW_SIZE])
{
	static const struct {
		enum route_method bit;
		const char *name;
	} names[] = {
	    {ROUTE_GET, "GET"},         {ROUTE_HEAD, "HEAD"},     {ROUTE_POST, "POST"},
	    {ROUTE_PUT, "PUT"},         {ROUTE_DELETE, "DELETE"}, {ROUTE_PATCH, "PATCH"},
	    {ROUTE_OPTIONS, "OPTIONS"},
	};

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((methods & names[i].bit) == 0)
			continue;
		if (out[0] != '\0')
			strlcat(out, ", ", ROUTE_ALLOW_SIZE);
		strlcat(out, names[i].name, ROUTE_ALLOW_SIZE);
	}
}
