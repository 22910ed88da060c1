/* SPDX-License-Identifier: MIT
 *
 * talk.h - one plain or TLS connection to a server on this machine.
 *
 * As everywhere in the benchmarks, whatever goes wrong ends the program.
 */
#ifndef BENCH_TALK_H
#define BENCH_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

struct talk {
	int fd;
	SSL *ssl; /* NULL: plain */
};

/* From 127.0.0.1 to .200, by source, so that limits for an address do not count.
 * TLS 1.3; the certificate is not verified: it costs the server nothing. */
void talk_open(struct talk *t, unsigned port, unsigned source, bool tls);
void talk_close(struct talk *t);

/* All n bytes, in one write and one record where they fit. */
void talk_send(struct talk *t, const void *p, size_t n);
void
talk_say(struct talk *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Waits for something; at most n bytes, at least one. */
size_t talk_read(struct talk *t, void *p, size_t n);
/* Has something come? */
bool talk_ready(struct talk *t);
/* Read lines until one that holds what; line gets it without its end.  Byte by byte, so
 * that nothing behind it is taken: for logins, not for speed. */
void talk_expect(struct talk *t, const char *what, char *line, size_t size);

#endif
