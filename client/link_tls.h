/* SPDX-License-Identifier: MIT
 *
 * link_tls.h - TLS for link.c alone: the handshake, whom we talk to, and bytes.
 * Never blocks.  One thread.
 */
#ifndef CLIENT_LINK_TLS_H
#define CLIENT_LINK_TLS_H

#include "base/bytes.h"
#include "client/link_mutual.h"
#include "crypto/cert.h"

struct link_tls;

/* On the connected fd, which stays the caller's; host is for people.  ca: who must
 * have issued the server's certificate, borrowed; NULL: whoever, which is for looking
 * at a server (link_chain) and not for talking to it.  Q_NOMEM, Q_CRYPTO. */
enum qerr link_tls_new(int fd, const char *host, const struct cert *ca,
		       struct link_tls **out, struct why *why);
/* The same with certificates on both sides; how is borrowed while this is called, its ca
 * for longer. */
enum qerr link_tls_mutual(int fd, const char *host, const struct link_mutual *how,
			  struct link_tls **out, struct why *why);
void link_tls_free(struct link_tls *t); /* NULL is fine */
/* Mutual, once the handshake is done: the other one's key, SHA-256 over its
 * SubjectPublicKeyInfo. */
void link_tls_peer_key(const struct link_tls *t, uint8_t out[SHA256_LEN]);

/* What the socket has to be ready for (poll's events) besides what the link wants. */
short link_tls_wants(const struct link_tls *t);

/* Q_OK: done, and the server is the right one; Q_SHORT: not done yet; else why is a
 * sentence (Q_DENIED: it is not the right one). */
enum qerr link_tls_handshake(struct link_tls *t, struct why *why);
/* Append what has come, at least some of what there is.  Q_OK, also when nothing
 * came; Q_CLOSED; Q_SYS, Q_LIMIT, Q_NOMEM; why is a sentence. */
enum qerr link_tls_read(struct link_tls *t, struct buf *in, struct why *why);
/* Write from the front of data what goes now; *gone counts it.  Errors as above. */
enum qerr
link_tls_write(struct link_tls *t, struct span data, size_t *gone, struct why *why);
/* No more will be written. */
void link_tls_finish(struct link_tls *t);
/* Append the certificates that the server has shown, its own first, in PEM. */
enum qerr link_tls_chain(const struct link_tls *t, struct buf *out);

#endif
