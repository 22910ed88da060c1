/* SPDX-License-Identifier: MIT
 *
 * contacts.h - the client's side of the contacts protocol
 * (docs/protocols/contacts.md).
 *
 * Answers come in the order of the requests and carry no number, so the machine
 * keeps a queue of what it has asked.  It asks more than a person does: for the chats
 * after login and whenever a message comes from a chat that it does not know, because
 * only 112 says with whom a chat is; for the contacts after a 233, because only 118
 * tells a request from a confirmation; for a file when it is shown, because only 227
 * tells its type and size.
 *
 * What comes from the chat that is open is shown; the rest is kept and counted as
 * unread until its chat is opened.  The server is told with 122 what was shown, and
 * from the first moment on, so that what was never shown comes again at the next
 * login.
 */
#ifndef CLIENT_CONTACTS_H
#define CLIENT_CONTACTS_H

#include "client/protocol.h"

extern const struct client_protocol client_contacts;

#endif
