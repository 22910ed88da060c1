/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What twelve bits are written as: all pairs of the alphabet, in order. */
/* clang-format off */
#define AFTER(a) \
	a"A" a"B" a"C" a"D" a"E" a"F" a"G" a"H" a"I" a"J" a"K" a"L" a"M" \
	a"N" a"O" a"P" a"Q" a"R" a"S" a"T" a"U" a"V" a"W" a"X" a"Y" a"Z" \
	a"a" a"b" a"c" a"d" a"e" a"f" a"g" a"h" a"i" a"j" a"k" a"l" a"m" \
	a"n" a"o" a"p" a"q" a"r" a"s" a"t" a"u" a"v" a"w" a"x" a"y" a"z" \
	a"0" a"1" a"2" a"3" a"4" a"5" a"6" a"7" a"8" a"9" a"+" a"/"
static const char base64_pairs[64][64 * 2] = {
	AFTER("A"), AFTER("B"), AFTER("C"), AFTER("D"), AFTER("E"), AFTER("F"), AFTER("G"),
	AFTER("H"), AFTER("I"), AFTER("J"), AFTER("K"), AFTER("L"), AFTER("M"), AFTER("N"),
	AFTER("O"), AFTER("P"), AFTER("Q"), AFTER("R"), AFTER("S"), AFTER("T"), AFTER("U"),
	AFTER("V"), AFTER("W"), AFTER("X"), AFTER("Y"), AFTER("Z"), AFTER("a"), AFTER("b"),
	AFTER("c"), AFTER("d"), AFTER("e"), AFTER("f"), AFTER("g"), AFTER("h"), AFTER("i"),
	AFTER("j"), AFTER("k"), AFTER("l"), AFTER("m"), AFTER("n"), AFTER("o"), AFTER("p"),
	AFTER("q"), AFTER("r"), AFTER("s"), AFTER("t"), AFTER("u"), AFTER("v"), AFTER("w"),
	AFTER("x"), AFTER("y"), AFTER("z"), AFTER("0"), AFTER("1"), AFTER("2"), AFTER("3"),
	AFTER("4"), AFTER("5"), AFTER("6"), AFTER("7"), AFTER("8"), AFTER("9"), AFTER("+"),
	AFTER("/")
};
/* clang-format on */

/* The two characters of bits 52..63 of v. */
static void
put_pair(char *o, uint64_t v)
{
	memcpy(o, &base64_pairs[0][0] + 2 * (v >> 52), 2);
}

/* Every archived message passes here, and base64 is the larger part of its line.
 * Six bytes are one load and four pairs: half the work of going character by
 * character, or of libcrypto's EVP_EncodeBlock. */
size_t
base64_encode(struct span s, char *out)
{
	const char *a = base64_alphabet;
	char *o = out;
	size_t i = 0;
	uint64_t six;
	uint32_t v;

	for (; s.len - i >= sizeof(six); i += 6, o += 8) { /* two bytes are not used */
		memcpy(&six, s.p + i, sizeof(six));
		six = be64toh(six);
		put_pair(o, six);
		put_pair(o + 2, six << 12);
		put_pair(o + 4, six << 24);
		put_pair(o + 6, six << 36);
	}
	for (; s.len - i >= 3; i += 3) {
		v = (uint32_t)s.p[i] << 16 | (uint32_t)s.p[i + 1] << 8 | s.p[i + 2];
		*o++ = a[v >> 18];
		*o++ = a[v >> 12 & 63];
		*o++ = a[v >> 6 & 63];
		*o++ = a[v & 63];
	}
	if (s.len - i > 0) {
		v = (uint32_t)s.p[i] << 16;
		if (s.len - i == 2)
			v |= (uint32_t)s.p[i + 1] << 8;
		*o++ = a[v >> 18];
		*o++ = a[v >> 12 & 63];
		*o++ = s.len - i == 2 ? a[v >> 6 & 63] : '=';
		*o++ = '=';
	}
	return (size_t)(o - out);
}

/* The six bits that c stands for, or 64 when it stands for none. */
static unsigned
base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* How many '=' end s. */
static size_t
base64_padding(struct span s)
{
	if (s.len == 0 || s.p[s.len - 1] != '=')
		return 0;
	return s.p[s.len - 2] == '=' ? 2 : 1;
}

enum qerr
base64_check(struct span s, size_t *out_len)
{
	size_t pad, digits;
	unsigned bad = 0, last;

	if (s.len % 4 != 0)
		return Q_FORMAT;
	pad = base64_padding(s);
	digits = s.len - pad;
	for (size_t i = 0; i < digits; i++)
		bad |= base64_value(s.p[i]);
	if ((bad & 64) != 0)
		return Q_FORMAT;
	/* The bits that the padding leaves over must be 0. */
	last = pad == 0 ? 0 : base64_value(s.p[digits - 1]);
	if ((pad == 1 && (last & 3) != 0) || (pad == 2 && (last & 15) != 0))
		return Q_FORMAT;
	*out_len = s.len / 4 * 3 - pad;
	return Q_OK;
}

/* What base64_value says, without its branches, which random text makes the processor
 * guess wrong: a large message is decoded several times faster so. */
/* clang-format off */
static const uint8_t base64_values[256] = {
	['A'] = 0, ['B'] = 1, ['C'] = 2, ['D'] = 3, ['E'] = 4, ['F'] = 5, ['G'] = 6, ['H'] = 7,
	['I'] = 8, ['J'] = 9, ['K'] = 10, ['L'] = 11, ['M'] = 12, ['N'] = 13, ['O'] = 14, ['P'] = 15,
	['Q'] = 16, ['R'] = 17, ['S'] = 18, ['T'] = 19, ['U'] = 20, ['V'] = 21, ['W'] = 22, ['X'] = 23,
	['Y'] = 24, ['Z'] = 25, ['a'] = 26, ['b'] = 27, ['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31,
	['g'] = 32, ['h'] = 33, ['i'] = 34, ['j'] = 35, ['k'] = 36, ['l'] = 37, ['m'] = 38, ['n'] = 39,
	['o'] = 40, ['p'] = 41, ['q'] = 42, ['r'] = 43, ['s'] = 44, ['t'] = 45, ['u'] = 46, ['v'] = 47,
	['w'] = 48, ['x'] = 49, ['y'] = 50, ['z'] = 51, ['0'] = 52, ['1'] = 53, ['2'] = 54, ['3'] = 55,
	['4'] = 56, ['5'] = 57, ['6'] = 58, ['7'] = 59, ['8'] = 60, ['9'] = 61, ['+'] = 62, ['/'] = 63,
};
/* clang-format on */

static uint32_t
base64_group(const uint8_t *p)
{
	const uint8_t *v = base64_values; /* '=' counts as 0 */

	return (uint32_t)v[p[0]] << 18 | (uint32_t)v[p[1]] << 12 |
	       (uint32_t)v[p[2]] << 6 | v[p[3]];
}

/* Each group is read before it is written over, so out may be where s is. */
enum qerr
base64_decode(struct span s, uint8_t *out, size_t *out_len)
{
	uint8_t *o = out;
	size_t len, i = 0;
	uint32_t v;

	if (base64_check(s, &len) != Q_OK)
		return Q_FORMAT;
	for (; len - (size_t)(o - out) >= 3; i += 4) {
		v = base64_group(s.p + i);
		*o++ = (uint8_t)(v >> 16);
		*o++ = (uint8_t)(v >> 8);
		*o++ = (uint8_t)v;
	}
	if (i < s.len) {
		v = base64_group(s.p + i);
		for (int shift = 16; o < out + len; shift -= 8)
			*o++ = (uint8_t)(v >> shift);
	}
	*out_len = len;
	return Q_OK;
}

void
hex_encode(struct span s, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < s.len; i++) {
		*out++ = digits[s.p[i] >> 4];
		*out++ = digits[s.p[i] & 15];
	}
	*out = '\0';
}

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum qerr
hex_decode(struct span s, uint8_t *out, size_t out_len)
{
	if (s.len / 2 != out_len || s.len % 2 != 0)
		return Q_FORMAT;
	for (size_t i = 0; i < s.len; i++)
		if (hex_value(s.p[i]) < 0)
			return Q_FORMAT;
	for (size_t i = 0; i < out_len; i++)
		out[i] =
		    (uint8_t)(hex_value(s.p[2 * i]) << 4 | hex_value(s.p[2 * i + 1]));
	return Q_OK;
}

bool
utf8_valid(struct span s)
{
	while (s.len > 0) {
		utf8proc_int32_t cp;
		utf8proc_ssize_t n;
		uint64_t eight;

		/* Mostly ASCII: eight bytes at a time. */
		while (s.len >= sizeof(eight)) {
			memcpy(&eight, s.p, sizeof(eight));
			if ((eight & 0x8080808080808080u) != 0)
				break;
			s.p += sizeof(eight);
			s.len -= sizeof(eight);
		}
		if (s.len == 0)
			break;
		n = utf8proc_iterate(s.p, (utf8proc_ssize_t)s.len, &cp);
		if (n <= 0)
			return false;
		s.p += n;
		s.len -= (size_t)n;
	}
	return true;
}

/* Characters that would move the cursor, reorder the line or hide. */
static bool
unsafe(utf8proc_int32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x061c || cp == 0x200e ||
	       cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff;
}

size_t
text_visible(struct span s, char *out, size_t size)
{
	size_t used = 0;

	assert(size >= 16);
	while (s.len > 0) {
		char shown[16];
		utf8proc_int32_t cp;
		utf8proc_ssize_t n = utf8proc_iterate(s.p, (utf8proc_ssize_t)s.len, &cp);
		size_t len;

		if (n <= 0) {
			n = 1;
			len = (size_t)snprintf(shown, sizeof(shown), "\\x%02x", s.p[0]);
		} else if (unsafe(cp)) {
			unsigned u = (unsigned)cp;

			len =
			    (size_t)(u < 0x100
					 ? snprintf(shown, sizeof(shown), "\\x%02x", u)
					 : snprintf(shown, sizeof(shown), "\\u{%x}", u));
		} else {
			len = (size_t)n;
			memcpy(shown, s.p, len);
		}
		if (len >= size - used)
			break;
		memcpy(out + used, shown, len);
		used += len;
		s.p += n;
		s.len -= (size_t)n;
	}
	out[used] = '\0';
	return used;
}
