/* SPDX-License-Identifier: MIT */
#define HTTP_PEER_INSIDE
#define WS_PEER_INSIDE
#define ROOMS_PEER_INSIDE
#include "tests/system/rooms_peer.h"

#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

/* ---- the picture ---- */

/* The PNG's chunks up to IDAT: is one of them the text? */
static void
find_text(const uint8_t *png, size_t n, char out[16])
{
	static const char keyword[] = "quintet-captcha"; /* and its NUL */
	size_t at = 8;

	while (n - at >= 12) {
		size_t len = (size_t)png[at] << 24 | (size_t)png[at + 1] << 16 |
			     (size_t)png[at + 2] << 8 | png[at + 3];
		const uint8_t *data = png + at + 8;

		if (len > n - at - 12 || memcmp(png + at + 4, "IDAT", 4) == 0)
			return;
		if (memcmp(png + at + 4, "tEXt", 4) == 0 && len == sizeof(keyword) + 6 &&
		    memcmp(data, keyword, sizeof(keyword)) == 0) {
			memcpy(out, data + sizeof(keyword), 6);
			out[6] = '\0';
			return;
		}
		at += 12 + len;
	}
}

void
rp_digits(struct rooms_peer *p, char out[16])
{
	const char *text = rp_text(json_object_get(p->last, "data"), "challenge");
	size_t len = strlen(text);
	uint8_t *png = malloc(len + 1);
	int n;

	ck_assert_ptr_nonnull(png);
	n = EVP_DecodeBlock(png, (const uint8_t *)text, (int)len);
	if (n < 8 || memcmp(png, "\x89PNG\r\n\x1a\n", 8) != 0)
		harness_fail("the challenge is no PNG");
	out[0] = '\0';
	find_text(png, (size_t)n, out);
	free(png);
}

/* ---- accounts ---- */

void
rp_sign_up(struct rooms_peer *p, const char *name)
{
	const char *type;
	char digits[16];

	rp_say(p,
	       "{'type':'SIGNUP','data':{'user':'%s','email':'%s@example.org',"
	       "'fullname':'%s','dob':'01/02/2003','password':'%s'}}",
	       name, name, name, RP_PASSWORD);
	(void)rp_next(p, &type);
	if (strcmp(type, "CAPTCHA") == 0) {
		rp_digits(p, digits);
		rp_say(p, "{'type':'S_CAPTCHA','data':{'solved':'%s'}}", digits);
		(void)rp_next(p, &type);
	}
	if (strcmp(type, "STATUS") != 0 ||
	    strcmp(rp_text(json_object_get(p->last, "data"), "sig"), "NEW_ACC_OK") != 0)
		harness_fail("%s cannot sign up: %s", name,
			     json_dumps(p->last, JSON_COMPACT));
	strlcpy(p->name, name, sizeof(p->name));
}

static void
give_chat_key(struct rooms_peer *p)
{
	char *text;

	free(p->chat_pem);
	p->chat_pem = rp_make_pem();
	text = rp_escape(p->chat_pem);
	rp_say(p, "{'type':'CHAT_ENCRYPT_C','data':{'chat_pubkey':'%s'}}", text);
	rp_hear_status(p, "CHAT_PUBKEY_OK");
	free(text);
}

void
rp_log_in(struct rooms_peer *p, const char *name)
{
	const char *type;
	json_t *data;

	rp_say(p, "{'type':'LOGIN','data':{'id':'%s','password':'%s','save':false}}",
	       name, RP_PASSWORD);
	data = rp_next(p, &type);
	if (strcmp(type, "STATUS") == 0 &&
	    strcmp(rp_text(data, "sig"), "CHAT_PUBKEY_MISSING") == 0) {
		give_chat_key(p);
		data = rp_next(p, &type);
	}
	if (strcmp(type, "GEN_TOKEN") != 0)
		harness_fail("%s cannot log in: %s", name,
			     json_dumps(p->last, JSON_COMPACT));
	strlcpy(p->token, rp_text(data, "token"), sizeof(p->token));
	strlcpy(p->name, name, sizeof(p->name));
}

void
rp_try_password(struct rooms_peer *p, const char *id, const char *password)
{
	rp_say(p,
	       "{'type':'LOGIN','data':{'id':'%s','password':'%s','save':false,"
	       "'ref':'login'}}",
	       id, password);
}

void
rp_try_token(struct rooms_peer *p, const char *user, const char *token)
{
	rp_say(p, "{'type':'AUTH_TOKEN','data':{'user':'%s','token':'%s','ref':'t'}}",
	       user, token);
}

void
rp_fail_login(struct rooms_peer *p, const char *id)
{
	rp_try_password(p, id, "not that one");
	rp_hear_status(p, "LOGIN_INCORRECT");
}

void
rp_auth(struct rooms_peer *p)
{
	rp_say(p, "{'type':'AUTH_TOKEN','data':{'user':'%s','token':'%s'}}", p->name,
	       p->token);
	rp_hear_status(p, "LOGIN_OK");
}

struct rooms_peer *
rp_enter(struct harness *h, const char *name)
{
	struct rooms_peer *p = rp_connect(h);

	rp_sign_up(p, name);
	rp_log_in(p, name);
	rp_auth(p);
	(void)rp_hear(p, "QUEUE_END");
	return p;
}

struct rooms_peer *
rp_again(const struct rooms_peer *p)
{
	struct rooms_peer *q = rp_connect(p->h);

	strlcpy(q->name, p->name, sizeof(q->name));
	strlcpy(q->token, p->token, sizeof(q->token));
	rp_auth(q);
	return q;
}
