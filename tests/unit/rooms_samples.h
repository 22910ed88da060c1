/* SPDX-License-Identifier: MIT
 *
 * rooms_samples.h - one of everything that rooms sends, in the very text in which it is
 * written.
 */
#ifndef TESTS_ROOMS_SAMPLES_H
#define TESTS_ROOMS_SAMPLES_H

#include "protocol/rooms.h"

#define ROOM "\"0b4aa5e4-4f0b-4a1e-9f6e-0d1f5f7b0c11\""
#define MSG  "\"018f2a3c-5d00-7abc-8def-0123456789ab\""
#define PEM                                                                      \
	"\"-----BEGIN PUBLIC KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\\n" \
	"-----END PUBLIC KEY-----\\n\""
#define ROOM_FIELDS                                                                      \
	"\"room\":" ROOM ",\"room-type\":1,\"room-name\":\"Lab \\\"7\\\"\","             \
	"\"owner\":\"anna\",\"admins\":[\"bob\"],\"members\":["                          \
	"{\"user\":\"anna\",\"chat_pubkey\":" PEM ",\"chat_pubkeys\":[" PEM "]},"        \
	"{\"user\":\"bob\",\"chat_pubkey\":null,\"chat_pubkeys\":[]},{\"user\":\"c\"}]," \
	"\"dne\":[\"nobody\"]"

#define C(type, data)                                                       \
	{                                                                   \
		ROOMS_CLIENT, "{\"type\":\"" type "\",\"data\":{" data "}}" \
	}
#define S(type, data)                                                       \
	{                                                                   \
		ROOMS_SERVER, "{\"type\":\"" type "\",\"data\":{" data "}}" \
	}

static const struct {
	enum rooms_side sender;
	const char *text;
} samples[] = {
    C("CONN_INIT", "\"uuid\":\"9b2d6d6c-40a7-4e8e-8d4b-0f2f5c1f9c01\",\"token\":null"),
    C("CONN_INIT", "\"uuid\":\"9b2d6d6c-40a7-4e8e-8d4b-0f2f5c1f9c01\",\"token\":\"x_-\""),
    S("CONN_ENCRYPT_S", "\"server_epbkey\":" PEM),
    S("CONN_ENCRYPT_S",
      "\"server_epbkey\":" PEM ",\"certificate\":\"-----\",\"signature\":\"AAAA\""),
    C("CONN_ENCRYPT_C", "\"client_epbkey\":" PEM),
    S("STATUS", "\"sig\":\"CONN_OK\",\"desc\":\"the connection is encrypted\""),
    S("STATUS", "\"sig\":\"SENT\",\"desc\":\"the message is stored\",\"room\":" ROOM
		",\"msg\":" MSG ",\"ref\":\"r1\""),
    S("STATUS", "\"sig\":\"TRY_LATER\",\"desc\":\"\",\"seconds\":17"),
    S("STATUS", "\"sig\":\"OF_TOMORROW\",\"desc\":\"new\""),
    C("SIGNUP", "\"user\":\"anna\",\"email\":\"a@b\",\"fullname\":\"Anna \xc3\x84\","
		"\"dob\":\"01/02/2000\",\"password\":\"geheim12\""),
    S("CAPTCHA", "\"challenge\":\"iVBORw0KGgo=\""),
    C("S_CAPTCHA", "\"solved\":\"012345\""),
    C("LOGIN", "\"id\":\"anna\",\"password\":\"geheim12\",\"save\":true,\"ref\":\"\""),
    C("CHAT_ENCRYPT_C", "\"chat_pubkey\":" PEM),
    S("GEN_TOKEN", "\"token\":\"abc_-\",\"ref\":\"7\""),
    C("AUTH_TOKEN", "\"user\":\"anna\",\"token\":\"abc_-\""),
    S("QUEUE_END", ""),
    C("LOGOUT", ""),
    C("LOGOUT", "\"ref\":\"bye\""),
    C("CREATE_ROOM", "\"room-type\":1,\"room-name\":\"Lab\",\"people\":[\"bob\",\"c\"]"),
    C("CREATE_ROOM", "\"room-type\":0,\"room-name\":null,\"people\":[]"),
    S("ROOM_INFO", ROOM_FIELDS ",\"seq\":1,\"ref\":\"q\""),
    S("JOIN_ROOM", ROOM_FIELDS ",\"seq\":9007199254740993"),
    C("ALTER_ROOM",
      "\"action\":\"rename\",\"actiondata\":{\"room\":" ROOM ",\"name\":\"Neu\"}"),
    C("ALTER_ROOM",
      "\"action\":\"add\",\"actiondata\":{\"room\":" ROOM ",\"people\":[\"d\"]}"),
    C("ALTER_ROOM",
      "\"action\":\"remove\",\"actiondata\":{\"room\":" ROOM ",\"people\":[]}"),
    C("ALTER_ROOM",
      "\"action\":\"promote\",\"actiondata\":{\"room\":" ROOM ",\"user\":\"bob\"}"),
    C("ALTER_ROOM",
      "\"action\":\"demote\",\"actiondata\":{\"room\":" ROOM ",\"user\":\"bob\"}"),
    C("ALTER_ROOM", "\"action\":\"delete\",\"actiondata\":{\"room\":" ROOM "}"),
    C("ALTER_ROOM", "\"action\":\"leave\",\"actiondata\":{\"room\":" ROOM "}"),
    S("ROOM_ALTERED", "\"room\":" ROOM ",\"by\":\"anna\",\"action\":\"add\","
		      "\"actiondata\":{\"people\":[\"d\"]},\"info\":{" ROOM_FIELDS
		      "},\"dne\":[\"x\"],\"seq\":4"),
    S("ROOM_ALTERED",
      "\"room\":" ROOM ",\"by\":\"anna\",\"action\":\"delete\",\"actiondata\":{},"
      "\"info\":null,\"dne\":[],\"seq\":5,\"ref\":\"z\""),
    C("CHAT_ACTION", "\"room\":" ROOM ",\"action\":\"send\",\"actiondata\":{\"format\":"
		     "\"msg-text\",\"content\":\"Zm9v\"},\"ref\":\"1\""),
    C("CHAT_ACTION", "\"room\":" ROOM ",\"action\":\"send\",\"actiondata\":{\"format\":"
		     "\"msg-smallfile\",\"content\":\"Zm9v\"}"),
    C("CHAT_ACTION", "\"room\":" ROOM ",\"action\":\"edit\",\"actiondata\":{\"msg\":" MSG
		     ",\"content\":\"Zm9v\"}"),
    C("CHAT_ACTION",
      "\"room\":" ROOM ",\"action\":\"delete\",\"actiondata\":{\"msg\":" MSG
      ",\"reason\":null}"),
    C("CHAT_ACTION",
      "\"room\":" ROOM ",\"action\":\"delete\",\"actiondata\":{\"msg\":" MSG
      ",\"reason\":\"eA==\"}"),
    C("CHAT_ACTION",
      "\"room\":" ROOM ",\"action\":\"pin\",\"actiondata\":{\"msg\":" MSG "}"),
    C("CHAT_ACTION",
      "\"room\":" ROOM ",\"action\":\"save-pubkey\",\"actiondata\":{\"chat_pubkey\":" PEM
      "}"),
#define EVENT(msg)                                 \
	"\"room\":" ROOM ",\"seq\":7,\"msg\":" msg \
	",\"from\":\"bob\",\"time\":1700000000000,"
    S("CHAT_ACTION_S", EVENT(MSG) "\"action\":\"recv\",\"actiondata\":{\"format\":"
				  "\"msg-text\",\"content\":\"Zm9v\"}"),
    S("CHAT_ACTION_S", EVENT(MSG) "\"action\":\"recv\",\"actiondata\":{\"format\":"
				  "\"msg-smallfile\",\"content\":null,\"size\":70000}"),
    S("CHAT_ACTION_S", EVENT(MSG) "\"action\":\"edited\",\"actiondata\":{\"msg\":" MSG
				  ",\"content\":\"YmFy\"}"),
    S("CHAT_ACTION_S", EVENT(MSG) "\"action\":\"deleted\",\"actiondata\":{\"msg\":" MSG
				  ",\"reason\":\"eA==\"}"),
    S("CHAT_ACTION_S", EVENT(MSG) "\"action\":\"pinned\",\"actiondata\":{\"msg\":" MSG
				  ",\"pinned\":true}"),
    S("CHAT_ACTION_S",
      EVENT("null") "\"action\":\"pubkey\",\"actiondata\":{\"chat_pubkey\":" PEM "}"),
    S("CHAT_ACTION_S",
      EVENT("null") "\"action\":\"pubkey\",\"actiondata\":{"
		    "\"chat_pubkey\":" PEM ",\"dropped\":\"0123456789abcdef\"}"),
    C("SYNC_ROOM_REQ", "\"room\":" ROOM ",\"count\":-50,\"from\":null"),
    C("SYNC_ROOM_REQ", "\"room\":" ROOM ",\"count\":200,\"from\":" MSG),
    S("SYNC_ROOM_DATA",
      "\"room\":" ROOM ",\"messages\":[{\"msg\":" MSG
      ",\"from\":\"a\",\"time\":1,\"format\":\"msg-text\",\"content\":\"x\",\"edited\":"
      "true,\"deleted\":false,\"pinned\":true},{\"msg\":" MSG
      ",\"from\":\"a\",\"time\":2,\"format\":\"msg-text\",\"content\":null,\"reason\":"
      "null,\"edited\":false,\"deleted\":true,\"pinned\":false},{\"msg\":" MSG
      ",\"from\":\"a\",\"time\":3,\"format\":\"msg-smallfile\",\"content\":null,"
      "\"size\":99999,\"edited\":false,\"deleted\":false,\"pinned\":false}],"
      "\"more\":true,\"read\":{\"a\":" MSG ",\"b.c\":" MSG "}"),
    S("SYNC_ROOM_DATA",
      "\"room\":" ROOM ",\"messages\":[],\"more\":false,\"read\":{},\"ref\":\"s\""),
    C("FETCH", "\"room\":" ROOM ",\"msg\":" MSG),
    S("FILE", "\"room\":" ROOM ",\"msg\":" MSG ",\"content\":\"\\\\ \\\" \\u0001\""),
    C("SEEN", "\"room\":" ROOM ",\"seq\":0"),
    C("LIST_ROOMS", "\"after\":null,\"count\":100"),
    C("LIST_ROOMS", "\"after\":" ROOM ",\"count\":1"),
    S("ROOMS", "\"rooms\":[{" ROOM_FIELDS "},{" ROOM_FIELDS "}],\"more\":false"),
    S("ROOMS", "\"rooms\":[],\"more\":true"),
    C("READ_RECEIPT", "\"room\":" ROOM ",\"msg\":" MSG),
    S("READ_RECEIPT", "\"room\":" ROOM ",\"msg\":" MSG ",\"user\":\"bob\""),
};
#undef C
#undef S
#define SAMPLES ((int)(sizeof(samples) / sizeof(samples[0])))

#endif
