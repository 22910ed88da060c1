/* SPDX-License-Identifier: MIT
 *
 * err.h - the one set of results that every module returns.
 *
 * Mistakes of a peer, of a person and of the disk are returned; mistakes of
 * the programmer are asserted, and the asserts ship.  A function that returns
 * an enum qerr writes its outputs only when it returns Q_OK, unless its own
 * comment says otherwise.  No function here takes a lock or blocks.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum qerr {
	Q_OK = 0,
	Q_SHORT,   /* more bytes are needed; nothing was consumed */
	Q_FORMAT,  /* the bytes, or the text, are not what they should be */
	Q_LIMIT,   /* larger, longer or more than is allowed */
	Q_FULL,    /* no room now; there may be later */
	Q_CLOSED,  /* the peer, or the object, is gone */
	Q_DENIED,  /* not allowed: wrong key, tag, proof, state or right */
	Q_EXISTS,  /* there is one already */
	Q_MISSING, /* there is none */
	Q_TIMEOUT, /* a deadline passed */
	Q_NOMEM,   /* no memory, descriptors or threads */
	Q_CRYPTO,  /* the cryptographic library refused; never a peer's fault */
	Q_SYS      /* a system call failed; errno says why */
};

/* A short English phrase for e ("no room", ...).  Static; never NULL. */
const char *qerr_str(enum qerr e);

/* Q_NOMEM for the errno values that mean "out of memory, descriptors or
 * threads", Q_FULL for a full disk or quota, Q_MISSING for ENOENT, Q_EXISTS
 * for EEXIST, Q_DENIED for EACCES and EPERM, else Q_SYS. */
enum qerr qerr_errno(int errnum);

/* One clear sentence for a person, without a final full stop or newline.
 * Functions that can fail at start-up or at a command take one (may be NULL)
 * and fill it when they do not return Q_OK. */
struct why {
	char text[512];
};

/* Fill w (may be NULL) as printf would; control characters become '?'.
 * Returns e, so that a caller can write: return why_set(w, Q_SYS, ...). */
enum qerr why_set(struct why *w, enum qerr e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
