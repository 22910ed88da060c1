/* SPDX-License-Identifier: MIT
 *
 * The folder of keys and pins: modes, one step replacement, what is refused.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "client/profile.h"
#include "client/private.h"
#include "crypto/key.h"
#include "tests/unit/tempdir.h"

static struct profile *
open_profile(void)
{
	struct profile *p;
	struct why why;

	setenv("XDG_CONFIG_HOME", at("config/deep"), 1);
	ck_assert_msg(profile_open(&p, &why) == Q_OK, "%s", why.text);
	return p;
}

static unsigned
mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(at(name), &st), 0);
	return st.st_mode & 0777;
}

START_TEST(keys)
{
	struct profile *p = open_profile();
	struct buf pem = BUF_INIT(1024);
	struct why why;

	ck_assert(!profile_has_key(p, "Alice"));
	ck_assert_int_eq(profile_read_key(p, "Alice", &pem, &why), Q_MISSING);
	ck_assert_int_eq(profile_add_key(p, "Alice", span_str("secret"), &why), Q_OK);
	ck_assert_int_eq(profile_add_key(p, "aLICE", span_str("other"), &why), Q_EXISTS);
	ck_assert(profile_has_key(p, "alice"));
	ck_assert_int_eq(profile_read_key(p, "ALICE", &pem, &why), Q_OK);
	ck_assert(span_eq(buf_span(&pem), span_str("secret")));
	ck_assert_uint_eq(mode_of("config/deep/quintet"), 0700);
	ck_assert_uint_eq(mode_of("config/deep/quintet/keys"), 0700);
	ck_assert_uint_eq(mode_of("config/deep/quintet/servers"), 0700);
	ck_assert_uint_eq(mode_of("config/deep/quintet/keys/alice.pem"), 0600);
	ck_assert_int_eq(count_names("config/deep/quintet/keys", ""), 1);
	pem.len = 0;
	ck_assert_int_eq(chmod(at("config/deep/quintet/keys/alice.pem"), 0604), 0);
	ck_assert_int_eq(profile_read_key(p, "alice", &pem, &why), Q_DENIED);
	ck_assert_uint_eq(pem.len, 0);
	buf_free(&pem);
	profile_close(p);
}
END_TEST

START_TEST(pins)
{
	struct target a = {"localhost", 9034}, b = {"::1", 9034}, c = {"localhost", 9035};
	struct profile *p = open_profile();
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	struct cert *ca, *got = NULL;
	struct key *key;
	uint8_t want[SHA256_LEN], have[SHA256_LEN];
	struct why why;

	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &key), Q_OK);
	ck_assert_int_eq(cert_make_ca(key, "ca", 1, &ca), Q_OK);
	ck_assert_int_eq(cert_pem(ca, &pem), Q_OK);
	ck_assert_int_eq(profile_ca(p, &a, &got, &why), Q_MISSING);
	ck_assert_int_eq(profile_pin_ca(p, &a, span_str("damaged"), &why), Q_OK);
	ck_assert_int_eq(profile_ca(p, &a, &got, &why), Q_FORMAT);
	ck_assert_ptr_nonnull(strstr(why.text, "enrol again"));
	ck_assert_int_eq(profile_pin_ca(p, &a, buf_span(&pem), &why), Q_OK);
	ck_assert_int_eq(profile_pin_ca(p, &b, buf_span(&pem), &why), Q_OK);
	ck_assert_int_eq(profile_ca(p, &c, &got, &why), Q_MISSING);
	ck_assert_int_eq(profile_ca(p, &a, &got, &why), Q_OK);
	ck_assert_int_eq(cert_fingerprint(ca, want), Q_OK);
	ck_assert_int_eq(cert_fingerprint(got, have), Q_OK);
	ck_assert_mem_eq(want, have, sizeof(want));
	ck_assert(exists("config/deep/quintet/servers/localhost:9034.pem"));
	ck_assert(exists("config/deep/quintet/servers/[::1]:9034.pem"));
	ck_assert_int_eq(count_names("config/deep/quintet/servers", ""), 2);
	cert_free(ca);
	cert_free(got);
	key_free(key);
	buf_free(&pem);
	profile_close(p);
}
END_TEST

START_TEST(last_user)
{
	struct profile *p = open_profile();
	char name[NAME_SIZE] = "unchanged";
	struct why why;

	ck_assert_int_eq(profile_last_user(p, name), Q_MISSING);
	ck_assert_int_eq(profile_set_last_user(p, "alice", &why), Q_OK);
	ck_assert_int_eq(profile_set_last_user(p, "Bob", &why), Q_OK);
	ck_assert_int_eq(profile_last_user(p, name), Q_OK);
	ck_assert_str_eq(name, "Bob");
	spill("config/deep/quintet/last-user", span_str("../../etc\n"));
	ck_assert_int_eq(profile_last_user(p, name), Q_MISSING);
	ck_assert_str_eq(name, "Bob");
	profile_close(p);
}
END_TEST

/* $XDG_CONFIG_HOME, else $HOME; relative ones are as good as none. */
START_TEST(homes)
{
	struct profile *p;
	struct why why;

	setenv("XDG_CONFIG_HOME", "relative", 1);
	setenv("HOME", at("home"), 1);
	ck_assert_int_eq(profile_open(&p, &why), Q_OK);
	profile_close(p);
	ck_assert(exists("home/.config/quintet/keys"));
	unsetenv("HOME");
	ck_assert_int_eq(profile_open(&p, &why), Q_MISSING);
	ck_assert_ptr_nonnull(strstr(why.text, "neither XDG_CONFIG_HOME nor HOME"));
	/* A file where a folder should be. */
	spill("file", span_str("x"));
	setenv("HOME", at("file"), 1);
	ck_assert_int_eq(profile_open(&p, &why), Q_SYS);
	ck_assert_ptr_nonnull(strstr(why.text, "Not a directory"));
}
END_TEST

/* No room on the disk: the old file stays whole, nothing is left beside it. */
START_TEST(no_room)
{
	struct profile *p = open_profile();
	struct rlimit limit = {4096, 4096};
	struct buf big = BUF_INIT(1 << 16), got = BUF_INIT(1 << 16);
	struct target t = {"localhost", 9034};
	struct why why;

	ck_assert_int_eq(profile_pin_ca(p, &t, span_str("old"), &why), Q_OK);
	ck_assert_int_eq(buf_reserve(&big, 8192), Q_OK);
	memset(big.p, 'x', 8192);
	big.len = 8192;
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_ne(profile_pin_ca(p, &t, buf_span(&big), &why), Q_OK);
	ck_assert_ptr_nonnull(strstr(why.text, "cannot write localhost:9034.pem"));
	ck_assert_int_ne(profile_add_key(p, "alice", buf_span(&big), &why), Q_OK);
	ck_assert(!profile_has_key(p, "alice"));
	got = slurp("config/deep/quintet/servers/localhost:9034.pem");
	ck_assert(span_eq(buf_span(&got), span_str("old")));
	ck_assert_int_eq(count_names("config/deep/quintet/servers", ""), 1);
	ck_assert_int_eq(count_names("config/deep/quintet/keys", ""), 0);
	buf_free(&got);
	buf_free(&big);
	profile_close(p);
}
END_TEST

START_TEST(reading)
{
	struct buf out = BUF_INIT(2048);
	struct why why;

	ck_assert_int_eq(buf_put_str(&out, "before"), Q_OK);
	spill("large", span_of("x", 1));
	ck_assert_int_eq(truncate(at("large"), 4096), 0);
	ck_assert_int_eq(private_read(AT_FDCWD, at("large"), PRIVATE_PUBLIC, &out, &why),
			 Q_LIMIT);
	ck_assert_uint_eq(out.len, 6);
	ck_assert_int_eq(private_read(AT_FDCWD, tempdir, PRIVATE_PUBLIC, &out, &why),
			 Q_FORMAT);
	ck_assert_int_eq(mkfifo(at("pipe"), 0600), 0);
	ck_assert_int_eq(private_read(AT_FDCWD, at("pipe"), PRIVATE_PUBLIC, &out, &why),
			 Q_FORMAT);
	ck_assert_uint_eq(out.len, 6);
	buf_free(&out);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client profile");
	TCase *t = tcase_create("profile");

	tcase_add_checked_fixture(t, tempdir_make, tempdir_remove);
	tcase_add_test(t, keys);
	tcase_add_test(t, pins);
	tcase_add_test(t, last_user);
	tcase_add_test(t, homes);
	tcase_add_test(t, no_room);
	tcase_add_test(t, reading);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
