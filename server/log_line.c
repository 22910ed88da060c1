/* SPDX-License-Identifier: MIT */
#include "server/log_line.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

/* Newline and NUL always find room behind what is appended. */
#define ROOM(l) (sizeof((l)->text) - 2 - (l)->len)

static void
append(struct log_line *l, const char *p, size_t n)
{
	if (n > ROOM(l))
		n = ROOM(l);
	memcpy(l->text + l->len, p, n);
	l->len += n;
}

void
log_line_begin(struct log_line *l, const char *level, int64_t wall_ms)
{
	time_t t = (time_t)(wall_ms / 1000);
	char date[32], zone[8], head[64];
	struct tm tm;
	int n;

	localtime_r(&t, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm); /* +0100; RFC 3339 has a colon */
	n = snprintf(head, sizeof(head), "%s.%03d%.3s:%.2s %s ", date,
		     (int)(wall_ms % 1000), zone, zone + 3, level);
	l->len = 0;
	append(l, head, (size_t)n);
}

/* A value of whoever: visible, and quoted where it could be misread.  marks:
 * the format has the quotes already. */
static void
append_value(struct log_line *l, const char *s, int precision, bool marks)
{
	char shown[LOG_LINE_MAX / 2];
	size_t n = precision < 0 ? strlen(s) : strnlen(s, (size_t)precision);

	n = text_visible(span_of(s, n), shown, sizeof(shown));
	if (!marks && n > 0 && strcspn(shown, " =\"") == n) {
		append(l, shown, n);
		return;
	}
	append(l, "\"", !marks);
	for (size_t i = 0; i < n; i++) {
		if (shown[i] == '"')
			append(l, "\\", 1);
		append(l, &shown[i], 1);
	}
	append(l, "\"", !marks);
}

/* One conversion other than %s: let snprintf do it, with its own little format. */
#define PRINT(type)                                                                 \
	(star == 1 ? snprintf(out, sizeof(out), spec, precision, va_arg(*ap, type)) \
		   : snprintf(out, sizeof(out), spec, va_arg(*ap, type)))

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored \
    "-Wformat-nonliteral" /* spec is cut from a checked format */
static void
append_number(struct log_line *l, const char *spec, int star, int precision, va_list *ap)
{
	size_t n = strlen(spec);
	int longs = 0, len;
	char out[128];

	for (const char *c = spec; *c != '\0'; c++)
		longs += *c == 'l' || *c == 'z';
	if (spec[n - 1] == 'c' || longs == 0)
		len = PRINT(int);
	else if (strchr(spec, 'z') != NULL)
		len = PRINT(size_t);
	else
		len = longs == 1 ? PRINT(long) : PRINT(long long);
	append(l, out, len < 0 ? 0 : strnlen(out, sizeof(out)));
}
#pragma GCC diagnostic pop

void
log_line_vadd(struct log_line *l, const char *fmt, va_list args)
{
	va_list ap;

	va_copy(ap, args); /* an array type on some machines: &args would not do */
	while (*fmt != '\0') {
		size_t n = strcspn(fmt, "%");
		int star = 0, precision = -1;
		char spec[16];

		append(l, fmt, n);
		fmt += n;
		if (*fmt == '\0')
			break;
		n = 1 + strspn(fmt + 1, "0123456789.*+- #lz");
		assert(n + 1 < sizeof(spec) && strchr("diuxXcs%", fmt[n]) != NULL &&
		       fmt[n] != '\0');
		memcpy(spec, fmt, n + 1);
		spec[n + 1] = '\0';
		fmt += n + 1;
		if (strchr(spec, '*') != NULL) {
			star = 1;
			precision = va_arg(ap, int);
		} else if (strchr(spec, '.') != NULL) {
			precision = (int)strtol(strchr(spec, '.') + 1, NULL, 10);
		}
		if (spec[n] == '%')
			append(l, "%", 1);
		else if (spec[n] == 's')
			append_value(l, va_arg(ap, const char *), precision, *fmt == '"');
		else
			append_number(l, spec, star, precision, &ap);
	}
	va_end(ap);
}

void
log_line_add(struct log_line *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line_vadd(l, fmt, ap);
	va_end(ap);
}

size_t
log_line_end(struct log_line *l)
{
	l->text[l->len++] = '\n';
	l->text[l->len] = '\0';
	return l->len;
}
