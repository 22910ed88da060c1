/* SPDX-License-Identifier: MIT */
#define CLIENT_PAIR_INSIDE
#define CLIENT_RUN_INSIDE
#include "tests/system/client_pair.h"

#include <stdio.h>
#include <string.h>

#define FILE_MAX (128 << 20)

void
pair_chat(struct pair *p)
{
	run_say(p->alice, "/chat bob\n/wait chat 900\n");
	run_say(p->bob, "/wait request 900\n/accept\n/wait chat 900\n");
	run_until(p->alice, "* asking bob\n* chat with bob, key ");
	run_until(p->bob,
		  "* request from alice: /accept or /deny\n* chat with alice, key ");
}

void
pair_quit(struct pair *p, int alice, int bob)
{
	run_quit(p->alice, alice);
	run_quit(p->bob, bob);
	harness_free(p->h);
}

/* ---- files ---- */

void
pair_make_file(const struct harness *h, const char *name, const char *head, size_t size)
{
	uint64_t x = 88172645463325252u, piece[1024];
	char path[HARNESS_PATH];
	FILE *f;

	snprintf(path, sizeof(path), "%.300s/%s", h->dir, name);
	f = fopen(path, "wb");
	ck_assert_msg(f != NULL, "%s", path);
	ck_assert_int_ge(fputs(head, f), 0);
	while (size > 0) {
		size_t n = size < sizeof(piece) ? size : sizeof(piece);

		for (size_t i = 0; i < sizeof(piece) / sizeof(piece[0]); i++) {
			x ^= x << 13;
			x ^= x >> 7;
			piece[i] = x ^= x << 17;
		}
		ck_assert_uint_eq(fwrite(piece, 1, n, f), n);
		size -= n;
	}
	ck_assert_int_eq(fclose(f), 0);
}

static struct buf
contents(const struct harness *h, const char *name)
{
	struct buf b = BUF_INIT(FILE_MAX);
	char path[HARNESS_PATH];
	uint8_t part[65536];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%.300s/%s", h->dir, name);
	if ((f = fopen(path, "rb")) == NULL)
		harness_fail("there is no %s", path);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		ck_assert_int_eq(buf_put(&b, part, n), Q_OK);
	fclose(f);
	return b;
}

void
pair_same_files(const struct harness *h, const char *one, const char *two)
{
	struct buf a = contents(h, one), b = contents(h, two);

	if (!span_eq(buf_span(&a), buf_span(&b)))
		harness_fail("%s and %s differ", one, two);
	buf_free(&a);
	buf_free(&b);
}
