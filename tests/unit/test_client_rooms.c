/* SPDX-License-Identifier: MIT
 *
 * The client's machine of rooms against a fake server: the handshake, what may be
 * believed, what is shown and what is kept, what is sent again.
 */
#include "tests/unit/salon_fake.h"

/* ---- the handshake ---- */

START_TEST(handshake)
{
	static const struct {
		enum lie lie;
		const char *event;
	} cases[] = {
	    {NO_CERTIFICATE, " the server shows no certificate, so it cannot be trusted"},
	    {WRONG_SIGNATURE, " the server shows a certificate that is not its own"},
	    {OTHER_UUID, " the server shows a certificate that is not its own"},
	};
	struct fake *f = fake_of(&client_rooms);

	greet(f, cases[_i].lie);
	EVENT(CLIENT_REFUSED, cases[_i].event);
	SILENCE();
	fake_free(f);
}
END_TEST

START_TEST(no_point)
{
	struct fake *f = fake_of(&client_rooms);

	greet(f, NO_POINT);
	EVENT(CLIENT_LOST, " the server's key is none");
	fake_free(f);
}
END_TEST

/* Somebody else's CA: even inside TLS nobody gets the token. */
START_TEST(other_ca)
{
	struct fake *f = fake_of(&client_rooms);
	struct cert *other = aid_ca();

	f->login.ca = other;
	greet(f, NO_CERTIFICATE);
	take_event(f);
	again(f);
	greet(f, OTHER_UUID);
	take_event(f);
	ck_assert_int_eq(atoi(f->taken), CLIENT_REFUSED);
	SILENCE();
	fake_free(f);
	cert_free(other);
}
END_TEST

static const char *const nonsense[] = {
    "HTTP/1.1 400 Bad Request",
    "{}",
    "{\"type\":\"QUEUE_END\",\"data\":{}}",
    "{\"type\":\"CONN_INIT\",\"data\":{}}",
};

START_TEST(other_protocol)
{
	struct fake *f = fake_of(&client_rooms);

	f->row->begin(f->machine, f->now);
	feed(f, span_str(nonsense[_i]));
	EVENT(CLIENT_LOST, " what answers there does not speak rooms");
	/* Nothing after the final one. */
	feed(f, span_str(nonsense[_i]));
	NO_EVENT();
	fake_free(f);
}
END_TEST

START_TEST(seal_broken)
{
	struct fake *f = fake_of(&client_rooms);

	greet(f, HONEST);
	switch (_i) {
	case 0: feed(f, span_str(OK_STATUS)); break; /* in the open */
	case 1:                                      /* one was lost on the way */
		f->to.next++;
		say(f, OK_STATUS);
		break;
	default:
		f->to.next = 0; /* once more */
		say(f, OK_STATUS);
	}
	EVENT(CLIENT_REFUSED, " what comes from the server is not sealed as agreed: "
			      "somebody is in between, or it is broken");
	fake_free(f);
}
END_TEST

START_TEST(bad_token)
{
	struct fake *f = fake_of(&client_rooms);

	ck_assert_int_eq(rooms_state_set_token(f->state, "token", NULL), Q_OK);
	greet(f, HONEST);
	say(f, "{'type':'STATUS','data':{'sig':'%s','desc':''}}",
	    _i == 0 ? "TOKEN_INVALID" : "TOKEN_EXPIRED");
	EVENT(CLIENT_REFUSED, _i == 0
				  ? " the server wants your password again"
				  : " it is too long ago that you gave your password");
	ck_assert_str_eq(f->state->token, "");
	ck_assert(f->state->refused);
	fake_free(f);
}
END_TEST

START_TEST(no_answer)
{
	struct fake *f = fake_of(&client_rooms);

	f->row->begin(f->machine, f->now);
	ck_assert_int_eq(f->row->deadline(f->machine), f->now + 10000);
	f->now += 10000;
	f->row->tick(f->machine, f->now);
	EVENT(CLIENT_LOST, " the server does not answer in time");
	fake_free(f);
}
END_TEST

/* Nobody says anything, and so it is asked whether anybody is there. */
START_TEST(quiet_server)
{
	struct fake *f = in_club();
	int64_t due = f->now + 10000;

	f->row->tick(f->machine, due - 1); /* what is to be kept is kept */
	SILENCE();
	ck_assert_int_eq(f->row->deadline(f->machine), due);
	f->now = due;
	f->row->tick(f->machine, f->now);
	HEAR(LIST_ROOMS);
	ck_assert_int_eq(f->row->deadline(f->machine), f->now + 8000);
	f->now += 7999;
	say(f, "{'type':'ROOMS','data':{'rooms':[],'more':false}}");
	ck_assert_int_eq(f->row->deadline(f->machine), f->now + 10000);
	f->now += 10000;
	f->row->tick(f->machine, f->now);
	HEAR(LIST_ROOMS);
	f->now += 8000;
	f->row->tick(f->machine, f->now);
	EVENT(CLIENT_LOST, " the server does not answer any longer");
	fake_free(f);
}
END_TEST

/* ---- what others say ---- */

START_TEST(shown)
{
	struct fake *f = in_club();

	bob_says(f, (struct said){CLUB, MSG("01"), "hello", 5, 1, ROOMS_USE_TEXT, 0, 0});
	EVENT(CLIENT_MESSAGE, " bob #1 hello");
	HEAR(SEEN);
	ck_assert_int_eq(f->packet.u.seen.seq, 5);
	HEAR(READ_RECEIPT);
	/* Again: it was had. */
	bob_says(f, (struct said){CLUB, MSG("01"), "hello", 5, 1, ROOMS_USE_TEXT, 0, 0});
	bob_says(f, (struct said){CLUB, MSG("00"), "older", 4, 9, ROOMS_USE_TEXT, 0, 0});
	NO_EVENT();
	SILENCE();
	bob_says(f,
		 (struct said){CLUB, MSG("01"), "Hello!", 6, 10, ROOMS_USE_EDIT, 0, 0});
	EVENT(CLIENT_EDITED, " bob #1 Hello!");
	bob_says(f, (struct said){CLUB, MSG("01"), "why", 7, 11, ROOMS_USE_REASON, 0, 0});
	EVENT(CLIENT_ERASED, " bob #1 why");
	say(f, "{'type':'CHAT_ACTION_S','data':{'room':'" CLUB "','seq':8,'msg':'" MSG(
		   "01") "','from':'bob','time':1,'action':'pinned','actiondata':{'msg':"
			 "'" MSG("01") "','pinned':true}}}");
	EVENT(CLIENT_PINNED, " bob #1 1");
	fake_free(f);
}
END_TEST

/* What a dishonest server may try with contents that it cannot read. */
static const struct {
	struct said s;
	const char *event;
} tricks[] = {
    /* a counter that went back: a copy */
    {{CLUB, MSG("02"), "again", 6, 5, ROOMS_USE_TEXT, NULL, NULL},
     " bob it is older than it should be: somebody may have sent it again"},
    /* of another author */
    {{CLUB, MSG("02"), "x", 6, 9, ROOMS_USE_TEXT, NULL, "carol"}, NULL},
    /* by a key that nobody has told us of */
    {{CLUB, MSG("02"), "x", 6, 9, ROOMS_USE_TEXT, (struct key *)1, NULL},
     " bob signed with a key of bob that is not trusted here: see /verify bob and "
     "/trust bob"},
};

START_TEST(trick)
{
	struct said s = tricks[_i].s;
	struct fake *f = in_club();

	if (s.by != NULL)
		s.by = mallory;
	bob_says(f, (struct said){CLUB, MSG("01"), "hello", 5, 5, ROOMS_USE_TEXT, 0, 0});
	EVENT(CLIENT_MESSAGE, " bob #1 hello");
	bob_says(f, s);
	if (tricks[_i].event != NULL)
		EVENT(CLIENT_UNKNOWN, tricks[_i].event);
	else {
		take_event(f);
		ck_assert_int_eq(atoi(f->taken), CLIENT_UNKNOWN);
	}
	NO_EVENT();
	fake_free(f);
}
END_TEST

/* A content of another room, an edit as a message, a message as an edit, an edit for
 * another message: all are bound to what they were made for. */
START_TEST(moved)
{
	struct said s = {CLUB, MSG("02"), "x", 6, 9, ROOMS_USE_TEXT, NULL, NULL};
	struct fake *f = in_club();
	struct buf content;

	if (_i == 0)
		s.room = DIRECT;
	if (_i == 1)
		s.use = ROOMS_USE_EDIT;
	seal_said(f, &s, &content);
	say(f,
	    "{'type':'CHAT_ACTION_S','data':{'room':'" CLUB
	    "','seq':6,'msg':'" MSG("02") "','from':'bob','time':1,'action':'%s','"
					  "actiondata':{%s'content':'%s'}}}",
	    _i == 2 ? "edited" : "recv",
	    _i == 2 ? "'msg':'" MSG("02") "'," : "'format':'msg-text',",
	    (const char *)content.p);
	take_event(f);
	ck_assert_int_eq(atoi(f->taken), CLIENT_UNKNOWN);
	NO_EVENT();
	buf_free(&content);
	fake_free(f);
}
END_TEST

/* Who edits what somebody else has said is not believed. */
START_TEST(foreign_edit)
{
	struct fake *f = in_club();

	ASK_OK(CLIENT_DO_SAY, "mine");
	HEAR(CHAT_ACTION);
	say(f,
	    "{'type':'STATUS','data':{'sig':'SENT','desc':'','room':'" CLUB
	    "','msg':'" MSG("01") "','ref':'%.*s'}}",
	    (int)f->packet.ref.len, (const char *)f->packet.ref.p);
	EVENT(CLIENT_SENT, " #Math-club #1");
	bob_says(f, (struct said){CLUB, MSG("01"), "his", 6, 9, ROOMS_USE_EDIT, 0, 0});
	EVENT(CLIENT_UNKNOWN, " bob a change of what somebody else has said");
	fake_free(f);
}
END_TEST

/* ---- rooms that are not open ---- */

START_TEST(kept)
{
	struct fake *f = in_club();

	bob_says(f, (struct said){DIRECT, MSG("01"), "one", 3, 1, ROOMS_USE_TEXT, 0, 0});
	bob_says(f, (struct said){DIRECT, MSG("02"), "two", 4, 2, ROOMS_USE_TEXT, 0, 0});
	EVENT(CLIENT_UNREAD, " bob 1");
	EVENT(CLIENT_UNREAD, " bob 2");
	ck_assert_uint_eq(f->view.unread, 2);
	SILENCE(); /* no SEEN */
	ASK_OK(CLIENT_DO_CHATS, "");
	EVENT(CLIENT_CHAT_KEPT, " #Math-club Math club");
	EVENT(CLIENT_CHAT_KEPT, " bob 2");
	EVENT(CLIENT_CHATS_END, " 2");
	ASK_OK(CLIENT_DO_CHAT, "BOB");
	EVENT(CLIENT_CHAT_READY, " bob");
	EVENT(CLIENT_MESSAGE, " bob #1 one");
	EVENT(CLIENT_MESSAGE, " bob #2 two");
	ck_assert_uint_eq(f->view.unread, 0);
	HEAR(SEEN);
	ck_assert_int_eq(f->packet.u.seen.seq, 4);
	fake_free(f);
}
END_TEST

/* What was shown is remembered; what was not comes again, and is not a copy. */
START_TEST(next_run)
{
	struct said first = {DIRECT, MSG("01"), "one", 3, 1, ROOMS_USE_TEXT, 0, 0};
	struct said second = {DIRECT, MSG("02"), "two", 4, 2, ROOMS_USE_TEXT, 0, 0};
	struct fake *f = in_club();

	ASK_OK(CLIENT_DO_CHAT, "bob");
	bob_says(f, first);
	ASK_OK(CLIENT_DO_CHAT, "math-club");
	bob_says(f, second);
	fake_free(f);

	f = fake_of(&client_rooms);
	log_in(f);
	bob_says(f, first);
	bob_says(f, second);
	EVENT(CLIENT_UNREAD, " bob 1");
	ASK_OK(CLIENT_DO_CHAT, "bob");
	EVENT(CLIENT_CHAT_READY, " bob");
	EVENT(CLIENT_MESSAGE, " bob #1 two");
	NO_EVENT();
	/* The counters of last time still count. */
	bob_says(f, (struct said){DIRECT, MSG("03"), "x", 5, 2, ROOMS_USE_TEXT, 0, 0});
	EVENT(CLIENT_UNKNOWN,
	      " bob it is older than it should be: somebody may have sent it again");
	fake_free(f);
}
END_TEST

/* ---- saying ---- */

static void
open_said(struct fake *f, const char *want)
{
	struct rooms_place place = {.from = span_str("alice"),
				    .use = ROOMS_USE_TEXT,
				    .room = f->packet.u.action.room};
	struct buf plain = BUF_INIT(65536);
	struct key *authors[1] = {f->state->key};
	struct rooms_opened opened;
	struct why why;

	ck_assert_int_eq(rooms_content_open(&place, bob, authors, 1,
					    f->packet.u.action.content, &plain, &opened,
					    &why),
			 Q_OK);
	ck_assert(span_eq(buf_span(&plain), span_str(want)));
	buf_free(&plain);
}

/* Lost before the answer: said again with the same ref, sealed anew. */
START_TEST(said_again)
{
	struct fake *f = in_club();
	char ref[64];

	f->login.comes_back = true;
	ASK_OK(CLIENT_DO_SAY, "hello");
	HEAR(CHAT_ACTION);
	open_said(f, "hello");
	snprintf(ref, sizeof(ref), "%.*s", (int)f->packet.ref.len,
		 (const char *)f->packet.ref.p);
	f->row->lost(f->machine, Q_SYS, "broke");
	EVENT(CLIENT_LOST, " broke");
	again(f);
	log_in(f);
	HEAR(CHAT_ACTION);
	ck_assert(span_eq(f->packet.ref, span_str(ref)));
	open_said(f, "hello");
	say(f,
	    "{'type':'STATUS','data':{'sig':'SENT','desc':'','room':'" CLUB
	    "','msg':'" MSG("01") "','ref':'%s'}}",
	    ref);
	EVENT(CLIENT_SENT, " #Math-club #1");
	ck_assert_uint_eq(f->state->memory.going_count, 0);
	fake_free(f);
}
END_TEST

/* Lines that are too many for now wait for as long as the server says, in their order. */
START_TEST(sent_later)
{
	struct fake *f = in_club();
	char ref[2][ROOMS_REF_MAX + 1];

	for (int i = 0; i < 2; i++) {
		ASK_OK(CLIENT_DO_SAY, i == 0 ? "one" : "two");
		HEAR(CHAT_ACTION);
		snprintf(ref[i], sizeof(ref[i]), "%.*s", (int)f->packet.ref.len,
			 (const char *)f->packet.ref.p);
	}
	for (int i = 0; i < 2; i++)
		say(f,
		    "{'type':'STATUS','data':{'sig':'TRY_LATER','desc':'','seconds':3,"
		    "'ref':'%s'}}",
		    ref[i]);
	ASK_OK(CLIENT_DO_SAY, "three");
	NO_EVENT();
	ck_assert_int_le(f->row->deadline(f->machine), f->now + 3000);
	ck_assert_uint_eq(f->out.len, 0);
	f->now += 3000;
	f->row->tick(f->machine, f->now);
	for (int i = 0; i < 3; i++) {
		HEAR(CHAT_ACTION);
		open_said(f, i == 0 ? "one" : i == 1 ? "two" : "three");
		if (i < 2)
			ck_assert(span_eq(f->packet.ref, span_str(ref[i])));
	}
	ck_assert_uint_eq(f->state->memory.going_count, 3);
	fake_free(f);
}
END_TEST

/* A file that waits behind refused lines is dropped; one that is being sent is not. */
START_TEST(file_cancelled)
{
	struct fake *f = in_club();
	char path[sizeof(tempdir) + 8], ref[ROOMS_REF_MAX + 1];
	FILE *file;

	snprintf(path, sizeof(path), "%s/file", tempdir);
	ck_assert_ptr_nonnull(file = fopen(path, "w"));
	ck_assert_int_eq(fputs("bytes", file) >= 0 && fclose(file) == 0, true);
	ck_assert_int_eq(ASK(CLIENT_DO_CANCEL, ""), Q_DENIED);
	ASK_OK(CLIENT_DO_SAY, "one");
	HEAR(CHAT_ACTION);
	snprintf(ref, sizeof(ref), "%.*s", (int)f->packet.ref.len,
		 (const char *)f->packet.ref.p);
	say(f,
	    "{'type':'STATUS','data':{'sig':'TRY_LATER','desc':'','seconds':3,'ref':'%s'"
	    "}}",
	    ref);
	ASK_OK(CLIENT_DO_SEND_FILE, path);
	ck_assert_int_eq(ASK(CLIENT_DO_CANCEL, "get"), Q_DENIED);
	ASK_OK(CLIENT_DO_CANCEL, "send");
	EVENT(CLIENT_FILE_FAILED, " #Math-club file");
	ck_assert_int_eq(f->view.sending, CLIENT_TRANSFER_NONE);
	f->now += 3000;
	f->row->tick(f->machine, f->now);
	HEAR(CHAT_ACTION);
	open_said(f, "one");
	SILENCE();
	/* Another one goes out at once. */
	ASK_OK(CLIENT_DO_SEND_FILE, path);
	EVENT(CLIENT_FILE_BEGUN, " #Math-club file");
	HEAR(CHAT_ACTION);
	ck_assert_int_eq(ASK(CLIENT_DO_CANCEL, ""), Q_DENIED);
	ck_assert_int_eq(f->view.sending, CLIENT_TRANSFER_RUNNING);
	ck_assert_uint_eq(f->state->memory.going_count, 2);
	fake_free(f);
}
END_TEST

/* A file that the server wants later waits as lines do, may be cancelled meanwhile, and is
 * still being sent as far as a script can see, also while there is no connection. */
START_TEST(file_later)
{
	struct fake *f = in_club();
	char path[sizeof(tempdir) + 8], ref[ROOMS_REF_MAX + 1];
	FILE *file;

	snprintf(path, sizeof(path), "%s/file", tempdir);
	ck_assert_ptr_nonnull(file = fopen(path, "w"));
	ck_assert_int_eq(fputs("bytes", file) >= 0 && fclose(file) == 0, true);
	f->login.comes_back = true;
	ASK_OK(CLIENT_DO_SEND_FILE, path);
	EVENT(CLIENT_FILE_BEGUN, " #Math-club file");
	HEAR(CHAT_ACTION);
	snprintf(ref, sizeof(ref), "%.*s", (int)f->packet.ref.len,
		 (const char *)f->packet.ref.p);
	say(f,
	    "{'type':'STATUS','data':{'sig':'TRY_LATER','desc':'','seconds':3,'ref':'%s'"
	    "}}",
	    ref);
	NO_EVENT();
	ck_assert_int_eq(f->view.sending, CLIENT_TRANSFER_PREPARING);
	ck_assert_int_eq(ASK(CLIENT_DO_SEND_FILE, path), Q_FULL);
	f->now += 3000;
	f->row->tick(f->machine, f->now);
	EVENT(CLIENT_FILE_BEGUN, " #Math-club file");
	HEAR(CHAT_ACTION);
	ck_assert(span_eq(f->packet.ref, span_str(ref)));
	ck_assert_int_eq(f->view.sending, CLIENT_TRANSFER_RUNNING);
	f->row->lost(f->machine, Q_SYS, "broke");
	EVENT(CLIENT_LOST, " broke");
	f->view.sending = CLIENT_TRANSFER_NONE;
	again(f);
	ck_assert_int_eq(f->view.sending, CLIENT_TRANSFER_PREPARING);
	log_in(f);
	EVENT(CLIENT_FILE_BEGUN, " #Math-club file");
	HEAR(CHAT_ACTION);
	say(f,
	    "{'type':'STATUS','data':{'sig':'TRY_LATER','desc':'','seconds':3,'ref':'%s'"
	    "}}",
	    ref);
	ASK_OK(CLIENT_DO_CANCEL, "");
	EVENT(CLIENT_FILE_FAILED, " #Math-club file");
	ck_assert_uint_eq(f->state->memory.going_count, 0);
	fake_free(f);
}
END_TEST

START_TEST(lost_for_good)
{
	struct fake *f = in_club();

	ASK_OK(CLIENT_DO_SAY, "one");
	f->row->lost(f->machine, Q_SYS, "broke");
	EVENT(CLIENT_UNSENT, " #Math-club one");
	EVENT(CLIENT_LOST, " broke; messages that may not have arrived: 1");
	fake_free(f);
}
END_TEST

START_TEST(not_taken)
{
	struct fake *f = in_club();

	ASK_OK(CLIENT_DO_SAY, "one");
	HEAR(CHAT_ACTION);
	say(f,
	    "{'type':'STATUS','data':{'sig':'TRY_LATER','desc':'','seconds':300,'ref':'%."
	    "*"
	    "s'}}",
	    (int)f->packet.ref.len, (const char *)f->packet.ref.p);
	EVENT(CLIENT_FAILED,
	      " not sent to #Math-club, 1: too many at the moment, try again "
	      "later: 300 s");
	ck_assert_int_eq(ASK(CLIENT_DO_SAY, ""), Q_FORMAT);
	ck_assert_int_eq(ASK(CLIENT_DO_SAY, "\xff"), Q_FORMAT);
	ASK_OK(CLIENT_DO_END, "");
	EVENT(CLIENT_CHAT_CLOSED, " #Math-club closed");
	ck_assert_int_eq(ASK(CLIENT_DO_SAY, "x"), Q_DENIED);
	fake_free(f);
}
END_TEST

/* ---- keys ---- */

/* A second key of bob's: nothing is sealed for it until it is trusted. */
START_TEST(another_key)
{
	struct rooms_place place = {.from = span_str("alice"), .use = ROOMS_USE_TEXT};
	struct key *authors[1];
	struct buf plain = BUF_INIT(65536);
	struct rooms_opened opened;
	struct fake *f = in_club();
	struct why why;

	authors[0] = f->state->key;
	say(f,
	    "{'type':'CHAT_ACTION_S','data':{'room':'" CLUB "','seq':5,'msg':null,"
	    "'from':'bob','time':1,'action':'pubkey','actiondata':{'chat_pubkey':'%s'}}}",
	    mallory_pem);
	EVENT(CLIENT_KEY_CHANGED, " bob");
	HEAR(SEEN);
	for (int i = 0; i < 2; i++) {
		ASK_OK(CLIENT_DO_SAY, "hello");
		HEAR(CHAT_ACTION);
		place.room = f->packet.u.action.room;
		ck_assert_int_eq(rooms_content_open(&place, mallory, authors, 1,
						    f->packet.u.action.content, &plain,
						    &opened, &why),
				 i == 0 ? Q_MISSING : Q_OK);
		if (i == 0) {
			ASK_OK(CLIENT_DO_TRUST, "bob");
			EVENT(CLIENT_KEY_TRUSTED, " bob");
		}
	}
	ck_assert_int_eq(ASK(CLIENT_DO_TRUST, "bob"), Q_MISSING);
	buf_free(&plain);
	fake_free(f);
}
END_TEST

START_TEST(safety_number)
{
	struct fake *f = in_club();

	ck_assert_int_eq(ASK(CLIENT_DO_VERIFY, ""), Q_FORMAT); /* whose? */
	ck_assert_int_eq(ASK(CLIENT_DO_VERIFY, "nobody"), Q_MISSING);
	ASK_OK(CLIENT_DO_VERIFY, "bob yes");
	EVENT(CLIENT_VERIFIED, " bob 1");
	ASK_OK(CLIENT_DO_VERIFY, "bob");
	take_event(f);
	ck_assert_int_eq(atoi(f->taken), CLIENT_SAFETY);
	ck_assert_ptr_nonnull(strstr(f->taken, " bob 1 "));
	ASK_OK(CLIENT_DO_VERIFY, "bob no");
	EVENT(CLIENT_VERIFIED, " bob");
	fake_free(f);
}
END_TEST

/* ---- rooms that come and go ---- */

START_TEST(altered)
{
	struct fake *f = in_club();

	say(f,
	    "{'type':'ROOM_ALTERED','data':{'room':'" CLUB "','by':'bob','action':"
	    "'rename','actiondata':{'name':'Maths'},'info':{'room':'" CLUB
	    "','room-type':1,'room-name':'Maths','owner':'bob','admins':['alice'],"
	    "'members':[{'user':'bob'},{'user':'Alice'}],'dne':[]},'dne':[],'seq':7}}");
	EVENT(CLIENT_ROOM, " #Math-club bob has renamed it: Maths");
	HEAR(SEEN);
	say(f, "{'type':'ROOM_ALTERED','data':{'room':'" CLUB "','by':'bob','action':"
	       "'remove','actiondata':{'people':['ALICE']},'info':{'room':'" CLUB
	       "','room-type':1,'room-name':'Maths','owner':'bob','admins':[],"
	       "'members':[{'user':'bob'}],'dne':[]},'dne':[],'seq':8}}");
	EVENT(CLIENT_ROOM, " #Math-club bob has removed ALICE");
	EVENT(CLIENT_CHAT_CLOSED, " #Math-club you have been removed from the room");
	ck_assert_int_eq(f->view.phase, CLIENT_PHASE_FREE);
	ck_assert_int_eq(ASK(CLIENT_DO_CHAT, "#Math-club"), Q_MISSING);
	/* What still comes from there has no place. */
	bob_says(f, (struct said){CLUB, MSG("01"), "x", 9, 1, ROOMS_USE_TEXT, 0, 0});
	NO_EVENT();
	fake_free(f);
}
END_TEST

static const struct {
	enum client_verb verb;
	const char *arg, *sent;
	enum qerr e;
} commands[] = {
    {CLIENT_DO_CREATE, "club bob carol",
     "{\"type\":\"CREATE_ROOM\",\"data\":{\"room-type\":1,\"room-name\":\"club\","
     "\"people\":[\"bob\",\"carol\"]",
     Q_OK},
    {CLIENT_DO_CHANNEL, "\"two words\" bob",
     "{\"type\":\"CREATE_ROOM\",\"data\":{\"room-type\":2,\"room-name\":\"two words\","
     "\"people\":[\"bob\"]",
     Q_OK},
    {CLIENT_DO_CHAT, "carol",
     "{\"type\":\"CREATE_ROOM\",\"data\":{\"room-type\":0,\"room-name\":", Q_OK},
    {CLIENT_DO_INVITE, "carol dave",
     "{\"type\":\"ALTER_ROOM\",\"data\":{\"action\":\"add\",\"actiondata\":{", Q_OK},
    {CLIENT_DO_PROMOTE, "bob",
     "{\"type\":\"ALTER_ROOM\",\"data\":{\"action\":\"promote\",\"actiondata\":{", Q_OK},
    {CLIENT_DO_SYNC, "500", "{\"type\":\"SYNC_ROOM_REQ\",\"data\":{", Q_OK},
    {CLIENT_DO_CREATE, "club", NULL, Q_FORMAT},
    {CLIENT_DO_CREATE, "", NULL, Q_FORMAT},
    {CLIENT_DO_CREATE, "club b/b", NULL, Q_FORMAT},
    {CLIENT_DO_CREATE, "a\x01 bob", NULL, Q_FORMAT},
    {CLIENT_DO_INVITE, "", NULL, Q_FORMAT},
    {CLIENT_DO_INVITE, "../x", NULL, Q_FORMAT},
    {CLIENT_DO_PROMOTE, "two names", NULL, Q_FORMAT},
    {CLIENT_DO_RENAME, "", NULL, Q_FORMAT},
    {CLIENT_DO_CHAT, "#nothing", NULL, Q_MISSING},
    {CLIENT_DO_CHAT, "Alice", NULL, Q_DENIED},
    {CLIENT_DO_EDIT, "", NULL, Q_FORMAT},
    {CLIENT_DO_EDIT, "7 x", NULL, Q_MISSING},
    {CLIENT_DO_DELETE, "", NULL, Q_MISSING},
    {CLIENT_DO_PIN, "x", NULL, Q_FORMAT},
    {CLIENT_DO_SYNC, "x", NULL, Q_FORMAT},
    {CLIENT_DO_GET, "", NULL, Q_MISSING},
    {CLIENT_DO_SEND_FILE, "/nowhere/at all", NULL, Q_MISSING},
    {CLIENT_DO_ADD, "bob", NULL, Q_DENIED},
};

START_TEST(command)
{
	struct fake *f = in_club();

	ck_assert_int_eq(ASK(commands[_i].verb, commands[_i].arg), commands[_i].e);
	if (commands[_i].sent == NULL) {
		SILENCE();
	} else {
		(void)hear(f);
		ck_assert_msg(f->text.len >= strlen(commands[_i].sent) &&
				  memcmp(f->text.p, commands[_i].sent,
					 strlen(commands[_i].sent)) == 0,
			      "%.*s", (int)f->text.len, (const char *)f->text.p);
		ck_assert(f->view.busy);
		ck_assert_int_eq(ASK(CLIENT_DO_PIN, ""), Q_FULL);
	}
	fake_free(f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("client rooms");
	TCase *c = tcase_create("machine");

	tcase_add_checked_fixture(c, salon_setup, salon_teardown);
	tcase_add_loop_test(c, handshake, 0, 3);
	tcase_add_test(c, no_point);
	tcase_add_test(c, other_ca);
	tcase_add_loop_test(c, other_protocol, 0, 4);
	tcase_add_loop_test(c, seal_broken, 0, 3);
	tcase_add_loop_test(c, bad_token, 0, 2);
	tcase_add_test(c, no_answer);
	tcase_add_test(c, quiet_server);
	tcase_add_test(c, shown);
	tcase_add_loop_test(c, trick, 0, sizeof(tricks) / sizeof(tricks[0]));
	tcase_add_loop_test(c, moved, 0, 3);
	tcase_add_test(c, foreign_edit);
	tcase_add_test(c, kept);
	tcase_add_test(c, next_run);
	tcase_add_test(c, said_again);
	tcase_add_test(c, sent_later);
	tcase_add_test(c, file_later);
	tcase_add_test(c, file_cancelled);
	tcase_add_test(c, lost_for_good);
	tcase_add_test(c, not_taken);
	tcase_add_test(c, another_key);
	tcase_add_test(c, safety_number);
	tcase_add_test(c, altered);
	tcase_add_loop_test(c, command, 0, sizeof(commands) / sizeof(commands[0]));
	suite_add_tcase(s, c);
	return unit_main(s);
}
