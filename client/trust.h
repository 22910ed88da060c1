/* SPDX-License-Identifier: MIT
 *
 * trust.h - which server it is, when its certificate travels in TLS: the CA that has
 * issued it is pinned by HOST:PORT, in the same file as enrolment pins it.  No host
 * name is checked: on a LAN names and addresses change, the teacher's CA does not.
 */
#ifndef CLIENT_TRUST_H
#define CLIENT_TRUST_H

#include "client/options.h"
#include "client/profile.h"

/* The CA to expect at o->target: the one of --ca, or the pinned one.  An unknown
 * server's, or the one that --fingerprint names, is fetched, and pinned when it has
 * that fingerprint or a person at the terminal says yes.  May block: it connects.
 * Q_DENIED: not trusted. */
enum qerr trust_find(const struct options *o, const struct profile *profile,
		     struct cert **out, struct why *why);

#endif
