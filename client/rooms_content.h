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
enum rooms_use {
	ROOMS_USE_TEXT,      /* send, msg-text */
	ROOMS_USE_SMALLFILE, /* send, msg-smallfile */
	ROOMS_USE_EDIT,      /* edit */
	ROOMS_USE_REASON     /* delete */
};
struct rooms_place {
	struct uuid room;
	struct span from; /* the author; without regard to case */
	enum rooms_use use;
	struct uuid target; /* edit, delete: msg; not looked at for others */
};

#define ROOMS_CTR_MAX ((UINT64_C(1) << 53) - 1) /* the largest that JavaScript keeps */

/* The chat key in pem, P-256 and nothing else around it, and its KEYID (may be NULL).
 * Q_FORMAT, Q_DENIED, Q_LIMIT, Q_NOMEM. */
enum qerr rooms_chat_key(struct span pem, struct key **out, char keyid[ROOMS_KEYID_SIZE]);

/* The largest content that sealing plain_len bytes for n keys can make.  A text for so
 * many keys that it exceeds ROOMS_TEXT_MAX is sent as a msg-smallfile without a name, of
 * type text/plain. */
size_t rooms_content_size(size_t plain_len, size_t n);

/* Append the content for plain: author is the device's own chat key with its private
 * half, readers are all chat keys of all members, the author's own among them (doubles
 * count once).  ctr is above all that this key has used in that room, from 1.  Q_LIMIT:
 * beyond out's max, or ctr is used up; Q_DENIED: a key that is none of P-256; Q_FORMAT:
 * no name; Q_NOMEM, Q_CRYPTO. */
enum qerr rooms_content_seal(const struct rooms_place *place, uint64_t ctr,
			     const struct key *author, struct key *const *readers,
			     size_t n, struct span plain, struct buf *out);

struct rooms_opened {
	uint64_t ctr;
	char by[ROOMS_KEYID_SIZE]; /* the author's key that signed */
	bool signer_known;         /* set at Q_MISSING as well */
};

/* Open content into plain (emptied first; wipe it).  own is a chat key of ours with its
 * private half, authors are the chat keys known of the author.  Checks everything but
 * ctr, which only the caller can judge: of live events of one room and one `by` it has
 * to rise, in a room's log no two may have the same.
 * Q_FORMAT: not this layout; Q_MISSING: signed by a key that is none of authors
 * (signer_known is false), or not sealed for own; Q_DENIED: the signature is wrong, or
 * room, author, use or target are not those it was made for; Q_LIMIT: larger than
 * plain's max; Q_NOMEM, Q_CRYPTO.  why is a phrase for people. */
enum qerr
rooms_content_open(const struct rooms_place *place, const struct key *own,
		   struct key *const *authors, size_t n, struct span content,
		   struct buf *plain, struct rooms_opened *opened, struct why *why);

/* A file's plain text: name 00 type 00 bytes.  Name and type hold no NUL: Q_FORMAT. */
struct rooms_smallfile {
	struct span name, type, bytes;
};
enum qerr rooms_smallfile_parse(struct span plain, struct rooms_smallfile *out);
enum qerr rooms_smallfile_put(struct buf *out, const struct rooms_smallfile *f);

#endif
