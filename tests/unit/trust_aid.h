/* SPDX-License-Identifier: MIT
 *
 * trust_aid.h - a profile in a folder of the test's own, and a CA.
 */
#ifndef TESTS_TRUST_AID_H
#define TESTS_TRUST_AID_H

#include "tests/unit/unit.h"

#include <stdlib.h>

#include "client/profile.h"
#include "crypto/cert.h"
#include "tests/unit/tempdir.h"

static struct profile *profile;
static struct cert *ca;

static inline struct cert *
aid_ca(void)
{
	struct cert *made;
	struct key *key;

	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &key), Q_OK);
	ck_assert_int_eq(cert_make_ca(key, "ca", 10, &made), Q_OK);
	key_free(key);
	return made;
}

static inline void
aid_setup(void)
{
	tempdir_make();
	setenv("XDG_CONFIG_HOME", tempdir, 1);
	ck_assert_int_eq(profile_open(&profile, NULL), Q_OK);
	ca = aid_ca();
}

static inline void
aid_teardown(void)
{
	cert_free(ca);
	profile_close(profile);
	tempdir_remove();
}

/* quintet/KIND/CA/USER/NAME below the temporary folder. */
static inline const char *
aid_file(const char *kind, const char *user, const char *name)
{
	static char path[512];
	char folder[64];
	int n;

	snprintf(folder, sizeof(folder), "quintet/%s", kind);
	n = snprintf(path, sizeof(path), "%s/%s/%s", find_name(folder, ""), user, name);
	ck_assert_int_lt(n, (int)sizeof(path));
	return path;
}

#endif
