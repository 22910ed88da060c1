/* SPDX-License-Identifier: MIT */
#define CONTACTS_PLAY_INSIDE
#define CONTACTS_PEER_INSIDE
#include "tests/system/contacts_play.h"

#include <crypt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/users.h"

#define PEERS_MAX   16
#define TIMES_MAX   64
#define TIME_DIGITS 13
#define RECENT_MS   (10 * 60 * 1000)
#define STEP_MAX    200 /* bytes of a line in a message */

struct play {
	struct harness *h;
	struct line_peer *peers[PEERS_MAX];
	size_t peer_count;
	struct {
		int64_t written, real;
	} times[TIMES_MAX];
	size_t time_count;
	char step[STEP_MAX]; /* the line that is played, for messages */
};

/* ---- users ---- */

static const char *
cheap_hash(void)
{
	static struct crypt_data data;
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	if (data.output[0] == '\0') {
		ck_assert_ptr_nonnull(crypt_gensalt_rn("$y$", 1, "sixteen bytes of", 16,
						       setting, (int)sizeof(setting)));
		ck_assert_ptr_nonnull(
		    crypt_rn(PLAY_PASSWORD, setting, &data, (int)sizeof(data)));
	}
	return data.output;
}

static void
add_user(struct harness *h, const char *name, uint32_t uin)
{
	struct user u = {.uin = uin, .created_ms = clock_wall_ms()};
	struct buf text = BUF_INIT(4096);
	char folded[NAME_SIZE], path[64];

	snprintf(u.name, sizeof(u.name), "%s", name);
	snprintf(u.password, sizeof(u.password), "%s", cheap_hash());
	ck_assert_int_eq(buf_printf(&text, "%s\n", name), Q_OK);
	snprintf(path, sizeof(path), "uins/%u", uin);
	harness_write(h, path, buf_span(&text));
	text.len = 0;
	name_fold(name, folded);
	ck_assert_int_eq(user_encode(&u, &text), Q_OK);
	snprintf(path, sizeof(path), "users/%s", folded);
	harness_write(h, path, buf_span(&text));
	buf_free(&text);
}

void
play_add_users(struct harness *h, const char *users)
{
	static uint32_t uin = 1000;
	char *list = strdup(users), *at = NULL;

	ck_assert_ptr_nonnull(list);
	for (char *n = strtok_r(list, " ", &at); n != NULL; n = strtok_r(NULL, " ", &at))
		add_user(h, n, ++uin);
	free(list);
}

/* ---- the stage ---- */

struct play *
play_with(struct harness *h)
{
	struct play *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	s->h = h;
	return s;
}

struct play *
play_start(const char *users, const char *setting, ...)
{
	struct harness *h = harness_new();
	const char *set[8] = {NULL};
	va_list ap;

	va_start(ap, setting);
	for (size_t n = 0; setting != NULL; setting = va_arg(ap, const char *)) {
		ck_assert_uint_lt(n, 8);
		set[n++] = setting;
	}
	va_end(ap);
	harness_boot(h, set[0], set[1], set[2], set[3], set[4], set[5], set[6], set[7],
		     NULL);
	play_add_users(h, users);
	return play_with(h);
}

void
play_end(struct play *s)
{
	for (size_t i = 0; i < s->peer_count; i++)
		line_free(s->peers[i]);
	harness_free(s->h);
	free(s);
}

struct harness *
play_harness(struct play *s)
{
	return s->h;
}

static struct line_peer **
find(struct play *s, const char *name)
{
	for (size_t i = 0; i < s->peer_count; i++)
		if (strcmp(s->peers[i]->name, name) == 0)
			return &s->peers[i];
	return NULL;
}

void
play_join(struct play *s, struct line_peer *p)
{
	ck_assert_ptr_null(find(s, p->name));
	ck_assert_uint_lt(s->peer_count, PEERS_MAX);
	s->peers[s->peer_count++] = p;
}

struct line_peer *
play_peer(struct play *s, const char *name)
{
	struct line_peer **p = find(s, name);

	if (p == NULL) {
		play_join(s, line_connect(s->h, name));
		p = find(s, name);
	}
	return *p;
}

/* Its connection is over; the name may be used for another one. */
static struct line_peer *
leave(struct play *s, const char *name)
{
	struct line_peer **p = find(s, name), *gone;

	if (p == NULL)
		harness_fail("\"%s\": there is no connection %s", s->step, name);
	gone = *p;
	*p = s->peers[--s->peer_count];
	return gone;
}

/* ---- times ---- */

/* The number of 13 digits that s begins with; 0: another thing. */
static int64_t
time_at(struct span s)
{
	int64_t v = 0;
	size_t n = 0;

	for (; n < s.len && n < TIME_DIGITS && s.p[n] >= '0' && s.p[n] <= '9'; n++)
		v = v * 10 + (s.p[n] - '0');
	if (n < TIME_DIGITS || (n < s.len && s.p[n] >= '0' && s.p[n] <= '9'))
		return 0;
	return v;
}

/* What the written time stands for, 0: nothing yet. */
static int64_t
meaning(const struct play *s, int64_t written)
{
	for (size_t i = 0; i < s->time_count; i++)
		if (s->times[i].written == written)
			return s->times[i].real;
	return 0;
}

static bool
same_time(struct play *s, int64_t written, int64_t real)
{
	int64_t known = meaning(s, written), age = clock_wall_ms() - real;

	if (known != 0)
		return known == real;
	if (age < -RECENT_MS || age > RECENT_MS)
		return false;
	ck_assert_uint_lt(s->time_count, TIMES_MAX);
	s->times[s->time_count].written = written;
	s->times[s->time_count++].real = real;
	return true;
}

static bool
matches(struct play *s, struct span pattern, struct span line)
{
	bool digit = false; /* was the byte before one? */

	while (pattern.len > 0 && line.len > 0) {
		int64_t written = digit ? 0 : time_at(pattern);
		size_t step = 1;

		if (written != 0) {
			if (!same_time(s, written, time_at(line)))
				return false;
			step = TIME_DIGITS;
		} else if (*pattern.p != *line.p) {
			return false;
		}
		digit = *pattern.p >= '0' && *pattern.p <= '9';
		pattern = span_of(pattern.p + step, pattern.len - step);
		line = span_of(line.p + step, line.len - step);
	}
	return pattern.len == line.len;
}

/* ---- steps ---- */

static void
speak(struct play *s, const char *name, struct span line)
{
	struct buf out = BUF_INIT(1 << 20);

	while (line.len > 0) {
		int64_t real = meaning(s, time_at(line));
		size_t step = real != 0 ? TIME_DIGITS : 1;

		ck_assert_int_eq(real != 0 ? buf_printf(&out, "%lld", (long long)real)
					   : buf_put_u8(&out, *line.p),
				 Q_OK);
		line = span_of(line.p + step, line.len - step);
	}
	ck_assert_int_eq(buf_put_u8(&out, '\n'), Q_OK);
	line_send(play_peer(s, name), buf_span(&out));
	buf_free(&out);
}

static void
listen_for(struct play *s, const char *name, struct span pattern)
{
	struct line_peer **p = find(s, name);
	char shown[STEP_MAX];
	struct span line;

	if (p == NULL)
		harness_fail("\"%s\": there is no connection %s", s->step, name);
	if (!line_next(*p, &line))
		harness_fail("\"%s\": the connection ended", s->step);
	if (matches(s, pattern, line))
		return;
	text_visible(line, shown, sizeof(shown));
	harness_fail("\"%s\": received \"%s\"", s->step, shown);
}

static void
direct(struct play *s, const char *name, struct span word)
{
	struct buf b = BUF_INIT(256);

	if (span_eq(word, span_str("login"))) {
		ck_assert_int_eq(buf_printf(&b, "212 400 %s", name), Q_OK);
		line_say(play_peer(s, name), "110 %s %s", name, PLAY_PASSWORD);
		listen_for(s, name, buf_span(&b));
	} else if (span_eq(word, span_str("logout"))) {
		line_say(play_peer(s, name), "111");
		listen_for(s, name, span_str("213 400"));
		line_free(leave(s, name));
	} else if (span_eq(word, span_str("nothing"))) {
		line_say(play_peer(s, name), "999");
		listen_for(s, name, span_str("210"));
	} else if (span_eq(word, span_str("end"))) {
		line_hear_end(play_peer(s, name));
		line_free(leave(s, name));
	} else if (span_eq(word, span_str("close"))) {
		line_free(leave(s, name));
	} else if (span_eq(word, span_str("reset"))) {
		line_reset(leave(s, name));
	} else if (span_eq(word, span_str("tls"))) {
		play_join(s, line_connect_tls(s->h, name));
	} else {
		harness_fail("\"%s\": there is no such stage direction", s->step);
	}
	buf_free(&b);
}

void
play_line(struct play *s, struct span line)
{
	char name[NAME_SIZE];
	struct span rest;
	size_t n = 0;

	text_visible(line, s->step, sizeof(s->step));
	while (n < line.len && n < NAME_SIZE - 1 && strchr("<>:", line.p[n]) == NULL)
		n++;
	if (n == line.len || strchr("<>:", line.p[n]) == NULL)
		harness_fail("\"%s\" is no step", s->step);
	memcpy(name, line.p, n);
	name[n] = '\0';
	rest = span_of(line.p + n + 1, line.len - n - 1);
	while (rest.len > 0 && *rest.p == ' ')
		rest = span_of(rest.p + 1, rest.len - 1);
	switch (line.p[n]) {
	case '>': speak(s, name, rest); break;
	case '<': listen_for(s, name, rest); break;
	default: direct(s, name, rest); break;
	}
}

void
play_lines(struct play *s, ...)
{
	const char *line;
	va_list ap;

	va_start(ap, s);
	while ((line = va_arg(ap, const char *)) != NULL)
		play_line(s, span_str(line));
	va_end(ap);
}

/* ---- what many plays begin with ---- */

static void
step(struct play *s, const char *middle, const char *a, const char *b)
{
	struct buf line = BUF_INIT(256);

	ck_assert_int_eq(buf_printf(&line, "%s%s%s", a, middle, b), Q_OK);
	play_line(s, buf_span(&line));
	buf_free(&line);
}

static void
enter(struct play *s, const char *name)
{
	if (find(s, name) == NULL)
		step(s, ": login", name, "");
}

void
play_befriend(struct play *s, const char *a, const char *b)
{
	enter(s, a);
	enter(s, b);
	step(s, "> 121 ", a, b);
	step(s, "< 232 400", a, "");
	step(s, "< 233 ", b, a);
	step(s, "> 121 ", b, a);
	step(s, "< 232 400", b, "");
	step(s, "< 233 ", a, b);
	step(s, "> 113 ", a, b);
	step(s, "< 217 400", a, "");
}
