/* SPDX-License-Identifier: MIT
 *
 * show.h - lines on standard output that nothing from others can drive: what is
 * not ours passes text_visible (base/text.h), with tabs kept.
 *
 * Errors stick to stdout (ferror); the loop looks at them.
 */
#ifndef CLIENT_SHOW_H
#define CLIENT_SHOW_H

#include "base/bytes.h"

/* "* " and the line, formatted as printf would; for text of our own, names and
 * fingerprints. */
void show_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* before, text made visible, newline. */
void show_text(const char *before, struct span text);

#endif
