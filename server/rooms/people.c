/* SPDX-License-Identifier: MIT
 *
 * people.c - who is meant by the names in a packet.  They may be many, and stand in what
 * every member is told: so all of them together are bounded, doubles are found by sorting,
 * and of those who are to leave a room files are read for its members alone.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"
#include "server/accounts.h"
#include "server/rooms/requests.h"

/* What they may be long, besides the names of as many users as a room can hold. */
#define PEOPLE_BYTES ((size_t)64 * 1024)

struct candidate {
	char folded[NAME_SIZE]; /* "": no name at all */
	size_t at;              /* in the packet */
	bool again;
};

static int
by_name(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = strcmp(x->folded, y->folded);

	return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

static int
by_place(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static void
find_doubles(struct candidate *c, size_t n)
{
	qsort(c, n, sizeof(*c), by_name);
	for (size_t i = 1; i < n; i++)
		c[i].again =
		    c[i].folded[0] != '\0' && strcmp(c[i].folded, c[i - 1].folded) == 0;
	qsort(c, n, sizeof(*c), by_place);
}

static bool
too_long(const struct rooms_names *from, size_t max)
{
	size_t bytes = 0;

	for (size_t i = 0; i < from->n; i++)
		bytes += from->p[i].len;
	return bytes > PEOPLE_BYTES + max * NAME_MAX_LEN;
}

static bool
is_member(struct server *server, const struct uuid *room, const char *user)
{
	const struct room_info *info = NULL;
	bool is = rooms_get(server->rooms, room, user, &info) == ROOM_OK;

	room_info_put(info);
	return is;
}

static enum qerr
find(struct server *server, const struct candidate *c, struct span name,
     const struct uuid *room, struct rooms_people *out)
{
	struct user u;
	enum qerr e = Q_MISSING;

	if (c->folded[0] != '\0' && (room == NULL || is_member(server, room, c->folded)))
		e = accounts_get(server->accounts, c->folded, &u);
	if (e == Q_OK) {
		secret_wipe(u.password, sizeof(u.password));
		memcpy(out->found[out->n_found], u.name, NAME_SIZE);
		out->names[out->n_found] = out->found[out->n_found];
		out->n_found++;
	} else if (e == Q_MISSING || e == Q_FORMAT) {
		out->dne[out->n_dne++] = name;
		e = Q_OK;
	}
	return e;
}

enum qerr
rooms_find_people(struct server *server, const struct rooms_names *from, size_t max,
		  const struct uuid *room, struct rooms_people *out)
{
	size_t most = from->n <= max ? from->n : max + 1;
	struct candidate *c;
	char name[NAME_SIZE];
	enum qerr e = Q_OK;

	memset(out, 0, sizeof(*out));
	if (too_long(from, max))
		return Q_LIMIT;
	c = calloc(from->n + 1, sizeof(*c));
	out->found = calloc(most + 1, sizeof(*out->found));
	out->names = calloc(most + 1, sizeof(*out->names));
	out->dne = calloc(from->n + 1, sizeof(*out->dne));
	if (c == NULL || out->found == NULL || out->names == NULL || out->dne == NULL)
		e = Q_NOMEM;
	for (size_t i = 0; e == Q_OK && i < from->n; i++) {
		c[i].at = i;
		if (name_copy(from->p[i], name) == Q_OK)
			name_fold(name, c[i].folded);
	}
	if (e == Q_OK)
		find_doubles(c, from->n);
	for (size_t i = 0; e == Q_OK && i < from->n && out->n_found < most; i++)
		if (!c[i].again)
			e = find(server, &c[i], from->p[i], room, out);
	free(c);
	if (e != Q_OK)
		rooms_people_free(out);
	return e;
}

void
rooms_people_free(struct rooms_people *p)
{
	free(p->found);
	free(p->names);
	free(p->dne);
	memset(p, 0, sizeof(*p));
}
