/* SPDX-License-Identifier: MIT
 *
 * The connection of rooms: from the upgrade to CONN_OK, the seal, bad packets, limits.
 */
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "tests/system/rooms_peer.h"

#define BINARY (WS_FIN | 2)
#define PING   (WS_FIN | 9)

static void
hear_invalid(struct rooms_peer *p)
{
	rp_hear_status(p, "INVALID_PACKET");
}

/* ---- the route ---- */

START_TEST(only_an_upgrade_comes_in)
{
	static const char plain[] = "GET /rooms HTTP/1.1\r\nHost: localhost\r\n\r\n";
	static const char post[] =
	    "POST /rooms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
	struct harness *h = harness_start(NULL);
	struct http_peer *p;

	ck_assert_int_eq(http_status_of(h, plain), 426);
	ck_assert_int_eq(http_status_of(h, post), 405);
	p = ws_ask(h, "/rooms", WS_HEADERS "Origin: http://evil.example\r\n");
	ck_assert_int_eq(p->status, 403);
	http_free(p);
	harness_free(h);
	h = harness_start("rooms.enabled=no", NULL);
	ck_assert_int_eq(http_status_of(h, plain), 404);
	harness_free(h);
}
END_TEST

/* ---- before CONN_OK ---- */

START_TEST(the_first_bad_packet_is_the_last)
{
	static const char *const bad[] = {
	    "",
	    "hello",
	    "[]",
	    "{}",
	    "{'type':7}",
	    "{'type':'NO_SUCH'}",
	    "{'type':'CONN_OK'}",
	    "{'type':'CONN_INIT'}",
	    "{'type':'CONN_INIT','data':[]}",
	    "{'type':'CONN_INIT','data':{'uuid':7,'token':null}}",
	    "{'type':'CONN_INIT','data':{'uuid':'x','token':null}}",
	    /* version 1, and none */
	    "{'type':'CONN_INIT','data':{'uuid':'c232ab00-9414-11ec-b3c8-9f6bdeced846',"
	    "'token':null}}",
	    "{'type':'CONN_INIT','data':{'uuid':'00000000-0000-0000-0000-000000000000',"
	    "'token':null}}",
	    "{'type':'CONN_INIT','type':'CONN_INIT'}",
	    /* not yet */
	    "{'type':'CONN_ENCRYPT_C','data':{'client_epbkey':'x'}}",
	    "{'type':'LOGIN','data':{'id':'a','password':'b'}}",
	    "{'type':'LIST_ROOMS','data':{'after':null,'count':1}}",
	};
	struct harness *h = harness_start(NULL);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rooms_peer *p = rp_open(h, false);

		rp_say(p, "%s", bad[i]);
		hear_invalid(p);
		rp_hear_close(p, 1008);
		rp_free(p);
	}
	harness_free(h);
}
END_TEST

START_TEST(nothing_but_a_key_follows_the_offer)
{
	struct harness *h = harness_start(NULL);
	struct rooms_peer *p = rp_open(h, false);

	rp_init(p, NULL);
	rp_say(p, "{'type':'CONN_INIT','data':{'uuid':'%s','token':null}}", p->uuid_text);
	hear_invalid(p);
	rp_hear_close(p, 1008);
	rp_free(p);
	harness_free(h);
}
END_TEST

static char *
pem_of(EVP_PKEY *key, bool private)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *out;
	long n;

	ck_assert_ptr_nonnull(key);
	if (private)
		ck_assert_int_eq(
		    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	else
		ck_assert_int_eq(PEM_write_bio_PUBKEY(bio, key), 1);
	n = BIO_get_mem_data(bio, &data);
	out = strndup(data, (size_t)n);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return out;
}

START_TEST(only_points_of_p256_are_keys)
{
	char *bad[] = {
	    strdup(""),
	    strdup("no key"),
	    pem_of(EVP_EC_gen("P-384"), false),
	    pem_of(EVP_RSA_gen(2048), false),
	    pem_of(EVP_EC_gen("P-256"), true),
	    rp_make_pem(),
	};
	size_t n = sizeof(bad) / sizeof(bad[0]);
	struct harness *h = harness_start(NULL);

	/* Off the curve: the last digits of the point. */
	memcpy(strstr(bad[n - 1], "\n-----END") - 8, "AAAAAAA=", 8);
	for (size_t i = 0; i < n; i++) {
		struct rooms_peer *p = rp_open(h, false);
		char *text = rp_escape(bad[i]);

		rp_init(p, NULL);
		rp_say(p, "{'type':'CONN_ENCRYPT_C','data':{'client_epbkey':'%s'}}",
		       text);
		hear_invalid(p);
		rp_hear_close(p, 1008);
		rp_free(p);
		free(text);
		free(bad[i]);
	}
	harness_free(h);
}
END_TEST

START_TEST(a_uuid_names_one_connection)
{
	struct harness *h = harness_start(NULL);
	struct rooms_peer *p = rp_connect(h), *q = rp_open(h, false);

	memcpy(q->uuid, p->uuid, sizeof(q->uuid));
	strlcpy(q->uuid_text, p->uuid_text, sizeof(q->uuid_text));
	for (char *c = q->uuid_text; *c != '\0'; c++) /* in either case */
		if (*c >= 'a' && *c <= 'f')
			*c -= 'a' - 'A';
	rp_say(q, "{'type':'CONN_INIT','data':{'uuid':'%s','token':null}}", q->uuid_text);
	rp_hear_close(q, 1008);
	rp_free(q);
	/* The other one has not noticed; its uuid is free once it is gone. */
	rp_say(p, "{'type':'LOGIN'}");
	rp_hear_status(p, "LOGIN_MISSING_CREDS");
	q = rp_open(h, false);
	memcpy(q->uuid, p->uuid, sizeof(q->uuid));
	strlcpy(q->uuid_text, p->uuid_text, sizeof(q->uuid_text));
	ws_put(p->ws, WS_FIN | 8, "\x03\xe8", 2);
	rp_hear_close(p, 1000);
	rp_free(p);
	rp_init(q, NULL);
	rp_agree(q);
	rp_hear_status(q, "CONN_OK");
	rp_free(q);
	harness_free(h);
}
END_TEST

/* ---- the seal ---- */

static const char ask[] = "{\"type\":\"LOGIN\"}";

/* Send text in place of what should come: it is over without a word. */
static void
breaks(struct harness *h, const char *text)
{
	struct rooms_peer *p = rp_connect(h);

	rp_send_raw(p, span_str(text));
	rp_hear_close(p, 1008);
	rp_free(p);
}

START_TEST(what_is_not_sealed_ends_it)
{
	struct harness *h = harness_start(NULL);

	breaks(h, "");
	breaks(h, ask);
	breaks(h, "{\"iv\":\"\",\"ciphertext\":\"\"}");
	breaks(h, "{\"iv\":\"AAAAAAAAAAAAAAAA\"}");
	breaks(h, "{\"iv\":\"AAAAAAAAAAAAAAAA\",\"ciphertext\":\"AAAA\"}");
	breaks(h, "{\"iv\":\"AAAAAAAAAAAAAAAA\",\"ciphertext\":"
		  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}");
	breaks(h, "{\"iv\":\"AAAAAAAAAAAAAAAA\",\"ciphertext\":"
		  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}");
	breaks(h, "{\"iv\":7,\"ciphertext\":7}");
	harness_free(h);
}
END_TEST

START_TEST(counters_and_tags_are_checked)
{
	struct harness *h = harness_start(NULL);
	const uint64_t counters[] = {1, 3, UINT64_MAX};
	struct rooms_peer *p;
	char *text, *at;

	for (size_t i = 0; i < 3; i++) {
		p = rp_connect(h);
		rp_send(p, span_str(ask));
		rp_send(p, span_str(ask));
		rp_hear_status(p, "LOGIN_MISSING_CREDS");
		rp_hear_status(p, "LOGIN_MISSING_CREDS");
		text = rp_seal(p, span_str(ask), counters[i]); /* 2 must come */
		rp_send_raw(p, span_str(text));
		rp_hear_close(p, 1008);
		rp_free(p);
		free(text);
	}
	p = rp_connect(h);
	text = rp_seal(p, span_str(ask), 0);
	at = strstr(text, "ciphertext") + sizeof("ciphertext\": \"") + 3;
	*at = *at == 'A' ? 'B' : 'A';
	rp_send_raw(p, span_str(text));
	rp_hear_close(p, 1008);
	rp_free(p);
	free(text);
	harness_free(h);
}
END_TEST

/* A packet may come in a binary frame, and in fragments. */
START_TEST(any_data_frame_will_do)
{
	struct harness *h = harness_start(NULL);
	struct rooms_peer *p = rp_connect(h);
	char *text = rp_seal(p, span_str(ask), p->sent++);

	ws_put(p->ws, BINARY, text, strlen(text));
	rp_hear_status(p, "LOGIN_MISSING_CREDS");
	free(text);
	text = rp_seal(p, span_str(ask), p->sent++);
	ws_put(p->ws, 1, text, 20);
	ws_put(p->ws, WS_FIN, text + 20, strlen(text) - 20);
	rp_hear_status(p, "LOGIN_MISSING_CREDS");
	free(text);
	rp_free(p);
	harness_free(h);
}
END_TEST

/* ---- bad packets behind CONN_OK ---- */

START_TEST(bad_packets_are_named)
{
	static const char *const bad[] = {
	    "",
	    "7",
	    "{",
	    "{} {}",
	    "{'type':'NO_SUCH','data':{}}",
	    "{'type':'STATUS','data':{'sig':'CONN_OK'}}",
	    "{'type':'CONN_INIT','data':{'uuid':'5f3c1f9e-9414-4111-93c8-9f6bdeced846',"
	    "'token':null}}",
	    "{'type':'CONN_ENCRYPT_C','data':{'client_epbkey':'x'}}",
	    "{'type':'LOGIN','data':null}",
	    "{'type':'LOGIN','data':{'id':7,'password':'x'}}",
	    "{'type':'LOGIN','data':{'id':'a','id':'b','password':'x'}}",
	    "{'type':'LOGIN','data':{'id':'a\\u0000','password':'x'}}",
	    "{'type':'LOGIN','data':{'id':'\\ud800','password':'x'}}",
	    "{'type':'LOGIN','data':{'id':'a','password':'x','save':'yes'}}",
	    "{'type':'LOGIN','data':{'ref':7}}",
	    "{'type':'LOGIN','data':{'ref':'"
	    "0123456789012345678901234567890123456789012345678901234567890123x'}}",
	    "{'type':'S_CAPTCHA'}",
	    "{'type':'S_CAPTCHA','data':{'solved':1.5}}",
	    "{'type':'AUTH_TOKEN','data':{'user':'a'}}",
	    "{'type':'SIGNUP','data':{'user':[]}}",
	    /* depth 17 */
	    "{'x':[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]],'type':'LOGIN'}",
	};
	struct harness *h = harness_start(NULL);
	struct rooms_peer *p = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (i % 9 == 0) {
			rp_free(p);
			p = rp_connect(h);
		}
		rp_say(p, "%s", bad[i]);
		hear_invalid(p);
	}
	/* These are fine: unknown members, depth 16, no data, no more than 64 bytes. */
	rp_say(p, "{'x':[[[[[[[[[[[[[[[]]]]]]]]]]]]]]],'type':'LOGIN'}");
	rp_hear_status(p, "LOGIN_MISSING_CREDS");
	rp_say(p, "{'type':'LOGIN','data':{'ref':'"
		  "0123456789012345678901234567890123456789012345678901234567890123'}}");
	ck_assert_uint_eq(
	    strlen(rp_text(rp_hear_status(p, "LOGIN_MISSING_CREDS"), "ref")), 64);
	rp_free(p);
	harness_free(h);
}
END_TEST

START_TEST(the_tenth_bad_packet_is_the_last)
{
	struct harness *h = harness_start(NULL);
	struct rooms_peer *p = rp_connect(h);

	for (int i = 0; i < 9; i++) {
		rp_say(p, "{'type':'NO_SUCH'}");
		hear_invalid(p);
		/* What is refused otherwise is none. */
		rp_send(p, span_str(ask));
		rp_hear_status(p, "LOGIN_MISSING_CREDS");
	}
	rp_say(p, "{'type':'NO_SUCH'}");
	hear_invalid(p);
	rp_hear_close(p, 1008);
	rp_free(p);
	harness_free(h);
}
END_TEST

/* ---- limits ---- */

START_TEST(large_messages_are_for_those_inside)
{
	struct harness *h = rp_start("rooms.captcha=off", "rooms.max_message=2MiB", NULL);
	struct rooms_peer *p = rp_open(h, false), *in = rp_enter(h, "alice");
	size_t n = 1200000;
	char *text = malloc(n + 1);

	ws_put_header(p->ws, WS_FIN | 1, 65537);
	rp_hear_close(p, 1009);
	rp_free(p);
	p = rp_connect(h);
	ws_put_header(p->ws, WS_FIN | 1, 65537);
	rp_hear_close(p, 1009);
	rp_free(p);
	/* Above 1 MiB sealed: it is read, and no packet. */
	ck_assert_ptr_nonnull(text);
	memset(text, ' ', n);
	rp_send(in, span_of(text, n));
	hear_invalid(in);
	rp_hear_nothing(in);
	ws_put_header(in->ws, WS_FIN | 1, 2 * 1024 * 1024 + 1);
	rp_hear_close(in, 1009);
	rp_free(in);
	free(text);
	harness_free(h);
}
END_TEST

START_TEST(silence_has_its_limits)
{
	struct harness *h = rp_start("rooms.captcha=off", "rooms.connect_timeout=2s",
				     "rooms.login_timeout=3s", NULL);
	struct rooms_peer *in = rp_enter(h, "alice"), *p[3];

	p[0] = rp_connect(h);
	rp_send(p[0], span_str(ask));
	rp_hear_status(p[0], "LOGIN_MISSING_CREDS");
	p[1] = rp_open(h, false);
	rp_init(p[1], NULL);
	p[2] = rp_open(h, false);
	for (int i = 0; i < 3; i++) {
		rp_hear_close(p[i], 1008);
		rp_free(p[i]);
	}
	rp_hear_nothing(in); /* who has been here longer, and is in */
	rp_free(in);
	harness_free(h);
}
END_TEST

START_TEST(a_dead_peer_is_noticed)
{
	struct harness *h = rp_start("rooms.captcha=off", "rooms.ping_interval=100ms",
				     "rooms.ping_timeout=2s", NULL);
	struct rooms_peer *p = rp_enter(h, "alice");
	struct span got;

	ck_assert_uint_eq(ws_next(p->ws, &got), PING);
	rp_hear_close(p, 1001);
	rp_free(p);
	harness_free(h);
}
END_TEST

START_TEST(a_stop_is_said)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *p = rp_enter(h, "alice"), *q = rp_connect(h);

	harness_stop(h);
	rp_hear_close(p, 1001);
	rp_hear_close(q, 1001);
	rp_free(p);
	rp_free(q);
	harness_free(h);
}
END_TEST

/* ---- over TLS ---- */

static struct rooms_peer *
connect_with(struct harness *h, bool tls, const char *token)
{
	struct rooms_peer *p = rp_open(h, tls);

	rp_init(p, token);
	rp_agree(p);
	rp_hear_status(p, "CONN_OK");
	return p;
}

START_TEST(tokens_come_along_over_tls)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);
	struct rooms_peer *p = connect_with(h, true, NULL), *q;
	char early[64];

	rp_sign_up(p, "Alice");
	rp_log_in(p, "alice");
	q = connect_with(h, true, p->token);
	rp_hear_status(q, "LOGIN_OK");
	rp_hear(q, "QUEUE_END");
	rp_hear_nothing(q);
	rp_free(q);
	/* One that was issued before the server started. */
	strlcpy(early, p->token, sizeof(early));
	rp_free(p);
	harness_stop(h);
	harness_restart(h);
	p = connect_with(h, true, early);
	rp_hear_status(p, "LOGIN_OK");
	rp_hear(p, "QUEUE_END");
	/* A bad one is said, and the connection stays. */
	q = connect_with(h, true, "bad");
	rp_hear_status(q, "TOKEN_INVALID");
	rp_log_in(q, "alice");
	rp_free(q);
	/* In the clear it is not looked at. */
	q = connect_with(h, false, early);
	rp_hear_nothing(q);
	rp_free(q);
	/* Neither is one that was revoked. */
	rp_say(p, "{'type':'LOGOUT','data':{}}");
	rp_hear_status(p, "LOGGED_OUT");
	rp_hear_close(p, 1000);
	q = connect_with(h, true, early);
	rp_hear_status(q, "TOKEN_INVALID");
	rp_free(q);
	rp_free(p);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("rooms connections");
	TCase *t = harness_case(s, "connection");

	tcase_add_test(t, only_an_upgrade_comes_in);
	tcase_add_test(t, the_first_bad_packet_is_the_last);
	tcase_add_test(t, nothing_but_a_key_follows_the_offer);
	tcase_add_test(t, only_points_of_p256_are_keys);
	tcase_add_test(t, a_uuid_names_one_connection);
	tcase_add_test(t, what_is_not_sealed_ends_it);
	tcase_add_test(t, counters_and_tags_are_checked);
	tcase_add_test(t, any_data_frame_will_do);
	tcase_add_test(t, bad_packets_are_named);
	tcase_add_test(t, the_tenth_bad_packet_is_the_last);
	tcase_add_test(t, large_messages_are_for_those_inside);
	tcase_add_test(t, silence_has_its_limits);
	tcase_add_test(t, a_dead_peer_is_noticed);
	tcase_add_test(t, a_stop_is_said);
	tcase_add_test(t, tokens_come_along_over_tls);
	return harness_main(s);
}
