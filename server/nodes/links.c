/* SPDX-License-Identifier: MIT
 *
 * DESIGN.  Links have numbers (slots), because searches keep sets of them.  The table, the
 * searches and the addresses that are known all belong to the calls' lock, so that what a
 * search has found and the call that waits for it cannot miss each other: the calls say
 * what they look for (links_tell), and before the lock is dropped they are told
 * what has been found (links_settle).
 *
 * Two nodes may dial each other at the same time.  Both then keep the link that the one
 * with the smaller fingerprint has dialled; the other one is a spare, which
 * gets nothing new and ends with its last call.  Two links dialled by the same node are a
 * new one and one that has broken without a word: the older ends.
 */
#include "server/nodes/links.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "server/admin_call.h"
#include "server/nodes/admit.h"
#include "server/nodes/known.h"
#include "server/nodes/node_link.h"
#include "server/nodes/nodes.h"
#include "server/nodes/nodes_session.h"
#include "server/nodes/search.h"

/* Of one A4 that many addresses are looked at. */
#define HEARD_MAX KNOWN_PER_NODE

static struct {
	struct server *server;
	uint8_t own[SHA256_LEN];               /* fingerprint */
	struct node_link *slots[SEARCH_LINKS]; /* [calls] */
	size_t count;                          /* [calls] */
	struct searches searches;              /* [calls] */
	struct known known;                    /* [calls] */
	struct timer timer;
	int64_t timer_at_ms; /* [calls] 0: it is not set */
} links;

enum qerr
links_start(struct server *server)
{
	enum qerr e;

	links.server = server;
	links.timer = (struct timer){0};
	links.timer_at_ms = 0;
	searches_init(&links.searches);
	links.known = (struct known)KNOWN_INIT;
	if ((e = admit_own(server, links.own)) != Q_OK)
		return e;
	return dial_start(server);
}

void
links_stop(void)
{
	dial_stop();
	timer_cancel(links.server->timers, &links.timer);
	searches_fini(&links.searches);
	known_fini(&links.known);
}

/* ---- the table ---- */

#define FOREACH_LINK(l)                                    \
	for (int slot_ = 0; slot_ < SEARCH_LINKS; slot_++) \
		if (((l) = links.slots[slot_]) != NULL)

static uint64_t
usable_locked(void) REQUIRES(nodes_calls.lock)
{
	uint64_t set = 0;
	struct node_link *l;

	FOREACH_LINK(l)
	if (!l->spare)
		set |= UINT64_C(1) << l->slot;
	return set;
}

/* The other link with the same node, dialled by the same side (or the other one). */
static struct node_link *
twin_locked(const struct node_link *of, bool same_side) REQUIRES(nodes_calls.lock)
{
	struct node_link *l;

	FOREACH_LINK(l)
	if (l != of && memcmp(l->fingerprint, of->fingerprint, SHA256_LEN) == 0 &&
	    (l->dialled == of->dialled) == same_side)
		return l;
	return NULL;
}

/* Of the two the one that the node with the smaller fingerprint has dialled stays. */
static void
choose_locked(struct node_link *a, struct node_link *b) REQUIRES(nodes_calls.lock)
{
	bool ours = memcmp(links.own, a->fingerprint, SHA256_LEN) < 0;

	a->spare = a->dialled != ours;
	b->spare = !a->spare;
}

static bool
take_slot_locked(struct node_link *l) REQUIRES(nodes_calls.lock)
{
	if (links.count >= (size_t)config_now()->nodes_max_links)
		return false;
	for (int i = 0; i < SEARCH_LINKS; i++)
		if (links.slots[i] == NULL) {
			links.slots[i] = l;
			l->slot = i;
			links.count++;
			return true;
		}
	return false;
}

static void
leave_locked(struct node_link *l) REQUIRES(nodes_calls.lock)
{
	struct node_link *twin = twin_locked(l, false);

	links.slots[l->slot] = NULL;
	links.count--;
	searches_lost(&links.searches, l->slot);
	calls_wire_lost(&nodes_calls, &l->wire, NODES_ARG);
	l->slot = LINK_NO_SLOT;
	if (twin != NULL)
		twin->spare = false;
}

static void
introduce_locked(struct node_link *l) REQUIRES(nodes_calls.lock)
{
	int64_t port = config_now()->nodes_advertise;
	struct nodes_message m = {.type = NODES_PORT};

	m.port = port != 0 ? (uint16_t)port : links.server->port;
	node_link_tell(l, &m);
	m = (struct nodes_message){.type = NODES_ASK_NODES};
	node_link_tell(l, &m);
	if (l->dialled && l->call.any &&
	    searches_followed(&links.searches, l->call.uin, l->slot)) {
		m = (struct nodes_message){.type = NODES_SEARCH, .uin = l->call.uin};
		node_link_tell(l, &m);
	}
}

/* Its entry in nodes.peers, by which it was admitted, has gone, or nothing is served. */
static bool
is_unwanted(const struct node_link *l)
{
	const struct config *cfg = config_now();
	struct peer entry;

	return !cfg->nodes_enabled ||
	       (l->named && !peers_find(cfg->nodes_peers, l->fingerprint, &entry));
}

/* TLS is up: the table, and the first words. */
static const char *
enter_locked(struct node_link *l) REQUIRES(nodes_calls.lock)
{
	struct node_link *older, *twin;

	/* Since its certificate was looked at, and links_review has not seen it. */
	if (is_unwanted(l))
		return "it is admitted no more";
	/* The older one's worker finds itself out of the table already. */
	if ((older = twin_locked(l, true)) != NULL) {
		leave_locked(older);
		session_end(older->session, GOODBYE_SELF, NULL);
	}
	if (!take_slot_locked(l))
		return "nodes.max_links";
	if ((twin = twin_locked(l, false)) != NULL)
		choose_locked(l, twin);
	introduce_locked(l);
	return NULL;
}

const char *
links_enter(struct node_link *l)
{
	const char *reason;

	nodes_begin();
	reason = enter_locked(l);
	nodes_finish(l->session->server);
	return reason;
}

void
links_leave(struct node_link *l)
{
	nodes_begin();
	if (l->slot != LINK_NO_SLOT)
		leave_locked(l);
	/* It may have been put out of the table, and heard of a call since. */
	calls_wire_lost(&nodes_calls, &l->wire, NODES_ARG);
	nodes_finish(l->session->server);
}

bool
links_linked(const uint8_t fingerprint[SHA256_LEN])
{
	struct node_link *l;
	bool yes = false;

	lock_take(&nodes_calls.lock);
	FOREACH_LINK(l)
	yes = yes || memcmp(l->fingerprint, fingerprint, SHA256_LEN) == 0;
	lock_drop(&nodes_calls.lock);
	return yes;
}

void
links_review(void)
{
	struct node_link *l;

	nodes_begin();
	FOREACH_LINK(l)
	if (is_unwanted(l))
		session_end(l->session, GOODBYE_SELF, NULL);
	nodes_finish(links.server);
}

/* ---- searches ---- */

unsigned
links_searches(void)
{
	if (links.count == 0 || links.searches.count >= SEARCH_MAX)
		return 0;
	return (unsigned)config_now()->nodes_max_searches;
}

static void
search_locked(uint32_t uin) REQUIRES(nodes_calls.lock)
{
	struct nodes_message m = {.type = NODES_SEARCH, .uin = uin};
	uint64_t set = usable_locked();
	struct node_link *l;

	if (!searches_begin(&links.searches, uin, set, clock_mono_ms(),
			    config_now()->nodes_search_timeout_ms))
		return;
	FOREACH_LINK(l)
	if (set >> l->slot & 1)
		node_link_tell(l, &m);
}

UNCHECKED_LOCK void /* nodes_calls.lock is held */
links_tell(const struct calls_told *t)
{
	struct nodes_message m = {.uin = t->uin, .uin2 = t->uin2};

	switch (t->what) {
	case TOLD_SEARCH: search_locked(t->uin); return;
	case TOLD_WIRE_ASK: m.type = NODES_ASK_CALL; break;
	case TOLD_WIRE_READY: m.type = NODES_CALL_ALLOWED; break;
	case TOLD_WIRE_OVER: m.type = NODES_CALL_OVER; break;
	default: return;
	}
	node_link_tell(node_link_of(t->wire), &m);
}

static void
lapse(void *arg)
{
	(void)arg;
	nodes_begin();
	links.timer_at_ms = 0;
	nodes_finish(links.server); /* which settles */
}

UNCHECKED_LOCK void /* nodes_calls.lock is held */
links_settle(void)
{
	int64_t now = clock_mono_ms(), next;
	struct node_link *l;
	uint32_t uin;
	int slot;

	while (searches_ended(&links.searches, now, &uin, &slot)) {
		l = slot == SEARCH_NOWHERE ? NULL : links.slots[slot];
		calls_searched(&nodes_calls, uin, l == NULL ? NULL : &l->wire, now,
			       NODES_ARG);
	}
	FOREACH_LINK(l)
	if (l->spare && l->wire.calls == 0)
		session_end(l->session, GOODBYE_SELF, NULL);
	next = searches_next(&links.searches);
	if (next != 0 && next != links.timer_at_ms)
		timer_set(links.server->timers, &links.timer, next, lapse, NULL);
	links.timer_at_ms = next;
}

/* ---- what a node says ---- */

/* A5: among our own clients, or with a node that we have found. */
void
links_asked(struct node_link *l, uint32_t uin)
{
	struct nodes_message m = {.type = NODES_HERE, .uin = uin};
	struct node_link *there;
	int slot;

	lock_take(&nodes_calls.lock);
	if (calls_party(&nodes_calls, uin) == NULL) {
		slot = searches_find(&links.searches, uin, clock_mono_ms());
		there = slot == SEARCH_NOWHERE ? NULL : links.slots[slot];
		m.type =
		    there != NULL && there != l && there->placed ? NODES_THERE : NODES_OK;
		if (m.type == NODES_THERE)
			m.address = place_address(&there->place);
	}
	if (m.type != NODES_OK)
		node_link_tell(l, &m);
	lock_drop(&nodes_calls.lock);
}

void
links_here(struct node_link *l, uint32_t uin)
{
	nodes_begin();
	if (l->slot != LINK_NO_SLOT)
		searches_here(&links.searches, uin, l->slot, clock_mono_ms());
	nodes_finish(l->session->server);
}

static bool
in_peers(const struct place *p)
{
	const char *list = config_now()->nodes_peers;
	struct place place;
	struct peer peer;

	while (peers_next(&list, &peer, NULL) == Q_OK) {
		place_of_peer(&peer, &place);
		if (peer.port != 0 && place_eq(&place, p))
			return true;
	}
	return false;
}

/* May an A9 lead us there?  Where there is a link already we have asked. */
static bool
may_follow_locked(const struct place *p) REQUIRES(nodes_calls.lock)
{
	int follow = config_now()->nodes_follow;
	struct node_link *l;

	FOREACH_LINK(l)
	if (l->placed && place_eq(&l->place, p))
		return false;
	if (!place_may_be_dialled(p) || follow == NODES_FOLLOW_NO)
		return false;
	if (in_peers(p) || known_announced(&links.known, p, clock_mono_ms()))
		return true;
	/* Names are looked up for those alone whom somebody has chosen. */
	return follow == NODES_FOLLOW_ANY && p->kind != NODES_HOST;
}

void
links_there(struct node_link *l, uint32_t uin, const struct nodes_address *at)
{
	struct place p;

	if (place_of(at, &p) != Q_OK)
		return;
	nodes_begin();
	if (l->slot != LINK_NO_SLOT && searches_wants(&links.searches, uin, l->slot) &&
	    may_follow_locked(&p) && searches_follow(&links.searches, uin))
		(void)dial_follow(&p, uin);
	nodes_finish(l->session->server);
}

void
links_over(struct node_link *l, uint32_t a, uint32_t b)
{
	nodes_begin();
	calls_wire_over(&nodes_calls, &l->wire, a, b, NODES_ARG);
	if (l->slot != LINK_NO_SLOT) {
		searches_forget(&links.searches, a, l->slot);
		searches_forget(&links.searches, b, l->slot);
	}
	nodes_finish(l->session->server);
}

/* ---- addresses ---- */

static void
remember_locked(const struct node_link *l, const struct place *p, bool announced)
    REQUIRES(nodes_calls.lock)
{
	(void)known_add(&links.known, p, announced, l->fingerprint,
			(size_t)config_now()->nodes_max_known, clock_mono_ms());
}

void
links_announced(struct node_link *l, uint16_t port)
{
	struct place p;

	place_of_address(&l->session->peer, port, &p);
	if (!place_may_be_dialled(&p))
		return;
	lock_take(&nodes_calls.lock);
	l->place = p;
	l->placed = true;
	remember_locked(l, &p, true);
	lock_drop(&nodes_calls.lock);
}

void
links_heard_of(struct node_link *l, struct span addresses, unsigned count)
{
	struct reader r = reader_of(addresses);
	struct nodes_address a;
	struct place p;

	lock_take(&nodes_calls.lock);
	for (unsigned i = 0; i < count && i < HEARD_MAX; i++)
		if (nodes_address_next(&r, &a) == Q_OK && place_of(&a, &p) == Q_OK)
			remember_locked(l, &p, false);
	lock_drop(&nodes_calls.lock);
}

/* Those to which there are links come first, then those heard of. */
static unsigned
list_locked(const struct session *asker, struct buf *out) REQUIRES(nodes_calls.lock)
{
	struct nodes_address a;
	struct node_link *l, *from = NULL;
	unsigned n = 0;

	known_expire(&links.known, clock_mono_ms());
	FOREACH_LINK(l)
	{
		if (l->session == asker)
			from = l;
		a = place_address(&l->place);
		if (l != from && l->placed && !l->spare)
			n += nodes_address_put(out, &a) == Q_OK;
	}
	for (size_t i = 0; i < links.known.count && n < NODES_LIST_SEND_MAX; i++) {
		const struct place *p = &links.known.list[i].place;
		bool said = from != NULL && from->placed && place_eq(&from->place, p);

		FOREACH_LINK(l)
		said = said || (l->placed && !l->spare && place_eq(&l->place, p));
		a = place_address(p);
		if (!said)
			n += nodes_address_put(out, &a) == Q_OK;
	}
	return n;
}

void
links_list(struct session *s)
{
	struct buf list = BUF_INIT(NODES_LIST_SEND_MAX * NODES_ADDRESS_MAX);
	struct nodes_message m = {.type = NODES_LIST};

	lock_take(&nodes_calls.lock);
	m.count = (uint16_t)list_locked(s, &list);
	lock_drop(&nodes_calls.lock);
	m.bytes = buf_span(&list);
	dialogue_tell(s, &m);
	buf_free(&list);
}

/* ---- for people ---- */

static void
report_link(const struct node_link *l, struct buf *out)
{
	char hex[HEX_LEN(SHA256_LEN) + 1], place[PLACE_TEXT_SIZE] = "-";
	char since[ADMIN_TIME_SIZE];

	hex_encode(span_of(l->fingerprint, SHA256_LEN), hex);
	if (l->placed)
		place_text(&l->place, place);
	admin_time(l->session->since_ms, since);
	(void)buf_printf(out, "%-10s  %.16s  %s  since %s, %u call%s, from %s%s\n",
			 l->dialled ? "linked out" : "linked in", hex, place, since,
			 l->wire.calls, l->wire.calls == 1 ? "" : "s",
			 l->session->peer_text, l->spare ? ", spare" : "");
}

void
links_report(struct buf *out)
{
	char place[PLACE_TEXT_SIZE];
	struct node_link *l;

	lock_take(&nodes_calls.lock);
	FOREACH_LINK(l)
	report_link(l, out);
	lock_drop(&nodes_calls.lock);
	dial_report(out);
	lock_take(&nodes_calls.lock);
	known_expire(&links.known, clock_mono_ms());
	for (size_t i = 0; i < links.known.count; i++) {
		place_text(&links.known.list[i].place, place);
		(void)buf_printf(out, "known       %s%s\n", place,
				 links.known.list[i].announced ? "  announced" : "");
	}
	lock_drop(&nodes_calls.lock);
}
