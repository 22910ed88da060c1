/* SPDX-License-Identifier: MIT
 *
 * transfer_sides.h - what transfer.c, transfer_out.c and transfer_in.c share.
 */
#ifndef CLIENT_TRANSFER_SIDES_H
#define CLIENT_TRANSFER_SIDES_H

#include "client/download.h"
#include "client/transfer.h"
#include "client/transfer_meter.h"
#include "crypto/hash.h"
#include "protocol/relay_file.h"

/* A file in one direction. */
struct transfer_side {
	bool outgoing;
	enum client_transfer_stage stage;
	uint32_t id; /* of this one, or of the last one */
	uint8_t called[RELAY_FILE_NAME_MAX];
	size_t called_len;
	uint64_t size, done;
	uint8_t hash[SHA256_LEN]; /* announced */
	struct sha256_run *run;   /* of what has passed so far, or NULL */
	struct transfer_meter meter;
	int fd;                   /* outgoing: -1, or the file that is read */
	struct download download; /* incoming */
};

struct transfer {
	const struct client_env *env;
	transfer_send_fn *send;
	void *send_arg;
	char partner[NAME_SIZE]; /* "": there is no chat */
	struct transfer_side out, in;
	uint8_t piece[RELAY_FILE_CHUNK];
	struct buf message; /* that is being put together */
};

/* ---- transfer.c ---- */
uint64_t transfer_limit(const struct transfer *t);
/* Tell the person how it is with the file. */
void transfer_tell(struct transfer *t, const struct transfer_side *s,
		   enum client_event_kind kind);
/* It is whole, and at path, which is NULL for one that we have sent. */
void
transfer_tell_done(struct transfer *t, const struct transfer_side *s, const char *path);
/* A word about a file; the partner learns it, or the connection is lost anyway. */
void transfer_say(struct transfer *t, uint32_t id, enum relay_file_says says,
		  const char *reason);
/* It is over for this reason, which is told; partial files are gone. */
void transfer_fail(struct transfer *t, struct transfer_side *s, struct span reason,
		   bool by_us);
void transfer_stage(struct transfer *t, struct transfer_side *s,
		    enum client_transfer_stage stage);
/* Let go of what belongs to the file. */
void transfer_reset(struct transfer *t, struct transfer_side *s);
/* "N bytes are too many, M at most". */
#define TRANSFER_PHRASE 128
void transfer_too_large(uint64_t size, uint64_t limit, char out[TRANSFER_PHRASE]);
/* Progress, when it is time for it. */
void transfer_look(struct transfer *t, struct transfer_side *s, int64_t now_ms);

/* ---- transfer_out.c ---- */
enum qerr
transfer_out_begin(struct transfer *t, struct span path, int64_t now_ms, struct why *why);
void
transfer_out_word(struct transfer *t, const struct relay_file_word *w, int64_t now_ms);
/* Is there something to be done at once? */
bool transfer_out_busy(const struct transfer *t);
void transfer_out_tick(struct transfer *t, int64_t now_ms);

/* ---- transfer_in.c ---- */
void transfer_in_first(struct transfer *t, const struct relay_file_first *m);
void transfer_in_part(struct transfer *t, const struct relay_file_part *m, bool last);
enum qerr transfer_in_get(struct transfer *t, int64_t now_ms, struct why *why);

#endif
