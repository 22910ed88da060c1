/* SPDX-License-Identifier: MIT
 *
 * relations.h - who wishes whom as a contact, who is whose contact, and which news of it
 * somebody has still to hear (docs/protocols/contacts.md, "Contacts").
 *
 * State is a journal (DIR/contacts/contacts.log: "wish", "confirm", "told", "remove",
 * "forget") with an index in memory.  Names are compared without regard to case and given
 * back as they were spelled first.  Any thread; one mutex, never held over the disk;
 * changes of one pair are serialised.
 */
#ifndef STORE_RELATIONS_H
#define STORE_RELATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/name.h"
#include "store/store.h"

struct relations;

enum relation {
	RELATION_NONE,
	RELATION_WISHED, /* I asked, the other has not */
	RELATION_ASKED,  /* the other asked, I have not */
	RELATION_CONTACT
};

enum wish_result {
	WISH_NEW,       /* recorded: tell the other */
	WISH_CONFIRMED, /* both are contacts from now: tell the other */
	WISH_OLD        /* nothing new */
};

struct relation_info {
	char name[NAME_SIZE]; /* the other */
	enum relation relation;
	int64_t since_ms; /* CONTACT: when both agreed; otherwise when it was asked */
	uint64_t event;   /* the same as a number that never comes again */
	bool news;        /* CONTACT: I have not been told yet that it was confirmed */
};

#define RELATIONS_JOURNAL "contacts"

/* Q_NOMEM, Q_DENIED, Q_SYS. */
enum qerr relations_open(struct store *s, struct relations **out);
void relations_close(struct relations *r); /* NULL is fine */

/* from asks for (or confirms) to.  Who asked first has news then, until relations_told.
 * Q_FORMAT: not two names; Q_FULL, Q_NOMEM, Q_SYS: nothing changed. */
enum qerr relations_wish(struct relations *r, const char *from, const char *to,
			 enum wish_result *out);
/* from takes back the wish, or ends the contact (for both: each may ask anew).
 * Q_MISSING: there was neither (to's wish is not from's to take back); Q_FULL, Q_SYS. */
enum qerr relations_remove(struct relations *r, const char *from, const char *to);
/* What b is to a. */
enum relation relations_get(struct relations *r, const char *a, const char *b);
/* user has heard that other confirmed.  Q_OK also when there was no such news.  Q_FULL,
 * Q_SYS: it is still news. */
enum qerr relations_told(struct relations *r, const char *user, const char *other);
/* Everything about user, in folded name order; malloc'ed, NULL when there is nothing.
 * Q_NOMEM. */
enum qerr relations_of(struct relations *r, const char *user, struct relation_info **out,
		       size_t *count);
/* Forget a user that was removed.  Q_OK also when nothing was known; Q_FULL, Q_SYS:
 * nothing is forgotten. */
enum qerr relations_forget(struct relations *r, const char *user);

#endif
