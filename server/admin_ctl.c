/* SPDX-License-Identifier: MIT
 *
 * admin_ctl.c - the commands "ctl ...", which talk to a running server.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "server/admin_call.h"
#include "server/hub.h"
#include "server/listener.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/protocol.h"

static size_t
waiting_bytes(struct session *s)
{
	size_t n;

	lock_take(&s->out.lock);
	n = s->out.data.len - s->out.sent;
	lock_drop(&s->out.lock);
	return n;
}

enum qerr
admin_ctl_sessions(struct admin_call *c)
{
	size_t count;
	struct session **list = sessions_list(c->server->sessions, NULL, NULL, &count);

	if (list == NULL)
		return why_set(c->why, Q_NOMEM, "there is no memory for the list");
	admin_say(c, "%8s  %-8s  %-6s  %-32s  %-19s  %9s  %s\n", "id", "protocol",
		  "stream", "user", "since", "waiting", "address");
	for (size_t i = 0; i < count; i++) {
		struct session *s = list[i];
		const struct protocol *p = atomic_load(&s->protocol);
		char since[ADMIN_TIME_SIZE], user[NAME_SIZE];

		admin_time(s->since_ms, since);
		sessions_user(c->server->sessions, s, user);
		admin_say(c, "%8" PRIu64 "  %-8s  %-6s  %-32s  %-19s  %9zu  %s\n", s->id,
			  p == NULL ? "-" : p->name, s->stream->ops->name,
			  *user == '\0' ? "-" : user, since, waiting_bytes(s),
			  s->peer_text);
	}
	sessions_list_free(list);
	return Q_OK;
}

enum qerr
admin_ctl_kick(struct admin_call *c)
{
	const char *name = c->argv[0], *reason = c->argc > 1 ? c->argv[1] : NULL;
	enum qerr e;
	size_t n;

	if (!name_valid(span_str(name)))
		return why_set(c->why, Q_FORMAT, "\"%.64s\" is no user's name", name);
	if (reason != NULL && (e = admin_check_text(c, "reason", reason)) != Q_OK)
		return e;
	if ((n = hub_kick(c->server, name, GOODBYE_KICKED, reason)) == 0)
		return why_set(c->why, Q_MISSING, "%s is not logged in", name);
	log_event(LOG_INFO, NULL, "ctl-kick", "name=%s sessions=%zu", name, n);
	admin_say(c, "ended %zu session%s of %s\n", n, n == 1 ? "" : "s", name);
	return Q_OK;
}

enum qerr
admin_ctl_say(struct admin_call *c)
{
	enum qerr e;
	size_t n;

	if ((e = admin_check_text(c, "text", c->argv[0])) != Q_OK)
		return e;
	n = hub_say(c->server, c->argv[0]);
	admin_say(c, "told %zu session%s\n", n, n == 1 ? "" : "s");
	return Q_OK;
}

enum qerr
admin_ctl_stats(struct admin_call *c)
{
	int64_t up_s = (clock_wall_ms() - c->server->started_ms) / 1000;

	admin_say(c, "%-28s %12" PRId64 "  seconds since the start\n", "uptime", up_s);
	admin_say(c, "%-28s %12zu  connections now\n", "sessions",
		  sessions_count(c->server->sessions));
	admin_say(c, "%-28s %12zu  threads that serve them\n", "workers",
		  workers_count());
	for (int m = 0; m < METRIC_COUNT; m++)
		admin_say(c, "%-28s %12" PRIu64 "  %s\n", metric_name((enum metric)m),
			  metric_get((enum metric)m), metric_doc((enum metric)m));
	return Q_OK;
}

enum qerr
admin_ctl_reload(struct admin_call *c)
{
	struct why note = {""};
	enum qerr e = server_reload(c->server, &note);

	if (e != Q_OK)
		return why_set(c->why, e, "nothing was changed: %.480s", note.text);
	admin_say(c, "reloaded\n");
	if (note.text[0] != '\0')
		admin_say(c, "%s\n", note.text);
	return Q_OK;
}

enum qerr
admin_ctl_stop(struct admin_call *c)
{
	admin_say(c, "stopping\n");
	server_stop(c->server);
	return Q_OK;
}
