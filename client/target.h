/* SPDX-License-Identifier: MIT
 *
 * target.h - a server as people name it: HOST, HOST:PORT, [V6], [V6]:PORT.
 */
#ifndef CLIENT_TARGET_H
#define CLIENT_TARGET_H

#include <stdint.h>

#include "base/bytes.h"

#define TARGET_PORT      9034
#define TARGET_HOST_MAX  253
#define TARGET_TEXT_SIZE (TARGET_HOST_MAX + sizeof("[]:65535"))

struct target {
	char host[TARGET_HOST_MAX + 1]; /* lower case, without brackets */
	uint16_t port;
};

/* Q_FORMAT: it is none; why is a sentence.  Hosts are made of letters, digits
 * and . - _ : % and begin with a letter, a digit or ':'; so target_text is safe
 * as a file name. */
enum qerr target_parse(const char *text, struct target *out, struct why *why);
/* HOST:PORT, with brackets around an IPv6 address. */
void target_text(const struct target *t, char out[TARGET_TEXT_SIZE]);

#endif
