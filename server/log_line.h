/* SPDX-License-Identifier: MIT
 *
 * log_line.h - the text of one line of the log.  Pure; the caller's stack.
 */
#ifndef SERVER_LOG_LINE_H
#define SERVER_LOG_LINE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 2048 /* bytes with the newline; longer ones are cut */

struct log_line {
	size_t len;
	char text[LOG_LINE_MAX];
};

/* Begin with the local time of wall_ms, its zone, and the level. */
void log_line_begin(struct log_line *l, const char *level, int64_t wall_ms);
/* Append as printf would; each %s is made visible, and quoted when it is empty
 * or holds a space, '=' or '"'.  Conversions: d i u x X c s with the lengths
 * l ll z, flags, width and precision; anything else is a mistake (asserted). */
void log_line_add(struct log_line *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_line_vadd(struct log_line *l, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* End with a newline and a NUL; returns the length without the NUL. */
size_t log_line_end(struct log_line *l);

#endif
