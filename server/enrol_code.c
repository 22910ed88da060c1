/* SPDX-License-Identifier: MIT */
#include "server/enrol_code.h"

#include <string.h>

#include "crypto/random.h"

#define CODE_FILE  "enroll-code"
#define CODE_BYTES 10 /* 80 bits: two characters for every five quarters of a byte */
#define FILE_MAX   256

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* 16 characters as XXXX-XXXX-XXXX-XXXX. */
static void
group(const char *code, char out[ENROL_CODE_SIZE])
{
	for (size_t i = 0; i < ENROL_CODE_LEN; i++) {
		if (i > 0 && i % 4 == 0)
			*out++ = '-';
		*out++ = code[i];
	}
	*out = '\0';
}

enum qerr
enrol_code_parse(struct span text, char out[ENROL_CODE_SIZE])
{
	char code[ENROL_CODE_LEN];
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = (char)text.p[i];

		if (strchr("- \t\r\n", c) != NULL && c != '\0')
			continue;
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (n == sizeof(code) || c == '\0' || strchr(alphabet, c) == NULL)
			return Q_FORMAT;
		code[n++] = c;
	}
	if (n != sizeof(code))
		return Q_FORMAT;
	group(code, out);
	secret_wipe(code, sizeof(code));
	return Q_OK;
}

enum qerr
enrol_code_read(struct store *store, char out[ENROL_CODE_SIZE], struct why *why)
{
	struct buf text = BUF_INIT(FILE_MAX);
	enum qerr e = store_server_read(store, CODE_FILE, &text);

	if (e == Q_MISSING)
		return why_set(
		    why, e,
		    "there is no enrolment code yet; the server makes one when "
		    "it starts, or enroll-code --rotate");
	if (e == Q_OK || e == Q_LIMIT)
		e = e == Q_OK ? enrol_code_parse(buf_span(&text), out) : Q_FORMAT;
	if (e == Q_FORMAT)
		why_set(why, e,
			"%s/server/%s holds no enrolment code (XXXX-XXXX-XXXX-XXXX); "
			"remove it and a new one is made",
			store_dir(store), CODE_FILE);
	else if (e != Q_OK)
		why_set(why, e, "cannot read %s/server/%s: %s", store_dir(store),
			CODE_FILE, qerr_str(e));
	buf_wipe(&text);
	return e;
}

void
enrol_code_set_aside_broken(struct store *store)
{
	char code[ENROL_CODE_SIZE];
	struct why why;

	/* When that fails, whoever reads the code next says why. */
	if (enrol_code_read(store, code, &why) == Q_FORMAT)
		(void)store_server_set_aside(store, CODE_FILE, "holds no enrolment code");
	secret_wipe(code, sizeof(code));
}

enum qerr
enrol_code_make(struct store *store, char out[ENROL_CODE_SIZE], struct why *why)
{
	uint8_t bits[CODE_BYTES];
	char code[ENROL_CODE_LEN], line[ENROL_CODE_SIZE + 1];
	enum qerr e;

	random_bytes(bits, sizeof(bits));
	for (size_t i = 0; i < ENROL_CODE_LEN; i++) {
		unsigned at = (unsigned)i * 5; /* the first of five bits */
		unsigned pair = (unsigned)bits[at / 8] << 8 |
				(at / 8 + 1 < CODE_BYTES ? bits[at / 8 + 1] : 0u);

		code[i] = alphabet[pair >> (11 - at % 8) & 31];
	}
	group(code, line);
	line[ENROL_CODE_SIZE - 1] = '\n';
	e = store_server_write(store, CODE_FILE, span_of(line, ENROL_CODE_SIZE), 0600);
	if (e != Q_OK)
		why_set(why, e, "cannot write %s/server/%s: %s", store_dir(store),
			CODE_FILE, qerr_str(e));
	else
		group(code, out);
	secret_wipe(bits, sizeof(bits));
	secret_wipe(code, sizeof(code));
	secret_wipe(line, sizeof(line));
	return e;
}
