/* SPDX-License-Identifier: MIT */
#include "client/sides.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"

/* So long a side that was finished may take for what was still to be sent. */
#define FINISH_MS 5000

struct side {
	unsigned id; /* 0: free */
	struct link *link;
	bool up;
	bool finished; /* the machine wants no more of it */
	int64_t until_ms;
	short revents;
};

struct sides {
	const struct link *main;
	const struct client_side_ops *ops;
	struct client_sides offer;
	int epoll;
	unsigned last_id;
	short main_revents;
	struct side all[CLIENT_SIDES_MAX];
};

/* ---- what a machine asks for ---- */

static struct side *
find(struct sides *s, unsigned id)
{
	for (size_t i = 0; i < CLIENT_SIDES_MAX; i++)
		if (s->all[i].id == id)
			return &s->all[i];
	return NULL;
}

static void
drop(struct side *d)
{
	link_free(d->link);
	*d = (struct side){.id = 0};
}

static enum qerr
open_side(void *arg, const struct link_mutual *how, unsigned *id, struct why *why)
{
	struct sides *s = arg;
	struct side *d = find(s, 0);
	struct target target;
	enum qerr e;

	if (d == NULL)
		return why_set(why, Q_LIMIT, "too many connections at once");
	if (link_remote(s->main, &target) != Q_OK)
		return why_set(why, Q_CLOSED, "the connection to the server is gone");
	if ((e = link_open(&target, LINK_MUTUAL, NULL, &d->link, why)) != Q_OK)
		return e;
	link_mutual(d->link, how);
	if (++s->last_id == 0)
		s->last_id = 1;
	d->id = s->last_id;
	*id = d->id;
	return Q_OK;
}

static struct buf *
side_out(void *arg, unsigned id)
{
	struct side *d = find(arg, id);

	return d != NULL && id != 0 ? link_out(d->link) : NULL;
}

static void
finish_side(void *arg, unsigned id)
{
	struct side *d = find(arg, id);

	if (id == 0 || d == NULL || d->finished)
		return;
	d->finished = true;
	d->until_ms = d->up ? clock_mono_ms() + FINISH_MS : clock_mono_ms();
	link_finish(d->link);
}

/* ---- life ---- */

enum qerr
sides_new(const struct link *main, const struct client_side_ops *ops, struct sides **out,
	  struct why *why)
{
	struct sides *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return why_set(why, Q_NOMEM, "there is no memory for a connection");
	s->main = main;
	s->ops = ops;
	s->offer = (struct client_sides){s, open_side, side_out, finish_side};
	if ((s->epoll = epoll_create1(EPOLL_CLOEXEC)) == -1) {
		free(s);
		return why_set(why, Q_SYS, "cannot watch connections: %s",
			       strerror(errno));
	}
	*out = s;
	return Q_OK;
}

void
sides_free(struct sides *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < CLIENT_SIDES_MAX; i++)
		drop(&s->all[i]);
	close(s->epoll);
	free(s);
}

const struct client_sides *
sides_offer(struct sides *s)
{
	return &s->offer;
}

/* ---- the loop ---- */

int
sides_fd(const struct sides *s)
{
	return s->epoll;
}

/* Descriptors that were closed have left the set by themselves, and a new one may have an
 * old one's number. */
static void
watch(struct sides *s, size_t slot, const struct link *l)
{
	struct epoll_event e = {.events = (uint32_t)(unsigned short)link_poll_events(l),
				.data.u64 = slot};
	int fd = link_fd(l);

	if (fd != -1 && epoll_ctl(s->epoll, EPOLL_CTL_MOD, fd, &e) == -1 &&
	    errno == ENOENT)
		(void)epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e);
}

void
sides_arm(struct sides *s)
{
	watch(s, CLIENT_SIDES_MAX, s->main);
	for (size_t i = 0; i < CLIENT_SIDES_MAX; i++)
		if (s->all[i].id != 0)
			watch(s, i, s->all[i].link);
}

short
sides_ready(struct sides *s)
{
	struct epoll_event e[CLIENT_SIDES_MAX + 1];
	int n = epoll_wait(s->epoll, e, CLIENT_SIDES_MAX + 1, 0);
	short main = 0;

	for (int i = 0; i < n; i++) {
		if (e[i].data.u64 == CLIENT_SIDES_MAX)
			main = (short)e[i].events;
		else
			s->all[e[i].data.u64].revents = (short)e[i].events;
	}
	return main;
}

static bool
over(const struct side *d, enum qerr e)
{
	return e != Q_OK || (d->finished && clock_left_ms(d->until_ms) == 0);
}

/* The machine may finish this side, and open others, in each of its functions. */
static void
step(struct sides *s, struct side *d, void *machine)
{
	uint8_t key[SHA256_LEN];
	struct why why = {""};
	enum qerr e = link_step(d->link, d->revents, &why);

	d->revents = 0;
	if (!d->up && !d->finished && link_up(d->link)) {
		d->up = true;
		link_peer_key(d->link, key);
		s->ops->up(machine, d->id, key, clock_mono_ms());
	}
	if (d->up && !d->finished)
		s->ops->input(machine, d->id, link_in(d->link), clock_mono_ms());
	if (d->finished)
		link_in(d->link)->len = 0;
	else if (e != Q_OK)
		s->ops->lost(machine, d->id, e, why.text);
	if (over(d, e))
		drop(d);
}

void
sides_step(struct sides *s, void *machine)
{
	for (size_t i = 0; i < CLIENT_SIDES_MAX; i++)
		if (s->all[i].id != 0)
			step(s, &s->all[i], machine);
}

int64_t
sides_deadline(const struct sides *s)
{
	int64_t first = 0;

	for (size_t i = 0; i < CLIENT_SIDES_MAX; i++) {
		const struct side *d = &s->all[i];
		int64_t at = d->id == 0 ? 0 : link_deadline(d->link);

		if (d->finished && (at == 0 || d->until_ms < at))
			at = d->until_ms;
		if (at != 0 && (first == 0 || at < first))
			first = at;
	}
	return first;
}

size_t
sides_waiting(const struct sides *s)
{
	size_t n = 0;

	for (size_t i = 0; i < CLIENT_SIDES_MAX; i++)
		if (s->all[i].id != 0)
			n += link_out(s->all[i].link)->len;
	return n;
}

bool
sides_none(const struct sides *s)
{
	for (size_t i = 0; i < CLIENT_SIDES_MAX; i++)
		if (s->all[i].id != 0)
			return false;
	return true;
}
