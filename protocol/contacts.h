/* SPDX-License-Identifier: MIT
 *
 * contacts.h - lines of the contacts protocol to structs and back
 * (docs/protocols/contacts.md).  Pure: no sockets, threads, files, clock, log.
 *
 *   CODE ARG ARG ...\n      UTF-8, single spaces, CR LF accepted
 *
 * An argument in double quotes has the escapes \" \\ \n \r \t.  The message of
 * 115 and of 220 has rules of its own, below.  Spans in parsed structs are
 * borrowed from the line, or from the scratch buffer where an escape had to be
 * undone.
 */
#ifndef PROTOCOL_CONTACTS_H
#define PROTOCOL_CONTACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"

enum contacts_code {
	/* C -> S */
	CONTACTS_LOGIN = 110, /* 100 is read as 110 (Decision) */
	CONTACTS_LOGOUT = 111,
	CONTACTS_CHAT_LIST = 112,
	CONTACTS_CHAT_CREATE = 113,
	CONTACTS_CHAT_DELETE = 114,
	CONTACTS_SEND = 115,
	CONTACTS_REGISTER = 117,
	CONTACTS_OWN_LIST = 118,
	CONTACTS_MEDIA = 119,
	CONTACTS_LIST = 120,
	CONTACTS_CONFIRM = 121,
	CONTACTS_SEEN = 122,   /* ours */
	CONTACTS_REMOVE = 123, /* ours */
	/* S -> C */
	CONTACTS_UNKNOWN = 210,
	CONTACTS_INVALID = 211,
	CONTACTS_LOGIN_RESPONSE = 212,
	CONTACTS_LOGOUT_RESPONSE = 213,
	CONTACTS_CHAT_LIST_BEGIN = 214,
	CONTACTS_CHAT_LIST_ELEMENT = 215,
	CONTACTS_CHAT_LIST_END = 216,
	CONTACTS_CHAT_CREATE_RESPONSE = 217,
	CONTACTS_CHAT_DELETE_RESPONSE = 218,
	CONTACTS_SEND_RESPONSE = 219,
	CONTACTS_SENDED = 220, /* MessageSended */
	CONTACTS_REGISTER_RESPONSE = 222,
	CONTACTS_OWN_LIST_RESPONSE = 223,
	CONTACTS_OWN_LIST_BEGIN = 224,
	CONTACTS_OWN_LIST_ELEMENT = 225,
	CONTACTS_OWN_LIST_END = 226,
	CONTACTS_MEDIA_RESPONSE = 227,
	CONTACTS_LIST_RESPONSE = 228,
	CONTACTS_LIST_BEGIN = 229,
	CONTACTS_LIST_ELEMENT = 230,
	CONTACTS_LIST_END = 231,
	CONTACTS_CONFIRM_RESPONSE = 232,
	CONTACTS_CONFIRM_ADD = 233,
	CONTACTS_REMOVE_RESPONSE = 234 /* ours */
};

enum contacts_status {
	CONTACTS_OK = 400,
	CONTACTS_USERNAME_INVALID = 401,
	CONTACTS_PASSWORD_INVALID = 402,
	CONTACTS_USERNAME_ALREADY_TAKEN = 403,
	CONTACTS_CLIENT_ALREADY_LOGGED_IN = 404,
	CONTACTS_USERNAME_ALREADY_LOGGED_IN = 405,
	CONTACTS_PASSWORD_WRONG = 406,
	CONTACTS_CLIENT_NOT_LOGGED_IN = 407,
	CONTACTS_CHAT_NOT_FOUND = 408,
	CONTACTS_CHAT_PERMISSION_DENIED = 409,
	CONTACTS_CONTACT_NOT_FOUND = 410,
	CONTACTS_CONTACT_NOT_CONFIRMED = 411,
	CONTACTS_MEDIA_NOT_FOUND = 412,
	CONTACTS_SERVER_ERROR = 413, /* ours, as those below */
	CONTACTS_USER_BANNED = 414,
	CONTACTS_USER_MUTED = 415
};

#define CONTACTS_LINE_MAX       65536              /* bytes, line end not counted */
#define CONTACTS_MEDIA_LINE_MAX (12 * 1024 * 1024) /* a 115 with media, logged in */
#define CONTACTS_MEDIA_TYPE_MAX 127
#define CONTACTS_EMAIL_MAX      254
#define CONTACTS_GENDER_MAX     32
#define CONTACTS_ARGS_MAX       4
#define CONTACTS_REPLY_ARGS_MAX 4

/* "first bytes" row of docs/protocols/README.md: an ASCII digit, then a byte that
 * is not FF.  Q_OK, Q_FORMAT, Q_SHORT. */
enum qerr contacts_recognise(struct span first);

/* ---- lines ---- */
/* Where a search for the line's end stopped, so that a long line that comes in
 * pieces is searched once.  Zero it for each new line. */
struct contacts_framer {
	size_t searched;
};
/* Cut the first line off in.  Q_OK: *line is without its end (LF or CR LF), *used
 * counts it with the end; the framer is ready for the next one.  Q_SHORT: no line
 * end yet.  Q_LIMIT: longer than a client may send: CONTACTS_LINE_MAX, or with
 * big_media CONTACTS_MEDIA_LINE_MAX for a 115 whose media begins within the first
 * CONTACTS_LINE_MAX bytes. */
enum qerr contacts_line_next(struct contacts_framer *f, struct span in, bool big_media,
			     struct span *line, size_t *used);

/* ---- media: a data URL (RFC 2397) ---- */
struct contacts_media {
	struct span type; /* "" means text/plain;charset=US-ASCII */
	bool base64;
	struct span encoded; /* as on the wire */
	size_t size;         /* bytes when decoded, at least 1 */
};
#define CONTACTS_MEDIA_TYPE_DEFAULT "text/plain;charset=US-ASCII"
/* Parse a whole word.  Q_FORMAT: no well-formed media; Q_LIMIT: well-formed but of
 * 0 bytes. */
enum qerr contacts_media_parse(struct span word, struct contacts_media *out);
/* Decode m's content into out, which has room for m->size bytes. */
void contacts_media_decode(const struct contacts_media *m, uint8_t *out);

/* ---- client to server ---- */
struct contacts_request {
	int code;
	size_t argc;
	struct span arg[CONTACTS_ARGS_MAX]; /* undone; the first two of 115: unused */
	uint64_t id;                        /* ChatID of 114, 115, 122; MediaID of 119 */
	int64_t time_ms;                    /* 122 */
	struct span message;                /* 115; may be empty with media alone */
	bool has_media;                     /* 115 */
	struct contacts_media media;
};
/* Parse a line without its end.  scratch is emptied and may be used.  Q_MISSING:
 * no such operation code (210; out->code is 0); Q_FORMAT: wrong arguments (211;
 * out->code is the code, nothing else is set); Q_NOMEM. */
enum qerr contacts_request_parse(struct span line, struct buf *scratch,
				 struct contacts_request *out);
/* Append a request as a line; arguments are quoted as needed.  For 115 message and
 * media (already a data URL, or empty) are arg[0] and arg[1] and id is set. */
enum qerr contacts_request_put(struct buf *out, const struct contacts_request *r);

/* ---- server to client ---- */
/* "CODE\n", "CODE STATUS\n" (212 has its own). */
enum qerr contacts_put_code(struct buf *out, int code);
enum qerr contacts_put_status(struct buf *out, int code, int status);
enum qerr contacts_put_count(struct buf *out, int code, uint64_t count);
/* "CODE NAME\n": 230, 233. */
enum qerr contacts_put_name(struct buf *out, int code, const char *name);
/* 212: the name as sent may be any text and is quoted as needed. */
enum qerr contacts_put_login(struct buf *out, int status, struct span name);
/* 215: who made the chat first. */
enum qerr
contacts_put_chat(struct buf *out, uint64_t id, const char *maker, const char *other);
/* 225. */
enum qerr contacts_put_contact(struct buf *out, const char *name, int64_t since_ms);
/* 220; media_id 0: none. */
enum qerr contacts_put_message(struct buf *out, uint64_t chat, int64_t time_ms,
			       struct span message, uint64_t media_id);
/* 227 400 data:TYPE;base64,...  content is raw; type "" is the default one. */
enum qerr contacts_put_media(struct buf *out, struct span type, struct span content);

/* What a client reads: code, then arguments by their place.  220 has arg[0]
 * message, and id, time_ms, media_id; 215 has id; 225 time_ms; a status code stands
 * in status, a count in count. */
struct contacts_reply {
	int code;
	int status; /* 0: none */
	uint64_t id, count, media_id;
	int64_t time_ms;
	size_t argc;
	struct span arg[CONTACTS_REPLY_ARGS_MAX];
};
/* Q_FORMAT: not a line that a server sends. */
enum qerr
contacts_reply_parse(struct span line, struct buf *scratch, struct contacts_reply *out);

#endif
