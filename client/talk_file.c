/* SPDX-License-Identifier: MIT
 *
 * Files in messages.  A 220 names only a MediaID; type and size are learned from the
 * contents, so each file that is shown is fetched once, one after the other, and let
 * go again: most are looked at and never kept.  What the message says is what the file
 * is called.
 */
#include "client/talk.h"

#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/text.h"

#define ID_TEXT 20

/* Bytes that a file may have: in base64, with its type, its name (255 bytes, each
 * perhaps escaped) and 115 around it, it has to fit a line. */
#define FILE_MAX ((CONTACTS_MEDIA_LINE_MAX - 1024) / 4 * 3)

static void
tell_file(struct talk *m, enum client_event_kind kind, const struct talk_file *f,
	  const char *type, uint64_t size, struct span content)
{
	struct client_event e = {.kind = kind,
				 .name = f->from,
				 .id = f->id,
				 .text = span_of(f->called, f->called_len),
				 .type = type,
				 .count = size,
				 .content = content};

	m->env->event(m->env->event_arg, &e);
}

/* ---- files that are mentioned ---- */

void
talk_file_mentioned(struct talk *m, uint64_t id, const char *from, struct span called)
{
	struct talk_file f = {.id = id};

	strlcpy(f.from, from, sizeof(f.from));
	f.called_len = called.len < FILE_CALLED ? called.len : FILE_CALLED;
	while (f.called_len > 0 && f.called_len < called.len &&
	       (called.p[f.called_len] & 0xc0) == 0x80)
		f.called_len--; /* whole characters */
	if (f.called_len > 0)
		memcpy(f.called, called.p, f.called_len);
	m->known[m->known_next++ % FILES_MAX] = f;
	if (m->files_count == FILES_MAX)
		tell_file(m, CLIENT_FILE, &f, NULL, 0, span_of(NULL, 0));
	else
		m->files[m->files_count++] = f;
}

void
talk_files_settle(struct talk *m)
{
	struct contacts_request r = {.code = CONTACTS_MEDIA};

	if (m->files_count == 0 || m->file_asked)
		return;
	r.id = m->files[0].id;
	m->file_asked = talk_ask(m, &r, false) == Q_OK;
}

/* ---- 227 ---- */

/* The type as a string; what is given without one is text. */
static void
type_of(const struct contacts_media *media, char out[CONTACTS_MEDIA_TYPE_MAX + 1])
{
	if (media->type.len == 0) {
		strlcpy(out, CONTACTS_MEDIA_TYPE_DEFAULT, CONTACTS_MEDIA_TYPE_MAX + 1);
		return;
	}
	memcpy(out, media->type.p, media->type.len);
	out[media->type.len] = '\0';
}

static void
on_contents(struct talk *m, const struct contacts_media *media)
{
	char type[CONTACTS_MEDIA_TYPE_MAX + 1];

	m->scratch.len = 0;
	if (buf_reserve(&m->scratch, media->size + 3) != Q_OK) {
		talk_failed(m, "there is no memory for the file");
		return;
	}
	contacts_media_decode(media, m->scratch.p);
	type_of(media, type);
	m->doing = false;
	tell_file(m, CLIENT_FILE_CONTENTS, &m->doing_file, type, media->size,
		  span_of(m->scratch.p, media->size));
}

static void
on_description(struct talk *m, bool good, const struct contacts_media *media)
{
	char type[CONTACTS_MEDIA_TYPE_MAX + 1];
	struct talk_file f = m->files[0];

	m->file_asked = false;
	m->files_count--;
	memmove(&m->files[0], &m->files[1], m->files_count * sizeof(m->files[0]));
	if (good)
		type_of(media, type);
	tell_file(m, CLIENT_FILE, &f, good ? type : NULL, good ? media->size : 0,
		  span_of(NULL, 0));
}

void
talk_on_file(struct talk *m, bool shown, const struct contacts_reply *r)
{
	struct contacts_media media = {0};
	bool good = r->status == CONTACTS_OK && r->argc == 1 &&
		    contacts_media_parse(r->arg[0], &media) == Q_OK;
	char reason[128];

	if (r->status == CONTACTS_OK && !good) {
		talk_broken(m);
	} else if (!shown) {
		on_description(m, good, &media);
	} else if (good) {
		on_contents(m, &media);
	} else {
		talk_reason(CONTACTS_MEDIA, r->status, "", reason, sizeof(reason));
		talk_failed(m, "%s", reason);
	}
}

/* ---- what a person asks for ---- */

static bool
parse_id(struct span s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.len == 0 || s.len >= ID_TEXT)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = 10 * v + (uint64_t)(s.p[i] - '0');
	}
	*out = v;
	return v > 0 && v <= INT64_MAX;
}

enum qerr
talk_do_save(struct talk *m, struct span arg, struct why *why)
{
	struct contacts_request r = {.code = CONTACTS_MEDIA};

	if (!parse_id(arg, &r.id))
		return why_set(why, Q_FORMAT, "\"%.*s\" is no number of a file",
			       (int)(arg.len < 32 ? arg.len : 32), (const char *)arg.p);
	if (talk_ask(m, &r, true) != Q_OK)
		return why_set(why, Q_FULL, "too much is waiting to be sent");
	m->doing_file = (struct talk_file){.id = r.id};
	for (size_t i = 0; i < FILES_MAX; i++)
		if (m->known[i].id == r.id)
			m->doing_file = m->known[i];
	m->doing = true;
	m->verb = CLIENT_DO_SAVE;
	return Q_OK;
}

enum qerr
talk_do_send(struct talk *m, struct span arg, struct why *why)
{
	struct contacts_request r = {.code = CONTACTS_SEND, .id = m->open};
	const uint8_t *nul = arg.len > 0 ? memchr(arg.p, '\0', arg.len) : NULL;
	struct contacts_media media;
	size_t called;

	if (m->open == 0)
		return why_set(why, Q_DENIED,
			       "not sent: no chat is open; /chat NAME opens one");
	if (nul == NULL)
		return why_set(why, Q_FORMAT, "not sent: this is no file");
	called = (size_t)(nul - arg.p);
	r.arg[0] = span_of(arg.p, called);
	r.arg[1] = span_of(nul + 1, arg.len - called - 1);
	if (called >= FILE_CALLED || !utf8_valid(r.arg[0]) ||
	    contacts_media_parse(r.arg[1], &media) != Q_OK)
		return why_set(why, Q_FORMAT,
			       "not sent: the file is empty, or its name is "
			       "too long or not UTF-8");
	if (media.size > FILE_MAX)
		return why_set(why, Q_LIMIT,
			       "not sent: %zu bytes are too many, %d at most", media.size,
			       FILE_MAX);
	if (talk_ask(m, &r, true) != Q_OK)
		return why_set(why, Q_FULL, "not sent: too much is waiting to be sent");
	unsent_add(&m->unsent, m->env->view->partner, r.arg[0]);
	m->doing = true;
	m->verb = CLIENT_DO_SEND;
	m->doing_file = (struct talk_file){.id = media.size, .called_len = called};
	memcpy(m->doing_file.called, arg.p, called);
	return Q_OK;
}

void
talk_file_sent(struct talk *m)
{
	talk_done(m, "sent %.*s, %llu bytes", (int)m->doing_file.called_len,
		  (const char *)m->doing_file.called,
		  (unsigned long long)m->doing_file.id);
}
