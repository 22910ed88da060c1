/* SPDX-License-Identifier: MIT
 *
 * RFC 6455 case by case, from a raw socket, through the echo path.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/ws_peer.h"

#define TEXT   1
#define BINARY 2
#define CLOSE  8
#define PING   9
#define PONG   10
#define MIB    ((size_t)1 << 20)

static struct harness *
start(const char *setting)
{
	struct harness *h = harness_new();

	harness_make_folder(h, "server");
	harness_write(h, "server/test-mode", span_str(""));
	harness_boot(h, "http.test_echo=yes", setting, NULL);
	return h;
}

/* The connection still works. */
static void
works(struct http_peer *p)
{
	ws_put(p, WS_FIN | TEXT, "still here", 10);
	ws_hear(p, WS_FIN | TEXT, "still here", 10);
}

/* ---- the handshake ---- */

START_TEST(handshakes)
{
	static const char key[] = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
	static const char version[] = "Sec-WebSocket-Version: 13\r\n";
	static const char upgrade[] = "Upgrade: websocket\r\n";
	static const char connection[] = "Connection: Upgrade\r\n";
	static const char host[] = "Host: localhost:9034\r\n";
	const struct {
		const char *parts[6];
		int status;
	} cases[] = {
	    {{host, upgrade, connection, version, key}, 101},
	    {{host, "upgrade: WebSocket\r\n", "connection: keep-alive, upgrade\r\n",
	      version, key},
	     101},
	    {{host, upgrade, connection, version, key,
	      "Origin: http://LOCALHOST:9034\r\n"},
	     101},
	    {{host, upgrade, connection, version, key,
	      "Origin: https://localhost:9034\r\n"},
	     101},
	    {{host, upgrade, connection, version, key,
	      "Sec-WebSocket-Extensions: "
	      "permessage-deflate\r\n"},
	     101},
	    {{host, connection, version, key}, 426},
	    {{host, upgrade, connection, "Sec-WebSocket-Version: 8\r\n", key}, 426},
	    {{host, upgrade, connection, "Sec-WebSocket-Version: 14\r\n", key}, 426},
	    {{host, upgrade, connection, key}, 426},
	    {{host, upgrade, connection, version}, 400},
	    {{host, upgrade, connection, version, "Sec-WebSocket-Key: c2hvcnQ=\r\n"},
	     400},
	    {{host, upgrade, connection, version,
	      "Sec-WebSocket-Key: "
	      "dGhlIHNhbXBsZSBub25jZQ\r\n"},
	     400},
	    {{host, upgrade, connection, version, key, key}, 400},
	    {{host, "Upgrade: h2c\r\n", connection, version, key}, 400},
	    {{host, upgrade, "Connection: close\r\n", version, key}, 400},
	    {{host, upgrade, version, key}, 400},
	    {{upgrade, connection, version, key}, 400},
	    {{host, upgrade, connection, version, key, "Host: other\r\n"}, 400},
	    {{"Host: a/b\r\n", upgrade, connection, version, key}, 400},
	    {{host, upgrade, connection, version, key, "Origin: null\r\n"}, 403},
	    {{host, upgrade, connection, version, key, "Origin: http://localhost\r\n"},
	     403},
	    {{host, upgrade, connection, version, key, "Origin: http://evil.example\r\n"},
	     403},
	    {{host, upgrade, connection, version, key,
	      "Origin: http://localhost:9034\r\nOrigin: http://localhost:9034\r\n"},
	     403},
	    {{host, upgrade, connection, version, key, "Origin: http://a.example\r\n"},
	     101},
	};
	struct harness *h = start("http.origins=http://a.example");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char headers[1024] = "";
		struct http_peer *p;

		for (size_t k = 0; k < 6 && cases[i].parts[k] != NULL; k++)
			strcat(headers, cases[i].parts[k]);
		p = ws_ask(h, "/echo", headers);
		if (p->status != cases[i].status)
			harness_fail("case %zu: want %d, got %d for\n%s", i,
				     cases[i].status, p->status, headers);
		if (p->status == 426)
			ck_assert_str_eq(http_header(p, "Sec-WebSocket-Version"), "13");
		if (p->status == 101) {
			ck_assert_str_eq(http_header(p, "Sec-WebSocket-Accept"),
					 "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
			ck_assert_ptr_null(http_header(p, "Sec-WebSocket-Extensions"));
			works(p);
		}
		http_free(p);
	}
	ck_assert_int_eq(http_status_of(h, "POST /echo HTTP/1.1\r\n" WS_HEADERS "\r\n"),
			 405);
	ck_assert_int_eq(http_status_of(h, "GET /echo HTTP/1.0\r\n" WS_HEADERS "\r\n"),
			 400);
	ck_assert_int_eq(http_status_of(h, "GET /echo HTTP/1.1\r\n" WS_HEADERS
					   "Content-Length: 1\r\n\r\nx"),
			 413);
	harness_free(h);
}
END_TEST

/* The first frames may come in the same packet as the request. */
START_TEST(eager_client)
{
	struct harness *h = start(NULL);
	struct http_peer *p = http_connect(h);
	static const char request[] = "GET /echo HTTP/1.1\r\n" WS_HEADERS "\r\n"
				      "\x81\x82\0\0\0\0hi\x89\x80\0\0\0\0";

	http_send(p, span_of(request, sizeof(request) - 1));
	http_hear(p, 101, NULL);
	ws_hear(p, WS_FIN | TEXT, "hi", 2);
	ws_hear(p, WS_FIN | PONG, "", 0);
	http_free(p);
	harness_free(h);
}
END_TEST

/* The start fails with status 1 and one line. */
static void
refused(struct harness *h)
{
	char command[3 * HARNESS_PATH], line[512] = "";
	FILE *f;

	snprintf(command, sizeof(command),
		 "exec '%s' --data '%s' --listen 127.0.0.1:0 --set log.level=error --set "
		 "http.test_echo=yes 2>&1",
		 getenv("QUINTET_SERVER"), h->data);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	ck_assert_ptr_nonnull(strstr(line, "server: http.test_echo is for tests only"));
	ck_assert_ptr_null(fgets(line, sizeof(line), f));
	ck_assert_int_eq(WEXITSTATUS(pclose(f)), 1);
}

START_TEST(echo_is_not_there_by_default)
{
	struct harness *h = harness_start(NULL);
	struct http_peer *p = ws_ask(h, "/echo", WS_HEADERS);
	char mark[HARNESS_PATH + 32];

	ck_assert_int_eq(p->status, 404);
	http_free(p);
	harness_stop(h);
	/* Without the mark a server that shall have it does not start; nor with a folder
	 * or a link in its place. */
	snprintf(mark, sizeof(mark), "%s/server/test-mode", h->data);
	refused(h);
	harness_make_folder(h, "server/test-mode");
	refused(h);
	ck_assert_int_eq(rmdir(mark), 0);
	ck_assert_int_eq(symlink("ca.pem", mark), 0);
	refused(h);
	harness_free(h);
}
END_TEST

/* ---- what breaks the rules: bytes, and the code that ends it ---- */

struct wrong {
	const char *name;
	const char *bytes;
	size_t len;
	unsigned code;
};
#define WRONG(name, bytes, code)                     \
	{                                            \
		name, bytes, sizeof(bytes) - 1, code \
	}
#define KEY "\0\0\0\0" /* a mask that changes nothing */

static const struct wrong wrongs[] = {
    WRONG("unmasked text", "\x81\x02hi", 1002),
    WRONG("unmasked ping", "\x89\x00", 1002),
    WRONG("RSV1", "\xc1\x80" KEY, 1002),
    WRONG("RSV2", "\xa1\x80" KEY, 1002),
    WRONG("RSV3", "\x91\x80" KEY, 1002),
    WRONG("opcode 3", "\x83\x80" KEY, 1002),
    WRONG("opcode 4", "\x84\x80" KEY, 1002),
    WRONG("opcode 5", "\x85\x80" KEY, 1002),
    WRONG("opcode 6", "\x86\x80" KEY, 1002),
    WRONG("opcode 7", "\x87\x80" KEY, 1002),
    WRONG("opcode 11", "\x8b\x80" KEY, 1002),
    WRONG("opcode 12", "\x8c\x80" KEY, 1002),
    WRONG("opcode 13", "\x8d\x80" KEY, 1002),
    WRONG("opcode 14", "\x8e\x80" KEY, 1002),
    WRONG("opcode 15", "\x8f\x80" KEY, 1002),
    WRONG("long ping", "\x89\xfe\x00\x7e", 1002),
    WRONG("long pong", "\x8a\xfe\x00\x7e", 1002),
    WRONG("long close", "\x88\xfe\x00\x7e", 1002),
    WRONG("fragmented ping", "\x09\x80" KEY, 1002),
    WRONG("fragmented pong", "\x0a\x80" KEY, 1002),
    WRONG("fragmented close", "\x08\x80" KEY, 1002),
    WRONG("continuation of nothing", "\x80\x80" KEY, 1002),
    WRONG("unfinished continuation of nothing", "\x00\x80" KEY, 1002),
    WRONG("a message inside a message", "\x01\x81" KEY "a\x81\x81" KEY "b", 1002),
    WRONG("length with the top bit", "\x82\xff\x80\0\0\0\0\0\0\0" KEY, 1002),
    WRONG("16-bit length of 125", "\x82\xfe\x00\x7d" KEY, 1002),
    WRONG("64-bit length of 65535", "\x82\xff\0\0\0\0\0\0\xff\xff" KEY, 1002),
    WRONG("overlong", "\x81\x82" KEY "\xc0\xaf", 1007),
    WRONG("surrogate", "\x81\x83" KEY "\xed\xa0\x80", 1007),
    WRONG("above U+10FFFF", "\x81\x84" KEY "\xf4\x90\x80\x80", 1007),
    WRONG("truncated", "\x81\x82" KEY "\xe2\x82", 1007),
    WRONG("lone continuation byte", "\x81\x81" KEY "\x80", 1007),
    WRONG("bad across fragments", "\x01\x81" KEY "\xe2\x80\x82" KEY "\x28\xa1", 1007),
    WRONG("close of one byte", "\x88\x81" KEY "\x03", 1002),
    WRONG("bad UTF-8 reason", "\x88\x84" KEY "\x03\xe8\xc3\x28", 1007),
    WRONG("too large, by its header", "\x82\xff\0\0\0\0\x01\0\0\x01" KEY, 1009),
    WRONG("too large, far", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" KEY, 1009),
};

START_TEST(rules)
{
	struct harness *h = start(NULL);

	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		const struct wrong *w = &wrongs[i];
		struct http_peer *p = ws_connect(h, "/echo", _i != 0);

		fprintf(stderr, "%s\n", w->name);
		http_send(p, span_of(w->bytes, w->len));
		ws_hear_close(p, w->code);
		http_free(p);
	}
	harness_free(h);
}
END_TEST

/* ---- what keeps them ---- */

START_TEST(echoes)
{
	static const size_t sizes[] = {0,     1,     125,   126,   127,    4096,   16383,
				       16384, 16385, 65535, 65536, 131072, 1000000};
	static uint8_t bytes[1000000];
	struct harness *h = start(NULL);
	struct http_peer *p = ws_connect(h, "/echo", _i != 0);

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ws_put(p, WS_FIN | BINARY, bytes, sizes[i]);
		ws_hear(p, WS_FIN | BINARY, bytes, sizes[i]);
	}
	ws_put(p, WS_FIN | TEXT, "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", 9);
	ws_hear(p, WS_FIN | TEXT, "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", 9);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(pings)
{
	struct harness *h = start(NULL);
	struct http_peer *p = ws_connect(h, "/echo", false);
	uint8_t bytes[125];

	for (size_t n = 0; n <= sizeof(bytes); n++) {
		memset(bytes, (int)n, sizeof(bytes));
		ws_put(p, WS_FIN | PING, bytes, n);
		ws_hear(p, WS_FIN | PONG, bytes, n);
	}
	ws_put(p, WS_FIN | PONG, "unasked", 7);
	works(p);
	/* Answered before the message around it ends. */
	ws_put(p, TEXT, "one ", 4);
	ws_put(p, WS_FIN | PING, "now", 3);
	ws_hear(p, WS_FIN | PONG, "now", 3);
	ws_put(p, 0, "two ", 4);
	ws_put(p, WS_FIN | PONG, "", 0);
	ws_put(p, WS_FIN | 0, "three", 5);
	ws_hear(p, WS_FIN | TEXT, "one two three", 13);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(fragments)
{
	struct harness *h = start(NULL);
	struct http_peer *p = ws_connect(h, "/echo", false);

	/* A character that is cut in two is whole in the end. */
	ws_put(p, TEXT, "\xe2\x82", 2);
	ws_put(p, WS_FIN | 0, "\xac", 1);
	ws_hear(p, WS_FIN | TEXT, "\xe2\x82\xac", 3);
	ws_put(p, BINARY, "", 0);
	for (int i = 0; i < 65536; i++)
		ws_put(p, 0, "", 0);
	ws_put(p, WS_FIN | 0, "end", 3);
	ws_hear(p, WS_FIN | BINARY, "end", 3);
	works(p);
	http_free(p);
	harness_free(h);
}
END_TEST

START_TEST(closes)
{
	static const unsigned good[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
					1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};
	static const unsigned bad[] = {0,    999,  1004, 1005, 1006,
				       1015, 1016, 2999, 5000, 65535};
	struct harness *h = start(NULL);
	struct http_peer *p = ws_connect(h, "/echo", false);

	ws_put(p, WS_FIN | CLOSE, "", 0);
	ws_hear_close(p, 0);
	http_free(p);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint8_t code[5] = {(uint8_t)(good[i] >> 8), (uint8_t)good[i], 'b', 'y',
				   'e'};

		p = ws_connect(h, "/echo", i % 4 == 0);
		ws_put(p, WS_FIN | CLOSE, code, i % 2 == 0 ? 2 : 5);
		ws_hear_close(p, good[i]);
		http_free(p);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t code[2] = {(uint8_t)(bad[i] >> 8), (uint8_t)bad[i]};

		p = ws_connect(h, "/echo", false);
		ws_put(p, WS_FIN | CLOSE, code, 2);
		ws_hear_close(p, 1002);
		http_free(p);
	}
	/* What comes behind a close is not looked at. */
	p = ws_connect(h, "/echo", false);
	http_send(p, span_of("\x88\x82\0\0\0\0\x03\xe8\x81\x82\0\0\0\0hi\xff\xff", 18));
	ws_hear_close(p, 1000);
	http_free(p);
	harness_free(h);
}
END_TEST

/* ---- sizes and time ---- */

START_TEST(large_messages)
{
	struct harness *h = start(NULL);
	struct http_peer *p = ws_connect(h, "/echo", false);
	uint8_t *bytes = calloc(1, 16 * MIB);

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 'x', 16 * MIB);
	ws_put(p, WS_FIN | TEXT, bytes, 16 * MIB);
	ws_hear(p, WS_FIN | TEXT, bytes, 16 * MIB);
	/* In fragments, up to the limit, and one byte above it: told by the header. */
	for (int i = 0; i < 16; i++)
		ws_put(p, i == 0 ? BINARY : i == 15 ? WS_FIN : 0, bytes, MIB);
	ws_hear(p, WS_FIN | BINARY, bytes, 16 * MIB);
	for (int i = 0; i < 15; i++)
		ws_put(p, i == 0 ? BINARY : 0, bytes, MIB);
	ws_put_header(p, 0, MIB + 1);
	ws_hear_close(p, 1009);
	http_free(p);
	free(bytes);
	harness_free(h);
}
END_TEST

/* Whoever announces much and sends nothing costs nothing: a thousand such would not fit
 * otherwise. */
START_TEST(announced_only)
{
	struct harness *h = start(NULL);
	struct http_peer *p[50];
	char path[64], line[128];
	long kib = -1;
	FILE *f;

	for (size_t i = 0; i < 50; i++) {
		p[i] = ws_connect(h, "/echo", false);
		ws_put_header(p[i], WS_FIN | BINARY, 16 * MIB);
		http_send(p[i], span_of("some", 4));
	}
	p[0]->drips = false;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)h->pid);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	fclose(f);
	/* 50 * 16 MiB would be 800 MiB. */
	ck_assert_int_gt(kib, 0);
	if (getenv("QUINTET_SANITIZER") == NULL)
		ck_assert_int_lt(kib, 60000);
	for (size_t i = 0; i < 50; i++)
		http_free(p[i]);
	harness_free(h);
}
END_TEST

START_TEST(byte_at_a_time)
{
	struct harness *h = start(NULL);
	struct http_peer *p = ws_connect(h, "/echo", false);
	uint8_t bytes[300];

	memset(bytes, 'z', sizeof(bytes));
	p->drips = true;
	ws_put(p, WS_FIN | TEXT, bytes, sizeof(bytes));
	ws_hear(p, WS_FIN | TEXT, bytes, sizeof(bytes));
	ws_put(p, TEXT, bytes, 130);
	ws_put(p, WS_FIN | PING, "p", 1);
	ws_put(p, WS_FIN, bytes, 2);
	ws_hear(p, WS_FIN | PONG, "p", 1);
	ws_hear(p, WS_FIN | TEXT, bytes, 132);
	ws_put(p, WS_FIN | CLOSE, "\x03\xe8", 2);
	ws_hear_close(p, 1000);
	http_free(p);
	harness_free(h);
}
END_TEST

/* A message that was begun has to come; an idle connection may stay. */
START_TEST(half_a_message)
{
	struct harness *h = start(NULL);
	struct http_peer *idle = ws_connect(h, "/echo", false), *p[3];

	for (int i = 0; i < 3; i++)
		p[i] = ws_connect(h, "/echo", false);
	harness_reload(h, "http.request_timeout=400ms", NULL);
	ws_put(p[0], TEXT, "one", 3);
	ws_put_header(p[1], WS_FIN | TEXT, 100);
	http_send(p[2], span_of("\x81", 1));
	for (int i = 0; i < 3; i++) {
		ws_hear_close(p[i], 1008);
		http_free(p[i]);
	}
	harness_reload(h, NULL); /* its next message may take as long as it likes */
	works(idle);
	http_free(idle);
	harness_free(h);
}
END_TEST

/* A stop says 1001 to everybody. */
START_TEST(stop_says_goodbye)
{
	struct harness *h = start(NULL);
	struct http_peer *plain = ws_connect(h, "/echo", false);
	struct http_peer *tls = ws_connect(h, "/echo", true);

	works(plain);
	works(tls);
	harness_stop(h);
	ws_hear_close(plain, 1001);
	ws_hear_close(tls, 1001);
	http_free(plain);
	http_free(tls);
	harness_free(h);
}
END_TEST

/* One that sends and does not read is slowed down, ended in the end, and harms nobody. */
START_TEST(no_reader)
{
	struct harness *h = start("limits.sender_wait=300ms");
	struct http_peer *p = ws_connect(h, "/echo", false);
	struct http_peer *other = ws_connect(h, "/echo", false);
	static uint8_t frame[65536 + 14] = {0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0};
	int64_t deadline = harness_deadline(2 * HARNESS_WAIT);
	ssize_t n = 0;

	/* Until the server has had enough. */
	for (size_t sent = 0; n != -1 || errno == EAGAIN; sent %= sizeof(frame)) {
		n = send(p->fd, frame + sent, sizeof(frame) - sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1)
			harness_nap(deadline, "the end of one that does not read");
		else
			sent += (size_t)n;
	}
	works(other);
	http_free(p);
	http_free(other);
	harness_free(h);
}
END_TEST

/* ---- a client that we did not write ---- */

START_TEST(python_websockets)
{
	static const char script[] =
	    "import asyncio, ssl, sys, websockets\n"
	    "async def talk(url, **kw):\n"
	    "    async with websockets.connect(url, max_size=None, **kw) as w:\n"
	    "        for m in ['', 'hi', '\\u20ac' * 5000, b'\\0\\xff' * 40000, 'x' * "
	    "2000000]:\n"
	    "            await w.send(m)\n"
	    "            assert await w.recv() == m\n"
	    "        await w.send(['a', 'b' * 70000, 'c'])\n"
	    "        assert await w.recv() == 'a' + 'b' * 70000 + 'c'\n"
	    "        await (await w.ping(b'payload'))\n"
	    "        await w.close(4001, 'done')\n"
	    "    assert w.close_code == 4001, w.close_code\n"
	    "c = ssl.create_default_context(cafile=sys.argv[2])\n"
	    "asyncio.run(talk('ws://127.0.0.1:' + sys.argv[1] + '/echo'))\n"
	    "asyncio.run(talk('wss://localhost:' + sys.argv[1] + '/echo', ssl=c))\n";
	struct harness *h = start(NULL);
	char port[8], ca[HARNESS_PATH + 32];
	int status;
	pid_t pid;

	snprintf(port, sizeof(port), "%u", (unsigned)h->port);
	snprintf(ca, sizeof(ca), "%s/server/ca.pem", h->data);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		execl("/usr/bin/python3", "/usr/bin/python3", "-c", script, port, ca,
		      (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("websocket");
	TCase *c = harness_case(s, "handshake");

	tcase_add_test(c, handshakes);
	tcase_add_test(c, eager_client);
	tcase_add_test(c, echo_is_not_there_by_default);
	c = harness_case(s, "frames");
	tcase_add_loop_test(c, rules, 0, 2);
	tcase_add_loop_test(c, echoes, 0, 2);
	tcase_add_test(c, pings);
	tcase_add_test(c, fragments);
	tcase_add_test(c, closes);
	c = harness_case(s, "bounds");
	tcase_add_test(c, large_messages);
	tcase_add_test(c, announced_only);
	tcase_add_test(c, byte_at_a_time);
	tcase_add_test(c, half_a_message);
	tcase_add_test(c, stop_says_goodbye);
	tcase_add_test(c, no_reader);
	c = harness_case(s, "others");
	tcase_add_test(c, python_websockets);
	return harness_main(s);
}
