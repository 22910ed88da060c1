/* SPDX-License-Identifier: MIT
 *
 * account.h - what the files of the lower half (rooms_session.h) offer each other.  All
 * is the session's worker's.
 */
#ifndef SERVER_ROOMS_ACCOUNT_H
#define SERVER_ROOMS_ACCOUNT_H

#include "protocol/rooms_account.h"
#include "server/captcha.h"
#include "server/rooms/rooms_session.h"
#include "store/users.h"

/* What waits for the peer's next word. */
enum rooms_waiting {
	WAITING_SIGNUP, /* its captcha */
	WAITING_LOGIN,  /* its captcha */
	WAITING_KEY     /* the password was right: CHAT_ENCRYPT_C, then GEN_TOKEN */
};

/* A SIGNUP or LOGIN on its way.  Holds secrets: rooms_pending_drop. */
struct rooms_pending {
	enum rooms_waiting what;
	char ref[ROOMS_REF_MAX + 1];
	bool has_ref;
	char digits[CAPTCHA_SIZE]; /* of the captcha; "": none was asked */
	int64_t until_ms;          /* it is good until then; monotonic */

	size_t password_len;
	uint8_t password[ROOMS_PASSWORD_MAX];
	bool save;                    /* LOGIN, KEY */
	char id[ROOMS_EMAIL_MAX + 1]; /* LOGIN: as sent */
	char name[NAME_SIZE];         /* LOGIN: whom that means, or "" */
	struct user user;             /* SIGNUP: all but the hash; KEY: the record whose
					* password was shown */
};

/* ---- channel.c ---- */
enum qerr rooms_answer_fault(struct rooms_session *rs, const struct rooms_fault *fault);
/* The peer is not to be trusted any longer: 1008. */
void rooms_broken(struct rooms_session *rs, const char *reason);
/* Open an envelope where it lies; *payload becomes the packet in it.  Anything but Q_OK:
 * it is none that the peer should send now. */
enum qerr rooms_open_message(struct rooms_session *rs, struct span *payload);
/* A packet with a password or token in it has been dealt with. */
void rooms_wipe_message(struct span payload);

/* ---- handshake.c ---- */
void rooms_conn_init(struct rooms_session *rs, const struct rooms_packet *p);
void rooms_conn_encrypt(struct rooms_session *rs, const struct rooms_packet *p);

/* ---- pending.c ---- */
/* A new one in place of what there was; SERVER_ERROR was answered when it is NULL. */
struct rooms_pending *
rooms_pending_new(struct rooms_session *rs, enum rooms_waiting what, struct span ref);
void rooms_pending_drop(struct rooms_session *rs); /* none is fine */
struct span rooms_pending_ref(const struct rooms_pending *w);

/* ---- captcha_ask.c ---- */
/* Have the peer solve a captcha before what is pending goes on. */
void rooms_captcha_ask(struct rooms_session *rs);
/* S_CAPTCHA: go on with it, or say what was wrong. */
void rooms_captcha_solved(struct rooms_session *rs, const struct rooms_packet *p);

/* ---- account_signup.c ---- */
void rooms_signup(struct rooms_session *rs, const struct rooms_packet *p);
/* The captcha was solved, or none is asked; ref is of the packet to be answered. */
void rooms_signup_go(struct rooms_session *rs, struct span ref);

/* ---- account_login.c ---- */
void rooms_login(struct rooms_session *rs, const struct rooms_packet *p);
/* The captcha was solved. */
void rooms_login_go(struct rooms_session *rs);
/* CHAT_ENCRYPT_C, during LOGIN or when logged in. */
void rooms_take_chat_key(struct rooms_session *rs, const struct rooms_packet *p);

/* ---- keys.c ---- */
/* How many chat keys the user has.  Q_NOMEM, Q_SYS, ... */
enum qerr rooms_key_count(struct server *server, const char *user, size_t *n);

/* ---- token.c ---- */
/* Is the password that was shown still the user's? */
bool rooms_still_proved(struct rooms_session *rs);
/* A token for the user of what is pending, which is over then. */
void rooms_token_give(struct rooms_session *rs);
void rooms_auth_token(struct rooms_session *rs, const struct rooms_packet *p);
/* The token that came with CONN_INIT. */
void rooms_token_early(struct rooms_session *rs);
void rooms_logout(struct rooms_session *rs, const struct rooms_packet *p);

/* ---- saver.c ---- */
/* A thread that saves positions once a second. */
enum qerr rooms_saver_start(struct server *server);
void rooms_saver_stop(void);

#endif
