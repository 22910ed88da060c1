/* SPDX-License-Identifier: MIT
 *
 * Certificates of other servers in nodes/ (node_certs.h).  One that is passed over admits
 * nobody, and nobody is told of it but here.
 */
#include "crypto/cert.h"
#include "store/check_priv.h"
#include "store/file.h"
#include "store/node_certs.h"

/* NULL: it admits its node.  *e is not Q_OK: it could not be judged. */
static const char *
what_is_wrong(struct span pem, enum qerr *e)
{
	struct cert *cert;
	struct key *key;

	if ((*e = cert_parse(pem, &cert)) == Q_OK) {
		if ((*e = cert_key(cert, &key)) == Q_OK)
			key_free(key);
		cert_free(cert);
	}
	if (*e != Q_FORMAT && *e != Q_LIMIT && *e != Q_DENIED)
		return NULL;
	return *e == Q_DENIED
		   ? "has a key that is none of RSA of 2048 bits or more or EC P-256"
		   : "is no certificate in PEM";
}

bool
check_nodes_file(void *arg, const char *file)
{
	struct buf pem = BUF_INIT(NODE_CERTS_FILE_MAX);
	struct check *c = arg;
	const char *wrong = NULL;
	enum qerr e;

	if (file[0] == '.')
		return true;
	if (!node_certs_is_name(file)) {
		check_bad_file(c, FOLDER_NODES, file, "is not named as a certificate");
		return true;
	}
	e = file_read(c->store->fd[FOLDER_NODES], file, &pem);
	if (e == Q_LIMIT)
		wrong = "is no certificate in PEM";
	else if (e == Q_OK)
		wrong = what_is_wrong(buf_span(&pem), &e);
	if (wrong != NULL)
		check_bad_file(c, FOLDER_NODES, file, wrong);
	else if (e == Q_OK)
		c->result->nodes++;
	else if (e != Q_MISSING) /* taken out meanwhile */
		check_unreadable(c, FOLDER_NODES, file, e);
	buf_free(&pem);
	return true;
}

void
check_nodes_count(struct check *c)
{
	if (c->result->nodes > NODE_CERTS_MAX)
		check_say(c, false, "nodes: %zu certificates, and only %d are looked at",
			  c->result->nodes, NODE_CERTS_MAX);
}
