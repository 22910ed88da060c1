/* SPDX-License-Identifier: MIT */
#include "client/pins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "client/private.h"

#define FILE_SIZE (3 * (FINGERPRINT_SIZE + 16))

struct pins {
	int fd; /* the folder */
};

enum qerr
pins_open(const struct profile *p, const struct cert *ca, const char *user,
	  struct pins **out, struct why *why)
{
	struct pins *pins = malloc(sizeof(*pins));
	enum qerr e;

	if (pins == NULL)
		return why_set(why, Q_NOMEM, "there is no memory left");
	if ((e = profile_folder(p, "pins", ca, user, &pins->fd, why)) == Q_OK)
		*out = pins;
	else
		free(pins);
	return e;
}

void
pins_close(struct pins *p)
{
	if (p == NULL)
		return;
	close(p->fd);
	free(p);
}

/* ---- the file ---- */

static enum qerr
take_print(struct span value, char out[FINGERPRINT_SIZE])
{
	if (value.len != FINGERPRINT_SIZE - 1)
		return Q_FORMAT;
	for (size_t i = 0; i < value.len; i++)
		if (memchr(i % 3 == 2 ? ":" : "0123456789ABCDEF", value.p[i],
			   i % 3 == 2 ? 1 : 16) == NULL)
			return Q_FORMAT;
	memcpy(out, value.p, value.len);
	out[value.len] = '\0';
	return Q_OK;
}

static enum qerr
take_line(struct span line, struct pin *pin)
{
	const uint8_t *blank = memchr(line.p, ' ', line.len);
	struct span word, value;

	if (blank == NULL)
		return Q_FORMAT;
	word = span_of(line.p, (size_t)(blank - line.p));
	value = span_of(blank + 1, line.len - word.len - 1);
	if (span_eq(word, span_str("key")))
		return take_print(value, pin->key);
	if (span_eq(word, span_str("refused")))
		return take_print(value, pin->refused);
	pin->verified = true;
	return span_eq(line, span_str("verified yes")) ? Q_OK : Q_FORMAT;
}

static enum qerr
parse(struct span text, struct pin *out)
{
	struct pin pin = {.verified = false};
	const uint8_t *end;

	while (text.len > 0) {
		if ((end = memchr(text.p, '\n', text.len)) == NULL ||
		    take_line(span_of(text.p, (size_t)(end - text.p)), &pin) != Q_OK)
			return Q_FORMAT;
		text = span_of(end + 1, text.len - (size_t)(end - text.p) - 1);
	}
	if (pin.key[0] == '\0')
		return Q_FORMAT;
	*out = pin;
	return Q_OK;
}

static enum qerr
write_pin(const struct pins *p, const char *name, const struct pin *pin, struct why *why)
{
	char file[NAME_SIZE], text[FILE_SIZE];

	name_fold(name, file);
	snprintf(text, sizeof(text), "key %s\n%s%s%s%s", pin->key,
		 pin->verified ? "verified yes\n" : "",
		 pin->refused[0] != '\0' ? "refused " : "", pin->refused,
		 pin->refused[0] != '\0' ? "\n" : "");
	return private_replace(p->fd, file, span_str(text), why);
}

/* ---- what can be asked ---- */

enum qerr
pins_get(const struct pins *p, const char *name, struct pin *out, struct why *why)
{
	struct buf text = BUF_INIT(FILE_SIZE);
	char file[NAME_SIZE];
	enum qerr e;

	name_fold(name, file);
	e = private_read(p->fd, file, PRIVATE_PUBLIC, &text, why);
	if (e == Q_MISSING)
		why_set(why, e, "no key of %s is known", name);
	else if (e == Q_LIMIT || (e == Q_OK && (e = parse(buf_span(&text), out)) != Q_OK))
		why_set(why, e = Q_FORMAT,
			"what is kept of the key of %s is damaged: look at the file %s "
			"below pins, and remove it",
			name, file);
	buf_free(&text);
	return e;
}

enum qerr
pins_check(const struct pins *p, const char *name, const char key[FINGERPRINT_SIZE],
	   struct pin *out, struct why *why)
{
	struct pin pin;
	enum qerr e = pins_get(p, name, &pin, why);

	if (e != Q_OK)
		return e;
	if (strcmp(pin.key, key) != 0) {
		/* Even when that cannot be kept, the key is refused. */
		strlcpy(pin.refused, key, sizeof(pin.refused));
		(void)write_pin(p, name, &pin, NULL);
		e = why_set(why, Q_DENIED, "the key of %s has changed", name);
	}
	*out = pin;
	return e;
}

enum qerr
pins_set(const struct pins *p, const char *name, const char key[FINGERPRINT_SIZE],
	 struct why *why)
{
	struct pin pin = {.verified = false};

	strlcpy(pin.key, key, sizeof(pin.key));
	return write_pin(p, name, &pin, why);
}

enum qerr
pins_verify(const struct pins *p, const char *name, const char key[FINGERPRINT_SIZE],
	    bool verified, struct why *why)
{
	struct pin pin;
	enum qerr e = pins_get(p, name, &pin, why);

	if (e != Q_OK)
		return e;
	if (strcmp(pin.key, key) != 0)
		return why_set(why, Q_MISSING, "another key of %s is kept by now", name);
	pin.verified = verified;
	return write_pin(p, name, &pin, why);
}

enum qerr
pins_accept(const struct pins *p, const char *name, struct pin *was, struct why *why)
{
	struct pin pin;
	enum qerr e = pins_get(p, name, &pin, why);

	if (e == Q_OK && pin.refused[0] == '\0')
		e = why_set(why, Q_MISSING, "the key of %s has not changed", name);
	if (e == Q_OK && (e = pins_set(p, name, pin.refused, why)) == Q_OK)
		*was = pin;
	return e;
}
