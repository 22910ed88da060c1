/* SPDX-License-Identifier: MIT
 *
 * links.h - links with other nodes.
 */
#ifndef SERVER_NODES_LINKS_H
#define SERVER_NODES_LINKS_H

#include "server/nodes/calls.h"
#include "server/session.h"

/* How many searches a party may have open; 0: there is nobody to ask. */
unsigned links_searches(void);
/* [calls] is held: TOLD_SEARCH, TOLD_WIRE_...  Nothing waits. */
void links_tell(const struct calls_told *told);
/* Worker of a control connection: answer 90 with A4. */
void links_list(struct session *s);

struct leg;
/* Worker of a data connection whose call goes over a wire: send these bytes as D0, when
 * it is this call's turn and the link has room.  Q_CLOSED: the call is over. */
enum qerr links_data(struct leg *leg, struct span bytes);

#endif
