/* SPDX-License-Identifier: MIT */
#include "server/nodes/admit.h"

#include <fcntl.h>
#include <string.h>

#include "server/identity.h"
#include "server/log.h"
#include "server/nodes/peers.h"
#include "store/file.h"
#include "store/node_certs.h"

static bool
is_of_key(void *arg, struct span pem)
{
	const struct key *key = arg;
	struct cert *cert;
	struct key *other;
	bool same = false;

	if (cert_parse(pem, &cert) != Q_OK)
		return false;
	if (cert_key(cert, &other) == Q_OK) {
		same = key_same(other, key);
		key_free(other);
	}
	cert_free(cert);
	return same;
}

static bool
issued_by_ca(const char *file, const struct cert *peer)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	struct cert *ca;
	bool yes = false;

	if (*file == '\0')
		return false;
	if (file_read(AT_FDCWD, file, &pem) == Q_OK &&
	    cert_parse(buf_span(&pem), &ca) == Q_OK) {
		yes = cert_check(peer, ca) == Q_OK;
		cert_free(ca);
	} else {
		log_event(LOG_ERROR, NULL, "nodes-peer-ca", "file=%s problem=%s", file,
			  "is not to be read as a certificate");
	}
	buf_free(&pem);
	return yes;
}

static bool
ours(struct server *server, const struct key *key)
{
	struct key *own = identity_key(server->identity);
	bool same = key_same(own, key);

	key_free(own);
	return same;
}

bool
admit_node(struct server *server, const struct cert *peer,
	   uint8_t fingerprint[SHA256_LEN], const char **reason)
{
	const struct config *cfg = config_now();
	uint8_t sum[SHA256_LEN];
	struct peer entry;
	struct key *key;
	bool ok = false;

	*reason = "the certificate's key is not fit for use";
	if (cert_key(peer, &key) != Q_OK)
		return false;
	if (key_fingerprint(key, sum) == Q_OK) {
		*reason = "this is our own key";
		ok = !ours(server, key);
	}
	if (ok) {
		*reason = "no such node is admitted";
		ok = peers_find(cfg->nodes_peers, sum, &entry) ||
		     node_certs_any(server->store, is_of_key, key) ||
		     issued_by_ca(cfg->nodes_peer_ca, peer);
	}
	key_free(key);
	if (ok)
		memcpy(fingerprint, sum, sizeof(sum));
	return ok;
}

enum qerr
admit_own(struct server *server, uint8_t fingerprint[SHA256_LEN])
{
	struct key *own = identity_key(server->identity);
	enum qerr e = key_fingerprint(own, fingerprint);

	key_free(own);
	return e;
}
