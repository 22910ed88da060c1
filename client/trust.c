/* SPDX-License-Identifier: MIT */
#include "client/trust.h"

#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "client/ask.h"
#include "client/chain.h"
#include "client/join.h"
#include "client/link.h"
#include "client/show.h"

/* ---- unknown servers ---- */

/* Connect, shake hands, hang up: what certificates does it show? */
static enum qerr
fetch_chain(const struct target *target, struct buf *chain, struct why *why)
{
	struct link *link;
	enum qerr e = link_open(target, LINK_TLS, NULL, &link, why);

	if (e != Q_OK)
		return e;
	while (e == Q_OK && !link_up(link)) {
		struct pollfd p = {.fd = link_fd(link), .events = link_poll_events(link)};

		if (poll(&p, 1, clock_left_ms(link_deadline(link))) == -1)
			p.revents = 0;
		e = link_step(link, p.revents, why);
	}
	if (e == Q_OK && (e = link_chain(link, chain)) != Q_OK)
		why_set(why, e, "%s shows no certificate", link_name(link));
	link_free(link);
	return e;
}

static enum qerr
fetch_ca(const struct target *target, struct cert **out, struct why *why)
{
	struct buf chain = BUF_INIT(CERT_PEM_MAX);
	char where[TARGET_TEXT_SIZE];
	enum qerr e = fetch_chain(target, &chain, why);

	target_text(target, where);
	if (e == Q_OK && (e = chain_ca(buf_span(&chain), out)) != Q_OK)
		why_set(why, e,
			"%s does not show the CA of its certificate: name that with --ca "
			"FILE",
			where);
	buf_free(&chain);
	return e;
}

/* Fingerprints are compared by their digits: people leave colons out. */
static bool
same_fingerprint(const char *given, const char *shown)
{
	for (;; given++, shown++) {
		while (*given == ':')
			given++;
		while (*shown == ':')
			shown++;
		if (*given == '\0' || *shown == '\0')
			return *given == *shown;
		if ((*given >= 'a' && *given <= 'f' ? *given - 'a' + 'A' : *given) !=
		    *shown)
			return false;
	}
}

enum qerr
trust_compare(const struct options *o, const struct cert *ca, struct why *why)
{
	char where[TARGET_TEXT_SIZE], print[FINGERPRINT_SIZE];
	enum qerr e;

	if (o->fingerprint == NULL)
		return Q_OK;
	if ((e = chain_fingerprint(ca, print, why)) != Q_OK)
		return e;
	if (same_fingerprint(o->fingerprint, print))
		return Q_OK;
	target_text(&o->target, where);
	return why_set(why, Q_DENIED,
		       "NOT THE SERVER THAT YOU WANT, or somebody is in between: the "
		       "fingerprint of the CA of %.64s is %s, and not %.95s",
		       where, print, o->fingerprint);
}

/* Of a server that is not known here. */
static enum qerr
accept_ca(const struct options *o, const char *where, const struct cert *ca,
	  struct why *why)
{
	char print[FINGERPRINT_SIZE];
	enum qerr e;

	if (o->fingerprint != NULL)
		return trust_compare(o, ca, why);
	if ((e = chain_fingerprint(ca, print, why)) != Q_OK)
		return e;
	show_status("the server %s is not known here", where);
	show_status("CA fingerprint %s", print);
	fflush(stdout);
	if (ask_yes("Does the teacher's screen show this fingerprint? (yes/no) ") == Q_OK)
		return Q_OK;
	return why_set(
	    why, Q_DENIED,
	    "the server %s is not known here: trust it with --fingerprint and its "
	    "CA's fingerprint as its owner tells it, or with --ca FILE",
	    where);
}

static enum qerr
pin(const struct options *o, const struct profile *profile, const struct cert *ca,
    struct why *why)
{
	struct buf pem = BUF_INIT(CERT_PEM_MAX);
	enum qerr e = cert_pem(ca, &pem);

	if (e != Q_OK)
		why_set(why, e, "there is no memory left");
	else
		e = profile_pin_ca(profile, &o->target, buf_span(&pem), why);
	buf_free(&pem);
	return e;
}

/* known is the CA that was pinned, or NULL. */
static enum qerr
learn(const struct options *o, const struct profile *profile, const struct cert *known,
      struct cert **out, struct why *why)
{
	char where[TARGET_TEXT_SIZE], was[FINGERPRINT_SIZE], now[FINGERPRINT_SIZE];
	struct cert *ca = NULL;
	enum qerr e;

	target_text(&o->target, where);
	if ((e = fetch_ca(&o->target, &ca, why)) != Q_OK ||
	    (e = accept_ca(o, where, ca, why)) != Q_OK ||
	    (known != NULL && ((e = chain_fingerprint(known, was, why)) != Q_OK ||
			       (e = chain_fingerprint(ca, now, why)) != Q_OK)) ||
	    (e = pin(o, profile, ca, why)) != Q_OK) {
		cert_free(ca);
		return e;
	}
	if (known != NULL)
		show_status("the CA of %s is a new one: %s; it was %s", where, now, was);
	show_status("trusting %s from now on", where);
	*out = ca;
	return Q_OK;
}

enum qerr
trust_find(const struct options *o, const struct profile *profile, struct cert **out,
	   struct why *why)
{
	struct cert *known = NULL;
	enum qerr e;

	if (o->ca_file != NULL)
		return join_load_ca(o->ca_file, out, why);
	e = profile_ca(profile, &o->target, &known, why);
	if (e == Q_OK && trust_compare(o, known, NULL) == Q_OK) {
		*out = known;
		return Q_OK;
	}
	/* A pin that is damaged is worth as little as none, but not worth a guess. */
	if (e == Q_OK || e == Q_MISSING || (e == Q_FORMAT && o->fingerprint != NULL))
		e = learn(o, profile, known, out, why);
	cert_free(known);
	return e;
}
