/* SPDX-License-Identifier: MIT */
#include "client/show.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* A piece of this many bytes fits PIECE_SHOWN whatever it holds: the longest
 * that a character becomes is 4 characters for one byte of it. */
#define PIECE       1024
#define PIECE_SHOWN (4 * PIECE + 16)

void
show_status(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("* ", stdout);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
}

/* The first piece of text, not cutting a character: continuation bytes go with
 * what they continue. */
static struct span
first_piece(struct span text)
{
	size_t n = PIECE;

	if (text.len <= PIECE)
		return text;
	while (n > PIECE - 4 && (text.p[n] & 0xc0) == 0x80)
		n--;
	return span_of(text.p, n);
}

void
show_text(const char *before, struct span text)
{
	char shown[PIECE_SHOWN];

	fputs(before, stdout);
	while (text.len > 0) {
		struct span piece = first_piece(text);
		const uint8_t *tab = memchr(piece.p, '\t', piece.len);

		/* A tab moves the cursor to the right and nothing else; source
		 * code is full of them. */
		if (tab != NULL)
			piece.len = (size_t)(tab - piece.p);
		text_visible(piece, shown, sizeof(shown));
		fputs(shown, stdout);
		if (tab != NULL) {
			putchar('\t');
			piece.len++;
		}
		text.p += piece.len;
		text.len -= piece.len;
	}
	putchar('\n');
}
