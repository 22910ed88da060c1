/* SPDX-License-Identifier: MIT
 *
 * captcha_ask.c - CAPTCHA and S_CAPTCHA.  Drawn by the pool, so that only a few are
 * drawn at once; how many an address may have is bounded, too.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/pool.h"
#include "server/rooms/account.h"

struct drawing {
	struct rooms_pending *w;
	enum captcha_mode mode;
	struct buf png;
	struct buf text; /* base64 of it */
	enum qerr e;
};

static void
draw(void *arg)
{
	struct drawing *d = arg;

	captcha_choose(d->w->digits);
	if ((d->e = captcha_draw(d->w->digits, d->mode, &d->png)) == Q_OK &&
	    (d->e = buf_reserve(&d->text, BASE64_LEN(d->png.len))) == Q_OK)
		d->text.len = base64_encode(buf_span(&d->png), (char *)d->text.p);
}

void
rooms_captcha_ask(struct rooms_session *rs)
{
	struct session *s = rs->session;
	struct rooms_pending *w = rs->pending;
	struct drawing d = {.w = w,
			    .mode = rs->config->rooms_captcha == ROOMS_CAPTCHA_TEST
					? CAPTCHA_TOLD
					: CAPTCHA_SECRET,
			    .png = BUF_INIT(CAPTCHA_PNG_MAX),
			    .text = BUF_INIT(BASE64_LEN((size_t)CAPTCHA_PNG_MAX))};
	struct pool_job job = {.run = draw, .arg = &d};
	struct rooms_packet p = {.type = ROOMS_T_CAPTCHA, .ref = rooms_pending_ref(w)};
	int seconds;

	if (!limits_take(s, LIMIT_PICTURE, 1, &seconds)) {
		(void)rooms_answer_later(rs, limits_setting(LIMIT_PICTURE), seconds,
					 p.ref);
		rooms_pending_drop(rs);
		return;
	}
	pool_start(s->server->crypto, &job);
	pool_wait(&job);
	if (d.e == Q_OK) {
		p.u.challenge = buf_span(&d.text);
		w->until_ms = clock_mono_ms() + config_now()->rooms_captcha_life_ms;
		(void)rooms_answer(rs, &p);
	} else {
		(void)rooms_answer_failed(rs, "captcha", d.e, NULL, p.ref);
		rooms_pending_drop(rs);
	}
	buf_wipe(&d.png);
	buf_free(&d.text);
}

void
rooms_captcha_solved(struct rooms_session *rs, const struct rooms_packet *p)
{
	struct rooms_pending *w = rs->pending;
	enum rooms_sig sig = ROOMS_SIG_OTHER;

	if (w == NULL || w->what == WAITING_KEY)
		sig = ROOMS_CAPTCHA_EXPIRED; /* nothing was asked */
	else if (clock_mono_ms() >= w->until_ms)
		sig = ROOMS_CAPTCHA_EXPIRED;
	else if (!captcha_fits(w->digits, span_str(p->u.s_captcha.solved)))
		sig = ROOMS_CAPTCHA_WRONG;
	if (sig != ROOMS_SIG_OTHER) {
		if (w != NULL && w->what != WAITING_KEY)
			rooms_pending_drop(rs);
		(void)rooms_answer_status(rs, sig, NULL, NULL, p->ref);
	} else if (w->what == WAITING_SIGNUP) {
		rooms_signup_go(rs, p->ref);
	} else {
		rooms_login_go(rs);
	}
}
