/* SPDX-License-Identifier: MIT
 *
 * What can be wrong with an answer is said at once to a person, who is asked again; a
 * script has one try.  While the captcha is being read the connection is kept alive.
 */
#include "client/rooms_join.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "client/captcha_text.h"
#include "client/rooms_account.h"
#include "client/show.h"
#include "crypto/random.h"
#include "protocol/rooms_account.h"

#define TRIES 3

struct answers {
	char email[ROOMS_EMAIL_MAX + 2], fullname[ROOMS_FULLNAME_MAX + 2], birth[32];
	char password[ASK_PASSWORD_SIZE];
};

/* ---- what an account needs ---- */

static const char *
bad_email(const char *text)
{
	struct span s = span_str(text);

	return s.len <= ROOMS_EMAIL_MAX && utf8_valid(s) && rooms_email_valid(s)
		   ? NULL
		   : "an e-mail address has one @, and something on both sides of it";
}

static const char *
bad_fullname(const char *text)
{
	struct span s = span_str(text);

	return s.len > 0 && s.len <= ROOMS_FULLNAME_MAX && utf8_valid(s) &&
		       !rooms_has_controls(s)
		   ? NULL
		   : "a full name is not empty, and no longer than 256 bytes";
}

static const char *
bad_birth(const char *text)
{
	char date[ROOMS_DATE_SIZE];

	return rooms_dob_parse(span_str(text), clock_wall_ms(), date) == Q_OK
		   ? NULL
		   : "a date of birth is a day in the past, as 2001-12-31 or 31/12/2001";
}

static enum qerr
ask_good(const char *question, const char *(*bad)(const char *), char *out, size_t size,
	 struct why *why)
{
	int tries = isatty(STDIN_FILENO) ? TRIES : 1;
	const char *trouble = NULL;
	enum qerr e;

	for (int i = 0; i < tries; i++) {
		if ((e = ask_answer(question, out, size, why)) != Q_OK)
			return e;
		if ((trouble = bad(out)) == NULL)
			return Q_OK;
		if (i + 1 < tries)
			show_text("! ", span_str(trouble));
	}
	return why_set(why, Q_FORMAT, "%s", trouble);
}

static enum qerr
ask_all(const struct client_login *login, const struct ask_source *source, bool sign_up,
	struct answers *a, struct why *why)
{
	enum qerr e =
	    ask_password(source, login->user, sign_up ? ASK_NEW_PASSWORD : ASK_PASSWORD,
			 a->password, why);
	size_t len = strlen(a->password);

	if (e != Q_OK)
		return e;
	if (!utf8_valid(span_of(a->password, len)))
		return why_set(why, Q_FORMAT, "the password is not UTF-8 text");
	if (!sign_up)
		return Q_OK;
	if (len < ROOMS_PASSWORD_MIN || len > ROOMS_PASSWORD_MAX)
		return why_set(why, Q_FORMAT, "a password has %d to %d bytes",
			       ROOMS_PASSWORD_MIN, ROOMS_PASSWORD_MAX);
	if ((e = ask_good("E-mail address", bad_email, a->email, sizeof(a->email),
			  why)) == Q_OK &&
	    (e = ask_good("Full name", bad_fullname, a->fullname, sizeof(a->fullname),
			  why)) == Q_OK)
		e = ask_good("Date of birth (yyyy-mm-dd)", bad_birth, a->birth,
			     sizeof(a->birth), why);
	return e;
}

/* ---- the captcha ---- */

struct joining {
	struct client *client;
	struct rooms_state *rooms;
	bool asked; /* the captcha has been shown, and is not answered */
	enum qerr end;
	struct why *why;
};

static void
show_captcha(struct joining *j, struct span png)
{
	struct buf text = BUF_INIT(256 * 1024);
	char path[ROOMS_PATH_SIZE];
	struct why why;

	if (isatty(STDIN_FILENO) && captcha_text(png, &text) == Q_OK)
		fwrite(text.p, 1, text.len, stdout);
	buf_free(&text);
	if (rooms_state_keep_captcha(j->rooms, png, path, &why) == Q_OK)
		show_text("* the picture is also in ", span_str(path));
	else
		show_text("! ", span_str(why.text));
	if (isatty(STDIN_FILENO))
		fputs("The six digits in the picture: ", stdout);
	fflush(stdout);
	j->asked = true;
}

static void
on_event(void *arg, const struct client_event *e)
{
	struct joining *j = arg;
	char text[sizeof(j->why->text)];

	switch (e->kind) {
	case CLIENT_CAPTCHA: show_captcha(j, e->content); break;
	case CLIENT_DONE: show_text("* ", e->text); break;
	case CLIENT_FAILED: show_text("! ", e->text); break;
	case CLIENT_REFUSED:
	case CLIENT_FORCED_LOGOUT:
	case CLIENT_LOST:
		text_visible(e->text, text, sizeof(text));
		j->end = why_set(j->why, Q_DENIED, "%s", text);
		break;
	default: break;
	}
}

/* The terminal or the script has a line for us. */
static void
answer(struct joining *j)
{
	char digits[24];

	j->asked = false;
	if (ask_input_line(digits, sizeof(digits), j->why) != Q_OK ||
	    client_do(j->client, CLIENT_DO_ANSWER, span_str(digits), j->why) != Q_OK) {
		j->end = Q_DENIED;
		(void)client_do(j->client, CLIENT_DO_LOGOUT, span_of(NULL, 0), NULL);
	}
}

/* ---- all ---- */

static enum qerr
talk(const struct options *o, const struct client_login *login, struct why *why)
{
	struct joining j = {.rooms = login->rooms, .end = Q_OK, .why = why};
	struct why ours = {""};
	enum qerr e;

	j.why = &ours;
	e = client_new(&o->target, &client_rooms_account, login, on_event, &j, &j.client,
		       why);
	if (e != Q_OK)
		return e;
	while (!client_over(j.client)) {
		struct pollfd p[2] = {
		    {.fd = client_fd(j.client), .events = client_poll_events(j.client)},
		    {.fd = j.asked ? STDIN_FILENO : -1, .events = POLLIN},
		};

		fflush(stdout);
		if (poll(p, 2, clock_left_ms(client_deadline(j.client))) == -1)
			p[0].revents = p[1].revents = 0;
		client_step(j.client, p[0].revents);
		if (j.asked && p[1].revents != 0 && !client_over(j.client))
			answer(&j);
	}
	client_free(j.client);
	if (j.end != Q_OK && why != NULL)
		*why = ours;
	return j.end;
}

enum qerr
rooms_join_run(const struct options *o, struct client_login *login,
	       const struct ask_source *source, bool sign_up, struct why *why)
{
	struct answers a = {.email = ""};
	struct rooms_wish wish = {
	    .sign_up = sign_up,
	    .email = a.email,
	    .fullname = a.fullname,
	    .birth = a.birth,
	    .password = a.password,
	    .save = o->remember,
	};
	enum qerr e;

	if ((e = ask_all(login, source, sign_up, &a, why)) == Q_OK) {
		login->wish = &wish;
		e = talk(o, login, why);
		login->wish = NULL;
	}
	secret_wipe(&a, sizeof(a));
	return e;
}
