/* SPDX-License-Identifier: MIT
 *
 * contacts_session.h - what contacts keeps for a connection (session->state), and what
 * the files of this folder offer each other.
 *
 * "worker" fields belong to the session's worker, [outbox] ones are guarded by
 * session->out.lock; helpers that need it held take the session.  All functions but
 * deliver's are the worker's.
 */
#ifndef SERVER_CONTACTS_CONTACTS_SESSION_H
#define SERVER_CONTACTS_CONTACTS_SESSION_H

#include "protocol/contacts.h"
#include "server/config.h"
#include "server/contacts/inbox.h"
#include "server/server.h"
#include "server/session.h"
#include "server/shared.h"
#include "store/positions.h"
#include "store/relations.h"

/* A 233 that this session was sent. */
struct contacts_heard {
	char name[NAME_SIZE];
	uint64_t event; /* of the wish or confirmation: relations.h */
	bool news;      /* of a confirmation, which is told once */
	bool settled;   /* the store knows that it was told */
	uint64_t end;   /* the connection's bytes up to its end */
};

struct contacts_session {
	struct session *session;     /* the owner of this; no reference */
	const struct config *config; /* as it was when the connection came */

	/* worker */
	struct contacts_framer framer;
	struct buf scratch;   /* for the codec */
	struct buf reply;     /* answers that are not in the outbox yet */
	int64_t errors;       /* 210 and 211 in a row */
	int wrong;            /* wrong passwords in a row */
	bool begun;           /* the first line has come */
	bool over;            /* close once the answers are out */
	bool arriving;        /* logged in just now: what waited comes next */
	bool settle;          /* give back what the login has left (session_continue) */
	int64_t login_by_ms;  /* monotonic; 0: no limit */
	char user[NAME_SIZE]; /* as registered; "" when not logged in */
	struct shared_chat *chat; /* a reference: the one of the last 115 */
	struct had *had;          /* until what waited was sent: what had been had */
	size_t n_had;
	struct contacts_heard *heard;
	size_t n_heard;

	struct inbox inbox;   /* [outbox] */
	bool news;            /* [outbox] look for contacts that ask or confirm */
	bool timing;          /* [outbox] save_timer is running, or save_due */
	atomic_bool save_due; /* it is time to save positions */
	struct timer save_timer;
};

static inline bool
contacts_logged_in(const struct contacts_session *cs)
{
	return cs->user[0] != '\0';
}

/* One post of a run. */
#define CONTACTS_RUN_MAX 256
/* 115s that follow each other in the input and go to the same chat. */
struct contacts_run {
	uint64_t chat;
	size_t n;
	struct shared_post post[CONTACTS_RUN_MAX];
};

/* ---- answer.c ---- */
/* Note the result of putting something into cs->reply; without memory the session
 * is over. */
void contacts_answered(struct contacts_session *cs, enum qerr e);
void contacts_answer(struct contacts_session *cs, int code, int status);
/* The same for n requests. */
void contacts_answer_all(struct contacts_session *cs, int code, int status, size_t n);
/* 210 or 211 (status 0: alone): a mistake.  Too many in a row end the session. */
void contacts_answer_mistake(struct contacts_session *cs, int code, int status);
/* 211 alone. */
void contacts_answer_invalid(struct contacts_session *cs);
/* Put the answers so far into the outbox, in one piece.  While there is no room this
 * waits; the session is over when the client takes nothing for too long. */
void contacts_answers_out(struct contacts_session *cs);
/* What went wrong in the store or the core, as a status; logged. */
int contacts_failed(struct contacts_session *cs, const char *what, enum qerr e);
/* One token of what: CONTACTS_OK, CONTACTS_SERVER_ERROR or CONTACTS_USER_MUTED. */
int contacts_may(struct contacts_session *cs, enum limit what);

/* ---- the operations ---- */
typedef void
contacts_operation(struct contacts_session *cs, const struct contacts_request *r);
/* login.c */
contacts_operation contacts_login, contacts_logout, contacts_register;
/* chats.c */
contacts_operation contacts_chat_list, contacts_chat_create, contacts_chat_delete;
/* people.c */
contacts_operation contacts_own_list, contacts_list, contacts_confirm, contacts_remove;
/* Send the 233s that are due and were not sent in this login. */
void contacts_tell_news(struct contacts_session *cs);
/* Those news of which acked bytes have arrived are told. */
void contacts_settle_news(struct contacts_session *cs, uint64_t acked);
/* The user that name means, as registered: CONTACTS_OK, or 410 also for oneself, or
 * 413. */
int contacts_other(struct contacts_session *cs, struct span name, char out[NAME_SIZE]);
/* media.c */
contacts_operation contacts_media;
/* Store the media of r for the chat.  CONTACTS_OK, *id and *media, whose content is a
 * reference for the caller; or the status. */
int contacts_media_keep(struct contacts_session *cs, const struct contacts_request *r,
			uint64_t *id, struct shared_media *media);

/* ---- send.c ---- */
void contacts_run_clear(struct contacts_run *run);
/* A 115: into the run when it fits there, else what is there is posted first. */
void contacts_send(struct contacts_session *cs, struct contacts_run *run,
		   const struct contacts_request *r);
/* Store what is in run, tell the other member, answer; run is empty afterwards. */
void contacts_run_post(struct contacts_session *cs, struct contacts_run *run);
/* Let go of the chat of the last 115. */
void contacts_drop_chat(struct contacts_session *cs);

/* ---- deliver.c ---- */
/* The longest line that a message of len bytes can make. */
#define CONTACTS_220_MAX(len) (2 * (len) + 128)
struct event;
/* Any thread: the row's deliver. */
void contacts_deliver(struct session *s, const struct event *event);
/* Room for n more entries in the inbox's ring.  Q_NOMEM. */
enum qerr contacts_ring_room_locked(struct session *s, size_t n) REQUIRES(s->out.lock);

/* ---- catchup.c ---- */
/* Fill the inbox with the user's chats and what waits in them.  It is ARRIVING, and
 * events are told already. */
enum qerr contacts_arrive(struct contacts_session *cs);
/* Forget cs->had. */
void contacts_had_clear(struct contacts_session *cs);
/* Send what is owed from the files, as far as the outbox takes it; the worker is woken
 * when it takes more. */
void contacts_catch_up(struct contacts_session *cs);

/* ---- positions.c ---- */
contacts_operation contacts_seen;
/* Have positions saved within a second. */
void contacts_save_soon_locked(struct session *s) REQUIRES(s->out.lock);
/* Save what was delivered by now. */
void contacts_save(struct contacts_session *cs);

#endif
