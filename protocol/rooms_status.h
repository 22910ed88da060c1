/* SPDX-License-Identifier: MIT
 *
 * rooms_status.h - every `sig` that a STATUS packet of rooms may carry
 * (docs/protocols/rooms.md), with a sentence for `desc`.
 */
#ifndef PROTOCOL_ROOMS_STATUS_H
#define PROTOCOL_ROOMS_STATUS_H

#include "base/bytes.h"

/* X(NAME, SENTENCE); the name is the text on the wire. */
#define ROOMS_SIGS(X)                                                                  \
	X(CONN_OK, "the connection is encrypted")                                      \
	X(NEW_ACC_OK, "the account has been made")                                     \
	X(CHAT_PUBKEY_MISSING, "send a chat key")                                      \
	X(CHAT_PUBKEY_OK, "the chat key is known")                                     \
	X(LOGIN_OK, "logged in")                                                       \
	X(LOGGED_OUT, "logged out")                                                    \
	X(SENT, "the message is stored")                                               \
	/* errors of any packet */                                                     \
	X(INVALID_PACKET, "this is no packet that the server knows")                   \
	X(NOT_LOGGED_IN, "log in first")                                               \
	X(ALREADY_LOGGED_IN, "this connection is logged in already")                   \
	X(TRY_LATER, "too many at the moment, try again later")                        \
	X(SERVER_ERROR, "the server could not do it")                                  \
	/* accounts */                                                                 \
	X(SIGNUP_MISSING_CREDS, "user, email, fullname, dob and password are needed")  \
	X(SIGNUP_USERNAME_INVALID,                                                     \
	  "a user name has letters, digits, '.', '_' and '-', the first a letter or "  \
	  "digit")                                                                     \
	X(SIGNUP_USERNAME_ABOVE_LIMIT, "a user name has at most 32 bytes")             \
	X(SIGNUP_USERNAME_ALREADY_EXISTS, "this user name is taken")                   \
	X(SIGNUP_EMAIL_ABOVE_LIMIT, "an e-mail address has at most 256 bytes")         \
	X(SIGNUP_EMAIL_INVALID, "this is no e-mail address")                           \
	X(SIGNUP_EMAIL_ALREADY_EXISTS, "this e-mail address has an account")           \
	X(SIGNUP_NAME_ABOVE_LIMIT, "a full name has at most 256 bytes")                \
	X(SIGNUP_NAME_INVALID, "a full name has no control characters")                \
	X(SIGNUP_DOB_INVALID,                                                          \
	  "a date of birth is a day in the past as dd/mm/yyyy or yyyy-mm-dd")          \
	X(SIGNUP_PASSWORD_ABOVE_LIMIT, "a password has at most 384 bytes")             \
	X(SIGNUP_PASSWORD_BELOW_LIMIT, "a password has at least 8 bytes")              \
	X(CAPTCHA_WRONG, "these are not the digits in the picture")                    \
	X(CAPTCHA_EXPIRED, "there is no picture to solve, or it is too old")           \
	X(LOGIN_MISSING_CREDS, "id and password are needed")                           \
	X(LOGIN_INCORRECT, "no such account, or not its password")                     \
	X(CHAT_PUBKEY_INVALID, "a chat key is a P-256 public key in PEM")              \
	X(TOKEN_INVALID, "this token is not good for this user")                       \
	X(TOKEN_EXPIRED, "this token is too old, log in again")                        \
	X(BANNED, "this account is banned")                                            \
	X(MUTED, "this account is muted")                                              \
	/* rooms */                                                                    \
	X(MKROOM_INSUFFICIENT_PARTICIPANTS, "a room needs another person that exists") \
	X(MKROOM_INVALID_TYPE, "a room's type is 0 direct, 1 group or 2 channel")      \
	X(MKROOM_NAME_INVALID, "a room's name is not empty and has no control "        \
			       "characters")                                           \
	X(MKROOM_NAME_ABOVE_LIMIT, "a room's name has at most 128 bytes")              \
	X(MKROOM_TOO_MANY, "a room cannot have so many members")                       \
	X(ROOM_DNE, "there is no such room")                                           \
	X(NOT_IN_ROOM, "not a member of this room")                                    \
	X(NOT_ALLOWED, "you may not do this in this room")                             \
	X(MSG_DNE, "there is no such message in this room")                            \
	X(MSG_NOT_YOURS, "this message is somebody else's")                            \
	X(UNSUPPORTED_MSG_FORMAT, "messages of this format cannot do this here")       \
	X(CONTENT_ABOVE_LIMIT, "this content is too large")

enum rooms_sig {
	ROOMS_SIG_OTHER = 0, /* a sig that we do not know; also "no error" */
#define ROOMS_SIG_VALUE(name, sentence) ROOMS_##name,
	ROOMS_SIGS(ROOMS_SIG_VALUE)
#undef ROOMS_SIG_VALUE
	    ROOMS_SIG_COUNT
};

/* "SENT"; "" for ROOMS_SIG_OTHER.  Static. */
const char *rooms_sig_text(enum rooms_sig sig);
/* The sentence for desc, without a full stop.  Static. */
const char *rooms_sig_sentence(enum rooms_sig sig);
/* ROOMS_SIG_OTHER when there is none of that text. */
enum rooms_sig rooms_sig_find(struct span text);

#endif
