/* SPDX-License-Identifier: MIT
 *
 * nodes_admin.c - the commands "node id" and "ctl nodes".
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/text.h"
#include "server/admin_call.h"
#include "server/config.h"
#include "server/identity.h"
#include "server/nodes/links.h"
#include "store/file.h"
#include "store/store.h"

/* No server runs: the key is where its configuration says. */
static enum qerr
read_key(struct admin_call *c, struct key **out)
{
	struct store *store = c->server->store;
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct config_source src = {.file_optional = true};
	char file[4096];
	struct config *cfg;
	enum qerr e;

	snprintf(file, sizeof(file), "%s/server/server.conf", store_dir(store));
	src.file = file;
	if ((e = config_load(&src, &cfg, c->why)) != Q_OK)
		return e;
	e = *cfg->key_file != '\0' ? file_read(AT_FDCWD, cfg->key_file, &pem)
				   : store_server_read(store, "key.pem", &pem);
	config_free(cfg);
	if (e == Q_OK)
		e = key_parse_private(buf_span(&pem), NULL, out);
	buf_wipe(&pem);
	if (e == Q_MISSING)
		return why_set(c->why, e, "there is no key yet; start the server once");
	if (e != Q_OK)
		return why_set(c->why, e, "cannot read the server's key: %s",
			       qerr_str(e));
	return Q_OK;
}

enum qerr
admin_node_id(struct admin_call *c)
{
	char hex[HEX_LEN(SHA256_LEN) + 1];
	uint8_t sum[SHA256_LEN];
	struct key *key;
	enum qerr e = Q_OK;

	if (c->server->identity != NULL)
		key = identity_key(c->server->identity);
	else
		e = read_key(c, &key);
	if (e != Q_OK)
		return e;
	e = key_fingerprint(key, sum);
	key_free(key);
	if (e != Q_OK)
		return why_set(c->why, e, "cannot compute it: %s", qerr_str(e));
	hex_encode(span_of(sum, sizeof(sum)), hex);
	admin_say(c, "%s\n", hex);
	return Q_OK;
}

enum qerr
admin_ctl_nodes(struct admin_call *c)
{
	size_t before = c->out->len;

	links_report(c->out);
	if (c->out->len == before)
		admin_say(c, "no links, and no other nodes are known\n");
	return Q_OK;
}
