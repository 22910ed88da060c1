/* SPDX-License-Identifier: MIT
 *
 * nodes.c - the rows: which of the three kinds of connection it is, and who says
 * goodbye on it.
 */
#include "server/nodes/nodes.h"

#include "server/log.h"
#include "server/nodes/node_link.h"
#include "server/nodes/node_tls.h"
#include "server/nodes/nodes_session.h"

#define HELLO_MAX 4096 /* bytes read before it is known what it is */

static enum qerr
start(struct server *server, struct why *why)
{
	enum qerr e = nodes_start(server);

	if (e != Q_OK)
		return why_set(why, e, "cannot start to link with other nodes: %s",
			       qerr_str(e));
	return Q_OK;
}

static void
quiet(struct server *server)
{
	(void)server;
	dial_quiet();
}

static void
stop(struct server *server)
{
	nodes_stop(server);
	node_tls_fini();
}

/* The whole first message of a control connection or a link. */
static bool
hello_is_there(struct session *s, struct nodes_message *hello)
{
	enum qerr e;

	while ((e = nodes_next(session_input(s), NODES_OPENER, hello)) == Q_SHORT)
		if (session_fill(s, HELLO_MAX) != Q_OK)
			return false;
	return e == Q_OK;
}

static void
serve(struct session *s)
{
	struct nodes_message hello;

	if (!config_now()->nodes_enabled || s->stream->ops->sealed) {
		/* TLS is inside, never around: bytes are passed on as they are. */
		log_limited(LOG_INFO, &s->peer, s, "nodes-refused", "reason=%s",
			    s->stream->ops->sealed ? "inside TLS" : "not served here");
		return;
	}
	if (session_input(s).p[0] == NODES_DATA_HELLO)
		data_serve(s);
	else if (!hello_is_there(s, &hello))
		return;
	else if (hello.type == NODES_CLIENT_HELLO)
		control_serve(s);
	else
		node_link_accepted(s, &hello);
}

/* Nothing of what the hub tells has a word here. */
static void
deliver(struct session *s, const struct event *event)
{
	(void)s, (void)event;
}

static void
goodbye(struct session *s, enum goodbye why, const char *text)
{
	(void)text;
	control_goodbye(s, why);
}

static void
release(struct session *s)
{
	control_free(s->state);
	s->state = NULL;
}

const struct protocol nodes_protocol = {
    .name = "nodes",
    .recognise = nodes_recognise,
    .start = start,
    .stop = stop,
    .quiet = quiet,
    .serve = serve,
    .deliver = deliver,
    .goodbye = goodbye,
    .release = release,
};

/* ---- data connections ---- */

static void
data_said_goodbye(struct session *s, enum goodbye why, const char *text)
{
	(void)text;
	data_goodbye(s, why);
}

static void
data_release(struct session *s)
{
	leg_free(s->state);
	s->state = NULL;
}

const struct protocol nodes_data_protocol = {
    .name = "nodes-data",
    .opaque = true,
    .recognise = nodes_recognise,
    .deliver = deliver,
    .goodbye = data_said_goodbye,
    .release = data_release,
};

/* ---- links ---- */

/* A link says no farewell: B8 for each call is said when its worker comes out. */
static void
link_said_goodbye(struct session *s, enum goodbye why, const char *text)
{
	(void)s, (void)why, (void)text;
}

static void
link_release(struct session *s)
{
	node_link_free(s->state);
	s->state = NULL;
}

const struct protocol nodes_link_protocol = {
    .name = "nodes-link",
    .recognise = nodes_recognise,
    .serve = node_link_dialled,
    .deliver = deliver,
    .goodbye = link_said_goodbye,
    .release = link_release,
};
