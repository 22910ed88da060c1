/* SPDX-License-Identifier: MIT
 *
 * name.h - the rule for user names (docs/protocols/README.md, "One identity"):
 * 1 to 32 characters of A-Z a-z 0-9 . _ -, the first one a letter or digit.
 * Names are kept as registered and compared without regard to case; the folded
 * form is safe as a file name.
 */
#ifndef BASE_NAME_H
#define BASE_NAME_H

#include <stdbool.h>

#include "base/bytes.h"

#define NAME_MAX_LEN 32                 /* bytes, without a NUL */
#define NAME_SIZE    (NAME_MAX_LEN + 1) /* with one */

/* Does s obey the rule? */
bool name_valid(struct span s);
/* Does it but perhaps for being too long? */
bool name_characters(struct span s);
/* Copy s as a C string.  Q_FORMAT when it breaks the rule. */
enum qerr name_copy(struct span s, char out[NAME_SIZE]);
/* The lower-case form of a valid name (ASCII only, no locale). */
void name_fold(const char *name, char out[NAME_SIZE]);
/* strcmp of the folded forms. */
int name_cmp(const char *a, const char *b);

#endif
