/* SPDX-License-Identifier: MIT
 *
 * login.c - what a login costs the server, against its bare primitives.
 *
 * Two things are measured: the login alone, on connections that are there already,
 * and a whole visit: connection accepted, login, 372, closed.
 * The primitives are those that the handshake cannot do without: a P-256 key
 * pair made, a secret derived, one signature made (the server's key), one
 * checked (the user's).  They run on as many threads as the machine has
 * processors, because that is how busy the machine is during the logins: two
 * virtual processors may be one core, which then gives each of them half.
 */
#include <err.h>
#include <getopt.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/keyring.h"
#include "bench/link.h"
#include "bench/util.h"

struct options {
	unsigned port, threads, logins, users;
	pid_t pid;
	const char *keys;
	bool rsa;
};

/* ---- the primitives ---- */

static void
ok(int r)
{
	if (r != 1)
		errx(1, "libcrypto refuses a primitive");
}

struct primitives {
	bool rsa;
	unsigned rounds;
	uint64_t cpu_ns;
	pthread_t thread;
};

static void *
primitives_thread(void *arg)
{
	struct primitives *p = arg;
	EVP_PKEY *peer = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), *mine;
	EVP_PKEY *key = p->rsa ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
			       : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t message[182] = {1}, secret[32], signature[512]; /* a PEM and a nonce */
	EVP_PKEY_CTX *ctx;
	uint64_t start = thread_cpu_ns();
	size_t len;

	for (unsigned i = 0; i < p->rounds; i++) {
		if ((mine = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")) == NULL ||
		    (ctx = EVP_PKEY_CTX_new(mine, NULL)) == NULL)
			errx(1, "libcrypto refuses a key");
		len = sizeof(secret);
		ok(EVP_PKEY_derive_init(ctx));
		ok(EVP_PKEY_derive_set_peer(ctx, peer));
		ok(EVP_PKEY_derive(ctx, secret, &len));
		EVP_PKEY_CTX_free(ctx);
		EVP_PKEY_free(mine);
		len = sizeof(signature);
		ok(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key));
		ok(EVP_DigestSign(md, signature, &len, message, sizeof(message)));
		EVP_MD_CTX_reset(md);
		ok(EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key));
		ok(EVP_DigestVerify(md, signature, len, message, sizeof(message)));
		EVP_MD_CTX_reset(md);
	}
	p->cpu_ns = thread_cpu_ns() - start;
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(key);
	EVP_PKEY_free(peer);
	return NULL;
}

/* CPU microseconds for one set of the primitives. */
static double
primitives_us(bool rsa)
{
	unsigned n = (unsigned)sysconf(_SC_NPROCESSORS_ONLN), rounds = rsa ? 600 : 1200;
	struct primitives *p = must_alloc(n, sizeof(*p));
	double total = 0;

	for (unsigned i = 0; i < n; i++) {
		p[i].rsa = rsa;
		p[i].rounds = rounds;
		if (pthread_create(&p[i].thread, NULL, primitives_thread, &p[i]) != 0)
			errx(1, "no thread");
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(p[i].thread, NULL);
		total += (double)p[i].cpu_ns;
	}
	free(p);
	return total / 1e3 / rounds / n;
}

struct visitor {
	const struct options *o;
	unsigned number;
	struct key *const *keys;
	struct link *links; /* of all, for logins alone */
	pthread_t thread;
};

/* ---- whole visits ---- */

/* Each visitor has users of its own: a second login of one user would end the
 * first one's session. */
static void *
visitor_thread(void *arg)
{
	struct visitor *v = arg;
	const struct options *o = v->o;
	char name[NAME_SIZE];
	struct link l;

	for (unsigned i = v->number, u; i < o->logins; i += o->threads) {
		u = i % (o->users / o->threads * o->threads);
		user_name(u, name);
		link_connect(&l, o->port, i);
		link_login(&l, name, v->keys[u]);
		link_send(&l, RELAY_LOGOUT, span_of(NULL, 0));
		link_wait_end(&l);
		link_close(&l);
	}
	return NULL;
}

static void
visit(const struct options *o, struct key *const *keys, double *us, double *per_second)
{
	struct visitor *v = must_alloc(o->threads, sizeof(*v));
	clockid_t clock = process_clock(o->pid);
	uint64_t cpu = clock_ns(clock), start = now_ns(), end;

	for (unsigned i = 0; i < o->threads; i++) {
		v[i] = (struct visitor){.o = o, .number = i, .keys = keys};
		if (pthread_create(&v[i].thread, NULL, visitor_thread, &v[i]) != 0)
			errx(1, "no thread");
	}
	for (unsigned i = 0; i < o->threads; i++)
		pthread_join(v[i].thread, NULL);
	end = now_ns();
	sleep_ms(100); /* the last workers end */
	*us = (double)(clock_ns(clock) - cpu) / 1e3 / o->logins;
	*per_second = o->logins * 1e9 / (double)(end - start);
	free(v);
}

/* ---- logins alone ---- */

static void *
login_thread(void *arg)
{
	struct visitor *v = arg;
	char name[NAME_SIZE];

	for (unsigned i = v->number; i < v->o->users; i += v->o->threads) {
		user_name(i, name);
		link_login(&v->links[i], name, v->keys[i]);
	}
	return NULL;
}

/* One login of every user, on connections that have been accepted before.  The
 * clock stops when the server is at rest again; that all are logged in is asked
 * after that. */
static double
log_in_all(const struct options *o, struct key *const *keys)
{
	struct visitor *v = must_alloc(o->threads, sizeof(*v));
	struct link *links = must_alloc(o->users, sizeof(*links));
	uint8_t *buf = must_alloc(1, LINK_FRAME_MAX);
	clockid_t clock = process_clock(o->pid);
	uint64_t cpu;

	for (unsigned i = 0; i < o->users; i++)
		link_connect(&links[i], o->port, i);
	sleep_ms(200);
	cpu = clock_ns(clock);
	for (unsigned i = 0; i < o->threads; i++) {
		v[i] =
		    (struct visitor){.o = o, .number = i, .keys = keys, .links = links};
		if (pthread_create(&v[i].thread, NULL, login_thread, &v[i]) != 0)
			errx(1, "no thread");
	}
	for (unsigned i = 0; i < o->threads; i++)
		pthread_join(v[i].thread, NULL);
	sleep_ms(100);
	cpu = clock_ns(clock) - cpu;
	for (unsigned i = 0; i < o->users; i++) {
		link_online(&links[i], buf);
		link_send(&links[i], RELAY_LOGOUT, span_of(NULL, 0));
		link_wait_end(&links[i]);
		link_close(&links[i]);
	}
	free(buf);
	free(links);
	free(v);
	return (double)cpu / 1e3 / o->users;
}

int
main(int argc, char **argv)
{
	static const struct option names[] = {
	    {"port", 1, NULL, 'p'},  {"pid", 1, NULL, 'i'},    {"keys", 1, NULL, 'k'},
	    {"users", 1, NULL, 'u'}, {"logins", 1, NULL, 'n'}, {"threads", 1, NULL, 't'},
	    {"rsa", 0, NULL, 'r'},   {NULL, 0, NULL, 0}};
	struct options o = {.threads = 2, .logins = 1000, .users = 16};
	double before, after, alone, us, per_second;
	struct key **keys;
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		unsigned n = optarg == NULL ? 0 : (unsigned)strtoul(optarg, NULL, 10);

		switch (c) {
		case 'p': o.port = n; break;
		case 'i': o.pid = (pid_t)n; break;
		case 'k': o.keys = optarg; break;
		case 'u': o.users = n; break;
		case 'n': o.logins = n; break;
		case 't': o.threads = n; break;
		case 'r': o.rsa = true; break;
		default: exit(100);
		}
	}
	if (o.port == 0 || o.pid == 0 || o.keys == NULL || o.threads == 0 ||
	    o.users < o.threads)
		errx(100,
		     "usage: login --port N --pid N --keys FILE [--users N] [--logins N] "
		     "[--threads N] [--rsa]");
	keys = keyring_read(o.keys, o.users);
	before = primitives_us(o.rsa);
	alone = log_in_all(&o, keys);
	visit(&o, keys, &us, &per_second);
	after = primitives_us(o.rsa);
	printf("{\"login_us\": %.2f, \"visit_us\": %.2f, \"per_second\": %.1f, "
	       "\"primitives_us\": %.2f, "
	       "\"before_us\": %.2f, \"after_us\": %.2f}\n",
	       alone, us, per_second, (before + after) / 2, before, after);
	keyring_free(keys, o.users);
	return 0;
}
