/* SPDX-License-Identifier: MIT */
#define CLIENT_ROOMS_INSIDE
#define CLIENT_RUN_INSIDE
#include "tests/system/client_rooms.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/system/rooms_peer.h"

struct harness *
cr_start(void)
{
	struct harness *h = rp_start("rooms.captcha=off", NULL);

	ck_assert_int_eq(chdir(h->dir), 0);
	run_environment("QUINTET_PASSWORD=" CR_PASSWORD);
	return h;
}

void
cr_sign_up(struct harness *h, const char *name)
{
	char answers[256];
	struct run *r;

	snprintf(answers, sizeof(answers), "%s@example.org\n%s Example\n2001-02-03\n",
		 name, name);
	r = run_script(h, 0, answers, name, "SERVER", "--protocol", "rooms", "--register",
		       "--user", name, "--fingerprint", run_ca_fingerprint(h), NULL);
	ck_assert(run_said(r, "* registered "));
	run_free(r);
}

struct run *
cr_log_in(struct harness *h, const char *home, const char *name, ...)
{
	const char *more[6] = {NULL};
	char line[64];
	struct run *r;
	va_list ap;

	va_start(ap, name);
	for (size_t i = 0; i < 5 && (more[i] = va_arg(ap, const char *)) != NULL; i++)
		continue;
	va_end(ap);
	r = run_start(h, home, "SERVER", "--protocol", "rooms", "--user", name,
		      "--downloads", ".", more[0], more[1], more[2], more[3], more[4],
		      NULL);
	snprintf(line, sizeof(line), "* logged in as %s\n", name);
	run_until(r, line);
	return r;
}

struct run *
cr_enter(struct harness *h, const char *name)
{
	cr_sign_up(h, name);
	return cr_log_in(h, name, name, NULL);
}

void
cr_digits(const char *png, char out[7])
{
	static const char keyword[] = "quintet-captcha";
	uint8_t bytes[65536], *found;
	FILE *f = fopen(png, "rb");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	found = memmem(bytes, n, keyword, sizeof(keyword));
	ck_assert_ptr_nonnull(found);
	memcpy(out, found + sizeof(keyword), 6);
	out[6] = '\0';
}
