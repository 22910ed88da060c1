/* SPDX-License-Identifier: MIT
 *
 * log.c - lines of a log, and where they go.
 *
 * A line is made on the stack of the thread that logs and goes out with one
 * write(2), so lines of different threads never mix and no lock is held over
 * the write.  The target has one descriptor number for the life of the process:
 * opening a new file puts it under that number with dup3(2), which is atomic
 * for whoever is writing.  The mutex orders those who change the target.
 *
 * A log must not hurt the server: a line that cannot be written (full disk, a
 * pipe that nobody reads) is lost and counted; the next one that goes through
 * says how many were.
 *
 * Values are quoted by construction.  log_event walks over its format itself,
 * one conversion at a time, so that it knows where a %s begins and ends: a
 * value with spaces, quotes or control characters cannot pass for another key.
 */
#include "server/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bsd/string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/text.h"
#include "server/config.h"
#include "server/log_line.h"
#include "server/protocol.h"

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static struct lock target_lock = LOCK_INIT;
static char target_file[CONFIG_TEXT_SIZE]; /* [target_lock] "" is stderr */
static atomic_int target_fd = -1;          /* set once, by the first log_open */
static atomic_int target_level = LOG_INFO;
static atomic_bool target_regular;   /* a file that grows, no pipe */
static _Atomic(int64_t) target_max;  /* bytes, 0: no cap */
static _Atomic(int64_t) target_size; /* bytes, roughly */
static atomic_uint lost;             /* lines since the last good write */

/* ---- the target ---- */

/* Put fd under the log's number (consumes fd). */
static enum qerr
install(int fd)
{
	struct stat st;
	int number = atomic_load(&target_fd);

	if (fstat(fd, &st) == -1)
		goto fail;
	if (number == -1)
		atomic_store(&target_fd, fd);
	else if (dup3(fd, number, O_CLOEXEC) == -1)
		goto fail;
	else
		close(fd);
	atomic_store(&target_regular, S_ISREG(st.st_mode));
	atomic_store(&target_size, S_ISREG(st.st_mode) ? st.st_size : 0);
	return Q_OK;
fail:
	close(fd);
	return Q_SYS;
}

static enum qerr
open_target_locked(const char *file, struct why *why) REQUIRES(target_lock)
{
	int fd;

	if (*file == '\0')
		fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(file,
			  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
			      O_NONBLOCK,
			  0600);
	if (fd == -1 || install(fd) != Q_OK)
		return why_set(why, qerr_errno(errno), "cannot open the log %s: %s",
			       *file == '\0' ? "on standard error" : file,
			       strerror(errno));
	if (file != target_file)
		strlcpy(target_file, file, sizeof(target_file));
	return Q_OK;
}

enum qerr
log_open(const char *file, enum log_level level, int64_t max_size, struct why *why)
{
	enum qerr e;

	lock_take(&target_lock);
	if ((e = open_target_locked(file, why)) == Q_OK) {
		atomic_store(&target_level, (int)level);
		atomic_store(&target_max, max_size);
	}
	lock_drop(&target_lock);
	return e;
}

enum qerr
log_reopen(struct why *why)
{
	enum qerr e;

	lock_take(&target_lock);
	e = open_target_locked(target_file, why);
	lock_drop(&target_lock);
	return e;
}

void
log_close(void)
{
	lock_take(&target_lock);
	target_file[0] = '\0';
	if (atomic_load(&target_fd) != -1)
		close(atomic_exchange(&target_fd, -1));
	atomic_store(&target_level, LOG_INFO);
	atomic_store(&target_max, 0);
	lock_drop(&target_lock);
}

/* The file has reached its cap: FILE becomes FILE.1.  When that fails, the file
 * goes on growing; it is tried again with the next line. */
static void
rotate(void)
{
	char old[CONFIG_TEXT_SIZE + 2];

	lock_take(&target_lock);
	if (target_file[0] != '\0' &&
	    atomic_load(&target_size) >= atomic_load(&target_max)) {
		snprintf(old, sizeof(old), "%s.1", target_file);
		if (rename(target_file, old) == 0)
			open_target_locked(target_file, NULL);
	}
	lock_drop(&target_lock);
}

/* ---- writing ---- */

static bool
write_line(const char *line, size_t n)
{
	int fd = atomic_load(&target_fd);
	struct pollfd p = {.fd = fd == -1 ? STDERR_FILENO : fd, .events = POLLOUT};

	/* A pipe or terminal that nobody reads must not hold up the server. */
	if (!atomic_load(&target_regular) &&
	    (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0))
		return false;
	return write(p.fd, line, n) == (ssize_t)n;
}

static void
emit(struct log_line *l)
{
	int64_t max = atomic_load(&target_max);
	unsigned missed = atomic_load(&lost);
	size_t n = log_line_end(l);

	if (missed > 0) {
		struct log_line note;

		log_line_begin(&note, level_names[LOG_WARN], clock_wall_ms());
		log_line_add(&note, "log-lost lines=%u", missed);
		if (write_line(note.text, log_line_end(&note)))
			atomic_fetch_sub(&lost, missed);
	}
	if (!write_line(l->text, n)) {
		atomic_fetch_add(&lost, 1);
		return;
	}
	if (max > 0 && atomic_fetch_add(&target_size, (int64_t)n) + (int64_t)n >= max &&
	    atomic_load(&target_regular))
		rotate();
}

static void
add_session(struct log_line *l, const struct session *s)
{
	const struct protocol *p = atomic_load(&s->protocol);

	log_line_add(l, " conn=%" PRIu64, s->id);
	if (p != NULL)
		log_line_add(l, " proto=%s", p->name);
	log_line_add(l, " addr=%s", s->peer_text);
	if (s->user[0] != '\0')
		log_line_add(l, " user=%s", s->user);
}

__attribute__((format(printf, 5, 0))) static void
event(enum log_level level, const struct session *s, unsigned left_out, const char *name,
      const char *fmt, va_list ap)
{
	struct log_line l;
	int saved = errno;

	log_line_begin(&l, level_names[level], clock_wall_ms());
	log_line_add(&l, "%s", name);
	if (s != NULL)
		add_session(&l, s);
	if (*fmt != '\0') {
		log_line_add(&l, " ");
		log_line_vadd(&l, fmt, ap);
	}
	if (left_out > 0)
		log_line_add(&l, " left_out=%u", left_out);
	emit(&l);
	errno = saved;
}

void
log_event(enum log_level level, const struct session *s, const char *name,
	  const char *fmt, ...)
{
	va_list ap;

	if ((int)level > atomic_load(&target_level))
		return;
	va_start(ap, fmt);
	event(level, s, 0, name, fmt, ap);
	va_end(ap);
}

/* ---- at most once a minute ----
 *
 * A small set-associative table: event and address choose a row of WAYS places;
 * when all are taken the oldest gives way.  So the table never grows, and the
 * worst that a flood of addresses does is to let a line through early. */

#define LIMITED_ROWS 256
#define LIMITED_WAYS 4
#define LIMITED_MS   60000

struct limited {
	uint64_t key; /* 0: free */
	int64_t since_ms;
	unsigned left_out;
};

static struct lock limited_lock = LOCK_INIT;
static struct limited limited[LIMITED_ROWS][LIMITED_WAYS]; /* [limited_lock] */

#define FNV1A_BASIS UINT64_C(14695981039346656037)

static uint64_t
fnv1a(uint64_t h, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * UINT64_C(1099511628211);
	return h;
}

/* May the line pass?  *left_out: how many did not since the last that did. */
static bool
pass(uint64_t key, int64_t now, unsigned *left_out)
{
	struct limited *row = limited[key % LIMITED_ROWS], *e = NULL;
	bool ok = true;

	lock_take(&limited_lock);
	for (int i = 0; i < LIMITED_WAYS && e == NULL; i++)
		if (row[i].key == key)
			e = &row[i];
	if (e == NULL) {
		e = row;
		for (int i = 1; i < LIMITED_WAYS; i++)
			if (row[i].since_ms < e->since_ms)
				e = &row[i];
		*e = (struct limited){key, now, 0};
	} else if (now - e->since_ms < LIMITED_MS) {
		e->left_out++;
		ok = false;
	} else {
		*left_out = e->left_out;
		*e = (struct limited){key, now, 0};
	}
	lock_drop(&limited_lock);
	return ok;
}

void
log_limited(enum log_level level, const struct address *source, const struct session *s,
	    const char *name, const char *fmt, ...)
{
	uint64_t key = FNV1A_BASIS;
	unsigned left_out = 0;
	va_list ap;

	if ((int)level > atomic_load(&target_level))
		return;
	key = fnv1a(key, name, strlen(name));
	if (source != NULL)
		key = fnv1a(key, &source->ip, sizeof(source->ip));
	if (!pass(key | 1, clock_mono_ms(), &left_out))
		return;
	va_start(ap, fmt);
	event(level, s, left_out, name, fmt, ap);
	va_end(ap);
}

/* event() takes its arguments as a list. */
static __attribute__((format(printf, 4, 5))) void
event_of(enum log_level level, unsigned left_out, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	event(level, NULL, left_out, name, fmt, ap);
	va_end(ap);
}

void
log_sentence(enum log_level level, const char *name, const char *text)
{
	uint64_t key = fnv1a(FNV1A_BASIS, name, strlen(name));
	unsigned left_out = 0;

	if ((int)level > atomic_load(&target_level))
		return;
	key = fnv1a(key, text, strlen(text));
	if (pass(key | 1, clock_mono_ms(), &left_out))
		event_of(level, left_out, name, "text=%s", text);
}
