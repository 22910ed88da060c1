/* SPDX-License-Identifier: MIT
 *
 * The calls: each on a connection of its own, in TLS between the two clients, which the
 * server only passes on.  Nothing is said in it before the key of the other one was
 * compared with what is pinned.
 */
#include <string.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "base/text.h"
#include "client/link_mutual.h"
#include "client/nodes_machine.h"
#include "client/verify.h"
#include "crypto/random.h"

/* ---- the table ---- */

struct node_call *
node_call_find(struct nodes_machine *m, uint32_t uin, const char *name)
{
	for (size_t i = 0; i < CALLS_MAX; i++) {
		struct node_call *c = &m->calls[i];

		if (c->state != NODE_CALL_FREE &&
		    (uin != 0 ? c->uin == uin : name_cmp(c->name, name) == 0))
			return c;
	}
	return NULL;
}

static struct node_call *
of_side(struct nodes_machine *m, unsigned id)
{
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (m->calls[i].state != NODE_CALL_FREE && m->calls[i].side == id)
			return &m->calls[i];
	return NULL;
}

struct node_call *
node_call_ringing(struct nodes_machine *m)
{
	struct node_call *first = NULL;

	for (size_t i = 0; i < CALLS_MAX; i++) {
		struct node_call *c = &m->calls[i];

		if (c->state == NODE_CALL_RINGING &&
		    (first == NULL || c->order < first->order))
			first = c;
	}
	return first;
}

struct node_call *
node_call_add(struct nodes_machine *m, enum node_call_state state, uint32_t uin,
	      const char *name)
{
	for (size_t i = 0; i < CALLS_MAX; i++) {
		struct node_call *c = &m->calls[i];

		if (c->state != NODE_CALL_FREE)
			continue;
		*c = (struct node_call){.state = state, .uin = uin, .order = m->orders++};
		strlcpy(c->name, name, sizeof(c->name));
		nodes_number(uin, c->as);
		c->unsent = (struct unsent)UNSENT_INIT;
		c->kept = (struct buf)BUF_INIT(KEPT_MAX);
		return c;
	}
	return NULL;
}

void
node_call_drop(struct nodes_machine *m, struct node_call *c)
{
	if (c->side != 0)
		m->env->sides->finish(m->env->sides->arg, c->side);
	if (m->current == c)
		m->current = NULL;
	if (m->shown == c)
		m->shown = NULL;
	if (m->back_to == c)
		m->back_to = NULL;
	m->env->view->unread -= c->unread;
	unsent_fini(&c->unsent);
	buf_wipe(&c->kept);
	*c = (struct node_call){.state = NODE_CALL_FREE};
	nodes_show(m);
}

void
node_call_close(struct nodes_machine *m, struct node_call *c, const char *reason)
{
	struct unsent unsent = c->unsent;
	char name[NAME_SIZE];

	c->unsent = (struct unsent)UNSENT_INIT;
	strlcpy(name, c->name, sizeof(name));
	node_call_drop(m, c);
	unsent_tell(&unsent, m->env);
	unsent_fini(&unsent);
	client_tell(m->env, CLIENT_CHAT_CLOSED, name, span_str(reason));
}

/* ---- to the partner ---- */

static enum qerr
put(const struct nodes_machine *m, const struct node_call *c,
    const struct nodes_message *msg)
{
	struct buf *out = m->env->sides->out(m->env->sides->arg, c->side);

	return out == NULL ? Q_CLOSED : nodes_put(out, msg);
}

enum qerr
node_call_say(struct nodes_machine *m, struct span text, struct why *why)
{
	struct nodes_message msg = {.type = NODES_TEXT, .bytes = text};
	struct node_call *c = m->current;
	struct buf *out;

	if (c == NULL && m->env->view->phase == CLIENT_PHASE_ASKING)
		return why_set(why, Q_DENIED, "not sent: %s has not answered yet",
			       m->env->view->partner);
	if (c == NULL)
		return why_set(why, Q_DENIED,
			       "not sent: you are in no call; /call NAME begins one");
	if (text.len > NODES_TEXT_MAX)
		return why_set(why, Q_LIMIT,
			       "not sent: %zu bytes are too long, %d at most", text.len,
			       NODES_TEXT_MAX);
	if (!utf8_valid(text))
		return why_set(why, Q_FORMAT, "not sent: this is not UTF-8 text");
	out = m->env->sides->out(m->env->sides->arg, c->side);
	if (out == NULL || out->len > CALL_OUT_HIGH || nodes_put(out, &msg) != Q_OK)
		return why_set(why, Q_FULL, "not sent: too much is waiting to be sent");
	unsent_add(&c->unsent, c->name, text);
	nodes_show(m);
	return Q_OK;
}

uint64_t
nodes_since(int64_t then_ns)
{
	return (uint64_t)(clock_mono_ns() - then_ns) / 1000;
}

void
node_call_ping(struct node_call *c, const struct nodes_machine *m)
{
	struct nodes_message ping = {.type = NODES_PING};

	random_bytes(c->ping, sizeof(c->ping));
	memcpy(ping.two, c->ping, sizeof(ping.two));
	if (put(m, c, &ping) == Q_OK)
		c->pinged_ns = clock_mono_ns();
}

/* ---- its connection ---- */

void
node_call_join(struct nodes_machine *m, struct node_call *c)
{
	const struct client_sides *sides = m->env->sides;
	struct nodes_message hello = {.type = NODES_DATA_HELLO,
				      .uin = c->ours ? m->uin : c->uin,
				      .uin2 = c->ours ? c->uin : m->uin};
	struct link_mutual how = {.tls_server = !c->ours,
				  .key = m->env->login->key,
				  .name = m->env->login->user,
				  .wait_ms = JOIN_MS};
	struct buf b = BUF_INIT(LINK_HELLO_MAX);
	struct why why = {"there is no memory left"};
	enum qerr e = nodes_put(&b, &hello);

	if (e == Q_OK) {
		memcpy(how.hello, b.p, b.len);
		how.hello_len = b.len;
		e = sides->open(sides->arg, &how, &c->side, &why);
	}
	buf_free(&b);
	if (e != Q_OK) {
		c->side = 0;
		node_call_close(m, c, why.text);
		node_call_back(m);
		return;
	}
	c->state = NODE_CALL_JOINING;
	nodes_show(m);
}

/* What was kept of it while another one was current. */
static void
show_kept(struct nodes_machine *m, struct node_call *c)
{
	struct reader r = reader_of(buf_span(&c->kept));
	struct span text;
	uint32_t len;

	while (reader_u32(&r, &len) == Q_OK && reader_take(&r, len, &text) == Q_OK) {
		struct client_event e = {.kind = CLIENT_MESSAGE,
					 .name = c->name,
					 .fingerprint = c->key,
					 .text = text};

		m->env->event(m->env->event_arg, &e);
	}
	if (c->full)
		nodes_tell(m, CLIENT_FAILED,
			   "more has come from %s than could be kept; what is missing "
			   "came last",
			   c->name);
	buf_wipe(&c->kept);
	m->env->view->unread -= c->unread;
	c->unread = 0;
	c->full = false;
}

void
node_call_switch(struct nodes_machine *m, struct node_call *c)
{
	m->current = c;
	nodes_show(m);
	client_tell(m->env, CLIENT_CHAT_READY, c->name, span_of(NULL, 0));
	show_kept(m, c);
}

void
node_call_back(struct nodes_machine *m)
{
	struct node_call *c = m->back_to;

	m->back_to = NULL;
	if (c != NULL && m->current == NULL && c->state == NODE_CALL_UP)
		node_call_switch(m, c);
}

static void
on_up(void *machine, unsigned id, const uint8_t key[SHA256_LEN], int64_t now_ms)
{
	struct nodes_machine *m = machine;
	struct node_call *c = of_side(m, id);
	struct why why = {""};
	enum qerr e;

	(void)now_ms;
	if (c == NULL || m->over)
		return;
	fingerprint_text(key, c->key);
	e = verify_key(m->env, c->name, c->as, c->key, &c->verified, &why);
	if (e != Q_OK) {
		node_call_close(m, c,
				e == Q_DENIED ? "their key is another one" : why.text);
		node_call_back(m);
		return;
	}
	m->back_to = NULL;
	c->state = NODE_CALL_UP;
	node_call_switch(m, c);
	verify_proven(m->env, c->name);
}

static void
on_lost(void *machine, unsigned id, enum qerr e, const char *reason)
{
	struct nodes_machine *m = machine;
	struct node_call *c = of_side(m, id);

	if (c == NULL || m->over)
		return;
	if (e == Q_CLOSED)
		reason = c->state == NODE_CALL_UP ? "by the other side"
						  : "the other side did not come";
	node_call_close(m, c, reason);
	node_call_back(m);
}

/* ---- from the partner ---- */

static void
on_text(struct nodes_machine *m, struct node_call *c, struct span text)
{
	struct nodes_message got = {.type = NODES_DELIVERED};
	struct client_event e = {
	    .kind = CLIENT_MESSAGE, .name = c->name, .fingerprint = c->key, .text = text};
	size_t before = c->kept.len;

	random_bytes(got.two, sizeof(got.two));
	(void)put(m, c, &got);
	if (c != m->current) {
		c->full = c->full || buf_put_u32(&c->kept, (uint32_t)text.len) != Q_OK ||
			  buf_put_span(&c->kept, text) != Q_OK;
		if (c->full)
			c->kept.len = before;
		c->unread++;
		m->env->view->unread++;
		e.kind = CLIENT_UNREAD;
		e.text = span_of(NULL, 0);
		e.count = c->unread;
	}
	m->env->event(m->env->event_arg, &e);
}

/* The report is about the oldest text that has none. */
static void
on_delivered(struct nodes_machine *m, struct node_call *c)
{
	m->scratch.len = 0;
	if (!unsent_first(&c->unsent, &m->scratch))
		return;
	unsent_arrived(&c->unsent, 1);
	nodes_show(m);
	client_tell(m->env, CLIENT_DELIVERED, c->name, buf_span(&m->scratch));
}

static void
on_pong(struct nodes_machine *m, struct node_call *c, const struct nodes_message *msg)
{
	struct client_event e = {.kind = CLIENT_PINGED,
				 .name = c->name,
				 .fingerprint = c->key,
				 .count = nodes_since(c->pinged_ns)};

	if (c->pinged_ns == 0 || memcmp(msg->two, c->ping, sizeof(c->ping)) != 0)
		return;
	c->pinged_ns = 0;
	m->env->event(m->env->event_arg, &e);
}

static void
on_message(struct nodes_machine *m, struct node_call *c, const struct nodes_message *msg)
{
	struct nodes_message pong = *msg;

	switch (msg->type) {
	case NODES_TEXT: on_text(m, c, msg->bytes); break;
	case NODES_DELIVERED: on_delivered(m, c); break;
	case NODES_PING:
		pong.type = NODES_PONG;
		(void)put(m, c, &pong);
		break;
	case NODES_PONG: on_pong(m, c, msg); break;
	default: break;
	}
}

static void
on_input(void *machine, unsigned id, struct buf *in, int64_t now_ms)
{
	struct nodes_machine *m = machine;
	struct node_call *c = of_side(m, id);
	struct nodes_message msg;
	enum qerr e = Q_OK;
	size_t used = 0;

	(void)now_ms;
	/* Each message may be the end of the call. */
	while (c != NULL && !m->over &&
	       (e = nodes_next(span_of(in->p + used, in->len - used), NODES_CORRESPONDENT,
			       &msg)) == Q_OK) {
		used += msg.total;
		on_message(m, c, &msg);
		c = of_side(m, id);
	}
	buf_consume(in, used);
	if (c != NULL && e == Q_FORMAT)
		node_call_close(m, c, "what came from there is no message");
}

const struct client_side_ops node_call_ops = {
    .up = on_up,
    .input = on_input,
    .lost = on_lost,
};
