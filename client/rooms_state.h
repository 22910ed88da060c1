/* SPDX-License-Identifier: MIT
 *
 * rooms_state.h - what a user of rooms keeps on this machine for one server, below the
 * profile's folder, for nobody else's eyes:
 *
 *	rooms/CA/alice/chat-key.pem	this device's chat key, P-256
 *	               token		what logs in without a password
 *	               ctr		the last counter that was used
 *	               captcha.png	the last one
 *	               at/ROOM		how far the room has been shown, and the largest
 *					counter that has come from each key:
 *						seq 17
 *						ctr f857ae4ed6e34e33 1714567890176
 *	               people/bob	chat keys that are trusted (rooms_keys.h)
 *
 * A counter of our own is the clock's microseconds, or one more than the last of all
 * clients here, whichever is more: so none is used twice though the clock step back, or
 * this folder be lost or an old copy of it come back.  Several clients may run at once.
 * Functions may block on the disk; one thread.
 */
#ifndef CLIENT_ROOMS_STATE_H
#define CLIENT_ROOMS_STATE_H

#include "client/profile.h"
#include "client/rooms_content.h"
#include "client/rooms_memory.h"

#define ROOMS_TOKEN_SIZE 128
#define ROOMS_PATH_SIZE  4096

struct rooms_position;

struct rooms_state {
	int fd, at, people; /* folders */
	struct key *key;    /* the chat key, with its private half */
	char keyid[ROOMS_KEYID_SIZE];
	char token[ROOMS_TOKEN_SIZE]; /* "": none */
	bool remember;                /* the token goes to the disk */
	bool refused; /* the server has refused a token since it was set */
	uint64_t ctr; /* the last one of ours */
	struct rooms_position *positions;
	size_t position_count, position_room;
	struct rooms_memory memory;
};

/* Of user at the server with this CA; makes the chat key the first time.  why is a
 * sentence, here and below. */
enum qerr
rooms_state_open(const struct profile *p, const struct cert *ca, const char *user,
		 bool remember, struct rooms_state **out, struct why *why);
/* Writes what has changed, wipes.  NULL is fine. */
void rooms_state_close(struct rooms_state *s);

/* "" forgets it, on the disk too. */
enum qerr
rooms_state_set_token(struct rooms_state *s, const char *token, struct why *why);
/* A counter for a content that is sealed now; never given again, to nobody.  Q_LIMIT:
 * there are no more. */
enum qerr rooms_state_next_ctr(struct rooms_state *s, uint64_t *out, struct why *why);
/* Keep the PNG; out is its path. */
enum qerr rooms_state_keep_captcha(struct rooms_state *s, struct span png,
				   char out[ROOMS_PATH_SIZE], struct why *why);

/* ---- how far each room has been shown ---- */
/* Everything of the room up to this seq has been; 0: nothing. */
int64_t rooms_state_seq(struct rooms_state *s, const struct uuid *room);
void rooms_state_set_seq(struct rooms_state *s, const struct uuid *room, int64_t seq);
/* A live content of that key has come: does its counter rise?  It is remembered then.
 * Q_DENIED: no; Q_NOMEM. */
enum qerr rooms_state_rise(struct rooms_state *s, const struct uuid *room,
			   const char *keyid, uint64_t ctr);
/* Write what has changed. */
enum qerr rooms_state_flush(struct rooms_state *s, struct why *why);
bool rooms_state_dirty(const struct rooms_state *s);

#endif
