/* SPDX-License-Identifier: MIT
 *
 * rooms_envelope.h - the text of a sealed packet of rooms:
 *
 *   {"iv":"<16 characters>","ciphertext":"<base64 of ct || tag>"}
 *
 * Only the text; crypto/lane.h seals and opens.  Both directions work in one block of
 * memory.  Sealing len bytes into a place of ROOMS_ENVELOPE_SIZE(len) bytes:
 *
 *   ct = rooms_envelope_inside(place, len);
 *   lane_seal(lane, plain, len, ct, ct + len, iv);      ct, then the tag
 *   rooms_envelope_wrap(place, len, iv);
 *
 * and opening a message of len bytes where it lies:
 *
 *   rooms_envelope_unwrap(text, len, iv, &ct_len);      ct || tag now at text
 *   lane_open(lane, iv, text, ct_len - 16, text, text + ct_len - 16);
 */
#ifndef PROTOCOL_ROOMS_ENVELOPE_H
#define PROTOCOL_ROOMS_ENVELOPE_H

#include "base/bytes.h"
#include "base/text.h"

#define ROOMS_IV_LEN  12
#define ROOMS_TAG_LEN 16

#define ROOMS_ENVELOPE_HEAD (sizeof("{\"iv\":\"0123456789abcdef\",\"ciphertext\":\"") - 1)
#define ROOMS_ENVELOPE_TAIL (sizeof("\"}") - 1)
/* Bytes that len bytes of plain text take as an envelope. */
#define ROOMS_ENVELOPE_SIZE(len)                                           \
	(ROOMS_ENVELOPE_HEAD + BASE64_LEN((size_t)(len) + ROOMS_TAG_LEN) + \
	 ROOMS_ENVELOPE_TAIL)

/* Where in place (ROOMS_ENVELOPE_SIZE(len) bytes) the len + ROOMS_TAG_LEN bytes of
 * cipher text and tag go before rooms_envelope_wrap. */
uint8_t *rooms_envelope_inside(uint8_t *place, size_t len);
/* Make the envelope of place around what was put inside. */
void rooms_envelope_wrap(uint8_t *place, size_t len, const uint8_t iv[ROOMS_IV_LEN]);

/* Read the envelope that the len bytes at text are: sets iv, and puts cipher text and
 * tag, *ct_len >= ROOMS_TAG_LEN bytes, at text, which they fit.  Members in any order,
 * white space, escapes and unknown members are read as JSON has them.  Q_FORMAT: no
 * envelope; Q_NOMEM; text is then spoilt. */
enum qerr rooms_envelope_unwrap(uint8_t *text, size_t len, uint8_t iv[ROOMS_IV_LEN],
				size_t *ct_len);

#endif
