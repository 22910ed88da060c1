/* SPDX-License-Identifier: MIT
 *
 * setting.c - the types that a setting can have.
 *
 * Numbers, durations and sizes are all "digits and perhaps a unit"; they differ
 * in their list of units alone, so one parser and one printer serve the three.
 */
#include "server/setting.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "base/text.h"
#include "server/addresses.h"
#include "server/config.h"
#include "server/nodes/peers.h"

struct unit {
	const char *name;
	int64_t factor;
};

/* From small to large; the first row is what a bare number means. */
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};
static const struct unit time_units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
					 {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit size_units[] = {
    {"", 1},          {"K", 1 << 10}, {"KiB", 1 << 10}, {"M", 1 << 20},
    {"MiB", 1 << 20}, {"G", 1 << 30}, {"GiB", 1 << 30}, {NULL, 0}};

static const struct unit *
units_of(enum setting_type type)
{
	return type == SETTING_DURATION ? time_units
	       : type == SETTING_SIZE   ? size_units
					: no_units;
}

static void *
field(const struct setting *row, struct config *c)
{
	return (char *)c + row->offset;
}

static const void *
field_const(const struct setting *row, const struct config *c)
{
	return (const char *)c + row->offset;
}

static size_t
field_size(const struct setting *row)
{
	switch (row->type) {
	case SETTING_SWITCH: return sizeof(bool);
	case SETTING_WORD: return sizeof(int);
	case SETTING_TEXT:
	case SETTING_PREFIXES: return CONFIG_TEXT_SIZE;
	case SETTING_PEERS: return CONFIG_PEERS_SIZE;
	case SETTING_LISTEN: return sizeof(((struct config *)NULL)->listen);
	case SETTING_NUMBER:
	case SETTING_DURATION:
	case SETTING_SIZE: break;
	}
	return sizeof(int64_t);
}

/* ---- numbers with units ---- */

/* The largest unit that divides v, so that 600000 ms reads "10m". */
static void
print_amount(enum setting_type type, int64_t v, FILE *out)
{
	const struct unit *best = units_of(type);

	for (const struct unit *u = best; u->name != NULL; u++)
		if (v != 0 && v % u->factor == 0)
			best = u;
	fprintf(out, "%" PRId64 "%s", v / best->factor, best->name);
}

static enum qerr
range_error(const struct setting *row, struct why *why)
{
	char text[128];
	FILE *f = fmemopen(text, sizeof(text), "w");

	if (f == NULL)
		return why_set(why, Q_LIMIT, "is out of range");
	setting_print_range(row, f);
	fclose(f);
	return why_set(why, Q_LIMIT, "must be %s", text);
}

static enum qerr
parse_amount(const struct setting *row, const char *value, int64_t *out, struct why *why)
{
	const struct unit *u = units_of(row->type);
	size_t digits = strspn(value, "0123456789");
	const char *suffix = value + digits, *errstr;
	char number[24];
	long long n;

	if (digits == 0 || digits >= sizeof(number))
		return range_error(row, why);
	memcpy(number, value, digits);
	number[digits] = '\0';
	suffix += strspn(suffix, " ");
	if (*suffix != '\0') {
		while (u->name != NULL && strcmp(u->name, suffix) != 0)
			u++;
		if (u->name == NULL)
			return range_error(row, why);
	}
	n = strtonum(number, 0, INT64_MAX / u->factor, &errstr);
	if (errstr != NULL || n * u->factor < row->min || n * u->factor > row->max)
		return range_error(row, why);
	*out = n * u->factor;
	return Q_OK;
}

enum qerr
setting_duration(const char *value, int64_t min_ms, int64_t max_ms, int64_t *out,
		 struct why *why)
{
	const struct setting row = {
	    .type = SETTING_DURATION, .min = min_ms, .max = max_ms};

	return parse_amount(&row, value, out, why);
}

/* ---- words, lists, texts ---- */

static enum qerr
parse_word(const char *words, const char *value, int *out, struct why *why)
{
	const char *w = words;
	size_t len = strlen(value);

	for (int i = 0;; i++) {
		size_t n = strcspn(w, "|");

		if (n == len && memcmp(w, value, n) == 0) {
			*out = i;
			return Q_OK;
		}
		if (w[n] == '\0')
			return why_set(why, Q_FORMAT, "must be one of %s", words);
		w += n + 1;
	}
}

static enum qerr
parse_text(const char *value, char out[CONFIG_TEXT_SIZE], struct why *why)
{
	char shown[CONFIG_TEXT_SIZE];

	if (strlen(value) >= CONFIG_TEXT_SIZE)
		return why_set(why, Q_LIMIT, "must be shorter than %d bytes",
			       CONFIG_TEXT_SIZE);
	text_visible(span_str(value), shown, sizeof(shown));
	if (strcmp(shown, value) != 0)
		return why_set(why, Q_FORMAT, "holds a character that cannot be shown");
	strlcpy(out, value, CONFIG_TEXT_SIZE);
	return Q_OK;
}

static enum qerr
parse_prefixes(const char *value, char out[CONFIG_TEXT_SIZE], struct why *why)
{
	enum qerr e;

	if ((e = parse_text(value, out, why)) != Q_OK)
		return e;
	if (!prefix_list_valid(value))
		return why_set(why, Q_FORMAT,
			       "must be addresses or networks, separated by commas, "
			       "like 10.0.0.7, 192.168.0.0/16");
	return Q_OK;
}

static enum qerr
parse_peers(const char *value, char out[CONFIG_PEERS_SIZE], struct why *why)
{
	enum qerr e = peers_check(value, why);

	if (e != Q_OK)
		return e;
	if (strlen(value) >= CONFIG_PEERS_SIZE)
		return why_set(why, Q_LIMIT, "must be shorter than %d bytes",
			       CONFIG_PEERS_SIZE);
	memset(out, 0, CONFIG_PEERS_SIZE);
	strlcpy(out, value, CONFIG_PEERS_SIZE);
	return Q_OK;
}

/* Is it PORT, ADDR:PORT or [V6]:PORT, as far as the text tells? */
static bool
listen_spec_valid(const char *spec)
{
	const char *port = strrchr(spec, ':'), *errstr;

	port = port == NULL ? spec : port + 1;
	if (strspn(port, "0123456789") != strlen(port))
		return false;
	strtonum(port, 0, 65535, &errstr);
	return errstr == NULL && *spec != ':';
}

/* An empty list is refused: a server that listens nowhere is a mistake. */
static enum qerr
parse_listen(const char *value, struct config *c, struct why *why)
{
	char list[CONFIG_LISTEN_MAX][CONFIG_TEXT_SIZE];
	size_t count = 0;
	char copy[CONFIG_LISTEN_MAX * CONFIG_TEXT_SIZE];
	char *rest = copy, *item;

	memset(list, 0, sizeof(list));
	if (strlcpy(copy, value, sizeof(copy)) >= sizeof(copy))
		return why_set(why, Q_LIMIT, "is too long");
	while ((item = strsep(&rest, ",")) != NULL) {
		item += strspn(item, " \t");
		item[strcspn(item, " \t")] = '\0';
		if (!listen_spec_valid(item))
			return why_set(why, Q_FORMAT,
				       "must be PORT, ADDRESS:PORT or [IPV6]:PORT, or "
				       "several of these "
				       "separated by commas");
		if (count == CONFIG_LISTEN_MAX)
			return why_set(why, Q_LIMIT,
				       "must not name more than %d addresses",
				       CONFIG_LISTEN_MAX);
		if (strlcpy(list[count++], item, CONFIG_TEXT_SIZE) >= CONFIG_TEXT_SIZE)
			return why_set(why, Q_LIMIT, "is too long");
	}
	memcpy(c->listen, list, sizeof(list));
	c->listen_count = count;
	return Q_OK;
}

enum qerr
setting_parse(const struct setting *row, const char *value, struct config *c,
	      struct why *why)
{
	char text[CONFIG_TEXT_SIZE] = "";
	enum qerr e = Q_OK;

	switch (row->type) {
	case SETTING_SWITCH:
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
			return why_set(why, Q_FORMAT, "must be yes or no");
		*(bool *)field(row, c) = *value == 'y';
		return Q_OK;
	case SETTING_NUMBER:
	case SETTING_DURATION:
	case SETTING_SIZE: return parse_amount(row, value, field(row, c), why);
	case SETTING_WORD: return parse_word(row->words, value, field(row, c), why);
	case SETTING_LISTEN: return parse_listen(value, c, why);
	case SETTING_PEERS: return parse_peers(value, field(row, c), why);
	case SETTING_TEXT: e = parse_text(value, text, why); break;
	case SETTING_PREFIXES: e = parse_prefixes(value, text, why); break;
	}
	if (e == Q_OK)
		memcpy(field(row, c), text, sizeof(text));
	return e;
}

bool
setting_same(const struct setting *row, const struct config *a, const struct config *b)
{
	/* Texts are zero-filled behind their end, so bytes can be compared; an
	 * empty place in the list of listeners is one of zeros. */
	return memcmp(field_const(row, a), field_const(row, b), field_size(row)) == 0;
}

void
setting_copy(const struct setting *row, const struct config *from, struct config *to)
{
	memcpy(field(row, to), field_const(row, from), field_size(row));
	if (row->type == SETTING_LISTEN)
		to->listen_count = from->listen_count;
}

void
setting_print_range(const struct setting *row, FILE *out)
{
	switch (row->type) {
	case SETTING_SWITCH: fputs("yes or no", out); break;
	case SETTING_NUMBER:
	case SETTING_DURATION:
	case SETTING_SIZE:
		print_amount(row->type, row->min, out);
		fputs(" to ", out);
		print_amount(row->type, row->max, out);
		break;
	case SETTING_WORD: fputs(row->words, out); break;
	case SETTING_TEXT:
	case SETTING_PREFIXES:
	case SETTING_PEERS:
	case SETTING_LISTEN: fputs("text", out); break;
	}
}
