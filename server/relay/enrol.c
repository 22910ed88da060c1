/* SPDX-License-Identifier: MIT
 *
 * enrol.c - 280 and 281: somebody who knows the enrolment code brings a name
 * and a key and becomes a user (docs/protocols/relay.md, "Enrolment").
 *
 * The proof is checked before anything else that depends on what was sent, so
 * that only somebody who knows the code learns which names are taken, or makes
 * the server parse a key.
 */
#include "server/relay/relay_session.h"

#include <string.h>

#include <bsd/string.h>

#include "crypto/random.h"
#include "server/accounts.h"
#include "server/identity.h"
#include "server/limits.h"
#include "server/log.h"
#include "server/metrics.h"

/* What stands before a trailing NUL. */
static struct span
without_nul(struct span s)
{
	if (s.len > 0 && s.p[s.len - 1] == '\0')
		s.len--;
	return s;
}

static enum relay_enrol_status
add_user(struct session *s, struct span name, struct span raw_pem)
{
	struct buf pem = BUF_INIT(KEY_PEM_MAX);
	struct key *key = NULL;
	struct user u = {0};
	enum relay_enrol_status status;

	if (name_copy(name, u.name) != Q_OK || key_parse_public(raw_pem, &key) != Q_OK)
		return RELAY_ENROL_BAD;
	/* Kept as we write it: what came may have other text around it. */
	if (!limits_take(s, LIMIT_ACCOUNT, 1, NULL) ||
	    key_public_pem(key, &pem) != Q_OK) {
		status = RELAY_ENROL_LATER;
	} else {
		switch (accounts_add(s->server->accounts, &u, buf_span(&pem), key)) {
		case Q_OK: status = RELAY_ENROL_DONE; break;
		case Q_EXISTS: status = RELAY_ENROL_NAME_TAKEN; break;
		default: status = RELAY_ENROL_LATER; break;
		}
	}
	key_free(key);
	buf_free(&pem);
	return status;
}

static enum relay_enrol_status
enrol(struct session *s, const struct config *config, const struct relay_enrol *m,
      struct span name)
{
	uint8_t right[SHA256_LEN];
	bool proven;

	if (!config->relay_enrol)
		return RELAY_ENROL_CLOSED;
	if (identity_enrol_proof(s->server->identity, "enroll", name, m->pem, right) !=
	    Q_OK)
		return RELAY_ENROL_LATER;
	proven = secret_eq(right, m->proof.p, sizeof(right));
	secret_wipe(right, sizeof(right));
	if (!proven) {
		/* Only wrong proofs are counted here, and a right one is honoured
		 * whatever their count: the code's 80 random bits are not guessed,
		 * and one student's typing must not lock out a class that shares
		 * an address. */
		if (!limits_take(s, LIMIT_ENROL, 1, NULL))
			return RELAY_ENROL_LATER;
		return RELAY_ENROL_WRONG_PROOF;
	}
	return add_user(s, name, m->pem);
}

enum qerr
enrol_answer(struct session *s, const struct config *config, struct span body)
{
	static const char *const words[] = {"done",   "name taken",      "wrong proof",
					    "closed", "bad name or key", "try later"};
	struct buf ca = BUF_INIT(CERT_PEM_MAX), frame = BUF_INIT(CERT_PEM_MAX + 1024);
	char text[NAME_SIZE] = "";
	uint8_t proof[SHA256_LEN] = {0};
	struct relay_enrolled answer = {0};
	struct relay_enrol m;
	struct span name;
	enum qerr e;

	if ((e = relay_enrol_parse(body, &m)) != Q_OK)
		return e;
	name = without_nul(m.name);
	(void)name_copy(name, text);
	answer.status = (int32_t)enrol(s, config, &m, name);
	if (answer.status == RELAY_ENROL_DONE) {
		metric_add(METRIC_enrolments_total, 1);
		log_event(LOG_INFO, s, "enrolled", "name=%s", text);
		if ((e = identity_ca_pem(s->server->identity, &ca)) != Q_OK ||
		    (e = identity_enrol_proof(s->server->identity, "enrolled", name,
					      buf_span(&ca), proof)) != Q_OK)
			goto out;
	} else {
		metric_add(METRIC_enrolment_failures_total, 1);
		log_limited(LOG_WARN, &s->peer, s, "enrolment-failed", "reason=%s",
			    words[answer.status]);
	}
	answer.ca = buf_span(&ca);
	answer.proof = span_of(proof, sizeof(proof));
	if ((e = relay_enrolled_put(&frame, &answer)) == Q_OK)
		e = outbox_put(s, OUTBOX_CONTROL, buf_span(&frame));
out:
	buf_free(&ca);
	buf_free(&frame);
	return e;
}
