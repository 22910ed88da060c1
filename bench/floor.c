/* SPDX-License-Identifier: MIT
 *
 * floor.c - the least that a sealed relay can do, as a program of its own.
 *
 * A thread a socket, as in the server, and for each read: take up to 64 KiB,
 * open every whole frame in it, seal it under the partner's key, send what came
 * of one read with one call.  Bare EVP with contexts that keep their key.
 * No users, limits, locks, log, queue or store: what the server costs beyond
 * this is what it does for its users.
 *
 * The frames are relay's (docs/protocols/relay.md), so that the floor moves
 * exactly the bytes that the server moves.  A side joins with uint32 pair,
 * uint32 side (0 or 1), 32 bytes of key, and gets one byte when its partner is
 * there.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/util.h"
#include "protocol/relay.h"

enum { PAIRS_MAX = 64, READ_SIZE = 65536, KEY_LEN = 32 };

struct side {
	int fd; /* 0: not there */
	uint8_t key[KEY_LEN];
};

struct pair {
	struct side side[2];
};

static struct pair pairs[PAIRS_MAX];

struct direction {
	int from, to;
	EVP_CIPHER_CTX *open, *seal;
	uint8_t iv[RELAY_IV_LEN];
	uint64_t iv_count;
	uint8_t in[READ_SIZE + RELAY_SIZE_LEN + RELAY_SEALED_MAX];
	uint8_t out[READ_SIZE + RELAY_SIZE_LEN + RELAY_SEALED_MAX];
};

static bool
reseal(struct direction *d, const uint8_t *frame, size_t len, uint8_t *out)
{
	int ct_len = (int)(len - RELAY_SIZE_LEN - RELAY_SEAL_LEN), n;
	const uint8_t *ct = frame + RELAY_SIZE_LEN, *tag = ct + ct_len;
	uint8_t *p = out + RELAY_SIZE_LEN, their_tag[RELAY_TAG_LEN];

	memcpy(their_tag, tag, RELAY_TAG_LEN);
	if (EVP_DecryptInit_ex(d->open, NULL, NULL, NULL, tag + RELAY_TAG_LEN) != 1 ||
	    EVP_DecryptUpdate(d->open, p, &n, ct, ct_len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(d->open, EVP_CTRL_AEAD_SET_TAG, RELAY_TAG_LEN,
				their_tag) != 1 ||
	    EVP_DecryptFinal_ex(d->open, p + n, &n) != 1)
		return false;
	le64_put(d->iv + 4, d->iv_count++);
	if (EVP_EncryptInit_ex(d->seal, NULL, NULL, NULL, d->iv) != 1 ||
	    EVP_EncryptUpdate(d->seal, p, &n, p, ct_len) != 1 ||
	    EVP_EncryptFinal_ex(d->seal, p + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(d->seal, EVP_CTRL_AEAD_GET_TAG, RELAY_TAG_LEN,
				p + ct_len) != 1)
		return false;
	memcpy(out, frame, RELAY_SIZE_LEN);
	memcpy(p + ct_len + RELAY_TAG_LEN, d->iv, RELAY_IV_LEN);
	return true;
}

/* Relay every whole frame of in[0..have); returns the bytes used, or -1. */
static ssize_t
relay(struct direction *d, size_t have)
{
	size_t used = 0, total, sent = 0;
	ssize_t n;

	while (have - used >= RELAY_SIZE_LEN) {
		total = RELAY_SIZE_LEN + (size_t)le32_get(d->in + used);
		if (total < RELAY_SIZE_LEN + RELAY_SEALED_MIN ||
		    total > RELAY_SIZE_LEN + RELAY_SEALED_MAX)
			return -1;
		if (have - used < total)
			break;
		if (!reseal(d, d->in + used, total, d->out + used))
			return -1;
		used += total;
	}
	for (; sent < used; sent += (size_t)n)
		if ((n = send(d->to, d->out + sent, used - sent, MSG_NOSIGNAL)) < 0)
			return -1;
	return (ssize_t)used;
}

static void *
relay_thread(void *arg)
{
	struct direction *d = arg;
	size_t have = 0;
	ssize_t n;

	while ((n = recv(d->from, d->in + have, READ_SIZE, 0)) > 0) {
		have += (size_t)n;
		if ((n = relay(d, have)) < 0)
			break;
		have -= (size_t)n;
		memmove(d->in, d->in + n, have);
	}
	shutdown(d->from, SHUT_RDWR);
	shutdown(d->to, SHUT_RDWR);
	EVP_CIPHER_CTX_free(d->open);
	EVP_CIPHER_CTX_free(d->seal);
	free(d);
	return NULL;
}

static void
start_direction(const struct side *from, const struct side *to)
{
	struct direction *d = must_alloc(1, sizeof(*d));
	pthread_t thread;

	d->from = from->fd;
	d->to = to->fd;
	memcpy(d->iv, "flor", 4);
	if ((d->open = EVP_CIPHER_CTX_new()) == NULL ||
	    (d->seal = EVP_CIPHER_CTX_new()) == NULL ||
	    EVP_DecryptInit_ex(d->open, EVP_aes_256_gcm(), NULL, from->key, NULL) != 1 ||
	    EVP_EncryptInit_ex(d->seal, EVP_aes_256_gcm(), NULL, to->key, NULL) != 1)
		errx(1, "libcrypto refuses AES-256-GCM");
	if (pthread_create(&thread, NULL, relay_thread, d) != 0)
		errx(1, "no thread");
	pthread_detach(thread);
}

/* The descriptors of a finished pair are left open until its number is used
 * again: they are few, and nobody has to be asked who still uses them. */
static void
join(int fd)
{
	uint8_t hello[8 + KEY_LEN];
	struct pair *pair;
	struct side *side;
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (recv(fd, hello, sizeof(hello), MSG_WAITALL) != (ssize_t)sizeof(hello) ||
	    le32_get(hello) >= PAIRS_MAX || le32_get(hello + 4) > 1)
		errx(1, "a wrong beginning");
	pair = &pairs[le32_get(hello)];
	side = &pair->side[le32_get(hello + 4)];
	if (pair->side[0].fd > 0 && pair->side[1].fd > 0) {
		close(pair->side[0].fd);
		close(pair->side[1].fd);
		pair->side[0].fd = pair->side[1].fd = 0;
	}
	side->fd = fd;
	memcpy(side->key, hello + 8, KEY_LEN);
	if (pair->side[0].fd == 0 || pair->side[1].fd == 0)
		return;
	start_direction(&pair->side[0], &pair->side[1]);
	start_direction(&pair->side[1], &pair->side[0]);
	for (int i = 0; i < 2; i++)
		if (send(pair->side[i].fd, "", 1, MSG_NOSIGNAL) != 1)
			err(1, "send");
}

int
main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof(a);
	int ls, fd;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((ls = socket(AF_INET, SOCK_STREAM, 0)) < 0 ||
	    bind(ls, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(ls, 64) != 0 ||
	    getsockname(ls, (struct sockaddr *)&a, &len) != 0)
		err(1, "listen");
	printf("listening on 127.0.0.1:%u\n", ntohs(a.sin_port));
	fflush(stdout);
	while ((fd = accept(ls, NULL, NULL)) >= 0)
		join(fd);
	err(1, "accept");
}
