/* SPDX-License-Identifier: MIT */
#include "client/layout.h"

#define PEOPLE_COLUMNS 17
#define BESIDE_COLUMNS 64 /* from this width on there is room for both */

static int
at_most(int n, int most)
{
	return n < most ? n : most;
}

struct layout
layout_of(int rows, int columns, enum layout_people people, int input_rows, int files)
{
	struct layout l = {.people = -1, .right = columns, .hint = -1, .top = 1};

	if (rows < LAYOUT_ROWS_MIN || columns < LAYOUT_COLUMNS_MIN) {
		l.too_small = true;
		return l;
	}
	/* The lines keep half of the height. */
	l.input_rows = at_most(input_rows < 1 ? 1 : input_rows, (rows - 2) / 3);
	if (l.input_rows < 1)
		l.input_rows = 1;
	l.input = l.bottom = rows - l.input_rows;
	l.hint = --l.bottom;
	l.file_rows = at_most(files, l.bottom - 1 - (rows - 2) / 3);
	l.file_rows = l.file_rows < 0 ? 0 : l.file_rows;
	l.bottom -= l.file_rows;
	l.files = l.bottom;
	if (columns >= BESIDE_COLUMNS && people != LAYOUT_PEOPLE_HIDE) {
		l.people = columns - PEOPLE_COLUMNS;
		l.right = l.people - 2; /* a line between them */
	} else if (people == LAYOUT_PEOPLE_SHOW) {
		l.people = l.right = 0;
	}
	return l;
}
