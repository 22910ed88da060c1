/* SPDX-License-Identifier: MIT
 *
 * Three red-black trees under one mutex: sessions by number, logged-in sessions
 * by (user, number), and addresses with how many sessions each has.
 * Messages of chats never pass here: a chat keeps references to its sessions.  Those of
 * rooms do, once a member, so users are compared by a hash of their folded names first:
 * one look at each node on the way, instead of a loop over two names.
 */
#include "server/sessions.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "server/locks.h"
#include "server/session.h"

/* One address that has sessions. */
struct sessions_source {
	RB_ENTRY(sessions_source) link;
	struct address address;
	size_t sessions;
	size_t strangers; /* of these, COUNT_STRANGER and not logged in */
	size_t parts;     /* of these, COUNT_PART */
};

RB_HEAD(id_tree, session);
RB_HEAD(user_tree, session);
RB_HEAD(source_tree, sessions_source);

struct sessions {
	struct lock lock;
	struct id_tree by_id;       /* [lock] */
	struct user_tree by_user;   /* [lock] */
	struct source_tree sources; /* [lock] */
	size_t count;               /* [lock] */
	uint64_t last_id;           /* [lock] */
	/* [lock] sessions_watch's */
	void (*watcher)(void *arg, const char *user, bool online);
	void *watcher_arg;
	bool (*guard)(void *arg, const char *user); /* sessions_guard's */
	void *guard_arg;
};

static int
cmp_id(const struct session *a, const struct session *b)
{
	return a->id < b->id ? -1 : a->id > b->id;
}

/* Where a user stands in by_user.  Names of the same hash are kept apart by name. */
static uint64_t
hash_user(const char *user)
{
	uint64_t h = 0xcbf29ce484222325; /* FNV-1a */

	for (; *user != '\0'; user++) {
		/* 0x20 folds letters; what else it makes equal, name_cmp tells apart. */
		h ^= (uint8_t)*user | 0x20;
		h *= 0x100000001b3;
	}
	return h;
}

static int
cmp_user(const struct session *a, const struct session *b)
{
	int d;

	if (a->user_hash != b->user_hash)
		return a->user_hash < b->user_hash ? -1 : 1;
	d = name_cmp(a->user, b->user);
	return d != 0 ? d : cmp_id(a, b);
}

static int
cmp_source(const struct sessions_source *a, const struct sessions_source *b)
{
	return address_cmp(&a->address, &b->address);
}

/* RB_GENERATE_STATIC, but for a word that <sys/cdefs.h> does not always have. */
RB_GENERATE_INTERNAL(id_tree, session, by_id, cmp_id, static __attribute__((unused)))
RB_GENERATE_INTERNAL(user_tree, session, by_user, cmp_user,
		     static __attribute__((unused)))
RB_GENERATE_INTERNAL(source_tree, sessions_source, link, cmp_source,
		     static __attribute__((unused)))

enum qerr
sessions_new(struct sessions **out)
{
	struct sessions *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return Q_NOMEM;
	lock_init(&t->lock);
	RB_INIT(&t->by_id);
	RB_INIT(&t->by_user);
	RB_INIT(&t->sources);
	*out = t;
	return Q_OK;
}

void
sessions_free(struct sessions *t)
{
	if (t == NULL)
		return;
	assert(t->count == 0 && RB_EMPTY(&t->sources));
	lock_fini(&t->lock);
	free(t);
}

void
sessions_watch(struct sessions *t, void (*fn)(void *arg, const char *user, bool online),
	       void *arg)
{
	lock_take(&t->lock);
	t->watcher = fn;
	t->watcher_arg = arg;
	lock_drop(&t->lock);
}

void
sessions_guard(struct sessions *t, bool (*may)(void *arg, const char *user), void *arg)
{
	t->guard = may;
	t->guard_arg = arg;
}

/* ---- coming and going ---- */

/* Are there n of what limit allows?  Then it is that setting that refuses. */
static bool
reached(const struct sessions_limits *limits, size_t n, size_t limit, const char *setting)
{
	bool is = limit != 0 && n >= limit;

	if (is && limits->reached != NULL)
		*limits->reached = setting;
	return is;
}

/* Find or make the entry of an address, if it may have one session more. */
static enum qerr
source_enter_locked(struct sessions *t, const struct address *a,
		    const struct sessions_limits *limits, struct sessions_source **out)
    REQUIRES(t->lock)
{
	struct sessions_source key = {.address = *a};
	struct sessions_source *src = RB_FIND(source_tree, &t->sources, &key);

	LOCK_ASSERT_HELD(&t->lock);
	if (src == NULL) {
		if ((src = calloc(1, sizeof(*src))) == NULL)
			return Q_NOMEM;
		src->address = *a;
		RB_INSERT(source_tree, &t->sources, src);
	} else if (reached(limits, src->sessions - src->parts, limits->per_address,
			   "limits.per_address") ||
		   reached(limits, src->strangers, limits->per_address_before_login,
			   "limits.per_address_before_login")) {
		return Q_LIMIT;
	}
	src->sessions++;
	src->strangers++;
	*out = src;
	return Q_OK;
}

enum qerr
sessions_add(struct sessions *t, struct session *s, const struct sessions_limits *limits)
{
	enum qerr e = Q_LIMIT;

	lock_take(&t->lock);
	assert(s->source == NULL);
	if (!reached(limits, t->count, limits->total, "limits.max_connections"))
		e = source_enter_locked(t, &s->peer, limits, &s->source);
	if (e == Q_OK) {
		s->id = ++t->last_id;
		RB_INSERT(id_tree, &t->by_id, session_ref(s));
		t->count++;
	}
	lock_drop(&t->lock);
	return e;
}

static bool
is_stranger(const struct session *s)
{
	return !s->logged_in && s->counting == COUNT_STRANGER;
}

static void
set_logged_in_locked(struct sessions *t, struct session *s, bool is) REQUIRES(t->lock)
{
	LOCK_ASSERT_HELD(&t->lock);
	s->source->strangers -= is_stranger(s);
	s->logged_in = is;
	s->source->strangers += is_stranger(s);
}

static void
count_as_locked(struct sessions *t, struct session *s, enum session_counting how)
    REQUIRES(t->lock)
{
	struct sessions_source *src = s->source;

	LOCK_ASSERT_HELD(&t->lock);
	src->strangers -= is_stranger(s);
	src->parts -= s->counting == COUNT_PART;
	s->counting = (int)how;
	src->strangers += is_stranger(s);
	src->parts += s->counting == COUNT_PART;
}

void
sessions_count_as(struct sessions *t, struct session *s, enum session_counting how)
{
	lock_take(&t->lock);
	if (s->source != NULL)
		count_as_locked(t, s, how);
	lock_drop(&t->lock);
}

size_t
sessions_of_address(struct sessions *t, struct session *s)
{
	size_t n = 0;

	lock_take(&t->lock);
	if (s->source != NULL)
		n = s->source->sessions - s->source->parts;
	lock_drop(&t->lock);
	return n;
}

static void
logout_locked(struct sessions *t, struct session *s) REQUIRES(t->lock)
{
	LOCK_ASSERT_HELD(&t->lock);
	if (!s->logged_in)
		return;
	RB_REMOVE(user_tree, &t->by_user, s);
	set_logged_in_locked(t, s, false);
}

/* The first session of user with a number above after. */
static struct session *
of_user_locked(struct sessions *t, const char *user, uint64_t after) REQUIRES(t->lock)
{
	struct session key, *s;

	LOCK_ASSERT_HELD(&t->lock);
	if (strlcpy(key.user, user, sizeof(key.user)) >= sizeof(key.user))
		return NULL; /* longer than any user's name */
	key.user_hash = hash_user(user);
	key.id = after + 1;
	s = RB_NFIND(user_tree, &t->by_user, &key);
	return s != NULL && name_cmp(s->user, user) == 0 ? s : NULL;
}

/* s, which was logged in, no longer is, and nobody comes in its stead. */
static void
leave_locked(struct sessions *t, struct session *s) REQUIRES(t->lock)
{
	bool was = s->logged_in;

	logout_locked(t, s);
	if (was && t->watcher != NULL && of_user_locked(t, s->user, 0) == NULL)
		t->watcher(t->watcher_arg, s->user, false);
}

void
sessions_remove(struct sessions *t, struct session *s)
{
	struct sessions_source *src;

	lock_take(&t->lock);
	if ((src = s->source) != NULL) {
		leave_locked(t, s);
		RB_REMOVE(id_tree, &t->by_id, s);
		t->count--;
		count_as_locked(t, s, COUNT_VISITOR); /* that is: in no count but one */
		if (--src->sessions == 0) {
			RB_REMOVE(source_tree, &t->sources, src);
			free(src);
		}
		s->source = NULL;
	}
	lock_drop(&t->lock);
	if (src != NULL)
		session_unref(s);
}

/* ---- users ---- */

/* The next session of the user of s, which is in the tree. */
static struct session *
sibling_locked(struct sessions *t, struct session *s) REQUIRES(t->lock)
{
	struct session *next = RB_NEXT(user_tree, &t->by_user, s);

	LOCK_ASSERT_HELD(&t->lock);
	return next != NULL && name_cmp(next->user, s->user) == 0 ? next : NULL;
}

/* A session of user in protocol; one that has ended but is still here counts only
 * when the caller says so. */
static struct session *
rival_locked(struct sessions *t, const char *user, const struct protocol *protocol,
	     bool ended_too) REQUIRES(t->lock)
{
	struct session *s = of_user_locked(t, user, 0);

	for (; s != NULL; s = of_user_locked(t, user, s->id))
		if (atomic_load(&s->protocol) == protocol &&
		    (ended_too || !session_ended(s)))
			return s;
	return NULL;
}

enum qerr
sessions_login(struct sessions *t, struct session *s, const char *user,
	       enum login_rule rule, struct session **older)
{
	struct session *rival = NULL;
	bool first;

	assert(strlen(user) <= NAME_MAX_LEN && (older != NULL || rule != LOGIN_REPLACE));
	lock_take(&t->lock);
	assert(s->source != NULL && !s->logged_in);
	if (t->guard != NULL && !t->guard(t->guard_arg, user)) {
		lock_drop(&t->lock);
		return Q_DENIED;
	}
	first = of_user_locked(t, user, 0) == NULL;
	if (rule != LOGIN_ADD)
		rival = rival_locked(t, user, atomic_load(&s->protocol),
				     rule == LOGIN_REPLACE);
	if (rival != NULL && rule == LOGIN_REFUSE) {
		lock_drop(&t->lock);
		return Q_EXISTS;
	}
	if (rival != NULL) {
		logout_locked(t, rival);
		session_ref(rival);
	}
	strlcpy(s->user, user, sizeof(s->user));
	s->user_hash = hash_user(user);
	RB_INSERT(user_tree, &t->by_user, s);
	set_logged_in_locked(t, s, true);
	if (first && t->watcher != NULL)
		t->watcher(t->watcher_arg, s->user, true);
	lock_drop(&t->lock);
	if (older != NULL)
		*older = rival;
	return Q_OK;
}

void
sessions_logout(struct sessions *t, struct session *s)
{
	lock_take(&t->lock);
	leave_locked(t, s);
	lock_drop(&t->lock);
}

void
sessions_user(struct sessions *t, struct session *s, char out[NAME_SIZE])
{
	lock_take(&t->lock);
	if (s->logged_in)
		strlcpy(out, s->user, NAME_SIZE);
	else
		out[0] = '\0';
	lock_drop(&t->lock);
}

/* ---- looking up ---- */

static struct session *
next_locked(struct sessions *t, const char *user, uint64_t after) REQUIRES(t->lock)
{
	struct session key;

	if (user != NULL)
		return of_user_locked(t, user, after);
	key.id = after + 1;
	return RB_NFIND(id_tree, &t->by_id, &key);
}

struct session *
sessions_next(struct sessions *t, const char *user, struct session *s)
{
	struct session *next;

	lock_take(&t->lock);
	if ((next = next_locked(t, user, s == NULL ? 0 : s->id)) != NULL)
		session_ref(next);
	lock_drop(&t->lock);
	if (s != NULL)
		session_unref(s);
	return next;
}

struct session *
sessions_find(struct sessions *t, uint64_t id)
{
	struct session key, *s;

	key.id = id;
	lock_take(&t->lock);
	if ((s = RB_FIND(id_tree, &t->by_id, &key)) != NULL)
		session_ref(s);
	lock_drop(&t->lock);
	return s;
}

struct session **
sessions_list(struct sessions *t, const char *user, const struct protocol *protocol,
	      size_t *count)
{
	struct session **list, *s;
	size_t n = 0;

	lock_take(&t->lock);
	if ((list = calloc(t->count + 1, sizeof(struct session *))) != NULL)
		for (s = next_locked(t, user, 0); s != NULL;
		     s = next_locked(t, user, s->id))
			if (protocol == NULL || atomic_load(&s->protocol) == protocol)
				list[n++] = session_ref(s);
	lock_drop(&t->lock);
	if (list != NULL)
		*count = n;
	return list;
}

void
sessions_list_free(struct session **list)
{
	if (list == NULL)
		return;
	for (struct session **s = list; *s != NULL; s++)
		session_unref(*s);
	free(list);
}

size_t
sessions_of(struct sessions *t, const char (*users)[NAME_SIZE], size_t n,
	    const struct protocol *protocol, struct sessions_walk *w,
	    struct sessions_found *out, size_t max)
{
	struct session *s = NULL;
	size_t found = 0;

	lock_take(&t->lock);
	/* Who had more sessions than fitted may have others by now. */
	while (w->user < n && found < max) {
		if (s == NULL)
			s = of_user_locked(t, users[w->user], w->after);
		if (s == NULL) {
			w->user++;
			w->after = 0;
			continue;
		}
		w->after = s->id;
		if (atomic_load(&s->protocol) == protocol)
			out[found++] = (struct sessions_found){session_ref(s), w->user};
		if ((s = sibling_locked(t, s)) == NULL) {
			w->user++;
			w->after = 0;
		}
	}
	lock_drop(&t->lock);
	return found;
}

size_t
sessions_count(struct sessions *t)
{
	size_t n;

	lock_take(&t->lock);
	n = t->count;
	lock_drop(&t->lock);
	return n;
}

bool
sessions_online(struct sessions *t, const char *user)
{
	bool online;

	lock_take(&t->lock);
	online = of_user_locked(t, user, 0) != NULL;
	lock_drop(&t->lock);
	return online;
}
