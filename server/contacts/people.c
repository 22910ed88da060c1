/* SPDX-License-Identifier: MIT
 *
 * people.c - who knows whom: 118, 120, 121, 123, and 233.
 *
 * A 233 is not put into the outbox by the thread of the one who asks: that only sets
 * cs->news and wakes the worker, which looks at the relations themselves and sends what
 * it has not sent in this login.  So a wish that comes while somebody logs in is
 * neither missed nor sent twice, whatever the order of things was.
 */
#include "server/contacts/contacts_session.h"

#include <stdlib.h>

#include <bsd/string.h>

#include "crypto/random.h"
#include "server/accounts.h"
#include "server/hub.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/protocol.h"

int
contacts_other(struct contacts_session *cs, struct span name, char out[NAME_SIZE])
{
	char plain[NAME_SIZE];
	struct user u;
	enum qerr e;

	if (name_copy(name, plain) != Q_OK || name_cmp(plain, cs->user) == 0)
		return CONTACTS_CONTACT_NOT_FOUND;
	e = accounts_get(cs->session->server->accounts, plain, &u);
	if (e == Q_MISSING || e == Q_FORMAT)
		return CONTACTS_CONTACT_NOT_FOUND;
	if (e != Q_OK)
		return contacts_failed(cs, "look-up", e);
	secret_wipe(u.password, sizeof(u.password));
	strlcpy(out, u.name, NAME_SIZE);
	return CONTACTS_OK;
}

/* ---- 118 and 120 ---- */

/* The elements of a list, which come after their number. */
struct listing {
	struct buf lines;
	size_t n;
	const char *but; /* this name is left out */
	enum qerr e;
};

/* "CODE 400", begin with the number, the elements, end; one piece. */
static void
answer_list(struct contacts_session *cs, const struct listing *l, int code, int begin,
	    int end)
{
	struct buf *to = &cs->reply;
	size_t start = to->len;
	enum qerr e = contacts_put_status(to, code, CONTACTS_OK);

	if (e == Q_OK)
		e = contacts_put_count(to, begin, l->n);
	if (e == Q_OK)
		e = buf_put_span(to, buf_span(&l->lines));
	if (e == Q_OK)
		e = contacts_put_code(to, end);
	if (e != Q_OK)
		to->len = start;
	contacts_answered(cs, e);
}

void
contacts_own_list(struct contacts_session *cs, const struct contacts_request *r)
{
	struct listing l = {.lines = BUF_INIT(SIZE_MAX / 2)};
	struct relation_info *all;
	size_t n;
	enum qerr e;

	(void)r;
	e = relations_of(cs->session->server->relations, cs->user, &all, &n);
	if (e != Q_OK) {
		contacts_answer(cs, CONTACTS_OWN_LIST_RESPONSE,
				contacts_failed(cs, "own-list", e));
		return;
	}
	for (size_t i = 0; i < n && e == Q_OK; i++) {
		if (all[i].relation != RELATION_CONTACT)
			continue;
		e = contacts_put_contact(&l.lines, all[i].name, all[i].since_ms);
		l.n++;
	}
	if (e == Q_OK)
		answer_list(cs, &l, CONTACTS_OWN_LIST_RESPONSE, CONTACTS_OWN_LIST_BEGIN,
			    CONTACTS_OWN_LIST_END);
	contacts_answered(cs, e);
	free(all);
	buf_free(&l.lines);
}

static bool
list_one(void *arg, const char *name)
{
	struct listing *l = arg;

	if (name_cmp(name, l->but) == 0)
		return true;
	l->n++;
	return (l->e = contacts_put_name(&l->lines, CONTACTS_LIST_ELEMENT, name)) == Q_OK;
}

void
contacts_list(struct contacts_session *cs, const struct contacts_request *r)
{
	struct listing l = {.lines = BUF_INIT(SIZE_MAX / 2), .but = cs->user};
	enum qerr e = Q_OK;

	(void)r;
	if (!limits_take(cs->session, LIMIT_SEARCH, 1, NULL)) {
		contacts_answer(cs, CONTACTS_LIST_RESPONSE, CONTACTS_SERVER_ERROR);
		return;
	}
	if (cs->config->contacts_directory &&
	    (e = users_each(cs->session->server->store, list_one, &l)) == Q_OK)
		e = l.e;
	if (e == Q_OK)
		answer_list(cs, &l, CONTACTS_LIST_RESPONSE, CONTACTS_LIST_BEGIN,
			    CONTACTS_LIST_END);
	else
		contacts_answer(cs, CONTACTS_LIST_RESPONSE,
				contacts_failed(cs, "list", e));
	buf_free(&l.lines);
}

/* ---- 121 and 123 ---- */

void
contacts_confirm(struct contacts_session *cs, const struct contacts_request *r)
{
	struct server *server = cs->session->server;
	const struct event event = {.kind = EVENT_CONTACT, .name = cs->user};
	char other[NAME_SIZE];
	enum wish_result result;
	int status = contacts_other(cs, r->arg[0], other);
	enum qerr e;

	if (status == CONTACTS_OK)
		status = contacts_may(cs, LIMIT_JOIN);
	if (status == CONTACTS_OK) {
		e = relations_wish(server->relations, cs->user, other, &result);
		if (e != Q_OK)
			status = contacts_failed(cs, "confirm", e);
		else if (result != WISH_OLD)
			hub_tell(server, other, &event, NULL);
	}
	contacts_answer(cs, CONTACTS_CONFIRM_RESPONSE, status);
}

/* Taking back what there is not is fine: it is as the client wants it. */
void
contacts_remove(struct contacts_session *cs, const struct contacts_request *r)
{
	struct server *server = cs->session->server;
	char other[NAME_SIZE];
	int status = contacts_other(cs, r->arg[0], other);
	enum qerr e;

	if (status == CONTACTS_OK) {
		e = relations_remove(server->relations, cs->user, other);
		if (e != Q_OK && e != Q_MISSING)
			status = contacts_failed(cs, "remove", e);
	}
	contacts_answer(cs, CONTACTS_REMOVE_RESPONSE, status);
}

/* ---- 233 ---- */

static bool
worth_telling(const struct relation_info *r)
{
	return r->relation == RELATION_ASKED ||
	       (r->relation == RELATION_CONTACT && r->news);
}

/* The same wish, or the same confirmation, as told before in this login? */
static const struct contacts_heard *
told_before(const struct contacts_session *cs, const struct relation_info *r)
{
	for (size_t i = 0; i < cs->n_heard; i++) {
		const struct contacts_heard *h = &cs->heard[i];

		if (h->event == r->event)
			return h;
	}
	return NULL;
}

/* Make the list of what has been told once the lines are out, and the lines. */
static enum qerr
gather_news(struct contacts_session *cs, const struct relation_info *all, size_t n,
	    struct contacts_heard *heard, size_t *n_heard, struct buf *lines)
{
	enum qerr e = Q_OK;

	*n_heard = 0;
	for (size_t i = 0; i < n && e == Q_OK; i++) {
		const struct contacts_heard *old;
		struct contacts_heard *h = &heard[*n_heard];

		if (!worth_telling(&all[i]))
			continue;
		(*n_heard)++;
		if ((old = told_before(cs, &all[i])) != NULL) {
			*h = *old;
			continue;
		}
		*h = (struct contacts_heard){.event = all[i].event, .news = all[i].news};
		strlcpy(h->name, all[i].name, sizeof(h->name));
		e = contacts_put_name(lines, CONTACTS_CONFIRM_ADD, h->name);
	}
	return e;
}

/* The lines are in the outbox: note where the new ones end. */
static void
note_ends(struct contacts_session *cs)
{
	struct session *s = cs->session;
	bool news = false;

	lock_take(&s->out.lock);
	for (size_t i = 0; i < cs->n_heard; i++) {
		if (cs->heard[i].end == 0)
			cs->heard[i].end =
			    s->out.written + outbox_waiting_locked(&s->out);
		news |= cs->heard[i].news && !cs->heard[i].settled;
	}
	if (news)
		contacts_save_soon_locked(s);
	lock_drop(&s->out.lock);
}

void
contacts_tell_news(struct contacts_session *cs)
{
	struct session *s = cs->session;
	struct relation_info *all = NULL;
	struct contacts_heard *heard = NULL;
	size_t n = 0, n_heard = 0;
	enum qerr e;

	lock_take(&s->out.lock);
	cs->news = false;
	lock_drop(&s->out.lock);
	e = relations_of(s->server->relations, cs->user, &all, &n);
	if (e == Q_OK && n > 0 && (heard = calloc(n, sizeof(*heard))) == NULL)
		e = Q_NOMEM;
	if (e == Q_OK)
		e = gather_news(cs, all, n, heard, &n_heard, &cs->reply);
	free(all);
	if (e != Q_OK) {
		free(heard);
		contacts_answered(cs, e);
		return;
	}
	free(cs->heard);
	cs->heard = heard;
	cs->n_heard = n_heard;
	contacts_answers_out(cs);
	note_ends(cs);
}

void
contacts_settle_news(struct contacts_session *cs, uint64_t acked)
{
	for (size_t i = 0; i < cs->n_heard; i++) {
		struct contacts_heard *h = &cs->heard[i];
		enum qerr e;

		if (!h->news || h->settled || h->end == 0 || h->end > acked)
			continue;
		e = relations_told(cs->session->server->relations, cs->user, h->name);
		if (e == Q_OK)
			h->settled = true;
		else
			(void)contacts_failed(cs, "told", e);
	}
}
