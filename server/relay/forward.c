/* SPDX-License-Identifier: MIT
 *
 * forward.c - from one client to its partner: 305, 306, 308 and 350, unread.
 *
 * DESIGN.  The worker opens frames in place in its input buffer and collects
 * those that go to the partner: a run.  A run costs one append to the archive,
 * two short holds of the sender's own outbox lock to learn and check its chat,
 * and one hold of the partner's outbox lock in which every frame is sealed
 * straight from the input buffer into the outbox, its 4 counter bytes
 * overwritten with the partner's counter.  Per message there is no allocation,
 * no system call, no lock and no copy beside the two passes of AES-GCM.
 *
 * RACES.  rs->chat says in which chat a session is.  It changes only with the
 * switchboard's lock AND the session's own outbox lock held, so holding either
 * is enough to read it.
 *
 * 1. A frame never reaches another chat than the one it was sent in.  The
 *    sender's worker takes a reference to its chat, and under the partner's
 *    outbox lock compares it with the partner's.  If the chat ends meanwhile,
 *    the partner's pointer is NULL or a different object; it cannot be a new
 *    chat at the same address, since the reference keeps the old one alive.
 *    The sender cannot have moved to a new chat in the middle of a run: for
 *    that its own worker would have had to handle its 301 or 303.
 * 2. 303 and 307 come first.  rs->chat is set in the same hold of the outbox
 *    lock that puts 307 or 303 into it, so a frame that passes the comparison
 *    stands behind.  The accepter's is set before the requester's: a requester
 *    who sees the chat finds its partner in it.
 * 3. 371 comes last.  rs->chat is cleared in the hold that puts 371 in.  A
 *    sender that leaves does so on its own worker, after its runs.
 * 4. Nothing is lost silently.  A frame that is not put into the outbox of a
 *    live partner means that the chat is over or about to be: the partner has
 *    ended it (371 is in the sender's outbox), its session is ending (its
 *    worker will leave the switchboard, and 371 follows), or we end it here.
 * 5. Two clients that flood each other and read nothing: both workers wait in
 *    outbox_wait_room without a lock, at most limits.sender_wait, and then end
 *    the other as slow.  A worker whose own session ends, or whose chat does,
 *    stops waiting within a second.
 */
#include "server/relay/relay_session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/moderation.h"

#define WAIT_SLICE_MS 1000

/* ---- the run ---- */

bool
run_wants(int32_t opcode)
{
	return opcode == RELAY_PEER_MESSAGE || opcode == RELAY_NONCE ||
	       opcode == RELAY_FIRST_KEY || opcode == RELAY_SECOND_KEY;
}

void
run_clear(struct run *run)
{
	run->n = run->messages = run->bytes = 0;
}

static bool
is_message(const uint8_t *plain)
{
	return le32_get(plain) == RELAY_PEER_MESSAGE;
}

void
run_add(struct run *run, uint8_t *plain, size_t len)
{
	assert(run->n < RUN_MAX && len >= RELAY_HEAD_LEN);
	run->frame[run->n].p = plain;
	run->frame[run->n].len = len;
	run->n++;
	if (is_message(plain)) {
		run->messages++;
		run->bytes += len - RELAY_HEAD_LEN;
	}
}

/* ---- the chat, as the sender sees it ---- */

/* A reference to the chat that rs is in, or NULL. */
static struct relay_chat *
chat_of(struct relay_session *rs)
{
	struct relay_chat *chat;

	lock_take(&rs->session->out.lock);
	chat = rs->chat == NULL ? NULL : relay_chat_ref(rs->chat);
	lock_drop(&rs->session->out.lock);
	return chat;
}

static bool
still_in(struct relay_session *rs, const struct relay_chat *chat)
{
	bool same;

	lock_take(&rs->session->out.lock);
	same = rs->chat == chat;
	lock_drop(&rs->session->out.lock);
	return same;
}

/* ---- archive ---- */

static enum qerr
archive(struct relay_session *rs, struct relay_chat *chat, const struct run *run)
{
	const struct session *to = relay_chat_partner(chat, rs->session);
	struct record one = {.kind = "relay", .text = false};
	struct record *records;
	struct msglog *log;
	size_t n = 0;
	enum qerr e;

	if ((e = relay_chat_log(chat, rs->session->server->store, &log)) != Q_OK)
		return e;
	if ((records = malloc(run->messages * sizeof(*records))) == NULL)
		return Q_NOMEM;
	strlcpy(one.from, rs->session->user, sizeof(one.from));
	strlcpy(one.to, to->user, sizeof(one.to));
	for (size_t i = 0; i < run->n; i++) {
		if (!is_message(run->frame[i].p))
			continue;
		records[n] = one;
		records[n++].data = span_of(run->frame[i].p + RELAY_HEAD_LEN,
					    run->frame[i].len - RELAY_HEAD_LEN);
	}
	assert(n == run->messages);
	e = msglog_append(log, records, n);
	free(records);
	return e;
}

/* ---- delivery ---- */

/* Seal count frames from next on at `at`; *done counts those that are whole. */
static enum qerr
seal_frames_locked(struct relay_session *to, struct run *run, size_t next, size_t count,
		   uint8_t *at, size_t *done) REQUIRES(to->session->out.lock)
{
	size_t bytes = 0;
	enum qerr e = Q_OK;

	for (*done = 0; *done < count; (*done)++) {
		uint8_t *plain = run->frame[next + *done].p;
		size_t len = run->frame[next + *done].len;

		e = sealing_seal(&to->sealing, SEALING_MORE, plain, len, at + bytes);
		if (e != Q_OK)
			break;
		bytes += SEALED_SIZE(len);
	}
	outbox_commit_locked(&to->session->out, bytes);
	return e == Q_LIMIT ? Q_MISSING : e;
}

/* Put the run's frames from *next on into to's outbox (one, for a client that
 * wants each in a segment of its own), and step over them.  Q_DENIED: to is no
 * longer in chat.  Else as outbox_reserve_locked, Q_MISSING for a counter that
 * is used up, Q_CRYPTO. */
static enum qerr
put_some(struct relay_session *to, const struct relay_chat *chat, struct run *run,
	 size_t *next)
{
	size_t count = relay_distinct(to) ? 1 : run->n - *next;
	size_t bytes = 0, done;
	uint8_t *at;
	enum qerr e;

	for (size_t i = 0; i < count; i++)
		bytes += SEALED_SIZE(run->frame[*next + i].len);
	lock_take(&to->session->out.lock);
	if (to->chat != chat) {
		e = Q_DENIED;
	} else if (to->farewell) {
		e = Q_CLOSED;
	} else {
		e = outbox_reserve_locked(&to->session->out, OUTBOX_DATA, bytes, &at);
		if (e == Q_OK) {
			e = seal_frames_locked(to, run, *next, count, at, &done);
			*next += done;
		}
	}
	lock_drop(&to->session->out.lock);
	return e;
}

/* Until to takes messages again.  Q_CLOSED: there is nothing to wait for. */
static enum qerr
wait_room(struct relay_session *rs, struct relay_session *to,
	  const struct relay_chat *chat)
{
	int64_t deadline = clock_mono_ms() + rs->config->sender_wait_ms;

	outbox_touch(to->session);
	outbox_flush_touched();
	for (;;) {
		int64_t slice = clock_mono_ms() + WAIT_SLICE_MS;
		enum qerr e;

		e = outbox_wait_room(to->session, slice < deadline ? slice : deadline);
		if (e != Q_TIMEOUT)
			return e;
		if (session_ended(rs->session) || !still_in(rs, chat))
			return Q_CLOSED;
		if (slice >= deadline)
			return Q_TIMEOUT;
	}
}

/* Everything in run, in order.  Q_OK: all of it is with the partner, or cannot
 * be and the chat is over; anything else: the server cannot go on. */
static enum qerr
pass_on(struct relay_session *rs, struct relay_chat *chat, struct run *run)
{
	struct relay_session *to = relay_chat_partner(chat, rs->session)->state;
	size_t next = 0;
	enum qerr e = Q_OK;

	while (next < run->n) {
		e = put_some(to, chat, run, &next);
		if (e == Q_OK && relay_distinct(to))
			outbox_flush(to->session);
		else if (e == Q_FULL)
			e = wait_room(rs, to, chat);
		if (e != Q_OK)
			break;
	}
	outbox_touch(to->session);
	switch (e) {
	case Q_OK:
		metric_add(METRIC_messages_total, run->messages);
		metric_add(METRIC_message_bytes_total, run->bytes);
		break;
	case Q_DENIED: /* over: the sender has its 371, or will */
	case Q_CLOSED: break;
	case Q_TIMEOUT:
		session_end(to->session, GOODBYE_SLOW,
			    "you do not read what is sent to you");
		break;
	case Q_MISSING: relay_broken(to->session, "frame counter used up"); break;
	default: return e;
	}
	return Q_OK;
}

/* A message of somebody who is muted.  Left out alone it would break the count of those
 * behind it, so the chat ends. */
static bool
refuse_muted(struct relay_session *rs, struct run *run)
{
	struct session *s = rs->session;

	if (run->messages == 0 ||
	    !moderation_holds(s->server->moderation, s->user, RESTRICTION_MUTE))
		return false;
	log_limited(LOG_INFO, &s->peer, s, "muted", "messages=%zu", run->messages);
	relay_muted(rs);
	relay_break_chat(rs);
	run_clear(run);
	return true;
}

void
run_forward(struct relay_session *rs, struct run *run)
{
	struct relay_chat *chat = run->n > 0 ? chat_of(rs) : NULL;
	enum qerr e = Q_OK;

	/* Outside a chat, dropped without a word. */
	if (chat != NULL && refuse_muted(rs, run)) {
		relay_chat_unref(chat);
	} else if (chat != NULL) {
		if (rs->config->relay_archive && run->messages > 0)
			e = archive(rs, chat, run);
		if (e != Q_OK)
			metric_add(METRIC_archive_failures_total, run->messages);
		else
			e = pass_on(rs, chat, run);
		if (e != Q_OK) {
			log_limited(LOG_ERROR, &rs->session->peer, rs->session,
				    "forward-failed", "to=%s messages=%zu error=%s",
				    relay_chat_partner(chat, rs->session)->user,
				    run->messages, qerr_str(e));
			relay_break_chat(rs);
		}
		relay_chat_unref(chat);
	}
	run_clear(run);
}
