/* SPDX-License-Identifier: MIT
 *
 * End-to-end contents of rooms: sealed for many, opened by each, and refused when
 * anything about them is not right.  The vector is in docs/protocols/rooms.md.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "client/rooms_content_inner.h"
#include "crypto/random.h"
#include "protocol/json.h"

#define MAX (1 << 20)

static struct key *anna, *bob, *bob2, *eve;
static struct buf content = BUF_INIT(8 << 20), plain = BUF_INIT(8 << 20);
static struct rooms_place place;
static struct rooms_opened opened;
static struct why why;

static void
setup(void)
{
	struct key **all[] = {&anna, &bob, &bob2, &eve};

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(key_generate(KEY_EC_P256, 0, all[i]), Q_OK);
	place = (struct rooms_place){.from = span_str("anna"), .use = ROOMS_USE_TEXT};
	memset(place.room.b, 0x11, sizeof(place.room.b));
	memset(place.target.b, 0x22, sizeof(place.target.b));
}

static void
teardown(void)
{
	key_free(anna);
	key_free(bob);
	key_free(bob2);
	key_free(eve);
	buf_free(&content);
	buf_free(&plain);
}

static enum qerr
seal(uint64_t ctr, struct span text)
{
	struct key *readers[] = {anna, bob, bob2, bob};

	content.len = 0;
	return rooms_content_seal(&place, ctr, anna, readers, 4, text, &content);
}

static enum qerr
open_as(const struct key *own)
{
	struct key *authors[] = {bob, anna};

	return rooms_content_open(&place, own, authors, 2, buf_span(&content), &plain,
				  &opened, &why);
}

static void
opens_as(const struct key *own, struct span text)
{
	ck_assert_msg(open_as(own) == Q_OK, "%s", why.text);
	ck_assert(span_eq(buf_span(&plain), text));
}

/* ---- what works ---- */

START_TEST(all_readers_open)
{
	static const size_t lengths[] = {0, 1, 2, 3, 4, 15, 16, 17, 1000, 100000};
	static uint8_t text[100000];
	char keyid[ROOMS_KEYID_SIZE];

	random_bytes(text, sizeof(text));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct span t = span_of(text, lengths[i]);

		ck_assert_int_eq(seal(i + 1, t), Q_OK);
		ck_assert_uint_le(content.len, rooms_content_size(t.len, 3));
		opens_as(anna, t);
		opens_as(bob, t);
		opens_as(bob2, t);
		ck_assert_uint_eq(opened.ctr, i + 1);
		ck_assert_int_eq(content_keyid(anna, keyid), Q_OK);
		ck_assert_str_eq(opened.by, keyid);
	}
}
END_TEST

START_TEST(every_use)
{
	for (int use = ROOMS_USE_TEXT; use <= ROOMS_USE_REASON; use++) {
		place.use = (enum rooms_use)use;
		ck_assert_int_eq(seal(ROOMS_CTR_MAX, span_str("x")), Q_OK);
		opens_as(bob, span_str("x"));
		place.use = (enum rooms_use)((use + 1) % 4);
		ck_assert_int_eq(open_as(bob), Q_DENIED);
	}
}
END_TEST

/* The author's name is the same in any case. */
START_TEST(names_have_no_case)
{
	ck_assert_int_eq(seal(1, span_str("x")), Q_OK);
	place.from = span_str("ANNA");
	opens_as(bob, span_str("x"));
}
END_TEST

START_TEST(many_readers)
{
	struct key *readers[200];

	for (size_t i = 0; i < 200; i++)
		ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &readers[i]), Q_OK);
	content.len = 0;
	ck_assert_int_eq(
	    rooms_content_seal(&place, 1, anna, readers, 200, span_str("x"), &content),
	    Q_OK);
	ck_assert_uint_le(content.len, rooms_content_size(1, 200));
	ck_assert_uint_le(content.len, ROOMS_TEXT_MAX);
	for (size_t i = 0; i < 200; i++) {
		opens_as(readers[i], span_str("x"));
		key_free(readers[i]);
	}
	/* What the documents say of the number of keys that a text has room for. */
	ck_assert_uint_le(rooms_content_size(300, 500), ROOMS_TEXT_MAX);
	ck_assert_uint_gt(rooms_content_size(300, 600), ROOMS_TEXT_MAX);
}
END_TEST

/* ---- another place ---- */

START_TEST(bound_to_its_place)
{
	place.use = ROOMS_USE_EDIT;
	ck_assert_int_eq(seal(1, span_str("x")), Q_OK);
	place.room.b[0] ^= 1;
	ck_assert_int_eq(open_as(bob), Q_DENIED);
	place.room.b[0] ^= 1;
	place.target.b[15] ^= 1;
	ck_assert_int_eq(open_as(bob), Q_DENIED);
	place.target.b[15] ^= 1;
	place.from = span_str("bob");
	ck_assert_int_eq(open_as(bob), Q_DENIED);
	place.from = span_str("no name");
	ck_assert_int_eq(open_as(bob), Q_FORMAT);
	place.from = span_str("anna");
	opens_as(bob, span_str("x"));
}
END_TEST

START_TEST(for_nobody_else)
{
	ck_assert_int_eq(seal(1, span_str("x")), Q_OK);
	ck_assert_int_eq(open_as(eve), Q_MISSING);
	ck_assert(opened.signer_known);
	ck_assert_uint_eq(plain.len, 0);
}
END_TEST

START_TEST(signer_must_be_known)
{
	struct key *others[] = {bob, eve};

	ck_assert_int_eq(seal(1, span_str("x")), Q_OK);
	ck_assert_int_eq(rooms_content_open(&place, bob, others, 2, buf_span(&content),
					    &plain, &opened, &why),
			 Q_MISSING);
	ck_assert(!opened.signer_known);
	ck_assert_uint_eq(strlen(opened.by), ROOMS_KEYID_LEN);
	ck_assert_int_eq(rooms_content_open(&place, bob, NULL, 0, buf_span(&content),
					    &plain, &opened, &why),
			 Q_MISSING);
}
END_TEST

/* ---- changed on the way ---- */

/* Change each byte of the JSON inside: nothing opens as anything but what it was. */
START_TEST(every_byte_counts)
{
	struct buf json = BUF_INIT(MAX), text = BUF_INIT(MAX);
	size_t n;

	ck_assert_int_eq(seal(5, span_str("Hallo")), Q_OK);
	ck_assert_int_eq(buf_reserve(&json, content.len), Q_OK);
	ck_assert_int_eq(base64_decode(buf_span(&content), json.p, &n), Q_OK);
	json.len = n;
	ck_assert_int_eq(buf_reserve(&text, BASE64_LEN(n)), Q_OK);
	for (size_t i = 0; i < n; i++) {
		enum qerr e;

		json.p[i] ^= 1;
		text.len = base64_encode(buf_span(&json), (char *)text.p);
		json.p[i] ^= 1;
		buf_free(&content);
		ck_assert_int_eq(buf_put_span(&content, buf_span(&text)), Q_OK);
		e = open_as(bob);
		ck_assert_msg(e == Q_FORMAT || e == Q_DENIED || e == Q_MISSING,
			      "byte %zu: %s", i, qerr_str(e));
		ck_assert_uint_eq(plain.len, 0);
	}
	buf_free(&json);
	buf_free(&text);
}
END_TEST

static const char *const shapes[] = {
    "",
    "!",
    "e30=",         /* {} */
    "W10=",         /* [] */
    "eyJ2IjoyfQ==", /* {"v":2} */
    "bnVsbA==",     /* null */
};

START_TEST(no_content)
{
	content.len = 0;
	ck_assert_int_eq(buf_put_str(&content, shapes[_i]), Q_OK);
	ck_assert_int_eq(open_as(bob), Q_FORMAT);
	ck_assert_uint_gt(strlen(why.text), 0);
}
END_TEST

/* A content put together by hand, with keys of our choice. */
struct forged {
	uint8_t key[2][AEAD_KEY_LEN], n[AEAD_IV_LEN];
};

static void
put_b64(struct buf *b, const char *name, const void *p, size_t len)
{
	char text[BASE64_LEN(200) + 1];

	text[base64_encode(span_of(p, len), text)] = '\0';
	ck_assert_int_eq(buf_printf(b, "\"%s\":\"%s\",", name, text), Q_OK);
}

/* Seal for bob under one key and for bob2 under another, committed to the first one:
 * what an author does who wants two readers to read two texts. */
static void
forge(struct forged *f, struct rooms_place *as)
{
	static const uint8_t zeros[AEAD_IV_LEN];
	struct key *readers[] = {bob, bob2}, *ephemeral;
	struct content_wrap wraps[2] = {0};
	struct content_parts c = {.wraps = wraps, .wrap_count = 2};
	uint8_t ct[5 + AEAD_TAG_LEN], shared[AGREE_SECRET_LEN], digest[SHA256_LEN];
	uint8_t sig[KEY_SIGN_MAX];
	struct content_header header;
	char by[ROOMS_KEYID_SIZE];
	struct buf json = BUF_INIT(MAX);
	struct aead *a;
	size_t len;

	random_bytes(f, sizeof(*f));
	memcpy(c.n, f->n, sizeof(c.n));
	ck_assert_int_eq(content_keyid(anna, by), Q_OK);
	ck_assert_int_eq(content_header(as, 9, by, &header), Q_OK);
	ck_assert_int_eq(content_commit(c.n, f->key[0], c.kc), Q_OK);
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &ephemeral), Q_OK);
	ck_assert_int_eq(agree_point(ephemeral, c.epk), Q_OK);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(content_keyid(readers[i], wraps[i].keyid), Q_OK);
		ck_assert_int_eq(agree(ephemeral, readers[i], shared), Q_OK);
		ck_assert_int_eq(
		    content_wrapper(AEAD_SEAL, shared, c.n, wraps[i].keyid, &a), Q_OK);
		ck_assert_int_eq(aead_seal(a, zeros, span_of(NULL, 0), f->key[i],
					   AEAD_KEY_LEN, wraps[i].value,
					   wraps[i].value + AEAD_KEY_LEN),
				 Q_OK);
		aead_free(a);
	}
	qsort(wraps, 2, sizeof(wraps[0]), content_wrap_cmp);
	a = aead_new(AEAD_SEAL, f->key[0]);
	ck_assert_ptr_nonnull(a);
	ck_assert_int_eq(aead_seal(a, c.n, span_of(header.p, header.len),
				   (const uint8_t *)"Hallo", 5, ct, ct + 5),
			 Q_OK);
	aead_free(a);
	c.ct = span_of(ct, sizeof(ct));
	ck_assert_int_eq(content_digest(&c, digest), Q_OK);
	const struct span parts[] = {span_of(header.p, header.len),
				     span_of(digest, sizeof(digest))};
	ck_assert_int_eq(key_sign(anna, parts, 2, sig, &len), Q_OK);
	ck_assert_int_eq(buf_put_str(&json, "{\"v\":1,"), Q_OK);
	put_b64(&json, "n", c.n, sizeof(c.n));
	put_b64(&json, "ct", ct, sizeof(ct));
	put_b64(&json, "epk", c.epk, sizeof(c.epk));
	put_b64(&json, "kc", c.kc, sizeof(c.kc));
	put_b64(&json, "sig", sig, len);
	ck_assert_int_eq(buf_put_str(&json, "\"keys\":{"), Q_OK);
	put_b64(&json, wraps[0].keyid, wraps[0].value, CONTENT_WRAP_LEN);
	put_b64(&json, wraps[1].keyid, wraps[1].value, CONTENT_WRAP_LEN);
	json.len--; /* the comma */
	ck_assert_int_eq(buf_printf(&json, "},\"ctr\":9,\"by\":\"%s\"}", by), Q_OK);
	content.len = 0;
	ck_assert_int_eq(buf_reserve(&content, BASE64_LEN(json.len)), Q_OK);
	content.len = base64_encode(buf_span(&json), (char *)content.p);
	buf_free(&json);
	key_free(ephemeral);
}

START_TEST(one_key_for_all)
{
	struct forged f;

	forge(&f, &place);
	opens_as(bob, span_str("Hallo"));
	ck_assert_uint_eq(opened.ctr, 9);
	ck_assert_int_eq(open_as(bob2), Q_DENIED);
	ck_assert_ptr_nonnull(strstr(why.text, "all readers"));
}
END_TEST

/* Eve cannot read it, signs it anew as her own, and is not believed. */
START_TEST(signing_what_one_cannot_read)
{
	struct buf json = BUF_INIT(MAX), mine = BUF_INIT(MAX);
	struct rooms_place hers = place;
	struct key *authors[] = {eve};
	json_t *doc = NULL;
	struct content_header header;
	char by[ROOMS_KEYID_SIZE];
	struct content_parts c = {0};
	struct content_wrap wraps[3] = {0};
	uint8_t digest[SHA256_LEN], sig[KEY_SIGN_MAX], ct[64];
	char sig_text[BASE64_LEN(100) + 1];
	size_t n, len;

	ck_assert_int_eq(seal(1, span_str("secret")), Q_OK);
	ck_assert_int_eq(buf_reserve(&json, content.len), Q_OK);
	ck_assert_int_eq(base64_decode(buf_span(&content), json.p, &json.len), Q_OK);
	doc = json_loadb((char *)json.p, json.len, 0, NULL);
	ck_assert_ptr_nonnull(doc);
#define GET(name, at)                                                                  \
	ck_assert_int_eq(base64_decode(json_text(json_object_get(doc, name)), at, &n), \
			 Q_OK)
	GET("n", c.n);
	GET("epk", c.epk);
	GET("ct", ct);
	c.ct = span_of(ct, n);
	GET("kc", c.kc);
#undef GET
	c.wraps = wraps;
	for (void *i = json_object_iter(json_object_get(doc, "keys")); i != NULL;
	     i = json_object_iter_next(json_object_get(doc, "keys"), i)) {
		memcpy(wraps[c.wrap_count].keyid, json_object_iter_key(i),
		       ROOMS_KEYID_LEN);
		ck_assert_int_eq(base64_decode(json_text(json_object_iter_value(i)),
					       wraps[c.wrap_count++].value, &n),
				 Q_OK);
	}
	qsort(wraps, c.wrap_count, sizeof(wraps[0]), content_wrap_cmp);
	hers.from = span_str("eve");
	ck_assert_int_eq(content_keyid(eve, by), Q_OK);
	ck_assert_int_eq(content_header(&hers, 1, by, &header), Q_OK);
	ck_assert_int_eq(content_digest(&c, digest), Q_OK);
	const struct span parts[] = {span_of(header.p, header.len),
				     span_of(digest, sizeof(digest))};
	ck_assert_int_eq(key_sign(eve, parts, 2, sig, &len), Q_OK);
	sig_text[base64_encode(span_of(sig, len), sig_text)] = '\0';
	json_object_set_new(doc, "sig", json_string(sig_text));
	json_object_set_new(doc, "by", json_string(by));
	ck_assert_int_eq(json_put_value(&mine, doc), Q_OK);
	content.len = 0;
	ck_assert_int_eq(buf_reserve(&content, BASE64_LEN(mine.len)), Q_OK);
	content.len = base64_encode(buf_span(&mine), (char *)content.p);

	ck_assert_int_eq(rooms_content_open(&hers, bob, authors, 1, buf_span(&content),
					    &plain, &opened, &why),
			 Q_DENIED);
	ck_assert_ptr_nonnull(strstr(why.text, "changed")); /* the signature was good */
	json_decref(doc);
	buf_free(&json);
	buf_free(&mine);
}
END_TEST

/* ---- limits ---- */

START_TEST(sealing_refuses)
{
	struct key *rsa, *readers[] = {bob}, *bad[1];
	struct buf little = BUF_INIT(100);

	ck_assert_int_eq(key_generate(KEY_RSA, 2048, &rsa), Q_OK);
	bad[0] = rsa;
	ck_assert_int_eq(seal(0, span_str("x")), Q_LIMIT);
	ck_assert_int_eq(seal(ROOMS_CTR_MAX + 1, span_str("x")), Q_LIMIT);
	ck_assert_int_eq(
	    rooms_content_seal(&place, 1, anna, readers, 0, span_str("x"), &content),
	    Q_LIMIT);
	ck_assert_int_eq(
	    rooms_content_seal(&place, 1, anna, bad, 1, span_str("x"), &content),
	    Q_DENIED);
	ck_assert_int_eq(
	    rooms_content_seal(&place, 1, rsa, readers, 1, span_str("x"), &content),
	    Q_DENIED);
	ck_assert_int_eq(
	    rooms_content_seal(&place, 1, anna, readers, 1, span_str("x"), &little),
	    Q_LIMIT);
	ck_assert_uint_eq(little.len, 0);
	place.from = span_str("");
	ck_assert_int_eq(seal(1, span_str("x")), Q_FORMAT);
	ck_assert_uint_eq(content.len, 0);
	key_free(rsa);
}
END_TEST

START_TEST(opening_into_too_little)
{
	struct buf little = BUF_INIT(4);
	struct key *authors[] = {anna};

	ck_assert_int_eq(seal(1, span_str("12345")), Q_OK);
	ck_assert_int_eq(rooms_content_open(&place, bob, authors, 1, buf_span(&content),
					    &little, &opened, &why),
			 Q_LIMIT);
}
END_TEST

/* ---- keys and files ---- */

START_TEST(chat_keys)
{
	struct buf pem = BUF_INIT(MAX);
	struct key *k, *rsa;
	char keyid[ROOMS_KEYID_SIZE], want[ROOMS_KEYID_SIZE];

	ck_assert_int_eq(key_public_pem(anna, &pem), Q_OK);
	ck_assert_int_eq(rooms_chat_key(buf_span(&pem), &k, keyid), Q_OK);
	ck_assert(key_same(k, anna));
	ck_assert_int_eq(content_keyid(anna, want), Q_OK);
	ck_assert_str_eq(keyid, want);
	key_free(k);
	ck_assert_int_eq(buf_put_str(&pem, "more"), Q_OK);
	ck_assert_int_eq(rooms_chat_key(buf_span(&pem), &k, NULL), Q_FORMAT);
	pem.len = 0;
	ck_assert_int_eq(key_private_pem(anna, NULL, &pem), Q_OK);
	ck_assert_int_eq(rooms_chat_key(buf_span(&pem), &k, NULL), Q_FORMAT);
	pem.len = 0;
	ck_assert_int_eq(key_generate(KEY_RSA, 2048, &rsa), Q_OK);
	ck_assert_int_eq(key_public_pem(rsa, &pem), Q_OK);
	ck_assert_int_eq(rooms_chat_key(buf_span(&pem), &k, NULL), Q_DENIED);
	key_free(rsa);
	buf_free(&pem);
}
END_TEST

START_TEST(agreement)
{
	uint8_t ab[AGREE_SECRET_LEN], ba[AGREE_SECRET_LEN], point[AGREE_POINT_LEN];
	struct key *k;

	ck_assert_int_eq(agree(anna, bob, ab), Q_OK);
	ck_assert_int_eq(agree(bob, anna, ba), Q_OK);
	ck_assert_int_eq(memcmp(ab, ba, sizeof(ab)), 0);
	ck_assert_int_eq(agree_point(anna, point), Q_OK);
	ck_assert_int_eq(agree_key_of_point(span_of(point, sizeof(point)), &k), Q_OK);
	ck_assert(key_same(k, anna));
	ck_assert_int_eq(agree(k, bob, ab), Q_DENIED); /* no private half */
	key_free(k);
	point[64] ^= 1;
	ck_assert_int_eq(agree_key_of_point(span_of(point, sizeof(point)), &k), Q_DENIED);
	ck_assert_int_eq(agree_key_of_point(span_of(point, 64), &k), Q_FORMAT);
	point[0] = 2;
	ck_assert_int_eq(agree_key_of_point(span_of(point, sizeof(point)), &k), Q_FORMAT);
}
END_TEST

START_TEST(files)
{
	static const char raw[] = "a.png\0image/png\0\x89\0x";
	struct rooms_smallfile f,
	    g = {span_str("a.png"), span_str("image/png"), span_of("\x89\0x", 3)};

	plain.len = 0;
	ck_assert_int_eq(rooms_smallfile_put(&plain, &g), Q_OK);
	ck_assert(span_eq(buf_span(&plain), span_of(raw, sizeof(raw) - 1)));
	ck_assert_int_eq(rooms_smallfile_parse(buf_span(&plain), &f), Q_OK);
	ck_assert(span_eq(f.name, g.name) && span_eq(f.type, g.type) &&
		  span_eq(f.bytes, g.bytes));
	for (size_t n = 0; n < 16; n++)
		ck_assert_int_eq(rooms_smallfile_parse(span_of(raw, n), &f), Q_FORMAT);
	ck_assert_int_eq(rooms_smallfile_parse(span_of(raw, 16), &f), Q_OK);
	ck_assert_uint_eq(f.bytes.len, 0);
	ck_assert_int_eq(rooms_smallfile_parse(span_of("\xff\0x\0", 4), &f), Q_FORMAT);
	g.name = span_of("a\0b", 3);
	ck_assert_int_eq(rooms_smallfile_put(&plain, &g), Q_FORMAT);
}
END_TEST

/* ---- the vector of the documents ---- */

static char document[65536];

/* The value behind "name: " at the beginning of a line of the document. */
static const char *
value(const char *name)
{
	static char text[8][8192];
	static int next;
	char start[64];
	const char *at;
	size_t len;

	snprintf(start, sizeof(start), "\n%s: ", name);
	at = strstr(document, start);
	ck_assert_msg(at != NULL, "no %s in the document", name);
	at += strlen(start);
	len = strcspn(at, "\n");
	next = (next + 1) % 8;
	ck_assert_uint_lt(len, sizeof(text[0]));
	memcpy(text[next], at, len);
	text[next][len] = '\0';
	return text[next];
}

static void
is_hex(const char *name, const void *p, size_t len)
{
	char text[HEX_LEN(CONTENT_HEADER_MAX) + 1];

	hex_encode(span_of(p, len), text);
	ck_assert_str_eq(text, value(name));
}

/* A P-256 key from its scalar: PKCS#8 around the shortest ECPrivateKey. */
static struct key *
key_of_scalar(const char *name)
{
	static const uint8_t head[] = {
	    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
	    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
	    0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20};
	uint8_t der[sizeof(head) + 32];
	char base64[BASE64_LEN(sizeof(der)) + 1], pem[400];
	struct key *k;

	memcpy(der, head, sizeof(head));
	ck_assert_int_eq(hex_decode(span_str(value(name)), der + sizeof(head), 32), Q_OK);
	base64[base64_encode(span_of(der, sizeof(der)), base64)] = '\0';
	snprintf(pem, sizeof(pem),
		 "-----BEGIN PRIVATE KEY-----\n%.64s\n%s\n-----END PRIVATE KEY-----\n",
		 base64, base64 + 64);
	ck_assert_int_eq(key_parse_private(span_str(pem), NULL, &k), Q_OK);
	return k;
}

START_TEST(vector)
{
	FILE *f = fopen("docs/protocols/rooms.md", "r");
	struct key *a, *b, *authors[1];
	struct content_header header;
	uint8_t key[AEAD_KEY_LEN], n[AEAD_IV_LEN], kc[SHA256_LEN];
	char keyid[ROOMS_KEYID_SIZE];

	ck_assert_msg(f != NULL, "tests are run from the top folder");
	document[fread(document, 1, sizeof(document) - 1, f)] = '\0';
	fclose(f);
	a = key_of_scalar("anna-private");
	b = key_of_scalar("bob-private");
	authors[0] = a;
	ck_assert_int_eq(content_keyid(a, keyid), Q_OK);
	ck_assert_str_eq(keyid, value("anna-keyid"));
	ck_assert_int_eq(uuid_parse(span_str(value("room")), &place.room), Q_OK);
	place.from = span_str(value("from"));
	ck_assert_str_eq(value("use"), "msg-text");
	ck_assert_int_eq(
	    content_header(&place, strtoull(value("ctr"), NULL, 10), keyid, &header),
	    Q_OK);
	is_hex("header", header.p, header.len);
	ck_assert_int_eq(hex_decode(span_str(value("content-key")), key, sizeof(key)),
			 Q_OK);
	ck_assert_int_eq(hex_decode(span_str(value("n")), n, sizeof(n)), Q_OK);
	ck_assert_int_eq(content_commit(n, key, kc), Q_OK);
	is_hex("kc", kc, sizeof(kc));

	place.from = span_str(value("from"));
	content.len = 0;
	ck_assert_int_eq(buf_put_str(&content, value("content")), Q_OK);
	ck_assert_msg(rooms_content_open(&place, b, authors, 1, buf_span(&content),
					 &plain, &opened, &why) == Q_OK,
		      "%s", why.text);
	ck_assert(span_eq(buf_span(&plain), span_str(value("plain"))));
	ck_assert_uint_eq(opened.ctr, 7);
	ck_assert_str_eq(opened.by, value("anna-keyid"));
	ck_assert_int_eq(content_keyid(b, keyid), Q_OK);
	ck_assert_str_eq(keyid, value("bob-keyid"));
	key_free(a);
	key_free(b);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rooms_content");
	TCase *c = tcase_create("rooms_content");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, all_readers_open);
	tcase_add_test(c, every_use);
	tcase_add_test(c, names_have_no_case);
	tcase_add_test(c, many_readers);
	tcase_add_test(c, bound_to_its_place);
	tcase_add_test(c, for_nobody_else);
	tcase_add_test(c, signer_must_be_known);
	tcase_add_test(c, every_byte_counts);
	tcase_add_loop_test(c, no_content, 0, sizeof(shapes) / sizeof(shapes[0]));
	tcase_add_test(c, one_key_for_all);
	tcase_add_test(c, signing_what_one_cannot_read);
	tcase_add_test(c, sealing_refuses);
	tcase_add_test(c, opening_into_too_little);
	tcase_add_test(c, chat_keys);
	tcase_add_test(c, agreement);
	tcase_add_test(c, files);
	tcase_add_test(c, vector);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
