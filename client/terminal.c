/* SPDX-License-Identifier: MIT
 *
 * There is one terminal, and signal handlers must know the way back: so the state is
 * static here, and only here.
 */
#include "client/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "client/terminal_out.h"

static struct {
	bool open, registered;
	struct termios before;
	int signals[2]; /* a pipe: handlers write, the loop reads */
	char restore[512];
	size_t restore_len;
} terminal = {.signals = {-1, -1}};

static const int watched[] = {SIGWINCH, SIGCONT, SIGTSTP, SIGTERM, SIGHUP, SIGINT};
static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT, SIGSYS};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the way back ---- */

/* Safe in a signal handler. */
static void
give_back(void)
{
	ssize_t n = write(STDOUT_FILENO, terminal.restore, terminal.restore_len);

	(void)n; /* when it is gone nothing helps */
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
}

static void
at_end(void)
{
	if (terminal.open)
		give_back();
}

static void
on_deadly(int signal_number)
{
	at_end();
	terminal.open = false;
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void
on_signal(int signal_number)
{
	int saved = errno;
	char byte = (char)signal_number;
	ssize_t n = write(terminal.signals[1], &byte, 1);

	(void)n; /* full: there is enough to be read */
	errno = saved;
}

static void
handle(const int *numbers, size_t count, void (*handler)(int), int flags)
{
	struct sigaction a = {.sa_handler = handler, .sa_flags = flags};

	sigemptyset(&a.sa_mask);
	for (size_t i = 0; i < count; i++)
		sigaction(numbers[i], &a, NULL);
}

/* ---- signals ---- */

int
terminal_signal_fd(void)
{
	return terminal.signals[0];
}

int
terminal_signal(void)
{
	char byte;

	return read(terminal.signals[0], &byte, 1) == 1 ? byte : 0;
}

/* ---- taking over ---- */

static enum qerr
enter(void)
{
	struct termios raw = terminal.before;

	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == -1)
		return Q_SYS;
	terminal_out_begin();
	return terminal_out_flush();
}

enum qerr
terminal_able(struct why *why)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return why_set(why, Q_MISSING, "this is no terminal");
	return terminal_out_able(why);
}

enum qerr
terminal_open(struct strokes *strokes, struct why *why)
{
	enum qerr e = terminal_able(why);

	if (e != Q_OK)
		return e;
	if (tcgetattr(STDIN_FILENO, &terminal.before) == -1 ||
	    (terminal.signals[0] == -1 &&
	     pipe2(terminal.signals, O_CLOEXEC | O_NONBLOCK) == -1))
		return why_set(why, Q_SYS, "cannot take over the terminal: %s",
			       strerror(errno));
	terminal_out_keys(strokes);
	terminal.restore_len =
	    terminal_out_end(terminal.restore, sizeof(terminal.restore));
	if (!terminal.registered && atexit(at_end) == 0)
		terminal.registered = true;
	terminal.open = true;
	handle(deadly, COUNT(deadly), on_deadly, (int)SA_RESETHAND);
	handle(watched, COUNT(watched), on_signal, 0);
	if (enter() == Q_OK)
		return Q_OK;
	terminal_close();
	return why_set(why, Q_SYS, "cannot take over the terminal: %s", strerror(errno));
}

void
terminal_close(void)
{
	if (!terminal.open)
		return;
	give_back();
	terminal.open = false;
	handle(watched, COUNT(watched), SIG_DFL, 0);
	handle(deadly, COUNT(deadly), SIG_DFL, 0);
	terminal_out_forget();
}

void
terminal_suspend(void)
{
	static const int stop[] = {SIGTSTP};

	give_back();
	handle(stop, 1, SIG_DFL, 0);
	kill(0, SIGTSTP); /* the whole job, as the terminal does */
	/* Here it goes on. */
	handle(stop, 1, on_signal, 0);
	(void)enter();
	terminal_forget();
}

void
terminal_size(int *rows, int *columns)
{
	struct winsize w = {.ws_row = 0};

	*rows = 24;
	*columns = 80;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 0 && w.ws_col > 0) {
		*rows = w.ws_row;
		*columns = w.ws_col;
	}
}
