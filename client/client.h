/* SPDX-License-Identifier: MIT
 *
 * client.h - the library: one connection to one server, for one user.
 *
 *	client_new(...);
 *	while (!client_over(c)) {
 *		poll client_fd(c) for client_poll_events(c), until client_deadline(c);
 *		client_step(c, what poll returned);
 *	}
 *	client_free(c);
 *
 * The front owns the loop, the terminal and the process; the library prints
 * nothing, never exits, and tells everything through one callback (event.h).
 *
 *   client.c     this: a link with a protocol's machine on it
 *   link.c       TCP; link_tls.c TLS on it, chain.c whose certificate it must be
 *   relay.c      the relay protocol; relay_login.c its handshake, relay_events.c what the
 *                server says, relay_chat.c what passes between the two ends
 *   enrol.c      enrolment
 *   channel.c    sealed frames: towards the server, and towards the partner
 *   e2e.c        agreeing on a key with the partner
 *   transfer.c   files inside a chat; transfer_out.c sends, transfer_in.c receives,
 *                transfer_meter.c knows how long it takes, download.c the folder
 *   unsent.c     messages that may not have arrived
 *   keep.c       around all of this: a client that comes back; backoff.c says when
 *   contacts.c   the contacts protocol; talk_do.c what people ask for, talk_answer.c
 *                what the server says, and for each subject a file: talk_people.c,
 *                talk_chat.c (also what is unread), talk_file.c
 *   nodes.c      the nodes protocol; nodes_calls.c its calls, sides.c their connections,
 *                link_mutual.c how they and the first one begin
 *   rooms.c      the rooms protocol; salon_do.c what people ask for, salon_list.c rooms,
 *                salon_event.c what comes from them and salon_show.c shows,
 *                salon_say.c what goes to them, salon_file.c, salon_status.c; rooms_channel.c the handshake and the seal,
 *                rooms_content.c what is sealed from end to end, rooms_keys.c for whom,
 *                rooms_state.c what is kept on the disk, rooms_memory.c and what is not
 *   rooms_account.c   before that: a new account, or a password (rooms_join.c asks the
 *                person, captcha_text.c shows the picture), for a token
 *   pins.c       whose key was which; verify.c what follows from it
 *   history.c    what was said, sealed on our disk; recall.c keeps and shows it
 *   profile.c    the files below ~/.config/quintet
 *
 * A struct client belongs to one thread.  Only client_new may block, and only
 * while a host name is looked up.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "client/protocol.h"
#include "client/target.h"

struct client;

/* The protocols that can be logged in with, by name; NULL: no such. */
const struct client_protocol *client_protocol_find(const char *name);

/* Look up target and begin to connect.  login is borrowed until client_free.
 * Q_MISSING: no such host; Q_SYS; Q_NOMEM; why is a sentence. */
enum qerr client_new(const struct target *target, const struct client_protocol *protocol,
		     const struct client_login *login, client_event_fn *event,
		     void *event_arg, struct client **out, struct why *why);
/* Closes at once; client_do(CLIENT_DO_LOGOUT) first is polite.  NULL is fine. */
void client_free(struct client *c);

/* The descriptor may change with each step. */
int client_fd(const struct client *c);
short client_poll_events(const struct client *c);
/* On the monotonic clock; 0: none. */
int64_t client_deadline(const struct client *c);
/* Go on: connect, read, act, write.  revents may be 0 (a deadline passed). */
void client_step(struct client *c, short revents);
/* The final event has been told. */
bool client_over(const struct client *c);
/* Wait for the server no longer: what is in doubt is told, and the final event. */
void client_give_up(struct client *c);

/* Ask for something.  Q_OK: it is on its way; else why is a sentence. */
enum qerr
client_do(struct client *c, enum client_verb verb, struct span arg, struct why *why);
/* How things stand; borrowed, changes with each call. */
const struct client_view *client_view(const struct client *c);
/* Bytes that wait to be sent.  A front stops reading its input when they are
 * many. */
size_t client_waiting(const struct client *c);
#define CLIENT_WAITING_HIGH (256 * 1024)

#endif
