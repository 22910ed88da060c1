/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const char *
qerr_str(enum qerr e)
{
	switch (e) {
	case Q_OK: return "ok";
	case Q_SHORT: return "more bytes needed";
	case Q_FORMAT: return "malformed";
	case Q_LIMIT: return "too large";
	case Q_FULL: return "no room";
	case Q_CLOSED: return "closed";
	case Q_DENIED: return "not allowed";
	case Q_EXISTS: return "exists already";
	case Q_MISSING: return "does not exist";
	case Q_TIMEOUT: return "timed out";
	case Q_NOMEM: return "out of memory, descriptors or threads";
	case Q_CRYPTO: return "cryptographic failure";
	case Q_SYS: return "system error";
	}
	return "unknown error";
}

enum qerr
qerr_errno(int errnum)
{
	switch (errnum) {
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case EAGAIN: return Q_NOMEM;
	case ENOSPC:
	case EDQUOT:
	case EFBIG: return Q_FULL;
	case ENOENT: return Q_MISSING;
	case EEXIST: return Q_EXISTS;
	case EACCES:
	case EPERM: return Q_DENIED;
	default: return Q_SYS;
	}
}

enum qerr
why_set(struct why *w, enum qerr e, const char *fmt, ...)
{
	va_list ap;

	if (w == NULL)
		return e;
	va_start(ap, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
	for (char *c = w->text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return e;
}
