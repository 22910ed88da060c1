/* SPDX-License-Identifier: MIT
 *
 * guests.c - users who come by their name alone, as the protocol's source has it: those
 * who have neither a password nor a key (board.guests).
 *
 * One guest comes or goes at a time.  It takes files to make one and to remove one, so
 * that is a turn to wait for and not a lock; only guests wait.  The fields of `guests` but
 * busy belong to whoever has the turn.
 *
 * How many there are is counted from the files when it is first asked, and again when
 * there seem to be too many, since guests become users or are removed elsewhere.  At that
 * time those go who were left over by a server that did not see them leave.
 */
#include <stdlib.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "server/accounts.h"
#include "server/board/account.h"
#include "server/hub.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/moderation.h"
#include "server/removal.h"
#include "store/chats.h"

#define COUNT_AGAIN_MS 60000

static struct {
	struct lock lock;
	pthread_cond_t idle;
	bool busy; /* [lock] */

	bool counted;
	size_t count;
	int64_t counted_ms; /* monotonic */
} guests = {.lock = LOCK_INIT, .idle = PTHREAD_COND_INITIALIZER};

atomic_size_t board_guests_here;

static void
turn_take(void)
{
	lock_take(&guests.lock);
	while (guests.busy)
		(void)lock_wait(&guests.lock, &guests.idle, 0);
	guests.busy = true;
	lock_drop(&guests.lock);
}

static void
turn_give(void)
{
	lock_take(&guests.lock);
	guests.busy = false;
	pthread_cond_signal(&guests.idle);
	lock_drop(&guests.lock);
}

void
board_guests_forget(void)
{
	guests.counted = false;
}

/* ---- who is one ---- */

bool
board_is_guest(struct server *server, const struct user *u)
{
	struct file_stamp stamp;

	return u->password[0] == '\0' &&
	       users_stamp_pem(server->store, u->name, &stamp) == Q_MISSING;
}

bool
board_guest_set(struct board_session *bs, bool is)
{
	bool was = atomic_exchange(&bs->guest, is);

	if (is && !was)
		atomic_fetch_add(&board_guests_here, 1);
	else if (was && !is)
		atomic_fetch_sub(&board_guests_here, 1);
	return was;
}

static enum qerr
get_guest(struct server *server, const char *name, struct user *u)
{
	enum qerr e = accounts_get(server->accounts, name, u);
	bool is = e == Q_OK && board_is_guest(server, u);

	secret_wipe(u->password, sizeof(u->password));
	return e != Q_OK || is ? e : Q_DENIED;
}

bool
board_guest_still(struct board_session *bs)
{
	struct session *seat = sio_seat(bs->sio);
	char user[NAME_SIZE];
	struct user u;

	if (!atomic_load(&bs->guest))
		return true;
	sessions_user(bs->server->sessions, seat, user);
	if (user[0] == '\0' || get_guest(bs->server, user, &u) != Q_DENIED)
		return true;
	/* Whoever came by the name alone has no right to it any more. */
	(void)tokens_revoke_all(bs->server->store, user);
	session_end(seat, GOODBYE_REMOVED, "this name needs a password or a key now");
	return false;
}

/* ---- going ---- */

/* In the turn.  Errors leave it there: it goes another time. */
static void
remove_unused(struct server *server, const char *name)
{
	struct chat_info *chats;
	struct user u;
	size_t n;

	/* Whoever is banned or muted would come back as a new guest. */
	if (moderation_holds(server->moderation, name, RESTRICTION_BAN) ||
	    moderation_holds(server->moderation, name, RESTRICTION_MUTE) ||
	    sessions_online(server->sessions, name) ||
	    get_guest(server, name, &u) != Q_OK ||
	    chats_of(server->chats, name, &chats, &n) != Q_OK)
		return;
	free(chats);
	if (n > 0 || removal_forget(server, name) != Q_OK ||
	    users_remove(server->store, name) != Q_OK)
		return;
	/* Somebody who came in with its token just now. */
	hub_kick(server, name, GOODBYE_REMOVED, "your user was removed");
	(void)removal_forget_late(server, name);
	if (guests.count > 0)
		guests.count--;
	log_event(LOG_INFO, NULL, "guest-gone", "name=%s", name);
}

void
board_guest_left(struct server *server, const char *name)
{
	/* They come back after a restart. */
	if (atomic_load(&server->stopping))
		return;
	turn_take();
	remove_unused(server, name);
	turn_give();
}

/* ---- counting ---- */

static bool
sweep_one(void *arg, const char *user, const struct token_id *id)
{
	(void)id;
	remove_unused(arg, user);
	return true;
}

static bool
count_one(void *arg, const char *name)
{
	struct user u;

	if (get_guest(arg, name, &u) == Q_OK)
		guests.count++;
	return true;
}

/* In the turn: may there be one more?  Q_LIMIT. */
static enum qerr
room_for_one(struct server *server)
{
	size_t max = (size_t)config_now()->board_max_guests;
	int64_t now_ms = clock_mono_ms();
	enum qerr e = Q_OK;

	if (!guests.counted ||
	    (guests.count >= max && now_ms - guests.counted_ms >= COUNT_AGAIN_MS)) {
		/* Everybody who has been logged in here has had a token. */
		(void)tokens_each(server->store, TOKEN_BOARD, sweep_one, server);
		guests.count = 0;
		e = users_each(server->store, count_one, server);
		guests.counted = e == Q_OK;
		guests.counted_ms = now_ms;
	}
	return e == Q_OK && guests.count >= max ? Q_LIMIT : e;
}

/* ---- coming ---- */

/* In the turn: make the guest.  Q_LIMIT: *reason says which. */
static enum qerr
make(struct board_session *bs, struct board_call *call, const char *name,
     const char **reason, struct user *u)
{
	struct server *server = bs->server;
	enum qerr e = room_for_one(server);

	if (e == Q_LIMIT)
		*reason = "There are too many guests";
	else if (e == Q_OK && (*reason = board_limited(bs, call, LIMIT_ACCOUNT)) != NULL)
		e = Q_LIMIT;
	if (e != Q_OK)
		return e;
	*u = (struct user){.uin = 0};
	strlcpy(u->name, name, sizeof(u->name));
	e = accounts_add(server->accounts, u, (struct span){NULL, 0}, NULL);
	if (e != Q_OK)
		return e;
	guests.count++;
	metric_add(METRIC_enrolments_total, 1);
	log_event(LOG_INFO, sio_seat(bs->sio), "guest-made", "name=%s", u->name);
	return Q_OK;
}

enum qerr
board_guest_enter(struct board_session *bs, struct board_call *call, const char *name,
		  const char **reason)
{
	const char *banned = NULL;
	bool is_new;
	struct user u;
	enum qerr e;

	if (!config_now()->board_guests || name[0] == '\0')
		return Q_MISSING;
	turn_take();
	if ((is_new = (e = get_guest(bs->server, name, &u)) == Q_MISSING))
		e = make(bs, call, name, reason, &u);
	if (e == Q_OK && (e = board_enter(bs, &u, LOGIN_REFUSE)) == Q_DENIED)
		banned = board_banned(bs, call, u.name);
	if (e != Q_OK && is_new)
		remove_unused(bs->server, u.name);
	turn_give();
	if (e == Q_OK || e == Q_LIMIT)
		return e;
	if ((*reason = banned) != NULL)
		return Q_LIMIT;
	if (e == Q_DENIED || e == Q_EXISTS || e == Q_FORMAT)
		return Q_MISSING;
	*reason = board_failed(bs, "guest", e);
	return Q_LIMIT;
}
