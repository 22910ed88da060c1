/* SPDX-License-Identifier: MIT
 *
 * tls.h - TLS 1.2 (RFC 5246) and 1.3 (RFC 8446) over a connected socket, with AEAD
 * cipher suites and ephemeral key agreement alone.
 *
 * A context is what connections share: immutable, counted, any thread.  A connection
 * never blocks: when it cannot go on it says what the socket has to be ready for,
 * and the caller waits.  One thread at a time may use it; which one may change.
 */
#ifndef CRYPTO_TLS_H
#define CRYPTO_TLS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "crypto/cert.h"
#include "crypto/key.h"

struct tls_context;
struct tls;

/* A server's: chain is the certificate of key's public half and those above it, in
 * PEM.  Session tickets are sealed with a key that lives as long as the context, so
 * make a new one now and then; each ticket is good for an hour.  Q_FORMAT: no
 * certificate; Q_DENIED: it does not belong to key, or is too weak; Q_NOMEM,
 * Q_CRYPTO. */
enum qerr
tls_server_context(const struct key *key, struct span chain, struct tls_context **out);
/* A client's: the handshake fails unless ca (PEM) issued the server's certificate,
 * which has to be valid now.  No host name is checked: clients pin the CA.  With ca
 * empty nothing is checked, and the caller looks at tls_peer_pem.  Q_FORMAT, ... */
enum qerr tls_client_context(struct span ca, struct tls_context **out);
/* One side of a connection on which both show a certificate; server: the side that TLS
 * calls so, whoever has connected.  Whom to let in is said for each connection
 * (tls_judge).  Errors as for tls_server_context. */
enum qerr tls_mutual_context(bool server, const struct key *key, struct span chain,
			     struct tls_context **out);
struct tls_context *tls_context_ref(struct tls_context *c);
void tls_context_free(struct tls_context *c); /* NULL is fine */

/* A connection on fd, which stays the caller's.  first is what was read from it
 * already.  Keeps a reference to c.  NULL: no memory. */
struct tls *tls_new(struct tls_context *c, int fd, struct span first);
void tls_free(struct tls *t); /* NULL is fine */

/* For mutual contexts, before the handshake: judge is called once, within
 * tls_handshake, with the peer's certificate, and looks at what it likes, for nothing
 * else is checked but that the peer has the key; false refuses with an alert.  Without
 * it everybody is refused. */
void
tls_judge(struct tls *t, bool (*judge)(void *arg, const struct cert *peer), void *arg);

/* What follows returns Q_OK; Q_SHORT: try again once the socket is readable; Q_FULL:
 * once it is writable; Q_CLOSED: the peer has ended, Q_TIMEOUT or Q_SYS (errno): the
 * socket failed; Q_DENIED: TLS failed and tls_reason says why; Q_NOMEM. */
enum qerr tls_handshake(struct tls *t);
/* At most n > 0 bytes, as many as have come.  Q_OK: *got > 0. */
enum qerr tls_read(struct tls *t, void *p, size_t n, size_t *got);
/* Q_OK: *put > 0 went.  After Q_FULL the next call must begin with the same bytes
 * (at another place, and followed by others, if you like). */
enum qerr tls_write(struct tls *t, const void *p, size_t n, size_t *put);
/* t carries much: from here on many records share one send(2) and one recv(2), for two
 * buffers of 128 KiB that are kept.  The last of the bytes that tls_write was given is not
 * taken before the socket has taken all: what was said above of Q_FULL holds after each
 * call.  Q_NOMEM: it goes on as before. */
enum qerr tls_bulk(struct tls *t);
/* May tls_read have something although the socket is not readable? */
bool tls_pending(const struct tls *t);
/* Tell the peer that no more comes, if that goes at once. */
void tls_close(struct tls *t);

/* What went wrong, in libcrypto's words.  Static; never NULL. */
const char *tls_reason(const struct tls *t);
/* "TLSv1.3" and the like. */
const char *tls_version(const struct tls *t);
/* Append the certificates that the peer has shown in PEM, its own first. */
enum qerr tls_peer_pem(const struct tls *t, struct buf *out);

#endif
