/* SPDX-License-Identifier: MIT
 *
 * relay_file.h - files inside relay's sealed peer messages, to structs and back
 * (docs/protocols/relay.md, "Files").  Pure; spans are borrowed from what was parsed.
 *
 *	353 first   uint32 id | int64 size | sha256 32 | name
 *	351 middle  uint32 id | bytes
 *	352 last    uint32 id | bytes
 *	354 word    uint32 id | uint8 word | reason
 *
 * All integers are little-endian; name, bytes and reason go to the end of the message.
 */
#ifndef PROTOCOL_RELAY_FILE_H
#define PROTOCOL_RELAY_FILE_H

#include "base/bytes.h"

/* Opcodes inside a peer message. */
enum relay_file_opcode {
	RELAY_FILE_MIDDLE = 351,
	RELAY_FILE_LAST = 352,
	RELAY_FILE_FIRST = 353,
	RELAY_FILE_WORD = 354 /* ours: the source has no word for an answer */
};

#define RELAY_FILE_HASH_LEN   32
#define RELAY_FILE_NAME_MAX   1024
#define RELAY_FILE_REASON_MAX 255
#define RELAY_FILE_CHUNK      32768 /* bytes of a file in a message, at most */

struct relay_file_first {
	uint32_t id; /* the sender counts its files; unique in a chat and direction */
	uint64_t size;
	uint8_t hash[RELAY_FILE_HASH_LEN]; /* SHA-256 of all of it */
	struct span name;                  /* as its sender calls it: anything */
};

struct relay_file_part {
	uint32_t id;
	struct span bytes;
};

enum relay_file_says {
	RELAY_FILE_ACCEPT = 1,  /* receiver: send it */
	RELAY_FILE_REFUSE = 2,  /* receiver: no; nothing was sent yet */
	RELAY_FILE_STOP = 3,    /* receiver: no more of it */
	RELAY_FILE_STORED = 4,  /* receiver: all is there, and the hash is right */
	RELAY_FILE_WITHDRAW = 5 /* sender: no more will come of it */
};

struct relay_file_word {
	uint32_t id; /* of the file's sender, whoever says the word */
	enum relay_file_says says;
	struct span reason; /* for people; perhaps empty */
};

/* Q_FORMAT: too short, a negative size, too long a name or reason, too many bytes, a
 * word that there is not. */
enum qerr relay_file_first_parse(struct span data, struct relay_file_first *out);
enum qerr relay_file_part_parse(struct span data, struct relay_file_part *out);
enum qerr relay_file_word_parse(struct span data, struct relay_file_word *out);

/* Append the data.  Q_LIMIT, Q_NOMEM: nothing is appended. */
enum qerr relay_file_first_put(struct buf *out, const struct relay_file_first *m);
enum qerr relay_file_part_put(struct buf *out, const struct relay_file_part *m);
enum qerr relay_file_word_put(struct buf *out, const struct relay_file_word *m);

#endif
