/* SPDX-License-Identifier: MIT
 *
 * rooms_content.h - the content of rooms' messages, end to end
 * (docs/protocols/rooms.md, "End-to-end content"): sealed by the author's device for
 * every chat key of every member, signed with the author's chat key.  Pure: no socket,
 * no clock.
 */
#ifndef CLIENT_ROOMS_CONTENT_H
#define CLIENT_ROOMS_CONTENT_H

#include "crypto/key.h"
#include "protocol/rooms.h"

#define ROOMS_KEYID_SIZE (ROOMS_KEYID_LEN + 1)

/* What a content is bound to; readers take it from the packet, never from inside. */
struct rooms_place {
	struct uuid room;
	struct span from; /* the author's name as the server writes it */
	enum rooms_use {
		ROOMS_USE_TEXT,      /* send, msg-text */
		ROOMS_USE_SMALLFILE, /* send, msg-smallfile */
		ROOMS_USE_EDIT,      /* edit */
		ROOMS_USE_REASON     /* delete */
	} use;
	struct uuid target; /* edit, delete: msg; nil for others */
};

/* The chat key in pem, P-256 and nothing else around it, and its KEYID (may be NULL).
 * Q_FORMAT, Q_DENIED, Q_LIMIT, Q_NOMEM. */
enum qerr rooms_chat_key(struct span pem, struct key **out, char keyid[ROOMS_KEYID_SIZE]);

/* A bound on the content's length for plain_len bytes and n keys. */
size_t rooms_content_size(size_t plain_len, size_t n);

/* Append the content for plain: author is the device's own chat key with its private
 * half, readers are all chat keys of all members, the author's own among them (doubles
 * count once).  ctr is above all that author has used in that room.  Q_LIMIT: beyond
 * out's max; Q_NOMEM, Q_CRYPTO. */
enum qerr rooms_content_seal(const struct rooms_place *place, uint64_t ctr,
			     struct key *author, struct key *const *readers, size_t n,
			     struct span plain, struct buf *out);

struct rooms_opened {
	uint64_t ctr;
	char by[ROOMS_KEYID_SIZE]; /* the author's key that signed */
};

/* Open content into plain (emptied first; wipe it).  own is a chat key of ours with its
 * private half, authors are the chat keys known of the author.  Checks everything but
 * ctr, which only the caller can judge.  Q_OK; Q_FORMAT: not this
 * layout; Q_MISSING: signed by a key that is none of authors (opened->by says which),
 * or not sealed for own (plain: why); Q_DENIED: a signature, room, author, use or
 * target that is not right, or it was changed; Q_LIMIT, Q_NOMEM, Q_CRYPTO.  why is a
 * phrase for people. */
enum qerr
rooms_content_open(const struct rooms_place *place, struct key *own,
		   struct key *const *authors, size_t n, struct span content,
		   struct buf *plain, struct rooms_opened *opened, struct why *why);

/* A file's plain text: name 00 type 00 bytes.  Name and type hold no NUL: Q_FORMAT. */
struct rooms_smallfile {
	struct span name, type, bytes;
};
enum qerr rooms_smallfile_parse(struct span plain, struct rooms_smallfile *out);
enum qerr rooms_smallfile_put(struct buf *out, const struct rooms_smallfile *f);

#endif
