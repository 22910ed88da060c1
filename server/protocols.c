/* SPDX-License-Identifier: MIT
 *
 * The protocols that this server speaks: one line each.
 */
#include "server/protocol.h"

#include "server/board/board.h"
#include "server/contacts/contacts.h"
#include "server/http/http.h"
#include "server/nodes/nodes.h"
#include "server/relay/relay.h"
#include "server/rooms/rooms.h"
#include "server/tls.h"

const struct protocol *const protocols[] = {
    &nodes_protocol, &relay_protocol, &contacts_protocol, &http_protocol,
    &rooms_protocol, &board_protocol, &tls_protocol,      NULL,
};

/* A row that cannot tell yet stops the search: rows below it are only asked once
 * it has said no, so that the answer never depends on how the bytes were cut
 * into segments. */
enum qerr
protocol_recognise(struct span first, const struct protocol **out)
{
	for (const struct protocol *const *p = protocols; *p != NULL; p++) {
		enum qerr e = (*p)->recognise(first);

		if (e == Q_FORMAT)
			continue;
		if (e == Q_OK)
			*out = *p;
		return e;
	}
	return Q_FORMAT;
}
