/* SPDX-License-Identifier: MIT
 *
 * What may stand in nodes.peers.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "server/nodes/peers.h"

#define FP1 "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define FP2 "ff112233445566778899aabbccddeeff00112233445566778899aabbccddee00"

START_TEST(entries)
{
	const char *list = " " FP1 "@lab-2.example:9034 ,\t" FP2 "," FP2
			   "@[2001:db8::7]:1, " FP1 "@192.0.2.7:65535 ";
	static const struct {
		const char *host;
		uint16_t port;
		uint8_t first;
	} want[] = {{"lab-2.example", 9034, 0x00},
		    {"", 0, 0xff},
		    {"2001:db8::7", 1, 0xff},
		    {"192.0.2.7", 65535, 0x00}};
	struct peer p;

	ck_assert_int_eq(peers_check(list, NULL), Q_OK);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		ck_assert_int_eq(peers_next(&list, &p, NULL), Q_OK);
		ck_assert_str_eq(p.host, want[i].host);
		ck_assert_uint_eq(p.port, want[i].port);
		ck_assert_uint_eq(p.fingerprint[0], want[i].first);
		ck_assert_uint_eq(p.fingerprint[1], 0x11);
	}
	ck_assert_int_eq(peers_next(&list, &p, NULL), Q_MISSING);
}
END_TEST

START_TEST(nothing)
{
	ck_assert_int_eq(peers_check("", NULL), Q_OK);
	ck_assert_int_eq(peers_check(" \t", NULL), Q_OK);
}
END_TEST

static const char *const bad[] = {
    "lab:9034",        "0011",
    FP1 "0",           FP1 "@",
    FP1 "@lab",        FP1 "@lab:",
    FP1 "@lab:0",      FP1 "@lab:65536",
    FP1 "@lab:000080", FP1 "@lab:+80",
    FP1 "@:9034",      FP1 "@[]:9034",
    FP1 "@[lab]:9034", FP1 "@2001:db8::7:9034",
    FP1 "@la/b:9034",  FP1 " " FP2,
    FP1 "@lab: 9034",  "," FP1,
    FP1 ",," FP2,      "g0112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF",
};

START_TEST(refused)
{
	struct why why = {""};

	ck_assert_int_eq(peers_check(bad[_i], &why), Q_FORMAT);
	ck_assert_str_ne(why.text, "");
}
END_TEST

START_TEST(too_many)
{
	char list[(PEERS_MAX + 1) * sizeof(FP1) + 1] = "";
	struct why why = {""};

	for (int i = 0; i < PEERS_MAX; i++)
		strcat(list, FP1 ",");
	ck_assert_int_eq(peers_check(list, &why), Q_OK);
	strcat(list, FP1);
	ck_assert_int_eq(peers_check(list, &why), Q_LIMIT);
}
END_TEST

START_TEST(found)
{
	uint8_t fp[SHA256_LEN] = {0xff, 0x11, 0x22, 0x33};
	const char *list = FP1 "@a:1," FP2 "@b:2";
	const char *rest = list;
	struct peer p, q;

	ck_assert(!peers_find(list, fp, &p));
	ck_assert_int_eq(peers_next(&rest, &p, NULL), Q_OK);
	ck_assert_int_eq(peers_next(&rest, &p, NULL), Q_OK);
	ck_assert(peers_find(list, p.fingerprint, &q));
	ck_assert_str_eq(q.host, "b");
}
END_TEST

START_TEST(long_hosts)
{
	char text[300];
	char host[PEER_HOST_SIZE];
	uint16_t port;

	memset(text, 'a', sizeof(text));
	memcpy(text + 253, ":77", 4);
	ck_assert_int_eq(peer_address(text, 256, host, &port), Q_OK);
	ck_assert_uint_eq(port, 77);
	ck_assert_uint_eq(strlen(host), 253);
	memset(text, 'a', sizeof(text));
	memcpy(text + 254, ":77", 4);
	ck_assert_int_eq(peer_address(text, 257, host, &port), Q_FORMAT);
	ck_assert_int_eq(peer_address(text, 0, host, &port), Q_FORMAT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("nodes_peers");
	TCase *tc = tcase_create("peers");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, entries);
	tcase_add_test(tc, nothing);
	tcase_add_loop_test(tc, refused, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, found);
	tcase_add_test(tc, long_hosts);
	return unit_main(suite);
}
