/* SPDX-License-Identifier: MIT
 *
 * layout.h - where things stand on a screen of some size.  Pure.
 *
 *	status                                         0
 *	lines                         |people          1 ..
 *	files on their way
 *	hint
 *	input, some rows                               .. rows - 1
 */
#ifndef CLIENT_LAYOUT_H
#define CLIENT_LAYOUT_H

#include <stdbool.h>

/* Below this there is only a notice. */
#define LAYOUT_ROWS_MIN    5
#define LAYOUT_COLUMNS_MIN 20

enum layout_people {
	LAYOUT_PEOPLE_AUTO, /* where there is room beside the lines */
	LAYOUT_PEOPLE_SHOW, /* in any case, in place of the lines if need be */
	LAYOUT_PEOPLE_HIDE
};

struct layout {
	bool too_small;
	int top, bottom;      /* of lines and people: [top, bottom) */
	int right;            /* of the lines; 0: no room for them */
	int people;           /* first column of the people; -1: not shown */
	int files, file_rows; /* first row */
	int hint;             /* row; -1: none */
	int input, input_rows;
};

/* input_rows: that the line being typed wants; files: on their way. */
struct layout
layout_of(int rows, int columns, enum layout_people people, int input_rows, int files);

#endif
