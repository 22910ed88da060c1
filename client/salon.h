/* SPDX-License-Identifier: MIT
 *
 * salon.h - what rooms.c and its salon_*.c share: the machine, and what they offer each
 * other.
 */
#ifndef CLIENT_SALON_H
#define CLIENT_SALON_H

#include "client/protocol.h"
#include "client/rooms_channel.h"
#include "client/rooms_content.h"
#include "client/rooms_keys.h"
#include "client/rooms_state.h"
#include "client/transfer_meter.h"

#define SALON_HELLO_MS  10000
#define SALON_ANSWER_MS 60000
#define SALON_FLUSH_MS  1000               /* positions go to the disk so often */
#define SALON_KEPT_MAX  (8 * 1024 * 1024)  /* of one room, unread */
#define SALON_EARLY_MAX (64 * 1024 * 1024) /* what comes before the list of rooms does */
#define SALON_READERS   ROOMS_RECEIPT_MEMBERS

/* Somebody has read our messages up to that number, which the person knows. */
struct salon_reader {
	char name[NAME_SIZE];
	struct uuid msg; /* how far, as the server says it: perhaps beyond what we know */
	uint64_t number; /* of the last message of ours that this covers, once told */
};

struct salon_room {
	struct uuid id;
	enum rooms_kind kind;
	char name[ROOMS_NAME_MAX + 1];
	char label[ROOMS_LABEL_SIZE];
	char owner[NAME_SIZE];
	char (*members)[NAME_SIZE]; /* in order of joining */
	size_t member_count;
	char (*admins)[NAME_SIZE];
	size_t admin_count;

	int64_t had;         /* the newest event that has come */
	int64_t shown;       /* everything up to this one was shown */
	int64_t seen;        /* what the server was told of shown */
	struct buf kept;     /* not shown yet: length u32, packet */
	size_t unread;       /* messages of others among them */
	size_t told;         /* of unread, the person knows of so many */
	bool full;           /* some are counted, but not kept */
	struct uuid oldest;  /* message that was shown; nil: none */
	struct uuid newest;  /* message of somebody else that was shown */
	struct uuid receipt; /* what the others were told of newest */
	struct salon_reader readers[SALON_READERS];
};

/* What a person waits for. */
struct salon_doing {
	bool on;
	enum client_verb verb;
	char ref[ROOMS_REF_SIZE];
	char label[ROOMS_LABEL_SIZE]; /* the room that it is about, or "" */
	uint64_t number;              /* the message, or 0 */
	size_t count;                 /* /sync: shown so far */
};

struct salon {
	const struct client_env *env;
	struct rooms_state *state;   /* borrowed, outlives us */
	struct rooms_memory *memory; /* a part of it */
	struct rooms_channel channel;
	struct rooms_keys *keys;
	char name[NAME_SIZE]; /* ours */
	bool logged_in;
	bool listed;    /* the list of rooms is complete */
	bool queue_end; /* and what has waited has come */
	bool leaving, over;
	bool complained;                     /* that positions cannot be kept */
	int64_t now_ms, answer_ms, flush_ms; /* deadlines; 0: none */
	int64_t later_ms; /* nothing is said before; the server has asked for it */
	int64_t quiet_ms; /* when the server will have said nothing for too long */
	int64_t alive_ms; /* until when it must say something; 0: it was not asked */
	size_t waited;    /* env->waiting when last looked at */

	struct salon_room **rooms;
	size_t room_count, room_room;
	struct salon_room *open; /* NULL: none */
	struct buf early;        /* events before the list: length u32, packet */
	struct buf plain;        /* a content that has been opened */
	struct salon_doing doing;

	/* a file on its way out */
	struct rooms_going *file;
	size_t file_bytes; /* as they go over the wire */
	struct transfer_meter file_meter, get_meter;
};

/* ---- rooms.c ---- */
void salon_finish(struct salon *m, enum client_event_kind kind, const char *text);
/* Q_FULL: not now; whatever else goes wrong is the end. */
enum qerr salon_put(struct salon *m, const struct rooms_packet *p);
/* The same with a ref, for something that a person waits for; why is a sentence. */
enum qerr salon_ask(struct salon *m, enum client_verb verb, struct rooms_packet *p,
		    const struct salon_room *r, struct why *why);
/* What the person waited for is over. */
void
salon_done(struct salon *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void
salon_failed(struct salon *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Trouble that nobody waits for. */
void
salon_refuse(struct salon *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void salon_tell(struct salon *m, const struct client_event *e);
bool salon_is_doing(const struct salon *m, struct span ref);

/* ---- salon_status.c: logging in, and STATUS ---- */
/* The connection is sealed: the token. */
void salon_log_in(struct salon *m);
void salon_on_status(struct salon *m, const struct rooms_packet *p);

/* ---- salon_list.c: rooms ---- */
void salon_rooms_free(struct salon *m);
struct salon_room *salon_room_of(struct salon *m, const struct uuid *id);
/* By what people type: a label, with or without its '#'.  NULL: no such. */
struct salon_room *salon_room_called(struct salon *m, struct span label);
void salon_ask_list(struct salon *m, const struct uuid *after);
void salon_on_list(struct salon *m, const struct rooms_list_data *d);
void salon_on_info(struct salon *m, const struct rooms_packet *p);
void salon_on_join(struct salon *m, const struct rooms_info *info);
void salon_on_altered(struct salon *m, const struct rooms_packet *p);
/* Show what waits in it and all that comes from now on; NULL: none is open. */
void salon_open(struct salon *m, struct salon_room *r, const char *why_closed);
void salon_tell_rooms(struct salon *m);
void salon_tell_people(struct salon *m);
bool salon_may_say(const struct salon *m, const struct salon_room *r);

/* ---- salon_event.c: what comes from rooms ---- */
/* An event, which stands in plain. */
void salon_on_event(struct salon *m, const struct rooms_packet *p, struct span plain);
/* The list is there: what came before it. */
void salon_settle_early(struct salon *m);
/* Show what is kept of the room, which has just been opened. */
void salon_show_kept(struct salon *m, struct salon_room *r);
void salon_on_sync(struct salon *m, const struct rooms_packet *p);
void salon_on_receipt(struct salon *m, const struct rooms_receipt *d);
/* A message of ours has got its id, which a receipt may have named already. */
void salon_settle_receipts(struct salon *m, const struct uuid *room);
/* Tell the person of unread messages, and the server of those that were shown. */
void salon_settle_seen(struct salon *m);

/* ---- salon_show.c ---- */
/* A message of an open room, or something about one. */
void salon_show_event(struct salon *m, struct salon_room *r, const struct rooms_event *d);
/* One of the room's log. */
void
salon_show_logged(struct salon *m, struct salon_room *r, const struct rooms_message *d);

/* ---- salon_say.c: what goes to rooms ---- */
/* Seal plain for all of the room. */
enum qerr salon_seal(struct salon *m, const struct salon_room *r, enum rooms_use use,
		     const struct uuid *target, struct span plain, size_t max,
		     struct buf *out, struct why *why);
enum qerr salon_say(struct salon *m, struct span text, struct why *why);
/* Send what is not sent yet. */
void salon_settle_going(struct salon *m);
void salon_on_sent(struct salon *m, struct rooms_going *g, const struct uuid *msg);
void salon_send_later(struct salon *m, struct rooms_going *g, int64_t seconds);
void salon_not_sent(struct salon *m, struct rooms_going *g, const char *reason);

/* ---- salon_file.c ---- */
enum qerr salon_send_file(struct salon *m, struct span path, struct why *why);
enum qerr salon_get_file(struct salon *m, struct span arg, struct why *why);
/* Forget the file that waits to be sent; which: "send", "get" or "".  Q_DENIED: there is
 * none, or it is on its way. */
enum qerr salon_cancel_file(struct salon *m, struct span which, struct why *why);
void salon_on_file(struct salon *m, const struct rooms_packet *p);
/* A file has come, whole or (bytes.p NULL) by its size alone. */
void salon_tell_file(struct salon *m, const struct rooms_shown *s,
		     const struct rooms_smallfile *f, int64_t size);
/* The file that is going out is being sent now, is to be sent again later, has arrived,
 * has not (reason). */
void salon_file_begun(struct salon *m, struct rooms_going *g, size_t bytes);
void salon_file_waits(struct salon *m, struct rooms_going *g);
void salon_file_over(struct salon *m, struct rooms_going *g, const char *reason);
/* Tell how far files are. */
void salon_settle_files(struct salon *m);

/* ---- salon_do.c ---- */
enum qerr
salon_do(struct salon *m, enum client_verb verb, struct span arg, struct why *why);
/* The next word of *rest, which may be in quotes; empty: there is none. */
struct span salon_word(struct span *rest);
/* A message's number at the front of *rest is cut off; else 0. */
uint64_t salon_number(struct span *rest);

#endif
