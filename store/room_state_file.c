/* SPDX-License-Identifier: MIT
 *
 * rooms/ID.state: lines of 64 bytes, so that the one of message N is at 64 * (N + 1)
 * and never crosses a sector.
 *
 *   quintet-state 1 APPLIED... MESSAGES.. ---------------- CCCCCCCC     the head
 *   TTTTTTTTTTTT SSSSSSSSSS LLLLLLLLLL edpf RRRRRRRRRRRRRR CCCCCCCC     message 0
 *   |            |          |          |    |              |
 *   |            |          |          |    |              CRC-32, begun with the number
 *   |            |          |          |    56 bits of SHA-256 of author and ref
 *   |            |          |          edited deleted pinned file, or "-"
 *   |            |          seq of the record with the newest content or the reason
 *   |            seq of the record that sent it; 0: that record is lost
 *   milliseconds since 1970
 *
 * All numbers are hexadecimal. The head says up to which seq the lines below it know
 * everything, and how many they are. It is written when they are on the disk, and they
 * are written when the log is. So whatever a kill or a power cut leaves, the lines
 * together with the log behind APPLIED give the truth; lines that know more than APPLIED
 * do no harm, since the same events make them again.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libdeflate.h>

#include "store/file.h"
#include "store/rooms_priv.h"

#define LINE      64
#define LINE_BODY 54  /* before the blank and the check */
#define RUN       256 /* lines written at once */
#define HEAD      "quintet-state 1 "
#define FILLER    "----------------"

void
state_file_name(const struct uuid *room, char out[STATE_FILE_SIZE])
{
	char id[UUID_SIZE];

	uuid_text(room, id);
	snprintf(out, STATE_FILE_SIZE, "%s" STATE_SUFFIX, id);
}

static uint32_t
check_of(const char *line, uint64_t number)
{
	uint8_t first[8];

	le64_put(first, number);
	return libdeflate_crc32(libdeflate_crc32(0, first, sizeof(first)), line,
				LINE_BODY);
}

/* A page of messages is 50 of these: snprintf would be most of its work. */
static void
seal(char line[LINE], uint64_t number)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t check = check_of(line, number);

	line[LINE_BODY] = ' ';
	for (size_t i = LINE - 2; i > LINE_BODY; i--, check >>= 4)
		line[i] = digits[check & 15];
	line[LINE - 1] = '\n';
}

static bool
sealed(const char *line, uint64_t number)
{
	char right[LINE];

	memcpy(right, line, LINE);
	seal(right, number);
	return memcmp(right, line, LINE) == 0;
}

static void
put_line(char out[LINE + 1], const struct room_line *l)
{
	snprintf(out, LINE + 1,
		 "%012" PRIx64 " %010" PRIx64 " %010" PRIx64 " %c%c%c%c %014" PRIx64,
		 (uint64_t)l->ms & 0xffffffffffff, l->seq, l->last, l->edited ? 'e' : '-',
		 l->deleted ? 'd' : '-', l->pinned ? 'p' : '-', l->in_file ? 'f' : '-',
		 l->ref);
	seal(out, l->number);
}

static uint64_t
take_hex(const char *p, size_t digits)
{
	uint64_t v = 0;

	for (size_t i = 0; i < digits; i++)
		v = v << 4 | (uint64_t)(p[i] <= '9' ? p[i] - '0' : p[i] - 'a' + 10);
	return v;
}

/* Of a line that is sealed. */
static void
take_line(const char *p, uint64_t number, struct room_line *out)
{
	*out = (struct room_line){.number = number,
				  .ms = (int64_t)take_hex(p, 12),
				  .seq = take_hex(p + 13, 10),
				  .last = take_hex(p + 24, 10),
				  .edited = p[35] == 'e',
				  .deleted = p[36] == 'd',
				  .pinned = p[37] == 'p',
				  .in_file = p[38] == 'f',
				  .ref = take_hex(p + 40, 14)};
}

/* ---- files ---- */

static enum qerr
open_file(struct rooms *r, const struct uuid *room, int flags, int *fd)
{
	char name[STATE_FILE_SIZE];

	state_file_name(room, name);
	*fd = openat(r->store->fd[FOLDER_ROOMS], name, flags | O_CLOEXEC | O_NOFOLLOW,
		     0600);
	return *fd < 0 ? qerr_errno(errno) : Q_OK;
}

/* Q_FORMAT: the file is shorter. */
static enum qerr
read_all(int fd, char *p, size_t n, int64_t at)
{
	while (n > 0) {
		ssize_t got = pread(fd, p, n, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return qerr_errno(errno);
		if (got == 0)
			return Q_FORMAT;
		p += got;
		n -= (size_t)got;
		at += got;
	}
	return Q_OK;
}

static enum qerr
write_all(int fd, const char *p, size_t n, int64_t at)
{
	while (n > 0) {
		ssize_t done = pwrite(fd, p, n, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return qerr_errno(errno);
		p += done;
		n -= (size_t)done;
		at += done;
	}
	return Q_OK;
}

enum qerr
state_file_head(struct rooms *r, const struct uuid *room, uint64_t *applied,
		uint64_t *n_messages)
{
	const size_t at = sizeof(HEAD) - 1;
	char line[LINE];
	int fd;
	enum qerr e = open_file(r, room, O_RDONLY, &fd);

	if (e != Q_OK)
		return e;
	e = read_all(fd, line, LINE, 0);
	close(fd);
	if (e != Q_OK)
		return e;
	if (!sealed(line, UINT64_MAX) || memcmp(line, HEAD, at) != 0)
		return Q_FORMAT;
	*applied = take_hex(line + at, 10);
	*n_messages = take_hex(line + at + 11, 10);
	return Q_OK;
}

enum qerr
state_file_read(struct rooms *r, const struct uuid *room, uint64_t number, size_t n,
		struct room_line *out)
{
	char *text = malloc(n * LINE);
	int fd;
	enum qerr e;

	if (text == NULL)
		return Q_NOMEM;
	if ((e = open_file(r, room, O_RDONLY, &fd)) == Q_OK) {
		e = read_all(fd, text, n * LINE, (int64_t)(number + 1) * LINE);
		close(fd);
	}
	if (e == Q_MISSING)
		e = Q_FORMAT;
	for (size_t i = 0; e == Q_OK && i < n; i++) {
		if (!sealed(text + i * LINE, number + i)) {
			e = Q_FORMAT;
			break;
		}
		take_line(text + i * LINE, number + i, &out[i]);
	}
	free(text);
	return e;
}

/* Neighbours in one write. */
static enum qerr
write_lines(int fd, const struct room_line *lines, size_t n)
{
	char text[RUN * LINE + 1];
	enum qerr e = Q_OK;

	for (size_t i = 0, run; e == Q_OK && i < n; i += run) {
		for (run = 0; run < RUN && i + run < n &&
			      lines[i + run].number == lines[i].number + run;
		     run++)
			put_line(text + run * LINE, &lines[i + run]);
		e = write_all(fd, text, run * LINE,
			      (int64_t)(lines[i].number + 1) * LINE);
	}
	return e;
}

enum qerr
state_file_write(struct rooms *r, const struct uuid *room, const struct room_line *lines,
		 size_t n, uint64_t applied, uint64_t n_messages)
{
	char head[LINE + 1];
	int fd;
	enum qerr e = open_file(r, room, O_RDWR | O_CREAT, &fd);

	if (e != Q_OK)
		return e;
	e = write_lines(fd, lines, n);
	if (e == Q_OK && fdatasync(fd) != 0)
		e = qerr_errno(errno);
	if (e == Q_OK) {
		snprintf(head, sizeof(head), HEAD "%010" PRIx64 " %010" PRIx64 " " FILLER,
			 applied, n_messages);
		seal(head, UINT64_MAX);
		e = write_all(fd, head, LINE, 0);
	}
	close(fd);
	return e;
}
