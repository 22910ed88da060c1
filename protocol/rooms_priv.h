/* SPDX-License-Identifier: MIT
 *
 * rooms_priv.h - what the files of the rooms codec share: reading fields with one
 * message for each way to be wrong, and writing them.
 */
#ifndef PROTOCOL_ROOMS_PRIV_H
#define PROTOCOL_ROOMS_PRIV_H

#include "protocol/json.h"
#include "protocol/rooms.h"

/* ---- reading (rooms_read.c) ----
 *
 * All return false when the packet cannot be taken; the fault then says why. */
struct rooms_reading {
	const json_t *data;
	enum rooms_side sender;
	struct rooms_packet *p;
	struct rooms_fault *fault;
	enum qerr e; /* Q_FORMAT unless memory ran out */
};

/* "data: KEY WHAT" as INVALID_PACKET; returns false. */
bool rooms_bad(struct rooms_reading *r, const char *key, const char *what);

bool rooms_need_text(struct rooms_reading *r, const json_t *o, const char *key,
		     struct span *out);
bool
rooms_need_int(struct rooms_reading *r, const json_t *o, const char *key, int64_t *out);
bool
rooms_need_bool(struct rooms_reading *r, const json_t *o, const char *key, bool *out);
bool rooms_need_object(struct rooms_reading *r, const json_t *o, const char *key,
		       const json_t **out);
bool rooms_need_array(struct rooms_reading *r, const json_t *o, const char *key,
		      const json_t **out);
/* Absent and null leave *out as it is. */
bool rooms_may_text(struct rooms_reading *r, const json_t *o, const char *key,
		    struct span *out);
bool
rooms_may_int(struct rooms_reading *r, const json_t *o, const char *key, int64_t *out);
bool rooms_may_bool(struct rooms_reading *r, const json_t *o, const char *key, bool *out);
/* A UUID, or the nil one for a string that is none. */
bool rooms_need_id(struct rooms_reading *r, const json_t *o, const char *key,
		   struct uuid *out);
/* *has (may be NULL): it is there and not null. */
bool rooms_may_id(struct rooms_reading *r, const json_t *o, const char *key,
		  struct uuid *out, bool *has);
/* data's room, which a fault then names. */
bool rooms_need_room(struct rooms_reading *r, const json_t *o, struct uuid *out);
/* A string that is one of n texts (text(0)..text(n-1)): its number. */
bool rooms_need_word(struct rooms_reading *r, const json_t *o, const char *key,
		     const char *const *words, int n, int *out);
/* An array of strings; absent or null is an empty one. */
bool rooms_may_names(struct rooms_reading *r, const json_t *o, const char *key,
		     struct rooms_names *out);
/* n zeroed items of size bytes that live as long as the packet. */
bool rooms_take(struct rooms_reading *r, size_t n, size_t size, void **out);

/* ---- writing (rooms_write.c) ----
 *
 * The first error stays; members put their own commas. */
struct rooms_writing {
	struct buf *out;
	enum qerr e;
};
void rooms_w_raw(struct rooms_writing *w, const char *text);
void rooms_w_key(struct rooms_writing *w, const char *key);
/* key NULL: an element of an array. */
void rooms_w_open(struct rooms_writing *w, const char *key, char bracket);
void rooms_w_close(struct rooms_writing *w, char bracket);
void rooms_w_text(struct rooms_writing *w, const char *key, struct span s); /* or null */
void rooms_w_str(struct rooms_writing *w, const char *key, const char *s);
void rooms_w_int(struct rooms_writing *w, const char *key, int64_t n);
void rooms_w_bool(struct rooms_writing *w, const char *key, bool b);
void rooms_w_id(struct rooms_writing *w, const char *key, const struct uuid *u); /* NULL:
										    null */
void
rooms_w_names(struct rooms_writing *w, const char *key, const struct rooms_names *names);

/* ---- one row a type ---- */
typedef bool rooms_parser(struct rooms_reading *r);
typedef void rooms_putter(struct rooms_writing *w, const struct rooms_packet *p);

/* rooms_account_codec.c */
rooms_parser rooms_parse_conn_init, rooms_parse_conn_encrypt_s,
    rooms_parse_conn_encrypt_c, rooms_parse_status, rooms_parse_signup,
    rooms_parse_captcha, rooms_parse_s_captcha, rooms_parse_login,
    rooms_parse_chat_encrypt_c, rooms_parse_gen_token, rooms_parse_auth_token,
    rooms_parse_empty;
rooms_putter rooms_put_conn_init, rooms_put_conn_encrypt_s, rooms_put_conn_encrypt_c,
    rooms_put_status_data, rooms_put_signup, rooms_put_captcha, rooms_put_s_captcha,
    rooms_put_login, rooms_put_chat_encrypt_c, rooms_put_gen_token, rooms_put_auth_token,
    rooms_put_empty;
/* rooms_room_codec.c */
rooms_parser rooms_parse_create_room, rooms_parse_info, rooms_parse_alter_room,
    rooms_parse_room_altered, rooms_parse_list_rooms, rooms_parse_rooms;
rooms_putter rooms_put_create_room, rooms_put_info, rooms_put_alter_room,
    rooms_put_room_altered, rooms_put_list_rooms, rooms_put_rooms;
/* rooms_message_codec.c */
rooms_parser rooms_parse_chat_action, rooms_parse_chat_action_s, rooms_parse_fetch,
    rooms_parse_file, rooms_parse_seen, rooms_parse_read_receipt;
rooms_putter rooms_put_chat_action, rooms_put_chat_action_s, rooms_put_fetch,
    rooms_put_file, rooms_put_seen, rooms_put_read_receipt;
/* rooms_sync_codec.c */
rooms_parser rooms_parse_sync_room_req, rooms_parse_sync_room_data;
rooms_putter rooms_put_sync_room_req, rooms_put_sync_room_data;

#endif
