/* SPDX-License-Identifier: MIT
 *
 * links.h - all links with other nodes: who is linked, who is where, what is known.
 */
#ifndef SERVER_NODES_LINKS_H
#define SERVER_NODES_LINKS_H

#include "crypto/hash.h"
#include "protocol/nodes.h"
#include "server/nodes/calls.h"
#include "server/server.h"
#include "server/session.h"

struct node_link;

enum qerr links_start(struct server *server);
void links_stop(void);

/* ---- for the calls; [calls] is held ---- */
/* How many searches a party may have open; 0: there is nobody to ask. */
unsigned links_searches(void);
/* TOLD_SEARCH, TOLD_WIRE_...  Nothing waits. */
void links_tell(const struct calls_told *told);
/* Before the lock is dropped: tell the calls what the searches have found. */
void links_settle(void);

/* ---- for links; their workers, no lock held ---- */
/* TLS is up.  NULL, or why the link is not wanted. */
const char *links_enter(struct node_link *l);
void links_leave(struct node_link *l);
/* What a node says: A2, A4; A5, A8, A9; B8. */
void links_announced(struct node_link *l, uint16_t port);
void links_heard_of(struct node_link *l, struct span addresses, unsigned count);
void links_asked(struct node_link *l, uint32_t uin);
void links_here(struct node_link *l, uint32_t uin);
void links_there(struct node_link *l, uint32_t uin, const struct nodes_address *at);
void links_over(struct node_link *l, uint32_t a, uint32_t b);

/* ---- for others; no lock held ---- */
/* Is there a link with the node of this key? */
bool links_linked(const uint8_t fingerprint[SHA256_LEN]);
/* The settings have changed: links whose entry in nodes.peers has gone end. */
void links_review(void);
/* Worker of a control connection or a link: answer 90 with A4. */
void links_list(struct session *s);
/* Append what `ctl nodes` shows. */
void links_report(struct buf *out);

struct leg;
/* Worker of a data connection whose call goes over a wire: send what its client says as
 * D0, until the call or what the client says has ended. */
void links_forward(struct leg *leg);

#endif
