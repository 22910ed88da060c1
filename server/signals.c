/* SPDX-License-Identifier: MIT */
#include "server/signals.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Left alone: what the CPU raises at a fault must hit at once, and Ctrl-Z,
 * Ctrl-\ are the terminal's. */
static const int untouched[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGABRT, SIGTRAP,
				SIGSYS,  SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGPROF};

void
signals_block(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < sizeof(untouched) / sizeof(untouched[0]); i++)
		sigdelset(&set, untouched[i]);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
}

enum signal_wish
signals_wait(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	while (sigwait(&set, &sig) != 0)
		continue;
	return sig == SIGHUP ? SIGNAL_RELOAD : SIGNAL_STOP;
}

static void
leave(int sig)
{
	(void)sig;
	_exit(1);
}

void
signals_impatient(void)
{
	struct sigaction act = {.sa_handler = leave};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
