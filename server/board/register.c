/* SPDX-License-Identifier: MIT
 *
 * register.c - register: a user of one's own, with a password.
 */
#include <inttypes.h>
#include <stdio.h>

#include "crypto/password.h"
#include "crypto/random.h"
#include "server/accounts.h"
#include "server/board/account.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/passwords.h"

#define TAKEN "User name already taken"

/* Q_EXISTS, and what accounts_add and passwords_hash say. */
static enum qerr
make(struct server *server, struct span password, struct user *u)
{
	enum qerr e = passwords_hash(server->passwords, password, u->password);

	if (e == Q_OK)
		e = accounts_add(server->accounts, u, (struct span){NULL, 0}, NULL);
	secret_wipe(u->password, sizeof(u->password));
	return e;
}

static bool
is_there(struct server *server, const char *name)
{
	struct user u;
	bool is = accounts_get(server->accounts, name, &u) == Q_OK;

	secret_wipe(u.password, sizeof(u.password));
	return is;
}

const char *
board_register(struct board_session *bs, struct board_call *call)
{
	struct span name, password;
	struct user u = {.uin = 0};
	char args[32], uin[16];
	const char *reason;
	enum qerr e;

	if (!board_arg_text(call, &name) || !board_arg_text(call, &password))
		return BOARD_BAD_ARGUMENTS;
	if (!config_now()->board_register)
		return "Nobody can register here";
	if (name_copy(name, u.name) != Q_OK)
		return "User name invalid";
	if (!password_valid(password))
		return "Password invalid";
	/* Looked at here to spare the hash; accounts_add decides. */
	if (is_there(bs->server, u.name))
		return TAKEN;
	if ((reason = board_limited(bs, call, LIMIT_ACCOUNT)) != NULL)
		return reason;
	outbox_flush_touched();
	if ((e = make(bs->server, password, &u)) == Q_EXISTS)
		return TAKEN;
	if (e != Q_OK)
		return board_failed(bs, "register", e);
	metric_add(METRIC_enrolments_total, 1);
	log_event(LOG_INFO, sio_seat(bs->sio), "registered", "name=%s", u.name);
	snprintf(uin, sizeof(uin), "%" PRIu32, u.uin);
	snprintf(args, sizeof(args), "1,\"%s\"", uin);
	board_answer_with(bs, call, span_str(args), NULL, 0, uin);
	return NULL;
}
