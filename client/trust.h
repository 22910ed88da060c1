/* SPDX-License-Identifier: MIT
 *
 * trust.h - which server it is: the CA that has issued its certificate is pinned by
 * HOST:PORT, at enrolment or at first use.  No host name is checked: on a LAN names and
 * addresses change, the teacher's CA does not.
 */
#ifndef CLIENT_TRUST_H
#define CLIENT_TRUST_H

#include "client/options.h"
#include "client/profile.h"

/* The CA to expect at o->target: the one of --ca, or the pinned one.  An unknown
 * server's, or the one that --fingerprint names, is fetched (in TLS, which every port of
 * ours speaks), and pinned when it has that fingerprint or a person at the terminal says
 * yes.  May block: it connects.  Q_DENIED: not trusted. */
enum qerr trust_find(const struct options *o, const struct profile *profile,
		     struct cert **out, struct why *why);
/* Is it the one of --fingerprint, if there is such an option?  Q_DENIED. */
enum qerr trust_compare(const struct options *o, const struct cert *ca, struct why *why);

#endif
