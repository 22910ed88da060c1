/* SPDX-License-Identifier: MIT
 *
 * readpassphrase(3) does nearly this, but to it Ctrl-D is an empty answer, which would
 * take a default, or make a key without a passphrase, for somebody who wants to leave.
 *
 * The terminal's own line editing does the work; for a secret only its echo is off.
 * Signals that would end or stop the program meanwhile are held back until the echo is on
 * again, and asked for with signalfd(2).
 */
#include "client/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "crypto/random.h"

struct tty {
	int fd, signals;
	struct termios before;
	sigset_t held, mask_before;
};

static void
show(const struct tty *t, const char *text)
{
	/* A terminal that takes nothing will not answer either. */
	if (write(t->fd, text, strlen(text)) == -1)
		return;
}

static void
quiet(struct tty *t)
{
	struct termios mode = t->before;

	mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	(void)sigprocmask(SIG_BLOCK, &t->held, &t->mask_before);
	(void)tcsetattr(t->fd, TCSAFLUSH, &mode);
}

/* A signal that was held back is delivered here. */
static void
loud(struct tty *t)
{
	(void)tcsetattr(t->fd, TCSAFLUSH, &t->before);
	(void)sigprocmask(SIG_SETMASK, &t->mask_before, NULL);
}

/* False: a signal waits instead. */
static bool
wait_for_input(const struct tty *t)
{
	struct pollfd fds[2] = {{.fd = t->fd, .events = POLLIN},
				{.fd = t->signals, .events = POLLIN}};

	while (poll(fds, 2, -1) == -1)
		if (errno != EINTR)
			return true;
	return fds[1].revents == 0;
}

/* A byte at a time, so that what was typed ahead stays for the next question. */
static enum qerr
read_line(struct tty *t, enum tty_echo echo, const char *question, char *out, size_t size)
{
	enum qerr e = Q_OK;
	size_t n = 0;
	ssize_t got;
	char c;

	for (;;) {
		if (echo == TTY_SECRET && !wait_for_input(t)) {
			loud(t);
			quiet(t);
			show(t, question);
			continue;
		}
		got = read(t->fd, &c, 1);
		if (got == -1 && errno == EINTR)
			continue;
		if (got != 1)
			return Q_CLOSED;
		if (c == '\n')
			break;
		if (n == size - 1 || c == '\0')
			e = Q_LIMIT;
		else
			out[n++] = c;
	}
	out[n] = '\0';
	return e;
}

enum qerr
tty_ask(const char *question, enum tty_echo echo, char *out, size_t size)
{
	struct tty t = {.fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC),
			.signals = -1};
	enum qerr e = Q_MISSING;

	out[0] = '\0';
	if (t.fd == -1)
		return Q_MISSING;
	if (echo == TTY_SECRET) {
		sigemptyset(&t.held);
		sigaddset(&t.held, SIGINT);
		sigaddset(&t.held, SIGQUIT);
		sigaddset(&t.held, SIGTERM);
		sigaddset(&t.held, SIGHUP);
		sigaddset(&t.held, SIGTSTP);
		t.signals = signalfd(-1, &t.held, SFD_CLOEXEC);
		if (t.signals == -1 || tcgetattr(t.fd, &t.before) == -1)
			goto out;
		quiet(&t);
	}
	show(&t, question);
	e = read_line(&t, echo, question, out, size);
	if (echo == TTY_SECRET)
		loud(&t);
	if (echo == TTY_SECRET || e == Q_CLOSED)
		show(&t, "\n");
	if (e != Q_OK)
		secret_wipe(out, size);
out:
	if (t.signals != -1)
		close(t.signals);
	close(t.fd);
	return e;
}
