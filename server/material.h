/* SPDX-License-Identifier: MIT
 *
 * material.h - what a server's identity is made of, as it lies in the data directory: read,
 * checked, and made where it is missing (material.c says when).  For identity.c.
 */
#ifndef SERVER_MATERIAL_H
#define SERVER_MATERIAL_H

#include "crypto/cert.h"
#include "crypto/key.h"
#include "server/addresses.h"
#include "server/config.h"
#include "server/enrol_code.h"
#include "store/store.h"

#define HOST_NAME_LEN 256

/* One load of it, by one thread. */
struct material {
	/* The caller's: */
	struct store *store;
	const struct config *cfg;
	struct why *why; /* what is wrong, a sentence */
	/* What was gathered: */
	struct key *key;
	struct key *ca_key; /* NULL: the CA is not ours */
	struct cert *ca;
	struct cert *cert;
	char host[HOST_NAME_LEN];
	struct host_addresses addresses;
	char code[ENROL_CODE_SIZE];
};

/* Gather it, making what is missing.  Blocks on the disk.  An error is told in m->why; what was
 * gathered until then is there as well.  Q_FORMAT: broken, or does not fit together; Q_FULL,
 * Q_DENIED, Q_NOMEM, Q_CRYPTO, Q_SYS. */
enum qerr material_load(struct material *m);
/* Free what it holds; an owner who keeps something puts NULL there, or what it had. */
void material_free(struct material *m);

#endif
