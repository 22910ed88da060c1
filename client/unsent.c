/* SPDX-License-Identifier: MIT */
#include "client/unsent.h"

#include <assert.h>
#include <string.h>

#define HEAD_LEN (1 + 4)

/* The record at the front of the kept ones: its name, its text, its length. */
static size_t
first(const struct buf *kept, size_t at, char name[NAME_SIZE], struct span *text)
{
	const uint8_t *p = kept->p + at;
	size_t name_len = p[0], text_len;

	memcpy(name, p + 1, name_len);
	name[name_len] = '\0';
	text_len = le32_get(p + 1 + name_len);
	*text = span_of(p + HEAD_LEN + name_len, text_len);
	return HEAD_LEN + name_len + text_len;
}

void
unsent_fini(struct unsent *u)
{
	buf_wipe(&u->kept);
	u->forgotten = u->count = 0;
}

static void
drop_first(struct unsent *u)
{
	char name[NAME_SIZE];
	struct span text;

	buf_consume(&u->kept, first(&u->kept, 0, name, &text));
}

void
unsent_add(struct unsent *u, const char *name, struct span text)
{
	size_t name_len = strlen(name), need = HEAD_LEN + name_len + text.len;

	assert(name_len < NAME_SIZE);
	while (u->kept.len > 0 && need + u->kept.len > UNSENT_MAX) {
		drop_first(u);
		u->forgotten++;
	}
	u->count++;
	if (buf_reserve(&u->kept, need) != Q_OK) {
		/* Without memory for this one there is no order to keep either. */
		buf_wipe(&u->kept);
		u->forgotten = u->count;
		return;
	}
	(void)buf_put_u8(&u->kept, (uint8_t)name_len);
	(void)buf_put(&u->kept, name, name_len);
	(void)buf_put_u32(&u->kept, (uint32_t)text.len);
	(void)buf_put_span(&u->kept, text);
}

void
unsent_join(struct unsent *u, struct unsent *more)
{
	char name[NAME_SIZE];
	struct span text;
	size_t at = 0;

	while (at < more->kept.len) {
		at += first(&more->kept, at, name, &text);
		unsent_add(u, name, text);
	}
	unsent_fini(more);
}

bool
unsent_first(const struct unsent *u, struct buf *text)
{
	char name[NAME_SIZE];
	struct span kept;

	if (u->count == 0)
		return false;
	if (u->forgotten == 0) {
		(void)first(&u->kept, 0, name, &kept);
		(void)buf_put_span(text, kept);
	}
	return true;
}

void
unsent_arrived(struct unsent *u, size_t n)
{
	assert(n <= u->count);
	u->count -= n;
	while (n > 0 && u->forgotten > 0) {
		u->forgotten--;
		n--;
	}
	for (; n > 0; n--)
		drop_first(u);
}

void
unsent_tell(struct unsent *u, const struct client_env *env)
{
	struct buf kept = u->kept;
	char name[NAME_SIZE];
	struct span text;
	size_t at = 0;

	/* Whoever is told may say something new. */
	u->kept = (struct buf)BUF_INIT(2 * UNSENT_MAX);
	u->forgotten = u->count = 0;
	while (at < kept.len) {
		at += first(&kept, at, name, &text);
		client_tell(env, CLIENT_UNSENT, name, text);
	}
	buf_wipe(&kept);
}
