/* SPDX-License-Identifier: MIT
 *
 * The safety number, and what /trust and /verify do and say.
 */
#include "tests/unit/trust_aid.h"

#include <string.h>

#include "client/pins.h"
#include "client/verify.h"

/* ---- the number ---- */

/* Computed apart from this program, by the description in verify.h, in Python. */
START_TEST(number)
{
	uint8_t one[SHA256_LEN], two[SHA256_LEN];
	struct verify_side a = {"Alice", one}, b = {"bob", two}, c = {"bobo", two};
	char out[VERIFY_NUMBER_SIZE], other[VERIFY_NUMBER_SIZE];

	for (int i = 0; i < SHA256_LEN; i++) {
		one[i] = (uint8_t)i;
		two[i] = (uint8_t)(255 - i);
	}
	ck_assert_int_eq(verify_number(&a, &b, out), Q_OK);
	ck_assert_str_eq(out, "44768 12981 26420 65728 61404 92996");
	ck_assert_int_eq(verify_number(&b, &a, other), Q_OK);
	ck_assert_str_eq(out, other);
	a.name = "aLICE";
	ck_assert_int_eq(verify_number(&a, &b, other), Q_OK);
	ck_assert_str_eq(out, other);
	ck_assert_int_eq(verify_number(&a, &c, other), Q_OK);
	ck_assert_str_ne(out, other);
	two[31] ^= 1;
	ck_assert_int_eq(verify_number(&a, &b, other), Q_OK);
	ck_assert_str_ne(out, other);
}
END_TEST

/* ---- a machine that has a partner ---- */

#define A                                                  \
	"86:3F:1B:F9:55:F8:0D:37:AD:3A:A4:40:40:67:4E:A8:" \
	"85:CC:C6:52:4A:19:3E:03:39:D6:58:F0:FD:C6:95:1C"
#define B                                                  \
	"00:3F:1B:F9:55:F8:0D:37:AD:3A:A4:40:40:67:4E:A8:" \
	"85:CC:C6:52:4A:19:3E:03:39:D6:58:F0:FD:C6:95:1C"

static struct client_login login;
static struct client_view view;
static char said[1024]; /* the last event */

static void
on_event(void *arg, const struct client_event *e)
{
	(void)arg;
	snprintf(said, sizeof(said), "%d %s %s %.*s %u", (int)e->kind,
		 e->name != NULL ? e->name : "-", e->fingerprint, (int)e->text.len,
		 (const char *)e->text.p, (unsigned)e->count);
}

static const struct client_env env = {
    .login = &login,
    .server = "h:1",
    .view = &view,
    .event = on_event,
};

static void
setup(void)
{
	aid_setup();
	strcpy(login.user, "alice");
	ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &login.key), Q_OK);
	ck_assert_int_eq(pins_open(profile, ca, "alice", &login.pins, NULL), Q_OK);
}

static void
teardown(void)
{
	key_free(login.key);
	pins_close(login.pins);
	aid_teardown();
}

#define SAID(...)                                                      \
	do {                                                           \
		char wanted_[1024];                                    \
		snprintf(wanted_, sizeof(wanted_), __VA_ARGS__);       \
		ck_assert_msg(strcmp(said, wanted_) == 0, "%s", said); \
		said[0] = '\0';                                        \
	} while (0)

static enum qerr
ask(enum client_verb verb, const char *arg, struct why *why)
{
	return verify_do(&env, verb, span_str(arg), why);
}

/* The key is shown, the partner proves it, and we chat. */
static void
chat(const char *key)
{
	struct why why;

	ck_assert_int_eq(verify_partner(&env, "bob", key, &why), Q_OK);
	verify_proven(&env, "bob");
	view.phase = CLIENT_PHASE_CHATTING;
	strcpy(view.partner, "bob");
}

START_TEST(first_use)
{
	chat(A);
	SAID("%d bob %s  0", CLIENT_KEY_NEW, A);
	ck_assert_str_eq(view.fingerprint, A);
	ck_assert(!view.verified);
	chat(A);
	SAID("%s", "");
}
END_TEST

/* A key that was shown but never proven is not pinned. */
START_TEST(unproven)
{
	ck_assert_int_eq(verify_partner(&env, "bob", A, NULL), Q_OK);
	chat(B);
	SAID("%d bob %s  0", CLIENT_KEY_NEW, B);
}
END_TEST

START_TEST(changed)
{
	struct why why = {""};

	chat(A);
	said[0] = '\0';
	view = (struct client_view){.phase = CLIENT_PHASE_KEYING};
	ck_assert_int_eq(verify_partner(&env, "bob", B, &why), Q_DENIED);
	ck_assert_str_eq(why.text, "the key of bob has changed");
	SAID("%d bob %s %s 0", CLIENT_KEY_CHANGED, B, A);
	ck_assert_str_eq(view.fingerprint, "");
	ck_assert_int_eq(ask(CLIENT_DO_TRUST, "carol", &why), Q_MISSING);
	ck_assert_int_eq(ask(CLIENT_DO_TRUST, "", &why), Q_FORMAT);
	ck_assert_int_eq(ask(CLIENT_DO_TRUST, "Bob", &why), Q_OK);
	SAID("%d Bob %s %s 0", CLIENT_KEY_TRUSTED, B, A);
	ck_assert_int_eq(ask(CLIENT_DO_TRUST, "bob", &why), Q_MISSING);
	ck_assert_int_eq(verify_partner(&env, "bob", B, &why), Q_OK);
	ck_assert_int_eq(verify_partner(&env, "bob", A, &why), Q_DENIED);
}
END_TEST

START_TEST(verified)
{
	struct why why;

	ck_assert_int_eq(ask(CLIENT_DO_VERIFY, "", &why), Q_DENIED);
	chat(A);
	ck_assert_int_eq(ask(CLIENT_DO_VERIFY, "maybe", &why), Q_FORMAT);
	ck_assert_int_eq(ask(CLIENT_DO_VERIFY, "yes", &why), Q_OK);
	SAID("%d bob %s  1", CLIENT_VERIFIED, A);
	ck_assert(view.verified);
	ck_assert_int_eq(ask(CLIENT_DO_VERIFY, "", &why), Q_OK);
	ck_assert_ptr_nonnull(strstr(said, " 1"));
	/* Remembered, until the key is another one. */
	view = (struct client_view){.phase = CLIENT_PHASE_KEYING};
	chat(A);
	ck_assert(view.verified);
	ck_assert_int_eq(ask(CLIENT_DO_VERIFY, "no", &why), Q_OK);
	ck_assert(!view.verified);
	ck_assert_int_eq(ask(CLIENT_DO_VERIFY, "yes", &why), Q_OK);
	ck_assert_int_eq(verify_partner(&env, "bob", B, &why), Q_DENIED);
	ck_assert_int_eq(ask(CLIENT_DO_TRUST, "bob", &why), Q_OK);
	view = (struct client_view){.phase = CLIENT_PHASE_KEYING};
	chat(B);
	ck_assert(!view.verified);
}
END_TEST

START_TEST(no_keys)
{
	struct client_login bare = {.key = NULL};
	struct client_env other = env;
	struct why why;

	other.login = &bare;
	ck_assert_int_eq(verify_do(&other, CLIENT_DO_VERIFY, span_str(""), &why),
			 Q_DENIED);
	ck_assert_int_eq(verify_do(&other, CLIENT_DO_TRUST, span_str("bob"), &why),
			 Q_DENIED);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("verify");
	TCase *t = tcase_create("verify");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, number);
	tcase_add_test(t, first_use);
	tcase_add_test(t, unproven);
	tcase_add_test(t, changed);
	tcase_add_test(t, verified);
	tcase_add_test(t, no_keys);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_main(suite());
}
