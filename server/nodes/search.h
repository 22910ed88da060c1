/* SPDX-License-Identifier: MIT
 *
 * search.h - who is where: searches that other nodes were asked for, and what was found
 * (docs/protocols/nodes.md, "Search").
 *
 * Links are numbers below SEARCH_LINKS.  However many want the same UIN, there is one
 * search for it; answers count only from links that were asked.  What was found is
 * remembered for a minute.  Pure, with a clock that the caller brings; [calls] is its
 * lock.
 */
#ifndef SERVER_NODES_SEARCH_H
#define SERVER_NODES_SEARCH_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SEARCH_LINKS     64
#define SEARCH_MAX       4096 /* at once */
#define SEARCH_FIND_MS   60000
#define SEARCH_FOLLOW_MS 3000 /* more, when an A9 is followed */
#define SEARCH_NOWHERE   (-1)

struct search;
struct find;
RB_HEAD(search_tree, search);
TAILQ_HEAD(search_list, search);
RB_HEAD(find_tree, find);
TAILQ_HEAD(find_list, find);

struct searches {
	struct search_tree open;     /* by UIN */
	struct search_list by_time;  /* the same, the one that lapses first in front */
	struct search_list ended;    /* not collected yet */
	size_t count;                /* of both */
	struct find_tree finds;      /* by UIN */
	struct find_list finds_time; /* the oldest in front */
	size_t find_count;
};

void searches_init(struct searches *s);
void searches_fini(struct searches *s);

/* Somebody looks for uin, and these links (a set of bits) are there.  True: ask them.
 * False: a search for it is on its way, or has ended at once; or Q_NOMEM, and it
 * will never end. */
bool searches_begin(struct searches *s, uint32_t uin, uint64_t links, int64_t now_ms,
		    int64_t timeout_ms);
/* Is the link's answer about uin wanted? */
bool searches_wants(struct searches *s, uint32_t uin, int link);
/* A8 from link. */
void searches_here(struct searches *s, uint32_t uin, int link, int64_t now_ms);
/* A9 is being followed: it gets more time.  False: one is followed already. */
bool searches_follow(struct searches *s, uint32_t uin);
/* The node that the A9 named is there: true: ask it. */
bool searches_followed(struct searches *s, uint32_t uin, int link);
/* Take one that has ended by now.  False: there is none.  *link may be
 * SEARCH_NOWHERE. */
bool searches_ended(struct searches *s, int64_t now_ms, uint32_t *uin, int *link);
/* When to look again, 0: no search is open. */
int64_t searches_next(const struct searches *s);

/* Where uin was found, or SEARCH_NOWHERE. */
int searches_find(struct searches *s, uint32_t uin, int64_t now_ms);
/* B8 from link: uin is not there any more. */
void searches_forget(struct searches *s, uint32_t uin, int link);
/* The link is gone. */
void searches_lost(struct searches *s, int link);

#endif
