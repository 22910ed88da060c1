/* SPDX-License-Identifier: MIT
 *
 * Contacts, and news of them: 233 says neither whether somebody asks nor whether he or
 * she agrees, and 232 not whether we only asked; whoever is in the list that is asked
 * for afterwards is a contact.
 */
#include "client/talk.h"

#include <string.h>

#include <bsd/string.h>

static size_t
unread_from(struct talk *m, const char *name)
{
	const struct talk_chat *c = talk_chat_with(m, name);

	return c != NULL ? c->unread : 0;
}

static void
drop_news(struct talk *m, size_t i)
{
	memmove(&m->news[i], &m->news[i + 1],
		(m->news_count - i - 1) * sizeof(m->news[0]));
	m->news_count--;
	m->news_asked--;
}

static void
tell_contact(struct talk *m, const struct talk_news *n, bool contact)
{
	if (n->own)
		m->doing = false;
	if (contact)
		client_tell(m->env, CLIENT_CONTACT_NOW, n->name, span_of(NULL, 0));
	else if (n->own)
		talk_done(m, "asked %s, who has not agreed yet", n->name);
	else
		client_tell(m->env, CLIENT_CONTACT_ASKS, n->name, span_of(NULL, 0));
}

/* One of our contacts: does it answer what we wanted to know? */
void
talk_on_contact(struct talk *m, bool shown, const struct contacts_reply *r)
{
	struct client_event e = {.kind = CLIENT_CONTACT, .time_ms = r->time_ms};
	char name[NAME_SIZE];

	if (name_copy(r->arg[0], name) != Q_OK) {
		talk_broken(m);
		return;
	}
	if (shown) {
		e.name = name;
		e.count = unread_from(m, name);
		m->env->event(m->env->event_arg, &e);
		return;
	}
	for (size_t i = 0; i < m->news_asked; i++)
		if (name_cmp(m->news[i].name, name) == 0) {
			struct talk_news n = m->news[i];

			drop_news(m, i);
			tell_contact(m, &n, true);
			return;
		}
}

/* Those who were not among them have only asked, or were only asked. */
void
talk_on_contacts_end(struct talk *m)
{
	while (!m->over && m->news_asked > 0) {
		struct talk_news n = m->news[0];

		drop_news(m, 0);
		tell_contact(m, &n, false);
	}
}

void
talk_news_add(struct talk *m, const char *name, bool own)
{
	struct talk_news n = {.own = own};

	strlcpy(n.name, name, sizeof(n.name));
	/* More than can be looked up: what is told then is true of most. */
	if (m->news_count == NEWS_MAX)
		tell_contact(m, &n, false);
	else
		m->news[m->news_count++] = n;
}

void
talk_on_confirm_add(struct talk *m, const struct contacts_reply *r)
{
	char name[NAME_SIZE];

	if (name_copy(r->arg[0], name) != Q_OK)
		talk_broken(m);
	else
		talk_news_add(m, name, false);
}

void
talk_news_settle(struct talk *m)
{
	if (m->news_asked > 0 || m->news_count == 0)
		return;
	m->news_asked = m->news_count;
	talk_ask_bare(m, CONTACTS_OWN_LIST);
}
