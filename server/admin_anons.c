/* SPDX-License-Identifier: MIT
 *
 * admin_anons.c - the commands "anons add, list, remove": announcements.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "base/text.h"
#include "crypto/random.h"
#include "server/accounts.h"
#include "server/admin_call.h"
#include "server/log.h"
#include "store/anons.h"
#include "store/decimal.h"

/* With a server running its own are the truth; else they are read. */
static enum qerr
take_anons(struct admin_call *c, struct anons **own, struct anons **anons)
{
	enum qerr e = Q_OK;

	if ((*anons = c->server->anons) == NULL &&
	    (e = anons_open(c->server->store, own)) == Q_OK)
		*anons = *own;
	return e == Q_OK
		   ? e
		   : why_set(c->why, e, "cannot read the announcements: %s", qerr_str(e));
}

static enum qerr
fail(struct admin_call *c, enum qerr e, const char *id)
{
	switch (e) {
	case Q_MISSING: return why_set(c->why, e, "there is no announcement %.40s", id);
	case Q_FULL: return why_set(c->why, e, "there is no room on the disk");
	default: return why_set(c->why, e, "the announcement: %s", qerr_str(e));
	}
}

/* The author as registered. */
static enum qerr
fill_author(struct admin_call *c, const char *author, struct anon *a)
{
	struct user u;
	enum qerr e = accounts_get(c->server->accounts, author, &u);

	if (e == Q_MISSING)
		return why_set(c->why, e, "there is no user %.64s", author);
	if (e != Q_OK)
		return why_set(c->why, e, "user %.64s: %s", author, qerr_str(e));
	strlcpy(a->author, u.name, sizeof(a->author));
	secret_wipe(&u, sizeof(u));
	return Q_OK;
}

/* Without the newline that whoever writes a file, or types, ends it with. */
static enum qerr
fill_text(struct admin_call *c, struct anon *a)
{
	struct span text = c->input;

	while (text.len > 0 && text.p[text.len - 1] == '\n')
		text.len--;
	if (text.len > ANON_TEXT_MAX)
		return why_set(c->why, Q_LIMIT, "the text has at most %d bytes",
			       ANON_TEXT_MAX);
	if (!utf8_valid(text) || (text.len > 0 && memchr(text.p, '\0', text.len) != NULL))
		return why_set(c->why, Q_FORMAT, "the text must be UTF-8");
	if (text.len > 0)
		memcpy(a->text, text.p, text.len);
	return Q_OK;
}

static enum qerr
fill(struct admin_call *c, struct anon *a)
{
	const char *author = admin_option(c->argc, c->argv, "--author");
	const char *title = admin_option(c->argc, c->argv, "--title");
	enum qerr e;

	/* So many words are both, as nothing may be said twice. */
	assert(author != NULL && title != NULL);
	if ((e = admin_check_text(c, "title", title)) != Q_OK)
		return e;
	if (strlcpy(a->title, title, sizeof(a->title)) >= sizeof(a->title))
		return why_set(c->why, Q_LIMIT, "the title has at most %d bytes",
			       ANON_TITLE_MAX);
	if ((e = fill_author(c, author, a)) != Q_OK)
		return e;
	return fill_text(c, a);
}

enum qerr
admin_anons_add(struct admin_call *c)
{
	struct anons *own = NULL, *anons;
	struct anon a = {.id = 0};
	enum qerr e;

	if ((e = fill(c, &a)) != Q_OK || (e = take_anons(c, &own, &anons)) != Q_OK)
		return e;
	if ((e = anons_add(anons, &a)) != Q_OK) {
		fail(c, e, "");
	} else {
		log_event(LOG_INFO, NULL, "anons-add", "id=%" PRIu64 " author=%s", a.id,
			  a.author);
		admin_say(c, "id: %" PRIu64 "\n", a.id);
	}
	anons_close(own);
	return e;
}

static bool
list_one(void *arg, const struct anon *a)
{
	struct admin_call *c = arg;
	char title[4 * ANON_TITLE_MAX + 64], created[ADMIN_TIME_SIZE];

	admin_time(a->created_ms, created);
	text_visible(span_str(a->title), title, sizeof(title));
	admin_say(c, "%8" PRIu64 "  %s  %-32s  %s\n", a->id, created, a->author, title);
	return !c->cut;
}

enum qerr
admin_anons_list(struct admin_call *c)
{
	struct anons *own = NULL, *anons;
	enum qerr e;

	if ((e = take_anons(c, &own, &anons)) != Q_OK)
		return e;
	if ((e = anons_list(anons, 0, SIZE_MAX, list_one, c)) != Q_OK)
		fail(c, e, "");
	anons_close(own);
	return e;
}

enum qerr
admin_anons_remove(struct admin_call *c)
{
	struct anons *own = NULL, *anons;
	uint64_t id;
	enum qerr e;

	if (decimal_read(span_str(c->argv[0]), INT64_MAX, &id) != Q_OK)
		return fail(c, Q_MISSING, c->argv[0]);
	if ((e = take_anons(c, &own, &anons)) != Q_OK)
		return e;
	if ((e = anons_remove(anons, id)) != Q_OK) {
		fail(c, e, c->argv[0]);
	} else {
		log_event(LOG_INFO, NULL, "anons-remove", "id=%" PRIu64, id);
		admin_say(c, "removed announcement %" PRIu64 "\n", id);
	}
	anons_close(own);
	return e;
}
