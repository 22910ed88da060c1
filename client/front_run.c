/* SPDX-License-Identifier: MIT */
#include "client/front_run.h"

#include <unistd.h>

#include "client/plain.h"
#include "client/screen.h"
#include "client/show.h"

enum qerr
front_run(const struct target *target, const struct client_protocol *protocol,
	  const struct client_login *login, const struct front_wish *wish,
	  struct why *why)
{
	bool terminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
	struct why lacks;

	if (!terminal || wish->plain)
		return plain_run(target, protocol, login, why);
	if (screen_able(&lacks) == Q_OK)
		return screen_run(target, protocol, login, wish->bell, why);
	show_status("lines, because %s", lacks.text);
	return plain_run(target, protocol, login, why);
}
