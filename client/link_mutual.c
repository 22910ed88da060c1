/* SPDX-License-Identifier: MIT */
#include "client/link_mutual.h"

#include "protocol/nodes.h"

/* Nobody looks at the dates: whom a key belongs to is known without them. */
#define DAYS 30

enum qerr
link_mutual_answer(const char *host, const uint8_t answer[LINK_ANSWER_LEN],
		   struct why *why)
{
	struct nodes_message m;

	if (nodes_next(span_of(answer, LINK_ANSWER_LEN), NODES_ACCEPTOR, &m) != Q_OK)
		return why_set(why, Q_DENIED, "what answers at %s does not speak nodes",
			       host);
	if (m.type == NODES_OTHER_VERSION)
		return why_set(why, Q_DENIED,
			       "%s speaks version %u.%u of nodes, and we speak %u.%u",
			       host, m.two[0], m.two[1], NODES_MAJOR, NODES_MINOR);
	return Q_OK;
}

enum qerr
link_mutual_context(const struct link_mutual *how, struct tls_context **out)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	struct cert *cert = NULL;
	enum qerr e;

	if ((e = cert_make_self(how->key, how->name, DAYS, &cert)) == Q_OK &&
	    (e = cert_pem(cert, &pem)) == Q_OK)
		e = tls_mutual_context(how->tls_server, how->key, buf_span(&pem), out);
	cert_free(cert);
	buf_free(&pem);
	return e;
}
