/* SPDX-License-Identifier: MIT
 *
 * chatkeys.h - the keys with which a user's devices open what is said in rooms; public
 * halves, one a device.  The store does not look into them.
 *
 *   DIR/chatkeys/NAME   (the folded name)
 *	quintet-chatkeys: 1
 *	key: KEYID LENGTH      16 hex digits; how many bytes of PEM follow
 *	-----BEGIN PUBLIC KEY-----
 *	...
 *	check: CCCCCCCC        CRC-32 of all above
 *
 * In the order in which they came.  Replaced by rename and forced to the disk.  A
 * damaged file is set aside, reported, and taken for none.  Any thread; may block.
 */
#ifndef STORE_CHATKEYS_H
#define STORE_CHATKEYS_H

#include "store/store.h"

#define CHATKEYS_MAX    8
#define CHATKEY_ID_SIZE 17   /* 16 hex digits and a NUL */
#define CHATKEY_PEM_MAX 1024 /* bytes; P-256 takes 178 */

struct chatkey {
	char id[CHATKEY_ID_SIZE];
	char pem[CHATKEY_PEM_MAX + 1];
};

struct chatkeys {
	size_t n;
	struct chatkey key[CHATKEYS_MAX]; /* the newest is the last */
};

/* Q_OK also when there are none.  Q_FORMAT: not a name; Q_DENIED, Q_NOMEM, Q_SYS. */
enum qerr chatkeys_load(struct store *s, const char *user, struct chatkeys *out);
/* Add a key.  Q_EXISTS: that id is known, nothing changes.  A ninth drops the oldest:
 * dropped (may be NULL) is its id, else "".  Q_FORMAT: not a name, 16 lower-case hex
 * digits, or lines of printable ASCII that end with a newline; Q_LIMIT: the PEM is too
 * long; Q_FULL, Q_DENIED, Q_NOMEM, Q_SYS: all is as it was. */
enum qerr chatkeys_add(struct store *s, const char *user, const char *id, struct span pem,
		       char dropped[CHATKEY_ID_SIZE]);
/* Forget all of them (users_remove calls it). */
enum qerr chatkeys_remove(struct store *s, const char *user);

#endif
