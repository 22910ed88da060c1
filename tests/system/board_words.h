/* SPDX-License-Identifier: MIT
 *
 * board_words.h - the arguments in a transcript of board_play.h, and what their signs stand
 * for: parsed, matched with what came, filled in for what is sent.  What goes wrong fails
 * the test and names the step.
 */
#ifndef TESTS_SYSTEM_BOARD_WORDS_H
#define TESTS_SYSTEM_BOARD_WORDS_H

#include <jansson.h>

#include "tests/system/board_peer.h"

#define WORDS_MAX 512
#define WORD_SIZE 32
#define STEP_SIZE 300

struct board_word {
	char name[WORD_SIZE]; /* of an attachment with its @ */
	json_t *value;
	struct buf blob;
};

struct board_words {
	struct board_word all[WORDS_MAX];
	size_t count;
	char step[STEP_SIZE]; /* the line that is played, for messages */
};

void board_words_free(struct board_words *w);
/* Name bytes; copied. */
void board_words_blob(struct board_words *w, const char *name, struct span bytes);
/* The value as JSON in a static buffer. */
const char *board_words_value(struct board_words *w, const char *name);
/* Letters, digits and _ at the front. */
size_t board_word_length(const char *at);

/* "1,'x',$id" as an array in which signs are strings of their own kind. */
json_t *board_words_parse(struct board_words *w, const char *args);
/* Is got what want stands for?  Attachments are read from p; names get their values. */
bool board_words_match(struct board_words *w, const json_t *want, json_t *got,
		       struct board_peer *p);
/* A copy with values in the place of names; *blob is the attachment, if there is one. */
json_t *board_words_fill(struct board_words *w, json_t *v, struct span *blob);

#endif
