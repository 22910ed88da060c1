/* SPDX-License-Identifier: MIT */
#include "tests/system/nodes_labs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct lab lab[LABS_MAX];
const char *const lab_users[LABS_MAX] = {"alice", "bob", "carol"};

void
lab_fingerprint(const struct key *key, char out[LAB_FINGERPRINT_SIZE])
{
	uint8_t sum[SHA256_LEN];

	ck_assert_int_eq(key_fingerprint(key, sum), Q_OK);
	hex_encode(span_of(sum, sizeof(sum)), out);
}

void
labs_make(int n)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);

	for (int i = 0; i < n; i++) {
		struct lab *l = &lab[i];

		l->h = harness_new();
		harness_choose_port(l->h);
		ck_assert_int_eq(key_generate(KEY_EC_P256, 0, &l->key), Q_OK);
		lab_fingerprint(l->key, l->fingerprint);
		pem.len = 0;
		ck_assert_int_eq(key_private_pem(l->key, NULL, &pem), Q_OK);
		harness_make_folder(l->h, "server");
		harness_make_folder(l->h, "pems");
		harness_make_folder(l->h, "nodes");
		harness_write(l->h, "server/key.pem", buf_span(&pem));
		harness_add_users(l->h, lab_users[i], NULL);
	}
	buf_wipe(&pem);
}

static char *
keep_setting(struct harness *h, const char *setting)
{
	char *copy = strdup(setting);

	ck_assert_ptr_nonnull(copy);
	ck_assert_uint_lt(h->setting_count, sizeof(h->settings) / sizeof(h->settings[0]));
	h->settings[h->setting_count++] = copy;
	return copy;
}

void
lab_boot(int i, const char *dials, const char *admits, const struct key *stranger, ...)
{
	struct buf peers = BUF_INIT(8192);
	char fingerprint[LAB_FINGERPRINT_SIZE];
	struct harness *h = lab[i].h;
	const char *setting;
	va_list ap;

	ck_assert_int_eq(buf_printf(&peers, "nodes.peers="), Q_OK);
	for (; *dials != '\0'; dials++) {
		struct lab *to = &lab[*dials - '0'];

		if (to->place[0] == '\0')
			snprintf(to->place, sizeof(to->place), "127.0.0.1:%u",
				 to->h->port);
		ck_assert_int_eq(buf_printf(&peers, "%s@%s,", to->fingerprint, to->place),
				 Q_OK);
	}
	for (; *admits != '\0'; admits++)
		ck_assert_int_eq(
		    buf_printf(&peers, "%s,", lab[*admits - '0'].fingerprint), Q_OK);
	if (stranger != NULL) {
		lab_fingerprint(stranger, fingerprint);
		ck_assert_int_eq(buf_printf(&peers, "%s", fingerprint), Q_OK);
	}
	ck_assert_int_eq(buf_put_u8(&peers, '\0'), Q_OK);
	keep_setting(h, (const char *)peers.p);
	keep_setting(h, "nodes.redial_min=20ms");
	keep_setting(h, "nodes.redial_max=200ms");
	va_start(ap, stranger);
	while ((setting = va_arg(ap, const char *)) != NULL)
		keep_setting(h, setting);
	va_end(ap);
	buf_free(&peers);
	/* Tests that wait for it say less, here or in a file that is read later. */
	harness_write(h, "server/server.conf",
		      span_str("[nodes]\nsearch_timeout = 20s\n"));
	harness_boot(h, NULL);
}

static void
ctl_nodes(int i, struct buf *out)
{
	ck_assert_int_eq(harness_command(lab[i].h, out, "ctl", "nodes", NULL), 0);
	ck_assert_int_eq(buf_put_u8(out, '\0'), Q_OK);
}

int
lab_links(int i)
{
	struct buf out = BUF_INIT(1 << 20);
	char *line, *rest;
	int n = 0;

	ctl_nodes(i, &out);
	rest = (char *)out.p;
	while ((line = strsep(&rest, "\n")) != NULL)
		n += strncmp(line, "linked ", 7) == 0 && strstr(line, "spare") == NULL;
	buf_free(&out);
	return n;
}

bool
lab_says(int i, const char *text)
{
	struct buf out = BUF_INIT(1 << 20);
	bool yes;

	ctl_nodes(i, &out);
	yes = strstr((const char *)out.p, text) != NULL;
	buf_free(&out);
	return yes;
}

void
labs_free(void)
{
	for (int i = 0; i < LABS_MAX; i++) {
		if (lab[i].h != NULL)
			harness_free(lab[i].h);
		key_free(lab[i].key);
		lab[i] = (struct lab){.h = NULL};
	}
}
