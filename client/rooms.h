/* SPDX-License-Identifier: MIT
 *
 * rooms.h - the rooms protocol (docs/protocols/rooms.md) as a machine for client.c: many
 * people in a room, what they say sealed from end to end.
 *
 * It logs in with the token in login->rooms (rooms_join.h gets one), and begins with the
 * list of rooms, so that everything that comes afterwards has a place.
 *
 * What comes from the room that is open is shown; the rest is kept, sealed as it came,
 * and counted as unread until its room is opened.  The server is told with SEEN what was
 * shown, and from the first moment on, so that what was never shown comes again at the
 * next login.  Messages that are shown or said get numbers, by which commands call them.
 */
#ifndef CLIENT_ROOMS_H
#define CLIENT_ROOMS_H

#include "client/protocol.h"

/* Bytes of a text: one that is sealed for fifty keys still is a msg-text. */
#define ROOMS_SAY_MAX 32768

extern const struct client_protocol client_rooms;

#endif
