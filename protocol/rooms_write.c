/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "protocol/rooms_priv.h"

void
rooms_w_raw(struct rooms_writing *w, const char *text)
{
	if (w->e == Q_OK)
		w->e = buf_put_str(w->out, text);
}

/* A comma, unless this is the first of its object or array. */
static void
separate(struct rooms_writing *w)
{
	uint8_t last = w->out->len > 0 ? w->out->p[w->out->len - 1] : '{';

	if (last != '{' && last != '[')
		rooms_w_raw(w, ",");
}

void
rooms_w_key(struct rooms_writing *w, const char *key)
{
	separate(w);
	if (key == NULL)
		return;
	rooms_w_raw(w, "\"");
	rooms_w_raw(w, key);
	rooms_w_raw(w, "\":");
}

void
rooms_w_open(struct rooms_writing *w, const char *key, char bracket)
{
	rooms_w_key(w, key);
	rooms_w_raw(w, bracket == '{' ? "{" : "[");
}

void
rooms_w_close(struct rooms_writing *w, char bracket)
{
	rooms_w_raw(w, bracket == '{' ? "}" : "]");
}

void
rooms_w_text(struct rooms_writing *w, const char *key, struct span s)
{
	rooms_w_key(w, key);
	if (w->e == Q_OK)
		w->e = json_put_text_or_null(w->out, s);
}

void
rooms_w_str(struct rooms_writing *w, const char *key, const char *s)
{
	rooms_w_text(w, key, span_str(s));
}

void
rooms_w_int(struct rooms_writing *w, const char *key, int64_t n)
{
	rooms_w_key(w, key);
	if (w->e == Q_OK)
		w->e = json_put_int(w->out, n);
}

void
rooms_w_bool(struct rooms_writing *w, const char *key, bool b)
{
	rooms_w_key(w, key);
	if (w->e == Q_OK)
		w->e = json_put_bool(w->out, b);
}

void
rooms_w_id(struct rooms_writing *w, const char *key, const struct uuid *u)
{
	char text[UUID_SIZE];

	if (u == NULL) {
		rooms_w_text(w, key, (struct span){NULL, 0});
		return;
	}
	uuid_text(u, text);
	rooms_w_str(w, key, text);
}

void
rooms_w_names(struct rooms_writing *w, const char *key, const struct rooms_names *names)
{
	rooms_w_open(w, key, '[');
	for (size_t i = 0; i < names->n; i++)
		rooms_w_text(w, NULL, names->p[i]);
	rooms_w_close(w, '[');
}
