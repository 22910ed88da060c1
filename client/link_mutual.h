/* SPDX-License-Identifier: MIT
 *
 * link_mutual.h - what nodes puts in front of TLS, and TLS in which both show a
 * certificate: how a link begins that is a control or a data connection
 * (docs/protocols/nodes.md).
 *
 *	connect, hello ->, <- answer (if one is to come), TLS in either role
 */
#ifndef CLIENT_LINK_MUTUAL_H
#define CLIENT_LINK_MUTUAL_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/cert.h"
#include "crypto/key.h"
#include "crypto/tls.h"

#define LINK_HELLO_MAX  16
#define LINK_ANSWER_LEN 4

struct link_mutual {
	uint8_t hello[LINK_HELLO_MAX];
	size_t hello_len;
	bool answered;         /* LINK_ANSWER_LEN bytes come back in the clear */
	bool tls_server;       /* the role in TLS; who connects may be either */
	const struct key *key; /* ours, and the name in our certificate */
	const char *name;
	/* Who must have issued the other one's certificate, borrowed; NULL: nobody, and its
	 * key is what counts (link_peer_key). */
	const struct cert *ca;
	int64_t wait_ms; /* for all of it */
};

/* What the clear answer means.  Q_OK, or Q_DENIED and a sentence. */
enum qerr link_mutual_answer(const char *host, const uint8_t answer[LINK_ANSWER_LEN],
			     struct why *why);
/* A context for it: the certificate is made on the spot.  Q_CRYPTO, Q_NOMEM ... */
enum qerr link_mutual_context(const struct link_mutual *how, struct tls_context **out);

#endif
