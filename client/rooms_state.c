/* SPDX-License-Identifier: MIT */
#include "client/rooms_state.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <bsd/string.h>

#include "client/private.h"
#include "crypto/random.h"

#define POSITION_MAX (1024 * 1024) /* bytes of a file */

struct rooms_ctr {
	char keyid[ROOMS_KEYID_SIZE];
	uint64_t ctr;
};
struct rooms_position {
	struct uuid room;
	int64_t seq;
	struct rooms_ctr *ctrs;
	size_t count, max;
	bool dirty;
};

/* ---- the chat key and the token ---- */

static enum qerr
read_key(struct rooms_state *s, struct why *why)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	enum qerr e = private_read(s->fd, "chat-key.pem", PRIVATE_SECRET, &pem, why);

	if (e == Q_OK &&
	    ((e = key_parse_private(buf_span(&pem), NULL, &s->key)) != Q_OK ||
	     key_kind(s->key) != KEY_EC_P256))
		e = why_set(
		    why, Q_FORMAT,
		    "the chat key below rooms is damaged: remove chat-key.pem, and "
		    "a new one is made");
	buf_wipe(&pem);
	return e;
}

static enum qerr
make_key(const struct rooms_state *s, struct why *why)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct key *key = NULL;
	enum qerr e;

	if ((e = key_generate(KEY_EC_P256, 0, &key)) != Q_OK ||
	    (e = key_private_pem(key, NULL, &pem)) != Q_OK)
		why_set(why, e, "a key could not be made: %s", qerr_str(e));
	else
		e = private_create(s->fd, "chat-key.pem", buf_span(&pem), why);
	key_free(key);
	buf_wipe(&pem);
	return e == Q_EXISTS ? Q_OK : e; /* another client was faster */
}

static enum qerr
load_key(struct rooms_state *s, struct why *why)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct key *same = NULL;
	enum qerr e = read_key(s, why);

	if (e == Q_MISSING && (e = make_key(s, why)) == Q_OK)
		e = read_key(s, why);
	if (e == Q_OK && ((e = key_public_pem(s->key, &pem)) != Q_OK ||
			  (e = rooms_chat_key(buf_span(&pem), &same, s->keyid)) != Q_OK))
		why_set(why, e, "the chat key cannot be used: %s", qerr_str(e));
	key_free(same);
	buf_free(&pem);
	return e;
}

static enum qerr
load_token(struct rooms_state *s, struct why *why)
{
	struct buf text = BUF_INIT(ROOMS_TOKEN_SIZE);
	enum qerr e = private_read(s->fd, "token", PRIVATE_SECRET, &text, why);

	if (e == Q_OK && text.len > 0 && text.p[text.len - 1] == '\n' &&
	    memchr(text.p, '\0', text.len) == NULL) {
		memcpy(s->token, text.p, text.len - 1);
		s->token[text.len - 1] = '\0';
	}
	buf_wipe(&text);
	return e == Q_MISSING || e == Q_LIMIT ? Q_OK : e;
}

enum qerr
rooms_state_set_token(struct rooms_state *s, const char *token, struct why *why)
{
	char line[ROOMS_TOKEN_SIZE + 1];
	enum qerr e = Q_OK;

	s->refused = false;
	if (strlcpy(s->token, token, sizeof(s->token)) >= sizeof(s->token)) {
		s->token[0] = '\0';
		return why_set(why, Q_LIMIT, "the server's token is too long");
	}
	if (token[0] == '\0')
		(void)unlinkat(s->fd, "token", 0);
	else if (s->remember) {
		snprintf(line, sizeof(line), "%s\n", s->token);
		e = private_replace(s->fd, "token", span_str(line), why);
		secret_wipe(line, sizeof(line));
	}
	return e;
}

enum qerr
rooms_state_keep_captcha(struct rooms_state *s, struct span png,
			 char out[ROOMS_PATH_SIZE], struct why *why)
{
	char link[32], folder[ROOMS_PATH_SIZE - 16] = "";
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", s->fd);
	if ((n = readlink(link, folder, sizeof(folder) - 1)) == -1)
		n = 0;
	folder[n] = '\0';
	snprintf(out, ROOMS_PATH_SIZE, "%s/captcha.png", folder);
	return private_replace(s->fd, "captcha.png", png, why);
}

/* ---- our own counters ---- */

static uint64_t
read_number(int fd, const char *name)
{
	struct buf text = BUF_INIT(32);
	uint64_t n = 0;

	if (private_read(fd, name, PRIVATE_PUBLIC, &text, NULL) == Q_OK)
		for (size_t i = 0; i < text.len && text.p[i] >= '0' && text.p[i] <= '9' &&
				   n < ROOMS_CTR_MAX;
		     i++)
			n = 10 * n + (uint64_t)(text.p[i] - '0');
	buf_free(&text);
	return n;
}

/* Microseconds: counters rise in the order in which people speak, and after everything
 * that was lost here. */
static uint64_t
clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec > 0 ? (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000
			    : 0;
}

/* In place, and not waiting for the disk: if it is lost, the clock is ahead of it. */
static void
write_number(int fd, const char *name, uint64_t n)
{
	int file = openat(fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	static_assert(ROOMS_CTR_MAX < 10000000000000000, "has more digits");
	if (file == -1)
		return;
	(void)dprintf(file, "%016" PRIu64 "\n", n);
	close(file);
}

enum qerr
rooms_state_next_ctr(struct rooms_state *s, uint64_t *out, struct why *why)
{
	uint64_t taken, now = clock_now();
	bool locked = flock(s->fd, LOCK_EX) == 0;

	/* Another client may use this key. */
	if ((taken = read_number(s->fd, "ctr")) < s->ctr)
		taken = s->ctr;
	if (now <= taken)
		now = taken + 1;
	if (now <= ROOMS_CTR_MAX) {
		*out = s->ctr = now;
		write_number(s->fd, "ctr", now);
	}
	if (locked)
		(void)flock(s->fd, LOCK_UN);
	return now <= ROOMS_CTR_MAX
		   ? Q_OK
		   : why_set(why, Q_LIMIT, "the counters of this chat key are used up");
}

/* ---- positions ---- */

static struct rooms_ctr *
ctr_of(struct rooms_position *p, struct span keyid)
{
	struct rooms_ctr *more;

	for (size_t i = 0; i < p->count; i++)
		if (span_eq(span_str(p->ctrs[i].keyid), keyid))
			return &p->ctrs[i];
	if (p->count == p->max) {
		size_t max = p->max > 0 ? 2 * p->max : 8;

		if ((more = reallocarray(p->ctrs, max, sizeof(*more))) == NULL)
			return NULL;
		p->ctrs = more;
		p->max = max;
	}
	more = &p->ctrs[p->count++];
	*more = (struct rooms_ctr){.ctr = 0};
	memcpy(more->keyid, keyid.p, keyid.len);
	return more;
}

static void
take_line(struct rooms_position *p, const char *line)
{
	char keyid[ROOMS_KEYID_SIZE];
	struct rooms_ctr *c;
	uint64_t ctr;
	int64_t seq;

	if (sscanf(line, "seq %" SCNd64, &seq) == 1 && seq > p->seq)
		p->seq = seq;
	if (sscanf(line, "ctr %16[0-9a-f] %" SCNu64, keyid, &ctr) == 2 &&
	    strlen(keyid) == ROOMS_KEYID_LEN &&
	    (c = ctr_of(p, span_str(keyid))) != NULL && ctr > c->ctr)
		c->ctr = ctr;
}

/* Add what the file says: the larger of two numbers counts. */
static enum qerr
read_position(const struct rooms_state *s, struct rooms_position *p)
{
	struct buf text = BUF_INIT(POSITION_MAX + 1);
	char name[UUID_SIZE], *line, *rest;
	enum qerr e;

	uuid_text(&p->room, name);
	e = private_read(s->at, name, PRIVATE_PUBLIC, &text, NULL);
	if (e == Q_OK && (e = buf_put_u8(&text, '\0')) == Q_OK) {
		rest = (char *)text.p;
		while ((line = strsep(&rest, "\n")) != NULL)
			take_line(p, line);
	}
	buf_free(&text);
	return e;
}

static struct rooms_position *
position_of(struct rooms_state *s, const struct uuid *room)
{
	struct rooms_position *p;

	for (size_t i = 0; i < s->position_count; i++)
		if (uuid_eq(&s->positions[i].room, room))
			return &s->positions[i];
	if (s->position_count == s->position_room) {
		size_t max = s->position_room > 0 ? 2 * s->position_room : 16;

		if ((p = reallocarray(s->positions, max, sizeof(*p))) == NULL)
			return NULL;
		s->positions = p;
		s->position_room = max;
	}
	p = &s->positions[s->position_count++];
	*p = (struct rooms_position){.room = *room};
	(void)read_position(s, p);
	return p;
}

static enum qerr
write_position(const struct rooms_state *s, struct rooms_position *p, struct why *why)
{
	struct rooms_position both = {.room = p->room, .seq = p->seq};
	struct buf text = BUF_INIT(POSITION_MAX);
	char name[UUID_SIZE];
	enum qerr e = Q_OK;

	/* What another client has shown meanwhile stays. */
	for (size_t i = 0; i < p->count; i++) {
		struct rooms_ctr *c = ctr_of(&both, span_str(p->ctrs[i].keyid));

		if (c == NULL)
			e = Q_NOMEM;
		else
			c->ctr = p->ctrs[i].ctr;
	}
	if (e == Q_OK) {
		(void)read_position(s, &both);
		e = buf_printf(&text, "seq %" PRId64 "\n", both.seq);
	}
	for (size_t i = 0; i < both.count && e == Q_OK; i++)
		e = buf_printf(&text, "ctr %s %" PRIu64 "\n", both.ctrs[i].keyid,
			       both.ctrs[i].ctr);
	uuid_text(&p->room, name);
	if (e == Q_OK)
		e = private_replace(s->at, name, buf_span(&text), why);
	else
		why_set(why, e, "there is no memory left");
	if (e == Q_OK)
		p->dirty = false;
	free(both.ctrs);
	buf_free(&text);
	return e;
}

int64_t
rooms_state_seq(struct rooms_state *s, const struct uuid *room)
{
	struct rooms_position *p = position_of(s, room);

	return p != NULL ? p->seq : 0;
}

void
rooms_state_set_seq(struct rooms_state *s, const struct uuid *room, int64_t seq)
{
	struct rooms_position *p = position_of(s, room);

	if (p == NULL || seq <= p->seq)
		return;
	p->seq = seq;
	p->dirty = true;
}

enum qerr
rooms_state_rise(struct rooms_state *s, const struct uuid *room, const char *keyid,
		 uint64_t ctr)
{
	struct rooms_position *p = position_of(s, room);
	struct rooms_ctr *c;

	if (p == NULL || (c = ctr_of(p, span_str(keyid))) == NULL)
		return Q_NOMEM;
	if (ctr <= c->ctr)
		return Q_DENIED;
	c->ctr = ctr;
	p->dirty = true;
	return Q_OK;
}

bool
rooms_state_dirty(const struct rooms_state *s)
{
	for (size_t i = 0; i < s->position_count; i++)
		if (s->positions[i].dirty)
			return true;
	return false;
}

enum qerr
rooms_state_flush(struct rooms_state *s, struct why *why)
{
	enum qerr e = Q_OK;

	if (!rooms_state_dirty(s))
		return Q_OK;
	if (flock(s->fd, LOCK_EX) == -1)
		return why_set(why, Q_SYS, "the folder of rooms cannot be locked");
	for (size_t i = 0; i < s->position_count && e == Q_OK; i++)
		if (s->positions[i].dirty)
			e = write_position(s, &s->positions[i], why);
	(void)flock(s->fd, LOCK_UN);
	return e;
}

/* ---- life ---- */

enum qerr
rooms_state_open(const struct profile *p, const struct cert *ca, const char *user,
		 bool remember, struct rooms_state **out, struct why *why)
{
	struct rooms_state *s = calloc(1, sizeof(*s));
	enum qerr e;

	if (s == NULL)
		return why_set(why, Q_NOMEM, "there is no memory left");
	s->fd = s->at = s->people = -1;
	s->remember = remember;
	rooms_memory_init(&s->memory);
	if ((e = profile_folder(p, "rooms", ca, user, &s->fd, why)) == Q_OK &&
	    (e = private_open_in(s->fd, "at", &s->at, why)) == Q_OK &&
	    (e = private_open_in(s->fd, "people", &s->people, why)) == Q_OK &&
	    (e = load_key(s, why)) == Q_OK && (e = load_token(s, why)) == Q_OK)
		*out = s;
	else
		rooms_state_close(s);
	return e;
}

void
rooms_state_close(struct rooms_state *s)
{
	if (s == NULL)
		return;
	(void)rooms_state_flush(s, NULL);
	rooms_memory_fini(&s->memory);
	for (size_t i = 0; i < s->position_count; i++)
		free(s->positions[i].ctrs);
	free(s->positions);
	key_free(s->key);
	secret_wipe(s->token, sizeof(s->token));
	if (s->fd != -1)
		close(s->fd);
	if (s->at != -1)
		close(s->at);
	if (s->people != -1)
		close(s->people);
	free(s);
}
