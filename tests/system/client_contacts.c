/* SPDX-License-Identifier: MIT */
#define CLIENT_CONTACTS_INSIDE
#define CLIENT_RUN_INSIDE
#include "tests/system/client_contacts.h"

#include <stdio.h>
#include <unistd.h>

struct harness *
cc_start(const char *setting)
{
	struct harness *h = harness_start(setting, NULL);

	ck_assert_int_eq(chdir(h->dir), 0);
	run_environment("QUINTET_PASSWORD=" CC_PASSWORD);
	return h;
}

void
cc_sign_up(struct harness *h, const char *name)
{
	struct run *r =
	    run_script(h, 0, "", name, "SERVER", "--protocol", "contacts", "--register",
		       "--user", name, "--fingerprint", run_ca_fingerprint(h), NULL);

	ck_assert(run_said(r, "* registered "));
	run_free(r);
}

struct run *
cc_log_in(struct harness *h, const char *name)
{
	struct run *r = run_start(h, name, "SERVER", "--protocol", "contacts", NULL);
	char line[64];

	snprintf(line, sizeof(line), "* logged in as %s\n", name);
	run_until(r, line);
	return r;
}

struct run *
cc_script(struct harness *h, const char *name, const char *lines, int status)
{
	return run_script(h, status, lines, name, "SERVER", "--protocol", "contacts",
			  NULL);
}
