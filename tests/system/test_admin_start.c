/* SPDX-License-Identifier: MIT
 *
 * A server's start and end: what the first one makes and prints, what keeps it
 * from starting, whose rights it has, how it stops.
 */
#include "tests/system/relay_peer.h"

#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/cert.h"
#include "tests/system/harness_run.h"
#include "tests/system/run_command.h"

static void
assert_mode(const struct harness *h, const char *name, unsigned mode)
{
	char path[HARNESS_PATH + 32];
	struct stat st;

	snprintf(path, sizeof(path), "%s/server/%s", h->data, name);
	ck_assert_msg(stat(path, &st) == 0, "no %s", path);
	ck_assert_msg((st.st_mode & 0777) == mode, "%s has mode %o", name,
		      st.st_mode & 0777);
}

static void
put(struct harness *h, const char *path, const char *text)
{
	harness_write(h, path, span_str(text));
}

/* It must not start: exit status 1, one line, with that in it. */
static void
assert_no_start(struct harness *h, const char *listen, const char *says)
{
	out.len = 0;
	ck_assert_int_eq(harness_command(h, &out, "--listen", listen, NULL), 1);
	ck_assert_msg(said(says), "said: %.*s", (int)out.len, (const char *)out.p);
	ck_assert_msg(lines_said() == 1, "said: %.*s", (int)out.len, (const char *)out.p);
}

START_TEST(first_start)
{
	struct harness *h = harness_new();
	struct buf file = BUF_INIT(1 << 20);
	char code[20], command[64], sum_text[FINGERPRINT_SIZE];
	uint8_t sum[SHA256_LEN];
	struct cert *ca;
	const char *end;

	ck_assert_int_eq(rmdir(h->data), 0); /* not even the directory is there */
	harness_boot(h, NULL);
	assert_mode(h, "key.pem", 0600);
	assert_mode(h, "ca-key.pem", 0600);
	assert_mode(h, "enroll-code", 0600);
	assert_mode(h, "control.sock", 0600);
	assert_mode(h, "server.conf", 0600);
	/* What it printed: how to connect, the code, the fingerprint, ready. */
	out.len = 0;
	ck_assert_int_eq(buf_put_span(&out, buf_span(&h->out)), Q_OK);
	ck_assert(said(h->data));
	snprintf(command, sizeof(command),
		 "  client/client 127.0.0.1:%u --enroll --user NAME\n", h->port);
	ck_assert(said(command));
	harness_enrol_code(h, code);
	ck_assert(said(code));
	ck_assert(harness_read(h, "server/ca.pem", &file));
	ck_assert_int_eq(cert_parse(buf_span(&file), &ca), Q_OK);
	ck_assert_int_eq(cert_fingerprint(ca, sum), Q_OK);
	fingerprint_text(sum, sum_text);
	ck_assert(said(sum_text));
	snprintf(command, sizeof(command), "\nlistening on 127.0.0.1:%u\n", h->port);
	ck_assert(said(command));
	end = strstr((const char *)out.p, command);
	ck_assert_uint_eq(strlen(end), strlen(command)); /* the last line */
	/* The example that it left is one that it can read. */
	out.len = 0;
	harness_command(h, &out, "--check-config", NULL);
	ck_assert(said("configuration is fine\n"));
	cert_free(ca);
	buf_free(&file);
	harness_free(h);
}
END_TEST

/* An installed server names the installed client. */
START_TEST(installed)
{
	struct harness *h = harness_new();
	char path[HARNESS_PATH + 32], command[80];

	snprintf(path, sizeof(path), "%s/quintet-server", h->dir);
	ck_assert_int_eq(symlink(getenv("QUINTET_SERVER"), path), 0);
	ck_assert_int_eq(setenv("QUINTET_SERVER", path, 1), 0);
	harness_boot(h, NULL);
	out.len = 0;
	ck_assert_int_eq(buf_put_span(&out, buf_span(&h->out)), Q_OK);
	snprintf(command, sizeof(command),
		 "  quintet-client 127.0.0.1:%u --enroll --user NAME\n", h->port);
	ck_assert(said(command));
	harness_free(h);
}
END_TEST

START_TEST(next_start_is_the_same_server)
{
	struct harness *h = harness_start(NULL);
	struct buf ca = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20);
	char code[20], code_again[20];

	ck_assert(harness_read(h, "server/ca.pem", &ca));
	harness_enrol_code(h, code);
	harness_stop(h);
	put(h, "server/server.conf", "[relay]\ncodes = distinct\n");
	harness_restart(h);
	ck_assert(harness_read(h, "server/ca.pem", &again));
	ck_assert(span_eq(buf_span(&ca), buf_span(&again)));
	harness_enrol_code(h, code_again);
	ck_assert_str_eq(code, code_again);
	again.len = 0;
	ck_assert(harness_read(h, "server/server.conf", &again));
	ck_assert(span_eq(buf_span(&again), span_str("[relay]\ncodes = distinct\n")));
	buf_free(&ca);
	buf_free(&again);
	harness_free(h);
}
END_TEST

START_TEST(second_server_on_the_directory)
{
	struct harness *h = harness_start(NULL);

	assert_no_start(h, "127.0.0.1:0", "server: ");
	ck_assert_msg(said("in use"), "said: %.*s", (int)out.len, (const char *)out.p);
	harness_admin(h, "ctl", "stats", NULL); /* the first one minds nothing */
	harness_free(h);
}
END_TEST

START_TEST(killed_and_started_again)
{
	struct harness *h = harness_start(NULL);

	harness_kill(h); /* its control.sock stays behind */
	assert_mode(h, "control.sock", 0600);
	out.len = 0;
	ck_assert_int_eq(harness_command(h, &out, "ctl", "stats", NULL), 1);
	ck_assert(said("no server is running on "));
	harness_restart(h);
	harness_admin(h, "ctl", "stats", NULL);
	harness_free(h);
}
END_TEST

START_TEST(busy_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	struct harness *h = harness_new();
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char listen_on[64], says[64];

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	snprintf(listen_on, sizeof(listen_on), "127.0.0.1:%u", ntohs(a.sin_port));
	snprintf(says, sizeof(says), "port %u is in use", ntohs(a.sin_port));
	assert_no_start(h, listen_on, says);
	ck_assert(said("--listen"));
	close(fd);
	harness_free(h);
}
END_TEST

START_TEST(several_listeners)
{
	struct harness *h = harness_new();
	const char *line;
	int ports = 0;

	harness_make_folder(h, "server");
	put(h, "server/server.conf",
	    "[server]\nlisten = 127.0.0.1:0, [::1]:0,127.0.0.1:0\n");
	/* The command line's replaces the list. */
	harness_boot(h, NULL);
	line = strstr((const char *)h->out.p, "listening on ");
	ck_assert_ptr_null(strstr(line + 1, "listening on "));
	harness_stop(h);
	harness_boot(h, "server.listen=127.0.0.1:0,127.0.0.1:0",
		     NULL); /* --listen wins still */
	for (line = (const char *)h->out.p;
	     (line = strstr(line, "listening on ")) != NULL; line++)
		ports++;
	ck_assert_int_eq(ports, 1);
	harness_free(h);
}
END_TEST

/* ---- broken files: one line that names them ---- */

static const struct {
	const char *path, *content, *says;
} broken[] = {
    {"server/key.pem", "rubbish", "/server/key.pem holds no private key in PEM"},
    {"server/cert.pem", "rubbish", "/server/cert.pem holds no certificate in PEM"},
    {"server/ca.pem", "rubbish", "/server/ca.pem holds no certificate in PEM"},
    {"server/ca-key.pem", "rubbish", "/server/ca-key.pem holds no private key in PEM"},
    {"server/server.conf", "[relay]\n\narchiv = no\n",
     "server.conf:3: there is no setting"},
    {"server/server.conf", "[server]\ncert = /nonexistent.pem\n",
     "/nonexistent.pem cannot be"},
    {"server/server.conf", "[log]\nfile = /nonexistent/log\n",
     "the log /nonexistent/log"},
    {"server/server.conf", "[security]\nuser = nobody.of.that.name\n",
     "there is no user"},
};

START_TEST(broken_file)
{
	struct harness *h = harness_start(NULL);

	harness_stop(h);
	put(h, broken[_i].path, broken[_i].content);
	if (strstr(broken[_i].content, "security") != NULL && geteuid() != 0)
		harness_restart(h); /* a setting for root alone */
	else
		assert_no_start(h, "127.0.0.1:0", broken[_i].says);
	harness_free(h);
}
END_TEST

/* The code is nobody's work: a damaged one keeps nobody from starting. */
START_TEST(broken_code)
{
	struct harness *h = harness_start(NULL);
	char code[20], code_again[20];

	harness_enrol_code(h, code);
	harness_stop(h);
	put(h, "server/enroll-code", "1-2-3");
	harness_restart(h);
	harness_enrol_code(h, code_again);
	ck_assert_str_ne(code, code_again);
	ck_assert_uint_eq(strlen(code_again), strlen(code));
	ck_assert(
	    harness_logged(h, "server/enroll-code: holds no enrolment code; moved"));
	harness_free(h);
}
END_TEST

START_TEST(check_config)
{
	struct harness *h = harness_new();

	out.len = 0;
	ck_assert_int_eq(
	    harness_command(h, &out, "--check-config", "--set", "server.drain=x", NULL),
	    1);
	ck_assert(said("command line: server.drain must be 0ms to 10m, not \"x\"\n"));
	out.len = 0;
	ck_assert_int_eq(
	    harness_command(h, &out, "--check-config", "--config", "/nonexistent", NULL),
	    1);
	ck_assert(said("cannot read the configuration /nonexistent: No such file"));
	out.len = 0;
	ck_assert_int_eq(harness_command(h, &out, "--check-config", NULL), 0);
	ck_assert_uint_eq(lines_said(), 1);
	harness_free(h);
}
END_TEST

/* ---- the command line ---- */

static const struct {
	const char *words[5];
	int status;
	const char *says;
} command_lines[] = {
    {{"--version"}, 0, "quintet "},
    {{"--help"}, 0, "usage: server [OPTION]..."},
    {{"user", "--help"}, 0, "usage: server [OPTION]..."},
    {{"--example-config"}, 0, "#request_timeout = 60s"},
    {{"--nonsense"}, 2, "server: there is no option --nonsense"},
    {{"-xy"}, 2, "server: there is no option -x"},
    {{"user", "list", "--data", ""}, 2, "server: --data wants a folder"},
    {{"start"}, 2, "there is no command \"start\""},
    {{"user", "add"}, 2, "usage: server user add NAME"},
    {{"ctl"}, 2, "ctl wants one of"},
};

START_TEST(command_line)
{
	const char *const *w = command_lines[_i].words;
	struct harness *h = harness_new();

	out.len = 0;
	ck_assert_int_eq(harness_command(h, &out, w[0], w[1], w[2], w[3], NULL),
			 command_lines[_i].status);
	ck_assert_msg(said(command_lines[_i].says), "said: %.*s", (int)out.len,
		      (const char *)out.p);
	if (command_lines[_i].status != 0)
		ck_assert_uint_eq(lines_said(), 1);
	harness_free(h);
}
END_TEST

/* ---- rights ---- */

/* The value of key in every thread's status must be that. */
static void
assert_threads(const struct harness *h, const char *key, const char *value)
{
	char path[320], line[256];
	struct dirent *e;
	int threads = 0;
	FILE *f;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)h->pid);
	ck_assert_ptr_nonnull(d = opendir(path));
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/status", (int)h->pid,
			 e->d_name);
		if ((f = fopen(path, "r")) == NULL)
			continue; /* it has just ended */
		while (fgets(line, sizeof(line), f) != NULL)
			if (strncmp(line, key, strlen(key)) == 0) {
				ck_assert_msg(strstr(line, value) != NULL, "%s", line);
				threads++;
			}
		fclose(f);
	}
	closedir(d);
	ck_assert_int_gt(threads, 3);
}

/* Ignored: a broken pipe or a file at its limit is an error of the call, not the end.
 * (Others may be ignored too: what the tests were started by decides that.) */
START_TEST(signals_ignored)
{
	const uint64_t must = 1ull << (SIGPIPE - 1) | 1ull << (SIGXFSZ - 1);
	struct harness *h = harness_start(NULL);
	char path[64], line[256];
	uint64_t ignored = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)h->pid);
	ck_assert_ptr_nonnull(f = fopen(path, "r"));
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "SigIgn:", 7) == 0)
			ignored = strtoull(line + 7, NULL, 16);
	fclose(f);
	ck_assert_uint_eq(ignored & must, must);
	harness_free(h);
}
END_TEST

START_TEST(sandbox)
{
	struct harness *h = harness_start(NULL);

	assert_threads(h, "Seccomp:", "\t2");
	assert_threads(h, "NoNewPrivs:", "\t1");
	harness_free(h);
	h = harness_start("security.sandbox=no", NULL);
	assert_threads(h, "Seccomp:", "\t0");
	harness_free(h);
}
END_TEST

#define NOBODY 65534

START_TEST(gives_up_root)
{
	struct harness *h;
	char parent[HARNESS_PATH + 8], path[HARNESS_PATH + 32];
	struct stat st;
	const char *sanitizer = getenv("QUINTET_SANITIZER");

	if (geteuid() != 0)
		return; /* nothing to give up */
	if (sanitizer != NULL && strcmp(sanitizer, "asan") == 0) {
		printf(
		    "skipped: LeakSanitizer cannot trace a process that gave up root\n");
		return;
	}
	h = harness_new();
	/* Its user must be able to come here. */
	ck_assert_int_eq(chmod(h->dir, 0711), 0);
	snprintf(parent, sizeof(parent), "%s/..", h->dir);
	ck_assert_int_eq(chmod(parent, 0711), 0);
	ck_assert_int_eq(chown(h->data, NOBODY, NOBODY), 0);
	harness_admin(h, "user", "add", "early", NULL);
	snprintf(path, sizeof(path), "%s/users/early", h->data);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, NOBODY); /* root made it, for the server */
	harness_boot(h, NULL);
	harness_admin(h, "user", "show", "early", NULL);
	assert_threads(h, "Uid:", "\t65534\t65534\t65534\t65534");
	assert_threads(h, "CapEff:", "\t0000000000000000");
	assert_threads(h, "CapPrm:", "\t0000000000000000");
	snprintf(path, sizeof(path), "%s/server/key.pem", h->data);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, NOBODY);
	harness_admin(h, "ctl", "reload", NULL); /* it can read what it made */
	harness_admin(h, "user", "add", "alice", NULL);
	harness_stop(h);
	harness_restart(h);
	harness_free(h);
}
END_TEST

/* ---- the end ---- */

START_TEST(int_ends_it_too)
{
	struct harness *h = harness_start(NULL);

	ck_assert_int_eq(kill(h->pid, SIGINT), 0);
	harness_expect_end(h);
	harness_restart(h);
	harness_admin(h, "ctl", "stop", NULL);
	harness_expect_end(h);
	out.len = 0;
	ck_assert(!harness_read(h, "server/control.sock", &out));
	harness_free(h);
}
END_TEST

START_TEST(everybody_is_told)
{
	struct harness *h = harness_start(NULL);
	struct peer *alice, *bob, *silent;

	harness_add_users(h, "alice", "bob", NULL);
	alice = peer_login(h, "alice");
	bob = peer_login(h, "bob");
	silent = peer_connect(h);
	peer_chat(alice, bob);
	ck_assert_int_eq(kill(h->pid, SIGTERM), 0);
	harness_expect_end(h);
	peer_drain(alice);
	peer_drain(bob);
	peer_expect_end(silent);
	peer_free(alice);
	peer_free(bob);
	peer_free(silent);
	harness_free(h);
}
END_TEST

/* A peer that does not read holds up the end; a second signal does not wait. */
START_TEST(second_signal)
{
	struct harness *h =
	    harness_start("server.drain=60s", "limits.outbox=64MiB", NULL);
	struct buf asks = BUF_INIT(64 << 20);
	struct peer *alice;
	int status;

	harness_add_users(h, "alice", NULL);
	alice = peer_connect_narrow(h, 4096);
	peer_hello(alice, "alice");
	peer_prove(alice, harness_key(h, "alice"));
	for (int i = 0; i < 300000; i++)
		peer_seal(alice, &asks, RELAY_LIST, span_of(NULL, 0));
	peer_send_raw(alice, buf_span(&asks));
	buf_free(&asks);
	ck_assert_int_eq(kill(h->pid, SIGTERM), 0);
	HARNESS_UNTIL(harness_logged(h, " stop sessions="));
	usleep(300000);
	ck_assert(harness_alive(h)); /* it waits for alice */
	ck_assert_int_eq(kill(h->pid, SIGTERM), 0);
	status = harness_reap(h->pid, harness_deadline(HARNESS_WAIT));
	h->pid = 0;
	close(h->out_fd);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 1);
	peer_free(alice);
	harness_restart(h);
	harness_free(h);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("start");
	TCase *c = harness_case(s, "start");

	tcase_add_test(c, first_start);
	tcase_add_test(c, installed);
	tcase_add_test(c, next_start_is_the_same_server);
	tcase_add_test(c, second_server_on_the_directory);
	tcase_add_test(c, killed_and_started_again);
	tcase_add_test(c, busy_port);
	tcase_add_test(c, several_listeners);
	tcase_add_loop_test(c, broken_file, 0, sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(c, broken_code);
	tcase_add_test(c, check_config);
	tcase_add_loop_test(c, command_line, 0,
			    sizeof(command_lines) / sizeof(command_lines[0]));
	tcase_add_test(c, signals_ignored);
	tcase_add_test(c, sandbox);
	tcase_add_test(c, gives_up_root);
	tcase_add_test(c, int_ends_it_too);
	tcase_add_test(c, everybody_is_told);
	tcase_add_test(c, second_signal);
	return harness_main(s);
}
