/* SPDX-License-Identifier: MIT
 *
 * Listing users: the names in users/ and pems/, sorted together.  Only a user's
 * own spelling is read from the file, when its turn comes.
 */
#include <stdlib.h>
#include <string.h>

#include "store/users_priv.h"

struct entry {
	char folded[NAME_SIZE];
	char spelled[NAME_SIZE]; /* of a PEM; "" for a user file */
};

struct list {
	struct entry *entries;
	size_t n, room;
	bool pems; /* now gathering those */
	bool no_memory;
};

static bool
gather(void *arg, const char *file)
{
	struct list *l = arg;
	char name[NAME_SIZE];
	struct entry *e;

	if (l->pems ? pem_file_user(file, name) != Q_OK
		    : name_copy(span_str(file), name) != Q_OK)
		return true;
	if (l->n == l->room) {
		size_t room = l->room == 0 ? 64 : l->room * 2;
		void *p = reallocarray(l->entries, room, sizeof(*l->entries));

		if (p == NULL) {
			l->no_memory = true;
			return false;
		}
		l->entries = p;
		l->room = room;
	}
	e = &l->entries[l->n];
	name_fold(name, e->folded);
	if (l->pems)
		memcpy(e->spelled, name, NAME_SIZE);
	else if (strcmp(name, e->folded) != 0)
		return true; /* not a name that we give to a user file */
	else
		e->spelled[0] = '\0';
	l->n++;
	return true;
}

/* Of one user's entries the file comes first, then the PEM that counts. */
static int
entry_cmp(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = strcmp(x->folded, y->folded);
	bool x_exact, y_exact;

	if (c != 0)
		return c;
	if (x->spelled[0] == '\0' || y->spelled[0] == '\0')
		return (x->spelled[0] != '\0') - (y->spelled[0] != '\0');
	x_exact = strcmp(x->spelled, x->folded) == 0;
	y_exact = strcmp(y->spelled, y->folded) == 0;
	if (x_exact || y_exact)
		return y_exact - x_exact;
	return strcmp(x->spelled, y->spelled);
}

/* The name to tell for an entry.  False: there is no user behind it (any more);
 * a damaged file has then been set aside, and the PEM that may follow counts. */
static bool
name_of(struct store *s, const struct entry *e, char name[NAME_SIZE])
{
	struct user u;

	if (e->spelled[0] != '\0') {
		memcpy(name, e->spelled, NAME_SIZE);
		return true;
	}
	if (users_get(s, e->folded, &u) != Q_OK)
		return false;
	memcpy(name, u.name, NAME_SIZE);
	return true;
}

enum qerr
users_each(struct store *s, bool (*each)(void *arg, const char *name), void *arg)
{
	struct list l = {NULL, 0, 0, false, false};
	char name[NAME_SIZE], last[NAME_SIZE] = "";
	enum qerr e = folder_each(s, FOLDER_USERS, gather, &l);

	l.pems = true;
	if (e == Q_OK)
		e = folder_each(s, FOLDER_PEMS, gather, &l);
	if (e == Q_OK && l.no_memory)
		e = Q_NOMEM;
	if (e == Q_OK && l.n > 1)
		qsort(l.entries, l.n, sizeof(*l.entries), entry_cmp);
	for (size_t i = 0; e == Q_OK && i < l.n; i++) {
		if (strcmp(l.entries[i].folded, last) == 0 ||
		    !name_of(s, &l.entries[i], name))
			continue;
		memcpy(last, l.entries[i].folded, NAME_SIZE);
		if (!each(arg, name))
			break;
	}
	free(l.entries);
	return e;
}
