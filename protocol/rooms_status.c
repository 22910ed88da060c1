/* SPDX-License-Identifier: MIT */
#include "protocol/rooms_status.h"

#include <assert.h>

static const struct {
	const char *text, *sentence;
} sigs[ROOMS_SIG_COUNT] = {[ROOMS_SIG_OTHER] = {"", ""},
#define ROW(name, sentence) [ROOMS_##name] = {#name, sentence},
			   ROOMS_SIGS(ROW)
#undef ROW
};

const char *
rooms_sig_text(enum rooms_sig sig)
{
	assert(sig < ROOMS_SIG_COUNT);
	return sigs[sig].text;
}

const char *
rooms_sig_sentence(enum rooms_sig sig)
{
	assert(sig < ROOMS_SIG_COUNT);
	return sigs[sig].sentence;
}

enum rooms_sig
rooms_sig_find(struct span text)
{
	for (int i = ROOMS_SIG_OTHER + 1; i < ROOMS_SIG_COUNT; i++)
		if (span_eq(text, span_str(sigs[i].text)))
			return (enum rooms_sig)i;
	return ROOMS_SIG_OTHER;
}
