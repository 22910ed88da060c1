/* SPDX-License-Identifier: MIT
 *
 * Settings: the table's defaults, every type's good and bad values, the file's
 * syntax, where the later source wins, what a reload may change.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/addresses.h"
#include "server/config.h"
#include "server/setting.h"
#include "server/log.h"
#include "store/store.h"

static struct config *
parse(const char *text)
{
	struct config *c = NULL;
	struct why why = {""};

	ck_assert_msg(config_parse(span_str(text), "FILE", &c, &why) == Q_OK, "%s",
		      why.text);
	return c;
}

START_TEST(defaults)
{
	struct config *c = parse("");

	ck_assert_uint_eq(c->listen_count, 1);
	ck_assert_str_eq(c->listen[0], "9034");
	ck_assert_int_eq(c->drain_ms, 5000);
	ck_assert_int_eq(c->log_level, LOG_INFO);
	ck_assert_int_eq(c->log_max_size, 64 << 20);
	ck_assert_int_eq(c->max_connections, 20000);
	ck_assert_int_eq(c->outbox, 256 << 10);
	ck_assert_int_eq(c->login_failures_window_ms, 600000);
	ck_assert_int_eq(c->durability, STORE_INTERVAL);
	ck_assert_int_eq(c->relay_codes, RELAY_CODES_DOCUMENT);
	ck_assert_int_eq(c->relay_max_frame, 65536);
	ck_assert(c->relay_enabled && c->relay_archive && c->relay_enrol && c->sandbox);
	ck_assert_str_eq(c->run_as, "");
	config_free(c);
}
END_TEST

/* What the example shows is what the server does without it. */
START_TEST(example_is_the_defaults)
{
	struct config *plain = parse(""), *from_example;
	char *text = NULL, *bare;
	size_t len = 0, n = 0;
	FILE *f = open_memstream(&text, &len);

	config_print_example(f);
	fclose(f);
	config_free(parse(text)); /* all comments */
	/* Take the '#' from the settings ("#key = ..."), not from the prose. */
	bare = malloc(len + 1);
	for (size_t i = 0; i < len; i++)
		if (!(text[i] == '#' && text[i + 1] != ' ' &&
		      (i == 0 || text[i - 1] == '\n')))
			bare[n++] = text[i];
	bare[n] = '\0';
	ck_assert_uint_gt(len - n, 20); /* so many settings there were, at least */
	from_example = parse(bare);
	ck_assert_mem_eq(plain, from_example, sizeof(*plain));
	config_free(plain);
	config_free(from_example);
	free(text);
	free(bare);
}
END_TEST

static const struct {
	const char *text;
	size_t offset;
	int64_t value;
} numbers[] = {
#define N(text, field, value)                               \
	{                                                   \
		text, offsetof(struct config, field), value \
	}
    N("[server]\ndrain = 0ms", drain_ms, 0),
    N("[server]\ndrain = 250", drain_ms, 250),
    N("[server]\ndrain = 250ms", drain_ms, 250),
    N("[server]\ndrain=7s", drain_ms, 7000),
    N("[server]\ndrain : 2 m", drain_ms, 120000),
    N("[relay]\nrequest_timeout = 1d", relay_request_timeout_ms, 86400000),
    N("[limits]\nlogin_failures_window = 24h", login_failures_window_ms, 86400000),
    N("[limits]\noutbox = 8K", outbox, 8192),
    N("[limits]\noutbox = 8KiB", outbox, 8192),
    N("[limits]\noutbox = 2 MiB", outbox, 2 << 20),
    N("[limits]\noutbox = 1G", outbox, 1 << 30),
    N("[limits]\noutbox = 4096", outbox, 4096),
    N("[relay]\nmax_frame = 1024", relay_max_frame, 1024),
    N("[relay]\nmax_frame = 16MiB", relay_max_frame, 16 << 20),
    N("[limits]\nmax_connections = 1 ; just me", max_connections, 1),
    N("# a comment\n\n[limits]\n  ; another\n  per_address = 3", per_address, 3),
    N("\xef\xbb\xbf[limits]\r\nper_address = 3\r\n", per_address, 3),
    N("[limits]\nper_address = 3\nper_address = 4", per_address, 4),
#undef N
};

START_TEST(number)
{
	struct config *c = parse(numbers[_i].text);
	int64_t v;

	memcpy(&v, (char *)c + numbers[_i].offset, sizeof(v));
	ck_assert_int_eq(v, numbers[_i].value);
	config_free(c);
}
END_TEST

START_TEST(words_texts_lists)
{
	struct config *c =
	    parse("[log]\nlevel = debug\nfile = /var/log/q with space.log\n"
		  "[store]\ndurability=always\n[relay]\ncodes = distinct\n"
		  "enabled = no\n[limits]\ntrust = 10.0.0.7, 192.168.0.0/16,::1\n"
		  "[server]\nlisten = 127.0.0.1:0 , [::1]:9000,[fe80::1%lo]:1,80\n");

	ck_assert_int_eq(c->log_level, LOG_DEBUG);
	ck_assert_str_eq(c->log_file, "/var/log/q with space.log");
	ck_assert_int_eq(c->durability, STORE_ALWAYS);
	ck_assert_int_eq(c->relay_codes, RELAY_CODES_DISTINCT);
	ck_assert(!c->relay_enabled);
	ck_assert_uint_eq(c->listen_count, 4);
	ck_assert_str_eq(c->listen[0], "127.0.0.1:0");
	ck_assert_str_eq(c->listen[1], "[::1]:9000");
	ck_assert_str_eq(c->listen[3], "80");
	config_free(c);
}
END_TEST

static const struct {
	const char *text, *says;
} mistakes[] = {
    {"[server]\nlisen = 1", "FILE:2: there is no setting \"lisen\" in [server]"},
    {"\n[serve]\nlisten = 1", "FILE:3: there is no section [serve]"},
    {"listen = 1", "FILE:1: \"listen\" stands before the first [section]"},
    {"[server]\nlisten", "FILE:2: neither a [section] nor a line \"key = value\""},
    {"[server\n", "FILE:1: neither"},
    {"[relay]\nenabled = true", "FILE:2: relay.enabled must be yes or no, not \"true\""},
    {"[relay]\nenabled =", "must be yes or no"},
    {"[relay]\ncodes = both", "must be one of document|distinct, not \"both\""},
    {"[relay]\ncodes = ", "must be one of"},
    {"[relay]\ncodes = document|distinct", "must be one of"},
    {"[relay]\nmax_frame = 1023", "must be 1KiB to 16MiB"},
    {"[relay]\nmax_frame = 16777217", "must be"},
    {"[relay]\nmax_frame = 1 KB", "must be"},
    {"[relay]\nmax_frame = 9223372036854775807G", "must be"},
    {"[relay]\nmax_frame = 99999999999999999999999999", "must be"},
    {"[relay]\nmax_frame = -1", "must be"},
    {"[relay]\nmax_frame = 0x400", "must be"},
    {"[relay]\nmax_frame = ", "must be"},
    {"[server]\ndrain = 11m", "must be 0ms to 10m, not \"11m\""},
    {"[server]\ndrain = 1.5s", "must be"},
    {"[server]\ndrain = 5 s s", "must be"},
    {"[limits]\nmax_connections = 0", "must be 1 to 1000000"},
    {"[limits]\nmax_connections = 10k", "must be"},
    {"[limits]\ntrust = 10.0.0", "must be addresses or networks"},
    {"[limits]\ntrust = 10.0.0.0/33", "must be addresses or networks"},
    {"[limits]\ntrust = ::/129", "must be addresses or networks"},
    {"[limits]\ntrust = 10.0.0.1,,10.0.0.2", "must be addresses or networks"},
    {"[limits]\ntrust = 10.0.0.1 10.0.0.2", "must be addresses or networks"},
    {"[server]\nlisten =", "must be PORT"},
    {"[server]\nlisten = 65536", "must be PORT"},
    {"[server]\nlisten = here:", "must be PORT"},
    {"[server]\nlisten = :80", "must be PORT"},
    {"[server]\nlisten = 80,", "must be PORT"},
    {"[server]\nlisten = 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "more than 16"},
    {"[log]\nfile = a\x01z", "FILE:2: log.file holds a character that cannot be shown"},
    {"[log]\nfile = \xff", "cannot be shown"},
};

START_TEST(mistake)
{
	struct config *c = NULL;
	struct why why = {""};

	ck_assert_int_ne(config_parse(span_str(mistakes[_i].text), "FILE", &c, &why),
			 Q_OK);
	ck_assert_ptr_null(c);
	ck_assert_msg(strstr(why.text, mistakes[_i].says) != NULL, "says: %s", why.text);
	/* Nobody has to want the sentence. */
	ck_assert_int_ne(config_parse(span_str(mistakes[_i].text), "FILE", &c, NULL),
			 Q_OK);
}
END_TEST

START_TEST(odd_lines)
{
	static char text[16384];
	struct config *c = NULL;
	struct why why = {""};

	memset(text, '#', 9000);
	ck_assert_int_eq(config_parse(span_str(text), "FILE", &c, &why), Q_FORMAT);
	ck_assert_str_eq(why.text, "FILE:1: the line is too long or no text");
	ck_assert_int_eq(
	    config_parse(span_of("[log]\nfile=a\0b\n", 15), "FILE", &c, &why), Q_FORMAT);
	ck_assert_str_eq(why.text, "FILE:2: the line is too long or no text");
	/* Lines of every length around what a line may have: no byte too many. */
	for (int n = 8400; n < 8500; n++) {
		snprintf(text, sizeof(text), "#%0*d\n[log]\nlevel = warn\n", n, 7);
		c = NULL;
		if (config_parse(span_str(text), "FILE", &c, &why) == Q_OK)
			ck_assert_int_eq(c->log_level, LOG_WARN);
		else
			ck_assert_int_gt(n, 1000);
		config_free(c);
	}
	/* A value may be as long as its field, and no longer. */
	snprintf(text, sizeof(text), "[log]\nfile = %0*d\n", CONFIG_TEXT_SIZE - 1, 7);
	c = parse(text);
	ck_assert_uint_eq(strlen(c->log_file), CONFIG_TEXT_SIZE - 1);
	config_free(c);
	snprintf(text, sizeof(text), "[log]\nfile = %0*d\n", CONFIG_TEXT_SIZE, 7);
	ck_assert_int_eq(config_parse(span_str(text), "FILE", &c, &why), Q_LIMIT);
}
END_TEST

START_TEST(overrides_win)
{
	const char *set[] = {"server.drain=3s", "server.listen=1,2", "server.drain=4s"};
	struct config_source src = {NULL, false, set, 3};
	struct config *c;
	struct why why = {""};
	char file[] = "/tmp/quintet-config-XXXXXX";
	int fd = mkstemp(file);

	ck_assert_int_eq(write(fd, "[server]\ndrain=2s\n", 18), 18);
	close(fd);
	src.file = file;
	ck_assert_int_eq(config_load(&src, &c, &why), Q_OK);
	ck_assert_int_eq(c->drain_ms, 4000);
	ck_assert_uint_eq(c->listen_count, 2);
	config_free(c);
	src.override_count = 0;
	ck_assert_int_eq(config_load(&src, &c, &why), Q_OK);
	ck_assert_int_eq(c->drain_ms, 2000);
	config_free(c);
	unlink(file);
	ck_assert_int_eq(config_load(&src, &c, &why), Q_MISSING);
	ck_assert_ptr_nonnull(strstr(why.text, "No such file"));
	src.file_optional = true;
	ck_assert_int_eq(config_load(&src, &c, &why), Q_OK);
	config_free(c);
	src.file = "/"; /* there, and no file */
	ck_assert_int_ne(config_load(&src, &c, &why), Q_OK);
}
END_TEST

START_TEST(bad_override)
{
	static const char *const bad[] = {
	    "drain=3s", "server.drain",     "server.nothing=1", "=",
	    ".=",       "nowhere.drain=1s", "server.drain=soon"};
	struct config_source src = {NULL, false, &bad[_i], 1};
	struct why why = {""};
	struct config *c = NULL;

	ck_assert_int_ne(config_load(&src, &c, &why), Q_OK);
	ck_assert_str_ne(why.text, "");
	ck_assert_ptr_null(c);
}
END_TEST

START_TEST(reload_keeps_what_needs_a_restart)
{
	const char *set[] = {"server.listen=1,2", "server.drain=1s",
			     "store.max_open_logs=9"};
	const char *later[] = {"server.listen=1", "server.drain=2s",
			       "store.max_open_logs=9"};
	struct config_source src = {NULL, false, set, 3};
	struct why why = {""};
	struct config *c;
	const struct config *old;

	ck_assert_int_eq(config_load(&src, &c, &why), Q_OK);
	config_publish(c);
	old = config_now();
	src.overrides = later;
	ck_assert_int_eq(config_prepare(&src, &c, &why), Q_OK);
	ck_assert_str_eq(why.text,
			 "changed, but only a restart applies it: server.listen");
	ck_assert_ptr_eq(config_now(), old);
	ck_assert_uint_eq(c->listen_count, 2);
	ck_assert_int_eq(c->drain_ms, 2000);
	config_publish(c);
	ck_assert_ptr_eq(config_now(), c);
	ck_assert_int_eq(old->drain_ms, 1000); /* still there for who kept it */
	src.overrides = set;
	ck_assert_int_eq(config_prepare(&src, &c, &why), Q_OK);
	ck_assert_str_eq(why.text, "");
	config_free(c);
	src.file = "/nonexistent";
	ck_assert_int_eq(config_prepare(&src, &c, &why), Q_MISSING);
	config_fini();
	ck_assert_ptr_null(config_now());
}
END_TEST

/* ---- addresses and networks ---- */

static struct in6_addr
ip(const char *text)
{
	char mapped[64];
	struct in6_addr a;

	snprintf(mapped, sizeof(mapped), "%s%s",
		 strchr(text, ':') == NULL ? "::ffff:" : "", text);
	ck_assert_int_eq(inet_pton(AF_INET6, mapped, &a), 1);
	return a;
}

static const struct {
	const char *list, *ip;
	bool in;
} prefixes[] = {
    {"", "10.0.0.1", false},
    {"10.0.0.1", "10.0.0.1", true},
    {"10.0.0.1", "10.0.0.2", false},
    {"10.0.0.0/8", "10.255.0.9", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/9", "10.128.0.0", false},
    {"10.0.0.0/9", "10.127.255.255", true},
    {"10.0.0.128/25", "10.0.0.127", false},
    {"0.0.0.0/0", "192.0.2.1", true},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"::/0", "192.0.2.1", true},
    {"2001:db8::/33", "2001:db8:8000::", false},
    {"2001:db8::/33", "2001:db8:7fff::9", true},
    {"10.0.0.1,  2001:db8::1 , 10.9.0.0/16", "10.9.3.4", true},
    {"10.0.0.1,  2001:db8::1 , 10.9.0.0/16", "2001:db8::1", true},
};

START_TEST(prefix)
{
	struct in6_addr a = ip(prefixes[_i].ip);

	ck_assert(prefix_list_valid(prefixes[_i].list));
	ck_assert_int_eq(prefix_list_holds(prefixes[_i].list, &a), prefixes[_i].in);
}
END_TEST

START_TEST(own_addresses)
{
	struct host_addresses a, b;
	struct in6_addr any;

	ck_assert_int_eq(addresses_of_host(true, &a), Q_OK);
	ck_assert_uint_ge(a.count, 2);
	ck_assert_str_eq(a.text[0], "127.0.0.1");
	ck_assert_str_eq(a.text[1], "::1");
	for (size_t i = 0; i < a.count; i++) {
		any = ip(a.text[i]);
		ck_assert(!IN6_IS_ADDR_LINKLOCAL(&any));
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(a.text[i], a.text[k]);
	}
	ck_assert_int_eq(addresses_of_host(false, &b), Q_OK);
	for (size_t i = 0; i < b.count; i++)
		ck_assert_str_ne(b.text[i], "127.0.0.1");
	addresses_free(&a);
	addresses_free(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("config");
	TCase *c = tcase_create("config");

	tcase_add_test(c, defaults);
	tcase_add_test(c, example_is_the_defaults);
	tcase_add_loop_test(c, number, 0, sizeof(numbers) / sizeof(numbers[0]));
	tcase_add_test(c, words_texts_lists);
	tcase_add_loop_test(c, mistake, 0, sizeof(mistakes) / sizeof(mistakes[0]));
	tcase_add_test(c, odd_lines);
	tcase_add_test(c, overrides_win);
	tcase_add_loop_test(c, bad_override, 0, 7);
	tcase_add_test(c, reload_keeps_what_needs_a_restart);
	tcase_add_loop_test(c, prefix, 0, sizeof(prefixes) / sizeof(prefixes[0]));
	tcase_add_test(c, own_addresses);
	suite_add_tcase(s, c);
	return unit_main(s);
}
