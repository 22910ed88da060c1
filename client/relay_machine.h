/* SPDX-License-Identifier: MIT
 *
 * relay_machine.h - what relay.c, relay_events.c and relay_login.c share.
 */
#ifndef CLIENT_RELAY_MACHINE_H
#define CLIENT_RELAY_MACHINE_H

#include "client/channel.h"
#include "client/e2e.h"
#include "client/protocol.h"
#include "client/transfer.h"
#include "client/unsent.h"
#include "protocol/relay.h"

/* Larger than what a client may send: these come from a server, which may be
 * configured for larger frames, and whose certificate may be a long chain. */
#define RELAY_FROM_SERVER_CLEAR_MAX  131072
#define RELAY_FROM_SERVER_SEALED_MAX (1024 * 1024)

#define LOGIN_MS     30000 /* a server that slows failed logins down takes 8 s */
#define KEYING_MS    30000
#define LEAVING_MS   5000
#define ANSWER_MS    30000 /* to a 374 */
#define LISTS_MAX    64    /* 374s under way */
#define HANG_UPS_MAX 2     /* logins in a row that may end so, before it is a refusal */

enum relay_state {
	RELAY_WAIT_HELLO, /* for 291 */
	RELAY_WAIT_LOGIN, /* 292 is sent: for anything sealed */
	RELAY_FREE,
	RELAY_ASKING,
	RELAY_ASKED,
	RELAY_ACCEPTING, /* 303 is sent: for 307 */
	RELAY_KEYING,
	RELAY_CHATTING,
	RELAY_SETTLING,
	RELAY_OVER
};

struct relay_machine {
	const struct client_env *env;
	enum relay_state state;
	bool leaving;         /* 372 is sent */
	size_t leaving_bytes; /* that waited to be sent when last looked at */
	int64_t deadline_ms;  /* 0: none */
	int64_t now_ms;       /* of the call that is under way */
	int64_t answer_ms; /* when a 374 must have been answered; 0: none is under way */
	int64_t quiet_ms;  /* when the server will have said nothing for too long */
	bool only_asked;   /* that 374 is all that is under way, since it was quiet */
	size_t out_left;   /* bytes to be sent when that was set */
	size_t in_left;    /* bytes of a frame that is coming in */
	int32_t nonce;     /* of 290 */
	struct channel *channel;
	struct e2e *e2e;
	struct transfer *files; /* of the chat */
	char next[NAME_SIZE];   /* SETTLING: to be asked afterwards, or "" */
	struct buf plain;       /* the frame that is being looked at */
	struct buf inner;       /* and the peer message in it */
	struct buf scratch;     /* data that is being put together */
	uint32_t lists_sent, lists_got;
	uint32_t settled_at;        /* SETTLING: until so many lists have come */
	bool list_shown[LISTS_MAX]; /* by number: a person asked for it */

	/* relay acknowledges nothing.  But frames are handled in order, so the answer
	 * to a 374 says that what was sent before it has come as far as the server,
	 * which passes it on or says that the chat has ended.  One is sent a while
	 * after something was said. */
	struct unsent unsent;
	int64_t confirm_ms;     /* when to send it; 0: not now */
	uint32_t confirmed_at;  /* its number, counted from 1; 0: none is under way */
	size_t confirmed_by_it; /* of unsent */
};

/* ---- relay.c ---- */
void relay_become(struct relay_machine *m, enum relay_state state, const char *partner);
/* One sealed frame for the server.  A failure is the end (CLIENT_LOST). */
void relay_send(struct relay_machine *m, int32_t opcode, struct span data);
/* Ask for the list; shown: for a person. */
void relay_send_list(struct relay_machine *m, bool shown);
/* Something has moved: the server has its time to answer again. */
void relay_expect_answer(struct relay_machine *m);
/* 370 or 304, with a 374 behind it: SETTLING. */
void relay_settle(struct relay_machine *m, int32_t opcode);
/* SETTLING: name will be asked when that is over. */
void relay_ask_next(struct relay_machine *m, const char *name);
/* The final event; text is a sentence. */
void relay_finish(struct relay_machine *m, enum client_event_kind kind, const char *text);

/* ---- relay_chat.c ---- */
/* What one message carries at most: a frame is limited, and sealed twice.  The size
 * field of the outer one does not count itself. */
#define RELAY_TEXT_MAX (RELAY_SEALED_MAX - RELAY_SEALED_MIN - CHANNEL_OVERHEAD)
enum qerr relay_chat_say(struct relay_machine *m, struct span text, int64_t now_ms,
			 struct why *why);
/* For transfers (transfer_send_fn). */
enum qerr relay_chat_send_file(void *machine, int32_t opcode, struct span data);
/* The data of a 350. */
void relay_chat_on_message(struct relay_machine *m, struct span data, int64_t now_ms);
/* A 374 was answered: perhaps the one that says how far messages have come. */
void relay_chat_on_answer(struct relay_machine *m, int64_t now_ms);
void relay_chat_tick(struct relay_machine *m, int64_t now_ms);
/* There is no chat any longer. */
void relay_chat_over(struct relay_machine *m);

/* ---- relay_login.c ---- */
void login_begin(struct relay_machine *m, int64_t now_ms);
/* The body of 291, behind its opcode. */
void login_on_hello(struct relay_machine *m, struct span body, int64_t now_ms);

/* ---- relay_events.c ---- */
/* Act on one opened message of the server. */
void
relay_on_message(struct relay_machine *m, const struct relay_inner *in, int64_t now_ms);
/* End the chat, because of what reason says. */
void relay_fail_chat(struct relay_machine *m, const char *reason);

#endif
