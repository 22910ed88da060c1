/* SPDX-License-Identifier: MIT
 *
 * tally.h - how many messages a shared chat has, from whom, and how many of them each
 * member has seen: what a list of chats with unread counts needs, at a cost that does not
 * grow with the chat.
 *
 *   DIR/tallies/ID     (the chat's number)
 *	quintet-tally: 1
 *	upto: 1024         what follows counts the messages up to this one
 *	maker: 500         written by who made the chat
 *	other: 524         and by the other member
 *	maker-seen: 510    so many of the other's the maker had when it last left the room
 *	other-seen: 0
 *	check: CCCCCCCC    CRC-32 of the lines above
 *
 * The log is the truth: whoever asks reads what it has behind `upto`, and without this
 * file all of it.  Replaced by rename and not forced to the disk, like positions: what a
 * power cut takes is counted again, and at worst counts as unread.  Any thread.
 */
#ifndef STORE_TALLY_H
#define STORE_TALLY_H

#include <stdint.h>

#include "store/store.h"

/* The two members of a chat, as indices. */
enum tally_member { TALLY_MAKER, TALLY_OTHER, TALLY_MEMBERS };

struct tally {
	uint64_t upto;
	uint64_t by[TALLY_MEMBERS];   /* messages */
	uint64_t seen[TALLY_MEMBERS]; /* of the other one's; at most so many */
};

/* Q_MISSING: none, or a damaged one, which has been set aside and reported; Q_DENIED,
 * Q_NOMEM, Q_SYS. */
enum qerr tally_load(struct store *s, uint64_t chat, struct tally *out);
/* Q_FULL, Q_DENIED, Q_NOMEM, Q_SYS: the file is as it was. */
enum qerr tally_save(struct store *s, uint64_t chat, const struct tally *t);
/* There need not be one. */
enum qerr tally_remove(struct store *s, uint64_t chat);

#endif
