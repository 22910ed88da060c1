/* SPDX-License-Identifier: MIT */
#include "client/rooms_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/text.h"
#include "crypto/random.h"

void
rooms_memory_init(struct rooms_memory *m)
{
	uint8_t random[8];

	*m = (struct rooms_memory){.numbers = 0};
	TAILQ_INIT(&m->going);
	/* Refs are remembered by the server for a day, over all runs of all clients. */
	random_bytes(random, sizeof(random));
	hex_encode(span_of(random, sizeof(random)), m->ref_prefix);
}

void
rooms_memory_fini(struct rooms_memory *m)
{
	while (!TAILQ_EMPTY(&m->going))
		rooms_going_drop(m, TAILQ_FIRST(&m->going));
	free(m->shown);
	free(m->labels);
	m->shown = NULL;
	m->labels = NULL;
}

void
rooms_memory_ref(struct rooms_memory *m, char out[ROOMS_REF_SIZE])
{
	snprintf(out, ROOMS_REF_SIZE, "%s-%" PRIu64, m->ref_prefix, ++m->refs);
}

/* ---- on their way ---- */

enum qerr
rooms_going_add(struct rooms_memory *m, const struct uuid *room, const char *label,
		enum rooms_format format, struct buf *plain, struct rooms_going **out)
{
	struct rooms_going *p;

	if (m->going_count == ROOMS_GOING_MAX ||
	    plain->len > ROOMS_GOING_BYTES - m->going_bytes)
		return Q_FULL;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return Q_NOMEM;
	p->room = *room;
	p->format = format;
	p->plain = *plain;
	*plain = (struct buf)BUF_INIT(plain->max);
	strlcpy(p->label, label, sizeof(p->label));
	rooms_memory_ref(m, p->ref);
	TAILQ_INSERT_TAIL(&m->going, p, next);
	m->going_count++;
	m->going_bytes += p->plain.len;
	*out = p;
	return Q_OK;
}

struct rooms_going *
rooms_going_find(struct rooms_memory *m, struct span ref)
{
	struct rooms_going *p;

	TAILQ_FOREACH (p, &m->going, next)
		if (span_eq(span_str(p->ref), ref))
			return p;
	return NULL;
}

void
rooms_going_drop(struct rooms_memory *m, struct rooms_going *p)
{
	TAILQ_REMOVE(&m->going, p, next);
	m->going_count--;
	m->going_bytes -= p->plain.len;
	buf_wipe(&p->plain);
	free(p);
}

void
rooms_going_again(struct rooms_memory *m)
{
	struct rooms_going *p;

	TAILQ_FOREACH (p, &m->going, next)
		p->sent = false;
}

size_t
rooms_going_texts(const struct rooms_memory *m)
{
	const struct rooms_going *p;
	size_t n = 0;

	TAILQ_FOREACH (p, &m->going, next)
		n += p->called[0] == '\0';
	return n;
}

struct rooms_going *
rooms_going_file(const struct rooms_memory *m)
{
	struct rooms_going *p;

	TAILQ_FOREACH (p, &m->going, next)
		if (p->called[0] != '\0')
			return p;
	return NULL;
}

void
rooms_going_tell(struct rooms_memory *m, const struct client_env *env)
{
	struct rooms_going *p;

	while ((p = TAILQ_FIRST(&m->going)) != NULL) {
		client_tell(env, CLIENT_UNSENT, p->label,
			    p->called[0] != '\0' ? span_str(p->called)
						 : buf_span(&p->plain));
		rooms_going_drop(m, p);
	}
}

/* ---- numbers ---- */

struct rooms_shown *
rooms_shown_of(struct rooms_memory *m, uint64_t number)
{
	struct rooms_shown *s;

	if (m->shown == NULL || number == 0)
		return NULL;
	s = &m->shown[number % ROOMS_SHOWN_MAX];
	return s->number == number ? s : NULL;
}

static uint64_t
oldest(const struct rooms_memory *m)
{
	return m->numbers >= ROOMS_SHOWN_MAX ? m->numbers - ROOMS_SHOWN_MAX + 1 : 1;
}

struct rooms_shown *
rooms_shown_find(struct rooms_memory *m, const struct uuid *room, const struct uuid *msg)
{
	if (m->shown == NULL || uuid_is_nil(msg))
		return NULL;
	for (uint64_t n = m->numbers; n >= oldest(m); n--) {
		struct rooms_shown *s = &m->shown[n % ROOMS_SHOWN_MAX];

		if (uuid_eq(&s->msg, msg) && uuid_eq(&s->room, room))
			return s;
	}
	return NULL;
}

struct rooms_shown *
rooms_shown_last(struct rooms_memory *m, const struct uuid *room, bool own,
		 const struct uuid *msg)
{
	struct rooms_shown *last = NULL;

	if (m->shown == NULL)
		return NULL;
	/* Numbers are given as messages are shown, older ones by /sync later. */
	for (uint64_t n = m->numbers; n >= oldest(m); n--) {
		struct rooms_shown *s = &m->shown[n % ROOMS_SHOWN_MAX];

		if (!uuid_eq(&s->room, room) || (own && !s->own) || uuid_is_nil(&s->msg))
			continue;
		if (msg != NULL && uuid_cmp(&s->msg, msg) > 0)
			continue;
		if (last == NULL || uuid_cmp(&s->msg, &last->msg) > 0)
			last = s;
	}
	return last;
}

struct rooms_shown *
rooms_shown_add(struct rooms_memory *m, const struct uuid *room, const struct uuid *msg,
		const char *from)
{
	struct rooms_shown *s = rooms_shown_find(m, room, msg);

	if (s != NULL)
		return s;
	if (m->shown == NULL &&
	    (m->shown = calloc(ROOMS_SHOWN_MAX, sizeof(*m->shown))) == NULL)
		return NULL;
	s = &m->shown[++m->numbers % ROOMS_SHOWN_MAX];
	*s = (struct rooms_shown){.number = m->numbers, .room = *room, .msg = *msg};
	strlcpy(s->from, from, sizeof(s->from));
	return s;
}

/* ---- labels ---- */

/* A word of at most max characters that can be typed: what cannot becomes '-', one for
 * any number. */
static void
make_word(struct span name, char *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < name.len && n < max; i++) {
		uint8_t c = name.p[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';

		if (good)
			out[n++] = (char)c;
		else if (n > 0 && out[n - 1] != '-')
			out[n++] = '-';
	}
	while (n > 0 && out[n - 1] == '-')
		n--;
	out[n] = '\0';
	if (n == 0)
		strlcpy(out, "room", max + 1);
}

static bool
taken(const struct rooms_memory *m, const char *label)
{
	for (size_t i = 0; i < m->label_count; i++)
		if (strcasecmp(m->labels[i].text, label) == 0)
			return true;
	return false;
}

/* Two rooms may have one name; the end of the id tells them apart. */
static void
make_label(const struct rooms_memory *m, const struct uuid *room, enum rooms_kind kind,
	   struct span name, const char *partner, char out[ROOMS_LABEL_SIZE])
{
	char id[UUID_SIZE], word[ROOMS_LABEL_SIZE];

	uuid_text(room, id);
	strlcpy(word, partner, sizeof(word));
	if (kind != ROOMS_DIRECT || partner[0] == '\0')
		make_word(kind == ROOMS_DIRECT ? span_str("alone") : name, word,
			  ROOMS_LABEL_SIZE - 2);
	if (kind == ROOMS_DIRECT && partner[0] != '\0')
		strlcpy(out, partner, ROOMS_LABEL_SIZE);
	else
		snprintf(out, ROOMS_LABEL_SIZE, "#%.*s", ROOMS_LABEL_SIZE - 2, word);
	for (int n = 4; taken(m, out) && n <= 12; n += 4)
		snprintf(out, ROOMS_LABEL_SIZE, "#%.*s.%.*s", ROOMS_LABEL_SIZE - 3 - n,
			 word, n, id + UUID_LEN - n);
}

const char *
rooms_label_of(struct rooms_memory *m, const struct uuid *room, enum rooms_kind kind,
	       struct span name, const char *partner)
{
	struct rooms_label *more;

	for (size_t i = 0; i < m->label_count; i++)
		if (uuid_eq(&m->labels[i].room, room))
			return m->labels[i].text;
	if (m->label_count == m->label_room) {
		size_t room_for = m->label_room > 0 ? 2 * m->label_room : 16;

		more = reallocarray(m->labels, room_for, sizeof(*more));
		if (more == NULL)
			return NULL;
		m->labels = more;
		m->label_room = room_for;
	}
	more = &m->labels[m->label_count];
	more->room = *room;
	make_label(m, room, kind, name, partner, more->text);
	m->label_count++;
	return more->text;
}

void
rooms_label_forget(struct rooms_memory *m, const struct uuid *room)
{
	for (size_t i = 0; i < m->label_count; i++)
		if (uuid_eq(&m->labels[i].room, room)) {
			m->labels[i] = m->labels[--m->label_count];
			return;
		}
}
