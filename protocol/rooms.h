/* SPDX-License-Identifier: MIT
 *
 * rooms.h - packets of the rooms protocol to structs and back
 * (docs/protocols/rooms.md).  Pure: no sockets, threads, files, clock, log.
 *
 *   {"type": TYPE, "data": {...}}        one a WebSocket message
 *
 * A packet is one struct in both directions: what rooms_parse makes, rooms_put writes.
 * Spans and lists of a parsed packet are borrowed from what the packet owns, until
 * rooms_packet_free; large contents are therefore not copied again.  A packet to be
 * written borrows everything from its maker and owns nothing.
 *
 * A room or message id that is no UUID is read as the nil UUID, which names nothing:
 * looking it up says ROOM_DNE or MSG_DNE in the right order by itself.
 *
 * See also rooms_status.h (every sig), rooms_account.h (what SIGNUP may hold) and
 * rooms_envelope.h (what sealed packets look like).
 */
#ifndef PROTOCOL_ROOMS_H
#define PROTOCOL_ROOMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "protocol/rooms_status.h"

struct json_t;

#define ROOMS_DEPTH_MAX       16
#define ROOMS_VALUES_MAX      131072             /* see struct json_limits */
#define ROOMS_EARLY_MAX       65536              /* a WebSocket message before login */
#define ROOMS_REF_MAX         64                 /* all in bytes of UTF-8 */
#define ROOMS_NAME_MAX        128                /* a room's name */
#define ROOMS_TEXT_MAX        65536              /* content of msg-text */
#define ROOMS_FILE_MAX        (32 * 1024 * 1024) /* content of msg-smallfile */
#define ROOMS_INLINE_MAX      65536 /* a larger smallfile is sent by FILE alone */
#define ROOMS_REASON_MAX      4096
#define ROOMS_SYNC_COUNT_MAX  200
#define ROOMS_SYNC_BYTES_MAX  (1024 * 1024) /* of content in one SYNC_ROOM_DATA */
#define ROOMS_LIST_COUNT_MAX  100
#define ROOMS_LIST_BYTES_MAX  (1024 * 1024)
#define ROOMS_KEYS_MAX        8   /* chat keys of a user */
#define ROOMS_KEY_PEM_MAX     512 /* bytes; a usual one has 178 */
#define ROOMS_RECEIPT_MEMBERS 32  /* no READ_RECEIPT in larger rooms */
#define ROOMS_KEYID_LEN       16  /* hexadecimal digits */

/* X(NAME, FROM_CLIENT, FROM_SERVER); the name is the text on the wire. */
#define ROOMS_TYPES(X)                 \
	X(CONN_INIT, true, false)      \
	X(CONN_ENCRYPT_S, false, true) \
	X(CONN_ENCRYPT_C, true, false) \
	X(STATUS, false, true)         \
	X(SIGNUP, true, false)         \
	X(CAPTCHA, false, true)        \
	X(S_CAPTCHA, true, false)      \
	X(LOGIN, true, false)          \
	X(CHAT_ENCRYPT_C, true, false) \
	X(GEN_TOKEN, false, true)      \
	X(AUTH_TOKEN, true, false)     \
	X(QUEUE_END, false, true)      \
	X(LOGOUT, true, false)         \
	X(CREATE_ROOM, true, false)    \
	X(ROOM_INFO, false, true)      \
	X(JOIN_ROOM, false, true)      \
	X(ALTER_ROOM, true, false)     \
	X(ROOM_ALTERED, false, true)   \
	X(CHAT_ACTION, true, false)    \
	X(CHAT_ACTION_S, false, true)  \
	X(SYNC_ROOM_REQ, true, false)  \
	X(SYNC_ROOM_DATA, false, true) \
	X(FETCH, true, false)          \
	X(FILE, false, true)           \
	X(SEEN, true, false)           \
	X(LIST_ROOMS, true, false)     \
	X(ROOMS, false, true)          \
	X(READ_RECEIPT, true, true)

enum rooms_type {
	ROOMS_T_UNKNOWN = 0,
#define ROOMS_TYPE_VALUE(name, c, s) ROOMS_T_##name,
	ROOMS_TYPES(ROOMS_TYPE_VALUE)
#undef ROOMS_TYPE_VALUE
	    ROOMS_T_COUNT
};
/* "CONN_INIT", ...  Static. */
const char *rooms_type_text(enum rooms_type type);

enum rooms_kind { ROOMS_DIRECT = 0, ROOMS_GROUP = 1, ROOMS_CHANNEL = 2 };

enum rooms_alter { /* ALTER_ROOM and ROOM_ALTERED */
		   ROOMS_RENAME,
		   ROOMS_ADD,
		   ROOMS_REMOVE,
		   ROOMS_PROMOTE,
		   ROOMS_DEMOTE,
		   ROOMS_DELETE,
		   ROOMS_LEAVE,
		   ROOMS_ALTER_COUNT
};
const char *rooms_alter_text(enum rooms_alter a);

enum rooms_act {                    /* CHAT_ACTION and CHAT_ACTION_S */
		 ROOMS_SEND,        /* "send", "recv" */
		 ROOMS_EDIT,        /* "edit", "edited" */
		 ROOMS_ERASE,       /* "delete", "deleted" */
		 ROOMS_PIN,         /* "pin", "pinned" */
		 ROOMS_SAVE_PUBKEY, /* "save-pubkey", "pubkey" */
		 ROOMS_ACT_COUNT
};

enum rooms_format {
	ROOMS_FORMAT_OTHER,    /* one that we do not know */
	ROOMS_FORMAT_TEXT,     /* msg-text */
	ROOMS_FORMAT_SMALLFILE /* msg-smallfile */
};
/* "msg-text", "msg-smallfile"; "" for others.  Static. */
const char *rooms_format_text(enum rooms_format f);
enum rooms_format rooms_format_find(struct span text);

struct rooms_names {
	const struct span *p;
	size_t n;
};

/* ---- connection and account ---- */
struct rooms_conn_init {
	struct uuid uuid;  /* version 4 */
	struct span token; /* p NULL: none */
};
struct rooms_conn_encrypt_s {
	struct span server_epbkey; /* PEM, exactly as it stands in the JSON string */
	struct span certificate;   /* PEM; p NULL: none */
	struct span signature;     /* base64; p NULL: none */
};
struct rooms_signup {
	struct span user, email, fullname, dob, password; /* see rooms_account.h */
};
struct rooms_s_captcha {
	char solved[24]; /* as text; longer ones are cut, and wrong anyway */
};
struct rooms_login {
	struct span id, password;
	bool save;
};
struct rooms_auth_token {
	struct span user, token;
};

struct rooms_status {
	enum rooms_sig sig;
	struct span
	    sig_text;     /* parsed: as it came; to write: for ROOMS_SIG_OTHER alone */
	struct span desc; /* to write: p NULL means the sig's own sentence */
	struct uuid room, msg; /* nil: none */
	int64_t seconds;       /* TRY_LATER; 0: none */
};

/* ---- rooms ---- */
struct rooms_member {
	struct span user;
	bool keys_told;          /* else the two fields are not there */
	struct span chat_pubkey; /* the newest; p NULL: null, has none */
	struct rooms_names chat_pubkeys;
};
struct rooms_info { /* of ROOM_INFO, JOIN_ROOM, ROOM_ALTERED, ROOMS */
	struct uuid room;
	int64_t kind; /* enum rooms_kind */
	struct span name, owner;
	struct rooms_names admins;
	const struct rooms_member *members;
	size_t member_count;
	struct rooms_names dne; /* names that do not exist, as sent */
	int64_t seq;            /* 0: not there */
};
struct rooms_create {
	int64_t kind;     /* perhaps none of enum rooms_kind; see rooms_create_check */
	struct span name; /* p NULL: none */
	struct rooms_names people;
};
struct rooms_alteration { /* the action and its data, in both directions */
	enum rooms_alter action;
	struct uuid room;
	struct span name;          /* rename */
	struct rooms_names people; /* add, remove */
	struct span user;          /* promote, demote */
};
struct rooms_altered {
	struct rooms_alteration what;
	struct span by;
	const struct rooms_info *info; /* NULL: null (the room is gone) */
	struct rooms_names dne;
	int64_t seq;
};

/* ---- messages ---- */
struct rooms_chat_action {
	enum rooms_act act;
	struct uuid room;
	struct uuid msg;          /* edit, delete, pin */
	enum rooms_format format; /* send */
	struct span content;      /* send, edit; delete: the reason, p NULL: none */
	struct span chat_pubkey;  /* save-pubkey */
};
struct rooms_event { /* CHAT_ACTION_S */
	enum rooms_act act;
	struct uuid room;
	int64_t seq;
	struct uuid msg; /* nil: null (pubkey) */
	struct span from;
	int64_t time_ms;          /* since 1970 */
	enum rooms_format format; /* recv */
	struct span content; /* recv (p NULL: null), edited; deleted: reason or NULL */
	int64_t size;        /* recv: of a content that is null; else 0 */
	bool pinned;
	struct span chat_pubkey; /* pubkey */
	struct span dropped;     /* pubkey: KEYID of the key that went, p NULL: none */
};
struct rooms_sync_req {
	struct uuid room;
	int64_t count; /* not 0, at most ROOMS_SYNC_COUNT_MAX either way */
	bool has_from;
	struct uuid from;
};
struct rooms_message {
	struct uuid msg;
	struct span from;
	int64_t time_ms;
	enum rooms_format format;
	struct span content; /* p NULL: null */
	int64_t size;        /* of a content that is null and not deleted; else 0 */
	struct span reason;  /* deleted; p NULL: null */
	bool edited, deleted, pinned;
};
struct rooms_read {
	struct span user;
	struct uuid msg;
};
struct rooms_sync_data {
	struct uuid room;
	const struct rooms_message *messages;
	size_t message_count;
	bool more;
	const struct rooms_read *read;
	size_t read_count;
};
struct rooms_fetch {
	struct uuid room, msg;
};
struct rooms_file {
	struct uuid room, msg;
	struct span content;
};
struct rooms_seen {
	struct uuid room;
	int64_t seq; /* not negative */
};
struct rooms_list {
	bool has_after;
	struct uuid after;
	int64_t count; /* 1 to ROOMS_LIST_COUNT_MAX */
};
struct rooms_list_data {
	const struct rooms_info *rooms;
	size_t count;
	bool more;
};
struct rooms_receipt {
	struct uuid room, msg;
	struct span user; /* from the server; p NULL from a client */
};

struct rooms_packet {
	enum rooms_type type;
	struct span ref; /* p NULL: none */
	union {
		struct rooms_conn_init conn_init;
		struct rooms_conn_encrypt_s conn_encrypt_s;
		struct span pem; /* CONN_ENCRYPT_C, CHAT_ENCRYPT_C */
		struct rooms_status status;
		struct rooms_signup signup;
		struct span challenge; /* CAPTCHA: base64 of a PNG */
		struct rooms_s_captcha s_captcha;
		struct rooms_login login;
		struct span token; /* GEN_TOKEN */
		struct rooms_auth_token auth_token;
		struct rooms_create create;
		struct rooms_info info; /* ROOM_INFO, JOIN_ROOM */
		struct rooms_alteration alter;
		struct rooms_altered altered;
		struct rooms_chat_action action;
		struct rooms_event event;
		struct rooms_sync_req sync_req;
		struct rooms_sync_data sync_data;
		struct rooms_fetch fetch;
		struct rooms_file file;
		struct rooms_seen seen;
		struct rooms_list list;
		struct rooms_list_data rooms;
		struct rooms_receipt receipt;
	} u;
	/* What a parsed packet owns; {NULL} in one to be written. */
	struct json_t *doc;
	struct rooms_block *blocks;
};

/* ---- parsing ---- */
enum rooms_side { ROOMS_CLIENT, ROOMS_SERVER };

/* What to answer to a packet that could not be parsed. */
struct rooms_fault {
	enum rooms_sig sig;   /* INVALID_PACKET, or one that the page names for it */
	struct why desc;      /* which field, in a sentence */
	enum rooms_type type; /* what it was, as far as known: a state in which this type
			       * is not allowed says so rather than look inside */
	struct uuid room;     /* nil: none was understood */
	char ref[ROOMS_REF_MAX + 1];
	bool has_ref;
};

/* Parse one packet that the given side sends.  max is the limit on text.  Q_OK;
 * Q_FORMAT: no such packet, fault (not NULL) says what to answer; Q_LIMIT: too large,
 * too deep or too many values, fault likewise; Q_NOMEM (fault: SERVER_ERROR). */
enum qerr rooms_parse(struct span text, size_t max, enum rooms_side sender,
		      struct rooms_packet *out, struct rooms_fault *fault);
/* Gives back what parsing took; the packet is zero then.  A zeroed one is fine. */
void rooms_packet_free(struct rooms_packet *p);

/* ---- checks that the parser leaves to the server, in the page's order ----
 * ROOMS_SIG_OTHER means: no objection. */

/* CREATE_ROOM: the type, then the name.  A direct room needs none. */
enum rooms_sig rooms_create_check(const struct rooms_create *c);
/* A room's name (also ALTER_ROOM rename): not empty, no controls, its length. */
enum rooms_sig rooms_name_check(struct span name);
/* send, edit and delete: the format and the length of content or reason.  max_file is
 * the largest smallfile, 0: none are taken. */
enum rooms_sig rooms_content_check(const struct rooms_chat_action *a, size_t max_file);
/* Has pem the shape of exactly one PEM public key, with nothing else around it but
 * white space, and at most ROOMS_KEY_PEM_MAX bytes?  Whether it is a key of P-256 is
 * for crypto/key.h to say. */
bool rooms_pem_shape(struct span pem);

/* ---- writing ---- */
/* Append the packet as compact JSON.  An event for many receivers is written once,
 * without ref, and then sealed for each.  Q_LIMIT, Q_NOMEM: out is as it was. */
enum qerr rooms_put(struct buf *out, const struct rooms_packet *p);
/* The most common answer: STATUS with sig, room and msg (NULL: none) and ref (p NULL:
 * none). */
enum qerr rooms_put_status(struct buf *out, enum rooms_sig sig, const struct uuid *room,
			   const struct uuid *msg, struct span ref);
/* The answer to fault. */
enum qerr rooms_put_fault(struct buf *out, const struct rooms_fault *fault);

/* ---- the key exchange ---- */
#define ROOMS_KEX_PARTS 3
#define ROOMS_KEX_C2S   "rooms c2s" /* HKDF's info; the salt is the uuid's 16 bytes */
#define ROOMS_KEX_S2C   "rooms s2c"
/* What the server signs: the label and its NUL, the key as sent, the uuid.  Borrowed
 * from the arguments, for key_sign and key_verify. */
void rooms_kex_parts(struct span server_epbkey, const struct uuid *uuid,
		     struct span parts[ROOMS_KEX_PARTS]);

#endif
