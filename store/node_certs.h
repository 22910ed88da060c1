/* SPDX-License-Identifier: MIT
 *
 * node_certs.h - certificates of other servers that an administrator dropped into
 * DIR/nodes/: NAME.pem admits its node at once.  Only read here; any thread.
 */
#ifndef STORE_NODE_CERTS_H
#define STORE_NODE_CERTS_H

#include "store/store.h"

#define NODE_CERTS_MAX      1024  /* files that are looked at */
#define NODE_CERTS_FILE_MAX 65536 /* bytes of one */

/* Is there a file for which is(arg, pem) holds?  What cannot be read is passed over. */
bool node_certs_any(struct store *s, bool (*is)(void *arg, struct span pem), void *arg);

/* NAME.pem?  What is named otherwise is not looked at. */
bool node_certs_is_name(const char *file);

#endif
