/* SPDX-License-Identifier: MIT
 *
 * The packets of rooms, both ways, and what may stand in them
 * (docs/protocols/rooms.md).
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "protocol/json.h"
#include "protocol/rooms_account.h"
#include "tests/unit/rooms_samples.h"

#define MAX (1 << 20)

static struct rooms_packet packet;
static struct rooms_fault fault;
static struct buf out = BUF_INIT(MAX);

static enum qerr
parse(enum rooms_side sender, const char *text)
{
	rooms_packet_free(&packet);
	return rooms_parse(span_str(text), MAX, sender, &packet, &fault);
}

static void
is_text(struct span s, const char *want)
{
	ck_assert_msg(span_eq(s, span_str(want)), "got \"%.*s\", want \"%s\"", (int)s.len,
		      (const char *)s.p, want);
}

/* ---- every packet ---- */

START_TEST(parses_and_is_written_back)
{
	ck_assert_msg(parse(samples[_i].sender, samples[_i].text) == Q_OK, "%s: %s",
		      samples[_i].text, fault.desc.text);
	out.len = 0;
	ck_assert_int_eq(rooms_put(&out, &packet), Q_OK);
	is_text(buf_span(&out), samples[_i].text);
}
END_TEST

START_TEST(is_refused_from_the_wrong_side)
{
	enum rooms_side other =
	    samples[_i].sender == ROOMS_CLIENT ? ROOMS_SERVER : ROOMS_CLIENT;

	if (strstr(samples[_i].text, "READ_RECEIPT") != NULL)
		return; /* both send it */
	ck_assert_int_eq(parse(other, samples[_i].text), Q_FORMAT);
	ck_assert_int_eq(fault.sig, ROOMS_INVALID_PACKET);
	ck_assert_int_eq(fault.type, ROOMS_T_UNKNOWN);
}
END_TEST

/* Not one byte less of room, and what stood there before stays. */
START_TEST(needs_all_its_room)
{
	size_t whole = strlen(samples[_i].text);

	ck_assert_int_eq(parse(samples[_i].sender, samples[_i].text), Q_OK);
	for (size_t max = 1; max < whole + 2; max++) {
		struct buf b = BUF_INIT(max);
		enum qerr e;

		ck_assert_int_eq(buf_put_u8(&b, '!'), Q_OK);
		e = rooms_put(&b, &packet);
		if (e == Q_OK) {
			ck_assert_uint_eq(b.len, whole + 1);
		} else {
			ck_assert_int_eq(e, Q_LIMIT);
			ck_assert_uint_eq(b.len, 1);
			ck_assert_uint_le(max, whole + 1);
		}
		buf_free(&b);
	}
}
END_TEST

/* Any cut makes it no JSON, and says so. */
START_TEST(cut_short)
{
	struct span s = span_str(samples[_i].text);

	for (size_t len = 0; len < s.len; len++) {
		uint8_t *exact = malloc(len > 0 ? len : 1);

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, s.p, len);
		ck_assert_int_eq(rooms_parse(span_of(exact, len), MAX, samples[_i].sender,
					     &packet, &fault),
				 Q_FORMAT);
		free(exact);
	}
	ck_assert_int_eq(fault.sig, ROOMS_INVALID_PACKET);
}
END_TEST

START_TEST(every_type_has_a_sample)
{
	bool have[ROOMS_T_COUNT] = {false};

	for (int i = 0; i < SAMPLES; i++) {
		ck_assert_int_eq(parse(samples[i].sender, samples[i].text), Q_OK);
		have[packet.type] = true;
	}
	for (int i = ROOMS_T_UNKNOWN + 1; i < ROOMS_T_COUNT; i++)
		ck_assert_msg(have[i], "%s", rooms_type_text((enum rooms_type)i));
}
END_TEST

/* ---- tolerant forms, and what they are read as ---- */

static const struct {
	const char *text, *canonical;
} tolerant[] = {
    {" { \"data\" : { } , \"x\":[{}], \"type\" : \"LOGOUT\" } ",
     "{\"type\":\"LOGOUT\",\"data\":{}}"},
    {"{\"type\":\"LOGOUT\"}", "{\"type\":\"LOGOUT\",\"data\":{}}"},
    {"{\"type\":\"LOGOUT\",\"data\":{\"ref\":null}}",
     "{\"type\":\"LOGOUT\",\"data\":{}}"},
    {"{\"type\":\"CONN_INIT\",\"data\":{\"uuid\":"
     "\"9B2D6D6C-40A7-4E8E-8D4B-0F2F5C1F9C01\"}}",
     "{\"type\":\"CONN_INIT\",\"data\":{\"uuid\":"
     "\"9b2d6d6c-40a7-4e8e-8d4b-0f2f5c1f9c01\",\"token\":null}}"},
    {"{\"type\":\"S_CAPTCHA\",\"data\":{\"solved\":42}}",
     "{\"type\":\"S_CAPTCHA\",\"data\":{\"solved\":\"000042\"}}"},
    {"{\"type\":\"S_CAPTCHA\",\"data\":{\"solved\":-1}}",
     "{\"type\":\"S_CAPTCHA\",\"data\":{\"solved\":\"-00001\"}}"},
    {"{\"type\":\"S_CAPTCHA\",\"data\":{\"solved\":"
     "\"0123456789012345678901234567890\"}}",
     "{\"type\":\"S_CAPTCHA\",\"data\":{\"solved\":\"01234567890123456789012\"}}"},
    {"{\"type\":\"LOGIN\",\"data\":{\"save\":null}}",
     "{\"type\":\"LOGIN\",\"data\":{\"id\":null,\"password\":null,\"save\":false}}"},
    {"{\"type\":\"CHAT_ACTION\",\"data\":{\"room\":" ROOM
     ",\"action\":\"save-pubkey\",\"actiondata\":\"bare\"}}",
     "{\"type\":\"CHAT_ACTION\",\"data\":{\"room\":" ROOM
     ",\"action\":\"save-pubkey\",\"actiondata\":{\"chat_pubkey\":\"bare\"}}}"},
    {"{\"type\":\"CREATE_ROOM\",\"data\":{}}",
     "{\"type\":\"CREATE_ROOM\",\"data\":{\"room-type\":-1,\"room-name\":null,\"people\":"
     "[]}}"},
    {"{\"type\":\"SYNC_ROOM_REQ\",\"data\":{\"room\":" ROOM ",\"count\":201}}",
     "{\"type\":\"SYNC_ROOM_REQ\",\"data\":{\"room\":" ROOM
     ",\"count\":200,\"from\":null}}"},
    {"{\"type\":\"SYNC_ROOM_REQ\",\"data\":{\"room\":" ROOM
     ",\"count\":-9223372036854775808}}",
     "{\"type\":\"SYNC_ROOM_REQ\",\"data\":{\"room\":" ROOM
     ",\"count\":-200,\"from\":null}}"},
    {"{\"type\":\"LIST_ROOMS\"}",
     "{\"type\":\"LIST_ROOMS\",\"data\":{\"after\":null,\"count\":100}}"},
    {"{\"type\":\"LIST_ROOMS\",\"data\":{\"count\":101}}",
     "{\"type\":\"LIST_ROOMS\",\"data\":{\"after\":null,\"count\":100}}"},
};

START_TEST(tolerated)
{
	ck_assert_msg(parse(ROOMS_CLIENT, tolerant[_i].text) == Q_OK, "%s: %s",
		      tolerant[_i].text, fault.desc.text);
	out.len = 0;
	ck_assert_int_eq(rooms_put(&out, &packet), Q_OK);
	is_text(buf_span(&out), tolerant[_i].canonical);
}
END_TEST

START_TEST(ids_that_are_none_are_nil)
{
	ck_assert_int_eq(parse(ROOMS_CLIENT, "{\"type\":\"FETCH\",\"data\":{\"room\":"
					     "\"lab\",\"msg\":\"\"}}"),
			 Q_OK);
	ck_assert(uuid_is_nil(&packet.u.fetch.room) && uuid_is_nil(&packet.u.fetch.msg));
	ck_assert_int_eq(parse(ROOMS_CLIENT,
			       "{\"type\":\"SYNC_ROOM_REQ\",\"data\":{"
			       "\"room\":" ROOM ",\"count\":1,\"from\":\"x\"}}"),
			 Q_OK);
	ck_assert(packet.u.sync_req.has_from && uuid_is_nil(&packet.u.sync_req.from));
}
END_TEST

START_TEST(a_format_that_nobody_knows)
{
	ck_assert_int_eq(parse(ROOMS_CLIENT,
			       "{\"type\":\"CHAT_ACTION\",\"data\":{"
			       "\"room\":" ROOM ",\"action\":\"send\",\"actiondata\":{"
			       "\"format\":\"msg-largefile\",\"content\":"
			       "\"x\"}}}"),
			 Q_OK);
	ck_assert_int_eq(packet.u.action.format, ROOMS_FORMAT_OTHER);
	ck_assert_int_eq(rooms_content_check(&packet.u.action, 100),
			 ROOMS_UNSUPPORTED_MSG_FORMAT);
}
END_TEST

/* ---- what is no packet ---- */

#define ACTION(rest) "{\"type\":\"CHAT_ACTION\",\"data\":{\"room\":" ROOM "," rest "}}"
#define ALTER(rest)  "{\"type\":\"ALTER_ROOM\",\"data\":{" rest "}}"

static const struct {
	const char *text, *desc;
	enum rooms_type type;
} invalid[] = {
    {"[]", "object", ROOMS_T_UNKNOWN},
    {"hello", "JSON", ROOMS_T_UNKNOWN},
    {"{\"type\":\"LOGOUT\",\"type\":\"LOGOUT\"}", "twice", ROOMS_T_UNKNOWN},
    {"{}", "\"type\" is missing", ROOMS_T_UNKNOWN},
    {"{\"type\":7}", "\"type\" must be a string", ROOMS_T_UNKNOWN},
    {"{\"type\":null}", "\"type\" must be a string", ROOMS_T_UNKNOWN},
    {"{\"type\":\"logout\"}", "none that exists", ROOMS_T_UNKNOWN},
    {"{\"type\":\"STATUS\"}", "none that exists", ROOMS_T_UNKNOWN},
    {"{\"type\":\"packet\"}", "none that exists", ROOMS_T_UNKNOWN},
    {"{\"type\":\"LOGOUT\",\"data\":[]}", "\"data\" must be an object", ROOMS_T_LOGOUT},
    {"{\"type\":\"LOGOUT\",\"data\":null}", "\"data\" must be", ROOMS_T_LOGOUT},
    {"{\"type\":\"LOGOUT\",\"data\":{\"ref\":1}}", "\"ref\" must be", ROOMS_T_LOGOUT},
    {"{\"type\":\"CONN_INIT\"}", "\"uuid\" is missing", ROOMS_T_CONN_INIT},
    {"{\"type\":\"CONN_INIT\",\"data\":{\"uuid\":"
     "\"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\"}}",
     "version 4", ROOMS_T_CONN_INIT},
    {"{\"type\":\"CONN_INIT\",\"data\":{\"uuid\":"
     "\"9b2d6d6c-40a7-4e8e-8d4b-0f2f5c1f9c01\",\"token\":1}}",
     "\"token\" must be a string", ROOMS_T_CONN_INIT},
    {"{\"type\":\"CONN_ENCRYPT_C\",\"data\":{\"client_epbkey\":\"x\"}}", "PEM",
     ROOMS_T_CONN_ENCRYPT_C},
    {"{\"type\":\"SIGNUP\",\"data\":{\"user\":1}}", "\"user\" must be a string",
     ROOMS_T_SIGNUP},
    {"{\"type\":\"S_CAPTCHA\",\"data\":{}}", "\"solved\"", ROOMS_T_S_CAPTCHA},
    {"{\"type\":\"S_CAPTCHA\",\"data\":{\"solved\":1.5}}", "\"solved\"",
     ROOMS_T_S_CAPTCHA},
    {"{\"type\":\"LOGIN\",\"data\":{\"save\":1}}", "\"save\" must be true or false",
     ROOMS_T_LOGIN},
    {"{\"type\":\"AUTH_TOKEN\",\"data\":{\"user\":\"a\"}}", "\"token\" is missing",
     ROOMS_T_AUTH_TOKEN},
    {"{\"type\":\"CREATE_ROOM\",\"data\":{\"room-type\":\"1\"}}",
     "\"room-type\" must be an integer", ROOMS_T_CREATE_ROOM},
    {"{\"type\":\"CREATE_ROOM\",\"data\":{\"room-type\":true}}", "\"room-type\"",
     ROOMS_T_CREATE_ROOM},
    {"{\"type\":\"CREATE_ROOM\",\"data\":{\"people\":\"bob\"}}", "\"people\" must be",
     ROOMS_T_CREATE_ROOM},
    {"{\"type\":\"CREATE_ROOM\",\"data\":{\"people\":[\"bob\",1]}}", "\"people\" must be",
     ROOMS_T_CREATE_ROOM},
    {ALTER("\"actiondata\":{}"), "\"action\" is missing", ROOMS_T_ALTER_ROOM},
    {ALTER("\"action\":\"grow\",\"actiondata\":{}"), "none that exists",
     ROOMS_T_ALTER_ROOM},
    {ALTER("\"action\":\"leave\""), "\"actiondata\" is missing", ROOMS_T_ALTER_ROOM},
    {ALTER("\"action\":\"leave\",\"actiondata\":{}"), "\"room\" is missing",
     ROOMS_T_ALTER_ROOM},
    {ALTER("\"action\":\"add\",\"actiondata\":{\"room\":" ROOM "}"),
     "\"people\" is missing", ROOMS_T_ALTER_ROOM},
    {ALTER("\"action\":\"rename\",\"actiondata\":{\"room\":" ROOM "}"),
     "\"name\" is missing", ROOMS_T_ALTER_ROOM},
    {"{\"type\":\"CHAT_ACTION\",\"data\":{\"action\":\"pin\",\"actiondata\":{}}}",
     "\"room\" is missing", ROOMS_T_CHAT_ACTION},
    {"{\"type\":\"CHAT_ACTION\",\"data\":{\"room\":5}}", "\"room\" must be a string",
     ROOMS_T_CHAT_ACTION},
    {ACTION("\"actiondata\":{}"), "\"action\" is missing", ROOMS_T_CHAT_ACTION},
    {ACTION("\"action\":\"recv\",\"actiondata\":{}"), "none that exists",
     ROOMS_T_CHAT_ACTION},
    {ACTION("\"action\":\"send\""), "\"actiondata\" is missing", ROOMS_T_CHAT_ACTION},
    {ACTION("\"action\":\"send\",\"actiondata\":\"x\""), "\"actiondata\" must be",
     ROOMS_T_CHAT_ACTION},
    {ACTION("\"action\":\"send\",\"actiondata\":{\"content\":\"x\"}"),
     "\"format\" is missing", ROOMS_T_CHAT_ACTION},
    {ACTION("\"action\":\"send\",\"actiondata\":{\"format\":\"msg-text\","
	    "\"content\":\"\"}"),
     "\"content\" must not be empty", ROOMS_T_CHAT_ACTION},
    {ACTION("\"action\":\"send\",\"actiondata\":{\"format\":\"msg-text\","
	    "\"content\":{}}"),
     "\"content\" must be a string", ROOMS_T_CHAT_ACTION},
    {ACTION("\"action\":\"edit\",\"actiondata\":{\"content\":\"x\"}"),
     "\"msg\" is missing", ROOMS_T_CHAT_ACTION},
    {ACTION("\"action\":\"edit\",\"actiondata\":{\"msg\":" MSG ",\"content\":\"\"}"),
     "must not be empty", ROOMS_T_CHAT_ACTION},
    {ACTION("\"action\":\"delete\",\"actiondata\":{\"msg\":" MSG ",\"reason\":3}"),
     "\"reason\" must be", ROOMS_T_CHAT_ACTION},
    {ACTION("\"action\":\"pin\",\"actiondata\":{}"), "\"msg\" is missing",
     ROOMS_T_CHAT_ACTION},
    {ACTION("\"action\":\"save-pubkey\""), "\"actiondata\" is missing",
     ROOMS_T_CHAT_ACTION},
    {"{\"type\":\"SYNC_ROOM_REQ\",\"data\":{\"room\":" ROOM ",\"count\":0}}",
     "\"count\" must not be 0", ROOMS_T_SYNC_ROOM_REQ},
    {"{\"type\":\"SYNC_ROOM_REQ\",\"data\":{\"room\":" ROOM "}}", "\"count\" is missing",
     ROOMS_T_SYNC_ROOM_REQ},
    {"{\"type\":\"SYNC_ROOM_REQ\",\"data\":{\"room\":" ROOM ",\"count\":1.0}}",
     "\"count\" must be an integer", ROOMS_T_SYNC_ROOM_REQ},
    {"{\"type\":\"SEEN\",\"data\":{\"room\":" ROOM ",\"seq\":-1}}", "negative",
     ROOMS_T_SEEN},
    {"{\"type\":\"SEEN\",\"room\":" ROOM ",\"seq\":1}", "\"room\" is missing",
     ROOMS_T_SEEN},
    {"{\"type\":\"LIST_ROOMS\",\"data\":{\"count\":0}}", "above 0", ROOMS_T_LIST_ROOMS},
};

START_TEST(no_packet)
{
	ck_assert_msg(parse(ROOMS_CLIENT, invalid[_i].text) == Q_FORMAT, "%s",
		      invalid[_i].text);
	ck_assert_int_eq(fault.sig, ROOMS_INVALID_PACKET);
	ck_assert_msg(fault.type == invalid[_i].type, "%s: %d", invalid[_i].text,
		      (int)fault.type);
	ck_assert_msg(strstr(fault.desc.text, invalid[_i].desc) != NULL, "%s: %s",
		      invalid[_i].text, fault.desc.text);
}
END_TEST

START_TEST(faults_answer_with_ref_and_room)
{
	ck_assert_int_eq(parse(ROOMS_CLIENT,
			       "{\"type\":\"CHAT_ACTION\",\"data\":{\"room\":" ROOM
			       ",\"action\":\"pin\",\"actiondata\":{},\"ref\":\"r\"}}"),
			 Q_FORMAT);
	out.len = 0;
	ck_assert_int_eq(rooms_put_fault(&out, &fault), Q_OK);
	is_text(buf_span(&out),
		"{\"type\":\"STATUS\",\"data\":{\"sig\":\"INVALID_PACKET\",\"desc\":"
		"\"CHAT_ACTION: \\\"msg\\\" is missing\",\"room\":" ROOM
		",\"ref\":\"r\"}}");
	ck_assert_int_eq(parse(ROOMS_CLIENT, "{\"type\":\"LOGIN\",\"data\":{\"id\":1,"
					     "\"ref\":\"\"}}"),
			 Q_FORMAT);
	ck_assert(fault.has_ref && fault.ref[0] == '\0');
}
END_TEST

START_TEST(ref_has_64_bytes)
{
	char text[200];

	for (int n = 63; n <= 66; n++) {
		snprintf(text, sizeof(text),
			 "{\"type\":\"LOGOUT\",\"data\":{\"ref\":\"%0*d\"}}", n, 1);
		ck_assert_int_eq(parse(ROOMS_CLIENT, text), n <= 64 ? Q_OK : Q_FORMAT);
		ck_assert(fault.has_ref == (n <= 64));
	}
}
END_TEST

START_TEST(limits)
{
	static const char text[] = "{\"type\":\"LOGOUT\"}";

	ck_assert_int_eq(
	    rooms_parse(span_str(text), sizeof(text) - 1, ROOMS_CLIENT, &packet, &fault),
	    Q_OK);
	ck_assert_int_eq(
	    rooms_parse(span_str(text), sizeof(text) - 2, ROOMS_CLIENT, &packet, &fault),
	    Q_LIMIT);
	ck_assert_int_eq(fault.sig, ROOMS_INVALID_PACKET);
	/* The packet is depth 1: fifteen more are fine, sixteen are not. */
	ck_assert_int_eq(
	    parse(ROOMS_CLIENT,
		  "{\"type\":\"LOGOUT\",\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"),
	    Q_OK);
	ck_assert_int_eq(
	    parse(ROOMS_CLIENT,
		  "{\"type\":\"LOGOUT\",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"),
	    Q_LIMIT);
}
END_TEST

/* A file's content is borrowed from the parsed text, not copied. */
START_TEST(large_content)
{
	const size_t n = 3 << 20;
	struct buf b = BUF_INIT(8 << 20);
	struct rooms_packet p = {.type = ROOMS_T_FILE};
	uint8_t *content = malloc(n);

	ck_assert_ptr_nonnull(content);
	memset(content, 'x', n);
	p.u.file.content = span_of(content, n);
	ck_assert_int_eq(rooms_put(&b, &p), Q_OK);
	ck_assert_int_eq(rooms_parse(buf_span(&b), b.max, ROOMS_SERVER, &packet, &fault),
			 Q_OK);
	ck_assert(span_eq(packet.u.file.content, p.u.file.content));
	ck_assert_ptr_null(packet.blocks);
	free(content);
	buf_free(&b);
}
END_TEST

/* ---- values ---- */

START_TEST(members_and_their_keys)
{
	ck_assert_int_eq(
	    parse(ROOMS_SERVER, "{\"type\":\"JOIN_ROOM\",\"data\":{" ROOM_FIELDS "}}"),
	    Q_OK);
	ck_assert_uint_eq(packet.u.info.member_count, 3);
	ck_assert(packet.u.info.members[0].keys_told);
	ck_assert_uint_eq(packet.u.info.members[0].chat_pubkeys.n, 1);
	ck_assert(span_eq(packet.u.info.members[0].chat_pubkey,
			  packet.u.info.members[0].chat_pubkeys.p[0]));
	ck_assert(packet.u.info.members[1].keys_told);
	ck_assert_ptr_null(packet.u.info.members[1].chat_pubkey.p);
	ck_assert(!packet.u.info.members[2].keys_told);
	is_text(packet.u.info.name, "Lab \"7\"");
	is_text(packet.u.info.admins.p[0], "bob");
	is_text(packet.u.info.dne.p[0], "nobody");
	ck_assert_int_eq(packet.u.info.seq, 0);
}
END_TEST

START_TEST(answers_in_one_call)
{
	struct uuid room, msg;

	ck_assert_int_eq(uuid_parse(span_of(&ROOM[1], UUID_LEN), &room), Q_OK);
	ck_assert_int_eq(uuid_parse(span_of(&MSG[1], UUID_LEN), &msg), Q_OK);
	out.len = 0;
	ck_assert_int_eq(rooms_put_status(&out, ROOMS_SENT, &room, &msg, span_str("\n")),
			 Q_OK);
	is_text(buf_span(&out),
		"{\"type\":\"STATUS\",\"data\":{\"sig\":\"SENT\",\"desc\":"
		"\"the message is stored\",\"room\":" ROOM ",\"msg\":" MSG
		",\"ref\":\"\\n\"}}");
	ck_assert_int_eq(parse(ROOMS_SERVER, "{\"type\":\"STATUS\",\"data\":{\"sig\":"
					     "\"MSG_DNE\",\"seconds\":null}}"),
			 Q_OK);
	ck_assert_int_eq(packet.u.status.sig, ROOMS_MSG_DNE);
}
END_TEST

START_TEST(sigs_are_found_again)
{
	for (int i = 1; i < ROOMS_SIG_COUNT; i++) {
		const char *text = rooms_sig_text((enum rooms_sig)i);

		ck_assert_int_eq(rooms_sig_find(span_str(text)), i);
		ck_assert_uint_gt(strlen(rooms_sig_sentence((enum rooms_sig)i)), 5);
	}
	ck_assert_int_eq(rooms_sig_find(span_str("")), ROOMS_SIG_OTHER);
	ck_assert_int_eq(rooms_sig_find(span_str("sent")), ROOMS_SIG_OTHER);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rooms");
	TCase *c = tcase_create("rooms");

	json_start(1);
	tcase_add_loop_test(c, parses_and_is_written_back, 0, SAMPLES);
	tcase_add_loop_test(c, is_refused_from_the_wrong_side, 0, SAMPLES);
	tcase_add_loop_test(c, needs_all_its_room, 0, SAMPLES);
	tcase_add_loop_test(c, cut_short, 0, SAMPLES);
	tcase_add_test(c, every_type_has_a_sample);
	tcase_add_loop_test(c, tolerated, 0, sizeof(tolerant) / sizeof(tolerant[0]));
	tcase_add_test(c, ids_that_are_none_are_nil);
	tcase_add_test(c, a_format_that_nobody_knows);
	tcase_add_loop_test(c, no_packet, 0, sizeof(invalid) / sizeof(invalid[0]));
	tcase_add_test(c, faults_answer_with_ref_and_room);
	tcase_add_test(c, ref_has_64_bytes);
	tcase_add_test(c, limits);
	tcase_add_test(c, large_content);
	tcase_add_test(c, members_and_their_keys);
	tcase_add_test(c, answers_in_one_call);
	tcase_add_test(c, sigs_are_found_again);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
