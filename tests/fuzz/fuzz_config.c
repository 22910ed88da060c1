/* SPDX-License-Identifier: MIT
 *
 * A configuration file: whatever parses has a place to listen, and every text
 * in it ends.
 */
#include <assert.h>
#include <string.h>

#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c;
	struct why why = {""};

	if (config_parse(span_of(data, size), "FILE", &c, &why) != Q_OK) {
		assert(why.text[0] != '\0');
		return 0;
	}
	assert(c->listen_count > 0 && c->listen_count <= CONFIG_LISTEN_MAX);
	assert(memchr(c->trust, '\0', sizeof(c->trust)) != NULL);
	assert(memchr(c->log_file, '\0', sizeof(c->log_file)) != NULL);
	assert(c->relay_max_frame >= 1024 && c->relay_max_frame <= 16 << 20);
	config_free(c);
	return 0;
}
