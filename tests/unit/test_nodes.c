/* SPDX-License-Identifier: MIT
 *
 * The nodes codec: every message byte by byte, who may say it, and each length that is
 * not allowed.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "protocol/nodes.h"

#define BYTES(...)          \
	{                   \
		__VA_ARGS__ \
	}
#define LONGEST 32

/* One message of each type, as the page writes it. */
static const struct example {
	enum nodes_speaker speaker;
	struct nodes_message m;
	size_t len;
	uint8_t wire[LONGEST];
} examples[] = {
    {NODES_OPENER,
     {.type = NODES_CLIENT_HELLO, .two = {1, 0}},
     4,
     BYTES(0xca, 0xca, 1, 0)},
    {NODES_OPENER, {.type = NODES_NODE_HELLO, .two = {1, 9}}, 4, BYTES(0xcb, 0xcb, 1, 9)},
    {NODES_OPENER,
     {.type = NODES_DATA_HELLO, .uin = 0x04030201, .uin2 = 5},
     10,
     BYTES(0x20, 0x20, 1, 2, 3, 4, 5, 0, 0, 0)},
    {NODES_ACCEPTOR, {.type = NODES_OK, .two = "OK"}, 4, BYTES(1, 1, 'O', 'K')},
    {NODES_ACCEPTOR, {.type = NODES_OTHER_VERSION, .two = {1, 0}}, 4, BYTES(2, 2, 1, 0)},
    {NODES_CLIENT,
     {.type = NODES_CALL, .uin = 0xfffefdfc},
     6,
     BYTES(3, 3, 0xfc, 0xfd, 0xfe, 0xff)},
    {NODES_SERVER, {.type = NODES_CALLED, .uin = 7}, 6, BYTES(4, 4, 7, 0, 0, 0)},
    {NODES_SERVER, {.type = NODES_NOT_FOUND, .uin = 7}, 6, BYTES(5, 5, 7, 0, 0, 0)},
    {NODES_CLIENT, {.type = NODES_ALLOW, .uin = 7}, 6, BYTES(6, 6, 7, 0, 0, 0)},
    {NODES_SERVER, {.type = NODES_READY, .uin = 7}, 6, BYTES(7, 7, 7, 0, 0, 0)},
    {NODES_CLIENT, {.type = NODES_REFUSE, .uin = 7}, 6, BYTES(8, 8, 7, 0, 0, 0)},
    {NODES_CLIENT,
     {.type = NODES_WHO_NAME, .bytes = {(const uint8_t *)"bob", 3}},
     6,
     BYTES(0x60, 0x60, 3, 'b', 'o', 'b')},
    {NODES_CLIENT, {.type = NODES_WHO_NAME}, 3, BYTES(0x60, 0x60, 0)},
    {NODES_SERVER,
     {.type = NODES_WHO_IS, .uin = 9, .bytes = {(const uint8_t *)"bob", 3}},
     10,
     BYTES(0x61, 0x61, 9, 0, 0, 0, 3, 'b', 'o', 'b')},
    {NODES_CLIENT, {.type = NODES_WHO_UIN, .uin = 9}, 6, BYTES(0x62, 0x62, 9, 0, 0, 0)},
    {NODES_CLIENT, {.type = NODES_PING, .two = {8, 9}}, 4, BYTES(0x68, 0x68, 8, 9)},
    {NODES_NODE, {.type = NODES_PONG, .two = {8, 9}}, 4, BYTES(0x69, 0x69, 8, 9)},
    {NODES_CLIENT, {.type = NODES_ASK_NODES, .two = {8, 9}}, 4, BYTES(0x90, 0x90, 8, 9)},
    {NODES_NODE, {.type = NODES_PORT, .port = 9034}, 4, BYTES(0xa2, 0xa2, 0x23, 0x4a)},
    {NODES_NODE, {.type = NODES_LIST}, 4, BYTES(0xa4, 0xa4, 0, 0)},
    {NODES_SERVER,
     {.type = NODES_LIST,
      .count = 2,
      .bytes = {(const uint8_t *)"\xa0\x0a\0\0\1\x23\x4a\xa2\2ab\0\1", 13}},
     17,
     BYTES(0xa4, 0xa4, 2, 0, 0xa0, 10, 0, 0, 1, 0x23, 0x4a, 0xa2, 2, 'a', 'b', 0, 1)},
    {NODES_NODE, {.type = NODES_SEARCH, .uin = 9}, 6, BYTES(0xa5, 0xa5, 9, 0, 0, 0)},
    {NODES_NODE, {.type = NODES_HERE, .uin = 9}, 6, BYTES(0xa8, 0xa8, 9, 0, 0, 0)},
    {NODES_NODE,
     {.type = NODES_THERE,
      .uin = 9,
      .address = {.kind = NODES_IP4, .ip = {10, 0, 0, 1}, .port = 9034}},
     15,
     BYTES(0xa9, 0xa9, 11, 0, 9, 0, 0, 0, 0xa0, 10, 0, 0, 1, 0x23, 0x4a)},
    {NODES_NODE,
     {.type = NODES_THERE,
      .uin = 9,
      .address = {.kind = NODES_IP6, .ip = {0xfe, 0x80, [15] = 1}, .port = 1}},
     27,
     BYTES(0xa9, 0xa9, 23, 0, 9, 0, 0, 0, 0xa1, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	   0, 0, 0, 1, 0, 1)},
    {NODES_NODE,
     {.type = NODES_THERE,
      .uin = 9,
      .address = {.kind = NODES_HOST, .host = {(const uint8_t *)"a", 1}, .port = 1}},
     13,
     BYTES(0xa9, 0xa9, 9, 0, 9, 0, 0, 0, 0xa2, 1, 'a', 0, 1)},
    {NODES_NODE,
     {.type = NODES_ASK_CALL, .uin = 1, .uin2 = 2},
     10,
     BYTES(0xaa, 0xaa, 1, 0, 0, 0, 2, 0, 0, 0)},
    {NODES_NODE,
     {.type = NODES_CALL_ALLOWED, .uin = 1, .uin2 = 2},
     10,
     BYTES(0xab, 0xab, 1, 0, 0, 0, 2, 0, 0, 0)},
    {NODES_NODE,
     {.type = NODES_CALL_OVER, .uin = 1, .uin2 = 2},
     10,
     BYTES(0xb8, 0xb8, 1, 0, 0, 0, 2, 0, 0, 0)},
    {NODES_NODE,
     {.type = NODES_DATA, .uin = 1, .uin2 = 2, .bytes = {(const uint8_t *)"hi", 2}},
     14,
     BYTES(0xd0, 0xd0, 10, 0, 1, 0, 0, 0, 2, 0, 0, 0, 'h', 'i')},
    {NODES_NODE,
     {.type = NODES_DATA, .uin = 1, .uin2 = 2},
     12,
     BYTES(0xd0, 0xd0, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0)},
    {NODES_CORRESPONDENT,
     {.type = NODES_TEXT, .bytes = {(const uint8_t *)"hi", 2}},
     6,
     BYTES(0x30, 0x30, 2, 0, 'h', 'i')},
    {NODES_CORRESPONDENT, {.type = NODES_TEXT}, 4, BYTES(0x30, 0x30, 0, 0)},
    {NODES_CORRESPONDENT,
     {.type = NODES_DELIVERED, .two = {8, 9}},
     4,
     BYTES(0x40, 0x40, 8, 9)},
};
#define EXAMPLES ((int)(sizeof(examples) / sizeof(examples[0])))

static void
same_address(const struct nodes_address *a, const struct nodes_address *b)
{
	if (a->kind == 0 && b->kind == 0)
		return;
	ck_assert(nodes_address_eq(a, b));
}

START_TEST(says_and_reads)
{
	const struct example *x = &examples[_i];
	struct buf out = BUF_INIT(64);
	struct nodes_message m;

	ck_assert_int_eq(nodes_put(&out, &x->m), Q_OK);
	ck_assert(span_eq(buf_span(&out), span_of(x->wire, x->len)));
	/* With another message behind it. */
	ck_assert_int_eq(buf_put_u8(&out, 0x68), Q_OK);
	ck_assert_int_eq(nodes_next(buf_span(&out), x->speaker, &m), Q_OK);
	ck_assert_int_eq(m.type, x->m.type);
	ck_assert_uint_eq(m.total, x->len);
	ck_assert_uint_eq(m.uin, x->m.uin);
	ck_assert_uint_eq(m.uin2, x->m.uin2);
	ck_assert_mem_eq(m.two, x->m.two, 2);
	ck_assert_uint_eq(m.port, x->m.port);
	ck_assert_uint_eq(m.count, x->m.count);
	ck_assert(span_eq(m.bytes, x->m.bytes));
	same_address(&m.address, &x->m.address);
	buf_free(&out);
}
END_TEST

START_TEST(cut_anywhere_is_short)
{
	const struct example *x = &examples[_i];
	struct nodes_message m = {.uin = 77};

	for (size_t n = 0; n < x->len; n++) {
		ck_assert_int_eq(nodes_next(span_of(x->wire, n), x->speaker, &m),
				 Q_SHORT);
		ck_assert_uint_eq(m.uin, 77);
	}
}
END_TEST

/* A ping is everybody's but an opener's; nothing else is. */
START_TEST(who_may_say_what)
{
	static const unsigned speakers[256] = {
	    [0x01] = 1 << NODES_ACCEPTOR,
	    [0x02] = 1 << NODES_ACCEPTOR,
	    [0x03] = 1 << NODES_CLIENT,
	    [0x04] = 1 << NODES_SERVER,
	    [0x05] = 1 << NODES_SERVER,
	    [0x06] = 1 << NODES_CLIENT,
	    [0x07] = 1 << NODES_SERVER,
	    [0x08] = 1 << NODES_CLIENT,
	    [0x20] = 1 << NODES_OPENER,
	    [0x30] = 1 << NODES_CORRESPONDENT,
	    [0x40] = 1 << NODES_CORRESPONDENT,
	    [0x60] = 1 << NODES_CLIENT,
	    [0x61] = 1 << NODES_SERVER,
	    [0x62] = 1 << NODES_CLIENT,
	    [0x68] = 0x3c,
	    [0x69] = 0x3c,
	    [0x90] = 1 << NODES_CLIENT | 1 << NODES_NODE,
	    [0xa2] = 1 << NODES_NODE,
	    [0xa4] = 1 << NODES_SERVER | 1 << NODES_NODE,
	    [0xa5] = 1 << NODES_NODE,
	    [0xa8] = 1 << NODES_NODE,
	    [0xa9] = 1 << NODES_NODE,
	    [0xaa] = 1 << NODES_NODE,
	    [0xab] = 1 << NODES_NODE,
	    [0xb8] = 1 << NODES_NODE,
	    [0xca] = 1 << NODES_OPENER,
	    [0xcb] = 1 << NODES_OPENER,
	    [0xd0] = 1 << NODES_NODE,
	};
	struct nodes_message m;

	for (unsigned s = NODES_OPENER; s <= NODES_CORRESPONDENT; s++)
		for (unsigned t = 0; t < 256; t++) {
			const uint8_t one = (uint8_t)t;

			/* Known from the first byte alone. */
			ck_assert_int_eq(
			    nodes_next(span_of(&one, 1), (enum nodes_speaker)s, &m),
			    speakers[t] & 1u << s ? Q_SHORT : Q_FORMAT);
		}
}
END_TEST

START_TEST(recognises)
{
	static const struct {
		const char *first;
		size_t len;
		enum qerr e;
	} rows[] = {
	    {"", 0, Q_SHORT},       {"\xca", 1, Q_SHORT},      {"\xcb", 1, Q_SHORT},
	    {" ", 1, Q_SHORT},      {"\xca\xca", 2, Q_OK},     {"\xcb\xcb", 2, Q_OK},
	    {"  ", 2, Q_OK},        {"\xca\xcb", 2, Q_FORMAT}, {"\x68", 1, Q_FORMAT},
	    {" \xca", 2, Q_FORMAT}, {"G", 1, Q_FORMAT},        {"\x16", 1, Q_FORMAT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_int_eq(nodes_recognise(span_of(rows[i].first, rows[i].len)),
				 rows[i].e);
}
END_TEST

/* Each is wrong as soon as its bytes say so, not when the rest has come. */
START_TEST(wrong_bytes)
{
	static const struct {
		enum nodes_speaker speaker;
		size_t len;
		uint8_t wire[LONGEST];
	} rows[] = {
	    {NODES_CLIENT, 2, BYTES(3, 4)},
	    {NODES_ACCEPTOR, 4, BYTES(1, 1, 'N', 'O')},
	    {NODES_ACCEPTOR, 4, BYTES(1, 1, 'O', 'O')},
	    /* D0: 7, and one more than the page's 65532 */
	    {NODES_NODE, 4, BYTES(0xd0, 0xd0, 7, 0)},
	    {NODES_NODE, 4, BYTES(0xd0, 0xd0, 0, 0)},
	    {NODES_NODE, 4, BYTES(0xd0, 0xd0, 0xfd, 0xff)},
	    /* A9: 8 bytes, 262, and addresses that do not fill their length */
	    {NODES_NODE, 4, BYTES(0xa9, 0xa9, 8, 0)},
	    {NODES_NODE, 4, BYTES(0xa9, 0xa9, 6, 1)},
	    {NODES_NODE, 16,
	     BYTES(0xa9, 0xa9, 12, 0, 9, 0, 0, 0, 0xa0, 1, 2, 3, 4, 5, 6, 7)},
	    {NODES_NODE, 15,
	     BYTES(0xa9, 0xa9, 11, 0, 9, 0, 0, 0, 0xa1, 1, 2, 3, 4, 5, 6)},
	    {NODES_NODE, 15,
	     BYTES(0xa9, 0xa9, 11, 0, 9, 0, 0, 0, 0xa2, 0, 2, 3, 4, 5, 6)},
	    {NODES_NODE, 15,
	     BYTES(0xa9, 0xa9, 11, 0, 9, 0, 0, 0, 0xa3, 1, 2, 3, 4, 5, 6)},
	    /* A4: 4097 entries; an unknown kind; a name of no bytes, and of 254 */
	    {NODES_NODE, 4, BYTES(0xa4, 0xa4, 1, 16)},
	    {NODES_NODE, 5, BYTES(0xa4, 0xa4, 1, 0, 0xa3)},
	    {NODES_NODE, 6, BYTES(0xa4, 0xa4, 1, 0, 0xa2, 0)},
	    {NODES_SERVER, 6, BYTES(0xa4, 0xa4, 1, 0, 0xa2, 254)},
	};
	struct nodes_message m = {.uin = 77};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(nodes_next(span_of(rows[i].wire, rows[i].len),
					 rows[i].speaker, &m) == Q_FORMAT,
			      "row %zu", i);
	ck_assert_uint_eq(m.uin, 77);
}
END_TEST

START_TEST(the_largest)
{
	static uint8_t bytes[NODES_TEXT_MAX];
	uint8_t head[NODES_DATA_HEAD_LEN];
	struct buf out = BUF_INIT(NODES_MESSAGE_MAX);
	struct nodes_message m = {.type = NODES_DATA, .uin = 1, .uin2 = 2}, got;

	m.bytes = span_of(bytes, NODES_DATA_MAX);
	ck_assert_int_eq(nodes_put(&out, &m), Q_OK);
	nodes_data_head(head, 1, 2, NODES_DATA_MAX);
	ck_assert_mem_eq(out.p, head, sizeof(head));
	ck_assert_int_eq(nodes_next(buf_span(&out), NODES_NODE, &got), Q_OK);
	ck_assert_uint_eq(got.bytes.len, NODES_DATA_MAX);
	buf_free(&out);

	m = (struct nodes_message){.type = NODES_TEXT, .bytes = {bytes, NODES_TEXT_MAX}};
	ck_assert_int_eq(nodes_put(&out, &m), Q_OK);
	ck_assert_int_eq(nodes_next(buf_span(&out), NODES_CORRESPONDENT, &got), Q_OK);
	ck_assert_uint_eq(got.bytes.len, NODES_TEXT_MAX);
	buf_free(&out);
}
END_TEST

START_TEST(the_longest_list)
{
	static uint8_t host[NODES_HOST_MAX];
	struct nodes_address a = {.kind = NODES_HOST, .host = {host, sizeof(host)}};
	struct buf entries = BUF_INIT(NODES_MESSAGE_MAX),
		   out = BUF_INIT(NODES_MESSAGE_MAX);
	struct nodes_message m = {.type = NODES_LIST, .count = NODES_LIST_MAX}, got;

	for (int i = 0; i < NODES_LIST_MAX; i++)
		ck_assert_int_eq(nodes_address_put(&entries, &a), Q_OK);
	m.bytes = buf_span(&entries);
	ck_assert_int_eq(nodes_put(&out, &m), Q_OK);
	ck_assert_uint_eq(out.len, NODES_MESSAGE_MAX);
	ck_assert_int_eq(nodes_next(buf_span(&out), NODES_NODE, &got), Q_OK);
	ck_assert_uint_eq(got.count, NODES_LIST_MAX);
	buf_free(&out);
	buf_free(&entries);
}
END_TEST

START_TEST(cannot_be_said)
{
	static uint8_t bytes[NODES_TEXT_MAX + 1];
	const struct nodes_message rows[] = {
	    {.type = NODES_TEXT, .bytes = {bytes, NODES_TEXT_MAX + 1}},
	    {.type = NODES_DATA, .bytes = {bytes, NODES_DATA_MAX + 1}},
	    {.type = NODES_WHO_NAME, .bytes = {bytes, NODES_NAME_MAX + 1}},
	    {.type = NODES_WHO_IS, .bytes = {bytes, NODES_NAME_MAX + 1}},
	    {.type = NODES_LIST, .count = 1},
	    {.type = NODES_LIST, .bytes = {bytes, 1}},
	    {.type = NODES_LIST, .count = NODES_LIST_MAX + 1},
	    {.type = NODES_THERE, .address = {.kind = NODES_HOST}},
	    {.type = NODES_THERE, .address = {.kind = NODES_HOST, .host = {bytes, 254}}},
	    {.type = NODES_THERE},
	    {.type = (enum nodes_type)0x55},
	};
	struct buf out = BUF_INIT(1 << 20);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_int_eq(nodes_put(&out, &rows[i]), Q_FORMAT);
	ck_assert_uint_eq(out.len, 0);
	out.max = 5;
	ck_assert_int_eq(nodes_put(&out, &(struct nodes_message){.type = NODES_CALL}),
			 Q_LIMIT);
	ck_assert_uint_eq(out.len, 0);
	buf_free(&out);
}
END_TEST

START_TEST(mapped_addresses_are_ip4)
{
	const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1};
	const uint8_t six[16] = {[10] = 0xff, [11] = 0xfe, [12] = 10, [15] = 1};
	struct nodes_address a = nodes_address_ip(mapped, 80),
			     b = nodes_address_ip(six, 80);
	const uint8_t four[4] = {10, 0, 0, 1};

	ck_assert_int_eq(a.kind, NODES_IP4);
	ck_assert_mem_eq(a.ip, four, 4);
	ck_assert_int_eq(b.kind, NODES_IP6);
	ck_assert_mem_eq(b.ip, six, 16);
	ck_assert(!nodes_address_eq(&a, &b));
	b = a;
	ck_assert(nodes_address_eq(&a, &b));
	b.port = 81;
	ck_assert(!nodes_address_eq(&a, &b));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nodes");
	TCase *t = tcase_create("codec");

	tcase_add_loop_test(t, says_and_reads, 0, EXAMPLES);
	tcase_add_loop_test(t, cut_anywhere_is_short, 0, EXAMPLES);
	tcase_add_test(t, who_may_say_what);
	tcase_add_test(t, recognises);
	tcase_add_test(t, wrong_bytes);
	tcase_add_test(t, the_largest);
	tcase_add_test(t, the_longest_list);
	tcase_add_test(t, cannot_be_said);
	tcase_add_test(t, mapped_addresses_are_ip4);
	suite_add_tcase(s, t);
	return unit_main(s);
}
