/* SPDX-License-Identifier: MIT */
#include "client/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "client/private.h"

/* ---- what kind is it? ---- */

static const struct {
	const char *type, *ending;
	const char *magic;
	size_t len, at;
} kinds[] = {
    {"image/png", ".png", "\x89PNG\r\n\x1a\n", 8, 0},
    {"image/jpeg", ".jpg", "\xff\xd8\xff", 3, 0},
    {"image/gif", ".gif", "GIF8", 4, 0},
    {"image/webp", ".webp", "WEBP", 4, 8},
    {"application/pdf", ".pdf", "%PDF-", 5, 0},
    {"application/zip", ".zip", "PK\x03\x04", 4, 0},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *
file_type_of(struct span content)
{
	for (size_t i = 0; i < KINDS; i++)
		if (content.len >= kinds[i].at + kinds[i].len &&
		    memcmp(content.p + kinds[i].at, kinds[i].magic, kinds[i].len) == 0)
			return kinds[i].type;
	if (utf8_valid(content) &&
	    (content.len == 0 || memchr(content.p, '\0', content.len) == NULL))
		return "text/plain;charset=UTF-8";
	return "application/octet-stream";
}

static const char *
ending_of(const char *type)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].type, type) == 0)
			return kinds[i].ending;
	return strncmp(type, "text/plain", 10) == 0 ? ".txt" : "";
}

/* ---- sending ---- */

struct span
file_called(struct span path)
{
	const uint8_t *slash = path.len > 0 ? memrchr(path.p, '/', path.len) : NULL;

	if (slash == NULL)
		return path;
	return span_of(slash + 1, path.len - (size_t)(slash + 1 - path.p));
}

static enum qerr
put_url(struct buf *out, struct span name, struct span content)
{
	enum qerr e;

	if ((e = buf_put_span(out, name)) != Q_OK || (e = buf_put_u8(out, 0)) != Q_OK ||
	    (e = buf_printf(out, "data:%s;base64,", file_type_of(content))) != Q_OK ||
	    (e = buf_reserve(out, BASE64_LEN(content.len))) != Q_OK)
		return e;
	out->len += base64_encode(content, (char *)out->p + out->len);
	return Q_OK;
}

enum qerr
file_load(struct span path, struct buf *out, struct why *why)
{
	struct buf content = BUF_INIT(FILE_SEND_MAX);
	size_t before = out->len;
	char name[4096];
	enum qerr e;

	if (path.len >= sizeof(name) || memchr(path.p, '\0', path.len) != NULL)
		return why_set(why, Q_FORMAT, "no file has such a name");
	memcpy(name, path.p, path.len);
	name[path.len] = '\0';
	e = private_read(AT_FDCWD, name, PRIVATE_PUBLIC, &content, why);
	if (e == Q_OK &&
	    (e = put_url(out, file_called(path), buf_span(&content))) != Q_OK) {
		out->len = before;
		why_set(why, e, "%s is too large", name);
	}
	buf_free(&content);
	return e;
}

static enum qerr
read_open(int fd, const char *name, uint64_t max, struct buf *out, struct why *why)
{
	struct stat st;
	size_t size;
	ssize_t n = 1;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return why_set(why, Q_FORMAT, "%s is no file", name);
	if ((uint64_t)st.st_size > max)
		return why_set(why, Q_LIMIT,
			       "%s is too large: %" PRIu64 " bytes, and %" PRIu64
			       " are allowed",
			       name, (uint64_t)st.st_size, max);
	size = (size_t)st.st_size;
	if (buf_reserve(out, size) != Q_OK)
		return why_set(why, Q_NOMEM, "there is no memory for %s", name);
	while (size > 0 && n > 0) {
		n = read(fd, out->p + out->len, size);
		if (n == -1 && errno != EINTR)
			return why_set(why, qerr_errno(errno), "cannot read %s: %s", name,
				       strerror(errno));
		if (n > 0) {
			out->len += (size_t)n;
			size -= (size_t)n;
		} else if (n == -1) {
			n = 1;
		}
	}
	return Q_OK;
}

enum qerr
file_contents(struct span path, uint64_t max, struct buf *out, struct why *why)
{
	size_t before = out->len;
	char name[4096];
	enum qerr e;
	int fd;

	if (path.len == 0 || path.len >= sizeof(name) ||
	    memchr(path.p, '\0', path.len) != NULL)
		return why_set(why, Q_FORMAT, "no file has such a name");
	memcpy(name, path.p, path.len);
	name[path.len] = '\0';
	/* Not waiting for whoever would write into a pipe. */
	if ((fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) == -1)
		return why_set(why, qerr_errno(errno), "cannot open %s: %s", name,
			       strerror(errno));
	if ((e = read_open(fd, name, max, out, why)) != Q_OK)
		out->len = before;
	close(fd);
	return e;
}

/* ---- keeping ---- */

static bool
harmless(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

void
file_name(struct span called, uint64_t id, const char *type, char out[FILE_NAME_SIZE])
{
	struct span name = file_called(called);
	size_t n = 0;

	/* No hidden files, and none that looks like an option. */
	while (name.len > 0 && (name.p[0] == '.' || name.p[0] == '-'))
		name = span_of(name.p + 1, name.len - 1);
	for (size_t i = 0; i < name.len && n < FILE_NAME_SIZE - 1; i++)
		/* One '_' for a character, however many bytes it has. */
		if ((name.p[i] & 0xc0) != 0x80)
			out[n++] = harmless(name.p[i]) ? (char)name.p[i] : '_';
	out[n] = '\0';
	if (n == 0)
		snprintf(out, FILE_NAME_SIZE, "file-%" PRIu64 "%s", id, ending_of(type));
}

static int
write_all(int fd, struct span content)
{
	while (content.len > 0) {
		ssize_t n = write(fd, content.p, content.len);

		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0)
			content = span_of(content.p + n, content.len - (size_t)n);
	}
	return 0;
}

enum qerr
file_save(const char *path, struct span content, struct why *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	int failure = 0;

	if (fd == -1 && errno == EEXIST)
		return why_set(why, Q_EXISTS,
			       "%s is there already: /save ID FILE names "
			       "another",
			       path);
	if (fd == -1)
		return why_set(why, qerr_errno(errno), "cannot write %s: %s", path,
			       strerror(errno));
	if (write_all(fd, content) == -1)
		failure = errno;
	if (close(fd) == -1 && failure == 0)
		failure = errno;
	if (failure == 0)
		return Q_OK;
	unlink(path);
	return why_set(why, qerr_errno(failure), "cannot write %s: %s", path,
		       strerror(failure));
}
