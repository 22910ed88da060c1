/* SPDX-License-Identifier: MIT
 *
 * protocol.h - what the library knows of a protocol: one row of functions.
 *
 * A protocol is a machine of bytes: what came from the server goes in, what
 * goes to the server is appended to a buffer, and what a person should know
 * becomes an event.  It has no socket, no clock of its own and no terminal, so
 * tests feed it bytes, and TLS or WebSocket fit below it without its knowing.
 *
 * One thread at a time; nothing here blocks.
 */
#ifndef CLIENT_PROTOCOL_H
#define CLIENT_PROTOCOL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"
#include "client/event.h"
#include "crypto/cert.h"
#include "crypto/key.h"

struct history;
struct link_mutual;
struct pins;
struct rooms_state;
struct rooms_wish;

/* Who logs in or enrols.  Borrowed: must outlive the client. */
struct client_login {
	char user[NAME_SIZE];
	struct key *key;           /* the user's long-term key, with its private half */
	const struct cert *ca;     /* login: the server's CA, pinned */
	const char *code;          /* enrolment: as it was typed */
	const char *password;      /* where the protocol wants one */
	bool new_user;             /* become a user with that password first */
	bool clear;                /* do without TLS although the protocol wants it */
	struct pins *pins;         /* partners' keys; NULL: the protocol knows none */
	struct history *history;   /* NULL: nothing is kept */
	struct rooms_state *rooms; /* rooms: what outlives a connection */
	const struct rooms_wish *wish; /* rooms_account.h: a new account, or a password */
	const char *downloads; /* folder for files that come; NULL: the current one */
	uint64_t file_max;     /* bytes of a file, either way; 0: TRANSFER_LIMIT */
	bool comes_back;       /* fronts: a lost connection is made again (keep.h) */
	bool *was_in;          /* set when a login has succeeded; may be NULL */
};

/* A file that travels end to end (client/transfer.h). */
enum client_transfer_stage {
	CLIENT_TRANSFER_NONE,
	CLIENT_TRANSFER_PREPARING, /* ours is being read, before it is offered */
	CLIENT_TRANSFER_ASKED,     /* offered, not answered yet */
	CLIENT_TRANSFER_RUNNING
};

enum client_phase {
	CLIENT_PHASE_CONNECTING, /* also: handshake */
	CLIENT_PHASE_FREE,       /* logged in */
	CLIENT_PHASE_ASKING,     /* partner has been asked */
	CLIENT_PHASE_ASKED,      /* partner asks */
	CLIENT_PHASE_KEYING,     /* accepted; keys are being agreed on */
	CLIENT_PHASE_CHATTING,
	CLIENT_PHASE_LEAVING,
	CLIENT_PHASE_OVER
};

/* What a front may want to show all the time. */
struct client_view {
	enum client_phase phase;
	char partner[NAME_SIZE]; /* "" when there is none */
	/* What pins and the safety number call the partner and us; "": by our names. */
	char partner_as[NAME_SIZE], own_as[NAME_SIZE];
	char fingerprint[FINGERPRINT_SIZE]; /* of the partner's key while chatting */
	bool verified;                      /* and the two have compared it (/verify) */
	bool busy;         /* the next command depends on an answer that is to come */
	uint64_t said;     /* the number of what we have said last; 0: none has one */
	size_t on_the_way; /* messages that were said, and are not known to be stored,
			    * or delivered */
	size_t unread;     /* messages that have come and were not shown yet */
	enum client_transfer_stage sending, receiving;
};

/* What a person can ask for.  A protocol refuses what it has no word for. */
enum client_verb {
	CLIENT_DO_LIST,
	CLIENT_DO_CHAT, /* arg: a name */
	CLIENT_DO_CHATS,
	CLIENT_DO_CONTACTS,
	CLIENT_DO_ADD,     /* arg: a name */
	CLIENT_DO_CONFIRM, /* arg: a name */
	CLIENT_DO_REMOVE,  /* arg: a name */
	CLIENT_DO_DELETE, /* arg: "", or where messages have numbers a message's and why */
	CLIENT_DO_SEND,   /* arg: what the file is called, a NUL, a data URL */
	CLIENT_DO_SAVE,   /* arg: a file's id, as in CLIENT_FILE */
	CLIENT_DO_SEND_FILE, /* arg: a path; where the protocol streams_files */
	CLIENT_DO_GET, /* the file that was offered; arg: "", or a message's number */
	CLIENT_DO_REFUSE,
	CLIENT_DO_CANCEL, /* arg: "send", "get", or "" when only one is under way */
	CLIENT_DO_ACCEPT,
	CLIENT_DO_DENY,
	CLIENT_DO_SAY, /* arg: UTF-8 text */
	CLIENT_DO_END,
	CLIENT_DO_PING,  /* how long it takes to the partner and back, or to the server */
	CLIENT_DO_NODES, /* other servers that ours knows */
	/* Rooms (client/rooms.h).  N is a message's number; without one it is the last. */
	CLIENT_DO_CREATE,  /* arg: NAME PEOPLE, the name perhaps in quotes */
	CLIENT_DO_CHANNEL, /* the same */
	CLIENT_DO_INVITE,  /* arg: PEOPLE */
	CLIENT_DO_PROMOTE, /* arg: a name */
	CLIENT_DO_DEMOTE,  /* arg: a name */
	CLIENT_DO_RENAME,  /* arg: the room's new name */
	CLIENT_DO_LEAVE,
	CLIENT_DO_DROP,
	CLIENT_DO_EDIT,   /* arg: [N] TEXT */
	CLIENT_DO_PIN,    /* arg: [N] */
	CLIENT_DO_SYNC,   /* arg: "", or how many */
	CLIENT_DO_ANSWER, /* arg: what was asked for with CLIENT_CAPTCHA */
	/* Of these the protocol hears nothing, unless it keeps_keys. */
	CLIENT_DO_TRUST,   /* arg: a name, whose new key is to be pinned */
	CLIENT_DO_VERIFY,  /* arg: "", "yes" or "no" */
	CLIENT_DO_HISTORY, /* arg: "", or how many, or a name, or both */
	CLIENT_DO_CLEAR,   /* arg: "", or a name */
	CLIENT_DO_LOGOUT /* arg: "", or "forget": also what would log in again unasked */
};

/* More connections to the same server (client/sides.h), for machines whose row has
 * side_ops.  Numbers are never 0, and not used again. */
#define CLIENT_SIDES_MAX 16
struct client_sides {
	void *arg;
	/* Begin to connect as how says (link_mutual.h). */
	enum qerr (*open)(void *arg, const struct link_mutual *how, unsigned *id,
			  struct why *why);
	/* Bytes to be sent on it; NULL: there is none of that number. */
	struct buf *(*out)(void *arg, unsigned id);
	/* What waits is sent, then it ends; the machine hears no more of it. */
	void (*finish)(void *arg, unsigned id);
};
struct client_side_ops {
	/* It is up, and key (SHA-256 over SubjectPublicKeyInfo) is the other end's. */
	void (*up)(void *machine, unsigned id, const uint8_t key[SHA256_LEN],
		   int64_t now_ms);
	/* Consume the whole messages at the front of in. */
	void (*input)(void *machine, unsigned id, struct buf *in, int64_t now_ms);
	/* It has ended (e as for link_step), or never came about. */
	void (*lost)(void *machine, unsigned id, enum qerr e, const char *reason);
};

/* What a machine stands on; outlives it. */
struct client_env {
	const struct client_login *login;
	const char *server; /* HOST:PORT, for people */
	struct buf *out;    /* bytes for the server */
	size_t waiting;     /* bytes that are on their way to it, out's among them */
	size_t coming;      /* bytes of a message that is coming */
	struct client_view *view; /* kept true by the machine */
	client_event_fn *event;   /* after a final one the machine is not called again */
	void *event_arg;
	const struct client_sides *sides; /* NULL without side_ops */
};

struct client_protocol {
	const char *name;
	size_t text_max;       /* bytes of the longest text that can be said */
	bool password;         /* logs in with one, and knows nothing of keys and codes */
	bool tls;              /* seals nothing itself, so it travels inside TLS */
	bool streams_files;    /* CLIENT_DO_SEND_FILE instead of CLIENT_DO_SEND */
	bool chats_last;       /* a chat outlives the connection */
	bool contacts;         /* knows CLIENT_DO_CONTACTS */
	bool keeps_keys;       /* CLIENT_DO_TRUST and CLIENT_DO_VERIFY are its own */
	bool numbers;          /* messages have numbers, which commands take */
	bool tokens;           /* a password is asked for once (client/rooms_join.h) */
	const char *websocket; /* the path where it is spoken inside WebSocket (messages
				* as link_ws.h says), or NULL */
	/* How the connection begins, where both show certificates; else NULL. */
	void (*opening)(const struct client_login *login, struct link_mutual *out);
	const struct client_side_ops *side_ops; /* NULL: one connection is all */
	/* What pins call the one who is meant by name; false: nobody.  NULL: the same. */
	bool (*alias)(void *machine, struct span name, char out[NAME_SIZE]);
	/* The machine; NULL: no memory. */
	void *(*make)(const struct client_env *env);
	void (*drop)(void *machine); /* wipes; NULL is fine */
	/* The transport is up: say hello. */
	void (*begin)(void *machine, int64_t now_ms);
	/* Consume the whole messages at the front of in. */
	void (*input)(void *machine, struct buf *in, int64_t now_ms);
	/* The transport is gone: Q_CLOSED, the server hung up; else it failed.
	 * reason is a sentence.  Makes the final event. */
	void (*lost)(void *machine, enum qerr e, const char *reason);
	/* When to call tick, on the monotonic clock; 0: never. */
	int64_t (*deadline)(const void *machine);
	void (*tick)(void *machine, int64_t now_ms);
	/* Q_OK; else why is a sentence and nothing happened.  Q_FULL: too much
	 * waits to be sent; later it may work. */
	enum qerr (*command)(void *machine, enum client_verb verb, struct span arg,
			     int64_t now_ms, struct why *why);
};

/* Of a server that hangs the connection tells nothing, since its machine acknowledges what
 * comes.  So a machine asks for something small when it has heard nothing for a while and
 * expects no answer anyhow; when nothing comes then either, the server is gone. */
#define CLIENT_QUIET_MS 10000
#define CLIENT_ALIVE_MS 8000

/* For machines: tell the front. */
void client_tell(const struct client_env *env, enum client_event_kind kind,
		 const char *name, struct span text);
/* A sentence about nobody, cut at 511 bytes. */
void client_tell_va(const struct client_env *env, enum client_event_kind kind,
		    const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));
/* The final event; again: it may be different in a while. */
void client_end(const struct client_env *env, enum client_event_kind kind,
		const char *text, bool again);

#endif
