/* SPDX-License-Identifier: MIT
 *
 * locks.h - the order of the server's locks, in one place.
 *
 * A thread that holds a lock may take only locks that stand below it here.
 * ThreadSanitizer and helgrind run the tests and would report a cycle; the
 * functions that need a lock assert that it is held (base/lock.h).
 *
 *   0. server_reload       one reload at a time (server.c); the one lock that is
 *                          held while files are read: only reloads wait for it
 *   1. relay/switchboard   who is online, asked, or in a chat (relay/switchboard.c)
 *      nodes/calls         who calls whom (nodes/step.c)
 *      board               one a connection of board; never two at once (board/)
 *   2. sessions            the session table (sessions.c)
 *      eio                 one an Engine.IO session; never two at once (engineio/)
 *   3. outbox              one a session; never two at once (outbox.c)
 *   4. leaves, held for a few lines, calling nothing that locks:
 *      flusher, timers, throttle, limits, moderation (also below the session table's
 *      lock), accounts' key cache, log, identity, the table of
 *      shared chats (shared.c), each shared chat's own (shared_priv.h),
 *      what is to be saved of them (shared_save.c), board's thumbs (board/thumbs.c),
 *      rooms' uuids and saver (rooms/), owners of tokens (token_owners.c),
 *      board's presence (board/presence.c; also below the session table's lock),
 *      whose turn it is among guests (board/guests.c),
 *      the dialer's targets (nodes/dial.c) and, below them, each look-up of a name
 *      (nodes/lookup.c), a link's turns (nodes/turns.c),
 *      rooms' list of positions to be settled (rooms/positions.c),
 *      each pool's queue (pool.c), each Engine.IO server's table
 *      (engineio/eio_server.c; also below the session table's lock), each TLS connection (stream_tls.c; held for one
 *      record's cryptography)
 *
 * The store's locks are its own: no lock of the server is held over a call
 * into the store, because the store may wait for the disk.  What it answers from
 * memory is an exception (chats_get, under the table of shared chats).
 * No lock is held over a blocking call.  Writing to a socket, plain or TLS, under
 * its outbox lock is allowed because it never blocks (MSG_DONTWAIT).
 */
#ifndef SERVER_LOCKS_H
#define SERVER_LOCKS_H
#endif
