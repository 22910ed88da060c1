/* SPDX-License-Identifier: MIT
 *
 * people.c - who is meant by the names in a packet.  A packet may hold a hundred thousand
 * of them: doubles are found by sorting, and no more users are looked for than a room can
 * hold.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"
#include "server/accounts.h"
#include "server/rooms/requests.h"

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

static enum qerr
find(struct server *server, const struct candidate *c, struct span name,
     struct rooms_people *out)
{
	struct user u;
	enum qerr e = Q_MISSING;

	if (c->folded[0] != '\0')
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
		  struct rooms_people *out)
{
	size_t most = from->n <= max ? from->n : max + 1;
	struct candidate *c = calloc(from->n + 1, sizeof(*c));
	char name[NAME_SIZE];
	enum qerr e = Q_OK;

	memset(out, 0, sizeof(*out));
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
			e = find(server, &c[i], from->p[i], out);
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
