/* SPDX-License-Identifier: MIT
 *
 * relay.h - the client's side of the relay protocol (docs/protocols/relay.md).
 *
 *            /chat              303                308/306
 *     FREE --------> ASKING ----------> KEYING ------------> CHATTING
 *      ^ \                                ^                     |
 *      |  \ 301          /accept     307  |                     |
 *      |   `-----> ASKED -------> ACCEPTING                     |
 *      |             | /deny                                    |
 *      |             v                /end, or something wrong  |
 *      '-------- SETTLING <-------------------------------------'
 *        374                        (371, 304: to FREE at once)
 *
 * SETTLING is there because the protocol's answers carry no name: after we have
 * ended something, an answer that belongs to it may still be under way, and must
 * not be taken for one to what we ask next.  So we send 374 behind our 370 or
 * 304, ignore such answers until its reply comes, and only then ask anew.  The
 * reply to the first 374 is also how we learn that we are logged in, since the
 * protocol has no word for that.
 */
#ifndef CLIENT_RELAY_H
#define CLIENT_RELAY_H

#include "client/protocol.h"

extern const struct client_protocol client_relay;

#endif
